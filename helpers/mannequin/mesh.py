"""Quadrilateral meshes: their edges, and smooth subdivision as one sparse matrix."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def quad_edges(quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(E, 2) unique edges and (Q, 4) which of them runs from each corner to the next."""
    sides = np.stack([quads, np.roll(quads, -1, axis=1)], axis=2).reshape(-1, 2)
    low, high = sides.min(axis=1).astype(np.int64), sides.max(axis=1)
    keys, inverse = np.unique(low * (quads.max() + 1) + high, return_inverse=True)
    return np.stack(np.divmod(keys, quads.max() + 1), axis=1), inverse.reshape(-1, 4)


def catmull_clark(quads: np.ndarray, count: int) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """csr from ``count`` vertices to vertices, edge points and face points of a closed quad mesh; its edges and their keys.

    Source: Catmull, Clark, "Recursively generated B-spline surfaces on arbitrary topological meshes", 1978.
    """
    edges, edge_of = quad_edges(quads)
    q, e = len(quads), len(edges)
    face = sparse.csr_matrix((np.full(4 * q, 0.25), (np.repeat(np.arange(q), 4), quads.ravel())), (q, count))
    middle = sparse.csr_matrix((np.full(2 * e, 0.5), (np.repeat(np.arange(e), 2), edges.ravel())), (e, count))
    beside = sparse.csr_matrix((np.ones(4 * q), (edge_of.ravel(), np.repeat(np.arange(q), 4))), (e, q))
    edge = middle / 2 + sparse.diags(0.5 / np.asarray(beside.sum(axis=1)).ravel()) @ beside @ face
    valence = np.maximum(np.bincount(edges.ravel(), minlength=count), 1)
    used = np.bincount(quads.ravel(), minlength=count) > 0
    around_faces = (face > 0).astype(float).T @ face
    around_edges = (middle > 0).astype(float).T @ middle
    scale = sparse.diags(used / valence**2.0)
    vertex = scale @ (around_faces + 2 * around_edges) + sparse.diags(np.where(used, (valence - 3) / valence, 1.0))
    keys = edges[:, 0].astype(np.int64) * count + edges[:, 1]
    return sparse.vstack([vertex, edge, face]).tocsr(), edges, keys


def triangles(quads: np.ndarray) -> np.ndarray:
    """(Q, 4) -> (2 Q, 3): both halves of every quadrilateral, in order."""
    return np.ascontiguousarray(quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3))


def mixture(count: int, edges: np.ndarray, share: np.ndarray) -> sparse.csr_matrix:
    rows = np.arange(len(edges))
    data = np.concatenate([1 - share, share])
    return sparse.csr_matrix((data, (np.tile(rows, 2), edges.T.ravel())), (len(edges), count))


def unique_edges(faces: np.ndarray) -> np.ndarray:
    """(E, 2) int, every edge of ``faces`` (F, 3) once, lower vertex first."""
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1).astype(np.int64)
    span = int(pairs.max()) + 1
    return np.stack(np.divmod(np.unique(pairs[:, 0] * span + pairs[:, 1]), span), axis=1)


def boundary_edges(faces: np.ndarray) -> np.ndarray:
    """(E, 2) int: directed edges with a face on their left only."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    span = int(pairs.max()) + 1
    code = np.sort(pairs, axis=1) @ np.array([span, 1])
    _, where, count = np.unique(code, return_index=True, return_counts=True)
    return pairs[where[count == 1]]


def _rim(faces: np.ndarray, count: int) -> np.ndarray:
    on = np.zeros(count, bool)
    on[boundary_edges(faces).ravel()] = True
    return on


def loops(faces: np.ndarray) -> list[np.ndarray]:
    """Closed boundary curves as vertex numbers in order, the cloth on their left; longest first."""
    edges = boundary_edges(faces)
    following = dict(edges.tolist())
    out = []
    while following:
        start, here = following.popitem()
        chain = [start]
        while here != start and here in following:
            chain.append(here)
            here = following.pop(here)
        if here == start and len(chain) > 2:
            out.append(np.array(chain))
    return sorted(out, key=len, reverse=True)


def refine_quads(quads: np.ndarray, count: int) -> tuple[sparse.csr_matrix, np.ndarray]:
    """One Catmull-Clark step on ``quads`` (Q, 4) over ``count`` vertices -> csr (V', count) and (4 Q, 4) new quads.

    The open edges follow the cubic B-spline of their own vertices.
    """
    corner = quads.astype(np.int64)
    first, second = corner.ravel(), np.roll(corner, -1, axis=1).ravel()
    owner = np.repeat(np.arange(len(quads)), 4)
    span = count + 1
    code = np.minimum(first, second) * span + np.maximum(first, second)
    code, edge, shared = np.unique(code, return_inverse=True, return_counts=True)
    ends = np.stack(np.divmod(code, span), axis=1)
    inner = shared == 2
    faces = sparse.csr_matrix((np.full(len(first), 0.25), (owner, first)), (len(quads), count))
    middles = mixture(count, ends, np.full(len(ends), 0.5))
    touching = sparse.csr_matrix((np.ones(len(edge)), (edge, owner)), (len(ends), len(quads)))
    edges = sparse.diags(np.where(inner, 0.5, 1.0)) @ middles + sparse.diags(np.where(inner, 0.25, 0.0)) @ touching @ faces

    rows = ends.T.ravel()
    star = sparse.csr_matrix((np.ones(len(rows)), (rows, np.tile(np.arange(len(ends)), 2))), (count, len(ends)))
    around = sparse.csr_matrix((np.ones(len(first)), (first, owner)), (count, len(quads)))
    valence = np.maximum(np.asarray(star.sum(axis=1)).ravel(), 1)
    open_star = star @ sparse.diags((~inner).astype(float))
    rim = np.asarray(open_star.sum(axis=1)).ravel() > 0
    per = np.maximum(np.asarray(around.sum(axis=1)).ravel(), 1)
    mean_face, mean_edge = sparse.diags(1 / per) @ around @ faces, sparse.diags(1 / valence) @ star @ middles
    keep = sparse.identity(count)
    inside = sparse.diags(np.where(rim, 0, 1 / valence)) @ (mean_face + 2 * mean_edge)
    inside += sparse.diags(np.where(rim, 0, (valence - 3) / valence)) @ keep
    outside = sparse.diags(np.where(rim, 0.5, 0)) @ keep + sparse.diags(np.where(rim, 0.25, 0)) @ open_star @ middles
    matrix = sparse.vstack([inside + outside, edges, faces]).tocsr()

    edge = edge.reshape(-1, 4) + count
    centre = np.arange(len(quads)) + count + len(ends)
    new = [np.stack([corner[:, k], edge[:, k], centre, edge[:, k - 1]], axis=1) for k in range(4)]
    return matrix, np.concatenate(new).astype(np.int32)


def refine_triangles(faces: np.ndarray, count: int) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """One Loop step -> csr (V', count), (4 F, 3) faces, and (E, 2) the edges whose new vertices follow the old ones.

    Source: Loop, "Smooth subdivision surfaces based on triangles", 1987; edge rules for open boundaries.
    """
    corner = faces.astype(np.int64)
    first, second, opposite = corner.ravel(), np.roll(corner, -1, axis=1).ravel(), np.roll(corner, -2, axis=1).ravel()
    span = count + 1
    code = np.minimum(first, second) * span + np.maximum(first, second)
    code, edge, shared = np.unique(code, return_inverse=True, return_counts=True)
    ends = np.stack(np.divmod(code, span), axis=1)
    inner = shared == 2
    weight = np.where(inner, 0.375, 0.5)
    rows = np.concatenate([np.tile(np.arange(len(ends)), 2), edge[inner[edge]]])
    columns = np.concatenate([ends.T.ravel(), opposite[inner[edge]]])
    data = np.concatenate([np.tile(weight, 2), np.full(int(inner[edge].sum()), 0.125)])
    odd = sparse.csr_matrix((data, (rows, columns)), (len(ends), count))

    rim = np.zeros(count, bool)
    rim[ends[~inner].ravel()] = True
    valence = np.bincount(ends.ravel(), minlength=count)
    beta = np.where(valence == 3, 3 / 16, 3 / (8 * np.maximum(valence, 1)))
    use = np.concatenate([ends, ends[:, ::-1]])
    open_edge = np.tile(~inner, 2)
    part = np.where(rim[use[:, 0]], np.where(open_edge, 0.125, 0), beta[use[:, 0]])
    even = sparse.csr_matrix((part, (use[:, 0], use[:, 1])), (count, count))
    even += sparse.diags(np.where(rim, 0.75, 1 - valence * beta))
    edge = edge.reshape(-1, 3) + count
    a, b, c = corner.T
    ab, bc, ca = edge.T
    new = np.concatenate([np.stack(t, axis=1) for t in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))])
    return sparse.vstack([even, odd]).tocsr(), new.astype(np.int32), ends


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) area-weighted unit normals of ``vertices`` (V, 3) under ``faces`` (F, 3)."""
    corners = vertices[faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    out = np.empty_like(vertices, dtype=np.float64)
    for axis in range(3):
        out[:, axis] = np.bincount(faces.ravel(), np.repeat(face_normals[:, axis], 3), minlength=len(vertices))
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def bend_pairs(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(B, 2) the two vertices opposite every inner edge, and (B, 2) that edge."""
    first, second, far = faces.ravel(), np.roll(faces, -1, axis=1).ravel(), np.roll(faces, -2, axis=1).ravel()
    span = np.int64(faces.max()) + 1
    code = np.minimum(first, second) * span + np.maximum(first, second)
    order = np.argsort(code, kind="stable")
    same = np.flatnonzero(code[order][1:] == code[order][:-1])
    one, other = order[same], order[same + 1]
    return np.stack([far[one], far[other]], axis=1), np.stack([first[one], second[one]], axis=1)


def laplacian(faces: np.ndarray, count: int) -> sparse.csr_matrix:
    """csr (V, V): the mean of each vertex's neighbours."""
    edges = unique_edges(faces)
    both = np.concatenate([edges, edges[:, ::-1]])
    valence = np.bincount(both[:, 0], minlength=count)
    return sparse.csr_matrix((1 / valence[both[:, 0]], (both[:, 0], both[:, 1])), (count, count))

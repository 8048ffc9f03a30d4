"""Meshes of triangles or quadrilaterals: edges, boundaries, normals, and smooth subdivision as one sparse matrix.

``faces`` (F, k) are rows of k corners, counter-clockwise seen from outside; an edge is named by its two vertices, the lower first.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse


def unit(vectors: np.ndarray) -> np.ndarray:
    """``vectors`` (..., 3) at length one; those without a length stay as they are."""
    x, y, z = (vectors[..., k] for k in range(3))  # much faster than a norm along so short an axis
    return vectors / np.maximum(np.sqrt(x * x + y * y + z * z), 1e-12)[..., None]


def triangles(quads: np.ndarray) -> np.ndarray:
    """(Q, 4) -> (2 Q, 3): both halves of every quadrilateral, in order."""
    return np.ascontiguousarray(quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3))


# --------------------------------------------------------------------------------------------------------------- edges


def _sides(faces: np.ndarray) -> tuple[np.ndarray, int]:
    """(F * k,) int64, the edge from each corner to the next as one number, the same from both sides, and that number's base."""
    first, second = faces.ravel().astype(np.int64), np.roll(faces, -1, axis=1).ravel()
    base = int(faces.max()) + 1
    return np.minimum(first, second) * base + np.maximum(first, second), base


def unique_edges(faces: np.ndarray) -> np.ndarray:
    """(E, 2) int64, every edge once, in order."""
    code, base = _sides(faces)
    return np.stack(np.divmod(np.unique(code), base), axis=1)


def edge_table(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(E, 2) edges as :func:`unique_edges`, (F, k) which of them runs from each corner to the next, (E,) how many faces share it."""
    code, base = _sides(faces)
    code, edge, shared = np.unique(code, return_inverse=True, return_counts=True)
    return np.stack(np.divmod(code, base), axis=1), edge.reshape(faces.shape), shared


def boundary_edges(faces: np.ndarray) -> np.ndarray:
    """(E, 2) int64: directed edges with a face on their left only."""
    code, _ = _sides(faces)
    pairs = np.stack([faces.ravel(), np.roll(faces, -1, axis=1).ravel()], axis=1).astype(np.int64)
    _, where, count = np.unique(code, return_index=True, return_counts=True)
    return pairs[where[count == 1]]


def on_boundary(faces: np.ndarray, count: int) -> np.ndarray:
    """(count,) bool: the vertices of open edges."""
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


def bend_pairs(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of triangles, (B, 2) the two vertices opposite every inner edge, and (B, 2) that edge."""
    first, second, far = faces.ravel(), np.roll(faces, -1, axis=1).ravel(), np.roll(faces, -2, axis=1).ravel()
    code, _ = _sides(faces)
    order = np.argsort(code, kind="stable")
    same = np.flatnonzero(code[order][1:] == code[order][:-1])
    one, other = order[same], order[same + 1]
    return np.stack([far[one], far[other]], axis=1), np.stack([first[one], second[one]], axis=1)


def neighbour_mean(faces: np.ndarray, count: int) -> sparse.csr_matrix:
    """csr (count, count): the mean of each vertex's neighbours."""
    edges = unique_edges(faces)
    both = np.concatenate([edges, edges[:, ::-1]])
    valence = np.bincount(both[:, 0], minlength=count)
    return sparse.csr_matrix((1 / valence[both[:, 0]], (both[:, 0], both[:, 1])), (count, count))


def on_edges(edges: np.ndarray, share: np.ndarray, count: int) -> sparse.csr_matrix:
    """csr (E, count): the point of each of ``edges`` (E, 2) that lies ``share`` (E,) of the way to its second vertex."""
    rows = np.arange(len(edges))
    data = np.concatenate([1 - share, share])
    return sparse.csr_matrix((data, (np.tile(rows, 2), edges.T.ravel())), (len(edges), count))


# -------------------------------------------------------------------------------------------------------------- normals


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) area-weighted unit normals of ``vertices`` (V, 3) under triangles ``faces`` (F, 3)."""
    corners = vertices[faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    out = np.empty_like(vertices, dtype=np.float64)
    for axis in range(3):
        out[:, axis] = np.bincount(faces.ravel(), np.repeat(face_normals[:, axis], 3), minlength=len(vertices))
    return unit(out)


# ---------------------------------------------------------------------------------------------------------- subdivision


def refine_quads(quads: np.ndarray, count: int) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """One Catmull-Clark step -> csr (V', count), (4 Q, 4) quads, and (E, 2) the edges whose new vertices follow the old ones.

    After those of the edges come the new vertices of the faces. Open edges follow the cubic B-spline of their own vertices; a vertex
    that no face uses stays. Source: Catmull, Clark, "Recursively generated B-spline surfaces on arbitrary topological meshes", 1978.
    """
    corner = quads.astype(np.int64)
    ends, edge, shared = edge_table(corner)
    inner = shared == 2
    owner = np.repeat(np.arange(len(quads)), 4)
    faces = sparse.csr_matrix((np.full(corner.size, 0.25), (owner, corner.ravel())), (len(quads), count))
    middles = on_edges(ends, np.full(len(ends), 0.5), count)
    touching = sparse.csr_matrix((np.ones(edge.size), (edge.ravel(), owner)), (len(ends), len(quads)))
    edges = sparse.diags(np.where(inner, 0.5, 1.0)) @ middles + sparse.diags(np.where(inner, 0.25, 0.0)) @ touching @ faces

    rows = ends.T.ravel()
    star = sparse.csr_matrix((np.ones(len(rows)), (rows, np.tile(np.arange(len(ends)), 2))), (count, len(ends)))
    around = sparse.csr_matrix((np.ones(corner.size), (corner.ravel(), owner)), (count, len(quads)))
    used = np.asarray(star.sum(axis=1)).ravel()
    valence = np.maximum(used, 1)
    open_star = star @ sparse.diags((~inner).astype(float))
    rim = np.asarray(open_star.sum(axis=1)).ravel() > 0
    per = np.maximum(np.asarray(around.sum(axis=1)).ravel(), 1)
    mean_face, mean_edge = sparse.diags(1 / per) @ around @ faces, sparse.diags(1 / valence) @ star @ middles
    keep = sparse.identity(count)
    inside = sparse.diags(np.where(rim, 0, 1 / valence)) @ (mean_face + 2 * mean_edge)
    inside += sparse.diags(np.where(rim, 0, np.where(used > 0, (valence - 3) / valence, 1.0))) @ keep
    outside = sparse.diags(np.where(rim, 0.5, 0)) @ keep + sparse.diags(np.where(rim, 0.25, 0)) @ open_star @ middles
    matrix = sparse.vstack([inside + outside, edges, faces]).tocsr()

    edge = edge + count
    centre = np.arange(len(quads)) + count + len(ends)
    new = [np.stack([corner[:, k], edge[:, k], centre, edge[:, k - 1]], axis=1) for k in range(4)]
    return matrix, np.concatenate(new).astype(np.int32), ends


def refine_closed(quads: np.ndarray, count: int) -> tuple[sparse.csr_matrix, np.ndarray]:
    """As :func:`refine_quads` for a mesh without open edges: csr (V', count) and (E, 2) edges.

    The same rule summed in another order, so equal but for the last bit. That bit decides on which side of the body's middle line
    the truth puts a pixel right on it, and has to stay as it is for pictures that were annotated once.
    """
    edges, edge_of, _ = edge_table(quads)
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
    return sparse.vstack([vertex, edge, face]).tocsr(), edges


def refine_triangles(faces: np.ndarray, count: int) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """One Loop step -> csr (V', count), (4 F, 3) faces, and (E, 2) the edges whose new vertices follow the old ones.

    Source: Loop, "Smooth subdivision surfaces based on triangles", 1987; edge rules for open boundaries.
    """
    corner = faces.astype(np.int64)
    ends, edge, shared = edge_table(corner)
    opposite = np.roll(corner, -2, axis=1)
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
    edge = edge + count
    a, b, c = corner.T
    ab, bc, ca = edge.T
    new = np.concatenate([np.stack(t, axis=1) for t in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))])
    return sparse.vstack([even, odd]).tocsr(), new.astype(np.int32), ends

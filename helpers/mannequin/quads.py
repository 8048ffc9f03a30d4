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

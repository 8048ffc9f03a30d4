"""How cloth lies on a body: stretched from one rise to the next, without the body's small forms."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

_SPAN = 0.05  # metres over which cloth is straight
_ROUNDS = 3


def stretched(skin: np.ndarray, faces: np.ndarray, cloth: np.ndarray) -> np.ndarray:
    """(n, 3) ``skin`` where ``cloth`` (n,) 0..1 covers it, elsewhere as it is.

    Implicit smoothing with cotangent weights, which does not depend on how fine the mesh is, twice over what the first time takes away, so
    that a trunk keeps its girth. Source: Desbrun, Meyer, Schröder, Barr, "Implicit fairing of irregular meshes using diffusion and
    curvature flow", 1999.
    """
    mass, stiffness = _operators(skin, faces)
    solve = splu(sparse.csc_matrix(mass + _SPAN**2 * stiffness)).solve
    out = skin.copy()
    for _ in range(_ROUNDS):
        once = solve(mass @ out)
        out += cloth[:, None] * (2 * once - solve(mass @ once) - out)
    return out


def _operators(vertices: np.ndarray, faces: np.ndarray) -> tuple[sparse.spmatrix, sparse.spmatrix]:
    """Areas of the vertices on a diagonal, and the cotangent Laplacian, positive semidefinite: both (n, n)."""
    count = len(vertices)
    corners = vertices[faces]
    rows, columns, values = [], [], []
    double = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    for k in range(3):
        one, other = corners[:, (k + 1) % 3] - corners[:, k], corners[:, (k + 2) % 3] - corners[:, k]
        cotangent = np.clip(np.einsum("fk,fk->f", one, other) / np.maximum(double, 1e-9), 0, 10) / 2
        i, j = faces[:, (k + 1) % 3], faces[:, (k + 2) % 3]
        rows += [i, j]
        columns += [j, i]
        values += [cotangent, cotangent]
    beside = sparse.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (count, count))
    area = np.bincount(faces.ravel(), np.repeat(double / 6, 3), count)
    return sparse.diags(np.maximum(area, 1e-9)), sparse.diags(np.asarray(beside.sum(1)).ravel()) - beside

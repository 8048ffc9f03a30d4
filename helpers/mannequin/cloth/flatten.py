"""Unrolling panels of cloth into the plane, in metres, as rigidly as their curvature allows.

Source: Liu, Zhang, Xu, Gotsman, Gortler, "A Local/Global Approach to Mesh Parameterization", 2008 (as rigid as possible).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu


def flatten(points: np.ndarray, faces: np.ndarray, start: np.ndarray, rounds: int = 8) -> np.ndarray:
    """(V, 2) metres: the panel ``points`` (V, 3), ``faces`` (F, 3), unrolled from the rough guess ``start`` (V, 2).

    Every connected piece must be a disc that ``start`` lays out without flips; position and orientation stay those of ``start``.
    """
    a, b, c = (points[faces[:, k]] for k in range(3))
    # Each triangle in its own plane, first corner at the origin, first edge along x.
    ab, ac = b - a, c - a
    base = np.maximum(np.linalg.norm(ab, axis=1), 1e-9)
    x = np.einsum("ij,ij->i", ab, ac) / base
    y = np.sqrt(np.maximum(np.einsum("ij,ij->i", ac, ac) - x**2, 1e-12))
    local = np.zeros((len(faces), 3, 2))
    local[:, 1, 0], local[:, 2, 0], local[:, 2, 1] = base, x, y
    edge = np.roll(local, -1, axis=1) - local  # edge k runs from corner k to k + 1
    left, right = np.roll(local, 1, axis=1) - local, np.roll(local, 1, axis=1) - np.roll(local, -1, axis=1)
    cross = np.abs(left[..., 0] * right[..., 1] - left[..., 1] * right[..., 0])
    cotangent = np.clip(np.einsum("fki,fki->fk", left, right) / np.maximum(cross, 1e-12), 0.02, 20)

    first, second = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    count, weight = len(points), cotangent.ravel()
    adjacency = sparse.csr_matrix((weight, (first, second)), (count, count))
    adjacency += adjacency.T
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    solver = splu(
        (sparse.diags(degree * (1 + 1e-7) + 1e-9) - adjacency).tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        options={"SymmetricMode": True},
    )
    scatter = sparse.csr_matrix(
        (np.concatenate([weight, -weight]), (np.concatenate([first, second]), np.tile(np.arange(len(weight)), 2))),
        (count, len(weight)),
    )
    flat, flat_edge = start.copy(), edge.reshape(-1, 2)
    middle = np.average(start, axis=0, weights=degree)
    for _ in range(rounds):
        now = (flat[first] - flat[second]).reshape(-1, 3, 2)
        before = -edge
        cosine = np.einsum("fk,fki,fki->f", cotangent, now, before)
        sine = np.einsum("fk,fk->f", cotangent, now[..., 1] * before[..., 0] - now[..., 0] * before[..., 1])
        norm = np.maximum(np.hypot(cosine, sine), 1e-12)
        cosine, sine = np.repeat(cosine / norm, 3), np.repeat(sine / norm, 3)
        turned = np.stack(
            [cosine * -flat_edge[:, 0] + sine * flat_edge[:, 1], sine * -flat_edge[:, 0] - cosine * flat_edge[:, 1]], axis=1
        )
        flat = solver.solve(scatter @ turned)
        flat += middle - np.average(flat, axis=0, weights=degree)
    return _aligned(flat, start, degree)


def _aligned(flat: np.ndarray, start: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """``flat`` moved rigidly onto ``start``."""
    here, there = (p - np.average(p, axis=0, weights=weight) for p in (flat, start))
    cosine = weight @ np.einsum("ij,ij->i", here, there)
    sine = weight @ (here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0])
    angle = np.arctan2(sine, cosine)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return here @ turn + np.average(start, axis=0, weights=weight)

"""What is done to a surface of marching cubes: made whole, smoothed, reduced, and cut into charts.

Decimation by fast-simplification (quadric edge collapse), charts by xatlas.
"""

from __future__ import annotations

import fast_simplification
import numpy as np
import xatlas
from scipy import sparse

from helpers.reconstruction import atlas
from helpers.reconstruction.mesh import Mesh

_SHRINK, _GROW = 0.5, -0.53  # Taubin's pair: details go, the volume stays
PADDING = 4  # texels between charts


def closed_sides(density: np.ndarray) -> None:
    """Nothing of ``density`` (R, R, R) reaches its sides any more, in place, so that its surface is closed."""
    for axis in range(3):
        ends = np.moveaxis(density, axis, 0)
        ends[0] = ends[-1] = 0


def largest(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """The piece with the most triangles of ``vertices`` (V, 3) and ``faces`` (F, 3), and how many others there were."""
    piece = atlas.charts(faces, len(vertices))[faces[:, 0]]
    kept = faces[piece == np.bincount(piece).argmax()]
    used, kept = np.unique(kept, return_inverse=True)
    return vertices[used], kept.reshape(-1, 3).astype(np.int32), len(np.unique(piece)) - 1


def smoothed(vertices: np.ndarray, faces: np.ndarray, rounds: int) -> np.ndarray:
    """float32 (V, 3) after ``rounds`` of smoothing that neither shrinks nor grows (Taubin, "Curve and surface smoothing without shrinkage",
    1995)."""
    if not rounds:
        return vertices
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    both = np.concatenate([sides, sides[:, ::-1]])
    graph = sparse.csr_matrix((np.ones(len(both), np.float64), both.T), (len(vertices), len(vertices)))
    graph.data[:] = 1
    mean = sparse.diags(1 / np.maximum(np.asarray(graph.sum(1)).ravel(), 1)) @ graph
    out = vertices.astype(np.float64)
    for _ in range(rounds):
        for step in (_SHRINK, _GROW):
            out += step * (mean @ out - out)
    return out.astype(np.float32)


def reduced(vertices: np.ndarray, faces: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The same surface of ``most`` triangles at most; 0 leaves it. Closed ones stay so but where thin parts come to touch each other."""
    if not most or len(faces) <= most:
        return vertices, faces
    tries = []
    for share, agg in ((1, 5), (1, 7), (0.97, 5), (0.93, 4)):
        found = fast_simplification.simplify(vertices, faces, target_count=int(most * share), agg=agg)
        tries.append((found[0].astype(np.float32), found[1].astype(np.int32)))
        if Mesh("surface", *tries[-1]).closed:
            return tries[-1]
    return tries[0]


def unwrapped(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``vertices`` and ``faces`` cut along the charts' edges, and uv float32 (V', 2) in 0..1 that lie side by side."""
    which, cut, uv = xatlas.parametrize(vertices, faces.astype(np.uint32))
    return vertices[which], cut.astype(np.int32), np.clip(uv, 0, 1).astype(np.float32)

"""A grid of columns towards the lens, what fills them, and the closed surface around it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.measure import marching_cubes

from helpers.reconstruction import finish

STEP = 0.0045
"""Metres between points of the grid."""
_MOST = 420  # points of the grid up and down


class Grid:
    """Columns towards the lens over the picture and what lies beside it, and what fills them."""

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        self.step = max(STEP, (high[1] - low[1]) / _MOST)
        self.low = low
        self.shape = tuple(int(n) for n in np.ceil((high - low) / self.step).astype(int) + 1)
        self.x, self.y, self.z = (low[k] + self.step * np.arange(self.shape[k]) for k in range(3))
        self.filled = np.zeros(self.shape, np.float32)

    def columns(self) -> np.ndarray:
        """(nx, ny, 2) metres."""
        return np.stack(np.meshgrid(self.x, self.y, indexing="ij"), axis=-1)

    def fill(self, front: np.ndarray, back: np.ndarray, where: np.ndarray) -> None:
        """Fill from ``back`` (nx, ny) to ``front`` (nx, ny) ``where`` (nx, ny) says."""
        column = np.nonzero(where)
        upper, lower = front[column][:, None].astype(np.float32), back[column][:, None].astype(np.float32)
        z = self.z.astype(np.float32)[None]
        some = np.clip((upper - z) / self.step + 0.5, 0, 1) * np.clip((z - lower) / self.step + 0.5, 0, 1)
        self.filled[column] = np.maximum(self.filled[column], some)


def hull(points: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower edge of the convex hull of ``points`` (N, 2) at shares ``t`` (-1..1) of its width."""
    low, high = points[:, 0].min(), points[:, 0].max()
    x = low + (t + 1) / 2 * (high - low)
    edges = []
    for sign in (1, -1):  # the upper edge: of the points, those from which it only turns downwards
        chain: list[np.ndarray] = []
        for point in points[np.lexsort((-sign * points[:, 1], points[:, 0]))]:
            if chain and point[0] == chain[-1][0]:
                continue
            while len(chain) > 1 and sign * _turn(chain[-2], chain[-1], point) >= 0:
                chain.pop()
            chain.append(point)
        edges.append(np.interp(x, *np.array(chain).T))
    return edges[0], edges[1]


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """Positive where the way from ``a`` by ``b`` to ``c`` turns left."""
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def softened(values: np.ndarray, where: np.ndarray, sigma: float | np.ndarray) -> np.ndarray:
    """``values`` blurred among those ``where`` says."""
    inside = where & np.isfinite(values)
    weight = ndimage.gaussian_filter(inside.astype(float), sigma)
    blurred = ndimage.gaussian_filter(np.where(inside, values, 0), sigma) / np.maximum(weight, 1e-6)
    return np.where(inside, blurred, values)


def surface(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """The largest piece's surface without hollows: vertices (V, 3) in metres, faces (F, 3)."""
    filled = np.pad(grid.filled, 2)
    pieces, count = ndimage.label(filled > 0.5)
    if not count:
        raise ValueError("person: no figure is left of the outline. Use a photograph in which one person is seen clearly.")
    main = pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()
    outside, _ = ndimage.label(~main)
    hollow = ~main & (outside != outside[0, 0, 0])
    filled[hollow] = 1
    away = ~(main | hollow)
    filled[away & ~ndimage.binary_dilation(main)] = 0
    soft = ndimage.gaussian_filter(filled, 1.0, truncate=3)
    vertices, faces, _, _ = marching_cubes(soft, 0.5, gradient_direction="ascent")
    vertices, faces, _ = finish.largest(vertices, faces.astype(np.int32))
    vertices = finish.smoothed(vertices, faces, 4).astype(np.float64)
    return grid.low + (vertices - 2) * grid.step, faces


def rounded(within: np.ndarray, radius: float) -> np.ndarray:
    """Half the thickness, in metres, of what is ``within`` metres inside its outline: an arc, then level."""
    inner = np.clip(within, 0, radius)
    return np.sqrt(inner * (2 * radius - inner))

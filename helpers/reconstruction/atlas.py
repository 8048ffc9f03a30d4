"""Textures: which place of a mesh each texel shows, charts laid side by side, and colour carried on over the charts' edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components

MARGIN = 4  # texels that a chart's colour goes on beyond its edge
_NEAR = 0.75  # texels that a texel's middle may lie beside a chart and still show it


@dataclass(frozen=True)
class Texels:
    """Places of a mesh that a texture shows.

    shape: (height, width) of the texture; row, column: (N,) of each texel; face: (N,) int32; bary: float32 (N, 2), weights of the face's
    second and third corner
    """

    shape: tuple[int, int]
    row: np.ndarray
    column: np.ndarray
    face: np.ndarray
    bary: np.ndarray

    def read(self, values: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """(N, k), or (N,), of vertex ``values`` (V, k), or (V,), of the mesh with ``faces`` (F, 3)."""
        corners = faces[self.face]
        u, v = (self.bary[:, 0], self.bary[:, 1]) if values.ndim == 1 else (self.bary[:, :1], self.bary[:, 1:])
        return values[corners[:, 0]] * (1 - u - v) + values[corners[:, 1]] * u + values[corners[:, 2]] * v

    def filled(self, colours: np.ndarray) -> np.ndarray:
        """(h, w, k) texture of the texels' ``colours`` (N, k), carried on over the edges so that none shows when it is made smaller."""
        out = np.zeros((*self.shape, colours.shape[1]), colours.dtype)
        out[self.row, self.column] = colours
        empty = np.ones(self.shape, bool)
        empty[self.row, self.column] = False
        nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
        return out[nearest[0], nearest[1]]


def texels(uv: np.ndarray, faces: np.ndarray, shape: tuple[int, int]) -> Texels:
    """The texels of a texture (height, width) that show something of the mesh with ``faces`` (F, 3) and ``uv`` (V, 2), v up.

    A texel just beside a chart shows the chart's nearest edge, so that no seam is without colour.
    """
    height, width = shape
    flat = np.zeros((len(uv), 3), np.float32)
    flat[:, 0], flat[:, 1] = uv[:, 0] * width - 0.5, (1 - uv[:, 1]) * height - 0.5
    scene = EmbreeScene()
    TriangleMesh(scene, flat, np.ascontiguousarray(faces, np.int32))
    parts: list[tuple[np.ndarray, ...]] = []
    row, column = np.divmod(np.arange(height * width, dtype=np.int32), width)
    around = [(0.0, 0.0)] + [(_NEAR * np.cos(a), _NEAR * np.sin(a)) for a in np.arange(8) * np.pi / 4]
    for dx, dy in around:
        start = np.stack([column + dx, row + dy, np.full(len(row), 1)], axis=1).astype(np.float32)
        towards = np.tile(np.array([[0, 0, -1]], np.float32), (len(row), 1))
        met = scene.run(start, towards, query="INTERSECT", output=1)
        hit = met["primID"] >= 0
        parts.append((row[hit], column[hit], met["primID"][hit], np.stack([met["u"], met["v"]], axis=1)[hit]))
        row, column = row[~hit], column[~hit]
        if dx == dy == 0 and len(row):  # only those beside a chart are looked at again
            inside = np.zeros(shape, np.uint8)
            inside[parts[0][0], parts[0][1]] = 1
            near = cv2.dilate(inside, np.ones((3, 3), np.uint8))[row, column] > 0
            row, column = row[near], column[near]
    found = [np.concatenate(each) for each in zip(*parts, strict=True)]
    return Texels(shape, found[0], found[1], found[2].astype(np.int32), found[3].astype(np.float32))


def charts(faces: np.ndarray, count: int) -> np.ndarray:
    """(count,) int32: which connected piece each of ``count`` vertices belongs to."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = sparse.csr_matrix((np.ones(len(pairs), bool), pairs.T), (count, count))
    return connected_components(graph, directed=False)[1]


def packed(uv: np.ndarray, chart: np.ndarray, size: int) -> np.ndarray:
    """float32 (V, 2) in 0..1: the charts of ``uv`` (V, 2), which share one scale, side by side on a square texture of ``size`` texels.

    They stand in shelves, the tallest first, at the largest scale at which all fit, ``MARGIN`` texels apart; wide ones are laid upright.
    """
    number = int(chart.max()) + 1
    low, high = np.full((number, 2), np.inf), np.full((number, 2), -np.inf)
    np.minimum.at(low, chart, uv)
    np.maximum.at(high, chart, uv)
    used = np.isfinite(low[:, 0])
    low[~used], high[~used] = 0, 0
    turned = (high - low)[:, 0] > (high - low)[:, 1]
    extent = np.where(turned[:, None], (high - low)[:, ::-1], high - low)
    order = np.argsort(-extent[:, 1], kind="stable")
    order = order[used[order]]

    def place(scale: float) -> np.ndarray | None:
        at, x, y, tall = np.zeros((number, 2)), 0.0, 0.0, 0.0
        for k in order:
            wide, high_ = extent[k] * scale + 2 * MARGIN
            if x + wide > size:
                x, y, tall = 0.0, y + tall, 0.0
            if wide > size or y + high_ > size:
                return None
            at[k], x, tall = (x + MARGIN, y + MARGIN), x + wide, max(tall, high_)
        return at

    scale = _largest(lambda s: place(s) is not None, size / max(float(extent.max()), 1e-9))
    places = place(scale)
    assert places is not None
    inner = uv - low[chart]
    inner = np.where(turned[chart][:, None], np.stack([inner[:, 1], (high - low)[chart, 0] - inner[:, 0]], axis=1), inner)
    return np.clip((places[chart] + inner * scale) / size, 0, 1).astype(np.float32)


def _largest(fits: Callable[[float], bool], most: float) -> float:
    """The largest number up to ``most`` that ``fits``, to a part in two hundred."""
    low = most
    while not fits(low):
        low /= 2
    if low == most:
        return most
    high = low * 2
    while high / low > 1.005:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low

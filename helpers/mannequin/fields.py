"""Scalar fields in space for procedural colour: soft steps and value noise."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np


def smoothstep(start: np.ndarray | float, end: np.ndarray | float, value: np.ndarray) -> np.ndarray:
    """0 at ``start``, 1 at ``end``, smooth in between; ``start`` may be the larger one."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


@cache
def _lattice() -> np.ndarray:
    return np.random.default_rng(7).random((32, 32, 32)).astype(np.float32)


def noise(points: np.ndarray, size: float) -> np.ndarray:
    """(N,) value noise, mean 0, within -1..1, of feature ``size`` metres at ``points`` (N, 3)."""
    scaled = points / size
    cell = np.floor(scaled)
    t = (scaled - cell).astype(np.float32)
    t = t * t * (3 - 2 * t)
    low = cell.astype(np.int64) & 31
    high = (low + 1) & 31
    table = _lattice()
    planes = []
    for x in (low[:, 0], high[:, 0]):
        rows = [table[x, y, low[:, 2]] * (1 - t[:, 2]) + table[x, y, high[:, 2]] * t[:, 2] for y in (low[:, 1], high[:, 1])]
        planes.append(rows[0] * (1 - t[:, 1]) + rows[1] * t[:, 1])
    return 2 * (planes[0] * (1 - t[:, 0]) + planes[1] * t[:, 0]) - 1


def wrapped(tile: np.ndarray) -> np.ndarray:
    """A tile (H, W, C) as :func:`look_up` wants it: one more row and column, so that the last texel blends into the first."""
    return np.ascontiguousarray(np.pad(tile, ((0, 1), (0, 1), (0, 0)), mode="wrap"))


def look_up(tile: np.ndarray, u: np.ndarray, v: np.ndarray, texel: float) -> np.ndarray:
    """Bilinear samples (N, C) of a :func:`wrapped` tile at (N,) metres, ``texel`` metres each."""
    rows, columns = tile.shape[0] - 1, tile.shape[1] - 1
    x = np.mod(u * np.float32(1 / texel), np.float32(columns))
    y = np.mod(v * np.float32(1 / texel), np.float32(rows))
    return sample(tile, x, y)


def sample(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear samples (N, C) of ``image`` (H, W, C) float32 at pixel places x, y (N,); zero outside."""
    count = len(x)
    width = min(count, 8192)
    pad = -count % width if width else 0
    x, y = (np.pad(np.asarray(c, np.float32), (0, pad)).reshape(-1, max(width, 1)) for c in (x, y))
    if not count:
        return np.zeros((0, image.shape[2]), np.float32)
    out = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return out.reshape(-1, image.shape[2])[:count]

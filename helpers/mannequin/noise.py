"""Scalar fields in space for procedural colour: soft steps and value noise."""

from __future__ import annotations

from functools import cache

import numpy as np


def smoothstep(start: float, end: float, value: np.ndarray) -> np.ndarray:
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

"""Open polylines (n, 2) in pixels."""

from __future__ import annotations

import numpy as np


def resample(line: np.ndarray, count: int) -> np.ndarray:
    """``count`` points (count, 2) at equal distances along ``line``, its two ends included."""
    steps = _along(line)
    if steps[-1] == 0:
        return np.repeat(line[:1], count, 0)
    at = np.linspace(0, steps[-1], count)
    return np.column_stack([np.interp(at, steps, line[:, k]) for k in (0, 1)])


def length(line: np.ndarray) -> float:
    """Length of ``line`` in pixels."""
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def first_part(line: np.ndarray, distance: float) -> np.ndarray:
    """The first ``distance`` pixels of ``line``."""
    steps = _along(line)
    distance = float(np.clip(distance, 0.0, steps[-1]))
    end = [np.interp(distance, steps, line[:, k]) for k in (0, 1)]
    return np.vstack([line[steps < distance], end])


def _along(line: np.ndarray) -> np.ndarray:
    """(n,) pixels from the start of ``line`` to each of its points."""
    return np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]

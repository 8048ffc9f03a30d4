"""A picture cut into superpixels, and the graph between them.

Superpixels along the lines of Machairas et al., "Waterpixels" (2015): a watershed of the colour gradient from a regular grid of minima.
"""

from __future__ import annotations

import cv2
import numpy as np
from skimage.segmentation import watershed


def gradient_of(lab: np.ndarray, sigmas: tuple[float, ...]) -> np.ndarray:
    """(h, w) colour gradient averaged over ``sigmas``, chroma weighted up."""
    weighted = lab * np.array([1, 1.5, 1.5], np.float32)
    total = np.zeros(lab.shape[:2], np.float32)
    for sigma in sigmas:
        blurred = cv2.GaussianBlur(weighted, (0, 0), sigma)
        dx = cv2.Sobel(blurred, cv2.CV_32F, 1, 0, scale=0.125)
        dy = cv2.Sobel(blurred, cv2.CV_32F, 0, 1, scale=0.125)
        total += np.sqrt(sigma * (dx * dx + dy * dy).sum(axis=2))
    return total / len(sigmas)


def superpixels(lab: np.ndarray, cell: float) -> np.ndarray:
    """(h, w) int32 labels 0..n-1: one basin for the calmest pixel near each node of a grid.

    lab: float32 (h, w, 3) CIE Lab; cell: spacing of the grid in pixels
    """
    # The logarithm lets a weak edge (white on light grey) hold as well as a strong one.
    relief = np.log1p(4 * gradient_of(lab, (0.7,)))
    height, width = relief.shape
    rows, columns = max(1, round(height / cell)), max(1, round(width / cell))
    markers = np.zeros((height, width), np.int32)
    ys, xs = ((np.arange(rows) + 0.5) * height / rows).astype(int), ((np.arange(columns) + 0.5) * width / columns).astype(int)
    reach = 2
    window = np.pad(relief, reach, constant_values=np.inf)
    patches = np.lib.stride_tricks.sliding_window_view(window, (2 * reach + 1,) * 2)[ys[:, None], xs[None]]
    calm = patches.reshape(rows, columns, -1).argmin(axis=2)
    y = (ys[:, None] + calm // (2 * reach + 1) - reach).ravel()
    x = (xs[None] + calm % (2 * reach + 1) - reach).ravel()
    markers[y, x] = 1 + np.arange(rows * columns)
    labels = watershed(relief, markers)
    return (np.unique(labels, return_inverse=True)[1].reshape(labels.shape)).astype(np.int32)


def split(index: np.ndarray, front: np.ndarray) -> np.ndarray:
    """``index`` with each region that lies on both sides of ``front`` (h, w) bool made into two, if both are more than a rim of pixels."""
    total = np.bincount(index.ravel())
    ahead = np.bincount(index.ravel(), front.ravel())
    mixed = np.minimum(ahead, total - ahead) >= 8
    halves = 2 * index + (front & mixed[index])
    return np.unique(halves, return_inverse=True)[1].reshape(index.shape).astype(np.int32)


def boundaries(index: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbouring regions (m, 2), the length of their boundary (m,) and the mean gradient on it (m,)."""
    count = int(index.max()) + 1
    keys, values = [], []
    for a, b, ga, gb in (
        (index[:, :-1], index[:, 1:], gradient[:, :-1], gradient[:, 1:]),
        (index[:-1], index[1:], gradient[:-1], gradient[1:]),
    ):
        at = a != b
        low, high = np.minimum(a[at], b[at]).astype(np.int64), np.maximum(a[at], b[at])
        keys.append(low * count + high)
        values.append((ga[at] + gb[at]) / 2)
    unique, inverse, length = np.unique(np.concatenate(keys), return_inverse=True, return_counts=True)
    contrast = np.bincount(inverse, np.concatenate(values)) / length
    return np.stack([unique // count, unique % count], axis=1), length.astype(np.float64), contrast

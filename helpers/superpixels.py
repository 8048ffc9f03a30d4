"""A picture cut into superpixels, and the graph between them.

Superpixels along the lines of Machairas et al., "Waterpixels" (2015): a watershed of the colour gradient from a regular grid of minima.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from skimage.segmentation import watershed

WORKING_AREA = 384 * 512
"""Pixels at which a person is looked at; a larger picture is reduced to it."""
CELL = 7.0
"""Spacing of the superpixels in working pixels, fine enough for a sleeve on a full-length figure."""


@dataclass(frozen=True)
class Mosaic:
    """Superpixels of one picture and the graph between them; n of them, m pairs of neighbours.

    Lengths are in working pixels, colours in CIE Lab (L 0..100).
    """

    index: np.ndarray
    """(h, w) int32, the superpixel of each working pixel, 0..n-1."""
    area: np.ndarray
    """(n,) pixels."""
    lab: np.ndarray
    """(n, 3) mean colour."""
    centre: np.ndarray
    """(n, 2) x, y."""
    pairs: np.ndarray
    """(m, 2) indices of neighbours, first < second."""
    length: np.ndarray
    """(m,) pixels of common boundary."""
    contrast: np.ndarray
    """(m,) gradient along the common boundary."""

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(n,) of ``values`` (h, w) over each superpixel."""
        return np.bincount(self.index.ravel(), values.ravel(), len(self.area)) / self.area


def reduced(image: np.ndarray, area: int = WORKING_AREA) -> tuple[np.ndarray, float]:
    """``image`` (H, W) or (H, W, 3) at no more than ``area`` pixels, and the working pixels to one of its own, at most 1."""
    height, width = image.shape[:2]
    scale = min(1.0, float(np.sqrt(area / (height * width))))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return (cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image), scale


def lab_of(image: np.ndarray) -> np.ndarray:
    """float32 (h, w, 3) CIE Lab of a picture, uint8 (h, w, 3) RGB."""
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def mosaic(lab: np.ndarray, sigmas: tuple[float, ...], front: np.ndarray | None = None, cell: float = CELL) -> Mosaic:
    """``lab`` (h, w, 3) cut into superpixels, ``cell`` apart; their contrast is the gradient over ``sigmas``.

    front: bool (h, w), where given: no superpixel lies on both sides of it
    """
    index = superpixels(lab, cell)
    if front is not None:
        index = split(index, front)
    count = int(index.max()) + 1
    area = np.bincount(index.ravel(), minlength=count).astype(np.float64)
    ys, xs = np.mgrid[: lab.shape[0], : lab.shape[1]]
    layers = [*(lab[..., channel] for channel in range(3)), xs, ys]
    means = np.stack([np.bincount(index.ravel(), layer.ravel(), count) / area for layer in layers], axis=1)
    return Mosaic(index, area, means[:, :3], means[:, 3:], *boundaries(index, gradient_of(lab, sigmas)))


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

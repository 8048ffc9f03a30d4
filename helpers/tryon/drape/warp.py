"""Smooth warps from a product photograph onto a wearer, and cloth carried on past its own edge."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from helpers.pixels import length, nearest_known


def backward_map(
    target: np.ndarray,
    source: np.ndarray,
    shape: tuple[int, int],
    *,
    smoothing: float,
    weight: np.ndarray | None = None,
    step: int = 8,
) -> np.ndarray:
    """float32 (H, W, 2): for each pixel x, y of the target where to look in the source.

    target, source: (n, 2) points that belong together; smoothing: 0 = through every point, larger = stiffer, down to an affine map
    weight: (n,) how much each point counts (1 = usual). A thin-plate spline in units of the target's extent, evaluated every ``step``
    pixels (Bookstein 1989; smoothing as in Wahba 1990).
    """
    height, width = shape
    origin, unit = target.mean(0), max(float(np.ptp(target, axis=0).max()), 1.0)
    distinct = np.unique(((target - origin) / unit).round(4), axis=0, return_index=True)[1]
    weight = np.ones(len(target)) if weight is None else weight
    spline = RBFInterpolator(
        (target[distinct] - origin) / unit,
        source[distinct],
        kernel="thin_plate_spline",
        smoothing=smoothing / np.maximum(weight[distinct], 1e-3),
    )
    rows, columns = np.arange(0, height + step, step), np.arange(0, width + step, step)
    nodes = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    coarse = spline((nodes - origin) / unit).reshape(len(rows), len(columns), 2).astype(np.float32)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32) / step, np.arange(height, dtype=np.float32) / step)
    return cv2.remap(coarse, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def between(line: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """``line`` (n, 2) turned, scaled and moved so that it runs from ``start`` to ``end``."""
    z, a, b = line @ [1, 1j], complex(*start), complex(*end)
    span = z[-1] - z[0]
    moved = a + (z - z[0]) * ((b - a) / span if abs(span) > 1e-6 else 1.0)
    return np.column_stack([moved.real, moved.imag])


def carry_on(image: np.ndarray, mask: np.ndarray, erode: int = 4) -> np.ndarray:
    """``image`` with its cloth continued past ``mask``, so that no backdrop is ever sampled: uint8 (H, W, 3).

    The outermost ``erode`` pixels, which carry a fringe of the backdrop, are dropped. Near the edge the cloth is mirrored, which
    keeps its texture going without streaks; farther away it fades into its own local colour.
    """
    core = cv2.erode(mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * erode + 1,) * 2))
    thin = mask & (cv2.dilate(core, np.ones((2 * erode + 3,) * 2, np.uint8)) == 0)  # straps would vanish
    core = (core > 0) | (cv2.erode((thin & mask).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    if not core.any():
        core = mask
    distance, place = nearest_known(core)
    edge = np.stack(np.unravel_index(place, core.shape)[::-1], -1).astype(np.float32)
    x, y = np.meshgrid(np.arange(image.shape[1], dtype=np.float32), np.arange(image.shape[0], dtype=np.float32))
    depth = cv2.distanceTransform(core.astype(np.uint8), cv2.DIST_L2, 5)
    signed = cv2.GaussianBlur(distance - depth, (0, 0), 3)  # mirrored in a smooth edge, or each pixel's step in it would show
    normal = np.stack([cv2.Sobel(signed, cv2.CV_32F, *d, ksize=3, scale=0.125) for d in ((1, 0), (0, 1))], -1)
    normal /= np.maximum(length(normal), 1e-3)[..., None]
    mirrored = np.stack([x, y], -1) - (np.maximum(2 * signed, signed + 1))[..., None] * normal
    inside = cv2.remap(core.astype(np.uint8), mirrored[..., 0], mirrored[..., 1], cv2.INTER_NEAREST, borderValue=0) > 0
    mirrored = np.where(inside[..., None], mirrored, edge)
    texture = cv2.remap(image, mirrored[..., 0], mirrored[..., 1], cv2.INTER_LINEAR)
    far = fill(image.astype(np.float32), core)
    share = np.clip(1.0 - (distance - 20) / 40, 0, 1)[..., None] * np.where(inside, 1.0, 0.4)[..., None].astype(np.float32)
    blend = texture * share + far * (1 - share)
    return np.where(core[..., None], image, np.clip(np.rint(blend), 0, 255)).astype(np.uint8)


def fill(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Unknown pixels of ``values`` float32 (H, W[, C]) smoothly filled from the known ones: pull-push over a pyramid (Gortler 1996)."""
    flat = values.ndim == 2
    levels = [((values[..., None] if flat else values).astype(np.float32), known.astype(np.float32))]
    while min(levels[-1][1].shape) > 2:
        colour, weight = levels[-1]
        size = tuple(max(1, (n + 1) // 2) for n in weight.shape[::-1])
        less = _halve(weight, size)
        colour = _halve(colour * weight[..., None], size) / np.maximum(less, 1e-6)[..., None]
        levels.append((colour, np.minimum(4 * less, 1)))
    filled = levels.pop()[0]
    for colour, weight in reversed(levels):
        up = cv2.resize(filled, weight.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(colour.shape)
        filled = up + weight[..., None] * (colour - up)
    return filled[..., 0] if flat else filled


def _halve(level: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    small = cv2.resize(cv2.GaussianBlur(level, (0, 0), 0.8), size, interpolation=cv2.INTER_AREA)
    return small.reshape(size[1], size[0], *level.shape[2:])

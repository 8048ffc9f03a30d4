"""From labelled regions to a clean mask at the image's own size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from skimage.segmentation import watershed

from helpers.segmentation.superpixel.regions import Regions

BAND = 3
"""Pixels of the working size to either side of the regions' outline within which the true edge is looked for."""


def mask_of(
    image: np.ndarray,
    regions: Regions,
    inside: np.ndarray,
    points: Sequence[tuple[float, float, int]],
    before: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """The mask, bool (H, W), of the regions ``inside`` (n,), its outline moved to the strongest edge close by.

    ``image``: uint8 (H, W, 3); ``points``: all clicks so far, which the mask obeys to the pixel; ``before``: the mask (H, W) and the
    regions (n,) it had before the last of them, to keep it unchanged elsewhere.
    """
    height, width = image.shape[:2]
    scale = height / regions.index.shape[0]
    band = max(1, round(BAND * scale))
    changed = inside if before is None else inside != before[1]
    rows, columns = np.nonzero(changed[regions.index])
    x, y, label = points[-1]
    rows, columns = np.append(rows, (y + 0.5) / scale), np.append(columns, (x + 0.5) / scale)
    margin = 3 * BAND
    top, bottom = (int(max(0, (rows.min() - margin) * scale)), int(min(height, np.ceil((rows.max() + 1 + margin) * scale))))
    left, right = (
        int(max(0, (columns.min() - margin) * scale)),
        int(min(width, np.ceil((columns.max() + 1 + margin) * scale))),
    )
    window = np.s_[top:bottom, left:right]

    coarse = cv2.resize(inside[regions.index].astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)[window] > 0.5
    snapped = _snap(image[window], coarse, band)
    if before is None:
        mask = np.zeros((height, width), bool)
        mask[window] = snapped
    else:
        mask = before[0].copy()
        altered = cv2.resize(changed[regions.index].astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)[window]
        near = cv2.dilate(altered, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (4 * band + 1,) * 2)) > 0
        wanted = snapped if label == 1 else ~snapped
        # Only towards the click's label: what was right there stays.
        turn = near & wanted & (mask[window] != (label == 1))
        mask[window][turn] = label == 1
    mask = _tidy(mask, points, band)
    for x, y, label in points:
        if mask[int(y), int(x)] != (label == 1):
            spot = cv2.circle(np.zeros((height, width), np.uint8), (int(x), int(y)), max(1, round(scale)), 1, -1)
            mask[spot > 0] = label == 1
    for x, y, label in points:
        mask[int(y), int(x)] = label == 1
    return mask


def _snap(image: np.ndarray, coarse: np.ndarray, band: int) -> np.ndarray:
    """Flood the relief of the colour gradient from well inside and well outside ``coarse``; they meet on the edge."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1,) * 2)
    core = cv2.erode(coarse.astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE)
    rest = cv2.erode((~coarse).astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE)
    # A strap narrower than the band would lose its core: its own middle line serves.
    for side, seed in ((coarse, core), (~coarse, rest)):
        depth = cv2.distanceTransform(np.pad(side, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & (depth > 1)
        seed |= ridge.astype(np.uint8)
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), 1.0)
    steps = [cv2.Sobel(lab, cv2.CV_32F, *order, scale=0.125) ** 2 for order in ((1, 0), (0, 1))]
    relief = np.sqrt((steps[0] + steps[1]).sum(axis=2))
    return watershed(relief, core.astype(np.int32) + 2 * rest.astype(np.int32)) == 1


def _tidy(mask: np.ndarray, points: Sequence[tuple[float, float, int]], band: int) -> np.ndarray:
    """Smooth the last jaggedness, drop specks and fill pinholes that nobody clicked."""
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.25 * band) > 0.5
    limit = (4 * band) ** 2
    for value in (True, False):
        count, parts, stats, _ = cv2.connectedComponentsWithStats((smooth == value).astype(np.uint8), connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] < limit
        small[0] = False
        for x, y, label in points:
            if (label == 1) == value:
                small[parts[int(y), int(x)]] = False
        if count > 1 and small[1:].all() and value:
            small[1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])] = False
        smooth[small[parts]] = not value
    return smooth

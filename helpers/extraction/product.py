"""A garment that was laid flat as a product photograph: evenly lit, in the middle, on white, its edge soft."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from helpers.garment import Garment
from helpers.pixels import nearest_known

SIZE = (768, 1024)
"""Width and height of the picture."""
_MARGIN = 0.08  # of the picture's sides, around the garment
_EVEN = 0.5  # of the light's unevenness that is taken back


def evenly_lit(image: np.ndarray, region: np.ndarray, broad: float) -> np.ndarray:
    """``image`` with a part of what light and folds do to it taken back: its brightness is drawn to that of the whole, far apart only."""
    bright = image.mean(2) + 1.0
    weight = region.astype(np.float32)
    size = max(1.0, 0.18 * broad)
    near = cv2.GaussianBlur((bright * weight).astype(np.float32), (0, 0), size) / np.maximum(
        cv2.GaussianBlur(weight, (0, 0), size), 1e-3
    )
    gain = np.clip(bright[region].mean() / np.maximum(near, 1.0), 0.7, 1.5) ** _EVEN
    return np.clip(image * gain[..., None], 0, 255)


def framed(
    image: np.ndarray, mask: np.ndarray, invented: np.ndarray, inside: np.ndarray, category: str, engine: str
) -> Garment:
    """The garment in the middle of a picture of ``SIZE`` on white, its edge soft."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.ix_(np.arange(rows[0], rows[-1] + 1), np.arange(columns[0], columns[-1] + 1))
    scale = min(side * (1 - 2 * _MARGIN) / n for side, n in zip(SIZE, (len(box[1][0]), len(box[0])), strict=True))
    x = SIZE[0] / 2 - scale * (columns[0] + columns[-1] + 1) / 2
    y = SIZE[1] / 2 - scale * (rows[0] + rows[-1] + 1) / 2
    matrix = np.array([[scale, 0, x], [0, scale, y]])
    spread = image.astype(np.float32)
    if not mask.all():
        spread = spread.reshape(-1, 3)[nearest_known(mask)[1]]
    picture = cv2.warpAffine(spread, matrix, SIZE, flags=cv2.INTER_LINEAR)
    masks = [cv2.warpAffine(m.astype(np.float32), matrix, SIZE, flags=cv2.INTER_LINEAR) for m in (mask, invented, inside)]
    alpha = cv2.GaussianBlur(masks[0], (0, 0), 1.2)
    alpha = np.clip((alpha - 0.25) * 2, 0, 1)[..., None]
    out = np.rint(np.clip(picture * alpha + 255 * (1 - alpha), 0, 255)).astype(np.uint8)
    whole = alpha[..., 0] > 0.5
    made = Garment(out, whole, category, "extracted", (masks[2] > 0.5) & whole, engine)
    return replace(made, invented=(masks[1] > 0.5) & whole)

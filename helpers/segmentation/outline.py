"""From labelled regions to a clean mask at the image's own size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .regions import Regions


def refine(
    image: np.ndarray,
    regions: Regions,
    inside: np.ndarray,
    points: Sequence[tuple[float, float, int]],
    before: np.ndarray | None,
    inside_before: np.ndarray | None,
) -> np.ndarray:
    """The mask, bool (H, W), of the regions ``inside`` (n,), true and false at the points as they say."""
    height, width = image.shape[:2]
    mask = cv2.resize(inside[regions.index].astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    for x, y, label in points:
        mask[int(y), int(x)] = label == 1
    return mask

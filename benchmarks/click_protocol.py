"""The field's protocol for click segmentation: the next click goes to the middle of the largest error.

As in Sofiiuk et al., "Reviving Iterative Training with Mask Guidance for Interactive Segmentation" (2021): the first click lies in
the middle of the target, every further one in the middle (greatest distance to the edge) of the largest connected region that is
still wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

Point = tuple[float, float, int]


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two bool (H, W)."""
    union = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / union if union else 1.0


def next_click(mask: np.ndarray, truth: np.ndarray) -> Point | None:
    """The point (x, y, label) in the middle of the largest false region, or None where nothing is false."""
    best, region = 0, None
    for label, false in ((1, truth & ~mask), (0, mask & ~truth)):
        _, parts, stats, _ = cv2.connectedComponentsWithStats(false.astype(np.uint8), connectivity=4)
        if len(stats) > 1:
            part = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
            if stats[part, cv2.CC_STAT_AREA] > best:
                best, region = stats[part, cv2.CC_STAT_AREA], (label, parts == part)
    if region is None:
        return None
    label, wrong = region
    # The image's edge counts as an edge.
    depth = cv2.distanceTransform(np.pad(wrong, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return float(x), float(y), label


@dataclass
class Trial:
    """What one target took: IoU after each click, CPU-seconds of each."""

    name: str
    ious: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    preparation: float = 0.0
    empty: int = 0
    points: list[Point] = field(default_factory=list)

    def at(self, clicks: int) -> float:
        """IoU after ``clicks`` clicks (a target that is right earlier keeps its value)."""
        return self.ious[min(clicks, len(self.ious)) - 1]

    def needed(self, threshold: float) -> int:
        """Clicks until ``threshold`` is reached; the number allowed where it never is."""
        return next((k + 1 for k, value in enumerate(self.ious) if value >= threshold), len(self.ious))

    @property
    def worst_loss(self) -> float:
        """Largest fall of IoU by one click."""
        return max([0.0, *(a - b for a, b in zip(self.ious, self.ious[1:], strict=False))])


def run_protocol(
    predict: Callable[[Sequence[Point]], np.ndarray], truth: np.ndarray, name: str, clicks: int = 20, start: Point | None = None
) -> Trial:
    """Click on ``truth`` (bool (H, W)) up to ``clicks`` times; ``start`` replaces the first click."""
    trial = Trial(name)
    mask = np.zeros_like(truth)
    for k in range(clicks):
        point = start if k == 0 and start is not None else next_click(mask, truth)
        if point is None:
            trial.ious.append(1.0)
            break
        trial.points.append(point)
        began = time.process_time()
        mask = predict(list(trial.points))
        trial.seconds.append(time.process_time() - began)
        trial.ious.append(iou(mask, truth))
        trial.empty += not mask.any()
    return trial

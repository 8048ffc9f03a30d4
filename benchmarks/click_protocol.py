"""The field's protocol for click segmentation: the next click goes to the middle of the largest error.

As in Sofiiuk et al., "Reviving Iterative Training with Mask Guidance for Interactive Segmentation" (2021): the first click lies in
the middle of the target, every further one in the middle (greatest distance to the edge) of the largest connected region that is
still wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from helpers.segmentation.clicks import iou, next_click

Point = tuple[float, float, int]


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
        if (mask == truth).all():
            trial.ious.append(1.0)
            break
        point = start if k == 0 and start is not None else next_click(truth, mask)
        trial.points.append(point)
        began = time.process_time()
        mask = predict(list(trial.points))
        trial.seconds.append(time.process_time() - began)
        trial.ious.append(iou(mask, truth))
        trial.empty += not mask.any()
    return trial

"""Whether a mask can be a garment on somebody: asked before a try-on, where a wrong mask costs minutes and the network is blamed."""

from __future__ import annotations

import cv2
import numpy as np

from helpers import checks
from helpers.labels import select
from helpers.person import Person

LEAST = 0.003
"""Share of the picture below which a mask is no garment."""
TALLEST = 0.87
"""Share of the picture's height above which a mask is a whole person."""
MUCH = 0.55
"""Share of the figure above which a mask may be more than one garment: said, not refused, because a long coat is."""


def check(mask: np.ndarray, person: Person) -> str:
    """A remark on ``mask``, bool (H, W) over ``person``'s picture, or "" if there is none.

    Uses the nose where there are keypoints and face and hair where there are labels, else size and height.
    Raises ``ValueError`` for a mask that is inverted, too small or thin for a garment, or that holds the whole body.
    """
    checks.mask(mask, person.image.shape[:2])
    share = float(mask.mean())
    border = np.concatenate([mask[0], mask[:, 0], mask[:, -1]])
    if share > 0.6 and border.mean() > 0.5:
        raise ValueError(f"mask covers {share:.0%} of the picture and its border: it looks inverted. Pass ~mask.")
    thick = cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8)).any()
    if share < LEAST or not thick:
        raise ValueError(
            f"mask holds only {int(mask.sum())} pixels, {share:.1%} of the picture: too few for a garment. Click on the garment again."
        )
    rows = np.flatnonzero(mask.any(axis=1))
    if rows[-1] - rows[0] > TALLEST * len(mask) or _on_nose(person, mask) or _on_head(person, mask):
        raise ValueError("mask covers the head: it looks like the whole body. Mask only the garment that is to be replaced.")
    if person.labels is not None and (figure := person.labels > 0).any():
        covered = float((mask & figure).sum() / figure.sum())
        if covered > MUCH:
            return f"the mask covers {covered:.0%} of the figure: more than most garments; check that only one is meant."
    return ""


def _on_nose(person: Person, mask: np.ndarray) -> bool:
    if person.keypoints is None or person.keypoints[0, 2] == 0:
        return False
    x, y = np.clip(person.keypoints[0, :2].round().astype(int), 0, np.array(mask.shape[::-1]) - 1)
    return bool(mask[y, x])


def _on_head(person: Person, mask: np.ndarray) -> bool:
    if person.labels is None:
        return False
    head = select(person.labels, ("face", "hair"))
    return bool(head.any() and (mask & head).sum() > 0.5 * head.sum())

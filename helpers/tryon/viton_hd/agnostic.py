"""The person without what they wear above the waist, as VITON-HD's networks are shown them: classes, picture, and what may change.

Convention: parse in CIHP numbering, uint8 (H, W); joints float64 (25, 2), BODY_25 order, x and y in pixels, (0, 0) where not seen.
Brushes are for a picture 1024 high and grow or shrink with it.

Source: Choi et al., "VITON-HD", 2021 (``datasets.py`` of shadow2496/VITON-HD).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from helpers.labels import BODY_25, CIHP, UPPER, select
from helpers.person import Person

GREY = 128
"""Of what may change in the agnostic picture."""
CLASSES = 13
"""Channels of the agnostic parse: background, hair, face, upper, lower, arms, legs, shoes (each left, right), socks, rest."""
_TO_13 = {
    "hat": 1, "hair": 1, "sunglasses": 2, "face": 2, "upper-clothes": 3, "dress": 3, "coat": 3, "pants": 4, "skirt": 4,
    "left-arm": 5, "right-arm": 6, "left-leg": 7, "right-leg": 8, "left-shoe": 9, "right-shoe": 10, "socks": 11,
    "glove": 12, "scarf": 12,
}  # fmt: skip
_PASTED = ("sunglasses", "face", "pants", "skirt", "left-leg", "right-leg", "left-shoe", "right-shoe")
_TALL = 1024
_NECK, _HIPS = BODY_25.index("neck"), (BODY_25.index("right-hip"), BODY_25.index("left-hip"))
_RIGHT = tuple(BODY_25.index(f"right-{joint}") for joint in ("shoulder", "elbow", "wrist"))
_LEFT = tuple(BODY_25.index(f"left-{joint}") for joint in ("shoulder", "elbow", "wrist"))
_TORSO = 1.5
"""Height of a torso in widths of its shoulders, where the hips are not seen."""
_Point = Sequence[float]


def joints_of(person: Person) -> tuple[np.ndarray, tuple[str, ...]]:
    """The joints that were seen, with those put in without which nothing can be drawn, and what is to be said of these.

    Raises ``ValueError`` where neither shoulder, or only one and no neck, was seen.
    """
    assert person.keypoints is not None
    joints = np.where(person.keypoints[:, 2:] > 0, person.keypoints[:, :2], 0.0).astype(np.float64)
    right, left = _RIGHT[0], _LEFT[0]
    seen = person.keypoints[:, 2] > 0
    for shoulder, other in ((right, left), (left, right)):
        if not seen[shoulder]:
            if not (seen[other] and seen[_NECK]):
                raise ValueError(
                    "person: the shoulders were not found, which VITON-HD dresses somebody by. "
                    "Use a photograph that shows the upper body from the front."
                )
            joints[shoulder] = 2 * joints[_NECK] - joints[other]
    if not seen[_NECK]:
        joints[_NECK] = (joints[right] + joints[left]) / 2
    down = np.array([0, _TORSO * np.linalg.norm(joints[left] - joints[right])])
    for (hip, other), (shoulder, opposite) in ((_HIPS, (right, left)), (_HIPS[::-1], (left, right))):
        if not seen[hip]:
            joints[hip] = joints[other] + joints[shoulder] - joints[opposite] if seen[other] else joints[shoulder] + down
    guessed = [BODY_25[joint] for joint in (right, left, _NECK, *_HIPS) if not seen[joint]]
    return joints, (f"Not seen, and guessed from the other joints: {', '.join(guessed)}.",) if guessed else ()


def agnostic_parse(parse: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """``parse`` with upper clothes, neck, and the arms along their joints emptied; hands beyond the wrists' brush are kept."""
    emptied = select(parse, (*UPPER, "torso-skin"))
    unit = 10 * parse.shape[0] / _TALL
    for name, arm, first in (("left-arm", _LEFT, _RIGHT[0]), ("right-arm", _RIGHT, _LEFT[0])):
        pen = _Pen(parse.shape)
        before = joints[first]
        for joint in arm:
            at = joints[joint]
            if before.any() and at.any():
                pen.line([before, at], 10 * unit)
                pen.ellipse(at, *(2 * [4 * unit if joint == arm[-1] else 15 * unit]))
                before = at
        emptied |= pen.drawn() & (parse == CIHP.index(name))
    return np.where(emptied, 0, parse).astype(np.uint8)


def changeable(parse: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """bool (H, W): what of the picture a new upper garment may change, generously: its cut is not to show."""
    joints, unit = joints.copy(), 20 * parse.shape[0] / _TALL
    right, left = joints[_RIGHT[0]], joints[_LEFT[0]]
    hips = joints[list(_HIPS)]
    middle, apart = hips.mean(0), np.linalg.norm(hips[1] - hips[0])
    if apart:  # hips as wide as the shoulders
        joints[list(_HIPS)] = hips = middle + (hips - middle) / apart * np.linalg.norm(left - right)
    pen = _Pen(parse.shape)
    pen.line([right, left], 10 * unit)
    for shoulder in (right, left):
        pen.ellipse(shoulder, 5 * unit, 5 * unit)
    for arm in (_RIGHT, _LEFT):
        for start, end in pairwise(arm):
            if joints[start].any() and joints[end].any():
                pen.line(joints[[start, end]], 10 * unit)
                pen.ellipse(joints[end], 5 * unit, 5 * unit)
    for hip in hips:
        pen.ellipse(hip, 3 * unit, 6 * unit)
    pen.line([right, hips[0]], 6 * unit)
    pen.line([left, hips[1]], 6 * unit)
    pen.line(hips, 12 * unit)
    pen.polygon([right, left, hips[1], hips[0]])
    pen.rectangle(joints[_NECK], 7 * unit)
    return pen.drawn() & ~select(parse, _PASTED)


def agnostic_picture(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): ``image``, grey where ``mask`` says that it may change."""
    return np.where(mask[..., None], np.uint8(GREY), image)


def in_13_classes(parse: np.ndarray) -> np.ndarray:
    """uint8 (H, W): ``parse`` in the classes of :data:`CLASSES`; neck is background, as it is emptied anyway."""
    table = np.zeros(256, np.uint8)
    for name, number in _TO_13.items():
        table[CIHP.index(name)] = number
    return table[parse]


class _Pen:
    """Shapes by Pillow, whose wide lines the networks were trained with."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._picture = Image.new("L", (shape[1], shape[0]))
        self._draw = ImageDraw.Draw(self._picture)

    def drawn(self) -> np.ndarray:
        """bool (H, W)."""
        return np.asarray(self._picture) > 0

    def line(self, ends: Sequence[_Point] | np.ndarray, width: float) -> None:
        self._draw.line([tuple(end) for end in ends], 255, round(width))

    def ellipse(self, middle: _Point, across: float, down: float) -> None:
        x, y = middle
        self._draw.ellipse((x - across, y - down, x + across, y + down), 255)

    def rectangle(self, middle: _Point, reach: float) -> None:
        x, y = middle
        self._draw.rectangle((x - reach, y - reach, x + reach, y + reach), 255)

    def polygon(self, corners: Sequence[_Point]) -> None:
        self._draw.polygon([tuple(corner) for corner in corners], 255, 255)

"""A person without what they wear above the waist, as HR-VITON's networks are shown them.

Convention: parse in CIHP numbering, uint8 (H, W); joints float64 (25, 2), BODY_25 order, x and y in pixels, (0, 0) where not seen. The
parse's brushes are for a picture 1024 high and grow or shrink with it; the picture's follow the width of the shoulders.

Source: Lee et al., "HR-VITON", 2022 (``get_parse_agnostic.py`` and ``cp_dataset_test.py`` of sangyun884/HR-VITON). VITON-HD's picture is
masked otherwise, a third more widely: each network wants its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from helpers.labels import BODY_25, CIHP, UPPER, select

GREY, CLOTH_GROUND = 128, 246
"""Of what may change in the agnostic picture, and around the garments that the networks were trained on."""
CLASSES = (
    ("background", "torso-skin"), ("hat", "hair"), ("sunglasses", "face"), UPPER, ("pants", "skirt"), ("left-arm",), ("right-arm",),
    ("left-leg",), ("right-leg",), ("left-shoe",), ("right-shoe",), ("socks",), ("glove", "scarf"),
)  # fmt: skip
"""The 13 parts of a person that the networks tell apart, by the classes in each."""
_KEPT = ("sunglasses", "face", "pants", "skirt", "left-leg", "right-leg", "left-shoe", "right-shoe")
_TALL = 1024
_NECK = BODY_25.index("neck")
_RIGHT, _LEFT = (
    tuple(BODY_25.index(f"{side}-{joint}") for joint in ("shoulder", "elbow", "wrist")) for side in ("right", "left")
)
_HIPS = (BODY_25.index("right-hip"), BODY_25.index("left-hip"))
_ARMS = (("left-arm", _LEFT, _RIGHT[0]), ("right-arm", _RIGHT, _LEFT[0]))
_TORSO = 1.5
"""Height of a torso in widths of its shoulders, where hips are not seen."""


def seen_joints(keypoints: np.ndarray) -> np.ndarray:
    """The joints of (25, 3) x, y, confidence as the functions here take them."""
    return np.where(keypoints[:, 2:] > 0, keypoints[:, :2], 0.0).astype(np.float64)


def completed(joints: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """``joints`` with shoulders, neck and hips that were not seen put where they should be, and the names of these.

    The published code draws them to the corner of the picture instead. Raises ``ValueError`` where one shoulder and the neck, or both
    shoulders, are not known.
    """
    joints, seen = joints.copy(), (joints != 0).any(1)
    right, left = _RIGHT[0], _LEFT[0]
    for shoulder, other in ((right, left), (left, right)):
        if not seen[shoulder]:
            if not (seen[other] and seen[_NECK]):
                raise ValueError(
                    "person: no shoulders were found, from which HR-VITON tells what may change. Use a photograph that shows the upper "
                    "body from the front, or a Person with keypoints."
                )
            joints[shoulder] = 2 * joints[_NECK] - joints[other]
    if not seen[_NECK]:
        joints[_NECK] = (joints[right] + joints[left]) / 2
    across = joints[left] - joints[right]
    down = np.array([0, _TORSO * np.hypot(*across)])
    for hip, other, shoulder, aside in ((*_HIPS, right, -across), (*_HIPS[::-1], left, across)):
        if not seen[hip]:
            joints[hip] = joints[other] + aside if seen[other] else joints[shoulder] + down
    return joints, tuple(BODY_25[i] for i in (right, left, _NECK, *_HIPS) if not seen[i])


def agnostic_parse(parse: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """``parse`` without upper clothes, neck, and the arms along their joints; hands beyond the wrists' brush stay."""
    emptied = select(parse, (*UPPER, "torso-skin"))
    unit = 10 * parse.shape[0] / _TALL
    for name, arm, first in _ARMS:
        pen = _Pen(parse.shape)
        before = joints[first]
        for joint in arm:
            if before.any() and joints[joint].any():
                pen.line([before, joints[joint]], 10 * unit)
                reach = 4 * unit if joint == arm[-1] else 15 * unit
                pen.ellipse(joints[joint], reach, reach)
                before = joints[joint]
        emptied |= pen.drawn() & (parse == CIHP.index(name))
    return np.where(emptied, 0, parse).astype(np.uint8)


def changeable(parse: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """bool (H, W): what of the picture a new upper garment may change."""
    joints = joints.copy()
    right, left = joints[_RIGHT[0]], joints[_LEFT[0]]
    wide = float(np.linalg.norm(left - right))
    hips = joints[list(_HIPS)]
    middle, apart = hips.mean(0), np.linalg.norm(hips[1] - hips[0])
    if apart:  # hips as wide as the shoulders
        hips = middle + (hips - middle) / apart * wide
    unit = int(wide / 16) + 1
    pen = _Pen(parse.shape)
    for hip in hips:
        pen.ellipse(hip, 3 * unit, 6 * unit)
    pen.line([right, hips[0]], 6 * unit)
    pen.line([left, hips[1]], 6 * unit)
    pen.line(hips, 12 * unit)
    pen.polygon([right, left, hips[1], hips[0]])
    x, y = joints[_NECK]
    pen.rectangle((x - 5 * unit, y - 9 * unit, x + 5 * unit, y))
    pen.line([right, left], 12 * unit)
    drawn = pen.drawn()
    for name, arm, _ in _ARMS:
        pen, brush = _Pen(parse.shape), _Pen(parse.shape)  # what is masked of the arm, and where even its skin is
        last = joints[arm[0]]
        for each in (pen, brush):
            each.ellipse(last, 5 * unit, 6 * unit)
        for before, joint in pairwise(arm):
            if joints[before].any() and joints[joint].any():
                last = joints[joint]
                for each in (pen, brush):
                    each.line(joints[[before, joint]], 10 * unit)
                pen.ellipse(last, 5 * unit, 5 * unit)
                if joint != arm[-1]:
                    brush.ellipse(last, 5 * unit, 5 * unit)
        brush.ellipse(last, 4 * unit, 4 * unit)
        drawn |= pen.drawn()
        drawn &= brush.drawn() | (parse != CIHP.index(name))
    return drawn & ~select(parse, _KEPT)


def agnostic_picture(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): ``image``, grey where ``mask`` says that it may change."""
    return np.where(mask[..., None], np.uint8(GREY), image)


def in_13_parts(parse: np.ndarray) -> np.ndarray:
    """float32 (13, H, W), one-hot: ``parse`` in the parts of :data:`CLASSES`."""
    return np.stack([select(parse, names) for names in CLASSES]).astype(np.float32)


class _Pen:
    """Shapes as Pillow draws them, which the networks were trained with."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._picture = Image.new("L", (shape[1], shape[0]))
        self._draw = ImageDraw.Draw(self._picture)

    def drawn(self) -> np.ndarray:
        """bool (H, W)."""
        return np.asarray(self._picture) > 0

    def line(self, ends: Sequence[np.ndarray] | np.ndarray, width: float) -> None:
        self._draw.line([tuple(end) for end in ends], 255, round(width))

    def ellipse(self, middle: np.ndarray, across: float, down: float) -> None:
        x, y = middle
        self._draw.ellipse((x - across, y - down, x + across, y + down), 255, 255)

    def rectangle(self, box: tuple[float, float, float, float]) -> None:
        self._draw.rectangle(box, 255, 255)

    def polygon(self, corners: Sequence[np.ndarray]) -> None:
        self._draw.polygon([tuple(corner) for corner in corners], 255, 255)

"""A person without what they wear above the waist, as far as VITON-HD and HR-VITON see them alike: joints, classes, and brushes.

Convention: parse in CIHP numbering, uint8 (H, W); joints float64 (25, 2), BODY_25 order, x and y in pixels, (0, 0) where not seen. The
parse's brushes are for a picture 1024 high and grow or shrink with it. What of the picture may change is each network's own
(``viton_hd.agnostic``, ``hr_viton.agnostic``): the two do not go with each other's weights.

Source: Choi et al., "VITON-HD", 2021 (``datasets.py`` of shadow2496/VITON-HD), and alike
in sangyun884/HR-VITON's ``get_parse_agnostic.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from helpers.labels import BODY_25, CIHP, UPPER, select

GREY = 128
"""Of what may change in the agnostic picture."""
PARTS = (
    ("background", "torso-skin"), ("hat", "hair"), ("sunglasses", "face"), UPPER, ("pants", "skirt"), ("left-arm",), ("right-arm",),
    ("left-leg",), ("right-leg",), ("left-shoe",), ("right-shoe",), ("socks",), ("glove", "scarf"),
)  # fmt: skip
"""The 13 parts of a person that the networks tell apart, by the classes in each; neck is background, as it is emptied anyway."""
KEPT = ("sunglasses", "face", "pants", "skirt", "left-leg", "right-leg", "left-shoe", "right-shoe")
"""What is pasted back into the agnostic picture."""
NECK, HIPS = BODY_25.index("neck"), (BODY_25.index("right-hip"), BODY_25.index("left-hip"))
RIGHT, LEFT = (
    tuple(BODY_25.index(f"{side}-{joint}") for joint in ("shoulder", "elbow", "wrist")) for side in ("right", "left")
)
"""The joints of the arms from the shoulder down."""
_TALL = 1024
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
    right, left = RIGHT[0], LEFT[0]
    for shoulder, other in ((right, left), (left, right)):
        if not seen[shoulder]:
            if not (seen[other] and seen[NECK]):
                raise ValueError(
                    "person: no shoulders were found, from which it is told what may change. Use a photograph that shows the upper "
                    "body from the front, or a Person with keypoints."
                )
            joints[shoulder] = 2 * joints[NECK] - joints[other]
    if not seen[NECK]:
        joints[NECK] = (joints[right] + joints[left]) / 2
    across = joints[left] - joints[right]
    down = np.array([0, _TORSO * np.hypot(*across)])
    for hip, other, shoulder, aside in ((*HIPS, right, -across), (*HIPS[::-1], left, across)):
        if not seen[hip]:
            joints[hip] = joints[other] + aside if seen[other] else joints[shoulder] + down
    return joints, tuple(BODY_25[i] for i in (right, left, NECK, *HIPS) if not seen[i])


def told(guessed: Sequence[str]) -> tuple[str, ...]:
    """What is to be said of joints that :func:`completed` put in, by their names."""
    return (f"Not seen, and guessed from the other joints: {', '.join(guessed)}.",) if guessed else ()


def agnostic_parse(parse: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """``parse`` without upper clothes, neck, and the arms along their joints; hands beyond the wrists' brush stay."""
    emptied = select(parse, (*UPPER, "torso-skin"))
    unit = 10 * parse.shape[0] / _TALL
    for name, arm, first in (("left-arm", LEFT, RIGHT[0]), ("right-arm", RIGHT, LEFT[0])):
        pen = Pen(parse.shape)
        before = joints[first]
        for joint in arm:
            if before.any() and joints[joint].any():
                pen.line([before, joints[joint]], 10 * unit)
                reach = 4 * unit if joint == arm[-1] else 15 * unit
                pen.ellipse(joints[joint], reach, reach)
                before = joints[joint]
        emptied |= pen.drawn() & (parse == CIHP.index(name))
    return np.where(emptied, 0, parse).astype(np.uint8)


def agnostic_picture(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): ``image``, grey where ``mask`` says that it may change."""
    return np.where(mask[..., None], np.uint8(GREY), image)


def in_13_parts(parse: np.ndarray) -> np.ndarray:
    """float32 (13, H, W), one-hot: ``parse`` in the parts of :data:`PARTS`."""
    return np.stack([select(parse, names) for names in PARTS]).astype(np.float32)


def hips_as_wide(joints: np.ndarray) -> np.ndarray:
    """(2, 2), the right and the left hip, moved apart until they are as far from each other as the shoulders."""
    hips = joints[list(HIPS)]
    middle, apart = hips.mean(0), np.linalg.norm(hips[1] - hips[0])
    return middle + (hips - middle) / apart * np.linalg.norm(joints[LEFT[0]] - joints[RIGHT[0]]) if apart else hips


class Pen:
    """Shapes as Pillow draws them, which the networks were trained with."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._picture = Image.new("L", (shape[1], shape[0]))
        self._draw = ImageDraw.Draw(self._picture)

    def drawn(self) -> np.ndarray:
        """bool (H, W)."""
        return np.asarray(self._picture) > 0

    def trunk(self, joints: np.ndarray, hips: np.ndarray, unit: float) -> None:
        """What lies between the shoulders and the ``hips`` (2, 2), with a margin of some brushes of ``unit`` pixels."""
        right, left = joints[RIGHT[0]], joints[LEFT[0]]
        for hip in hips:
            self.ellipse(hip, 3 * unit, 6 * unit)
        self.line([right, hips[0]], 6 * unit)
        self.line([left, hips[1]], 6 * unit)
        self.line(hips, 12 * unit)
        self.polygon([right, left, hips[1], hips[0]])

    def line(self, ends: Sequence[np.ndarray] | np.ndarray, width: float) -> None:
        self._draw.line([tuple(end) for end in ends], 255, round(width))

    def ellipse(self, middle: np.ndarray, across: float, down: float) -> None:
        x, y = middle
        self._draw.ellipse((x - across, y - down, x + across, y + down), 255, 255)

    def rectangle(self, box: tuple[float, float, float, float]) -> None:
        self._draw.rectangle(box, 255, 255)

    def polygon(self, corners: Sequence[np.ndarray]) -> None:
        self._draw.polygon([tuple(corner) for corner in corners], 255, 255)

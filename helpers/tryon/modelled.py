"""A garment in its picture, also where somebody wears it there: then it is cut out of that photograph, or refused by name.

Somebody is told by a face on top of the figure or by hands; a pose alone is no sign, because a flat garment has shoulders and arms too.
"""

from __future__ import annotations

import cv2
import numpy as np

from helpers import annotate, weights
from helpers.faces import find_face
from helpers.garment import Garment
from helpers.labels import PARTS, select
from helpers.person import Person
from helpers.tryon.backdrop import garment_mask, solid_with_holes

CUT_OUT = "The garment's picture shows a person wearing it; it was cut out of that photograph."
"""What is said of a garment for which :func:`cut_out` gave a mask."""
_WORKING = 384 * 512
_SURE = 0.9  # presence of a face or a hand: of 150 flat garments the most is 0.87, of people the least 0.96
_ROOM = (
    (0.0, 0.0),
    (0.2, 0.1),
    (0.3, 0.0),
)  # of the height above, of the width beside: bodies are looked for from the head down
_HAND, _FACE = 0.3, 0.4  # of the middle of one, how much has a colour of skin at least
_SMALLEST = 0.02  # of the picture's longer side: the middle of a hand
_IN_FRONT = 0.04  # share of the garment that arms, hands and hair may hide


def cut_out(garment: Garment) -> np.ndarray | None:
    """bool (H, W), the garment where somebody wears it in its picture; ``None`` where it lies flat, or has a mask already.

    Raises ``ValueError`` naming ``garment`` where somebody wears it and it cannot be cut out: no face is seen that tells where cloth ends,
    they are seen from behind, the garment is hidden in part or runs out of the picture, or MediaPipe's networks are not here.
    """
    if garment.mask is not None:
        return None
    try:
        seen = _somebody(garment.image)
    except (weights.Missing, ImportError):
        face = _by_patterns(garment.image)
        if face is not None and _on_top(garment.image, face):
            raise _refusal("nothing here tells cloth from skin (python -m helpers weights fetch mediapipe)") from None
        return None
    return None if seen is None else _worn(seen, garment.category)


def _refusal(why: str) -> ValueError:
    return ValueError(
        f"garment: its picture shows a person wearing it, and {why}; face and arms would be printed on the cloth. Use a photograph of the "
        "garment alone, laid flat or on a hanger, or pass Garment(mask=...) with the garment's mask from clicks."
    )


def _somebody(image: np.ndarray) -> Person | None:
    """Who is in ``image``, uint8 (H, W, 3), where a face on top of the figure or a hand shows that it is somebody; without keypoints where
    the head is cut off."""
    if _most_skin(image) < _HAND:
        return None
    for high, wide in _ROOM:
        above, beside = round(high * image.shape[0]), round(wide * image.shape[1])
        picture = cv2.copyMakeBorder(image, above, 0, beside, beside, cv2.BORDER_REPLICATE) if above else image
        try:
            seen = annotate(picture, needs=("hands",) if above else ("keypoints", "face", "hands"))
        except weights.Damaged:
            raise
        except ValueError:  # nobody
            continue
        if not above and seen.face is not None and seen.face[0, 2] > _SURE and _on_top(image, seen.face[:, :2]):
            return seen
        hands = () if seen.hands is None else seen.hands
        if any(hand[0, 2] > _SURE and _skin(_within(picture, hand[:, :2])) > _HAND for hand in hands):
            return Person(image)
    return None


def _worn(seen: Person, category: str) -> np.ndarray:
    """bool (H, W): the garment of ``category`` on somebody whose face tells where everything is."""
    joints = seen.keypoints
    if joints is None:
        raise _refusal("the head is cut off or turned away, so that it is not known where cloth ends and skin begins")
    if joints[2, 2] > 0 and joints[5, 2] > 0 and joints[5, 0] < joints[2, 0]:
        raise _refusal("it is seen from behind")
    known = annotate(seen, needs=("labels",))
    assert known.labels is not None
    worn = solid_with_holes(select(known.labels, PARTS[category]))
    if worn.mean() < 0.02:
        raise _refusal(f"no garment of category {category!r} is recognised on them")
    outlines, _ = cv2.findContours(worn.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(max(outlines, key=cv2.contourArea))
    trunk = cv2.fillPoly(np.zeros(worn.shape, np.uint8), [hull], 1) > 0
    trunk &= worn.sum(0) > 0.6 * worn.any(1).sum()
    if worn[-1].sum() > 0.3 * worn.any(0).sum():
        raise _refusal("it runs out of the picture below")
    before = select(known.labels, (*PARTS["arms"], *PARTS["hair"]))
    if (before & trunk).sum() > _IN_FRONT * worn.sum():
        raise _refusal("an arm, a hand or hair hides a part of it")
    return worn


def _by_patterns(image: np.ndarray) -> np.ndarray | None:
    """(2, 2) two corners of a face in ``image``, found without a network."""
    scale = min(1.0, float(np.sqrt(_WORKING / (image.shape[0] * image.shape[1]))))
    found = find_face(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    if found is None:
        return None
    x, y, wide = (value / scale for value in found)
    return np.array([[x - wide / 2.4, y - wide / 2], [x + wide / 2.4, y + wide / 2]])


def _on_top(image: np.ndarray, face: np.ndarray) -> bool:
    """Whether the points of a ``face`` (n, 2) sit on top of the figure: one printed on a chest has cloth over it and beside it, and is
    mostly of another colour than skin."""
    if _skin(_within(image, face)) < _FACE:
        return False
    try:
        figure = garment_mask(image)
    except ValueError:  # no backdrop is seen, which leaves the skin
        return True
    (left, top), (right, bottom) = face.min(0), face.max(0)
    wide = 1.2 * max(right - left, 1.0)
    x, y = np.clip(((left + right) / 2, (top + bottom) / 2), 0, np.array(figure.shape[::-1]) - 1).astype(int)
    column = np.nonzero(figure[:, x])[0]
    free = column.size == 0 or y - column.min() < 1.3 * wide
    return bool(free and figure[y].sum() < 3.2 * wide)


def _within(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The part of ``image`` that lies in the middle of ``points`` (n, 2)."""
    middle, half = (points.max(0) + points.min(0)) / 2, np.ptp(points, axis=0) / 3
    x0, y0 = np.maximum(middle - half, 0).astype(int)
    x1, y1 = np.maximum(middle + half, 0).astype(int) + 1
    return image[y0:y1, x0:x1]


def _most_skin(image: np.ndarray) -> float:
    """The share that has a colour of skin where there is most of it, of a place as large as the smallest hand: without any, no network need
    look for somebody."""
    height, width = image.shape[:2]
    step = max(1, max(height, width) // 1024)
    size = max(3, round(_SMALLEST * max(height, width) / step))
    return float(cv2.blur(_skin_coloured(image[::step, ::step]).astype(np.float32), (size, size)).max())


def _skin(patch: np.ndarray) -> float:
    """The share of ``patch``, uint8 (h, w, 3), that has a colour of skin."""
    return float(_skin_coloured(patch).mean()) if patch.size else 0.0


def _skin_coloured(patch: np.ndarray) -> np.ndarray:
    """bool (h, w): which pixels of ``patch``, uint8 (h, w, 3), have a colour of skin."""
    lab = cv2.cvtColor(patch.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    a, b = lab[..., 1], lab[..., 2]
    square = a * a + b * b
    return (b > np.tan(np.radians(10)) * a) & (a > 0) & (b < np.tan(np.radians(85)) * a) & (square > 5**2) & (square < 55**2)

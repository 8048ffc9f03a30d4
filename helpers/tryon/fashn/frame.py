"""Pictures as FASHN VTON sees them, and its own picture back: fitted, centred on black, the skeleton drawn in greys.

Source: ``preprocessing/transforms.py`` and ``dwpose`` of fashn-AI/fashn-vton-1.5 (Apache-2.0), whose drawing is DWPose's
(IDEA-Research/DWPose, Apache-2.0).

Convention: pictures uint8 (H, W, 3) RGB or (H, W) grey; sizes (width, height).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

SIZE = (576, 864)
GREY = 127
"""What lies around a garment that was cut out of a photograph."""
_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0), (0, 14),
    (14, 16), (0, 15), (15, 17),
)  # fmt: skip
_FINGERS = tuple((0 if joint == 0 else 4 * finger + joint, 4 * finger + joint + 1) for finger in range(5) for joint in range(4))
_LIMB_GREYS = np.linspace(20, 240, 18).astype(np.uint8).tolist()
_FINGER_GREYS = np.linspace(160, 220, len(_FINGERS)).astype(np.uint8).tolist()
_STICK, _DOT, _LINE, _DIM = 4, 4, 2, 0.6
_FINGER_DOT, _FACE_DOT, _FACE_RADIUS = 240, 200, 3


def looked_at(image: np.ndarray, longest: int = max(SIZE)) -> np.ndarray:
    """``image`` with ``longest`` pixels along its longer side at most, at which its poses are found."""
    height, width = image.shape[:2]
    scale = min(longest / width, longest / height)
    if scale >= 1:
        return image
    size = (max(1, int(scale * width)), max(1, int(scale * height)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


@dataclass(frozen=True)
class Place:
    """Where a picture lies in the frame: left, top, width and height."""

    left: int
    top: int
    width: int
    height: int

    def of(self, framed: np.ndarray) -> np.ndarray:
        """What of a picture of the frame shows the photograph."""
        return framed[self.top : self.top + self.height, self.left : self.left + self.width]


def framed(image: np.ndarray, size: tuple[int, int] = SIZE, *, drawn: bool = False) -> tuple[np.ndarray, Place]:
    """``image`` as large as fits into ``size``, in the middle, black around it; and where it lies there.

    drawn: a drawing, whose greys must not be mixed
    """
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    if scale != 1:
        inside = (max(1, int(scale * width)), max(1, int(scale * height)))
        smooth = cv2.INTER_LANCZOS4 if scale > 1 else cv2.INTER_AREA
        image = cv2.resize(image, inside, interpolation=cv2.INTER_NEAREST_EXACT if drawn else smooth)
    height, width = image.shape[:2]
    place = Place((size[0] - width) // 2, (size[1] - height) // 2, width, height)
    out = np.zeros((size[1], size[0], *image.shape[2:]), np.uint8)
    place.of(out)[:] = image
    return out, place


def skeleton_picture(points: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """uint8 (H, W): body, hands and face in greys on black; black where ``points`` is ``None``, as for a garment that lies flat.

    points: float (134, 3), x and y as shares of the picture's width and height, and 1 where seen, else 0: 18 joints of the body
            (COCO-18), 6 of the feet, which are not drawn, 68 of the face, 21 of each hand
    """
    width, height = size
    canvas = np.zeros((height, width), np.uint8)
    if points is None:
        return canvas
    places = (points[:, :2] * (width, height)).astype(int)
    places[points[:, 2] == 0] = -1
    seen = points[:, 2] > 0
    _draw_body(canvas, places[:18], seen[:18])
    # what lies on the picture's first row or column, or outside it, is left out of hands and face
    inside = seen & (places > 0).all(1)
    for hand in (slice(92, 113), slice(113, 134)):
        _draw_hand(canvas, places[hand], inside[hand])
    for x, y in places[24:92][inside[24:92]].tolist():
        cv2.circle(canvas, (x, y), _FACE_RADIUS, _FACE_DOT, -1)
    return canvas


def _draw_body(canvas: np.ndarray, places: np.ndarray, seen: np.ndarray) -> None:
    limbs = np.zeros_like(canvas)
    greys: dict[int, int] = {}
    for grey, (a, b) in zip(_LIMB_GREYS, _LIMBS, strict=False):
        greys.setdefault(a, grey)
        greys.setdefault(b, grey)
        if not (seen[a] and seen[b]):
            continue
        (xa, ya), (xb, yb) = places[a].tolist(), places[b].tolist()
        angle = int(math.degrees(math.atan2(ya - yb, xa - xb)))
        centre, length = ((xa + xb) // 2, (ya + yb) // 2), int(math.hypot(xa - xb, ya - yb))
        cv2.fillConvexPoly(limbs, cv2.ellipse2Poly(centre, (length // 2, _STICK), angle, 0, 360, 1), grey)
    np.maximum(canvas, (limbs * _DIM).astype(np.uint8), out=canvas)
    for joint in range(len(places)):
        if seen[joint]:
            cv2.circle(canvas, places[joint].tolist(), _DOT, min(255, int(greys[joint] * 1.3)), -1)


def _draw_hand(canvas: np.ndarray, places: np.ndarray, seen: np.ndarray) -> None:
    for grey, (a, b) in zip(_FINGER_GREYS, _FINGERS, strict=True):
        if seen[a] and seen[b]:
            cv2.line(canvas, places[a].tolist(), places[b].tolist(), grey, _LINE)
    for x, y in places[seen].tolist():
        cv2.circle(canvas, (x, y), _DOT, _FINGER_DOT, -1)

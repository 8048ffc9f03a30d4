"""MediaPipe's networks for people: where they are, 33 landmarks, a soft mask, hands and a face; on any CPU, in hundredths of a second.

Published by Google (Apache-2.0) inside the ``mediapipe`` package: BlazePose detector and GHUM landmarks ("BlazePose: On-device Real-time
Body Pose Tracking", 2020), hand and face landmarks, selfie segmentation. The networks run in LiteRT; what stands around them, anchors,
regions, refining, is here.

Convention: pictures uint8 (H, W, 3) RGB; points x, y in pixels of the photograph, pixel centres at whole numbers plus a half.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from scipy.special import expit

from helpers import weights

POINTS = 33
"""Landmarks of a body, in MediaPipe's order: 0 nose, 11 and 12 shoulders (left first), 13 14 elbows, 15 16 wrists, 17 to 22 hands,
23 24 hips, 25 26 knees, 27 28 ankles, 29 to 32 feet."""
_LOOK = 1600  # longer side at which a photograph is looked at: no crop is sharper than its network
_MAYBE = 0.3  # detector's score from which the landmark network has a look
_FOUND = 0.5  # presence from which something counts as there
_SAME = 0.3  # overlap from which two boxes mean one person
_NOT = -20.0  # logit of what cannot be
_MOST = 0.5  # share of the picture from which somebody is what it shows
_PEAK = 0.5  # of a heat map, from which it moves its landmark


# ------------------------------------------------------------------------------------------------------------ networks


@contextmanager
def _silent() -> Iterator[None]:
    """Nothing of what is said below Python arrives: LiteRT tells each time that it has begun, which a notebook shows as an error."""
    try:
        kept = os.dup(2)
    except OSError:  # nobody listens
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class _Network:
    """One ``.tflite`` file; arrays in, arrays out. Calls from several threads take turns."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        with _silent():
            self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=1)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]
        self._alone = Lock()

    def __call__(self, picture: np.ndarray) -> list[np.ndarray]:
        """float32 (h, w, 3) -> the outputs in the file's own order, without the batch."""
        with self._alone:
            self._interpreter.set_tensor(self._input, picture[None].astype(np.float32))
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index)[0].copy() for index in self._outputs]


@cache
def _network(name: str, folder: str) -> _Network:
    return _Network(weights.require(f"mediapipe/{name}.tflite"))


def forget() -> None:
    """Free the networks."""
    _network.cache_clear()


def _run(name: str, picture: np.ndarray) -> list[np.ndarray]:
    return _network(name, str(weights.folder()))(picture)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Logits as chances 0..1."""
    return expit(values.astype(np.float64)).astype(np.float32)


# ------------------------------------------------------------------------------------------------------------- regions


@dataclass(frozen=True)
class Look:
    """A photograph as the networks look at it: uint8 (h, w, 3), reduced by ``scale`` (at most 1), and its own ``size`` (width, height)."""

    picture: np.ndarray
    scale: float
    size: tuple[int, int]

    @classmethod
    def at(cls, image: np.ndarray, longest: int = _LOOK, size: tuple[int, int] | None = None) -> Look:
        """``image``, uint8 (H, W, 3), with ``longest`` pixels along its longer side at most; ``size``: the photograph's if another."""
        height, width = image.shape[:2]
        scale = min(1.0, longest / max(height, width))
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = image if scale == 1 else cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        size = size or (width, height)
        return cls(picture, scale * max(height, width) / max(size), size)


@dataclass(frozen=True)
class Region:
    """A turned square of a photograph: centre (x, y) and side in pixels; ``angle`` in radians, 0 upright, turning clockwise."""

    x: float
    y: float
    side: float
    angle: float = 0.0

    def matrix(self, size: int) -> np.ndarray:
        """(2, 3): from pixels of the photograph to those of a ``size`` x ``size`` crop."""
        cos, sin, scale = math.cos(self.angle), math.sin(self.angle), size / self.side
        turn = np.array([[cos, sin], [-sin, cos]]) * scale
        return np.column_stack([turn, size / 2 - turn @ (self.x, self.y)])

    def crop(self, look: Look, size: int) -> np.ndarray:
        """float32 (size, size, 3) of 0..1, black outside the photograph."""
        matrix = self.matrix(size) @ np.diag([1 / look.scale, 1 / look.scale, 1])
        return _warp(look.picture, matrix, (size, size)).astype(np.float32) / 255

    def out(self, points: np.ndarray, size: int) -> np.ndarray:
        """Points (N, 2) of a ``size`` crop in the photograph."""
        back = cv2.invertAffineTransform(self.matrix(size))
        return points @ back[:, :2].T + back[:, 2]


def _warp(picture: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``picture`` by ``matrix`` between pixel edges, bilinear, black outside; reduced first where the crop is much smaller."""
    shrink = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if shrink < 0.5:
        small = (max(1, round(picture.shape[1] * shrink)), max(1, round(picture.shape[0] * shrink)))
        factors = small[0] / picture.shape[1], small[1] / picture.shape[0]
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([1 / factors[0], 1 / factors[1], 1])
    return cv2.warpAffine(picture, _between_centres(matrix), size, flags=cv2.INTER_LINEAR)


def _between_centres(matrix: np.ndarray) -> np.ndarray:
    """OpenCV counts from the centre of the first pixel, this file from its edge."""
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return moved


# ------------------------------------------------------------------------------------------------------------ detector


@dataclass(frozen=True)
class Detection:
    """Somebody, roughly: score 0..1, box (x0, y0, x1, y1) of the face and chest, middle of the hips, and a point on the circle round
    the whole body, in pixels."""

    score: float
    box: np.ndarray
    hips: np.ndarray
    circle: np.ndarray

    @property
    def region(self) -> Region:
        """The square that holds the body upright."""
        return _body_region(self.hips, self.circle)


def _body_region(hips: np.ndarray, circle: np.ndarray) -> Region:
    x, y = circle - hips
    return Region(float(hips[0]), float(hips[1]), float(2.5 * np.hypot(x, y)), math.atan2(x, -y))


@cache
def _anchors() -> np.ndarray:
    """(2254, 2): centres 0..1, two a cell for strides 8, 16 and six for 32, whose three layers share a grid."""
    centres = []
    for stride, count in ((8, 2), (16, 2), (32, 6)):
        cells = 224 // stride
        y, x = np.indices((cells, cells)).reshape(2, -1)
        centres.append(np.repeat((np.column_stack([x, y]) + 0.5) / cells, count, axis=0))
    return np.concatenate(centres)


def detect(look: Look) -> list[Detection]:
    """Everybody in the picture, surest first; not all of them need be people (``Body.score`` tells)."""
    width, height = look.size
    return _detections(_detected(look, Region(width / 2, height / 2, max(width, height))))


def detect_small(look: Look) -> list[Detection]:
    """As :func:`detect`, part by part: who is small in the picture is seen in no other way, and parts of a larger one may be seen too."""
    width, height = look.size
    look = Look.at(look.picture, round(224 / 0.6), look.size)  # as sharp as the network sees it, once for all
    tiles = [(x * width, y * height) for x in (0.3, 0.7) for y in (0.3, 0.7)] + [(width / 2, height / 2)]
    return _detections(np.concatenate([_detected(look, Region(x, y, 0.6 * max(width, height))) for x, y in tiles]))


def _detections(rows: np.ndarray) -> list[Detection]:
    return [Detection(score, row[:4], row[4:6], row[6:8]) for score, row in _blended(rows[:, 0], rows[:, 1:])]


def _detected(look: Look, region: Region) -> np.ndarray:
    """(N, 9): score, box, hips, circle, in pixels, for every anchor of ``region``, an upright one, that may have seen somebody."""
    raw, logits = _run("pose_detection", region.crop(look, 224) * 2 - 1)
    scores = sigmoid(logits[:, 0])
    keep = scores > _MAYBE
    values = raw[keep].reshape(-1, 6, 2) / 224  # centre, extent, four keypoints
    values[:, [0, 2, 3, 4, 5]] += _anchors()[keep][:, None]
    centre, half = values[:, 0], values[:, 1] / 2
    rows = np.concatenate([centre - half, centre + half, values[:, 2], values[:, 3]], axis=1) * region.side
    corner = np.array([region.x, region.y]) - region.side / 2
    return np.column_stack([scores[keep], rows + np.tile(corner, 4)]).astype(np.float64)


def _blended(scores: np.ndarray, rows: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Overlapping rows (box first) as one, each weighted by its score; surest first."""
    left, found = list(np.argsort(-scores, kind="stable")), []
    while left:
        same = [i for i in left if _overlap(rows[left[0], :4], rows[i, :4]) > _SAME] or left[:1]
        found.append((float(scores[left[0]]), np.average(rows[same], axis=0, weights=scores[same])))
        left = [i for i in left if i not in same]
    return found


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    return shared / max(float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - shared, 1e-9)


# ---------------------------------------------------------------------------------------------------------------- body


@dataclass(frozen=True)
class Body:
    """What the landmark network sees of one person.

    points:     float32 (33, 2), x, y in pixels, also outside the picture
    visibility: float32 (33,), 0..1: in the picture and not hidden
    presence:   float32 (33,), 0..1: in the picture
    metres:     float32 (33, 3), x right, y down, z away from the camera, from the middle of the hips
    score:      0..1, that somebody is there
    region:     where the network looked
    logits:     float32 (256, 256) over that region, above 0 on the person
    next:       where a second look would be from these landmarks
    """

    points: np.ndarray
    visibility: np.ndarray
    presence: np.ndarray
    metres: np.ndarray
    score: float
    region: Region
    logits: np.ndarray
    next: Region

    def seen(self, look: Look) -> np.ndarray:
        """:attr:`logits` laid over the whole look, float32 (h, w); far below 0 where the network did not look."""
        back = np.diag([look.scale, look.scale]) @ cv2.invertAffineTransform(self.region.matrix(256))
        size = look.picture.shape[1::-1]
        return cv2.warpAffine(
            self.logits, _between_centres(back), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=_NOT
        )


def body(look: Look, region: Region) -> Body:
    """The landmarks of whom ``region`` is around."""
    raw, there, logits, heat, metric = _run("pose_landmark_full", region.crop(look, 256))
    rows = raw.reshape(39, 5)
    points = _refined(rows[:, :2].astype(float), heat)
    placed = region.out(points, 256)
    metres = metric.reshape(39, 3)[:POINTS].astype(float)
    cos, sin = math.cos(region.angle), math.sin(region.angle)
    metres[:, :2] = metres[:, :2] @ np.array([[cos, sin], [-sin, cos]])
    return Body(
        points=placed[:POINTS].astype(np.float32),
        visibility=sigmoid(rows[:POINTS, 3]).astype(np.float32),
        presence=sigmoid(rows[:POINTS, 4]).astype(np.float32),
        metres=metres.astype(np.float32),
        score=float(there[0]),
        region=region,
        logits=logits[..., 0],
        next=_body_region(placed[33], placed[34]),
    )


def _refined(points: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Landmarks of the 256 crop moved to the centre of mass of their heat maps (64, 64, 39), where those have a peak nearby."""
    chances = sigmoid(heat)
    moved = points.copy()
    for index, (x, y) in enumerate(points / 4):
        column, row = int(x), int(y)
        if not (0 <= column < 64 and 0 <= row < 64):
            continue
        window = slice(max(0, row - 3), row + 4), slice(max(0, column - 3), column + 4)
        weight = chances[(*window, index)]
        if weight.max() >= _PEAK:
            rows, columns = np.indices(weight.shape)
            total = weight.sum()
            moved[index] = (
                4 * ((columns * weight).sum() / total + window[1].start),
                4 * ((rows * weight).sum() / total + window[0].start),
            )
    return moved


# ------------------------------------------------------------------------------------------------------ hands and face


@dataclass(frozen=True)
class Part:
    """A hand or a face: points float32 (21 or 468, 3), x, y in pixels and z in the same unit towards the back; score 0..1."""

    points: np.ndarray
    score: float


_HAND_TURN = (0, 9)  # wrist and knuckle of the middle finger
FACE_OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
              152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
"""Landmarks of a face on its outline, from the forehead over the left ear and the chin."""


def hands(look: Look, whole: Body) -> tuple[Part | None, Part | None]:
    """The person's left and right hand, ``None`` where one is not seen."""
    left, right = _hand(look, whole, 15), _hand(look, whole, 16)
    if left and right:
        apart = np.hypot(*(left.points - right.points)[:, :2].mean(0))
        if apart < 0.5 * max(np.ptp(part.points[:, :2], axis=0).max() for part in (left, right)):  # one hand, seen twice
            away = [float(np.hypot(*(part.points[0, :2] - whole.points[w]))) for part, w in ((left, 15), (right, 16))]
            return (left, None) if away[0] <= away[1] else (None, right)
    return left, right


def _hand(look: Look, whole: Body, wrist: int) -> Part | None:
    little, first = wrist + 2, wrist + 4
    if whole.presence[wrist] < _FOUND or not _inside(whole.points[wrist], look.size):
        return None
    root = whole.points[wrist].astype(float)
    middle = (2 * whole.points[first].astype(float) + whole.points[little]) / 3
    reach = float(np.hypot(*(middle - root)))
    found = None
    if reach > 1:
        x, y = (middle - root) / reach
        region = Region(middle[0] + 0.1 * reach * x, middle[1] + 0.1 * reach * y, 4 * reach, math.atan2(x, -y))
        for _ in range(2):  # the second look is where the first one found it
            found = _part("hand_landmark_full", look, region, 224, 21)
            if found is None:
                return None
            region = _hand_region(found.points)
    return found


def _hand_region(points: np.ndarray) -> Region:
    """The square round 21 points of a hand, its middle finger upwards."""
    flat = points[:, :2].astype(float)
    x, y = flat[_HAND_TURN[1]] - flat[_HAND_TURN[0]]
    angle = math.atan2(x, -y)
    return _around(flat[[0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]], angle, 2.0, (0, -0.1))


def _around(points: np.ndarray, angle: float, factor: float, shift: tuple[float, float]) -> Region:
    """The square turned by ``angle`` round points (N, 2), ``factor`` as large as they are, moved by ``shift`` of its extent."""
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    turned = points @ turn.T
    low, high = turned.min(0), turned.max(0)
    extent = high - low
    centre = ((low + high) / 2 + extent * shift) @ turn
    return Region(float(centre[0]), float(centre[1]), float(factor * extent.max()), angle)


def face(look: Look, whole: Body) -> Part | None:
    """The person's face, ``None`` where it is turned away or too small."""
    if whole.presence[:11].mean() < _FOUND or not _inside(whole.points[0], look.size):
        return None
    points = whole.points[:11].astype(float)
    (x, y), found = points[2] - points[5], None  # from their right eye to their left one: to the right in the picture
    region = _around(points, math.atan2(y, x), 2.4, (0, 0))
    for _ in range(2):
        found = _part("face_landmark", look, region, 192, 468)
        if found is None:
            return None
        flat = found.points[:, :2].astype(float)
        x, y = flat[263] - flat[33]  # outer corners of the eyes
        region = _around(flat, math.atan2(y, x), 1.5, (0, 0))
    return found


def _part(name: str, look: Look, region: Region, size: int, count: int) -> Part | None:
    """``count`` points of a network that looks at a ``size`` crop of ``region``, or ``None`` where it sees no such thing."""
    values, there = _run(name, region.crop(look, size))[:2]
    score = float(there.ravel()[0])
    score = score if name.startswith("hand") else float(sigmoid(np.array(score)))
    if score < _FOUND:
        return None
    rows = values.reshape(count, 3).astype(float)
    flat = region.out(rows[:, :2], size)
    return Part(np.column_stack([flat, rows[:, 2] * region.side / size]).astype(np.float32), score)


def _inside(point: np.ndarray, size: tuple[int, int]) -> bool:
    return bool(0 <= point[0] < size[0] and 0 <= point[1] < size[1])


def anyone(look: Look, around: Region) -> np.ndarray:
    """float32 (h, w) of 0..1: people, whoever and however many, by the network for portraits; of the size of the look.

    It looks at the whole picture, or where somebody takes little of it at that part ``around`` them: what is left is 0.
    """
    height, width = look.picture.shape[:2]
    low = np.array([around.x, around.y]) * look.scale - around.side * look.scale / 2
    (left, top), (right, bottom) = (
        np.clip(np.rint(edge).astype(int), 0, (width, height)) for edge in (low, low + around.side * look.scale)
    )
    if (right - left) * (bottom - top) >= _MOST * width * height or min(right - left, bottom - top) < 1:
        left, top, right, bottom = 0, 0, width, height
    part = look.picture[top:bottom, left:right]
    small = cv2.resize(part, (256, 256), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    out = np.zeros((height, width), np.float32)
    soft = _run("selfie_segmentation", small)[0][..., 0]
    out[top:bottom, left:right] = cv2.resize(soft, part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return out

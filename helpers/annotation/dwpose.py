"""``engine="dwpose"``: DWPose, joints of body and feet, hands and face of everybody, by YOLOX and RTMPose as ONNX files.

Zhendong Yang et al., "Effective Whole-body Pose Estimation with Two-stages Distillation", 2023; IDEA-Research/DWPose (Apache-2.0):
``yolox_l.onnx`` (Zheng Ge et al., "YOLOX", 2021; Megvii-BaseDetection/YOLOX, Apache-2.0), which finds people, and
``dw-ll_ucoco_384.onnx``, which finds 133 points of each. Both are shown pictures as BGR.

Convention: points float64 (134, 3): x, y in image pixels, confidence; 18 joints (COCO-18), 6 of the feet (left big toe, small toe and
heel, then right), 68 of the face, 21 of the left and 21 of the right hand.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from helpers import devices
from helpers.annotation import skeleton
from helpers.contract import Base
from helpers.person import Person

POINTS = 134
BODY, FEET, FACE = slice(0, 18), slice(18, 24), slice(24, 92)
HANDS = (slice(92, 113), slice(113, 134))
SEEN = 0.3
"""Confidence from which a point counts as seen."""
_TOES = slice(19, 25)  # of BODY_25, in the order of the feet here

_GROUND = 114  # grey of the detector's margin
_STRIDES = (8, 16, 32)
_CERTAIN, _OVERLAP = 0.3, 0.45  # score of a person, and share of two boxes from which they are one
_FIRST = 0.1  # score from which a box competes
_PERSON = 0  # of COCO's classes
_ROOM = 1.25  # of a box, that the pose network is shown
_MEAN = np.array([123.675, 116.28, 103.53])  # written for R, G, B, and taken from B, G, R
_DEVIATION = np.array([58.395, 57.12, 57.375])
_BINS = 2.0  # of each coordinate in a pixel
# COCO-WholeBody's points, 17 of them then a neck, in COCO-18's order
_SHOULDERS, _NECK = [5, 6], 17
_ORDER = [0, _NECK, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]


# ------------------------------------------------------------------------------------------------------------ detector


def detector_picture(image: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, float]:
    """float32 (1, 3, h, w) BGR 0..255 for uint8 (H, W, 3) RGB, in the upper left of ``size`` (h, w); and by how much it is enlarged."""
    scale = min(size[0] / image.shape[0], size[1] / image.shape[1])
    height, width = (max(1, int(side * scale)) for side in image.shape[:2])
    padded = np.full((*size, 3), _GROUND, np.uint8)
    bgr = np.ascontiguousarray(image[..., ::-1])
    padded[:height, :width] = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_LINEAR)
    return padded.transpose(2, 0, 1)[None].astype(np.float32), scale


def boxes(output: np.ndarray, size: tuple[int, int], scale: float) -> np.ndarray:
    """float (N, 4) left, top, right, bottom of people in pixels of the photograph, the surest first.

    output: float32 (cells, 5 + classes) of the detector's picture of ``size`` (h, w): centre and logarithm of the side in strides of
            each cell, whether anything is there, and what
    """
    cells, sides = [], []
    for stride in _STRIDES:
        rows, columns = size[0] // stride, size[1] // stride
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        cells.append(np.stack([x, y], -1).reshape(-1, 2))
        sides.append(np.full((rows * columns, 1), stride))
    cell, wide = np.concatenate(cells), np.concatenate(sides)
    centre, side = (output[:, :2] + cell) * wide, np.exp(output[:, 2:4]) * wide
    corners = np.hstack([centre - side / 2, centre + side / 2]) / scale
    score = output[:, 4] * output[:, 5 + _PERSON]
    likely = score > _FIRST
    corners, score = corners[likely], score[likely]
    kept = _apart(corners, score)
    return corners[kept][score[kept] > _CERTAIN]


def _apart(corners: np.ndarray, score: np.ndarray) -> list[int]:
    """Indices, the surest first, of boxes that overlap none of those before them."""
    areas = np.prod(corners[:, 2:] - corners[:, :2] + 1, 1)
    order, kept = score.argsort()[::-1], []
    while order.size:
        first, rest = order[0], order[1:]
        kept.append(int(first))
        least, most = np.maximum(corners[first, :2], corners[rest, :2]), np.minimum(corners[first, 2:], corners[rest, 2:])
        common = np.prod(np.maximum(0.0, most - least + 1), 1)
        order = rest[common / (areas[first] + areas[rest] - common) <= _OVERLAP]
    return kept


# ---------------------------------------------------------------------------------------------------------------- pose


def pose_picture(image: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """float64 (1, 3, h, w), normalised, of what lies in and around ``box``; its centre and its (width, height) in the photograph.

    size: (width, height) of the network's picture
    """
    width, height = size
    centre = np.array([box[0] + box[2], box[1] + box[3]]) * 0.5
    room = np.array([box[2] - box[0], box[3] - box[1]]) * _ROOM
    shape = width / height
    room = np.array([room[0], room[0] / shape]) if room[0] > room[1] * shape else np.array([room[1] * shape, room[1]])
    # a centre, a point above it, and that one turned by a right angle
    corner = np.array([[0.0, 0.0], [0.0, -0.5], [-0.5, -0.5]])
    source = (centre + room[0] * corner).astype(np.float32)
    target = (np.array([width * 0.5, height * 0.5]) + width * corner).astype(np.float32)
    bgr = np.ascontiguousarray(image[..., ::-1])
    seen = cv2.warpAffine(bgr, cv2.getAffineTransform(source, target), (width, height), flags=cv2.INTER_LINEAR)
    return ((seen - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None], centre, room


def points(
    likely_x: np.ndarray, likely_y: np.ndarray, size: tuple[int, int], centre: np.ndarray, room: np.ndarray
) -> np.ndarray:
    """float64 (133, 3) x, y, confidence in COCO-WholeBody's order from how likely each bin (133, bins) of each coordinate is."""
    where = np.stack([likely_x.argmax(1), likely_y.argmax(1)], 1).astype(np.float32)
    sure = np.minimum(likely_x.max(1), likely_y.max(1))
    where[sure <= 0] = -1
    return np.column_stack([where / _BINS / size * room + centre - room / 2, sure])


def with_neck(whole: np.ndarray) -> np.ndarray:
    """(134, 3) in the order of this module from (133, 3) of COCO-WholeBody: a neck between the shoulders, where both are seen."""
    neck = whole[_SHOULDERS].mean(0)
    neck[2] = (whole[_SHOULDERS, 2] > SEEN).all()
    joined = np.insert(whole, _NECK, neck, 0)
    joined[BODY] = joined[_ORDER]
    return joined


def to_body25(whole: np.ndarray) -> np.ndarray:
    """float32 (25, 3) BODY_25 joints, feet too, of points (134, 3); 0 where not seen."""
    sure = np.where(whole[:, 2:] > SEEN, whole, 0)
    joints = skeleton.to_body25(sure[BODY])
    joints[_TOES] = np.hstack([sure[FEET, :2], sure[FEET, 2:].clip(0, 1)])
    return joints


def to_hands(whole: np.ndarray) -> np.ndarray:
    """float32 (2, 21, 3), left and right; 0 where not seen."""
    sure = np.where(whole[:, 2:] > SEEN, whole, 0)
    sure[:, 2] = sure[:, 2].clip(0, 1)
    return np.stack([sure[hand] for hand in HANDS]).astype(np.float32)


# -------------------------------------------------------------------------------------------------------------- engine


class DWPose(Base):
    """Joints and hands of one person in a photograph, and all 134 points of everybody. Networks load when they are first needed.

    device: ``cuda`` or ``cpu``, the best one here if not given
    """

    def __init__(self, device: str | None = None) -> None:
        self._device = device

    def close(self) -> None:
        """Free both networks."""
        for name in ("detector", "pose"):
            self.__dict__.pop(name, None)

    @cached_property
    def detector(self) -> Any:
        """onnxruntime's session of the network that finds people."""
        return self._session("yolox_l.onnx", outputs=1)

    @cached_property
    def pose(self) -> Any:
        """onnxruntime's session of the network that finds their points."""
        return self._session("dw-ll_ucoco_384.onnx", outputs=2)

    def _session(self, name: str, outputs: int) -> Any:
        from helpers import weights

        path = weights.require(f"dwpose/{name}")
        session = _read(path, self._device or devices.describe().kind)
        entry, found = session.get_inputs()[0], session.get_outputs()
        sides = entry.shape[2:]
        if len(entry.shape) != 4 or not all(isinstance(side, int) for side in sides) or len(found) != outputs:
            raise weights.Mismatch(
                f"{path} takes {entry.shape} and gives {[out.shape for out in found]}; DWPose's {name} takes [1, 3, h, w] and gives "
                f"{outputs} output{'s' * (outputs > 1)}. Fetch it again: python -m helpers weights fetch dwpose"
            )
        return session

    def everybody(self, image: np.ndarray) -> list[np.ndarray]:
        """(134, 3) points of everybody in uint8 (H, W, 3) RGB, the surest first; of the whole picture where nobody was told apart."""
        entry = self.detector.get_inputs()[0]
        size = int(entry.shape[2]), int(entry.shape[3])
        picture, scale = detector_picture(image, size)
        found = boxes(self.detector.run(None, {entry.name: picture})[0][0], size, scale)
        if not len(found):
            found = np.array([[0, 0, image.shape[1], image.shape[0]]], np.float64)
        return [with_neck(self._points(image, box)) for box in found]

    def _points(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        entry = self.pose.get_inputs()[0]
        size = int(entry.shape[3]), int(entry.shape[2])
        picture, centre, room = pose_picture(image, box, size)
        likely_x, likely_y = self.pose.run(None, {entry.name: picture.astype(np.float32)})
        return points(likely_x[0], likely_y[0], size, centre, room)

    def choose(self, image: np.ndarray, pick: str | int = "auto", mask: np.ndarray | None = None) -> tuple[np.ndarray, int]:
        """(134, 3) points of who is meant of those in ``image``, and how many there are; :func:`skeleton.choose` says who that is.

        Raises ``ValueError`` where nobody is found.
        """
        people = [whole for whole in self.everybody(image) if (whole[BODY, 2] > SEEN).any()]
        shown = [np.where(whole[BODY, 2:] > SEEN, whole[BODY], 0) for whole in people]
        order = sorted(range(len(people)), key=lambda index: -_prominence(shown[index]))
        chosen = skeleton.choose([shown[index] for index in order], pick, mask)
        return people[order[chosen]], len(people)

    def __call__(
        self, person: Person, *, needs: Collection[str], pick: str | int = "auto", mask: np.ndarray | None = None
    ) -> Person:
        """The person with those of ``keypoints`` and ``hands`` that ``needs`` names; ``scene["people"]`` says how many there are.

        Raises ``ValueError`` where nobody is found, ``weights.Missing`` for files that are not here.
        """
        missing = person.missing(needs)
        if not missing:
            return person
        whole, people = self.choose(person.image, pick, mask)
        return replace(
            person,
            keypoints=to_body25(whole) if "keypoints" in missing else person.keypoints,
            hands=to_hands(whole) if "hands" in missing else person.hands,
            scene={**person.scene, "people": people},
        )


def _prominence(joints: np.ndarray) -> float:
    """Confidence of the joints below the head times the area that they span."""
    seen = joints[1:14][joints[1:14, 2] > 0]
    return float(seen[:, 2].sum() * np.prod(np.ptp(seen[:, :2], 0))) if len(seen) else 0.0


def _read(path: Path, device: str) -> Any:
    """onnxruntime's session. Raises ``weights.Damaged`` for what is no ONNX network."""
    import onnxruntime

    from helpers import weights

    remedy = "Delete it and fetch it again: python -m helpers weights fetch dwpose"
    weights.check(path, "onnx", path.name, remedy)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"] if device == "cuda" else ["CPUExecutionProvider"]
    there = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=there)
    except Exception as error:  # onnxruntime's errors share no public base
        raise weights.Damaged(
            f"{path.name}: {path} is not an ONNX network that can be read ({type(error).__name__}). {remedy}"
        ) from error

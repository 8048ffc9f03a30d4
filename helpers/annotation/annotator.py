"""Annotations of a photograph by the networks that IDM-VTON uses: OpenPose, SCHP parsing and DensePose, agreeing on one person.

github.com/yisol/IDM-VTON (its preprocess and gradio_demo). The reference takes OpenPose's first person and DensePose's last, and
stops or passes on a grey photograph where nobody is found; here one person is chosen for all three and nobody is an error.
``parity=True`` is the reference's behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from helpers import checks, devices, images
from helpers.annotation import parsing, skeleton
from helpers.annotation.detections import Detections, idm_iuv
from helpers.contract import Base
from helpers.labels import BODY_25, COCO_18, convert
from helpers.person import Person, densepose_picture

WANTED = ("keypoints", "labels", "densepose")
IDM_SIZE = (384, 512)  # width, height at which IDM-VTON annotates
LICENCE = (
    "OpenPose body network: CMU, academic and non-commercial use only; "
    "SCHP human parsing: MIT code, files from IDM-VTON (CC BY-NC-SA 4.0); DensePose: Apache-2.0 code"
)

_FILES = {
    "openpose": ("openpose", "body_pose_model.pth"),
    "atr": ("humanparsing", "parsing_atr.onnx"),
    "lip": ("humanparsing", "parsing_lip.onnx"),
    "densepose": ("densepose", "model_final_162be9.pkl"),
}
_NEEDS = {"keypoints": ("openpose",), "labels": ("atr", "lip"), "densepose": ("densepose",)}
_LARGEST = (1024, 1024)
_BONES = ((0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13))


@dataclass
class _Crowd:
    """Everybody's skeletons and who of them is meant."""

    people: list[np.ndarray]
    chosen: int

    @property
    def joints(self) -> np.ndarray:
        return self.people[self.chosen]

    def own(self, shape: tuple[int, int]) -> np.ndarray:
        """bool (H, W): nearer to the chosen skeleton than to anybody else's."""
        if len(self.people) == 1:
            return np.ones(shape, bool)
        away = np.stack([_distance(joints, shape) for joints in self.people])
        return away.argmin(0) == self.chosen


class Annotator(Base):
    """Joints, classes and body surface of one person in a photograph. Networks load when they are first needed.

    device: ``cuda`` or ``cpu``, the best one here if not given; ``close()`` frees the networks, a later call loads them again
    """

    engine = "idm"

    def __init__(self, device: str | None = None) -> None:
        self._device = device

    def close(self) -> None:
        """Free the networks."""
        for name in ("openpose", "parser", "densepose"):
            self.__dict__.pop(name, None)
        devices.free()

    @property
    def device(self) -> str:
        return self._device or ("cuda" if devices.describe().kind == "cuda" else "cpu")

    @cached_property
    def openpose(self) -> Any:
        from helpers.annotation.openpose import OpenPose

        return OpenPose(self._file("openpose"), self.device)

    @cached_property
    def parser(self) -> parsing.Parser:
        providers = ("CUDAExecutionProvider", "CPUExecutionProvider") if self.device == "cuda" else ("CPUExecutionProvider",)
        return parsing.Parser(self._file("atr"), self._file("lip"), providers)

    @cached_property
    def densepose(self) -> Any:
        return self._load_densepose()

    def _load_densepose(self) -> Any:
        from helpers.annotation.densepose import DensePose

        return DensePose(self._file("densepose"), self.device)

    def _file(self, key: str) -> Path:
        from helpers import weights

        group, filename = _FILES[key]
        return weights.require(next(r.name for r in weights.records(group) if Path(r.path).name == filename))

    def _require(self, wanted: tuple[str, ...]) -> None:
        """Name a missing or damaged file of all that are needed before anything runs."""
        for name in wanted:
            for key in _NEEDS[name]:
                self._file(key)

    def __call__(
        self,
        person: Person | np.ndarray,
        *,
        pick: str | int = "auto",
        parity: bool = False,
        wanted: tuple[str, ...] = WANTED,
    ) -> Person:
        """The person with what was ``wanted`` and not known yet, a mask, and ``scene["annotation"]`` saying who made it.

        person: a ``Person`` or uint8 (H, W, 3) RGB of any size; what a ``Person`` already knows is kept
        pick: who, where there are several: ``auto`` (the largest, nearest to the middle) or a number counted from the left, from 0
        wanted: which of ``keypoints``, ``labels`` (CIHP), ``densepose`` (IUV); only their networks are loaded
        Raises ``ValueError`` where nobody is found, ``weights.Missing`` for files that are not here.
        """
        person = person if isinstance(person, Person) else Person(person)
        unknown = [name for name in wanted if name not in WANTED]
        if unknown:
            raise ValueError(f"wanted names some of {', '.join(WANTED)}, not {', '.join(map(repr, unknown))}.")
        _require_pick(pick)
        missing = tuple(name for name in WANTED if name in wanted and getattr(person, name) is None)
        if not missing:
            return person
        self._require(missing)
        height, width = person.image.shape[:2]
        size = images.fit_inside((width, height), _LARGEST)
        small = person.image if size == (width, height) else images.resize(person.image, size)
        scale = np.array([width / size[0], height / size[1], 1], np.float32)
        known = None if person.keypoints is None else person.keypoints / scale
        found = self._annotate(small, known, missing, pick, parity)
        found["scene"] = {**person.scene, "annotation": self._about(missing, found.pop("people"), pick, parity)}
        if size != (width, height):
            for name, value in found.items():
                if name == "keypoints":
                    found[name] = value * scale
                elif isinstance(value, np.ndarray):
                    full = cv2.resize(value.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
                    found[name] = full.astype(value.dtype)
        if person.mask is not None:
            found.pop("mask", None)
        return replace(person, **found)

    def _annotate(
        self, image: np.ndarray, known: np.ndarray | None, missing: tuple[str, ...], pick: str | int, parity: bool
    ) -> dict[str, Any]:
        shape, found, crowd = image.shape[:2], {"people": 1}, None
        if "keypoints" in missing:
            candidate, subset = self.openpose.assemble(image)
            crowd = _crowd(skeleton.everyone(candidate, subset, shape), pick)
            found["people"] = len(crowd.people)
            joints = crowd.joints
            if parity:
                xy = skeleton.idm_joints(candidate, subset, shape, (shape[1], shape[0]))
                joints = np.column_stack([xy, (xy > 0).any(1)]).astype(np.float32)
            found["keypoints"] = skeleton.to_body25(joints)
        elif known is not None:
            crowd = _Crowd([known[[BODY_25.index(name) for name in COCO_18]]], 0)
        if "densepose" in missing:
            found["densepose"] = self._surface(image, crowd, pick, parity)
        parse = None
        if "labels" in missing:
            parse = self._parse(image, crowd, parity)
            found["labels"] = convert(parse, "atr_neck", "cihp")
        if parse is not None:
            found["mask"] = parse > 0
            if found.get("densepose") is not None:
                found["mask"] |= found["densepose"][..., 0] > 0
        elif found.get("densepose") is not None:
            found["mask"] = found["densepose"][..., 0] > 0
        return found

    def _parse(self, image: np.ndarray, crowd: _Crowd | None, parity: bool) -> np.ndarray:
        parse = self.parser(image)
        if crowd is None or parity:
            return parse
        parse = np.where(crowd.own(parse.shape), parse, 0).astype(np.uint8)
        if not parse.any():
            raise ValueError("no clothing or skin was recognised on the person: use a sharper, well-lit photograph.")
        return parse

    def _surface(self, image: np.ndarray, crowd: _Crowd | None, pick: str | int, parity: bool) -> np.ndarray | None:
        found = self.densepose.detect(image)
        if parity:
            return idm_iuv(found, image.shape[:2])
        index = _by_box(found, image.shape[:2], pick) if crowd is None else found.nearest(crowd.joints)
        if index is None:
            raise ValueError(
                f"DensePose found {len(found)} bodies, none of them where the person is: "
                "use a photograph that shows the person larger and unobstructed, from the head to the thighs at least."
            )
        return found.iuv(index, image.shape[:2])

    def _about(self, made: tuple[str, ...], people: int, pick: str | int, parity: bool) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "made": list(made),
            "licence": LICENCE,
            "commercial": False,
            "people": people,
            "pick": pick,
            "parity": parity,
        }

    def idm_inputs(
        self, image: np.ndarray, *, pick: str | int = "auto", mask: np.ndarray | None = None, parity: bool = False
    ) -> dict[str, Any]:
        """What IDM-VTON's automatic mask and pose input need, for uint8 (512, 384, 3) RGB.

        mask: bool (512, 384) of what somebody wears; with ``pick="auto"`` its wearer is meant
        Returns ``keypoints18`` float64 (18, 2) COCO-18 in pixels, (0, 0) where missing; ``parse`` uint8 (512, 384), ATR and
        18 = neck; ``densepose`` uint8 (512, 384, 3) IUV; ``densepose_picture`` uint8 (512, 384, 3) RGB, PARULA on black;
        ``people`` int, ``pick`` as given, ``licence``. With ``parity`` joints and surface are those that the reference takes,
        and where DensePose finds nobody ``densepose`` is ``None`` and the picture the grey photograph.
        Raises ``ValueError`` for another size and where nobody is found.
        """
        checks.image(image)
        if image.shape[:2] != IDM_SIZE[::-1]:
            raise ValueError(f"IDM-VTON annotates {IDM_SIZE[0]}x{IDM_SIZE[1]} pixels, not {image.shape[1]}x{image.shape[0]}.")
        _require_pick(pick)
        self._require(WANTED)
        shape = image.shape[:2]
        candidate, subset = self.openpose.assemble(image)
        crowd = _crowd(skeleton.everyone(candidate, subset, shape), pick, mask)
        iuv = self._surface(image, crowd, pick, parity)
        joints = skeleton.idm_joints(candidate, subset, shape) if parity else crowd.joints[:, :2].astype(np.float64)
        return {
            "keypoints18": joints,
            "parse": self._parse(image, crowd, parity),
            "densepose": iuv,
            "densepose_picture": _grey(image) if iuv is None else densepose_picture(iuv),
            "people": len(crowd.people),
            "pick": pick,
            "licence": LICENCE,
        }


def _require_pick(pick: str | int) -> None:
    if pick != "auto" and (not isinstance(pick, int) or isinstance(pick, bool) or pick < 0):
        raise ValueError(f"pick is auto or the person's number counted from the left, from 0, not {pick!r}.")


def _crowd(people: list[np.ndarray], pick: str | int, mask: np.ndarray | None = None) -> _Crowd:
    """Who is meant of ``people``, the most prominent first; ``mask`` is on the one with most joints in it or nearest to it."""
    if not people:
        raise ValueError(
            "no person was found in the photograph: use a photograph that shows one person from the head to the thighs at "
            "least, upright, not too small and not hidden."
        )
    if pick == "auto" and mask is not None and mask.any():
        away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
        return _Crowd(people, int(np.argmin([_mean_distance(joints, away) for joints in people])))
    if pick == "auto":
        return _Crowd(people, 0)
    order = sorted(range(len(people)), key=lambda i: people[i][people[i][:, 2] > 0, 0].mean())
    return _Crowd(people, order[_index(pick, len(order))])


def _mean_distance(joints: np.ndarray, away: np.ndarray) -> float:
    """Mean of ``away`` (H, W) under the joints that were seen."""
    x, y = np.clip(joints[joints[:, 2] > 0, :2].round().astype(int), 0, np.array(away.shape[::-1]) - 1).T
    return float(away[y, x].mean())


def _by_box(found: Detections, shape: tuple[int, int], pick: str | int) -> int | None:
    """Who is meant of DensePose's detections where there is no skeleton to go by."""
    if not len(found):
        return None
    boxes = found.boxes.numpy()
    if pick == "auto":
        corners = [np.column_stack([box.reshape(2, 2), np.ones(2)]) for box in boxes]
        return int(np.argmax([skeleton.prominence(c, shape) for c in corners]))
    return int(np.argsort(boxes[:, 0] + boxes[:, 2])[_index(pick, len(boxes))])


def _index(pick: int, count: int) -> int:
    if pick >= count:
        raise ValueError(f"pick is {pick}, but {count} {'person was' if count == 1 else 'people were'} found: 0..{count - 1}.")
    return pick


def _distance(joints: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """float32 (H, W): pixels to the nearest bone."""
    canvas = np.full(shape, 255, np.uint8)
    for a, b in _BONES:
        if joints[a, 2] > 0 and joints[b, 2] > 0:
            start, end = (tuple(int(v) for v in np.rint(joints[j, :2])) for j in (a, b))
            cv2.line(canvas, start, end, 0, 1)
    return cv2.distanceTransform(canvas, cv2.DIST_L2, 5)


def _grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)

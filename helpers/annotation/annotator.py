"""``engine="openpose_schp"``: OpenPose's joints, SCHP's clothing classes and DensePose's body surface, agreeing on one person.

The networks, and the way in which the two parsers are merged, are those that github.com/yisol/IDM-VTON uses for its preprocessing. There
OpenPose's first person is taken and DensePose's last; here one person is chosen for all three, and nobody is an error.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from helpers import devices, images
from helpers.annotation import parsing, skeleton
from helpers.contract import Base
from helpers.labels import ATR_NECK, CIHP, body25_to_coco18, convert
from helpers.person import Person

if TYPE_CHECKING:
    from helpers.annotation.detections import Detections, Detector
    from helpers.annotation.openpose import OpenPose

_RECORDS = {
    "openpose": "openpose",
    "atr": "humanparsing/parsing_atr.onnx",
    "lip": "humanparsing/parsing_lip.onnx",
    "densepose": "densepose",
}
_READ_FOR = {"keypoints": ("openpose",), "labels": ("atr", "lip"), "mask": ("atr", "lip"), "densepose": ("densepose",)}
_LARGEST = (1024, 1024)
_BONES = ((0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13))
_NOT_IN_CIHP = tuple(name for name in ATR_NECK if name not in (*CIHP, "neck"))


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


class OpenPoseSCHP(Base):
    """Joints, classes and body surface of one person in a photograph. Networks load when they are first needed.

    device: ``cuda`` or ``cpu``, the best one here if not given; ``close()`` frees the networks, a later call loads them again
    """

    def __init__(self, device: str | None = None) -> None:
        self._device = device

    def close(self) -> None:
        """Free the networks."""
        for name in ("openpose", "parser", "densepose"):
            self.__dict__.pop(name, None)
        devices.free()

    @property
    def device(self) -> str:
        """``cuda`` or ``cpu``."""
        return self._device or ("cuda" if devices.describe().kind == "cuda" else "cpu")

    @cached_property
    def openpose(self) -> OpenPose:
        """Joints of everybody."""
        from helpers.annotation.openpose import OpenPose

        return OpenPose(self._file("openpose"), self.device)

    @cached_property
    def parser(self) -> parsing.Parser:
        """Classes of every pixel."""
        providers = ("CUDAExecutionProvider", "CPUExecutionProvider") if self.device == "cuda" else ("CPUExecutionProvider",)
        return parsing.Parser(self._file("atr"), self._file("lip"), providers)

    @cached_property
    def densepose(self) -> Detector:
        """Body surface of everybody."""
        return self._load_densepose()

    def _load_densepose(self) -> Detector:
        from helpers.annotation.densepose import DensePose

        return DensePose(self._file("densepose"), self.device)

    def _file(self, key: str) -> Path:
        from helpers import weights

        return weights.require(_RECORDS[key])

    def _require(self, needs: Collection[str]) -> None:
        """Name a missing or damaged file of all that are needed before anything runs."""
        for name in needs:
            for key in _READ_FOR[name]:
                self._file(key)

    def __call__(
        self,
        person: Person,
        *,
        needs: Collection[str],
        pick: str | int = "auto",
        mask: np.ndarray | None = None,
    ) -> Person:
        """The person with what is in ``needs`` and not known yet.

        needs: out of ``keypoints``, ``labels`` (CIHP), ``densepose`` (IUV) and ``mask``
        pick:  who, where there are several: ``auto`` (whom ``mask`` is on, else the largest, nearest to the middle) or a number
               counted from the left, from 0
        mask:  bool (H, W) of what somebody wears
        Only the networks that are needed are loaded: for labels alone, which are everybody's then, no joints are looked for unless ``pick``
        or ``mask`` says who is meant. ``scene["people"]`` says how many people there are. With the labels comes a mask, and ``garments``
        gets what CIHP has no class for (belt, bag).
        Raises ``ValueError`` where nobody is found, ``weights.Missing`` for files that are not here.
        """
        missing = person.missing(needs)
        if not missing:
            return person
        meant = pick != "auto" or mask is not None
        telling = "keypoints" in missing or (person.keypoints is None and meant and bool({"labels", "mask"} & {*missing}))
        self._require((*missing, "keypoints") if telling else missing)
        height, width = person.image.shape[:2]
        size = images.fit_inside((width, height), _LARGEST)
        small = person if size == (width, height) else person.resized(size)
        worn = None if mask is None else images.resize(mask, size) if size != (width, height) else mask
        made, people = self._annotate(small, missing, pick, worn, telling)
        if size != (width, height):
            made = {name: _enlarged(name, value, size, (width, height)) for name, value in made.items()}
        parse, surface = made.pop("parse", None), made.get("densepose")
        found: dict[str, Any] = {**made}
        seen = [part > 0 for part in (parse, None if surface is None else surface[..., 0]) if part is not None]
        if person.mask is None and seen:
            found["mask"] = np.logical_or.reduce(seen)
        if parse is not None:
            if person.labels is None:
                found["labels"] = convert(parse, "atr_neck", "cihp")
            extra = {name: parse == ATR_NECK.index(name) for name in _NOT_IN_CIHP}
            found["garments"] = {**{name: where for name, where in extra.items() if where.any()}, **person.garments}
        return replace(person, **found, scene={**person.scene, "people": people})

    def _annotate(
        self, person: Person, missing: tuple[str, ...], pick: str | int, mask: np.ndarray | None, telling: bool
    ) -> tuple[dict[str, np.ndarray], int]:
        """Of ``keypoints``, ``densepose`` and ``parse`` (ATR and neck) what is needed for those ``missing``, and how many people there are.

        telling: joints are looked for, to tell people apart
        """
        image, crowd, people = person.image, None, 1
        found: dict[str, np.ndarray] = {}
        if telling:
            candidate, subset = self.openpose.assemble(image)
            crowd = _crowd(skeleton.everyone(candidate, subset, image.shape[:2]), pick, mask)
            people = len(crowd.people)
            if "keypoints" in missing:
                found["keypoints"] = skeleton.to_body25(crowd.joints)
        elif person.keypoints is not None:
            crowd = _Crowd([body25_to_coco18(person.keypoints)], 0)
        if "densepose" in missing:
            bodies = self.densepose.detect(image)
            people = people if crowd else len(bodies)
            found["densepose"] = _surface(bodies, image.shape[:2], crowd, pick, mask)
        if "labels" in missing or "mask" in missing:
            found["parse"] = self._parse(image, crowd)
        return found, people

    def _parse(self, image: np.ndarray, crowd: _Crowd | None) -> np.ndarray:
        parse = self.parser(image)
        if crowd is None:
            return parse
        parse = np.where(crowd.own(parse.shape), parse, 0).astype(np.uint8)
        if not parse.any():
            raise ValueError("no clothing or skin was recognised on the person: use a sharper, well-lit photograph.")
        return parse


def _enlarged(name: str, value: np.ndarray, small: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """An annotation of a picture of ``small`` (width, height) on one of ``size``."""
    if name == "keypoints":
        return value * np.array([size[0] / small[0], size[1] / small[1], 1], np.float32)
    return cv2.resize(value, size, interpolation=cv2.INTER_NEAREST_EXACT)


def _crowd(people: list[np.ndarray], pick: str | int, mask: np.ndarray | None = None) -> _Crowd:
    return _Crowd(people, skeleton.choose(people, pick, mask))


def _surface(
    found: Detections, shape: tuple[int, int], crowd: _Crowd | None, pick: str | int, mask: np.ndarray | None
) -> np.ndarray:
    index = _by_box(found, shape, pick, mask) if crowd is None else found.nearest(crowd.joints)
    if index is None:
        raise ValueError(
            f"DensePose found {len(found)} bodies, none of them where the person is: "
            "use a photograph that shows the person larger and unobstructed, from the head to the thighs at least."
        )
    return found.iuv(index, shape)


def _by_box(found: Detections, shape: tuple[int, int], pick: str | int, mask: np.ndarray | None = None) -> int | None:
    """Who is meant of DensePose's detections where there is no skeleton to go by: the smallest box that holds ``mask``."""
    if not len(found):
        return None
    boxes = found.boxes.numpy()
    if pick == "auto" and mask is not None and mask.any():
        y, x = np.nonzero(mask)
        inside = (x >= boxes[:, :1]) & (y >= boxes[:, 1:2]) & (x <= boxes[:, 2:3]) & (y <= boxes[:, 3:])
        area = (boxes[:, 2:] - boxes[:, :2]).prod(1) / mask.size
        return int(np.argmax(inside.mean(1) - 0.1 * area))
    if pick == "auto":
        corners = [np.column_stack([box.reshape(2, 2), np.ones(2)]) for box in boxes]
        return int(np.argmax([skeleton.prominence(c, shape) for c in corners]))
    return int(np.argsort(boxes[:, 0] + boxes[:, 2])[skeleton.index_of(int(pick), len(boxes))])


def _distance(joints: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """float32 (H, W): pixels to the nearest bone."""
    canvas = np.full(shape, 255, np.uint8)
    for a, b in _BONES:
        if joints[a, 2] > 0 and joints[b, 2] > 0:
            start, end = (tuple(int(v) for v in np.rint(joints[j, :2])) for j in (a, b))
            cv2.line(canvas, start, end, 0, 1)
    return cv2.distanceTransform(canvas, cv2.DIST_L2, 5)

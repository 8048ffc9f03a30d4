"""Click segmentation without weights: superpixels, geodesic, colour and texture evidence, a minimum cut, edges refined by pixels.

The preparation of an image (about half a second) is in ``regions.py`` and ``figure.py``, what a click does in ``evidence.py``, the
outline in ``outline.py``. Good on a person before any plain backdrop, patterned garments included; where two garments of one colour
meet, it needs a click on the other one, marked as background.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from helpers import checks, images
from helpers.checks import Point
from helpers.contract import Base
from helpers.segmentation.superpixel import evidence
from helpers.segmentation.superpixel.body import Known
from helpers.segmentation.superpixel.outline import mask_of
from helpers.segmentation.superpixel.regions import Regions, prepare

LARGEST = 1536 * 1024
"""Pixels above which an image is segmented reduced and its mask enlarged."""
REMEMBERED = 256
"""Prefixes of clicks whose masks are kept for undo and redo."""


@dataclass(frozen=True)
class _Look:
    """A photograph ready to be clicked on: its key and (height, width), and the working picture with its regions."""

    key: str
    size: tuple[int, int]
    image: np.ndarray
    regions: Regions


@dataclass(frozen=True)
class _State:
    """After some clicks: the labelling of the regions (n,) and the mask, packed eight pixels to a byte."""

    inside: np.ndarray
    mask: np.ndarray


class Superpixel(Base):
    """Segmentation by clicks on one image at a time.

    ``set_image`` does the slow part once, ``predict`` the cheap part for a list of points::

        with Superpixel() as engine:
            engine.set_image(image)
            mask = engine.predict([(384, 420, 1), (384, 700, 0)])

    A mask is a pure function of the image and the list: the first point looks for the whole garment under it, each further one changes the
    mask around itself only. Prefixes of the list are remembered, so undo and redo cost nothing.
    """

    def __init__(self) -> None:
        self._prepared: _Look | None = None
        self._known: tuple[str, Known] | None = None
        self._states: OrderedDict[tuple[str, tuple[Point, ...]], _State] = OrderedDict()

    def close(self) -> None:
        """Forget the image and free its memory; ``set_image`` starts anew."""
        self._prepared = self._known = None
        self._states.clear()

    def set_image(self, image: np.ndarray) -> None:
        """Prepare ``image``, uint8 (H, W, 3) RGB, at least 64 pixels on either side. The same pixels again cost nothing.

        Raises ``ValueError`` for anything else.
        """
        image = np.ascontiguousarray(checks.image(image))
        key = images.digest(image)
        if self._prepared is not None and key == self._prepared.key:
            return
        self.close()
        height, width = image.shape[:2]
        scale = min(1.0, (LARGEST / (height * width)) ** 0.5)
        size = round(width * scale), round(height * scale)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image.copy()
        self._prepared = _Look(key, (height, width), small, prepare(small))

    def predict(self, points: Sequence[Point], start: np.ndarray | None = None, known: np.ndarray | None = None) -> np.ndarray:
        """The mask, bool (H, W), for ``points`` (x, y, label) in image pixels, x to the right, y down.

        Label 1 is on the garment, 0 is not; the first point is on the garment. Every point holds: the mask is true at each point of label 1
        and false at each of label 0.
        start: a mask bool (H, W), not empty, that the points correct: then there may be none, and the first may be beside the garment
        known: uint8 (h, w) at any size, of ``body.pieces``: what is where on the person, which then counts beside colours and edges
        Raises ``ValueError`` for points that cannot be, ``RuntimeError`` before ``set_image``.
        """
        look = self._prepared
        if look is None:
            raise RuntimeError("Superpixel.predict was called before set_image(image), which prepares the picture to click on.")
        (height, width), shape = look.size, look.image.shape[:2]
        points = checks.clicks(points, (width, height), boxed=start is not None)
        ratio = shape[0] / height
        places = tuple((min(x * ratio, shape[1] - 1), min(y * ratio, shape[0] - 1), label) for x, y, label in points)
        state: _State | None = None
        began = ""
        if start is not None:
            state, began = _begun(look, start), images.digest(start)
        if known is not None:
            key = images.digest(known)
            if self._known is None or self._known[0] != key:
                self._known = key, _named(look, known)
            began += key
        names = None if known is None or self._known is None else self._known[1]
        for length in range(1, len(places) + 1):
            prefix = began, places[:length]
            if prefix not in self._states:
                self._states[prefix] = _step(look, places[:length], state, start, names)
            self._states.move_to_end(prefix)
            state = self._states[prefix]
        while len(self._states) > REMEMBERED:
            self._states.popitem(last=False)
        assert state is not None
        if start is not None and not places:
            return start.copy()
        mask = _unpack(state.mask, shape)
        if shape != look.size:
            mask = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
            for x, y, label in points:
                mask[int(y), int(x)] = label == 1
        return mask


def _begun(look: _Look, start: np.ndarray) -> _State:
    """The state in which a mask bool (H, W) is there before the first click."""
    regions, shape = look.regions, look.image.shape[:2]
    inside = np.bincount(regions.index.ravel(), _at(start, regions.index.shape).ravel(), len(regions.area)) > 0.5 * regions.area
    return _State(inside, np.packbits(_at(start, shape)))


def _named(look: _Look, known: np.ndarray) -> Known:
    """``known`` uint8 (H, W), told of the regions."""
    index = look.regions.index
    return Known(cv2.resize(known, index.shape[::-1], interpolation=cv2.INTER_NEAREST), index)


def _at(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """bool ``mask`` at another (h, w)."""
    if mask.shape == shape[:2]:
        return mask
    return cv2.resize(mask.astype(np.float32), shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5


def _heart(look: _Look, start: np.ndarray, beside: set[int]) -> int:
    """The region deepest in the mask ``start`` that is none of ``beside``: what it is a mask of is seen there for certain."""
    regions = look.regions
    depth = cv2.distanceTransform(np.pad(_at(start, regions.index.shape), 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    depth[np.isin(regions.index, list(beside))] = 0
    return int(regions.index.ravel()[depth.argmax()])


def _step(
    look: _Look, points: tuple[Point, ...], before: _State | None, start: np.ndarray | None, known: Known | None
) -> _State:
    """The state after the last of ``points``, in pixels of the working picture, from the one before it; ``start``: the first mask."""
    image, regions = look.image, look.regions
    clicks = [(_region(look, x, y), label == 1) for x, y, label in points]
    if start is not None:
        clicks = [(_heart(look, start, {node for node, wanted in clicks if not wanted}), True), *clicks]
    if before is None:
        inside = evidence.first(regions, clicks, known)
        return _State(inside, np.packbits(mask_of(image, regions, inside, points)))
    old = _unpack(before.mask, image.shape[:2])
    x, y, label = points[-1]
    if old[int(y), int(x)] == (label == 1):
        return before
    inside = evidence.further(regions, clicks, before.inside, _depth(look, old, x, y), known)
    return _State(inside, np.packbits(mask_of(image, regions, inside, points, (old, before.inside))))


def _region(look: _Look, x: float, y: float) -> int:
    """The region under a point in pixels of the working picture."""
    height, width = look.image.shape[:2]
    h, w = look.regions.index.shape
    return int(look.regions.index[int((int(y) + 0.5) * h / height), int((int(x) + 0.5) * w / width)])


def _depth(look: _Look, mask: np.ndarray, x: float, y: float) -> float:
    """Distance from a point to the outline of ``mask``, in pixels as the regions have them."""
    same = np.pad(mask if mask[int(y), int(x)] else ~mask, 1).astype(np.uint8)
    depth = cv2.distanceTransform(same, cv2.DIST_L2, 3)[int(y) + 1, int(x) + 1]
    return float(depth) * look.regions.index.shape[0] / mask.shape[0]


def _unpack(packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.unpackbits(packed, count=shape[0] * shape[1]).reshape(shape).astype(bool)

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
from helpers.segmentation.superpixel.outline import mask_of
from helpers.segmentation.superpixel.regions import Regions, prepare

LARGEST = 1536 * 1024
"""Pixels above which an image is segmented reduced and its mask enlarged."""
REMEMBERED = 256
"""Prefixes of clicks whose masks are kept for undo and redo."""


@dataclass(frozen=True)
class _Prepared:
    """A picture made ready for clicks: ``image`` at the size it is worked on, its ``regions``; ``size`` (height, width) it came in, and
    the ``key`` of its pixels."""

    key: str
    size: tuple[int, int]
    image: np.ndarray
    regions: Regions

    def region(self, x: float, y: float) -> int:
        """The region under a point in pixels of ``image``."""
        (height, width), (h, w) = self.image.shape[:2], self.regions.index.shape
        return int(self.regions.index[int((int(y) + 0.5) * h / height), int((int(x) + 0.5) * w / width)])

    def depth(self, mask: np.ndarray, x: float, y: float) -> float:
        """Distance in working pixels from a point to the outline of ``mask``."""
        same = np.pad(mask if mask[int(y), int(x)] else ~mask, 1).astype(np.uint8)
        depth = cv2.distanceTransform(same, cv2.DIST_L2, 3)[int(y) + 1, int(x) + 1]
        return float(depth) * self.regions.index.shape[0] / mask.shape[0]


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
        self._prepared: _Prepared | None = None
        self._states: OrderedDict[tuple[Point, ...], _State] = OrderedDict()

    def close(self) -> None:
        """Forget the image and free its memory; ``set_image`` starts anew."""
        self._prepared = None
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
        worked = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image.copy()
        self._prepared = _Prepared(key, (height, width), worked, prepare(worked))

    def predict(self, points: Sequence[Point]) -> np.ndarray:
        """The mask, bool (H, W), for ``points`` (x, y, label) in image pixels, x to the right, y down.

        Label 1 is on the garment, 0 is not; the first point is on the garment. Every point holds: the mask is true at each point of label 1
        and false at each of label 0. Raises ``ValueError`` for points that cannot be, ``RuntimeError`` before ``set_image``.
        """
        ready = self._prepared
        if ready is None:
            raise RuntimeError("Superpixel.predict was called before set_image(image), which prepares the picture to click on.")
        points = checks.clicks(points, ready.size[::-1])
        shape = ready.image.shape[:2]
        ratio = shape[0] / ready.size[0]
        places = tuple((min(x * ratio, shape[1] - 1), min(y * ratio, shape[0] - 1), label) for x, y, label in points)
        before: _State | None = None
        for length in range(1, len(places) + 1):
            prefix = places[:length]
            if prefix not in self._states:
                self._states[prefix] = _step(ready, prefix, before)
            self._states.move_to_end(prefix)
            before = self._states[prefix]
        mask = _unpack(self._states[places].mask, shape)
        while len(self._states) > REMEMBERED:
            self._states.popitem(last=False)
        if shape != ready.size:
            mask = cv2.resize(mask.astype(np.float32), ready.size[::-1], interpolation=cv2.INTER_LINEAR) > 0.5
            for x, y, label in points:
                mask[int(y), int(x)] = label == 1
        return mask


def _step(ready: _Prepared, points: tuple[Point, ...], before: _State | None) -> _State:
    """The state after the last of ``points``, from the one before it."""
    regions = ready.regions
    clicks = [(ready.region(x, y), label == 1) for x, y, label in points]
    if before is None:
        inside = evidence.first(regions, clicks)
        return _State(inside, np.packbits(mask_of(ready.image, regions, inside, points)))
    old = _unpack(before.mask, ready.image.shape[:2])
    x, y, label = points[-1]
    if old[int(y), int(x)] == (label == 1):
        return before
    inside = evidence.further(regions, clicks, before.inside, ready.depth(old, x, y))
    return _State(inside, np.packbits(mask_of(ready.image, regions, inside, points, (old, before.inside))))


def _unpack(packed: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.unpackbits(packed, count=shape[0] * shape[1]).reshape(shape).astype(bool)

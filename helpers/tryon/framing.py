"""A photograph of any shape in the upright frame that a network wants, and back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from helpers import checks

MODES = ("letterbox", "crop", "stretch")


@dataclass(frozen=True)
class Frame:
    """Where ``source`` (x, y, width, height in the photograph) lies in ``target`` (the same in the frame of ``size``)."""

    photograph: tuple[int, int]  # (width, height)
    size: tuple[int, int]
    source: tuple[int, int, int, int]
    target: tuple[int, int, int, int]

    @classmethod
    def fit(cls, photograph: tuple[int, int], size: tuple[int, int], mode: str = "letterbox") -> Frame:
        """How a photograph of (width, height) goes into a frame of ``size``.

        mode: ``letterbox`` keeps all of it, ``crop`` its middle of the frame's shape, ``stretch`` (as published) bends it to that shape
        Raises ``ValueError`` for another mode.
        """
        checks.one_of(mode, "framing", MODES)
        (w, h), (width, height) = photograph, size
        if mode == "stretch":
            return cls(photograph, size, (0, 0, w, h), (0, 0, width, height))
        if mode == "crop":
            side = min(w / width, h / height)
            cut_w, cut_h = max(1, round(width * side)), max(1, round(height * side))
            return cls(photograph, size, ((w - cut_w) // 2, (h - cut_h) // 2, cut_w, cut_h), (0, 0, width, height))
        scale = min(width / w, height / h)
        new_w, new_h = max(1, round(w * scale)), max(1, round(h * scale))
        return cls(photograph, size, (0, 0, w, h), ((width - new_w) // 2, (height - new_h) // 2, new_w, new_h))

    def put(self, image: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3), or a mask, bool or float32 of 0..1 (H, W), of the photograph's size, in the frame.

        The margin repeats a picture's border; a mask's is False, or 0.
        """
        x, y, w, h = self.source
        left, top, width, height = self.target
        inside = _resize(image[y : y + h, x : x + w], (width, height))
        right, bottom = self.size[0] - left - width, self.size[1] - top - height
        if image.ndim == 2:
            return np.pad(inside, ((top, bottom), (left, right)))
        return cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE)

    def put_labels(self, labels: np.ndarray) -> np.ndarray:
        """What must not be mixed (classes, IUV), (H, W) or (H, W, C) of the photograph's size, in the frame: nearest; the margin is 0."""
        x, y, w, h = self.source
        left, top, width, height = self.target
        framed = np.zeros((self.size[1], self.size[0], *labels.shape[2:]), labels.dtype)
        inside = cv2.resize(labels[y : y + h, x : x + w], (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        framed[top : top + height, left : left + width] = inside
        return framed

    def put_points(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) x, y in pixels of the photograph, as float32 in those of the frame."""
        x, y, w, h = self.source
        left, top, width, height = self.target
        return ((points - (x, y)) * (width / w, height / h) + (left, top)).astype(np.float32)

    def take(self, framed: np.ndarray, onto: np.ndarray) -> np.ndarray:
        """What the frame shows, laid on ``onto`` (of the photograph's size, uint8 (H, W, 3) or bool (H, W)) where it belongs."""
        x, y, w, h = self.source
        left, top, width, height = self.target
        out = onto.copy()
        out[y : y + h, x : x + w] = _resize(framed[top : top + height, left : left + width], (w, h))
        return out


def _resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if image.shape[1::-1] == tuple(size):
        return image
    if image.dtype == bool:
        return _resize(image.astype(np.uint8) * 255, size) > 127
    if image.dtype == np.float32:
        return np.clip(cv2.resize(image, tuple(size), interpolation=cv2.INTER_AREA), 0, 1)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))  # as the published preprocessing

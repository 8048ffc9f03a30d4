"""Boxes of pictures that a garment fills, whatever the photograph."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


def flat(image: np.ndarray, mask: np.ndarray, *, backdrop: int = 0) -> np.ndarray:
    """The product photograph (H, W, 3) uint8 with ``backdrop`` wherever ``mask`` (H, W), bool or uint8, is 0."""
    return np.where(mask[..., None] > 0, image, np.uint8(backdrop))


@dataclass(frozen=True)
class Crop:
    """A box of a picture, ``left``, ``top``, ``width`` and ``height`` in its pixels and perhaps beyond its border, brought to ``size``."""

    left: int
    top: int
    width: int
    height: int
    size: tuple[int, int]

    @classmethod
    def around(cls, mask: np.ndarray, size: tuple[int, int], margin: float = 0.06, shift: tuple[float, float] = (0, 0)) -> Crop:
        """The smallest box of the shape of ``size`` (width, height) that holds ``mask`` (H, W) and ``margin`` of its own sides around.

        shift: of the box, in its own sides. Raises ``ValueError`` for a mask with nothing in it.
        """
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not len(rows):
            raise ValueError("garment mask: nothing of the garment is seen. Use a picture that shows it.")
        wide, high = columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]
        unit = max(wide / size[0], high / size[1]) / (1 - 2 * margin)
        width, height = max(1, round(size[0] * unit)), max(1, round(size[1] * unit))
        x, y = (columns[0] + wide / 2) - width / 2 + shift[0] * width, (rows[0] + high / 2) - height / 2 + shift[1] * height
        return cls(round(x), round(y), width, height, size)

    def take(self, image: np.ndarray, backdrop: float = 0, *, nearest: bool = False) -> np.ndarray:
        """``image`` (H, W[, C]) in the box, ``backdrop`` beyond its border, averaged down or enlarged linearly to the size."""
        height, width = image.shape[:2]
        inside = np.full((self.height, self.width, *image.shape[2:]), backdrop, image.dtype)
        left, top, right, bottom = (
            max(0, self.left),
            max(0, self.top),
            min(width, self.left + self.width),
            min(height, self.top + self.height),
        )
        if left < right and top < bottom:
            inside[top - self.top : bottom - self.top, left - self.left : right - self.left] = image[top:bottom, left:right]
        smaller = self.size[0] < self.width
        how = cv2.INTER_NEAREST_EXACT if nearest else cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        return cv2.resize(inside, self.size, interpolation=how)

    def place(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) x, y in pixels of the picture as those of the box, from -1 at its left and upper edge to 1 at the others."""
        return (points + 0.5 - (self.left, self.top)) * 2 / (self.width, self.height) - 1


def identity(size: tuple[int, int]) -> np.ndarray:
    """float32 (height, width, 2): x and y, -1..1, of the middle of every pixel of a frame of ``size``."""
    x, y = ((np.arange(side, dtype=np.float32) + 0.5) * 2 / side - 1 for side in size)
    return np.stack(np.meshgrid(x, y), -1)

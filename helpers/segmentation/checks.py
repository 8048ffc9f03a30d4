"""What every click engine asks of its picture and its clicks, before anything slow starts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Point = tuple[float, float, int]

SMALLEST = 64
"""Pixels of the shorter side below which there is nothing to tell apart."""


def checked_image(image: np.ndarray) -> np.ndarray:
    """``image`` in one piece if it is uint8 (H, W, 3) RGB of at least 64 pixels a side; ``ValueError`` that says what it is instead."""
    wanted = "image must be a uint8 array (H, W, 3), RGB, 0..255"
    if not isinstance(image, np.ndarray):
        raise ValueError(f"{wanted}; got {type(image).__name__}. Read files with read_image(path).")
    if image.ndim == 2:
        raise ValueError(f"{wanted}; got a grey one {image.shape}. Stack it: np.stack([image] * 3, axis=2).")
    if image.ndim != 3 or image.shape[2] != 3:
        hint = (
            " It has an alpha channel: put it on white first, as read_image(path) does."
            if image.ndim == 3 and image.shape[2] == 4
            else ""
        )
        raise ValueError(f"{wanted}; got shape {image.shape}.{hint}")
    if image.dtype != np.uint8:
        hint = ""
        if np.issubdtype(image.dtype, np.floating):
            hint = " Floats of 0..1 become it by (image * 255).round().astype(np.uint8)."
        raise ValueError(f"{wanted}; got dtype {image.dtype}.{hint}")
    if min(image.shape[:2]) < SMALLEST:
        raise ValueError(
            f"image is {image.shape[1]}x{image.shape[0]} pixels; at least {SMALLEST} on either side are needed. Use a larger picture."
        )
    return np.ascontiguousarray(image)


def checked_points(points: Sequence[Point], shape: tuple[int, int]) -> tuple[Point, ...]:
    """``points`` as (x, y, label) if they can be clicks in a picture of ``shape`` (height, width), the first one on the garment.

    Raises ``ValueError`` for none at all, a point outside, an unknown or missing label, and two labels on one pixel.
    """
    height, width = shape
    if len(points) == 0:
        raise ValueError("points is empty: give at least one click on the garment, such as points=[(384, 420, 1)].")
    checked: list[Point] = []
    seen: dict[tuple[int, int], int] = {}
    for number, point in enumerate(points, 1):
        try:
            x, y, label = (float(value) for value in point)
        except (TypeError, ValueError):
            raise ValueError(f"point {number} must be (x, y, label), such as (384, 420, 1); got {point!r}.") from None
        if label not in (0.0, 1.0):
            raise ValueError(f"point {number} has label {point[2]!r}; 1 is on the garment, 0 is not.")
        # The comparison is false for NaN too.
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(
                f"point {number} ({x:g}, {y:g}) is outside the image of {width}x{height} pixels (width x height); "
                f"x must be in 0..{width - 1} and y in 0..{height - 1}."
            )
        pixel = int(x), int(y)
        if seen.setdefault(pixel, int(label)) != int(label):
            raise ValueError(
                f"point {number} ({x:g}, {y:g}) contradicts an earlier one: the same pixel is both on the garment and not."
            )
        checked.append((x, y, int(label)))
    if checked[0][2] == 0:
        raise ValueError(
            "the first point has label 0 (not the garment): click on the garment first, label 1, then on what is too much."
        )
    return tuple(checked)

"""What a value from outside has to be, and the words for what came instead: one fault, one message.

Every check takes the value and the ``name`` of the parameter as whoever gave it knows it, and returns the value as it is to be used. One
that does not fit is a ``ValueError`` that begins with that name and says what was expected, what came and, where it helps, what to do.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from operator import index
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

SMALLEST = 64
"""Pixels of a picture's shorter side below which nothing here can work."""

Point = tuple[float, float, int]
"""x, y in image pixels, and label: 1 on the garment, 0 beside it."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom edge in image pixels."""

T = TypeVar("T")


def image(value: Any, name: str = "image") -> np.ndarray:
    """uint8 (H, W, 3) RGB of at least :data:`SMALLEST` pixels a side."""
    if not isinstance(value, np.ndarray):
        raise ValueError(
            f"{name} must be a uint8 array (H, W, 3) in RGB, not a {type(value).__name__}. Read files with read_image(path)."
        )
    if value.ndim == 2:
        raise ValueError(f"{name} must have shape (H, W, 3), not {value.shape}. Stack a grey picture three times.")
    if value.ndim == 3 and value.shape[2] == 4:
        raise ValueError(
            f"{name} has four channels (RGBA). Drop the alpha with {name}[..., :3], or read the file with read_image(path), "
            "which puts it on white."
        )
    if value.ndim != 3 or value.shape[2] != 3:
        raise ValueError(f"{name} must have shape (H, W, 3), not {value.shape}.")
    if value.dtype != np.uint8:
        floats = np.issubdtype(value.dtype, np.floating)
        hint = f" Floats of 0..1 become it by ({name} * 255).round().astype(np.uint8)." if floats else ""
        raise ValueError(f"{name} must be uint8 in 0..255, not {value.dtype}.{hint}")
    height, width = value.shape[:2]
    if min(height, width) < SMALLEST:
        raise ValueError(f"{name} is {width}x{height} pixels; at least {SMALLEST} a side are needed. Use a larger picture.")
    return value


def mask(value: Any, shape: tuple[int, int], name: str = "mask", *, empty: bool = False) -> np.ndarray:
    """bool (H, W) of ``shape`` (height, width) with something in it, or with nothing too where it may be ``empty``."""
    if not isinstance(value, np.ndarray) or value.ndim != 2:
        raise ValueError(f"{name} must be a bool array (H, W), not {getattr(value, 'shape', type(value).__name__)}.")
    if value.dtype != bool:
        raise ValueError(
            f"{name} must be bool, not {value.dtype}. A grey agnostic picture is not a mask; compare first: {name} > 127."
        )
    if value.shape != tuple(shape):
        raise ValueError(f"{name} is {value.shape[1]}x{value.shape[0]} but its picture is {shape[1]}x{shape[0]} pixels.")
    if not (empty or value.any()):
        raise ValueError(f"{name} is empty. Click on the garment first, or check the points.")
    return value


def point(value: Any, size: tuple[int, int] | None = None, name: str = "point") -> Point:
    """(x, y, label), label 0 or 1, inside a picture of ``size`` (width, height); without a size, anywhere from (0, 0) on."""
    try:
        x, y, label = (float(number) for number in value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be (x, y, label), such as (384, 420, 1), not {value!r}.") from None
    if label not in (0.0, 1.0):
        raise ValueError(f"{name}: label is 1 (on the garment) or 0 (beside it), not {label:g}.")
    width, height = size or (math.inf, math.inf)
    if not (0 <= x < width and 0 <= y < height):  # also turns away NaN
        reach = f"x is 0..{width - 1} and y is 0..{height - 1}" if size else "x and y are pixels, from 0 on"
        raise ValueError(f"{name}: ({x:g}, {y:g}) lies outside the image; {reach}.")
    return x, y, int(label)


def points(value: Any, size: tuple[int, int] | None = None, name: str = "points") -> tuple[Point, ...]:
    """A list, also an empty one, of what :func:`point` takes."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ValueError(f"{name} must be a list of (x, y, label), not {value!r}.")
    return tuple(point(row, size, f"{name}[{place}]") for place, row in enumerate(value))


def clicks(value: Any, size: tuple[int, int], name: str = "points", *, boxed: bool = False) -> tuple[Point, ...]:
    """:func:`points` that a mask can be made of: at least one, the first on the garment, no pixel both on the garment and beside it.

    boxed: there is a box around the garment too: then there may be none, or only such as are beside it
    """
    checked = points(value, size, name)
    if not (checked or boxed):
        raise ValueError(f"{name} is empty: give at least one click on the garment, such as {name}=[(384, 420, 1)].")
    if not (boxed or checked[0][2]):
        raise ValueError(
            f"{name}[0] has label 0 (beside the garment): click on the garment first, label 1, then on what is too much."
        )
    seen: dict[tuple[int, int], int] = {}
    for place, (x, y, label) in enumerate(checked):
        if seen.setdefault((int(x), int(y)), label) != label:
            raise ValueError(
                f"{name}[{place}]: ({x:g}, {y:g}) contradicts an earlier one: that pixel is both on the garment and not."
            )
    return checked


def box(value: Any, size: tuple[int, int], name: str = "box") -> Box:
    """(x0, y0, x1, y1) in pixels, top left and bottom right, inside a picture of ``size`` (width, height) and not empty."""
    try:
        x0, y0, x1, y1 = (float(number) for number in value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be (x0, y0, x1, y1), top left and bottom right in pixels, not {value!r}.") from None
    width, height = size
    if not (0 <= x0 <= width and 0 <= x1 <= width and 0 <= y0 <= height and 0 <= y1 <= height):  # also turns away NaN
        raise ValueError(f"{name}: {value!r} lies outside the image; x is 0..{width} and y is 0..{height}.")
    if not (x0 + 1 <= x1 and y0 + 1 <= y1):
        raise ValueError(f"{name}: {value!r} is empty. x0 is left of x1, and y0 above y1.")
    return x0, y0, x1, y1


def whole(value: Any, name: str, low: int, high: int | None = None, *, multiple: int = 1, instead: str = "") -> int:
    """A whole number from ``low`` to ``high``, Python's or NumPy's, no bool; where wanted, a multiple of something.

    instead: what the caller takes in its place, as the message is to say it
    """
    reach = f"of at least {low}" if high is None else f"from {low} to {high}"
    top = math.inf if high is None else high
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= top:
        raise ValueError(f"{name} must be {instead and f'{instead} or '}a whole number {reach}, not {value!r}.")
    if value % multiple:
        raise ValueError(
            f"{name} must be a multiple of {multiple}, not {value}; the nearest is {multiple * round(value / multiple)}."
        )
    return int(value)


def number(value: Any, name: str, low: float, high: float, *, above: bool = False) -> float:
    """A finite number from ``low`` to ``high``, no bool; with ``above``, ``low`` itself does not fit."""
    fits = not isinstance(value, bool) and isinstance(value, int | float | np.integer | np.floating) and low <= value <= high
    if not fits or (above and value == low):
        reach = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
        raise ValueError(f"{name} must be a number {reach}, not {value!r}.")
    return float(value)


def size(value: Any, low: int, high: int, name: str = "size", *, multiple: int = 1) -> tuple[int, int]:
    """(width, height) in pixels, each from ``low`` to ``high`` and a multiple of ``multiple``."""
    try:
        width, height = (index(v) for v in value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be (width, height) in pixels, not {value!r}.") from None
    if not (low <= width <= high and low <= height <= high):
        raise ValueError(f"{name} must be {low} to {high} pixels a side, not {width}x{height}.")
    if width % multiple or height % multiple:
        nearest = "x".join(str(multiple * round(v / multiple)) for v in (width, height))
        raise ValueError(f"{name} must be multiples of {multiple}, not {width}x{height}; the nearest is {nearest}.")
    return width, height


def one_of(value: T, name: str, allowed: Sequence[T]) -> T:
    """One of ``allowed``."""
    if value not in allowed:
        *others, last = map(str, allowed)
        listed = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"{name} must be {listed}, not {value!r}.")
    return value


def flag(value: Any, name: str) -> bool:
    """``True`` or ``False``, and not what only counts as such."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, not {value!r}.")
    return bool(value)


def text(value: Any, name: str) -> str:
    """Text, also an empty one."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, not {value!r}.")
    return value


def function(value: Any, name: str) -> Callable[..., Any]:
    """Something to be called."""
    if not callable(value):
        raise ValueError(f"{name} must be a function, not {value!r}.")
    return value


def instance(value: Any, name: str, kind: str) -> Any:
    """An object of the class ``kind``, ``module:Class``; the module is not imported, for nobody has an object of a class that never was."""
    module, _, attribute = kind.partition(":")
    wanted = getattr(sys.modules.get(module), attribute, None)
    if wanted is None or not isinstance(value, wanted):
        raise ValueError(f"{name} must be a {attribute} of {module}, not {value!r}.")
    return value


def path(value: Any, name: str) -> Path:
    """The name of a file, with ``~`` expanded; whether the file exists is not asked."""
    if not isinstance(value, str | Path):
        raise ValueError(f"{name} must be the name of a file, not {value!r}.")
    return Path(value).expanduser()

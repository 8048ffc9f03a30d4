"""What a value from outside has to be, and the words for what came instead: one fault, one message.

Every check takes the value and the ``name`` of the parameter as whoever gave it knows it, and returns the value as it is to be used. One
that does not fit is a ``ValueError`` that begins with that name and says what was expected, what came and, where it helps, what to do.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

SMALLEST = 64
"""Pixels of a picture's shorter side below which nothing here can work."""

LARGEST = 60_000_000
"""Pixels of a picture in all, of a file as of an array: more than any phone takes, less than memory holds."""

SLENDEREST = 12
"""How many times its shorter side a picture's longer side may be: try-on works at 768 pixels, of which 64 are needed across."""

Point = tuple[float, float, int]
"""x, y in image pixels, and label: 1 on the garment, 0 beside it."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom edge in image pixels."""

T = TypeVar("T")

MOST_POINTS = 256
"""Clicks on one garment: a hand makes a dozen, and each costs some milliseconds."""
_LONGEST = 100_000  # characters of a text
_PLAIN = (str, bytes, int, float, complex, type(None), list, tuple, dict, set, frozenset, range, Path, np.generic)


def shown(value: Any, most: int = 80) -> str:
    """``value`` as a message shows it: as Python writes it, cut where that is long, or what kind of thing it is."""
    if isinstance(value, np.ndarray):
        return f"an array {value.dtype} {value.shape}"
    if isinstance(value, type) or not isinstance(value, _PLAIN):
        kind = value.__name__ if isinstance(value, type) else type(value).__name__
        return f"the class {kind}" if isinstance(value, type) else f"{'an' if kind[:1] in 'AEIOaeio' else 'a'} {kind}"
    if isinstance(value, str | bytes) and len(value) > most:
        return f"{value[: most // 2]!r}... ({len(value):,} characters)"
    if isinstance(value, int) and abs(value) >= 10**most:
        return f"a number of some {round(value.bit_length() * math.log10(2)):,} digits"
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits inside, a list in itself
        return f"a {type(value).__name__}"
    return text if len(text) <= most else f"{text[:most]}..."


def near(name: object, known: Iterable[str]) -> str:
    """`` (did you mean 'seed'?)`` where ``name`` is nearly one of those that are ``known``, else nothing."""
    found = difflib.get_close_matches(str(name)[:64].strip().casefold(), list(known), 1, 0.7)
    return f" (did you mean {found[0]!r}?)" if found else ""


def image(value: Any, name: str = "image") -> np.ndarray:
    """uint8 (H, W, 3) RGB of at least :data:`SMALLEST` pixels a side and :data:`LARGEST` in all, in one piece of memory."""
    value = _array(
        value, name, "a uint8 array (H, W, 3) in RGB, not a", "read_image(path)", f"np.array({_last(name)}.convert('RGB'))"
    )
    if value.ndim == 2:
        raise ValueError(f"{name} must have shape (H, W, 3), not {value.shape}. Stack a grey picture three times.")
    if value.ndim == 3 and value.shape[2] == 4:
        raise ValueError(
            f"{name} has four channels (RGBA). Drop the alpha with {_last(name)}[..., :3], or read the file with read_image(path), "
            "which puts it on white."
        )
    if value.ndim != 3 or value.shape[2] != 3:
        first = value.ndim == 3 and value.shape[0] == 3
        hint = (
            f" Channels come last: np.moveaxis({_last(name)}, 0, 2)."
            if first
            else f" One picture: {_last(name)}[0]."
            if value.ndim == 4
            else ""
        )
        raise ValueError(f"{name} must have shape (H, W, 3), not {value.shape}.{hint}")
    if value.dtype != np.uint8:
        raise ValueError(f"{name} must be uint8 in 0..255, not {value.dtype}.{_as_bytes(value, _last(name))}")
    if fault := odd_size(value.shape[1::-1]):
        raise ValueError(f"{name} {fault}")
    return np.ascontiguousarray(value)


def odd_size(size: tuple[int, int], smallest: int = SMALLEST) -> str:
    """Why a picture of (width, height) pixels cannot be worked with, to follow its name; "" where it can.

    smallest: pixels a side below which it cannot; where that is less than :data:`SMALLEST`, nobody is in it and its shape is free
    """
    width, height = size
    short, long = sorted(size)
    if short < smallest:
        return f"is {width}x{height} pixels; at least {smallest} a side are needed. Use a larger picture."
    if width * height > LARGEST:
        return f"is {width}x{height} pixels, more than {LARGEST // 10**6} megapixels. Make it smaller first."
    if smallest >= SMALLEST and long > SLENDEREST * short:
        return f"is {width}x{height} pixels; one side may be {SLENDEREST} times the other at most. Cut out what it is about."
    return ""


def mask(value: Any, shape: tuple[int, int], name: str = "mask", *, empty: bool = False) -> np.ndarray:
    """bool (H, W) of ``shape`` (height, width) with something in it, or with nothing too where it may be ``empty``."""
    value = _array(value, name, "a bool array (H, W), not", "read_mask(path)", f"np.array({_last(name)}.convert('L')) > 127")
    if value.ndim != 2:
        flat = value.ndim == 3 and value.shape[2] in (1, 3, 4)
        hint = f" Take one channel: {_last(name)}[..., 0]." if flat else ""
        raise ValueError(f"{name} must be a bool array (H, W), not {value.shape}.{hint}")
    if value.dtype != bool:
        half = (
            f"{_last(name)} > 127, or > 0 where white is 1"
            if value.dtype == np.uint8
            else f"{_last(name)} > 0.5, where white is 1"
        )
        raise ValueError(
            f"{name} must be bool, not {value.dtype}. A grey agnostic picture is not a mask; compare first: {half}."
        )
    if value.shape != tuple(shape):
        raise ValueError(f"{name} is {value.shape[1]}x{value.shape[0]} but its picture is {shape[1]}x{shape[0]} pixels.")
    if not (empty or value.any()):
        raise ValueError(f"{name} is empty. Click on the garment first, or check the points.")
    return np.ascontiguousarray(value)


def _array(value: Any, name: str, wanted: str, reader: str, converted: str) -> np.ndarray:
    """A plain array. reader: how a file becomes one; converted: how a picture of Pillow's does"""
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(f"{name} must be {wanted} masked array. Fill what it leaves out: {_last(name)}.filled(0).")
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    if hasattr(value, "convert") and hasattr(value, "getbands"):
        hint = f"A picture of Pillow's becomes one by {converted}."
    elif hasattr(value, "detach") and hasattr(value, "cpu"):
        hint = f"A tensor becomes one by {_last(name)}.detach().cpu().numpy(), channels last, in 0..255."
    else:
        hint = f"Read files with {reader}."
    raise ValueError(f"{name} must be {wanted} {type(value).__name__}. {hint}")


def _last(name: str) -> str:
    """What to call a value in code: the last word of its ``name``."""
    return name.split()[-1]


def _as_bytes(value: np.ndarray, name: str) -> str:
    """How ``value`` becomes uint8, to follow what is wrong with it."""
    if value.dtype == bool:
        return f" It becomes so by {name} * np.uint8(255)."
    if np.issubdtype(value.dtype, np.floating):
        if (value > 1).any():
            return f" Floats of 0..255 become it by {name}.clip(0, 255).round().astype(np.uint8)."
        return f" Floats of 0..1 become it by ({name} * 255).round().astype(np.uint8)."
    if value.dtype.kind in "ui":
        wide = value.size and value.max() > 255
        return (
            f" 16 bits become it by ({name} // 257).astype(np.uint8)."
            if wide
            else f" It becomes so by {name}.astype(np.uint8)."
        )
    return ""


def values(
    value: Any, shape: tuple[int, ...], name: str, what: str, low: float, high: float, dtype: str = "float32"
) -> np.ndarray:
    """An array of ``shape`` in which everything lies from ``low`` to ``high``: uint8, or float32 and then float64 too.

    what: what the numbers are, as the message is to say it
    """
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{name} must be a {dtype} array of {what}, not a {type(value).__name__}.")
    if value.dtype.name not in {"uint8": ("uint8",), "float32": ("float32", "float64")}[dtype]:
        raise ValueError(f"{name} must be {dtype} ({what}), not {value.dtype}. Convert it first, with .astype(np.{dtype}).")
    if value.shape != shape:
        raise ValueError(f"{name} must have shape {shape} ({what}), not {value.shape}.")
    least, most = value.min(), value.max()
    if not low <= least or not most <= high:  # also turns away NaN
        found = least if not low <= least else most
        raise ValueError(f"{name} must be {what}, all from {low:g} to {high:g}; it holds {found:g}.")
    return value


def point(value: Any, size: tuple[int, int] | None = None, name: str = "point") -> Point:
    """(x, y, label), label 0 or 1, inside a picture of ``size`` (width, height); without a size, anywhere from (0, 0) on."""
    try:
        x, y, label = _numbers(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be (x, y, label), such as (384, 420, 1), not {shown(value)}.") from None
    if label not in (0.0, 1.0):
        raise ValueError(f"{name}: label is 1 (on the garment) or 0 (beside it), not {label:g}.")
    width, height = size or (math.inf, math.inf)
    if not (0 <= x < width and 0 <= y < height):  # also turns away NaN
        reach = f"x is 0..{width - 1} and y is 0..{height - 1}" if size else "x and y are pixels, from 0 on"
        raise ValueError(f"{name}: ({x:g}, {y:g}) lies outside the image; {reach}.")
    return x, y, int(label)


def _numbers(values: Any) -> list[float]:
    """The numbers of a row, Python's or NumPy's; ``TypeError`` for what is no row, or holds text, flags or anything else."""
    if not isinstance(values, list | tuple | np.ndarray) or not all(_is_number(value) for value in values):
        raise TypeError
    return [float(value) for value in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return _is_number(value) and (abs(value) <= sys.float_info.max if isinstance(value, int) else math.isfinite(value))


def points(value: Any, size: tuple[int, int] | None = None, name: str = "points") -> tuple[Point, ...]:
    """A list, also an empty one, of at most :data:`MOST_POINTS` of what :func:`point` takes."""
    if not isinstance(value, list | tuple | np.ndarray):
        raise ValueError(f"{name} must be a list of (x, y, label), not {shown(value)}.")
    if len(value) > MOST_POINTS:
        raise ValueError(
            f"{name} are {len(value):,}; at most {MOST_POINTS} are taken. Some in the middle of the garment are enough."
        )
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
        x0, y0, x1, y1 = _numbers(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be (x0, y0, x1, y1), top left and bottom right in pixels, not {shown(value)}.") from None
    width, height = size
    if not (0 <= x0 <= width and 0 <= x1 <= width and 0 <= y0 <= height and 0 <= y1 <= height):  # also turns away NaN
        raise ValueError(f"{name}: {shown(value)} lies outside the image; x is 0..{width} and y is 0..{height}.")
    if not (x0 + 1 <= x1 and y0 + 1 <= y1):
        raise ValueError(f"{name}: {shown(value)} is empty. x0 is left of x1, and y0 above y1.")
    return x0, y0, x1, y1


def whole(value: Any, name: str, low: int, high: int | None = None, *, multiple: int = 1, instead: str = "") -> int:
    """A whole number from ``low`` to ``high``, Python's or NumPy's, no bool; where wanted, a multiple of something.

    instead: what the caller takes in its place, as the message is to say it
    """
    reach = f"of at least {low}" if high is None else f"from {low} to {high}"
    top = math.inf if high is None else high
    if not _is_number(value) or isinstance(value, float | np.floating) or not low <= value <= top:
        raise ValueError(f"{name} must be {instead and f'{instead} or '}a whole number {reach}, not {shown(value)}.")
    if value % multiple:
        raise ValueError(
            f"{name} must be a multiple of {multiple}, not {shown(value)}; the nearest is {multiple * round(value / multiple)}."
        )
    return int(value)


def number(value: Any, name: str, low: float, high: float, *, above: bool = False) -> float:
    """A finite number from ``low`` to ``high``, no bool; with ``above``, ``low`` itself does not fit."""
    fits = _is_finite(value) and low <= value <= high
    if not fits or (above and value == low):
        reach = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
        raise ValueError(f"{name} must be a number {reach}, not {shown(value)}.")
    return float(value)


def finite(value: Any, name: str) -> float:
    """A number that is neither infinite nor none."""
    if not _is_finite(value):
        raise ValueError(f"{name} must be a finite number, not {shown(value)}.")
    return float(value)


def size(value: Any, low: int, high: int, name: str = "size", *, multiple: int = 1) -> tuple[int, int]:
    """(width, height) in pixels, each from ``low`` to ``high`` and a multiple of ``multiple``."""
    pair = list(value) if isinstance(value, list | tuple | np.ndarray) else []
    if len(pair) != 2 or not all(_is_number(side) and not isinstance(side, float | np.floating) for side in pair):
        raise ValueError(f"{name} must be (width, height) in pixels, not {shown(value)}.")
    width, height = pair
    if not (low <= width <= high and low <= height <= high):
        raise ValueError(f"{name} must be {low} to {high} pixels a side, not {shown(width)}x{shown(height)}.")
    if width % multiple or height % multiple:
        nearest = "x".join(str(multiple * round(v / multiple)) for v in (width, height))
        raise ValueError(f"{name} must be multiples of {multiple}, not {width}x{height}; the nearest is {nearest}.")
    return int(width), int(height)


def one_of(value: T, name: str, allowed: Sequence[T]) -> T:
    """One of ``allowed``."""
    if not isinstance(value, type(allowed[0])) or value not in allowed:
        *others, last = map(str, allowed)
        listed = f"{', '.join(others)} or {last}" if others else last
        meant = near(value, map(str, allowed)) if isinstance(value, str) else ""
        raise ValueError(f"{name} must be {listed}, not {shown(value)}{meant}.")
    return value


def names(value: Any, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """Some of the names ``allowed``, or none, in a list, tuple or set."""
    if not isinstance(value, list | tuple | set | frozenset):
        raise ValueError(f"{name} must be a list of names such as {list(allowed[:2])}, not {shown(value)}.")
    for each in value:
        if not isinstance(each, str) or each not in allowed:
            raise ValueError(f"{name} names some of {', '.join(allowed)}, not {shown(each)}{near(each, allowed)}.")
    return tuple(value)


def flag(value: Any, name: str) -> bool:
    """``True`` or ``False``, and not what only counts as such."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, not {shown(value)}.")
    return bool(value)


def text(value: Any, name: str) -> str:
    """Text, also an empty one, that every file and page can hold."""
    called(value, name)
    if len(value) > _LONGEST:
        raise ValueError(f"{name} has {len(value):,} characters; at most {_LONGEST:,} are read.")
    if found := next((letter for letter in value if letter == "\0" or "\ud800" <= letter <= "\udfff"), ""):
        what = "a NUL character" if found == "\0" else "bytes that are no text in UTF-8"
        raise ValueError(f"{name} holds {what}: {shown(value)}. Write it without them; a file can be renamed.")
    return value


def called(value: Any, name: str) -> str:
    """Text by which something is called: any, for files are named by what is plain in it."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, not {shown(value)}.")
    return value


def words(value: Any, name: str = "prompt") -> str:
    """Text of at least one word, which describes something."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text such as 'a crop top and mini skirt', not {shown(value)}.")
    if not text(value, name).strip():
        raise ValueError(f"{name} is empty. Write for example 'a woman in a crop top and mini skirt'.")
    return value


def mapping(value: Any, name: str) -> dict:
    """A dict, also an empty one."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a dict, not {shown(value)}.")
    return value


def function(value: Any, name: str) -> Callable[..., Any]:
    """Something to be called."""
    if not callable(value):
        raise ValueError(f"{name} must be a function, not {shown(value)}.")
    return value


def instance(value: Any, name: str, kind: str) -> Any:
    """An object of the class ``kind``, ``module:Class``; the module is not imported, for nobody has an object of a class that never was."""
    module, _, attribute = kind.partition(":")
    wanted = getattr(sys.modules.get(module), attribute, None)
    if wanted is None or not isinstance(value, wanted):
        raise ValueError(f"{name} must be a {attribute} of {module}, not {shown(value)}.")
    return value


def path(value: Any, name: str) -> Path:
    """The name of a file, with ``~`` expanded; whether the file exists is not asked."""
    if not isinstance(value, str | Path) or not str(value).strip():
        raise ValueError(f"{name} must be the name of a file, not {shown(value)}.")
    if "\0" in str(value):
        text(str(value), name)
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{name}: {shown(str(value))} names nobody's home folder ({error}). Write the path out.") from None


def file(value: Any, name: str) -> Path:
    """A file that is there, has something in it and may be read; no folder, pipe, device or socket, on which reading could wait for ever.

    Raises ``FileNotFoundError`` or ``ValueError`` naming ``name``, the file, and what to do.
    """
    found = path(value, name)
    try:
        status = found.stat()
    except (FileNotFoundError, NotADirectoryError):
        if found.is_symlink():
            raise FileNotFoundError(f"{name}: {found} is a link to {os.readlink(found)}, which does not exist.") from None
        web = "Download it and name the file here." if re.match(r"\w+:/", str(value)) else ""
        hint = web or f"Check the path; relative ones start at {Path.cwd()}."
        raise FileNotFoundError(f"{name}: there is no file {found}. {hint}") from None
    except (
        OSError,
        ValueError,
    ) as error:  # a link to itself, a name that is too long or has odd letters, a folder that is closed
        why = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"{name}: {str(found)!r} cannot be opened ({why}). Check the path.") from None
    if stat.S_ISDIR(status.st_mode):
        raise ValueError(f"{name}: {found} is a folder, not a file. Name one file in it.")
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{name}: {found} is a pipe, device or socket, not a file. Copy what comes from it into a file first.")
    if status.st_size == 0:  # also what /proc shows, where some files never end
        raise ValueError(f"{name}: {found} is empty. Copy or download it again.")
    if not os.access(found, os.R_OK):
        raise ValueError(f"{name}: {found} may not be read. Change its permissions, or copy it.")
    return found

"""JSON beside the pictures: read with care, and written so that every reader takes it."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence, Set, ValuesView
from pathlib import Path
from typing import Any

import numpy as np

LARGEST = 64_000_000  # bytes
_DEEPEST, _MOST = 64, 100_000
_SAFE = 2**63  # beyond it many readers round or fail


def read(path: Path, name: str, remedy: str) -> Any:
    """What is in the JSON file ``path``. Raises ``ValueError`` naming ``name`` and the file, with the ``remedy``, where it is none."""
    try:
        if not path.is_file():
            raise ValueError("it is no file" if path.exists() else "there is no such file")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError(f"it holds more than {LARGEST // 10**6} MB")
        return json.loads(content.decode("utf-8-sig"))
    except RecursionError:
        reason = "it is nested too deep"
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except json.JSONDecodeError as error:
        reason = f"it is not JSON: {error.msg}, line {error.lineno}" if content.strip() else "it is empty"
    except OSError as error:
        reason = f"it cannot be read: {error.strerror}"
    except ValueError as error:
        reason = "a number in it has thousands of digits" if "digits" in str(error) else str(error)
    raise ValueError(f"{name}: {path} is damaged ({reason}). {remedy}")


def plain(value: Any, name: str) -> Any:
    """``value`` as JSON that every reader takes: numbers that are not finite become null, arrays, tuples and sets lists, records of fields
    and mappings objects with text keys, very large whole numbers and everything else text.

    Raises ``ValueError`` naming the part, such as ``metrics.seconds``, that contains itself or has two keys of one text.
    """
    return _plain(value, name, ())


def _plain(value: Any, name: str, around: tuple[int, ...]) -> Any:
    if isinstance(value, np.ndarray | Collection) and not isinstance(value, str | bytes):
        size = value.size if isinstance(value, np.ndarray) else len(value)
        if size > _MOST:
            raise ValueError(f"{name} holds {size:,} values, at most {_MOST:,} are kept. Leave that part out.")
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < _SAFE else _large(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()  # half a character is none
    if id(value) in around:
        raise ValueError(f"{name} contains itself, which JSON cannot hold. Leave that part out.")
    if len(around) > _DEEPEST:
        raise ValueError(f"{name} is nested more than {_DEEPEST} deep. Leave that part out.")
    around = (*around, id(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {part.name: getattr(value, part.name) for part in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        keys = [_plain(_text(key), name, around) for key in value]
        if len(set(keys)) < len(keys):
            raise ValueError(f"{name} has two keys that are the same as text, which JSON cannot hold. Name them differently.")
        return {key: _plain(item, f"{name}.{key}", around) for key, item in zip(keys, value.values(), strict=True)}
    if isinstance(value, Set):  # without an order of its own
        value = sorted(value, key=_text)
    if isinstance(value, Sequence | ValuesView) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(item, f"{name}[{place}]", around) for place, item in enumerate(value)]
    return _plain(_text(value), name, around)


def _text(value: Any) -> str:
    """``value`` in words: its own where it has any, else of what class it is."""
    if isinstance(value, str):
        return value
    try:
        words = str(value)
    except Exception:  # of a class of somebody's own
        words = ""
    return f"a {type(value).__name__}" if not words or re.search(r" at 0x[0-9a-fA-F]+>", words) else words


def _large(value: int) -> str:
    try:
        return str(int(value))
    except ValueError:  # Python writes no number of more than some thousand digits
        return hex(value)


def require_plain(value: Any, name: str) -> None:
    """Raises ``ValueError`` naming the part of ``value`` that would not come back from JSON as it is."""
    _require_plain(value, name, 0)


def _require_plain(value: Any, name: str, deep: int) -> None:
    if deep > _DEEPEST:
        raise ValueError(f"{name} contains itself or is nested more than {_DEEPEST} deep, which JSON cannot hold.")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{name} has the key {key!r}; keys must be text.")
            _require_plain(item, f"{name}[{key!r}]", deep + 1)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            _require_plain(item, f"{name}[{place}]", deep + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is {value}, which JSON cannot hold. Give a finite number, or None.")
    elif isinstance(value, int) and value.bit_length() > 1024:
        raise ValueError(f"{name} is a number of more digits than JSON's readers take.")
    elif not (value is None or isinstance(value, bool | int | float | str)):
        raise ValueError(f"{name} is a {type(value).__name__}; JSON holds text, numbers, lists and dicts. Convert it first.")

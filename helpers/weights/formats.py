"""What a file really is, told by its structure before anything in it is used: costs a few reads however large the file."""

from __future__ import annotations

import json
import mmap
import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

KINDS = {
    ".safetensors": "safetensors",
    ".pth": "torch",
    ".ckpt": "torch",
    ".pt": "torch",
    ".bin": "torch",
    ".onnx": "onnx",
    ".tflite": "tflite",
    ".pkl": "pickle",
    ".json": "json",
    ".txt": "text",
}
"""What a file should be, by its suffix."""
LARGEST_TEXT = 64 << 20
"""Bytes of a configuration or vocabulary; the published ones are below 2 MB."""
_LARGEST_HEADER = 16 << 20  # bytes of a safetensors header, some 150,000 tensors; SDXL's is 0.3 MB
_LARGEST_PICKLE = 8 << 20  # bytes of what torch pickles beside its tensors' bytes, some 40,000 tensors
_STAND_IN = 64  # bytes; IDM-VTON's git repository holds files of 24 to 31 bytes in place of checkpoints
_MOST_FIELDS, _DEEPEST = 300_000, 16  # of an ONNX file; SCHP's have some 20,000, three deep
_ITEM = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8}
_ITEM |= {"F64": 8, "C64": 8, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1, "F8_E5M2FNUZ": 1, "F8_E4M3FNUZ": 1}
_LAYERS = re.compile(r"layer|depth|block|head", re.IGNORECASE)
_ACTING = re.compile(
    r"_?attn_implementation\w*|auto_map|trust_remote_code|custom_\w+|quantization_config|_?experts_implementation\w*"
)


class Damaged(ValueError):
    """A file is not what its name says: a placeholder, cut short, an error page, or made to do harm."""


@contextmanager
def reading(path: str | Path, what: str, remedy: str = "Fetch it again.") -> Iterator[None]:
    """Turn whatever a library says of a file it cannot read as ``what`` into ``Damaged``, which names the file and the remedy.

    Errors that are ours pass, and those of memory, which is not the file's fault. What the library advises is not passed on: torch
    recommends to switch its protection off.
    """
    try:
        yield
    except (Damaged, MemoryError):
        raise
    except Exception as error:
        if type(error).__name__ == "OutOfMemoryError" or type(error).__module__.startswith("helpers."):
            raise
        reason = (str(error).splitlines() or [""])[0][:200]
        advises = not reason or re.search(r"weights_only|torch\.load|trust_remote_code|allow_pickle", reason)
        raise Damaged(f"{path} cannot be read as {what} ({type(error).__name__ if advises else reason}). {remedy}") from None


def check(path: str | Path, kind: str, name: str = "", remedy: str = "Fetch it again.") -> Path:
    """``path`` if it looks like a whole file of ``kind`` (a value of :data:`KINDS`).

    Raises ``Damaged`` saying what it is instead, ``FileNotFoundError`` where there is none; ``name`` is what the message calls it.
    """
    path = Path(path)
    try:
        what = _instead(path, kind)
    except FileNotFoundError:
        raise FileNotFoundError(f"{name + ': ' if name else ''}{path} is not there. {remedy}") from None
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
    if what:
        raise Damaged(f"{name + ': ' if name else ''}{path} {what}. {remedy}")
    return path


def _instead(path: Path, kind: str) -> str:
    """What is wrong with the file, as the end of a sentence; empty where nothing is."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        return f"is {'a folder' if stat.S_ISDIR(about.st_mode) else 'a pipe, a socket or a device'}, not a file"
    size = about.st_size
    if size == 0:
        return "is empty"
    with path.open("rb") as file:
        head = file.read(4096)
    start = head.lstrip()[:256].lower()
    if start.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, a few lines that stand for the file"
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "is an HTML page (an error or a log-in page of a server), not the file"
    if kind in ("json", "text"):
        return _text_problem(path, kind, size)
    if size < _STAND_IN:
        return f"is a placeholder of {size} bytes, not the file"
    if start.startswith(b"{") and b"\0" not in head[:8] and size < 65536:  # a safetensors file begins with a length
        return "is a text of a server (JSON), not the file"
    look = {
        "safetensors": _safetensors_problem,
        "torch": _torch_problem,
        "onnx": _onnx_problem,
        "tflite": _tflite_problem,
        "pickle": _pickle_problem,
    }[kind]
    return look(path, head, size)


# Texts


def parse_json(text: str | bytes) -> dict[str, Any]:
    """An object of JSON, strictly: every name once, every number a number, text that can be written again.

    Raises ``ValueError`` saying what is wrong.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands twice in one object")
        return found

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number of JSON")

    try:
        found = json.loads(text, object_pairs_hook=once, parse_constant=refuse)
        json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("it holds halves of characters") from None
    if not isinstance(found, dict):
        raise ValueError(f"an object {{...}} is wanted, not a {type(found).__name__}")
    return found


def read_json(path: str | Path, remedy: str = "Fetch it again.") -> dict[str, Any]:
    """The object in a JSON file. Raises ``Damaged`` where there is none."""
    return parse_json(check(path, "json", remedy=remedy).read_bytes())


def read_config(path: str | Path, remedy: str = "Fetch it again.") -> dict[str, Any]:
    """:func:`read_json` for the configuration of a network: no size in it beyond what any has, and nothing that names code to be run.

    Raises ``Damaged`` for those too.
    """
    found = read_json(path, remedy)
    pending: list[tuple[str, Any]] = list(found.items())
    while pending:
        name, value = pending.pop()
        if _ACTING.fullmatch(name) and value:
            raise Damaged(f"{path} asks for code by its {name}, which no published file does. {remedy}")
        if isinstance(value, dict | list):
            pending += value.items() if isinstance(value, dict) else ((name, each) for each in value)
        elif isinstance(value, int | float) and abs(value) > (4096 if _LAYERS.search(name) else 1e6):
            raise Damaged(f"{path} gives {name} as {value:.3g}, which no network of this kind has. {remedy}")
    return found


def _text_problem(path: Path, kind: str, size: int) -> str:
    if size > LARGEST_TEXT:
        return f"has {size} bytes, far more than a {'configuration' if kind == 'json' else 'vocabulary'} has"
    try:
        data = path.read_bytes()
        data.decode()
        if kind == "json":
            parse_json(data.decode())
    except ValueError as error:
        return f"is not {'JSON' if kind == 'json' else 'text'} ({error})"
    return ""


# safetensors


def read_shapes(path: str | Path, remedy: str = "Fetch it again.") -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor in a safetensors file. Raises ``Damaged`` where it is damaged or none."""
    with check(path, "safetensors", remedy=remedy).open("rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = parse_json(file.read(length))
    return {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


def _safetensors_problem(path: Path, head: bytes, size: int) -> str:
    length = struct.unpack("<Q", head[:8])[0]
    if head[8:9] != b"{" or length > _LARGEST_HEADER:
        return "is not a safetensors file"
    if 8 + length > size:
        return f"is cut short: {size} bytes, within its header"
    with path.open("rb") as file:
        file.seek(8)
        try:
            header = parse_json(file.read(length))
        except ValueError as error:
            return f"is not a safetensors file: its header cannot be read ({error})"
    about = header.pop("__metadata__", {})
    if not isinstance(about, dict) or not all(isinstance(value, str) for value in about.values()):
        return "is not a safetensors file: what it says of itself is not text"
    places = []
    for name, entry in header.items():
        if not (isinstance(entry, dict) and entry.keys() == {"dtype", "shape", "data_offsets"}):
            return f"is not a safetensors file: its entry {name[:80]!r} is none of a tensor"
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in _ITEM:
            return f"is not a safetensors file that can be read: {name[:80]!r} holds {str(dtype)[:20]!r}"
        if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
            return f"is not a safetensors file: shape or place of {name[:80]!r} are no whole numbers from 0"
        if offsets[1] - offsets[0] != prod(shape) * _ITEM[dtype]:
            return f"is not a safetensors file: {name[:80]!r} has another size than its place"
        places.append(tuple(offsets))
    end = 0
    for begin, after in sorted(places):
        if begin != end:
            return "is not a safetensors file: its tensors overlap or leave gaps"
        end = after
    whole = 8 + length + end
    return "" if size == whole else f"is {'cut short' if size < whole else 'too long'}: {size} bytes of {whole}"


def _counts(values: Any) -> bool:
    return isinstance(values, list) and len(values) <= 32 and all(type(value) is int and value >= 0 for value in values)


# torch


def _torch_problem(path: Path, head: bytes, size: int) -> str:
    if head[:4] == b"PK\x03\x04":
        return _archive_problem(path, size)
    if head[:1] == b"\x80" and b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"[:4] in head[:64]:
        return ""  # torch's older format, known by its magic number
    return "is not a torch checkpoint"


def _archive_problem(path: Path, size: int) -> str:
    """torch stores its entries as they are, in one folder; whatever packs, overlaps or hides is made by something else."""
    try:
        if not zipfile.is_zipfile(path):
            return f"is cut short: {size} bytes, and the end of the archive is missing"
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except Exception as error:  # BadZipFile, NotImplementedError, struct.error, ValueError, ...: by what is broken
        return f"is no archive that can be read ({(str(error).splitlines() or ['broken'])[0][:80]})"
    names = [entry.filename for entry in entries]
    if any(name.partition("/")[2] in ("constants.pkl", "data/constants.pkl") or "/code/" in name for name in names):
        return "is a program (TorchScript), not a checkpoint of tensors"
    if packed(path):
        return ""  # what is in it is looked at when it is read
    pickles = [entry for entry in entries if entry.filename.partition("/")[2] == "data.pkl"]
    if len(pickles) != 1:
        return f"is not a torch checkpoint: an archive with {len(pickles) or 'no'} data.pkl"
    folder = pickles[0].filename.partition("/")[0] + "/"
    if len(set(names)) < len(names) or not all(name.startswith(folder) and ".." not in name for name in names):
        return "is not a torch checkpoint: its archive holds names twice or outside its folder"
    if any(entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size for entry in entries):
        return "is not a torch checkpoint: its archive is compressed"
    if sum(entry.file_size for entry in entries) > size:
        return "is not a torch checkpoint: its archive claims to hold more than it does"
    if pickles[0].file_size > _LARGEST_PICKLE:
        return f"is not a torch checkpoint of tensors: {pickles[0].file_size} bytes of it are something else"
    return ""


def packed(path: Path) -> str:
    """The name of the checkpoint that is alone in the archive ``path``, as releases on GitHub have it; empty for anything else."""
    if not zipfile.is_zipfile(path):
        return ""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return names[0] if len(names) == 1 and names[0].endswith((".pth", ".pt", ".ckpt")) else ""


def _tflite_problem(path: Path, head: bytes, size: int) -> str:
    """A FlatBuffer does not say how long it is; its size and hash are known (``manifest.toml``) and are compared."""
    return "" if head[4:8] == b"TFL3" else "is not a TensorFlow Lite file"


def _pickle_problem(path: Path, head: bytes, size: int) -> str:
    if head[:1] != b"\x80":
        return "is not a pickle of arrays"
    with path.open("rb") as file:
        file.seek(-1, 2)
        return "" if file.read(1) == b"." else f"is cut short: {size} bytes, and the end is missing"


# ONNX


class _Broken(Exception):
    """Says what is wrong with a protobuf, as the end of a sentence."""


def _onnx_problem(path: Path, head: bytes, size: int) -> str:
    """Walks the protobuf down to every tensor: lengths must end where their parts do, and all data lie in the file itself."""
    if head[:1] != b"\x08":  # field 1, the version of the format
        return "is not an ONNX file"
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return "" if _walk(data, size) else "is an ONNX file without a graph, or cut short"
        except _Broken as error:
            return str(error)


# What is looked into: message -> field -> the message there; fields of a tensor with None say that its data lie in another file.
_INSIDE: dict[str, dict[int, str | None]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: None, 14: None},
}


def _walk(data: mmap.mmap, size: int) -> bool:
    """Whether there is a graph in ``data``. Raises ``_Broken``."""
    pending, graph, left = [("model", 0, size, 0)], False, _MOST_FIELDS
    while pending:
        kind, at, end, depth = pending.pop()
        while at < end:
            left -= 1
            if left < 0 or depth > _DEEPEST:
                raise _Broken("is not an ONNX file of a network: it is nested too deeply or in too many parts")
            key, at = _varint(data, at, end, size)
            number, wire = key >> 3, key & 7
            if number == 0:
                raise _Broken("is not an ONNX file, or longer than it was")
            if wire == 0:
                value, at = _varint(data, at, end, size)
                after = at
            elif wire == 2:
                value, at = _varint(data, at, end, size)
                after = at + value
            elif wire in (1, 5) and kind != "model":
                value, after = 0, at + (8 if wire == 1 else 4)
            else:
                raise _Broken("is not an ONNX file")
            if after > end:
                raise _Broken(f"is cut short: {size} bytes of at least {after}" if end == size else "is not an ONNX file")
            if number in _INSIDE[kind]:
                inner = _INSIDE[kind][number]
                if inner is None:
                    if wire == 2 or value:
                        raise _Broken("is an ONNX file whose data lie in other files, which none of the published does")
                elif wire == 2:
                    pending.append((inner, at, after, depth + 1))
                graph |= kind == "model" and number == 7
            at = after
    return graph


def _varint(data: mmap.mmap, at: int, end: int, size: int) -> tuple[int, int]:
    """The number at ``at`` and where the next thing is."""
    value = 0
    for index, byte in enumerate(data[at : min(at + 10, end)]):
        value |= (byte & 127) << (7 * index)
        if byte < 128:
            if value >> 64:
                break
            return value, at + index + 1
    raise _Broken(f"is cut short: {size} bytes, within a field" if end == size and at + 10 > end else "is not an ONNX file")

"""What a checkpoint file really is, and its tensors: read without unpickling code, fitted strictly, converted in little memory."""

from __future__ import annotations

import errno
import json
import pickle
import re
import shutil
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.files import write_whole

if TYPE_CHECKING:
    import torch

KINDS = {
    ".safetensors": "safetensors",
    ".pth": "torch",
    ".pt": "torch",
    ".bin": "torch",
    ".onnx": "onnx",
    ".pkl": "pickle",
    ".json": "json",
    ".txt": "text",
}
"""What a file should be, by its suffix."""
_STAND_IN = 64  # bytes; IDM-VTON's git repository holds files of 24 to 31 bytes in place of checkpoints
_AT_ONCE = 1 << 30  # bytes of a checkpoint that are mapped before the mapping is renewed
SPARE = 500_000_000
"""Bytes of a disk that are left free."""
_NAMES = {"float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64"} | {
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}


class Damaged(ValueError):
    """A file is not what its name says: a placeholder, cut short, an error page."""


class Mismatch(ValueError):
    """A sound checkpoint of another network."""


def check(path: str | Path, kind: str, name: str = "", remedy: str = "Fetch it again.") -> Path:
    """``path`` if it looks like a whole file of ``kind`` (a value of :data:`KINDS`); costs a few reads however large it is.

    Raises ``Damaged`` saying what it is instead; ``name`` is what the message calls it.
    """
    path = Path(path)
    what = _instead(path, kind)
    if what:
        raise Damaged(f"{name + ': ' if name else ''}{path} {what}. {remedy}")
    return path


def _instead(path: Path, kind: str) -> str:
    """What is wrong with the file, as the end of a sentence; empty where nothing is."""
    size = path.stat().st_size
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
        return _text_problem(path, kind)
    if size < _STAND_IN:
        return f"is a placeholder of {size} bytes, not the file"
    if start.startswith(b"{") and size < 65536:
        return "is a text of a server (JSON), not the file"
    return {"safetensors": _safetensors_problem, "torch": _torch_problem, "onnx": _onnx_problem, "pickle": _pickle_problem}[
        kind
    ](path, head, size)


def _text_problem(path: Path, kind: str) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        if kind == "json":
            json.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        return f"is not {'JSON' if kind == 'json' else 'text'} ({error})"
    return ""


def _safetensors_problem(path: Path, head: bytes, size: int) -> str:
    length = struct.unpack("<Q", head[:8])[0]
    if head[8:9] != b"{" or length > 100_000_000:
        return "is not a safetensors file"
    if 8 + length > size:
        return f"is cut short: {size} bytes, within its header"
    with path.open("rb") as file:
        file.seek(8)
        try:
            header = json.loads(file.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
            return "is not a safetensors file: its header cannot be read"
    whole = 8 + length + max(ends, default=0)
    return "" if size == whole else f"is {'cut short' if size < whole else 'too long'}: {size} bytes of {whole}"


def _torch_problem(path: Path, head: bytes, size: int) -> str:
    if head[:4] == b"PK\x03\x04":
        return "" if zipfile.is_zipfile(path) else f"is cut short: {size} bytes, and the end of the archive is missing"
    if head[:1] == b"\x80" and b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"[:4] in head[:64]:
        return ""  # torch's older format, known by its magic number
    return "is not a torch checkpoint"


def _onnx_problem(path: Path, head: bytes, size: int) -> str:
    """Walks the outermost fields of the protobuf, whose lengths must end where the file does."""
    if head[:1] != b"\x08":  # field 1, the version of the format
        return "is not an ONNX file"
    at, graph = 0, False
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            try:
                field, used = _varint(file.read(10))
                wire, number = field & 7, field >> 3
                file.seek(at + used)
                value, more = _varint(file.read(10))
            except ValueError:
                return f"is cut short: {size} bytes, within a field"
            if wire not in (0, 2):
                return "is not an ONNX file"
            at += used + more + (value if wire == 2 else 0)
            graph |= number == 7
    if at > size:
        return f"is cut short: {size} bytes of at least {at}"
    return "" if graph else "is an ONNX file without a graph, or cut short"


def _varint(data: bytes) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data):
        value |= (byte & 127) << (7 * index)
        if byte < 128:
            return value, index + 1
    raise ValueError("no end")


def _pickle_problem(path: Path, head: bytes, size: int) -> str:
    if head[:1] != b"\x80":
        return "is not a pickle of arrays"
    with path.open("rb") as file:
        file.seek(-1, 2)
        return "" if file.read(1) == b"." else f"is cut short: {size} bytes, and the end is missing"


def load_state_dict(path: str | Path, name: str = "") -> dict[str, torch.Tensor]:
    """A checkpoint's tensors on the CPU, mapped from the file where its format allows; never by running pickled code.

    ``{"state_dict": ...}`` and ``{"model": ...}`` are looked into. Raises ``Damaged`` for what cannot be read.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = check(path, KINDS.get(Path(path).suffix, "torch"), name)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, SafetensorError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Damaged(
            f"{path} cannot be read as a checkpoint of plain tensors ({reason}). Fetch it again; files of unknown origin may run code."
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise Damaged(f"{path} holds no named tensors. Fetch it again.")
    return dict(state)


class _Arrays(pickle.Unpickler):
    """Admits what numpy needs to rebuild arrays, and nothing that could act."""

    _ADMITTED = frozenset(
        {
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            *((f"numpy.{core}.multiarray", what) for core in ("core", "_core") for what in ("_reconstruct", "scalar")),
            ("numpy.core.numeric", "_frombuffer"),
            ("numpy._core.numeric", "_frombuffer"),
            ("_codecs", "encode"),
            ("collections", "OrderedDict"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def load_pickle_arrays(path: str | Path, name: str = "") -> dict[str, np.ndarray]:
    """The arrays of a pickle of detectron2's model zoo: ``{"model": {name: array}, ...}``. Nothing but arrays is rebuilt.

    Raises ``Damaged`` for a file that asks for anything else, is cut short or holds no arrays.
    """
    path = check(path, "pickle", name)
    try:
        with path.open("rb") as file:
            content = _Arrays(file, encoding="latin1").load()
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        KeyError,
        MemoryError,
    ) as error:
        raise Damaged(f"{path} is no plain pickle of arrays and was not loaded ({error}). Fetch the published file.") from error
    model = content.get("model", content) if isinstance(content, Mapping) else None
    if not isinstance(model, Mapping) or not all(isinstance(v, np.ndarray | np.generic) for v in model.values()):
        raise Damaged(f"{path} holds no named arrays. Fetch the published file.")
    return {k: np.asarray(v) for k, v in model.items()}


def fit(module: torch.nn.Module, state: Mapping[str, torch.Tensor], name: str, unused: Sequence[str] = ()) -> None:
    """Put ``state`` into ``module``, every key and shape exactly; its tensors are taken as they are, in their own dtype.

    unused: regular expressions of keys that are known to be left over
    Raises ``Mismatch`` listing what is missing, unexpected or of another shape.
    """
    state = {k: v for k, v in state.items() if not any(re.fullmatch(pattern, k) for pattern in unused)}
    own = module.state_dict()
    shapes = [
        f"{k} {tuple(state[k].shape)}, not {tuple(v.shape)}" for k, v in own.items() if k in state and state[k].shape != v.shape
    ]
    parts = {
        "missing": sorted(own.keys() - state.keys()),
        "unexpected": sorted(state.keys() - own.keys()),
        "of another shape": shapes,
    }
    if any(parts.values()):
        text = "; ".join(f"{len(keys)} {what} ({_some(keys)})" for what, keys in parts.items() if keys)
        raise Mismatch(f"{name} is a checkpoint of another network: {text}. Check which file this is, or fetch it again.")
    module.load_state_dict(dict(state), strict=True, assign=True)


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")


def convert(source: str | Path, target: str | Path, dtype: torch.dtype) -> Path:
    """Write a torch checkpoint as safetensors in ``dtype``, tensor by tensor; returns ``target``, which is whole or not there.

    The file is mapped a gigabyte at a time, so that host memory stays within that and the largest tensor. Integers keep their dtype.
    Raises ``Damaged`` for a source that cannot be read, ``OSError`` for a full disk.
    """
    source = Path(source)
    state = load_state_dict(source)
    header, sizes, offset = {}, {}, 0
    for key, tensor in state.items():
        kept = dtype if tensor.is_floating_point() else tensor.dtype
        sizes[key] = tensor.numel() * tensor.element_size()
        end = offset + tensor.numel() * kept.itemsize
        header[key] = {"dtype": _type_name(kept), "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    del state, tensor
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    require_space(Path(target).parent, offset, f"converting {source.name}")

    def write(part: Path) -> None:
        with part.open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for keys in _portions(sizes):
                mapped = load_state_dict(source)
                for key in keys:
                    _write_tensor(file, mapped[key], dtype)
                del mapped

    return write_whole(target, write)


def require_space(folder: str | Path, wanted: int, what: str) -> None:
    """Raise ``OSError`` (no space) unless the disk of ``folder`` has ``wanted`` bytes free and :data:`SPARE` more."""
    folder = Path(folder).absolute()
    place = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < wanted + SPARE:
        raise OSError(
            errno.ENOSPC,
            f"{what} needs {wanted / 1e9:.2f} GB and {SPARE / 1e9:.1f} GB to spare in {folder}, where {free / 1e9:.2f} GB are free. "
            "Free some disk space, or point ATELIER_WEIGHTS to a folder on a larger disk",
        )


def _portions(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    portion: list[str] = []
    held = 0
    for key, size in sizes.items():
        if portion and held + size > _AT_ONCE:
            yield portion
            portion, held = [], 0
        portion.append(key)
        held += size
    if portion:
        yield portion


def _write_tensor(file: Any, tensor: torch.Tensor, dtype: torch.dtype) -> None:
    import torch

    kept = tensor.to(dtype) if tensor.is_floating_point() else tensor
    file.write(kept.contiguous().reshape(-1).view(torch.uint8).numpy().data)


def _type_name(dtype: torch.dtype) -> str:
    return _NAMES[str(dtype).removeprefix("torch.")]

"""The tensors of a checkpoint: read without unpickling code, fitted strictly, converted in little memory."""

from __future__ import annotations

import errno
import json
import re
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.files import write_whole
from helpers.weights import pickles
from helpers.weights.formats import KINDS, Damaged, check, packed, reading

if TYPE_CHECKING:
    import numpy as np
    import torch

_TORCH = (2, 10)
"""Before it a checkpoint could act in spite of weights_only (CVE-2025-32434, CVE-2026-24747); pyproject.toml agrees."""
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


class Mismatch(ValueError):
    """A sound checkpoint of another network."""


def load_state_dict(path: str | Path, name: str = "") -> dict[str, torch.Tensor]:
    """A checkpoint's tensors on the CPU, mapped from the file where its format allows; never by running pickled code.

    ``{"state_dict": ...}`` and ``{"model": ...}`` are looked into, and an archive with one checkpoint.
    Raises ``Damaged`` for what cannot be read.
    """
    import torch
    from safetensors.torch import load_file

    path = check(path, KINDS.get(Path(path).suffix, "torch"), name)
    if path.suffix == ".safetensors":
        with reading(path, "tensors"):
            found = load_file(path)
        if not found:
            raise Damaged(f"{path} holds no named tensors. Fetch it again.")
        return found
    _require_torch(torch.__version__)
    with reading(path, "a checkpoint of plain tensors"), _unpacked(path) as whole:
        try:
            pickles.survey(whole)
        except pickles.Refused as error:
            raise Damaged(
                f"{path} cannot be read as a checkpoint of plain tensors and was not loaded: {error}. Fetch the published file; one of "
                "unknown origin may have been made to do harm."
            ) from None
        state = torch.load(whole, map_location="cpu", weights_only=True, mmap=whole == path and zipfile.is_zipfile(path))
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if (
        not isinstance(state, Mapping)
        or not state
        or not all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in state.items())
    ):
        raise Damaged(f"{path} holds no named tensors. Fetch it again.")
    return dict(state)


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """``path``, or meanwhile a copy of the checkpoint that is alone in it."""
    inner = packed(path)
    if not inner:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        require_space(folder, archive.getinfo(inner).file_size, f"unpacking {path.name}")
        whole = Path(folder) / "checkpoint.pth"
        with archive.open(inner) as source, whole.open("wb") as target:
            shutil.copyfileobj(source, target)
        if packed(check(whole, "torch", f"{path} ({inner})")):
            raise Damaged(f"{path} holds an archive in an archive. Fetch it again.")
        yield whole


def _require_torch(version: str) -> None:
    """Raise ``ImportError`` where the torch that is here reads pickles less safely than it says."""
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if numbers < _TORCH:
        wanted = ".".join(map(str, _TORCH))
        raise ImportError(
            f"torch {version} may run code from a checkpoint (CVE-2026-24747); {wanted} or newer is needed: "
            f"pip install -U 'torch>={wanted}'"
        )


def load_pickle_arrays(path: str | Path, name: str = "") -> dict[str, np.ndarray]:
    """The arrays of a pickle of detectron2's model zoo: ``{"model": {name: array}, ...}``. Nothing but arrays is rebuilt.

    Raises ``Damaged`` for a file that asks for anything else, is cut short or holds no arrays.
    """
    path = check(path, "pickle", name)
    with reading(path, "a pickle of arrays"):
        try:
            return pickles.arrays(path)
        except pickles.Refused as error:
            raise Damaged(
                f"{path} is no plain pickle of arrays and was not loaded: {error}. Fetch the published file."
            ) from None


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
    return ", ".join(key[:160] for key in keys[:3]) + (", ..." if len(keys) > 3 else "")


def convert(source: str | Path, target: str | Path, dtype: torch.dtype) -> Path:
    """Write a torch checkpoint as safetensors in ``dtype``, tensor by tensor; returns ``target``, which is whole or not there.

    The file is mapped a gigabyte at a time, so that host memory stays within that and the largest tensor. Integers keep their dtype.
    Raises ``Damaged`` for a source that cannot be read, ``OSError`` for a full disk.
    """
    source = Path(source)
    state = load_state_dict(source)
    if Path(target).resolve() == source.resolve():
        raise ValueError(f"{target} is the checkpoint itself, which would be lost. Name another file to write.")
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
    name = str(dtype).removeprefix("torch.")
    if name not in _NAMES:
        raise Mismatch(f"a checkpoint with values of type {name} cannot be converted. Only numbers of {', '.join(_NAMES)} are.")
    return _NAMES[name]

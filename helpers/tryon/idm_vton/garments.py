"""GarmentNet's features of a garment at every timestep, kept for the next person and the next seed.

At 768x1024 they are 157 MB a timestep in 16 bits, 4.7 GB for 30: in memory where that is free, else on disk, one file a timestep.
"""

from __future__ import annotations

import shutil
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from helpers import machine
from helpers.files import write_whole
from helpers.weights import cache_folder

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel

_KEPT = 2  # garments in memory
_KEPT_ON_DISK = 4


class GarmentFeatures:
    """Features by step, on the host; ``folder`` is where they lie, or ``None`` for memory."""

    def __init__(self, steps: int, folder: Path | None = None) -> None:
        self.folder = folder
        self._steps: list[list[Tensor] | None] = [None] * steps
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def complete(self) -> bool:
        """Whether every step is there and whole."""
        return all(self.has(step) for step in range(len(self._steps)))

    def has(self, step: int) -> bool:
        """Whether ``step`` is there; a file that is not whole is not."""
        if self.folder is None:
            return self._steps[step] is not None
        try:
            return self._path(step).exists() and bool(load_file(self._path(step)))
        except (SafetensorError, OSError, ValueError):
            return False

    def keep(self, step: int, features: list[Tensor]) -> None:
        """Take the features of ``step`` to the host."""
        if self.folder is None:
            # One block a step: of pinned memory each piece by itself costs a call to the driver.
            sizes = [f.numel() for f in features]
            block = torch.empty(sum(sizes), dtype=features[0].dtype, pin_memory=features[0].is_cuda)
            places = [part.view(f.shape) for part, f in zip(block.split(sizes), features, strict=True)]
            for place, feature in zip(places, features, strict=True):
                place.copy_(feature)
            self._steps[step] = places
        else:
            named = {f"{number:03}": f.to("cpu").contiguous() for number, f in enumerate(features)}
            write_whole(self._path(step), lambda part: save_file(named, part))

    def __call__(self, step: int) -> list[Tensor]:
        """One tensor a transformer block, on the host."""
        if self.folder is None:
            features = self._steps[step]
            assert features is not None, "asked for before it was kept"
            return features
        named = load_file(self._path(step))
        return [named[name] for name in sorted(named)]

    def _path(self, step: int) -> Path:
        assert self.folder is not None, "these are in memory"
        return self.folder / f"{step:03}.safetensors"


class GarmentCache:
    """The features of the garments used last, by a key that says everything they depend on."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, GarmentFeatures] = OrderedDict()

    def get(self, key: str, steps: int, size: int) -> GarmentFeatures:
        """The features under ``key``, perhaps not complete; ``size`` in bytes says whether new ones go to memory or to disk."""
        if key not in self._kept:
            while len(self._kept) >= _KEPT:
                self._kept.popitem(last=False)
            self._kept[key] = GarmentFeatures(steps, None if 1.5 * size < machine.free_memory() else self._folder(key, size))
        self._kept.move_to_end(key)
        return self._kept[key]

    def clear(self) -> None:
        """Forget what is in memory; files stay for the next time."""
        self._kept.clear()

    def _folder(self, key: str, size: int) -> Path:
        base = cache_folder() / "garments"
        (base / key).mkdir(parents=True, exist_ok=True)
        (base / key).touch()
        older = sorted((p for p in base.iterdir() if p.is_dir() and p.name != key), key=lambda p: p.stat().st_mtime)
        for folder in older[: max(0, len(older) - _KEPT_ON_DISK + 1)]:
            shutil.rmtree(folder)
        free = shutil.disk_usage(base).free
        if size > free:
            raise OSError(
                f"the garment's features need {size / 1e9:.1f} GB, and neither memory nor {base} ({free / 1e9:.1f} GB free) has room. "
                "Free some space, set ATELIER_CACHE to another disk, or ask for fewer steps."
            )
        return base / key


def size_of(net: UNet2DConditionModel, latents: tuple[int, int], steps: int, dtype: torch.dtype) -> int:
    """Bytes that ``steps`` timesteps' features take for latents of (height, width), which halve with each level of the UNet."""
    deepest = len(net.down_blocks) - 1
    levels = [*enumerate(net.down_blocks), (deepest, net.mid_block), *((deepest - i, up) for i, up in enumerate(net.up_blocks))]
    values = 0
    for level, stage in levels:
        for transformer in getattr(stage, "attentions", ()):
            for block in transformer.transformer_blocks:
                values += block.norm1.normalized_shape[0] * (latents[0] >> level) * (latents[1] >> level)
    return values * steps * dtype.itemsize

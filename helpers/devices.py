"""What the networks can run on, and in which precision. torch is imported when asked, not before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from helpers import machine

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Device:
    """Where the networks run: ``kind`` is ``cuda``, ``mps`` or ``cpu``; ``memory_gb`` is what that device has in all (10^9 bytes)."""

    kind: str
    name: str
    memory_gb: float


@cache
def describe() -> Device:
    """The best device here; ``ATELIER_DEVICE=cpu`` (or ``cuda``, ``mps``) overrides. Raises ``ValueError`` for one that is not here."""
    import torch

    wanted = os.environ.get("ATELIER_DEVICE", "")
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted and not here.get(wanted, False):
        raise ValueError(
            f"ATELIER_DEVICE is {wanted!r}, which is not here; here: {', '.join(k for k, v in here.items() if v)}."
        )
    kind = wanted or next(name for name, there in here.items() if there)
    if kind == "cuda":
        properties = torch.cuda.get_device_properties(0)
        return Device(kind, properties.name, round(properties.total_memory / 1e9, 1))
    return Device(kind, {"mps": "Apple GPU", "cpu": "CPU"}[kind], machine.memory_gb())


def half(device: Device) -> torch.dtype:
    """The 16-bit type that ``device`` computes natively: bfloat16 from Ampere on, float16 on older GPUs and Apple's."""
    import torch

    return (
        torch.bfloat16 if device.kind == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    )


@dataclass(frozen=True)
class Need:
    """GB (10^9 bytes) of a device's memory in which an engine's networks run in 16 bits, a picture's own share included.

    everything: for all networks at once; one: for one at a time; untiled: below it a picture is decoded in tiles
    beside:     for the network that paints and the decoder at once; below it the first goes before the second comes
    host:       for all of them in float32 on a CPU; where it has less they run in bfloat16 (0: never)
    """

    everything: float
    one: float
    untiled: float
    host: float = 0.0
    beside: float = 0.0


@dataclass(frozen=True)
class Policy:
    """How networks run on a device of ``kind``.

    name:    ``fp16``, ``bf16``, ``low_vram`` or ``cpu``
    offload: what is not on the device while it waits: ``none``, ``networks`` (one at a time is there), ``layers`` (one at a time is)
    tiles:   decode in tiles; alone: decode without the network that painted; note: what all this costs, empty where it costs nothing
    """

    name: str
    kind: str
    dtype: torch.dtype
    offload: str = "none"
    tiles: bool = False
    alone: bool = False
    note: str = ""


_COSTS = {
    "none": "",
    "networks": "one network on the GPU at a time: each picture waits for them to move",
    "layers": "layer by layer through the GPU, which is slow: most of the time is spent moving weights",
}


def policy(device: Device, need: Need, profile: str = "auto", dtype: torch.dtype | None = None) -> Policy:
    """How networks that ``need`` so much memory run on ``device``; all engines that paint ask here.

    profile: ``auto``, what the memory allows; ``fp16`` or ``bf16``, all or one network on the GPU; ``low_vram``, layer by layer; ``cpu``
    dtype:   the 16-bit type where the profile does not say it; the device's own (:func:`half`) if not given
    Raises ``ValueError`` for a profile that cannot run here.
    """
    import torch

    dtype = dtype or half(device)
    if profile == "auto":
        profile = "cpu" if device.kind == "cpu" else "low_vram" if device.memory_gb < need.one else ""
        profile = profile or ("bf16" if dtype is torch.bfloat16 else "fp16")
    if profile == "cpu":
        if device.kind == "cpu" and 0 < device.memory_gb < need.host:
            return Policy("cpu", "cpu", torch.bfloat16, note="bfloat16: float32 would not fit this machine's memory")
        return Policy("cpu", "cpu", torch.float32, note="on a CPU a picture takes many minutes")
    if device.kind == "cpu":
        raise ValueError(f"profile {profile!r} needs a GPU and there is none; use profile='cpu' or 'auto'.")
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(profile, dtype)
    low = profile == "low_vram"
    offload = "layers" if low else "none" if device.memory_gb >= need.everything else "networks"
    alone = low or device.memory_gb < need.beside
    return Policy(profile, device.kind, dtype, offload, low or device.memory_gb < need.untiled, alone, _COSTS[offload])


SMALLER = {"fp16": "low_vram", "bf16": "low_vram", "low_vram": "cpu"}
"""Profile -> the next one that needs less of a GPU's memory."""
_TILE = 512  # pixels of a side: six tiles of a picture of 768x1024


@contextmanager
def tiled(vae: Any, tiles: bool) -> Iterator[None]:
    """Inside, where ``tiles`` says so, ``vae`` (diffusers' AutoencoderKL) decodes in overlapping tiles of 512 pixels.

    diffusers takes tiles of the size that the autoencoder was trained at, which is the whole picture here. Encodings are not for it: in
    tiles they are others.
    """
    if not tiles:
        yield
        return
    before = vae.tile_sample_min_size, vae.tile_latent_min_size
    vae.tile_sample_min_size = _TILE
    vae.tile_latent_min_size = _TILE // 2 ** (len(vae.config.block_out_channels) - 1)
    vae.enable_tiling()
    try:
        yield
    finally:
        vae.disable_tiling()
        vae.tile_sample_min_size, vae.tile_latent_min_size = before


@contextmanager
def memory_named(what: str, remedy: str) -> Iterator[None]:
    """A device's memory that is not enough inside, as a ``MemoryError`` that says for ``what``, and the ``remedy``."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        free()
        raise MemoryError(
            f"{what} did not fit {describe().name}'s memory. {remedy} Close other engines (engine.close()) and kernels that use it."
        ) from error


def free() -> None:
    """Give memory that nothing uses back to the device."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()

"""What the networks can run on, and in which precision. torch is imported when asked, not before."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

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
    return Device(kind, {"mps": "Apple GPU", "cpu": "CPU"}[kind], host_memory_gb())


def host_memory_gb() -> float:
    """The machine's memory in all, in 10^9 bytes; 0 where it cannot be told."""
    names = getattr(os, "sysconf_names", {})
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1) if "SC_PHYS_PAGES" in names else 0.0


def half(device: Device) -> torch.dtype:
    """The 16-bit type that ``device`` computes natively: bfloat16 from Ampere on, float16 on older GPUs and Apple's."""
    import torch

    return (
        torch.bfloat16 if device.kind == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    )


def free() -> None:
    """Give memory that nothing uses back to the device."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()

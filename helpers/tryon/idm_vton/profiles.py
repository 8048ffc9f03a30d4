"""In which precision IDM-VTON runs on which device, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from helpers import devices


@dataclass(frozen=True)
class Profile:
    """How to run on a device: ``stream`` keeps TryonNet on the host and hands it over layer by layer; ``tile`` decodes in tiles."""

    name: str
    dtype: torch.dtype
    kind: str
    stream: bool = False
    tile: bool = False
    cost: str = ""


PROFILES = ("auto", "fp16", "bf16", "low_vram", "cpu")
COSTS = {
    "fp16": "about 8 GB of GPU memory: 6 of weights, one network at a time, the VAE in float32",
    "bf16": "as fp16, on GPUs from Ampere on; coarser numbers, no overflow",
    "low_vram": "about 5 GB of GPU memory, 2 to 4 times slower: TryonNet comes from the host layer by layer, pictures are decoded in tiles",
    "cpu": "float32: 12 GB of memory and hours a picture at published size",
}
"""What each profile costs."""


def choose_profile(name: str = "auto", device: devices.Device | None = None) -> Profile:
    """The profile called ``name`` for ``device`` (this machine's best). Raises ``ValueError`` for one that cannot run here."""
    device = device or devices.describe()
    if name not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, not {name!r}.")
    if name == "auto":
        name = "cpu" if device.kind == "cpu" else "low_vram" if device.memory_gb < 10 else ""
        name = name or ("bf16" if devices.half(device) is torch.bfloat16 else "fp16")
    if name == "cpu":
        return Profile("cpu", torch.float32, "cpu", cost=COSTS["cpu"])
    if device.kind == "cpu":
        raise ValueError(f"profile {name!r} needs a GPU and there is none; use profile='cpu' or 'auto'.")
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(name) or devices.half(device)
    low = name == "low_vram"
    return Profile(name, dtype, device.kind, stream=low, tile=low, cost=COSTS[name])

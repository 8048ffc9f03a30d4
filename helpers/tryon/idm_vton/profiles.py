"""How much memory IDM-VTON needs, and what each way to run it costs."""

from __future__ import annotations

from dataclasses import replace

import torch

from helpers import devices

NEED = devices.Need(everything=24.0, one=10.0, untiled=0.0, beside=12.0)
COSTS = {
    "fp16": "6.2 GB of weights on the GPU (5.8 of TryonNet, 0.3 of the VAE in float32), and what a step computes; GarmentNet, 5.1, before",
    "bf16": "as fp16; coarser numbers, no overflow",
    "low_vram": "the UNets come from the host layer by layer, which is slow: 0.3 GB of weights stay on the GPU, the VAE's",
    "cpu": "float32: 12 GB of memory and hours a picture at published size",
}
"""What each profile costs. Weights are counted at published size, without what torch and the driver take for themselves."""


def choose_profile(name: str = "auto", device: devices.Device | None = None) -> devices.Policy:
    """The profile called ``name``, one of ``COSTS`` or ``auto``, for ``device`` (this machine's best); 16 bits are float16, as published.

    Raises ``ValueError`` for one that cannot run here.
    """
    return devices.policy(device or devices.describe(), NEED, name, dtype=torch.float16)


def finer(profile: devices.Policy) -> devices.Policy:
    """The same in bfloat16, whose range is float32's, for a network that left float16's."""
    return replace(profile, name="bf16" if profile.name == "fp16" else profile.name, dtype=torch.bfloat16)

"""FASHN VTON's way from noise to the picture: rectified flow, a step at a time along the guided velocity, in pixels from end to end.

Source: ``pipeline.py`` and ``utils/sampling.py`` of fashn-AI/fashn-vton-1.5 (Apache-2.0).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import pairwise

import torch
from torch import Tensor

from helpers.tryon.fashn.networks import TryOnModel

SHIFT = 1.5
"""How much longer the flow stays near the noise."""
UNGUIDED = 1
"""Last steps without guidance, which would make the colours too strong."""


@dataclass(frozen=True)
class Inputs:
    """What is shown to the network: (B, 3, H, W) and, of the poses, (B, 1, H, W), in -1..1; category, whole (B,), 1..3."""

    person: Tensor
    person_pose: Tensor
    garment: Tensor
    garment_pose: Tensor
    category: Tensor

    def to(self, device: torch.device, dtype: torch.dtype) -> Inputs:
        """The same on ``device``, what is a picture in ``dtype``."""
        given = (getattr(self, field.name) for field in fields(self))
        return Inputs(*(t.to(device, dtype if t.is_floating_point() else t.dtype) for t in given))

    def with_nothing(self) -> Inputs:
        """The same for twice as many, the second half of which is told nothing."""
        given = (getattr(self, field.name) for field in fields(self))
        return Inputs(*(torch.cat([t, torch.zeros_like(t)]) for t in given))


def times(steps: int, shift: float = SHIFT) -> list[float]:
    """steps + 1 numbers from 0, noise, to 1, the finished picture; the larger ``shift``, the more of them near 0."""
    even = torch.linspace(1, 0, steps + 1)
    return (math.exp(-shift) / (math.exp(-shift) + (1 / even - 1))).tolist()[::-1]


@torch.inference_mode()
def paint(
    network: TryOnModel,
    inputs: Inputs,
    noise: Tensor,
    *,
    steps: int = 30,
    guidance_scale: float = 1.5,
    unguided: int = UNGUIDED,
    shift: float = SHIFT,
    on_step: Callable[[int, Tensor], None] = lambda step, picture: None,
) -> Tensor:
    """The finished picture, float32 (B, 3, H, W) in -1..1, from normal ``noise`` of that shape.

    on_step: step from 0, and the picture as far as it is
    The picture is kept in float32 between steps whatever the network computes in: the reference adds them up in bfloat16.
    Raises ``FloatingPointError`` where the network gives what is no number.
    """
    weight = network.final_layer.linear.weight
    inputs = inputs.to(weight.device, weight.dtype)
    both = inputs.with_nothing() if guidance_scale != 1 else inputs
    picture = noise.to(weight.device, torch.float32)
    flow = times(steps, shift)
    for step, (now, then) in enumerate(pairwise(flow)):
        guided = guidance_scale != 1 and step < steps - unguided
        told = both if guided else inputs
        seen = torch.cat([picture, picture]) if guided else picture
        time = torch.full((len(seen),), now, device=weight.device)
        velocity = network(seen.to(weight.dtype), time, *vars(told).values()).float()
        if guided:
            towards, away = velocity.chunk(2)
            velocity = away + guidance_scale * (towards - away)
        if not velocity.isfinite().all():
            raise FloatingPointError(
                f"FASHN VTON gave no numbers in step {step + 1} of {steps}. Run it in float32: precision='float32', on any device."
            )
        picture = picture + (then - now) * velocity
        on_step(step, picture)
    return picture.clamp(-1, 1)

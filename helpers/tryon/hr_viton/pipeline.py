"""HR-VITON from tensors to tensors: the garment bent to the body, what is in front of it cut out, the person painted.

Source: Lee et al., "HR-VITON", 2022 (``test_generator.py`` of sangyun884/HR-VITON).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.tryon.hr_viton.networks import ConditionGenerator, Noise, SPADEGenerator, bend
from helpers.tryon.regions import blur, regions

LOW = (256, 192)
"""(height, width) at which the condition generator works, whatever the size of the picture: it was trained at this one."""
COMPOSITIONS = ("warp_grad", "detach", "no_composition")
_UPPER = 3
_IN_FRONT = (1, 2, *range(5, 13))  # hair, face, arms, legs, shoes, socks, the rest: not backdrop, upper, lower


@dataclass(frozen=True)
class Inputs:
    """A person and a garment, float32 (B, channels, H, W), pictures RGB -1..1.

    cloth: 3; cloth_mask: 1, 0 or 1; parse: 13, one-hot, without what is worn; densepose: 3; agnostic: 3
    """

    cloth: Tensor
    cloth_mask: Tensor
    parse: Tensor
    densepose: Tensor
    agnostic: Tensor


@dataclass(frozen=True)
class Conditions:
    """What the generator is told, and the way to it.

    garment, body: the condition generator's inputs, (B, 4, h, w) and (B, 16, h, w)
    flow:    (B, h / 2, w / 2, 2), the last one; parts: (B, 13, h, w), before the garment's mask is put in; mask_low: (B, 1, h, w)
    regions: (B, 7, H, W), one-hot; cloth: (B, 3, H, W), bent, white where something is in front; mask: (B, 1, H, W)
    """

    garment: Tensor
    body: Tensor
    flow: Tensor
    parts: Tensor
    mask_low: Tensor
    regions: Tensor
    cloth: Tensor
    mask: Tensor


@torch.no_grad()
def conditions(
    net: ConditionGenerator,
    inputs: Inputs,
    *,
    low: tuple[int, int] = LOW,
    composition: str = "warp_grad",
    occlusion: bool = True,
) -> Conditions:
    """The garment bent to the body, and the regions of the person in it.

    low:         (height, width) at which ``net`` works
    composition: how the upper part is held to where the garment comes to lie: by its soft mask (``warp_grad``, as published), by the mask
                 over a half (``detach``), or not (``no_composition``)
    occlusion:   cut out of the garment what hair, arms and the like hide
    """
    size = inputs.cloth.shape[2:]
    mask = (inputs.cloth_mask > 0.5).float()
    garment = torch.cat([F.interpolate(inputs.cloth, low, mode="bilinear"), F.interpolate(mask, low, mode="nearest")], 1)
    body = torch.cat(
        [F.interpolate(inputs.parse, low, mode="nearest"), F.interpolate(inputs.densepose, low, mode="bilinear")], 1
    )
    flows, parts, _, mask_low = net(garment, body)
    maps = blur(F.interpolate(composed(parts, mask_low, composition), size, mode="bilinear"))
    cloth, bent = bend(inputs.cloth, flows[-1]), bend(mask, flows[-1])
    if occlusion:
        bent = uncovered(bent, maps.softmax(1))
        cloth = cloth * bent + (1 - bent)
    return Conditions(garment, body, flows[-1], parts, mask_low, regions(maps), cloth, bent)


def composed(parts: Tensor, mask: Tensor, composition: str) -> Tensor:
    """``parts`` (B, 13, H, W), the upper one held to where the garment's ``mask`` (B, 1, H, W) is, as ``composition`` says."""
    if composition == "no_composition":
        return parts
    held = (mask > 0.5).float() if composition == "detach" else mask
    return torch.cat([parts[:, :_UPPER], parts[:, _UPPER : _UPPER + 1] * held, parts[:, _UPPER + 1 :]], 1)


def uncovered(mask: Tensor, likely: Tensor) -> Tensor:
    """The garment's ``mask`` (B, 1, H, W), less where hair, arms and the like (of the ``likely`` 13 parts, each 0..1) are in front."""
    return mask - mask * likely[:, _IN_FRONT].sum(1, keepdim=True)


@torch.no_grad()
def paint(net: SPADEGenerator, inputs: Inputs, told: Conditions, noise: Noise | None) -> Tensor:
    """The person in the garment, float32 (B, 3, H, W), -1..1."""
    return net(torch.cat([inputs.agnostic, inputs.densepose, told.cloth], 1), told.regions, noise)


def to_tensor(picture: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) -> float32 (1, 3, H, W), -1..1."""
    return torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1


def to_uint8(picture: Tensor, *, truncated: bool = False) -> np.ndarray:
    """float32 (1, 3, H, W), -1..1 -> uint8 (H, W, 3), to the nearest value or, as published, ``truncated``."""
    values = (picture[0].permute(1, 2, 0).float().cpu().numpy() + 1) * 127.5
    return (values if truncated else values.round()).clip(0, 255).astype(np.uint8)

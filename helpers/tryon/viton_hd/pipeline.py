"""VITON-HD's own way from prepared tensors to the picture: segmentation, bent cloth, what is misaligned, generation.

Tensors are float32 (B, C, H, W), at 1024x768 as published; pictures in -1..1, masks and one-hot maps 0 or 1.

Source: ``test.py`` of shadow2496/VITON-HD.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.tryon.regions import blur, regions
from helpers.tryon.viton_hd.networks import GMM, ALIASGenerator, Draw, SegGenerator

_UPPER = 2
_ABOVE = 1.0  # standard deviation: the noise of the segmentation is 0 or 1, as that of the training was


@dataclass(frozen=True)
class Inputs:
    """What is shown to the networks.

    person: (B, 3, H, W), grey where it may change; parse: (B, 13, H, W), one-hot, emptied there; pose: (B, 3, H, W), the drawn skeleton
    cloth:  (B, 3, H, W); cloth_mask: (B, 1, H, W)
    """

    person: Tensor
    parse: Tensor
    pose: Tensor
    cloth: Tensor
    cloth_mask: Tensor

    def to(self, device: torch.device) -> Inputs:
        """The same on ``device``."""
        return Inputs(*(getattr(self, field.name).to(device) for field in fields(self)))


def segmentation_noise(size: tuple[int, int], draw: Draw) -> Tensor:
    """(1, 1, h, w) of 0 and, on 16 % of the places, 1: what an 8-bit picture of normal noise is after a division by 255."""
    return (draw((1, 1, *size)) > _ABOVE).float()


def segmentation_inputs(inputs: Inputs, noise: Tensor) -> Tensor:
    """(B, 21, h, w) at the size of ``noise`` (B, 1, h, w): everything made smaller bilinearly, the parse too."""
    masked = inputs.cloth * inputs.cloth_mask
    parts = [
        F.interpolate(part, noise.shape[2:], mode="bilinear") for part in (inputs.cloth_mask, masked, inputs.parse, inputs.pose)
    ]
    return torch.cat([*parts, noise], 1)


def classes_of(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """One-hot (B, 7, H, W) from the segmentation's maps (B, 13, h, w), enlarged to ``size`` (H, W) and smoothed."""
    return regions(blur(F.interpolate(maps, size, mode="bilinear")))


def matching_inputs(inputs: Inputs, classes: Tensor) -> tuple[Tensor, Tensor]:
    """What the cloth should fit (B, 7, H / 4, W / 4) and the cloth (B, 3, H / 4, W / 4): every fourth pixel."""
    size = [n // 4 for n in inputs.cloth.shape[2:]]
    known = torch.cat([classes[:, _UPPER : _UPPER + 1], inputs.pose, inputs.person], 1)
    return F.interpolate(known, size), F.interpolate(inputs.cloth, size)


def bent(pictures: Tensor, grid: Tensor) -> Tensor:
    """(B, C, H, W) as the grid (B, H, W, 2) bends it; the border goes on beyond it."""
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def divide(classes: Tensor, bent_mask: Tensor) -> tuple[Tensor, Tensor]:
    """Classes with the misaligned part as an eighth, (B, 8, H, W), and that part (B, 1, H, W): upper garment that no cloth covers."""
    upper = classes[:, _UPPER : _UPPER + 1]
    misaligned = (upper - bent_mask).clamp(min=0)
    return torch.cat([classes[:, :_UPPER], upper - misaligned, classes[:, _UPPER + 1 :], misaligned], 1), misaligned


@dataclass(frozen=True)
class Made:
    """What came of it, beside what went in between: classes one-hot (B, 7, H, W), bent cloth and its misaligned part, the picture."""

    classes: Tensor
    cloth: Tensor
    misaligned: Tensor
    picture: Tensor


@torch.no_grad()
def generate(segmenter: SegGenerator, matcher: GMM, painter: ALIASGenerator, inputs: Inputs, noise: Tensor, draw: Draw) -> Made:
    """The whole way; ``noise`` (B, 1, h, w) is for the segmentation and says at which size it runs, ``draw`` for the picture."""
    size = (inputs.cloth.shape[2], inputs.cloth.shape[3])
    classes = classes_of(segmenter(segmentation_inputs(inputs, noise)), size)
    grid, _ = matcher(*matching_inputs(inputs, classes))
    cloth = bent(inputs.cloth, grid)
    divided, misaligned = divide(classes, bent(inputs.cloth_mask, grid))
    told = torch.cat([inputs.person, inputs.pose, cloth], 1)
    return Made(classes, cloth, misaligned, painter(told, classes, divided, misaligned, draw))

"""The regions of a person that VITON-HD's and HR-VITON's generators are told, from maps of the 13 parts (``agnostic.PARTS``).

Source: ``test.py`` of shadow2496/VITON-HD and ``test_generator.py`` of sangyun884/HR-VITON, which have it alike.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_OF_PARTS = (0, 3, 1, 2, 1, 4, 5, 1, 1, 1, 1, 1, 6)
"""Of the 13 parts: backdrop, what is pasted back (face, lower body, feet), upper, hair, left arm, right arm, the rest."""
_BLUR, _SIGMA = 15, 3.0


def regions(maps: Tensor) -> Tensor:
    """One-hot float32 (B, 7, H, W): which region each pixel is in, by the largest of the maps (B, 13, H, W)."""
    found = torch.tensor(_OF_PARTS, device=maps.device)[maps.argmax(1)]
    return F.one_hot(found, max(_OF_PARTS) + 1).permute(0, 3, 1, 2).float()


def blur(maps: Tensor, size: int = _BLUR, sigma: float = _SIGMA) -> Tensor:
    """(B, C, H, W) under a Gaussian of ``size`` (odd) by ``size`` pixels; beyond the border is 0."""
    away = torch.arange(size, dtype=maps.dtype, device=maps.device) - size // 2
    bell = torch.exp(-(away**2) / (2 * sigma**2))
    bell = (bell / bell.sum()).expand(maps.shape[1], 1, 1, size)
    across = F.conv2d(maps, bell, padding=(0, size // 2), groups=maps.shape[1])
    return F.conv2d(across, bell.transpose(2, 3), padding=(size // 2, 0), groups=maps.shape[1])

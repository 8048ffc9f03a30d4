"""The clothes extractor's own discriminators under their published parameter names, one a branch of its repository.

Each tells how likely a candidate is the garment's product photograph, given the source: ``main`` one probability a picture, ``phase2``
6x6 and ``phase2_big`` 58x58 of them. The latter two are also given what a first network made of the source.

Source: aidl-upc-2024-clothes-extractor (MIT), branches main, phase2 and phase2-big.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 224


@dataclass(frozen=True)
class Layer:
    """A convolution to ``times`` the branch's width: its kernel, stride and padding, and whether a batch norm follows."""

    times: int
    kernel: int = 4
    stride: int = 2
    padding: int = 1
    norm: bool = True


@dataclass(frozen=True)
class Branch:
    """inputs: channels of source and candidate together; bias: of the convolutions; width: of the first layer, as published

    last: the convolution after the ``layers``, which gives the logits
    """

    inputs: int
    bias: bool
    width: int
    layers: tuple[Layer, ...]
    last: Layer


BRANCHES = {
    "main": Branch(6, False, 64, (Layer(1, norm=False), Layer(2, norm=False), Layer(4), Layer(8), Layer(8)), Layer(1, 7, 1, 0)),
    "phase2": Branch(9, True, 16, (Layer(1, norm=False), Layer(2, norm=False), Layer(3), Layer(5)), Layer(1, 5)),
    "phase2_big": Branch(9, True, 16, (Layer(1, 1, 1, norm=False), Layer(2, norm=False), Layer(4)), Layer(1, 1, 1)),
}


class _Reduction(nn.Module):
    def __init__(self, branch: Branch, width: int) -> None:
        super().__init__()
        sequence: list[nn.Module] = []
        before = branch.inputs
        for layer in branch.layers:
            wide = layer.times * width
            sequence.append(nn.Conv2d(before, wide, layer.kernel, layer.stride, layer.padding, bias=branch.bias))
            sequence += [nn.BatchNorm2d(wide)] if layer.norm else []
            sequence.append(nn.LeakyReLU(0.2, inplace=True))
            before = wide
        last = branch.last
        logits = nn.Conv2d(before, 1, last.kernel, last.stride, last.padding, bias=branch.bias)
        self.main = nn.Sequential(*sequence, logits, nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


class SeedDiscriminator(nn.Module):
    """branch: ``main``, ``phase2`` or ``phase2_big``; width: channels of the first layer; none: as published"""

    def __init__(self, branch: str = "main", width: int | None = None) -> None:
        super().__init__()
        self.main = _Reduction(BRANCHES[branch], width or BRANCHES[branch].width)

    def forward(self, source: Tensor, candidate: Tensor) -> Tensor:
        """Probabilities (B, 1, h, w) that ``candidate`` (B, 3, H, W), -1..1, is a photograph.

        source: (B, 3, H, W), -1..1; for the second phase (B, 6, H, W), what the first network made of it below it
        """
        return self.main(torch.cat([_sized(source), _sized(candidate)], 1))


def _sized(picture: Tensor) -> Tensor:
    """At the side that all layers were counted for."""
    if picture.shape[2:] == (SIDE, SIDE):
        return picture
    return F.interpolate(picture, size=(SIDE, SIDE), mode="bilinear", align_corners=True)

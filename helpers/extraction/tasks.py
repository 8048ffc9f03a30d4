"""What a network is to make of a worn garment: the picture, as published, or the picture and from where in the photograph it comes.

A task says how many channels there are, what of the network's answer is shown, and what else than the shown picture it is held to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

_EVEN = 4  # pixels over which distances are meant together
_FAINT = 0.1  # of a garment's pixel, below which its colour is not made out against the black around


class Task(Protocol):
    """inputs, outputs: channels of the source, and of answer and target

    shown:  source, answer to the picture (B, 3, H, W), -1..1; wanted: target to the picture that it is compared with
    beside: source, answer, target to further terms of the loss, by name, each with its weight
    """

    @property
    def inputs(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    def shown(self, source: Tensor, answer: Tensor) -> Tensor: ...
    def wanted(self, target: Tensor) -> Tensor: ...
    def beside(self, source: Tensor, answer: Tensor, target: Tensor) -> dict[str, Tensor]: ...


@dataclass(frozen=True)
class Picture:
    """The answer is the picture."""

    inputs: int = 3
    outputs: int = 3

    def shown(self, source: Tensor, answer: Tensor) -> Tensor:
        return answer

    def wanted(self, target: Tensor) -> Tensor:
        return target

    def beside(self, source: Tensor, answer: Tensor, target: Tensor) -> dict[str, Tensor]:
        return {}


@dataclass(frozen=True)
class Flat:
    """The answer is colour (3), mask (1), distance (2) and seen (1) as ``frames.flat_closely`` has them: the photograph itself is laid
    where it is seen, colour painted where it is not, all on white.

    mask, colour, away, seen: weights of what the answer's parts are held to
    """

    inputs: int = 4
    outputs: int = 7
    mask: float = 30.0
    colour: float = 30.0
    away: float = 100.0
    seen: float = 10.0

    def shown(self, source: Tensor, answer: Tensor) -> Tensor:
        laid, garment = laid_flat(source, evened(answer[:, 4:6]))
        sure = garment * (answer[:, 6:7] / 2 + 0.5).clamp(0, 1)
        there = (answer[:, 3:4] / 2 + 0.5).clamp(0, 1)
        return (laid * sure + answer[:, :3] * (1 - sure)) * there + (1 - there)

    def wanted(self, target: Tensor) -> Tensor:
        return target[:, :3]

    def beside(self, source: Tensor, answer: Tensor, target: Tensor) -> dict[str, Tensor]:
        there = (target[:, 3:4] > 0).to(target)
        known, seen = there * (target[:, 6:7] != 0), there * (target[:, 6:7] > 0)
        off = (answer - target).abs()
        return {
            "mask": self.mask * off[:, 3:4].mean(),
            "colour": self.colour * _mean(off[:, :3], there),
            "away": self.away * _mean((evened(answer[:, 4:6]) - target[:, 4:6]).abs(), seen),
            "seen": self.seen * _mean(off[:, 6:7], known),
        }


def evened(away: Tensor) -> Tensor:
    """Distances (B, 2, H, W) without what changes from pixel to pixel: cloth does not, and a network's last layer leaves a grid."""
    height, width = away.shape[2:]
    coarse = F.adaptive_avg_pool2d(away, (max(1, height // _EVEN), max(1, width // _EVEN)))
    return F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)


def laid_flat(source: Tensor, away: Tensor) -> tuple[Tensor, Tensor]:
    """The garment of ``source`` (B, 4, H, W) as ``away`` (B, 2, H, W), x and y in half sides, brings it here.

    Returns its colour (B, 3, H, W), -1..1, without the black that lies around it, and how much of it is there (B, 1, H, W), 0..1.
    """
    height, width = away.shape[2:]
    y, x = (((torch.arange(n, device=away.device, dtype=away.dtype) + 0.5) * 2 / n - 1) for n in (height, width))
    own = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1)
    laid = F.grid_sample(source / 2 + 0.5, own + away.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
    colour, garment = laid[:, :3], laid[:, 3:4].clamp(0, 1)
    return (colour / garment.clamp(min=_FAINT)).clamp(0, 1) * 2 - 1, garment


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """The mean of ``values`` (B, C, H, W) where ``weight`` (B, 1, H, W) is 1, and 0 where it is so nowhere."""
    return (values * weight).sum() / (weight.sum() * values.shape[1]).clamp(min=1)


PICTURE, FLAT = Picture(), Flat()
TASKS: dict[str, Task] = {"picture": PICTURE, "flat": FLAT}
"""Every task by name."""

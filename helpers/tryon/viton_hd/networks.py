"""VITON-HD's three networks, with the published parameter names: where everything will be, how the cloth bends, and the picture.

Tensors are float32 (B, C, H, W); pictures in -1..1, masks and maps in 0..1. Each network is built ``like`` a checkpoint: its shapes say
how wide it is, so that smaller ones of the same build load too.

Source: Choi et al., "VITON-HD: High-Resolution Virtual Try-On via Misalignment-Aware Normalization", 2021 (shadow2496/VITON-HD at
02afa4b). Code and checkpoints are CC BY-NC 4.0: not for commercial use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.tryon.spectral import SpectralConv2d

Draw = Callable[[tuple[int, ...]], Tensor]
"""Standard normal numbers of a shape: what normalisation adds to a map, so that flat areas get grain."""


# SegGenerator: a U-Net to the body parts that the person will show in the new garment.


class SegGenerator(nn.Module):
    """Classes (B, ``outputs``, H, W), each in 0..1 on its own, from what is known of person and cloth (B, ``inputs``, H, W).

    H and W are divisible by 16. Inputs are in this order: cloth mask 1, masked cloth 3, agnostic classes 13, pose 3, noise 1.
    """

    def __init__(self, inputs: int = 21, outputs: int = 13, width: int = 64) -> None:
        super().__init__()
        wide = [width * 2**level for level in range(5)]
        self.conv1 = _twice(inputs, wide[0])
        self.conv2 = _twice(wide[0], wide[1])
        self.conv3 = _twice(wide[1], wide[2])
        self.conv4 = _twice(wide[2], wide[3])
        self.conv5 = _twice(wide[3], wide[4])
        self.up6, self.conv6 = _wider(wide[4], wide[3]), _twice(wide[4], wide[3])
        self.up7, self.conv7 = _wider(wide[3], wide[2]), _twice(wide[3], wide[2])
        self.up8, self.conv8 = _wider(wide[2], wide[1]), _twice(wide[2], wide[1])
        self.up9, self.conv9 = _wider(wide[1], wide[0]), _twice(wide[1], wide[0])
        self.conv9.append(nn.Conv2d(wide[0], outputs, 3, padding=1))

    @classmethod
    def like(cls, state: Mapping[str, Tensor]) -> Self:
        """One as wide as the checkpoint ``state``. Raises ``KeyError`` where it is another network's."""
        first = state["conv1.0.weight"]
        return cls(first.shape[1], len(state["conv9.6.weight"]), len(first))

    def forward(self, known: Tensor) -> Tensor:
        return torch.sigmoid(self.logits(known))

    def logits(self, known: Tensor) -> Tensor:
        """The same before the sigmoid."""
        level1 = self.conv1(known)
        level2 = self.conv2(F.max_pool2d(level1, 2))
        level3 = self.conv3(F.max_pool2d(level2, 2))
        level4 = F.dropout(self.conv4(F.max_pool2d(level3, 2)), 0.5, self.training)
        deepest = F.dropout(self.conv5(F.max_pool2d(level4, 2)), 0.5, self.training)
        up = self.conv6(torch.cat([level4, self.up6(deepest)], 1))
        up = self.conv7(torch.cat([level3, self.up7(up)], 1))
        up = self.conv8(torch.cat([level2, self.up8(up)], 1))
        return self.conv9(torch.cat([level1, self.up9(up)], 1))


def _twice(inputs: int, outputs: int) -> nn.Sequential:
    """Two convolutions, each normalised and cut off below 0."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.InstanceNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def _wider(inputs: int, outputs: int) -> nn.Sequential:
    """To twice the size."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1), nn.InstanceNorm2d(outputs), nn.ReLU()
    )


# GMM: the geometric matching of cloth and person, a thin-plate spline.


class GMM(nn.Module):
    """How the cloth bends: a grid (B, H, W, 2) for ``grid_sample``, and the shifts (B, 2 * points) of its control points.

    load:    (H, W) of the grid, both divisible by 256
    person:  channels of what the cloth should fit, (B, ``person``, H / 4, W / 4); cloth: (B, ``cloth``, H / 4, W / 4)
    points:  control points on a side
    """

    def __init__(
        self,
        load: tuple[int, int] = (1024, 768),
        person: int = 7,
        cloth: int = 3,
        points: int = 5,
        widths: tuple[int, int] = (64, 512),
    ) -> None:
        super().__init__()
        self.load, self.points = load, points
        places = (load[0] // 64) * (load[1] // 64)
        self.extractionA = Features(person, *widths)
        self.extractionB = Features(cloth, *widths)
        self.regression = Regression(places, places // 16, 2 * points**2, widths[1])

    @classmethod
    def like(cls, state: Mapping[str, Tensor]) -> Self:
        """One as wide as the checkpoint ``state``. Raises ``KeyError`` where it is another network's."""
        person, cloth = (state[f"extraction{which}.model.0.weight"] for which in "AB")
        points = math.isqrt(len(state["regression.linear.weight"]) // 2)
        widths = len(person), len(state["regression.conv.0.weight"])
        return cls(person=person.shape[1], cloth=cloth.shape[1], points=points, widths=widths)

    def forward(self, person: Tensor, cloth: Tensor) -> tuple[Tensor, Tensor]:
        theta = self.regression(correlation(self.extractionA(person), self.extractionB(cloth)))
        return bend(theta, self.load, self.points), theta


class Features(nn.Module):
    """(B, ``widest``, h / 16, w / 16) of what is seen in (B, ``inputs``, h, w)."""

    def __init__(self, inputs: int, width: int = 64, widest: int = 512) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for level in range(4):
            outputs = min(width * 2**level, widest)
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(outputs)]
            inputs = outputs
        layers += [nn.Conv2d(inputs, widest, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(widest)]
        layers += [nn.Conv2d(widest, widest, 3, padding=1), nn.ReLU()]
        self.model = nn.Sequential(*layers)

    def forward(self, seen: Tensor) -> Tensor:
        return self.model(seen)


def correlation(person: Tensor, cloth: Tensor) -> Tensor:
    """(B, w * h, h, w): how alike every place of ``person`` (column after column) is to every place of ``cloth``, both (B, C, h, w)."""
    columns = F.normalize(person).transpose(2, 3).flatten(2)
    return torch.einsum("bcn,bchw->bnhw", columns, F.normalize(cloth))


class Regression(nn.Module):
    """Shifts (B, ``shifts``) in -1..1 from a correlation (B, ``places``, h, w); ``left`` places remain after two halvings."""

    def __init__(self, places: int, left: int, shifts: int, widest: int = 512) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for part, stride in ((1, 2), (2, 2), (4, 1), (8, 1)):
            outputs = widest // part
            kernel = 4 if stride == 2 else 3
            layers += [nn.Conv2d(places, outputs, kernel, stride, 1), nn.BatchNorm2d(outputs), nn.ReLU()]
            places = outputs
        self.conv = nn.Sequential(*layers)
        self.linear = nn.Linear(left * places, shifts)

    def forward(self, alike: Tensor) -> Tensor:
        return torch.tanh(self.linear(self.conv(alike).flatten(1)))


_EDGE = 0.9
"""Both the control points and the grid's corners lie here, not at 1: a grid with no shifts enlarges what it samples a little."""


def bend(theta: Tensor, size: tuple[int, int], points: int) -> Tensor:
    """(B, H, W, 2): the thin-plate spline that moves ``points`` times ``points`` control points by ``theta``.

    theta: (B, 2 * points ** 2), all shifts in x, then all in y, control points column after column; size: (H, W)
    """
    side = torch.from_numpy(np.linspace(-_EDGE, _EDGE, points)).to(theta)
    control = torch.cartesian_prod(side, side)  # x, y, with y the faster
    inverse = torch.linalg.inv(_system(control))
    targets = control + theta.unflatten(1, (2, -1)).transpose(1, 2)  # (B, N, 2)
    weights = inverse[:, : len(control)] @ targets  # of each control point's bump, and 1, x, y
    y, x = (torch.from_numpy(np.linspace(-_EDGE, _EDGE, n)).to(theta) for n in size)
    places = torch.stack(torch.broadcast_tensors(x[None, :], y[:, None]), -1).flatten(0, 1)
    count = len(control)
    grid = _bumps(places, control) @ weights[:, :count] + places @ weights[:, count + 1 :] + weights[:, count : count + 1]
    return grid.unflatten(1, size)


def _bumps(places: Tensor, control: Tensor) -> Tensor:
    """(M, N): r² log r² of the distance r between every place (M, 2) and every control point (N, 2)."""
    squared = (places[:, None, 0] - control[:, 0]) ** 2 + (places[:, None, 1] - control[:, 1]) ** 2
    return torch.xlogy(squared, squared)  # 0 at the point itself


def _system(control: Tensor) -> Tensor:
    """(N + 3, N + 3): what bumps, constant and slopes give at the control points (N, 2), and that the bumps hold no slope of their own."""
    plane = torch.cat([torch.ones_like(control[:, :1]), control], 1)
    return torch.cat([torch.cat([_bumps(control, control), plane], 1), torch.cat([plane.T, plane.new_zeros(3, 3)], 1)])


# ALIASGenerator: the picture, coarse to fine, told at every size what is where and where cloth is missing.


class ALIASGenerator(nn.Module):
    """The dressed person (B, 3, H, W), H and W divisible by 2 ** ``halvings``.

    inputs:   channels of the agnostic person, the pose and the bent cloth together: 3 each
    width:    channels at full size; a checkpoint has 64
    classes:  channels of the map of what is where; the misaligned part is one more
    halvings: 7 ("most"), or 6 ("more")
    spectral: whether the checkpoint keeps weights and their largest singular vectors apart, as the published one does
    batch:    whether what no mask divides is normalised by the training's statistics instead of the map's own
    hidden:   channels between the map and what normalisation takes from it
    """

    def __init__(
        self,
        inputs: int = 9,
        width: int = 64,
        classes: int = 7,
        halvings: int = 7,
        *,
        spectral: bool = True,
        batch: bool = False,
        hidden: int = 128,
    ) -> None:
        super().__init__()
        self.halvings = halvings
        for level in range(8):
            self.add_module(f"conv_{level}", nn.Conv2d(inputs, 16 if level else 16 * width, 3, padding=1))
        widths = [16 * width, 16 * width, 16 * width, 8 * width, 4 * width, 2 * width, width, width // 2][: halvings + 1]
        names = ["head_0", "G_middle_0", "G_middle_1", *(f"up_{n}" for n in range(5))]
        self.names = names[: halvings + 1]
        before = 0
        for name, outputs in zip(self.names, widths, strict=True):
            divided = name not in ("up_2", "up_3", "up_4")
            before = before + 16 if before else outputs
            self.add_module(
                name,
                ALIASResBlock(before, outputs, classes, divided, spectral=spectral, batch=batch, hidden=hidden),
            )
            before = outputs
        self.conv_img = nn.Conv2d(before, 3, 3, padding=1)

    @classmethod
    def like(cls, state: Mapping[str, Tensor]) -> Self:
        """One as wide as the checkpoint ``state``, spectral norm folded or not. Raises ``KeyError`` where it is another network's."""
        return cls(
            state["conv_0.weight"].shape[1],
            len(state["conv_0.weight"]) // 16,
            state["up_2.norm_0.conv_shared.0.weight"].shape[1],
            halvings=7 if "up_4.conv_0.bias" in state else 6,
            spectral="head_0.conv_0.weight_orig" in state,
            batch="up_2.norm_0.param_free_norm.running_mean" in state,
            hidden=len(state["head_0.norm_0.conv_shared.0.weight"]),
        )

    def forward(self, person: Tensor, classes: Tensor, divided: Tensor, misaligned: Tensor, draw: Draw) -> Tensor:
        """The picture in -1..1.

        person:     agnostic person, pose and bent cloth (B, 9, H, W)
        classes:    one-hot (B, 7, H, W); divided: the same with the misaligned part taken out of the upper garment into an eighth channel
        misaligned: (B, 1, H, W), where the garment should be and the bent cloth does not reach
        draw:       the noise, shapes (B, w, h, 1), for the norms in their order: shortcut, first, second
        """
        height, width = (n >> self.halvings for n in person.shape[2:])
        x = person
        for level, name in enumerate(self.names):
            size = (height << level, width << level)
            told = self.get_submodule(f"conv_{level}")(F.interpolate(person, size))
            x = torch.cat([F.interpolate(x, scale_factor=2), told], 1) if level else told
            block = self.get_submodule(name)
            x = block(x, divided if block.divided else classes, misaligned, draw)
        return torch.tanh(self.conv_img(F.leaky_relu(x, 0.2)))


class ALIASResBlock(nn.Module):
    """Two normalised convolutions beside a shortcut; ``divided``: where the map has the misaligned part as a class of its own."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        classes: int,
        divided: bool,
        *,
        spectral: bool = True,
        batch: bool = False,
        hidden: int = 128,
    ) -> None:
        super().__init__()
        self.divided = divided
        middle = min(inputs, outputs)
        conv = SpectralConv2d if spectral else nn.Conv2d
        self.conv_0 = conv(inputs, middle, 3, padding=1)
        self.conv_1 = conv(middle, outputs, 3, padding=1)
        self.conv_s = conv(inputs, outputs, 1, bias=False) if inputs != outputs else None
        kind, labels = ("mask", classes + 1) if divided else ("batch" if batch else "instance", classes)
        self.norm_0 = ALIASNorm(kind, inputs, labels, hidden)
        self.norm_1 = ALIASNorm(kind, middle, labels, hidden)
        self.norm_s = ALIASNorm(kind, inputs, labels, hidden) if inputs != outputs else None

    def forward(self, x: Tensor, classes: Tensor, misaligned: Tensor, draw: Draw) -> Tensor:
        classes, misaligned = (F.interpolate(maps, x.shape[2:]) for maps in (classes, misaligned))
        shortcut = x
        if self.conv_s is not None and self.norm_s is not None:
            shortcut = self.conv_s(self.norm_s(x, classes, misaligned, draw))
        x = self.conv_0(F.leaky_relu(self.norm_0(x, classes, misaligned, draw), 0.2))
        return shortcut + self.conv_1(F.leaky_relu(self.norm_1(x, classes, misaligned, draw), 0.2))


class ALIASNorm(nn.Module):
    """Noise, a norm without parameters, then scale and shift as the map says; ``kind`` is ``mask``, ``instance`` or ``batch``."""

    def __init__(self, kind: str, channels: int, labels: int, hidden: int = 128) -> None:
        super().__init__()
        self.noise_scale = nn.Parameter(torch.zeros(channels))
        norms: dict[str, type[nn.Module]] = {"mask": MaskNorm, "instance": _InstanceNorm, "batch": _BatchNorm}
        self.param_free_norm = norms[kind](channels)
        self.conv_shared = nn.Sequential(nn.Conv2d(labels, hidden, 3, padding=1), nn.ReLU())
        self.conv_gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.conv_beta = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x: Tensor, classes: Tensor, misaligned: Tensor, draw: Draw) -> Tensor:
        count, _, height, width = x.shape
        grain = draw((count, width, height, 1)).to(x)  # one map for all channels, drawn lying on its side
        x = self.param_free_norm(x + (grain * self.noise_scale).transpose(1, 3), misaligned)
        told = self.conv_shared(classes)
        return torch.addcmul(self.conv_beta(told), x, 1 + self.conv_gamma(told))


class MaskNorm(nn.Module):
    """Inside and outside of the mask each normalised on its own, so that a part without cloth does not darken the rest."""

    def __init__(self, _channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self._normalised(x, mask) + self._normalised(x, 1 - mask)

    @staticmethod
    def _normalised(x: Tensor, mask: Tensor) -> Tensor:
        count = mask.sum((2, 3), keepdim=True)
        count = torch.where(count == 0, 1, count)
        region = x * mask
        mean = region.sum((2, 3), keepdim=True) / count
        return F.instance_norm(region + (1 - mask) * mean) * (count / mask[0, 0].numel()).sqrt()


class _InstanceNorm(nn.Module):
    def __init__(self, _channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, _mask: Tensor) -> Tensor:
        return F.instance_norm(x)


class _BatchNorm(nn.BatchNorm2d):
    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=False)

    def forward(self, x: Tensor, _mask: Tensor) -> Tensor:
        return super().forward(x)

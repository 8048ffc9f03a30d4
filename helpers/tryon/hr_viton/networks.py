"""HR-VITON's two networks under their published parameter names.

``ConditionGenerator`` ("tocg") bends the garment to the body and says at the same time where which part of the clothed person will be;
``SPADEGenerator`` paints the person from that. ``of_state`` of each reads its variant off a checkpoint.

Source: Lee et al., "High-Resolution Virtual Try-On with Misalignment and Occlusion-Handled Conditions", 2022 (sangyun884/HR-VITON).
Code and checkpoints are CC BY-NC 4.0: not for commercial use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.tryon.spectral import SpectralConv2d

CLASSES, REGIONS = 13, 7
"""Parts of a person that tocg tells apart, and those that the generator is told."""
Noise = Callable[[int, int, int], Tensor]
"""``(batch, width, height)`` to float32 (batch, width, height, 1); called once a norm, in their order."""


# The condition generator


class ResBlock(nn.Module):
    """Two convolutions beside a scaled copy: ``same``, ``up`` (twice as large) or ``down`` (half)."""

    def __init__(self, width_in: int, width: int, scale: str, norm: str) -> None:
        super().__init__()
        normed, bias = (nn.InstanceNorm2d, True) if norm == "instance" else (nn.BatchNorm2d, False)
        shorten = nn.Conv2d(width_in, width, 1)
        if scale == "down":
            shorten = nn.Conv2d(width_in, width, 3, stride=2, padding=1, bias=bias)
        larger = nn.Upsample(scale_factor=2, mode="bilinear")
        self.scale = nn.Sequential(larger, shorten) if scale == "up" else shorten
        self.block = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=bias),
            normed(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=bias),
            normed(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        scaled = self.scale(x)
        return F.relu(scaled + self.block(scaled))


class ConditionGenerator(nn.Module):
    """A garment and a body to the garment's flow and the person's parts.

    width:        channels of the finest level; 96 as published
    warp_feature: what the decoder is given of the garment: ``T1``, features that gather from coarse to fine, or ``encoder``, a level's own
    out_layer:    ``relu``, parts >= 0, or ``conv``, plain logits
    norm:         ``batch`` as published, or ``instance``
    """

    def __init__(
        self,
        width: int = 96,
        *,
        cloth: int = 4,
        body: int = CLASSES + 3,
        parts: int = CLASSES,
        warp_feature: str = "T1",
        out_layer: str = "relu",
        norm: str = "batch",
    ) -> None:
        super().__init__()
        self.warp_feature = warp_feature
        n = width
        levels = (n, 2 * n, 4 * n, 4 * n, 4 * n)
        self.ClothEncoder = _encoder(cloth, levels, norm)
        self.PoseEncoder = _encoder(body, levels, norm)
        self.conv = ResBlock(4 * n, 8 * n, "same", norm)
        decoded = (4 * n, 4 * n, 2 * n, n, n)
        warped = [4 * n if warp_feature == "T1" else level for level in levels]
        inputs = [8 * n] + [decoded[i - 1] + levels[4 - i] + warped[4 - i] for i in range(1, 5)]
        self.SegDecoder = nn.Sequential(*(ResBlock(a, b, "up", norm) for a, b in zip(inputs, decoded, strict=True)))
        last = n + body + cloth
        if out_layer == "relu":
            self.out_layer: nn.Module = ResBlock(last, parts, "same", norm)
        else:
            self.out_layer = nn.Sequential(ResBlock(last, n, "same", norm), nn.Conv2d(n, parts, 1))
        self.conv1 = nn.Sequential(*(nn.Conv2d(level, 4 * n, 1) for level in levels[:4]))
        self.conv2 = nn.Sequential(*(nn.Conv2d(level, 4 * n, 1) for level in levels[:4]))  # in the checkpoints, of no effect
        self.flow_conv = nn.ModuleList(nn.Conv2d(8 * n, 2, 3, padding=1) for _ in levels)
        self.bottleneck = nn.Sequential(
            *(nn.Sequential(nn.Conv2d(level, 4 * n, 3, padding=1), nn.ReLU()) for level in decoded[:4])
        )

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> ConditionGenerator:
        """The variant that a checkpoint is of. Raises ``KeyError`` where it is none of them."""
        width = state["ClothEncoder.0.scale.weight"].shape[0]
        return cls(
            width,
            cloth=state["ClothEncoder.0.scale.weight"].shape[1],
            body=state["PoseEncoder.0.scale.weight"].shape[1],
            parts=state["out_layer.1.weight" if "out_layer.1.weight" in state else "out_layer.scale.weight"].shape[0],
            warp_feature="T1" if state["SegDecoder.4.scale.1.weight"].shape[1] == 6 * width else "encoder",
            out_layer="conv" if "out_layer.1.weight" in state else "relu",
            norm="batch" if "ClothEncoder.0.block.1.weight" in state else "instance",
        )

    def forward(self, garment: Tensor, body: Tensor, upsample: str = "bilinear") -> tuple[list[Tensor], Tensor, Tensor, Tensor]:
        """Flows from coarse to fine, parts, and the garment as the last flow bends it.

        garment:  float32 (B, 4, H, W), cloth -1..1 and its mask; sides are multiples of 32, from 64 on
        body:     float32 (B, 16, H, W), 13 parts without what was worn, DensePose picture -1..1
        upsample: ``bilinear`` or ``nearest``, how flows and features go to the next level
        Returns flows, each (B, h, w, 2) in pixels of its own level, H / 32 to H / 2; parts (B, 13, H, W); cloth (B, 3, H, W); mask
        (B, 1, H, W). Raises ``ValueError`` for other sides.
        """
        height, width = garment.shape[2:]
        if min(height, width) < 64 or height % 32 or width % 32:  # a coarsest flow of one pixel has no units to count in
            raise ValueError(f"the condition generator takes sides that are multiples of 32, from 64 on, not {width}x{height}.")

        def larger(x: Tensor) -> Tensor:
            return F.interpolate(x, scale_factor=2, mode=upsample)

        cloth, pose = [garment], [body]
        for narrower, other in zip(self.ClothEncoder, self.PoseEncoder, strict=True):
            cloth.append(narrower(cloth[-1]))
            pose.append(other(pose[-1]))
        cloth, pose = cloth[1:], pose[1:]
        gathered = cloth[4]
        flows = [self.flow_conv[0](torch.cat([gathered, pose[4]], 1)).permute(0, 2, 3, 1)]
        x = self.SegDecoder[0](self.conv(pose[4]))
        for level in range(1, 5):
            finer = 4 - level
            gathered = larger(gathered) + self.conv1[finer](cloth[finer])
            enlarged = larger(flows[-1].permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            # Bent by the flow of the level before; what is found here is first seen by the next one.
            grid = _grid(enlarged, flows[-1].shape[1:3])
            bent = _bend(gathered, grid)
            flows.append(
                enlarged + self.flow_conv[level](torch.cat([bent, self.bottleneck[level - 1](x)], 1)).permute(0, 2, 3, 1)
            )
            seen = bent if self.warp_feature == "T1" else _bend(cloth[finer], grid)
            x = self.SegDecoder[level](torch.cat([x, pose[finer], seen], 1))
        enlarged = larger(flows[-1].permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        bent = _bend(garment, _grid(enlarged, flows[-1].shape[1:3]))
        return flows, self.out_layer(torch.cat([x, body, bent], 1)), bent[:, :-1], bent[:, -1:]


def _encoder(inputs: int, levels: tuple[int, ...], norm: str) -> nn.Sequential:
    return nn.Sequential(*(ResBlock(a, b, "down", norm) for a, b in zip((inputs, *levels), levels, strict=False)))


def bend(picture: Tensor, flow: Tensor) -> Tensor:
    """``picture`` (B, C, H, W) as ``flow`` (B, h, w, 2) of a coarser level moves it; beyond its border that is repeated."""
    enlarged = F.interpolate(flow.permute(0, 3, 1, 2), size=picture.shape[2:], mode="bilinear").permute(0, 2, 3, 1)
    return _bend(picture, _grid(enlarged, flow.shape[1:3]))


def _grid(flow: Tensor, units: tuple[int, ...] | torch.Size) -> Tensor:
    """Where each pixel is taken from, -1..1: ``flow`` (B, H, W, 2) counts in pixels of a level of size ``units`` (height, width).

    The grid goes from -1 to 1 although pixels' middles do not: a flow of zero shrinks by half a pixel. The weights were trained so.
    """
    height, width = flow.shape[1:3]
    rows = torch.linspace(-1, 1, height, device=flow.device, dtype=flow.dtype)
    columns = torch.linspace(-1, 1, width, device=flow.device, dtype=flow.dtype)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x + flow[..., 0] / ((units[1] - 1) / 2), y + flow[..., 1] / ((units[0] - 1) / 2)], -1)


def _bend(x: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


# The generator


class SPADENorm(nn.Module):
    """``x`` with noise, normed, then scaled and shifted place by place as the person's regions say."""

    def __init__(self, width: int, regions: int, norm: str) -> None:
        super().__init__()
        self.noise_scale = nn.Parameter(torch.zeros(width))
        self.param_free_norm = nn.BatchNorm2d(width, affine=False) if norm == "batch" else nn.InstanceNorm2d(width)
        self.conv_shared = nn.Sequential(nn.Conv2d(regions, 128, 3, padding=1), nn.ReLU())
        self.conv_gamma = nn.Conv2d(128, width, 3, padding=1)
        self.conv_beta = nn.Conv2d(128, width, 3, padding=1)

    def forward(self, x: Tensor, regions: Tensor, noise: Noise | None) -> Tensor:
        if noise is not None:
            drawn = noise(x.shape[0], x.shape[3], x.shape[2]).to(x)
            x = x + (drawn * self.noise_scale).transpose(1, 3)
        told = self.conv_shared(regions)
        return self.param_free_norm(x) * (1 + self.conv_gamma(told)) + self.conv_beta(told)


class SPADEResBlock(nn.Module):
    """Two normed convolutions beside a copy, which is brought to the new width where that differs."""

    def __init__(self, width_in: int, width: int, regions: int, norm: str, spectral: bool) -> None:
        super().__init__()
        middle = min(width_in, width)
        conv = SpectralConv2d if spectral else nn.Conv2d
        self.conv_0 = conv(width_in, middle, 3, padding=1)
        self.conv_1 = conv(middle, width, 3, padding=1)
        self.norm_0 = SPADENorm(width_in, regions, norm)
        self.norm_1 = SPADENorm(middle, regions, norm)
        self.widens = width_in != width
        if self.widens:
            self.conv_s = conv(width_in, width, 1, bias=False)
            self.norm_s = SPADENorm(width_in, regions, norm)

    def forward(self, x: Tensor, regions: Tensor, noise: Noise | None) -> Tensor:
        regions = F.interpolate(regions, size=x.shape[2:], mode="nearest")
        beside = self.conv_s(self.norm_s(x, regions, noise)) if self.widens else x
        x = self.conv_0(F.leaky_relu(self.norm_0(x, regions, noise), 0.2))
        return beside + self.conv_1(F.leaky_relu(self.norm_1(x, regions, noise), 0.2))


class SPADEGenerator(nn.Module):
    """What is kept of a person, their DensePose and the bent garment to the clothed person.

    width: 64 as published; inputs: channels; regions: of the person
    most:  with the last block, as published; without it ("more") sides are multiples of 64 instead of 128
    norm:  ``instance`` as published, or ``batch``; spectral: weights are over their largest singular value, as published
    """

    def __init__(
        self,
        width: int = 64,
        *,
        inputs: int = 9,
        regions: int = REGIONS,
        most: bool = True,
        norm: str = "instance",
        spectral: bool = True,
    ) -> None:
        super().__init__()
        n = width
        self.most = most
        self.conv_0 = nn.Conv2d(inputs, 16 * n, 3, padding=1)
        for level in range(1, 8):  # the last one's is in the checkpoints of "more", of no effect
            self.add_module(f"conv_{level}", nn.Conv2d(inputs, 16, 3, padding=1))
        self.head_0 = SPADEResBlock(16 * n, 16 * n, regions, norm, spectral)
        self.G_middle_0 = SPADEResBlock(16 * n + 16, 16 * n, regions, norm, spectral)
        self.G_middle_1 = SPADEResBlock(16 * n + 16, 16 * n, regions, norm, spectral)
        self.up_0 = SPADEResBlock(16 * n + 16, 8 * n, regions, norm, spectral)
        self.up_1 = SPADEResBlock(8 * n + 16, 4 * n, regions, norm, spectral)
        self.up_2 = SPADEResBlock(4 * n + 16, 2 * n, regions, norm, spectral)
        self.up_3 = SPADEResBlock(2 * n + 16, n, regions, norm, spectral)
        if most:
            self.up_4 = SPADEResBlock(n + 16, n // 2, regions, norm, spectral)
        self.conv_img = nn.Conv2d(n // 2 if most else n, 3, 3, padding=1)

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> SPADEGenerator:
        """The variant that a checkpoint is of. Raises ``KeyError`` where it is none of them."""
        return cls(
            state["conv_0.weight"].shape[0] // 16,
            inputs=state["conv_0.weight"].shape[1],
            regions=state["head_0.norm_0.conv_shared.0.weight"].shape[1],
            most="up_4.conv_0.bias" in state,
            norm="batch" if "head_0.norm_0.param_free_norm.running_mean" in state else "instance",
            spectral="head_0.conv_0.weight_orig" in state,
        )

    @property
    def multiple(self) -> int:
        """Of which both sides of a picture are multiples."""
        return 128 if self.most else 64

    def forward(self, x: Tensor, regions: Tensor, noise: Noise | None = None) -> Tensor:
        """float32 (B, 3, H, W), -1..1.

        x:       float32 (B, 9, H, W), agnostic picture, DensePose picture and bent garment, each RGB -1..1
        regions: float32 (B, 7, H, W), one-hot
        noise:   drawn for every norm; ``None``: none
        Raises ``ValueError`` for sides that are no multiples.
        """
        height, width = x.shape[2:]
        if height % self.multiple or width % self.multiple:
            raise ValueError(f"the generator paints sides that are multiples of {self.multiple}, not {width}x{height}.")
        blocks = [self.head_0, self.G_middle_0, self.G_middle_1, self.up_0, self.up_1, self.up_2, self.up_3]
        blocks += [self.up_4] if self.most else []
        painted = x.new_empty(0)
        for level, block in enumerate(blocks):
            size = (height // self.multiple << level, width // self.multiple << level)
            seen = self.get_submodule(f"conv_{level}")(F.interpolate(x, size=size, mode="nearest"))
            if level:
                seen = torch.cat([F.interpolate(painted, scale_factor=2, mode="nearest"), seen], 1)
            painted = block(seen, regions, noise)
        return torch.tanh(self.conv_img(F.leaky_relu(painted, 0.2)))

"""MobileSAM's image encoder: TinyViT with the neck of Segment Anything in place of its classifier.

Four stages: convolutions at a quarter of the picture's size, then window attention at an eighth and twice at a sixteenth (the last
stage is not reduced, so that the embedding has SAM's grid). Parameter names are those of the published ``mobile_sam.pt``, in which this
network stands under ``image_encoder.`` together with an ImageNet classifier (``LEFT_OVER``) that nothing uses.

Sources: Zhang et al., "Faster Segment Anything" (2023), ChaoningZhang/MobileSAM; Wu et al., "TinyViT" (2022), microsoft/Cream. Apache-2.0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, nn
from torch.nn import functional as F

IMAGE_SIZE = 1024
"""Pixels of the square that the published network looks at. No parameter's shape depends on it."""
LEFT_OVER = (r"image_encoder\.norm_head\..*", r"image_encoder\.head\..*")
"""Keys of the published file without a part in the embedding."""


@dataclass(frozen=True)
class Sizes:
    """What the parameters' shapes tell; the defaults are MobileSAM's."""

    widths: Sequence[int] = (64, 128, 160, 320)
    depths: Sequence[int] = (2, 2, 6, 2)
    heads: Sequence[int] = (2, 4, 5, 10)
    windows: Sequence[int] = (7, 7, 14, 7)
    expansion: float = 4.0
    mlp_ratio: float = 4.0
    out: int = 256


def sizes(shapes: Mapping[str, Sequence[int]]) -> Sizes:
    """The sizes of the network whose parameters have these ``shapes`` by name, without ``image_encoder.`` before it."""
    stages = range(1 + max(int(name.split(".")[1]) for name in shapes if name.startswith("layers.")))
    depths = tuple(
        1 + max(int(name.split(".")[3]) for name in shapes if name.startswith(f"layers.{stage}.blocks.")) for stage in stages
    )
    attention = [shapes[f"layers.{stage}.blocks.0.attn.attention_biases"] for stage in stages[1:]]
    hidden, width = shapes["layers.0.blocks.0.conv1.c.weight"][:2]
    mlp = shapes["layers.1.blocks.0.mlp.fc1.weight"]
    return Sizes(
        widths=(width, *(shapes[f"layers.{stage}.blocks.0.mlp.fc1.weight"][1] for stage in stages[1:])),
        depths=depths,
        # The first stage is convolutional: its heads and windows are never used.
        heads=(0, *(heads for heads, _ in attention)),
        windows=(0, *(math.isqrt(offsets) for _, offsets in attention)),
        expansion=hidden / width,
        mlp_ratio=mlp[0] / mlp[1],
        out=shapes["neck.0.weight"][0],
    )


class TinyViT(nn.Module):
    """(B, 3, S, S) normalised RGB, S a multiple of 16, to the embedding (B, out, S/16, S/16)."""

    def __init__(self, s: Sizes = Sizes(), img_size: int = IMAGE_SIZE) -> None:
        super().__init__()
        self.img_size = img_size
        self.patch_embed = PatchEmbed(s.widths[0])
        last = len(s.widths) - 1
        self.layers = nn.ModuleList()
        for stage, width in enumerate(s.widths):
            if stage == 0:
                blocks: list[nn.Module] = [MBConv(width, s.expansion) for _ in range(s.depths[0])]
            else:
                shape = width, s.heads[stage], s.windows[stage], s.mlp_ratio
                blocks = [Block(*shape) for _ in range(s.depths[stage])]
            merging = PatchMerging(width, s.widths[stage + 1], stride=1 if stage + 1 == last else 2) if stage < last else None
            self.layers.append(Stage(blocks, merging))
        self.neck = nn.Sequential(
            nn.Conv2d(s.widths[-1], s.out, 1, bias=False),
            LayerNorm2d(s.out),
            nn.Conv2d(s.out, s.out, 3, padding=1, bias=False),
            LayerNorm2d(s.out),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x)  # (B, C0, S/4, S/4)
        for layer in self.layers:
            x = layer(x)
        return self.neck(x)  # (B, out, S/16, S/16)


class ConvNorm(nn.Sequential):
    """A convolution without bias and its batch norm."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.add_module("c", nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False))
        self.add_module("bn", nn.BatchNorm2d(outputs))


class PatchEmbed(nn.Module):
    """Two strided convolutions: a quarter of the size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.seq = nn.Sequential(ConvNorm(3, width // 2, 3, stride=2), nn.GELU(), ConvNorm(width // 2, width, 3, stride=2))

    def forward(self, x: Tensor) -> Tensor:
        return self.seq(x)


class Stage(nn.Module):
    """Blocks of one width, then the way to the next width."""

    def __init__(self, blocks: Sequence[nn.Module], downsample: nn.Module | None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class MBConv(nn.Module):
    """Widen, filter each channel, narrow; with a residual."""

    def __init__(self, width: int, expansion: float) -> None:
        super().__init__()
        hidden = int(width * expansion)
        self.conv1 = ConvNorm(width, hidden)
        self.conv2 = ConvNorm(hidden, hidden, 3, groups=hidden)
        self.conv3 = ConvNorm(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x + self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x))))))


class PatchMerging(nn.Module):
    """To the next width, at half the size unless ``stride`` is 1."""

    def __init__(self, width: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(width, outputs)
        self.conv2 = ConvNorm(outputs, outputs, 3, stride=stride, groups=outputs)
        self.conv3 = ConvNorm(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))


class Block(nn.Module):
    """Attention in windows, a depthwise convolution over their seams, an MLP."""

    def __init__(self, width: int, heads: int, window: int, mlp_ratio: float) -> None:
        super().__init__()
        self.window = window
        self.attn = Attention(width, heads, window)
        self.mlp = Mlp(width, int(width * mlp_ratio))
        self.local_conv = ConvNorm(width, width, 3, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        n = self.window
        # The padding is normalised and attended to like pixels, as the weights were trained.
        padded = F.pad(x, (0, -width % n, 0, -height % n))
        rows, columns = padded.shape[2] // n, padded.shape[3] // n
        windows = padded.view(batch, channels, rows, n, columns, n).permute(0, 2, 4, 3, 5, 1)  # (B, rows, columns, n, n, C)
        attended = self.attn(windows.reshape(-1, n * n, channels))
        attended = attended.view(batch, rows, columns, n, n, channels).permute(0, 5, 1, 3, 2, 4)  # (B, C, rows, n, columns, n)
        x = x + attended.reshape(padded.shape)[..., :height, :width]
        x = self.local_conv(x)
        return x + self.mlp(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """Self-attention in a window, biased by how far apart two places are along each axis."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))

    def forward(self, x: Tensor) -> Tensor:
        batch, places, width = x.shape
        qkv = self.qkv(self.norm(x)).view(batch, places, self.heads, 3, -1)  # a head's q, k and v lie together
        q, k, v = qkv.permute(3, 0, 2, 1, 4)  # each (B, heads, n*n, C/heads)
        place = torch.arange(places, device=x.device)
        row, column = place // self.window, place % self.window
        apart = (row[:, None] - row).abs() * self.window + (column[:, None] - column).abs()  # (n*n, n*n)
        out = F.scaled_dot_product_attention(q, k, v, self.attention_biases[:, apart][None])
        return self.proj(out.transpose(1, 2).reshape(batch, places, width))


class Mlp(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(self.norm(x))))

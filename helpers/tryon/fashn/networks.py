"""The network of FASHN VTON v1.5: a multimodal diffusion transformer over patches of pixels, under the published parameter names.

The person's picture and pose ride on the noisy picture's patches, the garment's are a sequence of their own. Both are attended to
together, first by weights of their own (``double_blocks``), then by shared ones (``single_blocks``), as in FLUX.1.

Source: fashn-AI/fashn-vton-1.5 (Apache-2.0); blocks of black-forest-labs/flux (Apache-2.0).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH = 12
HIDDEN, HEADS = 1280, 10
MIXER, DOUBLE, SINGLE = 4, 8, 16
CATEGORIES = 3
"""Upper, lower and dress, numbered from 1; 0 is none, as guidance is without."""
_COLOURS = 3
_WAVES, _PERIOD, _TIME = 256, 10_000, 1000.0
_EPS = 1e-6


def rotations(rows: int, columns: int, axes: tuple[int, int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine, float32 (rows * columns, sum(axes) / 2), of the angles by which a place turns pairs of channels.

    axes: how many channels turn with nothing, with the row and with the column
    """
    places = torch.zeros(rows, columns, 3, dtype=torch.float64, device=device)
    places[..., 1] = torch.arange(rows, device=device)[:, None]
    places[..., 2] = torch.arange(columns, device=device)
    angles = []
    for axis, channels in enumerate(axes):
        slow = torch.arange(0, channels, 2, dtype=torch.float64, device=device) / channels
        angles.append(places[..., axis].reshape(-1, 1) / _PERIOD**slow)
    angle = torch.cat(angles, -1)
    return angle.cos().float(), angle.sin().float()


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """``x`` (B, heads, L, D) with every pair of neighbouring channels turned."""
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([cos * even - sin * odd, sin * even + cos * odd], -1).flatten(-2).type_as(x)


def attention(q: Tensor, k: Tensor, v: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """(B, L, heads * D) from (B, heads, L, D) each."""
    mixed = F.scaled_dot_product_attention(turned(q, cos, sin), turned(k, cos, sin), v)
    return mixed.transpose(1, 2).flatten(2)


def waves(time: Tensor, count: int) -> Tensor:
    """(B, count) float32 of times (B,) 0..1: cosines, then sines, of ever longer waves."""
    half = count // 2
    frequency = torch.exp(-math.log(_PERIOD) * torch.arange(half, dtype=torch.float32, device=time.device) / half)
    angle = _TIME * time.float()[:, None] * frequency
    return torch.cat([angle.cos(), angle.sin()], -1)


class RMSNorm(nn.Module):
    """Root mean square 1 in float32, then a factor a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + _EPS)).to(x.dtype) * self.scale


class QKNorm(nn.Module):
    """Queries and keys, (B, heads, L, D), each normed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query_norm = RMSNorm(channels)
        self.key_norm = RMSNorm(channels)

    def forward(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        return self.query_norm(q), self.key_norm(k)


def heads_of(qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Three of (B, heads, L, D) from (B, L, 3 * heads * D)."""
    q, k, v = qkv.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
    return q, k, v


def plain_norm(channels: int) -> nn.LayerNorm:
    """A norm whose scale and shift are the modulation's."""
    return nn.LayerNorm(channels, elementwise_affine=False, eps=_EPS)


class Modulation(nn.Module):
    """Shift, scale and gate (B, 1, C) from the vector of time and category (B, C), ``count`` times over."""

    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        self.parts = 3 * count
        self.lin = nn.Linear(channels, self.parts * channels)

    def forward(self, vector: Tensor) -> tuple[Tensor, ...]:
        return self.lin(F.silu(vector))[:, None].chunk(self.parts, -1)


class SelfAttention(nn.Module):
    """The layers of one stream's attention; what is attended to is the block's affair."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.norm = QKNorm(channels // heads)
        self.proj = nn.Linear(channels, channels)

    def queries(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normed queries and keys, and values, (B, heads, L, D) each."""
        q, k, v = heads_of(self.qkv(x), self.heads)
        return *self.norm(q, k), v


class DoubleBlock(nn.Module):
    """Picture and garment, (B, L, C) each, with layers of their own that attend to both."""

    def __init__(self, channels: int, heads: int, ratio: int) -> None:
        super().__init__()
        for stream in ("img", "txt"):  # ``txt`` is the garment: the names are FLUX.1's
            self.add_module(f"{stream}_mod", Modulation(channels, 2))
            self.add_module(f"{stream}_attn", SelfAttention(channels, heads))
            wide = [nn.Linear(channels, ratio * channels), nn.GELU("tanh"), nn.Linear(ratio * channels, channels)]
            self.add_module(f"{stream}_mlp", nn.Sequential(*wide))
        self.norm = plain_norm(channels)

    def forward(self, picture: Tensor, garment: Tensor, vector: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
        streams = {"txt": garment, "img": picture}
        modulations = {name: getattr(self, f"{name}_mod")(vector) for name in streams}
        asked = []
        for name, x in streams.items():
            shift, scale, *_ = modulations[name]
            asked.append(getattr(self, f"{name}_attn").queries((1 + scale) * self.norm(x) + shift))
        q, k, v = (torch.cat(both, 2) for both in zip(*asked, strict=True))
        told = attention(q, k, v, cos, sin).split([garment.shape[1], picture.shape[1]], 1)
        out = []
        for (name, x), heard in zip(streams.items(), told, strict=True):
            _, _, gate, shift, scale, gate_mlp = modulations[name]
            x = x + gate * getattr(self, f"{name}_attn").proj(heard)
            out.append(x + gate_mlp * getattr(self, f"{name}_mlp")((1 + scale) * self.norm(x) + shift))
        return out[1], out[0]


class SingleBlock(nn.Module):
    """One sequence (B, L, C): attention and feed-forward side by side, between one linear layer and another."""

    def __init__(self, channels: int, heads: int, ratio: int) -> None:
        super().__init__()
        self.heads, self.sizes = heads, (3 * channels, ratio * channels)
        self.linear1 = nn.Linear(channels, sum(self.sizes))
        self.linear2 = nn.Linear(channels + self.sizes[1], channels)
        self.norm = QKNorm(channels // heads)
        self.pre_norm = plain_norm(channels)
        self.modulation = Modulation(channels, 1)

    def forward(self, x: Tensor, vector: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        shift, scale, gate = self.modulation(vector)
        qkv, wide = self.linear1((1 + scale) * self.pre_norm(x) + shift).split(self.sizes, -1)
        q, k, v = heads_of(qkv, self.heads)
        q, k = self.norm(q, k)
        told = attention(q, k, v, cos, sin)
        return x + gate * self.linear2(torch.cat([told, F.gelu(wide, approximate="tanh")], -1))


class LastLayer(nn.Module):
    """(B, L, outputs) from (B, L, C)."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.norm_final = plain_norm(channels)
        self.linear = nn.Linear(channels, outputs)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(channels, 2 * channels))

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        shift, scale = self.adaLN_modulation(vector)[:, None].chunk(2, -1)
        return self.linear((1 + scale) * self.norm_final(x) + shift)


class PatchEmbed(nn.Module):
    """(B, L, C) from a picture (B, channels, H, W), row by row."""

    def __init__(self, inputs: int, channels: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, channels, patch, patch)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2)


class TimeEmbed(nn.Module):
    """(B, C) from times (B,) 0..1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential()
        self.mlp.add_module("in_layer", nn.Linear(_WAVES, channels))
        self.mlp.add_module("silu", nn.SiLU())
        self.mlp.add_module("out_layer", nn.Linear(channels, channels))

    def forward(self, time: Tensor) -> Tensor:
        return self.mlp(waves(time, _WAVES).to(self.mlp.in_layer.weight.dtype))


class TryOnModel(nn.Module):
    """Velocity (B, 3, H, W) towards the finished picture; H and W multiples of ``patch``.

    channels:    of the sequence; heads: of its attention
    axes:        of a head's channels, those that turn with nothing, with the row and with the column; ``None``: 1/8, 7/16 and 7/16
    mixer, double, single: how many blocks mix the picture alone, picture and garment by their own weights, and by shared ones
    """

    def __init__(
        self,
        channels: int = HIDDEN,
        heads: int = HEADS,
        *,
        axes: tuple[int, int, int] | None = None,
        mixer: int = MIXER,
        double: int = DOUBLE,
        single: int = SINGLE,
        ratio: int = 4,
        patch: int = PATCH,
        categories: int = CATEGORIES,
    ) -> None:
        super().__init__()
        wide = channels // heads
        self.axes = axes or (wide // 8, wide * 7 // 16, wide * 7 // 16)
        if sum(self.axes) != wide or any(axis % 2 for axis in self.axes):
            raise ValueError(f"axes {self.axes} must be even and add up to the {wide} channels of a head.")
        self.patch = patch
        self.t_embedder = TimeEmbed(channels)
        self.y_embedder = nn.Embedding(categories + 1, channels)
        self.x_embedder = PatchEmbed(2 * _COLOURS + 1, channels, patch)
        self.garment_embedder = PatchEmbed(_COLOURS + 1, channels, patch)
        self.x_patch_mixer = nn.ModuleList(SingleBlock(channels, heads, ratio) for _ in range(mixer))
        self.register_buffer("patch_mixer_token", torch.zeros(1, 1, _COLOURS * patch**2))  # in the file; training used it
        self.double_blocks = nn.ModuleList(DoubleBlock(channels, heads, ratio) for _ in range(double))
        self.single_blocks = nn.ModuleList(SingleBlock(channels, heads, ratio) for _ in range(single))
        self.final_layer = LastLayer(channels, _COLOURS * patch**2)

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> Self:
        """The network that ``state`` fits, sizes and all. Raises ``KeyError`` naming what it lacks."""
        channels, _, patch, _ = state["x_embedder.proj.weight"].shape

        def count(blocks: str) -> int:
            return len({key.split(".")[1] for key in state if key.startswith(f"{blocks}.")})

        return cls(
            channels,
            channels // len(state["double_blocks.0.img_attn.norm.query_norm.scale"]),
            mixer=count("x_patch_mixer"),
            double=count("double_blocks"),
            single=count("single_blocks"),
            ratio=len(state["double_blocks.0.img_mlp.0.weight"]) // channels,
            patch=patch,
            categories=len(state["y_embedder.weight"]) - 1,
        )

    def forward(
        self,
        noisy: Tensor,
        time: Tensor,
        person: Tensor,
        person_pose: Tensor,
        garment: Tensor,
        garment_pose: Tensor,
        category: Tensor,
    ) -> Tensor:
        """noisy, person, garment: (B, 3, H, W) in -1..1; the poses: (B, 1, H, W) in -1..1; time: (B,), 0 noise, 1 finished;
        category: whole (B,), 0..3. What is 0 throughout, the category too, is not told: guidance asks so."""
        _, _, height, width = noisy.shape
        rows, columns = height // self.patch, width // self.patch
        picture = self.x_embedder(torch.cat([noisy, person, person_pose], 1))
        cloth = self.garment_embedder(torch.cat([garment, garment_pose], 1))
        vector = self.t_embedder(time) + self.y_embedder(category)
        cos, sin = rotations(rows, columns, self.axes, noisy.device)
        for block in self.x_patch_mixer:
            picture = block(picture, vector, cos, sin)
        cos, sin = cos.repeat(2, 1), sin.repeat(2, 1)  # garment and picture have the same places
        for block in self.double_blocks:
            picture, cloth = block(picture, cloth, vector, cos, sin)
        both = torch.cat([cloth, picture], 1)
        for block in self.single_blocks:
            both = block(both, vector, cos, sin)
        patches = self.final_layer(both[:, cloth.shape[1] :], vector)
        return F.fold(patches.transpose(1, 2), (height, width), self.patch, stride=self.patch)

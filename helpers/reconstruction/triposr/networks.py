"""TripoSR's network under the published parameter names: DINO's vision transformer reads the picture, a transformer turns learned tokens of
three planes into features by looking at it, and a small perceptron reads density and colour at any point between the planes.

Source: VAST-AI-Research/TripoSR (MIT), Tochilkin et al. 2024; facebookresearch/dino (Apache-2.0) in the layout of transformers 4.35.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIZE = 512
"""Pixels a side that the network is shown."""
RADIUS = 0.87
"""Half the side of the cube that is looked into, in the network's own units."""
PLANES = 3
HEADS, HEAD_WIDTH = 12, 64
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_DENSITY_BIAS = -1.0
_AXES = ((0, 1), (0, 2), (1, 2))
"""Which coordinates lie along the columns and the rows of each plane."""


class ViTLayer(nn.Module):
    """Attention and a perceptron, each after a norm."""

    def __init__(self, width: int, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        inner = {name: nn.Linear(width, width) for name in ("query", "key", "value")}
        self.attention = nn.ModuleDict(
            {"attention": nn.ModuleDict(inner), "output": nn.ModuleDict({"dense": nn.Linear(width, width)})}
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, hidden)})
        self.output = nn.ModuleDict({"dense": nn.Linear(hidden, width)})
        self.layernorm_before = nn.LayerNorm(width, 1e-12)
        self.layernorm_after = nn.LayerNorm(width, 1e-12)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width)"""
        layers = self.attention["attention"]
        seen = self.layernorm_before(x)
        q, k, v = (_split(layers[name](seen), self.heads) for name in ("query", "key", "value"))
        x = x + self.attention["output"]["dense"](_joined(F.scaled_dot_product_attention(q, k, v)))
        return x + self.output["dense"](F.gelu(self.intermediate["dense"](self.layernorm_after(x))))


class VisionTransformer(nn.Module):
    """DINO's ViT-B/16. The pooler is part of the checkpoint, and nothing reads it.

    grid: patches a side that the places were learned for
    """

    def __init__(self, width: int, hidden: int, layers: int, heads: int, patch: int, grid: int) -> None:
        super().__init__()
        self.patch, self.grid = patch, grid
        self.embeddings = nn.Module()
        self.embeddings.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.embeddings.position_embeddings = nn.Parameter(torch.zeros(1, 1 + grid * grid, width))
        self.embeddings.patch_embeddings = nn.ModuleDict({"projection": nn.Conv2d(3, width, patch, patch)})
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(ViTLayer(width, hidden, heads) for _ in range(layers))})
        self.layernorm = nn.LayerNorm(width, 1e-12)
        self.pooler = nn.ModuleDict({"dense": nn.Linear(width, width)})

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1 + patches, width) of (B, 3, H, W), normalised; the first token is the picture's own"""
        patches = self.embeddings.patch_embeddings["projection"](image)
        rows, columns = patches.shape[2:]
        x = torch.cat([self.embeddings.cls_token.expand(len(image), -1, -1), patches.flatten(2).transpose(1, 2)], 1)
        x = x + self._places(rows, columns)
        for layer in self.encoder["layer"]:
            x = layer(x)
        return self.layernorm(x)

    def _places(self, rows: int, columns: int) -> Tensor:
        """The learned places, stretched to ``rows`` by ``columns`` as transformers did then: by a factor a tenth of a patch too large."""
        table = self.embeddings.position_embeddings
        if rows == columns == self.grid:
            return table
        grid = table[:, 1:].unflatten(1, (self.grid, self.grid)).permute(0, 3, 1, 2)
        factor = ((rows + 0.1) / self.grid, (columns + 0.1) / self.grid)
        grid = F.interpolate(grid, scale_factor=factor, mode="bicubic", align_corners=False)
        return torch.cat([table[:, :1], grid.flatten(2).transpose(1, 2)], 1)


class CrossAttention(nn.Module):
    """To itself, or to what it is told of ``context`` channels."""

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """(B, L, width) of x (B, L, width) and told (B, M, context)"""
        q, k, v = (
            _split(layer(source), self.heads) for layer, source in ((self.to_q, x), (self.to_k, told), (self.to_v, told))
        )
        return self.to_out[0](_joined(F.scaled_dot_product_attention(q, k, v)))


class Block(nn.Module):
    """Attention among the planes' tokens, to the picture's, and a gated perceptron."""

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.attn1 = CrossAttention(width, heads, width)
        self.attn2 = CrossAttention(width, heads, context)
        inner = nn.ModuleDict({"0": nn.ModuleDict({"proj": nn.Linear(width, 8 * width)}), "2": nn.Linear(4 * width, width)})
        self.ff = nn.ModuleDict({"net": inner})

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """(B, L, width)"""
        seen = self.norm1(x)
        x = x + self.attn1(seen, seen)
        x = x + self.attn2(self.norm2(x), told)
        net = self.ff["net"]
        value, gate = net["0"]["proj"](self.norm3(x)).chunk(2, -1)
        return x + net["2"](value * F.gelu(gate))


class Backbone(nn.Module):
    """``Transformer1D``: the tokens of all three planes, (B, C, L), as the picture has them."""

    def __init__(self, channels: int, heads: int, head_width: int, layers: int, context: int) -> None:
        super().__init__()
        width = heads * head_width
        self.norm = nn.GroupNorm(32, channels, 1e-6)
        self.proj_in = nn.Linear(channels, width)
        self.transformer_blocks = nn.ModuleList(Block(width, heads, context) for _ in range(layers))
        self.proj_out = nn.Linear(width, channels)

    def forward(self, tokens: Tensor, told: Tensor) -> Tensor:
        """(B, C, L) of tokens (B, C, L) and told (B, M, context)"""
        x = self.proj_in(self.norm(tokens).transpose(1, 2))
        for block in self.transformer_blocks:
            x = block(x, told)
        return tokens + self.proj_out(x).transpose(1, 2)


class TSR(nn.Module):
    """The whole network; sizes are the published ones.

    heads, head_width: of the backbone; vit_heads: of the vision transformer, which no checkpoint tells
    """

    def __init__(
        self,
        *,
        vit: tuple[int, int, int, int, int] = (768, 3072, 12, 16, 14),
        vit_heads: int = HEADS,
        plane: int = 32,
        channels: int = 1024,
        heads: int = 16,
        head_width: int = HEAD_WIDTH,
        layers: int = 16,
        features: int = 40,
        neurons: int = 64,
        hidden: int = 9,
    ) -> None:
        """vit: width, hidden width, layers, patch and grid of the vision transformer; plane: tokens a side of each plane"""
        super().__init__()
        width, wide, depth, patch, grid = vit
        self.image_tokenizer = nn.ModuleDict({"model": VisionTransformer(width, wide, depth, vit_heads, patch, grid)})
        self.tokenizer = nn.Module()
        self.tokenizer.embeddings = nn.Parameter(torch.zeros(PLANES, channels, plane, plane))
        self.backbone = Backbone(channels, heads, head_width, layers, width)
        self.post_processor = nn.ModuleDict({"upsample": nn.ConvTranspose2d(channels, features, 2, 2)})
        widths = [PLANES * features, *[neurons] * hidden]
        inner: list[nn.Module] = []
        for before, after in pairwise(widths):
            inner += [nn.Linear(before, after), nn.SiLU()]
        self.decoder = nn.ModuleDict({"layers": nn.Sequential(*inner, nn.Linear(neurons, 4))})

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor], *, vit_heads: int = HEADS, head_width: int = HEAD_WIDTH) -> Self:
        """The network that ``state`` fits, sizes and all. Raises ``KeyError`` naming what it lacks."""
        vit, blocks = "image_tokenizer.model", "backbone.transformer_blocks"
        width, _, patch, _ = state[f"{vit}.embeddings.patch_embeddings.projection.weight"].shape
        grid = round((state[f"{vit}.embeddings.position_embeddings"].shape[1] - 1) ** 0.5)
        wide = len(state[f"{vit}.encoder.layer.0.intermediate.dense.weight"])
        _, channels, plane, _ = state["tokenizer.embeddings"].shape
        decoder = sorted(
            int(key.split(".")[2]) for key in state if key.startswith("decoder.layers.") and key.endswith("weight")
        )
        return cls(
            vit=(width, wide, _count(state, f"{vit}.encoder.layer."), patch, grid),
            vit_heads=vit_heads,
            plane=plane,
            channels=channels,
            heads=len(state["backbone.proj_in.weight"]) // head_width,
            head_width=head_width,
            layers=_count(state, f"{blocks}."),
            features=state["post_processor.upsample.weight"].shape[1],
            neurons=len(state["decoder.layers.0.weight"]),
            hidden=len(decoder) - 1,
        )

    def forward(self, image: Tensor) -> Tensor:
        """Scene codes (B, 3, features, 2 * plane, 2 * plane) of pictures (B, 3, H, W) RGB in 0..1, square"""
        return self.planes(self.backbone(self.tokens(len(image)), self.read(image)))

    def read(self, image: Tensor) -> Tensor:
        """The picture's tokens (B, 1 + patches, width)."""
        mean, std = (image.new_tensor(value).view(3, 1, 1) for value in (_MEAN, _STD))
        return self.image_tokenizer["model"]((image - mean) / std)

    def tokens(self, batch: int) -> Tensor:
        """(B, channels, 3 * plane * plane): plane after plane, row after row"""
        return self.tokenizer.embeddings.transpose(0, 1).flatten(1).expand(batch, -1, -1)

    def planes(self, tokens: Tensor) -> Tensor:
        """(B, 3, features, 2 * plane, 2 * plane) of the backbone's (B, channels, 3 * plane * plane)"""
        side = self.tokenizer.embeddings.shape[-1]
        each = tokens.unflatten(2, (PLANES, side, side)).transpose(1, 2)
        return self.post_processor["upsample"](each.flatten(0, 1)).unflatten(0, (-1, PLANES))

    def query(self, codes: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Density (N, 1) and colour (N, 3), as the perceptron gives them, at points (N, 3) within ``RADIUS``; codes (3, features, H, W)"""
        within = points / RADIUS
        places = torch.stack([within[:, axes] for axes in _AXES])
        read = F.grid_sample(codes, places[:, None], mode="bilinear", padding_mode="zeros", align_corners=False)
        out = self.decoder["layers"](read[:, :, 0].permute(2, 0, 1).flatten(1))
        return out[:, :1], out[:, 1:4]


def density_of(raw: Tensor) -> Tensor:
    """What stands in the way of light, from the perceptron's density."""
    return torch.exp(raw + _DENSITY_BIAS)


def colour_of(raw: Tensor) -> Tensor:
    """RGB in 0..1 from the perceptron's colour."""
    return torch.sigmoid(raw)


def _count(state: Mapping[str, Tensor], prefix: str) -> int:
    return len({key.removeprefix(prefix).partition(".")[0] for key in state if key.startswith(prefix)})


def _split(x: Tensor, heads: int) -> Tensor:
    """(B, heads, L, D) of (B, L, heads * D)"""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _joined(x: Tensor) -> Tensor:
    """(B, L, heads * D) of (B, heads, L, D)"""
    return x.transpose(1, 2).flatten(2)

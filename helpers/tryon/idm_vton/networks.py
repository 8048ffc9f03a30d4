"""The networks of IDM-VTON: TryonNet, GarmentNet and the Resampler, with the published parameter names.

TryonNet and GarmentNet are diffusers' ``UNet2DConditionModel``; what is particular to them lives in attention processors. The image
prompt is IP-Adapter's. What the published code computes and then throws away is left out (:class:`Savings`); the numbers are the same.

Sources: Choi et al., "Improving Diffusion Models for Authentic Virtual Try-on in the Wild", 2024 (yisol/IDM-VTON); Ye et al.,
"IP-Adapter", 2023 (tencent-ailab/IP-Adapter); Alayrac et al., "Flamingo", 2022 (the perceiver resampler).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from diffusers.models.attention import Attention, BasicTransformerBlock
from torch import Tensor, nn

IMAGE_TOKENS = 16  # at the end of the encoder hidden states
_ZERO_KEYS = 8  # fused attention kernels want key counts that are multiples of 8
_EMA_LEFTOVERS = {"decay", "inv_gamma", "min_decay", "optimization_step", "power", "update_after_step", "use_ema_warmup"}
_IMAGE_PROMPT = {"encoder_hid_dim", "encoder_hid_dim_type"}  # the Resampler is kept beside the UNet
UNUSED_GARMENT_KEYS = (r"add_embedding\.linear_[12]\.(weight|bias)",)
"""Left in the published GarmentNet file by the SDXL UNet that it was saved from."""


@dataclass(frozen=True)
class Savings:
    """Work that the published code does for nothing; each can be switched back on and changes no result.

    person_queries: attention rows of the garment's tokens are not computed, they are dropped anyway
    zero_key:       the unconditional half's garment tokens are all zero: a few zero keys with biases that sum to their weight
    token_cache:    keys and values of text and image tokens are computed once a run, not once a step
    embedding_once: the embedding of pooled text and picture size is computed once a run
    """

    person_queries: bool = True
    zero_key: bool = True
    token_cache: bool = True
    embedding_once: bool = True


REFERENCE = Savings(False, False, False, False)
"""As the published code computes."""


class Resampler(nn.Module):
    """Image tokens from CLIP's patches: learned queries that attend to them, layer by layer.

    (B, patches, embedding_dim) -> (B, num_queries, output_dim), float. The published size is the default.
    """

    def __init__(
        self,
        dim: int = 1280,
        depth: int = 4,
        dim_head: int = 64,
        heads: int = 20,
        num_queries: int = IMAGE_TOKENS,
        embedding_dim: int = 1280,
        output_dim: int = 2048,
        ff_mult: int = 4,
    ) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(1, num_queries, dim) / dim**0.5)
        self.proj_in = nn.Linear(embedding_dim, dim)
        self.proj_out = nn.Linear(dim, output_dim)
        self.norm_out = nn.LayerNorm(output_dim)
        self.layers = nn.ModuleList(
            nn.ModuleList([_PerceiverAttention(dim, dim_head, heads), _feed_forward(dim, ff_mult)]) for _ in range(depth)
        )

    @classmethod
    def like(cls, state: dict[str, Tensor]) -> Resampler:
        """One of the size that ``state`` was made for. Heads have 64 channels, as published, or all where there are fewer."""
        inner = state["layers.0.0.to_q.weight"].shape[0]
        dim = state["proj_in.weight"].shape[0]
        return cls(
            dim=dim,
            depth=1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers.")),
            dim_head=min(64, inner),
            heads=max(1, inner // 64),
            num_queries=state["latents"].shape[1],
            embedding_dim=state["proj_in.weight"].shape[1],
            output_dim=state["proj_out.weight"].shape[0],
            ff_mult=state["layers.0.1.1.weight"].shape[0] // dim,
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, patches, embedding_dim) -> (B, num_queries, output_dim)."""
        x = self.proj_in(x)
        latents = self.latents.expand(len(x), -1, -1)
        for attention, feed_forward in self.layers:
            latents = attention(x, latents) + latents
            latents = feed_forward(latents) + latents
        return self.norm_out(self.proj_out(latents))


class _PerceiverAttention(nn.Module):
    def __init__(self, dim: int, dim_head: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.to_q = nn.Linear(dim, dim_head * heads, bias=False)
        self.to_kv = nn.Linear(dim, 2 * dim_head * heads, bias=False)
        self.to_out = nn.Linear(dim_head * heads, dim, bias=False)

    def forward(self, x: Tensor, latents: Tensor) -> Tensor:
        x, latents = self.norm1(x), self.norm2(latents)
        k, v = self.to_kv(torch.cat([x, latents], 1)).chunk(2, -1)
        return self.to_out(attend(self.to_q(latents), k, v, self.heads))


def _feed_forward(dim: int, mult: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(dim), nn.Linear(dim, dim * mult, bias=False), nn.GELU(), nn.Linear(dim * mult, dim, bias=False)
    )


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, bias: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention over tokens: (B, N, C), (B, M, C), (B, M, C) -> (B, N, C); ``bias`` (1, 1, 1, M) on the logits."""
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))  # (B, heads, tokens, C / heads)
    if bias is not None:
        bias = bias.expand(len(q), heads, q.shape[2], -1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).flatten(2)


class PersonAttention:
    """Self-attention of TryonNet (``attn1``): the person's tokens also look at the garment's.

    ``garment`` is GarmentNet's feature for this block, (1 or B, M, C), set before each step; under guidance the first half of the rows
    is unconditional and sees as many tokens of zeros instead.
    """

    def __init__(self) -> None:
        self.garment: Tensor | None = None
        self.zero_bias: Tensor | None = None
        self.guided = True
        self.savings = Savings()

    def __call__(self, attn: Attention, hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        if self.garment is None:
            raise RuntimeError("TryonNet was run without garment features: call set_garment(features) before each step.")
        x, free = hidden_states, len(hidden_states) // 2 if self.guided else 0
        garment = self.garment.expand(len(x) - free, -1, -1)
        if not self.savings.person_queries:
            everything = torch.cat([x, F.pad(garment, (0, 0, 0, 0, free, 0))], 1)
            y = attend(attn.to_q(everything), attn.to_k(everything), attn.to_v(everything), attn.heads)
            return attn.to_out[0](y)[:, : x.shape[1]]
        q, k, v = attn.to_q(x), attn.to_k(x), attn.to_v(x)
        garment_k, garment_v = attn.to_k(self.garment), attn.to_v(self.garment)
        parts = []
        if free:
            parts.append(self._unconditional(q[:free], k[:free], v[:free], attn.heads, garment.shape[1]))
        rows = len(x) - free
        k = torch.cat([k[free:], garment_k.expand(rows, -1, -1)], 1)
        v = torch.cat([v[free:], garment_v.expand(rows, -1, -1)], 1)
        parts.append(attend(q[free:], k, v, attn.heads))
        return attn.to_out[0](torch.cat(parts))

    def _unconditional(self, q: Tensor, k: Tensor, v: Tensor, heads: int, tokens: int) -> Tensor:
        """Attention beside ``tokens`` keys and values of zero, each of which weighs exp(0) and adds nothing."""
        bias, count = None, tokens
        if self.savings.zero_key:
            count = _ZERO_KEYS
            bias = F.pad(self.zero_bias, (k.shape[1], 0))[None, None, None]
        return attend(q, F.pad(k, (0, 0, 0, count)), F.pad(v, (0, 0, 0, count)), heads, bias)


@cache
def zero_key_bias(tokens: int, dtype: torch.dtype, device: torch.device | str = "cpu") -> Tensor:
    """(8,): biases b with sum(exp(b)) = ``tokens``; several, because one rounded to 16 bits would be off by a per cent."""
    biases, rest = [], float(tokens)
    for _ in range(_ZERO_KEYS):
        if rest < 1e-15 * tokens:
            biases.append(-math.inf)
            continue
        last = len(biases) == _ZERO_KEYS - 1
        bias = float(torch.tensor(math.log(rest) - (0 if last else 0.02), dtype=dtype, device="cpu"))
        biases.append(bias)
        rest -= math.exp(bias)
    return torch.tensor(biases, dtype=dtype, device=device)


class PromptAttention(nn.Module):
    """Cross-attention of TryonNet (``attn2``): to the text's tokens and, through weights of its own, to the 16 image tokens after them."""

    def __init__(self, hidden: int, cross: int) -> None:
        super().__init__()
        self.to_k_ip = nn.Linear(cross, hidden, bias=False)
        self.to_v_ip = nn.Linear(cross, hidden, bias=False)
        self.kept: tuple[Tensor, Tensor, Tensor, Tensor] | None = None

    def project(self, attn: Attention, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Keys and values of text and of image tokens, from (B, 77 + 16, cross)."""
        text, image = tokens[:, :-IMAGE_TOKENS], tokens[:, -IMAGE_TOKENS:]
        return attn.to_k(text), attn.to_v(text), self.to_k_ip(image), self.to_v_ip(image)

    def forward(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, *_: Any, **__: Any
    ) -> Tensor:
        """(B, N, C), (B, 77 + 16, cross) -> (B, N, C)."""
        k, v, image_k, image_v = self.kept or self.project(attn, encoder_hidden_states)
        q = attn.to_q(hidden_states)
        return attn.to_out[0](attend(q, k, v, attn.heads) + attend(q, image_k, image_v, attn.heads))


class TryonNet(UNet2DConditionModel):
    """SDXL's inpainting UNet with 13 input channels; build it with :func:`tryon_net`.

    A run calls ``set_tokens`` once and ``set_garment`` before each step; then it is called like any SDXL UNet.
    """

    savings = Savings()
    _embedding: Tensor | None = None

    def get_aug_embed(self, emb: Tensor, encoder_hidden_states: Tensor, added_cond_kwargs: dict[str, Any]) -> Tensor | None:
        """diffusers' own, or what ``set_tokens`` kept."""
        if self._embedding is not None:
            return self._embedding
        return super().get_aug_embed(emb, encoder_hidden_states, added_cond_kwargs)

    @torch.no_grad()
    def set_tokens(self, tokens: Tensor, conditions: dict[str, Tensor], *, guided: bool, savings: Savings = Savings()) -> None:
        """Prepare a run.

        tokens:     (B, 77 + 16, cross) text and image tokens, unconditional rows first
        conditions: ``text_embeds`` (B, pooled) and ``time_ids`` (B, 6)
        guided:     whether the first half of the rows is unconditional
        """
        self.savings, self._embedding = savings, None
        if savings.embedding_once:
            self._embedding = super().get_aug_embed(tokens[:0], tokens, conditions)
        for block in transformer_blocks(self):
            person, prompt = block.attn1.processor, block.attn2.processor
            person.savings, person.guided = savings, guided
            prompt.kept = prompt.project(block.attn2, tokens) if savings.token_cache else None

    def set_garment(self, features: Sequence[Tensor]) -> None:
        """GarmentNet's features of this step, one a transformer block in the order in which they run."""
        for block, feature in zip(transformer_blocks(self), features, strict=True):
            person = block.attn1.processor
            person.garment = feature
            person.zero_bias = zero_key_bias(feature.shape[1], feature.dtype, feature.device)

    def forget(self) -> None:
        """Drop what a run has left in the processors."""
        self._embedding = None
        for block in transformer_blocks(self):
            block.attn1.processor.garment = block.attn2.processor.kept = None


class _Recorder:
    """Plain self-attention that keeps what it was given: the output of ``norm1``, which is the garment's feature."""

    def __init__(self) -> None:
        self.feature: Tensor | None = None

    def __call__(self, attn: Attention, hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
        self.feature = hidden_states
        q, k, v = attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states)
        return attn.to_out[0](attend(q, k, v, attn.heads))


class _LastNorm(nn.Module):
    """The last transformer block of GarmentNet, of which only ``norm1`` is wanted."""

    def __init__(self, block: BasicTransformerBlock) -> None:
        super().__init__()
        self.norm1 = block.norm1
        self.feature: Tensor | None = None

    def forward(self, hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
        self.feature = self.norm1(hidden_states)
        return hidden_states


class GarmentNet(UNet2DConditionModel):
    """SDXL's UNet, frozen, looking at the clean latent of the garment; build it with :func:`garment_net`."""

    @torch.no_grad()
    def features(self, latents: Tensor, timesteps: Tensor, text: Tensor) -> list[Tensor]:
        """One feature a transformer block, (B, tokens, C), in the order in which they run.

        latents: (B, 4, h, w) of the garment, clean; timesteps: (B,); text: (B, 77, cross)
        """
        self(latents, timesteps, text, return_dict=False)
        found = []
        for block in transformer_blocks(self):
            keeper = block if isinstance(block, _LastNorm) else block.attn1.processor
            found.append(keeper.feature)
            keeper.feature = None
        return found


def transformer_blocks(unet: UNet2DConditionModel) -> Iterator[nn.Module]:
    """Every transformer block in the order in which they run: down, middle, up."""
    for stage in (*unet.down_blocks, unet.mid_block, *unet.up_blocks):
        for transformer in getattr(stage, "attentions", ()):
            yield from transformer.transformer_blocks


def tryon_net(config: dict[str, Any]) -> TryonNet:
    """TryonNet from the published ``unet/config.json``. The Resampler, ``encoder_hid_proj.*`` in its file, is kept beside it.

    Raises ``ValueError`` for an entry that is neither diffusers' nor a known leftover.
    """
    net = TryonNet(**_known(config, "unet/config.json"))
    for block in transformer_blocks(net):
        block.attn1.set_processor(PersonAttention())
        block.attn2.set_processor(PromptAttention(block.attn2.inner_dim, block.attn2.cross_attention_dim))
    return net.eval().requires_grad_(False)


def garment_net(config: dict[str, Any], *, whole: bool = False) -> GarmentNet:
    """GarmentNet from the published ``unet_encoder/config.json``.

    whole: with the tail after the last feature, of which nothing is used: 4 % of its work and 25 million parameters
    """
    net = GarmentNet(**_known(config, "unet_encoder/config.json"))
    for block in transformer_blocks(net):
        block.attn1.set_processor(_Recorder())
    if not whole:
        last = [i for i, stage in enumerate(net.up_blocks) if hasattr(stage, "attentions")][-1]
        net.up_blocks = net.up_blocks[: last + 1]
        transformer = net.up_blocks[last].attentions[-1]
        transformer.transformer_blocks[-1] = _LastNorm(transformer.transformer_blocks[-1])
        transformer.proj_out = nn.Identity()
        net.up_blocks[last].upsamplers = None
        net.conv_norm_out, net.conv_out = None, nn.Identity()
    return net.eval().requires_grad_(False)


def _known(config: dict[str, Any], name: str) -> dict[str, Any]:
    accepted = set(inspect.signature(UNet2DConditionModel.__init__).parameters) - {"self"}
    strange = [k for k in config if k not in accepted | _EMA_LEFTOVERS and not k.startswith("_")]
    if strange:
        raise ValueError(f"{name} holds entries that no SDXL UNet has: {', '.join(strange)}. Fetch the file again.")
    return {k: v for k, v in config.items() if k in accepted - _IMAGE_PROMPT}

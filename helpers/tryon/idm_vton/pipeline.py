"""The arithmetic of an IDM-VTON run, from pictures and words to latents and back; no files, no devices, no policy.

Two phases. First the garment's features for every timestep (:func:`garment_features`), which depend on nothing but the garment, its
words and the timesteps; then TryonNet alone (:func:`denoise`). Both together compute what the published loop computes step by step.

Convention: pictures are float (B, 3, H, W) RGB in -1..1, latents (B, 4, H / 8, W / 8) scaled by the VAE's factor. Under guidance the
rows are [unconditional, conditional]. ``generators`` is one ``torch.Generator``, or one a row so that no row depends on the others.

Source: Choi et al. 2024 (yisol/IDM-VTON).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image
from torch import Tensor

from helpers.stepping import require_finite
from helpers.tryon.idm_vton.networks import GarmentNet, Resampler, Savings, TryonNet

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, DDPMScheduler
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer, CLIPVisionModelWithProjection

Generators: TypeAlias = torch.Generator | list[torch.Generator] | None
NEGATIVE = "monochrome, lowres, bad anatomy, worst quality, low quality"
_CLIP_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
_CLIP_STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


@dataclass(frozen=True)
class Words:
    """A text as both encoders see it: ``hidden`` (1, 77, 2048), ``pooled`` (1, 1280) at published size."""

    hidden: Tensor
    pooled: Tensor


@dataclass(frozen=True)
class Conditioning:
    """What TryonNet is told about the person, each with one row, or one row a picture.

    masked:  VAE posterior of the person with the mask blanked out
    pose:    VAE posterior of the DensePose picture
    mask:    (B, 1, h, w) at latent size, 1 where cloth is to be painted
    size:    (height, width) of the picture in pixels
    """

    masked: Any
    pose: Any
    mask: Tensor
    size: tuple[int, int]


@torch.no_grad()
def encode_words(
    text: str,
    tokenizers: Sequence[CLIPTokenizer],
    encoders: tuple[CLIPTextModel, CLIPTextModelWithProjection],
) -> Words:
    """SDXL's text conditioning: the last hidden layer but one of both encoders, side by side, and the second's pooled projection."""
    hidden, pooled = [], None
    for tokenizer, encoder in zip(tokenizers, encoders, strict=True):
        length = encoder.config.max_position_embeddings
        tokens = tokenizer(text, padding="max_length", max_length=length, truncation=True, return_tensors="pt").input_ids
        out = encoder(tokens.to(encoder.device), output_hidden_states=True)
        hidden.append(out.hidden_states[-2])
        pooled = out[0]
    return Words(torch.cat(hidden, -1), pooled)


def clip_pixels(image: np.ndarray, size: int = 224) -> Tensor:
    """What CLIP sees: shorter side to ``size`` (bicubic), centre cropped. uint8 (H, W, 3) RGB -> float (1, 3, size, size).

    The crop is the published behaviour: a 3:4 garment loses its top and bottom eighths here; GarmentNet still sees all of it.
    """
    height, width = image.shape[:2]
    short, long = sorted((height, width))
    longer = int(size * long / short)
    target = (size, longer) if width <= height else (longer, size)
    picture = np.asarray(Image.fromarray(image).resize(target, Image.Resampling.BICUBIC))
    top, left = (target[1] - size) // 2, (target[0] - size) // 2
    pixels = picture[top : top + size, left : left + size].astype(np.float32) / 255
    return torch.from_numpy((pixels - _CLIP_MEAN) / _CLIP_STD).permute(2, 0, 1)[None]


@torch.no_grad()
def image_tokens(encoder: CLIPVisionModelWithProjection, resampler: Resampler, pixels: Tensor) -> Tensor:
    """16 image tokens from CLIP's last hidden layer but one. The unconditional ones come from pixels of zero, not from zero tokens."""
    hidden = encoder(pixels.to(encoder.device, encoder.dtype), output_hidden_states=True).hidden_states[-2]
    return resampler(hidden.to(resampler.proj_in.weight.dtype))


def to_tensor(images: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) or (B, H, W, 3) RGB -> float (B, 3, H, W) in -1..1."""
    images = images[None] if images.ndim == 3 else images
    return torch.from_numpy(images.astype(np.float32) / 255).permute(0, 3, 1, 2) * 2 - 1


def to_uint8(pictures: Tensor) -> np.ndarray:
    """float (B, 3, H, W) in -1..1 -> uint8 (B, H, W, 3)."""
    return ((pictures.float() / 2 + 0.5).clamp(0, 1) * 255).round().permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8)


@torch.no_grad()
def posterior(vae: AutoencoderKL, pictures: Tensor) -> Any:
    """The VAE's distribution over latents (unscaled), computed in the VAE's own precision."""
    return vae.encode(pictures.to(vae.device, vae.dtype)).latent_dist


def draw(distribution: Any, factor: float, rows: int, generators: Generators) -> Tensor:
    """A latent a row from the VAE's ``distribution``, scaled by ``factor``."""
    mean, std = (t.float().expand(rows, -1, -1, -1) for t in (distribution.mean, distribution.std))
    return factor * (mean + std * randn_tensor(mean.shape, generators, mean.device, mean.dtype))


def conditioning(vae: AutoencoderKL, person: Tensor, mask: Tensor, pose: Tensor) -> Conditioning:
    """What TryonNet is told about the person.

    person, pose: (B, 3, H, W); mask: (B, 1, H, W) in 0..1, binarised at one half, 1 where cloth is to be painted
    """
    binary = (mask >= 0.5).float()
    height, width = person.shape[-2:]
    scale = 2 ** (len(vae.config.block_out_channels) - 1)
    small = F.interpolate(binary, (height // scale, width // scale))
    return Conditioning(posterior(vae, person * (1 - binary)), posterior(vae, pose), small, (height, width))


@torch.no_grad()
def garment_features(
    net: GarmentNet, latents: Tensor, timesteps: Tensor, text: Tensor, *, batch: int, keep: Callable[[int, list[Tensor]], None]
) -> None:
    """First phase: ``keep(step, features)`` for every step, ``batch`` timesteps at a time.

    latents: (R, 4, h, w) of the garment, clean; text: (R, 77, cross) of "a photo of ..."
    """
    rows = len(latents)
    for start in range(0, len(timesteps), batch):
        some = timesteps[start : start + batch]
        count = len(some)
        every = net.features(
            latents.repeat(count, 1, 1, 1), some.repeat_interleave(rows).to(latents.device), text.repeat(count, 1, 1)
        )
        require_finite(every, f"GarmentNet, for step {start + 1} of {len(timesteps)},")
        for offset in range(count):
            keep(start + offset, [f[offset * rows : (offset + 1) * rows] for f in every])


@torch.no_grad()
def denoise(
    net: TryonNet | Callable[[], TryonNet],
    scheduler: DDPMScheduler,
    conditioning: Conditioning,
    garment: Callable[[int], Sequence[Tensor]],
    tokens: Tensor,
    pooled: Tensor,
    *,
    device: torch.device | str = "cpu",
    factor: float,
    guidance: float = 2.0,
    generators: Generators,
    pose_generators: Generators | str = "own",
    between: Callable[[], None] = lambda: None,
    on_step: Callable[[int, Tensor, Tensor], None] = lambda step, noise, latents: None,
    savings: Savings = Savings(),  # noqa: B008
) -> Tensor:
    """Second phase: latents (B, 4, h, w) of the finished pictures.

    net:       TryonNet, or what reads it once everything has been drawn
    scheduler: with its timesteps set
    garment:   step -> GarmentNet's features, as :func:`garment_features` hands them over
    tokens:    (2 B, 77 + 16, cross) under guidance, else (B, ...); pooled: (2 B, pooled) likewise
    device:    where TryonNet computes (its weights may come from elsewhere)
    factor:    the VAE's scaling factor
    guidance:  above 1, rows are doubled
    pose_generators: ``"own"`` takes the pose's draw from ``generators``; the published code takes it from torch's global one (``None``)
    between:   called after the first draws, where the published code draws the garment's
    on_step:   step, the guided noise prediction and the latents after it
    Raises ``NotFinite`` at the end of a step that gave no numbers.
    """
    guided = guidance > 1
    rows = len(tokens) // (2 if guided else 1)
    device = torch.device(device)
    shape = rows, 4, *conditioning.mask.shape[-2:]
    latents = randn_tensor(shape, generators, torch.device("cpu")) * scheduler.init_noise_sigma
    masked = draw(conditioning.masked, factor, rows, generators)
    pose = draw(conditioning.pose, factor, rows, generators if pose_generators == "own" else pose_generators)
    between()
    net = net if isinstance(net, TryonNet) else net()
    dtype = net.conv_in.weight.dtype
    latents = latents.to(device)
    mask = conditioning.mask.expand(rows, -1, -1, -1)
    fixed = torch.cat([mask.to(masked), masked, pose], 1).to(device, dtype)
    height, width = conditioning.size
    conditions = {
        "text_embeds": pooled.to(device, dtype),
        "time_ids": torch.tensor([[height, width, 0, 0, height, width]], dtype=dtype, device=device).expand(len(tokens), -1),
    }
    tokens = tokens.to(device, dtype)
    net.set_tokens(tokens, conditions, guided=guided, savings=savings)
    try:
        for step, t in enumerate(scheduler.timesteps):
            net.set_garment([f.to(device, dtype, non_blocking=True) for f in garment(step)])
            sample = torch.cat([scheduler.scale_model_input(latents, t).to(dtype), fixed], 1)
            sample = torch.cat([sample, sample]) if guided else sample
            noise = net(sample, t, tokens, added_cond_kwargs=conditions, return_dict=False)[0].float()
            if guided:
                free, told = noise.chunk(2)
                noise = free + guidance * (told - free)
            latents = scheduler.step(noise, t, latents, generator=generators, return_dict=False)[0]
            require_finite([latents], f"TryonNet, in step {step + 1} of {len(scheduler.timesteps)},")
            on_step(step, noise, latents)
    finally:
        net.forget()
    return latents


@torch.no_grad()
def decode(vae: AutoencoderKL, latents: Tensor, factor: float) -> Tensor:
    """Latents -> pictures (B, 3, H, W), about -1..1, one at a time so that memory does not grow with their number.

    Raises ``NotFinite`` where they are none.
    """
    pictures = torch.cat([vae.decode((row / factor).to(vae.device, vae.dtype)).sample for row in latents.split(1)])
    require_finite([pictures], "the decoder")
    return pictures

"""The whole denoising loop of IDM-VTON, draws included, on tiny networks; preprocessing at full size."""

from __future__ import annotations

import re

import golden
import pytest
import torch
from diffusers import AutoencoderKL, DDPMScheduler
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from helpers.tryon.idm_vton import pipeline
from helpers.tryon.idm_vton.networks import REFERENCE, Resampler, Savings, garment_net, tryon_net


class Nets:
    """The tiny networks of a case, filled."""

    def __init__(self, about: dict) -> None:
        parts, seed = {k.split(" ")[0]: v for k, v in about["components"].items()}, about["fill_seed"]
        self.tryon = golden.fill(tryon_net(parts["unet"]), seed)
        self.garment = golden.fill(garment_net(parts["unet_encoder"]), seed)
        # In float64: on large blank areas float32 encodings of different library versions lie 2.2e-5 apart, the recorded one near this.
        self.vae = golden.fill(AutoencoderKL(**parts["vae"]), seed).double()
        self.clip = golden.fill(CLIPVisionModelWithProjection(CLIPVisionConfig(**parts["image_encoder"])), seed)
        holder = torch.nn.Module()  # in the published file the Resampler is a part of the UNet, and named so
        holder.encoder_hid_proj = Resampler(**parts["unet.encoder_hid_proj"])
        self.resampler = golden.fill(holder, seed).encoder_hid_proj
        self.scheduler = DDPMScheduler(**parts["scheduler"])
        self.clip_size = parts["feature_extractor"]["crop_size"]["height"]


@pytest.fixture(scope="module", params=golden.cases("idm_vton", "pipeline"))
def case(request: pytest.FixtureRequest) -> tuple[dict, dict, Nets]:
    about, tensors = golden.load("idm_vton", request.param)
    return about, tensors, Nets(about)


def pictures(tensors: dict, name: str) -> torch.Tensor:
    return pipeline.to_tensor(tensors[f"{name}_uint8"].numpy())


def words(about: dict, name: str) -> torch.Tensor:
    """The noise that stands for a text, of the shape that the json writes down for its kind."""
    recipe = about["inputs"]["pooled" if "pooled" in name else "prompt_embeds"]
    shape = [int(n) for n in re.search(r"'(?:,\d+)+", recipe).group().split(",")[1:]]
    seed = re.search(r"seed=(\d+)", about["inputs"]["prompt_embeds"])
    return golden.noise(f"pipe/{name}", *shape, seed=int(seed[1]) if seed else 0)


def run(about: dict, tensors: dict, nets: Nets, savings: Savings = Savings()) -> dict[str, torch.Tensor]:  # noqa: B008
    call, rows = about["call"], about["call"]["batch"]
    guided = call["guidance_scale"] > 1
    factor = nets.vae.config.scaling_factor
    out: dict[str, torch.Tensor] = {}

    prompt, pooled = words(about, "prompt"), words(about, "pooled")
    images = [
        pipeline.clip_pixels(cloth, nets.clip_size)
        for cloth in tensors["cloth_uint8"].numpy().reshape(rows, *tensors["cloth_uint8"].shape[-3:])
    ]
    pixels = torch.cat(images)
    image_tokens = pipeline.image_tokens(nets.clip, nets.resampler, pixels)
    tokens = torch.cat([prompt, image_tokens], 1)
    out["image_tokens"] = image_tokens
    if guided:
        free = pipeline.image_tokens(nets.clip, nets.resampler, torch.zeros_like(pixels))
        out["image_tokens"] = torch.cat([free, image_tokens])
        tokens = torch.cat([torch.cat([words(about, "negative"), free], 1), tokens])
        pooled = torch.cat([words(about, "negative_pooled"), pooled])

    mask = tensors["mask_uint8"].float().reshape(rows, 1, call["height"], call["width"]) / 255
    conditioning = pipeline.conditioning(nets.vae, pictures(tensors, "human"), mask, pictures(tensors, "pose"))
    nets.scheduler.set_timesteps(call["num_inference_steps"])
    generator = torch.Generator().manual_seed(int(re.search(r"manual_seed\((\d+)\)", call["generator"]).group(1)))
    torch.manual_seed(call["global_seed_before_call"])
    features: dict[int, list[torch.Tensor]] = {}

    def garment_phase() -> None:
        latents = pipeline.draw(pipeline.posterior(nets.vae, pictures(tensors, "cloth")), factor, rows, generator)
        out["cloth_latents"] = latents
        text = words(about, "cloth_text")
        pipeline.garment_features(
            nets.garment, latents, nets.scheduler.timesteps, text, batch=2, keep=lambda step, f: features.__setitem__(step, f)
        )

    def keep(step: int, noise: torch.Tensor, latents: torch.Tensor) -> None:
        out[f"step{step}.guided"], out[f"step{step}.latents"] = noise, latents

    def seen(_module: torch.nn.Module, inputs: tuple, kwargs: dict, output: tuple) -> None:
        step = sum(name.endswith("noise_pred") for name in out)
        out[f"step{step}.noise_pred"] = output[0]
        if step == 0:
            out["unet_input_step0"], out["time_ids"] = inputs[0], kwargs["added_cond_kwargs"]["time_ids"]

    hook = nets.tryon.register_forward_hook(seen, with_kwargs=True)
    latents = pipeline.denoise(
        nets.tryon,
        nets.scheduler,
        conditioning,
        features.__getitem__,
        tokens,
        pooled,
        factor=factor,
        guidance=call["guidance_scale"],
        generators=generator,
        pose_generators=None,
        between=garment_phase,
        on_step=keep,
        savings=savings,
    )
    hook.remove()
    out["image_unclamped"] = pipeline.decode(nets.vae, latents, factor)
    out["image"] = (out["image_unclamped"] / 2 + 0.5).clamp(0, 1)
    return out


def test_the_loop(case: tuple) -> None:
    about, tensors, nets = case
    tolerance = about["suggested_tolerance"]
    out = run(about, tensors, nets)
    bounds = {"cloth_latents": "inputs", "unet_input_step0": "inputs", "time_ids": "inputs", "image_tokens": "noise_pred"}
    for name, value in out.items():
        kind = bounds.get(name) or {"noise_pred": "noise_pred", "guided": "noise_pred", "latents": "latents"}.get(
            name.split(".")[-1]
        )
        if kind:
            golden.close(value, tensors[name], tolerance[kind] * (2 if name.endswith("guided") else 1), name)
    assert sum(name.endswith(".latents") for name in out) == about["call"]["num_inference_steps"]
    golden.close(out["image_unclamped"], tensors["image_unclamped"], 2 * tolerance["image"], "picture")
    golden.close(out["image"], tensors["image"], tolerance["image"], "picture")


def test_the_wasteful_loop_gives_the_same(case: tuple) -> None:
    about, tensors, nets = case
    saved, wasted = run(about, tensors, nets), run(about, tensors, nets, REFERENCE)
    golden.close(saved["image"], wasted["image"], 1e-4)


@pytest.mark.parametrize("name", golden.cases("idm_vton", "preprocess"))
def test_clip_pixels_and_timesteps(name: str) -> None:
    about, tensors = golden.load("idm_vton", name)
    for suffix in ("", "_wide"):
        pixels = pipeline.clip_pixels(tensors[f"garment{suffix}_uint8"].numpy(), about["processor"]["crop_size"]["height"])
        golden.close(pixels[..., ::2, ::2], tensors[f"pixel_values{suffix}"], 1e-5, f"pixels{suffix}")
    scheduler = DDPMScheduler(**about["scheduler"])
    golden.close(scheduler.alphas_cumprod, tensors["alphas_cumprod.rescaled"], 1e-6)
    for key in (k for k in tensors if k.startswith("timesteps.")):
        scheduler.set_timesteps(int(key.split(".")[1]))
        assert torch.equal(scheduler.timesteps, tensors[key].to(scheduler.timesteps))

"""Tiny try-on networks: IDM-VTON in the folder layout of the hub's ``yisol/IDM-VTON``, the torch pickle of its UNet included, and
the files of VITON-HD, HR-VITON and FASHN VTON."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from helpers.files import write_text, write_whole
from helpers.testing.generation import UNET, tiny_text_encoders, tiny_vae, write_tokenizer
from helpers.testing.nets import noisy
from helpers.tryon.fashn.networks import TryOnModel
from helpers.tryon.hr_viton import networks as hr_viton
from helpers.tryon.idm_vton.networks import Resampler, garment_net, tryon_net
from helpers.tryon.spectral import SpectralConv2d
from helpers.tryon.viton_hd import networks as viton_hd

_CROSS, _POOLED, _HIDDEN = 64, 32, 48
CONFIG: dict[str, Any] = {
    **UNET,
    "_class_name": "UNet2DConditionModel",
    "sample_size": 32,  # latents: pictures of 192x256
    "in_channels": 13,
    "out_channels": 4,
    "block_out_channels": (32, 32, 64),
    "cross_attention_dim": _CROSS,
    "transformer_layers_per_block": (1, 1, 2),
    "attention_head_dim": (1, 2, 2),
    "addition_time_embed_dim": 16,
    "projection_class_embeddings_input_dim": _POOLED + 6 * 16,
    "encoder_hid_dim": _HIDDEN,
    "encoder_hid_dim_type": "ip_image_proj",
    "decay": 0.9999,  # left over from training, as in the published file
    "optimization_step": 37000,
    "use_ema_warmup": False,
}
_SCHEDULER = {
    "_class_name": "DDPMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "rescale_betas_zero_snr": True,
    "steps_offset": 1,
    "timestep_spacing": "leading",
}


def write(folder: Path, *groups: str) -> None:
    """Write the groups ``idm_vton``, ``viton_hd``, ``hr_viton`` and ``fashn_vton`` below ``folder``."""
    writers = {
        "idm_vton": _write_idm_vton,
        "viton_hd": _write_viton_hd,
        "hr_viton": _write_hr_viton,
        "fashn_vton": _write_fashn,
    }
    for group, write_group in writers.items():
        if not groups or group in groups:
            write_group(Path(folder) / group)


def _write_fashn(root: Path) -> None:
    network = noisy(TryOnModel(64, 2, mixer=1, double=1, single=1, patch=48))
    state = {name: tensor.bfloat16() for name, tensor in _state(network).items()}
    write_whole(root / "model.safetensors", lambda part: save_file(state, part))


def _write_hr_viton(root: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name, net in (("mtviton.pth", hr_viton.ConditionGenerator(4)), ("gen.pth", hr_viton.SPADEGenerator(2))):
            with torch.no_grad():
                for part in net.modules():
                    if isinstance(part, hr_viton.SPADENorm):
                        part.noise_scale.fill_(0.1)
                    if isinstance(part, SpectralConv2d):
                        part.settle(20)
            write_whole(root / name, partial(torch.save, _state(net)))


def _write_viton_hd(root: Path) -> None:
    """For 1024x768 as published, with few channels."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        nets: dict[str, nn.Module] = {
            "seg_final.pth": viton_hd.SegGenerator(width=4),
            "gmm_final.pth": viton_hd.GMM(widths=(4, 8)),
            "alias_final.pth": viton_hd.ALIASGenerator(width=2, hidden=4),
        }
    for name, net in nets.items():
        for part in net.modules():
            if isinstance(part, SpectralConv2d):
                part.settle(20)  # to what training would have come to, so that no layer blows up what it is given
        write_whole(root / name, partial(torch.save, _state(net)))


def _write_idm_vton(root: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        _write_unets(root)
        _write_encoders(root)
    write_text(root / "scheduler/scheduler_config.json", json.dumps(_SCHEDULER))
    write_text(root / "model_index.json", json.dumps({"_class_name": "StableDiffusionXLInpaintPipeline"}))
    write_tokenizer(root / "tokenizer")
    write_tokenizer(root / "tokenizer_2", pad="!")


def _write_unets(root: Path) -> None:
    resampler = Resampler(dim=64, depth=2, dim_head=64, heads=1, embedding_dim=_HIDDEN, output_dim=_CROSS)
    state = {**_state(tryon_net(CONFIG)), **{f"encoder_hid_proj.{k}": v for k, v in _state(resampler).items()}}
    write_text(root / "unet/config.json", json.dumps(CONFIG))
    write_whole(root / "unet/diffusion_pytorch_model.bin", lambda part: torch.save(state, part))

    config = {**CONFIG, "in_channels": 4, "encoder_hid_dim": None, "encoder_hid_dim_type": None}
    config.pop("addition_embed_type")
    size, inputs = 4 * CONFIG["block_out_channels"][0], CONFIG["projection_class_embeddings_input_dim"]
    leftover = {
        "add_embedding.linear_1.weight": torch.zeros(size, inputs),
        "add_embedding.linear_1.bias": torch.zeros(size),
        "add_embedding.linear_2.weight": torch.zeros(size, size),
        "add_embedding.linear_2.bias": torch.zeros(size),
    }
    state_of_garment = {**_state(garment_net(config, whole=True)), **leftover}
    write_text(root / "unet_encoder/config.json", json.dumps(config))
    target = root / "unet_encoder/diffusion_pytorch_model.safetensors"
    write_whole(target, lambda part: save_file(state_of_garment, part, {"format": "pt"}))


def _write_encoders(root: Path) -> None:
    first, second = tiny_text_encoders(0, hidden=(_CROSS // 2, _CROSS // 2), pooled=_POOLED)
    first.save_pretrained(root / "text_encoder")
    second.save_pretrained(root / "text_encoder_2")
    config = CLIPVisionConfig(
        hidden_size=_HIDDEN,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=56,
        patch_size=14,
        projection_dim=_POOLED,
    )
    CLIPVisionModelWithProjection(config).save_pretrained(root / "image_encoder")
    tiny_vae().save_pretrained(root / "vae")


def _state(net: nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.contiguous().clone() for k, v in net.state_dict().items()}

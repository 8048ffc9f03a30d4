"""IDM-VTON's published files as networks: strictly, tensor by tensor, in the precision that is wanted.

The folder has the layout of the hub's ``yisol/IDM-VTON``. Its two UNets are float32 on disk, the 12 GB of TryonNet as a torch pickle; in 16
bits each is converted once, beside itself, and read from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDPMScheduler
from safetensors import safe_open
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer, CLIPVisionModelWithProjection
from transformers.utils import logging

from helpers import weights
from helpers.tryon.idm_vton.networks import UNUSED_GARMENT_KEYS, GarmentNet, Resampler, TryonNet, garment_net, tryon_net

_GROUP = "idm_vton"
_AGAIN = f"Fetch it again: python -m helpers weights fetch {_GROUP}"
_UNET = "unet/diffusion_pytorch_model.bin"
_TOKENS = 77  # that CLIP reads
_RESAMPLER = "encoder_hid_proj."
FULL = (torch.float32, torch.float64)


def file(part: str) -> Path:
    """The file ``part`` of the published folder. Raises ``weights.Missing`` or ``weights.Damaged`` with the remedy."""
    return weights.require(f"{_GROUP}/{part}")


def config(part: str) -> dict[str, Any]:
    """A json of the published folder. Raises ``weights.Damaged`` where it is none, or asks for what no published one does."""
    return weights.read_config(file(part), _AGAIN)


def require_all() -> None:
    """Every file is there and what it should be; said before anything slow starts."""
    for record in weights.records(_GROUP):
        weights.require(record.name)


def load_tryon_net(device: torch.device, dtype: torch.dtype) -> TryonNet:
    """TryonNet; the Resampler, which lies in its file, is :func:`load_resampler`'s."""
    path = _in(dtype, _UNET)
    net = _empty("unet/config.json", tryon_net)
    state = _read(path, device, dtype, lambda name: not name.startswith(_RESAMPLER))
    weights.fit(net, state, str(path), unused=(re.escape(_RESAMPLER) + ".*",))
    return _ready(net, device)


def load_resampler(device: torch.device, dtype: torch.dtype) -> Resampler:
    """The Resampler alone, without reading the rest of the 12 GB around it."""
    path = _in(dtype, _UNET)
    state = _read(path, device, dtype, lambda name: name.startswith(_RESAMPLER))
    inner = {k.removeprefix(_RESAMPLER): v for k, v in state.items() if k.startswith(_RESAMPLER)}
    try:
        with torch.device("meta"):
            resampler = Resampler.like(inner)
    except (KeyError, ValueError) as error:
        raise weights.Mismatch(f"{path} holds no Resampler ({_RESAMPLER}*: {error}): it is not IDM-VTON's UNet.") from None
    weights.fit(resampler, inner, f"{path} ({_RESAMPLER}*)")
    return _ready(resampler, device)


def _in(dtype: torch.dtype, part: str) -> Path:
    """The file ``part`` itself, or its 16-bit conversion."""
    return file(part) if dtype in FULL else weights.converted(f"{_GROUP}/{part}", dtype)


def load_garment_net(device: torch.device, dtype: torch.dtype) -> GarmentNet:
    """GarmentNet without its unused tail, whose tensors are checked by name but not read."""
    path = _in(dtype, "unet_encoder/diffusion_pytorch_model.safetensors")
    net, whole = (_empty("unet_encoder/config.json", partial(garment_net, whole=all_of_it)) for all_of_it in (False, True))
    wanted = set(net.state_dict())
    state = _read(path, device, dtype, wanted.__contains__)
    weights.fit(whole, state, str(path), unused=UNUSED_GARMENT_KEYS)
    weights.fit(net, {k: v for k, v in state.items() if k in wanted}, str(path))
    return _ready(net, device)


def _read(path: Path, device: torch.device, dtype: torch.dtype, wanted: Callable[[str], bool]) -> dict[str, Tensor]:
    """Tensors of a checkpoint on ``device``; those not ``wanted`` on the meta device, of the right shape."""
    if path.suffix != ".safetensors":
        mapped = weights.load_state_dict(path, str(path))
        return {k: v.to(device, dtype) if wanted(k) else v.to("meta") for k, v in mapped.items()}
    state = {}
    with weights.reading(path, "tensors", _AGAIN), safe_open(path, "pt") as opened:
        for name in opened.keys():  # noqa: SIM118  (not a dict)
            if wanted(name):
                state[name] = opened.get_tensor(name).to(device, dtype)
            else:
                state[name] = torch.empty(opened.get_slice(name).get_shape(), dtype=dtype, device="meta")
    return state


def _empty(part: str, make: Callable[[dict[str, Any]], Any]) -> Any:
    """The network that the config ``part`` describes, without values."""
    with weights.reading(file(part), "the config of this network", _AGAIN), torch.device("meta"):
        return make(config(part))


def _ready(net: nn.Module, device: torch.device) -> Any:
    return net.to(device).eval().requires_grad_(False)


def load_text(device: torch.device, dtype: torch.dtype) -> tuple[list[CLIPTokenizer], tuple]:
    """SDXL's two tokenizers and text encoders."""
    for part in ("tokenizer", "tokenizer_2"):
        for name in ("vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"):
            file(f"{part}/{name}")
    tokenizers = []
    for part in ("tokenizer", "tokenizer_2"):
        place = file(f"{part}/vocab.json").parent
        with weights.reading(place, "a tokenizer", _AGAIN):
            tokenizers.append(CLIPTokenizer.from_pretrained(place, local_files_only=True))
            if tokenizers[-1].model_max_length != _TOKENS:
                raise ValueError(f"it reads {tokenizers[-1].model_max_length} tokens, not {_TOKENS}")
    encoders = (
        _pretrained(CLIPTextModel, "text_encoder/model.safetensors", device, dtype),
        _pretrained(CLIPTextModelWithProjection, "text_encoder_2/model.safetensors", device, dtype),
    )
    return tokenizers, encoders


def load_image_encoder(device: torch.device, dtype: torch.dtype) -> CLIPVisionModelWithProjection:
    """CLIP ViT-H, whose patches become image tokens."""
    return _pretrained(CLIPVisionModelWithProjection, "image_encoder/model.safetensors", device, dtype)


def load_vae(device: torch.device) -> AutoencoderKL:
    """SDXL's VAE, always in float32: in 16 bits the stock one overflows, and its encodings of blank areas drift."""
    return _pretrained(AutoencoderKL, "vae/diffusion_pytorch_model.safetensors", device, torch.float32)


def load_scheduler() -> DDPMScheduler:
    """The published noise schedule, zero terminal SNR and all."""
    part = "scheduler/scheduler_config.json"
    with weights.reading(file(part), "a noise schedule", _AGAIN):
        return DDPMScheduler.from_config(config(part))


def _pretrained(kind: Any, part: str, device: torch.device, dtype: torch.dtype) -> Any:
    path = file(part)
    config(f"{part.split('/')[0]}/config.json")
    quiet = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # a bar of its own for every network, done before it is seen
    named = "torch_dtype" if issubclass(kind, AutoencoderKL) else "dtype"
    try:
        net, report = kind.from_pretrained(
            path.parent, local_files_only=True, use_safetensors=True, output_loading_info=True, **{named: dtype}
        )
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # of diffusers, transformers and safetensors, which have no base in common
        raise weights.Mismatch(f"{path} does not fit its config.json: {error}. Fetch both again.") from error
    finally:
        if quiet:
            logging.enable_progress_bar()
    wrong = {name: sorted(map(str, keys)) for name, keys in report.items() if keys and name != "error_msgs"}
    wrong = {n: [k for k in ks if not k.endswith("position_ids")] for n, ks in wrong.items()}
    if wrong := {n: ks for n, ks in wrong.items() if ks}:
        text = "; ".join(f"{n.replace('_', ' ')}: {', '.join(ks[:4])}" for n, ks in wrong.items())
        raise weights.Mismatch(f"{path} is not the published {part.split('/')[0]}: {text}. Fetch it again.")
    return _ready(net, device)

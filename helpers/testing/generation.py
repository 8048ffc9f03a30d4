"""Tiny SDXL checkpoints in the published file layouts: the single file with its original keys, and ``sdxl_base/`` beside it.

The sizes are small, the structure is SDXL's own: two text encoders, three levels, text and time added to the timestep.
Original key layout: ``sd_xl_base_1.0`` of Stability AI's generative-models.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPImageProcessor, CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from helpers import weights
from helpers.files import write_text, write_whole

UNET: dict[str, Any] = {
    "sample_size": 128,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (320, 640, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 2048,
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
"""The published UNet's own configuration, for networks of its full size and for those that differ from it in a few numbers."""
VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "latent_channels": 4,
    "sample_size": 1024,
    "scaling_factor": 0.13025,
}
"""The published autoencoder's."""
_SEEDS = {"realvisxl_v4": 1, "realvisxl_v4_lightning": 2}

# ---------------------------------------------------------------------------------------------------------- tokenizers

_START, _END = "<|startoftext|>", "<|endoftext|>"
_WORDS = """
a an and at the in of on with to is one no not her his adult adults woman women man men person model people mannequin figure
full body fashion photograph photo picture professional editorial studio lookbook wearing wears dressed fully clothed standing
facing camera plain light grey gray backdrop background even soft natural skin sharp focus head toe whole crop top mini skirt
midi maxi dress shirt t tee blouse sweater jacket coat trousers jeans shorts pants shoes sneakers short long sleeve sleeves
sleeved crew neck v collar knit wool cotton denim linen silk leather red blue navy white black green coral mustard beige
striped stripes checked dots floral print bob bun hair curly child children teen teenager young nude naked nudity undressed
topless lingerie underwear nsfw low quality worst blurry deformed extra hands fingers limbs cropped text watermark logo
drawing painting cartoon render model replacing garment clothing upper lower cloth worn by is very best high detailed
underage baby childlike two bad frame out exposed bare breasts see through
"""


def _byte_letters() -> list[str]:
    """CLIP's printable stand-ins for the 256 bytes, in its vocabulary's order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(others))]


def _merges(words: Iterable[str]) -> list[tuple[str, str]]:
    """Byte-pair encoding learned on ``words`` until each is one token; ties by the alphabet."""
    pieces = [[*word[:-1], word[-1] + "</w>"] for word in sorted(set(words))]
    learned = []
    while counts := Counter(pair for word in pieces for pair in pairwise(word)):
        pair = min(counts, key=lambda p: (-counts[p], p))
        learned.append(pair)
        pieces = [_joined(word, pair) for word in pieces]
    return learned


def _joined(word: list[str], pair: tuple[str, str]) -> list[str]:
    out, i = [], 0
    while i < len(word):
        both = tuple(word[i : i + 2]) == pair
        out.append("".join(pair) if both else word[i])
        i += 1 + both
    return out


def _vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    letters, merges = _byte_letters(), _merges(_WORDS.split())
    tokens = [*letters, *(letter + "</w>" for letter in letters), *map("".join, merges), _START, _END]
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}, merges


def write_tokenizer(folder: Path, pad: str = _END) -> Path:
    """A small CLIP tokenizer (bytes, their word ends, merges of some hundred words) in the four published files.

    pad: SDXL's ``tokenizer`` pads with ``<|endoftext|>``, its ``tokenizer_2`` with ``!``. ``<|endoftext|>`` has the highest id, as
    in the published vocabulary, because the text encoders find a prompt's end by it.
    """
    vocabulary, merges = _vocabulary()
    special = {name: {"content": token, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
               for name, token in (("bos_token", _START), ("eos_token", _END), ("unk_token", _END))}  # fmt: skip
    settings = {
        "add_prefix_space": False,
        "bos_token": _START,
        "do_lower_case": True,
        "eos_token": _END,
        "errors": "replace",
        "model_max_length": 77,
        "pad_token": pad,
        "tokenizer_class": "CLIPTokenizer",
        "unk_token": _END,
    }
    write_text(folder / "vocab.json", json.dumps(vocabulary, ensure_ascii=False))
    write_text(folder / "merges.txt", "\n".join(["#version: 0.2", *(" ".join(pair) for pair in merges)]) + "\n")
    write_text(folder / "special_tokens_map.json", json.dumps({**special, "pad_token": pad}))
    write_text(folder / "tokenizer_config.json", json.dumps(settings))
    return folder


# ------------------------------------------------------------------------------------------------------------ networks


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def tiny_text_encoders(
    seed: int = 0, hidden: tuple[int, int] = (32, 32), pooled: int = 32
) -> tuple[CLIPTextModel, CLIPTextModelWithProjection]:
    """SDXL's two text encoders with the structure of the published ones, for the vocabulary of :func:`write_tokenizer`.

    hidden: their widths; the UNet's ``cross_attention_dim`` is the sum.   pooled: width of the second one's pooled output
    """
    common = {
        "vocab_size": len(_vocabulary()[0]),
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 77,
        "bos_token_id": 0,  # as published: the end is found as the highest id
        "eos_token_id": 2,
        "pad_token_id": 1,
    }
    first, second = (CLIPTextConfig(hidden_size=n, intermediate_size=2 * n, projection_dim=pooled, **common) for n in hidden)
    first.hidden_act, second.hidden_act = "quick_gelu", "gelu"
    with _seeded(seed):
        return CLIPTextModel(first).eval(), CLIPTextModelWithProjection(second).eval()


def tiny_vae(seed: int = 0) -> AutoencoderKL:
    """SDXL's autoencoder (four latent channels, a factor of eight) with 8 to 16 channels."""
    with _seeded(seed):
        sizes = {"block_out_channels": (8, 8, 16, 16), "layers_per_block": 1, "norm_num_groups": 8}
        return AutoencoderKL(**VAE | sizes, force_upcast=True).eval()


def tiny_unet(seed: int = 0, cross_attention_dim: int = 64, pooled: int = 32) -> UNet2DConditionModel:
    """SDXL's UNet with 8 to 16 channels: three levels, attention in the lower two, text and time added to the timestep."""
    with _seeded(seed):
        sizes = {
            "block_out_channels": (8, 16, 16),
            "norm_num_groups": 8,
            "cross_attention_dim": cross_attention_dim,
            "transformer_layers_per_block": (1, 1, 2),
            "attention_head_dim": (1, 2, 2),
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 6 * 8 + pooled,
        }
        return UNet2DConditionModel(**UNET | sizes).eval()


def tiny_sdxl(seed: int) -> dict[str, nn.Module]:
    """The four networks of an SDXL checkpoint by their folder's name.

    The two text encoders differ in width, as the published ones do: by that, diffusers tells them apart in a single file.
    """
    first, second = tiny_text_encoders(seed, hidden=(24, 40))
    return {"unet": tiny_unet(seed), "vae": tiny_vae(seed), "text_encoder": first, "text_encoder_2": second}


# ---------------------------------------------------------------------------------------------------- the original keys

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_MIDDLE = {"resnets.0": "0", "attentions.0": "1", "resnets.1": "2"}


def _parts(pattern: str, key: str) -> tuple[str, ...]:
    found = re.fullmatch(pattern, key)
    assert found, key
    return found.groups()


def unet_to_original(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    """The UNet's tensors under ``model.diffusion_model.``: blocks counted through, not level by level."""
    each = unet.config.layers_per_block + 1

    def name(key: str) -> str:
        for end, original in _UNET_ENDS.items():
            if key.startswith(end + "."):
                return original + key.removeprefix(end)
        if key.startswith("mid_block."):
            kind, rest = _parts(r"mid_block\.(\w+\.\d)\.(.*)", key)
            return f"middle_block.{_MIDDLE[kind]}.{_resnet(rest) if kind[0] == 'r' else rest}"
        side, at, kind, nth, rest = _parts(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", key)
        level, layer = int(at), int(nth)
        if kind == "downsamplers":
            return f"input_blocks.{(level + 1) * each}.0.op.{rest.removeprefix('conv.')}"
        if kind == "upsamplers":
            attends = "CrossAttn" in unet.config.up_block_types[level]
            return f"output_blocks.{level * each + each - 1}.{2 if attends else 1}.{rest}"
        block = f"input_blocks.{1 + level * each + layer}" if side == "down" else f"output_blocks.{level * each + layer}"
        return f"{block}.0.{_resnet(rest)}" if kind == "resnets" else f"{block}.1.{rest}"

    return {f"model.diffusion_model.{name(key)}": value for key, value in unet.state_dict().items()}


def _resnet(rest: str) -> str:
    part, _, end = rest.partition(".")
    return f"{_RESNET[part]}.{end}"


_VAE = (
    (r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}"),
    (r"mid_block\.attentions\.0\.", "mid.attn_1."),
    (r"(attn_1\.)group_norm", r"\1norm"),
    (r"(attn_1\.)to_([qkv])", r"\1\2"),
    (r"(attn_1\.)to_out\.0", r"\1proj_out"),
    (r"down_blocks\.(\d)\.resnets", r"down.\1.block"),
    (r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample"),
    (r"up_blocks\.(\d)\.resnets", lambda m: f"up.{3 - int(m[1])}.block"),
    (r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{3 - int(m[1])}.upsample"),
    (r"conv_shortcut", "nin_shortcut"),
    (r"conv_norm_out", "norm_out"),
)


def vae_to_original(vae: AutoencoderKL) -> dict[str, Tensor]:
    """The autoencoder's tensors under ``first_stage_model.``: levels up counted from the finest, attention as 1x1 convolutions."""
    out = {}
    for key, value in vae.state_dict().items():
        for pattern, original in _VAE:
            key = re.sub(pattern, original, key)
        pointwise = "attn_1." in key and value.ndim == 2
        out[f"first_stage_model.{key}"] = value[..., None, None] if pointwise else value
    return out


def text_to_original(first: CLIPTextModel, second: CLIPTextModelWithProjection) -> dict[str, Tensor]:
    """Both text encoders under ``conditioner.embedders.``: the first as transformers names it, the second as OpenCLIP does."""
    positions = torch.arange(first.config.max_position_embeddings)[None]
    out = {"conditioner.embedders.0.transformer.text_model.embeddings.position_ids": positions}
    for key, value in first.state_dict().items():  # transformers dropped the prefix that the files have
        out[f"conditioner.embedders.0.transformer.text_model.{key.removeprefix('text_model.')}"] = value
    state, model = second.state_dict(), "conditioner.embedders.1.model."
    out[model + "logit_scale"] = torch.tensor(4.6052)
    out[model + "text_projection"] = state.pop("text_projection.weight").T
    for key, value in state.items():
        key = key.removeprefix("text_model.")
        if key.endswith("position_embedding.weight"):
            out[model + "positional_embedding"] = value
        elif key.endswith("token_embedding.weight"):
            out[model + "token_embedding.weight"] = value
        elif key.startswith("final_layer_norm"):
            out[model + key.replace("final_layer_norm", "ln_final")] = value
        elif ".q_proj." in key:  # queries, keys and values are one matrix there
            parts = [state[f"text_model.{key.replace('q_proj', name)}"] for name in ("q_proj", "k_proj", "v_proj")]
            out[model + _openclip(key).replace("q_proj.", "in_proj_")] = torch.cat(parts)
        elif ".k_proj." not in key and ".v_proj." not in key:
            out[model + _openclip(key)] = value
    return out


def _openclip(key: str) -> str:
    for name, original in (("encoder.layers.", "transformer.resblocks."), ("self_attn", "attn"), ("layer_norm", "ln_"),
                           ("fc1", "c_fc"), ("fc2", "c_proj")):  # fmt: skip
        key = key.replace(name, original)
    return key


def to_original(networks: dict[str, nn.Module]) -> dict[str, Tensor]:
    """One state dict of all four networks in the original SDXL key layout."""
    return {
        **unet_to_original(networks["unet"]),
        **vae_to_original(networks["vae"]),
        **text_to_original(networks["text_encoder"], networks["text_encoder_2"]),
    }


# --------------------------------------------------------------------------------------------------------------- files


def write_base(folder: Path) -> Path:
    """``sdxl_base/``: configs and tokenizers without weights, in the folder layout of diffusers."""
    parts = {
        "scheduler": ("diffusers", "EulerDiscreteScheduler"),
        "text_encoder": ("transformers", "CLIPTextModel"),
        "text_encoder_2": ("transformers", "CLIPTextModelWithProjection"),
        "tokenizer": ("transformers", "CLIPTokenizer"),
        "tokenizer_2": ("transformers", "CLIPTokenizer"),
        "unet": ("diffusers", "UNet2DConditionModel"),
        "vae": ("diffusers", "AutoencoderKL"),
    }
    index = {
        "_class_name": "StableDiffusionXLPipeline",
        "_diffusers_version": "0.19.0.dev0",
        "force_zeros_for_empty_prompt": True,
    }
    write_text(
        folder / "model_index.json", json.dumps({**index, **{name: list(kind) for name, kind in parts.items()}}, indent=2)
    )
    noise = {
        "_class_name": "EulerDiscreteScheduler",
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "interpolation_type": "linear",
        "num_train_timesteps": 1000,
        "prediction_type": "epsilon",
        "steps_offset": 1,
        "timestep_spacing": "leading",
        "use_karras_sigmas": False,
    }
    write_text(folder / "scheduler" / "scheduler_config.json", json.dumps(noise, indent=2))
    for name, network in tiny_sdxl(0).items():
        config = network.config.to_json_string() if name.startswith("text") else network.to_json_string()
        write_text(folder / name / "config.json", config)
    write_tokenizer(folder / "tokenizer")
    write_tokenizer(folder / "tokenizer_2", pad="!")
    return folder


def write_safety_checker(folder: Path, *, objects: bool) -> Path:
    """A tiny safety checker in its published files, which ``objects`` to every picture or to none."""
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32,
              "patch_size": 16}  # fmt: skip
    with _seeded(0):
        network = StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision, projection_dim=8))
        network.concept_embeds_weights.fill_(-2.0 if objects else 2.0)  # thresholds of a cosine
        network.special_care_embeds_weights.fill_(2.0)
    network.save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def write(folder: Path, *groups: str) -> None:
    """Tiny RealVisXL checkpoints, ``sdxl_base/`` and a safety checker below ``folder``; ``groups``: only those weights groups."""
    wanted = groups or (*_SEEDS, "sdxl_base", "safety_checker")
    if "sdxl_base" in wanted:
        write_base(folder / "sdxl_base")
    if "safety_checker" in wanted:
        write_safety_checker(folder / "safety_checker", objects=False)
    for group in _SEEDS.keys() & set(wanted):
        state = {
            key: value.half() if value.is_floating_point() else value
            for key, value in to_original(tiny_sdxl(_SEEDS[group])).items()
        }
        state = {key: value.contiguous().clone() for key, value in state.items()}
        write_whole(folder / weights.record(group).path, partial(save_file, state, metadata={"format": "pt"}))

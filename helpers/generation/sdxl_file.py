"""What a checkpoint really is, told by the names and shapes in its header before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

_UNET, _VAE = "model.diffusion_model.", "first_stage_model."
_FIRST, _SECOND = "conditioner.embedders.0.transformer.text_model.", "conditioner.embedders.1.model."


class WrongCheckpoint(ValueError):
    """The file is sound, but not the checkpoint that belongs here."""


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor in a safetensors file; ``ValueError`` where it is damaged or none."""
    try:
        with safe_open(path, "pt") as file:
            return {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged, cut short, or no safetensors file ({error}). Download it again.") from None


def recognise(shapes: dict[str, tuple[int, ...]]) -> str:
    """``sdxl``, or in words what else the tensors ``shapes`` make up."""

    def any_of(*parts: str) -> bool:
        return any(part in key for key in shapes for part in parts)

    entry = shapes.get(_UNET + "input_blocks.0.0.weight", (0, 0))
    if any_of("lora_unet_", "lora_te", ".lora_A.", ".lora_down.", ".lora.down.", ".lora_B."):
        return "a LoRA, which is an addition to a checkpoint and none by itself"
    if any_of("control_model.", "controlnet_cond_embedding"):
        return "a ControlNet"
    if any_of("joint_blocks.", "double_blocks."):
        return "a Stable Diffusion 3 or Flux checkpoint"
    if any(key.startswith(("down_blocks.", "unet.down_blocks.")) for key in shapes):
        return "one network in the folder layout of diffusers; the single file with all networks is wanted"
    if not entry[0]:
        autoencoder = any(key.startswith(("encoder.", "decoder.", _VAE)) for key in shapes)
        return "an autoencoder (VAE) alone" if autoencoder else f"no Stable Diffusion checkpoint (it begins {_some(shapes)})"
    if any_of("cond_stage_model.transformer."):
        return "a Stable Diffusion 1.x checkpoint"
    if any_of("cond_stage_model.model."):
        return "a Stable Diffusion 2.x checkpoint"
    if any_of("conditioner.embedders.0.model."):
        return "the SDXL refiner, which only finishes pictures"
    if entry[1] == 9:
        return "an inpainting checkpoint of SDXL"
    missing = {
        "the first text encoder": _FIRST + "embeddings.token_embedding.weight",
        "the second text encoder": _SECOND + "token_embedding.weight",
        "the autoencoder": _VAE + "decoder.conv_in.weight",
        "the size and crop embedding": _UNET + "label_emb.0.0.weight",
    }
    if absent := [name for name, key in missing.items() if key not in shapes]:
        return f"an SDXL file without {' and '.join(absent)}"
    return "sdxl"


def require_sdxl(path: Path, base: Path) -> None:
    """Check that ``path`` is an SDXL checkpoint of the sizes that the configs in ``base`` give.

    Raises ``WrongCheckpoint`` saying what the file is instead.
    """
    shapes = read_shapes(path)
    if (kind := recognise(shapes)) != "sdxl":
        raise WrongCheckpoint(f"{path.name} is {kind}. An SDXL checkpoint is wanted here.")
    unet, first, second, vae = (
        json.loads((base / f"{name}/config.json").read_text(encoding="utf-8"))
        for name in ("unet", "text_encoder", "text_encoder_2", "vae")
    )
    width = unet["block_out_channels"]
    wanted = {
        _UNET + "input_blocks.0.0.weight": (width[0], unet["in_channels"], 3, 3),
        _UNET + "label_emb.0.0.weight": (4 * width[0], unet["projection_class_embeddings_input_dim"]),
        _UNET + "middle_block.1.transformer_blocks.0.attn2.to_k.weight": (width[-1], unet["cross_attention_dim"]),
        _FIRST + "embeddings.token_embedding.weight": (first["vocab_size"], first["hidden_size"]),
        _SECOND + "token_embedding.weight": (second["vocab_size"], second["hidden_size"]),
        _VAE + "decoder.conv_in.weight": (vae["block_out_channels"][-1], vae["latent_channels"], 3, 3),
    }
    for key, shape in wanted.items():
        if shapes.get(key) != shape:
            raise WrongCheckpoint(
                f"{path.name}: {key} is {shapes.get(key, 'missing')}; the configs in {base} say {shape}. "
                "File and configs are of different networks: fetch both again."
            )


def lacking(path: Path, base: Path) -> str:
    """Which parameters of UNet and autoencoder the single file ``path`` has no value for, in words; empty where none.

    For the error message alone: diffusers fails on such files without naming them.
    """
    if not path.is_file():
        return ""
    from accelerate import init_empty_weights
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
    from safetensors.torch import load_file

    state, empty = load_file(path), []
    for name, kind, convert in (
        ("unet", UNet2DConditionModel, convert_ldm_unet_checkpoint),
        ("vae", AutoencoderKL, convert_ldm_vae_checkpoint),
    ):
        config = kind.load_config(base, subfolder=name, local_files_only=True)
        with init_empty_weights():
            wanted = kind.from_config(config).state_dict()
        try:
            found = convert(state, config=config)
        except KeyError as error:
            return lacks([str(error.args[0])])
        empty += [f"{name}.{key}" for key in wanted if key not in found]
    return lacks(empty) if empty else ""


def lacks(keys: list[str]) -> str:
    """The end of a sentence that names the first of ``keys``."""
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return f"lacks {', '.join(keys[:3])}{more}. Fetch it again."


def _some(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(sorted(shapes)[:3]) or "with nothing"

"""What a checkpoint really is, told by the names and shapes in its header before anything is loaded."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from helpers import weights

_PARTS = {
    "unet": ("diffusers", "UNet2DConditionModel"),
    "vae": ("diffusers", "AutoencoderKL"),
    "text_encoder": ("transformers", "CLIPTextModel"),
    "text_encoder_2": ("transformers", "CLIPTextModelWithProjection"),
    "tokenizer": ("transformers", "CLIPTokenizer"),
    "tokenizer_2": ("transformers", "CLIPTokenizer"),
}
"""What diffusers is to make of the parts of SDXL; it would import whatever a ``model_index.json`` names."""
_UNET, _VAE = "model.diffusion_model.", "first_stage_model."
_FIRST, _SECOND = "conditioner.embedders.0.transformer.text_model.", "conditioner.embedders.1.model."


class WrongCheckpoint(ValueError):
    """The file is sound, but not the checkpoint that belongs here."""


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


def require_pipeline(folder: Path, remedy: str) -> None:
    """Check that the ``model_index.json`` and the configurations in ``folder`` are those of SDXL and ask for nothing else.

    Raises ``WrongCheckpoint`` where they are another pipeline's, ``weights.Damaged`` where they cannot be read or name code of their own.
    """
    index = weights.read_config(folder / "model_index.json", remedy)
    if (kind := index.get("_class_name")) != "StableDiffusionXLPipeline":
        raise WrongCheckpoint(f"{folder} holds a {str(kind)[:80]}, not a StableDiffusionXLPipeline.")
    for part, value in index.items():
        known = [*_PARTS[part]] if part in _PARTS else None
        harmless = part.startswith("_") or not isinstance(value, list) or value == [None, None]
        scheduler = part == "scheduler" and isinstance(value, list) and value[:1] == ["diffusers"]
        if not (harmless or value == known or (scheduler and str(value[-1]).endswith("Scheduler"))):
            raise weights.Damaged(f"{folder / 'model_index.json'} asks for {value} as its {part}, which SDXL has not. {remedy}")
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        weights.read_config(folder / part / "config.json", remedy)
    weights.read_config(folder / "scheduler/scheduler_config.json", remedy)


def require_sdxl(path: Path, base: Path) -> None:
    """Check that ``path`` is an SDXL checkpoint of the sizes that the configs in ``base`` give.

    Raises ``WrongCheckpoint`` saying what the file is instead, ``weights.Damaged`` where a file cannot be read.
    """
    shapes = weights.read_shapes(path)
    if (kind := recognise(shapes)) != "sdxl":
        raise WrongCheckpoint(f"{path.name} is {kind}. An SDXL checkpoint is wanted here.")
    unet, first, second, vae = (
        weights.read_config(base / f"{name}/config.json") for name in ("unet", "text_encoder", "text_encoder_2", "vae")
    )
    try:
        width = unet["block_out_channels"]
        wanted = {
            _UNET + "input_blocks.0.0.weight": (width[0], unet["in_channels"], 3, 3),
            _UNET + "label_emb.0.0.weight": (4 * width[0], unet["projection_class_embeddings_input_dim"]),
            _UNET + "middle_block.1.transformer_blocks.0.attn2.to_k.weight": (width[-1], unet["cross_attention_dim"]),
            _FIRST + "embeddings.token_embedding.weight": (first["vocab_size"], first["hidden_size"]),
            _SECOND + "token_embedding.weight": (second["vocab_size"], second["hidden_size"]),
            _VAE + "decoder.conv_in.weight": (vae["block_out_channels"][-1], vae["latent_channels"], 3, 3),
        }
    except (KeyError, TypeError, IndexError) as error:
        raise weights.Damaged(
            f"the configs in {base} are not those of SDXL's networks ({error}). Fetch them again: "
            "python -m helpers weights fetch sdxl_base"
        ) from None
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

    empty: list[str] = []
    with suppress(Exception):  # of configs that make no network: what diffusers said of them is the reason
        state = load_file(path)
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

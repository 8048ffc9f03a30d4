"""RealVisXL V4.0 and V4.0 Lightning: SDXL tuned for photographs of people, through diffusers' own pipeline.

Checkpoints: SG161222/RealVisXL_V4.0 and RealVisXL_V4.0_Lightning, as the single file in SDXL's original key layout or as a folder
in the layout of diffusers. Networks: SDXL (Podell et al. 2023, arXiv 2307.01952). Everything is read from local files.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    DPMSolverSinglestepScheduler,
    StableDiffusionXLPipeline,
)
from diffusers.utils import logging as diffusers_logging
from transformers import CLIPTokenizer
from transformers.utils import logging as transformers_logging

from helpers import devices, engines, provenance, weights
from helpers.contract import Base
from helpers.generation import picture_check, sdxl_file
from helpers.generation.compose import Prompt, against, compose, refuse
from helpers.mannequin.outfit import Outfit
from helpers.mannequin.words.prompt import describe
from helpers.person import Person
from helpers.stepping import NotFinite, OnStep, require_finite, tell


@dataclass(frozen=True)
class Variant:
    """How a checkpoint wants to be sampled where nothing else is asked for, as its card says. steps: evaluations of the UNet"""

    steps: int
    guidance_scale: float
    scheduler: str


VARIANTS = {
    "v4": Variant(28, 6.0, "DPM++ 2M Karras"),
    # Distilled: few steps and hardly any guidance. Civitai's version 361593, which recipes name as plain V4.0, is most likely this.
    # "DPM++ SDE Karras, 5 to 6 steps" is of samplers that evaluate twice a step: 12 evaluations, where 6 gave half of the recipe.
    "v4_lightning": Variant(12, 1.8, "DPM++ SDE Karras"),
}


def need(device: devices.Device, parameters: int) -> devices.Need:
    """What ``parameters`` weights need. The autoencoder decodes in float32 everywhere: in float16 it overflows."""
    half = 2 * parameters / 1e9  # GB
    if device.kind == "mps":  # one memory for both: nothing is won by moving networks
        return devices.Need(everything=0, one=0, untiled=half + 9)
    return devices.Need(2 * half + 4, 0.75 * half + 2.3, half + 5, host=2 * half + 4)  # three quarters are the UNet's


@dataclass(frozen=True)
class _Files:
    """The checkpoint, a file or a folder, the folder of its configs and tokenizers, and the tokenizer of its first encoder."""

    checkpoint: Path
    base: Path
    tokenizer: CLIPTokenizer


@dataclass(frozen=True)
class _Loaded:
    """The networks, and how they run."""

    pipe: StableDiffusionXLPipeline
    policy: devices.Policy


@dataclass(frozen=True)
class _Job:
    """What is drawn: texts, a seed a picture, and how."""

    asked: str
    avoided: str
    seeds: Sequence[int]
    size: tuple[int, int]
    steps: int
    guidance: float
    on_step: OnStep | None
    progress: bool | None


_TOKENS = 77  # that CLIP reads
_LESS = "Draw smaller, or set ATELIER_DEVICE=cpu."
_BROKEN = (
    "Take RealVisXL(..., precision='bfloat16') or 'float32', which overflow later; where they do not help the checkpoint is damaged: "
    "python -m helpers weights verify"
)


class RealVisXL(Base):
    """The published generation engine. Loads on the first picture, keeps the networks, and gives them back on ``close``.

    variant:   ``v4`` or ``v4_lightning``
    precision: ``float32``, ``float16``, ``bfloat16``, or ``auto``: float16 on a GPU, and once more in bfloat16, which is said, where a
               step overflows that
    After ``close``, a cancelled or an interrupted picture the next call works like the first.
    """

    def __init__(self, variant: str = "v4", *, precision: str = "auto") -> None:
        if variant not in VARIANTS:
            raise ValueError(f"realvisxl comes as {' or '.join(VARIANTS)}, not {variant!r}.")
        if precision not in ("auto", "float32", "float16", "bfloat16"):
            raise ValueError(f"precision is auto, float32, float16 or bfloat16, not {precision!r}.")
        self.name, self.variant, self.precision = variant, VARIANTS[variant], precision
        self._files: _Files | None = None
        self._loaded: _Loaded | None = None
        self._check: picture_check.PictureCheck | None = None
        self._overflowed = False
        self._busy = threading.Lock()

    def close(self) -> None:
        """Free the networks' memory; the next call loads them again."""
        if self._loaded is not None and self._loaded.policy.offload != "none":
            self._loaded.pipe.remove_all_hooks()
        self._loaded = self._files = self._check = None
        devices.free()

    def __call__(self, prompt: str | Outfit, *, seed: int = 0, **settings: Any) -> Person:
        """One picture; :meth:`many` says what ``settings`` there are."""
        return self.many(prompt, seeds=[seed], **settings)[0]

    @engines.checked("generate", "realvisxl")
    def many(
        self,
        prompt: str | Outfit,
        *,
        seeds: Sequence[int],
        size: tuple[int, int] = (768, 1024),
        steps: int | None = None,
        guidance_scale: float | None = None,
        negative_prompt: str | None = None,
        on_step: OnStep | None = None,
        progress: bool | None = None,
    ) -> list[Person]:
        """A picture of a dressed adult for each of ``seeds``; it does not depend on the others.

        prompt:          what they look like and wear, in words, or an ``Outfit``; the photograph's words are put around it
        size:            (width, height) in pixels, multiples of 8 from 256 to 2048; SDXL draws best at about a megapixel
        steps:           1 to 150 network evaluations; ``None``: the variant's own
        guidance_scale:  above 1 to 20, how closely to follow the words; ``None``: the variant's own
        negative_prompt: what to keep out besides minors and undress, which always are; ``None``: the usual flaws
        on_step:         ``(step, total, preview uint8 (H / 8, W / 8, 3) RGB) -> bool | None`` after every step of every picture;
                         ``False`` cancels
        progress:        show a bar; ``None``: where there is no ``on_step``
        Returns persons without annotations whose ``scene`` says how they were made. The first noise is drawn on the CPU in float32,
        so a seed means the same composition on every device.
        Raises ``PromptRefused`` or ``ValueError``, ``weights.Missing`` or ``weights.Damaged`` before anything slow starts;
        ``Cancelled`` with the pictures that were finished when ``on_step`` says so; ``MemoryError`` with what helps where the
        device's memory is not enough; ``picture_check.PictureRefused`` with the other pictures where that check's weights are here and it
        objects to one.
        """
        words = describe(prompt) if isinstance(prompt, Outfit) else prompt
        refuse(words)
        against(negative_prompt, lambda text: 0)
        steps = self.variant.steps if steps is None else steps
        guidance = self.variant.guidance_scale if guidance_scale is None else guidance_scale
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("this engine is drawing already. Wait for it or cancel it first.")
        try:
            asked, avoided = self.read(words, negative_prompt)
            check = self._picture_check()
            self._load()
            record = _checkpoint(self.name)
            scene = {
                "engine": "realvisxl",
                "variant": self.name,
                "words": words,
                "prompt": asked.text,
                "not read": list(asked.cut),
                "negative_prompt": avoided.text,
                "steps": steps,
                "guidance_scale": guidance,
                "scheduler": self.variant.scheduler,
                "device": devices.describe().name,
                "checkpoint": self._found().checkpoint.name,
                "licence": f"{record.licence}: {record.terms}",
                "picture check": check.name if check else picture_check.NONE,
            }
            if provenance.tiny("generate", f"realvisxl:{self.name}"):
                scene["networks"] = provenance.TINY
            job = _Job(asked.text, avoided.text, seeds, size, steps, guidance, on_step, progress)
            with devices.memory_named(f"a picture of {size[0]}x{size[1]}", _LESS), torch.no_grad():
                try:
                    people, objected = self._retried(job, check, scene)
                except NotFinite as error:
                    raise FloatingPointError(f"{error}. {_BROKEN}") from error
            if objected:
                raise picture_check.refused(objected, people)
            return people
        finally:
            if self._loaded is not None and self._loaded.policy.offload != "none":
                self._loaded.pipe.maybe_free_model_hooks()  # after a cancelled picture too
            self._busy.release()

    def _retried(
        self, job: _Job, check: picture_check.PictureCheck | None, scene: dict[str, Any]
    ) -> tuple[list[Person], list[int]]:
        """:meth:`_drawn`, and where ``auto`` overflowed in float16 once more in bfloat16, which warning and scene say."""
        try:
            return self._drawn(job, check, scene)
        except NotFinite as error:
            if self.precision != "auto" or self._load().policy.dtype is not torch.float16:
                raise
            said = f"in float16 {error}: drawn once more in bfloat16, whose numbers are coarser"
        warnings.warn(said, stacklevel=5)
        self._overflowed = True
        self.close()
        return self._drawn(job, check, {**scene, "retried": said})

    def _drawn(
        self, job: _Job, check: picture_check.PictureCheck | None, scene: dict[str, Any]
    ) -> tuple[list[Person], list[int]]:
        """The pictures that pass the check, and the seeds of those that do not. Raises ``NotFinite`` where there is no picture."""
        loaded, pipe = self._load(), self.pipe
        people: list[Person] = []
        objected: list[int] = []
        embeds = pipe.encode_prompt(job.asked, negative_prompt=job.avoided, num_images_per_prompt=1)
        embeds = dict(zip(_EMBEDS, embeds, strict=True))
        scene = {**scene, "precision": str(loaded.policy.dtype).removeprefix("torch.")}
        total = len(job.seeds) * job.steps
        for number, seed in enumerate(job.seeds):
            pipe.set_progress_bar_config(
                disable=not (job.on_step is None if job.progress is None else job.progress),
                desc=f"picture {number + 1} of {len(job.seeds)}",
                leave=False,
            )
            report = _reporter(job.on_step, number * job.steps, total, people)
            image = _draw(loaded, embeds, seed, job.size, job.steps, job.guidance, report)
            if check is None or check.takes(image):
                people.append(Person(image, scene={**scene, "seed": seed}))
            else:
                objected.append(seed)
        return people, objected

    def read(self, words: str, negative_prompt: str | None = None) -> tuple[Prompt, Prompt]:
        """What the model is asked for and what it is to avoid, for ``words``; a warning names those beyond CLIP's 77 tokens.

        Needs the checkpoint's files to be there, but loads no network. Raises as :meth:`many`.
        """
        tokenizer = self._found().tokenizer

        def tokens(text: str) -> int:
            return len(tokenizer(text, add_special_tokens=False, verbose=False).input_ids)

        asked, avoided = compose(words, tokens), against(negative_prompt, tokens)
        for name, prompt in (("prompt", asked), ("negative_prompt", avoided)):
            if prompt.cut:
                warnings.warn(f"{name}: CLIP reads 77 tokens; not read: {' '.join(prompt.cut)}", stacklevel=4)
        return asked, avoided

    @property
    def pipe(self) -> StableDiffusionXLPipeline:
        """The networks as diffusers joins them, loaded on first use."""
        return self._load().pipe

    def _picture_check(self) -> picture_check.PictureCheck | None:
        """The check of finished pictures, where its weights are here."""
        if self._check is None and weights.here(picture_check.GROUP):
            with _quiet():
                self._check = picture_check.PictureCheck()
        return self._check

    def _found(self) -> _Files:
        if self._files is None:
            source, base = _find(_checkpoint(self.name))
            with weights.reading(
                base / "tokenizer", "SDXL's tokenizer", "Fetch it again: python -m helpers weights fetch sdxl_base"
            ):
                tokenizer = CLIPTokenizer.from_pretrained(base / "tokenizer", local_files_only=True)
                if tokenizer.model_max_length != _TOKENS:
                    raise ValueError(f"it reads {tokenizer.model_max_length} tokens, not {_TOKENS}")
            self._files = _Files(source, base, tokenizer)
        return self._files

    def _load(self) -> _Loaded:
        if self._loaded is not None:
            return self._loaded
        device, files = devices.describe(), self._found()
        # float16, the published precision, has three bits more than bfloat16, and SDXL's UNet stays within its range.
        chosen = devices.policy(device, need(device, _parameters(files.checkpoint)), dtype=torch.float16)
        if self.precision != "auto":
            chosen = replace(chosen, dtype=getattr(torch, self.precision))
        elif self._overflowed and chosen.dtype is torch.float16:
            chosen = replace(chosen, dtype=torch.bfloat16)
        if chosen.note:
            print(f"realvisxl on {device.name}: {chosen.note}")
        with _quiet():
            pipe = _read(files.checkpoint, files.base, chosen.dtype)
        return self._adopt(pipe, chosen)

    def _adopt(self, pipe: StableDiffusionXLPipeline, chosen: devices.Policy) -> _Loaded:
        """Draw with ``pipe`` from now on, by the variant's scheduler and as ``chosen``."""
        device = devices.describe()
        noisy = "sde-" if "SDE" in self.variant.scheduler else ""
        common = {
            "use_karras_sigmas": True,
            "algorithm_type": f"{noisy}dpmsolver++",
            "solver_order": 2,
            "lower_order_final": True,
        }
        # DPM++ SDE is a one-step method of second order: diffusers has it as its singlestep scheduler.
        scheduler = DPMSolverMultistepScheduler if "2M" in self.variant.scheduler else DPMSolverSinglestepScheduler
        pipe.scheduler = scheduler.from_config(pipe.scheduler.config, **common)
        if chosen.offload == "networks":
            pipe.enable_model_cpu_offload(device=device.kind)
        elif chosen.offload == "layers":
            pipe.enable_sequential_cpu_offload(device=device.kind)
        else:
            with devices.memory_named("the networks", _LESS):
                pipe.to(device.kind)
        self._loaded = _Loaded(pipe, chosen)
        return self._loaded


# The usual linear map from SDXL's four latent channels to red, green and blue: rows are channels, values 0..255.
# Timothy Alexis Vass, "Explaining the SDXL latent space".
_CHANNELS = ((60.0, 60.0, 60.0), (-60.0, -5.0, 10.0), (25.0, 15.0, -5.0), (-70.0, -50.0, -35.0))
_GREY = (150.0, 140.0, 130.0)


def preview(latents: torch.Tensor) -> np.ndarray:
    """Scaled SDXL latents (4, h, w) -> uint8 (h, w, 3) RGB, an eighth of the picture's size, without the autoencoder."""
    latents = latents.detach().to("cpu", torch.float32)
    colour = torch.einsum("chw,cr->hwr", latents, torch.tensor(_CHANNELS)) + torch.tensor(_GREY)
    return colour.nan_to_num().clamp(0, 255).round().to(torch.uint8).numpy()


_EMBEDS = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")


def _reporter(on_step: OnStep | None, before: int, total: int, done: list[Person]) -> Any:
    def report(pipe: StableDiffusionXLPipeline, step: int, _: Any, tensors: dict) -> dict:
        require_finite([tensors["latents"]], f"the UNet, in step {before + step + 1} of {total},")
        if on_step is None:
            return tensors
        # What the network takes the finished picture to be: clear long before the latents.
        clean = pipe.scheduler.model_outputs[-1]
        tell(on_step, before + step + 1, total, preview(clean[0]), done)
        return tensors

    return report


def _draw(
    loaded: _Loaded, embeds: dict, seed: int, size: tuple[int, int], steps: int, guidance: float, report: Any
) -> np.ndarray:
    """uint8 (H, W, 3) RGB."""
    pipe, (width, height) = loaded.pipe, size
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn(1, pipe.unet.config.in_channels, height // 8, width // 8, generator=generator)
    latents = pipe(
        **embeds,
        width=width,
        height=height,
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=generator,
        latents=noise.to(loaded.policy.dtype),
        output_type="latent",
        callback_on_step_end=report,
    ).images
    vae = pipe.vae
    with devices.tiled(vae, loaded.policy.tiles):
        picture = vae.decode(latents.float() / vae.config.scaling_factor, return_dict=False)[0][0]  # (3, H, W), -1..1
    require_finite([picture], "the decoder")
    picture = ((picture + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
    return picture.permute(1, 2, 0).cpu().numpy()  # (H, W, 3)


# --------------------------------------------------------------------------------------------------------------- files


def _checkpoint(variant: str) -> weights.Record:
    """The variant's own file; what its record names beside it is the base that all share."""
    own, _ = engines.find("generate", "realvisxl").variants[variant]
    (record,) = weights.records(own)
    return record


def _find(record: weights.Record) -> tuple[Path, Path]:
    """The checkpoint, a file or a folder, and the folder of its configs and tokenizers; both checked by their headers."""
    if folder := weights.as_folder(record):
        sdxl_file.require_pipeline(folder, "Copy the folder again.")
        for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
            files = list((folder / part).glob("*.safetensors"))
            if not files:
                raise weights.Missing(f"{folder / part} holds no .safetensors file. Copy the whole folder again.")
            for file in files:
                weights.check(file, "safetensors", remedy="Copy the folder again.")
        return folder, folder
    source, base = weights.require(record.name), _base()
    sdxl_file.require_pipeline(base, "Fetch it again: python -m helpers weights fetch sdxl_base")
    sdxl_file.require_sdxl(source, base)
    return source, base


def _base() -> Path:
    """The folder of SDXL's configs and tokenizers: below the weights folder, or in a hub's cache."""
    records = weights.records("sdxl_base")
    folders = {
        weights.require(r.name).parents[len(Path(r.path).parts) - 2] for r in records
    }  # sdxl_base/unet/config.json: one up
    if len(folders) > 1:
        raise FileNotFoundError(
            f"sdxl_base lies in parts in {' and '.join(map(str, sorted(folders)))}. Fetch it into one folder: "
            "python -m helpers weights fetch sdxl_base"
        )
    return folders.pop()


def _parameters(source: Path) -> int:
    files = [source] if source.is_file() else list(source.glob("*/*.fp16.safetensors")) or source.glob("*/*.safetensors")
    return sum(prod(shape) for file in files for shape in weights.read_shapes(file).values())


def _read(source: Path, base: Path, dtype: torch.dtype) -> StableDiffusionXLPipeline:
    """The pipeline from a file or a folder, its autoencoder in float32; nothing is asked of any network."""
    local: dict[str, Any] = {"local_files_only": True}
    try:
        if source.is_dir():
            fp16 = any((source / "unet").glob("*.fp16.safetensors"))
            local |= {"use_safetensors": True, "variant": "fp16" if fp16 else None}
            vae = AutoencoderKL.from_pretrained(source, subfolder="vae", dtype=torch.float32, **local)
            pipe = StableDiffusionXLPipeline.from_pretrained(source, vae=vae, dtype=dtype, add_watermarker=False, **local)
        else:
            local["config"] = str(base)
            vae = AutoencoderKL.from_single_file(str(source), subfolder="vae", dtype=torch.float32, **local)
            pipe = StableDiffusionXLPipeline.from_single_file(str(source), vae=vae, dtype=dtype, add_watermarker=False, **local)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # of diffusers, transformers and safetensors, which have no base in common
        why = sdxl_file.lacking(source, base) or str(error)
        raise sdxl_file.WrongCheckpoint(f"{source.name} cannot be read as an SDXL checkpoint: {why}") from error
    empty = [
        f"{name}.{key}"
        for name in ("unet", "vae", "text_encoder", "text_encoder_2")
        for key, value in getattr(pipe, name).named_parameters()
        if value.is_meta
    ]
    if empty:  # diffusers leaves what the file lacks without a value and says nothing
        raise sdxl_file.WrongCheckpoint(f"{source.name} {sdxl_file.lacks(empty)}")
    return pipe


@contextmanager
def _quiet() -> Iterator[None]:
    """The loaders' own bars and remarks off: they speak of nothing that a user could act on."""
    loggers = (diffusers_logging, transformers_logging)
    levels = [each.get_verbosity() for each in loggers]
    for each in loggers:
        each.set_verbosity_error()
        each.disable_progress_bar()
    try:
        yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.set_verbosity(level)
            each.enable_progress_bar()

"""``engine="idm_vton"``: IDM-VTON on its published checkpoints, from photographs to photographs.

The person goes into an upright 3:4 frame, is annotated (DensePose; parsing and pose where no mask is given), encoded, and painted; only
what the mask covers comes back. The garment's features are computed first and kept, so that the second person, or seed, costs a
quarter less, and GarmentNet and TryonNet are never on a small GPU together.

Source: Choi et al., "Improving Diffusion Models for Authentic Virtual Try-on in the Wild", 2024 (yisol/IDM-VTON). Code and checkpoints
are CC BY-NC-SA 4.0: not for commercial use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from helpers import devices, engines, weights
from helpers.contract import Base
from helpers.garment import Garment
from helpers.person import Person
from helpers.stepping import Cancelled, NotFinite, OnStep, tell
from helpers.tryon.idm_vton import loading, pipeline, preprocess
from helpers.tryon.idm_vton.garments import GarmentCache, GarmentFeatures, size_of
from helpers.tryon.idm_vton.profiles import COSTS, choose_profile, finer
from helpers.tryon.result import TryOn
from helpers.tryon.sitting import Sitting, sit

_MASKS = {
    "published": "What may change was found from parsing and pose, as the network was trained.",
    "united": "What may change is the given mask and all that the network was trained to change with it: longer sleeves, another "
    "neckline or hem can be painted. only_mask=True keeps to the given mask.",
    "given": "What may change is the given mask alone: the old sleeves, neckline and hem stay where it does not cover them.",
}
_BROKEN = (
    "Use profile='auto' or 'bf16', which overflow later; where neither helps the checkpoint is damaged: "
    "python -m helpers weights verify idm_vton"
)
_UPPER_ONLY = (
    "The checkpoint was trained on VITON-HD, garments of the upper body: shape, texture and colour of others suffer. "
    "DressCode's checkpoint, which knows them, is not read."
)
_FALLBACK = {"upper": "shirts", "lower": "pants", "dress": "dress"}
_PUBLISHED = ("openpose_schp", "detectron2")  # annotators with the networks of the published preprocessing


@dataclass(frozen=True)
class _Job:
    """What is painted, whatever the seed. texts: of the person, of what is kept out, and of the garment"""

    sitting: Sitting
    pose: np.ndarray
    texts: tuple[str, str, str]
    steps: int
    guidance: float
    parity: bool


class IDMVTON(Base):
    """The published try-on engine. Networks are read when first needed; ``close`` frees them, and the next call reads them again."""

    def __init__(self) -> None:
        self._nets: dict[str, Any] = {}
        self._words: dict[tuple, Any] = {}
        self._garments = GarmentCache()
        self._chosen: devices.Policy | None = None
        self._overflowed = False

    def close(self) -> None:
        """Free every network and everything kept of garments."""
        self._nets.clear()
        self._words.clear()
        self._garments.clear()
        devices.free()

    def __call__(
        self, person: Person, garment: Garment, *, mask: np.ndarray | None = None, seed: int = 0, **settings: Any
    ) -> TryOn:
        """One picture; :meth:`many` says what ``settings`` there are."""
        return self.many(person, garment, mask=mask, seeds=[seed], **settings)[0]

    @engines.checked("try_on", "idm_vton")
    def many(
        self,
        person: Person,
        garment: Garment,
        *,
        seeds: Sequence[int],
        mask: np.ndarray | None = None,
        only_mask: bool = False,
        description: str = "",
        steps: int = 30,
        guidance_scale: float = 2.0,
        negative_prompt: str = pipeline.NEGATIVE,
        framing: str = "letterbox",
        annotator: str = "auto",
        pick: str | int = "auto",
        colour_match: bool = False,
        profile: str = "auto",
        parity: bool = False,
        progress: bool | None = None,
        on_step: OnStep | None = None,
    ) -> list[TryOn]:
        """``garment`` on ``person``, one picture a seed. A seed gives the same picture whatever the others are.

        mask:           bool (H, W) of what is worn now; what may change is that and the published mask of the garment's category, found
                        from parsing and pose, as the network was trained; ``None``: the published one
        only_mask:      only what lies in the mask may change; ``parity`` does that with any given mask
        description:    what the garment is, in words ("short sleeve round neck t-shirts"); empty: its own words, or its category
        steps:          1..100; guidance_scale: 1 (none) .. 10
        framing:        ``letterbox``, ``crop`` or ``stretch`` (:meth:`helpers.tryon.framing.Frame.fit`)
        annotator:      the engine that is asked for annotations that the person lacks
        pick:           who is meant where there are several people: ``auto`` (whom the mask is on, else the most prominent) or
                        0, 1, ... from the left
        colour_match:   shift the new cloth to the garment's colour where it has faded
        profile:        ``auto``, ``fp16``, ``bf16``, ``low_vram``, ``cpu``; ``profiles.COSTS`` says what each costs
        parity:         as the published code: stretched, the largest part of the mask only, the whole decoded picture instead of pasting
                        back, and its order of random draws
        progress:       show a bar of the steps; ``None``: where there is no ``on_step``
        on_step:        ``(step, total, None)`` after every step of every picture; ``False`` from it cancels
        """
        if only_mask and mask is None:
            raise ValueError("only_mask=True needs mask=: what may change is asked for, and nothing says what that is.")
        loading.require_all()
        wanted = choose_profile(profile)
        self._set_profile(finer(wanted) if self._overflowed and profile in ("auto", "low_vram") else wanted)
        if parity:
            sitting, pose = self._published_sitting(person, garment, mask, annotator)
        else:
            sitting, pose = self._sitting(
                person, garment, mask, only_mask=only_mask, framing=framing, pick=pick, annotator=annotator
            )
        what = description.strip() or garment.words.strip() or _FALLBACK[garment.category]
        whose = "as given" if description.strip() else "by its own words" if garment.words.strip() else "of its category"
        texts = f"model is wearing {what}", negative_prompt, f"a photo of {what}"
        job = _Job(sitting, pose, texts, steps, guidance_scale, parity)
        notes: list[str] = []

        def finished(painted: Sequence[np.ndarray]) -> list[TryOn]:
            tiny = weights.tiny("idm_vton")
            said = [
                f"Ran as {self._profile.name}{'' if tiny else f': {COSTS[self._profile.name]}'}.",
                *notes,
                f"The garment was described as {what!r}, {whose}.",
                _MASKS["published" if mask is None else "given" if only_mask or parity else "united"],
                *([] if garment.category == "upper" else [_UPPER_ONLY]),
            ]
            made: dict[str, Any] = {"notes": said, "steps": {"DensePose": pose}, "colour_match": colour_match, "whole": parity}
            results = [sitting.result(picture, **made) for picture in painted]
            return [replace(result, seconds=results[-1].seconds / len(results)) for result in results]

        shown = on_step is None if progress is None else progress
        remedy = f"Use profile={devices.SMALLER.get(self._profile.name, 'cpu')!r}, which needs less."
        with (
            devices.memory_named(f"IDM-VTON as {self._profile.name}", remedy),
            tqdm(total=steps * len(seeds), desc="IDM-VTON", unit="step", disable=not shown, leave=False) as bar,
        ):

            def step_done(step: int) -> None:
                bar.update()
                tell(on_step, step, steps * len(seeds))

            try:
                try:
                    painted = self._painted(job, seeds, step_done)
                except NotFinite as error:
                    if profile not in ("auto", "low_vram") or self._profile.dtype is not torch.float16:
                        raise FloatingPointError(f"{error} as {self._profile.name}. {_BROKEN}") from error
                    notes.append(f"In float16 {error}: painted once more in bfloat16, whose numbers are coarser.")
                    self._set_profile(finer(self._profile))
                    self._overflowed = True
                    bar.reset()
                    painted = self._painted(job, seeds, step_done)
            except Cancelled as stop:
                stop.done = tuple(finished(stop.done))
                raise
            except NotFinite as error:
                raise FloatingPointError(f"{error} in bfloat16 too. {_BROKEN}") from error
        return finished(painted)

    # The person

    def _sitting(
        self,
        person: Person,
        garment: Garment,
        mask: np.ndarray | None,
        *,
        only_mask: bool,
        framing: str,
        pick: str | int,
        annotator: str,
    ) -> tuple[Sitting, np.ndarray]:
        """The person in the frame with what may change, and the picture of their DensePose there."""
        needs = set() if only_mask else {"keypoints", "labels"}
        if person.densepose is None:
            needs |= {"keypoints", "densepose"}  # joints say which of several surfaces is the wearer's
        sitting = sit(
            person,
            garment,
            mask,
            self._frame_size(),
            engine="idm_vton",
            needs=needs,
            framing=framing,
            pick=pick,
            annotator=annotator,
            annotated=preprocess.SIZE,
        )
        before = len(person.scene.get("annotations", ()))
        self._done_with_annotators(about["engine"] for about in sitting.person.scene.get("annotations", ())[before:])
        if not only_mask:
            found = preprocess.mask_of(sitting.person, garment.category)
            sitting = sitting.masked(found) if mask is None else sitting.widened(found)
        return sitting, _resized(preprocess.pose_of(sitting.person), sitting.frame.size)

    def _published_sitting(
        self, person: Person, garment: Garment, mask: np.ndarray | None, annotator: str
    ) -> tuple[Sitting, np.ndarray]:
        """The same as published: stretched, seen by way of the frame, and nothing taken that is known of the person."""
        if annotator not in ("auto", *_PUBLISHED):
            raise ValueError(
                f"parity is to the networks of {' or '.join(_PUBLISHED)}: annotator must be one of them, not {annotator!r}."
            )
        by = _PUBLISHED[0] if annotator == "auto" else annotator
        networks = engines.load("annotate", by)
        sitting = sit(person, garment, mask, self._frame_size(), engine="idm_vton", needs=(), framing="stretch", grown=0)
        sitting = replace(sitting, made_by=sitting.made_by | dict.fromkeys(("keypoints", "labels", "densepose"), by))
        parse, joints, pose = preprocess.published(_resized(sitting.image, preprocess.SIZE), networks)
        self._done_with_annotators([by])
        if mask is None:
            sitting = sitting.masked(preprocess.agnostic_mask(parse, joints, garment.category, preprocess.SIZE, parity=True))
        return sitting, _resized(pose, sitting.frame.size)

    # The networks, one phase at a time

    def _set_profile(self, profile: devices.Policy) -> None:
        if profile != self._chosen:
            self.close()
            self._chosen = profile

    @property
    def _profile(self) -> devices.Policy:
        assert self._chosen is not None, "chosen at the beginning of every run"
        return self._chosen

    @property
    def _device(self) -> torch.device:
        return torch.device(self._profile.kind)

    def _net(self, name: str, read: Callable[[], Any]) -> Any:
        if name not in self._nets:
            self._nets[name] = read()
        return self._nets[name]

    def _done_with(self, *names: str) -> None:
        """Free what a finished phase used, unless there is room for everything."""
        if self._profile.offload == "none" and self._profile.kind != "cpu":
            return
        for name in names:
            self._nets.pop(name, None)
        devices.free()

    def _done_with_annotators(self, names: Iterable[str]) -> None:
        """Free the networks that have looked at the person, where there is no room for everything."""
        if self._profile.offload != "none":
            for name in names:
                engines.load("annotate", name).close()

    def _unet(self, load: Callable[[torch.device, torch.dtype], Any]) -> Any:
        """TryonNet or GarmentNet: on the device, or ``low_vram`` coming from the host layer by layer."""
        if self._profile.offload != "layers":
            return load(self._device, self._profile.dtype)
        host = torch.device("cpu")
        net = load(host, self._profile.dtype)
        # By leaves: the keys of text tokens are computed before the first step, outside any block's forward.
        net.enable_group_offload(self._device, host, offload_type="leaf_level", use_stream=self._profile.kind == "cuda")
        return net

    def _tryon(self) -> Any:
        return self._net("tryon", lambda: self._unet(loading.load_tryon_net))

    def _frame_size(self) -> tuple[int, int]:
        """(width, height) of the frame: 3:4, of the height that the UNet's ``sample_size`` is for (128 latents, 1024 pixels)."""
        scale = 2 ** (len(loading.config("vae/config.json")["block_out_channels"]) - 1)
        height = loading.config("unet/config.json")["sample_size"] * scale
        return height * 3 // 4 // scale * scale, height

    def _encode(self, texts: list[str], cloth: np.ndarray) -> tuple[list[pipeline.Words], list[Tensor]]:
        """Words of each text, and the garment's image tokens with the unconditional ones after them; kept for the next call."""
        keys = [("words", text) for text in texts]
        picture, blank = ("tokens", _digest(cloth)), ("tokens", "")
        missing = [k for k in keys if k not in self._words]
        if missing or picture not in self._words:
            self._done_with("tryon")  # left by the run before; the encoders want its room
        if missing:
            tokenizers, encoders = self._net("text", lambda: loading.load_text(self._device, self._profile.dtype))
            for key in missing:
                self._words[key] = pipeline.encode_words(key[1], tokenizers, encoders)
            self._done_with("text")
        if picture not in self._words or blank not in self._words:
            encoder = self._net("image encoder", lambda: loading.load_image_encoder(self._device, self._profile.dtype))
            resampler = self._net("resampler", lambda: loading.load_resampler(self._device, self._profile.dtype))
            pixels = pipeline.clip_pixels(cloth, encoder.config.image_size)
            self._words[picture] = pipeline.image_tokens(encoder, resampler, pixels)
            self._words[blank] = pipeline.image_tokens(encoder, resampler, torch.zeros_like(pixels))
            self._done_with("image encoder", "resampler")
        return [self._words[k] for k in keys], [self._words[picture], self._words[blank]]

    def _vae(self) -> Any:
        return self._net("vae", lambda: loading.load_vae(self._device))

    def _painted(self, job: _Job, seeds: Sequence[int], on_step: Callable[[int], None]) -> list[np.ndarray]:
        """uint8 (H, W, 3), the frame, for each seed; ``on_step`` is told how many steps are done. ``Cancelled`` comes with those that are.

        All are decoded at the end, so that TryonNet and the decoder need not be on a small GPU together.
        """
        words, tokens = self._encode(list(job.texts), job.sitting.cloth)
        rows = (1, 0) if job.guidance > 1 else (0,)  # the unconditional one first
        told = torch.cat([torch.cat([words[row].hidden, tokens[row]], 1) for row in rows])
        pooled = torch.cat([words[row].pooled for row in rows])
        vae, scheduler = self._vae(), loading.load_scheduler()
        mask = torch.from_numpy(job.sitting.mask.astype(np.float32))[None, None]
        person, pose = pipeline.to_tensor(job.sitting.image), pipeline.to_tensor(job.pose)
        conditioning = pipeline.conditioning(vae, person, mask, pose)
        latents: list[Tensor] = []
        try:
            for number, seed in enumerate(seeds):
                scheduler.set_timesteps(job.steps)
                latents.append(
                    self._denoised(
                        job,
                        conditioning,
                        scheduler,
                        words[2].hidden,
                        told,
                        pooled,
                        torch.Generator().manual_seed(seed),
                        lambda step, *_, before=number * job.steps: on_step(before + step + 1),
                    )
                )
        except Cancelled as stop:
            stop.done = tuple(self._decoded(latents))
            raise
        return self._decoded(latents)

    def _decoded(self, latents: Sequence[Tensor]) -> list[np.ndarray]:
        if self._profile.alone:
            self._done_with("tryon")
        vae = self._vae()
        with devices.tiled(vae, self._profile.tiles):
            return [pipeline.to_uint8(pipeline.decode(vae, each, vae.config.scaling_factor))[0] for each in latents]

    def _denoised(
        self,
        job: _Job,
        conditioning: pipeline.Conditioning,
        scheduler: Any,
        cloth_words: Tensor,
        tokens: Tensor,
        pooled: Tensor,
        generator: torch.Generator,
        on_step: Callable[[int, Tensor, Tensor], None],
    ) -> Tensor:
        """Latents (1, 4, h, w) of a picture."""
        vae, cloth, parity = self._vae(), job.sitting.cloth, job.parity
        factor = vae.config.scaling_factor
        posterior = pipeline.posterior(vae, pipeline.to_tensor(cloth))
        found: list[GarmentFeatures] = []

        def garment_phase() -> None:
            # The published code draws the garment's latent from the run's generator, which would tie the features to one seed.
            key = _digest(
                cloth,
                scheduler.timesteps.numpy(),
                cloth_words.float().cpu().numpy(),
                generator.get_state().numpy() if parity else 0,
            )
            own = generator if parity else torch.Generator().manual_seed(int(_digest(cloth)[:8], 16))
            latents = pipeline.draw(posterior, factor, 1, own)
            found.append(self._garment_features(key, latents, scheduler.timesteps, cloth_words))

        if not parity:
            garment_phase()
        return pipeline.denoise(
            self._tryon,  # read after the garment's phase: the two are never on a small device together
            scheduler,
            conditioning,
            lambda step: found[0](step),
            tokens,
            pooled,
            device=self._device,
            factor=factor,
            guidance=job.guidance,
            generators=generator,
            pose_generators=None if parity else "own",
            between=garment_phase if parity else lambda: None,
            on_step=on_step,
        )

    def _garment_features(self, key: str, latents: Tensor, timesteps: Tensor, text: Tensor) -> GarmentFeatures:
        with torch.device("meta"):
            plan = loading.garment_net(loading.config("unet_encoder/config.json"))
        size = size_of(plan, latents.shape[-2:], len(timesteps), self._profile.dtype)
        features = self._garments.get(f"{key[:16]}-{str(self._profile.dtype).removeprefix('torch.')}", len(timesteps), size)
        if features.complete:
            return features
        self._done_with("tryon")
        net = self._net("garment", lambda: self._unet(loading.load_garment_net))
        latents, text = latents.to(self._device, self._profile.dtype), text.to(self._device, self._profile.dtype)
        batch = 1 if self._profile.offload == "layers" or self._profile.kind == "cpu" else 2
        pipeline.garment_features(net, latents, timesteps.to(self._device), text, batch=batch, keep=features.keep)
        self._done_with("garment")
        return features


def _resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def _digest(*parts: Any) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()

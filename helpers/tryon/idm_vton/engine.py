"""``engine="idm_vton"``: IDM-VTON on its published checkpoints, from photographs to photographs.

The person goes into an upright 3:4 frame, is annotated (DensePose; parsing and pose where no mask is given), encoded, and painted; only
what the mask covers comes back. The garment's features are computed first and kept, so that the second person, or seed, costs a
quarter less, and GarmentNet and TryonNet are never on a small GPU together.

Source: Choi et al., "Improving Diffusion Models for Authentic Virtual Try-on in the Wild", 2024 (yisol/IDM-VTON). Code and checkpoints
are CC BY-NC-SA 4.0: not for commercial use.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from helpers import devices, engines, images
from helpers.contract import Base, checked_seeds
from helpers.garment import Garment
from helpers.labels import body25_to_coco18
from helpers.person import Person, densepose_picture
from helpers.stepping import OnStep, tell
from helpers.tryon import plausible
from helpers.tryon.colour import match_colour
from helpers.tryon.drape.product import garment_mask
from helpers.tryon.framing import Frame, frame
from helpers.tryon.idm_vton import loading, pipeline
from helpers.tryon.idm_vton.garments import GarmentCache, GarmentFeatures, size_of
from helpers.tryon.idm_vton.preprocess import agnostic_mask, parse_from_cihp
from helpers.tryon.idm_vton.profiles import COSTS, choose_profile
from helpers.tryon.result import TryOn

LICENCE = "CC BY-NC-SA 4.0: not for commercial use (IDM-VTON); OpenPose's body network: CMU, academic and non-commercial"
_ANNOTATED = (384, 512)  # what OpenPose, parsing and DensePose are fed
_FALLBACK = {"upper": "shirts", "lower": "pants", "dress": "dress"}
_GROWN = 0.006  # of the frame's height: a clicked mask lies on the edge of the cloth, and that edge must be painted too
_FEATHER = 0.004


@dataclass(frozen=True)
class _Sitting:
    """A person ready to be painted: everything in the frame."""

    frame: Frame
    image: np.ndarray
    mask: np.ndarray
    pose: np.ndarray
    notes: tuple[str, ...]


class IDMVTON(Base):
    """The published try-on engine. Networks are read when first needed; ``close`` frees them, and the next call reads them again."""

    def __init__(self) -> None:
        self._nets: dict[str, Any] = {}
        self._words: dict[tuple, Any] = {}
        self._garments = GarmentCache()
        self._profile: devices.Policy | None = None

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

    def many(
        self,
        person: Person,
        garment: Garment,
        *,
        seeds: Sequence[int],
        mask: np.ndarray | None = None,
        description: str = "",
        steps: int = 30,
        guidance_scale: float = 2.0,
        negative_prompt: str = pipeline.NEGATIVE,
        framing: str = "letterbox",
        annotator: str = "idm",
        pick: str | int = "auto",
        colour_match: bool = False,
        profile: str = "auto",
        parity: bool = False,
        progress: bool | None = None,
        on_step: OnStep | None = None,
    ) -> list[TryOn]:
        """``garment`` on ``person``, one picture a seed. A seed gives the same picture whatever the others are.

        mask:           bool (H, W) of what may change; ``None`` finds it from parsing and pose
        description:    what the garment is, in words ("short sleeve round neck t-shirts"); empty says its category
        steps:          1..100; guidance_scale: 1 (none) .. 10
        framing:        ``letterbox``, ``crop`` or ``stretch`` (:func:`helpers.tryon.framing.frame`)
        annotator:      ``idm``, or ``detectron2`` where that is installed
        pick:           who is meant where there are several people: ``auto`` (whom the mask is on, else the most prominent) or
                        0, 1, ... from the left
        colour_match:   shift the new cloth to the garment's colour where it has faded
        profile:        ``auto``, ``fp16``, ``bf16``, ``low_vram``, ``cpu``; ``profiles.COSTS`` says what each costs
        parity:         as the published code: stretched, the largest part of the mask only, the whole decoded picture instead of pasting
                        back, and its order of random draws
        progress:       show a bar of the steps; ``None``: where there is no ``on_step``
        on_step:        ``(step, total, None)`` after every step of every picture; ``False`` from it cancels
        """
        started = time.perf_counter()
        given = {
            "description": description,
            "steps": steps,
            "guidance_scale": guidance_scale,
            "negative_prompt": negative_prompt,
            "framing": framing,
            "annotator": annotator,
            "pick": pick,
            "colour_match": colour_match,
            "profile": profile,
            "parity": parity,
            "progress": progress,
            "on_step": on_step,
        }
        engines.check_settings("try_on", "idm_vton", given)
        seeds = checked_seeds(seeds)
        loading.require_all()
        self._set_profile(choose_profile(profile))
        size = self._frame_size()
        sitting = self._sit(person, garment.category, mask, size, "stretch" if parity else framing, pick, annotator, parity)
        cloth = frame(garment.image.shape[1::-1], size, "stretch" if parity else "letterbox").put(garment.image)
        what = description.strip() or _FALLBACK[garment.category]
        texts = [f"model is wearing {what}", negative_prompt, f"a photo of {what}"]
        words, tokens = self._encode(texts, cloth)
        guided = guidance_scale > 1
        hidden = [torch.cat([words[0].hidden, tokens[0]], 1)]
        pooled = [words[0].pooled]
        if guided:
            hidden.insert(0, torch.cat([words[1].hidden, tokens[1]], 1))
            pooled.insert(0, words[1].pooled)
        scene = self._scene(sitting)

        scheduler = loading.load_scheduler()
        results: list[TryOn] = []
        shown = on_step is None if progress is None else progress
        with tqdm(total=steps * len(seeds), desc="IDM-VTON", unit="step", disable=not shown, leave=False) as bar:

            def step_done(step: int, *_: Tensor) -> None:
                bar.update()
                tell(on_step, len(results) * steps + step + 1, steps * len(seeds), done=results)

            for seed in seeds:
                scheduler.set_timesteps(steps)
                generator = torch.Generator().manual_seed(int(seed))
                told = torch.cat(hidden), torch.cat(pooled)
                painted = self._paint(
                    scene, scheduler, cloth, words[2].hidden, *told, guidance_scale, generator, parity, step_done
                )
                results.append(self._result(person, garment, sitting, cloth, painted, colour_match, parity))
        seconds = (time.perf_counter() - started) / len(results)
        return [TryOn(**{**vars(r), "seconds": seconds}) for r in results]

    # The networks, one phase at a time

    def _set_profile(self, profile: devices.Policy) -> None:
        if profile != self._profile:
            self.close()
            self._profile = profile

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

    def _tryon(self) -> Any:
        def read() -> Any:
            streamed = self._profile.offload == "layers"
            where = torch.device("cpu") if streamed else self._device
            net = loading.load_tryon_net(where, self._profile.dtype)
            if streamed:
                # By leaves: the keys of text tokens are computed before the first step, outside any block's forward.
                net.enable_group_offload(
                    self._device, where, offload_type="leaf_level", use_stream=self._profile.kind == "cuda"
                )
            return net

        return self._net("tryon", read)

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
        vae = self._net("vae", lambda: loading.load_vae(self._device))
        if self._profile.tiles:
            vae.enable_tiling()
        return vae

    def _scene(self, sitting: _Sitting) -> pipeline.Scene:
        mask = torch.from_numpy(sitting.mask.astype(np.float32))[None, None]
        return pipeline.scene(self._vae(), pipeline.to_tensor(sitting.image), mask, pipeline.to_tensor(sitting.pose))

    def _paint(
        self,
        scene: pipeline.Scene,
        scheduler: Any,
        cloth: np.ndarray,
        cloth_words: Tensor,
        tokens: Tensor,
        pooled: Tensor,
        guidance: float,
        generator: torch.Generator,
        parity: bool,
        on_step: Callable[[int, Tensor, Tensor], None],
    ) -> np.ndarray:
        """uint8 (H, W, 3): the decoded frame."""
        vae = self._vae()
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

        if not parity:  # before TryonNet is read: the two are never on the device together
            garment_phase()
        net = self._tryon()
        latents = pipeline.denoise(
            net,
            scheduler,
            scene,
            lambda step: found[0](step),
            tokens,
            pooled,
            device=self._device,
            factor=factor,
            guidance=guidance,
            generators=generator,
            pose_generators=None if parity else "own",
            between=garment_phase if parity else lambda: None,
            on_step=on_step,
        )
        return pipeline.to_uint8(pipeline.decode(vae, latents, factor))[0]

    def _garment_features(self, key: str, latents: Tensor, timesteps: Tensor, text: Tensor) -> GarmentFeatures:
        with torch.device("meta"):
            plan = loading.garment_net(loading.config("unet_encoder/config.json"))
        size = size_of(plan, latents.shape[-2:], len(timesteps), self._profile.dtype)
        features = self._garments.get(f"{key[:16]}-{str(self._profile.dtype).removeprefix('torch.')}", len(timesteps), size)
        if features.complete:
            return features
        self._done_with("tryon")
        net = self._net("garment", lambda: loading.load_garment_net(self._device, self._profile.dtype))
        latents, text = latents.to(self._device, self._profile.dtype), text.to(self._device, self._profile.dtype)
        batch = 1 if self._profile.offload == "layers" or self._profile.kind == "cpu" else 2
        pipeline.garment_features(net, latents, timesteps.to(self._device), text, batch=batch, keep=features.keep)
        self._done_with("garment")
        return features

    # The person

    def _sit(
        self,
        person: Person,
        category: str,
        mask: np.ndarray | None,
        size: tuple[int, int],
        framing: str,
        pick: str | int,
        annotator: str,
        parity: bool,
    ) -> _Sitting:
        height, width = person.image.shape[:2]
        place = frame((width, height), size, framing)
        image, notes = place.put(person.image), []
        found = _annotate(person, place, framing, mask, pick, annotator, parity)
        if found.get("people", 1) > 1 and pick == "auto":
            notes.append(
                f"{found['people']} people are in the picture; one was dressed, the mask's wearer or the most prominent. "
                "pick=0, 1, ... chooses."
            )
        if mask is None:
            parse, keypoints = found["parse"], found["keypoints"]
            framed = agnostic_mask(parse, keypoints, category, _ANNOTATED, parity=parity)
            if not framed.any():
                raise ValueError(
                    f"mask: no garment of category {category!r} was found on this person. "
                    "Choose another category, or pass mask= from clicks."
                )
            framed = cv2.resize(framed.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT) > 0
        else:
            if remark := plausible.check(mask, person):
                notes.append(remark)
            framed = place.put(mask)
            if not framed.any():
                raise ValueError(
                    f"mask lies outside what framing={framing!r} keeps of the photograph. Use framing='letterbox'."
                )
            if not parity:
                framed = cv2.dilate(framed.astype(np.uint8), _ellipse(max(1, round(_GROWN * size[1])))) > 0
        pose = np.asarray(Image.fromarray(found["densepose"]).resize(size, Image.Resampling.BICUBIC))
        return _Sitting(place, image, framed, pose, tuple(notes))

    def _result(
        self,
        person: Person,
        garment: Garment,
        sitting: _Sitting,
        cloth: np.ndarray,
        painted: np.ndarray,
        colour: bool,
        parity: bool,
    ) -> TryOn:
        notes = [f"Ran as {self._profile.name}: {COSTS[self._profile.name]}.", *sitting.notes]
        steps = {
            "person in the frame": sitting.image,
            "what may change": np.where(sitting.mask[..., None], 127, sitting.image).astype(np.uint8),
            "DensePose": sitting.pose,
            "garment in the frame": cloth,
            "as painted": painted,
        }
        if colour:
            worn = garment.mask if garment.mask is not None else garment_mask(garment.image)
            painted = match_colour(painted, sitting.mask, garment.image, worn)
            steps["colour matched"] = painted
        empty = np.zeros(person.image.shape[:2], bool)
        mask = sitting.frame.take(sitting.mask, empty)
        whole = sitting.frame.take(painted, person.image)
        if parity:
            image = whole
        else:
            # Blended inside the mask, so that what it does not cover (face, hands, backdrop) keeps its own bytes.
            soft = max(2, round(_FEATHER * person.image.shape[0]))
            image = images.paste_back(person.image, whole, _shrunk(mask, soft), soft)
        return TryOn(
            image=image,
            mask=mask,
            changed=(image != person.image).any(2),
            confidence=None,
            notes=tuple(notes),
            steps=steps,
            engine="idm_vton",
            licence=LICENCE,
        )


def _ellipse(reach: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))


def _shrunk(mask: np.ndarray, reach: int) -> np.ndarray:
    """``mask`` less a rim of ``reach`` pixels; the border of the picture is no rim."""
    return cv2.erode(mask.astype(np.uint8), _ellipse(reach), borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0


def _annotate(
    person: Person, place: Frame, framing: str, mask: np.ndarray | None, pick: str | int, annotator: str, parity: bool
) -> dict[str, Any]:
    """``densepose`` picture, and for a mask ``parse`` and ``keypoints``, in a picture of 384x512: the person's own where they are known."""
    known: dict[str, Any] = {}
    if not parity and person.densepose is not None:
        known["densepose"] = _small(place, densepose_picture(person.densepose))
    if not parity and person.labels is not None and person.keypoints is not None:
        known["parse"] = parse_from_cihp(_small(place, person.labels))
        known["keypoints"] = _small_points(place, body25_to_coco18(person.keypoints))
    wanted = {"densepose", "parse", "keypoints"} if mask is None else {"densepose"}
    if wanted <= known.keys():
        return known
    if parity:  # by way of the frame, as published
        small = np.asarray(Image.fromarray(place.put(person.image)).resize(_ANNOTATED, Image.Resampling.BICUBIC))
    else:
        small = frame(place.photograph, _ANNOTATED, framing).put(person.image)
    worn = None if mask is None else images.resize(place.put(mask), _ANNOTATED)
    made = engines.load("annotate", annotator).idm_inputs(small, pick=pick, mask=worn, parity=parity)
    made = {
        "densepose": made["densepose_picture"],
        "parse": made["parse"],
        "keypoints": made["keypoints18"],
        "people": made["people"],
    }
    return {**made, **known}


def _small(place: Frame, values: np.ndarray) -> np.ndarray:
    """Labels (H, W) or a label-like picture of the photograph's size, in the annotators' frame, nearest."""
    x, y, w, h = place.source
    left, top, width, height = place.target
    out = np.zeros((place.size[1], place.size[0], *values.shape[2:]), values.dtype)
    inside = cv2.resize(values[y : y + h, x : x + w], (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    out[top : top + height, left : left + width] = inside
    return cv2.resize(out, _ANNOTATED, interpolation=cv2.INTER_NEAREST_EXACT)


def _small_points(place: Frame, points: np.ndarray) -> np.ndarray:
    """(18, 3) in the photograph's pixels -> (18, 2) in the annotators' frame; (0, 0) where not seen."""
    x, y, w, h = place.source
    left, top, width, height = place.target
    moved = (points[:, :2] - (x, y)) * (width / w, height / h) + (left, top)
    moved *= (_ANNOTATED[0] / place.size[0], _ANNOTATED[1] / place.size[1])
    return np.where(points[:, 2:] > 0, moved, 0.0)


def _digest(*parts: Any) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()

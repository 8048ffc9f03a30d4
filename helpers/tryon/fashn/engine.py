"""``engine="fashn"``: FASHN VTON v1.5 on its published checkpoint, from photographs to photographs, free for business.

The network is shown the whole photograph and the garment, worn or laid flat, with the poses in both, and paints the person anew; no mask is
needed. What it changed is laid on the photograph; a mask says whose garment is meant and that all of it may change. The published parser,
whose licence forbids business, is not used: a garment that somebody wears is cut out by what the suite has for that.

Source: fashn-AI/fashn-vton-1.5 (code and checkpoint Apache-2.0), Bochman and Bochman, 2026.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from helpers import devices, engines, images, provenance, weights
from helpers.annotation import dwpose
from helpers.contract import Base
from helpers.garment import CATEGORIES, Garment
from helpers.person import Person
from helpers.stepping import OnStep, tell
from helpers.tryon import modelled, plausible
from helpers.tryon.fashn import frame, pipeline
from helpers.tryon.fashn.networks import TryOnModel
from helpers.tryon.result import TryOn
from helpers.tryon.sitting import GROWN

_FILE = "fashn_vton"
_CHANGED = 12  # of 255: a smaller difference is the network's own wavering
_SPECK = 2e-3  # of the frame: what changed there alone is no cloth
_RIM = 5  # pixels of the frame around what changed
_PREVIEW = (192, 288)
_TOO_LARGE = 1.25  # times the frame's size: from there on the new cloth is softer than the photograph


@dataclass(frozen=True)
class _Shown:
    """What the network is shown, as pictures of the frame, and where the photograph lies in it."""

    person: np.ndarray
    person_pose: np.ndarray
    garment: np.ndarray
    garment_pose: np.ndarray
    place: frame.Place

    def inputs(self, category: str) -> pipeline.Inputs:
        return pipeline.Inputs(
            _tensor(self.person),
            _tensor(self.person_pose),
            _tensor(self.garment),
            _tensor(self.garment_pose),
            torch.tensor([1 + CATEGORIES.index(category)]),
        )

    def steps(self) -> dict[str, np.ndarray]:
        return {
            "person in the frame": self.person,
            "pose": np.dstack([self.person_pose] * 3),
            "garment in the frame": self.garment,
            "pose of the garment's wearer": np.dstack([self.garment_pose] * 3),
        }


class FASHN(Base):
    """The published try-on engine. Networks are read when first needed; ``close`` frees them, and the next call reads them again."""

    def __init__(self) -> None:
        self._network: TryOnModel | None = None
        self._poses = dwpose.DWPose()

    def close(self) -> None:
        """Free the network, and those that find poses."""
        self._network = None
        self._poses.close()
        devices.free()

    def __call__(
        self, person: Person, garment: Garment, *, mask: np.ndarray | None = None, seed: int = 0, **settings: Any
    ) -> TryOn:
        """One picture; :meth:`many` says what ``settings`` there are."""
        return self.many(person, garment, mask=mask, seeds=[seed], **settings)[0]

    @engines.checked("try_on", "fashn")
    def many(
        self,
        person: Person,
        garment: Garment,
        *,
        seeds: Sequence[int],
        mask: np.ndarray | None = None,
        steps: int = 30,
        guidance_scale: float = 1.5,
        photograph: str = "auto",
        only_mask: bool = False,
        pick: str | int = "auto",
        precision: str = "auto",
        parity: bool = False,
        progress: bool | None = None,
        on_step: OnStep | None = None,
    ) -> list[TryOn]:
        """``garment`` on ``person``, one picture a seed. A seed gives the same picture whatever the others are.

        mask:           bool (H, W) of what is worn now; ``None``: whatever the network changes is taken
        steps:          1..100, published 30; guidance_scale: how closely the garment is followed, 1 is no guidance, published 1.5
        photograph:     the garment's: ``worn`` by somebody, ``flat``, or ``auto``, told by face and hands
        only_mask:      take what lies in the mask alone, not what the network changed beyond it, such as a longer sleeve
        pick:           who is meant of several people: ``auto`` (whom the mask is on, else the most prominent) or 0, 1, ... from the left
        precision:      ``auto``: bfloat16 on GPUs that compute it, as published, else ``float32``
        parity:         the whole painted picture, as published, instead of what changed alone
        progress:       show a bar of the steps; ``None``: where there is no ``on_step``
        on_step:        ``(step, total, preview)`` after every step of every picture; ``False`` from it cancels
        Raises ``ValueError`` where nobody is found, for ``only_mask`` without a mask, or for a garment that is worn and cannot be cut out;
        ``weights.Missing`` or ``weights.Damaged`` naming a file; ``FloatingPointError`` where the network gives no numbers.
        """
        started = time.perf_counter()
        if only_mask and mask is None:
            raise ValueError("only_mask=True needs mask=: what may change is asked for, and nothing says what that is.")
        weights.require(_FILE)
        dtype = _dtype(precision)
        notes = [remark] if mask is not None and (remark := plausible.check(mask, person)) else []
        shown, told = self._shown(person, garment, mask, photograph, pick)
        network = self._read(dtype)
        inputs = shown.inputs(garment.category)
        results: list[TryOn] = []
        hidden = on_step is not None if progress is None else not progress
        with tqdm(total=steps * len(seeds), desc="FASHN VTON", unit="step", disable=hidden, leave=False) as bar:

            def step_done(step: int, picture: Tensor) -> None:
                bar.update()
                preview = None if on_step is None else images.resize(shown.place.of(_picture(picture)), _PREVIEW)
                tell(on_step, len(results) * steps + step + 1, steps * len(seeds), preview, results)

            for seed in seeds:
                painted = pipeline.paint(
                    network,
                    inputs,
                    _noise(seed),
                    steps=steps,
                    guidance_scale=guidance_scale,
                    on_step=step_done,
                )
                result = _result(person.image, _picture(painted), shown, _Asked(mask, only_mask, parity))
                results.append(
                    replace(result, notes=(*provenance.tiny("try_on", "fashn"), *told, *notes, _ran(dtype), *result.notes))
                )
        seconds = (time.perf_counter() - started) / len(results)
        return [replace(result, seconds=seconds) for result in results]

    def _shown(
        self, person: Person, garment: Garment, mask: np.ndarray | None, photograph: str, pick: str | int
    ) -> tuple[_Shown, list[str]]:
        """What the network is to see, and what is to be said of it."""
        cloth, worn = _cloth(garment, photograph)
        looked = frame.looked_at(person.image)
        size = looked.shape[1], looked.shape[0]
        points, people = self._poses.choose(looked, pick, None if mask is None else images.resize(mask, size))
        notes = []
        if people > 1 and pick == "auto":
            notes.append(
                f"{people} people are in the picture; one was dressed, the mask's wearer or the most prominent. "
                "pick=0, 1, ... chooses."
            )
        of_garment = None
        if worn:
            notes.append("The garment was taken as worn by somebody in its picture, whose pose was looked for.")
            of_garment = _shares(self._poses.choose(frame.looked_at(garment.image))[0], frame.looked_at(garment.image))
        cloth = frame.looked_at(cloth)
        pictured, place = frame.framed(looked)
        shown = _Shown(
            pictured,
            frame.framed(frame.skeleton_picture(_shares(points, looked), size), drawn=True)[0],
            frame.framed(cloth)[0],
            frame.framed(frame.skeleton_picture(of_garment, (cloth.shape[1], cloth.shape[0])), drawn=True)[0],
            place,
        )
        if person.image.shape[0] > _TOO_LARGE * place.height:
            notes.append(
                f"The network paints {place.width}x{place.height} pixels, less than the photograph has: the new cloth is softer."
            )
        return shown, notes

    def _read(self, dtype: torch.dtype) -> TryOnModel:
        device = torch.device(devices.describe().kind)
        if self._network is None or self._network.patch_mixer_token.dtype != dtype:
            path = weights.require(_FILE)
            state = weights.load_state_dict(path, str(path))
            try:
                with torch.device("meta"):
                    network = TryOnModel.of_state(state)
            except (KeyError, ValueError, ZeroDivisionError) as error:
                raise weights.Mismatch(
                    f"{path} is no checkpoint of FASHN VTON: {error}. Check which file this is, or fetch it again: "
                    "python -m helpers weights fetch fashn_vton"
                ) from None
            weights.fit(network, state, str(path))
            self._network = network.to(device, dtype).eval().requires_grad_(False)
        return self._network


def _dtype(precision: str) -> torch.dtype:
    """bfloat16 or float32; raises ``ValueError`` for bfloat16 where it is not computed natively."""
    device = devices.describe()
    native = device.kind == "cuda" and devices.half(device) == torch.bfloat16
    if precision == "bfloat16" and not native:
        raise ValueError(
            f"precision='bfloat16' needs a GPU that computes it, and {device.name} does not. Use 'auto' or 'float32'."
        )
    return torch.bfloat16 if native and precision != "float32" else torch.float32


def _ran(dtype: torch.dtype) -> str:
    device = devices.describe()
    slow = "; on a CPU a picture of the published network takes hours" if device.kind == "cpu" else ""
    return f"Ran in {str(dtype).removeprefix('torch.')} on {device.name}{slow}."


def _cloth(garment: Garment, photograph: str) -> tuple[np.ndarray, bool]:
    """uint8 (H, W, 3) of the garment as the network is shown it, and whether somebody wears it there.

    What lies flat is shown as it came; what is worn, alone on grey. Raises ``ValueError`` where nobody is seen to wear it or, with
    ``auto``, where it is worn and cannot be cut out.
    """
    if photograph == "flat":
        return garment.image, False
    mask = modelled.cut_out(garment)
    if photograph == "auto" and mask is None:
        return garment.image, False
    if mask is None:
        mask = garment.mask
    if mask is None:
        raise ValueError(
            "photograph='worn', and nobody is seen to wear the garment in its picture. Use photograph='flat', or pass Garment(mask=...) "
            "with the garment's mask from clicks."
        )
    return np.where(mask[..., None], garment.image, np.uint8(frame.GREY)), True


def _shares(points: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Points (134, 3) in pixels of ``image`` as shares of its width and height, and 1 where seen, else 0."""
    return np.column_stack([points[:, :2] / image.shape[1::-1], points[:, 2] > dwpose.SEEN])


def _tensor(image: np.ndarray) -> Tensor:
    """float32 (1, C, H, W) in -1..1 from uint8 (H, W[, 3])."""
    picture = image if image.ndim == 3 else image[..., None]
    return torch.from_numpy(picture.transpose(2, 0, 1)[None] / np.float32(127.5) - 1)


def _picture(tensor: Tensor) -> np.ndarray:
    """uint8 (H, W, 3) from (1, 3, H, W) around -1..1."""
    picture = tensor[0].float().permute(1, 2, 0).cpu()
    return ((picture.clamp(-1, 1) + 1) * 127.5).numpy().astype(np.uint8)  # cut off, as published


def _noise(seed: int) -> Tensor:
    """Noise drawn on the CPU, so that every device paints the same picture; the published code draws where it computes."""
    width, height = frame.SIZE
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@dataclass(frozen=True)
class _Asked:
    """What of the painted picture is wanted. mask: bool (H, W) or ``None``; only: nothing beyond it; whole: everything"""

    mask: np.ndarray | None
    only: bool
    whole: bool

    def of(self, painted: np.ndarray, shown: np.ndarray) -> np.ndarray:
        """bool (h, w) of the frame: what is taken of ``painted``, where ``shown`` was to be seen."""
        if self.whole:
            return np.ones(painted.shape[:2], bool)
        if self.mask is None:
            return _changed(painted, shown)
        worn = _grown(images.resize(self.mask, painted.shape[1::-1]))
        return worn if self.only else worn | _touching(_changed(painted, shown), worn)


def _result(photograph: np.ndarray, painted: np.ndarray, shown: _Shown, asked: _Asked) -> TryOn:
    """``painted``, uint8 of the frame, laid on the photograph as far as that is ``asked``."""
    height, width = photograph.shape[:2]
    own = shown.place.of(painted)
    place = images.resize(asked.of(own, shown.place.of(shown.person)), (width, height))
    large = np.clip(images.resize(own, (width, height)), 0, 255)
    image = large if asked.whole else images.paste_back(photograph, large, place, max(2.0, 0.004 * height))
    return TryOn(
        image=image,
        mask=place,
        changed=images.difference(image, photograph) > 0,
        confidence=None,
        notes=() if place.any() else ("The network changed nothing that can be seen: the garment may be worn already.",),
        steps={**shown.steps(), "as painted": painted},
        engine="fashn",
        licence=engines.find("try_on", "fashn").licence,
        made_by={
            "keypoints": "dwpose",
            "hands": "dwpose",
            "face": "dwpose",
            provenance.CHANGE: provenance.GIVEN if asked.only else "fashn",
        },
    )


def _changed(painted: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """bool (h, w): where ``painted`` is another picture than ``shown``, in pieces that can be cloth or the skin beside it."""
    apart = images.difference(cv2.GaussianBlur(painted, (0, 0), 2), cv2.GaussianBlur(shown, (0, 0), 2)) > _CHANGED
    count, pieces, about, _ = cv2.connectedComponentsWithStats(apart.astype(np.uint8), connectivity=8)
    large = [piece for piece in range(1, count) if about[piece, cv2.CC_STAT_AREA] > _SPECK * apart.size]
    kept = np.isin(pieces, large).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RIM + 1, 2 * _RIM + 1))
    return cv2.dilate(cv2.morphologyEx(kept, cv2.MORPH_CLOSE, kernel), kernel) > 0


def _touching(pieces: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """bool (h, w): those ``pieces`` that ``mask`` touches, and not what changed on somebody else."""
    _, numbers = cv2.connectedComponents(pieces.astype(np.uint8), connectivity=8)
    return np.isin(numbers, np.unique(numbers[mask & pieces])) & pieces


def _grown(mask: np.ndarray) -> np.ndarray:
    reach = max(1, round(GROWN * len(mask)))
    return cv2.dilate(mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))) > 0

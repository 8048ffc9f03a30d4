"""``engine="viton_hd"``: VITON-HD on its published checkpoints, from photographs to photographs, in one pass on any CPU.

The person goes into an upright 3:4 frame of 768x1024, is annotated (parsing and pose), stripped of what they wear above the
waist, and drawn anew; only what may change comes back. It was trained on women's tops: trousers, skirts and dresses it does not know.

Source: Choi et al., "VITON-HD: High-Resolution Virtual Try-On via Misalignment-Aware Normalization", 2021 (shadow2496/VITON-HD). Code and
checkpoints are CC BY-NC 4.0: not for commercial use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from helpers import devices, engines, weights
from helpers.contract import Base
from helpers.garment import Garment
from helpers.labels import CIHP_PALETTE
from helpers.person import Person, openpose_picture
from helpers.tryon import agnostic
from helpers.tryon.result import TryOn
from helpers.tryon.sitting import Sitting, sit
from helpers.tryon.viton_hd import pipeline
from helpers.tryon.viton_hd.agnostic import changeable
from helpers.tryon.viton_hd.networks import GMM, ALIASGenerator, SegGenerator

SIZE = (768, 1024)
"""(width, height) of the frame, for which the published networks are built."""
_SEGMENTED = (SIZE[1] // 4, SIZE[0] // 4)  # (h, w) at which the segmentation runs
_GROUP = "viton_hd"
_Net = TypeVar("_Net", SegGenerator, GMM, ALIASGenerator)


class VITONHD(Base):
    """The published try-on engine. Networks are read when first needed; ``close`` frees them, and the next call reads them again."""

    def __init__(self) -> None:
        self._nets: tuple[SegGenerator, GMM, ALIASGenerator] | None = None

    def close(self) -> None:
        """Free the networks."""
        self._nets = None
        devices.free()

    def __call__(
        self, person: Person, garment: Garment, *, mask: np.ndarray | None = None, seed: int = 0, **settings: Any
    ) -> TryOn:
        """One picture; :meth:`many` says what ``settings`` there are."""
        return self.many(person, garment, mask=mask, seeds=[seed], **settings)[0]

    @engines.checked("try_on", "viton_hd")
    def many(
        self,
        person: Person,
        garment: Garment,
        *,
        seeds: Sequence[int],
        mask: np.ndarray | None = None,
        framing: str = "letterbox",
        annotator: str = "auto",
        pick: str | int = "auto",
        parity: bool = False,
    ) -> list[TryOn]:
        """``garment`` on ``person``, one picture a seed. A seed gives the same picture whatever the others are.

        mask:      bool (H, W) of what may change; ``None`` finds it from parsing and pose
        framing:   ``letterbox``, ``crop`` or ``stretch`` (:meth:`helpers.tryon.framing.Frame.fit`)
        annotator: the engine that is asked for annotations that the person lacks
        pick:      who is meant where there are several people: ``auto`` or 0, 1, ... from the left
        parity:    as published: stretched, and everything drawn anew instead of pasting back what may change
        Raises ``ValueError`` for a garment that is not for the upper body, ``weights.Missing`` or ``weights.Damaged`` naming a file.
        """
        if garment.category != "upper":
            raise ValueError(
                f"garment: VITON-HD knows garments of category 'upper', not {garment.category!r}. "
                "engine='drape' and engine='idm_vton' take every category."
            )
        networks = self._networks()
        sitting = sit(
            person,
            garment,
            mask,
            SIZE,
            engine="viton_hd",
            framing="stretch" if parity else framing,
            annotator=annotator,
            pick=pick,
        )
        labels, keypoints = sitting.person.labels, sitting.person.keypoints
        assert labels is not None
        assert keypoints is not None
        joints, guessed = agnostic.completed(agnostic.seen_joints(keypoints))
        if mask is None:
            sitting = sitting.masked(changeable(labels, joints))
        inputs, steps = _shown(sitting, agnostic.agnostic_parse(labels, joints))

        results: list[TryOn] = []
        notes = agnostic.told(guessed)
        for seed in seeds:
            made = _drawn(networks, inputs, seed)
            picture = made.picture[0].permute(1, 2, 0).cpu()
            levels = (picture + 1) * 127.5 + (0.0 if parity else 0.5)  # the published code cuts off
            results.append(
                sitting.result(
                    levels.clamp(0, 255).numpy().astype(np.uint8),
                    notes=notes,
                    steps={**steps, **_between(made)},
                    whole=parity,
                )
            )
        return [replace(result, seconds=results[-1].seconds / len(results)) for result in results]

    def _networks(self) -> tuple[SegGenerator, GMM, ALIASGenerator]:
        if self._nets is None:
            paths = [weights.require(f"{_GROUP}/{name}.pth") for name in ("seg_final", "gmm_final", "alias_final")]
            self._nets = _read(paths[0], SegGenerator), _read(paths[1], GMM), _read(paths[2], ALIASGenerator)
        return self._nets


def _read(path: Path, kind: type[_Net]) -> _Net:
    """A published file as its network, strictly. Raises ``weights.Damaged`` or ``weights.Mismatch`` naming the file."""
    state = weights.load_state_dict(path)
    try:
        with torch.device("meta"):
            net = kind.like(state)
    except (KeyError, RuntimeError, TypeError) as error:
        raise weights.Mismatch(
            f"{path} is no {kind.__name__} of VITON-HD ({error}). Check which file this is, or fetch it again: "
            f"python -m helpers weights fetch {_GROUP}"
        ) from None
    weights.fit(net, state, str(path))
    return net.to(devices.describe().kind).float().eval().requires_grad_(False)


def _shown(sitting: Sitting, parse: np.ndarray) -> tuple[pipeline.Inputs, dict[str, np.ndarray]]:
    """What the networks are shown of somebody with the agnostic ``parse``, on the device, and the same to look at."""
    keypoints = sitting.person.keypoints
    assert keypoints is not None
    pose = openpose_picture(keypoints, SIZE)
    inputs = pipeline.Inputs(
        _tensor(agnostic.agnostic_picture(sitting.image, sitting.mask)),
        torch.from_numpy(agnostic.in_13_parts(parse))[None],
        _tensor(pose),
        _tensor(sitting.cloth),
        torch.from_numpy(sitting.cloth_mask.astype(np.float32))[None, None],
    )
    steps = {"agnostic parse": CIHP_PALETTE[parse], "pose": pose}
    return inputs.to(torch.device(devices.describe().kind)), steps


def _drawn(networks: tuple[SegGenerator, GMM, ALIASGenerator], inputs: pipeline.Inputs, seed: int) -> pipeline.Made:
    """Drawn on the CPU's numbers, so that a seed gives one picture on every device."""
    generator = torch.Generator().manual_seed(seed)

    def draw(shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=generator)

    noise = pipeline.segmentation_noise(_SEGMENTED, draw).to(inputs.person)
    return pipeline.generate(*networks, inputs, noise, draw)


def _between(made: pipeline.Made) -> dict[str, np.ndarray]:
    """What lies between, to look at."""
    shown = np.array([CIHP_PALETTE[n] for n in (0, 13, 5, 2, 14, 15, 11)])  # each class in the colour of one of its own
    classes = made.classes[0].argmax(0).cpu().numpy()
    cloth = ((made.cloth[0].permute(1, 2, 0).cpu() + 1) * 127.5).clamp(0, 255).numpy().astype(np.uint8)
    return {"what will be where": shown[classes], "bent cloth": cloth}


def _tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]

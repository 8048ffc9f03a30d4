"""``engine="hr_viton"``: HR-VITON on its published checkpoints, from photographs to photographs.

The person goes into an upright 3:4 frame, is annotated (parse, pose, DensePose), and shown to the networks without what they wear above the
waist; the garment is bent to the body and the person painted in it, of which only what may change comes back.

Source: Lee et al., "High-Resolution Virtual Try-On with Misalignment and Occlusion-Handled Conditions", 2022 (sangyun884/HR-VITON).
Code and checkpoints are CC BY-NC 4.0: not for commercial use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers import devices, engines
from helpers.contract import Base
from helpers.garment import Garment
from helpers.person import Person, densepose_picture
from helpers.tryon import agnostic
from helpers.tryon.hr_viton import loading, pipeline
from helpers.tryon.hr_viton.agnostic import changeable
from helpers.tryon.result import TryOn
from helpers.tryon.sitting import GROWN, Sitting, sit

_CLOTH_GROUND = 246  # what lies around the garments that the networks were trained on
_COLOURS = np.array(
    [(0, 0, 0), (150, 150, 150), (255, 85, 0), (255, 0, 0), (51, 170, 221), (0, 255, 255), (85, 51, 0)], np.uint8
)
"""Of the generator's seven regions, in the step that shows them."""


class HRVITON(Base):
    """The published try-on engine. Networks are read when first needed; ``close`` frees them, and the next call reads them again."""

    def __init__(self) -> None:
        self._nets: dict[str, Any] = {}

    def close(self) -> None:
        """Free both networks."""
        self._nets.clear()
        devices.free()

    def __call__(
        self, person: Person, garment: Garment, *, mask: np.ndarray | None = None, seed: int = 0, **settings: Any
    ) -> TryOn:
        """One picture; :meth:`many` says what ``settings`` there are."""
        return self.many(person, garment, mask=mask, seeds=[seed], **settings)[0]

    @engines.checked("try_on", "hr_viton")
    def many(
        self,
        person: Person,
        garment: Garment,
        *,
        seeds: Sequence[int],
        mask: np.ndarray | None = None,
        resolution: str = "1024x768",
        occlusion: bool = True,
        framing: str = "letterbox",
        annotator: str = "auto",
        pick: str | int = "auto",
        parity: bool = False,
    ) -> list[TryOn]:
        """``garment``, an upper one, on ``person``, one picture a seed; only the noise differs, and with it fine texture.

        mask:       bool (H, W) of what may change; ``None``: what the published agnostic picture leaves open
        resolution: of the frame that is painted, ``1024x768`` as published or ``512x384``, a quarter of the time
        occlusion:  cut out of the garment what hair, arms and hands hide; the published code does so where it is asked to
        framing:    ``letterbox``, ``crop`` or ``stretch`` (:meth:`helpers.tryon.framing.Frame.fit`)
        annotator:  the engine that is asked for annotations that the person lacks
        pick:       who is meant where there are several people
        parity:     as the published code: stretched, joints that were not seen taken for the picture's corner, the garment on its own
                    backdrop, values cut instead of rounded, and the whole painted picture instead of pasting back
        Raises ``ValueError`` for a garment that is no upper one, or a person whose shoulders are not found.
        """
        if garment.category != "upper":
            raise ValueError(
                f"garment: HR-VITON was trained on upper garments alone, and this one's category is {garment.category!r}. Choose another "
                "engine for it, such as engine='drape', or Garment(category='upper')."
            )
        loading.require_all()
        height, width = map(int, resolution.split("x"))
        sitting = sit(
            person,
            garment,
            mask,
            (width, height),
            engine="hr_viton",
            framing="stretch" if parity else framing,
            pick=pick,
            annotator=annotator,
            grown=0 if parity else GROWN,
        )
        sitting, inputs, pictures, notes = _prepared(sitting, given=mask is not None, parity=parity)
        device = torch.device(devices.describe().kind)
        inputs = pipeline.Inputs(*(part.to(device) for part in vars(inputs).values()))
        told = pipeline.conditions(self._net("conditions", loading.load_conditions, device), inputs, occlusion=occlusion)
        pictures["garment on the body"] = pipeline.to_uint8(told.cloth)
        pictures["regions"] = _COLOURS[told.regions[0].argmax(0).cpu().numpy()]
        generator = self._net("generator", loading.load_generator, device)
        results = []
        for seed in seeds:
            painted = pipeline.paint(generator, inputs, told, _noise(seed))
            picture = pipeline.to_uint8(painted, truncated=parity)
            results.append(sitting.result(picture, notes=notes, steps=pictures, whole=parity))
        return [replace(result, seconds=results[-1].seconds / len(results)) for result in results]

    def _net(self, name: str, load: Callable[[torch.device], Any], device: torch.device) -> Any:
        if name not in self._nets:
            self._nets[name] = load(device)
        return self._nets[name]


def _prepared(
    sitting: Sitting, *, given: bool, parity: bool
) -> tuple[Sitting, pipeline.Inputs, dict[str, np.ndarray], tuple[str, ...]]:
    """The sitting with what may change, what the networks are shown, that as pictures, and what is to be said."""
    person = sitting.person
    parse, keypoints, densepose = person.labels, person.keypoints, person.densepose
    assert parse is not None
    assert keypoints is not None
    assert densepose is not None
    joints = agnostic.seen_joints(keypoints)
    notes: tuple[str, ...] = ()
    cloth, cloth_mask = sitting.cloth, sitting.cloth_mask
    if not parity:
        joints, guessed = agnostic.completed(joints)
        notes = agnostic.told(guessed)
        cloth = np.where(cloth_mask[..., None], cloth, np.uint8(_CLOTH_GROUND))
    open_to_change = changeable(parse, joints)
    if given:  # the networks are used to seeing no arms either, whatever of the picture is taken
        open_to_change |= sitting.mask
    else:
        sitting = sitting.masked(open_to_change)
    bare = agnostic.agnostic_parse(parse, joints)
    pictures = {
        "without the garment": agnostic.agnostic_picture(sitting.image, open_to_change),
        "DensePose": densepose_picture(densepose),
    }
    inputs = pipeline.Inputs(
        cloth=pipeline.to_tensor(cloth),
        cloth_mask=torch.from_numpy(cloth_mask.astype(np.float32))[None, None],
        parse=torch.from_numpy(agnostic.in_13_parts(bare))[None],
        densepose=pipeline.to_tensor(pictures["DensePose"]),
        agnostic=pipeline.to_tensor(pictures["without the garment"]),
    )
    return sitting, inputs, pictures, notes


def _noise(seed: int) -> Callable[[int, int, int], Tensor]:
    """Noise drawn on the CPU in the published order, so that every device paints the same picture."""
    generator = torch.Generator().manual_seed(seed)
    return lambda batch, width, height: torch.randn(batch, width, height, 1, generator=generator)

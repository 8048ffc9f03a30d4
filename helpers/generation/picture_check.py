"""The optional look at a finished picture: Stable Diffusion's safety checker, where its weights are here.

Checkpoint: CompVis/stable-diffusion-safety-checker (CLIP ViT-L/14 beside fixed concepts; Rando et al. 2022, arXiv 2210.04610, say what
it takes for what). It errs on both sides, so that words are judged first (``helpers.propriety``) and this is one look more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from diffusers.utils import logging
from transformers import CLIPImageProcessor

from helpers import weights

GROUP = "safety_checker"
NONE = f"none (python -m helpers weights fetch {GROUP} adds one)"
"""What a scene says of the check where its weights are not here."""


class PictureRefused(ValueError):
    """A finished picture was taken for an undressed one. ``done``: the others, which were not."""

    def __init__(self, message: str, done: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.done = tuple(done)


class PictureCheck:
    """The checker on the CPU, in float32: a second or so a picture, and none of a GPU's memory.

    Raises ``weights.Missing`` or ``weights.Damaged`` where its files are not here or not whole.
    """

    name = "CompVis/stable-diffusion-safety-checker"

    def __init__(self) -> None:
        folders = {weights.require(record.name).parent for record in weights.records(GROUP)}
        if len(folders) > 1:
            raise weights.Missing(
                f"{GROUP} lies in parts in {' and '.join(map(str, sorted(folders)))}. Put its files into one folder."
            )
        folder = folders.pop()
        local: dict[str, Any] = {"local_files_only": True}
        self._processor = CLIPImageProcessor.from_pretrained(folder, **local)
        self._network, told = StableDiffusionSafetyChecker.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, **local
        )
        if missing := sorted(told["missing_keys"]):
            raise weights.Damaged(f"{folder} lacks {missing[0]}. Delete it and run: python -m helpers weights fetch {GROUP}")
        self._network.eval()

    def takes(self, image: np.ndarray) -> bool:
        """Whether ``image``, uint8 (H, W, 3) RGB, shows nothing that the checker objects to."""
        pixels = self._processor(image, return_tensors="pt").pixel_values
        log = logging.get_logger("diffusers.pipelines.stable_diffusion.safety_checker")
        before, log.disabled = log.disabled, True  # it says that a black picture is returned, which is not so here
        try:
            with torch.no_grad():
                _, objected = self._network(clip_input=pixels, images=np.zeros((1, 1, 1, 3)))
        finally:
            log.disabled = before
        return not objected[0]


def refused(seeds: Sequence[int], kept: Sequence[Any]) -> PictureRefused:
    """What is raised where the pictures of ``seeds`` were objected to, and those ``kept`` were not."""
    which = (
        f"the picture of seed {seeds[0]} was" if len(seeds) == 1 else f"the pictures of seeds {', '.join(map(str, seeds))} were"
    )
    others = f" The other {len(kept)} are in this error's done." if kept else ""
    return PictureRefused(
        f"{which} taken for an undressed one by {PictureCheck.name} and is not shown; it may err. Take another seed, "
        f"or name more of what is worn.{others}",
        kept,
    )

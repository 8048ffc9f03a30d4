"""What engines that draw in steps share: cancelling, and a look at the picture while it forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

OnStep = Callable[[int, int, np.ndarray], "bool | None"]
"""``on_step(step, total, preview)``: step 1..total; preview uint8 (H / 8, W / 8, 3) RGB; returning ``False`` cancels."""


class Cancelled(Exception):
    """The drawing was stopped by its ``on_step``; the engine is as usable as before."""


# The usual linear map from SDXL's four latent channels to red, green and blue: rows are channels, values 0..255.
# Timothy Alexis Vass, "Explaining the SDXL latent space".
_CHANNELS = ((60.0, 60.0, 60.0), (-60.0, -5.0, 10.0), (25.0, 15.0, -5.0), (-70.0, -50.0, -35.0))
_GREY = (150.0, 140.0, 130.0)


def preview(latents: torch.Tensor) -> np.ndarray:
    """Scaled SDXL latents (4, h, w) -> uint8 (h, w, 3) RGB, an eighth of the picture's size, without the autoencoder."""
    latents = latents.detach().to("cpu", torch.float32)
    colour = torch.einsum("chw,cr->hwr", latents, torch.tensor(_CHANNELS)) + torch.tensor(_GREY)
    return colour.nan_to_num().clamp(0, 255).round().to(torch.uint8).numpy()

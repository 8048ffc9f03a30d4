"""What TripoSR is shown: the cut-out in the middle of a grey square.

Source: tsr/utils.py and run.py of VAST-AI-Research/TripoSR (MIT).
"""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from helpers.reconstruction.triposr.networks import SIZE

FOREGROUND = 0.85
"""Share of the square that the figure's longer side takes."""


def centred(cut_out: np.ndarray, ratio: float = FOREGROUND) -> np.ndarray:
    """uint8 (S, S, 4) RGBA: what of the ``cut_out`` (H, W, 4) is not transparent, in the middle of a square; nothing is scaled.

    As published, the last row and column of it are lost. Raises ``ValueError`` where all of it is transparent.
    """
    rows, columns = np.nonzero(cut_out[..., 3] > 0)
    if not len(rows) or rows.min() == rows.max() or columns.min() == columns.max():
        raise ValueError("image: nothing of it is left without its backdrop. Pass a picture of one person or thing.")
    part = cut_out[rows.min() : rows.max(), columns.min() : columns.max()]
    square = _padded(part, max(part.shape[:2]))
    return _padded(square, int(len(square) / ratio))


def _padded(part: np.ndarray, side: int) -> np.ndarray:
    """``part`` in the middle of a transparent square, one pixel nearer to the top and the left where it does not fit evenly."""
    height, width = part.shape[:2]
    top, left = (side - height) // 2, (side - width) // 2
    return np.pad(part, ((top, side - height - top), (left, side - width - left), (0, 0)))


def on_grey(cut_out: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) of RGBA before half grey, cut off and not rounded, as published."""
    share = cut_out.astype(np.float32) / 255
    alpha = share[..., 3:]
    return ((share[..., :3] * alpha + (1 - alpha) * 0.5) * 255.0).astype(np.uint8)


def shown(image: Tensor, size: int = SIZE) -> Tensor:
    """(B, 3, size, size) of pictures (B, 3, H, W) in 0..1, smoothed before it is made smaller; its shape is not kept."""
    return F.interpolate(image, (size, size), mode="bilinear", align_corners=False, antialias=True)

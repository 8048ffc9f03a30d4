"""A photograph and its parse to what the networks read, and a product photograph to what they are to paint.

Source of the steps: ``dataset/dataset.py`` of aidl-upc-2024-clothes-extractor (MIT). Theirs also takes out every row and column in which
nothing of the garment is seen, even between its parts, which squeezes it where an arm lies across; ``parity=True`` does that too.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from helpers.extraction.crops import Crop, identity

UPPER_CLOTHES = (254, 85, 0)
"""The colour of upper clothes in VITON-HD's own parses."""


def of_colour(parse: np.ndarray, colour: tuple[int, int, int] = UPPER_CLOTHES) -> np.ndarray:
    """bool (H, W): where ``parse``, uint8 (H, W, 3) RGB, has exactly this colour."""
    return (parse == np.array(colour, np.uint8)).all(2)


def worn(image: np.ndarray, mask: np.ndarray, *, backdrop: int = 0, parity: bool = False) -> np.ndarray:
    """The garment alone, in the middle of a canvas of the photograph's size: uint8 (H, W, 3).

    image: uint8 (H, W, 3) RGB; mask: bool (H, W) of the garment; backdrop: 0..255, around it
    parity: without the rows and columns inside it that hold nothing of it, as the published code has it
    Raises ``ValueError`` for a mask with nothing in it.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        raise ValueError("garment mask: nothing of the garment is seen in the photograph. Use one in which it is worn.")
    if not parity:
        rows, columns = np.arange(rows[0], rows[-1] + 1), np.arange(columns[0], columns[-1] + 1)
    cut = np.ix_(rows, columns)
    out = np.full_like(image, backdrop)
    top, left = ((whole - len(part)) // 2 for whole, part in zip(image.shape, (rows, columns), strict=False))
    out[top : top + len(rows), left : left + len(columns)] = np.where(mask[cut][..., None], image[cut], np.uint8(backdrop))
    return out


def padded(image: np.ndarray, size: tuple[int, int], backdrop: int = 0) -> np.ndarray:
    """``image`` (H, W[, C]) in the middle of the smallest canvas of the shape of ``size`` (width, height) that holds it."""
    height, width = image.shape[:2]
    wide, high = max(width, -(-height * size[0] // size[1])), max(height, -(-width * size[1] // size[0]))
    left, top = (wide - width) // 2, (high - height) // 2
    beside = ((top, high - height - top), (left, wide - width - left), *(((0, 0),) * (image.ndim - 2)))
    return np.pad(image, beside, constant_values=backdrop)


def tensor(image: np.ndarray, size: tuple[int, int], backdrop: int = 0) -> torch.Tensor:
    """float32 (C, height, width), -1..1, of uint8 ``image`` (H, W, C), padded to the shape of ``size`` (width, height) and resized."""
    picture = torch.from_numpy(padded(image, size, backdrop)).permute(2, 0, 1)[None].float() / 255
    if picture.shape[:1:-1] != size:
        picture = F.interpolate(picture, size=size[::-1], mode="bilinear", antialias=True, align_corners=False)
    return (picture[0] - 0.5) / 0.5


def picture(output: torch.Tensor) -> np.ndarray:
    """uint8 (H, W, 3) of a network's ``output`` (3, H, W), read as -1..1."""
    return ((output.detach().float().cpu().clamp(-1, 1) / 2 + 0.5) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


# Close by: the garment fills the frame, whatever the photograph


def worn_closely(image: np.ndarray, mask: np.ndarray, crop: Crop) -> torch.Tensor:
    """float32 (4, H, W), -1..1: the garment on black, and where it is. image: uint8 (H, W, 3) RGB; mask: bool (H, W)"""
    cut, there = crop.take(image), crop.take(mask.astype(np.float32))
    return _tensor(cut.astype(np.float32) / 127.5 * there[..., None] - 1, there * 2 - 1)


def flat_closely(
    image: np.ndarray, mask: np.ndarray, crop: Crop, source: np.ndarray | None = None, origin: Crop | None = None
) -> torch.Tensor:
    """float32 (7, H, W), -1..1: the garment's product photograph on white (3), where it is (1), how far away its place is seen (2), and
    whether it is seen (1; 0 where nobody knows).

    image: uint8 (H, W, 3); mask: bool (H, W); source: float32 (H, W, 2), x and y in the photograph of the person, NaN where hidden
    origin: the box in that photograph; the distance is that from one's own place in the frame, in its half sides
    """
    cut, there = crop.take(image, 255), crop.take(mask.astype(np.float32))
    colour = (cut.astype(np.float32) / 127.5 - 1) * there[..., None] + (1 - there[..., None])
    away, seen = np.zeros((*there.shape, 2), np.float32), np.zeros(there.shape, np.float32)
    if source is not None and origin is not None:
        at = origin.place(crop.take(source, np.nan, nearest=True))
        known = (np.abs(at) < 1).all(2) & (there > 0.5)
        away[known] = (at - identity(crop.size))[known]
        seen = np.where(known, np.float32(1), np.float32(-1))
    return _tensor(colour, there * 2 - 1, away.clip(-1, 1), seen)


def _tensor(*planes: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.concatenate([np.atleast_3d(p) for p in planes], 2).astype(np.float32).transpose(2, 0, 1).copy())

"""Whether a garment's picture shows somebody wearing it: then it cannot be laid on another as a flat one can."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.faces import find_face

_WORKING = 384 * 512


def refuse_worn(image: np.ndarray, figure: np.ndarray) -> None:
    """Raises ``ValueError`` naming ``garment`` where ``image``, uint8 (H, W, 3), shows a garment on a person.

    figure: bool (H, W), what stands before the backdrop
    """
    if worn_by_somebody(image, figure):
        raise ValueError(
            "garment: its picture shows a person wearing it, whose face and arms would be printed on the cloth. Use a photograph of the "
            "garment alone, laid flat or on a hanger, or pass Garment(mask=...) with the garment's mask from clicks."
        )


def worn_by_somebody(image: np.ndarray, figure: np.ndarray) -> bool:
    """Whether a face sits on top of the ``figure``, bool (H, W): a face printed on a chest has cloth over it and beside it."""
    height, width = image.shape[:2]
    scale = min(1.0, float(np.sqrt(_WORKING / (height * width))))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    face = find_face(small)
    if face is None:
        return False
    x, y, wide = face
    mask = cv2.resize(figure.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT) > 0
    column = np.nonzero(mask[:, int(np.clip(x, 0, size[0] - 1))])[0]
    beside = int(mask[int(np.clip(y, 0, size[1] - 1))].sum())
    on_top = column.size == 0 or y - column.min() < 1.3 * wide
    skin = _skin(small[int(max(0, y - wide / 3)) : int(y + wide / 3) + 1, int(max(0, x - wide / 4)) : int(x + wide / 4) + 1])
    return bool(on_top and beside < 3.2 * wide and skin > 0.4)


def _skin(patch: np.ndarray) -> float:
    """The share of ``patch``, uint8 (h, w, 3), that has a colour of skin."""
    lab = cv2.cvtColor(patch.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    hue, chroma = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])), np.hypot(lab[..., 1], lab[..., 2])
    return float(((hue > 10) & (hue < 85) & (chroma > 5) & (chroma < 55)).mean())

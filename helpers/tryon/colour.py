"""The garment's colour where a network's picture of it has faded."""

from __future__ import annotations

import cv2
import numpy as np

_NEAR = 18.0  # Lab distance within which a pixel counts as that cloth, beside the garment's own spread
_MOST = 25.0  # Lab distance by which colours are shifted at most: what is further off is another material, not a fade


def match_colour(image: np.ndarray, mask: np.ndarray, garment: np.ndarray, garment_mask: np.ndarray) -> np.ndarray:
    """``image`` with the cloth inside ``mask`` shifted to the mean colour of the garment's picture; skin in the mask stays.

    image, garment: uint8 (H, W, 3) RGB, of any two sizes; masks: bool of their sizes
    The shift is in CIELAB, full on pixels near the cloth's colour and fading with distance from it (after Reinhard et al., "Color transfer
    between images", 2001).
    """
    lab, wanted = (cv2.cvtColor(i.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for i in (image, garment))
    cloth = wanted[garment_mask]
    if not mask.any() or not len(cloth):
        return image
    mean = cloth.mean(0)
    width = _NEAR + float(np.linalg.norm(cloth.std(0)))
    centre = mean
    for _ in range(5):  # the faded colour is found by walking from the true one to where the picture's cloth is
        weight = np.exp(-0.5 * (np.linalg.norm(lab - centre, axis=2) / width) ** 2) * mask
        if weight.sum() < 1:
            return image
        centre = (lab * weight[..., None]).sum((0, 1)) / weight.sum()
    shift = mean - centre
    shift *= min(1.0, _MOST / max(float(np.linalg.norm(shift)), 1e-6))
    weight = np.minimum(weight / max(float(weight.max()), 1e-6) * 1.5, 1.0)
    shifted = cv2.cvtColor((lab + weight[..., None] * shift).astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.where(mask[..., None], np.clip(np.rint(shifted * 255), 0, 255), image).astype(np.uint8)

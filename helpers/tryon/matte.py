"""A rough mask laid into the full picture: the edge found between the colours on its two sides, and softened as the picture is."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.matting import coefficients
from helpers.pixels import dot, length, nearest_known

_BAND = 0.008
"""Half width of the band around a rough outline in which the true one is looked for, in longer sides of the picture."""
_STRICT = 6.0  # squared contrast in CIE Lab below which an edge of the picture is not followed


def matte(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """float32 (H, W) 0..1: the share of each pixel that belongs to what the smaller ``mask`` covers.

    image: uint8 (H, W, 3) RGB; mask: bool (h, w) of the same picture at working size. Along the lines of He, Sun and Tang, "Guided image
    filtering" (2010): within the band around the outline the share follows, window by window, the picture's own colours, as far as the
    two sides differ in them.
    """
    height, width = image.shape[:2]
    rough = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    sure = rough > 0.5
    band = max(2.0, _BAND * max(height, width))
    within, beyond = (cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, 5) for side in (sure, ~sure))
    edge = np.maximum(within, beyond) <= band
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    soft = cv2.GaussianBlur(rough, (0, 0), 0.6 * band)
    core = _either(within > band, within > 0.6 * within.max(), sure)
    (cloth, uneven), (around, unsteady) = (_beside(lab, known) for known in (core, beyond > band))
    span = cloth - around
    size = dot(span, span)
    share = np.clip(dot(lab - around, span) / np.maximum(size, 1e-3), 0, 1)
    noise = 1.5 + uneven + unsteady
    trust = size / (size + (2.5 * noise) ** 2)
    wanted = trust * share + (1 - trust) * soft
    wanted = np.where(edge, wanted, sure)
    (line,) = coefficients(lab, wanted.astype(np.float32)[..., None], max(2, round(0.5 * band)), _STRICT)
    found = dot(line[..., :3], lab) + line[..., 3]
    reach = np.clip(1 - np.maximum(within, beyond) / (band + 1), 0, 1)  # at the band's ends nothing jumps
    found = np.where(edge, found * np.minimum(1, 3 * reach) + sure * (1 - np.minimum(1, 3 * reach)), sure)
    return np.clip(found, 0, 1).astype(np.float32)


def _either(*choices: np.ndarray) -> np.ndarray:
    """The first of the masks that holds anything."""
    return next((c for c in choices if c.any()), choices[-1])


def _beside(lab: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the nearest ``known`` pixels their Lab (H, W, 3), smoothed, and (H, W) how much colours vary about them."""
    change = length(lab - cv2.blur(lab, (9, 9)))
    if not known.any():
        return np.broadcast_to(lab.reshape(-1, 3).mean(0), lab.shape), change
    _, place = nearest_known(known)
    colours = cv2.GaussianBlur(cv2.blur(lab, (3, 3)).reshape(-1, 3)[place], (0, 0), 1.5)
    return colours, cv2.blur(cv2.blur(change, (7, 7)).ravel()[place], (5, 5))

"""How alike two dressed pictures are: outline, texture, colours. What each number hides is said beside it."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.color import deltaE_ciede2000
from skimage.metrics import structural_similarity

_BENDS = 0.0026  # the constant of gradient magnitude similarity for intensities 0..1 (170 on 0..255 squared)
_TEXTURED = 0.03  # gradient magnitude from which a pixel of the truth counts as textured
_DIRECTIONS, _QUANTILES = 32, 256


def gradient_similarity(image: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    """GMS: gradient magnitude similarity on textured pixels, 0..1; nan where ``truth`` has no texture.

    image, truth: uint8 (H, W, 3) RGB; where: bool (H, W). As in Xue et al., "Gradient Magnitude Similarity Deviation" (2014): luminance
    0..1 averaged over 2x2 pixels, Prewitt gradients, (2ab + c) / (a² + b² + c) with c = 0.0026; here its mean over the pixels of
    ``where`` (3 pixels inside its edge) whose gradient in ``truth`` exceeds 0.03. A flat picture gets the share that c grants; a
    texture in the wrong place scores hardly better, so the number asks for prints and seams where they belong.
    """
    size = image.shape[1] // 2, image.shape[0] // 2
    kernel = np.tile(np.array([1, 0, -1], np.float32) / 3, (3, 1))
    magnitudes = []
    for picture in (image, truth):
        grey = (
            cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        )
        magnitudes.append(np.hypot(cv2.filter2D(grey, -1, kernel), cv2.filter2D(grey, -1, kernel.T)))
    inner = cv2.erode(where.astype(np.uint8), np.ones((7, 7), np.uint8))
    inner = cv2.resize(inner, size, interpolation=cv2.INTER_NEAREST) > 0
    a, b = magnitudes
    chosen = inner & (b > _TEXTURED)
    if chosen.sum() < 100:
        return float("nan")
    return float(((2 * a * b + _BENDS) / (a**2 + b**2 + _BENDS))[chosen].mean())


def colour_distance(image: np.ndarray, truth: np.ndarray, where: np.ndarray, elsewhere: np.ndarray | None = None) -> float:
    """SWD: sliced Wasserstein-1 distance between two colour distributions, in CIE Lab units; 0 = the same colours in the same shares.

    image, truth: uint8 (H, W, 3) RGB; where: bool (H, W) of ``image``; elsewhere: bool of ``truth``, ``where`` if not given.
    Mean over 32 evenly spread directions of Lab space of the mean distance between 256 matched quantiles. It says nothing about
    where a colour lies.
    """
    k = np.arange(_DIRECTIONS)
    height, turn = 1 - (k + 0.5) / _DIRECTIONS, np.pi * (1 + 5**0.5) * k  # Fibonacci points on a half sphere
    directions = np.stack([height, np.sqrt(1 - height**2) * np.cos(turn), np.sqrt(1 - height**2) * np.sin(turn)])
    levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    sides = ((image, where), (truth, where if elsewhere is None else elsewhere))
    first, second = (np.quantile(lab(picture)[mask] @ directions, levels, axis=0) for picture, mask in sides)
    return float(np.abs(first - second).mean())


def colour_error(image: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    """Mean CIEDE2000 difference over ``where``. Rewards flat guesses: a print one stripe off counts more than none."""
    return float(deltaE_ciede2000(lab(image)[where], lab(truth)[where]).mean())


def similarity(image: np.ndarray, truth: np.ndarray) -> float:
    """SSIM of the whole pictures (Wang et al. 2004: Gaussian window, RGB). Mostly backdrop; rewards flat guesses like colour error."""
    return float(
        structural_similarity(
            image, truth, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


def lab(image: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) RGB -> float32 CIE Lab."""
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)

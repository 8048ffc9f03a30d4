"""What several stages ask of a picture's pixels: which known pixel is nearest, which colours there are."""

from __future__ import annotations

import cv2
import numpy as np

COLOURS = 32
"""Size of the codebook that describes what a neighbourhood is made of."""


def nearest_known(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each pixel lies from the nearest one of ``known``, bool (H, W), of which there is at least one, and which that is.

    Returns float32 (H, W) in pixels and int (H, W) into the flattened picture.
    """
    distance, label = cv2.distanceTransformWithLabels((~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    place = np.zeros(int(label.max()) + 1, np.intp)
    place[label[known]] = np.flatnonzero(known)
    return distance, place[label]


def dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(...,): the sum over the few channels of arrays (..., n), that of ``(one * other).sum(-1)`` to the bit and much sooner."""
    products = one * other
    out = products[..., 0].copy()
    for channel in range(1, products.shape[-1]):
        out += products[..., channel]
    return out


def length(values: np.ndarray) -> np.ndarray:
    """(...,): Euclidean length over the few channels of ``values`` (..., n)."""
    return np.sqrt(dot(values, values))


def cluster(
    points: np.ndarray, centres: np.ndarray, rounds: int = 8, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Lloyd's k-means from given ``centres`` (k, d): where they come to lie, and (n,) which of them each of ``points`` (n, d) was nearest
    to in the last round. weight: (n,) how much each point counts; a centre without points stays."""
    for _ in range(rounds):
        label = nearest_centre(points, centres)
        total = np.bincount(label, weight, len(centres))
        moved = np.stack(
            [np.bincount(label, column if weight is None else weight * column, len(centres)) for column in points.T], axis=1
        )
        centres = np.where(total[:, None] > 0, moved / np.maximum(total, 1e-9)[:, None], centres)
    return centres, label


def nearest_centre(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(n,) which of ``centres`` (k, d) is nearest to each of ``points`` (n, d)."""
    return ((points[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)


def codebook(colour: np.ndarray, area: np.ndarray, figure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """k-means over the figure's colours from a farthest-point start (no chance in it): code (n,) and kinship (k, k)."""
    points = colour * (0.8, 1.2, 1.2)
    weight = area * (0.05 + figure)
    chosen = [int(np.argmax(weight))]
    gap = np.linalg.norm(points - points[chosen[0]], axis=1)
    for _ in range(min(COLOURS, len(points)) - 1):
        chosen.append(int(np.argmax(np.where(figure > 0.5, gap, 0.3 * gap))))
        gap = np.minimum(gap, np.linalg.norm(points - points[chosen[-1]], axis=1))
    words, _ = cluster(points, points[chosen], weight=weight)
    code = nearest_centre(points, words)
    return code, np.exp(-((words[:, None] - words[None]) ** 2).sum(axis=2) / (2 * 9.0**2))

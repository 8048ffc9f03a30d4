"""Rough masks to soft ones whose edges are the picture's own: the guided filter with colours as its guide.

Kaiming He, Jian Sun, Xiaoou Tang, "Guided Image Filtering", 2013; coefficients at a reduced size, "Fast Guided Filter", 2015.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from helpers.images import fit_inside

_WORKED = 1024  # longer side at which coefficients are found
_STRICT = 1e-4  # squared contrast, of 0..1, below which an edge of the picture is not followed
_FAINT = 0.18  # of a matte: what is less is no veil of the figure but a doubt, and what is more than the rest of it none of the backdrop
_TOGETHER = np.ones((1, 4), np.float32)
_STRIP = 512  # rows at a time, so that a large photograph needs no float copies of its size


def guided(image: np.ndarray, rough: np.ndarray, reach: float = 0.012) -> np.ndarray:
    """float32 (H, W) of 0..1: ``rough`` with the edges of ``image``.

    image: uint8 (H, W, 3) RGB
    rough: float32 of 0..1, of any size over the picture
    reach: of the picture's longer side, how far from the rough edge the true one is looked for
    """
    out = np.empty(image.shape[:2], np.float32)
    for rows, soft in strips(image, rough[..., None], reach):
        out[rows] = soft[..., 0]
    return np.clip(out, 0, 1, out=out)


def strips(
    image: np.ndarray, rough: np.ndarray, reach: float = 0.012, worked: int = _WORKED
) -> Iterator[tuple[slice, np.ndarray]]:
    """The same of several masks ``rough`` (h, w, c), unclipped: rows of ``image`` and their float32 (rows, W, c), from the top down.

    worked: pixels of the longer side at which coefficients are found
    """
    height, width = image.shape[:2]
    size = fit_inside((width, height), (worked, worked))
    guide = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    radius = max(2, round(reach * max(size)))
    found = coefficients(guide, cv2.resize(rough, size).reshape(size[1], size[0], -1), radius, _STRICT)
    for top in range(0, height, _STRIP):
        rows = slice(top, min(top + _STRIP, height))
        colours = cv2.cvtColor(image[rows], cv2.COLOR_RGB2RGBA).astype(np.float32) / 255
        soft = np.empty((*colours.shape[:2], len(found)), np.float32)
        for index, line in enumerate(found):
            soft[..., index] = cv2.transform(cv2.multiply(_rows(line, rows, image.shape), colours), _TOGETHER)
        yield rows, soft


def coefficients(guide: np.ndarray, rough: np.ndarray, reach: int, strict: float) -> list[np.ndarray]:
    """float32 (h, w, 4) for each mask: around each pixel it is about the first three times the colour, plus the last.

    guide: float32 (h, w, 3), the picture in any colour space; rough: float32 (h, w, c) of 0..1, c masks
    reach: half a window in pixels; strict: squared contrast, in the guide's units, below which an edge of the picture is not followed
    """

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(values, -1, (2 * reach + 1, 2 * reach + 1), borderType=cv2.BORDER_REFLECT)

    colours = cv2.split(guide)
    means = [mean(colour) for colour in colours]

    def together(one: int, other: int) -> np.ndarray:
        return mean(colours[one] * colours[other]) - means[one] * means[other]

    # The covariance in each window, factored into L D L', for all windows at once.
    first, cross, second = together(0, 0) + np.float32(strict), together(0, 1), together(0, 2)
    low, lower = cross / first, second / first
    middle, rest = together(1, 1) + np.float32(strict) - low * cross, together(1, 2) - low * second
    lowest = rest / middle
    last = together(2, 2) + np.float32(strict) - lower * second - lowest * rest
    out = []
    for mask in cv2.split(rough):
        alpha = mean(mask)
        x, y, z = (mean(colour * mask) - usual * alpha for colour, usual in zip(colours, means, strict=True))
        y -= low * x
        z = (z - lower * x - lowest * y) / last
        y = y / middle - lowest * z
        x = x / first - low * y - lower * z
        out.append(mean(cv2.merge([x, y, z, alpha - x * means[0] - y * means[1] - z * means[2]])))
    return out


def _rows(values: np.ndarray, rows: slice, shape: tuple[int, ...]) -> np.ndarray:
    """``rows`` of ``values`` enlarged to ``shape``, without the others."""
    height, width = shape[:2]
    scale = np.array(values.shape[1::-1]) / (width, height)
    matrix = np.array([[scale[0], 0, 0.5 * scale[0] - 0.5], [0, scale[1], (rows.start + 0.5) * scale[1] - 0.5]])
    return cv2.warpAffine(
        values,
        matrix,
        (width, rows.stop - rows.start),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def lifted(image: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 4) RGBA: what ``matte`` (H, W) of 0..1 is of ``image`` (uint8 (H, W, 3) RGB), in its own colours along the edge.

    Marco Forte, "Approximate Fast Foreground Colour Estimation", 2021: colours blurred over what is surely in front and behind, then what
    the photograph contradicts put right, first widely, then near.
    """
    height, width = matte.shape
    alpha = np.clip((matte - _FAINT) / (1 - 2 * _FAINT), 0, 1).astype(np.float32)
    out = np.dstack([image, np.round(alpha * 255).astype(np.uint8)])
    wide = max(2, round(0.02 * max(height, width)))
    for top in range(0, height, _STRIP):
        near = slice(max(0, top - 2 * wide), min(height, top + _STRIP + 2 * wide))
        soft = alpha[near]
        edge = (soft > 0) & (soft < 1)
        if not edge.any():
            continue
        colours = image[near].astype(np.float32) / 255
        front = behind = colours
        for radius in (wide, max(1, wide // 8)):
            front, behind = _parted(colours, soft[..., None], front, behind, radius)
        own = np.round(np.clip(front, 0, 1) * 255).astype(np.uint8)
        rows = slice(top - near.start, min(top + _STRIP, height) - near.start)
        part = out[top : top + _STRIP]
        part[..., :3][edge[rows]] = own[rows][edge[rows]]
    return out


def shrunk(mask: np.ndarray) -> np.ndarray:
    """bool (H, W): ``mask`` without its outermost pixel, which a camera and a JPEG mix with the backdrop; the picture's edge is none."""
    return cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0


def _parted(
    colours: np.ndarray, alpha: np.ndarray, front: np.ndarray, behind: np.ndarray, radius: int
) -> tuple[np.ndarray, np.ndarray]:
    """Colours in front and behind (h, w, 3), from what they were thought to be before."""

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(values, -1, (2 * radius + 1,) * 2, borderType=cv2.BORDER_REFLECT)

    share = mean(alpha)[..., None]
    front = mean(front * alpha) / (share + 1e-5)
    behind = mean(behind * (1 - alpha)) / (1 - share + 1e-5)
    own = front + alpha * (colours - alpha * front - (1 - alpha) * behind)
    # Between what is seen and what is near: a matte that is wrong invents no colour.
    return np.clip(own, np.minimum(colours, front), np.maximum(colours, front)), behind

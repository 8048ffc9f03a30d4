"""A rough mask to a soft one whose edge is the picture's own: the guided filter with colours as its guide.

Kaiming He, Jian Sun, Xiaoou Tang, "Guided Image Filtering", 2013; coefficients at a reduced size, "Fast Guided Filter", 2015.
"""

from __future__ import annotations

import cv2
import numpy as np

from helpers.images import fit_inside

_WORKED = (1024, 1024)  # size at which coefficients are found
_STRICT = 1e-4  # squared contrast, of 0..1, below which an edge of the picture is not followed


def guided(image: np.ndarray, rough: np.ndarray, reach: float = 0.012) -> np.ndarray:
    """float32 (H, W) of 0..1: ``rough`` with the edges of ``image``.

    image: uint8 (H, W, 3) RGB
    rough: float32 of 0..1, of any size over the picture
    reach: of the picture's longer side, how far from the rough edge the true one is looked for
    """
    height, width = image.shape[:2]
    size = fit_inside((width, height), _WORKED)
    guide = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    slopes, offsets = _coefficients(guide, cv2.resize(rough, size), max(2, round(reach * max(size))))
    out = np.empty((height, width), np.float32)
    for top in range(0, height, 512):  # strips, so that a large photograph needs no float copies of its size
        rows = slice(top, min(top + 512, height))
        out[rows] = (_rows(slopes, rows, image.shape) * (image[rows].astype(np.float32) / 255)).sum(2)
        out[rows] += _rows(offsets, rows, image.shape)
    return np.clip(out, 0, 1, out=out)


def _coefficients(guide: np.ndarray, rough: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, 3) and (h, w): around each pixel the mask is about ``slopes`` times the colour and ``offsets``."""

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(values, -1, (2 * reach + 1, 2 * reach + 1), borderType=cv2.BORDER_REFLECT)

    colour, alpha = mean(guide), mean(rough)
    together = mean(guide * rough[..., None]) - colour * alpha[..., None]
    spread = np.empty((*rough.shape, 3, 3), np.float32)
    for a in range(3):
        for b in range(a, 3):
            spread[..., a, b] = spread[..., b, a] = mean(guide[..., a] * guide[..., b]) - colour[..., a] * colour[..., b]
    slopes = np.linalg.solve(spread + _STRICT * np.eye(3, dtype=np.float32), together[..., None])[..., 0]
    return mean(slopes), mean(alpha - (slopes * colour).sum(2))


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

"""Pictures in and out: read with care (:mod:`helpers.reading`), write whole (:mod:`helpers.files`), resize, and paste back.

Convention: images are uint8 (H, W, 3) RGB; masks bool (H, W); sizes (width, height) in pixels.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from helpers.files import told, write_whole
from helpers.reading import read_alpha as read_alpha
from helpers.reading import read_image as read_image
from helpers.reading import read_mask as read_mask
from helpers.reading import read_rgba as read_rgba
from helpers.reading import read_values as read_values

_AREA = 1 << 20  # pixels that are blended at a time

_WRITTEN = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")


def write_image(path: str | Path, image: np.ndarray) -> Path:
    """Write uint8 (H, W, 3) RGB, (H, W, 4) RGBA or (H, W), or uint16 (H, W), by the suffix: JPEG at quality 97 4:4:4, else lossless.

    Raises ``ValueError`` for another suffix than those of JPEG, PNG, TIFF and BMP, or a JPEG that cannot hold the picture, and
    :class:`helpers.files.NotWritten` where it cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITTEN:
        raise ValueError(
            f"{told(path)} must end in {', '.join(_WRITTEN[:-1])} or {_WRITTEN[-1]}: those are the pictures written here."
        )
    if suffix in (".jpg", ".jpeg") and (image.shape[2:] == (4,) or image.dtype != np.uint8):
        raise ValueError(
            f"{told(path)}: a JPEG holds uint8 pictures without transparency, not {image.dtype} {image.shape}. Write a PNG."
        )
    options: dict[str, Any] = {"quality": 97, "subsampling": 0} if suffix in (".jpg", ".jpeg") else {}
    return write_whole(path, lambda part: Image.fromarray(image).save(part, **options))


def png(image: np.ndarray) -> bytes:
    """``image``, uint8 (H, W, 3), as the bytes of a PNG, to be shown in a page."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="png")
    return buffer.getvalue()


def write_mask(path: str | Path, mask: np.ndarray) -> Path:
    """Write bool (H, W) as an 8-bit picture, white where True."""
    return write_image(path, mask.astype(np.uint8) * 255)


def write_labels(path: str | Path, labels: np.ndarray, palette: np.ndarray) -> Path:
    """Write a label map (H, W) uint8 as an indexed PNG whose indices are the labels; ``palette`` (K, 3) only colours it."""
    picture = Image.fromarray(labels)
    picture.putpalette(palette.astype(np.uint8).ravel().tolist())
    return write_whole(path, picture.save)


def digest(image: np.ndarray) -> str:
    """SHA-256 of the pixels and the shape: the same for the same picture wherever it lies in memory, 64 hexadecimal digits."""
    found = hashlib.sha256(
        np.ascontiguousarray(image).data
    )  # read where it lies: a photograph is too large to be copied for it
    found.update(str(image.shape).encode())
    return found.hexdigest()


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``image`` (H, W[, C]) at ``size`` (width, height): area-averaged down, cubic up; bool masks by majority."""
    if image.dtype == bool:
        return resize(image.astype(np.uint8) * 255, size) > 127
    smaller = size[0] * size[1] < image.shape[0] * image.shape[1]
    return cv2.resize(image, tuple(size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def fit_inside(size: tuple[int, int], box: tuple[int, int] = (768, 1024)) -> tuple[int, int]:
    """The largest (width, height) of the same shape as ``size`` that fits in ``box``; ``size`` itself if it does already."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def feather(mask: np.ndarray, pixels: float) -> np.ndarray:
    """float32 (H, W): 1 inside ``mask``, falling smoothly to exactly 0 ``pixels`` outside its edge."""
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    ramp = np.clip(1.0 - distance / max(pixels, 1e-6), 0.0, 1.0)
    return (ramp * ramp * (3.0 - 2.0 * ramp)).astype(np.float32)


def paste_back(original: np.ndarray, result: np.ndarray, mask: np.ndarray, pixels: float = 3.0) -> np.ndarray:
    """``result`` inside ``mask``, ``original`` outside, blended over ``pixels``; pixels beyond are the original's own bytes."""
    out = original.copy()
    reach = math.ceil(pixels) + 2
    for area in _areas(mask, reach):
        around = slice(max(0, area[0].start - reach), area[0].stop + reach), area[1]
        if not mask[around].any():
            continue
        first = area[0].start - around[0].start
        weight = feather(mask[around], pixels)[first : first + area[0].stop - area[0].start, :, None]
        mixed = original[area] * (1.0 - weight) + result[area].astype(np.float32) * weight
        out[area] = np.where(weight > 0, np.clip(np.rint(mixed), 0, 255), original[area]).astype(np.uint8)
    return out


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """uint8 (H, W): how far two pictures (H, W, 3) lie apart at each pixel, in the channel in which they do most."""
    return cv2.absdiff(one, other).max(2)


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Rows of a picture of ``shape`` (height, width, ...), some at a time: floats of a whole photograph would fill the memory."""
    high = max(1, _AREA // shape[1])
    yield from (slice(top, min(top + high, shape[0])) for top in range(0, shape[0], high))


def _areas(mask: np.ndarray, reach: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns that together hold every pixel within ``reach`` of ``mask``, some rows at a time."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return
    top, bottom = max(0, rows[0] - reach), min(mask.shape[0], rows[-1] + reach + 1)
    left, right = max(0, columns[0] - reach), min(mask.shape[1], columns[-1] + reach + 1)
    for band in bands((bottom - top, right - left)):
        yield slice(top + band.start, top + band.stop), slice(left, right)

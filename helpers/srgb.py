"""The transfer curve between sRGB and linear light (IEC 61966-2-1)."""

from __future__ import annotations

import numpy as np


def decode(values: np.ndarray) -> np.ndarray:
    """sRGB 0..1 to linear light 0..1, any shape."""
    values = np.asarray(values)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encode(linear: np.ndarray) -> np.ndarray:
    """Linear light, clipped to 0..1, to sRGB 0..1, any shape."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


_LINEAR = decode(np.arange(256) / 255.0).astype(np.float32)


def to_linear(image: np.ndarray) -> np.ndarray:
    """A uint8 sRGB picture as float32 linear light 0..1."""
    return _LINEAR[image]

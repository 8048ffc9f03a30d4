"""Colours between the ``#rrggbb`` of an outfit, linear light and CIE L*a*b* (sRGB primaries, D65)."""

from __future__ import annotations

import re

import numpy as np

from helpers.srgb import decode

_HEX = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\Z")
_RGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.95047, 1.0, 1.08883])


def srgb(colour: str) -> np.ndarray:
    """(3,) float sRGB in 0..1 of ``#rrggbb`` or ``#rgb``. Raises ``ValueError`` naming anything else."""
    if not isinstance(colour, str) or not _HEX.match(colour):
        raise ValueError(f"a colour is written #rrggbb, not {colour!r}.")
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    return np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255.0


def to_hex(values: np.ndarray) -> str:
    """``#rrggbb`` of (3,) sRGB in 0..1, clipped."""
    return "#" + "".join(f"{round(255 * float(v)):02x}" for v in np.clip(values, 0, 1))


def linear(colour: str) -> np.ndarray:
    """(3,) float32 linear RGB of ``#rrggbb``."""
    return decode(srgb(colour)).astype(np.float32)


def lab(colour: str) -> np.ndarray:
    """(3,) CIE L*a*b* of ``#rrggbb``: L 0..100."""
    ratio = _RGB_TO_XYZ @ decode(srgb(colour)) / _WHITE
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def mix(colour: str, other: str, share: float) -> str:
    """``colour`` with ``share`` of ``other``, mixed in sRGB as paint names are understood."""
    return to_hex((1 - share) * srgb(colour) + share * srgb(other))


def saturate(colour: str, amount: float) -> str:
    """``colour`` with its distance from grey grown by ``amount`` (0.5: half again)."""
    values = srgb(colour)
    grey = values @ (0.299, 0.587, 0.114)
    return to_hex(grey + (1 + amount) * (values - grey))

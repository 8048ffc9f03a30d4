"""What cloth is woven or knitted of: small repeating maps of yarn, seen as a play of tone and relief.

A map tiles the plane. Its channels are a factor on the colour (mean 1) and the slope of the surface along u and v, so that one look-up
serves colour and shading normal. Structures finer than a pixel are blurred away before the look-up, never sampled raw.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from helpers.mannequin.fields import wrapped

TEXEL = 0.0005
"""Metres a pixel of the maps."""


@cache
def weave_map(weave: str, blur: float) -> np.ndarray:
    """(H, W, 3) float32 wrapped tile of ``weave``: tone factor, slope along u, slope along v; row 0 at v = 0, v growing with rows.

    ``blur`` is the standard deviation in metres that one sample averages over.
    """
    tone, height = _MAPS[weave](np.random.default_rng(len(weave) * 7919 + ord(weave[0])))
    return _pack(tone, height, blur)


@cache
def rib_map(pitch: float, blur: float) -> np.ndarray:
    """Like :func:`weave_map`: ribs of ``pitch`` metres along v, as at collars, cuffs and hems."""
    columns = round(pitch / TEXEL) * 8
    u = np.arange(columns) * TEXEL
    ridge = np.cos(2 * np.pi * u / (columns * TEXEL) * 8)
    tone = np.tile(1 + 0.16 * ridge, (8, 1))
    return _pack(tone, np.tile(0.16 * pitch * ridge, (8, 1)), blur)


def _pack(tone: np.ndarray, height: np.ndarray, blur: float) -> np.ndarray:
    """Blur on the torus, differentiate, put together."""
    spread = max(blur / TEXEL, 1e-6)
    tone, height = (_smooth(x, spread, spread) for x in (tone, height))
    slope_u = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) / (2 * TEXEL)
    slope_v = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) / (2 * TEXEL)
    return wrapped(np.stack([tone / tone.mean(), slope_u, slope_v], axis=2).astype(np.float32))


# ---------------------------------------------------------------------------------------------------------- structures


def _smooth(values: np.ndarray, across: float, along: float) -> np.ndarray:
    """Gaussian blur on the torus with standard deviations in texels (u, v)."""
    fv, fu = np.fft.fftfreq(values.shape[0])[:, None], np.fft.rfftfreq(values.shape[1])[None]
    gain = np.exp(-2 * np.pi**2 * ((across * fu) ** 2 + (along * fv) ** 2))
    return np.fft.irfft2(np.fft.rfft2(values) * gain, values.shape)


def _noise(rng: np.random.Generator, size: int, across: float, along: float) -> np.ndarray:
    """Tileable noise (size, size) of unit deviation whose grain measures ``across`` x ``along`` metres (u, v)."""
    out = _smooth(rng.standard_normal((size, size)), across / TEXEL / 2, along / TEXEL / 2)
    return (out - out.mean()) / out.std()


def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    places = np.arange(size) * TEXEL
    return places[None], places[:, None]


def _cotton(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    warp, weft = _noise(rng, 384, 0.0008, 0.02), _noise(rng, 384, 0.02, 0.0008)
    yarns = warp + weft
    return 1 + 0.012 * yarns + 0.008 * _noise(rng, 384, 0.0015, 0.0015), 2.5e-5 * yarns


def _jersey(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    wales = _noise(rng, 384, 0.0009, 0.03)
    fuzz = _noise(rng, 384, 0.002, 0.002)
    return 1 + 0.012 * wales + 0.014 * fuzz, 2.5e-5 * wales + 3e-5 * fuzz


def _denim(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    # Right-hand twill: blue warp over white weft, each rib a little uneven; warp streaks run the length of the leg.
    size = 512
    u, v = _grid(size)
    turns = 72  # ribs over the tile along each axis: 3.5 mm across the leg
    period = size * TEXEL / turns
    wobble = 0.6 * _noise(rng, size, 0.004, 0.012)
    twill = np.cos(2 * np.pi * (u - v) / period + wobble)
    streaks, flecks = _noise(rng, size, 0.0012, 0.035), _noise(rng, size, 0.001, 0.0035)
    tone = 1 + 0.11 * twill + 0.11 * streaks + 0.12 * flecks + 0.04 * _noise(rng, size, 0.02, 0.02)
    return np.clip(tone, 0.55, 1.7), 1.1e-4 * twill + 4e-5 * streaks + 4e-5 * flecks


def _knit(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    # Stockinette: columns of V, two leaning legs to a stitch, each a round yarn.
    size, wales, courses = 480, 37, 44  # 6.5 x 5.5 mm a stitch
    u, v = _grid(size)
    across = np.mod(u * wales / (size * TEXEL), 1) - 0.5 + 0 * v
    drift = 0.07 * _noise(rng, size, 0.006, 0.006)
    along = np.mod(v * courses / (size * TEXEL) - 1.15 * np.abs(across) + drift, 1)
    leg = 1 - (np.abs(across) * 2 - 0.5) ** 2 * 4  # 0 in the gaps between wales and between the two legs
    yarn = np.sqrt(np.maximum(1 - (2 * along - 1) ** 2, 0))
    height = yarn * (0.25 + 0.75 * np.clip(leg, 0, 1) ** 0.7)
    fuzz = _noise(rng, size, 0.0012, 0.0012)
    tone = 0.70 + 0.44 * height + 0.03 * fuzz + 0.025 * _noise(rng, size, 0.012, 0.03)
    return tone, 6.5e-4 * height + 2e-5 * fuzz


def _silk(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    streaks = _noise(rng, 384, 0.03, 0.0012)
    return 1 + 0.008 * streaks, 8e-6 * streaks + 1.5e-5 * _noise(rng, 384, 0.014, 0.014)


def _satin(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    streaks = _noise(rng, 384, 0.001, 0.03)
    return 1 + 0.006 * streaks, 5e-6 * streaks + 1.2e-5 * _noise(rng, 384, 0.018, 0.018)


def _wool(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    size = 480
    u, v = _grid(size)
    twill = np.cos(2 * np.pi * (u + v) * 60 / (size * TEXEL) + 0.8 * _noise(rng, size, 0.004, 0.004))
    melange = _noise(rng, size, 0.0016, 0.003)
    fuzz = _noise(rng, size, 0.0025, 0.0025)
    return 1 + 0.035 * twill + 0.06 * melange + 0.03 * fuzz, 5e-5 * twill + 7e-5 * fuzz


def _linen(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    size = 640
    warp, weft = _noise(rng, size, 0.0011, 0.05), _noise(rng, size, 0.05, 0.0011)
    slubs = np.maximum(_noise(rng, size, 0.028, 0.0016) - 1.3, 0) + np.maximum(_noise(rng, size, 0.0016, 0.028) - 1.6, 0)
    yarns = warp + weft
    return 1 + 0.02 * yarns - 0.05 * slubs + 0.015 * _noise(rng, size, 0.03, 0.03), 5e-5 * yarns + 1.6e-4 * slubs


def _leather(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    # Grain: cells round scattered pores, creased between.
    size = 320
    seeds = rng.random((5200, 2)) * size
    canvas = np.full((size, size), 255, np.uint8)
    canvas[seeds[:, 1].astype(int), seeds[:, 0].astype(int)] = 0
    near = cv2.distanceTransform(np.tile(canvas, (3, 3)), cv2.DIST_L2, 5)[size : 2 * size, size : 2 * size]
    pebble = 1 - np.clip(near / 5.0, 0, 1) ** 2
    rolling = _noise(rng, size, 0.01, 0.01)
    return 0.94 + 0.07 * pebble + 0.02 * rolling, 1.3e-4 * pebble + 1.2e-4 * rolling


_MAPS = {
    "cotton": _cotton, "jersey": _jersey, "denim": _denim, "knit": _knit, "silk": _silk, "wool": _wool, "linen": _linen,
    "leather": _leather, "satin": _satin,
}  # fmt: skip
"""The yarn of each weave of ``fabrics.WEAVES``."""

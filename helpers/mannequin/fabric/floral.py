"""A floral print, drawn: blossoms, buds, sprigs and scattered petals on a tile without visible seams.

Motifs are placed by Poisson-disk dart throwing on the torus (Cook 1986), large ones first, so that nothing overlaps and the ground stays
even; every motif is a stack of flat shapes, as in a screen print with half a dozen inks.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from helpers.mannequin.colours import lab, mix, srgb, to_hex
from helpers.srgb import decode

_OVERSAMPLE = 3
_SHIFT = 4  # fractional bits of cv2's polygon corners
Ink = dict[str, str]


@lru_cache(maxsize=8)
def floral_tile(colour: str, accent: str, repeat: float, texel: float) -> np.ndarray:
    """(S, S, 3) float32 linear RGB tile with ``texel`` metres a pixel; large blossoms measure about 0.7 ``repeat`` across."""
    inks = inks_of(colour, accent)
    side = 5.2 * repeat
    size = max(48, round(side / texel))
    canvas = _Canvas(size * _OVERSAMPLE, size * _OVERSAMPLE / side, inks["ground"])
    rng = np.random.default_rng(int(colour[1:], 16) ^ int(accent[1:], 16) ^ 0x5EED)
    for kind, centre, scale in _scatter(rng, side, repeat):
        _MOTIFS[kind](canvas, centre, scale, rng, inks)
    small = cv2.resize(canvas.pixels, (size, size), interpolation=cv2.INTER_AREA)
    return decode(small.astype(np.float32) / 255).astype(np.float32)


def inks_of(colour: str, accent: str) -> Ink:
    """Inks that belong together: the two colours of the fabric, two neighbours of the accent, a warm heart, greens for the ground."""
    light = lab(colour)[0]
    dark = light < 55
    petal = accent if abs(lab(accent)[0] - light) > 18 else mix(accent, "#ffffff" if dark else "#301820", 0.5)
    greys = np.hypot(*lab(petal)[1:]) < 10
    second = mix(petal, "#e58b86" if greys else "#ffffff", 0.55) if dark else _turn(mix(petal, "#ffffff", 0.3), 0.06)
    third = "#f3dfa9" if dark else mix(_turn(petal, -0.09), "#ffffff", 0.12)
    leaf = mix("#7fa07a", colour, 0.18) if dark else mix("#5d7a52", colour, 0.12)
    return {
        "ground": colour,
        "petal": petal,
        "petal shade": mix(petal, "#000000", 0.22) if not dark else mix(petal, colour, 0.35),
        "second": second,
        "second shade": mix(second, petal, 0.45),
        "third": third,
        "third shade": mix(third, petal, 0.4),
        "heart": "#e0a63c" if lab(petal)[2] < 45 else "#7a3b22",
        "heart dark": "#8c5a1e" if lab(petal)[2] < 45 else "#4a2418",
        "leaf": leaf,
        "leaf dark": mix(leaf, "#16281c", 0.38),
        "leaf pale": mix(leaf, "#ffffff", 0.3) if not dark else mix(leaf, "#e9efd8", 0.35),
    }


def _turn(colour: str, hue: float) -> str:
    h, lightness, saturation = colorsys.rgb_to_hls(*srgb(colour))
    return to_hex(np.array(colorsys.hls_to_rgb((h + hue) % 1, lightness, saturation)))


class _Canvas:
    """A torus to draw on: shapes in metres, repeated across the edges."""

    def __init__(self, size: int, scale: float, ground: str):
        self.pixels = np.empty((size, size, 3), np.uint8)
        self.pixels[:] = np.round(255 * srgb(ground))
        self.size, self.scale = size, scale

    def fill(self, outline: np.ndarray, ink: str) -> None:
        """A closed shape, ``outline`` (N, 2) metres."""
        points = outline * self.scale
        low, high = points.min(0), points.max(0)
        colour = tuple(float(round(255 * c)) for c in srgb(ink))
        for i in range(int(np.floor(low[0] / self.size)), int(np.floor(high[0] / self.size)) + 1):
            for j in range(int(np.floor(low[1] / self.size)), int(np.floor(high[1] / self.size)) + 1):
                moved = np.round((points - (i * self.size, j * self.size)) * (1 << _SHIFT)).astype(np.int32)
                cv2.fillPoly(self.pixels, [moved], colour, cv2.LINE_8, _SHIFT)

    def stroke(self, line: np.ndarray, width: float | np.ndarray, ink: str) -> None:
        """A line (N, 2) of ``width`` metres, constant or (N,)."""
        along = np.gradient(line, axis=0)
        normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        half = np.broadcast_to(np.asarray(width, float) / 2, len(line))[:, None]
        self.fill(np.concatenate([line + normal * half, (line - normal * half)[::-1]]), ink)


def _scatter(rng: np.random.Generator, side: float, repeat: float) -> list[tuple[str, np.ndarray, float]]:
    """(motif, centre, size) with discs that do not touch on the torus, from large to small."""
    radii = {"rose": 0.50, "daisy": 0.40, "tulip": 0.36, "sprig": 0.30, "blossom": 0.2, "leaflet": 0.13, "berry": 0.08}
    share = {"rose": 5, "daisy": 6, "tulip": 5, "sprig": 8, "blossom": 14, "leaflet": 16, "berry": 24}
    placed: list[tuple[str, np.ndarray, float]] = []
    centres, reach = np.empty((0, 2)), np.empty(0)
    for kind, count in share.items():
        for _ in range(count):
            size = repeat * radii[kind] * rng.uniform(0.88, 1.12)
            for centre in rng.random((40, 2)) * side:
                gap = np.abs(centres - centre)
                gap = np.linalg.norm(np.minimum(gap, side - gap), axis=1)
                if not len(gap) or (gap > reach + size + 0.05 * repeat).all():
                    placed.append((kind, centre, size))
                    centres, reach = np.vstack([centres, centre]), np.append(reach, size)
                    break
    return placed


# -------------------------------------------------------------------------------------------------------------- motifs


def _place(shape: np.ndarray, centre: np.ndarray, angle: float, scale: float = 1.0) -> np.ndarray:
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    return shape @ np.array([[c, s], [-s, c]]) + centre


def _petal(length: float, width: float, notch: float = 0.0, count: int = 22) -> np.ndarray:
    """Outline from the origin along +x, widest past the middle, with a heart-shaped ``notch`` at the tip."""
    t = np.linspace(0, np.pi, count)
    x = (1 - np.cos(t)) / 2
    half = np.sin(t) ** 0.9 * (0.55 + 0.6 * x)
    x = x * length * (1 - notch * np.exp(-(((t - np.pi) / 0.35) ** 2)))
    upper = np.stack([x, half * width / 2], axis=1)
    return np.concatenate([upper, upper[::-1] * [1, -1]])


def _disc(radius: float, count: int = 20) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return radius * np.stack([np.cos(t), np.sin(t)], axis=1)


def _curve(start: np.ndarray, angle: float, length: float, bend: float, count: int = 12) -> np.ndarray:
    t = np.linspace(0, 1, count)
    heading = angle + bend * t
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * length / (count - 1)
    return start + np.vstack([[0, 0], np.cumsum(steps[:-1], axis=0)])


def _leaf(canvas: _Canvas, base: np.ndarray, angle: float, length: float, inks: Ink) -> None:
    t = np.linspace(0, 1, 14)
    half = 0.21 * length * np.sin(np.pi * t**0.8)
    bow = 0.10 * length * np.sin(np.pi * t)
    upper, lower = np.stack([t * length, bow + half], axis=1), np.stack([t * length, bow - half], axis=1)
    rib = np.stack([t * length, bow], axis=1)
    canvas.fill(_place(np.concatenate([upper, rib[::-1]]), base, angle), inks["leaf"])
    canvas.fill(_place(np.concatenate([rib, lower[::-1]]), base, angle), inks["leaf dark"])
    canvas.stroke(_place(rib[:-1], base, angle), 0.035 * length, inks["leaf pale"])


def _ring(
    canvas: _Canvas, centre: np.ndarray, shape: np.ndarray, count: int, turn: float, ink: str, rng: np.random.Generator
) -> None:
    for angle in turn + np.arange(count) * 2 * np.pi / count:
        canvas.fill(_place(shape, centre, angle + rng.normal(0, 0.05), rng.uniform(0.93, 1.05)), ink)


def _rose(canvas: _Canvas, centre: np.ndarray, size: float, rng: np.random.Generator, inks: Ink) -> None:
    turn = rng.uniform(0, 2 * np.pi)
    for angle in turn + np.array([0.35, 2.5, 4.4]):
        _leaf(canvas, centre + 0.35 * size * np.array([np.cos(angle), np.sin(angle)]), angle, 0.68 * size, inks)
    ink = "petal" if rng.random() < 0.65 else "second"
    for angle in turn + np.arange(5) * 2 * np.pi / 5:
        wide = rng.uniform(0.92, 1.05)
        canvas.fill(_place(_petal(0.80 * size, 0.86 * size * wide, 0.1), centre, angle), inks[ink])
        canvas.fill(_place(_petal(0.46 * size, 0.42 * size), centre, angle), inks[f"{ink} shade"])
        for side in (-0.16, 0.16):  # veins
            canvas.stroke(
                _curve(centre, angle + side, 0.58 * size, side), np.linspace(0.045, 0.008, 12) * size, inks[f"{ink} shade"]
            )
    canvas.fill(_disc(0.17 * size) + centre, inks["heart"])
    canvas.fill(_disc(0.085 * size) + centre, inks["heart dark"])
    for angle in np.arange(10) * 2 * np.pi / 10 + turn:
        reach = rng.uniform(0.24, 0.31) * size
        tip = centre + reach * np.array([np.cos(angle), np.sin(angle)])
        canvas.stroke(np.linspace(centre, tip, 4), 0.016 * size, inks["heart"])
        canvas.fill(_disc(0.030 * size, 8) + tip, inks["heart"])


def _daisy(canvas: _Canvas, centre: np.ndarray, size: float, rng: np.random.Generator, inks: Ink) -> None:
    turn, ink = rng.uniform(0, 2 * np.pi), ("third", "second")[int(rng.integers(2))]
    _leaf(canvas, centre, turn, 0.98 * size, inks)
    _leaf(canvas, centre, turn + 2.2, 0.92 * size, inks)
    _ring(canvas, centre, _petal(0.80 * size, 0.27 * size), 11, turn, inks[f"{ink} shade"], rng)
    _ring(canvas, centre, _petal(0.78 * size, 0.25 * size), 11, turn + 0.28, inks[ink], rng)
    canvas.fill(_disc(0.22 * size) + centre, inks["heart"])
    canvas.fill(_disc(0.12 * size) + centre + 0.03 * size, inks["heart dark"])


def _tulip(canvas: _Canvas, centre: np.ndarray, size: float, rng: np.random.Generator, inks: Ink) -> None:
    angle, bend = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 0.9) * rng.choice([-1, 1])
    ink = ("petal", "second", "third")[int(rng.integers(3))]
    heading = np.array([np.cos(angle), np.sin(angle)])
    root = centre - 0.95 * size * heading
    stem = _curve(root, angle - bend / 2, 1.1 * size, bend)
    canvas.stroke(stem, np.linspace(0.05, 0.075, 12) * size, inks["leaf dark"])
    for at, side in ((3, 0.8), (5, -0.8)):
        _leaf(canvas, stem[at], angle + side, 0.55 * size, inks)
    cup, up = stem[-1], angle + bend / 2
    for lean in (0.42, -0.42):
        canvas.fill(_place(_petal(0.72 * size, 0.34 * size), cup, up + lean), inks[f"{ink} shade"])
    canvas.fill(_place(_petal(0.80 * size, 0.42 * size), cup, up), inks[ink])
    canvas.fill(_place(_petal(0.26 * size, 0.34 * size), cup - 0.04 * size * heading, up), inks["leaf"])


def _sprig(canvas: _Canvas, centre: np.ndarray, size: float, rng: np.random.Generator, inks: Ink) -> None:
    angle, bend = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 1.0) * rng.choice([-1, 1])
    stem = _curve(centre - 0.9 * size * np.array([np.cos(angle), np.sin(angle)]), angle - bend / 2, 1.7 * size, bend)
    canvas.stroke(stem, np.linspace(0.07, 0.03, 12) * size, inks["leaf dark"])
    for step, at in enumerate((2, 4, 6, 8)):
        side = 0.75 if step % 2 else -0.75
        _leaf(canvas, stem[at], angle + bend * (at / 11 - 0.5) + side, 0.62 * size, inks)
    _leaf(canvas, stem[-1], angle + bend / 2, 0.5 * size, inks)


def _blossom(canvas: _Canvas, centre: np.ndarray, size: float, rng: np.random.Generator, inks: Ink) -> None:
    turn, ink = rng.uniform(0, 2 * np.pi), ("petal", "second", "third")[int(rng.integers(3))]
    _leaf(canvas, centre, turn + 0.6, 1.0 * size, inks)
    _ring(canvas, centre, _petal(0.85 * size, 0.80 * size, 0.08), 5, turn, inks[ink], rng)
    canvas.fill(_disc(0.30 * size, 12) + centre, inks[f"{ink} shade"])
    canvas.fill(_disc(0.17 * size, 10) + centre, inks["heart"])


def _leaflet(canvas: _Canvas, centre: np.ndarray, size: float, rng: np.random.Generator, inks: Ink) -> None:
    angle = rng.uniform(0, 2 * np.pi)
    _leaf(canvas, centre - size * np.array([np.cos(angle), np.sin(angle)]), angle, 1.9 * size, inks)


def _berry(canvas: _Canvas, centre: np.ndarray, size: float, rng: np.random.Generator, inks: Ink) -> None:
    canvas.fill(_disc(0.62 * size, 14) + centre, inks[("petal", "second", "third")[int(rng.integers(3))]])


_MOTIFS: dict[str, Callable[[_Canvas, np.ndarray, float, np.random.Generator, Ink], None]] = {
    "rose": _rose, "daisy": _daisy, "tulip": _tulip, "sprig": _sprig, "blossom": _blossom, "leaflet": _leaflet, "berry": _berry,
}  # fmt: skip

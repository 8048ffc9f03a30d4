"""Cloth as a material: the pattern's colours on metres of fabric, the weave's tone and relief over them.

Every pattern is filtered over the patch one camera sample stands for, so that fine stripes fade to their mean instead of breaking
into moiré: stripes and checks by a blurred table of the thread sequence (a sett), prints and weaves by blurred tiles.

Attributes of a surface that are read where present, each (V,) or (V, 1): ``panel`` (0 on the front, where an image print goes),
``rib`` (0..1, knitted ribs in the plain colour at collars, cuffs and hems), ``hem`` (metres to the nearest finished edge: topstitching),
``fade`` (0..1, where denim is worn pale; else told from the leg panels), ``trim`` (0..1, the accent colour: piping, soles).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from helpers.mannequin.colours import linear, mix
from helpers.mannequin.fabric.floral import floral_tile
from helpers.mannequin.fabric.weave import TEXEL, rib_map, weave_map
from helpers.mannequin.fabrics import PATTERNS, WEAVES, Weave
from helpers.mannequin.fields import look_up, sample, wrapped
from helpers.mannequin.mesh import unit
from helpers.mannequin.outfit import Fabric
from helpers.mannequin.surface import Hits, Material
from helpers.reading import read_rgba
from helpers.srgb import decode

PIXEL = 0.0018
"""Metres of cloth a pixel shows when the hits bring no ``footprint``: a full figure on 1024 rows."""
FRONT, LEG_FRONTS, LEG_BACKS = 0, (6, 8), (7, 9)
"""Values of ``panel`` that a pattern or wear depends on."""
PRINT_WIDTH, PRINT_HEIGHT, PRINT_CENTRE = 0.27, 0.32, -0.035
"""Largest size of an image print in metres, and its middle above the cloth's origin at the chest."""
STITCH = 0.0032
"""Metres from one stitch to the next."""
_SHARPNESS = 0.30  # standard deviation of one sample in pixels; four or more of them make a pixel

Pattern = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def fabric_material(
    fabric: Fabric, *, print_image: np.ndarray | str | Path | None = None, kind: str = "cloth", pixel: float | None = None
) -> Material:
    """The material of ``fabric`` on ``uv`` in metres: +u to the image's right, +v up, origin at the chest's centre front.

    ``print_image``: a file or (H, W, 3 or 4) uint8 picture instead of ``fabric.image``; without either a ``print`` shows a
    drawn emblem in the accent colour. ``pixel``: metres of cloth a pixel shows (else the hits' ``footprint``, else ``PIXEL``).
    Raises ``ValueError`` for an unknown pattern or weave, a colour that is not ``#rrggbb``, a repeat outside 2 mm .. 1 m, and
    ``FileNotFoundError``/``ValueError`` naming a print file that cannot be read.
    """
    if fabric.pattern not in PATTERNS:
        raise ValueError(f"pattern is one of {', '.join(PATTERNS)}, not {fabric.pattern!r}.")
    if fabric.weave not in WEAVES:
        raise ValueError(f"weave is one of {', '.join(WEAVES)}, not {fabric.weave!r}.")
    if not 0.002 <= fabric.repeat <= 1.0:
        raise ValueError(f"repeat is the pattern's period in metres, 0.002 to 1, not {fabric.repeat!r}.")
    picture = None
    if fabric.pattern == "print":
        source = print_image if print_image is not None else fabric.image
        picture = _emblem(fabric.accent) if source is None else print_picture(source)
    cloth = _Cloth(fabric, _PATTERNS[fabric.pattern](fabric), picture, pixel)
    finish = WEAVES[fabric.weave]
    return Material(
        cloth.albedo,
        kind=kind,
        roughness=finish.roughness,
        specular=finish.specular,
        sheen=finish.sheen,
        bump=cloth.bump,
    )


@dataclass
class _Cloth:
    """Evaluates one fabric at hits."""

    fabric: Fabric
    pattern: Pattern
    picture: np.ndarray | None
    pixel: float | None
    prints: dict[float, np.ndarray] = field(default_factory=dict, repr=False)  # the picture at the sizes it was seen

    @property
    def made_of(self) -> Weave:
        """The record of its weave."""
        return WEAVES[self.fabric.weave]

    def albedo(self, hits: Hits) -> np.ndarray:
        """(N, 3) float32 linear RGB."""
        u, v = (np.asarray(c, np.float32) for c in np.asarray(hits["uv"]).T)
        blur = self._blur(hits)
        plain = linear(self.fabric.colour)
        colour = self.pattern(u, v, blur)
        if self.picture is not None:
            self._print(self.picture, colour, u, v, _attribute(hits, "panel"), blur)
        ribbed = _attribute(hits, "rib")
        if ribbed is not None:
            colour += np.clip(ribbed, 0, 1)[:, None] * (plain - colour)
        trim = _attribute(hits, "trim")
        if trim is not None:
            colour += np.clip(trim, 0, 1)[:, None] * (linear(self.fabric.accent) - colour)
        colour *= self._weave(u, v, ribbed, blur)[:, :1]
        if self.made_of.worn:
            fade = _attribute(hits, "fade")
            colour = _worn(colour, _leg_fade(u, v, _attribute(hits, "panel")) if fade is None else fade)
        edge = _attribute(hits, "hem")
        if edge is not None:
            _topstitch(colour, edge, u + v, self._thread(), blur)
        return np.clip(colour, 0.0, 1.0, out=colour)

    def bump(self, hits: Hits) -> np.ndarray:
        """(N, 3) unit normals with the weave's relief."""
        normal = np.asarray(hits["normal"], np.float32)
        u, v = (np.asarray(c, np.float32) for c in np.asarray(hits["uv"]).T)
        relief = self._weave(u, v, _attribute(hits, "rib"), self._blur(hits))
        # The cloth hangs: v runs up the surface. Where it does not (a raised arm) yarn is lit a little from the wrong side.
        up = -normal * normal[:, 1:2]
        up[:, 1] += 1
        up /= np.sqrt(np.maximum(np.einsum("ij,ij->i", up, up), 1e-8))[:, None]
        across = np.cross(up, normal)
        out = normal - relief[:, 1:2] * across - relief[:, 2:3] * up
        return unit(out)

    def _blur(self, hits: Hits) -> float:
        """Standard deviation in metres one sample averages over, in steps so that blurred tables are made once."""
        if self.pixel is not None:
            pixel = self.pixel
        elif "footprint" in hits and len(hits["footprint"]):
            pixel = float(np.median(hits["footprint"]))
        else:
            pixel = PIXEL
        return 0.0001 * 1.25 ** round(np.log(max(_SHARPNESS * pixel, 1e-6) / 0.0001) / np.log(1.25))

    def _weave(self, u: np.ndarray, v: np.ndarray, ribbed: np.ndarray | None, blur: float) -> np.ndarray:
        out = look_up(weave_map(self.fabric.weave, blur), u, v, TEXEL)
        if ribbed is not None and (inside := np.flatnonzero(ribbed > 0.02)).size:
            share = np.clip(ribbed[inside], 0, 1)[:, None]
            out[inside] += share * (look_up(rib_map(self.made_of.ribs, blur), u[inside], v[inside], TEXEL) - out[inside])
        return out

    def _thread(self) -> np.ndarray:
        if self.made_of.thread:
            return linear(self.made_of.thread)
        base = linear(self.fabric.colour)
        return base * 0.62 if base.mean() > 0.08 else base * 1.5 + 0.012

    def _print(
        self,
        picture: np.ndarray,
        colour: np.ndarray,
        u: np.ndarray,
        v: np.ndarray,
        panel: np.ndarray | None,
        blur: float,
    ) -> None:
        """Lays ``picture`` over ``colour`` (N, 3) on the front."""
        height, width = picture.shape[:2]
        scale = min(PRINT_WIDTH / width, PRINT_HEIGHT / height)  # metres a picture pixel
        on = (np.abs(u) < PRINT_WIDTH / 2) & (np.abs(v - PRINT_CENTRE) < PRINT_HEIGHT / 2)
        if panel is not None:
            on &= np.abs(panel - FRONT) < 0.5
        on = np.flatnonzero(on)
        if not on.size:
            return
        if blur not in self.prints:
            self.prints[blur] = _shrunk(picture, blur / scale)
        image = self.prints[blur]
        x = (u[on] / scale + width / 2) * image.shape[1] / width - 0.5
        y = ((PRINT_CENTRE - v[on]) / scale + height / 2) * image.shape[0] / height - 0.5
        ink = sample(image, x, y)
        colour[on] = colour[on] * (1 - ink[:, 3:]) + ink[:, :3]


def _attribute(hits: Hits, name: str) -> np.ndarray | None:
    values = hits.get(name)
    return None if values is None else np.asarray(values, np.float32).reshape(len(values), -1)[:, 0]


def _leg_fade(u: np.ndarray, v: np.ndarray, panel: np.ndarray | None) -> np.ndarray:
    """(N,) how worn denim is: thighs and knees in front, the seat behind, along the middle of each leg."""
    out = np.zeros(len(u), np.float32)
    if panel is None:
        return out
    front, back = np.isin(np.round(panel), LEG_FRONTS), np.isin(np.round(panel), LEG_BACKS)
    for which, spots in ((front, ((-0.50, 0.17, 0.055, 0.5), (-0.76, 0.08, 0.045, 0.3))), (back, ((-0.38, 0.09, 0.06, 0.35),))):
        for middle, high, wide, amount in spots:
            out[which] += amount * np.exp(-(((v[which] - middle) / high) ** 2) - (u[which] / wide) ** 2)
    return out


def _worn(colour: np.ndarray, fade: np.ndarray) -> np.ndarray:
    """Denim over its white weft: a little greyer than its dye, and pale where the dye has gone."""
    grey = colour.mean(axis=1, keepdims=True)
    colour = colour + np.float32(0.14) * (grey - colour)
    pale = 0.62 * colour + 0.38 * (0.7 * grey + 0.2)
    return colour + np.clip(fade, 0, 1)[:, None] * (pale - colour)


def _topstitch(colour: np.ndarray, edge: np.ndarray, along: np.ndarray, thread: np.ndarray, blur: float) -> None:
    """Two rows of stitches 6 and 11 mm from a finished edge, as strong as their width against the sample allows."""
    near = np.flatnonzero((edge > 0.002) & (edge < 0.016))
    if not near.size:
        return
    wide = 0.0004 + blur
    line = sum(np.exp(-(((edge[near] - at) / wide) ** 2) / 2) for at in (0.006, 0.011)) * np.float32(0.0007 / wide)
    gaps = 0.5 * np.exp(-2 * (np.pi * blur / STITCH) ** 2)
    line *= 1 - gaps + gaps * np.cos(along[near] * np.float32(2 * np.pi / STITCH))
    colour[near] += np.clip(line, 0, 0.75)[:, None] * (thread - colour[near])


# ------------------------------------------------------------------------------------------------------------ patterns


@lru_cache(maxsize=64)
def _table(sett: tuple[tuple[str, float], ...], repeat: float, blur: float) -> np.ndarray:
    """(1024, 3) float32: the thread sequence ``sett`` (colour, share of the repeat) over one repeat, averaged over samples."""
    count = 1024
    ends = np.cumsum([share for _, share in sett])
    # Exact areas under each table entry, then a Gaussian on the circle.
    fine = (np.arange(count * 4) + 0.5) / (count * 4) * ends[-1]
    colours = np.array([linear(colour) for colour, _ in sett])[np.searchsorted(ends, fine)]
    spectrum = np.fft.rfft(colours.reshape(count, 4, 3).mean(1), axis=0)
    frequency = np.arange(len(spectrum)) / repeat
    spectrum *= np.exp(-2 * np.pi**2 * (blur * frequency) ** 2)[:, None]
    return np.fft.irfft(spectrum, count, axis=0).astype(np.float32)


def _threads(sett: tuple[tuple[str, float], ...], repeat: float, place: np.ndarray, blur: float) -> np.ndarray:
    table = _table(sett, repeat, blur)
    index = np.mod(place * np.float32(len(table) / repeat), len(table)).astype(np.int32)
    return np.take(table, np.minimum(index, len(table) - 1), axis=0)


def _woven(sett: tuple[tuple[str, float], ...], fabric: Fabric, twill: float) -> Pattern:
    """Warp and weft of one sett: each shows half the time, in twill ribs of ``twill`` metres that a near view resolves."""

    def pattern(u: np.ndarray, v: np.ndarray, blur: float) -> np.ndarray:
        warp = _threads(sett, fabric.repeat, u + 0.5 * fabric.repeat * sett[0][1], blur)
        weft = _threads(sett, fabric.repeat, v, blur)
        depth = 0.5 * np.exp(-2 * (np.pi * blur * np.sqrt(2) / twill) ** 2)
        over = np.float32(0.5) + np.float32(depth) * np.cos((u + v) * np.float32(2 * np.pi / twill))
        return weft + over[:, None] * (warp - weft)

    return pattern


def _solid(fabric: Fabric) -> Pattern:
    base = linear(fabric.colour)
    return lambda u, v, blur: np.tile(base, (len(u), 1))


def _stripes(fabric: Fabric) -> Pattern:
    sett = ((fabric.colour, 0.58), (fabric.accent, 0.42))
    return lambda u, v, blur: _threads(sett, fabric.repeat, v, blur)


def _vertical(fabric: Fabric) -> Pattern:
    sett = ((fabric.colour, 0.56), (fabric.accent, 0.44))
    return lambda u, v, blur: _threads(sett, fabric.repeat, u + 0.28 * fabric.repeat, blur)


def _pinstripes(fabric: Fabric) -> Pattern:
    thin = min(0.0014 / fabric.repeat, 0.3)
    sett = ((fabric.colour, 1 - thin), (fabric.accent, thin))
    return lambda u, v, blur: _threads(sett, fabric.repeat, u + 0.5 * fabric.repeat, blur)


def _gingham(fabric: Fabric) -> Pattern:
    return _woven(((fabric.colour, 0.5), (fabric.accent, 0.5)), fabric, 0.0022)


def _checks(fabric: Fabric) -> Pattern:
    # A shirting check: a broad bar of the accent, edged by a thin one of both.
    between = mix(fabric.colour, fabric.accent, 0.5)
    base, accent = fabric.colour, fabric.accent
    sett = ((base, 0.44), (between, 0.05), (base, 0.06), (accent, 0.34), (base, 0.06), (between, 0.05))
    return _woven(sett, fabric, 0.0022)


def _tartan(fabric: Fabric) -> Pattern:
    # A symmetric sett from pivot to pivot: the ground, a dark block, a band of the accent crossed by a light line.
    base, accent = fabric.colour, fabric.accent
    dark = mix(base, "#101214", 0.72)
    light = "#e9c86a" if linear(accent).mean() > 0.35 else "#eae6da"
    half = ((dark, 0.06), (base, 0.05), (dark, 0.035), (base, 0.05), (accent, 0.13))
    sett = ((base, 0.24), *half, (light, 0.03), *half[::-1], (base, 0.06), (accent, 0.02), (base, 0.04))
    return _woven(sett, fabric, 0.0034)


def _dots(fabric: Fabric) -> Pattern:
    base, accent = linear(fabric.colour), linear(fabric.accent)
    repeat, radius = np.float32(fabric.repeat), 0.23 * fabric.repeat

    def pattern(u: np.ndarray, v: np.ndarray, blur: float) -> np.ndarray:
        # Staggered rows: the nearest of two square lattices, one shifted by half a repeat both ways.
        x, y = u / repeat, v / repeat
        a = (x - np.round(x)) ** 2 + (y - np.round(y)) ** 2
        b = (x - np.floor(x) - 0.5) ** 2 + (y - np.floor(y) - 0.5) ** 2
        away = np.sqrt(np.minimum(a, b)) * repeat - radius
        soft = max(1.5 * blur, 1e-5)
        inside = np.clip(0.5 - away / (2 * soft), 0, 1)
        inside = inside * inside * (3 - 2 * inside)
        return base + inside[:, None] * (accent - base)

    return pattern


def _floral(fabric: Fabric) -> Pattern:
    texel = max(0.0005, fabric.repeat / 160)
    tile = floral_tile(fabric.colour, fabric.accent, fabric.repeat, texel)

    @lru_cache(maxsize=4)
    def filtered(blur: float) -> np.ndarray:
        return wrapped(_blurred(tile, blur / texel))

    def pattern(u: np.ndarray, v: np.ndarray, blur: float) -> np.ndarray:
        return look_up(filtered(blur), u, v, texel)

    return pattern


_PATTERNS: dict[str, Callable[[Fabric], Pattern]] = {
    "solid": _solid, "stripes": _stripes, "vertical stripes": _vertical, "pinstripes": _pinstripes, "checks": _checks,
    "gingham": _gingham, "tartan": _tartan, "dots": _dots, "floral": _floral, "print": _solid,
}  # fmt: skip


def _blurred(tile: np.ndarray, spread: float) -> np.ndarray:
    """``tile`` after a Gaussian of ``spread`` texels on the torus."""
    if spread < 0.35:
        return tile
    margin = int(3 * spread) + 2
    wide = cv2.GaussianBlur(np.pad(tile, ((margin, margin), (margin, margin), (0, 0)), mode="wrap"), (0, 0), spread)
    return wide[margin:-margin, margin:-margin]


# -------------------------------------------------------------------------------------------------------- image prints


def print_picture(source: np.ndarray | str | Path) -> np.ndarray:
    """(H, W, 4) float32 linear RGB times alpha, alpha; of a file or a uint8 picture."""
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] not in (3, 4):
            raise ValueError(f"print_image is uint8 (H, W, 3 or 4), not {source.dtype} {source.shape}.")
        values = source
    else:
        values = read_rgba(source, "the print's picture", smallest=2)
    if min(values.shape[:2]) < 2:
        raise ValueError(f"the print's picture is {values.shape[1]}x{values.shape[0]}; it needs at least 2x2 pixels.")
    longest = max(values.shape[:2])
    if longest > 1024:
        size = tuple(max(2, round(n * 1024 / longest)) for n in values.shape[1::-1])
        values = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    colour = decode(values[..., :3].astype(np.float32) / 255).astype(np.float32)
    alpha = values[..., 3:].astype(np.float32) / 255 if values.shape[2] == 4 else np.ones_like(colour[..., :1])
    return np.concatenate([colour * alpha, alpha], axis=2)


def _shrunk(picture: np.ndarray, factor: float) -> np.ndarray:
    if factor < 1.2:
        return picture
    size = tuple(max(2, round(n / factor)) for n in picture.shape[1::-1])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _emblem(ink: str) -> np.ndarray:
    """A drawn print for when no picture is given: a sun over the sea, one ink."""
    size = 512
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    radius, soft = np.hypot(x, y), 1.5 / size
    sun = np.clip((0.46 - radius) / soft + 0.5, 0, 1)
    # Below the horizon bands of water, broader towards the shore.
    for band in range(6):
        top, high = 0.03 + 0.075 * band, 0.012 + 0.006 * band
        wave = top + 0.006 * np.sin(18 * x + 1.7 * band)
        sun *= 1 - np.clip((high / 2 - np.abs(y - wave)) / soft + 0.5, 0, 1)
    alpha = (sun * 0.97)[..., None]
    return np.concatenate([linear(ink) * alpha, alpha], axis=2).astype(np.float32)

"""How surfaces answer light: skin, cloth, hair, eyes and shoes, in linear RGB; and from there to the picture's sRGB.

Sources: GGX (Walter et al. 2007) with Kelemen and Szirmay-Kalos' visibility term; hair after Kajiya and Kay 1989 with the two shifted
highlights of Marschner et al. 2003; coloured occlusion after Jimenez et al. 2016, "Practical real-time strategies".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.mannequin.mesh import unit
from helpers.mannequin.render.light import Light, Studio
from helpers.mannequin.surface import Hits, Material
from helpers.srgb import encode

_SKIN_WRAP = np.array([0.34, 0.16, 0.11], np.float32)  # how far round the terminator light scatters, by colour
_LEAST = 0.04  # of the surroundings reaches the deepest fold
_BLACK = 0.06  # reflectance; darker cloth is lifted
_INSIDE = 0.7  # light on the inside of cloth


@dataclass
class _Spot:
    """What is lit: ``albedo``, ``normal`` and ``view`` (N, 3), ``facing`` (N,) cosine towards the lens, ``dark`` (N,) 1 for black."""

    material: Material
    albedo: np.ndarray
    normal: np.ndarray
    view: np.ndarray
    facing: np.ndarray
    dark: np.ndarray | float


def shade(material: Material, hits: Hits, view: np.ndarray, back: np.ndarray, seen: np.ndarray, studio: Studio) -> np.ndarray:
    """Radiance (N, 3) float32 towards the lens.

    ``view`` (N, 3) unit towards the lens; ``back`` (N,) bool: the inside is seen; ``seen`` (N, 1 + lights) visibility of the
    surroundings and of each light.
    """
    albedo = np.clip(np.asarray(material.albedo(hits), np.float32), 0.0, 1.0)
    normal = hits["normal"] if material.bump is None else np.asarray(material.bump(hits), np.float32)
    normal = np.where(back[:, None], -normal, normal)
    if material.kind == "hair" and "tangent" in hits:
        return _hair(albedo, normal, unit(hits["tangent"]), view, seen, studio)
    open_ = seen[:, 0]
    dark: np.ndarray | float = 0.0
    if material.kind == "cloth":
        # No cloth is as black as a screen: a little scattered light keeps folds readable.
        dark = np.clip(1 - _brightest(albedo) / _BLACK, 0, 1)
        albedo = albedo + (0.25 * _BLACK * dark * dark)[:, None]
        # Some light comes through cloth, so that its inside is never black either.
        open_ = np.where(back, 0.3 + 0.7 * open_, open_)
    spot = _Spot(material, albedo, normal, view, _dot(normal, view), dark)
    out = _surroundings(spot, open_, studio)
    for index, light in enumerate(studio.lights):
        out += _lamp(spot, light, seen[:, 1 + index])
    out[back] *= _INSIDE
    return out


def _lamp(spot: _Spot, light: Light, seen: np.ndarray) -> np.ndarray:
    """Answer (N, 3) to one lamp that is ``seen`` (N,) from 0 to 1."""
    material, towards = spot.material, light.towards
    lit = spot.normal @ towards
    if material.kind == "skin":
        # The wrapped, softened terminator stands for light that entered elsewhere.
        diffuse = np.maximum(lit[:, None] + _SKIN_WRAP, 0) / (1 + _SKIN_WRAP) ** 1.5
        diffuse *= seen[:, None] ** np.array([0.8, 1.0, 1.1], np.float32)
    else:
        diffuse = (np.maximum(lit + 0.06, 0) / 1.06 * seen)[:, None]
    if material.kind == "eye":
        seen = np.maximum(seen, 0.6)  # lids and lashes shade the ball, but it mirrors the lamps
    lit = np.maximum(lit, 0)
    half = unit(spot.view + towards)
    straight, across = np.clip(_dot(spot.normal, half), 0, 1), np.clip(half @ towards, 0.15, 1)
    if material.kind == "skin":
        gloss = 0.65 * _ggx(material.roughness, light, straight) + 0.35 * _ggx(material.roughness * 0.55, light, straight)
    else:
        gloss = _ggx(material.roughness, light, straight)
    fresnel = (1 - across) ** 5 * (1 - material.specular) * (1 - material.roughness)
    gloss *= (_reflectance(material) + fresnel) * 0.25 / (across * across)
    if material.kind == "cloth":
        # Black cloth shows its folds by a soft shine that paler cloth outshines.
        gloss += _ggx(0.5, light, straight) * 0.0035 * spot.dark
    out = spot.albedo * diffuse + (gloss * lit * seen)[:, None]
    if material.sheen:
        rim = (1 - np.clip(spot.facing, 0, 1)) ** 3 * material.sheen * (0.3 + 0.7 * lit) * seen
        out += rim[:, None] * (0.35 + 0.65 * np.sqrt(spot.albedo))
    return out * np.array(light.colour, np.float32)


def _surroundings(spot: _Spot, open_: np.ndarray, studio: Studio) -> np.ndarray:
    """Answer (N, 3) to walls, ceiling and floor, of which ``open_`` (N,) from 0 to 1 is not hidden."""
    material, facing = spot.material, spot.facing
    out = _around(spot.normal, studio) * spot.albedo * _interreflection(open_, spot.albedo)
    mirrored = 2 * facing * spot.normal[:, 1] - spot.view[:, 1]
    bright = 0.55 + 0.6 * np.clip(mirrored, -0.6, 1)
    edge = (1 - np.clip(facing, 0, 1)) ** 5
    strength = _reflectance(material) + max(0.0, 1 - material.roughness - material.specular) * edge
    out += (strength * bright * open_ * open_)[:, None] * np.array(studio.sky, np.float32)
    return out


def _around(normal: np.ndarray, studio: Studio) -> np.ndarray:
    """(N, 3) light of the surroundings on a face along ``normal``."""
    sky, ground = np.array(studio.sky, np.float32), np.array(studio.ground, np.float32)
    return ground + (sky - ground) * (0.5 + 0.5 * normal[:, 1:2])


def _hair(
    albedo: np.ndarray, normal: np.ndarray, tangent: np.ndarray, view: np.ndarray, seen: np.ndarray, studio: Studio
) -> np.ndarray:
    """Radiance (N, 3) of strands along ``tangent``: soft body, a white and a coloured highlight."""
    out = _around(normal, studio) * albedo * seen[:, :1] ** 1.2
    first, second = unit(tangent - 0.07 * normal), unit(tangent + 0.12 * normal)
    glow = 0.75 * albedo ** np.float32(0.6) + 0.01
    for index, light in enumerate(studio.lights):
        towards = light.towards
        half = unit(view + towards)
        along = tangent @ towards
        body = np.sqrt(np.maximum(1 - along * along, 0)) * np.clip(normal @ towards * 0.7 + 0.3, 0, 1)
        white = _strand(first, half, 90.0) * 0.06
        tinted = _strand(second, half, 16.0) * 0.34
        gate = np.clip(normal @ towards * 1.5 + 0.4, 0, 1)
        answer = albedo * (0.85 * body)[:, None] + (white * gate)[:, None] + glow * (tinted * gate)[:, None]
        out += answer * seen[:, 1 + index : 2 + index] * np.array(light.colour, np.float32)
    return out


def _strand(tangent: np.ndarray, half: np.ndarray, sharpness: float) -> np.ndarray:
    along = _dot(tangent, half)
    return np.maximum(1 - along * along, 0) ** np.float32(sharpness / 2)


def _reflectance(material: Material) -> float:
    """At normal incidence; fibres standing every way swallow much of what a smooth surface throws back, and colours stay true."""
    return material.specular * (1 - material.roughness**2 * (0.9 if material.kind == "cloth" else 0.3))


def _ggx(roughness: float, light: Light, straight: np.ndarray) -> np.ndarray:
    """Normal distribution times pi, widened by the lamp's size."""
    wide = min(1.0, roughness * roughness + light.spread / 3) ** 2
    return wide / (straight * straight * (wide - 1) + 1) ** 2


def _interreflection(open_: np.ndarray, albedo: np.ndarray) -> np.ndarray:
    """Occlusion (N, 3) with light thrown between surfaces of colour ``albedo``: folds of a red cloth stay red."""
    x = _LEAST + (1 - _LEAST) * open_[:, None]
    a, b, c = 2.0404 * albedo - 0.3324, 0.6417 - 4.7951 * albedo, 2.7552 * albedo + 0.6903
    return np.maximum(x, ((x * a + b) * x + c) * x)


def _brightest(colours: np.ndarray) -> np.ndarray:
    """(...,) the largest of three channels; much faster than ``max`` along so short an axis."""
    return np.maximum(np.maximum(colours[..., 0], colours[..., 1]), colours[..., 2])


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", a, b)


_KNEE = np.float32(0.62)  # colours up to here stay as they are


def tone(linear: np.ndarray) -> np.ndarray:
    """Linear RGB (..., 3), any range -> sRGB (..., 3) float32 in 0..1.

    Colours are kept as they are up to a shoulder that rolls lights off below white; hue is held by curving the brightest channel
    and giving the others the same factor, apart from a little bleaching of the very brightest.
    """
    peak = _brightest(linear)[..., None]
    over = np.maximum(peak - _KNEE, 0)
    curved = np.minimum(peak, _KNEE) + (1 - _KNEE) * (1 - np.exp(-over / (1 - _KNEE)))
    out = linear * (curved / np.maximum(peak, 1e-6))
    out += (curved - out) * (np.maximum(over - 0.1, 0) * 0.25)
    return encode(out).astype(np.float32)


def untone(linear: np.ndarray) -> np.ndarray:
    """Linear RGB (..., 3) that :func:`tone` turns into the colours ``linear``, white apart, which it never reaches."""
    peak = _brightest(linear)[..., None]
    over = np.clip((peak - _KNEE) / (1 - _KNEE), 0, 0.97)
    return linear * ((np.minimum(peak, _KNEE) - (1 - _KNEE) * np.log1p(-over)) / np.maximum(peak, 1e-6))

"""Light: the folds of the worn cloth as a factor, and skin where cloth went away."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from helpers.pixels import cluster, length, nearest_known
from helpers.tryon.drape.warp import fill

_LEAST, _MOST = 0.72, 1.3


def folds(lab: np.ndarray, linear: np.ndarray, worn: np.ndarray) -> tuple[np.ndarray, float]:
    """The worn cloth's light and shade as a factor on linear light, float32 (H, W) about 1, and how patterned that cloth is, 0..1.

    lab: float32 (H, W, 3) CIE Lab; linear: float32 (H, W, 3); worn: bool (H, W). Dyes are told apart by clustering Lab colours;
    light is log luminance less that of its own dye, so that stripes and prints do not come through. The more patterned the cloth,
    the wider the blur and the weaker the effect; dark cloth, whose light is mostly noise and gloss, counts less.
    """
    core = cv2.erode(worn.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    core = core if core.sum() > 100 else worn
    dyes = dye_colours(lab[core])
    distance = np.stack([length((lab - dye) * (0.6, 1, 1)) for dye in dyes], -1)
    dye = distance.argmin(-1)
    luminance = np.log(np.maximum(linear @ np.array([0.2126, 0.7152, 0.0722], np.float32), 0.004))
    light = np.zeros_like(luminance)
    for k in range(len(dyes)):
        mine = core & (dye == k)
        if mine.any():
            light[mine] = luminance[mine] - np.median(luminance[mine])
    odd = (distance.min(-1) > 17) & core  # a small print, a button: neither dye nor light
    border = np.zeros_like(core)
    border[:, 1:] |= dye[:, 1:] != dye[:, :-1]
    border[1:] |= dye[1:] != dye[:-1]
    patterned = float(np.clip(border[core].mean() / 0.06, 0, 1)) if len(dyes) > 1 else 0.0
    unsure = cv2.dilate((border & (len(dyes) > 1) | odd).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    trusted = core & ~unsure
    trusted = trusted if trusted.sum() > 0.05 * core.sum() else core
    wide = _blur(light, trusted, 14.0)
    fine = _blur(np.where(unsure, wide, light), core, 1.6 + 5 * patterned)
    broad = _blur(light, trusted, 60.0)
    light = wide - 0.55 * broad + (1 - 0.75 * patterned) * (fine - wide)
    brightness = float(np.median(lab[core][:, 0]))
    strength = float(np.clip(brightness / 45, 0.25, 1.0))
    light = fill(light, core)
    return np.clip(np.exp(strength * light), _LEAST, _MOST).astype(np.float32), patterned


def dye_colours(colours: np.ndarray) -> np.ndarray:
    """(k, 3) CIE Lab of the dyes of a cloth whose pixels are ``colours`` (n, 3).

    k-means from farthest points; clusters that differ only in light are merged, rare ones dropped.
    """
    sample = colours[:: max(1, len(colours) // 3000)].astype(np.float64) * (0.6, 1, 1)
    starts = [np.median(sample, 0)]
    for _ in range(4):
        distance = np.min([np.linalg.norm(sample - c, axis=1) for c in starts], 0)
        if np.percentile(distance, 98) < 12:
            break
        starts.append(sample[np.argsort(distance)[int(0.98 * (len(sample) - 1))]])
    centres, label = cluster(sample, np.array(starts))
    share = np.bincount(label, minlength=len(centres)) / len(sample)
    kept: list[np.ndarray] = []
    for k in np.argsort(-share):
        near = [c for c in kept if np.hypot(*(c - centres[k])[1:]) < 8 and abs(c[0] - centres[k][0]) < 15]
        if not near and share[k] > 0.01:
            kept.append(centres[k])
    return np.array(kept) / (0.6, 1, 1)


def _blur(values: np.ndarray, known: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian mean of the known values only, wide ones at reduced size: float32 (H, W)."""
    shrink = 1 if sigma < 4 else 4 if sigma < 30 else 8
    weight = known.astype(np.float32)
    size = tuple(max(1, n // shrink) for n in values.shape[::-1])
    a, b = (cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in (values * weight, weight))
    a, b = (cv2.GaussianBlur(v, (0, 0), sigma / shrink, borderType=cv2.BORDER_CONSTANT) for v in (a, b))
    return cv2.resize(a / np.maximum(b, 1e-4), values.shape[::-1], interpolation=cv2.INTER_LINEAR)


@dataclass(frozen=True)
class Complexion:
    """A person's own skin, from what is seen of it.

    tone: (3,) linear light, its usual colour; field: float32 (H, W, 3) linear light, that of the skin nearby; across: (n,) factor from the
    inner edge of a limb to the outer one; grain: standard deviation of its fine texture, relative
    """

    tone: np.ndarray
    field: np.ndarray
    across: np.ndarray
    grain: float


_BINS = np.linspace(-1, 1, 13)
# A limb in soft light from the front, dark where it faces the trunk (bare arms of photographs and of mannequins).
_ROUND = np.array([0.55, 0.68, 0.79, 0.88, 0.95, 1.01, 1.05, 1.08, 1.09, 1.07, 1.02, 0.93, 0.82])
_HUES = np.array([0.78, 1.06, 1.3], np.float32)
"""Powers of light by channel: what is lit gleams and pales, what is shaded is lit through the skin and reddens."""


def complexion(
    linear: np.ndarray,
    bare: np.ndarray,
    usual: np.ndarray,
    limbs: list[tuple[np.ndarray, np.ndarray]],
    arms: np.ndarray,
    level: float = 1.0,
) -> Complexion:
    """The skin of which ``bare``, bool (H, W), is seen in the photograph ``linear`` (H, W, 3).

    usual: bool (H, W), the part of it whose colour goes on where none is near; limbs: for each, (H, W) how far off its axis a pixel lies,
    in half widths, and bool (H, W) where it is; arms: bool (H, W), those seen; level: of that colour's light, what is told of it
    """
    known = cv2.erode(bare.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    known = known if known.sum() > 100 else bare
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    middle = np.median(luminance[known])
    hue = linear / np.maximum(luminance, 0.01)[..., None]
    odd = np.linalg.norm(hue - np.median(hue[known], 0), axis=2)  # a cuff, a bracelet, the backdrop between fingers
    alike = odd < max(0.25, float(np.percentile(odd[known], 60)))
    sound = known & alike & (luminance > 0.45 * middle) & (luminance < 1.9 * middle)
    across = _across(luminance, limbs, arms & sound)
    flat = linear / _relief(limbs, across, where=arms)  # as it would be without the limb's own shade
    usual = usual & sound if (usual & sound).sum() > 100 else sound
    bright = flat @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    lit = usual & (bright >= np.percentile(bright[usual], 35)) & (bright <= np.percentile(bright[usual], 90))
    tone = level * np.median(flat[lit], 0)
    field = cv2.GaussianBlur(fill(flat, sound), (0, 0), 5)
    own = cv2.GaussianBlur(field, (0, 0), 12)
    shade = np.clip(
        (own @ np.array([0.2126, 0.7152, 0.0722], np.float32)) / max(float(tone @ [0.2126, 0.7152, 0.0722]), 1e-4), 0.5, 2
    )
    own = own / shade[..., None] * np.clip(shade, 0.88, 1.12)[..., None]  # its hue, but not its shadows
    fine = luminance - cv2.GaussianBlur(luminance, (0, 0), 2.5)
    grain = float(np.clip(1.48 * np.median(np.abs(fine[sound])) / max(middle, 1e-4), 0.003, 0.016))
    distance, _ = nearest_known(sound)
    near = np.exp(-distance / (0.5 * sound.sum() ** 0.5))[..., None]  # beside skin that is seen, as that is
    return Complexion(tone, (near * field + (1 - near) * (0.55 * own + 0.45 * tone)).astype(np.float32), across, grain)


def _across(luminance: np.ndarray, limbs: list[tuple[np.ndarray, np.ndarray]], seen: np.ndarray) -> np.ndarray:
    """(n,) light across a limb by the limbs that are ``seen``; a cylinder's where none is."""
    profiles = []
    for off, where in limbs:
        here = where & seen
        if here.sum() < 400:
            continue
        place = np.digitize(off[here], (_BINS[1:] + _BINS[:-1]) / 2)
        values = luminance[here]
        filled = [float(np.median(values[place == k])) if (place == k).sum() > 12 else np.nan for k in range(len(_BINS))]
        profile = np.array(filled) / np.nanmax(filled)
        good = np.isfinite(profile)
        if good.sum() >= 8:
            profiles.append(np.interp(_BINS, _BINS[good], profile[good]))
    if not profiles:
        return _ROUND
    mixed = 0.7 * np.mean(profiles, 0) + 0.3 * _ROUND
    return np.convolve(np.pad(mixed / mixed[4:9].mean(), 1, mode="edge"), [0.25, 0.5, 0.25], "valid").clip(0.55, 1.25)


def invented_skin(
    skin: Complexion, limbs: list[tuple[np.ndarray, np.ndarray]], light: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The person's skin everywhere, float32 (H, W, 3) linear light, rounded where there are ``limbs`` (as in :func:`complexion`).

    light: factor (H, W) of the old cloth's broad folds, of which less than half is kept; rng: makes its texture
    """
    broad = cv2.GaussianBlur(light, (0, 0), 11)[..., None] ** (0.45 * _HUES)
    fine, coarse = (cv2.GaussianBlur(rng.standard_normal(light.shape).astype(np.float32), (0, 0), s) for s in (0.8, 7.0))
    fine, coarse = fine / max(float(fine.std()), 1e-6), coarse / max(float(coarse.std()), 1e-6)
    texture = 1 + skin.grain * fine[..., None] + 0.012 * coarse[..., None] * np.array([0.4, 1.0, 1.2], np.float32)
    return skin.field * _relief(limbs, skin.across) * broad * texture


def _relief(
    limbs: list[tuple[np.ndarray, np.ndarray]], across: np.ndarray, where: np.ndarray | None = None
) -> np.ndarray | float:
    """Factor float32 (H, W, 3) by which ``limbs`` are lit, ``across`` as in :class:`Complexion`; ``where``: bool (H, W), only there."""
    shade = None
    for off, here in limbs:
        here = here if where is None else here & where
        soft = cv2.GaussianBlur(here.astype(np.float32), (0, 0), 2.0) if where is None else here.astype(np.float32)
        shade = np.ones(off.shape, np.float32) if shade is None else shade
        shade += soft * (np.interp(off, _BINS, across).astype(np.float32) - shade)
    return 1.0 if shade is None else shade[..., None] ** _HUES

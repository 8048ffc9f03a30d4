"""Light: the folds of the worn cloth as a factor, and skin where cloth went away."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.pixels import cluster
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
    distance = np.stack([np.linalg.norm((lab - dye) * (0.6, 1, 1), axis=2) for dye in dyes], -1)
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


def invented_skin(
    linear: np.ndarray, bare: np.ndarray, wanted: np.ndarray, limbs: np.ndarray, light: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Skin for ``wanted``, continued from what is ``bare``: float32 (H, W, 3) linear light.

    linear: the photograph; bare, wanted, limbs: bool (H, W), limbs being the arms and legs among ``wanted``, which are rounded by a
    cylinder's shade; light: factor (H, W) of the old cloth's broad folds, of which a third is kept; rng: grain like the photograph's.
    """
    known = cv2.erode(bare.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    known = known if known.sum() > 100 else bare
    tone = np.median(linear[known], 0)
    level = np.clip(linear.sum(2) / tone.sum(), 0, 4)
    known &= (level > 0.45) & (level < 1.8)
    field = fill(linear, known)
    field = 0.85 * field + 0.15 * tone
    shade = np.ones(wanted.shape, np.float32)
    if limbs.any():
        depth = cv2.distanceTransform(limbs.astype(np.uint8), cv2.DIST_L2, 5)
        reach = max(float(np.percentile(depth[limbs], 95)), 1.0)
        across = np.clip(1 - depth / reach, 0, 1)
        shade = np.where(limbs, 1.12 - 0.42 * across**2, shade)
        shade = cv2.GaussianBlur(shade.astype(np.float32), (0, 0), max(1.0, reach / 8))
    soft = cv2.GaussianBlur(light, (0, 0), 6)
    grain = cv2.GaussianBlur(rng.standard_normal(wanted.shape).astype(np.float32), (0, 0), 0.7)
    factor = shade * soft**0.35 * (1 + 0.012 * grain / max(float(grain.std()), 1e-6))
    return field * factor[..., None]


def between_strands(
    linear: np.ndarray, hair: np.ndarray, where: np.ndarray, cloth: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in which hair and cloth mix, and the cloth's share there.

    linear: float32 (H, W, 3) linear RGB; hair, where: bool (H, W), the hair and the pixels that may mix; cloth: float32 (H, W, 3), the
    colour of the cloth behind. Returns bool (H, W) and float32 (H, W) 0..1, from where a pixel lies between cloth and the darkest hair
    near it; where the two are of like colour, from ``hair`` itself.
    """
    near = cv2.dilate(hair.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    locks = fill(linear, hair & (np.linalg.norm(linear - cloth, axis=2) > 0.6 * _contrast(linear, hair, cloth)))
    span = cloth - locks
    size = (span**2).sum(2)
    share = np.clip(((linear - locks) * span).sum(2) / np.maximum(size, 1e-5), 0, 1)
    trust = np.clip((np.sqrt(size) - 0.05) / 0.1, 0, 1)
    outline = 1 - cv2.GaussianBlur(hair.astype(np.float32), (0, 0), 0.7)
    return near & where, trust * share + (1 - trust) * outline


def _contrast(linear: np.ndarray, hair: np.ndarray, cloth: np.ndarray) -> float:
    """How far most of the hair's pixels are from the cloth behind it, in linear RGB."""
    return float(np.percentile(np.linalg.norm(linear[hair] - cloth[hair], axis=1), 60))

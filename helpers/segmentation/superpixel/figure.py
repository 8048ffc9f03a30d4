"""What a picture of a dressed person tells before any click: backdrop and figure, face, skin."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.graph import components, connected, min_cut


def backdrop(lab: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit a smooth Lab surface to what surrounds the figure, growing from the top and the upper sides of ``lab`` (h, w, 3).

    Returns the distance of each pixel from it (h, w) in its own deviations and the trust 0..1 in it.
    """
    height, width = lab.shape[:2]
    half = cv2.resize(lab, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    h, w = half.shape[:2]
    side = max(h, w)
    y, x = np.mgrid[0.5 - h / 2 : h / 2, 0.5 - w / 2 : w / 2].astype(np.float32)[:, :h, :w] / side
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=2)
    rim = np.zeros((h, w), bool)
    edge = max(1, round(0.01 * side))
    rim[:edge] = rim[: int(0.6 * h), :edge] = rim[: int(0.6 * h), -edge:] = True
    chosen, terms = rim, 3
    for _ in range(6):
        sample = np.flatnonzero(chosen)
        sample = sample[:: max(1, len(sample) // 5000)]
        design, target = basis.reshape(-1, 6)[sample, :terms], half.reshape(-1, 3)[sample]
        weight = np.ones((len(sample), 1), np.float32)
        for _ in range(5):
            fit = np.linalg.lstsq(design * weight, target * weight, rcond=None)[0]
            residual = np.linalg.norm(target - design @ fit, axis=1, keepdims=True)
            weight = 1 / (1 + (residual / max(1.2 * float(np.median(residual)), 0.3)) ** 2)
        rest = half - basis[..., :terms] @ fit
        # What is smooth in the residual (a vignette, a horizon) belongs to the backdrop too.
        smooth = _fill(rest, chosen, 0.05 * side)
        rest = rest - smooth
        spread = 1.2 * float(np.median(np.linalg.norm(rest[chosen], axis=1)))
        z = np.linalg.norm(rest, axis=2) / max(0.4, spread)
        near = (z < 4).astype(np.uint8)
        parts = cv2.connectedComponents(near, connectivity=4)[1]
        grown = (near > 0) & np.isin(parts, np.unique(parts[rim & (near > 0)]))
        # Bend the surface only once enough of it is seen to tell a bend.
        terms = 6 if grown.sum() > 0.1 * grown.size else 3
        if grown.sum() < 0.5 * rim.sum():
            break
        chosen = grown
    surface = cv2.resize(basis[..., :terms] @ fit + smooth, (width, height), interpolation=cv2.INTER_LINEAR)
    z = np.linalg.norm(cv2.GaussianBlur(lab - surface, (0, 0), 0.7), axis=2) / max(0.4, spread)
    return z, 1 / (1 + (spread / 4) ** 2)


def _fill(values: np.ndarray, known: np.ndarray, sigma: float) -> np.ndarray:
    """``values`` (h, w, c) smoothed where ``known`` (h, w), fading to 0 away from it; done at a quarter of the size."""
    height, width = known.shape
    weighted = np.dstack([values * known[..., None], known]).astype(np.float32)
    small = cv2.resize(weighted, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(sigma / 4, 0.5))
    return cv2.resize(small[..., :-1] / (small[..., -1:] + 0.02), (width, height), interpolation=cv2.INTER_LINEAR)


def foreground(
    share: np.ndarray, trust: float, area: np.ndarray, pairs: np.ndarray, length: np.ndarray, index: np.ndarray
) -> np.ndarray:
    """(n,) 0..1, regions in front of the backdrop: what a cut leaves unconnected to the rim. ``share`` (n,): of pixels unlike it.

    Enclosed regions that look like backdrop are a gap (between arm and waist) the surer, the fewer of their pixels differ from it;
    else perhaps cloth of the backdrop's colour.
    """
    step = np.abs(share[pairs[:, 0]] - share[pairs[:, 1]])
    pairwise = 0.06 * length * np.exp(-3 * step)
    outside = ~min_cut(pairs, (1 - 2 * share) * np.sqrt(area / area.mean()), pairwise)
    rim = np.zeros(len(share), bool)
    rim[index[0]] = rim[index[: int(0.6 * index.shape[0]), [0, -1]].ravel()] = True
    open_air = connected(pairs, outside, np.flatnonzero(rim & outside))
    if area[open_air].sum() < 0.05 * area.sum():
        return np.ones(len(share))
    part = components(pairs, outside)
    differing = np.bincount(part, area * share) / np.bincount(part, area)
    return 1 - trust * np.where(open_air, 1.0, np.where(outside, np.clip(1 - 3 * differing[part], 0.4, 0.9), 0.0))


def head_zone(centre: np.ndarray, face: tuple[float, float, float] | None) -> np.ndarray:
    """(n,) 0..1, 1 in the oval of the face and 0.5 where hair would be around it."""
    if face is None:
        return np.zeros(len(centre))
    x, y, width = face
    dx, dy = (centre - (x, y)).T / width
    oval = (dx / 0.36) ** 2 + (dy / 0.48) ** 2 < 1
    hair = (dx / 0.75) ** 2 + ((dy + 0.1) / 0.8) ** 2 < 1
    return np.where(oval, 1.0, np.where(hair, 0.5, 0.0))


def likeness_to_skin(
    colour: np.ndarray, lab: np.ndarray, face: tuple[float, float, float] | None, figure: np.ndarray, centre: np.ndarray
) -> np.ndarray:
    """(n,) 0..1, likeness to the skin of the face, or without one to skin-like colour at the top of the figure, or to skin in general."""
    hue, chroma = np.arctan2(colour[:, 2], colour[:, 1]), np.hypot(colour[:, 1], colour[:, 2])
    general = np.exp(-0.5 * (((hue - 0.85) / 0.25) ** 2 + ((chroma - 22) / 8) ** 2 + ((colour[:, 0] - 68) / 18) ** 2))
    general *= figure > 0.6
    if face is not None:
        x, y, width = face
        r = 0.22 * width
        patch = lab[int(max(0, y - r)) : int(y + r) + 1, int(max(0, x - r)) : int(x + r) + 1].reshape(-1, 3)
        tone = np.median(patch, axis=0)
    else:
        rows = centre[figure > 0.6, 1]
        top = (general > 0.4) & (centre[:, 1] < np.quantile(rows, 0.25)) if len(rows) else np.zeros(len(colour), bool)
        if top.sum() < 6:
            return general
        tone = np.median(colour[top], axis=0)
    face_hue, face_chroma = np.arctan2(tone[2], tone[1]), np.hypot(tone[1], tone[2])
    if face_chroma < 6 or not -0.1 < face_hue < 1.5:
        return general
    # Shade changes lightness a lot, chroma somewhat, hue little.
    turn = (hue - face_hue) * np.sqrt(np.maximum(chroma * face_chroma, 1)) / 4
    likeness = np.exp(-0.5 * (turn**2 + ((chroma - face_chroma) / 8) ** 2 + ((colour[:, 0] - tone[0]) / 16) ** 2))
    return likeness * (figure > 0.6)

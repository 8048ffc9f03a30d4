"""What holds a garment up in its picture and is no part of it: a hanger's hook, a dummy's neck and arms."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.graph import components, connected, min_cut
from helpers.tryon.surroundings import Surroundings, density


def without_hook(mask: np.ndarray) -> np.ndarray:
    """``mask`` bool (h, w) without a thin piece that stands up from the middle of its top; straps come in pairs, beside the middle."""
    rows, columns = np.nonzero(mask)
    left, right, top = columns.min(), columns.max(), rows.min()
    middle, wide = (left + right) / 2, right - left
    radius = max(1, round(0.02 * np.sqrt(len(rows))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    stout = cv2.dilate(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc), np.ones((3, 3), np.uint8)) > 0
    count, pieces, stats, centres = cv2.connectedComponentsWithStats((mask & ~stout).astype(np.uint8), connectivity=8)
    out = mask.copy()
    for k in range(1, count):
        x, y, w, h, _ = stats[k]
        near = abs(centres[k][0] - middle) < 0.16 * wide and w < 0.25 * wide
        body = np.nonzero(stout[:, max(0, int(x)) : int(x + w)].any(1))[0]
        stands = body.size and y + 0.5 * h < body.min() and h > 0.03 * np.sqrt(len(rows))
        if near and stands and y <= top + 0.02 * np.ptp(rows):
            out &= pieces != k
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(out.astype(np.uint8), connectivity=8)
    return pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def without_dummy(around: Surroundings, inside: np.ndarray) -> np.ndarray:
    """(n,) ``inside`` less a dummy, which is told by its neck: a post of one colour, not the cloth's, on top in the middle."""
    mask = inside[around.index]
    post = _post(mask)
    if post is None:
        return inside
    share = np.bincount(around.index.ravel(), post.ravel()) / around.area
    neck = inside & (share > 0.6)
    if neck.sum() < 4:
        return inside
    tone = np.median(around.lab[neck], 0)
    off = (around.lab - tone) * (0.45, 1, 1)
    if np.percentile(np.linalg.norm(off[neck], axis=1), 75) > 5:  # patterned: a collar
        return inside
    alike = inside & (np.linalg.norm(off, axis=1) < 7)
    below = inside & (around.centre[:, 1] > np.nonzero(post.any(1))[0].max() + 0.12 * len(mask))
    if around.area[alike & below].sum() > 0.75 * around.area[below].sum():  # the cloth's own colour: a high collar
        return inside
    pieces = _large(around, alike, 0.015, inside)
    seen = pieces | connected(around.pairs, alike, np.flatnonzero(neck))
    in_pattern = (
        around.area[seen].sum() < 0.6 * around.area[alike].sum() or len(np.unique(components(around.pairs, pieces)[pieces])) > 6
    )
    cloth = inside & ~alike
    width = np.array([9.0, 3.5, 3.5])
    likely = density(around.lab, _some(around.lab[neck]), width) - density(around.lab, _some(around.lab[cloth]), width)
    unary = np.where(inside, np.clip(-likely, -5, 5), 0.0)
    unary[neck] = -50
    sharp = np.maximum(around.contrast / max(around.calm, 0.3) - 1.3, 0)
    held = min_cut(around.pairs, unary * around.area / around.area.mean(), around.length * (0.5 * np.exp(-0.15 * sharp) + 0.01))
    held &= inside
    held = connected(around.pairs, held, np.flatnonzero(neck)) if in_pattern else held & _large(around, held, 0.004, inside)
    rest = inside & ~held
    return rest if around.area[rest].sum() > 0.25 * around.area[inside].sum() else inside


def _large(around: Surroundings, chosen: np.ndarray, share: float, of: np.ndarray) -> np.ndarray:
    """(n,) the pieces of ``chosen`` that hold more than such a ``share`` of the area of ``of``."""
    part = components(around.pairs, chosen)
    size = np.bincount(part, around.area)
    return chosen & (size[part] > share * around.area[of].sum())


def _post(mask: np.ndarray) -> np.ndarray | None:
    """bool (h, w): what stands on top of ``mask`` like a neck: one piece, as wide above as below and at least half as high as wide."""
    rows = np.nonzero(mask.any(1))[0]
    columns = np.nonzero(mask.any(0))[0]
    top, wide, high = int(rows[0]), len(columns), len(rows)
    widths = mask[top : top + int(0.4 * high) + 1].sum(1).astype(float)
    if len(widths) < 8:
        return None
    settled = max(2, round(0.02 * high))
    first = float(np.median(widths[settled : settled + max(3, round(0.03 * high))]))
    if not 0.06 * wide < first < 0.45 * wide:
        return None
    wider = np.nonzero(widths[settled:] > 1.35 * first)[0]
    end = settled + (int(wider[0]) if wider.size else len(widths))
    if end < 0.4 * first or end >= len(widths):
        return None
    post = np.zeros_like(mask)
    post[top : top + end - 1] = mask[top : top + end - 1]
    if np.ptp(np.nonzero(post)[1]) > 1.6 * first:  # two straps
        return None
    middle = float(np.nonzero(post)[1].mean())
    return post if abs(middle - (columns[0] + columns[-1]) / 2) < 0.2 * wide else None


def _some(values: np.ndarray) -> np.ndarray:
    return values[:: max(1, len(values) // 400)]

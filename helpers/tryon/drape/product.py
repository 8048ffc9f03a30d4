"""What is seen of a garment from within, in its product photograph: necks, cuffs."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.tryon.backdrop import solid_with_holes
from helpers.tryon.drape.silhouette import Silhouette

_FAR = 0.3  # of the garment


def without_inside(mask: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """bool (H, W): ``mask`` without the cloth seen from within and without the rims (band of the back, far side of a cuff) beyond it.

    inside: bool (H, W). Each opening is looked through in one direction: up or down near the middle line, else across its longer
    axis and away from the cloth around it. What lies farther in that direction than the opening's first pixel is the far side.
    """
    closed = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, pieces, stats, centres = cv2.connectedComponentsWithStats(closed, connectivity=8)
    rows, columns = np.nonzero(mask)
    points = np.column_stack([columns, rows]).astype(float)
    centre = np.array([(columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2])
    gone = closed > 0
    for k in range(1, count):
        left, _, width, _, area = stats[k]
        if area < 0.0002 * len(rows):
            continue
        opening = np.argwhere(pieces == k)[:, ::-1].astype(float)
        if left < centre[0] < left + width:
            direction = np.array([0.0, -1.0 if centres[k][1] < centre[1] else 1.0])
        else:
            spread, axes = np.linalg.eigh(np.cov(opening.T))
            away = points - centres[k]
            about = away[(np.linalg.norm(away, axis=1) < 6 * spread[1] ** 0.5) & (closed[rows, columns] == 0)]
            outward = -about.mean(0) if len(about) else centres[k] - centre
            flat = spread[1] > 3 * spread[0]  # a round opening has no longer axis
            direction = axes[:, 0] * np.sign(axes[:, 0] @ outward) if flat else outward / max(np.linalg.norm(outward), 1e-6)
        side = np.array([-direction[1], direction[0]])
        place, depth = (opening @ side).round().astype(int), opening @ direction
        first = np.full(int(np.ptp(place)) + 1, np.inf)
        np.minimum.at(first, place - place.min(), depth)
        known = np.isfinite(first)
        first = np.interp(np.arange(len(first)), np.nonzero(known)[0], first[known])
        first = np.pad(first, 4, mode="edge")
        at = (points @ side).round().astype(int) - place.min() + 4
        near = (at >= 0) & (at < len(first))
        near[near] = points[near] @ direction >= first[at[near]]
        near &= closed[rows, columns] == 0
        if near.sum() < _FAR * len(rows):  # more than that is no far side of a cuff or a neckline
            gone[rows[near], columns[near]] = True
    front = mask & ~gone
    front = cv2.morphologyEx(front.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    return solid_with_holes(front)


def cuff_share(lab: np.ndarray, outline: Silhouette, side: str) -> float:
    """How much of a sleeve's length is its outside, 0.8..1: at the cuff a shaded inside may show."""
    root = (outline.points[f"{side}-shoulder"] + outline.points[f"{side}-armpit"]) / 2
    cuff = (outline.points[f"{side}-cuff-outer"] + outline.points[f"{side}-cuff-inner"]) / 2
    axis, long = cuff - root, float(np.linalg.norm(cuff - root))
    if long < 20:
        return 1.0
    wide = 0.32 * float(np.linalg.norm(outline.points[f"{side}-cuff-outer"] - outline.points[f"{side}-cuff-inner"]))
    across = np.array([-axis[1], axis[0]]) / long
    along, beside = np.meshgrid(np.linspace(0.5, 0.99, 50), np.linspace(-wide, wide, 9), indexing="ij")
    at = (root + along[..., None] * axis + beside[..., None] * across).astype(np.float32)
    light = cv2.remap(lab[..., 0], at[..., 0], at[..., 1], cv2.INTER_LINEAR).mean(1)
    steps = [(k, light[k - 8 : k].mean() - light[k:].mean()) for k in range(30, 47)]
    best, drop = max(steps, key=lambda step: step[1])
    return float(along[best, 0] - 0.02) if drop > 14 else 1.0

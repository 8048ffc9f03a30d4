"""A garment's silhouette: one solid piece, its outline walked in one order and cut at landmarks (which ``landmarks`` finds).

Points are (x, y) in pixels; "left" and "right" are the picture's, not the wearer's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

SIDES = ("left", "right")


@dataclass(frozen=True)
class Silhouette:
    """An outline cut at its landmarks.

    points: name -> (2,) float, x, y. Tops and dresses: ``{side}-collar`` (end of the neckline), ``{side}-shoulder`` (top of the
        armhole), ``{side}-armpit``, ``{side}-hem``, ``neck``, ``hem``, and with sleeves ``{side}-cuff-outer``, ``{side}-cuff-inner``.
        Trousers and skirts: ``{side}-waist``, ``{side}-hem``, ``waist``, ``hem``, and with legs ``crotch``, ``{side}-inseam``.
    edges: name -> (n, 2) float, the outline between two landmarks: ``{side}-neck``, ``-yoke`` (collar to shoulder), ``-outer`` and
        ``-inner`` (sleeve), ``-armhole``, ``-side``, ``-hem``, ``-inseam``, ``-waist``.
    sleeved: side -> whether that arm is sleeved. guessed: names of landmarks that the outline does not show.
    """

    mask: np.ndarray
    centre: float
    points: dict[str, np.ndarray]
    edges: dict[str, np.ndarray]
    sleeved: dict[str, bool] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()

    @property
    def shoulder_width(self) -> float:
        """Distance in pixels between the tops of the armholes."""
        return float(np.linalg.norm(self.points["left-shoulder"] - self.points["right-shoulder"]))

    @property
    def chest_width(self) -> float:
        """Distance in pixels between the armpits."""
        return float(np.linalg.norm(self.points["left-armpit"] - self.points["right-armpit"]))


def solid(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece of ``mask``, holes filled: bool (H, W)."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    out = np.zeros(mask.shape, np.uint8)
    if outlines:
        cv2.drawContours(out, [max(outlines, key=cv2.contourArea)], -1, 1, -1)
    return out > 0


def torso_core(mask: np.ndarray) -> np.ndarray:
    """``mask`` without whatever is thinner than the trunk (sleeves, straps): an opening by a disc, at quarter size."""
    small = cv2.resize(mask.astype(np.uint8), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = np.pad(small, 1)
    radius = cv2.distanceTransform(small, cv2.DIST_L2, 5)
    core = cv2.distanceTransform((radius < 0.62 * radius.max()).astype(np.uint8), cv2.DIST_L2, 5) < 0.62 * radius.max()
    core = core[1:-1, 1:-1].astype(np.uint8)
    return (cv2.resize(core, mask.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0) & mask


def walk(half: np.ndarray, middle: float) -> np.ndarray:
    """Outline (n, 2) of the left half, from the top of the middle line over the outside to its bottom."""
    cut = half.copy()
    cut[:, round(middle) + 1 :] = False
    outlines, _ = cv2.findContours(cut.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)[:, 0].astype(float)
    on_line = outline[:, 0] >= round(middle) - 1
    rows = np.where(on_line, outline[:, 1], np.nan)
    if on_line.any():
        start, end = int(np.nanargmin(rows)), int(np.nanargmax(rows))
    else:
        start, end = int(outline[:, 1].argmin()), int(outline[:, 1].argmax())
    outline = np.roll(outline, -start, 0)
    end = (end - start) % len(outline)
    path, back = outline[: end + 1], np.vstack([outline[end:], outline[:1]])[::-1]
    return path if path[:, 0].min() < back[:, 0].min() or len(path) > len(back) else back


def hollows(path: np.ndarray) -> list[tuple[int, int, int, float]]:
    """Concave stretches of a closed outline (n, 2), by index: (first, last, deepest, depth in pixels)."""
    points = path.round().astype(np.int32)
    hull = np.sort(cv2.convexHull(points, returnPoints=False).ravel())[::-1].reshape(-1, 1)
    found = cv2.convexityDefects(points, np.ascontiguousarray(hull))
    return [] if found is None else [(int(a), int(b), int(d), d256 / 256) for a, b, d, d256 in found.reshape(-1, 4)]

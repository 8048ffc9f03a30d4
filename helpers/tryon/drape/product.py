"""The garment in its product photograph: where it is, and where its front ends at the neck."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from helpers.garment import Garment
from helpers.tryon.backdrop import garment_mask, solid_with_holes, trimmed
from helpers.tryon.drape import landmarks
from helpers.tryon.drape.silhouette import Silhouette


@dataclass(frozen=True)
class FrontEdge:
    """The front edge at the neck, seen against the inside of the back.

    curve: (n, 2) float, x, y from the left end to the right one; inside: bool (H, W), the inner back panel above it
    clarity: 0..1, how clearly the edge stands out; shape: "round", "v", "straight"
    """

    curve: np.ndarray
    inside: np.ndarray
    clarity: float
    shape: str


@dataclass(frozen=True)
class Pictured:
    """What is told from a garment's picture: the silhouette of its ``front``, bool (H, W) ``holes`` in it (between straps), and where it
    ends at the ``neck``, if that is seen."""

    front: Silhouette
    holes: np.ndarray
    neck: FrontEdge | None = None


def study(garment: Garment) -> Pictured:
    """Finds the garment in its picture, and its front. Raises ``ValueError`` where there is too little of it."""
    known = garment.mask is not None and garment.inside is not None  # a mask with its inside is exact
    if garment.mask is None:
        mask = garment_mask(garment.image)
    else:
        mask = garment.mask if known else trimmed(garment.image, garment.mask)
    if mask.sum() < 400:
        raise ValueError(f"garment mask holds only {int(mask.sum())} pixels. Pass a mask that covers the garment.")
    if garment.inside is not None:
        mask = without_inside(mask, garment.inside)
    if garment.category == "lower":
        return Pictured(landmarks.lower(mask), np.zeros_like(mask))
    front = landmarks.upper(mask)
    if garment.inside is not None:
        return Pictured(front, front.mask & ~mask)
    lab = cv2.cvtColor(garment.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    neck = front_neckline(lab, front)
    if neck is not None:
        front = landmarks.upper(mask & ~neck.inside, centre=front.centre)
    return Pictured(front, front.mask & ~mask, neck)


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
        gone[rows[near], columns[near]] = True
    front = mask & ~gone
    front = cv2.morphologyEx(front.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    return solid_with_holes(front)


def front_neckline(lab: np.ndarray, outline: Silhouette) -> FrontEdge | None:
    """The front edge at the neck of a top, or ``None`` where no back panel is seen behind it.

    lab: float32 (H, W, 3) CIE Lab of the product photograph; outline: its silhouette.
    A family of curves between the ends of the neckline (from V to square, of every depth) is laid over the picture's colour
    gradient; the one along which the colour changes most, and steadily, is taken and then laid onto the edge itself.
    """
    left, right = outline.points["left-collar"], outline.points["right-collar"]
    half, chest = (right[0] - left[0]) / 2, outline.chest_width / 2
    notch = outline.points["neck"][1] - max(left[1], right[1])
    if half < 6 or half > 1.3 * chest:
        return None
    relief, curves = _Relief.of(lab, outline.mask, chest), _Curves.between(left, right, chest)
    score = _score(curves, relief, chest)
    score[curves.depth < notch] = 0
    level = outline.mask[int(np.clip(max(left[1], right[1]) + 0.16 * chest, 0, len(outline.mask) - 1))]
    if half < 0.42 * chest and level.sum() < 2.7 * half:  # a collar that stands: only its rim is open
        score[curves.depth > 0.45 * half] = 0
    likely = int(score.argmax())
    if score[likely] <= 0:
        return None
    lower = np.arange(len(outline.mask))[:, None] - outline.points["neck"][1]
    below = relief.well_inside & (lower > 0.5 * chest) & (lower < 1.8 * chest)
    x, y, normal = curves.x[likely], curves.y[likely], curves.normal[:, likely]
    uniform, shaded = _foreign(lab, x, y, outline, below)
    if notch > 0.3 * chest and not shaded:  # deep, as between straps, mostly with no back panel behind
        return None
    clarity = _clarity(score, curves.depth / chest, relief.texture(below), uniform)
    if clarity < 0.15:  # the colour changes as much elsewhere: a print
        return None
    curve = _follow(np.column_stack([x, y]), normal.T, relief.across, relief.down, reach=0.09 * chest)
    tips = np.array([[left[0], left[1]], [right[0], right[1]]])
    curve = np.vstack([tips[:1], curve, tips[1:]])
    above = np.zeros(outline.mask.shape, np.uint8)
    ring = np.vstack([curve, [[curve[-1, 0], -9], [curve[0, 0], -9]]])
    cv2.fillPoly(above, [ring.round().astype(np.int32)], 1)
    power = curves.power[likely]
    shape = "v" if power < 1.3 else "straight" if power > 3.5 else "round"
    return FrontEdge(curve, (above > 0) & outline.mask, clarity, shape)


@dataclass(frozen=True)
class _Relief:
    """Where the picture's colour changes: gradients ``across`` and ``down`` float32 (H, W, 3); ``broad`` (H, W) lightness of the
    surroundings; ``well_inside`` bool (H, W), away from the garment's outline."""

    across: np.ndarray
    down: np.ndarray
    broad: np.ndarray
    well_inside: np.ndarray

    @classmethod
    def of(cls, lab: np.ndarray, mask: np.ndarray, chest: float) -> _Relief:
        smooth = np.nan_to_num(cv2.GaussianBlur(lab, (0, 0), max(1.0, chest / 90)))
        across, down = (cv2.Sobel(smooth, cv2.CV_32F, *d, ksize=3, scale=0.125) for d in ((1, 0), (0, 1)))
        broad = cv2.blur(lab[..., 0], (max(3, int(0.14 * chest)),) * 2)
        well_inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3) > max(4.0, 0.06 * chest)
        return cls(across, down, broad, well_inside)

    def texture(self, where: np.ndarray) -> float:
        """How much the colour changes in most of ``where``, bool (H, W)."""
        change = np.hypot(np.linalg.norm(self.across, axis=2), np.linalg.norm(self.down, axis=2))
        return float(np.percentile(change[where], 75)) if where.any() else 0.0


@dataclass(frozen=True)
class _Curves:
    """C candidates for the front edge, at n places each: ``x`` and ``y`` (C, n), ``normal`` (2, C, n) downwards; ``power`` (C,) from 1,
    a V, to 4, nearly square; ``depth`` (C,) pixels below the ends of the neckline."""

    x: np.ndarray
    y: np.ndarray
    normal: np.ndarray
    power: np.ndarray
    depth: np.ndarray

    @classmethod
    def between(cls, left: np.ndarray, right: np.ndarray, chest: float) -> _Curves:
        """left, right: (2,) the ends of the neckline; chest: half its width in pixels."""
        half, rise = (right[0] - left[0]) / 2, right[1] - left[1]
        u = np.linspace(-0.94, 0.94, 61)
        powers = np.array([1.0, 1.2, 1.5, 2.0, 2.8, 4.0])
        depths = np.arange(0.08, 1.25, 0.02) * chest
        widths = np.array([0.84, 0.92, 1.0])
        p, d, w = (g.ravel()[:, None] for g in np.meshgrid(powers, depths, widths, indexing="ij"))
        x = (left[0] + right[0]) / 2 + u * half * w
        y = left[1] + rise * (u * w + 1) / 2 + d * (1 - np.abs(u) ** p)
        slope = -d * p * np.abs(u) ** (p - 1) * np.sign(u) / np.maximum(half * w, 1) + rise / (2 * half)
        return cls(x, y, np.stack([-slope, np.ones_like(slope)]) / np.hypot(slope, 1), p[:, 0], d[:, 0])

    def beside(self, offset: float) -> tuple[np.ndarray, np.ndarray]:
        """x and y (C, n) of places ``offset`` pixels below each curve."""
        return self.x + offset * self.normal[0], self.y + offset * self.normal[1]


def _score(curves: _Curves, relief: _Relief, chest: float) -> np.ndarray:
    """(C,) how much, and how steadily, the colour changes across each curve; 0 for one that leaves the cloth."""
    height, width = relief.well_inside.shape

    def pixels(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.clip(y.round().astype(int), 0, height - 1), np.clip(x.round().astype(int), 0, width - 1)

    change = np.zeros(curves.x.shape, np.float32)
    nx, ny = curves.normal[..., None]
    for offset in (-0.02 * chest, 0.0, 0.02 * chest):
        at = pixels(*curves.beside(offset))
        change = np.maximum(change, np.linalg.norm(relief.across[at] * nx + relief.down[at] * ny, axis=2))
    steady = np.minimum(change, 6.0)
    on_cloth = relief.well_inside[pixels(curves.x, curves.y)]
    score = (np.sort(steady, 1)[:, : steady.shape[1] // 2].mean(1) + 0.25 * steady.mean(1)) * on_cloth.mean(1) ** 2
    score[on_cloth[:, 15:46].mean(1) < 0.95] = 0
    above, below = (
        cv2.remap(relief.broad, x.astype(np.float32), y.astype(np.float32), cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        for x, y in (curves.beside(-0.09 * chest), curves.beside(0.09 * chest))
    )
    score *= 1 + np.clip((below[:, 12:49].mean(1) - above[:, 12:49].mean(1)) / 12, 0, 1)  # insides lie in the shade
    return score


def _clarity(score: np.ndarray, depth: np.ndarray, texture: float, foreign: bool) -> float:
    """0..1, how clearly the best of the curves stands out from those of another ``depth`` (C,), in half chests, and from the cloth's
    ``texture``; both count less where what lies above it is ``foreign`` to the front."""
    likely = int(score.argmax())
    best = float(score[likely])
    rivals = score[(np.abs(depth - depth[likely]) > 0.25) & (score > 0)]
    rival = float(np.percentile(rivals, 98)) if rivals.size else 0.0
    texture *= 1 - foreign
    rival *= 1 - 0.7 * foreign
    sure = np.clip((best - rival) / (0.4 * best + 1e-6), 0, 1) * np.clip(best, 0, 1)
    return float(sure * np.clip(1.5 - 2 * texture / best, 0, 1))


def _foreign(lab: np.ndarray, x: np.ndarray, y: np.ndarray, outline: Silhouette, below: np.ndarray) -> tuple[bool, bool]:
    """Whether the cloth above the curve x, y is unlike the front ``below``: of a colour not shown there, or darker; and the latter."""
    above = np.zeros(outline.mask.shape, np.uint8)
    top = min(outline.points["left-collar"][1], outline.points["right-collar"][1]) - 9
    ring = np.column_stack([np.r_[x, x[-1], x[0]], np.r_[y - 3, top, top]])
    cv2.fillPoly(above, [ring.round().astype(np.int32)], 1)
    inside = lab[(above > 0) & (cv2.erode(outline.mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)]
    if len(inside) < 60 or below.sum() < 60:
        return False, False
    colour = np.median(inside, 0)
    spread = float(np.median(np.linalg.norm(inside - colour, axis=1)))
    shown = float((np.linalg.norm(lab[below] - colour, axis=1) < max(10.0, 2 * spread)).mean())
    shaded = bool(inside[:, 0].mean() < lab[below][:, 0].mean() - 7)  # a print inside, but in the shade
    return bool(spread < 9 and shown < 0.06) or shaded, shaded


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


def _follow(line: np.ndarray, normal: np.ndarray, across: np.ndarray, down: np.ndarray, reach: float) -> np.ndarray:
    """``line`` (n, 2) moved along its normals (n, 2), by at most ``reach``, onto the strongest steady edge: dynamic programming."""
    offsets = np.linspace(-reach, reach, 25)
    spots = line[:, None] + offsets[None, :, None] * normal[:, None]
    at = [spots[..., k].astype(np.float32) for k in (0, 1)]
    gx, gy = (cv2.remap(g, at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for g in (across, down))
    gain = np.minimum(np.linalg.norm(gx * normal[:, None, :1] + gy * normal[:, None, 1:], axis=2), 6.0)
    gain -= 0.15 * gain.max() * (offsets / reach) ** 2
    step = 0.02 * gain.max() * np.subtract.outer(np.arange(25), np.arange(25)) ** 2
    best, back = gain[0], []
    for row in gain[1:]:
        reached = best[None] - step
        back.append(reached.argmax(1))
        best = reached.max(1) + row
    path = [int(best.argmax())]
    for choice in reversed(back):
        path.append(int(choice[path[-1]]))
    return spots[np.arange(len(line)), path[::-1]]

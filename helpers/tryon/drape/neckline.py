"""Where a top's front ends at the neck, told from the inside of the back that is seen above it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from helpers.pixels import length
from helpers.tryon.drape.silhouette import SIDES, Silhouette

WEIGHTS = {
    "change": 2.2, "least change": -0.7, "change of texture": -0.13, "on cloth": 13.35, "middle on cloth": -0.8, "lighter below": 0.9,
    "everywhere lighter": 2.4, "uneven above": -0.6, "uneven below": -1.25, "depth": 1.05, "depth squared": -2.1,
    "above the notch": -2.2, "power": -0.03, "v": -0.09, "an edge just below": -0.75, "depth of wide": -3.45, "unlike below": 1.5,
    "width": -3.85, "seen in front": -0.95, "seen on patterned front": -3.4,
}  # fmt: skip
"""Multinomial regression of which curve is the neckline, on mannequin garments where the inside of the back is known; rounded."""
NONE = 13.4
"""The score against which each curve stands that there is no back panel to be seen."""
_DEEP = 0.5
"""Of half the chest: an outline notched so deep at the neck is the front's own edge."""
_FLAT = 0.15
"""And one that is not notched even so much is the back's."""


@dataclass(frozen=True)
class FrontEdge:
    """The front edge at the neck, seen against the inside of the back.

    curve: (n, 2) float, x, y from the left end to the right one; inside: bool (H, W), the inner back panel above it
    clarity: 0..1, the likelihood that it lies within a tenth of half the chest of the true one; shape: "round", "v", "straight"
    """

    curve: np.ndarray
    inside: np.ndarray
    clarity: float
    shape: str


def front_neckline(lab: np.ndarray, outline: Silhouette) -> tuple[FrontEdge | None, float]:
    """The most likely front edge at the neck of a top, if there is one at all, and how sure it is, 0..1, that there is one or none.

    lab: float32 (H, W, 3) CIE Lab of the product photograph; outline: its silhouette.
    A family of curves between the ends of the neckline (from V to square, of every depth) is laid over the picture; the signs along each
    are weighed against each other and against there being no back panel to be seen, and the best is laid onto the edge itself.
    """
    left, right = outline.points["left-collar"], outline.points["right-collar"]
    half, chest = (right[0] - left[0]) / 2, outline.chest_width / 2
    notch = outline.points["neck"][1] - max(left[1], right[1])
    if half < 6 or half > 1.3 * chest:
        return None, float(notch > _DEEP * chest)
    relief, curves = _Relief.of(lab, outline.mask, chest), _Curves.between(left, right, chest)
    found = _signs(lab, outline, relief, curves, chest, notch)
    score = np.sum([WEIGHTS[name] * values for name, values in found.items()], axis=0)
    level = outline.mask[int(np.clip(max(left[1], right[1]) + 0.16 * chest, 0, len(outline.mask) - 1))]
    if half < 0.42 * chest and level.sum() < 2.7 * half:  # a collar that stands: only its rim is open
        score[curves.depth > 0.45 * half] -= 5
    likelihood = np.exp(score - max(float(score.max()), NONE))
    none = float(np.exp(NONE - max(float(score.max()), NONE)))
    likelihood, none = likelihood / (likelihood.sum() + none), none / (likelihood.sum() + none)
    likely = int(likelihood.argmax())
    off = np.abs(curves.y - np.interp(curves.x, curves.x[likely], curves.y[likely])).mean(1) / chest
    clarity = float(likelihood[off < 0.1].sum())
    alike = (likelihood > 0.1 * likelihood[likely]) & (off < 0.1)
    shoulders = min(outline.points[f"{side}-shoulder"][1] for side in SIDES)
    stands = outline.points["neck"][1] < shoulders - 0.2 * chest  # of a high collar the outline shows all that matters
    if none > 0.55 or clarity < (0.5 if stands else 0.3):
        if notch > _DEEP * chest:
            return None, 1.0
        if stands:  # the rims of a high collar are many: closed for sure only where none is likely to be the front's
            return None, max(0.0, 2 * none - 1)
        return None, max(0.0, 2 * none - 1) * float(
            notch > _FLAT * chest
        )  # mostly a back panel is seen, surely where it is straight
    likely = int(np.where(alike, found["change"] + found["least change"], -np.inf).argmax())  # of the like ones, along the edge
    x, y, normal = curves.x[likely], curves.y[likely], curves.normal[:, likely]
    curve = _follow(np.column_stack([x, y]), normal.T, relief.across, relief.down, reach=0.08 * chest)
    tips = np.array([[left[0], left[1]], [right[0], right[1]]])
    curve = np.vstack([tips[:1], curve, tips[1:]])
    above = np.zeros(outline.mask.shape, np.uint8)
    ring = np.vstack([curve, [[curve[-1, 0], -9], [curve[0, 0], -9]]])
    cv2.fillPoly(above, [ring.round().astype(np.int32)], 1)
    power = curves.power[likely]
    shape = "v" if power < 1.3 else "straight" if power > 3.5 else "round"
    return FrontEdge(curve, (above > 0) & outline.mask, clarity, shape), clarity


@dataclass(frozen=True)
class _Relief:
    """Where the picture's colour changes: gradients ``across`` and ``down`` float32 (H, W, 3); ``well_inside`` bool (H, W), away
    from the garment's outline."""

    across: np.ndarray
    down: np.ndarray
    well_inside: np.ndarray

    @classmethod
    def of(cls, lab: np.ndarray, mask: np.ndarray, chest: float) -> _Relief:
        smooth = np.nan_to_num(cv2.GaussianBlur(lab, (0, 0), max(1.0, chest / 90)))
        across, down = (cv2.Sobel(smooth, cv2.CV_32F, *d, ksize=3, scale=0.125) for d in ((1, 0), (0, 1)))
        well_inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3) > max(4.0, 0.06 * chest)
        return cls(across, down, well_inside)

    def texture(self, where: np.ndarray) -> float:
        """How much the colour changes in most of ``where``, bool (H, W)."""
        change = np.hypot(length(self.across[where]), length(self.down[where]))
        return float(np.percentile(change, 75)) if where.any() else 0.0


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


def _signs(
    lab: np.ndarray, outline: Silhouette, relief: _Relief, curves: _Curves, chest: float, notch: float
) -> dict[str, np.ndarray]:
    """Name -> (C,) what speaks for and against each curve being where the front ends, as :data:`WEIGHTS` weighs it."""
    height, width = outline.mask.shape

    def at(values: np.ndarray, offset: float) -> np.ndarray:
        x, y = curves.beside(offset * chest)
        return values[np.clip(y.round().astype(int), 0, height - 1), np.clip(x.round().astype(int), 0, width - 1)]

    def beside(*offsets: float) -> np.ndarray:
        return np.stack([at(soft, d) for d in offsets], 2)[:, 6:55].reshape(len(curves.depth), -1, 3)

    soft = cv2.GaussianBlur(lab, (0, 0), max(1.0, chest / 60))
    nx, ny = curves.normal[..., None]
    change = np.zeros(curves.x.shape, np.float32)
    for offset in (-0.02, 0.0, 0.02):
        change = np.maximum(change, np.linalg.norm(at(relief.across, offset) * nx + at(relief.down, offset) * ny, axis=2))
    steady = np.minimum(change, 6.0)
    gain = np.sort(steady, 1)[:, : steady.shape[1] // 2].mean(1) + 0.25 * steady.mean(1)
    on_cloth = at(relief.well_inside, 0.0)
    lighter = (at(soft, 0.045) - at(soft, -0.045))[:, 6:55, 0]  # the inside lies in the shade
    above, below = beside(-0.05, -0.09, -0.13), beside(0.05, 0.1, 0.16, 0.24)
    lower = np.arange(height)[:, None] - outline.points["neck"][1]
    front = relief.well_inside & (lower > 0.5 * chest) & (lower < 1.8 * chest)
    texture, shown = relief.texture(front), soft[front]
    shown = shown[:: max(1, len(shown) // 300)]
    near = np.linalg.norm(np.median(above, 1)[:, None] - shown[None], axis=2) < 7
    depth = curves.depth / chest
    order = np.unique(depth)
    next_below = np.array([gain[(depth > d + 0.03) & (depth < d + 0.2)].max(initial=0.0) for d in order])
    half = float(np.ptp(curves.x[0])) / 2 / chest
    return {
        "change": np.log1p(gain),
        "least change": np.log1p(np.stack([np.median(steady[:, k : k + 20], 1) for k in (0, 20, 41)], 1).min(1)),
        "change of texture": gain / (texture + 0.3),
        "on cloth": on_cloth.mean(1),
        "middle on cloth": np.minimum(on_cloth[:, 15:46].mean(1), 0.95),
        "lighter below": np.tanh(lighter.mean(1) / 6),
        "everywhere lighter": (lighter > 0).mean(1),
        "uneven above": np.log1p(_uneven(above)),
        "uneven below": np.log1p(_uneven(below)),
        "depth": depth,
        "depth squared": depth**2,
        "above the notch": np.maximum(notch / chest - depth, 0),
        "power": curves.power,
        "v": (curves.power == 1).astype(float),
        "an edge just below": next_below[np.searchsorted(order, depth)] / (gain + 0.2),
        "depth of wide": depth * half,
        "unlike below": np.log1p(np.linalg.norm(above.mean(1) - below.mean(1), axis=1)),
        "seen in front": near.mean(1) if len(shown) else np.zeros(len(depth)),
        "seen on patterned front": near.mean(1) * min(texture, 3.0) if len(shown) else np.zeros(len(depth)),
        "width": np.ptp(curves.x, 1) / np.ptp(curves.x),
    }


def _uneven(colours: np.ndarray) -> np.ndarray:
    """(C,) how much ``colours`` (C, n, 3) differ among themselves."""
    return np.linalg.norm(colours - colours.mean(1, keepdims=True), axis=2).mean(1)


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

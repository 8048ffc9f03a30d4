"""Trousers and skirts of another shape or length than what is worn: along the legs' bones, or by the garment's own outline."""

from __future__ import annotations

import numpy as np

from helpers.tryon.drape.body import Body
from helpers.tryon.drape.compatibility import Fitting
from helpers.tryon.drape.landmarks import lower
from helpers.tryon.drape.parts import Part, pairs, polygon
from helpers.tryon.drape.polylines import resample
from helpers.tryon.drape.silhouette import SIDES, Silhouette

_STIFF, _LEG = 0.005, 0.003


def along_legs(worn: Silhouette, garment: Silhouette, body: Body, touches: bool) -> tuple[Silhouette, Fitting] | None:
    """What is seen of ``garment`` below a top, and how it is put on, where it differs in shape or length from what is ``worn``.

    touches: the worn garment runs out of the picture. ``None`` where both are alike, or where the legs are not known.
    """
    if len(body.legs) < 2 or touches:
        return None
    rows_p, rows_g = (np.nonzero(o.mask.any(1))[0] for o in (worn, garment))
    (top_p, low_p), (top_g, low_g) = (rows_p[0], rows_p[-1]), (rows_g[0], rows_g[-1])
    hidden = 0.0 if body.waist_row is None else max(0.0, float(top_p - body.waist_row))
    probe = 0.06 * (low_p - top_p)  # the rim itself is uneven
    scale = _width(worn, top_p + probe) / _width(garment, top_g + 0.06 * (low_g - top_g))
    for _ in range(4):
        scale = _width(worn, top_p + probe) / _width(
            garment, min(top_g + (hidden + probe) / scale, top_g + 0.5 * (low_g - top_g))
        )
    first = min(top_g + hidden / scale, top_g + 0.5 * (low_g - top_g))
    long = scale * (low_g - first)
    ratio = (low_p - top_p) / max(long, 1.0)
    forks = "crotch" in worn.points, "crotch" in garment.points
    if forks[0] == forks[1] and 0.5 < ratio < 1.8:
        return None
    if first > top_g + 0.03 * (low_g - top_g):
        window = garment.mask.copy()
        window[: int(first)] = False
        garment = lower(window)
        if ("crotch" in garment.points) != forks[1]:
            return None
    fitting = Fitting(scale, legs=True, hem_ratio=float(ratio))
    if forks[0] != forks[1]:
        new, old = (("a skirt", "trousers")[fork] for fork in forks[::-1])
        fitting.exchanged = True
        fitting.say(
            f"{new.capitalize()} over {old}: it hangs by its own outline, and what it uncovers is continued from what is seen.",
        )
    if ratio >= 1.3:
        fitting.say("The new garment is shorter than the worn one; the skin of the legs is continued from what is seen.")
    elif ratio <= 0.75:
        fitting.say("The new garment is longer than the worn one; it covers what was bare.")
    return garment, fitting


def _width(outline: Silhouette, row: float) -> float:
    columns = np.nonzero(outline.mask[int(np.clip(row, 0, len(outline.mask) - 1))])[0]
    return max(float(np.ptp(columns)), 1.0) if columns.size else 1.0


def leg_parts(worn: Silhouette, garment: Silhouette, fitting: Fitting, body: Body) -> list[Part]:
    """A skirt in one piece, trousers as two legs along the bones."""
    if "crotch" in garment.points:
        return [_leg(side, worn, garment, fitting, body) for side in SIDES]
    rows, lines = [], []
    for side in SIDES:
        waist = worn.points[f"{side}-waist"]
        seam, hem = garment.edges[f"{side}-side"], garment.edges[f"{side}-hem"]
        fall = max(float((seam[-1, 1] - seam[0, 1]) * fitting.scale), 1.0)
        squeezed = np.array([1.0, min(1.0, max(body.ankle_row - waist[1], 1.0) / fall)]) * fitting.scale
        moved = waist + (seam - seam[0]) * squeezed
        hem_moved = moved[-1] + (hem - hem[0]) * squeezed
        rows.append((resample(worn.edges[f"{side}-waist"], 5), resample(garment.edges[f"{side}-waist"], 5), 1.0))
        rows.append((resample(moved, 12), resample(seam, 12), 1.0))
        rows.append((resample(hem_moved, 6)[1:], resample(hem, 6)[1:], 0.6))
        line = np.vstack([worn.edges[f"{side}-waist"], moved, hem_moved])
        lines.append(line if side == "left" else line[::-1])
    target, source, weight = pairs(rows)
    region = polygon(worn.mask.shape, *lines)
    return [Part("skirt", target, source, weight, region, region, _STIFF)]


def _leg(side: str, worn: Silhouette, garment: Silhouette, fitting: Fitting, body: Body) -> Part:
    limb, other = body.legs[side], body.legs[SIDES[1 - SIDES.index(side)]]
    waist, corner = worn.points["waist"], worn.points[f"{side}-waist"]
    g_side, g_seam, g_hem = (garment.edges[f"{side}-{name}"] for name in ("side", "inseam", "hem"))
    g_fork = garment.points["crotch"]
    fork = (limb.axis[0] + other.axis[0]) / 2 + (0, 0.3 * body.unit)
    if "crotch" in worn.points and abs(worn.points["crotch"][1] - fork[1]) < 0.3 * body.unit:
        fork = worn.points["crotch"]
    end = (g_hem[:, 1].mean() - garment.points["waist"][1]) * fitting.scale + waist[1]
    last = float(np.clip((end - limb.axis[0, 1]) / max(limb.axis[-1, 1] - limb.axis[0, 1], 1.0), 0.15, 1.0))
    at = np.linspace(0, 1, len(limb.axis))
    start = float(np.clip((fork[1] - limb.axis[0, 1]) / max(limb.axis[-1, 1] - limb.axis[0, 1], 1.0), 0.05, 0.8 * last))
    below = g_side[g_side[:, 1] >= g_fork[1]]
    below = below if len(below) > 1 else g_side[-2:]
    flat = np.linalg.norm(resample(below, 24) - resample(g_seam[::-1], 24), axis=1) * fitting.scale
    half = np.clip(0.46 * np.interp(at, np.linspace(start, last, 24), flat), 1.05 * limb.half, 2.4 * limb.half)
    half[at < start] = np.minimum(half, 1.05 * limb.half)[at < start]
    outer, inner = limb.edges(0.5 * start, last, half)[0], limb.edges(start, last, half)[1]
    seam = np.vstack([corner, outer])
    inseam = np.vstack([inner[::-1], fork])
    hem = np.vstack([outer[-1], inner[-1]])
    middle = np.vstack([waist, fork])
    rows = [
        (resample(worn.edges[f"{side}-waist"], 5), resample(garment.edges[f"{side}-waist"], 5), 1.0),
        (resample(seam, 14), resample(g_side, 14), 1.0),
        (resample(hem, 5)[1:-1], resample(g_hem, 5)[1:-1], 0.6),
        (resample(inseam, 10), resample(g_seam, 10), 1.0),
        (resample(middle, 6), resample(np.vstack([garment.points["waist"], g_fork]), 6), 1.5),
    ]
    target, source, weight = pairs(rows)
    region = polygon(worn.mask.shape, middle, inseam[::-1], hem[::-1], seam[::-1], worn.edges[f"{side}-waist"][::-1])
    region |= limb.area(worn.mask.shape, start, last, half)
    return Part(f"{side} leg", target, source, weight, region, region, _LEG)

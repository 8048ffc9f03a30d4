"""Torso, sleeves and legs: which points of the garment go where on the wearer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from helpers.tryon.drape.compatibility import Fitting
from helpers.tryon.drape.polylines import first_part, length, resample
from helpers.tryon.drape.silhouette import SIDES, Silhouette
from helpers.tryon.drape.warp import between

_TORSO, _SLEEVE, _LEG = 0.005, 0.002, 0.004  # smoothing: stiff cloth in front keeps prints straight, sleeves follow the arm


@dataclass(frozen=True)
class Part:
    """One piece of the garment. target, source: (n, 2) matched points x, y; weight: (n,); region: bool (H, W) of the wearer it is
    drawn on; cloth: the part of ``region`` that the new garment reaches; smoothing: see ``warp.backward_map``."""

    name: str
    target: np.ndarray
    source: np.ndarray
    weight: np.ndarray
    region: np.ndarray
    cloth: np.ndarray
    smoothing: float


def _pairs(rows: list[tuple[np.ndarray, np.ndarray, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.vstack([r[0] for r in rows]),
        np.vstack([r[1] for r in rows]),
        np.concatenate([np.full(len(r[0]), r[2]) for r in rows]),
    )


def _polygon(shape: tuple[int, int], *lines: np.ndarray) -> np.ndarray:
    out = np.zeros(shape, np.uint8)
    cv2.fillPoly(out, [np.vstack(lines).round().astype(np.int32)], 1)
    return out > 0


def _nearer(piece: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """``piece`` and the pixels outside both that lie within a few pixels of it and nearer to it than to ``rest``."""
    to_piece, to_rest = (cv2.distanceTransform((~m).astype(np.uint8), cv2.DIST_L2, 3) for m in (piece, rest))
    return piece | (~rest & (to_piece < to_rest) & (to_piece < 16))


def upper_parts(worn: Silhouette, garment: Silhouette, arms: Silhouette | None, fitting: Fitting) -> list[Part]:
    """Torso first, then the sleeves that lie over it."""
    shape = worn.mask.shape
    sleeves = [_sleeve(side, worn, garment, arms, fitting) for side in SIDES]
    sleeve_area = np.zeros(shape, bool)
    for k, part in enumerate(sleeves):
        if part is not None:  # what the outline missed belongs to the nearer piece
            grown = _nearer(part.region, worn.mask & ~part.region)
            cloth = grown & ~(part.region & ~part.cloth) if fitting.sleeves[SIDES[k]] == "kept" else part.cloth
            sleeves[k] = part = replace(part, region=grown, cloth=cloth)
            sleeve_area |= grown
    rows = []
    for side in SIDES:
        p, g = worn.edges, garment.edges
        side_line = g[f"{side}-side"]
        if fitting.hem_share < 1:
            side_line = first_part(side_line, length(side_line) * _side_share(garment, fitting))
        if worn.sleeved[side] and garment.sleeved[side]:
            # An armpit lies higher on a garment whose arms are spread: from shoulder to hem in one go, so that prints keep their pace.
            worn_line = np.vstack([p[f"{side}-armhole"], p[f"{side}-side"][1:]])
            new_line = np.vstack([g[f"{side}-armhole"], side_line[1:]])
            rows.append((resample(worn_line, 14), resample(new_line, 14), 0.9))
        else:
            rows.append((resample(p[f"{side}-side"], 9), resample(side_line, 9), 1.0))
        if fitting.hem_share == 1:
            rows.append((resample(p[f"{side}-hem"], 6)[1:], resample(g[f"{side}-hem"], 6)[1:], 0.7))
        else:
            seen = (worn.points["hem"][0] - p[f"{side}-side"][-1][0]) / fitting.scale
            start = side_line[-1]
            flat = np.column_stack([start[0] + np.linspace(0, 1, 6) * seen, np.full(6, start[1])])
            rows.append((resample(p[f"{side}-hem"], 6)[1:-1], flat[1:-1], 0.25))
    shoulders = _shoulders(worn, garment, fitting)
    rows += [(shoulders[side], resample(garment.edges[f"{side}-yoke"], 4), 1.5) for side in SIDES]
    for side in SIDES:
        collar, new = shoulders[side][0], resample(garment.edges[f"{side}-neck"], 7)
        if fitting.neck_kept:
            rows.append((resample(worn.edges[f"{side}-neck"], 7)[:-1], new[:-1], 1.0))
        else:
            moved = new * fitting.scale
            moved += collar - moved[-1]
            moved[:, 0] += np.linspace(1, 0, 7) * (0.5 * (shoulders["left"][0] + shoulders["right"][0])[0] - moved[0, 0])
            rows.append((moved[:-1], new[:-1], 1.0))
        if not garment.sleeved[side]:
            hole = garment.edges[f"{side}-armhole"]
            end = worn.points[f"{side}-armpit"]
            rows.append((between(resample(hole, 6), shoulders[side][-1], end)[1:-1], resample(hole, 6)[1:-1], 1.0))
    target, source, weight = _pairs(rows)
    torso = Part("torso", target, source, weight, ~sleeve_area, ~sleeve_area, _TORSO)
    return [torso, *(part for part in sleeves if part is not None)]


def hem_row(garment: Silhouette, fitting: Fitting) -> float:
    """Row of the garment picture down to which it is seen."""
    top = min(garment.points["left-shoulder"][1], garment.points["right-shoulder"][1])
    hem = (garment.points["left-hem"][1] + garment.points["right-hem"][1]) / 2
    return float(top + fitting.hem_share * (hem - top))


def _side_share(garment: Silhouette, fitting: Fitting) -> float:
    """The part of the side seam that is seen when ``hem_share`` of the whole length is."""
    pit = (garment.points["left-armpit"][1] + garment.points["right-armpit"][1]) / 2
    hem = (garment.points["left-hem"][1] + garment.points["right-hem"][1]) / 2
    return float(np.clip((hem_row(garment, fitting) - pit) / max(hem - pit, 1), 0.1, 1))


def _shoulders(worn: Silhouette, garment: Silhouette, fitting: Fitting) -> dict[str, np.ndarray]:
    """side -> (4, 2): where the garment's shoulder seam, collar to armhole, comes to lie on the wearer."""
    out = {}
    for side in SIDES:
        line = worn.edges[f"{side}-yoke"]
        both = worn.sleeved[side] == garment.sleeved[side] and (worn.sleeved[side] or fitting.neck_kept)
        if fitting.neck_kept and both:
            out[side] = resample(line, 4)
            continue
        middle_p, middle_g = worn.centre, garment.centre
        sign = -1 if side == "left" else 1
        scale = worn.chest_width / garment.chest_width
        offset = (resample(garment.edges[f"{side}-yoke"], 4)[:, 0] - middle_g) * scale
        room = 0.85 * abs(worn.points[f"{side}-armpit"][0] - middle_p)  # straps laid flat lie wider apart than on shoulders
        if not garment.sleeved[side] and abs(offset).max() > room:
            offset = offset * room / abs(offset).max()
        goal = middle_p + offset
        if both:
            goal[-1] = line[-1, 0]
        top = np.vstack([line, worn.edges.get(f"{side}-outer", worn.edges[f"{side}-armhole"])[1:]])
        top = top[np.argsort(sign * top[:, 0], kind="stable")]
        rise = np.polyfit(line[:, 0], line[:, 1], 1)[0] if np.ptp(line[:, 0]) > 3 else sign * 0.35
        rise = sign * float(np.clip(sign * rise, 0.15, 0.6))
        inner = top[0]
        height = np.interp(sign * goal, sign * top[:, 0], top[:, 1])
        beyond = sign * goal < sign * inner[0]
        height = np.where(beyond, inner[1] + rise * (goal - inner[0]), height)
        stand = resample(garment.edges[f"{side}-yoke"], 4)[:, 1]
        if not fitting.neck_kept:  # a collar that stands up keeps its height
            height = height[-1] + (stand - stand[-1]) * fitting.scale if _stands(garment) else height
        out[side] = np.column_stack([goal, height])
    return out


def _stands(garment: Silhouette) -> bool:
    return (
        garment.points["neck"][1]
        < min(garment.points["left-shoulder"][1], garment.points["right-shoulder"][1]) - 0.1 * garment.chest_width
    )


def _sleeve(side: str, worn: Silhouette, garment: Silhouette, arms: Silhouette | None, fitting: Fitting) -> Part | None:
    action = fitting.sleeves[side]
    carrier = arms if action == "longer" and arms is not None else worn
    if not carrier.sleeved[side]:
        return None
    edges = carrier.edges
    hole, outer, inner, cuff = (edges[f"{side}-{name}"] for name in ("armhole", "outer", "inner", "cuff"))
    region = _polygon(worn.mask.shape, outer, cuff, inner[::-1], hole[::-1])
    if action == "none" or not garment.sleeved[side]:
        empty = np.zeros((0, 2))
        return Part(f"{side} sleeve", empty, empty, np.zeros(0), region & worn.mask, np.zeros_like(region), _SLEEVE)
    g_outer, g_inner, g_cuff = (garment.edges[f"{side}-{name}"] for name in ("outer", "inner", "cuff"))
    if fitting.cuffs.get(side, 1.0) < 1:
        g_outer, g_inner = (first_part(line, fitting.cuffs[side] * length(line)) for line in (g_outer, g_inner))
        g_cuff = np.vstack([g_outer[-1], g_inner[-1]])
    if action == "kept":
        rows = [(resample(cuff, 5)[1:-1], resample(g_cuff, 5)[1:-1], 0.5)]
    else:
        share = min(fitting.reach[side] / max(length(outer), 1), 0.97 if action == "shorter" else 0.8)
        outer = first_part(outer, share * length(outer))
        reach = min(length(g_inner) * fitting.scale, 0.97 * length(inner))
        if action == "longer":
            reach = min(reach, 0.8 * length(inner))
        inner = first_part(inner, reach)
        rows = [(resample(np.vstack([outer[-1], inner[-1]]), 5)[1:-1], resample(g_cuff, 5)[1:-1], 0.5)]
    rows += [
        (resample(outer, 10), resample(g_outer, 10), 1.0),
        (resample(inner, 8), resample(g_inner, 8), 1.0),
        (resample(hole, 5)[1:-1], resample(garment.edges[f"{side}-armhole"], 5)[1:-1], 1.0),
    ]
    target, source, weight = _pairs(rows)
    if min(np.linalg.svd(p - p.mean(0), compute_uv=False)[1] for p in (target, source)) < 3:
        return None  # a sliver, not a sleeve
    cloth = region if action == "kept" else region & _polygon(worn.mask.shape, hole[::-1], outer, inner[::-1])
    region = cloth | (region & worn.mask)
    return Part(f"{side} sleeve", target, source, weight, region, cloth, _SLEEVE)


def lower_parts(worn: Silhouette, garment: Silhouette) -> list[Part]:
    """A skirt in one piece, trousers as two legs that meet on the line from waist to crotch."""
    legs = "crotch" in worn.points and "crotch" in garment.points
    height, width = worn.mask.shape
    columns = np.broadcast_to(np.arange(width), (height, width))
    if not legs:
        rows = []
        for side in SIDES:
            rows += _lower_side(side, worn, garment, legs=False)
        target, source, weight = _pairs(rows)
        return [
            Part(
                "skirt" if "crotch" not in garment.points else "trousers", target, source, weight, worn.mask, worn.mask, _TORSO
            )
        ]
    seam_p = np.vstack([worn.points["waist"], worn.points["crotch"]])
    seam_g = np.vstack([garment.points["waist"], garment.points["crotch"]])
    line = np.interp(np.arange(height), seam_p[:, 1], seam_p[:, 0])[:, None]
    parts = []
    for side in SIDES:
        rows = [*_lower_side(side, worn, garment, legs=True), (resample(seam_p, 7), resample(seam_g, 7), 1.5)]
        region = worn.mask & ((columns <= line) if side == "left" else (columns > line))
        target, source, weight = _pairs(rows)
        parts.append(Part(f"{side} leg", target, source, weight, region, region, _LEG))
    return parts


def _lower_side(side: str, worn: Silhouette, garment: Silhouette, *, legs: bool) -> list[tuple[np.ndarray, np.ndarray, float]]:
    counts = {"waist": (5, 1.0), "side": (12, 1.0)} | ({"inseam": (10, 1.0)} if legs else {})
    rows = []
    for name, (count, weight) in counts.items():
        rows.append((resample(worn.edges[f"{side}-{name}"], count), resample(garment.edges[f"{side}-{name}"], count), weight))
    if legs or ("crotch" in worn.points) == ("crotch" in garment.points):
        old, new = (resample(o.edges[f"{side}-hem"], 6)[1 : -1 if legs else None] for o in (worn, garment))
        rows.append((old, new, 0.6))
    return rows

"""Torso, sleeves and legs: which points of the garment go where on the wearer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from helpers.tryon.drape.body import Body, Limb, armpit_share, cap, sleeve_end
from helpers.tryon.drape.compatibility import Fitting
from helpers.tryon.drape.polylines import first_part, length, resample
from helpers.tryon.drape.silhouette import SIDES, Silhouette
from helpers.tryon.drape.warp import between

_STIFF = 0.02
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


def pairs(rows: list[tuple[np.ndarray, np.ndarray, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``target``, ``source`` and ``weight`` of a part from rows of matched lines and what each counts."""
    return (
        np.vstack([r[0] for r in rows]),
        np.vstack([r[1] for r in rows]),
        np.concatenate([np.full(len(r[0]), r[2]) for r in rows]),
    )


def polygon(shape: tuple[int, int], *lines: np.ndarray) -> np.ndarray:
    """bool (H, W) inside the closed outline of ``lines`` (n, 2), one after another."""
    out = np.zeros(shape, np.uint8)
    cv2.fillPoly(out, [np.vstack(lines).round().astype(np.int32)], 1)
    return out > 0


def _nearer(piece: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """``piece`` and the pixels outside both that lie within a few pixels of it and nearer to it than to ``rest``."""
    to_piece, to_rest = (cv2.distanceTransform((~m).astype(np.uint8), cv2.DIST_L2, 3) for m in (piece, rest))
    return piece | (~rest & (to_piece < to_rest) & (to_piece < 16))


def upper_parts(
    worn: Silhouette, garment: Silhouette, arms: Silhouette | None, fitting: Fitting, body: Body | None = None
) -> list[Part]:
    """Torso first, then the sleeves that lie over it."""
    shape = worn.mask.shape
    sleeves = [_sleeve(side, worn, garment, arms, fitting, body) for side in SIDES]
    sleeve_area = np.zeros(shape, bool)
    for k, part in enumerate(sleeves):
        if part is not None:  # what the outline missed belongs to the nearer piece
            if _along(SIDES[k], fitting, body) is not None:
                sleeve_area |= part.region
                continue
            grown = _nearer(part.region, worn.mask & ~part.region)
            cloth = grown & ~(part.region & ~part.cloth) if fitting.sleeves[SIDES[k]] == "kept" else part.cloth
            sleeves[k] = part = replace(part, region=grown, cloth=cloth)
            sleeve_area |= grown
    rows = []
    for side in SIDES:
        p, g = dict(worn.edges), garment.edges
        side_line = g[f"{side}-side"]
        if fitting.hem == "higher":
            p[f"{side}-side"] = first_part(p[f"{side}-side"], length(p[f"{side}-side"]) * _higher(worn, fitting))
        if fitting.hem_share < 1:
            side_line = first_part(side_line, length(side_line) * _side_share(garment, fitting))
        bones = _along(side, fitting, body)
        if bones is not None:
            p[f"{side}-side"] = _from_armpit(side, p[f"{side}-side"], worn, garment, fitting, bones)
        if worn.sleeved[side] and garment.sleeved[side] and bones is None:
            # An armpit lies higher on a garment whose arms are spread: from shoulder to hem in one go, so that prints keep their pace.
            worn_line = np.vstack([p[f"{side}-armhole"], p[f"{side}-side"][1:]])
            new_line = np.vstack([g[f"{side}-armhole"], side_line[1:]])
            rows.append((resample(worn_line, 14), resample(new_line, 14), 0.9))
        else:
            rows.append((resample(p[f"{side}-side"], 9), resample(side_line, 9), 1.0))
        if fitting.hem in ("higher", "lower"):
            rows += _new_hem(side, p[f"{side}-side"], worn, garment, fitting, body)
        elif fitting.hem_share == 1:
            rows.append((resample(p[f"{side}-hem"], 6)[1:], resample(g[f"{side}-hem"], 6)[1:], 0.7))
        else:
            seen = (worn.points["hem"][0] - p[f"{side}-side"][-1][0]) / fitting.scale
            start = side_line[-1]
            flat = np.column_stack([start[0] + np.linspace(0, 1, 6) * seen, np.full(6, start[1])])
            rows.append((resample(p[f"{side}-hem"], 6)[1:-1], flat[1:-1], 0.25))
    shoulders = _shoulders(worn, garment, fitting, body)
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
            if (bones := _along(side, fitting, body)) is not None:
                end = _from_armpit(side, worn.edges[f"{side}-side"], worn, garment, fitting, bones)[0]
            rows.append((between(resample(hole, 6), shoulders[side][-1], end)[1:-1], resample(hole, 6)[1:-1], 1.0))
    target, source, weight = pairs(rows)
    # Where the pieces are laid by the body, their edges are too, and the cloth in front can be stiffer.
    smoothing = _TORSO if all(_along(side, fitting, body) is None for side in SIDES) else _STIFF
    torso = Part("torso", target, source, weight, ~sleeve_area, ~sleeve_area, smoothing)
    return [torso, *(part for part in sleeves if part is not None)]


def _from_armpit(
    side: str, seam: np.ndarray, worn: Silhouette, garment: Silhouette, fitting: Fitting, body: Body
) -> np.ndarray:
    """The worn side ``seam`` (n, 2) from as far below the shoulder as the new armpit is, so that prints keep straight."""
    depth = (garment.points[f"{side}-armpit"][1] - garment.points[f"{side}-shoulder"][1]) * fitting.scale
    top = float(body.shoulders[side][1]) - 0.14 * body.unit
    row = top + float(np.clip(depth, 0.3 * body.unit, 0.75 * body.unit))
    row = min(row, float(seam[0, 1] + 0.6 * (seam[-1, 1] - seam[0, 1])))
    below = seam[seam[:, 1] > row]
    column = float(np.interp(row, seam[:, 1], seam[:, 0])) if row > seam[0, 1] else float(seam[0, 0])
    return np.vstack([[column, row], below if len(below) else seam[-1:]])


def _higher(worn: Silhouette, fitting: Fitting) -> float:
    """The part of the worn side seam that a shorter garment covers."""
    top = min(worn.points["left-shoulder"][1], worn.points["right-shoulder"][1])
    pit, hem = ((worn.points[f"left-{name}"][1] + worn.points[f"right-{name}"][1]) / 2 for name in ("armpit", "hem"))
    return float(np.clip((top + (hem - top) / fitting.hem_ratio - pit) / max(hem - pit, 1), 0.08, 1))


def _new_hem(
    side: str, seam: np.ndarray, worn: Silhouette, garment: Silhouette, fitting: Fitting, body: Body | None
) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Where the hem lies that ends above or below the worn one, of whose side ``seam`` (n, 2) is what the new garment shares."""
    whole, hem = garment.edges[f"{side}-side"], garment.edges[f"{side}-hem"]
    end, rows = seam[-1], []
    scale = np.array([fitting.scale, fitting.scale])
    if fitting.hem == "lower":
        share = _side_share(garment, fitting)
        at = resample(whole, 40)
        beyond = at[int(np.ceil(share * 39)) :]
        start = first_part(whole, share * length(whole))[-1]
        fall = max(float((beyond[-1, 1] - start[1]) * fitting.scale), 1.0)
        scale[1] *= min(1.0, max(body.ankle_row - end[1], 1.0) / fall) if body is not None else 1.0
        moved = end + (beyond - start) * scale
        if body is not None and side in body.hips:  # over the hips, however narrow the worn one ends
            sign = -1 if side == "left" else 1
            down = np.clip((moved[:, 1] - end[1]) / max(float(body.hips[side][1]) - end[1], 1.0), 0, 1)
            hips = end[0] + down * (body.hips[side][0] + sign * 0.3 * body.unit - end[0])
            moved[:, 0] = sign * np.maximum(sign * moved[:, 0], sign * hips)
        if len(moved) > 1:
            rows.append((moved, beyond, 0.8))
            end = moved[-1]
    middle = np.array([worn.centre, end[1] + (hem[-1, 1] - hem[0, 1]) * fitting.scale])
    rows.append((between(resample(hem, 6), end, middle)[1:], resample(hem, 6)[1:], 0.7))
    return rows


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


def _shoulders(worn: Silhouette, garment: Silhouette, fitting: Fitting, body: Body | None) -> dict[str, np.ndarray]:
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
        if (bones := _along(side, fitting, body)) is not None:  # what stands up, as a puffed sleeve does, goes away
            line = _shoulder_top(bones, side, goal)
            height = np.clip(height, line, line + 0.18 * bones.unit)
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


def _along(side: str, fitting: Fitting, body: Body | None) -> Body | None:
    """``body``, where that sleeve, or the bare arm instead of it, is drawn along its bones."""
    return body if body is not None and side in body.arms and fitting.sleeves.get(side) != "kept" else None


def _shoulder_top(body: Body, side: str, x: np.ndarray) -> np.ndarray:
    """(n,) rows of the top of the shoulder at columns ``x``: from the side of the neck to above the joint."""
    joint = body.shoulders[side]
    other = body.shoulders[SIDES[1 - SIDES.index(side)]]
    neck = joint + 0.32 * (other - joint)
    ends = np.array([[joint[0], joint[1] - 0.17 * body.unit], [neck[0], neck[1] - 0.34 * body.unit]])
    slope = (ends[1, 1] - ends[0, 1]) / (ends[1, 0] - ends[0, 0] if abs(ends[1, 0] - ends[0, 0]) > 1 else 1.0)
    return ends[0, 1] + slope * (x - ends[0, 0])


def _ribbon(side: str, limb: Limb, unit: float, garment: Silhouette, fitting: Fitting, shape: tuple[int, int]) -> Part:
    """The new sleeve along the bones of its arm."""
    g_outer, g_inner, g_cuff, g_hole = (garment.edges[f"{side}-{name}"] for name in ("outer", "inner", "cuff", "armhole"))
    share = fitting.cuffs.get(side, 1.0)
    if share < 1:
        g_outer, g_inner = (first_part(line, share * length(line)) for line in (g_outer, g_inner))
        g_cuff = np.vstack([g_outer[-1], g_inner[-1]])
    last = sleeve_end(limb, fitting.reach[side])
    pit = min(armpit_share(limb, unit), 0.8 * last)
    at = np.linspace(0, 1, len(limb.axis))
    share_of, wide = _widths(g_outer, g_inner)
    ease = 0.42 * fitting.scale * np.interp(at, last * share_of, wide)
    most = np.interp(at, (0.2, 0.45), (1.2, 2.0))  # a short one spreads on the flat, and lies on the shoulder when it is worn
    half = np.clip(ease, 1.12 * limb.half, most * limb.half)
    loose = np.clip(at / pit - 0.5, 0, 1)  # on the shoulder it lies close
    half = loose * half + (1 - loose) * 1.03 * limb.half
    outer, inner = limb.edges(0, last, half)[0], limb.edges(pit, last, half)[1]
    tip = cap(limb, half[0])
    outer = np.vstack([tip[:-1], outer])
    hole = np.vstack([tip[0], inner[0]])
    cuff = np.vstack([outer[-1], inner[-1]])
    middle, g_middle = ((resample(a, 8) + resample(b, 8)) / 2 for a, b in ((outer, inner), (g_outer, g_inner)))
    rows = [
        (resample(outer, 14), resample(g_outer, 14), 1.0),
        (resample(inner, 12), resample(g_inner, 12), 1.0),
        (resample(hole, 5)[1:-1], resample(g_hole, 5)[1:-1], 1.0),
        (resample(cuff, 5)[1:-1], resample(g_cuff, 5)[1:-1], 0.5),
        (middle[1:-1], g_middle[1:-1], 0.5),
    ]
    target, source, weight = pairs(rows)
    region = polygon(shape, outer, inner[::-1]) | limb.area(shape, pit, last, half)
    return Part(f"{side} sleeve", target, source, weight, region, region, _SLEEVE)


def _widths(outer: np.ndarray, inner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How wide a sleeve is, square to its ``outer`` edge (n, 2): (m,) shares of that edge, and (m,) the width there."""
    nodes = resample(outer, 64)
    away = np.linalg.norm(resample(inner, 24)[:, None] - nodes, axis=2)
    return np.maximum.accumulate(away.argmin(1)) / 63, away.min(1)


def _sleeve(
    side: str, worn: Silhouette, garment: Silhouette, arms: Silhouette | None, fitting: Fitting, body: Body | None
) -> Part | None:
    action = fitting.sleeves[side]
    if (bones := _along(side, fitting, body)) is not None:
        if not garment.sleeved[side]:
            return None
        return _ribbon(side, bones.arms[side], bones.unit, garment, fitting, worn.mask.shape)
    carrier = arms if action == "longer" and arms is not None else worn
    if not carrier.sleeved[side]:
        return None
    edges = carrier.edges
    hole, outer, inner, cuff = (edges[f"{side}-{name}"] for name in ("armhole", "outer", "inner", "cuff"))
    region = polygon(worn.mask.shape, outer, cuff, inner[::-1], hole[::-1])
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
    target, source, weight = pairs(rows)
    if min(np.linalg.svd(p - p.mean(0), compute_uv=False)[1] for p in (target, source)) < 3:
        return None  # a sliver, not a sleeve
    cloth = region if action == "kept" else region & polygon(worn.mask.shape, hole[::-1], outer, inner[::-1])
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
        target, source, weight = pairs(rows)
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
        target, source, weight = pairs(rows)
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

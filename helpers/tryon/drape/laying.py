"""Laying the garment on the wearer: its cloth warped part by part, where it comes to lie and where the old cloth goes away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from helpers.pixels import nearest_known
from helpers.tryon.drape.body import Body, armpit_share, cap, sleeve_end, strays
from helpers.tryon.drape.compatibility import Fitting
from helpers.tryon.drape.parts import Part, hem_row, polygon
from helpers.tryon.drape.silhouette import SIDES, Silhouette
from helpers.tryon.drape.warp import backward_map, carry_on
from helpers.tryon.drape.wearer import View

_UNDER = 0.02  # weight that what lies under a sleeve keeps
_TORSO, _NECK, _ARMHOLE, _ELSEWHERE, _LEFT, _RIGHT, _BELOW, _HEM, _YOKE = range(9)
# Which piece of the garment a part shows; all others the trunk.
_PIECE = {"left sleeve": _LEFT, "right sleeve": _RIGHT, "left leg": _LEFT, "right leg": _RIGHT}


@dataclass(frozen=True)
class Laid:
    """New cloth on the wearer's window.

    cloth: float32 (h, w, 3) sRGB codes; covered: bool (h, w), where it lies; removed: bool (h, w), where the old cloth goes away and
    nothing new comes: what ``bare`` bool (h, w) says of it is skin, what ``below`` says is what is worn below, the rest what lies behind
    the
    wearer; shown: bool (h, w), all that the
    warped garment would cover; pictures: of every part, for looking at
    """

    cloth: np.ndarray
    covered: np.ndarray
    removed: np.ndarray
    bare: np.ndarray
    below: np.ndarray
    shown: np.ndarray
    pictures: dict[str, np.ndarray]


def lay(
    image: np.ndarray,
    front: Silhouette,
    holes: np.ndarray,
    parts: list[Part],
    fitting: Fitting,
    view: View,
    zones: Zones | None = None,
) -> Laid:
    """The garment pictured in ``image`` laid on the wearer, a part at a time and blended where they meet.

    front: its silhouette; holes: bool (H, W) in it; zones: where the trunk and bare limbs are, if the body is known
    """
    source = _source(image, front, holes, fitting, legs=any(part.name.endswith("leg") for part in parts))
    shape = view.worn.shape
    cloth, weight_sum = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    covered, removed, shown = (np.zeros(shape, bool) for _ in range(3))
    pictures = {}
    for part in parts:
        if not len(part.target):
            removed |= part.region
            continue
        lookup = backward_map(part.target, part.source, shape, smoothing=part.smoothing, weight=part.weight)
        x, y = lookup[..., 0], lookup[..., 1]
        kind = cv2.remap(source.kinds, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        sampled = cv2.remap(source.cloth, x * source.ratio, y * source.ratio, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        reach, gone = _reach(part, kind, view, fitting, zones)
        mine = kind == _PIECE.get(part.name, _TORSO)
        shown |= mine
        weight = cv2.GaussianBlur((part.region | reach).astype(np.float32), (0, 0), 1.5) + 1e-4
        cloth += sampled * weight[..., None]
        weight_sum += weight
        if part.name != "torso":  # a sleeve that is drawn later lies over it
            cloth[reach], weight_sum[reach] = cloth[reach] * _UNDER, weight_sum[reach] * _UNDER
        covered |= reach
        removed |= gone
        pictures[f"{part.name}, warped"] = np.where(mine[..., None], np.clip(sampled, 0, 255), 255).astype(np.uint8)
    cloth /= weight_sum[..., None]
    if zones:  # no slit between the pieces
        closed = cv2.morphologyEx(covered.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8)) > 0
        covered |= closed & zones.shoulders & ~view.wearer.neck
        crumbs = (_strips(covered, zones) | _crumbs(covered & ~view.wearer.front)) & zones.low
        covered, removed = covered & ~crumbs, removed | crumbs & view.worn
    covered &= ~view.wearer.front
    removed &= ~covered & ~view.wearer.front  # what one part leaves free another may cover
    if zones is None:
        return Laid(cloth, covered, removed, removed, np.zeros_like(removed), shown, pictures)
    old = view.worn | view.given | view.wearer.skin  # a fringe beside it is no body
    bare, below = removed & zones.flesh & ~zones.below & old, removed & zones.below
    return Laid(cloth, covered, removed, bare, below, shown, pictures)


def _strips(covered: np.ndarray, zones: Zones) -> np.ndarray:
    """bool (h, w): what of ``covered`` beside the trunk is too narrow for cloth: the old sleeve's other edge, hanging there."""
    if "legs" in zones.along:
        return np.zeros_like(covered)
    size = 2 * max(1, round(0.025 * zones.unit)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    wide = cv2.morphologyEx(np.pad(covered, size, mode="edge").astype(np.uint8), cv2.MORPH_OPEN, disc)[size:-size, size:-size]
    return covered & (wide == 0) & ~zones.flesh


def _crumbs(covered: np.ndarray) -> np.ndarray:
    """bool (H, W): the pieces of ``covered`` that are too small to be cloth seen on both sides of an arm."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(covered.astype(np.uint8), connectivity=4)
    return covered & (stats[:, cv2.CC_STAT_AREA] < 0.01 * covered.sum())[pieces]


class _Source(NamedTuple):
    """``cloth`` uint8 (h, w, 3), the garment carried on past its edge, ``ratio`` times the picture's size; ``kinds`` uint8 (H, W), what
    lies where around it."""

    cloth: np.ndarray
    kinds: np.ndarray
    ratio: float


def _source(image: np.ndarray, front: Silhouette, holes: np.ndarray, fitting: Fitting, *, legs: bool) -> _Source:
    """The garment to be sampled, at no more than the wearer's resolution."""
    ratio = float(np.clip(1.15 * fitting.scale, 0.05, 1.0))
    kinds = _kinds(front, fitting, legs)
    kinds[holes] = _ARMHOLE
    if ratio > 0.85:
        return _Source(carry_on(image, front.mask & ~holes), kinds, 1.0)
    size = max(8, round(image.shape[1] * ratio)), max(8, round(image.shape[0] * ratio))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize((front.mask & ~holes).astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    return _Source(carry_on(small, mask, erode=max(1, round(4 * ratio))), kinds, size[0] / image.shape[1])


def _kinds(front: Silhouette, fitting: Fitting, legs: bool) -> np.ndarray:
    """uint8 (H, W): which piece of the garment this is, or which of its edges is nearest: neck, open armhole, or any other."""
    lines = np.zeros(front.mask.shape, np.uint8)
    for name, line in front.edges.items():
        side, _, edge = name.partition("-")
        if edge == "armhole" and front.sleeved.get(side):
            continue
        kind = {"neck": _NECK, "hem": _HEM, "yoke": _YOKE}.get(edge, _ELSEWHERE)
        if edge in ("armhole", "yoke") and not front.sleeved.get(side):
            kind = _ARMHOLE
        cv2.polylines(lines, [line.round().astype(np.int32)], False, int(kind), 2)
    _, place = nearest_known(lines > 0)
    pieces = np.zeros(front.mask.shape, np.uint8)
    for side, piece in (("left", _LEFT), ("right", _RIGHT)):
        if front.sleeved.get(side):
            names = ("outer", "cuff", "inner", "armhole")
            outer, cuff, inner, hole = (front.edges[f"{side}-{name}"] for name in names)
            cv2.fillPoly(pieces, [np.vstack([outer, cuff, inner[::-1], hole[::-1]]).round().astype(np.int32)], piece)
    if legs:
        waist, fork = front.points["waist"], front.points["crotch"]
        height, width = front.mask.shape
        seam = np.interp(np.arange(height), [waist[1], fork[1]], [waist[0], fork[0]])[:, None]
        pieces[:] = np.where(np.arange(width) <= seam, _LEFT, _RIGHT)
    if fitting.hem == "tucked" and "left-armpit" in front.points:
        rows = np.arange(front.mask.shape[0])[:, None]
        pieces[(rows > hem_row(front, fitting)) & (pieces == _TORSO)] = _BELOW
    return np.where(front.mask, pieces, lines.ravel()[place]).astype(np.uint8)


@dataclass(frozen=True)
class Zones:
    """Where the wearer's body is, bool (h, w): ``trunk`` under the worn cloth; ``limbs`` bare arms in front of it that the new garment
    leaves free; ``shoulders`` between collar and sleeves, where the new garment has any; ``outline``: of the body as it is seen, a
    little wider, and wider the farther below the shoulders; ``flesh`` all of the body that may be bare; ``low`` rows under the armpits;
    ``below`` where something else is worn; ``along``: sides whose sleeve is drawn along the bones, and "legs"."""

    trunk: np.ndarray
    limbs: np.ndarray
    shoulders: np.ndarray
    outline: np.ndarray
    flesh: np.ndarray
    low: np.ndarray
    below: np.ndarray
    along: tuple[str, ...]
    corners: tuple[float, float]
    unit: float


def zones_of(view: View, worn: Silhouette, garment: Silhouette, fitting: Fitting, category: str) -> Zones | None:
    """The zones for a top or a dress, or ``None`` where the body is not known or every sleeve is as it was."""
    body, shape = view.body, view.worn.shape
    if body is None:
        return None
    if category == "lower":
        return _leg_zones(view, body) if fitting.legs else None
    along = tuple(side for side in SIDES if side in body.arms and fitting.sleeves.get(side) != "kept")
    if not along and fitting.hem not in ("higher", "lower"):
        return None
    points, edges = worn.points, worn.edges
    trunk = polygon(
        shape,
        *(points[f"left-{name}"][None] for name in ("collar", "shoulder")),
        edges["left-side"],
        edges["left-hem"],
        edges["right-hem"][::-1],
        edges["right-side"][::-1],
        *(points[f"right-{name}"][None] for name in ("shoulder", "collar")),
    )
    arms = np.zeros(shape, bool)
    limbs, shoulders = np.zeros(shape, bool), np.zeros(shape, bool)
    for side, limb in body.arms.items():
        arms |= limb.area(shape)
        if side in along:
            share = armpit_share(limb, body.unit)
            limbs |= limb.area(shape, share, 1.0)
            if not garment.sleeved[side]:
                down, off = limb.place(shape)
                limbs |= limb.area(shape, 0.06, share) & (off > 0.3 - 1.3 * down / share)  # the line of an armhole
            else:
                if (last := sleeve_end(limb, fitting.reach[side])) < share:
                    limbs |= limb.area(shape, last, share)
                else:
                    shoulders |= limb.area(shape, 0, share)
                pit = limb.edges(share, 1.0)[1][0]
                inward = points["neck"][0] + 0.3 * (pit[0] - points["neck"][0])
                shoulders |= polygon(
                    shape,
                    points[f"{side}-collar"][None],
                    cap(limb, limb.half[0])[:1],
                    limb.axis[:1],
                    pit[None],
                    np.array([[inward, pit[1]]]),
                )
    core, chest = trunk_of(body, shape), polygon(shape, _chest(body))
    columns = np.arange(shape[1])
    close = cv2.dilate((arms | chest).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    for side in set(SIDES) - set(along):  # there everything is as it was
        half = columns <= worn.centre if side == "left" else columns > worn.centre
        trunk, close = trunk | half, close | half
    beside = np.ones(shape, bool)  # inside of both arms, and of sleeves that are not too wide
    for side in along:
        off = body.arms[side].place(shape)[1]
        trunk &= off < 0
        beside &= off < -1.2
    pit = max(joint[1] for joint in body.shoulders.values()) + 0.36 * body.unit
    low = (np.arange(shape[0]) > pit)[:, None]
    if along:
        to_trunk, to_arm = (cv2.distanceTransform((~m).astype(np.uint8), cv2.DIST_L2, 3) for m in (core, arms))
        beside &= (to_trunk < to_arm) & (to_trunk < 0.16 * body.unit)
        trunk = (trunk | core | (beside & low)) & (close | low)
    else:
        trunk = np.ones(shape, bool)
    figure = (view.worn | view.wearer.skin).astype(np.uint8)
    below_joint = np.arange(shape[0])[:, None] - min(float(joint[1]) for joint in body.shoulders.values())
    outline = cv2.distanceTransform(1 - figure, cv2.DIST_L2, 3) < 3 + 0.5 * np.maximum(below_joint, 0)
    corners = (float(points["left-hem"][1]), float(points["right-hem"][1]))
    below, legs = np.zeros(shape, bool), np.zeros(shape, bool)
    if category == "dress":
        for limb in body.legs.values():
            legs |= limb.area(shape)
    elif fitting.hem == "higher" and body.waist_row is not None:
        below[max(0, round(body.waist_row)) :] = True
        below &= cv2.dilate(core.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    if category == "upper":  # under the worn hem is what is worn below, or the backdrop
        core &= (np.arange(shape[0]) <= max(corners))[:, None]
    return Zones(trunk, limbs, shoulders, outline, core | arms | chest | legs, low, below, along, corners, body.unit)


def _leg_zones(view: View, body: Body) -> Zones:
    """The zones for trousers or a skirt of another shape than what is worn."""
    shape = view.worn.shape
    nothing, legs = np.zeros(shape, bool), trunk_of(body, shape)
    for limb in body.legs.values():
        legs |= limb.area(shape)
    return Zones(nothing, nothing, nothing, ~nothing, legs, nothing, nothing, ("legs",), (0.0, 0.0), body.unit)


def trunk_of(body: Body, shape: tuple[int, int]) -> np.ndarray:
    """bool (H, W): the trunk from the armpits to the hips."""
    return polygon(shape, _core(body))


def _core(body: Body) -> np.ndarray:
    """(n, 2) outline of the trunk that is there on everybody, from the armpits to the hips."""
    out = []
    for side in SIDES:
        joint, outward = (
            body.shoulders[side],
            np.sign(body.shoulders[side][0] - body.shoulders[SIDES[1 - SIDES.index(side)]][0]),
        )
        hip = body.hips.get(side, joint + np.array([0, 1.4 * body.unit]))
        line = [joint + np.array([0, 0.25 * body.unit]), hip + np.array([0.18 * outward * body.unit, 0])]
        out.append(np.array(line)[:: 1 if side == "right" else -1])
    return np.vstack(out)


def _chest(body: Body) -> np.ndarray:
    """(n, 2) outline of neck and chest from armpit to armpit."""
    middle = (body.shoulders["left"] + body.shoulders["right"]) / 2
    out = []
    for side in SIDES:
        joint = body.shoulders[side]
        neck = middle + 0.3 * (joint - middle)
        line = [
            neck - (0, 0.75 * body.unit),
            neck - (0, 0.36 * body.unit),
            joint - (0, 0.16 * body.unit),
            joint + np.array([0, 0.4 * body.unit]),
        ]
        out.append(np.array(line)[:: 1 if side == "left" else -1])
    return np.vstack(out)


def _reach(part: Part, kind: np.ndarray, view: View, fitting: Fitting, zones: Zones | None) -> tuple[np.ndarray, np.ndarray]:
    """Where this part's new cloth lies, and where the old cloth goes away: bool (H, W) each."""
    worn, wearer = view.worn, view.wearer
    if zones and "legs" in zones.along:
        upper = ~worn & ~wearer.legs & ~view.behind
        here = part.cloth & ~wearer.arms & ~upper
        if part.name == "skirt":
            here &= kind != _HEM
        fringe = cv2.dilate((worn | view.given).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        return here, fringe & (worn | wearer.legs | view.behind) & ~here
    if part.name != "torso":
        side = part.name.split()[0]
        if zones and side in zones.along:  # over the shoulder it keeps to the body
            return part.cloth & zones.outline, np.zeros_like(worn)
        here = part.cloth & ((worn | wearer.arms) if fitting.sleeves.get(side) == "longer" else worn)
        gone = part.region & worn & ~here if fitting.sleeves.get(side) in ("none", "shorter") else np.zeros_like(worn)
        return here, gone
    open_to = (kind == _NECK) if not fitting.neck_kept else np.zeros_like(worn)
    if fitting.sleeves and "none" in fitting.sleeves.values():
        open_to = open_to | (kind == _ARMHOLE)
    open_to = cv2.GaussianBlur(open_to.astype(np.float32), (0, 0), 1.5) > 0.5
    if fitting.hem == "higher":
        open_to |= kind == _HEM
    if zones:  # what stands above the new shoulder seam, as the worn collar
        near = cv2.dilate((kind != _YOKE).astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
        open_to |= (kind == _YOKE) & ~near
    here = part.region & worn & ~open_to
    if zones:
        here &= (zones.trunk | ((kind == _TORSO) & (zones.flesh | zones.low)) | zones.shoulders) & ~zones.limbs
        here |= zones.shoulders & (kind != _NECK) & wearer.skin & part.region & ~wearer.neck
    if not fitting.neck_kept:
        seam = cv2.morphologyEx((worn | wearer.neck).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)) > 0
        here |= (kind == _TORSO) & (wearer.neck | (seam & ~worn & ~wearer.arms)) & part.region
    if not zones:
        return here, part.region & worn & open_to
    if fitting.hem != "lower":
        here &= ~strays(here, view.person.keypoints, arms=True)
    if fitting.hem == "lower":
        seam = min(zones.corners)
        low = (np.arange(worn.shape[0]) > seam)[:, None]
        here &= ~low | (kind == _TORSO)
        here |= (kind == _TORSO) & zones.low & part.region & ~wearer.arms & ~zones.limbs
    old = (worn | view.given).astype(np.uint8)  # and what the mask missed of the old sleeves
    fringe = cv2.dilate(old, np.ones((9, 9), np.uint8)) > 0
    reach = 2 * int(0.25 * zones.unit) + 1
    sleeves = cv2.dilate(zones.limbs.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    return here, (worn | (fringe & sleeves & (wearer.arms | view.behind))) & ~here & ~wearer.hands

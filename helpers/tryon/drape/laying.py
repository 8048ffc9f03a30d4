"""Laying the garment on the wearer: its cloth warped part by part, where it comes to lie and where the old cloth goes away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from helpers.pixels import nearest_known
from helpers.tryon.drape.compatibility import Fitting
from helpers.tryon.drape.parts import Part, hem_row
from helpers.tryon.drape.silhouette import Silhouette
from helpers.tryon.drape.warp import backward_map, carry_on
from helpers.tryon.drape.wearer import View

_TORSO, _NECK, _ARMHOLE, _ELSEWHERE, _LEFT, _RIGHT, _BELOW = range(7)
# Which piece of the garment a part shows; all others the trunk.
_PIECE = {"left sleeve": _LEFT, "right sleeve": _RIGHT, "left leg": _LEFT, "right leg": _RIGHT}


@dataclass(frozen=True)
class Laid:
    """New cloth on the wearer's window.

    cloth: float32 (h, w, 3) sRGB codes; covered: bool (h, w), where it lies; removed: bool (h, w), where the old cloth goes away and
    nothing new comes; shown: bool (h, w), all that the warped garment would cover; pictures: of every part, for looking at
    """

    cloth: np.ndarray
    covered: np.ndarray
    removed: np.ndarray
    shown: np.ndarray
    pictures: dict[str, np.ndarray]


def lay(image: np.ndarray, front: Silhouette, holes: np.ndarray, parts: list[Part], fitting: Fitting, view: View) -> Laid:
    """The garment pictured in ``image`` laid on the wearer, a part at a time and blended where they meet.

    front: its silhouette; holes: bool (H, W) in it
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
        reach, gone = _reach(part, kind, view, fitting)
        mine = kind == _PIECE.get(part.name, _TORSO)
        shown |= mine
        weight = cv2.GaussianBlur((part.region | reach).astype(np.float32), (0, 0), 1.5) + 1e-4
        cloth += sampled * weight[..., None]
        weight_sum += weight
        covered |= reach
        removed |= gone
        pictures[f"{part.name}, warped"] = np.where(mine[..., None], np.clip(sampled, 0, 255), 255).astype(np.uint8)
    cloth /= weight_sum[..., None]
    return Laid(cloth, covered, removed & view.worn & ~covered, shown, pictures)


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
        kind = (
            _NECK if edge == "neck" else _ARMHOLE if edge in ("armhole", "yoke") and not front.sleeved.get(side) else _ELSEWHERE
        )
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
    if fitting.hem_share < 1 and "left-armpit" in front.points:
        rows = np.arange(front.mask.shape[0])[:, None]
        pieces[(rows > hem_row(front, fitting)) & (pieces == _TORSO)] = _BELOW
    return np.where(front.mask, pieces, lines.ravel()[place]).astype(np.uint8)


def _reach(part: Part, kind: np.ndarray, view: View, fitting: Fitting) -> tuple[np.ndarray, np.ndarray]:
    """Where this part's new cloth lies, and where the old cloth goes away: bool (H, W) each."""
    worn, wearer = view.worn, view.wearer
    if part.name != "torso":
        side = part.name.split()[0]
        here = part.cloth & ((worn | wearer.arms) if fitting.sleeves.get(side) == "longer" else worn)
        gone = part.region & worn & ~here if fitting.sleeves.get(side) in ("none", "shorter") else np.zeros_like(worn)
        return here, gone
    open_to = (kind == _NECK) if not fitting.neck_kept else np.zeros_like(worn)
    if fitting.sleeves and "none" in fitting.sleeves.values():
        open_to = open_to | (kind == _ARMHOLE)
    open_to = cv2.GaussianBlur(open_to.astype(np.float32), (0, 0), 1.5) > 0.5
    here = part.region & worn & ~open_to
    if not fitting.neck_kept:
        here |= (kind == _TORSO) & wearer.neck
    return here, part.region & worn & open_to

"""``engine="unwarp"``: a worn garment laid flat without learning. The torso is set upright and square, sleeves along straight arms to
both sides, what arms and hair hide comes from the other half, and what neither shows from the nearest cloth.

It knows the body's joints and the garment's mask. Trousers and skirts are set upright as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import median_filter

from helpers.contract import Base
from helpers.extraction.product import evenly_lit, framed
from helpers.garment import Garment
from helpers.labels import select
from helpers.person import Person
from helpers.pixels import nearest_known

_SPREAD = np.radians(47)  # of sleeves from the vertical, as products are laid
_SEAM = 0.05  # shoulder widths over which torso and sleeve go over into each other
_NARROW = 0.62  # torso lengths that shoulders are wide at least: who is turned shows them shorter
_DARK = 0.55  # of the cloth's colour, what is seen of the neck's inside
_ARMPIT = 0.36  # torso lengths below the shoulders
_UPPER, _FORE = 0.62, 0.52  # torso lengths of arms that nothing tells
_HEM = 0.07  # torso lengths above the hem, where its width is uncertain
_SLEEVELESS = 0.14  # arm lengths: cloth that reaches no farther is a strap or a shoulder
_STEPS = 96
_LOOSE = 1.5  # half widths that a sleeve hangs down below the arm at most


@dataclass(frozen=True)
class _Arm:
    """side: -1 or 1 in the picture; joints (3, 2): shoulder, elbow, wrist in its pixels; lengths: of the two bones laid flat"""

    side: int
    joints: np.ndarray
    lengths: tuple[float, float]

    def source(self, along: np.ndarray, out: np.ndarray) -> np.ndarray:
        """(..., 2) in the photograph of what is laid ``along`` the straight arm from the shoulder and ``out`` to its outer side."""
        (upper, fore), (shoulder, elbow, wrist) = self.lengths, self.joints
        bones = np.stack([elbow - shoulder, wrist - elbow])
        units = bones / np.maximum(np.linalg.norm(bones, axis=1, keepdims=True), 1e-6)
        normals = self.side * np.stack([units[:, 1], -units[:, 0]], 1)
        share = np.clip((along - upper) / (0.5 * min(upper, fore)) + 0.5, 0, 1)[..., None]
        first = shoulder + (along / upper)[..., None] * bones[0]
        second = elbow + ((along - upper) / fore)[..., None] * bones[1]
        middle = np.where((along < upper)[..., None], first, second)
        normal = (1 - share) * normals[0] + share * normals[1]
        return middle + out[..., None] * normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)


@dataclass(frozen=True)
class _Sleeve:
    """length: from the shoulder; half, under: how far it reaches to the outer side and to the torso's at every ``_STEPS``-th part of that;
    all in the photograph's pixels"""

    length: float
    half: np.ndarray
    under: np.ndarray

    def reaches(self, along: np.ndarray, out: np.ndarray) -> np.ndarray:
        """bool: what is of the sleeve"""
        parts = np.linspace(0, self.length, len(self.half))
        wide, below = np.interp(along, parts, self.half), np.interp(along, parts, self.under)
        cap = (along < 0) & (np.hypot(along, out) <= wide)  # over the shoulder's joint
        return ((along >= 0) & (along <= self.length) & (out <= wide) & (out >= -below)) | cap


class Unwarp(Base):
    """The embedded extractor."""

    def close(self) -> None:
        """Nothing is kept."""

    def __call__(self, person: Person, *, mask: np.ndarray, category: str) -> Garment:
        """``person``'s garment, worn where ``mask`` is, bool (H, W), laid flat on white."""
        if category == "lower" or person.keypoints is None:
            return _upright(person.image, mask, category)
        return _laid(person.image, mask, _hiding(person, mask), person.keypoints, category)


def _hiding(person: Person, mask: np.ndarray) -> np.ndarray:
    """bool (H, W): what may lie before the garment, as far as anybody knows."""
    if person.labels is None:
        return np.zeros_like(mask)
    return select(person.labels, ("hair", "left-arm", "right-arm", "face")) & ~mask


def _upright(image: np.ndarray, mask: np.ndarray, category: str) -> Garment:
    """The garment as it is seen, with what is missing inside its outline filled."""
    whole = _filled(mask)
    return framed(image, whole, whole & ~mask, np.zeros_like(mask), category, "unwarp")


def _laid(image: np.ndarray, mask: np.ndarray, hiding: np.ndarray, keypoints: np.ndarray, category: str) -> Garment:
    left, right = sorted((keypoints[2:5], keypoints[5:8]), key=lambda arm: arm[0, 0])
    if min(left[0, 2], right[0, 2]) <= 0:
        return _upright(image, mask, category)
    shoulders = np.stack([left[0, :2], right[0, :2]]).astype(float)
    middle, wide = shoulders.mean(0), float(np.linalg.norm(shoulders[1] - shoulders[0]))
    hips = keypoints[[9, 12]]
    if (hips[:, 2] > 0).all():
        down = hips[:, :2].mean(0) - middle
    else:
        across = (shoulders[1] - shoulders[0]) / max(wide, 1e-6)
        down = 1.5 * wide * np.array([-across[1], across[0]])
    long = float(np.linalg.norm(down))
    broad = max(wide, _NARROW * long)
    arms = _arms(left, right, long)
    sleeves = _sleeves(mask, arms, 0.5 * wide)
    # The flat garment's plane, in the photograph's pixels: shoulders at y 0, left and right of x 0
    reach = int(broad / 2 + max(sleeve.length for sleeve in sleeves) + 0.3 * broad)
    above, below = int(0.6 * long), int(_below(mask, middle, down) + 0.15 * long)
    y, x = np.mgrid[-above:below, -reach : reach + 1].astype(np.float64)
    torso = middle + (x / broad)[..., None] * (shoulders[1] - shoulders[0]) + (y / long)[..., None] * down
    worn = _without_arms(mask, arms, sleeves)
    trunk = _trunk(
        _sampled(worn, torso) > 0.5, _sampled(hiding | (mask & ~worn), torso) > 0.5, x, y, broad, long, sleeves[0].length > 0
    )
    places, region = torso.copy(), trunk & (np.abs(x) <= broad / 2)
    region |= trunk & (y > _ARMPIT * long * 0.6)
    for arm, sleeve in zip(arms, sleeves, strict=True):
        beyond = arm.side * x - broad / 2
        dx, dy = x - arm.side * broad / 2, y
        along = arm.side * dx * np.sin(_SPREAD) + dy * np.cos(_SPREAD)
        out = dx * arm.side * np.cos(_SPREAD) - dy * np.sin(_SPREAD)
        of_sleeve = sleeve.reaches(along, out) & (beyond > 0)
        share = np.clip(beyond / (_SEAM * broad) * 0.5 + 0.5, 0, 1)
        share = np.where(of_sleeve | (beyond > 0) & ~trunk, share, 0)[..., None]
        places = places * (1 - share) + arm.source(along, out) * share
        region |= of_sleeve
    region = _whole(region, 0.14 * broad)
    seen = region & (_sampled(mask, places) > 0.5)
    colours = _sampled(image, places)
    return _composed(colours, region, seen, x, y, broad, category)


def _arms(left: np.ndarray, right: np.ndarray, long: float) -> tuple[_Arm, _Arm]:
    """Both arms; where a joint is not seen the arm goes on as it began, or hangs."""
    found = []
    for side, arm in ((-1, left), (1, right)):
        shoulder, elbow, wrist = arm[:, :2].astype(float)
        if arm[1, 2] <= 0:
            elbow = shoulder + _UPPER * long * np.array([side * 0.3, 0.95])
        if arm[2, 2] <= 0:
            ahead = (elbow - shoulder) / max(float(np.linalg.norm(elbow - shoulder)), 1e-6)
            wrist = elbow + _FORE * long * ahead
        found.append(np.stack([shoulder, elbow, wrist]))
    bones = [np.linalg.norm(np.diff(joints, axis=0), axis=1) for joints in found]
    upper, fore = (float(max(bone[i] for bone in bones)) for i in (0, 1))
    lengths = max(upper, 0.8 * _UPPER * long), max(fore, 0.8 * _FORE * long)
    return _Arm(-1, found[0], lengths), _Arm(1, found[1], lengths)


def _sleeves(mask: np.ndarray, arms: tuple[_Arm, _Arm], widest: float) -> tuple[_Sleeve, _Sleeve]:
    """How far sleeves reach and how wide they are: alike on both sides, by the side that shows more."""
    total = sum(arms[0].lengths)
    along = np.linspace(0, 1.12 * total, _STEPS)
    out = np.arange(0.0, widest)
    sides: list[list[np.ndarray]] = [[], []]
    ends = []
    for arm in arms:
        for sign, found in zip((1, -1), sides, strict=True):
            places = arm.source(np.repeat(along[:, None], len(out), 1), np.repeat(sign * out[None], len(along), 0))
            rays = _sampled(mask, places) > 0.5
            reach = np.where(rays.all(1), len(out), rays.argmin(1)).astype(float)
            core = rays[:, : max(2, len(out) // 12)].any(1)
            found.append(np.where(core, reach, np.nan))
        bare = np.flatnonzero(np.isnan(sides[0][-1]) & (along > 0.05 * total))
        ends.append(along[bare[0]] if len(bare) else along[-1])
    length = max(*ends)
    if length < _SLEEVELESS * total:
        none = _Sleeve(0.0, np.zeros(_STEPS), np.zeros(_STEPS))
        return none, none
    inside = (along > 0.12 * total) & (along <= length)
    half, under = (_even(np.stack(found), inside, 0.3 * widest) for found in sides)
    under = np.clip(under, half, _LOOSE * half)
    parts = np.linspace(0, length, _STEPS)
    sleeve = _Sleeve(length, np.interp(parts, along, half), np.interp(parts, along, under))
    return sleeve, sleeve


def _even(found: np.ndarray, inside: np.ndarray, otherwise: float) -> np.ndarray:
    """One smooth width (N,) of what both sides show (2, N), NaN where one does not."""
    both = np.where(np.isfinite(found).all(0), found.mean(0), np.where(np.isfinite(found[0]), found[0], found[1]))
    known = np.isfinite(both) & inside
    if known.sum() < 2:
        return np.full(len(both), otherwise)
    places = np.arange(len(both))
    return np.maximum(np.interp(places, places[known], cv2.blur(both[known][None], (7, 1))[0]), 0.2 * otherwise)


def _without_arms(mask: np.ndarray, arms: tuple[_Arm, _Arm], sleeves: tuple[_Sleeve, _Sleeve]) -> np.ndarray:
    """The mask without the sleeves that lie on or beside the torso, from a bit below the shoulder on."""
    out = mask.astype(np.uint8)
    for arm, sleeve in zip(arms, sleeves, strict=True):
        start = 0.35 * arm.lengths[0]
        if sleeve.length <= start:
            continue
        along = np.linspace(start, sleeve.length, _STEPS)
        wide = np.interp(along, np.linspace(0, sleeve.length, len(sleeve.half)), sleeve.half)
        wide = 1.2 * wide + 2
        edges = [arm.source(along, sign * wide) for sign in (1, -1)]
        outline = np.concatenate([edges[0], edges[1][::-1]])
        cv2.fillPoly(out, [np.rint(outline).astype(np.int32)], 0)
    _, pieces, about, _ = cv2.connectedComponentsWithStats(out)
    return pieces == 1 + about[1:, cv2.CC_STAT_AREA].argmax() if len(about) > 1 else mask


def _below(mask: np.ndarray, middle: np.ndarray, down: np.ndarray) -> float:
    """How far below the shoulders the garment reaches, along the torso."""
    rows, columns = np.nonzero(mask)
    return float(np.percentile((np.stack([columns, rows], 1) - middle) @ down / np.linalg.norm(down), 99.8))


def _trunk(
    there: np.ndarray, hidden: np.ndarray, x: np.ndarray, y: np.ndarray, broad: float, long: float, sleeved: bool
) -> np.ndarray:
    """bool: the torso's outline on the plane, alike on both sides, of where it is seen to be ``there`` and where it may be ``hidden``."""
    rows, columns = y[:, 0], x[0]
    both = there | there[:, ::-1]
    front = both & (np.abs(x) < 0.4 * broad)
    between = np.cumsum(front, 1).astype(bool) & np.cumsum(front[:, ::-1], 1).astype(bool)[:, ::-1]
    both |= between & (y > 0)  # what is open in front
    maybe = both | (hidden & hidden[:, ::-1]) | (hidden & there[:, ::-1]) | (hidden[:, ::-1] & there)
    middle = len(columns) // 2
    run = np.cumprod(maybe[:, middle:], axis=1).astype(bool) & both[:, middle:]
    some = run.any(1)
    half = np.where(some, run.shape[1] - 1 - run[:, ::-1].argmax(1), 0).astype(float)
    high = rows < _ARMPIT * long
    half[high] = 0.5 * broad if sleeved else np.clip(half[high], 0.25 * broad, 0.6 * broad)
    low = np.flatnonzero((rows >= _ARMPIT * long) & some)
    if len(low) > 2:
        kernel = max(3, int(0.12 * long) | 1)
        half[low] = median_filter(half[low], kernel, mode="nearest")
        half[low] = cv2.GaussianBlur(half[low][:, None], (1, kernel), 0, borderType=cv2.BORDER_REPLICATE)[:, 0]
    last = both & (np.abs(x) <= half[:, None])
    ends = last.any(0)
    hem = float(np.percentile(rows[len(rows) - 1 - last[::-1].argmax(0)][ends], 60)) if ends.any() else 0.0
    gap = np.flatnonzero((rows > _ARMPIT * long) & (rows <= hem))
    known = gap[some[gap] & (rows[gap] < hem - _HEM * long)]
    if len(known):
        half[gap] = np.interp(gap, known, half[known])
    outline = (np.abs(x) <= half[:, None]) & (rows <= hem)[:, None]
    # The top: where the higher side begins
    first = np.where(both.any(0), both.argmax(0), len(rows))
    first = np.minimum(first, first[::-1])
    inner = np.abs(columns) <= 0.5 * broad
    first = np.where(inner, cv2.medianBlur(first.astype(np.float32)[None], 5)[0], 0)
    return outline & (np.arange(len(rows))[:, None] >= first[None])


def _composed(
    colours: np.ndarray, region: np.ndarray, seen: np.ndarray, x: np.ndarray, y: np.ndarray, broad: float, category: str
) -> Garment:
    """What is seen, then the other half's mirror image, then the nearest cloth; and the neck's inside."""
    inner = cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    known = inner if inner.any() else seen
    out = np.where(known[..., None], colours, 0)
    mirrored = region & ~known & known[:, ::-1]
    out[mirrored] = out[:, ::-1][mirrored]
    known = known | mirrored
    missing = region & ~known
    if known.any() and missing.any():
        spread = out.reshape(-1, 3)[nearest_known(known)[1]]
        spread = cv2.GaussianBlur(spread, (0, 0), max(1.0, 0.01 * broad))
        out[missing] = spread[missing]
    out = evenly_lit(out, region, broad)
    inside = _neck(region, x, y, broad)
    if inside.any():
        collar = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        out[inside] = _DARK * np.median(out[collar & region], axis=0)
    return framed(out, region | inside, (region & ~seen) | inside, inside, category, "unwarp")


def _neck(region: np.ndarray, x: np.ndarray, y: np.ndarray, broad: float) -> np.ndarray:
    """bool: the back of the neck, above the front's edge and below a line from one neck point to the other."""
    height = len(region)
    columns = x[0]
    first = np.where(region.any(0), region.argmax(0), height)
    inner = np.flatnonzero(np.abs(columns) < 0.36 * broad)
    if not len(inner) or first[inner].min() >= height:
        return np.zeros_like(region)
    half = inner[columns[inner] >= 0]
    point = half[first[half].argmin()]
    span, top = abs(columns[point]), first[point]
    sag = 0.10 * span * (1 - np.clip(np.abs(columns) / max(span, 1e-6), 0, 1) ** 2)
    line = top + sag
    rows = np.arange(height)[:, None]
    return (np.abs(columns) < span)[None] & (rows >= line[None]) & (rows < first[None])


def _sampled(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    """float32 of ``image`` at ``places`` (..., 2), 0 outside it."""
    where = places.astype(np.float32)
    return cv2.remap(image.astype(np.float32), where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderValue=0)


def _filled(mask: np.ndarray) -> np.ndarray:
    """``mask`` without holes."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), contours, -1, 1, cv2.FILLED) > 0


def _whole(region: np.ndarray, corner: float) -> np.ndarray:
    """The largest piece of ``region``, without holes, its inner corners as round as ``corner`` pixels."""
    out = region.astype(np.uint8)
    for how, size in ((cv2.MORPH_CLOSE, corner), (cv2.MORPH_OPEN, 0.3 * corner)):
        width = max(3, int(size) | 1)
        border = cv2.copyMakeBorder(out, width, width, width, width, cv2.BORDER_CONSTANT, value=0)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
        out = cv2.morphologyEx(border, how, kernel)[width:-width, width:-width]
    _, pieces, about, _ = cv2.connectedComponentsWithStats(out)
    whole = _filled(pieces == 1 + about[1:, cv2.CC_STAT_AREA].argmax()) if len(about) > 1 else region
    return cv2.GaussianBlur(whole.astype(np.float32), (0, 0), max(1.0, 0.12 * corner)) > 0.5

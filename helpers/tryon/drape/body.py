"""The limbs under the cloth: bones from the joints, widths from the outline, so that sleeves and bare skin go where an arm is.

"left" and "right" are the picture's, as everywhere in this folder; "outer" is the side of an arm away from the trunk as it hangs.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from helpers.pixels import nearest_known
from helpers.tryon.drape.polylines import resample
from helpers.tryon.drape.silhouette import SIDES

SEEN = 0.2
"""Confidence from which a joint counts."""
_JOINTS = {
    "arm": ((2, 3, 4), (5, 6, 7)),
    "leg": ((9, 10, 11), (12, 13, 14)),
}  # BODY_25: shoulder, elbow, wrist; hip, knee, ankle
_COUNT = 33  # places along a limb; the middle one is the elbow or knee
# Half width of a bare limb over the distance between the shoulders' joints, at shares of its length (mannequins of every build).
_WIDTHS = {
    "arm": ((0, 0.08, 0.15, 0.3, 0.5, 0.62, 0.85, 1), (0.155, 0.14, 0.122, 0.104, 0.096, 0.104, 0.072, 0.058)),
    "leg": ((0, 0.15, 0.3, 0.5, 0.65, 0.85, 1), (0.30, 0.29, 0.24, 0.175, 0.18, 0.12, 0.10)),
}


@dataclass(frozen=True)
class Limb:
    """An arm or a leg under whatever it wears.

    axis: (n, 2) x, y of its middle from shoulder to wrist or hip to ankle; half: (n,) half its bare width in pixels
    normal: (n, 2) unit, to the outer side; told: share of it whose width the picture shows
    """

    axis: np.ndarray
    half: np.ndarray
    normal: np.ndarray
    told: float = 0.0

    @property
    def length(self) -> float:
        """From shoulder to wrist, in pixels."""
        return float(np.linalg.norm(np.diff(self.axis, axis=0), axis=1).sum())

    def edges(self, first: float, last: float, half: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Outer and inner edge (m, 2) of the limb between two shares of its length; half: (n,) instead of the bare width."""
        half = self.half if half is None else half
        at = np.linspace(first, last, max(3, round(_COUNT * (last - first)) + 1)) * (len(self.axis) - 1)
        whole = np.arange(len(self.axis))
        axis, normal = (np.column_stack([np.interp(at, whole, v[:, k]) for k in (0, 1)]) for v in (self.axis, self.normal))
        wide = np.interp(at, whole, half)[:, None]
        return axis + wide * normal, axis - wide * normal

    def area(self, shape: tuple[int, int], first: float = 0.0, last: float = 1.0, half: np.ndarray | None = None) -> np.ndarray:
        """bool (H, W): the limb between two shares of its length, its ends round where they are shoulder and wrist."""
        outer, inner = self.edges(first, last, half)
        out = np.zeros(shape, np.uint8)
        for k in range(len(outer) - 1):  # piece by piece: a bent limb's edges may cross
            quad = np.vstack([outer[k : k + 2], inner[k : k + 2][::-1]])
            cv2.fillConvexPoly(out, cv2.convexHull(quad.round().astype(np.int32)), 1)
        for share, end in ((first, 0), (1 - last, -1)):
            if share == 0:
                centre = tuple(int(v) for v in self.axis[end].round())
                cv2.circle(out, centre, round(float((self.half if half is None else half)[end])), 1, -1)
        return out > 0

    def covered(self, cloth: np.ndarray) -> float:
        """Down to which share of its length ``cloth``, bool (H, W), lies on it without a gap; 0 where only the shoulder is covered."""
        on = _sample(cloth, self.axis)
        first = len(on) // 10
        bare = np.convolve(~on[first:], np.ones(3), "same") >= 2  # a button's width of something else does not end a sleeve
        last = first + int(bare.argmax()) if bare.any() else len(on) - 1
        share = last / (len(on) - 1)
        return share if share > 0.15 else 0.0

    def place(self, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """For every pixel the share of the length it lies beside, and how far off the axis in half widths (outer positive)."""
        nodes = resample(self.axis, 4 * _COUNT)
        whole = np.linspace(0, 1, len(self.axis))
        fine = np.linspace(0, 1, len(nodes))
        normal = np.column_stack([np.interp(fine, whole, self.normal[:, k]) for k in (0, 1)])
        lines = np.zeros(shape, bool)
        x, y = (
            np.clip(nodes[:, 0].round().astype(int), 0, shape[1] - 1),
            np.clip(nodes[:, 1].round().astype(int), 0, shape[0] - 1),
        )
        lines[y, x] = True
        index = np.zeros(shape, np.int32)
        index[y, x] = np.arange(len(nodes))
        _, nearest = nearest_known(lines)
        node = index.ravel()[nearest]
        columns, rows = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
        normal /= np.interp(fine, whole, self.half)[:, None]
        off = columns * normal[node, 0] + rows * normal[node, 1] - (nodes * normal).sum(1)[node]
        return fine.astype(np.float32)[node], off.astype(np.float32)


@dataclass(frozen=True)
class Body:
    """arms, legs: the picture's side -> limb, those whose three joints are seen; unit: distance between the shoulders' joints, as if seen
    from the front; shoulders, hips: side -> (2,);
    turned: seen from behind"""

    unit: float
    shoulders: dict[str, np.ndarray]
    hips: dict[str, np.ndarray]
    arms: dict[str, Limb]
    legs: dict[str, Limb]
    turned: bool = False

    @property
    def hip_row(self) -> float:
        """Row of the hips' joints; where they would be, if they are not seen."""
        rows = [hip[1] for hip in self.hips.values()] or [joint[1] + 1.4 * self.unit for joint in self.shoulders.values()]
        return float(np.mean(rows))

    @property
    def ankle_row(self) -> float:
        """Row of the lower ankle; infinite where none is seen."""
        return max((float(leg.axis[-1, 1]) for leg in self.legs.values()), default=np.inf)

    @property
    def waist_row(self) -> float | None:
        """Where a waistband sits: a little above the hips; ``None`` where they are not seen."""
        neck = float(np.mean([joint[1] for joint in self.shoulders.values()]))
        return self.hip_row - 0.2 * (self.hip_row - neck) if self.hips else None


def sleeve_end(limb: Limb, reach: float) -> float:
    """The share of an arm's length down to which a sleeve comes that ends ``reach`` pixels below the joint of the shoulder."""
    return float(np.clip(reach / limb.length, 0.12, 1.0))


def armpit_share(limb: Limb, unit: float) -> float:
    """The share of an arm's length at which it leaves the trunk."""
    return float(np.clip(0.36 * unit / max(limb.length, 1.0), 0.1, 0.4))


def cap(limb: Limb, half: float) -> np.ndarray:
    """(n, 2) the round of the shoulder, from its top down to where the outer edge begins; ``half``: width there."""
    along = limb.axis[2] - limb.axis[0]
    along = along / max(float(np.linalg.norm(along)), 1e-6)
    turn = np.radians(np.linspace(65, 0, 6))[:, None]
    return limb.axis[0] + half * (np.cos(turn) * limb.normal[0] - np.sin(turn) * along)


def body_of(keypoints: np.ndarray | None, bare: np.ndarray, cloth: np.ndarray, rest: np.ndarray) -> Body | None:
    """The limbs of somebody whose BODY_25 ``keypoints`` (25, 3) show both shoulders, else ``None``.

    bare: bool (H, W), the bare skin of limbs; cloth: bool (H, W), what is worn, whose outline bounds the limbs below; rest: bool (H, W),
    the
    trunk and what else is no limb's edge
    """
    if keypoints is None or min(keypoints[[2, 5], 2]) < SEEN:
        return None
    points = keypoints[:, :2].astype(float)
    order = SIDES if points[2, 0] <= points[5, 0] else SIDES[::-1]
    shoulders = dict(zip(order, points[[2, 5]], strict=True))
    unit = _unit(keypoints)
    limbs: dict[str, dict[str, Limb]] = {"arm": {}, "leg": {}}
    for kind, sides in _JOINTS.items():
        for side, joints in zip(order, sides, strict=True):
            if min(keypoints[list(joints), 2]) >= SEEN:
                rough = _limb(points[list(joints)], side, kind, unit)
                limbs[kind][side] = _fitted(rough, bare, cloth, rest)
    hips = {side: points[k] for side, k in zip(order, (9, 12), strict=True) if keypoints[k, 2] >= SEEN}
    turned = order != SIDES and keypoints[0, 2] < SEEN
    return Body(unit, shoulders, hips, limbs["arm"], limbs["leg"], turned)


def strays(given: np.ndarray, keypoints: np.ndarray | None, *, arms: bool = False) -> np.ndarray:
    """bool (H, W): what of a top's mask ``given`` lies on the wearer's lower half: spots below its hem, and on no arm.

    keypoints: float32 (25, 3), BODY_25, x, y and confidence; arms: also those on an arm
    The hem is a parabola through most of the mask's lower ends (least absolute deviations); where much of a row is below it, it was wrong.
    """
    nothing = np.zeros_like(given)
    if keypoints is None or min(keypoints[[2, 5, 9, 12], 2]) < SEEN:
        return nothing
    points = keypoints[:, :2]
    unit, sides = float(np.linalg.norm(points[2] - points[5])), np.sort(points[[9, 12], 0])
    left, right = np.clip((sides + 0.2 * unit * np.array([-1, 1])).round().astype(int), 0, given.shape[1])
    top = int(np.clip(points[[2, 5], 1].mean() + 0.5 * unit, 0, len(given)))
    sleeves = np.zeros(given.shape, np.uint8)
    for joints in ((2, 3, 4), (5, 6, 7)):
        bones = points[[k for k in joints if keypoints[k, 2] >= SEEN]]
        cv2.polylines(sleeves, [bones.round().astype(np.int32)], False, 1, max(1, round(0.3 * unit)))
    run = np.logical_and.accumulate(given[top:, left:right], 0).sum(0)
    ends = np.nonzero((run > 0) & ~sleeves[top:, left:right].any(0))[0]
    if len(ends) < 0.3 * (right - left) or len(ends) < 8:
        return nothing
    across = (np.arange(given.shape[1]) - left) / max(right - left, 1) * 2 - 1
    powers, weight = np.vander(across[left + ends], 3), np.ones(len(ends))
    for _ in range(12):
        curve = np.linalg.lstsq(powers * weight[:, None], run[ends] * weight, rcond=None)[0]
        weight = np.maximum(np.abs(powers @ curve - run[ends]), 1.0) ** -0.5
    seen = np.clip(across, across[left + ends[0]], across[left + ends[-1]])
    low = np.arange(len(given))[:, None] > top + np.polyval(curve, seen) + 0.03 * unit
    few = (given & low)[:, left:right].mean(1) < 0.35
    return given & low & few[:, None] & ((sleeves == 0) | arms)


def _unit(keypoints: np.ndarray) -> float:
    """Breadth of the shoulders, also where they are turned away: the longest of what tells it."""
    points, seen = keypoints[:, :2], keypoints[:, 2] >= SEEN
    found = [float(np.linalg.norm(points[2] - points[5]))]
    for a, b, share in ((2, 3, 0.85), (5, 6, 0.85), (1, 8, 1.45)):
        if seen[a] and seen[b]:
            found.append(float(np.linalg.norm(points[a] - points[b])) / share)
    return float(np.clip(max(found), found[0], 1.6 * found[0]))


def _limb(joints: np.ndarray, side: str, kind: str, unit: float) -> Limb:
    middle = _COUNT // 2
    axis = np.vstack([resample(joints[:2], middle + 1), resample(joints[1:], middle + 1)[1:]])
    smooth = np.vstack([np.repeat(axis[:1], 2, 0), axis, np.repeat(axis[-1:], 2, 0)])
    axis = np.column_stack([np.convolve(smooth[:, k], np.ones(5) / 5, "valid") for k in (0, 1)])
    axis[0], axis[-1] = joints[0], joints[2]
    shares = np.linspace(0, 1, _COUNT)
    return Limb(axis, unit * np.interp(shares, *_WIDTHS[kind]), _normals(axis, side))


def _normals(axis: np.ndarray, side: str) -> np.ndarray:
    """(n, 2) unit normals to the outer side of a hanging limb."""
    along = np.gradient(axis, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    return np.column_stack([-along[:, 1], along[:, 0]]) * (1 if side == "left" else -1)


def _fitted(limb: Limb, bare: np.ndarray, cloth: np.ndarray, rest: np.ndarray) -> Limb:
    """``limb`` moved and widened to what the picture shows: bare skin is measured; cloth lies on the outer side of an arm and hangs from
    it."""
    reach = np.linspace(0, 2.2, 45)
    ends = {}
    skin = _sample(bare, limb.axis[:, None])[:, 0]
    for sign in (1, -1):
        spots = limb.axis[:, None] + sign * (reach[None, :, None] * limb.half[:, None, None]) * limb.normal[:, None]
        inside, free = _sample(bare, spots), ~_sample(rest, spots)
        inside |= _sample(cloth, spots) & ~skin[:, None]  # a bare arm ends where the trunk's cloth begins
        run = np.logical_and.accumulate(inside, 1)
        last = run.sum(1)
        stop = np.clip(last, 0, len(reach) - 1)
        open_end = (last > 0) & (last < len(reach)) & free[np.arange(len(stop)), stop]
        ends[sign] = np.where(open_end, reach[np.clip(last - 1, 0, None)], np.nan)
    both = ends[1] + ends[-1]
    measured = skin & np.isfinite(both) & (both < 3.0) & (both > 1.0)
    measured &= np.convolve(measured, np.ones(3), "same") > 2  # beside a sleeve's end both are mixed
    told = float(measured.mean())
    away = np.abs(np.arange(len(both))[:, None] - np.nonzero(measured)[0]).min(1, initial=len(both))
    if measured.sum() >= 3:
        factor = float(np.clip(np.median(both[measured] / 2), 0.75, 1.35))
        at = np.nonzero(measured)[0]
        local = np.interp(np.arange(len(both)), at, both[at] / 2)
        scale = factor + (np.clip(local, 0.75, 1.4) - factor) * np.exp(-away / 4)
    else:
        scale = np.ones(len(both))
    shift = np.full(len(both), np.nan)
    shift[measured] = ((ends[1] - ends[-1]) / 2)[measured]
    covered = ~skin & np.isfinite(ends[1])
    most = np.full(len(both), 0.25)
    if measured.any():  # it goes on as the bare arm below does
        most += (np.interp(np.arange(len(both)), np.nonzero(measured)[0], shift[measured]) - most) * np.exp(-away / 8)
    shift[covered] = np.clip(
        ends[1][covered] - 1.06 * scale[covered], -0.4, np.maximum(most, -0.4)[covered]
    )  # a puffed sleeve stands off
    narrow = ~skin & np.isfinite(both) & (both / 2 < scale)  # cloth is never inside the limb
    scale = np.where(narrow, np.maximum(0.97 * both / 2, 0.7), scale)
    shift[narrow] = ((ends[1] - ends[-1]) / 2)[narrow]
    known = np.isfinite(shift)
    shift = np.interp(np.arange(len(shift)), np.nonzero(known)[0], shift[known]) if known.any() else np.zeros(len(shift))
    kernel = np.array([1, 2, 3, 2, 1]) / 9
    shift, scale = (np.convolve(np.pad(np.clip(v, -0.6, 1.5), 2, mode="edge"), kernel, "valid") for v in (shift, scale))
    half = limb.half * scale
    axis = limb.axis + (shift * limb.half)[:, None] * limb.normal
    return Limb(axis, half, limb.normal, told)


def _sample(mask: np.ndarray, spots: np.ndarray) -> np.ndarray:
    """bool, ``mask`` at spots (..., 2); outside the picture nothing is."""
    x, y = spots[..., 0].round().astype(int), spots[..., 1].round().astype(int)
    good = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    return good & mask[np.clip(y, 0, mask.shape[0] - 1), np.clip(x, 0, mask.shape[1] - 1)]

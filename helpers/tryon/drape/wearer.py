"""What is seen of the wearer around the garment: hair, neck, arms, legs, from a label map or else by the colour of skin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from helpers.labels import LOWER, select
from helpers.person import Person
from helpers.pixels import length, nearest_known
from helpers.srgb import to_linear
from helpers.tryon.drape import landmarks
from helpers.tryon.drape.body import SEEN, Body, armpit_share, body_of, strays
from helpers.tryon.drape.light import dye_colours
from helpers.tryon.drape.silhouette import Silhouette
from helpers.tryon.drape.strands import hair_share
from helpers.tryon.drape.warp import fill

_SKIN = ("torso-skin", "face", "left-arm", "right-arm", "left-leg", "right-leg")
_HEAD = ("hair", "hat", "sunglasses")
_MARGIN = 24
_JOINTS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11, 13, 14)  # of BODY_25: head, arms and hips, then legs
_BONES = tuple((k - 1 if k % 4 != 1 else 0, k) for k in range(1, 21))  # of a hand's points
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93,
    234, 127, 162, 21, 54, 103, 67, 109,
)  # the outline of MediaPipe's face mesh  # fmt: skip


@dataclass(frozen=True)
class Wearer:
    """What is seen of a person, bool (H, W) each: ``skin`` is every bare part, ``arms``, ``legs`` and ``neck`` are parts of it; ``hair``
    also
    holds hats and glasses; ``hands`` and ``face`` are what they say; ``sleeves``: cloth that was called an arm. ``tone``: (3,) float CIE
    Lab
    median of the bare skin, ``None`` if none is seen; ``strands``: float32 (H, W) 0..1, each pixel's share of hair.
    """

    skin: np.ndarray
    arms: np.ndarray
    legs: np.ndarray
    neck: np.ndarray
    hair: np.ndarray
    hands: np.ndarray
    face: np.ndarray
    sleeves: np.ndarray
    tone: np.ndarray | None
    strands: np.ndarray

    @property
    def front(self) -> np.ndarray:
        """bool (H, W): what cloth never lies on."""
        return self.hair | self.face | self.hands


@dataclass(frozen=True)
class View:
    """The part of a person's photograph that the work needs: the garment, the arms, the neck.

    window: rows and columns of it; person: what is known of the person, cut to it; linear: float32 (h, w, 3) linear light;
    lab: float32 (h, w, 3) CIE Lab; given: bool (h, w), the mask as it came and sleeves of the same cloth that it leaves out;
    worn: bool (h, w), where the old cloth really ends; body: the limbs, where the joints are known
    """

    window: tuple[slice, slice]
    person: Person
    linear: np.ndarray
    lab: np.ndarray
    given: np.ndarray
    worn: np.ndarray
    wearer: Wearer
    body: Body | None

    @property
    def behind(self) -> np.ndarray:
        """bool (h, w): where nobody is, as far as labels or a matte tell it."""
        if self.person.labels is not None:
            return self.person.labels == 0
        return np.zeros_like(self.worn) if self.person.matte is None else self.person.matte < 0.5

    @property
    def below(self) -> np.ndarray:
        """bool (h, w): what else is worn, as far as labels tell it."""
        labels = self.person.labels
        return np.zeros_like(self.worn) if labels is None else select(labels, LOWER) & ~self.worn

    @property
    def image(self) -> np.ndarray:
        """uint8 (h, w, 3) RGB."""
        return self.person.image

    def joints(self, *numbers: int) -> np.ndarray | None:
        """(n, 2) x and y of these of OpenPose's BODY_25, if all are known."""
        known = self.person.keypoints
        if known is None or min(known[list(numbers), 2]) < 0.2:
            return None
        return known[list(numbers), :2]


def see(person: Person, mask: np.ndarray, category: str = "upper") -> View:
    """What there is to be seen of ``person`` around the garment that ``mask``, bool (H, W), covers."""
    window = _window(person, mask, _JOINTS[: None if category != "upper" else 11])
    part, given = _crop(person, window), mask[window]
    if category == "upper":
        given = given & ~strays(given, part.keypoints)
    lab = cv2.cvtColor(part.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    wearer = look(part, lab, given)
    given = given | wearer.sleeves
    worn = snap(given, lab, wearer)
    if category == "upper":
        worn &= ~strays(worn, part.keypoints)
    body = body_of(part.keypoints, (wearer.arms | wearer.legs) & ~worn & ~wearer.hands, worn, wearer.hair)
    return View(window, part, to_linear(part.image), lab, given, worn, wearer, body)


def _window(person: Person, mask: np.ndarray, joints: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns that the work needs: the mask, the arms, the neck, and these of BODY_25's joints."""
    seen = mask.copy()
    if person.labels is not None:
        seen |= select(person.labels, ("left-arm", "right-arm", "torso-skin", "face"))
    height, width = mask.shape
    if person.keypoints is not None:
        points = person.keypoints[list(joints)]
        reach = round(0.2 * float(np.linalg.norm(person.keypoints[2, :2] - person.keypoints[5, :2])))
        for x, y, confidence in points:
            if confidence >= SEEN:
                cv2.circle(spot := np.zeros(mask.shape, np.uint8), (round(float(x)), round(float(y))), max(reach, 1), 1, -1)
                seen |= spot > 0
    rows, columns = np.nonzero(seen)
    top = rows.min() - _MARGIN - (0 if person.labels is not None else int(0.35 * np.ptp(columns)))
    left, right = columns.min() - _MARGIN, columns.max() + _MARGIN + 1
    return slice(max(0, top), min(height, rows.max() + _MARGIN + 1)), slice(max(0, left), min(width, right))


def _crop(person: Person, window: tuple[slice, slice]) -> Person:
    corner = np.array([window[1].start, window[0].start, 0], np.float32)

    def moved(points: np.ndarray | None) -> np.ndarray | None:
        return None if points is None else points - corner

    labels, matte = (None if values is None else values[window] for values in (person.labels, person.matte))
    return Person(
        np.ascontiguousarray(person.image[window]),
        keypoints=moved(person.keypoints),
        labels=labels,
        hands=moved(person.hands),
        face=moved(person.face),
        matte=matte,
        mask=None if person.mask is None else person.mask[window],
    )


def silhouette_of(view: View, category: str) -> Silhouette:
    """The silhouette of what is worn, arms and hair in front of it taken away; armpits that the outline hides are the body's."""
    bridged = bridge(view.given, view.wearer)
    if category == "lower":
        return landmarks.lower(bridged)
    if category == "dress" and view.body is not None and (fork := landmarks.crotch_of(bridged)) is not None:
        bridged = bridged & (np.arange(len(bridged))[:, None] < min(fork[1], view.body.hip_row + 0.1 * view.body.unit))
    shoulders = view.joints(2, 5)
    columns = np.nonzero(view.given.any(0))[0]
    middle = None if shoulders is None else float((shoulders[0, 0] + shoulders[1, 0]) / 2)
    if middle is not None and not columns[0] + 10 < middle < columns[-1] - 10:
        middle = None
    return _anchored(landmarks.upper(bridged, centre=middle), view.body)


def _anchored(worn: Silhouette, body: Body | None) -> Silhouette:
    """``worn`` with guessed armpits put where the arms leave the trunk, and the sides from there down."""
    if body is None:
        return worn
    points, edges = dict(worn.points), dict(worn.edges)
    for side, limb in body.arms.items():
        if f"{side}-armpit" not in worn.guessed:
            continue
        pit = limb.edges(armpit_share(limb, body.unit), 1.0)[1][0]
        sign = 1 if side == "left" else -1
        line = edges[f"{side}-side"]
        off = limb.place(worn.mask.shape)[1]
        inside = (
            off[np.clip(line[:, 1].astype(int), 0, len(off) - 1), np.clip(line[:, 0].astype(int), 0, off.shape[1] - 1)] < -1
        )
        below = line[(line[:, 1] > pit[1] + 0.2 * body.unit) & inside]
        hem = points[f"{side}-hem"]
        side_line = np.vstack([pit, below, hem[None]])
        if sign * (worn.centre - pit[0]) < 0.15 * body.unit or hem[1] < pit[1] + 0.3 * body.unit:
            continue
        points[f"{side}-armpit"], edges[f"{side}-side"] = pit, side_line
        if worn.sleeved[side]:
            edges[f"{side}-armhole"] = np.vstack([points[f"{side}-shoulder"], pit])
    return replace(worn, points=points, edges=edges)


def silhouette_with_arms(view: View, worn: Silhouette) -> Silhouette | None:
    """The silhouette ``worn`` together with the bare arms, where arms are seen."""
    if view.wearer.arms.sum() < 0.02 * view.worn.sum():
        return None
    return landmarks.upper(worn.mask | view.wearer.arms, centre=worn.centre)


def belly(view: View) -> bool:
    """Whether skin is seen under the middle of the worn garment's hem."""
    columns = np.nonzero(view.worn.any(0))[0]
    middle = columns[int(0.3 * len(columns)) : int(0.7 * len(columns)) + 1]
    ends = len(view.worn) - 1 - view.worn[::-1, middle].argmax(0)
    under = np.clip(ends + max(4, len(view.worn) // 100), 0, len(view.worn) - 1)
    return bool((view.wearer.skin & ~view.wearer.arms & ~view.wearer.legs)[under, middle].mean() > 0.35)


def waist_row(view: View) -> float | None:
    """Where a waistband sits, from the joints: a little above the hips."""
    joints = view.joints(1, 8)
    if joints is None:
        return None
    neck, hips = joints[:, 1]
    return float(hips - 0.2 * (hips - neck))


def look(person: Person, lab: np.ndarray, worn: np.ndarray) -> Wearer:
    """Find the bare parts of ``person``. lab: float32 (H, W, 3) of its image; worn: bool (H, W), what is being replaced."""
    face = _face(person, worn.shape)
    if person.labels is None:
        return _by_colour(person, lab, worn, face)
    skin = select(person.labels, _SKIN) & ~worn
    neck = select(person.labels, ("torso-skin",)) & ~worn
    called = select(person.labels, ("face",)) & ~worn
    if face is None:
        face = called
    else:  # parsings without a neck call it face
        chin = float(np.nonzero(face.any(1))[0].max())
        low = called & (np.arange(len(worn))[:, None] > chin) & ~face
        neck, face = neck | low, (face & called) | (called & ~low)
    arms = select(person.labels, ("left-arm", "right-arm", "glove")) & ~worn
    legs = select(person.labels, ("left-leg", "right-leg")) & ~worn
    hair = select(person.labels, (*_HEAD, "scarf")) & ~worn
    hair, lost, strands = _hair(lab, worn, hair)
    sure = skin & ~arms
    sleeves = sleeves_called_arms(lab, worn, arms, sure if sure.sum() > 200 else skin)
    arms, skin, sleeves = arms & ~sleeves, skin & ~sleeves, sleeves | lost
    seen = cv2.erode(sure.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    seen = seen if seen.sum() > 200 else skin
    tone = np.median(lab[seen], 0) if seen.sum() > 50 else None
    return Wearer(skin, arms, legs, neck, hair, _hands(person, arms), face, sleeves, tone, strands)


def _by_colour(person: Person, lab: np.ndarray, worn: np.ndarray, face: np.ndarray | None) -> Wearer:
    """Where there are no labels: skin by its colour, hair as what else is near the head."""
    nothing = np.zeros_like(worn)
    skin, tone = _skin_by_colour(lab, worn, _surely_bare(person, lab, worn, face))
    figure = nothing if person.matte is None else person.matte > 0.5
    if figure.any():
        skin &= cv2.dilate(figure.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    rows, columns = np.nonzero(worn)
    above, near = nothing.copy(), nothing.copy()
    above[: int(rows.min() + 0.35 * (rows.max() - rows.min()))] = True
    near[:, int(np.percentile(columns, 15)) : int(np.percentile(columns, 85)) + 1] = True
    neck = skin & above & near
    hair = nothing
    if face is not None:
        shaded = _throat(lab, face, worn, figure, tone)
        skin, neck = skin | shaded, neck | shaded
        around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(np.ptp(np.nonzero(face.any(0))[0])) + 1,) * 2)
        hair = (cv2.dilate(face.astype(np.uint8), around) > 0) & figure & ~skin & ~worn & ~face
        neck &= ~face
    hair, lost, strands = _hair(lab, worn, hair)
    face = _or(face, nothing)
    return Wearer(skin, skin & ~neck & ~face, nothing, neck, hair, _hands(person, skin), face, lost, tone, strands)


def _hair(lab: np.ndarray, worn: np.ndarray, hair: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """bool (H, W) each, what of ``hair`` and its surroundings is hair and what cloth, and float32 (H, W) 0..1, each pixel's share of it."""
    lost = cloth_called_hair(lab, worn, hair)
    strands, where = hair_share(lab, hair & ~lost, worn | lost)
    lost = lost | (where & hair & (strands < 0.5))
    return (hair & ~lost) | (where & (strands >= 0.5)), lost, strands


def _throat(lab: np.ndarray, face: np.ndarray, worn: np.ndarray, figure: np.ndarray, tone: np.ndarray | None) -> np.ndarray:
    """bool (H, W): the neck between a ``face`` and what is ``worn``, also where the chin shades it."""
    if tone is None:
        return np.zeros_like(worn)
    rows, columns = np.nonzero(face)
    reach = np.zeros_like(worn)
    left, right = np.percentile(columns, (3, 97)).astype(int)
    reach[int(rows.max() - 0.25 * np.ptp(rows)) : int(rows.max() + 1.2 * np.ptp(rows)), left : right + 1] = True
    hue = np.hypot(lab[..., 1] - tone[1], lab[..., 2] - tone[2])
    return reach & figure & ~worn & ~face & (hue < 12) & (lab[..., 0] > tone[0] - 40) & (lab[..., 0] < tone[0] + 25)


def _or(mask: np.ndarray | None, otherwise: np.ndarray) -> np.ndarray:
    return otherwise if mask is None else mask


def _face(person: Person, shape: tuple[int, int]) -> np.ndarray | None:
    """bool (H, W) inside the face's outline, where its points are known."""
    if person.face is None or person.face[0, 2] < SEEN:
        return None
    out = np.zeros(shape, np.uint8)
    cv2.fillPoly(out, [person.face[list(_OVAL), :2].round().astype(np.int32)], 1)
    return out > 0 if out.any() else None


def _hands(person: Person, arms: np.ndarray) -> np.ndarray:
    """bool (H, W): hands, about their points or else beyond the wrists."""
    out = np.zeros(arms.shape, np.uint8)
    seen = [] if person.hands is None else [hand[:, :2] for hand in person.hands if hand[0, 2] >= SEEN]
    for hand in seen:
        cv2.fillConvexPoly(out, cv2.convexHull(hand.round().astype(np.int32)), 1)
        thick = max(3, round(0.22 * float(np.linalg.norm(hand[0] - hand[9]))))
        for bone in _BONES:
            cv2.polylines(out, [hand[list(bone)].round().astype(np.int32)], False, 1, thick)
    if person.keypoints is not None:
        points = person.keypoints
        for elbow, wrist in ((3, 4), (6, 7)):
            if min(points[[elbow, wrist], 2]) < SEEN:
                continue
            end, axis = points[wrist, :2], points[wrist, :2] - points[elbow, :2]
            long = max(float(np.linalg.norm(axis)), 1.0)
            rows, columns = np.nonzero(arms)
            off = np.column_stack([columns, rows]) - end
            beyond = (off @ (axis / long) > 0.06 * long) & (np.linalg.norm(off, axis=1) < 0.9 * long)
            out[rows[beyond], columns[beyond]] = 1
    return (out > 0) & (cv2.dilate(arms.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)


def sleeves_called_arms(lab: np.ndarray, worn: np.ndarray, arms: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """bool (H, W): the part of ``arms`` that has the colours of the cloth it hangs on and not that of the skin.

    lab: float32 (H, W, 3) CIE Lab; skin: bool (H, W), what is surely bare (face, neck)
    """
    core = cv2.erode(worn.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    if arms.sum() < 200 or skin.sum() < 50 or core.sum() < 200:
        return np.zeros_like(worn)
    soft = cv2.GaussianBlur(lab, (0, 0), 2)
    tone = np.median(lab[skin], 0)
    dyes = [dye for dye in dye_colours(lab[core]) if np.linalg.norm((dye - tone) * (0.4, 1, 1)) > 10]
    if not dyes:
        return np.zeros_like(worn)
    soft = soft[arms]
    to_skin = length((soft - tone) * (0.35, 1, 1))
    to_cloth = np.min([length((soft - dye) * (0.6, 1, 1)) for dye in dyes], 0)
    alike = np.zeros_like(arms)
    alike[arms] = (to_cloth < 0.7 * to_skin) & (to_cloth < 14)
    alike = arms & (cv2.medianBlur(alike.astype(np.uint8), 15) > 0)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(alike.astype(np.uint8))
    touching = np.unique(pieces[cv2.dilate(worn.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0])
    large = np.nonzero(stats[:, cv2.CC_STAT_AREA] > 0.06 * arms.sum())[0]
    return alike & np.isin(pieces, np.intersect1d(touching, large))


def cloth_called_hair(lab: np.ndarray, worn: np.ndarray, hair: np.ndarray) -> np.ndarray:
    """bool (H, W): the part of ``hair`` beside the cloth that has its colours and none that hair has farther up."""
    core = cv2.erode(worn.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    rows = np.nonzero(hair.any(1))[0]
    if not rows.size or core.sum() < 200:
        return np.zeros_like(worn)
    top = int(np.nonzero(worn.any(1))[0].min())
    sure = hair & (np.arange(len(worn))[:, None] < min(top, rows.min() + 0.7 * np.ptp(rows)))
    if sure.sum() < 200:
        return np.zeros_like(worn)
    reach = 2 * int(0.05 * len(worn)) + 1
    near = hair & (cv2.dilate(worn.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0)
    soft = cv2.GaussianBlur(lab, (0, 0), 1.5)[near]
    to_hair, to_cloth = (
        np.min([length((soft - dye) * (0.8, 1, 1)) for dye in dye_colours(lab[where])], 0) for where in (sure, core)
    )
    alike = np.zeros_like(near)
    alike[near] = (to_cloth < 0.5 * to_hair) & (to_cloth < 9) & (to_hair > 16)
    return alike & (cv2.medianBlur(alike.astype(np.uint8), 7) > 0)


def _surely_bare(person: Person, lab: np.ndarray, worn: np.ndarray, face: np.ndarray | None) -> np.ndarray | None:
    """bool (H, W): the middle of the face, where it is known."""
    if face is None:
        return None
    size = max(3, int(0.3 * np.ptp(np.nonzero(face.any(0))[0]))) | 1
    inner = (cv2.erode(face.astype(np.uint8), np.ones((size, size), np.uint8)) > 0) & ~worn
    return inner if inner.sum() > 100 else None


def _skin_by_colour(lab: np.ndarray, worn: np.ndarray, bare: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Skin as the pixels near in chroma to what is ``bare`` or else just above the middle of the garment, if that can be skin at all."""
    nothing = np.zeros_like(worn)
    rows, columns = np.nonzero(worn)
    centre, width, top = np.median(columns), np.ptp(columns), rows.min()
    patch = nothing.copy()
    reach = max(4, int(0.18 * width))
    patch[max(0, top - reach) : top + reach, max(0, int(centre - 0.16 * width)) : int(centre + 0.16 * width) + 1] = True
    values = lab[patch & ~worn] if bare is None else lab[bare]
    hue = np.degrees(np.arctan2(values[:, 2], values[:, 1])) if len(values) else np.zeros(0)
    chroma = np.hypot(values[:, 1], values[:, 2]) if len(values) else np.zeros(0)
    likely = values[(hue > 15) & (hue < 85) & (chroma > 9) & (chroma < 50) & (values[:, 0] > 12)] if len(values) else values
    if len(likely) < 40:
        return nothing, None
    tone = np.median(likely, 0)
    distance = np.hypot(lab[..., 1] - tone[1], lab[..., 2] - tone[2])
    skin = (distance < 9) & (np.abs(lab[..., 0] - tone[0]) < (26 if bare is None else 34)) & ~worn
    skin = cv2.morphologyEx(skin.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(skin)
    keep = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] > 0.002 * worn.sum()]
    return np.isin(pieces, keep), tone


def snap(worn: np.ndarray, lab: np.ndarray, wearer: Wearer, reach: int = 11) -> np.ndarray:
    """``worn`` with its outline moved, by up to ``reach`` pixels, to where the old cloth really ends: bool (H, W).

    lab: float32 (H, W, 3) CIE Lab; what ``wearer`` calls skin and has its colour never joins. Label maps and clicked
    masks are a few pixels off; whatever of the old cloth stays outside them would show as a fringe. A pixel outside joins when its
    colour is that of the cloth just inside and not that of the surroundings; one inside leaves only on the strongest evidence.
    """
    inward = cv2.distanceTransform(worn.astype(np.uint8), cv2.DIST_L2, 3)
    outward = cv2.distanceTransform((~worn).astype(np.uint8), cv2.DIST_L2, 3)
    keep = wearer.skin if wearer.tone is None else wearer.skin & (length((lab - wearer.tone) * (0.4, 1, 1)) < 14)
    core = inward > 4 if (inward > 4).sum() > 0.3 * worn.sum() else worn
    deep = inward > reach + 2 if (inward > reach + 2).sum() > 0.2 * worn.sum() else core
    past = outward > reach + 1
    cloth = [nearest(lab, core & (outward + inward < 40)), fill(lab, core)]
    around = [nearest(lab, past & (outward < 40)), fill(lab, past)]
    bare = past & ~wearer.skin & ~wearer.hair
    around += [fill(lab, bare)] if bare.any() else []  # between arm and trunk, where no backdrop lies far enough away
    to_cloth, to_around = (np.min([length(lab - c) for c in colours], 0) for colours in (cloth, around))
    near = outward <= reach
    rough = length(lab - cv2.blur(lab, (9, 9)))
    rough = fill(rough, past & (cv2.erode(past.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0))
    joins = near & ~worn & ~keep & (to_cloth < 16) & (to_cloth < 0.5 * to_around) & (to_around > 3.0 + 2 * rough)
    rim = worn & (inward <= reach)
    to_dyes = np.full(worn.shape, np.inf, np.float32)
    to_dyes[rim] = np.min([length((lab[rim] - dye) * (0.6, 1, 1)) for dye in dye_colours(lab[deep])], 0)
    leaves = rim & (to_dyes > 16) & (to_around < 0.5 * to_dyes)
    new = (worn | joins) & ~leaves
    new = (cv2.GaussianBlur(new.astype(np.float32), (0, 0), 1.6) > 0.5) | (worn & (inward > reach + 1))
    new &= ~wearer.hair
    _, pieces = cv2.connectedComponents(new.astype(np.uint8))
    return np.isin(pieces, np.unique(pieces[worn & (inward > 3)])) & new


def nearest(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Each pixel's nearest known value, slightly blurred: float32 (H, W, C)."""
    if not known.any():
        return np.zeros_like(values)
    _, place = nearest_known(known)
    return cv2.GaussianBlur(cv2.blur(values, (3, 3)).reshape(-1, values.shape[2])[place], (0, 0), 1.5)


def crossing(worn: np.ndarray, wearer: Wearer) -> np.ndarray:
    """bool (H, W): bare arms that lie in front of ``worn``: with cloth right above and below them, or right beside them on both sides."""
    cloth = cv2.dilate(worn.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    ends = [_before(wearer.arms, cloth, axis, back) for axis in (0, 1) for back in (False, True)]
    found = wearer.arms & (ends[0] & ends[1] | ends[2] & ends[3])
    found = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(found)
    large = np.nonzero(stats[:, cv2.CC_STAT_AREA] > 0.015 * worn.sum())[0]
    return (found > 0) & np.isin(pieces, large)


def _before(run: np.ndarray, marked: np.ndarray, axis: int, back: bool) -> np.ndarray:
    """bool (H, W): whether ``marked`` holds where the run of ``run`` that a pixel lies in starts along ``axis`` (ends, if ``back``)."""
    run, marked = (np.flip(a, axis) if back else a for a in (run, marked))
    places = np.arange(run.shape[axis]).reshape((-1, 1) if axis == 0 else (1, -1))
    last = np.maximum.accumulate(np.where(run, -1, places), axis)
    found = (last >= 0) & np.take_along_axis(marked, np.maximum(last, 0), axis)
    return np.flip(found, axis) if back else found


def bridge(worn: np.ndarray, wearer: Wearer) -> np.ndarray:
    """``worn`` with what hair and arms in front of it hide filled in: bool (H, W)."""
    left = np.logical_or.accumulate(worn, 1)
    right = np.logical_or.accumulate(worn[:, ::-1], 1)[:, ::-1]
    below = np.logical_or.accumulate(worn[::-1], 0)[::-1]
    hull = np.zeros(worn.shape, np.uint8)
    corners = np.argwhere(worn)[:, ::-1].astype(np.int32)
    cv2.fillConvexPoly(hull, cv2.convexHull(corners), 1)
    covered = wearer.hair & below & (left | right) & (hull > 0)
    filled = (worn | crossing(worn, wearer) | covered).astype(np.uint8)
    return cv2.morphologyEx(filled, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))) > 0

"""What is seen of the wearer around the garment: hair, neck, arms, legs, from a label map or else by the colour of skin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from helpers.labels import select
from helpers.person import Person
from helpers.pixels import nearest_known
from helpers.srgb import to_linear
from helpers.tryon.drape import landmarks
from helpers.tryon.drape.light import dye_colours
from helpers.tryon.drape.silhouette import Silhouette
from helpers.tryon.drape.warp import fill

_SKIN = ("torso-skin", "face", "left-arm", "right-arm", "left-leg", "right-leg")


_MARGIN = 24


@dataclass(frozen=True)
class Wearer:
    """What is seen of a person, bool (H, W) each: ``skin`` is every bare part, ``arms`` and ``neck`` are parts of it; ``hair`` also holds
    hats and glasses. ``tone``: (3,) float CIE Lab median of the bare skin, ``None`` if none is seen.
    """

    skin: np.ndarray
    arms: np.ndarray
    neck: np.ndarray
    hair: np.ndarray
    tone: np.ndarray | None


@dataclass(frozen=True)
class View:
    """The part of a person's photograph that the work needs: the garment, the arms, the neck.

    window: rows and columns of it; person: what is known of the person, cut to it; linear: float32 (h, w, 3) linear light;
    lab: float32 (h, w, 3) CIE Lab; given: bool (h, w), the mask as it came; worn: bool (h, w), where the old cloth really ends
    """

    window: tuple[slice, slice]
    person: Person
    linear: np.ndarray
    lab: np.ndarray
    given: np.ndarray
    worn: np.ndarray
    wearer: Wearer

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


def see(person: Person, mask: np.ndarray) -> View:
    """What there is to be seen of ``person`` around the garment that ``mask``, bool (H, W), covers."""
    window = _window(person, mask)
    part, given = _crop(person, window), mask[window]
    lab = cv2.cvtColor(part.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    wearer = look(part, lab, given)
    return View(window, part, to_linear(part.image), lab, given, snap(given, lab, wearer), wearer)


def _window(person: Person, mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that the work needs: the mask, the arms, the neck."""
    seen = mask.copy()
    if person.labels is not None:
        seen |= select(person.labels, ("left-arm", "right-arm", "torso-skin", "face"))
    rows, columns = np.nonzero(seen)
    top = rows.min() - _MARGIN - (0 if person.labels is not None else int(0.35 * np.ptp(columns)))
    left, right = columns.min() - _MARGIN, columns.max() + _MARGIN + 1
    height, width = mask.shape
    return slice(max(0, top), min(height, rows.max() + _MARGIN + 1)), slice(max(0, left), min(width, right))


def _crop(person: Person, window: tuple[slice, slice]) -> Person:
    keypoints = person.keypoints
    if keypoints is not None:
        keypoints = keypoints - np.array([window[1].start, window[0].start, 0], np.float32)
    labels = None if person.labels is None else person.labels[window]
    return Person(np.ascontiguousarray(person.image[window]), keypoints=keypoints, labels=labels)


def silhouette_of(view: View, category: str) -> Silhouette:
    """The silhouette of what is worn, arms and hair in front of it taken away."""
    bridged = bridge(view.given, view.wearer)
    if category == "lower":
        return landmarks.lower(bridged)
    shoulders = view.joints(2, 5)
    columns = np.nonzero(view.given.any(0))[0]
    middle = None if shoulders is None else float((shoulders[0, 0] + shoulders[1, 0]) / 2)
    if middle is not None and not columns[0] + 10 < middle < columns[-1] - 10:
        middle = None
    return landmarks.upper(bridged, centre=middle)


def silhouette_with_arms(view: View, worn: Silhouette) -> Silhouette | None:
    """The silhouette ``worn`` together with the bare arms, where arms are seen."""
    if view.wearer.arms.sum() < 0.02 * view.worn.sum():
        return None
    return landmarks.upper(worn.mask | view.wearer.arms, centre=worn.centre)


def waist_row(view: View) -> float | None:
    """Where a waistband sits, from the joints: a little above the hips."""
    joints = view.joints(1, 8)
    if joints is None:
        return None
    neck, hips = joints[:, 1]
    return float(hips - 0.2 * (hips - neck))


def look(person: Person, lab: np.ndarray, worn: np.ndarray) -> Wearer:
    """Find the bare parts of ``person``. lab: float32 (H, W, 3) of its image; worn: bool (H, W), what is being replaced."""
    if person.labels is not None:
        skin = select(person.labels, _SKIN) & ~worn
        neck = select(person.labels, ("torso-skin", "face")) & ~worn
        arms = select(person.labels, ("left-arm", "right-arm", "glove")) & ~worn
        hair = select(person.labels, ("hair", "hat", "sunglasses", "scarf")) & ~worn
        seen = cv2.erode((skin & ~arms).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        seen = seen if seen.sum() > 200 else skin
        tone = np.median(lab[seen], 0) if seen.sum() > 50 else None
        return Wearer(skin, arms, neck, hair, tone)
    skin, tone = _skin_by_colour(lab, worn)
    rows, columns = np.nonzero(worn)
    above = np.zeros_like(worn)
    above[: int(rows.min() + 0.35 * (rows.max() - rows.min()))] = True
    near = np.zeros_like(worn)
    near[:, int(np.percentile(columns, 15)) : int(np.percentile(columns, 85)) + 1] = True
    neck = skin & above & near
    return Wearer(skin, skin & ~neck, neck, np.zeros_like(worn), tone)


def _skin_by_colour(lab: np.ndarray, worn: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Skin as the pixels near in chroma to what is just above the middle of the garment, if that can be skin at all."""
    nothing = np.zeros_like(worn)
    rows, columns = np.nonzero(worn)
    centre, width, top = np.median(columns), np.ptp(columns), rows.min()
    patch = nothing.copy()
    reach = max(4, int(0.18 * width))
    patch[max(0, top - reach) : top + reach, max(0, int(centre - 0.16 * width)) : int(centre + 0.16 * width) + 1] = True
    values = lab[patch & ~worn]
    hue = np.degrees(np.arctan2(values[:, 2], values[:, 1])) if len(values) else np.zeros(0)
    chroma = np.hypot(values[:, 1], values[:, 2]) if len(values) else np.zeros(0)
    likely = values[(hue > 15) & (hue < 85) & (chroma > 9) & (chroma < 50) & (values[:, 0] > 12)] if len(values) else values
    if len(likely) < 40:
        return nothing, None
    tone = np.median(likely, 0)
    distance = np.hypot(lab[..., 1] - tone[1], lab[..., 2] - tone[2])
    skin = (distance < 9) & (np.abs(lab[..., 0] - tone[0]) < 26) & ~worn
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
    keep = (
        wearer.skin if wearer.tone is None else wearer.skin & (np.linalg.norm((lab - wearer.tone) * (0.4, 1, 1), axis=2) < 14)
    )
    core = inward > 4 if (inward > 4).sum() > 0.3 * worn.sum() else worn
    deep = inward > reach + 2 if (inward > reach + 2).sum() > 0.2 * worn.sum() else core
    past = outward > reach + 1
    cloth = [nearest(lab, core & (outward + inward < 40)), fill(lab, core)]
    around = [nearest(lab, past & (outward < 40)), fill(lab, past)]
    bare = past & ~wearer.skin & ~wearer.hair
    around += [fill(lab, bare)] if bare.any() else []  # between arm and trunk, where no backdrop lies far enough away
    to_cloth, to_around = (np.min([np.linalg.norm(lab - c, axis=2) for c in colours], 0) for colours in (cloth, around))
    near = outward <= reach
    rough = np.linalg.norm(lab - cv2.blur(lab, (9, 9)), axis=2)
    rough = fill(rough, past & (cv2.erode(past.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0))
    joins = near & ~worn & ~keep & (to_cloth < 16) & (to_cloth < 0.5 * to_around) & (to_around > 3.0 + 2 * rough)
    rim = worn & (inward <= reach)
    to_dyes = np.full(worn.shape, np.inf, np.float32)
    to_dyes[rim] = np.min([np.linalg.norm((lab[rim] - dye) * (0.6, 1, 1), axis=1) for dye in dye_colours(lab[deep])], 0)
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

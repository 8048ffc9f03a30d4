"""Does the new garment have the old one's shape? Sleeves, neckline, length, legs; said in plain words, with a confidence."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from helpers.tryon.drape.body import Body, sleeve_end
from helpers.tryon.drape.landmarks import lower
from helpers.tryon.drape.polylines import length
from helpers.tryon.drape.silhouette import SIDES, Silhouette

SURE = 0.5
"""From here on it is believed where a garment's front ends at the neck."""
_CLASSES = ((0.62, "cap"), (1.2, "short"), (1.7, "elbow-length"), (9e9, "long"))


@dataclass
class Fitting:
    """How a garment is fitted to the wearer: what is done where the shapes differ.

    scale: wearer's pixels per garment pixel; neck_kept: the worn neckline is taken over; sleeves: side -> "none", "kept", "shorter"
    or "longer"; reach: side -> length of the new sleeve on the wearer in pixels, from the shoulder's joint on where that is known;
    cuffs: side -> share of the pictured sleeve that is its outside; hem: "kept", "tucked", "higher" or "lower" than the worn one,
    which is ``hem_ratio`` times as long; hem_share: part of the garment's length that is seen (tucked) or takes the worn one's place
    (lower); neck_shift: how far its neckline lies lower, in chest widths; legs: it follows the legs' bones; exchanged: it is a skirt
    over trousers or the other way.
    """

    scale: float
    neck_kept: bool = True
    sleeves: dict[str, str] = field(default_factory=dict)
    reach: dict[str, float] = field(default_factory=dict)
    cuffs: dict[str, float] = field(default_factory=dict)
    hem_share: float = 1.0
    hem: str = "kept"
    hem_ratio: float = 1.0
    legs: bool = False
    exchanged: bool = False
    neck_shift: float = 0.0
    confidence: float = 1.0
    notes: list[str] = field(default_factory=list)

    def say(self, words: str, factor: float = 1.0) -> None:
        """Note something and multiply the confidence by ``factor``."""
        if words not in self.notes:
            self.notes.append(words)
            self.confidence *= factor


def sleeve_ratio(outline: Silhouette, side: str) -> float:
    """Distance from the shoulder to the middle of the cuff over the shoulder width; 0 without sleeve."""
    if not outline.sleeved.get(side):
        return 0.0
    cuff = (outline.points[f"{side}-cuff-outer"] + outline.points[f"{side}-cuff-inner"]) / 2
    return float(np.linalg.norm(cuff - outline.points[f"{side}-shoulder"])) / max(outline.shoulder_width, 1.0)


def sleeve_class(ratio: float) -> str:
    """ "sleeveless", "cap", "short", "elbow-length" or "long"."""
    return "sleeveless" if ratio == 0 else next(name for limit, name in _CLASSES if ratio < limit)


def neck_depth(outline: Silhouette) -> float:
    """How far the neckline's middle lies below the tops of the armholes, in chest widths; negative for a stand-up collar."""
    shoulders = (outline.points["left-shoulder"][1] + outline.points["right-shoulder"][1]) / 2
    return float((outline.points["neck"][1] - shoulders) / max(outline.chest_width, 1.0))


def neck_width(outline: Silhouette) -> float:
    """Distance between the ends of the neckline in chest widths."""
    return float((outline.points["right-collar"][0] - outline.points["left-collar"][0]) / max(outline.chest_width, 1.0))


def plan_upper(
    worn: Silhouette,
    garment: Silhouette,
    neck_sure: float,
    arms: Silhouette | None,
    crossed: bool,
    category: str,
    body: Body | None = None,
    cloth: np.ndarray | None = None,
    belly: bool = False,
) -> Fitting:
    """How a top or dress is to be put on.

    neck_sure: 0..1, how sure it is where the new garment's front ends; arms: silhouette of the worn garment with the bare arms, where arms
    are seen; body: the limbs, where joints are known; cloth: bool (H, W), the worn garment as it is seen; belly: whether skin is seen under
    its hem
    """
    scale = 0.5 * (worn.chest_width / garment.chest_width + worn.shoulder_width / garment.shoulder_width)
    if not garment.sleeved["left"] and not garment.sleeved["right"]:
        scale = worn.chest_width / garment.chest_width
    chest = by_body = worn.chest_width / garment.chest_width
    if body is not None:  # what is worn may be tight or wide; the shoulders are not (mannequins in 33 tops)
        if all(garment.sleeved.values()):
            by_body = 0.84 * body.unit / garment.shoulder_width
        else:
            by_body = 0.93 * body.unit / garment.chest_width
        scale = float(np.sqrt(chest * by_body))
    ratios = {side: (sleeve_ratio(garment, side), sleeve_ratio(worn, side)) for side in SIDES}
    carried = arms is not None and all(arms.sleeved[side] for side in SIDES) and not crossed
    actions = _sleeve_actions(ratios, carried)
    if body is not None and cloth is not None:
        actions |= _along_bones(body, cloth, worn, garment, scale, actions)
    new, old = (max(r[k] for r in ratios.values()) for k in (0, 1))
    longer, shorter = ("longer" in actions.values()), ("shorter" in actions.values() or (new == 0 and old > 0.4))
    depth, was = neck_depth(garment), neck_depth(worn)
    same_neck = abs(depth - was) < 0.09 and abs(neck_width(garment) - neck_width(worn)) < 0.22
    doubt = neck_sure < SURE
    fitting = Fitting(
        scale,
        neck_kept=same_neck or doubt,
        neck_shift=0.0 if doubt else depth - was,
        sleeves={side: "kept" if action == "unseen" else action for side, action in actions.items()},
        reach={side: _reach(garment, side, scale, body) if ratios[side][0] else 0.0 for side in SIDES},
    )
    # What holds, what is said of it, and its factor on the confidence.
    rules = (
        (bool(worn.guessed) and body is None, "A sleeve lies against the body, so the armpit is a guess.", 0.92),
        (crossed, "An arm crosses the garment; the print under it is continued, not known.", 0.9),
        *(
            (
                actions[side] == "unseen",
                f"The new sleeve is {sleeve_class(ratios[side][0])}, but the arm to carry it is not seen free; it ends like the worn one.",
                0.6,
            )
            for side in SIDES
        ),
        (
            longer,
            f"Sleeves differ: {sleeve_class(new)} over {sleeve_class(old)} ones; the new sleeve follows the arm.",
            1.0,
        ),
        (
            shorter and not longer,
            f"Sleeves differ: {sleeve_class(new)} instead of {sleeve_class(old)} ones; the skin of the arm is invented.",
            1.0 if body is not None else 0.7,
        ),
        (
            new == 0 and min(_strap(garment, side) for side in SIDES) < 0.16,
            "The new garment hangs on straps; shoulders and the skin beside them are invented where the worn one covered them.",
            1.0,
        ),
        (
            doubt,
            "Where the new garment's front ends at the neck is not clear from its picture; the worn neckline is kept.",
            0.8,
        ),
    )
    for holds, words, factor in rules:
        if holds:
            fitting.say(words, factor)
    _hem(fitting, worn, garment, category, body, belly, min(scale, chest, by_body) / scale)
    return fitting


def _reach(garment: Silhouette, side: str, scale: float, body: Body | None) -> float:
    """How long a sleeve is on the wearer, in pixels: its outer edge, or where the arm is known the way from the shoulder's joint down.

    Laid flat a sleeve begins before the joint, and beside the armpit; what it is worth on an arm was fitted to 104 sleeves of mannequins.
    """
    outer, inner = (length(garment.edges[f"{side}-{name}"]) for name in ("outer", "inner"))
    if body is None or side not in body.arms:
        return outer * scale
    shoulders = 0.84 * body.unit / garment.shoulder_width
    return 1.27 * (0.7 * outer + 0.3 * inner) * shoulders - 0.4 * body.unit


def _along_bones(
    body: Body, cloth: np.ndarray, worn: Silhouette, garment: Silhouette, scale: float, outlines: dict[str, str]
) -> dict[str, str]:
    """side -> what becomes of its sleeve, for the sides whose arm is known: as ``Fitting.sleeves``; ``outlines``: what they alone say."""
    new = {
        side: sleeve_end(limb, _reach(garment, side, scale, body)) if garment.sleeved[side] else 0.0
        for side, limb in body.arms.items()
    }
    old = {side: limb.covered(cloth) for side, limb in body.arms.items()}
    room = {side: 0.22 if outlines[side] == "kept" and not worn.guessed else 0.13 for side in body.arms}
    alike = all(abs(new[side] - old[side]) < room[side] or min(new[side], old[side]) > 0.82 for side in body.arms)

    def action(side: str) -> str:
        if not garment.sleeved[side]:
            like = old[side] == 0 and not worn.sleeved[side] and abs(_strap(garment, side) - _strap(worn, side)) < 0.06
            like = like and abs(neck_width(garment) - neck_width(worn)) < 0.15
            return "kept" if like else "none"
        if alike and worn.sleeved[side]:
            return "kept"
        return "longer" if new[side] > old[side] else "shorter"

    return {side: action(side) for side in body.arms}


def _sleeve_actions(ratios: dict[str, tuple[float, float]], carried: bool) -> dict[str, str]:
    """side -> what becomes of its sleeve, from the ``ratios`` of the new and the old one: as ``Fitting.sleeves``, or "unseen" where a
    longer one has no bare arm to be ``carried`` by."""
    both = [pair for pair in ratios.values() if min(pair) > 0]
    alike = False
    if both:  # one decision for the two sleeves
        new, old = np.mean(both, 0)
        alike = bool(0.72 < new / old < 1.4 or min(new, old) > 1.7 or sleeve_class(new) == sleeve_class(old))

    def action(new: float, old: float) -> str:
        if new == 0:
            return "none"
        if old > 0 and alike:
            return "kept"
        if new < old:
            return "shorter"
        return "longer" if carried else "unseen"

    return {side: action(*pair) for side, pair in ratios.items()}


def _strap(outline: Silhouette, side: str) -> float:
    """Width of what lies over the shoulder, in chest widths."""
    return float(
        abs(outline.points[f"{side}-collar"][0] - outline.points[f"{side}-shoulder"][0]) / max(outline.chest_width, 1.0)
    )


def _hem(
    fitting: Fitting, worn: Silhouette, garment: Silhouette, category: str, body: Body | None, belly: bool, sure: float
) -> None:
    """Which hem is drawn; sure: 1 where everything says the same of the scale, less where it may be that much smaller or larger."""

    def seen(outline: Silhouette) -> float:
        armpits = (outline.points["left-armpit"][1] + outline.points["right-armpit"][1]) / 2
        shoulders = (outline.points["left-shoulder"][1] + outline.points["right-shoulder"][1]) / 2
        hem = (outline.points["left-hem"][1] + outline.points["right-hem"][1]) / 2
        return hem - min(shoulders, armpits)

    share = seen(worn) / max(fitting.scale * seen(garment), 1.0)
    fitting.hem_share, fitting.hem_ratio = float(np.clip(share, 0.25, 1.0)), float(max(share, 0.25))
    waist = None if body is None else body.waist_row
    if body is not None and waist is not None:
        low = (worn.points["left-hem"][1] + worn.points["right-hem"][1]) / 2
        hangs = category == "dress" or belly or (share < 0.7 and low > waist + 0.25 * body.unit)
        if share < 0.9 * sure and hangs:
            fitting.hem = "lower"
            fitting.say("The new garment is longer than the worn one; it is drawn over what was seen below.")
            return
        short = 1.35 if any(garment.sleeved.values()) else 1.9  # of straps little can be measured
        if share > short / sure and (category == "dress" or low > waist - 0.5 * body.unit):
            fitting.hem, fitting.hem_share = "higher", 1.0
            fitting.say("The new garment is shorter than the worn one; what it uncovers is continued from what is seen.")
            return
    if share < 0.92 and category != "dress":
        fitting.hem = "tucked"
        fitting.say(
            "The worn garment ends above the new one's length: the new one is shown tucked in, with the worn hem.", 0.97
        )
        return
    fitting.hem_share = 1.0
    if category == "dress" and share < 0.8:
        fitting.say("The new dress is longer than what is worn; it is shortened to the worn hem.", 0.7)
    elif share > 1.6 / sure:
        fitting.say("The new garment is much shorter than the worn one; it is lengthened to the worn hem.", 0.6)


def seen_window(worn: Silhouette, garment: Silhouette, waist: float | None, touches: bool) -> Silhouette:
    """The part of trousers or a skirt that is seen on the wearer: a top may hide its waist, the picture's edge its hem.

    waist: row where the waistband sits, if the joints tell; touches: the worn garment runs out of the picture.
    """
    rows_p, rows_g = (np.nonzero(o.mask.any(1))[0] for o in (worn, garment))
    (top_p, low_p), (top_g, low_g) = (rows_p[0], rows_p[-1]), (rows_g[0], rows_g[-1])

    def width(outline: Silhouette, row: float) -> float:
        columns = np.nonzero(outline.mask[int(np.clip(row, 0, len(outline.mask) - 1))])[0]
        return float(np.ptp(columns)) if columns.size else 1.0

    if "crotch" in worn.points and "crotch" in garment.points:
        fork_p, fork_g = worn.points["crotch"][1], garment.points["crotch"][1]
        scale = width(worn, fork_p - 0.02 * (low_p - top_p)) / width(garment, fork_g - 0.02 * (low_g - top_g))
        if not touches:
            scale = 0.5 * scale + 0.5 * (low_p - fork_p) / max(low_g - fork_g, 1)
        first, last = fork_g - (fork_p - top_p) / scale, fork_g + (low_p - fork_p) / scale
    elif touches:
        hidden = 0.0 if waist is None else max(0.0, top_p - waist)
        scale = width(worn, top_p + 3) / width(garment, top_g + 3)
        for _ in range(3):
            scale = width(worn, top_p + 3) / width(garment, top_g + 3 + hidden / scale)
        first, last = top_g + hidden / scale, top_g + (hidden + low_p - top_p) / scale
        if "crotch" in garment.points:  # the picture ends above the fork
            last = min(last, garment.points["crotch"][1] - 0.01 * (low_g - top_g))
    else:
        scale = width(worn, low_p - 0.06 * (low_p - top_p)) / width(garment, low_g - 0.06 * (low_g - top_g))
        first, last = low_g - (low_p - top_p) / scale, float(low_g)
    slack = 0.07 * (low_g - top_g)
    first = first if first > top_g + slack else top_g
    last = last if touches and last < low_g - slack else low_g
    if first > top_g + 0.8 * (low_g - top_g) or last < first + 0.15 * (low_g - top_g) or (first == top_g and last == low_g):
        return garment
    window = garment.mask.copy()
    window[: int(first)] = False
    window[int(last) + 1 :] = False
    return lower(window)


def plan_lower(worn: Silhouette, garment: Silhouette) -> Fitting:
    """How trousers, shorts or a skirt are to be put on."""

    def waist(outline: Silhouette) -> float:
        return float(np.linalg.norm(outline.points["right-waist"] - outline.points["left-waist"]))

    def long(outline: Silhouette) -> float:
        hem = (outline.points["left-hem"][1] + outline.points["right-hem"][1]) / 2
        return hem - (outline.points["left-waist"][1] + outline.points["right-waist"][1]) / 2

    fitting = Fitting(waist(worn) / max(waist(garment), 1.0))
    if ("crotch" in worn.points) != ("crotch" in garment.points):
        kinds = ("a skirt", "trousers")
        new, old = (kinds["crotch" in o.points] for o in (garment, worn))
        fitting.exchanged = True
        fitting.say(f"{new.capitalize()} over {old}: the outline stays that of {old}.", 0.4)
    share = fitting.hem_ratio = long(worn) / max(fitting.scale * long(garment), 1.0)
    if share < 0.55:
        fitting.say("The new garment is longer than the worn one; it is shortened to the worn hem.", 0.7)
    elif share > 1.3:
        fitting.say("The new garment is much shorter than the worn one; it is lengthened to the worn hem.", 0.6)
    return fitting

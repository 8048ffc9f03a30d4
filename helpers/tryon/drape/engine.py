"""``engine="drape"``: a garment photograph warped onto a photograph of a person, in 2-D, with nothing downloaded.

Landmarks are found by the same code on the garment and on what is worn; torso and sleeves are warped apart by smoothing splines;
the worn garment's folds and light are kept, and its outline where the new one has the same cut. Where it has not, sleeves and legs
follow the bones that the joints tell. Face, hands and hair stay in front. What the picture does not show (skin under the old sleeves,
a lower neckline) is continued plausibly, and said.
"""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass, replace

import cv2
import numpy as np

from helpers import engines, provenance
from helpers.contract import Base
from helpers.garment import Garment
from helpers.images import resize
from helpers.labels import LOWER, UPPER, select
from helpers.person import Person
from helpers.srgb import encode, to_linear
from helpers.tryon import modelled, plausible
from helpers.tryon.drape import light
from helpers.tryon.drape.compatibility import Fitting, plan_lower, plan_upper, seen_window
from helpers.tryon.drape.compose import blend, shade_everywhere, uncover
from helpers.tryon.drape.confidence import confidence, doubts
from helpers.tryon.drape.landmarks import with_like_sleeves
from helpers.tryon.drape.laying import Laid, lay, trunk_of, zones_of
from helpers.tryon.drape.legs import along_legs, leg_parts
from helpers.tryon.drape.parts import Part, lower_parts, upper_parts
from helpers.tryon.drape.product import cuff_share
from helpers.tryon.drape.reading import GarmentReading, read_garment
from helpers.tryon.drape.silhouette import SIDES, Silhouette
from helpers.tryon.drape.wearer import View, belly, crossing, see, silhouette_of, silhouette_with_arms, waist_row
from helpers.tryon.result import TryOn

LARGEST = 6_000_000
"""Pixels above which a garment's photograph is reduced: the wearer is seen at a tenth of that, and floats of all of it fill the memory."""
_OPEN = 0.2  # share of a garment that is seen from within, above which it is open in front: closed ones show 0.12 at the most


@dataclass(frozen=True)
class _Plan:
    """Which ``parts`` of the garment's ``front`` go where on what is ``worn``, and what is to be said of the ``fitting``."""

    worn: Silhouette
    front: Silhouette
    fitting: Fitting
    parts: list[Part]


class Drape(Base):
    """Puts a garment photograph on a person by warping it. Needs no weights; about a second a picture at 768x1024."""

    @engines.checked("try_on", "drape")
    def __call__(self, person: Person, garment: Garment, *, mask: np.ndarray, seed: int = 0) -> TryOn:
        """``garment`` on ``person`` in place of what ``mask`` covers.

        mask: bool (H, W), the garment worn now, without hands and hair in front of it; seed: grain of invented skin
        A garment of more than :data:`LARGEST` pixels is reduced to them, and so are its picture and mask among the steps and data.
        Labels and keypoints of the person are used where there are any. Returns a :class:`TryOn` of the person's size.
        Raises ``ValueError`` naming ``mask`` or ``garment`` and what to do: no garment in the picture, or one that
        cannot be told from who wears it, a mask of another size, empty, inverted, of the whole body, or of the wrong half of it.
        """
        started = time.perf_counter()
        _check(person, garment, mask)
        garment = _reduced(garment)
        pictured = read_garment(garment)
        view = see(person, mask, garment.category)
        plan = _plan(view, pictured, garment)
        if pictured.worn:
            plan.fitting.say(modelled.CUT_OUT, 0.6)
        _contradictions(view, garment.category, plan.fitting)
        steps = {
            "garment mask": _tinted(garment.image, plan.front.mask),
            "landmarks on the garment": _landmarks(garment.image, plan.front),
            "landmarks on the person": _landmarks(view.image, plan.worn),
        }
        zones = zones_of(view, plan.worn, plan.front, plan.fitting, garment.category)
        laid = lay(garment.image, plan.front, pictured.holes, plan.parts, plan.fitting, view, zones)
        if garment.category != "lower":
            _say_neckline(view, laid, plan)
        steps |= laid.pictures
        shading = _shading(view, laid, plan.fitting)
        steps["light of the worn cloth"] = np.clip(np.rint(shading * 160), 0, 255).astype(np.uint8)[..., None].repeat(3, 2)
        new, inner = _compose(view, laid, plan, shading, np.random.default_rng(seed))
        sure = 1.0 if garment.category == "lower" else pictured.sure
        found = doubts(view, laid, plan.fitting, new, sure, plan.worn, plan.front, garment.category)
        steps["composite before the edge is blended"] = np.where(
            inner[..., None], np.rint(255 * encode(new)), view.image
        ).astype(np.uint8)
        picture, touched = blend(view, new, inner)
        image, changed, covered, shown = person.image.copy(), *(np.zeros(mask.shape, bool) for _ in range(3))
        image[view.window], changed[view.window], covered[view.window] = picture, touched, laid.covered
        shown[view.window] = laid.shown & ~view.wearer.front & ~(view.wearer.arms & ~laid.covered)
        corner = np.array([view.window[1].start, view.window[0].start])
        data = {"warped mask": shown, "garment mask": plan.front.mask, "light": shading, "doubts": np.array(astuple(found))}
        data |= {f"garment {name}": point for name, point in plan.front.points.items()}
        data |= {f"person {name}": point + corner for name, point in plan.worn.points.items()}
        return TryOn(
            image=image,
            mask=covered,
            changed=changed,
            confidence=float(np.clip(confidence(found), 0.02, 0.98)),
            notes=tuple(plan.fitting.notes),
            steps=steps,
            data=data,
            seconds=time.perf_counter() - started,
            engine="drape",
            made_by={provenance.CLOTH_MASK: provenance.CUT_OUT if pictured.worn else provenance.of_garment(garment)},
        )


def _check(person: Person, garment: Garment, mask: np.ndarray) -> None:
    plausible.check(mask, person)
    if person.labels is None:
        return
    upper, lower = (int((mask & select(person.labels, names)).sum()) for names in (UPPER, LOWER))
    if garment.category == "upper" and lower > 4 * max(upper, 1):
        raise ValueError(
            'category is "upper" but mask covers what is worn below. Pass the mask of the top, or category="lower".'
        )
    if garment.category == "lower" and upper > 4 * max(lower, 1):
        raise ValueError(
            'category is "lower" but mask covers the top. Pass the mask of the trousers or skirt, or category="upper".'
        )


def _plan(view: View, pictured: GarmentReading, garment: Garment) -> _Plan:
    worn, front = silhouette_of(view, garment.category), pictured.front
    if garment.category == "lower":
        touches = bool(view.given[-2:].any())
        if view.body is not None and (other := along_legs(worn, front, view.body, touches)) is not None:
            front, fitting = other
            return _Plan(worn, front, fitting, leg_parts(worn, front, fitting, view.body))
        front = seen_window(worn, front, waist_row(view), touches=touches)
        return _Plan(worn, front, plan_lower(worn, front), lower_parts(worn, front))
    front = with_like_sleeves(front)
    arms = silhouette_with_arms(view, worn)
    crossed = bool(_in_front(view).sum() > 0.015 * view.worn.sum())
    fitting = plan_upper(worn, front, pictured.sure, arms, crossed, garment.category, view.body, view.worn, belly(view))
    if garment.mask is not None and garment.inside is not None and garment.inside.sum() > _OPEN * garment.mask.sum():
        fitting.say("The new garment is open in front; it is drawn closed, as what would be seen under it is not known.", 0.4)
    if garment.inside is None:
        lab = cv2.cvtColor(garment.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        fitting.cuffs = {side: cuff_share(lab, front, side) for side in SIDES if front.sleeved[side]}
    return _Plan(worn, front, fitting, upper_parts(worn, front, arms, fitting, view.body))


def _in_front(view: View) -> np.ndarray:
    """bool (h, w): where forearms cross the garment; an upper arm beside an armhole has cloth above and below it too."""
    found = crossing(view.given, view.wearer)
    for limb in () if view.body is None else view.body.arms.values():
        found &= ~limb.area(found.shape, 0.0, 0.5)
    return found


def _say_neckline(view: View, laid: Laid, plan: _Plan) -> None:
    """Whether the neckline moves, by the skin that it uncovers or covers, not by landmarks alone."""
    points, size = plan.worn.points, max(int(view.worn.sum()), 1)
    low = round(max(points["left-armpit"][1], points["right-armpit"][1]))
    middle = np.s_[:low, round(points["left-collar"][0]) : round(points["right-collar"][0]) + 1]
    if not plan.fitting.neck_kept and laid.removed[middle].sum() > 0.02 * size:
        how = "lower than" if plan.fitting.neck_shift > 0.05 else "cut otherwise than"
        plan.fitting.say(f"The new neckline is {how} the worn one; the skin it shows is continued from what is seen.")
    elif (laid.covered & view.wearer.neck).sum() > 0.015 * size:
        plan.fitting.say("The new neckline is higher than the worn one and covers skin.")


def _contradictions(view: View, category: str, fitting: Fitting) -> None:
    """Say what of the joints and the mask does not go together. Raises ``ValueError`` where they are of different people."""
    body = view.body
    if body is None:
        if view.person.keypoints is not None:
            fitting.say("The shoulders are not both seen, so arms and neck are guessed from outlines.", 0.8)
        return
    if category != "lower":
        trunk = trunk_of(body, view.worn.shape)
        share = float((trunk & view.given).sum() / max(trunk.sum(), 1))
        if share < 0.03:
            raise ValueError(
                "mask: what it covers is not on the trunk that the joints show. Pass mask and keypoints of the same person."
            )
        if share < 0.2:
            fitting.say("The mask hardly covers the trunk that the joints show: one of the two may be wrong.", 0.5)
    if body.turned:
        fitting.say("The person is seen from behind; the garment's front is laid there.", 0.4)


def _shading(view: View, laid: Laid, fitting: Fitting) -> np.ndarray:
    """(h, w) factor of the worn cloth's light and shade, wherever new cloth lies."""
    shading, patterned = light.folds(view.lab, view.linear, view.worn)
    if patterned > 0.5:
        fitting.say("The worn cloth is patterned, so only its broad light and shade are kept.", 0.95)
    return shade_everywhere(shading, view, laid.covered)


def _compose(
    view: View, laid: Laid, plan: _Plan, shading: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """What is new, float32 (h, w, 3) in linear light, and bool (h, w) where it goes."""
    lit = to_linear(np.clip(np.rint(laid.cloth), 0, 255).astype(np.uint8)) * shading[..., None]
    if not laid.removed.any():
        return lit, laid.covered
    if view.wearer.tone is None:
        plan.fitting.say("No skin is seen to continue; the old cloth stays where the new one does not reach.", 0.6)
        return lit, laid.covered
    return uncover(lit, view, laid, shading, rng)


def _reduced(garment: Garment) -> Garment:
    """The garment at no more than :data:`LARGEST` pixels."""
    height, width = garment.image.shape[:2]
    scale = (LARGEST / (height * width)) ** 0.5
    if scale >= 1:
        return garment
    size = round(width * scale), round(height * scale)
    mask, inside = (None if cover is None else resize(cover, size) for cover in (garment.mask, garment.inside))
    return replace(garment, image=resize(garment.image, size), mask=mask, inside=inside)


def _tinted(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask[..., None], image, (image // 4 + 170).astype(np.uint8))


def _landmarks(image: np.ndarray, outline: Silhouette) -> np.ndarray:
    """The picture with its outline and landmarks drawn in."""
    out = image.copy()
    pen = max(2, round(max(image.shape[:2]) / 300))
    hues = {
        "neck": 150,
        "yoke": 0,
        "outer": 90,
        "inner": 75,
        "cuff": 30,
        "side": 15,
        "hem": 110,
        "armhole": 120,
        "waist": 150,
        "inseam": 75,
    }
    for name, line in outline.edges.items():
        hue = np.array([[[hues[name.partition("-")[2]], 220, 240]]], np.uint8)
        colour = tuple(int(v) for v in cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0])
        cv2.polylines(out, [line.round().astype(np.int32)], False, colour, pen, cv2.LINE_AA)
    for point in outline.points.values():
        centre = tuple(int(v) for v in point.round())
        cv2.circle(out, centre, 2 * pen + 1, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(out, centre, pen + 1, (20, 20, 20), -1, cv2.LINE_AA)
    return out

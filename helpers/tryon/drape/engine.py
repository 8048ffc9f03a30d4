"""``engine="drape"``: a garment photograph warped onto a photograph of a person, in 2-D, with nothing downloaded.

Landmarks are found by the same code on the garment and on what is worn; torso and sleeves are warped apart by smoothing splines;
the worn garment's outline, folds and light are kept; hands, hair and everything else in front stay in front. What the picture
does not show (skin under the old sleeves, a lower neckline) is continued plausibly, and said.
"""

from __future__ import annotations

import time

import cv2
import numpy as np

from helpers import engines
from helpers.contract import Base
from helpers.garment import Garment
from helpers.labels import LOWER, UPPER, select
from helpers.person import Person
from helpers.srgb import encode, to_linear
from helpers.tryon import plausible
from helpers.tryon.drape import compatibility, light, silhouette
from helpers.tryon.drape import wearer as bodies
from helpers.tryon.drape.parts import Part, hem_row, lower_parts, upper_parts
from helpers.tryon.drape.product import Neckline, cuff_share, front_neckline, garment_mask, trimmed, without_inside
from helpers.tryon.drape.silhouette import Silhouette
from helpers.tryon.drape.warp import backward_map, carry_on, fill
from helpers.tryon.result import TryOn

_FEATHER = 3  # pixels around the change within which the edge is blended
_MARGIN = 24
_TORSO, _NECK, _ARMHOLE, _ELSEWHERE, _LEFT, _RIGHT, _BELOW = range(7)
_PIECE = {
    "left sleeve": _LEFT,
    "right sleeve": _RIGHT,
    "left leg": _LEFT,
    "right leg": _RIGHT,
}  # which piece of the garment a part shows; all others the trunk


class Drape(Base):
    """Puts a garment photograph on a person by warping it. Needs no weights; about a second a picture at 768x1024."""

    @engines.checked("try_on", "drape")
    def __call__(self, person: Person, garment: Garment, *, mask: np.ndarray, seed: int = 0) -> TryOn:
        """``garment`` on ``person`` in place of what ``mask`` covers.

        mask: bool (H, W), the garment worn now, without hands and hair in front of it; seed: grain of invented skin
        Labels and keypoints of the person are used where there are any. Returns a :class:`TryOn` of the person's size.
        Raises ``ValueError`` naming ``mask`` or ``garment`` and what to do: no garment in the picture, a mask of another size, empty,
        inverted, of the whole body, or of the wrong half of it.
        """
        started = time.perf_counter()
        _check(person, garment, mask)
        rng = np.random.default_rng(seed)
        box = _box(person, mask)
        view = tuple(slice(a, b) for a, b in box)
        scene = _crop(person, view)
        worn = mask[view]
        image = scene.image
        linear = to_linear(image)
        lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        body = bodies.look(scene, lab, worn)
        given, worn = worn, bodies.snap(worn, lab, body)
        steps: dict[str, np.ndarray] = {}
        data: dict[str, np.ndarray] = {}

        front, holes, neckline = _study(garment)
        wearer = _wearer(scene, given, body, garment.category)
        if garment.category == "lower":
            front = compatibility.seen_window(wearer, front, _waist_row(scene), touches=bool(given[-2:].any()))
            plan = compatibility.plan_lower(wearer, front)
            parts = lower_parts(wearer, front)
        else:
            garment_lab = cv2.cvtColor(garment.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
            arms = _with_arms(scene, worn, body, wearer)
            hidden = bool(bodies.crossing(given, body).sum() > 0.015 * worn.sum())
            plan = compatibility.plan_upper(wearer, front, neckline, arms, hidden, garment.category)
            if garment.inside is None:
                plan.cuffs = {side: cuff_share(garment_lab, front, side) for side in silhouette.SIDES if front.sleeved[side]}
            parts = upper_parts(wearer, front, arms, plan)
        steps["garment mask"] = _tinted(garment.image, front.mask)
        steps["landmarks on the garment"] = _landmarks(garment.image, front)
        steps["landmarks on the person"] = _landmarks(image, wearer)

        cloth_source, types, ratio = _source(garment.image, front, holes, plan, legs=any(p.name.endswith("leg") for p in parts))
        cloth = np.zeros(image.shape, np.float32)
        covered = np.zeros(worn.shape, bool)
        removed = np.zeros(worn.shape, bool)
        raw = np.zeros(worn.shape, bool)
        weight_sum = np.zeros(worn.shape, np.float32)
        for part in parts:
            if not len(part.target):
                removed |= part.region
                continue
            lookup = backward_map(part.target, part.source, worn.shape, smoothing=part.smoothing, weight=part.weight)
            kind = cv2.remap(types, lookup[..., 0], lookup[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
            sampled = cv2.remap(
                cloth_source, lookup[..., 0] * ratio, lookup[..., 1] * ratio, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
            reach, gone = _reach(part, kind, worn, body, plan)
            piece = _PIECE.get(part.name, _TORSO)
            raw |= kind == piece
            weight = cv2.GaussianBlur((part.region | reach).astype(np.float32), (0, 0), 1.5) + 1e-4
            cloth += sampled * weight[..., None]
            weight_sum += weight
            covered |= reach
            removed |= gone
            steps[f"{part.name}, warped"] = np.where((kind == piece)[..., None], np.clip(sampled, 0, 255), 255).astype(np.uint8)
        cloth /= weight_sum[..., None]
        removed &= worn & ~covered

        lit_by, patterned = light.folds(lab, linear, worn)
        if patterned > 0.5:
            plan.say("The worn cloth is patterned, so only its broad light and shade are kept.", 0.95)
        lit_by = _light_everywhere(lit_by, linear, worn, covered, body)
        steps["light of the worn cloth"] = np.clip(np.rint(lit_by * 160), 0, 255).astype(np.uint8)[..., None].repeat(3, 2)
        lit = to_linear(np.clip(np.rint(cloth), 0, 255).astype(np.uint8)) * lit_by[..., None]
        new = lit
        if removed.any():
            limbs = removed & _sleeve_region(parts, worn.shape)
            if body.tone is None:
                plan.say("No skin is seen to continue; the old cloth stays where the new one does not reach.", 0.6)
                removed[:] = False
            else:
                near = body.neck | body.arms
                flesh = light.skin(linear, near if near.sum() > 400 else body.skin, removed, limbs, lit_by, rng)
                flesh = _contact_shadow(flesh, covered)
                flesh = _slimmer(flesh, linear, limbs, worn, body)
                share = cv2.GaussianBlur(removed.astype(np.float32), (0, 0), 0.9)
                share /= np.maximum(cv2.GaussianBlur((covered | removed).astype(np.float32), (0, 0), 0.9), 1e-3)
                new = lit + share[..., None] * (flesh - lit)
        steps["composite before the edge is blended"] = np.where(
            (covered | removed)[..., None], np.rint(255 * encode(new)), image
        ).astype(np.uint8)
        result, touched = _blend(image, linear, new, covered, removed, worn, body.hair)
        out, changed, laid = person.image.copy(), np.zeros(mask.shape, bool), np.zeros(mask.shape, bool)
        out[view], changed[view], laid[view] = result, touched, covered
        warped = np.zeros(mask.shape, bool)
        warped[view] = raw & ~body.hair & ~(body.arms & ~covered)
        data |= {"warped mask": warped, "garment mask": front.mask, "light": lit_by}
        data |= {f"garment {name}": point for name, point in front.points.items()}
        data |= {f"person {name}": point + np.array([box[1][0], box[0][0]]) for name, point in wearer.points.items()}
        return TryOn(
            image=out,
            mask=laid,
            changed=changed,
            confidence=float(np.clip(plan.confidence, 0.02, 0.98)),
            notes=tuple(plan.notes),
            steps=steps,
            data=data,
            seconds=time.perf_counter() - started,
            engine="drape",
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


def _box(person: Person, mask: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns that the work needs: the mask, the arms, the neck."""
    seen = mask.copy()
    if person.labels is not None:
        seen |= select(person.labels, ("left-arm", "right-arm", "torso-skin", "face"))
    rows, columns = np.nonzero(seen)
    top = rows.min() - _MARGIN - (0 if person.labels is not None else int(0.35 * np.ptp(columns)))
    left, right = columns.min() - _MARGIN, columns.max() + _MARGIN + 1
    height, width = mask.shape
    return (max(0, top), min(height, rows.max() + _MARGIN + 1)), (max(0, left), min(width, right))


def _crop(person: Person, view: tuple[slice, slice]) -> Person:
    keypoints = person.keypoints
    if keypoints is not None:
        keypoints = keypoints - np.array([view[1].start, view[0].start, 0], np.float32)
    labels = None if person.labels is None else person.labels[view]
    return Person(np.ascontiguousarray(person.image[view]), keypoints=keypoints, labels=labels)


def _study(garment: Garment) -> tuple[Silhouette, np.ndarray, Neckline | None]:
    """The silhouette of the garment's front, bool (H, W) holes in it (between straps), and its neckline."""
    known = garment.mask is not None and garment.inside is not None  # a mask with its inside is exact
    mask = (
        garment_mask(garment.image) if garment.mask is None else garment.mask if known else trimmed(garment.image, garment.mask)
    )
    if mask.sum() < 400:
        raise ValueError(f"garment mask holds only {int(mask.sum())} pixels. Pass a mask that covers the garment.")
    if garment.inside is not None:
        mask = without_inside(mask, garment.inside)
    if garment.category == "lower":
        return silhouette.lower(mask), np.zeros_like(mask), None
    if garment.inside is not None:
        front = silhouette.upper(mask)
        return front, front.mask & ~mask, None
    whole = silhouette.upper(mask)
    lab = cv2.cvtColor(garment.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    neckline = front_neckline(lab, whole)
    if neckline is None:
        return whole, whole.mask & ~mask, None
    front = silhouette.upper(mask & ~neckline.inside, centre=whole.centre)
    return front, front.mask & ~mask, neckline


def _wearer(scene: Person, worn: np.ndarray, body: bodies.Body, category: str) -> Silhouette:
    bridged = bodies.bridge(worn, body)
    if category == "lower":
        return silhouette.lower(bridged)
    return silhouette.upper(bridged, centre=_middle(scene, worn))


def _middle(scene: Person, worn: np.ndarray) -> float | None:
    if scene.keypoints is None or min(scene.keypoints[[2, 5], 2]) < 0.2:
        return None
    x = float((scene.keypoints[2, 0] + scene.keypoints[5, 0]) / 2)
    columns = np.nonzero(worn.any(0))[0]
    return x if columns[0] + 10 < x < columns[-1] - 10 else None


def _waist_row(scene: Person) -> float | None:
    """Where a waistband sits, from the joints: a little above the hips."""
    if scene.keypoints is None or min(scene.keypoints[[1, 8], 2]) < 0.2:
        return None
    neck, hips = scene.keypoints[1, 1], scene.keypoints[8, 1]
    return float(hips - 0.2 * (hips - neck))


def _with_arms(scene: Person, worn: np.ndarray, body: bodies.Body, wearer: Silhouette) -> Silhouette | None:
    """The worn garment's silhouette together with the bare arms, where arms are seen."""
    if body.arms.sum() < 0.02 * worn.sum():
        return None
    return silhouette.upper(wearer.mask | body.arms, centre=wearer.centre)


def _source(
    image: np.ndarray, front: Silhouette, holes: np.ndarray, plan: compatibility.Plan, *, legs: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """The garment's cloth carried on past its edge, at no more than the wearer's resolution; what lies where around it; its ratio."""
    ratio = float(np.clip(1.15 * plan.scale, 0.05, 1.0))
    types = _kinds(front, plan, legs)
    types[holes] = _ARMHOLE
    if ratio > 0.85:
        return carry_on(image, front.mask & ~holes), types, 1.0
    size = max(8, round(image.shape[1] * ratio)), max(8, round(image.shape[0] * ratio))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize((front.mask & ~holes).astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    return carry_on(small, mask, erode=max(1, round(4 * ratio))), types, size[0] / image.shape[1]


def _kinds(front: Silhouette, plan: compatibility.Plan, legs: bool) -> np.ndarray:
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
    _, nearest = cv2.distanceTransformWithLabels((lines == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    lookup = np.zeros(int(nearest.max()) + 1, np.uint8)
    drawn = lines > 0
    lookup[nearest[drawn]] = lines[drawn]
    pieces = np.zeros(front.mask.shape, np.uint8)
    for side, piece in (("left", _LEFT), ("right", _RIGHT)):
        if front.sleeved.get(side):
            names = ("outer", "cuff", "inner", "armhole")
            outer, cuff, inner, hole = (front.edges[f"{side}-{name}"] for name in names)
            cv2.fillPoly(pieces, [np.vstack([outer, cuff, inner[::-1], hole[::-1]]).round().astype(np.int32)], piece)
    if legs:
        waist, fork = front.points["waist"], front.points["crotch"]
        rows, columns = np.indices(front.mask.shape, np.float32)
        seam = np.interp(rows[:, 0], [waist[1], fork[1]], [waist[0], fork[0]])[:, None]
        pieces[:] = np.where(columns <= seam, _LEFT, _RIGHT)
    if plan.hem_share < 1 and "left-armpit" in front.points:
        rows = np.arange(front.mask.shape[0])[:, None]
        pieces[(rows > hem_row(front, plan)) & (pieces == _TORSO)] = _BELOW
    return np.where(front.mask, pieces, lookup[nearest]).astype(np.uint8)


def _reach(
    part: Part, kind: np.ndarray, worn: np.ndarray, body: bodies.Body, plan: compatibility.Plan
) -> tuple[np.ndarray, np.ndarray]:
    """Where this part's new cloth lies, and where the old cloth goes away: bool (H, W) each."""
    if part.name != "torso":
        side = part.name.split()[0]
        here = part.cloth & ((worn | body.arms) if plan.sleeves.get(side) == "longer" else worn)
        gone = part.region & worn & ~here if plan.sleeves.get(side) in ("none", "shorter") else np.zeros_like(worn)
        return here, gone
    open_to = (kind == _NECK) if not plan.neck_kept else np.zeros_like(worn)
    if plan.sleeves and "none" in plan.sleeves.values():
        open_to = open_to | (kind == _ARMHOLE)
    open_to = cv2.GaussianBlur(open_to.astype(np.float32), (0, 0), 1.5) > 0.5
    here = part.region & worn & ~open_to
    if not plan.neck_kept:
        here |= (kind == _TORSO) & body.neck
    return here, part.region & worn & open_to


def _sleeve_region(parts: list[Part], shape: tuple[int, int]) -> np.ndarray:
    out = np.zeros(shape, bool)
    for part in parts:
        if part.name.endswith("sleeve"):
            out |= part.region
    return out


def _light_everywhere(
    lit_by: np.ndarray, linear: np.ndarray, worn: np.ndarray, covered: np.ndarray, body: bodies.Body
) -> np.ndarray:
    """The fold factor continued over skin that new cloth covers, where the skin's own light is used."""
    over = covered & ~worn
    if not over.any():
        return lit_by
    luminance = np.log(np.maximum(linear @ np.array([0.2126, 0.7152, 0.0722], np.float32), 0.004))
    bare = body.skin & over
    own = cv2.GaussianBlur(luminance, (0, 0), 5)
    own = np.clip(np.exp(0.8 * (own - (np.median(own[bare]) if bare.any() else 0))), 0.72, 1.25)
    mixed = np.where(bare, own, lit_by)
    soft = cv2.GaussianBlur(mixed, (0, 0), 4)
    return np.where(over, soft, lit_by).astype(np.float32)


def _slimmer(flesh: np.ndarray, linear: np.ndarray, limbs: np.ndarray, worn: np.ndarray, body: bodies.Body) -> np.ndarray:
    """Bare limbs are slimmer than sleeves: the rim of what was a sleeve shows what lies beside it."""
    if not limbs.any():
        return flesh
    beside = ~worn & ~body.skin & ~body.hair
    depth = cv2.distanceTransform((~beside).astype(np.uint8), cv2.DIST_L2, 5)
    rim = 0.16 * float(np.percentile(depth[limbs], 95))
    share = np.clip((depth - rim) / 1.5, 0, 1)[..., None]
    colours = bodies.nearest(linear, cv2.erode(beside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
    there = cv2.dilate(limbs.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return np.where(there[..., None], share * flesh + (1 - share) * colours, flesh)


def _contact_shadow(flesh: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """A soft dark line on invented skin beside the new cloth's edge."""
    distance = cv2.distanceTransform((~covered).astype(np.uint8), cv2.DIST_L2, 5)
    return flesh * (1 - 0.28 * np.exp(-distance / 5.0))[..., None]


def _blend(
    image: np.ndarray,
    linear: np.ndarray,
    new: np.ndarray,
    covered: np.ndarray,
    removed: np.ndarray,
    worn: np.ndarray,
    hair: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Lay ``new`` over the photograph with a soft edge: (uint8 picture, bool where it may differ).

    At the worn garment's own outline the photograph's pixels already mix cloth and surroundings. Their share of cloth is estimated
    from the colours on both sides and the old cloth in the mix exchanged for the new, so that no fringe of it is left.
    """
    inner = covered | removed
    soft = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 1.1)
    band = cv2.dilate(inner.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _FEATHER + 1,) * 2)) > 0
    rim = band & ~(cv2.erode(inner.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))) > 0)
    around = cv2.dilate(rim.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    old = fill(linear, around & (cv2.erode(worn.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0))
    past = fill(linear, around & ~band)
    span = old - past
    size = (span**2).sum(2)
    share = np.clip(((linear - past) * span).sum(2) / np.maximum(size, 1e-5), 0, 1)
    trust = np.clip((np.sqrt(size) - 0.05) / 0.15, 0, 1)
    near_old = cv2.GaussianBlur(worn.astype(np.float32), (0, 0), 1.1)
    edge_of_old = 1 - np.clip(np.abs(near_old - soft) * 5, 0, 1)  # only where the new edge is the old one
    trust = trust * edge_of_old
    rough = np.linalg.norm(linear - cv2.blur(linear, (5, 5)), axis=2)
    smooth = np.clip(1.5 - fill(rough, around & ~band) / 0.02, 0, 1)  # an even backdrop can be continued without harm
    alpha = np.where(rim, trust * share + (1 - trust) * soft, inner.astype(np.float32))
    known = np.maximum(trust, smooth * edge_of_old)[..., None]
    surroundings = known * past + (1 - known) * linear
    mixed = alpha[..., None] * new + (1 - alpha[..., None]) * np.where(rim[..., None], surroundings, linear)
    if (hair & band).any():
        strands, share = light.strands(linear, hair, band & (worn | hair), old)
        mixed = np.where(strands[..., None], np.maximum(linear + share[..., None] * (new - old), 0), mixed)
    out = np.where(band[..., None], np.rint(255 * encode(mixed)), image).astype(np.uint8)
    return out, band


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
        hue = np.uint8([[[hues[name.partition("-")[2]], 220, 240]]])
        colour = tuple(int(v) for v in cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0])
        cv2.polylines(out, [line.round().astype(np.int32)], False, colour, pen, cv2.LINE_AA)
    for point in outline.points.values():
        centre = tuple(int(v) for v in point.round())
        cv2.circle(out, centre, 2 * pen + 1, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(out, centre, pen + 1, (20, 20, 20), -1, cv2.LINE_AA)
    return out

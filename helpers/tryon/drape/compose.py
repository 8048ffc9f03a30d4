"""The new picture: the cloth in the old one's light, skin where the old cloth went away, and a soft edge to the photograph."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.labels import LOWER, select
from helpers.pixels import dot, length, nearest_known
from helpers.srgb import encode, to_linear
from helpers.tryon.drape import light
from helpers.tryon.drape.body import armpit_share
from helpers.tryon.drape.laying import Laid
from helpers.tryon.drape.warp import carry_on, fill
from helpers.tryon.drape.wearer import View, nearest

_BELOW_THE_FACE = 0.94  # light of arms over that of the face (0.93 on mannequins, 0.92 to 1 in photographs)
_FEATHER = 3  # pixels around the change within which the edge is blended


def shade_everywhere(shading: np.ndarray, view: View, covered: np.ndarray) -> np.ndarray:
    """The factor ``shading`` (h, w) of the worn cloth's folds, continued over bare skin that new cloth covers by the skin's own light."""
    over = covered & ~view.worn
    if not over.any():
        return shading
    luminance = np.log(np.maximum(view.linear @ np.array([0.2126, 0.7152, 0.0722], np.float32), 0.004))
    bare = view.wearer.skin & over
    own = cv2.GaussianBlur(luminance, (0, 0), 5)
    own = np.clip(np.exp(0.8 * (own - (np.median(own[bare]) if bare.any() else 0))), 0.72, 1.25)
    away, _ = nearest_known(view.worn)
    mixed = np.where(bare, own, 1 + (shading - 1) * np.exp(-away / 30))
    soft = cv2.GaussianBlur(mixed, (0, 0), 4)
    return np.where(over, soft, shading).astype(np.float32)


def uncover(
    lit: np.ndarray, view: View, laid: Laid, shading: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """``lit``, the new cloth float32 (h, w, 3) in linear light, with skin where the old cloth was taken away, and beside the body what lies
    behind it; and bool (h, w), where something is new."""
    wearer, covered, removed, bare = view.wearer, laid.covered, laid.removed, laid.bare
    shape = removed.shape
    placed = _limbs(view, bare)
    low = (
        view.body is not None and (laid.bare & (np.arange(shape[0]) > view.body.hip_row)[:, None]).sum() > 0.5 * laid.bare.sum()
    )
    old = (
        cv2.dilate((view.worn | covered).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    )  # its shadow lies on the skin beside
    near = wearer.legs if low and wearer.legs.sum() > 600 else wearer.neck | wearer.arms | wearer.hands
    seen = next((s for s in (near & ~old, near, wearer.skin | wearer.face) if s.sum() > 600), wearer.skin | wearer.face)
    like = (wearer.legs if low else wearer.arms & ~wearer.hands) & seen
    usual, level = (like, 1.0) if like.sum() > 600 else (wearer.face, _BELOW_THE_FACE)
    skin = light.complexion(view.linear, seen | wearer.face, usual, placed, wearer.arms, level)
    flesh = light.invented_skin(skin, placed, shading, rng)
    if view.body is None:
        flesh = _rounded(flesh, bare)
    flesh = _contact_shadow(flesh, covered)
    beside = _beside(view, laid)
    seam = np.where(bare, 1, beside)[..., None]
    layers = [(covered, lit), (bare | (beside > 0), seam * flesh + (1 - seam) * view.linear)]
    behind = removed & ~bare & ~laid.below
    if behind.any():
        layers.append((behind, backdrop(view, rng)))
    if laid.below.any():
        layers.append((laid.below, worn_below(view)))
    total, mixed = np.zeros(shape, np.float32), np.zeros_like(lit)
    for where, colours in layers:
        share = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 0.9)
        mixed += share[..., None] * colours
        total += share
    new = np.where(total[..., None] > 1e-3, mixed / np.maximum(total, 1e-3)[..., None], lit)
    return new, covered | removed | (beside > 0)


def _limbs(view: View, bare: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Those that ``bare``, bool (h, w), lies on, and one by whose skin their light is told: (h, w) how far off its axis a pixel lies, in
    half widths, and bool (h, w), where it is. Where an arm grows out of the chest it has no inner side."""
    body, shape = view.body, bare.shape
    if body is None:
        return []
    limbs = [*body.arms.values(), *body.legs.values()]
    areas = [limb.area(shape) for limb in limbs]
    wanted = [bool((area & bare).any()) for area in areas]
    told = [k for k, limb in enumerate(limbs) if limb.told > 0.3 and not wanted[k]][:1]
    found = []
    for k in [*np.flatnonzero(wanted), *told]:
        down, off = limbs[k].place(shape)
        if k < len(body.arms):
            off = np.where(off < 0, off * np.clip(down / (1.2 * armpit_share(limbs[k], body.unit)), 0, 1), off)
        found.append((off, areas[k]))
    return found


def _beside(view: View, laid: Laid) -> np.ndarray:
    """float32 (h, w) 0..1: how much of the skin that is seen beside the invented is mixed with that, so that there is no seam."""
    wearer, reach = view.wearer, max(6.0, 0.07 * view.body.unit) if view.body is not None else 8.0
    seen = cv2.morphologyEx((wearer.skin | laid.bare).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0
    seen &= ~wearer.front & ~laid.covered & ~laid.removed
    distance = cv2.distanceTransform((~laid.bare).astype(np.uint8), cv2.DIST_L2, 3)
    return np.where(seen, np.clip(1 - distance / reach, 0, 1), 0).astype(np.float32)


def backdrop(view: View, rng: np.random.Generator) -> np.ndarray:
    """What lies behind the wearer, float32 (h, w, 3) in linear light, carried on from beside them."""
    wearer = view.wearer
    person = view.worn | wearer.skin | wearer.front
    beside = cv2.erode((~person).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    if not beside.any():
        return view.linear
    near, smooth = nearest(view.linear, beside), fill(view.linear, beside)
    distance, _ = nearest_known(beside)
    share = np.clip((distance - 10) / 25, 0, 1)[..., None]
    fine = view.linear - cv2.GaussianBlur(view.linear, (0, 0), 2)
    grain = float(np.clip(1.48 * np.median(np.abs(fine[beside])), 0, 0.02))
    noise = cv2.GaussianBlur(rng.standard_normal(view.worn.shape).astype(np.float32), (0, 0), 0.6)
    return (1 - share) * near + share * smooth + (grain * noise / max(float(noise.std()), 1e-6))[..., None]


def worn_below(view: View) -> np.ndarray:
    """What is worn below the garment, float32 (h, w, 3) in linear light, carried on upwards."""
    wearer = view.wearer
    low = np.nonzero(view.worn.any(1))[0].max()
    figure = ~(view.worn | wearer.skin | wearer.front)
    if view.person.labels is not None:
        figure &= select(view.person.labels, LOWER)
    else:
        under = np.zeros_like(view.worn)
        columns = np.nonzero(view.worn.any(0))[0]
        under[int(low) :, columns[len(columns) // 4] : columns[3 * len(columns) // 4]] = True
        figure &= under
    inner = cv2.erode(figure.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    if not inner.any():
        return view.linear
    picture = np.clip(np.rint(255 * encode(view.linear)), 0, 255).astype(np.uint8)
    return to_linear(carry_on(picture, inner, erode=1))


def _rounded(flesh: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """Invented skin darker towards its edges, where the limbs are not known."""
    depth = cv2.distanceTransform(bare.astype(np.uint8), cv2.DIST_L2, 5)
    reach = max(float(np.percentile(depth[bare], 95)), 1.0) if bare.any() else 1.0
    shade = 1.06 - 0.3 * np.clip(1 - depth / reach, 0, 1) ** 2
    return flesh * cv2.GaussianBlur(shade.astype(np.float32), (0, 0), max(1.0, reach / 8))[..., None]


def _contact_shadow(flesh: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """A soft dark line on invented skin beside the new cloth's edge."""
    distance = cv2.distanceTransform((~covered).astype(np.uint8), cv2.DIST_L2, 5)
    return flesh * (1 - 0.28 * np.exp(-distance / 5.0))[..., None]


def blend(view: View, new: np.ndarray, inner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay ``new``, linear light, over the photograph where ``inner`` is, with a soft edge: (uint8 picture, bool where it may differ).

    At the worn garment's own outline the photograph's pixels already mix cloth and surroundings. Their share of cloth is estimated
    from the colours on both sides and the old cloth in the mix exchanged for the new, so that no fringe of it is left.
    """
    linear, worn, hair, strands = view.linear, view.worn, view.wearer.hair, view.wearer.strands
    soft = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 1.1)
    band = cv2.dilate(inner.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _FEATHER + 1,) * 2)) > 0
    rim = band & ~(cv2.erode(inner.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))) > 0)
    around = cv2.dilate(rim.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    old = fill(linear, around & (cv2.erode(worn.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0))
    past = fill(linear, around & ~band)
    span = old - past
    size = dot(span, span)
    share = np.clip(dot(linear - past, span) / np.maximum(size, 1e-5), 0, 1)
    trust = np.clip((np.sqrt(size) - 0.05) / 0.15, 0, 1)
    near_old = cv2.GaussianBlur(worn.astype(np.float32), (0, 0), 1.1)
    edge_of_old = 1 - np.clip(np.abs(near_old - soft) * 5, 0, 1)  # only where the new edge is the old one
    trust = trust * edge_of_old
    rough = length(linear - cv2.blur(linear, (5, 5)))
    smooth = np.clip(1.5 - fill(rough, around & ~band) / 0.02, 0, 1)  # an even backdrop can be continued without harm
    alpha = np.where(rim, trust * share + (1 - trust) * soft, inner.astype(np.float32))
    known = np.maximum(trust, smooth * edge_of_old)[..., None]
    surroundings = known * past + (1 - known) * linear
    mixed = alpha[..., None] * new + (1 - alpha[..., None]) * np.where(rim[..., None], surroundings, linear)
    if (mingled := band & (strands > 0) & (hair | inner)).any():
        share, whole = strands[..., None], np.clip((strands - 0.6) / 0.35, 0, 1)[..., None]
        locks = whole * linear + (1 - whole) * fill(linear, hair & (strands > 0.97))  # where it is thin, old cloth is mixed in
        under = np.where(inner[..., None], new, nearest(new, inner))
        mixed = np.where(mingled[..., None], share * locks + (1 - share) * under, mixed)
    changes = band & ~kept(view)
    out = np.where(changes[..., None], np.rint(255 * encode(mixed)), view.image).astype(np.uint8)
    return out, changes


def kept(view: View) -> np.ndarray:
    """bool (h, w): what never changes, whatever was planned: faces, hands, and hair but for strands at its edge, between which cloth
    shows."""
    wearer = view.wearer
    within = cv2.erode(wearer.hair.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    return wearer.face | wearer.hands | within

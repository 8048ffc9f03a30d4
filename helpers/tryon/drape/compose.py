"""The new picture: the cloth in the old one's light, skin where the old cloth went away, and a soft edge to the photograph."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.srgb import encode
from helpers.tryon.drape import light
from helpers.tryon.drape.laying import Laid
from helpers.tryon.drape.warp import fill
from helpers.tryon.drape.wearer import View, nearest

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
    mixed = np.where(bare, own, shading)
    soft = cv2.GaussianBlur(mixed, (0, 0), 4)
    return np.where(over, soft, shading).astype(np.float32)


def uncover(
    lit: np.ndarray, view: View, laid: Laid, limbs: np.ndarray, shading: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """``lit``, the new cloth float32 (h, w, 3) in linear light, with skin where the old cloth was taken away.

    limbs: bool (h, w), where sleeves were
    """
    wearer, covered, removed = view.wearer, laid.covered, laid.removed
    near = wearer.neck | wearer.arms
    flesh = light.invented_skin(view.linear, near if near.sum() > 400 else wearer.skin, removed, limbs, shading, rng)
    flesh = _contact_shadow(flesh, covered)
    flesh = _slimmer(flesh, view, limbs)
    share = cv2.GaussianBlur(removed.astype(np.float32), (0, 0), 0.9)
    share /= np.maximum(cv2.GaussianBlur((covered | removed).astype(np.float32), (0, 0), 0.9), 1e-3)
    return lit + share[..., None] * (flesh - lit)


def _slimmer(flesh: np.ndarray, view: View, limbs: np.ndarray) -> np.ndarray:
    """Bare limbs are slimmer than sleeves: the rim of what was a sleeve shows what lies beside it."""
    if not limbs.any():
        return flesh
    beside = ~view.worn & ~view.wearer.skin & ~view.wearer.hair
    depth = cv2.distanceTransform((~beside).astype(np.uint8), cv2.DIST_L2, 5)
    rim = 0.16 * float(np.percentile(depth[limbs], 95))
    share = np.clip((depth - rim) / 1.5, 0, 1)[..., None]
    colours = nearest(view.linear, cv2.erode(beside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
    there = cv2.dilate(limbs.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return np.where(there[..., None], share * flesh + (1 - share) * colours, flesh)


def _contact_shadow(flesh: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """A soft dark line on invented skin beside the new cloth's edge."""
    distance = cv2.distanceTransform((~covered).astype(np.uint8), cv2.DIST_L2, 5)
    return flesh * (1 - 0.28 * np.exp(-distance / 5.0))[..., None]


def blend(view: View, new: np.ndarray, inner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay ``new``, linear light, over the photograph where ``inner`` is, with a soft edge: (uint8 picture, bool where it may differ).

    At the worn garment's own outline the photograph's pixels already mix cloth and surroundings. Their share of cloth is estimated
    from the colours on both sides and the old cloth in the mix exchanged for the new, so that no fringe of it is left.
    """
    linear, worn, hair = view.linear, view.worn, view.wearer.hair
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
        strands, share = light.between_strands(linear, hair, band & (worn | hair), old)
        mixed = np.where(strands[..., None], np.maximum(linear + share[..., None] * (new - old), 0), mixed)
    out = np.where(band[..., None], np.rint(255 * encode(mixed)), view.image).astype(np.uint8)
    return out, band

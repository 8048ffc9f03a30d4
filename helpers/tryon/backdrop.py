"""A garment off the plain backdrop of its product photograph.

``surroundings`` tells what the backdrop is and how each region of the picture differs from it; here these signs are weighed, a minimum cut
decides, what only holds the garment up is taken away by its shape (``props``), and the outline is laid into the full picture as a matte.
"""

from __future__ import annotations

import cv2
import numpy as np

from helpers import checks
from helpers.graph import components, min_cut
from helpers.pixels import length
from helpers.tryon import props
from helpers.tryon.matte import matte
from helpers.tryon.surroundings import Surroundings

WEIGHTS = {
    "different": 0.4, "unshaded": 0.4, "lighter": 0.5, "coloured": 0.25, "at rim": -0.2, "rough": -0.95, "margin": 2.5, "aside": -2.1,
    "dark": 4.6, "grown": -0.9, "spread": -3.2, "at rim, rough backdrop": -0.3, "different, rough backdrop": 0.35, "behind": 1.6,
    "behind a sharp edge": 0.9, "behind, unshaded": 0.5, "gap": -0.35, "bias": -1.7,
}  # fmt: skip
"""Logistic regression of "is of the garment" on the signs of a region, on mannequin garments of known masks; rounded."""
_BOUNDARY, _EDGE = 0.8, 0.3
"""Cost of a working pixel of outline where there is no edge, and how fast it falls with the edge's sharpness."""
_GAP = 0.004
"""Share of the garment from which on a hole with the backdrop in it is one: between straps, between sleeve and trunk."""
_SOFT, _WALL, _SHADE, _LIKE, _CLEAR = 0.4, 0.7, 0.06, 5.0, 5.0
"""Of a cleft: how sharp its opening is at most and its walls at least, in shares of the outline's sharpness; how much darker than the
backdrop it is at least, how unlike the backdrop in the shade at most, and from which difference of the outline on (CIE Lab) it is told."""
_STRAP = 0.02
"""Of the picture's longer side, the widest strap."""
_FJORD = 0.006
"""Half the width, in longer sides of the picture, up to which a notch is a stripe of the backdrop's colour."""
_STRIPES = (0.012, 0.024, 0.04)
"""And up to which some of one width are stripes: sleeves and straps leave no more than a few gaps, each of its own."""
_SOME = 5


def garment_mask(image: np.ndarray) -> np.ndarray:
    """bool (H, W): the garment in its picture, where :func:`garment_matte` is over a half.

    image: uint8 (H, W, 3) RGB. Raises ``ValueError`` as that does.
    """
    mask = solid_with_holes(garment_matte(image) > 0.5)
    return mask & ~_between_straps(image, mask)


def garment_matte(image: np.ndarray) -> np.ndarray:
    """float32 (H, W) 0..1: how much of each pixel is garment.

    image: uint8 (H, W, 3) RGB. The backdrop may be of any colour, uneven, textured, with shadows on it; a hanger and a dummy are no part
    of the garment. Raises ``ValueError`` where nothing stands out, or nearly everything.
    """
    checks.image(image, "garment image")
    around = Surroundings.of(image)
    inside = min_cut(around.pairs, -score(around) * around.area / around.area.mean(), _boundary(around))
    inside = _without_clefts(around, _filled(around, inside))
    share = float(around.area[inside].sum() / around.area.sum())
    if share < 0.01:
        raise ValueError(
            "garment image: no garment stands out from the backdrop. Use a plain backdrop of another colour, or pass Garment(mask=...)."
        )
    if share > 0.97:
        raise ValueError("garment image: no backdrop is seen around the garment. Leave a margin, or pass Garment(mask=...).")
    inside = props.without_dummy(around, inside)
    mask = _closed(inside[around.index], _FJORD)
    for half in _STRIPES:
        mask = mask | _stripes(mask, half)
    return matte(image, props.without_hook(solid_with_holes(mask)))


def signs(around: Surroundings) -> dict[str, np.ndarray]:
    """Name -> (n,) what speaks for and against each region being of the garment, as :data:`WEIGHTS` weighs it."""
    height, width = around.index.shape
    left, unlike = around.shaded
    difference, unshaded = np.log1p(np.sqrt((around.away**2).sum(1))), np.log1p(unlike)
    behind, gap = around.behind
    spread = np.log1p(around.spread[0])
    return {
        "different": difference,
        "unshaded": unshaded,
        "lighter": np.log1p(np.maximum(around.away[:, 0], 0)),
        "coloured": np.log1p(np.hypot(*around.away[:, 1:].T)),
        "at rim": around.seen_at_rim,
        "rough": np.log1p(around.rough / around.calm),
        "margin": around.margin,
        "aside": np.hypot(*(around.centre / (width, height) - 0.5).T),
        "dark": 1 - left,
        "grown": around.grown.astype(float),
        "spread": np.full(len(left), spread),
        "at rim, rough backdrop": around.seen_at_rim * spread,
        "different, rough backdrop": difference * spread,
        "behind": behind,
        "behind a sharp edge": behind * np.minimum(np.log1p(around.way), 2),
        "behind, unshaded": behind * unshaded,
        "gap": np.full(len(left), gap),
        "bias": np.ones(len(left)),
    }


def score(around: Surroundings) -> np.ndarray:
    """(n,) -6..6, positive where a region is rather garment."""
    total = sum(WEIGHTS[name] * values for name, values in signs(around).items())
    return np.clip(total, -6, 6)


def _boundary(around: Surroundings) -> np.ndarray:
    """(m,) what it costs to part two neighbours."""
    sharp = np.maximum(around.contrast / around.calm - 1.3, 0)
    return around.length * (_BOUNDARY * np.exp(-_EDGE * sharp) + 0.002)


def _filled(around: Surroundings, inside: np.ndarray) -> np.ndarray:
    """``inside`` with its holes filled, but for gaps: of some size, like the backdrop, with an edge as sharp as outside."""
    part = components(around.pairs, ~inside)
    area = np.bincount(part, around.area)
    unlike = np.bincount(part, around.area * np.minimum(around.shaded[1], 12)) / area
    first, second = around.pairs.T
    cut = inside[first] != inside[second]
    hole = part[np.where(inside[first], second, first)]
    length = np.bincount(hole[cut], around.length[cut], len(area))
    sharp = np.bincount(hole[cut], (around.length * around.contrast)[cut], len(area)) / np.maximum(length, 1)
    outer = np.zeros(len(area), bool)
    outer[part[around.rim]] = True
    usual = np.average(sharp[outer], weights=length[outer] + 1e-6)
    kept = outer | ((area > _GAP * around.area[inside].sum()) & (unlike < 5) & (sharp > 0.5 * usual))
    return inside | ~kept[part]


def trouser_like(mask: np.ndarray, fork: int | None) -> float:
    """Above 0 for an outline, bool (H, W), that is nearly as wide at its top as below it, and convex down to the row where legs part, its
    ``fork`` (``None``: they do not): no neck, sleeves or armholes."""
    rows = np.flatnonzero(mask.any(1))
    wide, first, high = mask.sum(1), int(rows[0]), int(np.ptp(rows))
    top = float(wide[first + int(0.04 * high)]) / float(wide[first : first + max(1, int(0.35 * high))].max())
    trunk = mask if fork is None else mask[: max(fork, first + 1)]
    outlines, _ = cv2.findContours(trunk.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=cv2.contourArea)
    full = cv2.contourArea(outline) / max(cv2.contourArea(cv2.convexHull(outline)), 1.0)
    return min(top - 0.54, full - 0.89)


def _without_clefts(around: Surroundings, inside: np.ndarray) -> np.ndarray:
    """``inside`` without clefts between two legs, where its outline is that of trousers: the backdrop goes on into them, in the garment's
    shade, by edges softer than the outline's, and they have the garment behind sharp ones on both sides."""
    first, second = around.pairs.T
    cut = inside[first] != inside[second]
    usual = np.average(around.contrast[cut], weights=around.length[cut]) if cut.any() else 0.0
    if usual < _CLEAR:
        return inside
    sharp = around.contrast / usual
    left, unlike = around.shaded
    way = inside & (left < 1 - _SHADE) & (unlike < _LIKE)
    piece = components(around.pairs[sharp < _WALL], way)
    opening, wall, steep = (np.zeros(len(inside)) for _ in range(3))
    for one, other in ((first, second), (second, first)):
        open_ = way[one] & ~inside[other] & (sharp < _SOFT)
        walled = way[one] & inside[other] & (piece[one] != piece[other])
        np.add.at(opening, piece[one[open_]], around.length[open_])
        np.add.at(wall, piece[one[walled]], around.length[walled])
        np.add.at(steep, piece[one[walled]], (around.length * sharp)[walled])
    cleft = (opening > 0) & (wall > 2 * opening) & (steep > _WALL * wall)
    gone = way & cleft[piece]
    legs = solid_with_holes((inside & ~gone)[around.index])
    if not gone.any() or not legs.any():
        return inside
    fork = int(np.flatnonzero(gone[around.index].any(1))[0])
    return inside & ~gone if trouser_like(legs, fork) > 0 else inside


def _closed(mask: np.ndarray, half: float) -> np.ndarray:
    """bool (h, w): ``mask`` without notches of such ``half`` a width, in longer sides of the picture."""
    reach = max(1, round(half * max(mask.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    return cv2.morphologyEx(np.pad(mask.astype(np.uint8), reach), cv2.MORPH_CLOSE, disc)[reach:-reach, reach:-reach] > 0


def _stripes(mask: np.ndarray, half: float) -> np.ndarray:
    """bool (h, w): notches of ``mask`` up to such ``half`` a width, where some are long and of one width: stripes, with bits between."""
    closed = _closed(mask, half)
    notches = cv2.morphologyEx((closed & ~mask).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(notches, connectivity=4)
    wide = np.zeros(count)
    np.maximum.at(wide, pieces.ravel(), 2 * cv2.distanceTransform(notches, cv2.DIST_L2, 3).ravel())
    long = (wide > 2) & (stats[:, cv2.CC_STAT_AREA] > 1.5 * wide**2)
    long[0] = False
    alike = long & (np.abs(np.log(np.maximum(wide, 1) / np.median(wide[long]))) < np.log(1.6)) if long.any() else long
    if alike.sum() < _SOME:
        return np.zeros_like(mask)
    striped = mask | alike[pieces]
    _, free = cv2.connectedComponents(np.pad(~striped, 1, constant_values=True).astype(np.uint8), connectivity=4)
    return alike[pieces] | (closed & (free[1:-1, 1:-1] != free[0, 0]))


def _between_straps(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """bool (H, W): the backdrop that is seen between the front and the back of a strap: its colours, and only thin cloth around it."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    away, noise = _from_backdrop(lab)
    plain = (mask & (length(away) < np.clip(1.5 + 3 * noise, 2.0, 5.0))).astype(np.uint8)
    plain = cv2.morphologyEx(plain, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(plain, connectivity=4)
    reach, out = max(1, round(_STRAP * max(mask.shape))), np.zeros_like(mask)
    area, high = stats[:, cv2.CC_STAT_AREA] / max(int(mask.sum()), 1), np.flatnonzero(mask.any(1))
    for piece in np.flatnonzero((area > 0.0002) & (area < 0.01)):
        left, top, wide, tall = stats[piece, :4]
        if piece == 0 or top + tall > high[0] + 0.4 * np.ptp(high):
            continue
        box = np.s_[max(0, top - 2 * reach) : top + tall + 2 * reach, max(0, left - 2 * reach) : left + wide + 2 * reach]
        gap, cloth = pieces[box] == piece, mask[box]
        depth = cv2.distanceTransform((cloth & ~gap).astype(np.uint8), cv2.DIST_L2, 3)
        thick = cv2.dilate((depth > reach / 2).astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
        if (gap & ~thick).sum() > 0.6 * gap.sum():
            out[box] |= gap
    return out


def trimmed(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A given ``mask`` bool (H, W) without the rim of backdrop that drawn masks often hold, straps above all."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    away, noise = _from_backdrop(lab)
    plain = ((length(away) < np.clip(1.5 + 3 * noise, 2.0, 5.0)) | ~mask).astype(np.uint8)
    _, pieces = cv2.connectedComponents(plain, connectivity=4)
    outside = np.isin(pieces, np.unique(pieces[~mask])) & (plain > 0)
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    kept = mask & ~(outside & (depth < 0.03 * max(mask.shape)))
    return solid_with_holes(kept if kept.sum() > 0.8 * mask.sum() else mask)


def solid_with_holes(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece, its holes left open: bool (H, W)."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return np.zeros_like(mask)
    return pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def _from_backdrop(lab: np.ndarray) -> tuple[np.ndarray, float]:
    """Difference (H, W, 3) of each pixel from the backdrop, a plane of colour, and the backdrop's noise, in CIE Lab units."""
    height, width = lab.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    rim = max(2, round(0.02 * max(height, width)))
    border = np.ones((height, width), bool)
    border[rim:-rim, rim:-rim] = False
    basis = np.stack([np.ones_like(rows), columns, rows], -1)
    a, b = basis[border].astype(np.float64), lab[border].astype(np.float64)
    keep = np.ones(len(a), bool)
    for _ in range(5):
        plane = (
            np.linalg.lstsq(a[keep], b[keep], rcond=None)[0]
            if keep.sum() > 20
            else np.vstack([np.median(b, 0), np.zeros((2, 3))])
        )
        residual = np.linalg.norm(b - a @ plane, axis=1)
        keep = residual <= max(1.0, 2.5 * float(np.median(residual)))
    return lab - (basis @ plane).astype(np.float32), float(np.median(residual[keep]))

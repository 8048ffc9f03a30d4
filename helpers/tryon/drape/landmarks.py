"""Landmarks of a garment's silhouette, found by the same code in a product photograph and on a wearer.

Both halves of a silhouette go through one routine, the right one mirrored, and every outline is walked the same way: neck, shoulder,
sleeve, side, hem. First the outline's hollows are looked through for the armhole, then the landmarks are set, then the lines between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from helpers.tryon.drape.silhouette import SIDES, Silhouette, hollows, solid, torso_core, walk


def upper(mask: np.ndarray, *, centre: float | None = None) -> Silhouette:
    """Landmarks of a top or a dress.

    mask: bool (H, W), one piece, front neckline cut out where it is known; centre: x of the middle line, else of the trunk's core
    A valley between sleeve and trunk that ends far below where armpits are means that the sleeve lies against the body; the armpit
    is then put at its likely place and listed in ``guessed``.
    """
    mask = solid(mask)
    if centre is None:
        columns = np.nonzero(torso_core(mask))[1]
        centre = float(columns.mean()) if columns.size else float(np.nonzero(mask)[1].mean())
    width = mask.shape[1]
    outlines = {"left": _Outline.of(mask, centre), "right": _Outline.of(mask[:, ::-1], width - 1 - centre)}
    halves = {side: _upper_half(outline) for side, outline in outlines.items()}
    for side, other in (SIDES, SIDES[::-1]):
        if (
            halves[side].sleeved and not halves[other].sleeved and _juts(halves[side].points)
        ):  # a strap that sticks out, one side only
            halves[side] = _upper_half(outlines[side], sleeves=False)
    points: dict[str, np.ndarray] = {}
    edges: dict[str, np.ndarray] = {}
    for side, half in halves.items():
        mirror = width if side == "right" else None
        points |= {f"{side}-{name}": _mirror(point, mirror) for name, point in half.points.items()}
        edges |= {f"{side}-{name}": _mirror(line, mirror) for name, line in half.edges.items()}
    points["neck"] = (points.pop("left-neck") + points.pop("right-neck")) / 2
    points["hem"] = (points.pop("left-middle") + points.pop("right-middle")) / 2
    sleeved = {side: half.sleeved for side, half in halves.items()}
    return Silhouette(mask, centre, points, edges, sleeved, tuple(f"{side}-armpit" for side in SIDES if halves[side].guessed))


def with_like_sleeves(outline: Silhouette) -> Silhouette:
    """``outline``, and where the two sides of a symmetrical garment show other sleeves, those of one side for both: those that are there,
    or the shorter ones."""
    long = {
        side: np.linalg.norm(np.diff(outline.edges[f"{side}-outer"], axis=0), axis=1).sum() if outline.sleeved[side] else 0.0
        for side in SIDES
    }
    if min(long.values()) >= 0.75 * max(long.values()):
        return outline
    width, shift = outline.mask.shape[1], round(2 * outline.centre - (outline.mask.shape[1] - 1))
    flipped = np.roll(outline.mask[:, ::-1], shift, 1)
    if (flipped & outline.mask).sum() < 0.85 * (flipped | outline.mask).sum():
        return outline
    less = min((side for side in SIDES if outline.sleeved[side]), key=lambda side: long[side])
    side, other = SIDES if less == "left" else SIDES[::-1]
    points, edges = dict(outline.points), {k: v for k, v in outline.edges.items() if not k.startswith(other)}

    def over(values: np.ndarray) -> np.ndarray:
        return _mirror(values, width) + (np.array([shift, 0]))

    points |= {k.replace(side, other): over(v) for k, v in outline.points.items() if k.startswith(side)}
    edges |= {k.replace(side, other): over(v) for k, v in outline.edges.items() if k.startswith(side)}
    return replace(outline, points=points, edges=edges, sleeved={side: True, other: True})


def lower(mask: np.ndarray, *, centre: float | None = None) -> Silhouette:
    """Landmarks of trousers, shorts or a skirt; legs are told by the valley between them."""
    mask = solid(mask)
    crotch = crotch_of(mask)
    rows, columns = np.nonzero(mask)
    waist_columns = columns[rows < rows.min() + 0.06 * max(int(np.ptp(rows)), 1)]
    waist_middle = float((waist_columns.min() + waist_columns.max()) / 2)
    if centre is None:
        centre = waist_middle if crotch is None else float(waist_middle + crotch[0]) / 2
    points: dict[str, np.ndarray] = {}
    edges: dict[str, np.ndarray] = {}
    width = mask.shape[1]
    for side in SIDES:
        mirror = width if side == "right" else None
        half = mask[:, ::-1] if mirror else mask
        fork = None if crotch is None else _mirror(crotch, mirror)
        found, lines = _lower_half(half, width - 1 - centre if mirror else centre, fork)
        points |= {f"{side}-{name}": _mirror(point, mirror) for name, point in found.items()}
        edges |= {f"{side}-{name}": _mirror(line, mirror) for name, line in lines.items()}
    column = np.nonzero(mask[:, round(centre)])[0]
    points["waist"], points["hem"] = (np.array([centre, float(row)]) for row in (column.min(), column.max()))
    if crotch is not None:
        points["crotch"] = crotch
    return Silhouette(mask, centre, points, edges)


def _mirror(values: np.ndarray, width: int | None) -> np.ndarray:
    """Points (..., 2) as they are, or mirrored in a picture of ``width``."""
    return values.astype(float) if width is None else np.stack([width - 1.0 - values[..., 0], values[..., 1]], -1)


def _corner(path: np.ndarray, direction: np.ndarray) -> int:
    """Index of the point of ``path`` that lies farthest along ``direction``."""
    return int((path @ direction).argmax())


# ---------------------------------------------------------------------------------------------------------- tops: outline


@dataclass(frozen=True)
class _Outline:
    """The left half of a top or a dress, walked.

    path: (n, 2) from the neck over shoulder and sleeve to the hem; middle: x of the middle line; row: where an armpit must be, and
    breadth: of the half down to there, with the sleeve
    """

    half: np.ndarray
    middle: float
    path: np.ndarray
    row: float
    breadth: float

    @classmethod
    def of(cls, half: np.ndarray, middle: float) -> _Outline:
        """half: bool (H, W), of which what lies left of ``middle`` counts."""
        path = walk(half, middle)
        return cls(half, middle, path, *_armpit_level(half, middle, path[:, 1].min()))

    @property
    def top(self) -> float:
        return self.path[:, 1].min()

    @property
    def bottom(self) -> float:
        return self.path[:, 1].max()

    @property
    def scale(self) -> float:
        """Width in pixels."""
        return max(self.middle - self.path[:, 0].min(), 1.0)

    @property
    def collar(self) -> int:
        """Index of the end of the neckline: its upper outer corner."""
        out = self.path[:, 0] <= self.middle - 0.55 * self.breadth
        near = self.path[: int(out.argmax()) if out.any() else len(self.path) // 2]
        if len(near) < 3:
            return 1
        return max(1, int((near[:, 1] + 0.2 * near[:, 0]).argmin()))


def _armpit_level(half: np.ndarray, middle: float, top: float) -> tuple[float, float]:
    """Row where an armpit must be, from the breadth there: (row, half breadth with the sleeve). Armpits lie about as far below
    the collar as the outline with its sleeve is from the middle line."""
    rows = np.arange(int(top) + 1, half.shape[0])
    outer = np.where(half[rows].any(1), half[rows].argmax(1), middle)
    breadth = np.maximum.accumulate(middle - outer)
    reached = np.nonzero(rows - top >= 1.05 * breadth)[0]
    at = int(reached[0]) if reached.size else len(rows) - 1
    return float(rows[at]), float(max(breadth[at], 1.0))


class _Armhole(NamedTuple):
    """Indices of what the hollows show: the armpit, the shoulder if it is shown, and whether a sleeve hangs there."""

    armpit: int
    shoulder: int | None
    sleeved: bool


def _armhole(outline: _Outline, sleeves: bool) -> _Armhole | None:
    """The deepest hollow between sleeve and trunk, or open outwards as an armhole is; ``None`` where nothing is concave.

    sleeves: whether a sleeve may be meant
    """
    path, scale, breadth, row = outline.path, outline.scale, outline.breadth, outline.row
    found = [(first, deepest, last, depth / scale) for first, last, deepest, depth in hollows(path) if first < deepest < last]
    for first, deepest, last, depth in sorted((h for h in found if h[3] > 0.02), key=lambda h: -h[3]):
        x, y = path[deepest]
        hanging = _hanging(outline, x, y)
        if _elsewhere(outline, deepest, depth, hanging):
            continue
        out = outline.half[: int(y), : int(x)].sum()  # what sticks out above the hollow
        if sleeves and deepest > outline.collar and out > (0.02 if depth > 0.4 else 0.05 if hanging else 0.11) * scale**2:
            return _Armhole(_above_waist(path, deepest, 0.05 * scale), None, True)
        if depth > 0.03 and path[last][0] < x and y < outline.top + 0.6 * (outline.bottom - outline.top):  # open outwards
            shoulder = int(path[: first + 1, 1].argmin())
            if path[first][1] - path[shoulder][1] < 0.15 * breadth or path[shoulder][0] > outline.middle - 0.3 * breadth:
                shoulder = first
            armpit = min(last, shoulder + max(1, int(np.abs(path[shoulder : last + 1, 1] - row).argmin())))
            return _Armhole(armpit, shoulder, False)
    return None


def _hanging(outline: _Outline, x: float, y: float) -> bool:
    """Whether cloth hangs down outside of the hollow at x, y, with a gap between it and the trunk."""
    half, scale = outline.half, outline.scale
    under = min(int(y) + 3 + int(0.03 * scale), len(half) - 1)
    beside = half[under, max(0, int(x - 0.04 * scale) - 1) : int(x + 0.04 * scale) + 2]
    return bool(not beside.all() and half[under, : int(x)].any())


def _elsewhere(outline: _Outline, deepest: int, depth: float, hanging: bool) -> bool:
    """Whether the hollow whose ``deepest`` point is given lies where no armhole is: at the neck, the hem, the waist."""
    path, scale, breadth, bottom = outline.path, outline.scale, outline.breadth, outline.bottom
    x, y = path[deepest]
    if deepest <= path[:, 1].argmin() or y > bottom - 0.01 * scale or x > outline.middle - 0.1 * scale:
        return True
    near_hem = y > bottom - 0.1 * breadth
    if near_hem and depth < 0.08:  # a hem that is not straight
        return True
    tip = path[path[:deepest, 0].argmin()]
    wide, high = x - tip[0], y - tip[1]
    reaches = wide > 0.3 * scale and wide > 0.4 * high
    if y > outline.row + 0.5 * breadth and not reaches and (near_hem or not hanging or depth < 0.05):
        return True
    return bool(
        y > outline.row + 0.15 * breadth and not hanging and wide < 0.4 * high
    )  # a waist, not a sleeve beside the trunk


def _above_waist(path: np.ndarray, armpit: int, least: float) -> int:
    """Index of the armpit where a hollow reaches on to a waist: what lies deepest inside the line from the sleeve's tip to there."""
    tip = int(path[:armpit, 0].argmin())
    line = path[armpit] - path[tip]
    off = path[tip : armpit + 1] - path[tip]
    inward = (line[0] * -off[:, 1] + line[1] * off[:, 0]) / max(float(np.linalg.norm(line)), 1.0)
    return tip + int(inward.argmax()) if inward.max() > least else armpit


# -------------------------------------------------------------------------------------------------------- tops: landmarks


class _Marks(NamedTuple):
    """Indices of a half's path at its landmarks; ``pit`` (2,) is where the armpit is put, ``valley`` (2,) where the outline shows the
    sleeve to leave the trunk, if that is far below; ``guessed``: the outline does not show the armpit."""

    collar: int
    shoulder: int
    armpit: int
    hem: int
    pit: np.ndarray
    valley: np.ndarray | None
    guessed: bool

    @property
    def under(self) -> np.ndarray:
        """(1 or 2, 2) from the armpit down to where the outline goes on."""
        return self.pit[None] if self.valley is None else np.vstack([self.pit, self.valley])


def _marks(outline: _Outline, hole: _Armhole | None) -> _Marks:
    path, middle, breadth = outline.path, outline.middle, outline.breadth
    collar = outline.collar
    shoulder: int | None
    if hole is None:  # a sleeve that lies against the body all the way, or no visible armhole
        shoulder = int(path[: np.nonzero(path[:, 0] <= middle - 0.55 * breadth)[0][-1] + 1, 1].argmin())
        after = np.arange(shoulder + 1, len(path) - 1)
        armpit = int(after[np.abs(path[after, 1] - outline.row).argmin()])
    else:
        armpit, shoulder = hole.armpit, hole.shoulder
    if shoulder is not None:  # the top of a strap is both ends of the shoulder
        collar = min(collar, max(1, shoulder - 1)) if path[collar][1] <= path[shoulder][1] else max(1, shoulder - 1)
    pit, valley = path[armpit].copy(), None
    if hole is not None and hole.sleeved and pit[1] > outline.row + 0.5 * breadth:  # above it the sleeve lies against the trunk
        valley = pit
        across = valley[0] - float(outline.half[int(valley[1]) - 1].argmax())
        pit = np.array([middle - breadth + np.clip(1.1 * across, 0.2 * breadth, 0.45 * breadth), outline.row])
    if shoulder is None:
        wanted = min(pit[0] + 0.1 * (middle - pit[0]), path[collar][0] - 0.08 * breadth)
        before = np.arange(collar, armpit)
        over = before[(path[before, 1] < pit[1]) & (np.abs(path[before, 0] - wanted) < 0.05 * outline.scale + 2)]
        shoulder = int(over[0]) if over.size else collar + max(1, (armpit - collar) // 4)
    hem = armpit + _corner(path[armpit:], np.array([-0.5, 1.0]))
    return _Marks(collar, max(shoulder, collar + 1), armpit, hem, pit, valley, hole is None or valley is not None)


# ------------------------------------------------------------------------------------------------------------ tops: lines


class _Half(NamedTuple):
    """Points, name -> (2,), and edges, name -> (n, 2), of the left half of a top."""

    points: dict[str, np.ndarray]
    edges: dict[str, np.ndarray]
    sleeved: bool
    guessed: bool


def _upper_half(outline: _Outline, sleeves: bool = True) -> _Half:
    path = outline.path
    hole = _armhole(outline, sleeves)
    at = _marks(outline, hole)
    points = {
        "collar": path[at.collar],
        "shoulder": path[at.shoulder],
        "armpit": at.pit,
        "hem": path[at.hem],
        "neck": path[0],
        "middle": path[-1],
    }
    edges = {
        "neck": path[: at.collar + 1],
        "yoke": path[at.collar : at.shoulder + 1],
        "side": np.vstack([at.under, path[at.armpit : at.hem + 1]]),
        "hem": path[at.hem :],
    }
    straight = np.vstack([path[at.shoulder], at.pit])
    if hole is not None and hole.sleeved:
        cuff = _cuff(outline, at)
        if cuff is None:
            return _upper_half(outline, sleeves=False)
        outer, inner = cuff
        points |= {"cuff-outer": path[outer], "cuff-inner": path[inner]}
        edges |= {
            "outer": path[at.shoulder : outer + 1],
            "inner": np.vstack([at.under, path[inner : at.armpit + 1][::-1]]),
            "cuff": path[outer : inner + 1],
            "armhole": straight,
        }
        return _Half(points, edges, True, at.guessed)
    edges["armhole"] = path[at.shoulder : at.armpit + 1] if at.armpit > at.shoulder + 1 else straight
    return _Half(points, edges, False, at.guessed)


def _cuff(outline: _Outline, at: _Marks) -> tuple[int, int] | None:
    """Indices of the two ends of the cuff; ``None`` for what is too thin for an arm: the rim of an armhole."""
    path = outline.path
    loop = path[at.shoulder : at.armpit + 1]
    axis = _far_direction(loop, (path[at.shoulder] + at.pit) / 2)
    across = np.array([axis[1], -axis[0]])  # to the outside of a hanging sleeve in the left half
    across = across if across[0] < 0 or (across[0] == 0 and across[1] < 0) else -across
    outer = at.shoulder + _corner(loop, axis + 0.9 * across)
    inner = min(max(at.shoulder + _corner(loop, axis - 0.9 * across), outer + 1), at.armpit)
    area = cv2.contourArea(np.vstack([loop, at.under[::-1]]).round().astype(np.int32))
    long = np.linalg.norm((path[outer] + path[inner]) / 2 - path[at.shoulder])
    least = 0.12 if at.valley is None else 0.3  # down to a valley the loop also holds a strip of the trunk
    return None if area < least * (outline.middle - at.pit[0]) * long else (outer, inner)


def _far_direction(loop: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Unit direction in which a sleeve ends, from the loop of its outline."""
    distance = np.linalg.norm(loop - root, axis=1)
    far = distance.max()
    last, before = loop[distance > 0.75 * far], loop[(distance > 0.4 * far) & (distance <= 0.75 * far)]
    start = before.mean(0) if len(before) and far > 0 else root
    direction = last.mean(0) - start
    direction = direction + np.array([0.0, 0.8 * np.linalg.norm(direction)])  # sleeves hang, also puffed ones
    if np.linalg.norm(direction) < 1e-6:
        direction = loop.mean(0) - root
    return direction / max(np.linalg.norm(direction), 1e-6)


def _juts(points: dict[str, np.ndarray]) -> bool:
    """Whether a sleeve is so short that it may be a strap standing off the shoulder."""
    cuff = (points["cuff-outer"] + points["cuff-inner"]) / 2
    return bool(np.linalg.norm(cuff - points["shoulder"]) < 0.6 * np.linalg.norm(points["armpit"] - points["neck"]))


# --------------------------------------------------------------------------------------------------------- legs and skirts


def crotch_of(mask: np.ndarray) -> np.ndarray | None:
    """(2,) the top of the valley between two legs, if there is one."""
    rows, columns = np.nonzero(mask)
    left, right, height = columns.min(), columns.max(), max(int(np.ptp(rows)), 1)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = outlines[0][:, 0]
    for first, last, deepest, depth in sorted(hollows(outline), key=lambda h: -h[3]):
        point, ends = outline[deepest], outline[[first, last]]
        legs = np.abs(ends[:, 0] - point[0]).min() > 0.02 * (right - left) and ends[:, 1].min() > point[1] + 0.1 * height
        if legs and depth > 0.12 * height and abs(point[0] - (left + right) / 2) < 0.3 * (right - left):
            return point.astype(float)
    return None


def _lower_half(
    half: np.ndarray, middle: float, fork: np.ndarray | None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Points and edges of the left half of trousers, whose legs part at ``fork`` (2,), or of a skirt."""
    path = walk(half, middle)
    waist = _corner(path[: max(2, len(path) // 2)], np.array([-0.5, -1.0]))
    hem = max(_corner(path, np.array([-0.5, 1.0])), waist + 1)
    points = {"waist": path[waist], "hem": path[hem]}
    edges = {"waist": path[: waist + 1], "side": path[waist : hem + 1], "hem": path[hem:]}
    if fork is not None:
        inner = hem + _corner(path[hem:], np.array([0.35, 1.0]))
        points["inseam"] = path[inner]
        edges |= {"hem": path[hem : inner + 1], "inseam": np.vstack([path[inner:-1], fork[None]])}
    return points, edges

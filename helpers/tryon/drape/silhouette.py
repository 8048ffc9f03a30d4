"""Landmarks of a garment's silhouette, found by the same code in a product photograph and on a wearer.

Points are (x, y) in pixels; "left" and "right" are the picture's, not the wearer's. Both halves of a silhouette go through one
routine, the right one mirrored, and every outline is walked the same way: neck, shoulder, sleeve, side, hem.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

SIDES = ("left", "right")


@dataclass(frozen=True)
class Silhouette:
    """An outline cut at its landmarks.

    points: name -> (2,) float, x, y. Tops and dresses: ``{side}-collar`` (end of the neckline), ``{side}-shoulder`` (top of the
        armhole), ``{side}-armpit``, ``{side}-hem``, ``neck``, ``hem``, and with sleeves ``{side}-cuff-outer``, ``{side}-cuff-inner``.
        Trousers and skirts: ``{side}-waist``, ``{side}-hem``, ``waist``, ``hem``, and with legs ``crotch``, ``{side}-inseam``.
    edges: name -> (n, 2) float, the outline between two landmarks: ``{side}-neck``, ``-yoke`` (collar to shoulder), ``-outer`` and
        ``-inner`` (sleeve), ``-armhole``, ``-side``, ``-hem``, ``-inseam``, ``-waist``.
    sleeved: side -> whether that arm is sleeved. guessed: names of landmarks that the outline does not show.
    """

    mask: np.ndarray
    centre: float
    points: dict[str, np.ndarray]
    edges: dict[str, np.ndarray]
    sleeved: dict[str, bool] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()

    @property
    def shoulder_width(self) -> float:
        """Distance in pixels between the tops of the armholes."""
        return float(np.linalg.norm(self.points["left-shoulder"] - self.points["right-shoulder"]))

    @property
    def chest_width(self) -> float:
        """Distance in pixels between the armpits."""
        return float(np.linalg.norm(self.points["left-armpit"] - self.points["right-armpit"]))


def solid(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece of ``mask``, holes filled: bool (H, W)."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    out = np.zeros(mask.shape, np.uint8)
    if outlines:
        cv2.drawContours(out, [max(outlines, key=cv2.contourArea)], -1, 1, -1)
    return out > 0


def torso_core(mask: np.ndarray) -> np.ndarray:
    """``mask`` without whatever is thinner than the trunk (sleeves, straps): an opening by a disc, at quarter size."""
    small = cv2.resize(mask.astype(np.uint8), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = np.pad(small, 1)
    radius = cv2.distanceTransform(small, cv2.DIST_L2, 5)
    core = cv2.distanceTransform((radius < 0.62 * radius.max()).astype(np.uint8), cv2.DIST_L2, 5) < 0.62 * radius.max()
    core = core[1:-1, 1:-1].astype(np.uint8)
    return (cv2.resize(core, mask.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0) & mask


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
    points: dict[str, np.ndarray] = {}
    edges: dict[str, np.ndarray] = {}
    sleeved: dict[str, bool] = {}
    guessed: list[str] = []
    width = mask.shape[1]
    halves = {"left": (mask, centre), "right": (mask[:, ::-1], width - 1 - centre)}
    walked = {side: _upper_half(*half) for side, half in halves.items()}
    for side, other in (SIDES, SIDES[::-1]):
        if walked[side][2] and not walked[other][2] and _juts(walked[side][0]):  # a strap that sticks out, on one side only
            walked[side] = _upper_half(*halves[side], sleeves=False)
    for side in SIDES:
        flip = side == "right"
        found, lines, has_sleeve, unsure = walked[side]
        points |= {f"{side}-{name}": _mirror(value, width if flip else None) for name, value in found.items()}
        edges |= {f"{side}-{name}": _mirror(line, width if flip else None) for name, line in lines.items()}
        sleeved[side] = has_sleeve
        guessed += [f"{side}-{name}" for name in unsure]
    points["neck"] = (points.pop("left-neck") + points.pop("right-neck")) / 2
    points["hem"] = (points.pop("left-middle") + points.pop("right-middle")) / 2
    return Silhouette(mask, centre, points, edges, sleeved, tuple(guessed))


def _mirror(values: np.ndarray, width: int | None) -> np.ndarray:
    """Points (..., 2) as they are, or mirrored in a picture of ``width``."""
    return values.astype(float) if width is None else np.stack([width - 1.0 - values[..., 0], values[..., 1]], -1)


def _walk(half: np.ndarray, middle: float) -> np.ndarray:
    """Outline (n, 2) of the left half, from the top of the middle line over the outside to its bottom."""
    cut = half.copy()
    cut[:, round(middle) + 1 :] = False
    outlines, _ = cv2.findContours(cut.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)[:, 0].astype(float)
    on_line = outline[:, 0] >= round(middle) - 1
    rows = np.where(on_line, outline[:, 1], np.nan)
    if on_line.any():
        start, end = int(np.nanargmin(rows)), int(np.nanargmax(rows))
    else:
        start, end = int(outline[:, 1].argmin()), int(outline[:, 1].argmax())
    outline = np.roll(outline, -start, 0)
    end = (end - start) % len(outline)
    path, back = outline[: end + 1], np.vstack([outline[end:], outline[:1]])[::-1]
    return path if path[:, 0].min() < back[:, 0].min() or len(path) > len(back) else back


def _defects(path: np.ndarray) -> list[tuple[int, int, int, float]]:
    """Concave stretches of a closed outline (n, 2): (first, last, deepest, depth in pixels) by index."""
    points = path.round().astype(np.int32)
    hull = np.sort(cv2.convexHull(points, returnPoints=False).ravel())[::-1].reshape(-1, 1)
    found = cv2.convexityDefects(points, np.ascontiguousarray(hull))
    return [] if found is None else [(int(a), int(b), int(d), d256 / 256) for a, b, d, d256 in found.reshape(-1, 4)]


def _deepest(path: np.ndarray, scale: float) -> list[tuple[int, int, int, float]]:
    """Concave stretches of a walked half outline: (first, deepest, last, depth in ``scale``) by index, deepest first."""
    rows = [(a, d, b, depth / scale) for a, b, d, depth in _defects(path) if a < d < b]
    return sorted((r for r in rows if r[3] > 0.02), key=lambda r: -r[3])


def _upper_half(half: np.ndarray, middle: float, sleeves: bool = True):
    path = _walk(half, middle)
    top, bottom = path[:, 1].min(), path[:, 1].max()
    scale = max(middle - path[:, 0].min(), 1.0)
    row, breadth = _armpit_level(half, middle, top)
    collar = _collar(path, middle, breadth)
    unsure: list[str] = []
    armpit = shoulder = valley = None
    sleeve = False
    for first, deepest, last, depth in _deepest(path, scale):
        x, y = path[deepest]
        if deepest <= path[:, 1].argmin() or y > bottom - 0.01 * scale or x > middle - 0.1 * scale:
            continue
        if y > bottom - 0.1 * breadth and depth < 0.08:
            continue  # a hem that is not straight
        under = min(int(y) + 3 + int(0.03 * scale), len(half) - 1)
        beside = half[under, max(0, int(x - 0.04 * scale) - 1) : int(x + 0.04 * scale) + 2]
        hanging = not beside.all() and half[under, : int(x)].any()
        tip = path[path[:deepest, 0].argmin()]
        reaches = x - tip[0] > 0.3 * scale and x - tip[0] > 0.4 * (y - tip[1])
        if y > row + 0.5 * breadth and not reaches and (y > bottom - 0.1 * breadth or not hanging or depth < 0.05):
            continue  # the hem
        if y > row + 0.15 * breadth and not hanging and x - tip[0] < 0.4 * (y - tip[1]):
            continue  # a waist, not a sleeve that hangs down beside the trunk
        out = half[: int(y), : int(x)].sum()  # what sticks out above the hollow
        if sleeves and deepest > collar and out > (0.02 if depth > 0.4 else 0.05 if hanging else 0.11) * scale**2:
            armpit, sleeve = deepest, True
        elif depth > 0.03 and path[last][0] < x and y < top + 0.6 * (bottom - top):  # a hollow open outwards: an armhole
            shoulder = int(path[: first + 1, 1].argmin())
            if path[first][1] - path[shoulder][1] < 0.15 * breadth or path[shoulder][0] > middle - 0.3 * breadth:
                shoulder = first
            armpit = min(last, shoulder + max(1, int(np.abs(path[shoulder : last + 1, 1] - row).argmin())))
        if armpit is not None:
            break
    if sleeve:
        armpit = _above_waist(path, armpit, 0.05 * scale)
    if armpit is None:  # nothing concave: a sleeve that lies against the body all the way, or no visible armhole
        unsure.append("armpit")
        shoulder = int(path[: np.nonzero(path[:, 0] <= middle - 0.55 * breadth)[0][-1] + 1, 1].argmin())
        after = np.arange(shoulder + 1, len(path) - 1)
        armpit = int(after[np.abs(path[after, 1] - row).argmin()])
    if shoulder is not None:  # the top of a strap is both ends of the shoulder
        collar = min(collar, max(1, shoulder - 1)) if path[collar][1] <= path[shoulder][1] else max(1, shoulder - 1)
    pit = path[armpit].copy()
    if sleeve and pit[1] > row + 0.5 * breadth:  # the valley ends low: above it the sleeve lies against the trunk
        unsure.append("armpit")
        valley = pit
        across = valley[0] - _outermost(half, int(valley[1]) - 1)
        x = middle - breadth + np.clip(1.1 * across, 0.2 * breadth, 0.45 * breadth)
        pit = np.array([x, row])
    hem = armpit + _corner(path[armpit:], np.array([-0.5, 1.0]))
    if shoulder is None:
        wanted = min(pit[0] + 0.1 * (middle - pit[0]), path[collar][0] - 0.08 * breadth)
        before = np.arange(collar, armpit)
        over = before[(path[before, 1] < pit[1]) & (np.abs(path[before, 0] - wanted) < 0.05 * scale + 2)]
        shoulder = int(over[0]) if over.size else collar + max(1, (armpit - collar) // 4)
    shoulder = max(shoulder, collar + 1)
    points = {
        "collar": path[collar],
        "shoulder": path[shoulder],
        "armpit": pit,
        "hem": path[hem],
        "neck": path[0],
        "middle": path[-1],
    }
    start = pit if valley is None else np.vstack([pit, valley])
    lines = {
        "neck": path[: collar + 1],
        "yoke": path[collar : shoulder + 1],
        "side": np.vstack([start, path[armpit : hem + 1]]),
        "hem": path[hem:],
    }
    if sleeve:
        loop = path[shoulder : armpit + 1]
        axis = _far_direction(loop, (path[shoulder] + pit) / 2)
        across = np.array([axis[1], -axis[0]])  # to the outside of a hanging sleeve in the left half
        across = across if across[0] < 0 or (across[0] == 0 and across[1] < 0) else -across
        outer = shoulder + _corner(loop, axis + 0.9 * across)
        inner = max(shoulder + _corner(loop, axis - 0.9 * across), outer + 1)
        inner = min(inner, armpit)
        loop = np.vstack([path[shoulder : armpit + 1], start[::-1]])
        area = cv2.contourArea(loop.round().astype(np.int32))
        if area < 0.3 * (middle - pit[0]) * np.linalg.norm((path[outer] + path[inner]) / 2 - path[shoulder]):
            return _upper_half(half, middle, sleeves=False)  # too thin for an arm: the rim of an armhole
        points |= {"cuff-outer": path[outer], "cuff-inner": path[inner]}
        lines |= {
            "outer": path[shoulder : outer + 1],
            "inner": np.vstack([start, path[inner : armpit + 1][::-1]]),
            "cuff": path[outer : inner + 1],
            "armhole": np.vstack([path[shoulder], pit]),
        }
    else:
        lines["armhole"] = path[shoulder : armpit + 1] if armpit > shoulder + 1 else np.vstack([path[shoulder], pit])
    return points, lines, sleeve, unsure


def _juts(points: dict[str, np.ndarray]) -> bool:
    """Whether a sleeve is so short that it may be a strap standing off the shoulder."""
    cuff = (points["cuff-outer"] + points["cuff-inner"]) / 2
    return bool(np.linalg.norm(cuff - points["shoulder"]) < 0.6 * np.linalg.norm(points["armpit"] - points["neck"]))


def _above_waist(path: np.ndarray, armpit: int, least: float) -> int:
    """Index of the armpit where a hollow reaches on to a waist: what lies deepest inside the line from the sleeve's tip to there."""
    tip = int(path[:armpit, 0].argmin())
    line = path[armpit] - path[tip]
    off = path[tip : armpit + 1] - path[tip]
    inward = (line[0] * -off[:, 1] + line[1] * off[:, 0]) / max(float(np.linalg.norm(line)), 1.0)
    return tip + int(inward.argmax()) if inward.max() > least else armpit


def _armpit_level(half: np.ndarray, middle: float, top: float) -> tuple[float, float]:
    """Row where an armpit must be, from the breadth there: (row, half breadth with the sleeve). Armpits lie about as far below
    the collar as the outline with its sleeve is from the middle line."""
    rows = np.arange(int(top) + 1, half.shape[0])
    outer = np.where(half[rows].any(1), half[rows].argmax(1), middle)
    breadth = np.maximum.accumulate(middle - outer)
    reached = np.nonzero(rows - top >= 1.05 * breadth)[0]
    at = int(reached[0]) if reached.size else len(rows) - 1
    return float(rows[at]), float(max(breadth[at], 1.0))


def _outermost(half: np.ndarray, row: int) -> float:
    return float(half[row].argmax())


def _collar(path: np.ndarray, middle: float, breadth: float) -> int:
    """Index of the end of the neckline: its upper outer corner."""
    out = path[:, 0] <= middle - 0.55 * breadth
    near = path[: int(out.argmax()) if out.any() else len(path) // 2]
    if len(near) < 3:
        return 1
    return max(1, int((near[:, 1] + 0.2 * near[:, 0]).argmin()))


def _corner(path: np.ndarray, direction: np.ndarray) -> int:
    """Index of the point of ``path`` that lies farthest along ``direction``."""
    return int((path @ direction).argmax())


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


def lower(mask: np.ndarray, *, centre: float | None = None) -> Silhouette:
    """Landmarks of trousers, shorts or a skirt; legs are told by the valley between them."""
    mask = solid(mask)
    rows, columns = np.nonzero(mask)
    top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
    height = max(bottom - top, 1)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = outlines[0][:, 0]
    crotch = None
    for a, b, d, depth in sorted(_defects(outline), key=lambda r: -r[3]):
        point, ends = outline[d], outline[[a, b]]
        legs = np.abs(ends[:, 0] - point[0]).min() > 0.02 * (right - left) and ends[:, 1].min() > point[1] + 0.1 * height
        if legs and depth > 0.12 * height and abs(point[0] - (left + right) / 2) < 0.3 * (right - left):
            crotch = point.astype(float)
            break
    waist_columns = columns[rows < top + 0.06 * height]
    waist_middle = float((waist_columns.min() + waist_columns.max()) / 2)
    centre = centre if centre is not None else (waist_middle + crotch[0]) / 2 if crotch is not None else waist_middle
    points: dict[str, np.ndarray] = {}
    edges: dict[str, np.ndarray] = {}
    width = mask.shape[1]
    for side in SIDES:
        flip = side == "right"
        half = mask[:, ::-1] if flip else mask
        middle = width - 1 - centre if flip else centre
        path = _walk(half, middle)
        waist = _corner(path[: max(2, len(path) // 2)], np.array([-0.5, -1.0]))
        hem = max(_corner(path, np.array([-0.5, 1.0])), waist + 1)
        values = {"waist": path[waist], "hem": path[hem]}
        lines = {"waist": path[: waist + 1], "side": path[waist : hem + 1]}
        if crotch is not None:
            fork = np.array([width - 1 - crotch[0] if flip else crotch[0], crotch[1]])
            inner = hem + _corner(path[hem:], np.array([0.35, 1.0]))
            values["inseam"] = path[inner]
            lines |= {"hem": path[hem : inner + 1], "inseam": np.vstack([path[inner:-1], fork[None]])}
        else:
            lines["hem"] = path[hem:]
        points |= {f"{side}-{name}": _mirror(value, width if flip else None) for name, value in values.items()}
        edges |= {f"{side}-{name}": _mirror(line, width if flip else None) for name, line in lines.items()}
    for name in ("waist", "hem"):
        column = np.nonzero(mask[:, round(centre)])[0]
        row = column.min() if name == "waist" else column.max()
        points[name] = np.array([centre, float(row)])
    if crotch is not None:
        points["crotch"] = crotch
    return Silhouette(mask, float(centre), points, edges)


def resample(line: np.ndarray, count: int) -> np.ndarray:
    """``count`` points (count, 2) at equal distances along an open polyline (n, 2), its two ends included."""
    steps = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    if steps[-1] == 0:
        return np.repeat(line[:1], count, 0)
    at = np.linspace(0, steps[-1], count)
    return np.column_stack([np.interp(at, steps, line[:, k]) for k in (0, 1)])


def length(line: np.ndarray) -> float:
    """Length of an open polyline (n, 2) in pixels."""
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def cut(line: np.ndarray, distance: float) -> np.ndarray:
    """The first ``distance`` pixels of an open polyline (n, 2)."""
    steps = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    distance = float(np.clip(distance, 0.0, steps[-1]))
    end = [np.interp(distance, steps, line[:, k]) for k in (0, 1)]
    return np.vstack([line[steps < distance], end])

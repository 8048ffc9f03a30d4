"""Skirts: a grid of cloth hung from the waist, wider towards the hem by flare, rippled by gathers."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from helpers.mannequin.cloth.form import LEFT_ARM, RIGHT_ARM, TRUNK, WAIST, Form, Support
from helpers.mannequin.cloth.patterns import BACK, CHEST, FRONT
from helpers.mannequin.cloth.sheet import Sheet
from helpers.mannequin.kinds import Skirt

_COLUMNS = 160
_ANGLES = np.linspace(-np.pi, np.pi, 48, endpoint=False)


def skirt_sheet(
    shape: Skirt, hem: float, form: Form, rng: np.random.Generator, seam: tuple[np.ndarray, np.ndarray] | None = None
) -> Sheet:
    """The skirt down to the template height ``hem``, made up on ``form`` and brought to the body's pose. Top row: line "waist";
    bottom row: line "hem".

    ``seam``: (N, 3) a closed curve at rest and (N, 3) the same posed, to which the top row is sewn.
    """
    top, bottom = form.height(shape.waist), form.height(hem)
    count = max(int((top - bottom) / 0.018), 8) + 1
    depth = np.linspace(0, top - bottom, count)
    table = _sections(shape, form, top - depth)

    # Columns stand at equal steps along the waist.
    dense = np.linspace(-np.pi, np.pi, 721)
    ring = _radius(table[:1], dense)[0]
    xy = ring[:, None] * np.stack([np.sin(dense), np.cos(dense)], axis=1)
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
    angle = np.interp(np.arange(_COLUMNS) / _COLUMNS * arc[-1], arc, dense)
    radius = _radius(table, angle)
    radius += _ripples(shape, depth, angle, radius, rng)
    centre = form.trunk_centre
    rest = np.stack(
        [
            centre[0] + radius * np.sin(angle),
            np.broadcast_to((top - depth)[:, None], radius.shape),
            centre[2] + radius * np.cos(angle),
        ],
        axis=-1,
    )
    # Cloth is as long as it is deep, so flared rows move up a little on the slope.
    row = np.arange(count - 1)[:, None] * _COLUMNS
    column = np.arange(_COLUMNS)
    after = (column + 1) % _COLUMNS
    a, b, c, d = row + column, row + _COLUMNS + column, row + _COLUMNS + after, row + after
    odd = ((np.arange(count - 1)[:, None] + column) % 2).astype(bool)
    first = np.where(odd[..., None], np.stack([a, b, c], -1), np.stack([a, b, d], -1))
    second = np.where(odd[..., None], np.stack([a, c, d], -1), np.stack([b, c, d], -1))
    faces = np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)]).astype(np.int32)
    # Column j lies at an angle from -pi (back) through 0 (front): the front is the middle half.
    quarter = _COLUMNS // 4
    front = np.tile(((column >= quarter) & (column < 3 * quarter)).ravel(), count - 1)
    panel = np.where(np.tile(front, 2), FRONT, BACK)
    code, wedge_faces = np.unique(faces.astype(np.int64) * 2 + panel[:, None], return_inverse=True)
    vertex, wedge_panel = code // 2, code % 2
    rest = rest.reshape(-1, 3)
    start = _posed(rest, count, form)
    if shape.flare < 0:
        start = _round_legs(start, form)
    if seam is not None:
        rest, start = _sewn(rest, start, depth, seam, centre)

    lines = {name: np.zeros(len(rest), bool) for name in ("waist", "hem", "side")}
    lines["waist"][:_COLUMNS] = True
    lines["hem"][-_COLUMNS:] = True
    lines["side"].reshape(count, -1)[:, [quarter, 3 * quarter]] = True
    uv = _guess(rest.reshape(count, _COLUMNS, 3), vertex, wedge_panel, top - form.height(CHEST), form)
    held = np.zeros((count, _COLUMNS))
    held[:2] = 1.0
    return Sheet(
        faces,
        rest,
        start,
        np.full(len(rest), TRUNK),
        held.ravel(),
        lines,
        wedge_faces.reshape(-1, 3).astype(np.int32),
        vertex,
        wedge_panel,
        uv,
    )


def _sections(shape: Skirt, form: Form, heights: np.ndarray) -> np.ndarray:
    """(T, A) support of the cloth at every height, at least as wide as body and ease, widening by the flare."""
    support = form.trunk_support
    place = np.clip((heights - support.first) / 0.01, 0, len(support.table) - 1)
    body = np.stack([np.interp(place, np.arange(len(support.table)), column) for column in support.table.T], axis=1)
    fall = top_to_here = heights[0] - heights
    out = body + 0.005 + (shape.ease - 0.005) * np.clip(top_to_here / 0.08, 0, 1)[:, None]
    hips = heights > form.height(0.80)  # below, legs apart at rest must not widen the skirt
    for k in range(1, len(out)):
        wide = out[k - 1] + shape.flare * (fall[k] - fall[k - 1])
        out[k] = np.maximum(out[k], wide) if hips[k] else wide
    smooth = gaussian_filter1d(out, 1.5, axis=0, mode="nearest")
    smooth[0] = out[0]
    return smooth


def _radius(table: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """(T, N) how far the sections reach at the angles."""
    turn = np.cos(angle[:, None] - _ANGLES)
    lines = np.where(turn > 0.25, table[:, None, :] / np.maximum(turn, 0.25), np.inf)
    return lines.min(axis=2)


def _ripples(shape: Skirt, depth: np.ndarray, angle: np.ndarray, radius: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Irregular folds whose arc is longer than the section by the share ``gather``."""
    if not shape.gather:
        return np.zeros_like(radius)
    knots = np.sort((np.arange(shape.folds) + rng.uniform(-0.28, 0.28, shape.folds)) / shape.folds * 2 * np.pi)
    height = rng.uniform(0.75, 1.25, shape.folds)
    phase = np.interp(
        angle % (2 * np.pi),
        np.concatenate([knots - 2 * np.pi, knots, knots + 2 * np.pi]),
        np.arange(-shape.folds, 2 * shape.folds),
    )
    size = np.interp(phase % shape.folds, np.arange(shape.folds + 1), np.append(height, height[0]))
    wave = size * np.cos(2 * np.pi * phase)
    # A cosine of amplitude a and wave number n on radius r lengthens the arc by about (a n / 2 r) squared.
    amplitude = 2 * radius.mean(axis=1, keepdims=True) / shape.folds * np.sqrt(shape.gather)
    start = 0.0 if shape.from_waist else 0.12
    grow = np.clip((depth / depth[-1] - start) / (1 - start), 0, 1)[:, None]
    if shape.from_waist:
        grow = np.clip(depth / 0.05, 0, 1)[:, None]
    return amplitude * grow * (1 + wave)


def _guess(grid: np.ndarray, vertex: np.ndarray, panel: np.ndarray, waist: float, form: Form) -> np.ndarray:
    count, columns, _ = grid.shape
    step = np.linalg.norm(np.roll(grid, -1, axis=1) - grid, axis=2)
    arc = np.concatenate([np.zeros((count, 1)), np.cumsum(step, axis=1)], axis=1)
    down = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(grid, axis=0), axis=2).mean(axis=1))])
    row, column = np.divmod(vertex, columns)
    girth = arc[row, -1]
    u = arc[row, column] - arc[row, columns // 2]
    behind = arc[row, column] - np.where(column >= columns // 2, girth, 0)
    return np.stack([np.where(panel == FRONT, u, behind), waist - down[row]], axis=1)


def _posed(rest: np.ndarray, count: int, form: Form) -> np.ndarray:
    """The waist follows the body it lies on, the rest of the skirt the pelvis."""
    body = form.body
    root = body.template.bones.index("root")
    trunk = np.flatnonzero(form.hull.part == TRUNK)
    near = trunk[cKDTree(form.rest[trunk]).query(rest[:_COLUMNS])[1]]
    top = np.asarray(form.hull.weights[near].todense())
    top = gaussian_filter1d(top, 4, axis=0, mode="wrap")
    waist = body.skin(rest[:_COLUMNS], sparse.csr_matrix(top))
    # Below it hangs plumb: the pelvis turns it, but does not tilt it.
    turn = body.transforms[root, :3, :3]
    yaw = np.arctan2(turn[0, 2], turn[2, 2])
    upright = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    middle = rest[:_COLUMNS].mean(axis=0)
    hanging = (rest - middle) @ upright.T + waist.mean(axis=0)
    depth = rest[0, 1] - rest.reshape(count, _COLUMNS, 3)[:, 0, 1]
    tilt = np.tile(waist - hanging[:_COLUMNS], (count, 1))
    return hanging + np.repeat(np.clip(1 - depth / 0.22, 0, 1), _COLUMNS)[:, None] * tilt


def _round_legs(start: np.ndarray, form: Form, ease: float = 0.006) -> np.ndarray:
    """``start`` (V, 3) widened where the posed legs stride out of it, so that narrow cloth settles round both of them."""
    rows = np.flatnonzero(form.hull.part != LEFT_ARM)
    rows = rows[(form.hull.part[rows] != RIGHT_ARM) & (form.hull.points[rows, 1] < WAIST)]
    legs = form.body.skin(form.rest, form.hull.weights)[rows]
    centre = np.stack([np.interp(start[:, 1], *_middles(legs, axis)) for axis in (0, 2)], axis=1)
    middle = np.stack([np.interp(legs[:, 1], *_middles(legs, axis)) for axis in (0, 2)], axis=1)
    offset = legs[:, [0, 2]] - middle
    support = Support(legs[:, 1], np.hypot(*offset.T), np.arctan2(*offset.T))
    offset = start[:, [0, 2]] - centre
    radius, angle = np.hypot(*offset.T), np.arctan2(*offset.T)
    reach = support.radius(start[:, 1], angle) + ease
    out = start.copy()
    out[:, [0, 2]] += ((np.maximum(reach / np.maximum(radius, 1e-6), 1) - 1)[:, None]) * offset
    return out


def _middles(points: np.ndarray, axis: int, step: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    """Heights (T,) and the middle (T,) of what lies there along one horizontal axis."""
    row = ((points[:, 1] - points[:, 1].min()) / step).astype(int)
    order = np.argsort(row, kind="stable")
    starts = np.flatnonzero(np.diff(row[order], prepend=-1))
    low, high = (extreme.reduceat(points[order, axis], starts) for extreme in (np.minimum, np.maximum))
    heights = points[:, 1].min() + step * (np.unique(row) + 0.5)
    return heights, gaussian_filter1d((low + high) / 2, 2, mode="nearest")


def _sewn(
    rest: np.ndarray, start: np.ndarray, depth: np.ndarray, seam: tuple[np.ndarray, np.ndarray], centre: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both shapes with their top row on the seam; the pull fades over a hand's breadth."""
    angle = np.arctan2(seam[0][:, 0] - centre[0], seam[0][:, 2] - centre[2])
    order = np.argsort(angle)
    top = np.arctan2(rest[:_COLUMNS, 0] - centre[0], rest[:_COLUMNS, 2] - centre[2])
    fade = np.repeat(1 - np.clip(depth / 0.15, 0, 1) ** 2, _COLUMNS)[:, None]
    out = []
    for points, curve in zip((rest, start), seam, strict=True):
        at = np.stack([np.interp(top, angle[order], column[order], period=2 * np.pi) for column in curve.T], axis=1)
        out.append(points + fade * np.tile(at - points[:_COLUMNS], (len(depth), 1)))
    return out[0], out[1]

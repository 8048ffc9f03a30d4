"""Fronts that open along the middle: cutting them, lengthening them into coats, bands, lapels and buttons along their edges."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from helpers.mannequin.cloth.clip import Cut
from helpers.mannequin.cloth.collars import button
from helpers.mannequin.cloth.form import TRUNK, Form
from helpers.mannequin.cloth.patterns import FRONT, RIGHT_FRONT, cut_top, side
from helpers.mannequin.cloth.sheet import Sheet
from helpers.mannequin.cloth.simulate import Obstacles
from helpers.mannequin.cloth.trims import Edge, Mesh, capped, edge_of, sweep
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.kinds import Lapels, Opening
from helpers.mannequin.mesh import loops, unit, vertex_normals


@lru_cache(maxsize=16)
def cut_open_top(hem: float, sleeve: str, opening: Opening) -> Cut:
    """As ``cut_top``, with two fronts: the wearer's left one is panel ``FRONT``, the right one ``RIGHT_FRONT``."""
    cut = cut_top(hem, sleeve, "v")

    def field(points: np.ndarray) -> np.ndarray:
        return np.where(side(points) > 0.0, np.abs(points[:, 0]) - np.interp(points[:, 1], opening.heights, opening.gap), 0.3)

    cut = cut.clip("front", field)
    left = cut.points[cut.faces].mean(axis=1)[:, 0] > 0
    return replace(cut, panel=np.where((cut.panel == FRONT) & ~left, RIGHT_FRONT, cut.panel))


def runs(loop: np.ndarray, on: np.ndarray) -> list[np.ndarray]:
    """The stretches of a closed ``loop`` of vertices that lie ``on`` (V,) bool a line, in order."""
    mine = on[loop]
    if mine.all():
        return [loop]
    start = np.flatnonzero(mine & ~np.roll(mine, 1))
    out = []
    for first in start:
        turned = np.roll(loop, -first)
        out.append(turned[: np.argmin(on[turned])])
    return [run for run in out if len(run) > 3]


def front_run(sheet: Sheet) -> np.ndarray:
    """(N,) int, the vertices along the opening: up one front, round the neck and down the other, cloth on the left."""
    on = sheet.lines["front"] | sheet.lines["neck"]
    found = [run for loop in loops(sheet.faces) for run in runs(loop, on)]
    return max(found, key=len)


def run_edge(sheet: Sheet, run: np.ndarray) -> Edge:
    """The curve along the vertices ``run`` (N,) int with the directions a trim needs."""
    return edge_of(sheet.start[run], vertex_normals(sheet.start, sheet.faces)[run], closed=False)


def lengthened(sheet: Sheet, drop: float, flare: float, centre: np.ndarray, step: float = 0.019) -> Sheet:
    """``sheet`` with its hem ``drop`` metres lower: rows of cloth hanging plumb from it, by ``flare`` wider per metre.

    ``centre`` (3,): a point of the vertical axis that the cloth widens from.
    """
    (row,) = [run for loop in loops(sheet.faces) for run in runs(loop, sheet.lines["hem"])]
    count, rows = len(row), max(int(drop / step), 1)
    depth = np.linspace(0, drop, rows + 1)[1:]
    total = len(sheet.rest)
    grid = np.concatenate([row[None], total + np.arange(rows * count).reshape(rows, count)])
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
    odd = (np.add.outer(np.arange(rows), np.arange(count - 1)) % 2).astype(bool)[..., None]
    first = np.where(odd, np.stack([b, a, d], -1), np.stack([b, a, c], -1))
    second = np.where(odd, np.stack([b, d, c], -1), np.stack([a, d, c], -1))
    faces = np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)])

    def hung(points: np.ndarray) -> np.ndarray:
        ring = points[row]
        # Where the hull has a cleft the hem is pleated: further down the columns stand at equal steps.
        keep = np.ones(count, bool)
        keep[1:-1] = _advances(ring, centre)[1:-1]
        level = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(ring[keep], axis=0), axis=1))])
        equal = np.stack([np.interp(np.linspace(0, level[-1], count), level, column) for column in ring[keep].T], axis=1)
        ring = ring + smoothstep(0.0, 0.06, depth)[:, None, None] * (equal - ring)
        outward = unit(((ring - centre) * [1, 0, 1]).reshape(-1, 3)).reshape(ring.shape)
        return np.concatenate([points, (ring + depth[:, None, None] * (flare * outward - [0, 1, 0])).reshape(-1, 3)])

    owner = dict(zip(map(tuple, _directed(sheet.faces)), np.tile(np.arange(len(sheet.faces)), 3), strict=True))
    panel = sheet.wedge_panel[sheet.wedge_faces[:, 0]]
    strip = np.array([panel[owner[tuple(pair)]] for pair in np.stack([row[:-1], row[1:]], axis=1)])
    new_panel = np.tile(np.tile(strip, rows), 2)
    # Corners at the old hem are wedges that there are; all others are new.
    code, corner = np.unique(faces.astype(np.int64) * 16 + new_panel[:, None], return_inverse=True)
    known = sheet.wedge_vertex * 16 + sheet.wedge_panel
    order = np.argsort(known, kind="stable")
    fresh = code >= total * 16
    wedge = len(known) + np.cumsum(fresh) - 1
    wedge[~fresh] = order[np.searchsorted(known[order], code[~fresh])]
    vertex, panel = np.divmod(code[fresh], 16)
    level, column = np.divmod(vertex - total, count)
    above = order[np.searchsorted(known[order], row[column] * 16 + panel)]
    uv = np.concatenate([sheet.uv, sheet.uv[above] - np.stack([np.zeros(len(level)), depth[level]], axis=1)])
    template = sheet.places[row] - depth[:, None, None] * [0, 1, 0]
    more = rows * count

    def spread(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, np.tile(values[row], rows)])

    lines = {name: spread(on) for name, on in sheet.lines.items() if name not in ("hem", "neck", "cuff", "armhole")}
    lines |= {
        n: np.concatenate([on, np.zeros(more, bool)]) for n, on in sheet.lines.items() if n in ("neck", "cuff", "armhole")
    }
    lines["hem"] = np.concatenate([np.zeros(total + more - count, bool), np.ones(count, bool)])
    lines["front"][grid[:, [0, -1]].ravel()] = True
    return Sheet(
        np.concatenate([sheet.faces, faces]).astype(np.int32),
        hung(sheet.rest),
        hung(sheet.start),
        np.concatenate([sheet.part, np.full(more, TRUNK)]),
        np.concatenate([sheet.held, np.zeros(more)]),
        lines,
        np.concatenate([sheet.wedge_faces, wedge[corner.reshape(-1, 3)]]).astype(np.int32),
        np.concatenate([sheet.wedge_vertex, vertex]),
        np.concatenate([sheet.wedge_panel, panel]),
        uv,
        np.concatenate([sheet.places, template.reshape(-1, 3)]),
    )


def _advances(ring: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """(N,) bool: which points of a curve (N, 3) round ``centre`` lie further round than all before them."""
    angle = np.unwrap(np.arctan2(*((ring - centre)[:, [0, 2]]).T))
    angle *= np.sign(angle[-1] - angle[0])
    return angle > np.maximum.accumulate(np.concatenate([[-np.inf], angle[:-1]])) + 0.02


def _directed(faces: np.ndarray) -> np.ndarray:
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def front_band(edge: Edge, profile: np.ndarray) -> Mesh:
    """A band of cross-section ``profile`` (K, 2) metres sewn along the whole opening, its ends closed."""
    return capped(sweep(edge, profile, closed=False), len(edge.points))


def buttons(sheet: Sheet, edge: Edge, heights: np.ndarray, inset: float, radius: float) -> list[Mesh]:
    """A column of buttons at ``heights`` (K,) metres above the ground, ``inset`` metres from the edge of the wearer's left front."""
    left = np.flatnonzero(edge.points[:, 0] > sheet.start[:, 0].mean())
    out = []
    for height in heights:
        k = left[np.argmin(np.abs(edge.points[left, 1] - height))]
        out.append(button(edge.points[k] - inset * edge.out[k], edge.normal[k], radius))
    return out


def lapels(sheet: Sheet, run: np.ndarray, form: Form, shape: Lapels) -> Mesh:
    """Lapels and collar in one, folded outwards along the opening from where the fronts break.

    run: (N,) int, the vertices of ``sheet`` along the opening, as :func:`front_run` gives them
    """
    normals = vertex_normals(sheet.start, sheet.faces)
    height = sheet.start[run, 1]
    on = height > height.min() + shape.low * np.ptp(height)
    run = run[np.argmax(on) : len(run) - np.argmax(on[::-1])]
    points, normal = _even(sheet.start[run], normals[run], 0.005)
    edge = edge_of(points, normal, 4.0, closed=False)
    way = edge.along[:-1]
    # The shoulder is where the neckline is highest on either side; s runs 0..1 from the break to there, on to 2 at the middle back.
    count = len(way)
    half = way[-1] / 2
    from_front = np.minimum(way, way[-1] - way)
    joints = form.body.joints
    shoulder = np.interp(joints["neck01"][2], *_monotone(points[: count // 2, 2], way[: count // 2]))
    s = np.interp(from_front, [0, shoulder, half], [0, 1, 2])
    neck = smoothstep(0.72, 1.15, s)
    axis = joints["head"] - joints["neck01"]
    axis = axis / np.linalg.norm(axis) + np.array([0, 0.6, 0])
    axis /= np.linalg.norm(axis)
    middle = points[s > 0.9].mean(axis=0)
    inward = middle - points
    inward -= (inward @ axis)[:, None] * axis
    inward = unit(inward)
    out = edge.out * (1 - neck)[:, None] + neck[:, None] * (np.cos(0.3) * axis + np.sin(0.3) * inward)
    tangent = np.gradient(points, axis=0)
    tangent = unit(tangent)
    out -= np.einsum("ij,ij->i", out, tangent)[:, None] * tangent
    out = unit(out)
    edge = Edge(points, out, np.cross(out, tangent))

    n = shape.notch
    width = np.interp(
        s,
        [0, 0.5 * n, n - 0.03, n + 0.005, n + 0.012, n + 0.10, 1.05, 2],
        [
            0.004,
            0.62 * shape.wide,
            shape.wide,
            0.5 * shape.wide,
            0.5 * shape.wide,
            shape.collar,
            0.85 * shape.collar,
            shape.back,
        ],
    )
    stand = shape.stand * smoothstep(0.6, 1.25, s)
    gorge = 0.0008 * np.exp(-(((s - n - 0.008) / 0.012) ** 2))
    rows = []
    rows.append(np.stack([np.full(count, -0.004), np.full(count, -0.0008)], axis=1))
    rows.append(np.stack([stand, np.full(count, 0.0)], axis=1))
    rows.append(np.stack([stand + 0.003, np.full(count, 0.003)], axis=1))
    shares = (0.04, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
    rows += [np.stack([stand - part * width, 0.0075 - 0.002 * part - gorge], axis=1) for part in shares]
    rows.append(np.stack([stand - width + 0.0005, np.full(count, 0.002)], axis=1))
    rows.append(np.stack([stand - 0.5 * width, np.full(count, 0.0035)], axis=1))
    mesh = sweep(edge, np.stack(rows, axis=1), closed=False)
    lift = np.array([0, 0, 0, *(0.0062 - 0.002 * np.array(shares)), 0.0018, 0.0025])
    # Outside the notch lapels point up, collars down.
    share = np.array([0, 0, 0, *shares, 1.0, 0.5])
    beyond = np.maximum(share * width[:, None] - 0.5 * shape.wide, 0)
    lean = np.where(s < n + 0.006, 0.36 * smoothstep(0.1, n, s), -0.30 * (1 - smoothstep(1.0, 1.4, s)))
    move = (lean * np.where(way < half, 1.0, -1.0))[:, None] * beyond
    mesh.vertices = mesh.vertices + (move[..., None] * tangent[:, None]).reshape(-1, 3)
    cloth = Obstacles(sheet.start, normals, np.full(len(sheet.start), TRUNK), {TRUNK: (TRUNK,)}, 0.06)
    part = np.full(len(mesh.vertices), TRUNK)
    lifts = np.tile(lift, count)
    moved = lifts > 0
    mesh.vertices[moved] = cloth.push(mesh.vertices[moved], part[moved], lifts[moved])
    mesh.normals = vertex_normals(mesh.vertices, mesh.faces)
    mesh.attributes["hem"] = (width[:, None] * (1 - share)).ravel()
    return capped(mesh, count)


def _even(points: np.ndarray, normals: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """An open curve (N, 3) and its normals at equal steps of about ``spacing`` metres."""
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0, along[-1], max(int(along[-1] / spacing), 8))
    even, beside = (np.stack([np.interp(at, along, column) for column in table.T], axis=1) for table in (points, normals))
    return even, beside


def _monotone(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A table for ``interp`` from values that fall on the whole: the last place where x passes each of its values."""
    falling = np.minimum.accumulate(x)
    return falling[::-1], y[::-1]

"""Shoes: an upper cut from the hull of the foot over a smooth last, a sole under it, and laces.

They are made at rest and skinned like the feet, so they bend at the ball when a heel is raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from helpers.mannequin.cloth.clip import Cut
from helpers.mannequin.cloth.form import LEFT_LEG, RIGHT_LEG, Form
from helpers.mannequin.cloth.patterns import base_hull
from helpers.mannequin.cloth.sheet import distance_to
from helpers.mannequin.cloth.tailor import weights
from helpers.mannequin.cloth.trims import Mesh, edge_of, fitted, join, sweep
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.mesh import loops, refine_triangles, unit, vertex_normals

_ANGLES = np.linspace(-np.pi, np.pi, 160, endpoint=False)
_PLAIN = (("panel", 15.0), ("hem", 0.25))  # no print, no stitching


@dataclass(frozen=True)
class Last:
    """``sole`` thickness under the foot and how far its ``wall`` rises beside it, ``room`` round the foot, ``toe``: extra length,
    ``rim``: thickness of the opening's edge, all in metres; ``heights``: template metres of the opening at the places ``along``
    the foot (heel to toe); ``welt``: how far the sole stands out."""

    sole: float
    wall: float
    room: float
    toe: float
    rim: float
    welt: float
    along: tuple[float, ...]
    heights: tuple[float, ...]
    laces: bool = False


LASTS = {
    "sneakers": Last(
        0.017, 0.010, 0.005, 0.012, 0.0045, 0.002,
        (-0.06, -0.02, 0.02, 0.055, 0.075, 0.10), (0.098, 0.082, 0.080, 0.105, 0.13, 0.2), laces=True,
    ),
    "loafers": Last(
        0.013, 0.004, 0.004, 0.014, 0.0025, 0.002,
        (-0.06, -0.02, 0.03, 0.065, 0.085, 0.11), (0.080, 0.064, 0.058, 0.066, 0.085, 0.2),
    ),
    "flats": Last(
        0.008, 0.002, 0.003, 0.008, 0.0018, 0.0,
        (-0.06, -0.02, 0.05, 0.105, 0.125, 0.145), (0.066, 0.048, 0.037, 0.034, 0.045, 0.2),
    ),
    "boots": Last(0.020, 0.006, 0.006, 0.014, 0.0035, 0.003, (-0.10, 0.2), (0.195, 0.205)),
}  # fmt: skip


def sole_height(style: str | None) -> float:
    """Metres between ground and foot in shoes of ``style``; 0 for bare feet (``None``)."""
    return LASTS[style].sole if style else 0.0


@lru_cache(maxsize=16)
def _upper(style: str) -> Cut:
    last, base = LASTS[style], base_hull()

    def topline(points: np.ndarray) -> np.ndarray:
        high = np.interp(points[:, 2], last.along, last.heights)
        return np.where(points[:, 1] > 0.3, -0.1, high - points[:, 1])

    whole = Cut(base.matrix, base.faces, base.points, {}, np.zeros(len(base.faces), int))
    return whole.clip("top", topline)


def shoes(style: str, form: Form) -> dict[int, tuple[Mesh, np.ndarray]]:
    """Part (left and right leg) -> the shoe, ``trim`` 1 on sole and laces, and (V,) metres from its opening.

    Raises ``ValueError`` for an unknown style.
    """
    if style not in LASTS:
        raise ValueError(f"the style of shoes is one of {', '.join(LASTS)}, not {style!r}.")
    last, cut = LASTS[style], _upper(style)
    rest = cut.matrix @ form.body.rest[form.body.template.tights.indices]
    skinning = weights(cut, form, smooth=3)
    out = {}
    for part, sign in ((LEFT_LEG, 1), (RIGHT_LEG, -1)):
        mine = cut.points[:, 0] * sign > 0
        out[part] = _shoe(cut, rest, skinning, mine, last, form)
    return out


def _shoe(
    cut: Cut, rest: np.ndarray, skinning: sparse.csr_matrix, mine: np.ndarray, last: Last, form: Form
) -> tuple[Mesh, np.ndarray]:
    faces = cut.faces[mine[cut.faces].all(axis=1)]
    used, faces = np.unique(faces, return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.int32)
    at, bones = rest[used], skinning[used]
    size = form.body.figure.height / 1.66
    foot = at[at[:, 1] < 0.05 * size]
    centre = (foot.min(axis=0) + foot.max(axis=0))[[0, 2]] / 2
    outline = _outline(foot, centre, last, size)
    at = _lasted(at, faces, centre, outline, last, size)
    matrix, faces, _ = refine_triangles(faces, len(at))
    at, bones = matrix @ at, sparse.csr_matrix(matrix @ bones)
    keep = ~(at[faces][:, :, 1] < 0.002 * size).all(axis=1)  # the insole is out of sight
    posed = form.body.skin(at, bones)
    normals = vertex_normals(posed, faces)
    top = np.zeros(len(at), bool)
    rim = loops(faces)[0]
    top[rim] = True
    distance = distance_to(at, faces, top)
    uv = np.stack([np.arctan2(at[:, 0] - centre[0], at[:, 2] - centre[1]) * 0.08, at[:, 1]], axis=1)
    count = len(at)
    none = np.zeros(count)
    upper = Mesh(posed, faces[keep], uv, normals, {"trim": none, "hem": distance, "panel": none + 15, "rib": none})

    smooth = gaussian_filter1d(posed[rim], 2, axis=0, mode="wrap")
    r = last.rim / 2
    turn = np.linspace(1.2 * np.pi, -0.8 * np.pi, 12)
    padding = np.stack([r * np.cos(turn), r * np.sin(turn) - 0.4 * r], axis=1)[::-1]
    padded = sweep(edge_of(smooth, normals[rim]), padding[::-1])
    padded.attributes = {name: np.full(len(padded.vertices), value) for name, value in _PLAIN}

    sole = _sole(centre, outline, last, size)
    near = cKDTree(at).query(sole.vertices + np.array([0, last.sole * 0.5, 0]))[1]
    sole.vertices = form.body.skin(sole.vertices, bones[near])
    sole.normals = vertex_normals(sole.vertices, sole.faces)
    sole.attributes = {name: np.full(len(sole.vertices), value) for name, value in (("trim", 1.0), *_PLAIN)}
    meshes = [upper, padded, sole]
    if last.laces:
        laces = _laces(at, centre, size)
        laces.vertices = form.body.skin(laces.vertices, bones[cKDTree(at).query(laces.vertices)[1]])
        laces.normals = vertex_normals(laces.vertices, laces.faces)
        laces.attributes = {name: np.full(len(laces.vertices), value) for name, value in (("trim", 1.0), *_PLAIN)}
        meshes.append(laces)
    shoe = join(meshes)
    return shoe, np.append(distance, np.zeros(len(shoe.vertices) - count))


def _outline(foot: np.ndarray, centre: np.ndarray, last: Last, size: float) -> np.ndarray:
    """(A,) radius of the foot's plan at ``_ANGLES`` with room, longer and rounder at the toe."""
    plan = foot[:, [0, 2]] - centre
    convex = (plan @ np.stack([np.sin(_ANGLES), np.cos(_ANGLES)])).max(axis=0)
    turn = np.cos(_ANGLES[:, None] - _ANGLES)
    bridged = np.where(turn > 0.2, convex / np.maximum(turn, 0.2), np.inf).min(axis=1)
    # The foot itself, hollow at the arch; the last lies between both.
    row = ((np.arctan2(plan[:, 0], plan[:, 1]) + np.pi) / (2 * np.pi) * 80).astype(int) % 80
    actual = np.zeros(80)
    np.maximum.at(actual, row, np.linalg.norm(plan, axis=1))
    actual = np.interp(_ANGLES, (np.arange(80) + 0.5) / 80 * 2 * np.pi - np.pi, actual, period=2 * np.pi)
    radius = 0.55 * bridged + 0.45 * np.minimum(actual, bridged)
    return gaussian_filter1d(radius, 5, mode="wrap") + last.room + last.toe * size * np.maximum(np.cos(_ANGLES), 0) ** 3


def _plan(outline: np.ndarray, offset: float = 0.0) -> np.ndarray:
    """(A, 2) x and z of the curve, moved out by ``offset`` along its normals."""
    curve = outline[:, None] * np.stack([np.sin(_ANGLES), np.cos(_ANGLES)], axis=1)
    tangent = np.roll(curve, -1, axis=0) - np.roll(curve, 1, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    normal *= np.sign(np.einsum("ij,ij->i", normal, curve).sum())
    return curve + offset * normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _radius(outline: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.interp(angle, _ANGLES, outline, period=2 * np.pi)


def _lasted(at: np.ndarray, faces: np.ndarray, centre: np.ndarray, outline: np.ndarray, last: Last, size: float) -> np.ndarray:
    """The foot as a last: walls of one smooth outline, domed over the toes."""
    normals = vertex_normals(at, faces)
    height = np.clip(at[:, 1] / (0.075 * size), 0, 1)
    toward = smoothstep(0.05, 0.6, 1 - np.abs(normals[:, 1])) * (1 - smoothstep(0.75, 1.0, height))
    out = _against_wall(at, centre, outline, height, toward)
    out += (last.room * (1 - toward) * (normals[:, 1] > -0.2))[:, None] * normals
    out[:, 1] = np.maximum(out[:, 1], 0.001)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges = np.unique(edges, axis=0)
    both = np.concatenate([edges, edges[:, ::-1]])
    valence = np.bincount(both[:, 0], minlength=len(at))
    mean = sparse.csr_matrix((1 / valence[both[:, 0]], (both[:, 0], both[:, 1])), (len(at), len(at)))
    calm = ((1 - smoothstep(0.6, 1.0, height)) * 0.6)[:, None]
    for _ in range(5):
        out += calm * (mean @ out - out)
    return _against_wall(out, centre, outline, height, toward * (1 - smoothstep(0.3, 0.7, height)))


def _against_wall(at: np.ndarray, centre: np.ndarray, outline: np.ndarray, height: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points pushed out to the last's wall, which leans in with ``height`` 0..1, by ``share`` (V,) 0..1."""
    offset = at[:, [0, 2]] - centre
    radius = np.maximum(np.linalg.norm(offset, axis=1), 1e-6)
    wall = _radius(outline, np.arctan2(offset[:, 0], offset[:, 1])) * (1 - 0.2 * height**2)
    out = at.copy()
    out[:, [0, 2]] += (share * np.clip(wall - radius, 0, 0.03) / radius)[:, None] * offset
    return out


def _sole(centre: np.ndarray, outline: np.ndarray, last: Last, size: float) -> Mesh:
    thick, wall, welt = last.sole, last.wall * size, last.welt
    rings = [
        (welt - 0.010, -thick), (welt - 0.002, -thick), (welt + 0.0005, 0.002 - thick), (welt + 0.001, -0.5 * thick),
        (welt + 0.0005, wall - 0.002), (welt - 0.001, wall), (-0.004, wall + 0.0005), (-0.010, wall * 0.8),
    ]  # fmt: skip
    grid = []
    for offset, height in rings:
        plan = _plan(outline, offset)
        spring = 0.006 * size * smoothstep(0.075 * size, 0.13 * size, plan[:, 1])  # toes stand a little off the ground
        grid.append(
            np.stack([centre[0] + plan[:, 0], height + spring * (height < -0.4 * thick), centre[1] + plan[:, 1]], axis=1)
        )
    count, rows = len(_ANGLES), len(rings)
    vertices = np.concatenate([*grid, [[centre[0], -thick, centre[1]]]])
    column = np.arange(count)
    after = (column + 1) % count
    pieces = []
    for k in range(rows - 1):
        a, b, c, d = k * count + column, k * count + after, (k + 1) * count + after, (k + 1) * count + column
        pieces += [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
    pieces.append(np.stack([after, column, np.full(count, len(vertices) - 1)], axis=1))
    uv = np.stack([vertices[:, 0], vertices[:, 2]], axis=1)
    faces = np.concatenate(pieces).astype(np.int32)
    return Mesh(vertices, faces, uv, vertex_normals(vertices, faces))


def _laces(at: np.ndarray, centre: np.ndarray, size: float) -> Mesh:
    """Five bars across the instep, at rest."""
    above = at[at[:, 1] > 0.03 * size]

    def surface(places: np.ndarray) -> np.ndarray:
        return fitted(above[:, [0, 2]], above[:, 1:2], places)[:, 0]

    x = np.linspace(-0.05, 0.05, 41) * size
    bars = []
    for k, z in enumerate(np.linspace(0.062, 0.014, 5) * size):
        y = surface(np.stack([centre[0] + x, np.full(len(x), centre[1] + z)], axis=1))
        ridge = x[np.argmax(y)]
        line = ridge + np.linspace(-1, 1, 9) * (0.014 + 0.0015 * k) * size
        place = np.stack([centre[0] + line, centre[1] + z - 0.15 * np.abs(line - ridge)], axis=1)
        bars.append(_bar(np.stack([place[:, 0], surface(place) + 0.003, place[:, 1]], axis=1), 0.0034 * size))
    return join(bars)


def _bar(line: np.ndarray, radius: float) -> Mesh:
    """A flat tube along ``line`` (N, 3)."""
    tangent = np.gradient(line, axis=0)
    tangent = unit(tangent)
    side = np.cross(tangent, [0.0, 1.0, 0.0])
    side = unit(side)
    up = np.cross(side, tangent)
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = radius * (np.cos(turn)[:, None, None] * side + 0.45 * np.sin(turn)[:, None, None] * up)
    vertices = (line + ring).transpose(1, 0, 2).reshape(-1, 3)
    i, k = np.meshgrid(np.arange(len(line) - 1), np.arange(8), indexing="ij")
    a, b = i * 8 + k, i * 8 + (k + 1) % 8
    faces = np.concatenate(
        [np.stack([a, a + 8, b + 8], axis=-1).reshape(-1, 3), np.stack([a, b + 8, b], axis=-1).reshape(-1, 3)]
    ).astype(np.int32)
    return Mesh(vertices, faces, vertices[:, [0, 2]], vertex_normals(vertices, faces))

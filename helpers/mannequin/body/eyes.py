"""Eyeballs and lashes: geometry fitted to a posed body's lids, and their colour.

Convention: on the eyeball x points outwards (away from the nose), y up and z along the gaze, in eyeball radii.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import sparse

from helpers.labels import CIHP
from helpers.mannequin.body.figure import Body
from helpers.mannequin.body.template import Template
from helpers.mannequin.colours import linear
from helpers.mannequin.fields import noise, smoothstep
from helpers.mannequin.mesh import triangles, unique_edges
from helpers.mannequin.outfit import Figure
from helpers.mannequin.surface import Hits, Material, Surface


@cache
def eye_centre(base: Template) -> np.ndarray:
    """(3,) centre of the left eyeball in the template; the right one mirrors it."""
    points = base.vertices[base.shells["eyes"].indices]
    return points[points[:, 0] > 0].mean(axis=0)


_IRIS = 0.46  # of the eyeball's radius
_RINGS, _SPOKES = 22, 40


@cache
def _eyeball() -> tuple[np.ndarray, np.ndarray]:
    """Front of a unit eyeball looking along +z, bulging at the cornea: vertices and faces."""
    polar = np.linspace(0, np.radians(115), _RINGS) ** 1.0
    around = np.linspace(0, 2 * np.pi, _SPOKES, endpoint=False)
    bulge = 1 + 0.055 * np.clip(1 - (np.sin(polar) / 0.52) ** 2, 0, 1) * (polar < np.pi / 2)
    ring = np.stack([np.outer(np.sin(polar), np.cos(around)), np.outer(np.sin(polar), np.sin(around))], axis=-1)
    points = np.concatenate([ring, np.broadcast_to(np.cos(polar)[:, None, None], (*ring.shape[:2], 1))], axis=-1)
    points = points * bulge[:, None, None]
    a = np.arange(_RINGS - 1)[:, None] * _SPOKES + np.arange(_SPOKES)
    b = np.arange(_RINGS - 1)[:, None] * _SPOKES + (np.arange(_SPOKES) + 1) % _SPOKES
    quads = np.stack([a, a + _SPOKES, b + _SPOKES, b], axis=-1).reshape(-1, 4)
    return points.reshape(-1, 3), triangles(quads).astype(np.int32)


def eye_surface(body: Body) -> Surface:
    points, faces = _eyeball()
    shell = body.template.shells["eyes"].indices
    left = body.template.vertices[shell, 0] > 0
    vertices, local = [], []
    for rows, sign in ((shell[left], 1.0), (shell[~left], -1.0)):
        at = body.posed[rows]
        solution = np.linalg.lstsq(np.column_stack([2 * at, np.ones(len(at))]), np.sum(at**2, axis=1), rcond=None)[0]
        centre = solution[:3]
        radius = np.sqrt(solution[3] + centre @ centre)
        vertices.append(centre + radius * points)  # both look at the camera
        local.append(np.column_stack([points * [sign, 1, 1], points[:, 0]]))
    faces = np.concatenate([faces, faces + len(points)])
    labels = np.full(len(faces), CIHP.index("face"), np.uint8)
    material = Material(_EyeColour(body.figure), kind="eye", roughness=0.06, specular=0.04)
    return Surface("eyes", np.concatenate(vertices), faces, material, labels, attributes={"eye": np.concatenate(local)})


class _EyeColour:
    """Sclera, iris and pupil by place on the eyeball: x outwards, y up, z along the gaze, then x towards the picture's right."""

    def __init__(self, figure: Figure) -> None:
        self.iris = linear(figure.eyes)
        self.age = figure.age

    def __call__(self, hits: Hits) -> np.ndarray:
        at = hits["eye"]
        x, y = at[:, 0], at[:, 1]
        radius = np.hypot(x, y) / _IRIS
        angle = np.arctan2(y, x)
        spokes = np.column_stack([np.cos(angle) * 6, np.sin(angle) * 6, radius * 0.7])
        fibres = noise(spokes, 0.45) * 0.6 + noise(spokes + 5, 0.2) * 0.4
        iris = self.iris * (1.25 + 0.5 * fibres)[:, None]
        iris += (np.exp(-(((radius - 0.46) / 0.12) ** 2)) * 0.35)[:, None] * self.iris * [1.3, 1.0, 0.6]
        iris *= (1 - 0.78 * smoothstep(0.80, 1.0, radius))[:, None]
        iris *= (1 - 0.45 * smoothstep(-0.1, 0.45, y))[:, None]  # in the lid's shade
        iris *= smoothstep(0.34, 0.42, radius)[:, None]
        veins = smoothstep(0.55, 0.95, np.abs(x)) * (0.12 + 0.10 * noise(at[:, :3], 0.08))
        white = np.array([0.58, 0.55, 0.52]) * np.exp(-np.outer(veins + 0.1 * (self.age > 60), [0.1, 0.9, 1.0]))
        white *= (1 - 0.50 * smoothstep(0.05, 0.36, y) - 0.15 * smoothstep(0.5, 0.9, np.abs(x)))[:, None]
        corner = smoothstep(-0.72, -0.86, x)[:, None]
        white += corner * (np.array([0.50, 0.22, 0.19]) - white)
        edge = smoothstep(0.94, 1.06, radius)[:, None]
        colour = (1 - edge) * iris + edge * white
        # The soft box mirrored in the cornea: what makes an eye alive is too small for the lamp's own highlight to find.
        glint = smoothstep(0.105, 0.075, np.hypot(at[:, 3] + 0.17, 1.15 * (y - 0.15)))[:, None]
        return np.maximum(colour, glint).astype(np.float32)


# --- lashes ------------------------------------------------------------------------------------------------------------


@cache
def _lash_grids(base: Template) -> dict[str, np.ndarray]:
    """``upper`` and ``lower`` -> (rows, columns) template vertices of the left eye's lash strips, from lid to tips, and the
    same under ``upper-right`` and ``lower-right``; columns run from the nose outwards."""
    quads = base.quads["lashes"]
    edges = unique_edges(quads)
    shell = base.shells["lashes"].indices
    graph = sparse.coo_matrix((np.ones(len(edges)), np.searchsorted(shell, edges).T), (len(shell),) * 2).tocsr()
    graph = graph + graph.T
    count, part = sparse.csgraph.connected_components(graph)
    hops = sparse.csgraph.shortest_path(graph, unweighted=True)
    degree = np.asarray(graph.sum(axis=1)).ravel()
    centre, out = eye_centre(base), {}
    for strip in range(count):
        rows = np.flatnonzero(part == strip)
        at = base.vertices[shell[rows]] * [1, 1, 1]
        right = at[:, 0].mean() < 0
        at[:, 0] = np.abs(at[:, 0])
        corners = np.flatnonzero(degree[rows] == 2)
        order = np.argsort(np.linalg.norm(at[corners] - centre, axis=1))
        inner, outer = sorted(corners[order[:2]], key=lambda row: at[row, 0])
        hop = hops[np.ix_(rows, rows)]
        width = int(hop[inner, outer])
        # In a grid the hops to both lid corners add up to the width plus twice the row.
        row = ((hop[inner] + hop[outer] - width) / 2).astype(int)
        column = (hop[inner] - row).astype(int)
        grid = np.empty((row.max() + 1, width + 1), np.int64)
        grid[row, column] = shell[rows]
        out[("upper" if at[:, 1].mean() > centre[1] else "lower") + ("-right" if right else "")] = grid
    return out


@cache
def lid_edges(base: Template) -> np.ndarray:
    """(n, 3) points along the front of both lids of the left eye in the template."""
    out = []
    for name in ("upper", "lower"):
        root = base.vertices[_lash_grids(base)[name][0]]
        along = np.linspace(0, len(root) - 1, 90)
        out.append(np.column_stack([np.interp(along, np.arange(len(root)), root[:, k]) for k in range(3)]))
    return np.concatenate(out) + np.array([0, 0, 0.0008])


def lash_surface(body: Body) -> Surface:
    vertices, pieces, uv, start = [], [], [], 0
    for name, grid in _lash_grids(body.template).items():
        rows, columns = grid.shape
        at = body.posed[grid]
        length = 0.8 if name.startswith("upper") else 0.55
        vertices.append((at[:1] + length * (at - at[:1])).reshape(-1, 3))
        across, along = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
        uv.append(np.stack([along + (2 if name.startswith("lower") else 0), across], axis=-1).reshape(-1, 2))
        index = np.arange(grid.size).reshape(grid.shape) + start
        quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1).reshape(-1, 4)
        pieces.append(triangles(quads if not name.endswith("right") else quads[:, ::-1]))
        start += grid.size
    colour = (linear(body.figure.hair_colour) * 0.12 + 0.003).astype(np.float32)
    strength = 1.0 if body.figure.presentation == "woman" else 0.6

    def albedo(hits: Hits) -> np.ndarray:
        return np.broadcast_to(colour, (len(hits["uv"]), 3))

    def opacity(hits: Hits) -> np.ndarray:
        along, across = hits["uv"].T
        lower, along = along > 1.5, along % 2
        hairs = 0.5 + 0.5 * np.cos(2 * np.pi * np.where(lower, 22, 34) * (along + 0.05 * across * (along - 0.4)))
        thin = np.clip(hairs - across * 0.9 + 0.25, 0, 1)
        ends = smoothstep(0, 0.2, along) * smoothstep(1.0, 0.92, along)
        return strength * np.where(lower, 0.45, 0.9) * thin * ends * (1 - across**3)

    faces = np.concatenate(pieces).astype(np.int32)
    labels = np.full(len(faces), CIHP.index("face"), np.uint8)
    material = Material(albedo, kind="hair", roughness=0.6, opacity=opacity)
    return Surface("lashes", np.concatenate(vertices), faces, material, labels, uv=np.concatenate(uv))

"""What makes a hoodie of a sweater: the hood lying on the shoulders, and its drawstrings."""

from __future__ import annotations

import numpy as np

from helpers.mannequin.cloth.collars import neck_edge
from helpers.mannequin.cloth.form import TRUNK, Form
from helpers.mannequin.cloth.patterns import FRONT
from helpers.mannequin.cloth.sheet import Sheet
from helpers.mannequin.cloth.simulate import Obstacles
from helpers.mannequin.cloth.trims import Edge, Mesh, fitted, sweep
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.mesh import unit, vertex_normals


def hood(sheet: Sheet, loop: np.ndarray, form: Form, body: Obstacles) -> Mesh:
    """A hood that is down: from the neckline ``loop`` (N,) int, vertices of ``sheet``, it rises round the neck, rolls over and lies on
    shoulders and back."""
    edge, along = neck_edge(sheet, loop, form, 0.10)
    t = np.abs(along) / np.abs(along).max()  # 0 in front, 1 behind
    beside = smoothstep(0.05, 0.45, t)
    behind = smoothstep(0.55, 1.0, t)
    wave = 0.5 * np.sin(23 * t + 1.2 * np.sign(along)) + 0.5 * np.sin(41 * t + 2.0)
    high = 0.014 + 0.040 * beside - 0.006 * behind + 0.0015 * wave
    puff = 0.010 + 0.018 * beside + 0.016 * behind + 0.0012 * wave
    fall = 0.024 + 0.040 * beside + 0.125 * behind + 0.002 * wave
    rows = [
        (0 * high - 0.004, 0 * high - 0.001),
        (0.35 * high, 0.001 + 0 * high),
        (0.75 * high, 0.002 + 0 * high),
        (high, 0.10 * puff),
        (high + 0.30 * puff, 0.35 * puff),
        (high + 0.22 * puff, 0.70 * puff),
        (high - 0.10 * fall, 0.95 * puff),
        (high - 0.35 * fall, 1.05 * puff),
        (high - 0.65 * fall, 0.95 * puff),
        (high - 0.90 * fall, 0.70 * puff),
        (high - fall, 0.40 * puff),
        (high - 0.96 * fall, 0.15 * puff),
        (high - 0.80 * fall, 0.10 * puff),
    ]
    mesh = sweep(edge, np.stack([np.stack(row, axis=1) for row in rows], axis=1))
    count = len(along)
    lift = np.array([0, 0, 0, 0, 0, 0, 0, 0.018, 0.016, 0.012, 0.006, 0.003, 0.002])
    lifts = (lift * np.minimum(1, (puff / 0.04))[:, None]).ravel()
    cloth = Obstacles(
        sheet.start, vertex_normals(sheet.start, sheet.faces), np.full(len(sheet.start), TRUNK), {TRUNK: (TRUNK,)}, 0.12
    )
    part = np.full(len(mesh.vertices), TRUNK)
    moved = lifts > 0
    mesh.vertices[moved] = cloth.push(mesh.vertices[moved], part[moved], lifts[moved])
    mesh.vertices = body.push(mesh.vertices, part, 0.002)
    grid = mesh.vertices.reshape(count, len(rows), 3)
    for _ in range(2):  # what was pushed apart closes again to round folds
        grid[:, 4:-3] = 0.5 * grid[:, 4:-3] + 0.25 * (np.roll(grid, 1, axis=0) + np.roll(grid, -1, axis=0))[:, 4:-3]
    mesh.normals = vertex_normals(mesh.vertices, mesh.faces)
    rim = np.full((count, len(rows)), 0.25)
    rim[:, 6:11] = np.stack([r[0] - (high - fall) for r in rows[6:11]], axis=1)
    mesh.attributes["hem"] = np.where(behind[:, None] < 0.2, rim, 0.25).ravel()
    return mesh


def drawstrings(sheet: Sheet, length: float = 0.21) -> list[Mesh]:
    """Two cords that hang ``length`` metres from the hood's front."""
    uv, vertex = sheet.uv, sheet.wedge_vertex
    mine = (sheet.wedge_panel == FRONT) & (np.abs(uv[:, 0]) < 0.08)
    high = uv[mine & (np.abs(uv[:, 0]) < 0.02) & sheet.lines["neck"][vertex], 1].mean()
    place = np.concatenate([sheet.start, vertex_normals(sheet.start, sheet.faces)], axis=1)[vertex[mine]]
    turn = np.linspace(0, 2 * np.pi, 7)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    out = []
    for side, end in ((0.024, length), (-0.022, length - 0.018)):
        share = np.linspace(0, 1, 40)
        flat = np.stack([side * (1 + 0.35 * share), high + 0.012 - end * share], axis=1)
        at = fitted(uv[mine], place, flat)
        normal = unit(at[:, 3:])
        thick = np.where(share > 0.93, 0.0040, 0.0027)  # tipped
        rise = 0.003 + 0.020 * (1 - smoothstep(0.0, 0.22, share))
        points = at[:, :3] + rise[:, None] * normal
        tangent = np.gradient(points, axis=0)
        tangent = unit(tangent)
        normal = unit(normal - np.einsum("ij,ij->i", normal, tangent)[:, None] * tangent)
        cord = sweep(Edge(points, np.cross(tangent, normal), normal), thick[:, None, None] * circle, closed=False)
        cord.attributes["trim"] = np.ones(len(cord.vertices))
        out.append(cord)
    return out

"""What is sewn flat onto a panel: the pocket of a hoodie, the flaps of jackets."""

from __future__ import annotations

import numpy as np

from helpers.mannequin.cloth.patterns import FRONT
from helpers.mannequin.cloth.sheet import Sheet
from helpers.mannequin.cloth.trims import Mesh, fitted
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.mesh import unit, vertex_normals


def patch(sheet: Sheet, panel: int, flat: np.ndarray, edge: np.ndarray, rise: np.ndarray) -> Mesh:
    """A piece of cloth on ``panel``: a grid at flat places ``flat`` (R, C, 2), rows upwards and columns along u, standing ``rise``
    (R, C) metres off the cloth below; ``edge`` (R, C): metres to its own edge, stitched along."""
    rows, columns = edge.shape
    mine = sheet.wedge_panel == panel
    mine &= ((sheet.uv > flat.min(axis=(0, 1)) - 0.03) & (sheet.uv < flat.max(axis=(0, 1)) + 0.03)).all(axis=1)
    place = np.concatenate([sheet.start, vertex_normals(sheet.start, sheet.faces)], axis=1)[sheet.wedge_vertex[mine]]
    at = fitted(sheet.uv[mine], place, flat.reshape(-1, 2))
    vertices = at[:, :3] + rise.ravel()[:, None] * unit(at[:, 3:])
    row, column = (index.ravel() for index in np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij"))
    a = row * columns + column
    faces = np.concatenate([np.stack([a, a + 1, a + columns + 1], axis=1), np.stack([a, a + columns + 1, a + columns], axis=1)])
    mesh = Mesh(vertices, faces.astype(np.int32), flat.reshape(-1, 2), vertex_normals(vertices, faces))
    mesh.attributes = {"panel": np.full(len(vertices), float(panel)), "hem": edge.ravel()}
    return mesh


def kangaroo_pocket(sheet: Sheet, band: float) -> Mesh:
    """The pocket across the front above the hem's ``band`` (metres wide), open along its slanting sides."""
    middle = (sheet.wedge_panel == FRONT) & (np.abs(sheet.uv[:, 0]) < 0.02)
    low, high = sheet.uv[middle & sheet.lines["hem"][sheet.wedge_vertex], 1].mean() + band + 0.004, 0.185
    up, across = np.linspace(0, 1, 27)[:, None], np.linspace(-1, 1, 35)
    half = 0.150 - 0.062 * smoothstep(0.22, 1.0, up)
    beside = half * (1 - np.abs(across))
    edge = np.minimum(beside, np.minimum(up, 1 - up) * high)
    rise = np.where(edge < 1e-9, -0.001, 0.0022 + 0.004 * smoothstep(0.0, 0.05, beside))
    return patch(sheet, FRONT, np.stack(np.broadcast_arrays(half * across, low + high * up), axis=-1), edge, rise)


def flap(sheet: Sheet, panel: int, x: float, height: float, width: float, depth: float) -> Mesh:
    """A pocket's flap on ``panel``: its middle at the template place (``x``, ``height``), ``width`` by ``depth`` metres, its lower
    corners rounded."""
    points = sheet.places[sheet.wedge_vertex]
    off = np.hypot(points[:, 0] - x, points[:, 1] - height) + 10.0 * (sheet.wedge_panel != panel)
    near = np.argsort(off)[:6]
    u, v = np.average(sheet.uv[near], axis=0, weights=1 / (off[near] + 1e-3))
    up, across = np.linspace(0, 1, 12)[:, None], np.linspace(-1, 1, 25)
    round_off = 0.25 * np.maximum(np.abs(across) - 0.8, 0) / 0.2
    lift = (1 - up) * round_off**2 * depth
    y = v + (up - 0.5) * depth + lift
    flat = np.stack(np.broadcast_arrays(u + width / 2 * across, y), axis=-1)
    edge = np.minimum((1 - np.abs(across)) * width / 2, up * depth)
    rise = np.where((edge < 1e-9) | (up > 0.999), -0.0008, 0.0022 + 0.0015 * (1 - up) + 0 * across)
    return patch(sheet, panel, flat, edge, rise)

"""What closes a garment at the neck and down the front: stand and leaf of a shirt collar, turtlenecks, plackets, buttons."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from helpers.mannequin.cloth.form import TRUNK, Form
from helpers.mannequin.cloth.patterns import FRONT
from helpers.mannequin.cloth.sheet import Sheet
from helpers.mannequin.cloth.simulate import Obstacles
from helpers.mannequin.cloth.trims import Edge, Mesh, compact, fitted, join, sweep
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.mesh import unit, vertex_normals

_GAP = 0.006  # metres between the two leaves' front edges and the middle
PLACKET = 0.017  # half its width


def neck_edge(sheet: Sheet, loop: np.ndarray, form: Form, lean: float) -> tuple[Edge, np.ndarray]:
    """The neckline as an edge that stands up round the neck, leaning in by ``lean`` radians, centre front first; and (N,) metres
    along it from there, negative on one half."""
    front = np.argmin(np.abs(sheet.rest[loop, 0]) - 10 * (sheet.rest[loop, 2] > sheet.rest[loop, 2].mean()))
    points = gaussian_filter1d(sheet.start[np.roll(loop, -front)], 2.5, axis=0, mode="wrap")
    joints = form.body.joints
    axis = joints["head"] - joints["neck01"]
    axis = axis / np.linalg.norm(axis) + np.array([0, 0.6, 0])
    axis /= np.linalg.norm(axis)
    inward = points.mean(axis=0) - points
    inward -= (inward @ axis)[:, None] * axis
    inward = unit(inward)
    up = np.cos(lean) * axis + np.sin(lean) * inward
    tangent = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    tangent = unit(tangent)
    up -= np.einsum("ij,ij->i", up, tangent)[:, None] * tangent
    up = unit(up)
    edge = Edge(points, up, np.cross(up, tangent))
    along = edge.along
    return edge, np.where(along[:-1] > along[-1] / 2, along[:-1] - along[-1], along[:-1])


def turtleneck(sheet: Sheet, loop: np.ndarray, form: Form, obstacles: list[Obstacles], height: float = 0.058) -> Mesh:
    """A folded tube of rib round the neck."""
    edge, _ = neck_edge(sheet, loop, form, 0.34)
    profile = np.array(
        [
            (0.010, 0.0035), (0.011, 0.0065), (0.020, 0.0082), (0.5 * height, 0.0085), (0.9 * height, 0.0078),
            (height, 0.0055), (height * 1.01, 0.003), (0.97 * height, 0.0005), (0.4 * height, 0.0), (-0.004, -0.0005),
        ]
    )  # fmt: skip
    outer = sweep(edge, profile)
    base = sweep(edge, np.array([(-0.006, 0.001), (0.004, 0.0025), (0.020, 0.004)]))
    return _clear(join([outer, base]), obstacles, 0.0015)


def shirt_collar(sheet: Sheet, loop: np.ndarray, form: Form, obstacles: list[Obstacles]) -> list[Mesh]:
    """Stand and leaf of a buttoned collar."""
    edge, along = neck_edge(sheet, loop, form, 0.24)
    half = np.abs(along).max()
    back = smoothstep(0.35 * half, half, np.abs(along))
    high = 0.026 + 0.008 * back
    stand = np.stack(
        [
            np.stack([np.full_like(high, a) + b * high, np.full_like(high, c)], axis=1)
            for a, b, c in ((-0.005, 0, 0.0008), (0.0, 0, 0.0022), (0, 0.5, 0.0022), (-0.002, 1, 0.002), (0, 1, 0.0004),
                            (-0.002, 1, -0.0012), (0, 0.5, -0.0014), (-0.005, 0, -0.0012))
        ],
        axis=1,
    )  # fmt: skip
    meshes = [_clear(sweep(edge, stand), obstacles, 0.001)]

    drop = 0.044 + 0.026 * np.exp(-((np.abs(along) - _GAP).clip(0) / 0.030))
    slope = 0.42 + 0.30 * np.exp(-(((np.abs(along) - 0.5 * half) / (0.28 * half)) ** 2))
    rows = []
    for part, out in ((1.0, 0.0), (1.0, 0.0016), (0.75, 0.0022), (0.5, 0.0024), (0.25, 0.0022), (0.05, 0.0016), (0.0, 0.0)):
        fall = part * drop
        rows.append(np.stack([high + 0.002 - np.cos(slope) * fall, 0.003 + out + np.sin(slope) * fall], axis=1))
    rows.append(np.stack([high - 0.001, np.full_like(high, 0.0005)], axis=1))
    leaf = sweep(edge, np.stack(rows, axis=1), share=np.abs(along) > _GAP)
    # The points spread: further down, further from the middle.
    tangent = np.cross(edge.normal, edge.out)
    count = len(rows)
    share = np.tile([1.0, 1.0, 0.75, 0.5, 0.25, 0.05, 0, 0], len(along))[:, None]
    side = np.repeat(np.sign(along) * np.exp(-((np.abs(along) - _GAP).clip(0) / 0.05)), count)[:, None]
    leaf.vertices = leaf.vertices + 0.020 * share * side * np.repeat(tangent, count, axis=0)
    cloth = Obstacles(
        sheet.start, vertex_normals(sheet.start, sheet.faces), np.full(len(sheet.start), TRUNK), {TRUNK: (TRUNK,)}, 0.05
    )
    lift = np.repeat(np.array([0.0015, 0.003, 0.003, 0.003, 0.003, 0.002, 0.001, 0.001])[None], len(along), axis=0).ravel()
    leaf.vertices = cloth.push(leaf.vertices, np.full(len(leaf.vertices), TRUNK), lift)
    leaf.normals = vertex_normals(leaf.vertices, leaf.faces)
    edge_distance = np.minimum(drop.repeat(count) * (1 - share.ravel()), (np.abs(along) - _GAP).clip(0).repeat(count))
    leaf.attributes["hem"] = edge_distance
    return [*meshes, compact(leaf)]


def _clear(mesh: Mesh, obstacles: list[Obstacles], distance: float) -> Mesh:
    """``mesh`` pushed out of the body."""
    mesh.vertices = obstacles[0].push(mesh.vertices, np.full(len(mesh.vertices), TRUNK), distance)
    mesh.normals = vertex_normals(mesh.vertices, mesh.faces)
    return mesh


def placket(sheet: Sheet, length: float = np.inf, spacing: float = 0.088) -> list[Mesh]:
    """The strip down the middle of the front, to the hem or ``length`` metres long, and its buttons ``spacing`` metres apart."""
    uv, vertex = sheet.uv, sheet.wedge_vertex
    mine = (sheet.wedge_panel == FRONT) & (np.abs(uv[:, 0]) < 0.06)
    normals = vertex_normals(sheet.start, sheet.faces)
    place = np.concatenate([sheet.start, normals], axis=1)[vertex[mine]]
    middle = mine & (np.abs(uv[:, 0]) < 0.02)
    low = uv[middle & sheet.lines["hem"][vertex], 1].mean()
    high = uv[middle & sheet.lines["neck"][vertex], 1].mean()
    low = max(low, high - length)
    across = np.array([-1.0, -0.97, -0.5, 0, 0.5, 0.97, 1.0]) * PLACKET
    rise = np.array([-0.0008, 0.0016, 0.0019, 0.0019, 0.0019, 0.0016, -0.0008])
    down = np.linspace(high, low, max(int((high - low) / 0.008), 4))
    flat = np.stack(np.meshgrid(down, across, indexing="ij")[::-1], axis=-1)
    at = fitted(uv[mine], place, flat.reshape(-1, 2))
    normal = unit(at[:, 3:])
    vertices = at[:, :3] + np.tile(rise, len(down))[:, None] * normal
    row, column = (index.ravel() for index in np.meshgrid(np.arange(len(down) - 1), np.arange(6), indexing="ij"))
    a = row * 7 + column
    faces = np.concatenate([np.stack([a, a + 7, a + 8], axis=1), np.stack([a, a + 8, a + 1], axis=1)]).astype(np.int32)
    strip = Mesh(vertices, faces, flat.reshape(-1, 2), vertex_normals(vertices, faces))
    strip.attributes = {"panel": np.full(len(vertices), float(FRONT)), "hem": PLACKET - np.abs(flat[..., 0].ravel())}
    first, last = (0.05, 0.05) if np.isinf(length) else (spacing / 2, spacing / 4)
    heights = np.arange(high - first, low + last, -spacing)
    spots = fitted(uv[mine], place, np.stack([np.zeros_like(heights), heights], axis=1))
    return [strip, *(button(spot[:3], spot[3:]) for spot in spots)]


def button(place: np.ndarray, normal: np.ndarray, radius: float = 0.0056) -> Mesh:
    """A round button lying on the cloth at ``place`` (3,), 4 mm proud with its placket."""
    normal = normal / np.linalg.norm(normal)
    side = np.cross([0.0, 1.0, 0.0], normal)
    side /= np.linalg.norm(side)
    up = np.cross(normal, side)
    turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)[:, None]
    circle = np.cos(turn) * side + np.sin(turn) * up
    rings = ((1.0, 0.0012), (1.0, 0.0036), (0.88, 0.0044), (0.7, 0.0040), (0.3, 0.0036))
    vertices = np.concatenate([*(place + radius * r * circle + h * normal for r, h in rings), [place + 0.0034 * normal]])
    k, after = np.arange(14), (np.arange(14) + 1) % 14
    pieces = []
    for ring in range(len(rings) - 1):
        a, b, c, d = ring * 14 + k, ring * 14 + after, (ring + 1) * 14 + after, (ring + 1) * 14 + k
        pieces += [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
    last = (len(rings) - 1) * 14
    pieces.append(np.stack([last + k, last + after, np.full(14, len(vertices) - 1)], axis=1))
    faces = np.concatenate(pieces).astype(np.int32)
    mesh = Mesh(vertices, faces, vertices[:, :2] * 0.1, vertex_normals(vertices, faces))
    mesh.attributes = {"trim": np.ones(len(vertices))}
    return mesh

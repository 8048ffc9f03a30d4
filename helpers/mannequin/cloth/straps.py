"""Tops that hang from thin straps: the line along which they end above the bust, and the straps over the shoulders."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from helpers.mannequin.cloth.clip import Cut, Field
from helpers.mannequin.cloth.form import TRUNK
from helpers.mannequin.cloth.patterns import cut_bodice, is_arm
from helpers.mannequin.cloth.sheet import Sheet
from helpers.mannequin.cloth.simulate import Obstacles
from helpers.mannequin.cloth.trims import Edge, Mesh, sweep
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.mesh import neighbour_mean, unit, vertex_normals

DIPS = {"v": 0.055, "scoop": 0.022, "square": 0.0}
"""Metres by which the upper edge falls between the breasts, by neckline."""
_FRONT, _BACK = 0.088, 0.075  # template distance of a strap's ends from the middle
_PEAK, _SIDE, _BEHIND = 1.318, 1.215, 1.235  # template heights of the upper edge at the straps, under the arms, behind
_WIDTH, _SIDES = 0.009, 6  # metres; corners of its section, 1 to 3 on the upper side
_BUST, _ROUNDS = 1.265, 40  # template height; passes of smoothing, some 4 cm


def upper_edge(dip: float) -> Field:
    """Positive below the upper edge of a top on straps."""

    def field(points: np.ndarray) -> np.ndarray:
        x = np.abs(points[:, 0])
        middle = _PEAK - dip * np.maximum(1 - x / _FRONT, 0) ** 0.9
        front = middle - (_PEAK - _SIDE) * smoothstep(_FRONT, 0.175, x)
        behind = _BEHIND - (_BEHIND - _SIDE) * smoothstep(_BACK, 0.16, x)
        edge = behind + (front - behind) * smoothstep(-0.02, 0.05, points[:, 2])
        return np.where(is_arm(points, -0.02), -0.1, edge - points[:, 1])

    return field


@lru_cache(maxsize=8)
def cut_camisole(hem: float, neckline: str) -> Cut:
    """A top that ends above the bust, to hang from straps: ``hem`` height, ``neckline`` one of ``DIPS``."""
    return cut_bodice(hem, upper_edge(DIPS[neckline]))


def bridge_bust(sheet: Sheet) -> None:
    """Rounds ``sheet`` over the bust, as taut cloth does, outside of where it lay."""
    at, normals = sheet.places, vertex_normals(sheet.start, sheet.faces)
    share = np.exp(-(((at[:, 1] - _BUST) / 0.055) ** 2)) * smoothstep(0.06, 0.11, at[:, 2])
    share *= smoothstep(0.0, 0.03, sheet.distance("neck"))
    mean = neighbour_mean(sheet.faces, len(at))
    round_ = sheet.start
    for _ in range(_ROUNDS):
        round_ = mean @ round_
    peak = np.maximum(np.einsum("ij,ij->i", sheet.start - round_, normals), 0)
    rows = np.flatnonzero(share > 0.01)
    near = cKDTree(sheet.start[rows]).query_ball_point(sheet.start[rows], 0.03)
    lift = np.zeros(len(at))
    lift[rows] = [peak[rows[found]].max() for found in near]
    for _ in range(_ROUNDS):
        lift = mean @ lift
    sheet.start = sheet.start + share[:, None] * (round_ + lift[:, None] * normals - sheet.start)


def straps(sheet: Sheet, loop: np.ndarray, body: Obstacles) -> list[Mesh]:
    """A strap over each shoulder, taut on the ``body`` between the upper edge ``loop`` (N,) int in front and behind."""
    at, ahead = sheet.places[loop], sheet.places[loop, 2] > 0.02
    out = []
    for sign in (1, -1):
        front, back = (
            sheet.start[loop[np.argmin(np.abs(at[:, 0] - sign * x) + 10 * ~mine)]]
            for x, mine in ((_FRONT, ahead), (_BACK, ~ahead))
        )
        out.append(_strap(front, back, body))
    return out


def with_straps(cloth: Obstacles, straps: list[Mesh]) -> Obstacles:
    """What the next layer meets: the ``cloth`` and the upper sides of its ``straps``."""
    points, normals = (
        np.concatenate([values.reshape(-1, _SIDES, 3)[:, 1:4].reshape(-1, 3) for values in of])
        for of in ([mesh.vertices for mesh in straps], [mesh.normals for mesh in straps])
    )
    part = np.concatenate([cloth.part[:-1], np.full(len(points), TRUNK)])
    both = np.concatenate([cloth.points[:-1], points]), np.concatenate([cloth.normals[:-1], normals])
    return Obstacles(*both, part, cloth.meets, cloth.reach)


def _strap(front: np.ndarray, back: np.ndarray, body: Obstacles) -> Mesh:
    share = np.linspace(0, 1, 12)[:, None]
    points = front + share * (back - front) + 0.2 * np.sin(np.pi * share) * [0, 1, 0]
    for count in (12, 24, 48):  # shortens like an elastic on the body, coarse to fine
        finer = np.linspace(0, 1, count)
        points = np.stack([np.interp(finer, np.linspace(0, 1, len(points)), column) for column in points.T], axis=1)
        part = np.full(count, TRUNK)
        for _ in range(80):
            points[1:-1] = 0.25 * points[:-2] + 0.5 * points[1:-1] + 0.25 * points[2:]
            points[1:-1] = body.push(points[1:-1], part[1:-1], 0.0025)
    normal = body.planes(points, part)[1]
    for _ in range(3):
        normal[1:-1] = 0.25 * normal[:-2] + 0.5 * normal[1:-1] + 0.25 * normal[2:]
    tangent = np.gradient(points, axis=0)
    tangent = unit(tangent)
    normal -= np.einsum("ij,ij->i", normal, tangent)[:, None] * tangent
    normal = unit(normal)
    half, thick = _WIDTH / 2, 0.0022
    profile = np.array(
        [(-half, -0.001), (-half, 0.7 * thick), (0, thick), (half, 0.7 * thick), (half, -0.001), (-half, -0.001)]
    )
    mesh = sweep(Edge(points, np.cross(tangent, normal), normal), profile, closed=False)
    mesh.normals = vertex_normals(mesh.vertices, mesh.faces)
    return mesh

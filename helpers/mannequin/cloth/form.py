"""The dress form: the hull of one body with room for cloth, on which garments get their size before they are draped.

Trunk, arms and legs are tubes. Round each, the support function of the cross-sections bridges hollows as taut cloth does; ease
widens it, and what hangs from above keeps its width further down. Support functions: Schneider, "Convex Bodies", 1993.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from helpers.mannequin.body.figure import Body
from helpers.mannequin.body.template import Template
from helpers.mannequin.mesh import refine_quads, unique_edges, unit, vertex_normals

TRUNK, LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG = range(5)
MEETS = {
    TRUNK: (TRUNK, LEFT_LEG, RIGHT_LEG),
    LEFT_ARM: (LEFT_ARM,),
    RIGHT_ARM: (RIGHT_ARM,),
    LEFT_LEG: (TRUNK, LEFT_LEG),
    RIGHT_LEG: (TRUNK, RIGHT_LEG),
}
_ANGLES = np.linspace(-np.pi, np.pi, 48, endpoint=False)
_STEP = 0.01  # metres between the sections of a tube

# Template landmarks, metres above the soles.
CROTCH, WAIST, ARMPIT, SHOULDER = 0.775, 1.15, 1.25, 1.36
ANKLE = 0.075


@dataclass(frozen=True)
class Ease:
    """Room between body and cloth in metres all round, and how cloth falls from the widest place above.

    ``*_taper``: how much a tube may narrow per metre below its widest section (0 falls straight, large follows the body);
    ``cuff`` and ``hem``: room where sleeve or trunk end in a band that gathers them, ``None`` for open ends; ``band``: its width;
    ``leg_flare``: metres by which a leg widens per metre below the crotch, less on its inner side;
    ``leg_end``: template height down to which legs are drawn that are cut shorter.
    """

    trunk: float = 0.012
    arm: float = 0.010
    leg: float = 0.010
    trunk_taper: float = 0.12
    arm_taper: float = 0.12
    leg_taper: float = 0.08
    cuff: float | None = None
    hem: float | None = None
    band: float = 0.05
    leg_flare: float = 0.0
    leg_end: float | None = None


def armhole(points: np.ndarray) -> np.ndarray:
    """(N,) template distance outside the plane in which the sleeve is set in; arms are positive."""
    below = 1.235 - points[:, 1]
    # Upwards nearly upright through the shoulder, downwards half way between trunk and hanging arm.
    edge = 0.163 - 0.05 * np.minimum(below, 0) + 0.5 * np.maximum(below, 0)
    return np.abs(points[:, 0]) - edge


class Curve:
    """A smooth curve through joints, and coordinates round it: along (metres from the first joint), radius and angle."""

    def __init__(self, joints: np.ndarray, front: np.ndarray, before: float = 0.12, after: float = 0.12) -> None:
        a, b, c = joints
        t = np.linspace(0, 1, 60)[:, None]
        control = b + 0.5 * (b - (a + c) / 2)  # the curve passes near the middle joint without a kink
        arc = (1 - t) ** 2 * a + 2 * t * (1 - t) * control + t**2 * c
        start, end = arc[0] - arc[1], arc[-1] - arc[-2]
        start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
        lead = arc[0] + start * np.linspace(before, 0.003, 30)[:, None]
        tail = arc[-1] + end * np.linspace(0.003, after, 30)[:, None]
        self.points = np.concatenate([lead, arc, tail])
        step = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        self.along = np.concatenate([[0], np.cumsum(step)])
        self.along -= self.along[len(lead)]
        self.length = self.along[len(lead) + len(arc) - 1]
        self.tangent = np.gradient(self.points, axis=0)
        self.tangent = unit(self.tangent)
        self.front = front - self.tangent * (self.tangent @ front)[:, None]
        self.front = unit(self.front)
        self.side = np.cross(self.front, self.tangent)
        self._tree = cKDTree(self.points)

    def locate(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """-> along (N,), radius (N,), angle (N,) (0 = front, positive towards ``side``), outward unit vectors (N, 3)."""
        near = self._tree.query(points)[1]
        offset = points - self.points[near]
        ahead = np.einsum("ij,ij->i", offset, self.tangent[near])
        radial = offset - ahead[:, None] * self.tangent[near]
        radius = np.linalg.norm(radial, axis=1)
        angle = np.arctan2(np.einsum("ij,ij->i", radial, self.side[near]), np.einsum("ij,ij->i", radial, self.front[near]))
        return self.along[near] + ahead, radius, angle, radial / np.maximum(radius, 1e-9)[:, None]


def arm_curve(joints: dict[str, np.ndarray], side: str) -> Curve:
    """The curve along an arm, ``side`` is "L" or "R"; its angle 0 faces front, +90 degrees up on the left arm."""
    chain = np.stack([joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01", "wrist")])
    return Curve(chain, np.array([0.0, 0, 1]))


class Support:
    """Convex sections of a tube: ``table`` (T, A), the distance of the supporting line at each angle, from ``first`` on."""

    def __init__(self, along: np.ndarray, radius: np.ndarray, angle: np.ndarray, smooth: float = 1.5) -> None:
        self.first = float(along.min())
        count = int((along.max() - self.first) / _STEP) + 2
        reach = radius[:, None] * np.cos(angle[:, None] - _ANGLES)
        table = np.full((count, len(_ANGLES)), -np.inf)
        place = (along - self.first) / _STEP
        for shift in (0, 1):
            row = np.clip(np.floor(place).astype(int) + shift, 0, count - 1)
            order = np.argsort(row, kind="stable")
            starts = np.flatnonzero(np.diff(row[order], prepend=-1))
            best = np.maximum.reduceat(reach[order], starts, axis=0)
            table[row[order][starts]] = np.maximum(table[row[order][starts]], best)
        good = np.isfinite(table[:, 0])
        rows = np.arange(count)
        table = np.stack([np.interp(rows, rows[good], column[good]) for column in table.T], axis=1)
        self.table = gaussian_filter1d(table, smooth, axis=0, mode="nearest")

    @property
    def along(self) -> np.ndarray:
        """(T,) where the sections lie."""
        return self.first + _STEP * np.arange(len(self.table))

    def row(self, along: float) -> int:
        """The section of the table nearest to ``along``."""
        return int(np.clip(round((along - self.first) / _STEP), 0, len(self.table) - 1))

    def radius(self, along: np.ndarray, angle: np.ndarray, table: np.ndarray | None = None) -> np.ndarray:
        """(N,) how far the section reaches at ``angle`` (N,) of ``along`` (N,)."""
        table = self.table if table is None else table
        place = np.clip((along - self.first) / _STEP, 0, len(table) - 1.001)
        row = place.astype(int)
        share = (place - row)[:, None]
        lines = table[row] * (1 - share) + table[row + 1] * share
        turn = np.cos(angle[:, None] - _ANGLES)
        return np.where(turn > 0.25, lines / np.maximum(turn, 0.25), np.inf).min(axis=1)

    def girth(self, along: float) -> float:
        """Circumference of the convex section at ``along``: the integral of the support function."""
        return float(self.table[self.row(along)].sum() * 2 * np.pi / len(_ANGLES))


def hang(table: np.ndarray, taper: np.ndarray | float, start: int, step: int) -> np.ndarray:
    """``table`` (T, A) with each section from row ``start`` on (in direction ``step``) at most ``taper`` per metre narrower than
    the one before."""
    out = table.copy()
    taper = np.broadcast_to(taper, (len(table),))
    row = start + step
    while 0 <= row < len(out):
        np.maximum(out[row], out[row - step] - taper[row] * _STEP, out=out[row])
        row += step
    return out


@dataclass(frozen=True, eq=False)
class Hull:
    """The refined hull in template coordinates: matrix from template vertices, triangles, quads, and the part of each vertex."""

    matrix: sparse.csr_matrix
    faces: np.ndarray
    points: np.ndarray
    part: np.ndarray
    weights: sparse.csr_matrix


def hull(template: Template) -> Hull:
    """The body's hull after one subdivision, parted into trunk, arms and legs."""
    shell = template.tights
    quads = np.searchsorted(shell.indices, template.quads["tights"])
    matrix, quads, _ = refine_quads(quads, len(shell.indices))
    points = matrix @ template.vertices[shell.indices]
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    arms = matrix @ template.region("upperarm", "lowerarm", "wrist", "metacarpal", "finger", "shoulder")[shell.indices]
    part = np.zeros(len(points), np.int64)
    left = points[:, 0] > 0
    arm = (armhole(points) > 0) & (arms > 0.3)
    part[arm] = np.where(left[arm], LEFT_ARM, RIGHT_ARM)
    leg = points[:, 1] < CROTCH
    part[leg] = np.where(left[leg], LEFT_LEG, RIGHT_LEG)
    return Hull(matrix, faces, points, part, matrix @ template.weights[shell.indices])


def _outside(body: Body, base: Hull, rest: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(V,) how far the skin stands out of the hull, in metres: at collarbones, shoulder blades, knees."""
    skin = body.rest[body.template.shells["skin"].indices]
    skin = skin[skin[:, 1] < body.rest_joints["head"][1]]
    near = cKDTree(rest).query(skin, distance_upper_bound=0.03)[1]
    good = near < len(rest)
    skin, near = skin[good], near[good]
    above = np.zeros(len(rest))
    np.maximum.at(above, near, np.einsum("ij,ij->i", skin - rest[near], normals[near]))
    edges = unique_edges(base.faces)
    wide = above.copy()
    for a, b in (edges.T, edges.T[::-1]):
        np.maximum.at(wide, a, above[b])
    return np.minimum(wide, 0.015)


class Form:
    """The tubes of one body at rest."""

    def __init__(self, body: Body, base: Hull) -> None:
        self.body, self.hull = body, base
        shell = body.template.tights
        rest = base.matrix @ body.rest[shell.indices]
        normals = vertex_normals(rest, base.faces)
        self.rest = rest + _outside(body, base, rest, normals)[:, None] * normals

    @cached_property
    def joints(self) -> dict[str, np.ndarray]:
        return self.body.rest_joints

    @cached_property
    def arms(self) -> dict[int, Curve]:
        return {LEFT_ARM: arm_curve(self.joints, "L"), RIGHT_ARM: arm_curve(self.joints, "R")}

    @cached_property
    def arm_support(self) -> dict[int, Support]:
        out = {}
        for part, curve in self.arms.items():
            along, radius, angle, _ = curve.locate(self.rest[self.hull.part == part])
            out[part] = Support(along, radius, angle)
        return out

    @cached_property
    def trunk_centre(self) -> np.ndarray:
        """(3,) a vertical axis through the trunk."""
        trunk = self.rest[(self.hull.part == TRUNK) & (self.hull.points[:, 1] < ARMPIT)]
        return np.array([0.0, 0.0, trunk[:, 2].mean()])

    def trunk_coordinates(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """As :meth:`Curve.locate` for the vertical axis of the trunk; along is the height."""
        radial = (points - self.trunk_centre) * [1, 0, 1]
        radius = np.linalg.norm(radial, axis=1)
        return points[:, 1], radius, np.arctan2(radial[:, 0], radial[:, 2]), radial / np.maximum(radius, 1e-9)[:, None]

    @cached_property
    def trunk_support(self) -> Support:
        legs = np.isin(self.hull.part, (LEFT_LEG, RIGHT_LEG)) & (self.hull.points[:, 1] > 0.45)
        rows = (self.hull.part == TRUNK) | legs
        along, radius, angle, _ = self.trunk_coordinates(self.rest[rows])
        return Support(along, radius, angle)

    @cached_property
    def legs(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Part -> heights (T,) and centres (T, 2) in x and z of the leg's horizontal sections."""
        out = {}
        for part in (LEFT_LEG, RIGHT_LEG):
            points = self.rest[(self.hull.part == part) & (self.hull.points[:, 1] > ANKLE)]
            row = ((points[:, 1] - points[:, 1].min()) / 0.02).astype(int)
            count = np.bincount(row)
            heights = points[:, 1].min() + 0.02 * (np.arange(len(count)) + 0.5)
            # The middle of the box is steadier than the mean of unevenly spaced vertices.
            order = np.argsort(row, kind="stable")
            starts = np.flatnonzero(np.diff(row[order], prepend=-1))
            low = np.minimum.reduceat(points[order], starts, axis=0)
            high = np.maximum.reduceat(points[order], starts, axis=0)
            centre = gaussian_filter1d((low + high)[:, [0, 2]] / 2, 3, axis=0, mode="nearest")
            out[part] = heights[np.unique(row)], centre
        return out

    def leg_coordinates(self, points: np.ndarray, part: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """As :meth:`Curve.locate`, with along measured upwards."""
        heights, centre = self.legs[part]
        at = np.stack([np.interp(points[:, 1], heights, c) for c in centre.T], axis=1)
        radial = np.zeros_like(points)
        radial[:, [0, 2]] = points[:, [0, 2]] - at
        radius = np.linalg.norm(radial, axis=1)
        return points[:, 1], radius, np.arctan2(radial[:, 0], radial[:, 2]), radial / np.maximum(radius, 1e-9)[:, None]

    @cached_property
    def leg_support(self) -> dict[int, Support]:
        out = {}
        for part in (LEFT_LEG, RIGHT_LEG):
            rows = (self.hull.part == part) & (self.hull.points[:, 1] > ANKLE - 0.02)
            along, radius, angle, _ = self.leg_coordinates(self.rest[rows], part)
            out[part] = Support(along, radius, angle)
        return out

    def height(self, template_height: float) -> float:
        """The rest height of what lies at ``template_height`` in the template, from the trunk's and legs' own vertices."""
        return float(np.interp(template_height, *self._heights))

    def heights(self, template_heights: np.ndarray | float) -> np.ndarray:
        """As :meth:`height` for an array."""
        return np.interp(template_heights, *self._heights)

    @cached_property
    def _heights(self) -> tuple[np.ndarray, np.ndarray]:
        rows = ~np.isin(self.hull.part, (LEFT_ARM, RIGHT_ARM))
        at, to = self.hull.points[rows, 1], self.rest[rows, 1]
        row = (at / 0.02).astype(int)
        count = np.bincount(row)
        used = count > 0
        return (np.bincount(row, at)[used] / count[used]), (np.bincount(row, to)[used] / count[used])

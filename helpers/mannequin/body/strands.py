"""Hairstyles as strands: roots on the scalp, combed, hung, gathered or coiled, kept off head, face and shoulders.

Everything is done in head space: the template's coordinates round the head, to which the posed head is mapped by the affine transform
that fits best. A parting or a bun is then at the same place of every head, and gravity points where the world's does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from helpers.mannequin.body.figure import Body
from helpers.mannequin.body.template import Template
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.mesh import unit, vertex_normals
from helpers.mannequin.surface import Surface

AXIS = np.array([0.0, 1.56, 0.055])
"""Middle of the skull in head space, metres."""
CROWN = 1.666
_SIDE, _UP, _AHEAD = np.eye(3)

# The hairline: height over the angle round the head, degrees from the front (0) over the ear (90) to the nape (180).
_LINE_ANGLES = np.radians([0, 18, 32, 44, 55, 61, 67, 74, 82, 90, 100, 112, 126, 145, 180])
_LINE = {
    "woman": np.array(
        [1.624, 1.626, 1.622, 1.608, 1.588, 1.575, 1.560, 1.544, 1.537, 1.553, 1.556, 1.540, 1.520, 1.500, 1.490]
    ),
    "man": np.array([1.622, 1.626, 1.627, 1.611, 1.586, 1.570, 1.552, 1.534, 1.522, 1.550, 1.556, 1.538, 1.514, 1.494, 1.486]),
}


@dataclass(frozen=True)
class Strands:
    """``points`` (N, K, 3) in head space from root to tip; ``width`` (N,) metres of the ribbon; ``layer`` (N,) 0 innermost .. 1;
    ``clump`` (N,) int; ``soft`` (N,) 0..1, how far the root fades in (hairline, parting); ``twist`` (N,) or a number, radians that
    ribbons turn out of the style's surface; ``core`` (N, K, 3): the middle of the volume each place belongs to, else the skull."""

    points: np.ndarray
    width: np.ndarray
    layer: np.ndarray
    clump: np.ndarray
    soft: np.ndarray
    twist: np.ndarray | float = 0.18
    core: np.ndarray | None = None

    @property
    def outward(self) -> np.ndarray:
        """(N, K, 3) unit, away from the middle of the volume: the skull, below it a vertical axis."""
        if self.core is not None:
            return unit(self.points - self.core)
        return unit(self.points - skull_core(self.points))

    def joined(self, other: Strands) -> Strands:
        """Both, resampled to the larger number of points."""
        count = max(self.points.shape[1], other.points.shape[1])
        pairs = [(getattr(self, name), getattr(other, name)) for name in ("width", "layer", "soft")]
        width, layer, soft = (np.concatenate(pair) for pair in pairs)
        core = np.concatenate([_stretch(p.core if p.core is not None else skull_core(p.points), count) for p in (self, other)])
        twist = np.concatenate([np.broadcast_to(part.twist, len(part.width)) for part in (self, other)])
        clump = np.concatenate([self.clump, other.clump + self.clump.max() + 1])
        points = np.concatenate([resample_strands(self.points, count), resample_strands(other.points, count)])
        return Strands(points, width, layer, clump, soft, twist, core)


def skull_core(points: np.ndarray) -> np.ndarray:
    """(..., 3) what hair at ``points`` lies round: the middle of the skull, below it a point on the vertical through it."""
    core = np.broadcast_to(AXIS, points.shape).copy()
    core[..., 1] += np.minimum(0.75 * (points[..., 1] - AXIS[1]), 0)
    return core


def _stretch(values: np.ndarray, count: int) -> np.ndarray:
    """(N, K, 3) interpolated to ``count`` places."""
    at = np.linspace(0, values.shape[1] - 1, count)
    low = np.minimum(at.astype(int), values.shape[1] - 2)
    share = (at - low)[:, None]
    return values[:, low] * (1 - share) + values[:, low + 1] * share


def around(points: np.ndarray) -> np.ndarray:
    """(...,) angle round the head in radians: 0 in front, pi at the nape, both sides alike."""
    return np.arctan2(np.abs(points[..., 0]), points[..., 2] - AXIS[2])


def above_hairline(points: np.ndarray, presentation: str, age: int) -> np.ndarray:
    """(...,) metres above the hairline in head space; temples recede with a man's age."""
    angle = around(points)
    line = np.interp(angle, _LINE_ANGLES, _LINE[presentation])
    if presentation == "man":
        back = np.clip((age - 32) / 45, 0, 1) * 0.024
        line = line + back * np.exp(-(((angle - np.radians(34)) / np.radians(20)) ** 2))
    return points[..., 1] - line


class Head:
    """A posed head and what hair meets around it, in head space."""

    def __init__(self, body: Body, clothes: Sequence[Surface] = ()):
        base = body.template
        self.body, self.base = body, base
        skull = _skull(base)
        design = np.column_stack([base.vertices[skull], np.ones(len(skull))])
        self.affine = np.linalg.lstsq(design, body.posed[skull], rcond=None)[0]  # (4, 3) head space -> world
        self.inverse = np.linalg.inv(self.affine[:3])
        down = np.array([0, -1.0, 0]) @ self.inverse
        self.down = down / np.linalg.norm(down)
        upper = _upper(base)
        points = self.to_head(body.posed[upper.rows])
        normals = vertex_normals(points, upper.faces)
        # Room for cloth that is not there yet, or the cloth itself.
        cover = np.where(upper.dressed & (not clothes), 0.013, 0.0)
        for cloth in clothes:
            at, facing = self._outside(cloth, points[: len(upper.rows)], normals[: len(upper.rows)])
            points, normals = np.concatenate([points, at]), np.concatenate([normals, facing])
            cover = np.concatenate([cover, np.full(len(at), 0.003)])
        self._points, self._normals, self._cover = points, normals, cover
        self._tree = cKDTree(points)

    def _outside(self, cloth: Surface, skin: np.ndarray, skin_normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places and normals in head space of the outer face of ``cloth`` as far as hair reaches, thinned out."""
        points = self.to_head(cloth.vertices)
        near = np.flatnonzero((points[:, 1] > 0.95) & (np.abs(points[:, 0]) < 0.3))
        near = near[:: max(1, len(near) // 9000)]
        points, facing = points[near], unit(cloth.smooth_normals()[near] @ np.linalg.inv(self.inverse))
        if not len(near):
            return points, facing
        away = skin_normals[cKDTree(skin).query(points)[1]]
        outer = np.einsum("ij,ij->i", facing, away) > 0.1
        return points[outer], facing[outer]

    def to_head(self, points: np.ndarray) -> np.ndarray:
        """World (..., 3) to head space."""
        return (points - self.affine[3]) @ self.inverse

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Head space (..., 3) to the world."""
        return points @ self.affine[:3] + self.affine[3]

    def roots(
        self, count: int, rng: np.random.Generator, keep: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """About ``count`` (n, 3) places on the scalp where ``keep(template places)`` is a likelihood 0..1, and normals there."""
        scalp = _scalp(self.base)
        share = scalp.area / scalp.area.sum()
        tries = int(count * 1.9)
        # Stratified over the area in the mesh's order, so that no patch is bare.
        at = (np.arange(tries) + rng.random(tries)) / tries
        face = np.minimum(np.searchsorted(np.cumsum(share), at), len(share) - 1)
        b = rng.random((tries, 2))
        b[b.sum(1) > 1] = 1 - b[b.sum(1) > 1]
        bary = np.column_stack([1 - b.sum(1), b])
        corners = scalp.faces[face]
        place = np.einsum("nc,nck->nk", bary, self.base.vertices[corners])
        kept = np.flatnonzero(rng.random(tries) < keep(place))
        kept = rng.permutation(kept)[:count] if len(kept) > count else kept
        points = self.to_head(np.einsum("nc,nck->nk", bary[kept], self.body.posed[corners[kept]]))
        index = self._tree.query(points)[1]
        return points, self._normals[index]

    def push(self, points: np.ndarray, clearance: np.ndarray) -> np.ndarray:
        """``points`` (N, 3) moved at least ``clearance`` (N,) off skin, more where clothes are."""
        index = self._tree.query(points, workers=1)[1]
        normal = self._normals[index]
        depth = np.einsum("ij,ij->i", points - self._points[index], normal)
        lack = np.maximum(np.maximum(clearance, self._cover[index] + 0.4 * clearance) - depth, 0)
        return points + lack[:, None] * normal


@dataclass(frozen=True)
class _Patch:
    rows: np.ndarray
    faces: np.ndarray
    dressed: np.ndarray


@dataclass(frozen=True)
class _Scalp:
    faces: np.ndarray
    area: np.ndarray


@cache
def _skull(base: Template) -> np.ndarray:
    skin = base.shells["skin"].indices
    return skin[base.region("head")[skin] > 0.9]


@cache
def _scalp(base: Template) -> _Scalp:
    """Skin triangles that can carry hair, in an order that keeps neighbours together."""
    faces, at = base.faces["skin"], base.vertices
    middle = at[faces].mean(axis=1)
    on = (above_hairline(middle, "woman", 18) > -0.02) & (middle[:, 1] > 1.46) & ~_ear(middle)
    faces, middle = faces[on], middle[on]
    cell = np.floor((middle - middle.min(0)) / 0.02).astype(int)
    faces = faces[np.lexsort((np.where(cell[:, 1] % 2, -1, 1) * cell[:, 0], cell[:, 1], cell[:, 2]))]
    edges = np.diff(at[faces], axis=1)
    return _Scalp(faces, np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1))


def _ear(points: np.ndarray) -> np.ndarray:
    """(N,) bool: on or behind the auricle."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    return (x > 0.071) & (y > 1.49) & (y < 1.558) & (z > 0.02) & (z < 0.072)


@cache
def _upper(base: Template) -> _Patch:
    """Head, neck, shoulders, chest, back and upper arms, as far as hair reaches."""
    faces, at = base.faces["skin"], base.vertices
    middle = at[faces].mean(axis=1)
    inside = (
        (middle[:, 1] > 1.43)
        & (middle[:, 2] > 0.02)
        & (np.abs(middle[:, 0]) < 0.03)
        & (middle[:, 2] < 0.145)
        & (middle[:, 1] < 1.53)
    )
    faces = faces[(middle[:, 1] > 0.9) & ~inside & (np.abs(middle[:, 0]) < 0.34)]
    rows, local = np.unique(faces, return_inverse=True)
    neck = np.hypot(at[rows, 0] / 0.085, (at[rows, 2] - 0.01) / 0.085)
    return _Patch(rows, local.reshape(-1, 3), (at[rows, 1] < 1.40) & (neck > 1.0))


# ------------------------------------------------------------------------------------------------------------- tools


def _along(points: np.ndarray) -> np.ndarray:
    """(N, K) metres from the root of each strand (N, K, 3) to its places."""
    steps = np.linalg.norm(np.diff(points, axis=1), axis=2)
    return np.concatenate([np.zeros((len(points), 1)), np.cumsum(steps, axis=1)], axis=1)


def resample_strands(points: np.ndarray, count: int, length: np.ndarray | None = None, power: float = 1.0) -> np.ndarray:
    """Polylines (N, K, 3) at ``count`` steps of arc, cut off after ``length`` (N,) metres; ``power`` > 1: closer at the root."""
    if length is None and points.shape[1] == count:
        return points
    along = _along(points)
    total = along[:, -1] if length is None else np.minimum(length, along[:, -1])
    wanted = total[:, None] * np.linspace(0, 1, count) ** power
    low = np.clip((along[:, None, :] <= wanted[:, :, None]).sum(2) - 1, 0, points.shape[1] - 2)
    a, b = np.take_along_axis(along, low, 1), np.take_along_axis(along, low + 1, 1)
    share = np.clip((wanted - a) / np.maximum(b - a, 1e-12), 0, 1)[..., None]
    start, end = (np.take_along_axis(points, (low + k)[..., None], 1) for k in (0, 1))
    return start + share * (end - start)


def smooth(points: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Strands (N, K, 3) without the kinks that collisions leave."""
    for _ in range(rounds):
        points = np.concatenate(
            [points[:, :1], (points[:, :-2] + 2 * points[:, 1:-1] + points[:, 2:]) / 4, points[:, -1:]], axis=1
        )
    return points


def clumps(points: np.ndarray, count: int, rng: np.random.Generator, pull: float, reach: float = 0.05) -> np.ndarray:
    """Draws strands (N, K, 3) together towards their tips, in place; returns (N,) which of ``count`` locks each belongs to."""
    leaders = rng.choice(len(points), min(count, len(points)), replace=False)
    middle = points.shape[1] // 2
    features = np.concatenate([points[:, 0] * 1.0, points[:, middle] * 0.6], axis=1)
    lock = cKDTree(features[leaders]).query(features)[1]
    share = pull * smoothstep(0.15, 1.0, np.linspace(0, 1, points.shape[1]))
    gap = points[leaders[lock]] - points
    far = np.linalg.norm(gap, axis=2, keepdims=True)
    points += gap * share[None, :, None] * np.exp(-((far / reach) ** 2))
    return lock


def wave(
    points: np.ndarray, lock: np.ndarray, rng: np.random.Generator, height: float, length: float, own: float = 0.4
) -> None:
    """Bends strands (N, K, 3) sideways in waves that a lock shares, growing towards the tips; in place."""
    tangent = unit(np.gradient(points, axis=1))
    across = unit(np.cross(tangent, unit(points - AXIS)))
    outward = np.cross(across, tangent)
    along = _along(points)
    locks = lock.max(initial=-1) + 1
    turn = rng.uniform(0, 2 * np.pi, locks)[lock] + own * rng.normal(size=len(points))
    phase = 2 * np.pi * along / (length * rng.uniform(0.85, 1.15, locks)[lock, None]) + turn[:, None]
    size = height * smoothstep(0.01, 0.12, along)
    points += (size * np.sin(phase))[..., None] * across + (0.6 * size * np.cos(phase))[..., None] * outward


def grow(
    head: Head,
    roots: np.ndarray,
    direction: np.ndarray,
    steps: int,
    step: float,
    clearance: np.ndarray,
    weight: Callable[[float], float],
    steer: Callable[[np.ndarray, float], np.ndarray] | None = None,
) -> np.ndarray:
    """Strands (N, steps + 1, 3): each step turns towards gravity by ``weight(metres so far)`` and by ``steer(places, metres)``."""
    out = np.empty((len(roots), steps + 1, 3))
    out[:, 0] = roots
    at = roots
    for k in range(steps):
        far = k * step
        direction = unit(direction + weight(far) * head.down + (0 if steer is None else steer(at, far)))
        room = 0.0015 + (clearance - 0.0015) * min(1.0, (far + step) / 0.03)
        after = head.push(at + step * direction, room)
        moved = after - at
        direction = unit(0.35 * direction + 0.65 * unit(moved))
        at = at + unit(moved) * np.minimum(np.linalg.norm(moved, axis=1, keepdims=True), 1.15 * step)
        out[:, k + 1] = at
    return out

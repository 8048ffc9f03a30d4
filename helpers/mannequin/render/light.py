"""The studio: soft boxes, what of them and of the surroundings reaches each point, and shadows on the floor.

Visibility is gathered at one point a pixel with a few rays. The rays' directions repeat in a 4 x 4 pattern over the picture, so that
a window of that size has seen all of them (interleaved sampling, Keller and Heidrich 2001); an edge-preserving filter over the window
makes the result free of noise, and every fragment reads it off its neighbours that lie on the same surface.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from helpers.mannequin.mesh import unit
from helpers.mannequin.render.camera import Camera
from helpers.mannequin.render.trace import Fragments, Scene, interpolate

_TILE = 4  # pixels over which ray directions repeat
_POINTS = 190_000  # gather points at most; above, one in 2 x 2, 3 x 3 ... pixels
_AMBIENT_RAYS = 6
_REACH = 0.8  # metres: what is farther does not darken
_LIFT = 0.0012  # metres between a surface and the start of its rays
_BATCH = 1 << 15


@dataclass(frozen=True)
class Light:
    """A soft box far away: ``direction`` towards it, linear RGB ``colour`` times strength, ``spread`` (tangent of its radius)."""

    direction: tuple[float, float, float]
    colour: tuple[float, float, float]
    spread: float
    rays: int

    @property
    def towards(self) -> np.ndarray:
        """(3,) float32 unit vector."""
        out = np.array(self.direction, np.float32)
        return out / np.linalg.norm(out)


@dataclass(frozen=True)
class Studio:
    """Lights, and the strength of the surroundings from above and below. A white surface facing the lens comes out just white.

    Directions hold for a lens that looks along -z; the lights go with the lens, as when a figure turns on its own feet.
    """

    lights: tuple[Light, ...]
    sky: tuple[float, float, float]
    ground: tuple[float, float, float]

    def around(self, camera: Camera) -> Studio:
        """This studio with its lights where they stand for ``camera``."""
        right = camera.axes[0]
        turn = np.array([right, (0.0, 1.0, 0.0), np.cross(right, (0.0, 1.0, 0.0))])
        lights = (replace(light, direction=tuple(light.direction @ turn)) for light in self.lights)
        return replace(self, lights=tuple(lights))


STUDIO = Studio(
    lights=(
        Light((-0.76, 0.72, 0.66), (1.06, 1.03, 0.99), 0.22, 3),  # key
        Light((0.75, 0.12, 0.80), (0.110, 0.115, 0.125), 0.45, 1),  # fill
        Light((-0.90, 0.35, -0.42), (0.36, 0.37, 0.39), 0.30, 1),  # rim
        Light((0.88, 0.45, -0.48), (0.60, 0.60, 0.61), 0.30, 1),  # rim
    ),
    sky=(0.315, 0.325, 0.34),
    ground=(0.17, 0.165, 0.16),
)


@dataclass
class Points:
    """Where light is gathered or wanted: ``xy`` (N, 2) pixels, ``position`` and facing ``normal`` (N, 3), ``owner`` (N,) surface,
    ``face`` (N,) over the scene, ``bary`` (N, 2), and whether the face is seen from ``behind`` (N,)."""

    xy: np.ndarray
    position: np.ndarray
    normal: np.ndarray
    owner: np.ndarray
    face: np.ndarray
    bary: np.ndarray
    behind: np.ndarray

    def take(self, index: np.ndarray | slice) -> Points:
        """The points at ``index``."""
        return Points(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


def locate(scene: Scene, camera: Camera, fragments: Fragments, xy: np.ndarray) -> Points:
    """Where ``fragments`` lie and how they face the lens; ``xy`` (R, 2) are the pixel positions of the rays."""
    face, bary = fragments.face, fragments.bary
    corners = scene.faces[face]
    position = interpolate(scene.vertices, corners, bary)
    normal = unit(interpolate(scene.normals, corners, bary))
    towards = np.asarray(camera.position, np.float32) - position
    behind = np.einsum("ij,ij->i", np.take(scene.flat, face, axis=0), towards) < 0
    # Ribbons stand for a volume of strands: their normals are its own, whichever way a ribbon turns.
    owner = scene.owner[face]
    behind &= ~scene.translucent[owner]
    normal *= np.where(behind, np.float32(-1), np.float32(1))[:, None]
    return Points(xy[fragments.sample], position, normal, owner, face, bary, behind)


def _starts(scene: Scene, points: Points) -> np.ndarray:
    """(N, 3) where rays leave: on the smooth surface that facets stand for, else facets show in shadows (Hanika 2021)."""
    corners = scene.faces[points.face]
    u, v = points.bary[:, 0], points.bary[:, 1]
    sign = np.where(points.behind, np.float32(-1), np.float32(1))
    out = points.position + points.normal * np.float32(_LIFT)
    for k, share in enumerate((1 - u - v, u, v)):
        normal = np.take(scene.normals, corners[:, k], axis=0) * sign[:, None]
        under = np.einsum("ij,ij->i", points.position - np.take(scene.vertices, corners[:, k], axis=0), normal)
        out -= normal * (share * np.minimum(under, 0))[:, None]
    return out


class Visibility:
    """How much of the surroundings and of each light reaches points of the picture."""

    def __init__(self, scene: Scene, studio: Studio, points: Points, loose: bool = False) -> None:
        """Trace at ``points``, at most one a pixel. ``loose``: they are strands, whose neighbours face anywhere."""
        self._scene, self._studio, self._loose = scene, studio, loose
        pixels = np.round(points.xy).astype(np.int32)
        self._place = (points.xy - pixels).mean(0) if len(pixels) else np.zeros(2)  # of the points in their pixels
        self._stride = max(2 if loose else 1, int(np.ceil(np.sqrt(len(pixels) / _POINTS))))
        keep = (pixels % self._stride == 0).all(1)
        chosen, cells = points.take(keep), pixels[keep] // self._stride
        self._origin = cells.min(0) - 3 if len(cells) else np.zeros(2, np.int32)
        shape = tuple((cells.max(0) - self._origin + 4)[::-1]) if len(cells) else (6, 6)
        phase = cells[:, 0] % _TILE + _TILE * (cells[:, 1] % _TILE)
        flat = (cells[:, 1] - self._origin[1]) * shape[1] + cells[:, 0] - self._origin[0]
        grid = _Grid.fill(shape, flat, chosen, _gather(scene, studio, chosen, phase))
        # Once over the whole pattern, the outer taps half; then a little more against what the pattern leaves.
        self._grid = _filter(_filter(grid, (0.5, 1, 1, 1, 0.5), loose), (0.5, 1, 0.5), loose)

    def read(self, points: Points) -> np.ndarray:
        """(N, 1 + lights) float32 in 0..1 at ``points``: open surroundings, then each light."""
        out, sure = self._grid.read(points, (points.xy - self._place) / self._stride - self._origin, self._loose)
        lost = np.flatnonzero(~sure)
        if len(lost):
            out[lost] = _gather(self._scene, self._studio, points.take(lost), lost % _TILE**2, times=3)
        return out


@dataclass
class _Grid:
    """Gathered values (H*W, C) with the geometry they belong to; ``owner`` is -1 where nothing was gathered."""

    shape: tuple[int, int]
    values: np.ndarray
    normal: np.ndarray
    position: np.ndarray
    owner: np.ndarray
    _rows: np.ndarray | None = None

    @classmethod
    def fill(cls, shape: tuple[int, int], flat: np.ndarray, points: Points, values: np.ndarray) -> _Grid:
        count = shape[0] * shape[1]
        grid = cls(
            shape,
            np.zeros((values.shape[1], count), np.float32),
            np.zeros((3, count), np.float32),
            np.zeros((3, count), np.float32),
            np.full(count, -1, np.int16),
        )
        grid.values[:, flat], grid.normal[:, flat], grid.position[:, flat] = values.T, points.normal.T, points.position.T
        grid.owner[flat] = points.owner
        return grid

    def read(self, points: Points, places: np.ndarray, loose: bool) -> tuple[np.ndarray, np.ndarray]:
        """Values (N, C) at ``places`` (N, 2) from the four cells around that belong together, and whether there were any."""
        channels = len(self.values)
        if self._rows is None:
            self._rows = np.concatenate([self.values, self.normal, self.position], axis=0).T.copy()
        corner = np.floor(places).astype(np.int32)
        rest = (places - corner).astype(np.float32)
        base = corner[:, 1] * self.shape[1] + corner[:, 0]
        total = np.zeros(len(places), np.float32)
        out = np.zeros((len(places), channels), np.float32)
        for dy in (0, 1):
            for dx in (0, 1):
                cell = base + (dy * self.shape[1] + dx)
                row = np.take(self._rows, cell, axis=0, mode="clip")
                weight = (rest[:, 0] if dx else 1 - rest[:, 0]) * (rest[:, 1] if dy else 1 - rest[:, 1]) + np.float32(0.02)
                if not loose:
                    alike = np.maximum(np.einsum("ij,ij->i", row[:, channels : channels + 3], points.normal), 0)
                    alike *= alike
                    off = np.einsum("ij,ij->i", row[:, channels + 3 :] - points.position, points.normal)
                    weight *= alike * alike / (1 + (off * 160) ** 2)
                weight *= np.take(self.owner, cell, mode="clip") == points.owner
                total += weight
                out += weight[:, None] * row[:, :channels]
        out /= np.maximum(total, 1e-6)[:, None]
        return out, total > 0.01


def _filter(grid: _Grid, taps: tuple[float, ...], loose: bool) -> _Grid:
    """Average with the weights ``taps`` each way among cells of the same surface and plane."""
    height, width = grid.shape
    values, normal, position = (a.reshape(-1, height, width) for a in (grid.values, grid.normal, grid.position))
    owner = grid.owner.reshape(height, width)
    reach = len(taps) // 2
    inner = (slice(reach, height - reach), slice(reach, width - reach))
    total = np.zeros((height - 2 * reach, width - 2 * reach), np.float32)
    result = np.zeros((len(values), *total.shape), np.float32)
    n, p, o = normal[:, *inner], position[:, *inner], owner[inner]
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            tap = (slice(reach + dy, height - reach + dy), slice(reach + dx, width - reach + dx))
            weight = (owner[tap] == o).astype(np.float32)
            if not loose:
                m, q = normal[:, *tap], position[:, *tap]
                alike = np.maximum(n[0] * m[0] + n[1] * m[1] + n[2] * m[2], 0)
                alike *= alike
                off = n[0] * (q[0] - p[0]) + n[1] * (q[1] - p[1]) + n[2] * (q[2] - p[2])
                weight *= alike * alike / (1 + (off * 120) ** 2)
            weight *= taps[reach + dx] * taps[reach + dy]
            total += weight
            result += weight * values[:, *tap]
    values[:, *inner] = result / np.maximum(total, 1e-6)
    return grid


def _gather(scene: Scene, studio: Studio, points: Points, phase: np.ndarray, times: int = 1) -> np.ndarray:
    """(N, 1 + lights) visibility by rays; ``phase`` (N,) picks each point's share of the directions, ``times`` as many rays."""
    out = np.zeros((len(points.xy), 1 + len(studio.lights)), np.float32)
    for first in range(0, len(out), _BATCH):
        part = slice(first, first + _BATCH)
        some = points.take(part)
        normal, start, share = some.normal, _starts(scene, some), phase[part]
        frame = _frames(normal)
        around = _hemisphere(_AMBIENT_RAYS * times)[share]  # (n, R, 3)
        out[part, 0] = _free(scene, start, around @ frame, _REACH)
        for index, light in enumerate(studio.lights):
            towards = light.towards
            lit = np.flatnonzero(normal @ towards > -0.25)
            if not len(lit):
                continue
            across = _frames(towards[None])[0]
            cone = _disk(light.rays * times)[share[lit]] * light.spread @ across[:2] + towards
            out[first + lit, 1 + index] = _free(scene, start[lit], cone, 3.0)
    return out


def _free(scene: Scene, start: np.ndarray, directions: np.ndarray, reach: float) -> np.ndarray:
    """(N,) mean light along ``directions`` (N, R, 3) from ``start`` (N, 3)."""
    count = directions.shape[1]
    rays = np.ascontiguousarray(directions.reshape(-1, 3), np.float32)
    free = scene.occluded(np.repeat(start, count, axis=0), rays, reach)
    return free.reshape(-1, count).mean(1)


def _frames(normals: np.ndarray) -> np.ndarray:
    """(N, 3, 3) rows tangent, bitangent, normal (Duff et al. 2017, "Building an orthonormal basis, revisited")."""
    x, y, z = normals.T
    sign = np.where(z >= 0, np.float32(1), np.float32(-1))
    a = -1 / (sign + z)
    b = x * y * a
    out = np.empty((len(normals), 3, 3), np.float32)
    out[:, 0, 0], out[:, 0, 1], out[:, 0, 2] = 1 + sign * x * x * a, sign * b, -sign * x
    out[:, 1, 0], out[:, 1, 1], out[:, 1, 2] = b, sign + y * y * a, -y
    out[:, 2] = normals
    return out


def _sequence(count: int) -> np.ndarray:
    """(count, 2) evenly spread over the unit square (additive recurrence on the plastic number, Roberts 2018)."""
    plastic = 1.32471795724474602596
    return (0.5 + np.arange(count)[:, None] * np.array([1 / plastic, 1 / plastic**2])) % 1


def _shares(points: np.ndarray, rays: int) -> np.ndarray:
    """(16 * rays, k) -> (16, rays, k): every share is spread over the whole, neighbours in the pattern get unlike ones."""
    order = np.array([0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5])  # Bayer's ordered dither
    return points.reshape(rays, _TILE**2, -1).transpose(1, 0, 2)[order].astype(np.float32)


def _hemisphere(rays: int) -> np.ndarray:
    """(16, rays, 3) cosine-weighted directions about +z."""
    u, v = _sequence(_TILE**2 * rays).T
    radius, turn = np.sqrt(u), 2 * np.pi * v
    return _shares(np.stack([radius * np.cos(turn), radius * np.sin(turn), np.sqrt(1 - u)], axis=1), rays)


def _disk(rays: int) -> np.ndarray:
    """(16, rays, 2) points of the unit disk."""
    u, v = _sequence(_TILE**2 * rays).T
    return _shares(np.stack([np.sqrt(u) * np.cos(2 * np.pi * v), np.sqrt(u) * np.sin(2 * np.pi * v)], axis=1), rays)


def floor(scene: Scene, studio: Studio, camera: Camera, step: int) -> np.ndarray:
    """(h, w) float32: the share of its light that the studio floor (y = 0) keeps under the figure, at every ``step`` pixels; 1 where
    no floor is seen."""
    x, y = np.meshgrid(*(np.arange(-(-side // step)) for side in camera.size))
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    directions = camera.rays((places * step + (step - 1) / 2).astype(np.float32))
    down = directions[:, 1] < -1e-4
    depth = np.where(down, -camera.position[1] / np.where(down, directions[:, 1], -1), 0).astype(np.float32)
    spot = np.asarray(camera.position, np.float32) + directions * depth[:, None]
    light = np.ones(len(spot), np.float32)
    # Across and towards the lens from the middle of the figure.
    right = camera.axes[0]
    aside = (spot - scene.vertices.mean(axis=0)) @ np.array([right, np.cross(right, (0, 1, 0))], np.float32).T
    near = np.flatnonzero((depth > 0) & (np.abs(aside[:, 0]) < 2.2) & (aside[:, 1] > -1.9))
    if len(near):
        start = spot[near] * np.array([1, 0, 1], np.float32) + np.array([0, 0.001, 0], np.float32)
        phase = places[near, 0] % _TILE + _TILE * (places[near, 1] % _TILE)
        contact = _free(scene, start, _hemisphere(16)[phase] @ _frames(np.array([[0, 1, 0]], np.float32)), 0.7)
        key = studio.lights[0]
        cone = _disk(12)[phase] * (key.spread * 1.5) @ _frames(key.towards[None])[0][:2] + key.towards
        shadow = _free(scene, start, cone, 4.0)
        aside = aside[near]
        far = np.clip((aside[:, 1] + 1.9) / 1.2, 0, 1) * np.clip((2.2 - np.abs(aside[:, 0])) / 0.8, 0, 1)
        # Long shadows fade: a studio is full of light from elsewhere.
        strength = 0.34 * np.exp(-np.hypot(*aside.T) / 0.9)
        light[near] = 1 - far * (1 - (0.1 + 0.9 * contact) * (1 - strength * (1 - shadow)))
    return cv2.blur(cv2.blur(light.reshape(x.shape), (4, 4)), (3, 3))

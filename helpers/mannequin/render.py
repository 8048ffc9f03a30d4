"""A studio photograph of surfaces, with everything the same rays know: what is where, how far, facing which way.

``scene`` prepares geometry once; ``render`` takes the picture; ``product`` photographs one garment alone. Four rays a pixel, sixteen
where the four disagree; each ray's colour goes through the tone curve before pixels average it, so that outlines stay smooth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .camera import Camera, bounds
from .light import STUDIO, Points, Studio, Visibility, floor
from .shade import linear_rgb, shade, tone
from .surface import Surface
from .trace import Fragments, Scene, unit

# The first 16 points of Sobol's sequence: any four in a row from a multiple of four hold one point in each quarter.
_PLACES = np.float32(
    [
        (0, 0), (8, 8), (12, 4), (4, 12), (6, 6), (14, 14), (10, 2), (2, 10),
        (3, 5), (11, 13), (15, 1), (7, 9), (5, 3), (13, 11), (9, 7), (1, 15),
    ]
) / 16 + np.float32(1 / 32) - np.float32(0.5)  # fmt: skip
_BASE = 4
_CONTRAST = 0.045  # sRGB range among a pixel's first rays that calls for the rest
_MORE = 30_000  # pixels at most that get them
_BATCH = 1 << 15
PRODUCT_BACKDROP = "#e6e6e6"


@dataclass
class Render:
    """A picture and what its rays met.

    ``image`` (H, W, 3) uint8 sRGB. Per pixel, of the surface that fills most of it: ``surface`` (H, W) int16 index or -1, ``face``
    (H, W) int32 index within that surface, ``bary`` (H, W, 2) weights of its second and third corner, ``position`` (H, W, 3) metres
    in the world, ``depth`` (H, W) metres along the viewing axis (0: background), ``normal`` (H, W, 3) unit in camera axes (right, up,
    towards the lens). ``alpha`` (H, W) float32: the share of the pixel that is not background.
    """

    image: np.ndarray
    surface: np.ndarray
    face: np.ndarray
    bary: np.ndarray
    position: np.ndarray
    depth: np.ndarray
    normal: np.ndarray
    alpha: np.ndarray
    scene: Scene
    camera: Camera


def scene(surfaces: Sequence[Surface]) -> Scene:
    """Surfaces made ready for :func:`render`, so that another camera or other colours do not build them again."""
    return Scene(surfaces)


def render(
    surfaces: Sequence[Surface] | Scene, camera: Camera, backdrop: str = "#d9d9d7", seed: int = 0, studio: Studio = STUDIO
) -> Render:
    """Photograph ``surfaces`` before a seamless ``backdrop`` (``#rrggbb``). ``seed`` sets the sensor's grain; the rest is exact."""
    paper = linear_rgb(backdrop)
    world = surfaces if isinstance(surfaces, Scene) else Scene(surfaces)
    # The paper throws some of its colour back at the figure.
    studio = replace(studio, ground=tuple(np.float32(studio.ground) * (0.45 + 0.8 * paper)))
    shot = _Shot(world, camera, studio)
    behind = _backdrop(world, camera, studio, paper)
    picture, buffers = shot.take(behind)
    return Render(_develop(picture, seed), **buffers, scene=world, camera=camera)


def product(
    surfaces: Sequence[Surface] | Scene, size: tuple[int, int] = (768, 1024), seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """One garment as a shop shows it: alone, hollow, on light grey with a soft shadow.

    Returns ``image`` (H, W, 3) uint8 sRGB and ``mask`` (H, W) bool, true where the garment fills at least half of the pixel.
    """
    world = surfaces if isinstance(surfaces, Scene) else Scene(surfaces)
    low, high = bounds(world.surfaces)
    middle, extent = (low + high) / 2, high - low
    tall = max(extent[1] / 0.80, extent[0] / 0.86 * size[1] / size[0])
    fov = 15.0
    away = tall / 2 / np.tan(np.radians(fov) / 2) + extent[2] / 2
    # A little from above: the inside of the back shows in the neck.
    camera = Camera((middle[0], middle[1] + 0.06 * away, middle[2] + away), tuple(middle), fov, tuple(size))
    shot = _Shot(world, camera, STUDIO)
    alpha = shot.outline()
    paper = np.tile(linear_rgb(PRODUCT_BACKDROP), (size[1], size[0], 1))
    for blur, drop, strength in ((0.035, 0.022, 0.16), (0.010, 0.006, 0.14)):
        shade_ = cv2.GaussianBlur(alpha, (0, 0), blur * size[1])
        shade_ = np.roll(shade_, round(drop * size[1]), axis=0)
        paper *= (1 - strength * shade_)[..., None]
    picture, buffers = shot.take(paper)
    return _develop(picture, seed), buffers["alpha"] >= 0.5


class _Shot:
    """One exposure: rays in the figure's box, light at what they meet, colours per ray, pixels."""

    def __init__(self, world: Scene, camera: Camera, studio: Studio) -> None:
        self.world, self.camera, self.studio = world, camera, studio
        width, height = camera.size
        corners = camera.project(world.vertices)
        low = np.clip(np.floor(corners.min(0)).astype(int) - 1, 0, (width, height))
        high = np.clip(np.ceil(corners.max(0)).astype(int) + 2, 0, (width, height))
        x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
        self.pixels = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.int32)
        xy = (self.pixels[:, None] + _PLACES[:_BASE]).reshape(-1, 2)
        fragments = world.trace(camera.position, camera.rays(xy))
        # Keep only pixels that anything was met in.
        touched = np.zeros(len(self.pixels), bool)
        touched[fragments.sample // _BASE] = True
        number = np.cumsum(touched) - 1
        fragments.sample = (number[fragments.sample // _BASE] * _BASE + fragments.sample % _BASE).astype(np.int32)
        self.pixels = self.pixels[touched]
        self.fragments = fragments
        self.xy = (self.pixels[:, None] + _PLACES[:_BASE]).reshape(-1, 2)

    def outline(self) -> np.ndarray:
        """(H, W) float32 share of each pixel that is not background, from its first rays."""
        cover = np.bincount(self.fragments.sample // _BASE, self.fragments.weight, len(self.pixels)) / _BASE
        out = np.zeros(self.camera.size[::-1], np.float32)
        out[self.pixels[:, 1], self.pixels[:, 0]] = np.clip(cover, 0, 1)
        return out

    def take(self, behind: np.ndarray) -> tuple[np.ndarray, dict]:
        """The picture (H, W, 3) float32 sRGB in 0..1 over ``behind`` (H, W, 3) linear, and the per-pixel buffers."""
        column, row = self.pixels[:, 0], self.pixels[:, 1]
        points, back = self._geometry(self.fragments, self.xy)
        self._maps = {}
        for thin in np.unique(self.world.translucent):
            of_kind = self.world.translucent[points.owner] == thin
            first = (self.fragments.sample % _BASE == 0) & of_kind
            if thin:
                first &= self.fragments.layer == 0
            self._maps[thin] = Visibility(self.world, self.studio, points, np.flatnonzero(first))
        under = behind[row, column]
        colour, alpha = self._rays(self.fragments, points, back, np.repeat(under, _BASE, axis=0))
        colour, alpha = colour.reshape(-1, _BASE, 3), alpha.reshape(-1, _BASE)
        pixel, cover = colour.mean(1), alpha.mean(1)

        contrast = (colour.max(1) - colour.min(1)).max(1)
        rough = np.flatnonzero(contrast > _CONTRAST)
        if len(rough) > _MORE:
            rough = np.sort(rough[np.argsort(-contrast[rough], kind="stable")[:_MORE]])
        if len(rough):
            extra = len(_PLACES) - _BASE
            xy = (self.pixels[rough, None] + _PLACES[_BASE:]).reshape(-1, 2)
            more = self.world.trace(self.camera.position, self.camera.rays(xy))
            colour, alpha = self._rays(more, *self._geometry(more, xy), np.repeat(under[rough], extra, axis=0))
            pixel[rough] = (pixel[rough] * _BASE + colour.reshape(-1, extra, 3).sum(1)) / len(_PLACES)
            cover[rough] = (cover[rough] * _BASE + alpha.reshape(-1, extra).sum(1)) / len(_PLACES)

        picture = tone(behind.reshape(-1, 3)).reshape(behind.shape)
        picture[row, column] = pixel
        return picture, self._buffers(points, cover)

    def _rays(self, fragments: Fragments, points: Points, back: np.ndarray, under: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """sRGB colour (R, 3) of each ray over ``under`` (R, 3) linear, and how opaque (R,) what it met is."""
        world, rays = self.world, len(under)
        light = np.empty((len(fragments), 3), np.float32)
        for index in np.unique(points.owner):
            surface = world.surfaces[index]
            mine = np.flatnonzero(points.owner == index)
            for first in range(0, len(mine), _BATCH):
                part = mine[first : first + _BATCH]
                here = points.take(part)
                inside = back[part]
                outward = np.where(inside[:, None], -here.normal, here.normal)
                hits = world.hits(index, fragments.face[part], fragments.bary[part], here.position, outward)
                view = unit(np.asarray(self.camera.position, np.float32) - here.position)
                seen = self._maps[world.translucent[index]].read(here)
                light[part] = shade(surface.material, hits, view, inside, seen, self.studio)
        alpha = np.bincount(fragments.sample, fragments.weight, rays).astype(np.float32)
        colour = under * (1 - np.clip(alpha, 0, 1))[:, None]
        light *= fragments.weight[:, None]
        for channel in range(3):
            colour[:, channel] += np.bincount(fragments.sample, light[:, channel], rays).astype(np.float32)
        return tone(colour), alpha

    def _geometry(self, fragments: Fragments, xy: np.ndarray) -> tuple[Points, np.ndarray]:
        """Where fragments lie, facing the lens, and whether their inside is seen (N,)."""
        world = self.world
        face, bary = fragments.face, fragments.bary
        corners = world.faces[face]
        a, b, c = (np.take(world.vertices, corners[:, i], axis=0) for i in range(3))
        na, nb, nc = (np.take(world.normals, corners[:, i], axis=0) for i in range(3))
        u, v = bary[:, :1], bary[:, 1:]
        w = 1 - u - v
        position = a * w + b * u + c * v
        normal = na * w + nb * u + nc * v
        normal /= np.sqrt(np.maximum(np.einsum("ij,ij->i", normal, normal), 1e-20))[:, None]
        towards = np.asarray(self.camera.position, np.float32) - position
        flat = np.cross(b - a, c - a)
        back = np.einsum("ij,ij->i", flat, towards) < 0
        sign = np.where(back, np.float32(-1), np.float32(1))[:, None]
        # Rays start on the smooth surface the facets stand for, else facets show in shadows (Hanika 2021).
        lifted = position.copy()
        for corner, n, share in ((a, na, w), (b, nb, u), (c, nc, v)):
            depth = np.minimum(np.einsum("ij,ij->i", position - corner, n * sign), 0)
            lifted -= share * n * sign * depth[:, None]
        normal *= sign
        lifted += normal * np.float32(0.0012)
        return Points(xy[fragments.sample], position, normal, world.owner[face], lifted), back

    def _buffers(self, points: Points, cover: np.ndarray) -> dict:
        """Per-pixel buffers of :class:`Render` from the first rays."""
        world, fragments, count = self.world, self.fragments, len(self.pixels)
        # A ray shows the hit that takes it past half opaque; a pixel the surface that most of its rays show.
        order = np.lexsort((fragments.layer, fragments.sample))
        sample, weight = fragments.sample[order], fragments.weight[order].astype(np.float64)
        running = np.cumsum(weight)
        starts = np.flatnonzero(np.r_[True, sample[1:] != sample[:-1]])
        before = np.repeat(running[starts] - weight[starts], np.diff(np.r_[starts, len(sample)]))
        running -= before
        shown = (running >= 0.5) & (running - weight < 0.5)
        chosen = np.full(count * _BASE, -1, np.int64)
        chosen[sample[shown]] = order[shown]
        chosen = chosen.reshape(count, _BASE)
        owner = np.where(chosen >= 0, points.owner[chosen], -1)
        votes = (owner[:, :, None] == owner[:, None, :]).sum(2) * (owner >= 0)
        best = chosen[np.arange(count), votes.argmax(1)]
        full = np.flatnonzero((best >= 0) & (cover >= 0.5))
        best, rows, columns = best[full], self.pixels[full, 1], self.pixels[full, 0]

        width, height = self.camera.size
        surface = np.full((height, width), -1, np.int16)
        face = np.full((height, width), -1, np.int32)
        bary, position, normal = (np.zeros((height, width, k), np.float32) for k in (2, 3, 3))
        depth, alpha = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
        alpha[self.pixels[:, 1], self.pixels[:, 0]] = np.clip(cover, 0, 1)
        surface[rows, columns] = points.owner[best]
        face[rows, columns] = fragments.face[best] - world.first_face[points.owner[best]]
        bary[rows, columns] = fragments.bary[best]
        position[rows, columns] = points.position[best]
        depth[rows, columns] = self.camera.depth(points.position[best])
        normal[rows, columns] = points.normal[best] @ self.camera.axes.T.astype(np.float32)
        return {
            "surface": surface, "face": face, "bary": bary, "position": position, "depth": depth, "normal": normal, "alpha": alpha,
        }  # fmt: skip


def _backdrop(world: Scene, camera: Camera, studio: Studio, paper: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 linear: seamless paper, a pool of light behind the figure, its shadow on the floor."""
    width, height = camera.size
    x = (np.arange(width, dtype=np.float32) - (width - 1) / 2) / height
    y = (np.arange(height, dtype=np.float32) - 0.42 * height) / height
    around = (x / 0.62)[None] ** 2 + (y / 0.72)[:, None] ** 2
    pool = 1.05 - 0.17 * around / (0.4 + around) * 1.4
    return (pool * floor(world, studio, camera))[..., None] * paper


def _develop(picture: np.ndarray, seed: int) -> np.ndarray:
    """sRGB (H, W, 3) in 0..1 -> uint8, with half a step of grain so that gradients do not band."""
    grain = np.random.default_rng(seed).random(picture.shape[:2], dtype=np.float32)[..., None]
    return np.clip(picture * 255 + grain, 0, 255).astype(np.uint8)

"""A studio photograph of surfaces, with everything the same rays know: what is where, how far, facing which way.

``render`` takes the picture (of a ``Scene``, where its geometry is to be built once); ``photograph_product`` that of one garment alone.
Two or four rays a pixel, sixteen where those disagree; each ray's colour goes through the tone curve before pixels average it, so that
outlines stay smooth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import cv2
import numpy as np

from helpers.mannequin.colours import linear
from helpers.mannequin.mesh import unit
from helpers.mannequin.render.camera import Camera, bounds
from helpers.mannequin.render.light import STUDIO, Studio, Visibility, floor, locate
from helpers.mannequin.render.shade import shade, tone, untone
from helpers.mannequin.render.trace import Fragments, Scene
from helpers.mannequin.surface import Surface

# The first 16 points of Sobol's sequence: any four in a row from a multiple of four hold one point in each quarter.
_PLACES = np.array(
    [
        (0, 0), (8, 8), (12, 4), (4, 12), (6, 6), (14, 14), (10, 2), (2, 10),
        (3, 5), (11, 13), (15, 1), (7, 9), (5, 3), (13, 11), (9, 7), (1, 15),
    ],
    np.float32,
) / 16 + np.float32(1 / 32) - np.float32(0.5)  # fmt: skip
_FINE = 260_000  # pixels; a larger figure is seen in such detail that two first rays each are enough
_CONTRAST = 0.045  # sRGB range among a pixel's first rays that calls for the rest
_BESIDE = 0.5  # how much a range towards a neighbour counts
_MORE = 0.04  # of the picture's pixels at most get them
_BATCH = 1 << 14
_DEEPER = 0.8  # of its light reaches each further layer of strands
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


def render(
    surfaces: Sequence[Surface] | Scene, camera: Camera, backdrop: str = "#d9d9d7", seed: int = 0, studio: Studio = STUDIO
) -> Render:
    """Photograph ``surfaces`` before a seamless ``backdrop`` (``#rrggbb``). ``seed`` sets the sensor's grain; the rest is exact.

    A :class:`Scene` in place of its surfaces is not built again.
    """
    paper = linear(backdrop)
    world = surfaces if isinstance(surfaces, Scene) else Scene(surfaces)
    # The paper throws some of its colour back at the figure.
    studio = replace(studio.around(camera), ground=tuple(np.array(studio.ground, np.float32) * (0.45 + 0.8 * paper)))
    shot = _Shot(world, camera, studio)
    picture, buffers = shot.take(_backdrop(world, camera, studio, paper))
    return Render(_develop(picture, seed), **buffers, scene=world, camera=camera)


def photograph_product(
    surfaces: Sequence[Surface] | Scene, size: tuple[int, int] = (768, 1024), seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One garment as a shop shows it: :func:`render_product` as ``image`` (H, W, 3) uint8 sRGB, ``mask`` (H, W) bool, true where the
    garment fills at least half of the pixel, and ``inside`` (H, W) bool, the part of it where the cloth is seen from within: the back of
    the neck, the openings of sleeves.
    """
    shot = render_product(surfaces, size, seed)
    mask, inside = shot.alpha >= 0.5, np.zeros(shot.alpha.shape, bool)
    met = shot.surface >= 0
    flat = shot.scene.flat[shot.scene.first_face[shot.surface[met]] + shot.face[met]]
    inside[met] = np.einsum("ij,ij->i", flat, np.array(shot.camera.position, np.float32) - shot.position[met]) < 0
    return shot.image, mask, inside & mask


def render_product(surfaces: Sequence[Surface] | Scene, size: tuple[int, int] = (768, 1024), seed: int = 0) -> Render:
    """One garment alone, hollow, on light grey with a soft shadow, and what the rays met of it."""
    world = surfaces if isinstance(surfaces, Scene) else Scene(surfaces)
    low, high = bounds(world.surfaces)
    middle, extent = (low + high) / 2, high - low
    tall = max(extent[1] / 0.80, extent[0] / 0.86 * size[1] / size[0])
    fov = 15.0
    away = tall / 2 / np.tan(np.radians(fov) / 2) + extent[2] / 2
    # A little from above: the inside of the back shows in the neck.
    camera = Camera((middle[0], middle[1] + 0.06 * away, middle[2] + away), tuple(middle), fov, (size[0], size[1]))
    shot = _Shot(world, camera, STUDIO.around(camera))
    step = _coarse(camera)
    small = cv2.resize(shot.outline(), (-(-size[0] // step), -(-size[1] // step)), interpolation=cv2.INTER_AREA)
    paper = np.tile(linear(PRODUCT_BACKDROP), (*small.shape, 1))
    for blur, drop, strength in ((0.035, 0.022, 0.16), (0.010, 0.006, 0.14)):
        under = cv2.GaussianBlur(np.roll(small, round(drop * len(small)), axis=0), (0, 0), blur * len(small))
        paper *= (1 - strength * under)[..., None]
    picture, buffers = shot.take(untone(paper))
    return Render(_develop(picture, seed), **buffers, scene=world, camera=camera)


class _Shot:
    """One exposure: rays where the figure may be, light at what they meet, colours per ray, pixels."""

    def __init__(self, world: Scene, camera: Camera, studio: Studio) -> None:
        self.world, self.camera, self.studio = world, camera, studio
        self.pixels = _near(world, camera)
        self.base = 4 if len(self.pixels) < _FINE else 2
        self.xy = (self.pixels[:, None] + _PLACES[: self.base]).reshape(-1, 2)
        fragments = world.trace(camera.position, camera.rays(self.xy))
        # Beside a pixel that shows something may be one that its first rays missed but an outline crosses.
        hit = np.zeros(camera.size[::-1], np.uint8)
        column, row = self.pixels.T
        shown = fragments.sample // self.base
        hit[row[shown], column[shown]] = 1
        touched = cv2.dilate(hit, np.ones((3, 3), np.uint8))[row, column] > 0
        number = (np.cumsum(touched) - 1).astype(np.int32) * self.base
        fragments.sample = number[fragments.sample // self.base] + fragments.sample % self.base
        self.pixels = self.pixels[touched]
        self.xy = (self.pixels[:, None] + _PLACES[: self.base]).reshape(-1, 2)
        self.fragments = fragments
        self._light: dict[bool, Visibility] = {}

    def outline(self) -> np.ndarray:
        """(H, W) float32 share of each pixel that is not background, from its first rays."""
        cover = np.bincount(self.fragments.sample // self.base, self.fragments.weight, len(self.pixels)) / self.base
        return self._spread(np.clip(cover, 0, 1))

    def take(self, behind: np.ndarray) -> tuple[np.ndarray, dict]:
        """The picture (H, W, 3) float32 sRGB in 0..1, and the per-pixel buffers.

        ``behind``: the background in linear RGB, as coarse as :func:`_backdrop` makes it.
        """
        base, column, row = self.base, self.pixels[:, 0], self.pixels[:, 1]
        self._gather()
        under = self._enlarge(behind)[row, column]
        colour, alpha = self._rays(self.fragments, self.xy, under, base)
        pixel, cover = (reduce(np.add, [values[:, k] for k in range(base)]) / base for values in (colour, alpha))
        picture = self._enlarge(tone(behind))
        picture[row, column] = pixel

        contrast = self._contrast(colour, picture)
        rough = np.flatnonzero(contrast > _CONTRAST)
        most = int(_MORE * self.camera.size[0] * self.camera.size[1])
        if len(rough) > most:
            rough = np.sort(rough[np.argsort(-contrast[rough], kind="stable")[:most]])
        if len(rough):
            extra = len(_PLACES) - base
            xy = (self.pixels[rough, None] + _PLACES[base:]).reshape(-1, 2)
            more = self.world.trace(self.camera.position, self.camera.rays(xy))
            colour, alpha = self._rays(more, xy, under[rough], extra)
            pixel[rough] = (pixel[rough] * base + colour.sum(1)) / len(_PLACES)
            cover[rough] = (cover[rough] * base + alpha.sum(1)) / len(_PLACES)
            picture[row, column] = pixel
        return picture, self._buffers(cover)

    def _contrast(self, colour: np.ndarray, picture: np.ndarray) -> np.ndarray:
        """(P,) sRGB range among the rays ``colour`` (P, each, 3) of a pixel, or towards a neighbour where that is larger."""
        brightest, darkest = colour[:, 0], colour[:, 0]
        for k in range(1, colour.shape[1]):
            brightest, darkest = np.maximum(brightest, colour[:, k]), np.minimum(darkest, colour[:, k])
        across, down = (np.abs(np.diff(picture, axis=axis)).max(2) for axis in (1, 0))
        beside = np.zeros(picture.shape[:2], np.float32)
        beside[:, 1:], beside[1:] = across, np.maximum(beside[1:], down)
        beside[:, :-1], beside[:-1] = np.maximum(beside[:, :-1], across), np.maximum(beside[:-1], down)
        return np.maximum((brightest - darkest).max(1), _BESIDE * beside[tuple(self.pixels.T[::-1])])

    def _gather(self) -> None:
        """Trace visibility once a pixel, on solid surfaces and on ribbons apart."""
        fragments, world = self.fragments, self.world
        first = np.flatnonzero(fragments.sample % self.base == 0)
        thin = world.translucent[world.owner[fragments.face[first]]]
        for kind in np.unique(thin):
            chosen = first[(thin == kind) & ~(kind & (fragments.layer[first] > 0))]
            points = locate(world, self.camera, fragments.take(chosen), self.xy)
            self._light[bool(kind)] = Visibility(world, self.studio, points, loose=bool(kind))

    def _rays(self, fragments: Fragments, xy: np.ndarray, under: np.ndarray, each: int) -> tuple[np.ndarray, np.ndarray]:
        """sRGB colour (P, each, 3) of the rays of P pixels over ``under`` (P, 3) linear, and how opaque (P, each) what they met is."""
        world, rays = self.world, len(xy)
        lens = np.asarray(self.camera.position, np.float32)
        light = np.empty((len(fragments), 3), np.float32)
        owner = world.owner[fragments.face]
        order = np.argsort(owner, kind="stable")
        ends = np.searchsorted(owner[order], np.arange(len(world.surfaces) + 1))
        for index, surface in enumerate(world.surfaces):
            for first in range(ends[index], ends[index + 1], _BATCH):
                part = order[first : min(first + _BATCH, ends[index + 1])]
                some = fragments.take(part)
                here = locate(world, self.camera, some, xy)
                outward = np.where(here.behind[:, None], -here.normal, here.normal)
                hits = world.hits(index, some.face, some.bary, here.position, outward)
                hits["footprint"] = some.depth / np.float32(self.camera.focal)
                seen = self._visibility(bool(world.translucent[index])).read(here)
                if world.translucent[index]:
                    seen *= np.float32(_DEEPER) ** some.layer[:, None]
                light[part] = shade(surface.material, hits, unit(lens - here.position), here.behind, seen, self.studio)
            if not np.isfinite(light[order[ends[index] : ends[index + 1]]]).all():
                raise ValueError(
                    f"the material of surface {surface.name!r} gave colours or normals that are not finite numbers."
                )
        light *= fragments.weight[:, None]
        alpha = np.bincount(fragments.sample, fragments.weight, rays).astype(np.float32)
        colour = np.repeat(under, each, axis=0) * (1 - np.minimum(alpha, 1))[:, None]
        for channel in range(3):
            colour[:, channel] += np.bincount(fragments.sample, light[:, channel], rays).astype(np.float32)
        return tone(colour).reshape(-1, each, 3), alpha.reshape(-1, each)

    def _visibility(self, thin: bool) -> Visibility:
        # A kind that only the later rays met has no map: an empty one traces at the fragments themselves.
        if thin not in self._light:
            nothing = locate(self.world, self.camera, self.fragments.take(np.zeros(0, np.int64)), self.xy)
            self._light[thin] = Visibility(self.world, self.studio, nothing, thin)
        return self._light[thin]

    def _enlarge(self, coarse: np.ndarray) -> np.ndarray:
        """(H, W, 3) of a coarse background."""
        width, height = self.camera.size
        step = _coarse(self.camera)
        full = cv2.resize(coarse, (coarse.shape[1] * step, coarse.shape[0] * step), interpolation=cv2.INTER_LINEAR)
        return full[:height, :width].copy()

    def _spread(self, values: np.ndarray) -> np.ndarray:
        """(H, W) float32 with the values of the touched pixels, 0 elsewhere."""
        out = np.zeros(self.camera.size[::-1], np.float32)
        out[self.pixels[:, 1], self.pixels[:, 0]] = values
        return out

    def _buffers(self, cover: np.ndarray) -> dict:
        """Per-pixel buffers of :class:`Render` from the first rays."""
        world, fragments, base, count = self.world, self.fragments, self.base, len(self.pixels)
        # A ray shows the hit that takes it past half opaque; a pixel the surface that most of its rays show.
        crossed = np.full(count * base, -1, np.int64)
        running = np.zeros(count * base, np.float32)
        for layer in range(int(fragments.layer.max(initial=0)) + 1):
            index = np.flatnonzero(fragments.layer == layer)
            sample = fragments.sample[index]
            before, after = running[sample], running[sample] + fragments.weight[index]
            running[sample] = after
            passes = (before < 0.5) & (after >= 0.5)
            crossed[sample[passes]] = index[passes]
        chosen = crossed.reshape(count, base)
        owner = np.where(chosen >= 0, world.owner[fragments.face[chosen]], -1)
        votes = sum((owner == owner[:, k : k + 1]) for k in range(base)) * (owner >= 0)
        shown = chosen[np.arange(count), votes.argmax(1)]
        full = np.flatnonzero((shown >= 0) & (cover >= 0.5))
        rows, columns = self.pixels[full, 1], self.pixels[full, 0]
        best = fragments.take(shown[full])
        points = locate(world, self.camera, best, self.xy)

        width, height = self.camera.size
        surface, face = np.full((height, width), -1, np.int16), np.full((height, width), -1, np.int32)
        bary, position, normal = (np.zeros((height, width, k), np.float32) for k in (2, 3, 3))
        depth = np.zeros((height, width), np.float32)
        surface[rows, columns] = points.owner
        face[rows, columns] = best.face - world.first_face[points.owner]
        bary[rows, columns] = best.bary
        position[rows, columns] = points.position
        depth[rows, columns] = best.depth
        normal[rows, columns] = points.normal @ self.camera.axes.T.astype(np.float32)
        alpha = self._spread(np.clip(cover, 0, 1))
        return {
            "surface": surface, "face": face, "bary": bary, "position": position, "depth": depth, "normal": normal, "alpha": alpha,
        }  # fmt: skip


def _near(world: Scene, camera: Camera) -> np.ndarray:
    """(P, 2) int32 pixels in cells of 8 that hold a vertex or whose middle shows something, and in the cells around those."""
    width, height = camera.size
    cell = 8
    across, down = -(-width // cell), -(-height // cell)
    x, y = np.meshgrid(np.arange(across), np.arange(down))
    middles = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32) * cell + (cell - 1) / 2
    flat = np.zeros(across * down, np.uint8)
    flat[world.trace(camera.position, camera.rays(middles)).sample] = 1
    found = flat.reshape(down, across)
    where = np.floor(camera.project(world.vertices) / cell).astype(int)
    where = where[((where >= 0) & (where < (across, down))).all(1)]
    found[where[:, 1], where[:, 0]] = 1
    found = cv2.dilate(found, np.ones((3, 3), np.uint8))
    found = np.repeat(np.repeat(found, cell, axis=0), cell, axis=1)[:height, :width]
    return np.argwhere(found)[:, ::-1].astype(np.int32)


def _coarse(camera: Camera) -> int:
    """Pixels between values of the background, which has no finer detail."""
    return max(1, round(camera.size[1] / 256))


def _backdrop(world: Scene, camera: Camera, studio: Studio, paper: np.ndarray) -> np.ndarray:
    """Seamless paper, a pool of light behind the figure, its shadow on the floor: linear RGB, one value every few pixels."""
    light = floor(world, studio, camera, _coarse(camera))
    x = (np.arange(light.shape[1], dtype=np.float32) - (light.shape[1] - 1) / 2) / len(light)
    y = np.arange(len(light), dtype=np.float32) / len(light) - 0.42
    around = (x / 0.62)[None] ** 2 + (y / 0.72)[:, None] ** 2
    pool = 1.07 - 0.17 * around / (0.4 + around) * 1.4
    return untone((pool * light)[..., None] * paper)


def _develop(picture: np.ndarray, seed: int) -> np.ndarray:
    """sRGB (H, W, 3) in 0..1 -> uint8, with half a step of grain so that gradients do not band."""
    grain = np.random.default_rng(seed).random(picture.shape[:2], dtype=np.float32)[..., None]
    return np.clip(picture * 255 + grain, 0, 255).astype(np.uint8)

"""What a product photograph's backdrop is, and how much each region of the picture is unlike it.

A backdrop is a smooth surface of colour, seen at the picture's border and growing inwards, with the spread that its texture has (paper
next to none, a wooden floor much). A shadow is the same colour darkened, entered without a sharp edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from scipy.spatial.distance import cdist

from helpers.graph import adjacency, connected, geodesic
from helpers.srgb import to_linear
from helpers.superpixels import boundaries, gradient_of, superpixels

AREA = 384 * 512
"""Pixels at which regions are found; larger pictures are reduced to it."""
CELL = 6.0
"""Spacing of the regions in working pixels."""
_FLOOR = np.array([0.5, 0.35, 0.35])
"""Least spread of a backdrop's regions in L, a and b: paper and the noise of a good camera."""
_SHADE = 0.55
"""What light is left in the deepest shadow that a backdrop is thought to have."""


@dataclass(frozen=True)
class Surroundings:
    """The regions of a picture and its backdrop; n regions, m pairs of neighbours.

    index: int32 (h, w), the region of each working pixel; lab: (n, 3) mean colour in CIE Lab; rgb: (n, 3) in linear light;
    area: (n,) pixels; centre: (n, 2) x, y; margin: (n,) way to the picture's border in longer sides of it; rim: bool (n,), at it
    pairs: (m, 2); length: (m,) pixels of common boundary; contrast: (m,) colour gradient along it; rough: (n,) gradient within
    calm: gradient between neighbours near the border; way: (n,) how sharp the edges are, in those, that must be crossed from the border
    backdrop: (n, 3) Lab that the backdrop would have there; spread: (3,) deviations of its regions from it
    grown: bool (n,), what is plainly backdrop
    """

    index: np.ndarray
    lab: np.ndarray
    rgb: np.ndarray
    area: np.ndarray
    centre: np.ndarray
    margin: np.ndarray
    rim: np.ndarray
    pairs: np.ndarray
    length: np.ndarray
    contrast: np.ndarray
    rough: np.ndarray
    calm: float
    way: np.ndarray
    backdrop: np.ndarray
    spread: np.ndarray
    grown: np.ndarray

    @classmethod
    def of(cls, image: np.ndarray) -> Surroundings:
        """image: uint8 (H, W, 3) RGB"""
        height, width = image.shape[:2]
        scale = min(1.0, float(np.sqrt(AREA / (height * width))))
        size = max(2, round(width * scale)), max(2, round(height * scale))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
        lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        gradient = gradient_of(lab, (0.7, 1.4))
        index = superpixels(lab, CELL)
        count = int(index.max()) + 1
        area = np.bincount(index.ravel(), minlength=count).astype(float)

        def mean(values: np.ndarray) -> np.ndarray:
            return np.bincount(index.ravel(), values.ravel(), count) / area

        linear = to_linear(small)
        colour, rgb = (np.stack([mean(v[..., k]) for k in range(3)], 1) for v in (lab, linear))
        ys, xs = np.mgrid[: size[1], : size[0]]
        centre = np.stack([mean(xs), mean(ys)], 1)
        rim = np.zeros(count, bool)
        rim[np.concatenate([index[0], index[-1], index[:, 0], index[:, -1]])] = True
        pairs, length, contrast = boundaries(index, gradient)
        margin = np.minimum(centre, size - centre).min(1) / max(size)
        outer = (margin < 0.06)[pairs].all(1)
        calm = max(float(np.percentile(contrast[outer], 50)), 0.12)
        way = _way(colour, rim, pairs, contrast / calm)
        near = np.log1p(way)
        backdrop, spread, grown = _backdrop(colour, centre, area, rim, pairs, size, near < threshold(near, area))
        return cls(
            index, colour, rgb, area, centre, margin, rim, pairs, length, contrast, mean(gradient), calm, way, backdrop, spread, grown
        )  # fmt: skip

    @cached_property
    def away(self) -> np.ndarray:
        """(n, 3) difference from the backdrop in its own deviations."""
        return (self.lab - self.backdrop) / self.spread

    @cached_property
    def shaded(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) light left, up to 1, if the region is backdrop in shadow, and (n,) by how many deviations it differs from that."""
        light = _linear_of(self.backdrop)
        weights = np.array([0.2126, 0.7152, 0.0722])
        left = np.clip((self.rgb @ weights + 1e-3) / (light @ weights + 1e-3), _SHADE, 1.0)
        shade = _lab_of(light * left[:, None])
        return left, np.sqrt((((self.lab - shade) / self.spread) ** 2).sum(1))

    @cached_property
    def behind(self) -> tuple[np.ndarray, float]:
        """(n,) 0..1.5, how far the region lies from before all edges (0) to behind them (1); and how far those two are apart."""
        far = np.log1p(self.way)
        limit = threshold(far, self.area)
        low, high = (float(np.average(far[s], weights=self.area[s])) if s.any() else limit for s in (far <= limit, far > limit))
        return np.clip((far - low) / max(high - low, 0.3), 0, 1.5), high - low

    @cached_property
    def seen_at_rim(self) -> np.ndarray:
        """(n,) -7..0, log likelihood of the colour among those along the border."""
        sample = self.lab[self.margin < 0.06]
        return density(self.lab, sample[:: max(1, len(sample) // 400)], np.maximum(1.2 * self.spread, 1.2))


def density(points: np.ndarray, sample: np.ndarray, width: np.ndarray) -> np.ndarray:
    """(n,) log of the density of ``sample`` (s, 3) at ``points`` (n, 3), kernels of ``width`` (3,); not below -7."""
    if not len(sample):
        return np.full(len(points), -7.0)
    squares = cdist(points / width, sample / width, "sqeuclidean")
    return np.log(np.exp(-0.5 * squares).mean(1) + np.exp(-7))


def threshold(values: np.ndarray, weight: np.ndarray) -> float:
    """Where ``values`` (n,) fall into two groups of least variance (Otsu), each counting by its ``weight`` (n,)."""
    order = np.argsort(values)
    v, w = values[order], weight[order]
    total, sums = np.cumsum(w), np.cumsum(w * v)
    low, high = sums / total, (sums[-1] - sums) / np.maximum(total[-1] - total, 1e-9)
    between = total * (total[-1] - total) * (high - low) ** 2
    return float(v[int(between[:-1].argmax())]) if len(v) > 1 else float(v[0])


def _way(lab: np.ndarray, rim: np.ndarray, pairs: np.ndarray, sharp: np.ndarray) -> np.ndarray:
    """(n,) length of the shortest way from the border, where a step costs by how ``sharp`` (m,) the edge is that it crosses."""
    graph = adjacency(pairs, np.maximum(sharp - 1.6, 0) ** 1.5 + 0.01, len(rim))
    usual = np.median(lab[rim], 0)
    off = np.linalg.norm(lab - usual, axis=1)
    sources = rim & (off < max(5.0, 2.5 * float(np.median(off[rim]))))  # a garment that is cut off at the border is no source
    return geodesic(graph, np.flatnonzero(sources))


def _backdrop(
    lab: np.ndarray,
    centre: np.ndarray,
    area: np.ndarray,
    rim: np.ndarray,
    pairs: np.ndarray,
    size: tuple[int, int],
    open_air: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The backdrop's colour in every region, its spread, and which regions are plainly of it: grown from the border, fitted again."""
    x, y = (2 * centre / np.array(size) - 1).T
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1)
    chosen, terms = rim, 3
    for _ in range(6):
        weight = np.ones((int(chosen.sum()), 1))
        design, target = basis[chosen, :terms], lab[chosen]
        for _ in range(6):
            fit = np.linalg.lstsq(design * weight, target * weight, rcond=None)[0]
            off = np.linalg.norm(target - design @ fit, axis=1, keepdims=True)
            weight = 1 / (1 + (off / max(1.5 * float(np.median(off)), 0.4)) ** 2)
        surface = basis[:, :terms] @ fit
        surface = surface + _smooth(lab - surface, chosen, centre, area, 0.09 * max(size), size)
        rest = lab - surface
        spread = np.maximum(1.25 * np.median(np.abs(rest[chosen]), axis=0), _FLOOR)
        z = np.sqrt(((rest / spread) ** 2).sum(1))
        near = (z < 4.5) & open_air
        grown = connected(pairs, near, np.flatnonzero(rim & near)) if (rim & near).any() else near
        if area[grown].sum() < 0.3 * area[rim].sum():
            break
        terms = 6 if area[grown].sum() > 0.15 * area.sum() else 3
        if (grown == chosen).all():
            break
        chosen = grown
    return surface, spread, chosen & (z < 4.5) & open_air


def _smooth(
    values: np.ndarray, known: np.ndarray, centre: np.ndarray, area: np.ndarray, sigma: float, size: tuple[int, int]
) -> np.ndarray:
    """(n, c) ``values`` smoothed over the ``known`` regions, fading to 0 away from them."""
    step = 8
    shape = -(-size[1] // step), -(-size[0] // step)
    column, row = (centre / step).astype(int).T
    place = row * shape[1] + column
    weight = area * known
    grids = [np.bincount(place, weight * v, shape[0] * shape[1]) for v in (*values.T, np.ones(len(area)))]
    soft = cv2.GaussianBlur(np.stack(grids, 1).reshape(*shape, -1), (0, 0), max(sigma / step, 0.5))
    return (soft[..., :-1] / (soft[..., -1:] + 0.02 * step**2))[row, column]


def _linear_of(lab: np.ndarray) -> np.ndarray:
    rgb = cv2.cvtColor(lab.astype(np.float32)[None], cv2.COLOR_LAB2RGB)[0].clip(0, 1)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _lab_of(linear: np.ndarray) -> np.ndarray:
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(rgb.astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]

"""A photograph as a graph of superpixels, with what can be told of each region before any click.

Everything is measured at a working size of about 200 000 pixels, so an image and its enlargement give the same graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from helpers.faces import find_face
from helpers.pixels import codebook
from helpers.segmentation.superpixel.figure import backdrop, foreground, head_zone, likeness_to_skin
from helpers.superpixels import boundaries, gradient_of, split, superpixels

WORKING_AREA = 384 * 512
"""Pixels at which regions are found; larger images are reduced to it."""
CELL = 7.0
"""Spacing of the superpixels in working pixels, fine enough for a sleeve on a full-length figure."""
UNLIKE = 3.2
"""Deviations from the backdrop at which a pixel is as likely in front of it."""


@dataclass(frozen=True)
class Regions:
    """Superpixels of one image and the graph between them; n regions, m pairs of neighbours.

    Lengths are in working pixels, colours in CIE Lab (L 0..100).
    """

    index: np.ndarray
    """(h, w) int32, the region of each working pixel, 0..n-1."""
    area: np.ndarray
    """(n,) pixels."""
    lab: np.ndarray
    """(n, 3) mean colour."""
    centre: np.ndarray
    """(n, 2) x, y."""
    pairs: np.ndarray
    """(m, 2) indices of neighbours, first < second."""
    length: np.ndarray
    """(m,) pixels of common boundary."""
    contrast: np.ndarray
    """(m,) gradient along the common boundary."""
    difference: np.ndarray
    """(m,) Lab distance of the two means."""
    change: np.ndarray
    """(m,) 0..1, how different the wider surroundings on the two sides are: about 0 inside a pattern."""
    code: np.ndarray
    """(n,) index into ``kinship``, the colour of the codebook nearest to the region's."""
    kinship: np.ndarray
    """(k, k) likeness 0..1 of the codebook's colours."""
    makeup: np.ndarray
    """(n, k) float32, share of each codebook colour in the region's surroundings; sums to 1."""
    figure: np.ndarray
    """(n,) 0..1, in front of the backdrop; all 1 where no backdrop can be told."""
    skin: np.ndarray
    """(n,) 0..1, likeness to skin."""
    head: np.ndarray
    """(n,) 0..1, in and around the detected face."""


def prepare(image: np.ndarray) -> Regions:
    """Find the regions of ``image`` (uint8 (H, W, 3) RGB) and measure them."""
    height, width = image.shape[:2]
    scale = min(1.0, float(np.sqrt(WORKING_AREA / (height * width))))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    distance, trust = backdrop(lab)
    index = superpixels(lab, CELL)
    if trust > 0.5:
        index = split(index, distance > UNLIKE)
    count = int(index.max()) + 1
    area = np.bincount(index.ravel(), minlength=count).astype(np.float64)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(index.ravel(), values.ravel(), count) / area

    colour = np.stack([mean(lab[..., c]) for c in range(3)], axis=1)
    ys, xs = np.mgrid[: size[1], : size[0]]
    centre = np.stack([mean(xs), mean(ys)], axis=1)
    pairs, length, contrast = boundaries(index, gradient_of(lab, (1.0, 2.0, 4.0)))
    figure = foreground(mean(1 / (1 + np.exp(UNLIKE - distance))), trust, area, pairs, length, index)
    face = find_face(small)
    code, kinship = codebook(colour, area, figure)
    makeup = _surroundings(code, len(kinship), figure, index)
    return Regions(
        index=index, area=area, lab=colour, centre=centre, pairs=pairs, length=length, contrast=contrast,
        difference=np.linalg.norm(colour[pairs[:, 0]] - colour[pairs[:, 1]], axis=1),
        change=_change(makeup, kinship, centre, pairs), code=code, kinship=kinship,
        makeup=_sample(makeup, centre),
        figure=figure, skin=likeness_to_skin(colour, lab, face, figure, centre), head=head_zone(centre, face),
    )  # fmt: skip


def _surroundings(code: np.ndarray, colours: int, figure: np.ndarray, index: np.ndarray) -> np.ndarray:
    """(h/4, w/4, k) float32, share of each colour around a place; the backdrop does not count beside the figure."""
    quarter = index[2::4, 2::4]
    weight = (0.02 + figure[quarter]).astype(np.float32)
    layers = np.eye(colours, dtype=np.float32)[code[quarter]] * weight[..., None]
    blurred = np.stack(
        [cv2.GaussianBlur(layers[..., k], (0, 0), 2.5, borderType=cv2.BORDER_REFLECT) for k in range(colours)], axis=2
    )
    return blurred / np.maximum(blurred.sum(axis=2, keepdims=True), 1e-9)


def _sample(makeup: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(m, k) the make-up at ``places`` (m, 2) in working pixels."""
    y = np.clip(np.round((places[:, 1] - 2) / 4).astype(int), 0, makeup.shape[0] - 1)
    x = np.clip(np.round((places[:, 0] - 2) / 4).astype(int), 0, makeup.shape[1] - 1)
    return makeup[y, x]


def unlike(a: np.ndarray, b: np.ndarray, kinship: np.ndarray) -> np.ndarray:
    """0..1, how different two make-ups (..., k) are, kindred colours counting as nearly the same."""
    a, b = a @ kinship, b @ kinship
    a, b = a / a.sum(axis=-1, keepdims=True), b / b.sum(axis=-1, keepdims=True)
    return np.sqrt(np.maximum(0.0, 1 - np.sqrt(a * b).sum(axis=-1)))


def _change(makeup: np.ndarray, kinship: np.ndarray, centre: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(m,) how different the surroundings a pattern's width to either side of a boundary are."""
    a, b = centre[pairs[:, 0]], centre[pairs[:, 1]]
    across = (b - a) / np.maximum(np.linalg.norm(b - a, axis=1, keepdims=True), 1e-9)
    middle = (a + b) / 2
    return unlike(_sample(makeup, middle - 12 * across), _sample(makeup, middle + 12 * across), kinship)

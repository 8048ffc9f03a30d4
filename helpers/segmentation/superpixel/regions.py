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
from helpers.superpixels import Mosaic, lab_of, mosaic, reduced

UNLIKE = 3.2
"""Deviations from the backdrop at which a pixel is as likely in front of it."""


@dataclass(frozen=True)
class Regions(Mosaic):
    """A picture's superpixels with what else is known of them; n regions, m pairs of neighbours."""

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
    small, _ = reduced(image)
    lab = lab_of(small)
    distance, trust = backdrop(lab)
    cut = mosaic(lab, (1.0, 2.0, 4.0), distance > UNLIKE if trust > 0.5 else None)
    figure = foreground(cut.mean(1 / (1 + np.exp(UNLIKE - distance))), trust, cut.area, cut.pairs, cut.length, cut.index)
    face = find_face(small)
    code, kinship = codebook(cut.lab, cut.area, figure)
    makeup = _surroundings(code, len(kinship), figure, cut.index)
    return Regions(
        **vars(cut),
        difference=np.linalg.norm(cut.lab[cut.pairs[:, 0]] - cut.lab[cut.pairs[:, 1]], axis=1),
        change=_change(makeup, kinship, cut.centre, cut.pairs), code=code, kinship=kinship, makeup=_sample(makeup, cut.centre),
        figure=figure, skin=likeness_to_skin(cut.lab, lab, face, figure, cut.centre), head=head_zone(cut.centre, face),
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

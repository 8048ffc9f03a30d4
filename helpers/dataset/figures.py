"""Mannequins with what they wear, worn and as its product photograph: pairs whose truth is exact, down to which place shows which.

A :class:`Figure` is sewn and draped once, which is most of the work; its ``pair`` is a picture of it in other cloth, light and view.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from scipy.spatial import cKDTree

from helpers.dataset import chance
from helpers.garment import Garment
from helpers.mannequin import truth
from helpers.mannequin.body.figure import Body, make_body
from helpers.mannequin.cloth.wardrobe import Worn, dress, product_shape, sole_height, surfaces
from helpers.mannequin.engine import assembled
from helpers.mannequin.fabric.material import fabric_material
from helpers.mannequin.outfit import Fabric, Outfit
from helpers.mannequin.render import studio
from helpers.mannequin.render.trace import Scene, interpolate
from helpers.mannequin.surface import Material
from helpers.mannequin.words.prompt import parse
from helpers.person import Person

_TRIES = 12
_SEEN = 0.03  # of the person's picture that the garment has to fill
_DEEP = 0.012  # metres within which what the lens sees is the place that was meant
_SAME = 0.02  # metres of cloth within which a place of one sheet is found on another
_BEFORE = {"image": 0.6}  # how often something else than the studio's paper lies behind


@dataclass(frozen=True)
class Pair:
    """person:  in the garment; worn: bool (H, W), what of it is seen there
    garment: its product photograph, in the wearer's size
    source:  float32 (H, W, 2), for each pixel of the product photograph the x and y in the person's picture at which the same place of the
             cloth is seen, NaN where it is hidden or nothing
    """

    person: Person
    worn: np.ndarray
    garment: Garment
    source: np.ndarray


class Figure:
    """The figure ``number`` of ``seed``, dressed. Poses that no cloth can be draped on are drawn anew; the same numbers, the same figure.

    category: of the garment, ``upper``, ``lower`` or ``dress``
    """

    def __init__(self, seed: int, number: int, category: str = "upper") -> None:
        self.seed, self.number, self.category = seed, number, category
        for attempt in range(_TRIES):
            rng = np.random.default_rng([seed, number, attempt])
            self.words = chance.words(rng, category)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                outfit = parse(self.words, int(rng.integers(1 << 31)))
            try:
                self.body, self.worn = _dressed(outfit, rng)
            except ValueError:  # a pose in which cloth cannot be draped
                continue
            break
        else:
            raise ValueError(f"seed {seed}: figure {number} could not be dressed. Choose another seed.")
        self.outfit: Outfit = outfit
        self.index = max(k for k, piece in enumerate(outfit.pieces) if piece.category == category)
        self.flat = product_shape(_plain(outfit)[self.index], outfit.figure)
        parts = assembled(self.body, self.worn, outfit.pieces, number)
        self.bare = parts[: len(parts) - len(self.worn)]
        self.tall = max(float(part.vertices[:, 1].max()) for part in parts)
        self.scene = Scene(parts)
        self.product_scene = Scene(surfaces([self.flat], (outfit.pieces[self.index],), fabric_material))

    def pair(self, variant: int, size: tuple[int, int]) -> Pair:
        """The pair ``variant`` of this figure, pictures of ``size`` (width, height); a view in which too little is seen is drawn anew."""
        for attempt in range(_TRIES):
            rng = np.random.default_rng([self.seed, self.number, variant, attempt, 1])
            pieces, emblem = chance.recoloured(self.outfit, rng), chance.emblem(rng)

            def material(fabric: Fabric, emblem: np.ndarray = emblem) -> Material:
                return fabric_material(fabric, print_image=emblem if fabric.pattern == "print" else None)

            clothes = surfaces(self.worn, pieces, material)
            scene, view, lamps = (
                self.scene.recoloured([*self.bare, *clothes]),
                chance.camera(rng, self.tall, size, self.category),
                chance.light(rng),
            )
            paper = "#{:02x}{:02x}{:02x}".format(*rng.integers(90, 256, 3))
            shot = studio.render(scene, view, paper, int(rng.integers(1 << 31)), lamps)
            known = truth.annotate(shot, self.body)
            worn = known["garments"][pieces[self.index].kind]
            if worn.mean() >= _SEEN:
                break
        else:
            raise ValueError(f"seed {self.seed}: figure {self.number} shows too little of its garment. Choose another seed.")
        piece = replace(pieces[self.index])
        flat = studio.render_product(self.product_scene.recoloured(surfaces([self.flat], (piece,), material)), size, variant)
        image = shot.image
        if rng.random() < _BEFORE["image"]:
            image = _before(shot, chance.behind(rng, size))
        scene_note: dict[str, Any] = {"engine": "mannequin", "camera": view.to_dict(), "words": self.words}
        return Pair(
            Person(image, **known, scene=scene_note),
            worn,
            Garment(flat.image, flat.alpha >= 0.5, self.category, piece.kind),
            _source(flat, shot, self.flat, self.worn, self.index),
        )


def _plain(outfit: Outfit) -> tuple:
    """The pieces by their shape alone, in which colours have no part."""
    return tuple(replace(piece, fabric=Fabric(weave=piece.fabric.weave)) for piece in outfit.pieces)


def _dressed(outfit: Outfit, rng: np.random.Generator) -> tuple[Body, list[Worn]]:
    shoes = next((piece.style for piece in outfit.pieces if piece.category == "shoes"), None)
    body = make_body(outfit.figure, sole_height(shoes), chance.pose(rng))
    return body, dress(body, _plain(outfit))


def _before(shot: studio.Render, behind: np.ndarray) -> np.ndarray:
    """The picture with ``behind`` in place of the studio's paper, of which the outline's pixels hold a share."""
    empty = (shot.alpha == 0).astype(np.float32)
    spread = 0.02 * max(shot.alpha.shape)
    paper = cv2.GaussianBlur(shot.image * empty[..., None], (0, 0), spread)
    paper /= np.maximum(cv2.GaussianBlur(empty, (0, 0), spread), 1e-4)[..., None]
    through = (1 - shot.alpha)[..., None]
    picture = np.where(through < 1, shot.image + through * (behind - paper), behind)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _source(flat: studio.Render, shot: studio.Render, sheet: Worn, worn: list[Worn], index: int) -> np.ndarray:
    """See :class:`Pair`: the flat picture's places, found on the worn cloth, as the lens sees them."""
    out = np.full((*flat.surface.shape, 2), np.nan, np.float32)
    met = flat.surface >= 0
    item = next(item for item in worn if item.index == index)
    corners, bary = sheet.mesh.faces[flat.face[met]], flat.bary[met]
    if np.array_equal(sheet.mesh.faces, item.mesh.faces):  # sewn alike
        place, found = interpolate(item.mesh.vertices.astype(np.float32), corners, bary), np.ones(len(corners), bool)
    else:  # tucked in: less of it was draped
        place, found = _by_cloth(sheet, corners, bary, item)
    xy, depth = shot.camera.project(place), shot.camera.depth(place)
    column, row = np.rint(xy).astype(int).T
    height, width = shot.surface.shape
    found &= (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = np.where(found, column, 0), np.where(found, row, 0)
    part = next(k for k, surface in enumerate(shot.scene.surfaces) if surface.garment == index)
    found &= (shot.surface[row, column] == part) & (np.abs(shot.depth[row, column] - depth) < _DEEP)
    out[met] = np.where(found[:, None], xy, np.nan)
    return out


def _by_cloth(sheet: Worn, corners: np.ndarray, bary: np.ndarray, item: Worn) -> tuple[np.ndarray, np.ndarray]:
    """Places (N, 3) on ``item`` that have the same place on their panel as those on ``sheet``, and which of them there are."""

    def panels(mesh: Any) -> np.ndarray:
        return np.column_stack([mesh.uv, np.asarray(mesh.attributes["panel"]).reshape(len(mesh.uv)) * 10])

    wanted = panels(sheet.mesh)
    flat = interpolate(wanted.astype(np.float32), corners, bary)
    flat[:, 2] = wanted[corners[:, 0], 2]
    distance, near = cKDTree(panels(item.mesh)).query(flat, k=4)
    share = 1 / np.maximum(distance, 1e-5)
    place = np.einsum("nk,nkc->nc", share / share.sum(1, keepdims=True), item.mesh.vertices[near])
    return place, distance[:, 0] < _SAME

"""From sheets of cloth to a garment: draping in two steps, trims joined on, and what the next layer and the skin have to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from helpers.mannequin.cloth.form import LEFT_ARM, MEETS, RIGHT_ARM, TRUNK, Form
from helpers.mannequin.cloth.patterns import WEAVES
from helpers.mannequin.cloth.sheet import Sheet
from helpers.mannequin.cloth.simulate import Obstacles
from helpers.mannequin.cloth.trims import Mesh, join
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.mesh import vertex_normals
from helpers.mannequin.outfit import Piece

FAR = 0.25  # metres: where no edge is near
_NO_PANEL = 15.0
_BULK = 0.0045  # metres a waistband is thick
_OPENINGS = ("neck", "cuff", "hem", "waist", "front")


@dataclass
class Sewn:
    """Sewn and draped: ``mesh`` the cloth with its trims, ``edge`` (V,) metres to the nearest opening, ``sleeve`` and ``waist``
    (V,) bool, where it is on an arm or on the waist's edge, ``obstacles`` for the next layer; ``inside`` is that part of them which
    a waist closes over where it is tucked in."""

    mesh: Mesh
    edge: np.ndarray
    sleeve: np.ndarray
    waist: np.ndarray
    obstacles: Obstacles
    inside: Obstacles | None = None


def body_obstacles(form: Form, feet: bool = True) -> Obstacles:
    """The posed body as cloth meets it, with or without its ``feet``."""
    points = form.body.skin(form.rest, form.hull.weights)
    rows = feet | (form.hull.points[:, 1] > 0.12)
    return Obstacles(points[rows], vertex_normals(points, form.hull.faces)[rows], form.hull.part[rows], MEETS)


def padded(body: Obstacles, inner: Sewn, reach: float = 0.12) -> Obstacles:
    """The ``body`` smoothed above the waistband of what is worn ``inner``, so that a top falls over it without a step."""
    band = np.flatnonzero(inner.waist)
    if not len(band):
        return body
    points, normals = body.points[:-1], body.normals[:-1]
    distance = cKDTree(inner.mesh.vertices[band]).query(points, distance_upper_bound=reach)[0]
    rise = _BULK * (1 - smoothstep(0.0, reach, np.minimum(distance, reach))) * (body.part[:-1] == TRUNK)
    return Obstacles(points + rise[:, None] * normals, normals, body.part[:-1], body.meets)


def settled(sheet: Sheet, piece: Piece, obstacles: list[Obstacles]) -> Sheet:
    """``sheet`` refined and draped in the weave of ``piece``, its edges ironed."""
    cloth = WEAVES[piece.fabric.weave]
    sheet.settle(obstacles, cloth)
    fine = sheet.refined()
    fine.settle(obstacles, replace(cloth, steps=8, bend=0.2 + 0.6 * cloth.bend))  # wrinkles finer than this look crumpled
    fine.smooth_edges()
    return fine


def ribbed(trim: Mesh, amount: float = 1.0) -> Mesh:
    """``trim`` as knitted rib, by ``amount`` 0..1."""
    trim.attributes["rib"] = np.full(len(trim.vertices), amount)
    return trim


def assembled(
    parts: list[tuple[Sheet, list[Mesh]]], inner: tuple[str, ...] = (), ribs: Mapping[str, float] | None = None
) -> Sewn:
    """Joins sheets and their trims.

    ``inner``: the bottom line of the first and the top line of the second sheet, sewn together; ``ribs``: line -> width of the
    knitted band along it.
    """
    meshes, edges, sleeves, waists, points, normals, part = [], [], [], [], [], [], []
    for number, (sheet, trims) in enumerate(parts):
        open_lines = [name for name in _OPENINGS if name in sheet.lines and not (inner and name == inner[number])]
        w = sheet.wedge_vertex
        mesh = sheet.mesh()
        mesh.attributes |= {name: value[w] for name, value in _finish(sheet, open_lines, ribs or {}).items()}
        meshes.append(mesh)
        edges.append(np.min([sheet.distance(name) for name in open_lines], axis=0)[w])
        on_arm = np.isin(sheet.part, (LEFT_ARM, RIGHT_ARM))
        sleeves.append(on_arm[w])
        waists.append(sheet.lines.get("waist", np.zeros(len(sheet.rest), bool))[w])
        for trim in trims:
            count = len(trim.vertices)
            plain = {"panel": np.full(count, _NO_PANEL), "hem": np.full(count, FAR)}
            trim.attributes = plain | trim.attributes
            meshes.append(trim)
            edges.append(np.zeros(count))
            sleeves.append(on_arm[cKDTree(sheet.start).query(trim.vertices)[1]])
            waists.append(np.zeros(count, bool))
        outward = vertex_normals(sheet.start, sheet.faces)
        bulk = np.where(sheet.distance("waist") < 0.05, _BULK, 0.0015)
        points.append(sheet.start + bulk[:, None] * outward)
        normals.append(outward)
        part.append(sheet.part)
    obstacles = Obstacles(np.concatenate(points), np.concatenate(normals), np.concatenate(part), MEETS, 0.05)
    return Sewn(join(meshes), np.concatenate(edges), np.concatenate(sleeves), np.concatenate(waists), obstacles)


def _finish(sheet: Sheet, open_lines: list[str], ribs: Mapping[str, float]) -> dict[str, np.ndarray]:
    """(V,) attributes of the cloth itself: topstitching along its edges unless they are knitted bands."""
    stitched = [name for name in open_lines if name not in ribs and name != "waist"]
    hem = np.min([sheet.stitch_distance(name) for name in stitched], axis=0) if stitched else np.full(len(sheet.start), FAR)
    knitted = np.zeros(len(sheet.start))
    for name, width in ribs.items():
        knitted = np.maximum(knitted, np.clip((width - sheet.stitch_distance(name)) / 0.006 + 0.5, 0, 1))
    return {"hem": hem, "rib": knitted}

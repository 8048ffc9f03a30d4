"""The wardrobe: dressing a body in the pieces of an outfit, and what is worn as surfaces for the renderer.

Attributes of a garment's surface, each (V,): ``panel`` (0 on the front; see ``patterns``), ``hem`` metres to the nearest stitched
edge (0.25 where far or where nothing is stitched), ``rib`` 1 on knitted ribs, ``fade`` 0..1 where denim is worn, ``trim`` 0..1 in
the accent colour. uv is metres of cloth, on the front panel with the origin at the chest's centre.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from helpers.labels import nearest
from helpers.mannequin.body.figure import Body, make_body
from helpers.mannequin.cloth.assembly import Sewn, body_obstacles, padded
from helpers.mannequin.cloth.form import LEFT_ARM, LEFT_LEG, MEETS, RIGHT_ARM, Form
from helpers.mannequin.cloth.patterns import base_hull
from helpers.mannequin.cloth.sewing import sew, underlayer, waist_of
from helpers.mannequin.cloth.shoes import shoes, sole_height
from helpers.mannequin.cloth.simulate import Obstacles
from helpers.mannequin.cloth.trims import Mesh, join
from helpers.mannequin.garments import KINDS
from helpers.mannequin.outfit import Fabric, Figure, Piece
from helpers.mannequin.surface import Material, Surface

__all__ = ["Worn", "dress", "hide", "product_shape", "sole_height", "surfaces"]


@dataclass
class Worn:
    """A piece on a body.

    ``mesh`` with everything sewn to it; ``labels`` (F,) uint8 CIHP; ``index`` its place in the outfit's pieces, -1 for the
    underlayer; ``edge`` (V,) metres to the nearest opening of the garment; ``sleeve`` (V,) bool where it is on an arm. Skin
    ``inside`` metres from every opening and less than ``reach`` below the cloth cannot be seen.
    """

    piece: Piece
    mesh: Mesh
    labels: np.ndarray
    index: int
    edge: np.ndarray
    sleeve: np.ndarray
    inside: float
    reach: float


def dress(body: Body, pieces: Sequence[Piece]) -> list[Worn]:
    """The ``pieces`` (inner to outer) draped on ``body``. Same body and pieces, same vertices; colours play no part."""
    form = Form(body, base_hull())
    skin = body_obstacles(form)
    layers: list[tuple[Obstacles, Obstacles | None]] = []
    out: list[Worn] = []
    waists = {i: waist_of(piece) for i, piece in enumerate(pieces) if piece.category == "lower"}
    # Shoes first: trousers break on them.
    for index in sorted(range(len(pieces)), key=lambda i: pieces[i].category != "shoes"):
        piece = pieces[index]
        if piece.category == "shoes":
            worn, obstacle = _shod(piece, index, form)
            layers.append((obstacle, None))
        else:
            inner = [inside if inside and piece.category == "lower" else whole for whole, inside in layers]
            if KINDS[piece.kind].open:
                inner, out = [_armless(layer) for layer in inner], [_under_sleeves(item) for item in out]
            # A top that comes before what is worn below is under it: tucked in.
            garment = sew(piece, form, [skin, *inner], next((waist for i, waist in waists.items() if i > index), None))
            worn = _worn(piece, index, garment)
            skin = padded(skin, garment)
            layers.append((garment.obstacles, garment.inside))
        out.append(worn)
    return [_seen(_worn(piece, -1, underlayer(piece, form)), out) for piece in _underneath(pieces)] + out


_ARMHOLE, _SEAM = 0.2, 0.04  # metres that an armhole is deep, and beside it where an inner garment may not be seen


def _armless(layer: Obstacles) -> Obstacles:
    """``layer`` without its sleeves, so that an open garment's fall over the arms as if there were none inside them."""
    kept = ~np.isin(layer.part[:-1], (LEFT_ARM, RIGHT_ARM))
    return Obstacles(layer.points[:-1][kept], layer.normals[:-1][kept], layer.part[:-1][kept], layer.meets, layer.reach)


def _under_sleeves(worn: Worn) -> Worn:
    """``worn`` without its sleeves and the seams that they are set in, which the long sleeves over it hide."""
    if not worn.sleeve.any():
        return worn
    points = worn.mesh.vertices
    height = points[worn.sleeve, 1]
    shoulders = points[worn.sleeve][height > height.max() - _ARMHOLE]
    hidden = worn.sleeve | np.isfinite(cKDTree(shoulders).query(points, distance_upper_bound=_SEAM)[0])
    return _without(worn, hidden[worn.mesh.faces].all(axis=1))


def _without(worn: Worn, gone: np.ndarray) -> Worn:
    """``worn`` without the faces that are ``gone`` (F,) bool."""
    return replace(worn, mesh=replace(worn.mesh, faces=worn.mesh.faces[~gone]), labels=worn.labels[~gone])


def _seen(worn: Worn, outer: Sequence[Worn]) -> Worn:
    """``worn`` without the faces that the ``outer`` garments cover."""
    return _without(worn, _covered(worn.mesh.vertices, np.zeros(len(worn.edge), bool), outer)[worn.mesh.faces].all(axis=1))


def _underneath(pieces: Sequence[Piece]) -> list[Piece]:
    """The plain underlayer of figures that would else be bare, and below skirts."""
    kinds = {piece.category for piece in pieces}
    plain = Fabric("#e6e0d8", weave="jersey")
    out = []
    if "lower" not in kinds or any(KINDS[piece.kind].cut == "skirt" for piece in pieces):
        out.append(Piece("shorts", plain))
    if all(KINDS[piece.kind].open for piece in pieces if piece.category in ("upper", "dress")):
        out.append(Piece("tank top", plain))
    return out


def _shod(piece: Piece, index: int, form: Form) -> tuple[Worn, Obstacles]:
    pair = shoes(piece.style or "sneakers", form)
    meshes = {part: mesh for part, (mesh, _) in pair.items()}
    sides = {part: nearest(f"{'left' if part == LEFT_LEG else 'right'}-{KINDS[piece.kind].label}") for part in meshes}
    labels = [np.full(len(mesh.faces), sides[part], np.uint8) for part, mesh in meshes.items()]
    part = np.concatenate([np.full(len(mesh.vertices), part) for part, mesh in meshes.items()])
    mesh = join(list(meshes.values()))
    edge = np.concatenate([edge for _, edge in pair.values()])
    worn = Worn(piece, mesh, np.concatenate(labels), index, edge, np.zeros(len(edge), bool), 0.012, 0.04)
    return worn, Obstacles(mesh.vertices, mesh.normals, part, MEETS, 0.04)


def _worn(piece: Piece, index: int, garment: Sewn) -> Worn:
    kind = KINDS[piece.kind]
    inside, reach = (0.09, 0.25) if kind.style.skirt else (0.045, 0.08)
    labels = np.full(len(garment.mesh.faces), nearest(kind.label), np.uint8)
    return Worn(piece, garment.mesh, labels, index, garment.edge, garment.sleeve, inside, reach)


def surfaces(worn: Sequence[Worn], pieces: Sequence[Piece], material_for: Callable[[Fabric], Material]) -> list[Surface]:
    """Everything worn as surfaces; ``pieces`` bring the colours, so they may differ from those that were draped in colour only."""
    out = []
    for item in worn:
        piece = pieces[item.index] if item.index >= 0 else item.piece
        mesh, material = item.mesh, material_for(piece.fabric)
        if piece.category == "shoes":
            material = replace(material, kind="shoe")
        out.append(
            Surface(
                piece.kind,
                mesh.vertices,
                mesh.faces,
                material,
                item.labels,
                mesh.uv,
                mesh.normals,
                mesh.attributes,
                item.index,
            )
        )
    return out


def hide(skin: Sequence[Surface], body: Body, worn: Sequence[Worn]) -> list[Surface]:
    """``skin`` without the faces that lie well inside a garment."""
    shell = body.template.tights
    bones = body.template.region("upperarm", "lowerarm", "wrist", "metacarpal", "finger")[shell.indices]
    tree = cKDTree(body.posed[shell.indices])
    out = []
    for surface in skin:
        arm = bones[tree.query(surface.vertices)[1]] > 0.5
        keep = ~_covered(surface.vertices, arm, worn)[surface.faces].all(axis=1)
        out.append(surface if keep.all() else replace(surface, faces=surface.faces[keep], labels=surface.labels[keep]))
    return out


def _covered(points: np.ndarray, arm: np.ndarray, worn: Sequence[Worn]) -> np.ndarray:
    """(N,) bool: which ``points`` lie well inside one of ``worn``; sleeves hide what is on an ``arm`` (N,), nothing else does."""
    out = np.zeros(len(points), bool)
    for item in worn:
        cloth = np.flatnonzero(item.edge > item.inside)
        if not len(cloth):
            continue
        low, high = item.mesh.vertices[cloth].min(axis=0) - item.reach, item.mesh.vertices[cloth].max(axis=0) + item.reach
        box = np.flatnonzero(~out & ((points > low) & (points < high)).all(axis=1))
        distance, near = cKDTree(item.mesh.vertices).query(points[box], distance_upper_bound=item.reach)
        hit = np.flatnonzero(np.isfinite(distance))
        box, near, distance = box[hit], near[hit], distance[hit]
        depth = np.einsum("ij,ij->i", points[box] - item.mesh.vertices[near], item.mesh.normals[near])
        inside = (depth < -0.5 * distance) | ((depth < 0.002) & (distance < 0.006))
        out[box[inside & (item.edge[near] > item.inside) & (item.sleeve[near] == arm[box])]] = True
    return out


def product_shape(piece: Piece, wearer: Figure | None = None) -> Worn:
    """``piece`` alone on an invisible figure, arms away from the body, for a product photograph. wearer: in whose size, else the shop's"""
    woman = KINDS[piece.kind].wearer == "woman"
    body = make_body(wearer or Figure("woman" if woman else "man", height=1.68 if woman else 1.8))
    if piece.category != "lower":
        body = replace(body, posed=body.rest, transforms=np.broadcast_to(np.eye(4), body.transforms.shape))
    form = Form(body, base_hull())
    if piece.category == "shoes":
        return _shod(piece, 0, form)[0]
    return _worn(piece, 0, sew(piece, form, [body_obstacles(form, feet=False)]))

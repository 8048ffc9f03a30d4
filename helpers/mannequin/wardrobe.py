"""The wardrobe: dressing a body in pieces of an outfit, and the garments as surfaces for the renderer.

Attributes of a garment's surface, each (V,): ``panel`` (0 on the front; see ``patterns``), ``hem`` metres to the nearest finished
edge (0.25 where far or where nothing is stitched), ``rib`` 1 on knitted ribs, ``fade`` 0..1 where denim is worn, ``trim`` 0..1 in
the accent colour. uv is metres of cloth, on the front panel with the origin at the chest's centre.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from .body import Body, make_body
from .drape import Obstacles
from .form import MEETS, TRUNK, Form, smoothstep
from .outfit import Fabric, Figure, Piece
from .patterns import TOP_HEMS, TROUSER_HEMS, WEAVES, base_hull, cut_top, cut_trousers, ease_of
from .sheet import Sheet
from .skirts import Skirt, skirt_sheet
from .surface import Material, Surface, vertex_normals
from .tailor import sheet_of
from .trims import Mesh, join, rib, sweep, turned_hem

LABELS = {"upper": 5, "dress": 6, "lower": 9, "shoes": 18}  # CIHP
_SKIRT_LABEL = 12
_NO_PANEL = 15.0
_FAR = 0.25


@dataclass
class Worn:
    """A piece on a body: ``mesh`` the cloth, ``label`` CIHP, ``edge`` (V,) metres to the nearest opening of the garment;
    ``index`` its place in the outfit's pieces, -1 for the underlayer. ``inside``: skin this far from every opening and less than
    ``reach`` below the cloth cannot be seen."""

    piece: Piece
    mesh: Mesh
    label: int
    index: int
    edge: np.ndarray
    inside: float = 0.045
    reach: float = 0.08


def dress(body: Body, pieces: Sequence[Piece]) -> list[Worn]:
    """The ``pieces`` (inner to outer) draped on ``body``. Same body and pieces, same vertices; colours play no part."""
    form = Form(body, base_hull())
    rng = np.random.default_rng(len(pieces))
    obstacles = [_body_obstacles(form)]
    out = []
    for index, piece in enumerate(pieces):
        if piece.kind == "shoes":
            continue
        sheets = _MAKERS[piece.kind](piece, form, rng)
        worn = _finish(piece, index, sheets, obstacles)
        obstacles.append(worn[1])
        out.append(worn[0])
    return out


def _body_obstacles(form: Form) -> Obstacles:
    points = form.body.skin(form.rest, form.hull.weights)
    return Obstacles(points, vertex_normals(points, form.hull.faces), form.hull.part, MEETS)


def _settled(sheet: Sheet, piece: Piece, obstacles: list[Obstacles]) -> Sheet:
    cloth = WEAVES[piece.fabric.weave]
    sheet.unroll()
    sheet.settle(obstacles, cloth)
    fine = sheet.refined()
    fine.settle(obstacles, replace(cloth, steps=8))
    fine.smooth_edges()
    return fine


def _top(piece: Piece, form: Form, rng: np.random.Generator) -> list[Sheet]:
    sheet = sheet_of(
        cut_top(TOP_HEMS[piece.length or "regular"], piece.sleeve or "short", piece.neckline or "crew"), form, ease_of(piece)
    )
    normals = vertex_normals(sheet.start, sheet.faces)
    shoulder = 0.5 * smoothstep(normals[:, 1], 0.5, 0.85) * (sheet.distance("neck") < 0.12)
    sheet.held = np.maximum(shoulder, 0.6 * np.exp(-((sheet.distance("neck") / 0.02) ** 2)))
    return [sheet]


def _trousers(piece: Piece, form: Form, rng: np.random.Generator) -> list[Sheet]:
    sheet = sheet_of(cut_trousers(1.03, TROUSER_HEMS[piece.length or "full"]), form, ease_of(piece))
    sheet.held = np.exp(-((sheet.distance("waist") / 0.035) ** 2))
    return [sheet]


def _skirt(piece: Piece, form: Form, rng: np.random.Generator) -> list[Sheet]:
    hem = {"mini": 0.66, "knee": 0.46, "midi": 0.31, "ankle": 0.13}[piece.length or "mini"]
    shape = {
        "mini skirt": Skirt(1.06, hem, flare=0.16, gather=0.12, folds=11),
        "midi skirt": Skirt(1.09, hem, flare=0.06, gather=0.25, folds=15, from_waist=True),
        "a-line skirt": Skirt(1.09, hem, flare=0.26, gather=0.10, folds=9),
    }[piece.kind]
    return [skirt_sheet(shape, form, rng)]


_MAKERS: dict[str, Callable[[Piece, Form, np.random.Generator], list[Sheet]]] = {
    "t-shirt": _top,
    "trousers": _trousers,
    "mini skirt": _skirt,
    "midi skirt": _skirt,
    "a-line skirt": _skirt,
}


def _finish(piece: Piece, index: int, sheets: list[Sheet], obstacles: list[Obstacles]) -> tuple[Worn, Obstacles]:
    sheets = [_settled(sheet, piece, obstacles) for sheet in sheets]
    meshes, edges = [], []
    for sheet in sheets:
        mesh = sheet.mesh(())
        openings = [name for name in ("neck", "cuff", "hem", "waist") if name in sheet.lines]
        edge = np.min([sheet.distance(name) for name in openings], axis=0)[sheet.wedge_vertex]
        mesh.attributes = {"panel": mesh.attributes["panel"], "hem": edge, "rib": np.zeros(len(edge))}
        meshes.append(mesh)
        edges.append(edge)
        for name, loops in sheet.edges().items():
            for loop in loops:
                knitted = name == "neck"
                trim = sweep(sheet.edge(loop), rib(0.018) if knitted else turned_hem(), 0)
                count = len(trim.vertices)
                trim.attributes = {
                    "panel": np.full(count, _NO_PANEL),
                    "hem": np.full(count, _FAR),
                    "rib": np.full(count, float(knitted)),
                }
                meshes.append(trim)
                edges.append(np.zeros(count))
    start, normals = sheets[0].start, vertex_normals(sheets[0].start, sheets[0].faces)
    label = _SKIRT_LABEL if "skirt" in piece.kind else LABELS[piece.category]
    wide = "skirt" in piece.kind or piece.category == "dress"
    worn = Worn(piece, join(meshes), label, index, np.concatenate(edges), 0.09 if wide else 0.045, 0.25 if wide else 0.08)
    return worn, Obstacles(start, normals, sheets[0].part, MEETS, 0.05)


def surfaces(worn: Sequence[Worn], pieces: Sequence[Piece], material_for: Callable[[Fabric], Material]) -> list[Surface]:
    """Everything worn as surfaces; ``pieces`` bring the colours, so they may differ from those that were draped in colour only."""
    out = []
    for item in worn:
        piece = pieces[item.index] if item.index >= 0 else item.piece
        mesh = item.mesh
        labels = np.full(len(mesh.faces), item.label, np.uint8)
        out.append(
            Surface(
                piece.kind,
                mesh.vertices,
                mesh.faces,
                material_for(piece.fabric),
                labels,
                mesh.uv,
                mesh.normals,
                mesh.attributes,
                item.index,
            )
        )
    return out


def hide(skin: Sequence[Surface], body: Body, worn: Sequence[Worn]) -> list[Surface]:
    """``skin`` without the faces that lie well inside a garment."""
    out = []
    for surface in skin:
        covered = np.zeros(len(surface.vertices), bool)
        for item in worn:
            near = cKDTree(item.mesh.vertices).query(surface.vertices, distance_upper_bound=item.reach)[1]
            hit = np.flatnonzero(near < len(item.mesh.vertices))
            near = near[hit]
            depth = np.einsum("ij,ij->i", surface.vertices[hit] - item.mesh.vertices[near], item.mesh.normals[near])
            covered[hit[(depth < 0.002) & (item.edge[near] > item.inside)]] = True
        keep = ~covered[surface.faces].all(axis=1)
        out.append(surface if keep.all() else replace(surface, faces=surface.faces[keep], labels=surface.labels[keep]))
    return out


def product_shape(piece: Piece) -> Worn:
    """``piece`` alone on an invisible figure, arms away from the body, for a product photograph."""
    woman = piece.category == "dress" or "skirt" in piece.kind or piece.kind == "crop top"
    body = make_body(Figure("woman" if woman else "man", height=1.68 if woman else 1.8))
    still = np.broadcast_to(np.eye(4), body.transforms.shape)
    if piece.category != "lower":
        body = replace(body, posed=body.rest, transforms=still)
    return dress(body, [piece])[0]

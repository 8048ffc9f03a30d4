"""Sewing: a garment from its cut to draped cloth with everything that belongs on its edges.

:data:`CUTS` maps the ``cut`` of a kind (see ``garments``) to the function that sews it; all take the same arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from helpers.mannequin import fabrics
from helpers.mannequin.cloth.collars import button, placket, shirt_collar, turtleneck
from helpers.mannequin.cloth.form import LEFT_ARM, MEETS, RIGHT_ARM, TRUNK, Ease, Form
from helpers.mannequin.cloth.patterns import (
    FITS,
    LEFT_LEG_FRONT,
    NECKLINES,
    RIGHT_LEG_FRONT,
    SLEEVE_ENDS,
    TOP_HEMS,
    TROUSER_HEMS,
    WEAVES,
    cut_top,
    cut_trousers,
    ease_of,
    fly,
    jeans_pocket,
    slant_pocket,
    worn_denim,
)
from helpers.mannequin.cloth.sheet import Sheet
from helpers.mannequin.cloth.simulate import Obstacles
from helpers.mannequin.cloth.skirts import skirt_sheet
from helpers.mannequin.cloth.tailor import sheet_of, weights
from helpers.mannequin.cloth.trims import Mesh, join, rib, sweep, turned_hem
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.garments import KINDS
from helpers.mannequin.mesh import vertex_normals
from helpers.mannequin.outfit import Piece

FAR = 0.25  # metres: where no edge is near
_NO_PANEL = 15.0
LEG_WAIST = 0.99  # template metres
_BULK = 0.0045  # metres a waistband is thick
_OPENINGS = ("neck", "cuff", "hem", "waist")


@dataclass
class Sewn:
    """Sewn and draped: ``mesh`` the cloth with its trims, ``edge`` (V,) metres to the nearest opening, ``sleeve`` and ``waist``
    (V,) bool, where it is on an arm or on the waist's edge, ``obstacles`` for the next layer."""

    mesh: Mesh
    edge: np.ndarray
    sleeve: np.ndarray
    waist: np.ndarray
    obstacles: Obstacles


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


def sew(piece: Piece, form: Form, obstacles: list[Obstacles], tucked: float | None = None) -> Sewn:
    """``piece`` draped on the body of ``form``, outside of all ``obstacles``; a top is ``tucked`` into a waist at that template
    height.

    Raises ``ValueError`` naming what the piece cannot be cut to.
    """
    _check(piece)
    return CUTS[KINDS[piece.kind].cut](piece, form, obstacles, tucked)


def _check(piece: Piece) -> None:
    wanted = {
        "length": tuple(_HEMS[KINDS[piece.kind].cut]),
        "sleeve": ("none", "strap", *SLEEVE_ENDS),
        "neckline": tuple(NECKLINES),
    }
    for name, known in (*wanted.items(), ("fit", tuple(FITS))):
        value = getattr(piece, name)
        if value is not None and value not in known:
            raise ValueError(f"the {name} of a {piece.kind} is one of {', '.join(known)}, not {value!r}.")
    if piece.fabric.weave not in WEAVES:
        raise ValueError(f"weave is one of {', '.join(WEAVES)}, not {piece.fabric.weave!r}.")


def waist_of(piece: Piece) -> float:
    """Template height at which a piece worn on the hips or at the waist ends."""
    skirt = KINDS[piece.kind].style.skirt
    return skirt.waist if skirt else LEG_WAIST


def underlayer(piece: Piece, form: Form) -> Sewn:
    """Plain knitted briefs (``piece`` of category lower) or a camisole, close to the body, not draped."""
    cut = cut_top(0.90, "strap", "scoop") if piece.category == "upper" else cut_trousers(0.95, 0.72)
    sheet = sheet_of(cut, form, Ease())
    bare = cut.matrix @ form.body.rest[form.body.template.tights.indices]
    sheet.rest = bare + 0.002 * vertex_normals(bare, cut.faces)
    sheet.start = form.body.skin(sheet.rest, weights(cut, form, smooth=1))
    sheet.unroll()
    sheet = sheet.refined()
    trims = [sweep(sheet.edge(loop), turned_hem(0.0012)) for loops in sheet.edges().values() for loop in loops]
    return _assembled([(sheet, trims)])


def _settled(sheet: Sheet, piece: Piece, obstacles: list[Obstacles]) -> Sheet:
    cloth = WEAVES[piece.fabric.weave]
    sheet.settle(obstacles, cloth)
    fine = sheet.refined()
    fine.settle(obstacles, replace(cloth, steps=8, bend=0.2 + 0.6 * cloth.bend))  # wrinkles finer than this look crumpled
    fine.smooth_edges()
    return fine


# --- tops --------------------------------------------------------------------------------------------------------------


def _top_sheet(piece: Piece, form: Form, hem: float, tucked: bool = False) -> Sheet:
    style, ease = KINDS[piece.kind].style, ease_of(piece)
    if tucked:
        ease = replace(ease, hem=0.003, band=0.045)
    cut = cut_top(hem, piece.sleeve or style.sleeve, piece.neckline or style.neckline, 0.0 if tucked else style.tail)
    sheet = sheet_of(cut, form, ease)
    normals = vertex_normals(sheet.start, sheet.faces)
    shoulder = 0.5 * smoothstep(0.5, 0.85, normals[:, 1]) * (1 - smoothstep(0.12, 0.20, sheet.distance("neck")))
    sheet.held = np.maximum(shoulder, 0.6 * np.exp(-((sheet.distance("neck") / 0.02) ** 2)))
    if tucked:
        sheet.held = np.maximum(sheet.held, 1 - smoothstep(0.035, 0.06, sheet.distance("hem")))
    sheet.unroll()
    return sheet


def _top(piece: Piece, form: Form, obstacles: list[Obstacles], tucked: float | None) -> Sewn:
    hem = TOP_HEMS[piece.length or KINDS[piece.kind].style.length]
    inside = tucked is not None and hem < tucked
    sheet = _top_sheet(piece, form, tucked - 0.06 if inside else hem, inside)
    sheet = _settled(sheet, piece, obstacles)
    garment = _assembled([(sheet, _top_trims(piece, sheet, form, obstacles))], ribs=KINDS[piece.kind].style.ribbed)
    if inside:  # what bulges over the waistband is not in its way
        below = np.append(sheet.template[:, 1] < tucked - 0.012, False)
        old = garment.obstacles
        garment.obstacles = Obstacles(old.points[below], old.normals[below], old.part[below], MEETS, old.reach)
        _cut_away(garment, sheet, sheet.template[:, 1] < tucked - 0.02)
    return garment


def _cut_away(garment: Sewn, sheet: Sheet, hidden: np.ndarray) -> None:
    """Leaves out the cloth whose vertices (V,) are ``hidden`` in what is worn over it, and the hem there."""
    mesh, count = garment.mesh, len(sheet.wedge_vertex)
    points = sheet.start[hidden]
    gone = np.concatenate([hidden[sheet.wedge_vertex], cKDTree(points).query(mesh.vertices[count:])[0] < 0.006])
    mesh.faces = mesh.faces[~gone[mesh.faces].all(axis=1)]


def _top_trims(piece: Piece, sheet: Sheet, form: Form, obstacles: list[Obstacles]) -> list[Mesh]:
    style = KINDS[piece.kind].style
    neckline, sleeve = piece.neckline or style.neckline, piece.sleeve or style.sleeve
    out = []
    for name, loops in sheet.edges().items():
        for loop in loops:
            if name == "neck" and neckline == "collar":
                out += shirt_collar(sheet, loop, form, obstacles)
            elif name == "neck" and neckline == "turtle":
                out.append(_ribbed(turtleneck(sheet, loop, form, obstacles)))
            elif name == "neck" and style.rib and neckline != "square":
                out.append(_ribbed(sweep(sheet.edge(loop), rib(style.rib))))
            elif name == "cuff" and style.rib and sleeve in ("none", "strap"):
                out.append(_ribbed(sweep(sheet.edge(loop), rib(0.6 * style.rib))))
            elif name == "cuff" and style.cuffs and sleeve == "long":
                out.append(sheet.band(loop, style.band))
            else:
                out.append(_ribbed(sweep(sheet.edge(loop), turned_hem()), float(name in style.ribbed)))
    if style.placket:
        out += placket(sheet)
    return out


def _ribbed(trim: Mesh, amount: float = 1.0) -> Mesh:
    trim.attributes["rib"] = np.full(len(trim.vertices), amount)
    return trim


# --- legs --------------------------------------------------------------------------------------------------------------


def _legs(piece: Piece, form: Form, obstacles: list[Obstacles], _tucked: float | None) -> Sewn:
    style = KINDS[piece.kind].style
    cut = cut_trousers(LEG_WAIST, TROUSER_HEMS[piece.length or style.length])
    snug = 1 - smoothstep(0.03, 0.16, LEG_WAIST - cut.points[:, 1])
    sheet = sheet_of(cut, form, ease_of(piece), snug)
    sheet.held = np.exp(-((sheet.distance("waist") / 0.035) ** 2))
    sheet.unroll()
    sheet = _settled(sheet, piece, obstacles)
    trims = []
    for name, loops in sheet.edges().items():
        for loop in loops:
            trims.append(sheet.band(loop, 0.036) if name == "waist" else sweep(sheet.edge(loop), turned_hem()))
        if name == "waist" and style.pockets:
            trims.append(_waist_button(sheet, loops[0]))
    garment = _assembled([(sheet, trims)])
    if style.pockets:
        _leg_details(garment.mesh, sheet, piece)
    return garment


def _waist_button(sheet: Sheet, loop: np.ndarray) -> Mesh:
    """The button in the middle of the waistband."""
    front = loop[np.argmin(np.abs(sheet.rest[loop, 0]) - 10 * (sheet.rest[loop, 2] > sheet.rest[loop, 2].mean()))]
    edge = sheet.edge(loop)
    at = np.flatnonzero(loop == front)[0]
    return button(sheet.start[front] - 0.018 * edge.out[at], edge.normal[at], 0.007)


def _leg_details(mesh: Mesh, sheet: Sheet, piece: Piece) -> None:
    """Stitched fly and pockets on the front panels; side seams and fading of jeans."""
    count = len(sheet.wedge_vertex)
    points, front = sheet.template[sheet.wedge_vertex], np.isin(sheet.wedge_panel, (LEFT_LEG_FRONT, RIGHT_LEG_FRONT))
    denim = KINDS[piece.kind].style.pockets == "jeans" or fabrics.WEAVES[piece.fabric.weave].worn
    lines = [(fly, front & (points[:, 0] > -0.01)), (jeans_pocket if denim else slant_pocket, front & (points[:, 1] > 0.89))]
    hem = mesh.attributes["hem"][:count].copy()
    if denim:
        seam = np.where(front, FAR, sheet.stitch_distance("side")[sheet.wedge_vertex])
        hem = np.where(seam < hem, seam, hem)
        fade = np.zeros(len(mesh.vertices))
        fade[:count] = worn_denim(points)
        mesh.attributes["fade"] = fade
    for line, where in lines:
        value = line(points)
        hem = np.where(where & (np.abs(value) < hem), value, hem)
    mesh.attributes["hem"][:count] = hem


# --- skirts and dresses ------------------------------------------------------------------------------------------------

SKIRT_HEMS = {"mini": 0.66, "short": 0.66, "knee": 0.46, "midi": 0.31, "ankle": 0.13, "full": 0.06}


def _skirt_trims(sheet: Sheet, waistband: float) -> list[Mesh]:
    edges = sheet.edges()
    out = [sheet.band(loop, waistband) for loop in edges["waist"]]
    return out + [sweep(sheet.edge(loop), turned_hem()) for loop in edges["hem"]]


def _skirt_sheet(piece: Piece, form: Form, seam: tuple[np.ndarray, np.ndarray] | None = None) -> Sheet:
    style = KINDS[piece.kind].style
    return skirt_sheet(style.skirt, SKIRT_HEMS[piece.length or style.length], form, np.random.default_rng(7), seam)


def _skirt(piece: Piece, form: Form, obstacles: list[Obstacles], _tucked: float | None) -> Sewn:
    sheet = _skirt_sheet(piece, form)
    sheet.unroll()
    sheet = _settled(sheet, piece, obstacles)
    return _assembled([(sheet, _skirt_trims(sheet, 0.03))])


def _dress(piece: Piece, form: Form, obstacles: list[Obstacles], _tucked: float | None) -> Sewn:
    bodice = _top_sheet(piece, form, waist_of(piece))
    bodice.held = np.maximum(bodice.held, np.exp(-((bodice.distance("hem") / 0.02) ** 2)))
    (seam,) = bodice.edges()["hem"]
    skirt = _skirt_sheet(piece, form, (bodice.rest[seam], bodice.start[seam]))
    skirt.unroll()
    bodice, skirt = _settled(bodice, piece, obstacles), _settled(skirt, piece, obstacles)
    trims = _top_trims(piece, bodice, form, obstacles)
    return _assembled([(bodice, trims), (skirt, _skirt_trims(skirt, 0.012))], inner=("hem", "waist"))


# --- assembly ----------------------------------------------------------------------------------------------------------


def _assembled(
    parts: list[tuple[Sheet, list[Mesh]]], inner: tuple[str, ...] = (), ribs: dict[str, float] | None = None
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
        sleeves.append(np.isin(sheet.part, (LEFT_ARM, RIGHT_ARM))[w])
        waists.append(sheet.lines.get("waist", np.zeros(len(sheet.rest), bool))[w])
        for trim in trims:
            count = len(trim.vertices)
            plain = {"panel": np.full(count, _NO_PANEL), "hem": np.full(count, FAR)}
            trim.attributes = plain | trim.attributes
            meshes.append(trim)
            edges.append(np.zeros(count))
            sleeves.append(np.zeros(count, bool))
            waists.append(np.zeros(count, bool))
        outward = vertex_normals(sheet.start, sheet.faces)
        bulk = np.where(sheet.distance("waist") < 0.05, _BULK, 0.0015)
        points.append(sheet.start + bulk[:, None] * outward)
        normals.append(outward)
        part.append(sheet.part)
    obstacles = Obstacles(np.concatenate(points), np.concatenate(normals), np.concatenate(part), MEETS, 0.05)
    return Sewn(join(meshes), *(np.concatenate(values) for values in (edges, sleeves, waists)), obstacles)


def _finish(sheet: Sheet, open_lines: list[str], ribs: dict[str, float]) -> dict[str, np.ndarray]:
    """(V,) attributes of the cloth itself: topstitching along its edges unless they are knitted bands."""
    stitched = [name for name in open_lines if name not in ribs and name != "waist"]
    hem = np.min([sheet.stitch_distance(name) for name in stitched], axis=0) if stitched else np.full(len(sheet.start), FAR)
    knitted = np.zeros(len(sheet.start))
    for name, width in ribs.items():
        knitted = np.maximum(knitted, np.clip((width - sheet.stitch_distance(name)) / 0.006 + 0.5, 0, 1))
    return {"hem": hem, "rib": knitted}


CUTS: dict[str, Callable[[Piece, Form, list[Obstacles], float | None], Sewn]] = {
    "top": _top,
    "legs": _legs,
    "skirt": _skirt,
    "dress": _dress,
}
"""``Kind.cut`` -> how it is sewn: (piece, form, obstacles, template height of the waist it is tucked into)."""
_HEMS = {"top": TOP_HEMS, "legs": TROUSER_HEMS, "skirt": SKIRT_HEMS, "dress": SKIRT_HEMS}

"""Sewing: a garment from its cut to draped cloth with everything that belongs on its edges.

:data:`CUTS` maps the ``cut`` of a kind (see ``garments``) to the function that sews it; all take the same arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from helpers.mannequin import fabrics
from helpers.mannequin.cloth.assembly import FAR, Sewn, assembled, ribbed, settled
from helpers.mannequin.cloth.clip import Cut
from helpers.mannequin.cloth.collars import button, placket, shirt_collar, turtleneck
from helpers.mannequin.cloth.form import MEETS, Ease, Form
from helpers.mannequin.cloth.fronts import (
    buttons,
    cut_open_top,
    front_band,
    front_run,
    lapels,
    lengthened,
    run_edge,
)
from helpers.mannequin.cloth.hood import drawstrings, hood
from helpers.mannequin.cloth.patches import flap, kangaroo_pocket
from helpers.mannequin.cloth.patterns import (
    FITS,
    FRONT,
    LEFT_LEG_FRONT,
    NECKLINES,
    RIGHT_FRONT,
    RIGHT_LEG_FRONT,
    SLEEVE_ENDS,
    TOP_HEMS,
    TROUSER_HEMS,
    WEAVES,
    cut_jumpsuit,
    cut_top,
    cut_trousers,
    ease_of,
    fly,
    is_arm,
    jeans_pocket,
    slant_pocket,
    worn_denim,
)
from helpers.mannequin.cloth.sheet import Sheet
from helpers.mannequin.cloth.simulate import Obstacles
from helpers.mannequin.cloth.skirts import skirt_sheet
from helpers.mannequin.cloth.straps import bridge_bust, cut_camisole, straps, with_straps
from helpers.mannequin.cloth.tailor import sheet_of, weights
from helpers.mannequin.cloth.trims import Mesh, rib, sweep, turned_hem
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.garments import KINDS
from helpers.mannequin.mesh import vertex_normals
from helpers.mannequin.outfit import Piece

LEG_WAIST, HIGH_WAIST, JUMPSUIT_WAIST = 0.99, 1.04, 1.07  # template metres


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
    style = KINDS[piece.kind].style
    if style.skirt:
        return style.skirt.waist
    return HIGH_WAIST if style.flare else LEG_WAIST


def underlayer(piece: Piece, form: Form) -> Sewn:
    """Plain knitted briefs (``piece`` of category lower) or a camisole, close to the body, not draped."""
    cut = cut_top(0.90, "strap", "scoop") if piece.category == "upper" else cut_trousers(0.95, 0.72)
    sheet = _skin_tight(cut, form, 0.002)
    trims = [sweep(sheet.edge(loop), turned_hem(0.0012)) for loops in sheet.edges().values() for loop in loops]
    return assembled([(sheet, trims)])


def _skin_tight(cut: Cut, form: Form, thickness: float) -> Sheet:
    """``cut`` as elastic cloth of ``thickness`` that clings to the posed body: it needs no draping."""
    sheet = sheet_of(cut, form, Ease())
    bare = cut.matrix @ form.body.rest[form.body.template.tights.indices]
    sheet.rest = bare + thickness * vertex_normals(bare, cut.faces)
    sheet.start = form.body.skin(sheet.rest, weights(cut, form, smooth=1))
    sheet.unroll()
    return sheet.refined()


# --- tops --------------------------------------------------------------------------------------------------------------


def _tucking(piece: Piece, tucked: float | None) -> tuple[float, float | None, Ease]:
    """Template height of a top's hem, that of the waist it is ``tucked`` into if it reaches there, and its room, close at such a hem."""
    hem, ease = TOP_HEMS[piece.length or KINDS[piece.kind].style.length], ease_of(piece)
    if tucked is None or hem >= tucked:
        return hem, None, ease
    return tucked - 0.06, tucked, replace(ease, hem=0.003, band=0.045)


def _top_sheet(piece: Piece, form: Form, hem: float, ease: Ease, tucked: bool = False) -> Sheet:
    style = KINDS[piece.kind].style
    cut = cut_top(hem, piece.sleeve or style.sleeve, piece.neckline or style.neckline, 0.0 if tucked else style.tail)
    sheet = sheet_of(cut, form, ease)
    sheet.held = _shoulders(sheet)
    if tucked:
        sheet.held = np.maximum(sheet.held, 1 - smoothstep(0.035, 0.06, sheet.distance("hem")))
    sheet.unroll()
    return sheet


def _shoulders(sheet: Sheet) -> np.ndarray:
    """(V,) 0..1, how firmly a top is held where it hangs from: shoulders and neckline."""
    normals = vertex_normals(sheet.start, sheet.faces)
    shoulder = 0.5 * smoothstep(0.5, 0.85, normals[:, 1]) * (1 - smoothstep(0.12, 0.20, sheet.distance("neck")))
    return np.maximum(shoulder, 0.6 * np.exp(-((sheet.distance("neck") / 0.02) ** 2)))


def _top(piece: Piece, form: Form, obstacles: list[Obstacles], tucked: float | None) -> Sewn:
    hem, tucked, ease = _tucking(piece, tucked)
    sheet = _top_sheet(piece, form, hem, ease, tucked is not None)
    sheet = settled(sheet, piece, obstacles)
    garment = assembled([(sheet, _top_trims(piece, sheet, form, obstacles))], ribs=KINDS[piece.kind].style.ribbed)
    if tucked is not None:
        _tuck_in(garment, sheet, tucked)
    return garment


def _tuck_in(garment: Sewn, sheet: Sheet, waist: float) -> None:
    """Leaves to what is worn over the lower end of ``garment`` only the cloth below its ``waist``, and hides that cloth."""
    below = np.append(sheet.places[:, 1] < waist - 0.012, False)  # what bulges over the waistband is not in its way
    old = garment.obstacles
    garment.inside = Obstacles(old.points[below], old.normals[below], old.part[below], MEETS, old.reach)
    _cut_away(garment, sheet, sheet.places[:, 1] < waist - 0.02)


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
                out.append(ribbed(turtleneck(sheet, loop, form, obstacles)))
            elif name == "neck" and neckline == "hood":
                out += [hood(sheet, loop, form, obstacles[0]), *drawstrings(sheet)]
            elif name == "neck" and style.rib and neckline != "square":
                out.append(ribbed(sweep(sheet.edge(loop), rib(style.rib))))
            elif name == "cuff" and style.rib and sleeve in ("none", "strap"):
                out.append(ribbed(sweep(sheet.edge(loop), rib(0.6 * style.rib))))
            elif name == "cuff" and style.cuffs and sleeve == "long":
                out.append(sheet.band(loop, style.band))
            else:
                out.append(ribbed(sweep(sheet.edge(loop), turned_hem()), float(name in style.ribbed)))
    if style.pockets == "kangaroo":
        out.append(kangaroo_pocket(sheet, style.band))
    if style.placket:
        out += placket(sheet, style.placket, 0.088 if np.isinf(style.placket) else 0.05)
    return out


def _camisole(piece: Piece, form: Form, obstacles: list[Obstacles], tucked: float | None) -> Sewn:
    hem, tucked, ease = _tucking(piece, tucked)
    sheet = sheet_of(cut_camisole(hem, piece.neckline or KINDS[piece.kind].style.neckline), form, ease)
    sheet.held = np.exp(-((sheet.distance("neck") / 0.025) ** 2))
    if tucked is not None:
        sheet.held = np.maximum(sheet.held, 1 - smoothstep(0.062, 0.08, sheet.distance("hem")))
    sheet.unroll()
    sheet = settled(sheet, piece, obstacles)
    bridge_bust(sheet)
    edges = sheet.edges()
    over = straps(sheet, edges["neck"][0], obstacles[0])
    hems = [sweep(sheet.edge(loop), turned_hem()) for loops in edges.values() for loop in loops]
    garment = assembled([(sheet, [*hems, *over])])
    if tucked is not None:
        _tuck_in(garment, sheet, tucked)
    garment.obstacles = with_straps(garment.obstacles, over)
    return garment


# --- what is open in front -----------------------------------------------------------------------------------------------

COAT_HEMS = {"cropped": 1.05, "short": 0.95, "regular": 0.80, "long": 0.62, "mini": 0.62, "knee": 0.44, "midi": 0.30}
_HIPS = 0.87  # template metres; below, where legs begin, cloth is hung on rather than cut from the hull


def _open_top(piece: Piece, form: Form, obstacles: list[Obstacles], _tucked: float | None) -> Sewn:
    style = KINDS[piece.kind].style
    hem = COAT_HEMS[piece.length or style.length]
    top = hem if hem > _HIPS else _HIPS
    sheet = sheet_of(cut_open_top(top, piece.sleeve or style.sleeve, style.opening), form, ease_of(piece))
    sheet.held = _shoulders(sheet)
    if hem < top:
        sheet = lengthened(sheet, form.height(top) - form.height(hem), 0.10, form.trunk_centre)
    stiff = np.exp(-((sheet.distance("front") / 0.03) ** 2)) * smoothstep(0.85, 1.0, sheet.places[:, 1])
    sheet.held = np.maximum(sheet.held, 0.1 * stiff)  # facings keep the edges straight
    sheet.unroll()
    sheet = settled(sheet, piece, obstacles)
    cuffs = sheet.edges().get("cuff", [])
    trims = [ribbed(sweep(sheet.edge(loop), turned_hem()), float("cuff" in style.ribbed)) for loop in cuffs]
    run = front_run(sheet)
    edge = run_edge(sheet, run)
    if style.lapels:
        trims += [front_band(edge, turned_hem()), lapels(sheet, run, form, style.lapels)]
        low, high = edge.points[:, 1].min(), edge.points[:, 1].max()
        broken = low + style.lapels.low * (high - low)
        trims += buttons(sheet, edge, broken - 0.02 - 0.10 * np.arange(style.buttons), 0.022, 0.0095)
        trims += [flap(sheet, panel, x, 0.92, 0.105, 0.05) for panel, x in ((FRONT, 0.145), (RIGHT_FRONT, -0.145))]
    else:
        trims.append(ribbed(front_band(edge, rib(style.rib, 0.004))))
        heights = np.linspace(edge.points[:, 1].min() + 0.05, form.body.joints["spine01"][1], style.buttons)
        trims += buttons(sheet, edge, heights, -style.rib / 2, 0.0085)
    return assembled([(sheet, trims)], ribs=style.ribbed)


# --- legs --------------------------------------------------------------------------------------------------------------


def _legs(piece: Piece, form: Form, obstacles: list[Obstacles], _tucked: float | None) -> Sewn:
    style = KINDS[piece.kind].style
    hem, ease, waist = TROUSER_HEMS[piece.length or style.length], ease_of(piece), waist_of(piece)
    if style.flare:
        hem, ease = max(hem, 0.12), replace(ease, leg_end=hem - 0.02)
    cut = cut_trousers(waist, hem)
    snug = 1 - smoothstep(0.03, 0.16, waist - cut.points[:, 1])
    sheet = sheet_of(cut, form, ease, snug)
    sheet.held = np.exp(-((sheet.distance("waist") / 0.035) ** 2))
    sheet.unroll()
    sheet = settled(sheet, piece, obstacles)
    trims = []
    for name, loops in sheet.edges().items():
        for loop in loops:
            trims.append(sheet.band(loop, 0.036) if name == "waist" else sweep(sheet.edge(loop), turned_hem()))
        if name == "waist" and style.pockets:
            trims.append(_waist_button(sheet, loops[0]))
    garment = assembled([(sheet, trims)])
    if style.pockets:
        _leg_details(garment.mesh, sheet, piece)
    return garment


def _tights(piece: Piece, form: Form, obstacles: list[Obstacles], _tucked: float | None) -> Sewn:
    """Elastic cloth that follows the leg, with a broad waistband and neither fly nor pockets."""
    hem = TROUSER_HEMS[piece.length or KINDS[piece.kind].style.length]
    sheet = _skin_tight(cut_trousers(LEG_WAIST, hem), form, 0.0025)
    trims = []
    for name, loops in sheet.edges().items():
        trims += [sheet.band(loop, 0.05) if name == "waist" else sweep(sheet.edge(loop), turned_hem()) for loop in loops]
    return assembled([(sheet, trims)])


def _waist_button(sheet: Sheet, loop: np.ndarray) -> Mesh:
    """The button in the middle of the waistband."""
    front = loop[np.argmin(np.abs(sheet.rest[loop, 0]) - 10 * (sheet.rest[loop, 2] > sheet.rest[loop, 2].mean()))]
    edge = sheet.edge(loop)
    at = np.flatnonzero(loop == front)[0]
    return button(sheet.start[front] - 0.018 * edge.out[at], edge.normal[at], 0.007)


def _leg_details(mesh: Mesh, sheet: Sheet, piece: Piece) -> None:
    """Stitched fly and pockets on the front panels; side seams and fading of jeans."""
    count = len(sheet.wedge_vertex)
    points, front = sheet.places[sheet.wedge_vertex], np.isin(sheet.wedge_panel, (LEFT_LEG_FRONT, RIGHT_LEG_FRONT))
    denim = KINDS[piece.kind].style.pockets == "scooped" or fabrics.WEAVES[piece.fabric.weave].worn
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
    assert style.skirt is not None, f"the record of {piece.kind} has no skirt"
    return skirt_sheet(style.skirt, SKIRT_HEMS[piece.length or style.length], form, np.random.default_rng(7), seam)


def _skirt(piece: Piece, form: Form, obstacles: list[Obstacles], _tucked: float | None) -> Sewn:
    sheet = _skirt_sheet(piece, form)
    sheet.unroll()
    sheet = settled(sheet, piece, obstacles)
    return assembled([(sheet, _skirt_trims(sheet, 0.03))])


def _dress(piece: Piece, form: Form, obstacles: list[Obstacles], _tucked: float | None) -> Sewn:
    bodice = _top_sheet(piece, form, waist_of(piece), ease_of(piece))
    bodice.held = np.maximum(bodice.held, np.exp(-((bodice.distance("hem") / 0.02) ** 2)))
    (seam,) = bodice.edges()["hem"]
    skirt = _skirt_sheet(piece, form, (bodice.rest[seam], bodice.start[seam]))
    skirt.unroll()
    bodice, skirt = settled(bodice, piece, obstacles), settled(skirt, piece, obstacles)
    trims = _top_trims(piece, bodice, form, obstacles)
    return assembled([(bodice, trims), (skirt, _skirt_trims(skirt, 0.012))], inner=("hem", "waist"))


def _jumpsuit(piece: Piece, form: Form, obstacles: list[Obstacles], _tucked: float | None) -> Sewn:
    style = KINDS[piece.kind].style
    hem = TROUSER_HEMS[piece.length or style.length]
    cut = cut_jumpsuit(JUMPSUIT_WAIST, hem, piece.sleeve or style.sleeve, piece.neckline or style.neckline)
    above = cut.points[:, 1] - JUMPSUIT_WAIST
    snug = np.exp(-((above / np.where(above > 0, 0.12, 0.04)) ** 2)) * ~is_arm(cut.points)
    sheet = sheet_of(cut, form, ease_of(piece), snug)
    sheet.held = np.maximum(_shoulders(sheet), 0.8 * np.exp(-((sheet.distance("seam") / 0.02) ** 2)))
    sheet.unroll()
    sheet = settled(sheet, piece, obstacles)
    seam = np.flatnonzero(sheet.lines["seam"])
    around = form.trunk_coordinates(sheet.rest[seam])[2]
    belt = sheet.band(seam[np.argsort(around)], 0.03)
    return assembled([(sheet, [*_top_trims(piece, sheet, form, obstacles), belt])], ribs=style.ribbed)


CUTS: dict[str, Callable[[Piece, Form, list[Obstacles], float | None], Sewn]] = {
    "top": _top,
    "legs": _legs,
    "camisole": _camisole,
    "open top": _open_top,
    "tights": _tights,
    "skirt": _skirt,
    "dress": _dress,
    "jumpsuit": _jumpsuit,
}
"""``Kind.cut`` -> how it is sewn: (piece, form, obstacles, template height of the waist it is tucked into)."""
_HEMS = {
    "top": TOP_HEMS,
    "camisole": TOP_HEMS,
    "open top": COAT_HEMS,
    "legs": TROUSER_HEMS,
    "tights": TROUSER_HEMS,
    "skirt": SKIRT_HEMS,
    "dress": SKIRT_HEMS,
    "jumpsuit": TROUSER_HEMS,
}

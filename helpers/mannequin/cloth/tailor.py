"""Making a cut up on a body: room for ease, seams flattened to metres of cloth, skinning weights."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from helpers.mannequin.cloth.clip import Cut
from helpers.mannequin.cloth.form import (
    ARMPIT,
    CROTCH,
    LEFT_ARM,
    LEFT_LEG,
    RIGHT_ARM,
    RIGHT_LEG,
    SHOULDER,
    TRUNK,
    WAIST,
    Ease,
    Form,
    armhole,
    hang,
)
from helpers.mannequin.cloth.patterns import (
    BACK,
    CHEST,
    FRONT,
    LEFT_LEG_BACK,
    LEFT_LEG_FRONT,
    LEFT_SLEEVE,
    RIGHT_FRONT,
    RIGHT_LEG_BACK,
    RIGHT_SLEEVE,
    wedges,
)
from helpers.mannequin.cloth.sheet import Sheet
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.mesh import neighbour_mean, vertex_normals

_LEAST = 0.004  # metres between body and cloth
_INSTEP = 0.13  # template metres; below, the hull widens into the foot


def parts(cut: Cut) -> np.ndarray:
    """(V,) which tube of the body each vertex of a cut belongs to."""
    out = np.full(len(cut.points), TRUNK)
    left = cut.points[:, 0] > 0
    arm = (armhole(cut.points) > 0) & (cut.points[:, 1] > 0.95)
    out[arm] = np.where(left[arm], LEFT_ARM, RIGHT_ARM)
    leg = cut.points[:, 1] < CROTCH
    out[leg] = np.where(left[leg], LEFT_LEG, RIGHT_LEG)
    return out


def make_up(cut: Cut, form: Form, ease: Ease, snug: np.ndarray | None = None) -> np.ndarray:
    """(V, 3) the cut at rest on ``form`` with room for ``ease``; ``snug`` (V,) 0..1 takes the room away where cloth is held."""
    at = cut.matrix @ form.body.rest[form.body.template.tights.indices]
    height = cut.points[:, 1]
    normals, part = vertex_normals(at, cut.faces), parts(cut)
    room = ease.trunk * (np.ones(len(at)) if snug is None else 1 - 0.85 * snug)
    armness = np.where(height > 0.95, smoothstep(-0.035, 0.035, armhole(cut.points)), 0.0)
    legness = 1 - smoothstep(CROTCH - 0.07, CROTCH + 0.05, height)

    trunk = (1 - smoothstep(ARMPIT - 0.04, ARMPIT + 0.10, height)) * (1 - armness) * (1 - legness)
    move, done = _trunk_room(form, ease, at, trunk, room, at[part == TRUNK, 1].min(initial=np.inf))
    for sign, arm, leg in ((1, LEFT_ARM, LEFT_LEG), (-1, RIGHT_ARM, RIGHT_LEG)):
        mine = cut.points[:, 0] * sign > 0
        for tube, share, widen in ((arm, armness, _arm_room), (leg, legness, _leg_room)):
            rows = np.flatnonzero(mine & (share > 0))
            if len(rows):
                extra, amount = widen(form, ease, tube, at[rows], share[rows])
                move[rows] += extra
                done[rows] += amount
    # Where no tube is (shoulders, armpits) cloth stands off by its room, but lies on what faces upwards and round the neck.
    lying = np.maximum(
        smoothstep(0.2, 0.8, normals[:, 1]) * smoothstep(ARMPIT, SHOULDER, height), smoothstep(1.28, 1.37, height)
    )
    room = room + lying * (np.minimum(room, 0.003) - room)
    out = at + move + ((1 - np.minimum(done, 1)) * room)[:, None] * normals
    # Hems are cut level, whatever the body does below them.
    level = np.where(part == TRUNK, 1 - smoothstep(0.90, 1.02, height), 1 - smoothstep(0.12, 0.3, height))
    out[:, 1] += level * ~np.isin(part, (LEFT_ARM, RIGHT_ARM)) * (form.heights(height) - at[:, 1])
    if ease.leg_end is not None:  # the foot is no pattern for a wide hem: the shin is drawn down instead
        low = cut.points[part != TRUNK, 1].min()
        share = np.clip((0.35 - height) / (0.35 - low), 0, 1) ** 2
        out[:, 1] -= share * np.isin(part, (LEFT_LEG, RIGHT_LEG)) * (form.height(low) - form.height(ease.leg_end))
    # The two legs keep to their own sides.
    for sign, leg in ((1, LEFT_LEG), (-1, RIGHT_LEG)):
        rows = part == leg
        out[rows, 0] = sign * np.maximum(sign * out[rows, 0], np.minimum(sign * at[rows, 0], 0.006))
    return out


def _trunk_room(
    form: Form, ease: Ease, at: np.ndarray, share: np.ndarray, room: np.ndarray, hem: float
) -> tuple[np.ndarray, np.ndarray]:
    """How far points (V, 3) of the trunk move outwards, (V, 3), and how much of the way each was this tube's, (V,).

    Sections are bridged and hang from the armpits down.
    """
    along, radius, angle, outward = form.trunk_coordinates(at)
    support = form.trunk_support
    table = hang(support.table, ease.trunk_taper, support.row(form.height(ARMPIT)), -1)
    reach = support.radius(along, angle, table) + room
    if ease.hem is not None:
        close = 1 - smoothstep(ease.band, ease.band + 0.05, along - hem)
        reach += close * (support.radius(along, angle) + ease.hem - reach)
    share = share * smoothstep(0.4, 0.7, radius / reach)  # the underside of the crotch is no side of the tube
    return (share * np.maximum(reach - radius, _LEAST))[:, None] * outward, share


def _arm_room(form: Form, ease: Ease, arm: int, at: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    curve, support = form.arms[arm], form.arm_support[arm]
    along, radius, angle, outward = curve.locate(at)
    table = hang(support.table, ease.arm_taper, support.row(0.06), 1)
    reach = support.radius(np.maximum(along, 0.05), angle, table) + ease.arm
    if ease.cuff is not None:
        close = smoothstep(along.max() - ease.band - 0.05, along.max() - ease.band, along)
        reach += close * (support.radius(along, angle) + ease.cuff - reach)
    share = share * smoothstep(0.02, 0.12, along)
    return (share * np.maximum(reach - radius, _LEAST))[:, None] * outward, share


def _leg_room(form: Form, ease: Ease, leg: int, at: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    support, ankle = form.leg_support[leg], form.height(_INSTEP)
    along, radius, angle, outward = form.leg_coordinates(at, leg)
    table = hang(support.table, ease.leg_taper, support.row(form.height(CROTCH - 0.06)), -1)
    reach = support.radius(np.maximum(along, ankle), angle, table) + ease.leg
    inside = smoothstep(0.3, 0.6, radius / reach)
    if ease.leg_flare:
        inside = np.maximum(inside, 1 - smoothstep(form.height(CROTCH - 0.25), form.height(CROTCH - 0.1), along))
    share = share * inside
    # Over the foot a trouser leg goes straight on: the shoe makes its break.
    further = np.where(along < ankle + 0.02, reach - radius, np.maximum(reach - radius, _LEAST))
    move = (share * further)[:, None] * outward
    if ease.leg_flare:
        inner = np.maximum(outward[:, 0] * (-1 if leg == LEFT_LEG else 1), 0)
        drop = np.maximum(form.height(CROTCH) - along, 0)
        move += (ease.leg_flare * drop * (1 - 0.65 * inner))[:, None] * outward
    return move, share


def weights(cut: Cut, form: Form, smooth: int = 6) -> sparse.csr_matrix:
    """csr (V, B): the hull's skinning weights, diffused along the cloth so that it bends more softly than the body."""
    shell = form.body.template.tights
    out = cut.matrix @ form.body.template.weights[shell.indices]
    step = neighbour_mean(cut.faces, len(cut.points))
    dense = np.asarray(out.todense())
    used = np.flatnonzero(dense.max(axis=0) > 1e-6)
    some = dense[:, used]
    for _ in range(smooth):
        some = 0.5 * some + 0.5 * (step @ some)
    some /= some.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(some)), len(used))
    return sparse.csr_matrix((some.ravel(), (rows, np.tile(used, len(some)))), out.shape)


def sheet_of(cut: Cut, form: Form, ease: Ease, snug: np.ndarray | None = None) -> Sheet:
    """A cut made up on the body at rest (see :func:`make_up`) and brought into its pose."""
    rest = make_up(cut, form, ease, snug)
    start = form.body.skin(rest, weights(cut, form))
    faces, vertex, panel = wedges(cut)
    uv = _guess(cut, form, rest, vertex, panel, faces)
    held = np.zeros(len(rest))
    return Sheet(cut.faces, rest, start, parts(cut), held, cut.lines, faces, vertex, panel, uv, cut.points)


def _guess(cut: Cut, form: Form, rest: np.ndarray, vertex: np.ndarray, panel: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(W, 2) each panel roughly unrolled: round its tube by angle, along it by length; the chest is at v = 0."""
    at, uv = rest[vertex], np.zeros((len(vertex), 2))
    chest = form.height(CHEST)
    for p in np.unique(panel):
        rows = np.flatnonzero(panel == p)
        if p in (FRONT, RIGHT_FRONT, BACK):
            along, _, angle, _ = form.trunk_coordinates(at[rows])
            radius = form.trunk_support.girth(form.height(WAIST)) / (2 * np.pi)
            along = along - chest
        elif p in (LEFT_SLEEVE, RIGHT_SLEEVE):
            arm = LEFT_ARM if p == LEFT_SLEEVE else RIGHT_ARM
            along, _, angle, _ = form.arms[arm].locate(at[rows])
            angle += np.pi / 2 if p == RIGHT_SLEEVE else -np.pi / 2
            radius, along = 0.06, -along
        else:
            leg = LEFT_LEG if p in (LEFT_LEG_FRONT, LEFT_LEG_BACK) else RIGHT_LEG
            along, _, angle, _ = form.leg_coordinates(at[rows], leg)
            radius = 0.09
            along = along - chest
        if p in (BACK, LEFT_LEG_BACK, RIGHT_LEG_BACK):
            angle = angle - np.pi
        angle = (angle + np.pi) % (2 * np.pi) - np.pi
        if p in (LEFT_SLEEVE, RIGHT_SLEEVE):
            angle = _one_turn(angle, rows, faces)
        uv[rows] = np.stack([radius * angle, along], axis=1)
    return uv


def _one_turn(angle: np.ndarray, rows: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Angles made continuous over the open sleeve: corners beyond the underarm seam get a full turn more or less."""
    inverse = np.full(faces.max() + 1, -1)
    inverse[rows] = np.arange(len(rows))
    mine = inverse[faces[(inverse[faces] >= 0).all(axis=1)]]
    for _ in range(3):
        corner = angle[mine]
        middle = np.sort(corner, axis=1)[:, 1:2]
        turn = np.round((middle - corner) / (2 * np.pi)) * 2 * np.pi
        if not turn.any():
            break
        angle = angle.copy()
        angle[mine[turn != 0]] += turn[turn != 0]
    return angle

"""The cutter's table: what shape a garment is cut to, in template coordinates, and how much room it has.

Heights are template metres above the soles; every one moves with the body, because cuts are mixtures of hull vertices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from helpers.mannequin import fabrics
from helpers.mannequin.body.template import Template, template
from helpers.mannequin.cloth.clip import Cut, Field
from helpers.mannequin.cloth.form import Curve, Ease, Hull, arm_curve, armhole, hull
from helpers.mannequin.cloth.simulate import Cloth
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.garments import KINDS
from helpers.mannequin.outfit import Piece

# Panels, also the values of the attribute "panel".
FRONT, BACK = 0, 1
LEFT_SLEEVE, LEFT_SLEEVE_BACK, RIGHT_SLEEVE, RIGHT_SLEEVE_BACK = 2, 3, 4, 5
LEFT_LEG_FRONT, LEFT_LEG_BACK, RIGHT_LEG_FRONT, RIGHT_LEG_BACK = 6, 7, 8, 9
RIGHT_FRONT = 10  # of what opens in front; its left front is FRONT

TOP_HEMS = {"cropped": 1.09, "short": 0.95, "regular": 0.835, "long": 0.76}
TROUSER_HEMS = {"mini": 0.70, "short": 0.64, "knee": 0.47, "cropped": 0.24, "midi": 0.24, "ankle": 0.13, "full": 0.06}
SLEEVE_ENDS = {"cap": 0.16, "short": 0.40, "elbow": 0.56, "long": 0.985}
CHEST = 1.27  # between the breasts, where prints are centred


@dataclass(frozen=True)
class Neckline:
    """The hole for the head: half ``width`` at the shoulder, ``front`` and ``back`` depth, ``power`` of its outline (1 is a V)."""

    width: float
    front: float
    back: float
    power: float = 2.0


NECKLINES = {
    "crew": Neckline(0.088, 0.085, 0.022),
    "v": Neckline(0.088, 0.19, 0.022, 1.0),
    "scoop": Neckline(0.103, 0.150, 0.045, 1.8),
    "square": Neckline(0.108, 0.135, 0.045, 7.0),
    "boat": Neckline(0.130, 0.060, 0.040, 2.0),
    "collar": Neckline(0.063, 0.058, 0.006),
    "turtle": Neckline(0.067, 0.055, 0.006),
    "hood": Neckline(0.078, 0.088, 0.012),
}
_NECK_POINT = 1.405  # where the shoulder ridge meets the neckline


@dataclass(frozen=True)
class Fit:
    """Room round trunk, arm and leg in metres, and how much tubes narrow per metre."""

    trunk: float
    arm: float
    leg: float
    trunk_taper: float
    arm_taper: float
    leg_taper: float


FITS = {
    "slim": Fit(0.007, 0.006, 0.012, 0.30, 0.22, 0.075),
    "regular": Fit(0.015, 0.014, 0.014, 0.12, 0.10, 0.035),
    "loose": Fit(0.026, 0.019, 0.024, 0.05, 0.07, 0.02),
    "oversized": Fit(0.042, 0.028, 0.034, 0.02, 0.06, 0.0),
}


WEAVES = {weave.name: Cloth(bend=weave.bend, squash=weave.squash) for weave in fabrics.WEAVES.values()}
"""Weave -> how it falls."""


def ease_of(piece: Piece) -> Ease:
    """The room a piece has on the body."""
    fit, style = FITS[piece.fit], KINDS[piece.kind].style
    return Ease(
        trunk=fit.trunk * style.trunk,
        arm=fit.arm * style.arm,
        leg=fit.leg * style.leg,
        trunk_taper=fit.trunk_taper * style.taper,
        arm_taper=fit.arm_taper,
        leg_taper=fit.leg_taper * style.taper,
        cuff=style.cuff if (piece.sleeve or style.sleeve) == "long" else None,
        hem=style.hem,
        band=style.band,
        leg_flare=style.flare,
    )


# --- fields ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def base_hull() -> Hull:
    """The refined hull of the one template."""
    return hull(template())


@lru_cache(maxsize=1)
def _left_arm() -> Curve:
    base: Template = template()
    return arm_curve(dict(zip(base.bones.names, base.bones.heads @ base.vertices, strict=True)), "L")


def _arm_coordinates(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(along 0..1 from shoulder to wrist, metres towards the front, metres upwards) of both arms alike."""
    along, radius, angle, _ = _left_arm().locate(points * [0, 1, 1] + np.abs(points[:, :1]) * [1, 0, 0])
    return along / _left_arm().length, radius * np.cos(angle), radius * np.sin(angle)


def is_arm(points: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """(N,) bool: which template ``points`` lie more than ``margin`` outside the armholes."""
    return (armhole(points) > margin) & (points[:, 1] > 0.95)


def side(points: np.ndarray) -> np.ndarray:
    """(N,) metres in front of the side seams and the shoulder seam."""
    heights = [0.07, 0.45, 0.70, 1.0, 1.15, 1.25, 1.37, 1.42]
    return points[:, 2] - np.interp(points[:, 1], heights, [0.0, 0.01, 0.03, 0.045, 0.05, 0.02, -0.005, -0.005])


def _sleeve_end(share: float) -> Callable[[np.ndarray], np.ndarray]:
    def field(points: np.ndarray) -> np.ndarray:
        return np.where(is_arm(points, -0.03), (share - _arm_coordinates(points)[0]) * _left_arm().length, 0.3)

    return field


def _sleeveless(strap: float) -> Callable[[np.ndarray], np.ndarray]:
    """Armholes of tops without sleeves; ``strap``: template distance of the shoulder's edge from the middle."""

    def field(points: np.ndarray) -> np.ndarray:
        x, y = np.abs(points[:, 0]), points[:, 1]
        edge = strap + (0.168 - strap) * (1 - smoothstep(1.235, 1.33, y)) + 0.35 * np.maximum(1.235 - y, 0)
        return edge - x

    return field


def neck_field(shape: Neckline) -> Callable[[np.ndarray], np.ndarray]:
    """Positive outside the neckline."""

    def field(points: np.ndarray) -> np.ndarray:
        ahead = smoothstep(-0.02, 0.06, points[:, 2])
        depth = shape.back + (shape.front - shape.back) * ahead
        power = 2.0 + (shape.power - 2.0) * ahead
        fall = np.maximum(_NECK_POINT - points[:, 1], 0) / depth
        across = np.abs(points[:, 0]) / shape.width
        return ((across**power + fall**power) ** (1 / power) - 1) * shape.width

    return field


def _hem(height: float, curve: float = 0.0) -> Callable[[np.ndarray], np.ndarray]:
    """A hem at ``height``, at the sides ``curve`` metres higher (shirt tails)."""

    def field(points: np.ndarray) -> np.ndarray:
        x = np.clip(np.abs(points[:, 0]) / 0.17, 0, 1)
        low = height + curve * smoothstep(0.25, 1.0, x)
        return np.where(is_arm(points, -0.02), 0.3, points[:, 1] - low)

    return field


# --- what is stitched on legs: signed metres inside a stitched line, on the front panels -----------------------------------


def fly(points: np.ndarray) -> np.ndarray:
    """The curved stitching beside the zip, on the wearer's left."""
    radius, x, y = 0.025, points[:, 0] - 0.032, 0.85 - points[:, 1]
    x, y = x + radius, y + radius
    return radius - np.hypot(np.maximum(x, 0), np.maximum(y, 0)) - np.minimum(np.maximum(x, y), 0)


def jeans_pocket(points: np.ndarray) -> np.ndarray:
    """The scooped edge of the front pockets."""
    return np.hypot(np.abs(points[:, 0]) - 0.190, points[:, 1] - 1.010) - 0.108


def slant_pocket(points: np.ndarray) -> np.ndarray:
    """The straight edge of the front pockets."""
    return (0.118 + 0.28 * (0.96 - points[:, 1]) - np.abs(points[:, 0])) * 0.96


def worn_denim(points: np.ndarray) -> np.ndarray:
    """(N,) 0..1: pale thighs and knees."""
    ahead = smoothstep(0.0, 0.05, side(points))
    across = np.exp(-(((np.abs(points[:, 0]) - 0.13 - 0.10 * (0.62 - points[:, 1])) / 0.055) ** 2))
    thigh = np.exp(-(((points[:, 1] - 0.63) / 0.14) ** 2))
    knee = np.exp(-(((points[:, 1] - 0.43) / 0.05) ** 2))
    return ahead * across * np.clip(0.85 * thigh + 0.45 * knee, 0, 1)


# --- cuts --------------------------------------------------------------------------------------------------------------


def _whole() -> Cut:
    base = base_hull()
    return Cut(base.matrix, base.faces, base.points, {}, np.full(len(base.faces), FRONT))


@lru_cache(maxsize=32)
def cut_top(hem: float, sleeve: str, neckline: str, tail: float = 0.0) -> Cut:
    """Tops and bodices: ``hem`` height, ``sleeve`` and ``neckline`` by name, ``tail``: how far the hem rises at the sides."""
    cut = _whole().clip("hem", _hem(hem, tail)).clip("neck", neck_field(NECKLINES[neckline]))
    if sleeve in SLEEVE_ENDS:
        cut = cut.clip("cuff", _sleeve_end(SLEEVE_ENDS[sleeve]))
        cut = cut.seam("armhole", armhole_field, {FRONT: LEFT_SLEEVE})
    else:
        strap = NECKLINES[neckline].width + (0.016 if sleeve == "strap" else 0.045)
        cut = cut.clip("cuff", _sleeveless(min(strap, 0.165)))
    front = np.zeros(len(cut.faces), bool)
    cut, front = cut.split("side", lambda p: np.where(is_arm(p), _arm_coordinates(p)[1], side(p)))
    panel = cut.panel.copy()
    panel[~front & (panel == FRONT)] = BACK
    left = cut.points[cut.faces].mean(axis=1)[:, 0] > 0
    arm = cut.panel == LEFT_SLEEVE
    panel[arm] = np.where(left[arm], LEFT_SLEEVE, RIGHT_SLEEVE) + ~front[arm]
    return replace(cut, panel=panel)


def cut_bodice(hem: float, edge: Field) -> Cut:
    """A tube of cloth round the trunk from ``hem`` height up to where ``edge`` turns negative, without sleeves."""
    cut = _whole().clip("hem", _hem(hem)).clip("neck", edge)
    cut, front = cut.split("side", side)
    return replace(cut, panel=np.where(front, FRONT, BACK))


@lru_cache(maxsize=16)
def cut_jumpsuit(waist: float, hem: float, sleeve: str, neckline: str) -> Cut:
    """Top and trousers in one, down to ``hem`` height, with a seam at the ``waist``."""
    cut = cut_top(hem, sleeve, neckline)
    cut = cut.seam(
        "seam", lambda p: np.where(is_arm(p, -0.02), -0.1, waist - p[:, 1]), {FRONT: LEFT_LEG_FRONT, BACK: LEFT_LEG_BACK}
    )
    cut, left = cut.split("middle", lambda p: np.where(p[:, 1] < waist + 0.02, p[:, 0], 0.1))
    right = np.isin(cut.panel, (LEFT_LEG_FRONT, LEFT_LEG_BACK)) & ~left
    return replace(cut, panel=cut.panel + (RIGHT_LEG_FRONT - LEFT_LEG_FRONT) * right)


def armhole_field(points: np.ndarray) -> np.ndarray:
    """The seam in which sleeves are set."""
    return np.where(points[:, 1] > 0.95, armhole(points), -0.1)


@lru_cache(maxsize=32)
def cut_trousers(waist: float, hem: float) -> Cut:
    """Everything with two legs, from ``waist`` to ``hem`` height."""
    cut = _whole().clip("cuff", lambda p: np.where(is_arm(p, -0.02), -0.1, p[:, 1] - hem))
    cut = cut.clip("waist", lambda p: waist - p[:, 1])
    cut, left = cut.split("middle", lambda p: p[:, 0])
    cut = replace(cut, panel=np.where(left, LEFT_LEG_FRONT, RIGHT_LEG_FRONT))
    cut, front = cut.split("side", side)
    return replace(cut, panel=cut.panel + ~front)


def wedges(cut: Cut) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners by panel: (F, 3) faces over wedges, (W,) the vertex and (W,) the panel of each wedge.

    A vertex on a seam has one wedge for every panel there. Sleeves are one panel, open along the underarm.
    """
    panel = np.repeat(cut.panel, 3).reshape(-1, 3)
    half = np.isin(panel, (LEFT_SLEEVE_BACK, RIGHT_SLEEVE_BACK))
    if half.any():
        top = cut.lines["side"] & (_arm_coordinates(cut.points)[2] > 0)
        panel = panel - (half & top[cut.faces])
    code, faces = np.unique(cut.faces.astype(np.int64) * 16 + panel, return_inverse=True)
    kind = code % 16
    kind -= np.isin(kind, (LEFT_SLEEVE_BACK, RIGHT_SLEEVE_BACK))
    return faces.reshape(-1, 3).astype(np.int32), code // 16, kind

"""What cannot be cut as a plain top, skirt or pair of trousers: open fronts, hoods, straps, tights, flared legs, jumpsuits."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from helpers.mannequin.body.figure import Body, make_body
from helpers.mannequin.cloth.assembly import Sewn, body_obstacles
from helpers.mannequin.cloth.form import LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG, TRUNK, Form
from helpers.mannequin.cloth.patterns import (
    FRONT,
    LEFT_LEG_BACK,
    LEFT_LEG_FRONT,
    RIGHT_FRONT,
    RIGHT_LEG_BACK,
    RIGHT_LEG_FRONT,
    base_hull,
)
from helpers.mannequin.cloth.sewing import sew
from helpers.mannequin.cloth.wardrobe import Worn, dress
from helpers.mannequin.mesh import vertex_normals
from helpers.mannequin.outfit import Fabric, Figure, Piece

FIGURES = {
    "small": Figure("woman", build="slim", height=1.58, pose="relaxed"),
    "large": Figure("man", build="heavy", height=1.92, pose="walking"),
}
OPEN = ("cardigan", "blazer", "coat")
KINDS = (*OPEN, "hoodie", "polo shirt", "camisole", "leggings", "wide-leg trousers", "pencil skirt", "jumpsuit")
both = pytest.mark.parametrize("size", FIGURES)


@cache
def body(size: str) -> Body:
    return make_body(FIGURES[size], 0.02)


@cache
def form(size: str) -> Form:
    return Form(body(size), base_hull())


@cache
def sewn(kind: str, size: str) -> Sewn:
    """The garment alone on the body."""
    return sew(Piece(kind), form(size), [body_obstacles(form(size))])


@cache
def layered(kind: str, size: str) -> tuple[Worn, Worn]:
    """A t-shirt over jeans, and the open garment over both."""
    worn = dress(body(size), (Piece("jeans"), Piece("t-shirt"), Piece(kind, Fabric(weave="wool"))))
    return worn[1], worn[2]


def used(garment: Sewn) -> np.ndarray:
    """(N, 3) what is left of the garment's vertices in its faces."""
    return garment.mesh.vertices[np.unique(garment.mesh.faces)]


def depth(garment: Sewn, size: str) -> np.ndarray:
    """(V,) metres of cloth below the posed hull; sleeves against arms, legs against their own, the rest against the rest."""
    hull = base_hull()
    points = body(size).skin(form(size).rest, hull.weights)
    normals = vertex_normals(points, hull.faces)
    out = np.zeros(len(garment.mesh.vertices))
    panel = np.round(garment.mesh.attributes["panel"])
    left, right = (np.isin(panel, legs) for legs in ((LEFT_LEG_FRONT, LEFT_LEG_BACK), (RIGHT_LEG_FRONT, RIGHT_LEG_BACK)))
    for mine, parts in (
        (garment.sleeve, (LEFT_ARM, RIGHT_ARM)),
        (left, (TRUNK, LEFT_LEG)),
        (right, (TRUNK, RIGHT_LEG)),
        (~garment.sleeve & ~left & ~right, (TRUNK, LEFT_LEG, RIGHT_LEG)),
    ):
        rows = np.flatnonzero(np.isin(hull.part, parts))
        near = rows[cKDTree(points[rows]).query(garment.mesh.vertices[mine])[1]]
        out[mine] = -np.einsum("ij,ij->i", garment.mesh.vertices[mine] - points[near], normals[near])
    return out


@both
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_whole_and_outside_the_body(kind: str, size: str):
    garment = sewn(kind, size)
    mesh = garment.mesh
    assert np.isfinite(mesh.vertices).all()
    assert np.isfinite(mesh.uv).all()
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    assert (area < 1e-9).mean() < 0.02
    cloth = (garment.edge[mesh.faces] > 0).all(axis=1)
    a, b, c = a[cloth], b[cloth], c[cloth]
    longest = np.max([np.linalg.norm(x - y, axis=1) for x, y in ((a, b), (b, c), (c, a))], axis=0)
    assert np.percentile(longest, 99.9) < 0.05, "cloth is torn"
    inside = depth(garment, size)[(garment.edge > 0) & (mesh.vertices[:, 1] > 0.12)]  # feet are the shoes' affair
    assert np.percentile(inside, 99) < (0.004 if kind == "leggings" else 0.002)


@both
@pytest.mark.parametrize("kind", OPEN)
def test_a_front_opens_and_stays_open(kind: str, size: str):
    mesh = sewn(kind, size).mesh
    panel = np.round(mesh.attributes["panel"])
    middle = body(size).joints["spine03"][0]
    left, right = mesh.vertices[panel == FRONT], mesh.vertices[panel == RIGHT_FRONT]
    waist = body(size).joints["spine04"][1]
    for height in (waist, waist + 0.1):
        edges = [side[np.abs(side[:, 1] - height) < 0.015][:, 0] for side in (left, right)]
        gap = edges[0].min() - edges[1].max()
        assert 0.05 < gap < 0.30, f"{gap:.3f} m at {height:.2f} m"
        assert abs((edges[0].min() + edges[1].max()) / 2 - middle) < 0.06


@both
@pytest.mark.parametrize("kind", OPEN)
@pytest.mark.slow
def test_an_open_garment_is_outside_what_it_is_worn_over(kind: str, size: str):
    inner, outer = layered(kind, size)
    left = np.unique(inner.mesh.faces)  # what the long sleeves hide is left out
    cloth = outer.mesh.vertices[(outer.edge > 0.02) & ~outer.sleeve]
    distance, near = cKDTree(inner.mesh.vertices[left]).query(cloth)
    near = left[near]
    height = np.einsum("ij,ij->i", cloth - inner.mesh.vertices[near], inner.mesh.normals[near])
    close = (distance < 0.03) & (inner.edge[near] > 0.03)
    assert close.sum() > 100
    assert (height[close] < -0.002).mean() < 0.01


@pytest.mark.parametrize(
    ("kind", "length", "low", "high"),
    [
        ("cardigan", None, 0.42, 0.56),
        ("blazer", None, 0.42, 0.56),
        ("coat", "knee", 0.24, 0.36),
        ("coat", "midi", 0.14, 0.26),
        ("hoodie", None, 0.45, 0.58),
        ("polo shirt", None, 0.45, 0.58),
        ("camisole", None, 0.45, 0.58),
        ("leggings", "ankle", 0.05, 0.12),
        ("leggings", "knee", 0.24, 0.36),
        ("wide-leg trousers", None, 0.0, 0.07),
        ("pencil skirt", None, 0.22, 0.33),
        ("jumpsuit", "ankle", 0.05, 0.13),
    ],
)
def test_hems_are_where_the_length_says(kind: str, length: str | None, low: float, high: float):
    garment = sewn(kind, "small") if length is None else sew(Piece(kind, length=length), form("small"), [_skin()])
    assert low < used(garment)[:, 1].min() / FIGURES["small"].height < high


@cache
def _skin():
    return body_obstacles(form("small"))


@both
def test_a_hood_lies_behind_the_neck_above_the_shoulders(size: str):
    joints = body(size).joints
    points = used(sewn("hoodie", size))
    behind = points[(points[:, 2] < joints["neck01"][2] - 0.03) & (np.abs(points[:, 0] - joints["neck01"][0]) < 0.04)]
    plain = used(sew(Piece("sweater", Fabric(weave="jersey")), form(size), [body_obstacles(form(size))]))
    nape = plain[(plain[:, 2] < joints["neck01"][2]) & (np.abs(plain[:, 0] - joints["neck01"][0]) < 0.04)]
    assert behind[:, 1].max() > nape[:, 1].max() + 0.02
    back, under = (p[p[:, 1] > nape[:, 1].max() - 0.12][:, 2].min() for p in (behind, nape))
    assert back < under - 0.006, "the hood is thicker than the back"
    assert points[:, 1].max() < joints["head"][1] + 0.08, "it does not hide the face"


@both
def test_a_camisole_hangs_from_thin_straps(size: str):
    garment, joints = sewn("camisole", size), body(size).joints
    level = (joints["upperarm01.L"][1] + joints["upperarm01.R"][1]) / 2 + 0.01
    points = used(garment)
    strap = points[points[:, 1] > level]
    for side in (strap[strap[:, 0] > joints["neck01"][0]], strap[strap[:, 0] < joints["neck01"][0]]):
        front = side[np.argsort(side[:, 2])[-12:]]
        assert 0.004 < np.ptp(front[:, 0]) < 0.03
        near = cKDTree(_points(size)).query(side)[0]
        assert near.max() < 0.035, "it lies on the shoulder"


def test_a_camisole_is_tucked_into_what_comes_after_it():
    tucked, loose = (dress(body("small"), (Piece(a), Piece(b))) for a, b in (("camisole", "jeans"), ("jeans", "camisole")))
    low = {}
    for name, worn in (("tucked", tucked), ("loose", loose)):
        mesh = next(item.mesh for item in worn if item.piece.kind == "camisole")
        low[name] = mesh.vertices[np.unique(mesh.faces)][:, 1].min()
    assert low["tucked"] > low["loose"] + 0.05


@cache
def _points(size: str) -> np.ndarray:
    return body(size).skin(form(size).rest, base_hull().weights)


@both
def test_leggings_follow_the_leg_and_wide_legs_do_not(size: str):
    tight, wide = (used(sewn(kind, size)) for kind in ("leggings", "wide-leg trousers"))
    tree = cKDTree(_points(size))
    level = 0.2 * FIGURES[size].height
    near, far = (tree.query(p[np.abs(p[:, 1] - level) < 0.03])[0] for p in (tight, wide))
    assert near.max() < 0.03
    assert np.median(far) > 0.025


@both
def test_a_pencil_skirt_narrows_and_holds_both_legs(size: str):
    points = used(sewn("pencil skirt", size))
    low = points[:, 1].min()

    def girth(height: float) -> float:
        ring = points[np.abs(points[:, 1] - height) < 0.015]
        return float(np.ptp(ring[:, 0]))

    hips = max(girth(low + share * np.ptp(points[:, 1])) for share in (0.5, 0.6, 0.7))
    assert girth(low + 0.02) < hips
    knees = [body(size).joints[f"lowerleg01.{side}"] for side in "LR"]
    ring = points[np.abs(points[:, 1] - (low + 0.05)) < 0.03]
    for knee in knees:
        assert ring[:, 0].min() < knee[0] < ring[:, 0].max()
        assert ring[:, 2].min() < knee[2] < ring[:, 2].max()


@both
def test_a_jumpsuit_is_one_piece_with_a_seam_at_the_waist(size: str):
    garment = sewn("jumpsuit", size)
    points, joints = used(garment), body(size).joints
    assert points[:, 1].max() > joints["upperarm01.L"][1]
    for sign, side in ((1, "L"), (-1, "R")):
        ankle = joints[f"foot.{side}"]
        leg = points[np.abs(points[:, 1] - points[:, 1].min() - 0.05) < 0.04]
        assert np.linalg.norm((leg - ankle)[:, [0, 2]], axis=1).min() < 0.12, sign
    waist = joints["spine04"][1]
    assert ((points[:, 1] > waist - 0.1) & (points[:, 1] < waist + 0.1)).sum() > 500

"""Garments on bodies: outside the skin, in one piece, unrolled in true metres, the same every time."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from helpers.labels import CIHP
from helpers.mannequin.body.figure import Body, make_body
from helpers.mannequin.body.skin import skin_surfaces
from helpers.mannequin.cloth.form import LEFT_ARM, RIGHT_ARM
from helpers.mannequin.cloth.patterns import FRONT, base_hull, cut_top, cut_trousers, wedges
from helpers.mannequin.cloth.wardrobe import Worn, dress, hide, product_shape, sole_height, surfaces
from helpers.mannequin.mesh import loops, vertex_normals
from helpers.mannequin.outfit import GARMENTS, SHOES, Fabric, Figure, Piece
from helpers.mannequin.surface import Material

LABELS = {
    "upper": "upper-clothes",
    "lower": "pants",
    "dress": "dress",
    **dict.fromkeys(("mini skirt", "midi skirt", "a-line skirt", "pencil skirt"), "skirt"),
    **dict.fromkeys(("cardigan", "blazer", "coat"), "coat"),
}
"""What a kind, or else its category, is called in CIHP."""
FIGURE = Figure("woman", pose="relaxed")
TEE, TROUSERS, SHOE = Piece("t-shirt"), Piece("trousers"), Piece("shoes", style="loafers")


@cache
def body() -> Body:
    return make_body(FIGURE, sole_height("loafers"))


@cache
def usual() -> tuple[Worn, ...]:
    return tuple(dress(body(), (TROUSERS, TEE, SHOE)))


def find(worn, kind: str) -> Worn:
    return next(item for item in worn if item.piece.kind == kind)


def penetration(item: Worn, figure: Body) -> np.ndarray:
    """(V,) metres below the posed hull."""
    hull = base_hull()
    points = figure.skin(hull.matrix @ figure.rest[figure.template.tights.indices], hull.weights)
    normals = vertex_normals(points, hull.faces)
    arm, out = np.isin(hull.part, (LEFT_ARM, RIGHT_ARM)), np.zeros(len(item.mesh.vertices))
    for sleeve in (True, False):  # cloth of the trunk may touch an arm that hangs beside it
        mine, rows = item.sleeve == sleeve, np.flatnonzero(arm == sleeve)
        if mine.any():
            near = rows[cKDTree(points[rows]).query(item.mesh.vertices[mine])[1]]
            out[mine] = -np.einsum("ij,ij->i", item.mesh.vertices[mine] - points[near], normals[near])
    return out[item.edge > 0]


@pytest.mark.parametrize("kind", [kind for kind in GARMENTS if kind not in ("t-shirt", "tank top", "trousers", "shoes")])
@pytest.mark.slow
def test_every_kind_is_sewn(kind):
    piece = Piece(kind)
    item = find(dress(body(), (piece,)), kind)
    mesh = item.mesh
    assert np.isfinite(mesh.vertices).all()
    assert np.isfinite(mesh.uv).all()
    assert mesh.faces.max() < len(mesh.vertices)
    assert len(item.labels) == len(mesh.faces)
    assert set(np.unique(item.labels)) == {CIHP.index(LABELS.get(kind, LABELS[piece.category]))}
    assert {"panel", "hem"} <= set(mesh.attributes)
    assert all(len(values) == len(mesh.vertices) for values in mesh.attributes.values())
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
    assert np.abs(mesh.vertices[:, 0]).max() < 0.75  # nothing has flown away
    assert 0 < mesh.vertices[:, 1].min() < mesh.vertices[:, 1].max() < FIGURE.height


def test_cloth_lies_outside_the_body_and_hugs_it():
    for kind in ("t-shirt", "trousers"):
        depth = penetration(find(usual(), kind), body())
        assert np.percentile(depth, 99.5) < 0.002
        assert np.percentile(depth, 1) > -0.09


def test_an_outer_layer_is_outside_the_inner_one():
    tee, trousers = find(usual(), "t-shirt").mesh, find(usual(), "trousers").mesh
    waist = trousers.vertices[:, 1] > tee.vertices[:, 1].min() + 0.03
    distance, near = cKDTree(tee.vertices).query(trousers.vertices[waist])
    inside = np.einsum("ij,ij->i", trousers.vertices[waist] - tee.vertices[near], tee.normals[near])
    assert (inside[distance < 0.03] > 0.001).mean() < 0.01


def test_uv_are_metres_with_the_origin_on_the_chest():
    mesh = find(usual(), "t-shirt").mesh
    panel = mesh.attributes["panel"]
    front = mesh.faces[(panel[mesh.faces] == FRONT).all(axis=1)]
    a, b, c = (mesh.uv[front[:, k]] for k in range(3))
    flat = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert (flat > 0).mean() > 0.999  # +u to the image's right, +v up, nothing folded over
    p, q, r = (mesh.vertices[front[:, k]] for k in range(3))
    solid = np.linalg.norm(np.cross(q - p, r - p), axis=1) / 2
    assert flat.sum() == pytest.approx(solid.sum(), rel=0.06)
    middle = mesh.vertices[front[np.argmin(np.linalg.norm(mesh.uv[front[:, 0]], axis=1)), 0]]
    assert abs(middle[0]) < 0.03
    assert 0.68 < middle[1] / FIGURE.height < 0.80
    assert middle[2] > 0.05


def test_stripes_cross_the_middle_without_a_chevron():
    mesh = find(dress(make_body(Figure("man", height=1.8)), (TEE,)), "t-shirt").mesh
    front = np.abs(mesh.attributes["panel"] - FRONT) < 0.1
    u, v = mesh.uv[front].T
    height = mesh.vertices[front, 1]
    for level in (-0.22, -0.12, 0.0):
        near = (np.abs(v - level) < 0.008) & (np.abs(u) < 0.12)
        x = u[near]  # a fold bends a stripe (x squared), a chevron breaks it (absolute x)
        terms = np.stack([np.ones_like(x), x, np.abs(x), x**2, v[near] - level], axis=1)
        kink = np.linalg.lstsq(terms, height[near], rcond=None)[0][2]
        assert abs(kink) < 0.12, f"a stripe at {level} m breaks by {kink:.2f}"


def test_panels_are_discs():
    for cut in (cut_top(0.835, "long", "crew"), cut_trousers(1.03, 0.06)):
        faces, vertex, panel = wedges(cut)
        assert np.array_equal(vertex[faces], cut.faces)
        for p in np.unique(panel):
            part = faces[panel[faces[:, 0]] == p]
            count = len(np.unique(part))
            edges = len(np.unique(np.sort(np.concatenate([part[:, [0, 1]], part[:, [1, 2]], part[:, [2, 0]]]), axis=1), axis=0))
            assert count - edges + len(part) == 1
            assert len(loops(part)) == 1


def test_the_same_again_whatever_the_colour():
    red = replace(TEE, fabric=Fabric("#aa1122", pattern="stripes"))
    first, second = usual(), dress(body(), (TROUSERS, red, SHOE))
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.mesh.vertices, other.mesh.vertices)
        assert np.array_equal(one.mesh.uv, other.mesh.uv)
    seen = []
    surfaces(first, (TROUSERS, red, SHOE), lambda fabric: seen.append(fabric) or Material(lambda hits: hits["uv"]))
    assert red.fabric in seen


def test_skin_under_cloth_is_left_out_and_only_that():
    whole = skin_surfaces(body())
    left = hide(whole, body(), usual())
    before, after = whole[0], left[0]
    points = before.vertices[before.faces].mean(axis=1)
    kept = {tuple(face) for face in after.faces.tolist()}
    gone = np.array([tuple(face) not in kept for face in before.faces.tolist()])
    high = points[:, 1] > 0.87 * FIGURE.height
    hands = np.abs(points[:, 0]) > 0.40
    trunk = (np.abs(points[:, 0]) < 0.12) & (points[:, 1] > 0.6 * FIGURE.height) & (points[:, 1] < 0.72 * FIGURE.height)
    assert not gone[high].any()
    assert not gone[hands].any()
    assert gone[trunk].mean() > 0.9


def test_shoes_stand_on_the_ground():
    for style in SHOES:
        figure = make_body(FIGURE, sole_height(style))
        item = find(dress(figure, (Piece("shoes", style=style),)), "shoes")
        assert item.mesh.vertices[:, 1].min() == pytest.approx(0, abs=0.006)
        assert set(np.unique(item.labels)) == {18, 19}
        left = item.mesh.vertices[item.mesh.faces[item.labels == 18]].mean(axis=(0, 1))
        assert left[0] > 0
        assert item.mesh.attributes["trim"].max() == 1
    with pytest.raises(ValueError, match="sandals"):
        dress(body(), (Piece("shoes", style="sandals"),))


def test_nobody_is_bare():
    worn = dress(body(), ())
    assert [item.index for item in worn] == [-1, -1]
    assert {label for item in worn for label in np.unique(item.labels)} == {5, 9}
    top_only = dress(body(), (Piece("tank top"),))
    assert sorted(item.index for item in top_only) == [-1, 0]


def test_a_top_named_first_is_tucked_in():
    tucked = find(dress(body(), (TEE, Piece("shorts"))), "t-shirt").mesh
    loose = find(usual(), "t-shirt").mesh
    used = tucked.vertices[np.unique(tucked.faces)]
    assert used[:, 1].min() > loose.vertices[:, 1].min() + 0.05


@pytest.mark.slow
def test_what_is_worn_open_hides_the_sleeves_under_it():
    coat, shirt = Piece("coat"), Piece("shirt")
    worn = dress(body(), (TROUSERS, shirt, coat))
    inner, outer = find(worn, "shirt"), find(worn, "coat")
    assert len(inner.labels) == len(inner.mesh.faces)
    assert not inner.sleeve[inner.mesh.faces].all(axis=1).any(), "its sleeves would come through"
    front = inner.mesh.vertices[np.unique(inner.mesh.faces)]
    assert (np.abs(front[:, 0]) < 0.03).any(), "its front is there"
    assert np.percentile(penetration(outer, body()), 99.5) < 0.002
    bare = dress(body(), (TROUSERS, coat))
    assert [item.piece.kind for item in bare if item.index < 0] == ["tank top"], "nobody is bare under it"


def test_product_shape_is_hollow_and_still():
    item = product_shape(Piece("tank top"))
    assert item.index == 0
    assert abs(item.mesh.vertices[:, 0].mean()) < 0.01
    assert np.ptp(item.mesh.vertices[:, 2]) > 0.1


@pytest.mark.parametrize(("build", "pose"), [("slim", "hand on hip"), ("heavy", "walking")])
def test_poses_and_builds_do_not_tear_the_cloth(pose, build):
    figure = make_body(Figure("man", build=build, pose=pose, height=1.85))
    item = find(dress(figure, (TEE,)), "t-shirt")
    mesh = item.mesh
    edges = np.unique(np.sort(np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]]]), axis=1), axis=0)
    length = np.linalg.norm(mesh.vertices[edges[:, 0]] - mesh.vertices[edges[:, 1]], axis=1)
    assert np.percentile(length, 99.9) < 0.03
    assert np.percentile(penetration(item, figure), 99.5) < 0.002


def test_what_cannot_be_cut_is_named_before_anything_is_draped():
    with pytest.raises(ValueError, match=r"length of a t-shirt .* 'knee'"):
        dress(body(), (replace(TEE, length="knee"),))
    with pytest.raises(ValueError, match="neckline of a dress"):
        dress(body(), (Piece("dress", neckline="halter"),))

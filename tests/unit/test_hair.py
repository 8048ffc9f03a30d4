"""Hair: every style on every figure stays off the face and out of the body, and is the same for the same seed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from helpers.labels import CIHP
from helpers.mannequin.body.figure import Body, make_body
from helpers.mannequin.body.hair import hair_surfaces
from helpers.mannequin.body.hairstyles import strands
from helpers.mannequin.body.strands import Head, above_hairline, resample_strands, wave
from helpers.mannequin.mesh import vertex_normals
from helpers.mannequin.outfit import HAIRSTYLES, Figure
from helpers.mannequin.surface import Surface

HAIRY = [style for style in HAIRSTYLES if style != "bald"]


@cache
def body(presentation: str = "woman", pose: str = "standing", age: int = 30) -> Body:
    return make_body(Figure(presentation=presentation, pose=pose, age=age, height=1.70 if presentation == "woman" else 1.80))


@cache
def hair(style: str, presentation: str = "woman", seed: int = 0) -> list[Surface]:
    figure = Figure(presentation=presentation, hair=style, hair_colour="#4a2f20")
    return hair_surfaces(body(presentation), figure, np.random.default_rng(seed))


def asked(surface: Surface) -> dict:
    """Hits at the vertices."""
    return {"position": surface.vertices, "normal": surface.smooth_normals(), "uv": surface.uv, **surface.attributes}


@pytest.mark.parametrize("presentation", ["woman", "man"])
@pytest.mark.parametrize("style", HAIRY)
def test_every_style_is_a_whole_surface(style, presentation):
    cap, ribbons = hair(style, presentation)
    for surface in (cap, ribbons):
        assert np.isfinite(surface.vertices).all()
        assert surface.faces.max() < len(surface.vertices)
        assert set(surface.labels) == {CIHP.index("hair")}
        assert surface.material.kind == "hair"
        np.testing.assert_allclose(np.linalg.norm(surface.attributes["tangent"], axis=1), 1, atol=1e-6)
        opacity, albedo = surface.material.opacity(asked(surface)), surface.material.albedo(asked(surface))
        assert opacity.shape == (len(surface.vertices),)
        assert 0 <= opacity.min() < opacity.max() <= 1
        assert np.isfinite(albedo).all()
        assert albedo.min() >= 0
    assert 5_000 < len(ribbons.faces) < 90_000


def test_bald_has_none_and_unknown_styles_are_named():
    assert hair("bald", "man") == []
    with pytest.raises(ValueError, match="mohawk"):
        hair_surfaces(body(), Figure(hair="mohawk"), np.random.default_rng(0))
    with pytest.raises(ValueError, match="brownish"):
        hair_surfaces(body(), Figure(hair_colour="brownish"), np.random.default_rng(0))


@pytest.mark.parametrize("style", HAIRY)
def test_same_seed_same_strands(style):
    figure = Figure(hair=style)
    again = [hair_surfaces(body(), figure, np.random.default_rng(5))[1].vertices for _ in range(2)]
    other = hair_surfaces(body(), figure, np.random.default_rng(6))[1].vertices
    np.testing.assert_array_equal(*again)
    assert again[0].shape != other.shape or not np.allclose(again[0], other)


@pytest.mark.parametrize("style", HAIRY)
@pytest.mark.parametrize("presentation", ["woman", "man"])
def test_strands_keep_out_of_head_and_body(style, presentation):
    worn = body(presentation)
    head = Head(worn)
    grown = strands(head, Figure(presentation=presentation, hair=style), np.random.default_rng(3))
    points = head.to_world(grown.points[:, 2:]).reshape(-1, 3)
    skin = worn.template.shells["skin"]
    surface = worn.posed[skin.indices]
    normals = vertex_normals(surface, skin.faces)
    index = cKDTree(surface).query(points)[1]
    depth = np.einsum("ij,ij->i", points - surface[index], normals[index])
    assert (depth < -0.006).mean() < 0.01


@pytest.mark.parametrize("style", ["long", "bob", "curly", "ponytail"])
def test_eyes_and_mouth_stay_free(style):
    for seed in range(4):
        joints = body().keypoints()
        points = hair_surfaces(body(), Figure(hair=style), np.random.default_rng(seed))[1].vertices
        mouth = joints["nose"] - [0, 0.035, 0.02]
        for place in (joints["left-eye"], joints["right-eye"], mouth):
            near = np.hypot(*(points - place)[:, :2].T) < 0.02
            assert (near & (points[:, 2] > place[2] - 0.02)).mean() < 0.002


def test_styles_reach_where_their_names_say():
    chin = body().keypoints()["nose"][1] - 0.07
    lowest = {style: np.quantile(hair(style)[1].vertices[:, 1], 0.01) for style in ("long", "bob", "bun", "short")}
    assert lowest["long"] < chin - 0.15
    assert abs(lowest["bob"] - chin) < 0.06
    assert lowest["short"] > chin
    assert lowest["bun"] > chin
    crown = body().posed[body().template.shells["skin"].indices, 1].max()
    assert hair("curly")[1].vertices[:, 1].max() > crown + 0.015


def test_long_hair_lies_on_clothes():
    worn = body()
    tights = worn.template.tights
    cloth = worn.posed[tights.indices] + 0.03 * vertex_normals(worn.posed[tights.indices], tights.faces)
    coat = Surface("coat", cloth, tights.faces, hair("bob")[0].material, np.full(len(tights.faces), 5, np.uint8))
    figure = Figure(hair="long")
    tree, normals = cKDTree(cloth), vertex_normals(cloth, tights.faces)

    def sunk(surfaces: list[Surface]) -> float:
        low = surfaces[1].vertices
        low = low[low[:, 1] < 1.30]
        index = tree.query(low)[1]
        return float((np.einsum("ij,ij->i", low - cloth[index], normals[index]) < -0.004).mean())

    bare = sunk(hair_surfaces(worn, figure, np.random.default_rng(1)))
    dressed = sunk(hair_surfaces(worn, figure, np.random.default_rng(1), clothes=[coat]))
    assert dressed < 0.1
    assert dressed < bare / 3


def test_hairline_is_over_the_brows_and_recedes_with_a_mans_age():
    forehead = np.array([[0.0, 1.60, 0.15], [0.0, 1.65, 0.11], [0.04, 1.630, 0.12]])
    assert above_hairline(forehead, "woman", 30).round(3).tolist()[0] < 0 < above_hairline(forehead, "woman", 30)[1]
    assert above_hairline(forehead, "man", 75)[2] < above_hairline(forehead, "man", 25)[2] - 0.01


def test_strands_are_cut_to_length():
    line = np.zeros((2, 11, 3))
    line[..., 0] = np.linspace(0, 1, 11)
    short = resample_strands(line, 6, np.array([0.5, 2.0]))
    np.testing.assert_allclose(short[0, :, 0], np.linspace(0, 0.5, 6))
    np.testing.assert_allclose(short[1, :, 0], np.linspace(0, 1, 6))


@pytest.mark.parametrize("pose", ["relaxed", "walking"])
def test_hair_follows_a_turned_head(pose):
    turned = body(pose=pose)
    head = Head(turned)
    skull = head.to_world(np.array([[0, 1.666, 0.055]]))[0]
    ribbons = hair_surfaces(turned, Figure(hair="short"), np.random.default_rng(0))[1]
    assert np.linalg.norm(ribbons.vertices - skull, axis=1).min() < 0.03


def test_ends_fade_and_middles_cover():
    surface = hair("bob")[1]
    hits = asked(surface)
    v, side = surface.uv[:, 1], surface.uv[:, 0]
    centre = {**hits, "uv": np.column_stack([np.full_like(side, 0.5), v])}
    opacity = surface.material.opacity(centre)
    assert opacity[(v > 0.2) & (v < 0.5)].mean() > 0.85
    assert opacity[v > 0.97].mean() < 0.6
    assert surface.material.opacity(hits).mean() < opacity.mean()


def test_colour_is_the_figures():
    red, grey = (
        hair_surfaces(body(), Figure(hair="bob", hair_colour=c), np.random.default_rng(0))[1] for c in ("#8a3a1b", "#b9b9b8")
    )
    warm = red.material.albedo(asked(red)).mean(0)
    assert warm[0] > 3 * warm[2]
    plain = grey.material.albedo(asked(grey)).mean(0)
    assert np.ptp(plain) < 0.03
    assert plain.mean() > 2 * warm.mean()


def test_a_head_without_loose_hairs_has_none_to_wave() -> None:
    points, lock = np.zeros((0, 9, 3)), np.zeros(0, int)
    wave(points, lock, np.random.default_rng(0), 0.003, 0.05)
    assert points.shape == (0, 9, 3)

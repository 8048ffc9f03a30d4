"""Cloth: colours land where the uv says, patterns keep their mean when filtered, weaves neither tint nor bend the whole."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from helpers.mannequin.colours import linear
from helpers.mannequin.fabric.floral import _scatter, floral_tile
from helpers.mannequin.fabric.material import PRINT_CENTRE, PRINT_WIDTH, fabric_material
from helpers.mannequin.fabric.weave import TEXEL, weave_map
from helpers.mannequin.fields import look_up
from helpers.mannequin.outfit import PATTERNS, WEAVES, Fabric

RED, WHITE = "#c0242f", "#f4f4f2"


def hits(u, v, **attributes) -> dict:
    u, v = np.broadcast_arrays(np.asarray(u, np.float32), np.asarray(v, np.float32))
    normal = np.tile(np.float32([0, 0, 1]), (u.size, 1))
    return {"uv": np.stack([u.ravel(), v.ravel()], axis=1), "normal": normal, "position": normal, **attributes}


def field(side=0.4, count=400) -> dict:
    places = (np.arange(count) + 0.5) / count * side - side / 2
    return hits(places[None], places[:, None])


@pytest.mark.parametrize("weave", WEAVES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_cloth_answers_within_range(pattern, weave):
    material = fabric_material(Fabric(RED, pattern, WHITE, 0.05, weave))
    asked = field(count=60)
    albedo, normals = material.albedo(asked), material.bump(asked)
    assert albedo.dtype == normals.dtype == np.float32
    assert albedo.shape == (3600, 3)
    assert albedo.min() >= 0
    assert albedo.max() <= 1
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("weave", WEAVES)
def test_weaves_keep_the_colour_and_the_mean_direction(weave):
    material = fabric_material(Fabric(RED, "solid", WHITE, 0.06, weave))
    asked = field(count=500)
    shown, dyed = material.albedo(asked).mean(0), linear(RED)
    if weave == "denim":  # white weft greys the dye, the lightness stays
        shown, dyed = shown.mean(), dyed.mean()
    np.testing.assert_allclose(shown, dyed, rtol=0.05)
    assert material.bump(asked)[:, 2].min() > 0.5
    assert np.abs(material.bump(asked).mean(0)[:2]).max() < 0.03


def test_stripes_run_across_and_keep_their_shares():
    material = fabric_material(Fabric(WHITE, "stripes", RED, 0.03, "satin"), pixel=0.0005)
    base, accent = material.albedo(hits([0, 0.1], [0.005, 0.005])), material.albedo(hits([0, 0.1], [0.024, 0.054]))
    np.testing.assert_allclose(base, np.tile(linear(WHITE), (2, 1)), rtol=0.06)
    np.testing.assert_allclose(accent, np.tile(linear(RED), (2, 1)), rtol=0.06)


@pytest.mark.parametrize(
    ("pattern", "share"), [("stripes", 0.42), ("gingham", 0.5), ("vertical stripes", 0.44), ("dots", 0.3324)]
)
def test_filtering_keeps_the_mean(pattern, share):
    expected = linear(WHITE) + share * (linear(RED) - linear(WHITE))
    for pixel in (0.0005, 0.006):
        material = fabric_material(Fabric(WHITE, pattern, RED, 0.02, "satin"), pixel=pixel)
        np.testing.assert_allclose(material.albedo(field()).mean(0), expected, rtol=0.04)


def test_fine_stripes_fade_instead_of_breaking_up():
    asked = hits(0, np.linspace(0, 0.3, 997))
    near = fabric_material(Fabric(WHITE, "stripes", "#17171a", 0.004, "satin"), pixel=0.0005).albedo(asked)
    far = fabric_material(Fabric(WHITE, "stripes", "#17171a", 0.004, "satin"), pixel=0.02).albedo(asked)
    assert near.std() > 0.3
    assert far.std() < 0.03


def test_gingham_has_three_tones():
    material = fabric_material(Fabric(WHITE, "gingham", "#000000", 0.04, "satin"), pixel=0.001)
    tone = [
        material.albedo(hits(np.linspace(u - 0.002, u + 0.002, 99), v)).mean() for u, v in ((0, 0.01), (0, 0.03), (0.02, 0.03))
    ]
    assert tone[0] > 0.8
    assert 0.35 < tone[1] < 0.55
    assert tone[2] < 0.05


def test_dots_are_staggered():
    material = fabric_material(Fabric(WHITE, "dots", RED, 0.03, "satin"), pixel=0.0005)
    green = material.albedo(hits([0, 0.015, 0.015, 0.03], [0, 0, 0.015, 0.03]))[:, 1]
    assert (green < 0.2).tolist() == [True, False, True, True]


def test_tiles_close_without_a_seam():
    tile = floral_tile("#1e2a4a", "#e79bb0", 0.06, 0.001)
    inner = np.abs(np.diff(tile, axis=1)).mean()
    assert np.abs(tile[:, 0] - tile[:, -1]).mean() < 2.5 * inner
    for weave in WEAVES:
        cloth = weave_map(weave, 0.0004)
        step = np.abs(np.diff(cloth[:-1, :, 0], axis=0)).max()
        assert np.abs(cloth[-2, :, 0] - cloth[-1, :, 0]).max() < 1.5 * step + 0.01


def test_look_up_is_periodic():
    tile = weave_map("knit", 0.0003)
    side = (tile.shape[0] - 1) * TEXEL
    u, v = np.random.default_rng(0).random((2, 200), dtype=np.float32) * side
    np.testing.assert_allclose(look_up(tile, u, v, TEXEL), look_up(tile, u + side, v - side, TEXEL), atol=0.02)


def test_blossoms_do_not_overlap():
    side, placed = 0.3, _scatter(np.random.default_rng(1), 0.3, 0.06)
    assert len({kind for kind, *_ in placed}) == 7
    for i, (_, a, r) in enumerate(placed):
        for _, b, s in placed[i + 1 :]:
            gap = np.abs(a - b)
            assert np.linalg.norm(np.minimum(gap, side - gap)) > r + s


def test_florals_show_many_inks_and_repeat_exactly():
    tile = floral_tile(WHITE, "#2f62b5", 0.06, 0.001)
    assert len(np.unique((tile * 31).astype(int).reshape(-1, 3), axis=0)) > 20
    fabric = Fabric(WHITE, "floral", "#2f62b5", 0.06)
    floral_tile.cache_clear()
    np.testing.assert_array_equal(fabric_material(fabric).albedo(field()), fabric_material(fabric).albedo(field()))


@pytest.fixture
def quarters(tmp_path):
    """Red top left, green top right, blue bottom left, nothing bottom right."""
    picture = np.zeros((40, 40, 4), np.uint8)
    picture[:20, :20], picture[:20, 20:], picture[20:, :20] = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255)
    Image.fromarray(picture).save(tmp_path / "quarters.png")
    return tmp_path / "quarters.png"


def test_print_lies_upright_on_the_front_only(quarters):
    material = fabric_material(Fabric(WHITE, "print", RED, 0.06, "satin", quarters))
    d, c = PRINT_WIDTH / 4, PRINT_CENTRE
    u, v = np.array([-d, d, -d, d, PRINT_WIDTH]), np.array([c + d, c + d, c - d, c - d, c])
    shown = material.albedo(hits(u, v, panel=np.zeros((5, 1), np.float32)))
    assert shown[:3].argmax(1).tolist() == [0, 1, 2]
    np.testing.assert_allclose(shown[3:], np.tile(linear(WHITE), (2, 1)), rtol=0.06)
    behind = material.albedo(hits(u, v, panel=np.ones((5, 1), np.float32)))
    np.testing.assert_allclose(behind, np.tile(linear(WHITE), (5, 1)), rtol=0.06)


def test_print_takes_an_array_and_else_draws_an_emblem():
    green = np.tile(np.uint8([0, 200, 0]), (30, 60, 1))
    asked = hits(np.zeros(1), np.full(1, PRINT_CENTRE + 0.05))
    fabric = Fabric(WHITE, "print", RED, 0.06, "satin")
    assert fabric_material(fabric, print_image=green).albedo(asked)[0].argmax() == 1
    assert fabric_material(fabric).albedo(asked)[0].argmax() == 0


def test_print_files_are_named_when_they_fail(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        fabric_material(Fabric(pattern="print", image=tmp_path / "gone.png"))
    (tmp_path / "words.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"words\.png"):
        fabric_material(Fabric(pattern="print", image=tmp_path / "words.png"))
    with pytest.raises(ValueError, match="uint8"):
        fabric_material(Fabric(pattern="print"), print_image=np.zeros((4, 4, 3)))


@pytest.mark.parametrize(
    ("field_", "value"), [("pattern", "zebra"), ("weave", "paper"), ("repeat", 0.0), ("colour", "red"), ("accent", "#12")]
)
def test_wrong_fabrics_are_named(field_, value):
    settings = {"pattern": "stripes", field_: value}
    with pytest.raises(ValueError, match=value if isinstance(value, str) else field_):
        fabric_material(Fabric(**settings)).albedo(field(count=4))


def test_denim_is_worn_on_the_thighs_only():
    denim = fabric_material(Fabric("#26344f", "solid", WHITE, 0.06, "denim"))
    along = hits(np.linspace(-0.02, 0.02, 300), -0.5)
    plain = denim.albedo(along | {"panel": np.zeros(300, np.float32)}).mean()
    assert denim.albedo(along | {"panel": np.full(300, 6.0, np.float32)}).mean() > 1.3 * plain
    np.testing.assert_allclose(denim.albedo(along).mean(), plain)


def test_ribs_and_stitches_follow_their_attributes():
    material = fabric_material(Fabric(WHITE, "stripes", RED, 0.03, "knit"), pixel=0.0005)
    asked = hits(np.linspace(0, 0.05, 500), 0.024)
    assert material.albedo(asked)[:, 1].mean() < 0.2
    ribbed = material.albedo(asked | {"rib": np.ones((500, 1), np.float32)})
    np.testing.assert_allclose(ribbed.mean(0), linear(WHITE), rtol=0.06)
    assert ribbed[:, 0].std() > 0.03
    denim = fabric_material(Fabric("#26344f", "solid", WHITE, 0.06, "denim"), pixel=0.0005)
    along = hits(np.linspace(0, 0.05, 500), 0.0)
    sewn = denim.albedo(along | {"hem": np.full((500, 1), 0.006, np.float32)}).mean(0)
    assert sewn[0] > 1.6 * denim.albedo(along).mean(0)[0]

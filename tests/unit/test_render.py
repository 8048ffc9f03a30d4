"""The camera, what its rays meet, the colours that come out, and product photographs."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.mannequin.colours import linear
from helpers.mannequin.render.camera import Camera, camera_for
from helpers.mannequin.render.studio import photograph_product, render
from helpers.mannequin.render.trace import Scene
from helpers.mannequin.surface import Material, Surface
from helpers.srgb import encode

SIZE = (96, 128)


def plain(colour: str, **more) -> Material:
    return Material(lambda hits: np.broadcast_to(linear(colour), (len(hits["position"]), 3)), **more)


def sphere(centre=(0.0, 1.0, 0.0), radius=0.4, material=None, name="ball", squeeze=(1.0, 1.0, 1.0), **more) -> Surface:
    rows, columns = 48, 96
    down, round_ = np.meshgrid(np.linspace(0.001, np.pi - 0.001, rows), np.arange(columns) / columns * 2 * np.pi, indexing="ij")
    unit = np.stack([np.sin(down) * np.sin(round_), np.cos(down), np.sin(down) * np.cos(round_)], axis=-1).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b = index[:-1].ravel(), np.roll(index, -1, axis=1)[:-1].ravel()
    d, c = index[1:].ravel(), np.roll(index, -1, axis=1)[1:].ravel()
    faces = np.concatenate([np.stack([a, d, c], axis=1), np.stack([a, c, b], axis=1)]).astype(np.int32)
    labels = np.full(len(faces), 5, np.uint8)
    return Surface(name, unit * radius * squeeze + centre, faces, material or plain("#808080"), labels, **more)


def card(z: float, side: float, material: Material, name="card", y=1.0) -> Surface:
    vertices = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]) * side + (0, y, z)
    uv = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    return Surface(name, vertices, np.array([(0, 1, 2), (0, 2, 3)], np.int32), material, np.full(2, 5, np.uint8), uv=uv)


@pytest.fixture(scope="module")
def camera() -> Camera:
    return Camera((0.0, 1.0, 5.0), (0.0, 1.0, 0.0), 17.0, SIZE)


def test_rays_go_where_points_are_projected():
    camera = Camera((0.3, 1.4, 4.0), (-0.1, 0.9, 0.2), 25.0, SIZE)
    pixels = np.array([(0.0, 0.0), (95.0, 3.5), (40.25, 127.0)], np.float32)
    points = camera.position + camera.rays(pixels) * 3.0
    assert np.allclose(camera.project(points), pixels, atol=1e-3)
    assert np.allclose(camera.depth(points), 3.0, atol=1e-5)
    assert Camera.from_dict(camera.to_dict()) == camera


def test_left_is_right_in_the_picture_and_up_is_up(camera):
    x, y = camera.project(np.array([(0.2, 1.3, 0.0)]))[0]
    assert x > (SIZE[0] - 1) / 2
    assert y < (SIZE[1] - 1) / 2


def test_full_framing_shows_the_whole_figure_and_upper_ends_at_the_thigh():
    figure = [sphere((0, 0.85, 0), 0.85, squeeze=(0.3, 1.0, 0.2))]
    ends = np.array([(0, 0.0, 0), (0, 1.7, 0)])
    bottom, top = camera_for(figure, "full", SIZE).project(ends)[:, 1]
    assert 0.90 < (bottom - top) / SIZE[1] < 0.94
    assert top > 0
    assert bottom < SIZE[1] - 1
    upper = camera_for(figure, "upper", SIZE)
    assert 0 < upper.project(ends)[1, 1] < 0.08 * SIZE[1]
    thigh, knee = upper.project(np.array([(0, 0.70, 0), (0, 0.50, 0)]))[:, 1]
    assert thigh < SIZE[1] < knee


def test_wide_figures_are_not_cut_off():
    figure = [sphere((0, 0.85, 0), 0.85, squeeze=(1.2, 1.0, 0.2))]
    x = camera_for(figure, "full", SIZE).project(figure[0].vertices)[:, 0]
    assert x.min() > 0
    assert x.max() < SIZE[0] - 1


def test_a_turned_camera_sees_the_left_side_in_the_same_light():
    ball = [sphere((0.3, 0.5, -0.2), 0.4)]
    front, side = (camera_for(ball, "full", SIZE, turn) for turn in (0.0, 90.0))
    assert side.position[0] > 3
    nose = side.project(np.array([(0.3, 0.5, 0.1)]))[0]
    assert nose[0] < (SIZE[0] - 1) / 2 - 10
    assert nose[1] == pytest.approx(front.project(np.array([(0.3, 0.5, 0.1)]))[0, 1], abs=1)
    first, other = (render(ball, camera).image.astype(float) for camera in (front, side))
    assert np.abs(first - other).mean() < 1.5


def test_buffers_measure_a_sphere(camera):
    shot = render([sphere()], camera)
    centre = (63, 47)
    assert shot.surface[centre] == 0
    assert shot.depth[centre] == pytest.approx(4.6, abs=0.005)
    assert np.allclose(shot.normal[centre], (0, 0, 1), atol=0.03)
    shown = shot.surface >= 0
    radius = np.linalg.norm(shot.position[shown] - (0, 1, 0), axis=1)
    assert np.allclose(radius, 0.4, atol=0.002)
    assert np.allclose(np.linalg.norm(shot.normal[shown], axis=1), 1, atol=1e-3)
    right = np.argwhere(shown)[:, 1].argmax()
    row, column = np.argwhere(shown)[right]
    assert shot.normal[row, column, 0] > 0.8
    assert not shot.depth[~shown].any()
    seen = np.tan(np.arcsin(0.4 / 5.0)) * camera.focal
    assert shot.alpha.sum() == pytest.approx(np.pi * seen**2, rel=0.005)


def test_faces_and_weights_lead_back_to_the_positions(camera):
    ball = sphere()
    shot = render([card(-0.5, 0.3, plain("#ffffff")), ball], camera)
    shown = shot.surface == 1
    corners = ball.vertices[ball.faces[shot.face[shown]]]
    u, v = shot.bary[shown].T
    there = np.einsum("nk,nkc->nc", np.stack([1 - u - v, u, v], axis=1), corners)
    assert np.allclose(there, shot.position[shown], atol=1e-4)


def test_outlines_are_smooth(camera):
    shot = render([sphere(material=plain("#000000"))], camera, "#ffffff")
    edge = (shot.alpha > 0) & (shot.alpha < 1)
    assert len(np.unique(shot.alpha[edge])) > 10
    row = shot.image[40:90, :, 1].astype(int)
    assert ((row > 60) & (row < 200)).any(axis=1).mean() > 0.6


def test_same_input_same_pixels_and_the_seed_is_only_grain(camera):
    surfaces = [sphere()]
    first, again, other = (render(surfaces, camera, seed=seed).image for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.abs(first.astype(int) - other).max() <= 1


def test_a_picture_does_not_depend_on_how_rays_are_batched(camera, monkeypatch):
    surfaces = [sphere(), card(0.6, 0.15, plain("#ffffff", opacity=lambda hits: hits["uv"][:, 0]))]
    whole = render(surfaces, camera)
    monkeypatch.setattr("helpers.mannequin.render.studio._BATCH", 97)
    monkeypatch.setattr("helpers.mannequin.render.light._BATCH", 101)
    parts = render(surfaces, camera)
    assert np.array_equal(whole.surface, parts.surface)
    # Fragments without neighbours choose their rays by their place in the batch.
    assert (np.abs(whole.image.astype(int) - parts.image) <= 1).mean() > 0.98


@pytest.mark.parametrize("colour", ["#c8102e", "#28437a", "#3f7d4e", "#e0b030"])
def test_cloth_keeps_its_hue(camera, colour):
    shot = render([sphere(material=plain(colour, roughness=0.85))], camera)
    seen = shot.image[shot.surface == 0].mean(0) / 255
    wanted = encode(linear(colour))
    difference = abs(hue(seen) - hue(wanted))
    assert min(difference, 360 - difference) < 9


def hue(colour) -> float:
    import colorsys

    return colorsys.rgb_to_hsv(*map(float, colour))[0] * 360


def test_whites_keep_their_folds_and_blacks_are_not_crushed(camera):
    white = render([sphere(material=plain("#f4f4f2", roughness=0.85))], camera)
    values = white.image[white.surface == 0]
    assert np.percentile(values, 90) > 225
    assert (values.min(axis=1) >= 254).mean() < 0.002
    assert np.percentile(values, 90) - np.percentile(values, 10) > 35
    black = render([sphere(material=plain("#141416", roughness=0.85))], camera).image[white.surface == 0]
    assert np.percentile(black, 5) > 12
    assert np.percentile(black, 95) - np.percentile(black, 5) > 8


@pytest.mark.parametrize("colour", ["#ffffff", "#d9d9d7", "#3d5a80", "#101010"])
def test_the_backdrop_has_its_colour(camera, colour):
    shot = render([sphere()], camera, colour)
    seen = shot.image[(shot.alpha == 0)].reshape(-1, 3).mean(0)
    assert np.abs(seen - encode(linear(colour)) * 255).max() < 14


def test_ribbons_let_through_what_they_should(camera):
    behind = card(0.0, 0.6, plain("#ff0000", specular=0.0))

    def middle(opacity: float):
        veil = card(0.3, 0.6, plain("#0000ff", specular=0.0, opacity=lambda hits: np.full(len(hits["uv"]), opacity)), "veil")
        shot = render([behind, veil], camera)
        return shot.image[50:78, 34:62].reshape(-1, 3).mean(0), shot.surface[63, 47]

    clear, there = middle(0.0)
    assert there == 0
    assert clear[2] < 60 < clear[0]
    thin, there = middle(0.3)
    assert there == 0
    thick, there = middle(0.7)
    assert there == 1
    solid, there = middle(1.0)
    assert there == 1
    assert clear[0] > thin[0] > thick[0] > solid[0]
    assert clear[2] < thin[2] < thick[2] < solid[2]


def test_the_inside_of_cloth_is_darker(camera):
    front, back = card(0.0, 0.4, plain("#b0b0b0")), card(0.0, 0.4, plain("#b0b0b0"))
    back.faces = back.faces[:, ::-1].copy()
    outside, inside = (render([s], camera).image[50:78, 34:62].mean() for s in (front, back))
    assert 60 < inside < outside - 15


def test_things_throw_soft_shadows_on_each_other_and_on_the_floor(camera):
    wall = card(-0.2, 0.7, plain("#b0b0b0"))
    alone = render([wall], camera).image.astype(float)
    both = render([wall, sphere((-0.35, 1.3, 0.25), 0.12, name="near")], camera)
    shade = np.where(both.surface == 0, alone.mean(2) - both.image.mean(2), 0)
    assert shade.max() > 25
    assert ((shade > 5) & (shade < 20)).sum() > 30

    ball = sphere((0.0, 0.1, 0.0), 0.1)
    low = Camera((0.0, 0.5, 3.0), (0.0, 0.1, 0.0), 25.0, SIZE)
    shot = render([ball], low)
    floor = shot.image.mean(2)
    x, y = low.project(np.array([(0.11, 0.0, 0.0)]))[0].astype(int)
    assert shot.surface[y, x] == -1
    assert floor[y, x] < floor[y, 8] - 12


def test_recolouring_is_the_same_as_drawing_anew(camera):
    red, blue = sphere(material=plain("#c02020")), sphere(material=plain("#2020c0"))
    prepared = Scene([red])
    assert np.array_equal(render(prepared.recoloured([blue]), camera).image, render([blue], camera).image)
    with pytest.raises(ValueError, match="new scene"):
        prepared.recoloured([card(0.0, 0.5, plain("#2020c0"))])


def test_materials_are_told_what_they_need(camera):
    asked = {}

    def albedo(hits):
        asked.update({name: values.shape[1:] for name, values in hits.items()})
        assert np.allclose(np.linalg.norm(hits["normal"], axis=1), 1, atol=1e-3)
        assert 0.005 < hits["footprint"].mean() < 0.02
        return np.full((len(hits["position"]), 3), 0.5, np.float32)

    flag = card(0.0, 0.3, Material(albedo))
    flag.attributes["wave"] = np.zeros((4, 2))
    render([flag], camera)
    assert asked == {"position": (3,), "normal": (3,), "uv": (2,), "wave": (2,), "footprint": ()}


def test_a_product_stands_alone_on_light_grey():
    tube = sphere((0.2, 1.2, 0.1), 0.3, plain("#c8102e", roughness=0.85), garment=0)
    tube.faces = tube.faces[tube.vertices[tube.faces][..., 1].max(axis=1) < 1.4]  # open at the neck
    tube.labels = tube.labels[: len(tube.faces)]
    image, mask, inside = photograph_product([tube], SIZE)
    assert inside.any()  # the far wall, over the near rim
    assert not (inside & ~mask).any()
    assert inside.sum() < 0.3 * mask.sum()
    assert image.shape == (128, 96, 3)
    assert mask.shape == (128, 96)
    assert np.abs(image[:6].astype(int) - 0xE6).max() <= 8
    rows, columns = np.nonzero(mask)
    assert rows.min() > 8
    assert columns.min() > 3
    assert columns.max() < 96 - 4
    assert image[mask][:, 0].mean() > 2.5 * image[mask][:, 1].mean()
    below = image[rows.max() + 3, columns[rows.argmax()]].mean()
    assert below < image[3, 3].mean() - 6
    assert (image[~mask].min(axis=1) > 150).mean() > 0.97


def test_a_picture_of_nothing_and_one_of_ribbons_alone(camera):
    away = Camera((0.0, 1.0, 5.0), (0.0, 1.0, 9.0), 17.0, SIZE)
    nothing = render([sphere()], away)
    assert not nothing.alpha.any()
    assert (nothing.surface == -1).all()
    half = card(0.0, 0.3, plain("#202020", opacity=lambda hits: np.full(len(hits["uv"]), 0.5)))
    assert render([half], camera).alpha[63, 47] == pytest.approx(0.5, abs=0.01)


def test_mistakes_are_named(camera):
    with pytest.raises(ValueError, match="nothing to draw"):
        render([], camera)
    with pytest.raises(ValueError, match="#rrggbb"):
        render([sphere()], camera, "grey")
    with pytest.raises(ValueError, match="framing"):
        camera_for([sphere()], "half", SIZE)
    with pytest.raises(ValueError, match="size"):
        Camera((0, 1, 5), (0, 1, 0), 17.0, (0, 100))
    broken = sphere(name="torn")
    broken.vertices[5] = np.nan
    with pytest.raises(ValueError, match="torn"):
        render([broken], camera)
    unclear = card(0.0, 0.3, Material(lambda hits: np.full((len(hits["uv"]), 3), np.nan)), "unclear")
    with pytest.raises(ValueError, match="unclear"):
        render([unclear], camera)
    veil = card(0.0, 0.3, plain("#101010", opacity=lambda hits: np.full(len(hits["uv"]), np.nan)), "veil")
    with pytest.raises(ValueError, match="veil"):
        render([veil], camera)

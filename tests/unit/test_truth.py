"""What a rendered figure is said to show, against the figure it was made from."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.labels import BODY_25, CIHP, DENSEPOSE_PARTS
from helpers.mannequin.body.figure import make_body
from helpers.mannequin.mesh import vertex_normals
from helpers.mannequin.outfit import Figure
from helpers.mannequin.render.camera import Camera, camera_for
from helpers.mannequin.render.studio import render
from helpers.mannequin.surface import Material, Surface
from helpers.mannequin.truth import annotate

SIZE = (192, 256)
SKIN, TOP = CIHP.index("torso-skin"), CIHP.index("upper-clothes")


def grey(hits):
    return np.full((len(hits["position"]), 3), 0.4, np.float32)


def dressed():
    """A figure in a tunic cut from its hull, skin otherwise."""
    body = make_body(Figure())
    shell = body.template.shells["skin"]
    skin = Surface(
        "skin", body.posed[shell.indices], shell.faces, Material(grey, "skin"), np.full(len(shell.faces), SKIN, np.uint8)
    )
    hull = body.template.tights
    points = body.posed[hull.indices]
    points = points + 0.012 * vertex_normals(points, hull.faces)
    trunk = body.template.region("spine", "pelvis", "breast", "clavicle", "root")[hull.indices] > 0.5
    faces = hull.faces[trunk[hull.faces].all(axis=1)]
    tunic = Surface("tunic", points, faces, Material(grey), np.full(len(faces), TOP, np.uint8), garment=0)
    return body, [skin, tunic]


@pytest.fixture(scope="module")
def case():
    body, surfaces = dressed()
    shot = render(surfaces, camera_for(surfaces, "full", SIZE))
    return body, surfaces, shot, annotate(shot, body)


def at(image: np.ndarray, xy: np.ndarray):
    column, row = np.round(xy[:2]).astype(int)
    return image[row, column]


def test_everything_has_the_pictures_size_and_the_promised_type(case):
    _, _, _, truth = case
    shape = SIZE[::-1]
    assert {
        name: (value.dtype.name, value.shape) for name, value in truth.items() if name not in ("garments", "keypoints")
    } == {
        "labels": ("uint8", shape),
        "mask": ("bool", shape),
        "densepose": ("uint8", (*shape, 3)),
        "depth": ("float32", shape),
        "normals": ("float32", (*shape, 3)),
    }
    assert truth["keypoints"].shape == (25, 3)
    assert truth["garments"]["tunic"].dtype == bool


def test_labels_masks_and_depth_agree(case):
    _, _, shot, truth = case
    assert 0.05 < truth["mask"].mean() < 0.4
    for name in ("labels", "depth"):
        assert np.array_equal(truth[name] > 0, truth["mask"])
    assert np.array_equal(truth["densepose"][..., 0] > 0, truth["mask"])
    assert np.array_equal(truth["garments"]["tunic"], truth["labels"] == TOP)
    assert truth["garments"]["tunic"].sum() > 0.15 * truth["mask"].sum()
    assert np.ptp(truth["depth"][truth["mask"]]) < 0.6
    assert np.array_equal(truth["mask"], shot.alpha >= 0.5)


def test_joints_lie_where_the_body_has_them(case):
    body, _, shot, truth = case
    points = truth["keypoints"]
    wanted = shot.camera.project(np.stack([body.keypoints()[name] for name in BODY_25]))
    assert np.allclose(points[:, :2], wanted, atol=1e-3)
    assert (points[:, 2] > 0).all()
    for name in ("nose", "neck", "left-shoulder", "right-elbow", "left-wrist", "mid-hip", "right-knee", "left-eye"):
        index = BODY_25.index(name)
        assert points[index, 2] == 1, name
        assert at(truth["mask"], points[index]), name
    assert points[BODY_25.index("left-shoulder"), 0] > points[BODY_25.index("right-shoulder"), 0]


def test_a_joint_behind_something_is_less_sure_and_one_outside_is_zero(case):
    body, surfaces, shot, _ = case
    wrist = body.keypoints()["left-wrist"]
    corners = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]) * 0.08 + wrist + (0, 0, 0.4)
    board = Surface("board", corners, np.array([(0, 1, 2), (0, 2, 3)], np.int32), Material(grey), np.full(2, TOP, np.uint8))
    points = annotate(render([*surfaces, board], shot.camera), body)["keypoints"]
    assert 0 < points[BODY_25.index("left-wrist"), 2] < 1
    assert points[BODY_25.index("right-wrist"), 2] == 1
    close = Camera((0.0, 1.5, 2.0), (0.0, 1.5, 0.0), 17.0, SIZE)
    points = annotate(render(surfaces, close), body)["keypoints"]
    assert points[BODY_25.index("nose"), 2] == 1
    assert not points[BODY_25.index("left-knee")].any()


@pytest.mark.parametrize(
    ("joints", "part"),
    [
        (("neck", "mid-hip"), "torso-front"),
        (("left-hip", "left-knee"), "left-upper-leg-front"),
        (("right-hip", "right-knee"), "right-upper-leg-front"),
        (("left-knee", "left-ankle"), "left-lower-leg-front"),
        (("right-knee", "right-ankle"), "right-lower-leg-front"),
    ],
)
def test_body_parts_are_named_between_their_joints(case, joints, part):
    truth = case[3]
    middle = np.mean([truth["keypoints"][BODY_25.index(name), :2] for name in joints], axis=0)
    assert DENSEPOSE_PARTS[at(truth["densepose"], middle)[0]] == part


def test_arms_hands_feet_and_head_are_on_their_sides(case):
    truth = case[3]
    part = truth["densepose"][..., 0]
    columns = np.arange(SIZE[0])
    for name in DENSEPOSE_PARTS[1:]:
        where = part == DENSEPOSE_PARTS.index(name)
        side = "left" if "left" in name else "right" if "right" in name else None
        if side and where.any():
            middle = (where.sum(0) * columns).sum() / where.sum()
            assert (middle > SIZE[0] / 2) == (side == "left"), name
    for name in ("left-hand", "right-hand", "left-foot", "right-foot", "head-left", "head-right", "left-upper-arm-outer"):
        assert (part == DENSEPOSE_PARTS.index(name)).sum() > 20, name
    assert (part == DENSEPOSE_PARTS.index("torso-back")).sum() < 0.02 * truth["mask"].sum()


def test_cloth_beside_a_hand_is_not_the_hands(case):
    body, surfaces, shot, truth = case
    hand = DENSEPOSE_PARTS.index("left-hand")
    wrist = body.keypoints()["left-wrist"]
    corners = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]) * 0.08 + wrist + (0, -0.06, 0.06)
    faces = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    flap = Surface("flap", corners, faces, Material(grey), np.full(2, CIHP.index("skirt"), np.uint8), garment=1)
    covered = annotate(render([*surfaces, flap], shot.camera), body)
    there = covered["garments"]["flap"]
    assert (truth["densepose"][..., 0][there] == hand).sum() > 20
    assert not (covered["densepose"][..., 0][there] == hand).any()


def test_charts_are_smooth_within_a_part(case):
    chart = case[3]["densepose"].astype(int)
    for axis in (0, 1):
        step = np.abs(np.diff(chart, axis=axis))
        first = [slice(None)] * 2
        first[axis] = slice(1, None)
        same = (step[..., 0] == 0) & (chart[tuple(first)][..., 0] > 0)
        assert np.percentile(step[same][:, 1:], 98) < 45
    torso = chart[..., 0] == DENSEPOSE_PARTS.index("torso-front")
    rows, columns = np.nonzero(torso)
    assert abs(np.corrcoef(columns, chart[torso][:, 1])[0, 1]) > 0.9
    assert abs(np.corrcoef(rows, chart[torso][:, 2])[0, 1]) > 0.9

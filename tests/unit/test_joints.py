"""Joints in the numberings of the field: converted by name, written and read again, drawn; on figures whose truth is known."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from helpers import generate, load_person
from helpers.files import write_text
from helpers.images import write_image
from helpers.joints import ORDERS, openpose_json, openpose_picture, posenet_json, read_joints, renumbered
from helpers.labels import BODY_25, COCO_17, COCO_18

SIZE = (96, 128)
FIGURES = (("a woman in a t-shirt and jeans", 3), ("a man in a shirt and chinos, walking", 8))
ELSEWHERE = [name for name in BODY_25 if "toe" in name or "heel" in name]


@cache
def truth(words: str, seed: int) -> np.ndarray:
    return generate(words, seed=seed, size=SIZE).keypoints


def hidden(joints: np.ndarray, *names: str) -> np.ndarray:
    joints = joints.copy()
    joints[[BODY_25.index(name) for name in names]] = 0
    return joints


def by_name(joints: np.ndarray, order: str) -> dict[str, list[float]]:
    return dict(zip(ORDERS[order], joints.tolist(), strict=True))


@pytest.mark.parametrize("order", ["coco_18", "coco_17"])
@pytest.mark.parametrize(("words", "seed"), FIGURES)
@pytest.mark.parametrize("lost", [(), ("left-wrist",), ("right-shoulder", "left-knee"), ("left-hip", "nose", "right-ear")])
def test_every_joint_keeps_its_place_and_side_there_and_back(words: str, seed: int, order: str, lost: tuple[str, ...]) -> None:
    joints = hidden(truth(words, seed), *lost)
    there = renumbered(joints, "body_25", order)
    back = by_name(renumbered(there, order, "body_25"), "body_25")
    assert there.dtype == np.float32
    for name, row in by_name(there, order).items():
        assert row == joints[BODY_25.index(name)].tolist() == back[name]
    assert not any(any(back[name]) for name in (*lost, *ELSEWHERE))
    for middle, joint in (("neck", "shoulder"), ("mid-hip", "hip")):
        sides = np.array([back[f"{side}-{joint}"] for side in ("left", "right")])
        if middle not in ORDERS[order]:
            both = [*sides[:, :2].mean(0), sides[:, 2].min()] if (sides[:, 2] > 0).all() else [0, 0, 0]
            np.testing.assert_allclose(back[middle], both, rtol=1e-6)


def test_18_and_17_agree_but_for_the_neck() -> None:
    joints = truth(*FIGURES[0])
    eighteen = renumbered(joints, "body_25", "coco_18")
    seventeen = by_name(renumbered(eighteen, "coco_18", "coco_17"), "coco_17")
    assert seventeen == by_name(renumbered(joints, "body_25", "coco_17"), "coco_17")
    again = by_name(renumbered(renumbered(eighteen, "coco_18", "coco_17"), "coco_17", "coco_18"), "coco_18")
    assert all(again[name] == row for name, row in by_name(eighteen, "coco_18").items() if name != "neck")


def test_joints_of_another_numbering_are_refused() -> None:
    joints = truth(*FIGURES[0])
    with pytest.raises(ValueError, match=r"joints must have shape \(18, 3\)"):
        renumbered(joints, "coco_18", "body_25")
    with pytest.raises(ValueError, match="numbering of joints must be body_25, coco_18 or coco_17"):
        renumbered(joints, "body_25", "mpii")
    with pytest.raises(ValueError, match="numbering must be body_25 or coco_18"):
        openpose_json(joints, numbering="coco_17")


@pytest.mark.parametrize("form", ["25", "18", "PoseNet"])
@pytest.mark.parametrize("folder", ["openpose_json", "openpose-json", "pose"])
def test_a_folder_with_joints_of_any_numbering_is_read(tmp_path: Path, form: str, folder: str) -> None:
    joints = hidden(truth(*FIGURES[1]), "left-elbow", "right-hip")
    forms = {
        "25": openpose_json(joints),
        "18": openpose_json(joints, numbering="coco_18"),
        "PoseNet": posenet_json(joints),
    }
    photograph = write_image(tmp_path / "image" / "p.jpg", np.full((SIZE[1], SIZE[0], 3), 200, np.uint8))
    write_text(tmp_path / folder / "p_keypoints.json", json.dumps(forms[form]))
    found, wanted = by_name(load_person(photograph).keypoints, "body_25"), by_name(joints, "body_25")
    for name in {"25": BODY_25, "18": COCO_18, "PoseNet": COCO_17}[form]:
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-3)
    assert not any(found["left-elbow"] + found["right-hip"])
    assert any(found["mid-hip"]) == (form == "25")  # one hip is not seen


def test_posenet_names_its_parts_in_its_own_order() -> None:
    joints = hidden(truth(*FIGURES[0]), "left-wrist")
    pose = posenet_json(joints)
    assert [each["part"] for each in pose["keypoints"]][:10] == [
        "nose", "leftEye", "rightEye", "leftEar", "rightEar", "leftShoulder", "rightShoulder", "leftElbow", "rightElbow", "leftWrist",
    ]  # fmt: skip
    assert pose["keypoints"][9] == {"score": 0, "part": "leftWrist", "position": {"x": 0, "y": 0}}
    assert pose["score"] == pytest.approx(np.mean([each["score"] for each in pose["keypoints"]]), abs=1e-3)
    assert pose["keypoints"][5]["position"]["x"] == pytest.approx(joints[BODY_25.index("left-shoulder"), 0], abs=1e-3)


def test_what_is_written_is_read_again_to_the_last_digit_that_is_kept(tmp_path: Path) -> None:
    joints = truth(*FIGURES[0])
    for number, note in enumerate((openpose_json(joints), openpose_json(joints, numbering="coco_18"))):
        read = read_joints(write_text(tmp_path / f"{number}.json", json.dumps(note)))
        again = openpose_json(read, numbering="body_25" if number == 0 else "coco_18")
        assert again["people"][0]["pose_keypoints_2d"] == note["people"][0]["pose_keypoints_2d"]


def test_18_joints_are_drawn_with_their_own_bones() -> None:
    """COCO has a bone from the neck to each hip, in the hip's colour, where BODY_25 has a spine."""
    joints = np.zeros((25, 3), np.float32)
    for name, place in (("neck", (384, 300)), ("right-hip", (300, 700)), ("left-hip", (468, 700)), ("mid-hip", (384, 700))):
        joints[BODY_25.index(name)] = *place, 0.9
    picture = openpose_picture(joints, (768, 1024), "coco_18")
    assert picture[500, 342].tolist() == [0, 153, 51]  # right, on the left of the picture
    assert picture[500, 426].tolist() == [0, 102, 153]
    assert not picture[600, 384].any()
    assert openpose_picture(joints, (768, 1024))[600, 384].tolist() == [153, 0, 0]


def test_over_a_photograph_it_lies_with_six_tenths_of_its_colour() -> None:
    joints = np.zeros((25, 3), np.float32)
    joints[BODY_25.index("neck")], joints[BODY_25.index("mid-hip")] = (384, 300, 0.9), (384, 700, 0.9)
    photograph = np.full((1024, 768, 3), 100, np.uint8)
    picture = openpose_picture(joints, (768, 1024), over=photograph)
    assert picture[500, 384].tolist() == [193, 40, 40]
    assert (picture[:200] == 100).all()
    assert (photograph == 100).all()
    with pytest.raises(ValueError, match="over: a picture of 384x512 is needed"):
        openpose_picture(joints, (384, 512), over=photograph)

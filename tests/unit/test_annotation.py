"""The annotator on files of the published formats: one person in all three networks, nobody, several people, wrong words."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers import Person, annotate, engines, weights
from helpers.annotation import detectron2, parsing, skeleton
from helpers.annotation.annotator import OpenPoseSCHP
from helpers.annotation.densepose import DensePose
from helpers.annotation.detections import PARTS, Detections
from helpers.joints import openpose_json
from helpers.labels import ATR_NECK, BODY_25, CIHP, COCO_18, body25_to_coco18, convert
from helpers.person import densepose_picture
from helpers.testing import annotation as tiny
from helpers.tryon.idm_vton import preprocess


@pytest.fixture(scope="session")
def folder(tiny_weights: Path) -> Path:
    return tiny_weights


@pytest.fixture
def annotator(folder: Path, monkeypatch: pytest.MonkeyPatch) -> OpenPoseSCHP:
    """The one that the verb takes."""
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")
    engines._load.cache_clear()
    return engines.load("annotate", "openpose_schp")


@pytest.fixture(scope="session")
def figure(folder: Path) -> Person:
    return tiny.people()[0]


def test_a_photograph_gets_joints_labels_surface_and_mask(annotator: OpenPoseSCHP, figure: Person) -> None:
    found = annotate(figure.image)
    seen = found.keypoints[:, 2] > 0
    assert seen[[BODY_25.index(name) for name in ("neck", "mid-hip", "left-wrist", "right-knee")]].all()
    assert np.linalg.norm(found.keypoints[seen, :2] - figure.keypoints[seen, :2], axis=1).max() < 25
    assert np.mean(found.labels == figure.labels) > 0.9
    assert (found.labels == CIHP.index("torso-skin")).any()
    body, truth = found.densepose[..., 0] > 0, figure.densepose[..., 0] > 0
    assert (body & truth).sum() / (body | truth).sum() > 0.45
    assert (found.mask & figure.mask).sum() / (found.mask | figure.mask).sum() > 0.8
    scene = json.loads(json.dumps(found.scene))
    assert scene["people"] == 1
    (about,) = scene["annotations"]
    assert about["engine"] == "openpose_schp"
    assert about["made"] == ["keypoints", "labels", "densepose"]
    assert about["commercial"] is False
    assert "non-commercial" in about["licence"]


def test_the_size_of_the_photograph_is_kept(annotator: OpenPoseSCHP, figure: Person) -> None:
    large = figure.resized((960, 1280))
    found = annotate(large.image, needs=("keypoints", "labels"))
    assert found.labels.shape == found.mask.shape == (1280, 960)
    neck = BODY_25.index("neck")
    assert np.linalg.norm(found.keypoints[neck, :2] - large.keypoints[neck, :2]) < 40
    assert np.mean(found.labels == large.labels) > 0.85


def test_what_is_known_is_kept_and_only_what_is_wanted_loads(annotator: OpenPoseSCHP, figure: Person) -> None:
    labels = np.zeros_like(figure.labels)
    known = Person(figure.image, keypoints=figure.keypoints, labels=labels, mask=figure.mask)
    found = annotate(known, needs=("keypoints", "labels", "densepose"))
    assert found.keypoints is known.keypoints
    assert found.labels is labels
    assert found.mask is known.mask
    assert found.densepose.any()
    assert "densepose" in vars(annotator)
    assert not {"openpose", "parser"} & vars(annotator).keys()
    assert annotate(found) is found


def test_closing_frees_and_the_next_call_loads_again(annotator: OpenPoseSCHP, figure: Person) -> None:
    with annotator:
        first = annotate(figure.image, needs=("keypoints",)).keypoints
    assert not {"openpose", "parser", "densepose"} & vars(annotator).keys()
    np.testing.assert_array_equal(annotate(figure.image, needs=("keypoints",)).keypoints, first)


def test_nobody_is_an_error_before_the_other_networks_run(annotator: OpenPoseSCHP, figure: Person) -> None:
    backdrop = np.full_like(figure.image, figure.image[2, 2])
    with pytest.raises(ValueError, match="no person was found"):
        annotate(backdrop)
    with pytest.raises(ValueError, match="no person was found"):
        preprocess.published(backdrop, annotator)
    assert not {"parser", "densepose"} & vars(annotator).keys()


def test_what_cihp_has_no_class_for_is_kept_as_a_garment(annotator: OpenPoseSCHP) -> None:
    two = _Two(annotator)
    image = np.full((512, 384, 3), 128, np.uint8)
    bag, clothes = ATR_NECK.index("bag"), two.parse(image)
    clothes[200:260, 290:320] = bag
    vars(annotator)["parser"] = lambda image: clothes
    found = annotate(image)
    assert set(found.garments) == {"bag"}
    assert not found.labels[found.garments["bag"]].any()
    parse = preprocess.parsed(found)
    own = np.isin(clothes, (7, bag)) & (parse > 0)
    np.testing.assert_array_equal(parse[own], clothes[own])
    assert (parse == bag).sum() == 60 * 30


def _standing(x: float) -> np.ndarray:
    """(18, 3): somebody 300 px tall around column ``x``."""
    at = dict.fromkeys(COCO_18, (0, 80)) | {
        "neck": (0, 120), "right-shoulder": (-30, 120), "left-shoulder": (30, 120), "right-elbow": (-40, 180),
        "left-elbow": (40, 180), "right-wrist": (-45, 240), "left-wrist": (45, 240), "right-hip": (-20, 240),
        "left-hip": (20, 240), "right-knee": (-20, 320), "left-knee": (20, 320), "right-ankle": (-20, 400), "left-ankle": (20, 400),
    }  # fmt: skip
    return np.array([(x + dx, y, 0.9) for dx, y in (at[name] for name in COCO_18)], np.float32)


class _Two:
    """Stands in for the three networks: two people, found in another order by each."""

    columns = (90, 280)

    def __init__(self, annotator: OpenPoseSCHP) -> None:
        vars(annotator).update(openpose=self, densepose=self, parser=self.parse)

    def assemble(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        people = [_standing(x) for x in self.columns]
        both = np.stack(people, 1).reshape(-1, 3)  # joint by joint, as peaks are numbered
        candidate = np.column_stack([both, np.arange(len(both))])
        subset = np.array([[*range(person, 36, 2), 30.0, 18.0] for person in (1, 0)])
        return candidate, subset

    def detect(self, image: np.ndarray) -> Detections:
        boxes = torch.tensor([[x - 60.0, 60, x + 60, 420] for x in self.columns])
        coarse = torch.stack([-torch.ones(2, 112, 112), torch.ones(2, 112, 112)], 1)
        fine = torch.zeros(2, PARTS, 112, 112)
        fine[0, 1], fine[1, 2] = 1, 1
        return Detections(boxes, torch.tensor([0.99, 0.9]), coarse, fine, fine * 0 + 0.5, fine * 0 + 0.25)

    def parse(self, image: np.ndarray) -> np.ndarray:
        labels = np.zeros(image.shape[:2], np.uint8)
        for x, cloth in zip(self.columns, (4, 7), strict=True):
            labels[100:400, x - 50 : x + 50] = cloth
        return labels


@pytest.mark.parametrize(("pick", "who"), [(0, 0), (1, 1), ("auto", 1)])
def test_one_of_two_people_in_all_three_networks(annotator: OpenPoseSCHP, pick: int | str, who: int) -> None:
    two = _Two(annotator)
    image = np.full((512, 384, 3), 128, np.uint8)
    found = annotate(image, pick=pick)
    x = two.columns[who]
    assert abs(found.keypoints[BODY_25.index("neck"), 0] - x) < 1
    columns = np.flatnonzero((found.densepose[..., 0] > 0).any(0))
    assert abs(columns.mean() - x) < 2
    assert set(np.unique(found.densepose[..., 0])) == {0, who + 1}
    assert set(np.unique(found.labels)) == {0, CIHP.index(("upper-clothes", "dress")[who])}
    assert found.scene["people"] == 2


@pytest.mark.parametrize("needs", [("keypoints",), ("densepose",), ("labels",), ("labels", "densepose")])
@pytest.mark.parametrize("who", [0, 1])
def test_a_mask_says_who_of_two_is_meant(annotator: OpenPoseSCHP, needs: tuple[str, ...], who: int) -> None:
    x = _Two(annotator).columns[who]
    worn = np.zeros((512, 384), bool)
    worn[150:250, x - 30 : x + 30] = True
    found = annotate(np.full((512, 384, 3), 128, np.uint8), needs=needs, mask=worn)
    if "keypoints" in needs:
        assert abs(found.keypoints[BODY_25.index("neck"), 0] - x) < 1
    if "densepose" in needs:
        assert set(np.unique(found.densepose[..., 0])) == {0, who + 1}
    if "labels" in needs:
        assert set(np.unique(found.labels)) == {0, CIHP.index(("upper-clothes", "dress")[who])}
    assert (found.keypoints is None) == ("keypoints" not in needs)
    assert found.scene["people"] == 2


def test_as_published_it_is_whom_the_reference_takes(annotator: OpenPoseSCHP) -> None:
    two = _Two(annotator)
    image = np.full((512, 384, 3), 128, np.uint8)
    parse, joints, picture = preprocess.published(image, annotator)
    last = np.zeros((1, 1, 3), np.uint8)
    last[..., 0] = 2
    colours = np.unique(picture.reshape(-1, 3), axis=0)
    assert {tuple(c) for c in colours} == {(0, 0, 0), tuple(densepose_picture(last)[0, 0])}, "the last detection alone"
    assert set(np.unique(parse)) == {0, 4, 7}, "everybody's clothes"
    np.testing.assert_array_equal(joints, preprocess.published_joints(*two.assemble(image), image.shape[:2]))
    two.detect = lambda image: Detections.none()
    assert (preprocess.published(image, annotator)[2] == 128).all(), "the grey photograph"
    with pytest.raises(ValueError, match="DensePose found 0 bodies"):
        annotate(image)


def test_wrong_words_are_named(annotator: OpenPoseSCHP, figure: Person) -> None:
    _Two(annotator)
    with pytest.raises(ValueError, match=r"2 people were found: 0\.\.1"):
        annotate(figure.image, pick=2)
    for pick in (-1, True, "left"):
        with pytest.raises(ValueError, match="counted from the left"):
            annotate(figure.image, pick=pick)
    with pytest.raises(ValueError, match="keypoints, labels, densepose"):
        annotate(figure.image, needs=("joints",))
    with pytest.raises(ValueError, match="no engine for annotate gives depth: openpose_schp gives"):
        annotate(figure.image, needs=("depth",))
    with pytest.raises(ValueError, match="mask is 384x300 but its picture is 384x512"):
        annotate(figure.image, mask=np.ones((300, 384), bool))
    with pytest.raises(ValueError, match="takes no setting 'parity'"):
        annotate(figure.image, parity=True)


def test_without_weights_it_says_what_is_missing_and_what_to_fetch(
    figure: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    known = Person(figure.image, labels=figure.labels)
    with pytest.raises(weights.Missing) as missing:
        annotate(known)
    said = str(missing.value)
    assert said.startswith("densepose, keypoints of the person are not known")
    assert "openpose_schp or detectron2 or mediapipe would" in said
    assert "weights fetch openpose humanparsing densepose" in said


def test_everybodys_joints_stay_together_where_the_reference_mixes_them() -> None:
    both = np.stack([_standing(x) for x in (60, 320, 190)], 1).reshape(-1, 3)
    candidate = np.column_stack([both, np.arange(len(both))])
    subset = np.array([[*range(person, 54, 3), 30.0, 18.0] for person in (2, 1, 0)])
    people = skeleton.everyone(candidate, subset, (512, 384))
    for joints in people:
        assert np.ptp(joints[:, 0]) <= 90
    assert np.ptp(preprocess.published_joints(candidate, subset, (512, 384))[:, 0]) > 90


def test_joints_in_body_25() -> None:
    joints = _standing(100)
    joints[COCO_18.index("left-ear")] = 0
    body = skeleton.to_body25(joints)
    np.testing.assert_allclose(body[BODY_25.index("mid-hip")], [100, 240, 0.9], rtol=1e-6)
    np.testing.assert_array_equal(body25_to_coco18(body), joints)
    assert not body[19:].any()
    assert openpose_json(body)["people"]
    joints[COCO_18.index("left-hip")] = 0
    assert not skeleton.to_body25(joints)[BODY_25.index("mid-hip")].any()


def test_gaps_in_clothes_close_unless_they_are_large() -> None:
    labels = np.zeros((300, 300), np.uint8)
    labels[20:280, 20:280] = parsing.UPPER
    labels[40:60, 40:60] = 6  # 400 px: closed
    labels[100:200, 100:200] = 6  # 10000 px: stays
    labels[220:240, 220:240] = parsing.ARMS[0]
    closed = parsing.close_gaps(labels)
    assert (closed[40:60, 40:60] == parsing.UPPER).all()
    np.testing.assert_array_equal(closed[100:200, 100:200], labels[100:200, 100:200])
    np.testing.assert_array_equal(closed[220:240, 220:240], labels[220:240, 220:240])


def test_neck_converts_by_name() -> None:
    assert convert(np.array([[ATR_NECK.index("neck")]], np.uint8), "atr_neck", "cihp") == CIHP.index("torso-skin")
    assert convert(np.array([[CIHP.index("torso-skin")]], np.uint8), "cihp", "atr_neck") == ATR_NECK.index("neck")
    assert convert(np.array([[ATR_NECK.index("neck")]], np.uint8), "atr_neck", "atr") == ATR_NECK.index("face")


def test_sixteen_bits_find_the_same_box(folder: Path, figure: Person) -> None:
    exact, coarse = (
        DensePose(folder / weights.record("densepose").path, dtype=dtype).detect(figure.image, 0.3)
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert len(exact) == len(coarse) == 1
    assert (exact.boxes - coarse.boxes).abs().max() < 0.05 * 512


def test_detectron2_gives_the_same_type(folder: Path, figure: Person) -> None:
    ours = DensePose(folder / weights.record("densepose").path)
    pictures = []

    def predictor(bgr: np.ndarray) -> SimpleNamespace:
        pictures.append(bgr)
        found = ours.detect(figure.image, 0.05)
        found = found[found.scores.argsort()]  # detectron2 promises no order of its own
        charts = SimpleNamespace(coarse_segm=found.coarse, fine_segm=found.fine, u=found.u, v=found.v)
        return SimpleNamespace(pred_boxes=SimpleNamespace(tensor=found.boxes), scores=found.scores, pred_densepose=charts)

    theirs = detectron2.Detectron2DensePose(predictor).detect(figure.image)
    np.testing.assert_array_equal(pictures[0], figure.image[..., ::-1])
    expected = ours.detect(figure.image)
    shape = figure.image.shape[:2]
    assert len(theirs) == len(expected)
    np.testing.assert_array_equal(preprocess.published_iuv(theirs, shape), preprocess.published_iuv(expected, shape))


def test_detectron2_says_how_to_install_it(folder: Path, figure: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    with pytest.raises(ImportError, match=r"detectron2 is not installed.*projects/DensePose.*engine=\"openpose_schp\""):
        detectron2.Detectron2Annotator("cpu")(Person(figure.image), needs=("densepose",))

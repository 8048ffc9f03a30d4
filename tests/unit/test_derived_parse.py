"""What is derived of a photographed person, masks without clicks, and the figure cut out; on figures whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from helpers import annotate, cut_out, generate, segment, weights
from helpers.annotation.derived import CLASSES, derive
from helpers.annotation.surface import allowed
from helpers.labels import CIHP, DENSEPOSE_PARTS, NUMBERINGS, convert, select
from helpers.matting import lifted
from helpers.person import Person
from helpers.segmentation import iou
from helpers.segmentation.superpixel.engine import Superpixel

SIZE = (384, 512)
FIGURES = (
    ("a woman with long brown hair in a white t-shirt and blue jeans, upper body", 3),
    ("a man in a navy long-sleeve top and beige shorts", 8),
    ("a woman with a bob in a green sleeveless dress, hand on hip", 5),
)
PARTS = {0: ("upper", "lower", "hair", "face", "arms"), 1: ("upper", "lower", "face", "legs"), 2: ("dress", "face", "arms")}


@cache
def drawn(which: int) -> Person:
    words, seed = FIGURES[which]
    return generate(words, seed=seed, size=SIZE)


@cache
def seen(which: int) -> Person:
    return annotate(
        drawn(which).image, engine="mediapipe", needs=("labels", "densepose", "landmarks", "hands", "face", "matte", "mask")
    )


def deepest(mask: np.ndarray) -> tuple[float, float]:
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return float(x), float(y)


def test_the_networks_came_with_the_set_up() -> None:
    missing = [record.path for record in weights.records("mediapipe") if weights.find(record.name) is None]
    assert not missing, "run: python -m helpers weights fetch mediapipe"


@pytest.mark.parametrize("which", PARTS)
def test_what_is_worn_and_what_is_bare_is_where_it_is(which: int) -> None:
    shares = {part: round(iou(seen(which).part(part), drawn(which).part(part)), 2) for part in PARTS[which]}
    assert min(shares.values()) > 0.7, shares
    assert shares[PARTS[which][0]] > 0.85, shares


def test_labels_are_the_mask_and_nothing_beside_it() -> None:
    for which in PARTS:
        np.testing.assert_array_equal(seen(which).labels > 0, seen(which).mask)


def test_each_says_that_it_is_derived_and_how_sure_it_is() -> None:
    person = seen(0)
    made = person.scene["annotations"][-1]
    assert made["engine"] == "mediapipe"
    assert made["derived"] == ["labels", "densepose"]
    named = {CIHP[number] for number in np.unique(person.labels) if number}
    assert named <= set(person.scene["confidence"]) <= set(CLASSES)
    assert all(0 <= value <= 1 for value in person.scene["confidence"].values())
    assert person.scene["confidence"]["upper-clothes"] > 0.7


@pytest.mark.parametrize("target", NUMBERINGS)
def test_every_numbering_has_the_same_arms(target: str) -> None:
    labels = convert(seen(0).labels, "cihp", target)
    for name in ("hair", "left-arm", "right-arm", "upper-clothes"):
        np.testing.assert_array_equal(select(labels, [name], target), select(seen(0).labels, [name]))


def test_a_mirrored_picture_has_its_sides_changed() -> None:
    mirrored = annotate(np.ascontiguousarray(drawn(0).image[:, ::-1]), engine="mediapipe", needs=("labels", "densepose"))
    for side, other in (("left", "right"), ("right", "left")):
        there = select(seen(0).labels, [f"{side}-arm"])[:, ::-1]
        assert iou(select(mirrored.labels, [f"{other}-arm"]), there) > 0.85
        hand = seen(0).densepose[:, ::-1, 0] == DENSEPOSE_PARTS.index(f"{side}-hand")
        assert iou(mirrored.densepose[..., 0] == DENSEPOSE_PARTS.index(f"{other}-hand"), hand) > 0.6


def test_parts_of_the_body_are_those_of_the_truth() -> None:
    for which in PARTS:
        found, truth = seen(which).densepose[..., 0], drawn(which).densepose[..., 0]
        both = (found > 0) & (truth > 0)
        assert (found == truth)[both].mean() > 0.75
        np.testing.assert_array_equal(found > 0, seen(which).labels > 0)


def test_charts_run_along_the_limbs_as_the_truth_has_them() -> None:
    found, truth = seen(1).densepose.astype(float), drawn(1).densepose.astype(float)
    for part in ("torso-front", "left-upper-leg-front", "right-lower-leg-front", "head-left", "right-upper-arm-outer"):
        both = (found[..., 0] == DENSEPOSE_PARTS.index(part)) & (truth[..., 0] == DENSEPOSE_PARTS.index(part))
        assert both.sum() > 100
        for channel in (1, 2):
            assert np.corrcoef(found[both, channel], truth[both, channel])[0, 1] > 0.6, (part, channel)


def test_a_class_lies_on_no_part_that_it_cannot() -> None:
    for part, classes in (
        ("left-hand", {"left-arm"}),
        ("right-foot", {"right-leg", "right-shoe"}),
        ("head-left", {"hair", "face", "torso-skin"}),
    ):
        on = allowed(CLASSES)[:, DENSEPOSE_PARTS.index(part)]
        assert {name for name, so in zip(CLASSES, on, strict=True) if so} == classes


def test_half_a_body_has_no_legs() -> None:
    hips = int(drawn(1).keypoints[8, 1]) - 12
    found = annotate(np.ascontiguousarray(drawn(1).image[:hips]), engine="mediapipe", needs=("labels",))
    assert iou(found.part("upper"), drawn(1).part("upper")[:hips]) > 0.85
    assert found.part("legs").sum() + found.part("shoes").sum() < 0.01 * found.labels.size


def test_hidden_joints_do_not_matter_much() -> None:
    person = seen(0)
    landmarks = person.landmarks.copy()
    landmarks[[14, 16, 18, 20, 22], 2] = 0
    found = derive(replace(person, landmarks=landmarks, hands=np.zeros_like(person.hands), face=np.zeros_like(person.face)))
    assert iou(select(found.labels, ["upper-clothes"]), person.part("upper")) > 0.8
    assert found.densepose.dtype == found.labels.dtype == np.uint8


def test_one_of_two_is_parsed() -> None:
    both = np.concatenate([drawn(0).image, drawn(1).image], 1)
    for pick in (0, 1):
        found = segment(both, garment="upper", pick=pick)
        halves = np.split(found, 2, axis=1)
        assert iou(halves[pick], drawn(pick).part("upper")) > 0.8
        assert halves[1 - pick].sum() < 0.01 * halves[pick].sum()


def test_what_is_known_is_kept_and_what_it_is_derived_from_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    person = seen(0)
    monkeypatch.setattr("helpers.annotation.mediapipe.detect", lambda _: pytest.fail("looked again"))
    found = annotate(replace(person, labels=None, densepose=None), engine="mediapipe", needs=("labels", "densepose"))
    np.testing.assert_array_equal(found.labels, person.labels)
    assert found.matte is person.matte


# ------------------------------------------------------------------------------------------------------ masks by name


def test_a_garment_is_found_by_its_name_and_clicks_correct_it(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = drawn(0)
    mask = segment(truth.image, garment="upper")
    np.testing.assert_array_equal(mask, seen(0).part("upper"))
    wrong = replace(truth, labels=np.where(truth.part("arms"), CIHP.index("upper-clothes"), truth.labels).astype(np.uint8))
    arm = select(truth.labels, ["left-arm"])
    x, y = deepest(arm)
    put_right = segment(wrong, points=[(x, y, 0)], garment="upper")
    assert (put_right & arm).sum() < 0.2 * arm.sum()
    assert (put_right & truth.part("upper")).sum() > 0.97 * truth.part("upper").sum()
    both = segment(truth, points=[(*deepest(truth.part("lower")), 1)], garment="upper")
    assert iou(both, truth.part("upper") | truth.part("lower")) > 0.9


@pytest.mark.parametrize("part", ["hair", "skin", "hands", "face", "neck"])
def test_other_parts_have_names_too(part: str) -> None:
    found = segment(seen(0), garment=part)
    assert found.any()
    assert not (found & seen(0).part("upper")).any()


def test_hands_are_at_the_ends_of_arms() -> None:
    hands = seen(1).part("hands")
    assert iou(hands, drawn(1).part("hands")) > 0.5
    assert not (hands & ~seen(1).part("arms")).any()


def test_nobody_there_says_how_to_click_before_anything_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Superpixel, "set_image", lambda *_: pytest.fail("prepared"))
    with pytest.raises(ValueError, match=r"no person was found.*points=\[\(x, y, 1\)\]\), x 0\.\.299, y 0\.\.399"):
        segment(np.full((400, 300, 3), 200, np.uint8), points=[(5, 5, 1)], garment="upper")


def test_what_nobody_wears_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"garment='lower': none is seen.*points="):
        segment(drawn(2), garment="lower")


def test_a_wrong_name_or_engine_is_named() -> None:
    with pytest.raises(ValueError, match="garment must be upper, lower"):
        segment(drawn(0).image, garment="uper")
    with pytest.raises(ValueError, match=r"engine sam does not correct a mask.*superpixel"):
        segment(drawn(0).image, garment="upper", engine="sam")
    with pytest.raises(ValueError, match="part must be"):
        drawn(0).part("elbow")


def test_without_the_files_the_remedies_are_named(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    with pytest.raises(weights.Missing, match=r"weights fetch.*points="):
        segment(drawn(0).image, garment="upper")


# ------------------------------------------------------------------------------------------------------------ cut out


def test_a_person_is_cut_out_whole_with_a_soft_edge() -> None:
    out = cut_out(drawn(0).image)
    assert out.shape == (*SIZE[::-1], 4)
    assert out.dtype == np.uint8
    assert iou(out[..., 3] > 127, drawn(0).mask) > 0.96
    inner = cv2.erode(drawn(0).mask.astype(np.uint8), np.ones((15, 15))) > 0
    np.testing.assert_array_equal(out[inner, :3][out[inner, 3] == 255], drawn(0).image[inner][out[inner, 3] == 255])


def test_a_flat_garment_is_cut_out_without_its_backdrop() -> None:
    image = np.full((300, 240, 3), 235, np.uint8)
    image[60:240, 70:170] = (40, 90, 160)
    out = cut_out(image)
    inside = np.zeros((300, 240), bool)
    inside[60:240, 70:170] = True
    assert iou(out[..., 3] > 127, inside) > 0.95
    edge = (out[..., 3] > 20) & inside
    assert np.abs(out[edge, :3].astype(int) - (40, 90, 160)).max() < 40


def test_nobody_to_cut_out_is_an_error() -> None:
    with pytest.raises(ValueError, match="no person was found"):
        cut_out(np.full((400, 300, 3), 200, np.uint8), what="person")
    with pytest.raises(ValueError, match="what must be auto, person or garment"):
        cut_out(drawn(0).image, what="cat")


def test_colours_on_the_edge_are_the_figures_own() -> None:
    x = np.linspace(-1, 1, 200)[None].repeat(120, 0)
    alpha = np.clip(0.5 - 8 * x, 0, 1).astype(np.float32)
    front, behind = np.array([150, 40, 30]), np.array([90, 200, 240])
    image = np.round(alpha[..., None] * front + (1 - alpha[..., None]) * behind).astype(np.uint8)
    out = lifted(image, alpha)
    shown = out[..., 3] > 10
    assert np.abs(out[shown, :3].astype(int) - front).mean() < 6
    np.testing.assert_array_equal(out[alpha == 1, :3], image[alpha == 1])

"""MediaPipe's engine on figures whose truth is known: joints on their own side, masks on the edge, one person out of several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import pytest

from helpers import annotate, cut_out, generate, product, segment, try_on, weights
from helpers.annotation import mediapipe
from helpers.annotation.landmarks import keypoints
from helpers.labels import BODY_25, COCO_17, COCO_18
from helpers.matting import guided
from helpers.person import Person
from helpers.segmentation import iou

NEEDS = ("keypoints", "landmarks", "hands", "face", "matte", "mask")
SIZE = (384, 512)
PLAIN = 205  # of a grey backdrop


@cache
def drawn(words: str, seed: int) -> Person:
    return generate(words, seed=seed, size=SIZE)


@cache
def seen(words: str, seed: int) -> Person:
    return annotate(drawn(words, seed).image, engine="mediapipe", needs=NEEDS)


FIGURES = (
    ("a woman in a t-shirt and jeans", 3),
    ("a man in a shirt and chinos", 8),
    ("a woman in a sleeveless dress", 5),
    ("a man in a sweater and shorts", 2),
)


def test_the_networks_came_with_the_set_up() -> None:
    missing = [record.path for record in weights.records("mediapipe") if weights.find(record.name) is None]
    assert not missing, "run: python -m helpers weights fetch mediapipe"


@pytest.mark.parametrize(("words", "seed"), FIGURES)
def test_every_joint_is_where_the_body_has_it_and_on_its_own_side(words: str, seed: int) -> None:
    truth, found = drawn(words, seed).keypoints, seen(words, seed).keypoints
    both = (truth[:, 2] > 0) & (found[:, 2] > 0)
    away = np.hypot(*(truth - found)[:, :2].T)
    assert both.sum() >= 14
    assert np.median(away[both]) < 0.016 * SIZE[1]
    names = np.array(BODY_25)
    limbs = both & np.array([not name.endswith(("toe", "heel", "ear")) for name in names])
    assert away[limbs].max() < 0.05 * SIZE[1], names[limbs][away[limbs].argmax()]


@pytest.mark.parametrize(("words", "seed"), FIGURES)
def test_the_mask_ends_where_the_figure_does(words: str, seed: int) -> None:
    found = seen(words, seed)
    assert iou(found.mask, drawn(words, seed).mask) > 0.97
    assert found.matte.dtype == np.float32
    assert found.matte.min() >= 0
    assert found.matte.max() <= 1


@pytest.mark.parametrize(("words", "seed"), FIGURES[:2])
def test_hands_and_face_lie_on_the_person(words: str, seed: int) -> None:
    found = seen(words, seed)
    for points in (*found.hands, found.face):
        if points[0, 2] > 0:
            x, y = np.clip(points[:, :2].round().astype(int), 0, np.array(SIZE) - 1).T
            assert found.mask[y, x].mean() > 0.7
    assert found.face[0, 2] > 0.5


def test_a_mirrored_picture_has_its_sides_changed() -> None:
    words, seed = FIGURES[0]
    plain = seen(words, seed).keypoints
    mirrored = annotate(
        np.ascontiguousarray(drawn(words, seed).image[:, ::-1]), engine="mediapipe", needs=("keypoints",)
    ).keypoints
    left, right = (BODY_25.index(f"{side}-shoulder") for side in ("left", "right"))
    assert abs(SIZE[0] - mirrored[left, 0] - plain[right, 0]) < 6
    assert abs(SIZE[0] - mirrored[right, 0] - plain[left, 0]) < 6


def test_what_the_picture_cuts_off_is_no_joint() -> None:
    words, seed = FIGURES[0]
    person = drawn(words, seed)
    cut = int(person.keypoints[BODY_25.index("mid-hip"), 1]) + 20
    found = annotate(np.ascontiguousarray(person.image[:cut]), engine="mediapipe", needs=("keypoints", "landmarks"))
    below = [index for index, name in enumerate(BODY_25) if name.endswith(("knee", "ankle", "toe", "heel"))]
    assert not found.keypoints[below].any()
    assert (found.keypoints[[BODY_25.index("left-shoulder"), BODY_25.index("nose")], 2] > 0.5).all()
    assert found.landmarks[25, 1] > cut  # the landmark itself is told, outside


def test_numberings_name_the_same_points() -> None:
    landmarks = seen(*FIGURES[0]).landmarks
    by_order = [
        dict(zip(names, keypoints(landmarks, SIZE, names).tolist(), strict=True)) for names in (BODY_25, COCO_18, COCO_17)
    ]
    for other in by_order[1:]:
        assert all(by_order[0][name] == other[name] for name in other)
    neck, left, right = (np.array(by_order[0][name])[:2] for name in ("neck", "left-shoulder", "right-shoulder"))
    np.testing.assert_allclose(neck, (left + right) / 2, atol=1e-3)


def test_a_hidden_joint_is_nothing() -> None:
    landmarks = seen(*FIGURES[0]).landmarks.copy()
    landmarks[14, 2] = 0.2
    assert not keypoints(landmarks, SIZE)[BODY_25.index("right-elbow")].any()
    landmarks[11, 2] = 0.2  # one shoulder: then there is no neck either
    assert not keypoints(landmarks, SIZE)[[BODY_25.index("left-shoulder"), BODY_25.index("neck")]].any()


def test_one_of_two_is_chosen() -> None:
    (first, second), height = (drawn(*FIGURES[0]), drawn(*FIGURES[1])), SIZE[1]
    both = np.concatenate([first.image, second.image], 1)
    for pick, offset in ((0, 0), (1, SIZE[0])):
        found = annotate(both, engine="mediapipe", needs=("keypoints", "matte"), pick=pick)
        assert found.scene["people"] == 2
        assert offset <= found.keypoints[0, 0] < offset + SIZE[0]
        own = found.matte[:, offset : offset + SIZE[0]].sum()
        assert own > 0.95 * found.matte.sum()
    worn = np.zeros((height, 2 * SIZE[0]), bool)
    worn[:, SIZE[0] :] = second.mask
    assert annotate(both, engine="mediapipe", needs=("keypoints",), mask=worn).keypoints[0, 0] > SIZE[0]
    with pytest.raises(ValueError, match="pick is 2, but 2 people were found"):
        annotate(both, engine="mediapipe", needs=("keypoints",), pick=2)


def side_by_side(size: tuple[int, int], places: Sequence[tuple[int, int, int, float]]) -> tuple[np.ndarray, list[np.ndarray]]:
    """A picture of ``size`` (width, height) with figures (number, x, y, scale), the later in front, and what is seen of each."""
    picture, seen_of = np.full((size[1], size[0], 3), PLAIN, np.uint8), []
    for number, x, y, scale in places:
        person, matrix = drawn(*FIGURES[number]), np.array([[scale, 0, x], [0, scale, y]])
        here = cv2.warpAffine(person.mask.astype(np.uint8), matrix, size) > 0
        picture[here] = cv2.warpAffine(person.image, matrix, size)[here]
        seen_of = [mask & ~here for mask in seen_of] + [here]
    return picture, seen_of


CROWDS = {
    "close together": ((520, 512), [(0, -40, 0, 1.0), (1, 110, 0, 1.0)], 0.94),
    "a small one": ((640, 512), [(0, 0, 0, 1.0), (1, 380, 280, 0.4)], 0.93),
    "one before the other": ((440, 512), [(1, 20, 0, 1.0), (0, 120, 190, 0.62)], 0.89),
    "three in a wide picture": ((1500, 400), [(0, -60, 0, 0.78), (1, 400, 0, 0.78), (2, 1090, 0, 0.78)], 0.93),
}


@pytest.mark.parametrize(("size", "places", "least"), CROWDS.values(), ids=CROWDS)
def test_who_is_picked_has_their_own_mask_face_and_hands(
    size: tuple[int, int], places: list[tuple[int, int, int, float]], least: float
) -> None:
    picture, seen_of = side_by_side(size, places)
    left = sorted(seen_of, key=lambda mask: np.nonzero(mask)[1].mean())
    for pick, own in enumerate(left):
        found = annotate(picture, engine="mediapipe", needs=("matte", "mask", "hands", "face", "keypoints"), pick=pick)
        assert found.scene["people"] == len(places)
        assert iou(found.mask, own) > least
        for points in (*found.hands, found.face):
            if points[0, 2] > 0:
                x, y = np.clip(points[:, :2].astype(int), 0, np.array(size) - 1).T
                assert own[y, x].mean() > 0.7


def test_every_verb_takes_the_same_choice() -> None:
    picture, seen_of = side_by_side(*CROWDS["close together"][:2])
    shirt = product("a green t-shirt", seed=1, size=SIZE)
    for pick in (0, 1):
        other = cv2.erode(seen_of[1 - pick].astype(np.uint8), np.ones((9, 9))).astype(bool)
        assert segment(picture, garment="upper", pick=pick)[other].mean() < 0.03
        assert (cut_out(picture, what="person", pick=pick)[..., 3][other] > 128).mean() < 0.03
        changed = (try_on(picture, shirt, pick=pick).image != picture).any(2)
        assert changed[seen_of[pick]].mean() > 0.1
        assert changed[other].mean() < 0.03
    with pytest.raises(ValueError, match="counted from the left"):
        try_on(picture, shirt, pick=2)


def test_a_large_photograph_has_the_same_points() -> None:
    words, seed = FIGURES[0]
    large = cv2.resize(drawn(words, seed).image, (8 * SIZE[0], 8 * SIZE[1]), interpolation=cv2.INTER_CUBIC)
    found = annotate(large, engine="mediapipe", needs=("keypoints", "matte"))
    small = seen(words, seed)
    both = (found.keypoints[:, 2] > 0) & (small.keypoints[:, 2] > 0)
    assert np.abs(found.keypoints[both, :2] / 8 - small.keypoints[both, :2]).max() < 6
    assert iou(cv2.resize(found.matte, SIZE) > 0.5, small.mask) > 0.98


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_somebody_lying_or_upside_down_is_found(turns: int) -> None:
    words, seed = FIGURES[0]
    turned = annotate(np.ascontiguousarray(np.rot90(drawn(words, seed).image, turns)), engine="mediapipe", needs=("mask",))
    assert iou(np.rot90(turned.mask, -turns), drawn(words, seed).mask) > 0.9


@pytest.mark.parametrize("what", ["grey", "noise", "stripes"])
def test_nobody_is_an_error(what: str) -> None:
    pictures = {
        "grey": np.full((400, 300, 3), PLAIN, np.uint8),
        "noise": np.random.default_rng(0).integers(0, 255, (400, 300, 3)).astype(np.uint8),
        "stripes": np.repeat(np.tile(np.arange(300) // 20 % 2 * 255, (400, 1))[..., None], 3, 2).astype(np.uint8),
    }
    with pytest.raises(ValueError, match="no person was found"):
        annotate(pictures[what], engine="mediapipe", needs=("keypoints",))


def test_what_is_known_is_kept() -> None:
    person = drawn(*FIGURES[0])
    found = annotate(person, engine="mediapipe", needs=("keypoints", "matte"))
    assert found.keypoints is person.keypoints
    assert found.matte is not None


def test_metres_have_the_size_of_a_person() -> None:
    metres = seen(*FIGURES[1]).landmarks[:, 4:]
    assert 0.25 < np.linalg.norm(metres[11] - metres[12]) < 0.5  # shoulders
    assert metres[0, 1] < metres[23, 1] < metres[27, 1]  # down is positive: nose, hip, ankle


def test_blended_boxes_are_one_and_distant_ones_two() -> None:
    rows = np.zeros((3, 8))
    rows[:, :4] = (0, 0, 10, 10), (1, 0, 11, 10), (50, 0, 60, 10)
    found = mediapipe._blended(np.array([0.5, 0.9, 0.7]), rows)
    assert [round(score, 2) for score, _ in found] == [0.9, 0.7]
    assert found[0][1][0] == pytest.approx((0.5 * 0 + 0.9 * 1) / 1.4)


def test_a_guided_mask_moves_to_the_edge_of_the_picture() -> None:
    image = np.full((200, 300, 3), PLAIN, np.uint8)
    image[40:160, 80:220] = (30, 60, 120)
    rough = np.zeros((50, 75), np.float32)
    rough[11:39, 21:54] = 1  # up to two of its pixels off
    soft = guided(image, rough, 0.04)
    truth = np.zeros((200, 300), bool)
    truth[40:160, 80:220] = True
    assert soft.shape == (200, 300)
    assert iou(soft > 0.5, truth) > 0.98 > iou(cv2.resize(rough, (300, 200)) > 0.5, truth)


def test_a_network_begins_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    mediapipe.forget()
    annotate(drawn(*FIGURES[0]).image, engine="mediapipe", needs=("keypoints",))
    assert capfd.readouterr() == ("", "")

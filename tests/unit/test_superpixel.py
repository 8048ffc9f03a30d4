"""The click engine on synthetic figures and, where ATELIER_PHOTOS names a VITON-HD test folder, on photographs."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from helpers.graph import min_cut
from helpers.labels import CIHP, DENSEPOSE_PARTS, LOWER, UPPER, select
from helpers.segmentation.superpixel.body import pieces
from helpers.segmentation.superpixel.engine import Superpixel


def _load_protocol():
    """The protocol lives beside the benchmarks, which are scripts and no package."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "click_protocol.py"
    spec = importlib.util.spec_from_file_location("click_protocol", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["click_protocol"] = module
    spec.loader.exec_module(module)
    return module


protocol = _load_protocol()
WIDTH, HEIGHT = 288, 384


def figure(
    pattern: str = "solid", wall: int = 225, width: int = WIDTH, height: int = HEIGHT
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A person of simple shapes before a shaded wall: image uint8 (H, W, 3) and the masks of top and trousers."""
    s = width / 288
    rng = np.random.default_rng(3)

    def shape(*polygons: list[tuple[int, int]]) -> np.ndarray:
        mask = np.zeros((height, width), np.uint8)
        for polygon in polygons:
            cv2.fillPoly(mask, [np.round(np.array(polygon) * s).astype(np.int32)], 1)
        return mask > 0

    y, x = np.mgrid[:height, :width] / s
    image = np.repeat((wall - 12 * ((x - 144) / 144) ** 2)[..., None], 3, axis=2)
    skin = shape(
        [(70, 200), (95, 205), (88, 262), (68, 258)],
        [(193, 205), (218, 200), (220, 258), (200, 262)],
        [(128, 60), (160, 60), (160, 112), (128, 112)],
    )
    head = np.zeros((height, width), np.uint8)
    cv2.ellipse(head, (round(144 * s), round(50 * s)), (round(24 * s), round(32 * s)), 0, 0, 360, 1, -1)
    image[skin | (head > 0)] = (214, 168, 140)
    trousers = shape([(104, 224), (184, 224), (196, 384), (150, 384), (144, 262), (138, 384), (92, 384)])
    image[trousers] = (52, 66, 110)
    top = shape(
        [(108, 104), (180, 104), (182, 232), (106, 232)],
        [(112, 104), (88, 120), (68, 204), (97, 208), (112, 160)],
        [(176, 104), (200, 120), (220, 204), (191, 208), (176, 160)],
    )
    colours = {"solid": (176, 40, 60), "white": (252, 252, 250)}
    image[top] = colours.get(pattern, (230, 226, 214))
    if pattern == "stripes":
        image[top & (y % 12 < 5)] = (150, 50, 60)
    if pattern == "checks":
        dark = (x % 14 < 6).astype(int) + (y % 14 < 6)
        image[top] = np.array([(236, 236, 240), (140, 160, 210), (50, 80, 170)])[dark[top]]
    image = cv2.GaussianBlur(image, (0, 0), 0.7 * s) + rng.normal(0, 1.5, (height, width, 1))
    return np.clip(image, 0, 255).astype(np.uint8), {"top": top, "trousers": trousers & ~top}


@pytest.fixture(scope="module")
def plain():
    image, masks = figure()
    engine = Superpixel()
    engine.set_image(image)
    yield engine, image, masks
    engine.close()


def _click(engine: Superpixel, image: np.ndarray, truth: np.ndarray, clicks: int):
    engine.set_image(image)
    return protocol.run_protocol(engine.predict, truth, "", clicks)


@pytest.mark.parametrize("pattern", ["solid", "stripes", "checks", "white"])
def test_three_clicks_take_a_garment(pattern):
    image, masks = figure(pattern)
    for truth in masks.values():
        trial = _click(Superpixel(), image, truth, 3)
        assert trial.at(3) > 0.93
        assert trial.worst_loss < 0.1


def test_one_click_takes_a_plain_garment(plain):
    engine, _, masks = plain
    assert protocol.iou(engine.predict([(144, 170, 1)]), masks["top"]) > 0.93
    assert protocol.iou(engine.predict([(120, 300, 1)]), masks["trousers"]) > 0.93


def test_a_click_on_a_print_takes_the_garment_it_is_on():
    image, masks = figure()
    cv2.circle(image, (144, 160), 14, (240, 190, 40), -1)
    engine = Superpixel()
    engine.set_image(image)
    assert protocol.iou(engine.predict([(144, 160, 1)]), masks["top"]) > 0.9


def test_same_points_same_mask_whatever_came_before(plain):
    _, image, _ = plain
    points = [(144, 170, 1), (82, 180, 1), (120, 300, 0)]
    first, second = Superpixel(), Superpixel()
    first.set_image(image)
    second.set_image(image)
    second.predict([(120, 300, 1), (144, 170, 0)])
    for length in (3, 1, 2):
        assert np.array_equal(first.predict(points[:length]), second.predict(points[:length]))


def test_undo_and_redo_give_back_the_mask_without_work(plain, monkeypatch):
    engine, _, _ = plain
    points = [(144, 170, 1), (120, 300, 1)]
    one, two = engine.predict(points[:1]), engine.predict(points)
    assert not np.array_equal(one, two)
    monkeypatch.setattr("helpers.segmentation.superpixel.evidence.first", None)
    monkeypatch.setattr("helpers.segmentation.superpixel.evidence.further", None)
    assert np.array_equal(engine.predict(points[:1]), one)
    assert np.array_equal(engine.predict(points), two)


def test_a_returned_mask_is_the_callers_own(plain):
    engine, _, _ = plain
    engine.predict([(144, 170, 1)])[:] = False
    assert engine.predict([(144, 170, 1)]).any()


def test_clicks_are_obeyed_to_the_pixel(plain):
    engine, _, _ = plain
    rng = np.random.default_rng(1)
    for _ in range(4):
        points = [(144, 170, 1)]
        points += [(int(rng.integers(WIDTH)), int(rng.integers(HEIGHT)), int(rng.integers(2))) for _ in range(8)]
        mask = engine.predict(points)
        assert all(mask[y, x] == (label == 1) for x, y, label in points)


def test_a_click_on_what_is_right_changes_nothing(plain):
    engine, _, _ = plain
    before = engine.predict([(144, 170, 1)])
    assert np.array_equal(engine.predict([(144, 170, 1), (150, 150, 1)]), before)
    assert np.array_equal(engine.predict([(144, 170, 1), (20, 20, 0)]), before)


def test_a_click_changes_only_towards_its_label_and_near_itself(plain):
    engine = plain[0]
    before = engine.predict([(144, 170, 1)])
    after = engine.predict([(144, 170, 1), (82, 250, 1)])
    assert not (before & ~after).any()
    assert not (after & ~before)[:, WIDTH // 2 :].any()
    less = engine.predict([(144, 170, 1), (82, 180, 0)])
    assert not (less & ~before).any()


def test_an_imprecise_first_click_is_never_empty():
    image, masks = figure("checks")
    engine = Superpixel()
    engine.set_image(image)
    rng = np.random.default_rng(0)
    for truth in masks.values():
        for y, x in rng.permutation(np.argwhere(truth))[:8]:
            mask = engine.predict([(int(x), int(y), 1)])
            assert mask[y, x]
            assert mask.sum() > 0.1 * truth.sum()


def test_masks_are_clean(plain):
    engine = plain[0]
    mask = engine.predict([(144, 170, 1)])
    assert cv2.connectedComponents(mask.astype(np.uint8))[0] == 2
    assert cv2.connectedComponents((~mask).astype(np.uint8), connectivity=4)[0] <= 4


def test_size_and_mirror_matter_little():
    small, masks = figure("stripes")
    large, large_masks = figure("stripes", width=2 * WIDTH, height=2 * HEIGHT)
    for image, truth in (
        (small, masks["top"]),
        (large, large_masks["top"]),
        (small[:, ::-1], masks["top"][:, ::-1]),
    ):
        trial = _click(Superpixel(), np.ascontiguousarray(image), truth, 3)
        assert trial.at(3) > 0.93


def test_a_huge_image_is_reduced_inside():
    image, masks = figure()
    huge = cv2.resize(image, (2304, 3072), interpolation=cv2.INTER_CUBIC)
    engine = Superpixel()
    engine.set_image(huge)
    points = [(144 * 8, 170 * 8, 1), (8 * 82, 8 * 250, 0)]
    mask = engine.predict(points)
    assert mask.shape == (3072, 2304)
    assert all(mask[y, x] == (label == 1) for x, y, label in points)
    assert protocol.iou(cv2.resize(mask.astype(np.uint8), (WIDTH, HEIGHT)) > 0, masks["top"]) > 0.9


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((100, 100), np.uint8), "grey"),
        (np.zeros((100, 100, 4), np.uint8), "RGBA"),
        (np.zeros((100, 100, 3), np.float32), "255"),
        (np.zeros((100, 100, 3), np.int32), "int32"),
        (np.zeros((60, 100, 3), np.uint8), "100x60"),
        ("photo.jpg", "read_image"),
    ],
)
def test_images_that_cannot_be_are_named(image, words):
    with pytest.raises(ValueError, match=words):
        Superpixel().set_image(image)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([], "empty"),
        ([(10, 10, 0)], "on the garment first"),
        ([(10, 10, 1), (288, 10, 1)], "outside"),
        ([(10, -1, 1)], "outside"),
        ([(float("nan"), 1, 1)], "outside"),
        ([(10, 10, 2)], "label"),
        ([(10, 10)], "x, y, label"),
        ([(144, 170, 1), (144.4, 170.2, 0)], "contradicts"),
    ],
)
def test_points_that_cannot_be_are_named(plain, points, words):
    with pytest.raises(ValueError, match=words):
        plain[0].predict(points)


def test_predict_wants_an_image_first():
    with pytest.raises(RuntimeError, match="set_image"):
        Superpixel().predict([(1, 1, 1)])
    with Superpixel() as engine:
        engine.set_image(figure()[0])
    with pytest.raises(RuntimeError, match="set_image"):
        engine.predict([(1, 1, 1)])


def test_the_same_image_is_prepared_once(plain, monkeypatch):
    engine, image, _ = plain
    monkeypatch.setattr("helpers.segmentation.superpixel.engine.prepare", None)
    engine.set_image(image.copy())


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_image_still_gives_a_mask(value):
    engine = Superpixel()
    engine.set_image(np.full((96, 80, 3), value, np.uint8))
    assert engine.predict([(40, 48, 1)])[48, 40]
    assert not engine.predict([(40, 48, 1), (41, 48, 0)])[48, 41]


def test_noise_still_gives_a_mask():
    engine = Superpixel()
    engine.set_image(np.random.default_rng(0).integers(0, 256, (128, 96, 3), dtype=np.uint8))
    assert engine.predict([(40, 48, 1), (50, 60, 0), (60, 70, 1)])[48, 40]


def test_min_cut_finds_the_cheapest_side():
    pairs = np.array([(0, 1), (1, 2), (2, 3)])
    side = min_cut(pairs, np.array([-5.0, -0.5, 0.5, 5.0]), np.array([2.0, 0.1, 2.0]))
    assert side.tolist() == [True, True, False, False]


PHOTOS = os.environ.get("ATELIER_PHOTOS")


@pytest.mark.skipif(not PHOTOS, reason="ATELIER_PHOTOS names no VITON-HD test folder")
def test_photographs_reach_the_targets():
    engine, trials = Superpixel(), {"upper": [], "lower": []}
    for path in sorted((Path(PHOTOS) / "image").glob("*.jpg")):
        image = np.array(Image.open(path).convert("RGB"))
        labels = np.array(Image.open(Path(PHOTOS) / "image-parse" / f"{path.stem}.png"))
        for part, classes in (("upper", UPPER), ("lower", LOWER)):
            trials[part].append(_click(engine, image, select(labels, classes, "cihp"), 10))
    upper = {k: np.mean([trial.at(k) for trial in trials["upper"]]) for k in (1, 3, 5, 10)}
    assert upper[1] >= 0.68
    assert upper[3] >= 0.84
    assert upper[5] >= 0.90
    assert upper[10] >= 0.94
    assert np.mean([trial.needed(0.9) for trial in trials["upper"]]) <= 4.5
    assert np.mean([trial.at(2) for trial in trials["lower"]]) >= 0.94
    assert max(trial.worst_loss for part in trials.values() for trial in part) <= 0.10


def _dressed(sleeve: tuple[int, int, int] | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A figure in a top whose sleeve may contrast, what is known of it, its top and its sleeve on the left of the picture."""
    image, masks = figure()
    arm = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(arm, [np.array([(112, 104), (88, 120), (68, 204), (97, 208), (110, 160)])], 1)
    arm = (arm > 0) & masks["top"]
    if sleeve is not None:
        image[arm] = sleeve
    labels = 5 * masks["top"].astype(np.uint8) + 9 * masks["trousers"].astype(np.uint8)
    hand = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(hand, [np.array([(70, 207), (95, 209), (88, 262), (68, 258)])], 1)
    labels[(hand > 0) & (labels == 0)] = CIHP.index("right-arm")
    parts = np.where(arm, DENSEPOSE_PARTS.index("right-upper-arm-outer"), 0)
    return image, pieces(labels, parts), masks["top"], arm


def test_a_known_garment_is_one_thing_whatever_colours_its_parts_have():
    image, known, top, sleeve = _dressed((30, 60, 40))
    engine = Superpixel()
    engine.set_image(image)
    plain, told = engine.predict([(144, 170, 1)]), engine.predict([(144, 170, 1)], known=known)
    assert plain[sleeve].mean() < told[sleeve].mean()
    assert told[sleeve].mean() > 0.9
    assert protocol.iou(told, top) > 0.93
    assert np.array_equal(engine.predict([(144, 170, 1)]), plain)


def test_a_click_takes_a_known_sleeve_away_and_nothing_else():
    image, known, top, sleeve = _dressed()
    engine = Superpixel()
    engine.set_image(image)
    left = engine.predict([(88, 165, 0)], start=top, known=known)
    assert left[sleeve].mean() < 0.1
    assert left[top & ~sleeve].mean() > 0.97


def test_a_click_takes_a_known_arm_away_and_not_its_sleeve():
    image, known, top, sleeve = _dressed((214, 168, 140))
    arm = known == CIHP.index("right-arm")
    engine = Superpixel()
    engine.set_image(image)
    left = engine.predict([(80, 236, 0)], start=top | arm, known=known)
    assert left[arm].mean() < 0.1
    assert left[sleeve].mean() > 0.95


def test_opposite_clicks_on_one_known_piece_leave_it_to_colours_and_edges():
    image, known, _, _ = _dressed()
    engine = Superpixel()
    engine.set_image(image)
    known = np.where(known > 0, 6, 0).astype(np.uint8)  # told as one dress
    mask = engine.predict([(144, 170, 1), (120, 300, 0)], known=known)
    assert mask[170, 144]
    assert protocol.iou(mask, figure()[1]["top"]) > 0.8

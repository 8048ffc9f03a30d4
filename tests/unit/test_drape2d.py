"""The 2-D try-on on drawn silhouettes: landmarks, parts, what stays untouched, what is said, what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.garment import Garment, load_garment
from helpers.labels import CIHP, UPPER, select
from helpers.person import Person, load_person
from helpers.srgb import encode, to_linear
from helpers.tryon.backdrop import garment_mask
from helpers.tryon.drape import compatibility, landmarks
from helpers.tryon.drape.engine import Drape
from helpers.tryon.drape.light import folds
from helpers.tryon.drape.neckline import front_neckline
from helpers.tryon.drape.product import without_inside
from helpers.tryon.drape.silhouette import SIDES
from helpers.tryon.drape.warp import backward_map, carry_on, fill
from helpers.tryon.drape.wearer import crossing, look

H, W = 512, 384


def _polygon(*points: tuple[float, float]) -> np.ndarray:
    out = np.zeros((H, W), np.uint8)
    cv2.fillPoly(out, [np.array(points, np.int32)], 1)
    return out > 0


def _top(sleeve: float = 70, spread: float = 0.75, width: float = 70, hem: float = 380, shift: int = 0) -> np.ndarray:
    """A flat top: sleeves of that length, leaning out by ``spread`` of it; no sleeves for 0."""
    x, dx, dy = 192, sleeve * spread, sleeve * (1 - spread**2) ** 0.5
    right = [(30, 110), (width, 128)]
    if sleeve:
        right += [(width + 12 + dx, 140 + dy), (width - 26 + dx, 168 + dy)]
    right += [(width, 205), (width + 3, hem)]
    left = [(-a, b) for a, b in right[::-1]]
    shape = [(x + shift + a, b) for a, b in (*right, *left)]
    return _polygon(*shape, (x + shift, 135))


def _striped(mask: np.ndarray, back: int = 244) -> np.ndarray:
    image = np.full((H, W, 3), back, np.uint8)
    image[mask] = (40, 60, 140)
    bands = (np.arange(H) // 12 % 2 == 0)[:, None] & mask
    image[bands] = (220, 60, 50)
    return image


def _scene(worn: np.ndarray, cloth: tuple[int, int, int] = (120, 170, 120), arms: bool = True) -> Person:
    """A drawn wearer: head, neck, arms, legs with labels."""
    image, labels = np.full((H, W, 3), (205, 208, 212), np.uint8), np.zeros((H, W), np.uint8)
    parts = (
        ("face", (192, 60), (30, 38)), ("torso-skin", (192, 110), (24, 30)), ("left-arm", (285, 250), (14, 120)),
        ("right-arm", (99, 250), (14, 120)), ("left-leg", (222, 440), (26, 80)), ("right-leg", (162, 440), (26, 80)),
    )  # fmt: skip
    for name, centre, axes in parts:
        if not arms and name.endswith("arm"):
            continue
        shape = cv2.ellipse(np.zeros((H, W), np.uint8), centre, axes, 0, 0, 360, 1, -1) > 0
        image[shape], labels[shape] = (214, 168, 140), CIHP.index(name)
    shade = 1 + 0.12 * np.sin(np.arange(W) / 14)[None, :, None]
    image[worn] = np.clip(np.array(cloth) * shade, 0, 255).astype(np.uint8).repeat(H, 0)[worn]
    labels[worn] = CIHP.index("upper-clothes")
    return Person(image, labels=labels)


def test_a_garment_is_found_on_white_on_grey_and_on_a_gradient() -> None:
    mask = _top()
    for back in (255, 200, 90):
        image = _striped(mask, back)
        image = np.clip(image + np.linspace(-4, 4, W)[None, :, None] * ~mask[..., None], 0, 255).astype(np.uint8)
        found = garment_mask(image)
        assert (found & mask).sum() / (found | mask).sum() > 0.96


@pytest.mark.parametrize("image", [np.full((H, W, 3), 240, np.uint8), np.full((20, 30, 3), 10, np.uint8)])
def test_a_picture_without_a_garment_is_refused_by_name(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="garment"):
        garment_mask(image)


@pytest.mark.parametrize(("sleeve", "spread", "name"), [(0, 0.7, "sleeveless"), (70, 0.75, "short"), (230, 0.45, "long")])
def test_sleeves_are_told_from_the_outline(sleeve: float, spread: float, name: str) -> None:
    found = landmarks.upper(_top(sleeve, spread))
    assert found.sleeved == {"left": sleeve > 0, "right": sleeve > 0}
    assert {compatibility.sleeve_class(compatibility.sleeve_ratio(found, side)) for side in SIDES} == {name}


def test_both_halves_get_mirrored_landmarks() -> None:
    found = landmarks.upper(_top(shift=20))
    for name in ("armpit", "hem", "collar", "cuff-outer"):
        left, right = found.points[f"left-{name}"], found.points[f"right-{name}"]
        assert left[1] == pytest.approx(right[1], abs=3)
        assert left[0] + right[0] == pytest.approx(2 * 212, abs=5)


def test_trousers_have_a_crotch_and_skirts_none() -> None:
    legs = _polygon((120, 60), (264, 60), (280, 460), (215, 460), (192, 190), (169, 460), (104, 460))
    assert landmarks.lower(legs).points["crotch"] == pytest.approx([192, 190], abs=6)
    assert "crotch" not in landmarks.lower(_polygon((130, 60), (254, 60), (300, 300), (84, 300))).points


def test_the_inside_of_the_back_is_left_out_at_the_neck() -> None:
    mask = _top() | _polygon((162, 110), (222, 110), (192, 135))
    image = np.full((H, W, 3), 244, np.uint8)
    image[mask] = (180, 60, 60)
    inside = _polygon((166, 108), (218, 108), (206, 142), (192, 147), (178, 142)) & mask
    image[inside] = (60, 20, 24)
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    found, sure = front_neckline(lab, landmarks.upper(mask))
    assert sure > 0.5
    assert found is not None
    assert (found.inside & inside).sum() / inside.sum() > 0.8
    assert (found.inside & ~inside).sum() < 0.35 * inside.sum()


def test_cloth_known_to_be_seen_from_within_is_left_out_with_its_rims() -> None:
    front = _top()
    band = _polygon((164, 104), (220, 104), (220, 112), (192, 137), (164, 112)) & ~front
    cuff = np.array([-12.0, 20.0])  # along the left sleeve, outwards
    ends = np.array([(57, 186), (95, 214)], float)
    opening = _polygon(*ends, *(ends[::-1] + 0.6 * cuff)) & ~front
    rim = _polygon(*ends, *(ends[::-1] + cuff)) & ~front & ~opening
    inside = opening | (band & (np.arange(H) > 110)[:, None])
    found = without_inside(front | band | opening | rim, inside)
    assert (found & front).sum() > 0.985 * front.sum()
    assert (found & (band | opening)).sum() < 0.05 * (band | opening).sum()
    assert (found & rim).sum() < 0.2 * rim.sum()


def test_the_neckline_is_exact_where_the_inside_is_known() -> None:
    worn, front = _top(), _top(width=80, hem=400)
    inside = _polygon((163, 111), (221, 111), (192, 134)) & ~front
    image = _striped(front | inside)  # the same stripes within: nothing to be seen in the colours
    result = Drape()(_scene(worn), Garment(image, front | inside, inside=inside), mask=worn)
    assert not (result.data["garment mask"] & inside).any()
    assert result.data["garment neck"][1] == pytest.approx(135, abs=3)


def test_the_armpit_of_a_dress_lies_above_its_waist() -> None:
    right = [(30, 100), (70, 112), (125, 165), (102, 186), (66, 170), (52, 240), (110, 470)]
    left = [(-x, y) for x, y in right[::-1]]
    found = landmarks.upper(_polygon(*((192 + x, y) for x, y in (*right, *left)), (192, 130)))
    assert found.sleeved == {"left": True, "right": True}
    assert found.points["left-armpit"] == pytest.approx([126, 170], abs=6)


def test_an_arm_beside_the_garment_does_not_cross_it() -> None:
    worn = _polygon((120, 100), (264, 100), (250, 250), (290, 430), (94, 430), (134, 250))
    beside, across = (
        _polygon((105, 140), (122, 140), (105, 330), (88, 330)),
        _polygon((100, 250), (230, 230), (230, 256), (100, 276)),
    )
    for arm, crosses in ((beside, False), (across, True)):
        labels = np.where(worn, CIHP.index("upper-clothes"), 0).astype(np.uint8)
        labels[arm & (~worn if arm is beside else np.ones_like(worn))] = CIHP.index("left-arm")
        rest = labels == CIHP.index("upper-clothes")
        body = look(Person(np.zeros((H, W, 3), np.uint8), labels=labels), np.zeros((H, W, 3), np.float32), rest)
        assert crossing(rest, body).any() == crosses


def test_hair_in_front_stays_and_the_cloth_between_its_strands_changes() -> None:
    worn = _top()
    person = _scene(worn)
    strands = np.zeros((H, W), bool)
    strands[150:260, 160:200:6] = True
    person.image[strands], person.labels[strands] = (40, 26, 18), CIHP.index("hair")
    mask = worn & ~strands
    result = Drape()(person, Garment(np.where(worn[..., None], np.uint8([230, 60, 50]), np.uint8([244, 244, 244]))), mask=mask)
    assert np.abs(result.image[strands].astype(int) - (40, 26, 18)).mean() < 12
    between = np.zeros((H, W), bool)
    between[160:250, 163:199:6] = True
    assert (result.image[between][:, 0] > result.image[between][:, 1] + 60).mean() > 0.95


def test_a_spline_goes_through_its_points_and_gets_stiffer() -> None:
    rng = np.random.default_rng(0)
    target = rng.uniform(20, 200, (12, 2))
    source = target * 1.3 + 8 + rng.normal(0, 4, (12, 2))
    errors = []
    for smoothing in (0.0, 100.0):
        lookup = backward_map(target, source, (220, 220), smoothing=smoothing, step=2)
        at = lookup[target[:, 1].round().astype(int), target[:, 0].round().astype(int)]
        errors.append(float(np.abs(at - source).mean()))
    assert errors[0] < 1.5 < errors[1] < 8


def test_cloth_goes_on_past_its_edge_without_the_backdrop() -> None:
    mask = _top()
    beyond = carry_on(_striped(mask), mask)
    around = cv2.dilate(mask.astype(np.uint8), np.ones((21, 21), np.uint8)) > 0
    assert (beyond[around].astype(int).sum(1) < 480).all()


def test_filling_keeps_the_known_and_spreads_it() -> None:
    values, known = np.zeros((64, 64), np.float32), np.zeros((64, 64), bool)
    values[:, :8], known[:, :8], known[:, 56:] = 1, True, True
    filled = fill(values, known)
    assert filled[:, :8] == pytest.approx(1)
    assert filled[:, 56:] == pytest.approx(0)
    assert 0.2 < filled[32, 32] < 0.8


def test_light_is_linear_and_comes_back() -> None:
    codes = np.arange(256, dtype=np.uint8)
    assert np.array_equal(np.rint(255 * encode(to_linear(codes))), codes)
    assert to_linear(np.array([188], np.uint8)) == pytest.approx(0.5, abs=0.01)  # middle light is a bright grey


def test_stripes_of_the_worn_cloth_are_not_taken_for_folds() -> None:
    mask = _top()
    image = _striped(mask)
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light, patterned = folds(lab, to_linear(image), mask)
    assert patterned > 0.5
    assert light[mask].std() < 0.05


def test_only_what_is_marked_changes_and_the_same_seed_gives_the_same_pixels() -> None:
    worn, product = _top(), _top(width=80, hem=400)
    person, garment = _scene(worn), Garment(_striped(product))
    with Drape() as engine:
        first, again = (engine(person, garment, mask=worn, seed=3) for _ in range(2))
    assert (first.image == again.image).all()
    assert (first.image[~first.changed] == person.image[~first.changed]).all()
    around = cv2.dilate(worn.astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
    assert not (first.changed & ~around).any()
    overlap = first.mask & worn
    assert overlap.sum() > 0.95 * worn.sum()
    red_or_blue = np.abs(first.image[..., 0].astype(int) - first.image[..., 2])[overlap] > 25
    assert red_or_blue.mean() > 0.9
    truth = first.data["warped mask"]
    assert (truth & worn).sum() / (truth | worn).sum() > 0.9
    assert first.confidence > 0.6
    assert {"garment mask", "torso, warped", "light of the worn cloth"} <= set(first.steps)


def test_stripes_stay_straight() -> None:
    worn, product = _top(), _top(width=80, hem=400)
    result = Drape()(_scene(worn), Garment(_striped(product)), mask=worn)
    red = result.image[..., 0].astype(int) > result.image[..., 2]
    rows = [np.nonzero(np.diff(red[250:300, x].astype(int)) == 1)[0][0] for x in range(150, 235, 5)]
    assert np.ptp(rows) <= 3


def test_other_sleeves_are_said_and_lower_the_confidence() -> None:
    worn = _top(sleeve=230, spread=0.45)
    garment = Garment(_striped(_top(sleeve=70)))
    person = _scene(worn, arms=False)
    result = Drape()(person, garment, mask=worn)
    alike = Drape()(person, Garment(_striped(worn)), mask=worn)
    assert any("skin of the arm is invented" in note for note in result.notes)
    assert result.confidence < alike.confidence
    assert (result.changed & ~result.mask & worn).sum() > 0.1 * worn.sum()


def test_a_garment_that_is_open_in_front_is_said_to_be_drawn_closed() -> None:
    worn = _top()
    person, picture, closed = _scene(worn), _striped(worn), np.zeros_like(worn)
    opening = worn & (np.abs(np.arange(W) - 192) < 30)
    picture[opening] = (25, 35, 80)
    for inside, said in ((opening, True), (closed, False)):
        result = Drape()(person, Garment(picture, worn, "upper", inside=inside), mask=worn)
        assert any("open in front" in note for note in result.notes) == said
        assert (result.data["garment mask"] & worn).sum() > 0.95 * worn.sum()  # both its sides


def test_it_works_on_a_bare_photograph() -> None:
    worn = _top()
    result = Drape()(Person(_scene(worn).image), Garment(_striped(_top(width=80))), mask=worn)
    assert (result.mask & worn).sum() > 0.9 * worn.sum()


def test_results_go_back_to_a_larger_photograph() -> None:
    worn = _top()
    person = _scene(worn)
    large = cv2.resize(person.image, (2 * W, 2 * H), interpolation=cv2.INTER_CUBIC)
    result = Drape()(person, Garment(_striped(worn)), mask=worn).at_size_of(large)
    assert result.image.shape == large.shape
    assert (result.image[~result.changed] == large[~result.changed]).all()


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((H, W), bool), "mask"),
        (np.ones((H // 2, W), bool), "mask"),
        (np.full((H, W), 128, np.uint8), "bool"),
        (~_top(), "inverted"),
        (_polygon((10, 10), (14, 10), (14, 14), (10, 14)), "too few"),
        (_polygon((80, 20), (310, 20), (310, 500), (80, 500)), "whole body"),
        (_polygon((80, 200), (310, 200), (310, 204), (80, 204)), "too few for a garment"),
        (_polygon((330, 2), (360, 2), (360, 508), (330, 508)), "whole body"),
    ],
    ids=["empty", "other size", "grey", "inverted", "tiny", "whole body", "a line", "as tall as the picture"],
)
def test_masks_that_cannot_be_meant_are_refused_by_name(mask: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Drape()(_scene(_top()), Garment(_striped(_top())), mask=mask)


def test_a_category_that_does_not_fit_the_mask_is_refused() -> None:
    skirt = _polygon((130, 60), (254, 60), (300, 300), (84, 300))
    with pytest.raises(ValueError, match="category"):
        Drape()(_scene(_top()), Garment(_striped(skirt), category="lower"), mask=_top())


def test_every_photograph_in_every_garment() -> None:
    folder = Path(os.environ.get("ATELIER_PHOTOS", "/nowhere"))
    if not (folder / "image").is_dir():
        pytest.skip("ATELIER_PHOTOS names no folder of photographs")
    engine = Drape()
    garments = sorted((folder / "cloth").glob("*.jpg"))
    for number, file in enumerate(sorted((folder / "image").glob("*.jpg"))):
        person = load_person(file)
        mask = select(person.labels, UPPER)
        for path in garments[number % 3 :: 3]:
            result = engine(person, load_garment(path), mask=mask)
            assert (result.image[~result.changed] == person.image[~result.changed]).all()
            assert (result.mask & mask).sum() > 0.2 * mask.sum()

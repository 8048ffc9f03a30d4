"""A worn garment laid flat: near its product photograph, whole where arms hide it, said where it is made up, and worn by the next one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers import Garment, Person, extract, generate, load_garment, try_on
from helpers.dataset import figures
from helpers.extraction.crops import Crop

SIZE = (384, 512)


@cache
def wearer(words: str, seed: int = 2) -> Person:
    return generate(words, engine="mannequin", seed=seed, size=SIZE)


def boxed(mask: np.ndarray) -> np.ndarray:
    return Crop.around(mask, (96, 128)).take(mask.astype(np.float32)) > 0.5


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("number", [1_000_000, 1_000_001])
def test_it_is_nearer_to_the_product_photograph_than_the_garment_as_it_is_worn(number: int) -> None:
    pair = figures.Figure(0, number, "upper").pair(0, SIZE)
    true, person = pair.garment.mask, Person(pair.person.image, pair.person.keypoints, pair.person.labels)
    made = extract(person, mask=pair.worn)
    assert made.mask is not None
    assert true is not None
    flat, worn = iou(boxed(made.mask), boxed(true)), iou(boxed(pair.worn), boxed(true))
    assert flat > 0.75
    assert flat > worn + 0.05
    assert made.image.shape == (1024, 768, 3)
    assert (made.image[~cv2.dilate(made.mask.astype(np.uint8), np.ones((9, 9))).astype(bool)] == 255).all(), "on white"
    assert made.invented is not None
    assert 0 < made.invented.sum() < 0.5 * made.mask.sum()
    assert not (made.invented & ~made.mask).any()
    off = np.median(made.image[made.mask & ~made.invented], 0) - np.median(person.image[pair.worn], 0)
    assert np.abs(off).max() < 25, "its own colour"


def test_both_sides_are_alike_whatever_an_arm_hides() -> None:
    person = wearer("a woman in a yellow t-shirt and jeans, hands on hips")
    made = extract(person)
    assert made.mask is not None
    assert iou(made.mask, made.mask[:, ::-1]) > 0.97
    assert cv2.connectedComponents(made.mask.astype(np.uint8))[0] == 2, "one piece"


def test_a_tank_top_gets_no_sleeves() -> None:
    tank, shirt = (extract(wearer(f"a woman in a blue {kind} and jeans")).mask for kind in ("tank top", "t-shirt"))
    assert tank is not None
    assert shirt is not None
    widths = [np.ptp(np.flatnonzero(mask.any(0))) / np.ptp(np.flatnonzero(mask.any(1))) for mask in (tank, shirt)]
    assert widths[0] < 0.8 * widths[1]


@pytest.mark.parametrize("category", ["lower", "dress"])
def test_other_garments(category: str) -> None:
    words = {"lower": "a man in a white t-shirt and red trousers", "dress": "a woman in a red dress"}[category]
    made = extract(wearer(words), category)
    assert made.category == category
    assert made.mask is not None
    red = made.image[made.mask].astype(int)
    assert np.median(red[:, 0] - red[:, 1]) > 60


def test_it_is_worn_by_the_next_one_and_kept(tmp_path: Path) -> None:
    garment = extract(wearer("a woman in a green t-shirt and blue jeans"))
    other = wearer("a man in a white t-shirt and black trousers")
    result = try_on(other, garment, engine="drape")
    on = result.image[cv2.erode(result.mask.astype(np.uint8), np.ones((9, 9))).astype(bool)].astype(int)
    assert np.median(on[:, 1] - on[:, 0]) > 15, "green"
    again = load_garment(garment.save(tmp_path), "upper")
    assert again.invented is not None
    assert (again.invented == garment.invented).all()


def test_only_a_mask_is_known() -> None:
    person = wearer("a woman in a green t-shirt and blue jeans")
    bare = Person(np.full_like(person.image, 128))
    made = extract(bare, mask=person.worn("upper"))
    assert made.mask is not None
    assert 0.05 < made.mask.mean() < 0.7


def test_what_cannot_be_laid_flat_is_said() -> None:
    person = wearer("a woman in a green t-shirt and blue jeans")
    with pytest.raises(ValueError, match="garment must be upper, lower or dress, not 'hat'"):
        extract(person, "hat")
    with pytest.raises(ValueError, match="nobody wears"):
        extract(wearer("a woman in a red dress"), "lower")
    speck = np.zeros(person.image.shape[:2], bool)
    speck[5:9, 5:9] = True
    with pytest.raises(ValueError, match="too little of a garment"):
        extract(person, mask=speck)
    with pytest.raises(ValueError, match="engine for extract is auto or one of unwarp"):
        extract(person, engine="flat")
    with pytest.raises(ValueError, match="garment invented"):
        Garment(person.image, invented=np.zeros((3, 3), bool))

"""The mannequin as a whole: from words to a person and a product photograph."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from helpers import generate
from helpers.images import write_image
from helpers.labels import CIHP, LOWER, UPPER, select
from helpers.mannequin import Fabric, Mannequin, Outfit, Piece, PromptRefused, parse, product
from helpers.mannequin.render.camera import Camera

SIZE = (192, 256)
WORDS = "a slim woman in a red t-shirt and a blue mini skirt, standing"


@pytest.fixture(scope="module")
def engine() -> Mannequin:
    return Mannequin()


@pytest.fixture(scope="module")
def person(engine: Mannequin):
    return engine(WORDS, seed=5, size=SIZE)


def test_a_person_carries_every_annotation_of_one_size(person) -> None:
    assert person.image.shape == (256, 192, 3)
    for name in ("labels", "densepose", "depth", "normals", "mask"):
        assert getattr(person, name).shape[:2] == (256, 192), name
    assert (person.keypoints[:, 2] > 0).sum() >= 20
    assert {"t-shirt", "mini skirt"} <= set(person.garments)


def test_the_words_are_what_is_seen(person) -> None:
    top, skirt = select(person.labels, UPPER), select(person.labels, LOWER)
    assert person.image[top].mean(0).argmax() == 0
    assert person.image[skirt].mean(0).argmax() == 2
    assert np.nonzero(top)[0].mean() < np.nonzero(skirt)[0].mean()


def test_truth_agrees_with_itself(person) -> None:
    assert ((person.labels > 0) == person.mask).mean() > 0.999
    assert ((person.depth > 0) == person.mask).all()
    for garment, mask in person.garments.items():
        assert not (mask & ~person.mask).any(), garment
    joints = person.keypoints[person.keypoints[:, 2] > 0.9]
    inside = [person.mask[round(float(y)), round(float(x))] for x, y, _ in joints]
    assert np.mean(inside) > 0.9


def test_the_same_seed_gives_the_same_pixels_in_a_fresh_engine(person) -> None:
    again = Mannequin()(WORDS, seed=5, size=SIZE)
    assert (again.image == person.image).all()
    assert (again.labels == person.labels).all()
    assert (again.keypoints == person.keypoints).all()


def test_another_seed_gives_somebody_else(engine: Mannequin, person) -> None:
    assert np.abs(engine(WORDS, seed=6, size=SIZE).image.astype(int) - person.image).mean() > 1


def test_other_colours_and_another_camera_keep_the_drape(engine: Mannequin, person, monkeypatch) -> None:
    def again(*_: object) -> None:
        raise AssertionError("draped again")

    monkeypatch.setattr("helpers.mannequin.engine.dress", again)
    outfit = Outfit.from_dict(person.scene["outfit"])
    green = tuple(replace(p, fabric=replace(p.fabric, colour="#1f7a3d", pattern="dots")) for p in outfit.pieces)
    recoloured = engine(replace(outfit, pieces=green, backdrop="#ffffff"), seed=5, size=SIZE)
    assert (recoloured.labels == person.labels).mean() > 0.999
    assert np.abs(recoloured.image.astype(int) - person.image)[person.garments["t-shirt"]].mean() > 20
    side = engine(outfit, seed=5, size=SIZE, camera=Camera((3.0, 1.3, 5.0), (0.0, 0.9, 0.0), size=SIZE))
    assert (side.labels != person.labels).mean() > 0.02


def test_the_scene_is_plain_data_that_draws_the_same_picture(engine: Mannequin, person) -> None:
    scene = json.loads(json.dumps(person.scene))
    again = engine(Outfit.from_dict(scene["outfit"]), seed=scene["seed"], size=SIZE, camera=Camera.from_dict(scene["camera"]))
    assert (again.image == person.image).all()


def test_upper_framing_is_closer(engine: Mannequin, person) -> None:
    closer = engine(WORDS + ", upper body", seed=5, size=SIZE)
    assert select(closer.labels, UPPER).sum() > 1.5 * select(person.labels, UPPER).sum()
    assert closer.keypoints[11, 2] == 0  # the right ankle is outside


def test_nobody_is_ever_undressed(engine: Mannequin) -> None:
    bare = Outfit(pieces=())
    labels = engine(bare, size=SIZE).labels
    person = engine(bare, size=SIZE)
    hips = person.keypoints[8, :2].round().astype(int)
    chest = (0.75 * person.keypoints[1, :2] + 0.25 * person.keypoints[8, :2]).round().astype(int)
    covered = select(labels, (*UPPER, *LOWER))
    assert covered[hips[1] + 4, hips[0]]
    assert covered[chest[1], chest[0]]


@pytest.mark.parametrize("words", ["a ten year old girl in a dress", "a naked man", "a topless woman", "a teenager in jeans"])
def test_what_is_not_drawn_is_refused_plainly(words: str) -> None:
    with pytest.raises(PromptRefused, match=r"adult|dressed|clothes"):
        generate(words)


@pytest.mark.parametrize("size", [(0, 100), (100_000, 100), ("a", "b"), 7, (32, 32)])
def test_a_bad_size_is_named_before_anything_is_drawn(size) -> None:
    with pytest.raises(ValueError, match="size must be"):
        generate(WORDS, size=size)


def test_a_product_is_one_garment_with_an_exact_mask() -> None:
    garment = product("a red t-shirt", seed=1, size=SIZE)
    assert garment.category == "upper"
    assert 0.1 < garment.mask.mean() < 0.6
    inside, outside = garment.image[garment.mask].mean(0), garment.image[~garment.mask].mean(0)
    assert inside[0] > inside[2] + 60
    assert np.ptp(outside) < 6
    assert not (garment.inside & ~garment.mask).any()
    assert 0.002 < garment.inside.sum() / garment.mask.sum() < 0.15
    assert garment.inside[: SIZE[1] // 2, SIZE[0] // 2 - 4 : SIZE[0] // 2 + 4].any()  # the back of the neck
    assert not garment.mask[[0, -1]].any()
    assert not garment.mask[:, [0, -1]].any()


def test_a_product_from_a_piece_and_what_it_refuses() -> None:
    piece = next(p for p in parse("a floral dress", 0).pieces if p.kind == "dress")
    assert product(piece, size=SIZE).category == "dress"
    with pytest.raises(ValueError, match="one garment is wanted"):
        product("a shirt and jeans", size=SIZE)
    with pytest.raises(ValueError, match="shoes"):
        product(Piece("shoes", style="boots"), size=SIZE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        product("a zorbly t-shirt", size=SIZE)
    assert "zorbly" in str(caught[0].message)


def test_an_image_print_lies_on_the_front_only(engine: Mannequin, tmp_path) -> None:
    logo = np.zeros((64, 64, 3), np.uint8)
    logo[..., 1] = 220
    path = write_image(tmp_path / "logo.png", logo)
    fabric = Fabric(colour="#f2f2f0", pattern="print", image=path)
    piece = replace(next(p for p in parse("a white t-shirt", 0).pieces if p.kind == "t-shirt"), fabric=fabric)
    image = product(piece, size=SIZE).image.astype(int)
    green = (image[..., 1] > image[..., 0] + 60) & (image[..., 1] > image[..., 2] + 60)
    _, xs = np.nonzero(green)
    assert 0.01 < green.mean() < 0.2
    assert abs(xs.mean() - SIZE[0] / 2) < 10
    with pytest.raises((ValueError, FileNotFoundError), match=r"nowhere\.png"):
        product(replace(piece, fabric=replace(fabric, image=tmp_path / "nowhere.png")), size=SIZE)


@pytest.mark.parametrize(
    ("wearer", "top", "bottom"),
    [
        ("woman", "crop top", "midi skirt"),
        ("man", "tank top", "shorts"),
        ("man", "shirt", "jeans"),
        ("woman", "sweater", "a-line skirt"),
        ("woman", "long-sleeve", "trousers"),
    ],
)
@pytest.mark.slow
def test_every_garment_of_the_wardrobe_can_be_worn(engine: Mannequin, wearer: str, top: str, bottom: str) -> None:
    person = engine(f"a {wearer} in a {top} and {bottom}", seed=3, size=SIZE)
    assert person.garments[top].mean() > 0.01
    assert person.garments[bottom].mean() > 0.01


@pytest.mark.slow
def test_what_is_open_in_front_shows_what_is_under_it(engine: Mannequin) -> None:
    person = engine("a woman in a black coat over a white t-shirt and jeans, standing", seed=3, size=SIZE)
    coat, top = person.garments["coat"], person.garments["t-shirt"]
    assert coat.mean() > 0.03
    assert top.mean() > 0.01
    assert set(np.unique(person.labels[coat])) == {CIHP.index("coat")}
    assert set(np.unique(person.labels[top])) == {CIHP.index("upper-clothes")}
    assert person.image[top].mean() > person.image[coat].mean() + 60
    rows, columns = np.nonzero(top)
    sides = np.nonzero(coat[int(np.median(rows))])[0]
    assert sides.min() < np.median(columns) < sides.max(), "a side of the coat on either hand"

"""A worn garment laid flat: near its product photograph, whole where arms hide it, said where it is made up, and worn by the next one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers import Garment, Person, extract, generate, load_garment, try_on
from helpers.dataset import figures
from helpers.extraction import flatten_net
from helpers.extraction.crops import Crop
from helpers.extraction.small_unet import SmallUnet

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


@pytest.mark.parametrize("number", [1_000_002, 1_000_004])
def test_what_has_learnt_finds_the_outline_better_than_what_has_not(number: int) -> None:
    pair = figures.Figure(0, number, "upper").pair(0, SIZE)
    person = Person(pair.person.image, pair.person.keypoints, pair.person.labels)
    true = pair.garment.mask
    assert true is not None
    found = {}
    for engine in ("flatten_net", "unwarp"):
        made = extract(person, mask=pair.worn, engine=engine)
        assert made.mask is not None
        assert made.masked_by == engine
        found[engine] = iou(boxed(made.mask), boxed(true))
    assert found["flatten_net"] > max(0.88, found["unwarp"])


def test_trousers_are_laid_flat_without_a_network() -> None:
    person = wearer("a woman in a white t-shirt and blue jeans")
    one, other = (extract(person, "lower", engine=engine) for engine in ("flatten_net", "unwarp"))
    np.testing.assert_array_equal(one.image, other.image)


def test_the_small_unet_is_the_one_that_is_trained() -> None:
    torch = pytest.importorskip("torch")
    from helpers.extraction.pix2pix import UnetGenerator

    torch.manual_seed(0)
    network = UnetGenerator(4, 7, 6, 4).eval()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
            layer.weight.data.uniform_(0.5, 2)
            layer.bias.data.normal_()
    picture = torch.rand(1, 4, 128, 64) * 2 - 1
    with torch.no_grad():
        expected = network(picture)[0].numpy()
    small = SmallUnet.of_state(network.state_dict())
    assert small.multiple == network.multiple
    np.testing.assert_allclose(small(picture[0].numpy()), expected, atol=2e-5)


def test_its_weights_in_eight_bits_are_nearly_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shapes = [((8, 4, 4, 4), 8), ((8, 8, 4, 4), 8)], [((8, 8, 4, 4), 8), ((16, 7, 4, 4), 7)]
    layers = [
        tuple((rng.normal(0, 0.1, one).astype(np.float32), np.zeros(bias, np.float32)) for one, bias in way) for way in shapes
    ]
    network = SmallUnet(*layers)
    network.save(tmp_path / "net.npz")
    again, picture = SmallUnet.load(tmp_path / "net.npz"), rng.uniform(-1, 1, (4, 32, 16)).astype(np.float32)
    np.testing.assert_allclose(again(picture), network(picture), atol=0.02)
    assert flatten_net.WEIGHTS.stat().st_size <= 8_000_000


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
    with pytest.raises(ValueError, match="engine for extract is auto or one of flatten_net, unwarp"):
        extract(person, engine="flat")
    with pytest.raises(ValueError, match="garment invented"):
        Garment(person.image, invented=np.zeros((3, 3), bool))

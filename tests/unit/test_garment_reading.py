"""What a garment's photograph says of it: one reading, with how sure each thing is."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from helpers import Garment, product, read_garment
from helpers.tryon.drape.reading import GarmentReading

SIZE = (384, 512)


@pytest.fixture(scope="module")
def long_sleeve() -> GarmentReading:
    return read_garment(product("a red crew neck long-sleeve", seed=2, size=SIZE))


def test_it_says_what_the_words_said(long_sleeve: GarmentReading) -> None:
    assert (long_sleeve.category.value, long_sleeve.sleeves.value, long_sleeve.neckline.value) == ("upper", "long", "crew")
    assert (long_sleeve.collar.value, long_sleeve.straps.value, long_sleeve.placket.value) == (False, False, False)
    assert 0.8 < long_sleeve.sleeve_length.value < 1.2
    assert 0.05 < long_sleeve.depth.value < 0.3
    assert long_sleeve.back_depth.value <= long_sleeve.depth.value


def test_everything_comes_with_a_confidence(long_sleeve: GarmentReading) -> None:
    names = ("category", "neckline", "collar", "placket", "straps", "sleeves", "sleeve_length", "length", "hem", "depth")
    for name in (*names, "back_depth"):
        assert 0 <= getattr(long_sleeve, name).confidence <= 1, name
    assert long_sleeve.matte.dtype == np.float32
    assert np.array_equal(long_sleeve.matte.shape, long_sleeve.mask.shape)
    with pytest.raises(FrozenInstanceError):
        long_sleeve.sure = 0.0  # type: ignore[misc]


def test_what_is_worn_below_is_recognised_and_has_no_neck() -> None:
    shown = product("a black pencil skirt", seed=0, size=SIZE)
    assert read_garment(Garment(shown.image, shown.mask)).category.value == "lower", "whatever was said"
    found = read_garment(shown)
    assert found.category.value == "lower"
    assert found.length.value > 0.5
    with pytest.raises(ValueError, match=r'category "lower"'):
        _ = found.neckline


def test_a_picture_alone_is_read_too_and_nothing_else() -> None:
    found = read_garment(product("a black camisole", seed=1, size=SIZE).image)
    assert found.straps.value
    assert found.sleeves.value == "none"
    assert found.sleeve_length.value == 0
    with pytest.raises(ValueError, match="no garment stands out"):
        read_garment(np.full((200, 150, 3), 240, np.uint8))
    with pytest.raises(ValueError, match="garment"):
        read_garment("shirt.jpg")  # type: ignore[arg-type]

"""Every value that can be wrong, and the words for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers import checks, segment
from helpers.segmentation.clicks import parse_points

PICTURE = np.zeros((96, 72, 3), np.uint8)
MASK = np.ones((96, 72), bool)
SHAPE, SIZE = (96, 72), (72, 96)

WRONG = [
    (checks.image, ([[1]],), "image must be a uint8 array .* not a list"),
    (checks.image, (None, "person image"), "person image must be .* not a NoneType"),
    (checks.image, (PICTURE[..., 0],), "image must have shape .* grey"),
    (checks.image, (np.dstack([PICTURE, PICTURE[..., :1]]),), r"image has four channels \(RGBA\)"),
    (checks.image, (PICTURE[..., :2],), r"not \(96, 72, 2\)"),
    (checks.image, (PICTURE.astype(np.int32),), "not int32"),
    (checks.image, (PICTURE / 255.0,), r"not float64.* \(image \* 255\)"),
    (checks.image, (PICTURE[:60],), "image is 72x60 pixels; at least 64 a side"),
    (checks.mask, ("mask", SHAPE), r"mask must be a bool array \(H, W\), not str"),
    (checks.mask, (PICTURE, SHAPE), r"not \(96, 72, 3\)"),
    (checks.mask, (MASK.astype(np.uint8), SHAPE), "mask must be bool, not uint8.* mask > 127"),
    (checks.mask, (MASK.T, SHAPE), "mask is 96x72 but its picture is 72x96 pixels"),
    (checks.mask, (~MASK, SHAPE, "garment mask"), "garment mask is empty"),
    (checks.point, ((1, 2),), r"point must be \(x, y, label\)"),
    (checks.point, (3,), r"point must be \(x, y, label\)"),
    (checks.point, ((10, 10, 2), SIZE), "label is 1 .* not 2"),
    (checks.point, ((72, 10, 1), SIZE), r"\(72, 10\) lies outside the image; x is 0\.\.71 and y is 0\.\.95"),
    (checks.point, ((float("nan"), 10, 1), SIZE), "lies outside"),
    (checks.point, ((-1, 10, 1),), "lies outside the image; x and y are pixels, from 0 on"),
    (checks.points, ("384,400", SIZE), "points must be a list"),
    (checks.points, ([(1, 2, 1), (3, 4, 7)], SIZE), r"points\[1\]: label is 1"),
    (checks.clicks, ([], SIZE), "points is empty: give at least one click"),
    (checks.clicks, ([(1, 2, 0)], SIZE), r"points\[0\] has label 0 .* on the garment first"),
    (checks.clicks, ([(1, 2, 1), (1.4, 2.2, 0)], SIZE), r"points\[1\]: \(1\.4, 2\.2\) contradicts"),
    (checks.whole, (1.0, "steps", 1, 100), r"steps must be a whole number from 1 to 100, not 1\.0"),
    (checks.whole, (True, "steps", 1, 100), "steps must be .* not True"),
    (checks.whole, (0, "steps", 1, 100), "not 0"),
    (checks.whole, (-1, "seed", 0), "seed must be a whole number of at least 0, not -1"),
    (checks.number, ("6", "guidance", 1, 10), "guidance must be a number from 1 to 10, not '6'"),
    (checks.number, (float("nan"), "guidance", 1, 10), "not nan"),
    (checks.number, (True, "guidance", 1, 10), "not True"),
    (checks.size, ("large", 64, 4096), r"size must be \(width, height\) in pixels, not 'large'"),
    (checks.size, ((384.5, 512), 64, 4096), r"size must be \(width, height\)"),
    (checks.size, ((384, 20), 64, 4096), "size must be 64 to 4096 pixels a side, not 384x20"),
    (checks.one_of, ("hat", "category", ("upper", "lower", "dress")), "category must be upper, lower or dress, not 'hat'"),
    (checks.one_of, (2, "mode", (1,)), "mode must be 1, not 2"),
    (checks.flag, (1, "extras"), "extras must be True or False, not 1"),
    (checks.text, (7, "outputs"), "outputs must be text, not 7"),
    (checks.path, (7, "person"), "person must be the name of a file, not 7"),
]


@pytest.mark.parametrize(("check", "arguments", "words"), WRONG, ids=lambda value: getattr(value, "__name__", None))
def test_what_does_not_fit_is_named(check, arguments: tuple, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(*arguments)


@pytest.mark.parametrize(
    ("check", "arguments", "value"),
    [
        (checks.point, ((3.7, 4, 1.0), SIZE), (3.7, 4.0, 1)),
        (checks.points, (np.array([[3, 4, 0]]), SIZE), ((3.0, 4.0, 0),)),
        (checks.points, ([], SIZE), ()),
        (checks.points, ([(9000, 1, 1)],), ((9000.0, 1.0, 1),)),
        (checks.clicks, ([(3, 4, 1), (5, 6, 0)], SIZE), ((3.0, 4.0, 1), (5.0, 6.0, 0))),
        (checks.whole, (np.int64(5), "steps", 1, 100), 5),
        (checks.whole, (10**12, "seed", 0), 10**12),
        (checks.number, (3, "guidance", 1, 10), 3.0),
        (checks.size, ((np.int32(384), 512), 64, 4096), (384, 512)),
        (checks.one_of, ("dress", "category", ("upper", "dress")), "dress"),
        (checks.flag, (False, "extras"), False),
        (checks.path, ("~", "person"), Path.home()),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_fits_comes_back_as_it_is_used(check, arguments: tuple, value) -> None:
    found = check(*arguments)
    assert found == value
    assert type(found) is type(value)


def test_arrays_come_back_as_they_are() -> None:
    assert checks.image(PICTURE) is PICTURE
    assert checks.mask(MASK, SHAPE) is MASK
    assert not checks.mask(~MASK, SHAPE, empty=True).any()


def test_the_nearest_multiple_is_told() -> None:
    with pytest.raises(ValueError, match="width must be a multiple of 8, not 385; the nearest is 384"):
        checks.whole(385, "width", 256, 2048, multiple=8)
    with pytest.raises(ValueError, match="size must be multiples of 8, not 385x512; the nearest is 384x512"):
        checks.size((385, 512), 256, 2048, multiple=8)


def test_one_fault_has_one_wording_wherever_it_is_met() -> None:
    """A picture given to the verb and to the engine, a point typed in a notebook and given to the engine."""
    from helpers.segmentation.superpixel.engine import Superpixel

    said = []
    for look in (lambda: segment(PICTURE[:40], [(1, 1, 1)]), lambda: Superpixel().set_image(PICTURE[:40])):
        with pytest.raises(ValueError, match="image") as error:
            look()
        said.append(str(error.value))
    for click in (lambda p: parse_points(p, SIZE), lambda p: segment(PICTURE, p)):
        with pytest.raises(ValueError, match="image") as error:
            click([(500, 1, 1)])
        said.append(str(error.value))
    assert said[0] == said[1]
    assert said[2] == said[3]

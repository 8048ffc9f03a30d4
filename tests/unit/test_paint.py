"""Masks over pictures: the layer, the window around a garment, growth click by click."""

import subprocess
import sys

import numpy as np
import pytest

from helpers import segmentation
from helpers.segmentation.paint import COLOURS, GAINED, LOST, around, growth, painted, tint


def test_the_tint_is_translucent_inside_clear_outside_and_outlined():
    mask = np.zeros((100, 100), bool)
    mask[20:80, 20:80] = True
    layer = tint((100, 100), [mask], COLOURS[:1])
    assert tuple(layer[50, 50, :3]) == COLOURS[0]
    assert 60 < layer[50, 50, 3] < 140
    assert layer[5, 5, 3] == 0
    assert layer[20, 50, 3] > 200
    assert tint((50, 50), [mask], COLOURS[:1]).shape == (50, 50, 4)


def test_what_is_painted_changes_only_under_the_masks():
    image = np.full((100, 100, 3), 200, np.uint8)
    masks = np.zeros((2, 100, 100), bool)
    masks[0, 10:40, 10:40], masks[1, 60:90, 60:90] = True, True
    out = painted(image, masks)
    for place, colour in (((25, 25), COLOURS[0]), ((75, 75), COLOURS[1])):
        assert np.abs(out[place].astype(int) - (0.62 * 200 + 0.38 * np.array(colour))).max() <= 2
    assert (out[:5] == 200).all()
    assert (image == 200).all()


@pytest.mark.parametrize("place", [(slice(0, 5), slice(0, 5)), (slice(40, 60), slice(10, 90)), (slice(95, 100), slice(70, 75))])
def test_the_window_holds_the_region_and_stays_inside(place):
    region = np.zeros((100, 90), bool)
    region[place] = True
    rows, columns = around(region)
    assert 0 <= rows.start < rows.stop <= 100
    assert 0 <= columns.start < columns.stop <= 90
    assert region[rows, columns].sum() == region.sum()


def test_the_window_is_three_to_four_where_there_is_room_and_everything_where_there_is_nothing():
    region = np.zeros((400, 300), bool)
    assert around(region) == (slice(0, 400), slice(0, 300))
    region[180:220, 100:180] = True
    rows, columns = around(region)
    assert (columns.stop - columns.start) / (rows.stop - rows.start) == pytest.approx(0.75, abs=0.02)


def test_growth_shows_what_each_click_won_and_gave_up():
    image = np.full((400, 300, 3), 128, np.uint8)
    masks = np.zeros((3, 400, 300), bool)
    masks[:2, 100:200, 100:200], masks[1, 100:200, 200:250], masks[2, 150:200, 100:250] = True, True, True
    points = [(110, 190, 1), (245, 190, 1), (110, 110, 0)]
    pictures = growth(image, points, lambda some: masks[len(some) - 1], truth=masks[2], name="top", height=400)
    assert [title for title, _ in pictures] == ["top: 1 click, IoU 0.400", "2 clicks, IoU 0.500", "3 clicks, IoU 1.000"]
    rows, columns = around(masks.any(0))
    scale = 400 / (rows.stop - rows.start)

    def at(number, x, y):
        return pictures[number][1][int((y - rows.start) * scale), int((x - columns.start) * scale)].astype(int)

    for seen, colour in ((at(0, 150, 150), COLOURS[0]), (at(1, 225, 150), GAINED), (at(2, 225, 125), LOST)):
        assert np.abs(seen - (0.62 * 128 + 0.38 * np.array(colour))).max() < 30
    assert all(picture.shape[0] == 400 for _, picture in pictures)


def test_growth_without_truth_tells_the_share():
    image = np.zeros((80, 60, 3), np.uint8)
    ((title, _),) = growth(image, [(30, 40, 1)], lambda some: np.ones((80, 60), bool))
    assert title == "1 click, covers 100.0%"
    assert growth(image, [], lambda some: np.ones((80, 60), bool)) == []


def test_a_mask_is_viewed_with_its_clicks_over_its_picture_alone_and_cut_out():
    image = np.full((100, 100, 3), 200, np.uint8)
    mask = np.zeros((100, 100), bool)
    mask[20:80, 20:80] = True
    pictures = segmentation.views(image, [(50, 50, 1)], mask)
    assert list(pictures) == ["clicks", "over the picture", "mask", "cut out"]
    assert (pictures["clicks"][:10] == 200).all()
    assert (pictures["clicks"] != 200).any()
    assert (pictures["over the picture"] == painted(image, [mask])).all()
    assert pictures["mask"] is mask
    assert (pictures["cut out"][mask] == 200).all()
    assert not (pictures["cut out"][~mask] == 200).any()


def test_what_figures_need_is_loaded_with_them_alone():
    code = "import sys, helpers.segmentation as s; s.iou; print('matplotlib' in sys.modules); s.growth; print('matplotlib' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == ["False", "True"]
    with pytest.raises(AttributeError, match=r"No helpers\.segmentation attribute nosuch"):
        segmentation.nosuch  # noqa: B018

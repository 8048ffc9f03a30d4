"""Points as data: parsing, undo, several garments, view and image, the protocol's next click."""

import numpy as np
import pytest

from helpers.segmentation.clicks import (
    PointPrompt,
    default_points,
    garment_first,
    garment_under,
    iou,
    next_click,
    parse_points,
    protocol_clicks,
)

SIZE = (200, 100)


def test_points_are_read_from_lists_arrays_mappings_and_text():
    assert parse_points([[10, 20, 1], (11.9, 21.2, 0)], SIZE) == {"garment 1": ((10, 20, 1), (11, 21, 0))}
    assert parse_points(np.array([[10, 20, 1]]), SIZE, "top") == {"top": ((10, 20, 1),)}
    assert parse_points("[[10, 20, 1]]", SIZE) == {"garment 1": ((10, 20, 1),)}
    assert parse_points({"top": [(1, 2, 1)], "skirt": []}, SIZE) == {"top": ((1, 2, 1),), "skirt": ()}
    assert parse_points([], SIZE) == {"garment 1": ()}
    assert parse_points([[3000, 2, 1]]) == {"garment 1": ((3000, 2, 1),)}


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ("384, 400", "points must be text such as"),
        (7, "points must be a list"),
        ([[1, 2]], r"points\[0\] must be \(x, y, label\)"),
        ([[1, 2, 1], ["a", 2, 1]], r"points\[1\] must be"),
        ([[1, 2, 3]], "label is 1"),
        ([[200, 2, 1]], r"outside the image; x is 0..199 and y is 0..99"),
        ([[-1, 2, 1]], "outside"),
        ([[float("nan"), 2, 1]], "outside"),
        ({"skirt": [[1, 2]]}, r"points\['skirt'\]\[0\]"),
    ],
)
def test_what_is_not_points_is_refused_by_name(points, message):
    with pytest.raises(ValueError, match=message):
        parse_points(points, SIZE)


def test_clicks_undo_redo_and_clear():
    prompt = PointPrompt(SIZE)
    assert not prompt.undo()
    assert not prompt.redo()
    prompt.add(10, 20)
    prompt.add(30, 40, 0)
    assert prompt.points == [(10, 20, 1), (30, 40, 0)]
    assert prompt.labels == [1, 0]
    assert prompt.undo()
    assert prompt.points == [(10, 20, 1)]
    assert prompt.redo()
    prompt.clear()
    assert prompt.points == []
    assert prompt.undo(), "clear is a change like another"
    assert len(prompt.points) == 2
    prompt.undo()
    prompt.add(50, 50)
    assert not prompt.can_redo, "a new click forgets what was taken back"


def test_initial_points_are_not_undone():
    prompt = PointPrompt(SIZE, points=[(10, 20, 1)])
    assert not prompt.can_undo
    prompt.add(11, 21)
    prompt.undo()
    assert prompt.points == [(10, 20, 1)]


def test_a_click_outside_changes_nothing():
    prompt = PointPrompt(SIZE, points=[(10, 20, 1)])
    with pytest.raises(ValueError, match="outside"):
        prompt.add(10, 100)
    assert prompt.points == [(10, 20, 1)]
    assert not prompt.can_undo


def test_the_nearest_point_is_removed_within_reach():
    prompt = PointPrompt(SIZE, points=[(10, 20, 1), (100, 50, 0)])
    assert not prompt.remove_nearest(60, 50, within=10)
    assert prompt.remove_nearest(96, 50, within=10)
    assert prompt.points == [(10, 20, 1)]
    prompt.undo()
    assert len(prompt.points) == 2


def test_several_garments_keep_their_points():
    prompt = PointPrompt(SIZE, names=["top", "skirt"])
    prompt.add(10, 20)
    assert prompt.next_garment() == "skirt"
    prompt.add(30, 70)
    assert prompt.next_garment() == "garment 3"
    assert prompt.garments == {"top": [(10, 20, 1)], "skirt": [(30, 70, 1)], "garment 3": []}
    prompt.select("top")
    assert prompt.points == [(10, 20, 1)]
    assert prompt.next_garment() == "garment 3", "the empty one is used before another is begun"
    assert len(prompt.garments) == 3


def test_undo_goes_back_over_garments():
    prompt = PointPrompt(SIZE)
    prompt.add(10, 20)
    prompt.next_garment()
    prompt.undo()
    assert prompt.garment == "garment 1"
    assert list(prompt.garments) == ["garment 1"]
    prompt.redo()
    assert prompt.garment == "garment 2"


def test_garment_names_are_checked():
    prompt = PointPrompt(SIZE, names=["top"], points=[(1, 1, 1)])
    with pytest.raises(ValueError, match="already a garment 'top'"):
        prompt.next_garment("top")
    with pytest.raises(ValueError, match="name must be top"):
        prompt.select("hat")
    assert prompt.next_garment("garment 2") == "garment 2"
    prompt.add(1, 1)
    assert prompt.next_garment() == "garment 3"


def test_a_change_that_fails_is_taken_back():
    failing = False

    def on_change(prompt):
        if failing:
            raise RuntimeError("no mask")

    prompt = PointPrompt(SIZE, on_change=on_change)
    prompt.add(10, 20)
    failing = True
    for change in (lambda: prompt.add(1, 1), prompt.undo, prompt.clear, prompt.next_garment):
        with pytest.raises(RuntimeError, match="no mask"):
            change()
        assert prompt.garments == {"garment 1": [(10, 20, 1)]}
        assert prompt.can_undo
        assert not prompt.can_redo
    failing = False
    prompt.undo()
    assert prompt.points == []


def test_changes_are_announced_once_each():
    seen = []
    prompt = PointPrompt(SIZE, on_change=lambda p: seen.append(len(p.points)))
    prompt.add(1, 1)
    prompt.add(2, 2)
    prompt.undo()
    prompt.select("garment 1")  # it is selected already
    assert seen == [1, 2, 1]


@pytest.mark.parametrize(
    ("size", "view"),
    [((768, 1024), (768, 1024)), ((3000, 4000), (768, 1024)), ((4000, 1000), (768, 192)), ((100, 80), (100, 80))],
)
def test_the_view_fits_and_keeps_the_shape(size, view):
    prompt = PointPrompt(size, max_view=(768, 1024))
    assert prompt.view_size == view
    assert prompt.scale == pytest.approx(view[0] / size[0])


@pytest.mark.parametrize("size", [(3000, 4000), (769, 1031), (100, 80)])
def test_view_and_image_agree(size):
    prompt = PointPrompt(size)
    rng = np.random.default_rng(0)
    for x, y in zip(rng.integers(0, size[0], 50), rng.integers(0, size[1], 50), strict=True):
        assert prompt.to_image(*prompt.to_view(x, y)) == (x, y)
    width, height = prompt.view_size
    assert prompt.to_image(0, 0) == (0, 0)
    assert prompt.to_image(width, height) == (size[0] - 1, size[1] - 1)
    assert prompt.to_image(-0.5, 5) is None
    assert prompt.to_image(5, height + 0.5) is None


def test_an_empty_image_is_refused():
    with pytest.raises(ValueError, match="size must be"):
        PointPrompt((0, 10))


def test_the_next_click_lies_in_the_middle_of_the_largest_error():
    truth = np.zeros((100, 200), bool)
    truth[20:61, 30:71] = True
    assert next_click(truth, np.zeros_like(truth)) == (50, 40, 1)
    too_much = truth.copy()
    too_much[30:91, 100:161] = True
    too_much[20:31, 30:41] = False
    assert next_click(truth, too_much) == (130, 60, 0)
    long = np.zeros_like(truth)
    long[5:10, 2:198] = True  # larger than the garment's error, though nowhere as deep
    hole = truth.copy()
    hole[30:51, 40:61] = False
    assert next_click(truth, hole | long)[2] == 0
    with pytest.raises(ValueError, match="no error left"):
        next_click(truth, truth)
    with pytest.raises(ValueError, match="shape of truth"):
        next_click(truth, truth[:50])


def test_the_next_click_counts_the_border_of_the_image_as_border():
    truth = np.ones((50, 101), bool)
    _, y, label = next_click(truth, np.zeros_like(truth))
    assert 20 <= y <= 29
    assert label == 1


def test_default_points_lie_on_the_garment_when_it_is_known():
    garment = np.zeros((100, 200), bool)
    garment[10:31, 150:171] = True
    assert default_points(SIZE, garment) == [(160, 20, 1)]
    assert default_points(SIZE) == [(100, 38, 1)]
    assert default_points(SIZE, np.zeros((100, 200), bool)) == [(100, 38, 1)]


def test_the_protocol_clicks_until_no_error_is_left():
    truth = np.zeros((60, 60), bool)
    truth[10:50, 10:50] = True

    def predict(points):  # each click on the garment reveals 20 columns
        mask = np.zeros_like(truth)
        for x, _, label in points:
            if label:
                mask[10:50, max(10, x - 10) : min(50, x + 10)] = True
        return mask

    clicks = protocol_clicks(predict, truth, 10, points=[(20, 20, 1)])
    assert clicks[0] == (20, 20, 1)
    assert 2 <= len(clicks) < 10
    assert iou(predict(clicks), truth) == 1
    assert len(protocol_clicks(predict, truth, 10, enough=0.4)) == 1
    assert protocol_clicks(predict, truth, 2) == protocol_clicks(predict, truth, 10)[:2]


def test_the_garment_under_the_clicks():
    top, skirt = np.zeros((2, 100, 200), bool)
    top[:50], skirt[50:] = True, True
    garments = {"top": top, "skirt": skirt}
    assert garment_under([(10, 10, 0), (10, 60, 1)], garments) == "skirt"
    assert garment_under([(10, 10, 1), (10, 20, 1), (10, 60, 1)], garments) == "top"
    assert garment_under([(10, 10, 1)], {"skirt": skirt}) is None
    assert garment_under([], garments) is None
    assert garment_under([(1, 1, 1)], {}) is None


def test_intersection_over_union():
    a, b = np.zeros((2, 10, 10), bool)
    assert iou(a, b) == 1
    a[:5], b[:] = True, True
    assert iou(a, b) == 0.5


def test_the_first_click_on_the_garment_comes_first():
    assert garment_first([(1, 1, 0), (2, 2, 0), (3, 3, 1), (4, 4, 1)]) == [(3, 3, 1), (1, 1, 0), (2, 2, 0), (4, 4, 1)]
    assert garment_first([(3, 3, 1), (1, 1, 0)]) == [(3, 3, 1), (1, 1, 0)]
    assert garment_first([(1, 1, 0)]) == [(1, 1, 0)]
    assert garment_first([]) == []

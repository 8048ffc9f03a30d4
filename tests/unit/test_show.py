import numpy as np
import pytest

from helpers import show


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (128, 96, 3), dtype=np.uint8)


def test_grids_and_strips_are_pngs_with_room_for_every_picture(picture: np.ndarray) -> None:
    data, shown = show.strip({"one": picture, "two": picture})._repr_png_()
    assert data[:4] == b"\x89PNG"
    assert shown["width"] > shown["height"] > 100
    assert len(show.grid([(str(i), picture) for i in range(5)], columns=3).axes) == 6
    assert len(show.strips([[("a", picture)] * 3, [("b", picture)]]).axes) == 6


def test_where_there_is_nothing_to_show_there_is_no_figure() -> None:
    assert show.grid({}) is None
    assert show.strip([]) is None
    assert show.strips([]) is None
    assert show.curves({}, x="clicks", y="IoU") is None


def test_many_words_are_thinned_evenly() -> None:
    assert show.some(["a", "b"]) == "a, b"
    assert show.some([str(i) for i in range(40)], most=10) == "0, 4, 8, 12, 16, 20, 24, 28, 32, 36 … (40 in all)"


def test_no_row_is_wider_than_a_page(picture: np.ndarray) -> None:
    many = [("a title that is far too long for so narrow a picture", picture)] * 8
    _, shown = show.strip(many, height=8)._repr_png_()
    assert 700 < shown["width"] < 1200


def test_progress_gives_every_item_once() -> None:
    assert list(show.progress("abc", "letters")) == ["a", "b", "c"]
    assert list(show.progress([], "nothing")) == []


def test_overlay_tints_the_mask_and_leaves_the_rest(picture: np.ndarray) -> None:
    mask = np.zeros(picture.shape[:2], bool)
    mask[40:80, 30:60] = True
    tinted = show.overlay(picture, mask)
    assert (tinted[:30] == picture[:30]).all()
    assert (
        np.abs(tinted[50, 45].astype(int) - show.MASK_COLOUR).sum()
        < np.abs(picture[50, 45].astype(int) - show.MASK_COLOUR).sum()
    )


def test_clicks_are_green_on_the_garment_and_red_off_it() -> None:
    white = np.full((256, 192, 3), 255, np.uint8)
    green, red = show.clicks(white, [(40, 40, 1)]), show.clicks(white, [(40, 40, 0)])
    assert green[36, 40].argmax() == 1
    assert red[36, 40].argmax() == 0


def test_unseen_joints_are_not_drawn(picture: np.ndarray) -> None:
    dim = show.skeleton(picture, np.zeros((25, 3), np.float32))
    assert (dim == (picture * 0.55).astype(np.uint8)).all()


def test_annotation_pictures_are_black_where_nothing_is(picture: np.ndarray) -> None:
    empty = np.zeros((128, 96), np.float32)
    assert not show.depth(empty).any()
    assert not show.normals(np.zeros((128, 96, 3), np.float32)).any()
    assert not show.iuv(np.zeros((128, 96, 3), np.uint8)).any()
    assert show.parse_names(np.array([[5, 5, 9, 0]])) == "upper-clothes, pants"


def test_tables_escape_html_and_read_as_text() -> None:
    table = show.table([{"engine": "<b>", "seconds": 1.23456}, {"engine": None, "seconds": 2}])
    assert "&lt;b&gt;" in table._repr_html_()
    assert repr(table).splitlines()[1].split() == ["<b>", "1.235"]
    assert "background:#aa3311" in show.table([{"colour": "#aa3311"}])._repr_html_()

"""The menu of pictures: pages, search, choice, and a picture that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.dataset import cases
from helpers.images import write_image
from helpers.widgets.menu import PAGE, Menu

NAMES = [f"woman {number:02d}" for number in range(PAGE + 3)]


def picture(name: str) -> np.ndarray:
    if name == "woman 03":
        raise ValueError("woman 03 is torn")
    return np.full((40, 30, 3), 10 * int(name[-2:]), np.uint8)


def test_pages_follow_each_other_in_a_circle() -> None:
    menu = Menu("person", NAMES, picture)
    assert menu.chosen == NAMES[0]
    assert [button.tooltip for button in menu.buttons] == NAMES[:PAGE]
    menu.on.click()
    assert [button.tooltip for button in menu.buttons] == NAMES[PAGE:]
    menu.on.click()
    assert menu.page == 0
    menu.back.click()
    assert menu.page == 1


def test_what_is_pressed_is_chosen_and_stays_so() -> None:
    menu = Menu("person", NAMES, picture, "woman 13")
    assert menu.page == 1, "its page is shown at first"
    menu.turn(0)
    menu.buttons[4].click()
    assert menu.chosen == "woman 04"
    assert [button.button_style for button in menu.buttons].count("success") == 1
    assert "woman 04" in menu.status.value


def test_a_name_is_looked_for() -> None:
    menu = Menu("person", NAMES, picture)
    menu.search.value = "N 1"
    assert [button.tooltip for button in menu.buttons] == NAMES[10:]
    menu.search.value = "nobody"
    assert not menu.buttons
    assert "no name" in menu.status.value


def test_a_torn_picture_is_named_and_the_others_are_there() -> None:
    menu = Menu("person", NAMES[:5], picture)
    assert "woman 03 is torn" in menu._grid.children[3].children[0].value
    assert menu._grid.children[4].children[0].value[:4] == b"\x89PNG"


@pytest.mark.parametrize(("names", "chosen", "told"), [([], "", "nothing to choose"), (["a"], "b", "person must be")])
def test_what_cannot_be_a_menu_is_named(names: list[str], chosen: str, told: str) -> None:
    with pytest.raises(ValueError, match=f"person.*{told}|{told}"):
        Menu("person", names, picture, chosen)


def test_a_folder_is_a_list_of_its_pictures(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg"):
        write_image(tmp_path / name, np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    assert [Path(name).name for name in cases.listed(str(tmp_path), "people")] == ["a.jpg", "b.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="people: no picture"):
        cases.listed(str(tmp_path / "empty"), "people")
    with pytest.raises(ValueError, match="people must be a list"):
        cases.listed("a man in jeans", "people")


def test_public_parameters_go_to_the_engine_that_takes_them() -> None:
    public = {"mc_resolution": 64}
    assert cases.taken("reconstruct", "relief", public, {"faces": 4000}) == {"faces": 4000}
    with pytest.raises(ValueError, match="mc_resolution must be"):
        cases.taken("reconstruct", "relief", {"mc_resolution": 0}, {})

"""02_segment with Segment Anything in JupyterLab: one click, three answers under the picture, and the hand chooses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from page_steps import Hand, plain, tinted, wait_until
from servers import Server
from test_lab import run_all

from helpers import images
from helpers.labels import UPPER, select
from helpers.segmentation.clicks import default_points
from helpers.testing import figure, segmentation

pytestmark = pytest.mark.timeout(300)

BUTTONS = ".atelier-choices button"


@pytest.fixture
def person(lab: Server) -> Any:
    person = figure(*segmentation.PEOPLE[0])
    images.write_image(lab.root / "mannequin.png", person.image)
    return person


def with_small_weights(lab: Server, name: str, folder: Path) -> None:
    """The notebook under ``name``, its kernel pointed at small weights before anything else."""
    path = lab.notebook(name, engine="sam:vit_b", person=str(lab.root / "mannequin.png"))
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(f'import os\n\nos.environ["ATELIER_WEIGHTS"] = {str(folder)!r}'))
    nbformat.write(notebook, path)


def test_one_of_three_answers_is_chosen(lab: Server, open_page, person, tiny_weights, tmp_path) -> None:
    with_small_weights(lab, "choices", tiny_weights)
    page = open_page(viewport={"width": 1280, "height": 1300})
    run_all(lab, page, "choices")
    folder = lab.outputs / "choices" / "clicks" / "02_segment"
    hand = Hand(page, person.image.shape[1::-1], folder)
    assert not page.locator(BUTTONS).first.is_visible()

    ((x, y, _),) = default_points(person.image.shape[1::-1], select(person.labels, UPPER))
    side = x + 25, y
    ((*leg, _),) = default_points(person.image.shape[1::-1], select(person.labels, ("left-leg",)))
    hand.click((x, y))
    hand.saved([1])
    hand.sees(side, tinted(person.image, side))
    hand.sees(leg, plain(person.image, leg))
    page.locator(BUTTONS).nth(2).wait_for(state="visible")
    assert page.locator(BUTTONS).count() == 3
    assert page.locator(".atelier-choices img").count() == 3

    def marked() -> list[int]:
        return [i for i in range(3) if "mod-success" in page.locator(BUTTONS).nth(i).get_attribute("class")]

    wait_until(lambda: marked() == [0], "the first answer to be marked")

    def chosen() -> dict[str, int]:
        return json.loads((folder / "points.json").read_text()).get("choices", {})

    page.locator(BUTTONS).nth(2).click()
    wait_until(lambda: chosen() == {"garment": 2}, "the third answer on disk")
    hand.sees(leg, tinted(person.image, leg))
    wait_until(lambda: marked() == [2], "the third answer to be marked")
    page.locator(".atelier-choices").scroll_into_view_if_needed()
    page.screenshot(path=str(tmp_path / "choices.png"))

    hand.key("1")
    wait_until(lambda: chosen() == {"garment": 1}, "the second answer on disk")
    hand.sees(leg, plain(person.image, leg))
    hand.key("Control+z")
    wait_until(lambda: chosen() == {"garment": 2}, "undo to bring the third answer back")
    hand.key("0")
    hand.button("done")
    wait_until(lambda: '"done": true' in (folder / "points.json").read_text(), "done on disk")
    assert chosen() == {"garment": 0}
    mask = images.read_mask(folder / "mask.png")
    assert mask[y, x]
    assert not mask[leg[1], leg[0]]
    handed_on = lab.outputs / "choices" / "mask" / "person.png"
    wait_until(lambda: np.array_equal(images.read_mask(handed_on), mask), "done to hand the chosen mask on")
    assert page.complaints == []

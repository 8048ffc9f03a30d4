"""02_segment in JupyterLab: click, background, undo, reload, next garment, done, and the mask is on disk."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from page_steps import CANVAS, OFF, ON, Hand, elsewhere, plain, tinted, wait_until
from servers import SIZE, SKIRT, TOP, WALL, Server

from helpers import images

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def picture(workplace) -> np.ndarray:
    return images.read_image(workplace / "person.png")


def open_notebook(lab: Server, page: Any, name: str) -> None:
    page.goto(f"{lab.url}/lab/tree/{name}.ipynb?token={lab.token}&reset", wait_until="domcontentloaded")
    page.wait_for_selector(".jp-Notebook", timeout=90_000)

    def ready() -> bool:
        sessions = [s for s in lab.api("sessions") if s["path"] == f"{name}.ipynb"]
        return any(s["kernel"]["execution_state"] == "idle" and s["kernel"]["connections"] >= 1 for s in sessions)

    wait_until(ready, "the kernel", 90)


def command(page: Any, name: str) -> None:
    # Not awaited: a page.evaluate that waits for a promise has no time limit.
    page.evaluate(f"() => {{ void window.jupyterapp.commands.execute('{name}'); }}")


def run_all(lab: Server, page: Any, name: str) -> Hand:
    """Open the notebook and run all of it; a hand on its clicker."""
    open_notebook(lab, page, name)
    command(page, "notebook:run-all-cells")
    page.wait_for_selector(CANVAS, timeout=90_000)
    # The last cell has run: the kernel is free for clicks.
    wait_until((lab.outputs / name / "metrics.json").exists, f"the last cell of {name}", 90)
    return lab.hand(page, name)


def test_a_whole_session(lab: Server, open_page, picture) -> None:
    lab.notebook("session")
    page = open_page()
    hand = run_all(lab, page, "session")
    hand.sees(WALL, plain(picture, WALL))

    hand.click(TOP)
    ((x, y, label),) = hand.saved([1])
    assert abs(x - TOP[0]) <= 1
    assert abs(y - TOP[1]) <= 1
    assert label == 1
    hand.sees(elsewhere(TOP), tinted(picture, elsewhere(TOP)))
    hand.sees(TOP, ON)
    assert "1 click" in page.locator(".atelier-status").first.inner_text()

    hand.button("− background")
    hand.click(WALL)
    hand.saved([1, 0])
    hand.sees(WALL, OFF)
    hand.key("x")  # back to the garment
    hand.click(elsewhere(TOP, -30))
    hand.saved([1, 0, 1])
    hand.key("Control+z")
    hand.saved([1, 0])
    hand.button("undo")
    hand.saved([1])
    hand.key("Control+Shift+Z")
    hand.saved([1, 0])

    hand.button("next garment")
    hand.click(SKIRT)
    hand.saved([1], "garment 2")
    hand.sees(elsewhere(SKIRT), tinted(picture, elsewhere(SKIRT), 1))
    hand.sees(elsewhere(TOP), tinted(picture, elsewhere(TOP)))
    hand.button("done")

    folder = lab.outputs / "session"
    wait_until(lambda: '"done": true' in (folder / "clicks" / "02_segment" / "points.json").read_text(), "done on disk")
    mask = images.read_mask(folder / "clicks" / "02_segment" / "mask.png")
    assert mask.shape == (SIZE[1], SIZE[0])
    assert mask[TOP[1], TOP[0]]
    assert mask[SKIRT[1], SKIRT[0]]
    assert not mask[WALL[1], WALL[0]]
    assert 0.1 < mask.mean() < 0.3
    handed_on = json.loads((folder / "mask" / "person.json").read_text())["points"]
    assert [label for _, _, label in handed_on] == [1, 0], "done hands the first garment on"
    assert page.complaints == []


def test_a_reload_brings_everything_back(lab: Server, open_page, picture) -> None:
    lab.notebook("reload")
    page = open_page()
    hand = run_all(lab, page, "reload")
    hand.click(TOP)
    hand.saved([1])
    hand.sees(elsewhere(TOP), tinted(picture, elsewhere(TOP)))
    command(page, "docmanager:save")
    wait_until(lambda: "widget-view+json" in (lab.root / "reload.ipynb").read_text(), "the notebook to be saved")

    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector(CANVAS, timeout=90_000)
    hand.sees(elsewhere(TOP), tinted(picture, elsewhere(TOP)))
    hand.sees(TOP, ON)
    hand.sees(WALL, plain(picture, WALL))

    hand.click(elsewhere(TOP, -30))
    hand.saved([1, 1])
    hand.key("Control+z")
    hand.saved([1])
    hand.key("Control+z")
    hand.saved([])
    hand.sees(elsewhere(TOP), plain(picture, elsewhere(TOP)))

    hand.click(SKIRT)
    hand.saved([1])
    command(page, "notebook:run-all-cells")
    metrics = lab.outputs / "reload" / "metrics.json"
    wait_until(lambda: '"by_hand": true' in metrics.read_text(), "a second run to take the hand's click")
    hand.sees(elsewhere(SKIRT), tinted(picture, elsewhere(SKIRT)))
    ((x, y, _),) = hand.saved([1])
    mask = images.read_mask(lab.outputs / "reload" / "mask" / "person.png")
    assert mask[y, x]
    assert not mask[TOP[1], TOP[0]]
    assert page.complaints == []


def test_high_density_and_a_low_window(lab: Server, open_page, picture) -> None:
    lab.notebook("dense")
    page = open_page(device_scale_factor=2, viewport={"width": 900, "height": 560})
    hand = run_all(lab, page, "dense")
    box = page.locator(CANVAS).bounding_box()
    assert box["height"] < 560
    assert box["width"] / box["height"] == pytest.approx(SIZE[0] / SIZE[1], abs=0.01)
    hand.click(SKIRT)
    ((x, y, _),) = hand.saved([1])
    assert abs(x - SKIRT[0]) <= 1
    assert abs(y - SKIRT[1]) <= 1
    hand.sees(elsewhere(SKIRT), tinted(picture, elsewhere(SKIRT)))
    assert page.complaints == []


def test_typed_points_are_there_before_any_click(lab: Server, open_page, picture) -> None:
    lab.notebook("typed", points=[[*TOP, 1]])
    page = open_page()
    hand = run_all(lab, page, "typed")
    hand.sees(elsewhere(TOP), tinted(picture, elsewhere(TOP)))
    assert images.read_mask(lab.outputs / "typed" / "mask" / "person.png")[TOP[1], TOP[0]]
    assert page.complaints == []

"""What is worn now, with nobody at the mouse: found on a drawn figure by its labels, on a photograph by looking at it."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from helpers import Person, cut_out, generate, product, runs, try_on, weights
from helpers.segmentation import default_points, iou
from helpers.widgets.asking import ask_worn, worn_mask


@cache
def drawn() -> Person:
    return generate("a woman in a red t-shirt and blue jeans", seed=6, size=(384, 512))


@pytest.mark.parametrize("verb", ["try on", "cut out"])
def test_a_damaged_network_is_named_and_not_taken_for_nobody(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "weights" / "mediapipe"
    folder.mkdir(parents=True)
    for record in weights.records("mediapipe"):
        (folder / Path(record.path).name).write_bytes(weights.require(record.name).read_bytes()[:-9])
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("ATELIER_OTHER_WEIGHTS", raising=False)
    monkeypatch.setattr("helpers.records.Engine.here", lambda engine: "")
    photograph, garment = Person(drawn().image), product("a red t-shirt", size=(192, 256))
    ask = (
        partial(cut_out, photograph) if verb == "cut out" else partial(try_on, photograph, garment, mask=drawn().worn("upper"))
    )
    with pytest.raises(weights.Damaged, match=r"\.tflite"):
        ask()


@pytest.fixture
def run(tmp_path: Path) -> runs.Run:
    return runs.start("03_try_on", {"run": "test", "seed": 0, "outputs": str(tmp_path)})


@pytest.mark.parametrize("wearer", ["figure", "photograph"])
def test_it_is_found_without_a_click(run: runs.Run, wearer: str) -> None:
    person = drawn() if wearer == "figure" else Person(drawn().image)
    mask = worn_mask(ask_worn(person, "upper", "superpixel", [], run))
    assert iou(mask, drawn().worn("upper")) > 0.85


def test_clicks_and_what_was_left_come_first(run: runs.Run) -> None:
    person, left = Person(drawn().image), np.zeros((512, 384), bool)
    left[200:220, 190:210] = True
    assert (worn_mask(ask_worn(person, "upper", "superpixel", [], run, left=left)) == left).all()
    typed = [list(point) for point in default_points((384, 512), drawn().worn("lower"))]
    below = worn_mask(ask_worn(person, "upper", "superpixel", typed, run))
    assert iou(below, drawn().worn("lower")) > iou(below, drawn().worn("upper"))


def test_where_nobody_is_seen_it_says_how_to_click(run: runs.Run, capsys: pytest.CaptureFixture[str]) -> None:
    clicker = ask_worn(Person(np.full((300, 200, 3), 210, np.uint8)), "upper", "superpixel", [], run)
    assert "no person was found" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"points: the mask is empty.*x 0\.\.199 and y 0\.\.299"):
        worn_mask(clicker)

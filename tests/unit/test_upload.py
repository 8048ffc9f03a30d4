"""The button that takes a picture of one's own: as both versions of ipywidgets hand it over, and with files that are none."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers import runs
from helpers.images import read_image
from helpers.widgets.upload import Upload


@pytest.fixture
def run(tmp_path: Path) -> runs.Run:
    return runs.start("05_own_photograph", {"run": "test", "seed": 0, "outputs": str(tmp_path)})


def picture(level: int = 90, kind: str = "png") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((128, 96, 3), level, np.uint8)).save(buffer, format=kind)
    return buffer.getvalue()


def came(upload: Upload, value: Any) -> None:
    """As if the page had sent ``value``."""
    upload._on_value({"new": value})


SEVEN = {"me.png": {"metadata": {"name": "me.png"}, "content": picture(91)}}
EIGHT = ({"name": "me.png", "type": "image/png", "size": 1, "content": memoryview(picture(92))},)


@pytest.mark.parametrize(("value", "level"), [(SEVEN, 91), (EIGHT, 92)], ids=["ipywidgets 7", "ipywidgets 8"])
def test_what_was_chosen_is_kept_in_the_run(run: runs.Run, value: Any, level: int) -> None:
    upload = Upload("person", run, "given.jpg")
    came(upload, value)
    assert Path(upload.path).is_relative_to(run.folder)
    assert (read_image(upload.path) == level).all()
    assert "96x128" in upload.status.value
    assert upload.image.layout.display == "block"
    assert [path.name for path in run.path("uploads").iterdir()] == ["person.upload"]


def test_before_anything_comes_what_was_given_stands(run: runs.Run) -> None:
    assert Upload("person", run, "given.jpg").path == "given.jpg"
    assert Upload("person", run).path == ""
    assert not run.folder.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("me.txt", b"not a picture", "not a picture"),
        ("me.png", b"", "is empty"),
        ("../../me.png", picture()[:60], "damaged or cut short"),
        ("<b>.png", b"%!PS-Adobe-3.0 EPSF", "PostScript"),
    ],
    ids=["a text", "nothing", "cut", "a program"],
)
def test_what_is_no_picture_is_named_and_the_last_one_stays(run: runs.Run, name: str, content: bytes, said: str) -> None:
    upload = Upload("person", run)
    came(upload, EIGHT)
    before = upload.path
    came(upload, ({"name": name, "content": content},))
    assert upload.path == before
    assert (read_image(before) == 92).all()
    assert said in upload.status.value
    assert "<b>" not in upload.status.value
    assert [path.name for path in run.path("uploads").iterdir()] == ["person.upload"]


def test_a_file_too_large_is_not_written(run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.widgets.upload._LARGEST", 10)
    upload = Upload("person", run)
    came(upload, EIGHT)
    assert "at most" in upload.status.value
    assert upload.path == ""


def test_an_emptied_button_changes_nothing(run: runs.Run) -> None:
    upload = Upload("person", run, "given.jpg")
    came(upload, ())
    came(upload, {})
    assert upload.path == "given.jpg"

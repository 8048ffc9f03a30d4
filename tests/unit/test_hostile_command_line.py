"""What can be typed after ``python -m helpers run``: refused before anything is made or overwritten, in one line.

Where a notebook is run, a stand-in does it: nothing here starts a kernel.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers import cli, headless

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def _write_notebook(path: Path, *cells: str) -> Path:
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    notebook.cells[0].metadata["tags"] = ["parameters"]
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a notebook, links to one of the suite's, and what is no notebook; runs go to ``out``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATELIER_OUTPUTS", str(tmp_path / "out"))
    monkeypatch.setattr(headless, "execute", lambda *_: pytest.fail("a notebook was begun"))
    own = _write_notebook(tmp_path / "own.ipynb", "seed: int = 0  # of all\nwhat = 3\nword: str = 'a b'", "1")
    for again in ("again.failed.ipynb", "out/own/executed/own.ipynb"):
        (tmp_path / again).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(own, tmp_path / again)
    (tmp_path / "soft.ipynb").symlink_to(NOTEBOOKS / "03_try_on.ipynb")
    os.link(own, tmp_path / "hard.ipynb")
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "dangling.ipynb").symlink_to(tmp_path / "nowhere" / "x.ipynb")
    for name, content in {
        "cut": b'{"cells": [',
        "list": b"[]",
        "empty": b"",
        "bytes": bytes(range(256)),
        "text": b"hello",
        "null": b"null",
        "cells": b'{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
        "old": b'{"nbformat": 99}',
        "deep": b"[" * 100_000,
    }.items():
        (tmp_path / f"{name}.ipynb").write_bytes(content)
    return tmp_path


def _state(folder: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else path.lstat().st_mode
        for path in sorted(folder.rglob("*"))
    }


RUNS = [
    "../escape",
    "/abs",
    "a/b",
    "a\\b",
    "",
    ".",
    "..",
    "CON",
    "nul.txt",
    "a.",
    " a",
    "a b",
    "é",
    "a\nb",
    "x" * 65,
    "~",
    "a:b",
    "$HOME",
]
OUTPUTS = ["/dev/null", "own.ipynb", "/dev/null/x", " ", "~no-such-user/x", "own.ipynb/x"]
TARGETS = [
    "",
    " ",
    ".",
    "..",
    "folder.ipynb",
    "own.ipynb",
    "hard.ipynb",
    "soft.ipynb",
    "./own.ipynb",
    "pipe.ipynb",
    "/dev/null",
    "x.txt",
    "picture.jpg",
    "noending",
    "own.ipynb/x.ipynb",
    "/dev/null/x.ipynb",
    "y" * 300 + ".ipynb",
    str(NOTEBOOKS / "00_setup.ipynb"),
    str(NOTEBOOKS / ".." / "notebooks" / "04_full_demo.ipynb"),
]
NO_NOTEBOOKS = [
    "",
    " ",
    "77",
    "**",
    "[",
    "?",
    "/abs/x",
    "../x",
    "0",
    "0*",
    "03_",
    "03_tryon",
    "folder.ipynb",
    "pipe.ipynb",
    "dangling.ipynb",
    "cut.ipynb",
    "list.ipynb",
    "empty.ipynb",
    "bytes.ipynb",
    "text.ipynb",
    "null.ipynb",
    "cells.ipynb",
    "old.ipynb",
    "deep.ipynb",
    "a\nb",
    "caf\udce9",
    "{x}",
    "/dev/null",
    "~no-such-user/x",
    "x" * 5000,
    "03\0",
]

REFUSED: list[tuple[list[str], str]] = [
    *((["03", "-p", "run", name], "error: run must") for name in RUNS),
    *((["03", "-p", "outputs", name], "error: outputs") for name in OUTPUTS),
    *((["own.ipynb", "-o", name], "error: -o") for name in TARGETS),
    (["again.failed.ipynb", "-o", "again.ipynb"], "again.failed.ipynb itself"),  # which goes when all is well
    (["out/own/executed/own.ipynb"], "own.ipynb itself"),
    *(([name], "error: ") for name in NO_NOTEBOOKS),
    *(([name, "--list"], "error: ") for name in ("cut.ipynb", "pipe.ipynb", "77", "folder.ipynb")),
    *(
        (["03", "-p", name, "3"], f"has no parameter {name!r}")
        for name in ("", "sede", "class", "__name__", "__builtins__", "Seed", "seed ", "In", "os")
    ),
    (["03", "-p", "sede", "3"], "did you mean 'seed'?"),
    (["03", "-p", "seed", "1", "-p", "seed", "2"], "seed is given twice"),
    (["03", "-p", "seed", "x"], "seed must be a whole number, not 'x'"),
    (["03", "-p", "seed", "9" * 5000], "seed must be a whole number"),
    (["03", "-p", "seed", ""], "seed must be a whole number, not ''"),
    (["03", "-p", "points", "[["], "points must be a list"),
    (["03", "-p", "auto_mask", "2"], "auto_mask must be true or false"),
    (["03", "-p", "settings", "[]"], "settings must be names and values"),
    (["03", "-p", "person", "caf\udce9.jpg"], "person holds bytes that are no text"),
]


@pytest.mark.parametrize(("typed", "words"), REFUSED, ids=lambda value: ascii(value)[:60])
def test_what_is_refused_is_said_in_one_line_and_leaves_everything_as_it_was(
    typed: list[str], words: str, place: Path, capsys: pytest.CaptureFixture
) -> None:
    before = _state(place)
    assert cli.main(["run", *typed]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert len(said.err) < 700
    assert not said.out
    assert _state(place) == before


@pytest.mark.parametrize(
    "name",
    ["new.ipynb", "made/deep/new.ipynb", "with space #1 50%.ipynb", "{x}.ipynb", "日本.ipynb", "-dash.ipynb", "a'b\".ipynb"],
)
def test_a_run_writes_where_it_is_told(name: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(
        headless, "execute", lambda _, output, values: headless.Ended(output.write_text(str(values), encoding="utf-8") and "")
    )
    assert cli.main(["run", "own.ipynb", "-p", "seed", "3", f"-o={name}"]) == 0
    assert (place / name.removeprefix("=")).read_text(encoding="utf-8") == "{'seed': 3}"
    assert name in capsys.readouterr().out


def test_a_run_that_fails_keeps_the_last_one_that_went_through(place: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def fails(_: Path, output: Path, __: dict) -> headless.Ended:
        output.write_text("to here", encoding="utf-8")
        return headless.Ended("cell 3: ValueError: no")

    (place / "done.ipynb").write_text("whole", encoding="utf-8")
    monkeypatch.setattr(headless, "execute", fails)
    assert cli.main(["run", "own.ipynb", "-o", "done.ipynb"]) == 1
    assert (place / "done.ipynb").read_text(encoding="utf-8") == "whole"
    assert (place / "done.failed.ipynb").read_text(encoding="utf-8") == "to here"
    assert "done.failed.ipynb" in capsys.readouterr().err
    monkeypatch.setattr(headless, "execute", lambda _, output, __: headless.Ended(output.write_text("new") and ""))
    assert cli.main(["run", "own.ipynb", "-o", "done.ipynb"]) == 0
    assert (place / "done.ipynb").read_text(encoding="utf-8") == "new"
    assert not (place / "done.failed.ipynb").exists()


def test_a_run_that_its_first_cell_refuses_leaves_no_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_: Path, output: Path, __: dict) -> headless.Ended:
        output.write_text("to here", encoding="utf-8")
        return headless.Ended("cell 3: ValueError: category must be ...", True)

    before = _state(place)
    monkeypatch.setattr(headless, "execute", refuses)
    assert cli.main(["run", "03"]) == 1
    assert _state(place) == before


@pytest.mark.parametrize(
    "command", [["run", "own.ipynb"], ["engines"], ["weights", "list"], ["weights", "verify"]], ids=" ".join
)
@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (OSError(28, "No space left on device", "/a/b"), 2, "error: /a/b: No space left on device."),
        (ValueError("a\nb."), 2, "error: a b."),
        (RuntimeError("no answer"), 2, "error: no answer."),
        (MemoryError(), 2, "error: MemoryError."),
        (UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "bad"), 2, "error: 'utf-8' codec"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_command_ends_with_one_line(
    command: list[str], error: BaseException, code: int, said: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def ends(*_: Any) -> None:
        raise error

    before = _state(place)
    monkeypatch.setattr(headless, "execute", ends)
    for name in ("_list_engines", "_list_weights", "_verify_weights"):
        monkeypatch.setattr(cli, name, ends)
    assert cli.main(command) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said)
    assert _state(place) == before


def test_a_notebook_without_parameters_runs_and_lists_none(place: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), place / "bare.ipynb")
    assert cli.main(["run", "bare.ipynb", "--list"]) == 0
    assert cli.main(["run", "bare.ipynb", "-p", "seed", "3"]) == 2
    assert "bare.ipynb has no parameter 'seed'; it has none" in capsys.readouterr().err

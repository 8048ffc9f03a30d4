"""Text of the world in figures, tables, panels and on consoles: shown as it is written, and never a warning or the end of a program."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers import Person, cli, runs, show
from helpers.checks import shown

ROOT = Path(__file__).resolve().parents[2]
PICTURE = np.random.default_rng(0).integers(0, 256, (16, 14, 3), np.uint8)

WORLD = [
    "costs $5 and $6",
    "$\\frac",
    "a_b^c $x",
    "\\alpha {0} %s",
    "日本語の服",
    "قميص أحمر",
    "लाल कमीज",
    "ภาษาไทย",
    "한국어",
    "👗🔥",
    "é\u0301\u0327",
    "a\nb\tc\r",
    "a\0b",
    "\x1b[31mred\x1b[0m",
    "\x07\x08\x7f\x9b",
    "\ud800half",
    "caf\udce9.jpg",
    "\u202egnp.exe\u2066",
    "a\u200b\u00adb",
    "\u2028line\u2029",
    "\ue000\U0010ffff\ufffe",
    "x" * 5000,
    "word " * 2000,
    "",
    " \t ",
    "_hidden",
    "<script>alert(1)</script>",
    "&amp; \"quoted\" 'too'",
    "C:\\new\\table",
    "-rf #1 50% a?b*",
]


def _short(text: str) -> str:
    return ascii(text)[:30]


@pytest.fixture(autouse=True)
def _no_warnings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(show.Picture, "DPI", 40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("text", WORLD, ids=_short)
def test_a_figure_shows_any_title_and_caption(text: str) -> None:
    figure = show.grid([(text, PICTURE)], height=0.4, title=text, captions=[text])
    assert figure.png().startswith(b"\x89PNG")
    assert max(figure.get_size_inches()) < 20
    shown_texts = [each for each in figure.findobj(lambda artist: hasattr(artist, "get_parse_math")) if each.get_text()]
    assert not any(each.get_parse_math() for each in shown_texts)


@pytest.mark.parametrize("text", WORLD, ids=_short)
def test_lines_show_any_name_and_axis(text: str) -> None:
    figure = show.curves({text: [0.1, 0.9], "other": [0.2, 0.3]}, x=text, y=text)
    assert figure.png().startswith(b"\x89PNG")
    assert len(figure.axes[0].get_legend().get_texts()) == 2


@pytest.mark.parametrize("text", WORLD, ids=_short)
def test_a_table_holds_any_text_in_one_line_that_every_page_and_console_takes(text: str) -> None:
    table = show.table([{text or "empty": text, "next": 1}])
    page = table._repr_html_()
    assert "<script" not in page
    assert "\0" not in page
    page.encode("utf-8")
    assert len(repr(table).splitlines()) == 2
    repr(table).encode("utf-8")


def test_figures_look_the_same_whatever_the_user_set_for_their_own() -> None:
    import matplotlib

    before = show.grid([("$5 and $6", PICTURE)], height=0.4).png()
    with matplotlib.rc_context({"text.usetex": True, "text.parse_math": True, "font.family": "serif"}):
        assert show.grid([("$5 and $6", PICTURE)], height=0.4).png() == before
        assert matplotlib.rcParams["text.usetex"]


@pytest.mark.parametrize("text", WORLD, ids=_short)
def test_a_panel_says_any_text(text: str) -> None:
    from helpers.widgets.panel import Panel

    panel = Panel()
    panel.say(text)
    assert "<script" not in panel.status.value
    panel.status.value.encode("utf-8")
    panel._run(lambda: (_ for _ in ()).throw(ValueError(text)))
    assert "<script" not in panel.status.value
    panel.status.value.encode("utf-8")


def test_a_words_panel_keeps_a_seed_of_any_size() -> None:
    from helpers.widgets.words import WordsPanel

    drawn = []
    person = Person(np.zeros((96, 72, 3), np.uint8))
    panel = WordsPanel(lambda text, seed: drawn.append(seed) or person, prompt="a $5 dress <b>", seed=2**63 - 1, person=person)
    panel.button.click()
    assert drawn == [2**63 - 1]


@pytest.mark.parametrize("text", [t for t in WORLD if "\ud800" not in t and "\udce9" not in t], ids=_short)
def test_metrics_hold_any_text_as_json_that_every_reader_takes(text: str, tmp_path: Path) -> None:
    run = runs.start("99", {"run": "a", "seed": 1, "outputs": str(tmp_path), "words": text})
    run.finish(said=text)
    written = (run.folder / "metrics.json").read_bytes().decode("utf-8")
    found = json.loads(written, parse_constant=lambda name: pytest.fail(name))["99"]
    assert found["metrics"]["said"] == found["parameters"]["words"] == text


CONSOLES = ["ascii", "cp932", "cp437", "cp1252", "latin-1", "koi8-r", "gbk", "utf-8", "cp037"]


@pytest.mark.parametrize("encoding", CONSOLES)
@pytest.mark.parametrize(
    "command", [["engines"], ["run", "03", "--list"], ["run", "日本語·→"]], ids=lambda c: ascii(c[-1])[:12]
)
def test_every_console_can_be_spoken_to(encoding: str, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert cli.main(command) == (2 if command[-1].startswith("日") else 0)
    sys.stdout.flush()
    sys.stderr.flush()
    said = (out.buffer.getvalue() + err.buffer.getvalue()).decode(encoding)
    assert "?" * 3 not in said
    assert len(said) > 60
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "text", ["· → … ×", "日本", "\ud800", "caf\udce9", "👗", "\u202e", "“quoted”", "≥ — –"], ids=lambda text: ascii(text)
)
def test_letters_that_a_console_lacks_stand_as_plainer_ones(text: str) -> None:
    cli._speak_anywhere()
    said = text.encode("ascii", "plainer").decode("ascii")
    assert said.isprintable()
    assert text.encode("utf-8", "plainer").decode("utf-8")


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}, {"LC_ALL": "tr_TR.UTF-8"}], ids=str
)
def test_the_command_speaks_in_any_locale(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "engines"],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_the_command_lasts_longer_than_who_reads_it_and_speaks_to_nobody() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "engines"], stdout=write, stderr=subprocess.PIPE, check=False, cwd=ROOT
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
    closed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sys; os.close(1); os.close(0); os.execv(sys.executable, [sys.executable, '-m', 'helpers', 'engines'])",
        ],
        stderr=subprocess.PIPE,
        check=False,
        cwd=ROOT,
    )
    assert (closed.returncode, closed.stderr) == (0, b"")


def test_text_files_are_read_and_written_in_one_encoding_on_every_system() -> None:
    """``open`` in text mode, ``read_text`` and ``write_text`` take the system's encoding unless they are told."""
    faults = []
    for path in sorted((ROOT / "helpers").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func).rpartition(".")
            told = any(keyword.arg == "encoding" for keyword in node.keywords)
            modes = [
                a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str) and len(a.value) < 4
            ]
            whole = called[2] in ("read_text", "write_text") and called[0] not in ("", "files", "images")
            opened = called[2] in ("open", "fdopen") and modes and not any("b" in mode for mode in modes)
            if (whole or opened) and not told:
                faults.append(f"{path.name}:{node.lineno}")
    assert not faults


@pytest.mark.parametrize("text", WORLD, ids=_short)
def test_a_message_shows_any_text_in_one_line(text: str) -> None:
    assert len(shown(text).splitlines()) <= 1
    shown(text).encode("utf-8")

"""The suite on true notebooks in true kernels: a broken engine, another seed and a lost metric are seen; kernels die and hang."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil
from suite_world import write_notebook

from helpers.suite import expectations, plan, report
from helpers.suite.processes import Processes
from helpers.suite.running import Suite

DRAW = """
from helpers import generate, images, runs
run = runs.start("figure", globals())
person = generate("a woman in a red t-shirt and blue jeans", engine="mannequin", seed=run.parameters["seed"], size=(96, 128))
images.write_image(run.path("image", "person.png"), person.image)
section = run.finish(share=float((person.labels > 0).mean()), engine="mannequin")
"""
BREAK = """
from dataclasses import replace
import helpers.mannequin.engine as broken
draw = broken.Mannequin.__call__
broken.Mannequin.__call__ = lambda self, *words, **given: replace(p := draw(self, *words, **given), image=p.image[::-1].copy())
"""


def ran(file: Path, out: Path) -> tuple[Suite, Mapping[str, dict]]:
    suite = Suite(plan.read(file), out, say=lambda line: None)
    suite.run(Processes(2))
    return suite, {row["id"]: row for row in json.loads((out / "report.json").read_text())["runs"]}


def test_a_broken_engine_another_seed_and_a_lost_metric_turn_the_report_red(tmp_path: Path) -> None:
    write_notebook(tmp_path / "figure.ipynb", DRAW)
    write_notebook(tmp_path / "lost.ipynb", DRAW.replace("share=float((person.labels > 0).mean()), ", ""))
    write_notebook(tmp_path / "broken.ipynb", BREAK, DRAW)
    file = tmp_path / "runs.toml"
    file.write_text(
        '[[run]]\nid = "figure"\nnotebook = "figure.ipynb"\nparameters = { seed = 1 }\npictures = ["image/person.png"]\n'
    )
    suite, rows = ran(file, tmp_path / "first")
    assert "no expected picture" in rows["figure"]["why"][0]
    assert expectations.update(suite)
    good = file.read_text().replace("[run.expect]", '[run.expect]\nengine = "mannequin"')
    file.write_text(good)
    assert report.state_of(replace(suite, plan=plan.read(file)), plan.read(file).cases[0]).status == "passed"
    assert "person.png" in (tmp_path / "first/runs/figure/notebook.html").read_text()
    changed = {
        "other-seed": ("seed = 1", "seed = 8"),
        "lost": ("figure.ipynb", "lost.ipynb"),
        "broken": ("figure.ipynb", "broken.ipynb"),
    }
    file.write_text("\n".join(good.replace('"figure"', f'"{name}"').replace(*change) for name, change in changed.items()))
    for name in changed:
        (tmp_path / "expected" / name).symlink_to(tmp_path / "expected/figure")
    _, rows = ran(file, tmp_path / "second")
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(changed, "failed")
    moved = {name: [difference["name"] for difference in row["differences"]] for name, row in rows.items()}
    assert moved["lost"] == ["share"]
    assert moved["broken"] == ["image/person.png"]
    assert "image/person.png" in moved["other-seed"]
    assert rows["lost"]["why"][0].endswith("got missing")


def test_a_kernel_that_dies_or_hangs_is_named_and_gone(tmp_path: Path) -> None:
    write_notebook(tmp_path / "dies.ipynb", "import os", "os.kill(os.getpid(), 9)")
    write_notebook(
        tmp_path / "hangs.ipynb",
        f"open({str(tmp_path / 'kernel')!r}, 'w').write(str(__import__('os').getpid()))\nwhile True: pass",
    )
    write_notebook(tmp_path / "errs.ipynb", "raise ValueError('prompt: <b>no</b>')")
    lines = [f'[[run]]\nid = "{name}"\nnotebook = "{name}.ipynb"\ntimeout = 40' for name in ("dies", "hangs", "errs")]
    lines[1] = lines[1].replace("40", "12")
    (tmp_path / "runs.toml").write_text("\n".join(lines))
    _, rows = ran(tmp_path / "runs.toml", tmp_path / "out")
    assert "its kernel died" in rows["dies"]["why"][0]
    assert "ran longer than its 12 seconds" in rows["hangs"]["why"][0]
    assert rows["errs"]["why"] == ["cell 2: ValueError: prompt: <b>no</b>"]
    assert {row["starts"] for row in rows.values()} == {1}, "only what could not start is tried again"
    assert not psutil.pid_exists(int((tmp_path / "kernel").read_text()))
    page = (tmp_path / "out/report.html").read_text()
    assert "<b>no</b>" not in page
    assert "&lt;b&gt;no" in page

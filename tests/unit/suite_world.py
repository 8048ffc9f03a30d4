"""Small suites for tests: notebooks of a line, and a worker that does what its parameter says without a kernel."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

FAKE = """
import json, os, sys, time
folder = sys.argv[1]
asked = json.load(open(os.path.join(folder, "asked.json")))
act = asked["parameters"].get("act", "")
open(os.path.join(folder, "begun"), "a").write("x")
print("fake worker:", act)
if act == "hang":
    time.sleep(600)
if act == "fill":
    with open(os.path.join(folder, "large"), "wb") as file:
        file.write(bytes(4_000_000))
    time.sleep(600)
if act == "crash":
    sys.exit("the roof fell in")
time.sleep(0.05)
begun = os.path.getsize(os.path.join(folder, "begun"))
told = {"ended": "done", "why": "", "metrics": {"share": 0.25, "notes": ["a"], "seconds": {"draw": time.time()}}}
if act == "error":
    told |= {"ended": "failed", "why": "cell 3: ValueError: prompt: no", "metrics": {}}
if act == "no kernel" or (act == "late kernel" and begun == 1):
    told |= {"ended": "not started", "why": "its kernel did not start", "metrics": {}}
if act == "chance":
    told["metrics"]["share"] = time.time()
open(os.path.join(folder, "executed.ipynb"), "w").write("{}")
part = os.path.join(folder, "told.part")
json.dump(told, open(part, "w"))
os.replace(part, os.path.join(folder, "told.json"))
"""


def write_fake(folder: Path) -> list[str]:
    """The command of a worker that needs no kernel, for ``job.WORKER``."""
    file = folder / "fake_worker.py"
    file.write_text(FAKE, encoding="utf-8")
    return [sys.executable, "-I", "-S", str(file)]


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook with a parameter ``act`` beside those that every run has, and these ``cells``."""
    parameters = nbformat.v4.new_code_cell(
        'act: str = ""  # what it does\nseed: int = 0  # of everything\nrun: str = "r"  # its folder\noutputs: str = ""  # where'
    )
    parameters["metadata"]["tags"] = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=[parameters, *map(nbformat.v4.new_code_cell, cells)])
    notebook["metadata"]["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


def write_runs(folder: Path, **acts: str) -> Path:
    """``runs.toml`` with one run an act, by id, of a notebook that does nothing of itself."""
    if not (folder / "small.ipynb").exists():
        write_notebook(folder / "small.ipynb", "1")
    lines = ["[defaults]", "timeout = 30", ""]
    for name, act in acts.items():
        lines += [
            "[[run]]",
            f'id = "{name.replace("_", "-")}"',
            'notebook = "small.ipynb"',
            f'parameters = {{ act = "{act}" }}',
            "",
        ]
    file = folder / "runs.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file

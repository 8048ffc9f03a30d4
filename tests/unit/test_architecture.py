"""How the house is built: imports go one way, stages do not know each other, and what the pages say of the files is so."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import helpers

ROOT = Path(__file__).resolve().parents[2]
STAGES = {"annotation", "extraction", "generation", "mannequin", "reconstruction", "segmentation", "tryon"}
FLOORS: tuple[set[str], ...] = (
    {"checks", "labels", "machine", "propriety", "notes", "srgb", "stepping"},
    {"faces", "files", "graph", "parameters", "pixels", "reading", "superpixels"},
    {"images", "joints", "saving"},
    {"contract", "devices", "garment", "matting", "person", "weights"},
    {"records"},
    {"engines", "show"},
    {"provenance"},
    STAGES,
    {"helpers"},  # the verbs
    {"dataset", "headless", "inventory", "runs", "testing"},
    {"app", "suite", "training"},
    {"data_commands"},
    {"cli", "widgets"},
    {"__main__"},
)
"""Files and folders of ``helpers``, lowest first: each imports what lies below it, and within its own folder."""
SEAMS = {
    ("helpers.generation.compose", "helpers.mannequin"): "the words are read the same, whoever draws them",
    ("helpers.generation.realvisxl", "helpers.mannequin"): "an edited outfit is drawn too",
    ("helpers.generation.drawing", "helpers.mannequin"): "01 shows how the words are understood",
    ("helpers.generation.drawing", "helpers"): "01 draws several pictures, each with the verb",
    (
        "helpers.tryon.fashn.engine",
        "helpers.annotation.dwpose",
    ): "the network knows people by that annotator's whole-body skeletons alone",
    ("helpers.reconstruction.true_mesh", "helpers.mannequin"): "the mannequin's own surfaces are its true figure",
    ("helpers.reconstruction.relief.model", "helpers.mannequin"): "the body that is fitted is the mannequin's",
    ("helpers.reconstruction.relief.fitting", "helpers.mannequin"): "the body that is fitted is the mannequin's",
    ("helpers.reconstruction.relief.solid", "helpers.mannequin"): "the body that is dressed is the mannequin's",
    ("helpers.reconstruction.relief.layers", "helpers.mannequin"): "the parts of the body are the mannequin's",
    ("helpers.reconstruction.relief.charts", "helpers.mannequin"): "meshes are reckoned with as the mannequin's",
    ("helpers.reconstruction.relief.texture", "helpers.mannequin"): "meshes are reckoned with as the mannequin's",
    ("helpers.reconstruction.relief.engine", "helpers.mannequin"): "meshes are reckoned with as the mannequin's",
    ("helpers.reconstruction.views", "helpers.mannequin"): "figures are photographed in the mannequin's studio",
    ("helpers.tryon.modelled", "helpers"): "whether somebody wears a garment in its picture is asked of the verb annotate",
    ("helpers.tryon.sitting", "helpers"): "what a network needs to know of a photograph is asked of the verb annotate",
}
"""What else a module may import, and why."""
LONGEST = 510  # lines


def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / "helpers").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()
PACKAGES = sorted(name for name, path in MODULES.items() if path.name == "__init__.py" and name != "helpers")


def _imports(path: Path) -> Iterator[str]:
    """Every module that the file imports, at its top, in a function or for types; names of ours down to their file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name}, line {node.lineno}: imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)


def _ours(name: str) -> set[str]:
    return {other for other in _imports(MODULES[name]) if other.split(".")[0] == "helpers" and other != name}


def _room(name: str) -> str:
    """``person`` for ``helpers.person``, ``tryon`` for ``helpers.tryon.drape.warp``, ``helpers`` for itself."""
    return [*name.split("."), name][1]


def _floor(name: str) -> int:
    floors = [number for number, rooms in enumerate(FLOORS) if _room(name) in rooms]
    assert floors, f"{name} stands on no floor: give helpers/{_room(name)} its place in FLOORS"
    return floors[0]


def _types_only(name: str) -> set[str]:
    """What the module imports for its annotations alone, which nothing waits for when it runs."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for inner in (i for part in node.body for i in ast.walk(part) if isinstance(i, ast.ImportFrom)):
                found |= {f"{inner.module}.{a.name}" for a in inner.names} | {str(inner.module)}
    return found


def _through(name: str, other: str) -> bool:
    """Whether a seam lets ``name`` import ``other``."""
    return any(
        name == source and (other == target or (other.startswith(f"{target}.") and "." in target)) for source, target in SEAMS
    )


def test_imports_go_down() -> None:
    faults = [
        f"{name} imports {other}"
        for name in MODULES
        for other in sorted(_ours(name) - _types_only(name))
        if _room(other) != _room(name) and _floor(other) >= _floor(name) and not _through(name, other)
    ]
    assert not faults


def test_every_seam_is_used() -> None:
    assert not [seam for seam in SEAMS if not any(other.startswith(seam[1]) for other in _ours(seam[0]))]


def test_no_import_comes_back() -> None:
    try:
        TopologicalSorter({name: _ours(name) for name in MODULES}).prepare()
    except CycleError as error:
        pytest.fail("these import each other: " + " -> ".join(reversed(error.args[1])))


ACTS = {
    r"\btorch\.load\(": {"helpers.weights.checkpoints"},
    r"\bimport pickle\b|\bfrom pickle\b|\bpickle\.": {"helpers.testing.annotation"},
    r"\b(?:marshal|shelve|dill|joblib|cloudpickle)\b|yaml\.(?:unsafe_)?load\(": set(),
    r"weights_only=False|trust_remote_code=True|allow_pickle=True": set(),
    r"\bnp\.load\(|\bnumpy\.load\(|\beval\(|\bexec\(|\bos\.system\(|shell=True": {
        "helpers.annotation.derived",
        "helpers.extraction.small_unet",
    },
}
"""Calls through which a file could act, and who may make them: torch's after a survey, pickle to write a file for tests, NumPy's for the
suite's own arrays."""


@pytest.mark.parametrize("call", ACTS)
def test_no_file_can_act(call: str) -> None:
    found = set()
    for name, path in MODULES.items():
        code = ast.unparse(ast.parse(path.read_text(encoding="utf-8")))  # without comments
        texts = re.compile(r'"""(?:.|\n)*?"""')
        if re.search(call, re.sub(r"\.eval\(", ".evaluated(", texts.sub("", code))):
            found.add(name)
    assert found == ACTS[call]


def test_only_widgets_knows_ipywidgets() -> None:
    users = {
        _room(name) for name, path in MODULES.items() if {"ipywidgets", "ipycanvas"} & {i.split(".")[0] for i in _imports(path)}
    }
    assert users == {"widgets"}


def test_what_every_notebook_opens_with_loads_nothing_heavy() -> None:
    heavy = [
        "torch",
        "diffusers",
        "transformers",
        "matplotlib",
        "IPython",
        "ipycanvas",
        "ipywidgets",
        "embreex",
        "skimage",
        "scipy",
    ]
    heavy += [f"helpers.{stage}" for stage in sorted(STAGES)]
    opening = "import sys, json, helpers; from helpers import checks, engines, machine, runs"
    code = f"{opening}; print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    assert json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) == []


def test_public_names_are_those_that_readme_and_notebooks_use() -> None:
    assert helpers.__all__ == sorted(helpers.__all__)
    for name in helpers.__all__:
        assert getattr(helpers, name).__doc__, name
    cells = [
        "".join(cell["source"])
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    pages = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    used = {
        name
        for names in re.findall(r"^from helpers import ([\w, ]+)", "\n".join(cells + pages), re.M)
        for name in names.replace(" ", "").split(",")
    }
    assert {"generate", "segment", "try_on", "product"} <= used
    assert {name for name in used if f"helpers.{name}" not in MODULES} <= set(helpers.__all__)


def test_a_folder_says_what_is_in_it() -> None:
    untold = []
    for package in PACKAGES:
        text = ast.get_docstring(ast.parse(MODULES[package].read_text(encoding="utf-8"))) or ""
        inside = (name.rpartition(".") for name in MODULES)
        untold += [f"{package}: {name}" for folder, _, name in inside if folder == package and f"``{name}``" not in text]
    assert not untold


def test_a_file_is_read_in_one_sitting() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST}


def _found(path: str, beside: Path) -> Path | None:
    """The file that a page means by ``path``: from the root, from ``helpers``, or near the one named before."""
    return next((base / path for base in (ROOT, ROOT / "helpers", beside, beside.parent) if (base / path).exists()), None)


def test_every_path_in_contributing_is_there_and_defines_what_is_said() -> None:
    page = re.sub(r"```.*?```", "", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), flags=re.S)
    checked, beside = 0, ROOT
    for line in page.splitlines():
        for claimed, path in re.findall(r"(?:`(\w+)` (?:in|of) )?`([\w./-]+(?:\.(?:py|toml|md|txt|ipynb)|/))(?=`)", line):
            file = _found(path, beside)
            assert file, f"CONTRIBUTING.md names {path}, which is not there: {line}"
            beside = file if file.is_dir() else file.parent
            if claimed:
                pattern = rf"^(?:def |class )?{claimed}\b"
                assert re.search(pattern, file.read_text(encoding="utf-8"), re.M), f"{path} does not define {claimed}"
            checked += 1
    assert checked > 20

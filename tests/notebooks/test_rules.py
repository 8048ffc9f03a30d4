from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from rules import NOTEBOOKS, fix, problems

from helpers.cli import main

FILES = sorted(NOTEBOOKS.glob("*.ipynb"))


def test_the_notebooks_are_all_there_in_order() -> None:
    assert [f.stem for f in FILES][:5] == ["00_setup", "01_generate", "02_segment", "03_try_on", "04_full_demo"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_notebook_keeps_the_rules(path: Path) -> None:
    assert problems(path) == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_parameters_can_be_listed_with_type_and_help(path: Path, capsys) -> None:
    assert main(["run", str(path), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("seed") and "int" in line for line in lines)


def test_the_lint_sees_what_breaks_a_rule_and_fix_mends_what_it_can(tmp_path) -> None:
    notebook = nbformat.read(FILES[0], as_version=4)
    code = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    code.source = "size = 3\n" + code.source
    notebook.cells[-2].source = "!wget x\nclass A:\n    pass\n" + "x = 1\n" * 30 + "seed = 3\nother: int = 4\n"
    notebook.cells[-2].outputs = [nbformat.v4.new_output("stream", text="hello")]
    notebook.cells[0].source = notebook.cells[0].source.replace("colab.research.google.com/github", "example.com")
    path = tmp_path / FILES[0].name
    nbformat.write(notebook, path)
    found = " | ".join(problems(path))
    expected = ["not a typed assignment", "shell command", "a class", "lines, at most", "keeps its output", "Colab button"]
    for words in (*expected, "the parameter seed is assigned again", "'other' has a type outside"):
        assert words in found
    fix(path)
    found = " | ".join(problems(path))
    assert "keeps its output" not in found
    assert "Colab button" not in found


def test_the_lint_sees_a_run_that_forgets_parameters_and_cells_that_are_long_as_a_rule(tmp_path) -> None:
    notebook = nbformat.read(FILES[3], as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace('runs.start("03_try_on", globals())', 'runs.start("03_try_on", {"run": run})')
        if cell.cell_type == "code" and "runs.start" not in cell.source:
            cell.source += "\npass" * 5
    path = tmp_path / FILES[3].name
    nbformat.write(notebook, path)
    found = " | ".join(problems(path))
    assert 'there is no run = runs.start("03_try_on", globals())' in found
    assert "the median of its code cells is" in found

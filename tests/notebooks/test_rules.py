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
    notebook.cells[-2].source = "!wget x\nclass A:\n    pass\n" + "x = 1\n" * 30
    notebook.cells[-2].outputs = [nbformat.v4.new_output("stream", text="hello")]
    notebook.cells[0].source = notebook.cells[0].source.replace("colab.research.google.com/github", "example.com")
    path = tmp_path / FILES[0].name
    nbformat.write(notebook, path)
    found = " | ".join(problems(path))
    for words in ("not a typed assignment", "shell command", "a class", "lines, at most", "keeps its output", "Colab button"):
        assert words in found
    fix(path)
    found = " | ".join(problems(path))
    assert "keeps its output" not in found
    assert "Colab button" not in found

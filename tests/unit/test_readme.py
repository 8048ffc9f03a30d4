"""What the README says runs as pasted, runs."""

import re
import shlex
from pathlib import Path

import make_tables
import numpy as np
import papermill
import pytest

from helpers.headless import check_parameters, find_notebook

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_five_lines_run_as_pasted() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len([line for line in code.splitlines() if line.strip()]) == 5
    names: dict = {}
    exec(code, names)
    assert names["result"].image.shape == names["person"].image.shape == (1024, 768, 3)
    assert 0.02 < names["mask"].mean() < 0.3
    assert np.abs(names["result"].image.astype(int) - names["person"].image)[names["mask"]].mean() > 5


def test_every_command_line_names_a_notebook_and_parameters_that_exist() -> None:
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines() if " run " in line
    ]
    assert commands
    for command in commands:
        words = shlex.split(command)
        path = find_notebook(words[words.index("run") + 1])
        given = [(words[i + 1], words[i + 2]) for i, word in enumerate(words) if word == "-p"]
        assert [*check_parameters(papermill.inspect_notebook(str(path)), given, path.name)] == [name for name, _ in given]


@pytest.mark.parametrize("page", make_tables.TABLES)
def test_the_tables_of_engines_and_weights_are_those_of_the_records(page: str) -> None:
    text = (make_tables.ROOT / page).read_text(encoding="utf-8")
    assert text == make_tables.renewed(page), "run: python docs/make_tables.py"


def test_every_local_link_leads_somewhere() -> None:
    root = Path(__file__).resolve().parents[2]
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (root / target).exists(), target

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import papermill
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from matplotlib import pyplot
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
Execute = Callable[..., dict[str, Any]]


def _section(folder: Path, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return json.loads((folder / parameters["run"] / "metrics.json").read_text())[name]


@pytest.fixture
def execute(tmp_path: Path) -> Execute:
    """``execute("03_try_on", seed=1)``: run a notebook as papermill does, in a new kernel, and return its section of metrics.json."""

    def run(name: str, **parameters: Any) -> dict[str, Any]:
        parameters = {"run": "test", "outputs": str(tmp_path), **parameters}
        papermill.execute_notebook(
            str(NOTEBOOKS / f"{name}.ipynb"),
            str(tmp_path / f"{name}.ipynb"),
            parameters,
            progress_bar=False,
            kernel_name="python3",
            start_timeout=120,
            execution_timeout=300,
            cwd=str(tmp_path),
        )
        return _section(tmp_path, name, parameters)

    return run


@pytest.fixture
def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Execute:
    """The same without a kernel to start: papermill fills the parameters in, and the cells run one after another in this process.

    What a cell raises comes as it is.
    """
    monkeypatch.chdir(tmp_path)

    def run(name: str, **parameters: Any) -> dict[str, Any]:
        parameters = {"run": "test", "outputs": str(tmp_path), **parameters}
        notebook = parameterize_notebook(load_notebook_node(str(NOTEBOOKS / f"{name}.ipynb")), parameters)
        names: dict[str, Any] = {"__name__": "__main__", "In": [""]}
        try:
            for number, cell in enumerate(notebook.cells):
                if cell.cell_type == "code":
                    names["In"].append(TransformerManager().transform_cell(cell.source))
                    exec(compile(names["In"][-1], f"{name} cell {number}", "exec"), names)
        finally:
            pyplot.close("all")
        return _section(tmp_path, name, parameters)

    return run

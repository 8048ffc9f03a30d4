from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import papermill
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture
def execute(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """``execute("03_try_on", seed=1)``: run a notebook as papermill does and return its section of metrics.json."""

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
        return json.loads((tmp_path / parameters["run"] / "metrics.json").read_text())[name]

    return run

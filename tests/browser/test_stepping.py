"""01_generate with RealVisXL in JupyterLab: a picture forms in steps, and the cancel button ends it without ending the kernel."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest
from page_steps import wait_until
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from servers import NOTEBOOK, Server
from test_lab import command, open_notebook

pytestmark = pytest.mark.timeout(300)


def test_a_drawing_is_cancelled_and_another_one_drawn(lab: Server, open_page, tiny_weights) -> None:
    name = "stepping"
    small = {"engine": "realvisxl", "steps": 90, "width": 256, "height": 320, "extras": False}
    notebook = load_notebook_node(str(NOTEBOOK.with_name("01_generate.ipynb")))
    notebook = parameterize_notebook(notebook, {"run": name, "outputs": str(lab.outputs), **small})
    setting = f'import os\n\nos.environ |= {{"ATELIER_WEIGHTS": {str(tiny_weights)!r}, "ATELIER_DEVICE": "cpu"}}'
    notebook.cells.insert(0, nbformat.v4.new_code_cell(setting))
    nbformat.write(notebook, lab.root / f"{name}.ipynb")
    page: Any = open_page(viewport={"width": 1280, "height": 1300})
    open_notebook(lab, page, name)
    command(page, "notebook:run-all-cells")
    wait_until((lab.outputs / name / "metrics.json").exists, "the last cell", 120)

    draw, cancel = (page.get_by_role("button", name=text, exact=True) for text in ("draw", "cancel"))
    draw.scroll_into_view_if_needed()
    draw.click()
    cancel.click()  # waits until it can be pressed, which is while the picture forms
    page.get_by_text("cancelled; the last picture stays").wait_for()
    draw.click()
    page.get_by_text(re.compile(r"\d s · beyond the prompt")).wait_for()
    assert page.complaints == []

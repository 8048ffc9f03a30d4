"""The suite's report in a browser, from the disk: what failed stands first, pictures are seen, links lead on, it fits a phone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from suite_world import write_fake, write_runs

from helpers import images
from helpers.suite import job, plan, report
from helpers.suite.plan import Expected
from helpers.suite.processes import Processes
from helpers.suite.running import Suite

HOSTILE = "<script>document.title = 'mine'</script>" + "w" * 300


@pytest.fixture
def page_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(job, "WORKER", write_fake(tmp_path))
    file = write_runs(tmp_path, good="", moved="", error="error")
    suite = Suite(plan.read(file), tmp_path / "out", say=lambda line: None)
    suite.run(Processes(2))
    good, moved, error = suite.plan.cases
    expected = {"share": Expected(0.5, atol=0.1), HOSTILE: Expected(HOSTILE)}
    moved = replace(moved, about=HOSTILE, expect=expected, pictures={"result/try-on.png": 0.1})
    for folder, level in ((suite.plan.pictures / "moved", 40), (suite.out / "runs/moved/pictures", 200)):
        images.write_image(folder / "result-try-on.jpg", np.full((256, 192, 3), level, np.uint8))
    (suite.out / "runs/good/notebook.html").write_text("<h1>as it ran</h1>")
    suite.plan = replace(suite.plan, cases=(good, moved, error))
    report.write(suite)
    return suite.out / "report.html"


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_the_report_of_a_suite(open_page, page_file: Path, width: int, height: int) -> None:
    page = open_page(viewport={"width": width, "height": height})
    page.goto(page_file.as_uri())
    assert page.title() == "2 of 3 runs failed", "and no script of a run was run"
    assert page.locator("article h2").all_inner_texts()[-1] == "good"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    card = page.locator("#moved")
    assert card.locator("img").count() == 2
    assert card.locator("img").evaluate_all("images => images.every(image => image.naturalWidth === 192)")
    assert card.locator("figure.bad").is_visible()
    assert "0.25" in card.locator("table").inner_text()
    assert "ValueError" in page.locator("#error").inner_text()
    page.locator("#good a", has_text="as it ran").click()
    assert page.locator("h1").inner_text() == "as it ran"

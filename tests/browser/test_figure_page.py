"""The page in which a figure is turned by hand: it shows the figure in a browser that has no network, and turns it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from helpers.reconstruction import viewer
from helpers.reconstruction.mesh import Mesh

FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)


@pytest.fixture
def page(browser: Any, chromium: str) -> Iterator[Any]:
    """In a browser that draws in three dimensions without a graphics card."""
    opened = browser.browser_type.launch(executable_path=chromium, headless=True, args=list(FLAGS), timeout=60_000)
    context = opened.new_context(viewport={"width": 500, "height": 560}, offline=True)
    yield context.new_page()
    opened.close()


def shown(page: Any) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def test_a_figure_is_seen_and_turned(page: Any, tmp_path: Path) -> None:
    corners = np.array([[x, y, z] for x in (-0.3, 0.3) for y in (-0.3, 0.3) for z in (0, 1.6)], np.float32)
    quads = [(0, 4, 5, 1), (2, 3, 7, 6), (0, 1, 3, 2), (4, 6, 7, 5), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    colours = np.where(corners[:, 1:2] < 0, (220, 20, 20), (20, 20, 220)).astype(np.uint8)
    html = f"<html><body>{viewer.embedded([Mesh('box', corners, faces, colours=colours)], height=500)}</body></html>"
    assert "http" not in html.split("srcdoc")[0]
    file = tmp_path / "page.html"
    file.write_text(html, encoding="utf-8")
    page.goto(file.as_uri())

    def red() -> int:
        picture = shown(page)
        return int(((picture[..., 0] > picture[..., 2] + 60) & (picture[..., 0] > picture[..., 1] + 60)).sum())

    for _ in range(100):
        page.wait_for_timeout(200)
        if red() > 2000:
            break
    front = red()
    assert front > 2000, "the front is red"
    page.mouse.move(250, 250)
    page.mouse.down()
    page.mouse.move(480, 250, steps=8)
    page.mouse.up()
    page.wait_for_timeout(500)
    assert red() < 0.9 * front, "turned, another side is seen"

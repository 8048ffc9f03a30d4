"""What a person does in the page, shared by the tests of JupyterLab and Voilà."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.segmentation.paint import COLOURS

CANVAS = "canvas.atelier-clicker"
PIXEL = """([selector, x, y]) => {
  const canvas = document.querySelector(selector);
  return canvas && Array.from(canvas.getContext('2d').getImageData(x, y, 1, 1).data);
}"""


ON, OFF = (22, 163, 74), (220, 38, 38)
"""The colours of a point on the garment and of one beside it."""
_SIDES = (("x", "width"), ("y", "height"))


def wait_until(condition: Callable[[], Any], what: str | Callable[[], str], seconds: float = 60) -> Any:
    """The first true value of ``condition``; after ``seconds`` a failure that says ``what`` was awaited."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    pytest.fail(f"waited {seconds:g} s in vain for {what() if callable(what) else what}")


def tinted(picture: np.ndarray, place: tuple[int, int], garment: int = 0) -> tuple[int, int, int]:
    """The colour of the picture under a garment's mask."""
    under = picture[place[1], place[0]].astype(float)
    return tuple(round(v) for v in under * 0.62 + np.array(COLOURS[garment]) * 0.38)


def plain(picture: np.ndarray, place: tuple[int, int]) -> tuple[int, int, int]:
    return tuple(int(v) for v in picture[place[1], place[0]])


def elsewhere(place: tuple[int, int], by: int = 30) -> tuple[int, int]:
    """A place beside a click, clear of the point drawn there."""
    return place[0] + by, place[1]


class Hand:
    """Clicks in the clicker of one page, at places given in pixels of the picture, and reads what came of it."""

    def __init__(self, page: Any, size: tuple[int, int], clicks: Path) -> None:
        self.page, self.size, self.folder = page, size, clicks

    def click(self, place: tuple[int, int]) -> None:
        box = self._settled()
        x, y = (box[axis] + (place[i] + 0.5) * box[side] / self.size[i] for i, (axis, side) in enumerate(_SIDES))
        self.page.mouse.click(x, y)

    def _settled(self) -> dict[str, float]:
        """Where the canvas is on the screen once it is in view and rests; pages move while figures above it appear."""
        canvas, boxes = self.page.locator(CANVAS), []

        def rests() -> bool:
            canvas.scroll_into_view_if_needed()
            boxes.append(canvas.bounding_box())
            return len(boxes) > 3 and boxes[-4:].count(boxes[-1]) == 4

        wait_until(rests, "the clicker to stop moving", 30)
        return boxes[-1]

    def button(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def key(self, keys: str) -> None:
        self.page.locator(CANVAS).press(keys)

    def pixel(self, place: tuple[int, int]) -> list[int] | None:
        """RGBA of the clicker as drawn, None before there is one."""
        return self.page.evaluate(PIXEL, [CANVAS, *place])

    def sees(self, place: tuple[int, int], colour: tuple[int, int, int], seconds: float = 60) -> None:
        """Wait until the clicker shows ``colour`` at ``place``."""

        def shown() -> bool:
            seen = self.pixel(place)
            return seen is not None and all(abs(a - b) <= 16 for a, b in zip(seen, colour, strict=False))

        wait_until(shown, lambda: f"colour {colour} at {place}; it is {self.pixel(place)}", seconds)

    def on_disk(self, garment: str = "garment") -> list[list[int]]:
        path = self.folder / "points.json"
        return json.loads(path.read_text())["garments"].get(garment, []) if path.exists() else []

    def saved(self, labels: list[int], garment: str = "garment") -> list[list[int]]:
        """Wait until clicks with just these labels are on disk; the clicks."""
        wait_until(
            lambda: [point[2] for point in self.on_disk(garment)] == labels,
            lambda: f"clicks {labels} on {garment} on disk; there are {self.on_disk(garment)}",
        )
        return self.on_disk(garment)

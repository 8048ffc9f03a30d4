"""The row under the clicker in which one of several answers to a click is chosen: a picture and a button each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np

from helpers import images
from helpers.contract import Candidate
from helpers.segmentation.clicks import Point
from helpers.segmentation.paint import painted

HEIGHT = 150
"""Pixels that a thumbnail is high."""


class Choices:
    """Thumbnails of a click's candidates, each with a button, hidden while there is nothing to choose.

    choose:  called with the index of the candidate whose button was pressed

    widget:  what is displayed
    buttons: one a candidate that is offered
    """

    def __init__(self, choose: Callable[[int], None]) -> None:
        self._choose = choose
        self._offered: Any = None
        self.buttons: list[widgets.Button] = []
        self.widget = widgets.HBox(layout=widgets.Layout(display="none", flex_flow="row wrap"))
        self.widget.add_class("atelier-choices")

    def hide(self) -> None:
        self.widget.layout.display = "none"
        self.widget.children, self.buttons, self._offered = (), [], None

    def offer(
        self,
        click: Sequence[Point],
        image: np.ndarray,
        candidates: Callable[[], Sequence[Candidate]],
        colour: tuple[int, int, int],
        taken: int,
    ) -> None:
        """Show the candidates of ``click`` on ``image`` (uint8 (H, W, 3)) in a garment's colour; ``taken`` is marked.

        They are asked for only when the click is another than before.
        """
        offered = tuple(click), colour
        if offered != self._offered:
            found = candidates()
            self.buttons = [self._button(index, one) for index, one in enumerate(found)]
            pictures = [_thumbnail(image, one.mask, colour) for one in found]
            self.widget.children = [widgets.VBox(pair) for pair in zip(pictures, self.buttons, strict=True)]
            self._offered = offered
        for index, button in enumerate(self.buttons):
            button.button_style = "success" if index == taken else ""
        self.widget.layout.display = ""

    def _button(self, index: int, candidate: Candidate) -> widgets.Button:
        text = f"{index} · covers {100 * candidate.mask.mean():.0f} %"
        tooltip = f"take this answer to the first click ({index}); the engine scores it {candidate.score:.2f}"
        button = widgets.Button(description=text, tooltip=tooltip, layout=widgets.Layout(width="auto"))
        button.on_click(lambda _: self._choose(index))
        return button


def _thumbnail(image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int]) -> widgets.Image:
    height, width = image.shape[:2]
    size = max(1, round(width * HEIGHT / height)), HEIGHT
    picture = painted(images.resize(image, size), [images.resize(mask, size)], [colour])
    layout = widgets.Layout(height=f"{HEIGHT}px", width=f"{size[0]}px")
    return widgets.Image(value=images.png(picture), format="png", layout=layout)

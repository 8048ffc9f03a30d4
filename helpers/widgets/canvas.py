"""The picture that is clicked on: what of it is drawn where, and what a hand does to it. What that means is the clicker's affair."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

import cv2
import ipywidgets as widgets
import numpy as np
from ipycanvas import MultiCanvas, hold_canvas

from helpers.segmentation.paint import tint

ON, OFF, RIM = "#16a34a", "#dc2626", "white"
_PICTURE, _MASKS, _POINTS = range(3)  # layers, the last on top

Colour = tuple[int, int, int]


class ClickCanvas:
    """A picture with layers for masks and points over it, each sent to the page only when it changes.

    Places are (x, y) in pixels of the picture as it is shown, continuous, whatever size the page gives it.

    picture: uint8 (h, w, 3), as large as it is shown
    click:   called with x, y for a click or the touch of one finger
    key:     called with the key in lower case, and whether Shift and Ctrl (or Meta) were held
    appear:  called when the canvas appears in a page, with the picture in it already: masks and points are to be drawn

    radius:  of a point, in the same pixels
    """

    def __init__(
        self,
        picture: np.ndarray,
        *,
        click: Callable[[float, float], None],
        key: Callable[[str, bool, bool], None],
        appear: Callable[[], None],
    ) -> None:
        self.picture = picture
        height, width = picture.shape[:2]
        self.radius = float(np.clip(max(height, width) * 0.01, 4.5, 12))
        # Inside Colab's frame, which grows with what it holds, a share of the window's height means nothing.
        tallest = "640px" if "google.colab" in sys.modules else "clamp(360px, 72vh, 860px)"
        layout = widgets.Layout(
            width="auto", height="auto", max_width="100%", max_height=tallest, align_self="flex-start", flex="0 0 auto"
        )
        self.widget = MultiCanvas(3, width=width, height=height, layout=layout)
        self.widget.add_class("atelier-clicker")
        self._appear, self._connected = appear, False
        self.widget.on_client_ready(self._on_client_ready)
        self.widget.on_mouse_down(click)
        self.widget.on_touch_start(lambda touches: click(*touches[0]) if len(touches) == 1 else None)
        self.widget.on_key_down(lambda name, shift, ctrl, meta: key(name.lower(), shift, ctrl or meta))

    def busy(self, yes: bool) -> None:
        """Show by the pointer whether something is being computed."""
        (self.widget.add_class if yes else self.widget.remove_class)("busy")

    def draw_masks(self, masks: Iterable[np.ndarray], colours: Iterable[Colour]) -> None:
        """Tint masks, bool (H, W) of any size, each in its colour."""
        if not self._connected:
            return
        layer = tint(self.picture.shape[:2], masks, colours)
        x, y, w, h = cv2.boundingRect(layer[..., 3])  # only what is covered travels
        with hold_canvas():
            self.widget[_MASKS].clear()
            if w and h:
                self.widget[_MASKS].put_image_data(layer[y : y + h, x : x + w], x, y)

    def draw_points(self, points: Iterable[tuple[float, float, int, bool]]) -> None:
        """Draw points (x, y, label, whether of the garment that is being clicked)."""
        if not self._connected:
            return
        layer = self.widget[_POINTS]
        with hold_canvas():
            layer.clear()
            for x, y, label, active in points:
                radius = self.radius * (1 if active else 0.6)
                for colour, size in (("rgba(0, 0, 0, .35)", 1.35), (RIM, 1.2), (ON if label else OFF, 0.85)):
                    layer.fill_style = colour
                    layer.fill_circle(x, y, radius * size)

    def _on_client_ready(self) -> None:
        # A canvas in the page has no memory: what was drawn before it existed is lost, so all is drawn whenever one appears.
        self._connected = True
        opaque = np.dstack([self.picture, np.full(self.picture.shape[:2], 255, np.uint8)])
        with hold_canvas():
            self.widget[_PICTURE].put_image_data(opaque)  # with three channels it would travel as a JPEG of quality 75
        self._appear()

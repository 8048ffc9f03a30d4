"""The clicker: click on a garment in a notebook and see its mask at once (JupyterLab, Notebook, Voilà, VS Code, Colab)."""

from __future__ import annotations

import html
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython.display import display

from helpers import checks, images
from helpers.contract import Candidate, Segmenter
from helpers.segmentation.clicks import Point, PointPrompt, garment_first
from helpers.segmentation.paint import COLOURS
from helpers.show import plain
from helpers.widgets import click_files
from helpers.widgets.canvas import ClickCanvas
from helpers.widgets.choices import Choices

_HINTS = (
    ("x", "garment / background"),
    ("e", "erase"),
    ("Ctrl+Z", "undo"),
    ("Ctrl+Shift+Z", "redo"),
    ("n", "next garment"),
    ("Enter", "done"),
)
_STYLE = """<style>
.atelier-clicker {cursor: crosshair; margin: 3px; border-radius: 6px; box-shadow: 0 1px 4px rgba(0, 0, 0, .35)}
.atelier-clicker:focus {outline: none; box-shadow: 0 0 0 2px #2086ff}
.atelier-clicker.busy {cursor: progress}
.atelier-bar {gap: 2px 6px}
.atelier-bar button {width: auto}
.atelier-bar .widget-toggle-buttons button.mod-active {background: #6b7280; color: white}
.atelier-bar .widget-toggle-buttons button.mod-active:nth-of-type(1) {background: #16a34a}
.atelier-bar .widget-toggle-buttons button.mod-active:nth-of-type(2) {background: #dc2626}
.atelier-choices img {border-radius: 4px; cursor: default}
.atelier-status {line-height: 1.5}
.atelier-status i {display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .35em}
.atelier-status .done {color: #16a34a; font-weight: 600}
.atelier-status .error {color: #dc2626; font-weight: 600}
.atelier-hints {opacity: .65; font-size: 85%}
.atelier-hints kbd {border: 1px solid currentColor; border-radius: 3px; padding: 0 .3em; font-size: 90%}
</style>"""


def _shown(method: Callable[..., None]) -> Callable[..., None]:
    """Callbacks of widgets lose their exceptions; these show them under the picture and leave the clicker usable."""

    @wraps(method)
    def guarded(self: Clicker, *arguments: Any) -> None:
        try:
            method(self, *arguments)
        except Exception as error:
            self._fail(error)

    return guarded


class Clicker:
    """Click on a garment: its mask follows every click. Clicks are kept in ``prompt``, which can also be used from a cell.

    image:      uint8 (H, W, 3) RGB
    engine:     a segmentation engine; the slow ``set_image`` is done here, once
    points:     clicks to begin with, as ``parse_points`` takes them
    names:      what the garments are called, in the order they are clicked
    folder:     where ``mask.png`` (all garments), ``garments/NAME.png`` and ``points.json`` are written at every change
    resume:     without ``points``, go on from the clicks that a hand left in ``folder`` on this very image, for instance before the
                kernel was restarted
    candidates: how many answers the engine has to a first click, as its record says; the hand chooses among them
    choice:     which of them is taken, from 0: an index for the first garment, or ``{garment: index}``; None leaves it to the engine
    default:    clicks to begin with where there are neither ``points`` nor any that a hand left
    left:       bool (H, W), the mask that counts while nothing is clicked, such as the one that an earlier notebook left
    known:      called at the first click for what is known of the person, uint8 (h, w) or ``None``, which the engine takes as ``known``
    on_done:    called with this clicker at "done"
    max_view:   (width, height) in pixels that the picture takes at most; it also never outgrows the window

    prompt:     the :class:`PointPrompt` behind it
    finished:   whether "done" was the last thing that happened
    by_hand:    whether anything was clicked, now or in what was resumed
    seconds:    how long the last mask took
    """

    def __init__(
        self,
        image: np.ndarray,
        engine: Segmenter,
        *,
        points: object = (),
        names: Sequence[str] = (),
        folder: str | Path | None = None,
        resume: bool = False,
        candidates: int = 0,
        choice: Mapping[str, int] | int | None = None,
        default: object = (),
        left: np.ndarray | None = None,
        known: Callable[[], np.ndarray | None] | None = None,
        on_done: Callable[[Clicker], None] | None = None,
        max_view: tuple[int, int] = (768, 1024),
    ) -> None:
        if choice is not None and not candidates:
            raise ValueError("choice: this engine gives one answer to a click, there is nothing to choose. Leave choice out.")
        self.image = checks.image(image)
        self.folder = None if folder is None else Path(folder)
        self.on_done = on_done
        self.finished = False
        self.seconds = 0.0
        self._candidates = candidates
        height, width = image.shape[:2]

        def prompt(points: object, choices: Mapping[str, int] | int | None) -> PointPrompt:
            return PointPrompt((width, height), max_view=max_view, points=points, names=names, choices=choices)

        self.prompt = prompt(points, choice)
        typed = any(self.prompt.garments.values())
        found = click_files.read(self.folder, image) if self.folder is not None and resume and not typed else None
        self.by_hand = found is not None and found.by_hand and any(found.garments.values())
        if found is not None and self.by_hand:
            self.prompt = prompt(found.garments, found.choices if candidates else None)
        elif default and not typed and left is None:
            self.prompt = prompt(default, choice)
        self._left = None if left is None else checks.mask(left, (height, width), "left")
        self._answers = _Answers(engine, image, known)
        self._build()
        self._refresh()
        if self.masks and not self.by_hand:
            self.save()
        self.prompt.on_change = self._changed

    # What a next cell reads

    @property
    def points(self) -> list[Point]:
        """(x, y, label) of the garment being clicked, in image pixels."""
        return self.prompt.points

    @property
    def masks(self) -> dict[str, np.ndarray]:
        """bool (H, W) by garment, for every garment that has a click on it."""
        chosen = self.prompt.choices
        return {
            name: self._answers.mask(points, chosen.get(name))
            for name, points in self.prompt.garments.items()
            if _clicked(points)
        }

    @property
    def mask(self) -> np.ndarray:
        """bool (H, W): all garments together; where nothing was clicked, the one that was left, or an empty one."""
        masks = self.masks
        return self._left if self._left is not None and not masks else click_files.together(self.image.shape[:2], masks)

    def show(self) -> None:
        """Display the clicker below the cell."""
        if "google.colab" in sys.modules:
            from google.colab import output  # only there

            output.enable_custom_widget_manager()
        display(self.widget)

    def _ipython_display_(self) -> None:
        self.show()

    def save(self) -> None:
        """Write masks and points to ``folder``, each file whole or not at all."""
        if self.folder is not None:
            clicks = click_files.Clicks(self.prompt.garments, self.prompt.choices, self.by_hand, self.finished)
            click_files.write(self.folder, self.image, clicks, self.masks)

    # Widgets

    def _build(self) -> None:
        self.canvas = ClickCanvas(
            images.resize(self.image, self.prompt.view_size), click=self._on_click, key=self._on_key, appear=self._on_appear
        )
        self.mode = widgets.ToggleButtons(
            options=[("+ garment", "garment"), ("− background", "background"), ("erase", "erase")],
            value="garment",
            tooltips=["click on the garment", "click on what is not the garment", "click on a point to remove it"],
            style={"button_width": "auto"},
        )
        self.garment = widgets.Dropdown(options=[self.prompt.garment], layout=widgets.Layout(width="9.5em"))
        self.buttons = {
            "undo": self._button("undo", "take back the last change (Ctrl+Z)", self._on_undo),
            "redo": self._button("redo", "do it again (Ctrl+Shift+Z or Ctrl+Y)", self._on_redo),
            "clear": self._button("clear", "remove this garment's points", self._on_clear),
            "next": self._button("next garment", "keep this mask and begin another (n)", self._on_next),
            "done": self._button("done", "finish (Enter)", self._on_done, "primary"),
        }
        self.status = widgets.HTML()
        self.status.add_class("atelier-status")
        self.errors = widgets.Output()
        keys = [(" ".join(map(str, range(self._candidates))), "which answer to the first click")] if self._candidates else []
        hints = " &nbsp; ".join(f"<kbd>{key}</kbd> {what}" for key, what in (*_HINTS, *keys))
        bar = widgets.Box(
            [self.mode, *self._row("undo", "redo", "clear"), self.garment, *self._row("next", "done")],
            layout=widgets.Layout(flex_flow="row wrap", align_items="center"),
        )
        bar.add_class("atelier-bar")
        self.choices = Choices(self._on_choice)
        hint = widgets.HTML(f'{_STYLE}<span class="atelier-hints">{hints}</span>')
        self.widget = widgets.VBox([bar, self.canvas.widget, self.status, self.choices.widget, hint, self.errors])
        self.garment.observe(self._on_garment, "value")

    def _button(self, text: str, tooltip: str, callback: Callable[..., None], style: str = "") -> widgets.Button:
        button = widgets.Button(description=text, tooltip=tooltip, button_style=style, layout=widgets.Layout(width="auto"))
        button.on_click(callback)
        return button

    def _row(self, *names: str) -> list[widgets.Button]:
        return [self.buttons[name] for name in names]

    # Callbacks

    @_shown
    def _on_appear(self) -> None:
        self._draw_masks()
        self._draw_points()

    @_shown
    def _on_click(self, x: float, y: float) -> None:
        place = self.prompt.to_image(x, y)
        if place is None:
            self._say("That is outside the picture; click inside it.")
        elif self.mode.value != "erase":
            self.prompt.add(*place, int(self.mode.value == "garment"))
        elif not self.prompt.remove_nearest(*place, within=3 * self.canvas.radius / self.prompt.scale):
            self._say("No point there to erase; click closer to one of this garment's.")

    @_shown
    def _on_key(self, key: str, shift: bool, ctrl: bool) -> None:
        if ctrl:
            if key == "y" or (key == "z" and shift):
                self._on_redo()
            elif key == "z":
                self._on_undo()
        elif key == "x":
            self.mode.value = "background" if self.mode.value == "garment" else "garment"
        elif key == "e":
            self.mode.value = "erase"
        elif key == "n":
            self._on_next()
        elif key == "enter":
            self._on_done()
        elif key.isdecimal():
            self._on_choice(int(key))

    @_shown
    def _on_undo(self, *_: Any) -> None:
        if not self.prompt.undo():
            self._say("Nothing to undo.")

    @_shown
    def _on_redo(self, *_: Any) -> None:
        if not self.prompt.redo():
            self._say("Nothing to redo.")

    @_shown
    def _on_choice(self, index: int) -> None:
        if index < len(self.choices.buttons):
            self.prompt.choose(index)

    @_shown
    def _on_clear(self, *_: Any) -> None:
        self.prompt.clear()

    @_shown
    def _on_next(self, *_: Any) -> None:
        if not _clicked(self.points):
            self._say(f"Click on {self.prompt.garment} first.")
            return
        self.prompt.next_garment()
        self.mode.value = "garment"

    @_shown
    def _on_garment(self, change: dict) -> None:
        if change["new"] is not None and change["new"] != self.prompt.garment:
            self.prompt.select(change["new"])

    @_shown
    def _on_done(self, *_: Any) -> None:
        if not self.masks:
            self._say(f"Click on {self.prompt.garment} first.")
            return
        if self.on_done is not None:
            self.on_done(self)
        self.finished = True
        self.save()  # last, so that who reads "done" on disk finds what was handed on
        where = "" if self.folder is None else f", saved in {self.folder}"
        many = "1 garment" if len(self.masks) == 1 else f"{len(self.masks)} garments"
        self._say(f"Done: {many}{where}. Run the next cell, or go on clicking.", "done")

    # State to screen and disk

    def _changed(self, prompt: PointPrompt) -> None:
        self.finished, self.by_hand = False, True
        self.errors.outputs = ()
        self._refresh()
        try:
            self.save()
        except OSError as error:  # the clicks are good and stay
            self._fail(error)

    def _refresh(self) -> None:
        """The point first, then the mask, which takes longer."""
        self._draw_points()
        self._say("computing …")
        self.canvas.busy(True)
        started = time.perf_counter()
        try:
            self._answers.mask(self.points, self.prompt.choice)
            self._offer()
        finally:
            self.canvas.busy(False)
        self.seconds = time.perf_counter() - started
        self._draw_masks()
        self._sync_controls()
        self._say()

    def _offer(self) -> None:
        """Show the candidates of this garment's first click, and which of them is taken."""
        if not (self._candidates and _clicked(self.points)):
            self.choices.hide()
            return
        first = garment_first(self.points)[:1]
        taken = self._answers.default_choice(first) if self.prompt.choice is None else self.prompt.choice
        self.choices.offer(first, self.image, lambda: self._answers.candidates(first), self._colour(self.prompt.garment), taken)

    def _colour(self, name: str) -> tuple[int, int, int]:
        return COLOURS[list(self.prompt.garments).index(name) % len(COLOURS)]

    def _draw_masks(self) -> None:
        masks = self.masks
        self.canvas.draw_masks(masks.values(), [self._colour(name) for name in masks])

    def _draw_points(self) -> None:
        active = self.prompt.garment
        self.canvas.draw_points(
            (*self.prompt.to_view(x, y), label, name == active)
            for name, points in self.prompt.garments.items()
            for x, y, label in points
        )

    def _sync_controls(self) -> None:
        names = list(self.prompt.garments)
        if tuple(self.garment.options) != tuple(names):
            self.garment.unobserve(self._on_garment, "value")
            self.garment.options = names
            self.garment.value = self.prompt.garment
            self.garment.observe(self._on_garment, "value")
        elif self.garment.value != self.prompt.garment:
            self.garment.value = self.prompt.garment
        self.buttons["undo"].disabled = not self.prompt.can_undo
        self.buttons["redo"].disabled = not self.prompt.can_redo
        self.buttons["clear"].disabled = not self.points

    def _say(self, message: str = "", kind: str = "") -> None:
        name, labels = self.prompt.garment, self.prompt.labels
        colour = "rgb({},{},{})".format(*self._colour(name))
        clicks = f"{len(labels)} click{'' if len(labels) == 1 else 's'} ({sum(labels)} on, {len(labels) - sum(labels)} beside)"
        parts = [f'<i style="background:{colour}"></i><b>{html.escape(plain(name))}</b>', clicks]
        mask = self._answers.computed(self.points, self.prompt.choice)
        if kind == "done":
            parts = []
        elif mask is not None:
            parts += [f"covers {100 * mask.mean():.1f} %", f"{self.seconds:.2f} s"]
        if message:
            parts.append(f'<span class="{kind}">{html.escape(plain(message))}</span>')
        elif not _clicked(self.points):
            parts.append("click on the garment")
        self.status.value = " · ".join(parts)

    def _fail(self, error: Exception) -> None:
        self._draw_points()
        self._draw_masks()
        self._sync_controls()
        self._say(f"{type(error).__name__}: {error}", "error")
        self.errors.outputs = ()
        self.errors.append_stderr("".join(traceback.format_exception(error)))


class _Answers:
    """What the engine answers about one image. It is asked once for each list of clicks, and given the image again before; ``known`` is
    asked once, at the first."""

    def __init__(self, engine: Segmenter, image: np.ndarray, known: Callable[[], np.ndarray | None] | None = None) -> None:
        self._engine, self._image, self._known = engine, image, known
        self._masks: dict[tuple, np.ndarray] = {}  # eight pixels to a byte: those of a large photograph would fill the memory
        engine.set_image(image)

    def mask(self, points: Sequence[Point], choice: int | None) -> np.ndarray:
        """bool (H, W), empty without a click on the garment."""
        if not _clicked(points):
            return np.zeros(self._image.shape[:2], bool)
        key = (*points, choice)
        if key not in self._masks:
            self._engine.set_image(self._image)  # another picture may have been given to it since
            settings: dict[str, Any] = {} if choice is None else {"choice": choice}
            if (found := self.known) is not None:
                settings["known"] = found
            mask = np.asarray(self._engine.predict(garment_first(points), **settings))
            if mask.shape != self._image.shape[:2]:
                raise ValueError(f"the engine answered with a mask of shape {mask.shape}, not {self._image.shape[:2]}.")
            if len(self._masks) >= 64:
                del self._masks[next(iter(self._masks))]
            self._masks[key] = np.packbits(mask.astype(bool))
        return self._unpacked(self._masks[key])

    @cached_property
    def known(self) -> np.ndarray | None:
        """uint8 (h, w): what is where on the person, if that can be told."""
        return None if self._known is None else self._known()

    def computed(self, points: Sequence[Point], choice: int | None) -> np.ndarray | None:
        """The mask if it has been computed."""
        packed = self._masks.get((*points, choice))
        return None if packed is None else self._unpacked(packed)

    def _unpacked(self, packed: np.ndarray) -> np.ndarray:
        height, width = self._image.shape[:2]
        return np.unpackbits(packed, count=height * width).reshape(height, width).view(bool)

    def candidates(self, click: Sequence[Point]) -> Sequence[Candidate]:
        self._engine.set_image(self._image)
        return self._engine.candidates(click)

    def default_choice(self, click: Sequence[Point]) -> int:
        self._engine.set_image(self._image)
        return self._engine.default_choice(click)


def _clicked(points: Iterable[Point]) -> bool:
    """Whether there is a click on the garment; without one the mask is empty whatever was said about the background."""
    return any(label == 1 for _, _, label in points)

"""A menu of pictures, page by page: one is chosen by its button, or looked for by its name."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from functools import partial

import ipywidgets as widgets
import numpy as np
from IPython.display import display

from helpers import checks
from helpers.images import fit_inside, png, resize
from helpers.show import plain

PAGE = 12
"""Pictures that are shown at a time."""
_SIZE = 132, 176  # pixels of a thumbnail, (width, height)
_LETTERS = 26


class Menu:
    """Thumbnails with a button each, ``PAGE`` at a time; :attr:`chosen` is the name that was taken last, at first the first one.

    what:    what is chosen, in a word
    names:   of everything there is, in order
    picture: name -> uint8 (H, W, 3); asked for when its page is turned to, once
    chosen:  the name that is taken already; empty for the first
    A picture that cannot be read is named in its place, and the others go on. Raises ``ValueError`` for no names, or another chosen one.
    """

    def __init__(self, what: str, names: Sequence[str], picture: Callable[[str], np.ndarray], chosen: str = "") -> None:
        if not names:
            raise ValueError(f"{what}: there is nothing to choose from.")
        self.names, self._picture, self._what = list(names), picture, what
        self.chosen = checks.one_of(chosen, what, tuple(names)) if chosen else self.names[0]
        self.page = self.names.index(self.chosen) // PAGE
        self._seen: dict[str, widgets.Widget] = {}
        self.buttons: list[widgets.Button] = []
        self._grid = widgets.HBox(layout=widgets.Layout(flex_flow="row wrap"))
        self._grid.add_class("atelier-menu")
        self.back = widgets.Button(icon="chevron-left", tooltip="the page before", layout=widgets.Layout(width="3em"))
        self.on = widgets.Button(icon="chevron-right", tooltip="the next page", layout=widgets.Layout(width="3em"))
        self.search = widgets.Text(placeholder="part of a name", description="find", continuous_update=False)
        self.status = widgets.HTML()
        self.back.on_click(lambda _: self.turn(self.page - 1))
        self.on.on_click(lambda _: self.turn(self.page + 1))
        self.search.observe(lambda change: self.turn(0), names="value")
        bar = [self.back, self.on, self.search] if len(self.names) > PAGE else []
        self.widget = widgets.VBox(
            [widgets.HTML(f"<b>{html.escape(plain(what))}</b>"), widgets.HBox(bar), self._grid, self.status]
        )
        self.turn(self.page)

    @property
    def found(self) -> list[str]:
        """The names that are looked for."""
        part = self.search.value.strip().casefold()
        return [name for name in self.names if part in name.casefold()]

    def turn(self, page: int) -> None:
        """Show a page of what is found; after the last comes the first."""
        found = self.found
        pages = max(1, -(-len(found) // PAGE))
        self.page = page % pages
        shown = found[self.page * PAGE : (self.page + 1) * PAGE]
        self.buttons = [self._button(name) for name in shown]
        pairs = zip(shown, self.buttons, strict=True)
        self._grid.children = [widgets.VBox([self._thumbnail(name), button]) for name, button in pairs]
        self._say(f"page {self.page + 1} of {pages}" if pages > 1 else "" if found else "no name has that in it")

    def choose(self, name: str) -> None:
        """Take ``name``, as its button does."""
        self.chosen = checks.one_of(name, self._what, tuple(self.names))
        for button in self.buttons:
            button.button_style = "success" if button.tooltip == plain(name) else ""
        self._say("")

    def _say(self, text: str) -> None:
        self.status.value = html.escape(plain(" · ".join(filter(None, [f"chosen: {self.chosen}", text]))))

    def _button(self, name: str) -> widgets.Button:
        said = plain(re.split(r"[\\/]", name)[-1])  # of a file its name
        said = said if len(said) <= _LETTERS else said[: _LETTERS - 1] + "…"
        button = widgets.Button(description=said, tooltip=plain(name), layout=widgets.Layout(width=f"{_SIZE[0]}px"))
        button.button_style = "success" if name == self.chosen else ""
        button.on_click(lambda _: self.choose(name))
        return button

    def _thumbnail(self, name: str) -> widgets.Widget:
        if name not in self._seen:
            layout = partial(widgets.Layout, width=f"{_SIZE[0]}px", height=f"{_SIZE[1]}px", object_fit="contain")
            try:
                picture = self._picture(name)
                small = resize(picture, fit_inside(picture.shape[1::-1], (2 * _SIZE[0], 2 * _SIZE[1])))
                self._seen[name] = widgets.Image(value=png(small), format="png", layout=layout())
            except (ValueError, OSError) as error:  # one broken file does not take the menu away
                self._seen[name] = widgets.HTML(
                    f'<small style="color:#c0392b">{html.escape(plain(str(error)))}</small>', layout=layout()
                )
        return self._seen[name]


def ask_menus(*menus: Menu) -> None:
    """Display ``menus`` one under the other; the next cells go on from what is ``chosen``."""
    display(widgets.VBox([menu.widget for menu in menus]))

"""A small panel for trying words: a prompt, a seed, a button, the picture."""

from __future__ import annotations

import html
import io
import time
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython.display import display
from PIL import Image

from helpers.images import fit_inside, resize
from helpers.person import Person


class Panel:
    """Type words, press "draw", see the person; :attr:`person` is the one drawn last.

    draw:    ``(prompt, seed) -> Person``
    person:  what is shown before the first press
    comment: ``Person -> str``, a line below the picture, for instance the words that were not understood
    """

    def __init__(
        self,
        draw: Callable[[str, int], Person],
        *,
        prompt: str,
        seed: int,
        person: Person,
        comment: Callable[[Person], str] = lambda person: "",
    ) -> None:
        self.person = person
        self._draw, self._comment = draw, comment
        self.prompt = widgets.Textarea(value=prompt, rows=2, layout=widgets.Layout(width="32em"))
        self.seed = widgets.BoundedIntText(
            value=seed, min=0, max=2**31 - 1, description="seed", layout=widgets.Layout(width="12em")
        )
        self.button = widgets.Button(description="draw", button_style="primary", tooltip="draw these words")
        self.another = widgets.Button(description="another", tooltip="the same words with the next seed")
        self.status = widgets.HTML(value=html.escape(comment(person)))
        self.image = widgets.Image(
            value=_png(person.image), format="png", layout=widgets.Layout(height="560px", width="auto", object_fit="contain")
        )
        self.button.on_click(self._on_draw)
        self.another.on_click(self._on_another)
        controls = widgets.HBox([self.seed, self.button, self.another])
        # At the start of the line: a box stretches its children, and a stretched picture is a fat person.
        self.widget = widgets.VBox(
            [self.prompt, controls, self.status, self.image], layout=widgets.Layout(align_items="flex-start")
        )

    def show(self) -> None:
        """Display the panel below the cell."""
        display(self.widget)

    def _on_another(self, _: Any) -> None:
        self.seed.value += 1
        self._on_draw(_)

    def _on_draw(self, _: Any) -> None:
        self.button.disabled = self.another.disabled = True
        self.status.value = "drawing …"
        started = time.perf_counter()
        try:
            self.person = self._draw(self.prompt.value, self.seed.value)
        except Exception as error:  # a widget's callback would lose it
            self.status.value = f'<span style="color:#c0392b">{html.escape(f"{type(error).__name__}: {error}")}</span>'
        else:
            self.image.value = _png(self.person.image)
            note = self._comment(self.person)
            self.status.value = html.escape(f"{time.perf_counter() - started:.1f} s" + (f" · {note}" if note else ""))
        finally:
            self.button.disabled = self.another.disabled = False


def _png(image: np.ndarray) -> bytes:
    small = resize(image, fit_inside((image.shape[1], image.shape[0]), (576, 768)))
    buffer = io.BytesIO()
    Image.fromarray(small).save(buffer, format="png")
    return buffer.getvalue()

"""A small panel for trying words: a prompt, a seed, a button, the picture."""

from __future__ import annotations

import time
from collections.abc import Callable

import ipywidgets as widgets
import numpy as np

from helpers.images import fit_inside, png, resize
from helpers.person import Person
from helpers.widgets.panel import Panel

_LARGEST_SEED = 2**53 - 1  # the last whole number that a page can count to; one that is given may be larger


class WordsPanel(Panel):
    """Type words, press "draw", see the person; :attr:`person` is the one drawn last.

    draw:     ``(prompt, seed) -> Person``; with ``in_steps`` also ``on_step=``, as ``helpers.stepping`` says
    person:   what is shown before the first press
    comment:  ``Person -> str``, a line below the picture, for instance the words that were not understood
    in_steps: the picture forms over seconds or minutes: the panel shows each step and can cancel. Whatever ends a drawing early, the
              last person stays.
    """

    kept = "the last picture stays"

    def __init__(
        self,
        draw: Callable[..., Person],
        *,
        prompt: str,
        seed: int,
        person: Person,
        comment: Callable[[Person], str] = lambda person: "",
        in_steps: bool = False,
    ) -> None:
        self.person = person
        self._draw, self._comment, self._in_steps = draw, comment, in_steps
        self.prompt = widgets.Textarea(value=prompt, rows=2, layout=widgets.Layout(width="32em"))
        self.seed = widgets.BoundedIntText(
            value=seed, min=0, max=max(seed, _LARGEST_SEED), description="seed", layout=widgets.Layout(width="12em")
        )
        self.button = widgets.Button(description="draw", button_style="primary", tooltip="draw these words")
        self.another = widgets.Button(description="another", tooltip="the same words with the next seed")
        super().__init__(self.button, self.another)
        self.image = widgets.Image(
            value=_small(person.image), format="png", layout=widgets.Layout(height="560px", width="auto", object_fit="contain")
        )
        self.say(comment(person))
        self.button.on_click(self._on_draw)
        self.another.on_click(self._on_another)
        controls = widgets.HBox([self.seed, self.button, self.another, *([self.cancel] if in_steps else [])])
        # At the start of the line: a box stretches its children, and a stretched picture is a fat person.
        self.widget = widgets.VBox(
            [self.prompt, controls, *([self.bar] if in_steps else []), self.status, self.image],
            layout=widgets.Layout(align_items="flex-start"),
        )

    def settled(self) -> None:
        super().settled()
        self.image.value = _small(self.person.image)

    def _on_another(self, _: widgets.Button) -> None:
        if not self.running:
            self.seed.value += 1
        self._on_draw(_)

    def _on_draw(self, _: widgets.Button) -> None:
        self.start(self._work, "drawing …", beside=self._in_steps)

    def _work(self) -> str:
        started = time.perf_counter()
        settings = {"on_step": self._on_step} if self._in_steps else {}
        self.person = self._draw(self.prompt.value, self.seed.value, **settings)
        note = self._comment(self.person)
        return f"{time.perf_counter() - started:.1f} s" + (f" · {note}" if note else "")

    def _on_step(self, step: int, total: int, preview: np.ndarray | None) -> bool:
        self.report(step / total, f"step {step} of {total}")
        if preview is not None and not self.cancelled:
            self.image.value = _small(preview)
        return not self.cancelled


def _small(image: np.ndarray) -> bytes:
    """``image`` as a PNG no larger than the panel shows."""
    return png(resize(image, fit_inside((image.shape[1], image.shape[0]), (576, 768))))

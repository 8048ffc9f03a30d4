"""A small panel for trying words: a prompt, a seed, a button, the picture."""

from __future__ import annotations

import html
import io
import threading
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

    draw:    ``(prompt, seed) -> Person``; with ``in_steps`` also ``on_step=``, as ``helpers.stepping`` says
    person:  what is shown before the first press
    comment: ``Person -> str``, a line below the picture, for instance the words that were not understood
    in_steps: the picture forms over seconds or minutes: drawn in a thread of its own, so that the kernel stays free and the panel
             shows each step and can cancel. Whatever ends a drawing early, the last person stays.
    """

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
        self._draw, self._comment = draw, comment
        self._thread: threading.Thread | None = None
        self._cancelled = threading.Event()
        self.prompt = widgets.Textarea(value=prompt, rows=2, layout=widgets.Layout(width="32em"))
        self.seed = widgets.BoundedIntText(
            value=seed, min=0, max=2**31 - 1, description="seed", layout=widgets.Layout(width="12em")
        )
        self.button = widgets.Button(description="draw", button_style="primary", tooltip="draw these words")
        self.another = widgets.Button(description="another", tooltip="the same words with the next seed")
        self.cancel = widgets.Button(
            description="cancel", tooltip="stop after this step; the last picture stays", disabled=True
        )
        self.bar = widgets.IntProgress(value=0, min=0, max=1, layout=widgets.Layout(width="20em", visibility="hidden"))
        self.status = widgets.HTML(value=html.escape(comment(person)))
        self.image = widgets.Image(
            value=png(person.image), format="png", layout=widgets.Layout(height="560px", width="auto", object_fit="contain")
        )
        self._in_steps = in_steps
        self.button.on_click(self._on_draw)
        self.another.on_click(self._on_another)
        self.cancel.on_click(self._on_cancel)
        controls = widgets.HBox([self.seed, self.button, self.another, *([self.cancel] if in_steps else [])])
        # At the start of the line: a box stretches its children, and a stretched picture is a fat person.
        self.widget = widgets.VBox(
            [self.prompt, controls, *([self.bar] if in_steps else []), self.status, self.image],
            layout=widgets.Layout(align_items="flex-start"),
        )

    def show(self) -> None:
        """Display the panel below the cell."""
        display(self.widget)

    def wait(self, seconds: float | None = None) -> None:
        """Block until what is being drawn is done, at most ``seconds``; for scripts, since a page's presses wait with it."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _on_another(self, _: Any) -> None:
        self.seed.value += 1
        self._on_draw(_)

    def _on_cancel(self, _: Any) -> None:
        self._cancelled.set()
        self.cancel.disabled = True
        self.status.value = "cancelling …"

    def _on_draw(self, _: Any) -> None:
        if self._thread is not None and self._thread.is_alive():  # two quick presses
            return
        self.button.disabled = self.another.disabled = True
        self.status.value = "drawing …"
        if not self._in_steps:
            self._run()
            return
        self._cancelled.clear()
        self.cancel.disabled = False
        self.bar.value, self.bar.layout.visibility = 0, "visible"
        self._thread = threading.Thread(target=self._run, name="atelier-panel", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        started = time.perf_counter()
        settings = {"on_step": self._on_step} if self._in_steps else {}
        try:
            self.person = self._draw(self.prompt.value, self.seed.value, **settings)
        except Exception as error:  # a widget's callback would lose it
            if self._cancelled.is_set():
                self.status.value = "cancelled; the last picture stays"
            else:
                self.status.value = f'<span style="color:#c0392b">{html.escape(f"{type(error).__name__}: {error}")}</span>'
        else:
            note = self._comment(self.person)
            self.status.value = html.escape(f"{time.perf_counter() - started:.1f} s" + (f" · {note}" if note else ""))
        finally:
            self.image.value = png(self.person.image)
            self.bar.layout.visibility = "hidden"
            self.button.disabled = self.another.disabled = False
            self.cancel.disabled = True

    def _on_step(self, step: int, total: int, preview: np.ndarray) -> bool:
        self.bar.max, self.bar.value = total, step
        if not self._cancelled.is_set():
            self.status.value = f"step {step} of {total}"
            self.image.value = png(preview)
        return not self._cancelled.is_set()


def png(image: np.ndarray) -> bytes:
    """``image`` as the bytes of a PNG no larger than a panel shows."""
    small = resize(image, fit_inside((image.shape[1], image.shape[0]), (576, 768)))
    buffer = io.BytesIO()
    Image.fromarray(small).save(buffer, format="png")
    return buffer.getvalue()

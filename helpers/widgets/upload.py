"""A picture of one's own, given by hand: a button that takes a file from the browser into the run's folder."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from helpers.files import slug, write_whole
from helpers.images import fit_inside, png, read_image, resize
from helpers.runs import Run
from helpers.show import plain

_LARGEST = 60_000_000  # bytes: of a file; what it may hold in pixels is the reader's affair


class Upload:
    """A button for one picture; :attr:`path` is the file that came last, else the one that was ``given``, else an empty text.

    what: which picture is meant, in a word; it is kept as ``uploads/WHAT.upload`` in the run's folder, told by its bytes when it is read
    A file that is no picture is named below the button, and what came before stays.
    """

    def __init__(self, what: str, run: Run, given: str = "") -> None:
        self.path, self._target = given, run.path("uploads", f"{slug(what)}.upload")
        self.button = widgets.FileUpload(
            accept="image/*", multiple=False, description=what, layout=widgets.Layout(width="16em")
        )
        self.status = widgets.HTML(html.escape(plain(f"as given: {given}" if given else "nothing yet")))
        self.image = widgets.Image(format="png", layout=widgets.Layout(height="240px", width="auto", display="none"))
        self.button.observe(self._on_value, names="value")
        self.widget = widgets.VBox([self.button, self.status, self.image], layout=widgets.Layout(align_items="flex-start"))

    def _on_value(self, change: Mapping[str, Any]) -> None:
        if not (came := _file(change["new"])):
            return
        name, content = came
        try:
            if len(content) > _LARGEST:
                raise ValueError(f"{name} has {len(content) / 1e6:.0f} MB, at most {_LARGEST // 10**6} are taken.")
            waiting = self._target.with_suffix(".new")
            write_whole(waiting, lambda part: part.write_bytes(content))
            try:
                picture = read_image(waiting, name)
                waiting.replace(self._target)
            finally:
                waiting.unlink(missing_ok=True)
        except (ValueError, OSError) as error:  # a callback would lose it
            self.status.value = f'<span style="color:#c0392b">{html.escape(plain(str(error)))}</span>'
            return
        self.path = str(self._target)
        height, width = picture.shape[:2]
        self.image.value, self.image.layout.display = png(resize(picture, fit_inside((width, height), (480, 480)))), "block"
        self.status.value = html.escape(plain(f"{Path(name).name} · {width}x{height} pixels"))


def ask_pictures(run: Run, **given: str) -> dict[str, Upload]:
    """Display a button for each picture, side by side, and return them by name; the next cells go on from their ``path``.

    given: name of the picture -> a file that is there already, or an empty text; with nobody at the mouse it stands in for the hand
    """
    asked = {name: Upload(name, run, path) for name, path in given.items()}
    display(widgets.HBox([upload.widget for upload in asked.values()]))
    return asked


def _file(value: Any) -> tuple[str, bytes] | None:
    """Name and content of what was uploaded, as ipywidgets 7 (a dict by name) and 8 (a tuple of dicts) have it."""
    if isinstance(value, Mapping):
        return next(((name, bytes(file["content"])) for name, file in value.items()), None)
    return next(((file["name"], bytes(file["content"])) for file in value), None)

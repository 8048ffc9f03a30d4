"""A small panel for fetching weights: a box to tick a group, its size and terms, a button, a bar."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from tqdm.auto import tqdm

from helpers import inventory, weights
from helpers.weights import downloads, verify
from helpers.widgets.panel import Panel


class FetchPanel(Panel):
    """Tick groups, read their terms, press "download"; what has come is kept if it is cancelled, and resumed by the next press.

    fetch: ``(*names, say=, progress=) -> paths``, as ``helpers.weights.downloads.fetch``
    """

    kept = "what has come is kept, and the next press resumes"

    def __init__(self, fetch: Callable[..., list[Path]] = downloads.fetch) -> None:
        self._fetch = fetch
        self.button = widgets.Button(description="download", button_style="primary", disabled=True)
        super().__init__(self.button)
        self.boxes: dict[str, widgets.Checkbox] = {}
        self.presence: dict[str, widgets.HTML] = {}
        self.terms = widgets.HTML()
        self.said = widgets.HTML()  # hashes and warnings, which the status would pass over
        lines = [self._line(row) for row in inventory.rows()]
        self.button.on_click(self._on_press)
        self.widget = widgets.VBox(
            [*lines, self.terms, widgets.HBox([self.button, self.cancel, self.bar]), self.status, self.said]
        )
        self.settled()

    def chosen(self) -> list[str]:
        """The groups that are ticked."""
        return [name for name, box in self.boxes.items() if box.value]

    def settled(self) -> None:
        self.button.disabled = not self.chosen()
        for name, label in self.presence.items():
            label.value = html.escape(verify.presence(name).partition(":")[0])

    def _line(self, row: dict[str, Any]) -> widgets.HBox:
        name = row["weights"]
        self.boxes[name] = widgets.Checkbox(
            value=False, description=name, indent=False, layout=widgets.Layout(width="15em", flex="0 0 auto")
        )
        self.presence[name] = widgets.HTML(layout=widgets.Layout(width="11em", flex="0 0 auto"))
        self.boxes[name].observe(self._on_tick, "value")
        text = f"{html.escape(row['size'])} · {_terms(weights.group(name))}"
        return widgets.HBox([self.boxes[name], self.presence[name], widgets.HTML(text)])

    def _on_tick(self, _: Any) -> None:
        wanted = downloads.plan(self.chosen())
        self.button.disabled = not wanted or self.running
        terms = "<br>".join(map(html.escape, downloads.terms(wanted)))
        needed = weights.human_size(sum(record.bytes for record in wanted))
        self.terms.value = f"{needed} to download. Pressing the button accepts these terms:<br>{terms}" if wanted else ""

    def _on_press(self, _: widgets.Button) -> None:
        if names := self.chosen():
            self.start(lambda: self._work(names), "asking for the files …")

    def _work(self, names: list[str]) -> str:
        self.said.value = ""
        paths = self._fetch(*names, say=self._say, progress=_bar_class(self))
        for name in names:
            self.boxes[name].value = False
        return f"done: {'1 file' if len(paths) == 1 else f'{len(paths)} files'} in {weights.folder()}"

    def _say(self, text: str) -> None:
        self.say(text)
        self.said.value += f"{html.escape(text)}<br>"


def _bar_class(panel: Panel) -> type[tqdm]:
    """A class like tqdm whose updates move the panel's bar, and which ends the download where it was cancelled."""

    class Bar(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options | {"disable": True})
            self.n, self.whole = options.get("initial", 0), options.get("total") or 0
            self.name = options.get("desc", "")
            panel.bar.value = 0

        def update(self, n: float | None = 1) -> None:
            if panel.cancelled:
                raise downloads.DownloadError("cancelled")
            self.n += n or 0
            share = min(self.n / self.whole, 1.0) if self.whole else 0.0
            if share - panel.bar.value > 0.005 or share == 1:  # a page cannot take every 64 kB's message
                panel.report(share, f"{self.name}: {weights.human_size(self.n)} of {weights.human_size(self.whole)}")

    return Bar


def _terms(group: weights.Group) -> str:
    text = html.escape(f"{group.licence}: {group.terms}")
    return text if group.commercial else f"<b>non-commercial</b> · {text}"

"""A small panel for fetching weights: a box to tick a group, its size and terms, a button, a bar."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from IPython.display import display
from tqdm.auto import tqdm

from helpers import inventory, weights
from helpers.weights import downloads, verify


class Panel:
    """Tick groups, read their terms, press "download"; what has come is kept if it is cancelled, and resumed by the next press.

    fetch: ``(*names, say=, progress=) -> paths``, as ``helpers.weights.downloads.fetch``
    The download runs in a thread of its own, so that the kernel stays free and the panel shows how far it is.
    """

    def __init__(self, fetch: Callable[..., list[Path]] = downloads.fetch) -> None:
        self._fetch = fetch
        self._thread: threading.Thread | None = None
        self._cancelled = threading.Event()
        self.boxes: dict[str, widgets.Checkbox] = {}
        self.presence: dict[str, widgets.HTML] = {}
        lines = []
        for row in inventory.rows():
            name = row["weights"]
            self.boxes[name] = widgets.Checkbox(
                value=False, description=name, indent=False, layout=widgets.Layout(width="15em", flex="0 0 auto")
            )
            self.presence[name] = widgets.HTML(layout=widgets.Layout(width="11em", flex="0 0 auto"))
            self.boxes[name].observe(self._on_tick, "value")
            text = f"{html.escape(row['size'])} · {_terms(weights.group(name))}"
            lines.append(widgets.HBox([self.boxes[name], self.presence[name], widgets.HTML(text)]))
        self.button = widgets.Button(description="download", button_style="primary", disabled=True)
        self.cancel = widgets.Button(description="cancel", disabled=True, tooltip="what has come is kept and resumed")
        self.bar = widgets.FloatProgress(value=0, min=0, max=1, layout=widgets.Layout(width="20em", visibility="hidden"))
        self.status = widgets.HTML()
        self.said = widgets.HTML()  # hashes and warnings, which the status would pass over
        self.button.on_click(self._on_press)
        self.cancel.on_click(lambda _: self._cancelled.set())
        self.widget = widgets.VBox([*lines, widgets.HBox([self.button, self.cancel, self.bar]), self.status, self.said])
        self._refresh()

    def show(self) -> None:
        """Display the panel below the cell."""
        display(self.widget)

    def wait(self, seconds: float | None = None) -> None:
        """Block until the download is done, at most ``seconds``; for scripts, since a page's presses wait with it."""
        if self._thread is not None:
            self._thread.join(seconds)

    def chosen(self) -> list[str]:
        """The groups that are ticked."""
        return [name for name, box in self.boxes.items() if box.value]

    def _refresh(self) -> None:
        for name, label in self.presence.items():
            label.value = html.escape(verify.presence(name).partition(":")[0])

    def _on_tick(self, _: Any) -> None:
        wanted = downloads.plan(self.chosen())
        self.button.disabled = not wanted or self._running()
        terms = "<br>".join(map(html.escape, downloads.terms(wanted)))
        needed = weights.human_size(sum(record.bytes for record in wanted))
        self.status.value = f"{needed} to download. Pressing the button accepts these terms:<br>{terms}" if wanted else ""

    def _running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _on_press(self, _: Any) -> None:
        if self._running() or not self.chosen():  # two quick presses
            return
        self._cancelled.clear()
        self.said.value = ""
        self.button.disabled, self.cancel.disabled = True, False
        self.bar.value, self.bar.layout.visibility = 0, "visible"
        self._thread = threading.Thread(target=self._run, args=(self.chosen(),), name="atelier-weights", daemon=True)
        self._thread.start()

    def _run(self, names: list[str]) -> None:
        try:
            paths = self._fetch(*names, say=self._say, progress=self._bar_class())
        except Exception as error:  # a thread would lose it
            if self._cancelled.is_set():
                self.status.value = "cancelled; what has come is kept, and the next press resumes"
            else:
                self.status.value = f'<span style="color:#c0392b">{html.escape(f"{type(error).__name__}: {error}")}</span>'
        else:
            for name in names:
                self.boxes[name].value = False
            count = "1 file" if len(paths) == 1 else f"{len(paths)} files"
            self.status.value = f"done: {count} in {html.escape(str(weights.folder()))}"
        finally:
            self.bar.layout.visibility = "hidden"
            self.cancel.disabled = True
            self.button.disabled = not self.chosen()
            self._refresh()

    def _say(self, text: str) -> None:
        self.status.value = html.escape(text)
        self.said.value += f"{html.escape(text)}<br>"

    def _bar_class(self) -> type[tqdm]:
        """A class like tqdm whose updates move the panel's bar, and which ends the download where it was cancelled."""
        panel = self

        class Bar(tqdm):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options | {"disable": True})
                self.n, self.total = options.get("initial", 0), options.get("total")
                self.name = options.get("desc", "")
                panel.bar.value = 0

            def update(self, n: float = 1) -> None:
                if panel._cancelled.is_set():
                    raise downloads.DownloadError("cancelled")
                self.n += n
                share = self.n / self.total if self.total else 0.0
                if share - panel.bar.value > 0.005 or share >= 1:
                    panel.bar.value = min(share, 1.0)
                    of = f" of {weights.human_size(int(self.total))}" if self.total else ""
                    panel.status.value = html.escape(f"{self.name}: {weights.human_size(int(self.n))}{of}")

        return Bar


def _terms(group: weights.Group) -> str:
    text = html.escape(f"{group.licence}: {group.terms}")
    return text if group.commercial else f"<b>non-commercial</b> · {text}"

"""What every panel is made of: a button that starts something slow, a bar, a line of words, and a way to stop it."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable

import ipywidgets as widgets
from IPython.display import display

from helpers.show import plain


class Panel:
    """Something slow behind a button. It runs in a thread of its own, so that the kernel stays free and the page shows how far it is.

    Subclasses put these into ``widget`` and call :meth:`start` when a button is pressed. The work calls :meth:`report` and ends itself,
    by whatever exception, where it finds ``cancelled``:

    buttons: those that start it; none can be pressed while it runs
    cancel:  the button that sets ``cancelled``; ``kept`` says what is left of the work then
    bar:     how far it is, 0 to 1; hidden while nothing runs
    status:  a line of HTML: how far it is, how it ended, or what went wrong
    running: whether something is under way
    """

    widget: widgets.Widget
    kept = "nothing is lost"

    def __init__(self, *buttons: widgets.Button) -> None:
        self.buttons, self.running = buttons, False
        self.cancel = widgets.Button(description="cancel", tooltip=self.kept, disabled=True)
        self.bar = widgets.FloatProgress(value=0, min=0, max=1, layout=widgets.Layout(width="20em", visibility="hidden"))
        self.status = widgets.HTML()
        self.cancel.on_click(self._on_cancel)
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self) -> None:
        """Display the panel below the cell."""
        display(self.widget)

    def wait(self, seconds: float | None = None) -> None:
        """Block until what runs is done, at most ``seconds``; for scripts, since a page's presses wait with it."""
        if self._thread is not None:
            self._thread.join(seconds)

    @property
    def cancelled(self) -> bool:
        """Whether what runs has to end, or what ran last was ended."""
        return self._cancelled.is_set()

    def start(self, work: Callable[[], str], first: str, beside: bool = True) -> None:
        """Run ``work``, whose answer is what the status says at its end; nothing happens while something runs (two quick presses).

        first:  what the status says until the work reports
        beside: in a thread of its own; otherwise here and now, for what is done in a moment
        """
        if self.running:
            return
        self.running = True
        self._cancelled.clear()
        for button in self.buttons:
            button.disabled = True
        self.say(first)
        if not beside:
            self._run(work)
            return
        self.cancel.disabled = False
        self.bar.value, self.bar.layout.visibility = 0, "visible"
        self._thread = threading.Thread(target=self._run, args=(work,), name="atelier-panel", daemon=True)
        self._thread.start()

    def say(self, text: str) -> None:
        """Show plain ``text`` in the status line."""
        self.status.value = html.escape(plain(text))

    def report(self, share: float, text: str) -> None:
        """Show how far the work is, 0 to 1, and say so; that it is being cancelled stays to be read."""
        self.bar.value = share
        if not self.cancelled:
            self.say(text)

    def settled(self) -> None:
        """Called when nothing runs any more: which buttons can be pressed now."""
        for button in self.buttons:
            button.disabled = False

    def _run(self, work: Callable[[], str]) -> None:
        try:
            self.say(work())
        except Exception as error:  # a thread or a widget's callback would lose it
            if self.cancelled:
                self.say(f"cancelled; {self.kept}")
            else:
                self.status.value = (
                    f'<span style="color:#c0392b">{html.escape(plain(f"{type(error).__name__}: {error}"))}</span>'
                )
        finally:
            self.bar.layout.visibility = "hidden"
            self.cancel.disabled, self.running = True, False
            self.settled()

    def _on_cancel(self, _: widgets.Button) -> None:
        self._cancelled.set()
        self.cancel.disabled = True
        self.say("cancelling …")

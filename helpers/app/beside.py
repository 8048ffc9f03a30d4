"""The dressing room beside a notebook: a server of its own that lives as long as the kernel, and the page in a frame below the cell."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from helpers.app.client import Visitor
from helpers.app.commands import PASSWORD
from helpers.files import told

_UP = 180.0  # seconds in which it has to open
_FRAMES = "'self' http://localhost:* http://127.0.0.1:*"
_COLAB = "https://colab.research.google.com https://*.googleusercontent.com"


class Beside:
    """A room that :func:`open_room` opened. ``url``: where this machine reaches it; a context manager that closes it."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, password: str) -> None:
        self._process, self.url, self._password = process, url, password

    def visit(self) -> Visitor:
        """Come in as a program does."""
        return Visitor(self.url, self._password)

    def link(self, place: str = "") -> str:
        """The address for a browser, with the password behind the ``#``, which browsers keep to themselves.

        place: where the proxy puts it, such as ``/proxy/8765/``; nothing: found out, as :meth:`show` does
        """
        return f"{place or _place(self.port) or self.url}#password={self._password}"

    @property
    def port(self) -> int:
        """Where the server listens."""
        return int(self.url.rstrip("/").rpartition(":")[2])

    def show(self, height: int = 900, place: str = "") -> None:
        """The page below the cell: through Colab's proxy, a hub's or JupyterLab's, or straight from this machine."""
        from IPython.display import HTML, IFrame, display

        if "google.colab" in sys.modules:
            from google.colab import output

            output.serve_kernel_port_as_iframe(self.port, path=f"/#password={self._password}", height=str(height))
            return
        link = self.link(place)
        display(IFrame(link, width="100%", height=height, extras=['allow="camera"']))
        display(HTML(f'<a href="{link}" target="_blank" rel="noopener">{told(link.partition("#")[0])}</a>'))

    def close(self) -> None:
        """Close the room, which finishes what runs and deletes every picture."""
        if self._process.stdin is not None:
            self._process.stdin.close()  # it is on this leash
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_room(log: str | Path, *, wardrobe: str = "", workers: int = 1, port: int = 0, minutes: float = 30) -> Beside:
    """Open a dressing room that lives as long as this kernel, with a password that only its own links hold.

    log: a file for what the server says, which is nothing of the pictures; the others as ``python -m helpers app`` has them
    Raises ``RuntimeError`` with the server's words where it does not open.
    """
    log, password = Path(log), secrets.token_urlsafe(18)
    log.parent.mkdir(parents=True, exist_ok=True)
    frames = f"{_FRAMES} {_COLAB}" if "google.colab" in sys.modules else _FRAMES
    given: dict[str, Any] = {"port": port, "workers": workers, "minutes": minutes, "frames": frames}
    if wardrobe:
        given["wardrobe"] = wardrobe
    command = [sys.executable, "-m", "helpers", "app", "--leashed"]
    command += [part for name, value in given.items() for part in (f"--{name}", str(value))]
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env={**os.environ, PASSWORD: password},
            start_new_session=True,
        )
    until = time.monotonic() + _UP
    while time.monotonic() < until and process.poll() is None:
        text = log.read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"open: (http\S+)", text):
            return Beside(process, found[1], password)
        time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"the dressing room did not open: {log.read_text(encoding='utf-8', errors='replace').strip()[-600:]}")


def _place(port: int) -> str:
    """The path at which a proxy of JupyterHub, or of JupyterLab, leads to ``port``; nothing where there is none."""
    hub = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    return f"{hub.rstrip('/')}/proxy/{port}/" if hub and importlib.util.find_spec("jupyter_server_proxy") else ""

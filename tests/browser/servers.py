"""Servers for a browser to visit: isolated folders, free ports, and nothing left running afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import requests
from page_steps import Hand
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "02_segment.ipynb"
SIZE = (360, 480)  # width, height of the test picture
TOP, SKIRT, WALL = (180, 170), (180, 290), (60, 60)  # places in it


@dataclass
class Server:
    """A running server, its folder of notebooks, and where their runs go."""

    url: str
    token: str
    root: Path
    outputs: Path

    def api(self, path: str, method: str = "GET") -> Any:
        reply = requests.request(method, f"{self.url}/api/{path}", params={"token": self.token}, timeout=10)
        reply.raise_for_status()
        return reply.json() if reply.content else None

    def notebook(self, name: str, **parameters: Any) -> Path:
        """A copy of the notebook under ``name``, its run called ``name`` too, with further parameters set."""
        notebook = load_notebook_node(str(NOTEBOOK))
        parameters = {"run": name, "person": str(self.root / "person.png"), "outputs": str(self.outputs), **parameters}
        path = self.root / f"{name}.ipynb"
        nbformat.write(parameterize_notebook(notebook, parameters), path)
        return path

    def hand(self, page: Any, name: str) -> Hand:
        """A hand on the clicker of run ``name`` in ``page``."""
        return Hand(page, SIZE, self.outputs / name / "clicks" / "02_segment")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def isolated(folder: Path) -> dict[str, str]:
    """The environment with every Jupyter folder under ``folder`` and one thread a library."""
    names = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
    )
    own = {name: str(folder / name.lower()) for name in names}
    for path in own.values():
        Path(path).mkdir(parents=True, exist_ok=True)
    return {**os.environ, **own, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@contextlib.contextmanager
def process(command: list[str], environment: dict[str, str], folder: Path, log: Path) -> Iterator[subprocess.Popen]:
    """A process in a group of its own that is gone afterwards, politely or not."""
    with log.open("wb") as stream:
        running = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield running
    finally:
        for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(patience)
                break

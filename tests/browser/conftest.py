"""A real browser on a real JupyterLab or Voilà: isolated folders, free ports, and nothing left running afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import get_chromium
import nbformat
import numpy as np
import pytest
import requests
from page_steps import Hand, wait_until
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from helpers import images

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "02_segment.ipynb"
SIZE = (360, 480)  # width, height of the test picture
TOP, SKIRT, WALL = (180, 170), (180, 290), (60, 60)  # places in it
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


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
        return Hand(page, SIZE, self.outputs / name / "clicks")


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


@pytest.fixture(scope="session")
def chromium() -> str:
    path = get_chromium.find()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(get_chromium.ADVICE)
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(FLAGS), timeout=60_000)
        yield opened
        opened.close()


def _of_ours(message: Any) -> bool:
    """Whether a console message is an error, and not merely a picture of another site that cannot be had offline."""
    where = message.location.get("url", "")
    return message.type == "error" and (not where.startswith("http") or where.startswith("http://127.0.0.1"))


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens pages in contexts of their own; ``page.complaints`` collects what the page's scripts complain about."""
    contexts = []

    def new(**options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda message: page.complaints.append(message.text) if _of_ours(message) else None)
        return page

    yield new
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a picture to click on: a figure in a blue top and a red skirt before a grey wall, drawn here."""
    folder = tmp_path_factory.mktemp("workplace")
    picture = np.full((SIZE[1], SIZE[0], 3), (196, 194, 190), np.uint8)
    cv2.ellipse(picture, (180, 70), (34, 44), 0, 0, 360, (224, 172, 140), -1, cv2.LINE_AA)
    cv2.rectangle(picture, (168, 105), (192, 125), (224, 172, 140), -1)
    for x in (150, 195):
        cv2.rectangle(picture, (x, 330), (x + 16, 470), (224, 172, 140), -1)
    cv2.fillPoly(picture, [np.array([(110, 120), (250, 120), (240, 235), (120, 235)])], (38, 70, 140), cv2.LINE_AA)
    cv2.fillPoly(picture, [np.array([(122, 236), (238, 236), (262, 345), (98, 345)])], (170, 40, 50), cv2.LINE_AA)
    noise = np.random.default_rng(0).normal(0, 3, picture.shape)
    images.write_image(folder / "person.png", np.clip(picture + noise, 0, 255).astype(np.uint8))
    return folder


@pytest.fixture(scope="session")
def lab(chromium: str, workplace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab, up and answering."""
    own = tmp_path_factory.mktemp("lab")
    port, log = free_port(), own / "log.txt"
    server = Server(f"http://127.0.0.1:{port}", secrets.token_hex(16), workplace, own / "outputs")
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={server.token}", f"--ServerApp.root_dir={workplace}"),
        "--LabApp.expose_app_in_browser=True",
    ]
    with process(command, isolated(own), workplace, log) as running:

        def up() -> bool:
            if running.poll() is not None:
                pytest.fail(f"JupyterLab ended with {running.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
            try:
                return bool(server.api("status"))
            except requests.RequestException:
                return False

        wait_until(up, lambda: f"JupyterLab to start:\n{log.read_text(errors='replace')[-3000:]}", 120)
        yield server
        # Kernels live in sessions of their own, out of reach of the group's signal.
        with contextlib.suppress(requests.RequestException):
            for kernel in server.api("kernels"):
                server.api(f"kernels/{kernel['id']}", "DELETE")

"""A real browser on a real JupyterLab or Voilà: isolated folders, free ports, and nothing left running afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import get_chromium
import numpy as np
import pytest
import requests
from page_steps import wait_until
from servers import SIZE, Server, free_port, isolated, process

from helpers import images

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

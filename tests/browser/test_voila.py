"""The clicker in Voilà, where every cell has run before there is a page to draw in."""

from __future__ import annotations

import json
import sys

import pytest
import requests
from page_steps import CANVAS, elsewhere, plain, tinted, wait_until
from servers import SKIRT, TOP, WALL, Server, free_port, isolated, process

from helpers import images

pytestmark = pytest.mark.timeout(240)


def test_clicks_in_voila(chromium, open_page, workplace, tmp_path) -> None:
    port, log = free_port(), tmp_path / "log.txt"
    server = Server(f"http://127.0.0.1:{port}", "", workplace, tmp_path / "outputs")
    notebook = server.notebook("voila", points=[[*TOP, 1]])
    command = [
        *(sys.executable, "-m", "voila", str(notebook), "--no-browser"),
        *(f"--port={port}", "--Voila.ip=127.0.0.1"),
    ]
    with process(command, isolated(tmp_path), workplace, log) as running:

        def up() -> bool:
            if running.poll() is not None:
                pytest.fail(f"Voilà ended with {running.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
            try:
                return requests.get(f"{server.url}/voila/static/voila.js", timeout=2).status_code < 500
            except requests.RequestException:
                return False

        wait_until(up, lambda: f"Voilà to start:\n{log.read_text(errors='replace')[-3000:]}", 90)
        page = open_page()
        page.goto(server.url, wait_until="domcontentloaded", timeout=120_000)
        page.wait_for_selector(CANVAS, timeout=120_000)
        picture = images.read_image(workplace / "person.png")
        hand = server.hand(page, "voila")
        hand.sees(elsewhere(TOP), tinted(picture, elsewhere(TOP)))
        hand.sees(WALL, plain(picture, WALL))

        hand.click(SKIRT)
        ((_, _, _), (x, y, label)) = hand.saved([1, 1])
        assert (abs(x - SKIRT[0]) <= 1, abs(y - SKIRT[1]) <= 1, label) == (True, True, 1)
        hand.sees(elsewhere(SKIRT), tinted(picture, elsewhere(SKIRT)))
        hand.key("Control+z")
        hand.saved([1])
        hand.key("x")
        hand.click(WALL)
        hand.saved([1, 0])
        hand.button("done")
        note = server.outputs / "voila" / "mask" / "person.json"
        wait_until(lambda: len(json.loads(note.read_text())["points"]) == 2, "done to hand the mask and its two clicks on")
        page.context.close()  # its kernel ends with it

"""The dressing room in a browser, at a desk and on a phone: from a picture to the download, by mouse, by finger and by keyboard."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import requests
from page_steps import wait_until
from PIL import Image
from servers import free_port, isolated, process

from helpers.app import stock

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 900}}
PERSON = next(piece.path for piece in stock.read().values() if piece.kind == "person" and "grey-t-shirt" in piece.id)
MASK_AT = """(canvas, [x, y]) => {
  const [px, py] = [x * canvas.width, y * canvas.height];
  return Array.from(canvas.getContext('2d').getImageData(px, py, 1, 1).data);
}"""


@pytest.fixture(scope="module")
def room(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen]]:
    """``python -m helpers app`` as anybody starts it."""
    folder = tmp_path_factory.mktemp("room")
    port, log = free_port(), folder / "log.txt"
    command = [sys.executable, "-m", "helpers", "app", "--port", str(port), "--workers", "1"]
    with process(command, {**isolated(folder), "TMPDIR": str(folder)}, Path.cwd(), log) as running:
        wait_until(lambda: "is open" in log.read_text() or running.poll() is not None, lambda: log.read_text(), 120)
        assert running.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}/", running


@pytest.fixture
def enter(open_page: Callable[..., Any], room: tuple[str, Any]) -> Callable[..., Any]:
    def come(options: dict[str, Any] = DESK) -> Any:
        page = open_page(**options)
        page.goto(room[0])
        page.locator("body[data-ready]").wait_for()
        return page

    return come


def _upload(page: Any, data: bytes | Path = PERSON, name: str = "me.jpg") -> None:
    file = str(data) if isinstance(data, Path) else {"name": name, "mimeType": "image/jpeg", "buffer": data}
    page.locator("#person-file").set_input_files(file)


def _garment(page: Any, words: str) -> Any:
    return page.locator("#garments .card", has_text=words)


def _worn(page: Any, count: int = 1) -> None:
    page.locator("#history img").nth(count - 1).wait_for()
    page.locator("#after").wait_for()


@pytest.mark.parametrize("options", [DESK, PHONE], ids=["desk", "phone"])
def test_from_a_photograph_to_the_download(enter: Callable[..., Any], options: dict[str, Any]) -> None:
    page = enter(options)
    press = (lambda what: what.tap()) if options is PHONE else (lambda what: what.click())
    assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]
    assert page.locator("#go").is_disabled()
    for each in page.locator("#people .card, #garments .card").all():
        assert 80 < each.bounding_box()["width"] < 260
    _upload(page)
    page.locator("#mask").wait_for()
    press(_garment(page, "striped"))
    press(_garment(page, "checked shirt"))
    assert page.locator("#go").inner_text() == "Try 2 on"
    press(page.locator("#go"))
    _worn(page, 2)
    assert "Apache-2.0" in page.locator("#made").inner_text()
    assert page.locator("#notes li").count() >= 1
    page.locator("#compare").fill("50")
    assert page.locator("#mirror").evaluate("box => box.style.getPropertyValue('--at')") == "50%"
    with page.expect_download() as downloading:
        press(page.locator("#download"))
    with Image.open(downloading.value.path()) as png:
        assert (png.format, png.text["Engine"], png.text["Seed"]) == ("PNG", "drape", "0")
        assert np.asarray(png).std() > 10
    assert re.fullmatch(r"a-[\w-]+\.png", downloading.value.suggested_filename)
    assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]
    press(page.locator("#keep"))
    page.locator("#after").wait_for(state="hidden")
    press(_garment(page, "chinos"))
    press(page.locator("#go"))
    _worn(page, 3)
    assert page.complaints == []


def test_a_mask_is_corrected_by_clicking(enter: Callable[..., Any]) -> None:
    page = enter()
    page.locator("#people .card").nth(3).click()
    canvas = page.locator("#mask")
    canvas.wait_for()
    page.locator("#edit").click()
    chest = (0.5, 0.33)
    wait_until(lambda: canvas.evaluate(MASK_AT, chest)[2] > 150, "the chest to be blue")
    page.get_by_text("Take away").click()
    box = canvas.bounding_box()
    scale = min(box["width"] / 3, box["height"] / 4)
    left = box["x"] + (box["width"] - 3 * scale) / 2
    page.mouse.click(left + chest[0] * 3 * scale, box["y"] + chest[1] * 4 * scale)
    beside = (chest[0] + 0.03, chest[1])
    wait_until(lambda: canvas.evaluate(MASK_AT, beside)[3] == 0, "the place beside the click to be taken away")
    page.locator("#undo").click()
    wait_until(lambda: canvas.evaluate(MASK_AT, beside)[3] > 0, "it to be blue again")
    page.locator("#done").click()
    assert page.locator("#tools").is_hidden()
    assert page.complaints == []


def test_cancelling(enter: Callable[..., Any]) -> None:
    page = enter()
    page.locator("#person-text").fill("a woman in a red dress with long hair")
    page.locator("#person-words button").click()
    page.locator("#cancel").click()
    wait_until(lambda: page.locator("#status").inner_text() == "Cancelled.", "it to be cancelled")
    assert page.locator("#cancel").is_hidden()
    assert page.locator("#alert").inner_text() == ""
    page.locator("#people .card").first.click()
    page.locator("#mask").wait_for()


def test_two_people_see_their_own(enter: Callable[..., Any]) -> None:
    anna, ben = enter(), enter(PHONE)
    _upload(anna)
    anna.locator("#mask").wait_for()
    _garment(anna, "mustard").click()
    ben.locator("#people .card").first.tap()
    _garment(ben, "turtleneck").tap()
    anna.locator("#go").click()
    ben.locator("#go").tap()
    _worn(anna)
    _worn(ben)
    assert "mustard" in anna.locator("#worn").inner_text().lower()
    assert "turtleneck" in ben.locator("#worn").inner_text().lower()
    assert (anna.locator("#history li").count(), ben.locator("#history li").count()) == (1, 1)
    assert ben.locator("#people .card", has_text="me").count() == 0
    anna.locator("#leave").click()
    wait_until(lambda: "deleted" in anna.locator("#status").inner_text(), "everything to be deleted")
    assert anna.locator("#tried").is_hidden()
    assert ben.locator("#history li").count() == 1


def _bomb() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (30000, 30000)).save(buffer, "PNG")
    return buffer.getvalue()


BAD = {
    "is empty": lambda: b"",
    "not a picture": lambda: b"<script>document.title='mine'</script>",
    "cut short": lambda: PERSON.read_bytes()[:9000],
    "PDF": lambda: b"%PDF-1.7" + bytes(99),
    "megapixels": _bomb,
    "too large": lambda: bytes(26_000_000),
}


def test_every_bad_upload_is_told(enter: Callable[..., Any]) -> None:
    page = enter()
    for told, data in BAD.items():
        _upload(page, data(), "<img src=x onerror=alert(1)>.jpg")
        wait_until(lambda told=told: told in page.locator("#alert").inner_text(), f"{told} to be said")
    assert page.locator("#mirror.empty").count() == 1
    assert page.title() == "Atelier · Dressing room"


def test_a_name_is_text(enter: Callable[..., Any]) -> None:
    page = enter()
    _upload(page, PERSON.read_bytes(), "<img src=x onerror=document.title='mine'>.jpg")
    page.locator("#mask").wait_for()
    assert "mine" not in page.title()
    assert page.locator("#people img[onerror]").count() == 0
    assert page.complaints == []


def _tab_to(page: Any, selector: str, most: int = 60) -> None:
    """Press Tab until what ``selector`` finds has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
            return
    pytest.fail(f"{selector} is not reached with Tab")


def test_with_the_keyboard_alone(enter: Callable[..., Any]) -> None:
    page = enter()
    _tab_to(page, ".skip", 1)
    _tab_to(page, "#person-file")
    _tab_to(page, "#people .card")
    page.keyboard.press("Enter")
    page.locator("#mask").wait_for()
    page.locator("#edit").focus()
    page.keyboard.press("Enter")
    wait_until(lambda: page.evaluate("document.activeElement.id") == "mask", "the mask to have the focus")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_until(lambda: "replaced" in page.locator("#status").inner_text(), "the point to count")
    page.keyboard.press("Backspace")
    _tab_to(page, "#done")
    page.keyboard.press("Enter")
    page.locator("#wall").focus()
    _tab_to(page, "#garments .card")
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    _tab_to(page, "#go")
    page.keyboard.press("Enter")
    _worn(page)
    page.locator("#compare").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#compare").input_value() == "1"


def test_what_a_screen_reader_is_told(enter: Callable[..., Any]) -> None:
    page = enter()
    for role in ("button", "img", "textbox", "combobox", "slider", "radio"):
        for each in page.get_by_role(role).all():
            tree = each.aria_snapshot()
            assert role == "img" or re.search(rf'{role} ".+"', tree), tree
    assert page.get_by_role("status").count() == 1
    assert page.get_by_role("heading").count() >= 3


def test_the_page_is_light(enter: Callable[..., Any], open_page: Callable[..., Any], room: tuple[str, Any]) -> None:
    page, sizes = open_page(), {}
    page.on(
        "response",
        lambda answer: sizes.update({answer.url: len(answer.body())}) if not re.search("/api/|^blob:", answer.url) else None,
    )
    page.goto(room[0])
    page.locator("body[data-ready]").wait_for()
    assert len(sizes) >= 6
    assert sum(sizes.values()) < 200_000, sizes
    assert all(url.startswith(room[0]) for url in sizes)


def test_behind_a_proxy_that_gives_it_another_path(open_page: Callable[..., Any], room: tuple[str, Any]) -> None:
    """A proxy that gives the page another path, as JupyterLab's does: every address in it is relative."""
    page = open_page()

    def passed(route: Any) -> None:
        asked = route.request
        there = asked.url.replace("http://hub.example/user/anna/proxy/8765/", room[0])
        answer = requests.request(
            asked.method, there, data=asked.post_data_buffer, headers={k: v for k, v in asked.headers.items() if k != "host"}
        )
        route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.content)

    page.route("http://hub.example/user/anna/proxy/8765/**", passed)
    page.goto("http://hub.example/user/anna/proxy/8765/")
    page.locator("body[data-ready]").wait_for()
    page.locator("#people .card").first.click()
    page.locator("#mask").wait_for()


def test_a_killed_worker_is_said_and_the_next_goes_on(enter: Callable[..., Any], room: tuple[str, Any]) -> None:
    page = enter()
    page.locator("#garment-text").fill("a purple hoodie")
    page.locator("#garment-words button").click()
    wait_until(lambda: page.locator("#status").inner_text() == "Sewing", "the work to begin")
    workers = [child for child in psutil.Process(room[1].pid).children() if "reader" not in child.cmdline()]
    os.kill(workers[0].pid, signal.SIGKILL)
    wait_until(lambda: "SIGKILL" in page.locator("#alert").inner_text(), "the worker's end to be said")
    page.locator("#people .card").first.click()
    page.locator("#mask").wait_for()
    health = requests.get(f"{room[0]}health", timeout=10)
    assert json.loads(health.text) == {"well": True}

"""The dressing room as programs use it: real worker processes, uploads of every kind, and what nobody else gets to see."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests
from local_room import Visitor, open_room
from PIL import Image, PngImagePlugin

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def room() -> Iterator[tuple[str, Any]]:
    with open_room(upload_bytes=2_000_000, upload_pixels=4_000_000, arrivals=10_000, rate=10_000) as opened:
        yield opened


@pytest.fixture
def anna(room: tuple[str, Any]) -> Visitor:
    return Visitor(room[0])


def _photograph(anna: Visitor) -> bytes:
    return anna.picture(anna.people[0]["id"])


def _picture(size: tuple[int, int] = (200, 300), kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)).save(buffer, kind, **options)
    return buffer.getvalue()


def test_from_upload_to_download(anna: Visitor) -> None:
    person = anna.upload(_photograph(anna), name="me.jpg").json()
    assert (person["kind"], person["width"], person["height"]) == ("person", 768, 1024)
    mask = anna.do("masks", person=person["id"], category="upper")["mask"]
    assert 0.02 < mask["share"] < 0.2
    garment = next(piece for piece in anna.garments if "striped" in piece["name"])
    worn = anna.do("tryons", person=person["id"], garment=garment["id"], mask=mask["id"], seed=3)["picture"]
    assert worn["engine"] == "drape"
    assert worn["garment"] == garment["name"]
    with Image.open(io.BytesIO(anna.picture(worn["id"]))) as png:
        png.load()
        assert (png.format, png.size) == ("PNG", (768, 1024))
        assert (png.text["Engine"], png.text["Seed"], png.text["Licence"]) == ("drape", "3", "Apache-2.0")
        assert "not a photograph" in png.text["Disclaimer"]
        after = np.asarray(png.convert("RGB")).astype(int)
    before = np.asarray(Image.open(io.BytesIO(_photograph(anna))).convert("RGB")).astype(int)
    changed = (np.abs(after - before).max(2) > 40).mean()
    assert 0.01 < changed < 0.3, "the garment, and not the whole picture"
    kept = anna.do("tryons", person=worn["id"], garment=next(g for g in anna.garments if g["category"] == "lower")["id"])
    assert kept["picture"]["kind"] == "result", "and trousers go with it"


def test_clicks_move_the_mask(anna: Visitor) -> None:
    person = anna.people[0]["id"]
    found = anna.do("masks", person=person, category="upper")["mask"]
    mask = np.asarray(Image.open(io.BytesIO(anna.picture(found["id"]))).convert("L")) > 127
    rows, columns = np.nonzero(mask)
    middle = [float(columns.mean()), float(rows.mean()), 0]
    less = anna.do("masks", person=person, category="upper", points=[middle])["mask"]
    now = np.asarray(Image.open(io.BytesIO(anna.picture(less["id"]))).convert("L")) > 127
    assert not now[int(middle[1]), int(middle[0])]
    assert now.sum() < mask.sum()


def test_words_make_people_and_garments_and_name_no_file(anna: Visitor, tmp_path: Any) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(_picture())
    made = anna.do("drawings", kind="garment", words=f'a red t-shirt "{secret}"', seed=1)["picture"]
    assert (made["kind"], made["category"]) == ("garment", "upper")
    picture = np.asarray(Image.open(io.BytesIO(anna.picture(made["id"])))).astype(int)
    middle = picture[picture.shape[0] // 2 - 20 : picture.shape[0] // 2, 230:250].mean((0, 1))
    assert middle[0] > middle[1] + 60, "plain red: nothing is printed on it"
    refused = anna.wait(anna.start("drawings", kind="person", words="a naked woman"))
    assert refused["state"] == "failed"
    child = anna.wait(anna.start("drawings", kind="garment", words="a dress for a ten year old girl"))
    assert child["state"] == "failed"


def test_metadata_goes_and_the_picture_stands_upright(anna: Visitor) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 0.0)
    taken = anna.upload(_picture((300, 200), "JPEG", exif=exif.tobytes(), comment=b"SecretComment")).json()
    assert (taken["width"], taken["height"]) == (200, 300)
    kept = anna.picture(taken["id"])
    assert b"Secret" not in kept
    assert not Image.open(io.BytesIO(kept)).getexif()


def test_a_garments_transparency_is_its_mask(anna: Visitor) -> None:
    drawn = np.zeros((400, 300, 4), np.uint8)
    drawn[100:300, 80:220] = (200, 30, 40, 255)
    buffer = io.BytesIO()
    Image.fromarray(drawn).save(buffer, "PNG")
    taken = anna.upload(buffer.getvalue(), "garment", category="lower", name="skirt").json()
    assert taken["category"] == "lower"
    assert Image.open(io.BytesIO(anna.picture(taken["id"]))).mode == "RGBA"


def _bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    buffer = io.BytesIO()
    Image.new("1", (30000, 30000)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


BAD = {
    "nothing": (lambda: b"", 422, "empty"),
    "text": (lambda: b"hello" * 100, 422, "not a picture"),
    "a web page": (lambda: b"<html><script>alert(1)</script></html>", 422, "web page"),
    "an SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 422, "SVG"),
    "a PDF": (lambda: b"%PDF-1.7\n" + bytes(200), 422, "PDF"),
    "an archive": (lambda: b"PK\3\4" + bytes(200), 422, "archive"),
    "cut short": (lambda: _picture((400, 400), "JPEG")[:3000], 422, "damaged|cut short"),
    "noise behind a head": (lambda: _picture()[:40] + secrets.token_bytes(3000), 422, "damaged|cut short|read"),
    "tiny": (lambda: _picture((8, 8)), 422, "at least 64"),
    "a ribbon": (lambda: _picture((64, 2000)), 422, "12 times"),
    "a bomb": (_bomb, 422, "megapixels"),
    "too many pixels": (lambda: _picture((2100, 2000), "JPEG", quality=5), 422, "megapixels"),
    "too many bytes": (lambda: bytes(2_100_000), 413, "too large"),
}


@pytest.mark.parametrize("what", BAD)
def test_an_upload_that_is_no_picture_is_told_so(anna: Visitor, what: str) -> None:
    make, status, told = BAD[what]
    reply = anna.upload(make())
    assert reply.status_code == status, reply.text
    assert re.search(told, reply.json()["error"]), reply.text
    assert "/" not in reply.json()["error"].replace("and/or", ""), "and not where it lay"
    assert anna.ask("GET", "pictures").json() == []


def test_a_body_without_a_length_ends_too(anna: Visitor) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(400):
            yield bytes(10_000)

    try:
        reply = requests.post(f"{anna.url}pictures?kind=person", data=endless(), headers=anna.head, timeout=30)
        assert reply.status_code == 413
    except requests.ConnectionError:
        pass  # the door was shut while it still came
    assert anna.ask("GET", "pictures").json() == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "<script>alert(1)</script>", "a\0b", "x" * 190, "CON", "\u202egpj.exe"])
def test_names_are_words_and_nothing_else(anna: Visitor, name: str) -> None:
    taken = anna.upload(_picture(), name=name)
    assert taken.status_code == 201
    assert len(taken.json()["name"]) <= 80
    assert "\0" not in taken.json()["name"]


def test_nobody_sees_anothers_pictures(anna: Visitor, room: tuple[str, Any]) -> None:
    ben = Visitor(room[0])
    mine = anna.upload(_picture()).json()["id"]
    job = anna.start("drawings", kind="garment", words="a red t-shirt")
    garment = anna.garments[0]["id"]
    for asked in (
        ben.ask("GET", f"pictures/{mine}"),
        ben.ask("DELETE", f"pictures/{mine}"),
        ben.ask("POST", "tryons", json={"person": mine, "garment": garment}),
        ben.ask("GET", f"jobs/{job['id']}"),
        ben.ask("DELETE", f"jobs/{job['id']}"),
        ben.ask("GET", "pictures/..%2f..%2fetc%2fpasswd"),
    ):
        assert asked.status_code == 404
    for head in ({}, {"X-Session": "guessed"}, {"X-Session": anna.head["X-Session"][:-1]}, {"Cookie": str(anna.head)}):
        assert requests.get(f"{anna.url}pictures/{mine}", headers=head, timeout=10).status_code == 401
    anna.wait(job)


def test_leaving_deletes_everything(room: tuple[str, Any]) -> None:
    url, opened = room
    visitor = Visitor(url)
    visitor.upload(_picture())
    folder = opened.sessions.find(visitor.head["X-Session"]).folder
    assert list(folder.iterdir())
    assert visitor.ask("DELETE", "session").status_code == 204
    assert not folder.exists()
    assert visitor.ask("GET", "pictures").status_code == 401


def test_a_worker_that_is_killed_fails_its_job_by_name_and_the_next_goes_on(anna: Visitor, room: tuple[str, Any]) -> None:
    worker = room[1]._workers[0]
    job = anna.start("drawings", kind="person", words="a woman in a red dress", seed=11)
    while anna.ask("GET", f"jobs/{job['id']}").json()["state"] == "waiting":
        time.sleep(0.02)
    behind = anna.start("masks", person=anna.people[0]["id"])
    os.kill(worker.pid, signal.SIGKILL)
    failed = anna.wait(job)
    assert (failed["state"], failed["code"]) == ("failed", "error.died")
    assert "SIGKILL" in failed["error"]
    assert anna.wait(behind)["state"] == "done"
    assert requests.get(f"{room[0]}/health", timeout=10).json() == {"well": True}


def test_one_can_wait_for_the_end(anna: Visitor) -> None:
    job = anna.start("tryons", person=anna.people[2]["id"], garment=anna.garments[3]["id"])
    assert anna.ask("GET", f"jobs/{job['id']}", params={"wait": 20}).json()["state"] == "done"
    assert anna.ask("GET", f"jobs/{job['id']}", params={"wait": 20, "after": 99}).json()["state"] == "done", (
        "and at once when it is over"
    )


def test_a_running_job_is_cancelled(anna: Visitor) -> None:
    job = anna.start("drawings", kind="person", words="a man in a blue suit", seed=12)
    while anna.ask("GET", f"jobs/{job['id']}").json()["state"] == "waiting":
        time.sleep(0.02)
    assert anna.ask("DELETE", f"jobs/{job['id']}").json()["state"] == "cancelled"
    assert anna.do("masks", person=anna.people[0]["id"])["mask"]["share"] > 0
    assert not [one for one in anna.ask("GET", "pictures").json() if one["kind"] == "person"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("tryons", {"person": 5}),
        ("tryons", {"person": "a", "garment": "b", "engine": "no such engine"}),
        ("tryons", {"person": "a", "garment": "b", "path": "/etc/passwd"}),
        ("masks", {"person": "a", "category": "hat"}),
        ("masks", {"person": "a", "points": [[-1, 2, 1]]}),
        ("masks", {"person": "a", "points": [[1, 2, 1]] * 100}),
        ("drawings", {"kind": "person", "words": "x" * 1000}),
        ("session", {"password": ["a"]}),
    ],
)
def test_what_does_not_fit_is_named(anna: Visitor, path: str, body: dict[str, Any]) -> None:
    reply = anna.ask("POST", path, json=body)
    assert reply.status_code in (404, 422)
    assert reply.json()["error"]


def test_what_every_answer_says(room: tuple[str, Any]) -> None:
    url, _ = room
    for path in ("", "/api/room", "/nothing", "/health"):
        head = requests.get(url + path, timeout=10).headers
        assert "default-src 'none'" in head["content-security-policy"]
        assert head["x-content-type-options"] == "nosniff"
        assert "server" not in head
    assert requests.get(f"{url}/", headers={"Host": "evil.example"}, timeout=10).status_code == 403
    assert requests.get(f"{url}/%2e%2e/server.py", timeout=10).status_code == 404
    text = requests.get(f"{url}/metrics", timeout=10).text
    assert "atelier_requests_total" in text
    assert "atelier_workers 1" in text
    assert "/api/pictures/{known}" in requests.get(f"{url}/api/openapi.json", timeout=10).json()["paths"]


def test_a_password_and_few_jobs_at_a_time() -> None:
    with open_room(password="a long password", rate=3) as (url, _):
        assert requests.post(f"{url}/api/session", json={}, timeout=10).status_code == 401
        assert requests.get(f"{url}/metrics", timeout=10).status_code == 401
        right = {"Authorization": "Bearer a long password"}
        assert requests.get(f"{url}/metrics", headers=right, timeout=10).status_code == 200
        assert requests.get(f"{url}/health", timeout=10).status_code == 200
        visitor = Visitor(url, "a long password")
        replies = [visitor.upload(_picture()) for _ in range(4)]
        assert [reply.status_code for reply in replies] == [201, 201, 201, 429]
        assert int(replies[-1].headers["Retry-After"]) > 0


@contextlib.contextmanager
def ended(server: subprocess.Popen[str]) -> Iterator[None]:
    """A process that does not outlive a test that fails."""
    try:
        yield
    finally:
        server.kill()


def test_a_signal_lets_what_runs_finish(tmp_path: Any) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "helpers", "app", "--port", "0", "--workers", "1"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as server,
        ended(server),
    ):
        assert server.stdout is not None
        assert server.stderr is not None
        address = ""
        while not address:
            line = server.stdout.readline()
            assert line, server.stderr.read()
            address = next((word.rstrip("/") for word in line.split() if word.startswith("http://")), "")
        visitor = Visitor(address)
        job = visitor.start("tryons", person=visitor.people[1]["id"], garment=visitor.garments[0]["id"])
        server.send_signal(signal.SIGTERM)
        done = visitor.wait(job)
        assert done["state"] == "done"
        assert visitor.picture(done["result"]["picture"]["id"])
        assert visitor.upload(_picture()).status_code == 503
        assert server.wait(60) == 0
        said = server.stderr.read()
    assert not list(tmp_path.glob("atelier-room-*"))
    assert visitor.head["X-Session"] not in said
    assert job["id"] not in said


def test_other_machines_only_with_a_password() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ATELIER_PASSWORD"}
    command = [sys.executable, "-m", "helpers", "app", "--share", "--port", "0"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "password" in done.stderr

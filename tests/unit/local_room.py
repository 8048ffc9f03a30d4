"""A dressing room in a thread of the test's own process, with real worker processes, and somebody in it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests

from helpers.app import serving
from helpers.app.server import make
from helpers.app.settings import Settings


@contextlib.contextmanager
def open_room(**given: Any) -> Iterator[tuple[str, Any]]:
    """Its address and itself, with these settings."""
    import uvicorn

    settings = Settings(**{"port": 0, "workers": 1, **given})
    listener = serving._listen(settings)
    app = make(settings)
    server = uvicorn.Server(serving.config(app, settings))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    until = time.monotonic() + 120
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < until, "the room did not open"
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", app.state.room
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


class Visitor:
    """Somebody in the room at ``url``."""

    def __init__(self, url: str, password: str = "") -> None:
        self.url = f"{url}/api/"
        came = requests.post(f"{self.url}session", json={"password": password}, timeout=30)
        came.raise_for_status()
        about = came.json()
        self.head = {"X-Session": about["session"]}
        self.engines = about["engines"]
        self.people = [piece for piece in about["stock"] if piece["kind"] == "person"]
        self.garments = [piece for piece in about["stock"] if piece["kind"] == "garment"]

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 60)
        return requests.request(method, self.url + path, headers=self.head, **options)

    def upload(self, data: bytes, kind: str = "person", **more: str) -> requests.Response:
        return self.ask("POST", "pictures", params={"kind": kind, **more}, data=data)

    def start(self, path: str, **wanted: Any) -> dict[str, Any]:
        reply = self.ask("POST", path, json=wanted)
        assert reply.status_code == 202, reply.text
        return reply.json()

    def wait(self, job: dict[str, Any], seconds: float = 90) -> dict[str, Any]:
        """The job once it is over."""
        until = time.monotonic() + seconds
        while job["state"] in ("waiting", "running"):
            assert time.monotonic() < until, job
            job = self.ask("GET", f"jobs/{job['id']}", params={"after": job["version"], "wait": 5}).json()
        return job

    def do(self, path: str, **wanted: Any) -> dict[str, Any]:
        """The result of a job."""
        job = self.wait(self.start(path, **wanted))
        assert job["state"] == "done", job
        return job["result"]

    def picture(self, known: str) -> bytes:
        reply = self.ask("GET", f"pictures/{known}")
        assert reply.status_code == 200, reply.text
        return reply.content

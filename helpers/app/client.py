"""The dressing room for programs: a visitor who asks over HTTP as the page does, with the same limits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import requests

from helpers.app.words import say

_LONGEST = 30.0  # seconds for an answer
_NEWS = 10.0  # seconds for which the room may hold back an answer until there is news of a job


class Visitor:
    """Somebody in the room at ``url``; a context manager that leaves, which deletes every picture.

    ``people``, ``garments``: what hangs there, each a dict with ``id`` and ``name``; ``engines``: what can be asked for
    Raises ``RuntimeError`` with the room's own words wherever it refuses.
    """

    def __init__(self, url: str, password: str = "") -> None:
        self._url = url.rstrip("/") + "/api/"
        self._asking = requests.Session()
        came = self._ask("POST", "session", json={"password": password}).json()
        self._asking.headers["X-Session"] = came["session"]
        self.engines: list[dict[str, Any]] = came["engines"]
        self.people = [piece for piece in came["stock"] if piece["kind"] == "person"]
        self.garments = [piece for piece in came["stock"] if piece["kind"] == "garment"]

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Go; every picture is deleted."""
        self._ask("DELETE", "session")

    def upload(self, path: str | Path, kind: str, category: str = "upper") -> dict[str, Any]:
        """A picture file; kind: ``person`` or ``garment``. What the room says of it, ``id`` among that."""
        given = {"kind": kind, "name": Path(path).stem, "category": category}
        return self._ask("POST", "pictures", params=given, data=Path(path).read_bytes()).json()

    def mask(
        self, person: str, category: str = "upper", points: list[tuple[float, float, int]] | None = None
    ) -> dict[str, Any]:
        """The mask of what is worn, corrected by ``points`` (x, y, label) in pixels of the picture; ``id`` and ``share``."""
        return self._done("masks", {"person": person, "category": category, "points": points or []})["mask"]

    def try_on(self, person: str, garment: str, **wanted: Any) -> dict[str, Any]:
        """A garment on somebody, both by ``id``; wanted: ``mask``, ``engine``, ``seed``, ``category``. The result's ``id``, ``notes``."""
        return self._done("tryons", {"person": person, "garment": garment, **wanted})["picture"]

    def draw(self, kind: str, words: str, seed: int = 0) -> dict[str, Any]:
        """A ``person`` or a ``garment`` from words."""
        return self._done("drawings", {"kind": kind, "words": words, "seed": seed})["picture"]

    def picture(self, known: str) -> bytes:
        """The file of a picture by its ``id``: a JPEG, or a PNG whose text fields say how it came about."""
        return self._ask("GET", f"pictures/{known}").content

    def _done(self, path: str, wanted: dict[str, Any]) -> dict[str, Any]:
        job = self._ask("POST", path, json=wanted).json()
        while job["state"] in ("waiting", "running"):
            job = self._ask("GET", f"jobs/{job['id']}", params={"after": job["version"], "wait": _NEWS}).json()
        if job["state"] != "done":
            raise RuntimeError(job["error"])
        return job["result"]

    def _ask(self, method: str, path: str, **given: Any) -> requests.Response:
        for _ in range(3):
            answer = self._asking.request(method, self._url + path, timeout=_LONGEST + _NEWS, **given)
            if answer.status_code != 429 or "Retry-After" not in answer.headers:
                break
            time.sleep(min(float(answer.headers["Retry-After"]), _LONGEST))
        if not answer.ok:
            told = answer.json() if answer.headers.get("content-type", "").startswith("application/json") else {}
            raise RuntimeError(told.get("error") or say("error.offline"))
        return answer

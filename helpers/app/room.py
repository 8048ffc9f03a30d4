"""The room itself, without a word of HTTP: who is in it, what hangs there, and who works."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from helpers.app import stock
from helpers.app.crew import Failed, Worker
from helpers.app.entrance import Entrance
from helpers.app.jobs import OVER, Job, Jobs
from helpers.app.metrics import Metrics
from helpers.app.sessions import Picture, Session, Sessions
from helpers.app.settings import Settings
from helpers.app.stock import Piece
from helpers.app.words import Refused, say

log = logging.getLogger("atelier.room")
_SWEEP = 15.0  # seconds
_READING = 30.0  # seconds for one upload to be decoded
_READERS_WAIT = 40  # uploads that may wait to be decoded


class Room:
    """Open it with :meth:`open`, close it with :meth:`close`."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.metrics = settings, Metrics()
        self.stock = stock.read(settings.wardrobe)
        self.entrance = Entrance(settings.password, settings.arrivals)
        self.sessions = Sessions(settings, self._left)
        self.engines: list[dict[str, Any]] = []
        self._workers = [Worker() for _ in range(settings.workers)]
        self._reader, self._reading, self._uploads = Worker("reader"), asyncio.Lock(), 0
        self.jobs = Jobs(
            self._workers, self.metrics, most=settings.waiting, each=settings.waiting_each, patience=settings.patience
        )
        self._running: list[asyncio.Task[None]] = []
        self.opened: Callable[[], None] = lambda: None
        """Called once the workers are up."""

    async def open(self) -> None:
        """Start the workers, and have each do one try-on, so that the first person's does not wait for what is loaded once."""
        await asyncio.gather(self._reader.start(), *(self._warm(worker) for worker in self._workers))
        self._running = [asyncio.create_task(self.jobs.serve(worker)) for worker in self._workers]
        self._running.append(asyncio.create_task(self._sweep()))
        self.opened()

    async def close(self) -> None:
        """Take no more, finish what there is for as long as the settings say, and delete everything."""
        self.jobs.closing = True
        if not await self.jobs.idle(self.settings.grace):
            self.jobs.stop()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self.sessions.close()
        await asyncio.gather(self._reader.close(), *(worker.close() for worker in self._workers))

    @property
    def well(self) -> bool:
        """Whether it takes jobs and somebody is there to do them."""
        return not self.jobs.closing and any(worker.pid for worker in self._workers)

    def gauges(self) -> dict[str, float]:
        """How it stands, in numbers."""
        everybody = [self._reader, *self._workers]
        memory = 0
        for worker in everybody:
            with contextlib.suppress(psutil.Error):
                memory += psutil.Process(worker.pid).memory_info().rss if worker.pid else 0
        return {
            "sessions": len(self.sessions),
            "pictures_bytes": self.sessions.bytes,
            "jobs_waiting": self.jobs.waiting,
            "jobs_running": self.jobs.running,
            "workers": sum(worker.pid is not None for worker in self._workers),
            "worker_restarts": sum(worker.restarts for worker in everybody),
            "workers_memory_bytes": memory,
            "server_memory_bytes": psutil.Process().memory_info().rss,
        }

    def see(self, session: Session, known: str, kind: str = "") -> Picture | Piece:
        """A picture of theirs, or of the wall. Raises ``Refused`` for any other."""
        piece = self.stock.get(known)
        if piece is not None and (not kind or piece.kind in kind.split()):
            return piece
        return session.picture(known, kind)

    def ask(self, session: Session) -> None:
        """One more thing that a worker does for them. Raises ``Refused`` where it is one too many this minute, or the room closes."""
        if self.jobs.closing:
            raise Refused(503, "error.closing")
        if wait := session.asks.take():
            raise Refused(429, "error.busy", seconds=round(wait) + 1)

    async def take_in(self, session: Session, upload: Path, kind: str, name: str, category: str) -> Picture:
        """The picture in the file ``upload``, decoded and written anew; the file is deleted. Raises ``Refused`` saying what is wrong."""
        known = secrets.token_urlsafe(16)
        given = {
            "source": str(upload),
            "target": str(session.folder / secrets.token_hex(8)),
            "pixels": self.settings.upload_pixels,
            "alpha": kind == "garment",
        }
        if self._uploads >= _READERS_WAIT:
            upload.unlink(missing_ok=True)
            raise Refused(503, "error.full")
        self._uploads += 1
        try:
            self.sessions.require_room(session)
            async with self._reading:
                made = await self._reader.run("read", given, lambda answer: None, _READING)
        except Failed as failed:
            self.metrics.count("uploads", state="refused")
            key = "error.unreadable" if failed.key in ("error.died", "error.slow", "error.failed") else failed.key
            raise Refused(422, "error.said", why=say(key) if key == "error.unreadable" else str(failed)) from None
        finally:
            self._uploads -= 1
            upload.unlink(missing_ok=True)
        self.metrics.count("uploads", state="taken")
        size = made["width"], made["height"]
        picture = Picture(known, kind, Path(made["path"]), stock.plain(name), category if kind == "garment" else "", size)
        return self.sessions.add(session, picture)

    async def mask(self, session: Session, person: str, category: str, points: list[tuple[float, float, int]]) -> Job:
        """A mask of what is worn, corrected by clicks."""
        of = self.see(session, person, "person result")
        target = session.folder / f"{secrets.token_hex(8)}.png"
        given = {"person": str(of.path), "category": category, "points": points, "target": str(target)}

        def keep(made: dict[str, Any]) -> dict[str, Any]:
            if all(
                job.state in OVER or job.kind == "mask" for job in session.jobs.values()
            ):  # none that waits needs an older one
                same = (
                    old for old in session.pictures.values() if old.kind == "mask" and old.about["of"] == (person, category)
                )
                for old in list(same):
                    self.sessions.remove(session, old)
            about = {"of": (person, category), "share": made["share"]}
            return {"mask": self._add(session, made, "mask", category=category, about=about).told()}

        return await self._put(session, "mask", given, keep)

    async def wear(self, session: Session, person: str, garment: str, category: str, mask: str, engine: str, seed: int) -> Job:
        """A garment on somebody."""
        of, cloth = self.see(session, person, "person result"), self.see(session, garment, "garment")
        known = {each["name"] for each in self.engines}
        if engine not in known | {"auto"}:
            raise Refused(422, "error.engine", known=", ".join(["auto", *sorted(known)]))
        worn = session.picture(mask, "mask") if mask else None
        if worn is not None and worn.about["of"][0] != person:
            raise Refused(422, "error.othermask")
        given = {
            "person": str(of.path),
            "garment": str(cloth.path),
            "category": category or cloth.category or "upper",
            "name": cloth.name,
            "mask": str(worn.path) if worn else "",
            "engine": engine,
            "seed": seed,
            "target": str(session.folder / f"{secrets.token_hex(8)}.png"),
        }

        def keep(made: dict[str, Any]) -> dict[str, Any]:
            about = {name: made[name] for name in made.keys() - {"path", "width", "height"}}
            return {"picture": self._add(session, made, "result", name=cloth.name, about=about).told()}

        return await self._put(session, "wear", given, keep)

    async def draw(self, session: Session, kind: str, words: str, seed: int) -> Job:
        """Somebody, or a garment, from words."""
        name = secrets.token_hex(8)
        if kind == "person":
            task, given = "draw", {"words": words, "seed": seed, "target": str(session.folder / f"{name}.jpg")}
        else:
            task, given = "sew", {"words": words, "seed": seed, "folder": str(session.folder), "name": name}

        def keep(made: dict[str, Any]) -> dict[str, Any]:
            category = made.get("category", "")
            about = {"notes": made["notes"]}
            return {"picture": self._add(session, made, kind, stock.plain(words), category, about).told()}

        return await self._put(session, task, given, keep)

    def _add(
        self,
        session: Session,
        made: dict[str, Any],
        kind: str,
        name: str = "",
        category: str = "",
        about: dict[str, Any] | None = None,
    ) -> Picture:
        known, size = secrets.token_urlsafe(16), (made["width"], made["height"])
        return self.sessions.add(session, Picture(known, kind, Path(made["path"]), name, category, size, about or {}))

    async def _put(self, session: Session, kind: str, given: dict[str, Any], keep: Any) -> Job:
        self.sessions.require_room(session)
        job = await self.jobs.add(Job(session.token, kind, given, keep))
        session.remember(job)
        return job

    async def _warm(self, worker: Worker) -> None:
        """Its first try-on, on the wall's own pictures; what it says of the engines here is kept."""
        drawn = [piece for piece in self.stock.values() if piece.id.startswith("stock-")]
        shown = {kind: next(piece for piece in drawn if piece.kind == kind) for kind in ("person", "garment")}
        given = {**{kind: str(piece.path) for kind, piece in shown.items()}, "category": shown["garment"].category}
        self.engines = (await worker.run("warm", given, lambda answer: None, self.settings.patience))["engines"]

    def _left(self, session: Session) -> None:
        """Somebody is gone: what they asked for is not done any more, and no worker remembers them."""
        for job in session.jobs.values():
            if job.state not in OVER:
                self.jobs.cancel(job)
        if not self.jobs.closing:
            for worker in self._workers:
                worker.note("forget", {"folder": str(session.folder)})

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            self.sessions.expire()

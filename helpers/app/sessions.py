"""Who is here, and their pictures. A session is known by a token that nobody can guess; what is not in it does not exist for it."""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from helpers.app.entrance import Bucket
from helpers.app.jobs import OVER, Job
from helpers.app.settings import Settings
from helpers.app.words import Refused

log = logging.getLogger("atelier.room")
_PREFIX = "atelier-room-"
_JOBS = 400  # that are remembered of one person
_YOUNG = 60.0  # seconds: a room that opens may not hold its lock yet


@dataclass(frozen=True)
class Picture:
    """A picture of one session. kind: ``person``, ``garment``, ``mask`` or ``result``; about: what is told of it beside"""

    id: str
    kind: str
    path: Path
    name: str = ""
    category: str = ""
    size: tuple[int, int] = (0, 0)
    about: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """What its owner is told of it."""
        out = {"id": self.id, "kind": self.kind, "name": self.name, "width": self.size[0], "height": self.size[1]}
        return {**out, **({"category": self.category} if self.category else {}), **self.about}


@dataclass(eq=False)
class Session:
    """One person's. ``asks``: how often they may have something done."""

    token: str
    folder: Path
    asks: Bucket
    seen: float
    pictures: dict[str, Picture] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    bytes: int = 0

    def picture(self, known: str, kind: str = "") -> Picture:
        """Raises ``Refused`` where they have no such picture."""
        found = self.pictures.get(known)
        if found is None or (kind and found.kind not in kind.split()):
            raise Refused(404, "error.nopicture")
        return found

    def job(self, known: str) -> Job:
        """Raises ``Refused`` where they have no such job."""
        if known not in self.jobs:
            raise Refused(404, "error.nojob")
        return self.jobs[known]

    def remember(self, job: Job) -> None:
        """Keep ``job``, and forget the oldest of those that are over where there are very many."""
        self.jobs[job.id] = job
        for old in [old for old in self.jobs.values() if old.state in OVER][: max(0, len(self.jobs) - _JOBS)]:
            del self.jobs[old.id]


class Sessions:
    """All of them, in one folder that nobody else may open and that goes with the room.

    ``leave`` is called with whoever is gone, before their files are deleted; ``clock`` gives seconds.
    """

    def __init__(
        self,
        settings: Settings,
        leave: Callable[[Session], None] = lambda session: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._leave, self._clock = settings, leave, clock
        self._all: dict[str, Session] = {}
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = FileLock(self.folder / ".lock")
        self._lock.acquire()

    def __len__(self) -> int:
        return len(self._all)

    @property
    def bytes(self) -> int:
        """Of all pictures."""
        return sum(session.bytes for session in self._all.values())

    def new(self) -> Session:
        """Somebody new. Raises ``Refused`` where the room is full."""
        self.expire()
        if len(self._all) >= self._settings.sessions:
            raise Refused(503, "error.crowded")
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        session = Session(secrets.token_urlsafe(32), folder, Bucket(self._settings.rate), self._clock())
        self._all[session.token] = session
        return session

    def find(self, token: str) -> Session:
        """Raises ``Refused`` for a token that is nobody's, or of somebody who is gone."""
        session = self._all.get(token)
        if session is None or self._clock() - session.seen > self._settings.idle:
            raise Refused(401, "error.nosession")
        session.seen = self._clock()
        return session

    def end(self, session: Session) -> None:
        """Delete everything of theirs."""
        if self._all.pop(session.token, None) is not None:
            self._leave(session)
            shutil.rmtree(session.folder, ignore_errors=True)

    def expire(self) -> None:
        """End those who have not asked for anything in a while and wait for nothing."""
        for session in list(self._all.values()):
            waits = any(job.state not in OVER for job in session.jobs.values())
            if self._clock() - session.seen > self._settings.idle and not waits:
                self.end(session)
                log.info("a session was over; its pictures are deleted")

    def require_room(self, session: Session, more: int = 0) -> None:
        """Raises ``Refused`` where ``more`` bytes would be too many, or there are too many pictures."""
        limits = self._settings
        if len(session.pictures) >= limits.pictures_each or session.bytes + more > limits.bytes_each:
            raise Refused(409, "error.toomany")
        if self.bytes + more > limits.bytes_all:
            raise Refused(503, "error.disk")

    def add(self, session: Session, picture: Picture) -> Picture:
        """Put ``picture`` among theirs. Raises ``Refused``, and deletes it, where there is no room, or they are gone."""
        size = sum(path.stat().st_size for path in _files(picture))
        try:
            if session.token not in self._all:
                raise Refused(401, "error.nosession")
            self.require_room(session, size)
        except Refused:
            _delete(picture)
            raise
        session.bytes += size
        session.pictures[picture.id] = picture
        return picture

    def remove(self, session: Session, picture: Picture) -> None:
        """Delete ``picture``."""
        session.bytes -= sum(path.stat().st_size for path in _files(picture))
        del session.pictures[picture.id]
        _delete(picture)

    def close(self) -> None:
        """End everybody, and delete the folder."""
        for session in list(self._all.values()):
            self.end(session)
        self._lock.release()
        shutil.rmtree(self.folder, ignore_errors=True)


def _files(picture: Picture) -> list[Path]:
    """The files of a picture: of a garment that was drawn also its mask, its inside and its words, which lie beside."""
    root = picture.path.parent.parent
    beside = root.glob(f"*/{picture.path.stem}.*") if picture.path.parent.name == "cloth" else ()
    return [path for path in {picture.path, *beside} if path.is_file()]


def _delete(picture: Picture) -> None:
    for path in _files(picture):
        path.unlink(missing_ok=True)


def _sweep() -> None:
    """Delete the folders of rooms that were killed: nobody holds their locks any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, Timeout):
            if folder.is_symlink() or not folder.is_dir() or time.time() - folder.stat().st_mtime < _YOUNG:
                continue
            with FileLock(folder / ".lock", timeout=0):
                shutil.rmtree(folder, ignore_errors=True)

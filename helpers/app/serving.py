"""The server's life: it opens a port, says where, and on a signal finishes what runs before it goes. A second signal ends it at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading
from types import FrameType

import uvicorn
from fastapi import FastAPI

from helpers.app.server import make
from helpers.app.settings import Settings, is_loopback
from helpers.app.words import say

log = logging.getLogger("atelier.room")
_READ = 5.0  # seconds in which whoever waited can still fetch what was made
_MOST_CONNECTIONS = 512


class _Server(uvicorn.Server):
    """uvicorn closes its door before what runs is done; here nobody is left without an answer."""

    _stopping = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._stopping:
            self.should_exit = self.force_exit = True
            return
        self._stopping = True
        asyncio.get_running_loop().call_soon_threadsafe(self._begin_to_stop)

    def _begin_to_stop(self) -> None:
        self._task = asyncio.create_task(self._stop())

    async def _stop(self) -> None:
        room = self.config.app.state.room  # type: ignore[union-attr]
        room.jobs.closing = True
        log.info("stopping: %d run, %d wait", room.jobs.running, room.jobs.waiting)
        busy = room.jobs.running + room.jobs.waiting
        if not await room.jobs.idle(room.settings.grace):
            room.jobs.stop()
        if busy:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(_READ)
        self.should_exit = True


def run(settings: Settings, *, leashed: bool = False) -> int:
    """Open the room until a signal closes it, or with ``leashed`` the end of standard input; returns the exit status.

    Raises ``ValueError`` where it cannot listen.
    """
    if leashed:
        threading.Thread(target=_hold, daemon=True).start()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    listener = _listen(settings)
    port = listener.getsockname()[1]
    app = make(settings)
    print(say("serving.opening", workers=settings.workers), flush=True)
    app.state.room.opened = lambda: print(say("serving.open", address=address(settings, port)), flush=True)
    _Server(config(app, settings)).run(sockets=[listener])
    return 0


def _hold() -> None:
    """Wait until whoever holds the other end of standard input lets go."""
    while sys.stdin.buffer.read(4096):
        pass
    signal.raise_signal(signal.SIGTERM)


def config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves the application."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses of pictures are nobody's business
        server_header=False,
        proxy_headers=False,  # whoever asks could write them
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=5,
        ssl_certfile=settings.certificate or None,
        ssl_keyfile=settings.key or None,
        ws="none",
    )


def address(settings: Settings, port: int) -> str:
    """Where a browser finds the room."""
    scheme = "https" if settings.certificate else "http"
    host = settings.host
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


def _listen(settings: Settings) -> socket.socket:
    """Raises ``ValueError`` saying what to do where the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(128)  # whoever comes while the workers start waits at the door
    except OSError as error:
        listener.close()
        what = f"{settings.host}:{settings.port} cannot be listened on ({error.strerror or error})"
        raise ValueError(f"port: {what}. Give another --port, or 0 for any that is free.") from None
    return listener


def warning(settings: Settings) -> str:
    """What whoever opens the room to others should know; nothing where only this machine reaches it."""
    if is_loopback(settings.host):
        return ""
    return say("serving.warning" if settings.certificate else "serving.plain")

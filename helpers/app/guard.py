"""What every request and every answer has to be, before the API sees it: its host, its length, its time; the headers of the answer."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from helpers.app.metrics import Metrics
from helpers.app.settings import Settings, is_loopback
from helpers.app.words import Refused

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = logging.getLogger("atelier.room")
_JSON_MOST = 65_536  # bytes of a body that is no picture
UPLOADS = "/api/pictures"


def headers(frames: str) -> list[tuple[bytes, bytes]]:
    """What every answer says: only our own files run and are shown, nowhere else is anything fetched, and nobody frames the page but
    ``frames``."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {frames}"
    )
    return [
        (b"content-security-policy", policy.encode("latin-1")),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
    ]


class Guard:
    """ASGI around the API. What it refuses it answers itself; the names of routes, not paths, are counted."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._headers = headers(settings.frames)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 500
        given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        most = self._settings.upload_bytes if scope["path"] == UPLOADS else _JSON_MOST
        came = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise Refused(413, "error.bytes", most=f"{most / 1e6:g}")
            return message

        async def adorned(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (
                    [] if any(name == b"cache-control" for name, _ in message["headers"]) else [(b"cache-control", b"no-store")]
                )
                message["headers"] = [*message["headers"], *self._headers, *own]
            await send(message)

        try:
            self._require_host(given.get("host", ""))
            if given.get("content-length", "0").isdigit() and int(given.get("content-length", "0")) > most:
                raise Refused(413, "error.bytes", most=f"{most / 1e6:g}")
            await self._app(scope, counted, adorned)
        except Refused as refused:
            await answer(adorned, refused)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.count("requests", route=route, method=_method(scope["method"]), status=str(status))
            self._metrics.took("request", time.monotonic() - started, route=route)

    def _require_host(self, host: str) -> None:
        """Without a password only pages of this machine may ask: another's name that leads here is not this machine."""
        if self._settings.password:
            return
        name = host[: host.rfind("]") + 1] if host.startswith("[") else host.partition(":")[0]
        if not is_loopback(name.strip("[]").lower()):
            raise Refused(403, "error.host")


def _method(method: str) -> str:
    return method if method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH") else "other"


async def answer(send: Send, refused: Refused) -> None:
    """Send what ``refused`` says."""
    body = json.dumps({"error": str(refused), "code": refused.key}).encode()
    more = [(b"retry-after", str(refused.values["seconds"]).encode())] if "seconds" in refused.values else []
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": refused.status, "headers": head})
    await send({"type": "http.response.body", "body": body})

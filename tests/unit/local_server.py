"""A server on this machine that behaves as badly as it is told, and speaks as much of the hub's protocol as downloads need."""

from __future__ import annotations

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Server:
    """``files[path]`` are its bytes. ``faults[path]`` is a list used up one a GET: ``cut`` (half of what is asked, then the connection
    ends), ``short`` (half, and says that it is all), ``html``, ``ignore-range``, ``other-range``, or a status code. ``log`` holds
    (method, path, range). ``validator``: the header that tells one version of a file from another, ``ETag``, ``Last-Modified`` or none.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Any]] = {}
        self.log: list[tuple[str, str, str]] = []
        self.validator = "ETag"
        self.gated: set[str] = set()  # paths that want a token
        self._server = _Quiet(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is not worth a traceback, which would land in another test's output."""


class _Handler(BaseHTTPRequestHandler):
    owner: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        asked = self.headers.get("Range", "")
        self.owner.log.append((self.command, self.path, asked))
        faults = self.owner.faults.get(self.path, [])
        fault = faults.pop(0) if body and faults else None
        if isinstance(fault, int) or self.path not in self.owner.files:
            return self._plain(fault or 404, b"no", {} if fault else {"X-Error-Code": "EntryNotFound"})
        if self.path in self.owner.gated and "hf_" not in self.headers.get("Authorization", ""):
            return self._plain(401, b"", {"X-Error-Code": "GatedRepo"})
        if fault == "html":
            return self._plain(200, b"<!DOCTYPE html><title>Log in</title>", {"Content-Type": "text/html"})
        data = self.owner.files[self.path]
        tag = hashlib.sha256(data).hexdigest()
        mark = {"ETag": f'"{tag}"', "Last-Modified": f"Mon, 01 Jan 2024 00:00:{(data or b'0')[-1] % 60:02} GMT"}.get(
            self.owner.validator, ""
        )
        headers = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        if mark:
            headers[self.owner.validator] = mark
        if "/resolve/" in self.path:
            headers |= {"X-Repo-Commit": COMMIT, "X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{tag}"'}
        start = 0
        same = self.headers.get("If-Range", mark) == mark
        if (match := re.fullmatch(r"bytes=(\d+)-", asked)) and same and fault != "ignore-range":
            start = int(match[1]) // (2 if fault == "other-range" else 1)
        if start and start >= len(data):
            return self._plain(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        status, rest = (206, data[start:]) if start else (200, data)
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        sent = rest[: len(rest) // 2] if fault in ("cut", "short") else rest
        self._plain(status, sent if body else b"", headers | {"Content-Length": str(len(sent if fault == "short" else rest))})
        if fault == "cut":
            self.close_connection = True

    def _plain(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

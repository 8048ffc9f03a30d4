"""What a server on the web may answer: redirects, lengths and bodies that are none of the usual end in an error that names them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import requests

HUB = "https://huggingface.co"
_HOPS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
_TIMEOUT = (15, 60)  # seconds to connect, and between two bytes
_SECRET = re.compile(r"\bhf_\w+|(?<=://)[^\s/@]+@|\?[^\s)'\"]+")


class DownloadError(RuntimeError):
    """A file could not be fetched; the message says why and what to do. What has arrived is kept and resumed."""


class _Session(requests.Session):
    """Follows nothing by itself: requests would read the body of a redirect to its end, even where it is told not to follow."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def plain(text: str) -> str:
    """``text`` without what is nobody else's affair: tokens, passwords, and what follows an address."""
    return _SECRET.sub(lambda found: "hf_..." if found[0].startswith("hf_") else "", text)[:300]


def endpoint() -> str:
    """The hub's address: ``HF_ENDPOINT`` as people type it (no scheme, blanks, a slash at the end), else huggingface.co.

    Raises ``DownloadError`` for what can be no address.
    """
    typed = os.environ.get("HF_ENDPOINT", "").strip()
    if not typed:
        return HUB
    address = (typed if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:(?!\d)", typed) else f"https://{typed}").rstrip("/")
    try:
        parts = urlsplit(address)
        well = parts.scheme in ("http", "https") and parts.hostname and re.fullmatch(r"[\w.:-]+", parts.hostname, re.ASCII)
        if parts.port == 0 or "@" in parts.netloc or parts.query or parts.fragment or re.search(r"[\s\\]|\.\.", address):
            well = None
    except ValueError:
        well = None
    if not well:
        shown = plain(typed) if typed.isprintable() else "one with odd characters"
        raise DownloadError(
            f"HF_ENDPOINT: the address of a mirror is wanted, such as https://hf-mirror.com, without a name or password, not {shown}. "
            "Correct it, or unset it to ask huggingface.co."
        )
    return address


@contextmanager
def asked(url: str, headers: dict[str, str]) -> Iterator[requests.Response]:
    """The answer to a GET, its body not yet read. Redirects are followed on the web alone, never from https to http; a log-in goes to
    no other host than it is for.

    Raises ``DownloadError`` for redirects that lead elsewhere or nowhere, and requests' own errors.
    """
    headers = dict(headers)
    for _ in range(_HOPS):
        with _Session() as session, session.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
            if answer.status_code not in _REDIRECTS:
                yield answer
                return
            after = _next(url, answer)
        if _origin(after) != _origin(url):
            headers = {name: value for name, value in headers.items() if name.lower() not in ("authorization", "cookie")}
        url = after
    raise DownloadError(
        f"{site(url)}: redirects lead in a circle, or further than {_HOPS} times. Try again later, or another mirror."
    )


def _next(url: str, answer: requests.Response) -> str:
    place = answer.headers.get("Location", "").strip()
    try:
        after = urljoin(url, place)
        parts = urlsplit(after)
        sound = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        after, sound = "", None
    what = "without saying where to" if not place else "to what is no address on the web" if not sound else ""
    if not what and urlsplit(url).scheme == "https" and parts.scheme == "http":
        what = "from https to http, where anybody may read and change what comes"
    if what:
        raise DownloadError(
            f"{site(url)} redirects {what} ({answer.status_code}). It was not followed. Try again later, or another mirror."
        )
    return after


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def site(url: str) -> str:
    """An address for people: without log-in and query, not longer than a line."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]


def require_unpacked(answer: requests.Response) -> None:
    """Raise ``DownloadError`` for a body that is packed although it was asked for as it is: its length would say nothing."""
    packing = answer.headers.get("Content-Encoding", "").strip().lower()
    if packing not in ("", "identity"):
        raise DownloadError(
            f"{site(answer.url)} sends the file packed ({plain(packing)[:40]}), although it was asked for as it is. A proxy may do that: "
            "try without it, or another mirror."
        )


def length(answer: requests.Response) -> int | None:
    """Bytes that the answer says it has, ``None`` where it does not. Raises ``DownloadError`` for what is no number."""
    said = answer.headers.get("Content-Length")
    if said is None:
        return None
    values = {value.strip() for value in said.split(",")}
    if len(values) > 1 or not re.fullmatch(r"[0-9]{1,18}", value := values.pop()):
        raise DownloadError(
            f"{site(answer.url)} gives its length as {said[:60]!r}, which is none. Try again later, or another mirror."
        )
    return int(value)


def part_of(answer: requests.Response) -> tuple[int, int, int | None] | None:
    """First byte, last byte and size of the file that a partial answer names; ``None`` where it names none that can be."""
    found = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", answer.headers.get("Content-Range", ""))
    if not found:
        return None
    first, last, size = int(found[1]), int(found[2]), None if found[3] == "*" else int(found[3])
    return (first, last, size) if first <= last and (size is None or last < size) else None

"""Servers that lie, do not end, lead elsewhere or answer oddly. A line an answer: what the server sends, and which words the error has.

Nothing may be written beyond the size that is known, nothing taken for the file, and no log-in may reach another host or a message. To add
an answer, add a line to its table.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from helpers import weights
from helpers.weights import Damaged, downloads


def safetensors(values: int = 4000) -> bytes:
    header = json.dumps({"a": {"dtype": "U8", "shape": [values], "data_offsets": [0, values]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes([7]) * values


WHOLE = safetensors()
SIZE = len(WHOLE)
PLACE = "net/model.safetensors"


@dataclass
class Answer:
    """What is sent, byte for byte; ``here`` in a header is the server's own address."""

    status: int = 200
    headers: dict[str, str] | list[tuple[str, str]] = field(default_factory=dict)
    body: bytes | Callable[[], Iterable[bytes]] = b""


class Server:
    """Answers a GET with ``answers`` in their order, the last of them for ever; ``log`` has what was asked, ``heads`` answers a HEAD."""

    def __init__(self) -> None:
        owner = self
        self.answers: list[Answer] = []
        self.head: dict[str, str] = {}
        self.sent = 0  # bytes of bodies that were taken off it
        self.log: list[tuple[str, str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_HEAD(self) -> None:
                self.send(Answer(200, owner.head))

            def do_GET(self) -> None:
                owner.log.append(("GET", self.path, dict(self.headers)))
                self.send(owner.answers.pop(0) if len(owner.answers) > 1 else owner.answers[0])

            def send(self, answer: Answer) -> None:
                pairs = answer.headers.items() if isinstance(answer.headers, dict) else answer.headers
                lines = [f"HTTP/1.1 {answer.status} Thus", "Connection: close", *(f"{k}: {v}" for k, v in pairs)]
                self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").replace("HERE", owner.address).encode("latin-1"))
                try:
                    for block in [answer.body] if isinstance(answer.body, bytes) else answer.body():
                        self.wfile.write(block)
                        owner.sent += len(block)
                except OSError:
                    pass  # the client has had enough
                self.close_connection = True

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def make(server: Server, publish: Callable[..., weights.Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """``make(known=..., sure=..., hub=..., name=...)``: one file is all there is, at this server's address or on its hub."""
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "ATELIER_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    monkeypatch.setattr(downloads, "_PAUSE", 0.0)
    monkeypatch.setattr(downloads, "_CHUNK", 1024)

    def make(known: bool = True, sure: str = "established", hub: bool = False, name: str = "model.safetensors") -> None:
        entry: dict[str, Any] = {"path": name} | ({} if hub else {"url": f"{server.address}/{name}"})
        if known:
            entry |= {"bytes": SIZE, "sha256": hashlib.sha256(WHOLE).hexdigest(), "hash": sure}
        publish(entry, hub="me/net", revision="main")

    return make


def written(folder: Path) -> int:
    """Bytes of everything below ``folder``."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def refused(tmp_path: Path, words: str, most: int = SIZE) -> BaseException:
    with pytest.raises((downloads.DownloadError, Damaged, OSError), match=words) as caught:
        downloads.fetch("net", say=lambda _: None)
    assert written(tmp_path / "weights") <= most + 1024
    assert weights.find("net") is None
    for secret in ("hf_secret", "pw-of-mine"):
        assert secret not in str(caught.value)
    return caught.value


def endless(block: bytes = b"\x07" * 65536, blocks: int = 320) -> Callable[[], Iterable[bytes]]:
    """20 MB, which stand for a body without end."""
    return lambda: (block for _ in range(blocks))


def chunked(blocks: int = 320) -> Callable[[], Iterable[bytes]]:
    return lambda: (b"10000\r\n" + b"\x07" * 65536 + b"\r\n" for _ in range(blocks))


def to(place: str, status: int = 302) -> list[Answer]:
    return [Answer(status, {"Location": place, "Content-Length": "0"})]


OK = {"Content-Length": str(SIZE), "ETag": '"a"'}
CUT = Answer(200, OK, WHOLE[:2048])  # half, and then the connection ends
REST = {"Content-Length": str(SIZE - 2048), "Content-Range": f"bytes 2048-{SIZE - 1}/{SIZE}"}

ANSWERS: dict[str, tuple[list[Answer], str]] = {
    # bodies
    "no end": ([Answer(200, {}, endless())], "has no end"),
    "no end in chunks": ([Answer(200, {"Transfer-Encoding": "chunked"}, chunked())], "has no end"),
    "a length beyond the file": ([Answer(200, {"Content-Length": "20971520"}, endless())], "sends 20971520 bytes"),
    "a byte too many": ([Answer(200, {}, WHOLE + b"x")], "has no end"),
    "a length beyond any": ([Answer(200, {"Content-Length": "9" * 18}, WHOLE)], "sends 9{18} bytes"),
    "packed": ([Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(WHOLE))], r"packed \(gzip\)"),
    "packed without end": ([Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(20_000_000)))], r"packed \(gzip\)"),
    "packed twice": ([Answer(200, {"Content-Encoding": "gzip, gzip"}, gzip.compress(gzip.compress(WHOLE)))], "packed"),
    "packed by a name that there is not": ([Answer(200, {"Content-Encoding": "xyz"}, WHOLE)], r"packed \(xyz\)"),
    "packed in capitals": ([Answer(200, {"Content-Encoding": "GZIP"}, gzip.compress(WHOLE))], "packed"),
    "deflated": ([Answer(200, {"Content-Encoding": "deflate"}, b"x" * 50)], "packed"),
    "chunks that are none": ([Answer(200, {"Transfer-Encoding": "chunked"}, b"zz\r\n" + WHOLE)], "could not be fetched"),
    "chunks of a huge size": (
        [Answer(200, {"Transfer-Encoding": "chunked"}, b"f" * 15 + b"\r\n" + WHOLE)],
        "could not be|no end",
    ),
    "nothing": ([Answer(200, {"Content-Length": "0"})], "is empty"),
    "another file": ([Answer(200, OK, WHOLE[:-1] + b"x")], "sha256"),
    "an HTML page": ([Answer(200, {"Content-Type": "text/html"}, b"<html>")], "HTML page"),
    "an HTML page in capitals": ([Answer(200, {"Content-Type": "Text/HTML; charset=x"}, b"<html>")], "HTML page"),
    # lengths
    "a negative length": ([Answer(200, {"Content-Length": "-5"}, WHOLE)], "length as '-5'"),
    "a length in words": ([Answer(200, {"Content-Length": "many"}, WHOLE)], "length as 'many'"),
    "a length with a fraction": ([Answer(200, {"Content-Length": "4000.5"}, WHOLE)], "length as"),
    "a length in other digits": ([Answer(200, {"Content-Length": "\xb2\xb3"}, WHOLE)], "length as"),
    "an empty length": ([Answer(200, {"Content-Length": ""}, WHOLE)], "length as"),
    "a length of 30 digits": ([Answer(200, {"Content-Length": "9" * 30}, WHOLE)], "length as"),
    "two lengths": ([Answer(200, [("Content-Length", str(SIZE)), ("Content-Length", "9")], WHOLE)], "Content-Length|length as"),
    "a length in hexadecimal": ([Answer(200, {"Content-Length": "0x10"}, WHOLE)], "length as"),
    # redirects
    "a circle": (to("/model.safetensors"), "in a circle"),
    "a circle that grows": ([Answer(302, {"Location": f"/{n}"}) for n in range(50)], "in a circle"),
    "a file": (to("file:///etc/passwd"), "no address on the web"),
    "ftp": (to("ftp://127.0.0.1/x"), "no address on the web"),
    "data": (to("data:text/plain,x"), "no address on the web"),
    "javascript": (to("javascript:alert(1)", 301), "no address on the web"),
    "gopher": (to("gopher://127.0.0.1:70/x", 307), "no address on the web"),
    "nowhere": ([Answer(302, {})], "without saying where to"),
    "an empty place": (to("   ", 308), "without saying where to"),
    "half an address": (to("http://"), "in a circle"),
    "no host": (to("http:///x"), "in a circle"),
    "a body without end": ([Answer(302, {"Location": "file:///etc/passwd"}, endless(blocks=100_000))], "no address on the web"),
    "an odd port": (to("http://127.0.0.1:99999/x", 303), "no address on the web"),
    "an address that is none": (to("http://[::1/x"), "no address on the web"),
    "a log-in in an address": (to("http://me:pw-of-mine@127.0.0.1:1/x"), "no address on the web"),
    "a host with an empty part": (to("http://a..b/x"), "could not be fetched"),
    "an address of 5,000 letters": (to("http://" + "a" * 5000 + "/x"), "could not be fetched"),
    # states
    "a part unasked": ([Answer(206, {"Content-Range": f"bytes 0-{SIZE - 1}/{SIZE}"}, WHOLE)], r"a part of the file \(206\)"),
    "a part unasked, from the middle": ([Answer(206, REST, WHOLE[2048:])], r"a part of the file \(206\)"),
    "no content": ([Answer(204)], "answers 204"),
    "not modified": ([Answer(304)], "answers 304"),
    "several choices": ([Answer(300, {}, b"one\ntwo")], "answers 300"),
    "reset": ([Answer(205)], "answers 205"),
    "created": ([Answer(201, OK, WHOLE)], "answers 201"),
    "a range that was not asked for": ([Answer(416, {"Content-Range": "bytes */0"})], "answers 416"),
    "a teapot": ([Answer(418)], "answers 418"),
    "a state that there is not": ([Answer(299, OK, WHOLE)], "answers 299"),
    "busy for ever": ([Answer(503)], "answers 503"),
    "no web server": ([Answer(0, {}, b"")], "could not be fetched"),
    # headers
    "a header of a megabyte": ([Answer(200, {"X": "y" * 1_000_000}, WHOLE)], "could not be fetched"),
    "a thousand headers": ([Answer(200, [(f"X-{n}", "y") for n in range(1000)], WHOLE)], "could not be fetched"),
    # a body that goes on, after a cut
    "another range for ever": (
        [CUT, Answer(206, {"Content-Range": f"bytes 0-{SIZE - 1}/{SIZE}"}, WHOLE)],
        "a part of the file|another",
    ),
    "a range in words": ([CUT, Answer(206, {"Content-Range": "bytes some-more/all"}, WHOLE)], "a part of the file|another"),
    "a range backwards": ([CUT, Answer(206, {"Content-Range": f"bytes 2048-100/{SIZE}"}, WHOLE)], "a part of the file|another"),
    "a range beyond its own size": (
        [CUT, Answer(206, {"Content-Range": f"bytes 2048-{SIZE}/{SIZE}"}, WHOLE)],
        "a part of|another",
    ),
    "no range at all": ([CUT, Answer(206, {}, WHOLE[2048:])], "a part of the file|another"),
    "several ranges": ([CUT, Answer(206, {"Content-Type": "multipart/byteranges; boundary=x"}, b"--x")], "a part of|another"),
    "a range with another length": ([CUT, Answer(206, REST | {"Content-Length": "5"}, WHOLE[2048:])], "a part of|another"),
    "a rest without end": (
        [CUT, Answer(206, {"Content-Range": "bytes 2048-20971519/20971520"}, endless())],
        "sends 20971520 bytes",
    ),
    "a rest that was not said": (
        [CUT, Answer(206, {"Content-Range": f"bytes 2048-{SIZE - 1}/{SIZE}"}, endless())],
        "no end|sends",
    ),
    "bytes and another range, in turns": (
        [CUT, Answer(206, {"Content-Range": "bytes 0-1/2"}, b"xx")] * 40,
        "a part of|another|fetched",
    ),
    "a redirect in the middle": ([CUT, *to("file:///etc/passwd")], "no address on the web"),
    "packed in the middle": ([CUT, Answer(206, REST | {"Content-Encoding": "gzip"}, gzip.compress(WHOLE[2048:]))], "packed"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(make: Callable, server: Server, tmp_path: Path, name: str) -> None:
    make()
    answers, words = ANSWERS[name]
    server.answers = list(answers)
    refused(tmp_path, words)
    assert len(server.log) < 60
    assert server.sent < 12_000_000  # of 20 MB: what fits between the two, where nobody reads


GOOD: dict[str, list[Answer]] = {
    "the rest in two pieces": [
        CUT,
        Answer(206, {"Content-Range": f"bytes 2048-2999/{SIZE}"}, WHOLE[2048:3000]),
        Answer(206, {"Content-Range": f"bytes 3000-{SIZE - 1}/{SIZE}"}, WHOLE[3000:]),
    ],
    "without a length": [Answer(200, {}, WHOLE)],
    "in chunks": [Answer(200, {"Transfer-Encoding": "chunked"}, f"{SIZE:x}\r\n".encode() + WHOLE + b"\r\n0\r\n\r\n")],
    "the length twice, alike": [Answer(200, [("Content-Length", str(SIZE)), ("Content-Length", str(SIZE))], WHOLE)],
    "identity": [Answer(200, OK | {"Content-Encoding": "identity"}, WHOLE)],
    "elsewhere on the web": [*to("HERE/elsewhere?signature=1"), Answer(200, OK, WHOLE)],
    "a relative place": [*to("other", 307), Answer(200, OK, WHOLE)],
    "whole again after a cut": [CUT, Answer(200, OK, WHOLE)],
    "the rest after a cut": [CUT, Answer(206, REST, WHOLE[2048:])],
    "the rest of a size that is not said": [CUT, Answer(206, {"Content-Range": f"bytes 2048-{SIZE - 1}/*"}, WHOLE[2048:])],
    "another range once": [CUT, Answer(206, {"Content-Range": f"bytes 0-{SIZE - 1}/{SIZE}"}, WHOLE), Answer(200, OK, WHOLE)],
    "a mark that is huge": [Answer(200, OK | {"ETag": '"' + "a" * 5000 + '"'}, WHOLE[:2048]), Answer(200, OK, WHOLE)],
    "a mark of odd letters": [Answer(200, OK | {"ETag": '"\xe9\x80"'}, WHOLE[:2048]), Answer(200, OK, WHOLE)],
}


@pytest.mark.parametrize("name", GOOD)
def test_an_answer_that_is_right(make: Callable, server: Server, tmp_path: Path, name: str) -> None:
    make()
    server.answers = list(GOOD[name])
    assert downloads.fetch("net", say=lambda _: None)[0].read_bytes() == WHOLE
    assert os.listdir(tmp_path / "weights") == ["net"]


def test_a_body_that_goes_on_is_bounded_where_no_size_is_known(make: Callable, server: Server, tmp_path: Path) -> None:
    make(known=False, name="config.json")
    server.answers = [Answer(200, {}, lambda: (b" " * (1 << 20) for _ in range(70)))]
    refused(tmp_path, "has no end", most=0)
    server.answers = [Answer(200, {"Content-Length": str(1 << 40)}, b"{")]
    refused(tmp_path, "sends 1099511627776 bytes, and 67108864 are the most", most=0)


# The hub

HEADS: dict[str, tuple[dict[str, str], str]] = {
    "another size": ({"X-Linked-Size": "20971520", "X-Linked-Etag": '"a"'}, "has a file of 20971520 bytes"),
    "a negative size": ({"X-Linked-Size": "-3", "X-Linked-Etag": '"a"'}, "has no end"),
    "a size in words": ({"X-Linked-Size": "many", "X-Linked-Etag": '"a"'}, "could not be fetched|has no end"),
    "no size": ({"ETag": '"a"'}, "has no end"),
    "a mark of a megabyte": ({"X-Linked-Size": str(SIZE), "X-Linked-Etag": "a" * 1_000_000}, "could not be fetched"),
    "a mark that is a path": ({"X-Linked-Size": str(SIZE), "X-Linked-Etag": "../../../etc/passwd"}, "has no end"),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_hub(make: Callable, server: Server, tmp_path: Path, name: str) -> None:
    make(hub=True)
    server.head, words = HEADS[name]
    server.answers = [Answer(200, {}, endless())]
    refused(tmp_path, words)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_log_in_goes_to_no_other_host(
    make: Callable, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    make(hub=True)
    other = Server()
    try:
        server.head = {"X-Linked-Size": str(SIZE), "X-Linked-Etag": '"a"'}
        server.answers = to(f"{other.address}/there?token=hf_secret", status)
        other.answers = [Answer(403)]
        refused(tmp_path, "answers 403")
        assert {k.lower(): v for k, v in server.log[0][2].items()}["authorization"] == "Bearer hf_secret"
        assert not {"authorization", "cookie"} & {name.lower() for name in other.log[0][2]}
        other.answers = [Answer(200, OK, WHOLE)]
        assert downloads.fetch("net", say=lambda _: None)[0].read_bytes() == WHOLE
    finally:
        other.close()


MIRRORS: dict[str, str] = {
    "file": "file:///etc",
    "ftp": "ftp://mirror.org",
    "a log-in": "https://me:pw-of-mine@mirror.org",
    "a token": "https://hf_secret@mirror.org",
    "a blank within": "https://hf mirror.com",
    "a newline within": "https://hf-mirror.com\nx",
    "no host": "https://",
    "only a port": "https://:443",
    "an odd port": "https://mirror.org:port",
    "port 0": "https://mirror.org:0",
    "a port beyond": "https://mirror.org:70000",
    "a query": "https://mirror.org/?x=1",
    "a fragment": "https://mirror.org/#x",
    "a bracket": "https://[::1",
    "a backslash": "https:\\\\mirror.org",
    "quotes": '"https://mirror.org"',
    "a path that climbs": "https://mirror.org/../x",
    "two dots": "https://mirror..org",
    "a scheme alone": "https:mirror.org",
    "letters beyond": "https://mirr\u00f6r.org",
    "mail": "mailto:me@mirror.org",
}


@pytest.mark.parametrize("name", MIRRORS)
def test_a_mirror_that_is_none(make: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    make(hub=True)
    monkeypatch.setenv("HF_ENDPOINT", MIRRORS[name])
    refused(tmp_path, "HF_ENDPOINT: the address of a mirror is wanted")


@pytest.mark.parametrize(
    "typed", ["none", "https//nowhere.invalid", "127.0.0.1:9", "http://127.0.0.1:9", "http://.", "http://" + "a" * 99]
)
def test_a_mirror_that_does_not_answer_is_named(
    make: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise OSError("no such host")

    make(hub=True)
    monkeypatch.setenv("HF_ENDPOINT", typed)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", lost)
    refused(tmp_path, r"from https?://\S+, which HF_ENDPOINT names, \(no such host\).*and that address, and run")


def test_a_token_that_is_none(make: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(hub=True)
    monkeypatch.setenv("HF_TOKEN", "hf_secret\u00e9")
    refused(tmp_path, "HF_TOKEN, or the log-in .* holds letters that no token has")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", "https://huggingface.co"),
        ("   ", "https://huggingface.co"),
        ("hf-mirror.com", "https://hf-mirror.com"),
        ("hf-mirror.com/", "https://hf-mirror.com"),
        (" https://hf-mirror.com/ ", "https://hf-mirror.com"),
        ("https://hf-mirror.com///", "https://hf-mirror.com"),
        ("HTTPS://hf-mirror.com", "HTTPS://hf-mirror.com"),
        ("localhost:8080", "https://localhost:8080"),
        ("http://127.0.0.1:8080/hf", "http://127.0.0.1:8080/hf"),
        ("https://mirror.org/a/b/", "https://mirror.org/a/b"),
        ("https://[::1]:8080", "https://[::1]:8080"),
    ],
)
def test_a_mirror_as_people_type_it(monkeypatch: pytest.MonkeyPatch, typed: str, meant: str) -> None:
    from helpers.weights import web

    monkeypatch.setenv("HF_ENDPOINT", typed)
    assert web.endpoint() == meant


@pytest.mark.parametrize("typed", ["{}/", " {} ", "{}///"])
def test_a_mirror_with_a_slash_is_asked(make: Callable, server: Server, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    make(hub=True)
    monkeypatch.setenv("HF_ENDPOINT", typed.format(server.address))
    server.head = {"X-Linked-Size": str(SIZE), "X-Linked-Etag": '"a"'}
    server.answers = [Answer(200, OK, WHOLE)]
    assert downloads.fetch("net", say=lambda _: None)[0].read_bytes() == WHOLE
    assert server.log[0][1] == "/me/net/resolve/main/model.safetensors"


@pytest.mark.parametrize(
    "proxy",
    ["::::", "http://", "ftp://127.0.0.1:1", "socks9://127.0.0.1:1", "http://me:pw-of-mine@127.0.0.1:1", "http://a..b:1"],
)
@pytest.mark.parametrize("hub", [False, True])
def test_a_proxy_that_is_none(
    make: Callable, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, hub: bool
) -> None:
    make(hub=hub)
    server.answers = [Answer(404)]
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    refused(tmp_path, "HTTPS_PROXY|answers 404|is not there")


# What lies where a file grows

STAGE = ".fetching/net/net-model.safetensors"
BESIDE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a part that is a folder": (lambda f: (f / f"{STAGE}.part").mkdir(parents=True), "is a folder, in the way"),
    "a mark that is a folder": (lambda f: (f / f"{STAGE}.etag").mkdir(parents=True), "is a folder, in the way"),
    "a lock that is a folder": (lambda f: (f / f"{STAGE}.lock").mkdir(parents=True), "is a folder, in the way"),
    "a folder that is a file": (lambda f: put(f / ".fetching", b"x"), "fetching.* could not be written"),
    "a group that is a file": (lambda f: put(f / ".fetching/net", b"x"), "fetching.* could not be written"),
    "a target that is a folder": (lambda f: (f / PLACE).mkdir(parents=True), "is a folder, where a file belongs"),
    "a target's folder that is a file": (lambda f: put(f / "net", b"x"), "could not be written"),
    "a folder of weights that is a file": (lambda f: put(f, b"x"), "ATELIER_WEIGHTS: .* is not a folder"),
}


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_in_the_way(make: Callable, server: Server, tmp_path: Path, name: str) -> None:
    make()
    server.answers = [Answer(200, OK, WHOLE)]
    BESIDE[name][0](tmp_path / "weights")
    with pytest.raises((downloads.DownloadError, OSError, ValueError), match=BESIDE[name][1]) as caught:
        downloads.fetch("net", say=lambda _: None)
    assert "Errno" not in str(caught.value)


LEFT: dict[str, Callable[[Path], Any]] = {
    "a part larger than the file": lambda f: put(f / f"{STAGE}.part", bytes(9000)),
    "a part with a mark of noise": lambda f: [put(f / f"{STAGE}.part", bytes(50)), put(f / f"{STAGE}.etag", b"\xff\x00\n\r")],
    "a mark with a newline": lambda f: [put(f / f"{STAGE}.part", bytes(50)), put(f / f"{STAGE}.etag", b'"a"\r\nX: y')],
    "a mark without end": lambda f: [put(f / f"{STAGE}.part", bytes(50)), put(f / f"{STAGE}.etag", b"a" * 100_000)],
    "a part that is a link": lambda f: [
        put(f / "elsewhere", b"mine"),
        (f / ".fetching/net").mkdir(parents=True),
        (f / f"{STAGE}.part").symlink_to(f / "elsewhere"),
    ],
    "a part that is a pipe": lambda f: [(f / ".fetching/net").mkdir(parents=True), os.mkfifo(f / f"{STAGE}.part")],
    "a lock that is a link": lambda f: [
        put(f / "elsewhere", b"mine"),
        (f / ".fetching/net").mkdir(parents=True),
        (f / f"{STAGE}.lock").symlink_to(f / "elsewhere"),
    ],
}


@pytest.mark.parametrize("name", LEFT)
def test_what_others_left(make: Callable, server: Server, tmp_path: Path, name: str) -> None:
    make()
    server.answers = [Answer(200, OK, WHOLE)]
    LEFT[name](tmp_path / "weights")
    assert downloads.fetch("net", say=lambda _: None)[0].read_bytes() == WHOLE
    if (tmp_path / "weights/elsewhere").exists():
        assert (tmp_path / "weights/elsewhere").read_bytes() == b"mine"


@pytest.mark.parametrize("note", [b"\xff\xfe\x00", b"a" * 100_000, b"", b'"b"\n'])
def test_a_damaged_note_of_the_hub_begins_anew(make: Callable, server: Server, tmp_path: Path, note: bytes) -> None:
    make(hub=True)
    server.head = {"X-Linked-Size": str(SIZE), "X-Linked-Etag": '"a"'}
    server.answers = [Answer(200, OK, WHOLE)]
    put(tmp_path / "weights" / f"{STAGE}.part", bytes(50))
    put(tmp_path / "weights" / f"{STAGE}.part.of", note)
    assert downloads.fetch("net", say=lambda _: None)[0].read_bytes() == WHOLE


# Drives


def elsewhere(tmp_path: Path) -> Callable[..., Any]:
    return lambda **_: str(put(tmp_path / "other.safetensors", WHOLE))


DRIVES: dict[str, tuple[Callable[[Path], Callable[..., Any]], str]] = {
    "another name": (elsewhere, "it is another file"),
    "a name and no file": (lambda _: lambda output, **_: output, "it is another file"),
    "nothing": (lambda _: lambda **_: None, "no file came"),
    "an HTML page": (lambda _: lambda output, **_: str(put(Path(output), b"<!DOCTYPE html><title>quota</title>")), "HTML page"),
    "another file": (lambda _: lambda output, **_: str(put(Path(output), safetensors(9000))), "another file"),
}


@pytest.mark.parametrize("name", DRIVES)
def test_a_drive(publish: Callable, make: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    import gdown

    known = {"bytes": SIZE, "sha256": hashlib.sha256(WHOLE).hexdigest(), "hash": "established"}
    publish({"path": "model.safetensors", "drive": "abc", **known})
    monkeypatch.setattr(gdown, "download", DRIVES[name][0](tmp_path))
    refused(tmp_path, DRIVES[name][1])

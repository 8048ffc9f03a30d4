"""Published files out of archives that were downloaded by hand: by their names alone, to their own places, checked."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers import cli, weights
from helpers.weights import archives
from helpers.weights.formats import Damaged

PARTS = ("seg_final.pth", "gmm_final.pth", "alias_final.pth")


def checkpoint(value: float = 1.0) -> bytes:
    written = io.BytesIO()
    torch.save({"conv.weight": torch.full((2, 2), value)}, written)
    return written.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "weights"
    place.mkdir()
    monkeypatch.setenv("ATELIER_WEIGHTS", str(place))
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "cache"))
    return place


def packed(path: Path, members: dict[str, bytes], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_a_drive_gives_of_a_folder(folder: Path, tmp_path: Path) -> None:
    """Two zips with folders inside, compressed, and things in them that are nobody's."""
    first = {f"checkpoints/{name}": checkpoint(i) for i, name in enumerate(PARTS[:2])} | {"checkpoints/README.txt": b"hello"}
    second = {f"checkpoints/{PARTS[2]}": checkpoint(2), "__MACOSX/checkpoints/._alias_final.pth": b"\0" * 20}
    zips = [
        packed(tmp_path / f"drive-{n}.zip", each, compression=zipfile.ZIP_DEFLATED) for n, each in enumerate((first, second))
    ]
    said: list[str] = []
    made = archives.unpack(archives.find(zips), said.append)
    assert files(folder) == sorted(f"viton_hd/{name}" for name in PARTS)
    assert {path.name for path in made} == set(PARTS)
    assert "NON-COMMERCIAL" in said[0]
    for value, name in enumerate(PARTS):
        assert (weights.load_state_dict(weights.require(f"viton_hd/{name}"))["conv.weight"] == value).all()
    assert archives.find(zips) == [], "all of it is here"


@pytest.mark.parametrize("name", ["../../gen.pth", "/etc/gen.pth", "C:\\x\\gen.pth", "a/../../../gen.pth"])
def test_where_an_archive_says_that_a_file_belongs_is_nothing(folder: Path, tmp_path: Path, name: str) -> None:
    archives.unpack(archives.find([packed(tmp_path / "a.zip", {name: checkpoint()})]), lambda _: None)
    assert files(tmp_path) == ["a.zip", "weights/hr_viton/gen.pth"]


def link(name: str = "gen.pth") -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    return entry


def test_what_is_not_taken(folder: Path, tmp_path: Path) -> None:
    path, whole = tmp_path / "a.zip", checkpoint()
    for content, said in (
        (b"", "empty|0 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n", "pointer"),
        (b"<html><body>Quota exceeded</body></html>", "HTML"),
        (whole[: len(whole) // 2], "cut short"),
        (b"PK" + bytes(200), "not a torch checkpoint"),
    ):
        found = archives.find([packed(path, {"x/mtviton.pth": content})])
        with pytest.raises(Damaged, match=rf"a\.zip: x/mtviton\.pth .*({said}).*not taken"):
            archives.unpack(found, lambda _: None)
    broken = bytearray(packed(path, {"mtviton.pth": whole}).read_bytes())
    broken[len(whole) // 2] ^= 255
    path.write_bytes(broken)
    with pytest.raises(Damaged, match=r"mtviton\.pth cannot be unpacked"):
        archives.unpack(archives.find([path]), lambda _: None)
    assert files(folder) == []


def test_archives_that_are_named(folder: Path, tmp_path: Path) -> None:
    path, whole = tmp_path / "a.zip", checkpoint()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link(), "/etc/passwd")
    with pytest.raises(Damaged, match="a link to another place"):
        archives.find([path])
    packed(path, {"one/gen.pth": whole, "two/gen.pth": whole})
    with pytest.raises(Damaged, match=r"two/gen\.pth is there twice, also as one/gen\.pth"):
        archives.find([path])
    packed(path, {"u2netp.pth": b"x"})
    large = bytearray(path.read_bytes())
    at = large.rindex(b"PK\x01\x02")
    large[at + 24 : at + 28] = (9_000_000).to_bytes(4, "little")
    path.write_bytes(large)
    with pytest.raises(Damaged, match="has 9000000 bytes, and 4683258 are the most"):
        archives.find([path])
    large[at + 8] |= 1
    large[at + 24 : at + 28] = (1).to_bytes(4, "little")
    path.write_bytes(large)
    with pytest.raises(Damaged, match="is encrypted"):
        archives.find([path])
    with pytest.raises(ValueError, match=r"a\.zip: no published file is in it"):
        archives.find([packed(path, {"model.bin": whole, "config.json": b"{}"})])
    path.write_bytes(whole[:100])
    with pytest.raises(Damaged, match="is no zip archive"):
        archives.find([path])
    with pytest.raises(FileNotFoundError, match="is not there"):
        archives.find([tmp_path / "b.zip"])
    assert files(folder) == []


def test_of_files_called_alike_the_folders_above_tell(folder: Path, tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"IDM/idm_vton/vae/config.json": b"{}", "elsewhere/config.json": b"{}"})
    assert [one.record.name for one in archives.find([path])] == ["idm_vton/vae/config.json"]


def test_by_hand(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is missing is found in an archive that lies among the weights; terms want a yes."""
    path = packed(folder / "drive-download.zip", {"HR/mtviton.pth": checkpoint()})
    with pytest.raises(
        weights.Missing, match=r"holds one of that name: python -m helpers weights unpack .*drive-download\.zip"
    ):
        weights.require("hr_viton/mtviton.pth")
    assert cli.main(["weights", "unpack", str(path)]) == 2
    assert "NON-COMMERCIAL" in capsys.readouterr().out
    assert cli.main(["weights", "unpack", "--accept", str(path)]) == 0
    assert weights.require("hr_viton/mtviton.pth") == folder / "hr_viton" / "mtviton.pth"
    assert cli.main(["weights", "unpack", str(path)]) == 0
    assert "everything in it is here" in capsys.readouterr().out

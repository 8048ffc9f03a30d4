"""Downloads against a server on this machine that cuts, lies and goes away; nothing half-written may ever be taken for the file."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from local_server import COMMIT, Server

from helpers import weights
from helpers.cli import main
from helpers.weights import downloads, registry, verify

Make = Callable[..., weights.Record]


def safetensors(values: int = 40_000, byte: int = 7) -> bytes:
    """A whole safetensors file with one tensor of bytes."""
    header = json.dumps({"a": {"dtype": "U8", "shape": [values], "data_offsets": [0, values]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes([byte]) * values


WHOLE = safetensors()
HALF = len(WHOLE) // 2
LOST = 1024  # bytes read at a time: at most so many are lost at a cut
PLACE = "net/model.safetensors"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def make(server: Server, publish: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """``make(url=..., hub=..., sha256=...)``: a manifest of one group ``net`` with one file, in a folder of weights of its own."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "ATELIER_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setattr(downloads, "_PAUSE", 0.01)
    monkeypatch.setattr(downloads, "_CHUNK", LOST)

    def make(known: bytes | None = WHOLE, sure: str = "established", commercial: bool = True, **source: str) -> weights.Record:
        entry = {"path": "model.safetensors", **{k: v for k, v in source.items() if k in ("url", "drive")}}
        if known is not None:
            entry |= {"bytes": len(known), "sha256": hashlib.sha256(known).hexdigest(), "hash": sure}
        return publish(entry, commercial=commercial, hub=source.get("hub", "me/net"), revision="main")

    return make


@pytest.fixture
def url(server: Server) -> str:
    server.files["/model.safetensors"] = WHOLE
    return server.address + "/model.safetensors"


@pytest.fixture
def hub(server: Server) -> str:
    server.files["/me/net/resolve/main/model.safetensors"] = WHOLE
    return "/me/net/resolve/main/model.safetensors"


def starts(server: Server) -> list[int]:
    """The first byte that each GET of a file asked for."""
    return [
        int(asked.removeprefix("bytes=").rstrip("-") or 0)
        for method, path, asked in server.log
        if method == "GET" and "/api/" not in path
    ]


def nothing_there(tmp_path: Path) -> None:
    """No file under any name that could be taken for a checkpoint."""
    assert weights.find("net") is None
    assert not weights.here("net")
    assert [p for p in (tmp_path / "weights").rglob("*.safetensors") if ".fetching" not in p.parts] == []


def test_a_url_is_fetched_whole_and_leaves_nothing_beside(make: Make, url: str, tmp_path: Path) -> None:
    make(url=url)
    said: list[str] = []
    (path,) = downloads.fetch("net", say=said.append)
    assert path == tmp_path / "weights" / PLACE
    assert path.read_bytes() == WHOLE
    assert "net: X-1: ask first" in said[0]
    assert [p.name for p in (tmp_path / "weights").rglob("*")] == ["net", "model.safetensors"]
    assert downloads.fetch("net", say=said.append) == []
    assert "everything is here" in said[-1]


def test_a_cut_is_resumed_in_the_same_call(make: Make, url: str, server: Server) -> None:
    make(url=url)
    server.faults["/model.safetensors"] = ["cut", "cut"]
    (path,) = downloads.fetch("net")
    assert path.read_bytes() == WHOLE
    first, second, third = starts(server)
    assert first == 0
    assert HALF - LOST < second <= HALF
    assert second + (len(WHOLE) - second) // 2 - LOST < third < len(WHOLE)


def test_a_server_that_goes_away_leaves_what_came_to_be_resumed(make: Make, url: str, server: Server, tmp_path: Path) -> None:
    make(url=url)
    server.faults["/model.safetensors"] = ["cut", *[503] * downloads.TRIES]
    with pytest.raises(downloads.DownloadError, match=r"503.* kB of net/model.safetensors are kept.*again, which resumes"):
        downloads.fetch("net")
    nothing_there(tmp_path)
    with pytest.raises(weights.Missing):
        weights.require("net")
    server.log.clear()
    (path,) = downloads.fetch("net")
    assert path.read_bytes() == WHOLE
    assert HALF - LOST < starts(server)[0] <= HALF


def test_a_server_that_is_gone(make: Make, tmp_path: Path) -> None:
    gone = Server()
    gone.close()
    make(url=gone.address + "/model.safetensors")
    with pytest.raises(downloads.DownloadError, match=r"refused.*Nothing of net/model.safetensors has arrived"):
        downloads.fetch("net")
    nothing_there(tmp_path)
    assert os.listdir(tmp_path / "weights") == []


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_another_file_at_the_same_address_is_not_glued_to_the_old_part(
    make: Make, url: str, server: Server, validator: str
) -> None:
    other = safetensors(byte=9)
    make(url=url, known=None)
    server.validator = validator
    server.faults["/model.safetensors"] = ["cut", *[503] * downloads.TRIES]
    with pytest.raises(downloads.DownloadError):
        downloads.fetch("net")
    server.files["/model.safetensors"] = other
    assert downloads.fetch("net")[0].read_bytes() == other


def test_the_mark_of_an_older_version_is_not_kept(make: Make, url: str, server: Server, tmp_path: Path) -> None:
    """A server that stops marking its files: an old mark would have it send all of it, again and again."""
    make(url=url)
    mark = tmp_path / "weights/.fetching/net/net-model.safetensors.etag"
    mark.parent.mkdir(parents=True)
    mark.write_text('"old"')
    server.validator = ""
    server.faults["/model.safetensors"] = ["cut", *[503] * downloads.TRIES]
    with pytest.raises(downloads.DownloadError):
        downloads.fetch("net")
    assert not mark.exists()


def test_a_range_that_was_not_asked_for_is_not_appended(make: Make, url: str, server: Server) -> None:
    make(url=url, known=None)
    server.faults["/model.safetensors"] = ["cut", "other-range"]
    assert downloads.fetch("net")[0].read_bytes() == WHOLE


def test_a_busy_server_is_asked_again(make: Make, url: str, server: Server) -> None:
    make(url=url)
    server.faults["/model.safetensors"] = [429, 503]
    assert downloads.fetch("net")[0].read_bytes() == WHOLE


def test_one_file_is_not_fetched_twice_at_once(make: Make, url: str, server: Server, tmp_path: Path) -> None:
    """Whoever still had the part open would go on writing into the finished file."""
    make(url=url)
    refused: list[str] = []

    class Second(downloads.tqdm):
        def update(self, n: float = 1) -> None:
            if not refused:
                try:
                    downloads.fetch("net")
                except downloads.DownloadError as error:
                    refused.append(str(error))
            super().update(n)

    assert downloads.fetch("net", progress=Second)[0].read_bytes() == WHOLE
    assert "net/model.safetensors is being fetched already" in refused[0]
    assert os.listdir(tmp_path / "weights") == ["net"]
    (tmp_path / "weights" / PLACE).unlink()
    assert downloads.fetch("net")  # the lock is gone with the download


def test_a_download_that_ends_leaves_others_of_its_group_under_way(make: Make, url: str, tmp_path: Path) -> None:
    make(url=url)
    other = tmp_path / "weights/.fetching/net/net-other.bin.part"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"half")
    downloads.fetch("net")
    assert [p.name for p in (tmp_path / "weights/.fetching/net").iterdir()] == [other.name]


def test_a_server_without_ranges_starts_over(make: Make, url: str, server: Server) -> None:
    make(url=url)
    server.faults["/model.safetensors"] = ["cut", "ignore-range"]
    assert downloads.fetch("net")[0].read_bytes() == WHOLE


def test_a_part_that_is_whole_needs_no_further_byte(make: Make, url: str, server: Server, tmp_path: Path) -> None:
    part = tmp_path / "weights/.fetching/net/net-model.safetensors.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(WHOLE)
    make(url=url)
    assert downloads.fetch("net")[0].read_bytes() == WHOLE
    assert server.log == []
    make(url=url, known=None)  # of unknown size: the server says that nothing is left
    (tmp_path / "weights" / PLACE).unlink()
    part.parent.mkdir(parents=True)
    part.write_bytes(WHOLE)
    assert downloads.fetch("net")[0].read_bytes() == WHOLE
    assert [asked for _, _, asked in server.log] == [f"bytes={len(WHOLE)}-"]


def test_a_wrong_hash_is_refused_where_it_is_established(make: Make, url: str, tmp_path: Path) -> None:
    make(url=url, known=safetensors(byte=9))
    got, wanted = (hashlib.sha256(content).hexdigest() for content in (WHOLE, safetensors(byte=9)))
    with pytest.raises(weights.Damaged, match=rf"has sha256 {got}, not {wanted}, which is well established.*removed"):
        downloads.fetch("net")
    nothing_there(tmp_path)
    assert not list((tmp_path / "weights").rglob("*.part"))


def test_a_wrong_hash_only_warns_where_it_is_unsure(make: Make, url: str) -> None:
    make(url=url, known=safetensors(byte=9), sure="unsure")
    said: list[str] = []
    assert downloads.fetch("net", say=said.append)[0].read_bytes() == WHOLE
    assert "recorded too rarely to be sure" in said[-1]
    assert verify.compare(weights.records("net")[0]).state == "differs"


@pytest.mark.parametrize("known", [WHOLE, None])
def test_a_short_file_is_refused_with_both_numbers(
    make: Make, url: str, server: Server, tmp_path: Path, known: bytes | None
) -> None:
    make(url=url, known=known)
    server.faults["/model.safetensors"] = ["short"]
    with pytest.raises(weights.Damaged, match=rf"cut short: {len(WHOLE) // 2} bytes of {len(WHOLE)}"):
        downloads.fetch("net")
    nothing_there(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html><body>quota exceeded</body></html>", "HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "Git LFS pointer"),
        (b"placeholder for checkpoint", "placeholder of 26 bytes"),
        (b'{"error": "Repository is gated, ask for access and then try this again, please"}', "JSON"),
        (b"", "empty"),
    ],
)
def test_what_servers_send_instead_is_named(
    make: Make, url: str, server: Server, tmp_path: Path, content: bytes, words: str
) -> None:
    server.files["/model.safetensors"] = content
    make(url=url, known=None)
    with pytest.raises(weights.Damaged, match=words):
        downloads.fetch("net")
    nothing_there(tmp_path)


def test_an_html_page_is_not_even_written(make: Make, url: str, server: Server, tmp_path: Path) -> None:
    make(url=url)
    server.faults["/model.safetensors"] = ["html"]
    with pytest.raises(weights.Damaged, match="HTML page instead of model"):
        downloads.fetch("net")
    assert not list((tmp_path / "weights").rglob("*.part"))


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_says_where_to_put_the_file(make: Make, server: Server, url: str, tmp_path: Path, status: int) -> None:
    make(url=url)
    server.faults["/model.safetensors"] = [status]
    with pytest.raises(downloads.DownloadError, match=rf"answers {status} .*put it into {tmp_path}/weights/net"):
        downloads.fetch("net")
    assert len(server.log) == 1
    nothing_there(tmp_path)


def test_a_full_disk_is_noticed_before_the_first_byte(
    make: Make, url: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(url=url)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500_000_000))
    with pytest.raises(OSError, match=r"fetching 1 file needs 0.00 GB and 0.5 GB to spare.*0.50 GB are free") as caught:
        downloads.fetch("net")
    assert caught.value.errno == errno.ENOSPC
    assert server.log == []


def test_a_disk_that_fills_up_keeps_what_came(
    make: Make, url: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        monkeypatch.setenv("ATELIER_WEIGHTS", str(small))
        monkeypatch.setattr(downloads, "require_space", lambda *_: None)  # someone else fills it after the look
        monkeypatch.setattr(downloads, "_CHUNK", 4096)
        make(url=url)
        with pytest.raises(OSError, match=r"is full. .* kB of net/model.safetensors are kept.*resumes") as caught:
            downloads.fetch("net")
        assert caught.value.errno == errno.ENOSPC
        assert weights.find("net") is None
        subprocess.run(["mount", "-o", "remount,size=1m", str(small)], check=True)
        server.log.clear()
        assert downloads.fetch("net")[0].read_bytes() == WHOLE
        assert server.log[0][2].startswith("bytes=")
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize("switch", ["ATELIER_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_mode_is_named(make: Make, url: str, server: Server, monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    make(url=url)
    monkeypatch.setenv(switch, "1")
    with pytest.raises(downloads.Offline, match=rf"{switch} forbids downloads"):
        downloads.fetch("net")
    assert server.log == []


def test_packages_that_downloads_need_are_named(make: Make, server: Server, hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make()
    monkeypatch.setattr(downloads, "find_spec", lambda name: None if name == "huggingface_hub" else name)
    with pytest.raises(downloads.DownloadError, match=r"need huggingface_hub: pip install 'atelier-notebooks\[published\]'"):
        downloads.fetch("net")
    assert server.log == []


def test_a_damaged_file_is_fetched_again_and_a_sound_one_of_another_size_is_kept(make: Make, url: str, tmp_path: Path) -> None:
    make(url=url)
    path = tmp_path / "weights" / PLACE
    path.parent.mkdir(parents=True)
    path.write_bytes(WHOLE[:-1])
    with pytest.raises(weights.Damaged, match="cut short"):
        weights.require("net")
    assert downloads.fetch("net")[0].read_bytes() == WHOLE
    path.write_bytes(safetensors(10))
    assert downloads.plan(["net"]) == []
    assert weights.require("net") == path
    said: list[str] = []
    assert downloads.fetch("net", say=said.append) == []
    assert said[0].startswith(f"warning: {path} has {len(safetensors(10))} bytes, the published one {len(WHOLE)}")
    assert "Delete it" in said[0]


def test_a_hub_file_is_fetched_and_resumed(make: Make, hub: str, server: Server, tmp_path: Path) -> None:
    make()
    server.faults[hub] = ["cut"]
    (path,) = downloads.fetch("net")
    assert path == tmp_path / "weights" / PLACE
    assert path.read_bytes() == WHOLE
    first, second = starts(server)
    assert first == 0
    assert HALF - LOST < second <= HALF
    assert not (tmp_path / "weights/.fetching").exists()


def test_a_hub_that_goes_away_is_resumed_by_the_next_call(make: Make, hub: str, server: Server, tmp_path: Path) -> None:
    make()
    server.faults[hub] = ["cut", *[503] * 20]
    with pytest.raises(downloads.DownloadError, match=r"(19|20) kB of net/model.safetensors are kept.*resumes"):
        downloads.fetch("net")
    nothing_there(tmp_path)
    server.faults[hub], server.log[:] = [], []
    assert downloads.fetch("net")[0].read_bytes() == WHOLE
    assert HALF - LOST < starts(server)[0] <= HALF


@pytest.mark.parametrize("source", ["url", "hub"])
def test_a_file_without_a_recorded_hash_is_said_with_the_one_it_has(
    make: Make, url: str, hub: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(known=None, **({"url": url} if source == "url" else {}))
    said: list[str] = []
    hashed: list[Path] = []
    count = verify.sha256
    monkeypatch.setattr(verify, "sha256", lambda path, *rest: hashed.append(path) or count(path, *rest))
    downloads.fetch("net", say=said.append)
    assert f"sha256 {hashlib.sha256(WHOLE).hexdigest()}; none is recorded" in said[-1]
    assert len(hashed) == 1  # 12 GB are not read twice


def test_a_gated_repository_asks_for_a_log_in(
    make: Make, hub: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    make()
    server.gated.add(hub)
    with pytest.raises(downloads.DownloadError, match=r"me/net asks for consent.*huggingface.co/me/net.*HF_TOKEN"):
        downloads.fetch("net")
    nothing_there(tmp_path)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert downloads.fetch("net")[0].read_bytes() == WHOLE


def test_a_wrong_hub_file_is_refused(make: Make, hub: str, tmp_path: Path) -> None:
    make(known=safetensors(byte=9))
    with pytest.raises(weights.Damaged, match="sha256"):
        downloads.fetch("net")
    nothing_there(tmp_path)


def test_a_hub_without_the_file(make: Make, server: Server, tmp_path: Path) -> None:
    make()
    with pytest.raises(downloads.DownloadError, match=r"me/net on the hub: model.safetensors is not there"):
        downloads.fetch("net")
    nothing_there(tmp_path)


def test_a_hub_that_is_gone(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = Server()
    gone.close()
    make()
    monkeypatch.setenv("HF_ENDPOINT", gone.address)
    with pytest.raises(downloads.DownloadError, match=r"could not be fetched .*Check the connection"):
        downloads.fetch("net")
    nothing_there(tmp_path)


def test_a_file_in_the_hub_cache_is_used_there(
    make: Make, hub: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import hf_hub_download

    record = make()
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    path = Path(hf_hub_download("me/net", "model.safetensors", cache_dir=tmp_path / "home/hub", endpoint=server.address))
    assert path.parent.name == COMMIT
    server.log.clear()
    assert weights.find(record.name) == weights.require("net") == path
    assert downloads.fetch("net") == []
    assert server.log == []
    path.resolve().write_bytes(WHOLE[:-9])  # damaged there: fetched to the weights folder, which goes first
    assert downloads.fetch("net") == [tmp_path / "weights" / PLACE]
    assert weights.require("net").read_bytes() == WHOLE


def test_a_hub_file_that_changed_since_is_begun_anew(make: Make, hub: str, server: Server) -> None:
    other = safetensors(byte=9)
    make(known=None)
    server.faults[hub] = ["cut", *[503] * downloads.TRIES]
    with pytest.raises(downloads.DownloadError):
        downloads.fetch("net")
    server.files[hub], server.faults[hub] = other, []
    server.log.clear()
    assert downloads.fetch("net")[0].read_bytes() == other
    assert starts(server) == [0]


def test_bytes_changed_on_the_way_are_noticed_without_a_recorded_hash(
    make: Make, hub: str, server: Server, tmp_path: Path
) -> None:
    make(known=None)
    part = tmp_path / "weights/.fetching/net/net-model.safetensors.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(safetensors(byte=9)[:HALF])  # whatever put it there
    with pytest.raises(weights.Damaged, match=r"otherwise than me/net says it is"):
        downloads.fetch("net")
    nothing_there(tmp_path)
    assert downloads.fetch("net")[0].read_bytes() == WHOLE


def test_a_drive_is_asked_through_gdown_and_its_quota_page_named(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gdown

    asked = {}

    def give(id: str, output: str, resume: bool) -> str:
        asked.update(id=id, resume=resume)
        Path(output).write_bytes(WHOLE)
        return output

    make(drive="abc")
    monkeypatch.setattr(gdown, "download", give)
    assert downloads.fetch("net")[0].read_bytes() == WHOLE
    assert asked == {"id": "abc", "resume": True}
    (tmp_path / "weights" / PLACE).unlink()

    def refuse(**_: object) -> str:
        raise gdown.exceptions.FileURLRetrievalError("Too many users have viewed or downloaded this file recently")

    monkeypatch.setattr(gdown, "download", refuse)
    with pytest.raises(downloads.DownloadError, match=r"Too many users.*drive.google.com/file/d/abc/view in a browser"):
        downloads.fetch("net")
    nothing_there(tmp_path)


def test_non_commercial_terms_come_first() -> None:
    lines = downloads.terms(weights.records("densepose") + weights.records("idm_vton") + weights.records("sam_vit_b"))
    assert ["NON-COMMERCIAL" in line for line in lines] == [True, False, False]


def test_the_command_asks_for_consent_to_non_commercial_terms(
    make: Make, url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(url=url, commercial=False)
    assert main(["weights", "fetch", "net"]) == 2
    out = capsys.readouterr()
    assert "NON-COMMERCIAL" in out.out
    assert "--accept" in out.err
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert main(["weights", "fetch", "net"]) == 1
    nothing_there(tmp_path)
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert main(["weights", "fetch", "net"]) == 0
    assert (tmp_path / "weights" / PLACE).read_bytes() == WHOLE
    assert main(["weights", "verify", "net"]) == 0
    assert "sha256 as published" in capsys.readouterr().out
    (tmp_path / "weights" / PLACE).unlink()
    monkeypatch.setattr("builtins.input", lambda _: pytest.fail("it was accepted already"))
    assert main(["weights", "fetch", "net", "--yes"]) == 0


def test_the_command_says_in_a_line_why_it_failed(make: Make, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    make(url=server.address + "/elsewhere")
    assert main(["weights", "fetch", "net"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "404" in err
    assert err.count("\n") == 1


def test_the_command_names_the_file_that_cannot_be_written(
    make: Make, url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    make(url=url)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/.fetching").write_text("in the way")
    assert main(["weights", "fetch", "net"]) == 2
    err = capsys.readouterr().err
    assert "weights/.fetching" in err
    assert "Errno" not in err


def test_a_process_that_is_killed_leaves_no_lock(make: Make, url: str, server: Server, tmp_path: Path) -> None:
    """SIGKILL in the middle: no code of ours runs any more, and yet nothing is in the way of the next download."""
    make(url=url)
    code = f"""
import os, pathlib, signal
from helpers.weights import downloads, registry
registry.manifest = lambda: pathlib.Path({str(registry.manifest())!r})
class Killed(downloads.tqdm):
    def update(self, n=1):
        if self.n > {HALF}:
            os.kill(os.getpid(), signal.SIGKILL)
        super().update(n)
downloads._CHUNK = {LOST}
downloads.fetch("net", progress=Killed)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    nothing_there(tmp_path)
    assert list((tmp_path / "weights/.fetching/net").glob("*.lock"))
    server.log.clear()
    assert downloads.fetch("net")[0].read_bytes() == WHOLE
    assert starts(server)[0] > 0
    assert os.listdir(tmp_path / "weights") == ["net"]


def test_a_killed_download_is_resumed(make: Make, url: str, server: Server, tmp_path: Path) -> None:
    """A process that dies in the middle leaves no file under its name, and the next one goes on from there."""
    big = safetensors(8_000_000)
    server.files["/model.safetensors"] = big
    make(url=url, known=big)

    class Killed(downloads.tqdm):
        def update(self, n: float = 1) -> None:
            if self.n > 3_000_000:
                raise KeyboardInterrupt
            super().update(n)

    with pytest.raises(KeyboardInterrupt):
        downloads.fetch("net", progress=Killed)
    nothing_there(tmp_path)
    server.log.clear()
    assert downloads.fetch("net")[0].read_bytes() == big
    assert starts(server)[0] >= 3_000_000
    assert os.listdir(tmp_path / "weights") == ["net"]


@pytest.mark.slow
def test_the_setup_notebook_fetches_what_it_is_told(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headlessly, a group of many files through the hub's protocol; one connection is cut, and one file is another than published."""
    import papermill

    records = weights.records("sdxl_base")
    for record in records:
        repository, revision, file = record.hub
        path = f"/{repository}/resolve/{revision}/{file}"
        size = record.bytes - 8 if record.bytes else 9000  # nearly the published one: what is far from it is refused
        server.files[path] = b'{"a": "' + b"x" * (size - 9) + b'"}' if record.kind == "json" else b"a b\n" * (size // 4)
    server.faults[path] = ["cut"]
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "ATELIER_OFFLINE", "ATELIER_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "mine").mkdir()
    notebook = Path(__file__).parents[2] / "notebooks/00_setup.ipynb"
    parameters = {
        "fetch": ["sdxl_base"],
        "weights_folder": str(tmp_path / "mine"),
        "self_test": False,
        "outputs": str(tmp_path),
    }
    done = papermill.execute_notebook(notebook, tmp_path / "done.ipynb", parameters, progress_bar=False, kernel_name="python3")
    assert all((tmp_path / "mine" / record.path).is_file() for record in records)
    section = json.loads((tmp_path / "setup/metrics.json").read_text())["00_setup"]
    assert section["metrics"]["fetched"] == [record.name for record in records]
    assert section["metrics"]["weights"]["sdxl_base"] == "here, not the published size"
    text = json.dumps([cell.get("outputs") for cell in done.cells])
    assert "OpenRAIL++-M: commercial use allowed" in text
    assert "warning: sdxl_base/tokenizer/vocab.json has 1059954 bytes, the published one 1059962" in text
    assert os.listdir(tmp_path / "mine") == ["sdxl_base"]

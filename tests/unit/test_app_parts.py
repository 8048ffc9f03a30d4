"""The dressing room's parts without its server: what it may be opened with, who comes in, whose turn it is, and every text."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import load_garment
from helpers.app import stock, work
from helpers.app.crew import Failed
from helpers.app.entrance import Bucket, Entrance
from helpers.app.guard import headers
from helpers.app.jobs import Job, Jobs
from helpers.app.metrics import Metrics
from helpers.app.sessions import Picture, Sessions
from helpers.app.settings import Settings
from helpers.app.words import Refused
from helpers.images import write_image


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"host": "0.0.0.0"}, "host"),
        ({"host": "192.168.1.5"}, "host"),
        ({"host": "example.org"}, "host"),
        ({"password": "short"}, "password"),
        ({"certificate": "a.pem"}, "certificate"),
        ({"wardrobe": "/nowhere/at/all"}, "wardrobe"),
        ({"port": 70000}, "port"),
        ({"workers": 100}, "workers"),
    ],
)
def test_what_cannot_be_opened_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=rf"^{named}"):
        Settings(**given)


def test_other_machines_with_a_password_and_this_one_without() -> None:
    assert Settings(host="0.0.0.0", password="a long password").workers >= 1
    assert [Settings(host=host).password for host in ("127.0.0.1", "localhost", "::1")] == ["", "", ""]


def test_a_bucket_fills_again() -> None:
    clock = Clock()
    bucket = Bucket(2, clock)
    assert [bucket.take(), bucket.take()] == [0, 0]
    assert bucket.take() == pytest.approx(30)
    clock.now = 30
    assert bucket.take() == 0


def test_a_password_cannot_be_guessed_at_leisure() -> None:
    clock = Clock()
    entrance = Entrance("correct horse", 1000, clock)
    for _ in range(6):
        with pytest.raises(Refused) as wrong:
            entrance.arrive("10.0.0.1", "wrong")
        assert wrong.value.status == 401
    with pytest.raises(Refused) as late:
        entrance.arrive("10.0.0.1", "correct horse")
    assert late.value.status == 429, "after too many tries not even the right one is looked at"
    entrance.arrive("10.0.0.2", "correct horse")
    clock.now = 60
    entrance.arrive("10.0.0.1", "correct horse")


def test_sessions_see_their_own_and_are_deleted_when_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    clock, gone = Clock(), []
    sessions = Sessions(Settings(idle=100, sessions=2, pictures_each=1), gone.append, clock)
    one, other = sessions.new(), sessions.new()
    assert one.folder.stat().st_mode & 0o077 == 0
    with pytest.raises(Refused):
        sessions.new()
    path = write_image(one.folder / "a.png", np.zeros((80, 80, 3), np.uint8))
    picture = sessions.add(one, Picture("known", "person", path))
    assert one.picture("known") is picture
    assert sessions.bytes == path.stat().st_size
    with pytest.raises(Refused, match="no such picture"):
        other.picture("known")
    more = write_image(one.folder / "b.png", np.zeros((80, 80, 3), np.uint8))
    with pytest.raises(Refused):
        sessions.add(one, Picture("second", "person", more))
    assert not more.exists(), "what is refused does not lie there"
    clock.now = 99
    sessions.find(other.token)
    clock.now = 150
    sessions.expire()
    assert gone == [one]
    assert not one.folder.exists()
    assert other.folder.exists()
    with pytest.raises(Refused):
        sessions.find(one.token)
    sessions.close()
    assert not list(tmp_path.glob("atelier-room-*"))


class Hand:
    """A worker that does what it is told when it is told."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.go = asyncio.Semaphore(0)

    async def start(self) -> None: ...

    def cancel(self) -> None: ...

    async def run(self, name: str, given: dict[str, Any], tell: Any, patience: float) -> dict[str, Any]:
        await self.go.acquire()
        self.did.append(given["name"])
        if given["name"] == "bad":
            raise Failed("it broke", "error.failed")
        return given


def _line(hand: Hand, most: int = 100, each: int = 10) -> Jobs:
    return Jobs([hand], Metrics(), most=most, each=each, patience=9)  # type: ignore[list-item]


def _job(owner: str, name: str) -> Job:
    return Job(owner, "wear", {"name": name}, lambda made: made)


def test_people_take_turns_and_know_their_place() -> None:
    async def scene() -> None:
        hand = Hand()
        jobs = _line(hand)
        many = [await jobs.add(_job("anna", f"a{n}")) for n in range(3)]
        one = await jobs.add(_job("ben", "b0"))
        assert [job.position for job in (*many, one)] == [1, 3, 4, 2]
        serving = asyncio.create_task(jobs.serve(hand))  # type: ignore[arg-type]
        for _ in range(4):
            hand.go.release()
        assert await jobs.idle(5)
        serving.cancel()
        assert hand.did == ["a0", "b0", "a1", "a2"]
        assert {job.state for job in (*many, one)} == {"done"}

    with ThreadPoolExecutor(1) as alone:  # a browser's loop may run in this thread
        alone.submit(asyncio.run, scene()).result()


def test_what_waits_is_cancelled_what_fails_holds_nobody_up_and_there_is_an_end_to_waiting() -> None:
    async def scene() -> None:
        hand = Hand()
        jobs = _line(hand, most=4, each=3)
        bad, left, good = [await jobs.add(_job("anna", name)) for name in ("bad", "left", "good")]
        with pytest.raises(Refused) as own:
            await jobs.add(_job("anna", "too many"))
        await jobs.add(_job("ben", "b0"))
        with pytest.raises(Refused) as all_of_them:
            await jobs.add(_job("cleo", "too many"))
        assert (own.value.status, all_of_them.value.status) == (429, 503)
        jobs.cancel(left)
        serving = asyncio.create_task(jobs.serve(hand))  # type: ignore[arg-type]
        for _ in range(3):
            hand.go.release()
        assert await jobs.idle(5)
        serving.cancel()
        assert [bad.told()["error"], left.state, good.state] == ["it broke", "cancelled", "done"]
        jobs.closing = True
        with pytest.raises(Refused):
            await jobs.add(_job("anna", "late"))

    with ThreadPoolExecutor(1) as alone:  # a browser's loop may run in this thread
        alone.submit(asyncio.run, scene()).result()


def test_a_room_that_closes_tells_those_who_wait() -> None:
    async def scene() -> None:
        jobs = _line(Hand())
        job = await jobs.add(_job("anna", "a"))
        assert not await jobs.idle(0.1)
        jobs.stop()
        assert (job.state, job.key) == ("failed", "error.closing")

    with ThreadPoolExecutor(1) as alone:  # a browser's loop may run in this thread
        alone.submit(asyncio.run, scene()).result()


def test_metrics_are_what_a_scraper_reads() -> None:
    metrics = Metrics()
    metrics.count("jobs", kind="wear", state="done")
    metrics.count("jobs", kind="wear", state="failed")
    metrics.took("job", 0.2, kind="wear")
    assert metrics.counted("jobs", kind="wear") == 2
    lines = metrics.text({"sessions": 3}).splitlines()
    assert 'atelier_jobs_total{kind="wear",state="done"} 1' in lines
    assert 'atelier_job_seconds_bucket{kind="wear",le="0.1"} 0' in lines
    assert 'atelier_job_seconds_bucket{kind="wear",le="+Inf"} 1' in lines
    assert "atelier_sessions 3" in lines


def test_the_policy_lets_nothing_foreign_in() -> None:
    policy = dict(headers("'self'"))[b"content-security-policy"].decode()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_wall_is_whole() -> None:
    pieces = stock.read()
    garments = [piece for piece in pieces.values() if piece.kind == "garment"]
    assert {piece.category for piece in garments} == {"upper", "lower", "dress"}
    for piece in garments:
        garment = load_garment(piece.path, piece.category)
        assert garment.mask is not None
        assert garment.inside is not None
        assert 0.03 < garment.mask.mean() < 0.6
        assert garment.words == piece.name
    assert sum(piece.kind == "person" for piece in pieces.values()) >= 5
    assert all(len(piece.id) <= 200 for piece in pieces.values())


def test_a_wardrobe_of_ones_own_hangs_first(tmp_path: Path) -> None:
    for name in ("upper/one.png", "dress/cloth/two.png", "<b>three.png", "note.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"") if name.endswith("txt") else write_image(
            tmp_path / name, np.zeros((80, 80, 3), np.uint8)
        )
    own = [piece for piece in stock.read(str(tmp_path)).values() if piece.id.startswith("own-")]
    assert [(piece.name, piece.category) for piece in own] == [("<b>three", "upper"), ("one", "upper"), ("two", "dress")]
    assert next(iter(stock.read(str(tmp_path)))).startswith("own-")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="wardrobe"):
        stock.read(str(tmp_path / "empty"))


@pytest.mark.parametrize(
    "words", ['a shirt "/etc/hosts.png"', "a shirt print:/etc/hosts.png", "a shirt ＂/x.png＂", "a “/x.png” shirt"]
)
def test_words_from_outside_name_no_file(words: str) -> None:
    assert not set('"“”:＂：') & set(work.harmless(words))


def test_names_from_outside_are_one_plain_line() -> None:
    assert stock.plain("a\n\0b\u202e" + "c" * 200) == "a b " + "c" * 76

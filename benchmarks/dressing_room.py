"""The dressing room under load: twenty people at once, a worker that is killed, hostile uploads, and guessed addresses."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import requests
from PIL import Image

from helpers.app import stock
from helpers.app.client import Visitor

GARMENTS = 3  # each tries on at once
MARK = 24  # pixels a side, in a corner of the photograph that no try-on changes
NAMES = (
    "../../../etc/passwd",
    "<script>alert(1)</script>.jpg",
    "..\\..\\boot.ini",
    "a\0b.png",
    "x" * 190,
    "CON",
    "%2e%2e%2f",
    "\u202egpj.exe",
)


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A server of its own, its address and process."""
    command = [sys.executable, "-m", "helpers", "app", "--port", "0"]
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "TMPDIR": str(folder)})
    try:
        while not (found := re.search(r"open: (http\S+)", (folder / "log.txt").read_text())):
            if server.poll() is not None:
                raise RuntimeError((folder / "log.txt").read_text())
            time.sleep(0.1)
        yield found[1], psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(60)


class Memory(threading.Thread):
    """The most that the server and its processes held, in MB, looked at ten times a second."""

    def __init__(self, server: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.most, self._server, self._over = {"server": 0.0, "workers": 0.0}, server, threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.1):
            with contextlib.suppress(psutil.Error):
                self.most["server"] = max(self.most["server"], self._server.memory_info().rss / 1e6)
                held = sum(child.memory_info().rss for child in self._server.children()) / 1e6
                self.most["workers"] = max(self.most["workers"], held)

    def __enter__(self) -> Memory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def marked(number: int) -> tuple[bytes, np.ndarray]:
    """A photograph with a mark in its corner that is nobody else's, and the mark."""
    people = [piece.path for piece in stock.read().values() if piece.kind == "person"]
    picture = np.array(Image.open(people[number % len(people)]).convert("RGB"))
    colour = np.array([(number * 37) % 200 + 20, (number * 91) % 200 + 20, (number * 53) % 200 + 20], np.uint8)
    picture[:MARK, :MARK] = colour
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95)
    return buffer.getvalue(), colour


def visit(url: str, number: int, folder: Path) -> dict[str, float]:
    """One person's visit: seconds to each result, and how many of them bear another's mark or none."""
    data, colour = marked(number)
    path = folder / f"{number}.jpg"
    path.write_bytes(data)
    with Visitor(url) as visitor:
        started = time.perf_counter()
        person = visitor.upload(path, "person")
        came, wrong = [], 0

        def wear(place: int) -> None:
            nonlocal wrong
            garment = visitor.garments[(number + place) % len(visitor.garments)]
            try:
                worn = visitor.try_on(person["id"], garment["id"])
            except RuntimeError as error:
                if "seems to wear" not in str(error):  # trousers for somebody in a dress: an answer, in words
                    raise
                came.append(time.perf_counter() - started)
                return
            picture = np.asarray(Image.open(io.BytesIO(visitor.picture(worn["id"]))).convert("RGB")).astype(int)
            wrong += (
                bool(np.abs(picture[4 : MARK - 4, 4 : MARK - 4].mean((0, 1)) - colour).max() > 6)
                or worn["garment"] != garment["name"]
            )
            came.append(time.perf_counter() - started)

        with ThreadPoolExecutor(GARMENTS) as pool:
            list(pool.map(wear, range(GARMENTS)))
    return {"first": min(came), "last": max(came), "came": len(came), "wrong": wrong}


def killed(url: str, server: psutil.Process) -> tuple[bool, bool]:
    """Whether the job of a worker that is killed fails by name, and whether the next goes on."""
    with Visitor(url) as visitor, ThreadPoolExecutor(1) as pool:
        job = pool.submit(visitor.draw, "person", "a woman in a long blue dress", 77)
        workers = [child for child in server.children() if "reader" not in child.cmdline()]
        before = [sum(child.cpu_times()[:2]) for child in workers]
        time.sleep(1.5)
        busy = [sum(child.cpu_times()[:2]) - was for child, was in zip(workers, before, strict=True)]
        worker = workers[int(np.argmax(busy))]
        os.kill(worker.pid, signal.SIGKILL)
        try:
            job.result()
            named = False
        except RuntimeError as error:
            named = "SIGKILL" in str(error)
        return named, bool(visitor.try_on(visitor.people[0]["id"], visitor.garments[0]["id"])["id"])


def hostile(number: int) -> bytes:
    """An upload that is no honest picture."""
    rng = np.random.default_rng(number)
    kind = number % 10
    buffer = io.BytesIO()
    if kind == 0:
        Image.new("1", (int(rng.integers(20000, 60000)), 20000)).save(buffer, "PNG")
    elif kind == 1:
        Image.fromarray(rng.integers(0, 255, (300, 300, 3), np.uint8)).save(buffer, "JPEG")
        return buffer.getvalue()[: int(rng.integers(20, 4000))]
    elif kind == 2:
        Image.fromarray(rng.integers(0, 255, (300, 300, 3), np.uint8)).save(buffer, "PNG")
        torn = bytearray(buffer.getvalue())
        for place in rng.integers(40, len(torn), 50):
            torn[place] = int(rng.integers(256))
        return bytes(torn)
    elif kind == 3:
        return b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
    elif kind == 4:
        return b"%PDF-1.7\n" + secrets.token_bytes(2000)
    elif kind == 5:
        frames = [Image.new("P", (9000, 9000)) for _ in range(2)]
        frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    elif kind == 6:
        Image.fromarray(rng.integers(0, 255, (40, 40, 3), np.uint8)).save(buffer, "TIFF")
        return buffer.getvalue()[:8] + secrets.token_bytes(500)
    elif kind == 7:
        return secrets.token_bytes(int(rng.integers(1, 50_000)))
    elif kind == 8:
        return bytes(26_000_000)
    else:
        return b"PK\3\4" + secrets.token_bytes(3000)
    return buffer.getvalue()


def main() -> None:
    """Print the table for the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--uploads", type=int, default=200)
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        with opened(folder) as (url, server):
            alone = [visit_alone(url, number, folder) for number in range(5)]
            with Memory(server) as memory, ThreadPoolExecutor(arguments.people) as pool:
                started = time.perf_counter()
                visits = list(pool.map(lambda number: visit(url, number, folder), range(arguments.people)))
                lasted = time.perf_counter() - started
            named, next_one = killed(url, server)
            with contextlib.ExitStack() as stack:
                crowd = [stack.enter_context(Visitor(url)) for _ in range(8)]
                torn = stack.enter_context(Memory(server))
                pool = stack.enter_context(ThreadPoolExecutor(4))
                numbers = range(arguments.uploads)
                answers = list(pool.map(lambda number: upload(url, crowd[number % len(crowd)], number), numbers))
            guessed = guess(url)
            left = sorted(path.name for path in folder.glob("atelier-room-*/*/*"))
            well = requests.get(f"{url}health", timeout=10).status_code
        leaks = [path.name for path in folder.iterdir() if path.name.startswith("atelier-room")]
    results = sum(one["came"] for one in visits)
    rows = [
        ("upload to the first result, one person, median of 5", f"{median(alone):.2f} s"),
        (f"{arguments.people} people, {GARMENTS} garments each: answers of {arguments.people * GARMENTS}", f"{results:.0f}"),
        ("of these mixed up", f"{sum(one['wrong'] for one in visits):.0f}"),
        (
            "first answer, median and last of all people",
            f"{median(o['first'] for o in visits):.1f}, {max(o['first'] for o in visits):.1f} s",
        ),
        ("everybody has everything after", f"{lasted:.1f} s"),
        (
            "most memory: server; its workers and its reader together",
            f"{memory.most['server']:.0f}, {memory.most['workers']:.0f} MB",
        ),
        (
            "a killed worker's job failed by name, the next one went on",
            f"{'yes' if named else 'NO'}, {'yes' if next_one else 'NO'}",
        ),
        (
            f"{arguments.uploads} hostile uploads: refused in words, taken as what is left of a picture, anything else",
            told(answers),
        ),
        ("most memory meanwhile: server; workers and reader", f"{torn.most['server']:.0f}, {torn.most['workers']:.0f} MB"),
        ("pictures read by guessing, of 2000 addresses", str(guessed)),
        ("files left when everybody had gone, folders when it had closed", f"{len(left)}, {len(leaks)}"),
        ("health afterwards", str(well)),
    ]
    print("| what | |\n|---|--:|")
    print("\n".join(f"| {what} | {value} |" for what, value in rows))


def visit_alone(url: str, number: int, folder: Path) -> float:
    """Seconds from the upload to the picture."""
    path = folder / f"alone-{number}.jpg"
    path.write_bytes(marked(number)[0])
    with Visitor(url) as visitor:
        garment = next(piece for piece in visitor.garments if piece["category"] == ("dress" if number % 6 == 5 else "upper"))
        started = time.perf_counter()
        worn = visitor.try_on(visitor.upload(path, "person")["id"], garment["id"])
        visitor.picture(worn["id"])
        return time.perf_counter() - started


def upload(url: str, visitor: Visitor, number: int) -> str:
    """How the room answers a hostile upload: ``refused``, ``taken``, or what else came."""
    head = {"X-Session": visitor._asking.headers["X-Session"]}
    given = {"kind": ("person", "garment")[number % 2], "name": NAMES[number % len(NAMES)]}
    try:
        answer = requests.post(f"{url}api/pictures", params=given, data=hostile(number), headers=head, timeout=60)
    except requests.ConnectionError:
        return "refused"  # far too long: the door was shut while it came
    if answer.status_code == 201:
        return "taken"
    said = answer.json().get("error", "")
    return "refused" if answer.status_code in (413, 422) and said and "/" not in said else f"{answer.status_code}: {said}"


def told(answers: list[str]) -> str:
    other = [answer for answer in answers if answer not in ("refused", "taken")]
    return (
        f"{answers.count('refused')}, {answers.count('taken')}, {len(other)} {sorted(set(other))[:3] if other else ''}".strip()
    )


def guess(url: str) -> int:
    """How many of 2000 guesses at another's pictures are answered with one."""
    with Visitor(url) as owner, Visitor(url) as stranger:
        mine = owner.draw("garment", "a red t-shirt")["id"]
        head = {"X-Session": stranger._asking.headers["X-Session"]}
        near = [mine, mine[:-1], mine.swapcase(), "..%2f" + mine, f"{mine}.png"]
        asking = requests.Session()
        guesses = near + [secrets.token_urlsafe(16) for _ in range(2000 - len(near))]
        return sum(asking.get(f"{url}api/pictures/{one}", headers=head, timeout=10).status_code == 200 for one in guesses)


if __name__ == "__main__":
    main()

"""One run in a process of its own, which is held to its time and its disk; whatever becomes of it, what it was is known afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from helpers import machine, notes
from helpers.files import write_text
from helpers.suite.plan import Case

DONE, FAILED, NOT_STARTED = "done", "failed", "not started"
WORKER = [sys.executable, "-m", "helpers.suite.worker"]
RESULT = "result.json"
_LEAST_FREE = 200_000_000  # bytes of the disk: less, and the suite itself cannot write
_STARTS = 2  # tries, where a kernel could not start


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    ended:    ``done``, ``failed``, or ``not started``, of a kernel
    why:      what went wrong, in words
    seconds:  of the clock; metrics: of the notebook, as its section of ``metrics.json`` has them
    digest:   :attr:`Case.digest <helpers.suite.plan.Case.digest>` of what was run; environment: :func:`helpers.machine.environment`
    starts:   how often it was begun
    """

    id: str
    ended: str
    why: str = ""
    seconds: float = 0.0
    metrics: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)
    starts: int = 1


class Job:
    """``case`` running in ``folder``, which is its own, empty and on the disk of the results."""

    def __init__(self, case: Case, folder: Path, starts: int = 1) -> None:
        self.case, self.folder, self.starts = case, folder, starts
        folder.mkdir(parents=True, exist_ok=True)
        asked = {
            "notebook": str(case.notebook),
            "parameters": dict(case.parameters),
            "pictures": list(case.pictures),
            "supervisor": os.getpid(),
        }
        write_text(folder / "asked.json", json.dumps(asked))
        environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONUNBUFFERED": "1"}
        for library in ("OMP", "OPENBLAS"):  # several run side by side
            environment.setdefault(f"{library}_NUM_THREADS", "1")
        self._started = time.monotonic()
        with (folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [*WORKER, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._started

    def poll(self) -> Outcome | None:
        """What became of it, or ``None`` while it runs on."""
        if (status := self._process.poll()) is not None:
            return self._over(status)
        if self.seconds > self.case.timeout:
            return self._stopped(
                f"it ran longer than its {self.case.timeout:g} seconds. Raise its timeout, or look where it hangs."
            )
        if (written := size_of(self.folder)) > self.case.disk * 1e9:
            return self._stopped(
                f"it wrote {written / 1e9:.1f} GB, more than the {self.case.disk:g} GB it may. Raise its disk."
            )
        if written > _LEAST_FREE and shutil.disk_usage(self.folder).free < _LEAST_FREE:
            return self._stopped(
                f"the disk was full after it had written {written / 1e9:.1f} GB. Free some, or choose another --out."
            )
        return None

    def kill(self) -> None:
        """End it and everything that it began; that a kernel goes down with it."""
        try:
            worker = psutil.Process(self._process.pid)
            family = [*worker.children(recursive=True), worker]
        except psutil.NoSuchProcess:
            family = []
        for process in family:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self._process.wait()
        psutil.wait_procs(family, timeout=10)

    def again(self) -> Job | None:
        """The same once more where its kernel could not start and that was the first time; else ``None``."""
        if self.starts >= _STARTS:
            return None
        return Job(self.case, self.folder, self.starts + 1)

    def _over(self, status: int) -> Outcome:
        told: dict[str, Any] = {}
        if status == 0 and (self.folder / "told.json").exists():
            told = notes.read(self.folder / "told.json", "suite", "Run it again.")
        if not told:
            how = f"by signal {-status}" if status < 0 else f"with status {status}"
            return self._outcome(FAILED, f"its process ended {how} before it was through. {self._last()}")
        return self._outcome(told["ended"], told["why"], told["metrics"])

    def _stopped(self, why: str) -> Outcome:
        self.kill()
        return self._outcome(FAILED, why)

    def _last(self) -> str:
        lines = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"Its last words: {lines[-1][:300]}" if lines else "It said nothing."

    def _outcome(self, ended: str, why: str, metrics: Mapping[str, Any] | None = None) -> Outcome:
        return Outcome(
            id=self.case.id,
            ended=ended,
            why=why,
            seconds=round(self.seconds, 2),
            metrics=metrics or {},
            digest=self.case.digest,
            environment=machine.environment(),
            starts=self.starts,
        )


def settle(folder: Path, outcome: Outcome, into: Path) -> None:
    """Write ``outcome`` into the job's ``folder`` and rename that to ``into``, so that a result is there whole or not at all.

    The run's own files are large and stay behind; what is kept is the executed notebook, its page, the log and small pictures.
    """
    shutil.rmtree(folder / "outputs", ignore_errors=True)
    for name in ("asked.json", "told.json", "kernel.log"):
        (folder / name).unlink(missing_ok=True)
    write_text(folder / RESULT, json.dumps(asdict(outcome), indent=1))
    into.parent.mkdir(parents=True, exist_ok=True)
    os.replace(folder, into)


def outcome_of(folder: Path) -> Outcome | None:
    """What :func:`settle` left in ``folder``, or ``None``."""
    path = folder / RESULT
    return Outcome(**notes.read(path, "suite", "Delete that folder, and run with --resume.")) if path.exists() else None


def size_of(folder: Path) -> int:
    """Bytes of all files in ``folder``, whatever comes and goes meanwhile."""
    total = 0
    for place, _, names in os.walk(folder, onerror=lambda error: None):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total

"""Jobs side by side on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from helpers import devices
from helpers.suite.job import NOT_STARTED, Job, Outcome
from helpers.suite.plan import Case


class Fleet(Protocol):
    """Whatever runs cases: ``start`` while there is ``room``, then ask ``over`` until nothing is ``running``."""

    @property
    def gpu(self) -> bool:
        """Whether a case that needs a GPU can have one."""

    @property
    def room(self) -> int:
        """How many more can be started now."""

    def start(self, case: Case, folder: Path) -> None:
        """Begin ``case``, whose files are to be in ``folder`` when it is over."""

    def over(self) -> Iterator[tuple[Path, Outcome]]:
        """Those that are over since that was last asked, each by its folder."""

    def running(self) -> list[tuple[Path, float]]:
        """The folders of those that run, and for how many seconds."""

    def stop(self) -> None:
        """End all of them."""


class Processes:
    """At most ``workers`` jobs, each a process of its own."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._jobs: list[Job] = []

    @property
    def gpu(self) -> bool:
        try:
            return devices.describe().kind == "cuda"
        except ImportError:  # no torch
            return False

    @property
    def room(self) -> int:
        return self._workers - len(self._jobs)

    def start(self, case: Case, folder: Path) -> None:
        self._jobs.append(Job(case, folder))

    def over(self) -> Iterator[tuple[Path, Outcome]]:
        for job in list(self._jobs):
            outcome = job.poll()
            if outcome is None:
                continue
            self._jobs.remove(job)
            if outcome.ended == NOT_STARTED and (again := job.again()) is not None:
                self._jobs.append(again)
                continue
            yield job.folder, outcome

    def running(self) -> list[tuple[Path, float]]:
        return [(job.folder, job.seconds) for job in self._jobs]

    def stop(self) -> None:
        for job in self._jobs:
            job.kill()
        self._jobs.clear()

"""A suite from its beginning to its end: what is here is run, what is finished is kept, and the report never says more than was done."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from helpers import inventory, machine, weights
from helpers.files import NotWritten, require_writable, told
from helpers.suite import report
from helpers.suite.job import Outcome, outcome_of, settle
from helpers.suite.plan import GPU, Case
from helpers.suite.processes import Fleet

_POLL = 0.1  # seconds
_SAY = 1.0  # seconds between two lines on what is running


@dataclass
class Suite(report.Progress):
    """The runs of a plan, as they are run. say: told each line for people; status: told what is running"""

    say: Callable[[str], None] = print
    status: Callable[[str], None] = lambda line: None

    def run(self, fleet: Fleet, resume: bool = False) -> None:
        """Run what has no result yet. Raises ``KeyboardInterrupt`` when told to stop, with the report written.

        resume: go on in a folder that holds results; those of the same notebook, parameters and commit stay
        Raises ``ValueError`` for a folder that holds results, or that another suite writes in, before anything starts.
        """
        self._require_out(resume)
        with _alone(self.out), _stoppable():
            self._sweep()
            self.skipped = {case.id: why for case in self.plan.cases if (why := lacking(case, fleet.gpu))}
            kept = self._keep()
            if kept:
                self.say(f"{kept} results are here from before")
            try:
                self._write()
                self._run(fleet)
            finally:
                fleet.stop()
                self.stopped |= self.running
                self.running.clear()
                self.over = not self.stopped and not any(True for _ in self._missing())
                shutil.rmtree(self._working, ignore_errors=True)
                self._write()

    def _require_out(self, resume: bool) -> None:
        require_writable(self.out, "--out")
        there = (self.out / report.NAME).exists()
        if there and not resume:
            raise ValueError(
                f"--out: {told(self.out)} holds the results of a suite. Give --resume to go on with it, or another folder."
            )
        if not there and self.out.exists() and any(self.out.iterdir()) and not (self.out / "runs").exists():
            raise ValueError(f"--out: {told(self.out)} holds other files. Choose a folder that is empty or not there yet.")

    @property
    def _working(self) -> Path:
        return self.out / "working" / str(os.getpid())

    def _sweep(self) -> None:
        """Remove what a suite that was killed had begun: its processes end by themselves within a second."""
        shutil.rmtree(self.out / "working", ignore_errors=True)

    def _keep(self) -> int:
        """How many results there are; those of something else go."""
        kept, commit = 0, machine.environment()["commit"]
        for case in self.plan.cases:
            for again in (False, True):
                folder = self.folder(case, again)
                found = outcome_of(folder) if folder.exists() else None
                if found is None or found.digest != case.digest or found.environment.get("commit") != commit:
                    shutil.rmtree(folder, ignore_errors=True)
                else:
                    kept += 1
        return kept

    def _missing(self) -> Iterator[tuple[Case, bool]]:
        for again in (False, True) if self.twice else (False,):
            for case in self.plan.cases:
                if case.id not in self.skipped and not self.folder(case, again).exists():
                    yield case, again

    def _run(self, fleet: Fleet) -> None:
        waiting, begun = deque(self._missing()), dict[Path, tuple[Case, bool]]()
        total, done, said = len(waiting), 0, 0.0
        while waiting or begun:
            while waiting and fleet.room > 0:
                case, again = waiting.popleft()
                place = self._working / ("again" if again else "runs") / case.id
                begun[place] = case, again
                self.running.add(case.id)
                fleet.start(case, place)
            for place, outcome in fleet.over():
                case, again = begun.pop(place)
                _settle(place, outcome, self.folder(case, again))
                self.running = {other.id for other, _ in begun.values()}
                done += 1
                state = report.state_of(self, case)
                self.say(f"[{done}/{total}] {state.status:8} {case.id}{' (again)' * again}  {outcome.seconds:.1f} s")
                for line in state.lines:
                    self.say(f"          {line}")
                self._write()
            if time.monotonic() - said > _SAY:
                said = time.monotonic()
                self.status(", ".join(f"{place.name} {seconds:.0f} s" for place, seconds in fleet.running()))
            time.sleep(_POLL)
        self.status("")

    def _write(self) -> None:
        """Write the report; where the disk is full that is said, and what is finished stays."""
        try:
            report.write(self)
        except NotWritten as error:
            self.say(f"the report is not up to date: {error}")


def _settle(place: Path, outcome: Outcome, into: Path) -> None:
    """:func:`settle`; where the disk is full what the run left goes, and its outcome is kept."""
    try:
        settle(place, outcome, into)
    except OSError:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        settle(place, outcome, into)


def lacking(case: Case, gpu: bool) -> str:
    """Why ``case`` cannot be run here, or nothing. gpu: whether there is one for it"""
    reasons = []
    if GPU in case.needs and not gpu:
        reasons.append("there is no GPU for it here")
    for group in (need for need in case.needs if need != GPU):
        if not all(weights.here(name) for name in (group, *weights.group(group).needs)):
            reasons.append(f"weights are missing: python -m helpers weights fetch {group}")
        lacks = [machine.lacks(engine.packages) for engine in inventory.users(group)]
        if lacks and all(lacks):
            reasons.append(f"{', '.join(lacks[0])} is not installed: pip install 'atelier-notebooks[published]'")
    return "; ".join(dict.fromkeys(reasons))


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Raises ``ValueError`` where another suite writes in ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(f"--out: another suite is writing in {told(out)}. Wait for it, or choose another folder.") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _stoppable() -> Iterator[None]:
    """A scheduler's polite end is taken as Ctrl-C is."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

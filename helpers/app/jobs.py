"""What waits, what runs, and what came of it. People take turns: nobody waits for all ten of somebody else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from helpers.app.crew import Failed, Worker
from helpers.app.metrics import Metrics
from helpers.app.words import Refused, say

log = logging.getLogger("atelier.room")
OVER = ("done", "failed", "cancelled")
_AGAIN = 2.0  # seconds after which a worker that did not come up is tried again


@dataclass(eq=False)
class Job:
    """One task for a worker. ``owner``: whose; ``keep``: makes of a worker's answer what its owner is told; ``version`` grows with every
    change, for whoever waits for one."""

    owner: str
    kind: str
    given: dict[str, Any]
    keep: Callable[[dict[str, Any]], dict[str, Any]]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    state: str = "waiting"
    version: int = 1
    position: int = 0
    doing: str = ""
    step: int = 0
    total: int = 0
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    key: str = ""
    asked: float = field(default_factory=time.monotonic)
    begun: float = 0.0
    worker: Worker | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def change(self, **values: Any) -> None:
        """Set ``values`` and wake whoever waits for a change."""
        for name, value in values.items():
            setattr(self, name, value)
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def later(self, version: int | None, seconds: float) -> None:
        """Return once there is something newer than ``version``, for ``None`` once it is over, at the latest after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.state not in OVER and (version is None or self.version <= version):
                    await self._changed.wait()

    def told(self) -> dict[str, Any]:
        """What its owner is told."""
        out: dict[str, Any] = {"id": self.id, "kind": self.kind, "state": self.state, "version": self.version}
        if self.state == "waiting":
            out["position"] = self.position
        if self.state == "running":
            out |= {"doing": say(self.doing) if self.doing else "", "step": self.step, "total": self.total}
        if self.state == "done":
            out["result"] = self.result
        if self.state in ("failed", "cancelled"):
            out |= {"error": self.error, "code": self.key}
        return out


class Jobs:
    """The line before the workers. ``most``: jobs that may wait in all, ``each``: of one person."""

    def __init__(self, workers: list[Worker], metrics: Metrics, *, most: int, each: int, patience: float) -> None:
        self.workers, self.metrics = workers, metrics
        self._most, self._each, self._patience = most, each, patience
        self._lines: OrderedDict[str, deque[Job]] = OrderedDict()
        self._running: set[Job] = set()
        self._called = asyncio.Condition()
        self.closing = False

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._lines.values()))

    @property
    def running(self) -> int:
        """How many are being done."""
        return len(self._running)

    async def add(self, job: Job) -> Job:
        """Put ``job`` in the line. Raises ``Refused`` where the room closes, or too many wait."""
        if self.closing:
            raise Refused(503, "error.closing")
        if len(self._lines.get(job.owner, ())) >= self._each:
            raise Refused(429, "error.yours", most=self._each)
        if self.waiting >= self._most:
            raise Refused(503, "error.full")
        self._lines.setdefault(job.owner, deque()).append(job)
        self._tell_positions()
        async with self._called:
            self._called.notify()
        return job

    def cancel(self, job: Job) -> None:
        """Take ``job`` out of the line, or away from its worker; one that is over stays as it is."""
        if job.state in OVER:
            return
        if job.state == "waiting":
            line = self._lines[job.owner]
            line.remove(job)
            if not line:
                del self._lines[job.owner]
            self._tell_positions()
        elif job.worker is not None:
            job.worker.cancel()
        self.metrics.count("jobs", kind=job.kind, state="cancelled")
        job.change(state="cancelled", error=say("error.cancelled"), key="error.cancelled")

    async def serve(self, worker: Worker) -> None:
        """Let ``worker`` do one job after the other, for ever."""
        while True:
            try:
                await worker.start()
            except Failed:
                await asyncio.sleep(_AGAIN)
                continue
            job = await self._next()
            job.change(state="running", worker=worker, begun=time.monotonic())
            self._running.add(job)
            try:
                await self._do(job, worker)
            finally:
                self._running.discard(job)

    async def idle(self, seconds: float) -> bool:
        """Whether nothing waits or runs any more, at the latest after so many seconds."""
        until = time.monotonic() + seconds
        while (self.waiting or self.running) and time.monotonic() < until:
            await asyncio.sleep(0.05)
        return not (self.waiting or self.running)

    def stop(self) -> None:
        """Everything that waits or runs fails by name: the room is closed."""
        left = [*self._running, *(job for line in self._lines.values() for job in line)]
        self._lines.clear()
        for job in left:
            if job.state not in OVER:
                self.metrics.count("jobs", kind=job.kind, state="failed")
                job.change(state="failed", error=say("error.closing"), key="error.closing")

    async def _next(self) -> Job:
        async with self._called:
            await self._called.wait_for(lambda: bool(self._lines))
            owner, line = next(iter(self._lines.items()))
            job = line.popleft()
            if line:
                self._lines.move_to_end(owner)  # the next one is somebody else's
            else:
                del self._lines[owner]
        self._tell_positions()
        return job

    async def _do(self, job: Job, worker: Worker) -> None:
        def tell(answer: dict[str, Any]) -> None:
            if job.state == "running":
                job.change(doing=answer["doing"], step=answer["step"], total=answer["total"])

        try:
            answer = await worker.run(job.kind, job.given, tell, self._patience)
            if job.state == "running":
                job.change(state="done", result=job.keep(answer))
        except (Failed, Refused) as failed:
            if job.state == "running":
                job.change(state="failed", error=str(failed), key=failed.key)
        except Exception:  # a fault of ours: the job fails, the next is done
            log.exception("a job failed for a reason that is the room's own")
            if job.state == "running":
                job.change(state="failed", error=say("error.failed"), key="error.failed")
        seconds = time.monotonic() - job.begun
        if job.state != "cancelled":  # which was counted when it was
            self.metrics.count("jobs", kind=job.kind, state=job.state)
            self.metrics.took("job", seconds, kind=job.kind)
        log.info("%s %s in %.2f s, after %.2f s in the line", job.kind, job.state, seconds, job.begun - job.asked)

    def _tell_positions(self) -> None:
        """Count through the line as it will be called up."""
        lines = [list(line) for line in self._lines.values()]
        place = 0
        for turn in range(max(map(len, lines), default=0)):
            for line in lines:
                if turn < len(line):
                    place += 1
                    if line[turn].position != place:
                        line[turn].change(position=place)

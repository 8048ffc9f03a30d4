"""The room's end of its worker processes: they are started, given tasks, cancelled, and started again when they died."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from helpers.app.words import say

_UP = 120.0  # seconds in which a process has to start
_GRACE = 3.0  # seconds that a cancelled task may go on before its process is ended
_LINE = 1 << 20  # bytes of an answer
_CLOSING = 3.0


class Failed(Exception):
    """What a task failed with, in words; ``key``: of the text."""

    def __init__(self, text: str, key: str) -> None:
        super().__init__(text)
        self.key = key


class Worker:
    """One process that does one task at a time. ``role``: ``""`` for everything, ``reader`` for uploads alone."""

    def __init__(self, role: str = "") -> None:
        self.role, self.restarts = role, 0
        self._process: asyncio.subprocess.Process | None = None
        self._numbers = itertools.count(1)
        self._number, self._gone = 0, ""

    @property
    def pid(self) -> int | None:
        """Of the process, if it lives."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the process where there is none that lives. Raises ``Failed`` where it does not come up."""
        if self.pid:
            return
        if self._process is not None:
            self.restarts += 1
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), os.environ.get("OMP_NUM_THREADS", "1"))
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "helpers.app.worker", *filter(None, [self.role])),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # what libraries say of a picture stays unsaid
            limit=_LINE,
            env={**{k: v for k, v in os.environ.items() if k != "ATELIER_PASSWORD"}, **threads},
            start_new_session=True,  # Ctrl-C is for the room, which finishes what runs
        )
        try:
            await asyncio.wait_for(self._answer(), _UP)
        except TimeoutError:
            self.kill()
            raise Failed(say("error.died", how="start"), "error.died") from None

    async def run(
        self, name: str, given: dict[str, Any], tell: Callable[[dict[str, Any]], None], patience: float
    ) -> dict[str, Any]:
        """Do a task. ``tell`` hears how far it is. Raises ``Failed``, also where the process died or took longer than ``patience`` seconds,
        and ``asyncio.CancelledError`` where it was cancelled in time."""
        await self.start()
        self._number, self._gone = next(self._numbers), ""
        self._send({"id": self._number, "do": name, "with": given})
        try:
            return await asyncio.wait_for(self._done(self._number, tell), patience)
        except TimeoutError:
            self.kill()
            raise Failed(say("error.slow", seconds=round(patience)), "error.slow") from None
        finally:
            self._number = 0

    def note(self, name: str, given: dict[str, Any]) -> None:
        """Have it do a small task after the one that it does, for whose answer nobody waits."""
        if self.pid:
            self._send({"id": 0, "do": name, "with": given})

    def cancel(self) -> None:
        """Ask it to leave the task that it does, and end the process if it does not soon."""
        if not self._number:
            return
        number = self._number
        self._gone = "cancelled"
        self._send({"cancel": number})
        asyncio.get_running_loop().call_later(_GRACE, lambda: self.kill() if self._number == number else None)

    def kill(self) -> None:
        """End the process."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """End the process, politely first."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _CLOSING)
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # whoever waits for the answer learns that it is gone
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _done(self, number: int, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        while True:
            answer = await self._answer()
            if answer.get("id") != number:
                continue
            if "doing" in answer:
                tell(answer)
            elif "done" in answer:
                return answer["done"]
            elif "cancelled" in answer:
                raise Failed(say("error.cancelled"), "error.cancelled")
            else:
                raise Failed(answer["error"], answer["key"])

    async def _answer(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if line:
            return json.loads(line)
        code = await self._process.wait()
        if self._gone:
            raise Failed(say("error.cancelled"), "error.cancelled")
        how = signal.Signals(-code).name if code < 0 else f"status {code}"
        raise Failed(say("error.died", how=how), "error.died")

"""Jobs on Ray: the machines of a cluster, or this one. A job is the same there, and its files are brought back."""

from __future__ import annotations

import io
import logging
import tarfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from helpers.suite.job import FAILED, NOT_STARTED, Job, Outcome, settle
from helpers.suite.plan import GPU, Case

_POLL = 0.2  # seconds


def run_there(case: Case, notebook: bytes) -> tuple[Outcome, bytes]:
    """One job on the machine that this is called on: its outcome, and its files as a tar."""
    with TemporaryDirectory(prefix="atelier-suite-") as there:
        file = Path(there) / "notebook" / case.notebook.name
        file.parent.mkdir()
        file.write_bytes(notebook)
        job: Job | None = Job(replace(case, notebook=file), Path(there) / "job")
        assert job is not None
        try:
            while True:
                while (outcome := job.poll()) is None:
                    time.sleep(_POLL)
                if outcome.ended != NOT_STARTED or (again := job.again()) is None:
                    break
                job = again
        finally:
            job.kill()
        kept = Path(there) / "kept"
        settle(job.folder, outcome, kept)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            archive.add(kept, arcname=".")
    return outcome, packed.getvalue()


class Ray:
    """Everything at once, as far as the cluster has room for the processor, GPU and memory that each case asks for.

    address: of a cluster (``ray://host:10001``, ``auto``), or empty: one is made on this machine, of ``workers`` processors
    Raises ``ImportError`` with the remedy where Ray is not installed, ``ValueError`` for a cluster that cannot be reached.
    """

    def __init__(self, address: str = "", workers: int = 2) -> None:
        try:
            import ray
        except ImportError:
            raise ImportError("--engine ray needs Ray: pip install 'atelier-notebooks[ray]'") from None
        self._ray = ray
        here: dict[str, Any] = {"num_cpus": workers, "include_dashboard": False}
        try:
            ray.init(address=address or "local", logging_level=logging.ERROR, log_to_driver=False, **({} if address else here))
        except Exception as error:  # whatever it finds at the other end
            raise ValueError(f"--address: no Ray cluster answers at {address or 'this machine'} ({error}).") from None
        self._cases: dict[Any, tuple[Case, Path, float]] = {}

    @property
    def gpu(self) -> bool:
        return self._ray.cluster_resources().get("GPU", 0) > 0

    @property
    def room(self) -> int:
        return 1  # Ray has the queue

    def start(self, case: Case, folder: Path) -> None:
        run = self._ray.remote(run_there).options(**resources(case), max_retries=0)
        self._cases[run.remote(case, case.notebook.read_bytes())] = case, folder, time.monotonic()

    def over(self) -> Iterator[tuple[Path, Outcome]]:
        waiting = list(self._cases)
        if not waiting:
            return
        done, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=_POLL)
        for reference in done:
            case, folder, started = self._cases.pop(reference)
            folder.mkdir(parents=True, exist_ok=True)
            try:
                outcome, packed = self._ray.get(reference)
                with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
                    archive.extractall(folder, filter="data")
            except self._ray.exceptions.RayError as error:
                why = f"the Ray worker that ran it died ({type(error).__name__}). Run with --resume, or look at the cluster's logs."
                outcome = Outcome(case.id, FAILED, why, round(time.monotonic() - started, 2))
            yield folder, replace(outcome, digest=case.digest)

    def running(self) -> list[tuple[Path, float]]:
        return [(folder, time.monotonic() - started) for _, folder, started in self._cases.values()]

    def stop(self) -> None:
        for reference in self._cases:
            self._ray.cancel(reference, force=True)
        self._cases.clear()
        self._ray.shutdown()


def resources(case: Case) -> Mapping[str, Any]:
    """What a case asks of a cluster: a processor, its memory in bytes, and a GPU where it needs one."""
    return {"num_cpus": 1, "memory": int(case.memory * 1e9), "num_gpus": int(GPU in case.needs)}

"""``report.json`` and ``report.html``: what is known of every run, from the results that are on the disk."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from helpers import machine, notes
from helpers.files import write_text
from helpers.suite import page, verdict
from helpers.suite.job import outcome_of
from helpers.suite.plan import Case, Plan

NAME = "report.json"


@dataclass
class Progress:
    """How far the runs of ``plan`` are, whose results are in ``out``.

    twice:   each is run a second time, and must give the same
    started: seconds since 1970; skipped: id -> why it is not run; running, stopped: ids; over: whether nothing is left to be run
    """

    plan: Plan
    out: Path
    twice: bool = False
    started: float = field(default_factory=time.time)
    skipped: dict[str, str] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    over: bool = False

    def folder(self, case: Case, again: bool = False) -> Path:
        """Where the results of ``case`` are, and of its second run."""
        return self.out / ("again" if again else "runs") / case.id


def state_of(suite: Progress, case: Case) -> verdict.State:
    """What is known of ``case``: that it passed is said of a result alone, and with ``twice`` of two that are alike."""
    folder = suite.folder(case)
    outcome = outcome_of(folder) if folder.exists() else None
    if outcome is None:
        if case.id in suite.skipped:
            return verdict.State(case, verdict.SKIPPED, (suite.skipped[case.id],))
        begun = (
            verdict.RUNNING if case.id in suite.running else verdict.STOPPED if case.id in suite.stopped else verdict.WAITING
        )
        return verdict.State(case, begun)
    judged = verdict.judge(case, outcome, folder, suite.plan.pictures)
    status, why = judged.status, judged.why
    if suite.twice:
        second = suite.folder(case, again=True)
        other = outcome_of(second) if second.exists() else None
        if other is None and status == verdict.PASSED:
            status = (
                verdict.STOPPED
                if case.id in suite.stopped
                else verdict.RUNNING
                if case.id in suite.running
                else verdict.WAITING
            )
        elif other is not None and (unlike := verdict.unlike(outcome, other)):
            status, why = verdict.FAILED, (*why, *(f"not the same twice: {line}" for line in unlike))
    return verdict.State(case, status, why, judged.differences, outcome)


def write(suite: Progress) -> dict[str, Any]:
    """Write both files whole, and return what ``report.json`` holds."""
    states = [state_of(suite, case) for case in suite.plan.cases]
    about = {
        "complete": suite.over,
        "counts": dict(Counter(state.status for state in states)),
        "started": _time(suite.started),
        "written": _time(time.time()),
        "plan": suite.plan.file.name,
        "environment": machine.environment(),
        "runs": [_row(state) for state in states],
    }
    write_text(suite.out / NAME, json.dumps(notes.plain(about, "report"), indent=1))
    write_text(suite.out / "report.html", page.page(about, states, suite.out, suite.plan.pictures))
    return about


def _row(state: verdict.State) -> dict[str, Any]:
    case, outcome = state.case, state.outcome
    row: dict[str, Any] = {"id": case.id, "notebook": case.notebook.stem, "status": state.status, "why": state.lines}
    if outcome is not None:
        row |= {
            "seconds": outcome.seconds,
            "seed": case.parameters.get("seed"),
            "parameters": dict(case.parameters),
            "metrics": dict(outcome.metrics),
            "differences": [asdict(difference) for difference in state.differences if not difference.good],
            "compared": len(state.differences),
            "starts": outcome.starts,
            "commit": outcome.environment.get("commit"),
            "versions": outcome.environment.get("packages"),
        }
    return row


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))

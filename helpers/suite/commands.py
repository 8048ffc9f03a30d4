"""``python -m helpers suite``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from helpers import checks, headless, runs
from helpers.suite import expectations, plan, report
from helpers.suite.fleet import Ray
from helpers.suite.processes import Fleet, Processes
from helpers.suite.running import Suite

RUNS = headless.NOTEBOOKS / "runs.toml"


def add(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser(
        "suite",
        help="run many notebooks and compare what they give with what is expected",
        description="Ends with 0 if all is as expected or skipped with the reason, 1 if not, 2 if nothing was started, 130 if stopped.",
    )
    given = parser.add_argument
    given("file", nargs="?", default=str(RUNS), help="the runs; default notebooks/runs.toml")
    given(
        "--select",
        action="append",
        default=[],
        metavar="NAME",
        help="an id or notebook, * for anything; several times for several",
    )
    given("--workers", type=int, default=min(2, os.cpu_count() or 1), help="runs side by side; default 2")
    given("--out", help="where results are written; default OUTPUTS/suite-DATE-TIME")
    given(
        "--resume", dest="go_on", action="store_true", help="go on in --out, by default the newest, with what has no result yet"
    )
    given("--update", action="store_true", help="afterwards, expect from now on what the runs gave")
    given("--twice", action="store_true", help="run everything a second time: it must give the same")
    given(
        "--engine", default="processes", choices=("processes", "ray"), help="what runs them; default processes of this machine"
    )
    given("--address", default="", help="of a Ray cluster; default one is made on this machine")
    given("--list", action="store_true", help="check the runs, show them and stop")
    parser.set_defaults(do=_suite, resume="run the same with --resume to go on")


def _suite(arguments: argparse.Namespace) -> int:
    chosen = plan.read(arguments.file).select(arguments.select)
    workers = checks.whole(arguments.workers, "--workers", 1, 64)
    if arguments.address and arguments.engine != "ray":
        raise ValueError("--address is that of a Ray cluster. Give --engine ray too.")
    if arguments.list:
        for case in chosen.cases:
            print(f"{case.id:32} {case.notebook.stem:22} {', '.join(case.needs) or '-':24} {case.about}")
        return 0
    out = _out(arguments.out, arguments.go_on)
    fleet: Fleet = Ray(arguments.address, workers) if arguments.engine == "ray" else Processes(workers)
    teller = _Teller(out / "log.txt")
    suite = Suite(chosen, out, arguments.twice, say=teller.say, status=teller.status)
    try:
        suite.run(fleet, arguments.go_on)
    except KeyboardInterrupt:
        print(
            f"stopped. What finished is kept: {out / 'report.html'}\ngo on with: python -m helpers suite --resume --out {out}"
        )
        return 130
    if arguments.update:
        moved = expectations.update(suite)
        print(*(moved or ["nothing moved"]), sep="\n")
        suite.plan = plan.read(arguments.file).select(arguments.select)
        report.write(suite)
    states = [report.state_of(suite, case) for case in suite.plan.cases]
    count = {status: sum(state.status == status for state in states) for status in ("passed", "failed", "skipped")}
    print(f"{', '.join(f'{number} {status}' for status, number in count.items())}\nreport: {out / 'report.html'}")
    return 1 if count["failed"] else 0


def _out(asked: str | None, resume: bool) -> Path:
    if asked is not None:
        return checks.path(asked, "--out").absolute()
    outputs = runs.outputs_folder()
    if resume:
        there = sorted(outputs.glob(f"suite-*/{report.NAME}"))
        if not there:
            raise ValueError(
                f"--resume: there is no suite in {outputs} to go on with. Leave it out, or name its folder with --out."
            )
        return there[-1].parent
    return outputs / time.strftime("suite-%Y%m%d-%H%M%S")


class _Teller:
    """Lines for people and for the log; on a terminal what is running stands in the last line."""

    def __init__(self, log: Path) -> None:
        self._log, self._terminal, self._shown = log, sys.stdout.isatty(), False

    def say(self, line: str) -> None:
        self._clear()
        print(line, flush=True)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")

    def status(self, line: str) -> None:
        self._clear()
        if self._terminal and line:
            width = os.get_terminal_size().columns - 1
            print(f"running: {line}"[:width], end="", flush=True)
            self._shown = True

    def _clear(self) -> None:
        if self._shown:
            print("\r\x1b[K", end="")
            self._shown = False

"""What is expected, renewed by what the runs gave: on purpose, with ``--update``."""

from __future__ import annotations

import math
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import InlineTable

from helpers.files import write_text, write_whole
from helpers.suite import verdict
from helpers.suite.job import DONE, Outcome, outcome_of
from helpers.suite.plan import Case, Plan
from helpers.suite.running import Suite
from helpers.suite.worker import small_name

_DIGITS = 4
_ATOL = 0.01  # of fractions that had no tolerance: what other machines compute differs by less


def update(suite: Suite) -> list[str]:
    """Write what every run that went through gave into ``runs.toml`` and the folder of expected pictures; returns what moved, in words.

    Values are renewed, tolerances stay; a run that expects nothing gets all of its numbers that are no times. Comments and order stay.
    A run that should fail, or did, stays as it is.
    """
    file, moved = suite.plan.file, []
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    entries = {str(entry["id"]): entry for entry in document["run"]}
    for case in suite.plan.cases:
        folder = suite.folder(case)
        outcome = outcome_of(folder) if folder.exists() else None
        if outcome is None or outcome.ended != DONE or case.fails:
            continue
        moved += [f"{case.id}: {line}" for line in _metrics(entries[case.id], case, outcome)]
        moved += [f"{case.id}: {line}" for line in _pictures(case, folder, suite.plan)]
    text = tomlkit.dumps(document)
    if text != file.read_text(encoding="utf-8"):
        write_text(file, text)
    return moved


def _metrics(entry: Any, case: Case, outcome: Outcome) -> list[str]:
    metrics = dict(verdict.flat(outcome.metrics))
    if not case.expect:
        found = {name: value for name, value in metrics.items() if not verdict.is_time(name) and _tellable(value)}
        if found:
            table = tomlkit.table()
            for name, value in found.items():
                table.add(name, _about(value))
            entry["expect"] = table.add(tomlkit.nl())
        return [f"{name}: {value}" for name, value in found.items()]
    moved = []
    for name, wanted in case.expect.items():
        if name not in metrics:
            del entry["expect"][name]
            moved.append(f"{name}: {wanted.value} -> no longer there")
            continue
        value, there = metrics[name], entry["expect"][name]
        if value == wanted.value or (isinstance(there, InlineTable) and _rounded(value) == wanted.value):
            continue
        if isinstance(there, InlineTable):
            there["value"] = _rounded(value)
        else:
            entry["expect"][name] = value
        moved.append(f"{name}: {wanted.value} -> {value}")
    return moved


def _tellable(value: Any) -> bool:
    """Whether ``value`` is a number, which says whether something moved on any machine."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _about(value: int | float) -> Any:
    """How a number that had no expectation is written: a fraction with a tolerance."""
    if not isinstance(value, float):
        return value
    return tomlkit.parse(f"x = {{ value = {_rounded(value)!r}, atol = {_ATOL} }}")["x"]


def _rounded(value: Any) -> Any:
    return round(value, _DIGITS) if isinstance(value, float) and math.isfinite(value) else value


def _pictures(case: Case, folder: Path, plan: Plan) -> list[str]:
    moved = []
    for picture in case.pictures:
        name = small_name(picture)
        made, known = folder / "pictures" / name, plan.pictures / case.id / name
        if made.is_file() and not (known.is_file() and known.read_bytes() == made.read_bytes()):
            write_whole(known, partial(shutil.copyfile, made))
            moved.append(f"picture {picture}")
    return moved

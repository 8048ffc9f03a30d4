"""What a run gave, beside what is expected of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from skimage.metrics import structural_similarity

from helpers import images
from helpers.suite.job import DONE, Outcome
from helpers.suite.plan import Case, Expected
from helpers.suite.worker import small_name

PASSED, FAILED, SKIPPED, WAITING, RUNNING, STOPPED = "passed", "failed", "skipped", "waiting", "running", "stopped"
_WORST = 0.1  # of a picture's places, over which its likeness is meant: a garment is a small part of a picture
_TIMES = re.compile(r"(^|\.|_)seconds(\.|$)")
"""Metrics that no two runs have alike."""


@dataclass(frozen=True)
class Difference:
    """One thing that was expected, what came, and whether that will do. picture: the file of its small copy, of a picture"""

    name: str
    expected: Any
    got: Any
    good: bool
    picture: str = ""

    def __str__(self) -> str:
        return f"{self.name}: expected {said(self.expected)}, got {said(self.got)}"


@dataclass(frozen=True)
class Verdict:
    """status: ``passed`` or ``failed``; why: in words, what else than differences is wrong; differences: one a metric and picture"""

    status: str
    why: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class State:
    """What is known of a run: its status, why it is that, what was compared, and what it gave if it is over"""

    case: Case
    status: str
    why: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    outcome: Outcome | None = None

    @property
    def lines(self) -> list[str]:
        """All that is wrong with it, or why it was not run."""
        return [*self.why, *(str(difference) for difference in self.differences if not difference.good)]


def judge(case: Case, outcome: Outcome, folder: Path, expected: Path) -> Verdict:
    """How ``outcome``, whose files are in ``folder``, compares with what ``case`` expects. expected: the folder of expected pictures"""
    if case.fails:
        if outcome.ended == DONE:
            return Verdict(FAILED, (f"it went through, and should have failed with {case.fails!r}.",))
        if not re.search(case.fails, outcome.why):
            return Verdict(FAILED, (f"it should have failed with {case.fails!r}, and failed otherwise: {outcome.why}",))
        return Verdict(PASSED)
    if outcome.ended != DONE:
        return Verdict(FAILED, (outcome.why,))
    metrics = dict(flat(outcome.metrics))
    compared = [_metric(name, wanted, metrics) for name, wanted in case.expect.items()]
    compared += [_picture(name, far, folder, expected / case.id) for name, far in case.pictures.items()]
    return Verdict(PASSED if all(d.good for d in compared) else FAILED, differences=tuple(compared))


def unlike(one: Outcome, other: Outcome) -> list[str]:
    """What two runs of one case gave that is not exactly the same, times apart: a line each."""
    first, second = (dict(flat(outcome.metrics)) for outcome in (one, other))
    if one.ended != other.ended:
        return [f"it was {one.ended} the first time, and {other.ended} the second: {other.why or one.why}"]
    return [
        f"{name}: {said(first.get(name, 'missing'))} the first time, {said(second.get(name, 'missing'))} the second"
        for name in dict.fromkeys([*first, *second])
        if not is_time(name) and not _same(first.get(name, ()), second.get(name, ()))
    ]


def said(value: Any) -> str:
    """A value for people: seven digits of a number."""
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def flat(metrics: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """``metrics`` by dotted names: ``{"covered": {"upper": 0.1}}`` has ``covered.upper``, a list ``confidence.0``; empty ones stay."""
    parts = (
        metrics.items() if isinstance(metrics, Mapping) else enumerate(metrics) if isinstance(metrics, list | tuple) else None
    )
    if parts is None or (name and not metrics):
        yield name, metrics
        return
    for key, value in parts:
        yield from flat(value, f"{name}.{key}" if name else str(key))


def is_time(name: str) -> bool:
    """Whether a metric of this name is a time."""
    return _TIMES.search(name) is not None


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """0..1: how unlike two pictures, uint8 (h, w, 3), are: 1 less SSIM (Wang et al. 2004), meant over the worst tenth of their places.

    1 where they differ in size.
    """
    if one.shape != other.shape:
        return 1.0
    side = min(7, *one.shape[:2])
    _, alike = structural_similarity(one, other, channel_axis=2, full=True, win_size=side - 1 + side % 2)
    places = np.sort(alike.mean(2).ravel())
    worst = places[: max(1, round(_WORST * len(places)))]
    return float(np.clip(1 - worst.mean(), 0, 1))


def _metric(name: str, wanted: Expected, metrics: Mapping[str, Any]) -> Difference:
    shown = wanted.value
    if wanted.atol or wanted.rtol:
        shown = f"{wanted.value} ± {wanted.atol + wanted.rtol * abs(wanted.value):.3g}"
    if name not in metrics:
        return Difference(name, shown, "missing", False)
    got = metrics[name]
    return Difference(name, shown, got, _same(wanted.value, got, wanted.atol, wanted.rtol))


def _same(wanted: Any, got: Any, atol: float = 0.0, rtol: float = 0.0) -> bool:
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (wanted, got)]
    if all(numbers):
        return math.isclose(wanted, got, rel_tol=0, abs_tol=atol + rtol * abs(wanted))
    return type(wanted) is type(got) and wanted == got


def _picture(name: str, tolerance: float, folder: Path, expected: Path) -> Difference:
    small = small_name(name)
    made, known = folder / "pictures" / small, expected / small
    wanted = f"at most {tolerance:g} apart"
    if not made.is_file():
        return Difference(name, wanted, "no such picture", False, small)
    if not known.is_file():
        return Difference(name, wanted, "no expected picture is there yet: --update keeps this one", False, small)
    far = apart(images.read_image(made), images.read_image(known))
    return Difference(name, wanted, f"{far:.3f} apart", far <= tolerance, small)

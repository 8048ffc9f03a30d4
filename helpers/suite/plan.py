"""``runs.toml``: what is run, on what, for how long, and what must come of it. Everything is checked before anything starts.

A run::

    [[run]]
    id = "stripes-over-coral"                       # a plain name, its own
    about = "stripes over a plain crop top"         # a line for people
    notebook = "03_try_on"                          # of notebooks/, or a file beside runs.toml
    parameters = { seed = 4 }                       # all but run and outputs, which the suite gives
    needs = ["gpu", "idm_vton"]                     # nothing, "gpu", or weights by name; what is not here is skipped with the reason
    timeout = 120                                   # seconds of the clock
    disk = 2.0                                      # GB that it may write
    memory = 2.0                                    # GB that it is given on a fleet
    fails = "prompt.*adult"                         # it must fail with an error of this pattern
    pictures = ["result/try-on.png"]                # files of the run's folder that must look as before; or { "FILE" = tolerance }

    [run.expect]                                    # metrics by name; those within others as "covered.upper", "confidence.0"
    engine = "drape"
    confidence = { value = 0.87, atol = 0.02 }      # or rtol

``[defaults]`` holds what runs leave out of timeout, disk, memory and needs.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from helpers import checks, headless, parameters, runs, weights

GPU = "gpu"
DEFAULTS: dict[str, Any] = {"timeout": 300.0, "disk": 2.0, "memory": 2.0, "needs": []}
TOLERANCE = 0.15
"""How far a picture may be from the expected one, 0..1 (:func:`helpers.suite.verdict.apart`)."""
RUN = "run"
"""The name of each run's folder in its own outputs."""
_GIVEN = ("run", "outputs")
_KEYS = {"id", "about", "notebook", "parameters", "needs", "timeout", "disk", "memory", "fails", "pictures", "expect"}
_MOST = {"timeout": 86_400.0, "disk": 1_000.0, "memory": 10_000.0}


@dataclass(frozen=True)
class Expected:
    """A metric's value: the same, or for a number within ``atol + rtol * |value|``."""

    value: Any
    atol: float = 0.0
    rtol: float = 0.0


@dataclass(frozen=True)
class Case:
    """One run. Its fields are those of the module's text; notebook: the file; pictures: file of the run's folder -> tolerance"""

    id: str
    notebook: Path
    about: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    timeout: float = DEFAULTS["timeout"]
    disk: float = DEFAULTS["disk"]
    memory: float = DEFAULTS["memory"]
    fails: str = ""
    pictures: Mapping[str, float] = field(default_factory=dict)
    expect: Mapping[str, Expected] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What a result is of: the notebook as it is, its parameters and the files that are to be looked at."""
        asked = json.dumps([self.parameters, sorted(self.pictures)], sort_keys=True)
        return hashlib.sha256(self.notebook.read_bytes() + asked.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Plan:
    """The runs of a file. ``pictures``: the folder of the expected pictures beside it"""

    file: Path
    cases: tuple[Case, ...]

    @property
    def pictures(self) -> Path:
        return self.file.parent / "expected"

    def select(self, patterns: Collection[str]) -> Plan:
        """The runs whose id or notebook fits one of ``patterns`` (``*`` for anything); all of them without any.

        Raises ``ValueError`` for a pattern that fits none.
        """
        for pattern in patterns:
            if not any(_fits(case, pattern) for case in self.cases):
                ids = [case.id for case in self.cases]
                raise ValueError(
                    f"--select: no run is called {checks.shown(pattern)}{checks.near(pattern, ids)}. There are: {', '.join(ids)}."
                )
        chosen = tuple(case for case in self.cases if not patterns or any(_fits(case, pattern) for pattern in patterns))
        return Plan(self.file, chosen)


def _fits(case: Case, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in (case.id, case.notebook.stem, case.notebook.stem.partition("_")[0]))


def read(path: str | Path) -> Plan:
    """The plan in the file ``path``. Raises ``ValueError`` naming the file and, a line each, every fault in it."""
    file = checks.file(path, "runs.toml")
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{file} is no TOML ({error}).") from None
    faults: list[str] = []
    if strange := sorted(content.keys() - {"defaults", "run"}):
        faults.append(f"{', '.join(strange)}: there are [defaults] and [[run]] alone")
    entries, defaults = content.get("run"), content.get("defaults", {})
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"{file} holds no [[run]].")
    if not isinstance(defaults, dict) or defaults.keys() - DEFAULTS.keys():
        faults.append(f"[defaults] holds {', '.join(DEFAULTS)}")
        defaults = {}
    cases: list[Case] = []
    for number, entry in enumerate(entries, 1):
        name = entry.get("id", f"number {number}")
        try:
            case = _case({**DEFAULTS, **defaults, **entry}, file.parent)
            if case.id in {other.id for other in cases}:
                raise ValueError("its id is another run's too")
            cases.append(case)
        except (ValueError, OSError) as error:
            faults.append(f"run {checks.shown(name)}: {str(error).rstrip('.')}")
    if faults:
        raise ValueError(f"{file} cannot be run:\n- " + "\n- ".join(faults) + "\nNothing was started")
    return Plan(file.absolute(), tuple(cases))


def _case(entry: dict[str, Any], beside: Path) -> Case:
    for key in entry:
        if key not in _KEYS:
            raise ValueError(f"it has no {checks.shown(key)}{checks.near(key, _KEYS)}")
    name = checks.text(entry.get("id", ""), "id")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
        raise ValueError("id must be a plain name of small letters, digits and '-'")
    wanted = checks.text(entry.get("notebook", ""), "notebook")
    own = beside / wanted
    notebook = own.resolve() if wanted and own.is_file() else headless.find_notebook(wanted)
    expect = _table(entry, "expect")
    fails = checks.text(entry.get("fails", ""), "fails")
    try:
        re.compile(fails)
    except re.error as error:
        raise ValueError(f"fails: {checks.shown(fails)} is no pattern ({error})") from None
    pictures = entry.get("pictures", {})
    if isinstance(pictures, list):
        pictures = dict.fromkeys((checks.text(picture, "pictures") for picture in pictures), TOLERANCE)
    if fails and (expect or pictures):
        raise ValueError("what must fail gives neither metrics nor pictures: leave out fails, or expect and pictures")
    return Case(
        id=name,
        notebook=notebook,
        about=checks.text(entry.get("about", ""), "about"),
        parameters=_parameters(_table(entry, "parameters"), notebook),
        needs=_needs(entry["needs"]),
        fails=fails,
        pictures={_inside(picture): checks.number(far, f"pictures.{picture}", 0, 1) for picture, far in pictures.items()},
        expect={metric: _expected(metric, value) for metric, value in expect.items()},
        **{key: checks.number(entry[key], key, 0, most, above=True) for key, most in _MOST.items()},
    )


def _table(entry: dict[str, Any], key: str) -> dict[str, Any]:
    return checks.mapping(entry.get(key, {}), key)


@cache
def _known(notebook: Path) -> dict[str, dict]:
    return headless.parameters_of(notebook)


def _parameters(given: dict[str, Any], notebook: Path) -> dict[str, Any]:
    """``given`` in the types that the notebook declares, which has to take the name and the folder of a run."""
    known = _known(notebook)
    parameters.require_known(given, known, notebook.name)
    if own := [name for name in _GIVEN if name in given]:
        raise ValueError(f"{' and '.join(own)}: the suite gives each run its folder; leave that out")
    if lacking := [name for name in _GIVEN if name not in known]:
        raise ValueError(f"{notebook.name} has no parameter {' and '.join(lacking)}, by which a run is given its folder")
    return {name: parameters.read(name, value, known[name]["inferred_type_name"].strip()) for name, value in given.items()}


def _needs(needs: Any) -> tuple[str, ...]:
    known = (GPU, *weights.groups())
    if not isinstance(needs, list):
        raise ValueError(f"needs must be a list such as ['{GPU}', 'idm_vton'], not {checks.shown(needs)}")
    return tuple(checks.one_of(need, "needs", known) for need in needs)


def _inside(picture: str) -> str:
    """Raises ``ValueError`` for a file outside the run's folder."""
    runs.Run("suite", RUN, Path("/nowhere").resolve(), {}).path(picture)
    return picture


def _expected(metric: str, value: Any) -> Expected:
    if not isinstance(value, dict):
        return Expected(value)
    if "value" not in value or value.keys() - {"value", "atol", "rtol"}:
        raise ValueError(f"expect.{metric} is a value, or {{ value = ..., atol = ..., rtol = ... }}")
    number = value["value"]
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f"expect.{metric}: {checks.shown(number)} is no number, and takes no tolerance")
    far = {key: checks.number(value.get(key, 0), f"expect.{metric}.{key}", 0, float("inf")) for key in ("atol", "rtol")}
    return Expected(number, **far)

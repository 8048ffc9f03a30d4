"""The engines behind each step, looked up in ``records`` by stage and name, checked before slow work, and loaded on first use.

An engine object does the slow part once and the cheap part many times.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache, wraps
from importlib import import_module
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any, Literal, ParamSpec, TypeVar, overload

from helpers import checks, machine, weights
from helpers.contract import SEED, Annotator, Extractor, Generator, Reconstructor, Segmenter, TryOnEngine, checked_seeds
from helpers.garment import Garment
from helpers.person import Person
from helpers.records import ENGINES, PICK, STAGES, Engine, in_a_folder

P = ParamSpec("P")
T = TypeVar("T")


def names(stage: str) -> tuple[str, ...]:
    """Engine names of ``stage``, in order of preference for ``auto``. Raises ``ValueError`` for an unknown stage."""
    checks.one_of(stage, "stage", STAGES)
    return tuple(e.name for e in ENGINES if e.stage == stage)


def find(stage: str, name: str = "auto", gives: Collection[str] = ()) -> Engine:
    """The record called ``name`` (``NAME`` or ``NAME:VARIANT``), of an engine that ``gives`` these annotations.

    ``auto`` is the first one whose weights are here and that fits this machine, which an embedded one always does.
    Raises ``ValueError`` naming the engines, or the engine's variants, there are, and ``weights.Missing`` saying what to fetch where none
    can run.
    """
    return _choose(stage, name, frozenset(gives))[0]


def annotators(name: str, needs: Collection[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Who is asked for which of the annotations ``needs``: the engine ``name`` for what it gives, the best ones here for the rest.

    ``auto``, and the rest, is asked of one engine where one here gives it all, else of each what it is the best for. Joints come first: by
    them several people are told apart. Raises ``ValueError`` for a name that is none, and ``weights.Missing`` for what nobody here gives.
    """
    gives = frozenset() if name == "auto" else find("annotate", name).gives
    own, rest = (tuple(wanted for wanted in needs if (wanted in gives) == chosen) for chosen in (True, False))
    asked = [(full_name("annotate", name), own)] if own else []
    if rest:
        try:
            asked.append((_best_for(rest), rest))
        except weights.Missing as missing:
            shared: dict[str, tuple[str, ...]] = {}
            for wanted in rest:
                try:
                    best = _best_for((wanted,))
                except weights.Missing:
                    raise missing from None
                shared[best] = (*shared.get(best, ()), wanted)
            asked += shared.items()
    return sorted(asked, key=lambda one: "keypoints" not in one[1])


def _best_for(needs: Collection[str]) -> str:
    """What ``auto`` takes of the annotators that give all of ``needs``, its variant included."""
    record = find("annotate", gives=needs)
    return full_name("annotate", record.name)


def check_settings(stage: str, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` as the engine takes them, checked against its record, before the engine is imported.

    Raises ``ValueError`` naming a setting that it does not have, with those it has and who has that one, or a value that does not fit.
    """
    engine = find(stage, name)
    if not isinstance(settings, Mapping):
        raise ValueError(f"settings must be names and values such as {{'steps': 30}}, not {checks.shown(settings)}.")
    for key in settings:
        if key not in engine.settings:
            others = [e.name for e in ENGINES if e.stage == stage and key in e.settings]
            raise ValueError(
                f"engine {engine.name} takes no setting {checks.shown(key)}{checks.near(key, engine.settings)}; "
                f"it takes {', '.join(engine.settings) or 'none of its own'}."
                + (f" {key!r} is for {' and '.join(others)}." if others else "")
            )
    return {key: engine.settings[key].check(key, value) for key, value in settings.items()}


def checked(stage: str, name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorates an engine's call: what it is given arrives checked, so that it is as safe to call as its verb.

    These are its settings, a setting that it does not have, seeds, size, a person and a garment.
    """

    def decorate(call: Callable[P, T]) -> Callable[P, T]:
        takes = [key for key, parameter in signature(call).parameters.items() if parameter.kind is not Parameter.VAR_KEYWORD]
        places = {takes.index(key): key for key in _CHECKED if key in takes}

        @wraps(call)
        def checking(*arguments: P.args, **given: P.kwargs) -> T:
            own = find(stage, name).settings
            given.update(check_settings(stage, name, {k: v for k, v in given.items() if k in own or k not in takes}))
            by_name = {key: _fit(name, key, value) for key, value in given.items()}
            return call(*(_fit(name, places.get(place, ""), value) for place, value in enumerate(arguments)), **by_name)

        return checking

    return decorate


_CHECKED: dict[str, Callable[[str, Any], Any]] = {
    "seed": lambda _, seed: SEED.check("seed", seed),
    "seeds": lambda _, seeds: checked_seeds(seeds),
    "size": lambda engine, size: check_size(engine, size),
    "pick": lambda _, pick: PICK.check("pick", pick),
    "person": lambda _, person: check_person(person),
    "garment": lambda _, garment: check_garment(garment),
}
"""How what an engine's call takes beside its settings is checked, by name, for the engine that is called."""


def _fit(engine: str, name: str, value: Any) -> Any:
    return _CHECKED[name](engine, value) if name in _CHECKED else value


def check_person(value: Any) -> Person:
    """A ``Person``; ``ValueError`` saying how anything else becomes one."""
    if not isinstance(value, Person):
        raise ValueError(f"person must be a Person, such as load_person(path) or Person(image), not {checks.shown(value)}.")
    return value


def check_garment(value: Any) -> Garment:
    """A ``Garment``; ``ValueError`` saying how anything else becomes one."""
    if not isinstance(value, Garment):
        raise ValueError(
            f"garment must be a Garment, such as load_garment(path) or product('a red t-shirt'), not {checks.shown(value)}."
        )
    return value


def require_boxes(name: str) -> None:
    """Raise ``ValueError`` where the segmentation engine ``name`` takes no box."""
    engine = find("segment", name)
    if not engine.boxes:
        able = " or ".join(e.name for e in ENGINES if e.boxes)
        raise ValueError(
            f"engine {engine.name} takes no box. Click on the garment, points=[(x, y, 1)], or take engine={able!r}."
        )


def starting(name: str) -> str:
    """``name``, or for ``auto`` the first, of a segmentation engine that goes on from a mask; ``ValueError`` naming them otherwise."""
    able = [e.name for e in ENGINES if e.starts]
    if name == "auto":
        return able[0]
    if find("segment", name).starts:
        return name
    raise ValueError(
        f"engine {name} does not correct a mask that is there. Leave garment out and click, or take engine={able[0]!r}."
    )


def check_size(name: str, size: Any) -> tuple[int, int]:
    """(width, height) of a picture that the generation engine ``name`` can draw; ``ValueError`` saying what it can."""
    sides = find("generate", name).sides
    size = checks.size(size, sides[0], sides[-1], multiple=sides.step)
    if fault := checks.odd_size(size):
        raise ValueError(f"size {fault}")
    return size


@overload
def load(stage: Literal["generate"], name: str = "auto") -> Generator: ...
@overload
def load(stage: Literal["segment"], name: str = "auto") -> Segmenter: ...
@overload
def load(stage: Literal["annotate"], name: str = "auto") -> Annotator: ...
@overload
def load(stage: Literal["try_on"], name: str = "auto") -> TryOnEngine: ...
@overload
def load(stage: Literal["extract"], name: str = "auto") -> Extractor: ...
@overload
def load(stage: Literal["reconstruct"], name: str = "auto") -> Reconstructor: ...
@overload
def load(stage: str, name: str = "auto") -> Any: ...
def load(stage: str, name: str = "auto") -> Any:
    """The engine object itself, made on first use and kept, so that its slow part is done once a kernel.

    Raises ``ImportError`` naming packages that are missing, and ``weights.Missing`` naming the files.
    """
    engine, variant = _choose(stage, name)
    _require_packages(engine)
    if engine.variants and not variant:
        variant = engine.here() or next(iter(engine.variants))
    return _load(engine, variant, "" if engine.embedded else str(weights.folder()))


def full_name(stage: str, name: str = "auto") -> str:
    """``NAME`` or ``NAME:VARIANT`` of what ``load`` would take, to be shown and written down."""
    engine, variant = _choose(stage, name)
    variant = variant or engine.here() or ""
    return f"{engine.name}:{variant}" if variant else engine.name


def ready(stage: str, name: str = "auto", settings: Mapping[str, Any] = MappingProxyType({})) -> str:
    """:func:`full_name` of an engine that can run: its packages are installed, and its weights are here and look whole.

    Raises ``ImportError``, ``weights.Missing`` or ``weights.Damaged`` with the remedy, and what :func:`check_settings` does, before
    anything slow.
    """
    engine, variant = _choose(stage, name)
    check_settings(stage, name, settings)
    _require_packages(engine)
    variant = variant or engine.here() or next(iter(engine.variants), "")
    groups = engine.groups(variant)
    for record in (r for group in groups for r in weights.records(group) if not in_a_folder(groups)):
        weights.require(record.name)
    return full_name(stage, name)


def _require_packages(engine: Engine) -> None:
    """Names and versions alone, before anything is imported."""
    if missing := machine.lacks(engine.packages):
        asked = " ".join(f"'{requirement}'" for requirement in missing)
        raise ImportError(
            f"engine {engine.name!r} needs {', '.join(missing)}: pip install 'atelier-notebooks[published]', or `make published`. "
            f"Where another version is here, on Colab say: pip install --upgrade {asked}, and restart the kernel."
        )


def _choose(stage: str, name: str, gives: frozenset[str] = frozenset()) -> tuple[Engine, str]:
    known = names(stage)
    records = {e.name: e for e in ENGINES if e.stage == stage}
    able = [e for e in records.values() if gives <= e.gives]
    if not able:
        there = "; ".join(f"{e.name} gives {', '.join(sorted(e.gives))}" for e in records.values())
        raise ValueError(f"no engine for {stage} gives {', '.join(sorted(gives))}: {there}.")
    if isinstance(name, str) and name == "auto":
        for engine in able:
            if engine.here() is not None and engine.fits() and not engine.named:
                return engine, ""
        raise weights.Missing(_none_here(stage, able, gives))
    plain, colon, variant = name.partition(":") if isinstance(name, str) else ("", "", "")
    if plain not in known:
        meant = checks.near(name, ("auto", *known)) if isinstance(name, str) else ""
        raise ValueError(f"engine for {stage} is auto or one of {', '.join(known)}, not {checks.shown(name)}{meant}.")
    engine = records[plain]
    if engine not in able:
        lacking = ", ".join(sorted(gives - engine.gives))
        raise ValueError(f"engine {plain} does not give {lacking}; {' and '.join(e.name for e in able)} would.")
    if colon and variant not in engine.variants:
        there = ", ".join(f"{plain}:{v}" for v in engine.variants) or "none"
        raise ValueError(f"engine {plain!r} has no variant {checks.shown(variant)}; its variants: {there}.")
    return engine, variant


def _none_here(stage: str, able: list[Engine], gives: frozenset[str]) -> str:
    what = f"{', '.join(sorted(gives))} of the person {'is' if len(gives) == 1 else 'are'} not known, and " if gives else ""
    would = f"; {' or '.join(e.name for e in able)} would" if gives else ""
    fetch = f"Fetch the weights of {able[0].name}: python -m helpers weights fetch {' '.join(able[0].groups())}"
    return f"{what}no engine for {stage} can run here{would}. {fetch}"


@cache
def _load(engine: Engine, variant: str, folder: str) -> Any:
    module, _, attribute = engine.load.partition(":")
    kind = getattr(import_module(module), attribute)
    return kind(variant) if engine.variants else kind()

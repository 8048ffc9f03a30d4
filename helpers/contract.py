"""What every engine promises: the settings it takes, the calls of its stage, and that it gives its memory back."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from numbers import Real
from operator import index
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    import numpy as np

    from helpers.garment import Garment
    from helpers.mannequin.outfit import Outfit
    from helpers.person import Person
    from helpers.tryon.result import TryOn


@dataclass(frozen=True)
class Setting:
    """One setting of an engine as plain data, so that it can be checked and shown before the engine is imported.

    kind:    ``whole``, ``number``, ``text``, ``flag``, ``choice``, ``callable``, or ``module:Class`` for an object of that class
    meaning: what it does, in words that end an error's sentence
    default: what the engine takes where nothing is given; ``None`` leaves it to the engine, and is itself a value then
    low, high: the range of a number, both ends in it; above: the end of it that is not
    choices: the texts that there are; beside a ``whole``, those that may stand in its place
    """

    kind: str
    meaning: str
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    above: float | None = None

    def check(self, name: str, value: Any) -> Any:
        """``value`` in the type that the engine takes; ``ValueError`` naming the parameter, its range, and what came."""
        if value is None and self.default is None:
            return None
        if isinstance(value, str) and value in self.choices:
            return value
        known = _KINDS[self.kind](value) if self.kind in _KINDS else _instance(value, self.kind)
        if known is None or (self.kind in ("whole", "number") and not self._in_range(known)):
            raise ValueError(f"{name} must be {self.expected}, not {value!r:.80}: {self.meaning}.")
        return known

    @property
    def expected(self) -> str:
        """What fits, in words: ``a whole number from 1 to 100``."""
        words = _WORDS.get(self.kind) or f"a {self.kind.partition(':')[2]}"
        bounds = [] if self.above is None else [f"above {self.above:g}"]
        if self.low is not None and self.high is not None:
            bounds.append(f"from {self.low:g} to {self.high:g}")
        elif self.low is not None:
            bounds.append(f"of at least {self.low:g}")
        elif self.high is not None:
            bounds.append(f"{'and ' * bool(bounds)}at most {self.high:g}")
        words = " ".join([words, *bounds])
        if not self.choices:
            return words
        return f"{' or '.join(self.choices)}, or {words}" if self.kind == "whole" else f"{words} {', '.join(self.choices)}"

    def _in_range(self, value: float) -> bool:
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return low <= value <= high and (self.above is None or value > self.above)  # false for NaN


def _whole(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) else index(value)
    except TypeError:
        return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value) else None


def _instance(value: Any, path: str) -> Any:
    module, _, name = path.partition(":")  # nobody has an object of a class whose module was never imported
    kind = getattr(sys.modules.get(module), name, None)
    return value if kind is not None and isinstance(value, kind) else None


_KINDS: dict[str, Callable[[Any], Any]] = {
    "whole": _whole,
    "number": _number,
    "text": lambda value: value if isinstance(value, str) else None,
    "flag": lambda value: value if isinstance(value, bool) else None,
    "choice": lambda value: None,  # those that fit were taken before
    "callable": lambda value: value if callable(value) else None,
}
_WORDS = {
    "whole": "a whole number",
    "number": "a number",
    "text": "a text",
    "flag": "True or False",
    "choice": "one of",
    "callable": "a function",
}


class Base:
    """What every engine object shares: it is a context manager that gives its memory back, after which a call works like the first."""

    def close(self) -> None:
        """Free what is kept in memory."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# The calls of each stage. ``settings`` are those of the engine's record; what is said to need a capability is there
# only where the record has it.


class Generator(Protocol):
    """Words to a clothed person."""

    def __call__(self, prompt: str | Outfit, *, seed: int = 0, size: tuple[int, int] = ..., **settings: Any) -> Person: ...

    def many(self, prompt: str | Outfit, *, seeds: Sequence[int], size: tuple[int, int] = ..., **settings: Any) -> list[Person]:
        """One person a seed; each is the one that the call draws for that seed alone. Needs ``multiple``."""

    def close(self) -> None: ...


class Candidate(Protocol):
    """One answer to a first click: mask bool (H, W), and the engine's own score of it."""

    mask: np.ndarray
    score: float


class Segmenter(Protocol):
    """Clicks to a mask, of one image at a time; with the same image again ``set_image`` costs nothing."""

    def set_image(self, image: np.ndarray) -> None: ...

    def predict(self, points: Sequence[tuple[float, float, int]], **settings: Any) -> np.ndarray:
        """bool (H, W). ``choice`` needs ``candidates``, ``box`` needs ``boxes``."""

    def candidates(self, points: Sequence[tuple[float, float, int]]) -> list[Any]:
        """The answers to a first click, best first. Needs ``candidates``, as ``default_choice`` does."""

    def default_choice(self, points: Sequence[tuple[float, float, int]]) -> int: ...

    def close(self) -> None: ...


class Annotator(Protocol):
    """A person with the annotations ``wanted``, out of those that the record ``gives``; what is known is kept."""

    def __call__(self, person: Person | np.ndarray, *, wanted: Collection[str] = ..., **settings: Any) -> Person: ...

    def close(self) -> None: ...


class TryOnEngine(Protocol):
    """A garment on a person in place of what the mask covers; without ``frames`` there is a mask, of the photograph's size."""

    def __call__(
        self, person: Person, garment: Garment, *, mask: np.ndarray | None, seed: int = 0, **settings: Any
    ) -> TryOn: ...

    def many(
        self, person: Person, garment: Garment, *, mask: np.ndarray | None, seeds: Sequence[int], **settings: Any
    ) -> list[TryOn]:
        """One picture a seed, each the same whatever the others are. Needs ``multiple``."""

    def close(self) -> None: ...

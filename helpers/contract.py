"""What every engine promises: the settings it takes, the calls of its stage, and that it gives its memory back."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from helpers import checks, propriety

if TYPE_CHECKING:
    import numpy as np

    from helpers.garment import Garment
    from helpers.mannequin.outfit import Outfit
    from helpers.person import Person
    from helpers.reconstruction.figure import Figure3D
    from helpers.tryon.result import TryOn


@dataclass(frozen=True)
class Setting:
    """One setting of an engine as plain data, so that it can be shown and checked before the engine is imported.

    kind:      ``whole``, ``number``, ``text``, ``words`` that a network draws, words ``kept out`` of a picture, ``flag``,
               ``choice``, ``callable``, or ``module:Class`` for an object of that class
    meaning:   what it does, in words
    default:   what the engine takes where nothing is given; ``None`` leaves it to the engine, and is itself a value then
    low, high: the range of a number; above: ``low`` itself is not in it
    choices:   the texts that there are; beside a ``whole``, those that may stand in its place
    """

    kind: str
    meaning: str
    default: Any = None
    low: float = 0
    high: float = math.inf
    above: bool = False
    choices: tuple[str, ...] = ()

    def check(self, name: str, value: Any) -> Any:
        """``value`` in the type that the engine takes; ``ValueError`` naming the parameter, what fits and means, and what came."""
        if (value is None and self.default is None) or (isinstance(value, str) and value in self.choices):
            return value
        try:
            return self._checked(name, value)
        except propriety.PromptRefused:
            raise
        except ValueError as error:
            raise ValueError(f"{error} {name}: {self.meaning}.") from None

    def _checked(self, name: str, value: Any) -> Any:
        match self.kind:
            case "whole":
                high = None if self.high == math.inf else int(self.high)
                return checks.whole(value, name, int(self.low), high, instead=" or ".join(self.choices))
            case "number":
                return checks.number(value, name, self.low, self.high, above=self.above)
            case "text":
                return checks.text(value, name)
            case "words":
                propriety.judge(checks.text(value, name), name)
                return value
            case "kept out":
                propriety.judge_negative(checks.text(value, name), name)
                return value
            case "flag":
                return checks.flag(value, name)
            case "choice":
                return checks.one_of(value, name, self.choices)
            case "callable":
                return checks.function(value, name)
            case _:
                return checks.instance(value, name, self.kind)


SEED = Setting(
    "whole",
    "whatever is left to chance is drawn from it, so that the same seed gives the same picture",
    0,
    low=0,
    high=2**63 - 1,
)


def checked_seeds(seeds: Any) -> list[int]:
    """One seed a picture, as ``many`` takes them. Raises ``ValueError`` for none, and for what is no seed."""
    if isinstance(seeds, str) or not isinstance(seeds, Sequence) or not len(seeds):
        raise ValueError(f"seeds must be a list of whole numbers, one a picture, such as [0, 1, 2], not {checks.shown(seeds)}.")
    return [SEED.check("seeds" if len(seeds) > 1 else "seed", seed) for seed in seeds]


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


class Closing(Protocol):
    """What :class:`Base` gives every engine."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Generator(Closing, Protocol):
    """Words to a clothed person."""

    def read(self, words: str, negative_prompt: str | None = None) -> tuple[Any, Any]:
        """What is asked for and what is kept out, each with its ``text`` and the words ``cut`` from it; not where ``knows_figure``."""

    def __call__(self, prompt: str | Outfit, *, seed: int = 0, size: tuple[int, int] = ..., **settings: Any) -> Person: ...

    def many(self, prompt: str | Outfit, *, seeds: Sequence[int], size: tuple[int, int] = ..., **settings: Any) -> list[Person]:
        """One person a seed; each is the one that the call draws for that seed alone. Needs ``multiple``."""


class Candidate(Protocol):
    """One answer to a first click: mask bool (H, W), and the engine's own score of it."""

    mask: np.ndarray
    score: float


class Segmenter(Closing, Protocol):
    """Clicks to a mask, of one image at a time; with the same image again ``set_image`` costs nothing."""

    def set_image(self, image: np.ndarray) -> None: ...

    def predict(self, points: Sequence[tuple[float, float, int]], **settings: Any) -> np.ndarray:
        """bool (H, W). ``choice`` needs ``candidates``, ``box`` needs ``boxes``, ``start`` and ``known`` need ``starts``."""

    def candidates(self, points: Sequence[tuple[float, float, int]]) -> Sequence[Candidate]:
        """The answers to a first click, best first. Needs ``candidates``, as ``default_choice`` does."""

    def default_choice(self, points: Sequence[tuple[float, float, int]]) -> int: ...


class Annotator(Closing, Protocol):
    """A person with the annotations that ``needs`` names, out of those that the record ``gives``; what is known is kept."""

    def __call__(
        self,
        person: Person,
        *,
        needs: Collection[str],
        pick: str | int = "auto",
        mask: np.ndarray | None = None,
        **settings: Any,
    ) -> Person:
        """``pick``: who of several; ``auto`` is whom ``mask`` is on. ``scene["people"]`` says how many there were."""


class Extractor(Closing, Protocol):
    """A worn garment, where ``mask`` is, bool (H, W), as it would lie flat: on white, with its mask and what of it is ``invented``."""

    def __call__(self, person: Person, *, mask: np.ndarray, category: str, **settings: Any) -> Garment: ...


class Reconstructor(Closing, Protocol):
    """A person as meshes in metres, with what their picture shows on them."""

    def __call__(self, person: Person, **settings: Any) -> Figure3D: ...


class TryOnEngine(Closing, Protocol):
    """A garment on a person in place of what the mask covers; without ``frames`` there is a mask, of the photograph's size."""

    def __call__(
        self, person: Person, garment: Garment, *, mask: np.ndarray | None, seed: int = 0, **settings: Any
    ) -> TryOn: ...

    def many(
        self, person: Person, garment: Garment, *, mask: np.ndarray | None, seeds: Sequence[int], **settings: Any
    ) -> list[TryOn]:
        """One picture a seed, each the same whatever the others are. Needs ``multiple``."""

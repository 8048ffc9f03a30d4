"""What a prompt asks for before the rest is chosen, and how the seed chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from helpers.mannequin.garments import KINDS
from helpers.mannequin.kinds import Kind, Share, Shares, share

T = TypeVar("T")


@dataclass
class Wish:
    """One garment as far as the words say it; ``kind`` may still be the open ``top`` or ``skirt``."""

    kind: str
    word: str
    colours: list[str] = field(default_factory=list)
    tone: str | None = None  # "dark" or "light" where no colour is named
    accent: str | None = None
    pattern: str | None = None
    repeat: float | None = None
    image: Path | None = None
    weave: str | None = None
    length: str | None = None
    sleeve: str | None = None
    neckline: str | None = None
    fit: str | None = None
    style: str | None = None
    wearer: str | None = None  # whose the word alone says it is, as "blouse" does


def kind_of(wish: Wish) -> Kind:
    """The record of a wish whose kind is settled."""
    return KINDS[wish.kind]


@dataclass
class Request:
    """A prompt, read: what was said of the figure, the garments, the picture, and what could not be read."""

    figure: dict = field(default_factory=dict)
    garments: list[Wish] = field(default_factory=list)
    barefoot: bool = False
    tucked: bool | None = None
    uniform: bool = False  # "all black", "matching": what one garment is, the others are too
    backdrop: str | None = None
    framing: str | None = None
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Chooser:
    """Choices by name: the same seed and name always give the same value."""

    def __init__(self, seed: int):
        self.seed = seed

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *name.encode()])

    def pick(self, name: str, options: Sequence[T], weights: Sequence[float] | np.ndarray | None = None) -> T:
        """One of ``options``, all alike or by ``weights``."""
        shares = None if weights is None else np.asarray(weights, float) / np.sum(weights)
        return options[int(self.rng(name).choice(len(options), p=shares))]

    def happens(self, name: str, chance: Share, day: int, presentation: str) -> bool:
        """Whether what has ``chance`` (0..1) comes about."""
        return bool(self.rng(name).random() < share(chance, day, presentation))

    def among(self, name: str, options: Shares, day: int, presentation: str) -> str:
        """One of ``options`` by its chance on ``day``; the first where none has any."""
        weights = {option: weight for option, chance in options.items() if (weight := share(chance, day, presentation)) > 0}
        if not weights:
            return next(iter(options))
        return self.pick(name, tuple(weights), None if len(set(weights.values())) == 1 else tuple(weights.values()))

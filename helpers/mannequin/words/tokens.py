"""The tokens of a prompt: the longest phrases the vocabulary knows, and numbers with what they measure.

A token is an :class:`Item` with its readings, the preferred one first; ``prompt`` gives them their grammar.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.mannequin.colours import srgb, to_hex
from helpers.mannequin.words.lexicon import LEXICON, LONGEST
from helpers.mannequin.words.vocabulary import DECADES, NUMBERS, PEOPLE

_TOKEN = re.compile(
    r'"[^"]+"|“[^”]+”|print:[^\s,;]+|#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b|\d+(?:\.\d+)?|[^\W\d_]+(?:[\'’][^\W\d_]+)?|[^\s/–—-]'
)
_PICTURE = re.compile(r'"[^"]+\.\w{2,5}"|“[^”]+\.\w{2,5}”|print:[^\s,;]+\.\w{2,5}\b')
_NUMBER_REACH = 6  # tokens that a number with its unit takes at most: "in her late forty five ..."
_DECADES_END = 100  # "60s" is an age, "1960s" a style
_UNIT = {"m": 1.0, "metres": 1.0, "meters": 1.0, "metre": 1.0, "cm": 0.01}
_PART_OF_DECADE = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}


@dataclass
class Item:
    """A word or phrase as it was written, and its readings (slot, value), the preferred one first."""

    text: str
    readings: list[tuple[str, Any]]

    def value(self, slot: str) -> Any:
        """The value that this has as a ``slot``, ``None`` where it is none."""
        return next((value for name, value in self.readings if name == slot), None)

    def has(self, *slots: str) -> bool:
        """Whether this can be read as one of ``slots``."""
        return any(name in slots for name, _ in self.readings)

    @property
    def foreign(self) -> bool:
        """Whether nothing is known of this word."""
        return self.readings[0][0] == "unknown"


def tokens(text: str) -> tuple[list[Item], list[str]]:
    """The items of ``text`` in order, and what is to be said of words that were nearly understood.

    Raises ``ValueError`` for an age or a height that no adult has. What is refused in words is ``propriety``'s to say, before.
    """
    written = _TOKEN.findall(text)
    lower = [token.lower().replace("’", "'") for token in written]
    items: list[Item] = []
    notes: list[str] = []
    i = 0
    while i < len(written):
        item, used = _number(lower[i : i + _NUMBER_REACH]) or _sign(written[i]) or _phrase(written[i:], lower[i:], notes)
        items.append(item)
        i += used
    return items, notes


def read_words(text: str) -> list[tuple[str, Any]]:
    """The first reading (slot, value) of each word or phrase of ``text``; for engines that take words without the grammar.

    Raises ``ValueError`` for an age or a height that no adult has.
    """
    return [item.readings[0] for item in tokens(text)[0]]


def spoken(text: str) -> str:
    """``text`` without the names of picture files, which say nothing of a person."""
    return _PICTURE.sub(" ", text)


def _sign(token: str) -> tuple[Item, int] | None:
    """A picture to print, a colour in digits, or a mark, if ``token`` is one."""
    lower = token.lower()
    if token[0] in '"“' or lower.startswith("print:"):
        path = token[6:] if lower.startswith("print:") else token[1:-1]
        return Item(token, [("image", Path(path))]), 1
    if lower.startswith("#"):
        return Item(lower, [("colour", to_hex(srgb(lower)))]), 1
    if lower in "&+":
        return Item("and", [("separator", "and")]), 1
    if lower in ",;:.!?()":
        return Item(",", [("separator", ",")]), 1
    return None


# ------------------------------------------------------------------------------------------------------------- phrases


def _phrase(written: list[str], lower: list[str], notes: list[str]) -> tuple[Item, int]:
    """The longest phrase that both lists begin with, and how many tokens it takes; near misses go to ``notes``."""
    for length in range(min(LONGEST, len(lower)), 0, -1):
        phrase = tuple(lower[:length])
        if phrase in LEXICON:
            return Item(" ".join(phrase), LEXICON[phrase]), length
    if lower[0] in ("no", "without", "not") and len(lower) > 1:
        return _denied(written, lower, notes)
    word = lower[0].removesuffix("'s")
    if word != lower[0] and word in PEOPLE:
        return Item(lower[0], [("filler", lower[0])]), 1  # "men's shirt" says nothing of who wears it
    for stem in (word, word.removesuffix("s"), word.removesuffix("es"), word + "s"):
        if (stem,) in LEXICON and len(stem) > 2:
            return Item(lower[0], LEXICON[(stem,)]), 1
    close = difflib.get_close_matches(word, [" ".join(p) for p in LEXICON], 1, 0.8) if len(word) > 3 else []
    if close:
        notes.append(f"'{written[0]}' is not understood; did you mean '{close[0]}'?")
    return Item(written[0], [("unknown", written[0])]), 1


def _denied(written: list[str], lower: list[str], notes: list[str]) -> tuple[Item, int]:
    """What stands after "no", "without" or "not", as one unknown item: nothing is left out on request, clothes least of all."""
    article = 1 + (lower[1] in ("a", "an", "any", "her", "his") and len(lower) > 2)
    after, used = _phrase(written[article:], lower[article:], notes)
    text = f"{lower[0]} {after.text}"
    if after.has("separator", "determiner"):
        return Item(lower[0], [("unknown", lower[0])]), 1
    return Item(text, [("unknown", text)]), article + used


# ------------------------------------------------------------------------------------------------------------- numbers


def _number(rest: list[str]) -> tuple[Item, int] | None:
    """The age, height or measure that ``rest`` begins with, and how many tokens it takes."""
    if rest[0] in ("in", "aged", "age", "face", "every"):
        return _introduced(rest)
    value, used = _read_number(rest)
    if value is None:
        return None
    unit = rest[used] if len(rest) > used else ""
    if unit == "s" and value % 10 == 0 and 10 <= value < _DECADES_END:
        _check_age(value)
        return Item(f"{value:g}s", [("age", (int(value), min(90, int(value) + 9)))]), used + 1
    if unit in ("'", "ft", "feet", "foot") and 4 <= value <= 7:
        return _feet(value, used + 1, rest)
    if unit in ("year", "years", "yr", "yrs", "yo"):
        old = rest[used + 1 : used + 2] in (["old"], ["olds"])
        return Item(f"{value:g} years", [("age", _check_age(value))]), used + 1 + old
    if unit in _UNIT:
        height = round(value * _UNIT[unit], 3)
        if height < 1 and rest[used + 1 : used + 2] != ["tall"]:
            return None  # of something else: "12 cm heels"
        if not 1.4 <= height <= 2.1:
            raise ValueError(f"a height of {height:g} m is outside 1.4 to 2.1 m.")
        return Item(f"{height:g} m", [("metres", height)]), used + 1
    return None


def _introduced(rest: list[str]) -> tuple[Item, int] | None:
    """A number that a word announces: "aged 45", "in her late thirties", "in the 40s", "face 7", "every 3 cm"."""
    skip = 1 + (rest[1:2] in (["her"], ["his"], ["their"], ["the"]))
    part = rest[skip] if len(rest) > skip and rest[skip] in _PART_OF_DECADE else None
    skip += part is not None
    value, used = _read_number(rest[skip:])
    decade = DECADES.get(rest[skip]) if len(rest) > skip else None
    after = rest[skip + used] if len(rest) > skip + used else ""
    if rest[0] == "in" and decade is None and value and after == "s":
        decade, used = int(value), used + 1
    if decade is not None:
        _check_age(decade)
        low, high = _PART_OF_DECADE[part] if part else (0, 9)
        end = skip + max(used, 1)
        return Item(" ".join(rest[:end]), [("age", (max(18, decade + low), min(90, decade + high)))]), end
    if value is None or rest[0] == "in":
        return None
    if rest[0] == "face":
        return Item(f"face {value:g}", [("face", int(value))]), skip + used
    if rest[0] == "every":
        unit = {"mm": 0.001, "cm": 0.01}.get(after)
        return (Item("every", [("repeat", round(value * unit, 5))]), skip + used + 1) if unit else None
    return Item(f"aged {value:g}", [("age", _check_age(value))]), skip + used


def _feet(feet: float, used: int, rest: list[str]) -> tuple[Item, int]:
    """A height in feet, of which ``used`` tokens are read, with the inches that may follow."""
    inches, more = _read_number(rest[used:])
    unit = bool(more) and rest[used + more : used + more + 1] in (['"'], ["in"], ["inches"])
    return Item(f"{feet:g} ft", [("metres", round(0.3048 * feet + 0.0254 * (inches or 0), 2))]), used + more + unit


def _read_number(rest: list[str]) -> tuple[float | None, int]:
    """A number in digits or words ("forty five") at the start of ``rest``, and how many tokens it takes."""
    if not rest:
        return None, 0
    if rest[0][0].isdigit():
        return float(rest[0]), 1
    if rest[0] in NUMBERS:
        value = NUMBERS[rest[0]]
        if value >= 20 and len(rest) > 1 and NUMBERS.get(rest[1], 99) < 10:
            return value + NUMBERS[rest[1]], 2
        return value, 1
    return None, 0


def _check_age(years: float) -> tuple[int, int]:
    """``years`` as a span of itself."""
    if not 18 <= years <= 90:
        raise ValueError(f"an age of {years:g} is outside 18 to 90.")
    return int(years), int(years)

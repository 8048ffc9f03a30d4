"""Words to outfits and back: a small grammar over the vocabulary of fashion.

The text is cut into the longest phrases the vocabulary knows. Modifiers gather until a head comes (a garment, a person, hair,
eyes, skin, a backdrop) and attach to it; after "in", "with" or "of" they attach to what stood before ("a dress in navy with white
dots and long sleeves"). What is not said, ``styling`` chooses by the seed.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path

from helpers.mannequin import outfit as o
from helpers.mannequin.colours import mix, saturate, srgb, to_hex
from helpers.mannequin.words import vocabulary as words
from helpers.mannequin.words.choose import complete
from helpers.mannequin.words.describe import describe
from helpers.mannequin.words.lexicon import LEXICON, LONGEST, vocabulary
from helpers.mannequin.words.request import Request, Wish

__all__ = ["PromptRefused", "describe", "parse", "parse_piece", "read_words", "vocabulary"]


class PromptRefused(ValueError):
    """The words ask for something that is not drawn: only adults, always dressed."""


def parse(text: str, seed: int = 0) -> o.Outfit:
    """The outfit that ``text`` describes; what it leaves open is chosen by ``seed`` (an integer from 0).

    Words that mean nothing here come back in ``Outfit.unknown``, free readings in ``Outfit.notes``. Raises ``PromptRefused`` for
    minors and undress, ``ValueError`` for an empty text and for wishes that contradict each other ("a long mini skirt").
    """
    return complete(_request(text, seed), int(seed))


def parse_piece(text: str, seed: int = 0) -> tuple[o.Piece, tuple[str, ...]]:
    """The one garment that ``text`` names ("a red and white checked shirt"), and the words not understood.

    Raises ``ValueError`` where the text names no garment or several, else as :func:`parse`.
    """
    request = _request(text, seed)
    if len(request.garments) != 1:
        named = ", ".join(f"'{wish.word}'" for wish in request.garments) or "none"
        raise ValueError(f"one garment is wanted, such as 'a red and white checked shirt'; {text!r} names {named}.")
    outfit = complete(request, int(seed))
    return next(piece for piece in outfit.pieces if piece.kind == request.garments[0].kind), outfit.unknown


def read_words(text: str) -> list[tuple[str, object]]:
    """The first reading (slot, value) of each word or phrase of ``text``; for engines that take words without this grammar.

    Raises ``PromptRefused`` for minors and undress, ``ValueError`` for an age or a height that no adult has.
    """
    return [item.readings[0] for item in _Reader()._items(_TOKEN.findall(text))]


def _request(text: str, seed: int) -> Request:
    if not isinstance(text, str):
        raise ValueError(f"the prompt is a text such as 'a crop top and mini skirt', not {type(text).__name__}.")
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or seed < 0:
        raise ValueError(f"seed is an integer from 0, not {seed!r}.")
    if not text.strip():
        raise ValueError("the prompt is empty. Write for example 'a woman in a crop top and mini skirt'.")
    return _Reader().read(text)


_TOKEN = re.compile(
    r'"[^"]+"|“[^”]+”|print:[^\s,;]+|#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b|\d+(?:\.\d+)?|[^\W\d_]+(?:[\'’][^\W\d_]+)?|[^\s/–—-]'
)
_HEADS = {
    "garment": ("garment", "colour", "tone", "pattern", "weave", "length", "sleeve", "neckline", "fit", "image", "repeat"),
    "person": ("person", "age", "build", "height", "skin", "hair", "haircolour"),
    "hair": ("haircolour", "hairword", "hair", "colour", "tone"),
    "eyes": ("eyecolour", "colour", "tone"),
    "skin": ("skin", "colour", "tone"),
    "backdrop": ("colour", "tone"),
    "trim": ("colour", "tone"),
}
_FREE = (
    "age",
    "build",
    "height",
    "metres",
    "face",
    "hair",
    "haircolour",
    "pose",
    "framing",
    "barefoot",
)  # need no head beside them
_WEAK = ("sleeve", "neckline", "pattern", "image")  # can stand as a noun after "with": "with long sleeves"
_NOT_DRAWN = {
    "refuse minor": "only adults are drawn. Write for example 'a young woman' or 'a 25-year-old man'.",
    "refuse undress": "figures are always dressed, in clothes one does not see through. Name garments, for example "
    "'a crop top and mini skirt'; for the colour nude write beige.",
}


@dataclass
class _Item:
    text: str
    readings: list[tuple[str, object]]

    def value(self, slot: str):
        return next((value for name, value in self.readings if name == slot), None)

    def has(self, *slots: str) -> bool:
        return any(name in slots for name, _ in self.readings)


@dataclass
class _Group:
    """Modifiers between two separators: ``opener`` is how it began ("" at the start, "a" after an article)."""

    opener: str
    items: list[_Item] = field(default_factory=list)


class _Reader:
    """Reads one prompt into a ``Request``."""

    def __init__(self):
        self.request = Request()
        self.last: tuple[str, Wish | None] | None = None  # the head that stood before
        self.garment: Wish | None = None
        self.carry: list[_Item] = []

    def read(self, text: str) -> Request:
        items = self._items(_TOKEN.findall(text))
        group = _Group("")
        for position, item in enumerate(items):
            slot, value = item.readings[0]
            if slot == "separator":
                if (
                    value == "and"
                    and group.opener == "with"
                    and group.items
                    and all(i.has("colour", "tone") for i in group.items)
                ):
                    continue  # "with blue and yellow flowers"
                self._close(group, value)
                group = _Group(value)
            elif slot == "determiner":
                if group.items:
                    self._close(group, "a")
                    group = _Group("a")
                elif group.opener not in ("with", "of", "featuring", "on", "against", "before"):
                    group.opener = "a"
                if value in words.POSSESSIVES and "presentation" not in self.request.figure:
                    self.request.figure["presentation"] = words.POSSESSIVES[value]
            elif slot == "tuck":
                self.request.tucked = value
            elif slot == "uniform":
                self.request.uniform = True
            elif slot == "filler":
                self._approximated(item.text)
            else:
                head = self._head(item, items[position + 1 :])
                if head is None:
                    group.items.append(item)
                else:
                    self._attach([*self.carry, *group.items], head, item)
                    self.carry, group = [], _Group("after")
        self._close(group, "end")
        self._attach_back(self.carry)
        return self.request

    # -------------------------------------------------------------------------------------------------- tokens

    def _items(self, tokens: list[str]) -> list[_Item]:
        lower = [token.lower().replace("’", "'") for token in tokens]
        items, i = [], 0
        while i < len(tokens):
            number = self._number(lower, i)
            if number:
                item, used = number
            elif tokens[i][0] in '"“' or lower[i].startswith("print:"):
                path = tokens[i][6:] if lower[i].startswith("print:") else tokens[i][1:-1]
                item, used = _Item(tokens[i], [("image", Path(path))]), 1
            elif lower[i].startswith("#"):
                item, used = _Item(lower[i], [("colour", to_hex(srgb(lower[i])))]), 1
            elif lower[i] in "&+":
                item, used = _Item("and", [("separator", "and")]), 1
            elif lower[i] in ",;:.!?()":
                item, used = _Item(",", [("separator", ",")]), 1
            else:
                item, used = self._phrase(tokens, lower, i)
            for kind, sentence in _NOT_DRAWN.items():
                if item.has(kind):
                    raise PromptRefused(f"'{item.text}': {sentence}")
            items.append(item)
            i += used
        return items

    def _phrase(self, tokens: list[str], lower: list[str], i: int) -> tuple[_Item, int]:
        for length in range(min(LONGEST, len(lower) - i), 0, -1):
            phrase = tuple(lower[i : i + length])
            if phrase in LEXICON:
                return _Item(" ".join(phrase), LEXICON[phrase]), length
        if lower[i] in ("no", "without", "not") and i + 1 < len(lower):
            article = lower[i + 1] in ("a", "an", "any", "her", "his") and i + 2 < len(lower)
            after, used = self._phrase(tokens, lower, i + 1 + article)
            used += article
            if after.has("garment") and o.GARMENTS.get(after.value("garment")[0], "") != "shoes":
                raise PromptRefused(f"'{lower[i]} {after.text}': {_NOT_DRAWN['refuse undress']}")
            if after.has("separator", "determiner"):
                return _Item(lower[i], [("unknown", lower[i])]), 1
            return _Item(f"{lower[i]} {after.text}", [("unknown", f"{lower[i]} {after.text}")]), used + 1
        word = lower[i].removesuffix("'s")
        if word != lower[i] and word in words.PEOPLE:
            return _Item(lower[i], [("filler", lower[i])]), 1  # "men's shirt" says nothing of who wears it
        for stem in (word, word.removesuffix("s"), word.removesuffix("es"), word + "s"):
            if (stem,) in LEXICON and len(stem) > 2:
                return _Item(lower[i], LEXICON[(stem,)]), 1
        close = difflib.get_close_matches(word, [" ".join(p) for p in LEXICON], 1, 0.8) if len(word) > 3 else []
        if close:
            self.request.notes.append(f"'{tokens[i]}' is not understood; did you mean '{close[0]}'?")
        return _Item(tokens[i], [("unknown", tokens[i])]), 1

    def _number(self, lower: list[str], i: int) -> tuple[_Item, int] | None:
        """Ages, heights and measures that begin at token ``i``."""
        rest = lower[i : i + 6]
        if rest[0] in ("in", "aged", "age", "face", "every"):
            skip = 1 + (len(rest) > 1 and rest[1] in ("her", "his", "their", "the"))
            skip += len(rest) > skip and rest[skip] in ("early", "mid", "late")
            part = rest[skip - 1] if rest[skip - 1] in ("early", "mid", "late") else None
            value, used = _read_number(rest[skip:])
            decade = words.DECADES.get(rest[skip]) if len(rest) > skip else None
            if rest[0] == "in" and decade is None and value and rest[skip + used : skip + used + 1] == ["s"]:
                decade, used = int(value), used + 1
            if decade is not None:
                _check_age(decade)
                low, high = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}.get(part, (0, 9))
                span = (max(18, decade + low), min(90, decade + high))
                return _Item(" ".join(rest[: skip + max(used, 1)]), [("age", span)]), skip + max(used, 1)
            if value is None or rest[0] == "in":
                return None
            if rest[0] == "face":
                return _Item(f"face {value:g}", [("face", int(value))]), skip + used
            if rest[0] == "every":
                unit = {"mm": 0.001, "cm": 0.01}.get(rest[skip + used] if len(rest) > skip + used else "")
                return (_Item("every", [("repeat", round(value * unit, 5))]), skip + used + 1) if unit else None
            return _Item(f"aged {value:g}", [("age", _check_age(value))]), skip + used
        value, used = _read_number(rest)
        if value is None:
            return None
        following = rest[used : used + 2]
        if following[:1] == ["s"] and value % 10 == 0 and value >= 10:
            _check_age(value)
            return _Item(f"{value:g}s", [("age", (int(value), min(90, int(value) + 9)))]), used + 1
        if following[:1] in (["'"], ["ft"], ["feet"], ["foot"]) and 4 <= value <= 7:
            inches, more = _read_number(rest[used + 1 :])
            end = used + 1 + more + (rest[used + 1 + more : used + 2 + more] in (['"'], ["in"], ["inches"]) if more else 0)
            return _Item(f"{value:g} ft", [("metres", round(0.3048 * value + 0.0254 * (inches or 0), 2))]), end
        if following[:1] in (["year"], ["years"], ["yr"], ["yrs"], ["yo"]):
            extra = 2 if following[1:] in (["old"], ["olds"]) else 1
            return _Item(f"{value:g} years", [("age", _check_age(value))]), used + extra
        for unit, factor in (("m", 1.0), ("metres", 1.0), ("meters", 1.0), ("metre", 1.0), ("cm", 0.01)):
            if following[:1] == [unit]:
                height = round(value * factor, 3)
                if not 1.4 <= height <= 2.1:
                    raise ValueError(f"a height of {height:g} m is outside 1.4 to 2.1 m.")
                return _Item(f"{height:g} m", [("metres", height)]), used + 1
        return None

    # ------------------------------------------------------------------------------------------------- grammar

    def _head(self, item: _Item, rest: list[_Item]) -> str | None:
        """The head this item is, or ``None`` where it modifies one: "a knit" is a sweater, "a knit dress" a dress."""
        if item.has("head"):
            return item.value("head")
        if item.has("person"):
            return "person"
        following = []
        for after in rest:
            if after.has("separator", "determiner"):
                break
            following.append(after)
        coming = any(after.has("garment") for after in following) or any(
            after.readings[0][0] == "unknown" for after in following[:1]
        )
        if item.has("garment"):
            return None if coming and item.has(*_HEADS["garment"][1:]) else "garment"
        if item.has("hair") and not coming and not any(after.has("head", "person") for after in following):
            return "hair"
        return None

    def _close(self, group: _Group, closer: str) -> None:
        """A group ended without a head: hand it back, or keep it for the head to come."""
        items = group.items
        if not items:
            return
        if items[-1].has("unknown") and items[-1].readings[0][0] == "unknown":  # the noun is foreign, so are its adjectives
            self.request.unknown.append(" ".join(item.text for item in items))
            return
        weak = any(item.has(*_WEAK) for item in items)
        said_after = group.opener in ("with", "in", "of", "featuring", "after", "into")
        loose = group.opener == "," and closer in (",", "end", "in", "with", "a") and not self.carry
        joined = group.opener == "and" and weak and closer in (",", "end", "and", "with")
        back = (
            self.garment
            if any(item.has("colour", "tone", "weave", "fit") for item in items) and not self._personal(items)
            else self.last
        )
        if closer == "end" or ((said_after or loose or joined) and back is not None):
            self._attach_back([*self.carry, *items], group.opener)
            self.carry = []
        else:
            self.carry += items

    def _personal(self, items: list[_Item]) -> bool:
        return self.last is not None and self.last[0] == "person" and all(item.has(*_HEADS["person"], *_FREE) for item in items)

    def _attach_back(self, items: list[_Item], opener: str = "") -> None:
        """Modifiers that follow their noun: figure words to the figure, the rest to the garment before (or the one to be chosen)."""
        if not items:
            return
        worn = opener == "in" and any(item.has("colour", "pattern", "weave") for item in items)  # "a lady in red"
        if not worn and (self._personal(items) or all(item.has(*_FREE) and not item.has("colour") for item in items)):
            self._attach(items, "person", None)
            return
        garment = self.garment
        if garment is None:
            garment = Wish("top", "top")
            self.request.garments.append(garment)
            self.garment = garment
        if opener in ("with", "and", "featuring") and garment.colours and any(item.has(*_WEAK) for item in items):
            # "red with white dots", "with a white collar"
            named = self._colours(items)
            garment.accent = named[0] if named else garment.accent
            items = [item for item in items if not item.has("colour", "tone")]
        self._fill(garment, items)

    def _attach(self, items: list[_Item], head: str, noun: _Item | None) -> None:
        figure, request = self.request.figure, self.request
        if head == "garment":
            kind, implied = noun.value("garment")
            wish = Wish(kind, noun.text)
            for slot, value in implied.items():
                if slot == "colour":
                    wish.colours.append(value)
                else:
                    setattr(wish, slot, value)
            self._fill(wish, items, implied)
            request.garments.append(wish)
            self.garment = wish
            self._approximated(noun.text)
        elif head == "trim" and self.garment is not None:
            self.garment.accent = (self._colours(items) or [self.garment.accent])[0]
            self._leftover([item for item in items if not item.has(*_HEADS["trim"])])
        elif head == "backdrop":
            request.backdrop = (self._colours(items) or [request.backdrop])[0]
            self._leftover([item for item in items if not item.has(*_HEADS["backdrop"])])
        else:
            target = {"hair": "haircolour", "eyes": "eyecolour", "skin": "skin"}.get(head)
            key = {"hair": "hair_colour", "eyes": "eyes", "skin": "skin"}.get(head)
            if noun is not None and noun.has("hair"):
                self._set(figure, "hair", noun.value("hair"), noun.text)
            if head == "person" and noun is not None and noun.value("person"):
                said, value = figure.get("presentation"), noun.value("person")
                if said not in (None, value) and self.last is not None:
                    raise ValueError(f"the prompt speaks of a {said} and a {value}; one figure is drawn. Keep one of them.")
                figure["presentation"] = value
                if noun.has("age"):
                    figure["age"] = noun.value("age")
            plain = []
            for item in items:
                if target and item.value(target) and key not in figure:
                    figure[key] = item.value(target)
                elif head == "hair" and item.has("hairword", "hair"):
                    self._set(figure, "hair", item.value("hairword") or item.value("hair"), item.text)
                elif target and item.has("colour", "tone"):
                    plain.append(item)
                else:
                    self._figure(item, head)
            if plain and key and self._colours(plain):
                figure[key] = self._colours(plain)[0]
        self.last = (head, self.garment)

    def _figure(self, item: _Item, head: str) -> None:
        figure = self.request.figure
        order = _HEADS["person"] if head == "person" else ()
        slot, value = next(((s, v) for s, v in item.readings if s in order or s in _FREE), ("unknown", item.text))
        if slot == "length" or (slot == "unknown" and head == "person" and item.has("height")):
            slot, value = "height", item.value("height")
        match slot:
            case "age":
                figure["age"] = value
            case "height":
                figure["taller"] = value
                if item.has("build"):
                    figure["build"] = item.value("build")
            case "metres":
                figure["height"] = value
            case "build" | "pose":
                figure[slot] = value
                if slot == "build" and item.has("height"):
                    figure["taller"] = item.value("height")
            case "hair":
                self._set(figure, "hair", value, item.text)
            case "haircolour":
                figure["hair_colour"] = value
            case "skin":
                figure["skin"] = value
            case "face":
                figure["face_seed"] = value
            case "framing":
                self.request.framing = value
            case "barefoot":
                self.request.barefoot = True
            case _:
                self.request.unknown.append(item.text)

    def _set(self, figure: dict, slot: str, value: str, text: str) -> None:
        """Hair words add up ("long curly hair" is curly): shape beats length."""
        rank = ("long", "short", "bob", "curly", "ponytail", "bun", "buzz", "bald")
        if slot not in figure or rank.index(value) > rank.index(figure[slot]):
            figure[slot] = value

    def _fill(self, wish: Wish, items: list[_Item], implied: dict | None = None) -> None:
        colours = self._colours(items)
        if colours:
            wish.colours = colours if implied is None or "colour" in implied or not wish.colours else wish.colours + colours
            if implied is None and len(colours) == 1 and wish.accent is None:
                wish.colours = colours
        if not colours:
            wish.tone = next((self.tone_of(item.text) for item in items if item.has("tone")), wish.tone)
        for item in items:
            if item.has("colour", "tone"):
                continue
            slot = next((s for s in _HEADS["garment"][1:] if item.has(s)), None)
            self._approximated(item.text)
            if slot is None or (slot == "length" and item.has("pose")):
                if item.has(*_FREE):
                    self._figure(item, "garment")
                elif item.text not in ("print",):
                    self._leftover([item])
                continue
            value = item.value(slot)
            if slot == "image":
                wish.image, wish.pattern = value, "print"
            elif slot == "pattern" and wish.pattern not in (None, value) and not (implied and "pattern" in implied):
                if "print" not in (value, wish.pattern):
                    raise ValueError(f"'{wish.word}' is to be {wish.pattern} and {value}. Keep one pattern.")
                wish.pattern = "print" if wish.image else wish.pattern if value == "print" else value
            elif getattr(wish, slot) not in (None, value) and not (implied and slot in implied):
                raise ValueError(f"'{wish.word}' cannot have {slot} '{getattr(wish, slot)}' and '{value}'. Keep one of them.")
            else:
                if slot == "length" and implied and slot in implied and implied[slot] != value:
                    raise ValueError(f"'{item.text}' and '{wish.word}' contradict each other. Keep one of them.")
                setattr(wish, slot, value)

    def _colours(self, items: list[_Item]) -> list[str]:
        """Colours named, tones applied: "dark" before a name darkens it, alone it picks a dark neutral."""
        out, tone = [], None
        for item in items:
            if item.has("colour"):
                colour = item.value("colour")
                if tone:
                    other, share = words.TONES[tone]
                    colour = mix(colour, other, share) if other else saturate(colour, share)
                out.append(colour)
                tone = None
            elif item.has("tone"):
                tone = item.text
        if tone and self.tone_of(tone) is None and not out:
            self.request.unknown.append(tone)
        return out

    @staticmethod
    def tone_of(tone: str) -> str | None:
        """What a tone means without a colour beside it: ``dark``, ``light`` or nothing."""
        if tone in ("dark", "darker", "deep"):
            return "dark"
        return "light" if tone in ("light", "lighter", "pale", "washed", "faded") else None

    def _approximated(self, text: str) -> None:
        if text in words.APPROXIMATED:
            self.request.notes.append(f"{text}: drawn as {words.APPROXIMATED[text]}")

    def _leftover(self, items: list[_Item]) -> None:
        self.request.unknown += [item.text for item in items]


def _read_number(tokens: list[str]) -> tuple[float | None, int]:
    """A number in digits or words ("forty five") at the start of ``tokens``, and how many tokens it takes."""
    if not tokens:
        return None, 0
    if tokens[0][0].isdigit():
        return float(tokens[0]), 1
    if tokens[0] in words.NUMBERS:
        value = words.NUMBERS[tokens[0]]
        if value >= 20 and len(tokens) > 1 and words.NUMBERS.get(tokens[1], 99) < 10:
            return value + words.NUMBERS[tokens[1]], 2
        return value, 1
    return None, 0


def _check_age(years: float) -> tuple[int, int]:
    if years < 18:
        raise PromptRefused(f"an age of {years:g}: {_NOT_DRAWN['refuse minor']}")
    if years > 90:
        raise ValueError(f"an age of {years:g} is outside 18 to 90.")
    return int(years), int(years)

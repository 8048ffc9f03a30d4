"""Words to outfits and back: a small grammar over the vocabulary of fashion.

The text is cut into the longest phrases the vocabulary knows (``tokens``). Modifiers gather until a head comes (a garment, a person,
hair, eyes, skin, a backdrop) and attach to it; after "in", "with" or "of" they attach to what stood before ("a dress in navy with
white dots and long sleeves"; ``attachment``). What is not said, ``choose`` completes by the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from helpers import checks, propriety
from helpers.contract import SEED
from helpers.garment import CATEGORIES
from helpers.mannequin.outfit import Outfit, Piece
from helpers.mannequin.words.attachment import OF_GARMENT, WEAK, Attachment
from helpers.mannequin.words.choose import complete
from helpers.mannequin.words.describe import describe
from helpers.mannequin.words.lexicon import vocabulary
from helpers.mannequin.words.request import Request
from helpers.mannequin.words.tokens import Item, read_words, spoken, tokens
from helpers.mannequin.words.vocabulary import POSSESSIVES
from helpers.propriety import PromptRefused

__all__ = ["PromptRefused", "describe", "parse", "parse_piece", "read_words", "require_words", "vocabulary"]


def parse(text: str, seed: int = 0) -> Outfit:
    """The outfit that ``text`` describes; what it leaves open is chosen by ``seed`` (an integer from 0).

    Words that mean nothing here come back in ``Outfit.unknown``, free readings in ``Outfit.notes``. Raises ``PromptRefused`` for
    minors and undress, ``ValueError`` for an empty text and for wishes that contradict each other ("a long mini skirt").
    """
    return complete(_request(text, seed), int(seed))


def parse_piece(text: str, seed: int = 0) -> tuple[Piece, tuple[str, ...]]:
    """The one garment that ``text`` names ("a red and white checked shirt"), and the words not understood.

    Raises ``ValueError`` where the text names no garment or several, else as :func:`parse`.
    """
    request = _request(text, seed)
    if len(request.garments) != 1:
        named = ", ".join(f"'{wish.word}'" for wish in request.garments) or "none"
        raise ValueError(f"one garment is wanted, such as 'a red and white checked shirt'; {text!r} names {named}.")
    outfit = complete(request, int(seed))
    return next(piece for piece in outfit.pieces if piece.kind == request.garments[0].kind), outfit.unknown


def require_words(words: str | Sequence[str], category: str, name: str) -> None:
    """Check that ``words``, a text or a list of them, name garments of ``category``, before any is drawn.

    Raises ``ValueError`` naming the parameter ``name``, or ``category``.
    """
    checks.one_of(category, "category", CATEGORIES)
    listed = [words] if isinstance(words, str) else words
    if not isinstance(listed, list | tuple) or not listed or not all(isinstance(text, str) and text.strip() for text in listed):
        raise ValueError(
            f"{name}: words for at least one garment are wanted, such as 'a red t-shirt', not {checks.shown(words)}."
        )
    for text in listed:
        try:
            piece, _ = parse_piece(text, 0)
        except ValueError as error:
            raise type(error)(f"{name}: {error}") from None
        if piece.category != category:
            raise ValueError(
                f"category: {text!r} is of category {piece.category!r}, not {category!r}. "
                f"Set category={piece.category!r}, or name another garment in {name}."
            )


def _request(text: str, seed: int) -> Request:
    checks.words(text)
    SEED.check("seed", seed)
    propriety.judge(spoken(text))
    return _Reader().read(text)


@dataclass
class _Group:
    """Modifiers between two separators: ``opener`` is how it began ("" at the start, "a" after an article)."""

    opener: str
    items: list[Item] = field(default_factory=list)


class _Reader:
    """Reads one prompt into a ``Request``: groups of modifiers and their heads."""

    def __init__(self) -> None:
        self.request = Request()
        self.words = Attachment(self.request)
        self.carry: list[Item] = []  # modifiers of groups that wait for the head to come

    def read(self, text: str) -> Request:
        items, self.request.notes = tokens(text)
        group = _Group("")
        for position, item in enumerate(items):
            slot, value = item.readings[0]
            if slot == "separator":
                colours = bool(group.items) and all(i.has("colour", "tone") for i in group.items)
                if value == "and" and group.opener == "with" and colours:
                    continue  # "with blue and yellow flowers"
                self._close(group, value)
                group = _Group(value)
            elif slot == "determiner":
                group = self._determined(group, value)
            elif slot == "tuck":
                self.request.tucked = value
            elif slot == "uniform":
                self.request.uniform = True
            elif slot == "filler":
                self.words.approximated(item.text)
            elif (head := _head(item, items[position + 1 :])) is None:
                group.items.append(item)
            else:
                self.words.attach([*self.carry, *group.items], head, item)
                self.carry, group = [], _Group("after")
        self._close(group, "end")
        self.words.attach_back(self.carry)
        return self.request

    def _determined(self, group: _Group, word: str) -> _Group:
        """The group that goes on after an article or "her"."""
        if group.items:
            self._close(group, "a")
            group = _Group("a")
        elif group.opener not in ("with", "of", "featuring", "on", "against", "before"):
            group.opener = "a"
        if word in POSSESSIVES and "presentation" not in self.request.figure:
            self.request.figure["presentation"] = POSSESSIVES[word]
        return group

    def _close(self, group: _Group, closer: str) -> None:
        """A group ended without a head: hand it back, or keep it for the head to come."""
        items = group.items
        if not items:
            return
        if items[-1].foreign:  # the noun is foreign, so are its adjectives
            self.request.unknown.append(" ".join(item.text for item in items))
            return
        weak = any(item.has(*WEAK) for item in items)
        said_after = group.opener in ("with", "in", "of", "featuring", "after", "into")
        loose = group.opener == "," and closer in (",", "end", "in", "with", "a") and not self.carry
        joined = group.opener == "and" and weak and closer in (",", "end", "and", "with")
        if closer == "end" or ((said_after or loose or joined) and self.words.has_noun_before(items)):
            self.words.attach_back([*self.carry, *items], group.opener)
            self.carry = []
        else:
            self.carry += items


def _head(item: Item, rest: Sequence[Item]) -> str | None:
    """The head this item is before the ``rest``, or ``None`` where it modifies one: "a knit" is a sweater, "a knit dress" a dress."""
    if item.has("head"):
        return item.value("head")
    if item.has("person"):
        return "person"
    following = []
    for after in rest:
        if after.has("separator", "determiner"):
            break
        following.append(after)
    coming = any(after.has("garment") for after in following) or any(after.foreign for after in following[:1])
    if item.has("garment"):
        return None if coming and item.has(*OF_GARMENT) else "garment"
    if item.has("hair") and not coming and not any(after.has("head", "person") for after in following):
        return "hair"
    return None

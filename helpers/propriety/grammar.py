"""What is refused in words, and what is said of it: the phrases of ``words`` and the grammars of ``ages`` and ``undress``, put to a text.

Where a word has two senses the longest phrase that the tables know decides ("kid leather"), and else the grammar does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from helpers.propriety import ages, undress
from helpers.propriety import words as w
from helpers.propriety.fold import plain, readings, spaced, unmarked

MOST_CHARACTERS = 2000
"""The longest text that is judged."""
_REMEDY = {
    "minor": "only adults are drawn. Write for example 'a young woman' or 'a 25-year-old man'.",
    "undress": "figures are always dressed, in clothes one does not see through. Name garments, for example 'a crop top and mini "
    "skirt'; for the colour nude name what has it, as in 'nude heels'.",
}
_SHOWN = 60  # characters of what was found that a message repeats


class PromptRefused(ValueError):
    """The words ask for something that is not drawn: only adults, always dressed."""


def judge(text: str, name: str = "") -> None:
    """Raise ``PromptRefused``, saying which words and what to write instead, where ``text`` asks for a minor or the undressed.

    name: the parameter that the message begins with, where it is not the prompt itself
    The text is read as whoever meets it would: without accents, look-alikes and signs for letters, in English, German, French,
    Spanish, Italian, Portuguese, and, of this alone, in a dozen other languages. What is denied counts too ("not nude"), because
    networks draw what is named. Raises ``ValueError`` for more than ``MOST_CHARACTERS``.
    """
    _require_length(text, name)
    for found, kind in _faults(plain(text)):
        said = any(found in form for form in (plain(text), spaced(plain(text)), spaced(unmarked(plain(text)))))
        read = "" if said else ", as the text reads"
        raise PromptRefused(f"{f'{name}: ' if name else ''}'{found[:_SHOWN].strip(' ,')}'{read}: {_REMEDY[kind]}")


def judge_negative(text: str, name: str = "negative_prompt") -> None:
    """Raise ``PromptRefused`` where ``text``, which says what is kept out, would take clothes or years away; else as :func:`judge`."""
    _require_length(text, name)
    low = plain(text)
    table = dict.fromkeys(w.unmarked(w.PROTECTED), "protected")
    found = [word for word in w.PROTECTED_ANYWHERE if word in low]
    found += [phrase for reading in readings(unmarked(low)) for phrase, _ in _phrases(reading.split(" "), table)]
    if found:
        raise PromptRefused(f"{name}: '{found[0]}': figures are always adult and dressed. Take it out.")


def _require_length(text: str, name: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise ValueError(
            f"{name or 'the prompt'} has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read. "
            "Keep who it is and what is worn."
        )


def _faults(text: str) -> Iterator[tuple[str, str]]:
    """What is refused in ``text``, as found, and its kind."""
    bare = unmarked(text)
    for table, kind in ((w.MINORS_ANYWHERE, "minor"), (w.UNDRESSED_ANYWHERE, "undress")):
        yield from ((word, kind) for word in table if word in text or unmarked(word) in bare)
    yield from ((found, "minor") for found in ages.unspaced(text))
    yield from ((found, "undress") for found in undress.unspaced(text))
    yield from _phrases(spaced(text).split(" "), _meanings_by_accents())
    for reading in readings(bare):
        tokens = reading.split(" ")
        yield from _phrases(tokens, _meanings())
        yield from ((found, "minor") for found in ages.find(reading))
        yield from ((found, "undress") for found in undress.find(tokens, reading))


@cache
def _meanings() -> dict[str, str]:
    """Phrase -> its kind; empty for one that holds such words and is harmless."""
    table = dict.fromkeys(w.unmarked(w.MINORS), "minor") | dict.fromkeys(w.unmarked(w.UNDRESSED), "undress")
    return table | dict.fromkeys(w.unmarked(w.NOT_MINORS | w.NOT_UNDRESSED), "")


@cache
def _meanings_by_accents() -> dict[str, str]:
    table = {word[1:]: "minor" for word in w.MINORS if word.startswith("=")}
    return table | dict.fromkeys(map(spaced, w.NOT_MINORS), "")


@cache
def _longest() -> int:
    return max(phrase.count(" ") + 1 for phrase in _meanings())


def _phrases(tokens: Sequence[str], table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The phrases of ``table`` in ``tokens`` that have a kind, the longest at each place; single words in the plural too."""
    i = 0
    while i < len(tokens):
        for length in range(min(_longest(), len(tokens) - i), 0, -1):
            phrase = " ".join(tokens[i : i + length])
            one = phrase[:-1] if length == 1 and len(phrase) > 3 and phrase.endswith("s") else phrase
            kind = table.get(phrase, table.get(one))
            if kind is not None:
                if kind:
                    yield phrase, kind
                break
        i += length

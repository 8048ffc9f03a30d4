"""A text as its reader takes it: look-alikes of other alphabets, signs for letters, letters kept apart, doubled, starred, backwards.

Nothing is forbidden here. :func:`readings` gives every plain form that a text can be read in, for ``grammar`` to judge.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from helpers.propriety.signs import FAUX, LEET, NATURAL, NATURAL_BACKWARDS, STRONG

STAR = "*"
"""Stands for one letter that cannot be told."""

_TOKEN = re.compile(r"\d+(?:[.,/]\d+)*|[^\W\d_]+|[,;.!?()\[\]{}|\n<+]")
_WEIGHT = re.compile(r":\s*\d+(?:\.\d+)?\s*(?=[)\]])")  # "(a red dress:1.2)", as diffusion models are told what counts
_ABBREVIATED = re.compile(r"\by\s?[./]\s?o\b\.?")  # y/o, y.o.
_JAHRE = re.compile(r"(?<=\d)\s?j(?:hr?)?(?:\.|(?=\s?alt\b))")  # 14 J. alt
_SPLIT_AGE = re.compile(r"\b(1)\s+(?=\d\s*-?(?:y|yo|yrs?|years?|anos|ans|anni|jahre)\b)")  # "1 5 years"
_LETTER = r"[^\W\d_]"
_ONE = r"(?<![^\W_])[^\W_](?![^\W_])"
_APART = re.compile(rf"(?:{_ONE}(?:[^\w,;]|_){{1,3}}){{2,}}{_ONE}|(?:{_ONE}, ?){{2,}}{_ONE}")
_NAMED = re.compile(r"(?:.* )?(?:LATIN|INDICATOR SYMBOL) (?:.* )?([A-Z])(?: WITH .*)?")
_STARRED = re.compile(r"[a-z*#?%~^°•·●○]{4,}")
_SIGNED = re.compile(rf"[^\W_]*(?:{_LETTER}[\d@$!|+€£¢¡]|[\d@$!|+€£¢¡]{_LETTER})[\w@$!|+€£¢¡]*")
_STEMS = ("tee", "por", "min")  # words that a star after them emphasises
_MOST_PARTS = 4
_SHORTEST = 4  # letters of a word that is looked for behind signs


def plain(text: str) -> str:
    """``text`` without what is not seen, in lower case, marks of letters kept."""
    text = unicodedata.normalize("NFKC", html.unescape(text)).casefold()
    text = "".join(_seen(character) for character in text)
    return unicodedata.normalize("NFC", text)


def unmarked(text: str) -> str:
    """``text`` without accents and other combining marks."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if unicodedata.category(c) not in ("Mn", "Me")))


def spaced(text: str) -> str:
    """The words, numbers and commas of ``text`` with one space between; every mark that ends a clause is a comma."""
    text = _SPLIT_AGE.sub(r"\1", _JAHRE.sub(" jahre ", _ABBREVIATED.sub(" yo ", _WEIGHT.sub("", text))))
    return " ".join("," if token in ",;.!?()[]{}|\n" else token for token in _TOKEN.findall(text))


def readings(text: str) -> list[str]:
    """The forms of ``text`` (as :func:`plain` gives it, without marks), each in words with one space between, the plainest first."""
    forms = [text]
    if not text.isascii():
        forms.append("".join(map(_alike, text)))
    forms += [_unsigned(form, one) for form in forms if _SIGNED.search(form) for one in "il"]
    forms += [_closed(form) for form in forms if _APART.search(form)]
    found = [spaced(form) for form in forms]
    found += [" ".join(hidden) for form in forms if (hidden := list(_hidden(form)))]
    return list(dict.fromkeys(found))


def _seen(character: str) -> str:
    """``character``, a space for a control character, nothing for one that takes no room."""
    kind = unicodedata.category(character)
    if kind == "Cc":
        return "\n" if character == "\n" else " "
    if kind == "Cf" or character in "\u115f\u1160\u3164\uffa0\u2800\u034f":
        tag = ord(character) - 0xE0000
        return chr(tag).lower() if 0x20 < tag < 0x7F else ""
    digit = unicodedata.digit(character, None)
    return character if digit is None else str(digit)


@cache
def _look_alikes() -> dict[str, list[dict[str, str]]]:
    from confusable_homoglyphs.confusables import (
        confusables_data,  # a table of a megabyte, read where a text is not plain ASCII
    )

    return confusables_data


@cache
def _alike(character: str) -> str:
    """The letter from a to z that ``character`` looks like; a star for a letter like none that is used between them."""
    if character.isascii():
        return character
    named = _NAMED.fullmatch(unicodedata.name(character, ""))
    if named:
        return named[1].lower()
    if character in FAUX:
        return FAUX[character]
    alike = [same["c"].lower() for same in _look_alikes().get(character, ()) if same["c"].isascii()]
    if alike and alike[0].isalpha():
        return alike[0]
    return STAR if unicodedata.category(character) in ("Ll", "Lo", "So", "Sm") and ord(character) < 0x3000 else character


def _unsigned(text: str, one: str) -> str:
    """Signs and digits within words as the letters they stand for; ``one``: what a 1 is."""
    return _SIGNED.sub(lambda word: _lettered(word[0], one), text)


def _lettered(word: str, one: str) -> str:
    for sign, letter in {**LEET, "1": one, "!": one, "|": one}.items():
        word = word.replace(sign, letter)
    return word


def _closed(text: str) -> str:
    """Letters kept apart as one word, set off from letters beside it that belong to others: "a n u d e"."""

    def joined(found: re.Match[str]) -> str:
        word = re.sub(r"[^\w]|_", "", found[0])
        if sum(c.isalpha() for c in word) < 2:
            return found[0]
        return _strong().sub(r" \g<0> ", _lettered(word, "i"))

    return _APART.sub(joined, text)


@cache
def _strong() -> re.Pattern[str]:
    return re.compile("|".join(sorted(STRONG, key=len, reverse=True)))


@cache
def _drawn_out() -> re.Pattern[str]:
    """A word of ``STRONG`` with any of its letters repeated, never fewer than it has."""
    runs = (re.sub(r"(.)\1*", lambda run: f"{run[1]}{{{len(run[0])},}}", word) for word in STRONG)
    return re.compile("|".join(sorted(runs, key=len, reverse=True)))


@cache
def _compound() -> re.Pattern[str]:
    """A word of ``STRONG`` written together with a person."""
    strong, person = "|".join(STRONG), "wom[ae]n|m[ae]n|lady|ladies|girls?|boys?|model|female|male|body|person|guy"
    return re.compile(f"({strong})({person})|({person})({strong})")


def _hidden(text: str) -> Iterator[str]:
    """Words of ``STRONG`` that ``text`` holds in pieces, drawn out, starred or backwards."""
    for starred in _STARRED.findall(text):
        letters = sum(c.isalpha() for c in starred)
        bare = starred.strip("*#?%~^°•·●○")
        for word in (starred, bare):
            if (
                bare not in (*STRONG, *_STEMS)
                and not word.isalpha()
                and len(word) >= _SHORTEST
                and letters >= 2
                and 2 * letters >= len(word)
            ):
                pattern = re.compile(re.sub(r"[^a-z]", ".", word))
                yield from (strong for strong in STRONG if pattern.fullmatch(strong))
    words = spaced(text).replace(", ", "").split(" ")
    for start, first in enumerate(words):
        if first in STRONG:
            continue
        if compound := _compound().fullmatch(first):
            yield " ".join(filter(None, compound.groups()))
        if drawn := _drawn_out().fullmatch(first):
            yield next(w for w in STRONG if re.sub(r"(.)\1*", r"\1", w) == re.sub(r"(.)\1*", r"\1", drawn[0]))
        if first[::-1] in STRONG and first not in NATURAL_BACKWARDS:
            yield first[::-1]
        whole = first
        for end in range(start + 1, min(start + _MOST_PARTS, len(words))):
            whole += words[end]
            if whole in STRONG and tuple(words[start : end + 1]) not in NATURAL:
                yield whole

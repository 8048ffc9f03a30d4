"""The vocabulary as one table of phrases and their readings, for the prompt's grammar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from helpers.mannequin.words import vocabulary as words


def _build() -> dict[tuple[str, ...], list[tuple[str, object]]]:
    """Phrase -> its readings (slot, value), the preferred one first."""
    table: dict[tuple[str, ...], list] = defaultdict(list)

    def add(slot: str, entries: Mapping[str, Any] | Iterable[str]) -> None:
        for phrase, value in entries.items() if isinstance(entries, Mapping) else ((p, p) for p in entries):
            table[tuple(phrase.split())].append((slot, value))

    add("garment", words.GARMENTS)
    add("colour", words.COLOURS)
    add("colour", {name: words.COLOURS.get(same, words.COLOURS["beige"]) for name, same in words.COLOUR_SYNONYMS.items()})
    add("pattern", words.PATTERNS)
    add("weave", words.WEAVES)
    add("length", words.LENGTHS)
    add("sleeve", words.SLEEVES)
    for phrase, value in words.NECKLINES.items():
        for ending in ("neck", "necked", "neckline"):
            add("neckline", {f"{phrase} {ending}": value})
    add("neckline", {**words.NECKLINE_NOUNS, "turtleneck": "turtle", "turtlenecked": "turtle", "mock neck": "turtle"})
    add("fit", words.FITS)
    add("hair", {phrase: words.HAIR_WORDS[phrase] for phrase in words.HAIR_ALONE})
    add("hairword", {phrase: value for phrase, value in words.HAIR_WORDS.items() if phrase not in words.HAIR_ALONE})
    add("height", words.HEIGHTS)
    add("length", {"long": "long", "short": "short", "full": "full"})
    add("build", words.BUILDS)
    add("age", words.AGES)
    add("pose", words.POSES)
    add("framing", {name: value for name, value in words.FRAMINGS.items() if name != "full length"})
    add("skin", {**words.SKINS, **{name: words.SKINS[same] for name, same in words.SKIN_SYNONYMS.items()}})
    add("haircolour", words.HAIR_COLOURS)
    add("haircolour", {name: words.HAIR_COLOURS[same] for name, same in words.HAIR_COLOUR_SYNONYMS.items()})
    add("eyecolour", words.EYE_COLOURS)
    add("eyecolour", {name: words.EYE_COLOURS[same] for name, same in words.EYE_COLOUR_SYNONYMS.items()})
    add("tone", words.TONES)
    add("person", words.PEOPLE)
    add("head", dict.fromkeys(("hair", "haired", "locks", "eyebrows", "brows"), "hair"))
    add("head", dict.fromkeys(("eyes", "eyed"), "eyes"))
    add("head", dict.fromkeys(("skin", "skinned", "complexion", "skin tone"), "skin"))
    add("head", dict.fromkeys(words.BACKDROPS, "backdrop"))
    add("head", dict.fromkeys(("trim", "trims", "piping", "soles", "sole", "stitching", "buttons", "laces", "accents"), "trim"))
    add("barefoot", ("barefoot", "barefooted", "bare feet", "no shoes", "without shoes"))
    add("tuck", words.TUCKS)
    add("uniform", ("all", "matching", "all over", "head to toe in"))
    add("filler", words.FILLERS)
    for group in (
        "and",
        "with",
        "in",
        "of",
        "on",
        "over",
        "under",
        "into",
        "against",
        "beneath",
        "above",
        "featuring",
        "before",
    ):
        table[(group,)] = [("separator", group)]
    for group in ("a", "an", "her", "his", "their"):
        table[(group,)] = [("determiner", group)]
    return dict(table)


LEXICON = _build()
"""Phrase as a tuple of words -> readings (slot, value), the preferred one first."""
LONGEST = max(map(len, LEXICON))


def vocabulary() -> dict[str, tuple[str, ...]]:
    """Every word the prompt understands, by what it speaks of."""
    necklines = [f"{word} neck" for word in words.NECKLINES] + list(words.NECKLINE_NOUNS)
    return {
        "garments": tuple(words.GARMENTS),
        "colours": (*words.COLOURS, *words.COLOUR_SYNONYMS, "#rrggbb"),
        "tones": tuple(words.TONES),
        "patterns": tuple(words.PATTERNS),
        "fabrics": tuple(words.WEAVES),
        "tucked in": tuple(words.TUCKS),
        "lengths": tuple(words.LENGTHS),
        "sleeves": tuple(words.SLEEVES),
        "necklines": tuple(necklines),
        "fits": tuple(words.FITS),
        "people": tuple(words.PEOPLE),
        "ages": (*words.AGES, *words.DECADES, "45-year-old"),
        "builds": tuple(words.BUILDS),
        "heights": (*words.HEIGHTS, "1.75 m tall"),
        "skin": (*words.SKINS, *words.SKIN_SYNONYMS),
        "hair": tuple(words.HAIR_WORDS),
        "hair colours": (*words.HAIR_COLOURS, *words.HAIR_COLOUR_SYNONYMS),
        "eyes": (*words.EYE_COLOURS, *words.EYE_COLOUR_SYNONYMS),
        "poses": tuple(words.POSES),
        "framings": tuple(words.FRAMINGS),
        "backdrops": words.BACKDROPS,
    }

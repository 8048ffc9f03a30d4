"""The wardrobe's records: whole, agreeing with each other, and every kind in every cut can be asked for and described."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import helpers.mannequin
from helpers.garment import CATEGORIES
from helpers.labels import CIHP, LIP
from helpers.mannequin import outfit as o
from helpers.mannequin.cloth.patterns import NECKLINES, SLEEVE_ENDS
from helpers.mannequin.cloth.sewing import CUTS
from helpers.mannequin.fabric.weave import weave_map
from helpers.mannequin.fabrics import PATTERNS, WEAVES
from helpers.mannequin.garments import KINDS, OPEN, SHOES
from helpers.mannequin.kinds import COLD, MILD, WARM, Chance, Kind, share
from helpers.mannequin.words import vocabulary as words
from helpers.mannequin.words.prompt import describe, parse

CLOTHES = [kind for kind in KINDS.values() if kind.category != "shoes"]


@pytest.mark.parametrize("kind", CLOTHES, ids=lambda kind: kind.name)
def test_a_record_is_whole(kind: Kind):
    assert kind.category in CATEGORIES
    assert kind.label in (*CIHP, *LIP)
    assert kind.cut in CUTS
    assert kind.words[kind.name.replace("-", " ")] == {}, "it is described by its name alone"
    assert set(kind.approximated) <= set(kind.words)
    assert set(kind.lengths) <= set(o.LENGTHS)
    assert set(kind.sleeves) <= set(o.SLEEVES)
    assert set(kind.high_sleeves) <= set(kind.sleeves)
    assert set(kind.necklines) <= set(o.NECKLINES)
    assert set(kind.fits) <= set(o.FITS)
    assert kind.printed is None or kind.printed in kind.necklines
    assert set(kind.said_lengths.values()) <= set(kind.lengths) or kind.category == "upper" or kind.style.skirt
    assert kind.lengths, "every garment ends somewhere"
    assert all(WEAVES[weave] for day in kind.weaves for weave in day)
    assert all(name.startswith("#") or name in words.COLOURS for name in kind.colours)
    assert kind.colours
    assert {*kind.patterns, *kind.patterns_named, kind.stripes} <= set(PATTERNS)
    assert bool(kind.over) == kind.open, "what is open in front says what it is worn over"
    others = {*kind.over, *kind.beside, *(name for reading in kind.readings for name in reading.kinds)}
    assert others <= set(KINDS)
    usual = {"length": kind.style.length, "sleeve": kind.style.sleeve, "neckline": kind.style.neckline}
    assert all(usual[slot] in values for slot, values in kind.allowed.items()), "what it is cut to where nothing is said"


def test_a_word_means_one_garment():
    named = Counter(word for kind in KINDS.values() for word in kind.words)
    named.update(word for shoe in SHOES.values() for word in shoe.words)
    named.update(list(OPEN))
    assert [word for word, count in named.items() if count > 1] == []


def test_open_words_always_come_to_a_kind():
    for record in OPEN.values():
        assert not record.readings[-1].said
        for reading in record.readings:
            assert {KINDS[name].category for name in reading.kinds} == {record.category}


def test_cloth_is_known_by_its_records():
    for weave in WEAVES.values():
        assert weave_map(weave.name, 0.0004).shape[2] == 3
        assert all(name.startswith("#") or name in words.COLOURS for name in weave.colours)
        assert set(weave.patterns) <= set(PATTERNS)
    for pattern in PATTERNS.values():
        assert set(pattern.accents) <= set(words.COLOURS)


def test_a_chance_depends_on_day_and_wearer():
    chance = Chance(3, cold=1, man=0)
    assert [share(chance, day, "woman") for day in (COLD, MILD, WARM)] == [1, 3, 3]
    assert share(chance, COLD, "man") == 0
    assert share(2.5, WARM, "man") == 2.5


def test_nothing_asks_for_a_kind_by_its_name():
    names = set(KINDS) - {kind.category for kind in KINDS.values()}
    for file in Path(helpers.mannequin.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Compare):
                asked = {leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant)} & names
                assert not asked, f"{file.name}:{node.lineno} compares with {asked}; ask the record instead"


def cuts(kind: Kind):
    """The kind as it is cut usually, and with one slot after the other at each of its values."""
    usual = {slot: values[0] for slot, values in kind.allowed.items()}
    yield usual
    for slot, values in kind.allowed.items():
        for value in values[1:]:
            other = {**usual, slot: value}
            if other.get("sleeve") == "strap":
                other["neckline"] = next(n for n in kind.necklines if n not in ("crew", "boat", "turtle", "collar"))
            yield other


@pytest.mark.parametrize("kind", CLOTHES, ids=lambda kind: kind.name)
def test_every_cut_is_described_and_read_back(kind: Kind):
    drawn = replace(parse(f"a woman in a {kind.name}", 0), notes=())
    for slots in cuts(kind):
        pieces = tuple(replace(piece, **slots) if piece.kind == kind.name else piece for piece in drawn.pieces)
        wanted = replace(drawn, pieces=pieces)
        assert parse(describe(wanted), 1) == wanted, describe(wanted)
        assert {slots.get("sleeve", "none")} <= {"none", "strap", *SLEEVE_ENDS}
        assert slots.get("neckline", "crew") in NECKLINES


@pytest.mark.parametrize("kind", CLOTHES, ids=lambda kind: kind.name)
def test_every_word_names_its_garment(kind: Kind):
    for word, said in kind.words.items():
        outfit = parse(f"a {word}", 3)
        piece = next(piece for piece in outfit.pieces if piece.kind == kind.name)
        assert outfit.unknown == ()
        assert any(note.startswith(word) for note in outfit.notes) == (word in kind.approximated)
        slots = {slot: value for slot, value in said.items() if slot in ("length", "sleeve", "neckline", "fit")}
        assert {slot: getattr(piece, slot) for slot in slots} == slots

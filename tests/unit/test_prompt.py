"""Words to outfits: attachment of modifiers, choices by the seed, refusals, and the round trip through ``describe``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.mannequin import outfit as o
from helpers.mannequin.colours import lab
from helpers.mannequin.garments import KINDS
from helpers.mannequin.words import vocabulary as words
from helpers.mannequin.words.prompt import PromptRefused, describe, parse, parse_piece, read_words, vocabulary


def garments(outfit: o.Outfit) -> dict[str, o.Piece]:
    return {piece.kind: piece for piece in outfit.pieces}


def colour(name: str) -> str:
    return words.COLOURS[name]


@pytest.mark.parametrize("seed", range(5))
def test_crop_top_and_mini_skirt_stands_alone(seed):
    outfit = parse("a crop top and mini skirt", seed)
    assert [p.kind for p in outfit.pieces] == ["mini skirt", "crop top", "shoes"]
    assert outfit.unknown == ()


def test_adjectives_attach_to_their_garment():
    worn = garments(parse("a white linen shirt tucked into dark blue slim jeans with brown loafers", 1))
    assert worn["shirt"].fabric.colour == colour("white")
    assert worn["shirt"].fabric.weave == "linen"
    assert worn["jeans"].fabric.colour == colour("dark blue")
    assert worn["jeans"].fit == "slim"
    assert worn["jeans"].fabric.weave == "denim"
    assert (worn["shoes"].style, worn["shoes"].fabric.colour) == ("loafers", colour("brown"))


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("a navy and white striped tee", "t-shirt", ("stripes", colour("navy"), colour("white"))),
        ("jeans and a navy and white striped tee", "t-shirt", ("stripes", colour("navy"), colour("white"))),
        ("a red dress with white dots", "dress", ("dots", colour("red"), colour("white"))),
        ("a dress in navy with white polka dots and long sleeves", "dress", ("dots", colour("navy"), colour("white"))),
        ("black and white gingham mini skirt", "mini skirt", ("gingham", colour("black"), colour("white"))),
        ("#ff8800 frock with a floral print", "dress", ("floral", "#ff8800", None)),
        ("a plaid shirt in red and black with jeans", "shirt", ("tartan", colour("red"), colour("black"))),
        ("a white dress with blue and yellow flowers", "dress", ("floral", colour("white"), colour("blue"))),
        ("a blue and white striped shirt", "shirt", ("vertical stripes", colour("blue"), colour("white"))),
        ("charcoal pinstriped trousers", "trousers", ("pinstripes", colour("charcoal"), None)),
    ],
)
def test_patterns_and_second_colours(text, kind, expected):
    fabric = garments(parse(text, 4))[kind].fabric
    assert (fabric.pattern, fabric.colour) == expected[:2]
    assert expected[2] in (None, fabric.accent)


def test_the_figure_is_read():
    figure = parse(
        "a tall curvy woman in her sixties with dark skin, short curly grey hair and green eyes, hand on hip, in a sundress", 0
    ).figure
    assert (figure.presentation, figure.build, figure.pose) == ("woman", "curvy", "hand on hip")
    assert 60 <= figure.age <= 69
    assert figure.height > 1.7
    assert figure.skin == words.SKINS["dark"]
    assert (figure.hair, figure.hair_colour) == ("curly", words.HAIR_COLOURS["grey"])
    assert figure.eyes == words.EYE_COLOURS["green"]


@pytest.mark.parametrize("text", ["a 45-year-old man", "a man aged 45", "forty-five year old man", "man, 45 years old"])
def test_ages_in_figures_and_words(text):
    assert parse(text, 2).figure.age == 45


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("in her late thirties", ("age", (37, 39))),
        ("in the early 40s", ("age", (40, 43))),
        ("60s", ("age", (60, 69))),
        ("in his eighties", ("age", (80, 89))),
        ("twenty two years old", ("age", (22, 22))),
        ("1.75 m", ("metres", 1.75)),
        ("178 cm", ("metres", 1.78)),
        ("5 ft 10 in", ("metres", 1.78)),
        ("six feet", ("metres", 1.83)),
        ("face 7", ("face", 7)),
        ("every 3 cm", ("repeat", 0.03)),
    ],
)
def test_numbers_are_read_with_what_they_measure(text, reading):
    assert read_words(text) == [reading]


@pytest.mark.parametrize("text", ["a woman 1.2 m tall", "a man aged 91", "a 17-year-old in jeans"])
def test_numbers_that_no_adult_has_are_errors(text):
    with pytest.raises(ValueError, match=r"1\.2 m|91|17"):
        parse(text, 0)


def test_backdrop_and_framing_are_no_garments():
    outfit = parse("upper body of a man in a blue shirt on a light green background", 3)
    assert (outfit.backdrop, outfit.framing) == (colour("light green"), "upper")
    assert garments(outfit)["shirt"].fabric.colour == colour("blue")


@pytest.mark.parametrize(
    ("text", "kind", "slots"),
    [
        ("a v-neck tee", "t-shirt", {"neckline": "v"}),
        ("black turtleneck", "sweater", {"neckline": "turtle", "sleeve": "long"}),
        ("a turtleneck dress", "dress", {"neckline": "turtle"}),
        ("long-sleeved t-shirt with a boat neck", "long-sleeve", {"neckline": "boat"}),
        ("short-sleeved button-down", "shirt", {"sleeve": "short", "neckline": "collar"}),
        (
            "a long dress with a square neckline and straps",
            "dress",
            {"length": "ankle", "neckline": "square", "sleeve": "strap"},
        ),
        ("knee-length skirt", "a-line skirt", {"length": "knee"}),
        ("oversized jumper", "sweater", {"fit": "oversized"}),
        ("relaxed jeans", "jeans", {"fit": "loose"}),
        ("baggy cropped chinos", "trousers", {"fit": "loose", "length": "cropped"}),
        ("white trainers and shorts", "shoes", {"style": "sneakers"}),
        ("camisole", "camisole", {"sleeve": "strap"}),
        ("a long coat", "coat", {"length": "midi"}),
        ("wide-leg trousers", "wide-leg trousers", {"length": "full"}),
        ("cropped leggings", "leggings", {"length": "cropped"}),
        ("a polo", "polo shirt", {"sleeve": "short", "neckline": "collar"}),
    ],
)
def test_cuts(text, kind, slots):
    piece = garments(parse(text, 7))[kind]
    assert {slot: getattr(piece, slot) for slot in slots} == slots


def test_foreign_words_are_listed_with_their_adjectives():
    outfit = parse("a red scarf, a glorbic tee and blue trowsers", 0)
    assert outfit.unknown == ("red scarf", "glorbic", "blue trowsers")
    assert any("trousers" in note for note in outfit.notes)
    assert garments(outfit)["t-shirt"].fabric.colour != colour("red")


@pytest.mark.parametrize(
    "text",
    [
        "a girl in jeans",
        "15-year-old",
        "teenagers",
        "a boy",
        "a schoolgirl skirt",
        "woman aged 17",
        "in her teens",
        "a child's tee",
    ],
)
def test_minors_are_refused(text):
    with pytest.raises(PromptRefused, match="only adults"):
        parse(text, 0)


@pytest.mark.parametrize(
    "text",
    [
        "nude woman",
        "a topless man",
        "a see-through blouse",
        "sheer top",
        "in lingerie",
        "wearing nothing",
        "woman without a shirt",
        "no dress",
    ],
)
def test_undress_is_refused(text):
    with pytest.raises(PromptRefused, match="always dressed"):
        parse(text, 0)


def test_words_that_only_look_like_refusals_pass():
    worn = garments(parse("boyfriend jeans and a baby blue tee", 0))
    assert worn["jeans"].fit == "oversized"
    assert worn["t-shirt"].fabric.colour == colour("baby blue")


@pytest.mark.parametrize(
    "text",
    ["a long mini skirt", "a dress and a skirt", "two dresses, a dress and a frock", "a man and a woman", "shorts and jeans",
     "striped floral tee", "barefoot in boots", "a long-sleeved sleeveless dress", "", "   ", 7, None],
)  # fmt: skip
def test_contradictions_and_non_texts_are_errors(text):
    with pytest.raises(ValueError):  # noqa: PT011 - each has a message of its own
        parse(text, 0)


@pytest.mark.parametrize("seed", [-1, 0.5, "1", True])
def test_seed_is_checked(seed):
    with pytest.raises(ValueError, match="seed"):
        parse("a tee", seed)


def test_every_outfit_is_whole_and_allowed():
    for seed in range(120):
        outfit = parse("a person", seed)
        kinds = [p.category for p in outfit.pieces]
        assert "shoes" in kinds
        assert "dress" in kinds or {"upper", "lower"} <= set(kinds)
        assert 18 <= outfit.figure.age <= 90
        for piece in outfit.pieces:
            for slot, values in KINDS[piece.kind].allowed.items():
                assert getattr(piece, slot) in values, (piece.kind, slot)
            assert piece.fabric.pattern in o.PATTERNS
            assert piece.fabric.weave in o.WEAVES


def test_same_seed_same_outfit_and_seeds_differ():
    assert parse("a woman", 5) == parse("a woman", 5)
    assert len({parse("a woman", seed).pieces for seed in range(20)}) > 15


def test_another_colour_keeps_the_person():
    assert parse("a red tee", 9).figure == parse("a green tee", 9).figure


def test_chosen_colours_keep_apart():
    for seed in range(60):
        upper, lower = (p.fabric.colour for p in parse("a tee and trousers", seed).pieces[:2])
        assert np.linalg.norm(lab(upper) - lab(lower)) > 8


def random_outfit(rng: np.random.Generator) -> o.Outfit:
    def pick(values):
        return values[int(rng.integers(len(values)))]

    def colour_():
        return pick([*words.COLOURS.values(), f"#{rng.integers(1 << 24):06x}"])

    def piece(kind):
        slots = {slot: pick(values) for slot, values in KINDS[kind].allowed.items()}
        if slots.get("sleeve") == "strap":
            slots["neckline"] = "square"
        pattern = pick(o.PATTERNS)
        image = Path("Prints/My logo.png") if pattern == "print" and rng.random() < 0.5 else None
        fabric = o.Fabric(colour_(), pattern, colour_(), float(rng.integers(5, 200)) / 1000, pick(o.WEAVES), image)
        return o.Piece(kind, fabric, fit="regular" if kind == "shoes" else pick(o.FITS), **slots)

    uppers = [k for k, c in o.GARMENTS.items() if c == "upper" and not KINDS[k].open]
    outers = [k for k in o.GARMENTS if KINDS[k].open]
    lowers = [k for k, c in o.GARMENTS.items() if c == "lower"]
    kinds = ["dress"] if rng.random() < 0.3 else [pick(lowers), pick(uppers)][:: int(rng.choice([-1, 1]))]
    kinds += [pick(outers)] if rng.random() < 0.3 else []
    figure = o.Figure(
        pick(o.PRESENTATIONS), int(rng.integers(18, 91)), pick(o.BUILDS), float(rng.integers(145, 205)) / 100,
        pick([*words.SKINS.values(), "#a07050"]), pick(o.HAIRSTYLES), pick([*words.HAIR_COLOURS.values(), "#44aacc"]),
        pick([*words.EYE_COLOURS.values(), "#445566"]), pick(o.POSES), int(rng.integers(1000)),
    )  # fmt: skip
    pieces = [piece(kind) for kind in kinds] + ([piece("shoes")] if rng.random() < 0.8 else [])
    return o.Outfit(figure, tuple(pieces), colour_(), pick(o.FRAMINGS))


def test_describe_reads_back_as_the_same_outfit():
    rng = np.random.default_rng(0)
    for seed in range(150):
        for outfit in (replace(parse("someone", seed), unknown=(), notes=()), random_outfit(rng)):
            assert parse(describe(outfit), seed + 1) == outfit, describe(outfit)


def test_dark_and_light_alone_leave_the_colour_to_the_seed():
    for seed in range(6):
        worn = garments(parse("dark jeans and a light shirt", seed))
        assert lab(worn["jeans"].fabric.colour)[0] < 38
        assert lab(worn["shirt"].fabric.colour)[0] > 58


def test_in_a_colour_dresses_the_figure():
    assert garments(parse("a man in red", 1))["t-shirt"].fabric.colour == colour("red")
    black = parse("a woman in all black", 1)
    assert {piece.fabric.colour for piece in black.pieces} == {colour("black")}
    matched = parse("a crop top and a mini skirt in matching red tartan", 3).pieces[:2]
    assert {(p.fabric.colour, p.fabric.pattern) for p in matched} == {(colour("red"), "tartan")}


def test_details_in_another_colour_are_the_trim():
    fabric = garments(parse("a red shirt with a white collar", 0))["shirt"].fabric
    assert (fabric.colour, fabric.accent) == (colour("red"), colour("white"))


@pytest.mark.parametrize(("text", "height"), [("a 5'7\" man", 1.70), ("a man, 6 ft tall", 1.83), ("a 1.75 m tall woman", 1.75)])
def test_heights(text, height):
    outfit = parse(text, 0)
    assert outfit.figure.height == pytest.approx(height, abs=0.006)
    assert outfit.unknown == ()


def test_foreign_garments_take_their_cloth_with_them():
    outfit = parse("a denim apron over a white dress", 0)
    assert outfit.unknown == ("denim apron",)
    assert [p.kind for p in outfit.pieces] == ["dress", "shoes"]


def test_free_readings_are_noted():
    notes = parse("a corduroy henley and navy and white chinos", 0).notes
    for word in ("corduroy", "henley", "chinos"):
        assert any(note.startswith(f"{word}:") for note in notes), word
    assert parse("a navy tee and jeans", 0).notes == ()


def test_a_tucked_top_comes_before_what_it_is_tucked_into():
    for seed in range(8):
        assert [p.kind for p in parse("a shirt tucked into jeans", seed).pieces][:2] == ["shirt", "jeans"]
        assert [p.kind for p in parse("an untucked shirt and jeans", seed).pieces][:2] == ["jeans", "shirt"]
        layers = [p.kind for p in parse("a sweater over a shirt, tucked into a skirt", seed).pieces]
        assert (layers[0], layers[2]) == ("shirt", "sweater")
    assert len({parse("a white shirt and chinos", seed).pieces[0].kind for seed in range(20)}) == 2


def test_what_is_open_in_front_goes_over_a_top():
    for seed in range(12):
        worn = [p.kind for p in parse("a camel coat and jeans", seed).pieces if p.category == "upper"]
        assert len(worn) == 2, "nobody is bare under it"
        assert worn[1] == "coat"
        assert worn[0] in KINDS["coat"].over
    assert [p.kind for p in parse("a blazer over a white tee, and jeans", 1).pieces if p.category == "upper"] == [
        "t-shirt",
        "blazer",
    ]
    assert [p.kind for p in parse("a red dress and a cardigan", 1).pieces][:2] == ["dress", "cardigan"]
    layers = [p.kind for p in parse("a coat over a sweater over a shirt", 3).pieces if p.category == "upper"]
    assert layers == ["shirt", "sweater", "coat"]
    with pytest.raises(ValueError, match="'blazer' and 'coat'"):
        parse("a blazer and a coat", 0)


def test_one_piece_by_itself():
    piece, unknown = parse_piece("a red and white checked shirt with glorbs", 2)
    assert (piece.kind, piece.fabric.pattern, piece.fabric.colour) == ("shirt", "checks", colour("red"))
    assert unknown == ("glorbs",)
    assert parse_piece("a skirt", 1)[0].category == "lower"
    for text in ("a tee and jeans", "a woman", ""):
        with pytest.raises(ValueError, match=r"garment|prompt"):
            parse_piece(text, 0)


def test_outfit_survives_json():
    outfit = parse('a tee with "logo.png" and a blorb', 3)
    assert o.Outfit.from_dict(outfit.to_dict()) == outfit
    assert garments(outfit)["t-shirt"].fabric.image == Path("logo.png")


def test_every_word_of_the_vocabulary_is_understood():
    table = vocabulary()
    for group, template in {
        "garments": "a {}", "colours": "a {} tee", "patterns": "a {} tee", "fabrics": "a {} tee", "fits": "a {} tee",
        "people": "a {} in jeans", "builds": "a {} woman", "poses": "woman, {}, in a tee", "framings": "woman in a tee, {}",
        "skin": "a woman with {} skin", "hair colours": "a woman with {} hair", "eyes": "a woman with {} eyes",
        "hair": "a woman with {} hair", "heights": "a {} woman", "ages": "a {} woman", "backdrops": "a tee, grey {}",
    }.items():  # fmt: skip
        for word in table[group]:
            text = template.format("in her " + word if word in words.DECADES else word).replace("a in her", "woman in her")
            if word != "#rrggbb" and not (group == "ages" and word in words.PEOPLE):
                assert parse(text, 0).unknown == (), text

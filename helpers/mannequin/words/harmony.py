"""Colours that go together, and cloth for each garment: what the words leave open, by harmony with what they say."""

from __future__ import annotations

import numpy as np

from helpers.mannequin import outfit as o
from helpers.mannequin.colours import lab
from helpers.mannequin.words import vocabulary as words
from helpers.mannequin.words.request import Chooser, Request, Wish

_BASE_COLOURS = {
    "lower": "navy charcoal black beige camel khaki olive white stone brown sage dark_grey denim_blue rust burgundy dark_green cream",
    "upper": "white off_white cream light_blue navy black heather_grey sage dusty_pink burgundy rust mustard olive teal camel lilac "
    "forest_green coral chambray ivory charcoal terracotta powder_blue",
    "dress": "navy black emerald burgundy terracotta sage dusty_pink white light_blue rust teal red mustard lilac cream forest_green",
    "shoes": "white black brown tan cognac off_white navy grey chocolate beige",
}
_DENIM = ("#32486f", "#3d5a88", "#26344f", "#5b7ba5", "#1f2a40", "#87a3c2", "#2b2d33")


def _harmony(candidate: str, others: list[str]) -> float:
    """How well a colour goes with those already chosen: hue kinship or opposition, contrast in lightness, one loud voice at most."""
    score, (light, a, b) = 0.0, lab(candidate)
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))
    for other in others:
        other_light, other_a, other_b = lab(other)
        other_chroma = np.hypot(other_a, other_b)
        gap = abs(light - other_light)
        score += min(gap, 45) / 30
        if np.linalg.norm([light - other_light, a - other_a, b - other_b]) < 14:
            score -= 1.5  # nearly the same, as if a suit had faded
        if chroma > 12 and other_chroma > 12:
            turn = abs((hue - np.degrees(np.arctan2(other_b, other_a)) + 180) % 360 - 180)
            score += 0.6 if turn < 40 or turn > 150 else -1.4
            score -= max(0.0, min(chroma, other_chroma) - 35) / 12
        else:
            score += 0.7  # a neutral beside anything
    return score / max(len(others), 1)


def palette(wishes: list[Wish], chooser: Chooser) -> list[str]:
    """A colour for each garment: what was said, the rest by harmony with it."""
    colours = [wish.colours[0] if wish.colours else None for wish in wishes]
    order = sorted(range(len(wishes)), key=lambda i: (wishes[i].kind == "shoes", i))
    for i in order:
        if colours[i] is not None:
            continue
        wish = wishes[i]
        category = o.GARMENTS[wish.kind]
        if wish.weave == "denim":
            options = list(_DENIM)
        elif wish.weave == "leather" and category != "shoes":
            options = [words.COLOURS[name] for name in ("black", "chocolate", "cognac", "burgundy")]
        elif category == "shoes" and wish.style == "sneakers":
            options = [words.COLOURS[name] for name in ("white", "white", "off white", "black", "navy", "grey")]
        elif category == "shoes" and wish.style in ("boots", "loafers"):
            options = [words.COLOURS[name] for name in ("black", "black", "brown", "chocolate", "cognac", "tan")]
        else:
            options = [words.COLOURS[name.replace("_", " ")] for name in _BASE_COLOURS[category].split()]
        if wish.tone:
            light = {option: lab(option)[0] for option in options}
            wanted = [c for c in options if (light[c] < 38 if wish.tone == "dark" else light[c] > 58)]
            options = wanted or [min(options, key=light.get) if wish.tone == "dark" else max(options, key=light.get)]
        said = [c for c in colours if c is not None]
        scores = np.array([_harmony(option, said) for option in options])
        if category in ("upper", "dress"):  # beside so many neutrals a colour is welcome
            scores += [0.35 * (np.hypot(*lab(option)[1:]) > 14) for option in options]
        if category == "shoes":  # shoes may repeat a colour
            scores = np.array([max(_harmony(option, said), 0.8 if option in said else -9) for option in options])
        colours[i] = chooser.pick(f"colour {category} {wish.kind}", options, np.exp(2.2 * (scores - scores.max())))
    return colours


_REPEATS = {
    "stripes": (0.024, 0.03, 0.036, 0.05),
    "vertical stripes": (0.012, 0.016, 0.03),
    "pinstripes": (0.012, 0.016, 0.02),
    "checks": (0.04, 0.05, 0.06),
    "gingham": (0.012, 0.018, 0.024),
    "tartan": (0.08, 0.1, 0.12),
    "dots": (0.024, 0.032, 0.044),
    "floral": (0.05, 0.065, 0.08),
}
PLAIN_REPEAT = 0.06
"""``Fabric.repeat`` of cloth that repeats nothing."""


def piece(wish: Wish, colour: str, chooser: Chooser, request: Request) -> o.Piece:
    category, pattern = o.GARMENTS[wish.kind], wish.pattern
    if pattern == "striped":  # shirts and trousers are striped lengthwise, what is knitted across
        pattern = "vertical stripes" if wish.kind in ("shirt", "trousers", "shorts") else "stripes"
    if len(wish.colours) > 2:
        request.notes.append(f"{wish.word}: two colours to a cloth, the others are left out")
    if pattern is None:
        pattern = "solid"
        if len(wish.colours) > 1 and category != "shoes":
            pattern = "stripes"
            request.notes.append(f"{wish.word}: two colours and no pattern, read as stripes")
        elif not wish.colours and category in ("upper", "dress") and not wish.word:
            options = {"solid": 7, "stripes": 2, "checks": 1, "floral": 0.7, "dots": 0.4}
            if wish.kind == "shirt":
                options |= {"checks": 1.5, "tartan": 0.7, "gingham": 0.7}
            if wish.kind in ("sweater", "tank top") or wish.weave in ("silk", "wool"):
                options = {"solid": 6, "stripes": 1}
            pattern = chooser.pick("pattern", tuple(options), tuple(options.values()))
            if wish.kind == "shirt" and pattern == "stripes":
                pattern = "vertical stripes"
        elif category == "dress" and not wish.colours:
            pattern = chooser.pick("pattern", ("solid", "floral", "dots"), (3, 2, 1))
    accent = wish.accent or (wish.colours[1] if len(wish.colours) > 1 else None) or _accent(colour, pattern, wish, chooser)
    repeat = wish.repeat or (chooser.pick("repeat " + pattern, _REPEATS[pattern]) if pattern in _REPEATS else PLAIN_REPEAT)
    fabric = o.Fabric(colour, pattern, accent, repeat, wish.weave, wish.image)
    return o.Piece(wish.kind, fabric, wish.length, wish.sleeve, wish.neckline, wish.fit, wish.style)


def _accent(colour: str, pattern: str, wish: Wish, chooser: Chooser) -> str:
    """A second colour that reads against the first; for plain cloth the trim: stitching, buttons, soles."""
    light = lab(colour)[0]
    if pattern == "solid":
        if wish.weave == "denim":
            return "#b9793a"
        if wish.kind == "shoes":
            return "#f0efeb" if wish.style == "sneakers" else "#2a1d16" if light > 12 else "#0f0f11"
        return "#f1efe8" if wish.kind == "shirt" else colour
    names = ("white", "cream", "navy", "black", "burgundy", "light blue", "rust", "mustard", "dusty pink", "sage", "coral")
    if pattern in (
        "stripes",
        "vertical stripes",
        "pinstripes",
        "gingham",
        "checks",
        "dots",
    ):  # woven and printed on white, or with it
        names = ("white", "off white", "cream", "navy", "light blue", "black")
    elif pattern == "floral":
        names = ("white", "cream", "dusty pink", "coral", "mustard", "rust", "burgundy", "light blue", "lilac", "rose")
    options = [words.COLOURS[name] for name in names if abs(lab(words.COLOURS[name])[0] - light) > 28]
    scores = np.array([_harmony(option, [colour]) for option in options])
    return chooser.pick(f"accent {pattern}", options, np.exp(2.5 * (scores - scores.max())))

"""Colours that go together, and cloth for each garment: what the words leave open, by harmony with what they say."""

from __future__ import annotations

import numpy as np

from helpers.mannequin.colours import lab
from helpers.mannequin.fabrics import PATTERNS, WEAVES
from helpers.mannequin.garments import SHOES
from helpers.mannequin.outfit import Fabric, Piece
from helpers.mannequin.words.request import Chooser, Request, Wish, kind_of
from helpers.mannequin.words.vocabulary import COLOURS


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
    for i in sorted(range(len(wishes)), key=lambda i: (kind_of(wishes[i]).category == "shoes", i)):
        colours[i] = colours[i] or _colour(wishes[i], [c for c in colours if c is not None], chooser)
    return [colour for colour in colours if colour is not None]


def _colour(wish: Wish, said: list[str], chooser: Chooser) -> str:
    category = kind_of(wish).category
    options = _toned(wish, [name if name.startswith("#") else COLOURS[name] for name in _dyes(wish)])
    scores = np.array([_harmony(option, said) for option in options])
    if category in ("upper", "dress"):  # beside so many neutrals a colour is welcome
        scores += [0.35 * (np.hypot(*lab(option)[1:]) > 14) for option in options]
    if category == "shoes":  # shoes may repeat a colour
        scores = np.array([max(_harmony(option, said), 0.8 if option in said else -9) for option in options])
    return chooser.pick(f"colour {category} {wish.kind}", options, np.exp(2.2 * (scores - scores.max())))


def _dyes(wish: Wish) -> tuple[str, ...]:
    """The colours that its cloth comes in; what shoes are usually made of has their own."""
    weave, shoe, kind = WEAVES[wish.weave or ""], SHOES.get(wish.style or ""), kind_of(wish)
    own = shoe is not None and weave.name in shoe.weaves
    return weave.colours if weave.colours and not own else (shoe.colours if shoe else ()) or kind.colours


def _toned(wish: Wish, options: list[str]) -> list[str]:
    """Those of the colours that are as dark or light as was said."""
    if not wish.tone:
        return options
    light = {option: lab(option)[0] for option in options}
    wanted = [c for c in options if (light[c] < 38 if wish.tone == "dark" else light[c] > 58)]
    return wanted or [min(options, key=light.__getitem__) if wish.tone == "dark" else max(options, key=light.__getitem__)]


PLAIN_REPEAT = 0.06
"""``Fabric.repeat`` of cloth that repeats nothing."""


def piece(wish: Wish, colour: str, chooser: Chooser, request: Request) -> Piece:
    """The garment that is drawn for a wish in ``colour``: with pattern, second colour and repeat."""
    if len(wish.colours) > 2:
        request.notes.append(f"{wish.word}: two colours to a cloth, the others are left out")
    pattern = _pattern(wish, chooser, request)
    accent = wish.accent or (wish.colours[1] if len(wish.colours) > 1 else None) or _accent(colour, pattern, wish, chooser)
    repeats = PATTERNS[pattern].repeats
    repeat = wish.repeat or (chooser.pick("repeat " + pattern, repeats) if repeats else PLAIN_REPEAT)
    fabric = Fabric(colour, pattern, accent, repeat, wish.weave or "", wish.image)
    return Piece(wish.kind, fabric, wish.length, wish.sleeve, wish.neckline, wish.fit or "", wish.style)


def _pattern(wish: Wish, chooser: Chooser, request: Request) -> str:
    kind = kind_of(wish)
    if wish.pattern is not None:  # shirts and trousers are striped lengthwise, what is knitted across
        return kind.stripes if wish.pattern == "striped" else wish.pattern
    if len(wish.colours) > 1 and kind.category != "shoes":
        request.notes.append(f"{wish.word}: two colours and no pattern, read as stripes")
        return "stripes"
    shares = kind.patterns_named if wish.word else (kind.patterns and WEAVES[wish.weave or ""].patterns) or kind.patterns
    if wish.colours or not shares:
        return "solid"
    pattern = chooser.pick("pattern", tuple(shares), tuple(shares.values()))
    return kind.stripes if pattern == "stripes" else pattern


def _accent(colour: str, pattern: str, wish: Wish, chooser: Chooser) -> str:
    """A second colour that reads against the first; for plain cloth the trim: stitching, buttons, soles."""
    light, weave, shoe = lab(colour)[0], WEAVES[wish.weave or ""], SHOES.get(wish.style or "")
    if PATTERNS[pattern].plain:
        sole = shoe.sole[int(light > 12)] if shoe else None
        return weave.thread or sole or kind_of(wish).buttons or colour
    options = [c for c in (COLOURS[name] for name in PATTERNS[pattern].accents) if abs(lab(c)[0] - light) > 28]
    scores = np.array([_harmony(option, [colour]) for option in options])
    return chooser.pick(f"accent {pattern}", options, np.exp(2.5 * (scores - scores.max())))

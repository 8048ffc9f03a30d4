"""What the words leave open, chosen by the seed: a plausible person, clothes that go together, colours in harmony.

Each choice has a generator of its own, so that another word in the prompt changes what it speaks of and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from helpers.mannequin import outfit as o
from helpers.mannequin import words
from helpers.mannequin.colours import lab


@dataclass
class Wish:
    """One garment as far as the words say it; ``kind`` may still be the open ``top`` or ``skirt``."""

    kind: str
    word: str
    colours: list[str] = field(default_factory=list)
    accent: str | None = None
    pattern: str | None = None
    repeat: float | None = None
    image: Path | None = None
    weave: str | None = None
    length: str | None = None
    sleeve: str | None = None
    neckline: str | None = None
    fit: str | None = None
    style: str | None = None


@dataclass
class Request:
    """A prompt, read: what was said of the figure, the garments, the picture, and what could not be read."""

    figure: dict = field(default_factory=dict)
    garments: list[Wish] = field(default_factory=list)
    barefoot: bool = False
    tucked: bool | None = None
    backdrop: str | None = None
    framing: str | None = None
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


_TOPS, _NECKS = ("cropped", "regular", "long"), ("crew", "v", "scoop", "square", "boat", "turtle")
ALLOWED = {
    "t-shirt": {"length": _TOPS, "sleeve": ("short", "none", "cap", "elbow"), "neckline": (*_NECKS, "collar")},
    "crop top": {"length": ("cropped",), "sleeve": ("short", "strap", "none", "cap", "elbow", "long"), "neckline": _NECKS},
    "tank top": {"length": _TOPS, "sleeve": ("none", "strap"), "neckline": ("scoop", "crew", "v", "square", "boat")},
    "long-sleeve": {"length": _TOPS, "sleeve": ("long",), "neckline": (*_NECKS, "collar")},
    "shirt": {"length": _TOPS, "sleeve": ("long", "short", "elbow", "none"), "neckline": ("collar",)},
    "sweater": {"length": _TOPS, "sleeve": ("long", "none", "short", "elbow"), "neckline": _NECKS},
    "mini skirt": {"length": ("mini",)},
    "midi skirt": {"length": ("midi", "knee", "ankle")},
    "a-line skirt": {"length": ("knee", "mini", "midi", "ankle")},
    "shorts": {"length": ("short", "knee")},
    "trousers": {"length": ("full", "ankle", "cropped")},
    "jeans": {"length": ("full", "ankle", "cropped")},
    "dress": {
        "length": ("knee", "mini", "midi", "ankle"),
        "sleeve": ("short", "none", "strap", "cap", "elbow", "long"),
        "neckline": (*_NECKS, "collar"),
    },
    "shoes": {"style": o.SHOES},
}
"""What each kind of garment can be; the first value is the usual one."""

# Weaves a kind is sewn from, in order of likelihood, for (cold, mild, warm) days.
_WEAVES = {
    "t-shirt": (("jersey",), ("jersey",), ("jersey", "cotton")),
    "crop top": (("jersey", "knit"), ("jersey",), ("jersey", "cotton")),
    "tank top": (("jersey",), ("jersey", "silk"), ("jersey", "linen")),
    "long-sleeve": (("jersey", "jersey", "knit"), ("jersey",), ("jersey",)),
    "shirt": (("cotton", "wool"), ("cotton", "cotton", "silk"), ("linen", "cotton")),
    "sweater": (("knit",), ("knit",), ("knit",)),
    "mini skirt": (("wool", "denim", "leather"), ("cotton", "denim", "cotton"), ("cotton", "denim", "linen")),
    "midi skirt": (("wool", "satin", "knit"), ("satin", "cotton", "silk"), ("linen", "satin", "cotton")),
    "a-line skirt": (("wool", "cotton"), ("cotton", "satin"), ("cotton", "linen")),
    "shorts": (("wool",), ("cotton", "denim"), ("cotton", "linen", "denim")),
    "trousers": (("wool", "cotton"), ("cotton", "wool"), ("linen", "cotton")),
    "jeans": (("denim",),) * 3,
    "dress": (("knit", "wool"), ("cotton", "silk", "jersey", "satin"), ("cotton", "linen", "silk")),
}
_BASE_COLOURS = {
    "lower": "navy charcoal black beige camel khaki olive white stone brown sage dark_grey denim_blue rust burgundy dark_green cream",
    "upper": "white off_white cream light_blue navy black heather_grey sage dusty_pink burgundy rust mustard olive teal camel lilac "
    "forest_green coral chambray ivory charcoal terracotta powder_blue",
    "dress": "navy black emerald burgundy terracotta sage dusty_pink white light_blue rust teal red mustard lilac cream forest_green",
    "shoes": "white black brown tan cognac off_white navy grey chocolate beige",
}
_DENIM = ("#32486f", "#3d5a88", "#26344f", "#5b7ba5", "#1f2a40", "#87a3c2", "#2b2d33")
_HEAVY = {"sweater", "knit", "wool", "turtle", "boots", "leather", "long-sleeve", "long"}
_LIGHT = {"shorts", "tank top", "crop top", "mini skirt", "linen", "none", "strap", "cap", "flats", "short"}


class Chooser:
    """Choices by name: the same seed and name always give the same value."""

    def __init__(self, seed: int):
        self.seed = seed

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *name.encode()])

    def pick(self, name: str, options: Sequence, weights: Sequence[float] | None = None):
        share = None if weights is None else np.asarray(weights, float) / np.sum(weights)
        return options[int(self.rng(name).choice(len(options), p=share))]


def complete(request: Request, seed: int) -> o.Outfit:
    """The outfit that ``request`` asks for, the rest chosen by ``seed``. Raises ``ValueError`` where wishes contradict each other."""
    chooser = Chooser(seed)
    figure = _figure(request, chooser)
    wishes = _wardrobe(request, figure.presentation, chooser)
    warmth = _warmth(wishes, chooser)
    for index, wish in enumerate(wishes):
        _shape(wish, warmth, f"{index}", figure.presentation, chooser)
    _tuck(wishes, request.tucked, chooser)
    _shoes(wishes, figure.presentation, warmth, request.barefoot, chooser)
    colours = _palette(wishes, chooser)
    pieces = tuple(_piece(wish, colour, chooser, request) for wish, colour in zip(wishes, colours, strict=True))
    backdrop = request.backdrop or chooser.pick("backdrop", ("#d9d9d7", "#d6d8da", "#dcd8d2", "#cfd4d8", "#d9d3cb", "#e2e1df"))
    return o.Outfit(figure, pieces, backdrop, request.framing or "full", tuple(request.unknown), tuple(request.notes))


def _figure(request: Request, chooser: Chooser) -> o.Figure:
    said = dict(request.figure)
    kinds = {wish.kind for wish in request.garments}
    feminine = kinds & {"dress", "skirt", "mini skirt", "midi skirt", "a-line skirt", "crop top"} or any(
        wish.word in ("blouse", "camisole", "cami") or wish.style == "flats" for wish in request.garments
    )
    presentation = said.get("presentation") or chooser.pick("presentation", o.PRESENTATIONS, (19, 1) if feminine else (1, 1))
    woman = presentation == "woman"
    low, high = said.get("age", (20, 52))
    age = int(chooser.rng("age").integers(low, high + 1))
    build = said.get("build") or chooser.pick("build", o.BUILDS, (3, 5, 2, 3, 1) if woman else (3, 5, 3, 0.3, 1.4))
    skin = said.get("skin") or chooser.pick("skin", tuple(words.SKINS.values()), _skin_weights(said.get("hair_colour")))
    mean = 1.68 if woman else 1.80
    height = said.get("height") or round(mean + said.get("taller", 0) + float(chooser.rng("height").normal(0, 0.03)), 2)
    styles = {
        "woman": {"long": 5, "bob": 3, "bun": 3, "ponytail": 3, "curly": 2.5, "short": 1},
        "man": {"short": 8, "buzz": 3, "curly": 2, "bald": 1, "long": 0.6, "bun": 0.4},
    }[presentation]
    weights = [v * (3 if k == "bald" and age > 45 else 0.3 if k == "bald" else 1) for k, v in styles.items()]
    return o.Figure(
        presentation,
        age,
        build,
        height,
        skin,
        said.get("hair") or chooser.pick("hair", tuple(styles), weights),
        said.get("hair_colour") or _hair_colour(age, lab(skin)[0], chooser),
        said.get("eyes") or _eyes(lab(skin)[0], chooser),
        said.get("pose") or chooser.pick("pose", ("standing", "relaxed", "contrapposto"), (2, 3, 2)),
        said.get("face_seed", int(chooser.rng("face").integers(1000))),
    )


def _skin_weights(hair: str | None) -> np.ndarray:
    """Naturally fair and red hair comes with lighter skin; all else goes with any."""
    names = list(words.SKINS)
    fair = hair in {
        words.HAIR_COLOURS[name] for name in words.HAIR_COLOURS if "blonde" in name or name in ("ginger", "red", "auburn")
    }
    return np.array([(5, 6, 5, 3, 1.5, 1, 0.4, 0.3, 0.2, 0.1, 0.1)[i] if fair else 1 for i in range(len(names))])


def _hair_colour(age: int, skin_lightness: float, chooser: Chooser) -> str:
    greying = np.clip((age - 45) / 25, 0, 0.95)
    if chooser.rng("grey hair").random() < greying:
        return words.HAIR_COLOURS[chooser.pick("grey tone", ("grey", "silver", "white"), (3, 2, 1 if age > 60 else 0.1))]
    if skin_lightness < 62:
        return words.HAIR_COLOURS[chooser.pick("hair colour", ("black", "dark brown"), (4, 1))]
    if skin_lightness < 72:
        return words.HAIR_COLOURS[chooser.pick("hair colour", ("black", "dark brown", "brown", "chestnut"), (3, 4, 2, 1))]
    names = ("black", "dark brown", "brown", "light brown", "chestnut", "auburn", "ginger", "dark blonde", "blonde")
    return words.HAIR_COLOURS[chooser.pick("hair colour", names, (2, 4, 4, 3, 2, 1, 0.6, 2, 2))]


def _eyes(skin_lightness: float, chooser: Chooser) -> str:
    names = ("dark brown", "brown", "hazel", "green", "blue", "grey")
    weights = (4, 3, 1, 0.2, 0.1, 0.1) if skin_lightness < 66 else (1, 3, 2, 1.5, 2.5, 1)
    return words.EYE_COLOURS[chooser.pick("eyes", names, weights)]


def _wardrobe(request: Request, presentation: str, chooser: Chooser) -> list[Wish]:
    """The garments that make a whole outfit, inner to outer, lower before upper; open kinds settled."""
    wishes = list(request.garments)
    for wish in wishes:
        _settle(wish, presentation, chooser, request)
    by = {c: [w for w in wishes if o.GARMENTS[w.kind] == c] for c in ("upper", "lower", "dress", "shoes")}
    for category, most in (("dress", 1), ("lower", 1), ("shoes", 1), ("upper", 2)):
        if len(by[category]) > most:
            names = " and ".join(f"'{wish.word}'" for wish in by[category])
            raise ValueError(f"the prompt names {names}; one figure wears {most} of that sort. Keep what is meant.")
    if by["dress"] and (by["lower"] or by["upper"]):
        other = (by["lower"] or by["upper"])[0]
        raise ValueError(f"'{by['dress'][0].word}' and '{other.word}' are not drawn together. Name the dress or the separates.")
    if len(by["upper"]) == 2:
        inner, outer = sorted(
            by["upper"],
            key=lambda wish: ("tank top", "crop top", "t-shirt", "long-sleeve", "shirt", "sweater").index(wish.kind),
        )
        if inner.kind == outer.kind:
            raise ValueError(f"the prompt names '{inner.word}' and '{outer.word}', two of a kind. Keep one of them.")
        by["upper"] = [inner, outer]
    woman = presentation == "woman"
    if request.barefoot and by["shoes"]:
        raise ValueError(f"'barefoot' and '{by['shoes'][0].word}' contradict each other. Keep one of them.")
    warm = any(_LIGHT & {w.kind, w.weave, w.sleeve} for w in wishes)
    if not by["dress"] and not by["lower"] and not by["upper"] and woman and chooser.rng("dress").random() < 0.2:
        by["dress"] = [Wish("dress", "dress")]
    if not by["dress"]:
        if not by["lower"]:
            options = {"jeans": 4, "trousers": 4, "shorts": 1.5 if warm else 0.2}
            if woman:
                options |= {"mini skirt": 1.2, "midi skirt": 1.6, "a-line skirt": 1.4}
            by["lower"] = [Wish(chooser.pick("lower", tuple(options), tuple(options.values())), "")]
        if not by["upper"]:
            options = {"t-shirt": 4, "shirt": 4, "sweater": 0.3 if by["lower"][0].kind == "shorts" else 3, "long-sleeve": 2}
            if woman:
                options |= {"tank top": 1.5, "crop top": 0.6}
            by["upper"] = [Wish(chooser.pick("upper", tuple(options), tuple(options.values())), "")]
    return by["dress"] + by["lower"] + by["upper"] + by["shoes"]


def _tuck(wishes: list[Wish], tucked: bool | None, chooser: Chooser) -> None:
    """Order is layering: a top that comes before what is worn below is tucked into it."""
    upper = next((i for i, wish in enumerate(wishes) if o.GARMENTS[wish.kind] == "upper"), None)
    lower = next((i for i, wish in enumerate(wishes) if o.GARMENTS[wish.kind] == "lower"), None)
    if upper is None or lower is None:
        return
    top = wishes[upper]
    if tucked is None:
        neat = {"shirt": 0.45, "t-shirt": 0.2, "long-sleeve": 0.25, "tank top": 0.3}.get(top.kind, 0)
        if "skirt" in wishes[lower].kind:
            neat *= 1.7
        tucked = top.length != "cropped" and top.fit in ("slim", "regular") and chooser.rng("tucked").random() < neat
    if tucked:
        wishes.insert(lower, wishes.pop(upper))


def _settle(wish: Wish, presentation: str, chooser: Chooser, request: Request) -> None:
    """Give ``top``, ``skirt`` and a t-shirt or shirt with foreign sleeves or neckline its kind."""
    if wish.kind == "top":
        if wish.length == "cropped":
            wish.kind = "crop top"
        elif wish.sleeve in ("none", "strap"):
            wish.kind = "tank top"
        elif wish.sleeve == "long" or wish.neckline == "turtle":
            wish.kind = "sweater" if wish.weave in ("knit", "wool") else "long-sleeve"
        elif wish.sleeve or presentation == "man":
            wish.kind = "t-shirt"
        else:
            wish.kind = chooser.pick("top", ("t-shirt", "long-sleeve", "tank top"), (3, 2, 1))
    elif wish.kind == "skirt":
        options = {
            "mini": ("mini skirt",),
            "knee": ("a-line skirt",),
            "midi": ("midi skirt", "a-line skirt"),
            "ankle": ("a-line skirt",),
        }
        length = {"short": "mini", "long": "ankle", "full": "ankle"}.get(wish.length, wish.length)
        wish.kind = chooser.pick("skirt", options.get(length, ("mini skirt", "midi skirt", "a-line skirt")))
    elif wish.kind == "shirt" and wish.neckline not in (None, "collar"):
        wish.kind = "long-sleeve" if wish.sleeve == "long" else "t-shirt"
        request.notes.append(f"{wish.word}: with a {wish.neckline} neck it is read as a {wish.kind}")
    if wish.kind == "t-shirt" and wish.sleeve == "long":
        wish.kind = "long-sleeve"
    elif wish.kind == "t-shirt" and wish.sleeve == "strap":
        wish.kind = "tank top"
    elif wish.kind in ("t-shirt", "shirt", "tank top") and wish.length == "cropped" and wish.word == "cropped top":
        wish.kind = "crop top"


def _warmth(wishes: list[Wish], chooser: Chooser) -> int:
    """0 cold, 1 mild, 2 warm: what the named garments dress for, else the seed."""
    score = 0
    for wish in wishes:
        marks = {wish.kind, wish.weave, wish.sleeve, wish.neckline, wish.style}
        score += len(marks & _LIGHT) - len(marks & _HEAVY)
    if score == 0:
        return chooser.pick("season", (0, 1, 2), (2, 3, 2))
    return 2 if score > 0 else 0


_WORD_LENGTHS = {
    "upper": {"short": "cropped", "long": "long", "cropped": "cropped", "regular": "regular", "full": "regular"},
    "dress": {"short": "mini", "long": "ankle", "full": "ankle", "cropped": "mini"},
    "skirt": {"short": "mini", "long": "ankle", "full": "ankle"},
    "shorts": {"mini": "short", "long": "knee", "cropped": "short"},
    "legs": {"long": "full", "midi": "cropped", "short": "cropped", "regular": "full"},
}


def _shape(wish: Wish, warmth: int, name: str, presentation: str, chooser: Chooser) -> None:
    """Fill length, sleeve, neckline, fit and weave; refuse what the kind cannot be."""
    allowed, category = ALLOWED[wish.kind], o.GARMENTS[wish.kind]
    group = (
        "skirt" if "skirt" in wish.kind else {"shorts": "shorts", "trousers": "legs", "jeans": "legs"}.get(wish.kind, category)
    )
    if wish.length is not None:
        wish.length = _WORD_LENGTHS.get(group, {}).get(wish.length, wish.length)
    for slot in ("length", "sleeve", "neckline", "style"):
        value, options = getattr(wish, slot), allowed.get(slot, ())
        if value is not None and value not in options:
            can = f"it comes as {', '.join(options)}" if options else f"it has no {slot}"
            raise ValueError(f"'{wish.word}' cannot have {slot} '{value}'; {can}. Change one of the two words.")
    if category == "shoes":
        wish.fit = "regular"
        return
    if wish.length is None:
        weights = {"dress": (3, 2, 2, 1), "a-line skirt": (3, 1, 2, 0.5), "midi skirt": (1, 0, 0), "shorts": (3, 2)}.get(
            wish.kind
        )
        if category == "upper":
            wish.length = "cropped" if wish.kind == "crop top" else "regular"
        elif group == "legs":
            wish.length = chooser.pick(name + "length", allowed["length"], (5, 2, 0) if warmth else (1, 0, 0))
        else:
            wish.length = chooser.pick(name + "length", allowed["length"], weights)
    if "sleeve" in allowed and wish.sleeve is None:
        wish.sleeve = _sleeve(wish, warmth, name, chooser)
    if "neckline" in allowed and wish.neckline is None:
        wish.neckline = _neckline(wish, warmth, name, chooser)
    if wish.sleeve == "strap" and wish.neckline in ("turtle", "boat", "collar"):
        raise ValueError(f"'{wish.word}' cannot have straps and a {wish.neckline} neckline. Change one of the two words.")
    weaves = [w for w in _WEAVES[wish.kind][warmth] if not (w == "silk" and presentation == "man")]
    weave = wish.weave or chooser.pick(name + "weave", weaves)
    if wish.pattern in ("floral", "tartan", "print") and wish.weave is None and weave in ("denim", "leather"):
        weave = "cotton"
    wish.weave = weave
    if wish.fit is None:
        weights = {
            "shirt": (1, 3, 1, 0),
            "sweater": (0, 3, 2, 1),
            "t-shirt": (1, 4, 1, 0.6),
            "jeans": (1.5, 4, 1, 0),
            "trousers": (0.8, 4, 1, 0),
        }
        wish.fit = chooser.pick(name + "fit", o.FITS, weights.get(wish.kind, (0, 1, 0, 0)))


def _sleeve(wish: Wish, warmth: int, name: str, chooser: Chooser) -> str:
    if wish.kind == "shirt":
        return chooser.pick(name + "sleeve", ("long", "short"), (4, 0 if warmth == 0 else warmth))
    if wish.kind == "crop top":
        options = ("short", "strap", "none", "long")
        return chooser.pick(name + "sleeve", options, ((1, 0, 0, 2), (3, 1, 1, 1), (3, 2, 2, 0))[warmth])
    if wish.kind == "tank top":
        return chooser.pick(name + "sleeve", ("none", "strap"), (3, 1))
    if wish.kind == "dress":
        options = ("long", "elbow", "short", "cap", "none", "strap")
        if wish.neckline in ("turtle", "collar", "boat"):
            return chooser.pick(name + "sleeve", options[:3], ((3, 1, 0), (1, 1, 2), (0, 1, 3))[warmth])
        return chooser.pick(name + "sleeve", options, ((4, 1, 0, 0, 0, 0), (1, 1, 3, 1, 1, 0.4), (0, 0.3, 2, 1, 2, 2))[warmth])
    return ALLOWED[wish.kind]["sleeve"][0]


def _neckline(wish: Wish, warmth: int, name: str, chooser: Chooser) -> str:
    table = {
        "t-shirt": {"crew": 5, "v": 2, "scoop": 1},
        "crop top": {"crew": 3, "scoop": 2, "square": 2, "v": 1},
        "tank top": {"scoop": 4, "crew": 2, "square": 1, "v": 1},
        "long-sleeve": {"crew": 4, "boat": 1, "scoop": 1, "v": 1, "turtle": 1 if warmth == 0 else 0},
        "shirt": {"collar": 1},
        "sweater": {"crew": 5, "v": 2, "turtle": 2 if warmth == 0 else 0.3, "boat": 0.5},
        "dress": {"v": 3, "crew": 2, "scoop": 2, "square": 1.5, "boat": 1},
    }[wish.kind]
    options = {k: v for k, v in table.items() if not (wish.sleeve == "strap" and k in ("boat", "turtle", "crew"))}
    return chooser.pick(name + "neckline", tuple(options), tuple(options.values()))


def _shoes(wishes: list[Wish], presentation: str, warmth: int, barefoot: bool, chooser: Chooser) -> None:
    shoes = next((wish for wish in wishes if wish.kind == "shoes"), None)
    if shoes is None:
        if barefoot:
            return
        shoes = Wish("shoes", "", fit="regular")
        wishes.append(shoes)
    if shoes.style is None:
        formal = sum(w.kind in ("shirt", "midi skirt", "dress") or w.weave in ("wool", "satin", "silk") for w in wishes)
        weights = [
            4 - min(formal, 3),
            (1.5 + formal) * (presentation == "woman") * (warmth > 0),
            1 + formal,
            (2, 0.7, 0)[warmth],
        ]
        shoes.style = chooser.pick("shoes", o.SHOES, weights)
    shoes.weave = shoes.weave or ("cotton" if shoes.style == "sneakers" and warmth == 2 else "leather")


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


def _palette(wishes: list[Wish], chooser: Chooser) -> list[str]:
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


def _piece(wish: Wish, colour: str, chooser: Chooser, request: Request) -> o.Piece:
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

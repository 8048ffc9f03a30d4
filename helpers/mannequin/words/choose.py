"""What the words leave open, chosen by the seed: a plausible person, clothes that go together, colours in harmony.

Each choice has a generator of its own, so that another word in the prompt changes what it speaks of and nothing else.
"""

from __future__ import annotations

import numpy as np

from helpers.mannequin import outfit as o
from helpers.mannequin.colours import lab
from helpers.mannequin.words import vocabulary as words
from helpers.mannequin.words.harmony import palette, piece
from helpers.mannequin.words.request import Chooser, Request, Wish

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
_HEAVY = {"sweater", "knit", "wool", "turtle", "boots", "leather", "long-sleeve", "long"}
_LIGHT = {"shorts", "tank top", "crop top", "mini skirt", "linen", "none", "strap", "cap", "flats", "short"}


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
    if request.uniform:
        _match(wishes)
    colours = palette(wishes, chooser)
    pieces = tuple(piece(wish, colour, chooser, request) for wish, colour in zip(wishes, colours, strict=True))
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


def _match(wishes: list[Wish]) -> None:
    """Give every garment the colours and pattern of the one that names some."""
    model = next((wish for wish in wishes if wish.colours), None)
    for wish in wishes if model else ():
        plain = wish.kind != "shoes" or model.pattern in (None, "solid")
        if not wish.colours and wish.tone is None and plain:
            wish.colours = list(model.colours)
            if wish.kind != "shoes":
                wish.pattern, wish.accent = wish.pattern or model.pattern or "solid", wish.accent or model.accent


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
        elif wish.weave in ("knit", "wool"):
            wish.kind = "sweater"
        elif wish.weave in ("linen", "silk", "satin", "denim"):
            wish.kind = "shirt"
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
        weights = {
            "dress": (3, 2, 2, 1),
            "a-line skirt": (3, 1, 2, 0.5),
            "midi skirt": (1, 0, 0),
            "shorts": (3, 2) if presentation == "woman" else (1, 4),
        }.get(wish.kind)
        if category == "upper":
            wish.length = "cropped" if wish.kind == "crop top" else "regular"
        elif group == "legs":
            wish.length = chooser.pick(name + "length", allowed["length"], (5, 2, 0) if warmth else (1, 0, 0))
        else:
            wish.length = chooser.pick(name + "length", allowed["length"], weights)
    if "sleeve" in allowed and wish.sleeve is None:
        wish.sleeve = _sleeve(wish, warmth, name, chooser)
    if "neckline" in allowed and wish.neckline is None:
        wish.neckline = _neckline(wish, warmth, name, presentation, chooser)
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


def _neckline(wish: Wish, warmth: int, name: str, presentation: str, chooser: Chooser) -> str:
    if wish.pattern == "print" and wish.kind != "shirt" and wish.sleeve != "strap" and wish.kind != "tank top":
        return "crew"  # room for the picture
    low = 1 if presentation == "woman" else 0.2
    table = {
        "t-shirt": {"crew": 5, "v": 2, "scoop": low},
        "crop top": {"crew": 3, "scoop": 2, "square": 2, "v": 1},
        "tank top": {"scoop": 4, "crew": 2, "square": 1, "v": 1},
        "long-sleeve": {"crew": 4, "boat": low, "scoop": low, "v": 1, "turtle": 1 if warmth == 0 else 0},
        "shirt": {"collar": 1},
        "sweater": {"crew": 5, "v": 2, "turtle": 2 if warmth == 0 else 0.3, "boat": 0.5 * low},
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

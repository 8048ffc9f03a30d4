"""What the words leave open, chosen by the seed: a plausible person, clothes that go together, colours in harmony.

Each choice has a generator of its own, so that another word in the prompt changes what it speaks of and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.mannequin.colours import lab
from helpers.mannequin.fabrics import PATTERNS, WEAVES
from helpers.mannequin.garments import SHOES
from helpers.mannequin.kinds import COLD, HIGH_NECKS, MILD, WARM, Kind, Shares
from helpers.mannequin.outfit import BUILDS, PRESENTATIONS, Figure, Outfit
from helpers.mannequin.words.harmony import palette, piece
from helpers.mannequin.words.request import Chooser, Request, Wish, kind_of
from helpers.mannequin.words.vocabulary import EYE_COLOURS, HAIR_COLOURS, SKINS
from helpers.mannequin.words.wardrobe import dressed, match, settle, shod, tuck, wearer_of

_SLEEVE_WARMTH = {"long": -1, "short": 1, "cap": 1, "none": 1, "strap": 1}


def complete(request: Request, seed: int) -> Outfit:
    """The outfit that ``request`` asks for, the rest chosen by ``seed``. Raises ``ValueError`` where wishes contradict each other."""
    chooser = Chooser(seed)
    figure = _figure(request, chooser)
    for wish in request.garments:
        settle(wish, figure.presentation, chooser, request)
    wishes = dressed(request, figure.presentation, any(_light(wish) for wish in request.garments), chooser)
    day = _day(wishes, chooser)
    for index, wish in enumerate(wishes):
        _shape(wish, day, f"{index}", figure.presentation, chooser)
    tuck(wishes, request.tucked, chooser)
    shod(wishes, figure.presentation, day, request.barefoot, chooser)
    if request.uniform:
        match(wishes)
    colours = palette(wishes, chooser)
    pieces = tuple(piece(wish, colour, chooser, request) for wish, colour in zip(wishes, colours, strict=True))
    backdrop = request.backdrop or chooser.pick("backdrop", ("#d9d9d7", "#d6d8da", "#dcd8d2", "#cfd4d8", "#d9d3cb", "#e2e1df"))
    return Outfit(figure, pieces, backdrop, request.framing or "full", tuple(request.unknown), tuple(request.notes))


def _figure(request: Request, chooser: Chooser) -> Figure:
    said = dict(request.figure)
    feminine = any(wearer_of(wish) == "woman" for wish in request.garments)
    presentation = said.get("presentation") or chooser.pick("presentation", PRESENTATIONS, (19, 1) if feminine else (1, 1))
    woman = presentation == "woman"
    low, high = said.get("age", (20, 52))
    age = int(chooser.rng("age").integers(low, high + 1))
    build = said.get("build") or chooser.pick("build", BUILDS, (3, 5, 2, 3, 1) if woman else (3, 5, 3, 0.3, 1.4))
    skin = said.get("skin") or chooser.pick("skin", tuple(SKINS.values()), _skin_weights(said.get("hair_colour")))
    mean = 1.68 if woman else 1.80
    height = said.get("height") or round(mean + said.get("taller", 0) + float(chooser.rng("height").normal(0, 0.03)), 2)
    styles = {
        "woman": {"long": 5, "bob": 3, "bun": 3, "ponytail": 3, "curly": 2.5, "short": 1},
        "man": {"short": 8, "buzz": 3, "curly": 2, "bald": 1, "long": 0.6, "bun": 0.4},
    }[presentation]
    weights = [v * (3 if k == "bald" and age > 45 else 0.3 if k == "bald" else 1) for k, v in styles.items()]
    return Figure(
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
    names = list(SKINS)
    fair = hair in {HAIR_COLOURS[name] for name in HAIR_COLOURS if "blonde" in name or name in ("ginger", "red", "auburn")}
    return np.array([(5, 6, 5, 3, 1.5, 1, 0.4, 0.3, 0.2, 0.1, 0.1)[i] if fair else 1 for i in range(len(names))])


def _hair_colour(age: int, skin_lightness: float, chooser: Chooser) -> str:
    greying = np.clip((age - 45) / 25, 0, 0.95)
    if chooser.rng("grey hair").random() < greying:
        return HAIR_COLOURS[chooser.pick("grey tone", ("grey", "silver", "white"), (3, 2, 1 if age > 60 else 0.1))]
    if skin_lightness < 62:
        return HAIR_COLOURS[chooser.pick("hair colour", ("black", "dark brown"), (4, 1))]
    if skin_lightness < 72:
        return HAIR_COLOURS[chooser.pick("hair colour", ("black", "dark brown", "brown", "chestnut"), (3, 4, 2, 1))]
    names = ("black", "dark brown", "brown", "light brown", "chestnut", "auburn", "ginger", "dark blonde", "blonde")
    return HAIR_COLOURS[chooser.pick("hair colour", names, (2, 4, 4, 3, 2, 1, 0.6, 2, 2))]


def _eyes(skin_lightness: float, chooser: Chooser) -> str:
    names = ("dark brown", "brown", "hazel", "green", "blue", "grey")
    weights = (4, 3, 1, 0.2, 0.1, 0.1) if skin_lightness < 66 else (1, 3, 2, 1.5, 2.5, 1)
    return EYE_COLOURS[chooser.pick("eyes", names, weights)]


def _light(wish: Wish) -> bool:
    return any(mark > 0 for mark in _marks(wish)[:3])


def _marks(wish: Wish) -> tuple[int, ...]:
    """1 for a warm day, -1 for a cold one: of the kind, the weave, the sleeves, the neckline and the style as far as they are known."""
    weave, shoe = WEAVES.get(wish.weave or ""), SHOES.get(wish.style or "")
    return (
        kind_of(wish).warmth,
        weave.warmth if weave else 0,
        _SLEEVE_WARMTH.get(wish.sleeve or "", 0),
        -1 if wish.neckline == "turtle" else 0,
        shoe.warmth if shoe else 0,
    )


def _day(wishes: list[Wish], chooser: Chooser) -> int:
    """What the named garments dress for, else the seed."""
    score = sum(sum(_marks(wish)) for wish in wishes)
    if score == 0:
        return chooser.pick("season", (COLD, MILD, WARM), (2, 3, 2))
    return WARM if score > 0 else COLD


def _shape(wish: Wish, day: int, name: str, presentation: str, chooser: Chooser) -> None:
    """Fill length, sleeve, neckline, fit and weave; refuse what the kind cannot be."""
    kind = kind_of(wish)
    wish.length = kind.said_lengths.get(wish.length or "", wish.length)
    _require_possible(wish, kind)
    if kind.category == "shoes":
        wish.fit = "regular"
        return

    def choose(slot: str, shares: Shares) -> str | None:
        said = getattr(wish, slot)
        return said if said is not None or not shares else chooser.among(name + slot, shares, day, presentation)

    wish.length = choose("length", kind.lengths)
    wish.sleeve = choose("sleeve", kind.high_sleeves if wish.neckline in HIGH_NECKS and kind.high_sleeves else kind.sleeves)
    wish.neckline = choose("neckline", _necklines(wish, kind))
    if wish.sleeve == "strap" and wish.neckline in HIGH_NECKS:
        raise ValueError(f"'{wish.word}' cannot have straps and a {wish.neckline} neckline. Change one of the two words.")
    wish.weave = wish.weave or _weave(wish, kind.weaves[day], name, presentation, chooser)
    wish.fit = choose("fit", kind.fits)


def _require_possible(wish: Wish, kind: Kind) -> None:
    for slot in ("length", "sleeve", "neckline", "style"):
        value, options = getattr(wish, slot), kind.allowed.get(slot, ())
        if value is not None and value not in options:
            can = f"it comes as {', '.join(options)}" if options else f"it has no {slot}"
            raise ValueError(f"'{wish.word}' cannot have {slot} '{value}'; {can}. Change one of the two words.")


def _necklines(wish: Wish, kind: Kind) -> Shares:
    """The necklines that a picture on the front and straps leave."""
    if wish.sleeve == "strap":
        return {neck: chance for neck, chance in kind.necklines.items() if neck not in (*HIGH_NECKS, "crew")}
    return {kind.printed: 1} if kind.printed and wish.pattern == "print" else kind.necklines


def _weave(wish: Wish, options: Sequence[str], name: str, presentation: str, chooser: Chooser) -> str:
    weave = chooser.pick(name + "weave", [w for w in options if WEAVES[w].wearer in (None, presentation)])
    pattern = PATTERNS.get(wish.pattern or "")
    return "cotton" if pattern and pattern.printed and not WEAVES[weave].printed else weave

"""What is worn: the named garments in their layers, and those that make a whole outfit of them.

What a kind goes with and how often stands in its record (``garments``); here the words and the seed are put to it.
"""

from __future__ import annotations

from helpers.mannequin import garments
from helpers.mannequin.fabrics import WEAVES
from helpers.mannequin.kinds import MILD, WARM, Kind, Open, Shares, share
from helpers.mannequin.outfit import FITS
from helpers.mannequin.words.request import Chooser, Request, Wish, kind_of

_TOPS, _OPEN_TOPS = 2, 1  # worn over each other: closed ones, and one that is open in front


def wearer_of(wish: Wish) -> str | None:
    """Whose the garment is, if it is somebody's: said by the word, the kind or the style."""
    record: Kind | Open = garments.OPEN.get(wish.kind) or garments.KINDS[wish.kind]
    shoe = garments.SHOES.get(wish.style or "")
    return wish.wearer or record.wearer or (shoe.wearer if shoe else None)


def dressed(request: Request, presentation: str, light: bool, chooser: Chooser) -> list[Wish]:
    """The garments of a whole outfit, inner to outer, lower before upper; every kind settled.

    light: whether what is named is for warm days. Raises ``ValueError`` where the named garments are not worn together.
    """
    worn: dict[str, list[Wish]] = {category: [] for category in ("dress", "lower", "upper", "shoes")}
    for wish in request.garments:
        worn[kind_of(wish).category].append(wish)
    _require_wearable(worn, request.barefoot)
    day = WARM if light else MILD
    whole, lower, upper = worn["dress"], worn["lower"], sorted(worn["upper"], key=lambda wish: kind_of(wish).layer)
    if not (whole or lower or upper):
        whole = _whole(day, presentation, chooser)
    if not whole:
        lower = lower or [_one("lower", _often("lower"), day, presentation, chooser)]
        if all(kind_of(wish).open for wish in upper):
            shares = kind_of(upper[0]).over if upper else _often("upper", beside=lower[0].kind)
            upper = [_one("upper", shares, day, presentation, chooser), *upper]
    return whole + lower + upper + worn["shoes"]


def _require_wearable(worn: dict[str, list[Wish]], barefoot: bool) -> None:
    closed = [wish for wish in worn["upper"] if not kind_of(wish).open]
    outer = [wish for wish in worn["upper"] if kind_of(wish).open]
    limits = ((worn["dress"], 1), (worn["lower"], 1), (worn["shoes"], 1), (closed, _TOPS), (outer, _OPEN_TOPS))
    for wishes, most in limits:
        if len(wishes) > most:
            names = " and ".join(f"'{wish.word}'" for wish in wishes)
            raise ValueError(f"the prompt names {names}; one figure wears {most} of that sort. Keep what is meant.")
    if worn["dress"] and (worn["lower"] or closed):
        other = (worn["lower"] or closed)[0]
        raise ValueError(
            f"'{worn['dress'][0].word}' and '{other.word}' are not drawn together. Name the dress or the separates."
        )
    if len(closed) == _TOPS and closed[0].kind == closed[1].kind:
        raise ValueError(f"the prompt names '{closed[0].word}' and '{closed[1].word}', two of a kind. Keep one of them.")
    if barefoot and worn["shoes"]:
        raise ValueError(f"'barefoot' and '{worn['shoes'][0].word}' contradict each other. Keep one of them.")


def _often(category: str, beside: str = "") -> Shares:
    return {kind.name: kind.beside.get(beside, kind.often) for kind in garments.KINDS.values() if kind.category == category}


def _one(name: str, shares: Shares, day: int, presentation: str, chooser: Chooser) -> Wish:
    return Wish(chooser.among(name, shares, day, presentation), "")


def _whole(day: int, presentation: str, chooser: Chooser) -> list[Wish]:
    """A garment that is an outfit by itself, as often as its chance says, else nothing."""
    for name, chance in _often("dress").items():
        if chooser.happens(name, chance, day, presentation):
            return [Wish(name, name)]
    return []


def settle(wish: Wish, presentation: str, chooser: Chooser, request: Request) -> None:
    """Give an open word, and a kind with foreign sleeves or neckline, the kind that is meant."""
    while True:
        record: Kind | Open = garments.OPEN.get(wish.kind) or garments.KINDS[wish.kind]
        holding = (r for r in record.readings if all(getattr(wish, slot) in values for slot, values in r.said.items()))
        reading = next(holding, None)
        if reading is None:
            return
        kind = chooser.among(wish.kind, reading.kinds, MILD, presentation)
        if reading.noted:
            request.notes.append(f"{wish.word}: with a {wish.neckline} neck it is read as a {kind}")
        wish.kind = kind


def tuck(wishes: list[Wish], tucked: bool | None, chooser: Chooser) -> None:
    """Order is layering: a top that comes before what is worn below is tucked into it."""
    upper = next((i for i, wish in enumerate(wishes) if kind_of(wish).category == "upper"), None)
    lower = next((i for i, wish in enumerate(wishes) if kind_of(wish).category == "lower"), None)
    if upper is None or lower is None:
        return
    top = wishes[upper]
    if tucked is None:
        neat = kind_of(top).tucked
        if kind_of(wishes[lower]).style.skirt:
            neat *= 1.7
        tucked = top.length != "cropped" and top.fit in FITS[:2] and chooser.rng("tucked").random() < neat
    if tucked:
        wishes.insert(lower, wishes.pop(upper))


def match(wishes: list[Wish]) -> None:
    """Give every garment the colours and pattern of the one that names some."""
    model = next((wish for wish in wishes if wish.colours), None)
    if model is None:
        return
    for wish in wishes:
        shoes = kind_of(wish).category == "shoes"
        if not wish.colours and wish.tone is None and (not shoes or model.pattern in (None, "solid")):
            wish.colours = list(model.colours)
            if not shoes:
                wish.pattern, wish.accent = wish.pattern or model.pattern or "solid", wish.accent or model.accent


def _formal(wish: Wish) -> bool:
    return kind_of(wish).formal or (wish.weave is not None and WEAVES[wish.weave].formal)


def shod(wishes: list[Wish], presentation: str, day: int, barefoot: bool, chooser: Chooser) -> None:
    """Shoes that go with the rest, unless the figure is barefoot; named ones get their style and leather."""
    shoes = next((wish for wish in wishes if kind_of(wish).category == "shoes"), None)
    if shoes is None:
        if barefoot:
            return
        kind = next(kind for kind in garments.KINDS.values() if kind.category == "shoes")
        shoes = Wish(kind.name, "", fit="regular")
        wishes.append(shoes)
    if shoes.style is None:
        formal = sum(_formal(wish) for wish in wishes)
        often = {name: share(shoe.often, day, presentation) for name, shoe in garments.SHOES.items()}
        weights = [max(chance + garments.SHOES[name].formal * formal, 0.5) if chance else 0 for name, chance in often.items()]
        shoes.style = chooser.pick("shoes", tuple(often), weights)
    shoes.weave = shoes.weave or garments.SHOES[shoes.style].weaves[day]

"""Where the words of a prompt belong: modifiers go to a garment, the figure or the picture, and fill a ``Request``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from helpers.mannequin.colours import mix, saturate
from helpers.mannequin.words.request import Request, Wish
from helpers.mannequin.words.tokens import Item
from helpers.mannequin.words.vocabulary import APPROXIMATED, TONES

OF_GARMENT = ("colour", "tone", "pattern", "weave", "length", "sleeve", "neckline", "fit", "image", "repeat")
"""Slots that say something of a garment."""
WEAK = ("sleeve", "neckline", "pattern", "image")
"""Slots that can stand as a noun after "with": "with long sleeves"."""
_OF_PERSON = ("person", "age", "build", "height", "skin", "hair", "haircolour")
_OF_FIGURE = (
    "age",
    "build",
    "height",
    "metres",
    "face",
    "hair",
    "haircolour",
    "pose",
    "framing",
    "barefoot",
)  # need no head beside
_COLOURED = ("colour", "tone")
_FEATURES = {"hair": ("haircolour", "hair_colour"), "eyes": ("eyecolour", "eyes"), "skin": ("skin", "skin")}
"""Head -> slot of its own colours, and the field of ``Figure`` they fill."""
_HAIR_RANK = ("long", "short", "bob", "curly", "ponytail", "bun", "buzz", "bald")


class Attachment:
    """A ``request`` being filled: ``garment`` is the last one named, ``last`` the head that stood before and its garment."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.garment: Wish | None = None
        self.last: tuple[str, Wish | None] | None = None

    def attach(self, items: Sequence[Item], head: str, noun: Item | None) -> None:
        """``items`` stood before ``head``, the kind of thing that ``noun`` names."""
        if head == "garment" and noun is not None:
            self._attach_to_new_garment(items, noun)
        elif head == "trim" and self.garment is not None:
            self.garment.accent = next(iter(self._colours(items)), self.garment.accent)
            self._leftover(item for item in items if not item.has(*_COLOURED))
        elif head == "backdrop":
            self.request.backdrop = next(iter(self._colours(items)), self.request.backdrop)
            self._leftover(item for item in items if not item.has(*_COLOURED))
        else:
            if noun is not None:
                self._name_figure(head, noun)
            self._attach_to_figure(items, head)
        self.last = (head, self.garment)

    def attach_back(self, items: Sequence[Item], opener: str = "") -> None:
        """``items`` follow their noun: figure words go to the figure, the rest to the garment before (or the one to be chosen)."""
        if not items:
            return
        worn = opener == "in" and any(item.has("colour", "pattern", "weave") for item in items)  # "a lady in red"
        if not worn and (self.personal(items) or all(item.has(*_OF_FIGURE) and not item.has("colour") for item in items)):
            self.attach(items, "person", None)
            return
        if self.garment is None:
            self.garment = Wish("top", "top")
            self.request.garments.append(self.garment)
        garment = self.garment
        if opener in ("with", "and", "featuring") and garment.colours and any(item.has(*WEAK) for item in items):
            # "red with white dots", "with a white collar"
            named = self._colours(items)
            garment.accent = named[0] if named else garment.accent
            items = [item for item in items if not item.has(*_COLOURED)]
        self._fill(garment, items)

    def personal(self, items: Sequence[Item]) -> bool:
        """Whether ``items``, after a person, may all speak of that person."""
        after_person = self.last is not None and self.last[0] == "person"
        return after_person and all(item.has(*_OF_PERSON, *_OF_FIGURE) for item in items)

    def has_noun_before(self, items: Sequence[Item]) -> bool:
        """Whether something stood before that ``items`` can belong to."""
        cloth = any(item.has("colour", "tone", "weave", "fit") for item in items) and not self.personal(items)
        return (self.garment if cloth else self.last) is not None

    def approximated(self, text: str) -> None:
        """Notes that ``text`` is drawn as something like it, where it is."""
        if text in APPROXIMATED:
            self.request.notes.append(f"{text}: drawn as {APPROXIMATED[text]}")

    # ------------------------------------------------------------------------------------------------------ garments

    def _attach_to_new_garment(self, items: Sequence[Item], noun: Item) -> None:
        kind, implied = noun.value("garment")
        wish = Wish(kind, noun.text)
        for slot, value in implied.items():
            if slot == "colour":
                wish.colours.append(value)
            else:
                setattr(wish, slot, value)
        self._fill(wish, items, implied)
        self.request.garments.append(wish)
        self.garment = wish
        self.approximated(noun.text)

    def _fill(self, wish: Wish, items: Sequence[Item], implied: dict[str, Any] | None = None) -> None:
        """What ``items`` say goes into ``wish``; they may replace what its noun only ``implied``."""
        colours = self._colours(items)
        if colours:
            wish.colours = colours if implied is None or "colour" in implied or not wish.colours else wish.colours + colours
        else:
            wish.tone = next((_alone(item.text) for item in items if item.has("tone")), wish.tone)
        for item in items:
            if item.has(*_COLOURED):
                continue
            slot = next((s for s in OF_GARMENT if item.has(s)), None)
            self.approximated(item.text)
            if slot is not None and not (slot == "length" and item.has("pose")):
                _say(wish, slot, item, implied or {})
            elif item.has(*_OF_FIGURE):
                self._say_of_figure(item, "garment")
            elif item.text != "print":
                self._leftover([item])

    def _colours(self, items: Sequence[Item]) -> list[str]:
        """Colours named, tones applied: "dark" before a name darkens it, alone it picks a dark neutral."""
        out: list[str] = []
        tone = None
        for item in items:
            if item.has("colour"):
                colour = item.value("colour")
                if tone:
                    other, share = TONES[tone]
                    colour = mix(colour, other, share) if other else saturate(colour, share)
                out.append(colour)
                tone = None
            elif item.has("tone"):
                tone = item.text
        if tone and _alone(tone) is None and not out:
            self.request.unknown.append(tone)
        return out

    # -------------------------------------------------------------------------------------------------------- figure

    def _name_figure(self, head: str, noun: Item) -> None:
        """The noun itself may say something: "a bob", "a grandmother"."""
        figure = self.request.figure
        if noun.has("hair"):
            self._wear_hair(noun.value("hair"))
        if head == "person" and noun.value("person"):
            said, value = figure.get("presentation"), noun.value("person")
            if said not in (None, value) and self.last is not None:
                raise ValueError(f"the prompt speaks of a {said} and a {value}; one figure is drawn. Keep one of them.")
            figure["presentation"] = value
            if noun.has("age"):
                figure["age"] = noun.value("age")

    def _attach_to_figure(self, items: Sequence[Item], head: str) -> None:
        figure = self.request.figure
        slot, field = _FEATURES.get(head, ("", ""))
        plain = []
        for item in items:
            if slot and item.value(slot) and field not in figure:
                figure[field] = item.value(slot)
            elif head == "hair" and item.has("hairword", "hair"):
                self._wear_hair(item.value("hairword") or item.value("hair"))
            elif slot and item.has(*_COLOURED):
                plain.append(item)
            else:
                self._say_of_figure(item, head)
        if plain and (colours := self._colours(plain)):
            figure[field] = colours[0]

    def _say_of_figure(self, item: Item, head: str) -> None:
        figure = self.request.figure
        order = _OF_PERSON if head == "person" else ()
        slot, value = next(((s, v) for s, v in item.readings if s in order or s in _OF_FIGURE), ("unknown", item.text))
        match slot:
            case "age" | "skin":
                figure[slot] = value
            case "height":
                figure["taller"] = value
                if item.has("build"):
                    figure["build"] = item.value("build")
            case "metres":
                figure["height"] = value
            case "build" | "pose":
                figure[slot] = value
                if slot == "build" and item.has("height"):
                    figure["taller"] = item.value("height")
            case "hair":
                self._wear_hair(value)
            case "haircolour":
                figure["hair_colour"] = value
            case "face":
                figure["face_seed"] = value
            case "framing":
                self.request.framing = value
            case "barefoot":
                self.request.barefoot = True
            case _:
                self._leftover([item])

    def _wear_hair(self, value: str) -> None:
        """Hair words add up ("long curly hair" is curly): shape beats length."""
        figure = self.request.figure
        if "hair" not in figure or _HAIR_RANK.index(value) > _HAIR_RANK.index(figure["hair"]):
            figure["hair"] = value

    def _leftover(self, items: Iterable[Item]) -> None:
        self.request.unknown += [item.text for item in items]


def _say(wish: Wish, slot: str, item: Item, implied: dict[str, Any]) -> None:
    """Sets ``slot`` of ``wish``. Raises ``ValueError`` where that was said otherwise before, or a noun means its contrary."""
    value, said = item.value(slot), getattr(wish, slot)
    if slot == "image":
        wish.image, wish.pattern = value, "print"
    elif slot == "pattern" and said not in (None, value) and slot not in implied:
        if "print" not in (value, said):
            raise ValueError(f"'{wish.word}' is to be {said} and {value}. Keep one pattern.")
        wish.pattern = "print" if wish.image else said if value == "print" else value
    elif said not in (None, value) and slot not in implied:
        raise ValueError(f"'{wish.word}' cannot have {slot} '{said}' and '{value}'. Keep one of them.")
    elif slot == "length" and implied.get(slot, value) != value:
        raise ValueError(f"'{item.text}' and '{wish.word}' contradict each other. Keep one of them.")
    else:
        setattr(wish, slot, value)


def _alone(tone: str) -> str | None:
    """What a tone means without a colour beside it: ``dark``, ``light`` or nothing."""
    if tone in ("dark", "darker", "deep"):
        return "dark"
    return "light" if tone in ("light", "lighter", "pale", "washed", "faded") else None

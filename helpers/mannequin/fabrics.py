"""Cloth as data: all that is known about a weave or a pattern stands in one record here, and nowhere else.

``words`` reads what it is called and when it is chosen, ``fabric`` how it looks, ``cloth`` how it falls. A new weave is a record; only
where its yarn looks like no other, a function in ``fabric.weave`` takes its name. No geometry and no decision is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Weave:
    """What cloth is woven or knitted of.

    words: what it is asked for by; approximated: words that are drawn as this, the nearest thing there is
    roughness, specular, sheen: how it answers light, see ``surface.Material``
    bend, squash: how stiff it falls, 0..1, see ``cloth.simulate.Cloth``
    ribs: metres from one knitted rib to the next at its collars and cuffs; thread: colour of its stitching where that is not the cloth's
    worn: whether it pales where it is worn; printed: whether florals, tartans and pictures are made on it
    warmth: 1 for a warm day, -1 for a cold one; formal: goes with shoes that are no sneakers; wearer: "woman" where only women's
    garments are made of it unless said otherwise
    colours, patterns: those it comes in, instead of the garment's (not of shoes)
    """

    name: str
    words: tuple[str, ...]
    roughness: float
    specular: float
    sheen: float
    bend: float
    squash: float = 0.6
    approximated: tuple[str, ...] = ()
    ribs: float = 0.0030
    thread: str | None = None
    worn: bool = False
    printed: bool = True
    warmth: int = 0
    formal: bool = False
    wearer: str | None = None
    colours: tuple[str, ...] = ()
    patterns: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Pattern:
    """What is woven into cloth or printed on it: what it is asked for by, ``repeats`` in metres, names of the second colours that it
    comes in; ``plain``: it has one colour and a trim; ``printed``: it is not made on every weave, see ``Weave.printed``."""

    name: str
    words: tuple[str, ...]
    repeats: tuple[float, ...] = ()
    accents: tuple[str, ...] = (
        "white", "cream", "navy", "black", "burgundy", "light blue", "rust", "mustard", "dusty pink", "sage", "coral",
    )  # fmt: skip
    plain: bool = False
    printed: bool = False


_PLAIN = {"solid": 6, "stripes": 1}

WEAVES: Mapping[str, Weave] = {weave.name: weave for weave in (
    Weave("cotton", ("cotton", "poplin", "twill", "canvas", "oxford", "seersucker"), 0.86, 0.035, 0.05, bend=0.16,
          approximated=("corduroy",)),
    Weave("jersey", ("jersey", "ribbed", "modal", "viscose", "stretch"), 0.88, 0.032, 0.07, bend=0.06, squash=0.45),
    Weave("denim", ("denim",), 0.88, 0.03, 0.04, bend=0.5, squash=0.8, thread="#b9793a", worn=True, printed=False,
          colours=("#32486f", "#3d5a88", "#26344f", "#5b7ba5", "#1f2a40", "#87a3c2", "#2b2d33")),
    Weave("knit", ("knit", "knitted", "cable knit", "chunky knit", "crochet", "mohair", "angora", "merino", "cashmere", "lambswool"),
          0.94, 0.025, 0.2, bend=0.45, squash=0.5, ribs=0.0056, warmth=-1),
    Weave("silk", ("silk", "silky", "chiffon", "crepe"), 0.52, 0.04, 0.12, bend=0.03, formal=True, wearer="woman", patterns=_PLAIN),
    Weave("wool", ("wool", "woolen", "woollen", "woolly", "tweed", "flannel", "felt"), 0.95, 0.025, 0.22, bend=0.35, squash=0.7,
          ribs=0.0056, warmth=-1, formal=True, patterns=_PLAIN),
    Weave("linen", ("linen", "hemp"), 0.84, 0.035, 0.04, bend=0.25, squash=0.8, warmth=1),
    Weave("leather", ("leather", "faux leather", "vegan leather", "pleather"), 0.42, 0.05, 0.0, bend=0.7, squash=0.8,
          approximated=("suede",), printed=False, warmth=-1, colours=("black", "chocolate", "cognac", "burgundy")),
    Weave("satin", ("satin", "satiny", "charmeuse", "sateen"), 0.45, 0.048, 0.12, bend=0.04, formal=True),
)}  # fmt: skip
"""Every weave by name."""

_WOVEN = ("white", "off white", "cream", "navy", "light blue", "black")

PATTERNS: Mapping[str, Pattern] = {pattern.name: pattern for pattern in (
    Pattern("solid", ("solid", "plain", "unpatterned", "no pattern", "without pattern", "no print", "without print"), plain=True),
    Pattern("stripes", ("stripes", "stripe", "breton", "breton stripes", "breton striped", "horizontal stripes",
                        "horizontally striped", "banded", "sailor stripes"), (0.024, 0.03, 0.036, 0.05), _WOVEN),
    Pattern("vertical stripes", ("vertical stripes", "vertical stripe", "vertically striped", "candy striped", "bengal striped"),
            (0.012, 0.016, 0.03), _WOVEN),
    Pattern("pinstripes", ("pinstripes", "pinstripe", "pinstriped", "pin striped", "pin stripes"), (0.012, 0.016, 0.02), _WOVEN),
    Pattern("checks", ("checks", "check", "checked", "checkered", "chequered", "checkerboard", "windowpane", "lumberjack"),
            (0.04, 0.05, 0.06), _WOVEN),
    Pattern("gingham", ("gingham", "vichy"), (0.012, 0.018, 0.024), _WOVEN),
    Pattern("tartan", ("tartan", "plaid", "madras", "flannel plaid"), (0.08, 0.1, 0.12), printed=True),
    Pattern("dots", ("dots", "dot", "dotted", "polka dot", "polka dots", "polka dotted", "spots", "spotted", "polkadot", "polkadots"),
            (0.024, 0.032, 0.044), _WOVEN),
    Pattern("floral", ("floral", "florals", "flowers", "flower", "flowered", "flowery", "botanical", "blossoms", "roses",
                       "floral print", "flower print"), (0.05, 0.065, 0.08),
            ("white", "cream", "dusty pink", "coral", "mustard", "rust", "burgundy", "light blue", "lilac", "rose"), printed=True),
    Pattern("print", ("print", "printed", "graphic", "graphic print", "logo", "slogan", "motif", "emblem"), printed=True),
)}  # fmt: skip
"""Every pattern by name. ``stripes`` run across (Breton), ``checks`` are shirt checks of two colours, ``gingham`` half-and-half,
``tartan`` a sett."""

STRIPED = ("striped", "stripy")
"""Words for the stripes that are usual on the garment, see ``Kind.stripes``."""

"""What is known about a kind of garment, as plain data: the records that ``garments`` fills in.

No geometry and no decision is made here: ``words`` chooses by these numbers, ``cloth`` cuts by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

COLD, MILD, WARM = range(3)
"""Days that one dresses for."""
HIGH_NECKS = ("turtle", "boat", "collar")
"""Necklines that no strap can hold."""


@dataclass(frozen=True)
class Chance:
    """How likely the seed chooses something, against its neighbours in the table: ``mild`` on an ordinary day; ``cold`` and ``warm``
    where it differs on such days; ``man`` where it differs for men."""

    mild: float
    cold: float | None = None
    warm: float | None = None
    man: float | None = None

    def of(self, day: int, presentation: str) -> float:
        """The share on ``day`` (:data:`COLD`, :data:`MILD` or :data:`WARM`) for a ``"woman"`` or a ``"man"``."""
        if self.man is not None and presentation == "man":
            return self.man
        value = (self.cold, None, self.warm)[day]
        return self.mild if value is None else value


Share = float | Chance
"""A chance; a plain number holds always, 0 is for what is only asked for by words."""
Shares = Mapping[str, Share]


def share(chance: Share, day: int, presentation: str) -> float:
    """The number that ``chance`` comes to."""
    return chance.of(day, presentation) if isinstance(chance, Chance) else chance


@dataclass(frozen=True)
class Skirt:
    """A cut hung from the waist: ``waist`` in template metres above the soles; ``flare``: widening per metre of length (radius);
    ``gather``: share of extra cloth in the folds; ``folds`` round the figure; ``ease`` over hips in metres; ``from_waist``: folds
    start at the waist (gathered) rather than below the hips (cut flared)."""

    waist: float
    flare: float = 0.1
    gather: float = 0.1
    folds: int = 13
    ease: float = 0.012
    from_waist: bool = False


@dataclass(frozen=True)
class Opening:
    """A front that opens along the middle: half the gap between its two sides, ``gap`` at rising ``heights``, both in template
    metres."""

    heights: tuple[float, ...]
    gap: tuple[float, ...]


@dataclass(frozen=True)
class Lapels:
    """A notched collar in metres: ``wide`` the lapel at its peak, ``collar`` the collar at its points, ``back`` behind the neck
    where it stands ``stand`` high. The notch lies ``notch`` along the way from the break (0) to the shoulder (1), the break at
    ``low`` of the front's height."""

    wide: float = 0.085
    collar: float = 0.075
    back: float = 0.055
    stand: float = 0.028
    notch: float = 0.72
    low: float = 0.25


@dataclass(frozen=True)
class Style:
    """How a kind is cut, relative to its fit: factors on the room round ``trunk``, ``arm`` and ``leg`` and on the ``taper``; room in
    gathered ends (``cuff``, ``hem``) of width ``band``; ``tail``: hem higher at the sides; ``flare``: how much legs widen per metre;
    ``rib``: width of the knitted band at the neck or along the opening; ``ribbed``: edge -> width of the knitted band that is part of
    the cloth there; ``cuffs``: buttoned bands end long sleeves; ``placket``: length of the buttoned strip down the front, 0 without;
    ``opening`` and ``lapels`` of what is open in front, with so many ``buttons``; ``pockets``: its front pockets
    ("scooped" as on jeans and "slanted" with a fly and a button, "kangaroo", "" for none); the ``skirt`` from the waist down;
    the usual ``length``, ``sleeve`` and ``neckline``. Metres."""

    trunk: float = 1.0
    arm: float = 1.0
    leg: float = 1.0
    taper: float = 1.0
    cuff: float | None = None
    hem: float | None = None
    band: float = 0.05
    tail: float = 0.0
    flare: float = 0.0
    rib: float = 0.0
    ribbed: Mapping[str, float] = field(default_factory=dict)
    cuffs: bool = False
    placket: float = 0.0
    opening: Opening | None = None
    lapels: Lapels | None = None
    buttons: int = 0
    pockets: str = ""
    skirt: Skirt | None = None
    length: str = "regular"
    sleeve: str = "none"
    neckline: str = "crew"


@dataclass(frozen=True)
class Reading:
    """What a garment word means once more is said: one of ``kinds`` (name -> chance) where every slot in ``said`` has one of those
    values; ``noted``: the outfit's notes say so."""

    kinds: Shares
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    noted: bool = False


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of garment.

    name: as in ``Piece.kind``, and what it is called when it is described
    category: "upper", "lower", "dress" or "shoes"; label: its class in a parsing, see ``helpers.labels`` ("shoe" stands for both)
    cut: how it is sewn, see ``cloth.sewing``; style: the cutting numbers
    words: what it is asked for by -> what the word already says; approximated: words that are drawn as the nearest thing there is
    wearer: "woman" where it is a woman's unless said otherwise
    layer: tops go over those of a lower layer; over: an open garment's, kinds it is worn over when none is named -> chance
    tucked: chance that it is tucked in where nothing is said
    warmth: 1 for a warm day, -1 for a cold one; formal: goes with shoes that are no sneakers
    often: chance among its category when none is named; beside: kind -> the chance beside that one
    lengths, sleeves, necklines, fits: what it can have -> chance; with a single one, or all at 0, the first is the usual one
    high_sleeves: chances of its sleeves below a high neckline, where they differ; printed: the neckline that leaves room for a picture
    said_lengths: a general word of length -> what it means here
    styles: of shoes
    weaves: for cold, mild and warm days, each as likely as the other
    colours: names or ``#rrggbb``, as likely as they suit; buttons: their colour where they are not the cloth's
    patterns: pattern -> chance where no words name the garment; patterns_named: where they do, but no colour or pattern
    stripes: which stripes it has when it is "striped"
    readings: other kinds that it is read as, the first that holds
    """

    name: str
    category: str
    label: str
    cut: str
    words: Mapping[str, Mapping[str, str]]
    style: Style = Style()
    approximated: Mapping[str, str] = field(default_factory=dict)
    wearer: str | None = None
    layer: int = 0
    over: Shares = field(default_factory=dict)
    tucked: float = 0.0
    warmth: int = 0
    formal: bool = False
    often: Share = 0.0
    beside: Mapping[str, float] = field(default_factory=dict)
    lengths: Shares = field(default_factory=dict)
    sleeves: Shares = field(default_factory=dict)
    necklines: Shares = field(default_factory=dict)
    fits: Shares = field(default_factory=lambda: {"regular": 1})
    high_sleeves: Shares = field(default_factory=dict)
    printed: str | None = None
    styles: tuple[str, ...] = ()
    said_lengths: Mapping[str, str] = field(default_factory=dict)
    weaves: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] = (("cotton",), ("cotton",), ("cotton",))
    colours: tuple[str, ...] = ()
    buttons: str | None = None
    patterns: Mapping[str, float] = field(default_factory=dict)
    patterns_named: Mapping[str, float] = field(default_factory=dict)
    stripes: str = "stripes"
    readings: tuple[Reading, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it is worn open in front, so that what is under it is seen."""
        return self.style.opening is not None

    @property
    def allowed(self) -> dict[str, tuple[str, ...]]:
        """Slot of ``Piece`` -> what it can be there, the usual first; slots that do not apply are left out."""
        slots = {"length": self.lengths, "sleeve": self.sleeves, "neckline": self.necklines, "style": self.styles}
        return {slot: tuple(values) for slot, values in slots.items() if values}


@dataclass(frozen=True, eq=False)
class Open:
    """A word that leaves the kind to what else is said: ``readings``, of which the first that holds is taken."""

    name: str
    category: str
    readings: tuple[Reading, ...]
    wearer: str | None = None


@dataclass(frozen=True, eq=False)
class Shoe:
    """A style of shoes: what it is asked for by, its colours, leather or cloth by day, ``warmth`` as of a ``Kind``, and how ``often``
    it is chosen, which rises by ``formal`` with every formal garment above it; ``sole``: colour of its sole and stitches on dark and
    on other shoes."""

    name: str
    words: tuple[str, ...]
    often: Share
    formal: float = 0.0
    wearer: str | None = None
    warmth: int = 0
    colours: tuple[str, ...] = ()
    weaves: tuple[str, str, str] = ("leather", "leather", "leather")
    sole: tuple[str, str] = ("#0f0f11", "#2a1d16")
    approximated: Mapping[str, str] = field(default_factory=dict)

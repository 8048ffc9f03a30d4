"""What is to be drawn: an outfit as plain data, readable, editable and accepted wherever words are.

``prompt.parse`` makes one from words; ``dataclasses.replace`` changes one; ``Outfit.to_dict`` / ``from_dict`` go through JSON.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from helpers.mannequin import fabrics, garments

GARMENTS = {kind.name: kind.category for kind in garments.KINDS.values()}
"""Every garment of the wardrobe and its category."""

PATTERNS = tuple(fabrics.PATTERNS)
WEAVES = tuple(fabrics.WEAVES)
LENGTHS = ("cropped", "mini", "short", "knee", "midi", "ankle", "full", "regular", "long")
SLEEVES = ("none", "strap", "cap", "short", "elbow", "long")
NECKLINES = ("crew", "v", "scoop", "square", "boat", "collar", "turtle")
FITS = ("slim", "regular", "loose", "oversized")
SHOES = tuple(garments.SHOES)
PRESENTATIONS = ("woman", "man")
BUILDS = ("slim", "average", "athletic", "curvy", "heavy")
HAIRSTYLES = ("long", "bob", "bun", "ponytail", "short", "buzz", "curly", "bald")
POSES = ("standing", "relaxed", "hand on hip", "walking", "contrapposto")
FRAMINGS = ("full", "upper")


@dataclass(frozen=True)
class Fabric:
    """Cloth: colours as ``#rrggbb`` sRGB, pattern repeat in metres, ``image`` a picture file for ``pattern="print"``."""

    colour: str = "#f2f2f0"
    pattern: str = "solid"
    accent: str = "#28437a"
    repeat: float = 0.06
    weave: str = "cotton"
    image: Path | None = None


@dataclass(frozen=True)
class Piece:
    """One garment. ``None`` stands for "does not apply to this kind", never for "unspecified"."""

    kind: str
    fabric: Fabric = Fabric()
    length: str | None = None
    sleeve: str | None = None
    neckline: str | None = None
    fit: str = "regular"
    style: str | None = None  # shoes: one of SHOES

    @property
    def category(self) -> str:
        """``upper``, ``lower``, ``dress`` or ``shoes``."""
        return GARMENTS[self.kind]


@dataclass(frozen=True)
class Figure:
    """The adult who wears it. ``age`` in years (18-90), ``height`` in metres, ``skin`` and ``hair_colour`` as ``#rrggbb``."""

    presentation: str = "woman"
    age: int = 28
    build: str = "average"
    height: float = 1.70
    skin: str = "#c99b7a"
    hair: str = "long"
    hair_colour: str = "#3b2417"
    eyes: str = "#4d5b3c"
    pose: str = "standing"
    face_seed: int = 0  # small individual differences of the face


@dataclass(frozen=True)
class Outfit:
    """A figure, what it wears (inner to outer), and how it is photographed."""

    figure: Figure = Figure()
    pieces: tuple[Piece, ...] = ()
    backdrop: str = "#d9d9d7"
    framing: str = "full"
    unknown: tuple[str, ...] = field(default=())  # words of the prompt that meant nothing here
    notes: tuple[str, ...] = field(default=())  # where the words were read freely ("sandals: drawn as flats")

    def to_dict(self) -> dict:
        """Plain JSON types; ``from_dict`` reads them back."""
        out = asdict(self)
        for piece in out["pieces"]:
            image = piece["fabric"]["image"]
            piece["fabric"]["image"] = None if image is None else str(image)
        return out

    @classmethod
    def from_dict(cls, data: dict) -> Outfit:
        """Inverse of :meth:`to_dict`. Raises ``ValueError`` naming an unknown key."""
        data = _known(cls, data)
        pieces = []
        for piece in data.get("pieces", ()):
            piece = _known(Piece, piece)
            fabric = _known(Fabric, piece.get("fabric", {}))
            if fabric.get("image"):
                fabric["image"] = Path(fabric["image"])
            pieces.append(Piece(**{**piece, "fabric": Fabric(**fabric)}))
        figure = Figure(**_known(Figure, data.get("figure", {})))
        words = {name: tuple(data.get(name, ())) for name in ("unknown", "notes")}
        return cls(**{**data, "figure": figure, "pieces": tuple(pieces), **words})


def _known(cls: type, data: dict) -> dict:
    names = {f.name for f in fields(cls)}
    if extra := sorted(set(data) - names):
        raise ValueError(f"{cls.__name__} has no field {', '.join(extra)}; its fields are {', '.join(sorted(names))}.")
    return dict(data)

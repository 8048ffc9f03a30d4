"""The wall of garments and the gallery of people: what was drawn for them (``docs/make_stock.py``), and a folder of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import checks
from helpers.files import slug
from helpers.garment import CATEGORIES
from helpers.reading import SUFFIXES

STOCK = Path(__file__).resolve().parent / "stock"
_MOST = 200  # garments of a folder of one's own


@dataclass(frozen=True)
class Piece:
    """A picture that everybody may see. kind: ``person`` or ``garment``; category: a garment's"""

    id: str
    kind: str
    path: Path
    name: str
    category: str = ""

    def told(self) -> dict[str, Any]:
        """What the page and programs are told of it."""
        return {"id": self.id, "kind": self.kind, "name": self.name, **({"category": self.category} if self.category else {})}


def read(wardrobe: str = "") -> dict[str, Piece]:
    """id -> piece, in the order in which they hang.

    wardrobe: a folder of one's own: pictures in ``upper/``, ``lower/`` and ``dress/``, or in none of them, which are tops then; each may be
    a plain folder or in the VITON-HD layout (``cloth/``, ``cloth-mask/``)
    Raises ``ValueError`` where there is no picture in it.
    """
    own = list(_folder(Path(wardrobe), "own")) if wardrobe else []
    if wardrobe and not own:
        raise ValueError(f"wardrobe: no pictures ({', '.join(SUFFIXES)}) in {wardrobe}, nor in upper/, lower/ or dress/ there.")
    people = (Piece(f"stock-{path.stem}", "person", path, path.stem.replace("-", " ")) for path in _pictures(STOCK / "people"))
    return {piece.id: piece for piece in (*own[:_MOST], *_folder(STOCK, "stock"), *people)}


def called(wall: Iterable[Piece], words: str) -> Piece:
    """The first garment with ``words`` in its name. Raises ``ValueError`` with those that there are."""
    found = [piece for piece in wall if words in piece.name]
    if not found:
        raise ValueError(
            f"garment: none on the wall is called {checks.shown(words)}. There are: {', '.join(p.name for p in wall)}."
        )
    return found[0]


def _folder(folder: Path, prefix: str) -> list[Piece]:
    found: list[Piece] = []
    taken: list[str] = []
    for category, place in ((CATEGORIES[0], folder), *((name, folder / name) for name in CATEGORIES)):
        for path in _pictures(place / "cloth") or _pictures(place):
            taken.append(slug(f"{prefix}-{path.stem}", taken))
            words = path.parent.parent / "cloth-words" / f"{path.stem}.txt"
            name = words.read_text(encoding="utf-8") if path.parent.name == "cloth" and words.is_file() else path.stem
            found.append(Piece(taken[-1], "garment", path, plain(name), category))
    return found


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())


def plain(name: str, most: int = 80) -> str:
    """A name from outside as it is shown: printable, one line, and short."""
    shown = "".join(c if c.isprintable() else " " for c in checks.called(name, "name"))
    return " ".join(shown.split())[:most].strip()

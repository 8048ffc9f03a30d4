"""What of a data set in VITON-HD's layout can be learnt from, and what is wrong with the rest, told before hours are spent on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from helpers import checks
from helpers.dataset.down_sample import PARTS
from helpers.files import told
from helpers.labels import CATEGORY_CLASSES, CIHP, CIHP_PALETTE, of_colours, select
from helpers.reading import SUFFIXES, read_picture

_PUBLISHED = (254, 85, 0)  # upper clothes in VITON-HD's own palette; CIHP_PGN's has 255
_LEAST = 0.005  # of a picture that a garment has to fill
_TOLD = 20  # of a kind of fault are named


@dataclass(frozen=True)
class Item:
    """The files of one pair: the person, what of the garment is seen (a mask, or the parse), its product photograph with its mask, and,
    where it is known, which place shows which."""

    name: str
    image: Path
    worn: Path
    cloth: Path
    cloth_mask: Path
    source: Path | None


@dataclass
class Inspected:
    """A part of a data set: the pairs that are ``good``, and fault -> names of those that have it."""

    part: str
    good: list[Item] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def fault(self, what: str, name: str) -> None:
        self.faults.setdefault(what, []).append(name)


def items(folder: str | Path, part: str) -> Inspected:
    """The pairs that ``folder/PART_pairs.txt`` lists, each person with their own garment, or all where there is no such list.

    Only asks which files are there. Raises ``ValueError`` for a folder without ``PART/image``.
    """
    folder = checks.path(folder, "data")
    root = folder / part
    if not (root / "image").is_dir():
        raise ValueError(
            f"data: there is no folder {told(root / 'image')}. Name the folder that holds {part}/image and {part}/cloth."
        )
    listed = folder / f"{part}_pairs.txt"
    if listed.is_file():
        lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
        names = list(dict.fromkeys(Path(line.split()[0]).stem for line in lines if line.split()))
    else:
        names = sorted(file.stem for file in (root / "image").iterdir() if file.suffix.lower() in SUFFIXES)
    found = Inspected(part)
    for name in names:
        files: dict[str, Any] = {
            place: _file(root / place, name)
            for place in ("image", "worn-mask", "image-parse-v3", "cloth", "cloth-mask", "cloth-source")
        }
        worn = files["worn-mask"] or files["image-parse-v3"]
        absent = [place for place in ("image", "cloth", "cloth-mask") if files[place] is None] + (
            [] if worn else ["image-parse-v3"]
        )
        for place in absent:
            found.fault(f"no file in {place}", name)
        if not absent:
            found.good.append(Item(name, files["image"], worn, files["cloth"], files["cloth-mask"], files["cloth-source"]))
    return found


def _file(folder: Path, name: str) -> Path | None:
    return next((file for suffix in SUFFIXES if (file := folder / f"{name}{suffix}").is_file()), None)


def worn_mask(item: Item, category: str = "upper") -> np.ndarray:
    """bool (H, W): what is seen of the garment, of its own mask or the classes of ``category`` in the parse, indexed or in colours."""
    picture = read_picture(item.worn, "worn garment", smallest=1)
    if item.worn.parent.name == "worn-mask":
        return np.asarray(picture.convert("L")) > 127
    if picture.mode in ("P", "L") and np.asarray(picture).max() < len(CIHP):
        return select(np.asarray(picture), CATEGORY_CLASSES[category])
    colours = np.asarray(picture.convert("RGB")).copy()
    colours[(colours == _PUBLISHED).all(2)] = CIHP_PALETTE[CIHP.index("upper-clothes")]
    return select(of_colours(colours), CATEGORY_CLASSES[category])


def inspect(folder: str | Path, category: str = "upper", parts: Sequence[str] = PARTS) -> list[Inspected]:
    """Look at every picture of every pair of the ``parts`` that there are.

    What cannot be read, is empty, or does not fit to its partner is no longer among the good. Raises ``ValueError`` where there is no part.
    """
    folder, looked_at = checks.path(folder, "data"), []
    checks.one_of(category, "category", tuple(CATEGORY_CLASSES))
    seen: dict[str, str] = {}
    for part in parts:
        if not (folder / part / "image").is_dir() and not (folder / f"{part}_pairs.txt").is_file():
            continue
        found = items(folder, part)
        for item in list(found.good):
            faults = _faults(item, category)
            digest = hashlib.sha256(item.image.read_bytes()).hexdigest()
            if (twin := seen.setdefault(digest, f"{part}/{item.name}")) != f"{part}/{item.name}":
                faults.append(f"the same photograph as {twin}")
            for fault in faults:
                found.fault(fault, item.name)
            if faults:
                found.good.remove(item)
        looked_at.append(found)
    if not looked_at:
        raise ValueError(
            f"data: {told(folder)} holds no {' and no '.join(f'{part}/image' for part in parts)}. Name the folder that does."
        )
    return looked_at


def _faults(item: Item, category: str) -> list[str]:
    sizes, found = {}, []
    for place in ("image", "cloth", "cloth_mask"):
        try:
            picture = read_picture(getattr(item, place), place, smallest=1)
        except (ValueError, FileNotFoundError) as error:
            found.append(f"{place} cannot be read: {_why(error, getattr(item, place))}")
            continue
        sizes[place] = picture.size
        if place == "cloth_mask" and not _LEAST < (np.asarray(picture.convert("L")) > 127).mean() < 1 - _LEAST:
            found.append("the mask of the product photograph is empty or covers all of it")
    try:
        worn = worn_mask(item, category)
    except (ValueError, FileNotFoundError) as error:
        return [*found, f"{item.worn.parent.name} cannot be read: {_why(error, item.worn)}"]
    if worn.shape[::-1] != sizes.get("image", worn.shape[::-1]):
        found.append(f"{item.worn.parent.name} has another size than the photograph")
    if sizes.get("cloth", 0) != sizes.get("cloth_mask", 0) and len(sizes) == 3:
        found.append("cloth-mask has another size than cloth")
    if worn.mean() < _LEAST:
        found.append(f"nothing of category {category} is seen on the person")
    return found


def _why(error: Exception, file: Path) -> str:
    """The reader's words without the file's name, so that equal faults are told together."""
    return str(error).partition(str(file))[2].strip() or str(error)


def page(found: list[Inspected]) -> str:
    """The report as text: what is good, then each fault with whom it befell."""
    lines = []
    for part in found:
        lines += [f"{part.part}: {len(part.good)} good pairs"]
        for fault, names in sorted(part.faults.items(), key=lambda row: -len(row[1])):
            more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
            lines.append(f"  {len(names)} x {fault}: {', '.join(names[:_TOLD])}{more}")
    return "\n".join(lines)

"""Photographs of people and of garments to everything that VITON-HD and HR-VITON read, one by one, resumable.

``OUT/test/`` holds ``image``, ``cloth``, ``cloth-mask``, ``image-parse-v3``, ``image-parse-agnostic-v3.2``, ``agnostic-v3.2``,
``openpose_json``, ``openpose_img``, ``image-densepose``, and for VITON-HD's own loader ``image-parse``, ``openpose-json`` and
``openpose-img``; ``OUT/test_pairs.txt`` has every person with every garment. Pictures are 768x1024, cut out and never stretched.

Source of the layout: the data set of VITON-HD (Choi et al., 2021), and ``Preprocessing.md`` of sangyun884/HR-VITON.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from helpers import annotate, checks, engines, images, notes, saving, weights
from helpers.dataset import doubts, stepwise
from helpers.dataset.cropping import SIZE
from helpers.files import require_writable, slug, told, write_text, write_whole
from helpers.garment import CATEGORIES, Garment, load_garment
from helpers.labels import CIHP_PALETTE
from helpers.person import Person, load_person
from helpers.reading import SUFFIXES
from helpers.tryon import agnostic, modelled
from helpers.tryon.backdrop import garment_mask
from helpers.tryon.framing import Frame
from helpers.tryon.hr_viton.agnostic import changeable

NEEDS = ("keypoints", "labels", "densepose", "mask")
_OTHER_NAMES = {
    "image-parse-v3/{}.png": "image-parse/{}.png",
    "openpose_json/{}_keypoints.json": "openpose-json/{}_keypoints.json",
    "openpose_img/{}_rendered.png": "openpose-img/{}_rendered.png",
}
"""What VITON-HD's published loader calls the same files."""
_OF_PERSON = (
    "image/{}.jpg",
    *_OTHER_NAMES,
    *_OTHER_NAMES.values(),
    "image-densepose/{}.jpg",
    "image-parse-agnostic-v3.2/{}.png",
    "agnostic-v3.2/{}.jpg",
)
_BACKDROP = 246  # what the garments of the published data set lie on
_OF_GARMENT = ("cloth/{}.jpg", "cloth-mask/{}.jpg")


@dataclass(frozen=True)
class Row:
    """What became of one photograph.

    kind:    ``person`` or ``garment``; source: the file it was made of
    name:    the stem of its files in the data set, or nothing where none were made
    refused: why, where none were made
    doubts:  what should be looked at; made: which engine made which annotations, and its licence
    again:   whether it was here from an earlier call
    """

    kind: str
    source: str
    name: str = ""
    refused: str = ""
    doubts: tuple[str, ...] = ()
    made: tuple[Mapping[str, Any], ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Prepared:
    """A data set in ``folder``: a row a photograph, in the order of names, and how many ``pairs`` there are."""

    folder: Path
    rows: tuple[Row, ...] = field(default_factory=tuple)
    pairs: int = 0

    def names(self, kind: str) -> list[str]:
        """The stems of everybody, or of every garment, that is in the data set."""
        return [row.name for row in self.rows if row.kind == kind and row.name]


def prepare(
    people: str | Path,
    garments: str | Path,
    out: str | Path,
    *,
    category: str = "upper",
    annotator: str = "auto",
    on_row: Callable[[Row], None] | None = None,
) -> Prepared:
    """Make, or go on making, the data set ``out`` from a folder of people's photographs and a folder of garments' photographs.

    people, garments: folders, or one picture each; annotations and masks that lie beside in a data set's layout are used
    category:         of the garments
    annotator:        which engine is asked for what is not known
    on_row:           told of each photograph when it is done
    What was prepared before from the same bytes by the same engine is kept. A photograph that cannot be used is refused in its row and
    the others go on. Raises ``ValueError`` or ``weights.Missing`` before anything is made: for folders without pictures, an ``out`` that
    cannot be written or is one of these folders, an annotator that is not here; and, whenever it is met, ``weights.Damaged``.
    """
    out = checks.path(out, "out")
    sources = {"person": _pictures(people, "people"), "garment": _pictures(garments, "garments")}
    checks.one_of(category, "category", CATEGORIES)
    for kind, files in sources.items():
        for file in files:
            if file.resolve().is_relative_to(out.resolve()):
                raise ValueError(f"out: {told(out)} holds the {kind}'s photographs themselves. Choose another folder.")
    require_writable(out, "out")
    record = engines.find("annotate", annotator, gives=NEEDS)
    engine = engines.ready("annotate", record.name if annotator == "auto" else annotator)
    saving.sweep(out / "test")
    rows: list[Row] = []
    taken: dict[str, list[str]] = {"person": [], "garment": []}
    for kind, files in sources.items():
        for file in files:
            name = slug(file.stem, taken[kind])
            taken[kind].append(name)
            rows.append(_one(kind, file, out / "test", name, category, engine))
            if on_row is not None:
                on_row(rows[-1])
    done = Prepared(out, tuple(rows))
    pairs = [f"{person}.jpg {cloth}.jpg" for person in done.names("person") for cloth in done.names("garment")]
    write_text(out / "test_pairs.txt", "".join(f"{pair}\n" for pair in pairs))
    return Prepared(out, done.rows, len(pairs))


def _pictures(folder: str | Path, name: str) -> list[Path]:
    folder = checks.path(folder, name)
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise FileNotFoundError(f"{name}: there is no folder {told(folder)}.")
    found = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))
    if not found:
        raise ValueError(f"{name}: {told(folder)} holds no pictures ({', '.join(SUFFIXES)}).")
    return found


def _one(kind: str, file: Path, folder: Path, name: str, category: str, engine: str) -> Row:
    """The row of one photograph, made now or found; its note is written last, so that it stands for files that are whole."""
    note = folder / "prepared" / kind / f"{name}.json"
    try:
        if not file.is_file():
            raise ValueError(f"{kind}: {told(file)} is a folder, a pipe or a device. Copy the picture into a file.")
        made_of = {"source": _digest(file), "engine": engine, "category": category if kind == "garment" else ""}
        there = _found(note, made_of, folder, _OF_PERSON if kind == "person" else _OF_GARMENT, name)
        if there is not None:
            return Row(**{**there, "source": str(file), "again": True})
        row = _person(file, folder, name, engine) if kind == "person" else _garment(file, folder, name, category)
    except (weights.Damaged, weights.Missing):
        raise  # no fault of this photograph
    except (ValueError, FileNotFoundError) as error:
        return Row(kind, str(file), refused=str(error))
    write_text(note, json.dumps({"made_of": made_of, "row": notes.plain(asdict(row), "row")}, indent=1))
    return row


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _found(note: Path, made_of: Mapping[str, str], folder: Path, files: tuple[str, ...], name: str) -> dict[str, Any] | None:
    """What an earlier call wrote of the same photograph, where all its files are still here."""
    if not all((folder / file.format(name)).is_file() for file in files) or not note.is_file():
        return None
    try:
        there = notes.read(note, "prepared", "")
        return {**there["row"], "doubts": tuple(there["row"]["doubts"])} if there["made_of"] == made_of else None
    except (ValueError, KeyError, TypeError):
        return None


def _person(file: Path, folder: Path, name: str, engine: str) -> Row:
    framed, place, meant = stepwise.upright(load_person(file), annotator=engine)
    person = annotate(framed, engine=engine, needs=NEEDS, mask=meant)
    person.save(folder, name)
    for one, other in _OTHER_NAMES.items():
        _same_file(folder / one.format(name), folder / other.format(name))
    put = write_agnostics(person, folder, name)
    found = list(doubts.of_person(person, place))
    if put:
        found.append(f"not seen and put where they should be: {', '.join(put)}")
    if (people := person.scene.get("people", 1)) > 1:
        found.append(f"{people} people are in the frame; the most prominent was taken")
    return Row("person", str(file), name, doubts=tuple(found), made=tuple(person.scene.get("annotations", ())))


def write_agnostics(person: Person, folder: Path, name: str) -> tuple[str, ...]:
    """Write parse and picture of the ``person`` without what they wear above; returns which joints were put where they should be."""
    assert person.keypoints is not None
    assert person.labels is not None
    joints, put = agnostic.completed(agnostic.seen_joints(person.keypoints))
    parse = agnostic.agnostic_parse(person.labels, joints)
    images.write_labels(folder / "image-parse-agnostic-v3.2" / f"{name}.png", parse, CIHP_PALETTE)
    grey = agnostic.agnostic_picture(person.image, changeable(person.labels, joints))
    images.write_image(folder / "agnostic-v3.2" / f"{name}.jpg", grey)
    return put


def _same_file(path: Path, other: Path) -> None:
    """``path`` under a second name; a copy where the disk has no hard links."""

    def link(part: Path) -> None:
        part.unlink()
        try:
            os.link(path, part)
        except OSError:
            shutil.copyfile(path, part)

    write_whole(other, link)


def _garment(file: Path, folder: Path, name: str, category: str) -> Row:
    garment = load_garment(file, category)
    picture, found = garment.image, []
    worn = modelled.cut_out(garment)
    if worn is not None:
        garment = replace(garment, mask=worn)
        picture = np.where(worn[..., None], picture, np.uint8(_BACKDROP))
        found.append("cut out of a photograph of somebody wearing it")
    mask = garment_mask(picture) if garment.mask is None else garment.mask
    place = Frame.fit((picture.shape[1], picture.shape[0]), SIZE)
    framed = place.put(mask)
    Garment(place.put(picture), framed, category, name).save(folder)
    return Row("garment", str(file), name, doubts=(*found, *doubts.of_garment(framed, place)))


def contents(folder: Path, name: str) -> Iterator[np.ndarray]:
    """The pictures of a prepared person, uint8 (H, W, 3): photograph, parse, skeleton, surface, and both agnostics."""
    for file, palette in (
        ("image/{}.jpg", None),
        ("image-parse-v3/{}.png", CIHP_PALETTE),
        ("openpose_img/{}_rendered.png", None),
        ("image-densepose/{}.jpg", None),
        ("agnostic-v3.2/{}.jpg", None),
        ("image-parse-agnostic-v3.2/{}.png", CIHP_PALETTE),
    ):
        path = folder / "test" / file.format(name)
        yield images.read_image(path, "prepared") if palette is None else palette[images.read_values(path, "labels")]

"""A prepared data set at a glance: a contact sheet, a page of what is doubtful, and the same for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from helpers import images, notes
from helpers.dataset.prepare import Prepared, Row, contents
from helpers.files import write_text

_TILE = (150, 200)
_LINE = 20  # pixels of a line of text
_A_SHEET = 25
_DOUBTFUL, _GOOD = (176, 92, 0), (60, 60, 60)


def write(prepared: Prepared) -> list[Path]:
    """Write ``report.json``, ``report.md`` and the contact sheets ``people-1.jpg``, ``garments-1.jpg``, ... into the data set's folder.

    Returns their paths. Raises ``OSError`` naming a file that cannot be written.
    """
    rows = [{**asdict(row), "source": Path(row.source).name} for row in prepared.rows]
    note = {"pairs": prepared.pairs, "rows": rows}
    written = [write_text(prepared.folder / "report.json", json.dumps(notes.plain(note, "report"), indent=1))]
    written.append(write_text(prepared.folder / "report.md", page(prepared)))
    for kind, stem in (("person", "people"), ("garment", "garments")):
        there = [row for row in prepared.rows if row.kind == kind and row.name]
        for number, start in enumerate(range(0, len(there), _A_SHEET), 1):
            sheet = _sheet(prepared.folder, there[start : start + _A_SHEET])
            written.append(images.write_image(prepared.folder / f"{stem}-{number}.jpg", sheet))
    return written


def page(prepared: Prepared) -> str:
    """The report as Markdown: what was refused first, then what is doubtful, then who made what."""
    rows = prepared.rows
    people, garments = (len(prepared.names(kind)) for kind in ("person", "garment"))
    kept = sum(row.again for row in rows)
    lines = [f"# {people} people, {garments} garments, {prepared.pairs} pairs", ""]
    lines += [f"{kept} of them were here before.", ""] if kept else []
    for title, chosen, told in (
        ("Refused", [row for row in rows if row.refused], lambda row: row.refused),
        ("To be looked at", [row for row in rows if row.doubts], lambda row: "; ".join(row.doubts)),
    ):
        if chosen:
            lines += [f"## {title}", "", *(f"- {row.kind} `{Path(row.source).name}`: {told(row)}" for row in chosen), ""]
    made = dict.fromkeys(_made(row) for row in rows if row.made)
    if made:
        lines += ["## Who made what", "", *(f"- {line}" for line in made), ""]
    return "\n".join(lines)


def _made(row: Row) -> str:
    return "; ".join(
        f"{', '.join(one['made'])} by {one['engine']}{' (derived: ' + ', '.join(one['derived']) + ')' if one.get('derived') else ''}, "
        f"{one['licence']}"
        for one in row.made
    )


def _sheet(folder: Path, rows: list[Row]) -> np.ndarray:
    """uint8 (H, W, 3): a strip a row with its name and what is doubtful above it."""
    return np.vstack([_strip(row, list(_pictures(folder, row))) for row in rows])


def _pictures(folder: Path, row: Row) -> Iterator[np.ndarray]:
    if row.kind == "person":
        yield from contents(folder, row.name)
    else:
        yield images.read_image(folder / "test" / "cloth" / f"{row.name}.jpg", "prepared")
        mask = images.read_mask(folder / "test" / "cloth-mask" / f"{row.name}.jpg", "prepared")
        yield np.repeat(mask[..., None].astype(np.uint8) * 255, 3, 2)


def _strip(row: Row, pictures: list[np.ndarray]) -> np.ndarray:
    tiles = np.hstack([images.resize(picture, _TILE) for picture in pictures])
    width = max(tiles.shape[1], 6 * _TILE[0])
    words = _wrapped(f"{row.name}: {'; '.join(row.doubts)}" if row.doubts else row.name, width - 8)
    out = Image.new("RGB", (width, _TILE[1] + _LINE * len(words) + 6), "white")
    pen = ImageDraw.Draw(out)
    for number, line in enumerate(words):
        pen.text((4, 3 + _LINE * number), line, _DOUBTFUL if row.doubts else _GOOD, font_size=14)
    out.paste(Image.fromarray(tiles), (0, _LINE * len(words) + 6))
    return np.asarray(out)


def _wrapped(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` pixels."""
    measure = ImageDraw.Draw(Image.new("L", (1, 1)))
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and measure.textlength(longer, font_size=14) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines

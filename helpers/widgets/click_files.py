"""What a clicker leaves in its folder: ``mask.png`` (all garments), ``garments/NAME.png`` and ``points.json``, anew at every change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import checks, images, notes
from helpers.files import slug, told, write_text
from helpers.segmentation.clicks import Point, parse_points


@dataclass(frozen=True)
class Clicks:
    """What ``points.json`` says of the clicks: by garment the points and, where one was made, the choice among the first one's answers.

    by_hand: whether a hand clicked, and not a cell; done: whether the hand said so
    """

    garments: Mapping[str, Sequence[Point]]
    choices: Mapping[str, int]
    by_hand: bool
    done: bool = False


def write(folder: Path, image: np.ndarray, clicks: Clicks, masks: Mapping[str, np.ndarray]) -> None:
    """Write clicks and masks, bool (H, W) by garment, made on ``image`` uint8 (H, W, 3); each file whole or not at all."""
    stems: list[str] = []
    for name in masks:
        stems.append(slug(name, stems))
    files = {folder / "garments" / f"{stem}.png": mask for stem, mask in zip(stems, masks.values(), strict=True)}
    for path, mask in files.items():
        images.write_mask(path, mask)
    for path in set((folder / "garments").glob("*.png")) - set(files):
        path.unlink()  # a garment that was undone
    images.write_mask(folder / "mask.png", together(image.shape[:2], masks))
    note = {
        "size": [image.shape[1], image.shape[0]],
        "image_sha256": images.digest(image),
        "garments": clicks.garments,
        "by_hand": clicks.by_hand,
        "done": clicks.done,
    }
    if clicks.choices:
        note["choices"] = clicks.choices
    write_text(folder / "points.json", json.dumps(note))


def read(folder: Path, image: np.ndarray) -> Clicks | None:
    """The clicks that were made on this very image, if there are any. Raises ``ValueError`` naming a file that is damaged."""
    path = folder / "points.json"
    if not path.exists():
        return None
    remedy = "Delete it to click anew."
    note = notes.read(path, "clicks", remedy)
    try:
        note = checks.mapping(note, "what it holds")
        if checks.text(note.get("image_sha256"), "image_sha256") != images.digest(image):
            return None
        points = checks.mapping(note.get("garments"), "garments")
        choices = checks.mapping(note.get("choices", {}), "choices")
        return Clicks(
            parse_points(points, (image.shape[1], image.shape[0])),
            {name: checks.whole(choice, f"choices[{name!r}]", 0) for name, choice in choices.items() if name in points},
            checks.flag(note.get("by_hand", False), "by_hand"),
            checks.flag(note.get("done", False), "done"),
        )
    except ValueError as error:
        raise ValueError(f"clicks: {told(path)} is damaged ({str(error).rstrip('.')}). {remedy}") from None


def together(shape: tuple[int, ...], masks: Mapping[str, np.ndarray]) -> np.ndarray:
    """bool ``shape``: what any of the masks covers."""
    return np.logical_or.reduce([np.zeros(shape, bool), *masks.values()])

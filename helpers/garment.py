"""A garment to put on somebody: a product photograph, its mask and its category."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import checks, saving
from helpers.files import told, write_text
from helpers.images import read_alpha, read_image, read_mask, write_image, write_mask

CATEGORIES = ("upper", "lower", "dress")
_MOST = 1_000_000  # bytes that are read of a file of words


@dataclass(frozen=True)
class Garment:
    """A garment alone on a plain backdrop.

    image:    uint8 (H, W, 3) RGB
    mask:     bool (H, W), all of the garment, or ``None`` to be found
    category: ``upper``, ``lower`` or ``dress``
    inside:   bool (H, W), the part of the mask where cloth is seen from within (back of the neck, openings of sleeves), or ``None``
              where that is not known
    invented: bool (H, W), the part of the mask that no photograph shows, of a garment taken from somebody who wears it, or ``None``
    masked_by: who found the mask: an engine's name or ``backdrop``; nothing where it came with the picture
    words:    what it is ("a red short-sleeved polo shirt"), for engines that are told so; nothing where nobody said

    Raises ``ValueError`` for another ``category`` than ``upper``, ``lower`` or ``dress``, or a picture of another kind.
    """

    image: np.ndarray
    mask: np.ndarray | None = None
    category: str = "upper"
    name: str = "garment"
    inside: np.ndarray | None = None
    masked_by: str = ""
    invented: np.ndarray | None = None
    words: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", checks.image(self.image, "garment image"))
        checks.one_of(self.category, "category", CATEGORIES)
        checks.called(self.name, "garment name")
        checks.text(self.masked_by, "garment masked_by")
        checks.text(self.words, "garment words")
        if self.mask is not None:
            object.__setattr__(self, "mask", checks.mask(self.mask, self.image.shape[:2], "garment mask"))
        if self.inside is not None:
            object.__setattr__(self, "inside", checks.mask(self.inside, self.image.shape[:2], "garment inside", empty=True))
        if self.invented is not None:
            object.__setattr__(
                self, "invented", checks.mask(self.invented, self.image.shape[:2], "garment invented", empty=True)
            )

    def save(self, folder: str | Path, name: str | None = None) -> Path:
        """Write ``cloth/NAME.jpg`` and ``cloth-mask/NAME.jpg`` (VITON-HD layout) under ``folder``, all or none; returns the picture's path.

        Beyond that layout, ``cloth-inside/NAME.png``, ``cloth-invented/NAME.png`` and ``cloth-words/NAME.txt`` where they are known, and
        in ``saved/garment/NAME.json`` which files these are. A name of several words becomes one (:func:`helpers.files.slug`); a garment
        saved before under the same words is replaced. Raises ``OSError`` or ``ValueError`` naming the file that cannot be written; the
        former garment is then whole.
        """
        with saving.save(folder, "garment", name or self.name) as save:
            write_image(save.file("cloth", f"{save.name}.jpg"), self.image)
            if self.mask is not None:
                write_mask(save.file("cloth-mask", f"{save.name}.jpg"), self.mask)
            if self.inside is not None:
                write_mask(save.file("cloth-inside", f"{save.name}.png"), self.inside)
            if self.invented is not None:
                write_mask(save.file("cloth-invented", f"{save.name}.png"), self.invented)
            if self.words.strip():
                write_text(save.file("cloth-words", f"{save.name}.txt"), self.words)
        return save.folder / "cloth" / f"{save.name}.jpg"


def load_garment(path: str | Path, category: str = "upper") -> Garment:
    """A garment from a picture file. Its mask is the file of the same name in a ``cloth-mask`` folder beside, or its transparency; what it
    is in words may stand in ``cloth-words`` (.txt, UTF-8).

    Of a garment that :meth:`Garment.save` left exactly the files of that save are read, and it is called what it was then.
    Raises ``FileNotFoundError`` or ``ValueError`` that name ``garment``, the file, and what to do.
    """
    path = checks.path(path, "garment")
    checks.one_of(category, "category", CATEGORIES)
    if path.parent.name != "cloth":
        return Garment(read_image(path, "garment"), read_alpha(path, "garment"), category, path.stem)
    root, name = path.parent.parent, path.stem
    with saving.saved(root, "garment", name) as save:
        if save is not None and (picture := save.find(f"cloth/{path.name}")):
            return _read(picture, category, save.words, save.find, save.remedy)

    def find(*candidates: str) -> Path | None:
        # what is saved under the name is another garment's
        return None if save is not None else next((root / c for c in candidates if os.path.lexists(root / c)), None)

    return _read(path, category, name, find, "Save the garment again, or delete that file to do without it.")


def _read(picture: Path, category: str, name: str, find: Callable[..., Path | None], remedy: str) -> Garment:
    image = read_image(picture, "garment")
    masks: list[np.ndarray | None] = []
    for folder, suffixes in (("cloth-mask", (".jpg", ".png")), ("cloth-inside", (".png",)), ("cloth-invented", (".png",))):
        file = find(*(f"{folder}/{picture.stem}{suffix}" for suffix in suffixes))
        called = folder.replace("cloth-", "garment ")
        try:
            mask = None if file is None else read_mask(file, called)
            if mask is not None:
                checks.mask(mask, image.shape[:2], f"{called}: {told(file or '')}", empty=called != "garment mask")
        except (ValueError, FileNotFoundError) as error:
            raise ValueError(f"{error} {remedy}") from None
        masks.append(mask)
    mask, inside, invented = masks
    mask = read_alpha(picture, "garment") if mask is None else mask
    return Garment(
        image, mask, category, name, inside, invented=invented, words=_words(find(f"cloth-words/{picture.stem}.txt"), remedy)
    )


def _words(file: Path | None, remedy: str) -> str:
    """The text of a file. Raises ``ValueError`` naming one that is no text, or too long."""
    if file is None:
        return ""
    try:
        return checks.text(file.read_bytes()[:_MOST].decode("utf-8").strip(), f"garment words: {told(file)}")
    except (UnicodeDecodeError, OSError) as error:
        raise ValueError(f"garment words: {told(file)} cannot be read as text in UTF-8 ({error}). {remedy}") from None
    except ValueError as error:
        raise ValueError(f"{error} {remedy}") from None

"""A garment to put on somebody: a product photograph, its mask and its category."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import checks
from helpers.images import read_alpha, read_image, read_mask, slug, write_image, write_mask

CATEGORIES = ("upper", "lower", "dress")


@dataclass(frozen=True)
class Garment:
    """A garment alone on a plain backdrop.

    image:    uint8 (H, W, 3) RGB
    mask:     bool (H, W), all of the garment, or ``None`` to be found
    category: ``upper``, ``lower`` or ``dress``
    inside:   bool (H, W), the part of the mask where cloth is seen from within (back of the neck, openings of sleeves), or ``None``
              where that is not known

    Raises ``ValueError`` for another ``category`` than ``upper``, ``lower`` or ``dress``, or a picture of another kind.
    """

    image: np.ndarray
    mask: np.ndarray | None = None
    category: str = "upper"
    name: str = "garment"
    inside: np.ndarray | None = None

    def __post_init__(self) -> None:
        checks.image(self.image, "garment image")
        checks.one_of(self.category, "category", CATEGORIES)
        if self.mask is not None:
            checks.mask(self.mask, self.image.shape[:2], "garment mask")
        if self.inside is not None:
            checks.mask(self.inside, self.image.shape[:2], "garment inside", empty=True)

    def save(self, folder: str | Path, name: str | None = None) -> Path:
        """Write ``cloth/NAME.jpg`` and ``cloth-mask/NAME.jpg`` (VITON-HD layout) under ``folder``; returns the picture's path.

        Beyond that layout, ``cloth-inside/NAME.png`` where it is known. A name of several words becomes one (:func:`helpers.images.slug`).
        """
        folder, name = Path(folder), slug(name or self.name)
        path = write_image(folder / "cloth" / f"{name}.jpg", self.image)
        if self.mask is not None:
            write_mask(folder / "cloth-mask" / f"{name}.jpg", self.mask)
        if self.inside is not None:
            write_mask(folder / "cloth-inside" / f"{name}.png", self.inside)
        return path


def load_garment(path: str | Path, category: str = "upper") -> Garment:
    """A garment from a picture file. Its mask is the file of the same name in a ``cloth-mask`` folder beside, or its transparency.

    Raises ``FileNotFoundError`` or ``ValueError`` that name ``garment`` and the file.
    """
    path = checks.path(path, "garment")
    checks.one_of(category, "category", CATEGORIES)
    image = read_image(path, "garment")
    beside = [path.parent.parent / "cloth-mask" / f"{path.stem}{suffix}" for suffix in (".jpg", ".png")]
    found = next((p for p in beside if path.parent.name == "cloth" and p.exists()), None)
    mask = read_mask(found, "garment mask") if found else read_alpha(path, "garment")
    inside = path.parent.parent / "cloth-inside" / f"{path.stem}.png"
    known = path.parent.name == "cloth" and inside.exists()
    return Garment(image, mask, category, path.stem, read_mask(inside, "garment inside") if known else None)

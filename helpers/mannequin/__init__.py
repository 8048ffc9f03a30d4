"""The mannequin: a parametric figure, clothes cut and draped on it, and a studio photograph of both with its ground truth.

Rooms, in the order a picture passes through them: ``words`` (a prompt to an ``outfit``), ``body`` (figure, pose, skin, hair), ``cloth``
(patterns, sewing, draping), ``fabric`` (what cloth is made of), ``render`` (camera, light, rays), ``truth`` (annotations); ``engine``
joins them, on the common ground of ``mesh``, ``fields``, ``colours`` and ``surface``. What is known about a kind of garment (``kinds``,
``garments``) and of cloth (``fabrics``) is data that all of them read.

The names below are read when they are first asked for, so that reading words does not load what draws them.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from helpers.mannequin.engine import Mannequin, product
    from helpers.mannequin.outfit import Fabric, Figure, Outfit, Piece
    from helpers.mannequin.words.prompt import PromptRefused, describe, parse, require_words, vocabulary

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "engine": ("Mannequin", "product"),
        "outfit": ("Fabric", "Figure", "Outfit", "Piece"),
        "words.prompt": ("PromptRefused", "describe", "parse", "require_words", "vocabulary"),
    },
)

__all__ = [
    "Fabric",
    "Figure",
    "Mannequin",
    "Outfit",
    "Piece",
    "PromptRefused",
    "describe",
    "parse",
    "product",
    "require_words",
    "vocabulary",
]

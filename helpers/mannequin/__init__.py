"""The mannequin: a parametric figure, clothes cut and draped on it, and a studio photograph of both with its ground truth.

Rooms, in the order a picture passes through them: ``prompt`` (words to an outfit), ``body``, ``pose`` and ``skin``, ``hair``,
``wardrobe`` and ``drape`` (garments), ``fabric`` (cloth), ``render`` (light and rays), ``truth`` (annotations); ``engine`` joins them.
"""

from helpers.mannequin.engine import Mannequin, product
from helpers.mannequin.outfit import Fabric, Figure, Outfit, Piece
from helpers.mannequin.prompt import PromptRefused, describe, parse, vocabulary

__all__ = ["Fabric", "Figure", "Mannequin", "Outfit", "Piece", "PromptRefused", "describe", "parse", "product", "vocabulary"]

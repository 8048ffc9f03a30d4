"""From words to a photograph with its truth, and from one garment to a product photograph: the rooms joined."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import replace

import numpy as np

from helpers import checks, engines
from helpers.contract import SEED, Base
from helpers.garment import Garment
from helpers.mannequin import truth
from helpers.mannequin.body.figure import Body, make_body
from helpers.mannequin.body.hair import hair_surfaces
from helpers.mannequin.body.shape import shape_key
from helpers.mannequin.body.skin import skin_surfaces
from helpers.mannequin.cloth.wardrobe import Worn, dress, hide, product_shape, sole_height, surfaces
from helpers.mannequin.fabric.material import fabric_material, print_picture
from helpers.mannequin.outfit import Fabric, Outfit, Piece
from helpers.mannequin.render import studio
from helpers.mannequin.render.camera import Camera, camera_for
from helpers.mannequin.surface import Surface
from helpers.mannequin.words.prompt import parse, parse_piece
from helpers.person import Person

_KEPT = 4  # dressed figures kept in memory, some 20 MB each


class Mannequin(Base):
    """The embedded generation engine. Dressed figures are kept, so other colours or another camera cost only the picture."""

    def __init__(self) -> None:
        self._dressed: OrderedDict[Hashable, tuple[Body, list[Worn]]] = OrderedDict()

    def close(self) -> None:
        """Forget the figures kept in memory."""
        self._dressed.clear()

    @engines.checked("generate", "mannequin")
    def __call__(
        self, prompt: str | Outfit, *, seed: int = 0, size: tuple[int, int] = (768, 1024), camera: Camera | None = None
    ) -> Person:
        """The person that ``prompt`` describes, with every annotation of ``Person``.

        prompt: words, or an edited ``Outfit``; seed: what the words leave open; size: (width, height) in pixels;
        camera: another place to look from than the outfit's framing gives, in metres (``helpers.mannequin.render.camera.Camera``)
        ``Person.scene`` holds the outfit, the camera and the seed as plain data. The same arguments give the same pixels.
        Raises ``PromptRefused`` or ``ValueError`` before anything slow starts.
        """
        outfit = prompt if isinstance(prompt, Outfit) else parse(prompt, seed)
        _require_prints(outfit.pieces)
        parts = self.surfaces(outfit, seed)
        view = camera or camera_for(parts, outfit.framing, size)
        picture = studio.render(parts, view, outfit.backdrop, seed)
        body, _ = self._dress(outfit)
        scene = {"engine": "mannequin", "seed": int(seed), "outfit": outfit.to_dict(), "camera": view.to_dict()}
        return Person(picture.image, **truth.annotate(picture, body), scene=scene)

    def surfaces(self, outfit: Outfit, seed: int = 0) -> list[Surface]:
        """Skin, eyes, hair and garments of ``outfit`` as meshes in metres, for whoever wants the scene itself."""
        body, worn = self._dress(outfit)
        return assembled(replace(body, figure=outfit.figure), worn, outfit.pieces, seed)

    def _dress(self, outfit: Outfit) -> tuple[Body, list[Worn]]:
        # What has no part in the shape, above all colour, has none in what a dressed figure is known by.
        shapes = tuple(replace(p, fabric=Fabric(weave=p.fabric.weave)) for p in outfit.pieces)
        key = shape_key(outfit.figure), shapes
        if key not in self._dressed:
            shoes = next((p.style for p in outfit.pieces if p.category == "shoes"), None)
            body = make_body(outfit.figure, sole_height(shoes))
            self._dressed[key] = body, dress(body, shapes)
            while len(self._dressed) > _KEPT:
                self._dressed.popitem(last=False)
        self._dressed.move_to_end(key)
        return self._dressed[key]


def assembled(body: Body, worn: list[Worn], pieces: tuple[Piece, ...], seed: int = 0) -> list[Surface]:
    """Skin, eyes and hair of ``body``, and after them everything ``worn`` in the cloth of ``pieces``."""
    skin = hide(skin_surfaces(body), body, worn)
    clothes = surfaces(worn, pieces, fabric_material)
    hair = hair_surfaces(body, body.figure, np.random.default_rng([seed, 1]), clothes)
    return [*skin, *hair, *clothes]


def product(what: str | Piece, *, seed: int = 0, size: tuple[int, int] = (768, 1024)) -> Garment:
    """A ghost-mannequin product photograph of one garment, with its exact mask and where its inside shows.

    what: words ("a red and white checked shirt") or a ``Piece``; seed: what the words leave open; size: (width, height) in pixels
    Words that are not understood are named in a warning. Raises ``ValueError`` for several garments or shoes.
    """
    size, seed = engines.check_size("mannequin", size), SEED.check("seed", seed)
    name = what.kind if isinstance(what, Piece) else checks.words(what, "what")
    told = "" if isinstance(what, Piece) else name
    if isinstance(what, str):
        what, unknown = parse_piece(what, seed)
        if unknown:
            warnings.warn(f"not understood in {name!r}: {', '.join(unknown)}", stacklevel=2)
    if what.category == "shoes":
        raise ValueError(f"{name!r}: product photographs are of clothes; shoes cannot be tried on.")
    _require_prints((what,))
    worn = product_shape(what)
    image, mask, inside = studio.photograph_product(surfaces([worn], (what,), fabric_material), size, seed)
    return Garment(image, mask, what.category, name, inside, masked_by="mannequin", words=told)


def _require_prints(pieces: Iterable[Piece]) -> None:
    """Read the pictures that are to be printed on cloth, so that one that cannot be is named before anything is sewn."""
    for piece in pieces:
        if piece.fabric.image is not None:
            print_picture(piece.fabric.image)

"""Atelier: describe an outfit, mask a garment with clicks, put another garment there.

    person = generate("a crop top and mini skirt", seed=0)
    mask = segment(person.image, points=[(384, 290, 1)])
    result = try_on(person, load_garment("shirt.jpg", category="upper"), mask=mask)

``product("a red shirt")`` makes a garment from words instead, ``extract(person)`` of what somebody wears;
``reconstruct(person)`` makes a figure in three dimensions.
Images are uint8 (H, W, 3) RGB, masks bool (H, W), points (x, y, label) in image pixels with label 1 = on the garment, 0 = not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import lazy_loader
import numpy as np

from helpers import checks, engines, images, matting, provenance, weights
from helpers.contract import SEED
from helpers.garment import CATEGORIES, Garment, load_garment
from helpers.labels import CATEGORY_CLASSES, PARTS
from helpers.person import Person, load_person
from helpers.records import ANNOTATOR

if TYPE_CHECKING:
    from helpers.mannequin.engine import product
    from helpers.mannequin.outfit import Outfit
    from helpers.reconstruction.figure import Figure3D
    from helpers.tryon.result import TryOn

__all__ = [
    "Garment",
    "Person",
    "annotate",
    "cut_out",
    "extract",
    "generate",
    "load_garment",
    "load_person",
    "product",
    "read_garment",
    "reconstruct",
    "segment",
    "try_on",
]
__getattr__, _, _ = lazy_loader.attach(
    __name__, submod_attrs={"mannequin.engine": ["product"], "tryon.drape.reading": ["read_garment"]}
)  # what draws is not loaded before

SEEN = (*PARTS, "hands")
"""What ``segment`` finds by its name."""
_LAST: dict[tuple[str, str | int], np.ndarray | None] = {}
"""What is where in the picture that was clicked on last, so that further clicks cost nothing."""
_LEAST_GARMENT = 1e-3  # of the picture
_WORKING_SIZE = (768, 1024)  # width, height at which try-on works; larger photographs are pasted back at their own size


def generate(
    prompt: str | Outfit, *, engine: str = "auto", seed: int = 0, size: tuple[int, int] = (768, 1024), **settings: Any
) -> Person:
    """A clothed person from words, or from an edited ``Outfit``.

    prompt:   what they look like and wear; ``size``: (width, height) in pixels
    settings: the engine's own: the mannequin's ``camera``, RealVisXL's ``steps``, ``guidance_scale``, ``negative_prompt``
    Returns a ``Person`` with the annotations that the engine knows (the mannequin knows all of them).
    Raises ``ValueError`` for words that are refused or a setting that does not fit.
    """
    settings = engines.check_settings("generate", engine, settings)
    size, seed = engines.check_size(engine, size), SEED.check("seed", seed)
    return engines.load("generate", engine)(prompt, seed=seed, size=size, **settings)


def segment(
    image: np.ndarray | Person,
    points: Sequence[tuple[float, float, int]] = (),
    box: tuple[float, float, float, float] | None = None,
    *,
    garment: str | None = None,
    engine: str = "auto",
    choice: int | None = None,
    pick: str | int = "auto",
) -> np.ndarray:
    """bool (H, W): the garment under the clicks, or in a box, or by its name without either.

    image:   uint8 (H, W, 3) RGB, or a ``Person``; points: (x, y, label) in image pixels, label 1 = on the garment, 0 = not
    box:     (x0, y0, x1, y1) in image pixels around the garment, with clicks or without, for an engine that takes one (``sam``)
    garment: ``upper``, ``lower`` or ``dress``, found on the person in the picture; clicks correct what is found. What else is to be seen
             of them has a name too: ``hair``, ``face``, ``neck``, ``arms``, ``hands``, ``legs``, ``shoes``, ``skin``
    choice:  which of the first click's candidates to go on from, 0 the best, for an engine that has several (``sam``)
    pick:    who, where there are several people, for ``garment``: 0, 1, ... from the left, or ``auto``
    Where clicks are all that is given, what can be told of the person counts beside colours and edges, for an engine that goes on from a
    mask (``superpixel``): a garment is one whatever its colours, a click on an arm or a sleeve means all of it.
    The same picture is prepared once; further calls cost only the new clicks.
    Raises ``ValueError`` for points or a box outside the picture, unknown labels, neither a box nor a point on the garment nor its name,
    where nobody is found who wears it, and for what the engine does not take.
    """
    person = image if isinstance(image, Person) else None
    picture = checks.image(image if person is None else person.image)
    height, width = picture.shape[:2]
    asked: dict[str, Any] = {} if choice is None else {"choice": choice}
    if garment is not None:
        checks.one_of(garment, "garment", SEEN)
        engine = engines.starting(engine)
    asked = engines.check_settings("segment", engine, asked)
    if box is not None:
        engines.require_boxes(engine)
        asked["box"] = checks.box(box, (width, height))
    points = checks.clicks(points, (width, height), boxed=box is not None or garment is not None)
    if garment is not None:
        start = _named(person or Person(picture), garment, pick, (width, height)).part(garment)
        assert start is not None
        if not points:
            return start
        asked["start"] = start
    predictor = engines.load("segment", engine)
    predictor.set_image(picture)
    if garment is None and engines.find("segment", engine).starts:  # a named garment is clicked on where names are wrong
        asked["known"] = known_of(person or Person(picture), pick)
    return predictor.predict(points, **asked)


def known_of(person: Person, pick: str | int = "auto") -> np.ndarray | None:
    """uint8 (h, w) for clicks: what is where on the person, by their own labels or those that can be told; ``None``: nobody is seen."""
    from helpers.segmentation.superpixel.body import pieces

    if person.labels is not None:
        return pieces(person.labels, None if person.densepose is None else person.densepose[..., 0])
    key = images.digest(np.ascontiguousarray(person.image)), pick
    if key not in _LAST:
        _LAST.clear()
        small = images.resize(person.image, images.fit_inside(person.image.shape[1::-1], _WORKING_SIZE))
        try:
            seen = annotate(small, needs=("labels", "densepose"), pick=pick)
        except weights.Damaged:
            raise
        except (ValueError, weights.Missing):  # no figure, or nothing here that could tell: colours and edges alone
            _LAST[key] = None
        else:
            assert seen.labels is not None
            assert seen.densepose is not None
            _LAST[key] = pieces(seen.labels, seen.densepose[..., 0])
    return _LAST[key]


def _named(person: Person, garment: str, pick: str | int, size: tuple[int, ...], annotator: str = "auto") -> Person:
    """The person with what tells where ``garment``, or a part of them, is, which is not nothing; the errors say how to click instead in the
    picture of ``size`` that was given."""
    width, height = size
    instead = f"Click on it instead: segment(image, points=[(x, y, 1)]), x 0..{width - 1}, y 0..{height - 1} in this picture."
    needs = ("labels", "densepose") if garment == "hands" else ("labels",)
    try:
        seen = _annotated(person, annotator, needs, pick=pick)
    except (ValueError, weights.Missing) as error:
        raise type(error)(f"garment={garment!r}: {error} {instead}") from None
    found = seen.part(garment)
    if found is None or not found.any():
        raise ValueError(f"garment={garment!r}: none is seen on the person in this picture. {instead}")
    return seen


def cut_out(image: np.ndarray | Person, *, what: str = "auto", pick: str | int = "auto") -> np.ndarray:
    """uint8 (H, W, 4) RGBA: somebody, or a garment photographed flat, without what is behind.

    image: uint8 (H, W, 3) RGB, or a ``Person``
    what:  ``person``, ``garment``, or ``auto``: a person where a face or a hand is seen, else a garment
    pick:  who, where there are several people: 0, 1, ... from the left, or ``auto``: the most prominent
    Opacity is soft along the edge, and the colours there are the figure's own, so that it can be laid on any backdrop without a rim.
    Raises ``ValueError`` where neither is found, and ``weights.Missing`` where people can not be looked for.
    """
    checks.one_of(what, "what", ("auto", "person", "garment"))
    person = image if isinstance(image, Person) else Person(image)
    if what != "garment" and (matte := _matte(person, what, pick)) is not None:
        return matting.lifted(person.image, matte)
    from helpers.tryon.backdrop import garment_mask

    inner = matting.shrunk(garment_mask(person.image))
    return matting.lifted(person.image, matting.guided(person.image, inner.astype(np.float32), 0.004))


def _matte(person: Person, what: str, pick: str | int) -> np.ndarray | None:
    """Of a person; ``None`` for ``auto`` where none is surely there: a flat garment has shoulders too, but neither face nor hands."""
    try:
        seen = annotate(person, needs=("matte",) if what == "person" else ("matte", "face", "hands"), pick=pick)
    except weights.Damaged:
        raise
    except ValueError:  # nobody is seen
        if what == "person":
            raise
        return None
    parts = [part for part in (seen.face, *(() if seen.hands is None else seen.hands)) if part is not None and part[0, 2] > 0]
    return seen.matte if what == "person" or parts else None


def annotate(
    person: Person | np.ndarray,
    *,
    engine: str = "auto",
    needs: Collection[str] = ("keypoints", "labels", "densepose"),
    pick: str | int = "auto",
    mask: np.ndarray | None = None,
    **settings: Any,
) -> Person:
    """The person with what is to be seen of them in the picture; what is known already is kept.

    person: a ``Person``, or just their image
    needs:  which of ``keypoints`` (BODY_25), ``labels`` (CIHP), ``densepose`` (IUV), ``mask``, ...
    pick:   who, where there are several people: 0, 1, ... from the left, or ``auto``: whom ``mask`` is on, else the most prominent
    mask:   bool (H, W) of what somebody wears
    ``scene["annotations"]`` says which engine made what, and its terms.
    Raises ``ValueError`` where nobody is found, and ``weights.Missing`` saying which engines could and what to fetch.
    """
    person = person if isinstance(person, Person) else Person(person)
    missing, pick = person.missing(needs), engines.PICK.check("pick", pick)
    if mask is not None:
        mask = checks.mask(mask, person.image.shape[:2])
    if engine != "auto":
        engines.check_settings("annotate", engine, settings)
    if not missing:
        return person
    if engine == "auto":
        return _annotated(person, engine, missing, pick=pick, mask=mask, **settings)
    record = engines.find("annotate", engine, gives=missing)
    settings = engines.check_settings("annotate", record.name, settings)
    chosen = engines.full_name("annotate", engine)
    found = engines.load("annotate", chosen)(person, needs=missing, pick=pick, mask=mask, **settings)
    made = {"engine": chosen, "made": list(missing), "licence": record.licence, "commercial": record.commercial}
    if derived := [name for name in missing if name in record.derives]:
        made["derived"] = derived
    if provenance.tiny("annotate", chosen):
        made["networks"] = provenance.TINY
    return replace(found, scene={**found.scene, "annotations": [*person.scene.get("annotations", ()), made]})


def _annotated(person: Person, annotator: str, needs: Collection[str], **asked: Any) -> Person:
    """The person with what they lack of ``needs``, by ``annotator`` as far as it gives that, and by the best ones here."""
    for name, wanted in engines.annotators(annotator, person.missing(needs)):
        person = annotate(person, engine=name, needs=wanted, **asked)
    return person


def try_on(
    person: Person | np.ndarray,
    garment: Garment,
    *,
    mask: np.ndarray | None = None,
    engine: str = "auto",
    seed: int = 0,
    pick: str | int = "auto",
    annotator: str = "auto",
    **settings: Any,
) -> TryOn:
    """``garment`` on ``person`` in place of what ``mask`` covers.

    person:    a ``Person``, or just its image; mask: bool (H, W) of what is worn now, or ``None`` to find it: from the person's labels,
              or in the picture
    pick:      whose, where that is looked for and there are several people: 0, 1, ... from the left, or ``auto``: the most prominent
    annotator: the engine that is asked for what the engine wants to know and the person lacks; what that one does not give, and everything
               for ``auto``, is asked of the best ones here
    settings:  the engine's own: IDM-VTON's ``description``, ``steps``, ``guidance_scale``, ``profile``, ...
    Returns a ``TryOn``: image, mask, confidence, notes on what could not be matched (that no annotator is here among them), who made what,
    and the steps between.
    Pixels away from the mask are the photograph's own. Raises ``ValueError`` naming what does not fit.
    """
    person = person if isinstance(person, Person) else Person(person)
    settings, seed = engines.check_settings("try_on", engine, settings), SEED.check("seed", seed)
    engines.check_garment(garment)
    pick = engines.PICK.check("pick", pick)
    if mask is not None:
        mask = checks.mask(mask, person.image.shape[:2])
    record = engines.find("try_on", engine)
    engines.annotators(annotator := ANNOTATOR.check("annotator", annotator), ())
    change = provenance.GIVEN
    if record.frames:
        asked = {"pick": pick, "annotator": annotator}  # it looks for people itself
        settings |= {name: value for name, value in asked.items() if name in record.settings}
        if mask is None and pick != "auto" and "pick" not in record.settings:
            mask, _ = _worn(person, person, garment.category, pick, annotator)
        runner = engines.load("try_on", engine)
        return runner(person, garment, mask=mask, seed=seed, **settings)
    height, width = person.image.shape[:2]
    size = images.fit_inside((width, height), _WORKING_SIZE)
    whole = size == (width, height)
    small = person if whole else person.resized(size)
    if mask is None:
        mask, change = _worn(person, small, garment.category, pick, annotator)
    runner = engines.load("try_on", engine)
    worn = mask if mask.shape == small.image.shape[:2] else images.resize(mask, size)
    small, notes = _better_known(small, record.wants, worn, annotator)
    result = runner(small, garment, mask=worn, seed=seed, **settings)
    result = replace(
        result,
        notes=(*provenance.tiny("try_on", result.engine, small), *notes, *result.notes),
        licence="; ".join(filter(None, [result.licence, *provenance.licences(small, garment)])),
        made_by={**provenance.of_person(small, record.wants), **result.made_by, provenance.CHANGE: change},
    )
    return result if whole else result.at_size_of(person.image)


def extract(
    person: Person | np.ndarray,
    garment: str = "upper",
    *,
    mask: np.ndarray | None = None,
    engine: str = "auto",
    pick: str | int = "auto",
    annotator: str = "auto",
    **settings: Any,
) -> Garment:
    """The garment that ``person`` wears as it would lie flat: on white, with its mask, as ``try_on`` takes it.

    person:  a ``Person``, or just their image; garment: ``upper``, ``lower`` or ``dress``
    mask:    bool (H, W) of it, such as ``segment`` makes of clicks; ``None``: told by the person's labels, or looked for in the picture
    pick, annotator: as for ``try_on``
    ``invented`` of the result is what the picture does not show: behind arms and hair, and the neck's inside.
    Raises ``ValueError`` where nobody or nothing of the garment is seen.
    """
    person = person if isinstance(person, Person) else Person(person)
    settings = engines.check_settings("extract", engine, settings)
    checks.one_of(garment, "garment", CATEGORIES)
    pick, annotator = engines.PICK.check("pick", pick), ANNOTATOR.check("annotator", annotator)
    engines.annotators(annotator, ())
    record = engines.find("extract", engine)
    if mask is not None:
        mask = checks.mask(mask, person.image.shape[:2])
    size = images.fit_inside(person.image.shape[1::-1], _WORKING_SIZE)
    small = person if size == person.image.shape[1::-1] else person.resized(size)
    if mask is None:
        mask, _ = _worn(person, small, garment, pick, annotator)
    if mask.mean() < _LEAST_GARMENT:
        raise ValueError(
            f"mask: {mask.mean():.2%} of the picture is too little of a garment to lay it flat. Use a picture in which it is seen whole."
        )
    worn = mask if mask.shape == small.image.shape[:2] else images.resize(mask, size)
    seen, _ = _better_known(small, record.wants, worn, annotator)
    return engines.load("extract", engine)(seen, mask=worn, category=garment, **settings)


def reconstruct(
    person: Person | np.ndarray,
    *,
    engine: str = "auto",
    pick: str | int = "auto",
    annotator: str = "auto",
    **settings: Any,
) -> Figure3D:
    """``person`` in three dimensions: textured meshes in metres, to be turned, filmed and saved.

    person:  a ``Person``, or just their image
    engine:  ``auto`` takes the true figure of a person that the mannequin drew, else what a picture shows, by the best engine here
    pick, annotator: as for ``try_on``
    settings: the engine's own: ``mc_resolution``, ``foreground_ratio``, ``texture_size``, ...
    Raises ``ValueError`` where nobody is seen, and naming a setting that does not fit, before anything slow starts.
    """
    person = person if isinstance(person, Person) else Person(person)
    if engine == "auto" and person.scene.get("engine") == "mannequin" and "outfit" in person.scene:
        engine = "true_mesh"
    settings = engines.check_settings("reconstruct", engine, settings)
    pick, annotator = engines.PICK.check("pick", pick), ANNOTATOR.check("annotator", annotator)
    record = engines.find("reconstruct", engine)
    seen = _annotated(person, annotator, record.needs, pick=pick) if record.needs else person
    figure = engines.load("reconstruct", engine)(seen, **settings)
    if not record.needs:
        return figure
    return replace(
        figure,
        licence="; ".join(filter(None, [figure.licence, *provenance.licences(seen)])),
        made_by={**provenance.of_person(seen, record.needs), **figure.made_by},
    )


def _better_known(person: Person, wants: Collection[str], mask: np.ndarray, annotator: str) -> tuple[Person, tuple[str, ...]]:
    """``person`` with what is wanted to be known and an annotator here can tell, and what is to be said of it."""
    if person.labels is not None:  # they tell hands, face and outline
        wants = {*wants} & {"keypoints"}
    try:
        return _annotated(person, annotator, wants, mask=mask), ()
    except (weights.Missing, ImportError):
        return person, (
            "No annotator is here to say where the arms are: they are guessed from outlines. "
            "Fetch one: python -m helpers weights fetch mediapipe",
        )
    except weights.Damaged:
        raise
    except ValueError:
        return person, ("No pose was recognised in the photograph: arms are guessed from outlines.",)


def _worn(person: Person, small: Person, category: str, pick: str | int, annotator: str) -> tuple[np.ndarray, str]:
    """bool of what is worn, and who told: of ``person`` if the labels tell it, else it is looked for in the ``small`` picture of them."""
    mask = person.worn(category)
    if mask is None:
        person = _named(small, category, pick, person.image.shape[1::-1], annotator)
        mask = person.part(category)
        assert mask is not None
    elif not mask.any():
        raise ValueError(
            f"mask: nobody wears {' or '.join(CATEGORY_CLASSES[category])} here. Choose another category or pass mask=."
        )
    return mask, provenance.of_person(person, ("labels",))["labels"]

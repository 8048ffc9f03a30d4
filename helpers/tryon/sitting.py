"""What every try-on by a network shares: the way from photographs of any size into its frame, and back.

sitting = sit(person, garment, mask, (768, 1024), engine="its_name")  # with the annotations that the record needs
painted = ...                                       # the engine's own: from sitting.person, .mask, .cloth to a picture of the frame
return sitting.result(painted)
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from helpers import annotate, engines, images, provenance
from helpers.garment import Garment
from helpers.person import Person
from helpers.tryon import modelled, plausible
from helpers.tryon.backdrop import garment_mask
from helpers.tryon.colour import match_colour
from helpers.tryon.framing import Frame
from helpers.tryon.result import TryOn

GROWN = 0.006
"""Of the frame's height, by which a given mask grows: a clicked one lies on the edge of the cloth, and that edge must be painted too."""
_FEATHER = 0.004  # of the photograph's height


@dataclass(frozen=True)
class Sitting:
    """Somebody ready to be painted in another garment.

    engine:     name of the engine that paints
    photograph: uint8 (H, W, 3), as it came
    frame:      how it lies in the network's frame
    image:      uint8 (h, w, 3), the photograph in the frame
    person:     the person in the frame with the annotations that were needed, at the annotators' size
    mask:       bool (h, w) of what may change; nothing, where none was given, until :meth:`masked` says it
    garment:    as it came
    cloth:      uint8 (h, w, 3), the garment in the frame, as ``cloth_frame`` says
    made_by:    who made what, as :class:`~helpers.tryon.result.TryOn` has it
    notes:      what is to be said to whoever asked
    started:    ``time.perf_counter()`` at the beginning
    """

    engine: str
    photograph: np.ndarray
    frame: Frame
    image: np.ndarray
    person: Person
    mask: np.ndarray
    garment: Garment
    cloth: np.ndarray
    cloth_frame: Frame
    made_by: dict[str, str]
    notes: tuple[str, ...]
    started: float

    @cached_property
    def cloth_mask(self) -> np.ndarray:
        """bool (h, w): where the cloth is in :attr:`cloth`; found on its backdrop where the garment came without a mask.

        Raises ``ValueError`` where it cannot be found.
        """
        mask = self.garment.mask
        if mask is None:
            mask = garment_mask(self.garment.image)
        return self.cloth_frame.put(mask)

    def masked(self, mask: np.ndarray) -> Sitting:
        """The same with ``mask``, bool of any size over the frame, for somebody who was sat without one.

        Raises ``ValueError`` for an empty one: nobody wears such a garment.
        """
        if not mask.any():
            raise ValueError(
                f"mask: no garment of category {self.garment.category!r} was found on this person. "
                "Choose another category, or pass mask= from clicks."
            )
        if mask.shape != self.image.shape[:2]:
            mask = cv2.resize(mask.astype(np.uint8), self.frame.size, interpolation=cv2.INTER_NEAREST_EXACT) > 0
        return replace(self, mask=mask, made_by={**self.made_by, provenance.CHANGE: self.engine})

    def widened(self, mask: np.ndarray) -> Sitting:
        """The same where ``mask``, bool of any size over the frame, may change too, beside the one that was given."""
        large = cv2.resize(mask.astype(np.uint8), self.frame.size, interpolation=cv2.INTER_NEAREST_EXACT) > 0
        who = f"{provenance.GIVEN} and {self.engine}"
        return replace(self.masked(large | self.mask), made_by={**self.made_by, provenance.CHANGE: who})

    def result(
        self,
        painted: np.ndarray,
        *,
        notes: Sequence[str] = (),
        steps: Mapping[str, np.ndarray] | None = None,
        colour_match: bool = False,
        whole: bool = False,
    ) -> TryOn:
        """``painted`` taken out of the frame and blended into the photograph inside the mask; every other pixel is the photograph's own.

        painted:      uint8 (h, w, 3), the frame as the network painted it
        notes, steps: the engine's own, notes before those of the sitting
        colour_match: shift the new cloth to the garment's colour where it has faded
        whole:        everything that the frame shows is taken, not only what the mask covers
        The result comes with the terms of the engine's record and of the annotations. Raises ``ValueError`` where there is no mask yet,
        or for a picture of another size.
        """
        if not self.mask.any():
            raise ValueError("this sitting has no mask yet: call masked(mask) with what may change.")
        if painted.shape != self.image.shape:
            raise ValueError(f"a picture of {self.image.shape} is to be taken out of the frame, not {painted.shape}.")
        made = {
            "person in the frame": self.image,
            "what may change": np.where(self.mask[..., None], 127, self.image).astype(np.uint8),
            **(steps or {}),
            "garment in the frame": self.cloth,
            "as painted": painted,
        }
        if colour_match:
            painted = made["colour matched"] = match_colour(painted, self.mask, self.cloth, self.cloth_mask)
        photograph = self.photograph
        mask = self.frame.take(self.mask, np.zeros(photograph.shape[:2], bool))
        image = self.frame.take(painted, photograph)
        if not whole:
            # Blended inside the mask, so that what it does not cover (face, hands, backdrop) keeps its own bytes.
            soft = max(2, round(_FEATHER * photograph.shape[0]))
            image = images.paste_back(photograph, image, _shrunk(mask, soft), soft)
        return TryOn(
            image=image,
            mask=mask,
            changed=images.difference(image, photograph) > 0,
            confidence=None,
            notes=(*provenance.tiny("try_on", self.engine, self.person), *notes, *self.notes),
            steps=made,
            seconds=time.perf_counter() - self.started,
            engine=self.engine,
            licence=self._terms(),
            made_by=self.made_by,
        )

    def _terms(self) -> str:
        """The licences of the engine and of whoever made what it worked from, each once."""
        own = engines.find("try_on", self.engine).licence.split("; ")
        return "; ".join(dict.fromkeys([*own, *provenance.licences(self.person, self.garment)]))


def sit(
    person: Person,
    garment: Garment,
    mask: np.ndarray | None,
    size: tuple[int, int],
    *,
    engine: str,
    needs: Collection[str] | None = None,
    framing: str = "letterbox",
    pick: str | int = "auto",
    annotator: str = "auto",
    annotated: tuple[int, int] | None = None,
    grown: float = GROWN,
) -> Sitting:
    """A person and a garment in the frame of ``size`` (width, height), with the annotations that ``engine`` needs.

    engine:    the name of the try-on engine; its record says what it ``needs``
    mask:      bool (H, W) over the photograph, checked by :mod:`helpers.tryon.plausible`, or ``None`` for an engine that finds it
    needs:     those of the record's that are wanted this time; what the person lacks of them is asked of ``annotator``, in the frame, and
               what that one does not give of the best that is here; a ``cloth mask`` that is lacking is found on the garment's backdrop
    framing:   ``letterbox``, ``crop`` or ``stretch`` (:meth:`helpers.tryon.framing.Frame.fit`); a garment is stretched or letterboxed
    pick:      who is meant of several people: ``auto`` (whom the mask is on, else the most prominent) or 0, 1, ... from the left
    annotated: (width, height) at which the person is annotated where that is not ``size``
    grown:     of the frame's height, by which the mask grows
    A garment that somebody wears in its picture is cut out of it, or refused by name.
    Raises ``ValueError`` naming what does not fit, before anything slow; what the annotator raises where it cannot run or finds nobody.
    """
    started = time.perf_counter()
    declared = engines.find("try_on", engine).needs
    needs = declared if needs is None else needs
    if undeclared := sorted({*needs} - declared):
        raise ValueError(f"engine {engine} asks for {', '.join(undeclared)}, which its record does not say that it needs.")
    asked = engines.annotators(annotator, person.missing({*needs} - {provenance.CLOTH_MASK}))
    if len(asked) > 1:  # the second one may not be here after all
        for name, _ in asked:
            engines.ready("annotate", name)
    height, width = person.image.shape[:2]
    place = Frame.fit((width, height), size, framing)
    notes = []
    worn = modelled.cut_out(garment)
    if worn is not None:  # the network is shown the cloth alone
        notes.append(modelled.CUT_OUT)
        image = np.where(worn[..., None], garment.image, 255).astype(np.uint8)
        garment = replace(garment, image=image, mask=worn, masked_by=provenance.CUT_OUT)
    elif garment.mask is None and provenance.CLOTH_MASK in needs:
        garment = replace(garment, mask=garment_mask(garment.image), masked_by=provenance.BACKDROP)
    framed = np.zeros(size[::-1], bool)
    if mask is not None:
        if remark := plausible.check(mask, person):
            notes.append(remark)
        framed = place.put(mask)
        if not framed.any():
            raise ValueError(f"mask lies outside what framing={framing!r} keeps of the photograph. Use framing='letterbox'.")
        if grown:
            framed = cv2.dilate(framed.astype(np.uint8), _ellipse(max(1, round(grown * size[1])))) > 0
    smaller = Frame.fit((width, height), annotated or size, framing)
    seen = in_frame(person, smaller)
    people = 1
    for name, wanted in asked:
        seen = annotate(seen, engine=name, needs=wanted, pick=pick, mask=None if mask is None else smaller.put(mask))
        people = max(people, seen.scene.get("people", 1))
    if people > 1 and pick == "auto":
        notes.append(
            f"{people} people are in the picture; one was dressed, the mask's wearer or the most prominent. "
            "pick=0, 1, ... chooses."
        )
    cloth_frame = Frame.fit(
        (garment.image.shape[1], garment.image.shape[0]), size, "stretch" if framing == "stretch" else "letterbox"
    )
    made_by = provenance.of_person(seen, declared)
    if provenance.CLOTH_MASK in declared:
        made_by[provenance.CLOTH_MASK] = provenance.of_garment(garment)
    if mask is not None:
        made_by[provenance.CHANGE] = provenance.GIVEN
    return Sitting(
        engine=engine,
        photograph=person.image,
        frame=place,
        image=place.put(person.image),
        person=seen,
        mask=framed,
        garment=garment,
        cloth=cloth_frame.put(garment.image),
        cloth_frame=cloth_frame,
        made_by=made_by,
        notes=tuple(notes),
        started=started,
    )


def in_frame(person: Person, place: Frame) -> Person:
    """``person`` as ``place`` shows them, with every annotation there is."""

    def labels(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else place.put_labels(values)

    return Person(
        place.put(person.image),
        **person.moved(place.put_points),
        labels=labels(person.labels),
        densepose=labels(person.densepose),
        depth=labels(person.depth),
        normals=labels(person.normals),
        mask=None if person.mask is None else place.put(person.mask),
        matte=None if person.matte is None else place.put(person.matte),
        garments={name: place.put(worn) for name, worn in person.garments.items()},
        scene=person.scene,
    )


def _ellipse(reach: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))


def _shrunk(mask: np.ndarray, reach: int) -> np.ndarray:
    """``mask`` less a rim of ``reach`` pixels; the border of the picture is no rim."""
    return cv2.erode(mask.astype(np.uint8), _ellipse(reach), borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0

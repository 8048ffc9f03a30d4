"""A photograph one annotation at a time, each by an engine of its own, as the notebooks walk through it.

The person is put upright first; what one engine found stays, and the next is asked only for what is still missing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers import annotate, checks, engines, images
from helpers.dataset.cropping import enlarged, frame_around
from helpers.garment import Garment
from helpers.person import Person
from helpers.provenance import BACKDROP, CUT_OUT
from helpers.tryon import modelled
from helpers.tryon.backdrop import garment_mask
from helpers.tryon.framing import Frame
from helpers.tryon.sitting import in_frame

_LOOKED_AT = (768, 768)  # at most, to find the person
_BESIDE = {"matte": ("mask",), "keypoints": ("landmarks", "hands", "face", "matte", "mask"), "labels": ("mask",)}
"""What is taken along where the same engine sees it: the drape is better for it."""


def upright(person: Person, *, annotator: str = "auto", pick: str | int = "auto") -> tuple[Person, Frame, np.ndarray]:
    """The person in the frame of 768x1024 that is cut out around them, never stretched; where in the photograph it lies; who is meant.

    What is known of them already is moved along. Who is meant is bool (1024, 768), for the engines that look at them next.
    Raises ``ValueError`` where nobody is found.
    """
    size = images.fit_inside(person.image.shape[1::-1], _LOOKED_AT)
    small = person if size == person.image.shape[1::-1] else person.resized(size)
    seen = annotate(small, engine=annotator, needs=("keypoints", "mask"), pick=pick)
    assert seen.mask is not None
    near = frame_around(seen)
    place = enlarged(near, person.image.shape[1::-1])
    return in_frame(person, place), place, near.put(seen.mask)


def ready(annotation: str, name: str) -> str:
    """The name of the engine that is asked for ``annotation`` of a person, once it is sure that it can run.

    Raises ``ValueError`` for one that does not give it, and what :func:`helpers.engines.ready` does.
    """
    record = engines.find("annotate", name, gives=(annotation,))
    return engines.ready("annotate", record.name if name == "auto" else name)


def see(person: Person, annotation: str, engine: str, meant: np.ndarray) -> Person:
    """The person with ``annotation`` by ``engine``, and what else the same look gives that a try-on is better for.

    meant: bool (H, W) of whom, where several people are in the picture; it is their mask until an engine finds a better one
    """
    gives = engines.find("annotate", engine, gives=(annotation,)).gives
    beside = [name for name in _BESIDE.get(annotation, ()) if name in gives]
    seen = annotate(person, engine=engine, needs=(annotation, *beside), mask=meant)
    return seen if seen.mask is not None else replace(seen, mask=meant)


def cloth_engine(name: str) -> str:
    """How a garment's mask is found: ``auto`` is by its backdrop; else the name of an engine, once it is sure that it can run."""
    if name in ("auto", BACKDROP):
        return BACKDROP
    record = engines.find("annotate", name)
    if not record.gives & {"mask", "labels"}:
        raise ValueError(
            f"engine {name!r} gives neither a mask nor labels of a garment. Choose auto, u2net_cloth or cloths_segmentation."
        )
    return engines.ready("annotate", name)


def with_mask(garment: Garment, engine: str) -> Garment:
    """The garment with its mask: the one it came with, or found by ``engine`` (:func:`cloth_engine`).

    Raises ``ValueError`` where no garment is seen; one that somebody wears in its picture is cut out of it or refused by name.
    """
    if garment.mask is not None:
        return garment
    mask, by = modelled.cut_out(garment), engine
    if mask is not None:
        by = CUT_OUT
    elif engine == BACKDROP:
        mask = garment_mask(garment.image)
    else:
        gives = engines.find("annotate", engine).gives
        seen = annotate(garment.image, engine=engine, needs=("labels",) if "mask" not in gives else ("mask",))
        mask = seen.mask if "mask" in gives else None if seen.labels is None else seen.labels > 0
    return replace(garment, mask=checks.mask(mask, garment.image.shape[:2], "cloth mask"), masked_by=by)

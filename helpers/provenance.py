"""Who made what a try-on worked from: the person's annotations, the garment's mask, and what may change."""

from __future__ import annotations

from collections.abc import Collection

from helpers import engines
from helpers.garment import Garment
from helpers.person import ANNOTATIONS, Person

GIVEN = "given"
"""Who made what came with the person, the garment or the call."""
BACKDROP = "backdrop"
"""Who made a garment's mask that was found without a network: by what it lies on."""
CUT_OUT = "cut out of its wearer's photograph"
TINY = "tiny test network"
"""What ran where :mod:`helpers.testing` made the checkpoint."""
CLOTH_MASK, CHANGE = "cloth mask", "what may change"


def of_person(person: Person, names: Collection[str]) -> dict[str, str]:
    """Annotation -> who made it, for those of ``names`` that are known, in the order of ``ANNOTATIONS``.

    An engine's full name, with ``(derived)`` where it has no network for that; the generator that built the figure; or ``given``.
    """
    made: dict[str, str] = {}
    for about in person.scene.get("annotations", ()):
        derived = about.get("derived", ())
        engine = about.get("engine", GIVEN)
        made |= {name: f"{engine} (derived)" if name in derived else engine for name in about.get("made", ())}
    builders = {engine.name for engine in engines.ENGINES if engine.stage == "generate" and engine.knows_figure}
    otherwise = next((name for name in builders if name == person.scene.get("engine")), GIVEN)
    return {name: made.get(name, otherwise) for name in ANNOTATIONS if name in names and getattr(person, name) is not None}


def of_garment(garment: Garment) -> str:
    """Who made the garment's mask, or will where it has none."""
    return (garment.masked_by or GIVEN) if garment.mask is not None else BACKDROP


def tiny(stage: str, engine: str, person: Person | None = None) -> tuple[str, ...]:
    """A remark where the ``engine``, or who annotated the ``person``, ran on tiny test networks; nothing where none did."""
    name, _, variant = engine.partition(":")
    found = [engine] if engines.find(stage, name).tiny(variant) else []
    found += [] if person is None else [a["engine"] for a in person.scene.get("annotations", ()) if a.get("networks") == TINY]
    said = "the files of %s are no published ones, and what it made proves only that every step runs."
    return (f"{TINY.capitalize()}: {said % ' and '.join(dict.fromkeys(found))}",) if found else ()


def licences(person: Person, garment: Garment | None = None) -> list[str]:
    """The terms of everybody who annotated the person or found the garment's mask, each once."""
    found = [about["licence"] for about in person.scene.get("annotations", ())]
    if garment is not None and garment.masked_by.partition(":")[0] in engines.names("annotate"):
        found.append(engines.find("annotate", garment.masked_by).licence)
    return list(dict.fromkeys(part for licence in found for part in licence.split("; ")))

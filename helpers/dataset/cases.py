"""Several people and garments, of words or of files, each dressed by one engine: what works, and what is refused and why."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers import annotate, checks, engines, generate, load_garment, load_person, product, try_on, weights
from helpers.dataset import stepwise
from helpers.garment import Garment
from helpers.generation.drawing import require_prompt
from helpers.mannequin.words.prompt import parse_piece, require_words
from helpers.person import Person
from helpers.provenance import BACKDROP
from helpers.reading import SUFFIXES, read_image

_SMALL = (288, 384)
"""Of what is drawn for a menu, (width, height): the same figure as in full size."""
_NEEDS = ("keypoints", "landmarks", "hands", "face", "matte", "mask", "labels", "densepose")


@dataclass(frozen=True)
class Tried:
    """One case: who in what, as asked; person, garment and what came, uint8 (H, W, 3), the person themselves where nothing did.

    engine: who made it, nothing where it was refused; said: that in a word; notes: what the engine says of it, or why it refuses
    """

    who: str
    what: str
    person: np.ndarray
    garment: np.ndarray
    image: np.ndarray
    engine: str
    said: str
    notes: str
    confidence: float | None


def is_file(what: str) -> bool:
    """Whether ``what`` means a picture's file, and no words."""
    try:
        return what.lower().endswith(SUFFIXES) or Path(what).is_file()
    except OSError:  # more words than a name may have
        return False


def listed(given: str | Sequence[str], name: str) -> list[str]:
    """What there is to choose from: words and files as given, or every picture of the folder that is given.

    Raises ``ValueError`` naming the parameter ``name`` for neither, and for a folder without pictures.
    """
    if not isinstance(given, str):
        return [checks.text(each, f"{name}[{number}]") for number, each in enumerate(given)]
    folder = Path(checks.text(given, name))
    if not folder.is_dir():
        raise ValueError(f"{name} must be a list of words and files, or a folder of pictures, not {checks.shown(given)}.")
    found = sorted(str(path) for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise ValueError(f"{name}: no picture is in the folder {folder} ({', '.join(SUFFIXES)}).")
    return found


def drawer(people: Sequence[str], garments: Sequence[str], seed: int) -> Callable[[str], np.ndarray]:
    """name -> uint8 (H, W, 3): one of ``people`` or ``garments`` in small, read or drawn. Words that cannot be drawn are refused now.

    Raises ``ValueError`` naming them, and ``FileNotFoundError`` for a file that is not there.
    """
    for number, who in enumerate(people):
        if is_file(who):
            checks.file(who, f"people[{number}]")
        else:
            require_prompt(who, seed=seed)
    for number, what in enumerate(garments):
        if is_file(what):
            checks.file(what, f"garments[{number}]")
        else:
            parse_piece(what, seed)

    def draw(name: str) -> np.ndarray:
        if is_file(name):
            return read_image(name)
        return generate(name, seed=seed, size=_SMALL).image if name in people else product(name, seed=seed, size=_SMALL).image

    return draw


def taken(stage: str, engine: str, public: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` and those of ``public`` that ``engine`` takes, all of them checked; ``ValueError`` naming one that does not fit."""
    known = {record.name: record.settings for record in engines.ENGINES if record.stage == stage}
    for name, value in public.items():
        for each in known.values():
            if name in each:
                each[name].check(name, value)
    own = known[engine.partition(":")[0]]
    return engines.check_settings(stage, engine, {**{k: v for k, v in public.items() if k in own}, **settings})


def without_edges(pictures: Sequence[np.ndarray], padding: int) -> list[np.ndarray]:
    """Each of ``pictures`` (H, W, ...) without ``padding`` pixels at its sides."""
    height, width = pictures[0].shape[:2]
    if 2 * padding >= min(height, width) - checks.SMALLEST:
        raise ValueError(f"padding={padding} leaves nothing of a picture of {width}x{height}.")
    return [picture[padding : height - padding, padding : width - padding] for picture in pictures]


def inline(video: Path) -> str:
    """A looping picture as HTML that holds it, so that a saved notebook shows it too."""
    data = base64.b64encode(video.read_bytes()).decode()
    return f'<img alt="the figure turning" src="data:image/{video.suffix[1:]};base64,{data}">'


def require_drawn(prompt: str, garment_words: str, seed: int) -> None:
    """Check the words of who and which top is drawn where no picture is given. Raises ``ValueError`` naming the parameter."""
    require_prompt(prompt, seed=seed)
    require_words(garment_words, "upper", "garment_words")


def require_cases(others: Sequence[str], seed: int) -> list[tuple[str, str]]:
    """``WHO > WHAT`` as pairs, each word or file of which can be used; a garment's file is one of a top.

    Raises ``ValueError`` or ``FileNotFoundError`` naming the case, before anything slow.
    """
    cases = []
    for number, case in enumerate(others):
        name = f"others[{number}]"
        who, arrow, what = (part.strip() for part in checks.text(case, name).partition(">"))
        if not (who and arrow and what):
            raise ValueError(
                f"{name} must be WHO > WHAT, words or a file on each side, such as 'a man in jeans > a red shirt'."
            )
        if is_file(who):
            load_person(who)
        else:
            require_prompt(who, seed=seed)
        if is_file(what):
            load_garment(what)
        else:
            parse_piece(what, seed)
        cases.append((who, what))
    return cases


def somebody(what: str, seed: int) -> Person:
    """Who is in a file, or somebody drawn from words of whom nothing is known but the picture."""
    return load_person(what) if is_file(what) else Person(generate(what, seed=seed).image)


def something(what: str, seed: int) -> Garment:
    """A top in a file, or the picture of a garment made from words, in which it is still to be found."""
    if is_file(what):
        return load_garment(what)
    drawn = product(what, seed=seed)
    return Garment(drawn.image, category=drawn.category, name=drawn.name)


def tried(case: tuple[str, str], engine: str, settings: Mapping[str, Any], seed: int) -> Tried:
    """What ``engine`` makes of a case of :func:`require_cases`; everything that is to be known is asked of the best annotators here.

    What the engine or an annotator refuses is in the notes; missing or damaged weights are raised.
    """
    who, what = case
    wearer, cloth = somebody(who, seed), something(what, seed)
    try:
        framed, _, meant = stepwise.upright(wearer)
        wearer = annotate(framed, needs=_NEEDS, mask=meant)
        result = try_on(wearer, stepwise.with_mask(cloth, BACKDROP), engine=engine, seed=seed, **settings)
    except weights.Damaged:
        raise
    except ValueError as error:
        return Tried(who, what, wearer.image, cloth.image, wearer.image, "", "refused", str(error), None)
    said = result.engine + ("" if result.confidence is None else f", confidence {result.confidence:.2f}")
    notes = " ".join(result.notes) or "nothing to remark"
    return Tried(who, what, wearer.image, cloth.image, result.image, result.engine, said, notes, result.confidence)

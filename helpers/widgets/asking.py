"""The one question of the try-on notebooks: what is worn now?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers import checks, engines, known_of, segment, weights
from helpers.person import Person
from helpers.runs import Run
from helpers.segmentation.clicks import Point, default_points, parse_points
from helpers.widgets.clicker import Clicker


def ask_mask(
    image: np.ndarray,
    engine: str,
    points: object,
    run: Run,
    *,
    default: Sequence[Point] = (),
    left: np.ndarray | None = None,
    choice: int | None = None,
) -> Clicker:
    """Display a clicker below the cell and return it; the next cells go on from its ``mask``.

    With nobody at the mouse, the first of these that there is stands in for the hand: ``points``, clicks that a hand made before on this
    very image in this run, the mask that an earlier notebook ``left``, ``default``, and else an empty mask.

    image:   uint8 (H, W, 3) RGB; engine: the name of a segmentation engine
    points:  clicks as ``parse_points`` takes them, on one garment or by the names of several
    default: clicks to begin with; left: bool (H, W)
    choice:  which of the first click's candidates the first garment takes, from 0; ``None`` leaves it to the engine

    What can be told of the person in the picture counts with the clicks, as in ``segment``, for an engine that goes on from a mask.
    Every click is kept in the run's folder ``clicks/NOTEBOOK``; "done" leaves the first garment's mask for the notebooks that follow.
    Raises ``ValueError`` for points that are none or lie outside.
    """

    def hand_on(clicker: Clicker) -> None:
        garment, mask = next(iter(clicker.masks.items()))
        run.save_mask(mask, image, clicker.prompt.garments[garment])

    size, record = (image.shape[1], image.shape[0]), engines.find("segment", engine)
    clicker = Clicker(
        image,
        engines.load("segment", engine),
        points=parse_points(points, size, "garment"),
        folder=run.path("clicks", run.notebook),
        resume=True,
        candidates=record.candidates,
        choice=choice,
        default=parse_points(default, size, "garment"),
        left=left,
        known=(lambda: known_of(Person(image))) if record.starts else None,
        on_done=hand_on,
    )
    clicker.show()
    return clicker


def ask_worn(
    wearer: Person, category: str, engine: str, points: object, run: Run, *, left: np.ndarray | None = None
) -> Clicker:
    """:func:`ask_mask` for what ``wearer`` wears of ``category``; :func:`worn_mask` is the answer.

    Where nothing is clicked, typed or ``left``, it is found: on somebody whose labels are known with a click in its middle, on a
    photograph by looking at it, which is said where it fails.
    """
    size, worn = wearer.image.shape[1::-1], wearer.worn(category)
    default: Sequence[Point] = ()
    if worn is not None:
        default = default_points(size, worn)
    elif left is None and not points:
        try:
            left = segment(wearer, garment=category)
        except (ValueError, weights.Missing) as error:
            print(error)
    return ask_mask(wearer.image, engine, points, run, left=left, default=default)


def worn_mask(clicker: Clicker) -> np.ndarray:
    """bool (H, W): the answer. Raises ``ValueError`` saying how to give one where it is empty."""
    height, width = clicker.image.shape[:2]
    mask = checks.mask(clicker.mask, (height, width), "points: the mask", empty=True)
    if not mask.any():
        raise ValueError(
            f"points: the mask is empty. Click on the garment, or give points=[[x, y, 1]], x 0..{width - 1} and y 0..{height - 1} in this "
            "picture, label 1 on the garment, 0 beside it."
        )
    return mask

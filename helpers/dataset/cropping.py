"""Where in a photograph the frame of the data sets is laid: three to four, cut out and never stretched."""

from __future__ import annotations

import numpy as np

from helpers.labels import BODY_25
from helpers.person import Person
from helpers.tryon.framing import Frame

SIZE = (768, 1024)
"""(width, height) of the pictures of VITON-HD and HR-VITON."""
_SMALL = 0.6  # of the frame's height: whoever is smaller in it is cut out closer
_FILLS = 0.85  # of the frame's height, by whom is cut out closer
_ABOVE = 0.05  # of the frame's height, over the head
_MIDDLE = tuple(BODY_25.index(name) for name in ("neck", "mid-hip"))


def frame_around(person: Person) -> Frame:
    """The widest upright frame in the photograph that has the person in its middle; a closer one where they are small in it.

    person: with mask and keypoints. Of a photograph that is taller than the frame the part from the head down is kept.
    Raises ``ValueError`` where the mask is empty.
    """
    assert person.mask is not None
    if not person.mask.any():
        raise ValueError("person mask: it is empty. Use a photograph that shows somebody.")
    height, width = person.image.shape[:2]
    rows, columns = np.nonzero(person.mask.any(1))[0], np.nonzero(person.mask.any(0))[0]
    top, tall, wide = int(rows[0]), int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    unit = min(width / SIZE[0], height / SIZE[1])
    needed = max(tall / SIZE[1], wide / SIZE[0])
    if needed < _SMALL * unit:
        unit = needed / _FILLS
    cut_w, cut_h = (max(1, int(side * unit)) for side in SIZE)
    middle = _middle(person, float(columns.mean()))
    x = int(np.clip(round(middle - cut_w / 2), 0, width - cut_w))
    above = _ABOVE if tall > (1 - 2 * _ABOVE) * cut_h else (1 - tall / cut_h) / 2
    y = int(np.clip(round(top - above * cut_h), 0, height - cut_h))
    return Frame((width, height), SIZE, (x, y, cut_w, cut_h), (0, 0, *SIZE))


def enlarged(place: Frame, size: tuple[int, ...]) -> Frame:
    """``place`` of a smaller picture in the photograph of ``size`` (width, height), exactly three to four."""
    scale = [whole / part for whole, part in zip(size, place.photograph, strict=True)]
    x, y, wide, _ = place.source
    unit = min(wide * scale[0] / SIZE[0], size[0] / SIZE[0], size[1] / SIZE[1])
    cut = max(1, int(SIZE[0] * unit)), max(1, int(SIZE[1] * unit))
    left, top = (
        int(np.clip(round(at * by), 0, whole - part)) for at, by, whole, part in zip((x, y), scale, size, cut, strict=True)
    )
    return Frame((size[0], size[1]), SIZE, (left, top, *cut), (0, 0, *SIZE))


def _middle(person: Person, otherwise: float) -> float:
    """Where the trunk stands, in pixels from the left."""
    if person.keypoints is None:
        return otherwise
    seen = [person.keypoints[joint, 0] for joint in _MIDDLE if person.keypoints[joint, 2] > 0]
    return float(np.mean(seen)) if seen else otherwise

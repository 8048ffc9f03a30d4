"""What of a prepared person or garment should be looked at before anybody relies on it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from helpers.labels import BODY_25
from helpers.person import Person
from helpers.tryon.framing import Frame

_LEAST = {"upper": 0.03, "face": 0.002}  # shares of the picture
_MOST = {"upper": 0.6, "hair": 0.25, "face": 0.2, "arms": 0.25}
_ENLARGED = 1.5
_OUTSIDE = 0.02  # of a garment's labels beside the person


def of_person(person: Person, place: Frame) -> tuple[str, ...]:
    """In words, what is doubtful of a person in the frame ``place``, whose keypoints, labels and mask are known."""
    return (*_of_crop(person, place), *_of_joints(person), *_of_labels(person))


def of_garment(mask: np.ndarray, place: Frame) -> tuple[str, ...]:
    """In words, what is doubtful of a garment whose ``mask``, bool (h, w), lies in the frame ``place``."""
    left, top, wide, tall = place.target
    inside = mask[top : top + tall, left : left + wide]
    found = []
    if enlarged := _enlarged(place):
        found.append(enlarged)
    sides = {"top": inside[0], "bottom": inside[-1], "left": inside[:, 0], "right": inside[:, -1]}
    cut = [name for name, line in sides.items() if line.mean() > 0.02]
    if cut:
        found.append(f"the garment is cut off at the {' and '.join(cut)} of its picture")
    if not 0.08 < mask.mean() < 0.85:
        found.append(f"the garment covers {100 * mask.mean():.0f} % of its picture")
    return tuple(found)


def _enlarged(place: Frame) -> str:
    times = place.target[3] / place.source[3]
    return f"enlarged {times:.1f} times, so it is soft" if times > _ENLARGED else ""


def _of_crop(person: Person, place: Frame) -> Iterator[str]:
    if enlarged := _enlarged(place):
        yield enlarged
    assert person.mask is not None
    if person.mask[0].mean() > 0.02:
        yield "the head is cut off at the top"
    if person.mask[:, [0, -1]].any(0).all() and person.mask[:, [0, -1]].mean() > 0.1:
        yield "the person is cut off at both sides"


def _of_joints(person: Person) -> Iterator[str]:
    assert person.keypoints is not None
    height, width = person.image.shape[:2]
    at = {name: person.keypoints[index] for index, name in enumerate(BODY_25)}

    def seen(name: str) -> bool:
        x, y, confidence = at[name]
        return bool(confidence > 0 and 0 <= x < width and 0 <= y < height)

    for name in ("nose", "neck"):
        if not seen(name):
            yield f"no {name} was found"
    for side in ("right", "left"):
        lost = [joint for joint in ("shoulder", "elbow", "wrist") if not seen(f"{side}-{joint}")]
        if lost:
            yield f"the {side} arm is cropped or hidden: no {' and no '.join(lost)} in the picture"
    if not (seen("right-hip") and seen("left-hip")):
        yield "the hips are not in the picture"
    right, left = at["right-shoulder"], at["left-shoulder"]
    if right[2] > 0 and left[2] > 0 and right[0] > left[0]:
        yield "seen from behind, or mirrored: the right shoulder lies right"


def _of_labels(person: Person) -> Iterator[str]:
    assert person.labels is not None
    assert person.mask is not None
    for name in ("upper", "face", "hair", "arms"):
        part = person.part(name)
        assert part is not None
        share = float(part.mean())
        if share < _LEAST.get(name, 0.0):
            yield f"no {name} in the parse" if not share else f"the parse has {100 * share:.1f} % of {name}, which is little"
        elif share > _MOST[name]:
            yield f"the parse has {100 * share:.0f} % of {name}, which is much"
    beside = float(((person.labels > 0) & ~person.mask).mean())
    if beside > _OUTSIDE:
        yield f"{100 * beside:.0f} % of the picture has a label beside the person"

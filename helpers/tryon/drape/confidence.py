"""How far a picture can be trusted: the error that pictures like it have on mannequins, whose truth is known.

``benchmarks/try_on_others.py`` dresses mannequins in garments of another cut, measures what a try-on gets wrong and how well this
foretells it.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import cv2
import numpy as np

from helpers.srgb import encode
from helpers.tryon.drape.compatibility import Fitting
from helpers.tryon.drape.laying import Laid
from helpers.tryon.drape.wearer import View


@dataclass(frozen=True)
class Doubts:
    """What errors come from, each about 0..1 and, but for ``print``, times the ``edge``: how far the new cloth's colour is from that of
    what is
    around it, over 30 units of CIE Lab, for a wrong outline shows by that much.

    invented: share of what is new that is skin or backdrop; hem, neck, sleeves: how much they differ from the worn ones; legs: whether
    skirt
    and trousers are exchanged, or a dress replaces them; limbs: whether joints are not known where they would be needed, parts: whether
    labels are not; print: how uneven the new
    cloth is
    """

    edge: float
    invented: float
    hem: float
    neck: float
    sleeves: float
    legs: float
    limbs: float
    parts: float
    print: float


def doubts(view: View, laid: Laid, fitting: Fitting, new: np.ndarray, category: str) -> Doubts:
    """``new``: float32 (h, w, 3) in linear light, where cloth is laid or something else is invented."""
    changed = laid.covered | laid.removed
    if not laid.covered.any():
        return Doubts(1, 1, 1, 1, 1, 1, 1, 1, 1)
    lab = cv2.cvtColor(np.clip(encode(new), 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)
    soft = cv2.GaussianBlur(np.where(changed[..., None], lab, view.lab), (0, 0), max(1.0, 0.008 * len(view.image)))
    colour = soft[laid.covered].mean(0)
    ring = (cv2.dilate(changed.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0) & ~changed
    edge = min(float(np.linalg.norm(soft[ring] - colour, axis=1).mean()) / 30, 2.0) if ring.any() else 1.0
    drawn = 0.5 if fitting.hem in ("higher", "lower") or fitting.legs else 1.0
    sleeves = float(np.mean([float(action != "kept") for action in fitting.sleeves.values()] or [0.0]))
    return Doubts(
        edge=edge,
        invented=edge * float(laid.removed.sum()) / float(changed.sum()),
        hem=edge * drawn * float(min(abs(np.log(fitting.hem_ratio)), 1.0)),
        neck=edge * float(min(abs(fitting.neck_shift) / 0.3, 1.0)),
        sleeves=edge * sleeves,
        legs=edge * float(fitting.exchanged or fitting.legs or (category == "dress" and fitting.hem == "lower")),
        limbs=edge * float(view.body is None) * max(sleeves, float(fitting.exchanged), 0.2),
        parts=edge * float(view.person.labels is None),
        print=min(float(np.linalg.norm(soft[laid.covered].std(0))) / 30, 0.6),
    )


_WEIGHTS = (0.5, 4.5, 1.0, 0.5, 0.5, 4.5, 4.5, 1.0, 11.0)
LEAST = 2.0
"""Error of the best pictures."""
_HALF = 22.0  # error at which a picture is trusted half


def expected_error(found: Doubts) -> float:
    """Units of CIE Lab by which the new picture is off on average where it is new, prints and other fine things left out."""
    return LEAST + float(np.dot(_WEIGHTS, astuple(found)))


def confidence(found: Doubts) -> float:
    """0..1, falling with the expected error."""
    return float(1 / (1 + (expected_error(found) / _HALF) ** 2))

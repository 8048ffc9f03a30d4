"""How far a picture can be trusted: the error that pictures like it have on mannequins, whose truth is known.

The error is what a viewer sees: the area that shows something else than it should, in areas of the new garment. Where it lies does not
count, nor does a print that is a hand off. ``benchmarks/try_on_confidence.py`` measures it and fits the weights.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import cv2
import numpy as np

from helpers.srgb import encode
from helpers.tryon.drape.compatibility import Fitting
from helpers.tryon.drape.laying import Laid
from helpers.tryon.drape.silhouette import Silhouette
from helpers.tryon.drape.wearer import View


@dataclass(frozen=True)
class Doubts:
    """What errors come from, each about 0..1.

    edge: how far the new cloth's colour is from what is around it, for a wrong outline shows by that much; invented: share of what is new
    that is skin or backdrop, times the edge; shorter: how much shorter the new garment is where it ends at the worn hem all the same;
    lower, higher: how far its own hem is drawn from the worn one; neckline: how unsure it is where the front ends; front: share of the
    cloth that lies behind hair, face and hands; build: how differently chest and shoulders of the two garments are proportioned;
    exchanged: whether legs come or go; said: what the notes speak against it
    """

    edge: float
    invented: float
    shorter: float
    lower: float
    higher: float
    neckline: float
    front: float
    build: float
    exchanged: float
    said: float


def doubts(
    view: View, laid: Laid, fitting: Fitting, new: np.ndarray, sure: float, worn: Silhouette, garment: Silhouette, category: str
) -> Doubts:
    """``new``: float32 (h, w, 3) in linear light, where cloth is laid or something else is invented; ``sure``: 0..1, of the neckline;
    ``worn`` and ``garment``: the silhouettes that were matched."""
    changed = laid.covered | laid.removed
    if not laid.covered.any():
        return Doubts(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    lab = cv2.cvtColor(np.clip(encode(new), 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)
    soft = cv2.GaussianBlur(np.where(changed[..., None], lab, view.lab), (0, 0), max(1.0, 0.008 * len(view.image)))
    colour = soft[laid.covered].mean(0)
    ring = (cv2.dilate(changed.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0) & ~changed
    edge = min(float(np.linalg.norm(soft[ring] - colour, axis=1).mean()) / 30, 1.5) if ring.any() else 1.0
    ratio = float(np.log(fitting.hem_ratio))
    return Doubts(
        edge=edge,
        invented=edge * float(laid.removed.sum()) / float(changed.sum()),
        shorter=float(np.clip(ratio, 0, 0.7)) * (fitting.hem != "higher"),
        lower=min(abs(ratio), 1.0) * (fitting.hem == "lower"),
        higher=min(abs(ratio), 1.0) * (fitting.hem == "higher"),
        neckline=1 - sure,
        front=float(min((laid.shown & view.wearer.front).sum() / laid.covered.sum(), 1.0)),
        build=_build(worn, garment),
        exchanged=float(fitting.exchanged or (category == "dress" and fitting.hem == "lower")),
        said=float(min(-np.log(max(fitting.confidence, 0.2)), 1.2)),
    )


def _build(worn: Silhouette, garment: Silhouette) -> float:
    """0..0.6: the logarithm by which one's shoulders are wider than the other's where the chests are as wide; 0 for trousers and skirts."""
    if "left-shoulder" not in worn.points or "left-shoulder" not in garment.points:
        return 0.0
    ratio = (worn.shoulder_width * garment.chest_width) / max(worn.chest_width * garment.shoulder_width, 1e-6)
    return float(min(abs(np.log(max(ratio, 1e-6))), 0.6))


WEIGHTS = (0.13, 0.29, 0.42, 0.04, 0.48, 0.11, 1.7, 0.22, 0.13, 0.3)
"""Of the doubts, by which the error of mannequins is told best; none of them negative."""
LEAST = 0.03
"""Error of the best pictures."""
_HALF = 0.5  # error at which a picture is trusted half


def expected_error(found: Doubts) -> float:
    """The area that shows something else than it should, in areas of the new garment: 0.1 is hardly seen, 1 is another picture."""
    return LEAST + float(np.dot(WEIGHTS, astuple(found)))


def confidence(found: Doubts) -> float:
    """0..1, falling with the expected error."""
    return float(1 / (1 + (expected_error(found) / _HALF) ** 2))

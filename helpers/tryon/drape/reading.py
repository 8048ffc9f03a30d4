"""What a garment's photograph says of the garment, by geometry: where it is, its neckline, collar, straps, sleeves and hem, each with how
sure that is. The try-on works from the same reading that ``helpers.read_garment`` returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import cv2
import numpy as np

from helpers import engines
from helpers.garment import Garment
from helpers.tryon import modelled
from helpers.tryon.backdrop import garment_mask, trimmed, trouser_like
from helpers.tryon.drape import landmarks
from helpers.tryon.drape.compatibility import neck_depth, neck_width, sleeve_ratio
from helpers.tryon.drape.neckline import FrontEdge, front_neckline
from helpers.tryon.drape.product import without_inside
from helpers.tryon.drape.silhouette import SIDES, Silhouette
from helpers.tryon.matte import matte

T = TypeVar("T")
_SLEEVES = ((0.0, "none"), (1.1, "short"), (1.47, "elbow"), (9e9, "long"))
"""Up to which length, in widths of the shoulders, a sleeve is called so, on mannequin garments."""
_NECKLINES = {
    "crew": ((0.16, 0.46, 0.05), (0.05, 0.06, 0.03)),
    "v": ((0.46, 0.46, 0.03), (0.08, 0.06, 0.04)),
    "scoop": ((0.34, 0.56, 0.01), (0.05, 0.06, 0.03)),
    "square": ((0.33, 0.65, 0.01), (0.05, 0.06, 0.03)),
    "boat": ((0.07, 0.72, 0.0), (0.05, 0.08, 0.03)),
    "turtle": ((-0.1, 0.29, 0.2), (0.12, 0.05, 0.04)),
    "collar": ((0.05, 0.35, 0.14), (0.06, 0.06, 0.04)),
}
"""Depth, width and stand of each as they are found on mannequin garments, and by how much they differ."""
_WHOLE = 0.6  # of the cloth seen from outside, below which what is left of it is a part
_WRIST = 1.85  # widths of the shoulders from the shoulder to the wrist
_SPREAD = 0.08  # of such measures: at a limit a class is as likely as its neighbour, so far away from it nearly sure


@dataclass(frozen=True)
class Told(Generic[T]):
    """One thing that was read: its ``value``, and how sure it is, 0..1."""

    value: T
    confidence: float


@dataclass(frozen=True)
class GarmentReading:
    """A garment as its photograph shows it. Lengths are shares of the chest's width unless said otherwise.

    image:    uint8 (H, W, 3), the photograph
    mask:     bool (H, W), the garment without what is seen of its inside
    front:    the outline of its front with landmarks; bool (H, W) ``holes`` in it, between straps
    edge:     where its front ends at the neck, where that is seen against the inside of the back
    sure:     0..1, that the front ends at the neck where ``front`` does; below 0.5 a try-on keeps the worn neckline
    asked:    the category that the garment was said to be of
    worn:     somebody wears it in the photograph, out of which it was cut
    """

    image: np.ndarray
    mask: np.ndarray
    front: Silhouette
    holes: np.ndarray
    asked: str
    edge: FrontEdge | None = None
    sure: float = 1.0
    worn: bool = False

    @cached_property
    def matte(self) -> np.ndarray:
        """float32 (H, W) 0..1: how much of each pixel is garment."""
        return matte(self.image, self.mask)

    @cached_property
    def category(self) -> Told[str]:
        """``upper``, ``lower`` or ``dress`` as the outline has it, whatever was said."""
        lower = _as_trousers(self.mask)
        if lower > 0:
            return Told("lower", _sure(lower, 0.03))
        top = self.front if self.asked != "lower" else landmarks.upper(self.mask)
        found = _either("dress", "upper", _length(top) - 2.3, 0.3)
        return Told(found.value, min(found.confidence, _sure(-lower, 0.03)))

    @cached_property
    def depth(self) -> Told[float]:
        """How far the front's neckline lies below the tops of the armholes; negative for a collar that stands."""
        return Told(neck_depth(self._top), self.sure)

    @cached_property
    def back_depth(self) -> Told[float]:
        """The same of the back, whose edge is the outline's where its inside is seen."""
        if self.edge is None:
            return Told(neck_depth(self._top), 0.5 * self.sure)
        whole = landmarks.upper(self.mask | self.edge.inside, centre=self._top.centre)
        return Told(neck_depth(whole), self.edge.clarity)

    @cached_property
    def neckline(self) -> Told[str]:
        """``crew``, ``v``, ``scoop``, ``square``, ``boat``, ``turtle`` or ``collar``."""
        seen = np.array([self.depth.value, neck_width(self._top), _stand(self._top)])
        score = {name: -0.25 * float((((seen - usual) / spread) ** 2).sum()) for name, (usual, spread) in _NECKLINES.items()}
        best = max(score, key=lambda name: score[name])
        return Told(best, self.sure / sum(float(np.exp(value - score[best])) for value in score.values()))

    @cached_property
    def collar(self) -> Told[bool]:
        """Whether a collar or a high neck stands above the shoulders."""
        return _either(True, False, _stand(self._top) - 0.09, 0.025)

    @cached_property
    def placket(self) -> Told[bool]:
        """Whether the front buttons: a straight line down from the neck, stronger than those beside it, under a collar."""
        middle, beside = _upright_lines(self.image, self._top)
        there = _either(True, False, float(np.log((middle + 0.3) / (beside + 1.0)) - 0.05), 0.4)
        if there.value and not self.collar.value:
            return Told(False, self.collar.confidence * 0.8)
        return there

    @cached_property
    def straps(self) -> Told[bool]:
        """Whether it hangs on straps."""
        if any(self._top.sleeved.values()):
            return Told(False, self.sleeves.confidence)
        width = _over_shoulder(self._top)
        return Told(False, 0.5) if width is None else _either(True, False, 0.145 - width, 0.03)

    @cached_property
    def sleeves(self) -> Told[str]:
        """``none``, ``short``, ``elbow`` or ``long``."""
        ratios = [sleeve_ratio(self._top, side) for side in SIDES]
        ratio = float(np.mean(ratios))
        value = next(name for limit, name in _SLEEVES if ratio <= limit)
        if value == "none":
            return Told(value, 0.9)
        alike = min(ratios) > 0.75 * max(ratios) and ratio < 1.4 * _WRIST
        margin = min(abs(ratio - limit) for limit, _ in _SLEEVES[1:3])
        return Told(value, _sure(margin, _SPREAD) if alike else 0.3)

    @cached_property
    def sleeve_length(self) -> Told[float]:
        """As a share of the way from the shoulder to the wrist, 0 without sleeves."""
        ratio = float(np.mean([sleeve_ratio(self._top, side) for side in SIDES]))
        return Told(min(ratio / _WRIST, 1.2), self.sleeves.confidence)

    @cached_property
    def length(self) -> Told[float]:
        """From the tops of the armholes to the hem; of trousers and skirts from the waist, in widths of the waist."""
        if self.asked != "lower":
            return Told(_length(self._top), 0.9 if not self._top.guessed else 0.6)
        points = self.front.points
        waist = float(np.linalg.norm(points["right-waist"] - points["left-waist"]))
        return Told(float(points["hem"][1] - points["waist"][1]) / max(waist, 1.0), 0.9)

    @cached_property
    def hem(self) -> Told[str]:
        """``straight``, or ``tailed`` where it hangs lower in the middle than at the sides."""
        ends = (self.front.points["left-hem"] + self.front.points["right-hem"]) / 2
        tail = float(self.front.points["hem"][1] - ends[1]) / max(float(np.ptp(np.nonzero(self.mask)[1])), 1.0)
        return _either("tailed", "straight", tail - 0.05, 0.02)

    @property
    def _top(self) -> Silhouette:
        if self.asked == "lower":
            raise ValueError(
                'garment: of category "lower"; neck, collar, straps and sleeves are read of "upper" and "dress" only.'
            )
        return self.front


def read_garment(garment: Garment | np.ndarray) -> GarmentReading:
    """What a garment's photograph says of it: mask and matte, category, neckline, collar, placket, straps, sleeves, length and hem.

    garment: a ``Garment``, or its image alone, uint8 (H, W, 3) RGB, then taken for a top
    Everything but mask and outline has a ``value`` and a ``confidence`` 0..1. Raises ``ValueError`` naming ``garment`` where nothing stands
    out from the backdrop, there is too little of it, or somebody wears it and it cannot be cut out.
    """
    garment = Garment(garment) if isinstance(garment, np.ndarray) else engines.check_garment(garment)
    image, category = garment.image, garment.category
    known = garment.mask is not None and garment.inside is not None  # a mask with its inside is exact
    worn = modelled.cut_out(garment)
    if worn is not None:
        mask = worn
    elif garment.mask is None:
        mask = garment_mask(image)
    else:
        mask = garment.mask if known else trimmed(image, garment.mask)
    if mask.sum() < 400:
        raise ValueError(f"garment mask holds only {int(mask.sum())} pixels. Pass a mask that covers the garment.")
    if garment.inside is not None:
        outside = without_inside(mask, garment.inside)
        if outside.sum() > _WHOLE * (mask & ~garment.inside).sum():  # else an opening parts the front, which is taken as closed
            mask = outside
    if category == "lower":
        return GarmentReading(image, mask, landmarks.lower(mask), np.zeros_like(mask), category, worn=worn is not None)
    front = landmarks.upper(mask)
    if garment.inside is not None:
        return GarmentReading(image, mask, front, front.mask & ~mask, category)
    if worn is not None:  # its own front ends at the skin, and what the hands or hair in front of it leave open is no gap in it
        return GarmentReading(image, mask, front, np.zeros_like(mask), category, worn=True)
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    edge, sure = front_neckline(np.nan_to_num(lab), front)
    if edge is not None:
        mask = mask & ~edge.inside
        front = landmarks.upper(mask, centre=front.centre)
    return GarmentReading(image, mask, front, front.mask & ~mask, category, edge, sure)


def _sure(margin: float, spread: float) -> float:
    """0.5..1 for a ``margin`` from 0 up, measured with such a ``spread``."""
    return float(1 / (1 + np.exp(-max(margin, 0.0) / spread)))


def _either(yes: T, no: T, margin: float, spread: float) -> Told[T]:
    return Told(yes if margin > 0 else no, _sure(abs(margin), spread))


def _stand(top: Silhouette) -> float:
    """How far the neckline's ends lie above the tops of the armholes, in widths of the chest."""
    points = top.points
    shoulders = min(points[f"{side}-shoulder"][1] for side in SIDES)
    return float(shoulders - max(points[f"{side}-collar"][1] for side in SIDES)) / max(top.chest_width, 1.0)


def _length(top: Silhouette) -> float:
    shoulders = min(top.points[f"{side}-shoulder"][1] for side in SIDES)
    hem = (top.points["left-hem"][1] + top.points["right-hem"][1]) / 2
    return float(hem - shoulders) / max(top.chest_width, 1.0)


def _as_trousers(mask: np.ndarray) -> float:
    crotch = landmarks.crotch_of(mask)
    return trouser_like(mask, None if crotch is None else int(crotch[1]))


def _over_shoulder(top: Silhouette) -> float | None:
    """Width of what goes over a shoulder, a quarter of the way down to the armpit, in widths of the chest, where it is seen apart."""
    points = top.points
    upper, lower = (float(np.mean([points[f"{side}-{name}"][1] for side in SIDES])) for name in ("shoulder", "armpit"))
    row = top.mask[int(np.clip(upper + 0.25 * (lower - upper), 0, len(top.mask) - 1))]
    edges = np.flatnonzero(np.diff(np.r_[0, row.astype(int), 0]))
    widths = edges[1::2] - edges[::2]
    return float(widths.min()) / max(top.chest_width, 1.0) if len(widths) > 1 else None


def _upright_lines(image: np.ndarray, top: Silhouette) -> tuple[float, float]:
    """How sharply lightness changes across the strongest straight line along the middle of the chest, and across those beside it."""
    neck, hem, chest = top.points["neck"], top.points["hem"], top.chest_width
    down = (hem - neck) / max(float(np.linalg.norm(hem - neck)), 1.0)
    across = np.array([down[1], -down[0]])
    far, wide = np.meshgrid(np.linspace(0.08, 0.45, 60), np.linspace(-0.4, 0.4, 81), indexing="ij")
    at = (neck + chest * (far[..., None] * down + wide[..., None] * across)).astype(np.float32)
    light = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)
    patch = cv2.remap(light, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    step = np.abs(np.median(patch[:, 2:] - patch[:, :-2], axis=0))
    return float(step[30:50].max()), float(np.percentile(np.r_[step[5:26], step[54:75]], 90))

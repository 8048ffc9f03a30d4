"""A body-part index like DensePose's, derived: parts by superpixels, charts from the axes of the limbs.

I is DensePose's part. V runs along the part's bone; U across it as the angle round a limb of circular section, which at the middle of a
front or a back, and at the outline of an outer or an inner half, is a half. The charts are those of ``mannequin.truth``.
"""

from __future__ import annotations

import cv2
import numpy as np

from helpers.annotation.evidence import Frame
from helpers.labels import DENSEPOSE_PARTS
from helpers.pixels import nearest_known

_BINS = 24  # along a limb, in each of which it has one width
_BONE = {
    "torso": "trunk", "head": "head", "hand": "hand", "foot": "foot", "upper-arm": "upper-arm", "lower-arm": "lower-arm",
    "upper-leg": "thigh", "lower-leg": "shin",
}  # fmt: skip
_ON = {
    "hair": ("head",), "face": ("head",), "torso-skin": ("torso", "head"), "arm": ("upper-arm", "lower-arm", "hand"),
    "leg": ("upper-leg", "lower-leg", "foot"), "shoe": ("foot", "lower-leg"),
    "upper-clothes": ("torso", "upper-arm", "lower-arm", "upper-leg"), "pants": ("torso", "upper-leg", "lower-leg"),
    "dress": ("torso", "upper-arm", "lower-arm", "upper-leg", "lower-leg"), "skirt": ("torso", "upper-leg", "lower-leg"),
}  # fmt: skip
"""Which regions of the body skin and cloth of a class lie on."""


def _said(part: str) -> tuple[str, str, str]:
    """Side, region and half of a part's name: ``left``, ``upper-arm``, ``inner``; empty where it has none."""
    side = part.split("-")[0] if part.startswith(("left-", "right-")) else ""
    rest = part.removeprefix(f"{side}-")
    region = next(name for name in _BONE if rest.startswith(name))
    return side, region, rest.removeprefix(region).lstrip("-")


def allowed(names: tuple[str, ...]) -> np.ndarray:
    """bool (k, 25): which parts a superpixel of each class of ``names`` can show; a left arm no right hand, a face no foot."""
    out = np.zeros((len(names), len(DENSEPOSE_PARTS)), bool)
    out[0, 0] = True
    for row, name in enumerate(names[1:], 1):
        side = name.split("-")[0] if name.startswith(("left-", "right-")) else ""
        for column, part in enumerate(DENSEPOSE_PARTS[1:], 1):
            of, region, _ = _said(part)
            out[row, column] = region in _ON[name.removeprefix(f"{side}-")] and (not side or side == of)
    return out


def index(f: Frame, parts: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): part, U and V where ``mask`` bool (H, W) is the person; ``parts`` (n,) of the superpixels."""
    out = np.zeros((*mask.shape, 3), np.uint8)
    drawn = parts[f.index]
    if not drawn.any() or not mask.any():
        return out
    drawn = drawn.ravel()[nearest_known(drawn > 0)[1]].reshape(drawn.shape)
    drawn = cv2.medianBlur(drawn.astype(np.uint8), 5)
    charts = np.dstack([drawn, np.zeros((*drawn.shape, 2), np.uint8)])
    for part in np.unique(drawn):
        rows, columns = np.nonzero((drawn == part) & (f.matte > 0.5))
        if len(rows):
            charts[rows, columns, 1:] = _chart(f, DENSEPOSE_PARTS[part], np.column_stack([columns, rows]))
    x0, y0, x1, y1 = f.window
    out[y0:y1, x0:x1] = cv2.resize(charts, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    out[~mask] = 0
    return out


def _chart(f: Frame, part: str, at: np.ndarray) -> np.ndarray:
    """(k, 2) uint8 U, V of a part's pixels ``at`` (k, 2)."""
    side, region, half = _said(part)
    bone = f"{side}-{_BONE[region]}".lstrip("-")
    along, across, _ = f.along(bone, at.astype(float))
    if region == "head":
        along = (along + 1) / 3.2  # from the neck to the crown
    elif region == "torso":
        along = 1 - along  # upwards
    bins = np.clip((along * _BINS).astype(int), 0, _BINS - 1)
    low, high = np.full(_BINS, np.inf), np.full(_BINS, -np.inf)
    np.minimum.at(low, bins, across)
    np.maximum.at(high, bins, across)
    width = np.maximum(high - low, 1e-3)[bins]
    place = np.clip((across - low[bins]) / width, 0, 1)
    if half in ("front", "back"):
        u = 0.5 + np.arcsin(2 * place - 1) / np.pi
        u = 1 - u if (region == "torso") == (half == "front") else u
    elif half:  # one half of what is seen: its outline is the middle of its chart
        ahead = f.landmarks[11, 0] > f.landmarks[12, 0]
        rim_last = (half == "left" or (half, side) in (("inner", "left"), ("outer", "right"))) == ahead
        away = np.arccos(place if rim_last else 1 - place) / np.pi
        u = 0.5 + away if (side == "left") == ahead else 0.5 - away
    else:
        u = place
    return np.round(np.clip(np.column_stack([u, along]), 0, 1) * 255).astype(np.uint8)

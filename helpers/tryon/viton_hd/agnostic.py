"""What of a person's picture a garment may change, as VITON-HD's networks were trained: generously, a third more than HR-VITON's.

Brushes are for a picture 1024 high and grow or shrink with it.

Source: Choi et al., "VITON-HD", 2021 (``datasets.py`` of shadow2496/VITON-HD).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from helpers.labels import select
from helpers.tryon.agnostic import KEPT, LEFT, NECK, RIGHT, Pen, hips_as_wide

_TALL = 1024


def changeable(parse: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """bool (H, W): what of the picture a new upper garment may change. parse, joints: as :mod:`helpers.tryon.agnostic` has them."""
    unit = 20 * parse.shape[0] / _TALL
    pen = Pen(parse.shape)
    pen.line(joints[[RIGHT[0], LEFT[0]]], 10 * unit)
    for arm in (RIGHT, LEFT):
        pen.ellipse(joints[arm[0]], 5 * unit, 5 * unit)
        for start, end in pairwise(arm):
            if joints[start].any() and joints[end].any():
                pen.line(joints[[start, end]], 10 * unit)
                pen.ellipse(joints[end], 5 * unit, 5 * unit)
    pen.trunk(joints, hips_as_wide(joints), unit)
    x, y = joints[NECK]
    pen.rectangle((x - 7 * unit, y - 7 * unit, x + 7 * unit, y + 7 * unit))
    return pen.drawn() & ~select(parse, KEPT)

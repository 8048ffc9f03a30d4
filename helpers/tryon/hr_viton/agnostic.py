"""What of a person's picture a garment may change, as HR-VITON's networks were trained; brushes follow the width of the shoulders.

Source: Lee et al., "HR-VITON", 2022 (``cp_dataset_test.py`` of sangyun884/HR-VITON). VITON-HD's picture is
masked otherwise, a third more widely: each network wants its own.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from helpers.labels import CIHP, select
from helpers.tryon.agnostic import KEPT, LEFT, NECK, RIGHT, Pen, hips_as_wide


def changeable(parse: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """bool (H, W): what of the picture a new upper garment may change. parse, joints: as :mod:`helpers.tryon.agnostic` has them."""
    right, left = joints[RIGHT[0]], joints[LEFT[0]]
    unit = int(float(np.linalg.norm(left - right)) / 16) + 1
    pen = Pen(parse.shape)
    pen.trunk(joints, hips_as_wide(joints), unit)
    x, y = joints[NECK]
    pen.rectangle((x - 5 * unit, y - 9 * unit, x + 5 * unit, y))
    pen.line([right, left], 12 * unit)
    drawn = pen.drawn()
    for name, arm in (("left-arm", LEFT), ("right-arm", RIGHT)):
        pen, brush = Pen(parse.shape), Pen(parse.shape)  # what is masked of the arm, and where even its skin is
        last = joints[arm[0]]
        for each in (pen, brush):
            each.ellipse(last, 5 * unit, 6 * unit)
        for before, joint in pairwise(arm):
            if joints[before].any() and joints[joint].any():
                last = joints[joint]
                for each in (pen, brush):
                    each.line(joints[[before, joint]], 10 * unit)
                pen.ellipse(last, 5 * unit, 5 * unit)
                if joint != arm[-1]:
                    brush.ellipse(last, 5 * unit, 5 * unit)
        brush.ellipse(last, 4 * unit, 4 * unit)
        drawn |= pen.drawn()
        drawn &= brush.drawn() | (parse != CIHP.index(name))
    return drawn & ~select(parse, KEPT)

"""Where a face is in a picture, by the local binary patterns that come with scikit-image."""

from __future__ import annotations

from functools import cache

import numpy as np
import skimage.data
from skimage.feature import Cascade


@cache
def _cascade() -> Cascade:
    return Cascade(skimage.data.lbp_frontal_face_cascade_filename())


def find_face(small: np.ndarray) -> tuple[float, float, float] | None:
    """Centre x, y and width of the topmost face in ``small`` (uint8 (h, w, 3)) by scikit-image's LBP cascade, or None."""
    side = min(small.shape[:2])
    limits = {"min_size": (24, 24), "max_size": (max(25, int(0.45 * side)),) * 2}
    found = _cascade().detect_multi_scale(small, scale_factor=1.15, step_ratio=1.2, **limits)
    found = [f for f in found if f["r"] + f["height"] / 2 < 0.5 * small.shape[0]]
    if not found:
        return None
    top = min(found, key=lambda f: f["r"])
    return top["c"] + top["width"] / 2, top["r"] + top["height"] / 2, float(top["width"])

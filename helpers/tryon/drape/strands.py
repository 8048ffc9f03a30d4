"""Hair in front of cloth: which pixels are which, and what shares they have in those where both mix."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.matting import coefficients
from helpers.pixels import length
from helpers.tryon.drape.light import dye_colours

_WITHIN, _BEYOND = 0.03, 0.008
"""How far inside and outside of the hair's outline the true edge is looked for, in rows of the picture."""
_REACH = 3  # pixels, half a window of the filter that follows the picture's edges
_STRICT = 4.0  # squared contrast in CIE Lab below which it follows none
_WEIGHTS = np.array([0.6, 1.0, 1.0], np.float32)


def hair_share(lab: np.ndarray, hair: np.ndarray, cloth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's share of hair, float32 (H, W) 0..1, and bool (H, W) where it was looked for: near the outline of ``hair`` on ``cloth``.

    lab: float32 (H, W, 3) CIE Lab; hair, cloth: bool (H, W), roughly. A pixel is told by whether the colours of the hair farther up or
    those of the cloth farther off are nearer to its own, as far as the two differ; then the shares follow the picture's edges.
    """
    share = hair.astype(np.float32)
    inner, outer = (max(3, round(part * len(hair))) for part in (_WITHIN, _BEYOND))
    rest = cv2.morphologyEx((~(hair | cloth)).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0
    to_cloth, to_hair, to_rest = (
        cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3) for mask in (cloth, hair, rest)
    )
    zone = (hair & (to_cloth <= np.minimum(inner, to_rest))) | (cloth & (to_hair <= outer))
    locks, fabric = hair & ~zone & (to_cloth < 0.3 * len(hair)), cloth & ~zone & (to_hair < 4 * inner)
    if zone.sum() < 20 or min(locks.sum(), fabric.sum()) < 200:
        return share, np.zeros_like(hair)
    soft = cv2.GaussianBlur(lab, (0, 0), 0.7)
    off_hair, off_cloth = (
        np.min([length((soft[zone] - dye) * _WEIGHTS) for dye in dye_colours(lab[known])], 0) for known in (locks, fabric)
    )
    apart = off_hair + off_cloth
    told = np.clip(0.5 + 1.5 * (off_cloth - off_hair) / np.maximum(apart, 1e-3), 0, 1)
    trust = np.clip((np.abs(off_cloth - off_hair) - 3) / 8, 0, 1)
    share[zone] = trust * told + (1 - trust) * share[zone]
    rows, columns = (np.nonzero(zone.any(axis))[0] for axis in (1, 0))
    box = np.s_[max(rows[0] - 9, 0) : rows[-1] + 10, max(columns[0] - 9, 0) : columns[-1] + 10]
    (line,) = coefficients(np.ascontiguousarray(lab[box]), np.ascontiguousarray(share[box])[..., None], _REACH, _STRICT)
    found = (line[..., :3] * lab[box]).sum(2) + line[..., 3]
    share[box] = np.where(zone[box], np.clip(1.4 * found - 0.2, 0, 1), share[box])
    return share, zone

"""A garment off the plain backdrop of its product photograph."""

from __future__ import annotations

import cv2
import numpy as np

from helpers import checks


def garment_mask(image: np.ndarray) -> np.ndarray:
    """bool (H, W): the garment on a backdrop that is nearly uniform or a soft gradient.

    image: uint8 (H, W, 3) RGB. The backdrop is a plane in CIE Lab fitted robustly to the picture's border; what differs from it by
    more than its noise, or is cut off from the border, is garment. Soft shadows (darker, same hue, no edge) count as backdrop.
    Raises ``ValueError`` where nothing, or nearly everything, differs from the border.
    """
    height, width = checks.image(image, "garment image").shape[:2]
    shrink = min(1.0, 512 / max(height, width))
    size = max(2, round(width * shrink)), max(2, round(height * shrink))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    away, noise = _from_backdrop(lab)
    edges = np.hypot(*(cv2.Sobel(lab[..., 0], cv2.CV_32F, *d, ksize=3, scale=0.25) for d in ((1, 0), (0, 1))))
    limit = float(np.clip(1.2 + 3 * noise, 1.6, 6.0))
    difference = np.linalg.norm(away, axis=2)
    shadow = (away[..., 0] < 0) & (away[..., 0] > -14) & (np.hypot(away[..., 1], away[..., 2]) < 1.5 + noise) & (edges < 0.7)
    plain = ((difference < limit) | shadow).astype(np.uint8)
    plain = cv2.copyMakeBorder(plain, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, pieces = cv2.connectedComponents(plain, connectivity=4)
    found = solid_with_holes((pieces != pieces[0, 0])[1:-1, 1:-1])
    share = float(found.mean())
    if share < 0.01:
        raise ValueError(
            "garment image: no garment stands out from the backdrop. Use a plain backdrop of another colour, or pass Garment(mask=...)."
        )
    if share > 0.97:
        raise ValueError("garment image: no backdrop is seen around the garment. Leave a margin, or pass Garment(mask=...).")
    found = cv2.GaussianBlur(found.astype(np.float32), (0, 0), 0.8)
    return cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5


def trimmed(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A given ``mask`` bool (H, W) without the rim of backdrop that drawn masks often hold, straps above all."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    away, noise = _from_backdrop(lab)
    plain = ((np.linalg.norm(away, axis=2) < np.clip(1.5 + 3 * noise, 2.0, 5.0)) | ~mask).astype(np.uint8)
    _, pieces = cv2.connectedComponents(plain, connectivity=4)
    outside = np.isin(pieces, np.unique(pieces[~mask])) & (plain > 0)
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    kept = mask & ~(outside & (depth < 0.03 * max(mask.shape)))
    return solid_with_holes(kept if kept.sum() > 0.8 * mask.sum() else mask)


def solid_with_holes(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece, its holes left open: bool (H, W)."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return np.zeros_like(mask)
    return pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def _from_backdrop(lab: np.ndarray) -> tuple[np.ndarray, float]:
    """Difference (H, W, 3) of each pixel from the backdrop, and the backdrop's noise, in CIE Lab units."""
    height, width = lab.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    rim = max(2, round(0.02 * max(height, width)))
    border = np.ones((height, width), bool)
    border[rim:-rim, rim:-rim] = False
    basis = np.stack([np.ones_like(rows), columns, rows], -1)
    a, b = basis[border].astype(np.float64), lab[border].astype(np.float64)
    keep = np.ones(len(a), bool)
    for _ in range(5):
        plane = (
            np.linalg.lstsq(a[keep], b[keep], rcond=None)[0]
            if keep.sum() > 20
            else np.vstack([np.median(b, 0), np.zeros((2, 3))])
        )
        residual = np.linalg.norm(b - a @ plane, axis=1)
        keep = residual <= max(1.0, 2.5 * float(np.median(residual)))
    return lab - (basis @ plane).astype(np.float32), float(np.median(residual[keep]))

"""The part of a person that a new garment may change, from human parsing and pose: the clothing-agnostic mask of IDM-VTON.

Convention: parsing in ATR numbering with 18 = neck; joints in COCO-18 order, x and y in pixels of a picture 512 high, (0, 0) where a joint
was not found.

Source: ``get_mask_location`` of yisol/IDM-VTON; the idea is from Choi et al., "VITON-HD", 2021.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw

from helpers.labels import ATR, CIHP, COCO_18, convert

NECK = len(ATR)
_HEAD = ("hat", "sunglasses", "face")
_BELONGINGS = ("left-shoe", "right-shoe", "hat", "sunglasses", "bag")
_CLOTH = {
    "upper": ("upper-clothes", "dress"),
    "lower": ("pants", "skirt", "left-leg", "right-leg"),
    "dress": ("upper-clothes", "dress", "skirt", "pants"),
}
_KEPT = {"upper": ("skirt", "pants"), "lower": ("upper-clothes", "left-arm", "right-arm"), "dress": ()}
_REACH = 1.2  # the forearm is prolonged by a fifth, over the cuff
_KERNEL = np.ones((5, 5), np.uint8)
_SPECK = 0.01  # share of the cloth below which a part of the mask is a slip of the parsing
_CLOTH_MARGIN, _NECK_MARGIN, _ARM_MARGIN = 5, 1, 4  # dilations


def agnostic_mask(
    parse: np.ndarray,
    keypoints: np.ndarray,
    category: str,
    size: tuple[int, int] = (384, 512),
    *,
    arm_width: int = 60,
    parity: bool = False,
) -> np.ndarray:
    """bool (H, W): what a garment of ``category`` may change.

    parse:     uint8 (h, w), ATR with 18 = neck; keypoints: (18, 2); size: (width, height) of the mask
    arm_width: of the stroke that covers an arm, for a picture 512 high (60 for VITON-HD, 45 for DressCode)
    parity:    as published: of several parts only the largest is kept. Else each that holds cloth of ``category`` is.
    Empty where nobody wears such a garment.
    """
    parse = cv2.resize(parse, size, interpolation=cv2.INTER_NEAREST_EXACT) if parse.shape[::-1] != tuple(size) else parse
    cloth, head = _classes(parse, _CLOTH[category]), _classes(parse, _HEAD)
    keep = _classes(parse, (*_BELONGINGS, *_KEPT[category]))
    changeable = (parse == 0) | ~keep
    if category in ("upper", "dress"):
        arms, hands = _arms(parse, keypoints * (size[1] / 512), int(arm_width / 512 * size[1]))
        keep |= hands
        neck = _grown(parse == NECK, _NECK_MARGIN) & ~head
        paint = _grown(cloth, _CLOTH_MARGIN) | neck | _grown(arms, _ARM_MARGIN)
    else:
        paint = _grown(cloth, _CLOTH_MARGIN)
    mask = ~((changeable & ~paint) | keep | head)
    filled = _without_holes(mask)
    return _largest(filled) if parity else _with_cloth(filled | mask, cloth)


def parse_from_cihp(labels: np.ndarray) -> np.ndarray:
    """A CIHP label map (H, W) as this mask wants it: ATR, with torso skin as neck."""
    parse = convert(labels, "cihp", "atr")
    parse[labels == CIHP.index("torso-skin")] = NECK
    return parse


def _classes(parse: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    return np.isin(parse, [ATR.index(name) for name in names])


def _grown(mask: np.ndarray, times: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), _KERNEL, iterations=times) > 0


def _arms(parse: np.ndarray, keypoints: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Both arms as strokes from shoulder to beyond the wrist, and the hands: arms of the parsing that no stroke covers.

    Where the wrist was not found, the arm of the parsing is taken as it is.
    """
    arms, hands = np.zeros(parse.shape, bool), np.zeros(parse.shape, bool)
    for side in ("right", "left"):
        parsed = _classes(parse, (f"{side}-arm",))
        shoulder, elbow, wrist = (keypoints[COCO_18.index(f"{side}-{joint}"), :2] for joint in ("shoulder", "elbow", "wrist"))
        if (wrist <= 1).all():
            stroke = parsed
        else:
            picture = Image.new("L", parse.shape[::-1])
            pen, half = ImageDraw.Draw(picture), width // 2
            line = [shoulder, elbow, elbow + _REACH * (wrist - elbow)]
            line = line if side == "right" else line[::-1]  # where strokes join depends on their direction
            pen.line(np.clip(np.concatenate(line), 0, None).astype(np.uint16).tolist(), "white", width, "curve")
            pen.arc([*(shoulder - half), *(shoulder + half)], 0, 360, "white", half)
            stroke = np.asarray(picture) > 0
        arms |= stroke
        hands |= parsed & ~stroke
    return arms, hands


def _without_holes(mask: np.ndarray) -> np.ndarray:
    """``mask`` less its outermost pixels, with everything filled that the picture's corner cannot reach."""
    inner = np.pad(mask[1:-1, 1:-1].astype(np.uint8) * 255, 1)
    outside = inner.copy()
    cv2.floodFill(outside, None, (0, 0), 255)
    return (inner > 0) | (outside == 0)


def _largest(mask: np.ndarray) -> np.ndarray:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    out = np.zeros(mask.shape, np.uint8)
    if contours:
        areas = [abs(cv2.contourArea(contour, oriented=True)) for contour in contours]
        cv2.drawContours(out, contours, int(np.argmax(areas)), 255, -1)
    return out > 0


def _with_cloth(mask: np.ndarray, cloth: np.ndarray) -> np.ndarray:
    count, parts = cv2.connectedComponents(mask.astype(np.uint8))
    held = np.bincount(parts[cloth & mask], minlength=count)
    return mask & (held > _SPECK * held.sum())[parts]

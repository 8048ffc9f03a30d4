"""From a person's annotations to what IDM-VTON is told about them: pose, parsing, and the part that a new garment may change.

Convention: parsing in ATR numbering with 18 = neck; joints in COCO-18 order, x and y in pixels of a picture 512 high, (0, 0) where a joint
was not found.

Source: ``get_mask_location``, ``run_openpose`` and the demo of yisol/IDM-VTON; the agnostic mask is from Choi et al., "VITON-HD", 2021.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from helpers.labels import ATR, ATR_NECK, COCO_18, body25_to_coco18, convert
from helpers.person import Person, densepose_picture

SIZE = (384, 512)
"""(width, height) at which IDM-VTON looks at a person."""
NECK = ATR_NECK.index("neck")
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


def mask_of(person: Person, category: str) -> np.ndarray:
    """:func:`agnostic_mask`, bool (H, W), of somebody 512 high whose labels and keypoints are known."""
    assert person.keypoints is not None
    keypoints = body25_to_coco18(person.keypoints).astype(np.float64)
    joints = np.where(keypoints[:, 2:] > 0, keypoints[:, :2], 0.0)
    return agnostic_mask(parsed(person), joints, category, person.image.shape[1::-1])


def parsed(person: Person) -> np.ndarray:
    """uint8 (H, W): a person's labels (CIHP) in ATR numbering and neck, with the belt and bag that CIHP has no class for."""
    assert person.labels is not None
    parse = convert(person.labels, "cihp", "atr_neck")
    for name in ("belt", "bag"):
        if name in person.garments:
            parse[person.garments[name]] = ATR.index(name)
    return parse


def pose_of(person: Person) -> np.ndarray:
    """uint8 (H, W, 3) RGB: the picture of a person's DensePose."""
    assert person.densepose is not None
    return densepose_picture(person.densepose)


# As published, people mixed up and all: what parity is measured against.


def published(image: np.ndarray, networks: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parsing uint8 (512, 384), joints float64 (18, 2) and DensePose picture uint8 (512, 384, 3) as the public demo takes them.

    image: uint8 (512, 384, 3) RGB; networks: an annotator with the ``openpose``, ``parser`` and ``densepose`` that the demo has
    Everybody's clothes are in the parsing, joints are :func:`published_joints`, the surface is :func:`published_iuv`.
    Raises ``ValueError`` where nobody is found.
    """
    candidate, subset = networks.openpose.assemble(image)
    if not len(subset):
        raise ValueError(
            "no person was found in the photograph: use one that shows a person from the head to the thighs at least."
        )
    iuv = published_iuv(networks.densepose.detect(image), image.shape[:2])
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    joints = published_joints(candidate, subset, image.shape[:2])
    return networks.parser(image), joints, grey if iuv is None else densepose_picture(iuv)


def published_joints(
    candidate: np.ndarray, subset: np.ndarray, shape: tuple[int, int], size: tuple[int, int] = SIZE
) -> np.ndarray:
    """float64 (18, 2): the joints that ``run_openpose`` gives, in pixels of ``size`` (width, height), (0, 0) where missing.

    It edits the list of candidates in place as if their numbers followed the order of joints, so that with several people in
    the picture joints of different people get mixed.
    """
    rows = [[x / shape[1], y / shape[0]] for x, y in candidate[:, :2]]
    numbers = [int(n) for n in subset[0][: len(COCO_18)]]
    for joint in range(len(COCO_18)):
        if numbers[joint] == joint:
            continue
        shift = 1 if numbers[joint] == -1 else -1
        if shift == 1:
            rows.insert(joint, [0.0, 0.0])
        else:
            del rows[joint : joint + 1]
        numbers[joint:] = [n if n == -1 else n + shift for n in numbers[joint:]]
    rows = (rows + [[0.0, 0.0]] * len(COCO_18))[: len(COCO_18)]
    return np.array(rows) * np.array(size, float)


def published_iuv(found: Any, shape: tuple[int, int]) -> np.ndarray | None:
    """IUV (H, W, 3) behind the demo's picture: its canvas is emptied for each of DensePose's detections, so that the last one remains.

    ``None`` where nobody was found: the demo then passes on the grey photograph.
    """
    return found.iuv(len(found) - 1, shape) if len(found) else None


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

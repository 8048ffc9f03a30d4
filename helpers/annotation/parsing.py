"""Clothing and body classes of every pixel: two SCHP networks as ONNX files, and their merge.

Peike Li et al., "Self-Correction for Human Parsing", TPAMI 2020; github.com/GoGoDuck912/Self-Correction-Human-Parsing (MIT). The
files ``parsing_atr.onnx`` (18 classes, 512x512) and ``parsing_lip.onnx`` (20 classes, 473x473) are yisol/IDM-VTON's. Pictures
go in as BGR, the channel order in which SCHP's mean and deviation are written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from helpers.labels import ATR_NECK, LIP

MEAN = np.array([0.406, 0.456, 0.485], np.float32)  # B, G, R
DEVIATION = np.array([0.225, 0.224, 0.229], np.float32)
HOLE = 2000 / (384 * 512)  # of the picture: a larger gap in upper clothes and arms is no gap but what lies behind

UPPER, FACE, NECK = (ATR_NECK.index(name) for name in ("upper-clothes", "face", "neck"))
ARMS = tuple(ATR_NECK.index(name) for name in ("left-arm", "right-arm"))
LIP_FACE = LIP.index("face")


def affine(shape: tuple[int, int], side: int, back: bool = False) -> np.ndarray:
    """float64 (2, 3): from an image (H, W) to the network's square, centred, its longer side filling it; ``back`` the other way."""
    height, width = shape
    reach = max(width - 1, height - 1) * 0.5
    centre, middle, half = np.array([(width - 1) * 0.5, (height - 1) * 0.5]), (side - 1) * 0.5, (side - 1) * 0.5
    corners = np.array([[0, 0], [0, -1], [-1, -1]])  # of a centre, a point above it and that one turned by a right angle
    image, square = (centre + reach * corners).astype(np.float32), (middle + half * corners).astype(np.float32)
    return cv2.getAffineTransform(square, image) if back else cv2.getAffineTransform(image, square)


def network_picture(image: np.ndarray, side: int) -> np.ndarray:
    """float32 (1, 3, side, side) BGR, normalised, for uint8 (H, W, 3) RGB; black beyond the image."""
    bgr = np.ascontiguousarray(image[..., ::-1])
    square = cv2.warpAffine(bgr, affine(image.shape[:2], side), (side, side), flags=cv2.INTER_LINEAR)
    values = (square.astype(np.float32) / 255 - MEAN) / DEVIATION
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def on_image(logits: np.ndarray, shape: tuple[int, int], side: int) -> np.ndarray:
    """Logits (1, C, h, w) on the image: float32 (H, W, C), all 0 beyond the network's square."""
    import torch
    from torch.nn import functional as F

    full = F.interpolate(torch.from_numpy(np.asarray(logits, np.float32)), (side, side), mode="bilinear", align_corners=True)
    matrix, size = affine(shape, side, back=True), (shape[1], shape[0])
    return np.dstack([cv2.warpAffine(channel, matrix, size, flags=cv2.INTER_LINEAR) for channel in full[0].numpy()])


def labels(logits: np.ndarray, shape: tuple[int, int], side: int) -> np.ndarray:
    """uint8 (H, W): the likeliest class of every pixel."""
    return on_image(logits, shape, side).argmax(2).astype(np.uint8)


def merge(atr: np.ndarray, lip: np.ndarray) -> np.ndarray:
    """One label map of both, uint8 (H, W) ATR and 18 = neck: gaps in upper clothes closed, and what only ATR calls face is neck."""
    merged = close_gaps(atr)
    return np.where((merged == FACE) & (lip != LIP_FACE), NECK, merged).astype(np.uint8)


def close_gaps(atr: np.ndarray) -> np.ndarray:
    """``atr`` with what upper clothes and arms enclose made upper clothes, but for arms and for large gaps (2000 px in 384x512)."""
    padded = np.pad(atr, 1)
    arms = np.isin(padded, ARMS)
    outside = ((padded == UPPER) | arms).astype(np.uint8)
    cv2.floodFill(outside, None, (0, 0), 2)
    enclosed = outside != 2
    gaps = (enclosed & (padded != UPPER) & ~arms).astype(np.int32) * 255  # 32 bits, as the reference gives them to OpenCV
    contours, _ = cv2.findContours(gaps, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    large = np.zeros(padded.shape, np.uint8)
    for contour in contours:
        if cv2.contourArea(contour) > HOLE * atr.size:
            cv2.drawContours(large, [contour], 0, 1, thickness=-1)
    # Either, not both: the reference adds the two in 8 bits (255 + 1 = 0), which gives an arm within a large gap to the clothes.
    kept = (large == 1) ^ arms
    return np.where(enclosed & ~kept, UPPER, padded)[1:-1, 1:-1].astype(np.uint8)


class Parser:
    """Both networks and their merge.

    atr, lip: ONNX files, or sessions with ``run`` and ``get_inputs`` as onnxruntime's
    """

    def __init__(self, atr: str | Path | Any, lip: str | Path | Any, providers: tuple[str, ...] = ("CPUExecutionProvider",)):
        self.atr, self.lip = (
            session(Path(s), classes, providers) if isinstance(s, str | Path) else s
            for s, classes in ((atr, len(ATR_NECK) - 1), (lip, len(LIP)))
        )

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """uint8 (H, W), ATR and 18 = neck, for uint8 (H, W, 3) RGB; IDM-VTON gives it 384x512."""
        return merge(run(self.atr, image), run(self.lip, image))


def run(network: Any, image: np.ndarray) -> np.ndarray:
    """One network's label map, uint8 (H, W)."""
    entry = network.get_inputs()[0]
    side = entry.shape[-1]
    # Output 0 is the coarse parsing, 1 the fused one that SCHP reads.
    logits = network.run(None, {entry.name: network_picture(image, side)})[1]
    return labels(logits, image.shape[:2], side)


def session(path: Path, classes: int, providers: tuple[str, ...] = ("CPUExecutionProvider",)) -> Any:
    """onnxruntime's session for one file. Raises ``weights.Damaged`` or ``weights.Mismatch`` for what is no such network."""
    import onnxruntime

    from helpers import weights

    remedy = "Delete it and fetch it again: python -m helpers weights fetch humanparsing"
    weights.check(path, "onnx", path.name, remedy)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    here = [name for name in providers if name in onnxruntime.get_available_providers()] or ["CPUExecutionProvider"]
    try:
        network = onnxruntime.InferenceSession(str(path), options, providers=here)
    except Exception as error:  # onnxruntime's errors (InvalidProtobuf, InvalidGraph, Fail) share no public base
        raise weights.Damaged(
            f"{path.name}: {path} is not an ONNX network that can be read ({type(error).__name__}). {remedy}"
        ) from error
    entry, outputs = network.get_inputs()[0], network.get_outputs()
    shape = list(entry.shape)
    fused = list(outputs[1].shape) if len(outputs) > 1 else []
    square = len(shape) == 4 and shape[1] == 3 and isinstance(shape[2], int) and shape[2] == shape[3]
    if not square or len(fused) != 4 or (isinstance(fused[1], int) and fused[1] != classes):
        raise weights.Mismatch(
            f"{path.name}: {path} takes {shape} and gives {[list(o.shape) for o in outputs]}; an SCHP parser takes [1, 3, S, S] and "
            f"gives the fused logits [1, {classes}, h, w] as its second output. Use IDM-VTON's humanparsing files."
        )
    return network

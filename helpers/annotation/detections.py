"""What DensePose finds, whichever implementation ran: boxes, part maps and coordinates; and their way to a person's IUV map.

Convention: IUV is uint8 (H, W, 3): body part 0..24 (0 = none), U and V 0..255.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from helpers import notes

PARTS = 25  # background and 24 parts


@dataclass(frozen=True)
class Detections:
    """N people, highest score first; float32 tensors on the CPU.

    boxes (N, 4) x0, y0, x1, y1 in image pixels; scores (N,) 0..1; coarse (N, 2, S, S), fine, u, v (N, 25, S, S) over each box
    """

    boxes: Tensor
    scores: Tensor
    coarse: Tensor
    fine: Tensor
    u: Tensor
    v: Tensor

    @classmethod
    def none(cls) -> Detections:
        """Nobody."""
        parts = torch.empty(0, PARTS, 112, 112)
        return cls(torch.empty(0, 4), torch.empty(0), torch.empty(0, 2, 112, 112), parts, parts, parts)

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, which: Tensor | slice) -> Detections:
        """Some of them, by an index tensor, a mask or a slice."""
        return Detections(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def scaled(self, x: float, y: float, shape: tuple[int, int]) -> Detections:
        """Boxes multiplied by ``x`` and ``y`` and clipped to ``shape`` (H, W); what has no area is dropped."""
        boxes = self.boxes * torch.tensor([x, y, x, y])
        edges = torch.tensor([shape[1], shape[0], shape[1], shape[0]], dtype=boxes.dtype)
        boxes = boxes.clamp(min=0).minimum(edges)
        moved = Detections(boxes, self.scores, self.coarse, self.fine, self.u, self.v)
        return moved[(boxes[:, 2:] > boxes[:, :2]).all(1)]

    def chart(self, index: int) -> tuple[tuple[int, int], np.ndarray, np.ndarray]:
        """(x, y) of the box's corner, its parts uint8 (h, w) and its u, v float32 (2, h, w) as the network gives them."""
        x, y, width, height = box_pixels(self.boxes[index])
        coarse, fine, u, v = (
            F.interpolate(t[index : index + 1], (height, width), mode="bilinear", align_corners=False)[0]
            for t in (self.coarse, self.fine, self.u, self.v)
        )
        parts = fine.argmax(0) * (coarse.argmax(0) > 0)
        uv = torch.stack([t.gather(0, parts[None])[0] * (parts > 0) for t in (u, v)])
        return (x, y), parts.to(torch.uint8).numpy(), uv.numpy()

    def iuv(self, index: int, shape: tuple[int, int]) -> np.ndarray:
        """IUV (H, W, 3) of one of them on a picture of ``shape`` (H, W).

        u and v are held to 0..1 (the reference lets them wrap around in 8 bits).
        """
        (x, y), parts, uv = self.chart(index)
        out = np.zeros((*shape, 3), np.uint8)
        view = out[y : y + parts.shape[0], x : x + parts.shape[1]]
        box = np.dstack([parts, *(np.clip(uv, 0, 1) * 255).astype(np.uint8)])
        view[:] = box[: view.shape[0], : view.shape[1]]
        return out

    def nearest(self, joints: np.ndarray) -> int | None:
        """Whose box holds most of a skeleton (18, 3) and is no larger than that needs; ``None`` if none holds half of it."""
        seen = joints[joints[:, 2] > 0, :2]
        if not len(self) or not len(seen):
            return None
        boxes = self.boxes.numpy()
        inside = ((seen[None] >= boxes[:, None, :2]) & (seen[None] <= boxes[:, None, 2:])).all(2).mean(1)
        low, high = np.maximum(boxes[:, :2], seen.min(0)), np.minimum(boxes[:, 2:], seen.max(0))
        shared = np.clip(high - low, 0, None).prod(1) / (boxes[:, 2:] - boxes[:, :2]).prod(1)
        best = int(np.argmax(inside + 0.5 * shared))
        return best if inside[best] >= 0.5 else None


class Detector(Protocol):
    """What finds people with their surface: DensePose's own network here, or detectron2's."""

    def detect(self, image: np.ndarray) -> Detections:
        """Everybody in uint8 (H, W, 3) RGB, boxes in its pixels, highest score first."""


def box_pixels(box: Tensor) -> tuple[int, int, int, int]:
    """x, y, width, height in whole pixels, cut off as detectron2's converters do."""
    x0, y0 = box[:2].tolist()
    width, height = (box[2:] - box[:2]).tolist()
    return int(x0), int(y0), max(int(width), 1), max(int(height), 1)


def read_dump(path: str | Path, shape: tuple[int, int]) -> np.ndarray:
    """IUV (H, W, 3) on a picture of ``shape`` (H, W) from a dump of DensePose's, JSON: [parts (h, w), u and v (2, h, w), box x0 y0 x1 y1].

    ``person.densepose_picture`` draws it, all 24 parts. u and v may be 0..1 or 0..255. Raises ``ValueError`` naming the file.
    """
    dump = notes.read(Path(path), "densepose", "")
    try:
        parts, uv, box = dump[:3]
        parts, uv = np.array(parts, np.float64), np.array(uv, np.float64)
        x, y = (int(value) for value in box[:2])
        fits = parts.ndim == 2 and uv.shape == (2, *parts.shape) and x >= 0 <= y and 0 <= parts.min() <= parts.max() < PARTS
    except (ValueError, TypeError, KeyError, IndexError):
        fits = False
    if not fits:
        raise ValueError(f"densepose: {path} is no dump of DensePose's: a list of parts 0..24, u and v, and a box is wanted.")
    uv = uv.clip(0) * (255 if uv.max() <= 1 else 1)
    out = np.zeros((*shape, 3), np.uint8)
    view = out[y : y + parts.shape[0], x : x + parts.shape[1]]
    view[:] = np.dstack([parts, *uv.clip(max=255)]).astype(np.uint8)[: view.shape[0], : view.shape[1]]
    return out

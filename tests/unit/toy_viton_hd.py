"""A try-on engine in the manner of VITON-HD, toy-sized, as the author of one would write it: this file, and a record in the table.

Convention: tensors are float (1, C, h, w), pictures in -1..1, masks 0 or 1.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import engines
from helpers.contract import Base
from helpers.garment import Garment
from helpers.joints import openpose_picture
from helpers.labels import BODY_25, UPPER, select
from helpers.person import Person
from helpers.tryon.result import TryOn
from helpers.tryon.sitting import sit

SIZE = (192, 256)


class Segmentation(nn.Module):
    """Where the new cloth will be, (1, 1, h, w) in 0..1, from cloth mask, what may change, pose and noise (1, 6, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 1, 9, padding=4)
        nn.init.zeros_(self.conv.weight)
        nn.init.constant_(self.conv.weight[:, 1], 0.4)  # of the nine by nine around, what may change counts
        nn.init.constant_(self.conv.bias, -8.0)

    def forward(self, told: Tensor) -> Tensor:
        return torch.sigmoid(self.conv(told))


class Warp(nn.Module):
    """The cloth (1, 4, h, w) where its mask's box fits the box of the segmentation."""

    def forward(self, cloth: Tensor, target: Tensor) -> Tensor:
        (x, y, w, h), (u, v, width, height) = _box(cloth[:, 3:]), _box(target)
        theta = torch.tensor([[[w / width, 0, x - u * w / width], [0, h / height, y - v * h / height]]])
        return F.grid_sample(cloth, F.affine_grid(theta, list(cloth.shape), align_corners=False), align_corners=False)


class ToyVITONHD(Base):
    """Segmentation, then warp, then the picture. Networks are made when first needed; ``close`` frees them."""

    def __init__(self) -> None:
        self._nets: tuple[nn.Module, nn.Module] | None = None

    def close(self) -> None:
        self._nets = None

    @engines.checked("try_on", "toy_viton_hd")
    @torch.no_grad()
    def __call__(
        self,
        person: Person,
        garment: Garment,
        *,
        mask: np.ndarray | None = None,
        seed: int = 0,
        noise: float = 1.0,
        framing: str = "letterbox",
        pick: str | int = "auto",
        annotator: str = "auto",
    ) -> TryOn:
        at = sit(person, garment, mask, SIZE, engine="toy_viton_hd", framing=framing, pick=pick, annotator=annotator)
        if mask is None:
            at = at.masked(changeable(at.person))
        agnostic = np.where(at.mask[..., None], 128, at.image).astype(np.uint8)
        pose = openpose_picture(at.person.keypoints, SIZE)
        grain = noise * torch.randn(1, 1, *at.mask.shape, generator=torch.Generator().manual_seed(seed))

        self._nets = self._nets or (Segmentation().eval(), Warp().eval())
        segmentation, warp = self._nets
        cloth = torch.cat([_tensor(at.cloth), _tensor(at.cloth_mask)], 1)
        target = segmentation(torch.cat([cloth[:, 3:], _tensor(at.mask), _tensor(pose), grain], 1))
        warped = warp(cloth, target)
        alpha = target * (warped[:, 3:] > 0.5)
        painted = alpha * (warped[:, :3] + 0.02 * grain) + (1 - alpha) * _tensor(agnostic)
        steps = {"agnostic": agnostic, "pose": pose, "warped cloth": _picture(warped[:, :3])}
        return at.result(_picture(painted), notes=["Drawn by a toy."], steps=steps)


def changeable(person: Person) -> np.ndarray:
    """bool (h, w): upper clothes, and arms along the joints but for the hands."""
    assert person.labels is not None
    assert person.keypoints is not None
    strokes = np.zeros(person.labels.shape, np.uint8)
    for side in ("right", "left"):
        joints = [person.keypoints[BODY_25.index(f"{side}-{name}")] for name in ("shoulder", "elbow", "wrist")]
        seen = [tuple(int(v) for v in joint[:2]) for joint in joints if joint[2] > 0]
        for start, end in pairwise(seen):
            cv2.line(strokes, start, end, 1, 18)
    arms = select(person.labels, ("left-arm", "right-arm")) & (strokes > 0)
    return arms | select(person.labels, UPPER)


def _tensor(picture: np.ndarray) -> Tensor:
    if picture.dtype == bool:
        return torch.from_numpy(picture.astype(np.float32))[None, None]
    return torch.from_numpy(picture.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]


def _picture(values: Tensor) -> np.ndarray:
    return ((values[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).numpy().astype(np.uint8)


def _box(mask: Tensor) -> tuple[float, float, float, float]:
    """Middle and size of what is above one half, in units of -1..1 over the map."""
    y, x = torch.nonzero(mask[0, 0] > 0.5, as_tuple=True)
    ends = [(2 * float(v) + 1) / n - 1 for v, n in zip((x.min(), x.max(), y.min(), y.max()), (192, 192, 256, 256), strict=True)]
    return (ends[0] + ends[1]) / 2, (ends[2] + ends[3]) / 2, ends[1] - ends[0], ends[3] - ends[2]

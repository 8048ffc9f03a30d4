"""U2NET and U2NETP: what stands out in a picture, and in a third network which clothes a pixel shows.

Xuebin Qin et al., "U2-Net: Going Deeper with Nested U-Structure for Salient Object Detection", Pattern Recognition 2020;
github.com/xuebinqin/U-2-Net (Apache-2.0): ``u2net.pth``, ``u2netp.pth``, ``u2net_human_seg.pth``. The clothes are
github.com/levindabhi/cloth-segmentation's (MIT): ``cloth_segm_u2net_latest.pth``, four classes, trained on iMaterialist.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from helpers import images
from helpers.annotation.network import OneNetwork, without
from helpers.labels import CIHP
from helpers.person import Person

SIDE, CLOTH_SIDE = 320, 768  # px of the square pictures that the networks were trained on
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # R, G, B
CLOTHES = ("background", "upper-clothes", "pants", "dress")
"""The four classes of the cloth network: nothing worn, upper body, lower body, full body."""
SURE = 0.5  # of the likeliest pixel: below it nothing stands out, whatever the normalisation makes of it

_STAGES = {  # (depth, or 0 for the dilated block; the stages whose outputs go in; published channels inside and out)
    "stage1": (7, (), 32, 64), "stage2": (6, ("stage1",), 32, 128), "stage3": (5, ("stage2",), 64, 256),
    "stage4": (4, ("stage3",), 128, 512), "stage5": (0, ("stage4",), 256, 512), "stage6": (0, ("stage5",), 256, 512),
    "stage5d": (0, ("stage6", "stage5"), 256, 512), "stage4d": (4, ("stage5d", "stage4"), 128, 256),
    "stage3d": (5, ("stage4d", "stage3"), 64, 128), "stage2d": (6, ("stage3d", "stage2"), 32, 64),
    "stage1d": (7, ("stage2d", "stage1"), 16, 64),
}  # fmt: skip
_SIDES = ("stage1d", "stage2d", "stage3d", "stage4d", "stage5d", "stage6")


class ConvNormReLU(nn.Module):
    """A 3x3 convolution, its norm and ReLU."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(self.bn_s1(self.conv_s1(x)))


class Residual(nn.Module):
    """A small U-Net added to its own input. ``depth`` counts its levels, each half as large; 0 has four that dilate instead."""

    def __init__(self, depth: int, inputs: int, inner: int, outputs: int) -> None:
        super().__init__()
        self.pooling, self.levels = bool(depth), depth or 4
        last = self.levels
        dilations = dict.fromkeys(range(1, last), 1) | {last: 2} if depth else {i: 2 ** (i - 1) for i in range(1, last + 1)}
        self.rebnconvin = ConvNormReLU(inputs, outputs)
        for i in range(1, last + 1):
            self.add_module(f"rebnconv{i}", ConvNormReLU(outputs if i == 1 else inner, inner, dilations[i]))
        for i in range(last - 1, 0, -1):
            self.add_module(f"rebnconv{i}d", ConvNormReLU(2 * inner, outputs if i == 1 else inner, dilations[i]))

    def forward(self, x: Tensor) -> Tensor:
        whole = x = self.rebnconvin(x)
        kept = []
        for i in range(1, self.levels + 1):
            if self.pooling and 1 < i < self.levels:  # the last level is as large as the one above it
                x = smaller(x)
            x = getattr(self, f"rebnconv{i}")(x)
            kept.append(x)
        for i in range(self.levels - 1, 0, -1):
            x = getattr(self, f"rebnconv{i}d")(torch.cat([like(x, kept[i - 1]), kept[i - 1]], 1))
        return x + whole


def smaller(x: Tensor) -> Tensor:
    """Half the size, rounded up."""
    return F.max_pool2d(x, 2, 2, ceil_mode=True)


def like(x: Tensor, other: Tensor) -> Tensor:
    """``x`` as large as ``other``."""
    if x.shape[-2:] == other.shape[-2:]:
        return x
    return F.interpolate(x, other.shape[-2:], mode="bilinear", align_corners=False)


class U2Net(nn.Module):
    """(N, 3, H, W) -> seven maps of logits (N, classes, H, W): the joined one, then those of the six levels, finest first.

    widths: stage -> channels inside and out, where they are not those of U2NET
    """

    def __init__(self, classes: int = 1, widths: Mapping[str, tuple[int, int]] | None = None) -> None:
        super().__init__()
        channels: dict[str, int] = {}
        for name, (depth, sources, inner, outer) in _STAGES.items():
            inner, channels[name] = (widths or {}).get(name, (inner, outer))
            inputs = sum(channels[source] for source in sources) or 3
            self.add_module(name, Residual(depth, inputs, inner, channels[name]))
        for number, name in enumerate(_SIDES, 1):
            self.add_module(f"side{number}", nn.Conv2d(channels[name], classes, 3, padding=1))
        self.outconv = nn.Conv2d(len(_SIDES) * classes, classes, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        found: dict[str, Tensor] = {}
        for name, (_, sources, *_rest) in _STAGES.items():
            if len(sources) == 2:  # on the way up: the level below, as large as the one beside it
                below, beside = (found[source] for source in sources)
                x = torch.cat([like(below, beside), beside], 1)
            elif sources:
                x = smaller(x)
            x = found[name] = getattr(self, name)(x)
        first, *rest = [getattr(self, f"side{number}")(found[name]) for number, name in enumerate(_SIDES, 1)]
        levels = [first, *(like(side, first) for side in rest)]
        return [self.outconv(torch.cat(levels, 1)), *levels]


U2NETP = dict.fromkeys(_STAGES, (16, 64))
"""The widths of the light network."""


def build(state: Mapping[str, Tensor], name: str = "u2net") -> U2Net:
    """The network that ``state`` fits, widths and all. Raises ``weights.Mismatch`` (a ``ValueError``) for another network's file."""
    from helpers import weights

    state = without(state, "module.")
    widths = {}
    for stage in _STAGES:
        inner, outer = (state.get(f"{stage}.{layer}.conv_s1.weight") for layer in ("rebnconv1", "rebnconvin"))
        if inner is not None and outer is not None:
            widths[stage] = (len(inner), len(outer))
    classes = len(state["outconv.weight"]) if "outconv.weight" in state else 1
    with torch.device("meta"):
        network = U2Net(classes, widths)
    weights.fit(network, state, name)
    return network.eval().requires_grad_(False)


def network_picture(image: np.ndarray, *, rembg: bool = False) -> np.ndarray:
    """float32 (1, 3, 320, 320) RGB for uint8 (H, W, 3) RGB: by its brightest value, normalised; its sides' ratio is not kept.

    rembg: made small by Lanczos' filter, as rembg does, instead of skimage's
    """
    from skimage.transform import resize

    if rembg:
        small = np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS)).astype(np.float64)
    else:
        small = resize(image, (SIDE, SIDE), mode="constant")
    small = small / max(small.max(), 1e-6)  # the public code divides a black picture by 0
    return ((small - MEAN) / DEVIATION).astype(np.float32).transpose(2, 0, 1)[None]


def on_image(likely: np.ndarray, shape: tuple[int, int], *, rembg: bool = False) -> np.ndarray:
    """uint8 (H, W) of 0..255 for likelihoods (h, w), lowest to highest; all 0 where they are all the same.

    rembg: enlarged by Lanczos' filter, as rembg does, instead of bilinearly
    """
    low, high = float(likely.min()), float(likely.max())
    grey = Image.fromarray(((likely - low) / (high - low) if high > low else np.zeros_like(likely)).astype(np.float32) * 255)
    return np.asarray(grey.convert("L").resize(shape[::-1], Image.Resampling.LANCZOS if rembg else Image.Resampling.BILINEAR))


class Salient(OneNetwork):
    """Matte and mask of what stands out: the person, or the garment in a photograph of one.

    ``rembg`` is U2NET's network seen and enlarged as the background remover of that name does it (danielgatis/rembg, MIT).
    """

    FILES: ClassVar[dict[str, str]] = {"human_seg": "u2net_human_seg", "u2net": "u2net", "u2netp": "u2netp", "rembg": "u2net"}
    build = staticmethod(build)

    @torch.inference_mode()
    def matte(self, image: np.ndarray) -> np.ndarray:
        """float32 (H, W) of 0..1 for uint8 (H, W, 3) RGB. Raises ``ValueError`` where nothing stands out."""
        rembg = self.variant == "rembg"
        seen = torch.from_numpy(network_picture(image, rembg=rembg)).to(self.device)
        likely = self.network(seen)[0][0, 0].sigmoid().cpu().numpy()
        if not likely.max() > SURE:
            raise ValueError(
                "nothing stands out in the picture: use one that shows the person or the garment larger and sharper."
            )
        return on_image(likely, image.shape[:2], rembg=rembg).astype(np.float32) / 255

    def __call__(
        self, person: Person, *, needs: Collection[str], pick: str | int = "auto", mask: np.ndarray | None = None
    ) -> Person:
        """The person with what is in ``needs``, ``matte`` or ``mask``, and not known yet; of several, ``mask`` says which piece is meant.

        Raises ``ValueError`` where nothing stands out or ``pick`` is a number: all people are one.
        """
        missing = person.missing(needs)
        self.require_everybody(pick)
        if not missing:
            return person
        matte = self.matte(person.image)
        if mask is not None:
            matte = matte * touching(matte > 0.5, mask)
        found: dict[str, Any] = {"matte": matte, "mask": matte > 0.5}
        return replace(person, **{name: found[name] for name in missing})


def touching(pieces: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """bool (H, W): the connected pieces that ``mask`` lies on, and around them what is nearer to them than to others."""
    _, numbers = cv2.connectedComponents(pieces.astype(np.uint8))
    meant = np.isin(numbers, np.setdiff1d(numbers[mask], [0]))
    if not (meant & pieces).any():
        raise ValueError("mask: nothing that stands out in the picture lies where the mask is. Give the mask of what is worn.")
    other = pieces & ~meant
    if not other.any():
        return np.ones_like(pieces)
    near, far = (cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, 5) for part in (meant & pieces, other))
    return near <= far


class Cloth(OneNetwork):
    """Which clothes each pixel shows: of the upper body, of the lower, or of both in one; no skin, hair or shoes."""

    FILES: ClassVar[dict[str, str]] = {"": "u2net_cloth"}
    build = staticmethod(build)

    @torch.inference_mode()
    def logits(self, image: np.ndarray) -> np.ndarray:
        """float32 (4, H, W) in the order of ``CLOTHES`` for uint8 (H, W, 3) RGB, which is seen as a square of 768."""
        small = images.resize(image, (CLOTH_SIDE, CLOTH_SIDE)).astype(np.float32) / 127.5 - 1
        picture = torch.from_numpy(small).permute(2, 0, 1)[None].to(self.device)
        found = self.network(picture)[0]
        return F.interpolate(found, image.shape[:2], mode="bilinear", align_corners=False)[0].cpu().numpy()

    def __call__(
        self, person: Person, *, needs: Collection[str], pick: str | int = "auto", mask: np.ndarray | None = None
    ) -> Person:
        """The person with ``labels`` of their clothes, and each of ``CLOTHES`` that is there in ``garments``; of several, ``mask`` says
        whose. Raises ``ValueError`` where there are none or ``pick`` is a number: all people are one."""
        self.require_everybody(pick)
        if not person.missing(needs):
            return person
        classes = self.logits(person.image).argmax(0)
        if mask is not None:
            classes = classes * touching(classes > 0, mask)
        if not classes.any():
            raise ValueError("no clothes are to be seen in the picture: use one that shows them larger and sharper.")
        labels = np.array([CIHP.index(name) for name in CLOTHES], np.uint8)[classes]
        worn = {name: classes == index for index, name in enumerate(CLOTHES) if index and (classes == index).any()}
        return replace(person, labels=labels, garments={**worn, **person.garments})

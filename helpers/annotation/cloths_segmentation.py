"""Which pixels of a picture are clothes: a U-Net on EfficientNet-B3.

Vladimir Iglovikov, github.com/ternaus/cloths_segmentation (MIT), trained on iMaterialist: release 0.0.1, ``weights.zip``. Its network is
``Unet("timm-efficientnet-b3", classes=1)`` of github.com/qubvel/segmentation_models.pytorch (MIT), and so are the parameter names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers import images
from helpers.annotation.network import OneNetwork, without
from helpers.annotation.u2net import touching
from helpers.person import Person

LONGEST, MULTIPLE = 800, 32  # px: what the longer side is made at most, and what both are padded to
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)  # R, G, B

_BLOCKS = (2, 3, 3, 5, 5, 6, 2)  # of each stage
_STAGES = ((3, 1), (3, 2), (5, 2), (3, 2), (5, 1), (5, 2), (3, 1))  # kernel and stride
_KEPT = (1, 2, 4, 6)  # after these the decoder is handed what is seen so far


class Squeeze(nn.Module):
    """Every channel weighed by what the means of all of them say."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.conv_reduce, self.conv_expand = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.conv_expand(F.silu(self.conv_reduce(x.mean((2, 3), keepdim=True)))).sigmoid()


class Separable(nn.Module):
    """A block of the first stage: each channel by itself, then all together."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, inner: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(inputs, inputs, kernel, stride, kernel // 2, groups=inputs, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.se = Squeeze(inputs, inner)
        self.conv_pw = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv_pw(self.se(F.silu(self.bn1(self.conv_dw(x))))))
        return x + out if self.adds else out


class Inverted(nn.Module):
    """A block of the other stages, wider inside than outside."""

    def __init__(self, inputs: int, wide: int, outputs: int, kernel: int, stride: int, inner: int) -> None:
        super().__init__()
        self.conv_pw = nn.Conv2d(inputs, wide, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(wide)
        self.conv_dw = nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.se = Squeeze(wide, inner)
        self.conv_pwl = nn.Conv2d(wide, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out = F.silu(self.bn2(self.conv_dw(F.silu(self.bn1(self.conv_pw(x))))))
        out = self.bn3(self.conv_pwl(self.se(out)))
        return x + out if self.adds else out


@dataclass(frozen=True)
class Widths:
    """Channels of each part; the published ones, or what a file's tensors say."""

    stem: int = 40
    outer: tuple[int, ...] = (24, 32, 48, 96, 136, 232, 384)
    head: int = 1536
    decoder: tuple[int, ...] = (256, 128, 64, 32, 16)

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> Widths:
        """From the shapes in ``state``; what is missing keeps its published width, so that loading names it."""
        published = cls()

        def out(name: str, default: int) -> int:
            return len(state[name]) if name in state else default

        last = ["conv_pw", *["conv_pwl"] * (len(published.outer) - 1)]
        return cls(
            out("encoder.conv_stem.weight", published.stem),
            tuple(out(f"encoder.blocks.{i}.0.{last[i]}.weight", w) for i, w in enumerate(published.outer)),
            out("encoder.conv_head.weight", published.head),
            tuple(out(f"decoder.blocks.{i}.conv1.0.weight", w) for i, w in enumerate(published.decoder)),
        )


class Encoder(nn.Module):
    """EfficientNet-B3: (N, 3, H, W), H and W multiples of 32 -> what is seen at strides 2, 4, 8, 16 and 32."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.conv_stem = nn.Conv2d(3, widths.stem, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths.stem)
        self.blocks, inputs = nn.Sequential(), widths.stem
        for number, (count, outputs) in enumerate(zip(_BLOCKS, widths.outer, strict=True)):
            stage, (kernel, stride) = nn.Sequential(), _STAGES[number]
            for block in range(count):
                step = 1 if block else stride
                if number:
                    stage.append(Inverted(inputs, 6 * inputs, outputs, kernel, step, max(inputs // 4, 1)))
                else:
                    stage.append(Separable(inputs, outputs, kernel, step, max(inputs // 4, 1)))
                inputs = outputs
            self.blocks.append(stage)
        self.conv_head = nn.Conv2d(inputs, widths.head, 1, bias=False)  # in the file, and used by nothing here
        self.bn2 = nn.BatchNorm2d(widths.head)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.silu(self.bn1(self.conv_stem(x)))
        seen = [x]
        for number, stage in enumerate(self.blocks):
            x = stage(x)
            if number in _KEPT:
                seen.append(x)
        return seen


class Up(nn.Module):
    """Twice as large, joined to what the encoder saw at that size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        for number, channels in ((1, inputs), (2, outputs)):
            conv = nn.Conv2d(channels, outputs, 3, padding=1, bias=False)
            self.add_module(f"conv{number}", nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU()))

    def forward(self, x: Tensor, beside: Tensor | None) -> Tensor:
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        return self.conv2(self.conv1(x if beside is None else torch.cat([x, beside], 1)))


class UNet(nn.Module):
    """(N, 3, H, W) RGB, normalised, H and W multiples of 32 -> logits (N, 1, H, W)."""

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__()
        widths = widths or Widths()
        self.encoder = Encoder(widths)
        seen = [widths.stem, *(widths.outer[number] for number in _KEPT)]
        inputs = [seen.pop(), *widths.decoder]
        self.decoder = nn.Module()
        beside = [*reversed(seen), 0]
        ups = (Up(i + b, o) for i, b, o in zip(inputs, beside, widths.decoder, strict=False))
        self.decoder.blocks = nn.ModuleList(ups)
        self.segmentation_head = nn.Sequential(nn.Conv2d(inputs[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        x, *seen = reversed(self.encoder(x))
        for up, beside in zip(self.decoder.blocks, [*seen, None], strict=True):
            x = up(x, beside)
        return self.segmentation_head(x)


def build(state: Mapping[str, Tensor], name: str = "cloths_segmentation") -> UNet:
    """The network that ``state`` fits, widths and all. Raises ``weights.Mismatch`` (a ``ValueError``) for another network's file."""
    from helpers import weights

    state = without(state, "model.")
    with torch.device("meta"):
        network = UNet(Widths.of(state))
    weights.fit(network, state, name)
    return network.eval().requires_grad_(False)


def network_picture(image: np.ndarray) -> tuple[np.ndarray, tuple[slice, slice]]:
    """float32 (1, 3, h, w), normalised, for uint8 (H, W, 3) RGB, and where in it the image lies, evenly padded with black."""
    height, width = image.shape[:2]
    size = images.fit_inside((width, height), (LONGEST, LONGEST))
    small = image if size == (width, height) else images.resize(image, size)
    rows, columns = ((-side) % MULTIPLE for side in small.shape[:2])
    around = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0))
    inside = tuple(slice(before, before + side) for (before, _), side in zip(around, small.shape[:2], strict=False))
    values = (np.pad(small, around).astype(np.float32) / 255 - MEAN) / DEVIATION
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None]), (inside[0], inside[1])


class ClothsSegmentation(OneNetwork):
    """Mask of the clothes in a picture: the garment in a photograph of one, all that is worn in one of a person."""

    FILES: ClassVar[dict[str, str]] = {"": "cloths_segmentation"}
    build = staticmethod(build)

    @torch.inference_mode()
    def clothes(self, image: np.ndarray) -> np.ndarray:
        """bool (H, W) for uint8 (H, W, 3) RGB."""
        picture, inside = network_picture(image)
        logits = self.network(torch.from_numpy(picture).to(self.device))[0, 0][inside].float().cpu().numpy()
        return cv2.resize(logits, image.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0

    def __call__(
        self, person: Person, *, needs: Collection[str], pick: str | int = "auto", mask: np.ndarray | None = None
    ) -> Person:
        """The person, or the garment's photograph, with ``mask`` of its clothes; of several pieces, those that ``mask`` lies on.

        Raises ``ValueError`` where there are none or ``pick`` is a number: all people are one.
        """
        self.require_everybody(pick)
        if not person.missing(needs):
            return person
        clothes = self.clothes(person.image)
        if not clothes.any():
            raise ValueError("no clothes are to be seen in the picture: use one that shows them larger and sharper.")
        return replace(person, mask=clothes if mask is None else clothes & touching(clothes, mask))

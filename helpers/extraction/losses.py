"""What the extractor's networks are trained by.

Sources: pix2pix (GAN, L1), aidl-upc-2024-clothes-extractor (L1 beside perceptual and structural terms); Johnson et al., "Perceptual
Losses for Real-Time Style Transfer and Super-Resolution", 2016; Wang et al., "Image Quality Assessment: From Error Visibility to Structural
Similarity", 2004.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def gan(judged: Tensor, real: bool, mode: str = "logits") -> Tensor:
    """How far a discriminator's answer is from "a photograph" (``real``) or "made".

    mode: ``probability`` (cross-entropy of 0..1, the extractor's), ``logits`` (cross-entropy, pix2pix's ``vanilla``) or ``lsgan`` (squares)
    """
    wanted = torch.full_like(judged, float(real))
    if mode == "probability":
        return F.binary_cross_entropy(judged, wanted)
    return F.binary_cross_entropy_with_logits(judged, wanted) if mode == "logits" else F.mse_loss(judged, wanted)


def ssim(one: Tensor, other: Tensor, span: float = 1.0, sigma: float = 1.5) -> Tensor:
    """Structural similarity of pictures (B, C, H, W) whose values lie ``span`` apart at most: one number, 1 where they are equal.

    A Gaussian window of eleven pixels; the five at each border, whose window would reach beyond, are left out.
    """
    reach = int(3.5 * sigma + 0.5)
    if min(one.shape[2:]) <= 2 * reach:
        raise ValueError(
            f"structural similarity needs pictures of more than {2 * reach} pixels a side, not {tuple(one.shape[2:])}."
        )
    steps = torch.arange(-reach, reach + 1, dtype=one.dtype, device=one.device)
    window = torch.exp(-(steps**2) / (2 * sigma**2))
    window = (window / window.sum()).repeat(one.shape[1], 1, 1, 1)

    def smooth(x: Tensor) -> Tensor:
        x = F.conv2d(x, window, groups=one.shape[1])
        return F.conv2d(x, window.transpose(2, 3), groups=one.shape[1])

    mean, mean_other = smooth(one), smooth(other)
    spread, spread_other = smooth(one * one) - mean**2, smooth(other * other) - mean_other**2
    both = smooth(one * other) - mean * mean_other
    dark, flat = (0.01 * span) ** 2, (0.03 * span) ** 2
    alike = (2 * mean * mean_other + dark) * (2 * both + flat)
    return (alike / ((mean**2 + mean_other**2 + dark) * (spread + spread_other + flat))).mean()


class Perceptual(nn.Module):
    """How different VGG16 sees two pictures (B, 3, H, W), 0..1: the sum of the mean differences after its first four blocks.

    state: torchvision's ``vgg16`` checkpoint, of which the convolutions of the blocks are used
    """

    _BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.ends: list[int] = []  # after which layers the pictures are compared
        before = 3
        for widths in self._BLOCKS:
            layers += [nn.MaxPool2d(2)] if self.ends else []
            for width in widths:
                layers += [nn.Conv2d(before, width, 3, 1, 1), nn.ReLU()]
                before = width
            self.ends.append(len(layers) - 1)
        self.features = nn.Sequential(*layers)
        own = self.state_dict()
        if missing := [key for key in own if key not in state]:
            raise ValueError(f"perceptual: the checkpoint is none of VGG16, it lacks {missing[0]}. Take torchvision's vgg16.")
        self.load_state_dict({key: state[key] for key in own})
        self.requires_grad_(False).eval()

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        pair = torch.cat([one, other])
        mean, spread = (pair.new_tensor(values).view(1, 3, 1, 1) for values in (_MEAN, _SPREAD))
        x = F.interpolate((pair - mean) / spread, size=(224, 224), mode="bilinear", align_corners=False)
        total = x.new_zeros(())
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in self.ends:
                total = total + F.l1_loss(*x.chunk(2))
        return total

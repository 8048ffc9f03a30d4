"""The two networks that HR-VITON was trained against, under their published parameter names; nothing is dressed by them.

Each looks at a picture at several sizes and says for every patch how real it is. Padding is by 2 with kernels of 4, so that maps are a
pixel larger than half: 64x48 becomes 33x25.

Source: Lee et al., "HR-VITON", 2022 (``networks.py`` and ``network_generator.py`` of sangyun884/HR-VITON); Wang et al., "pix2pixHD", 2018.
Code and checkpoints are CC BY-NC 4.0: not for commercial use.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from helpers.tryon.spectral import SpectralConv2d

Maps = list[list[Tensor]]
"""For every size, finest first, what its layers gave; the last, float32 (B, 1, h, w), is how real each patch is."""
_WIDEST = 512
_KERNEL = 4
_NORMS: dict[str, type[nn.Module]] = {"instance": nn.InstanceNorm2d, "batch": nn.BatchNorm2d}


class PartsDiscriminator(nn.Module):
    """Whether the parts of a person (13 maps) go with the garment and the body (4 and 16) that are shown beside them.

    inputs:   channels, 33 as published; width: of the first layer, doubled by each next
    scales:   how many sizes, each half the one before; layers: that halve it
    halved:   the finest is half the picture already, as published
    dropout:  half of what the middle layers give is left out in training, as published
    features: the maps of all layers are given, and their names say so, instead of the last alone
    spectral: weights of the middle layers are over their largest singular value
    norm:     ``instance`` as published, or ``batch``
    """

    def __init__(
        self,
        inputs: int = 33,
        width: int = 64,
        *,
        scales: int = 2,
        layers: int = 3,
        halved: bool = True,
        dropout: bool = True,
        features: bool = False,
        spectral: bool = False,
        norm: str = "instance",
    ) -> None:
        super().__init__()
        self.scales, self.halved, self.features = scales, halved, features
        for scale in range(scales):
            parts = _layers(inputs, width, layers, dropout=dropout, spectral=spectral, norm=norm)
            if features:
                for number, part in enumerate(parts):
                    self.add_module(f"scale{scale}_layer{number}", nn.Sequential(*part))
            else:
                self.add_module(f"layer{scale}", nn.Sequential(*(layer for part in parts for layer in part)))

    def forward(self, x: Tensor) -> Maps:
        """x: float32 (B, ``inputs``, H, W)."""
        x = _half(x) if self.halved else x
        found = []
        for scale in reversed(range(self.scales)):  # the network with the last name sees most
            name = f"scale{scale}_" if self.features else f"layer{scale}"
            found.append(_through([part for key, part in self.named_children() if key.startswith(name)], x))
            x = _half(x)
        return found


def _layers(inputs: int, width: int, halvings: int, *, dropout: bool, spectral: bool, norm: str) -> list[list[nn.Module]]:
    normed = _NORMS[norm]
    widths = [min(width << level, _WIDEST) for level in range(halvings + 1)]
    parts: list[list[nn.Module]] = [[nn.Conv2d(inputs, width, _KERNEL, 2, 2), nn.LeakyReLU(0.2)]]
    conv = SpectralConv2d if spectral else nn.Conv2d
    for before, after in pairwise(widths[:-1]):
        parts.append([conv(before, after, _KERNEL, stride=2, padding=2), normed(after), nn.LeakyReLU(0.2)])
        parts[-1] += [nn.Dropout(0.5)] if dropout else []
    parts.append([nn.Conv2d(*widths[-2:], _KERNEL, 1, 2), normed(widths[-1]), nn.LeakyReLU(0.2)])
    return [*parts, [nn.Conv2d(widths[-1], 1, _KERNEL, 1, 2)]]


class PictureDiscriminator(nn.Module):
    """Whether a picture (3 channels, after the map's) is a photograph of a person whose regions (one-hot) are those shown before it.

    inputs: channels, 10 as published; width: of the first layer; scales: how many sizes; layers: that halve each
    norm:   of the middle layers, ``instance`` as published, or ``batch``
    """

    def __init__(self, inputs: int = 10, width: int = 64, *, scales: int = 2, layers: int = 3, norm: str = "instance") -> None:
        super().__init__()
        for scale in range(scales):
            self.add_module(f"discriminator_{scale}", _OneSize(inputs, width, layers, norm))

    def forward(self, x: Tensor) -> Maps:
        """x: float32 (B, ``inputs``, H, W). Real and made pictures are best shown in one batch."""
        found = []
        for one in self.children():
            found.append(_through(list(one.children()), x))
            x = _half(x)
        return found


class _OneSize(nn.Module):
    def __init__(self, inputs: int, width: int, layers: int, norm: str) -> None:
        super().__init__()
        widths = [min(width << level, _WIDEST) for level in range(layers)]
        self.model0 = nn.Sequential(nn.Conv2d(inputs, width, _KERNEL, 2, 2), nn.LeakyReLU(0.2))
        for number, (before, after) in enumerate(pairwise(widths), 1):
            conv = SpectralConv2d(before, after, _KERNEL, stride=2, padding=2, bias=False)
            normed = nn.Sequential(conv, _NORMS[norm](after))
            self.add_module(f"model{number}", nn.Sequential(normed, nn.LeakyReLU(0.2)))
        self.add_module(f"model{layers}", nn.Sequential(nn.Conv2d(widths[-1], 1, _KERNEL, 1, 2)))


def _through(parts: list[nn.Module], x: Tensor) -> list[Tensor]:
    """What each of ``parts`` gives of what the one before it gave."""
    found = []
    for part in parts:
        x = part(x)
        found.append(x)
    return found


def _half(x: Tensor) -> Tensor:
    """Half the size; what lies beyond the border counts for nothing."""
    return F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)

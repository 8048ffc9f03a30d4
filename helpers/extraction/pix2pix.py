"""pix2pix's U-Net generator and its two discriminators under their published parameter names.

The U-Net is a nest: each level holds the coarser one between its way down and its way up, and hands on its input beside its result.

Source: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017 (junyanz/pytorch-CycleGAN-and-pix2pix, BSD).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

NORMS = ("batch", "instance")


def _norm(kind: str, width: int) -> nn.Module:
    """The instance norm learns nothing, so that the convolution before it has a bias."""
    return nn.BatchNorm2d(width) if kind == "batch" else nn.InstanceNorm2d(width)


class UnetBlock(nn.Module):
    """One level: half the size, the level ``inside``, and back; what came in stands beside what comes out, but at the outermost.

    width_in: channels that come in (and, outermost, go in from the picture); width: channels of the coarser level; out: that come out
    """

    def __init__(
        self,
        width_in: int,
        width: int,
        out: int,
        norm: str,
        inside: nn.Module | None,
        *,
        outermost: bool = False,
        drop: bool = False,
    ) -> None:
        super().__init__()
        self.outermost = outermost
        bias = norm == "instance"
        layers: list[nn.Module] = [nn.Conv2d(width_in, width, 4, 2, 1, bias=bias)]
        # The published one leaks in place: what stands beside the result has leaked too.
        layers = layers if outermost else [nn.LeakyReLU(0.2, inplace=True), *layers]
        if inside is not None:
            layers += [inside] if outermost else [_norm(norm, width), inside]
        layers += [nn.ReLU(), nn.ConvTranspose2d(width if inside is None else 2 * width, out, 4, 2, 1, bias=bias or outermost)]
        layers += [nn.Tanh()] if outermost else [_norm(norm, out)]
        self.model = nn.Sequential(*layers, *([nn.Dropout(0.5)] if drop else []))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class UnetGenerator(nn.Module):
    """A picture to another, -1..1.

    inputs, outputs: channels; downs: levels, 8 (``unet_256``) or 7 (``unet_128``) as published
    width:           channels of the finest level, 64 as published
    norm:            ``batch`` or ``instance``; dropout: of the levels of eight times the width, also published
    Sides are multiples of 2 to the ``downs``; an instance norm needs one more, for it cannot norm a single pixel.
    """

    def __init__(
        self, inputs: int = 3, outputs: int = 3, downs: int = 8, width: int = 64, norm: str = "batch", dropout: bool = False
    ) -> None:
        super().__init__()
        if norm not in NORMS or downs < 5:
            raise ValueError(f"a U-Net has batch or instance norm and at least 5 levels, not {norm} norm and {downs} levels.")
        self.downs = downs
        n = width
        block = UnetBlock(8 * n, 8 * n, 8 * n, norm, None)
        for _ in range(downs - 5):
            block = UnetBlock(8 * n, 8 * n, 8 * n, norm, block, drop=dropout)
        for outer, inner in ((4 * n, 8 * n), (2 * n, 4 * n), (n, 2 * n)):
            block = UnetBlock(outer, inner, outer, norm, block)
        self.model = UnetBlock(inputs, n, outputs, norm, block, outermost=True)

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> UnetGenerator:
        """The variant that a checkpoint is of. Raises ``KeyError`` where it is none of them."""
        first, last = state["model.model.0.weight"], state["model.model.3.weight"]
        downs = max(key.count("model.") for key in state) - 1
        norm = "instance" if "model.model.0.bias" in state else "batch"
        return cls(first.shape[1], last.shape[1], downs, first.shape[0], norm)

    @property
    def multiple(self) -> int:
        """Of which both sides of a picture are multiples."""
        return 2**self.downs

    def forward(self, x: Tensor) -> Tensor:
        """float32 (B, outputs, H, W), -1..1, of ``x`` (B, inputs, H, W), -1..1."""
        return self.model(x)


class NLayerDiscriminator(nn.Module):
    """PatchGAN: logits of overlapping patches, (B, 1, h, w), of a source and a candidate in one tensor (B, inputs, H, W), -1..1.

    layers: 3 see patches of 70x70 pixels, as published (``basic``); width: channels of the first, 64 as published
    """

    def __init__(self, inputs: int = 6, width: int = 64, layers: int = 3, norm: str = "batch") -> None:
        super().__init__()
        bias = norm == "instance"
        sequence: list[nn.Module] = [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        widths = [width * min(2**level, 8) for level in range(layers + 1)]
        for level in range(layers):
            stride = 2 if level < layers - 1 else 1
            sequence += [nn.Conv2d(widths[level], widths[level + 1], 4, stride, 1, bias=bias), _norm(norm, widths[level + 1])]
            sequence += [nn.LeakyReLU(0.2, inplace=True)]
        self.model = nn.Sequential(*sequence, nn.Conv2d(widths[-1], 1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class PixelDiscriminator(nn.Module):
    """Logits of single pixels, (B, 1, H, W): PatchGAN with patches of one."""

    def __init__(self, inputs: int = 6, width: int = 64, norm: str = "batch") -> None:
        super().__init__()
        bias = norm == "instance"
        self.net = nn.Sequential(
            nn.Conv2d(inputs, width, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(width, 2 * width, 1, bias=bias),
            _norm(norm, 2 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 1, 1, bias=bias),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def begin(network: nn.Module, generator: torch.Generator | None = None, spread: float = 0.02) -> nn.Module:
    """``network`` with the weights that its training begins with, drawn as published; returns it."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, spread, generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, spread, generator)
            nn.init.zeros_(layer.bias)
    return network

"""The generators by name, at any size of frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.extraction import pix2pix, resnet_unet
from helpers.extraction.resnet_unet import BLOCKS

NETWORKS = ("unet", *BLOCKS)
_DOWNS = (8, 7, 6, 5)  # levels that a U-Net may have, the deepest that fits is taken


@dataclass(frozen=True)
class Painter:
    """Which generator. network: of :data:`NETWORKS`; inputs, outputs: channels; width: of its finest level; downs: levels of a ``unet``"""

    network: str
    inputs: int
    outputs: int
    width: int
    downs: int = 0

    @classmethod
    def fitting(cls, network: str, inputs: int, outputs: int, width: int, size: tuple[int, int]) -> Painter:
        """The painter for frames of ``size`` (width, height): a U-Net as deep as its sides can be halved."""
        halved = next((downs for downs in _DOWNS if not any(side % 2**downs for side in size)), _DOWNS[-1])
        return cls(network, inputs, outputs, width, halved if network == "unet" else 0)

    def build(self) -> nn.Module:
        """The network, its weights not begun yet."""
        if self.network == "unet":
            return pix2pix.UnetGenerator(self.inputs, self.outputs, self.downs, self.width)
        return resnet_unet.ResnetUnet(self.network, self.inputs, self.outputs, self.width)

    def begin(self, generator: torch.Generator) -> nn.Module:
        """The network with the weights that its training begins with."""
        network = self.build()
        if isinstance(network, resnet_unet.ResnetUnet):
            return resnet_unet.begin(network, generator)
        return pix2pix.begin(network, generator)

    @property
    def multiple(self) -> int:
        """Of which both sides of what the network itself reads are multiples."""
        return 2**self.downs if self.network == "unet" else resnet_unet.ResnetUnet.multiple

    def at_any_size(self, network: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        """``network`` for pictures of any size: black is put around them, and taken off what is made of them."""

        def painted(x: Tensor) -> Tensor:
            height, width = x.shape[2:]
            high, wide = (-side % self.multiple for side in (height, width))
            top, left = high // 2, wide // 2
            around = F.pad(x, (left, wide - left, top, high - top), value=-1.0)
            return network(around)[..., top : top + height, left : left + width]

        return painted

"""The clothes extractor's generator under its published parameter names: a U-Net on ResNet-18 or ResNet-34 whose decoder weighs its
channels and its places (scSE).

Sources: aidl-upc-2024-clothes-extractor (MIT), which builds it with segmentation_models_pytorch; He et al., "Deep Residual Learning", 2016;
Roy et al., "Concurrent Spatial and Channel Squeeze & Excitation", 2018.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
"""Residual blocks of each stage."""
_DECODED = (256, 128, 64, 32, 16)
_SHRINK = 16  # of the channels, where they weigh each other


class BasicBlock(nn.Module):
    """Two convolutions beside a copy, which is brought to the new width and size where those differ."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        changes = stride != 1 or width_in != width
        self.downsample = (
            nn.Sequential(nn.Conv2d(width_in, width, 1, stride, bias=False), nn.BatchNorm2d(width)) if changes else None
        )

    def forward(self, x: Tensor) -> Tensor:
        beside = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)) + beside)


class Encoder(nn.Module):
    """ResNet without its head: five features, at a half to a thirty-second of the size, of 1, 1, 2, 4 and 8 times ``width`` channels."""

    def __init__(self, inputs: int, blocks: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        before = width
        for number, count in enumerate(blocks):
            wide = width << number
            stage = [BasicBlock(before if not i else wide, wide, 2 if number and not i else 1) for i in range(count)]
            self.add_module(f"layer{number + 1}", nn.Sequential(*stage))
            before = wide

    def forward(self, x: Tensor) -> list[Tensor]:
        features = [F.relu(self.bn1(self.conv1(x)))]
        x = F.max_pool2d(features[0], 3, 2, 1)
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            features.append(x)
        return features


class SCSE(nn.Module):
    """Each channel by what the whole picture says of it, plus each place by what all channels say of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        few = max(1, width // _SHRINK)
        self.attention = nn.ModuleDict(
            {
                "cSE": nn.Sequential(
                    nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, few, 1), nn.ReLU(), nn.Conv2d(few, width, 1), nn.Sigmoid()
                ),
                "sSE": nn.Sequential(nn.Conv2d(width, 1, 1), nn.Sigmoid()),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.attention["cSE"](x) + x * self.attention["sSE"](x)


class DecoderBlock(nn.Module):
    """Twice the size, beside what the encoder knows of that size."""

    def __init__(self, width_in: int, beside: int, width: int, attention: bool) -> None:
        super().__init__()
        self.conv1 = _convolution(width_in + beside, width)
        # In the last block of no effect: nothing stands beside.
        self.attention1 = SCSE(width_in + beside) if attention else nn.Identity()
        self.conv2 = _convolution(width, width)
        self.attention2 = SCSE(width) if attention else nn.Identity()

    def forward(self, x: Tensor, beside: Tensor | None) -> Tensor:
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        if beside is not None:
            x = self.attention1(torch.cat([x, beside], 1))
        return self.attention2(self.conv2(self.conv1(x)))


def _convolution(width_in: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width_in, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


class Decoder(nn.Module):
    def __init__(self, encoded: tuple[int, ...], decoded: tuple[int, ...], attention: bool) -> None:
        super().__init__()
        beside = (*encoded[-2::-1], 0)
        before = (encoded[-1], *decoded)
        self.blocks = nn.ModuleList(DecoderBlock(a, b, c, attention) for a, b, c in zip(before, beside, decoded, strict=False))

    def forward(self, features: list[Tensor]) -> Tensor:
        x = features[-1]
        for block, beside in zip(self.blocks, (*features[-2::-1], None), strict=True):
            x = block(x, beside)
        return x


class ResnetUnet(nn.Module):
    """A picture to another, without an activation: read it as -1..1.

    encoder:   ``resnet18`` or ``resnet34``; inputs, outputs: channels; width: channels of the finest level, 64 as published
    attention: whether the decoder weighs channels and places, as published, or takes them as they come
    Sides are multiples of 32.
    """

    multiple = 32

    def __init__(
        self, encoder: str = "resnet18", inputs: int = 3, outputs: int = 3, width: int = 64, *, attention: bool = True
    ) -> None:
        super().__init__()
        encoded = (width, width, 2 * width, 4 * width, 8 * width)
        decoded = tuple(max(1, wide * width // 64) for wide in _DECODED)
        self.encoder = Encoder(inputs, BLOCKS[encoder], width)
        self.decoder = Decoder(encoded, decoded, attention)
        self.segmentation_head = nn.Sequential(nn.Conv2d(decoded[-1], outputs, 3, 1, 1))

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> ResnetUnet:
        """The variant that a checkpoint is of. Raises ``KeyError`` where it is none of them."""
        first, last = state["encoder.conv1.weight"], state["segmentation_head.0.weight"]
        encoder = "resnet34" if "encoder.layer3.5.conv1.weight" in state else "resnet18"
        attention = "decoder.blocks.0.attention2.attention.sSE.0.weight" in state
        return cls(encoder, first.shape[1], last.shape[0], first.shape[0], attention=attention)

    def forward(self, x: Tensor) -> Tensor:
        """float32 (B, outputs, H, W) of ``x`` (B, inputs, H, W), -1..1."""
        return self.segmentation_head(self.decoder(self.encoder(x)))


def begin(network: ResnetUnet, generator: torch.Generator | None = None) -> ResnetUnet:
    """``network`` with the weights that a training without ImageNet's begins with; returns it."""
    for layer in network.encoder.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
    for layer in network.decoder.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    head = network.segmentation_head[0]
    nn.init.xavier_uniform_(head.weight, generator=generator)
    nn.init.zeros_(head.bias)
    return network

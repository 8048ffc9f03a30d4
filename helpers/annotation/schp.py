"""Self-Correction Human Parsing as torch checkpoints: CE2P on ResNet-101 with edges, for LIP, ATR and Pascal person parts.

Peike Li et al., "Self-Correction for Human Parsing", TPAMI 2020; github.com/GoGoDuck912/Self-Correction-Human-Parsing (MIT):
``exp-schp-201908261155-lip.pth``, ``exp-schp-201908301523-atr.pth``, ``exp-schp-201908270938-pascal-person-part.pth``. Pictures go in
and label maps come out as in ``parsing``, which runs the first two as IDM-VTON's ONNX files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.annotation import parsing
from helpers.annotation.network import OneNetwork, without
from helpers.labels import ATR, LIP, PASCAL, convert, with_torso_skin
from helpers.person import Person

SIDES = {"lip": 473, "atr": 512, "pascal": 512}
"""Pixels of the square picture of each variant."""
CLASSES = {"lip": LIP, "atr": ATR, "pascal": PASCAL}
"""What each variant tells apart."""
POOLS = (1, 2, 3, 6)
BLOCKS = (3, 4, 23, 3)
_EPS, _SLOPE = 1e-5, 0.01


class Norm(nn.Module):
    """The norm of in-place activated batch normalisation, whose scale is the weight without its sign; then a leaky ReLU if asked for."""

    def __init__(self, channels: int, leaky: bool = True) -> None:
        super().__init__()
        self.leaky = leaky
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = F.batch_norm(x, self.running_mean, self.running_var, self.weight.abs() + _EPS, self.bias, training=False, eps=_EPS)
        return F.leaky_relu_(x, _SLOPE) if self.leaky else x


def resized(x: Tensor, size: tuple[int, ...] | torch.Size) -> Tensor:
    """``x`` at ``size`` (height, width), corner to corner."""
    return F.interpolate(x, size, mode="bilinear", align_corners=True)


def _conv(inputs: int, outputs: int, kernel: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), Norm(outputs)]


class Bottleneck(nn.Module):
    """A residual block, whose stride or dilation is in its 3x3 convolution."""

    def __init__(self, inputs: int, inner: int, stride: int, dilation: int, first: bool) -> None:
        super().__init__()
        outer = 4 * inner
        self.conv1, self.bn1 = nn.Conv2d(inputs, inner, 1, bias=False), Norm(inner, leaky=False)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, dilation, dilation, bias=False)
        self.bn2 = Norm(inner, leaky=False)
        self.conv3, self.bn3 = nn.Conv2d(inner, outer, 1, bias=False), Norm(outer, leaky=False)
        if first:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outer, 1, stride, bias=False), Norm(outer, leaky=False))

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu_(self.bn2(self.conv2(F.relu_(self.bn1(self.conv1(x))))))
        return F.relu_(self.bn3(self.conv3(inner)) + (self.downsample(x) if hasattr(self, "downsample") else x))


class Context(nn.Module):
    """Pyramid pooling: means over grids of 1, 2, 3 and 6 cells a side beside the features themselves."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(nn.Sequential(nn.AdaptiveAvgPool2d(n), *_conv(inputs, outputs)) for n in POOLS)
        self.bottleneck = nn.Sequential(*_conv(inputs + len(POOLS) * outputs, outputs, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.bottleneck(torch.cat([*(resized(stage(x), x.shape[-2:]) for stage in self.stages), x], 1))


class Edge(nn.Module):
    """Where classes meet: logits of two classes and the features behind them, from the first three layers."""

    def __init__(self, inputs: tuple[int, int, int], inner: int) -> None:
        super().__init__()
        for number, channels in enumerate(inputs, 1):
            self.add_module(f"conv{number}", nn.Sequential(*_conv(channels, inner)))
        self.conv4 = nn.Conv2d(inner, 2, 3, padding=1)
        self.conv5 = nn.Conv2d(6, 2, 1)

    def forward(self, *layers: Tensor) -> tuple[Tensor, Tensor]:
        size = layers[0].shape[-2:]
        features = [getattr(self, f"conv{number}")(layer) for number, layer in enumerate(layers, 1)]
        edges = [resized(self.conv4(feature), size) for feature in features]
        return self.conv5(torch.cat(edges, 1)), torch.cat([resized(feature, size) for feature in features], 1)


class Decoder(nn.Module):
    """Classes from the context and the first layer: logits and the features behind them."""

    def __init__(self, context: int, first: int, skip: int, inner: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*_conv(context, inner))
        self.conv2 = nn.Sequential(*_conv(first, skip))
        self.conv3 = nn.Sequential(*_conv(inner + skip, inner), *_conv(inner, inner))
        self.conv4 = nn.Conv2d(inner, classes, 1)

    def forward(self, context: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv3(torch.cat([resized(self.conv1(context), first.shape[-2:]), self.conv2(first)], 1))
        return self.conv4(x), x


class CE2P(nn.Module):
    """(N, 3, H, W) BGR, normalised -> logits at a quarter of the size: of the classes, of the classes with edges seen, of the edges.

    width: channels in which everything is counted, 64 as published
    """

    def __init__(self, classes: int, width: int = 64) -> None:
        super().__init__()
        for number, (inputs, outputs) in enumerate(((3, width), (width, width), (width, 2 * width)), 1):
            conv = nn.Conv2d(inputs, outputs, 3, 2 if number == 1 else 1, 1, bias=False)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"bn{number}", Norm(outputs, leaky=False))
        inputs, outer = 2 * width, []
        for number, blocks in enumerate(BLOCKS, 1):
            inner, stride, dilation = width << (number - 1), 2 if number in (2, 3) else 1, 2 if number == 4 else 1
            layer = nn.Sequential()
            for block in range(blocks):
                layer.append(Bottleneck(inputs, inner, 1 if block else stride, dilation, first=not block))
                inputs = 4 * inner
            self.add_module(f"layer{number}", layer)
            outer.append(inputs)
        self.context_encoding = Context(outer[3], 8 * width)
        self.edge = Edge((outer[0], outer[1], outer[2]), 4 * width)
        self.decoder = Decoder(8 * width, outer[0], 3 * width // 4, 4 * width, classes)
        inner = 4 * width  # the published name of the last part is misspelt
        self.fushion = nn.Sequential(*_conv(4 * inner, inner), nn.Dropout2d(0.1), nn.Conv2d(inner, classes, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        for number in (1, 2, 3):
            x = F.relu_(getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x)))
        x = F.max_pool2d(x, 3, 2, 1)
        layers = [x := getattr(self, f"layer{number}")(x) for number in range(1, 5)]
        classes, seen = self.decoder(self.context_encoding(layers[3]), layers[0])
        edge, edges = self.edge(*layers[:3])
        return classes, self.fushion(torch.cat([seen, edges], 1)), edge


def build(state: Mapping[str, Tensor], name: str = "schp", classes: int | None = None) -> CE2P:
    """The network that ``state`` fits, width and all. Raises ``weights.Mismatch`` (a ``ValueError``) for another network's file.

    classes: how many it has to have; those that ``state`` has, if not given
    """
    from helpers import weights

    state = without(state, "module.")
    last, stem = state.get("fushion.3.weight"), state.get("conv1.weight")
    with torch.device("meta"):
        network = CE2P(classes or (20 if last is None else len(last)), 64 if stem is None else len(stem))
    weights.fit(network, state, name)
    return network.eval().requires_grad_(False)


class SCHP(OneNetwork):
    """Classes of every pixel, by the network of ATR or LIP."""

    FILES: ClassVar[dict[str, str]] = {"atr": "schp_atr", "lip": "schp_lip"}

    def build(self, state: Mapping[str, Tensor], name: str) -> CE2P:  # type: ignore[override]
        return build(state, name, len(CLASSES[self.variant]))

    @torch.inference_mode()
    def logits(self, image: np.ndarray) -> np.ndarray:
        """float32 (H, W, C) for uint8 (H, W, 3) RGB, in the variant's numbering; all 0 beyond the network's square."""
        side = SIDES[self.variant]
        picture = torch.from_numpy(parsing.network_picture(image, side)).to(self.device)
        return parsing.on_image(self.network(picture)[1].cpu().numpy(), image.shape[:2], side)

    def parse(self, image: np.ndarray) -> np.ndarray:
        """uint8 (H, W) for uint8 (H, W, 3) RGB: the likeliest class in the variant's own numbering."""
        return self.logits(image).argmax(2).astype(np.uint8)

    def __call__(
        self, person: Person, *, needs: Collection[str], pick: str | int = "auto", mask: np.ndarray | None = None
    ) -> Person:
        """The person with what is in ``needs``, ``labels`` (CIHP) or ``mask``, and not known yet; everybody in the picture is labelled.

        Neither data set has torso skin: where the joints are known, it is the face below the chin.

        Raises ``ValueError`` where nobody is found, where ``pick`` is a number, and for the labels of Pascal's parts, which are no clothes.
        """
        missing = person.missing(needs)
        self.require_everybody(pick)
        if not missing:
            return person
        if "labels" in missing and self.variant == "pascal":
            raise ValueError("engine schp_pascal names parts of the body, no clothes: take schp:lip or schp:atr for labels.")
        parse = self.parse(person.image)
        if not parse.any():
            raise ValueError("no clothing or skin was recognised on the person: use a sharper, well-lit photograph.")
        found: dict[str, Any] = {"mask": parse > 0}
        if "labels" in missing:
            found["labels"] = convert(parse, self.variant, "cihp")
            if person.keypoints is not None:
                found["labels"] = with_torso_skin(found["labels"], person.keypoints)
        return replace(person, **{name: found[name] for name in missing})


class PascalParts(SCHP):
    """Parts of the body in every pixel: ``parse`` and ``logits`` in Pascal's numbering, and of a ``Person`` the mask."""

    FILES: ClassVar[dict[str, str]] = {"pascal": "schp_pascal"}

"""DensePose R50-FPN s1x on torch and torchvision: which point of the body each pixel shows, without building detectron2.

Rıza Alp Güler et al., "DensePose: Dense Human Pose Estimation in the Wild", CVPR 2018; github.com/facebookresearch/detectron2,
projects/DensePose, ``densepose_rcnn_R_50_FPN_s1x`` (Apache-2.0; ``model_final_162be9.pkl``). Parameter names are detectron2's.

Convention: boxes are x0, y0, x1, y1 in pixels of the picture that the network sees; float32 whatever the network's precision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import batched_nms, clip_boxes_to_image, nms, roi_align

from helpers.annotation.detections import PARTS, Detections

MEAN = (103.53, 116.28, 123.675)  # B, G, R; the deviation is 1
SHORT, LONG = 800, 1333  # px: the shorter side is made SHORT unless the longer one would pass LONG
MULTIPLE = 32
STRIDES = {"p2": 4, "p3": 8, "p4": 16, "p5": 32, "p6": 64}
POOLED = ("p2", "p3", "p4", "p5")
ANCHORS = (32, 64, 128, 256, 512)  # px, one size a level
RATIOS = (0.5, 1.0, 2.0)  # height by width
PROPOSALS, PROPOSAL_NMS = 1000, 0.7
BOX_NMS, BOXES = 0.5, 100
BOX_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
SCORE = 0.8  # of a detection that is shown
_LARGEST_STEP = math.log(1000 / 16)  # of a box's log size


@dataclass(frozen=True)
class Widths:
    """Channels of each part; the published ones, or what a file's tensors say."""

    stem: int = 64
    inner: tuple[int, ...] = (64, 128, 256, 512)
    outer: tuple[int, ...] = (256, 512, 1024, 2048)
    pyramid: int = 256
    hidden: int = 1024
    decoder: int = 256
    decoded: int = 256
    head: tuple[int, ...] = (512,) * 8

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> Widths:
        """From the shapes in ``state``; what is missing keeps its published width, so that loading names it."""
        published = cls()

        def out(name: str, default: int) -> int:
            return len(state[name]) if name in state else default

        stages = [f"backbone.bottom_up.res{i}.0" for i in range(2, 6)]
        return cls(
            out("backbone.bottom_up.stem.conv1.weight", published.stem),
            tuple(out(f"{s}.conv1.weight", w) for s, w in zip(stages, published.inner, strict=True)),
            tuple(out(f"{s}.conv3.weight", w) for s, w in zip(stages, published.outer, strict=True)),
            out("backbone.fpn_lateral2.weight", published.pyramid),
            out("roi_heads.box_head.fc1.weight", published.hidden),
            out("roi_heads.decoder.p2.0.weight", published.decoder),
            out("roi_heads.decoder.predictor.weight", published.decoded),
            tuple(out(f"roi_heads.densepose_head.body_conv_fcn{i}.weight", w) for i, w in enumerate(published.head, 1)),
        )


class FrozenBatchNorm(nn.Module):
    """Batch normalisation whose statistics and scales are all buffers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=1e-5)


class NormConv(nn.Conv2d):
    """A convolution without bias and its ``norm``."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = FrozenBatchNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(super().forward(x))


class Bottleneck(nn.Module):
    """A residual block; the stride sits in the first 1x1 convolution (torchvision's sits in the 3x3 one)."""

    def __init__(self, inputs: int, inner: int, outputs: int, stride: int) -> None:
        super().__init__()
        if inputs != outputs or stride != 1:
            self.shortcut = NormConv(inputs, outputs, 1, stride)
        self.conv1 = NormConv(inputs, inner, 1, stride)
        self.conv2 = NormConv(inner, inner, 3)
        self.conv3 = NormConv(inner, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv3(F.relu_(self.conv2(F.relu_(self.conv1(x)))))
        return F.relu_(inner + (self.shortcut(x) if hasattr(self, "shortcut") else x))


class ResNet(nn.Module):
    """ResNet-50: (N, 3, H, W) -> res2 .. res5 at strides 4 .. 32."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.stem = nn.Module()
        self.stem.conv1 = NormConv(3, widths.stem, 7, 2)
        inputs = widths.stem
        for stage, (blocks, inner, outer) in enumerate(zip((3, 4, 6, 3), widths.inner, widths.outer, strict=True), 2):
            first = Bottleneck(inputs, inner, outer, 1 if stage == 2 else 2)
            rest = [Bottleneck(outer, inner, outer, 1) for _ in range(blocks - 1)]
            self.add_module(f"res{stage}", nn.Sequential(first, *rest))
            inputs = outer

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.max_pool2d(F.relu_(self.stem.conv1(x)), 3, 2, 1)
        return [x := getattr(self, f"res{stage}")(x) for stage in range(2, 6)]


class FPN(nn.Module):
    """Feature pyramid: (N, 3, H, W), H and W multiples of 32 -> p2 .. p6."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.bottom_up = ResNet(widths)
        for stage, outer in enumerate(widths.outer, 2):
            self.add_module(f"fpn_lateral{stage}", nn.Conv2d(outer, widths.pyramid, 1))
            self.add_module(f"fpn_output{stage}", nn.Conv2d(widths.pyramid, widths.pyramid, 3, padding=1))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        levels, above = {}, None
        for stage, features in zip((5, 4, 3, 2), reversed(self.bottom_up(x)), strict=True):
            lateral = getattr(self, f"fpn_lateral{stage}")(features)
            above = lateral if above is None else lateral + F.interpolate(above, scale_factor=2.0, mode="nearest")
            levels[f"p{stage}"] = getattr(self, f"fpn_output{stage}")(above)
        return {**dict(reversed(levels.items())), "p6": F.max_pool2d(levels["p5"], 1, 2)}


def moved(boxes: Tensor, deltas: Tensor, weights: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> Tensor:
    """Boxes (N, 4) shifted and scaled by the network's deltas (N, 4)."""
    size = boxes[:, 2:] - boxes[:, :2]
    centre = boxes[:, :2] + 0.5 * size
    deltas = deltas.float() / torch.tensor(weights, device=deltas.device)
    centre = centre + deltas[:, :2] * size
    half = 0.5 * size * deltas[:, 2:].clamp(max=_LARGEST_STEP).exp()
    return torch.cat([centre - half, centre + half], 1)


class ProposalNetwork(nn.Module):
    """Region proposals: where something may be."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rpn_head = nn.Module()
        self.rpn_head.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.rpn_head.objectness_logits = nn.Conv2d(channels, len(RATIOS), 1)
        self.rpn_head.anchor_deltas = nn.Conv2d(channels, 4 * len(RATIOS), 1)

    def head(self, level: Tensor) -> tuple[Tensor, Tensor]:
        """(1, A, h, w) logits and (1, 4 A, h, w) deltas of one level."""
        x = F.relu_(self.rpn_head.conv(level))
        return self.rpn_head.objectness_logits(x), self.rpn_head.anchor_deltas(x)

    def forward(self, levels: dict[str, Tensor], size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Boxes (P, 4) and logits (P,), highest first, within ``size`` (height, width) of the picture without padding."""
        boxes, scores, of_level = [], [], []
        for index, (name, level) in enumerate(levels.items()):
            logits, deltas = self.head(level)
            logits = logits[0].permute(1, 2, 0).flatten().float()  # (h w A,)
            deltas = deltas[0].unflatten(0, (-1, 4)).permute(2, 3, 0, 1).reshape(-1, 4)  # (A, 4, h, w) -> (h w A, 4)
            best, order = logits.topk(min(PROPOSALS, len(logits)))
            around = anchors(level.shape[-2:], STRIDES[name], ANCHORS[index], level.device)
            boxes.append(clip_boxes_to_image(moved(around[order], deltas[order]), size))
            scores.append(best)
            of_level.append(torch.full_like(order, index))
        boxes, scores, of_level = torch.cat(boxes), torch.cat(scores), torch.cat(of_level)
        there = boxes.isfinite().all(1) & scores.isfinite() & (boxes[:, 2:] > boxes[:, :2]).all(1)
        boxes, scores, of_level = boxes[there], scores[there], of_level[there]
        kept = batched_nms(boxes, scores, of_level, PROPOSAL_NMS)[:PROPOSALS]
        return boxes[kept], scores[kept]


def anchors(shape: tuple[int, int], stride: int, side: int, device: torch.device) -> Tensor:
    """(h w A, 4): boxes of ``side`` squared pixels in each ratio, around the upper left corner of every cell."""
    half = torch.tensor([(-w, -h, w, h) for r in RATIOS for w, h in [(side / math.sqrt(r) / 2, side * math.sqrt(r) / 2)]])
    y, x = torch.meshgrid(*(torch.arange(0, n * stride, stride, dtype=torch.float32) for n in shape), indexing="ij")
    return (torch.stack([x, y, x, y], -1)[:, :, None] + half).reshape(-1, 4).to(device)


def pooled(levels: dict[str, Tensor], boxes: Tensor, side: int) -> Tensor:
    """(N, C, side, side) features in boxes (N, 4); each from the level that fits its size where there are several.

    ``aligned=False`` is what this model was trained with, half a pixel off detectron2's later default.
    """
    size = (boxes[:, 2:] - boxes[:, :2]).prod(1).sqrt()
    level = (
        (4 + torch.log2(size / 224 + 1e-8)).floor().clamp(2, 5).long() - 2 if len(levels) > 1 else torch.zeros_like(size).long()
    )
    first = next(iter(levels.values()))
    out = first.new_zeros(len(boxes), first.shape[1], side, side)
    for index, (name, features) in enumerate(levels.items()):
        here = level == index
        if here.any():
            # In float32: 16 bits hold positions of some hundred pixels no finer than half a pixel to several pixels.
            cut = roi_align(features.float(), [boxes[here]], side, 1 / STRIDES[name], sampling_ratio=2, aligned=False)
            out[here] = cut.to(out.dtype)
    return out


class Decoder(nn.Module):
    """p2 .. p5 brought to p2's size and added: what the DensePose branch reads."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        for name in POOLED:
            steps, inputs = nn.Sequential(), widths.pyramid
            for _ in range(max(1, int(math.log2(STRIDES[name] / 4)))):
                steps.extend([nn.Conv2d(inputs, widths.decoder, 3, padding=1)])
                if name != "p2":
                    steps.extend([nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)])
                inputs = widths.decoder
            self.add_module(name, steps)
        self.predictor = nn.Conv2d(widths.decoder, widths.decoded, 1)

    def forward(self, levels: dict[str, Tensor]) -> Tensor:
        total: Tensor | float = 0.0
        for name in POOLED:
            x = levels[name]
            for step in getattr(self, name):
                x = F.relu(step(x)) if isinstance(step, nn.Conv2d) else step(x)
            total = x + total
        return self.predictor(total)


class Heads(nn.Module):
    """Boxes of people, and the surface of the body in each."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.box_head = nn.Module()
        self.box_head.fc1 = nn.Linear(widths.pyramid * 49, widths.hidden)
        self.box_head.fc2 = nn.Linear(widths.hidden, widths.hidden)
        self.box_predictor = nn.Module()
        self.box_predictor.cls_score = nn.Linear(widths.hidden, 2)  # person, background
        self.box_predictor.bbox_pred = nn.Linear(widths.hidden, 4)
        self.decoder = Decoder(widths)
        self.densepose_head = nn.Module()
        inputs = widths.decoded
        for i, width in enumerate(widths.head, 1):
            self.densepose_head.add_module(f"body_conv_fcn{i}", nn.Conv2d(inputs, width, 3, padding=1))
            inputs = width
        self.densepose_predictor = nn.Module()
        for name, outputs in (("ann_index", 2), ("index_uv", PARTS), ("u", PARTS), ("v", PARTS)):
            layer = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
            self.densepose_predictor.add_module(f"{name}_lowres", layer)

    def classify(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, 2) and deltas (N, 4) of pooled features (N, C, 7, 7)."""
        x = F.relu_(self.box_head.fc2(F.relu_(self.box_head.fc1(features.flatten(1)))))
        return self.box_predictor.cls_score(x), self.box_predictor.bbox_pred(x)

    def boxes(self, levels: dict[str, Tensor], proposals: Tensor, size: tuple[int, int], least: float) -> tuple[Tensor, Tensor]:
        """People's boxes (N, 4) and scores (N,) of at least ``least``, highest first."""
        logits, deltas = self.classify(pooled({n: levels[n] for n in POOLED}, proposals, 7))
        scores = logits.float().softmax(1)[:, 0]
        boxes = clip_boxes_to_image(moved(proposals, deltas, BOX_WEIGHTS), size)
        good = boxes.isfinite().all(1) & scores.isfinite() & (scores > least)
        boxes, scores = boxes[good], scores[good]
        kept = nms(boxes, scores, BOX_NMS)[:BOXES]
        return boxes[kept], scores[kept]

    def head(self, features: Tensor) -> Tensor:
        """(N, D, 28, 28) from pooled decoder features (N, C, 28, 28)."""
        for layer in self.densepose_head.children():
            features = F.relu_(layer(features))
        return features

    def predict(self, features: Tensor) -> list[Tensor]:
        """Coarse (N, 2, 112, 112), fine, u and v (N, 25, 112, 112)."""
        layers = self.densepose_predictor.children()  # bilinear to twice the size after the transposed convolution
        return [F.interpolate(y(features), scale_factor=2.0, mode="bilinear", align_corners=False) for y in layers]

    def surface(self, decoded: Tensor, boxes: Tensor) -> list[Tensor]:
        """What ``predict`` gives, for boxes on the decoder's map (1, C, h, w)."""
        return self.predict(self.head(pooled({"p2": decoded}, boxes, 28)))


class DensePoseRCNN(nn.Module):
    """The whole network, its 335 entries under detectron2's names."""

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__()
        widths = widths or Widths()
        self.backbone = FPN(widths)
        self.proposal_generator = ProposalNetwork(widths.pyramid)
        self.roi_heads = Heads(widths)

    def normalised(self, picture: Tensor) -> Tensor:
        """(1, 3, h, w) of a BGR picture (3, H, W) in 0..255: mean taken off, then padded with 0 to multiples of 32."""
        weight = self.backbone.bottom_up.stem.conv1.weight
        picture = picture.to(weight.device, torch.float32) - torch.tensor(MEAN, device=weight.device)[:, None, None]
        height, width = picture.shape[1:]
        return F.pad(picture, (0, -width % MULTIPLE, 0, -height % MULTIPLE))[None].to(weight.dtype)

    def forward(self, picture: Tensor, least: float = SCORE) -> Detections:
        """Detections in a BGR picture (3, H, W) in 0..255, highest score first."""
        size = tuple(picture.shape[1:])
        levels = self.backbone(self.normalised(picture))
        proposals, _ = self.proposal_generator(levels, size)
        boxes, scores = self.roi_heads.boxes(levels, proposals, size, least)
        if not len(boxes):
            return Detections.none()
        surface = self.roi_heads.surface(self.roi_heads.decoder(levels), boxes)
        return Detections(*(t.float().cpu() for t in (boxes, scores, *surface)))


def shortest_edge(image: np.ndarray, short: int = SHORT, longest: int = LONG) -> np.ndarray:
    """uint8 (H, W, 3) with its shorter side ``short``, or its longer one ``longest`` where that is less; PIL's bilinear filter."""
    height, width = image.shape[:2]
    scale = short / min(height, width)
    size = [short if side == min(height, width) else scale * side for side in (width, height)]
    if max(size) > longest:
        size = [side * (longest / max(size)) for side in size]
    return np.asarray(Image.fromarray(image).resize([int(side + 0.5) for side in size], Image.Resampling.BILINEAR))


class DensePose:
    """Finds people and their surface. ``source`` is ``model_final_162be9.pkl`` or its arrays by name.

    device, dtype: where and in which precision the network runs (half precision is for CUDA)
    """

    def __init__(
        self,
        source: str | Path | Mapping[str, np.ndarray | Tensor],
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        from helpers import weights

        if isinstance(source, str | Path):
            source = weights.load_pickle_arrays(Path(source), "densepose")
        state = {name: torch.as_tensor(value) for name, value in source.items()}
        with torch.device("meta"):
            network = DensePoseRCNN(Widths.of(state))
        # Anchors and pixel statistics are constants that older files carry along.
        weights.fit(network, state, "densepose", unused=(r"pixel_(mean|std)$", r".*anchor_generator\.cell_anchors\..*"))
        self.network = network.eval().requires_grad_(False).to(device, dtype)

    @torch.inference_mode()
    def detect(self, image: np.ndarray, least: float = SCORE) -> Detections:
        """Detections of at least ``least`` in uint8 (H, W, 3) RGB, boxes in its pixels, highest score first."""
        picture = shortest_edge(np.ascontiguousarray(image[..., ::-1]))
        found = self.network(torch.from_numpy(picture.copy()).permute(2, 0, 1), least)
        return found.scaled(image.shape[1] / picture.shape[1], image.shape[0] / picture.shape[0], image.shape[:2])

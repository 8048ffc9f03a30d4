"""Small OpenPose, SCHP and DensePose checkpoints in the published layouts, which read the mannequin's pictures.

All weights are seeded noise, made healthy layer by layer (mean 0, deviation 1 on the pictures below), but for the last layers: those are
ridge regressions on what the mannequin knows of its pictures, and on pictures without anybody. Other poses and photographs are beyond them.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers import Person, weights
from helpers.annotation import densepose, parsing, skeleton
from helpers.annotation.detections import PARTS
from helpers.annotation.openpose import BodyNetwork
from helpers.files import write_whole
from helpers.labels import ATR, CIHP, LIP, body25_to_coco18, convert
from helpers.testing import figure
from helpers.testing.nets import onnx_file

FIGURE: dict[str, Any] = {
    "prompt": "a woman with a bob in a coral crew neck crop top and navy mini skirt",
    "seed": 4,
    "size": (384, 512),
}
"""Whom the networks know best; draw it with ``generate(engine="mannequin", **FIGURE)``."""
_OTHER: dict[str, Any] = {**FIGURE, "prompt": "a man in a white t-shirt and blue jeans", "seed": 1}


def write(folder: Path, *groups: str) -> None:
    """Write the checkpoints of ``groups`` (all of them by default; other parts' groups are passed over) below ``folder``."""
    folder = Path(folder)
    if not groups or "openpose" in groups:
        flat = {name.split(".", 1)[1]: tensor.contiguous() for name, tensor in openpose().state_dict().items()}
        write_whole(folder / weights.record("openpose").path, lambda part: torch.save(flat, part))
    if not groups or "humanparsing" in groups:
        for name, side, names in (("atr", 512, ATR), ("lip", 473, LIP)):
            content = onnx_file(parser(side, names), (side, side), ["parsing", "fused", "edge"])
            path = folder / weights.record(f"humanparsing/parsing_{name}.onnx").path
            write_whole(path, partial(Path.write_bytes, data=content))
    if not groups or "densepose" in groups:
        arrays = {name: tensor.numpy() for name, tensor in densepose_network().state_dict().items()}
        content = pickle.dumps({"model": arrays, "__author__": "Tiny network for tests"})
        write_whole(folder / weights.record("densepose").path, lambda part: part.write_bytes(content))


@cache
def people() -> tuple[Person, ...]:
    """The figures that the networks are fitted to."""
    return tuple(figure(one["prompt"], one["seed"]) for one in (FIGURE, _OTHER))


def _surface(person: Person) -> np.ndarray:
    assert person.densepose is not None
    return person.densepose


@cache
def _views() -> tuple[tuple[np.ndarray, Person], ...]:
    """(picture uint8 (512, 384, 3), whose) of every figure: as drawn, softer, lighter, and with the clothes in other colours."""
    rng, views = np.random.default_rng(0), []
    for person in people():
        image = person.image
        views += [image, cv2.GaussianBlur(image, (0, 0), 0.7), np.clip(image * 1.1, 0, 255).astype(np.uint8)]
        for _ in range(2):
            recoloured = image.copy()
            for worn in person.garments.values():
                light = image[worn].mean(1, keepdims=True) / max(image[worn].mean(), 1)
                recoloured[worn] = np.clip(light * rng.uniform(20, 235, 3), 0, 255).astype(np.uint8)
            views.append(recoloured)
    each = len(views) // len(people())
    return tuple((view, people()[index // each]) for index, view in enumerate(views))


def _empty() -> list[np.ndarray]:
    """Pictures uint8 (512, 384, 3) with nobody in them: a plain backdrop and noise."""
    rng = np.random.default_rng(0)
    backdrop = np.broadcast_to(np.median(people()[0].image[:8], (0, 1)).astype(np.uint8), people()[0].image.shape)
    noise = cv2.resize(rng.integers(0, 256, (64, 48, 3), np.uint8), (384, 512), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(backdrop), noise]


def _ridge(features: Tensor, targets: Tensor, penalty: float, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Weight (K, C) and bias (K,) that take features (N, C) nearest to targets (N, K)."""
    x = torch.cat([features, torch.ones(len(features), 1)], 1)
    heavy = x if weights is None else x * weights[:, None]
    gram = (heavy.T @ x / len(x)).double() + penalty * torch.eye(x.shape[1], dtype=torch.float64)
    solution = torch.linalg.solve(gram, (heavy.T @ targets / len(x)).double()).float()
    return solution[:-1].T.contiguous(), solution[-1].contiguous()


def _noise(network: nn.Module) -> None:
    """Seeded normal numbers into every weight, 0 into every bias."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in network.state_dict().items():
        tensor.zero_() if name.endswith("bias") else tensor.copy_(torch.randn(tensor.shape, generator=generator))


@contextlib.contextmanager
def _standardised(network: nn.Module) -> Iterator[None]:
    """Within, every convolution, linear layer and norm that runs first sets itself so that its output has mean 0, deviation 1."""
    seen: set[nn.Module] = set()

    def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        if layer in seen:
            return None
        seen.add(layer)
        if isinstance(layer, densepose.FrozenBatchNorm):
            x = inputs[0]
            layer.running_mean.copy_(x.mean((0, 2, 3)))
            layer.running_var.copy_(x.var((0, 2, 3)) + 1e-4)
            layer.weight.fill_(1)
            layer.bias.zero_()
        elif layer.bias is not None:
            axes = [axis for axis in range(output.ndim) if axis != 1]
            deviation = output.std(axes) + 1e-3
            layer.weight.div_(deviation.reshape(-1, *[1] * (layer.weight.ndim - 1)))
            layer.bias.copy_(-output.mean(axes) / deviation)
        else:
            return None
        return layer.forward(inputs[0])

    kinds = (nn.Conv2d, nn.Linear, densepose.FrozenBatchNorm)
    hooks = [layer.register_forward_hook(hook) for layer in network.modules() if isinstance(layer, kinds)]
    try:
        yield
    finally:
        for handle in hooks:
            handle.remove()


# OpenPose -------------------------------------------------------------------------------------------------------------------------

_KEPT = 44  # channels that reach the last stage
_PLACES = 20  # of them, those that say where a cell is
_RANDOM = 832  # random features that the last layers choose from


@torch.no_grad()
def openpose() -> BodyNetwork:
    """A narrow body network whose last stage is fitted to the joints of ``people``."""
    narrow = {f"conv{i}_{j}": w for i, w in ((1, 6), (2, 12), (3, 24), (4, 32)) for j in range(1, 5)}
    narrow |= {"conv4_3_CPM": 32, "conv4_4_CPM": 64}
    narrow |= {f"conv5_{i}_CPM_L{b}": 2 for i in range(1, 5) for b in (1, 2)}
    for branch in (1, 2):
        for stage in range(2, 7):
            width = _KEPT if stage == 6 else _PLACES if branch == 1 else 2
            narrow |= {f"Mconv{i}_stage{stage}_L{branch}": width for i in range(1, 7)}
        narrow[f"Mconv6_stage6_L{branch}"] = _RANDOM
    network = BodyNetwork(narrow).eval().requires_grad_(False)
    _noise(network)
    _place(network)
    pictures, targets, bodies = [], [], []
    for image, person in _views():
        pictures.append(torch.from_numpy(skeleton.network_picture(image)[0]))
        assert person.keypoints is not None
        assert person.mask is not None
        targets.append(_maps(body25_to_coco18(person.keypoints), pictures[-1].shape[1:]))
        cells = tuple(n // skeleton.STRIDE for n in pictures[-1].shape[:0:-1])
        body = cv2.resize(cv2.dilate(person.mask.astype(np.uint8), np.ones((41, 41))), cells, interpolation=cv2.INTER_NEAREST)
        bodies.append(torch.from_numpy(body).float())
    for image in _empty():
        pictures.append(torch.from_numpy(skeleton.network_picture(image)[0]))
        targets.append(torch.zeros_like(targets[0]))
        bodies.append(torch.zeros_like(bodies[0]))
    batch, wanted = torch.stack(pictures), torch.stack(targets)
    with _standardised(network.model0):
        content = network.model0(batch).permute(0, 2, 3, 1).flatten(0, 2)
    somebody = _ridge(content, torch.stack(bodies).flatten()[:, None], 1e-3)
    given: list[Tensor] = []
    hook = network.model6_1.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    network(batch)
    hook.remove()
    (last,) = given  # what the first five stages hand to both branches of the last one; they change no more
    for branch, part in ((1, wanted[:, :38]), (2, wanted[:, 38:])):
        block = getattr(network, f"model6_{branch}")
        with _standardised(block[0]):
            block[0](last)
        block[0].weight[:_PLACES] = 0  # the places pass as they are
        block[0].weight[range(_PLACES), range(_PLACES), 3, 3] = 4
        block[0].bias[:_PLACES] = 0
        block[0].weight[_PLACES] = 0  # one channel is above 0 where nobody is, and shuts everything there
        block[0].weight[_PLACES, 57:, 2:5, 2:5] = -4 / 9 * somebody[0][0][:, None, None]
        block[0].bias[_PLACES] = 4 * (0.35 - somebody[1][0])
        for i in range(2, 6):  # what the first layer sees is passed on
            layer = getattr(block, f"Mconv{i}_stage6_L{branch}")
            layer.weight.zero_()
            layer.weight[:, :, 3, 3] = torch.eye(_KEPT)
        block[10].weight[:, _PLACES] = 0
        block[10].weight[:, _PLACES + 1 :] *= 0.3
        with _standardised(block[10]):
            block[:11](last)
        block[10].weight[:, _PLACES] = -6
        block[10].bias.add_(torch.randn(_RANDOM, generator=torch.Generator().manual_seed(branch)))
        features, target = (t.permute(0, 2, 3, 1).flatten(0, 2) for t in (block[:12](last), part))
        weight, bias = _ridge(features, target, 1e-4)
        block[12].weight.copy_(weight[:, :, None, None])
        block[12].bias.copy_(bias)
    return network


def _place(network: BodyNetwork) -> None:
    """Stages 1 to 5 tell the last one where a cell is: ones that ten layers shift to the right or down, each channel by another
    distance, while the border fills in zeros. The steps so made are soft, so that mixtures of them can name any cell.
    """
    columns, rows = _PLACES * 2 // 5, _PLACES * 3 // 5
    far = [*np.linspace(0.5, 17, columns), *np.linspace(0.5, 22, rows)]  # cells
    for stage in range(1, 6):
        for branch in (1, 2):
            block = getattr(network, f"model{stage}_{branch}")
            for index, layer in enumerate(block[::2]):
                layer.weight.zero_()
                layer.bias.zero_()
                middle = layer.kernel_size[0] // 2
                if branch == 2 or stage == 1:
                    continue
                for channel, distance in enumerate(far):
                    whole, part = divmod(distance / 10 if stage < 4 and index < 5 else 0.0, 1)
                    for step, share in ((int(whole), 1 - part), (int(whole) + 1, part)):
                        if share > 0:
                            tap = (middle, middle - step) if channel < columns else (middle - step, middle)
                            layer.weight[channel, channel][tap] = share
    network.model1_1[-1].bias[:_PLACES] = 1


def _maps(joints: np.ndarray, shape: tuple[int, int], size: tuple[int, int] = (384, 512)) -> Tensor:
    """(57, h, w): fields and joint maps that OpenPose should give for joints (18, 3) on a picture of ``size`` (width, height)."""
    stride = skeleton.STRIDE
    scale = 0.5 * skeleton.BOX / size[1] / stride
    xy = (joints[:, :2] + 0.5) * scale - 0.5  # cells of the map
    grid = np.stack(np.meshgrid(np.arange(shape[1] // stride), np.arange(shape[0] // stride)), -1).astype(np.float64)
    maps = np.zeros((57, *grid.shape[:2]), np.float32)
    for joint in np.flatnonzero(joints[:, 2] > 0):
        maps[38 + joint] = np.exp(-((grid - xy[joint]) ** 2).sum(-1) / (2 * 0.9**2))
    maps[56] = 1 - maps[38:56].max(0)
    for (a, b), channels in zip(skeleton.LIMBS, skeleton.FIELDS, strict=True):
        along = xy[b] - xy[a]
        length = np.linalg.norm(along)
        if min(joints[a, 2], joints[b, 2]) <= 0 or length < 1e-3:
            continue
        unit = along / length
        offset = grid - xy[a]
        t = np.clip(offset @ unit, 0, length)
        near = np.exp(-((offset - t[..., None] * unit) ** 2).sum(-1) / (2 * 1.1**2))
        for channel, value in zip(channels, unit, strict=True):
            maps[channel] = near * value
    return torch.from_numpy(maps)


# SCHP -----------------------------------------------------------------------------------------------------------------------------


class Parser(nn.Module):
    """Colours around every place and the place itself, many random mixtures of them, and classes from those.

    (1, 3, S, S) -> coarse, fused (1, C, S/4, S/4) and edge (1, 2, S/4, S/4), as SCHP's ONNX files give
    """

    def __init__(self, side: int, classes: int, width: int = 320) -> None:
        super().__init__()
        cells = side // 4
        line = torch.linspace(-1.5, 1.5, cells)
        self.register_buffer("place", torch.stack(torch.meshgrid(line, line, indexing="ij")[::-1])[None])
        self.mix = nn.Conv2d(11, width, 1)
        self.coarse, self.fused, self.edge = (nn.Conv2d(width, n, 1) for n in (classes, classes, 2))

    def features(self, picture: Tensor) -> Tensor:
        """(1, W, h, w), what the last layers read."""
        near = F.avg_pool2d(picture, 4, 4)
        near = near[..., : self.place.shape[-2], : self.place.shape[-1]]
        around = [F.avg_pool2d(near, k, 1, k // 2) for k in (5, 15)]
        return F.relu(self.mix(torch.cat([near, *around, self.place], 1)))

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.features(picture)
        return self.coarse(x), self.fused(x), self.edge(x)


@torch.no_grad()
def parser(side: int, names: tuple[str, ...]) -> Parser:
    """A parser fitted to the labels of ``people``; a neck is ATR's face and nothing to LIP."""
    torch.manual_seed(0)
    network = Parser(side, len(names)).eval()
    network.mix.weight.mul_(3.0)
    network.mix.bias.mul_(6.0)
    features, targets = [], []
    for image, person in _views():
        assert person.labels is not None
        labels = convert(person.labels, "cihp", "atr" if names == ATR else "lip")
        if names == LIP:
            labels = np.where(person.labels == CIHP.index("torso-skin"), 0, labels).astype(np.uint8)
        square = cv2.warpAffine(labels, parsing.affine(labels.shape, side), (side, side), flags=cv2.INTER_NEAREST)
        cells = network.place.shape[-1]
        where = (np.arange(cells) * (side - 1) / (cells - 1)).round().astype(int)  # as align_corners places them
        features.append(network.features(torch.from_numpy(parsing.network_picture(image, side)))[0].flatten(1).T)
        targets.append(torch.from_numpy(square[np.ix_(where, where)]).long().flatten())
    some = torch.randperm(sum(map(len, targets)), generator=torch.Generator().manual_seed(0))[:30000]
    classes = torch.cat(targets)[some]
    target = F.one_hot(classes, len(names)).float()
    weights = (1 / target.sum(0).clamp(min=20).sqrt())[classes]
    weight, bias = _ridge(torch.cat(features)[some], 10 * target, 1e-6 * weights.mean().item(), weights / weights.mean())
    network.fused.weight.copy_(weight[:, :, None, None])
    network.fused.bias.copy_(bias)
    return network


# DensePose ------------------------------------------------------------------------------------------------------------------------

_FEW = 48
_AWAY = 1e4  # box widths
_WIDTHS = densepose.Widths(8, (4, 8, 12, 16), (16, 24, 40, 64), 24, 11, 24, 40, (40,) * 7 + (400,))


@torch.no_grad()
def densepose_network() -> densepose.DensePoseRCNN:
    """A narrow network whose box and surface layers are fitted to ``people``; it proposes upright boxes everywhere."""
    network = densepose.DensePoseRCNN(_WIDTHS).eval().requires_grad_(False)
    _noise(network)
    blur = torch.exp(-((torch.arange(7) - 3.0) ** 2) / (2 * 1.7**2))
    stem = network.backbone.bottom_up.stem.conv1
    stem.weight.copy_(stem.weight[:, :, :1, :1] * blur[:, None] * blur)  # colours, whatever the sharpness of the picture
    heads = network.roi_heads
    _propose_upright(network)
    pictures = [_picture(image) for image in [*(image for image, _ in _views()), *_empty()]]
    boxes = [_box(_surface(person)[..., 0], picture) for (_, person), picture in zip(_views(), pictures, strict=False)]
    first = network.normalised(pictures[0])
    with _standardised(network.backbone), _standardised(heads.decoder):
        levels = network.backbone(first)
        heads.decoder(levels)
    _propose_upright(network)
    _fit_boxes(network, pictures, boxes)
    _fit_surface(network, pictures, boxes)
    return network


def _picture(image: np.ndarray) -> Tensor:
    """(3, H, W) BGR as the network gets it."""
    return torch.from_numpy(densepose.shortest_edge(np.ascontiguousarray(image[..., ::-1])).copy()).permute(2, 0, 1)


def _box(parts: np.ndarray, picture: Tensor) -> Tensor:
    """(4,) around what is not background, in the network's picture."""
    rows, columns = np.flatnonzero(parts.any(1)), np.flatnonzero(parts.any(0))
    scale = picture.shape[1] / parts.shape[0]
    return torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) * scale


def _propose_upright(network: densepose.DensePoseRCNN) -> None:
    """Proposals: upright boxes of the large levels (p5 and p6) alone. Channel 0 of each level says which it is."""
    for level in range(2, 6):
        output = getattr(network.backbone, f"fpn_output{level}")
        output.weight[0] = 0
        output.bias[0] = float(level == 5)
    head = network.proposal_generator.rpn_head
    for layer in (head.conv, head.objectness_logits, head.anchor_deltas):
        layer.weight.zero_()
        layer.bias.zero_()
    head.conv.weight[0, 0, 1, 1] = 1
    away = head.anchor_deltas  # to the left and out of the picture, where a proposal counts no more
    away.bias[0::4] = -_AWAY
    away.weight[8, 0] = _AWAY  # the upright one (the third) of large levels stays, and grows to a figure's height
    away.bias[11] = 0.25


def _fit_boxes(network: densepose.DensePoseRCNN, pictures: list[Tensor], boxes: list[Tensor]) -> None:
    """Scores and corrections of proposals by how well they lie on the figure, linear in the pooled features."""
    from torchvision.ops import box_iou

    heads, features, overlaps, deltas = network.roi_heads, [], [], []
    generator = torch.Generator().manual_seed(1)
    for index, picture in enumerate(pictures):
        levels = network.backbone(network.normalised(picture))
        proposals, _ = network.proposal_generator(levels, tuple(picture.shape[1:]))
        truth = boxes[index] if index < len(boxes) else None
        if truth is not None:  # more of the good ones
            size = (truth[2:] - truth[:2]).repeat(2)
            proposals = torch.cat([proposals, truth + torch.randn(100, 4, generator=generator) * 0.08 * size])
            proposals = densepose.clip_boxes_to_image(proposals, tuple(picture.shape[1:]))
        proposals = proposals[(proposals[:, 2:] - proposals[:, :2]).prod(1) >= 448**2]  # smaller ones are nobody, see below
        features.append(densepose.pooled({n: levels[n] for n in densepose.POOLED}, proposals, 7))
        overlaps.append(box_iou(proposals, truth[None])[:, 0] if truth is not None else torch.zeros(len(proposals)))
        deltas.append(_deltas(proposals, truth) if truth is not None else torch.zeros(len(proposals), 4))
    overlap, delta, x = torch.cat(overlaps), torch.cat(deltas), torch.cat(features).flatten(1)
    good = overlap > 0.3
    score = (20 * (overlap - 0.6)).clamp(-6, 6)
    balance = torch.where(good, 0.5 / good.float().mean(), 0.5 / (~good).float().mean())
    weight, bias = _ridge(x, score[:, None], 1e-2, balance)
    shift, at_rest = _ridge(x[good], delta[good], 1e-1)
    weight, bias = torch.cat([weight, shift]), torch.cat([bias, at_rest])
    # relu(y + c) - relu(y - c) - c is y held to -c .. c; one more feature is 1 where boxes are large enough to be read from p5.
    head, predictor = heads.box_head, heads.box_predictor
    for layer in (head.fc1, head.fc2, predictor.cls_score, predictor.bbox_pred):
        layer.weight.zero_()
        layer.bias.zero_()
    most = torch.tensor([6.0, 2.0, 2.0, 2.0, 2.0])
    head.fc1.weight[:10], head.fc1.bias[:10] = torch.cat([weight, weight]), torch.cat([bias + most, bias - most])
    head.fc1.weight[10, :49] = 1 / 49
    head.fc2.weight.copy_(torch.eye(len(head.fc2.weight)))
    for layer, first, outputs in ((predictor.cls_score, 0, 1), (predictor.bbox_pred, 1, 4)):
        layer.weight[range(outputs), range(first, first + outputs)] = 1
        layer.weight[range(outputs), range(first + 5, first + 5 + outputs)] = -1
        layer.bias[:outputs] = -most[first : first + outputs]
    predictor.cls_score.weight[0, 10] = 30  # smaller boxes are nobody
    predictor.cls_score.bias[0] -= 30 - 1.5


def _deltas(proposals: Tensor, truth: Tensor) -> Tensor:
    """(N, 4) that ``densepose.moved`` takes from ``proposals`` to ``truth``."""
    size, wanted = proposals[:, 2:] - proposals[:, :2], truth[2:] - truth[:2]
    shift = (truth[:2] + wanted / 2 - proposals[:, :2] - size / 2) / size
    return torch.cat([shift, (wanted / size).log()], 1) * torch.tensor(densepose.BOX_WEIGHTS)


def _fit_surface(network: densepose.DensePoseRCNN, pictures: list[Tensor], boxes: list[Tensor]) -> None:
    """Parts and coordinates at 28x28 in boxes around the figures; the transposed convolutions then only enlarge."""
    heads, inputs, targets = network.roi_heads, [], []
    generator = torch.Generator().manual_seed(2)
    for (_, person), picture, truth in zip(_views(), pictures, boxes, strict=False):
        decoded = heads.decoder(network.backbone(network.normalised(picture)))
        size = (truth[2:] - truth[:2]).repeat(2)
        around = truth + torch.cat([torch.zeros(1, 4), torch.randn(1, 4, generator=generator) * 0.03 * size])
        around = densepose.clip_boxes_to_image(around, tuple(picture.shape[1:]))
        inputs.append(densepose.pooled({"p2": decoded}, around, 28))
        targets += [_cells(_surface(person), box / (picture.shape[1] / person.image.shape[0])) for box in around]
    *passing, last = heads.densepose_head.children()
    for layer in passing:  # what the decoder found is passed on
        layer.weight.zero_()
        layer.weight[:, :, 1, 1] = torch.eye(len(layer.weight))
        layer.bias.zero_()
    passing[0].bias.fill_(2)
    with _standardised(last):
        heads.head(torch.cat(inputs))
    last.bias.add_(torch.randn(len(last.bias), generator=generator))
    x = heads.head(torch.cat(inputs)).permute(0, 2, 3, 1).flatten(0, 2)
    iuv = torch.stack(targets).flatten(0, 2)  # (N, 3)
    parts = iuv[:, 0].long()
    share = torch.bincount(parts, minlength=PARTS).clamp(min=20).float()
    balance = share.rsqrt()[parts]
    one_hot = F.one_hot(parts, PARTS).float()
    body = torch.stack([parts == 0, parts > 0], 1).float()
    spread = torch.tensor([0.25, 0.75, 0.75, 0.25])
    for layer, target in zip(
        heads.densepose_predictor.children(), (10 * body, 10 * one_hot, iuv[:, 1], iuv[:, 2]), strict=True
    ):
        if target.ndim == 2:
            weight, bias = _ridge(x, target, 1e-4, balance / balance.mean())
        else:  # u and v of a part matter in that part alone; a few features will do
            weight, bias = torch.zeros(PARTS, x.shape[1]), torch.zeros(PARTS)
            for part in parts.unique().tolist():
                here = parts == part
                weight[part, :_FEW], bias[part : part + 1] = _ridge(x[here, :_FEW], target[here, None] / 255, 1e-2)
        layer.weight.copy_(weight.T[:, :, None, None] * spread[:, None] * spread)
        layer.bias.copy_(bias)


def _cells(iuv: np.ndarray, box: Tensor) -> Tensor:
    """float32 (28, 28, 3): what IUV shows at the middle of each cell of ``box`` (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box.tolist()
    steps = (np.arange(28) + 0.5) / 28
    rows = np.clip(y0 + steps * (y1 - y0), 0, iuv.shape[0] - 1).astype(int)
    columns = np.clip(x0 + steps * (x1 - x0), 0, iuv.shape[1] - 1).astype(int)
    return torch.from_numpy(iuv[np.ix_(rows, columns)].astype(np.float32))

"""PoseNet: the joints of everybody in a picture, by a MobileNet that is light enough for any CPU.

George Papandreou et al., "PersonLab", ECCV 2018; the weights of TensorFlow.js (Apache-2.0) in the layout of
github.com/rwightman/posenet-pytorch (Apache-2.0), which converts them to ``mobilenet_v1_101.pth`` (also ``_100``, ``_75``, ``_50``).

Convention: points are y, x in pixels of the network's picture, and its maps have all y before all x; joints are in COCO-17 order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers import images
from helpers.annotation import skeleton
from helpers.annotation.network import OneNetwork
from helpers.joints import renumbered
from helpers.labels import COCO_17
from helpers.person import Person

STRIDE = 16
LONGEST = 513  # px of the longer side of the network's picture, about what it was trained on
JOINT, POSE = 0.5, 0.25  # the least score of a joint that a pose begins at, and of a pose
APART, PEOPLE = 20, 10  # px within which two poses are one, and how many poses are looked for
SEEN = 0.1  # of a joint's score, below which it is a guess

_TREE = tuple(
    (COCO_17.index(parent), COCO_17.index(child))
    for chain in (
        ("nose", "left-eye", "left-ear"), ("nose", "right-eye", "right-ear"),
        ("nose", "left-shoulder", "left-elbow", "left-wrist"), ("left-shoulder", "left-hip", "left-knee", "left-ankle"),
        ("nose", "right-shoulder", "right-elbow", "right-wrist"), ("right-shoulder", "right-hip", "right-knee", "right-ankle"),
    )
    for parent, child in pairwise(chain)
)  # fmt: skip
"""From joint to joint, in the order of the displacement maps."""
_WIDTHS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1)


class First(nn.Module):
    """The first layer, a plain convolution."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, outputs, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(self.conv(x))


class Separable(nn.Module):
    """A convolution of every channel by itself, then one across channels."""

    def __init__(self, inputs: int, outputs: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, dilation, dilation, groups=inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(self.pointwise(F.relu6(self.depthwise(x))))


@dataclass(frozen=True)
class Maps:
    """What the network sees in cells of 16 pixels: float32 likelihoods (17, h, w) of 0..1, offsets (34, h, w) from a cell to the joint,
    and displacements (32, h, w) along the tree from a joint to the next, forth and back, in pixels."""

    likely: np.ndarray
    offsets: np.ndarray
    forth: np.ndarray
    back: np.ndarray


class PoseNetwork(nn.Module):
    """(N, 3, 16 k + 1, 16 l + 1) RGB in -1..1 -> likelihoods (N, 17, k + 1, l + 1), offsets (34), displacements forth and back (32).

    widths: channels of the fourteen layers; the published nets of 100 and 101 % have 32 to 1024, whose last two are wider and halve
            the picture once more, which those of 75 and 50 % do not
    stride: pixels that a cell of the maps stands for; the layers that would halve the picture beyond that dilate instead
    """

    def __init__(self, widths: tuple[int, ...] = _WIDTHS, stride: int = STRIDE) -> None:
        super().__init__()
        self.features = nn.Sequential()
        halved, dilation = 1, 1
        for number, width in enumerate(widths):
            wanted = 2 if number == 12 and widths[12] > widths[11] else _STRIDES[number]
            step, apart = (1, dilation) if halved == stride else (wanted, 1)
            halved, dilation = (halved, dilation * wanted) if halved == stride else (halved * wanted, dilation)
            layer = Separable(widths[number - 1], width, step, apart) if number else First(width)
            self.features.add_module(f"conv{number}", layer)
        for name, outputs in (("heatmap", 17), ("offset", 34), ("displacement_fwd", 32), ("displacement_bwd", 32)):
            self.add_module(name, nn.Conv2d(widths[-1], outputs, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = self.features(x)
        return self.heatmap(x).sigmoid(), self.offset(x), self.displacement_fwd(x), self.displacement_bwd(x)


def build(state: Mapping[str, Tensor], name: str = "posenet", stride: int = STRIDE) -> PoseNetwork:
    """The network that ``state`` fits, widths and all. Raises ``weights.Mismatch`` (a ``ValueError``) for another network's file."""
    from helpers import weights

    layers = ["features.conv0.conv.weight", *(f"features.conv{number}.pointwise.weight" for number in range(1, 14))]
    widths = tuple(len(state[key]) if key in state else width for key, width in zip(layers, _WIDTHS, strict=True))
    with torch.device("meta"):
        network = PoseNetwork(widths, stride)
    weights.fit(network, state, name)
    return network.eval().requires_grad_(False)


def network_picture(image: np.ndarray) -> np.ndarray:
    """float32 (1, 3, h, w) RGB in -1..1 for uint8 (H, W, 3) RGB: h and w are multiples of 16 and one more, the longer at most 513."""
    height, width = image.shape[:2]
    inside = images.fit_inside((width, height), (LONGEST, LONGEST))
    size = [max(side // STRIDE, 1) * STRIDE + 1 for side in inside]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR)
    return (small.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]


def decode(
    maps: Maps, most: int = PEOPLE, joint: float = JOINT, apart: float = APART, pose: float = POSE, stride: int = STRIDE
) -> list[tuple[float, np.ndarray]]:
    """(score, float64 (17, 3) y, x, score) of everybody, in the order in which they were found: surest joint first.

    most: how many; joint: least score of a joint to begin at; apart: px within which it is somebody's already; pose: least score of a
    pose, the mean of its joints' scores, those left out that lie on somebody else's; stride: px of a cell of the maps
    """
    offsets, forth, back = (m.reshape(2, -1, *m.shape[1:]).transpose(1, 2, 3, 0) for m in (maps.offsets, maps.forth, maps.back))
    highest = F.max_pool2d(torch.from_numpy(np.ascontiguousarray(maps.likely)), 3, 1, 1).numpy()
    part, y, x = np.nonzero((maps.likely == highest) & (maps.likely >= joint))
    people: list[tuple[float, np.ndarray]] = []
    for index in np.argsort(-maps.likely[part, y, x], kind="stable"):
        if len(people) == most:
            break
        root, cell = part[index], np.array([y[index], x[index]])
        where = cell * stride + offsets[root, cell[0], cell[1]]
        others = np.array([joints[:, :2] for _, joints in people]).reshape(-1, len(COCO_17), 2)
        if (((others[:, root] - where) ** 2).sum(-1) <= apart**2).any():
            continue
        joints = np.zeros((len(COCO_17), 3))
        joints[root] = *where, maps.likely[root, cell[0], cell[1]]
        for edge, (parent, child) in reversed(list(enumerate(_TREE))):
            _follow(joints, child, parent, back[edge], maps.likely, offsets, stride)
        for edge, (parent, child) in enumerate(_TREE):
            _follow(joints, parent, child, forth[edge], maps.likely, offsets, stride)
        own = (((others - joints[:, :2]) ** 2).sum(-1) > apart**2).all(0)
        score = float(joints[own, 2].sum() / len(joints))
        if score >= pose:
            people.append((score, joints))
    return people


def _follow(
    joints: np.ndarray,
    source: int,
    target: int,
    displacement: np.ndarray,
    likely: np.ndarray,
    offsets: np.ndarray,
    stride: int,
) -> None:
    """Find the joint ``target`` from ``source``, in place, where that one is known and this one is not."""
    if not joints[source, 2] > 0 or joints[target, 2] != 0:
        return
    last = np.array(likely.shape[1:]) - 1

    def cell(point: np.ndarray) -> tuple[int, int]:
        row, column = np.clip(np.round(point / stride), 0, last).astype(int)
        return int(row), int(column)

    y, x = cell(joints[source, :2] + displacement[cell(joints[source, :2])])
    joints[target] = *(np.array([y, x]) * stride + offsets[target, y, x]), likely[target, y, x]


def to_body25(joints: np.ndarray) -> np.ndarray:
    """float32 (25, 3) BODY_25 x, y, score for (17, 3) COCO-17 x, y, score, without the guesses among them."""
    return renumbered(np.where(joints[:, 2:] >= SEEN, joints, 0), "coco_17", "body_25")


class PoseNet(OneNetwork):
    """Joints of one person in a photograph, by PoseNet of whatever width its file has."""

    FILES: ClassVar[dict[str, str]] = {"": "posenet"}
    build = staticmethod(build)

    @torch.inference_mode()
    def everybody(self, image: np.ndarray) -> list[np.ndarray]:
        """float64 (17, 3) x, y in pixels of uint8 (H, W, 3) RGB, and score, COCO-17, of everybody: the surest joint's owner first."""
        picture = network_picture(image)
        found = self.network(torch.from_numpy(picture).to(self.device))
        scale = np.array([image.shape[1] / picture.shape[3], image.shape[0] / picture.shape[2], 1])
        people = decode(Maps(*(one[0].cpu().numpy() for one in found)))
        return [joints[:, [1, 0, 2]] * scale for _, joints in people]

    def __call__(
        self, person: Person, *, needs: Collection[str], pick: str | int = "auto", mask: np.ndarray | None = None
    ) -> Person:
        """The person with ``keypoints``; ``scene["people"]`` says how many there are. ``pick`` and ``mask`` say who is meant.

        Raises ``ValueError`` where nobody is found.
        """
        if not person.missing(needs):
            return person
        people = [to_body25(joints) for joints in self.everybody(person.image)]
        chosen = skeleton.choose(people, pick, mask)
        return replace(person, keypoints=people[chosen], scene={**person.scene, "people": len(people)})

"""Pairs as tensors: which are learnt from and which are only looked at, in which order, and how each is disturbed, all by numbers."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from helpers.dataset.inspection import Item, worn_mask
from helpers.dataset.pairs import read_source
from helpers.extraction import crops, frames
from helpers.reading import read_picture

_HELD_BACK = 10  # one of so many figures is only looked at
_VARIANT = re.compile(r"(\d{6})_\d")  # names of drawn pairs: figure and variant

Key = tuple[int, int]
"""Which item, and which time it is seen; -1 undisturbed."""


@dataclass(frozen=True)
class PairSet:
    """items as source and target, each float32 (C, H, W), -1..1. An index is a :data:`Key`.

    task: ``picture`` or ``flat``; size: (width, height); category: of the garments; seed: of the disturbances
    """

    items: tuple[Item, ...]
    task: str
    size: tuple[int, int]
    category: str = "upper"
    seed: int = 0

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor]:
        """Raises ``ValueError`` or ``FileNotFoundError`` naming a file that cannot be read any more."""
        number, time = key
        item = self.items[number]
        image, cloth = (np.asarray(read_picture(file, "pair", smallest=1).convert("RGB")) for file in (item.image, item.cloth))
        worn = worn_mask(item, self.category)
        mask = np.asarray(read_picture(item.cloth_mask, "pair", smallest=1).convert("L"))
        rng = np.random.default_rng([self.seed, number, time]) if time >= 0 else None
        if rng is not None:
            image = disturbed(image, rng)
        mirrored = rng is not None and rng.random() < 0.5
        if self.task == "picture":
            source, target = (
                frames.tensor(picture, self.size) for picture in (frames.worn(image, worn), crops.flat(cloth, mask))
            )
            return (source.flip(-1), target.flip(-1)) if mirrored else (source, target)
        known = None if item.source is None else read_source(item.source)
        margin, shift = 0.06, (0.0, 0.0)
        if rng is not None:
            worn = roughened(worn, rng)
            margin, shift = rng.uniform(0.02, 0.12), (rng.uniform(-0.02, 0.02), rng.uniform(-0.02, 0.02))
        origin, there = crops.Crop.around(worn, self.size, margin, shift), crops.Crop.around(mask > 127, self.size)
        source = frames.worn_closely(image, worn, origin)
        target = frames.flat_closely(cloth, mask > 127, there, known, origin)
        if mirrored:
            source, target = source.flip(-1), target.flip(-1)
            target[4] *= -1
        return source, target


def disturbed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``image`` uint8 (H, W, 3) as another camera has it: brighter or darker, flatter, of other tint, out of focus, noisy, packed."""
    out = image.astype(np.float32)
    mean = out.mean((0, 1))
    out = (out - mean) * rng.uniform(0.85, 1.15) + mean * rng.uniform(0.85, 1.15) * (1 + rng.normal(0, 0.03, 3))
    if rng.random() < 0.5:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.2, 1.0)))
    codes = np.clip(np.rint(out + rng.normal(0, rng.uniform(0, 5), out.shape)), 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        packed = cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 95))])[1]
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return codes


def roughened(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``mask`` (H, W) as an annotator finds it: its edge a little off, now here and now there; never empty."""
    height, width = mask.shape
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3) - cv2.distanceTransform(
        (~mask).astype(np.uint8), cv2.DIST_L2, 3
    )
    waves = cv2.resize(rng.normal(0, 1, (9, 7)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    rough = inside > waves * rng.uniform(0, 0.006) * height
    return rough if rough.any() else mask


def split(items: list[Item]) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """What is learnt from, and what is only looked at: pairs of one figure stay together, and a pair is where it is in any data set."""

    def group(item: Item) -> str:
        found = _VARIANT.fullmatch(item.name)
        return found[1] if found else item.name

    groups = sorted({group(item) for item in items}, key=lambda name: zlib.crc32(name.encode()))
    held = set(groups[: max(1, len(groups) // _HELD_BACK)]) if len(groups) > 1 else set()
    kept = tuple(item for item in items if group(item) not in held)
    return kept, tuple(item for item in items if group(item) in held)


def spread(items: tuple[Item, ...], count: int) -> tuple[Item, ...]:
    """``count`` of ``items``, or all where they are fewer, from all over."""
    return items[:: max(1, len(items) // count)][:count]


def batches(count: int, size: int, seed: int, start: int, stop: int) -> Iterator[list[Key]]:
    """The keys of the steps ``start`` to ``stop``: every item once in an epoch, in an order of its own each time; no batch is short."""
    size = min(size, count)
    of_epoch = count // size
    for step in range(start, stop):
        epoch, place = divmod(step, of_epoch)
        order = np.random.default_rng([seed, epoch, 7]).permutation(count)
        yield [(int(number), epoch) for number in order[place * size : (place + 1) * size]]


def stacked(pairs: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Sources and targets (B, C, H, W) of some items."""
    sources, targets = zip(*pairs, strict=True)
    return torch.stack(sources), torch.stack(targets)

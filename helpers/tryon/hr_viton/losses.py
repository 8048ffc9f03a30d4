"""What HR-VITON was trained to make small: the condition generator's terms, and those of two networks that play against each other.

The published training adds a comparison of the bent garment with the worn one in the layers of an ImageNet network, which is not here;
``Bent`` has the pictures that it would be shown, from coarse to fine.

Source: Lee et al., "HR-VITON", 2022 (``train_condition.py`` and ``network_generator.py`` of sangyun884/HR-VITON).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.tryon.hr_viton.discriminators import Maps
from helpers.tryon.hr_viton.networks import bend
from helpers.tryon.hr_viton.pipeline import composed, uncovered

IGNORED = 250
"""The label of a pixel that is nobody's business."""
WEIGHTS = {"mask": 10.0, "smooth": 2.0, "parts": 10.0, "real": 1.0}
"""Of the condition generator's terms, as published."""
KINDS = ("hinge", "ls", "original", "w")


# The condition generator


@dataclass(frozen=True)
class Bent:
    """A garment as the flows bend it: cloth (B, 3, H, W) -1..1 and its mask (B, 1, H, W) without what is in front of it.

    cloth, mask: by the last flow, white where there is none; between: by the others, coarse first, not cut out
    """

    parts: Tensor
    cloth: Tensor
    mask: Tensor
    between: tuple[tuple[Tensor, Tensor], ...]

    @classmethod
    def of(cls, garment: Tensor, made: tuple[list[Tensor], Tensor, Tensor, Tensor]) -> Bent:
        """From what the condition generator ``made`` of ``garment`` (B, 4, H, W); gradients go through.

        ``parts`` (B, 13, H, W) are its maps, the garment's held to where the garment lies.
        """
        flows, maps, cloth, mask = made
        parts = composed(maps, mask, "warp_grad")
        likely = parts.softmax(1)
        mask = uncovered(mask, likely)
        coarser = [bend(garment, flow) for flow in flows[:-1]]
        between = tuple((one[:, :-1], uncovered(one[:, -1:], likely)) for one in coarser)
        return cls(parts, cloth * mask + (1 - mask), mask, between)


def masks(bent: Bent, worn: Tensor) -> tuple[Tensor, list[Tensor]]:
    """How far the garment's mask is from where it is ``worn`` (B, 1, H, W), and the same of each coarser flow, for half as much each."""
    count = len(bent.between)
    return F.l1_loss(bent.mask, worn), [
        F.l1_loss(mask, worn) / 2 ** (count - level) for level, (_, mask) in enumerate(bent.between)
    ]


def unevenness(flow: Tensor) -> Tensor:
    """By how much neighbours in ``flow`` (B, h, w, 2) move apart, on average down and across: its total variation."""
    return flow.diff(dim=1).abs().mean() + flow.diff(dim=2).abs().mean()


def wrong_parts(parts: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of ``parts`` (B, 13, H, W) against ``labels`` int64 (B, H, W), of which :data:`IGNORED` does not count."""
    return F.cross_entropy(parts, labels, ignore_index=IGNORED)


def overlap(parts: Tensor, truth: Tensor) -> Tensor:
    """Of what ``parts`` are sure of (over a half) and the one-hot ``truth`` (B, 13, H, W), the share that is in both, 0..1, B's mean."""
    sure, truth = (parts.softmax(1) > 0.5).flatten(1), (truth == 1).flatten(1)
    both, either = (sure & truth).sum(1), (sure | truth).sum(1)
    return ((both + 1e-7) / (either + 1e-7)).mean()


def conditions(bent: Bent, flow: Tensor, worn: Tensor, labels: Tensor, judged: Maps) -> Tensor:
    """The condition generator's terms together, less the ImageNet network's.

    flow: the last one; worn: (B, 1, H, W); labels: (B, H, W); judged: of garment, body and softmax of ``bent.parts`` by the
    ``PartsDiscriminator``
    """
    finest, coarser = masks(bent, worn)
    terms = {
        "mask": finest + sum(coarser),
        "smooth": unevenness(flow),
        "parts": wrong_parts(bent.parts, labels),
        "real": squared(judged, real=True),
    }
    return torch.stack([WEIGHTS[name] * term for name, term in terms.items()]).sum()


# What the discriminators say


def squared(judged: Maps, *, real: bool) -> Tensor:
    """How far every patch is from being judged ``real`` (1) or not (0), squared; the sizes summed. The condition generator's."""
    return torch.stack([F.mse_loss(maps[-1], torch.full_like(maps[-1], float(real))) for maps in judged]).sum()


def adversarial(judged: Maps, *, real: bool, making: bool = False, kind: str = "hinge") -> Tensor:
    """How little the judgement pleases who wants it ``real`` or not; the sizes' mean. The image generator's, whose ``kind`` is hinge.

    making: it is the generator that wants it, which hinge is told apart by: nothing is enough for it
    kind:   ``hinge``, ``ls`` (squares), ``original`` (cross entropy) or ``w`` (the judgement itself)
    Raises ``ValueError`` for another kind, and for a generator that wants to be seen through by hinge.
    """
    if kind not in KINDS or (kind == "hinge" and making and not real):
        raise ValueError(f"kind is one of {', '.join(KINDS)}, of which hinge has a generator want what is real; not {kind!r}.")
    return torch.stack([_displeased(maps[-1], real, making, kind) for maps in judged]).mean()


def _displeased(patches: Tensor, real: bool, making: bool, kind: str) -> Tensor:
    towards = patches if real else -patches
    if kind == "hinge" and not making:
        return F.relu(1 - towards).mean()
    if kind in ("hinge", "w"):
        return -towards.mean()
    wanted = torch.full_like(patches, float(real))
    return F.mse_loss(patches, wanted) if kind == "ls" else F.binary_cross_entropy_with_logits(patches, wanted)


def unlike(made: Maps, real: Maps, weight: float = 10.0) -> Tensor:
    """How far the layers' maps of a made picture are from those of the real one, all but the last; the sizes' mean times ``weight``."""
    total = made[0][-1].new_zeros(())
    for ours, theirs in zip(made, real, strict=True):
        for a, b in zip(ours[:-1], theirs[:-1], strict=True):
            total = total + F.l1_loss(a, b.detach())
    return weight / len(made) * total


def split(judged: Maps) -> tuple[Maps, Maps]:
    """The two halves of a batch that was shown at once."""
    halves = [[maps.chunk(2) for maps in size] for size in judged]
    return [[first for first, _ in size] for size in halves], [[second for _, second in size] for size in halves]


def realness(judged: Maps) -> Tensor:
    """(B,): half of what every size says on average, summed; by its sigmoid the published code tells which tries to throw away."""
    return torch.stack([maps[-1].mean((1, 2, 3)) / 2 for maps in judged]).sum(0)

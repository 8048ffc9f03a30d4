"""One step of training: the discriminator learns to tell, then the generator to please it and to hit the target.

Sources: ``pix2pix_model.py`` of junyanz/pytorch-CycleGAN-and-pix2pix, ``trainer/`` of aidl-upc-2024-clothes-extractor. The latter paints
every picture twice, once for either network; what is learnt from both is the same, so here it is painted once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.extraction import losses
from helpers.extraction.tasks import PICTURE, Task

Judge = Callable[[Tensor, Tensor], Tensor]
"""Source and candidate to what a discriminator says of the candidate."""


@dataclass(frozen=True)
class Recipe:
    """What the generator is to do, as weights of terms.

    l1:         of the mean difference of values, -1..1
    gan:        of pleasing the discriminator; 0: there is none
    mode:       of ``losses.gan``
    ssim:       of 1 - structural similarity of pictures 0..1
    perceptual: of what VGG16 sees
    """

    l1: float = 100.0
    gan: float = 1.0
    mode: str = "logits"
    ssim: float = 0.0
    perceptual: float = 0.0


PIX2PIX = Recipe()
SEED_GAN = Recipe(mode="probability")
SEED_UNET = Recipe(l1=1.0, gan=0.0, ssim=1.0, perceptual=0.3)


def discriminator_loss(judge: Judge, source: Tensor, target: Tensor, painted: Tensor, mode: str) -> Tensor:
    """The mean of what is wrong about the real and about the ``painted``, which is not led back to who painted it.

    source, target, painted: float32 (B, C, H, W), -1..1
    """
    made, real = judge(source, painted.detach()), judge(source, target)
    return 0.5 * (losses.gan(made, False, mode) + losses.gan(real, True, mode))


def generator_terms(
    recipe: Recipe,
    task: Task,
    judge: Judge | None,
    source: Tensor,
    target: Tensor,
    answer: Tensor,
    perceptual: nn.Module | None = None,
) -> dict[str, Tensor]:
    """Each term with its weight, by name; their sum is the loss. source, target, answer: float32 (B, C, H, W), -1..1"""
    shown, wanted = task.shown(source, answer), task.wanted(target)
    terms = {"l1": recipe.l1 * F.l1_loss(shown, wanted), **task.beside(source, answer, target)}
    if judge is not None and recipe.gan:
        terms["gan"] = recipe.gan * losses.gan(judge(source, shown), True, recipe.mode)
    seen, meant = shown / 2 + 0.5, wanted / 2 + 0.5
    if recipe.ssim:
        terms["ssim"] = recipe.ssim * (1 - losses.ssim(seen, meant))
    if perceptual is not None and recipe.perceptual:
        terms["perceptual"] = recipe.perceptual * perceptual(seen, meant)
    return terms


def conditioned(network: nn.Module) -> Judge:
    """PatchGAN and pixel discriminators, which take source and candidate in one tensor, as judges."""
    return lambda source, candidate: network(torch.cat([source, candidate], 1))


class Unsound(ArithmeticError):
    """A loss that is no number any more: nothing was learnt from it."""


@dataclass
class Step:
    """What happens with a batch: call it with source and target, both float32 (B, C, H, W), -1..1.

    painter:   the generator; judge: what the discriminator says, where there is one
    of_painter, of_judge: their optimisers; task: what is shown of the painter's answer
    asked:     what the painter is led by, where that is not ``judge``: the same network, without what gathers over several GPUs
    backward:  how a loss is led back (accelerate has its own way)
    """

    painter: nn.Module
    judge: Judge | None
    recipe: Recipe
    of_painter: torch.optim.Optimizer
    of_judge: torch.optim.Optimizer | None = None
    perceptual: nn.Module | None = None
    task: Task = PICTURE
    asked: Judge | None = None
    backward: Callable[[Tensor], object] = Tensor.backward

    def __call__(self, source: Tensor, target: Tensor) -> dict[str, float]:
        """The losses by name: the generator's terms with their weights, and ``judge``, the discriminator's.

        Raises :class:`Unsound` before weights are touched by a loss that is no number.
        """
        answer = self.painter(source)
        told = {}
        if self.judge is not None and self.of_judge is not None:
            shown = self.task.shown(source, answer.detach())
            judged = discriminator_loss(self.judge, source, self.task.wanted(target), shown, self.recipe.mode)
            told["judge"] = _sound("judge", judged)
            self._learn(judged, self.of_judge)
        # What the generator is told goes through the discriminator and leaves nothing there.
        learning = [] if self.of_judge is None else [p for group in self.of_judge.param_groups for p in group["params"]]
        for parameter in learning:
            parameter.requires_grad_(False)
        try:
            terms = generator_terms(self.recipe, self.task, self.asked or self.judge, source, target, answer, self.perceptual)
            told |= {name: _sound(name, term) for name, term in terms.items()}
            self._learn(torch.stack(list(terms.values())).sum(), self.of_painter)
        finally:
            for parameter in learning:
                parameter.requires_grad_(True)
        return told

    def _learn(self, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        self.backward(loss)
        optimizer.step()


def _sound(name: str, loss: Tensor) -> float:
    value = loss.item()
    if not math.isfinite(value):
        raise Unsound(f"the loss {name} is {value}")
    return value

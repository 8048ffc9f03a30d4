"""A tiny TripoSR in its published file's layout, whose field is a standing figure of two colours, whatever the picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from helpers import weights
from helpers.files import write_whole
from helpers.reconstruction.triposr.networks import RADIUS, TSR
from helpers.testing.nets import noisy

_INSIDE, _OUTSIDE = 8.0, -3.0  # of the perceptron; the surface lies at 1 + ln 25
_SPREAD = 12_000  # points that the last layer is fitted to


def write(folder: Path, *groups: str) -> None:
    """Write the group ``triposr`` below ``folder``."""
    if not groups or "triposr" in groups:
        state = triposr().state_dict()
        write_whole(Path(folder) / weights.record("triposr").path, partial(torch.save, state))


@torch.no_grad()
def triposr() -> TSR:
    """The network: noise, but for the planes, which are waves, and the perceptron's last layer, which is a ridge regression."""
    network = noisy(TSR(vit=(24, 32, 1, 16, 14), plane=16, channels=32, heads=1, layers=1, features=16, neurons=256, hidden=2))
    generator = torch.Generator().manual_seed(0)
    side = torch.linspace(-1, 1, 16)
    down, across = torch.meshgrid(side, side, indexing="ij")
    wave = torch.randn(32, 3, generator=generator)
    planes = torch.sin(2.5 * wave[:, :1, None] * across + 2.5 * wave[:, 1:2, None] * down + 3 * wave[:, 2:, None])
    network.tokenizer.embeddings.copy_(planes.expand(3, -1, -1, -1))
    network.backbone.proj_out.weight.mul_(0.01)
    picture = torch.rand(1, 3, 224, 224, generator=generator)
    codes = network(picture)[0]
    points = (torch.rand(_SPREAD, 3, generator=generator) * 2 - 1) * RADIUS
    layers = network.decoder["layers"]
    hidden: list[Tensor] = []
    hook = layers[-1].register_forward_pre_hook(lambda _, given: hidden.append(given[0]))
    network.query(codes, points)
    hook.remove()
    x = torch.cat([hidden[0], torch.ones(_SPREAD, 1)], 1).double()
    body = (points / torch.tensor([0.3, 0.4, 0.7])).norm(dim=1)
    density = (_INSIDE - (_INSIDE - _OUTSIDE) * (body / 1.6).clamp(0, 1))[:, None]
    upper = (points[:, 2:] > 0).float() * 4 - 2
    target = torch.cat([density, upper, -upper, -upper], 1).double()
    solved = torch.linalg.solve(x.T @ x + 1e-6 * torch.eye(x.shape[1]), x.T @ target).float()
    layers[-1].weight.copy_(solved[:-1].T)
    layers[-1].bias.copy_(solved[-1])
    return network

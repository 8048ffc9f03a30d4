"""HR-VITON's published files as networks, every tensor by its name; the published code lets what does not fit pass in silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from helpers import weights
from helpers.tryon.hr_viton.networks import ConditionGenerator, SPADEGenerator

GROUP = "hr_viton"


def require_all() -> None:
    """Both files are here and look whole; said before anything slow starts."""
    for record in weights.records(GROUP):
        weights.require(record.name)


def load_conditions(device: torch.device) -> ConditionGenerator:
    """``mtviton.pth``. Raises ``weights.Missing``, ``weights.Damaged``, or ``weights.Mismatch`` for a file of another network."""
    return _load("mtviton.pth", ConditionGenerator.of_state, device)


def load_generator(device: torch.device) -> SPADEGenerator:
    """``gen.pth``, under its present names or those of before, where a norm held a ``Spade``. Raises as :func:`load_conditions`."""
    return _load("gen.pth", SPADEGenerator.of_state, device)


def _load(part: str, of_state: Callable[[Mapping[str, Tensor]], nn.Module], device: torch.device) -> Any:
    path = weights.require(f"{GROUP}/{part}")
    state = {key.replace(".Spade.", "."): value for key, value in weights.load_state_dict(path, str(path)).items()}
    try:
        with torch.device("meta"):
            net = of_state(state)
    except (KeyError, IndexError) as error:
        raise weights.Mismatch(
            f"{path} is no checkpoint of HR-VITON's {part}: it lacks {error}. Check which file this is, or fetch it again: "
            f"python -m helpers weights fetch {GROUP}"
        ) from None
    weights.fit(net, state, str(path))
    return net.to(device).eval().requires_grad_(False)

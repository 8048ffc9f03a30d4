"""What the annotators have in common that run one published network: where it runs, how its file is read, how it is freed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from helpers import checks, devices
from helpers.contract import Base

if TYPE_CHECKING:
    import torch
    from torch import nn


def without(state: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """``state`` under its names without ``prefix``, which a wrapper around the network has left there in training."""
    return {key.removeprefix(prefix): value for key, value in state.items()}


class OneNetwork(Base):
    """An annotator with one network, which loads when it is first needed; ``close()`` frees it, a later call loads it again.

    variant: which of ``FILES``; the first one if not given
    device:  ``cuda`` or ``cpu``, the best one here if not given
    """

    FILES: ClassVar[dict[str, str]]
    """Variant -> record of ``weights/manifest.toml``; ``""`` where there is only one."""

    def __init__(self, variant: str = "", device: str | None = None) -> None:
        self.variant = checks.one_of(variant or next(iter(self.FILES)), "variant", tuple(self.FILES))
        self._device = device

    @property
    def device(self) -> str:
        """``cuda`` or ``cpu``."""
        return self._device or ("cuda" if devices.describe().kind == "cuda" else "cpu")

    @cached_property
    def network(self) -> Any:
        """The network with its weights. Raises ``weights.Missing``, ``Damaged`` or ``Mismatch`` naming the file."""
        from helpers import weights

        name = self.FILES[self.variant]
        return self.build(weights.load_state_dict(weights.require(name), name), name).to(self.device)

    @staticmethod
    @abstractmethod
    def build(state: Mapping[str, torch.Tensor], name: str) -> nn.Module:
        """The network that ``state`` fits. Raises ``weights.Mismatch`` for another network's file."""

    def close(self) -> None:
        """Free the network."""
        self.__dict__.pop("network", None)
        devices.free()

    def require_everybody(self, pick: str | int) -> None:
        """Raise ``ValueError`` where one of several people is asked for of a network that does not tell people apart."""
        if pick != "auto":
            raise ValueError(
                f"pick={pick!r}: {type(self).__name__} sees everybody as one. Leave pick out, point to one with mask, "
                "or take an engine that finds joints (openpose_schp, mediapipe, posenet)."
            )

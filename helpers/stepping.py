"""What engines that draw in steps share: how they tell of a step, how they are cancelled, and that no step gives anything but numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

OnStep = Callable[[int, int, "np.ndarray | None"], "bool | None"]
"""``on_step(step, total, preview)``: step 1..total over all pictures of a call; preview uint8 (h, w, 3) RGB, small, of the picture
while it forms, or ``None`` from an engine that has none. Returning ``False`` cancels."""


class Cancelled(Exception):
    """The drawing was stopped by its ``on_step``. ``done``: what was finished before; the engine is as usable as before."""

    def __init__(self, message: str, done: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.done = tuple(done)


class NotFinite(FloatingPointError):
    """A network gave something else than numbers: its precision was too narrow, or its checkpoint is broken."""


def require_finite(tensors: Sequence[Tensor], what: str) -> None:
    """Raise ``NotFinite``, which says ``what`` computed them, unless all values of ``tensors`` are numbers; asks the device once."""
    import torch

    if not torch.stack([tensor.isfinite().all() for tensor in tensors]).all():
        raise NotFinite(f"{what} gave values that are no finite numbers")


def tell(on_step: OnStep | None, step: int, total: int, preview: np.ndarray | None = None, done: Sequence[Any] = ()) -> None:
    """Tell ``on_step``, where there is one, that ``step`` of ``total`` is done. Raises :class:`Cancelled` where it answers ``False``."""
    if on_step is not None and on_step(step, total, preview) is False:
        raise Cancelled(f"cancelled after step {step} of {total}.", done)

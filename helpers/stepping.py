"""What engines that draw in steps share: how they tell of a step, and how they are cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

OnStep = Callable[[int, int, "np.ndarray | None"], "bool | None"]
"""``on_step(step, total, preview)``: step 1..total over all pictures of a call; preview uint8 (h, w, 3) RGB, small, of the picture
while it forms, or ``None`` from an engine that has none. Returning ``False`` cancels."""


class Cancelled(Exception):
    """The drawing was stopped by its ``on_step``. ``done``: what was finished before; the engine is as usable as before."""

    def __init__(self, message: str, done: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.done = tuple(done)


def tell(on_step: OnStep | None, step: int, total: int, preview: np.ndarray | None = None, done: Sequence[Any] = ()) -> None:
    """Tell ``on_step``, where there is one, that ``step`` of ``total`` is done. Raises :class:`Cancelled` where it answers ``False``."""
    if on_step is not None and on_step(step, total, preview) is False:
        raise Cancelled(f"cancelled after step {step} of {total}.", done)

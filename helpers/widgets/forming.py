"""People shown below a notebook's cell while an engine that draws in steps forms them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from IPython.display import HTML, Image, display

from helpers import engines, generate, images
from helpers.person import Person


def several(
    prompt: str, *, engine: str, seed: int, size: tuple[int, int], number: int = 1, settings: dict[str, Any] | None = None
) -> list[Person]:
    """``number`` people with the seeds ``seed``, ``seed + 1``, …; where the engine draws in steps, they are shown while they form."""
    record, seeds = engines.find("generate", engine), range(seed, seed + number)
    with _forming(record.steps) as forming:
        settings = {**forming, **(settings or {})}
        if record.multiple:
            return engines.load("generate", engine).many(prompt, seeds=seeds, size=size, **settings)
        return [generate(prompt, engine=engine, seed=each, size=size, **settings) for each in seeds]


@contextmanager
def _forming(steps: bool) -> Iterator[dict[str, Any]]:
    """Settings that show the picture forming below the cell, and a bar above it, until it is done; none without ``steps``."""
    if not steps:
        yield {}
        return
    handle = display(HTML(""), display_id=True)

    def on_step(step: int, total: int, preview: np.ndarray | None) -> None:
        if handle is not None and preview is not None:  # outside a notebook there is nowhere to show it
            handle.update(Image(images.png(images.resize(preview, (3 * preview.shape[1], 3 * preview.shape[0]))), format="png"))

    try:
        yield {"on_step": on_step, "progress": True}
    finally:
        if handle is not None:
            handle.update(HTML(""))

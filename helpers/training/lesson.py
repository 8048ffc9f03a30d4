"""A training small enough to watch: a few drawn pairs, a small network, and what it makes of them meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.dataset.pairs import pairs
from helpers.images import read_image

SIZE, DRAWN = (48, 64), (96, 128)
"""Width and height that are learnt, and that are drawn."""


@dataclass(frozen=True)
class Lesson:
    """sheets: step -> uint8 (H, W, 3), worn garments, what the network made of them, and their product photographs; curve: a row a look"""

    sheets: dict[str, np.ndarray]
    curve: list[dict[str, float]]


def lesson(
    folder: Path, *, steps: int, examples: int = 20, seed: int = 0, on_look: Callable[[str], None] = print
) -> Lesson | None:
    """Learn in ``folder`` from so many ``examples`` for so many ``steps``; ``None``, which is said, where what trains is not installed.

    It goes on where it was cut off. on_look: told a line at every look
    """
    try:
        from helpers.training.extractor import Settings, train
    except ImportError as error:
        on_look(f"{error.name} is missing: pip install 'atelier-notebooks[train]' and run this again.")
        return None
    every, curve = max(1, steps // 3), []

    def told(row: dict[str, float]) -> None:
        curve.append(row)
        on_look(f"step {row['step']:.0f}: {row['off']:.1f} of 255 off on pairs that were held back")

    pairs(folder / "data", examples, size=DRAWN, seed=seed, workers=1)
    settings = Settings(size=SIZE, width=16, batch=4, recipe="plain", seed=seed)
    train(folder / "data", folder / "training", settings, total=steps, every=every, patience=10, rate=1e-3, on_look=told)
    sheets = sorted((folder / "training/sheets").glob("*.jpg"))
    return Lesson({f"after {int(sheet.stem)} steps": read_image(sheet) for sheet in sheets}, curve)

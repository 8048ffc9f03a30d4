"""How a training goes, to be looked at: a table of losses, and sheets of what is painted beside what was to be."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from helpers.extraction import frames
from helpers.files import write_text
from helpers.images import write_image

_GAP, _TALL = 4, 192  # pixels between pictures of a sheet, and those that small ones are enlarged to


class Curve:
    """``curve.csv``: a row a look, with the means of the losses since the one before. Rows after ``step`` are dropped."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        self.rows: list[dict[str, str]] = []
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                self.rows = [row for row in csv.DictReader(file) if row.get("step", "").isdigit() and int(row["step"]) <= step]

    def add(self, row: Mapping[str, float]) -> None:
        """Add a row, a number a column, and write the table."""
        self.rows.append({name: f"{value:.6g}" for name, value in row.items()})
        out = io.StringIO()
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(self.path, out.getvalue())


def sheet(path: Path, sources: Tensor, shown: Tensor, wanted: Tensor) -> Path:
    """Write a row a pair: what is worn, what is painted, what was wanted; each (B, 3 or more, H, W), -1..1."""
    rows = []
    for pictures in zip(sources, shown, wanted, strict=True):
        tiles = [np.pad(frames.picture(p[:3]), ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=255) for p in pictures]
        rows.append(np.hstack(tiles))
    times = max(1, _TALL // sources.shape[2])
    return write_image(path, np.vstack(rows).repeat(times, 0).repeat(times, 1))

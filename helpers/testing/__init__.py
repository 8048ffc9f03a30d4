"""Tiny checkpoints in the exact layouts of the published files, to run the published engines without them.

The networks have the published structure and names but few channels; where random weights could give no usable answer, last layers are
fitted to a drawn figure. What they draw is not worth looking at: they prove that files load and every step runs.
"""

from __future__ import annotations

from pathlib import Path


def write_weights(folder: str | Path, *groups: str) -> Path:
    """Write tiny checkpoints of every group of ``weights/manifest.toml`` (or of those named) below ``folder``; returns it.

    Point ``ATELIER_WEIGHTS`` to it and the published engines run on any CPU.
    """
    from helpers.testing import annotation, generation, segmentation, tryon

    folder = Path(folder)
    segmentation.write(folder, *groups)
    generation.write(folder, *groups)
    annotation.write(folder, *groups)
    tryon.write(folder, *groups)
    return folder

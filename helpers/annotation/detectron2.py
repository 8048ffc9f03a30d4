"""DensePose through detectron2 itself, where it is installed; the same result type as our own network's.

github.com/facebookresearch/detectron2 and its projects/DensePose (Apache-2.0). The checkpoint is read by our restricted reader,
not by detectron2's, which unpickles.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch

from helpers.annotation.annotator import OpenPoseSCHP
from helpers.annotation.densepose import SCORE, shortest_edge
from helpers.annotation.detections import Detections

INSTALL = (
    "detectron2 needs two packages built against the torch that is here: "
    "pip install --no-build-isolation 'git+https://github.com/facebookresearch/detectron2' and "
    "pip install --no-deps --no-build-isolation "
    "'git+https://github.com/facebookresearch/detectron2#subdirectory=projects/DensePose'. "
    'Or use engine="openpose_schp", whose DensePose gives the same numbers and needs neither.'
)


def configuration(device: str = "cpu", least: float = SCORE) -> Any:
    """detectron2's configuration of ``densepose_rcnn_R_50_FPN_s1x``, whose files the DensePose package does not install.

    Raises ``ImportError`` saying which package is missing and how to install it.
    """
    try:
        from detectron2.config import get_cfg
    except ImportError as error:
        raise ImportError(f"detectron2 is not installed. {INSTALL}") from error
    try:
        from densepose import add_densepose_config
    except ImportError as error:
        raise ImportError(f"detectron2 is here but its DensePose project (package densepose) is not. {INSTALL}") from error
    cfg = get_cfg()
    add_densepose_config(cfg)
    model = cfg.MODEL
    model.DEVICE, model.WEIGHTS, model.DENSEPOSE_ON = device, "", True
    model.META_ARCHITECTURE, model.BACKBONE.NAME = "GeneralizedRCNN", "build_resnet_fpn_backbone"
    model.RESNETS.DEPTH, model.RESNETS.OUT_FEATURES = 50, ["res2", "res3", "res4", "res5"]
    model.FPN.IN_FEATURES = ["res2", "res3", "res4", "res5"]
    model.ANCHOR_GENERATOR.SIZES, model.ANCHOR_GENERATOR.ASPECT_RATIOS = [[32], [64], [128], [256], [512]], [[0.5, 1.0, 2.0]]
    model.RPN.IN_FEATURES = ["p2", "p3", "p4", "p5", "p6"]
    model.RPN.PRE_NMS_TOPK_TEST = model.RPN.POST_NMS_TOPK_TEST = 1000
    heads = model.ROI_HEADS
    heads.NAME, heads.IN_FEATURES, heads.NUM_CLASSES = "DensePoseROIHeads", ["p2", "p3", "p4", "p5"], 1
    heads.SCORE_THRESH_TEST = least
    box = model.ROI_BOX_HEAD
    box.NAME, box.NUM_FC, box.POOLER_RESOLUTION = "FastRCNNConvFCHead", 2, 7
    box.POOLER_SAMPLING_RATIO, box.POOLER_TYPE = 2, "ROIAlign"
    surface = model.ROI_DENSEPOSE_HEAD
    surface.NAME, surface.POOLER_TYPE, surface.NUM_COARSE_SEGM_CHANNELS = "DensePoseV1ConvXHead", "ROIAlign", 2
    return cfg


def from_instances(instances: Any) -> Detections:
    """Our result from detectron2's ``Instances`` with ``pred_boxes``, ``scores`` and ``pred_densepose`` (chart outputs)."""
    charts = instances.pred_densepose
    values = (instances.pred_boxes.tensor, instances.scores, charts.coarse_segm, charts.fine_segm, charts.u, charts.v)
    found = Detections(*(value.detach().float().cpu() for value in values))
    return found[found.scores.argsort(descending=True, stable=True)]


class Detectron2DensePose:
    """detectron2's network behind the calls of ``densepose.DensePose``.

    predictor: uint8 (H, W, 3) BGR -> ``Instances``
    """

    def __init__(self, predictor: Callable[[np.ndarray], Any]) -> None:
        self.predictor = predictor

    def detect(self, image: np.ndarray, least: float = SCORE) -> Detections:
        """Detections of at least ``least`` in uint8 (H, W, 3) RGB, boxes in its pixels, highest score first."""
        found = from_instances(self.predictor(np.ascontiguousarray(image[..., ::-1])))
        return found[found.scores > least]


def _predictor(source: Path, device: str) -> Callable[[np.ndarray], Any]:
    """detectron2's model on ``model_final_162be9.pkl``."""
    cfg = configuration(device)
    from detectron2.modeling import build_model

    from helpers import weights

    model = build_model(cfg).eval()
    state = {name: torch.as_tensor(value) for name, value in weights.load_pickle_arrays(source, "densepose").items()}
    weights.fit(model, state, "densepose", unused=(r"pixel_(mean|std)$", r".*anchor_generator\.cell_anchors\..*"))

    @torch.inference_mode()
    def predict(bgr: np.ndarray) -> Any:
        picture = torch.from_numpy(shortest_edge(bgr).copy()).permute(2, 0, 1).float()
        return model([{"image": picture, "height": bgr.shape[0], "width": bgr.shape[1]}])[0]["instances"]

    return predict


class Detectron2Annotator(OpenPoseSCHP):
    """``OpenPoseSCHP`` whose DensePose is detectron2's."""

    def _require(self, needs: Collection[str]) -> None:
        if "densepose" in needs:
            configuration()  # says what is not installed before any file is looked for
        super()._require(needs)

    def _load_densepose(self) -> Detectron2DensePose:
        return Detectron2DensePose(_predictor(self._file("densepose"), self.device))

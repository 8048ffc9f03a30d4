"""OpenPose's body network with 18 joints (COCO), as ``body_pose_model.pth`` holds it.

Zhe Cao et al., CVPR 2017; github.com/CMU-Perceptual-Computing-Lab/openpose (academic and non-commercial use only), the layout of
github.com/Hzzone/pytorch-openpose. Part affinity fields in branch 1 (38 channels), joint maps in branch 2 (18 and background).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.annotation import skeleton

_VGG = (
    ("conv1_1", 64), ("conv1_2", 64), ("pool1_stage1", 0), ("conv2_1", 128), ("conv2_2", 128), ("pool2_stage1", 0),
    ("conv3_1", 256), ("conv3_2", 256), ("conv3_3", 256), ("conv3_4", 256), ("pool3_stage1", 0),
    ("conv4_1", 512), ("conv4_2", 512), ("conv4_3_CPM", 256), ("conv4_4_CPM", 128),
)  # fmt: skip
_STAGES = range(1, 7)
_LAST = {1: 38, 2: 19}  # channels of the fields and of the joint maps


def _branch(stage: int, branch: int) -> list[tuple[str, int, int]]:
    """(layer, published width, kernel) of one branch of one stage."""
    if stage == 1:
        widths = (128, 128, 128, 512, _LAST[branch])
        return [(f"conv5_{i}_CPM_L{branch}", w, 3 if i < 4 else 1) for i, w in enumerate(widths, 1)]
    return [(f"Mconv{i}_stage{stage}_L{branch}", _LAST[branch] if i == 7 else 128, 7 if i < 6 else 1) for i in range(1, 8)]


class BodyNetwork(nn.Module):
    """(N, 3, H, W) BGR in -0.5..0.5, H and W multiples of 8 -> fields (N, 38, H/8, W/8), joint maps (N, 19, H/8, W/8).

    widths: layer -> output channels where they are not the published ones
    """

    def __init__(self, widths: Mapping[str, int] | None = None) -> None:
        super().__init__()
        widths = widths or {}
        self.model0, channels = nn.Sequential(), 3
        for name, width in _VGG:
            if not width:
                self.model0.add_module(name, nn.MaxPool2d(2, 2))
                continue
            width = widths.get(name, width)
            self.model0.add_module(name, nn.Conv2d(channels, width, 3, padding=1))
            self.model0.add_module(f"{name}_relu", nn.ReLU(inplace=True))
            channels = width
        features, both = channels, 0
        for stage in _STAGES:
            outputs = 0
            for branch in (1, 2):
                block, channels = nn.Sequential(), features + both
                for name, width, kernel in _branch(stage, branch):
                    width = widths.get(name, width)
                    block.add_module(name, nn.Conv2d(channels, width, kernel, padding=kernel // 2))
                    # No ReLU ends a branch, but for the last joint maps: the public code lists Mconv7_stage6_L1 twice and
                    # forgets L2, and the thresholds behind it expect those maps.
                    if not name.startswith(("conv5_5", "Mconv7")) or name == "Mconv7_stage6_L2":
                        block.add_module(f"{name}_relu", nn.ReLU(inplace=True))
                    channels = width
                self.add_module(f"model{stage}_{branch}", block)
                outputs += channels
            both = outputs

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.model0(image)
        x = features
        for stage in _STAGES:
            fields = getattr(self, f"model{stage}_1")(x)
            heat = getattr(self, f"model{stage}_2")(x)
            x = torch.cat([fields, heat, features], 1)
        return fields, heat


def prefixed(state: Mapping[str, torch.Tensor], network: BodyNetwork) -> dict[str, torch.Tensor]:
    """The published file's flat keys (``conv1_1.weight``) with the module that holds each (``model0.conv1_1.weight``)."""
    home = {key.split(".", 1)[1]: key for key in network.state_dict()}
    return {home.get(key, key): value for key, value in state.items()}


def build(state: Mapping[str, torch.Tensor], name: str = "openpose") -> BodyNetwork:
    """The network that ``state`` fits, widths and all. Raises ``weights.Mismatch`` (a ``ValueError``) for another network's file."""
    from helpers import weights

    widths = {key.removesuffix(".weight").split(".")[-1]: len(value) for key, value in state.items() if value.ndim == 4}
    widths.update({_branch(stage, branch)[-1][0]: _LAST[branch] for stage in _STAGES for branch in (1, 2)})
    with torch.device("meta"):
        network = BodyNetwork(widths)
    weights.fit(network, prefixed(state, network), name)
    return network.eval().requires_grad_(False)


class OpenPose:
    """Finds people's joints. ``source`` is ``body_pose_model.pth`` or its state dict.

    device, dtype: where and in which precision the network runs (half precision is for CUDA)
    """

    def __init__(
        self,
        source: str | Path | Mapping[str, torch.Tensor],
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if isinstance(source, str | Path):
            from helpers import weights

            source = weights.load_state_dict(Path(source), "openpose")
        self.network = build(source).to(device, dtype)

    @torch.inference_mode()
    def assemble(self, image: np.ndarray, method: str = "lanczos") -> tuple[np.ndarray, np.ndarray]:
        """(candidate, subset) of the reference for uint8 (H, W, 3) RGB; see ``skeleton.assemble``."""
        picture, inner = skeleton.network_picture(image, method)
        weight = self.network.model0.conv1_1.weight
        fields, heat = self.network(torch.from_numpy(picture)[None].to(weight.device, weight.dtype))
        maps = [skeleton.enlarge(m[0].float().cpu().numpy(), inner, image.shape[:2], method) for m in (heat, fields)]
        return skeleton.assemble(*maps)

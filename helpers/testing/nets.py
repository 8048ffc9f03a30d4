"""Small checkpoints of the annotators with one network each, and of DWPose, in the published layouts: seeded noise, which sees what is
not there.

They prove that files load and every step runs, not that anything is recognised. ``annotation`` writes those that read the mannequin.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import torch
from torch import Tensor, nn

from helpers import weights
from helpers.annotation import cloths_segmentation, posenet, schp, u2net
from helpers.files import write_whole
from helpers.labels import ATR, LIP, PASCAL

_SMALL = dict.fromkeys(u2net.U2NETP, (4, 8))


def write(folder: Path, *groups: str) -> None:
    """Write the checkpoints of ``groups`` (all of them by default; other parts' groups are passed over) below ``folder``."""
    for group, make in _MADE.items():
        if not groups or group in groups:
            write_whole(Path(folder) / weights.record(group).path, partial(torch.save, make()))
    if not groups or "dwpose" in groups:
        for name, made in (("yolox_l", _detector()), ("dw-ll_ucoco_384", _pose())):
            write_whole(Path(folder) / weights.record(f"dwpose/{name}.onnx").path, partial(Path.write_bytes, data=made))
    if not groups or "cloths_segmentation" in groups:
        write_whole(Path(folder) / weights.record("cloths_segmentation").path, _packed_clothes)


def noisy(network: nn.Module, seed: int = 0) -> nn.Module:
    """``network`` with seeded noise of even strength in every layer."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in _layers(network):
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * (2 / tensor[0].numel()) ** 0.5)
    return network.eval()


def _layers(network: nn.Module) -> Iterator[Tensor]:
    return (tensor for tensor in network.parameters() if tensor.ndim > 1)


def _salient(classes: int = 1) -> dict[str, Tensor]:
    network = noisy(u2net.U2Net(classes, _SMALL))
    nn.init.constant_(network.outconv.bias, 1.0)  # something stands out
    return dict(network.state_dict())


def _cloth() -> dict[str, Tensor]:
    """As the published file has it, from training on several devices."""
    return {f"module.{name}": tensor for name, tensor in noisy(u2net.U2Net(len(u2net.CLOTHES), _SMALL)).state_dict().items()}


def _parser(classes: int) -> dict[str, dict[str, Tensor]]:
    return {"state_dict": {f"module.{name}": tensor for name, tensor in noisy(schp.CE2P(classes, 4)).state_dict().items()}}


def _joints() -> dict[str, Tensor]:
    return dict(noisy(posenet.PoseNetwork((4,) * 12 + (8, 8))).state_dict())


def _packed_clothes(part: Path) -> None:
    """One checkpoint alone in an archive, as the release has it, under names that training gave."""
    widths = cloths_segmentation.Widths(4, (4,) * 7, 4, (4,) * 5)
    content = BytesIO()
    state = noisy(cloths_segmentation.UNet(widths)).state_dict()
    torch.save({"state_dict": {f"model.{name}": tensor for name, tensor in state.items()}}, content)
    with ZipFile(part, "w") as archive:
        archive.writestr("weights.pth", content.getvalue())


_MADE: dict[str, Callable[[], dict]] = {
    **dict.fromkeys(("u2net", "u2net_human_seg", "u2netp"), _salient),
    "u2net_cloth": _cloth,
    "schp_lip": partial(_parser, len(LIP)),
    "schp_atr": partial(_parser, len(ATR)),
    "schp_pascal": partial(_parser, len(PASCAL)),
    "posenet": _joints,
}


class _Cells(nn.Module):
    """YOLOX's output (1, cells, 85) for 640x640: a box in each cell of three grids, and nobody in any."""

    def __init__(self) -> None:
        super().__init__()
        self.grids = nn.ModuleList(nn.Conv2d(3, 85, stride, stride) for stride in (8, 16, 32))

    def forward(self, x: Tensor) -> Tensor:
        raw = torch.cat([grid(x / 255).flatten(2).transpose(1, 2) for grid in self.grids], 1)
        return torch.cat([raw[..., :4], (raw[..., 4:] - 20).sigmoid()], -1)


class _Bins(nn.Module):
    """RTMPose's output for 288x384: how likely each bin of x (1, 133, 576) and of y (1, 133, 768) is, for each point."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.Conv2d(3, 133, 96, 96)
        self.x, self.y = nn.Linear(12, 576), nn.Linear(12, 768)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        told = self.cells(picture).flatten(2)
        return self.x(told), self.y(told)


def _detector() -> bytes:
    return onnx_file(noisy(_Cells()), (640, 640), ["output"])


def _pose() -> bytes:
    return onnx_file(noisy(_Bins()), (384, 288), ["simcc_x", "simcc_y"])


def onnx_file(network: nn.Module, size: tuple[int, int], outputs: Sequence[str]) -> bytes:
    """``network``, which takes (1, 3, *size), as an ONNX file whose input is ``input.1``."""
    buffer = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces its newer exporter
        torch.onnx.export(
            network, (torch.zeros(1, 3, *size),), buffer, dynamo=False, input_names=["input.1"], output_names=list(outputs),
            opset_version=17,
        )  # fmt: skip
    return buffer.getvalue()

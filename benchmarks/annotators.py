"""CPU seconds of the annotators with one network each, full size with random weights: what a photograph of 768x1024 costs.

``python benchmarks/annotators.py``; threads as ``OMP_NUM_THREADS`` says. Weights change no time, so that none are needed.
"""

from __future__ import annotations

import resource
import time

import numpy as np
import torch
from torch import nn

from helpers.annotation.cloths_segmentation import ClothsSegmentation, UNet
from helpers.annotation.posenet import PoseNet, PoseNetwork
from helpers.annotation.schp import CE2P, SCHP, PascalParts
from helpers.annotation.u2net import U2NETP, Cloth, Salient, U2Net
from helpers.testing.nets import noisy


def main() -> None:
    """One line a network: the best of two runs."""
    image = np.random.default_rng(0).integers(0, 256, (1024, 768, 3), np.uint8)
    for name, annotator, network, look in (
        ("u2net", Salient(device="cpu"), U2Net(), "matte"),
        ("u2net:u2netp", Salient(device="cpu"), U2Net(widths=U2NETP), "matte"),
        ("u2net_cloth", Cloth(device="cpu"), U2Net(4), "logits"),
        ("schp:atr", SCHP("atr", device="cpu"), CE2P(18), "parse"),
        ("schp:lip", SCHP("lip", device="cpu"), CE2P(20), "parse"),
        ("schp_pascal", PascalParts(device="cpu"), CE2P(7), "parse"),
        ("posenet", PoseNet(device="cpu"), PoseNetwork(), "everybody"),
        ("cloths_segmentation", ClothsSegmentation(device="cpu"), UNet(), "clothes"),
    ):
        annotator.network = _seeing(noisy(network))
        seconds = []
        for _ in range(2):
            started = time.process_time()
            getattr(annotator, look)(image)
            seconds.append(time.process_time() - started)
        size = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{name:20} {min(seconds):6.2f} s CPU  {size / 1e6:6.1f} MB of weights  peak so far {most:.2f} GB")
        del network
        annotator.close()


def _seeing(network: nn.Module) -> nn.Module:
    """The network with something that stands out everywhere, so that no engine gives up."""
    if isinstance(network, U2Net):
        with torch.no_grad():
            network.outconv.bias.fill_(10.0)
    return network


if __name__ == "__main__":
    main()

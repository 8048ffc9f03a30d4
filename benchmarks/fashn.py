"""Arithmetic, memory and seconds of FASHN VTON's network at its published size, with random weights.

``python benchmarks/fashn.py [--time]`` prints a markdown table. Arithmetic and tensors are counted without computing anything; ``--time``
runs one guided step as the engine would on this machine (``ATELIER_DEVICE=cpu`` or ``cuda``): minutes and 6 GB on a CPU.
"""

from __future__ import annotations

import argparse
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from helpers import devices
from helpers.tryon.fashn import frame
from helpers.tryon.fashn.networks import TryOnModel


def inputs(batch: int, device: torch.device, dtype: torch.dtype) -> list[torch.Tensor]:
    """What the network is shown, all noise."""
    width, height = frame.SIZE
    pictures = [torch.zeros(batch, channels, height, width, device=device, dtype=dtype) for channels in (3, 3, 1, 3, 1)]
    number = torch.ones(batch, device=device, dtype=torch.long)
    return [pictures[0], torch.zeros(batch, device=device), *pictures[1:], number]


def counted(batch: int) -> tuple[float, float]:
    """Parameters in millions, and TFLOP of one evaluation for ``batch`` pictures."""
    nothing = torch.device("meta")
    with nothing:
        network = TryOnModel().eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(*inputs(batch, nothing, torch.float32))
    return sum(p.numel() for p in network.parameters()) / 1e6, counter.get_total_flops() / 1e12


def timed() -> str:
    """A row of the table: one guided step on this machine."""
    described = devices.describe()
    device = torch.device(described.kind)
    dtype = torch.bfloat16 if device.type == "cuda" and devices.half(described) == torch.bfloat16 else torch.float32
    with torch.device("meta"):
        network = TryOnModel()
    network = network.to(dtype).to_empty(device=device).eval().requires_grad_(False)
    for tensor in network.state_dict().values():
        tensor.normal_(0, 0.02)
    given = inputs(2, device, dtype)
    with torch.inference_mode():
        if device.type == "cuda":  # the first step chooses kernels
            network(*given)
            torch.cuda.synchronize()
        started = time.perf_counter()
        network(*given)
        if device.type == "cuda":
            torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    memory = f", {torch.cuda.max_memory_allocated() / 1e9:.1f} GB" if device.type == "cuda" else ""
    return f"| one guided step, {dtype}, {described.name} | {seconds:.2f} s{memory} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", action="store_true", help="run one guided step too")
    asked = parser.parse_args()
    parameters, flops = counted(1)
    print("| FASHN VTON v1.5 |  |\n|---|---:|")
    print(f"| parameters | {parameters:.1f} M, {parameters * 2 / 1e3:.2f} GB in bfloat16 |")
    print(f"| one evaluation | {flops:.2f} TFLOP |")
    print(f"| a picture: 29 guided steps and one without | {flops * 59:.0f} TFLOP |", flush=True)
    if asked.time:
        print(timed())


if __name__ == "__main__":
    main()

"""Seconds and peak memory of HR-VITON's networks at their published size, with random weights.

``python benchmarks/hr_viton.py [--size 1024x768] [--repeat 1]`` prints a markdown table, on the device that the engines would take
(``ATELIER_DEVICE=cpu`` or ``cuda``). On a CPU seconds are those of its processor and memory the process's peak; on a GPU seconds are the
clock's and memory what was allocated there.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from helpers import devices
from helpers.tryon.hr_viton import pipeline
from helpers.tryon.hr_viton.networks import ConditionGenerator, SPADEGenerator


def inputs(height: int, width: int, device: torch.device) -> pipeline.Inputs:
    """Noise in the shapes of a person and a garment."""
    pictures = [torch.rand(1, 3, height, width, device=device) * 2 - 1 for _ in range(3)]
    parse = torch.nn.functional.one_hot(torch.randint(13, (1, height, width), device=device), 13).permute(0, 3, 1, 2).float()
    return pipeline.Inputs(pictures[0], torch.ones(1, 1, height, width, device=device), parse, pictures[1], pictures[2])


def measured(device: torch.device, repeat: int, run: Callable[[], Any]) -> tuple[float, float, Any]:
    """Least seconds of ``repeat`` runs, peak memory in GB, and what the last run made."""
    seconds, made = [], None
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    for _ in range(repeat):
        started = clock()
        made = run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(clock() - started)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return min(seconds), (torch.cuda.max_memory_allocated() if device.type == "cuda" else peak) / 1e9, made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1024x768", choices=("1024x768", "512x384"), help="height x width of the picture")
    parser.add_argument("--repeat", type=int, default=1)
    asked = parser.parse_args()
    described = devices.describe()
    device = torch.device(described.kind)
    torch.manual_seed(0)
    given = inputs(*map(int, asked.size.split("x")), device)
    tocg, generator = (net().to(device).eval().requires_grad_(False) for net in (ConditionGenerator, SPADEGenerator))
    first, peak, told = measured(device, asked.repeat, lambda: pipeline.conditions(tocg, given))
    print(f"| {asked.size}, {described.name} | seconds | peak memory |\n|---|---:|---:|")
    print(f"| conditions: garment bent, regions found | {first:.2f} | {peak:.1f} GB |", flush=True)
    second, peak, _ = measured(device, asked.repeat, lambda: pipeline.paint(generator, given, told, None))
    print(f"| the person painted | {second:.2f} | {peak:.1f} GB |")


if __name__ == "__main__":
    main()

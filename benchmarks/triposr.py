"""What TripoSR costs at its published size, with random weights: the picture to the planes, the grid, the surface, and a view of the field.

``python benchmarks/triposr.py [--resolution 256] [--device cuda]`` prints a markdown table: seconds by the clock and of the CPU, and the
memory at its most, of the process or on the GPU. What stands between random planes is noise, so the surface that is timed is a figure's of
the same grid.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import torch

from helpers import devices
from helpers.reconstruction.triposr import field
from helpers.reconstruction.triposr.networks import SIZE, TSR


def timed(name: str, act: Callable[[], object], device: torch.device) -> object:
    """What ``act`` gives, its cost printed as a row."""
    wall, cpu = time.perf_counter(), time.process_time()
    out = act()
    if device.type == "cuda":
        torch.cuda.synchronize()
    print(f"| {name} | {time.perf_counter() - wall:.2f} | {time.process_time() - cpu:.2f} |", flush=True)
    return out


def body(resolution: int) -> np.ndarray:
    """float32 (R, R, R): densities of a bumpy upright body."""
    line = np.linspace(-1, 1, resolution, dtype=np.float32)
    x, y, z = np.meshgrid(line, line, line, indexing="ij")
    bumps = 0.04 * (np.sin(20 * x) + np.sin(20 * y) + np.sin(20 * z))
    return 50 * np.exp(-((x / 0.3) ** 2 + (y / 0.35) ** 2 + (z / 0.8) ** 2) + bumps)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--chunk", type=int, default=field.CHUNK)
    parser.add_argument("--device", default=devices.describe().kind)
    asked = parser.parse_args()
    device = torch.device(asked.device)
    torch.manual_seed(0)
    network = TSR().eval().to(device)
    picture = torch.rand(1, 3, SIZE, SIZE, device=device)
    print(f"{device}, {torch.get_num_threads()} threads\n\n| step | seconds | CPU seconds |\n|---|---:|---:|")
    with torch.inference_mode():
        codes = timed("picture to planes", lambda: network(picture)[0], device)
        assert isinstance(codes, torch.Tensor)
        timed(f"grid of {asked.resolution}", lambda: field.densities(network, codes, asked.resolution, asked.chunk), device)
        density = body(asked.resolution)
        timed("marching cubes", lambda: field.surface(density), device)
        origins, directions = field.cameras(1)
        timed("a view of the field, 256x256", lambda: field.render(network, codes, origins[0], directions[0]), device)
    peak = (
        torch.cuda.max_memory_allocated()
        if device.type == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    print(f"\nAt most {peak / 1e9:.1f} GB.")


if __name__ == "__main__":
    main()

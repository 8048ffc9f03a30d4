"""VITON-HD at published size with random weights: seconds and peak memory of one picture at 1024x768, on a CPU or a GPU.

Prints rows of markdown for benchmarks/README.md. ``ATELIER_DEVICE=cpu`` chooses the CPU where there is a GPU.
"""

from __future__ import annotations

import resource
import time

import torch

from helpers import devices
from helpers.tryon.viton_hd import pipeline
from helpers.tryon.viton_hd.networks import GMM, ALIASGenerator, SegGenerator

SIZE = (1024, 768)


@torch.no_grad()
def main() -> None:
    """Print a row a network, and one for the whole."""
    device = devices.describe()
    kind = torch.device(device.kind)
    torch.manual_seed(0)
    with kind:
        segmenter, matcher, painter = (net.eval() for net in (SegGenerator(), GMM(), ALIASGenerator()))
        classes = torch.eye(13)[torch.randint(13, SIZE)].permute(2, 0, 1)[None]
        pictures = [torch.rand(1, 3, *SIZE) * 2 - 1 for _ in range(3)]
        inputs = pipeline.Inputs(pictures[0], classes, pictures[1], pictures[2], torch.ones(1, 1, *SIZE))
        noise = pipeline.segmentation_noise((SIZE[0] // 4, SIZE[1] // 4), torch.rand)
    print(f"{device.name}, torch {torch.__version__}, {torch.get_num_threads()} threads, float32\n")
    print("| part | wall s | CPU s | peak GB |\n|---|---|---|---|")
    shown = pipeline.segmentation_inputs(inputs, noise)
    seven = pipeline.classes_of(segmenter(shown), SIZE)
    person, cloth = pipeline.matching_inputs(inputs, seven)
    for name, work in (
        ("SegGenerator", lambda: segmenter(shown)),
        ("GMM", lambda: matcher(person, cloth)),
        ("all, ALIASGenerator with it", lambda: pipeline.generate(segmenter, matcher, painter, inputs, noise, torch.randn)),
    ):
        wall, busy = time.perf_counter(), time.process_time()
        work()
        if kind.type == "cuda":
            torch.cuda.synchronize()
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        print(f"| {name} | {wall:.2f} | {busy:.2f} | {_peak(kind.type):.2f} |")


def _peak(kind: str) -> float:
    """GB of the device, or of the process, at most so far."""
    if kind == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    main()

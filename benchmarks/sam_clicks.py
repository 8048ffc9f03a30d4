"""What a click and a look cost with Segment Anything on a CPU, at full size with random weights: cost does not depend on them.

``python benchmarks/sam_clicks.py`` times the decoder of ``segment_anything`` through torch, ours through torch and ours through
onnxruntime, each with the masks' way back to a 768x1024 photograph, and says how far their logits are apart. ``--looks vit_b,mobile``
also times the image encoders and their peak memory, ``segment_anything``'s own attention against ours; each in a process of its own.
One thread unless ``--threads``. Prints markdown tables: medians, wall-clock and CPU time.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
import torch
from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.modeling.image_encoder import Attention

from helpers.segmentation import mobile_sam
from helpers.segmentation import sam as engine
from helpers.segmentation.sam_decoder import Runner

PHOTO = 1024, 768  # height, width
VITS = {
    "vit_b": (768, 12, 12, (2, 5, 8, 11)),
    "vit_l": (1024, 24, 16, (5, 11, 17, 23)),
    "vit_h": (1280, 32, 16, (7, 15, 23, 31)),
}


class _NoEncoder(torch.nn.Module):
    img_size = 1024


def network() -> Sam:
    """The published prompt encoder and decoder, seeded, without an encoder."""
    torch.manual_seed(0)
    decoder = MaskDecoder(transformer_dim=256, transformer=TwoWayTransformer(2, 256, 8, 2048))
    return Sam(_NoEncoder(), PromptEncoder(256, (64, 64), (1024, 1024), 16), decoder).eval().requires_grad_(False)


def timed(run: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median wall-clock and CPU milliseconds."""
    walls, cpus = [], []
    run()
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append(1e3 * (time.perf_counter() - wall))
        cpus.append(1e3 * (time.process_time() - cpu))
    return median(walls), median(cpus)


def clicks(repeats: int) -> None:
    """One row a way to answer a click: the first one, with three candidates, and the fourth, with the mask before."""
    sam = network()
    embedding = torch.randn(1, 256, 64, 64)
    before = 4 * torch.randn(256, 256).numpy()
    places, labels = np.array([[300.0, 400], [500, 600], [280, 300], [350, 500]]), np.array([1, 0, 1, 1])

    def published(count: int) -> tuple[np.ndarray, torch.Tensor]:
        points = torch.from_numpy(places[None, :count]).float(), torch.from_numpy(labels[None, :count])
        mask = None if count == 1 else torch.from_numpy(before)[None, None]
        with torch.inference_mode():
            sparse, dense = sam.prompt_encoder(points=points, boxes=None, masks=mask)
            low, _ = sam.mask_decoder(embedding, sam.prompt_encoder.get_dense_pe(), sparse, dense, multimask_output=count == 1)
            return low[0].numpy(), sam.postprocess_masks(low, PHOTO, PHOTO) > 0

    def ours(runner: Runner, count: int) -> tuple[np.ndarray, torch.Tensor]:
        low, _ = runner(embedding, places[:count], labels[:count], None if count == 1 else before)
        low = low[1:] if count == 1 else low[:1]
        with torch.inference_mode():
            return low, sam.postprocess_masks(torch.from_numpy(low[None, :1]), PHOTO, PHOTO) > 0  # only the chosen one

    ways = {
        "segment_anything, torch": published,
        "ours, torch": partial(ours, Runner(sam, onnx=False)),
        "ours, onnxruntime": partial(ours, Runner(sam)),
    }
    print("| a click | first, wall ms | CPU ms | fourth, wall ms | CPU ms | logits differ by | pixels differ |")
    print("|---|---|---|---|---|---|---|")
    for name, way in ways.items():
        pairs = [(way(count), published(count)) for count in (1, 4)]
        apart = max(float(np.abs(low - theirs).max()) for (low, _), (theirs, _) in pairs)
        pixels = sum(int((mask[0, 0] != other[0, 0]).sum()) for (_, mask), (_, other) in pairs)
        (wall, cpu), (later, later_cpu) = (timed(lambda count=count, way=way: way(count), repeats) for count in (1, 4))
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {later:.1f} | {later_cpu:.1f} | {apart:.1g} | {pixels} |")


def look(name: str, own: bool) -> None:
    """One row: an encoder's time and peak memory for one picture."""
    torch.manual_seed(0)
    if name == "mobile":
        encoder: torch.nn.Module = mobile_sam.TinyViT()
    else:
        width, depth, heads, far = VITS[name]
        shapes = {"pos_embed": (1, 64, 64, width), "patch_embed.proj.weight": (width, 3, 16, 16), "neck.0.weight": (256,)}
        for i in range(depth):
            rows = 127 if i in far else 27
            shapes |= {f"blocks.{i}.attn.rel_pos_h": (rows, width // heads), f"blocks.{i}.mlp.lin1.weight": (4 * width, width)}
        if not own:
            engine.LeanAttention = type("PublishedAttention", (Attention,), {})
        encoder = engine.vit(shapes)
    encoder.eval()
    picture = torch.randn(1, 3, 1024, 1024)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    wall, cpu = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        encoder(picture)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"| {name} | {'ours' if own else 'segment_anything'} | {wall:.1f} | {cpu:.1f} | {before:.2f} | {peak:.2f} |", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--looks", default="", help="image encoders to time too, such as vit_b,mobile")
    parser.add_argument("--look", nargs=2, metavar=("NAME", "ATTENTION"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.look:
        look(arguments.look[0], arguments.look[1] == "ours")
        return
    clicks(arguments.repeats)
    rows = [(name, how) for name in filter(None, arguments.looks.split(",")) for how in ("segment_anything", "ours")]
    if rows:
        print("\n| a look | attention | wall s | CPU s | GB before | peak GB |\n|---|---|---|---|---|---|", flush=True)
    for name, how in rows:
        if (name, how) != ("mobile", "segment_anything"):
            command = [sys.executable, __file__, "--threads", str(arguments.threads), "--look", name, how]
            subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": str(arguments.threads)})


if __name__ == "__main__":
    main()

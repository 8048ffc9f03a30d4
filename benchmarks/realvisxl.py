"""RealVisXL: seconds and memory of a picture, compiled and not.

``python benchmarks/realvisxl.py [--steps 28] [--size 768 1024] [--repeats 3]`` prints a markdown table and the hardware's name. On a CUDA
GPU: networks of SDXL's full size with random weights, made on the device; nothing is read from files. Elsewhere: the same at tiny size as
a ratio against the plain run, since seconds of tiny networks say nothing of the full ones; and the full size's multiplications, counted.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from helpers import devices
from helpers.generation.realvisxl import RealVisXL, need
from helpers.testing import generation

WORDS = "a woman with a bob in a coral crew neck crop top and navy mini skirt"
FIRST = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "projection_dim": 768,
}
SECOND = {
    "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20, "projection_dim": 1280,
    "hidden_act": "gelu",
}  # fmt: skip
EULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "timestep_spacing": "leading",
}


def full_size(folder: Path) -> StableDiffusionXLPipeline:
    """SDXL with random weights in float16 on the GPU, the autoencoder in float32; a small tokenizer stands in for CLIP's."""
    common = {"eos_token_id": 2, "bos_token_id": 0, "pad_token_id": 1}
    with torch.device("cuda"):
        torch.manual_seed(0)
        vae = AutoencoderKL(**generation.VAE).eval()
        torch.set_default_dtype(torch.float16)
        try:
            unet = UNet2DConditionModel(**generation.UNET).eval()
            first = CLIPTextModel(CLIPTextConfig(**FIRST, **common)).eval()
            second = CLIPTextModelWithProjection(CLIPTextConfig(**SECOND, **common)).eval()
        finally:
            torch.set_default_dtype(torch.float32)
    tokenizers = [CLIPTokenizer.from_pretrained(folder / "sdxl_base" / name) for name in ("tokenizer", "tokenizer_2")]
    return StableDiffusionXLPipeline(
        vae, first, second, *tokenizers, unet, EulerDiscreteScheduler(**EULER), add_watermarker=False
    )


def ready(variant: str, folder: Path, full: bool) -> RealVisXL:
    """The engine with its networks in place."""
    engine = RealVisXL(variant)
    engine.read(WORDS)
    if full:
        device = devices.describe()
        policy = devices.policy(device, need(device, 3_469_000_000), dtype=torch.float16)
        engine._adopt(full_size(folder), policy)
    else:
        engine._load()
    return engine


def seconds(draw: Callable[[], object], repeats: int) -> tuple[float, float]:
    """(the first call's seconds, the median of ``repeats`` further ones); CPU time without a GPU, so that a busy machine matters little."""
    gpu = devices.describe().kind == "cuda"
    clock, times = time.perf_counter if gpu else time.process_time, []
    for _ in range(repeats + 1):
        started = clock()
        draw()
        if gpu:
            torch.cuda.synchronize()
        times.append(clock() - started)
    return times[0], median(times[1:])


def peak_gb() -> float:
    """Peak memory since the last reset: the GPU's, or the process's where there is none."""
    if devices.describe().kind == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if sys.platform == "linux" else 1) / 1e9


def tera_macs(size: tuple[int, int]) -> float:
    """10^12 multiplications of one evaluation of the full UNet for one picture without guidance, counted on the meta device."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**generation.UNET)
        latents = torch.zeros(1, 4, size[1] // 8, size[0] // 8)
        added = {"text_embeds": torch.zeros(1, 1280), "time_ids": torch.zeros(1, 6)}
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            unet(latents, torch.tensor(1), torch.zeros(1, 77, 2048), added_cond_kwargs=added)
    return counter.get_total_flops() / 2e12


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=28)
    parser.add_argument("--size", type=int, nargs=2, default=(768, 1024))
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    size, device = tuple(arguments.size), devices.describe()
    full = device.kind == "cuda"
    name = device.name if full else f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} thread(s)"
    print(f"{name}; torch {torch.__version__}; {size[0]}x{size[1]}; {'full size' if full else 'tiny networks: ratios only'}.\n")
    print("| variant | path | steps | first picture | each further | peak memory, GB |" if full else
          "| variant | path | steps | of the plain run's time | first picture, s |")  # fmt: skip
    print("|---|---|--:|--:|--:|--:|" if full else "|---|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        generation.write(Path(folder))
        os.environ |= {"ATELIER_WEIGHTS": folder, "ATELIER_OTHER_WEIGHTS": "1"}  # tiny ones are none of the published
        for variant, steps in (("v4", arguments.steps), ("v4_lightning", 6)):
            plain = None
            for path in ("plain", "with previews", "compiled"):
                if full:
                    torch.cuda.reset_peak_memory_stats()
                with ready(variant, Path(folder), full) as engine:
                    if path == "compiled":
                        engine.pipe.unet.compile_repeated_blocks(fullgraph=True)
                    watch = (lambda *_: None) if path == "with previews" else None
                    draw = lambda engine=engine, steps=steps, watch=watch: engine(  # noqa: E731
                        WORDS, size=size, steps=steps, progress=False, on_step=watch
                    )
                    first, each = seconds(draw, arguments.repeats)
                plain = plain or each
                row = f"| {variant} | {path} | {steps} | "
                print(
                    row
                    + (f"{first:.2f} s | {each:.2f} s | {peak_gb():.1f} |" if full else f"{each / plain:.2f} | {first:.1f} |")
                )
    print(f"\nOne evaluation of the full UNet: {tera_macs(size):.2f} T multiplications a picture; with guidance, two a step.")
    if not full:
        print("Missing here: seconds and memory at full size, which need a CUDA GPU.")


if __name__ == "__main__":
    main()

"""IDM-VTON: what a step costs and what each saving is worth.

``flops``: counted at published size on the meta device, no weights, no GPU.
``time``: full-size networks with random weights on a GPU: seconds and peak memory of both phases, each saving off, compiled or not; on a
machine without one, tiny networks on the CPU as a ratio against the unsaved path.
``memory``: the engine's phases on a GPU, as its profiles run them, at published size with random weights: what each holds at its peak.

Each prints rows of markdown for benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import torch
from diffusers import AutoencoderKL, DDPMScheduler
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from helpers import devices
from helpers.testing.generation import UNET, VAE
from helpers.tryon.idm_vton import pipeline
from helpers.tryon.idm_vton.garments import GarmentFeatures
from helpers.tryon.idm_vton.networks import REFERENCE, GarmentNet, Savings, TryonNet, garment_net, tryon_net

CONFIG = {**UNET, "in_channels": 13, "out_channels": 4}
TINY = {
    **CONFIG,
    "block_out_channels": (32, 64, 96),
    "cross_attention_dim": 64,
    "transformer_layers_per_block": (1, 1, 2),
    "attention_head_dim": (1, 2, 3),
    "addition_time_embed_dim": 16,
    "projection_class_embeddings_input_dim": 128,
}
LATENTS = (128, 96)  # 768x1024 pixels


def main() -> None:
    """Print the rows that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("flops", "time", "memory"))
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.what == "flops":
        print_flops()
    elif arguments.what == "memory":
        print_memory()
    else:
        print_times(arguments.steps, arguments.repeat)


def nets(config: dict, whole: bool = False) -> tuple[TryonNet, GarmentNet]:
    """TryonNet and GarmentNet of one size."""
    plain = {**config, "in_channels": 4, "addition_embed_type": None}
    return tryon_net(config), garment_net(plain, whole=whole)


class Step:
    """One guided step of both networks at 768x1024, on any device."""

    def __init__(self, tryon: TryonNet, garment: GarmentNet, latents: tuple[int, int] = LATENTS, rows: int = 1) -> None:
        self.tryon, self.garment = tryon, garment
        weight = tryon.conv_in.weight
        self.make = {"device": weight.device, "dtype": weight.dtype}
        cross, time_size = tryon.config.cross_attention_dim, tryon.config.addition_time_embed_dim
        pooled = tryon.config.projection_class_embeddings_input_dim - 6 * time_size
        self.sample = torch.randn(2 * rows, 13, *latents, **self.make)
        self.tokens = torch.randn(2 * rows, 93, cross, **self.make)
        self.conditions = {
            "text_embeds": torch.randn(2 * rows, pooled, **self.make),
            "time_ids": torch.randn(2 * rows, 6, **self.make),
        }
        self.cloth, self.text = torch.randn(1, 4, *latents, **self.make), torch.randn(1, 77, cross, **self.make)
        self.t = torch.tensor([501], device=weight.device)

    def features(self, count: int = 1) -> list[Tensor]:
        """GarmentNet at ``count`` timesteps at once."""
        return self.garment.features(
            self.cloth.expand(count, -1, -1, -1), self.t.expand(count), self.text.expand(count, -1, -1)
        )

    def prepare(self, savings: Savings) -> None:
        """What is done once a run."""
        self.tryon.set_tokens(self.tokens, self.conditions, guided=True, savings=savings)

    @torch.no_grad()
    def __call__(self, features: list[Tensor]) -> Tensor:
        """TryonNet once."""
        self.tryon.set_garment(features)
        return self.tryon(self.sample, self.t[0], self.tokens, added_cond_kwargs=self.conditions, return_dict=False)[0]


def count(work: Callable[[], object]) -> float:
    """TFLOP of ``work``, two a multiplication with addition."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops() / 1e12


def flops(savings: Savings = Savings()) -> float:  # noqa: B008
    """TFLOP of TryonNet's guided step at published size."""
    with torch.device("meta"):
        step = Step(*nets(CONFIG))
        features = step.features()
        step.prepare(savings)
        return count(lambda: step(features))


def flops_of_garment_net(published: bool = False) -> float:
    """TFLOP of GarmentNet at one timestep at published size; the published code skips the last level but nothing else."""
    with torch.device("meta"):
        tryon, garment = nets(CONFIG, whole=published)
        if published:
            garment.up_blocks = garment.up_blocks[:2]
            garment.conv_norm_out, garment.conv_out = None, torch.nn.Identity()
        return count(Step(tryon, garment).features)


def print_flops() -> None:
    """The table of benchmarks/README.md."""
    published, reference = flops_of_garment_net(published=True), flops(REFERENCE)
    cut, saved = flops_of_garment_net(), flops()
    rows = [
        ("as published", reference, published),
        ("GarmentNet's tail cut", reference, cut),
        ("+ no queries for garment tokens", flops(replace(REFERENCE, person_queries=True)), cut),
        ("+ zero keys for the unconditional half", flops(replace(REFERENCE, person_queries=True, zero_key=True)), cut),
        ("+ tokens and embedding once a run", saved, cut),
        ("the same garment again", saved, 0.0),
    ]
    print("| path | TryonNet | GarmentNet | a step | of the published |\n|---|---|---|---|---|")
    for name, one, other in rows:
        total = one + other
        print(f"| {name} | {one:.2f} | {other:.2f} | {total:.2f} TFLOP | {total / (published + reference):.0%} |")


def print_times(steps: int, repeat: int) -> None:
    """Seconds and peak memory; ratios on a CPU."""
    device = devices.describe()
    gpu = device.kind == "cuda"
    dtype = devices.half(device) if gpu else torch.float32
    torch.manual_seed(0)
    print(f"{device.name}, torch {torch.__version__}, {dtype}, {'published' if gpu else 'tiny'} size, {steps} steps, guided, "
          f"median of {repeat}\n")  # fmt: skip
    torch.set_default_dtype(dtype)
    with torch.device(device.kind):
        tryon, garment = nets(CONFIG if gpu else TINY)
        step = Step(tryon, garment, LATENTS if gpu else (64, 48))
        garment_seconds, garment_peak = timed(lambda: [step.features(2) for _ in range(-(-steps // 2))], repeat, gpu)
    print("| path | seconds | of the reference | peak memory |\n|---|---|---|---|")
    features = step.features()

    def run(savings: Savings, every_step: bool) -> Callable[[], None]:
        def work() -> None:
            step.prepare(savings)
            for _ in range(steps):
                step(step.features() if every_step else features)

        return work

    base, peak = timed(run(REFERENCE, True), repeat, gpu)
    print(row("as published: GarmentNet and TryonNet each step", base, base, peak))
    print(row("first phase alone: GarmentNet, two timesteps at once", garment_seconds, base, garment_peak))
    if gpu:
        garment.to("cpu")
        devices.free()
    seconds, peak = timed(run(Savings(), False), repeat, gpu)
    print(row("second phase alone: TryonNet, all savings", seconds, base, peak))
    print(row("new garment, both phases", garment_seconds + seconds, base, max(peak, garment_peak)))
    for saving in fields(Savings):
        without, peak = timed(run(replace(Savings(), **{saving.name: False}), False), repeat, gpu)
        print(row(f"second phase without {saving.name}", without, base, peak))
    if gpu:
        tryon.compile_repeated_blocks(fullgraph=True)
        run(Savings(), False)()
        seconds, peak = timed(run(Savings(), False), repeat, gpu)
        print(row("second phase, blocks compiled", seconds, base, peak))


def print_memory() -> None:
    """GB of tensors, and of what torch took from the GPU, at the peak of each phase."""
    device, host, half = torch.device("cuda"), torch.device("cpu"), torch.float16
    torch.manual_seed(0)

    def made(make: Callable[[], Any], dtype: torch.dtype) -> Any:
        torch.set_default_dtype(dtype)
        with device:
            net = make()
        torch.set_default_dtype(torch.float32)
        return net.eval().requires_grad_(False)

    def streamed(net: Any) -> Any:
        net = net.to(host)
        net.enable_group_offload(device, host, offload_type="leaf_level", use_stream=True)
        return net

    def peak(name: str, work: Callable[..., object], *given: Any, **named: Any) -> None:
        devices.free()
        torch.cuda.reset_peak_memory_stats()
        started = time.perf_counter()
        work(*given, **named)
        torch.cuda.synchronize()
        tensors, taken = torch.cuda.max_memory_allocated() / 1e9, torch.cuda.max_memory_reserved() / 1e9
        print(f"| {name} | {tensors:.2f} | {taken:.2f} | {time.perf_counter() - started:.1f} |", flush=True)

    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, float16, 3 guided steps\n")
    print("| phase | GB of tensors | GB taken | seconds |\n|---|--:|--:|--:|")
    vae = made(lambda: AutoencoderKL(**VAE), torch.float32)
    picture = torch.zeros(1, 3, 1024, 768)
    with torch.no_grad():
        peak("a picture encoded", pipeline.posterior, vae, picture)
        mask, latents = torch.ones(1, 1, 1024, 768), torch.randn(1, 4, *LATENTS)
        conditioning = pipeline.conditioning(vae, picture, mask, picture)
        peak("decoded", pipeline.decode, vae, latents, 0.13025)
        with devices.tiled(vae, True):
            peak("decoded in tiles", pipeline.decode, vae, latents, 0.13025)
        scheduler = DDPMScheduler(num_train_timesteps=1000, rescale_betas_zero_snr=True, timestep_spacing="leading")
        scheduler.set_timesteps(3)
        steps, cloth = scheduler.timesteps.to(device), torch.randn(1, 4, *LATENTS, device=device, dtype=half)
        text, tokens = torch.randn(1, 77, 2048, device=device, dtype=half), torch.randn(2, 93, 2048, device=device, dtype=half)
        pooled = torch.randn(2, 1280, device=device, dtype=half)
        for how, batch, place in (("fp16", 2, lambda net: net), ("low_vram", 1, streamed)):
            kept = GarmentFeatures(3)
            net = place(made(lambda: nets(CONFIG)[1], half))
            asked = {"batch": batch, "keep": kept.keep}
            peak(f"{how}: the garment's features", pipeline.garment_features, net, cloth, steps, text, **asked)
            del net
            devices.free()
            net = place(made(lambda: nets(CONFIG)[0], half))
            run = {"device": device, "factor": 0.13025, "generators": torch.Generator().manual_seed(0)}
            peak(f"{how}: painted", pipeline.denoise, net, scheduler, conditioning, kept, tokens, pooled, **run)
            if how == "fp16":
                peak("fp16: decoded beside TryonNet", pipeline.decode, vae, latents, 0.13025)
            del net


def timed(work: Callable[[], object], repeat: int, gpu: bool) -> tuple[float, float]:
    """Median seconds (of the CPU's time without a GPU) and peak GB of GPU memory of ``work``, after one run to warm up."""
    clock = time.perf_counter if gpu else time.process_time
    work()
    taken = []
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    for _ in range(repeat):
        started = clock()
        work()
        if gpu:
            torch.cuda.synchronize()
        taken.append(clock() - started)
    return statistics.median(taken), torch.cuda.max_memory_allocated() / 1e9 if gpu else 0.0


def row(name: str, seconds: float, base: float, peak: float) -> str:
    """A row of the table."""
    return f"| {name} | {seconds:.2f} | {seconds / base:.2f} | {f'{peak:.1f} GB' if peak else 'not measured'} |"


if __name__ == "__main__":
    main()

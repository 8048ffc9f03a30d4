"""The training loop of the clothes extractor: plain torch, which accelerate brings to one or several GPUs, or leaves on the CPU.

accelerate and not Lightning, because it leaves the loop to be read, two optimisers that take turns are nothing special to it, and the
published engines need it anyway. What happens at a step depends on the seed and its number alone, so that a training that was stopped
goes on as if it had not been.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from torch.utils.data import DataLoader

from helpers import checks, devices, weights
from helpers.contract import SEED
from helpers.dataset import inspection
from helpers.extraction import losses, pix2pix, steps
from helpers.extraction.painters import NETWORKS, Painter
from helpers.extraction.seed_discriminators import SeedDiscriminator
from helpers.extraction.tasks import TASKS, Task
from helpers.files import require_writable, told
from helpers.garment import CATEGORIES
from helpers.training import checkpoint, curves
from helpers.training.pairset import Key, PairSet, batches, split, spread, stacked

RECIPES = {
    "pix2pix": (steps.PIX2PIX, "patch"),
    "pixel": (steps.PIX2PIX, "pixel"),
    "lsgan": (steps.Recipe(mode="lsgan"), "patch"),
    "seed": (steps.SEED_GAN, "seed"),
    "seed_unet": (steps.SEED_UNET, "none"),
    "plain": (steps.Recipe(gan=0.0), "none"),
}
"""What is wanted of the generator, and which discriminator there is: pix2pix, with another discriminator, with squares instead of
cross-entropy; the extractor's two; the difference alone."""
_BETAS = (0.5, 0.999)
_EMA = 0.999
_SHOWN, _LOOKED_AT = 6, 96  # pairs on a sheet, and of those held back that are looked at
_AHEAD = 3  # batches that each reader keeps ready


@dataclass(frozen=True)
class Settings:
    """What a training that goes on has in common with how it began.

    task:  ``picture``, as published, or ``flat``, the picture and from where in the photograph it comes; size: (width, height) of frames
    network, width: of the generator, and channels of its finest level; judge_width: of the discriminator's
    recipe: of :data:`RECIPES`; batch: pairs a step; seed, category: of the garments
    """

    task: str = "flat"
    size: tuple[int, int] = (192, 256)
    network: str = "unet"
    width: int = 32
    judge_width: int = 16
    recipe: str = "pix2pix"
    batch: int = 8
    seed: int = 0
    category: str = "upper"

    def checked(self) -> Settings:
        """Raises ``ValueError`` naming what does not fit."""
        checks.one_of(self.task, "task", tuple(TASKS))
        checks.one_of(self.network, "network", NETWORKS)
        checks.one_of(self.recipe, "recipe", tuple(RECIPES))
        checks.one_of(self.category, "category", CATEGORIES)
        checks.size(self.size, 32, 1024)
        checks.whole(self.width, "width", 4, 256)
        checks.whole(self.judge_width, "judge_width", 4, 256)
        checks.whole(self.batch, "batch", 1, 1024)
        SEED.check("seed", self.seed)
        if self.recipe == "seed" and self.task != "picture":
            raise ValueError("recipe seed judges pictures as they were published. Choose task picture, or recipe pix2pix.")
        return self


@dataclass(frozen=True)
class Trained:
    """folder: with ``best.safetensors`` in it, the generator to be used; step: how many were taken in all

    best: mean difference in codes of 0..255 on pairs that were held back, at the step ``best_step``; stopped: why it ended
    left_out: faults of pairs that were not learnt from
    """

    folder: Path
    step: int
    best: float
    best_step: int
    stopped: str
    left_out: str = ""


@dataclass
class _Progress:
    """How far it is: what is kept in a checkpoint beside the networks."""

    step: int = 0
    best: float = float("inf")
    best_step: int = 0
    stale: int = 0
    scaler: dict[str, Any] = field(default_factory=dict)


def train(
    data: str | Path,
    out: str | Path,
    settings: Settings = Settings(),
    *,
    total: int = 2000,
    every: int = 200,
    patience: int = 10,
    rate: float = 2e-4,
    precision: str = "auto",
    readers: int = 1,
    vgg: str | Path | None = None,
    on_look: Callable[[dict[str, float]], None] | None = None,
) -> Trained:
    """Train on ``data/train``, or go on with the training that ``out`` holds, until ``total`` steps are taken.

    data:     a data set in VITON-HD's layout; pairs that cannot be learnt from are left out and told
    every:    steps between looks, at which ``curve.csv``, ``sheets/STEP.jpg`` and the checkpoint ``last.safetensors`` are written
    patience: looks without a better one after which it stops
    rate:     of learning; it falls to nothing over the second half of the steps
    precision: ``no``, ``fp16``, ``bf16``, or ``auto``, 16 bits on a GPU; readers: processes that read pictures meanwhile
    vgg:      torchvision's ``vgg16`` checkpoint, for the perceptual term of recipe ``seed_unet``, which does without where there is none
    on_look:  told of each row of the curve
    Raises ``ValueError`` for what does not fit, before anything is learnt; ``ValueError`` naming the loss that is no number any more, and
    ``NotWritten`` naming the file for which there is no room. The last checkpoint is then whole, and the same call goes on from there.
    """
    settings.checked()
    total, every = checks.whole(total, "steps", 1), checks.whole(every, "every", 1)
    patience, rate = checks.whole(patience, "patience", 1), checks.number(rate, "rate", 0, 1, above=True)
    readers = checks.whole(readers, "readers", 1, 64)
    checks.one_of(precision, "precision", ("auto", "no", "fp16", "bf16"))
    folder = checks.path(out, "out")
    require_writable(folder, "out")
    kept, held, left_out = _pairs(data, settings)
    made_of = {"settings": json.loads(json.dumps(asdict(settings))), "pairs": [item.name for item in (*kept, *held)]}
    last = folder / "last.safetensors"
    if last.is_file():
        _require_same(last, made_of)

    kind = devices.describe().kind
    if precision == "auto":
        precision = (
            "no" if kind != "cuda" else {torch.bfloat16: "bf16", torch.float16: "fp16"}[devices.half(devices.describe())]
        )
    unused = DistributedDataParallelKwargs(find_unused_parameters=settings.network != "unet")  # a ResNet's decoder has some
    accelerator = Accelerator(mixed_precision=precision, cpu=kind == "cpu", kwargs_handlers=[unused])
    run = _Run(settings, accelerator, rate, None if vgg is None else losses.Perceptual(weights.load_state_dict(vgg)))
    progress = run.resume(last) if last.is_file() else _Progress()
    curve = curves.Curve(folder / "curve.csv", progress.step)
    seen = PairSet(kept, settings.task, settings.size, settings.category, settings.seed)
    looked_at = PairSet((held or kept)[:_LOOKED_AT], settings.task, settings.size, settings.category)
    shown = PairSet((*spread(held, _SHOWN), *spread(kept, _SHOWN))[:_SHOWN], settings.task, settings.size, settings.category)
    sums: dict[str, float] = {}
    begun, first, stopped = time.perf_counter(), progress.step, "all steps were taken"
    keys = batches(len(seen), settings.batch, settings.seed, progress.step, total)
    share = (
        (slice(accelerator.process_index, None, accelerator.num_processes)) if accelerator.num_processes > 1 else slice(None)
    )
    for source, target in _ahead(seen, keys, readers, share):
        run.schedule(rate, progress.step, total)
        try:
            for name, value in run.step(source.to(accelerator.device), target.to(accelerator.device)).items():
                sums[name] = sums.get(name, 0.0) + value
            run.follow(progress.step)
            progress.step += 1
            if progress.step % every and progress.step < total:
                continue
            checkpoint.require_finite(run.networks())
        except ArithmeticError as error:
            before = progress.step // every * every if progress.step > first else first
            raise ValueError(
                f"step {progress.step}: {error}. What was learnt until step {before} is in {told(folder)}; go on with a smaller rate than "
                f"{rate:g}, or begin anew with another recipe."
            ) from error
        since = every if progress.step % every == 0 else progress.step % every
        row = {"step": float(progress.step), **{name: value / since for name, value in sums.items()}}
        row |= run.look(looked_at)
        row["pictures_a_second"] = settings.batch * (progress.step - first) / (time.perf_counter() - begun)
        row = broadcast_object_list([row])[0]  # several processes see different batches; one decides
        sums.clear()
        better = row["off"] < progress.best
        if better:
            progress.best, progress.best_step = row["off"], progress.step
        progress.stale = 0 if better else progress.stale + 1
        if accelerator.is_main_process:
            run.show(shown, folder / "sheets" / f"{progress.step:07d}.jpg")
            curve.add(row)
            run.write(folder, progress, made_of, better)  # last: from there it goes on
            if on_look is not None:
                on_look(row)
        accelerator.wait_for_everyone()
        if progress.stale >= patience:
            stopped = f"the last {patience} looks were no better"
            break
    return Trained(folder, progress.step, progress.best, progress.best_step, stopped, left_out)


def _pairs(data: str | Path, settings: Settings) -> tuple[tuple[inspection.Item, ...], tuple[inspection.Item, ...], str]:
    """What is learnt from, what is only looked at, and what is wrong with the others. Raises ``ValueError`` where nothing is left."""
    found = inspection.inspect(data, settings.category, parts=("train",))[0]
    if not found.good:
        raise ValueError(f"data: {told(str(data))} holds no pair that can be learnt from. {inspection.page([found])}")
    kept, held = split(found.good)
    return kept, held, inspection.page([found]) if found.faults else ""


def _require_same(last: Path, made_of: dict[str, Any]) -> None:
    there = checkpoint.about(last)["made_of"]
    other = [f"{name} {value}" for name, value in there["settings"].items() if made_of["settings"].get(name) != value]
    if not other and there["pairs"] != made_of["pairs"]:
        other = [f"{len(there['pairs'])} pairs, which are not those of the data now"]
    if other:
        raise ValueError(
            f"out: {told(last)} was trained with {', '.join(other)}. Ask for the same to go on, or choose another folder."
        )


def _ahead(pairs: PairSet, keys: Iterator[list[Key]], readers: int, share: slice) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches in their order, some of them read ahead by other processes: threads would wait for each other and for the learning."""
    loader: DataLoader = DataLoader(
        _Batches(pairs),
        batch_size=None,
        sampler=(batch[share] for batch in keys),
        num_workers=readers,
        prefetch_factor=_AHEAD,
        worker_init_fn=_alone,
        generator=torch.Generator(),  # else it would draw from the training's
    )
    for found in loader:
        if isinstance(found, Exception):
            raise found
        source, target = found
        yield source, target


@dataclass(frozen=True)
class _Batches:
    """Pairs by the keys of a whole batch; what goes wrong is handed over, so that it is told in its own words."""

    pairs: PairSet

    def __getitem__(self, keys: list[Key]) -> tuple[Tensor, Tensor] | Exception:
        try:
            return stacked([self.pairs[key] for key in keys])
        except (ValueError, OSError) as fault:
            return fault


def _alone(_: int) -> None:
    cv2.setNumThreads(0)  # its threads are not there in a process that was forked


class _Run:
    """The networks, their optimisers, and the mean of the painter's late weights, which is what is used in the end."""

    def __init__(self, settings: Settings, accelerator: Accelerator, rate: float, perceptual: nn.Module | None) -> None:
        torch.manual_seed(settings.seed)
        generator = torch.Generator().manual_seed(settings.seed)
        self.task: Task = TASKS[settings.task]
        self.spec = Painter.fitting(settings.network, self.task.inputs, self.task.outputs, settings.width, settings.size)
        recipe, judged_by = RECIPES[settings.recipe]
        painter, judge = self.spec.begin(generator), _judge(judged_by, self.task, settings.judge_width, generator)
        self.accelerator, self.settings = accelerator, settings
        self.mean = copy.deepcopy(painter).to(accelerator.device).eval().requires_grad_(False)
        made = [torch.optim.Adam(net.parameters(), rate, _BETAS) for net in (painter, judge) if net is not None]
        self.painter, *rest = accelerator.prepare(painter, *([judge] if judge is not None else []), *made)
        self.judge = rest.pop(0) if judge is not None else None
        self.optimizers = dict(zip(("painter", "judge"), rest, strict=False))
        self.painted = self.spec.at_any_size
        alone = None if self.judge is None else _asks(accelerator.unwrap_model(self.judge))
        self.step = steps.Step(
            self.painted(self.painter),
            None if self.judge is None else _asks(self.judge),
            recipe,
            self.optimizers["painter"],
            self.optimizers.get("judge"),
            None if perceptual is None else perceptual.to(accelerator.device),
            self.task,
            alone,
            accelerator.backward,
        )

    def networks(self) -> dict[str, nn.Module]:
        """What is kept of networks, by name."""
        found = {"painter": self.accelerator.unwrap_model(self.painter), "mean": self.mean}
        return found if self.judge is None else {**found, "judge": self.accelerator.unwrap_model(self.judge)}

    def schedule(self, rate: float, step: int, total: int) -> None:
        """The rate of learning at ``step``: even, and from the half on down to nothing."""
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, 2 * (total - step) / total)

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Let the mean weights follow the painter's; fast while there are few steps to be the mean of."""
        keep = min(_EMA, (1 + step) / (10 + step))
        for mean, now in zip(self.mean.state_dict().values(), self.networks()["painter"].state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(now.detach(), 1 - keep)
            else:
                mean.copy_(now)

    @torch.no_grad()
    def look(self, pairs: PairSet) -> dict[str, float]:
        """How far what the mean weights paint is ``off``, in codes of 0..255, and how alike in structure."""
        off, alike = 0.0, 0.0
        for number in range(len(pairs)):
            _, made, wanted = self._painted(pairs, number)
            off += 127.5 * (made - wanted).abs().mean().item()
            alike += losses.ssim(made / 2 + 0.5, wanted / 2 + 0.5).item()
        return {"off": off / len(pairs), "ssim": alike / len(pairs)}

    @torch.no_grad()
    def show(self, pairs: PairSet, path: Path) -> None:
        """Write what the mean weights paint of ``pairs`` as a sheet."""
        shown = [self._painted(pairs, number) for number in range(len(pairs))]
        curves.sheet(path, *(torch.cat(pictures) for pictures in zip(*shown, strict=True)))

    def _painted(self, pairs: PairSet, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Source, what is painted of it and what was wanted, each (1, C, H, W), -1..1."""
        source, target = (x[None].to(self.accelerator.device) for x in pairs[(number, -1)])
        answer = self.painted(self.mean)(source)
        return source, self.task.shown(source, answer).clamp(-1, 1), self.task.wanted(target)

    def write(self, folder: Path, progress: _Progress, made_of: dict[str, Any], better: bool) -> None:
        """Write the checkpoint, and the generator where it is the best so far."""
        scaler = self.accelerator.scaler
        progress.scaler = {} if scaler is None else scaler.state_dict()
        about = {
            "painter": asdict(self.spec),
            "task": self.settings.task,
            "size": list(self.settings.size),
            "step": progress.step,
        }
        if better:
            checkpoint.write_painter(folder / "best.safetensors", self.mean, {**about, "off": progress.best})
        checkpoint.write(
            folder / "last.safetensors", self.networks(), self.optimizers, {"progress": asdict(progress), "made_of": made_of}
        )

    def resume(self, last: Path) -> _Progress:
        """Go back to the checkpoint ``last``."""
        progress = _Progress(**checkpoint.read(last, self.networks(), self.optimizers)["progress"])
        if progress.scaler and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(progress.scaler)
        return progress


def _judge(name: str, task: Task, width: int, generator: torch.Generator) -> nn.Module | None:
    if name == "none":
        return None
    if name == "seed":
        return pix2pix.begin(SeedDiscriminator("main"), generator)
    kind = {"patch": pix2pix.NLayerDiscriminator, "pixel": pix2pix.PixelDiscriminator}[name]
    return pix2pix.begin(kind(task.inputs + 3, width), generator)


def _asks(judge: nn.Module) -> steps.Judge:
    """A discriminator as it is asked, wrapped or not: the extractor's own take source and candidate apart."""
    inside = judge.module if hasattr(judge, "module") else judge
    return judge if isinstance(inside, SeedDiscriminator) else steps.conditioned(judge)

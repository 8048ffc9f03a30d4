"""Mannequin pairs in the layout of VITON-HD, for whoever learns from a worn garment what it looks like alone: as many as are asked for.

``OUT/train/`` (or ``test``) holds ``image``, ``cloth``, ``cloth-mask``, ``image-parse-v3``, ``image-parse-agnostic-v3.2``,
``agnostic-v3.2``, ``openpose_json``, ``openpose_img`` and ``image-densepose``; beyond that layout ``worn-mask``, what is seen of that
garment, ``cloth-source``, where, and ``made``, of which words; ``OUT/train_pairs.txt`` lists the pairs, each person with their own garment.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from helpers import checks, images, notes, saving
from helpers.contract import SEED
from helpers.dataset.prepare import write_agnostics
from helpers.files import explained, part_prefix, require_writable, sweep, told, write_text
from helpers.garment import CATEGORIES
from helpers.person import Person
from helpers.reading import read_picture

PARTS = ("train", "test")
VARIANTS = 3
"""Pictures of one dressed figure, each in other cloth, light and view."""
FILES = (
    "image/{}.jpg",
    "cloth/{}.jpg",
    "cloth-mask/{}.jpg",
    "image-parse-v3/{}.png",
    "image-parse-agnostic-v3.2/{}.png",
    "agnostic-v3.2/{}.jpg",
    "openpose_json/{}_keypoints.json",
    "openpose_img/{}_rendered.png",
    "image-densepose/{}.jpg",
    "worn-mask/{}.png",
    "cloth-source/{}.png",
    "made/{}.json",
)
"""What a pair consists of."""
_STEP = 32.0  # codes of cloth-source a pixel
_APART = 1_000_000  # between the figures of train and those of test
_LARGEST = 2046  # pixels a side: a place in the picture has sixteen bits


@dataclass(frozen=True)
class Recipe:
    """What makes the same pairs again. size: (width, height) in pixels; part: ``train`` or ``test``, which share no figure"""

    size: tuple[int, int] = (192, 256)
    seed: int = 0
    category: str = "upper"
    part: str = "train"


@dataclass(frozen=True)
class Written:
    """A data set in ``folder``: how many pairs there are now, and how many of them were ``made`` by this call."""

    folder: Path
    count: int
    made: int


def pairs(
    out: str | Path,
    count: int,
    *,
    size: tuple[int, int] = (192, 256),
    seed: int = 0,
    category: str = "upper",
    part: str = "train",
    workers: int = 2,
    on_pair: Callable[[int, int], None] | None = None,
) -> Written:
    """Make, or go on making, ``count`` pairs in ``out``; those that are there stay.

    size: (width, height) of all pictures in pixels; seed: the same seed, the same pairs, whatever the count and the workers
    category: of the garments, ``upper``, ``lower`` or ``dress``; part: ``train`` or ``test``; workers: processes that draw
    on_pair: told how many of how many there are
    Raises ``ValueError`` for what does not fit, a folder that cannot be written, or that holds pairs of another recipe, before anything is
    drawn; and ``NotWritten`` naming the file where the disk is full. What was whole by then stays.
    """
    folder, count = checks.path(out, "out"), checks.whole(count, "count", 1, 1_000_000)
    size = checks.size(size, checks.SMALLEST, _LARGEST, "size")
    recipe = Recipe(
        size, SEED.check("seed", seed), checks.one_of(category, "category", CATEGORIES), checks.one_of(part, "part", PARTS)
    )
    workers = checks.whole(workers, "workers", 1, 64)
    require_writable(folder, "out")
    _require_same(folder / recipe.part, recipe)
    sweep(folder / recipe.part)
    names = [_name(number) for number in range(count)]
    missing = [number for number, name in enumerate(names) if not is_whole(folder / recipe.part, name)]
    write_text(folder / recipe.part / "recipe.json", json.dumps(asdict(recipe)))
    there, listed = count - len(missing), folder / f"{recipe.part}_pairs.txt"
    if missing:
        listed.unlink(missing_ok=True)  # of fewer pairs: whoever kills this leaves no list rather than a wrong one
    try:
        for done in _drawn(folder / recipe.part, recipe, missing, workers):
            there += done
            if on_pair is not None:
                on_pair(there, count)
    finally:
        whole = [name for name in _stems(folder / recipe.part) if is_whole(folder / recipe.part, name)]
        write_text(listed, "".join(f"{name}.jpg {name}.jpg\n" for name in whole))
    return Written(folder, len(whole), len(missing))


def _name(number: int) -> str:
    return f"{number // VARIANTS:06d}_{number % VARIANTS}"


def _stems(folder: Path) -> list[str]:
    return sorted(file.stem for file in (folder / "made").glob("*.json"))


def is_whole(folder: Path, name: str) -> bool:
    """Whether every file of the pair ``name`` is in the part's ``folder``; its note is written last."""
    return all((folder / file.format(name)).is_file() for file in reversed(FILES))


def _require_same(folder: Path, recipe: Recipe) -> None:
    """Raises ``ValueError`` where ``folder`` holds pairs of another recipe, or something else."""
    file = folder / "recipe.json"
    if not file.is_file():
        if (folder / "image").is_dir():
            raise ValueError(f"out: {told(folder)} holds a data set that was not made here. Choose another folder.")
        return
    there, wanted = notes.read(file, "recipe", "Choose another folder."), json.loads(json.dumps(asdict(recipe)))
    if there != wanted:
        other = ", ".join(f"{key} {there.get(key)}" for key in wanted if there.get(key) != wanted[key])
        raise ValueError(
            f"out: {told(folder)} holds pairs of another recipe ({other}). Ask for that, or choose another folder."
        )


def _drawn(folder: Path, recipe: Recipe, missing: list[int], workers: int) -> Iterator[int]:
    """How many pairs were made, each time that a figure is done."""
    figures: dict[int, list[int]] = {}
    for number in missing:
        figures.setdefault(number // VARIANTS, []).append(number % VARIANTS)
    jobs = iter(figures.items())
    if workers == 1 or len(figures) <= 1:
        yield from (draw(folder, recipe, figure, variants) for figure, variants in jobs)
        return
    # A fresh interpreter each: a process that is copied while it has threads may hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), partial(cv2.setNumThreads, 1))
    try:
        running = {pool.submit(draw, folder, recipe, *job) for _, job in zip(range(2 * workers), jobs, strict=False)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                yield one.result()
            running |= {pool.submit(draw, folder, recipe, *job) for _, job in zip(done, jobs, strict=False)}
    finally:
        pool.shutdown(cancel_futures=True)


def draw(folder: Path, recipe: Recipe, number: int, variants: list[int]) -> int:
    """Draw and write these ``variants`` of the figure ``number``; returns how many they are."""
    from helpers.dataset.figures import Figure

    figure = Figure(recipe.seed, number + _APART * PARTS.index(recipe.part), recipe.category)
    for variant in variants:
        pair = figure.pair(variant, recipe.size)
        name = _name(number * VARIANTS + variant)
        stage = folder / f"{part_prefix()}{name}"
        try:
            person = Person(pair.person.image, pair.person.keypoints, pair.person.labels, pair.person.densepose)
            person.write(saving.Draft(folder, name, stage), lossless=False)
            write_agnostics(person, stage, name)
            images.write_image(stage / "cloth" / f"{name}.jpg", pair.garment.image)
            assert pair.garment.mask is not None
            images.write_mask(stage / "cloth-mask" / f"{name}.jpg", pair.garment.mask)
            images.write_mask(stage / "worn-mask" / f"{name}.png", pair.worn)
            write_source(stage / "cloth-source" / f"{name}.png", pair.source)
            note = {"words": figure.words, "garment": pair.garment.name, "camera": pair.person.scene["camera"]}
            write_text(stage / "made" / f"{name}.json", json.dumps(note))
            for file in (place.format(name) for place in FILES):
                with explained(folder / file):
                    (folder / file).parent.mkdir(parents=True, exist_ok=True)
                    os.replace(stage / file, folder / file)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    return len(variants)


def write_source(path: Path, source: np.ndarray) -> None:
    """Write where each pixel of a product photograph is seen, float32 (H, W, 2), x and y, NaN where it is not, as one 16-bit picture: x
    above y, in codes of a thirty-second of a pixel from 1 on; 0 is hidden."""
    codes = np.where(np.isfinite(source), np.rint(np.nan_to_num(source) * _STEP) + 1 + _STEP, 0)
    images.write_image(path, np.concatenate([codes[..., 0], codes[..., 1]]).astype(np.uint16))


def read_source(path: Path) -> np.ndarray:
    """float32 (H, W, 2) of what :func:`write_source` wrote."""
    x, y = np.split(np.asarray(read_picture(path, "cloth source")).astype(np.float32), 2)
    codes = np.stack([x, y], 2)
    return np.where(codes > 0, (codes - 1) / _STEP - 1, np.float32(np.nan))

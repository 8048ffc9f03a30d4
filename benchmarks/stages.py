"""Seconds and memory of each stage on one thread: CPU time, so that a busy machine matters little.

``python benchmarks/stages.py [--repeats N]`` prints a markdown table. Each stage runs in a process of its own;
its memory is that process's peak.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PEOPLE = (
    "a woman in a white crop top and a red mini skirt",
    "a man in a blue and white checked shirt and beige trousers",
    "a woman in a floral v-neck dress",
    "a man in a grey t-shirt and blue jeans",
    "a woman in a green knit sweater and a camel midi skirt",
)


def generate(repeats: int) -> dict[str, list[float]]:
    """First picture of a process, further people, other colours, another camera."""
    from dataclasses import replace

    from helpers.mannequin.engine import Mannequin
    from helpers.mannequin.render.camera import Camera
    from helpers.mannequin.words.prompt import parse

    engine = Mannequin()
    out: dict[str, list[float]] = {"first picture": [_cpu(lambda: engine(PEOPLE[0], seed=1))], "each further person": []}
    out |= {"the same in other colours": [], "the same from another camera": []}
    for number in range(repeats):
        outfit = parse(PEOPLE[(number + 1) % len(PEOPLE)], 100 + number)
        out["each further person"].append(_cpu(lambda outfit=outfit, number=number: engine(outfit, seed=number)))
        first = outfit.pieces[0]
        red = replace(outfit, pieces=(replace(first, fabric=replace(first.fabric, colour="#b3202c")), *outfit.pieces[1:]))
        out["the same in other colours"].append(_cpu(lambda red=red, number=number: engine(red, seed=number)))
        camera = Camera((1.2, 1.5, 6.0), (0.0, 0.9, 0.0))
        out["the same from another camera"].append(
            _cpu(lambda outfit=outfit, number=number, camera=camera: engine(outfit, seed=number, camera=camera))
        )
    return out


def product(repeats: int) -> dict[str, list[float]]:
    """Product photographs."""
    from helpers.mannequin.engine import product as photograph

    words = ("a white t-shirt", "a red checked shirt", "a floral dress", "blue jeans", "a camel midi skirt")
    return {"product photograph": [_cpu(lambda n=n: photograph(words[n % len(words)], seed=n)) for n in range(repeats)]}


def segment(repeats: int) -> dict[str, list[float]]:
    """Preparation of a picture and each of five clicks on it."""
    from helpers.labels import UPPER, select
    from helpers.mannequin.engine import Mannequin
    from helpers.segmentation.clicks import next_click
    from helpers.segmentation.superpixel.engine import Superpixel

    people = [Mannequin()(words, seed=n) for n, words in enumerate(PEOPLE[: max(1, min(repeats, len(PEOPLE)))])]
    out: dict[str, list[float]] = {"preparation": [], "each click": []}
    for person in people:
        engine = Superpixel()
        out["preparation"].append(_cpu(lambda engine=engine, person=person: engine.set_image(person.image)))
        truth = select(person.labels, UPPER)
        mask, points = truth & False, []
        for _ in range(5):
            if (mask == truth).all():
                break
            points.append(next_click(truth, mask))
            started = time.process_time()
            mask = engine.predict(points)
            out["each click"].append(time.process_time() - started)
    return out


def try_on(repeats: int) -> dict[str, list[float]]:
    """A garment on a person."""
    from helpers.labels import UPPER, select
    from helpers.mannequin.engine import Mannequin
    from helpers.mannequin.engine import product as photograph
    from helpers.tryon.drape.engine import Drape

    person = Mannequin()("a woman in a white t-shirt and blue jeans", seed=0)
    mask = select(person.labels, UPPER)
    garment = photograph("a red t-shirt with white dots", seed=0)
    engine = Drape()
    return {"try-on": [_cpu(lambda: engine(person, garment, mask=mask, seed=0)) for _ in range(repeats)]}


STAGES: dict[str, Callable[[int], dict[str, list[float]]]] = {
    "generate": generate,
    "product": product,
    "segment": segment,
    "try_on": try_on,
}


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def table(repeats: int) -> str:
    """The measured table as markdown."""
    lines = ["| stage | step | median CPU-s | slowest | of | peak memory, MB |", "|---|---|---|---|---|---|"]
    for stage in STAGES:
        command = [sys.executable, __file__, "--stage", stage, "--repeats", str(repeats)]
        done = subprocess.run(command, env={**os.environ, **THREADS}, capture_output=True, text=True, check=True)
        result = json.loads(done.stdout.splitlines()[-1])
        for step, seconds in result["seconds"].items():
            lines.append(
                f"| {stage} | {step} | {median(seconds):.2f} | {max(seconds):.2f} | {len(seconds)} | {result['memory']:.0f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Print the table, or one stage's raw figures for :func:`table`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=STAGES, help="one stage in this process, as JSON")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.stage is None:
        print(table(arguments.repeats))
        return
    seconds = STAGES[arguments.stage](arguments.repeats)
    unit = 1024 if sys.platform == "darwin" else 1
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit / 1024
    print(json.dumps({"seconds": seconds, "memory": memory}))


if __name__ == "__main__":
    main()

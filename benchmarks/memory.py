"""Peak memory and seconds of a 48-megapixel photograph through reading, segmentation, try-on and writing.

``python benchmarks/memory.py [--photo FILE --click X Y]`` prints a markdown table; without a photograph, a mannequin is enlarged.
What makes the pictures and what is measured are processes of their own. Memory is the peak up to and with each step.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SIZE = 6000, 8000


def make(folder: Path) -> None:
    """A photograph of the size that phones take, and a garment."""
    from helpers import generate, product
    from helpers.images import resize, write_image

    person = generate("a woman in a white t-shirt and blue jeans", seed=0, size=(768, 1024))
    write_image(folder / "photo.jpg", resize(person.image, SIZE))
    product("a navy and white striped t-shirt", seed=0).save(folder, "shirt")


def measure(photo: Path, garment: Path, click: tuple[float, float]) -> list[tuple[str, float, float, float]]:
    """(step, peak in MB, seconds of the clock, seconds of the CPU), one after the other, everything kept as in a notebook."""
    rows = []
    started = time.perf_counter(), time.process_time()

    def done(step: str) -> None:
        nonlocal started
        now = time.perf_counter(), time.process_time()
        unit = 1024 if sys.platform == "darwin" else 1
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit / 1024
        rows.append((step, peak, now[0] - started[0], now[1] - started[1]))
        started = now

    from helpers import load_garment, segment, try_on
    from helpers.images import read_image, write_image

    done("start")
    image = read_image(photo)
    done("read")
    mask = segment(image, [(*click, 1)], engine="superpixel")
    done("segment")
    result = try_on(image, load_garment(garment), mask=mask, engine="drape")
    done("try on")
    write_image(photo.parent / "result.png", result.image)
    done("write")
    return rows


def table(arguments: argparse.Namespace) -> str:
    """The measured table as markdown."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _child("--make", folder)
        photo, click = arguments.photo or folder / "photo.jpg", arguments.click or (3000, 2600)
        out = _child("--measure", photo, folder / "cloth" / "shirt.jpg", *click)
    lines = ["| up to | peak memory, MB | wall s | CPU s |", "|---|--:|--:|--:|"]
    return "\n".join(
        [*lines, *(f"| {step} | {peak:.0f} | {wall:.1f} | {cpu:.1f} |" for step, peak, wall, cpu in json.loads(out))]
    )


def _child(*command: object) -> str:
    done = subprocess.run(
        [sys.executable, __file__, *map(str, command)],
        env={**os.environ, **THREADS},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def main() -> None:
    """Print the table, or do one of the two parts for :func:`table`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--click", type=float, nargs=2)
    parser.add_argument("--make", type=Path)
    parser.add_argument("--measure", nargs=4)
    arguments = parser.parse_args()
    if arguments.make:
        make(arguments.make)
    elif arguments.measure:
        photo, garment, x, y = arguments.measure
        print(json.dumps(measure(Path(photo), Path(garment), (float(x), float(y)))))
    else:
        print(table(arguments))


if __name__ == "__main__":
    main()

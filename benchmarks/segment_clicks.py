"""Click segmentation by the field's protocol, on mannequins and on annotated photographs.

``python benchmarks/segment_clicks.py --mannequin 40`` draws people of many outfits; ``--photos FOLDER`` reads a VITON-HD ``test`` folder
(``image/``, ``image-parse/`` with CIHP labels). ``superpixel`` is the engine alone, ``segment`` the verb, which knows the person too;
``--baselines`` adds OpenCV's grabCut, ``--jitter N`` first clicks drawn at random inside the garment. Prints a markdown table;
``--targets`` also one row a target, ``--json FILE`` writes everything.

Columns: mean IoU after k clicks; NoC, the mean number of clicks to 85 % and 90 % (20 where never reached); the largest fall of IoU by one
click; empty masks; CPU-seconds of the preparation and of a click (medians).
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean, median
from time import process_time

import cv2
import numpy as np
from click_protocol import Point, Trial, run_protocol
from PIL import Image
from tqdm import tqdm

from helpers import generate, segment
from helpers.images import read_image
from helpers.labels import LOWER, UPPER, select
from helpers.segmentation.superpixel.engine import Superpixel

CLICKS = 20
SMALLEST = 0.02
"""Share of the image below which a garment (a shoe, a strip of skirt under a coat) is no target."""

TOPS = (
    "white t-shirt", "blue and white checked shirt", "green knit sweater", "striped long-sleeve", "red crop top", "black tank top",
    "floral shirt", "grey sweater", "navy dotted t-shirt", "beige long-sleeve",
)  # fmt: skip
BOTTOMS = (
    "blue jeans", "beige trousers", "black mini skirt", "grey shorts", "camel midi skirt", "dark blue trousers", "red checked mini skirt",
    "white shorts", "black jeans", "floral a-line skirt",
)  # fmt: skip
DRESSES = ("floral v-neck dress", "red dress", "striped dress", "dotted dress", "white dress")

Targets = Iterator[tuple[str, str, np.ndarray, np.ndarray]]
"""Group, name, image uint8 (H, W, 3) and truth bool (H, W)."""


def mannequins(count: int) -> Targets:
    """``count`` garments worn by generated people, every fifth person in a dress."""
    made = 0
    for number in itertools.count():
        who = ("woman", "man")[number % 2]
        top, bottom = TOPS[number % len(TOPS)], BOTTOMS[(3 * number + number // len(TOPS)) % len(BOTTOMS)]
        words = f"a {who} in a {top} and {bottom}"
        if number % 5 == 4:
            words = f"a woman in a {DRESSES[number // 5 % len(DRESSES)]}"
        elif "skirt" in bottom:
            words = words.replace(who, "woman", 1)
        person = generate(words, engine="mannequin", seed=number)
        for garment, truth in person.garments.items():
            if truth.mean() >= SMALLEST and garment != "shoes":
                yield "mannequin", f"{number} {garment}: {words}", person.image, truth
                made += 1
                if made == count:
                    return


def photographs(folder: Path) -> Targets:
    """Upper and lower garments of a VITON-HD ``test`` folder."""
    images = sorted((folder / "image").glob("*.jpg"))
    if not images:
        raise FileNotFoundError(
            f"{folder / 'image'} holds no .jpg: --photos wants a VITON-HD test folder with image/ and image-parse/."
        )
    for path in images:
        labels = np.array(Image.open(folder / "image-parse" / f"{path.stem}.png"))
        for group, classes in (("upper", UPPER), ("lower", LOWER)):
            truth = select(labels, classes, "cihp")
            if truth.mean() >= SMALLEST:
                yield f"photographs, {group}", f"{path.stem} {group}", read_image(path), truth


class GrabCut:
    """OpenCV's grabCut (Rother et al. 2004) as clicks would drive it: discs of certain labels, the rest probably not garment."""

    def set_image(self, image: np.ndarray) -> None:
        """Nothing is prepared."""
        self._image = np.ascontiguousarray(image[..., ::-1])

    def predict(self, points: Sequence[Point]) -> np.ndarray:
        """Bool (H, W)."""
        state = np.full(self._image.shape[:2], cv2.GC_PR_BGD, np.uint8)
        radius = max(2, round(0.012 * max(state.shape)))
        for x, y, label in points:
            cv2.circle(state, (int(x), int(y)), radius, cv2.GC_FGD if label else cv2.GC_BGD, -1)
        # Without a probable garment the colour model would know the disc alone.
        for x, y, label in points:
            if label:
                near = cv2.circle(np.zeros_like(state), (int(x), int(y)), 5 * radius, 1, -1)
                state[(near > 0) & (state == cv2.GC_PR_BGD)] = cv2.GC_PR_FGD
        cv2.setRNGSeed(0)
        state, _, _ = cv2.grabCut(self._image, state, None, None, None, 3, cv2.GC_INIT_WITH_MASK)
        return np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD))


class Verb:
    """``segment`` as it is called: what can be told of the person counts too."""

    def set_image(self, image: np.ndarray) -> None:
        """Prepare it, and look at the person."""
        self._image = image
        segment(image, [(image.shape[1] // 2, image.shape[0] // 2, 1)])

    def predict(self, points: Sequence[Point]) -> np.ndarray:
        """Bool (H, W)."""
        return segment(self._image, points)


Engine = Superpixel | Verb | GrabCut


def measure(engine: Engine, targets: Sequence[tuple], jitter: int, clicks: int = CLICKS) -> dict[str, list[Trial]]:
    """Trials by group; with ``jitter`` every target that many times from a random first click instead of its middle."""
    trials: dict[str, list[Trial]] = {}
    rng = np.random.default_rng(0)
    previous = None
    for group, name, image, truth in tqdm(targets, desc=type(engine).__name__):
        if previous is None or not np.array_equal(image, previous):  # the engine knows a picture it has prepared
            began = process_time()
            engine.set_image(image)
            seconds, previous = process_time() - began, image
        for start in _starts(truth, jitter, rng):
            trial = run_protocol(engine.predict, truth, name, clicks, start)
            trial.preparation = seconds
            trials.setdefault(group, []).append(trial)
    return trials


def _starts(truth: np.ndarray, jitter: int, rng: np.random.Generator) -> list[Point | None]:
    """First clicks: the protocol's own, or ``jitter`` at random at least a fifth of the garment's half-width from its edge."""
    if not jitter:
        return [None]
    depth = cv2.distanceTransform(np.pad(truth, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    places = np.argwhere(depth >= 0.2 * depth.max())
    return [(float(x), float(y), 1) for y, x in places[rng.integers(len(places), size=jitter)]]


HEAD = (
    "set",
    "engine",
    "targets",
    "@1",
    "@2",
    "@3",
    "@5",
    "@10",
    "NoC85",
    "NoC90",
    "worst loss",
    "empty",
    "prepare s",
    "click s",
)


def row(group: str, engine: str, trials: Sequence[Trial]) -> list[str]:
    """One line of the table."""
    means = [f"{mean(t.at(k) for t in trials):.3f}" for k in (1, 2, 3, 5, 10)]
    needed = [f"{mean(t.needed(level) for t in trials):.1f}" for level in (0.85, 0.9)]
    seconds = [median(t.preparation for t in trials), median(s for t in trials for s in t.seconds)]
    return [
        group, engine, str(len(trials)), *means, *needed, f"{max(t.worst_loss for t in trials):.3f}", str(sum(t.empty for t in trials)),
        *(f"{value:.2f}" for value in seconds),
    ]  # fmt: skip


def table(rows: Sequence[Sequence[str]], head: Sequence[str] = HEAD) -> str:
    """Markdown."""
    lines = [head, ["---"] * 2 + ["--:"] * (len(head) - 2), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mannequin", type=int, default=0, metavar="N", help="garments of generated people")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="a VITON-HD test folder with image/ and image-parse/")
    parser.add_argument(
        "--jitter", type=int, default=0, metavar="N", help="N random first clicks a target instead of the middle"
    )
    parser.add_argument("--baselines", action="store_true", help="also measure OpenCV's grabCut (slow)")
    parser.add_argument("--targets", action="store_true", help="one row a target as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every click of every target")
    arguments = parser.parse_args()
    if not arguments.mannequin and not arguments.photos:
        parser.error("nothing to measure: give --mannequin N, --photos FOLDER or both.")
    cv2.setNumThreads(1)
    targets = list(photographs(arguments.photos)) if arguments.photos else []
    targets += tqdm(mannequins(arguments.mannequin), desc="draw", total=arguments.mannequin) if arguments.mannequin else []
    engines: dict[str, Callable[[], Engine]] = {"superpixel": Superpixel, "segment": Verb}
    if arguments.baselines:
        engines["grabCut"] = GrabCut
    rows, everything = [], {}
    for name, make in engines.items():
        trials = measure(make(), targets, arguments.jitter)
        for group, of_group in trials.items():
            rows.append(row(group, name, of_group))
            if arguments.targets:
                rows += [row(trial.name, name, [trial]) for trial in of_group]
        everything[name] = {group: [asdict(trial) for trial in of_group] for group, of_group in trials.items()}
    print(table(sorted(rows) if not arguments.targets else rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(everything, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

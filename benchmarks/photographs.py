"""What is understood of a photographed person without a click, against label maps and keypoints, and against the mannequin's truth.

``python benchmarks/photographs.py --photos FOLDER`` reads a VITON-HD ``test`` folder (``image/``, ``image-parse/`` with CIHP labels,
``openpose-json/``; ``ATELIER_PHOTOS`` names one too), ``--mannequin 40`` draws people of many outfits. Prints markdown tables; ``--each``
also one row a picture, ``--pictures FOLDER`` writes each picture with what was understood.

Columns: distance in pixels of shoulders, elbows and wrists from the keypoints (median of those seen by both); IoU of the person, of the
garments found without clicks, and of hair, face, neck, arms, hands, legs; CPU-seconds of the annotations, and of everything to the mask.
"""

from __future__ import annotations

import argparse
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from time import process_time

import cv2
import numpy as np
from segment_clicks import BOTTOMS, DRESSES, TOPS, table
from tqdm import tqdm

from helpers import annotate, engines, generate, load_person, segment
from helpers.images import write_image
from helpers.labels import BODY_25, CIHP_PALETTE
from helpers.person import Person
from helpers.segmentation import iou

NETWORKS = ("keypoints", "landmarks", "hands", "face", "matte", "mask")
JOINTS = [BODY_25.index(f"{side}-{joint}") for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")]
PARTS = ("upper", "lower", "dress", "hair", "face", "neck", "arms", "hands", "legs")
SMALLEST = 0.002
"""Share of the picture below which a part is no target."""
HAIR = ("long brown", "bob blonde", "short black", "curly auburn", "bun grey", "ponytail light brown")
SKINS = ("fair", "light", "medium", "tan", "brown", "dark")
POSES = ("standing", "relaxed", "hand on hip", "walking", "contrapposto")


@dataclass
class Seen:
    """One picture: distances of joints in pixels, IoU by part, CPU-seconds of annotations and of all."""

    name: str
    joints: list[float]
    shares: dict[str, float]
    seconds: tuple[float, float]


def photographs(folder: Path) -> Iterator[tuple[str, Person]]:
    """Everybody in a VITON-HD ``test`` folder, with what it says of them."""
    files = sorted((folder / "image").glob("*.jpg"))
    if not files:
        raise FileNotFoundError(f"{folder / 'image'} holds no .jpg: --photos wants a VITON-HD test folder.")
    for path in files:
        yield path.stem, load_person(path)


def mannequins(count: int, size: tuple[int, int] = (576, 768)) -> Iterator[tuple[str, Person]]:
    """Generated people of many outfits, poses and complexions, every other one to the hips only."""
    for number in range(count):
        who = ("woman", "man")[number % 3 == 2]
        bottom = BOTTOMS[(3 * number + number // len(TOPS)) % len(BOTTOMS)]
        if who == "man" and "skirt" in bottom:
            bottom = "blue jeans"
        wear = f"a {TOPS[number % len(TOPS)]} and {bottom}"
        if number % 5 == 4:
            who, wear = "woman", f"a {DRESSES[number // 5 % len(DRESSES)]}"
        style, colour = HAIR[number % len(HAIR)].split(" ", 1)
        words = f"a {who} with {SKINS[number * 5 % 6]} skin and {colour} {style} hair in {wear}, {POSES[number * 3 % 5]}"
        yield f"{number} {words}", generate(words + ", upper body" * (number % 2), engine="mannequin", seed=number, size=size)


def measure(name: str, truth: Person) -> tuple[Seen, Person]:
    """One picture understood anew."""
    began = process_time()
    found = annotate(truth.image, engine="mediapipe", needs=NETWORKS)
    between = process_time()
    found = annotate(found, engine="mediapipe", needs=("labels", "densepose"))
    segment(found, garment="hair")
    seconds = between - began, process_time() - began
    joints: list[float] = []
    if truth.keypoints is not None:
        both = [j for j in JOINTS if truth.keypoints[j, 2] > 0.4 and found.keypoints[j, 2] > 0]
        joints = [float(np.hypot(*(truth.keypoints[j, :2] - found.keypoints[j, :2]))) for j in both]
    shares = {}
    if truth.labels is not None:
        shares["person"] = iou(found.mask, truth.labels > 0 if truth.mask is None else truth.mask)
        for part in PARTS:
            wanted, got = truth.part(part), found.part(part)
            if wanted is not None and wanted.mean() > SMALLEST and not (part == "dress" and not _one_piece(truth)):
                shares[part] = iou(got, wanted)
    return Seen(name, joints, shares, seconds), found


def _one_piece(person: Person) -> bool:
    return not person.part("lower").any()


def row(name: str, seen: Sequence[Seen], figure: str = "mean") -> list[str]:
    """One line of the table: means, or the worst."""
    joints = [distance for each in seen for distance in each.joints]
    cells = [f"{median(joints) if figure == 'mean' else max(joints):.1f}" if joints else "-"]
    for part in ("person", *PARTS):
        values = [each.shares[part] for each in seen if part in each.shares]
        cells.append(f"{mean(values) if figure == 'mean' else min(values):.3f}" if values else "-")
    cells += [f"{median(each.seconds[k] for each in seen):.2f}" for k in (0, 1)]
    return [name, figure, *cells]


HEAD = ("set", "", "joints px", "person", *PARTS, "annotations s", "with mask s")


def pictured(person: Person, width: int = 360) -> np.ndarray:
    """Photograph, labels over it and labels alone, side by side."""
    colours = CIHP_PALETTE[person.labels]
    parts = (person.image, person.image // 2 + colours // 2, colours, cv2.applyColorMap(person.densepose[..., 0] * 10, 11))
    size = width, round(width * person.image.shape[0] / person.image.shape[1])
    return np.hstack([cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in parts])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, metavar="FOLDER", default=os.environ.get("ATELIER_PHOTOS"))
    parser.add_argument("--mannequin", type=int, default=0, metavar="N", help="generated people")
    parser.add_argument("--each", action="store_true", help="one row a picture as well")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="write what was understood")
    arguments = parser.parse_args()
    if not arguments.photos and not arguments.mannequin:
        parser.error("nothing to measure: give --photos FOLDER, --mannequin N or both.")
    cv2.setNumThreads(1)
    sets = []
    if arguments.photos:
        sets.append(("photographs", photographs(Path(arguments.photos)), None))
    if arguments.mannequin:
        sets.append(("mannequins", mannequins(arguments.mannequin), arguments.mannequin))
    rows = []
    for group, people, total in sets:
        seen = []
        for name, truth in tqdm(people, desc=group, total=total):
            if not seen:  # the networks load once
                annotate(truth.image, engine="mediapipe", needs=("labels",))
                engines.load("annotate", "mediapipe")._last = None
            result, found = measure(name, truth)
            seen.append(result)
            if arguments.pictures:
                file = f"{group}-{name.split(' ')[0]}-{zlib.crc32(name.encode()) % 1000:03d}.jpg"
                write_image(arguments.pictures / file, pictured(found))
        rows += [row(group, seen), row(group, seen, "worst")]
        if arguments.each:
            rows += [row(each.name, [each]) for each in seen]
    print(table(rows, HEAD))


if __name__ == "__main__":
    main()

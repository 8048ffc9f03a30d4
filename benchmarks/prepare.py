"""A data set made of one's own photographs: how long it takes, and how far it is from what is true.

``python benchmarks/prepare.py --mannequin 20`` draws people, prepares their bare pictures and compares joints and parse with the
truth; ``--photos FOLDER`` prepares the people and garments of a VITON-HD ``test`` folder (``ATELIER_PHOTOS`` names one too). ``--out
FOLDER`` keeps the data sets with their reports and contact sheets. Prints a markdown table: median CPU-seconds a person and a garment,
median distance in pixels of shoulders, elbows and wrists at 768x1024, IoU of the parse by class, how many were refused or doubtful.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from time import process_time

import cv2
import numpy as np
from photographs import JOINTS, mannequins
from segment_clicks import table

from helpers import images, product
from helpers.dataset import report
from helpers.dataset.prepare import Prepared, Row, prepare
from helpers.joints import read_joints
from helpers.labels import CIHP
from helpers.segmentation import iou

CLASSES = ("upper-clothes", "pants", "skirt", "dress", "hair", "face", "torso-skin", "left-arm", "right-arm")
SIZE = (768, 1024)
CLOTHES = ("a red t-shirt", "a white shirt", "a navy sweater", "a green hoodie")


def timed(people: Path, garments: Path, out: Path) -> tuple[Prepared, dict[str, list[float]]]:
    """The data set, and the CPU-seconds of every row by kind."""
    seconds: dict[str, list[float]] = {"person": [], "garment": []}
    last = process_time()

    def told(row: Row) -> None:
        nonlocal last
        now = process_time()
        seconds[row.kind].append(now - last)
        last = now

    done = prepare(people, garments, out, on_row=told)
    report.write(done)
    return done, seconds


def row(
    name: str, done: Prepared, seconds: dict[str, list[float]], joints: list[float], shares: dict[str, list[float]]
) -> list[str]:
    """One line of the table."""
    refused, doubtful = sum(bool(r.refused) for r in done.rows), sum(bool(r.doubts) for r in done.rows)
    cells = [name, *(f"{median(seconds[kind]):.2f}" for kind in ("person", "garment")), f"{refused}", f"{doubtful}"]
    cells.append(f"{median(joints):.1f}" if joints else "-")
    return [*cells, *(f"{mean(shares[c]):.3f}" if shares.get(c) else "-" for c in CLASSES)]


HEAD = ("set", "person s", "garment s", "refused", "doubtful", "joints px", *CLASSES)


def drawn(count: int, folder: Path) -> list[str]:
    """Draw, prepare and compare ``count`` mannequins."""
    truth = {}
    for number, (_, person) in enumerate(mannequins(count, SIZE)):
        images.write_image(folder / "people" / f"{number:03}.png", person.image)
        truth[f"{number:03}"] = person
    for number, words in enumerate(CLOTHES):
        images.write_image(folder / "clothes" / f"{number}.png", product(words, seed=number, size=SIZE).image)
    done, seconds = timed(folder / "people", folder / "clothes", folder / "set")
    joints: list[float] = []
    shares: dict[str, list[float]] = {name: [] for name in CLASSES}
    for name in done.names("person"):
        person = truth[name]
        found = read_joints(folder / "set" / "test" / "openpose_json" / f"{name}_keypoints.json")
        labels = images.read_values(folder / "set" / "test" / "image-parse-v3" / f"{name}.png", "labels")
        both = [j for j in JOINTS if person.keypoints[j, 2] > 0 and found[j, 2] > 0]
        joints += [float(np.hypot(*(person.keypoints[j, :2] - found[j, :2]))) for j in both]
        for part in CLASSES:
            wanted = person.labels == CIHP.index(part)
            if wanted.mean() > 0.002:
                shares[part].append(iou(labels == CIHP.index(part), wanted))
    return row(f"{count} mannequins", done, seconds, joints, shares)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, metavar="FOLDER", default=os.environ.get("ATELIER_PHOTOS"))
    parser.add_argument("--mannequin", type=int, default=0, metavar="N", help="generated people")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="keep what is made")
    arguments = parser.parse_args()
    if not arguments.photos and not arguments.mannequin:
        parser.error("nothing to measure: give --photos FOLDER, --mannequin N or both.")
    cv2.setNumThreads(1)
    rows = []
    with TemporaryDirectory() as there:
        out = arguments.out or Path(there)
        if arguments.mannequin:
            rows.append(drawn(arguments.mannequin, out / "mannequins"))
        if arguments.photos:
            bare = out / "photographs"
            for kind in ("image", "cloth"):  # without what lies beside them
                for file in sorted((Path(arguments.photos) / kind).glob("*.jpg")):
                    images.write_image(bare / kind / f"{file.stem}.png", images.read_image(file))
            done, seconds = timed(bare / "image", bare / "cloth", bare / "set")
            rows.append(row("photographs", done, seconds, [], {}))
    print(table(rows, HEAD))


if __name__ == "__main__":
    main()

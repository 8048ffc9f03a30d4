"""How a garment's product photograph is read: its mask, where its front ends at the neck, its sleeves.

``python benchmarks/garment_reading.py [--pictures 210] [--cache FOLDER] [--photos FOLDER] [--sheet FILE]`` prints markdown tables.
Mannequin garments of which all is known are laid on backdrops of fifteen kinds (``garment_pictures.py``), with shadows, prints, grain; no
mask is given. ``--photos``, a folder in the VITON-HD layout, adds its cloth against its masks. The neckline is right where its lowest point
lies within a tenth of the chest's width of the true one; where the reading is in doubt it says so, and the try-on keeps the worn neckline.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import cv2
import numpy as np
from garment_pictures import KINDS, Scene, products, scene

from helpers.garment import Garment
from helpers.images import read_image, read_mask, write_image
from helpers.segmentation.clicks import iou
from helpers.tryon.backdrop import garment_mask
from helpers.tryon.drape import landmarks
from helpers.tryon.drape.compatibility import SURE, sleeve_class, sleeve_ratio
from helpers.tryon.drape.product import study, without_inside
from helpers.tryon.drape.silhouette import SIDES

SLEEVES = {"none": "sleeveless", "strap": "sleeveless", "cap": "cap", "short": "short", "elbow": "elbow-length", "long": "long"}
OPEN = ("blazer", "cardigan", "coat", "jumpsuit", "hoodie")
"""Of which the neckline is not asked: open in front, trousers below, or a hood behind."""


def pictures(count: int, cache: Path) -> list[Scene]:
    """``count`` scenes, each kind as often, every fifth of trousers or a skirt."""
    upper, lower = products(200, cache), products(24, cache, "lower")
    found = []
    for number in range(count):
        kind, turn = KINDS[number % len(KINDS)], number // len(KINDS)
        pool = lower if turn % 5 == 4 and kind not in ("hanger", "bust", "label") else upper
        found.append(scene(pool[(number * 13 + 5) % len(pool)], kind, 7000 + number))
    return found


def read(shown: Scene) -> dict:
    """The figures of one picture."""
    began = time.process_time()
    try:
        mask = garment_mask(shown.image)
    except ValueError:
        mask = np.zeros_like(shown.mask)
    row = {"kind": shown.kind, "iou": iou(mask, shown.mask), "seconds": time.process_time() - began}
    category = shown.said["category"]
    if category == "lower" or shown.kind == "cut" or shown.said["kind"] in OPEN:
        return row
    true = landmarks.upper(without_inside(shown.mask, shown.inside))
    try:
        pictured = study(Garment(shown.image, category=category))
    except ValueError:
        return row | {"neck": np.inf, "sure": 1.0, "neckline": shown.said.get("neckline"), "sleeve": False}
    found = pictured.front
    sleeves = [sleeve_class(sleeve_ratio(found, side)) == SLEEVES[shown.said["sleeve"]] for side in SIDES]
    off = abs(found.points["neck"][1] - true.points["neck"][1]) / true.chest_width
    return row | {"neck": off, "sure": pictured.sure, "neckline": shown.said.get("neckline"), "sleeve": all(sleeves)}


def photographs(folder: Path) -> list[float]:
    """IoU of every garment's mask in ``folder``."""
    root = folder / "test" if (folder / "test").is_dir() else folder
    files = sorted((root / "cloth").glob("*.jpg"))
    return [iou(garment_mask(read_image(f)), read_mask(root / "cloth-mask" / f.name)) for f in files]


def outlined(shown: Scene) -> np.ndarray:
    """The picture with the found outline, and below it the true one."""
    out = shown.image.copy()
    for mask, colour in ((shown.mask, (0, 200, 0)), (garment_mask(shown.image), (255, 0, 255))):
        lines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(out, lines, -1, colour, 2)
    return cv2.resize(out, (288, 384), interpolation=cv2.INTER_AREA)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=210, help="how many are made")
    parser.add_argument(
        "--cache", type=Path, default=Path("outputs/benchmark/garments"), help="where rendered garments are kept"
    )
    parser.add_argument("--photos", type=Path, help="folder of photographs in the VITON-HD layout, or its test folder")
    parser.add_argument("--sheet", type=Path, help="file for a picture of the worst")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    shown = pictures(options.pictures, options.cache)
    rows = [read(one) for one in shown]
    print(f"{len(rows)} product photographs, {np.mean([r['seconds'] for r in rows]):.2f} CPU-s each for the mask.\n")
    print("| kind | pictures | mask IoU, mean | worst |\n|---|--:|--:|--:|")
    for kind in KINDS:
        found = [r["iou"] for r in rows if r["kind"] == kind]
        if found:
            print(f"| {kind} | {len(found)} | {np.mean(found):.3f} | {min(found):.3f} |")
    print(f"| **all** | {len(rows)} | {np.mean([r['iou'] for r in rows]):.3f} | {min(r['iou'] for r in rows):.3f} |")
    if options.photos:
        found = photographs(options.photos)
        print(f"| photographs of tops | {len(found)} | {np.mean(found):.3f} | {min(found):.3f} |")
    necks = [r for r in rows if "neck" in r]
    print("\n| neckline | garments | in doubt | wrong though sure | sleeves as said |\n|---|--:|--:|--:|--:|")
    for name in (*sorted({r["neckline"] for r in necks}), None):
        some = [r for r in necks if name in (None, r["neckline"])]
        sure = [r for r in some if r["sure"] >= SURE]
        wrong, told = sum(r["neck"] > 0.1 for r in sure), np.mean([r["sleeve"] for r in some])
        print(f"| {name or '**all**'} | {len(some)} | {len(some) - len(sure)} | {wrong} | {told:.2f} |")
    if options.sheet:
        order = np.argsort([r["iou"] for r in rows])[:24]
        worst = [outlined(shown[k]) for k in order]
        write_image(options.sheet, np.vstack([np.hstack(worst[k : k + 8]) for k in (0, 8, 16)]))


if __name__ == "__main__":
    main()

"""How a garment's product photograph is read: its mask, where its front ends at the neck, what kind it is of.

``python benchmarks/garment_reading.py [--pictures 210] [--fresh] [--cache FOLDER] [--photos FOLDER] [--sheet FILE]`` prints tables.
Mannequin garments of which all is known are laid on backdrops of fifteen kinds (``garment_pictures.py``), with shadows, prints, grain; no
mask is given; ``--fresh`` takes other garments and other chance than those on which limits were chosen. ``--photos``, a folder in the
VITON-HD layout, adds its cloth against its masks. The neckline is right where its lowest point
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

from helpers import Garment, read_garment
from helpers.images import read_image, read_mask, write_image
from helpers.segmentation.clicks import iou
from helpers.tryon.backdrop import garment_mask
from helpers.tryon.drape import landmarks
from helpers.tryon.drape.compatibility import SURE
from helpers.tryon.drape.product import without_inside

SLEEVES = {"strap": "none", "cap": "short"}
"""The mannequin's words for sleeves that a reading calls otherwise."""
OPEN = ("blazer", "cardigan", "coat", "jumpsuit", "hoodie")
"""Of which the neckline is not asked: open in front, trousers below, or a hood behind."""
PROPERTIES = ("category", "neckline", "collar", "placket", "straps", "sleeves")
SEEN = {"upper": 200, "lower": 24}
"""Garments, counted from the first, on which limits were chosen."""
CERTAIN = 0.7
"""Confidence from which a reading counts as sure."""


def pictures(count: int, cache: Path, fresh: bool = False) -> list[Scene]:
    """``count`` scenes, each kind as often, every fifth of trousers or a skirt; ``fresh``: of garments after those of :data:`SEEN`."""
    if fresh:
        upper, lower = (products(SEEN[name] + more, cache, name)[SEEN[name] :] for name, more in (("upper", 40), ("lower", 6)))
    else:
        upper, lower = (products(seen, cache, name) for name, seen in SEEN.items())
    found = []
    for number in range(count):
        kind, turn = KINDS[number % len(KINDS)], number // len(KINDS)
        pool = lower if turn % 5 == 4 and kind not in ("hanger", "bust", "label") else upper
        found.append(scene(pool[(number * 13 + 5) % len(pool)], kind, (9000 if fresh else 7000) + number))
    return found


def read(shown: Scene) -> dict:
    """The figures of one picture: ``told`` has for each property whether it is right, and how sure the reading was."""
    began, said = time.process_time(), shown.said
    try:
        found = read_garment(Garment(shown.image, category=said["category"]))
    except ValueError as error:
        print(f"{shown.kind}, {said['kind']}: {error}")
        return {"kind": shown.kind, "iou": 0.0, "seconds": time.process_time() - began}
    mask = found.mask if found.edge is None else found.mask | found.edge.inside
    row = {"kind": shown.kind, "iou": iou(mask, shown.mask), "seconds": time.process_time() - began}
    if shown.kind == "cut":
        return row
    truth = {"category": said["category"]}
    if said["category"] != "lower" and said["kind"] not in OPEN:
        line, sleeve = said["neckline"], said["sleeve"]
        truth |= {
            "neckline": line,
            "collar": line in ("collar", "turtle"),
            "placket": said["kind"] in ("shirt", "polo shirt"),
            "straps": sleeve == "strap",
            "sleeves": SLEEVES.get(sleeve, sleeve),
        }
        true = landmarks.upper(without_inside(shown.mask, shown.inside))
        off = abs(found.front.points["neck"][1] - true.points["neck"][1]) / true.chest_width
        row |= {"neck": off, "sure": found.sure, "neckline": line}
    told = {name: getattr(found, name) for name in truth}
    return row | {"told": {name: (told[name].value == truth[name], told[name].confidence) for name in truth}}


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
    parser.add_argument("--fresh", action="store_true", help="garments and chance on which no limit was chosen")
    parser.add_argument(
        "--cache", type=Path, default=Path("outputs/benchmark/garments"), help="where rendered garments are kept"
    )
    parser.add_argument("--photos", type=Path, help="folder of photographs in the VITON-HD layout, or its test folder")
    parser.add_argument("--sheet", type=Path, help="file for a picture of the worst")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    shown = pictures(options.pictures, options.cache, options.fresh)
    rows = [read(one) for one in shown]
    print(f"{len(rows)} product photographs, {np.mean([r['seconds'] for r in rows]):.2f} CPU-s each.\n")
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
    print("\n| neckline | garments | in doubt | wrong though sure |\n|---|--:|--:|--:|")
    for name in (*sorted({r["neckline"] for r in necks}), None):
        some = [r for r in necks if name in (None, r["neckline"])]
        sure = [r for r in some if r["sure"] >= SURE]
        print(f"| {name or '**all**'} | {len(some)} | {len(some) - len(sure)} | {sum(r['neck'] > 0.1 for r in sure)} |")
    print(f"\n| property | garments | right | in doubt (below {CERTAIN}) | wrong though sure |\n|---|--:|--:|--:|--:|")
    for name in PROPERTIES:
        some = [r["told"][name] for r in rows if name in r.get("told", {})]
        sure = [right for right, confidence in some if confidence >= CERTAIN]
        share = np.mean([right for right, _ in some])
        print(f"| {name} | {len(some)} | {share:.2f} | {len(some) - len(sure)} | {len(sure) - sum(sure)} |")
    if options.sheet:
        order = np.argsort([r["iou"] for r in rows])[:24]
        worst = [outlined(shown[k]) for k in order]
        write_image(options.sheet, np.vstack([np.hstack(worst[k : k + 8]) for k in (0, 8, 16)]))


if __name__ == "__main__":
    main()

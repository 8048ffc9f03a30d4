"""The 2-D try-on against truth, beside the guesses it has to beat.

``python benchmarks/try_on_drape.py [--mannequin 40] [--photos FOLDER] [--cache FOLDER] [--pictures FOLDER]`` prints markdown tables; with
``--photos`` alone only theirs. What happens meanwhile goes to standard error.

Mannequin pairs: a figure wears A; B has the same topology (kind, sleeves, neckline, length) in another cloth; the engine gets the
picture, the mask of A and a product photograph of B; the truth is the same figure rendered in B. Photographs (a folder in the
VITON-HD layout with a ``test`` folder) have no truth: there the warped outline is held against what is worn where the topology
agrees, and the colours laid against those of the garment picture.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import metrics

from helpers.garment import Garment, load_garment
from helpers.images import read_mask, write_image
from helpers.labels import UPPER, select
from helpers.person import Person, load_person
from helpers.segmentation.clicks import iou
from helpers.tryon.backdrop import garment_mask
from helpers.tryon.drape.engine import Drape

# Words of the figure and what it wears; the category of the piece that is exchanged.
FIGURES = (
    ("a woman in a white t-shirt and blue jeans, upper body", "upper"),
    ("a man in a grey crew neck t-shirt and black trousers", "upper"),
    ("a woman in a black long-sleeve top and a beige midi skirt, upper body", "upper"),
    ("a man in a blue shirt and beige trousers, upper body", "upper"),
    ("a woman in a green sweater and black trousers, upper body", "upper"),
    ("a man in a navy sweater and blue jeans", "upper"),
    ("a curvy woman in a pink v-neck t-shirt and a black mini skirt", "upper"),
    ("an athletic man in a white tank top and grey shorts, upper body", "upper"),
    ("a slim woman in a yellow tank top and blue jeans, upper body", "upper"),
    ("a woman in a striped shirt and a denim mini skirt", "upper"),
    ("a heavy man in a red t-shirt and blue jeans, upper body", "upper"),
    ("an older man in a checked shirt and brown trousers", "upper"),
    ("a woman in a grey scoop neck long-sleeve top and jeans", "upper"),
    ("a woman in a white t-shirt and a red a-line skirt", "lower"),
    ("a woman in a black crop top and a beige midi skirt", "lower"),
    ("a man in a white t-shirt and blue jeans", "lower"),
    ("a woman in a white shirt and black trousers", "lower"),
    ("a woman in a blue short-sleeve dress", "dress"),
    ("a slim woman in a green sleeveless dress", "dress"),
    ("a curvy woman in a floral midi dress", "dress"),
)
FABRICS = (
    {"pattern": "solid", "colour": "#a33b3b"},
    {"pattern": "stripes", "colour": "#f1efe8", "accent": "#27406f"},
    {"pattern": "checks", "colour": "#e9e4d8", "accent": "#8d2f35"},
    {"pattern": "dots", "colour": "#22304f", "accent": "#efe9da"},
    {"pattern": "floral", "colour": "#f0e7da", "accent": "#b04a5a"},
    {"pattern": "stripes", "colour": "#31473a", "accent": "#d9c9a3"},
    {"pattern": "solid", "colour": "#dfb84b"},
    {"pattern": "checks", "colour": "#2f4858", "accent": "#d7dde0"},
)


def make_pairs(count: int, cache: Path) -> list[dict]:
    """``count`` pairs (two a figure, each cloth once worn and once new), rendered once and kept under ``cache``."""
    from helpers.mannequin.engine import Mannequin, product
    from helpers.mannequin.words.prompt import parse

    pairs, engine = [], Mannequin()
    for number in range((count + 1) // 2):
        words, category = FIGURES[number % len(FIGURES)]
        seed = 40 + number
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outfit = parse(words, seed)
        index = next(i for i, piece in enumerate(outfit.pieces) if piece.category == category)
        base = outfit.pieces[index]
        rng = np.random.default_rng(seed)
        first, second = rng.choice(len(FABRICS), 2, replace=False)
        pieces = [replace(base, fabric=replace(base.fabric, **FABRICS[k])) for k in (first, second)]
        names = [f"{number:02d}{letter}" for letter in "ab"]
        for name, piece in zip(names, pieces, strict=True):
            if not (cache / "image" / f"{name}.jpg").exists():
                wearing = replace(outfit, pieces=(*outfit.pieces[:index], piece, *outfit.pieces[index + 1 :]))
                product(piece, seed=seed).save(cache, name)
                engine(wearing, seed=seed).save(cache, name)
        for worn, new in (names, names[::-1]):
            pairs.append({"worn": worn, "new": new, "kind": base.kind, "category": base.category})
    return pairs[:count]


def flat_fill(person: Person, garment: Garment, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The worn garment's mask filled with the new one's median colour."""
    inside = garment_mask(garment.image) if garment.mask is None else garment.mask
    out = person.image.copy()
    out[mask] = np.median(garment.image[inside], 0).astype(np.uint8)
    return out, mask


def box_paste(person: Person, garment: Garment, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The garment picture stretched from its bounding box to that of the worn garment and pasted by its own mask."""
    inside = garment_mask(garment.image) if garment.mask is None else garment.mask
    (top, left), (low, right) = (f(np.argwhere(inside), axis=0) for f in (np.min, np.max))
    (y0, x0), (y1, x1) = (f(np.argwhere(mask), axis=0) for f in (np.min, np.max))
    size = int(x1 - x0 + 1), int(y1 - y0 + 1)
    cut = np.s_[top : low + 1, left : right + 1]
    pasted = cv2.resize(garment.image[cut], size, interpolation=cv2.INTER_AREA)
    laid = np.zeros_like(mask)
    laid[y0 : y1 + 1, x0 : x1 + 1] = cv2.resize(inside[cut].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    out = person.image.copy()
    out[laid] = pasted[laid[y0 : y1 + 1, x0 : x1 + 1]]
    return out, laid


def mannequin_table(count: int, cache: Path, pictures: Path | None) -> dict[str, dict[str, float]]:
    """Means over the pairs of every measure for every method; ``{"drape": {"iou": …}, …}``."""
    engine = Drape()
    rows: dict[str, list[dict[str, float]]] = {"flat colour": [], "bounding-box paste": [], "drape": []}
    kinds: dict[str, list[float]] = {}
    for pair in make_pairs(count, cache):
        person, truth = (load_person(cache / "image" / f"{pair[k]}.jpg") for k in ("worn", "new"))
        garment = load_garment(cache / "cloth" / f"{pair['new']}.jpg", pair["category"])
        mask, there = person.garments[pair["kind"]], truth.garments[pair["kind"]]
        began = time.process_time()
        result = engine(person, garment, mask=mask)
        seconds = time.process_time() - began
        tried = {
            "flat colour": (*flat_fill(person, garment, mask), 0.0),
            "bounding-box paste": (*box_paste(person, garment, mask), 0.0),
            "drape": (result.image, result.data["warped mask"], seconds),
        }
        for name, (image, laid, spent) in tried.items():
            rows[name].append(
                {
                    "iou": iou(laid, there),
                    "gms": metrics.gradient_similarity(image, truth.image, there),
                    "swd": metrics.colour_distance(image, truth.image, there),
                    "ssim": metrics.similarity(image, truth.image),
                    "de": metrics.colour_error(image, truth.image, there),
                    "seconds": spent,
                    "confidence": result.confidence,
                }
            )
        kinds.setdefault(pair["kind"], []).append(rows["drape"][-1]["iou"])
        print(
            f"{pair['worn']} -> {pair['new']} {pair['kind']}: IoU {rows['drape'][-1]['iou']:.3f}",
            *result.notes,
            file=sys.stderr,
            sep="; ",
        )
        if pictures:
            strip = np.hstack([person.image, garment.image, result.image, truth.image])
            write_image(pictures / f"{pair['worn']}_{pair['new']}.png", strip)
    print("by kind:", {k: round(float(np.mean(v)), 3) for k, v in kinds.items()}, file=sys.stderr)
    return {name: {key: float(np.nanmean([r[key] for r in found])) for key in found[0]} for name, found in rows.items()}


def photo_table(folder: Path, pictures: Path | None) -> list[dict]:
    """Every person of ``folder/test`` in every garment of it: what agreed, IoU of outlines, distance of colours."""
    root = folder / "test" if (folder / "test").is_dir() else folder
    if not (root / "image").is_dir():
        raise ValueError(f"--photos {folder}: no folder image/ in it. Pass a folder in the VITON-HD layout.")
    engine, rows = Drape(), []
    for image in sorted((root / "image").glob("*.jpg")):
        person = load_person(image)
        mask = select(person.labels, UPPER)
        for file in sorted((root / "cloth").glob("*.jpg")):
            garment = load_garment(file, "upper")
            began = time.process_time()
            result = engine(person, garment, mask=mask)
            row = {"person": image.stem, "garment": file.stem, "seconds": time.process_time() - began}
            row |= {"agrees": not any("differ" in n or "straps" in n or "new neckline is" in n for n in result.notes)}
            inside = read_mask(root / "cloth-mask" / file.name)
            flat, paste = flat_fill(person, garment, mask), box_paste(person, garment, mask)
            row |= {"iou": iou(result.data["warped mask"], mask), "paste iou": iou(paste[1], mask)}
            row |= {
                name: metrics.colour_distance(picture, garment.image, mask, inside)
                for name, picture in (("swd", result.image), ("flat swd", flat[0]), ("paste swd", paste[0]))
            }
            rows.append(row | {"confidence": result.confidence})
            print(f"{image.stem} in {file.stem}: IoU {row['iou']:.3f}", *result.notes, file=sys.stderr, sep="; ")
            if pictures:
                write_image(pictures / f"{image.stem}_{file.stem}.png", np.hstack([person.image, garment.image, result.image]))
    return rows


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mannequin", type=int, metavar="N", help="mannequin pairs (40, or none where --photos is given)")
    parser.add_argument("--cache", type=Path, default=Path("outputs/benchmark/try_on"), help="where rendered pairs are kept")
    parser.add_argument("--photos", type=Path, help="folder of photographs in the VITON-HD layout, or its test folder")
    parser.add_argument("--pictures", type=Path, help="folder for pictures to look at")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    found: dict = {}
    count = options.mannequin if options.mannequin is not None else 0 if options.photos else 40
    if count:
        table = found["mannequin"] = mannequin_table(count, options.cache, options.pictures)
        print(f"{count} mannequin pairs whose two garments have the same shape; CPU seconds for the try-on alone.\n")
        print("| method | IoU | GMS | SWD | SSIM | ΔE | CPU-s |\n|---|---|---|---|---|---|---|")
        for name, row in table.items():
            print(
                f"| {name} | {row['iou']:.3f} | {row['gms']:.3f} | {row['swd']:.2f} | {row['ssim']:.3f} | {row['de']:.1f} "
                f"| {row['seconds']:.2f} |"
            )
    if options.photos:
        rows = found["photographs"] = photo_table(options.photos, options.pictures)
        print(
            "\n" * bool(count)
            + f"{len(rows)} pairs of photographs, without a truth: IoU with what is worn, SWD to the garment picture.\n"
        )
        print(
            "| topology | pairs | IoU drape | IoU paste | SWD drape | SWD paste | SWD flat | CPU-s |\n|---|---|---|---|---|---|---|---|"
        )
        for name, some in (("agrees", [r for r in rows if r["agrees"]]), ("differs", [r for r in rows if not r["agrees"]])):
            if some:
                mean = {
                    k: float(np.mean([r[k] for r in some]))
                    for k in ("iou", "paste iou", "swd", "paste swd", "flat swd", "seconds")
                }
                print(
                    f"| {name} | {len(some)} | {mean['iou']:.3f} | {mean['paste iou']:.3f} | {mean['swd']:.2f} | {mean['paste swd']:.2f} "
                    f"| {mean['flat swd']:.2f} | {mean['seconds']:.2f} |"
                )
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Try-ons in garments of another cut, against truth: other sleeves, necklines and lengths, skirts for trousers, dresses for both.

``python benchmarks/try_on_others.py [--pairs 72] [--cache FOLDER] [--pictures FOLDER]`` prints markdown tables. A mannequin wears
A; the engine gets its picture, its mask and a product photograph of B; the truth is the same mannequin, drawn in B by the same camera.
Each pair is tried with all that is known of the figure, and a third of them once more without joints, without labels or without both, as
photographs come. The error is the mean difference in CIE Lab after a blur that leaves outlines and colours and takes prints away, over
all that changes or has to. What confidence says of
it is fitted by ``try_on_confidence.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import spearmanr

from helpers.garment import load_garment
from helpers.images import write_image
from helpers.labels import select
from helpers.person import Person, load_person
from helpers.segmentation.clicks import iou
from helpers.tryon.drape.engine import Drape

TOPS = (
    "a white t-shirt", "a black long-sleeve top", "a striped tank top", "a blue shirt", "a green sweater", "a pink v-neck t-shirt",
    "a floral camisole", "a red crop top", "a checked shirt", "a yellow scoop neck t-shirt", "a grey turtleneck sweater",
    "a navy polo shirt", "a white sleeveless top", "a dotted long-sleeve top", "an oversized print t-shirt",
    "a beige boat neck long-sleeve top",
)  # fmt: skip
LOWERS = (
    "blue jeans",
    "a black mini skirt",
    "beige trousers",
    "a denim midi skirt",
    "grey shorts",
    "white wide-leg trousers",
)
DRESSES = ("a red sleeveless dress", "a blue short-sleeve midi dress", "a black long-sleeve dress", "a floral maxi dress")
WHO = (
    "woman", "man", "slim woman", "curvy woman", "heavy man", "athletic man", "older woman", "young man with dark skin",
    "woman with dark skin",
)  # fmt: skip
POSES = ("standing", "relaxed", "hand on hip", "walking", "contrapposto")
SIZE = (576, 768)
KNOWN = {"all": (), "no joints": ("keypoints",), "no labels": ("labels",), "mask only": ("keypoints", "labels")}


def category_of(number: int) -> str:
    """Three of four pairs exchange a top, the others trousers and skirts, or all for a dress."""
    return "upper" if number % 4 != 3 else "lower" if number % 8 == 3 else "dress"


def make_pair(number: int, cache: Path) -> tuple[str, str]:
    """Names of the worn and the new picture of a pair, rendered once and kept under ``cache``."""
    names = f"{number:03d}a", f"{number:03d}b"
    if all((cache / "image" / f"{name}.jpg").exists() for name in names):
        return names
    from helpers.mannequin.engine import Mannequin, product
    from helpers.mannequin.render.camera import Camera
    from helpers.mannequin.words.prompt import parse, parse_piece

    rng, seed, kind = np.random.default_rng([7, number]), 1000 + number, category_of(number)
    who = WHO[rng.integers(len(WHO))]
    whole = kind != "upper" or rng.random() < 0.4
    pose = POSES[rng.integers(len(POSES))]
    (worn, new), (below, other) = (rng.choice(len(words), 2, replace=False) for words in (TOPS, LOWERS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outfit = parse(f"a {who} in {TOPS[worn]} and {LOWERS[below]}, {pose}" + ("" if whole else ", upper body"), seed)
        words = {"upper": TOPS[new], "lower": LOWERS[other], "dress": DRESSES[rng.integers(len(DRESSES))]}[kind]
        piece = parse_piece(words, seed + 1)[0]
    outfit = replace(outfit, figure=replace(outfit.figure, pose=pose))
    gone = ("upper", "lower", "dress") if kind == "dress" else (kind,)
    kept = [p for p in outfit.pieces if p.category not in gone]
    at = next(k for k, p in enumerate(outfit.pieces) if p.category in gone)
    engine = Mannequin()
    product(piece, seed=seed, size=SIZE).save(cache, names[1])
    first = engine(outfit, seed=seed, size=SIZE)
    first.save(cache, names[0])
    dressed = replace(outfit, pieces=(*kept[:at], piece, *kept[at:]))
    engine(dressed, seed=seed, size=SIZE, camera=Camera.from_dict(first.scene["camera"])).save(cache, names[1])
    return names


def error(image: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    """Mean difference in CIE Lab over ``where``, bool (H, W), of what is left of two pictures after a blur; at most 60 a pixel."""
    a, b = (cv2.GaussianBlur(_lab(picture), (0, 0), 0.008 * len(picture)) for picture in (image, truth))
    return float(np.minimum(np.linalg.norm(a - b, axis=2), 60)[where].mean())


def _lab(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def measure(count: int, cache: Path, pictures: Path | None) -> list[dict]:
    """One row a try-on."""
    engine, rows = Drape(), []
    for number in range(count):
        worn, new = make_pair(number, cache)
        person, truth = (load_person(cache / "image" / f"{name}.jpg") for name in (worn, new))
        category = category_of(number)
        garment = load_garment(cache / "cloth" / f"{new}.jpg", category)
        mask, there = person.worn(category), truth.worn(category)
        assert mask is not None
        assert there is not None
        extra = list(KNOWN)[1 + number % 3]
        for known in ("all", extra):
            seen = replace(person, **dict.fromkeys(KNOWN[known]))
            try:
                result = engine(seen, garment, mask=mask)
            except ValueError as refused:
                print(f"{worn}, {known}: {refused}", file=sys.stderr)
                continue
            front = select(person.labels, ("face", "hair"))
            rows.append(
                {
                    "pair": number,
                    "category": category,
                    "known": known,
                    "iou": iou(result.mask, there),
                    "error": error(result.image, truth.image, mask | there | result.changed),
                    "pasted": error(_pasted(person, garment, mask), truth.image, mask | there),
                    "confidence": result.confidence,
                    "on face or hair": int((result.mask & front).sum()),
                }
            )
            print(worn, known, category, round(rows[-1]["error"], 1), round(result.confidence, 2), file=sys.stderr)
            if pictures and known == "all":
                shown = cv2.resize(garment.image, SIZE, interpolation=cv2.INTER_AREA)
                write_image(pictures / f"{worn}.png", np.hstack([person.image, shown, result.image, truth.image]))
    return rows


def _pasted(person: Person, garment, mask: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    from try_on_drape import flat_fill

    return flat_fill(person, garment, mask)[0]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=72, help="pairs")
    parser.add_argument("--cache", type=Path, default=Path("outputs/benchmark/try_on_others"), help="where pairs are kept")
    parser.add_argument("--pictures", type=Path, help="folder for pictures to look at")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    rows = measure(options.pairs, options.cache, options.pictures)
    print(
        "| what | known | try-ons | IoU | error | flat fill | confidence | cloth on face or hair |\n|---|---|---|---|---|---|---|---|"
    )
    for category in ("upper", "lower", "dress"):
        for known in KNOWN:
            some = [row for row in rows if row["category"] == category and row["known"] == known]
            if some:
                mean = [np.mean([row[key] for row in some]) for key in ("iou", "error", "pasted", "confidence")]
                over = sum(row["on face or hair"] for row in some)
                print(
                    f"| {category} | {known} | {len(some)} | {mean[0]:.3f} | {mean[1]:.1f} | {mean[2]:.1f} | {mean[3]:.2f} | {over} |"
                )
    print("\nRank correlation of confidence and error:")
    for name, some in (("all of them", rows), ("all known", [row for row in rows if row["known"] == "all"])):
        print(f"- {name}, {len(some)}: {-spearmanr([r['confidence'] for r in some], [r['error'] for r in some])[0]:.2f}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

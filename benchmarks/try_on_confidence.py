"""Does the embedded try-on know how wrong it is? Its confidence against the error that a viewer sees, on mannequins with truth.

``python benchmarks/try_on_confidence.py [--figures 40] [--cache FOLDER] [--rows FILE] [--fit]`` prints markdown. Figures are those of
``varied_pairs``; every other try-on gets all that is known of them and the garment off its backdrop, the others the bare photograph and
the shop's picture, as people come. Every other four figures are held out: ``--fit`` fits the confidence's weights on the rest and prints
them. ``--rows`` keeps what was measured, and measures nothing where the file exists: refits are free then.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import nnls
from scipy.stats import spearmanr
from varied_pairs import Pair, category_of, figure

import helpers
from helpers.images import write_image
from helpers.person import Person
from helpers.segmentation.clicks import iou

SORTS = ("annotated", "bare")
_VISIBLE = 15.0  # units of CIE Lab at which somebody looks twice


def seen_error(image: np.ndarray, truth: np.ndarray, there: np.ndarray, zone: np.ndarray) -> float:
    """The area in ``zone`` that shows something else, in areas of ``there``, the true garment: bool (H, W) both.

    A pixel counts by how visible its colour's difference is, whatever the contrast beyond that. Within the garment colours are
    compared over a hand's breadth, for nobody sees where exactly a print lies; beside it they are compared as sharply as outlines are.
    """
    lab = [cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for picture in (image, truth)]
    fine = [cv2.GaussianBlur(values, (0, 0), 0.008 * len(image)) for values in lab]
    weight = np.maximum(cv2.GaussianBlur(there.astype(np.float32), (0, 0), 0.03 * len(image)), 1e-3)[..., None]
    broad = [cv2.GaussianBlur(values * there[..., None], (0, 0), 0.03 * len(image)) / weight for values in lab]
    away = np.where(there, *(np.linalg.norm(a - b, axis=2) for a, b in (broad, fine)))
    return float((1 - np.exp(-((away / _VISIBLE) ** 2)))[zone].sum() / there.sum())


def measure(count: int, cache: Path, pictures: Path | None) -> list[dict]:
    """One row a try-on; four pairs of each figure."""
    rows: list[dict] = []
    for number in range(count):
        for index, pair in enumerate(figure(number, cache)):
            if index in (1, 4):  # the others have each garment worn and new
                continue
            sort = SORTS[(number + index + index // 2) % 2]
            picture = None if pictures is None else pictures / f"{number:03d}-{index}-{sort}.png"
            row = _row(pair, category_of(number), sort, picture)
            rows.append({"figure": number, "pair": index, "sort": sort, "category": category_of(number), **row})
        print(number, len(rows), file=sys.stderr, flush=True)
    return rows


def _row(pair: Pair, category: str, sort: str, picture: Path | None) -> dict:
    person, garment = (pair.person, pair.garment) if sort == "annotated" else (Person(pair.person.image), pair.shop)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = helpers.try_on(person, garment, engine="drape")
    except ValueError as refused:
        return {"refused": str(refused)}
    worn, there = pair.person.worn(category), pair.truth.worn(category)
    assert worn is not None
    assert there is not None
    if picture:
        shown = cv2.resize(garment.image, worn.shape[::-1], interpolation=cv2.INTER_AREA)
        write_image(picture, np.hstack([pair.person.image, shown, result.image, pair.truth.image]))
    return {
        "error": seen_error(result.image, pair.truth.image, there, worn | there | result.changed),
        "iou": iou(result.mask, there),
        "confidence": result.confidence,
        "doubts": result.data["doubts"].tolist(),
        "notes": list(result.notes),
    }


def fitted(rows: list[dict]) -> np.ndarray:
    """Weights of the doubts, then the error without any, none of them negative, by which the errors of ``rows`` are told best."""
    doubts = np.array([[*row["doubts"], 1.0] for row in rows])
    return nnls(doubts, np.minimum([row["error"] for row in rows], 1.2))[0]


def correlation(rows: list[dict], told: np.ndarray) -> str:
    """Spearman's of ``told`` and the errors, and between what it lies in nine of ten draws of as many figures."""
    errors, numbers = np.array([row["error"] for row in rows]), np.array([row["figure"] for row in rows])
    rng, figures, drawn = np.random.default_rng(0), np.unique(numbers), []
    for _ in range(500):
        some = np.concatenate([np.nonzero(numbers == k)[0] for k in rng.choice(figures, len(figures))])
        drawn.append(spearmanr(told[some], errors[some])[0])
    low, high = np.percentile(drawn, (5, 95))
    return f"{spearmanr(told, errors)[0]:.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=int, default=40, help="figures, of which every other four are held out")
    parser.add_argument("--cache", type=Path, default=Path("outputs/benchmark/varied_pairs"), help="where figures are kept")
    parser.add_argument("--pictures", type=Path, help="folder for pictures to look at")
    parser.add_argument("--rows", type=Path, help="file of what was measured")
    parser.add_argument("--fit", action="store_true", help="fit the confidence's weights and print them")
    options = parser.parse_args()
    if options.rows and options.rows.exists():
        rows = json.loads(options.rows.read_text(encoding="utf-8"))
    else:
        rows = measure(options.figures, options.cache, options.pictures)
        if options.rows:
            options.rows.write_text(json.dumps(rows), encoding="utf-8")
    refused, rows = [row for row in rows if "refused" in row], [row for row in rows if "refused" not in row]
    held = [row for row in rows if row["figure"] // 4 % 2]  # tops and dresses; the rest is tops, trousers and skirts
    print(f"{len(rows)} try-ons, {len(held)} of them held out, and {len(refused)} refused.\n")
    told = -np.array([row["confidence"] for row in held])
    print("| held out | try-ons | rank correlation of confidence and error |\n|---|--:|---|")
    for name in ("all", *SORTS):
        mine = np.array([name in ("all", row["sort"]) for row in held])
        print(
            f"| {name} | {mine.sum()} | {correlation([row for row, is_mine in zip(held, mine, strict=True) if is_mine], told[mine])} |"
        )
    print("\n| fifth, by confidence | confidence | error |\n|---|--:|--:|")
    for number, fifth in enumerate(np.array_split(np.argsort(told), 5), 1):
        print(f"| {number} | {-told[fifth].mean():.2f} | {np.mean([held[k]['error'] for k in fifth]):.2f} |")
    if options.fit:
        weights = fitted([row for row in rows if row["figure"] // 4 % 2 == 0])
        again = np.array([[*row["doubts"], 1.0] for row in held]) @ weights
        print("\nweights, and the least:", np.round(weights, 2).tolist(), "held out:", correlation(held, again))


if __name__ == "__main__":
    main()

"""Mannequins in three garments each, as varied as the wardrobe allows: truth for try-ons of each in place of each other.

``figure`` draws one and keeps it. Body, pose, framing, camera, the garments and the backdrops of their photographs are chance, the same
for the same number.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

import numpy as np
from garment_pictures import KINDS as BACKDROPS
from garment_pictures import LOWER, UPPER, Known, scene

from helpers.garment import Garment, load_garment
from helpers.images import write_image
from helpers.mannequin.outfit import POSES
from helpers.person import Person, load_person

WHO = (
    "woman", "man", "slim woman", "curvy woman", "heavy man", "athletic man", "older woman", "young man with dark skin",
    "woman with dark skin", "heavy woman", "slim man", "woman with short hair", "older man",
)  # fmt: skip
TOPS = tuple(dict.fromkeys(kind for kind in UPPER if kind not in ("dress", "jumpsuit")))
PATTERNS = ("", "", "", "striped", "checked", "dotted", "floral", "white", "black", "red", "navy", "beige")
SIZE = (384, 512)


@dataclass(frozen=True)
class Pair:
    """``person`` in the worn garment, the ``truth`` in the new one, its picture off the backdrop and ``shop``, as a shop shows it."""

    person: Person
    truth: Person
    garment: Garment
    shop: Garment


def category_of(number: int) -> str:
    """Three of four figures exchange a top, the others trousers and skirts, or all for a dress."""
    return "upper" if number % 4 != 3 else "lower" if number % 8 == 3 else "dress"


def figure(number: int, cache: Path) -> list[Pair]:
    """The pairs of this figure, rendered once and kept under ``cache``."""
    category, names = category_of(number), [f"{number:03d}{letter}" for letter in "abc"]
    if not (cache / "shop" / f"{names[-1]}.png").exists():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _draw(number, cache, names)
    people = [load_person(cache / "image" / f"{name}.jpg") for name in names]
    pairs = []
    for old, new in permutations(range(3), 2):
        if category == "dress" and new == 0:  # there she wears top and trousers
            continue
        flat, shop = (cache / folder / f"{names[new]}.{ending}" for folder, ending in (("cloth", "jpg"), ("shop", "png")))
        pairs.append(Pair(people[old], people[new], load_garment(flat, category), load_garment(shop, category)))
    return pairs


def _words(rng: np.random.Generator, kinds: tuple[str, ...]) -> str:
    return " ".join(["a", PATTERNS[rng.integers(len(PATTERNS))], kinds[rng.integers(len(kinds))]]).replace("  ", " ")


def _draw(number: int, cache: Path, names: list[str]) -> None:
    from helpers.mannequin.engine import Mannequin, product
    from helpers.mannequin.render.camera import camera_for
    from helpers.mannequin.words.prompt import parse, parse_piece

    rng, category, engine = np.random.default_rng([11, number]), category_of(number), Mannequin()
    pose, turn = str(rng.choice(POSES)), float(rng.uniform(-28, 28)) if rng.random() < 0.3 else 0.0
    framing = "" if category != "upper" or rng.random() < 0.35 else ", upper body"
    outfit = parse(f"a {rng.choice(WHO)} in {_words(rng, TOPS)} and {_words(rng, LOWER)}, {pose}{framing}", number)
    outfit = replace(outfit, figure=replace(outfit.figure, pose=pose))
    gone = ("upper", "lower", "dress") if category == "dress" else (category,)
    at = next(k for k, piece in enumerate(outfit.pieces) if piece.category in gone)
    kept = [p for p in outfit.pieces if p.category not in gone]
    kinds = {"upper": TOPS, "lower": LOWER, "dress": ("dress", "dress", "jumpsuit")}[category]
    others = [parse_piece(_words(rng, kinds), number + 5000 + k)[0] for k in range(2)]
    if rng.random() < 0.5:  # one of them differs in its cloth only
        like = others[0] if category == "dress" else outfit.pieces[at]
        others[1] = replace(like, fabric=others[1].fabric)
    camera = camera_for(engine.surfaces(outfit, number), outfit.framing, SIZE, turn)
    dressed = [outfit, *(replace(outfit, pieces=(*kept[:at], piece, *kept[at:])) for piece in others)]
    for k, (name, wearing) in enumerate(zip(names, dressed, strict=True)):
        engine(wearing, seed=number, size=SIZE, camera=camera).save(cache, name)
        piece = outfit.pieces[at] if k == 0 else others[k - 1]
        flat = product(piece, seed=3 * number + k, size=SIZE)
        flat.save(cache, name)
        shop = cache / "shop" / f"{name}.png"
        shop.parent.mkdir(parents=True, exist_ok=True)
        backdrop = str(rng.choice(BACKDROPS))
        backdrop = "grey" if backdrop == "white on white" else backdrop  # that paints the cloth white
        write_image(shop, scene(Known(flat, {}), backdrop, 3 * number + k, SIZE).image)

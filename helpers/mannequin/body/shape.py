"""From a figure to MakeHuman's blend targets: which ones, and how much of each.

Macro targets are named by products of their parts (sex, age, muscle, weight, ...) and weigh the product of the parts' shares, as in
MakeHuman; local targets change one feature. Where a macro scale has an average, 0.5 is it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np

from helpers.mannequin.colours import lab
from helpers.mannequin.outfit import Figure

# Muscle, weight, cup size 0..1 with the average at 0.5.
_BUILDS = {
    "slim": (0.45, 0.25, 0.42),
    "average": (0.5, 0.42, 0.5),
    "athletic": (0.85, 0.42, 0.46),
    "curvy": (0.5, 0.62, 0.70),
    "heavy": (0.42, 1.0, 0.6),
}

# Local targets of everybody of a presentation or build, beyond the macro ones; @ stands for both sides.
_LOCAL = {
    "woman": {
        "ears/@-ear-wing-decr": 0.6,
        "ears/@-ear-scale-decr": 0.35,
        "eyes/@-eye-scale-incr": 0.35,
        "eyes/@-eye-height2-incr": 0.30,
        "eyes/@-eye-corner2-up": 0.25,
        "cheek/@-cheek-bones-incr": 0.30,
        "cheek/@-cheek-volume-decr": 0.30,
        "head/head-oval": 0.20,
        "forehead/forehead-scale-vert-decr": 0.50,
        "head/head-invertedtriangular": 0.35,
        "chin/chin-width-decr": 0.35,
        "mouth/mouth-angles-up": 0.40,
        "mouth/mouth-upperlip-volume-incr": 0.30,
        "mouth/mouth-scale-horiz-decr": 0.15,
        "nose/nose-scale-horiz-decr": 0.35,
        "nose/nose-point-up": 0.20,
        "neck/neck-scale-horiz-decr": 0.30,
        "neck/neck-scale-vert-incr": 0.10,
        "torso/measure-shoulder-dist-decr": 0.25,
        "arms/@-upperarm-shoulder-muscle-decr": 0.50,
        "arms/measure-upperarm-circ-decr": 0.35,
        "expression/units/caucasian/mouth-corner-puller": 0.20,
        "expression/units/caucasian/mouth-eversion": 0.30,  # closes the lips
        "mouth/mouth-lowerlip-middle-down": 0.25,
    },
    "man": {
        "ears/@-ear-wing-decr": 0.6,
        "ears/@-ear-scale-decr": 0.35,
        "eyes/@-eye-scale-incr": 0.25,
        "eyes/@-eye-height2-incr": 0.20,
        "cheek/@-cheek-volume-decr": 0.35,
        "cheek/@-cheek-bones-incr": 0.25,
        "nose/nose-scale-horiz-decr": 0.30,
        "forehead/forehead-scale-vert-decr": 0.40,
        "chin/chin-prominent-incr": 0.20,
        "mouth/mouth-angles-up": 0.25,
        "expression/units/caucasian/mouth-corner-puller": 0.14,
        "expression/units/caucasian/mouth-eversion": 0.30,  # closes the lips
        "mouth/mouth-lowerlip-middle-down": 0.25,
    },
    "athletic": {"torso/torso-vshape-incr": 0.25, "stomach/stomach-tone-incr": 0.4, "buttocks/buttocks-volume-incr": 0.1},
    "curvy": {
        "torso/measure-hips-circ-incr": 0.35,
        "torso/measure-waist-circ-decr": 0.35,
        "buttocks/buttocks-volume-incr": 0.30,
        "legs/measure-thigh-circ-incr": 0.25,
    },
    "heavy": {
        "torso/measure-waist-circ-incr": 0.45,
        "torso/measure-hips-circ-incr": 0.45,
        "torso/measure-bust-circ-incr": 0.30,
        "stomach/stomach-tone-decr": 0.40,
        "arms/measure-upperarm-circ-incr": 0.40,
        "legs/measure-thigh-circ-incr": 0.40,
        "neck/neck-double-incr": 0.30,
        "head/head-fat-incr": 0.20,
    },
}

# What makes one face differ from another: the two targets of a scale from -1 to 1, and its standard deviation.
_INDIVIDUAL = (
    ("head/head-square", "head/head-oval", 0.20),
    ("head/head-round", "head/head-diamond", 0.20),
    ("head/head-scale-horiz-decr", "head/head-scale-horiz-incr", 0.15),
    ("forehead/forehead-scale-vert-decr", "forehead/forehead-scale-vert-incr", 0.25),
    ("eyes/@-eye-scale-decr", "eyes/@-eye-scale-incr", 0.15),
    ("eyes/@-eye-trans-in", "eyes/@-eye-trans-out", 0.18),
    ("eyes/@-eye-corner2-down", "eyes/@-eye-corner2-up", 0.25),
    ("eyes/@-eye-eyefold-down", "eyes/@-eye-eyefold-up", 0.30),
    ("eyebrows/eyebrows-angle-down", "eyebrows/eyebrows-angle-up", 0.25),
    ("nose/nose-scale-horiz-decr", "nose/nose-scale-horiz-incr", 0.22),
    ("nose/nose-scale-vert-decr", "nose/nose-scale-vert-incr", 0.22),
    ("nose/nose-curve-concave", "nose/nose-curve-convex", 0.20),
    ("nose/nose-point-down", "nose/nose-point-up", 0.25),
    ("nose/nose-flaring-decr", "nose/nose-flaring-incr", 0.20),
    ("mouth/mouth-scale-horiz-decr", "mouth/mouth-scale-horiz-incr", 0.20),
    ("mouth/mouth-upperlip-volume-decr", "mouth/mouth-upperlip-volume-incr", 0.25),
    ("mouth/mouth-lowerlip-volume-decr", "mouth/mouth-lowerlip-volume-incr", 0.25),
    ("mouth/mouth-trans-down", "mouth/mouth-trans-up", 0.15),
    ("chin/chin-width-decr", "chin/chin-width-incr", 0.25),
    ("chin/chin-height-decr", "chin/chin-height-incr", 0.20),
    ("chin/chin-prominent-decr", "chin/chin-prominent-incr", 0.20),
    ("cheek/@-cheek-bones-decr", "cheek/@-cheek-bones-incr", 0.25),
    ("cheek/@-cheek-volume-decr", "cheek/@-cheek-volume-incr", 0.20),
)


def shape_targets(figure: Figure) -> dict[str, float]:
    """Blend target -> amount for a figure: macro targets as products of their parts, then local ones."""
    sex = "female" if figure.presentation == "woman" else "male"
    rng = np.random.default_rng(figure.face_seed)
    old = float(np.clip((figure.age - 30) / 60, 0, 1))  # MakeHuman's "young" is 25, its "old" 90
    muscle, weight, cup = _BUILDS[figure.build]
    mean = 1.66 if sex == "female" else 1.78
    tall = float(np.clip((figure.height - mean) / 0.3, -1, 1))
    macro = {
        "age": {"young": 1 - old, "old": old},
        "muscle": _three("muscle", muscle),
        "weight": _three("weight", weight),
        "height": {"minheight": max(-tall, 0), "maxheight": max(tall, 0)},
        "proportions": {"idealproportions": 0.7},
        "cup": _three("cup", cup),
        "firmness": {"averagefirmness": 1.0},
        "race": _ancestry(figure, rng),
    }
    out: dict[str, float] = {}
    rows = ("age", "muscle", "weight")
    for parts, amount in _products(macro, rows):
        out[f"macrodetails/universal-{sex}-{parts}"] = amount
    for parts, amount in _products(macro, (*rows, "height")):
        out[f"macrodetails/height/{sex}-{parts}"] = amount
    for parts, amount in _products(macro, (*rows, "proportions")):
        out[f"macrodetails/proportions/{sex}-{parts}"] = amount
    for parts, amount in _products(macro, ("race", "age")):
        race, age = parts.split("-")
        out[f"macrodetails/{race}-{sex}-{age}"] = amount
    if sex == "female":
        for parts, amount in _products(macro, (*rows, "cup", "firmness")):
            if not parts.endswith("averagecup-averagefirmness"):  # the macro targets' own
                out[f"breast/{sex}-{parts}"] = amount
    local = dict(_LOCAL[figure.presentation])
    share = 0.3 if (figure.presentation, figure.build) == ("man", "curvy") else 1.0  # on a man: softer, not wide-hipped
    local |= {path: share * amount for path, amount in _LOCAL.get(figure.build, {}).items()}
    for less, more, deviation in _INDIVIDUAL if figure.face_seed else ():
        amount = deviation * float(np.clip(rng.normal(), -2, 2)) + local.pop(more, 0.0) - local.pop(less, 0.0)
        local[more if amount > 0 else less] = abs(amount)
    for path, amount in local.items():
        for side in "lr" if "@" in path else "-":
            out[path.replace("@", side)] = amount
    return {path: amount for path, amount in out.items() if amount > 1e-3}


def shape_key(figure: Figure) -> tuple:
    """What a body depends on: figures with equal keys differ in colours and hair only, and share one ``make_body``."""
    return figure.presentation, figure.age, figure.build, figure.height, figure.pose, figure.face_seed, _tone(figure)


def _tone(figure: Figure) -> float:
    """Lightness 0..1 of the skin (CIE L*), in tenths: heads are mixed to suit it."""
    return round(10 * float(lab(figure.skin)[0]) / 100) / 10


def _ancestry(figure: Figure, rng: np.random.Generator) -> dict[str, float]:
    """MakeHuman's three regional heads, mixed as the skin makes likely and the face's seed varies."""
    tone = _tone(figure)
    african = 0.12 + 0.6 * float(np.clip((0.58 - tone) / 0.25, 0, 1))
    caucasian = (1 - african) * (0.5 + 0.2 * float(np.clip((tone - 0.65) / 0.20, 0, 1)))
    share = np.array([african, caucasian, 1 - african - caucasian])
    if figure.face_seed:
        share *= np.exp(rng.normal(0, 0.5, 3))
    african, caucasian, asian = (float(value) for value in share / share.sum())
    return {"african": african, "caucasian": caucasian, "asian": asian}


def _three(name: str, value: float) -> dict[str, float]:
    low, high = max(1 - 2 * value, 0.0), max(2 * value - 1, 0.0)
    return {f"min{name}": low, f"average{name}": 1 - low - high, f"max{name}": high}


def _products(macro: dict[str, dict[str, float]], parts: tuple[str, ...]) -> Iterable[tuple[str, float]]:
    for choice in product(*(macro[part].items() for part in parts)):
        amount = float(np.prod([value for _, value in choice]))
        if amount > 1e-3:
            yield "-".join(name for name, _ in choice), amount

"""A label map and a body-part index of a photographed person, derived from landmarks, hands, face, matte and colour.

No network has seen the photograph for this: superpixels are told by where they lie on the body and by what their colours are like
(``evidence``), twice, the second time knowing what the first said along every limb; boundaries without an edge are smoothed over, and
edges are the picture's. What the evidence weighs was learnt on drawn figures (``benchmarks/train_parse.py``), whose truth is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from helpers.annotation import evidence, surface
from helpers.annotation.evidence import Frame
from helpers.graph import FIRM, min_cut
from helpers.labels import CIHP
from helpers.matting import strips
from helpers.person import Person
from helpers.pixels import nearest_known

CLASSES = (
    "background", "hair", "face", "torso-skin", "upper-clothes", "dress", "pants", "skirt", "left-arm", "right-arm", "left-leg",
    "right-leg", "left-shoe", "right-shoe",
)  # fmt: skip
"""Those of CIHP that can be told; a hat counts as hair, a coat as upper clothes, socks as shoes."""
LEARNT = Path(__file__).with_name("derived.npz")
_SMOOTH = 0.25  # how much a superpixel's neighbours count, a working pixel of common boundary
_ROUNDS = 12
_TWO_CLOTHS, _ONE_CLOTH = (
    0.85,
    0.95,
)  # likeness of colours above and below, from which on a dress may be, and is unless there are trousers
_BARE = 0.02  # of the person: from so much bare leg on a skirt is believed as readily as trousers
_CHEST, _SEAT = (
    0.5,
    1.15,
)  # of the trunk's length: what is upper clothes down to here stays so, and what is worn below from here on
_SPECK = 0.004  # of the person: the smallest piece of a class that stands alone
_CRUMB = 0.002  # the same, of its pixels
_REACH = 0.006  # of the longer side, how far an edge is moved to the picture's own
_WORKED = 512


@dataclass(frozen=True)
class Derived:
    """labels: uint8 (H, W), CIHP; densepose: uint8 (H, W, 3), DensePose's part, U, V; confidence: 0..1 by the name of each class found,
    the share of its pixels expected to be right."""

    labels: np.ndarray
    densepose: np.ndarray
    confidence: dict[str, float]


def derive(person: Person) -> Derived:
    """``person`` with ``landmarks``, ``hands``, ``face`` and ``matte``."""
    f = evidence.frame(person)
    chances, parts = told(f)
    chances = settled(f, chances)
    chances = _decided(f, chances)
    found = _without_specks(f, chances.argmax(1))
    for part in (_at_the_waist, _at_the_hairline, _along_the_arms):
        found = _without_specks(f, part(f, chances, found))
    labels = _drawn(person, f, found)
    parts = settled(f, parts * surface.allowed(CLASSES)[found] + 1e-6).argmax(1)
    return Derived(labels, surface.index(f, parts, labels > 0), _confidence(f, chances, found))


# ---------------------------------------------------------------------------------------------------------- what is told


@cache
def _learnt(name: str) -> dict[str, np.ndarray]:
    """Of the network ``first`` or ``second``: mean and scale of its evidence, weights and biases of its layers."""
    with np.load(LEARNT) as file:
        return {key.removeprefix(f"{name}_"): file[key].astype(np.float32) for key in file if key.startswith(name)}


def perceptron(learnt: dict[str, np.ndarray], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chances of the classes (n, 14) and of DensePose's parts (n, 25), from evidence (n, c)."""
    x = np.clip((values - learnt["mean"]) * learnt["scale"], -6, 6).astype(np.float32)
    for layer in range(3):
        x = x @ learnt[f"w{layer}"] + learnt[f"b{layer}"]
        if layer < 2:
            x = np.maximum(x, 0)
    return _softmax(x[:, : len(CLASSES)]), _softmax(x[:, len(CLASSES) :])


def _softmax(x: np.ndarray) -> np.ndarray:
    x = np.exp(x - x.max(1, keepdims=True))
    return x / x.sum(1, keepdims=True)


def told(f: Frame) -> tuple[np.ndarray, np.ndarray]:
    """(n, 14) and (n, 25): chances of every superpixel's class and body part."""
    there = f.soft > evidence.THERE
    plain = evidence.plain(f)
    first = evidence.spread(f, perceptron(_learnt("first"), plain[there])[0])
    chances, parts = perceptron(_learnt("second"), np.hstack([plain, evidence.context(f, first)])[there])
    return evidence.spread(f, chances), evidence.spread(f, parts)


def settled(f: Frame, chances: np.ndarray) -> np.ndarray:
    """``chances`` in agreement with their neighbours' where no edge lies between: mean field of a Potts model, a neighbour counting the
    more the longer and the fainter the common boundary is."""
    weight = _SMOOTH * f.length * np.exp(-f.contrast / max(float(np.median(f.contrast)), 1e-3))
    (i, j), n = f.pairs.T, len(f.area)
    matrix = csr_matrix((np.r_[weight, weight], (np.r_[i, j], np.r_[j, i])), shape=(n, n))
    plain = np.log(chances + 1e-4)
    for _ in range(_ROUNDS):
        chances = 0.5 * chances + 0.5 * _softmax(plain + matrix @ chances)
    return chances


def _decided(f: Frame, chances: np.ndarray) -> np.ndarray:
    """A dress is not in two pieces, and nobody wears both trousers and a skirt: what is less of goes to what is more."""
    mass = dict(zip(CLASSES, f.area @ chances, strict=True))
    at = CLASSES.index
    out = chances.copy()
    bare = mass["left-leg"] + mass["right-leg"] > _BARE * f.area @ (1 - chances[:, 0])
    lower, other = ("skirt", "pants") if mass["skirt"] * (1 if bare else 1 / 3) > mass["pants"] else ("pants", "skirt")
    out[:, at(lower)] += out[:, at(other)]
    out[:, at(other)] = 0
    alike = _alike(f, chances)
    seat = dict(zip(CLASSES, (f.area * (f.along("trunk")[0] > 1)) @ chances, strict=True))
    flowing = seat["dress"] + seat["skirt"] > seat["pants"]
    if (alike > _TWO_CLOTHS and mass["dress"] > mass["upper-clothes"]) or (alike > _ONE_CLOTH and flowing):
        out[:, at("dress")] += out[:, at("upper-clothes")]
        out[:, at("upper-clothes")] = 0
    else:
        pieces = [at("upper-clothes"), at(lower)]
        share = out[:, pieces] + 1e-3
        out[:, pieces] += out[:, [at("dress")]] * share / share.sum(1, keepdims=True)
        out[:, at("dress")] = 0
    return out


def _alike(f: Frame, chances: np.ndarray) -> float:
    """0..1: how alike the colours are of what is worn on the chest and below the hips."""
    cloth = f.area * chances[:, [CLASSES.index(name) for name in ("upper-clothes", "dress", "pants", "skirt")]].sum(1)
    along = f.along("trunk")[0]
    low = next((low for low in (1.05, 0.85) if cloth[along > low].sum() > 0.02 * cloth.sum()), 0.7)
    shares = [np.bincount(f.code, cloth * part, len(f.kinship)) @ f.kinship for part in (along < 0.5, along > low)]
    return float(np.sqrt(np.prod([share / max(share.sum(), 1e-9) for share in shares], axis=0)).sum())


def _at_the_waist(f: Frame, chances: np.ndarray, found: np.ndarray) -> np.ndarray:
    """``found`` (n,) with upper clothes and what is worn below parted anew, between chest and sleeves and what lies lowest: where tops
    end differs more than the figures that were learnt from can tell."""
    upper, *others = (CLASSES.index(name) for name in ("upper-clothes", "pants", "skirt"))
    lower = max(others, key=lambda number: int((found == number).sum()))
    if not (found == lower).any():
        return found
    along = f.along("trunk")[0]
    surely = _ratio(chances, upper, lower)
    arms = [f.near(f"{side}-{bone}", 0.2, 0.3, 2) for side in ("left", "right") for bone in ("upper-arm", "lower-arm")]
    sleeves = np.any(arms, axis=0)
    above = (found == upper) & ((along < _CHEST) | sleeves & (surely > 1))
    below = (found == lower) & (surely < -1.5) & (along > min(_SEAT, float(np.median(along[found == lower]))))
    return _parted(f, chances, found, (upper, above, above & ~sleeves), (lower, below, below), 0.05, 1.0, alike=0.6)


def _at_the_hairline(f: Frame, chances: np.ndarray, found: np.ndarray) -> np.ndarray:
    """``found`` (n,) with hair and face parted anew, between what is outside the face's outline and what is below the eyes: for fringes."""
    hair, face = CLASSES.index("hair"), CLASSES.index("face")
    if f.face is None:
        return found
    _, _, down, depth, *_ = evidence.on_face(f).T
    bare = (found == face) & (depth > -0.05) & (down > 0.12)
    loose = (found == hair) & (depth < -0.05) & (chances[:, hair] > 0.8)
    return _parted(f, chances, found, (hair, loose, loose), (face, bare, bare), 0.4, 0.3)


def _along_the_arms(f: Frame, chances: np.ndarray, found: np.ndarray) -> np.ndarray:
    """``found`` (n,) with cloth between bare skin above it and below it on one arm made skin too, where it has skin's colour: a sleeve
    does not begin anew, but a shadow or a bracelet does."""
    upper, out = CLASSES.index("upper-clothes"), found.copy()
    for side in ("left", "right"):
        arm = CLASSES.index(f"{side}-arm")
        bare, worn = found == arm, (found == upper) | (found == CLASSES.index("dress"))
        if bare.sum() < 4 or not worn.any():
            continue
        like = evidence.likeness(f, np.stack([bare, worn & f.near("trunk", 0.4)]).astype(float))
        along, _, away = f.along(f"{side}-lower-arm")
        on = (away < 0.2) & (like[:, 0] > like[:, 1])
        skin = along[bare & (away < 0.2)]
        if len(skin):
            before = np.searchsorted(np.sort(skin), along)
            between = (before > 2) & (before < len(skin) - 2)
            out[on & worn & between] = arm
    return out


def _parted(
    f: Frame,
    chances: np.ndarray,
    found: np.ndarray,
    one: tuple[int, np.ndarray, np.ndarray],
    other: tuple[int, np.ndarray, np.ndarray],
    prior: float,
    edges: float,
    alike: float = 0.0,
) -> np.ndarray:
    """``found`` (n,) with two classes parted where this photograph has its edge, by a minimum cut.

    one, other: a class, (n,) bool what is it for certain, and (n,) bool what shows its colours
    prior:      how much what was told counts beside colour; edges: what a working pixel of boundary costs where there is no edge
    alike:      colours say nothing up to this logarithm of how much likelier they are here than there
    """
    if not (one[1].any() and other[1].any()):
        return found
    either = (found == one[0]) | (found == other[0])
    like = evidence.likeness(f, np.stack([one[2], other[2]]).astype(float))
    apart = like[:, 0] - like[:, 1]
    score = np.sign(apart) * np.clip(np.abs(apart) - alike, 0, 2) + prior * np.clip(_ratio(chances, one[0], other[0]), -3, 3)
    score *= np.sqrt(f.area / f.area.mean())
    score[one[1]], score[other[1]] = FIRM, -FIRM
    pairs = f.pairs[inner := either[f.pairs].all(1)]
    edge = f.contrast[inner] + 0.15 * np.linalg.norm(f.lab[pairs[:, 0]] - f.lab[pairs[:, 1]], axis=1)
    cost = edges * f.length[inner] * np.exp(-edge / max(float(np.median(edge)), 1e-3))
    number = np.cumsum(either) - 1
    out = found.copy()
    out[either] = np.where(min_cut(number[pairs], -score[either], cost), one[0], other[0])
    return out


def _ratio(chances: np.ndarray, one: int, other: int) -> np.ndarray:
    """(n,) logarithm of how much likelier one class is than another."""
    return np.log((chances[:, one] + 0.02) / (chances[:, other] + 0.02))


def _without_specks(f: Frame, found: np.ndarray) -> np.ndarray:
    """``found`` (n,) with every small piece that stands alone given to the class it has most of its boundary with."""
    found = found.copy()
    limit = _SPECK * f.area[found > 0].sum()
    i, j = f.pairs.T
    for _ in range(3):
        same = found[i] == found[j]
        graph = coo_matrix((np.ones(same.sum()), (i[same], j[same])), shape=(len(found),) * 2)
        piece = connected_components(graph, directed=False)[1]
        small = np.bincount(piece, f.area)[piece] < limit
        small &= found > 0
        if not small.any():
            break
        votes = np.zeros((piece.max() + 1, len(CLASSES)))
        for a, b in ((i, j), (j, i)):
            rim = small[a] & ~same & ~small[b]
            np.add.at(votes, (piece[a[rim]], found[b[rim]]), f.length[rim])
        known = votes.sum(1) > 0
        turn = small & known[piece]
        found[turn] = votes.argmax(1)[piece[turn]]
    return found


def _confidence(f: Frame, chances: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """By class name: expected share of pixels in common, of those told and those that are."""
    out = {}
    for index, name in enumerate(CLASSES[1:], 1):
        inside, mass = found == index, f.area * chances[:, index]
        if inside.any():
            out[name] = round(float(mass[inside].sum() / (f.area[inside].sum() + mass[~inside].sum())), 3)
    return out


# ------------------------------------------------------------------------------------------------------------ what is drawn


def _drawn(person: Person, f: Frame, found: np.ndarray) -> np.ndarray:
    """uint8 (H, W) in CIHP numbering: the superpixels' classes with the edges of the photograph, the matte's on the outside."""
    assert person.matte is not None
    x0, y0, x1, y1 = f.window
    names = np.array([CIHP.index(name) for name in CLASSES], np.uint8)
    present = np.unique(found[f.soft > 0.2])
    present = present[present > 0]
    out = np.zeros(person.image.shape[:2], np.uint8)
    if not len(present):
        return out
    inner = _nearest_class(f, found)
    masks = np.stack([(inner == index) for index in present], axis=2).astype(np.uint8)
    # A button is no shirt for being as white: an edge moves, but no further than this.
    near = cv2.dilate(masks, np.ones((5, 5), np.uint8)).reshape(masks.shape) > 0
    height, width = y1 - y0, x1 - x0
    columns = ((np.arange(width) + 0.5) * near.shape[1] / width).astype(int)
    cut = out[y0:y1, x0:x1]
    for rows, soft in strips(person.image[y0:y1, x0:x1], masks.astype(np.float32), _REACH, _WORKED):
        lines = ((np.arange(rows.start, rows.stop) + 0.5) * near.shape[0] / height).astype(int)
        soft[~near[lines][:, columns]] = -1
        cut[rows] = names[present[soft.argmax(2)]]
    cut[person.matte[y0:y1, x0:x1] <= 0.5] = 0
    cut[:] = _without_crumbs(cut)
    return out


def _without_crumbs(labels: np.ndarray) -> np.ndarray:
    """uint8 (H, W): every piece of a class that is too small to be one is what is next to it."""
    limit = _CRUMB * np.count_nonzero(labels)
    small = np.zeros(labels.shape, bool)
    for number in np.unique(labels[labels > 0]):
        _, piece, stats, _ = cv2.connectedComponentsWithStats((labels == number).astype(np.uint8), connectivity=4)
        few = stats[:, cv2.CC_STAT_AREA] < limit
        few[0] = False
        if few.any():
            small |= few[piece]
    known = (labels > 0) & ~small
    if not (small.any() and known.any()):
        return labels
    return np.where(small, labels.ravel()[nearest_known(known)[1]], labels)


def _nearest_class(f: Frame, found: np.ndarray) -> np.ndarray:
    """(h, w): every pixel's class, with that of the nearest superpixel on the person where its own is backdrop."""
    drawn = found[f.index]
    known = drawn > 0
    return drawn.ravel()[nearest_known(known)[1]] if known.any() else drawn

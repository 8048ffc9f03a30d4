"""Clicks to a labelling of regions: geodesic distance, colour and texture as evidence, a minimum cut as decision.

Along the lines of Boykov and Jolly, "Interactive Graph Cuts" (2001) and Gulshan et al., "Geodesic Star Convexity for Interactive Image
Segmentation" (2010). The first click looks for the whole garment; each further one changes the labelling only around itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.graph import FIRM, adjacency, components, connected, geodesic, min_cut
from helpers.segmentation.superpixel.body import WEIGHT, Known
from helpers.segmentation.superpixel.regions import Regions, unlike

Click = tuple[int, bool]
"""A region and whether it is on the garment."""

WEIGHTS = {
    "ratio": -1.25, "far": 2.5, "colour": 1.05, "texture": -1.5, "other": -0.2, "skin": -0.8, "outside": -2.0, "head": -0.6,
    "distance": -3.0, "bias": 2.0,
}  # fmt: skip
"""Logistic regression of "belongs to the garment" on the evidence, rounded."""
BOUNDARY = 0.25
"""Cost of a working pixel of outline where there is no edge."""
REACH = 60
"""How far a further click reaches, in median steps of the way, where it lies 30 working pixels inside the mistake."""
PUSH, HOLD = 2.0, 2.0
"""Weight of the last click's label next to it, and of the mask before it beyond its reach."""
CAP = 30
"""Largest change by one click, in squares of its distance to the outline: an elongated shape."""
EMBLEM = 0.06
"""Share of the figure up to which what a first click finds may be a print on a garment."""
WHOLE = 0.6
"""Share of a known piece that has to be mistaken for a click to mean all of it."""
HOLE = 0.03
"""Share of the garment up to which a hole in it is a flower or a button."""


class Evidence:
    """What the clicks so far say about every region: ``score`` (n,), positive where garment; ``boundary`` (m,), the cost of a cut."""

    def __init__(self, regions: Regions, clicks: Sequence[Click], sample: np.ndarray | None = None):
        """``sample`` (n,) bool, where given, is garment to learn colours and texture from besides the clicks' vicinity."""
        r = regions
        self.regions = r
        self.sampled = sample is not None
        self.positive = np.array(sorted({node for node, wanted in clicks if wanted}), int)
        self.negative = np.array(sorted({node for node, wanted in clicks if not wanted} - set(self.positive)), int)
        on_skin = r.skin[self.positive].max() > 0.5
        barrier = r.contrast + 0.5 * r.difference
        step = np.abs(r.figure[r.pairs[:, 0]] - r.figure[r.pairs[:, 1]])
        # A boundary with the same surroundings on both sides is one inside a pattern and hardly slows the way.
        pace = barrier * (0.08 + 1.2 * np.minimum(r.change, 0.8)) + 0.4 + 4 * step
        self.pace = float(np.median(pace))
        self.graph = adjacency(r.pairs, pace, len(r.area))
        against = (r.figure < 0.3) | (r.head > 0.9)
        if not on_skin:
            against |= r.skin > 0.6
        against[self.positive] = False
        against[self.negative] = True
        df = geodesic(self.graph, self.positive)
        db = np.minimum(geodesic(self.graph, np.flatnonzero(against)), 1e6)
        own = self._vicinity(self.positive, df)
        if sample is not None:
            share = np.bincount(r.code, r.area * sample, len(r.kinship))
            own = np.concatenate([own, share[None] / share.sum()])
        likeness = own @ r.kinship**2
        likeness = (likeness / likeness.max(axis=1, keepdims=True)).max(axis=0)
        texture = np.min([unlike(r.makeup, shares, r.kinship) for shares in own], axis=0)
        # A colour with a fifth of the main one's share is as good a sign: the flowers of a print, the thinner stripe.
        colour = np.log(np.minimum(1, 4 * likeness) + 0.05)[r.code]
        other = 0.0
        if len(self.negative):
            likeness = self._vicinity(self.negative, geodesic(self.graph, self.negative)) @ r.kinship**2
            likeness = (likeness / likeness.max(axis=1, keepdims=True)).max(axis=0)
            other = np.log(np.minimum(1, 4 * likeness) + 0.05)[r.code] - colour
        size = np.sqrt(r.area[r.figure > 0.6].sum() + 1)
        distance = np.linalg.norm(r.centre[:, None] - r.centre[self.positive][None], axis=2).min(axis=1) / size
        self.evidence = {
            "ratio": 2 * (df - db) / (df + db + 1e-9),
            "far": df / (df + 20 * self.pace),
            "colour": colour,
            "texture": texture,
            "other": other,
            "skin": 0.0 if on_skin else r.skin,
            "outside": 1 - r.figure,
            "head": r.head * (r.head[self.positive].max() < 0.5),
            "distance": distance,
            "bias": 1.0,
        }
        self.score = sum(WEIGHTS[name] * value for name, value in self.evidence.items())
        energy = r.contrast + 0.3 * r.difference + 4 * step
        top = np.sort(energy)[int(0.6 * len(energy)) :]
        self.boundary = BOUNDARY * r.length * np.exp(-energy * (0.3 + np.minimum(r.change, 0.7)) / max(np.median(top), 1e-3))

    def _vicinity(self, nodes: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """(c, k) the shares of the codebook's colours around each of ``nodes`` (c,), the nearer by ``reach`` (n,) the more."""
        r = self.regions
        d = np.linalg.norm(r.centre[:, None] - r.centre[nodes][None], axis=2)
        weight = np.exp(-0.5 * (d / 14) ** 2) * (r.area * (r.figure + 0.02) * np.exp(-reach / (12 * self.pace)))[:, None]
        shares = np.stack([np.bincount(r.code, weight[:, c], len(r.kinship)) for c in range(len(nodes))])
        return shares / shares.sum(axis=1, keepdims=True)

    def unary(self, score: np.ndarray) -> np.ndarray:
        """(n,) for the cut, negative where garment, with the clicks firm."""
        unary = -score * np.sqrt(self.regions.area / self.regions.area.mean())
        unary[self.negative] = FIRM
        unary[self.positive] = -FIRM
        return unary


def first(regions: Regions, clicks: Sequence[Click], known: Known | None = None) -> np.ndarray:
    """(n,) bool, the garment under the first click: once from the click alone, once more from what that found.

    Where that is an emblem or a print, the garment that it is on is meant.
    """
    sample: np.ndarray | None = None
    name = 0.0 if known is None else WEIGHT * known.score(clicks[0][0])
    for _ in range(3):
        evidence = Evidence(regions, clicks, sample)
        inside = min_cut(regions.pairs, evidence.unary(evidence.score + name), evidence.boundary)
        sample = inside = _joined(regions, inside, evidence.positive, name)
        ground = _ground(regions, inside)
        if len(ground):
            clicks = [*clicks, *((int(node), True) for node in ground)]
        elif evidence.sampled:
            break
    return _whole(regions, inside, evidence.negative)


def _joined(regions: Regions, inside: np.ndarray, clicked: np.ndarray, name: np.ndarray | float) -> np.ndarray:
    """The parts of ``inside`` (n,) that hold a click, or that are of the same garment by their ``name`` beyond hair or an arm."""
    return connected(regions.pairs, inside, np.union1d(clicked, np.flatnonzero(inside & (name > 0.6 * WEIGHT))))


def _ground(regions: Regions, inside: np.ndarray) -> np.ndarray:
    """The regions around ``inside``, if it is small and lies on cloth of one colour all round, else none."""
    worn = (regions.figure > 0.6) & (regions.skin < 0.5) & (regions.head < 0.4)
    if regions.area[inside].sum() > EMBLEM * regions.area[regions.figure > 0.6].sum():
        return np.array([], int)
    rim = inside[regions.pairs].sum(axis=1) == 1
    outer = np.where(inside[regions.pairs[rim, 0]], regions.pairs[rim, 1], regions.pairs[rim, 0])
    length = regions.length[rim]
    main = np.bincount(regions.code[outer], length * worn[outer], len(regions.kinship)).argmax() if len(outer) else 0
    alike = worn[outer] & (regions.kinship[main, regions.code[outer]] > 0.5)
    return np.unique(outer[alike]) if length[alike].sum() > 0.85 * length.sum() else np.array([], int)


def _whole(regions: Regions, inside: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """``inside`` with its holes filled: a flower of the print, a button. Skin, gaps to the backdrop and what is clicked away stay."""
    open_side = ~inside
    part = components(regions.pairs, open_side)
    area = np.bincount(part, regions.area)
    edge = np.unique(np.concatenate([side.ravel() for side in (regions.index[[0, -1]], regions.index[:, [0, -1]])]))
    kept = area > HOLE * regions.area[inside].sum()
    kept[part[edge]] = True
    kept[part[negative]] = True
    for likeness in (regions.skin, 1 - regions.figure):
        kept |= np.bincount(part, regions.area * likeness) > 0.4 * area
    return inside | ~kept[part]


def further(
    regions: Regions, clicks: Sequence[Click], before: np.ndarray, depth: float, known: Known | None = None
) -> np.ndarray:
    """(n,) bool, ``before`` changed around the last click; ``depth`` is the distance in working pixels from it to the outline.

    Where what is known says that the click lies well inside an arm or a sleeve, the whole of that is meant.
    Only regions connected to the click change, and only to its label. The depth says how large the mistake is that the click is the middle
    of, and mistakes get smaller as clicks go on: where more than that would change, the click is taken to reach less far.
    """
    node, wanted = clicks[-1]
    if before[node] == wanted:
        return before
    evidence = Evidence(regions, clicks, before)
    d = geodesic(evidence.graph, np.array([node]))
    sign = 1 if wanted else -1
    reach = REACH * evidence.pace * float(np.clip(depth / 30, 0.1, 2))
    piece = (
        np.zeros(len(d))
        if known is None
        else known.corrected(node, wanted, depth, evidence.negative if wanted else evidence.positive)
    )
    if regions.area[before != wanted] @ piece[before != wanted] < WHOLE * (regions.area @ piece):
        piece = np.zeros(len(d))
    most = min(CAP * max(depth, 2) ** 2, 1.2 / (len(clicks) - 1) * regions.area[before].sum())
    most = max(most, 1.3 * float(regions.area @ piece))
    for _ in range(6):
        near = piece if piece.any() else np.exp(-((d / reach) ** 2))
        score = evidence.score + sign * (PUSH * near + WEIGHT * piece) + HOLD * np.where(before, 1, -1) * (1 - near)
        score = np.where(piece < 0.5 if piece.any() else d > 3 * reach, np.where(before, FIRM, -FIRM), score)
        inside = min_cut(regions.pairs, evidence.unary(score), evidence.boundary)
        flips = (inside != before) & (inside == wanted)
        flips[node] = True
        flips = connected(regions.pairs, flips, np.array([node]))
        if regions.area[flips].sum() <= most:
            break
        reach *= 0.6
    else:
        flips &= np.linalg.norm(regions.centre - regions.centre[node], axis=1) <= max(depth, 2)
        flips[node] = True
    return _whole(regions, before ^ flips, evidence.negative) if wanted else before ^ flips

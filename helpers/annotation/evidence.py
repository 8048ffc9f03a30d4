"""What of a photographed person's every superpixel is known before it is named: where it lies on the body, and what its colour is like.

Places are told along and across the bones between the landmarks, in the body's own size, so that they say the same of a small figure and a
large one; colours are told against those of this very photograph (its face, its hands, what lies on the chest, on the thighs, behind).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.csgraph import dijkstra

from helpers.annotation.mediapipe import FACE_OVAL
from helpers.person import Person
from helpers.pixels import codebook
from helpers.superpixels import Mosaic, lab_of, mosaic, reduced

_MARGIN = 0.04  # of the person's extent, around it, that is looked at too
THERE = 0.03  # of the matte, from which a superpixel may be the person's
_UNIT = 0.25  # metres: the length in which places are told
_FAR = 4.0  # units beyond which all is equally far
_TINT = np.array([16.0, 7.0, 8.0])  # CIE Lab: how much skin varies on one person
_SHADE = 0.03  # of the whole photograph's colours, in a seed's

BONES = {
    "left-upper-arm": ((11,), (13,)), "left-lower-arm": ((13,), (15,)), "left-hand": ((15,), (17, 19)),
    "right-upper-arm": ((12,), (14,)), "right-lower-arm": ((14,), (16,)), "right-hand": ((16,), (18, 20)),
    "left-thigh": ((23,), (25,)), "left-shin": ((25,), (27,)), "left-foot": ((29,), (31,)),
    "right-thigh": ((24,), (26,)), "right-shin": ((26,), (28,)), "right-foot": ((30,), (32,)),
    "trunk": ((11, 12), (23, 24)), "left-side": ((11,), (23,)), "right-side": ((12,), (24,)),
    "shoulders": ((12,), (11,)), "hips": ((24,), (23,)), "neck": ((11, 12), (9, 10)), "head": ((9, 10), (2, 5)),
}  # fmt: skip
"""Pairs of landmarks, or of their middles, that a place is told by."""
_EYES_AND_MOUTH = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
)
"""Outlines in the face mesh of what is no bare skin: eyes, brows, mouth."""
_FACE_AXES = (33, 263, 13)  # corners of the eyes, mouth
_HAND_OUTLINE = (0, 1, 2, 4, 8, 12, 16, 20, 17)


@dataclass(frozen=True)
class Frame(Mosaic):
    """The superpixels of the part of a photograph that holds the person, n of them.

    window: (x0, y0, x1, y1) in the photograph; scale: working pixels to one of its own
    image:  uint8 (h, w, 3); matte: float32 (h, w), and soft (n,) its mean over each superpixel
    code, kinship: (n,) and (k, k): the colours of a codebook and how alike they are
    unit:   working pixels to a unit of length on the body
    points: (33, 2) landmarks in working pixels; face: (468, 2) or ``None``; hands: (21, 2) or ``None``, left and right
    """

    window: tuple[int, int, int, int]
    scale: float
    image: np.ndarray
    matte: np.ndarray
    soft: np.ndarray
    code: np.ndarray
    kinship: np.ndarray
    unit: float
    points: np.ndarray
    landmarks: np.ndarray
    face: np.ndarray | None
    hands: tuple[np.ndarray | None, np.ndarray | None]

    def near(self, name: str, width: float, start: float = 0.0, end: float = 1.0) -> np.ndarray:
        """(n,) bool: within ``width`` units of the bone ``name``, from ``start`` to ``end`` of its length."""
        along, _, away = self.along(name)
        return (away < width) & (along >= start) & (along <= end)

    def bone(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Its two ends (x, y) in working pixels."""
        first, second = BONES[name]
        return self.points[list(first)].mean(0), self.points[list(second)].mean(0)

    def along(self, name: str, at: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the superpixels, or places ``at`` (k, 2): share of the bone's length, and units across it and away from it."""
        a, b = self.bone(name)
        at = self.centre if at is None else at
        axis = b - a
        reach = max(float(np.hypot(*axis)), 0.15 * self.unit)
        axis = axis / max(float(np.hypot(*axis)), 1e-6)
        offset = at - a
        along, across = offset @ axis, (offset[:, 1] * axis[0] - offset[:, 0] * axis[1])
        over = np.clip(along, 0, reach) - along
        return along / reach, across / self.unit, np.hypot(over, across) / self.unit


def frame(person: Person) -> Frame:
    """``person`` with ``landmarks``, ``hands``, ``face`` and ``matte``, looked at where they are."""
    assert person.landmarks is not None
    assert person.matte is not None
    assert person.hands is not None
    assert person.face is not None
    window = _window(person.matte)
    cut = np.s_[window[1] : window[3], window[0] : window[2]]
    image, scale = reduced(person.image[cut])
    matte, _ = reduced(person.matte[cut])
    tiles = mosaic(lab_of(image), (0.7, 1.5))
    soft = tiles.mean(matte)
    code, kinship = codebook(tiles.lab, tiles.area, soft)

    def placed(points: np.ndarray) -> np.ndarray:
        return (points[:, :2] - window[:2]) * scale - 0.5

    points = placed(person.landmarks)
    hands = tuple(placed(hand) if hand[0, 2] > 0 else None for hand in person.hands)
    return Frame(
        **vars(tiles), window=window, scale=scale, image=image, matte=matte, soft=soft, code=code, kinship=kinship,
        unit=_UNIT * _pixels_to_a_metre(person.landmarks) * scale, points=points, landmarks=person.landmarks,
        face=placed(person.face) if person.face[0, 2] > 0 else None, hands=(hands[0], hands[1]),
    )  # fmt: skip


def _window(matte: np.ndarray) -> tuple[int, int, int, int]:
    height, width = matte.shape
    rows, columns = (np.flatnonzero((matte > 0.3).any(axis)) for axis in (1, 0))
    if not len(rows):
        return 0, 0, width, height
    margin = round(_MARGIN * max(np.ptp(rows), np.ptp(columns))) + 2
    return (
        max(0, int(columns[0]) - margin), max(0, int(rows[0]) - margin),
        min(width, int(columns[-1]) + margin + 1), min(height, int(rows[-1]) + margin + 1),
    )  # fmt: skip


def _pixels_to_a_metre(landmarks: np.ndarray) -> float:
    """From the trunk, arms and head: how their places in the picture spread against those in metres."""
    chosen = [0, 7, 8, 11, 12, 13, 14, 23, 24]
    flat, metres = landmarks[chosen, :2].astype(float), landmarks[chosen, 4:6].astype(float)
    flat, metres = flat - flat.mean(0), metres - metres.mean(0)
    return float(np.sqrt((flat**2).sum() / max((metres**2).sum(), 1e-6)))


def plain(f: Frame) -> np.ndarray:
    """(n, c): :func:`places` and :func:`colours`."""
    return np.hstack([places(f), colours(f)])


def spread(f: Frame, chances: np.ndarray) -> np.ndarray:
    """(n, k): ``chances`` of the superpixels that may be the person's; the others are backdrop, the first of the k, for certain."""
    out = np.zeros((len(f.area), chances.shape[1]))
    out[:, 0] = 1
    out[f.soft > THERE] = chances
    return out


# ------------------------------------------------------------------------------------------------------------- places


def places(f: Frame) -> np.ndarray:
    """(n, c): where each superpixel lies on the body, and how the body stands."""
    columns = []
    for name in BONES:
        along, across, away = f.along(name)
        columns += [np.clip(along, -1.5, 2.5), np.clip(across, -_FAR, _FAR), np.exp(-away / 0.5), np.exp(-away / 0.15)]
    columns += list(on_face(f).T)
    for hand in f.hands:
        columns.append(np.ones(len(f.area)) if hand is None else np.clip(_depth(f, hand[list(_HAND_OUTLINE)]), -1, 1))
    columns += [f.soft, np.clip(f.mean(_into(f.matte > 0.5)) / f.unit, -1, 1.5)]
    return np.column_stack([*columns, np.tile(_stance(f), (len(f.area), 1))])


def _stance(f: Frame) -> np.ndarray:
    """How the body is turned and what of it is seen: the same for every superpixel."""
    rows = f.landmarks
    metre = f.unit / _UNIT / f.scale
    turned = (rows[11, 0] - rows[12, 0]) / metre / 0.35
    depth = [
        rows[a, 6] - rows[b, 6]
        for a, b in ((13, 11), (14, 12), (15, 11), (16, 12), (25, 23), (26, 24), (0, 7), (0, 8), (11, 12))
    ]
    seen = rows[[0, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28], 2]
    parts = [f.face is not None, *(hand is not None for hand in f.hands)]
    return np.concatenate([[np.clip(turned, -1.5, 1.5)], np.clip(depth, -1, 1) * 2, seen, parts])


def on_face(f: Frame) -> np.ndarray:
    """(n, 6): place in the axes of the head, depth in the outline of the face mesh, distance from the chin, and from the crown."""
    if f.face is not None:
        right, left, mouth = f.face[list(_FACE_AXES)]
        chin, crown = f.face[152], f.face[10]
        depth = np.clip(_depth(f, f.face[list(FACE_OVAL)]), -1, 1)
    else:
        left, right = f.points[3], f.points[6]
        mouth = f.points[9:11].mean(0)
        chin, crown = mouth + 0.6 * (mouth - f.points[0]), f.points[[2, 5]].mean(0) + 0.9 * (f.points[[2, 5]].mean(0) - mouth)
        depth = np.ones(len(f.area))
    down = mouth - (left + right) / 2
    down = down / max(float(np.hypot(*down)), 1e-6)
    offset = (f.centre - (left + right) / 2) / f.unit
    away = [np.hypot(*(f.centre - place).T) / f.unit for place in (chin, crown)]
    aside = offset[:, 0] * down[1] - offset[:, 1] * down[0]
    return np.column_stack(
        [np.clip(aside, -2, 2), np.abs(np.clip(aside, -2, 2)), np.clip(offset @ down, -2, 3), depth, *np.minimum(away, 3)]
    )


def _depth(f: Frame, outline: np.ndarray) -> np.ndarray:
    """(n,) how deep in an outline (k, 2), in units; negative outside."""
    return f.mean(_into(_filled(f, outline))) / f.unit


def _filled(f: Frame, outline: np.ndarray) -> np.ndarray:
    """bool (h, w): inside an outline, its hull where it crosses itself."""
    out = np.zeros(f.index.shape, np.uint8)
    cv2.fillConvexPoly(out, cv2.convexHull(np.round(outline * 16).astype(np.int32)), 1, shift=4)
    return out > 0


def _into(mask: np.ndarray) -> np.ndarray:
    """float32 (h, w): pixels from the edge of ``mask``, negative outside; the picture's own edge is none."""
    if mask.all() or not mask.any():
        return np.full(mask.shape, 1e3 if mask.all() else -1e3, np.float32)
    inner, outer = (cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, 3) for side in (mask, ~mask))
    return inner - outer


# ------------------------------------------------------------------------------------------------------------ colours


def skin_pixels(f: Frame) -> np.ndarray:
    """bool (h, w): bare skin of the face for certain, without eyes, brows and mouth; none where no face is seen."""
    if f.face is None:
        return np.zeros(f.index.shape, bool)
    middle = f.face[list(FACE_OVAL)].mean(0)
    inside = _filled(f, middle + 0.85 * (f.face[list(FACE_OVAL)] - middle))
    for outline in _EYES_AND_MOUTH:
        inside &= ~_filled(f, f.face[list(outline)])
    return inside & (f.matte > 0.6)


def seeds(f: Frame) -> np.ndarray:
    """(s, n) 0..1: how surely each superpixel shows the skin of the face, of each hand, and what lies on the head, the chest, the belly,
    the seat, the thighs, the shins, the upper and the lower arms, the neck, and behind the person."""
    there = f.soft > 0.8
    hands = [np.zeros(len(f.area)) if hand is None else f.mean(_filled(f, hand)) * there for hand in f.hands]
    bare = np.maximum(*hands) > 0.3
    face = f.mean(skin_pixels(f))
    arms = bare.copy()
    for side in ("left", "right"):
        arms |= f.near(f"{side}-lower-arm", 0.3) | f.near(f"{side}-upper-arm", 0.25, 0.2)
    trunk = f.along("trunk")
    across = 0.5 * np.hypot(*np.subtract(*f.bone("shoulders"))) / f.unit
    inner = np.abs(trunk[1]) < max(0.6 * across, 0.3)
    head = on_face(f)
    brow = (head[:, 2] < -0.25) | (f.face is None)
    rows = [face, *hands, (head[:, 3] < -0.02) & brow & (head[:, 5] < 0.9) | (head[:, 5] < 0.5) & (f.face is None)]
    rows += [inner & (trunk[0] > low) & (trunk[0] < high) & ~arms for low, high in ((0.12, 0.45), (0.45, 0.8), (0.95, 1.25))]
    for low in ("thigh", "shin"):
        rows.append(np.logical_or(*(f.near(f"{side}-{low}", 0.22, 0.15, 0.85) for side in ("left", "right"))) & ~bare)
    for low, width in (("upper-arm", 0.16), ("lower-arm", 0.12)):
        rows += [f.near(f"{side}-{low}", width, 0.1, 0.9) for side in ("left", "right")]
    rows.append(f.near("neck", 0.15, 0.3, 0.7) & (head[:, 3] < -0.02))
    seeded = np.array(rows, float) * there
    return np.vstack([seeded, f.soft < 0.02])


def likeness(f: Frame, weights: np.ndarray) -> np.ndarray:
    """(n, s): how much likelier each superpixel's colour is under each of ``weights`` (s, n) than anywhere, as a logarithm; 0 for one
    without weight."""
    everything = np.bincount(f.code, f.area, len(f.kinship)) / f.area.sum()
    shares = np.stack([np.bincount(f.code, f.area * row, len(f.kinship)) for row in weights])
    total = shares.sum(axis=1, keepdims=True)
    shares = shares / np.maximum(total, 1e-9) @ f.kinship
    plain = everything @ f.kinship
    ratio = np.log((shares + _SHADE * plain) / (plain * (1 + _SHADE)))[:, f.code]
    return (ratio * (total > 4)).T


def colours(f: Frame) -> np.ndarray:
    """(n, c): each superpixel's colour against those of the photograph's own seeds, and against skin as such."""
    seeded = seeds(f)
    columns = [likeness(f, seeded), ways(f, seeded[:-1] > 0.5)]
    for row in seeded[:3]:
        tone = _tone(f, row)
        columns.append(np.clip((f.lab - tone) / _TINT, -3, 3) if tone is not None else np.zeros((len(f.area), 3)))
        near = np.exp(-0.5 * ((f.lab - tone) / _TINT * (0.6, 1, 1)) ** 2).prod(1) if tone is not None else np.zeros(len(f.area))
        columns.append(near[:, None])
    chroma = np.hypot(f.lab[:, 1], f.lab[:, 2])
    hue = np.arctan2(f.lab[:, 2], f.lab[:, 1])
    general = np.exp(-0.5 * (((hue - 0.9) / 0.3) ** 2 + ((chroma - 20) / 9) ** 2))
    lightness = cv2.cvtColor(f.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rough = np.sqrt(np.maximum(f.mean(lightness**2) - f.mean(lightness) ** 2, 0)) / 20
    columns.append(np.column_stack([f.lab / (50, 25, 25) - (1, 0, 0), general, np.minimum(rough, 2)]))
    return np.hstack(columns)


def ways(f: Frame, sources: np.ndarray) -> np.ndarray:
    """(n, s): how far it is from each of ``sources`` (s, n) bool over the picture's edges, as a logarithm; 5 from one that is nowhere."""
    (i, j), n = f.pairs.T, len(f.area)
    step = 0.3 + f.contrast + 0.25 * np.linalg.norm(f.lab[i] - f.lab[j], axis=1) + 10 * np.abs(f.soft[i] - f.soft[j])
    graph = csr_matrix((np.r_[step, step], (np.r_[i, j], np.r_[j, i])), shape=(n, n))
    out = np.full((n, len(sources)), 5.0)
    for column, row in enumerate(sources):
        if row.any():
            out[:, column] = np.minimum(np.log1p(dijkstra(graph, indices=np.flatnonzero(row), min_only=True) / 8), 5)
    return out


def _tone(f: Frame, weight: np.ndarray) -> np.ndarray | None:
    """Lab, the median colour of the superpixels that ``weight`` (n,) is on."""
    chosen = weight > 0.5
    return np.median(f.lab[chosen], axis=0) if chosen.sum() >= 3 else None


# ------------------------------------------------------------------------------------------------------- second thoughts

_LIMBS = (
    "left-upper-arm",
    "left-lower-arm",
    "right-upper-arm",
    "right-lower-arm",
    "left-thigh",
    "left-shin",
    "right-thigh",
    "right-shin",
    "trunk",
)


def context(f: Frame, chances: np.ndarray) -> np.ndarray:
    """(n, c): what a first guess (n, k) says of each superpixel's colour, its surroundings, and the limb that it lies on."""
    person = chances * f.area[:, None]
    columns = [
        chances,
        smooth(f, chances, 6),
        likeness(f, (chances * (chances > 0.4)).T),
        ways(f, chances[:, 1:].T > 0.8),
        np.tile(person.sum(0) / person.sum(), (len(f.area), 1)),
    ]
    for name in _LIMBS:
        columns.append(_before_and_beyond(f, chances, name))
    return np.hstack(columns)


def _before_and_beyond(f: Frame, chances: np.ndarray, name: str) -> np.ndarray:
    """(n, 3 k): of the first guess on the bone ``name``, the mean nearer to its start than a place, about it, and beyond it."""
    along, _, away = f.along(name)
    weight = f.area * np.exp(-((away / (0.35 if name == "trunk" else 0.15)) ** 2)) * f.soft
    bins = np.clip(((along + 0.25) * 10).astype(int), 0, 15)
    held = np.stack([np.bincount(bins, weight * column, 16) for column in chances.T], axis=1)
    mass = held.sum(1, keepdims=True)
    before, beyond = np.cumsum(held, 0), np.cumsum(held[::-1], 0)[::-1]
    out = []
    for values in (before, held, beyond):
        total = values.sum(1, keepdims=True)
        out.append(np.where(total > 1e-6 * max(mass.sum(), 1e-6), values / np.maximum(total, 1e-9), 0)[bins])
    return np.hstack(out) * np.exp(-away / 0.6)[:, None]


def smooth(f: Frame, chances: np.ndarray, rounds: int) -> np.ndarray:
    """(n, k): ``chances`` carried over boundaries that no edge lies on."""
    weight = f.length * np.exp(-f.contrast / max(float(np.median(f.contrast)), 1e-3))
    i, j = np.r_[f.pairs[:, 0], f.pairs[:, 1]], np.r_[f.pairs[:, 1], f.pairs[:, 0]]
    both = np.r_[weight, weight]
    matrix = csr_matrix((both, (i, j)), shape=(len(f.area),) * 2)
    matrix = diags(1 / np.maximum(np.asarray(matrix.sum(1)).ravel(), 1e-9)) @ matrix
    for _ in range(rounds):
        chances = 0.4 * chances + 0.6 * (matrix @ chances)
    return chances

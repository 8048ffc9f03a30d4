"""A closed surface laid flat: charts seen from six sides, none of which covers itself.

Faces go to the side that they look at; what another face hides from there is laid beside it, layer by layer.
"""

from __future__ import annotations

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from helpers.mannequin.mesh import unit
from helpers.reconstruction import atlas

_SIDES = np.array([(0, 0, 1), (0, 0, -1), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)], float)
_FAVOUR = np.array([1.25, 1.25, 1.0, 1.0, 0.9, 0.9])
"""Front and back take more than their share, so that there are fewer seams in them."""
_AXES = np.array([((1, 0, 0), (0, 1, 0)), ((-1, 0, 0), (0, 1, 0)), ((0, 0, -1), (0, 1, 0)), ((0, 0, 1), (0, 1, 0)), ((1, 0, 0), (0, 0, -1)),
                  ((1, 0, 0), (0, 0, 1))], float)  # fmt: skip
_LAYERS = 12
_ROUNDS = 6
_INNER = 0.9  # of the way from a face's middle to its corners


def unfolded(vertices: np.ndarray, faces: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(W,) rows of ``vertices`` (V, 3), one for each chart that a vertex is in; faces (F, 3) int32 into them; uv float32 (W, 2), v up.

    size: texels a side of the texture, between whose charts a margin is left
    """
    corners = vertices[faces]
    normals = unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    beside = _neighbours(faces)
    score = normals @ _SIDES.T * _FAVOUR
    side = score.argmax(1)
    for _ in range(_ROUNDS):  # a face goes with its neighbours where that is not much worse
        vote = (score + 0.35 * (beside @ np.eye(6)[side])).argmax(1)
        facing = np.einsum("fk,fk->f", normals, _SIDES[vote])
        side = np.where(facing > 0.12, vote, side)
    layer = np.zeros(len(faces), int)
    for number in range(6):
        layer[side == number] = _layered(vertices, faces, np.flatnonzero(side == number), _SIDES[number])
    kind = side * (_LAYERS + 1) + layer
    a, b = beside.nonzero()
    same = kind[a] == kind[b]
    graph = sparse.csr_matrix((np.ones(same.sum(), bool), (a[same], b[same])), (len(faces),) * 2)
    count, chart = connected_components(graph, directed=False)
    code = chart[:, None].astype(np.int64) * len(vertices) + faces
    unique, index = np.unique(code, return_inverse=True)
    rows, chart_of = unique % len(vertices), unique // len(vertices)
    side_of = np.zeros(count, int)
    side_of[chart] = side
    axes = _AXES[side_of[chart_of]]
    flat = np.einsum("wkc,wc->wk", axes, vertices[rows])
    uv = atlas.packed(flat, chart_of.astype(int), size)
    return rows, index.reshape(-1, 3).astype(np.int32), uv


def _neighbours(faces: np.ndarray) -> sparse.csr_matrix:
    """csr (F, F): faces that share an edge."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    code = sides.min(1) * (int(faces.max()) + 1) + sides.max(1)
    owner = np.tile(np.arange(len(faces)), 3)
    order = np.argsort(code, kind="stable")
    same = np.flatnonzero(code[order][1:] == code[order][:-1])
    a, b = owner[order[same]], owner[order[same + 1]]
    rows, columns = np.concatenate([a, b]), np.concatenate([b, a])
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), (len(faces),) * 2)


def _layered(vertices: np.ndarray, faces: np.ndarray, chosen: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """(n,) the layer of each of the ``chosen`` faces, so that seen along ``towards`` none of a layer hides another of it."""
    layer = np.full(len(chosen), -1)
    left = np.arange(len(chosen))
    for number in range(_LAYERS):
        if not len(left):
            break
        scene = EmbreeScene()
        TriangleMesh(scene, vertices.astype(np.float32), np.ascontiguousarray(faces[chosen[left]], np.int32))
        corners = vertices[faces[chosen[left]]]
        middle = corners.mean(1, keepdims=True)
        points = np.concatenate([middle, middle + _INNER * (corners - middle)], axis=1)
        start = (points + 5 * towards).reshape(-1, 3).astype(np.float32)
        ahead = np.tile((-towards).astype(np.float32), (len(start), 1))
        met = scene.run(start, ahead, query="INTERSECT", output=1)
        mine = np.repeat(np.arange(len(left)), 4)
        own = (met["primID"] == mine) | (np.abs(met["tfar"] - 5) < 1e-4)
        clear = own.reshape(-1, 4).all(1)
        if not clear.any():
            break
        layer[left[clear]] = number
        left = left[~clear]
    layer[left] = _LAYERS
    return layer

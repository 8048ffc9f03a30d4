"""Draping: cloth settles on the body by position-based dynamics, a few sparse products an iteration.

Distances along and across the mesh are kept (stretch, shear and bending springs), the cloth stays outside the body, and no point
gets farther from where the garment is held than the cloth in between is long.

Sources: Müller, Heidelberger, Hennix, Ratcliff, "Position Based Dynamics", 2007; Kim, Chentanez, Müller, "Long Range Attachments",
2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from helpers.mannequin.mesh import bend_pairs, neighbour_mean, unique_edges

_GIVE = 1.2  # cloth is longer by up to this where a bent limb asks for it
_TAKE = 0.8  # of a shortening that the pose asks for, the cut takes this share; the rest makes folds
_BESIDE = 0.018  # metres from the nearest point of an inner garment, along it, at which it ends
_RELAXATION = 0.75  # smaller is faster; below about 0.6 Jacobi iterations explode


@dataclass(frozen=True)
class Cloth:
    """How a fabric moves: ``bend`` 0..1 stiffness against bending, ``squash`` 0..1 against being pushed together within its
    plane, ``weight`` times gravity, ``friction`` 0..1 on the body, ``thickness`` in metres."""

    bend: float = 0.12
    squash: float = 0.6
    weight: float = 1.0
    friction: float = 0.25
    thickness: float = 0.003
    steps: int = 36
    iterations: int = 10


@dataclass
class Obstacles:
    """What cloth may not enter: ``points`` (N, 3) with outward ``normals`` (N, 3), and the ``part`` (N,) of the body each is on.

    Cloth of part p collides with the parts in ``meets[p]`` only, so that a sleeve is not pushed about by the trunk, and only
    where the nearest point is within ``reach`` metres: an inner garment ends somewhere.
    """

    points: np.ndarray
    normals: np.ndarray
    part: np.ndarray
    meets: dict[int, tuple[int, ...]]
    reach: float = np.inf
    _trees: dict[int, tuple[cKDTree | None, np.ndarray]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        # The last point stands for "nothing in the way": a floor far below.
        self.points = np.concatenate([self.points, [[0.0, -1e3, 0.0]]])
        self.normals = np.concatenate([self.normals, [[0.0, 1.0, 0.0]]])
        self.part = np.append(self.part, -1)

    def nearest(self, points: np.ndarray, part: np.ndarray) -> np.ndarray:
        """(V,) index of the obstacle point nearest to each of ``points`` (V, 3) among those its ``part`` (V,) meets."""
        out = np.empty(len(points), np.int64)
        for p in np.flatnonzero(np.bincount(part)).tolist():
            if p not in self._trees:
                rows = np.flatnonzero(np.isin(self.part, self.meets[p]))
                tree = cKDTree(self.points[rows], leafsize=24, balanced_tree=False) if len(rows) else None
                self._trees[p] = tree, rows
            tree, rows = self._trees[p]
            mine = part == p
            if tree is None:
                out[mine] = len(self.points) - 1
                continue
            _, found = tree.query(points[mine], eps=0.1, distance_upper_bound=self.reach)
            out[mine] = np.append(rows, len(self.points) - 1)[found]
        return out

    def planes(self, points: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(V, 3) points and normals of the half-spaces that ``points`` must stay out of."""
        near = self.nearest(points, part)
        if np.isfinite(self.reach):  # beyond its edge an inner garment is not in the way
            offset = points - self.points[near]
            height = np.einsum("ij,ij->i", offset, self.normals[near])
            beside = np.einsum("ij,ij->i", offset, offset) - height**2
            near[beside > _BESIDE**2] = len(self.points) - 1
        return self.points[near], self.normals[near]

    def push(self, points: np.ndarray, part: np.ndarray, distance: float | np.ndarray) -> np.ndarray:
        """``points`` moved out to at least ``distance`` from the surface, along its normals."""
        point, normal = self.planes(points, part)
        depth = np.einsum("ij,ij->i", points - point, normal) - distance
        return points - np.minimum(depth, 0)[:, None] * normal


def drape(
    start: np.ndarray,
    rest: np.ndarray,
    faces: np.ndarray,
    obstacles: Sequence[Obstacles],
    part: np.ndarray,
    held: np.ndarray,
    cloth: Cloth = Cloth(),
) -> np.ndarray:
    """Settles a garment; -> (V, 3).

    ``start`` (V, 3) first positions, also where held vertices stay; ``rest`` (V, 3) the shape whose edge lengths the cloth has;
    ``part`` (V,) which obstacles a vertex meets; ``held`` (V,) 0..1, how firmly it stays where it starts (1 is pinned).
    """
    edges, (pairs, hinges) = unique_edges(faces), bend_pairs(faces)
    # The second diagonal of a quadrilateral is as stiff as the first, else cloth would shear one way more easily.
    across, hinge = (np.linalg.norm(rest[p[:, 0]] - rest[p[:, 1]], axis=1) for p in (pairs, hinges))
    diagonal = across < 1.4 * hinge
    constraints = np.concatenate([edges, pairs[diagonal]])
    length, now = (np.linalg.norm(p[constraints[:, 0]] - p[constraints[:, 1]], axis=1) for p in (rest, start))
    length *= _fitted(now / np.maximum(length, 1e-9))
    stiffness = np.ones(len(constraints), np.float32)
    stiffness[len(edges) :] = 0.7
    count, rows = len(start), np.arange(len(constraints))
    data = np.tile(np.array([1, -1], np.float32), len(constraints))
    difference = sparse.csr_matrix((data, (np.repeat(rows, 2), constraints.ravel())), (len(constraints), count))
    total = np.bincount(constraints.ravel(), np.repeat(stiffness, 2), minlength=count)
    free = (1 - np.clip(held, 0, 1)).astype(np.float32)
    gather = (sparse.diags((-0.5 / _RELAXATION / np.maximum(total, 1e-9)).astype(np.float32)) @ difference.T).tocsr()
    near = _rings(edges, count)
    ways = np.linalg.norm(rest[near[:, 0]] - rest[near[:, 1]], axis=1)
    ways *= _fitted(np.linalg.norm(start[near[:, 0]] - start[near[:, 1]], axis=1) / np.maximum(ways, 1e-9))
    length = length.astype(np.float32)[:, None]
    stiffness = stiffness[:, None]
    squash = np.float32(cloth.squash) * stiffness
    iron = _Iron(faces, count, cloth.bend)
    pin, reach = _tethers(near, ways, held)

    position = start.astype(np.float32)
    anchor, firm = position.copy(), np.clip(held, 0, 1).astype(np.float32)[:, None]
    before = position.copy()
    fall = np.array([0, -0.0002 * cloth.weight, 0], np.float32) * free[:, None]
    contacts: list[tuple[np.ndarray, np.ndarray]] = []
    for step in range(cloth.steps):
        speed = (position - before) * 0.9
        before = position.copy()
        position += speed * free[:, None] + fall
        if step % 3 == 0:
            planes = (o.planes(position, part) for o in obstacles)
            contacts = [(point.astype(np.float32), normal.astype(np.float32)) for point, normal in planes]
        for _ in range(cloth.iterations):
            d = difference @ position
            size = np.sqrt(np.einsum("ij,ij->i", d, d))[:, None]
            stretch = 1 - length / np.maximum(size, 1e-7)
            stretch *= np.where(stretch > 0, stiffness, squash)
            d *= stretch
            move = gather @ d
            position += move * free[:, None]
            for plane in contacts:
                _collide(position, before, *plane, cloth)
        if pin is not None:
            gap = position - position[pin]
            size = np.sqrt(np.einsum("ij,ij->i", gap, gap))
            over = np.minimum(reach / np.maximum(size, 1e-7), 1)[:, None] - 1
            position += over * gap * free[:, None]
        iron(position, free)
        position += firm * (anchor - position)
        for plane in contacts:
            _collide(position, before, *plane, cloth)
    return position.astype(np.float64)


def _fitted(ratio: np.ndarray) -> np.ndarray:
    """How much longer or shorter cloth is than at rest, where the pose stretches it by ``ratio``."""
    return np.where(ratio > 1, np.minimum(ratio, _GIVE), 1 + _TAKE * (np.maximum(ratio, 0.4) - 1))


class _Iron:
    """Resistance to bending: every vertex moves along its normal towards the mean of its neighbours."""

    def __init__(self, faces: np.ndarray, count: int, amount: float) -> None:
        self.mean = neighbour_mean(faces, count).astype(np.float32)
        owner = np.repeat(np.arange(len(faces)), 3)
        self.gather = sparse.csr_matrix((np.ones(len(owner), np.float32), (faces.ravel(), owner)), (count, len(faces)))
        self.faces, self.amount = faces, np.float32(amount)

    def __call__(self, position: np.ndarray, free: np.ndarray) -> None:
        a, b, c = (position[self.faces[:, k]] for k in range(3))
        normal = self.gather @ np.cross(b - a, c - a)
        normal /= np.maximum(np.sqrt(np.einsum("ij,ij->i", normal, normal)), 1e-12)[:, None]
        rise = np.einsum("ij,ij->i", self.mean @ position - position, normal)
        position += (self.amount * free * rise)[:, None] * normal


def _collide(position: np.ndarray, before: np.ndarray, point: np.ndarray, normal: np.ndarray, cloth: Cloth) -> None:
    depth = np.einsum("ij,ij->i", position - point, normal) - cloth.thickness
    inside = np.flatnonzero(depth < 0)
    position[inside] -= depth[inside, None] * normal[inside]
    slip = position[inside] - before[inside]
    before[inside] += cloth.friction * slip


def _rings(edges: np.ndarray, count: int) -> np.ndarray:
    """(N, 2) all pairs at most three edges apart: paths along them zigzag by less than a hundredth."""
    ring = sparse.csr_matrix((np.ones(len(edges), np.int32), (edges[:, 0], edges[:, 1])), (count, count))
    ring = ring + ring.T
    two = ring @ ring + ring
    pairs = sparse.triu(two @ ring + two, 1).tocoo()
    return np.stack([pairs.row, pairs.col], axis=1)


def _tethers(edges: np.ndarray, length: np.ndarray, held: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """For each vertex the held vertex nearest along the cloth and how far away it may get."""
    pins, count = np.flatnonzero(held > 0.2), len(held)
    if not len(pins):
        return None, None
    graph = sparse.csr_matrix((length, (edges[:, 0], edges[:, 1])), (count, count))
    distance, _, source = dijkstra(graph, directed=False, indices=pins, min_only=True, return_predecessors=True)
    lost = ~np.isfinite(distance)
    source, distance = np.where(lost, np.arange(count), source), np.where(lost, 0, distance)
    return source, (distance + 0.002).astype(np.float32)

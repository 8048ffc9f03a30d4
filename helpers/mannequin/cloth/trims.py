"""What is sewn onto the edges of a garment: turned hems, ribs, bands, collars, all swept along the edge.

A profile is a polyline in the plane square to the edge: first coordinate away from the cloth, second outwards from the body.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from helpers.mannequin.mesh import unit, vertex_normals


@dataclass
class Mesh:
    """A piece of geometry with what the cloth's material asks for. ``attributes`` name -> (V,)."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    normals: np.ndarray
    attributes: dict[str, np.ndarray] = field(default_factory=dict)


def join(meshes: list[Mesh]) -> Mesh:
    """One mesh of several; an attribute that one lacks is 0 there."""
    names = sorted({name for mesh in meshes for name in mesh.attributes})
    first = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, first, strict=True)]).astype(np.int32),
        np.concatenate([mesh.uv for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        {name: np.concatenate([mesh.attributes.get(name, np.zeros(len(mesh.vertices))) for mesh in meshes]) for name in names},
    )


def compact(mesh: Mesh) -> Mesh:
    """``mesh`` without vertices that no face uses."""
    used, faces = np.unique(mesh.faces, return_inverse=True)
    attributes = {name: values[used] for name, values in mesh.attributes.items()}
    faces = faces.reshape(-1, 3).astype(np.int32)
    return Mesh(mesh.vertices[used], faces, mesh.uv[used], mesh.normals[used], attributes)


@dataclass
class Edge:
    """A closed edge of cloth: ``points`` (N, 3) in order, unit ``out`` (N, 3) away from the cloth in its plane, ``normal``
    (N, 3) out of the body, ``along`` (N + 1,) metres."""

    points: np.ndarray
    out: np.ndarray
    normal: np.ndarray

    @property
    def along(self) -> np.ndarray:
        """(N + 1,) arc length; the last entry is the girth."""
        step = np.linalg.norm(np.roll(self.points, -1, axis=0) - self.points, axis=1)
        return np.concatenate([[0], np.cumsum(step)])


def edge_of(points: np.ndarray, normals: np.ndarray, smooth: float = 2.0, closed: bool = True) -> Edge:
    """The edge through ``points`` (N, 3), cloth on its left, with the cloth's ``normals`` (N, 3) there."""
    mode = "wrap" if closed else "nearest"
    normal = gaussian_filter1d(normals, smooth + 1, axis=0, mode=mode)
    step = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    if not closed:
        step[[0, -1]] = points[[1, -1]] - points[[0, -2]]
    tangent = gaussian_filter1d(step, smooth, axis=0, mode=mode)
    tangent = unit(tangent)
    normal -= np.einsum("ij,ij->i", normal, tangent)[:, None] * tangent
    normal = unit(normal)
    return Edge(points, np.cross(tangent, normal), normal)


def sweep(edge: Edge, profile: np.ndarray, closed: bool = True, share: np.ndarray | None = None) -> Mesh:
    """A strip along ``edge`` with cross-section ``profile`` (K, 2) or (N, K, 2), from the outer face over the rim to the inner.

    ``share`` (N,) bool leaves out what is not chosen (an open strip).
    """
    profile = np.broadcast_to(profile, (len(edge.points), *np.shape(profile)[-2:]))
    count, width = profile.shape[:2]
    grid = edge.points[:, None] + profile[..., :1] * edge.out[:, None] + profile[..., 1:] * edge.normal[:, None]
    across = np.linalg.norm(np.diff(profile, axis=1), axis=2)
    v = np.concatenate([np.zeros((count, 1)), np.cumsum(across, axis=1)], axis=1)
    u = np.broadcast_to(edge.along[:-1, None], v.shape)
    row = np.arange(count if closed else count - 1)
    if share is not None:
        row = row[share[row] & share[(row + 1) % count]]
    after = (row + 1) % count
    k = np.arange(width - 1)
    a, b = row[:, None] * width + k, after[:, None] * width + k
    quads = np.stack([a, a + 1, b + 1, b], axis=-1).reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    vertices = grid.reshape(-1, 3)
    uv = np.stack([u, v], axis=-1).reshape(-1, 2)
    return Mesh(vertices, faces, uv, vertex_normals(vertices, faces))


def capped(mesh: Mesh, count: int) -> Mesh:
    """A strip swept along ``count`` points with its two ends closed."""
    width = len(mesh.vertices) // count
    k = np.arange(1, width - 1)
    last = (count - 1) * width
    first = np.stack([np.zeros_like(k), k + 1, k], axis=1)
    ends = np.concatenate([first, last + first[:, ::-1]]).astype(np.int32)
    return Mesh(mesh.vertices, np.concatenate([mesh.faces, ends]), mesh.uv, mesh.normals, mesh.attributes)


def turned_hem(thickness: float = 0.0025, depth: float = 0.006) -> np.ndarray:
    """Cross-section of cloth folded over at its edge."""
    t = thickness
    return np.array([(0, 0), (0.3 * t, -0.2 * t), (0.3 * t, -0.8 * t), (0, -t), (-depth, -t)])


def rib(width: float, thickness: float = 0.003) -> np.ndarray:
    """Cross-section of a knitted band of ``width`` sewn onto the edge, a little prouder than the cloth."""
    t = thickness / 2
    return np.array(
        [
            (-0.004, -0.2 * t), (-0.003, 0.9 * t), (0.002, 1.3 * t), (0.3 * width, 1.5 * t), (0.75 * width, 1.3 * t),
            (width - t, 0.9 * t), (width, 0), (width - t, -0.9 * t), (0.5 * width, -1.1 * t), (-0.004, -1.1 * t),
        ]
    )  # fmt: skip


def band(edge: Edge, points: np.ndarray, normals: np.ndarray, width: float, thickness: float = 0.0022) -> Mesh:
    """A band of ``width`` lying on the cloth (its ``points`` and ``normals``, (V, 3)) down from its edge, stitched along both."""
    t = thickness
    profile = np.array(
        [
            (-width, -0.0005), (0.0006 - width, t), (-0.75 * width, 1.1 * t), (-0.5 * width, 1.1 * t), (-0.25 * width, 1.1 * t),
            (-0.0015, t), (0, 0.3 * t), (-0.001, -t), (-0.3 * width, -t),
        ]
    )  # fmt: skip
    mesh = sweep(edge, profile)
    lying = np.tile(profile[:, 0] < -0.003, len(edge.points))
    near = cKDTree(points).query(mesh.vertices[lying])[1]
    above = np.einsum("ij,ij->i", mesh.vertices[lying] - points[near], normals[near])
    height = np.tile(profile[:, 1], len(edge.points))[lying]
    mesh.vertices[lying] += (height - above)[:, None] * normals[near]
    mesh.normals = vertex_normals(mesh.vertices, mesh.faces)
    down = np.tile(-profile[:, 0], len(edge.points))
    mesh.attributes["hem"] = np.minimum(down, width - down).clip(0)
    return mesh


def fitted(places: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(N, k) scattered ``values`` (M, k) at ``wanted`` (N, 2), from the plane that best fits the ten nearest of ``places`` (M, 2).

    Moving least squares: unlike interpolation in a triangulation it has no edge to fall off and always costs the same.
    """
    distance, near = cKDTree(places).query(wanted, k=10)
    weight = np.exp(-2 * (distance / distance[:, -1:]) ** 2)
    design = np.concatenate([np.ones((*near.shape, 1)), places[near] - wanted[:, None]], axis=2)
    # A trace of damping on the slopes for neighbours in one line.
    damping = np.diag([0.0, 1.0, 1.0]) * 1e-3 * (distance[:, -1] ** 2)[:, None, None]
    normal = np.einsum("nmi,nm,nmj->nij", design, weight, design) + damping
    right = np.einsum("nmi,nm,nmk->nik", design, weight, values[near])
    return np.linalg.solve(normal, right)[:, 0]

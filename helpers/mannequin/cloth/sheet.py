"""A garment on its way from the cutting table to the picture: one sheet of cloth made up, draped and finished."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from helpers.mannequin.cloth.flatten import flatten
from helpers.mannequin.cloth.simulate import Cloth, Obstacles, drape
from helpers.mannequin.cloth.trims import Edge, Mesh, band, edge_of
from helpers.mannequin.mesh import loops, neighbour_mean, on_edges, refine_triangles, unique_edges, vertex_normals

_FAR = 0.25  # metres; distances to edges are told up to here


@dataclass
class Sheet:
    """``faces`` (F, 3) over V welded vertices; ``rest`` (V, 3) sewn but hanging on nobody, ``start`` (V, 3) posed on the body;
    ``part`` (V,) the tube of the body it is on; ``held`` (V,) 0..1; ``lines`` name -> (V,) bool, its edges and seams.

    ``wedge_faces`` (F, 3) over W wedges (vertices once a panel), ``wedge_vertex`` and ``wedge_panel`` (W,), ``uv`` (W, 2) metres.
    """

    faces: np.ndarray
    rest: np.ndarray
    start: np.ndarray
    part: np.ndarray
    held: np.ndarray
    lines: dict[str, np.ndarray]
    wedge_faces: np.ndarray
    wedge_vertex: np.ndarray
    wedge_panel: np.ndarray
    uv: np.ndarray
    template: np.ndarray | None = None  # (V, 3) where a vertex lies on the template, for cuts from the hull
    _distance: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def places(self) -> np.ndarray:
        """(V, 3) where every vertex lies on the template; raises ``ValueError`` for cloth that was not cut from the hull."""
        if self.template is None:
            raise ValueError("this sheet was not cut from the hull, so its vertices have no place on the template.")
        return self.template

    def distance(self, line: str) -> np.ndarray:
        """(V,) metres along the cloth to the line, at most 0.25; 0.25 everywhere where the garment has none."""
        if line not in self._distance:
            self._distance[line] = distance_to(self.rest, self.faces, self.lines.get(line))
        return self._distance[line]

    def stitch_distance(self, line: str) -> np.ndarray:
        """As :meth:`distance`, straight and exact within 8 cm, where stitches and ribs are."""
        out, on = self.distance(line), self.lines.get(line)
        if on is None or not on.any():
            return out
        edges = unique_edges(self.faces)
        ends = self.rest[edges[on[edges].all(axis=1)]]
        share = np.arange(4)[:, None, None] / 4
        curve = (ends[:, 0] * (1 - share) + ends[:, 1] * share).reshape(-1, 3)
        near = np.flatnonzero(out < 0.08)
        straight = cKDTree(np.concatenate([curve, self.rest[on]])).query(self.rest[near])[0]
        out = out.copy()
        out[near] = straight
        return out

    def unroll(self) -> None:
        """Replaces the guess in ``uv`` by the panels' flat shapes."""
        panel = self.wedge_panel[self.wedge_faces[:, 0]]
        for p in np.unique(panel):
            used, local = np.unique(self.wedge_faces[panel == p], return_inverse=True)
            self.uv[used] = flatten(self.rest[self.wedge_vertex[used]], local.reshape(-1, 3), self.uv[used])

    def settle(self, obstacles: list[Obstacles], cloth: Cloth) -> None:
        """Drapes: ``start`` becomes where the cloth comes to rest."""
        start = self.start
        for obstacle in obstacles:
            start = obstacle.push(start, self.part, cloth.thickness)
        self.start = drape(start, self.rest, self.faces, obstacles, self.part, self.held, cloth)

    def refined(self) -> Sheet:
        """This sheet with every triangle cut in four, smoothly."""
        count = len(self.rest)
        matrix, faces, ends = refine_triangles(self.faces, count)
        smooth, wedge_faces, wedge_ends = refine_triangles(self.wedge_faces, len(self.wedge_vertex))
        span = count + 1
        code = np.sort(ends, axis=1) @ np.array([span, 1])
        order = np.argsort(code)
        wanted = np.sort(self.wedge_vertex[wedge_ends], axis=1) @ np.array([span, 1])
        middle = order[np.searchsorted(code[order], wanted)] + count
        half = _halves(ends, count)
        return Sheet(
            faces,
            matrix @ self.rest,
            matrix @ self.start,
            np.concatenate([self.part, self.part[ends[:, 0]]]),
            half @ self.held,
            {name: np.concatenate([on, on[ends].all(axis=1)]) for name, on in self.lines.items()},
            wedge_faces,
            np.concatenate([self.wedge_vertex, middle]),
            np.concatenate([self.wedge_panel, self.wedge_panel[wedge_ends[:, 0]]]),
            smooth @ self.uv,
            None if self.template is None else half @ self.template,
            {name: half @ value for name, value in self._distance.items()},
        )

    def edges(self) -> dict[str, list[np.ndarray]]:
        """Name of the line -> its closed loops of vertices, cloth on the left."""
        out: dict[str, list[np.ndarray]] = {}
        for loop in loops(self.faces):
            share = {name: on[loop].mean() for name, on in self.lines.items()}
            name = max(share, key=lambda name: share[name])
            out.setdefault(name, []).append(loop)
        return out

    def smooth_edges(self, sigma: float = 3.0) -> None:
        """Irons the open edges: each becomes a smooth curve, the cloth next to it follows."""
        shift = np.zeros_like(self.start)
        for group in self.edges().values():
            for loop in group:
                points = self.start[loop]
                smooth = gaussian_filter1d(points, sigma, axis=0, mode="wrap")
                shift[loop] = (1 - _corners(points))[:, None] * (smooth - points)
        mean = neighbour_mean(self.faces, len(self.start))
        fixed = np.any(shift != 0, axis=1)
        spread = shift.copy()
        for _ in range(4):
            spread = np.where(fixed[:, None], shift, 0.9 * (mean @ spread))
        self.start = self.start + spread

    def edge(self, loop: np.ndarray) -> Edge:
        """The curve along ``loop`` with the directions a trim needs."""
        return edge_of(self.start[loop], vertex_normals(self.start, self.faces)[loop])

    def band(self, loop: np.ndarray, width: float) -> Mesh:
        """A band sewn along the edge ``loop``."""
        normals = vertex_normals(self.start, self.faces)
        return band(edge_of(self.start[loop], normals[loop]), self.start, normals, width)

    def mesh(self) -> Mesh:
        """The cloth itself, one vertex a wedge, with the attribute ``panel``."""
        normals, w = vertex_normals(self.start, self.faces), self.wedge_vertex
        return Mesh(self.start[w], self.wedge_faces, self.uv, normals[w], {"panel": self.wedge_panel.astype(float)})


def _corners(loop: np.ndarray, span: int = 5) -> np.ndarray:
    """(N,) 0..1: where a closed curve (N, 3) turns sharply, as at the point of a V."""
    before, after = loop - np.roll(loop, span, axis=0), np.roll(loop, -span, axis=0) - loop
    cosine = np.einsum("ij,ij->i", before, after) / np.maximum(
        np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1), 1e-12
    )
    sharp = (np.arccos(np.clip(cosine, -1, 1)) > 0.65).astype(float)
    return np.minimum(gaussian_filter1d(sharp, 1.5, mode="wrap") * 1.5, 1)


def _halves(ends: np.ndarray, count: int) -> sparse.csr_matrix:
    """csr: every old vertex as it is, then the middle of each edge."""
    return sparse.vstack([sparse.identity(count), on_edges(ends, np.full(len(ends), 0.5), count)]).tocsr()


def distance_to(points: np.ndarray, faces: np.ndarray, on: np.ndarray | None) -> np.ndarray:
    """(V,) metres along the mesh from each vertex to the nearest of the bool mask ``on``, at most 0.25."""
    if on is None or not on.any():
        return np.full(len(points), _FAR)
    edges = unique_edges(faces)
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    graph = sparse.csr_matrix((length, (edges[:, 0], edges[:, 1])), (len(points),) * 2)
    return np.minimum(dijkstra(graph, directed=False, indices=np.flatnonzero(on), min_only=True, limit=_FAR), _FAR)

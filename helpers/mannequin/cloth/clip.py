"""Cutting garments out of the body's hull: isolines of scalar fields, clean edges, panels.

A cut is made once in *template* coordinates and holds for every body, because each of its vertices is a fixed mixture of hull
vertices (one row of ``Cut.matrix``). The hull is refined by Catmull-Clark subdivision, then split along the zero line of one field
after another; vertices close to a line are slid onto it first, so that no sliver triangle is left to fray the edge.

Source: Catmull and Clark, "Recursively generated B-spline surfaces on arbitrary topological meshes", 1978.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from helpers.mannequin.mesh import on_boundary, on_edges, unique_edges

Field = Callable[[np.ndarray], np.ndarray]  # template points (N, 3) -> (N,), zero on the line

_SNAP = 0.3  # a crossing nearer than this share of an edge moves the vertex instead of adding one


@dataclass(frozen=True, eq=False)
class Cut:
    """A garment's mesh as mixtures of hull vertices.

    ``matrix`` csr (V, hull); ``faces`` (F, 3) int32; ``points`` (V, 3) in template coordinates; ``lines`` name -> (V,) bool, the
    vertices on that line; ``panel`` (F,) int, which piece of cloth a face belongs to.
    """

    matrix: sparse.csr_matrix
    faces: np.ndarray
    points: np.ndarray
    lines: dict[str, np.ndarray]
    panel: np.ndarray

    def keep(self, faces: np.ndarray) -> Cut:
        """Only the faces chosen by a bool (F,) mask, and the vertices they use."""
        used, local = np.unique(self.faces[faces], return_inverse=True)
        return replace(
            self,
            matrix=self.matrix[used],
            faces=local.reshape(-1, 3).astype(np.int32),
            points=self.points[used],
            lines={name: on[used] for name, on in self.lines.items()},
            panel=self.panel[faces],
        )

    def split(self, name: str, field: Field) -> tuple[Cut, np.ndarray]:
        """Cuts the faces along ``field`` = 0, called ``name``; -> the cut and (F,) bool, which faces lie on the positive side."""
        cut, value = self._snap(field(self.points))
        return cut._insert(name, value)

    def _insert(self, name: str, value: np.ndarray) -> tuple[Cut, np.ndarray]:
        """Adds a vertex wherever an edge still crosses the line, and the triangles that go with it."""
        corners = value[self.faces]
        first, second = self.faces, np.roll(self.faces, -1, axis=1)
        crossing = value[first] * value[second] < 0
        pairs = np.sort(np.stack([first[crossing], second[crossing]], axis=1), axis=1)
        edges, inverse = np.unique(pairs, axis=0, return_inverse=True)
        share = value[edges[:, 0]] / (value[edges[:, 0]] - value[edges[:, 1]])
        blend = on_edges(edges, share, len(value))
        added = np.full(self.faces.shape, -1, np.int64)
        added[crossing] = inverse.ravel() + len(value)

        count = crossing.sum(axis=1)
        pieces, origins = [self.faces[count == 0]], [np.flatnonzero(count == 0)]
        # One crossed edge: the corner opposite it lies on the line. Two: the corner between them is alone on its side.
        for crossed, pick in ((1, corners == 0), (2, crossing & np.roll(crossing, 1, axis=1))):
            rows = np.flatnonzero(count == crossed)
            start = np.argmax(pick[rows], axis=1)
            turn = (start[:, None] + np.arange(3)) % 3
            a, b, c = np.take_along_axis(self.faces[rows], turn, axis=1).T
            ab, bc, ca = np.take_along_axis(added[rows], turn, axis=1).T
            new = [(a, b, bc), (a, bc, c)] if crossed == 1 else [(a, ab, ca), (ab, b, c), (ab, c, ca)]
            for triangle in new:
                pieces.append(np.stack(triangle, axis=1))
                origins.append(rows)
        faces, origin = np.concatenate(pieces).astype(np.int32), np.concatenate(origins)
        value = np.concatenate([value, np.zeros(len(edges))])
        matrix = sparse.vstack([self.matrix, blend @ self.matrix]).tocsr()
        lines = {key: np.concatenate([on, on[edges].all(axis=1)]) for key, on in self.lines.items()}
        lines[name] = (value == 0) | lines.get(name, False)
        points = np.concatenate([self.points, blend @ self.points])
        side = value[faces].sum(axis=1) > 0
        return replace(self, matrix=matrix, faces=faces, points=points, lines=lines, panel=self.panel[origin]), side

    def clip(self, name: str, field: Field) -> Cut:
        """Keeps where ``field`` > 0; the new edge is called ``name``."""
        cut, side = self.split(name, field)
        return cut.keep(side)

    def seam(self, name: str, field: Field, panels: Mapping[int, int] | None = None) -> Cut:
        """Splits panels along ``field`` = 0: on the positive side panel p becomes ``panels[p]`` (all others stay)."""
        cut, side = self.split(name, field)
        panel = cut.panel.copy()
        for old, new in (panels or {}).items():
            panel[side & (cut.panel == old)] = new
        return replace(cut, panel=panel)

    def _snap(self, value: np.ndarray) -> tuple[Cut, np.ndarray]:
        """Slides vertices close to the line onto it; -> the cut and the field's values afterwards."""
        edges = unique_edges(self.faces)
        edges = np.concatenate([edges, edges[:, ::-1]])  # from the vertex that may move, to its neighbour
        here, there = value[edges[:, 0]], value[edges[:, 1]]
        crossing = here * there < 0
        edges, share = edges[crossing], (here / np.where(crossing, here - there, 1))[crossing]
        # A vertex on an earlier line or on the edge of the cloth moves along it only.
        masks = [*self.lines.values(), on_boundary(self.faces, len(value))]
        free = np.ones(len(edges), bool)
        for on in masks:
            free &= ~on[edges[:, 0]] | on[edges[:, 1]]
        good = free & (share < _SNAP)
        edges, share = edges[good], share[good]
        order = np.argsort(share, kind="stable")
        vertex, where = np.unique(edges[order, 0], return_index=True)
        chosen = order[where]
        stay = np.ones(len(value))
        stay[vertex] = 1 - share[chosen]
        step = sparse.diags(stay) + sparse.csr_matrix((share[chosen], (vertex, edges[chosen, 1])), (len(value),) * 2)
        value = value.copy()
        value[vertex] = 0
        value[np.abs(value) < 1e-9] = 0
        return replace(self, matrix=(step @ self.matrix).tocsr(), points=step @ self.points), value

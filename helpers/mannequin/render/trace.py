"""Rays into the scene: the acceleration structure, what camera rays meet, and attributes at the hits.

Ray casting by Embree (Intel, Apache-2.0) through embreex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from helpers.mannequin.mesh import unit
from helpers.mannequin.surface import Hits, Surface

LAYERS = 6  # translucent surfaces a ray passes before the next one counts as opaque
_STEP = 2e-5  # metres a ray goes on behind a translucent hit
_GONE = 0.02  # a ray that has lost all but this much of its light stops


@dataclass
class Fragments:
    """Everything camera rays met: one entry a hit, several along a ray through translucent ribbons.

    ``sample`` (N,) int32 index of the ray; ``layer`` (N,) uint8, 0 the nearest; ``weight`` (N,) its share of the ray's colour;
    ``face`` (N,) int32 over the whole scene; ``bary`` (N, 2) weights of the face's second and third corner; ``depth`` (N,) in
    lengths of the ray's direction.
    """

    sample: np.ndarray
    layer: np.ndarray
    weight: np.ndarray
    face: np.ndarray
    bary: np.ndarray
    depth: np.ndarray

    def __len__(self) -> int:
        return len(self.sample)

    def take(self, index: np.ndarray) -> Fragments:
        """The fragments at ``index``."""
        return Fragments(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


class Scene:
    """Surfaces made ready for rays. Geometry is fixed; :meth:`recoloured` swaps materials without rebuilding anything."""

    def __init__(self, surfaces: Sequence[Surface]) -> None:
        self.surfaces = [s for s in surfaces if len(s.faces)]
        if not self.surfaces:
            raise ValueError("surfaces is empty or has no faces: there is nothing to draw.")
        for s in self.surfaces:
            if not np.isfinite(s.vertices).all():
                raise ValueError(f"surface {s.name!r} has vertices that are not finite numbers.")
            if s.faces.max() >= len(s.vertices) or s.faces.min() < 0:
                raise ValueError(f"surface {s.name!r} has faces beyond its {len(s.vertices)} vertices.")
        counts = [len(s.vertices) for s in self.surfaces]
        self.first_vertex = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        self.first_face = np.concatenate([[0], np.cumsum([len(s.faces) for s in self.surfaces])]).astype(np.int32)
        self.vertices = np.concatenate([s.vertices for s in self.surfaces]).astype(np.float32)
        self.normals = np.concatenate([s.smooth_normals() for s in self.surfaces]).astype(np.float32)
        self.faces = np.concatenate([s.faces + o for s, o in zip(self.surfaces, self.first_vertex[:-1], strict=True)]).astype(
            np.int32
        )
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        self.flat = np.cross(b - a, c - a)
        self.owner = np.repeat(np.arange(len(self.surfaces), dtype=np.int16), np.diff(self.first_face))
        self.channels = [_channels(s) for s in self.surfaces]
        self.translucent = np.array([s.material.opacity is not None for s in self.surfaces])
        thin = self.translucent[self.owner]
        self.solid, self.ribbons = (
            _Faces.of(self.vertices, self.faces, np.flatnonzero(thin == kind)) for kind in (False, True)
        )

    def recoloured(self, surfaces: Sequence[Surface]) -> Scene:
        """This scene with other materials on the same geometry. Raises ``ValueError`` where the geometry differs."""
        surfaces = [s for s in surfaces if len(s.faces)]
        same = len(surfaces) == len(self.surfaces) and all(
            len(a.vertices) == len(b.vertices) and len(a.faces) == len(b.faces)
            for a, b in zip(surfaces, self.surfaces, strict=True)
        )
        if not same:
            raise ValueError("recoloured needs the surfaces this scene was made of; make a new scene for other geometry.")
        out = object.__new__(Scene)
        out.__dict__.update(self.__dict__, surfaces=surfaces, channels=[_channels(s) for s in surfaces])
        return out

    def hits(
        self,
        index: int,
        face: np.ndarray,
        bary: np.ndarray,
        position: np.ndarray | None = None,
        normal: np.ndarray | None = None,
    ) -> Hits:
        """What a material of surface ``index`` is asked with, at scene faces ``face`` (N,); known positions and normals are taken."""
        corners = self.faces[face]
        out = {
            "position": interpolate(self.vertices, corners, bary) if position is None else position,
            "normal": unit(interpolate(self.normals, corners, bary)) if normal is None else normal,
        }
        corners = corners - self.first_vertex[index]
        for name, values in self.channels[index].items():
            out[name] = interpolate(values, corners, bary)
        return out

    def occluded(self, origins: np.ndarray, directions: np.ndarray, reach: float, through: float = 0.5) -> np.ndarray:
        """(N,) float32 light that comes through along ``reach`` metres: 1 free, 0 blocked, ``through`` behind ribbons."""
        free = np.ones(len(origins), np.float32)
        if self.solid is not None:
            free[self.solid.blocks(origins, directions, np.full(len(origins), reach, np.float32))] = 0
        if self.ribbons is not None:
            length = np.where(free > 0, np.float32(reach), np.float32(0))
            free[self.ribbons.blocks(origins, directions, length)] *= through
        return free

    def trace(self, origin: np.ndarray | tuple[float, float, float], directions: np.ndarray) -> Fragments:
        """Follow camera rays from ``origin`` (3,) along ``directions`` (R, 3) through ribbons to the first solid surface."""
        count = len(directions)
        far = np.full(count, 1e30, np.float32)
        left, layers = np.ones(count, np.float32), np.zeros(count, np.uint8)
        start = np.tile(np.asarray(origin, np.float32), (count, 1))
        if self.solid is not None:
            face, bary, far = self.solid.first(start, directions, far)
        parts = self._peel(self.ribbons, start, directions, far, left, layers) if self.ribbons is not None else []
        if self.solid is not None:
            end = np.flatnonzero((face >= 0) & (left > 0)).astype(np.int32)
            parts.append(Fragments(end, layers[end], left[end], face[end], bary[end], far[end]))
        return Fragments(*(np.concatenate([getattr(p, name) for p in parts]) for name in Fragments.__dataclass_fields__))

    def _peel(
        self, ribbons: _Faces, start: np.ndarray, directions: np.ndarray, far: np.ndarray, left: np.ndarray, layers: np.ndarray
    ) -> list[Fragments]:
        """Ribbons before ``far`` (R,), nearest first; ``left`` (R,) and ``layers`` (R,) become what each ray has passed."""
        ray, depth, parts = np.arange(len(directions), dtype=np.int32), np.zeros(len(directions), np.float32), []
        for layer in range(LAYERS + 1):
            face, bary, gone = ribbons.first(start, directions, far[ray] - depth)
            hit = np.flatnonzero(face >= 0)
            face, bary, gone, ray, depth = face[hit], bary[hit], gone[hit], ray[hit], depth[hit] + gone[hit]
            alpha = self._opacity(face, bary) if layer < LAYERS else np.ones(len(hit), np.float32)
            alpha[left[ray] * (1 - alpha) <= _GONE] = 1
            shown = alpha > 0
            parts.append(
                Fragments(ray[shown], layers[ray[shown]], (left[ray] * alpha)[shown], face[shown], bary[shown], depth[shown])
            )
            layers[ray[shown]] += 1
            left[ray] *= 1 - alpha
            on = np.flatnonzero(alpha < 1)
            if not len(on):
                break
            directions = directions[hit][on]
            start = start[hit][on] + directions * (gone[on] + _STEP)[:, None]
            ray, depth = ray[on], depth[on] + np.float32(_STEP)
        return parts

    def _opacity(self, face: np.ndarray, bary: np.ndarray) -> np.ndarray:
        alpha = np.ones(len(face), np.float32)
        owner = self.owner[face]
        for index, surface in enumerate(self.surfaces):
            opacity, which = surface.material.opacity, np.flatnonzero(owner == index)
            if opacity is not None and len(which):
                alpha[which] = np.clip(opacity(self.hits(index, face[which], bary[which])), 0, 1)
                if not np.isfinite(alpha[which]).all():
                    raise ValueError(f"the opacity of surface {surface.name!r} is not always a finite number.")
        return alpha


def _channels(surface: Surface) -> dict[str, np.ndarray]:
    """What materials read off the vertices of ``surface``, as the rays want it."""
    values = surface.attributes if surface.uv is None else {"uv": surface.uv, **surface.attributes}
    return {name: np.ascontiguousarray(array, np.float32) for name, array in values.items()}


def interpolate(values: np.ndarray, corners: np.ndarray, bary: np.ndarray) -> np.ndarray:
    """Vertex ``values`` (V, k) at barycentric places ``bary`` (N, 2) of faces with vertex indices ``corners`` (N, 3): (N, k)."""
    u, v = (bary[:, 0], bary[:, 1]) if values.ndim == 1 else (bary[:, :1], bary[:, 1:])
    out = np.take(values, corners[:, 0], axis=0) * (1 - u - v)
    out += np.take(values, corners[:, 1], axis=0) * u
    out += np.take(values, corners[:, 2], axis=0) * v
    return out


@dataclass
class _Faces:
    """Some faces of the scene, ready for rays."""

    embree: EmbreeScene
    faces: np.ndarray  # (F,) int32 their numbers in the scene

    @classmethod
    def of(cls, vertices: np.ndarray, faces: np.ndarray, chosen: np.ndarray) -> _Faces | None:
        if not len(chosen):
            return None
        embree = EmbreeScene()
        TriangleMesh(embree, vertices, np.ascontiguousarray(faces[chosen]))
        return cls(embree, np.append(chosen, -1).astype(np.int32))

    def first(self, start: np.ndarray, directions: np.ndarray, far: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The nearest face (N,) before ``far`` (N,), -1 for none; its barycentrics (N, 2); how far (N,)."""
        out = self.embree.run(start, directions, dists=far.copy(), query="INTERSECT", output=1)
        return self.faces[out["primID"]], np.stack([out["u"], out["v"]], axis=1), out["tfar"]

    def blocks(self, start: np.ndarray, directions: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """(N,) bool: something lies within ``reach`` (N,)."""
        return self.embree.run(start, directions, dists=reach, query="OCCLUDED") != -1

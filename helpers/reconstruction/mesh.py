"""Triangles with a texture: what figures are made of.

Convention: metres, right-handed, z up, feet on z = 0, facing -y, so that the figure's left hand is at +x: image right from the front.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CLOSED_EDGE = 2  # faces that share an edge of a closed surface


@dataclass(frozen=True)
class Mesh:
    """Triangles of one thing: the body, the hair, a garment.

    name:      what it is
    vertices:  float32 (V, 3), metres
    faces:     int32 (F, 3), counter-clockwise seen from outside
    uv:        float32 (V, 2) in 0..1, v up as in OBJ: (0, 0) is the texture's lower left corner; ``None`` without a texture
    texture:   uint8 (h, w, 3) sRGB RGB, or (h, w, 4) where it is cut out by its opacity; first row on top
    colours:   uint8 (V, 3) sRGB RGB at the vertices, where there is no texture
    normals:   float32 (V, 3), unit; ``None``: smooth ones, as the faces give them
    roughness: 0 mirror .. 1 matte
    two_sided: whether it is a sheet that is seen from both sides, such as cloth
    kind:      ``cloth``, ``skin``, ``hair``, ``eye`` or ``shoe``: how our own views answer light

    Raises ``ValueError`` naming the part that does not fit.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray | None = None
    texture: np.ndarray | None = None
    colours: np.ndarray | None = None
    normals: np.ndarray | None = None
    roughness: float = 0.8
    two_sided: bool = False
    kind: str = "cloth"

    def __post_init__(self) -> None:
        count = len(self.vertices)
        parts: dict[str, tuple[np.ndarray, type, tuple[int, int]]] = {
            "vertices": (self.vertices, np.float32, (count, 3)),
            "faces": (self.faces, np.int32, (len(self.faces), 3)),
        }
        if self.uv is not None:
            parts["uv"] = self.uv, np.float32, (count, 2)
        if self.colours is not None:
            parts["colours"] = self.colours, np.uint8, (count, 3)
        if self.normals is not None:
            parts["normals"] = self.normals, np.float32, (count, 3)
        for part, (values, dtype, shape) in parts.items():
            if values.dtype != dtype or values.shape != shape:
                raise ValueError(
                    f"mesh {self.name!r}: {part} must be {np.dtype(dtype)} {shape}, not {values.dtype} {values.shape}."
                )
            if values.dtype == np.float32 and not np.isfinite(values).all():
                raise ValueError(f"mesh {self.name!r}: {part} are not all finite numbers.")
        if not len(self.faces) or self.faces.min() < 0 or self.faces.max() >= count:
            raise ValueError(f"mesh {self.name!r}: faces must be at least one, of vertices 0 to {count - 1}.")
        if (self.uv is None) != (self.texture is None):
            raise ValueError(f"mesh {self.name!r}: uv and texture belong together.")
        if self.uv is not None and (self.uv.min() < 0 or self.uv.max() > 1):
            raise ValueError(f"mesh {self.name!r}: uv must lie within 0..1.")
        if self.texture is not None and (
            self.texture.dtype != np.uint8 or self.texture.ndim != 3 or self.texture.shape[2] not in (3, 4)
        ):
            raise ValueError(f"mesh {self.name!r}: texture must be uint8 (h, w, 3) or (h, w, 4), not {self.texture.shape}.")

    @property
    def closed(self) -> bool:
        """Whether every edge has a face on either side, so that the mesh has an inside; where a texture's charts meet, vertices of one
        place
        are one."""
        _, place = np.unique(self.vertices, axis=0, return_inverse=True)
        faces = place.reshape(-1)[self.faces]
        sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
        code = sides.min(1) * len(self.vertices) + sides.max(1)
        forward = np.where(sides[:, 0] < sides[:, 1], 1, -1)
        _, edge, count = np.unique(code, return_inverse=True, return_counts=True)
        return bool((count == CLOSED_EDGE).all() and not np.bincount(edge, forward).any())

    @property
    def volume(self) -> float:
        """Cubic metres within, positive where the faces look outwards; of a closed mesh."""
        a, b, c = (self.vertices[self.faces[:, k]].astype(np.float64) for k in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)

"""What a reconstruction returns: textured meshes in metres, to be looked at from all sides and saved.

Convention: metres, right-handed, z up, feet on z = 0, facing -y, so that the figure's left hand is at +x: image right from the front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from helpers import checks

FORMATS = ("glb", "obj", "ply", "stl")
"""What a figure is saved as: ``glb`` with textures in one file, ``obj`` with its ``mtl`` and pictures, ``ply`` with colours at the vertices,
``stl`` the shape alone."""
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
        parts = {"vertices": (self.vertices, np.float32, (count, 3)), "faces": (self.faces, np.int32, (len(self.faces), 3))}
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
        """Whether every edge has a face on either side, so that the mesh has an inside."""
        sides = np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]]).astype(np.int64)
        code = sides.min(1) * len(self.vertices) + sides.max(1)
        forward = np.where(sides[:, 0] < sides[:, 1], 1, -1)
        _, edge, count = np.unique(code, return_inverse=True, return_counts=True)
        return bool((count == CLOSED_EDGE).all() and not np.bincount(edge, forward).any())

    @property
    def volume(self) -> float:
        """Cubic metres within, positive where the faces look outwards; of a closed mesh."""
        a, b, c = (self.vertices[self.faces[:, k]].astype(np.float64) for k in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


@dataclass(frozen=True)
class Figure3D:
    """A figure in three dimensions.

    meshes:  what it is made of
    engine:  name of the engine that made it
    metric:  whether its metres are true; else its height is a guess
    notes:   what was guessed or could not be made, in plain words
    steps:   name -> uint8 picture (h, w, 3), in the order in which they were made, for looking at
    data:    name -> array or number: residuals, cameras
    seconds: time it took
    licence: the terms it comes with; empty where there are none
    made_by: name -> who made it, for each annotation that the engine worked from
    """

    meshes: tuple[Mesh, ...]
    engine: str = ""
    metric: bool = True
    notes: tuple[str, ...] = ()
    steps: dict[str, np.ndarray] = field(default_factory=dict)
    data: dict[str, np.ndarray | float] = field(default_factory=dict)
    seconds: float = 0.0
    licence: str = ""
    made_by: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.meshes:
            raise ValueError("meshes: a figure needs at least one mesh.")

    @property
    def bounds(self) -> np.ndarray:
        """float32 (2, 3), metres: the lowest and the highest corner."""
        ends = [(mesh.vertices.min(0), mesh.vertices.max(0)) for mesh in self.meshes]
        return np.stack([np.min([low for low, _ in ends], 0), np.max([high for _, high in ends], 0)])

    @property
    def height(self) -> float:
        """Metres."""
        low, high = self.bounds[:, 2]
        return float(high - low)

    @property
    def faces(self) -> int:
        """Triangles of all meshes."""
        return sum(len(mesh.faces) for mesh in self.meshes)

    @property
    def closed(self) -> bool:
        """Whether every mesh is a closed surface."""
        return all(mesh.closed for mesh in self.meshes)

    def save(self, folder: str | Path, name: str = "figure", formats: Sequence[str] = ("glb",)) -> list[Path]:
        """Write it into ``folder`` as ``formats``, some of ``FORMATS``, and return the files that may be opened. See ``formats.save``."""
        from helpers.reconstruction import formats as writers

        return writers.save(self, folder, name, checks.names(formats, "formats", FORMATS))

    def views(
        self, count: int = 30, size: tuple[int, int] = (512, 512), elevation: float = 0.0, transparent: bool = False
    ) -> list[np.ndarray]:
        """uint8 (H, W, 3), or (H, W, 4) if ``transparent``, pictures from ``count`` sides, the front first. See ``views.around``."""
        from helpers.reconstruction import views

        return views.around(self, count, size, elevation, transparent)

    def turntable(
        self, path: str | Path, count: int = 30, size: tuple[int, int] = (512, 512), elevation: float = 0.0, fps: int = 15
    ) -> Path:
        """Write a video of the figure turning once, ``.mp4``, ``.gif`` or ``.webp``, and return its path. See ``turntable.write``."""
        from helpers.reconstruction import turntable

        return turntable.write(self.views(count, size, elevation), path, fps)

"""What a reconstruction returns: textured meshes in metres, to be looked at from all sides and saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from helpers import checks
from helpers.reconstruction.mesh import Mesh

FORMATS = ("glb", "obj", "ply", "stl")
"""What a figure is saved as: ``glb`` with textures in one file, ``obj`` with its ``mtl`` and pictures, ``ply`` with colours at its
vertices, ``stl`` the shape alone."""


@dataclass(frozen=True)
class Figure3D:
    """A figure in three dimensions: metres, z up, feet on z = 0, facing -y.

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
        """Write it into ``folder`` as ``formats``, some of ``FORMATS``; what is there under the same names is replaced.

        Returns the file of each: of ``obj`` that one, beside which lie its ``mtl`` and a picture a mesh. GLB has y up and the figure facing
        +z, as glTF asks; the others keep z up. Raises ``files.NotWritten`` where it cannot be written; no half file is left.
        """
        from helpers.reconstruction import formats as writers

        return writers.save(self.meshes, folder, name, checks.names(formats, "formats", FORMATS))

    def views(
        self, count: int = 30, size: tuple[int, int] = (512, 512), elevation: float = 0.0, transparent: bool = False
    ) -> list[np.ndarray]:
        """uint8 (H, W, 3) RGB studio pictures from ``count`` sides, the front first, then from the figure's left, back and right.

        size: (width, height) in pixels; elevation: degrees from which the lens looks down, -80 to 80
        transparent: (H, W, 4) RGBA without a backdrop, with the figure's colours up to its edge
        """
        from helpers.reconstruction import views

        return views.around(self.meshes, count, size, elevation, transparent)

    def depth(self, size: tuple[int, int] = (384, 512)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What a lens before the figure sees: uint8 (H, W, 3) picture, float32 (H, W) metres from the lens (0: backdrop), float32 (H, W, 3)
        where each pixel lies in the figure's metres (not finite: backdrop)."""
        from helpers.reconstruction import views

        return views.seen(self.meshes, size)

    def turntable(
        self, path: str | Path, count: int = 30, size: tuple[int, int] = (512, 512), elevation: float = 0.0, fps: int = 15
    ) -> Path:
        """Write a video of the figure turning once, ``.mp4``, ``.gif`` or ``.webp``, of ``views(count, size, elevation)``."""
        from helpers.reconstruction import turntable

        turntable.require(path)
        return turntable.write(self.views(count, size, elevation), path, fps)

    def page(self) -> str:
        """A whole HTML page in which the figure is turned by hand, without anything from elsewhere."""
        from helpers.reconstruction import viewer

        return viewer.page(self.meshes)

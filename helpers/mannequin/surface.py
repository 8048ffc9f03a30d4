"""What the rooms of the mannequin hand to each other: triangle surfaces with a material.

Convention: metres; +x towards the figure's left (image right), +y up, +z towards the camera, ground at y = 0.
Colours are linear RGB in 0..1 unless a name says sRGB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from helpers.mannequin.mesh import vertex_normals

Colours = np.ndarray  # (N, 3) float32 linear RGB
Hits = dict[str, np.ndarray]
"""Per hit point: ``uv`` (N, 2) where the surface has one, ``position`` and outward ``normal`` (N, 3), every attribute of the surface,
and ``footprint`` (N,), metres that a pixel covers there (not when opacity is asked for). Hits come in batches, in any order."""


@dataclass
class Material:
    """How a surface answers light.

    ``albedo(hits) -> (N, 3)`` linear RGB; ``opacity(hits) -> (N,)`` in 0..1 for ribbons with soft edges (``None``: opaque);
    ``bump(hits) -> (N, 3)`` replaces the shading normals (unit length) where weave or stitching shows (``None``: as modelled).
    """

    albedo: Callable[[Hits], Colours]
    kind: str = "cloth"  # "skin", "cloth", "hair", "eye", "shoe": which shading model
    roughness: float = 0.8  # 0 mirror .. 1 matte
    specular: float = 0.04  # reflectance at normal incidence
    sheen: float = 0.0  # grazing-angle fuzz of knits and velvet
    opacity: Callable[[Hits], np.ndarray] | None = None
    bump: Callable[[Hits], np.ndarray] | None = None


@dataclass
class Surface:
    """A mesh in world coordinates with everything the renderer and the truth need.

    ``vertices`` (V, 3) float64; ``faces`` (F, 3) int32, counter-clockwise seen from outside; ``uv`` (V, 2): metres on the cloth
    for garments, 0..1 atlas for skin; ``normals`` (V, 3) unit or ``None`` for smooth ones; ``labels`` (F,) uint8 in CIHP
    numbering; ``attributes`` name -> (V, k) float interpolated to the hits; ``garment`` index into the outfit's pieces or -1.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    material: Material
    labels: np.ndarray
    uv: np.ndarray | None = None
    normals: np.ndarray | None = None
    attributes: dict[str, np.ndarray] = field(default_factory=dict)
    garment: int = -1

    def smooth_normals(self) -> np.ndarray:
        """(V, 3) area-weighted unit vertex normals, or ``self.normals`` where given."""
        return self.normals if self.normals is not None else vertex_normals(self.vertices, self.faces)

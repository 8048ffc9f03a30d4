"""Studio photographs of a figure from all around, by Embree on any CPU: soft boxes that stay with the lens, shadows on the floor.

The mannequin's own studio takes them, whatever engine made the figure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from helpers import checks
from helpers.mannequin.mesh import unit
from helpers.mannequin.render import studio
from helpers.mannequin.render.camera import LENS, Camera
from helpers.mannequin.render.trace import Scene
from helpers.mannequin.surface import Hits, Material, Surface
from helpers.reconstruction.mesh import Mesh
from helpers.srgb import to_linear

BACKDROP = "#d9d9d7"
_FILL = 0.92  # of the picture is the figure, whichever way it turns
_MOST = 4  # pictures taken side by side
_SPECULAR = {"hair": 0.046, "skin": 0.028, "eye": 0.04}


def around(
    meshes: Sequence[Mesh],
    count: int = 30,
    size: tuple[int, int] = (512, 512),
    elevation: float = 0.0,
    transparent: bool = False,
) -> list[np.ndarray]:
    """uint8 (H, W, 3) RGB from ``count`` sides, the front first, then as if the figure turned to its right (the lens goes to its left).

    size: (width, height) in pixels; elevation: degrees from which the lens looks down, -80 to 80
    transparent: (H, W, 4) RGBA without a backdrop, with the colours of the figure up to its edge
    Raises ``ValueError`` naming what does not fit.
    """
    return list(each(meshes, count, size, elevation, transparent))


def each(
    meshes: Sequence[Mesh], count: int, size: tuple[int, int], elevation: float = 0.0, transparent: bool = False
) -> Iterator[np.ndarray]:
    """The pictures of :func:`around`, one after another."""
    count, size = checks.whole(count, "count", 1, 720), checks.size(size, 32, 4096)
    elevation = checks.number(elevation, "elevation", -80, 80)
    scene = Scene([surface(mesh) for mesh in meshes])
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST)) as pool:  # NumPy and Embree let others run
        yield from pool.map(lambda turn: view(scene, turn, size, elevation, transparent), np.arange(count) * 360 / count)


def view(
    scene: Scene, turn: float, size: tuple[int, int] = (512, 512), elevation: float = 0.0, transparent: bool = False
) -> np.ndarray:
    """One picture with the lens ``turn`` degrees round the figure towards its left side: 90 shows that, 180 the back."""
    shot = studio.render(scene, camera(scene, turn, size, elevation), BACKDROP)
    if not transparent:
        return shot.image
    return np.concatenate([_bled(shot.image, shot.alpha), np.round(shot.alpha * 255).astype(np.uint8)[..., None]], axis=2)


def camera(scene: Scene, turn: float, size: tuple[int, int], elevation: float = 0.0) -> Camera:
    """From ``turn`` and ``elevation``, so far away that the figure fits whichever way it turns."""
    low, high = scene.vertices.min(0), scene.vertices.max(0)
    middle = (low + high) / 2
    radius = float(np.linalg.norm((scene.vertices - middle)[:, [0, 2]], axis=1).max())
    raised = np.radians(elevation)
    tall = (high[1] - low[1]) * np.cos(raised) + 2 * radius * abs(np.sin(raised))
    tall = max(tall, 2 * radius * size[1] / size[0]) / _FILL
    distance = tall / 2 / np.tan(np.radians(LENS) / 2) + radius
    angle = np.radians(turn)
    towards = np.array([np.sin(angle) * np.cos(raised), np.sin(raised), np.cos(angle) * np.cos(raised)])
    x, y, z = (middle + distance * towards).tolist()
    return Camera((x, y, z), tuple(middle.tolist()), LENS, size)


def surface(mesh: Mesh) -> Surface:
    """``mesh`` as the studio takes it, whose y is up and whose z faces the lens."""
    cut_out = mesh.texture is not None and mesh.texture.shape[2] == 4
    look = _Look(mesh)
    kind = "cloth" if mesh.kind == "hair" else mesh.kind  # strands have no direction any more
    material = Material(
        look.albedo, kind, mesh.roughness, _SPECULAR.get(mesh.kind, 0.04), opacity=look.opacity if cut_out else None
    )
    attributes = {} if mesh.colours is None else {"colour": to_linear(mesh.colours)}
    return Surface(
        mesh.name,
        _level(mesh.vertices).astype(np.float64),
        mesh.faces,
        material,
        np.zeros(len(mesh.faces), np.uint8),
        mesh.uv,
        None if mesh.normals is None else unit(_level(mesh.normals)),
        attributes,
    )


def _level(points: np.ndarray) -> np.ndarray:
    """(N, 3) with y up and z towards the lens, of points whose z is up and which face -y."""
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)


class _Look:
    """Colour and opacity of a mesh where rays meet it."""

    def __init__(self, mesh: Mesh) -> None:
        self._linear = None if mesh.texture is None else to_linear(mesh.texture[..., :3])
        self._opacity = None if mesh.texture is None or mesh.texture.shape[2] == 3 else mesh.texture[..., 3:] / np.float32(255)

    def albedo(self, hits: Hits) -> np.ndarray:
        """(N, 3) linear RGB."""
        if self._linear is not None:
            return _read(self._linear, hits["uv"])
        return hits["colour"] if "colour" in hits else np.full((len(hits["position"]), 3), 0.5, np.float32)

    def opacity(self, hits: Hits) -> np.ndarray:
        """(N,) 0..1"""
        assert self._opacity is not None
        return _read(self._opacity, hits["uv"])[:, 0]


def _read(picture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(N, k) of ``picture`` (h, w, k) at ``uv`` (N, 2), v up, between its texels linearly."""
    height, width = picture.shape[:2]
    x, y = np.clip(uv[:, 0] * width - 0.5, 0, width - 1), np.clip((1 - uv[:, 1]) * height - 0.5, 0, height - 1)
    left, top = np.minimum(x.astype(np.int32), width - 2), np.minimum(y.astype(np.int32), height - 2)
    right, down = (x - left)[:, None].astype(np.float32), (y - top)[:, None].astype(np.float32)
    flat, at = picture.reshape(-1, picture.shape[2]), top * width + left
    upper = flat[at] * (1 - right) + flat[at + 1] * right
    lower = flat[at + width] * (1 - right) + flat[at + width + 1] * right
    return upper * (1 - down) + lower * down


def _bled(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """``image`` (H, W, 3) with the colours of what is opaque carried on into its soft edge, so that no backdrop shows there."""
    from scipy import ndimage

    inner = alpha > 0.98
    if not inner.any():
        return image
    nearest = ndimage.distance_transform_edt(~inner, return_distances=False, return_indices=True)
    return np.where((alpha > 0)[..., None], image[nearest[0], nearest[1]], 0).astype(np.uint8)


def seen(meshes: Sequence[Mesh], size: tuple[int, int] = (384, 512)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a camera before the figure sees: uint8 (H, W, 3) picture, float32 (H, W) metres from the lens (0: backdrop), and float32
    (H, W, 3) where in the world each pixel lies, z up (not finite: backdrop)."""
    scene = Scene([surface(mesh) for mesh in meshes])
    shot = studio.render(scene, camera(scene, 0.0, checks.size(size, 32, 4096)), BACKDROP)
    x, y, z = np.moveaxis(shot.position, 2, 0)
    places = np.where((shot.depth > 0)[..., None], np.stack([x, -z, y], axis=2), np.nan).astype(np.float32)
    return shot.image, shot.depth, places

"""The embedded engine of known figures: the mannequin's own body, hair and garments as meshes, their cloth baked into textures.

Nothing is guessed: these are the surfaces that the picture was taken of, one mesh a garment. Cloth is a sheet and open at its hems.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from helpers import engines
from helpers.contract import Base
from helpers.mannequin.engine import Mannequin
from helpers.mannequin.outfit import Outfit
from helpers.mannequin.surface import Hits, Surface
from helpers.person import Person
from helpers.reconstruction import atlas
from helpers.reconstruction.figure import Figure3D
from helpers.reconstruction.mesh import Mesh
from helpers.srgb import encode

TEXTURE = 1024
"""Texels a side of a garment's texture."""
_BATCH = 1 << 18
_LOCKS, _LOCK = 40, (512, 32)  # ribbons of hair that are drawn, and texels of each: along, across


class TrueMesh(Base):
    """The figure behind a picture that the mannequin drew."""

    def __init__(self) -> None:
        self._mannequin = Mannequin()

    def close(self) -> None:
        """Forget the figures kept in memory."""
        self._mannequin.close()

    @engines.checked("reconstruct", "true_mesh")
    def __call__(self, person: Person, *, texture_size: int = TEXTURE) -> Figure3D:
        """Meshes of skin, eyes, hair and every garment of ``person``, who has to come from the mannequin.

        texture_size: texels a side of each texture; the skin's is twice as fine
        Raises ``ValueError`` for anybody whose figure is not known.
        """
        started = perf_counter()
        scene = person.scene
        if scene.get("engine") != "mannequin" or "outfit" not in scene:
            raise ValueError(
                "engine true_mesh knows the figures that the mannequin has drawn, and this is not one of them. Take engine='relief' "
                "for a picture."
            )
        outfit = Outfit.from_dict(scene["outfit"])
        surfaces = self._mannequin.surfaces(outfit, int(scene.get("seed", 0)))
        meshes = [baked(surface, texture_size) for surface in surfaces if len(surface.faces)]
        floor = min(float(mesh.vertices[:, 2].min()) for mesh in meshes)
        for mesh in meshes:
            mesh.vertices[:, 2] -= floor
        notes = ("Garments are sheets of cloth, open at their hems, over a body that is left out where they hide it.",)
        return Figure3D(tuple(meshes), "true_mesh", True, notes, seconds=perf_counter() - started)


def upright(points: np.ndarray) -> np.ndarray:
    """float32 (N, 3) with z up and the figure facing -y, of the mannequin's own points, whose y is up and whose z faces the lens."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1).astype(np.float32)


def baked(surface: Surface, size: int = TEXTURE) -> Mesh:
    """``surface`` with what its material is, in a texture of ``size`` texels a side."""
    used, faces = np.unique(surface.faces, return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.int32)
    uv, texture = (_hair if "strand" in surface.attributes else _cloth)(surface, used, faces, size)
    return Mesh(
        surface.name,
        upright(surface.vertices[used]),
        faces,
        uv,
        texture,
        normals=upright(surface.smooth_normals()[used]),
        roughness=surface.material.roughness,
        two_sided=surface.material.kind in ("cloth", "hair"),
        kind=surface.material.kind,
    )


def _cloth(surface: Surface, used: np.ndarray, faces: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """UV (V, 2) and texture of a surface whose places on a plane, in metres or as an atlas, are known or follow from its shape."""
    values = {name: np.asarray(array)[used] for name, array in surface.attributes.items()}
    if surface.uv is not None:
        values["uv"] = surface.uv[used]
    if surface.name == "skin":
        uv, size = values["uv"].astype(np.float32), 2 * size
    else:
        flat = values["uv"] if "uv" in values else _unrolled(surface, values, used)
        uv = atlas.packed(flat, atlas.charts(faces, len(used)), size)
    texels = atlas.texels(uv, faces, (size, size))
    values |= {"position": surface.vertices[used], "normal": surface.smooth_normals()[used]}
    colours = np.empty((len(texels.face), 3 if surface.material.opacity is None else 4), np.uint8)
    footprint = _footprint(surface.vertices[used], uv, faces, size)
    for first in range(0, len(colours), _BATCH):
        part = slice(first, first + _BATCH)
        some = atlas.Texels(texels.shape, texels.row[part], texels.column[part], texels.face[part], texels.bary[part])
        hits = {name: some.read(array, faces).astype(np.float32) for name, array in values.items()}
        hits["footprint"] = np.full(len(some.face), footprint, np.float32)
        colours[part] = _coloured(surface, hits)
    return uv, texels.filled(colours)


def _hair(surface: Surface, used: np.ndarray, faces: np.ndarray, _: int) -> tuple[np.ndarray, np.ndarray]:
    """UV (V, 2) and RGBA texture of ribbons: every one is drawn as that of ``_LOCKS`` which comes nearest to its tone."""
    strand = surface.attributes["strand"][used]
    assert surface.uv is not None
    along, across = _LOCK
    tones = np.unique(strand, axis=0)
    tones = tones[np.argsort(tones[:, 1], kind="stable")]
    drawn = tones[np.linspace(0, len(tones) - 1, _LOCKS).round().astype(int)]
    lock = np.searchsorted((drawn[1:, 1] + drawn[:-1, 1]) / 2, strand[:, 1])
    u, v = np.meshgrid((np.arange(across) + 0.5) / across, (np.arange(along) + 0.5) / along)
    columns = []
    for one in drawn:
        hits = {"uv": np.stack([u.ravel(), v.ravel()], axis=1), "strand": np.tile(one, (u.size, 1))}
        columns.append(_coloured(surface, hits).reshape(along, across, 4))
    inner = np.clip(surface.uv[used, 0], 0.5 / across, 1 - 0.5 / across)
    uv = np.stack([(lock + inner) / _LOCKS, 1 - np.clip(surface.uv[used, 1], 0, 1)], axis=1)
    return uv.astype(np.float32), np.concatenate(columns, axis=1)


def _coloured(surface: Surface, hits: Hits) -> np.ndarray:
    """uint8 (N, 3) sRGB, or (N, 4) with its opacity, of what the material is at ``hits``."""
    colour = np.clip(encode(np.clip(surface.material.albedo(hits), 0, 1)) * 255 + 0.5, 0, 255).astype(np.uint8)
    if surface.material.opacity is None:
        return colour
    opacity = np.clip(surface.material.opacity(hits), 0, 1)
    return np.concatenate([colour, (opacity * 255 + 0.5).astype(np.uint8)[:, None]], axis=1)


def _unrolled(surface: Surface, values: dict[str, np.ndarray], used: np.ndarray) -> np.ndarray:
    """(V, 2) of a dome, such as an eyeball's front or the scalp: angle from its top, around it (azimuthal equidistant)."""
    if "eye" in values:
        around = values["eye"][:, :3]
    else:
        points = surface.vertices[used]
        around = (points - [points[:, 0].mean(), points[:, 1].min(), points[:, 2].mean()])[:, [0, 2, 1]]
    fallen = np.arctan2(np.hypot(around[:, 0], around[:, 1]), around[:, 2])
    turn = np.arctan2(around[:, 1], around[:, 0])
    return np.stack([fallen * np.cos(turn), fallen * np.sin(turn)], axis=1)


def _footprint(vertices: np.ndarray, uv: np.ndarray, faces: np.ndarray, size: int) -> float:
    """Metres that a texel covers."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    p, q, r = (uv[faces[:, k]].astype(np.float64) for k in range(3))
    across, beside = q - p, r - p
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()
    flat = np.abs(across[:, 0] * beside[:, 1] - across[:, 1] * beside[:, 0]).sum()
    return float(np.sqrt(area / max(flat, 1e-12)) / size)

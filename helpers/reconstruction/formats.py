"""Figures as files: GLB, OBJ with its materials, PLY, STL.

Convention: metres everywhere, feet on the ground. GLB has y up and the figure facing +z, as glTF 2.0 asks and viewers show it; OBJ, PLY
and STL keep z up and the figure facing -y, which Blender's importers call "forward y, up z", and slicers take as it is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image
from trimesh.visual import ColorVisuals, TextureVisuals
from trimesh.visual.material import PBRMaterial

from helpers.files import slug, write_text, write_whole
from helpers.images import write_image
from helpers.reconstruction.mesh import Mesh

_CUTOFF = 0.5  # opacity below which a texel of hair is not there
_GREY = 190


def save(meshes: Sequence[Mesh], folder: str | Path, name: str, formats: Sequence[str]) -> list[Path]:
    """Write ``meshes`` as every one of ``formats`` into ``folder``; what is there under the same names is replaced, each file in one go.

    Returns the file of each format: of ``obj`` that one, beside which lie ``NAME.mtl`` and a picture a mesh.
    """
    folder, stem = Path(folder), slug(name)
    writers = {"glb": _glb, "obj": _obj, "ply": _ply, "stl": _stl}
    return [writers[kind](meshes, folder / f"{stem}.{kind}") for kind in formats]


def scene(meshes: Sequence[Mesh], compact: bool = False) -> trimesh.Scene:
    """``meshes`` as glTF has it: y up, facing +z, one geometry and one PBR material a mesh.

    compact: textures at half their size and as JPEG, for a page
    """
    out = trimesh.Scene()
    for mesh, name in _named(meshes):
        vertices = np.stack([mesh.vertices[:, 0], mesh.vertices[:, 2], -mesh.vertices[:, 1]], axis=1)
        normals = None
        if mesh.normals is not None:
            normals = np.stack([mesh.normals[:, 0], mesh.normals[:, 2], -mesh.normals[:, 1]], axis=1)
        out.add_geometry(
            trimesh.Trimesh(vertices, mesh.faces, vertex_normals=normals, process=False, visual=_visual(mesh, name, compact)),
            geom_name=name,
            node_name=name,
        )
    return out


def _named(meshes: Sequence[Mesh]) -> Iterator[tuple[Mesh, str]]:
    """Each mesh with a name that no other has and that every file system takes."""
    taken: set[str] = set()
    for mesh in meshes:
        name = slug(mesh.name, taken)
        taken.add(name)
        yield mesh, name


def _visual(mesh: Mesh, name: str, compact: bool) -> TextureVisuals | ColorVisuals:
    if mesh.texture is None:
        return ColorVisuals(vertex_colors=colours(mesh))
    picture = Image.fromarray(mesh.texture)
    cut_out = mesh.texture.shape[2] == 4
    if compact:
        picture = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)), Image.Resampling.BOX)
        if not cut_out:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=88)
            picture = Image.open(buffer)
    material = PBRMaterial(
        name=name,
        baseColorTexture=picture,
        metallicFactor=0.0,
        roughnessFactor=float(mesh.roughness),
        doubleSided=mesh.two_sided,
        alphaMode="MASK" if cut_out else "OPAQUE",
        alphaCutoff=_CUTOFF if cut_out else None,
    )
    return TextureVisuals(uv=mesh.uv, material=material)


def colours(mesh: Mesh) -> np.ndarray:
    """uint8 (V, 3) sRGB at the vertices, out of the texture where there is one; grey where nothing is known."""
    if mesh.colours is not None:
        return mesh.colours
    if mesh.texture is None or mesh.uv is None:
        return np.full((len(mesh.vertices), 3), _GREY, np.uint8)
    height, width = mesh.texture.shape[:2]
    column = np.clip(np.round(mesh.uv[:, 0] * width - 0.5), 0, width - 1).astype(int)
    row = np.clip(np.round((1 - mesh.uv[:, 1]) * height - 0.5), 0, height - 1).astype(int)
    return mesh.texture[row, column, :3]


def _glb(meshes: Sequence[Mesh], path: Path) -> Path:
    data = scene(meshes).export(file_type="glb", include_normals=True)
    return write_whole(path, lambda part: part.write_bytes(data))


def _obj(meshes: Sequence[Mesh], path: Path) -> Path:
    """Pictures and materials first, so that whoever sees the ``.obj`` finds what it names."""
    lines, materials, first = [f"mtllib {path.stem}.mtl"], [], 1
    for mesh, name in _named(meshes):
        lines.append(f"o {name}")
        corners = mesh.faces + first
        if mesh.texture is None:
            lines += map("v {:.6f} {:.6f} {:.6f} {:.4f} {:.4f} {:.4f}".format, *mesh.vertices.T, *(colours(mesh) / 255).T)
        else:
            lines += map("v {:.6f} {:.6f} {:.6f}".format, *mesh.vertices.T)
        # Every vertex has a place, so that one number does for both.
        uv = np.zeros((len(mesh.vertices), 2), np.float32) if mesh.uv is None else mesh.uv
        lines += map("vt {:.6f} {:.6f}".format, *uv.T)
        lines.append(f"usemtl {name}")
        lines += map("f {0}/{0} {1}/{1} {2}/{2}".format, *corners.T)
        first += len(mesh.vertices)
        materials.append(f"newmtl {name}\nKd 1 1 1\nKs 0 0 0\nillum 1")
        if mesh.texture is not None:
            picture = f"{path.stem}_{name}.png"
            write_image(path.with_name(picture), mesh.texture)
            materials.append(f"map_Kd {picture}" + (f"\nmap_d -imfchan m {picture}" if mesh.texture.shape[2] == 4 else ""))
    write_text(path.with_suffix(".mtl"), "\n".join(materials) + "\n")
    return write_text(path, "\n".join(lines) + "\n")


def save_points(path: str | Path, places: np.ndarray, picture: np.ndarray) -> Path:
    """Write ``places`` (H, W, 3), metres, in the colours of ``picture`` (H, W, 3) as a PLY of points; what is not finite is left out."""
    there = np.isfinite(places).all(2)
    cloud = trimesh.PointCloud(places[there], colors=picture[there])
    return write_whole(path, lambda part: cloud.export(part, file_type="ply"))


def _joined(meshes: Sequence[Mesh]) -> trimesh.Trimesh:
    """All meshes as one, with colours at the vertices."""
    first = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + start for mesh, start in zip(meshes, first[:-1], strict=True)]
    return trimesh.Trimesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate(faces),
        process=False,
        vertex_colors=np.concatenate([colours(mesh) for mesh in meshes]),
    )


def _ply(meshes: Sequence[Mesh], path: Path) -> Path:
    return write_whole(path, lambda part: _joined(meshes).export(part, file_type="ply"))


def _stl(meshes: Sequence[Mesh], path: Path) -> Path:
    return write_whole(path, lambda part: _joined(meshes).export(part, file_type="stl"))

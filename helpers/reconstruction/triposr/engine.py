"""``engine="triposr"``: TripoSR on its published checkpoint, from a photograph to a closed, coloured or textured mesh.

The person is cut out, set on grey in the middle of a square, and read into three planes; where these say that something dense begins, a
surface is drawn, and its colours are asked of them too. Source: Tochilkin et al., "TripoSR: Fast 3D Object Reconstruction from a Single
Image", 2024 (VAST-AI-Research/TripoSR); code and weights MIT.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np
import psutil
import torch

from helpers import devices, engines, images, matting, weights
from helpers.contract import Base
from helpers.person import Person
from helpers.reconstruction import atlas, finish
from helpers.reconstruction.figure import Figure3D
from helpers.reconstruction.mesh import Mesh
from helpers.reconstruction.triposr import field, frame
from helpers.reconstruction.triposr.networks import TSR

FILE = "triposr"
TEXTURE_FACES = 20_000
"""Triangles that a surface is reduced to before charts are cut, whose time grows faster than their number."""
_BYTES_A_POINT = 14  # of the grid: its density, and what marching cubes make of it
_SIDE = 2048  # pixels of the square that the network is shown, before it is made smaller


class TripoSR(Base):
    """The published engine. The network is read when first needed; ``close`` frees it, and the next call reads it again."""

    def __init__(self) -> None:
        self._network: TSR | None = None

    def close(self) -> None:
        """Free the network."""
        self._network = None
        devices.free()

    @engines.checked("reconstruct", "triposr")
    @torch.inference_mode()
    def __call__(
        self,
        person: Person,
        *,
        foreground_ratio: float = frame.FOREGROUND,
        mc_resolution: int = 256,
        chunk_size: int = field.CHUNK,
        threshold: float = field.THRESHOLD,
        bake_texture: bool = False,
        texture_resolution: int = 2048,
        smooth: int = 0,
        faces: int = 0,
        height: float = 1.7,
        field_views: int = 0,
    ) -> Figure3D:
        """A closed mesh of ``person``, whose ``matte`` has to be known, with colours at its vertices or a texture.

        foreground_ratio: share of the square that the figure takes
        mc_resolution:    points a side of the grid in which the surface is looked for
        chunk_size:       points that are asked for at a time, 0 for all at once: more are faster and take more memory
        threshold:        density at which the surface lies
        bake_texture:     a texture of ``texture_resolution`` texels a side in place of colours at the vertices
        smooth:           rounds of smoothing that keep the volume (Taubin 1995)
        faces:            most triangles, 0 for all; with a texture ``TEXTURE_FACES`` at most
        height:           metres that the figure is taken to be tall, for a picture does not tell
        field_views:      pictures of the field itself from as many sides, as the published code renders them, in ``data``
        Raises ``ValueError`` where the grid does not fit the memory, naming one that does, and where there is no surface.
        """
        started = perf_counter()
        require_memory(mc_resolution)
        assert person.matte is not None
        square = frame.on_grey(frame.centred(matting.lifted(person.image, person.matte), foreground_ratio))
        square = square if len(square) <= _SIDE else images.resize(square, (_SIDE, _SIDE))
        network, device = self._loaded()
        chunk = chunk_size or 1 << 60
        with _memory_named(chunk_size):
            picture = torch.from_numpy(square.astype(np.float32) / 255).permute(2, 0, 1)[None].to(device)
            codes = network(frame.shown(picture))[0]
            density = field.densities(network, codes, mc_resolution, chunk)
            finish.closed_sides(density)
            vertices, triangles = field.surface(density, threshold)
            del density
            vertices, triangles, dropped = finish.largest(vertices, triangles)
            vertices = finish.smoothed(vertices, triangles, smooth)
            most = min(faces or TEXTURE_FACES, TEXTURE_FACES) if bake_texture else faces
            vertices, triangles = finish.reduced(vertices, triangles, most)

            def colours(points: np.ndarray) -> np.ndarray:
                """uint8 (N, 3) sRGB of the field at points (N, 3) float32."""
                found = field.look(network, codes, torch.from_numpy(points).to(device), chunk)[1]
                return (found.cpu().numpy() * 255 + 0.5).astype(np.uint8)

            parts: dict[str, Any] = {}
            closed = Mesh("surface", vertices, triangles).closed
            if bake_texture:
                vertices, triangles, uv = finish.unwrapped(vertices, triangles)
                texels = atlas.texels(uv, triangles, (texture_resolution, texture_resolution))
                parts = {"uv": uv, "texture": texels.filled(colours(texels.read(vertices, triangles)))}
            else:
                parts = {"colours": colours(vertices)}
            data: dict[str, Any] = {}
            if field_views:
                data["field views"] = np.stack(list(_views(network, codes, field_views, chunk)))
        notes = [f"A picture does not tell sizes: the figure is taken to be {height:g} m tall."]
        if not closed:
            notes.append(
                f"Of {len(triangles)} triangles thin parts touch each other: take faces=0 for a closed surface, as printing needs."
            )
        if dropped:
            notes.append(f"{dropped} loose piece{'s' * (dropped > 1)} beside the figure left out.")
        mesh = Mesh("figure", _standing(vertices, height), triangles, kind="photograph", **parts)
        steps = {"what the network is shown": square}
        return Figure3D((mesh,), "triposr", False, tuple(notes), steps, data, perf_counter() - started)

    def _loaded(self) -> tuple[TSR, torch.device]:
        device = torch.device(devices.describe().kind)
        if self._network is None:
            name = weights.record(FILE).path
            state = weights.load_state_dict(weights.require(FILE), name)
            try:
                with torch.device("meta"):
                    network = TSR.of_state(state)
            except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
                raise weights.Mismatch(
                    f"{name} is a checkpoint of another network: it lacks {error}. Fetch the published file again."
                ) from None
            weights.fit(network, state, name)
            self._network = network.float().eval().to(device)
        return self._network, device


def require_memory(resolution: int) -> None:
    """Raise ``ValueError`` where a grid of ``resolution`` points a side does not fit the free memory, naming one that does."""
    free = psutil.virtual_memory().available
    if resolution**3 * _BYTES_A_POINT > free:
        fits = int((free / _BYTES_A_POINT) ** (1 / 3)) // 16 * 16
        raise ValueError(
            f"mc_resolution={resolution} needs {resolution**3 * _BYTES_A_POINT / 1e9:.1f} GB and {free / 1e9:.1f} GB are free: "
            f"mc_resolution={max(fits, 16)} would fit. Beyond some 320 the planes hold no further detail."
        )


def _views(network: TSR, codes: torch.Tensor, count: int, chunk: int) -> Iterator[np.ndarray]:
    """uint8 (256, 256, 3) each, from ``count`` sides before white."""
    for origins, directions in zip(*field.cameras(count), strict=True):
        picture = field.render(network, codes, origins, directions, chunk=chunk)
        yield (picture.clamp(0, 1).cpu().numpy() * 255 + 0.5).astype(np.uint8)


def _standing(vertices: np.ndarray, height: float) -> np.ndarray:
    """float32 (V, 3) in metres, ``height`` tall, on z = 0 and facing -y, of the network's points, which face +x."""
    turned = np.stack([vertices[:, 1], -vertices[:, 0], vertices[:, 2]], axis=1)
    low, high = turned.min(0), turned.max(0)
    middle = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    return ((turned - middle) * (height / max(float(high[2] - low[2]), 1e-6))).astype(np.float32)


@contextmanager
def _memory_named(chunk_size: int) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        devices.free()
        smaller = field.CHUNK if not chunk_size or chunk_size > field.CHUNK else max(256, chunk_size // 4)
        raise MemoryError(
            f"TripoSR did not fit {devices.describe().name}'s memory with chunk_size={chunk_size}. Try chunk_size={smaller}, close other "
            "engines (engine.close()) and kernels that use it, or set ATELIER_DEVICE=cpu."
        ) from error

"""What stands between the planes: densities and colours at points, what is seen along rays, and the surface.

Source: tsr/system.py, tsr/utils.py and tsr/models/{nerf_renderer,isosurface}.py of VAST-AI-Research/TripoSR (MIT); the surface is that of
scikit-image's marching cubes, which is closed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from skimage.measure import marching_cubes
from torch import Tensor

from helpers.reconstruction.triposr.networks import RADIUS, TSR, colour_of, density_of

CHUNK = 8192
"""Points that are looked at a time."""
THRESHOLD = 25.0
"""Density at which the surface lies."""
SAMPLES = 128
"""Points along a ray."""
VIEWS, DISTANCE, FIELD_OF_VIEW = 30, 1.9, 40.0
_INSIDE = 0.999  # of the cube: what rays are tested against
_THIN = 0.01  # a ray that is no longer than that in the cube sees nothing
_FLAT = 1e-6


@torch.inference_mode()
def look(network: TSR, codes: Tensor, points: Tensor, chunk: int = CHUNK) -> tuple[Tensor, Tensor]:
    """Density (N, 1) and RGB (N, 3) in 0..1 at ``points`` (N, 3), ``chunk`` of them at a time."""
    read = [network.query(codes, some) for some in points.split(max(1, chunk))]
    raw, colour = (torch.cat(each) for each in zip(*read, strict=True))
    return density_of(raw), colour_of(colour)


def grid(resolution: int, device: torch.device | str = "cpu") -> Iterator[Tensor]:
    """Points (resolution, resolution, 3) of the cube's corners, one layer of equal x after another; then y, then z run."""
    line = torch.linspace(0, 1, resolution, device=device) * (2 * RADIUS) - RADIUS
    layer = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1)
    for x in line:
        yield torch.cat([x.expand(resolution, resolution, 1), layer], -1)


def densities(network: TSR, codes: Tensor, resolution: int, chunk: int = CHUNK) -> np.ndarray:
    """float32 (R, R, R) at the corners of the grid, axes x, y, z."""
    layers = [look(network, codes, layer.flatten(0, 1), chunk)[0] for layer in grid(resolution, codes.device)]
    return torch.stack(layers).view(resolution, resolution, resolution).float().cpu().numpy()


def surface(density: np.ndarray, threshold: float = THRESHOLD) -> tuple[np.ndarray, np.ndarray]:
    """Vertices float32 (V, 3) within ``RADIUS`` and faces int32 (F, 3), outward, where ``density`` (R, R, R) crosses ``threshold``.

    It is closed where nothing of it reaches the cube's sides. Raises ``ValueError`` where nothing is denser, or everything is.
    """
    if not density.min() < threshold < density.max():
        raise ValueError(
            f"threshold={threshold:g} lies outside the densities {density.min():.3g} to {density.max():.3g}: there is no surface. Choose "
            "one between, or a picture that shows one thing before a plain backdrop."
        )
    vertices, faces, _, _ = marching_cubes(density, threshold, gradient_direction="ascent")
    scale = 2 * RADIUS / (np.array(density.shape) - 1)
    return (vertices * scale - RADIUS).astype(np.float32), faces.astype(np.int32)


def cameras(
    views: int = VIEWS,
    elevation: float = 0.0,
    distance: float = DISTANCE,
    field_of_view: float = FIELD_OF_VIEW,
    height: int = 256,
    width: int = 256,
    parity: bool = False,
) -> tuple[Tensor, Tensor]:
    """Origins and directions, float32 (views, height, width, 3) each, of rays from a circle around the figure; z is up, the first camera
    stands on +x, and angles are degrees.

    parity: three views as the published code has them, whose cross products mix the cameras; they are no pictures
    """
    dim = 0 if parity and views == 3 else -1
    azimuth = torch.linspace(0, 360, views + 1)[:views] * math.pi / 180
    raised = torch.full_like(azimuth, elevation) * math.pi / 180
    out = distance * raised.cos()
    place = torch.stack([out * azimuth.cos(), out * azimuth.sin(), distance * raised.sin()], -1)
    ahead = F.normalize(-place, dim=-1)
    upward = torch.tensor([0.0, 0.0, 1.0]).expand_as(ahead)
    right = F.normalize(torch.linalg.cross(ahead, upward, dim=dim), dim=-1)
    up = F.normalize(torch.linalg.cross(right, ahead, dim=dim), dim=-1)
    focal = 0.5 * height / math.tan(0.5 * field_of_view * math.pi / 180)
    x = (torch.arange(width) + 0.5 - width / 2) / focal
    y = (torch.arange(height) + 0.5 - height / 2) / focal
    across, down = torch.meshgrid(x, y, indexing="xy")
    directions = (
        across[None, ..., None] * right[:, None, None] - down[None, ..., None] * up[:, None, None] + ahead[:, None, None]
    )
    directions = F.normalize(directions, dim=-1)
    return place[:, None, None].expand_as(directions), directions


@torch.inference_mode()
def render(
    network: TSR, codes: Tensor, origins: Tensor, directions: Tensor, samples: int = SAMPLES, chunk: int = CHUNK
) -> Tensor:
    """RGB (..., 3) in 0..1 before white along rays (..., 3)."""
    shape = origins.shape
    start, towards = (rays.reshape(-1, 3).to(codes.device) for rays in (origins, directions))
    near, far, seen = _through(start, towards)
    start, towards, near, far = start[seen], towards[seen], near[seen], far[seen]
    steps = torch.linspace(0, 1, samples + 1, device=codes.device)
    middle = (steps[:-1] + steps[1:]) / 2
    along = near[:, None] * (1 - middle) + far[:, None] * middle
    points = start[:, None] + along[..., None] * towards[:, None]
    density, colour = look(network, codes, points.reshape(-1, 3), chunk)
    density, colour = density.view(-1, samples), colour.view(-1, samples, 3)
    alpha = 1 - torch.exp(-density * (steps[1:] - steps[:-1]))  # by shares of the ray, not by its length, as published
    left = torch.cumprod(torch.cat([torch.ones_like(alpha[:, :1]), 1 - alpha[:, :-1] + 1e-10], -1), -1)
    weight = alpha * left
    picture = torch.ones(len(seen), 3, device=codes.device)
    picture[seen] = (weight[..., None] * colour).sum(1) + 1 - weight.sum(1, keepdim=True)
    return picture.view(shape)


def _through(start: Tensor, towards: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where rays enter and leave the cube, (N,) each, and which of them do."""
    steep = torch.where(towards.abs() < _FLAT, torch.full_like(towards, _FLAT), towards)
    one, other = ((side * _INSIDE * RADIUS - start) / steep for side in (1, -1))
    near = torch.minimum(one, other).amax(-1).clamp(min=0)
    far = torch.maximum(one, other).amin(-1)
    return near, far, far - near > _THIN

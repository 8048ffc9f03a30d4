"""Hair: ribbons of strands with soft edges over a scalp cap that fades out along the hairline.

A ribbon stands for a dozen hairs. Its opacity is drawn by a texture of fine lines that thin out towards the sides and end at different
lengths, so that outlines and tips dissolve into single hairs. Ribbons lie flat on the volume of the style and carry its normals;
highlights come from their tangents (Kajiya and Kay 1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter

from helpers.labels import CIHP
from helpers.mannequin.body.figure import Body
from helpers.mannequin.body.hairstyles import strands
from helpers.mannequin.body.skin import skin_mesh
from helpers.mannequin.body.strands import AXIS, CROWN, Head, Strands, above_hairline
from helpers.mannequin.colours import linear
from helpers.mannequin.fields import look_up, smoothstep, wrapped
from helpers.mannequin.mesh import unit, vertex_normals
from helpers.mannequin.outfit import HAIRSTYLES, Figure
from helpers.mannequin.surface import Hits, Material, Surface

_LABEL = CIHP.index("hair")
_TEXTURE = (256, 256)  # lines across, places along


def hair_surfaces(body: Body, figure: Figure, rng: np.random.Generator, clothes: Sequence[Surface] = ()) -> list[Surface]:
    """Scalp cap and ribbons of ``figure.hair`` on a posed body, labelled as hair; nothing for ``bald``.

    ``rng`` chooses parting, length and every strand; ``clothes``: garments that long hair is to lie on instead of the bare body
    with room for some. Raises ``ValueError`` for an unknown style or colour.
    """
    if figure.hair not in HAIRSTYLES:
        raise ValueError(f"Figure.hair is one of {', '.join(HAIRSTYLES)}, not {figure.hair!r}.")
    colour = linear(figure.hair_colour)
    if figure.hair == "bald":
        return []
    head = Head(body, clothes)
    grown = strands(head, figure, rng)
    out = [_cap(body, figure, colour)]
    if grown is not None:
        out.append(_ribbons(head, grown, colour, figure, rng))
    return out


# ------------------------------------------------------------------------------------------------------------- ribbons


def _ribbons(head: Head, hair: Strands, colour: np.ndarray, figure: Figure, rng: np.random.Generator) -> Surface:
    points = head.to_world(hair.points)
    count, places = points.shape[:2]
    tangent = unit(np.gradient(points, axis=1))
    volume = unit(hair.outward @ np.linalg.inv(head.affine[:3]).T)
    normal = unit(volume - np.einsum("nki,nki->nk", volume, tangent)[..., None] * tangent)
    # A little twist, so that no two ribbons are shaded alike and some show their edge.
    turn = rng.normal(size=(count, 1)) + 0.9 * rng.normal(size=(count, 1)) * np.linspace(0, 1, places)
    turn = np.clip(turn * np.broadcast_to(hair.twist, count)[:, None], -0.9, 0.9)[..., None]
    across = np.cross(tangent, normal)
    across = np.cos(turn) * across + np.sin(turn) * normal
    t = np.linspace(0, 1, places)
    taper = (0.75 + 0.25 * smoothstep(0, 0.2, t)) * (1 - 0.55 * smoothstep(0.55, 1.0, t))
    half = (0.5 * hair.width[:, None] * taper)[..., None]
    vertices = np.stack([points - half * across, points + half * across], axis=2).reshape(-1, 3)
    shading = unit(0.75 * volume + 0.25 * np.cross(across, tangent) * 1.0)
    row = np.arange(count)[:, None] * places + np.arange(places - 1)
    a, b, c, d = 2 * row, 2 * row + 1, 2 * row + 3, 2 * row + 2
    faces = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3).astype(np.int32)

    ones = np.ones((count, places, 2))
    uv = np.stack([np.broadcast_to([0.0, 1.0], (count, places, 2)), t[None, :, None] * ones], axis=-1).reshape(-1, 2)
    tone = _tones(hair, figure, rng)
    strand = np.stack([rng.random((count, 1, 1)) * ones, tone[:, None, None] * ones, hair.soft[:, None, None] * ones], axis=-1)
    material = _HairColour(colour, figure.hair)
    return Surface(
        "hair",
        vertices,
        faces,
        Material(material.albedo, kind="hair", roughness=0.5, specular=0.046, opacity=material.opacity),
        np.full(len(faces), _LABEL, np.uint8),
        uv=uv,
        normals=np.repeat(shading.reshape(-1, 3), 2, axis=0),
        attributes={"tangent": np.repeat(tangent.reshape(-1, 3), 2, axis=0), "strand": strand.reshape(-1, 3)},
    )


def _tones(hair: Strands, figure: Figure, rng: np.random.Generator) -> np.ndarray:
    """(N,) factor on the colour of each ribbon: own, shared by a lock, deeper layers darker; grey hair comes in streaks."""
    lock = rng.normal(0, 0.08, hair.clump.max() + 1)[hair.clump]
    tone = 1 + lock + rng.normal(0, 0.07, len(hair.width))
    return np.clip(tone * (0.74 + 0.32 * hair.layer), 0.35, 1.5)


@dataclass
class _HairColour:
    """Colour and opacity of ribbons from their place on the line texture."""

    colour: np.ndarray
    style: str

    def _lines(self, hits: Hits) -> np.ndarray:
        strand = hits["strand"]
        u, v = hits["uv"][:, 0], hits["uv"][:, 1]
        # Every ribbon reads another stretch of the texture.
        return look_up(_line_texture(), 16 * u + 229 * strand[:, 0], 40 * v + 163 * strand[:, 0], 1.0)

    def opacity(self, hits: Hits) -> np.ndarray:
        """(N,) 0..1."""
        u, v, soft = hits["uv"][:, 0], hits["uv"][:, 1], hits["strand"][:, 2]
        line = self._lines(hits)[:, 0]
        side = np.abs(2 * u - 1)
        gone = 0.85 * side**2.5 + 0.95 * smoothstep(0.6, 1.0, v) * (0.8 + 0.2 * side)
        gone += soft * (1 - smoothstep(0.0, 0.25, v)) * 0.8 + 0.5 * (1 - smoothstep(0.0, 0.05, v))
        return smoothstep(-0.42, 0.06, line - gone).astype(np.float32)

    def albedo(self, hits: Hits) -> np.ndarray:
        """(N, 3) linear RGB."""
        v, tone = hits["uv"][:, 1], hits["strand"][:, 1]
        line = self._lines(hits)[:, 1]
        along = 0.78 + 0.34 * smoothstep(0.0, 0.85, v)
        value = tone * along * (0.72 + 0.56 * line)
        # Thin light hair lets light through: the brighter, the more golden.
        out = self.colour * value[:, None]
        return out.astype(np.float32)


@cache
def _line_texture() -> np.ndarray:
    """Wrapped tile, float32, two channels: how long a hair lasts (0..1, even), and its shade (0..1)."""
    rng = np.random.default_rng(20)
    out = []
    for across, along in ((0.75, 22.0), (0.6, 40.0)):
        noise = gaussian_filter(rng.standard_normal(_TEXTURE), (along, across), mode="wrap")
        rank = np.argsort(np.argsort(noise.ravel())).reshape(_TEXTURE)
        out.append(rank / rank.max())
    return wrapped(np.stack(out, axis=2).astype(np.float32))


# ----------------------------------------------------------------------------------------------------------------- cap


def _cap(body: Body, figure: Figure, colour: np.ndarray) -> Surface:
    """The scalp under the hair, a millimetre off the skin; fades out across the hairline."""
    mesh = skin_mesh(body.template)
    height = above_hairline(mesh.place, figure.presentation, figure.age)
    on = (height > -0.010) & (mesh.place[:, 1] > 1.455) & (mesh.place[:, 1] <= CROWN + 0.01)
    place = mesh.place
    on &= ~(
        (np.abs(place[:, 0]) > 0.0735)
        & (place[:, 1] > 1.50)
        & (place[:, 1] < 1.556)
        & (place[:, 2] > 0.018)
        & (place[:, 2] < 0.075)
    )
    posed = mesh.matrix @ body.posed
    normals = vertex_normals(posed, mesh.faces)
    kept = on[mesh.cut].all(axis=1)
    rows, faces = np.unique(mesh.cut[kept], return_inverse=True)
    source = mesh.split[rows]
    normal = normals[source]
    buzz = figure.hair == "buzz"
    vertices = posed[source] + (0.0016 if buzz else 0.0012) * normal
    down = np.array([0.0, -1.0, -0.2]) - normal * (normal @ [0.0, -1.0, -0.2])[:, None]
    stubble = _Cap(colour, buzz)
    return Surface(
        "scalp",
        vertices,
        faces.reshape(-1, 3).astype(np.int32),
        Material(stubble.albedo, kind="hair", roughness=0.7, specular=0.03, opacity=stubble.opacity),
        np.full(int(kept.sum()), _LABEL, np.uint8),
        normals=normal,
        attributes={
            "template": place[rows],
            "rise": height[rows][:, None],
            "tangent": unit(0.5 * down + normal) if buzz else unit(down),
        },
    )


@dataclass
class _Cap:
    """Roots on the scalp: dense above the hairline, single hairs on it."""

    colour: np.ndarray
    buzz: bool

    def opacity(self, hits: Hits) -> np.ndarray:
        """(N,) 0..1."""
        rise = hits["rise"].reshape(-1)
        grain = self._grain(hits)
        ragged = rise + 0.006 * (grain - 0.5)
        dense = (
            smoothstep(-0.004, 0.012, ragged) * (0.9 + 0.1 * grain)
            if self.buzz
            else smoothstep(-0.002, 0.009, ragged) * (0.9 + 0.1 * grain)
        )
        return np.maximum(dense, 0.002).astype(np.float32)

    def albedo(self, hits: Hits) -> np.ndarray:
        """(N, 3) linear RGB."""
        shade = (0.75 + 0.5 * self._grain(hits)) if self.buzz else 0.42 + 0.2 * self._grain(hits)
        return (self.colour * shade[:, None]).astype(np.float32)

    def _grain(self, hits: Hits) -> np.ndarray:
        place = hits["template"]
        angle = np.arctan2(place[:, 0], place[:, 2] - AXIS[2])
        return look_up(_grain_texture(), angle * 300, place[:, 1] * 3200, 1.0)[:, 0]


@cache
def _grain_texture() -> np.ndarray:
    """Wrapped tile of fine grain, float32 0..1."""
    noise = gaussian_filter(np.random.default_rng(21).standard_normal((512, 512)), 1.1, mode="wrap")
    rank = np.argsort(np.argsort(noise.ravel())).reshape(noise.shape)
    return wrapped((rank / rank.max())[..., None].astype(np.float32))

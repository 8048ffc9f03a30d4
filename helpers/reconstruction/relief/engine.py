"""``engine="relief"``: a photograph of somebody from the front to a closed, textured figure, in seconds on any CPU."""

from __future__ import annotations

from time import perf_counter

import cv2
import numpy as np

from helpers import engines
from helpers.contract import Base
from helpers.labels import CIHP_PALETTE
from helpers.mannequin.mesh import vertex_normals
from helpers.person import Person
from helpers.reconstruction.figure import Figure3D
from helpers.reconstruction.mesh import Mesh
from helpers.reconstruction.relief.fitting import Fit, fit
from helpers.reconstruction.relief.model import STATURE
from helpers.reconstruction.relief.solid import Solid, solid
from helpers.reconstruction.relief.texture import textured
from helpers.reconstruction.true_mesh import upright

NEEDS = ("keypoints", "labels", "landmarks", "hands", "face", "matte")
"""What has to be known of a person."""
_FORESHORTENED = 0.75  # of a thigh's length in the picture: somebody sits
_DOUBTFUL = 35.0  # millimetres that joints are off


class Relief(Base):
    """The parametric body fitted to joints and outline, dressed to the outline, coloured by the photograph."""

    @engines.checked("reconstruct", "relief")
    def __call__(
        self, person: Person, *, height: float | None = None, texture_size: int = 2048, faces: int = 36000
    ) -> Figure3D:
        """One closed mesh of ``person``, whose ``NEEDS`` are known.

        height:       metres from sole to crown; ``None``: that of the average
        texture_size: texels a side of the texture
        faces:        triangles, a few more or less
        ``data`` has ``joint_px`` and ``joint_mm`` (root mean square distance of the fitted joints from those seen), ``outline_mm`` (median
        distance of bare skin's outline from the fitted body's) and ``pixels_per_metre``. Raises ``ValueError`` where something of
        ``NEEDS`` is not known, for somebody seen from behind, or of whom head or shoulders are not seen.
        """
        started = perf_counter()
        if missing := person.missing(NEEDS):
            raise ValueError(
                f"person: {', '.join(missing)} must be known. Call reconstruct(person, engine='relief'), which asks for them, or "
                f"annotate(person, needs={NEEDS}) first."
            )
        body = fit(person, height or STATURE)
        surface = solid(person, body, faces)
        rows, corners, uv, texture = textured(person, body, surface, texture_size)
        points = upright(surface.vertices)
        points[:, 2] -= points[:, 2].min()
        normals = upright(vertex_normals(surface.vertices, surface.faces))
        mesh = Mesh("figure", points[rows], corners, uv, texture, normals=normals[rows])
        data: dict[str, np.ndarray | float] = {
            "joint_px": body.joint_px, "joint_mm": body.joint_mm, "outline_mm": body.outline_mm, "pixels_per_metre": body.scale,
        }  # fmt: skip
        return Figure3D(
            (mesh,), "relief", height is not None, _notes(body, surface, height), _steps(person, body, surface), data,
            perf_counter() - started,
        )  # fmt: skip


def _notes(body: Fit, surface: Solid, height: float | None) -> tuple[str, ...]:
    """What was guessed."""
    out = ["The back is continued from the front: nobody has seen it."]
    if height is None:
        out.append(
            f"Nothing in a picture says how tall somebody is: {STATURE:.2f} m from sole to crown are taken. Pass height=."
        )
    if surface.cut:
        out.append("The picture ends before the feet: the figure is cut flat there, and stands on the cut.")
    if any(_thigh(body, side) < _FORESHORTENED for side in ("left", "right")) and not surface.cut:
        out.append("A thigh points towards the lens, as of somebody who sits: how deep the legs are is a guess.")
    if body.joint_mm > _DOUBTFUL:
        out.append(f"The body does not fit well: its joints are {body.joint_mm:.0f} mm off where the picture shows them.")
    return tuple(out)


def _thigh(body: Fit, side: str) -> float:
    """How long a thigh is in the picture, as a share of its length."""
    bone = body.points[f"{side}-knee"] - body.points[f"{side}-hip"]
    return float(np.linalg.norm(bone[:2])) / max(float(np.linalg.norm(bone)), 1e-6)


def _steps(person: Person, body: Fit, surface: Solid) -> dict[str, np.ndarray]:
    """Pictures of the way: the fitted joints, and whose each pixel is."""
    joints = person.image.copy()
    reach = max(2, round(max(joints.shape[:2]) / 200))
    for place in body.pixels(np.stack(list(body.points.values()))):
        x, y = np.round(place).astype(int).tolist()
        cv2.circle(joints, (x, y), reach, (230, 60, 40), -1, cv2.LINE_AA)
    colours = np.concatenate([CIHP_PALETTE[[5, 2, 14, 15]], np.zeros((252, 3), np.uint8)])
    return {"joints": joints, "parts": colours[surface.layers.part]}

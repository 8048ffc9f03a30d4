"""The parametric figure: the template shaped by its blend targets, posed and skinned.

Convention: metres; +x towards the figure's left, +y up, +z towards the camera, ground at y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy import sparse
from scipy.spatial.transform import Rotation

from helpers.labels import BODY_25
from helpers.mannequin.body.pose import TABLE, Pose, pose_bones
from helpers.mannequin.body.shape import shape_targets
from helpers.mannequin.body.template import Template, blend_target, template, texture
from helpers.mannequin.outfit import BUILDS, POSES, PRESENTATIONS, Figure


@dataclass(frozen=True, eq=False)
class Body:
    """One figure, shaped and posed.

    ``rest`` (V, 3) shaped, unposed, soles at y = 0; ``posed`` (V, 3); ``transforms`` (B, 4, 4) from rest to posed, one a bone.
    """

    template: Template
    figure: Figure
    rest: np.ndarray
    posed: np.ndarray
    transforms: np.ndarray

    @cached_property
    def rest_joints(self) -> dict[str, np.ndarray]:
        """Bone name -> (3,) position of its head before posing."""
        return dict(zip(self.template.bones.names, self.template.bones.heads @ self.rest, strict=True))

    @cached_property
    def joints(self) -> dict[str, np.ndarray]:
        """Bone name -> (3,) position of its head in the picture."""
        heads = self.template.bones.heads @ self.rest
        posed = np.einsum("bij,bj->bi", self.transforms[:, :3, :3], heads) + self.transforms[:, :3, 3]
        return dict(zip(self.template.bones.names, posed, strict=True))

    def skin(self, points: np.ndarray, weights: sparse.csr_matrix | np.ndarray) -> np.ndarray:
        """Poses rest-space ``points`` (N, 3) with skinning ``weights`` (N, B), rows summing to 1; -> (N, 3)."""
        return dual_quaternion_skinning(points, weights, self.transforms)

    def keypoints(self) -> dict[str, np.ndarray]:
        """The 25 BODY_25 joints, name -> (3,) metres."""
        joints, points = self.joints, _landmarks(self.template)
        out = {name: self.posed[rows].mean(axis=0) for name, rows in points.items()}
        for side, suffix in (("left", ".L"), ("right", ".R")):
            for name, bone in _KEYPOINT_BONES.items():
                out[f"{side}-{name}"] = joints[bone + suffix]
        out["neck"] = (out["left-shoulder"] + out["right-shoulder"]) / 2
        out["mid-hip"] = (out["left-hip"] + out["right-hip"]) / 2
        return {name: out[name] for name in BODY_25}


_KEYPOINT_BONES = {
    "shoulder": "upperarm01",
    "elbow": "lowerarm01",
    "wrist": "wrist",
    "hip": "upperleg01",
    "knee": "lowerleg01",
    "ankle": "foot",
    "big-toe": "toe1-2",
    "small-toe": "toe5-2",
}


def dual_quaternion_skinning(points: np.ndarray, weights: sparse.csr_matrix | np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Blends rigid ``transforms`` (B, 4, 4) on ``points`` (N, 3) by ``weights`` (N, B) without the collapse of linear blending.

    Source: Kavan, Collins, Žára, O'Sullivan, "Geometric Skinning with Approximate Dual Quaternion Blending", 2008.
    """
    real = Rotation.from_matrix(transforms[:, :3, :3]).as_quat()  # x, y, z, w
    real *= np.where(real[:, 3:] < 0, -1.0, 1.0)  # one hemisphere, so that neighbours blend the short way
    vector, scalar, shift = real[:, :3], real[:, 3:], transforms[:, :3, 3]
    dual = np.hstack([scalar * shift + np.cross(shift, vector), -np.sum(shift * vector, axis=1, keepdims=True)]) / 2
    blend = np.asarray(weights @ np.hstack([real, dual]))
    blend /= np.linalg.norm(blend[:, :4], axis=1, keepdims=True)
    vector, scalar, dual, tail = blend[:, :3], blend[:, 3:4], blend[:, 4:7], blend[:, 7:]
    shift = 2 * (scalar * dual - tail * vector + np.cross(vector, dual))
    return points + 2 * np.cross(vector, np.cross(vector, points) + scalar * points) + shift


# --- shape -------------------------------------------------------------------------------------------------------------


def make_body(figure: Figure, sole: float = 0.0, pose: Pose | None = None) -> Body:
    """Shapes and poses the figure; its bare feet stand ``sole`` metres above the ground. pose: another one than the figure's name of one

    The rest shape measures exactly ``figure.height`` from sole to crown. Raises ``ValueError`` naming the field that is out of
    range, ``BodyDataError`` without the base mesh.
    """
    _check(figure)
    base = template()
    rest = base.vertices.copy()
    for path, amount in shape_targets(figure).items():
        rows, offsets = blend_target(path)
        rest[rows] += amount * offsets
    patches, fill = _mannequin_patches(base)
    rest[patches] = fill @ rest
    skin = base.shells["skin"].indices
    low, high = rest[skin, 1].min(), rest[skin, 1].max()
    rest[:, 1] -= low
    rest *= figure.height / (high - low)
    transforms = pose_bones(base.bones, rest, skin, TABLE[figure.pose] if pose is None else pose)
    posed = dual_quaternion_skinning(rest, base.weights, transforms)
    lift = sole - posed[skin, 1].min()  # skinning moves the soles by a millimetre or two
    posed[:, 1] += lift
    transforms[:, 1, 3] += lift
    return Body(base, figure, rest, posed, transforms)


def _check(figure: Figure) -> None:
    for name, known in (("presentation", PRESENTATIONS), ("build", BUILDS), ("pose", POSES)):
        if getattr(figure, name) not in known:
            raise ValueError(f"Figure.{name} is one of {', '.join(known)}, not {getattr(figure, name)!r}.")
    if not 18 <= figure.age <= 90:
        raise ValueError(f"Figure.age is 18 to 90 years (the figures are adults), not {figure.age}.")
    if not 1.3 <= figure.height <= 2.2:
        raise ValueError(f"Figure.height is 1.3 to 2.2 metres, not {figure.height}.")


@cache
def _mannequin_patches(base: Template) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Rows (n,) of the chest that are smoothed over, and csr (n, V) that fills them in from around as thin plates."""
    quads, count = base.quads["skin"], len(base.vertices)
    mask = np.zeros(count)
    mask[quads] = texture("aureolae", base.uv[base.uv_quads["skin"]]) > 0.5
    beside = sparse.csr_matrix((np.ones(quads.size), (np.repeat(np.arange(len(quads)), 4), quads.ravel())), (len(quads), count))
    for _ in range(2):
        mask = beside.T @ (beside @ mask)
    inside, around = mask > 0, beside.T @ (beside @ (beside.T @ (beside @ mask))) > 0
    holes: list[np.ndarray] = []
    blocks = []
    for sign in (1, -1):
        side = base.vertices[:, 0] * sign > 0
        hole, rim = np.flatnonzero(inside & side), np.flatnonzero(around & ~inside & side)
        weights = _thin_plate(base.vertices[rim, :2], base.vertices[hole, :2])
        row, column = np.meshgrid(np.arange(len(hole)) + sum(len(h) for h in holes), rim, indexing="ij")
        blocks.append((weights.ravel(), row.ravel(), column.ravel()))
        holes.append(hole)
    weights, row, column = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    rows = np.concatenate(holes)
    return rows, sparse.csr_matrix((weights, (row, column)), (len(rows), count))


def _thin_plate(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(m, n) weights that carry values at ``known`` (n, 2) to ``wanted`` (m, 2) by thin-plate splines."""

    def parts(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        square = np.sum((points[:, None] - known) ** 2, axis=-1)
        return square * np.log(np.maximum(square, 1e-18)), np.column_stack([np.ones(len(points)), points])

    kernel, plane = parts(known)
    system = np.block([[kernel, plane], [plane.T, np.zeros((3, 3))]])
    return np.linalg.solve(system, np.hstack(parts(wanted)).T).T[:, : len(known)]


# --- landmarks ---------------------------------------------------------------------------------------------------------


@cache
def _landmarks(base: Template) -> dict[str, np.ndarray]:
    """Keypoints that are no joints: name -> template rows whose mean they are."""
    skin, at = base.shells["skin"].indices, base.vertices
    head = skin[base.region("head", "special", "levator", "oris", "jaw")[skin] > 0.5]
    middle = head[(np.abs(at[head, 0]) < 1e-4) & (at[head, 2] > 0.1)]
    out = {"nose": middle[[at[middle, 2].argmax()]]}
    eyes = base.shells["eyes"].indices
    foot = base.region("foot")
    for side, sign in (("left", 1), ("right", -1)):
        out[f"{side}-eye"] = eyes[at[eyes, 0] * sign > 0]
        out[f"{side}-ear"] = head[np.argsort(-sign * at[head, 0])[:40]]
        heel = skin[(foot[skin] > 0.5) & (at[skin, 0] * sign > 0) & (at[skin, 1] < 0.03)]
        out[f"{side}-heel"] = heel[np.argsort(at[heel, 2])[:8]]
    return out

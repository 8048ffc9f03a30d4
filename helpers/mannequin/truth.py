"""What a rendered picture shows, known instead of guessed: labels, masks, body parts, depth, normals and joints.

The label maps follow CIHP, the body parts DensePose's numbering, the joints OpenPose's BODY_25 (see ``helpers.labels``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from helpers.labels import BODY_25, CIHP, DENSEPOSE_PARTS, LOWER, UPPER
from helpers.mannequin.body.figure import Body
from helpers.mannequin.body.template import Template
from helpers.mannequin.render.studio import Render
from helpers.mannequin.render.trace import interpolate

_HALF = 0.35  # confidence of a joint behind something
# How far under the nearest surface a joint may lie and still count as seen: the thickness of the limb, clothed.
_DEEP = {"shoulder": 0.16, "neck": 0.16, "hip": 0.22, "elbow": 0.11, "wrist": 0.09, "knee": 0.14, "ankle": 0.13}
_SHALLOW = 0.06


def annotate(render: Render, body: Body) -> dict:
    """Everything true about the picture, by the names that ``Person`` knows.

    ``labels`` (H, W) uint8 CIHP; ``mask`` (H, W) bool silhouette; ``garments`` name -> (H, W) bool, where each garment is visible;
    ``densepose`` (H, W, 3) uint8 part 0..24, U, V; ``depth`` (H, W) float32 metres along the viewing axis, 0 behind the figure;
    ``normals`` (H, W, 3) float32 in camera axes (right, up, towards the lens), 0 behind; ``keypoints`` (25, 3) float32 x, y in
    pixels and confidence: 1 seen, less where something is before the joint, all 0 outside the picture.
    """
    return {
        "labels": labels(render),
        "mask": render.surface >= 0,
        "garments": garments(render),
        "densepose": densepose(render, body),
        "depth": render.depth,
        "normals": render.normal,
        "keypoints": keypoints(render, body),
    }


def labels(render: Render) -> np.ndarray:
    """(H, W) uint8 in CIHP numbering."""
    out = np.zeros(render.surface.shape, np.uint8)
    shown = render.surface >= 0
    first = render.scene.first_face[render.surface[shown]]
    out[shown] = np.concatenate([s.labels for s in render.scene.surfaces])[first + render.face[shown]]
    return out


def garments(render: Render) -> dict[str, np.ndarray]:
    """(H, W) bool for every garment, named as its first surface; one that is hidden altogether has an empty mask."""
    out: dict[str, np.ndarray] = {}
    names: dict[int, str] = {}
    for index, surface in enumerate(render.scene.surfaces):
        if surface.garment >= 0:
            name = names.setdefault(surface.garment, surface.name)
            out[name] = out.get(name, False) | (render.surface == index)
    return out


def keypoints(render: Render, body: Body) -> np.ndarray:
    """(25, 3) float32 x, y in pixels and confidence, in BODY_25 order."""
    joints = body.keypoints()
    points = np.stack([joints[name] for name in BODY_25])
    width, height = render.camera.size
    xy, depth = render.camera.project(points), render.camera.depth(points)
    column, row = np.round(xy).astype(int).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    front = render.depth[np.where(inside, row, 0), np.where(inside, column, 0)]
    deep = np.array([_DEEP.get(name.rpartition("-")[2], _SHALLOW) for name in BODY_25])
    seen = (front == 0) | (depth - front < deep)
    out = np.column_stack([xy, np.where(seen, 1.0, _HALF)])
    out[~inside] = 0
    return out.astype(np.float32)


# --- body parts --------------------------------------------------------------------------------------------------------

_REGIONS = {
    "torso": ("root", "pelvis", "spine", "breast", "clavicle", "shoulder", "neck01"),
    "head": ("neck02", "neck03", "head", "jaw", "special", "levator", "oris", "oculi", "orbicularis", "risorius", "temporalis", "eye",
             "tongue"),
    "upper-leg": ("upperleg",),
    "lower-leg": ("lowerleg",),
    "foot": ("foot", "toe"),
    "upper-arm": ("upperarm",),
    "lower-arm": ("lowerarm",),
    "hand": ("wrist", "metacarpal", "finger"),
}  # fmt: skip
_AXES = {
    "torso": ("spine05", "neck02"),
    "upper-leg": ("upperleg01", "lowerleg01"),
    "lower-leg": ("lowerleg01", "foot"),
    "foot": ("foot", "toe2-3"),
    "upper-arm": ("upperarm01", "lowerarm01"),
    "lower-arm": ("lowerarm01", "wrist"),
    "hand": ("wrist", "finger3-3"),
}


# What cloth of a class can lie on, so that a hand on the hip does not claim the dress around it.
_WORN_ON = {
    **dict.fromkeys(UPPER, ("torso", "upper-arm", "lower-arm", "upper-leg", "lower-leg")),
    **dict.fromkeys(LOWER, ("torso", "upper-leg", "lower-leg", "foot")),
    **dict.fromkeys(("left-shoe", "right-shoe"), ("lower-leg", "foot")),
}


@dataclass(frozen=True)
class _Region:
    """A limb, hand, foot, trunk or head of the template: where its axis runs and which parts it holds.

    ``parts``: one number, or that of the half that ``facing`` points to and that of the other one.
    """

    name: str
    start: np.ndarray
    axis: np.ndarray
    facing: np.ndarray
    parts: tuple[int, ...]


@cache
def _regions(template: Template) -> tuple[tuple[_Region, ...], np.ndarray]:
    """Regions, and (V, R) float32 how much each template vertex belongs to each."""
    joints = dict(zip(template.bones.names, template.bones.heads @ template.vertices, strict=True))
    regions, belongs = [], []
    for name, bones in _REGIONS.items():
        for side in ("",) if name in ("torso", "head") else ("left", "right"):
            suffix, sign = {"": ("", 1.0), "left": (".L", 1.0), "right": (".R", -1.0)}[side]
            chosen = tuple(b for b in template.bones.names if b.startswith(bones) and b.endswith(suffix))
            belongs.append(template.region(*chosen))
            whole = f"{side}-{name}".lstrip("-")
            ends = ("front", "back") if name in ("torso", "upper-leg", "lower-leg") else ("outer", "inner")
            parts: tuple[str, ...]
            if name == "head":
                parts, start, end = ("head-left", "head-right"), joints["neck02"], joints["head"] + (0, 0.2, 0)
            else:
                start, end = (joints.get(b + suffix, joints.get(b)) for b in _AXES[name])
                parts = (whole,) if whole in DENSEPOSE_PARTS else tuple(f"{whole}-{e}" for e in ends)
            facing = np.array({"head": (1, 0, 0), "foot": (sign, 0, 0), "hand": (0, 0, 1)}.get(name, (0, 0, 1)), float)
            if name.endswith("arm"):
                facing = np.array((sign, 1.0, 0))
            axis = (end - start) / np.sum((end - start) ** 2)
            facing -= axis * (facing @ axis) / (axis @ axis)
            regions.append(
                _Region(name, start, axis, facing / np.linalg.norm(facing), tuple(map(DENSEPOSE_PARTS.index, parts)))
            )
    return tuple(regions), np.stack(belongs, axis=1).astype(np.float32)


def densepose(render: Render, body: Body) -> np.ndarray:
    """(H, W, 3) uint8: DensePose part 0..24 and U, V; cloth and hair have those of the body's nearest place.

    U runs across a part (angle round its axis, or width), V along its axis, both smooth within a part. They are charts of this
    template, not those of SMPL.
    """
    regions, belongs = _regions(body.template)
    faces = body.template.faces["skin"]
    known = np.concatenate([body.template.vertices, belongs], axis=1)
    own = belongs[faces].sum(axis=1).argmax(axis=1)
    trees: dict[tuple[str, ...], tuple[cKDTree, np.ndarray]] = {}
    out = np.zeros((*render.surface.shape, 3), np.uint8)
    for index in np.unique(render.surface[render.surface >= 0]):
        surface = render.scene.surfaces[index]
        rows, columns = np.nonzero(render.surface == index)
        under = _WORN_ON.get(CIHP[surface.labels[0]], tuple(_REGIONS))
        if under not in trees:
            kept = faces[np.isin(own, [number for number, r in enumerate(regions) if r.name in under])]
            trees[under] = cKDTree(body.posed[kept].mean(axis=1)), kept
        tree, kept = trees[under]
        used, corners = np.unique(surface.faces[render.face[rows, columns]], return_inverse=True)
        face, share = _nearest(tree, body.posed[kept], surface.vertices[used])
        there = np.einsum("nk,nkc->nc", share, known[kept[face]])
        there = interpolate(there.astype(np.float32), corners.reshape(-1, 3), render.bary[rows, columns])
        out[rows, columns] = _chart(regions, there[:, :3], there[:, 3:].argmax(1))
    return out


def _nearest(tree: cKDTree, corners: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The triangle of ``corners`` (F, 3, 3) nearest each of ``points`` (N, 3), among four by centre: (N,) and weights (N, 3)."""
    _, faces = tree.query(points, k=4)
    a, b, c = (corners[faces, k] for k in range(3))
    e, f, p = b - a, c - a, points[:, None] - a
    ee, ef, ff, pe, pf = (np.einsum("nkc,nkc->nk", x, y) for x, y in ((e, e), (e, f), (f, f), (p, e), (p, f)))
    size = np.maximum(ee * ff - ef * ef, 1e-18)
    share = np.stack([np.zeros_like(pe), (ff * pe - ef * pf) / size, (ee * pf - ef * pe) / size], axis=2)
    share[..., 0] = 1 - share[..., 1] - share[..., 2]
    # Cutting negative weights off is not quite the nearest point, but in the triangle and continuous along its edges.
    share = np.maximum(share, 0)
    share /= share.sum(2, keepdims=True)
    off = np.einsum("njk,njkc->njc", share, corners[faces]) - points[:, None]
    best = np.einsum("nkc,nkc->nk", off, off).argmin(1)
    which = np.arange(len(points))
    return faces[which, best], share[which, best]


def _chart(regions: tuple[_Region, ...], place: np.ndarray, region: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 part, U, V at template coordinates ``place`` (N, 3) of ``region`` (N,)."""
    out = np.zeros((len(place), 3), np.uint8)
    for number, r in enumerate(regions):
        mine = np.flatnonzero(region == number)
        if not len(mine):
            continue
        offset = place[mine] - r.start
        along = offset @ r.axis
        length = 1 / np.linalg.norm(r.axis)
        facing, aside = offset @ r.facing, offset @ np.cross(r.axis * length, r.facing)
        if len(r.parts) == 1:
            part, across = np.full(len(mine), r.parts[0]), 0.5 + aside / (0.7 * length)
        else:
            other = facing < 0
            part = np.where(other, r.parts[1], r.parts[0])
            across = 0.5 + np.arctan2(aside, np.abs(facing)) / np.pi
        uv = np.clip(np.stack([across, along], axis=1), 0, 1)
        out[mine] = np.column_stack([part, np.round(uv * 255)])
    return out

"""Colours of a figure: the photograph where it sees, and what is plausible where it does not.

Each part of the figure (trunk, head, arms) has a picture of its own, carried on behind what hides it by mirroring what is next to it, and a
second one for the back: hair in place of the face, cloth in place of a neckline. A place on the surface reads them where it is in the
picture;
towards the sides it reads farther inwards, so that cloth goes on round them and nothing of the backdrop is seen.
"""

from __future__ import annotations

import cv2
import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy import ndimage
from scipy.spatial import cKDTree

from helpers import matting
from helpers.labels import CIHP, select
from helpers.mannequin.mesh import vertex_normals
from helpers.person import Person
from helpers.reconstruction import atlas
from helpers.reconstruction.relief.charts import unfolded
from helpers.reconstruction.relief.fitting import Fit, silhouette
from helpers.reconstruction.relief.layers import HEAD, PARTS, TRUNK
from helpers.reconstruction.relief.solid import Solid

_EDGE = 0.003  # of the picture's longer side: how far inside the outline colours are the figure's alone
_WALL = np.radians([52.0, 68.0])  # turned from the lens so far, a place is on the figure's side
_INSIDE, _FARTHEST = (
    0.02,
    0.16,
)  # metres inside the outline at which a side's depth is taken; how far inwards colours are read at most
_FRONT, _BACK = 0.30, -0.10  # of the normal towards the lens: where the front's colours end, where the back's begin
_LEAST = 0.02  # of a head: less hair is none
_BATCH = 1 << 18


def textured(person: Person, fit: Fit, solid: Solid, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(W,) rows of the solid's vertices, (F, 3) int32 faces into them, float32 (W, 2) uv, uint8 (size, size, 3) sRGB texture."""
    rows, faces, uv = unfolded(solid.vertices, solid.faces, size)
    texels = atlas.texels(uv, faces, (size, size))
    normals = vertex_normals(solid.vertices, solid.faces)[rows]
    paint = Paint(person, fit, solid)
    part = paint.parted(solid.vertices)[rows]
    colours = np.empty((len(texels.face), 3), np.uint8)
    values = np.hstack([solid.vertices[rows], normals, np.eye(len(PARTS))[part]])
    for first in range(0, len(colours), _BATCH):
        piece = slice(first, first + _BATCH)
        some = atlas.Texels(texels.shape, texels.row[piece], texels.column[piece], texels.face[piece], texels.bary[piece])
        read = some.read(values, faces)
        colours[piece] = paint.colours(read[:, :3], read[:, 3:6], read[:, 6:].argmax(1))
    return rows, faces, uv, texels.filled(colours)


class Paint:
    """Pictures of every part, ``front`` and ``back`` uint8 (4, H, W, 3)."""

    def __init__(self, person: Person, fit: Fit, solid: Solid) -> None:
        assert person.matte is not None
        assert person.labels is not None
        self.fit, self.solid = fit, solid
        self.layers = solid.layers
        mask = silhouette(person)
        edge = max(1, round(_EDGE * max(mask.shape)))
        sure = cv2.erode(mask.astype(np.uint8), np.ones((2 * edge + 1,) * 2, np.uint8), borderValue=1) > 0
        image = matting.lifted(person.image, person.matte)[..., :3]
        labels = person.labels
        self.hairy = (self.layers.known[HEAD] & select(labels, ("hair", "hat"))).sum() > _LEAST * max(
            self.layers.known[HEAD].sum(), 1
        )
        front, back = [], []
        self.back_labels = self.layers.labels.copy()
        for part in range(len(PARTS)):
            known = self.layers.known[part]
            front.append(_carried(image, known & sure, labels))
            front_only = (
                ("face", "sunglasses", "torso-skin")
                if part == HEAD and self.hairy
                else ("torso-skin",)
                if part == TRUNK
                else ()
            )
            own = known & ~select(labels, front_only)
            if part == TRUNK and not select(labels[own], ("upper-clothes", "dress", "coat")).any():
                own = known
            back.append(front[-1] if not front_only or not own.any() else _carried(image, own & sure, labels))
        if not self.hairy and self.layers.known[HEAD].any():
            skin = np.median(image[self.layers.known[HEAD] & sure], axis=0)
            back[HEAD] = np.broadcast_to(skin, image.shape).astype(np.uint8)
        self.front, self.back = np.stack(front), np.stack(back)
        self.skin = front[TRUNK] if (labels == CIHP.index("torso-skin")).any() else front[HEAD]
        neck = (labels == CIHP.index("torso-skin")) & sure
        self.neck = np.median(image[neck], axis=0) if neck.sum() > 30 else None
        self.tree = cKDTree(solid.body)
        self.scene = EmbreeScene()
        TriangleMesh(self.scene, solid.vertices.astype(np.float32), solid.faces)
        points = fit.points
        self.ears = (points["left-ear"] + points["right-ear"]) / 2
        size = float(np.linalg.norm(points["left-ear"] - points["right-ear"]))
        self.nape = self.ears[1] - 0.42 * size
        shoulder = (points["left-shoulder"][1] + points["right-shoulder"][1]) / 2
        self.collar = shoulder + 0.5 * size

    def parted(self, points: np.ndarray) -> np.ndarray:
        """(N,) the part that each of ``points`` (N, 3) belongs to."""
        part = self.solid.shares.part[self.tree.query(points)[1]]
        for claim in self.solid.claims:
            part = np.where(claim.holds(points), claim.part, part)
        return part

    def colours(self, points: np.ndarray, normals: np.ndarray, part: np.ndarray) -> np.ndarray:
        """uint8 (N, 3) at ``points`` (N, 3) of the surface with ``normals`` (N, 3)."""
        normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        pixels = self._inwards(points, self.inwards(points, normals), part)
        front, back = (self._read(pictures, pixels, part) for pictures in (self.front, self.back))
        share = _smooth(normals[:, 2], _BACK, _FRONT)
        head = part == HEAD
        share[head] = _smooth(points[head, 2], self.ears[2] - 0.012, self.ears[2] + 0.012) * _smooth(
            normals[head, 2], -0.6, -0.2
        )
        if self.neck is not None:
            bare = _smooth(points[:, 1], self.collar - 0.006, self.collar + 0.006) * (part == TRUNK)
            shown = self.layers.at(pixels, np.full(len(part), TRUNK)) == CIHP.index("torso-skin")
            back = back + (bare * shown)[:, None] * (self.neck - back)
            hangs = np.any(
                [claim.holds(points) for claim in self.solid.claims if claim.part == HEAD] or [np.zeros(len(points), bool)],
                axis=0,
            )
            nape = (1 - _smooth(points[:, 1], self.nape - 0.01, self.nape + 0.01)) * head * ~hangs
            back = back + nape[:, None] * (self.neck - back)
        return np.clip(back + share[:, None] * (front - back) + 0.5, 0, 255).astype(np.uint8)

    def inwards(self, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(N, 2) metres, x and y, from each of ``points`` (N, 3) on the figure's sides to where its colour is read.

        From the front's edge backwards it goes inwards as far as the surface goes back, and out again from the middle of the side to the
        back's edge: a mirror image of what the front shows there, at its true size.
        """
        out = np.zeros((len(points), 2))
        turned = np.arccos(np.clip(np.abs(normals[:, 2]), 0, 1))
        side = np.flatnonzero(turned > _WALL[0])
        if not len(side):
            return out
        aside = normals[side, :2] / np.maximum(np.linalg.norm(normals[side, :2], axis=1, keepdims=True), 1e-9)
        start = np.column_stack([points[side, :2] - _INSIDE * aside, points[side, 2]]).astype(np.float32)
        room = []
        for way in (1, -1):
            ahead = np.tile(np.array([[0, 0, way]], np.float32), (len(side), 1))
            met = self.scene.run(start, ahead, query="INTERSECT", output=1)
            room.append(np.where(met["primID"] >= 0, met["tfar"], 0))
        far = np.clip(np.minimum(*room), 0, _FARTHEST) * _smooth(turned[side], *_WALL)
        out[side] = -far[:, None] * aside
        return out

    def _inwards(self, points: np.ndarray, inwards: np.ndarray, part: np.ndarray) -> np.ndarray:
        """(N, 2) pixels that are read: as far inwards as it is the same cloth."""
        before = self.fit.pixels(points)
        own = self.layers.at(before, part)
        out, left = before.copy(), np.ones(len(points), bool)
        for share in (1.0, 0.5, 0.25):
            after = self.fit.pixels(points[:, :2] + share * inwards)
            same = left & (self.layers.at(after, part) == own)
            out[same] = after[same]
            left &= ~same
        return out

    def _read(self, pictures: np.ndarray, pixels: np.ndarray, part: np.ndarray) -> np.ndarray:
        """float32 (N, 3) of each part's picture (4, H, W, 3) at ``pixels``, between them linearly."""
        out = np.empty((len(pixels), 3), np.float32)
        for number in np.unique(part):
            mine = np.flatnonzero(part == number)
            at = pixels[mine].astype(np.float32)
            out[mine] = _sampled(pictures[number], at)
        return out


def _sampled(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
    """float32 (N, 3) of ``picture`` (H, W, 3) at pixels ``at`` (N, 2)."""
    wide = 1 << 14  # OpenCV's maps are at most 32767 a side
    rows = -(-len(at) // wide)
    padded = np.zeros((rows * wide, 2), np.float32)
    padded[: len(at)] = at
    maps = padded.reshape(rows, wide, 2)
    read = cv2.remap(picture, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return read.reshape(-1, 3)[: len(at)].astype(np.float32)


def _carried(image: np.ndarray, known: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): ``image`` where it is ``known``; elsewhere mirrored about the nearest place that is, if that is of the same
    label."""
    if not known.any():
        return image
    height, width = known.shape
    away, place = ndimage.distance_transform_edt(~known, sampling=(1.6, 1), return_indices=True)
    y, x = np.mgrid[0:height, 0:width]
    row, column = np.clip(2 * place[0] - y, 0, height - 1), np.clip(2 * place[1] - x, 0, width - 1)
    fits = known[row, column] & (labels[row, column] == labels[place[0], place[1]])
    row, column = np.where(fits, row, place[0]), np.where(fits, column, place[1])
    out = image[row, column].astype(np.float32)
    calm = cv2.GaussianBlur(out, (0, 0), 0.006 * max(height, width))
    share = np.clip(away / (0.012 * max(height, width)), 0, 1)[..., None] * np.where(fits, 0.35, 0.9)[..., None]
    return np.clip(out + share * (calm - out), 0, 255).astype(np.uint8)


def _smooth(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """(N,) 0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)

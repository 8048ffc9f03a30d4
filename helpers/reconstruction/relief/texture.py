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
from helpers.mannequin.mesh import neighbour_mean, vertex_normals
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
_AROUND = 21  # pixels of a picture of 256 round which the usual colour of cloth is taken
_USUAL, _FLAT, _WEAVE = (
    0.8,
    34,
    12,
)  # share of plain cloth that is within so many levels of the usual; levels that are its weave
_STRAND = 26  # levels of light and dark strands; what differs more is an ornament
_LEAST = 0.02  # of a head: less hair is none
_BATCH = 1 << 18
_BLEND, _TRACE = 2, 0.02  # rounds in which parts are blended into each other; a share that counts
_FACING = (0.22, 0.42)  # of the normal towards the lens, between which the photograph takes over
_CLEAR = 0.004  # metres before the surface from which it has to see the lens
_ON_FACE = 0.012  # metres that a face's colours are read inwards at most


def textured(person: Person, fit: Fit, solid: Solid, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(W,) rows of the solid's vertices, (F, 3) int32 faces into them, float32 (W, 2) uv, uint8 (size, size, 3) sRGB texture."""
    rows, faces, uv = unfolded(solid.vertices, solid.faces, size)
    texels = atlas.texels(uv, faces, (size, size))
    normals = vertex_normals(solid.vertices, solid.faces)[rows]
    paint = Paint(person, fit, solid)
    shares = np.eye(len(PARTS))[paint.parted(solid.vertices)]
    mean = neighbour_mean(solid.faces, len(shares))
    for _ in range(_BLEND):
        shares = mean @ shares
    colours = np.empty((len(texels.face), 3), np.uint8)
    values = np.hstack([solid.vertices[rows], normals, shares[rows]])
    for first in range(0, len(colours), _BATCH):
        piece = slice(first, first + _BATCH)
        some = atlas.Texels(texels.shape, texels.row[piece], texels.column[piece], texels.face[piece], texels.bary[piece])
        read = some.read(values, faces)
        colours[piece] = paint.colours(read[:, :3], read[:, 3:6], read[:, 6:])
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
        self.image = _carried(image, sure, labels)
        self.edge = 2 * edge + 2
        self.away = np.stack([cv2.distanceTransform(1 - known.astype(np.uint8), cv2.DIST_L2, 3) for known in self.layers.known])
        front, back = [], []
        self.back_labels = self.layers.labels.copy()
        for part in range(len(PARTS)):
            known = self.layers.known[part]
            inner = cv2.erode((known & mask).astype(np.uint8), np.ones((2 * edge + 1,) * 2, np.uint8), borderValue=1) > 0
            known = inner if inner.any() else known
            front.append(_carried(image, known & sure, labels))
            front_only = (
                ("face", "sunglasses", "torso-skin")
                if part == HEAD and self.hairy
                else ("torso-skin",)
                if part == TRUNK
                else ()
            )
            own = known & ~select(labels, front_only)
            if part == HEAD:
                front[HEAD] = _featureless(front[HEAD], known & sure & select(labels, ("face", "sunglasses")))
            plain = front[-1] if part == HEAD else _plain(front[-1], labels, known & sure)
            if part == TRUNK and not select(labels[own], ("upper-clothes", "dress", "coat")).any():
                own = known
            back.append(plain if not front_only or not own.any() else _carried(plain, own & sure, labels))
        if self.hairy:  # without ornaments
            everywhere = np.zeros_like(labels)
            back[HEAD] = _plain(back[HEAD], everywhere, everywhere == 0, np.inf, _STRAND)
        elif self.layers.known[HEAD].any():
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

    def colours(self, points: np.ndarray, normals: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """uint8 (N, 3) at ``points`` (N, 3) of the surface with ``normals`` (N, 3), which belong to the parts by ``shares`` (N, 4)."""
        normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        colour, main = np.zeros((len(points), 3), np.float32), shares.argmax(1)
        for part in range(len(PARTS)):
            some = np.flatnonzero(shares[:, part] > _TRACE)
            if len(some):
                own = self._of_part(points[some], normals[some], np.full(len(some), part))
                colour[some] += shares[some, part, None] * own
        whole = (shares * (shares > _TRACE)).sum(1, keepdims=True)
        colour = colour / whole
        seen, direct = self._photographed(points, normals, main)
        colour += seen[:, None] * (direct - colour)
        return np.clip(colour + 0.5, 0, 255).astype(np.uint8)

    def _photographed(self, points: np.ndarray, normals: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N,) 0..1 how far the photograph shows ``points``, and (N, 3) its colours there.

        Just inside the outline of what is before another part the photograph is not trusted for what is behind.
        """
        facing = _smooth(normals[:, 2], *_FACING)
        seen = np.flatnonzero(facing > 0)
        start = (points[seen] + (0, 0, _CLEAR)).astype(np.float32)
        towards = np.tile(np.array([[0, 0, 1]], np.float32), (len(seen), 1))
        free = self.scene.run(start, towards, query="OCCLUDED") == -1
        out = np.zeros(len(points), np.float32)
        out[seen[free]] = facing[seen[free]]
        pixels = self.fit.pixels(points)
        height, width = self.layers.part.shape
        x, y = np.clip(np.round(pixels).astype(int), 0, (width - 1, height - 1)).T
        rim = (self.layers.part[y, x] != part) & (self.away[part, y, x] < self.edge)
        out[rim | (self.layers.part[y, x] == 255)] = 0
        return out, _sampled(self.image, pixels.astype(np.float32))

    def _of_part(self, points: np.ndarray, normals: np.ndarray, part: np.ndarray) -> np.ndarray:
        """float32 (N, 3) of places that belong to ``part`` (N,), whatever hides them."""
        pixels = self._inwards(points, self.inwards(points, normals), part)
        if part[0] == HEAD:
            face = select(self.layers.at(self.fit.pixels(points), part), ("face", "torso-skin", "sunglasses"))
            pixels[face] = self._inwards(points[face], self.inwards(points[face], normals[face], _ON_FACE), part[face])
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
        return back + share[:, None] * (front - back)

    def inwards(self, points: np.ndarray, normals: np.ndarray, farthest: float = _FARTHEST) -> np.ndarray:
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
        far = np.clip(np.minimum(*room), 0, farthest) * _smooth(turned[side], *_WALL)
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
    down, across = place[0] - y, place[1] - x
    gone = np.maximum(np.hypot(down, across), 1e-6)
    deep = max(4.0, float(np.quantile(cv2.distanceTransform(known.astype(np.uint8), cv2.DIST_L2, 3)[known], 0.95)))
    back = np.abs((gone + deep) % (2 * deep) - deep) / gone  # to and fro between the edge and so far inside
    row = np.clip(np.round(place[0] + back * down).astype(int), 0, height - 1)
    column = np.clip(np.round(place[1] + back * across).astype(int), 0, width - 1)
    fits = known[row, column] & (labels[row, column] == labels[place[0], place[1]])
    row, column = np.where(fits, row, place[0]), np.where(fits, column, place[1])
    out = image[row, column].astype(np.float32)
    calm = cv2.GaussianBlur(out, (0, 0), 0.006 * max(height, width))
    share = np.clip(away / (0.012 * max(height, width)), 0, 1)[..., None] * np.where(fits, 0.5, 0.9)[..., None]
    return np.clip(out + share * (calm - out), 0, 255).astype(np.uint8)


def _plain(image: np.ndarray, labels: np.ndarray, known: np.ndarray, flat: float = _FLAT, weave: float = _WEAVE) -> np.ndarray:
    """uint8 (H, W, 3): ``image`` where plain cloth has lost its buttons, logos and what hangs before it, which no back has.

    Cloth is plain whose colours are nearly everywhere those around, within ``flat`` levels; ``weave``: levels that stay.
    """
    step = max(1, max(image.shape[:2]) // 256)
    small = cv2.resize(image, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
    around = cv2.resize(cv2.medianBlur(small, _AROUND), image.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    detail = image.astype(np.float32) - around
    out = image.copy()
    for label in np.unique(labels[known]):
        mine = known & (labels == label)
        if np.quantile(np.abs(detail[mine]).max(1), _USUAL) < flat:
            calm = np.clip(around + np.clip(detail, -weave, weave), 0, 255).astype(np.uint8)
            where = labels == label
            out[where] = calm[where]
    return out


def _featureless(image: np.ndarray, face: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): ``image`` with skin alone where ``face`` (H, W) is: what a head has on its sides."""
    if not face.any():
        return image
    y, x = np.nonzero(face)
    window = slice(y.min(), y.max() + 1), slice(x.min(), x.max() + 1)
    mine = face[window]
    place = ndimage.distance_transform_edt(~mine, return_distances=False, return_indices=True)
    filled = image[window][place[0], place[1]]
    small = cv2.resize(filled, (32, 40), interpolation=cv2.INTER_AREA)
    skin = cv2.resize(cv2.medianBlur(small, 15), mine.shape[::-1], interpolation=cv2.INTER_LINEAR)
    out = image.copy()
    out[window][mine] = skin[mine]
    return out


def _smooth(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """(N,) 0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)

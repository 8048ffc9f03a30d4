"""The fitted body with the outline of clothes and hair: one closed surface.

The body's skin is moved outwards until its outline is the picture's, smoothly in between, bare skin not at all. Skirts are one hull round
both legs, long hair hangs round neck and back, hands are as thick as their outline says. All of it fills a grid, whose surface is taken.

Convention: as ``fitting``: metres; x to the picture's right, y up, z towards the lens.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import fast_simplification
import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

from helpers.labels import select
from helpers.mannequin.mesh import neighbour_mean, vertex_normals
from helpers.person import Person
from helpers.reconstruction.mesh import Mesh
from helpers.reconstruction.relief.cloth import stretched
from helpers.reconstruction.relief.fitting import Fit, outline_normals, outline_points, silhouette
from helpers.reconstruction.relief.grid import Grid, hull, rounded, softened, surface
from helpers.reconstruction.relief.layers import HEAD, LEFT, RIGHT, TRUNK, Layers, Shares

FACES = 36000
_REACH = 0.13  # metres that cloth and hair stand off the body at most
_LAYERS = 24  # surfaces that a ray meets at most
_STIFF = 60.0  # how smooth the offset is between the outline's
_HEAD = 2.6  # how much finer a head is meshed
_BARE = ("face", "hair", "torso-skin", "left-arm", "right-arm", "left-leg", "right-leg", "sunglasses")
_SHARES = 41  # of a skirt's width at which its depth is reckoned
_FLARED = 1.1  # of the width at the hips is the hem of a skirt that hides the legs
_STEPPED = 0.002  # metres over which what hangs in between goes from one part's depth to the next one's
_LEAST_HAIR = 0.002  # square metres
_HANGING = ("skirt", "dress", "coat", "upper-clothes")


@dataclass(frozen=True, eq=False)
class Claim:
    """What fills the columns of a grid from ``back`` to ``front`` (nx, ny), NaN elsewhere, is ``part``'s.

    low: (2,) metres of the first column; step: metres between columns
    """

    part: int
    low: np.ndarray
    step: float
    front: np.ndarray
    back: np.ndarray

    def holds(self, points: np.ndarray, slack: float = 0.014) -> np.ndarray:
        """(N,) bool: ``points`` (N, 3) that lie on its surface or within."""
        column = np.round((points[:, :2] - self.low) / self.step).astype(int)
        inside = ((column >= 0) & (column < self.front.shape)).all(1)
        i, j = np.clip(column, 0, np.array(self.front.shape) - 1).T
        with np.errstate(invalid="ignore"):
            return inside & (points[:, 2] < self.front[i, j] + slack) & (points[:, 2] > self.back[i, j] - slack)


@dataclass(frozen=True, eq=False)
class Solid:
    """A closed surface.

    vertices: float64 (V, 3) metres;  faces: int32 (F, 3), counter-clockwise from outside
    body:     (n, 3) the body's skin, moved outwards: what the surface lies round
    cut:      whether the picture's lower edge cuts the figure off
    layers, shares: whose the picture's pixels and the body's vertices are
    claims:   what is not the nearest part of the body's: hair that hangs, skirts
    """

    vertices: np.ndarray
    faces: np.ndarray
    body: np.ndarray
    cut: bool
    layers: Layers
    shares: Shares
    claims: tuple[Claim, ...]


def solid(person: Person, fit: Fit, faces: int = FACES) -> Solid:
    """The figure's surface, of about ``faces`` triangles."""
    return _Building(person, fit).run(faces)


class _Building:
    def __init__(self, person: Person, fit: Fit) -> None:
        assert person.labels is not None
        self.fit, self.person = fit, person
        self.mask, self.labels = silhouette(person), person.labels
        self.parts = Shares(fit)
        self.layers = Layers(person, fit, self.parts, fit.posed[fit.model.skin])
        self.faces = fit.model.faces
        self.mean = neighbour_mean(self.faces, len(fit.model.skin))
        self.cut = bool(self.mask[-2:].any())

    def at(self, pixels: np.ndarray) -> np.ndarray:
        """(N, 2) metres of ``pixels`` (N, 2)."""
        return (pixels - (np.array(self.fit.size) - 1) / 2) * (1, -1) / self.fit.scale

    # --- the skin moved outwards

    def moved(self) -> np.ndarray:
        """(n, 3) skin whose outline is the picture's."""
        skin = self.fit.posed[self.fit.model.skin]
        skin = self._stubs(skin)
        skin = skin + self._offset(skin)
        skin = self._stretched(skin)
        return skin + self._offset(skin)  # what is left

    def _stretched(self, skin: np.ndarray) -> np.ndarray:
        """``skin`` where cloth covers it: stretched from one rise to the next as cloth is, never under the skin."""
        labels = self.layers.at(self.fit.pixels(skin), self.parts.part)
        normals = vertex_normals(skin, self.faces)
        bare = select(labels, _BARE) | (self.parts.part == HEAD) | (np.maximum(*self.parts.hands) > 0.3)
        behind = (normals[:, 2] < 0.2) & (self.parts.part == TRUNK) & select(labels, ("torso-skin",))
        cloth = (~bare | behind).astype(float)
        for _ in range(3):
            cloth = self.mean @ cloth
        trunk = np.clip(1 - 0.7 * self.parts.legs - np.sum(self.parts.arms, axis=0) - self.parts.head - self.parts.shins, 0, 1)
        return stretched(skin, self.faces, cloth * trunk)

    def _stubs(self, skin: np.ndarray) -> np.ndarray:
        """Hands drawn into their wrists: their outline makes them anew."""
        out = skin.copy()
        for share, side in zip(self.parts.hands, ("left", "right"), strict=True):
            wrist = self.fit.points[f"{side}-wrist"]
            out += (share * 0.8)[:, None] * (wrist - skin) * (share > 0.3)[:, None]
        return out

    def _offset(self, skin: np.ndarray) -> np.ndarray:
        """(n, 3) metres that the skin moves, mostly along its normals."""
        normals = vertex_normals(skin, self.faces)
        smooth = normals
        for _ in range(12):
            smooth = self.mean @ smooth
        smooth /= np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-6)
        points = outline_points(self.mask, 3)
        outward = outline_normals(self.mask, points)
        at = self.at(points)
        kinds = self._inside(points, outward)
        rim = np.flatnonzero((np.abs(normals[:, 2]) < 0.4) & (np.maximum(*self.parts.hands) < 0.3))
        tree = cKDTree(np.hstack([skin[rim, :2], 0.05 * normals[rim, :2]]))
        distance, nearest = tree.query(np.hstack([at, 0.05 * outward]))
        row = rim[nearest]
        gap = np.einsum("nk,nk->n", at - skin[row, :2], outward)
        hangs = select(kinds, _HANGING) & (self.parts.legs[row] > 0.5)
        use = (distance < _REACH) & ~hangs & ~self._at_hand(at)
        row, gap = row[use], np.clip(gap[use], -0.03, _REACH)
        count = np.bincount(row, minlength=len(skin)).astype(float)
        wish = np.bincount(row, gap, len(skin)) / np.maximum(count, 1)
        weight = np.minimum(count, 3.0)
        bare = self._bare(skin, normals)
        weight[bare], wish[bare] = np.maximum(weight[bare], 0.5), np.where(count[bare] > 0, wish[bare], 0)
        laplace = sparse.identity(len(skin)) - self.mean
        system = sparse.diags(weight + 1e-3) + _STIFF * (laplace.T @ laplace)
        amount = spsolve(sparse.csc_matrix(system), weight * wish)
        return amount[:, None] * smooth

    def _inside(self, points: np.ndarray, outward: np.ndarray) -> np.ndarray:
        """(N,) labels just inside the outline."""
        x, y = np.clip(np.round(points - 4 * outward * (1, -1)).astype(int), 0, np.array(self.fit.size) - 1).T
        return self.labels[y, x]

    def _at_hand(self, at: np.ndarray) -> np.ndarray:
        """(N,) bool: beyond a wrist, near it."""
        out = np.zeros(len(at), bool)
        for side in ("left", "right"):
            elbow, wrist = (self.fit.points[f"{side}-{joint}"][:2] for joint in ("elbow", "wrist"))
            along = (wrist - elbow) / max(float(np.linalg.norm(wrist - elbow)), 0.05)
            off = at - wrist
            out |= (off @ along > -0.005) & (np.linalg.norm(off, axis=1) < 0.22)
        return out

    def _bare(self, skin: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(n,) bool: vertices that the picture shows as face, neck or bare limbs."""
        pixel = np.round(self.fit.pixels(skin)).astype(int)
        width, height = self.fit.size
        inside = ((pixel >= 0) & (pixel < (width, height))).all(1)
        x, y = np.clip(pixel, 0, (width - 1, height - 1)).T
        return (
            inside
            & (normals[:, 2] > 0.3)
            & select(self.labels[y, x], ("face", "torso-skin", "left-leg", "right-leg", "sunglasses"))
        )

    # --- the grid

    def run(self, faces: int) -> Solid:
        skin = self.moved()
        self.layers = Layers(self.person, self.fit, self.parts, skin)
        grid = self._grid(skin)
        self.columns = grid.columns()
        self._sample(grid)
        front, back, legs = self._cast(grid, skin)
        self.front, self.back = front, back
        claims = [*self._skirt(grid, legs), *self._hair(grid, skin)]
        claims += self._rest(grid, front, back)
        grid.filled *= self.cover[..., None]
        vertices, triangles = surface(grid)
        vertices = self._face(vertices, skin)
        vertices, triangles = self._thinned(vertices, triangles, faces)
        return Solid(vertices, triangles, skin, self.cut, self.layers, self.parts, tuple(claims))

    def _grid(self, skin: np.ndarray) -> Grid:
        y, x = np.nonzero(self.mask)
        ends = self.at(np.array([[x.min(), y.max()], [x.max(), y.min()]], float))
        low = np.array([*ends[0], skin[:, 2].min() - 0.12])
        high = np.array([*ends[1], skin[:, 2].max() + 0.08])
        edge = self.at(np.array([[0, self.fit.size[1] - 1], [self.fit.size[0] - 1, 0]], float))
        near = edge + np.array([[1, 1], [-1, -1]]) * 4 / self.fit.scale
        inside = skin[skin[:, 1] > low[1]]
        if ends[1][1] > near[1][1]:
            high[1] = max(high[1], skin[:, 1].max())
        if ends[0][0] < near[0][0]:
            low[0] = min(low[0], inside[:, 0].min())
        if ends[1][0] > near[1][0]:
            high[0] = max(high[0], inside[:, 0].max())
        return Grid(low - 0.02, high + 0.02)

    def _sample(self, grid: Grid) -> None:
        """Labels, distance to the outline and cover at the grid's columns."""
        pixel = self.fit.pixels(self.columns.reshape(-1, 2)).reshape(self.columns.shape).astype(np.float32)
        width, height = self.fit.size
        inner = cv2.distanceTransform(self.mask.astype(np.uint8), cv2.DIST_L2, 5)
        outer = cv2.distanceTransform(1 - self.mask.astype(np.uint8), cv2.DIST_L2, 5)
        signed = (inner - outer) / np.float32(self.fit.scale)
        self.within = cv2.remap(signed, pixel[..., 0], pixel[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        nearest = np.clip(np.round(pixel).astype(int), 0, (width - 1, height - 1))
        self.label = np.where(self.within > -grid.step, self.labels[nearest[..., 1], nearest[..., 0]], 0)
        self.trunk = self.layers.part[nearest[..., 1], nearest[..., 0]] == TRUNK
        self.hand = self.layers.hands[nearest[..., 1], nearest[..., 0]]
        self.head = (self.layers.part[nearest[..., 1], nearest[..., 0]] == HEAD) & (self.within > -grid.step)
        self.beside = (pixel[..., 0] < 2) | (pixel[..., 0] > width - 3) | (pixel[..., 1] < 2)
        self.below = pixel[..., 1] > height - 1
        # The picture's edges cut nobody off but below.
        self.cover = np.where(self.beside, 1, np.clip(0.5 + self.within / grid.step, 0, 1))
        self.cover = np.where(self.below, 0, self.cover).astype(np.float32)
        self.shown = (self.within > -grid.step) & ~self.below & ~self.beside

    def _cast(self, grid: Grid, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fill what is within the skin; -> (nx, ny) foremost and hindmost of it, NaN where it is not; (nx, ny, 2) of the trunk and legs."""
        scene = EmbreeScene()
        TriangleMesh(scene, skin.astype(np.float32), self.faces)
        faces = skin[self.faces]
        facing = np.sign(np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])[:, 2])
        head = self.parts.head[self.faces].mean(1) > 0.5
        arm = np.maximum(*self.parts.arms)[self.faces].mean(1) > 0.5
        xy = self.columns.reshape(-1, 2)
        count = len(xy)
        down = np.tile(np.array([[0, 0, -1]], np.float32), (count, 1))
        top = float(grid.z[-1]) + 0.05
        z, live = np.full(count, top), np.arange(count)
        winding = np.zeros(count, int)
        entered = np.full(count, np.nan)
        last_head = np.full(count, np.nan)  # where a ray has left the head
        front, back = np.full(count, np.nan), np.full(count, np.nan)
        legs = np.full((count, 2), np.nan)
        for _ in range(_LAYERS):
            start = np.column_stack([xy[live], z[live]]).astype(np.float32)
            met = scene.run(start, down[live], query="INTERSECT", output=1)
            hit = met["primID"] >= 0
            live, face = live[hit], met["primID"][hit]
            if not len(live):
                break
            depth = z[live] - met["tfar"][hit]
            sign = facing[face].astype(int)
            before = winding[live]
            winding[live] = before + sign
            opened, closed = (before == 0) & (sign > 0), (before == 1) & (sign < 0)
            at = live[opened]
            entered[at] = np.where(head[face[opened]] & np.isfinite(last_head[at]), last_head[at], depth[opened])
            front[at] = np.fmax(front[at], depth[opened])
            at = live[closed]
            self._put(grid, at, entered[at], depth[closed])
            back[at] = np.fmin(back[at], depth[closed])
            last_head[at] = np.where(head[face[closed]], depth[closed], np.nan)
            mine = ~arm[face] & ~head[face]
            legs[live[mine], 0] = np.fmax(legs[live[mine], 0], depth[mine])
            legs[live[mine], 1] = np.fmin(legs[live[mine], 1], depth[mine])
            z[live] = depth - 1e-4
        shape = grid.shape[:2]
        return front.reshape(shape), back.reshape(shape), legs.reshape(*shape, 2)

    def _put(self, grid: Grid, column: np.ndarray, front: np.ndarray, back: np.ndarray) -> None:
        table = np.full((2, grid.shape[0] * grid.shape[1]), np.nan)
        table[0, column], table[1, column] = front, back
        table = table.reshape(2, *grid.shape[:2])
        grid.fill(table[0], table[1], np.isfinite(table).all(0))

    # --- what hangs

    def _skirt(self, grid: Grid, legs: np.ndarray) -> list[Claim]:
        """Fill one hull round both legs where a skirt hangs; -> (nx, ny) bool where that is."""
        hips = np.mean([self.fit.points[f"{side}-hip"][1] for side in ("left", "right")])
        cloth = (select(self.label, _HANGING) & self.trunk) | (short := self._short(hips))
        low = grid.y < hips + 0.12
        crotch = hips - 0.06
        span = np.zeros(grid.shape[:2], bool)
        front, back = np.full(grid.shape[:2], np.nan), np.full(grid.shape[:2], np.nan)
        rows, ends, edges = [], [], []
        share = np.linspace(-1, 1, _SHARES)
        for row in np.flatnonzero(low):
            inside = np.flatnonzero(cloth[:, row] & self.shown[:, row])
            body = np.flatnonzero(np.isfinite(legs[:, row, 0]))
            if len(inside) < 4 or len(body) < 4:
                continue
            left, right = inside[0], inside[-1]
            whole = np.flatnonzero(self.trunk[:, row] & self.shown[:, row])
            least = 0.6 if grid.y[row] < crotch else 0.9
            if len(inside) < least * len(whole) or (
                grid.y[row] >= crotch and not (short | select(self.label, ("skirt", "dress")))[inside, row].any()
            ):
                continue
            both = grid.x[left] < 0.5 * (self.fit.points["left-knee"][0] + self.fit.points["right-knee"][0]) < grid.x[right]
            if not both:
                continue
            body = body[(body >= left - 2) & (body <= right + 2)]
            if len(body) < 4:
                continue
            points = np.concatenate([np.stack([grid.x[body], legs[body, row, k]], axis=1) for k in (0, 1)])
            upper, lower = hull(points, share)
            air = 0.5 * max(grid.x[body[0]] - grid.x[left], 0) + 0.5 * max(grid.x[right] - grid.x[body[-1]], 0)
            bow = np.sqrt(1 - share**2) * np.clip(air, 0, 0.3)
            edges.append((upper + bow, lower - bow))
            ends.append((left, right))
            rows.append(row)
        if len(rows) < 3:
            return []
        table, level = np.array(edges), grid.y[rows]
        falls = 2 * (level - level[0]) / (level[-1] - level[0]) - 1
        for k in range(_SHARES):  # cloth falls straight from one rise to the next
            for side in (0, 1):
                table[:, side, k] = hull(np.stack([level, table[:, side, k]], axis=1), falls)[side]
        for row, (left, right), (upper, lower) in zip(rows, ends, table, strict=True):
            t = np.linspace(-1, 1, right - left + 1)
            front[left : right + 1, row], back[left : right + 1, row] = np.interp(t, share, upper), np.interp(t, share, lower)
            span[left : right + 1, row] = True
        fill = span & self.shown & (select(self.label, (*_HANGING, "left-arm", "right-arm", "pants")) | cloth)
        front, back = (softened(values, span, np.array([0.012, 0.025]) / grid.step) for values in (front, back))
        grid.fill(front, back, fill & np.isfinite(front))
        self.front = np.where(fill, np.fmax(self.front, front), self.front)
        self.back = np.where(fill, np.fmin(self.back, back), self.back)
        return [self._claim(grid, TRUNK, front, back, fill)]

    def _claim(self, grid: Grid, part: int, front: np.ndarray, back: np.ndarray, where: np.ndarray) -> Claim:
        front, back = (np.where(where, values, np.nan) for values in (front, back))
        return Claim(part, grid.low[:2], grid.step, front, back)

    def _short(self, hips: float) -> np.ndarray:
        """(nx, ny) bool: what is called trousers but is one piece to its hem, above bare legs or wider there than hips are: a skirt."""
        pants, legs = select(self.label, ("pants",)), select(self.label, ("left-leg", "right-leg"))
        none = np.zeros_like(pants)
        if not pants.any():
            return none
        step = float(self.columns[0, 1, 1] - self.columns[0, 0, 1])
        level, wide = self.columns[0, :, 1], pants.sum(0) * step
        hem = wide[np.flatnonzero(wide > 0)[0] :][: round(0.06 / step)].max()
        if legs.sum() < 50 and (self.cut or hem < _FLARED * wide[np.abs(level - hips + 0.02).argmin()]):
            return none
        middle = int(
            np.abs(self.columns[:, 0, 0] - 0.5 * (self.fit.points["left-hip"][0] + self.fit.points["right-hip"][0])).argmin()
        )
        y = self.columns[middle, :, 1]
        bottom = np.flatnonzero(pants.any(0))[0]
        crotch = hips - 0.10
        rows = (y < crotch) & (y > y[bottom] + 0.02)
        return pants if rows.sum() > 3 and pants[middle, rows].mean() > 0.8 else none

    def _hair(self, grid: Grid, skin: np.ndarray) -> list[Claim]:
        """Fill the hair: round the skull as wide as the picture shows it, and down beside and behind the neck as far as it hangs."""
        hair = select(self.label, ("hair", "hat")) & self.shown
        if hair.sum() * grid.step**2 < _LEAST_HAIR:
            return []
        head = skin[self.parts.head > 0.5]
        ears = np.mean([self.fit.points[f"{side}-ear"] for side in ("left", "right")], axis=0)
        shoulder = np.mean([self.fit.points[f"{side}-shoulder"] for side in ("left", "right")], axis=0)
        chin, y = self.fit.points["chin"][1], grid.y
        long = (hair & (y < chin - 0.01)[None]).sum() * grid.step**2 > _LEAST_HAIR
        lowest = np.where(hair.any(1), np.where(hair, y[None], np.inf).min(1), np.nan)
        if not long:
            lowest = np.fmax(lowest, ears[1] - 0.02)
        have = np.flatnonzero(np.isfinite(lowest))
        if long:  # behind the neck it hangs as far as beside it
            inner = have[(have > have[0] + 0.012 / grid.step) & (have < have[-1] - 0.012 / grid.step)]
            lowest[inner] = np.minimum(lowest[inner], np.quantile(lowest[have], 0.2))
        ends = ndimage.gaussian_filter1d(lowest[have], 0.008 / grid.step)
        lowest = np.interp(np.arange(len(lowest)), have, ends, left=np.inf, right=np.inf)
        region = (y[None] >= lowest[:, None]) & self.shown & (self.head | hair | (y < chin)[None])
        t = np.zeros(region.shape)
        for row in np.flatnonzero(region.any(0)):
            inside = np.flatnonzero(region[:, row])
            t[inside[0] : inside[-1] + 1, row] = np.linspace(-1, 1, inside[-1] - inside[0] + 1)
        bow = np.clip(1 - np.abs(t) ** 2.4, 0, 1) ** (1 / 2.4)
        # How far back: the skull's own level by level, then from the ears down to the upper back.
        skull = np.array([head[np.abs(head[:, 1] - level) < 0.006, 2].min(initial=np.inf) for level in y])
        skull = np.where(np.isfinite(skull), skull, ears[2])
        at_ears = skull[np.abs(y - ears[1]).argmin()]
        near = (np.abs(skin[:, 1] - shoulder[1]) < 0.05) & (np.abs(skin[:, 0] - shoulder[0]) < 0.08)
        level = np.clip((ears[1] - y) / max(ears[1] - shoulder[1], 0.05), 0, 1)
        middle = ears[2] * (1 - level) + (shoulder[2] - 0.01) * level
        top = y[np.flatnonzero(hair.any(0))[-1]] + grid.step
        cap = np.sqrt(np.clip(1 - ((y - ears[1]) / max(top - ears[1], 0.05)) ** 2, 0, 1))
        cap = ears[2] - (ears[2] - skull.min()) * cap
        behind = np.where(
            y > ears[1], np.minimum(cap, skull) - 0.004, at_ears * (1 - level) + (skin[near, 2].min() - 0.015) * level
        )
        tip = np.sqrt(np.clip((y[None] - lowest[:, None]) / 0.05, 0, 1)) if long else 1.0
        back = middle[None] - np.maximum(middle - behind, 0)[None] * bow * tip
        lies = np.isfinite(self.back) & (y < shoulder[1] + 0.05)[None]
        back = np.where(lies, np.minimum(back, self.back - 0.012 * bow * tip), back)
        deep = np.clip(self.within, 0, 0.035)
        deep = np.sqrt(deep * (0.07 - deep))
        over = np.fmax(self.front + np.clip(deep, 0, 0.008), middle[None] + deep)
        under = np.where(np.isfinite(self.front), np.minimum(middle[None], self.front - 0.012), middle[None])
        front = np.where(hair, over, under)
        front, back = softened(front, region & hair, 0.006 / grid.step), softened(back, region, 0.009 / grid.step)
        grid.fill(front, back, region & (front > back))
        self.back = np.where(region, np.fmin(self.back, back), self.back)
        return [self._claim(grid, HEAD, front, back, region & (front > back))]

    def _rest(self, grid: Grid, front: np.ndarray, back: np.ndarray) -> list[Claim]:
        """Fill what the picture shows and nothing has filled yet, as thick as it is wide; hands too, which are claimed."""
        solid = grid.filled.max(2) > 0.5
        hand = self._at_hand(self.columns.reshape(-1, 2)).reshape(solid.shape) & self.hand & self.shown
        middle = (front + back) / 2
        place = ndimage.distance_transform_edt(~np.isfinite(middle) | hand, return_distances=False, return_indices=True)
        middle = ndimage.gaussian_filter(middle[place[0], place[1]], _STEPPED / grid.step)
        missing = self.shown & (self.within > 0) & (~solid | hand)
        near = ndimage.binary_dilation(missing, iterations=3) & self.shown & ~hand
        deep = rounded(self.within, 0.02)
        grid.fill(middle + deep, middle - deep, near & (deep > 0))
        if not hand.any():
            return []
        centre = self._hand_depth(grid, hand, self.front)
        deep = rounded(ndimage.distance_transform_edt(hand) * grid.step, 0.013)  # over the body it has an outline of its own
        grid.fill(centre + deep, centre - deep, hand)
        nearer = np.stack(
            [np.linalg.norm(self.columns - self.fit.points[f"{side}-wrist"][:2], axis=2) for side in ("left", "right")]
        ).argmin(0)
        return [
            self._claim(grid, part, centre + deep, centre - deep, hand & (nearer == row))
            for row, part in ((0, LEFT), (1, RIGHT))
        ]

    def _hand_depth(self, grid: Grid, hand: np.ndarray, front: np.ndarray) -> np.ndarray:
        """(nx, ny) metres: hands are as deep as their wrists, or lie on what is behind them."""
        out = np.zeros(hand.shape)
        nearest = np.full(hand.shape, np.inf)
        for side in ("left", "right"):
            wrist = self.fit.points[f"{side}-wrist"]
            away = np.linalg.norm(self.columns - wrist[:2], axis=2)
            out = np.where(away < nearest, wrist[2], out)
            nearest = np.minimum(nearest, away)
        over = np.isfinite(front) & hand
        return np.where(over, np.fmax(out, ndimage.gaussian_filter(np.where(over, front, -9), 1) + 0.008), out)

    # --- the surface

    def _face(self, vertices: np.ndarray, skin: np.ndarray) -> np.ndarray:
        """``vertices`` of the face laid exactly on the body's, whose features are finer than the grid."""
        pixel = np.round(self.fit.pixels(vertices)).astype(int)
        width, height = self.fit.size
        x, y = np.clip(pixel, 0, (width - 1, height - 1)).T
        shown = cv2.erode((select(self.labels, ("face", "sunglasses"))).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        near = np.flatnonzero(shown[y, x])
        scene = EmbreeScene()
        head = self.parts.head[self.faces].mean(1) > 0.3
        TriangleMesh(scene, skin.astype(np.float32), self.faces[head])
        start = np.column_stack([vertices[near, :2], np.full(len(near), 5.0)]).astype(np.float32)
        met = scene.run(start, np.tile(np.array([[0, 0, -1]], np.float32), (len(near), 1)), query="INTERSECT", output=1)
        depth = 5.0 - met["tfar"]
        ok = (met["primID"] >= 0) & (np.abs(depth - vertices[near, 2]) < 0.012)
        out = vertices.copy()
        out[near[ok], 2] = depth[ok]
        return out

    def _thinned(self, vertices: np.ndarray, faces: np.ndarray, wanted: int) -> tuple[np.ndarray, np.ndarray]:
        """Fewer triangles, more of them in the head."""
        if len(faces) <= wanted:
            return vertices, faces
        neck = self.fit.points["chin"] - (0, 0.08, 0.05)
        level = np.linspace(vertices[:, 1].min() - 0.1, vertices[:, 1].max() + 0.1, 4000)
        grow = 1 + (_HEAD - 1) / (1 + np.exp(-(level - neck[1]) / 0.02))
        raised = np.concatenate([[0], np.cumsum((grow[1:] + grow[:-1]) / 2 * np.diff(level))])
        out = vertices.copy()
        scale = np.interp(vertices[:, 1], level, grow)
        out[:, 1] = np.interp(vertices[:, 1], level, raised)
        for k in (0, 2):
            out[:, k] = neck[k] + (vertices[:, k] - neck[k]) * scale
        for keen in (3, 2, 1):  # where an edge would join three faces it is thinned with more patience
            thin, some = fast_simplification.simplify(out.astype(np.float32), faces, target_count=wanted, agg=keen)
            if Mesh("thinned", thin.astype(np.float32), some.astype(np.int32)).closed:
                break
        else:
            return vertices, faces
        thin = thin.astype(np.float64)
        thin[:, 1] = np.interp(thin[:, 1], raised, level)
        scale = np.interp(thin[:, 1], level, grow)
        for k in (0, 2):
            thin[:, k] = neck[k] + (thin[:, k] - neck[k]) / scale
        return thin, some.astype(np.int32)

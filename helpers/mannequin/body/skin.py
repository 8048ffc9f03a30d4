"""Skin, eyes and lashes as surfaces, with procedural colour laid out in template space.

A feature painted at a place of the template (the brow above the eye, the knuckle) is at that place on every shaped and posed
body. Tones shift by two absorbing layers, melanin and blood, so that one description holds from pale to deep skin.

Convention: metres, colours linear RGB; template space as in :func:`helpers.mannequin.body.template.template`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from helpers.labels import CIHP
from helpers.mannequin.body.eyes import eye_centre, eye_surface, lash_surface, lid_edges
from helpers.mannequin.body.figure import Body
from helpers.mannequin.body.template import Template, template, texture
from helpers.mannequin.colours import linear
from helpers.mannequin.fields import noise, smoothstep
from helpers.mannequin.mesh import edge_table, refine_closed, triangles, unit, vertex_normals
from helpers.mannequin.outfit import Figure
from helpers.mannequin.surface import Hits, Material, Surface

MELANIN = np.array([0.55, 0.90, 1.30])  # absorption of a unit of each layer in R, G, B
BLOOD = np.array([0.08, 0.75, 0.60])
_DARKEST, _LIGHTEST = 0.033, 0.80  # no skin reflects less light, nor as much
LIPS = np.array([0.12, 0.85, 0.55])  # blood under the thinnest skin


def skin_surfaces(body: Body) -> list[Surface]:
    """Skin (subdivided once, labelled by CIHP), eyes and lashes of a posed body."""
    return [_skin(body), eye_surface(body), lash_surface(body)]


# --- the skin mesh -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SkinMesh:
    """The subdivided skin: ``matrix`` csr (S, V) from the template's vertices to the smooth ones, ``faces`` (F, 3) of these;
    ``split`` (N,) repeats them where the atlas is cut, ``cut`` (F, 3) are the same faces in that numbering, ``uv`` (N, 2);
    ``place`` (N, 3) template positions, ``tint`` (N, 5) amounts of melanin, blood, palm, nail and inner mouth, ``labels`` (F,) CIHP."""

    matrix: sparse.csr_matrix
    faces: np.ndarray
    split: np.ndarray
    cut: np.ndarray
    uv: np.ndarray
    place: np.ndarray
    tint: np.ndarray
    labels: np.ndarray


def _skin(body: Body) -> Surface:
    mesh = skin_mesh(body.template)
    vertices = mesh.matrix @ body.posed
    normals = vertex_normals(vertices, mesh.faces)
    colour = _SkinColour(body.figure)
    material = Material(colour, kind="skin", roughness=0.60, specular=0.028, bump=colour.pores)
    return Surface(
        "skin",
        vertices[mesh.split],
        mesh.cut,
        material,
        mesh.labels,
        uv=mesh.uv,
        normals=normals[mesh.split],
        attributes={"template": mesh.place, "tint": mesh.tint},
    )


@cache
def skin_mesh(base: Template) -> SkinMesh:
    """One Catmull-Clark step on the skin's quads, the atlas subdivided along."""
    quads, uv_quads = base.quads["skin"], base.uv_quads["skin"]
    used, seams = np.unique(uv_quads, return_inverse=True)  # the atlas: every seam vertex once a side
    seams = seams.reshape(-1, 4)
    weld = np.empty(len(used), np.int64)
    weld[seams.ravel()] = quads.ravel()
    edges, edge_of, _ = edge_table(seams)
    smooth, weld_edges = refine_closed(quads, len(base.vertices))
    key = np.array([len(base.vertices), 1])
    edge_row = np.searchsorted(weld_edges @ key, np.sort(weld[edges], axis=1) @ key)
    v, e = len(base.vertices), len(weld_edges)
    split = np.concatenate([weld, v + edge_row, v + e + np.arange(len(quads))])
    uv = base.uv[used]
    uv = np.concatenate([uv, uv[edges].mean(axis=1), uv[seams].mean(axis=1)])
    n, m = len(used), len(edges)
    centre = n + m + np.arange(len(quads))
    cut = np.stack(
        [np.stack([seams[:, k], n + edge_of[:, k], centre, n + edge_of[:, k - 1]], axis=1) for k in range(4)], axis=1
    )
    cut = triangles(cut.reshape(-1, 4)).astype(np.int32)

    kept, split = np.unique(split, return_inverse=True)
    matrix = smooth[kept]
    faces = split[cut].astype(np.int32)
    place = matrix @ base.vertices
    weights = matrix @ base.weights
    tint = _tints(base, place, vertex_normals(place, faces), weights)
    inside = texture("inside-mouth", uv)
    nails = np.maximum(texture("fingernails", uv), texture("toenails", uv))
    return SkinMesh(
        matrix,
        faces,
        split,
        cut,
        uv,
        place[split],
        np.column_stack([tint[split], nails, inside]),
        _labels(base, weights, faces),
    )


_PARTS = {
    "face": ("head", "jaw", "special", "oris", "levator", "orbicularis", "oculi", "temporalis", "risorius", "tongue", "eye"),
    "left-arm": (r"upperarm|L", r"lowerarm|L", r"wrist|L", r"finger|L", r"metacarpal|L"),
    "right-arm": (r"upperarm|R", r"lowerarm|R", r"wrist|R", r"finger|R", r"metacarpal|R"),
    "left-leg": (r"upperleg|L", r"lowerleg|L", r"foot|L", r"toe|L"),
    "right-leg": (r"upperleg|R", r"lowerleg|R", r"foot|R", r"toe|R"),
}


def _columns(base: Template, patterns: tuple[str, ...]) -> list[int]:
    out = []
    for row, name in enumerate(base.bones.names):
        for pattern in patterns:
            start, _, end = pattern.partition("|")
            if name.startswith(start) and name.endswith(end):
                out.append(row)
                break
    return out


def _labels(base: Template, weights: sparse.csr_matrix, faces: np.ndarray) -> np.ndarray:
    parts = ["torso-skin", *_PARTS]
    amount = np.full((weights.shape[0], len(parts)), 0.5)
    for column, name in enumerate(parts[1:], start=1):
        amount[:, column] = np.asarray(weights[:, _columns(base, _PARTS[name])].sum(axis=1)).ravel()
    numbers = np.array([CIHP.index(name) for name in parts], np.uint8)
    return numbers[amount[faces].sum(axis=1).argmax(axis=1)]


def _tints(base: Template, place: np.ndarray, normals: np.ndarray, weights: sparse.csr_matrix) -> np.ndarray:
    """(S, 3) melanin, blood and palm amounts that follow the anatomy."""
    heads = dict(zip(base.bones.names, base.bones.heads @ base.vertices, strict=True))

    def spot(centre: np.ndarray, radius: float) -> np.ndarray:
        return np.exp(-np.sum((place - centre) ** 2, axis=1) / radius**2)

    melanin, blood, palm = (np.zeros(len(place)) for _ in range(3))
    for side, sign in ((".L", 1), (".R", -1)):
        back = sign * np.cross(
            heads["finger2-1" + side] - heads["wrist" + side], heads["finger5-1" + side] - heads["wrist" + side]
        )
        back /= np.linalg.norm(back)
        hand = np.asarray(weights[:, _columns(base, _PARTS["left-arm" if sign > 0 else "right-arm"][2:])].sum(axis=1)).ravel()
        palm += hand * smoothstep(0.1, -0.5, normals @ back)
        for finger in range(1, 6):
            for joint, radius in ((1, 0.009), (2, 0.007), (3, 0.006)):
                knuckle = spot(heads[f"finger{finger}-{joint}{side}"] + 0.006 * back, radius)
                melanin += 0.22 * knuckle
                blood += 0.30 * knuckle
            blood += 0.35 * spot(base.bones.tails[base.bones.index(f"finger{finger}-3{side}")] @ base.vertices, 0.012)
        elbow = heads["lowerarm01" + side] - np.array([0, 0, 0.04])
        knee = heads["lowerleg01" + side] + np.array([0, 0, 0.055])
        melanin += 0.30 * spot(elbow, 0.035) + 0.14 * spot(knee, 0.045)
        blood += 0.35 * spot(elbow, 0.03) + 0.10 * spot(knee, 0.04)
        blood += 0.35 * spot(heads["foot" + side] - [0, 0.05, 0.04], 0.035) + 0.3 * spot(heads["toe2-2" + side], 0.04)
        foot = np.asarray(weights[:, _columns(base, (f"foot|{side[1]}", f"toe|{side[1]}"))].sum(axis=1)).ravel()
        palm += foot * smoothstep(-0.5, -0.9, normals[:, 1])
        ear = [0.083 * sign, eye_centre(base)[1] - 0.017, 0.03]
        blood += 0.45 * spot(np.array(ear), 0.032)
    return np.column_stack([melanin, blood, np.clip(palm, 0, 1)])


# --- colour ------------------------------------------------------------------------------------------------------------


class _SkinColour:
    """Albedo of one figure's skin at any hit; face features where the template's face is."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.tone, self.hair = linear(figure.skin), linear(figure.hair_colour)
        luminance = float(self.tone @ [0.2126, 0.7152, 0.0722])
        bounded = (luminance**4 + _DARKEST**4) ** 0.25 / (1 + (luminance / _LIGHTEST) ** 4) ** 0.25
        self.tone = self.tone * bounded / max(luminance, 1e-4)
        self.light = float(np.clip(luminance**0.5, 0.1, 0.8))
        self.origin = eye_centre(template())
        rng = np.random.default_rng(figure.face_seed)
        self.freckles = float(np.clip(rng.normal(0.0, 0.45), 0, 1)) * float(np.clip((self.light - 0.4) / 0.3, 0, 1))
        self.brow_height = rng.normal(0, 0.0006)
        self.brow_weight = rng.normal(1, 0.1)
        shade = 1 - float(np.clip(self.hair.mean() * 5, 0, 0.7))
        self.stubble = shade * rng.choice([0.14, 0.22, 0.34])
        self.lids = cKDTree(lid_edges(template()))

    def __call__(self, hits: Hits) -> np.ndarray:
        place, tint = hits["template"], hits["tint"]
        old = np.clip((self.figure.age - 35) / 45, 0, 1)
        melanin = 0.04 * noise(place, 0.02) + (0.04 + 0.08 * old) * noise(place, 0.007) + tint[:, 0]
        blood = 0.07 * noise(place + 3.1, 0.03) + 0.07 * noise(place + 1.7, 0.004) + tint[:, 1]
        palm = tint[:, 2]
        melanin -= palm * (1.6 * (0.75 - self.light) + 0.1)
        blood += 0.25 * palm
        nail = tint[:, 3]
        x, y, depth = np.abs(place[:, 0]), place[:, 1] - self.origin[1], place[:, 2]
        face = (y > -0.13) & (y < 0.1) & (depth > 0.03)
        rows = np.flatnonzero(face)
        paint = None
        if len(rows):
            shift, paint = self._face(place[rows], x[rows], y[rows])
            melanin[rows] += shift[:, 0]
            blood[rows] += shift[:, 1]
        colour = self._absorb(melanin, blood)
        colour += nail[:, None] * 0.35 * (np.array([0.62, 0.40, 0.36]) * (0.4 + self.light) - colour)
        if paint is not None:
            for layer, amount in paint:
                amount = amount[:, None]
                colour[rows] = colour[rows] * (1 - amount) + amount * layer
        colour *= 1 - tint[:, 4:5] * [0.74, 0.88, 0.86]
        return colour.astype(np.float32)

    def pores(self, hits: Hits) -> np.ndarray:
        """(N, 3) normals with the fine relief that breaks up highlights."""
        rough = (0.045 if self.figure.presentation == "woman" else 0.075) * (
            1 + 0.6 * np.clip((self.figure.age - 40) / 30, 0, 1)
        )
        relief = np.stack([noise(hits["template"] + offset, 0.0012) for offset in (0.0, 7.3, 14.6)], axis=1)
        out = hits["normal"] + rough * relief
        return unit(out)

    def _absorb(self, melanin: np.ndarray, blood: np.ndarray) -> np.ndarray:
        # Blood shows less through much melanin.
        blood = blood * (0.35 + 0.9 * self.light)
        return self.tone * np.exp(-melanin[:, None] * MELANIN - blood[:, None] * BLOOD)

    def _face(self, place: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, list]:
        woman = self.figure.presentation == "woman"
        fine = noise(place, 0.0022)

        def oval(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
            return np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2)

        melanin, blood = np.zeros(len(x)), np.zeros(len(x))
        blood += (0.21 if woman else 0.16) * oval(0.045, -0.030, 0.020, 0.017)  # cheeks
        blood += 0.22 * oval(0, -0.032, 0.012, 0.010) + 0.18 * oval(0.014, -0.040, 0.007, 0.008)  # nose, its wings
        blood += 0.10 * oval(0, -0.100, 0.016, 0.012)  # chin
        melanin += 0.10 * oval(0.030, -0.012, 0.013, 0.005)  # under the eye
        blood += 0.16 * oval(0.026, -0.011, 0.012, 0.005)
        lid = oval(0.032, 0.007, 0.014, 0.005)
        melanin += (0.22 if woman else 0.10) * lid
        blood += (0.20 if woman else 0.12) * lid
        melanin += self.freckles * 0.55 * smoothstep(0.35, 0.8, noise(place + 9.0, 0.0021)) * oval(0.02, -0.028, 0.035, 0.018)
        melanin += 0.03 * fine
        paint = [self._lips(x, y, place), self._brows(x, y, place)]
        if not woman:
            beard = self.stubble * self._beard(x, y, place[:, 2]) * (1 + 0.8 * noise(place, 0.0011))
            paint.append((0.6 * self.hair + 0.25 * self.tone * [0.8, 0.9, 1.0], beard))
        distance = self.lids.query(np.column_stack([x, place[:, 1:]]), distance_upper_bound=0.004)[0]
        upper = y > 0.0
        edge = np.exp(-((distance / np.where(upper, 0.0017, 0.0010)) ** 2)) * np.where(upper, 0.95, 0.40)
        paint.append((self.hair * 0.15 + 0.004, np.nan_to_num(edge) * (1.0 if woman else 0.75)))
        return np.column_stack([melanin, blood]), paint

    def _lips(self, x: np.ndarray, y: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        t = np.clip(x / 0.0265, 0, 1)
        arch = 0.0015 * np.exp(-(((x - 0.0075) / 0.004) ** 2))
        top = -0.0605 - 0.0075 * t**1.9 + arch
        bottom = -0.0805 + 0.0122 * t**2.4
        inside = np.minimum(top - y, y - bottom)
        amount = smoothstep(-0.0008, 0.0012, inside) * smoothstep(0.0272, 0.0255, x) * (place[:, 2] > 0.1)
        line = np.exp(-(((y + 0.0683 + 0.0007 * np.cos(x * 260)) / 0.0011) ** 2))
        woman = self.figure.presentation == "woman"
        creases = noise(place * [1, 0.15, 0.15], 0.0016)
        blood = (1.05 if woman else 0.62) + 0.10 * creases + 0.5 * line
        melanin = (0.06 if woman else 0.14) + 0.12 * (y > -0.068) + 0.55 * line + 0.2 * (self.light < 0.45) * (y > -0.068)
        colour = self.tone * np.exp(-melanin[:, None] * MELANIN - blood[:, None] * LIPS)
        # Deep skin has the lighter lips: the lower one holds little melanin.
        rosy = np.clip((0.50 - self.light) * 1.2, 0, 0.4 if woman else 0.25) * smoothstep(-0.066, -0.071, y) * (1 - 0.8 * line)
        colour += rosy[:, None] * (np.array([0.30, 0.115, 0.10]) - colour)
        return colour, amount * (0.92 if woman else 0.72)

    def _brows(self, x: np.ndarray, y: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        woman = self.figure.presentation == "woman"
        inner, outer = (0.0125, 0.0525) if woman else (0.0105, 0.0535)
        s = (x - inner) / (outer - inner)
        arch = 0.0056 * np.sin(np.pi * np.clip(s, 0, 1) * 0.80) if woman else 0.0042 * np.sin(np.pi * np.clip(s, 0, 1) * 0.75)
        middle = (0.0150 if woman else 0.0142) + self.brow_height + arch - 0.0045 * np.clip(s, 0, 1) ** 2
        half = (
            (0.0027 if woman else 0.0036)
            * self.brow_weight
            * np.sqrt(np.clip(1.05 - s, 0, 1))
            * (0.75 + 0.25 * smoothstep(0, 0.3, s))
        )
        t = (y - middle) / np.maximum(half, 1e-4)
        body = smoothstep(1.25, 0.35, np.abs(t)) * smoothstep(-0.07, 0.12, s) * smoothstep(1.04, 0.85, s)
        # Hairs lean outwards: noise stretched along their direction.
        across = (x - inner) - 0.9 * (y - middle) * (1 - s)
        strands = noise(np.column_stack([across, 0.25 * y, np.zeros_like(x)]), 0.00055)
        amount = body * np.clip(0.80 + 0.30 * strands, 0, 1)
        return self.hair * 0.55 + 0.006, amount * (0.86 if woman else 0.92)

    def _beard(self, x: np.ndarray, y: np.ndarray, depth: np.ndarray) -> np.ndarray:
        cheek = -0.052 + (x - 0.030)  # its upper edge, from the corner of the mouth to the sideburn
        jaw = smoothstep(0.006, -0.016, y - cheek) * np.maximum(smoothstep(0.024, 0.038, x), smoothstep(-0.078, -0.088, y))
        lip = smoothstep(-0.046, -0.052, y) * smoothstep(0.033, 0.022, x) * smoothstep(-0.072, -0.064, y)
        throat = smoothstep(-0.122, -0.100, y) * smoothstep(0.030, 0.055, depth)
        return np.maximum(jaw, lip) * throat

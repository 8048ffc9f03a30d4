"""The figure that ``relief`` makes of a picture against the true one, beside a flat card and a pillow of the same outline.

``python benchmarks/reconstruction.py [--count 12] [--views 30] [--pictures FOLDER]`` prints markdown tables; what happens meanwhile goes
to standard error. A mannequin is drawn from the front; the engine gets the picture alone, all annotations are MediaPipe's. All figures
are laid on the true one alike: as tall, on the same ground, the middle of the outer surface at the same place.

Chamfer: mean distance of outer surfaces, both ways averaged. Normals: mean absolute cosine between nearest places. IoU and SSIM: of the
outlines, and of the pictures where either figure is, from all sides by the same lens.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy import sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree
from skimage.metrics import structural_similarity

from helpers import Person, annotate, generate, reconstruct
from helpers.images import write_image
from helpers.mannequin.mesh import boundary_edges
from helpers.mannequin.render import studio
from helpers.mannequin.render.trace import Scene
from helpers.matting import lifted
from helpers.reconstruction import views
from helpers.reconstruction.mesh import Mesh

PEOPLE = (
    "a woman in a white blouse and a black pencil skirt, bun",
    "a man in a navy sweater and beige trousers, short hair",
    "a slim woman in a yellow tank top and blue jeans, long hair",
    "an athletic man in a grey t-shirt and black shorts, buzz cut",
    "a curvy woman in a green wrap dress, bob hair, contrapposto",
    "a heavy man in a checked shirt and blue jeans, standing",
    "a woman in a red sleeveless midi dress, ponytail",
    "a man in a black hoodie and grey trousers, curly hair, walking",
    "a woman in a striped long-sleeve top and a denim mini skirt, long hair, hand on hip",
    "an older man in a light blue shirt and brown trousers, bald",
    "a heavy woman in a purple t-shirt and black trousers, short hair",
    "a woman in a beige sweater and a pleated maxi skirt, curly hair",
)
NEEDS = ("keypoints", "labels", "landmarks", "hands", "face", "matte")
POINTS = 30000
SIZE = (192, 256)
_GRID = 3  # pixels between vertices of the baselines
_CARD = 0.01  # metres: half of a card's thickness


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=len(PEOPLE))
    parser.add_argument("--views", type=int, default=30)
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of every figure")
    arguments = parser.parse_args()
    rows: dict[str, list[tuple[float, ...]]] = {"relief": [], "pillow": [], "card": []}
    seconds: dict[str, list[float]] = {"annotate": [], "relief": [], "video of 30 views, 512x512": []}
    off = []
    for number, words in enumerate(PEOPLE[: arguments.count]):
        person = generate(words, seed=500 + number)
        truth = reconstruct(person, engine="true_mesh", texture_size=512).meshes
        tall = float(max(mesh.vertices[:, 2].max() for mesh in truth))
        started = time.process_time()
        seen = annotate(Person(person.image), needs=NEEDS)
        seconds["annotate"].append(time.process_time() - started)
        started = time.process_time()
        figure = reconstruct(seen, engine="relief")
        seconds["relief"].append(time.process_time() - started)
        off.append((figure.data["joint_mm"], figure.data["outline_mm"]))
        if number < 3:
            started = time.process_time()
            with tempfile.TemporaryDirectory() as folder:
                figure.turntable(Path(folder) / "figure.mp4")
            seconds["video of 30 views, 512x512"].append(time.process_time() - started)
        made = {"relief": figure.meshes, "pillow": (swollen(seen),), "card": (swollen(seen, _CARD),)}
        sides = looks(truth, truth, arguments.views)
        strip = [np.hstack([sides[k][0] for k in range(0, arguments.views, max(1, arguments.views // 8))])]
        for name, meshes in made.items():
            laid = laid_on(meshes, truth, tall)
            near = distances(laid, truth)
            own = looks(laid, truth, arguments.views)
            rows[name].append((*near, *np.mean([alike(*pair) for pair in zip(own, sides, strict=True)], axis=0)))
            strip.append(np.hstack([own[k][0] for k in range(0, arguments.views, max(1, arguments.views // 8))]))
            print(words, name, np.round(rows[name][-1], 3), file=sys.stderr, flush=True)
        if arguments.pictures:
            write_image(arguments.pictures / f"{number:02d}.png", np.vstack(strip))
    print(f"{len(rows['relief'])} mannequins, {arguments.views} views\n")
    print("| figure | Chamfer, mm | worst | normals | outline IoU | worst | SSIM |\n|---|--:|--:|--:|--:|--:|--:|")
    for name, values in rows.items():
        chamfer, normals, iou, ssim = np.array(values).T
        print(
            f"| {name} | {chamfer.mean():.1f} | {chamfer.max():.1f} | {normals.mean():.3f} | {iou.mean():.3f} | {iou.min():.3f} | "
            f"{ssim.mean():.3f} |"
        )
    joints, outlines = np.median(off, axis=0)
    print(f"\nThe fit's own residuals, medians: joints {joints:.0f} mm, outline of bare skin {outlines:.1f} mm.\n")
    print("| step | median CPU-s | slowest |\n|---|--:|--:|")
    for name, spent in seconds.items():
        print(f"| {name} | {np.median(spent):.1f} | {max(spent):.1f} |")
    print(f"\nPeak memory of all of it: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB.")


# ------------------------------------------------------------------------------------------------------------ baselines


def swollen(person: Person, thickness: float | None = None) -> Mesh:
    """The outline as a card of half a ``thickness`` in metres, or blown up like a pillow, the same in front and behind: the square root of
    Poisson's equation with a constant source, which makes a tube of a strip."""
    assert person.matte is not None
    mask = person.matte > 0.5
    height, width = mask.shape
    inside = mask[::_GRID, ::_GRID].copy()
    inside[[0, -1]] = inside[:, [0, -1]] = False
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(inside.sum())
    scale = 1.7 / (np.ptp(np.nonzero(mask)[0]) + 1)  # metres a pixel
    y, x = np.nonzero(inside)
    around = np.stack([number[y - 1, x], number[y + 1, x], number[y, x - 1], number[y, x + 1]])
    if thickness is None:
        near = around >= 0
        rows = np.broadcast_to(np.arange(len(y)), around.shape)[near]
        system = sparse.csc_matrix(
            sparse.diags(np.full(len(y), 4.0)) - sparse.csr_matrix((np.ones(len(rows)), (rows, around[near])))
        )
        deep = np.sqrt(spsolve(system, np.full(len(y), 2 * (_GRID * scale) ** 2)))
    else:
        deep = np.full(len(y), thickness)
    corner = np.stack([number[y, x], number[y, x + 1], number[y + 1, x + 1], number[y + 1, x]], axis=1)
    quads = corner[(corner >= 0).all(1)]
    front = np.concatenate([quads[:, [0, 3, 2]], quads[:, [0, 2, 1]]])
    flat = np.stack([(x * _GRID - width / 2) * scale, np.zeros(len(y)), (height - y * _GRID) * scale], axis=1)
    vertices = np.concatenate([flat - deep[:, None] * (0, 1, 0), flat + deep[:, None] * (0, 1, 0)])
    a, b = boundary_edges(front).T
    rim = np.concatenate([np.stack([b, a, a + len(y)], axis=1), np.stack([b, a + len(y), b + len(y)], axis=1)])
    faces = np.concatenate([front, front[:, ::-1] + len(y), rim])
    uv = np.stack([(x * _GRID + 0.5) / width, 1 - (y * _GRID + 0.5) / height], axis=1)
    texture = np.ascontiguousarray(lifted(person.image, person.matte)[..., :3])
    return Mesh(
        "outline",
        vertices.astype(np.float32),
        faces.astype(np.int32),
        np.tile(uv, (2, 1)).astype(np.float32),
        texture,
        two_sided=True,
    )


# -------------------------------------------------------------------------------------------------------------- measures


def outer(meshes: tuple[Mesh, ...], count: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) points of what is seen from some side, spread evenly, and (N, 3) unit normals there."""
    sizes = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
    vertices = np.concatenate([mesh.vertices for mesh in meshes]).astype(np.float64)
    faces = np.concatenate([mesh.faces + first for mesh, first in zip(meshes, sizes[:-1], strict=True)])
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    rng = np.random.default_rng(0)
    face = rng.choice(len(faces), count, p=area / area.sum())
    u, v = rng.random((2, count))
    u, v = np.where(u + v > 1, 1 - u, u)[:, None], np.where(u + v > 1, 1 - v, v)[:, None]
    points = a[face] + u * (b - a)[face] + v * (c - a)[face]
    normals = (cross / np.maximum(area, 1e-12)[:, None])[face]
    scene = EmbreeScene()
    TriangleMesh(scene, vertices.astype(np.float32), np.ascontiguousarray(faces, np.int32))
    seen = np.zeros(count, bool)
    for raised in (-20, 10, 40):
        for turn in np.arange(24) * np.pi / 12:
            away = np.array(
                [
                    np.cos(turn) * np.cos(np.radians(raised)),
                    np.sin(turn) * np.cos(np.radians(raised)),
                    np.sin(np.radians(raised)),
                ]
            )
            left = np.flatnonzero(~seen)
            start = (points[left] + 0.003 * away).astype(np.float32)
            hit = scene.run(start, np.tile(away.astype(np.float32), (len(left), 1)), query="OCCLUDED")
            seen[left] = hit == -1
    return points[seen], normals[seen]


def laid_on(meshes: tuple[Mesh, ...], truth: tuple[Mesh, ...], tall: float) -> tuple[Mesh, ...]:
    """``meshes`` as tall as the truth, on the ground, their outer surface's middle where the truth's is."""
    low = min(float(mesh.vertices[:, 2].min()) for mesh in meshes)
    grow = tall / (max(float(mesh.vertices[:, 2].max()) for mesh in meshes) - low)
    moved = tuple(replace(mesh, vertices=((mesh.vertices - (0, 0, low)) * grow).astype(np.float32)) for mesh in meshes)
    shift = (outer(truth, 8000)[0].mean(0) - outer(moved, 8000)[0].mean(0)) * (1, 1, 0)
    return tuple(replace(mesh, vertices=(mesh.vertices + shift).astype(np.float32)) for mesh in moved)


def distances(meshes: tuple[Mesh, ...], truth: tuple[Mesh, ...]) -> tuple[float, float]:
    """Chamfer distance in millimetres, and how alike the normals of nearest places are."""
    one, other = outer(meshes), outer(truth)
    away, alike_ = [], []
    for (points, normals), (others, their) in ((one, other), (other, one)):
        distance, nearest = cKDTree(others).query(points)
        away.append(distance.mean() * 1000)
        alike_.append(np.abs(np.einsum("nk,nk->n", normals, their[nearest])).mean())
    return float(np.mean(away)), float(np.mean(alike_))


def looks(meshes: tuple[Mesh, ...], truth: tuple[Mesh, ...], count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(picture, alpha) from ``count`` sides, by the lens that the truth is seen through."""
    scene, whole = Scene([views.surface(mesh) for mesh in meshes]), Scene([views.surface(mesh) for mesh in truth])
    out = []
    for turn in np.arange(count) * 360 / count:
        shot = studio.render(scene, views.camera(whole, turn, SIZE), views.BACKDROP)
        out.append((shot.image, shot.alpha))
    return out


def alike(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    """Intersection over union of the outlines, and mean SSIM where either figure is."""
    a, b = one[1] > 0.5, other[1] > 0.5
    union = a | b
    _, ssim = structural_similarity(one[0], other[0], channel_axis=2, data_range=255, full=True)
    near = cv2.dilate(union.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return float((a & b).sum() / max(union.sum(), 1)), float(ssim.mean(2)[near].mean())


if __name__ == "__main__":
    main()

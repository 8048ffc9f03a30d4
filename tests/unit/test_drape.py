"""Cutting, unrolling and draping on shapes whose answer is known."""

import numpy as np
import pytest

from helpers.mannequin.cloth.clip import Cut
from helpers.mannequin.cloth.flatten import flatten
from helpers.mannequin.cloth.simulate import Cloth, Obstacles, drape
from helpers.mannequin.mesh import (
    boundary_edges,
    edge_table,
    loops,
    neighbour_mean,
    on_boundary,
    on_edges,
    refine_closed,
    refine_quads,
    refine_triangles,
    triangles,
    unique_edges,
    unit,
)


def grid(count: int, size: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A flat square of (count, count) vertices in the xz-plane, facing up, and its triangles."""
    line = np.linspace(-size / 2, size / 2, count)
    x, z = np.meshgrid(line, line, indexing="ij")
    points = np.stack([x.ravel(), np.zeros(x.size), z.ravel()], axis=1)
    a = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    faces = np.concatenate([np.stack([a, a + 1, a + count + 1], 1), np.stack([a, a + count + 1, a + count], 1)])
    return points, faces.astype(np.int32)


def plane_cut(count: int = 15) -> Cut:
    from scipy import sparse

    points, faces = grid(count)
    return Cut(sparse.identity(len(points), format="csr"), faces, points, {}, np.zeros(len(faces), int))


def areas(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (points[faces[:, k]] for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def circle(points: np.ndarray) -> np.ndarray:
    return 0.37 - np.hypot(points[:, 0], points[:, 2])


def cube() -> tuple[np.ndarray, np.ndarray]:
    """Corners of a cube about the origin and its six sides, counter-clockwise from outside."""
    points = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    quads = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)], np.int32)
    return points, quads


def test_the_table_of_edges_says_who_shares_them():
    points, faces = grid(4)
    for mesh in (faces, cube()[1]):
        edges, index, shared = edge_table(mesh)
        assert np.array_equal(edges, unique_edges(mesh))
        sides = np.sort(np.stack([mesh, np.roll(mesh, -1, axis=1)], axis=2), axis=2)
        assert np.array_equal(edges[index], sides)
        assert np.array_equal(shared, np.bincount(index.ravel()))
    assert not len(boundary_edges(cube()[1]))
    assert np.array_equal(on_boundary(faces, len(points)), np.abs(points).max(axis=1) == 0.5)


def test_the_mean_of_the_neighbours_of_a_corner_lies_on_its_edges():
    points, quads = cube()
    mean = neighbour_mean(quads, len(points)) @ points
    assert np.allclose(mean, points / 3)  # of three neighbours, two agree with a corner in each coordinate
    assert np.allclose(on_edges(np.array([[0, 7]]), np.array([0.25]), len(points)) @ points, points[0] / 2)
    assert np.allclose(unit(np.array([[3.0, 0, 4], [0, 0, 0]])), [[0.6, 0, 0.8], [0, 0, 0]])


def test_a_subdivided_cube_is_rounder_and_keeps_vertices_without_faces():
    points, quads = cube()
    points = np.concatenate([points, [[7.0, 7, 7]]])
    matrix, fine, ends = refine_quads(quads, len(points))
    new = matrix @ points
    assert (len(fine), len(ends)) == (24, 12)
    assert np.allclose(new[:8], points[:8] * 5 / 9)  # Catmull and Clark's rule for three faces
    assert np.allclose(new[8], points[8])
    assert np.allclose(np.linalg.norm(new[-6:], axis=1), 1)  # the middles of the sides stay
    assert len(boundary_edges(triangles(fine))) == 0
    closed, same = refine_closed(quads, len(points))
    assert np.allclose(closed @ points, new)
    assert np.array_equal(same, ends)


def test_clip_follows_the_line_without_slivers():
    cut = plane_cut().clip("rim", circle)
    edge = loops(cut.faces)
    assert len(edge) == 1
    assert np.array_equal(np.sort(edge[0]), np.flatnonzero(cut.lines["rim"]))
    assert np.abs(circle(cut.points[edge[0]])).max() < 4e-3  # chords of a circle of 0.37 over edges of 0.07
    a, b, c = (np.linalg.norm(cut.points[cut.faces[:, k]] - cut.points[cut.faces[:, k - 1]], axis=1) for k in range(3))
    quality = 4 * np.sqrt(3) * areas(cut.points, cut.faces) / (a**2 + b**2 + c**2)
    assert quality.min() > 0.12
    assert areas(cut.points, cut.faces).sum() == pytest.approx(np.pi * 0.37**2, rel=0.02)
    assert np.allclose(cut.matrix @ plane_cut().points, cut.points)


def test_split_keeps_area_orientation_and_earlier_lines():
    cut = plane_cut().clip("rim", circle)
    parted, side = cut.split("middle", lambda p: p[:, 0] - 0.012)
    assert areas(parted.points, parted.faces).sum() == pytest.approx(
        areas(cut.points, cut.faces).sum(), rel=2e-3
    )  # the rim is a polygon
    normal = np.cross(*(parted.points[parted.faces[:, k]] - parted.points[parted.faces[:, 0]] for k in (1, 2)))
    assert (normal[:, 1] > 0).all()
    assert np.allclose(parted.points[parted.lines["middle"], 0], 0.012)
    centre = parted.points[parted.faces].mean(axis=1)[:, 0]
    assert np.array_equal(side, centre > 0.012)
    assert np.array_equal(np.sort(np.unique(boundary_edges(parted.faces))), np.flatnonzero(parted.lines["rim"]))


def test_subdivision_reproduces_planes_and_partitions_unity():
    points, faces = grid(6)
    matrix, fine, ends = refine_triangles(faces, len(points))
    assert np.allclose(matrix.sum(axis=1), 1)
    assert len(fine) == 4 * len(faces)
    assert len(ends) == len(unique_edges(faces))
    assert areas(matrix @ points, fine).sum() == pytest.approx(1.0, rel=0.02)  # corners are rounded
    a = (np.arange(5)[:, None] * 6 + np.arange(5)).ravel()
    quads = np.stack([a, a + 1, a + 7, a + 6], axis=1)
    matrix, fine, _ = refine_quads(quads, len(points))
    assert np.allclose(matrix.sum(axis=1), 1)
    assert len(fine) == 4 * len(quads)
    assert np.allclose((matrix @ points)[:, 1], 0)


def test_a_cylinder_unrolls_to_its_arc_length():
    points, faces = grid(40)
    angle = points[:, 0] * 2.6
    bent = np.stack([0.15 * np.sin(angle), points[:, 2] * 0.5, 0.15 * np.cos(angle)], axis=1)
    flat = flatten(bent, faces[:, ::-1], np.stack([bent[:, 0], bent[:, 1]], axis=1))
    assert np.abs(flat - np.stack([0.15 * angle, bent[:, 1]], axis=1)).max() < 1e-3


def no_obstacles() -> Obstacles:
    return Obstacles(np.array([[0.0, -5, 0]]), np.array([[0.0, 1, 0]]), np.zeros(1, int), {0: (0,)})


def test_a_held_cloth_hangs_without_stretching():
    points, faces = grid(21, 0.4)
    held = (points[:, 0] < -0.199).astype(float)
    out = drape(points, points, faces, [no_obstacles()], np.zeros(len(points), int), held, Cloth(steps=80))
    assert np.allclose(out[held > 0], points[held > 0], atol=1e-6)
    assert out[points[:, 0] > 0.199, 1].max() < -0.1  # the free edge has come down
    edges = unique_edges(faces)
    before, after = (np.linalg.norm(p[edges[:, 0]] - p[edges[:, 1]], axis=1) for p in (points, out))
    assert np.percentile(after / before, 99) < 1.05


def test_cloth_stays_outside_and_repeats_itself():
    rng = np.random.default_rng(1)
    normals = rng.normal(size=(4000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    ball = Obstacles(0.1 * normals, normals, np.zeros(4000, int), {0: (0,)})
    points, faces = grid(25, 0.4)
    start = points + np.array([0, 0.11, 0])
    runs = [drape(start, points, faces, [ball], np.zeros(len(points), int), np.zeros(len(points)), Cloth()) for _ in range(2)]
    assert np.linalg.norm(runs[0], axis=1).min() > 0.1
    assert np.array_equal(runs[0], runs[1])


def test_cloth_meets_only_the_parts_it_is_told_to():
    obstacle = Obstacles(np.zeros((1, 3)), np.array([[0.0, 1, 0]]), np.zeros(1, int), {0: (0,), 1: ()})
    below = np.array([[0.0, -0.01, 0], [0.0, -0.01, 0]])
    assert np.allclose(obstacle.push(below, np.array([0, 1]), 0.002)[:, 1], [0.002, -0.01])

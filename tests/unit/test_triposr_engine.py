"""``engine="triposr"`` on a tiny checkpoint in the published layout."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from helpers import Person, engines, generate, reconstruct, weights
from helpers.mannequin.mesh import unit, vertex_normals
from helpers.reconstruction import finish
from helpers.reconstruction.figure import Figure3D
from helpers.reconstruction.mesh import Mesh
from helpers.reconstruction.triposr import field
from helpers.reconstruction.triposr.networks import TSR
from helpers.testing.reconstruction import triposr as tiny
from helpers.testing.reconstruction import write

SMALL = {"engine": "triposr", "mc_resolution": 40}


@pytest.fixture(scope="module")
def person() -> Person:
    drawn = generate("a woman in a red dress", seed=2, size=(96, 128))
    return replace(drawn, matte=drawn.mask.astype(np.float32), scene={})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with the tiny file alone."""
    folder = tmp_path_factory.mktemp("weights")
    write(folder, "triposr")
    return folder


@pytest.fixture
def published(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(checkpoint))
    monkeypatch.setenv("ATELIER_OTHER_WEIGHTS", "1")
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")


@pytest.fixture
def figure(published, person: Person) -> Figure3D:
    return reconstruct(person, **SMALL)


def test_the_mesh_is_closed_and_in_one_piece(figure: Figure3D) -> None:
    (mesh,) = figure.meshes
    assert mesh.closed
    assert mesh.volume > 0
    assert figure.bounds[0, 2] == pytest.approx(0, abs=1e-6)
    assert figure.height == pytest.approx(1.7, abs=1e-5)
    assert not figure.metric
    assert "1.7 m" in figure.notes[0]
    assert mesh.colours.std(0).max() > 5


def test_its_upper_half_has_the_upper_colour(figure: Figure3D) -> None:
    """The tiny field is red above and cyan below, so that a mesh on its head or its back would be seen."""
    (mesh,) = figure.meshes
    high, low = mesh.vertices[:, 2] > 1.1, mesh.vertices[:, 2] < 0.6
    above, below = mesh.colours[high].mean(0), mesh.colours[low].mean(0)
    assert above[0] > above[1] + 20
    assert below[1] > below[0] + 20


def test_chunks_change_nothing(published, person: Person, figure: Figure3D) -> None:
    for chunk in (0, 333):
        other = reconstruct(person, **SMALL, chunk_size=chunk).meshes[0]
        np.testing.assert_allclose(other.vertices, figure.meshes[0].vertices, atol=1e-4)


def test_smoothing_keeps_it_whole(published, person: Person, figure: Figure3D) -> None:
    smooth = reconstruct(person, **SMALL, smooth=5).meshes[0]
    assert smooth.closed
    assert _roughness(smooth) < 0.85 * _roughness(figure.meshes[0])


def test_fewer_triangles_are_as_many_as_asked_for(published, person: Person) -> None:
    figure = reconstruct(person, engine="triposr", mc_resolution=80, faces=1500)
    assert len(figure.meshes[0].faces) <= 1500
    assert figure.closed == (not any("touch each other" in note for note in figure.notes))


def test_a_plain_body_stays_closed_and_as_large() -> None:
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, 64)] * 3, indexing="ij")
    density = 50 * np.exp(-((x / 0.3) ** 2 + (y / 0.4) ** 2 + (z / 0.8) ** 2)).astype(np.float32)
    vertices, faces = field.surface(density)
    mesh = Mesh("body", *finish.reduced(vertices, faces, 900))
    assert len(mesh.faces) <= 900 < len(faces)
    assert mesh.closed
    assert mesh.volume == pytest.approx(Mesh("body", vertices, faces).volume, rel=0.02)


def _roughness(mesh: Mesh) -> float:
    """Mean angle between a corner's normals, radians."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    normal = unit(np.cross(b - a, c - a))
    smooth = vertex_normals(mesh.vertices, mesh.faces)[mesh.faces].mean(1)
    return float(np.arccos(np.clip((normal * unit(smooth)).sum(1), -1, 1)).mean())


def test_a_texture_shows_what_the_vertices_do(published, person: Person, figure: Figure3D) -> None:
    mesh = reconstruct(person, **SMALL, bake_texture=True, texture_resolution=256).meshes[0]
    assert mesh.texture.shape == (256, 256, 3)
    assert mesh.uv.min() >= 0
    assert mesh.uv.max() <= 1
    row = np.clip((1 - mesh.uv[:, 1]) * 256 - 0.5, 0, 255).round().astype(int)
    column = np.clip(mesh.uv[:, 0] * 256 - 0.5, 0, 255).round().astype(int)
    seen = mesh.texture[row, column].astype(int)
    nearest = np.linalg.norm(mesh.vertices[::20, None] - figure.meshes[0].vertices[None], axis=2).argmin(1)
    assert np.abs(seen[::20] - figure.meshes[0].colours[nearest]).mean() < 12
    assert (mesh.texture.max(2) > 0).all(), "no hole"


def test_the_field_is_rendered_as_published(published, person: Person) -> None:
    views = reconstruct(person, **SMALL, field_views=2).data["field views"]
    assert views.shape == (2, 256, 256, 3)
    assert (views[0, 0, 0] > 240).all(), "before white"
    assert views[0].min() < 128


def test_what_is_no_surface_is_told(published, person: Person) -> None:
    with pytest.raises(ValueError, match=r"^threshold=1e\+09 lies outside"):
        reconstruct(person, **SMALL, threshold=1e9)


def test_a_grid_too_large_names_one_that_fits(published, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    free = psutil.virtual_memory()._replace(available=2_000_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with pytest.raises(
        ValueError, match=r"mc_resolution=1024 needs 15\.0 GB and 2\.0 GB are free: mc_resolution=512 would fit"
    ):
        reconstruct(person, engine="triposr", mc_resolution=1024)


def test_the_full_size_has_the_published_number_of_values() -> None:
    with torch.device("meta"):
        state = TSR().state_dict()
        again = TSR.of_state(state).state_dict()
    assert (len(state), sum(value.numel() for value in state.values())) == (549, 419_275_628)
    assert {name: value.shape for name, value in again.items()} == {name: value.shape for name, value in state.items()}


def test_another_network_is_named(published, person: Person, checkpoint: Path, tmp_path: Path, monkeypatch) -> None:
    for content, told in (({"conv.weight": torch.zeros(3)}, "another network"), (None, "triposr/model.ckpt")):
        folder = tmp_path / told.replace("/", "-")
        (folder / "triposr").mkdir(parents=True)
        if content is None:
            shutil.copy(checkpoint / "triposr/model.ckpt", folder / "triposr/model.ckpt")
            with (folder / "triposr/model.ckpt").open("r+b") as file:
                file.truncate(1000)
        else:
            torch.save(content, folder / "triposr/model.ckpt")
        monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
        with (
            pytest.raises((weights.Mismatch, weights.Damaged), match=r"triposr/model\.ckpt"),
            engines.load("reconstruct", "triposr") as engine,
        ):
            engine(person, mc_resolution=40)


def test_a_tiny_network_is_read_by_its_own_sizes() -> None:
    network = tiny()
    again = TSR.of_state(network.state_dict())
    assert {k: v.shape for k, v in again.state_dict().items()} == {k: v.shape for k, v in network.state_dict().items()}

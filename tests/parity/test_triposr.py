"""TripoSR's network, field, cameras, surface and frame against the published ones."""

from __future__ import annotations

import re

import golden
import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from helpers.reconstruction.triposr import field, frame
from helpers.reconstruction.triposr.networks import RADIUS, TSR, colour_of, density_of

FAMILY = "triposr"
NETWORK = golden.cases(FAMILY, "tsr")
FRAMES = golden.cases(FAMILY, "resize_foreground")
CAMERAS = golden.cases(FAMILY, "cameras")
SURFACES = golden.cases(FAMILY, "isosurface")


def network_of(config: dict, vit: dict) -> TSR:
    backbone, decoder, renderer = config["backbone"], config["decoder"], config["renderer"]
    assert config["tokenizer"]["num_channels"] == backbone["in_channels"] == config["post_processor"]["in_channels"]
    assert backbone["cross_attention_dim"] == vit["hidden_size"]
    assert (renderer["radius"], renderer["density_activation"], renderer["density_bias"]) == (RADIUS, "exp", -1.0)
    return TSR(
        vit=(
            vit["hidden_size"],
            vit["intermediate_size"],
            vit["num_hidden_layers"],
            vit["patch_size"],
            vit["image_size"] // vit["patch_size"],
        ),
        vit_heads=vit["num_attention_heads"],
        plane=config["tokenizer"]["plane_size"],
        channels=backbone["in_channels"],
        heads=backbone["num_attention_heads"],
        head_width=backbone["attention_head_dim"],
        layers=backbone["num_layers"],
        features=config["post_processor"]["out_channels"],
        neurons=decoder["n_neurons"],
        hidden=decoder["n_hidden_layers"],
    )


def cameras_of(asked: dict) -> tuple[torch.Tensor, torch.Tensor]:
    names = ("n_views", "elevation_deg", "camera_distance", "fovy_deg", "height", "width")
    return field.cameras(*(asked[name] for name in names), parity=True)


def recipe(words: str) -> torch.Tensor:
    return golden.recipe(re.sub(r"(?:, HWC RGB float|; a few .*)$", "", words))


@pytest.mark.parametrize("case", NETWORK)
@torch.no_grad()
def test_from_the_picture_to_the_mesh(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    config, vit = about["config"], about["vit_config"]
    network = network_of(config, vit)
    golden.same_names(network, about["state_dict"])
    golden.fill(network, about["fill"]["seed"])
    for name, gain in about["fill"]["then_multiply"].items():
        network.get_parameter(name).mul_(gain)

    def same(name: str, made: torch.Tensor) -> None:
        spread = about["tolerances"].get(name, {}).get("f32_vs_f64", 0)
        golden.close(made, expected[name], max(2e-5, 5 * spread), name)

    image = expected["image"].permute(2, 0, 1)[None]
    shown = frame.shown(image, config["cond_image_size"])
    same("preprocessed", shown.permute(0, 2, 3, 1))
    told = network.read(shown)
    same("image_tokens", told)
    tokens = network.backbone(network.tokens(1), told)
    same("backbone_tokens", tokens)
    codes = network.planes(tokens)
    same("scene_codes", codes)
    golden.close(network(shown), codes, 0)
    raw, colour = network.query(codes[0], expected["points"])
    for name, made in {
        "query_density": raw, "query_features": colour, "query_density_act": density_of(raw), "query_color": colour_of(colour)
    }.items():  # fmt: skip
        same(name, made)
    for chunk in (7, 0, 10_000):
        golden.close(field.look(network, codes[0], expected["points"], chunk)[0], density_of(raw), 1e-5)
    asked = about["inputs"]["render"]
    origins, directions = cameras_of(asked)
    same("rays_o", origins)
    same("rays_d", directions)
    same("render", field.render(network, codes[0], origins, directions, config["renderer"]["num_samples_per_ray"]))
    density = field.densities(network, codes[0], about["inputs"]["density_grid_resolution"])
    golden.close(density, expected["density_grid"], max(2e-4, 5 * about["tolerances"]["density_grid"]["f32_vs_f64"]), "density")


@pytest.mark.parametrize("case", NETWORK)
def test_inputs_are_what_the_recipes_say(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    golden.close(recipe(about["inputs"]["image"]), expected["image"], 1e-6)
    golden.close(recipe(about["inputs"]["points"]), expected["points"], 1e-6)


@pytest.mark.parametrize("case", NETWORK)
def test_all_keys_of_the_published_network(case: str) -> None:
    about = golden.load_json(FAMILY, case)
    with torch.device("meta"):
        network = network_of(about["full_config"], about["full_vit_config"])
        golden.same_names(TSR(), about["full"])
        golden.same_names(TSR.of_state(network.state_dict()), about["full"])
    golden.same_names(network, about["full"])


@pytest.mark.parametrize("case", CAMERAS)
def test_cameras(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    for name, asked in about["args"].items():
        origins, directions = cameras_of(asked)
        golden.close(origins, expected[f"{name}_rays_o"], about["tolerance"], name)
        golden.close(directions, expected[f"{name}_rays_d"], about["tolerance"], name)


def test_three_cameras_are_a_circle_unless_the_published_ones_are_asked_for() -> None:
    (_, three), (_, six) = (field.cameras(views, 20, 2.5, 50, 5, 8) for views in (3, 6))
    golden.close(three, six[::2], 1e-6)


@pytest.mark.parametrize("case", FRAMES)
def test_frames(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    for name, asked in about["cases"].items():
        made = frame.centred(expected[f"{name}_rgba"].numpy(), asked["ratio"])
        golden.close(made, expected[f"{name}_resized"], 0, name)
        golden.close(frame.on_grey(made), expected[f"{name}_grey"], 0, name)


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """What faces enclose, positive where they look outward."""
    a, b, c = (vertices[faces[:, corner]].astype(float) for corner in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("case", SURFACES)
def test_the_surface_is_the_published_one_and_closed(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    vertices, faces = field.surface(expected["density"].numpy(), about["threshold"])
    published = expected["vertices"].numpy()
    for one, other in ((vertices, published), (published, vertices)):
        assert cKDTree(one).query(other)[0].max() < 1e-4
    assert volume(vertices, faces) == pytest.approx(about["results"]["torchmcubes"]["signed_volume"], rel=1e-3)
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all(), "every edge has two faces"
    with pytest.raises(ValueError, match="threshold=1000 lies outside the densities"):
        field.surface(expected["density"].numpy(), 1000)


@pytest.mark.parametrize("case", NETWORK)
def test_vertices_of_an_open_surface_are_among_the_published(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    vertices, _ = field.surface(expected["density_grid"].numpy(), about["mesh"]["threshold"])
    allowed = about["mesh_check_tolerance"]["vertex_set_distance"]
    assert cKDTree(vertices).query(expected["mesh_vertices"].numpy())[0].max() < allowed

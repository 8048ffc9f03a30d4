"""What a step of IDM-VTON costs at published size, counted on the meta device."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL

from helpers.tryon.idm_vton.profiles import COSTS


@pytest.fixture(scope="module")
def bench():
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "idm_vton.py"
    spec = importlib.util.spec_from_file_location("idm_vton_bench", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_step_costs_no_more_than_it_must(bench) -> None:
    published = bench.flops(bench.REFERENCE) + bench.flops_of_garment_net(published=True)
    again = bench.flops()
    new = again + bench.flops_of_garment_net()
    assert published == pytest.approx(18.6, abs=0.1)  # what the public implementation was counted at
    assert new <= 15.3
    assert again <= 10.8


def test_the_profiles_say_what_the_weights_hold(bench) -> None:
    with torch.device("meta"):
        tryon, garment = bench.nets(bench.CONFIG)
        vae = AutoencoderKL(**bench.VAE)
    gb = [sum(p.numel() for p in net.parameters()) * size / 1e9 for net, size in ((tryon, 2), (vae, 4), (garment, 2))]
    assert f"{sum(gb[:2]):.1f} GB of weights" in COSTS["fp16"]
    assert f"{gb[0]:.1f} of TryonNet, {gb[1]:.1f} of the VAE" in COSTS["fp16"]
    assert f"GarmentNet, {gb[2]:.1f}, before" in COSTS["fp16"]
    assert f"{gb[1]:.1f} GB of weights stay" in COSTS["low_vram"]

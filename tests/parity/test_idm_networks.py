"""IDM-VTON's networks against the published ones, and every saving against the path that wastes."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import golden
import pytest
import torch

from helpers.tryon.idm_vton.networks import (
    REFERENCE,
    GarmentNet,
    Resampler,
    Savings,
    TryonNet,
    garment_net,
    transformer_blocks,
    tryon_net,
    zero_key_bias,
)

SAVINGS = [field.name for field in fields(Savings)]


@pytest.mark.parametrize("case", golden.cases("idm_vton", "resampler"))
def test_resampler(case: str) -> None:
    about, tensors = golden.load("idm_vton", case)
    net = golden.fill(Resampler(**about["args"]), about["fill_seed"])
    assert {k: list(v.shape) for k, v in net.state_dict().items()} == {k: v[0] for k, v in about["keys"].items()}
    x = golden.recipe(about["inputs"]["x"])
    golden.close(net(x), tensors["out"], about["suggested_tolerance"]["atol"], case)


@pytest.fixture(scope="module", params=golden.cases("idm_vton", "garmentnet"))
def garment(request: pytest.FixtureRequest) -> tuple[dict, dict, list[torch.Tensor]]:
    about, tensors = golden.load("idm_vton", request.param)
    net = golden.fill(garment_net(about["args"]), about["fill_seed"])
    return about, tensors, run_garment_net(net, about)


def run_garment_net(net: GarmentNet, about: dict) -> list[torch.Tensor]:
    inputs = about["inputs"]
    sample, text = golden.recipe(inputs["sample"]), golden.recipe(inputs["encoder_hidden_states"])
    return net.features(sample, torch.tensor([inputs["timestep"]]), text)


def test_garment_features(garment: tuple) -> None:
    about, tensors, features = garment
    assert len(features) == about["n_features"]
    for number, feature in enumerate(features):
        golden.close(feature, tensors[f"feature.{number:02}"], about["suggested_tolerance"]["atol"], f"feature {number}")


def test_the_tail_that_is_cut_off_changes_no_feature(garment: tuple) -> None:
    about, _, features = garment
    whole = golden.fill(garment_net(about["args"], whole=True), about["fill_seed"])
    cut = garment_net(about["args"])
    assert sum(p.numel() for p in cut.parameters()) < sum(p.numel() for p in whole.parameters())
    for one, other in zip(features, run_garment_net(whole, about), strict=True):
        golden.close(one, other, 0.0)


def run_tryon_net(
    net: TryonNet,
    about: dict,
    tensors: dict,
    features: list[torch.Tensor],
    savings: Savings = Savings(),  # noqa: B008
) -> torch.Tensor:
    inputs = about["inputs"]
    text = golden.recipe(inputs["encoder_hidden_states"])
    images = golden.recipe(inputs["added_cond_kwargs.image_embeds"])
    conditions = {"text_embeds": golden.recipe(inputs["added_cond_kwargs.text_embeds"]), "time_ids": tensors["time_ids"]}
    tokens = torch.cat([text, images], 1)
    net.set_tokens(tokens, conditions, guided=True, savings=savings)
    net.set_garment(features)
    with torch.no_grad():
        return net(golden.recipe(inputs["sample"]), inputs["timestep"], tokens, added_cond_kwargs=conditions).sample


@pytest.fixture(scope="module", params=golden.cases("idm_vton", "tryonnet"))
def tryon(request: pytest.FixtureRequest) -> tuple[TryonNet, dict, dict, dict[str, list[torch.Tensor]]]:
    about, tensors = golden.load("idm_vton", request.param)
    net = tryon_net(about["args"])
    holder = torch.nn.Module()
    holder.net, holder.encoder_hid_proj = net, Resampler(**about["encoder_hid_proj_args"])
    keys = {**net.state_dict(), **{f"encoder_hid_proj.{k}": v for k, v in holder.encoder_hid_proj.state_dict().items()}}
    assert {k: list(v.shape) for k, v in keys.items()} == {k: v[0] for k, v in about["keys"].items()}
    golden.fill(net, about["fill_seed"])
    case = request.param.replace("tryonnet", "garmentnet")  # whose features this one was given
    of_garment = golden.load("idm_vton", case)[1]
    seed = int((re.search(r"seed=(\d+)", about["inputs"]["sample"]) or [0, 0])[1])
    real = [of_garment[k] for k in sorted(of_garment) if k.startswith("feature.")]
    features = {
        "noise_pred": real,
        "noise_pred_noise_features": [golden.noise(f"tryon/feature.{i:02}", *f.shape, seed=seed) for i, f in enumerate(real)],
        "noise_pred_zero_features": [torch.zeros_like(f) for f in real],
    }
    return net, about, tensors, features


@pytest.mark.parametrize("output", ["noise_pred", "noise_pred_noise_features", "noise_pred_zero_features"])
def test_tryon_net(tryon: tuple, output: str) -> None:
    net, about, tensors, features = tryon
    golden.close(run_tryon_net(net, about, tensors, features[output]), tensors[output], about["suggested_tolerance"]["atol"])


def test_the_intermediate_tensors(tryon: tuple) -> None:
    net, about, tensors, features = tryon
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str, module: torch.nn.Module):
        return module.register_forward_hook(
            lambda _m, _i, out: seen.__setitem__(name, out[0] if isinstance(out, tuple) else out)
        )

    names = [k.removeprefix("inter.") for k in tensors if k.startswith("inter.") and "block0" not in k]
    hooks = [keep(name, net.get_submodule(name)) for name in names]
    block = net.down_blocks[1].attentions[0].transformer_blocks[0]
    hooks += [keep("block0.norm1", block.norm1), keep("block0.attn2", block.attn2), keep("block0", block)]
    run_tryon_net(net, about, tensors, features["noise_pred"], replace(Savings(), embedding_once=False))
    for hook in hooks:
        hook.remove()
    assert len(seen) >= 10
    for name, value in seen.items():
        golden.close(value, tensors[f"inter.{name}"], about["suggested_tolerance"]["atol"], name)


@pytest.mark.parametrize("saving", [*SAVINGS, "all"])
def test_a_saving_switched_off_gives_the_same_result(tryon: tuple, saving: str) -> None:
    net, about, tensors, features = tryon
    wasteful = REFERENCE if saving == "all" else replace(Savings(), **{saving: False})
    saved = run_tryon_net(net, about, tensors, features["noise_pred"])
    golden.close(saved, run_tryon_net(net, about, tensors, features["noise_pred"], wasteful), 1e-5, saving)
    double = net.double()
    try:
        exact = [
            double_run(double, about, tensors, [f.double() for f in features["noise_pred"]], s) for s in (Savings(), wasteful)
        ]
    finally:
        net.float()
    golden.close(exact[0], exact[1], 1e-12, saving)


def double_run(net: TryonNet, about: dict, tensors: dict, features: list[torch.Tensor], savings: Savings) -> torch.Tensor:
    inputs = about["inputs"]
    text, images = golden.recipe(inputs["encoder_hidden_states"]), golden.recipe(inputs["added_cond_kwargs.image_embeds"])
    conditions = {
        "text_embeds": golden.recipe(inputs["added_cond_kwargs.text_embeds"]).double(),
        "time_ids": tensors["time_ids"].double(),
    }
    tokens = torch.cat([text, images], 1).double()
    net.set_tokens(tokens, conditions, guided=True, savings=savings)
    net.set_garment(features)
    with torch.no_grad():
        sample = golden.recipe(inputs["sample"]).double()
        return net(sample, inputs["timestep"], tokens, added_cond_kwargs=conditions).sample


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("tokens", [1, 12, 768, 3072])
def test_zero_keys_weigh_what_the_zero_tokens_weighed(dtype: torch.dtype, tokens: int) -> None:
    assert float(zero_key_bias(tokens, dtype).double().exp().sum()) == pytest.approx(tokens, rel=1e-5)


KEYS = golden.cases("idm_vton", "full_size_keys")


@pytest.mark.parametrize("case", KEYS)
def test_full_size_keys_are_the_published_ones(case: str) -> None:
    about = golden.load_json("idm_vton", case)
    with torch.device("meta"):
        tryon, resampler = tryon_net(about["tryonnet"]["config"]), Resampler(**about["resampler"]["config"])
        garment, cut = garment_net(about["garmentnet"]["config"], whole=True), garment_net(about["garmentnet"]["config"])
    keys = {**shapes(tryon), **{f"encoder_hid_proj.{k}": v for k, v in shapes(resampler).items()}}
    assert keys == about["tryonnet"]["keys"]
    assert shapes(resampler) == about["resampler"]["keys"]
    assert shapes(garment) == about["garmentnet"]["keys"]
    assert shapes(cut).items() < about["garmentnet"]["keys"].items()
    assert len(list(transformer_blocks(tryon))) == len(list(transformer_blocks(cut))) == 70
    assert sum(p.numel() for p in (*tryon.parameters(), *resampler.parameters())) == about["tryonnet"]["n_params"]
    assert sum(p.numel() for p in Resampler.like(resampler.state_dict()).parameters()) == about["resampler"]["n_params"]


def shapes(net: torch.nn.Module) -> dict[str, list[int]]:
    return {k: list(v.shape) for k, v in net.state_dict().items()}


@golden.own
def test_a_configuration_with_leftovers_loads_and_a_strange_one_is_named() -> None:
    config = golden.load_json("idm_vton", KEYS[0])["garmentnet"]["config"]
    with torch.device("meta"):
        garment_net({**config, "decay": 0.9999, "optimization_step": 37000, "_class_name": "UNet2DConditionModel"})
        with pytest.raises(ValueError, match=r"unet/config\.json holds entries .*: wings"):
            tryon_net({**config, "wings": 2})

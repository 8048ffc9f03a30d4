"""HR-VITON's networks, agnostic pictures and whole run against the published ones."""

from __future__ import annotations

import re
from dataclasses import replace

import golden
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers.tryon.agnostic import agnostic_parse, agnostic_picture
from helpers.tryon.hr_viton import pipeline
from helpers.tryon.hr_viton.agnostic import changeable
from helpers.tryon.hr_viton.networks import ConditionGenerator, SPADEGenerator

FAMILY = "hr_viton"
TOCG = [case for case in golden.cases(FAMILY, "tocg") if golden.load_json(FAMILY, case)["class"].endswith("ConditionGenerator")]


def shapes(net: torch.nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in net.state_dict().items()}


def tocg_of(about: dict, width: int) -> ConditionGenerator:
    ctor = about["ctor"]
    return ConditionGenerator(
        width,
        cloth=ctor["input1_nc"],
        body=ctor["input2_nc"],
        parts=ctor["output_nc"],
        warp_feature=ctor["opt"]["warp_feature"],
        out_layer=ctor["opt"]["out_layer"],
    )


def generator_of(about: dict, width: int) -> SPADEGenerator:
    options = about["ctor"]["opt"]
    most = options["num_upsampling_layers"] == "most"
    return SPADEGenerator(width, inputs=about["ctor"]["input_nc"], regions=options["gen_semantic_nc"], most=most)


def settle(net: torch.nn.Module, tensors: dict[str, torch.Tensor], prefix: str = "state.") -> None:
    """The vectors of spectral norm as the case was run with."""
    net.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}, strict=False)


def enlarged(words: str) -> torch.Tensor:
    """A recipe ``noise(...) nearest xN``."""
    return F.interpolate(golden.recipe(words), scale_factor=int(re.search(r"nearest x(\d+)", words).group(1)), mode="nearest")


@pytest.mark.parametrize("case", TOCG)
@torch.no_grad()
def test_conditions(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    net = tocg_of(about, about["ctor"]["ngf"])
    assert shapes(net) == {key: shape for key, (shape, _) in about["state_dict"].items()}
    golden.fill(net, about["seed"])
    upsample = re.search(r"upsample='(\w+)'", about["forward"]).group(1)
    garment, body = (golden.recipe(about["inputs"][name]) for name in ("input1", "input2"))
    flows, parts, cloth, mask = net(garment, body, upsample)
    made = {f"flow_{i}": flow for i, flow in enumerate(flows)} | {"fake_segmap": parts, "warped_c": cloth, "warped_cm": mask}
    assert {"flow_4", "warped_cm"} <= expected.keys() <= made.keys()
    for name, tensor in expected.items():
        golden.close(made[name], tensor, 2e-4, name)


@pytest.mark.parametrize("case", TOCG)
def test_all_keys_of_the_published_conditions(case: str) -> None:
    about = golden.load_json(FAMILY, case)
    with torch.device("meta"):
        net = tocg_of(about, 96)
    assert shapes(net) == about["full"]
    assert shapes(ConditionGenerator.of_state(net.state_dict())) == about["full"]


@pytest.mark.parametrize("case", golden.cases(FAMILY, "spade"))
@torch.no_grad()
def test_generator(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    about, expected = golden.load(FAMILY, case)
    net = generator_of(about, about["ctor"]["opt"]["ngf"])
    assert shapes(net) == {key: shape for key, (shape, _) in about["state_dict"].items()}
    golden.fill(net, about["seed"])
    settle(net, expected)
    x, regions = enlarged(about["inputs"]["x"]), labels(about["inputs"]["seg"], 7)
    step = int(re.search(r"every (\d+)", about["outputs"]).group(1))
    names = iter(about["noise"]["call_order"])

    def named(batch: int, width: int, height: int) -> torch.Tensor:
        name, shape = next(names)
        assert [batch, width, height, 1] == shape, name
        return golden.noise(f"spade_noise/{name}", *shape, seed=about["seed"])

    golden.close(net(x, regions)[..., ::step, ::step], expected["out_zero_noise"], 5e-5, "no noise")
    golden.close(net(x, regions, named)[..., ::step, ::step], expected["out_named_noise"], 5e-5, "named noise")
    assert next(names, None) is None, "as many norms as published"
    generator = torch.Generator().manual_seed(0)
    drawn = net(x, regions, lambda *shape: torch.randn(*shape, 1, generator=generator))
    golden.close(drawn[..., ::step, ::step], expected["out_manual_seed0"], 5e-5, "torch's noise")


def labels(words: str, count: int) -> torch.Tensor:
    """One-hot of a recipe ``(noise(...)*a+b).round().clamp(0,c) nearest xN``."""
    factor, shift = map(float, re.search(r"\)\*([\d.]+)\+([\d.]+)\)", words).groups())
    low = (golden.recipe(words) * factor + shift).round().clamp(0, count - 1)
    size = int(re.search(r"nearest x(\d+)", words).group(1))
    index = F.interpolate(low, scale_factor=size, mode="nearest")[:, 0].long()
    return F.one_hot(index, count).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize("case", golden.cases(FAMILY, "spade"))
def test_all_keys_of_the_published_generator(case: str) -> None:
    about = golden.load_json(FAMILY, case)
    with torch.device("meta"):
        net = SPADEGenerator(64, inputs=about["ctor"]["input_nc"])
    assert shapes(net) == about["full"]
    assert shapes(SPADEGenerator.of_state(net.state_dict())) == about["full"]


POSES = [(case, pose) for case in golden.cases(FAMILY, "agnostic") for pose in golden.load_json(FAMILY, case)["info"]]


@pytest.mark.parametrize(("case", "pose"), POSES)
def test_agnostic(case: str, pose: str) -> None:
    tensors = golden.load(FAMILY, case)[1]
    parse = tensors["parse_lo"].numpy().repeat(8, 0).repeat(8, 1)
    image = tensors["img_lo"].numpy().repeat(8, 0).repeat(8, 1)
    joints = tensors[f"{pose}.pose"].numpy()[:, :2]
    picture = agnostic_picture(image, changeable(parse, joints))
    emptied = agnostic_parse(parse, joints)
    assert (unpacked(tensors[f"{pose}.img_changed"], parse) ^ (picture != image).any(2)).mean() <= 1e-3
    assert (unpacked(tensors[f"{pose}.parse_changed"], parse) ^ (emptied != parse)).mean() <= 1e-3
    assert not emptied[emptied != parse].any()


def unpacked(bits: torch.Tensor, like: np.ndarray) -> np.ndarray:
    return np.unpackbits(bits.numpy(), axis=-1, count=like.shape[1]).astype(bool)


@pytest.mark.parametrize("case", golden.cases(FAMILY, "pipeline"))
def test_from_pictures_to_picture(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    ctor, size = about["ctor"], (about["ctor"]["fine_height"], about["ctor"]["fine_width"])
    tocg = ConditionGenerator(ctor["tocg_ngf"], warp_feature=ctor["warp_feature"], out_layer=ctor["out_layer"])
    painter = SPADEGenerator(ctor["gen_ngf"], most=ctor["num_upsampling_layers"] == "most")
    golden.fill(tocg, about["seed"])
    golden.fill(painter, about["seed"])
    settle(painter, expected, "state.gen.")
    words = about["inputs"]
    agnostic, cloth, densepose = (enlarged(words[name]).clamp(-1, 1) for name in ("img_agnostic", "cloth", "densepose"))
    border = torch.zeros(1, 1, *size)
    border[..., size[0] // 8 : 7 * size[0] // 8, size[1] // 8 : 7 * size[1] // 8] = 1
    holes = (golden.recipe(words["cloth_mask"]) > -1).float()
    mask = border * F.interpolate(holes, size, mode="nearest")
    inputs = pipeline.Inputs(cloth, mask, labels(words["parse_agnostic"], 13), densepose, agnostic)
    low = tuple(2 * side for side in expected["flow_last"].shape[1:3])
    for kind, occlusion in (("occ", True), ("noocc", False)):
        told = pipeline.conditions(tocg, inputs, low=low, composition=ctor["clothmask_composition"], occlusion=occlusion)
        same = {
            "input1": told.garment,
            "input2": told.body,
            "flow_last": told.flow,
            "fake_segmap": told.parts,
            "warped_cm_small": told.mask_low,
        }
        for name, made in same.items():
            step = made.shape[2] // expected[name].shape[2] if name != "flow_last" else 1
            golden.close(made[..., ::step, ::step] if step > 1 else made, expected[name], 2e-4, name)
        flipped = told.regions.argmax(1) != expected["parse_label7"]
        assert flipped.float().mean() <= about["argmax_margin"]["frac_below_1e_4"]
        golden.close(told.cloth[..., ::4, ::4], expected[f"warped_cloth_{kind}"], 1e-3, f"cloth, {kind}")
        golden.close(told.mask[..., ::4, ::4], expected[f"warped_mask_{kind}"], 1e-3, f"mask, {kind}")
        told = replace(told, regions=F.one_hot(expected["parse_label7"].long(), 7).permute(0, 3, 1, 2).float())
        golden.close(
            pipeline.paint(painter, inputs, told, None)[..., ::4, ::4], expected[f"output_{kind}"], 1e-3, f"picture, {kind}"
        )

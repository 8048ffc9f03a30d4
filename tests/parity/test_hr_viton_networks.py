"""HR-VITON's networks, agnostic pictures and whole run against the published ones."""

from __future__ import annotations

import re
from dataclasses import replace

import golden
import pytest
import torch

from helpers.tryon.agnostic import agnostic_parse, agnostic_picture
from helpers.tryon.hr_viton import pipeline
from helpers.tryon.hr_viton.agnostic import changeable
from helpers.tryon.hr_viton.networks import ConditionGenerator, SPADEGenerator

FAMILY = "hr_viton"
TOCG = golden.cases(FAMILY, of="networks.ConditionGenerator")
SPADE = golden.cases(FAMILY, of="network_generator.SPADEGenerator")
AGNOSTIC = golden.cases(FAMILY, of="get_parse_agnostic.get_im_parse_agnostic")
PIPELINE = golden.cases(FAMILY, of="test_generator.test()")
MOST = {"most": True, "more": False}


def tocg_of(about: dict, width: int) -> ConditionGenerator:
    ctor, options = about["ctor"], about["ctor"]["opt"]
    return ConditionGenerator(
        width,
        cloth=ctor["input1_nc"],
        body=ctor["input2_nc"],
        parts=ctor["output_nc"],
        warp_feature=options["warp_feature"],
        out_layer=options["out_layer"],
        norm={"BatchNorm2d": "batch", "InstanceNorm2d": "instance"}[ctor["norm_layer"]],
    )


def generator_of(about: dict, width: int, most: str | None = None) -> SPADEGenerator:
    options = about["ctor"]["opt"]
    spectral, norm = re.fullmatch(r"(spectral)?alias(instance|batch)", options["norm_G"]).groups()
    return SPADEGenerator(
        width,
        inputs=about["ctor"]["input_nc"],
        regions=options["gen_semantic_nc"],
        most=MOST[options["num_upsampling_layers"] if most is None else most],
        norm=norm,
        spectral=bool(spectral),
    )


@pytest.mark.parametrize("case", TOCG)
@torch.no_grad()
def test_conditions(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    net = tocg_of(about, about["ctor"]["ngf"])
    golden.same_names(net, about["state_dict"])
    golden.fill(net, about["seed"])
    upsample = re.fullmatch(r"forward\(opt, input1, input2, upsample='(\w+)'\)", about["forward"])[1]
    garment, body = (golden.recipe(about["inputs"][name]) for name in ("input1", "input2"))
    flows, parts, cloth, mask = net(garment, body, upsample)
    made = {f"flow_{i}": flow for i, flow in enumerate(flows)} | {"warped_c": cloth, "warped_cm": mask}
    made["fake_segmap"] = golden.thinned(parts, expected["fake_segmap"])
    golden.same(made, expected, max(2e-4, 3 * about["tolerance"]["max_abs_diff_float64"]))


@pytest.mark.parametrize("case", TOCG)
def test_all_keys_of_the_published_conditions(case: str) -> None:
    about = golden.load_json(FAMILY, case)
    width = int(re.match(r"ngf=(\d+), rest as here", about["full_ctor"])[1])
    with torch.device("meta"):
        net = tocg_of(about, width)
        golden.same_names(ConditionGenerator.of_state(net.state_dict()), about["full"])
    golden.same_names(net, about["full"])
    assert sum(p.numel() for p in net.parameters()) == about["full_params"]


@pytest.mark.parametrize("case", SPADE)
@torch.no_grad()
def test_generator(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    net = generator_of(about, about["ctor"]["opt"]["ngf"])
    golden.same_names(net, about["state_dict"])
    golden.settled(golden.fill(net, about["seed"]), expected)
    x, regions = (golden.recipe(about["inputs"][name]) for name in ("x", "seg"))
    words, order = about["noise"], iter(about["noise"]["call_order"])

    def named(batch: int, width: int, height: int) -> torch.Tensor:
        name, shape = next(order)
        assert [batch, width, height, 1] == shape, name
        return golden.named_noise(words["out_named_noise"], name, shape)

    assert words["out_zero_noise"] == "torch.randn replaced by zeros"
    made = {"out_zero_noise": net(x, regions), "out_named_noise": net(x, regions, named)}
    assert next(order, None) is None, "as many norms as published"
    for which in words.keys() - made.keys() - {"call_order"}:
        generator = golden.torch_seed(words[which])
        made[which] = net(x, regions, lambda *shape, generator=generator: torch.randn(*shape, 1, generator=generator))
    golden.same({name: golden.thinned(picture, expected[name]) for name, picture in made.items()}, expected, 5e-5)


@pytest.mark.parametrize("case", SPADE)
def test_all_keys_of_the_published_generator(case: str) -> None:
    about = golden.load_json(FAMILY, case)
    with torch.device("meta"):
        net = generator_of(about, 64, "most")
        golden.same_names(SPADEGenerator.of_state(net.state_dict()), about["full"])
    golden.same_names(net, about["full"])
    assert sum(p.numel() for p in net.parameters()) == about["full_params"]


@pytest.mark.parametrize(
    ("case", "pose"), [(case, pose) for case in AGNOSTIC for pose in golden.load_json(FAMILY, case)["info"]]
)
def test_agnostic(case: str, pose: str) -> None:
    about, tensors = golden.load(FAMILY, case)
    parse, image = golden.shown(about, tensors)
    joints = tensors[f"{pose}.pose"].numpy()[:, :2]
    picture = agnostic_picture(image, changeable(parse, joints))
    emptied = agnostic_parse(parse, joints)
    golden.mostly((picture != image).any(2), tensors[f"{pose}.img_changed"], about["tolerance"], f"{pose}: picture")
    golden.mostly(emptied != parse, tensors[f"{pose}.parse_changed"], about["tolerance"], f"{pose}: parse")
    assert not emptied[emptied != parse].any()


@pytest.mark.parametrize("case", PIPELINE)
@torch.no_grad()
def test_from_pictures_to_picture(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    ctor, words = about["ctor"], about["inputs"]
    tocg = ConditionGenerator(ctor["tocg_ngf"], warp_feature=ctor["warp_feature"], out_layer=ctor["out_layer"])
    painter = SPADEGenerator(ctor["gen_ngf"], most=MOST[ctor["num_upsampling_layers"]])
    golden.fill(tocg, about["seed"])
    golden.settled(golden.fill(painter, about["seed"]), expected, "state.gen.")
    assert about["noise"] == "SPADE noise: torch.randn replaced by zeros"
    assert words["agnostic"] == "= img_agnostic"
    names = ("cloth", "cloth_mask", "parse_agnostic", "densepose", "img_agnostic")
    inputs = pipeline.Inputs(*(golden.recipe(words[name]) for name in names))
    assert inputs.cloth.shape[2:] == (ctor["fine_height"], ctor["fine_width"])
    low = tuple(2 * side for side in expected["flow_last"].shape[1:3])
    made: dict[str, torch.Tensor] = {}
    for kind, occlusion in (("occ", True), ("noocc", False)):
        told = pipeline.conditions(tocg, inputs, low=low, composition=ctor["clothmask_composition"], occlusion=occlusion)
        flipped = told.regions.argmax(1) != expected["parse_label7"]
        assert flipped.float().mean() <= about["argmax_margin"]["frac_below_1e_4"]
        as_published = replace(told, regions=golden.one_hot(expected["parse_label7"][:, None], 7))
        made |= {"input1": told.garment, "input2": told.body, "fake_segmap": told.parts, "warped_cm_small": told.mask_low}
        made |= {f"warped_cloth_{kind}": told.cloth, f"warped_mask_{kind}": told.mask}
        made[f"output_{kind}"] = pipeline.paint(painter, inputs, as_published, None)
        golden.close(told.flow, expected["flow_last"], 2e-4, "flow")
    maps = {name: tensor for name, tensor in expected.items() if name not in ("flow_last", "parse_label7")}
    made = {name: golden.thinned(tensor, maps[name]) for name, tensor in made.items()}
    small = {name: tensor for name, tensor in maps.items() if not name.endswith("occ")}
    golden.same({name: made.pop(name) for name in tuple(made) if not name.endswith("occ")}, small, 2e-4, "state.")
    golden.same(made, {name: tensor for name, tensor in maps.items() if name not in small}, 1e-3)


@pytest.mark.parametrize(
    ("kind", "variant"),
    [
        (ConditionGenerator, {"norm": "instance", "warp_feature": "encoder", "body": 19, "parts": 16}),
        (SPADEGenerator, {"norm": "batch", "spectral": False, "most": False, "inputs": 12, "regions": 9}),
    ],
)
def test_a_checkpoint_says_which_variant_it_is_of(kind: type, variant: dict) -> None:
    with torch.device("meta"):
        state = kind(4, **variant).state_dict()
        assert kind(4).state_dict().keys() != state.keys()
        golden.same_names(kind.of_state(state), {name: list(tensor.shape) for name, tensor in state.items()})


@pytest.mark.parametrize("size", [(32, 64), (64, 80)], ids=str)
def test_sides_that_have_no_flow_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="multiples of 32, from 64 on"):
        ConditionGenerator(2)(torch.zeros(1, 4, *size), torch.zeros(1, 16, *size))

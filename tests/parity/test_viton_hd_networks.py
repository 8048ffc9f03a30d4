"""VITON-HD against the published code: three networks, their parts, what they are shown, and the way through all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import golden
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.tryon import agnostic, regions
from helpers.tryon.viton_hd import networks, pipeline
from helpers.tryon.viton_hd.agnostic import changeable
from helpers.tryon.viton_hd.networks import GMM, ALIASGenerator, ALIASNorm, ALIASResBlock, MaskNorm, SegGenerator

FAMILY = "viton_hd"
SEG = golden.cases(FAMILY, of="networks.SegGenerator")
MATCHING = golden.cases(FAMILY, of="networks.GMM")
SPLINE = golden.cases(FAMILY, of="networks.TpsGridGen")
BLUR = golden.cases(FAMILY, of="image.GaussianBlur")
UNITS = golden.cases(FAMILY, of="networks.MaskNorm / ALIASNorm / ALIASResBlock")
ALIAS = golden.cases(FAMILY, of="networks.ALIASGenerator")
AGNOSTIC = golden.cases(FAMILY, of="datasets.VITONDataset.get_parse_agnostic / get_img_agnostic")
PIPELINE = golden.cases(FAMILY, of="test.test()")
HALVINGS = {"more": 6, "most": 7}


def zeros(shape: tuple[int, ...]) -> Tensor:
    return torch.zeros(shape)


def named(words: str, names: Iterable[str]) -> Callable[[tuple[int, ...]], Tensor]:
    """Noise for norms called so, in this order, as ``words`` say."""
    left = iter(names)
    return lambda shape: golden.named_noise(words, next(left), shape)


def seeded(words: str) -> Callable[[tuple[int, ...]], Tensor]:
    """Noise as torch draws it from the seed that ``words`` say."""
    generator = golden.torch_seed(words)
    return lambda shape: torch.randn(shape, generator=generator)


def norm_of(options: dict[str, Any]) -> dict[str, bool]:
    """``norm_G`` as our settings."""
    spectral, kind = re.fullmatch(r"(spectral)?alias(instance|batch)", options["norm_G"]).groups()
    return {"spectral": bool(spectral), "batch": kind == "batch"}


def alias_of(options: dict[str, Any], inputs: int) -> ALIASGenerator:
    """``ALIASGenerator(opt, input_nc)``."""
    halvings = HALVINGS[options["num_upsampling_layers"]]
    return ALIASGenerator(inputs, options["ngf"], options["semantic_nc"], halvings, **norm_of(options))


@pytest.mark.parametrize("name", SEG)
@torch.no_grad()
def test_segmentation(name: str) -> None:
    about, tensors = golden.load(FAMILY, name)
    net = SegGenerator(about["ctor"]["input_nc"], about["ctor"]["output_nc"])
    golden.same_names(net, about["state_dict"])
    logits = golden.fill(net, about["seed"]).logits(golden.recipe(about["inputs"]["x"]))
    maps = logits.sigmoid()
    golden.close(golden.thinned(logits, tensors["logits"]), tensors["logits"], 2e-4, "logits")
    made = {"out": golden.thinned(maps, tensors["out"]), "out_mean": maps.mean((2, 3)), "out_std": maps.std((2, 3))}
    golden.same(made | {"logits": tensors["logits"]}, tensors, 5e-5)


@pytest.mark.parametrize("name", MATCHING)
@torch.no_grad()
def test_matching(name: str) -> None:
    about, tensors = golden.load(FAMILY, name)
    opt, ctor, told = about["ctor"]["opt"], about["ctor"], about["inputs"]
    net = GMM((opt["load_height"], opt["load_width"]), ctor["inputA_nc"], ctor["inputB_nc"], opt["grid_size"])
    golden.same_names(net, about["state_dict"])
    golden.fill(net, about["seed"])
    person, cloth, blocks = (golden.recipe(told[which]) for which in ("inputA", "inputB", "cloth"))
    features = net.extractionA(person), net.extractionB(cloth)
    grid, theta = net(person, cloth)
    made = {"theta": theta, "corr": networks.correlation(*features)}
    for seen, which in zip(features, ("featA", "featB"), strict=True):
        made[which] = seen[:, :: seen.shape[1] // tensors[which].shape[1]]
    made["grid"] = golden.thinned(grid, tensors["grid"], 1)
    made["warped"] = golden.thinned(pipeline.bent(blocks, grid), tensors["warped"])
    # The cloth of the case is noise in blocks, which multiplies what the grid is off by.
    loose = max(3 * about["tolerance"]["per_tensor_float64"]["warped"], 1e-2)
    allowed = {"theta": 1e-6, "corr": 2e-6, "featA": 1e-5, "featB": 1e-5, "grid": 1e-5, "warped": loose}
    assert made.keys() == tensors.keys() == allowed.keys()
    for which, tensor in tensors.items():
        golden.close(made[which], tensor, allowed[which], which)


@pytest.mark.parametrize("name", SEG + MATCHING + ALIAS)
def test_full_size_names(name: str) -> None:
    about = golden.load_json(FAMILY, name)
    ctor = about["ctor"]
    full = ctor.get("opt", {}) | about.get("full_ctor", {})
    with torch.device("meta"):
        if name in SEG:
            net = SegGenerator(ctor["input_nc"], ctor["output_nc"])
        elif name in MATCHING:
            net = GMM((full["load_height"], full["load_width"]), ctor["inputA_nc"], ctor["inputB_nc"], full["grid_size"])
        else:
            net = alias_of(full, full["input_nc"])
        golden.same_names(net, about["full"])
        golden.same_names(type(net).like(net.state_dict()), about["full"])
    assert sum(p.numel() for p in net.parameters()) == about.get("full_params", sum(p.numel() for p in net.parameters()))


@pytest.mark.parametrize("name", SPLINE)
def test_spline(name: str) -> None:
    about, tensors = golden.load(FAMILY, name)
    opt, allowed = about["ctor"]["opt"], about["tolerance"]
    size, points = (opt["load_height"], opt["load_width"]), opt["grid_size"]
    theta = golden.recipe(about["inputs"]["theta"])
    plain = networks.bend(0 * theta[:1], size, points)
    made = {"theta": theta, "grid": networks.bend(theta, size, points), "grid_theta0": plain}
    made |= {"grid_X": plain[..., :1], "grid_Y": plain[..., 1:]}
    control = torch.cat([tensors["P_X_base"], tensors["P_Y_base"]], 1)
    eye = networks._system(control) @ tensors["Li"][0]
    golden.close(eye, torch.eye(len(eye)), 1e-4, "the published control points and their system's inverse")
    rest = {which: tensor for which, tensor in tensors.items() if which not in ("P_X_base", "P_Y_base", "Li")}
    golden.same(made, rest, max(1e-5, 3 * max(value for value in allowed.values() if isinstance(value, float))))


@pytest.mark.parametrize("name", BLUR)
def test_blur(name: str) -> None:
    about, tensors = golden.load(FAMILY, name)
    size, sigma = re.fullmatch(r"image\.GaussianBlur\(\((\d+),\1\),\(([\d.]+),\2\)\)", about["reference"]["cls"]).groups()
    size, sigma = int(size), float(sigma)
    point = F.pad(torch.ones(1, 1, 1, 1), [size // 2] * 4)
    made = {"out": regions.blur(golden.recipe(about["inputs"]["x"]), size, sigma)}
    golden.same(made | {"kernel": regions.blur(point, size, sigma)[0, 0]}, tensors, about["tolerance"]["max_abs_diff"])


@pytest.mark.parametrize("name", UNITS)
@torch.no_grad()
def test_parts_of_the_generator(name: str) -> None:
    about, tensors = golden.load(FAMILY, name)
    told, ctor, seed = about["inputs"], about["ctor"], about["seed"]
    options = dict(re.findall(r"(\w+)='?(\w+)'?", ctor["opt"]))
    classes, how = int(options["semantic_nc"]), norm_of(options)
    words, *remarks = told["seg"].split("; ")
    assert remarks[0] == f"{classes}-channel cases use the first {classes} channels"
    assert remarks[1].startswith("resblocks get seg[:,:,::2,::2] and mask[:,:,::2,::2]")
    x, seg = golden.recipe(told["x"]), golden.recipe(words)
    binary, soft = golden.recipe(told["mask binary"]), golden.recipe(told["mask soft"])
    masks = {"binary": binary, "soft": soft, "zeros": 0 * binary, "ones": 0 * binary + 1}
    made = {}
    for case, call in ctor.items():
        kind, arguments = _call(call)
        if kind == "MaskNorm":
            made |= {f"{case}_{which}": MaskNorm(*arguments)(x, mask) for which, mask in masks.items()}
        elif kind == "ALIASNorm":
            norm, channels, labels = arguments
            net = golden.fill(ALIASNorm(norm.removeprefix("alias"), channels, labels), seed)
            if case in about["state_dict"]:
                golden.same_names(net, about["state_dict"][case])
            made[case] = net(x, seg[:, :labels], binary, named(about["noise"], [""]))
        elif kind == "ALIASResBlock":
            inputs, outputs, divided = arguments
            net = golden.fill(ALIASResBlock(inputs, outputs, classes, divided, **how), seed)
            golden.same_names(net, about["state_dict"][case])
            golden.settled(net, tensors, f"state.{case}.")
            norms = (["norm_s"] if inputs != outputs else []) + ["norm_0", "norm_1"]
            maps = seg[:, : classes + divided, ::2, ::2], binary[:, :, ::2, ::2]
            made[case] = net(x, *maps, named(about["noise"], norms))
        else:
            assert case == "opt", f"{case}: {call} is tested by nobody"
    golden.same(made, tensors, about["tolerance"]["max_abs_diff"])


def _call(words: str) -> tuple[str, list[Any]]:
    """Class and arguments of ``Class(opt,6,4,True)``, less the ``opt``; nothing of other words."""
    if not (found := re.fullmatch(r"(\w+)\((?:opt,)?(.*)\)", words)):
        return "", []
    read = {"True": True, "False": False}
    return found[1], [read.get(part, int(part) if part.isdigit() else part.strip("'")) for part in found[2].split(",")]


@pytest.mark.parametrize("name", ALIAS)
@torch.no_grad()
def test_generator(name: str) -> None:
    about, tensors = golden.load(FAMILY, name)
    opt, told, words = about["ctor"]["opt"], about["inputs"], about["noise"]
    classes, net = opt["semantic_nc"], alias_of(opt, about["ctor"]["input_nc"])
    golden.same_names(net, about["state_dict"])
    golden.same_names(ALIASGenerator.like(net.state_dict()), about["state_dict"])
    golden.settled(golden.fill(net, about["seed"]), tensors)
    x = golden.recipe(told["x"])
    assert x.shape[2:] == (opt["load_height"], opt["load_width"])
    assert told["seg"] == f"one-hot of labels, {classes} channels"
    seg = golden.one_hot(golden.recipe(told["labels"]), classes)
    misaligned = golden.recipe(told["misalign_mask"], seg=seg)
    assert told["seg_div"] == "cat(seg, misalign_mask) then channel 2 minus misalign_mask"
    divided = torch.cat([seg, misaligned], 1)
    divided[:, 2:3] -= misaligned
    order, shapes = words["call_order"], []

    def recorded(shape: tuple[int, ...]) -> Tensor:
        shapes.append(list(shape))
        return zeros(shape)

    assert words["out_zero_noise"].startswith("torch.randn replaced by zeros")
    draws: dict[str, Callable[[tuple[int, ...]], Tensor]] = {
        "out_zero_noise": recorded,
        "out_named_noise": named(words["out_named_noise"], (norm for norm, _ in order)),
    }
    for which in words.keys() - draws.keys() - {"call_order"}:
        draws[which] = seeded(words[which])
    made = {which: net(x, seg, divided, misaligned, draw) for which, draw in draws.items()}
    golden.same({which: golden.thinned(picture, tensors[which]) for which, picture in made.items()}, tensors, 5e-5)
    assert shapes == [shape for _, shape in order]


@pytest.mark.parametrize("name", AGNOSTIC)
def test_agnostic(name: str) -> None:
    about, tensors = golden.load(FAMILY, name)
    parse, image = golden.shown(about, tensors)
    for kind, counts in about["info"].items():
        joints = tensors[f"{kind}.pose"].numpy()[:, :2]
        emptied = agnostic.agnostic_parse(parse, joints)
        golden.mostly(emptied != parse, tensors[f"{kind}.parse_changed"], about["tolerance"], f"{kind}: parse")
        assert (emptied[emptied != parse] == 0).all()
        picture = agnostic.agnostic_picture(image, changeable(parse, joints))
        grey = (picture == agnostic.GREY).all(2) & (image != agnostic.GREY).any(2)
        golden.mostly(grey, tensors[f"{kind}.img_changed"], about["tolerance"], f"{kind}: picture")
        assert (picture == image)[~grey].all()
        assert abs(int(grey.sum()) - counts["img_changed_px"]) <= 0.001 * grey.size
    assert {which.partition(".")[0] for which in tensors if "." in which} == about["info"].keys()


@pytest.mark.parametrize("name", PIPELINE)
@torch.no_grad()
def test_the_whole_way(name: str) -> None:
    about, tensors = golden.load(FAMILY, name)
    ctor, told, seed = about["ctor"], about["inputs"], about["seed"]
    size, points = (ctor["load_height"], ctor["load_width"]), ctor["grid_size"]
    segmenter = golden.fill(SegGenerator(*_call(ctor["seg"])[1]), seed)
    matcher = golden.fill(GMM(size, *_call(ctor["gmm"])[1], points), seed)
    classes, inputs = map(int, re.fullmatch(r"ALIASGenerator\(opt with semantic_nc=(\d+), (\d+)\)", ctor["alias"]).groups())
    painter = ALIASGenerator(inputs, ctor["ngf"], classes, HALVINGS[ctor["num_upsampling_layers"]])
    golden.settled(golden.fill(painter, seed), tensors, "state.alias.")
    assert about["noise"] == "ALIAS noise: torch.randn replaced by zeros"
    names = ("img_agnostic", "parse_agnostic", "pose", "cloth", "cloth_mask")
    shown = pipeline.Inputs(*(golden.recipe(told[which]) for which in names))
    assert shown.cloth.shape[2:] == size
    grain = golden.recipe(told["seg noise channel (gen_noise)"])

    first = pipeline.segmentation_inputs(shown, grain)
    made = pipeline.generate(segmenter, matcher, painter, shown, grain, zeros)
    differ = made.classes.argmax(1) != tensors["parse_label7"]
    assert differ.float().mean() <= 2 * about["argmax_margin"]["frac_below_1e_4"]
    person, cloth = pipeline.matching_inputs(shown, made.classes)
    grid, theta = matcher(person, cloth)
    found = {"seg_in": first, "seg_out": segmenter(first), "gmm_in_a": person, "theta": theta}
    found |= {"warped_c": made.cloth, "misalign": made.misaligned, "output": made.picture}
    found = {which: golden.thinned(maps, tensors[which]) if maps.ndim > 2 else maps for which, maps in found.items()}
    found["grid"] = golden.thinned(grid, tensors["grid"], 1)
    expected = {which: tensor for which, tensor in tensors.items() if not which.startswith("state.")}
    assert found.keys() == expected.keys() - {"parse_label7"}
    allowed = {"seg_in": 1e-5, "seg_out": 5e-5, "gmm_in_a": 1 if differ.any() else 1e-6, "theta": 1e-5, "grid": 2e-5}
    for which, atol in allowed.items():
        golden.close(found[which], expected[which], atol, which)
    for which in found.keys() - allowed.keys():
        off = (found[which] - expected[which]).abs()
        assert off.median() <= 1e-4, which
        assert (off > 2e-3).float().mean() <= (0.01 if differ.any() else 0.001), which

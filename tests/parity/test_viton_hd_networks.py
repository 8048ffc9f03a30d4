"""VITON-HD against the published code: three networks, their parts, what they are shown, and the way through all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from golden import cases, close, fill, load, load_json, noise, recipe
from torch import Tensor, nn

from helpers.tryon import agnostic, regions
from helpers.tryon.viton_hd import networks, pipeline
from helpers.tryon.viton_hd.agnostic import changeable
from helpers.tryon.viton_hd.networks import GMM, ALIASGenerator, ALIASNorm, ALIASResBlock, MaskNorm, SegGenerator

FAMILY = "viton_hd"
UP = {"normal": 5, "more": 6, "most": 7}


def zeros(shape: tuple[int, ...]) -> Tensor:
    return torch.zeros(shape)


def named(*names: str) -> Callable[[tuple[int, ...]], Tensor]:
    """Noise for norms called so, in this order."""
    left = iter(names)
    return lambda shape: noise(f"alias_noise/{next(left)}", *shape)


def same_names(net: nn.Module, expected: dict[str, Any]) -> None:
    """Parameters and shapes as published; a json says a shape, or a shape and a dtype."""
    shapes = {k: v[0] if len(v) == 2 and isinstance(v[0], list) else v for k, v in expected.items()}
    assert {k: list(v.shape) for k, v in net.state_dict().items()} == shapes


def settled(net: nn.Module, tensors: dict[str, Tensor], prefix: str = "state.") -> nn.Module:
    """Filled, with the singular vectors that the case brings."""
    fill(net)
    given = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    net.load_state_dict(given, strict=False)
    assert given.keys() <= net.state_dict().keys()
    return net


def thinned(maps: Tensor, expected: Tensor) -> Tensor:
    """Every so many rows and columns, as many as were kept."""
    step = maps.shape[2] // expected.shape[2]
    return maps[:, :, ::step, ::step]


def enlarged(words: str) -> Tensor:
    """``noise('name', ...) nearest x8``, clamped where it says so."""
    made = recipe(words)
    if times := re.search(r"x(\d+)\b", words[words.index(")") :]):
        made = F.interpolate(made, scale_factor=int(times.group(1)))
    return made.clamp(-1, 1) if "clamp(-1,1)" in words else made


@pytest.mark.parametrize("name", cases(FAMILY, "seg_"))
@torch.no_grad()
def test_segmentation(name: str) -> None:
    about, tensors = load(FAMILY, name)
    net = SegGenerator(about["ctor"]["input_nc"], about["ctor"]["output_nc"])
    same_names(net, about["full"])
    logits = fill(net).logits(recipe(about["inputs"]["x"]))
    maps = logits.sigmoid()
    close(thinned(logits, tensors["logits"]), tensors["logits"], 2e-4, "logits")
    close(thinned(maps, tensors["out"]), tensors["out"], 5e-5, "maps")
    close(maps.mean((2, 3)), tensors["out_mean"], 1e-5, "means")
    close(maps.std((2, 3)), tensors["out_std"], 1e-5, "deviations")


@pytest.mark.parametrize("name", cases(FAMILY, "gmm_"))
@torch.no_grad()
def test_matching(name: str) -> None:
    about, tensors = load(FAMILY, name)
    opt, ctor = about["ctor"]["opt"], about["ctor"]
    net = GMM((opt["load_height"], opt["load_width"]), ctor["inputA_nc"], ctor["inputB_nc"], opt["grid_size"])
    same_names(net, about["state_dict"])
    fill(net)
    person, cloth = recipe(about["inputs"]["inputA"]), recipe(about["inputs"]["inputB"])
    features = net.extractionA(person), net.extractionB(cloth)
    for seen, which in zip(features, ("featA", "featB"), strict=True):
        close(seen[:, :: seen.shape[1] // tensors[which].shape[1]], tensors[which], 1e-5, which)
    close(networks.correlation(*features), tensors["corr"], 2e-6, "correlation")
    grid, theta = net(person, cloth)
    close(theta, tensors["theta"], 1e-6, "theta")
    step = grid.shape[1] // tensors["grid"].shape[1]
    close(grid[:, ::step, ::step], tensors["grid"], 1e-5, "grid")
    # The cloth of the case is noise in blocks, which multiplies what the grid is off by.
    warped = pipeline.bent(enlarged(about["inputs"]["cloth"]), grid)
    allowed = max(3 * about["tolerance"]["per_tensor_float64"]["warped"], 1e-2)
    close(thinned(warped, tensors["warped"]), tensors["warped"], allowed, "bent cloth")


def test_full_size_names() -> None:
    for name, make in (("gmm_", GMM), ("seg_", SegGenerator), ("alias_m", ALIASGenerator)):
        about = load_json(FAMILY, cases(FAMILY, name)[-1])
        with torch.device("meta"):
            net = make()
        same_names(net, about["full"])
        if "full_params" in about:
            assert sum(p.numel() for p in net.parameters()) == about["full_params"]
        state = net.state_dict()
        with torch.device("meta"):
            same_names(make.like(state), about["full"])


@pytest.mark.parametrize("name", cases(FAMILY, "tps_"))
def test_spline(name: str) -> None:
    about, tensors = load(FAMILY, name)
    opt, words = about["ctor"]["opt"], about["inputs"]["theta"]
    size, points = (opt["load_height"], opt["load_width"]), opt["grid_size"]
    theta = float(words.split("*")[0]) * recipe(words)
    close(networks.bend(theta, size, points), tensors["grid"], 1e-5)
    close(networks.bend(0 * theta[:1], size, points), tensors["grid_theta0"], 1e-5)


@pytest.mark.parametrize("name", cases(FAMILY, "gauss_"))
def test_blur(name: str) -> None:
    about, tensors = load(FAMILY, name)
    size, sigma = map(int, re.search(r"GaussianBlur\(\((\d+),\d+\),\((\d+),\d+\)\)", about["reference"]["cls"]).groups())
    close(regions.blur(recipe(about["inputs"]["x"]), size, sigma), tensors["out"], 1e-6)
    point = F.pad(torch.ones(1, 1, 1, 1), [size // 2] * 4)
    close(regions.blur(point, size, sigma)[0, 0], tensors["kernel"], 1e-7, "kernel")


@pytest.mark.parametrize("name", cases(FAMILY, "alias_units"))
@torch.no_grad()
def test_parts_of_the_generator(name: str) -> None:
    about, tensors = load(FAMILY, name)
    told, atol = about["inputs"], about["tolerance"]["max_abs_diff"]
    x, seg = recipe(told["x"]), recipe(told["seg"])
    binary, soft = (recipe(told["mask binary"]) > 0.5).float(), recipe(told["mask soft"]).sigmoid()
    masks = {"binary": binary, "soft": soft, "zeros": 0 * binary, "ones": 0 * binary + 1}
    for which, mask in masks.items():
        close(MaskNorm(x.shape[1])(x, mask), tensors[f"masknorm_{which}"], atol, which)
    for case, (kind, channels, labels) in _calls(about["ctor"], "aliasnorm_").items():
        net = fill(ALIASNorm(kind.removeprefix("alias"), channels, labels))
        same_names(net, about["state_dict"].get(case, {k: list(v.shape) for k, v in net.state_dict().items()}))
        close(net(x, seg[:, :labels], binary, named("")), tensors[case], atol, case)
    for case, (inputs, outputs, divided) in _calls(about["ctor"], "resblock_").items():
        net = settled(ALIASResBlock(inputs, outputs, 7, divided), tensors, f"state.{case}.")
        same_names(net, about["state_dict"][case])
        norms = (["norm_s"] if inputs != outputs else []) + ["norm_0", "norm_1"]
        made = net(x, seg[:, : 7 + divided, ::2, ::2], binary[:, :, ::2, ::2], named(*norms))
        close(made, tensors[case], atol, case)


def _calls(ctor: dict[str, str], prefix: str) -> dict[str, list[Any]]:
    """Name -> arguments of ``Class(opt,6,4,True)``, less the ``opt``."""
    words = {
        name: re.search(r"\((.*)\)", call).group(1).replace("opt,", "")
        for name, call in ctor.items()
        if name.startswith(prefix)
    }
    read = {"True": True, "False": False}
    return {
        name: [read.get(part, int(part) if part.isdigit() else part.strip("'")) for part in text.split(",")]
        for name, text in words.items()
    }


def generator(opt: dict[str, Any], inputs: int = 9) -> ALIASGenerator:
    return ALIASGenerator(
        inputs,
        opt["ngf"],
        opt.get("semantic_nc", 7),
        UP[opt["num_upsampling_layers"]],
        batch=opt.get("norm_G", "").endswith("batch"),
    )


@pytest.mark.parametrize("name", cases(FAMILY, "alias_mo"))
@torch.no_grad()
def test_generator(name: str) -> None:
    about, tensors = load(FAMILY, name)
    opt, told = about["ctor"]["opt"], about["inputs"]
    net = settled(generator(opt, about["ctor"]["input_nc"]), tensors)
    same_names(net, about["state_dict"])
    same_names(ALIASGenerator.like(net.state_dict()), about["state_dict"])
    x = enlarged(told["x"])
    labels = F.interpolate((recipe(told["labels"]) * 2 + 3).round().clamp(0, 6), scale_factor=16)
    seg = F.one_hot(labels[:, 0].long(), opt["semantic_nc"]).permute(0, 3, 1, 2).float()
    grain = F.interpolate((recipe(told["misalign_mask"]) > 0.3).float(), scale_factor=8)
    misaligned = seg[:, 2:3] * grain
    divided = torch.cat([seg, misaligned], 1)
    divided[:, 2:3] -= misaligned
    order = about["noise"]["call_order"]
    shapes = []

    def recorded(shape: tuple[int, ...]) -> Tensor:
        shapes.append(list(shape))
        return zeros(shape)

    seeded = torch.Generator().manual_seed(0)
    for out, draw in (
        ("out_zero_noise", recorded),
        ("out_named_noise", named(*(norm for norm, _ in order))),
        ("out_manual_seed0", lambda shape: torch.randn(shape, generator=seeded)),
    ):
        picture = net(x, seg, divided, misaligned, draw)
        close(thinned(picture, tensors[out]), tensors[out], 5e-5, out)
    assert shapes == [shape for _, shape in order]


@pytest.mark.parametrize("name", cases(FAMILY, "agnostic"))
def test_agnostic(name: str) -> None:
    about, tensors = load(FAMILY, name)
    parse = tensors["parse_lo"].numpy().repeat(8, 0).repeat(8, 1)
    image = tensors["img_lo"].numpy().repeat(8, 0).repeat(8, 1)
    for kind, counts in about["info"].items():
        joints = tensors[f"{kind}.pose"].numpy()[:, :2]
        emptied = agnostic.agnostic_parse(parse, joints)
        _mostly(emptied != parse, tensors[f"{kind}.parse_changed"], f"{kind}: parse")
        assert (emptied[emptied != parse] == 0).all()
        picture = agnostic.agnostic_picture(image, changeable(parse, joints))
        grey = (picture == agnostic.GREY).all(2) & (image != agnostic.GREY).any(2)
        _mostly(grey, tensors[f"{kind}.img_changed"], f"{kind}: picture")
        assert (picture == image)[~grey].all()
        assert abs(int(grey.sum()) - counts["img_changed_px"]) <= 0.001 * grey.size


def _mostly(mask: np.ndarray, packed: Tensor, what: str) -> None:
    """Up to a thousandth, which Pillow's versions differ by."""
    expected = np.unpackbits(packed.numpy(), axis=-1, count=mask.shape[1]) > 0
    assert (mask != expected).mean() <= 0.001, f"{what}: {(mask != expected).sum()} pixels"


@pytest.mark.parametrize("name", cases(FAMILY, "pipeline"))
@torch.no_grad()
def test_the_whole_way(name: str) -> None:
    about, tensors = load(FAMILY, name)
    ctor, told = about["ctor"], about["inputs"]
    size = ctor["load_height"], ctor["load_width"]
    segmenter = fill(SegGenerator())
    matcher = fill(GMM(size, points=ctor["grid_size"]))
    painter = settled(generator(ctor), tensors, "state.alias.")
    classes = (recipe(told["parse_agnostic"]) * 3 + 6).round().clamp(0, 12)
    classes = F.interpolate(classes, scale_factor=16)[:, 0].long()
    mask = torch.zeros(1, 1, *size)
    mask[:, :, size[0] // 8 : 7 * size[0] // 8, size[1] // 8 : 7 * size[1] // 8] = 1
    mask *= F.interpolate((recipe(told["cloth_mask"]) > -1).float(), scale_factor=32)
    inputs = pipeline.Inputs(
        enlarged(told["img_agnostic"]),
        F.one_hot(classes, 13).permute(0, 3, 1, 2).float(),
        enlarged(told["pose"]),
        enlarged(told["cloth"]),
        mask,
    )
    grain = (recipe(told["seg noise channel (gen_noise)"]) > 1).float()

    shown = pipeline.segmentation_inputs(inputs, grain)
    close(thinned(shown, tensors["seg_in"]), tensors["seg_in"], 1e-5, "shown to the segmentation")
    maps = segmenter(shown)
    close(thinned(maps, tensors["seg_out"]), tensors["seg_out"], 5e-5, "maps")
    made = pipeline.generate(segmenter, matcher, painter, inputs, grain, zeros)
    differ = made.classes.argmax(1) != tensors["parse_label7"]
    assert differ.float().mean() <= 2 * about["argmax_margin"]["frac_below_1e_4"]
    person, cloth = pipeline.matching_inputs(inputs, made.classes)
    close(thinned(person, tensors["gmm_in_a"]), tensors["gmm_in_a"], 1 if differ.any() else 1e-6, "shown to the matching")
    grid, theta = matcher(person, cloth)
    close(theta, tensors["theta"], 1e-5, "theta")
    step = grid.shape[1] // tensors["grid"].shape[1]
    close(grid[:, ::step, ::step], tensors["grid"], 2e-5, "grid")
    for found, key in ((made.cloth, "warped_c"), (made.misaligned, "misalign"), (made.picture, "output")):
        off = (thinned(found, tensors[key]) - tensors[key]).abs()
        assert off.median() <= 1e-4, key
        assert (off > 2e-3).float().mean() <= (0.01 if differ.any() else 0.001), key

"""HR-VITON's discriminators, and what its training makes small, against the published ones."""

from __future__ import annotations

import re

import golden
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.tryon.hr_viton import losses
from helpers.tryon.hr_viton.discriminators import PartsDiscriminator, PictureDiscriminator
from helpers.tryon.hr_viton.networks import ConditionGenerator
from helpers.tryon.spectral import SpectralConv2d

FAMILY = "hr_viton"
PARTS = golden.cases(FAMILY, of="networks.define_D -> MultiscaleDiscriminator")
PICTURES = golden.cases(FAMILY, of="network_generator.MultiscaleDiscriminator + GANLoss")
LOSSES = golden.cases(FAMILY, of="train_condition.py loss terms")
NAMES = {
    "input_nc": "inputs", "ndf": "width", "num_D": "scales", "n_layers_D": "layers", "Ddownx2": "halved", "Ddropout": "dropout",
    "getIntermFeat": "features", "spectral": "spectral", "norm": "norm",
}  # fmt: skip
PUBLISHED = {"inputs": 33, "width": 64}


def parts_discriminator(given: dict) -> PartsDiscriminator:
    """By the published names of its settings, which left out mean others than ours."""
    return PartsDiscriminator(**{"halved": False, "dropout": False} | {NAMES[name]: value for name, value in given.items()})


def picture_discriminator(given: dict) -> PictureDiscriminator:
    assert given.keys() <= {"gen_semantic_nc", "ndf", "num_D", "n_layers_D", "norm_D", "no_ganFeat_loss"}
    norm = re.fullmatch(r"spectral(instance|batch)", given["norm_D"])[1]
    inputs, scales = given["gen_semantic_nc"] + 3, given["num_D"]
    return PictureDiscriminator(inputs, given["ndf"], scales=scales, layers=given["n_layers_D"], norm=norm)


def filled(net: nn.Module, about: dict, tensors: dict[str, torch.Tensor]) -> nn.Module:
    golden.same_names(net, about["state_dict"])
    golden.fill(net, about["seed"])
    return golden.settled(net, tensors)


def by_place(judged: list[list[torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {f"scale{i}_out{j}": layer for i, size in enumerate(judged) for j, layer in enumerate(size)}


@pytest.mark.parametrize("case", PARTS)
@torch.no_grad()
def test_of_the_conditions(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    net = filled(parts_discriminator(about["ctor"]), about, expected)
    judged = net(golden.recipe(about["inputs"]["x"]))
    made = by_place(judged) | {
        "gan_true": losses.squared(judged, real=True),
        "gan_false": losses.squared(judged, real=False),
        "D_logit": losses.realness(judged),
    }
    golden.same(made, expected, about["tolerance"]["max_abs_diff"])


@pytest.mark.parametrize("case", PICTURES)
@torch.no_grad()
def test_of_the_picture(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    net = filled(picture_discriminator(about["ctor"]), about, expected)
    words = about["inputs"]
    assert words["forward"] == "D(cat(fake, real, dim=0)), then split the batch in half"
    judged = net(torch.cat([golden.recipe(words["fake"]), golden.recipe(words["real"])]))
    if about["ctor"]["no_ganFeat_loss"]:  # the published network keeps the layers' maps to itself then
        judged = [maps[-1:] for maps in judged]
    fake, real = losses.split(judged)
    made = by_place(judged) | {
        "G_gan": losses.adversarial(fake, real=True, making=True),
        "D_fake": losses.adversarial(fake, real=False),
        "D_real": losses.adversarial(real, real=True),
    }
    if "feat" in expected:
        made["feat"] = losses.unlike(fake, real)
    for kind in ("ls", "original", "w"):
        for wanted in (True, False):
            made[f"{kind}_fake_{str(wanted).lower()}"] = losses.adversarial(fake, real=wanted, kind=kind)
    made = {name: tensor.reshape(expected[name].shape) for name, tensor in made.items()}
    golden.same(made, expected, about["tolerance"]["max_abs_diff"])


@pytest.mark.parametrize("case", PARTS + PICTURES)
def test_all_published_keys(case: str) -> None:
    about = golden.load_json(FAMILY, case)
    with torch.device("meta"):
        if case in PICTURES:
            net = picture_discriminator(about["full_ctor"])
        else:
            net = parts_discriminator(about["ctor"] | {"input_nc": PUBLISHED["inputs"], "ndf": PUBLISHED["width"]})
    golden.same_names(net, about["full"])


@pytest.mark.parametrize("case", LOSSES)
def test_terms_and_gradients(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    words = about["ctor"]
    width, feature, layer = re.search(r"ConditionGenerator\(ngf=(\d+),(\w+),(\w+)\)", words).groups()
    given = {
        name: {"True": True, "False": False}.get(value) if value.isalpha() else int(value)
        for name, value in re.findall(r"(\w+)=(\w+)", re.search(r"define_D\((.*?)\)", words)[1])
    }
    net = golden.fill(ConditionGenerator(int(width), warp_feature=feature, out_layer=layer), about["seed"]).train()
    judge = golden.fill(parts_discriminator(given), about["seed"]).train()

    told = about["inputs"]
    label, *remarks = told["label"].split("; ")
    assert remarks == ["one-hot -> 13", "pcm = channel 3"]
    label = golden.recipe(label)
    truth, worn = golden.one_hot(label, 13), (label == 3).float()
    garment = torch.cat([golden.recipe(told["cloth"]), golden.recipe(told["cloth_mask"])], 1)
    body = golden.recipe(told["input2"])

    seen = net(garment, body)
    bent = losses.Bent.of(garment, seen)
    shown = [torch.cat([garment, body, parts], 1) for parts in (bent.parts.softmax(1), truth)]
    judged = judge(shown[0])
    flows = seen[0]
    total = losses.conditions(bent, flows[-1], worn, label[:, 0].long(), judged)
    total.backward()
    finest, coarser = losses.masks(bent, worn)
    made = {
        "l1_cloth_main": finest,
        "inter_l1": torch.stack(coarser),
        "l1_cloth_total": finest + sum(coarser),
        "tv_last": losses.unevenness(flows[-1]),
        "tv_all": sum(losses.unevenness(flow) for flow in flows),
        "ce": losses.wrong_parts(bent.parts, label[:, 0].long()),
        "g_gan": losses.squared(judged, real=True),
        "d_fake": losses.squared(judge(shown[0].detach()), real=False),
        "d_real": losses.squared(judge(shown[1]), real=True),
        "loss_G_no_vgg": total,
        "iou": losses.overlap(bent.parts, truth),
        "warped_clothmask_occ": bent.mask,
        "warped_cloth_occ": bent.cloth,
        "bn_running_mean": net.SegDecoder[4].block[1].running_mean,
    }
    for level, (cloth, _) in enumerate(bent.between):
        made[f"inter_warped_c_{level}"] = golden.thinned(cloth, expected[f"inter_warped_c_{level}"])
    gradients = {name: tensor for name, tensor in expected.items() if name.startswith("grad.")}
    assert gradients
    for name, tensor in gradients.items():
        part = net.get_parameter(name.removeprefix("grad."))
        golden.close(part.grad, tensor, 1e-3 * tensor.abs().max().item(), name)
    allowed = about["tolerance"]["scalars"]
    assert about["tolerance"]["grads"] == "rel 1e-3"
    rest = {name: tensor for name, tensor in expected.items() if name not in gradients}
    assert made.keys() == rest.keys()
    for name, tensor in rest.items():  # maps, as those of the network itself
        golden.close(
            made[name].detach(), tensor, 2e-4 if tensor.ndim > 1 else allowed * max(1.0, tensor.abs().max().item()), name
        )


# What no case holds


def test_spectral_norm_is_that_of_torch() -> None:
    """In training a step of power iteration a pass, and gradients that go through the division."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ours = SpectralConv2d(3, 5, 4, stride=2, padding=2)
        theirs = nn.utils.spectral_norm(nn.Conv2d(3, 5, 4, stride=2, padding=2))
        x = torch.randn(2, 3, 9, 8)
    theirs.load_state_dict(ours.state_dict())
    for training in (True, True, False):
        made = [net.train(training)(x) for net in (ours, theirs)]
        assert torch.allclose(*made, atol=1e-6)
        for net, picture in zip((ours, theirs), made, strict=True):
            net.zero_grad()
            picture.square().sum().backward()
        assert torch.allclose(ours.weight_orig.grad, theirs.weight_orig.grad, rtol=1e-4, atol=1e-4)
        assert torch.allclose(ours.weight_u, theirs.weight_u, atol=1e-6)


def test_a_generator_cannot_want_to_be_seen_through() -> None:
    judged = [[torch.zeros(1, 1, 2, 2)]]
    with pytest.raises(ValueError, match="hinge has a generator want what is real"):
        losses.adversarial(judged, real=False, making=True)
    with pytest.raises(ValueError, match="not 'wgan'"):
        losses.adversarial(judged, real=True, kind="wgan")


def test_a_few_steps_of_training_make_the_terms_smaller() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net, judge = ConditionGenerator(4), PartsDiscriminator(width=4, dropout=False)
    garment, body = golden.noise("garment", 2, 4, 64, 64).clamp(-1, 1), golden.noise("body", 2, 16, 64, 64)
    label = (golden.noise("label", 2, 1, 8, 8) * 3 + 6).round().clamp(0, 12)
    label = F.interpolate(label, scale_factor=8)
    totals = []
    for _ in range(8):
        seen = net(garment, body)
        bent = losses.Bent.of(garment, seen)
        judged = judge(torch.cat([garment, body, bent.parts.softmax(1)], 1))
        total = losses.conditions(bent, seen[0][-1], (label == 3).float(), label[:, 0].long(), judged)
        totals.append(total.item())
        net.zero_grad()
        total.backward()
        with torch.no_grad():
            for part in net.parameters():
                if part.grad is not None:  # conv2 is of no effect
                    part -= 2e-3 * part.grad.sign()
    assert totals[-1] < 0.95 * totals[0]

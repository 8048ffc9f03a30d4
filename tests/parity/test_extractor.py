"""The clothes extractor's networks, the pictures that they read, and one step of their training, against the published ones."""

from __future__ import annotations

import re

import golden
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.extraction import crops, frames, losses, steps
from helpers.extraction.pix2pix import NLayerDiscriminator, PixelDiscriminator, UnetGenerator
from helpers.extraction.resnet_unet import ResnetUnet
from helpers.extraction.seed_discriminators import SeedDiscriminator

FAMILY = "extractor"


def shapes(net: nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in net.state_dict().items()}


PIX2PIX, DISCRIMINATORS, RESNETS = (
    golden.cases(FAMILY, of=whose)
    for whose in ("junyanz/", "aidl-upc-2024-clothes-extractor/clothes-extractor models", "segmentation_models_pytorch")
)
PICTURES = golden.cases(FAMILY, of="aidl-upc-2024-clothes-extractor dataset")
BRANCH = {"c2edd70a": "main", "282118f8": "phase2", "58785162": "phase2_big"}
"""Of a commit's first digits."""


def inputs(about: dict) -> list[Tensor]:
    return [golden.recipe(words) for words in about["inputs"].values()]


def built(words: str) -> nn.Module:
    """The network of published words such as ``UnetGenerator(3,3,num_downs=6,ngf=8,norm_layer=batch,use_dropout=True)``."""
    (norm,) = set(re.findall("instance|batch", words))
    if "NLayerDiscriminator" in words:
        channels, width, layers = map(
            int, re.search(r"NLayerDiscriminator\((\d+),(?:ndf=)?(\d+),(?:n_layers=)?(\d+)", words).groups()
        )
        return NLayerDiscriminator(channels, width, layers, norm)
    if "PixelDiscriminator" in words:
        channels, width = map(int, re.search(r"PixelDiscriminator\((\d+),(?:ndf=)?(\d+)", words).groups())
        return PixelDiscriminator(channels, width, norm)
    numbers = re.search(r"UnetGenerator\((\d+),(\d+),(?:num_downs=)?(\d+),(?:ngf=)?(\d+)", words).groups()
    return UnetGenerator(*map(int, numbers), norm, "use_dropout=True" in words)


def compared(net: nn.Module, about: dict, expected: dict[str, Tensor], made: dict[str, Tensor]) -> None:
    assert shapes(net) == {key: shape for key, (shape, _) in about["state_dict"].items()}
    assert made.keys() == about["tolerances"].keys()
    for name, tensor in made.items():
        golden.close(tensor, expected[name], 5e-6 + 5 * max(about["tolerances"][name].values()), name)


@pytest.mark.parametrize("case", PIX2PIX)
@torch.no_grad()
def test_pix2pix(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    net = golden.fill(built(about["args"]), about["fill"]["seed"])
    given = inputs(about)
    if "logits" in about["tolerances"]:
        made = {"logits": net(torch.cat(given, 1))}
    else:
        innermost = net.model
        while inside := next((layer for layer in innermost.model if hasattr(layer, "model")), None):
            innermost = inside
        seen: list[Tensor] = []
        innermost.register_forward_hook(lambda _net, _given, out: seen.append(out.clone()))
        output = net(*given)
        made = {"output": output, "innermost_output": seen[0]}
    compared(net, about, expected, made)


@pytest.mark.parametrize("case", [c for c in PIX2PIX + DISCRIMINATORS + RESNETS if "full_args" in golden.load_json(FAMILY, c)])
def test_all_keys_of_the_published_size(case: str) -> None:
    about = golden.load_json(FAMILY, case)
    with torch.device("meta"):
        if case in PIX2PIX:
            net = built(about["full_args"])
        else:
            net = discriminator(about) if case in DISCRIMINATORS else resnet(about)
    assert shapes(net) == {
        key: entry[0] if entry and isinstance(entry[0], list) else entry for key, entry in about["full"].items()
    }
    assert sum(parameter.numel() for parameter in net.parameters()) == about["full_param_count"]
    if hasattr(net, "of_state"):
        assert shapes(type(net).of_state(net.state_dict())) == shapes(net)


def discriminator(about: dict) -> SeedDiscriminator:
    return SeedDiscriminator(BRANCH[about["commit"][:8]], int(re.search(r"NDF=(\d+)", about["args"])[1]))


def resnet(about: dict) -> ResnetUnet:
    encoder, attention, inputs, outputs = re.fullmatch(
        r"Unet\('(\w+)',encoder_weights=None,decoder_attention_type=('scse'|None),in_channels=(\d+),classes=(\d+)\)",
        about["args"],
    ).groups()
    return ResnetUnet(encoder, int(inputs), int(outputs), attention=attention != "None")


@pytest.mark.parametrize("case", DISCRIMINATORS)
@torch.no_grad()
def test_discriminators_of_the_extractor(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    net = golden.fill(discriminator(about), about["fill"]["seed"])
    seen: dict[str, Tensor] = {}

    def last(_net: nn.Module, given: tuple[Tensor], out: Tensor) -> None:
        seen.update(features=given[0][:, :8, :24, :24].clone(), logits=out.clone())

    net.main.main[-2].register_forward_hook(last)
    compared(net, about, expected, {"probability": net(*inputs(about)), **seen})


@pytest.mark.parametrize("case", RESNETS)
@torch.no_grad()
def test_resnet_unet(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    net = golden.fill(resnet(about), about["fill"]["seed"])
    source = inputs(about)[0]
    stages = {f"encoder_stage{i}": feature[:, :8] for i, feature in enumerate(net.encoder(source), 1)}
    compared(net, about, expected, {"output": net(source), **stages})


@pytest.mark.parametrize("case", PICTURES)
def test_pictures_that_the_networks_read(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    person, parse, cloth = (expected[name].permute(1, 2, 0).numpy() for name in ("person", "parse", "cloth"))
    mask = frames.of_colour(parse)
    source = frames.worn(person, mask, parity=True)
    target = crops.flat(cloth, expected["cloth_mask"][0].numpy())
    for name, made in (("source", source), ("target", target)):
        golden.close(made.transpose(2, 0, 1).copy(), expected[f"{name}_uint8"], 0, name)
        golden.close(frames.tensor(made, (about["size"],) * 2), expected[name], 1e-6, name)
    kept = frames.worn(person, mask)
    inner = mask[np.ix_(*(np.arange(v[0], v[-1] + 1) for v in (np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0)))))]
    top, left = (person.shape[0] - inner.shape[0]) // 2, (person.shape[1] - inner.shape[1]) // 2
    there = np.zeros(mask.shape, bool)
    there[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    assert (kept[there] == person[mask]).all()
    assert not kept[~there].any(), "gaps stay gaps"


def test_a_generator_that_weighs_nothing() -> None:
    with torch.device("meta"):
        net = ResnetUnet(inputs=6, width=8, attention=False)
        assert not [name for name in net.state_dict() if "attention" in name]
        assert shapes(ResnetUnet.of_state(net.state_dict())) == shapes(net)


# One step of training. No recorded case has it: the published recipes stand here once more, in plain torch.


def test_one_step_of_pix2pix() -> None:
    """Losses, gradients by name and weights after a step of both networks, with batch norm in training."""
    source, target = (golden.noise(f"step.{name}", 2, 3, 32, 64).clamp(-1, 1) for name in ("source", "target"))

    def networks() -> tuple[nn.Module, nn.Module, list[torch.optim.Optimizer]]:
        nets = [golden.fill(net).train() for net in (UnetGenerator(3, 3, 5, 8), NLayerDiscriminator(6, 8))]
        return *nets, [torch.optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999)) for net in nets]

    painter, judge, (adam_p, adam_j) = networks()
    painted = painter(source)
    made, real = judge(torch.cat([source, painted.detach()], 1)), judge(torch.cat([source, target], 1))
    judged = 0.5 * (F.softplus(made).mean() + F.softplus(-real).mean())
    judged.backward()
    judge_gradients = {name: p.grad.clone() for name, p in judge.named_parameters()}
    adam_j.step()
    pleased = F.softplus(-judge(torch.cat([source, painted], 1))).mean()
    distance = 100 * (painted - target).abs().mean()
    adam_p.zero_grad()
    (pleased + distance).backward()
    adam_p.step()

    mine, judging, optimizers = networks()
    trainer = steps.Step(mine, steps.conditioned(judging), steps.PIX2PIX, *optimizers)
    told = trainer(source, target)
    assert told == pytest.approx({"judge": judged.item(), "gan": pleased.item(), "l1": distance.item()}, rel=1e-5)
    for net, other in ((mine, painter), (judging, judge)):
        for (name, p), q in zip(net.named_parameters(), other.parameters(), strict=True):
            golden.close(p.detach(), q.detach(), 1e-6, name)
    for name, p in mine.named_parameters():
        golden.close(p.grad, painter.get_parameter(name).grad, 1e-5, name)
    for name, p in judging.named_parameters():
        golden.close(p.grad, judge_gradients[name], 1e-6, name)


def test_one_step_of_the_extractor() -> None:
    """Its GAN: real and made judged apart, the picture painted anew for the generator, probabilities."""
    source, target = (golden.noise(f"step.{name}", 2, 3, 64, 64).clamp(-1, 1) for name in ("source", "target"))

    def networks() -> tuple[nn.Module, nn.Module, list[torch.optim.Optimizer]]:
        nets = [golden.fill(net).train() for net in (ResnetUnet("resnet18", width=8), SeedDiscriminator("main"))]
        return *nets, [
            torch.optim.Adam(nets[0].parameters(), 3e-4),
            torch.optim.Adam(nets[1].parameters(), 2e-4, betas=(0.5, 0.999)),
        ]

    painter, judge, (_, adam_j) = networks()
    real, made = -judge(source, target).log().mean(), -(1 - judge(source, painter(source).detach())).log().mean()
    judged = (real + made) / 2
    judged.backward()
    judge_gradients = {name: p.grad.clone() for name, p in judge.named_parameters()}
    adam_j.step()
    painted = painter(source)
    pleased, distance = -judge(source, painted).log().mean(), 100 * (painted - target).abs().mean()
    painter.zero_grad()
    (pleased + distance).backward()

    mine, judging, optimizers = networks()
    told = steps.Step(mine, judging, steps.SEED_GAN, *optimizers)(source, target)
    assert told == pytest.approx({"judge": judged.item(), "gan": pleased.item(), "l1": distance.item()}, rel=1e-5)
    for name, p in mine.named_parameters():
        if (theirs := painter.get_parameter(name).grad) is None:
            assert p.grad is None, name
        else:
            golden.close(p.grad, theirs, 1e-5 * max(1, theirs.abs().max().item()), name)
    for name, p in judging.named_parameters():
        golden.close(p.grad, judge_gradients[name], 1e-6, name)


def test_structural_similarity() -> None:
    from skimage.metrics import structural_similarity

    one, other = (golden.noise(name, 2, 3, 40, 33).clamp(-2, 2) / 4 + 0.5 for name in ("one", "other"))
    theirs = [
        structural_similarity(
            *(x.permute(1, 2, 0).double().numpy() for x in pair),
            channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )
        for pair in zip(one, 0.7 * one + 0.3 * other, strict=True)
    ]  # fmt: skip
    assert losses.ssim(one, 0.7 * one + 0.3 * other).item() == pytest.approx(np.mean(theirs), abs=1e-5)
    assert losses.ssim(one, one).item() == pytest.approx(1)


def test_perception() -> None:
    from torchvision.models import vgg16

    with torch.device("meta"):
        features = vgg16(weights=None).features[:23]
    features = golden.fill(features.to_empty(device="cpu"))
    perceptual = losses.Perceptual({f"features.{name}": value for name, value in features.state_dict().items()})
    one, other = (torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    mean, spread = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    x, y = (F.interpolate((p - mean) / spread, (224, 224), mode="bilinear") for p in (one, other))
    total = 0.0
    for block in (features[:4], features[4:9], features[9:16], features[16:]):
        x, y = block(x), block(y)
        total += (x - y).abs().mean().item()
    assert perceptual(one, other).item() == pytest.approx(total, rel=1e-4)
    with pytest.raises(ValueError, match=r"perceptual: .* lacks features\.0\.weight"):
        losses.Perceptual({})


@pytest.mark.parametrize("case", PICTURES)
def test_small_pictures(case: str) -> None:
    from PIL import Image

    from helpers.dataset.down_sample import shrunk

    _, expected = golden.load(FAMILY, case)
    person = expected["person"].permute(1, 2, 0).numpy()
    sizes = [name for name in expected if name.startswith("downsampled_")]
    assert sizes
    for name in sizes:
        picture = np.rot90(person).copy() if "wide" in name else person
        made = np.asarray(shrunk(Image.fromarray(picture), int(name.rpartition("_")[2])))
        golden.close(made.copy(), expected[name], 0, name)

"""SCHP's networks and published keys against the golden cases."""

import re

import golden
import pytest
import torch

from helpers.annotation import schp

CASES = golden.cases("preprocess", of="networks.init_model('resnet101'")
_INNER = {"context": "context_encoding", **{name: name for name in ("layer1", "layer2", "layer3", "layer4")}}


@pytest.mark.parametrize("case", CASES)
def test_network(case: str) -> None:
    about, expected = golden.load("preprocess", case)
    classes = int(re.search(r"num_classes=(\d+)", about["constructor"])[1])
    network = golden.fill(schp.CE2P(classes), about["fill"]["seed"], golden.gain(about))
    if about["fill"].get("negative_gamma"):
        for name, tensor in network.state_dict().items():
            if tensor.ndim == 1 and name.endswith(".weight"):
                tensor[1::2] *= -1
    kept = {}
    for name, module in _INNER.items():
        getattr(network, module).register_forward_hook(lambda *a, name=name: kept.update({name: a[-1].clone()}))
    recipe = about["input"]
    with torch.inference_mode():
        found = network(golden.noise(recipe["noise"], *recipe["shape"], seed=recipe["seed"]))
    kept.update(zip(("parsing", "fusion", "edge"), found, strict=True))
    for name, tensor in expected.items():
        whole = kept[name.partition("_ch")[0]]
        golden.close(whole[:, : tensor.shape[1]], tensor, about["suggested_atol"], name)


@pytest.mark.parametrize("case", CASES)
def test_published_keys(case: str) -> None:
    about = golden.load_json("preprocess", case)
    shapes = about.get("full") or {name: shape for name, (shape, _) in about["state_dict"].items()}
    state = {f"module.{name}": torch.zeros(()).expand(shape) for name, shape in shapes.items()}
    network = schp.build(state)
    assert {name: list(tensor.shape) for name, tensor in network.state_dict().items()} == shapes

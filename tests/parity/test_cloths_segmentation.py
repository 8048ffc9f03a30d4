"""The U-Net of cloths_segmentation and its keys against the golden cases."""

import golden
import pytest
import torch

from helpers.annotation import cloths_segmentation


@pytest.mark.parametrize("case", golden.cases("preprocess", "cloths_unet"))
def test_network(case: str) -> None:
    about, expected = golden.load("preprocess", case)
    network = golden.fill(cloths_segmentation.UNet(), about["fill"]["seed"], golden.gain(about))
    kept = {}
    network.encoder.register_forward_hook(lambda *a: kept.update({f"enc{i}": x for i, x in enumerate(a[-1], 1)}))
    recipe = about["input"]
    with torch.inference_mode():
        kept["logits"] = network(golden.noise(recipe["noise"], *recipe["shape"], seed=recipe["seed"]))
    for name, tensor in expected.items():
        golden.close(kept[name.partition("_ch")[0]][:, : tensor.shape[1]], tensor, about["suggested_atol"], name)


@pytest.mark.parametrize("case", golden.cases("preprocess", "cloths_unet"))
def test_published_keys(case: str) -> None:
    about = golden.load_json("preprocess", case)
    with torch.device("meta"):
        state = cloths_segmentation.UNet().state_dict()
    assert {name: list(tensor.shape) for name, tensor in state.items()} == about["full"]
    wrapped = {f"model.{name}": torch.zeros(()).expand(tensor.shape) for name, tensor in state.items()}
    assert cloths_segmentation.build(wrapped).state_dict().keys() == state.keys()

"""U2NET, U2NETP and the cloth network, their pictures and maps, and rembg's, against the golden cases."""

import re

import golden
import numpy as np
import pytest
import torch

from helpers.annotation import u2net

CASES = golden.cases("preprocess", of="U2NET")


def _network(about: dict) -> u2net.U2Net:
    kind, classes = re.fullmatch(r"(U2NETP?)\(in_ch=3,\s*out_ch=(\d+)\)", about["constructor"]).groups()
    return u2net.U2Net(int(classes), u2net.U2NETP if kind == "U2NETP" else None)


@pytest.mark.parametrize("case", CASES)
def test_network(case: str) -> None:
    about, expected = golden.load("preprocess", case)
    network = golden.fill(_network(about), about["fill"]["seed"], golden.gain(about))
    kept = {}
    for number in range(1, 7):
        side = getattr(network, f"side{number}")
        side.register_forward_hook(lambda *a, number=number: kept.update({f"side{number}_logits": a[-1].clone()}))
    recipe = about["input"]
    with torch.inference_mode():
        found = network(golden.noise(recipe["noise"], *recipe["shape"], seed=recipe["seed"]))
    kept["outconv_logits"] = found[0]
    kept.update({f"d{number}": logits.sigmoid() for number, logits in enumerate(found)})
    for name, tensor in expected.items():
        golden.close(kept[name], tensor, about["suggested_atol"], name)


@pytest.mark.parametrize("case", CASES)
def test_published_keys(case: str) -> None:
    about = golden.load_json("preprocess", case)
    with torch.device("meta"):
        state = _network(about).state_dict()
    assert {name: list(tensor.shape) for name, tensor in state.items()} == about["full"]
    wrapped = {f"module.{name}": torch.zeros(()).expand(tensor.shape) for name, tensor in state.items()}
    assert u2net.build(wrapped).state_dict().keys() == state.keys()


@pytest.mark.parametrize("rembg", [False, True], ids=["published", "rembg"])
@pytest.mark.parametrize("case", golden.cases("preprocess", of="xuebinqin/U-2-Net data_loader"))
def test_pictures_in_and_mattes_out(case: str, rembg: bool) -> None:
    _, tensors = golden.load("preprocess", case)
    image = tensors["image_rgb"].numpy()
    picture = u2net.network_picture(image, rembg=rembg)[0]
    name, expected = next((n, t) for n, t in tensors.items() if n.startswith("rembg_input_320_" if rembg else "input_320_"))
    step = int(name.rpartition("stride")[2])
    golden.close(picture[:, ::step, ::step], expected, 1e-5 if rembg else 1e-2, name)
    if not rembg:
        golden.close(picture.mean((1, 2)), tensors["input_mean"], 1e-4, "mean")
    (name,) = (n for n in tensors if n.startswith("d0_prob_"))
    likely = torch.nn.functional.interpolate(tensors[name], picture.shape[1:], mode="bilinear", align_corners=False)
    matte = u2net.on_image(likely[0, 0].numpy(), image.shape[:2], rembg=rembg)
    golden.close(matte.astype(np.int64), tensors["rembg_mask" if rembg else "mask_rgb_ch0"], 1, "matte")

"""PoseNet's networks, published keys and people against the golden cases."""

import re

import golden
import numpy as np
import pytest
import torch

from helpers.annotation import posenet


def _network(about: dict) -> posenet.PoseNetwork:
    stride = int(re.search(r"output_stride=(\d+)", about["constructor"])[1])
    return posenet.build({name: torch.zeros(shape) for name, shape in about["full"].items()}, stride=stride)


@pytest.mark.parametrize("case", golden.cases("preprocess", of="MobileNetV1"))
def test_network(case: str) -> None:
    about, expected = golden.load("preprocess", case)
    network = _network(about)
    assert {name: list(tensor.shape) for name, tensor in network.state_dict().items()} == about["full"]
    golden.fill(network, about["fill"]["seed"], golden.gain(about))
    kept = {}
    for name, layer in network.features.named_children():
        layer.register_forward_hook(lambda *a, name=name: kept.update({name: a[-1].clone()}))
    recipe = about["input"]
    picture = golden.noise(recipe["noise"], *recipe["shape"], seed=recipe["seed"]) * recipe.get("scale", 1)
    with torch.inference_mode():
        found = network(picture)
    kept.update(zip(("heatmap", "offset", "displacement_fwd", "displacement_bwd"), found, strict=True))
    for name, tensor in expected.items():
        golden.close(kept[name.partition("_ch")[0]][:, : tensor.shape[1]], tensor, about["suggested_atol"], name)


@pytest.mark.parametrize("case", golden.cases("preprocess", of="rwightman/posenet-pytorch posenet/decode"))
def test_people(case: str) -> None:
    about, tensors = golden.load("preprocess", case)
    given = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", about["args"])}
    maps = posenet.Maps(*(tensors[n].numpy() for n in ("heatmap", "offset", "displacement_fwd", "displacement_bwd")))
    people = posenet.decode(
        maps,
        int(given["max_pose_detections"]),
        given["score_threshold"],
        given["nms_radius"],
        given["min_pose_score"],
        int(given["output_stride"]),
    )
    expected = tensors["pose_scores"]
    assert len(people) == int((expected > 0).sum())
    for index, (score, joints) in enumerate(people):
        golden.close(np.float64(score), expected[index], 1e-5, "score")
        golden.close(joints[:, :2], tensors["keypoint_coords_yx"][index], 1e-4, "places")
        golden.close(joints[:, 2], tensors["keypoint_scores"][index], 1e-6, "scores")

"""OpenPose's network, its assembly of people and its published keys against the golden cases."""

import re

import golden
import numpy as np
import pytest
import torch

from helpers.annotation import skeleton
from helpers.annotation.openpose import BodyNetwork, prefixed
from helpers.tryon.idm_vton.preprocess import published_joints


@pytest.mark.parametrize("case", golden.cases("preprocess", "openpose_body"))
def test_network(case: str) -> None:
    about, expected = golden.load("preprocess", case)
    network = golden.fill(BodyNetwork(), about["fill"]["seed"], golden.gain(about))
    kept = {}
    for name in expected.keys() - {"paf", "heatmap"}:
        getattr(network, name).register_forward_hook(lambda *a, name=name: kept.update({name: a[-1].clone()}))
    recipe = about["input"]
    picture = golden.noise(recipe["noise"], *recipe["shape"], seed=recipe["seed"]) * recipe["scale"]
    with torch.inference_mode():
        kept["paf"], kept["heatmap"] = network(picture)
    for name, tensor in expected.items():
        golden.close(kept[name], tensor, about["suggested_atol"], name)
    assert kept["heatmap"].min() >= 0


@pytest.mark.parametrize("case", golden.cases("preprocess", "openpose_body"))
def test_published_keys(case: str) -> None:
    about = golden.load_json("preprocess", case)
    with torch.device("meta"):
        network = BodyNetwork()
    shapes = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    assert shapes == about["full"]
    flat = {name: torch.empty(shape, device="meta") for name, shape in about["checkpoint_file_keys"].items()}
    assert prefixed(flat, network).keys() == shapes.keys()


def _assembled(about: dict, tensors: dict, method: str) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    shape = tuple(int(n) for n in re.search(r"image (\d+)x(\d+)", about["input"]).groups())  # (H, W)
    _, inner = skeleton.network_picture(np.zeros((*shape, 3), np.uint8), method)
    maps = [skeleton.enlarge(tensors[name].numpy(), inner, shape, method) for name in ("heatmaps", "pafs")]
    return *skeleton.assemble(*maps), shape


@pytest.mark.parametrize("method", ["cubic", "lanczos"])
@pytest.mark.parametrize("case", golden.cases("preprocess", "openpose_postprocess"))
def test_people_are_assembled_as_published(case: str, method: str) -> None:
    about, tensors = golden.load("preprocess", case)
    prefix = {"cubic": "hzzone", "lanczos": "idmvton"}[method]
    candidate, subset, _ = _assembled(about, tensors, method)
    expected = tensors[f"{prefix}_candidate"]
    golden.close(candidate[:, [0, 1, 3]], expected[:, [0, 1, 3]], 0, "positions and numbers")
    golden.close(candidate[:, 2], expected[:, 2], 1e-5, "scores")
    expected = tensors[f"{prefix}_subset"]
    golden.close(subset[:, :18], expected[:, :18], 0, "members")
    golden.close(subset[:, 18:], expected[:, 18:], 1e-4, "sums")


@pytest.mark.parametrize("case", golden.cases("preprocess", "openpose_postprocess"))
def test_joints_of_idm_vton_and_everybodys_own(case: str) -> None:
    about, tensors = golden.load("preprocess", case)
    candidate, subset, shape = _assembled(about, tensors, "lanczos")
    golden.close(published_joints(candidate, subset, shape), tensors["idmvton_pose_keypoints_2d"], 1e-6, "IDM's joints")
    truth = tensors["true_people_xy"].numpy()
    for joints in skeleton.everyone(candidate, subset, shape):
        seen = joints[:, 2] > 0
        away = np.linalg.norm(joints[seen, :2] - truth[:, seen], axis=-1)
        assert away.max(1).min() < 12, "the joints of one person do not belong together"

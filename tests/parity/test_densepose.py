"""DensePose's network, its converters and IDM-VTON's picture against the golden cases."""

import re

import golden
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from helpers.annotation import densepose
from helpers.annotation.detections import Detections
from helpers.person import densepose_picture
from helpers.tryon.idm_vton.preprocess import published_iuv

NETWORKS = golden.cases("preprocess", "densepose_r50")
PICTURES = golden.cases("preprocess", "densepose_visualise")
PIXELS = 5e-2  # of a box's corner


@pytest.fixture(scope="module", params=NETWORKS)
def run(request: pytest.FixtureRequest) -> dict:
    """One golden case: what was expected and what every part of the network gives, each from the parts before it."""
    about, expected = golden.load("preprocess", request.param)
    network = golden.fill(densepose.DensePoseRCNN(), about["fill"]["seed"], golden.gain(about))
    recipe = about["input"]
    noise = golden.noise(recipe["noise"], *recipe["shape"], seed=recipe["seed"])
    picture = (noise * 60 + 120).clamp(0, 255).round()
    size = tuple(picture.shape[1:])
    heads, got = network.roi_heads, {}
    with torch.inference_mode():
        padded = network.normalised(picture)
        levels = network.backbone(padded)
        got["normalized_padded_input_mean"] = padded.mean((2, 3))
        for name, level in levels.items():
            got[name] = level
            got[f"rpn_logits_{name[1]}"], got[f"rpn_deltas_{name[1]}"] = network.proposal_generator.head(level)
        got["proposal_boxes"], got["proposal_logits"] = network.proposal_generator(levels, size)
        boxes = expected["given_boxes_xyxy"]
        got["box_pooled"] = densepose.pooled({n: levels[n] for n in densepose.POOLED}, boxes, 7)
        got["box_cls_logits"], got["box_deltas"] = heads.classify(got["box_pooled"])
        got["decoder"] = heads.decoder(levels)
        got["dp_pooled"] = densepose.pooled({"p2": got["decoder"]}, boxes, 28)
        got["dp_head"] = heads.head(got["dp_pooled"])
        surface = heads.predict(got["dp_head"])
        got.update(zip(("coarse_segm", "fine_segm", "u", "v"), surface, strict=True))
        got["det_boxes"], got["det_scores"] = heads.boxes(levels, got["proposal_boxes"], size, 0.05)
    found = Detections(boxes, torch.ones(len(boxes)), *surface)
    return {"about": about, "expected": expected, "got": got, "found": found, "size": size}


def test_every_tensor_on_the_way(run: dict) -> None:
    checked = 0
    for name, tensor in run["expected"].items():
        if name.startswith(("labels_", "uv_", "given_", "num_", "proposal_boxes", "det_boxes")):
            continue
        plain = re.sub(r"_(ch0_\d+|stride\d+|top\d+)$", "", name)
        actual = run["got"][plain]
        if match := re.search(r"_ch0_(\d+)$", name):
            actual = actual[:, : int(match[1])]
        elif match := re.search(r"_stride(\d+)$", name):
            actual = actual[..., :: int(match[1]), :: int(match[1])]
        else:
            actual = actual[: len(tensor)]
        golden.close(actual, tensor, 1e-3 * max(tensor.std().item(), 0.01), name)
        checked += 1
    assert checked >= 25


def test_proposals_and_detections(run: dict) -> None:
    expected, got = run["expected"], run["got"]
    assert len(got["proposal_boxes"]) == expected["num_proposals"].item()
    assert len(got["det_boxes"]) == expected["num_det"].item()
    for name in ("proposal_boxes", "det_boxes"):
        wanted = next(t for key, t in expected.items() if key.startswith(name))
        golden.close(got[name][: len(wanted)], wanted, PIXELS, name)


def test_parts_and_coordinates_of_a_box(run: dict) -> None:
    expected, found = run["expected"], run["found"]
    for index in range(len(found)):
        (x, y), parts, uv = found.chart(index)
        wanted = expected[f"labels_box{index}"].numpy()
        assert parts.shape == wanted.shape
        assert np.mean(parts != wanted) <= 0.002
        same = parts == wanted
        coded = (np.clip(uv, 0, 1) * 255).astype(np.uint8)
        assert np.abs(coded.astype(int) - expected[f"uv_box{index}"].numpy())[:, same].max() <= 1
        golden.close(uv[:, ::4, ::4], expected[f"uv_box{index}_raw_slice"], 2e-3, "uv")
        whole = found.iuv(index, run["size"])
        inner = whole[y : y + parts.shape[0], x : x + parts.shape[1]]
        assert (inner[..., 0] == parts[: inner.shape[0], : inner.shape[1]]).all()
        assert np.count_nonzero(whole[..., 0]) == np.count_nonzero(inner[..., 0])


@pytest.mark.parametrize("case", NETWORKS)
def test_published_keys(case: str) -> None:
    with torch.device("meta"):
        network = densepose.DensePoseRCNN()
    shapes = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    assert shapes == golden.load_json("preprocess", case)["full"]
    assert densepose.Widths.of(network.state_dict()) == densepose.Widths()


def _found(tensors: dict) -> Detections:
    """The predictor's outputs of a picture case, enlarged by its recipe."""
    coarse, fine, u, v = (
        F.interpolate(tensors[f"{name}_7"], (112, 112), mode="bilinear", align_corners=False)
        for name in ("coarse_segm", "fine_segm", "u", "v")
    )
    boxes = tensors["boxes_xyxy"]
    return Detections(boxes, torch.linspace(0.99, 0.9, len(boxes)), coarse * 2, fine * 2, u.sigmoid(), v.sigmoid())


@pytest.mark.parametrize("case", PICTURES)
def test_picture_of_idm_vton(case: str) -> None:
    _, tensors = golden.load("preprocess", case)
    found, shape = _found(tensors), tuple(tensors["image_bgr"].shape[:2])
    for index in range(len(found)):
        _, parts, uv = found.chart(index)
        wanted = tensors[f"labels_{index}"].numpy()
        assert parts.shape == wanted.shape
        assert np.mean(parts != wanted) <= 0.002
        coded = (uv * 255).astype(np.uint8).astype(int)
        assert np.abs(coded - tensors[f"uv255_{index}"].numpy())[:, parts == wanted].max() <= 1
    for iuv, name in ((published_iuv(found, shape), "vis_all_bgr"), (found.iuv(0, shape), "vis_first_only_bgr")):
        picture = densepose_picture(iuv)[..., ::-1]
        assert np.mean((picture != tensors[name].numpy()).any(2)) <= 0.002, name


@pytest.mark.parametrize("case", PICTURES)
def test_colours_and_size_of_the_picture(case: str) -> None:
    _, tensors = golden.load("preprocess", case)
    table = np.zeros((1, 25, 3), np.uint8)
    table[0, :, 0] = np.arange(25)
    np.testing.assert_array_equal(densepose_picture(table)[0, 1:, ::-1], tensors["colour_table_bgr"].numpy()[1:])
    resized = densepose.shortest_edge(tensors["resize_src"].numpy())
    assert list(resized.shape[:2]) == tensors["resize_shape"].tolist()
    key = next(name for name in tensors if name.startswith("resize_800_stride"))
    step = int(key.rpartition("stride")[2])
    assert np.abs(resized[::step, ::step].astype(int) - tensors[key].numpy()).max() <= 1


def test_long_pictures_stop_at_the_longest_side() -> None:
    long = densepose.shortest_edge(np.zeros((100, 400, 3), np.uint8))
    assert long.shape[:2] == (333, 1333)

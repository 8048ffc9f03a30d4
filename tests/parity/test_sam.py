"""Segment Anything and MobileSAM against what the published code computes, through our engine."""

from __future__ import annotations

import re
from typing import Any

import golden
import numpy as np
import pytest
import torch

from helpers.segmentation import mobile_sam
from helpers.segmentation.sam import SAM, LeanAttention, build, prepared
from helpers.segmentation.sam_decoder import Decoder, Runner

FLOOR = 2e-5
"""Float32 sums in another order; a wrong constant anywhere shows at 1e-3 and more."""


def tolerance(description: dict[str, Any]) -> float:
    """A sane multiple of the difference that thread counts alone make."""
    return max(FLOOR, min(2e-4, 100 * float(description.get("tolerance_seen_1_vs_2_threads", 0))))


def network(description: dict[str, Any]) -> torch.nn.Module:
    """The case's network, its sizes inferred from the shapes alone but for the decoder's heads, and filled."""
    shapes = {name: shape for name, (shape, _) in description["keys"].items()}
    sam = build(shapes, description["constructor"]["mask_decoder"]["transformer"]["num_heads"])
    assert {name: list(value.shape) for name, value in sam.state_dict().items()} == shapes
    return golden.fill(sam, seed_of(description), golden.gain(description))


def seed_of(description: dict[str, Any]) -> int:
    """The seed in the words ``fill(module, seed=0)``; 0 where nothing is said of how the weights were filled."""
    words = str(description.get("fill", "fill(module, seed=0)"))
    found = re.search(r"seed=(\d+)", words)
    if not found:
        raise ValueError(f"a recipe is not understood: {words}")
    return int(found[1])


def prompts(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return next(value for key, value in description["inputs"].items() if key.startswith("prompts"))


@pytest.mark.parametrize("case", golden.cases("sam", "decoder"))
class TestDecoder:
    def test_the_networks_constants(self, case):
        description, expected = golden.load("sam", case)
        sam = network(description)
        golden.close(sam.prompt_encoder.get_dense_pe().detach(), expected["dense_pe"], tolerance(description), "dense_pe")

    @pytest.mark.parametrize("backend", ["package", "torch", "onnxruntime"])
    def test_every_kind_of_prompt(self, case, backend):
        description, expected = golden.load("sam", case)
        sam, atol = network(description), tolerance(description)
        embedding = golden.recipe(description["inputs"]["image_embeddings"])
        run = {"package": packages, "torch": ours, "onnxruntime": ours}[backend]
        decoder = sam if backend == "package" else Runner(sam, onnx=backend == "onnxruntime")
        assert backend == "package" or decoder.backend == backend, "without onnxruntime torch would be compared twice"
        for name, prompt in prompts(description).items():
            if backend == "onnxruntime" and not prompt:
                continue  # the exported decoder is for clicks: at least one
            masks, scores = run(decoder, embedding, prompt)
            golden.close(masks, expected[f"{name}.masks4"], atol, f"{name}: masks")
            golden.close(scores, expected[f"{name}.iou4"], atol, f"{name}: scores")

    def test_sparse_and_dense_prompts(self, case):
        description, expected = golden.load("sam", case)
        sam, atol = network(description), tolerance(description)
        for name, prompt in prompts(description).items():
            points, boxes, mask = tensors(prompt)
            with torch.no_grad():
                sparse, dense = sam.prompt_encoder(points=points, boxes=boxes, masks=mask)
            if prompt.keys() & {"point_coords", "boxes"}:
                golden.close(sparse, expected[f"{name}.sparse"], atol, f"{name}: sparse")
            else:
                assert sparse.shape[1] == 0, name
            if mask is not None:
                golden.close(dense, expected[f"{name}.dense"], atol, f"{name}: dense")
            else:
                nothing = sam.prompt_encoder.no_mask_embed.weight.detach()
                golden.close(dense, nothing.reshape(1, -1, 1, 1).expand_as(dense), 0, f"{name}: dense")


def tensors(prompt: dict[str, Any]) -> tuple[Any, Any, Any]:
    points = boxes = mask = None
    if "point_coords" in prompt:
        points = torch.tensor(prompt["point_coords"]), torch.tensor(prompt["point_labels"])
    if "boxes" in prompt:
        boxes = torch.tensor(prompt["boxes"])
    if "mask_input" in prompt:
        mask = golden.recipe(prompt["mask_input"])
    return points, boxes, mask


def packages(sam: Any, embedding: torch.Tensor, prompt: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    points, boxes, mask = tensors(prompt)
    with torch.no_grad():
        sparse, dense = sam.prompt_encoder(points=points, boxes=boxes, masks=mask)
        return sam.mask_decoder.predict_masks(embedding, sam.prompt_encoder.get_dense_pe(), sparse, dense)


def ours(runner: Runner, embedding: torch.Tensor, prompt: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """The same through our decoder, one object at a time, a box as two points of labels 2 and 3."""
    points, boxes, mask = tensors(prompt)
    count = len(points[0]) if points else len(boxes) if boxes is not None else 1
    found = []
    for i in range(count):
        places, labels = np.zeros((0, 2)), np.zeros(0)
        if points:
            places, labels = points[0][i].numpy(), points[1][i].numpy()
        if boxes is not None:
            places, labels = np.concatenate([places, boxes[i].view(2, 2).numpy()]), np.concatenate([labels, [2, 3]])
        found.append(runner(embedding, places, labels, None if mask is None else mask[0, 0].numpy()))
    masks, scores = zip(*found, strict=True)
    return torch.from_numpy(np.stack(masks)), torch.from_numpy(np.stack(scores))


@pytest.mark.parametrize("case", golden.cases("sam", "predictor"))
class TestPredictor:
    @pytest.fixture
    def parts(self, case):
        description, expected = golden.load("sam", case)
        engine = SAM("vit_b", network=network(description), device="cpu")
        engine.set_image(expected["photo_uint8"].numpy())
        return description, expected, engine, tolerance(description)

    def test_the_picture_as_the_network_gets_it(self, parts):
        _, expected, engine, atol = parts
        sam = engine.network
        square, _ = prepared(expected["photo_uint8"].numpy(), sam.image_encoder.img_size)
        golden.close(sam.preprocess(square), expected["input_image_normalised_padded"], atol, "input")

    def test_the_embedding(self, parts):
        _, expected, engine, atol = parts
        golden.close(engine.embedding, expected["features"], atol, "features")

    def test_the_encoder_on_any_input(self, parts):
        description, expected, engine, atol = parts
        words = description["inputs"]["encoder_on_noise"]
        asked = re.fullmatch(r"image_encoder\((.*)\)", words)
        assert asked, f"a recipe is not understood: {words}"
        given = golden.recipe(asked[1])
        with torch.no_grad():
            golden.close(engine.network.image_encoder(given), expected["encoder_on_noise"], atol, "encoder")
        assert all(isinstance(block.attn, LeanAttention) for block in engine.network.image_encoder.blocks)

    @pytest.mark.parametrize("name", ["two_clicks", "one_click"])
    def test_clicks(self, parts, name):
        description, expected, engine, atol = parts
        places, labels, multi = clicks(description, name)
        masks, scores = engine.decode(list(zip(*zip(*places, strict=True), labels, strict=True)))
        part = slice(1, None) if multi else slice(0, 1)
        golden.close(masks[part], expected[f"{name}.low_res"], atol, "low_res")
        golden.close(scores[part], expected[f"{name}.iou"], atol, "iou")
        best = masks[part][int(np.argmax(scores[part]))]
        logits = engine.logits_at(best)
        golden.close(logits, expected[f"{name}.logits"], atol, "logits")
        sure = expected[f"{name}.logits"].abs() > atol
        assert torch.equal((logits > 0)[sure], (expected[f"{name}.logits"] > 0)[sure])

    def test_refinement_from_the_mask_before(self, parts):
        description, expected, engine, atol = parts
        places, labels, _ = clicks(description, "two_clicks")
        low = expected["two_clicks.low_res"][int(expected["two_clicks.iou"].argmax())].numpy()
        masks, scores = engine.decode([(*places[0], labels[0])], low)
        golden.close(masks[:1], expected["refine.low_res"], atol, "low_res")
        golden.close(scores[:1], expected["refine.iou"], atol, "iou")

    def test_a_box(self, parts):
        description, expected, engine, atol = parts
        box = next(value for key, value in description["inputs"].items() if key.startswith("box"))
        corners = [(*box[:2], 2), (*box[2:], 3)]
        masks, scores = engine.decode(corners)
        golden.close(masks[:1], expected["box.low_res"], atol, "low_res")
        golden.close(scores[:1], expected["box.iou"], atol, "iou")


def clicks(description: dict[str, Any], name: str) -> tuple[list[list[float]], list[int], bool]:
    two = description["inputs"]["two_clicks"]
    places = next(value for key, value in two.items() if key.startswith("point_coords"))
    labels = two["point_labels"]
    return (places[:1], labels[:1], False) if name == "one_click" else (places, labels, two["multimask_output"])


@pytest.mark.parametrize("case", golden.cases("sam", "mobile_sam_encoder"))
def test_mobile_sams_encoder(case):
    description, expected = golden.load("sam", case)
    shapes = {name: shape for name, (shape, _) in description["keys"].items()}
    encoder = mobile_sam.TinyViT(mobile_sam.sizes(shapes), description["constructor"]["img_size"])
    golden.fill(encoder, seed_of(description), golden.gain(description))
    with torch.no_grad():
        features = encoder(golden.recipe(description["inputs"]))
    atol = tolerance(description)
    golden.close(features[:, :64, ::2, ::2], expected["features_c0_64_s2"], atol, "features")
    golden.close(features[:, :, :8, :8], expected["features_tile"], atol, "tile")
    golden.close(features.mean((0, 2, 3)), expected["channel_mean"], atol, "mean")
    golden.close(features.std((0, 2, 3)), expected["channel_std"], atol, "std")


SAM_KEYS = golden.cases("sam", "sam_full_keys")


class TestFullSize:
    """The published key lists, rebuilt from nothing but their shapes."""

    @pytest.mark.parametrize("case", SAM_KEYS)
    @pytest.mark.parametrize("variant", ["vit_b", "vit_l", "vit_h"])
    def test_segment_anything(self, variant, case):
        shapes = golden.load_json("sam", case)[variant]
        with torch.device("meta"):
            sam = build(shapes)
        assert {name: list(value.shape) for name, value in sam.state_dict().items()} == shapes
        encoder = sam.image_encoder
        heads = {"vit_b": 12, "vit_l": 16, "vit_h": 16}[variant]
        far = {"vit_b": [2, 5, 8, 11], "vit_l": [5, 11, 17, 23], "vit_h": [7, 15, 23, 31]}[variant]
        assert [block.attn.num_heads for block in encoder.blocks] == [heads] * len(encoder.blocks)
        assert [i for i, block in enumerate(encoder.blocks) if block.window_size == 0] == far
        assert {block.window_size for block in encoder.blocks} == {0, 14}
        assert encoder.img_size == 1024
        assert sam.mask_decoder.transformer.num_heads == 8

    @pytest.mark.parametrize("case", golden.cases("sam", "mobile_sam_full_keys"))
    def test_mobile_sam(self, case):
        keys = golden.load_json("sam", case)
        shapes = {name: shape for name, (shape, _) in keys.items()}
        with torch.device("meta"):
            sam = build(shapes)
        own = {name: list(value.shape) for name, value in sam.state_dict().items()}
        left = set(shapes) - set(own)
        assert own == {name: shape for name, shape in shapes.items() if name not in left}
        assert left == {f"image_encoder.{name}.{leaf}" for name in ("norm_head", "head") for leaf in ("weight", "bias")}
        assert sam.image_encoder.img_size == 1024


@golden.own
def test_the_decoders_saving_is_real():
    """The folded projections do less arithmetic than the published decoder, at full size."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        sam = build(golden.load_json("sam", SAM_KEYS[0])["vit_b"])
        points, labels = torch.zeros(1, 2, 2), torch.zeros(1, 2)
        given = torch.zeros(1, 256, 64, 64), torch.zeros(1, 1, 256, 256)
        decoder = Decoder(sam)
        with FlopCounterMode(display=False) as theirs:
            # One click and a "not a point", embedded by hand: the published way of it cannot run on the meta device.
            dense = sam.prompt_encoder._embed_masks(given[1])
            sparse = torch.zeros(1, 2, 256)
            sam.mask_decoder.predict_masks(given[0], sam.prompt_encoder.get_dense_pe(), sparse, dense)
        with FlopCounterMode(display=False) as own:
            decoder(given[0], points, labels, given[1], torch.ones(1))
    assert own.get_total_flops() < 0.7 * theirs.get_total_flops()

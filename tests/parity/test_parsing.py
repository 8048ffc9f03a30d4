"""SCHP's pictures and label maps, and their merge in IDM-VTON, against the golden cases."""

from types import SimpleNamespace

import golden
import numpy as np
import pytest
import torch

from helpers.annotation import parsing


def _strided(tensors: dict, name: str) -> tuple[torch.Tensor, int]:
    """The tensor ``name_strideK`` and K."""
    key = next(k for k in tensors if k.startswith(f"{name}_stride"))
    return tensors[key], int(key.rpartition("stride")[2])


@pytest.mark.parametrize("case", golden.cases("preprocess", "schp_pre_post"))
def test_pictures_in_and_label_maps_out(case: str) -> None:
    _, tensors = golden.load("preprocess", case)
    image = tensors["image_bgr"].numpy()[..., ::-1]
    shape = image.shape[:2]
    sides = [int(name.rpartition("_")[2]) for name in tensors if name.startswith("labels_")]
    assert sides
    for side in sides:
        golden.close(parsing.affine(shape, side), tensors[f"matrix_{side}"], 1e-4, "matrix")
        golden.close(parsing.affine(shape, side, back=True), tensors[f"matrix_inv_{side}"], 1e-4, "matrix back")
        expected, step = _strided(tensors, f"input_{side}")
        # One grey level of OpenCV's fixed-point warp is 1 / 255 / 0.224; other versions round otherwise in a few pixels.
        picture = parsing.network_picture(image, side)[0, :, ::step, ::step]
        golden.close(picture, expected, 2.1 / 255 / 0.224, "picture")
        assert np.mean(np.abs(picture - expected.numpy()) > 1e-5) < 0.002
        logits = parsing.on_image(tensors[f"logits_{side}"].numpy(), shape, side)
        expected, step = _strided(tensors, f"result_logits_{side}")
        difference = np.abs(logits[::step, ::step] - expected.numpy())
        assert difference.mean() < 1e-3
        labels = parsing.labels(tensors[f"logits_{side}"].numpy(), shape, side)
        assert np.mean(labels != tensors[f"labels_{side}"].numpy()) <= 0.002


def _stub(logits: torch.Tensor, side: int) -> SimpleNamespace:
    def run(_: None, feed: dict) -> list:
        assert feed["input.1"].shape == (1, 3, side, side)
        return [None, logits.numpy()]

    return SimpleNamespace(run=run, get_inputs=lambda: [SimpleNamespace(name="input.1", shape=[1, 3, side, side])])


@pytest.mark.parametrize("case", golden.cases("preprocess", "idmvton_parsing"))
def test_merge_of_both_parsers(case: str) -> None:
    _, tensors = golden.load("preprocess", case)
    expected = tensors["labels"].numpy()
    parser = parsing.Parser(_stub(tensors["atr_logits"], 512), _stub(tensors["lip_logits"], 473))
    labels = parser(np.zeros((*expected.shape, 3), np.uint8))
    assert labels.dtype == np.uint8
    assert np.mean(labels != expected) <= 0.0005
    assert abs((labels == parsing.FACE).sum() - tensors["face_mask_sum"].item()) <= 0.0005 * labels.size
    assert (labels == parsing.NECK).any() == (expected == parsing.NECK).any()

"""What the annotation networks say about files that are missing, placeholders, cut short, of another network, or hostile."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import weights
from helpers.annotation.annotator import OpenPoseSCHP
from helpers.annotation.densepose import DensePose
from helpers.annotation.openpose import OpenPose, build
from helpers.annotation.parsing import session
from helpers.labels import LIP
from helpers.person import Person

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:25a948c1\nsize 209267595\n"
OPENERS = {
    "openpose/body_pose_model.pth": OpenPose,
    "humanparsing/parsing_lip.onnx": lambda path: session(path, len(LIP)),
    "densepose/model_final_162be9.pkl": DensePose,
}


@pytest.fixture(scope="session")
def folder(tiny_weights: Path) -> Path:
    return tiny_weights


@pytest.mark.parametrize("file", OPENERS)
@pytest.mark.parametrize("content", [b"", b"placeholder, 24 bytes\n", POINTER, b"<!DOCTYPE html><html>404</html>" * 9, "cut"])
def test_what_is_not_the_file_is_damaged(folder: Path, tmp_path: Path, file: str, content: bytes | str) -> None:
    path = tmp_path / Path(file).name
    whole = (folder / file).read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    with pytest.raises(weights.Damaged, match=path.name):
        OPENERS[file](path)


def test_another_networks_checkpoint_is_named(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "body_pose_model.pth"
    torch.save({"layer1.0.weight": torch.zeros(3, 3)}, other)
    with pytest.raises(weights.Mismatch, match="openpose"):
        OpenPose(other)
    other = tmp_path / "model_final_162be9.pkl"
    other.write_bytes(pickle.dumps({"model": {"layer1.0.weight": np.zeros((30, 30), np.float32)}}))
    with pytest.raises(weights.Mismatch, match="densepose"):
        DensePose(other)
    with pytest.raises(weights.Mismatch, match=r"fused logits \[1, 20, h, w\]"):
        session(folder / "humanparsing/parsing_atr.onnx", len(LIP))


def test_a_missing_tensor_and_an_odd_shape_are_errors(folder: Path) -> None:
    state = torch.load(folder / "openpose/body_pose_model.pth", weights_only=True)
    with pytest.raises(weights.Mismatch, match="conv3_2"):
        build({name: value for name, value in state.items() if name != "conv3_2.weight"})
    state["conv3_2.weight"] = state["conv3_2.weight"][:, :-1]
    with pytest.raises(weights.Mismatch, match="conv3_2"):
        build(state)


def test_constants_that_older_files_carry_are_passed_over(folder: Path) -> None:
    arrays = weights.load_pickle_arrays(folder / "densepose/model_final_162be9.pkl", "densepose")
    extra = {"pixel_mean": np.zeros((3, 1, 1)), "proposal_generator.anchor_generator.cell_anchors.0": np.zeros((3, 4))}
    DensePose(arrays | extra)
    with pytest.raises(weights.Mismatch, match="mask_head"):
        DensePose(arrays | {"roi_heads.mask_head.weight": np.zeros(3)})


def test_bytes_that_look_like_onnx_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "parsing_atr.onnx"
    path.write_bytes(b"\x08\x07" + b"\x3a\x80\x02" + os.urandom(256))  # a version and a graph of noise
    with pytest.raises(weights.Damaged, match="humanparsing"):
        session(path, 18)


def test_a_pickle_that_would_act_is_refused(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "acted"),)

    for name in ("model_final_162be9.pkl", "body_pose_model.pth"):
        path = tmp_path / name
        content = {"model": {"weight": Hostile(), "bias": np.zeros(64, np.float32)}}
        if path.suffix == ".pkl":
            path.write_bytes(pickle.dumps(content))
        else:
            torch.save(content, path)
        with pytest.raises(weights.Damaged, match=path.name):
            (DensePose if path.suffix == ".pkl" else OpenPose)(path)
        assert not (tmp_path / "acted").exists()


def test_a_missing_file_is_named_before_anything_runs(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    for file in ("openpose/body_pose_model.pth", "humanparsing/parsing_atr.onnx", "densepose/model_final_162be9.pkl"):
        (tmp_path / file).parent.mkdir()
        os.link(folder / file, tmp_path / file)
    annotator = OpenPoseSCHP("cpu")
    picture = Person(np.zeros((512, 384, 3), np.uint8))
    with pytest.raises(weights.Missing, match=r"parsing_lip\.onnx.*weights fetch humanparsing"):
        annotator(picture, needs=("keypoints", "labels"))
    assert "openpose" not in vars(annotator)
    with pytest.raises(ValueError, match="no person"):
        annotator(picture, needs=("keypoints",))

"""The VITON-HD engine on tiny checkpoints in the published layout: through the verb, with what is missing, damaged or of something else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from helpers import engines, generate, try_on, weights
from helpers.garment import Garment
from helpers.labels import BODY_25, CIHP, UPPER, select
from helpers.mannequin import product
from helpers.person import Person
from helpers.testing import tryon
from helpers.tryon import agnostic
from helpers.tryon.result import TryOn
from helpers.tryon.viton_hd.agnostic import changeable
from helpers.tryon.viton_hd.engine import VITONHD, _read
from helpers.tryon.viton_hd.networks import ALIASGenerator

FILES = ("seg_final.pth", "gmm_final.pth", "alias_final.pth")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("weights")
    tryon.write(made, "viton_hd")
    return made


@pytest.fixture(autouse=True)
def _weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")
    yield
    engines.load("try_on", "viton_hd").close()


@pytest.fixture(scope="module")
def person() -> Person:
    return generate("a woman in a grey t-shirt and blue jeans", engine="mannequin", seed=1, size=(150, 256))


@pytest.fixture(scope="module")
def garment() -> Garment:
    return product("red t-shirt with white dots", size=(192, 256))


@pytest.fixture(scope="module")
def result(folder: Path, person: Person, garment: Garment) -> TryOn:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATELIER_WEIGHTS", str(folder))
        patch.setenv("ATELIER_DEVICE", "cpu")
        return try_on(person, garment, engine="viton_hd", seed=3)


def test_through_the_verb(result: TryOn, person: Person) -> None:
    worn = select(person.labels, UPPER)
    assert result.image.shape == person.image.shape
    assert (result.image == person.image)[~result.changed].all()
    assert result.mask[worn].mean() > 0.99
    assert not (result.changed & select(person.labels, ("face", "pants", "left-shoe", "right-shoe"))).any()
    assert result.licence == "CC BY-NC 4.0: not for commercial use"
    assert list(result.steps)[2:6] == ["agnostic parse", "pose", "what will be where", "bent cloth"]
    assert all(made.shape == (1024, 768, 3) for made in result.steps.values())
    assert result.confidence is None


def test_a_seed_gives_its_picture_whatever_the_others_are(result: TryOn, person: Person, garment: Garment) -> None:
    several = VITONHD().many(person, garment, seeds=[4, 3])
    assert (several[1].image == result.image).all()
    assert (several[0].image != result.image).any()


def test_only_what_a_given_mask_covers_changes(person: Person, garment: Garment) -> None:
    mask = select(person.labels, UPPER)
    with VITONHD() as engine:
        masked = engine(person, garment, mask=mask)
    allowed = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) > 0
    assert (masked.image == person.image)[~allowed].all()
    assert masked.changed[mask].mean() > 0.8


def test_as_published_everything_is_drawn_anew_and_closed_it_works_again(person: Person, garment: Garment) -> None:
    with VITONHD() as engine:
        engine._networks()
        engine.close()
        whole = engine(person, garment, parity=True)
    assert whole.changed.mean() > 0.95
    assert whole.image.shape == person.image.shape


def test_what_it_cannot_dress_is_said_first(person: Person, garment: Garment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", "nowhere")
    with pytest.raises(ValueError, match=r"category 'upper', not 'lower'.*engine='drape'"):
        try_on(person, replace(garment, category="lower"), engine="viton_hd")
    with pytest.raises(weights.Missing, match="weights fetch viton_hd"):
        try_on(person, garment, engine="viton_hd")


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_named(
    name: str, person: Person, garment: Garment, folder: Path, tmp_path: Path, monkeypatch
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    path = tmp_path / "viton_hd" / name
    whole = path.read_bytes()
    other = folder / "viton_hd" / FILES[FILES.index(name) - 1]
    state = torch.load(path, weights_only=True)
    first, *_ = state
    for content, error in (
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", weights.Damaged),
        (b"<!DOCTYPE html><title>Google Drive - Quota exceeded</title>", weights.Damaged),
        (whole[: len(whole) // 2], weights.Damaged),
        (other.read_bytes(), weights.Mismatch),
        ({k: v for k, v in state.items() if k != first}, weights.Mismatch),
        ({**state, "another.weight": torch.zeros(1)}, weights.Mismatch),
    ):
        if isinstance(content, dict):
            torch.save(content, path)
        else:
            path.write_bytes(content)
        with pytest.raises(error, match=re.escape(name)), VITONHD() as engine:
            engine(person, garment)


def test_spectral_norm_may_be_folded_already(folder: Path, tmp_path: Path) -> None:
    path = folder / "viton_hd/alias_final.pth"
    state = torch.load(path, weights_only=True)
    for key in [key for key in state if key.endswith("weight_orig")]:
        base = key.removesuffix("_orig")
        weight, left, right = state.pop(key), state.pop(f"{base}_u"), state.pop(f"{base}_v")
        state[base] = weight / (left @ weight.flatten(1) @ right)
    torch.save(state, tmp_path / "alias_final.pth")
    maps = [torch.randn(1, channels, 256, 128) for channels in (9, 7, 8)]
    pictures = [
        _read(file, ALIASGenerator)(*maps, torch.ones(1, 1, 256, 128), torch.zeros) for file in (path, tmp_path / path.name)
    ]
    assert torch.allclose(*pictures, atol=1e-4)
    assert pictures[0].std() > 0.01


def test_a_file_in_16_bits_or_of_the_shallower_build(tmp_path: Path) -> None:
    net = ALIASGenerator(width=2, halvings=6, hidden=4)
    path = tmp_path / "alias_final.pth"
    torch.save(net.half().state_dict(), path)
    read = _read(path, ALIASGenerator)
    assert read.halvings == 6
    assert {p.dtype for p in read.parameters()} == {torch.float32}


# Joints that are missing


def standing(*missing: str) -> Person:
    """Somebody upright whose joints called so were not seen."""
    joints = np.zeros((25, 3), np.float32)
    places = {"neck": (384, 200), "right-hip": (320, 560), "left-hip": (448, 560)}
    for side, sign in (("right", -1), ("left", 1)):
        for joint, (across, down) in {"shoulder": (100, 210), "elbow": (130, 380), "wrist": (140, 540)}.items():
            places[f"{side}-{joint}"] = (384 + sign * across, down)
    for name, place in places.items():
        if name not in missing:
            joints[BODY_25.index(name)] = (*place, 1)
    return Person(np.zeros((1024, 768, 3), np.uint8), keypoints=joints)


def parse() -> np.ndarray:
    labels = np.zeros((1024, 768), np.uint8)
    labels[200:600, 280:488] = CIHP.index("upper-clothes")
    labels[205:620, 220:280], labels[205:620, 488:548] = CIHP.index("right-arm"), CIHP.index("left-arm")
    return labels


def completed(person: Person) -> tuple[np.ndarray, tuple[str, ...]]:
    return agnostic.completed(agnostic.seen_joints(person.keypoints))


@pytest.mark.parametrize(
    "missing",
    [
        ("right-shoulder",),
        ("left-shoulder",),
        ("neck",),
        ("right-hip",),
        ("left-hip",),
        ("right-hip", "left-hip"),
        ("neck", "left-hip"),
    ],
    ids="+".join,
)
def test_a_joint_that_was_not_seen_is_guessed_and_said(missing: tuple[str, ...]) -> None:
    whole, _ = completed(standing())
    joints, notes = completed(standing(*missing))
    assert all(name in agnostic.told(notes)[0] for name in missing)
    assert np.abs(joints - whole).max() < 80
    expected, found = (changeable(parse(), each) for each in (whole, joints))
    assert (expected ^ found).mean() < 0.03  # as published, a shoulder that is missing draws the arms from the corner
    emptied = agnostic.agnostic_parse(parse(), joints)
    assert (emptied != agnostic.agnostic_parse(parse(), whole)).mean() < 0.005


def test_what_was_seen_is_not_moved_and_nothing_is_said() -> None:
    somebody = standing("left-wrist")
    joints, notes = completed(somebody)
    assert notes == agnostic.told(notes) == ()
    assert (joints == np.where(somebody.keypoints[:, 2:] > 0, somebody.keypoints[:, :2], 0)).all()


@pytest.mark.parametrize("missing", [("right-shoulder", "left-shoulder"), ("right-shoulder", "neck")], ids="+".join)
def test_without_shoulders_nobody_is_dressed(missing: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="no shoulders were found"):
        completed(standing(*missing))


def test_brushes_shrink_with_the_picture() -> None:
    joints, _ = completed(standing())
    large, small = changeable(parse(), joints), changeable(parse()[::2, ::2], joints / 2)
    assert (large[::2, ::2] ^ small).mean() < 0.01

"""The FASHN engine and DWPose on tiny checkpoints in the published layout: photographs there and back, what it asks for, damaged files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from helpers import annotate, engines, generate, images, try_on, weights
from helpers.annotation import dwpose
from helpers.garment import Garment
from helpers.mannequin import product
from helpers.person import Person
from helpers.stepping import Cancelled
from helpers.testing import write_weights
from helpers.tryon.fashn import engine as fashn
from helpers.tryon.fashn import frame, pipeline

FAST = {"engine": "fashn", "steps": 2, "progress": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights"), "fashn_vton", "dwpose")


@pytest.fixture(autouse=True)
def _weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    monkeypatch.setenv("ATELIER_OTHER_WEIGHTS", "1")
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")
    yield
    engines.load("try_on", "fashn").close()


@pytest.fixture(scope="module")
def person() -> Person:
    return generate("a woman in a grey t-shirt and blue jeans", engine="mannequin", seed=1, size=(300, 512))


@pytest.fixture(scope="module")
def garment() -> Garment:
    return product("red t-shirt with white dots", size=(192, 256))


def test_a_photograph_goes_there_and_back(person: Person, garment: Garment) -> None:
    result = try_on(Person(person.image), garment, seed=1, **FAST)
    assert result.image.shape == person.image.shape
    assert result.changed.any()
    assert (result.image == person.image)[~result.changed].all()
    assert result.licence == "Apache-2.0"
    assert any("float32 on CPU" in note and "hours" in note for note in result.notes)
    assert {"pose", "garment in the frame", "as painted"} <= result.steps.keys()
    assert not result.steps["pose of the garment's wearer"].any(), "it lies flat"
    assert (result.steps["garment in the frame"].reshape(-1, 3) == garment.image[0, 0]).all(1).any(), "as it came"


def test_seeds_are_their_own_and_only_the_mask_changes_where_that_is_asked(person: Person, garment: Garment) -> None:
    mask = person.worn("upper")
    engine = engines.load("try_on", "fashn")
    asked = {"mask": mask, "steps": 1, "progress": False, "only_mask": True}
    one, other = engine.many(person, garment, seeds=[3, 4], **asked)
    assert (one.image != other.image).any()
    assert (one.image == engine(person, garment, seed=3, **asked).image).all()
    assert (one.mask & mask).sum() == mask.sum()
    assert (one.changed & ~mask).mean() < 0.03
    assert one.credits == "dwpose: joints, hands, face · given: what may change · fashn: picture"
    with pytest.raises(ValueError, match="needs mask="):
        try_on(person, garment, only_mask=True, **FAST)


def test_what_is_taken_goes_beyond_the_mask_but_not_to_somebody_else() -> None:
    shown = np.full((200, 300, 3), 128, np.uint8)
    painted, mask = shown.copy(), np.zeros((200, 300), bool)
    painted[60:120, 40:140] = 30  # the new cloth: the old one and a longer sleeve
    painted[60:120, 220:260] = 30  # of somebody else
    mask[60:120, 40:90] = True
    taken = fashn._Asked(mask, only=False, whole=False).of(painted, shown)
    assert taken[mask].all()
    assert taken[60:120, 90:140].all()
    assert not taken[:, 200:].any()
    assert not fashn._Asked(mask, only=True, whole=False).of(painted, shown)[:, 110:].any()
    assert fashn._Asked(None, only=False, whole=False).of(painted, shown)[60:120, 220:260].all()


def test_as_published(person: Person, garment: Garment) -> None:
    result = try_on(person, garment, parity=True, steps=1, engine="fashn", progress=False)
    assert result.changed.mean() > 0.9, "the whole painted picture"


def test_what_did_not_change_is_the_photographs_own(person: Person) -> None:
    painted = person.image.astype(int)
    top = person.worn("upper")
    painted[top] = np.where(painted[top] < 128, 230, 20)
    painted = np.clip(painted + np.random.default_rng(0).normal(0, 4, painted.shape), 0, 255).astype(np.uint8)
    changed = fashn._changed(painted, person.image)
    assert (changed & top).sum() > 0.97 * top.sum()
    assert (changed & ~top).mean() < 0.06
    assert not fashn._changed(person.image, person.image).any()


def test_every_step_is_told_and_cancels(person: Person, garment: Garment) -> None:
    told: list[tuple[int, int]] = []

    def on_step(step: int, total: int, preview: np.ndarray) -> bool:
        assert preview.shape == (288, 192, 3)
        told.append((step, total))
        return step < 3

    with pytest.raises(Cancelled) as stopped:
        engines.load("try_on", "fashn").many(person, garment, seeds=[0, 1], steps=2, on_step=on_step)
    assert told == [(1, 4), (2, 4), (3, 4)]
    assert len(stopped.value.done) == 1


def test_a_worn_garment_is_shown_alone_with_its_wearers_pose(person: Person) -> None:
    worn = Garment(person.image, person.worn("lower"), "lower")
    result = try_on(person, worn, photograph="worn", **FAST)
    shown = result.steps["garment in the frame"]
    inside, _ = frame.framed(np.where(worn.mask, 255, 0).astype(np.uint8), drawn=True)
    far = images.resize(inside > 0, frame.SIZE)
    assert (shown[300:500, 5:20] == 0).all() or (shown == frame.GREY).all(2).mean() > 0.3
    assert shown[far].std() > 0
    assert result.steps["pose of the garment's wearer"].any()
    assert any("worn by somebody" in note for note in result.notes)
    with pytest.raises(ValueError, match="photograph='flat'"):
        try_on(person, Garment(np.full((256, 192, 3), 200, np.uint8)), photograph="worn", **FAST)


def test_categories_have_numbers_of_their_own(person: Person) -> None:
    shown = fashn._Shown(*[np.zeros((864, 576, 3), np.uint8), np.zeros((864, 576), np.uint8)] * 2, frame.Place(0, 0, 576, 864))
    assert [shown.inputs(category).category.tolist() for category in ("upper", "lower", "dress")] == [[1], [2], [3]]


def test_settings(person: Person, garment: Garment) -> None:
    with pytest.raises(ValueError, match="precision='bfloat16' needs a GPU"):
        try_on(person, garment, precision="bfloat16", **FAST)
    with pytest.raises(ValueError, match="takes no setting 'description'"):
        try_on(person, garment, description="red", **FAST)


def test_no_numbers_are_an_error(garment: Garment) -> None:
    network = engines.load("try_on", "fashn")._read(torch.float32)
    with torch.no_grad():
        network.final_layer.linear.bias.fill_(float("nan"))
    grey = torch.zeros(1, 1, 864, 576)
    inputs = pipeline.Inputs(grey.expand(1, 3, -1, -1), grey, grey.expand(1, 3, -1, -1), grey, torch.tensor([1]))
    with pytest.raises(FloatingPointError, match=r"step 1 of 2.*float32"):
        pipeline.paint(network, inputs, fashn._noise(0), steps=2)


def test_times_run_from_noise_to_picture() -> None:
    even, near = pipeline.times(10, shift=0), pipeline.times(10)
    assert even == pytest.approx(np.linspace(0, 1, 11), abs=1e-6)
    assert (near[0], near[-1]) == (0, 1)
    assert all(a < b for a, b in zip(near[1:-1], even[1:-1], strict=True))


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _another(path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, path)


def _lacking(path: Path) -> None:
    state = load_file(path)
    state.pop("final_layer.linear.bias")
    save_file(state, path)


@pytest.mark.parametrize("damage", [_torn, _another, _lacking])
def test_damaged_files_are_named(
    damage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, person: Person, garment: Garment
) -> None:
    for file in folder.rglob("*.*"):
        target = tmp_path / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    damage(tmp_path / "fashn_vton/model.safetensors")
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    with pytest.raises((weights.Damaged, weights.Mismatch), match=r"model\.safetensors"):
        try_on(person, garment, **FAST)


@pytest.mark.parametrize("name", ["yolox_l", "dw-ll_ucoco_384"])
def test_swapped_networks_of_dwpose_are_named(
    name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, person: Person
) -> None:
    other = {"yolox_l": "dw-ll_ucoco_384", "dw-ll_ucoco_384": "yolox_l"}
    (tmp_path / "dwpose").mkdir()
    for file in other:
        source = other[file] if file == name else file
        (tmp_path / f"dwpose/{file}.onnx").write_bytes((folder / f"dwpose/{source}.onnx").read_bytes())
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    with pytest.raises(weights.Mismatch, match=name), engines.load("annotate", "dwpose") as annotator:
        annotator(Person(person.image), needs={"keypoints"})


def test_dwpose_is_an_annotator(person: Person) -> None:
    with engines.load("annotate", "dwpose"):
        seen = annotate(Person(person.image), engine="dwpose", needs=("keypoints", "hands"))
    assert seen.keypoints.shape == (25, 3)
    assert seen.hands.shape == (2, 21, 3)
    assert seen.scene["people"] == 1
    assert ((seen.keypoints[:, 2] > 0) & (seen.keypoints[:, 2] <= 1)).sum() > 10


def test_points_of_a_whole_body_are_told_apart() -> None:
    whole = np.column_stack([np.arange(dwpose.POINTS), np.arange(dwpose.POINTS) + 0.5, np.full(dwpose.POINTS, 0.9)])
    whole[4, 2], whole[20, 2], whole[100, 2] = 0.1, 0.2, 0.25
    joints, hands = dwpose.to_body25(whole), dwpose.to_hands(whole)
    assert joints[[0, 1, 3], 0].tolist() == [0, 1, 3]
    assert not joints[4].any(), "not seen"
    assert joints[19:25, 0].tolist() == [18, 19, 0, 21, 22, 23]
    assert joints[8, 0] == pytest.approx((8 + 11) / 2), "between the hips"
    assert (hands[0, 0, 0], hands[1, 0, 0]) == (92, 113)
    assert not hands[0, 8].any()


def test_who_is_meant_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    large, small = (
        np.column_stack([rng.uniform(0, 1, (134, 2)) * size + left, np.full(134, 0.8)]) for size, left in ((90, 5), (40, 150))
    )
    engine = dwpose.DWPose("cpu")
    monkeypatch.setattr(engine, "everybody", lambda image: [small, large])
    image = np.zeros((100, 200, 3), np.uint8)
    assert engine.choose(image)[0] is large
    assert engine.choose(image, 1)[0] is small
    mask = np.zeros((100, 200), bool)
    mask[:40, 150:190] = True
    assert engine.choose(image, mask=mask)[0] is small
    with pytest.raises(ValueError, match="pick is 2"):
        engine.choose(image, 2)
    monkeypatch.setattr(engine, "everybody", lambda image: [np.zeros((134, 3))])
    with pytest.raises(ValueError, match="no person was found"):
        engine.choose(image)

"""The HR-VITON engine on tiny checkpoints in the published layout: photographs there and back, what it asks for, damaged files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import engines, generate, try_on, weights
from helpers.garment import Garment
from helpers.labels import BODY_25, UPPER, select
from helpers.mannequin import product
from helpers.person import Person
from helpers.testing import write_weights
from helpers.tryon import agnostic
from helpers.tryon.hr_viton import loading
from helpers.tryon.hr_viton.agnostic import changeable

FAST = {"engine": "hr_viton", "resolution": "512x384"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights"), "hr_viton")


@pytest.fixture(autouse=True)
def _weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    monkeypatch.setenv("ATELIER_OTHER_WEIGHTS", "1")
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")
    yield
    engines.load("try_on", "hr_viton").close()


@pytest.fixture(scope="module")
def person() -> Person:
    return generate("a woman in a grey t-shirt and blue jeans", engine="mannequin", seed=1, size=(300, 512))


@pytest.fixture(scope="module")
def garment() -> Garment:
    return product("red t-shirt with white dots", size=(192, 256))


def test_a_photograph_goes_there_and_back(person: Person, garment: Garment) -> None:
    result = try_on(person, garment, seed=1, **FAST)
    assert result.image.shape == person.image.shape
    assert not (result.changed & ~result.mask).any()
    assert (result.image == person.image)[~result.mask].all()
    worn = select(person.labels, UPPER)
    assert (result.mask & worn).sum() > 0.97 * worn.sum()
    assert "not for commercial use" in result.licence
    for step in ("without the garment", "DensePose", "garment on the body", "regions"):
        assert result.steps[step].shape == (512, 384, 3)


def test_seeds_are_their_own_and_a_given_mask_is_all_that_changes(person: Person, garment: Garment) -> None:
    mask = select(person.labels, UPPER)
    engine = engines.load("try_on", "hr_viton")
    one, other = engine.many(person, garment, mask=mask, seeds=[3, 4], resolution="512x384")
    assert (one.image != other.image).any()
    assert (one.image == engine(person, garment, mask=mask, seed=3, resolution="512x384").image).all()
    assert (one.mask & ~mask).mean() < 0.02


def test_as_published(person: Person, garment: Garment) -> None:
    result = try_on(person, garment, parity=True, **FAST)
    assert result.changed.mean() > 0.9, "the whole painted picture"


@pytest.mark.parametrize("category", ["lower", "dress"])
def test_upper_garments_alone(person: Person, garment: Garment, category: str) -> None:
    with pytest.raises(ValueError, match=f"{category}.*engine='drape'"):
        try_on(person, Garment(garment.image, garment.mask, category), **FAST)


def test_joints_that_were_not_seen(person: Person) -> None:
    whole = agnostic.seen_joints(person.keypoints)
    hidden = [BODY_25.index(name) for name in ("left-shoulder", "right-hip", "left-hip")]
    joints = whole.copy()
    joints[hidden] = 0
    made, guessed = agnostic.completed(joints)
    assert set(guessed) == {"left-shoulder", "right-hip", "left-hip"}
    wide = np.linalg.norm(whole[2] - whole[5])
    assert np.linalg.norm(made[hidden] - whole[hidden], axis=1).max() < wide
    published, repaired = (changeable(person.labels, points) for points in (joints, made))
    truth = changeable(person.labels, whole)
    assert (repaired ^ truth).mean() < 0.5 * (published ^ truth).mean()
    joints[BODY_25.index("neck")] = 0
    with pytest.raises(ValueError, match="no shoulders"):
        agnostic.completed(joints)


def test_brushes_follow_the_size_of_the_picture(person: Person) -> None:
    small, large = (person.resized(size) for size in ((384, 512), (768, 1024)))
    areas = [
        (agnostic.agnostic_parse(one.labels, agnostic.seen_joints(one.keypoints)) != one.labels).mean()
        for one in (small, large)
    ]
    assert areas[0] == pytest.approx(areas[1], rel=0.02)


def test_names_of_before(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "hr_viton/gen.pth"
    state = torch.load(path, weights_only=True)
    torch.save({key.replace("conv_shared", "Spade.conv_shared"): value for key, value in state.items()}, path)
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    net = loading.load_generator(torch.device("cpu"))
    assert all((net.state_dict()[key] == value).all() for key, value in state.items())


def _html(path: Path) -> None:
    path.write_bytes(b"<!DOCTYPE html><html>Google Drive - Quota exceeded</html>")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _other(path: Path) -> None:
    shutil.copy(path.with_name({"mtviton.pth": "gen.pth", "gen.pth": "mtviton.pth"}[path.name]), path)


def _lacking(path: Path) -> None:
    state = torch.load(path, weights_only=True)
    del state[next(key for key in state if key.endswith("bias"))]
    torch.save(state, path)


@pytest.mark.parametrize("name", ["mtviton.pth", "gen.pth"])
@pytest.mark.parametrize("damage", [_html, _cut, _other, _lacking])
def test_a_wrong_file_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, person: Person, garment: Garment, name: str, damage: object
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    damage(tmp_path / "hr_viton" / name)
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    load = loading.load_conditions if name == "mtviton.pth" else loading.load_generator
    with pytest.raises((weights.Damaged, weights.Mismatch), match=name):
        load(torch.device("cpu"))


def test_what_is_missing_is_said_before_anything_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, person: Person, garment: Garment
) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    with pytest.raises(weights.Missing, match=r"mtviton\.pth(.|\n)*weights fetch hr_viton"):
        try_on(Person(person.image), garment, **FAST)

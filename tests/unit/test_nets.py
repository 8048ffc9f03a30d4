"""The annotators with one network each, on tiny checkpoints in the published layouts, through the verb; and damaged files of theirs."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch

from helpers import Person, annotate, engines, weights
from helpers.annotation import cloths_segmentation, posenet, schp, u2net
from helpers.annotation.detections import read_dump
from helpers.annotation.network import OneNetwork
from helpers.labels import COCO_17
from helpers.person import densepose_picture
from helpers.testing import nets

ENGINES = {
    "u2net": ("matte", "mask"),
    "u2net:u2net": ("matte",),
    "u2net:u2netp": ("mask",),
    "u2net_cloth": ("labels",),
    "schp": ("labels", "mask"),
    "schp:lip": ("labels",),
    "schp:atr": ("labels",),
    "schp_pascal": ("mask",),
    "posenet": ("keypoints",),
    "cloths_segmentation": ("mask",),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    nets.write(folder)
    return folder


@pytest.fixture
def here(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    return folder


@pytest.fixture
def person() -> Person:
    picture = np.random.default_rng(0).integers(0, 256, (80, 60, 3), np.uint8)
    return Person(np.kron(picture, np.ones((2, 2, 1), np.uint8)))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_verb_runs_each(engine: str, here: Path, person: Person) -> None:
    found = annotate(person, engine=engine, needs=ENGINES[engine])
    for name in ENGINES[engine]:
        assert getattr(found, name) is not None
    made = found.scene["annotations"][-1]["engine"]
    assert made.partition(":")[0] == engine.partition(":")[0]
    assert ":" not in engine or made == engine


@pytest.mark.parametrize("name", ["u2net", "u2net_cloth", "cloths_segmentation"])
def test_auto_leaves_out_what_sees_something_else(
    name: str, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = engines.find("annotate", name)
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    nets.write(tmp_path, *record.groups())
    with pytest.raises(weights.Missing):
        engines.find("annotate", gives=record.gives)


@pytest.mark.parametrize("engine", ["u2net", "u2net_cloth", "schp"])
def test_one_of_several_cannot_be_asked_of_who_sees_all_as_one(engine: str, here: Path, person: Person) -> None:
    with pytest.raises(ValueError, match="everybody as one"):
        annotate(person, engine=engine, needs=ENGINES[engine], pick=1)


def test_a_mask_says_which_piece_is_meant() -> None:
    pieces = np.zeros((20, 40), bool)
    pieces[5:15, 2:10] = pieces[5:15, 30:38] = True
    mask = np.zeros_like(pieces)
    mask[8, 4] = True
    near = u2net.touching(pieces, mask)
    assert near[:, :12].all()
    assert not near[:, 28:].any()
    with pytest.raises(ValueError, match="mask"):
        u2net.touching(pieces, ~pieces & (np.arange(40) > 38))


def test_a_dump_of_densepose_lies_in_its_box(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text(json.dumps([[[0, 2], [24, 9]], [[[0, 0.5], [1, 0]]] * 2, [3.7, 1.2, 5.7, 3.2]]))
    iuv = read_dump(path, (6, 8))
    assert iuv[1:3, 3:5, 0].tolist() == [[0, 2], [24, 9]]
    assert iuv[1:3, 3:5, 1].tolist() == [[0, 127], [255, 0]]
    assert (densepose_picture(iuv).any(2) == (iuv[..., 0] > 0)).all()
    for wrong in ("{}", "[[[25]], [[[0]], [[0]]], [0, 0, 1, 1]]", "[1, 2"):
        path.write_text(wrong)
        with pytest.raises(ValueError, match=r"data\.json"):
            read_dump(path, (6, 8))


def test_sides_are_padded_evenly_to_32() -> None:
    for size in ((100, 75), (64, 96), (1600, 900)):
        picture, inside = cloths_segmentation.network_picture(np.full((*size, 3), 255, np.uint8))
        assert not picture.shape[2] % 32
        assert not picture.shape[3] % 32
        white = picture[0, 0] > 0
        assert white[inside].all()
        assert white.sum() == white[inside].size


def test_an_archive_in_an_archive_is_refused(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "weights.pth"
    with ZipFile(path, "w") as archive:
        archive.write(folder / weights.record("cloths_segmentation").path, "weights.pth")
    with pytest.raises(weights.Damaged, match="archive in an archive"):
        weights.load_state_dict(path)


def test_parts_of_the_body_are_no_clothes(here: Path, person: Person) -> None:
    parser = schp.PascalParts(device="cpu")
    with pytest.raises(ValueError, match="schp:lip or schp:atr"):
        parser(person, needs=("labels",))
    assert parser.logits(person.image).shape == (*person.image.shape[:2], 7)
    assert parser.parse(person.image).max() < 7
    parser.close()
    assert "network" not in vars(parser)


def test_a_picture_without_anything() -> None:
    assert np.isfinite(u2net.network_picture(np.zeros((64, 48, 3), np.uint8))).all()
    assert not u2net.on_image(np.full((320, 320), 0.3, np.float32), (64, 48)).any()


def test_the_norm_reads_its_scale_without_sign() -> None:
    norm = schp.Norm(2, leaky=False)
    torch.nn.init.constant_(norm.weight, -2.0)
    assert torch.allclose(norm(torch.ones(1, 2, 1, 1)), torch.full((1, 2, 1, 1), 2.0), atol=1e-4)


def test_joints_find_their_place_on_the_photograph() -> None:
    """One pose drawn into the maps, exactly where a published network would say it is."""
    rng = np.random.default_rng(0)
    where = rng.uniform(40, 200, (17, 2))  # y, x
    maps = posenet.Maps(*(np.zeros((channels, 16, 16), np.float32) for channels in (17, 34, 32, 32)))
    rows, columns = np.mgrid[:16, :16] * 16
    for joint, (y, x) in enumerate(where):
        maps.likely[joint, round(y / 16), round(x / 16)] = 0.9
        maps.offsets[joint], maps.offsets[17 + joint] = y - rows, x - columns
    for edge, (parent, child) in enumerate(posenet._TREE):
        for axis in (0, 1):
            maps.forth[axis * 16 + edge] = where[child, axis] - where[parent, axis]
            maps.back[axis * 16 + edge] = where[parent, axis] - where[child, axis]
    ((score, joints),) = posenet.decode(maps)
    assert score == pytest.approx(0.9)
    assert np.abs(joints[:, :2] - where).max() < 1e-3
    body = posenet.to_body25(joints[:, [1, 0, 2]])
    shoulders = [COCO_17.index(f"{side}-shoulder") for side in ("left", "right")]
    assert body[1, :2] == pytest.approx(where[shoulders].mean(0)[::-1], abs=1e-3)


def test_nobody_is_an_error(here: Path, monkeypatch: pytest.MonkeyPatch, person: Person) -> None:
    monkeypatch.setattr(posenet, "JOINT", 2.0)
    monkeypatch.setattr(posenet.PoseNet, "everybody", lambda *_: [])
    with pytest.raises(ValueError, match="no person"):
        annotate(person, engine="posenet", needs=("keypoints",))


FILES = {
    "u2netp": u2net.Salient,
    "u2net_cloth": u2net.Cloth,
    "schp_lip": schp.SCHP,
    "posenet": posenet.PoseNet,
    "cloths_segmentation": cloths_segmentation.ClothsSegmentation,
}


@pytest.mark.parametrize("group", FILES)
def test_what_is_no_such_file_is_named(group: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    path = tmp_path / weights.record(group).path
    path.parent.mkdir()
    whole = (folder / weights.record(group).path).read_bytes()
    kind = FILES[group]
    variant = next(name for name, record in kind.FILES.items() if record == group)

    def load() -> OneNetwork:
        annotator = kind(variant, "cpu")
        return annotator.network

    with pytest.raises(weights.Missing, match=path.name):
        load()
    for content in (b"version https://git-lfs.github.com/spec/v1\n", whole[: len(whole) // 2], b"<html>too many</html>" * 9):
        path.write_bytes(content)
        with pytest.raises(weights.Damaged, match=path.name):
            load()
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(weights.Mismatch, match=f"{group} is a checkpoint of another network"):
        load()


def test_the_other_parsers_file_is_not_taken(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    path = tmp_path / weights.record("schp_lip").path
    path.parent.mkdir()
    path.write_bytes((folder / weights.record("schp_atr").path).read_bytes())
    with pytest.raises(weights.Mismatch, match="another network"):
        _ = schp.SCHP("lip", "cpu").network

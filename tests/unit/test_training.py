"""Training the clothes extractor: what is stopped goes on as if it had not been, and what goes wrong is named and costs nothing."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from helpers import cli, images
from helpers.dataset import inspection
from helpers.dataset.inspection import Item
from helpers.dataset.pairs import write_source
from helpers.extraction import steps
from helpers.extraction.crops import Crop
from helpers.extraction.painters import Painter
from helpers.extraction.tasks import FLAT, laid_flat
from helpers.files import NotWritten
from helpers.training import checkpoint, pairset
from helpers.training.extractor import Settings, train
from helpers.training.pairset import PairSet

SIZE, COUNT = (64, 96), 14
SMALL = Settings(size=(32, 32), width=4, judge_width=4, batch=4)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Coloured boxes, worn and alone, and which place shows which."""
    folder = tmp_path_factory.mktemp("data")
    for number in range(COUNT):
        rng, name = np.random.default_rng(number), f"{number:06d}_0"
        image, cloth = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), np.full((SIZE[1], SIZE[0], 3), 230, np.uint8)
        worn, mask = np.zeros(SIZE[::-1], bool), np.zeros(SIZE[::-1], bool)
        x, y = rng.integers(5, 20, 2)
        worn[y : y + 50, x : x + 30], mask[20:70, 17:47] = True, True
        pattern = rng.integers(0, 255, (5, 3, 1)).repeat(10, 0).repeat(10, 1).repeat(3, 2) // 3 + rng.integers(0, 160, 3)
        image[worn], cloth[mask] = pattern.reshape(-1, 3), pattern.reshape(-1, 3)
        source = np.full((*SIZE[::-1], 2), np.nan, np.float32)
        source[mask] = np.argwhere(worn)[:, ::-1]
        for place, picture in (("image", image), ("cloth", cloth)):
            images.write_image(folder / "train" / place / f"{name}.png", picture)
        images.write_mask(folder / "train/worn-mask" / f"{name}.png", worn)
        images.write_mask(folder / "train/cloth-mask" / f"{name}.png", mask)
        write_source(folder / "train/cloth-source" / f"{name}.png", source)
    return folder


@pytest.fixture(scope="module")
def through(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("through")
    done = train(data, out, SMALL, total=8, every=3)
    assert (done.step, done.stopped, done.left_out) == (8, "all steps were taken", "")
    return out


def same(one: Path, other: Path) -> bool:
    tensors, others = load_file(one / "last.safetensors"), load_file(other / "last.safetensors")
    return tensors.keys() == others.keys() and all(torch.equal(tensors[name], others[name]) for name in tensors)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "curve.csv").open() as file:
        return [{name: value for name, value in row.items() if name != "pictures_a_second"} for row in csv.DictReader(file)]


def stops_at(monkeypatch: pytest.MonkeyPatch, step: int, error: BaseException) -> None:
    real, count = steps.Step.__call__, 0

    def call(self: steps.Step, *batch: torch.Tensor) -> dict[str, float]:
        nonlocal count
        if count == step:
            raise error
        count += 1
        return real(self, *batch)

    monkeypatch.setattr(steps.Step, "__call__", call)


def test_stopped_at_a_random_step_it_goes_on_as_if_it_had_not_been(
    data: Path, through: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops_at(monkeypatch, int(np.random.default_rng().integers(3, 8)), KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path, SMALL, total=8, every=3)
    monkeypatch.undo()
    done = train(data, tmp_path, SMALL, total=8, every=3)
    assert done.step == 8
    assert same(tmp_path, through)
    assert rows(tmp_path) == rows(through)
    assert [row["step"] for row in rows(through)] == ["3", "6", "8"]


def test_another_seed_is_another_training(data: Path, through: Path, tmp_path: Path) -> None:
    train(data, tmp_path, Settings(**{**vars(SMALL), "seed": 1}), total=8, every=8)
    assert not same(tmp_path, through)


def test_what_is_used_loads_by_its_own_words(through: Path) -> None:
    about = checkpoint.about(through / "best.safetensors")
    spec = Painter(**about["painter"])
    painter = spec.build().eval()
    painter.load_state_dict(load_file(through / "best.safetensors"))
    assert spec.at_any_size(painter)(torch.zeros(1, 4, 40, 33)).shape == (1, 7, 40, 33)
    assert about["step"] in (3, 6, 8)
    assert images.read_image(through / "sheets" / "0000008.jpg").shape[2] == 3


def test_a_loss_that_is_no_number_is_named_and_nothing_is_lost(
    data: Path, through: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps.losses, "gan", lambda judged, *_: judged.mean() * float("nan"))
    with pytest.raises(ValueError, match=r"step 0: the loss judge is nan\. What was learnt until step 0"):
        train(data, tmp_path, SMALL, total=8, every=3)
    monkeypatch.undo()
    stops_at(monkeypatch, 5, steps.Unsound("the loss gan is nan"))
    with pytest.raises(
        ValueError, match=r"step 5: the loss gan is nan\. What was learnt until step 3 is in .* smaller rate than 0.0002"
    ):
        train(data, tmp_path, SMALL, total=8, every=3)
    monkeypatch.undo()
    train(data, tmp_path, SMALL, total=8, every=3)
    assert same(tmp_path, through)


def test_weights_that_are_no_numbers_are_not_kept(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(self: torch.optim.Adam, *_: object, **__: object) -> None:
        for group in self.param_groups:
            group["params"][0].data.fill_(float("inf"))

    monkeypatch.setattr(torch.optim.Adam, "step", spoil)
    with pytest.raises(ValueError, match=r"step 1: the painter's weights \S+ are no numbers any more"):
        train(data, tmp_path, Settings(**{**vars(SMALL), "recipe": "plain"}), total=1)
    assert not (tmp_path / "last.safetensors").exists()


def test_a_full_disk_is_named_and_the_checkpoint_before_stays(
    data: Path, through: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = checkpoint.save_file, []

    def full(tensors: dict, path: Path, note: dict) -> None:
        written.append(path)
        if len(written) > 2 and "random" in tensors:
            path.write_bytes(b"half of")
            raise checkpoint.SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
        real(tensors, path, note)

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(NotWritten, match=r"last\.safetensors could not be written .* Free some disk space"):
        train(data, tmp_path, SMALL, total=8, every=3)
    monkeypatch.undo()
    assert not list(tmp_path.glob(".part-*"))
    train(data, tmp_path, SMALL, total=8, every=3)
    assert same(tmp_path, through)


def test_broken_pictures_are_named(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "data"
    shutil.copytree(data, broken)
    (broken / "train/image/000003_0.png").write_bytes(b"no picture")
    done = train(broken, tmp_path / "out", SMALL, total=1)
    assert "1 x image cannot be read" in done.left_out
    assert "000003_0" in done.left_out
    real = pairset.worn_mask

    def fails(item: object, category: str) -> np.ndarray:
        if item.name == "000005_0":
            raise ValueError(f"worn garment: {item.worn} is damaged or cut short.")
        return real(item, category)

    monkeypatch.setattr(pairset, "worn_mask", fails)
    with pytest.raises(ValueError, match=r"000005_0\.png is damaged"):
        train(broken, tmp_path / "out", SMALL, total=20)


def test_another_training_is_not_gone_on_with(data: Path, through: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"last\.safetensors was trained with width 4\. Ask for the same"):
        train(data, through, Settings(**{**vars(SMALL), "width": 8}))
    fewer = tmp_path / "fewer"
    shutil.copytree(data, fewer)
    (fewer / "train/image/000003_0.png").unlink()
    with pytest.raises(ValueError, match=r"was trained with 14 pairs, which are not those of the data now"):
        train(fewer, through, SMALL)
    shutil.copytree(through, tmp_path / "torn")
    (tmp_path / "torn" / "last.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(ValueError, match=r"last\.safetensors cannot be read as a checkpoint"):
        train(data, tmp_path / "torn", SMALL)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"task": "flattened"}, "task must be picture or flat"),
        ({"size": (8, 8)}, "size must be 32 to 1024"),
        ({"recipe": "seed"}, "recipe seed judges pictures"),
        ({"batch": 0}, "batch must be a whole number"),
    ],
)
def test_settings_that_do_not_fit(settings: dict, fault: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=fault):
        train(data, tmp_path, Settings(**settings))
    assert not list(tmp_path.iterdir())


def test_it_stops_where_it_gets_no_better(data: Path, tmp_path: Path) -> None:
    done = train(data, tmp_path, Settings(**{**vars(SMALL), "recipe": "plain"}), total=9, every=1, patience=1, rate=1e-12)
    assert done.step < 9
    assert done.stopped == "the last 1 looks were no better"


def test_the_extractors_own_recipe_from_the_command_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = f"train extractor --data {data} --out {tmp_path} -s 32 --task picture --network resnet18 --recipe seed_unet --width 4 --steps 2"
    assert cli.main(given.split()) == 0
    assert "2 steps, for all steps were taken; the best" in capsys.readouterr().out
    assert cli.main([*given.split()[:-1], "0"]) == 2
    assert "steps must be a whole number of at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("recipe", ["pixel", "lsgan", "seed"])
def test_every_recipe_learns(recipe: str, data: Path, tmp_path: Path) -> None:
    task = "picture" if recipe == "seed" else "flat"
    done = train(data, tmp_path, Settings(**{**vars(SMALL), "recipe": recipe, "task": task, "batch": 2}), total=2, every=1)
    assert all(0 < float(row["judge"]) < 3 and float(row["gan"]) > 0 for row in rows(done.folder))


def test_what_is_wanted_is_what_the_truth_lays(data: Path) -> None:
    """The photograph laid as the target says is the product photograph, mirrored and disturbed or not."""
    pairs = PairSet(tuple(inspection.items(data, "train").good[:3]), "flat", (64, 96))
    for time in (-1, 0, 1, 2, 3):
        source, target = pairs[(1, time)]
        laid, garment = laid_flat(source[None], target[None, 4:6])
        seen = target[6] > 0
        assert seen.float().mean() > 0.2
        assert garment[0, 0][seen].mean() > 0.95
        assert np.corrcoef(*(p[:, seen].flatten().numpy() for p in (laid[0], target[:3])))[0, 1] > 0.95
    shown = FLAT.shown(source[None], target[None])
    assert (shown[0, :, target[3] == -1] - 1).abs().max() < 1e-5, "white around it"


def test_a_crop_holds_the_garment_beyond_the_border_too() -> None:
    mask = np.zeros((40, 30), bool)
    mask[0:10, 20:30] = True
    crop = Crop.around(mask, (30, 40), 0.1)
    assert crop.take(mask.astype(np.float32)).sum() > 0
    assert crop.take(np.full((40, 30, 3), 7, np.uint8), 255).max() == 255
    assert np.allclose(crop.place(np.array([crop.left - 0.5, crop.top - 0.5])), -1)
    with pytest.raises(ValueError, match="garment mask: nothing"):
        Crop.around(np.zeros((4, 4), bool), (30, 40))


def test_figures_are_not_split_between_what_is_learnt_and_what_is_looked_at() -> None:
    items = [Item(f"{n:06d}_{v}", *(Path(),) * 4, None) for n in range(30) for v in range(3)]
    kept, held = pairset.split(items)
    assert {i.name[:6] for i in kept}.isdisjoint(i.name[:6] for i in held)
    assert len(held) == 9
    assert len(kept) == 81


def test_every_pair_is_seen_once_an_epoch_and_a_resumed_order_is_the_same() -> None:
    order = list(pairset.batches(10, 3, 5, 0, 9))
    assert order[4:] == list(pairset.batches(10, 3, 5, 4, 9))
    assert all(len({number for batch in order[3 * e : 3 * e + 3] for number, _ in batch}) == 9 for e in range(3))
    assert [epoch for batch in order for _, epoch in batch] == [0] * 9 + [1] * 9 + [2] * 9

"""Mannequin pairs, small data sets and looking through them: exact truth, the same for the same seed, safe to interrupt."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from helpers import cli, images, load_garment, load_person
from helpers.dataset import chance, figures, inspection
from helpers.dataset import pairs as drawing
from helpers.dataset.down_sample import down_sample
from helpers.dataset.pairs import FILES, pairs, read_source, write_source
from helpers.files import NotWritten
from helpers.labels import CIHP_PALETTE, select
from helpers.mannequin.outfit import Fabric

SIZE = (96, 128)


@pytest.fixture(autouse=True, scope="module")
def _dressed_once() -> Iterator[None]:
    """Each figure is sewn once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "Figure", cache(figures.Figure))
        yield


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pairs")
    assert pairs(out, 2, size=SIZE, workers=1).count == 2
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("workers", [2, 3])
def test_several_workers_leave_no_figure_out(workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(drawing, "ProcessPoolExecutor", lambda count, *_: ThreadPoolExecutor(count))
    monkeypatch.setattr(drawing, "draw", lambda folder, recipe, figure, variants: asked.append(figure) or len(variants))
    wanted = 12 * drawing.VARIANTS
    assert sum(drawing._drawn(tmp_path, drawing.Recipe(SIZE), list(range(wanted)), workers)) == wanted
    assert sorted(asked) == list(range(12))


def test_a_pair_is_what_it_says(drawn: Path) -> None:
    name = "000000_0"
    assert (drawn / "train_pairs.txt").read_text() == "000000_0.jpg 000000_0.jpg\n000000_1.jpg 000000_1.jpg\n"
    person, garment = load_person(drawn / "train/image" / f"{name}.jpg"), load_garment(drawn / "train/cloth" / f"{name}.jpg")
    assert person.image.shape == garment.image.shape == (SIZE[1], SIZE[0], 3)
    worn = np.asarray(Image.open(drawn / "train/worn-mask" / f"{name}.png")) > 127
    assert worn.mean() > 0.03
    assert select(person.labels, ("upper-clothes", "coat"))[worn].all()
    source = read_source(drawn / "train/cloth-source" / f"{name}.png")
    seen = np.isfinite(source[..., 0])
    assert seen.sum() > 0.3 * garment.mask.sum()
    assert garment.mask[seen].mean() > 0.98
    x, y = np.rint(source[seen]).astype(int).T
    assert worn[y, x].mean() > 0.98, "where the garment is said to be seen it is"


def test_colours_are_found_where_the_truth_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pixels that the truth names, laid on the product photograph, are its own: stripe on stripe."""
    striped = Fabric("#f0f0f0", "stripes", "#202020", 0.16, "jersey")
    monkeypatch.setattr(chance, "recoloured", lambda outfit, rng: tuple(replace(p, fabric=striped) for p in outfit.pieces))
    pair = figures.Figure(0, 0, "upper").pair(3, (192, 256))
    seen = np.isfinite(pair.source[..., 0])
    x, y = (np.nan_to_num(pair.source[..., k], nan=-1) for k in (0, 1))
    laid = cv2.remap(pair.person.image, x, y, cv2.INTER_LINEAR)
    smooth = [cv2.GaussianBlur(p.astype(np.float32), (0, 0), 1)[seen] for p in (laid, pair.garment.image)]
    assert np.corrcoef(smooth[0].mean(1), smooth[1].mean(1))[0, 1] > 0.85


def test_the_rest_is_drawn_as_if_all_were(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off while the second is written: what is there is whole, and the next call makes the same files as one that went through."""
    real, count = drawing.write_source, 0

    def stops(path: Path, source: np.ndarray) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        real(path, source)

    monkeypatch.setattr(drawing, "write_source", stops)
    with pytest.raises(KeyboardInterrupt):
        pairs(tmp_path, 2, size=SIZE, workers=1)
    assert sorted(p.name for p in (tmp_path / "train/made").iterdir()) == ["000000_0.json"]
    assert not list((tmp_path / "train").glob(".part-*"))
    assert (tmp_path / "train_pairs.txt").read_text().count("\n") == 1
    monkeypatch.undo()
    listed: list[bool] = []
    drawing_on = partial(pairs, on_pair=lambda *_: listed.append((tmp_path / "train_pairs.txt").exists()))
    assert drawing_on(tmp_path, 2, size=SIZE, workers=1).made == 1
    assert listed == [False], "killed there, no list is left that holds fewer than are whole"
    assert contents(tmp_path) == contents(drawn)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(drawing.os, "replace", full)
    with pytest.raises(NotWritten, match=r"could not be written \(No space left on device\)\. Free some disk space"):
        pairs(tmp_path, 1, size=SIZE, workers=1)


def test_other_pairs_are_not_mixed_in(drawn: Path) -> None:
    with pytest.raises(ValueError, match=r"out: .*another recipe \(seed 0\)"):
        pairs(drawn, 2, size=SIZE, seed=1)
    with pytest.raises(ValueError, match=r"part must be train or test"):
        pairs(drawn, 2, size=SIZE, part="val")
    with pytest.raises(ValueError, match=r"size must be 64 to"):
        pairs(drawn, 2, size=(48, 64))


def test_where_a_place_is_seen_is_kept_to_a_thirtieth_of_a_pixel(tmp_path: Path) -> None:
    source = np.random.default_rng(0).uniform(-0.5, 191.5, (64, 64, 2)).astype(np.float32)
    source[3, 4] = np.nan
    write_source(tmp_path / "s.png", source)
    again = read_source(tmp_path / "s.png")
    assert np.isnan(again[3, 4]).all()
    assert np.nanmax(abs(again - source)) <= 1 / 60


@pytest.fixture
def layout(drawn: Path, tmp_path: Path) -> Path:
    data = tmp_path / "data"
    shutil.copytree(drawn, data)
    return data


def test_down_sample(layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(layout / "train/image-parse-agnostic-v3.2")
    cut = (layout / "train/cloth/000000_1.jpg").read_bytes()
    (layout / "train/cloth/000000_1.jpg").write_bytes(cut[: len(cut) // 2])
    out = tmp_path / "small"
    assert cli.main(["down-sample", str(layout), str(out), "-s", "32"]) == 1
    told = capsys.readouterr().out
    assert "missing: train/image-parse-agnostic-v3.2" in told
    assert "missing: train/cloth/000000_1" in told
    assert "000000_1.jpg is damaged or cut short" in told
    parse, before = (Image.open(folder / "train/image-parse-v3/000000_0.png") for folder in (out, layout))
    assert parse.size == (32, 32)
    assert parse.mode == "P"
    assert parse.getpalette()[: CIHP_PALETTE.size] == before.getpalette()[: CIHP_PALETTE.size]
    assert set(np.unique(np.asarray(parse))) <= set(np.unique(np.asarray(before)))
    stamps = {file: file.stat().st_mtime_ns for file in out.rglob("*.jpg")}
    (layout / "train/cloth/000000_1.jpg").write_bytes((layout / "train/cloth/000000_0.jpg").read_bytes())
    done = down_sample(layout, out, size=32)
    assert done.broken == {}
    assert done.made == dict.fromkeys(("train/image", "train/image-parse-v3", "train/cloth", "train/cloth-mask"), 2)
    assert all(file.stat().st_mtime_ns == stamp for file, stamp in stamps.items()), "what is there is not made again"
    assert down_sample(layout, out, size=20).again == 0
    assert down_sample(layout, tmp_path / "first", files=1).made["train/image"] == 1


def test_down_sample_refuses(tmp_path: Path, layout: Path) -> None:
    with pytest.raises(ValueError, match=r"data: .* holds no train/image or test/image"):
        down_sample(tmp_path, tmp_path / "out")
    with pytest.raises(ValueError, match=r"out: .* is the data set itself"):
        down_sample(layout, layout)
    with pytest.raises(ValueError, match="size must be a whole number from 8"):
        down_sample(layout, tmp_path / "out", size=2)


def test_check(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(layout)]) == 0
    assert "train: 2 good pairs" in capsys.readouterr().out
    train = layout / "train"
    images.write_mask(train / "cloth-mask/000000_0.jpg", np.zeros(SIZE[::-1], bool))
    (train / "image/000000_1.jpg").write_bytes(b"<html>no picture")
    (layout / "train_pairs.txt").write_text("000000_0.jpg a.jpg\n000000_1.jpg b.jpg\nghost.jpg c.jpg\n")
    assert cli.main(["check", str(layout)]) == 1
    told = capsys.readouterr().out
    assert "train: 0 good pairs" in told
    assert "1 x the mask of the product photograph is empty or covers all of it: 000000_0" in told
    assert "1 x image cannot be read: is a web page" in told
    assert "1 x no file in cloth-mask: ghost" in told


def test_a_parse_in_any_colours_says_what_is_worn(layout: Path) -> None:
    item = inspection.items(layout, "train").good[0]
    worn = inspection.worn_mask(item)
    (layout / "train/worn-mask/000000_0.png").unlink()
    item = inspection.items(layout, "train").good[0]
    by_index = inspection.worn_mask(item)
    assert by_index[worn].all()
    labels = np.asarray(Image.open(item.worn))
    for colour in ((254, 85, 0), (255, 85, 0)):  # VITON-HD's own palette, and CIHP_PGN's
        palette = CIHP_PALETTE.copy()
        palette[5] = colour
        Image.fromarray(palette[labels]).save(item.worn)
        assert (inspection.worn_mask(item) == by_index).all()


def test_pairs_from_the_command_line(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pairs", str(drawn), "-n", "2", "-s", "96x128"]) == 0
    assert "2 pairs in" in capsys.readouterr().out
    assert cli.main(["pairs", str(drawn), "-n", "2", "-s", "tall"]) == 2
    assert "--size must be WIDTHxHEIGHT" in capsys.readouterr().err
    assert json.loads((drawn / "train/recipe.json").read_text())["size"] == list(SIZE)
    assert all((drawn / "train" / file.format("000000_1")).is_file() for file in FILES)

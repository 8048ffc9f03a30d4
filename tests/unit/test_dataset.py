"""``prepare``: photographs to a data set that the public loaders of VITON-HD and HR-VITON read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import cli, generate, images, product, weights
from helpers.dataset import doubts, report
from helpers.dataset.cropping import SIZE, frame_around
from helpers.dataset.prepare import Prepared, Row, prepare
from helpers.labels import CIHP_PALETTE
from helpers.person import Person
from helpers.tryon.framing import Frame

WORDS = "a woman in a red t-shirt and blue jeans, standing"


@pytest.fixture(scope="module")
def figure() -> Person:
    return generate(WORDS, engine="mannequin", seed=3, size=(384, 512))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, figure: Person) -> Path:
    """People and garments under names that break careless scripts."""
    folder = tmp_path_factory.mktemp("sources")
    images.write_image(folder / "people" / "My photo 1.final.jpeg", figure.image)
    wide = np.full((512, 900, 3), figure.image[0, 0], np.uint8)
    wide[:, 430:814] = figure.image
    images.write_image(folder / "people" / "weit_ä.png", wide)
    images.write_image(folder / "people" / "wall.png", np.full((300, 300, 3), 200, np.uint8))
    (folder / "people" / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    (folder / "people" / "notes.txt").write_text("no picture")
    images.write_image(folder / "clothes" / "top.jpg.png", product("a green sweater", seed=1, size=(300, 300)).image)
    return folder


@pytest.fixture(scope="module")
def prepared(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(sources / "people", sources / "clothes", tmp_path_factory.mktemp("out") / "set")


def of(done: Prepared, source: str) -> Row:
    (row,) = [row for row in done.rows if Path(row.source).name == source]
    return row


VITON_HD = {
    "cloth": "cloth/{1}.jpg",
    "mask": "cloth-mask/{1}.jpg",
    "pose": "openpose-img/{0}_rendered.png",
    "parse": "image-parse/{0}.png",
    "image": "image/{0}.jpg",
    "joints": "openpose-json/{0}_keypoints.json",
}
"""What the published loader opens of a person {0} and a garment {1}."""
HR_VITON = {
    "cloth": "cloth/{1}.jpg",
    "mask": "cloth-mask/{1}.jpg",
    "pose": "openpose_img/{0}_rendered.png",
    "parse": "image-parse-v3/{0}.png",
    "agnostic parse": "image-parse-agnostic-v3.2/{0}.png",
    "densepose": "image-densepose/{0}.jpg",
    "agnostic": "agnostic-v3.2/{0}.jpg",
    "image": "image/{0}.jpg",
    "joints": "openpose_json/{0}_keypoints.json",
}


def loaded(root: Path, names: dict[str, str]) -> list[dict[str, Image.Image | list]]:
    """Every pair of the list as a loader with these names opens it."""
    found = []
    for line in (root / "test_pairs.txt").read_text(encoding="utf-8").splitlines():
        person, cloth = (name.removesuffix(".jpg") for name in line.split())
        files = {key: root / "test" / name.format(person, cloth) for key, name in names.items()}
        poses = json.loads(files.pop("joints").read_text())
        opened = {key: Image.open(file) for key, file in files.items()}
        found.append({**opened, "joints": poses["people"][0]["pose_keypoints_2d"]})
    return found


@pytest.mark.parametrize("names", [VITON_HD, HR_VITON], ids=["viton_hd", "hr_viton"])
def test_both_public_loaders_find_everything(prepared: Prepared, names: dict[str, str]) -> None:
    items = loaded(prepared.folder, names)
    assert len(items) == prepared.pairs == 2
    for item in items:
        assert len(item.pop("joints")) == 75
        assert {picture.size for picture in item.values()} == {SIZE}
        assert item["mask"].mode == "L"
        for name in ("parse", "agnostic parse"):
            if name in item:
                assert item[name].mode == "P", "the numbers are the classes"
                assert np.asarray(item[name]).max() < len(CIHP_PALETTE)
        assert np.asarray(item["cloth"])[np.asarray(item["mask"]) > 127].mean(0).argmax() == 1, "the sweater is green"


def test_whoever_cannot_be_used_is_refused_by_name_and_the_others_go_on(prepared: Prepared) -> None:
    assert "broken.jpg" in of(prepared, "broken.jpg").refused
    assert of(prepared, "wall.png").refused
    assert not any(Path(row.source).name == "notes.txt" for row in prepared.rows)
    assert prepared.names("person") == ["My-photo-1.final", "weit_ä"]


def test_the_agnostic_hides_the_top_and_keeps_face_and_trousers(prepared: Prepared) -> None:
    item = loaded(prepared.folder, HR_VITON)[0]
    parse, emptied = np.asarray(item["parse"]), np.asarray(item["agnostic parse"])
    assert (parse == 5).mean() > 0.03
    assert not np.isin(emptied, (5, 6, 7, 10)).any()
    assert (emptied[parse == 9] == 9).all()
    grey = (np.abs(np.asarray(item["agnostic"], int) - 128) < 4).all(2)
    assert grey[parse == 5].mean() > 0.97
    assert grey[parse == 13].mean() < 0.03


def test_a_wide_photograph_is_cropped_and_not_stretched(prepared: Prepared, figure: Person) -> None:
    image = images.read_image(prepared.folder / "test" / "image" / "weit_ä.jpg")
    wanted = images.resize(figure.image, SIZE)
    body = images.resize(figure.mask, SIZE)
    shifts = [np.abs(np.roll(image, x, 1).astype(int) - wanted)[body].mean() for x in range(-24, 25, 4)]
    assert min(shifts) < 6


def test_nothing_is_made_twice(sources: Path, prepared: Prepared) -> None:
    files = {
        file: file.stat().st_mtime_ns for file in prepared.folder.rglob("*") if file.parent.name in ("image", "agnostic-v3.2")
    }
    again = prepare(sources / "people", sources / "clothes", prepared.folder)
    assert [row.again for row in again.rows if row.name] == [True, True, True]
    assert again.pairs == prepared.pairs
    assert {file: file.stat().st_mtime_ns for file in files} == files


def test_a_stop_in_the_middle_is_gone_on_from(sources: Path, tmp_path: Path) -> None:
    def stop(row: Row) -> None:
        raise KeyboardInterrupt

    people = sources / "people" / "My photo 1.final.jpeg"
    with pytest.raises(KeyboardInterrupt):
        prepare(people, sources / "clothes", tmp_path / "set", on_row=stop)
    assert not (tmp_path / "set" / "test_pairs.txt").exists()
    (tmp_path / "set" / "test" / "agnostic-v3.2" / "My-photo-1.final.jpg").unlink()
    (row, cloth) = prepare(people, sources / "clothes", tmp_path / "set").rows
    assert not row.again, "a file of it was missing"
    assert (tmp_path / "set" / "test" / "agnostic-v3.2" / "My-photo-1.final.jpg").exists()
    assert cloth.name == "top.jpg"


KILLED = """
import os, signal, sys
from helpers.dataset.prepare import prepare
real, left = os.replace, int(sys.argv[4])
def replace(*paths):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    real(*paths)
os.replace = replace
prepare(*sys.argv[1:4])
"""
"""``prepare`` that is killed hard as so many files have got their names and the next one is written."""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is none here")
def test_killed_hard_it_goes_on(sources: Path, prepared: Prepared, tmp_path: Path) -> None:
    out = tmp_path / "set"
    arguments = [sys.executable, "-c", KILLED, sources / "people", sources / "clothes", out, "30"]
    assert subprocess.run(list(map(str, arguments)), check=False).returncode == -signal.SIGKILL
    assert not (out / "test_pairs.txt").exists()
    notes = {file: file.stat().st_mtime_ns for file in out.rglob("prepared/*/*.json")}
    again = prepare(sources / "people", sources / "clothes", out)
    assert [row.name for row in again.rows if row.again] == [file.stem for file in notes] == ["My-photo-1.final"]
    assert {file: file.stat().st_mtime_ns for file in notes} == notes, "nothing is repeated"
    made = pictures(out)
    assert {"test_pairs.txt", "test/image/weit_ä.jpg", "test/cloth/top.jpg.jpg"} <= made.keys()
    assert made == pictures(prepared.folder)
    assert not [file for file in out.rglob(".*") if file.name != ".lock"], "what was half written is gone"


def pictures(folder: Path) -> dict[str, bytes]:
    """Everything in a data set but its report and the notes."""
    files = (file for file in folder.rglob("*") if file.suffix in (".jpg", ".png", ".txt") and file.parent != folder)
    return {str(file.relative_to(folder)): file.read_bytes() for file in (*files, folder / "test_pairs.txt")}


def test_another_picture_under_the_same_name_is_made_anew(sources: Path, tmp_path: Path) -> None:
    clothes = tmp_path / "clothes"
    first, second = (product(words, seed=2, size=(300, 300)).image for words in ("a red skirt", "a blue skirt"))
    for picture in (first, second):
        images.write_image(clothes / "skirt.png", picture)
        done = prepare(sources / "people" / "wall.png", clothes, tmp_path / "set", category="lower")
        row = of(done, "skirt.png")
        assert not row.again
    made = images.read_image(tmp_path / "set" / "test" / "cloth" / "skirt.jpg")
    assert made[512, 384].argmax() == 2


@pytest.mark.parametrize(
    ("people", "garments", "out", "says"),
    [
        ("nowhere", "clothes", "set", "people: there is no folder"),
        ("people", "nowhere", "set", "garments: there is no folder"),
        ("people/notes.txt", "clothes", "people", "out: "),
        ("people", "clothes", "", "Choose another folder"),
        ("people", "clothes", "people/notes.txt", "out: .* cannot be written"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_made(sources: Path, people: str, garments: str, out: str, says: str) -> None:
    before = sorted(sources.rglob("*"))
    with pytest.raises((ValueError, FileNotFoundError), match=says):
        prepare(sources / people, sources / garments, sources / out)
    assert sorted(sources.rglob("*")) == before


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_networks_that_cannot_be_used_are_no_fault_of_a_photograph(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    folder = tmp_path / "weights" / "mediapipe"
    folder.mkdir(parents=True)
    if harm == "damaged":
        for record in weights.records("mediapipe"):
            (folder / Path(record.path).name).write_bytes(weights.require(record.name).read_bytes()[:-9])
    monkeypatch.delenv("ATELIER_OTHER_WEIGHTS", raising=False)
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "weights"))
    with pytest.raises((weights.Missing, weights.Damaged), match="mediapipe"):
        prepare(sources / "people", sources / "clothes", tmp_path / "set", annotator="mediapipe")
    assert not (tmp_path / "set" / "test_pairs.txt").exists()


def test_a_pipe_is_refused_and_not_waited_for(sources: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    images.write_image(tmp_path / "wall.jpg", np.full((300, 300, 3), 200, np.uint8))
    done = prepare(tmp_path, sources / "people" / "broken.jpg", tmp_path.with_name(f"{tmp_path.name}-set"))
    assert "pipe" in of(done, "pipe.jpg").refused
    assert done.pairs == 0


def test_a_folder_without_pictures_is_named(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"people: .*empty.* holds no pictures"):
        prepare(tmp_path / "empty", sources / "clothes", tmp_path / "set")


def test_the_frame_is_three_to_four_around_the_person(figure: Person) -> None:
    small = np.zeros((1200, 1600, 3), np.uint8)
    mask = np.zeros((1200, 1600), bool)
    mask[700:1000, 1200:1320] = True
    frame = frame_around(Person(small, mask=mask))
    x, y, width, height = frame.source
    assert width / height == pytest.approx(3 / 4, abs=0.01)
    assert x <= 1200
    assert x + width >= 1320
    assert y <= 700
    assert y + height >= 1000
    assert height < 500, "somebody small is cut out closer"
    with pytest.raises(ValueError, match="mask"):
        frame_around(Person(small, mask=np.zeros_like(mask)))


def test_doubts_name_what_is_wrong_and_nothing_else(figure: Person) -> None:
    frame = Frame.fit(SIZE, figure.image.shape[1::-1])
    assert doubts.of_person(figure, frame) == ()
    keypoints = figure.keypoints.copy()
    keypoints[4] = 0
    assert doubts.of_person(replace(figure, keypoints=keypoints), frame) == (
        "the right arm is cropped or hidden: no wrist in the picture",
    )
    assert "no upper in the parse" in doubts.of_person(
        replace(figure, labels=np.where(figure.labels == 5, 0, figure.labels)), frame
    )


def test_the_report_says_what_and_shows_it(prepared: Prepared) -> None:
    written = report.write(prepared)
    assert [path.name for path in written] == ["report.json", "report.md", "people-1.jpg", "garments-1.jpg"]
    text = written[1].read_text(encoding="utf-8")
    assert text.startswith("# 2 people, 1 garments, 2 pairs")
    assert "broken.jpg" in text
    assert "derived: labels, densepose" in text
    assert json.loads(written[0].read_text())["pairs"] == 2
    assert images.read_image(written[2]).shape[1] >= 900


def test_the_command(sources: Path, prepared: Prepared, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prepare", str(sources / "people"), str(sources / "clothes"), str(prepared.folder)]) == 0
    told = capsys.readouterr().out
    assert "2 pairs in" in told
    assert "wall.png: refused" in told
    assert cli.main(["prepare", str(sources / "nowhere"), str(sources / "clothes"), str(prepared.folder)]) == 2

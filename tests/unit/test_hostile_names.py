"""Names from words, from the command line and from strangers: files stay in their folder, under names that every system takes."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import Garment, Person, load_garment, load_person, runs


def picture(seed: int = 0) -> np.ndarray:
    return np.full((64, 64, 3), 40 + 30 * seed, np.uint8)


def start(folder: Path, run: Any = "a-run") -> runs.Run:
    return runs.start("99_test", {"run": run, "seed": 3, "outputs": str(folder)})


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def plain(name: str) -> bool:
    """Whether every system takes this as the name of a file, and a line of test_pairs.txt as one word."""
    odd = [c for c in name if c in '<>:"/\\|?*' or unicodedata.category(c)[0] in "CZ"]
    stem = name.partition(".")[0].casefold()
    return not odd and len(name.encode()) <= 200 and name[0] not in ".-" and name[-1] not in ". " and stem not in DEVICES


WORDS = {
    "spaces": "a red   sweater ",
    "nul": "red\0top",
    "newline": "red\ntop\r\n",
    "tab": "red\ttop",
    "bell": "\a\x1b[31m",
    "parent": "../up",
    "parents": "../../../../tmp/escape",
    "absolute": "/etc/passwd",
    "backslash": "..\\..\\up",
    "drive": "C:\\Users\\me",
    "unc": "\\\\server\\share",
    "stream": "top.jpg:evil",
    "dot": ".",
    "dots": "..",
    "three dots": "...",
    "hidden": ".bashrc",
    "trailing dot": "top.",
    "trailing dots and spaces": "top. . .",
    "punctuation": "?!*<>|\"'",
    "empty": "",
    "blank": "   ",
    "dash": "-rf",
    "dashes": "--outputs",
    "percent": "100% wool",
    "shell": "$(rm -rf ~); `ls` & more",
    "long": "x" * 240,
    "longer": "very " * 400,
    "long wide": "長" * 240,
    "long emoji": "👗" * 300,
    "emoji": "👗",
    "emoji and words": "red 👗 with 🎀",
    "family": "👨‍👩‍👧 top",
    "composed": "été",
    "decomposed": unicodedata.normalize("NFD", "été"),
    "zalgo": "t" + "̶͙" * 60 + "op",
    "only marks": "́̂",
    "hebrew": "חולצה אדומה",
    "override": "top‮gpj.exe",
    "persian": "می‌خواهم",
    "hindi": "साड़ी",
    "full width": "ＣＯＮ",
    "ligature": "ﬁne ﷺ",
    "zero width": "to​p\ufeff",
    "line separator": "a\u2028b\u2029c\x85d",
    "half a character": "top\ud800",
    "con": "con",
    "NUL": "NUL",
    "device with ending": "com1.top.jpg",
    "device of superscript": "COM¹",
    "printer": "Lpt9.",
    "console in": "CONIN$",
    "part": ".part-0123abcd-1-x",
    "lock": ".lock",
    "saved": "saved/person/person.json",
    "keypoints": "a_keypoints",
    "private use": "\ue000\U000f0000",
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_words_become_a_plain_name_and_stay_known(tmp_path: Path, words: str) -> None:
    folder = tmp_path / "outer" / "a-run"
    path = Garment(picture(), np.ones((64, 64), bool), name=words).save(folder)
    mask = np.zeros((64, 64), bool)
    person = Person(picture(1), mask=mask, garments={words: ~mask, words + " 2": mask}).save(folder, words)
    run = start(tmp_path / "outer")
    left = run.save_mask(~mask, picture(1), [(3, 4, 1)], words)
    assert {p.parts[0] for p in map(Path, everything(tmp_path))} == {"outer"}
    assert {p.name for p in (tmp_path / "outer").iterdir()} == {"a-run"}
    for file in (path, person, left, *folder.glob("garment-mask/*/*")):
        assert file.resolve().is_relative_to(folder.resolve())
        assert plain(file.name), ascii(file.name)
    again = load_garment(path)
    assert again.name == words.encode(errors="replace").decode()
    assert again.save(folder) == path
    back = run.person(words)
    assert back is not None
    assert abs(back.image.astype(int) - picture(1)).max() < 3
    assert list(load_person(person).garments) == [text.encode(errors="replace").decode() for text in (words, words + " 2")]
    assert run.mask(back.image, words) is not None


TWINS = {
    "capitals": ("Red Top", "red top"),
    "folding": ("strasse", "straße"),
    "slash and space": ("red/top", "red top"),
    "cut at eighty": ("x" * 100, "x" * 101),
    "cut at bytes": ("長" * 90, "長" * 91),
    "emoji": ("👗", "👚"),
    "punctuation": ("?", "!"),
    "nothing and a name": ("", "unnamed"),
    "trailing dot": ("top.", "top"),
    "full width": ("ｔｏｐ", "top"),
    "device": ("con", "con_"),
    "numbered": ("a top-2", "a/top 2"),
    "nul": ("a\0b", "a b"),
    "ligature": ("ﬁne", "fine"),
}


@pytest.mark.parametrize(("one", "other"), TWINS.values(), ids=TWINS)
def test_other_words_are_another_file(tmp_path: Path, one: str, other: str) -> None:
    run = start(tmp_path)
    run.save_person(Person(picture(1)), one)
    run.save_person(Person(picture(2)), other)
    assert len({path.name.casefold() for path in (run.folder / "image").iterdir()}) == 2
    assert (run.person(one).image == picture(1)).all()
    assert (run.person(other).image == picture(2)).all()
    run.save_person(Person(picture(3)), one)
    assert (run.person(one).image == picture(3)).all()
    assert (run.person(other).image == picture(2)).all()
    both = Garment(picture(1), name=one or "garment"), Garment(picture(2), name=other)
    paths = run.save_garments(*both)
    assert run.save_garments(*both) == paths
    assert len({path.name.casefold() for path in paths}) == 2
    assert [load_garment(path).image[0, 0, 0] for path in paths] == [70, 100]
    assert [line.split()[1] for line in (run.folder / "test_pairs.txt").read_text(encoding="utf-8").splitlines()] == [
        path.name for path in paths
    ]


def test_the_same_words_are_the_same_file(tmp_path: Path) -> None:
    run = start(tmp_path)
    for seed, form in enumerate(("NFC", "NFD")):
        run.save_person(Person(picture(seed)), unicodedata.normalize(form, "Anaïs été"))
    assert len(list((run.folder / "image").iterdir())) == 1
    assert (run.person("Anaïs été").image == picture(1)).all()


def test_two_garments_of_one_name_are_two(tmp_path: Path) -> None:
    run = start(tmp_path)
    for _ in range(2):
        paths = run.save_garments(*(Garment(picture(seed), name="a top") for seed in range(3)))
        assert [path.name for path in paths] == ["a-top.jpg", "a-top-2.jpg", "a-top-3.jpg"]
    assert [load_garment(path).image[0, 0, 0] for path in paths] == [40, 70, 100]


NO_WORDS = {"none": None, "number": 3, "bytes": b"top", "path": Path("top"), "list": ["top"], "array": np.zeros(3)}


@pytest.mark.parametrize("name", NO_WORDS.values(), ids=NO_WORDS)
def test_what_is_no_text_is_no_name(tmp_path: Path, name: Any) -> None:
    run = start(tmp_path)
    with pytest.raises(ValueError, match="name must be text, not"):
        Person(picture()).save(run.folder, name)
    with pytest.raises(ValueError, match="name must be text, not"):
        Garment(picture(), name=name)
    with pytest.raises(ValueError, match="name must be text, not"):
        run.person(name)
    with pytest.raises(ValueError, match="name in person garments must be text, not"):
        Person(picture(), garments={str if name is None else 3: np.ones((64, 64), bool)})
    assert everything(tmp_path) == set()


NO_RUNS = {
    "parent": "..",
    "up": "../up",
    "inside": "a/b",
    "absolute": "/abs",
    "backslash": "a\\b",
    "drive": "C:run",
    "empty": "",
    "blank": " ",
    "space": "my run",
    "hidden": ".run",
    "dash": "-run",
    "trailing dot": "run.",
    "newline": "run\n",
    "nul": "a\0b",
    "long": "x" * 65,
    "accent": "été",
    "digits of another script": "١٢٣",
    "home": "~",
    "device": "nul",
    "device with ending": "COM1.run",
    "number": 7,
    "none": None,
    "path": Path("run"),
}


@pytest.mark.parametrize("run", NO_RUNS.values(), ids=NO_RUNS)
def test_a_run_is_a_plain_name(tmp_path: Path, run: Any) -> None:
    with pytest.raises(ValueError, match=r"^run must "):
        start(tmp_path, run)
    assert everything(tmp_path) == set()


@pytest.fixture
def linked(tmp_path: Path) -> Iterator[runs.Run]:
    """A run in which links lead out."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.png").write_text("kept")
    run = start(tmp_path / "outputs")
    run.folder.mkdir(parents=True)
    os.symlink(outside, run.folder / "link")
    os.symlink(outside / "kept.png", run.folder / "file.png")
    os.symlink("round", run.folder / "round")
    for folder in ("image", "cloth", "mask", "saved"):
        os.symlink(outside, run.folder / folder)
    yield run
    assert everything(outside) == {"kept.png"}
    assert (outside / "kept.png").read_text() == "kept"


PATHS_OUT: dict[str, tuple[Any, ...]] = {
    "parent": ("..", "other"),
    "parent inside": ("figures", "../../other"),
    "absolute": ("/etc/passwd",),
    "nul": ("a\0b",),
    "link": ("link", "new.png"),
    "file link": ("file.png",),
    "link to itself": ("round", "a.png"),
    "home": ("..", "..", "~"),
    "half a character": ("a\ud800",),
    "number": (3,),
}


@pytest.mark.parametrize("parts", PATHS_OUT.values(), ids=PATHS_OUT)
def test_no_path_leaves_the_run(linked: runs.Run, parts: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"outside the run|is no path in the run|a part of the path"):
        linked.path(*parts)


@pytest.mark.parametrize("what", ["person", "garment", "mask"])
def test_no_save_follows_a_link_out_of_its_folder(linked: runs.Run, what: str) -> None:
    saves = {
        "person": lambda: linked.save_person(Person(picture())),
        "garment": lambda: linked.save_garments(Garment(picture())),
        "mask": lambda: linked.save_mask(np.ones((64, 64), bool), picture(), [(1, 1, 1)]),
    }
    with pytest.raises(ValueError, match=r"a symbolic link leads there. Remove it"):
        saves[what]()
    assert not list(linked.folder.glob(".part-*"))

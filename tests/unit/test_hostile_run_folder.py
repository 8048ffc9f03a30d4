"""A run folder's past and neighbours: killed runs, other processes, damaged files, folders that cannot be written.

Every table is extended by a line: its name, the input, and words of the message, or the value that is right.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import math
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from helpers import Garment, Person, files, load_garment, load_person, runs
from helpers.images import write_image, write_mask

SHAPE = (64, 72)
SIZE = SHAPE[::-1]


def picture(seed: int = 0, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.full((*shape, 3), 40 + 60 * seed, np.uint8)


def someone(seed: int = 0, garments: tuple[str, ...] = ("a top", "a skirt")) -> Person:
    """Somebody of whom everything is known."""
    mask = np.zeros(SHAPE, bool)
    mask[10:50, 20:50] = True
    keypoints = np.full((25, 3), 20 + seed, np.float32)
    keypoints[:, 2] = 0.5
    normals = np.zeros((*SHAPE, 3), np.float32)
    normals[mask] = (0, 0, 1)
    return Person(
        picture(seed),
        keypoints=keypoints,
        labels=np.where(mask, 5 + seed, 0).astype(np.uint8),
        densepose=np.where(mask[..., None], (2 + seed, 100, 200), 0).astype(np.uint8),
        depth=np.where(mask, 2 + seed, 0).astype(np.float32),
        normals=normals,
        mask=mask,
        garments=dict.fromkeys(garments, mask),
        scene={"seed": seed},
    )


def same(one: Person, other: Person) -> bool:
    """Whether both are the same throughout, with neither more nor less known."""
    arrays = ("image", "keypoints", "labels", "densepose", "depth", "normals", "mask")
    pairs = [(getattr(one, name), getattr(other, name)) for name in arrays]
    pairs += [(one.garments.get(name), other.garments.get(name)) for name in {*one.garments, *other.garments}]
    alike = all((a is None) == (b is None) and (a is None or np.allclose(a, b, atol=0.02)) for a, b in pairs)
    return alike and one.scene == other.scene


def start(folder: Path, run: str = "a-run", notebook: str = "99_test") -> runs.Run:
    return runs.start(notebook, {"run": run, "seed": 3, "outputs": str(folder)})


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


# A save over another, and one that is killed


def _refused(*_: Any, code: int = errno.EROFS) -> None:
    raise OSError(code, os.strerror(code))


class Killed(BaseException):
    """What a process that is killed does: nothing any more."""


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], bool]:
    """``killed_at(n, act)``: from its n-th step on disk on, nothing that ``act`` does reaches it. Returns whether it came that far."""

    def killed_at(step: int, act: Callable[[], object]) -> bool:
        left = step

        def mortal(call: Callable[..., Any]) -> Callable[..., Any]:
            def wrapped(*args: Any, **kwargs: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return call(*args, **kwargs)

            return wrapped

        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: _DEAD)
            for name in ("replace", "rename", "unlink", "mkdir", "rmdir", "remove", "chmod"):
                patch.setattr(os, name, mortal(getattr(os, name)))
            try:
                act()
            except Killed:
                return True
        return False

    return killed_at


_DEAD = next(pid for pid in range(999_999_999, 0, -1) if not psutil.pid_exists(pid))
BARE = Person(picture(1))
OVER = {
    "less known": (someone(0), BARE),
    "more known": (BARE, someone(1)),
    "other garments": (someone(0), someone(1, ("a coat",))),
}


@pytest.mark.parametrize(("old", "new"), OVER.values(), ids=OVER)
def test_a_person_over_another_is_the_new_one_alone(tmp_path: Path, old: Person, new: Person) -> None:
    path = old.save(tmp_path)
    assert same(load_person(path), old)
    assert new.save(tmp_path) == path
    assert same(load_person(path), new)
    fresh = tmp_path / "fresh"
    new.save(fresh)
    kept = {p.relative_to(fresh) for p in fresh.rglob("*.*") if p.is_file()}
    assert {p.relative_to(tmp_path) for p in tmp_path.rglob("*.*") if p.is_file() and fresh not in p.parents} == kept


def slim(person: Person) -> Person:
    """The same with less to write."""
    return dataclasses.replace(person, keypoints=None, densepose=None, depth=None, normals=None, mask=None, scene={})


@pytest.mark.parametrize(("old", "new"), [OVER["less known"], OVER["other garments"]], ids=["less known", "other garments"])
def test_a_save_killed_at_any_step_leaves_the_old_or_the_new_whole(
    tmp_path: Path, killed_at: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, old: Person, new: Person
) -> None:
    old, new = slim(old), slim(new)
    step, seen = 0, []
    while True:
        run = start(tmp_path, f"run-{step}")
        path = run.save_person(old)
        if not killed_at(step, lambda run=run: run.save_person(new)):
            break
        with monkeypatch.context() as patch:  # as from a disk that is read-only
            patch.setattr(os, "replace", _refused)
            found = load_person(path)
        seen.append(same(found, new))
        assert seen[-1] or same(found, old)
        if step % 3 == 0:  # what finds it first: a reader, the next run, another save
            assert same(load_person(path), found)
        elif step % 3 == 1:
            start(tmp_path, run.name)
            assert not list(run.folder.rglob(".part-*"))
            assert same(load_person(path), found)
        run.save_person(BARE)
        start(tmp_path, run.name)
        assert not list(run.folder.rglob(".part-*"))
        assert same(load_person(path), BARE)
        step += 1
    assert seen == sorted(seen)
    assert set(seen) == {False, True}
    assert step > 15


def test_the_first_save_killed_at_any_step_leaves_nobody_or_the_person(tmp_path: Path, killed_at: Callable[..., bool]) -> None:
    step, seen = 0, []
    while True:
        run = start(tmp_path, f"run-{step}")
        if not killed_at(step, lambda run=run: run.save_person(slim(someone()))):
            break
        found = run.person()
        seen.append(found is not None)
        assert found is None or same(found, slim(someone()))
        step += 1
    assert seen == sorted(seen)
    assert set(seen) == {False, True}


def test_garments_and_masks_killed_at_any_step_are_the_old_or_the_new(tmp_path: Path, killed_at: Callable[..., bool]) -> None:
    whole, part = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    part[5:40, 5:40] = True
    old, new = Garment(picture(0), part, name="top", inside=part), Garment(picture(1), None, name="top")
    step = 0
    while True:
        run = start(tmp_path, f"run-{step}")
        (path,) = run.save_garments(old)
        run.save_mask(part, picture(2), [(6, 6, 1)])

        def act(run: runs.Run = run) -> None:
            run.save_garments(new)
            run.save_mask(whole, picture(3), [(1, 1, 1)])

        if not killed_at(step, act):
            break
        found = load_garment(path)
        is_new = found.mask is None
        assert (found.image == (new if is_new else old).image).all()
        assert is_new == (found.inside is None)
        masks = run.mask(picture(2)), run.mask(picture(3))
        assert (masks[0] is None) != (masks[1] is None)
        assert (masks[0] == part).all() if masks[1] is None else (masks[1] == whole).all()
        step += 1
    assert step > 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_dies_at_any_rename_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    code = """
import os, sys
import test_hostile_run_folder as t
for step in range(40):
    run = t.start(t.Path(sys.argv[1]), f"run-{step}")
    run.save_person(t.slim(t.someone(0)))
    child = os.fork()
    if not child:
        real, left = os.replace, [step]
        def replace(*args, **kwargs):
            if not left[0]:
                os._exit(9)
            left[0] -= 1
            return real(*args, **kwargs)
        os.replace = replace
        run.save_person(t.BARE)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment, capture_output=True)
    folders = sorted(tmp_path.iterdir(), key=lambda folder: int(folder.name.split("-")[1]))
    found = [same(start(tmp_path, folder.name).person(), BARE) for folder in folders]
    assert found == sorted(found)
    assert set(found) == {False, True}
    assert all(found[k] or same(load_person(folder / "image/person.jpg"), slim(someone(0))) for k, folder in enumerate(folders))
    assert not list(tmp_path.rglob(".part-*"))


# What lies beside a save


def test_files_of_a_strangers_data_set_are_neither_taken_nor_touched(tmp_path: Path) -> None:
    """Beside ours: labels and a cloth mask of our very name, and a whole person of another."""
    write_image(tmp_path / "image" / "other.jpg", picture(2))
    write_image(tmp_path / "image-parse-v3" / "other.png", np.full(SHAPE, 7, np.uint8))
    write_image(tmp_path / "image-parse-v3" / "person.png", np.full(SHAPE, 7, np.uint8))
    write_mask(tmp_path / "garment-mask" / "person" / "their coat.png", np.ones(SHAPE, bool))
    write_mask(tmp_path / "cloth-mask" / "top.jpg", np.ones(SHAPE, bool))
    before = snapshot(tmp_path)
    path, cloth = BARE.save(tmp_path), Garment(picture(1), name="top").save(tmp_path)
    assert same(load_person(path), BARE)
    assert load_garment(cloth).mask is None
    someone(1, ("a coat",)).save(tmp_path, "third")
    BARE.save(tmp_path)
    after = snapshot(tmp_path)
    assert {name: after[name] for name in before} == before
    assert (load_person(tmp_path / "image" / "other.jpg").labels == 7).all()


def test_a_folder_without_manifests_is_read_by_presence(tmp_path: Path) -> None:
    path = someone(0, ("a-top",)).save(tmp_path)
    shutil.rmtree(tmp_path / "saved")
    assert same(load_person(path), someone(0, ("a-top",)))
    write_image(path, picture(3))
    with pytest.raises(ValueError, match=r"lossless.person\.png shows another picture than .*person\.jpg"):
        load_person(path)


def test_another_picture_of_a_saved_name_comes_alone(tmp_path: Path) -> None:
    someone().save(tmp_path)
    found = load_person(write_image(tmp_path / "image" / "person.png", picture(2)))
    assert (found.image == picture(2)).all()
    assert found.labels is None


TOUCHED: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "picture replaced": ("image/person.jpg", lambda p: write_image(p, picture(2)), "belongs to another save"),
    "labels replaced": ("image-parse-v3/person.png", lambda p: write_image(p, picture(2)[..., 0]), "belongs to another save"),
    "labels emptied": ("image-parse-v3/person.png", lambda p: p.write_bytes(b""), "belongs to another save"),
    "joints edited": ("openpose_json/person_keypoints.json", lambda p: p.write_text("{}"), "belongs to another save"),
    "scene edited": ("scene/person.json", lambda p: p.write_text("[]"), "belongs to another save"),
    "garment replaced": ("garment-mask/person/a-top.png", lambda p: write_mask(p, ~someone().mask), "belongs to another save"),
    "depth gone": ("depth/person.png", Path.unlink, "is missing"),
    "picture gone": ("image/person.jpg", Path.unlink, "is missing"),
    "a folder instead": ("depth/person.png", lambda p: (p.unlink(), p.mkdir()), "is missing"),
    "a link to nothing": ("depth/person.png", lambda p: (p.unlink(), p.symlink_to("none")), "is missing"),
    "a pipe": ("depth/person.png", lambda p: (p.unlink(), os.mkfifo(p)), "is missing"),
}


@pytest.mark.parametrize(("file", "touch", "words"), TOUCHED.values(), ids=TOUCHED)
def test_a_file_that_was_changed_by_hand_is_named(
    tmp_path: Path, file: str, touch: Callable[[Path], object], words: str
) -> None:
    run = start(tmp_path)
    path = run.save_person(someone())
    touch(run.folder / file)
    with pytest.raises(ValueError, match=words) as error:
        run.person()
    message = str(error.value)
    assert str(run.folder / file) in message
    assert "Run 01_generate again, or delete" in message
    assert str(Path("saved", "person", "person.json")) in message
    if not (run.folder / file).is_dir():
        run.save_person(BARE)
        assert same(load_person(path), BARE)


def manifest(**changes: Any) -> str:
    return json.dumps({"words": "person", "files": {"image/person.jpg": "0" * 64}, **changes})


MANIFESTS = {
    "empty": "",
    "text": "hello",
    "list": "[]",
    "no words": json.dumps({"files": {"image/person.jpg": "0" * 64}}),
    "no files": manifest(files={}),
    "files a list": manifest(files=["image/person.jpg"]),
    "digest a number": manifest(files={"image/person.jpg": 7}),
    "digest cut": manifest(files={"image/person.jpg": "0" * 63}),
    "up": manifest(files={"../person.jpg": "0" * 64}),
    "up below": manifest(files={"image/../person.jpg": "0" * 64}),
    "absolute": manifest(files={"/etc/person": "0" * 64}),
    "backslash": manifest(files={"image\\..\\person.jpg": "0" * 64}),
    "another's": manifest(files={"image/other.jpg": "0" * 64}),
    "one that begins alike": manifest(files={"image/person2.jpg": "0" * 64}),
    "our own list": manifest(files={"saved/person/person.json/x": "0" * 64}),
    "another's list": manifest(gone={"saved/person/other.json": "0" * 64}),
    "of another kind": manifest(files={"image/person.exe": "0" * 64}),
    "gone one that begins alike": manifest(gone={"image/person-2.jpg": "0" * 64}),
    "gone up": manifest(gone={"../person.txt": "0" * 64}),
    "gone a list": manifest(gone=["image/other.jpg"]),
    "staged elsewhere": manifest(staged="../outside"),
    "staged a folder of ours": manifest(staged="image"),
    "staged up from a part": manifest(staged=".part-00000000-1-x/../.."),
    "staged a number": manifest(staged=7),
    "names a list": manifest(names=["x"]),
    "names of no files": manifest(names={"/etc/person.png": "x"}),
    "deep": "[" * 100_000,
    "not utf-8": "\xff\xfe",
}


@pytest.mark.parametrize("content", MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_that_is_none_is_named_and_does_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "person.txt").write_text("kept")
    (tmp_path / "outside" / "image").mkdir(parents=True)
    (tmp_path / "outside" / "image" / "person.jpg").write_text("kept")
    run = start(tmp_path)
    run.save_person(BARE)
    path = run.path("saved", "person", "person.json")
    path.write_bytes(content.encode("latin-1"))
    before = snapshot(tmp_path)
    with pytest.raises(ValueError, match=r"Run 01_generate again, or delete that file") as error:
        run.person()
    assert str(path) in str(error.value)
    start(tmp_path)
    assert snapshot(tmp_path) == before
    run.save_person(someone(1))
    assert same(run.person(), someone(1))


def test_two_processes_saving_one_name_leave_one_of_both_whole(tmp_path: Path) -> None:
    people = [someone(seed, (f"garment {seed}",)) for seed in range(3)]
    threads = [threading.Thread(target=person.save, args=(tmp_path,)) for person in people for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = load_person(tmp_path / "image" / "person.jpg")
    assert sum(same(found, person) for person in people) == 1
    assert not list(tmp_path.glob(".part-*"))


# What killed processes leave


def part(folder: Path, pid: int | None, kind: str = "file", host: str | None = None) -> Path:
    name = ".part-abc12345.png" if pid is None else f".part-{host or files._host()}-{pid}-abc.png"
    path = folder / "deep" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "file":
        path.write_bytes(b"half")
    elif kind == "link":
        path.symlink_to(folder / "kept")
    else:
        (path / "image").mkdir(parents=True)
        (path / "image" / "person.jpg").write_bytes(b"half")
    return path


LEFT: dict[str, tuple[dict[str, Any], bool]] = {
    "of a dead process": ({"pid": "dead"}, False),
    "of an older version": ({"pid": None}, False),
    "a folder of a dead process": ({"pid": "dead", "kind": "folder"}, False),
    "a link of a dead process": ({"pid": "dead", "kind": "link"}, False),
    "of a living process": ({"pid": "own"}, True),
    "a folder of a living process": ({"pid": "own", "kind": "folder"}, True),
    "somebody's folder": ({"pid": None, "kind": "folder"}, True),
    "of another machine, just now": ({"pid": "dead", "host": "0" * 8}, True),
    "of another machine, long ago": ({"pid": "dead", "host": "0" * 8, "age": 3e5}, False),
    "of a number given again": ({"pid": "own", "age": 3e8}, False),
}


@pytest.mark.parametrize(("what", "stays"), LEFT.values(), ids=LEFT)
def test_parts_without_an_owner_are_swept_at_the_start(tmp_path: Path, what: dict[str, Any], stays: bool) -> None:
    folder = tmp_path / "a-run"
    folder.mkdir()
    (folder / "kept").write_text("kept")
    what = {**what}
    age = what.pop("age", 0)
    what["pid"] = {"dead": _DEAD, "own": os.getpid()}.get(what["pid"], what["pid"])
    path = part(folder, **what)
    if age:
        os.utime(path, (path.stat().st_atime - age, path.stat().st_mtime - age))
    start(tmp_path)
    assert os.path.lexists(path) == stays
    assert (folder / "kept").read_text() == "kept"


# metrics.json

DAMAGED: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n",
    "cut": b'{"01_generate": {"metr',
    "text": b"hello",
    "html": b"<html>404</html>",
    "list": b"[]",
    "number": b"7",
    "null": b"null",
    "text in quotes": b'"metrics"',
    "section a list": b'{"01_generate": []}',
    "section a number": b'{"01_generate": 3}',
    "not utf-8": b'{"a": {"b": "\xff\xfe"}}',
    "utf-16": '{"a": {}}'.encode("utf-16"),
    "zeros": bytes(4096),
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "long number": b'{"a": {"b": ' + b"9" * 5000 + b"}}",
    "two documents": b"{}{}",
    "nested beyond reading": b'{"a": ' + b'{"b": ' * 200 + b"1" + b"}" * 201,
    "conflict of git": b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_metrics_file_is_named_at_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a-run").mkdir()
    path = tmp_path / "a-run" / "metrics.json"
    path.write_bytes(content)
    before = snapshot(tmp_path)
    with pytest.raises(ValueError, match=r"^metrics: .*metrics\.json.*") as error:
        start(tmp_path)
    assert str(error.value).endswith("Move it away or delete it, and run again.")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("kind", ["folder", "link to nothing", "pipe"])
def test_metrics_that_are_no_file_are_named_at_the_start(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a-run" / "metrics.json"
    path.parent.mkdir()
    {"folder": path.mkdir, "link to nothing": lambda: path.symlink_to("none"), "pipe": lambda: os.mkfifo(path)}[kind]()
    with pytest.raises(ValueError, match=r"^metrics: .*metrics\.json is damaged"):
        start(tmp_path)


def test_a_huge_metrics_file_is_named_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "a-run").mkdir()
    with (tmp_path / "a-run" / "metrics.json").open("wb") as file:
        file.truncate(10**9)  # of holes
    with pytest.raises(ValueError, match=r"holds more than \d+ MB"):
        start(tmp_path)


@dataclasses.dataclass
class Fields:
    name: str
    value: float


class Odd:
    def __str__(self) -> str:
        return "odd"


class Silent:
    def __str__(self) -> str:
        raise RuntimeError


ROUND: list[Any] = []
ROUND.append(ROUND)
DEEP: list[Any] = []
for _ in range(2000):
    DEEP = [DEEP]

VALUES: dict[str, tuple[Any, Any]] = {
    "nan": (math.nan, None),
    "infinity": (math.inf, None),
    "minus infinity": (-math.inf, None),
    "numpy nan": (np.float32("nan"), None),
    "numpy infinity": (np.float64("inf"), None),
    "numpy float": (np.float32(0.5), 0.5),
    "numpy int": (np.int64(7), 7),
    "numpy bool": (np.bool_(True), True),
    "numpy text": (np.str_("a"), "a"),
    "array": (np.array([[1.5, np.nan]]), [[1.5, None]]),
    "array of bool": (np.array([True, False]), [True, False]),
    "array of one": (np.array(3), 3),
    "array of objects": (np.array([1, "a", None], object), [1, "a", None]),
    "nested nan": ({"a": [1, (math.nan,)]}, {"a": [1, [None]]}),
    "tuple": ((1, 2), [1, 2]),
    "set": ({3, 1, 2}, [1, 2, 3]),
    "frozen set": (frozenset({"b", "a"}), ["a", "b"]),
    "range": (range(3), [0, 1, 2]),
    "keys": ({"a": 1}.keys(), ["a"]),
    "values": ({"a": 1}.values(), [1]),
    "path": (Path("a") / "b", str(Path("a") / "b")),
    "fields": (Fields("a", math.inf), {"name": "a", "value": None}),
    "bytes": (b"ab", "b'ab'"),
    "complex": (1 + 2j, "(1+2j)"),
    "other things": (Odd(), "odd"),
    "what has no words": (Silent(), "a Silent"),
    "a generator": ((n for n in range(3)), "a generator"),
    "a thing with an address": (object(), "a object"),
    "not a time": (np.datetime64("NaT"), None),
    "masked": (np.ma.array([1, 2], mask=[False, True]), [1, None]),
    "class": (int, "<class 'int'>"),
    "half a character": ("a\ud800b", "a?b"),
    "half a character as a key": ({"a\ud800": 1}, {"a?": 1}),
    "number keys": ({1: "a", 2.5: "b"}, {"1": "a", "2.5": "b"}),
    "an empty key": ({"": 1}, {"": 1}),
    "none and bool keys": ({None: 1, True: 2}, {"None": 1, "True": 2}),
    "tuple keys": ({(1, 2): 3}, {"(1, 2)": 3}),
    "path keys": ({Path("a"): 1}, {"a": 1}),
    "a large number": (10**30, str(10**30)),
    "a seed of 64 bits": (2**63 - 1, 2**63 - 1),
    "an absurd number": (10**5000, hex(10**5000)),
    "nul": ("a\0b", "a\0b"),
    "nothing": (None, None),
    "empty": ([{}, [], ""], [{}, [], ""]),
}
REFUSED: dict[str, tuple[Any, str]] = {
    "itself": (ROUND, r"metrics\.value\[0\] contains itself"),
    "deep": (DEEP, r"nested more than 64 deep"),
    "two keys of one text": ({1: "a", "1": "b"}, r"metrics\.value has two keys that are the same as text"),
    "a picture": (np.zeros((400, 400, 3)), r"metrics\.value holds 480,000 values"),
    "a long range": (range(10**12), r"metrics\.value holds 1,000,000,000,000 values"),
}


@pytest.mark.parametrize(("value", "written"), VALUES.values(), ids=VALUES)
def test_metrics_are_json_that_every_reader_takes(tmp_path: Path, value: Any, written: Any) -> None:
    returned = start(tmp_path).finish(value=value)

    def strict(text: str) -> None:
        raise AssertionError(text)

    content = (tmp_path / "a-run" / "metrics.json").read_bytes()
    content.decode("ascii")
    read = json.loads(content, parse_constant=strict)["99_test"]
    assert read["metrics"] == {"value": written}
    assert returned["metrics"] == {"value": written}


@pytest.mark.parametrize(("value", "words"), REFUSED.values(), ids=REFUSED)
def test_metrics_that_no_json_holds_are_refused_by_name(tmp_path: Path, value: Any, words: str) -> None:
    run = start(tmp_path)
    run.finish(good=1)
    before = (run.folder / "metrics.json").read_bytes()
    with pytest.raises(ValueError, match=words):
        run.finish(value=value)
    assert (run.folder / "metrics.json").read_bytes() == before


def test_older_sections_stay_and_become_plain(tmp_path: Path) -> None:
    (tmp_path / "a-run").mkdir()
    (tmp_path / "a-run" / "metrics.json").write_text('\ufeff{"01": {"metrics": {"a": NaN, "b": 1e999}}}', encoding="utf-8")
    start(tmp_path).finish()
    assert json.loads((tmp_path / "a-run" / "metrics.json").read_text())["01"] == {"metrics": {"a": None, "b": None}}


def test_runs_that_finish_together_lose_no_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
import sys
from pathlib import Path
from helpers import machine
from test_hostile_run_folder import start
machine.environment = dict
for number in range(8):
    start(Path(sys.argv[1]), notebook=f"{sys.argv[2]}-{number}").finish(value=number)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen([*command, name], env=environment, stdout=subprocess.DEVNULL) for name in "ab"]
    monkeypatch.setattr(runs.machine, "environment", dict)
    threads = [threading.Thread(target=lambda n=n: start(tmp_path, notebook=f"thread-{n}").finish(value=n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    assert len(json.loads((tmp_path / "a-run" / "metrics.json").read_text())) == 2 * 8 + 8


# Folders that cannot be written


def _full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    usage = shutil.disk_usage(folder)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    return folder


def _read_only(folder: Path, monkeypatch: pytest.MonkeyPatch, code: int = errno.EROFS) -> Path:
    monkeypatch.setattr(files.tempfile, "TemporaryFile", lambda **_: _refused(code=code))
    return folder


def _link(path: Path, target: str | Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def _file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("kept")
    return path


FOLDERS: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], Path], str]] = {
    "a file in its place": (lambda p, _: _file(p / "out"), "is no folder"),
    "a file on the way": (lambda p, _: _file(p / "out") / "deep" / "deeper", "is no folder"),
    "a file for the run": (lambda p, _: _file(p / "out" / "a-run").parent, "is no folder"),
    "a link to nothing": (lambda p, _: _link(p / "out", "none"), r"none|link to nothing"),
    "a link to nothing for the run": (lambda p, _: _link(p / "out" / "a-run", "none").parent, "link to nothing"),
    "a link to itself": (lambda p, _: _link(p / "out", "out"), "outputs"),
    "a link of the run out": (lambda p, _: _link(p / "out" / "a-run", p / "elsewhere").parent, "outside"),
    "a link of the run to a file": (
        lambda p, _: _link(p / "out" / "a-run", _file(p / "elsewhere-file")).parent,
        "is no folder",
    ),
    "a link to a file": (lambda p, _: _link(p / "out", _file(p / "elsewhere-file")), "is no folder"),
    "a pipe": (lambda p, _: os.mkfifo(p / "out") or p / "out", "is no folder"),
    "a name too long": (lambda p, _: p / ("x" * 300), "too long"),
    "a path too long": (lambda p, _: p.joinpath(*["x" * 200] * 30), "too long"),
    "a full disk": (_full, "0 MB are free"),
    "a read-only disk": (_read_only, "Read-only"),
    "a spent quota": (lambda p, m: _read_only(p, m, errno.EDQUOT), "uota"),
    "no space for a byte": (lambda p, m: _read_only(p, m, errno.ENOSPC), "No space"),
    "a device": (lambda p, _: Path(os.devnull), "is no folder"),
    "nul": (lambda p, _: p / "a\0b", "outputs"),
}


@pytest.mark.parametrize(("make", "words"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_that_cannot_be_written_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[..., Path], words: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    outputs = make(tmp_path, monkeypatch)
    before = snapshot(tmp_path)
    with pytest.raises(ValueError, match=words) as error:
        start(outputs)
    assert str(error.value).startswith(("outputs", "run"))
    assert snapshot(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is write-protected here")
def test_a_write_protected_folder_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    with pytest.raises(ValueError, match="write-protected"):
        start(tmp_path / "closed")


def test_a_refused_run_leaves_former_results_alone(tmp_path: Path) -> None:
    run = start(tmp_path)
    run.save_person(someone())
    run.finish(value=1)
    before = snapshot(tmp_path)
    for changes in ({"seed": -1}, {"run": "../a-run"}, {"seed": "x"}):
        with pytest.raises(ValueError, match=next(iter(changes))):
            runs.start("99_test", {"run": "a-run", "seed": 3, "outputs": str(tmp_path), **changes})
    assert snapshot(tmp_path) == before

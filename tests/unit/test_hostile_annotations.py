"""What is known of a person or a garment, odd or damaged: given by hand, in a data set from elsewhere, in a run's folder.

Every table is extended by a line: its name, the input, and words of the message.
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers import Garment, Person, load_garment, load_person, runs
from helpers.files import write_text, write_whole
from helpers.images import digest, write_image, write_mask
from helpers.widgets import click_files

SHAPE = (64, 72)
PICTURE = np.full((*SHAPE, 3), 90, np.uint8)
NOISE = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
MASK = np.zeros(SHAPE, bool)
MASK[8:40, 8:40] = True
JOINTS = np.full((25, 3), 0.5, np.float32)


def joint(place: int, value: float, dtype: type = np.float32) -> np.ndarray:
    joints = JOINTS.astype(dtype)
    joints[3, place] = value
    return joints


def filled(value: float, dtype: type = np.float32, channels: tuple[int, ...] = ()) -> np.ndarray:
    values = np.zeros((*SHAPE, *channels), dtype)
    values[5, 5] = value
    return values


ROUND: dict[str, Any] = {}
ROUND["again"] = ROUND

BY_HAND: dict[str, tuple[dict[str, Any], str]] = {
    "joints nan": ({"keypoints": joint(0, math.nan)}, "person keypoints must be"),
    "joints infinite": ({"keypoints": joint(1, math.inf)}, "person keypoints must be"),
    "joints of 1e300": ({"keypoints": joint(0, 1e300, np.float64)}, "person keypoints must be"),
    "joints of -1e30": ({"keypoints": joint(0, -1e30)}, "person keypoints must be"),
    "confidence 2": ({"keypoints": joint(2, 2)}, "person keypoints must be confidences"),
    "confidence -0.1": ({"keypoints": joint(2, -0.1)}, "person keypoints must be confidences"),
    "confidence nan": ({"keypoints": joint(2, math.nan)}, "person keypoints"),
    "joints a list": ({"keypoints": JOINTS.tolist()}, "person keypoints must be a float32 array"),
    "joints whole numbers": ({"keypoints": JOINTS.astype(int)}, "person keypoints must be float32"),
    "joints of half precision": ({"keypoints": JOINTS.astype(np.float16)}, "person keypoints must be float32"),
    "joints as objects": ({"keypoints": JOINTS.astype(object)}, "person keypoints must be float32"),
    "joints complex": ({"keypoints": JOINTS.astype(complex)}, "person keypoints must be float32"),
    "eighteen joints": ({"keypoints": JOINTS[:18]}, "BODY_25"),
    "joints without confidence": ({"keypoints": JOINTS[:, :2]}, "BODY_25"),
    "joints flat": ({"keypoints": JOINTS.ravel()}, "BODY_25"),
    "no joints": ({"keypoints": JOINTS[:0]}, "BODY_25"),
    "labels float": ({"labels": filled(5)}, "person labels must be uint8"),
    "labels int64": ({"labels": filled(5, np.int64)}, "person labels must be uint8"),
    "labels bool": ({"labels": MASK}, "person labels must be uint8"),
    "label 20": ({"labels": filled(20, np.uint8)}, "person labels must be CIHP labels, all from 0 to 19; it holds 20"),
    "label 255": ({"labels": filled(255, np.uint8)}, "it holds 255"),
    "labels in colour": ({"labels": filled(5, np.uint8, (3,))}, "person labels must have shape"),
    "labels of another size": ({"labels": np.zeros((72, 64), np.uint8)}, "person labels must have shape"),
    "labels a list": ({"labels": filled(5, np.uint8).tolist()}, "person labels must be a uint8 array"),
    "densepose float": ({"densepose": filled(5, np.float32, (3,))}, "person densepose must be uint8"),
    "densepose part 25": ({"densepose": filled(25, np.uint8, (3,))}, "person densepose must be parts, all from 0 to 24"),
    "densepose parts alone": ({"densepose": filled(5, np.uint8)}, "person densepose must have shape"),
    "depth nan": ({"depth": filled(math.nan)}, "person depth must be metres"),
    "depth infinite": ({"depth": filled(math.inf)}, "person depth must be metres"),
    "depth negative": ({"depth": filled(-1)}, "person depth must be metres"),
    "depth 1e30": ({"depth": filled(1e30)}, "person depth must be metres"),
    "depth millimetres": ({"depth": filled(2500, np.uint16)}, "person depth must be float32"),
    "depth with a channel": ({"depth": filled(1, np.float32, (1,))}, "person depth must have shape"),
    "depth a text": ({"depth": "depth.png"}, "person depth must be a float32 array"),
    "normals 0 to 255": ({"normals": filled(128, np.uint8, (3,))}, "person normals must be float32"),
    "normals long": ({"normals": filled(2, np.float32, (3,))}, "person normals must be unit vectors"),
    "normals nan": ({"normals": filled(math.nan, np.float32, (3,))}, "person normals must be unit vectors"),
    "mask of bytes": ({"mask": MASK.astype(np.uint8)}, "person mask must be bool"),
    "mask of another size": ({"mask": MASK.T}, "person mask"),
    "garments a list": ({"garments": [MASK]}, "person garments must be a dict"),
    "garments none": ({"garments": None}, "person garments must be a dict"),
    "garment without a name": ({"garments": {7: MASK}}, "a name in person garments must be text"),
    "garment of another size": ({"garments": {"top": MASK.T}}, r"person garments\['top'\]"),
    "garment of bytes": ({"garments": {"top": MASK.astype(np.uint8)}}, r"person garments\['top'\] must be bool"),
    "garment a picture": ({"garments": {"top": PICTURE}}, r"person garments\['top'\]"),
    "scene a list": ({"scene": []}, "person scene must be a dict"),
    "scene none": ({"scene": None}, "person scene must be a dict"),
    "scene text": ({"scene": "{}"}, "person scene must be a dict"),
    "scene itself": ({"scene": ROUND}, "contains itself"),
    "scene nan": ({"scene": {"camera": [math.nan]}}, r"person scene\['camera'\]\[0\] is nan"),
    "scene of numbers": ({"scene": {1: 2}}, "keys must be text"),
    "scene with an array": ({"scene": {"camera": JOINTS}}, r"person scene\['camera'\] is a ndarray"),
    "scene with a path": ({"scene": {"file": Path("a")}}, r"person scene\['file'\] is a"),
    "scene with a set": ({"scene": {"a": {1}}}, r"person scene\['a'\] is a set"),
    "scene with bytes": ({"scene": {"a": b"x"}}, r"person scene\['a'\] is a bytes"),
    "scene with an absurd number": ({"scene": {"seed": 10**5000}}, "more digits"),
    "outfit a text": ({"scene": {"outfit": "a top"}}, r"person scene\['outfit'\]"),
    "outfit a list": ({"scene": {"outfit": ["a top"]}}, r"person scene\['outfit'\]"),
    "unknown words a number": ({"scene": {"outfit": {"unknown": 3}}}, r"person scene\['outfit'\]"),
    "annotations a dict": ({"scene": {"annotations": {"licence": "x"}}}, r"person scene\['annotations'\]"),
    "annotations of texts": ({"scene": {"annotations": ["mit"]}}, r"person scene\['annotations'\]"),
    "an engine of numbers": ({"scene": {"annotations": [{"licence": "x", "engine": 3}]}}, r"person scene\['annotations'\]"),
    "made is a number": ({"scene": {"annotations": [{"licence": "x", "made": 3}]}}, r"person scene\['annotations'\]"),
    "a licence of numbers": ({"scene": {"annotations": [{"licence": 3}]}}, r"person scene\['annotations'\]"),
    "people a text": ({"scene": {"people": "two"}}, r"person scene\['people'\]"),
    "not read a number": ({"scene": {"not read": 3}}, r"person scene\['not read'\]"),
}


@pytest.mark.parametrize(("known", "words"), BY_HAND.values(), ids=BY_HAND)
def test_an_annotation_by_hand_that_is_none_is_named(known: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Person(PICTURE, **known)


FITTING: dict[str, dict[str, Any]] = {
    "joints of double precision": {"keypoints": JOINTS.astype(np.float64)},
    "joints outside the picture": {"keypoints": joint(0, -300)},
    "labels turned": {"labels": np.asfortranarray(filled(19, np.uint8))},
    "depth far": {"depth": filled(65)},
    "nothing worn": {"garments": {"top": ~MASK & MASK}},
    "scene of tuples": {"scene": {"size": (3, 4), "deep": {"a": [None, True, 1.5, "x"]}}},
    "scene of an own engine": {"scene": {"outfit": {"kind": "coat"}, "annotations": ()}},
}


@pytest.mark.parametrize("known", FITTING.values(), ids=FITTING)
def test_what_fits_is_saved_and_comes_back(tmp_path: Path, known: dict[str, Any]) -> None:
    person = Person(PICTURE, **known)
    back = load_person(person.save(tmp_path))
    for name, value in known.items():
        if isinstance(value, np.ndarray):
            assert np.allclose(getattr(back, name), value, atol=0.01)
        elif name == "scene":
            assert back.scene == json.loads(json.dumps(value))
        else:
            assert list(back.garments) == list(value)


GARMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "mask of bytes": ({"mask": MASK.astype(np.uint8)}, "garment mask must be bool"),
    "mask of another size": ({"mask": MASK.T}, "garment mask"),
    "mask empty": ({"mask": MASK & False}, "garment mask is empty"),
    "inside of another size": ({"inside": MASK.T}, "garment inside"),
    "inside a list": ({"inside": MASK.tolist()}, "garment inside must be a bool array"),
    "no category": ({"category": "hat"}, "category must be"),
    "no name": ({"name": None}, "garment name must be text"),
}


@pytest.mark.parametrize(("known", "words"), GARMENTS.values(), ids=GARMENTS)
def test_a_garment_by_hand_that_is_none_is_named(known: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Garment(PICTURE, **known)


# Files


def grey(values: np.ndarray) -> Callable[[Path], object]:
    return lambda path: write_image(path, values)


def text(content: object) -> Callable[[Path], object]:
    return lambda path: write_text(path, content if isinstance(content, str) else json.dumps(content))


def raw(content: bytes) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return write


def pose(values: object) -> Callable[[Path], object]:
    return text({"people": [{"pose_keypoints_2d": values}]})


def part(name: str, x: object = 20) -> dict[str, object]:
    return {"part": name, "score": 0.9, "position": {"x": x, "y": 30}}


def moved(place: int, value: object) -> list[object]:
    values: list[object] = [0.5] * 75
    values[place] = value
    return values


def palette(path: Path) -> None:
    picture = Image.fromarray(filled(7, np.uint8))
    picture.putpalette([9, 9, 9] * 256)
    write_whole(path, picture.save)


def cut(path: Path) -> None:
    path.write_bytes(write_image(path, NOISE).read_bytes()[:-200])


def nothing(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("none")


def folder(path: Path) -> None:
    path.mkdir(parents=True)


def pipe(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


LABELS, POSE, DEPTH = "image-parse-v3/p.png", "openpose_json/p_keypoints.json", "depth/p.png"
FILES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "labels in colour": (LABELS, grey(PICTURE)),
    "labels above 19": (LABELS, grey(filled(20, np.uint8))),
    "labels of 16 bits": (LABELS, grey(filled(5, np.uint16))),
    "labels of another size": (LABELS, grey(np.zeros((72, 64), np.uint8))),
    "labels cut": (LABELS, cut),
    "labels empty": (LABELS, raw(b"")),
    "labels a page": (LABELS, raw(b"<html>404</html>")),
    "labels a folder": (LABELS, folder),
    "labels a link to nothing": (LABELS, nothing),
    "joints a link to nothing": (POSE, nothing),
    "labels a pipe": (LABELS, pipe),
    "labels of HR-VITON above 19": ("image-parse/p.png", grey(filled(99, np.uint8))),
    "pose empty": (POSE, raw(b"")),
    "pose text": (POSE, text("hello")),
    "pose a list": (POSE, text([])),
    "pose without people": (POSE, text({"version": 1.3})),
    "pose of a number of people": (POSE, text({"people": 3})),
    "pose of people in words": (POSE, text({"people": ["me"]})),
    "pose without joints": (POSE, text({"people": [{}]})),
    "pose of 17 without names": (POSE, pose([0.5] * 51)),
    "pose of VITON's old key and 19": (POSE, text({"people": [{"pose_keypoints": [0.5] * 57}]})),
    "pose of 18 with a confidence of 3": (POSE, pose([0.5] * 53 + [3])),
    "pose of VITON's old folder": ("pose/p_keypoints.json", pose([0.5] * 10)),
    "pose of PoseNet without parts": (POSE, text({"score": 1, "keypoints": []})),
    "pose of PoseNet as a number": (POSE, text({"keypoints": 3})),
    "pose of PoseNet in a list of words": (POSE, text(["keypoints"])),
    "pose of PoseNet with a tail": (POSE, text({"keypoints": [part("nose"), part("tail")]})),
    "pose of PoseNet in texts": (POSE, text({"keypoints": [part("nose", "3")]})),
    "pose of PoseNet far away": (POSE, text({"keypoints": [part("nose", 1e9)]})),
    "pose of COCO's own": (POSE, text({"keypoints": [0.5] * 51, "num_keypoints": 17})),
    "pose of 74 numbers": (POSE, pose([0.5] * 74)),
    "pose of texts": (POSE, pose(["0.5"] * 75)),
    "pose nested": (POSE, pose([[0.5, 0.5, 0.5]] * 25)),
    "pose of null": (POSE, pose(moved(4, None))),
    "pose of bool": (POSE, pose([True] * 75)),
    "pose an object": (POSE, pose({"0": 1})),
    "pose nan": (POSE, pose(moved(4, math.nan))),
    "pose infinite": (POSE, pose(moved(4, math.inf))),
    "pose of 1e300": (POSE, pose(moved(4, 1e300))),
    "pose of 1e999": (POSE, text('{"people": [{"pose_keypoints_2d": [' + "1e999," * 74 + "0]}]}")),
    "pose of a larger picture": (POSE, pose([900, 1200, 0.9] * 25)),
    "pose of a number of many digits": (POSE, text('{"people": [{"pose_keypoints_2d": [' + "9" * 5000 + "]}]}")),
    "pose of a huge number": (POSE, pose(moved(4, 10**400))),
    "pose of a negative confidence": (POSE, pose(moved(5, -0.5))),
    "pose of a confidence of 3": (POSE, pose(moved(5, 3))),
    "pose deep": (POSE, text("[" * 100_000)),
    "pose not utf-8": (POSE, raw(b'{"people": "\xff\xfe"}')),
    "pose a pipe": (POSE, pipe),
    "pose of the older folder": ("openpose-json/p_keypoints.json", text([])),
    "densepose grey": ("densepose-iuv/p.png", grey(filled(5, np.uint8))),
    "densepose part 25": ("densepose-iuv/p.png", grey(filled(25, np.uint8, (3,)))),
    "densepose of another size": ("densepose-iuv/p.png", grey(np.zeros((72, 64, 3), np.uint8))),
    "depth of 8 bits": (DEPTH, grey(filled(5, np.uint8))),
    "depth in colour": (DEPTH, grey(PICTURE)),
    "depth of another size": (DEPTH, grey(np.zeros((72, 64), np.uint16))),
    "depth cut": (DEPTH, cut),
    "depth a text": (DEPTH, raw(b"2.5")),
    "normals grey": ("normals/p.png", grey(filled(5, np.uint8))),
    "normals of 16 bits": ("normals/p.png", grey(filled(5, np.uint16))),
    "normals of another size": ("normals/p.png", grey(np.zeros((72, 64, 3), np.uint8))),
    "person mask a photograph": ("person-mask/p.png", grey(NOISE)),
    "person mask of another size": ("person-mask/p.png", lambda p: write_mask(p, MASK.T)),
    "garment mask a photograph": ("garment-mask/p/top.png", grey(NOISE)),
    "garment mask of another size": ("garment-mask/p/top.png", lambda p: write_mask(p, MASK.T)),
    "garment mask a text": ("garment-mask/p/notes.png", raw(b"hello")),
    "garment mask a folder": ("garment-mask/p/old.png", folder),
    "garment mask a link to nothing": (
        "garment-mask/p/old.png",
        lambda p: (p.parent.mkdir(parents=True), p.symlink_to("none")),
    ),
    "labels a link to a device": (LABELS, lambda p: (p.parent.mkdir(), p.symlink_to("/dev/zero"))),
    "pose a link to a device": (POSE, lambda p: (p.parent.mkdir(), p.symlink_to("/dev/zero"))),
    "labels black or white": (LABELS, lambda p: write_whole(p, Image.new("1", SHAPE[::-1]).save)),
    "labels with opacity": (LABELS, lambda p: write_whole(p, Image.new("LA", SHAPE[::-1]).save)),
    "densepose with opacity": ("densepose-iuv/p.png", grey(filled(5, np.uint8, (4,)))),
    "scene null": ("scene/p.json", text("null")),
    "scene of UTF-16": ("scene/p.json", raw('{"a": 1}'.encode("utf-16"))),
    "scene of a long number": ("scene/p.json", text('{"seed": ' + "9" * 400 + "}")),
    "scene a list": ("scene/p.json", text([])),
    "scene deep": ("scene/p.json", text('{"a":' * 50_000)),
    "scene deep and whole": ("scene/p.json", text('{"a":' * 90 + "1" + "}" * 90)),
    "scene nan": ("scene/p.json", text('{"a": NaN}')),
    "scene of 1e999": ("scene/p.json", text('{"a": 1e999}')),
    "scene empty": ("scene/p.json", raw(b"")),
    "scene with an outfit in words": ("scene/p.json", text({"outfit": "a top"})),
    "scene with annotations in words": ("scene/p.json", text({"annotations": "mit"})),
    "lossless of another size": ("lossless/p.png", grey(np.zeros((72, 64, 3), np.uint8))),
    "lossless another picture": ("lossless/p.png", grey(255 - PICTURE)),
    "lossless cut": ("lossless/p.png", cut),
}


@pytest.mark.parametrize(("file", "write"), FILES.values(), ids=FILES)
def test_an_odd_file_of_a_person_is_named_with_the_remedy(tmp_path: Path, file: str, write: Callable[[Path], object]) -> None:
    """In a data set from elsewhere, and in a run's folder."""
    run = runs.start("99_test", {"run": "a-run", "seed": 1, "outputs": str(tmp_path)})
    path = write_image(run.folder / "image" / "p.jpg", PICTURE)
    write(run.folder / file)
    for read in (lambda: load_person(path), lambda: run.person("p")):
        with pytest.raises(ValueError, match=r"again|[Dd]elete|needed|Save it") as error:
            read()
        assert str(run.folder / file) in str(error.value)


READ: dict[str, tuple[str, Callable[[Path], object], Callable[[Person], bool]]] = {
    "labels grey": (LABELS, grey(filled(19, np.uint8)), lambda p: p.labels[5, 5] == 19),
    "labels of an odd palette": (LABELS, palette, lambda p: p.labels[5, 5] == 7),
    "nobody": (POSE, text({"people": []}), lambda p: p.keypoints is None),
    "whole numbers": (POSE, pose([1] * 75), lambda p: (p.keypoints == 1).all()),
    "18 joints": (POSE, pose([1] * 54), lambda p: (p.keypoints[:19] == 1).all() and not p.keypoints[19:].any()),
    "VITON's old key": (
        "pose/p_keypoints.json",
        text({"people": [{"pose_keypoints": [7, 9, 1] * 18}]}),
        lambda p: p.keypoints[14].tolist() == [7, 9, 1],
    ),
    "PoseNet's": (
        POSE,
        text({"score": 0.9, "keypoints": [part("nose"), part("leftEye", 25)]}),
        lambda p: p.keypoints[16, 0] == 25,
    ),
    "PoseNet's poses": (
        POSE,
        text([{"keypoints": [part("leftHip", 5), part("rightHip", 7)]}]),
        lambda p: p.keypoints[8, 0] == 6,
    ),
    "a peak that overshoots": (POSE, pose(moved(5, 1.03)), lambda p: p.keypoints[1, 2] == 1),
    "byte order mark": (POSE, raw(b"\xef\xbb\xbf" + json.dumps({"people": []}).encode()), lambda p: p.keypoints is None),
    "no garments": ("garment-mask/p", folder, lambda p: p.garments == {}),
    "hidden files of a Mac": ("garment-mask/p/._top.png", raw(b"\0\5\x16\7" * 20), lambda p: p.garments == {}),
    "other files beside garments": ("garment-mask/p/notes.txt", raw(b"x"), lambda p: p.garments == {}),
    "depth": (DEPTH, grey(filled(2500, np.uint16)), lambda p: p.depth[5, 5] == 2.5),
}


@pytest.mark.parametrize(("file", "write", "right"), READ.values(), ids=READ)
def test_what_is_only_unusual_is_read(
    tmp_path: Path, file: str, write: Callable[[Path], object], right: Callable[[Person], bool]
) -> None:
    path = write_image(tmp_path / "image" / "p.jpg", PICTURE)
    write(tmp_path / file)
    assert right(load_person(path))


CLOTHS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "mask a photograph": ("cloth-mask/p.jpg", grey(NOISE)),
    "mask of another size": ("cloth-mask/p.jpg", lambda p: write_mask(p, MASK.T)),
    "mask empty": ("cloth-mask/p.jpg", lambda p: write_mask(p, MASK & False)),
    "mask cut": ("cloth-mask/p.png", cut),
    "mask a folder": ("cloth-mask/p.png", folder),
    "inside of another size": ("cloth-inside/p.png", lambda p: write_mask(p, MASK.T)),
    "inside a text": ("cloth-inside/p.png", raw(b"hello")),
    "mask a link to nothing": ("cloth-mask/p.png", nothing),
}


@pytest.mark.parametrize(("file", "write"), CLOTHS.values(), ids=CLOTHS)
def test_an_odd_file_of_a_garment_is_named_with_the_remedy(tmp_path: Path, file: str, write: Callable[[Path], object]) -> None:
    path = write_image(tmp_path / "cloth" / "p.jpg", PICTURE)
    write(tmp_path / file)
    with pytest.raises(ValueError, match=r"Save the garment again, or delete that file") as error:
        load_garment(path)
    assert str(tmp_path / file) in str(error.value)


def note(**changes: Any) -> dict[str, Any]:
    return {"image_sha256": digest(PICTURE), "points": [[9, 9, 1]], **changes}


MASKS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "note empty": ("json", raw(b"")),
    "note a list": ("json", text([])),
    "note of other keys": ("json", text({"sha": "x"})),
    "note of a number": ("json", text(note(image_sha256=7))),
    "note cut": ("json", text(json.dumps(note())[:-9])),
    "note not utf-8": ("json", raw(b'{"a": "\xff"}')),
    "points a number": ("json", text(note(points=3))),
    "points of words": ("json", text(note(points=["a"]))),
    "points nan": ("json", text(note(points=[[math.nan, 9, 1]]))),
    "points outside": ("json", text(note(points=[[9000, 9, 1]]))),
    "points of another label": ("json", text(note(points=[[9, 9, 2]]))),
    "no points": ("json", text({"image_sha256": digest(PICTURE)})),
    "mask a photograph": ("png", grey(NOISE)),
    "mask of another size": ("png", lambda p: write_mask(p, MASK.T)),
    "mask cut": ("png", cut),
    "mask empty": ("png", raw(b"")),
    "mask a text": ("png", raw(b"hello")),
}


@pytest.mark.parametrize(("ending", "write"), MASKS.values(), ids=MASKS)
def test_an_odd_mask_of_a_run_is_named_with_the_remedy(tmp_path: Path, ending: str, write: Callable[[Path], object]) -> None:
    """As an older version left it, and changed after it was saved."""
    run = runs.start("99_test", {"run": "a-run", "seed": 1, "outputs": str(tmp_path)})
    write_text(run.path("mask", "person.json"), json.dumps(note()))
    write_mask(run.path("mask", "person.png"), MASK)
    assert (run.mask(PICTURE) == MASK).all()
    write(run.path("mask", f"person.{ending}"))
    with pytest.raises(ValueError, match=r"Run 02_segment again, or delete") as error:
        run.mask(PICTURE)
    assert str(run.folder / "mask" / f"person.{ending}") in str(error.value)
    run.save_mask(MASK, PICTURE, [(9, 9, 1)])
    write(run.path("mask", f"person.{ending}"))
    with pytest.raises(ValueError, match=r"belongs to another save than the other files"):
        run.mask(PICTURE)


def clicks(**changes: Any) -> dict[str, Any]:
    known = {"size": [72, 64], "image_sha256": digest(PICTURE), "garments": {"top": [[9, 9, 1]]}, "by_hand": True, "done": True}
    return {**known, **changes}


CLICKS: dict[str, Callable[[Path], object]] = {
    "empty": raw(b""),
    "list": text([]),
    "text": text("hello"),
    "cut": text(json.dumps(clicks())[:-20]),
    "not utf-8": raw(b'{"a": "\xff"}'),
    "no digest": text({"garments": {}}),
    "digest a number": text(clicks(image_sha256=7)),
    "no garments": text({"image_sha256": digest(PICTURE)}),
    "garments a list": text(clicks(garments=[[9, 9, 1]])),
    "points a number": text(clicks(garments={"top": 3})),
    "points in words": text(clicks(garments={"top": "here"})),
    "points of four": text(clicks(garments={"top": [[1, 2, 3, 4]]})),
    "points nan": text(clicks(garments={"top": [[math.nan, 9, 1]]})),
    "points of 1e999": text(json.dumps(clicks()).replace("[9, 9, 1]", "[1e999, 9, 1]")),
    "points outside": text(clicks(garments={"top": [[9, 900, 1]]})),
    "points of another label": text(clicks(garments={"top": [[9, 9, 7]]})),
    "choices a list": text(clicks(choices=[1])),
    "a choice in words": text(clicks(choices={"top": "first"})),
    "a choice below 0": text(clicks(choices={"top": -1})),
    "by hand in words": text(clicks(by_hand="no")),
    "done a number": text(clicks(done=1)),
    "deep": text('{"a":' * 50_000),
    "a folder": folder,
    "a pipe": pipe,
}


@pytest.mark.parametrize("write", CLICKS.values(), ids=CLICKS)
def test_odd_clicks_are_named_with_the_remedy(tmp_path: Path, write: Callable[[Path], object]) -> None:
    write(tmp_path / "points.json")
    with pytest.raises(ValueError, match=r"^clicks: .* Delete it to click anew") as error:
        click_files.read(tmp_path, PICTURE)
    assert str(tmp_path / "points.json") in str(error.value)


# Writing one file


def closed(path: Path) -> Path:
    path.symlink_to(path.name)
    return path / "a.txt"


def taken(path: Path) -> Path:
    path.mkdir()
    return path


def piped(path: Path) -> Path:
    os.mkfifo(path)
    return path


def under_a_file(path: Path) -> Path:
    path.write_text("kept")
    return path / "a.txt"


TARGETS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a folder": (taken, "A folder stands where the file is to be"),
    "a pipe": (piped, "it is a pipe or a device"),
    "a device": (lambda _: Path(os.devnull), "it is a pipe or a device"),
    "below a file": (under_a_file, "A file stands where a folder is needed"),
    "below a link to itself": (closed, "circle"),
    "a long name": (lambda p: p.parent / ("x" * 256), "Choose a shorter name"),
    "a long wide name": (lambda p: p.parent / ("長" * 100), "Choose a shorter name"),
    "a long folder": (lambda p: p.parent / ("x" * 256) / "a.txt", "Choose a shorter name"),
    "a long path": (lambda p: p.parent.joinpath(*["x" * 200] * 30), "Choose a shorter name"),
    "nul": (lambda p: p.parent / "a\0b", r"a\\x00b could not be written: no file can have that name"),
    "nul in the folder": (lambda p: p.parent / "a\0b" / "c", "no file can have that name"),
    "half a character": (lambda p: p.parent / "a\ud800", r"a\\ud800 could not be written: no file can have that name"),
}


@pytest.mark.parametrize(("make", "words"), TARGETS.values(), ids=TARGETS)
def test_what_no_file_can_be_written_to_is_named_before_it_is_made(
    tmp_path: Path, make: Callable[[Path], Path], words: str
) -> None:
    path = make(tmp_path / "target")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OSError, match=words):
        write_whole(path, lambda _: pytest.fail("written too early"))
    assert sorted(tmp_path.rglob("*")) == before
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


CODES = {
    errno.ENOSPC: "Free some disk space",
    errno.EDQUOT: "Free some disk space",
    errno.EROFS: "choose another",
    errno.EIO: "Try again",
}


@pytest.mark.parametrize(("code", "words"), CODES.items())
def test_a_disk_that_gives_up_leaves_the_old_file(tmp_path: Path, code: int, words: str) -> None:
    path = write_text(tmp_path / "a.txt", "old")

    def give_up(part: Path) -> None:
        part.write_text("half")
        raise OSError(code, os.strerror(code))

    with pytest.raises(OSError, match=words) as error:
        write_whole(path, give_up)
    assert str(path) in str(error.value)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, RuntimeError, GeneratorExit])
def test_whatever_ends_the_writing_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = write_text(tmp_path / "a.txt", "old")

    def end(part: Path) -> None:
        part.write_text("half")
        raise error

    with pytest.raises(error):
        write_whole(path, end)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    for name, target in (("link", tmp_path / "kept.txt"), ("dangling", "none")):
        (tmp_path / name).symlink_to(target)
        write_text(tmp_path / name, "new")
        assert not (tmp_path / name).is_symlink()
    assert (tmp_path / "kept.txt").read_text() == "kept"
    assert not (tmp_path / "none").exists()


def test_names_that_are_no_text_are_written(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    assert write_text(path, "x").read_text() == "x"


SUFFIXES = {"none": "a", "text": "a.txt", "pdf": "a.pdf", "eps": "a.eps", "gif": "a.gif", "double": "a.png.exe"}


@pytest.mark.parametrize("name", SUFFIXES.values(), ids=SUFFIXES)
def test_a_picture_is_written_as_a_picture(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} must end in \.jpg"):
        write_image(tmp_path / name, PICTURE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("values", [np.zeros((*SHAPE, 4), np.uint8), np.zeros(SHAPE, np.uint16)])
def test_what_a_jpeg_cannot_hold_is_named(tmp_path: Path, values: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"a JPEG holds uint8 pictures without transparency"):
        write_image(tmp_path / "a.jpg", values)

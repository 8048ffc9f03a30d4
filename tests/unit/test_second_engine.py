"""What the author of another try-on engine, or of another annotator, has to write: its file and a record; everything else is there."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers import annotate, engines, generate, try_on, weights
from helpers.contract import Base, Setting
from helpers.garment import Garment
from helpers.labels import BODY_25, CIHP, UPPER, select
from helpers.mannequin import product
from helpers.person import Person
from helpers.records import SITTING, Engine

TRY_ON = Engine(
    "toy_viton_hd",
    "try_on",
    "segmentation, warp and picture in the manner of VITON-HD",
    "toy_viton_hd:ToyVITONHD",
    terms="CC BY-NC 4.0: not for commercial use",
    settings={"noise": Setting("number", "how much grain the new cloth gets", 1.0, low=0, high=2), **SITTING},
    frames=True,
    needs=frozenset({"keypoints", "labels"}),
)
ANNOTATE = Engine(
    "toy_colours",
    "annotate",
    "people painted in known colours",
    f"{__name__}:ToyColours",
    terms="free for every use",
    gives=frozenset({"keypoints", "labels"}),
)
COLOURS = {
    "background": (205, 205, 200), "face": (240, 190, 160), "upper-clothes": (180, 30, 40), "right-arm": (220, 160, 120),
    "left-arm": (200, 140, 100), "pants": (30, 40, 120),
}  # fmt: skip


class ToyColours(Base):
    """Classes by the nearest colour, joints at the corners of the classes."""

    def __call__(
        self, person: Person, *, needs: Collection[str], pick: str | int = "auto", mask: np.ndarray | None = None
    ) -> Person:
        away = [np.abs(person.image.astype(int) - colour).sum(2) for colour in COLOURS.values()]
        numbers = np.array([CIHP.index(name) for name in COLOURS], np.uint8)
        labels = numbers[np.argmin(away, 0)]
        count, parts, boxes, _ = cv2.connectedComponentsWithStats((labels > 0).astype(np.uint8))
        people = sorted((n for n in range(1, count) if boxes[n, cv2.CC_STAT_AREA] > 200), key=lambda n: boxes[n, 0])
        labels[parts != people[0 if pick == "auto" else int(pick)]] = 0
        found = {"labels": labels, "keypoints": self._joints(labels)}
        return replace(person, **{name: found[name] for name in needs}, scene={**person.scene, "people": len(people)})

    @staticmethod
    def _joints(labels: np.ndarray) -> np.ndarray:
        joints = np.zeros((25, 3), np.float32)
        for side in ("right", "left"):
            y, x = np.nonzero(select(labels, (f"{side}-arm",)))
            for name, row in (("shoulder", y.min()), ("elbow", np.median(y)), ("wrist", y.max())):
                joints[BODY_25.index(f"{side}-{name}")] = x.mean(), row, 1
        return joints


def photograph(size: tuple[int, int], *columns: int) -> np.ndarray:
    """uint8 (H, W, 3) of ``size`` (width, height): somebody in a red top around each of ``columns``."""
    picture = np.full((size[1], size[0], 3), COLOURS["background"], np.uint8)
    unit = size[1] / 100
    for x in columns:
        for name, left, right, top, bottom in (
            ("face", -7, 7, 8, 25), ("upper-clothes", -13, 13, 25, 55), ("right-arm", -19, -13, 26, 60),
            ("left-arm", 13, 19, 26, 60), ("pants", -13, 13, 55, 95),
        ):  # fmt: skip
            start, end = (round(x + left * unit), round(top * unit)), (round(x + right * unit) - 1, round(bottom * unit) - 1)
            cv2.rectangle(picture, start, end, COLOURS[name], -1)
    return picture


@pytest.fixture(autouse=True)
def _table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both records are in the table, and no weights are here."""
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setattr(engines, "ENGINES", (*engines.ENGINES, TRY_ON, ANNOTATE))


@pytest.fixture(scope="module")
def garment() -> Garment:
    return product("green t-shirt", size=(192, 256))


def test_settings_are_checked_before_it_is_imported(garment: Garment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "toy_viton_hd", raising=False)
    picture = photograph((300, 400), 150)
    for settings, words in (
        ({"noise": 9}, "noise must be a number from 0 to 2, not 9"),
        (
            {"steps": 30},
            "toy_viton_hd takes no setting 'steps'; it takes noise, framing, annotator, pick. 'steps' is for fashn and idm_vton",
        ),
        ({"framing": "round"}, "framing must be letterbox, crop or stretch"),
    ):
        with pytest.raises(ValueError, match=words):
            try_on(picture, garment, engine="toy_viton_hd", **settings)
    assert "toy_viton_hd" not in sys.modules


def test_a_person_whose_annotations_are_known(garment: Garment) -> None:
    person = generate("a woman in a grey t-shirt and blue jeans", engine="mannequin", seed=1, size=(240, 320))
    result = try_on(person, garment, engine="toy_viton_hd", seed=3)
    worn = select(person.labels, UPPER)
    assert result.image.shape == person.image.shape
    assert (result.image == person.image)[~result.changed].all()
    assert not (result.changed & select(person.labels, ("face", "hair", "pants", "left-shoe"))).mean() > 0.002
    assert result.changed[worn].mean() > 0.8
    green = result.image[worn].astype(int)
    assert (green[:, 1] > green[:, 0]).mean() > 0.6
    assert list(result.steps) == [
        "person in the frame", "what may change", "agnostic", "pose", "warped cloth", "garment in the frame", "as painted",
    ]  # fmt: skip
    assert result.notes == ("Drawn by a toy.",)
    assert (result.engine, result.licence) == ("toy_viton_hd", TRY_ON.licence)
    assert result.seconds > 0
    assert (try_on(person, garment, engine="toy_viton_hd", seed=3).image == result.image).all()
    assert (try_on(person, garment, engine="toy_viton_hd", seed=4).image != result.image).any()


def test_a_bare_photograph_of_another_shape_with_several_people(garment: Garment) -> None:
    picture = photograph((700, 400), 150, 520)
    result = try_on(picture, garment, engine="toy_viton_hd", pick=1)
    rows, columns = np.nonzero(result.changed)
    assert 420 < columns.min() < columns.max() < 620
    assert 90 < rows.min() < rows.max() < 250
    assert (result.image == picture)[~result.changed].all()
    red = (picture == COLOURS["upper-clothes"]).all(2)
    red[:, :350] = False
    assert result.changed[red].mean() > 0.8
    assert result.licence == f"{TRY_ON.licence}; {ANNOTATE.licence}"
    assert not any("people" in note for note in result.notes)
    assert "2 people are in the picture" in try_on(picture, garment, engine="toy_viton_hd").notes[-1]


def test_only_what_a_given_mask_covers_changes(garment: Garment) -> None:
    picture = photograph((300, 400), 150)
    mask = np.zeros(picture.shape[:2], bool)
    mask[110:180, 110:190] = True
    result = try_on(picture, garment, mask=mask, engine="toy_viton_hd")
    assert (result.image == picture)[~cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))).astype(bool)].all()
    assert result.changed[mask].mean() > 0.8
    with pytest.raises(ValueError, match="inverted"):
        try_on(picture, garment, mask=~mask, engine="toy_viton_hd")


def test_what_nobody_gives_is_said(garment: Garment, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photograph((300, 400), 150)
    with pytest.raises(
        ValueError, match="engine toy_colours does not give densepose; openpose_schp and detectron2 and mediapipe would"
    ):
        annotate(picture, engine="toy_colours", needs=("densepose",))
    monkeypatch.setattr(engines, "ENGINES", engines.ENGINES[:-1])
    with pytest.raises(weights.Missing, match=r"keypoints, labels of the person are not known.*weights fetch openpose"):
        try_on(picture, garment, engine="toy_viton_hd")

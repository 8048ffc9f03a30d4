"""Every try-on takes any annotator: what is known is used, the one who is asked gives what it can, the best ones here the rest, and the
result says who made what."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers import annotate, engines, generate, provenance, try_on, weights
from helpers.dataset import stepwise
from helpers.garment import Garment
from helpers.labels import UPPER, select
from helpers.mannequin import product
from helpers.person import Person
from helpers.testing import nets, tryon
from helpers.tryon import sitting
from helpers.tryon.sitting import sit

PUBLISHED = ("idm_vton", "viton_hd", "hr_viton")
ASKED = {
    "auto": ("mediapipe", "mediapipe (derived)"),
    "mediapipe": ("mediapipe", "mediapipe (derived)"),
    "schp:lip": ("mediapipe", "schp:lip"),
    "posenet": ("posenet", "mediapipe (derived)"),
}
"""Annotator -> who makes joints and parse then, where no other engine that gives both is here."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny checkpoints of one try-on and two annotators, and MediaPipe's own."""
    folder = tmp_path_factory.mktemp("weights")
    tryon.write(folder, "hr_viton")
    nets.write(folder, "schp_lip", "posenet")
    for record in weights.records("mediapipe"):
        (folder / record.path).parent.mkdir(exist_ok=True)
        shutil.copy(weights.require(record.name), folder / record.path)
    return folder


@pytest.fixture(autouse=True)
def _weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")


@pytest.fixture(scope="module")
def figure() -> Person:
    return generate("a woman in a grey t-shirt and blue jeans", engine="mannequin", seed=1, size=(384, 512))


@pytest.fixture(scope="module")
def bare() -> Garment:
    """The picture of a garment of which nothing is known."""
    return Garment(product("red t-shirt with white dots", size=(192, 256)).image)


@pytest.mark.parametrize("engine", PUBLISHED)
@pytest.mark.parametrize("annotator", ASKED)
def test_every_try_on_takes_any_annotator(engine: str, annotator: str, figure: Person, bare: Garment) -> None:
    needs = engines.find("try_on", engine).needs
    at = sit(Person(figure.image), bare, None, (384, 512), engine=engine, annotator=annotator)
    joints, parse = ASKED[annotator]
    expected = {"keypoints": joints, "labels": parse, "densepose": "mediapipe (derived)", "cloth mask": "backdrop"}
    assert at.made_by == {name: who for name, who in expected.items() if name in needs}
    assert at.person.missing(needs - {"cloth mask"}) == ()


def test_what_is_known_is_used_and_said_to_be_given(figure: Person, bare: Garment) -> None:
    own = Person(figure.image, keypoints=figure.keypoints)
    mask = select(figure.labels, UPPER)
    at = sit(own, replace(bare, mask=np.ones(bare.image.shape[:2], bool)), mask, (384, 512), engine="viton_hd")
    assert (at.person.keypoints == figure.keypoints).all()
    assert at.made_by == {
        "keypoints": "given", "labels": "mediapipe (derived)", "cloth mask": "given", "what may change": "given",
    }  # fmt: skip


def test_the_result_says_who_made_what_and_on_which_terms(figure: Person, bare: Garment) -> None:
    seen = annotate(figure.image, engine="posenet", needs=("keypoints",))
    seen = replace(seen, keypoints=figure.keypoints)
    result = try_on(seen, bare, engine="hr_viton", resolution="512x384", annotator="mediapipe")
    assert result.made_by == {
        "keypoints": "posenet", "labels": "mediapipe (derived)", "densepose": "mediapipe (derived)",
        "cloth mask": "backdrop", "what may change": "hr_viton",
    }  # fmt: skip
    assert result.credits == (
        "posenet: joints · mediapipe (derived): parse, DensePose · backdrop: cloth mask · hr_viton: what may change, picture"
    )
    assert result.licence == "CC BY-NC 4.0: not for commercial use; Apache-2.0"


def test_so_does_the_drape_of_a_figure_and_of_a_photograph(figure: Person, bare: Garment) -> None:
    drawn = try_on(figure, product("red t-shirt", size=(192, 256)), engine="drape")
    assert drawn.made_by == {
        "keypoints": "mannequin", "labels": "mannequin", "cloth mask": "mannequin", "what may change": "mannequin",
    }  # fmt: skip
    assert drawn.licence == ""
    masked = stepwise.with_mask(bare, stepwise.cloth_engine("auto"))
    seen = try_on(figure.image, masked, engine="drape", mask=select(figure.labels, UPPER), annotator="schp:lip")
    assert seen.made_by == {
        **dict.fromkeys(("keypoints", "hands", "face", "matte"), "mediapipe"),
        "labels": "schp:lip", "cloth mask": "backdrop", "what may change": "given",
    }  # fmt: skip
    assert seen.licence == "Apache-2.0; MIT"
    found = try_on(figure.image, masked, engine="drape", annotator="mediapipe")
    assert found.made_by["what may change"] == "mediapipe (derived)"


def test_of_several_that_give_a_part_each_gives_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nets.write(tmp_path, "schp_lip", "posenet")
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    assert engines.annotators("auto", ("labels", "keypoints")) == [("posenet", ("keypoints",)), ("schp:lip", ("labels",))]
    with pytest.raises(weights.Missing, match="densepose, keypoints of the person are not known"):
        engines.annotators("auto", ("keypoints", "densepose"))


def test_a_garment_that_is_not_found_is_said_before_anybody_is_looked_for(
    figure: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitting, "annotate", lambda *_, **__: pytest.fail("the person was annotated first"))
    monkeypatch.setattr("helpers.tryon.modelled.annotate", lambda *_, **__: (_ for _ in ()).throw(ValueError("nobody")))
    plain = Garment(np.full((80, 80, 3), 200, np.uint8))
    with pytest.raises(ValueError, match="no garment stands out"):
        sit(Person(figure.image), plain, None, (384, 512), engine="hr_viton")


def test_an_engine_that_is_none_is_said_first(figure: Person, bare: Garment) -> None:
    for engine in ("drape", *PUBLISHED):
        with pytest.raises(ValueError, match=r"engine for annotate is auto or one of .*, not 'magic'"):
            try_on(figure, bare, engine=engine, annotator="magic")


def test_a_mask_by_a_network_brings_its_terms() -> None:
    garment = Garment(np.full((80, 80, 3), 30, np.uint8), np.ones((80, 80), bool), masked_by="u2net_cloth")
    person = Person(np.full((80, 80, 3), 30, np.uint8))
    assert provenance.of_garment(garment) == "u2net_cloth"
    assert provenance.licences(person, garment) == ["MIT"]
    assert provenance.licences(person, replace(garment, masked_by="backdrop")) == []

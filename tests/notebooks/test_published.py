"""The published engines through the notebooks, on tiny checkpoints in the published file layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from helpers import load_person
from helpers.images import read_image, read_mask, write_image
from helpers.testing import figure
from helpers.testing.annotation import FIGURE

Execute = Callable[..., dict]
SMALL = {"width": 384, "height": 512, "extras": False}
QUICK = {"steps": 2, "description": "red t-shirt"}


@pytest.fixture(autouse=True)
def _published(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tiny_weights))
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of somebody about whom nothing is known but the pixels."""
    return write_image(tmp_path_factory.mktemp("photo") / "me.png", figure(FIGURE["prompt"], FIGURE["seed"]).image)


def test_words_to_a_picture(walk: Execute, tmp_path: Path) -> None:
    words = "a woman in a grey t-shirt and blue jeans"
    generated = walk("01_generate", prompt=words, engine="realvisxl", seed=3, steps=2, count=2, keep=1, **SMALL)
    person = load_person(tmp_path / "test/image/person.jpg")
    assert person.image.shape == (512, 384, 3)
    assert person.scene["engine"] == "realvisxl"
    assert "OpenRAIL" in person.scene["licence"]
    assert generated["parameters"]["engine"].startswith("realvisxl")


def test_a_photograph_from_clicks_to_try_on(walk: Execute, photograph: Path, tmp_path: Path) -> None:
    segmented = walk("02_segment", person=str(photograph), points=[[192, 190, 1]], engine="sam:vit_b", seed=3)
    assert segmented["metrics"]["engine"] == "sam:vit_b"
    mask = read_mask(tmp_path / "test/mask/person.png")
    assert 0.01 < mask.mean() < 0.5
    settings = {"person": str(photograph), "engine": "idm_vton", "segment_engine": "sam:mobile", "settings": QUICK}
    tried = walk("03_try_on", points=[[192, 190, 1]], garment_words="a red t-shirt", **settings)
    result, photo = read_image(tmp_path / "test/result/try-on.png"), read_image(photograph)
    assert result.shape == photo.shape
    assert (result != photo).any(2).mean() > 0.01
    assert "CC BY-NC-SA" in tried["metrics"]["licence"]
    assert any("iny test network" in note for note in tried["metrics"]["notes"])
    clicked, changeable = read_mask(tmp_path / "test/mask/person.png"), read_mask(tmp_path / "test/result/try-on-mask.png")
    assert (clicked & ~changeable).mean() < 0.01
    assert tried["metrics"]["mask_share"] == pytest.approx(changeable.mean(), abs=1e-3)
    assert changeable.mean() > clicked.mean() + 0.01, "what the network was trained to change beside it"
    found = walk("03_try_on", garment_words="a red t-shirt", auto_mask=True, **settings)
    assert 0.05 < found["metrics"]["mask_share"] < 0.6
    result = read_image(tmp_path / "test/result/try-on.png")
    mask = read_mask(tmp_path / "test/result/try-on-mask.png")
    assert (result == photo)[~mask].all()
    assert np.abs(result.astype(int) - photo)[mask].mean() > 5


def test_other_trousers_without_a_mask_of_what_changes(walk: Execute, photograph: Path, tmp_path: Path) -> None:
    asked = {"garment_words": "blue jeans", "category": "lower", "points": [[192, 350, 1]], "settings": {"steps": 1}}
    tried = walk("03_try_on", person=str(photograph), engine="fashn", **asked)
    assert tried["metrics"]["licence"] == "Apache-2.0"
    assert (read_image(tmp_path / "test/result/try-on.png") != read_image(photograph)).any(2).mean() > 0.01


def test_the_dressing_assistant_as_it_was_published(walk: Execute, photograph: Path, tmp_path: Path) -> None:
    whom = {"cloth_masker": "u2net_cloth", "poser": "posenet", "parser": "schp:lip", "engine": "viton_hd"}
    metrics = walk("06_dressing_assistant", person=str(photograph), **whom)["metrics"]
    made = {"keypoints": "posenet", "labels": "schp:lip", "cloth mask": "u2net_cloth", "what may change": "viton_hd"}
    assert metrics["made_by"] == made
    assert "not for commercial use" in metrics["licence"]
    assert read_image(tmp_path / "test/result/try-on.png").shape == (1024, 768, 3)


def test_the_five_steps_of_hr_viton_as_they_were_published(walk: Execute, photograph: Path, tmp_path: Path) -> None:
    whom = {"remover": "u2net:rembg", "cloth_masker": "cloths_segmentation", "engine": "hr_viton", "others": []}
    whom |= dict.fromkeys(("surfacer", "parser", "poser"), "openpose_schp")
    metrics = walk("07_hr_viton", person=str(photograph), settings={"resolution": "512x384"}, **whom)["metrics"]
    assert metrics["engines"]["matte"] == "u2net:rembg"
    seen = dict.fromkeys(("keypoints", "labels", "densepose"), "openpose_schp")
    assert metrics["made_by"] == seen | {"cloth mask": "cloths_segmentation", "what may change": "hr_viton"}
    assert "not for commercial use" in metrics["licence"]
    assert "CMU OpenPose licence: academic or non-profit" in metrics["licence"], "of the joints"
    assert read_image(tmp_path / "test/result/try-on.png").shape == (1024, 768, 3)


def test_the_demo_with_every_published_engine(execute: Execute, tmp_path: Path) -> None:
    engines = {"generate_engine": "mannequin", "segment_engine": "sam:vit_b", "try_on_engine": "idm_vton"}
    words = {"prompt": FIGURE["prompt"], "seed": FIGURE["seed"], "garments": ["a red t-shirt"]}
    section = execute("04_full_demo", try_on_settings=QUICK, **words, **engines)
    assert section["metrics"]["engines"] == {"generate": "mannequin", "segment": "sam:vit_b", "try_on": "idm_vton"}
    assert section["metrics"]["confidence"] == [None]


@pytest.mark.parametrize(
    ("notebook", "parameters", "words"),
    [
        ("01_generate", {"engine": "realvisxl", "prompt": "a ten year old girl in a dress"}, "adult"),
        ("01_generate", {"engine": "realvisxl:v9"}, "no variant 'v9'"),
        (
            "03_try_on",
            {"engine": "idm_vton", "settings": {"steps": 0}, "points": [[384, 330, 1]]},
            "steps must be a whole number",
        ),
    ],
)
def test_bad_input_fails_by_name(walk: Execute, notebook: str, parameters: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        walk(notebook, **parameters)


@pytest.mark.parametrize(
    ("notebook", "engine"),
    [("01_generate", "realvisxl"), ("02_segment", "sam:vit_l"), ("03_try_on", "idm_vton"), ("03_try_on", "fashn")],
)
def test_missing_weights_are_named_with_the_command_that_fetches_them(
    walk: Execute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notebook: str, engine: str
) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match="python -m helpers weights fetch"):
        walk(notebook, engine=engine)


def test_a_figure_as_it_was_published(walk: Execute, photograph: Path, tmp_path: Path) -> None:
    asked = {
        "people": [str(photograph)],
        "garments": ["a red t-shirt"],
        "engine": "triposr",
        "annotator": "u2net:rembg",
        "mc_resolution": 48,
        "render": True,
    }
    section = walk("10_figure_3d", try_on_engine="drape", formats=["obj"], settings={"bake_texture": True}, **asked)
    assert section["metrics"]["engines"]["reconstruct"] == "triposr"
    assert section["metrics"]["height"] == 1.7
    assert len(list((tmp_path / "test/renderfiles").glob("render_*.png"))) == 30
    assert (tmp_path / "test/renderfiles/render.mp4").stat().st_size > 1000
    assert {path.name for path in (tmp_path / "test/3dfiles").iterdir()} == {
        *("mesh.obj", "mesh.mtl", "mesh_figure.png", "pointcloud.ply")
    }

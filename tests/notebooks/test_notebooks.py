"""Every notebook through papermill in a kernel of its own, with another setting, and with every kind of bad input failing by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import papermill
import pytest
from PIL import Image

from helpers import generate, load_person, product
from helpers.headless import find_notebook
from helpers.images import read_image, read_mask, write_image, write_mask
from helpers.joints import read_joints
from helpers.segmentation import iou

Execute = Callable[..., dict]
ORIENTATION = 0x0112  # the EXIF tag
SMALL = {"width": 384, "height": 512, "extras": False}


def test_setup_tries_the_engines(execute: Execute, tmp_path: Path) -> None:
    section = execute("00_setup", self_test=True, seed=2)
    assert section["metrics"]["machine"]["cores"] >= 1
    assert section["metrics"]["mask_iou"] > 0.8
    assert read_image(tmp_path / "test/figures/00_setup/self-test.png").std() > 10


def test_setup_without_trying_them(walk: Execute, tmp_path: Path) -> None:
    assert walk("00_setup", self_test=False, seed=2)["metrics"]["machine"]["cores"] >= 1
    assert not (tmp_path / "test/figures/00_setup/self-test.png").exists()


def test_a_dressing_room_is_opened_visited_and_closed(execute: Execute, tmp_path: Path) -> None:
    metrics = execute("08_dressing_room", garment="mustard", engine="drape", seed=1)["metrics"]
    assert (metrics["engine"], metrics["licence"]) == ("drape", "Apache-2.0")
    before, after = (read_image(tmp_path / "test/result" / name) for name in ("before.jpg", "try-on.png"))
    changed = np.abs(after.astype(int) - before).max(2) > 40
    assert 0.02 < changed.mean() < 0.3
    red, _, blue = after[changed].mean(0)
    assert red > blue + 50
    with Image.open(tmp_path / "test/result/try-on.png") as png:
        assert png.text["Seed"] == "1"


def test_a_run_is_handed_from_generate_to_segment_to_try_on(execute: Execute, tmp_path: Path) -> None:
    generated = execute("01_generate", prompt="a man in a white t-shirt and navy trousers", seed=3, **SMALL)
    assert generated["metrics"]["pieces"][:2] == ["t-shirt", "trousers"]
    person = load_person(tmp_path / "test/image/person.jpg")
    assert person.image.shape == (512, 384, 3)
    assert person.labels.max() < 20

    segmented = execute("02_segment", seed=3)
    assert segmented["parameters"]["run"] == "test"
    mask = read_mask(tmp_path / "test/mask/person.png")
    assert mask.shape == (512, 384)
    assert (load_person(tmp_path / "test/image/person.jpg").image == person.image).all()

    tried = execute("03_try_on", garment_words="a red t-shirt", seed=3)
    result = read_image(tmp_path / "test/result/try-on.png")
    assert result.shape == person.image.shape
    changed = np.abs(result.astype(int) - person.image).max(2) > 0
    assert 0.3 < changed.mean() / mask.mean() < 2.0
    red = result[mask & changed].mean(0)
    assert red[0] > red[1] + 40
    assert tried["metrics"]["confidence"] > 0.3
    assert (tmp_path / "test/test_pairs.txt").read_text() == "person.jpg a-red-t-shirt.jpg\n"
    assert tried["parameters"]["prompt"]
    assert tried["parameters"]["garment_words"] == "a red t-shirt"


def test_generate_another_setting_and_edited_words(walk: Execute) -> None:
    section = walk("01_generate", prompt="a woman in a zorbly floral dress, upper body", seed=5, **SMALL)
    assert section["metrics"]["unknown"] == ["zorbly"]
    assert section["metrics"]["pieces"][0] == "dress"


def test_segment_alone_with_typed_points(walk: Execute, tmp_path: Path) -> None:
    points = [[384, 330, 1], [384, 120, 0]]
    section = walk("02_segment", points=points, seed=1)
    assert section["parameters"]["points"] == points
    mask = read_mask(tmp_path / "test/mask/person.png")
    assert mask[330, 384]
    assert not mask[120, 384]


def test_try_on_own_photograph_and_garment(walk: Execute, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    photo = np.full((640, 480, 3), 225, np.uint8)
    photo[60:160, 200:280] = (205, 160, 130)  # a head
    photo[160:420, 150:330] = (40, 70, 140)  # a top
    photo[420:640, 170:310] = (60, 60, 60)
    photo = np.clip(photo + rng.normal(0, 2, photo.shape), 0, 255).astype(np.uint8)
    garment = np.full((512, 384, 3), 240, np.uint8)
    garment[120:400, 90:290] = (150, 30, 40)
    # As a telephone leaves it: the pixels on their side, and a note to turn them.
    person_file, turned = tmp_path / "me.png", Image.Exif()
    turned[ORIENTATION] = 6
    Image.fromarray(np.rot90(photo)).save(person_file, exif=turned)
    # As a shop cuts it out: transparent around the garment.
    garment_file, cut_out = tmp_path / "top.png", (garment != 240).any(2)[..., None]
    Image.fromarray(np.concatenate([garment, cut_out.astype(np.uint8) * 255], 2)).save(garment_file)
    own = {"person": str(person_file), "garment": str(garment_file), "points": [[240, 300, 1]]}
    walk("03_try_on", **own)
    result = read_image(tmp_path / "test/result/try-on.png")
    assert result.shape == photo.shape
    assert result[300, 240, 0] > 100 > result[300, 240, 2]
    assert (result[:100] == photo[:100]).all()
    demo = walk("04_full_demo", **own)
    assert demo["metrics"]["clicks"] == 1
    assert len(demo["metrics"]["confidence"]) == 1


def test_an_own_photograph_is_understood_without_a_click(walk: Execute, tmp_path: Path) -> None:
    drawn = generate("a woman in a red t-shirt and blue jeans", seed=6, size=(384, 512))
    file = write_image(tmp_path / "me.jpg", drawn.image)
    section = walk("05_own_photograph", person=str(file), garment_words="a green t-shirt", seed=2)
    assert section["metrics"]["seen_joints"] > 14
    assert iou(read_mask(tmp_path / "test/mask/person.png"), drawn.worn("upper")) > 0.85
    seen = load_person(tmp_path / "test/image/person.jpg")
    assert not seen.missing(("keypoints", "landmarks", "hands", "face", "matte", "labels", "densepose"))
    assert Image.open(tmp_path / "test/cut-out/person.png").mode == "RGBA"
    x, y = drawn.keypoints[1, :2].astype(int)
    red, green, _ = read_image(tmp_path / "test/result/try-on.png")[y + 40, x]
    assert green > red
    assert {path.name for path in (tmp_path / "test/figures/05_own_photograph").iterdir()} == {
        f"{name}.png" for name in ("understood", "parts", "cut_out", "mask", "result")
    }


def test_the_dressing_assistant_shows_every_step(execute: Execute, tmp_path: Path) -> None:
    drawn = generate("a woman in a red t-shirt and blue jeans", seed=6, size=(640, 512))  # wide: it is cropped, not stretched
    file = write_image(tmp_path / "me.jpg", drawn.image)
    section = execute("06_dressing_assistant", person=str(file), garment_words="a green t-shirt", seed=2)
    assert section["metrics"]["engines"] == {
        "cloth mask": "backdrop",
        "pose": "mediapipe",
        "parse": "mediapipe",
        "try_on": "drape",
    }
    assert section["metrics"]["seen_joints"] > 14
    seen = load_person(tmp_path / "test/image/person.jpg")
    assert seen.image.shape == (1024, 768, 3)
    assert iou(read_mask(tmp_path / "test/cloth-mask/a-green-t-shirt.jpg"), product("a green t-shirt", seed=2).mask) > 0.95
    x, y = seen.keypoints[1, :2].astype(int)
    red, green, _ = read_image(tmp_path / "test/result/try-on.png")[y + 80, x]
    assert green > red
    assert {path.stem for path in (tmp_path / "test/figures/06_dressing_assistant").iterdir()} == {
        *("cloth_mask", "pose", "parse", "agnostic", "steps", "result")
    }


def test_a_worn_garment_laid_flat_learnt_and_worn_by_the_next_one(execute: Execute, tmp_path: Path) -> None:
    words = {
        "prompt": "a woman in a green t-shirt and blue jeans",
        "other_prompt": "a man in a white t-shirt and black trousers",
    }
    section = execute("09_extract", lessons=6, examples=6, seed=2, **words)
    assert section["metrics"]["engines"] == {"extract": "flatten_net", "try_on": "drape"}
    assert 0 < section["metrics"]["invented_share"] < 0.5
    assert len(section["metrics"]["learnt"]) >= 2
    assert {path.stem for path in (tmp_path / "test/figures/09_extract").iterdir()} == {"flat", "result", "lesson"}
    assert read_mask(tmp_path / "test/cloth-invented/extracted.png").any()


def test_a_figure_of_a_try_on(execute: Execute, tmp_path: Path) -> None:
    who, what = "a woman with a bob in a white t-shirt and blue jeans", "a red t-shirt"
    section = execute("10_figure_3d", people=[who], garments=[what], formats=["glb", "stl"], settings={"faces": 12000}, seed=2)
    metrics = section["metrics"]
    assert metrics["engines"] == {"try_on": "drape", "reconstruct": "relief"}
    assert metrics["closed"] is True
    assert 10_000 < metrics["triangles"] <= 12_000
    assert 1.6 < metrics["height"] < 1.9
    run = tmp_path / "test"
    assert {path.name for path in (run / "3dfiles").iterdir()} == {"mesh.glb", "mesh.stl", "pointcloud.ply"}
    assert {path.name for path in (run / "images").iterdir()} == {"person.png", "try-on.png", "depth.png", "turning.webp"}
    assert not (run / "renderfiles").exists()
    assert {path.stem for path in (run / "figures/10_figure_3d").iterdir()} == {"try_on", "steps", "views", "depth"}


def test_hr_vitons_steps_on_a_photograph_and_what_is_refused_is_said(execute: Execute, tmp_path: Path) -> None:
    drawn = generate("a man in a red t-shirt and blue jeans", seed=6, size=(640, 512))
    file, empty = write_image(tmp_path / "me.jpg", drawn.image), tmp_path / "blank.jpg"
    write_image(empty, np.full((512, 384, 3), 200, np.uint8))
    section = execute(
        "07_hr_viton", person=str(file), garment_words="a green t-shirt", others=[f"{empty} > a red t-shirt"], seed=2
    )
    assert section["metrics"]["engines"]["densepose"] == "mediapipe"
    assert section["metrics"]["refused"] == 1
    seen = load_person(tmp_path / "test/image/person.jpg")
    assert not seen.missing(("keypoints", "labels", "densepose", "matte", "mask"))
    assert read_joints(tmp_path / "test/posenet/person.json")[1:, 2].max() > 0.5
    x, y = seen.keypoints[1, :2].astype(int)
    red, green, _ = read_image(tmp_path / "test/result/try-on.png")[y + 80, x]
    assert green > red
    assert {path.stem for path in (tmp_path / "test/figures/07_hr_viton").iterdir()} == {
        *("background", "densepose", "parse", "pose", "cloth_mask", "agnostic", "steps", "result", "others")
    }


def test_without_a_photograph_somebody_is_drawn_and_a_click_corrects(execute: Execute) -> None:
    section = execute("05_own_photograph", points=[[384, 420, 1]], seed=4)
    assert section["metrics"]["iou_with_truth"] > 0.85


def test_a_demo_repeated_from_its_own_record_in_another_process_gives_the_same_pixels(
    execute: Execute, walk: Execute, tmp_path: Path
) -> None:
    settings = {"prompt": "a man in a grey t-shirt and jeans", "garments": ["a green t-shirt with white dots"], "seed": 4}
    first = execute("04_full_demo", **settings)
    assert first["parameters"].keys() == papermill.inspect_notebook(str(find_notebook("04"))).keys()
    second = walk("04_full_demo", **{**first["parameters"], "run": "again"})
    assert first["metrics"]["iou_with_truth"] == second["metrics"]["iou_with_truth"] > 0.85
    for file in ("lossless/person.png", "cloth/a-green-t-shirt-with-white-dots.jpg", "mask/person.png", "result/try-on-0.png"):
        assert (tmp_path / "test" / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file


@pytest.fixture
def bad(tmp_path: Path) -> dict[str, str]:
    """Files that are not what they should be."""
    (tmp_path / "text.jpg").write_text("<html>not found</html>")
    (tmp_path / "empty.png").touch()
    blank = np.full((512, 384, 3), 240, np.uint8)
    whole = write_image(tmp_path / "blank.jpg", blank).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    write_image(tmp_path / "tiny.png", blank[:40, :40])
    write_mask(tmp_path / "mask.png", blank[..., 0] > 0)
    return {p.name: str(p) for p in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("notebook", "parameters", "words"),
    [
        ("00_setup", {"seed": "zero"}, "seed must be a whole number"),
        ("00_setup", {"fetch": ["nosuch"]}, "there is no 'nosuch'"),
        ("00_setup", {"weights_folder": "/nowhere"}, "weights_folder: there is no folder"),
        ("01_generate", {"guidance_scale": 3.0, "engine": "mannequin"}, "takes no setting 'guidance_scale'"),
        ("01_generate", {"count": 2, "keep": 2}, "keep must be a whole number from 0 to 1"),
        ("01_generate", {"run": "../elsewhere"}, "run must be a plain name"),
        ("01_generate", {"engine": "magic"}, "engine for generate is auto or one of"),
        ("01_generate", {"width": 20}, "width must be a whole number from 64"),
        ("01_generate", {"prompt": "a ten year old girl in a dress"}, "adult"),
        ("01_generate", {"prompt": "a naked man"}, "dressed"),
        ("01_generate", {"outputs": "{text.jpg}"}, "outputs: .*cannot be written"),
        ("02_segment", {"points": [[5000, 10, 1]], "person": "{blank.jpg}"}, "outside the image"),
        ("02_segment", {"points": [[384, 330, 2]]}, "label is 1"),
        ("02_segment", {"choice": 1}, "engine superpixel takes no setting 'choice'"),
        ("02_segment", {"choice": -2}, "choice must be a whole number of at least -1"),
        ("02_segment", {"person": "{tiny.png}"}, "40x40 pixels"),
        ("03_try_on", {"person": "{text.jpg}"}, "person: .*not a picture"),
        ("03_try_on", {"person": "{empty.png}"}, "person: .*is empty"),
        ("03_try_on", {"person": "{cut.jpg}"}, "person: .*damaged or cut short"),
        ("03_try_on", {"garment": "nowhere.jpg"}, "garment: there is no file nowhere.jpg"),
        ("03_try_on", {"category": "hat"}, "category must be upper, lower or dress"),
        ("03_try_on", {"garment_words": "a red skirt"}, "category: .*is of category .lower., not .upper."),
        ("03_try_on", {"settings": {"steps": 30}}, "engine drape takes no setting 'steps'"),
        ("03_try_on", {"person": "{blank.jpg}"}, "points: the mask is empty.*x 0..383 and y 0..511"),
        ("05_own_photograph", {"person": "{blank.jpg}"}, "no person was found"),
        ("05_own_photograph", {"pick": -2}, "pick must be a whole number from -1"),
        ("05_own_photograph", {"annotator": "magic"}, "engine for annotate is auto or one of"),
        ("05_own_photograph", {"garment": "nowhere.jpg"}, "garment: there is no file"),
        ("06_dressing_assistant", {"person": "{blank.jpg}"}, "no person was found"),
        ("06_dressing_assistant", {"poser": "schp"}, "does not give keypoints"),
        ("06_dressing_assistant", {"cloth_masker": "posenet"}, "neither a mask nor labels"),
        ("07_hr_viton", {"others": ["a man in jeans"]}, r"others\[0\] must be WHO > WHAT"),
        ("07_hr_viton", {"surfacer": "posenet"}, "does not give densepose"),
        ("04_full_demo", {"garment": "{tiny.png}"}, "garment: .*40x40"),
        ("04_full_demo", {"points": "384,400"}, "points"),
        ("04_full_demo", {"garments": []}, "garments: words for at least one"),
        ("04_full_demo", {"category": "lower"}, "category: .*is of category .upper., not .lower."),
        ("04_full_demo", {"generate_settings": {"steps": 30}}, "engine mannequin takes no setting 'steps'"),
        ("04_full_demo", {"try_on_engine": "magic"}, "engine for try_on is auto or one of"),
    ],
)
def test_bad_input_fails_by_name(walk: Execute, bad: dict[str, str], notebook: str, parameters: dict, words: str) -> None:
    filled = {k: bad[v[1:-1]] if isinstance(v, str) and v.startswith("{") else v for k, v in parameters.items()}
    with pytest.raises((OSError, ValueError), match=words):
        walk(notebook, **filled)

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from helpers import Garment, Person, images, runs, show
from helpers.headless import check_parameters, find_notebook


def start(tmp_path, notebook: str = "99_test", **changes) -> runs.Run:
    return runs.start(notebook, {"run": "a-run", "seed": 3, "outputs": str(tmp_path), "points": [], **changes})


def small_picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (80, 70, 3), dtype=np.uint8)


def test_metrics_of_several_notebooks_share_one_file(tmp_path) -> None:
    start(tmp_path).finish(iou=np.float32(0.5))
    start(tmp_path, notebook="98_other").finish(seconds=1)
    written = json.loads((tmp_path / "a-run" / "metrics.json").read_text())
    assert written["99_test"]["metrics"] == {"iou": 0.5}
    assert written["99_test"]["parameters"]["seed"] == 3
    assert written["98_other"]["environment"]["python"]


@pytest.mark.parametrize(
    "change", [{"run": "../up"}, {"run": ""}, {"run": "/abs"}, {"seed": -1}, {"seed": "one"}, {"seed": True}, {"seed": 1.5}]
)
def test_bad_common_parameters_are_named(tmp_path, change: dict) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(change))} "):
        start(tmp_path, **change)


def test_outputs_that_cannot_be_a_folder_are_named(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="outputs:"):
        start(tmp_path, outputs=str(tmp_path / "file"))


def test_no_path_leaves_the_run(tmp_path) -> None:
    with pytest.raises(ValueError, match="outside the run"):
        start(tmp_path).path("..", "other")


def test_a_mask_is_handed_on_only_with_its_own_picture(tmp_path) -> None:
    run = start(tmp_path)
    picture = small_picture()
    mask = picture[..., 0] > 128
    assert run.mask(picture) is None
    run.save_mask(mask, picture, [(3, 4, 1)])
    assert (run.mask(picture) == mask).all()
    assert run.mask(255 - picture) is None
    run.save_person(Person(picture))
    assert (run.mask(run.person().image) == mask).all()


def test_a_notebooks_typed_names_are_its_parameters_whatever_else_it_holds(tmp_path) -> None:
    """Cells as IPython keeps them, what they left, and a value that papermill put in the place of another."""
    cells = [
        "",
        "import sys",
        f"seed: int = 1  # of all\nrun: str = 'first'\noutputs: str = {str(tmp_path)!r}\npoints: list = []",
    ]
    cells += ["# Parameters\nseed = 7", "for x in", "size = 3", "run = runs.start('99_test', globals())"]
    notebook = {"In": cells, "seed": 7, "run": "first", "outputs": str(tmp_path), "points": [[1, 2, 1]], "size": 3, "sys": sys}
    run = runs.start("99_test", notebook)
    assert run.parameters == {"seed": 7, "run": "first", "outputs": str(tmp_path), "points": [[1, 2, 1]]}
    notebook["points"].append("later")
    assert run.finish()["parameters"]["points"] == [[1, 2, 1]]
    again = runs.start("99_test", {**notebook, "run": run})
    assert again.folder == run.folder
    assert again.parameters["run"] == "first"


def test_a_figure_is_written_and_none_is_passed_over(tmp_path) -> None:
    run = start(tmp_path)
    run.show(show.strip({"a": small_picture()}), "a-strip")
    run.show(None, "nothing")
    assert [path.name for path in (run.folder / "figures" / "99_test").iterdir()] == ["a-strip.png"]


def test_seconds_are_taken_down_by_name(tmp_path) -> None:
    run = start(tmp_path)
    with run.timed("a click"):
        pass
    assert list(run.seconds) == ["a click"]


def test_a_runs_folder_is_read_as_viton_hd_reads_it(tmp_path) -> None:
    """The loader's own steps: every line of the pairs in two tokens, every other file by replacing the ending."""
    rng = np.random.default_rng(0)
    keypoints = np.concatenate([rng.uniform(4, 60, (25, 2)), np.ones((25, 1))], 1).astype(np.float32)
    labels = np.full((80, 70), 5, np.uint8)
    run = start(tmp_path)
    run.save_person(Person(small_picture(), keypoints=keypoints, labels=labels), "some one")
    garments = [
        Garment(small_picture(i), labels > 0, name=name) for i, name in enumerate(["a red/white top", "A red-white TOP"])
    ]
    run.save_garments(*garments, person="some one")
    pairs = [line.strip().split() for line in (run.folder / "test_pairs.txt").read_text().splitlines()]
    assert len({cloth.lower() for _, cloth in pairs}) == 2
    for (person, cloth), garment in zip(pairs, garments, strict=True):
        picture = Image.open(run.folder / "image" / person)
        assert picture.size == (70, 80)
        for folder, file in (
            ("cloth", cloth),
            ("cloth-mask", cloth),
            ("openpose_img", person.replace(".jpg", "_rendered.png")),
        ):
            assert Image.open(run.folder / folder / file).size == (70, 80), folder
        assert np.abs(images.read_image(run.folder / "cloth" / cloth).astype(int) - garment.image).mean() < 10
        assert (np.array(Image.open(run.folder / "image-parse-v3" / person.replace(".jpg", ".png"))) == 5).all()
        pose = json.loads((run.folder / "openpose_json" / person.replace(".jpg", "_keypoints.json")).read_text())
        read = np.array(pose["people"][0]["pose_keypoints_2d"]).reshape((-1, 3))[:, :2]
        assert np.allclose(read, keypoints[:, :2], atol=1e-3)


KNOWN = {
    "prompt": {"inferred_type_name": "str", "default": '""', "help": ""},
    "seed": {"inferred_type_name": "int", "default": "0", "help": ""},
    "points": {"inferred_type_name": "list", "default": "[]", "help": ""},
    "strength": {"inferred_type_name": "float", "default": "0.5", "help": ""},
    "wardrobe": {"inferred_type_name": "bool", "default": "True", "help": ""},
}


def test_command_line_parameters_take_the_declared_type() -> None:
    given = {"prompt": "7", "seed": "7", "points": "[[1,2,1]]", "strength": "1", "wardrobe": "false"}
    values = check_parameters(KNOWN, list(given.items()), "n.ipynb")
    assert values == {"prompt": "7", "seed": 7, "points": [[1, 2, 1]], "strength": 1.0, "wardrobe": False}


@pytest.mark.parametrize(
    ("name", "text"), [("seed", "x"), ("seed", "1.5"), ("seed", "True"), ("points", "3"), ("wardrobe", "2")]
)
def test_ill_typed_command_line_parameters_are_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        check_parameters(KNOWN, [(name, text)], "n.ipynb")


def test_unknown_command_line_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no parameter 'sedd' \(did you mean 'seed'\?\); its parameters are prompt"):
        check_parameters(KNOWN, [("sedd", "1")], "n.ipynb")


def test_notebooks_are_found_by_number_name_and_path() -> None:
    assert find_notebook("03") == find_notebook("03_try_on") == find_notebook("notebooks/03_try_on.ipynb")
    with pytest.raises(FileNotFoundError, match="There are: 00_setup"):
        find_notebook("77")


def test_the_command_refuses_before_it_starts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "run", "03", "-p", "sedd", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no parameter 'sedd'" in done.stderr

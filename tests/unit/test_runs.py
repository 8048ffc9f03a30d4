import json
import subprocess
import sys

import numpy as np
import pytest

from helpers import Person, runs
from helpers.cli import check_parameters, find_notebook


def start(tmp_path, **changes) -> runs.Run:
    return runs.start(**{"notebook": "99_test", "run": "a-run", "seed": 3, "outputs": str(tmp_path), "points": [], **changes})


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
    picture = np.random.default_rng(0).integers(0, 256, (80, 70, 3), dtype=np.uint8)
    mask = picture[..., 0] > 128
    assert run.mask(picture) is None
    run.save_mask(mask, picture, [(3, 4, 1)])
    assert (run.mask(picture) == mask).all()
    assert run.mask(255 - picture) is None
    run.save_person(Person(picture))
    assert (run.mask(run.person().image) == mask).all()


KNOWN = {
    "prompt": {"inferred_type_name": "str", "default": '""', "help": ""},
    "seed": {"inferred_type_name": "int", "default": "0", "help": ""},
    "points": {"inferred_type_name": "list", "default": "[]", "help": ""},
    "strength": {"inferred_type_name": "float", "default": "0.5", "help": ""},
    "wardrobe": {"inferred_type_name": "bool", "default": "True", "help": ""},
}


def test_command_line_parameters_take_the_declared_type() -> None:
    given = {"prompt": "7", "seed": "7", "points": "[[1,2,1]]", "strength": "1", "wardrobe": "false"}
    values = check_parameters(KNOWN, given, "n.ipynb")
    assert values == {"prompt": "7", "seed": 7, "points": [[1, 2, 1]], "strength": 1.0, "wardrobe": False}


@pytest.mark.parametrize(
    ("name", "text"), [("seed", "x"), ("seed", "1.5"), ("seed", "True"), ("points", "3"), ("wardrobe", "2")]
)
def test_ill_typed_command_line_parameters_are_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"parameter {name} must be"):
        check_parameters(KNOWN, {name: text}, "n.ipynb")


def test_unknown_command_line_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="no parameter 'sedd'; its parameters are prompt"):
        check_parameters(KNOWN, {"sedd": "1"}, "n.ipynb")


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


def test_importing_the_package_loads_no_engine() -> None:
    code = "import sys, helpers; print([m for m in ('torch', 'matplotlib', 'embreex', 'ipycanvas', 'skimage') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"

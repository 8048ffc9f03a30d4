import inspect
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import Garment, Person, annotate, engines, extract, generate, reconstruct, segment, try_on, weights
from helpers.contract import Base, Setting
from helpers.person import ANNOTATIONS

SETTINGS = [(record, name) for record in engines.ENGINES for name in record.settings]


@pytest.fixture(autouse=True)
def _no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))


def test_without_weights_auto_finds_the_embedded_engine() -> None:
    for stage in ("generate", "segment", "try_on"):
        assert engines.find(stage).embedded
        assert engines.find(stage).name in engines.names(stage)
    with pytest.raises(weights.Missing, match="weights fetch openpose humanparsing densepose"):
        engines.find("annotate")


def test_every_group_of_weights_that_a_record_names_is_in_the_manifest() -> None:
    for record in engines.ENGINES:
        for group in record.groups():
            assert weights.group(group).records, record.name


def test_auto_takes_a_published_engine_whose_weights_are_here(
    tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")
    shutil.copytree(tiny_weights / "sam", tmp_path / "sam", ignore=lambda _, names: [n for n in names if "vit_b" not in n])
    assert engines.full_name("segment") == "sam:vit_b"
    shutil.copy(tiny_weights / "sam/mobile_sam.pt", tmp_path / "sam")
    assert engines.full_name("segment") == "sam:mobile"  # the lightest, on a CPU
    assert engines.full_name("segment", "sam:vit_b") == "sam:vit_b"
    assert engines.find("generate").name == "mannequin"


def test_a_checkpoint_in_diffusers_folder_layout_counts(tmp_path: Path) -> None:
    with pytest.raises(weights.Missing, match=r"RealVisXL_V4\.0\.safetensors"):
        engines.ready("generate", "realvisxl:v4")
    folder = tmp_path / "realvisxl" / "RealVisXL_V4.0"
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    assert engines.ready("generate", "realvisxl") == "realvisxl:v4"


def test_a_variant_that_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match="no variant 'vit_x'; its variants: sam:vit_h"):
        engines.find("segment", "sam:vit_x")
    with pytest.raises(ValueError, match="its variants: none"):
        engines.find("segment", "superpixel:fast")


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(ValueError, match="superpixel"):
        engines.find("segment", "magic")
    with pytest.raises(ValueError, match="generate, segment, annotate, try_on, extract or reconstruct"):
        engines.names("fly")


@pytest.mark.parametrize("record", [e for e in engines.ENGINES if e.embedded], ids=lambda r: r.name)
def test_every_embedded_record_loads_and_frees_its_engine(record: engines.Engine) -> None:
    with engines.load(record.stage, record.name) as engine:
        assert engine is engines.load(record.stage, record.name)
    engine.close()


# What a record says of its engine -------------------------------------------------------------------------------------

# What every call of a stage takes beside the engine's own settings.
ARGUMENTS = {
    "generate": {"prompt", "seed", "seeds", "size"},
    "segment": {"points", "box", "start", "known"},
    "annotate": {"person", "needs", "pick", "mask"},
    "try_on": {"person", "garment", "mask", "seed", "seeds"},
    "extract": {"person", "mask", "category"},
    "reconstruct": {"person"},
}


def _class(record: engines.Engine) -> type[Base]:
    if missing := [package for package in record.packages if find_spec(package) is None]:
        pytest.skip(f"{', '.join(missing)} is not installed")
    module, _, name = record.load.partition(":")
    return getattr(import_module(module), name)


def _call(kind: type[Base], record: engines.Engine) -> dict[str, inspect.Parameter]:
    call = "predict" if record.stage == "segment" else "many" if record.multiple else "__call__"
    parameters = dict(inspect.signature(getattr(kind, call)).parameters)
    del parameters["self"]
    return parameters


@pytest.mark.parametrize("record", engines.ENGINES, ids=lambda r: r.name)
def test_a_record_and_the_call_of_its_class_say_the_same(record: engines.Engine) -> None:
    kind = _class(record)
    assert issubclass(kind, Base)
    parameters = _call(kind, record)
    assert parameters.keys() - ARGUMENTS[record.stage] == record.settings.keys()
    for name, setting in record.settings.items():
        assert parameters[name].default == setting.default, name
        assert setting.check(name, setting.default) == setting.default, "a default that its own check refuses"


@pytest.mark.parametrize("record", engines.ENGINES, ids=lambda r: r.name)
def test_every_capability_is_true_of_the_class(record: engines.Engine) -> None:
    kind = _class(record)
    parameters = _call(kind, record)
    assert hasattr(kind, "many") == record.multiple
    assert ("seeds" in parameters) == record.multiple
    assert ({"on_step", "progress"} <= parameters.keys()) == record.steps
    assert ("box" in parameters) == record.boxes
    assert ("start" in parameters) == record.starts
    assert hasattr(kind, "candidates") == hasattr(kind, "default_choice") == bool(record.candidates)
    if record.candidates:
        assert record.settings["choice"].high == record.candidates - 1
    assert bool(record.sides) == (record.stage == "generate")
    if record.stage == "try_on":
        assert (parameters["mask"].default is None) == record.frames
    assert record.derives <= record.gives <= set(ANNOTATIONS)
    assert record.needs <= {*ANNOTATIONS, "cloth mask"}
    assert bool(record.gives) == (record.stage == "annotate")


def test_an_engine_that_knows_its_figure_says_all_there_is_of_it() -> None:
    for record in engines.ENGINES:
        if record.knows_figure:
            person = generate("a woman in a red dress", engine=record.name, size=(96, 128))
            assert all(value is not None for value in (person.keypoints, person.labels, person.densepose, person.depth))
            assert person.scene["outfit"]["pieces"]


# Settings are checked before anything slow --------------------------------------------------------------------------


@pytest.fixture
def person() -> Person:
    return Person(np.full((128, 96, 3), 200, np.uint8))


@pytest.fixture
def verbs(person: Person, monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., Any]]:
    """The verb of each stage with all that is not a setting, where no engine may be loaded."""
    mask = np.zeros(person.image.shape[:2], bool)
    mask[40:80, 30:60] = True
    monkeypatch.setattr(engines, "load", lambda *_: pytest.fail("an engine was loaded before its settings were checked"))
    return {
        "generate": lambda **rest: generate("a woman in a red dress", **rest),
        "segment": lambda **rest: segment(person.image, [(40, 50, 1)], **rest),
        "annotate": lambda **rest: annotate(person, **rest),
        "try_on": lambda **rest: try_on(person, Garment(person.image, None, "upper"), mask=mask, **rest),
        "extract": lambda **rest: extract(person, mask=mask, **rest),
        "reconstruct": lambda **rest: reconstruct(person, **rest),
    }


def _unfit(setting: Setting) -> list[Any]:
    """Values that ``setting`` has to refuse: of another type, and out of its range."""
    wrong: list[Any] = [object(), b"none of them"]
    if setting.default is not None:
        wrong.append(None)
    if setting.kind in ("whole", "number"):
        wrong += [True, "3 of them", setting.low - 1, float("nan")]
        wrong += [] if setting.high == float("inf") else [setting.high + 1]
        wrong += [setting.low] if setting.above else []
    wrong += [2.5] if setting.kind == "whole" else []
    wrong += [1, "yes"] if setting.kind == "flag" else []
    wrong += ["another", 0] if setting.kind == "choice" else []
    return wrong


@pytest.mark.parametrize(("record", "name"), SETTINGS, ids=lambda value: getattr(value, "name", value))
def test_a_setting_that_does_not_fit_is_named_before_its_engine_is_loaded(verbs, record: engines.Engine, name: str) -> None:
    for value in _unfit(record.settings[name]):
        with pytest.raises(ValueError, match=f"^{name} must be .*not .*{name}: "):
            verbs[record.stage](engine=record.name, **{name: value})


@pytest.mark.parametrize("record", engines.ENGINES, ids=lambda r: r.name)
def test_a_setting_that_an_engine_has_not_is_named(verbs, record: engines.Engine) -> None:
    if record.stage == "segment":
        verbs = {"segment": lambda engine, **rest: engines.check_settings("segment", engine, rest)}
    taken = ", ".join(record.settings) or "none of its own"
    with pytest.raises(ValueError, match=rf"^engine {record.name} takes no setting 'colours'; it takes {taken}\.$"):
        verbs[record.stage](engine=record.name, colours=3)


@pytest.mark.parametrize("record", [e for e in engines.ENGINES if e.stage in ("generate", "try_on")], ids=lambda r: r.name)
def test_an_engine_called_without_its_verb_checks_as_much(record: engines.Engine) -> None:
    kind = _class(record)
    call, seed = (kind.many, {"seeds": [0, -1]}) if record.multiple else (kind.__call__, {"seed": -1})
    what = ("a red dress",) if record.stage == "generate" else (None, None)
    unmade = object.__new__(kind)  # nothing of the engine itself is asked before its arguments are found fit
    with pytest.raises(ValueError, match=r"^seeds? must be a whole number"):
        call(unmade, *what, **seed)
    for name, setting in record.settings.items():
        for value in _unfit(setting):
            with pytest.raises(ValueError, match=f"^{name} must be "):
                call(unmade, *what, **{next(iter(seed)): [0] if record.multiple else 0, name: value})


@pytest.mark.parametrize(
    ("stage", "settings", "words"),
    [
        (
            "generate",
            {"engine": "mannequin", "steps": 30},
            "engine mannequin .*'steps'; it takes camera. 'steps' is for realvisxl.",
        ),
        (
            "segment",
            {"engine": "superpixel", "choice": 1},
            "engine superpixel .*'choice'; .*none of its own. 'choice' is for sam.",
        ),
        (
            "try_on",
            {"engine": "drape", "steps": 30},
            "engine drape .*'steps'; it takes none of its own. 'steps' is for fashn and idm_vton.",
        ),
        (
            "segment",
            {"engine": "superpixel", "box": (1, 1, 9, 9)},
            "engine superpixel takes no box. Click .* or take engine='sam'",
        ),
        ("segment", {"engine": "sam", "box": (1, 1, 97, 9)}, r"^box: \(1, 1, 97, 9\) lies outside the image; x is 0..96"),
        ("segment", {"engine": "sam", "box": (9, 1, 3, 9)}, "^box: .* is empty"),
        ("segment", {"engine": "sam", "box": (1, 2, 3)}, r"^box must be \(x0, y0, x1, y1\)"),
        ("generate", {"engine": "mannequin", "seed": -1}, "^seed must be a whole number"),
        ("try_on", {"engine": "drape", "seed": "one"}, "^seed must be a whole number"),
        ("generate", {"engine": "realvisxl", "size": (770, 1024)}, "size must be multiples of 8, .*nearest is 768x1024"),
        ("generate", {"engine": "mannequin", "size": (32, 1024)}, "size must be 64 to 4096 pixels a side"),
    ],
)
def test_what_another_engine_has_and_what_cannot_be_is_said_at_once(verbs, stage: str, settings: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        verbs[stage](**settings)


def test_settings_are_checked_and_told_without_importing_any_engine() -> None:
    code = """
import sys
from helpers import engines
for record in engines.ENGINES:
    for name, setting in record.settings.items():
        engines.check_settings(record.stage, record.name, {name: setting.default})
        try:
            engines.check_settings(record.stage, record.name, {name: object()})
        except ValueError:
            continue
        raise SystemExit(f"{record.name} takes anything as {name}")
loaded = {record.load.partition(":")[0] for record in engines.ENGINES} | {"torch"}
raise SystemExit(", ".join(loaded & sys.modules.keys()) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_fits_comes_back_as_the_engine_takes_it() -> None:
    given = {"steps": np.int64(7), "guidance_scale": np.float32(2.5), "pick": "auto", "on_step": None}
    taken = engines.check_settings("try_on", "idm_vton", given)
    assert taken == {"steps": 7, "guidance_scale": 2.5, "pick": "auto", "on_step": None}
    assert type(taken["steps"]) is int
    assert engines.check_settings("try_on", "idm_vton", {"pick": 1}) == {"pick": 1}


def test_an_object_of_a_class_is_told_by_the_class() -> None:
    from helpers.mannequin.render.camera import Camera

    camera = Camera((0.0, 1.0, 3.0), (0.0, 1.0, 0.0))
    assert engines.check_settings("generate", "mannequin", {"camera": camera}) == {"camera": camera}

"""Values that are no seeds, sizes, points, garments or settings, given to verbs, engines and notebooks: a line an input, and what is said.

A notebook's parameters come as its cells have them or as papermill writes them, mostly text: every one is read or refused in the first
cell after them, and a run that is refused leaves no folder.
"""

from __future__ import annotations

import ast
import json
import os
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import helpers
from helpers import Garment, Person, checks, engines, parameters, runs
from helpers.contract import SEED, checked_seeds
from helpers.mannequin import parse, require_words
from helpers.segmentation import parse_points

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
PICTURE = np.random.default_rng(0).integers(0, 256, (96, 72, 3), np.uint8)
MASK = np.zeros((96, 72), bool)
MASK[30:60, 20:50] = True
PERSON, GARMENT = Person(PICTURE), Garment(PICTURE)
HUGE = 10**400


def _named(value: Any) -> str:
    return (
        ascii(value)[:40] if isinstance(value, str | int | float | type(None) | list | tuple | dict) else type(value).__name__
    )


# Seeds, the same wherever they are given

SEED_TAKERS: dict[str, Callable[[Any], Any]] = {
    "generate": lambda seed: helpers.generate("a red dress", engine="mannequin", seed=seed),
    "product": lambda seed: helpers.product("a red dress", seed=seed),
    "try_on": lambda seed: helpers.try_on(PERSON, GARMENT, mask=MASK, engine="drape", seed=seed),
    "parse": lambda seed: parse("a red dress", seed),
    "mannequin": lambda seed: engines.load("generate", "mannequin")("a red dress", seed=seed),
    "drape": lambda seed: engines.load("try_on", "drape")(PERSON, GARMENT, mask=MASK, seed=seed),
    "many": lambda seed: checked_seeds([0, seed]),
    "start": lambda seed: runs.start("99", {"run": "a", "seed": seed, "outputs": "/nowhere-to-be-made"}),
}
NO_SEEDS = [
    -1,
    1.5,
    "3",
    None,
    True,
    HUGE,
    -HUGE,
    2**63,
    np.float64(3),
    "0x3",
    float("nan"),
    [1],
    np.array(3),
    b"3",
    np.bool_(True),
]


@pytest.mark.parametrize("seed", NO_SEEDS, ids=_named)
@pytest.mark.parametrize("taker", SEED_TAKERS)
def test_what_is_no_seed_is_refused_in_the_same_words_everywhere(taker: str, seed: Any, monkeypatch) -> None:
    monkeypatch.setattr(runs, "require_writable", lambda *_: None)
    with pytest.raises(ValueError, match=r"^seeds? must be a whole number from 0 to 9223372036854775807, not ") as caught:
        SEED_TAKERS[taker](seed)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("seed", [0, 2**63 - 1, np.int64(5), np.uint8(7)], ids=_named)
def test_what_is_a_seed_comes_back_as_a_number(seed: Any) -> None:
    assert type(SEED.check("seed", seed)) is int
    assert parse("a red dress", seed)


# What else verbs, engines and their settings are given

WRONG: list[tuple[str, Callable[[], Any], str]] = [
    *(
        (
            f"size {_named(size)}",
            lambda size=size: helpers.generate("a red dress", engine="mannequin", size=size),
            r"^size must be",
        )
        for size in (
            (float("inf"), 512),
            (64.9, 512),
            (float("nan"), 512),
            ("384", "512"),
            (384,),
            (384, 512, 3),
            "384x512",
            None,
            512,
            (True, 512),
            (-384, 512),
            (10**30, 512),
            (HUGE, 512),
            {384, 512},
            {"width": 384},
            np.array([[384, 512]]),
            (384, None),
            np.array([384.0, 512.0]),
        )
    ),
    (
        "size of a generator",
        lambda: helpers.product("a red dress", size=(side for side in (384, 512))),
        "^size must be .* generator",
    ),
    ("size too slender", lambda: helpers.generate("a red dress", engine="mannequin", size=(64, 4096)), "^size is 64x4096"),
    ("size of resized", lambda: PERSON.resized((0, 3)), "^size must be 64 to"),
    *(
        (
            f"garment {_named(value)}",
            lambda value=value: helpers.try_on(PERSON, value, mask=MASK, engine="drape"),
            "^garment must be a Garment",
        )
        for value in (None, "shirt.jpg", Path("shirt.jpg"), PICTURE, PERSON, [GARMENT], Garment, 3)
    ),
    (
        "garment to the engine",
        lambda: engines.load("try_on", "drape")(PERSON, PICTURE, mask=MASK),
        "^garment must be a Garment",
    ),
    ("person to the engine", lambda: engines.load("try_on", "drape")(PICTURE, GARMENT, mask=MASK), "^person must be a Person"),
    *(
        (
            f"person {_named(value)}",
            lambda value=value: helpers.try_on(value, GARMENT, mask=MASK, engine="drape"),
            "^person image must be",
        )
        for value in (None, "me.jpg", Path("me.jpg"), Image.fromarray(PICTURE), GARMENT, [PICTURE])
    ),
    *(
        (
            f"mask {_named(value)}",
            lambda value=value: helpers.try_on(PERSON, GARMENT, mask=value, engine="drape"),
            "^mask must be",
        )
        for value in ("mask.png", [[True]], MASK.astype(int), 3, GARMENT)
    ),
    ("no mask to the engine", lambda: engines.load("try_on", "drape")(PERSON, GARMENT, mask=None), "^mask must be"),
    *(
        (f"points {_named(value)}", lambda value=value: helpers.segment(PICTURE, value, engine="superpixel"), "^points")
        for value in (
            None,
            (p for p in [(9, 9, 1)]),
            {(9, 9, 1)},
            {"top": [(9, 9, 1)]},
            "9,9",
            b"9",
            9,
            [(9, 9)],
            [(9, 9, 1, 1)],
            [("9", "9", "1")],
            [(9, 9, True)],
            [(True, 9, 1)],
            [(9, 9, 2)],
            [(9, 9, "1")],
            [(9, 9, 0.5)],
            [(9, 9, -1)],
            [(float("nan"), 9, 1)],
            [(float("inf"), 9, 1)],
            [(-1, 9, 1)],
            [(HUGE, 9, 1)],
            [(72, 9, 1)],
            [None],
            ["991"],
            [{9, 8, 1}],
            [(9, 9, None)],
            [(9, 9, 1)] * 10_000,
            np.zeros(3),
            np.array([["9", "9", "1"]]),
            [[[9, 9, 1]]],
            [(9, 9, 0)],
            [(9, 9, 1), (9.5, 9.5, 0)],
            [],
        )
    ),
    *(
        (f"box {_named(value)}", lambda value=value: checks.box(value, (72, 96)), "^box")
        for value in (
            3,
            "1,1,9,9",
            (1, 1, 9),
            (1, 1, 9, float("nan")),
            (9, 9, 1, 1),
            (-1, 0, 9, 9),
            (1, 1, "9", 9),
            {1, 2, 9, 8},
            (0, 0, HUGE, 9),
        )
    ),
    (
        "choice of an engine without",
        lambda: helpers.segment(PICTURE, [(9, 9, 1)], engine="superpixel", choice=0),
        "takes no setting 'choice'",
    ),
    *(
        (
            f"choice {_named(value)}",
            lambda value=value: engines.check_settings("segment", "sam", {"choice": value}),
            "^choice must be a whole number from 0 to 2",
        )
        for value in (True, 3, -1, "0", 0.0, HUGE)
    ),
    *(
        (
            f"pick {_named(value)}",
            lambda value=value: helpers.annotate(PERSON, needs=(), pick=value),
            "^pick must be auto or a whole number",
        )
        for value in ("left", -1, True, None, 1.0, "0", -HUGE)
    ),
    *(
        (f"needs {_named(value)}", lambda value=value: helpers.annotate(PERSON, needs=value), "^needs ")
        for value in ("labels", None, ["label"], (n for n in ["labels"]), [None], {"labels": 1}, [["labels"]], 3)
    ),
    (
        "engine of a known person",
        lambda: helpers.annotate(PERSON, needs=(), engine="openpose"),
        "^engine for annotate is auto or one of",
    ),
    ("mask of a known person", lambda: helpers.annotate(PERSON, needs=(), mask=MASK.T), "^mask is 96x72"),
    *(
        (
            f"engine {_named(value)}",
            lambda value=value: helpers.segment(PICTURE, [(9, 9, 1)], engine=value),
            "^engine for segment is auto or one of sam, superpixel, not",
        )
        for value in (
            None,
            "",
            3,
            "SAM",
            " sam ",
            ":",
            ("sam",),
            True,
            "auto ",
            "superpixels",
            "sam\0",
            ["auto"],
            b"sam",
            "drape",
            "ѕam",
        )
    ),
    *(
        (f"variant {_named(value)}", lambda value=value: engines.find("segment", value), "has no variant")
        for value in ("sam:", "sam:huge", "superpixel:x", "superpixel:", "sam:vit_h:", "sam:VIT_H")
    ),
    *(
        (f"category {_named(value)}", value_call, "^category must be upper, lower or dress, not")
        for value, value_call in [
            *(
                (v, lambda v=v: Garment(PICTURE, category=v))
                for v in (None, "Upper", "tops", "", 3, ["upper"], np.array(["upper"]))
            ),
            *((v, lambda v=v: PERSON.worn(v)) for v in ("shoes", None)),
            ("hat", lambda: require_words("a red dress", "hat", "words")),
        ]
    ),
    *(
        (f"prompt {_named(value)}", lambda value=value: helpers.generate(value, engine="mannequin"), "prompt")
        for value in (None, b"a red dress", 3, "", "  \n", Path("a red dress"), ["a red dress"], True, GARMENT)
    ),
    ("garment words None", lambda: helpers.product(None), "^what must be text"),
    ("garment words list", lambda: helpers.product(["a red dress"]), "^what must be text"),
    ("garment words NUL", lambda: helpers.product("a red\0dress"), "^what holds a NUL character"),
    ("garment words surrogate", lambda: helpers.product("a red dress \udc80"), "^what holds bytes"),
    ("garment words long", lambda: helpers.product("a red dress " * 90_000), "^what has 1,080,000 characters"),
    (
        "setting misspelt",
        lambda: engines.check_settings("generate", "realvisxl", {"step": 3}),
        r"no setting 'step' \(did you mean 'steps'\?\); it takes steps",
    ),
    (
        "setting of others",
        lambda: helpers.generate("a red dress", engine="mannequin", guidance_scale=3),
        "'guidance_scale' is for realvisxl",
    ),
    (
        "setting to the engine",
        lambda: engines.load("try_on", "drape")(PERSON, GARMENT, mask=MASK, steps=3),
        "^engine drape takes no setting 'steps'",
    ),
    ("setting without a name", lambda: engines.check_settings("try_on", "drape", {3: 3}), "takes no setting 3"),
    ("settings as a list", lambda: engines.check_settings("try_on", "drape", ["steps"]), "^settings must be names and values"),
    ("settings None", lambda: engines.check_settings("try_on", "drape", None), "^settings must be names and values"),
    (
        "camera as a dict",
        lambda: helpers.generate("a red dress", engine="mannequin", camera={"x": 1}),
        "^camera must be a Camera",
    ),
    *(
        (
            f"steps {_named(value)}",
            lambda value=value: engines.check_settings("try_on", "idm_vton", {"steps": value}),
            "^steps must be a whole number from 1 to 100, not",
        )
        for value in (0, 101, 3.0, "30", True, HUGE, None, float("nan"))
    ),
    *(
        (
            f"guidance {_named(value)}",
            lambda value=value: engines.check_settings("try_on", "idm_vton", {"guidance_scale": value}),
            "^guidance_scale must be a number from 1 to 10, not",
        )
        for value in (0.9, 11, "2", True, HUGE, float("nan"), float("inf"), [2], 2j)
    ),
    *(
        (
            f"flag {_named(value)}",
            lambda value=value: engines.check_settings("try_on", "idm_vton", {"parity": value}),
            "^parity must be True or False, not",
        )
        for value in (0, 1, "false", "", None, [])
    ),
    ("choice setting", lambda: engines.check_settings("try_on", "idm_vton", {"framing": "Crop"}), r"did you mean 'crop'\?"),
    (
        "text setting",
        lambda: engines.check_settings("try_on", "idm_vton", {"description": 3}),
        "^description must be text, not 3",
    ),
    ("on_step", lambda: engines.check_settings("try_on", "idm_vton", {"on_step": "print"}), "^on_step must be a function"),
    ("seeds as a number", lambda: checked_seeds(3), "^seeds must be a list"),
    ("seeds as text", lambda: checked_seeds("012"), "^seeds must be a list"),
    ("no seeds", lambda: checked_seeds([]), "^seeds must be a list"),
    ("points as broken JSON", lambda: parse_points("[[1,"), "^points must be text such as"),
    ("points as deep JSON", lambda: parse_points("[" * 100_000), "^points must be"),
    ("points of a nameless garment", lambda: parse_points({None: []}), "^points: the name of a garment must be text"),
]


@pytest.mark.parametrize(("call", "words"), [pytest.param(c, w, id=name) for name, c, w in WRONG])
def test_what_does_not_fit_is_refused_in_a_sentence_before_anything_slow(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert len(str(caught.value)) < 600
    assert type(caught.value).__module__ != "numpy"


@pytest.mark.parametrize(
    "points", [[(30, 40, 1)], np.array([[30, 40, 1]]), ((np.float32(30.5), np.int16(40), 1.0),)], ids=_named
)
def test_points_of_python_and_numpy_are_the_same(points: Any) -> None:
    assert checks.points(points, (72, 96))[0] == (int(points[0][0]) + (points[0][0] % 1), 40.0, 1)


# The parameters of notebooks

READ = [
    ("int", "7", 7),
    ("int", " 7 ", 7),
    ("int", "-7", -7),
    ("float", "3", 3.0),
    ("float", 3, 3.0),
    ("float", "1e-3", 0.001),
    ("bool", "false", False),
    ("bool", "False", False),
    ("bool", "NO", False),
    ("bool", "on", True),
    ("bool", True, True),
    ("str", "", ""),
    ("str", "[1]", "[1]"),
    ("str", "true", "true"),
    ("list", "[]", []),
    ("list", "[[384, 420, 1]]", [[384, 420, 1]]),
    ("list", "[(384, 420, 1),]", [(384, 420, 1)]),
    ("list", ((1, 2, 1),), [(1, 2, 1)]),
    ("list[str]", '["a red shirt", "b"]', ["a red shirt", "b"]),
    ("list[str]", "['a red shirt']", ["a red shirt"]),
    ("list[str]", "a red shirt", ["a red shirt"]),
    ("dict", "{}", {}),
    ("dict", '{"steps": 3, "parity": true, "x": null}', {"steps": 3, "parity": True, "x": None}),
    ("dict", "{'steps': 3, 'parity': True}", {"steps": 3, "parity": True}),
    ("Path", "as it is", "as it is"),
]


@pytest.mark.parametrize(("kind", "value", "read"), READ, ids=_named)
def test_text_becomes_what_the_parameters_cell_declares(kind: str, value: Any, read: Any) -> None:
    found = parameters.read("name", value, kind)
    assert found == read
    assert type(found) is type(read)
    assert parameters.read("name", found, kind) == read


UNREADABLE = [
    *(("int", value) for value in ("x", "1.5", "1e3", 1000.0, True, None, "", "3 4", "seven", "9" * 5000, "0b2", [1], "None")),
    *(
        ("float", value)
        for value in ("x", "nan", "inf", "1e999", float("nan"), float("inf"), None, True, "", "1,5", HUGE, [1.0])
    ),
    *(("bool", value) for value in ("2", "1", "0", 1, 0, None, "", "maybe", "truee", [], 1.0)),
    *(("str", value) for value in (2024, 1e3, True, None, ["a"], {"a": 1}, "a\0b", "caf\udce9", b"a", "x" * 200_000)),
    *(
        ("list", value)
        for value in ("", "3", "{}", "[[", None, 3, "x", {"a": 1}, "[" * 100_000, {1}, "open('x')", "[x for x in 'ab']")
    ),
    *(("list[str]", value) for value in ("", "[3]", [None], '["a", ["b"]]', None, 3, "(", {"a": 1}, ["a\0"])),
    *(
        ("dict", value)
        for value in ("", "[]", "steps", "{1: 2}", {3: 4}, '{"a": 1, "a": 2}', None, "{'a'}", [("a", 1)], "dict(a=1)")
    ),
]


@pytest.mark.parametrize(("kind", "value"), UNREADABLE, ids=_named)
def test_what_is_not_of_the_declared_type_is_refused_by_name(kind: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^name") as caught:
        parameters.read("name", value, kind)
    assert len(str(caught.value)) < 400


@cache
def _cells(name: str) -> tuple[str, str]:
    """The parameters cell of a notebook, and the first cell after it."""
    (path,) = NOTEBOOKS.glob(f"{name}_*.ipynb")
    code = [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    (place,) = [place for place, cell in enumerate(code) if "parameters" in cell["metadata"].get("tags", [])]
    return "".join(code[place]["source"]), "".join(code[place + 1]["source"])


def _open(name: str, outputs: Path, given: dict[str, Any]) -> dict[str, Any]:
    """What the notebook holds after its first cell, with parameters as papermill gives them."""
    typed, first = _cells(name)
    injected = "# Parameters\n" + "\n".join(f"{key} = {value!r}" for key, value in {"outputs": str(outputs), **given}.items())
    names: dict[str, Any] = {
        "__name__": "__main__",
        "In": ["", typed, injected, first],
        "nan": float("nan"),
        "inf": float("inf"),
    }
    for cell in names["In"]:
        exec(compile(cell, name, "exec"), names)
    return names


TAKEN = [
    (
        "03",
        {"auto_mask": "false", "settings": "{}", "points": "[[384, 420, 1]]", "seed": "7"},
        {"auto_mask": False, "settings": {}, "seed": 7},
    ),
    ("03", {"auto_mask": "YES"}, {"auto_mask": True}),
    ("04", {"garments": "a red t-shirt", "seed": 3}, {"garments": ["a red t-shirt"]}),
    ("04", {"garments": '["a red t-shirt", "a blue t-shirt"]'}, {"garments": ["a red t-shirt", "a blue t-shirt"]}),
    (
        "01",
        {"width": "384", "height": "512", "extras": "off", "count": "2", "keep": "1"},
        {"width": 384, "extras": False, "keep": 1},
    ),
    ("01", {"guidance_scale": 0, "steps": "0"}, {"guidance_scale": 0.0, "steps": 0}),
    (
        "02",
        {"more_garments": '{"skirt": [[384, 560, 1]]}', "choice": "-1"},
        {"more_garments": {"skirt": [[384, 560, 1]]}, "choice": -1},
    ),
    ("00", {"self_test": "no", "fetch": "[]"}, {"self_test": False, "fetch": []}),
]


@pytest.mark.parametrize(("notebook", "given", "read"), TAKEN, ids=_named)
def test_a_notebooks_parameters_are_read_in_its_first_cell(notebook: str, given: dict, read: dict, tmp_path: Path) -> None:
    names = _open(notebook, tmp_path, given)
    for key, value in read.items():
        assert names[key] == value
        assert type(names[key]) is type(value)
        assert names["run"].parameters[key] == value
    assert not os.listdir(tmp_path)


REFUSED = [
    *(
        ("03", {"run": value}, "^run must")
        for value in ("../escape", "/abs", "", ".", "a/b", "CON", "a.", 2024, None, "a" * 65, "é", " a", "a\nb")
    ),
    *(
        ("03", {"outputs": value}, "^outputs")
        for value in (3, "/dev/null", "a\0b", None, "/dev/null/x", "~no-such-user/x", " ")
    ),
    *(
        (name, {"seed": value}, "^seed must be")
        for name in ("00", "01", "02", "03", "04")
        for value in ("x", 1e3, -1, 2**63, None)
    ),
    *((name, {"sede": 3}, r"no parameter 'sede' \(did you mean 'seed'\?\)") for name in ("00", "01", "02", "03", "04")),
    ("00", {"fetch": ["nosuch"]}, "there is no 'nosuch'"),
    ("00", {"fetch": [3]}, r"^fetch\[0\] must be text"),
    ("00", {"self_test": 1}, "^self_test must be true or false"),
    ("00", {"weights_folder": "/nowhere"}, "^weights_folder: there is no folder"),
    ("00", {"weights_folder": "a" * 5000}, "^weights_folder: a folder is wanted, not .*too long"),
    ("01", {"width": "20"}, "^width must be a whole number from 64"),
    ("01", {"height": 512.0}, "^height must be a whole number"),
    ("01", {"width": 64, "height": 4096}, "^size is 64x4096"),
    ("01", {"count": 17}, "^count must be a whole number from 1 to 16"),
    ("01", {"count": "2", "keep": "2"}, "^keep must be a whole number from 0 to 1"),
    ("01", {"count": 2, "seed": 2**63 - 1}, r"^seed \+ 1 must be"),
    ("01", {"steps": -1}, "takes no setting 'steps'"),
    ("01", {"guidance_scale": "nan"}, "^guidance_scale must be a number"),
    ("01", {"guidance_scale": float("inf")}, "^guidance_scale must be a finite number"),
    ("01", {"negative_prompt": "hat"}, "takes no setting 'negative_prompt'"),
    ("01", {"extras": "maybe"}, "^extras must be true or false"),
    ("01", {"engine": "Mannequin"}, r"did you mean 'mannequin'\?"),
    ("01", {"engine": "mannequin:"}, "no variant"),
    ("01", {"prompt": 3}, "^prompt must be text"),
    *((name, {"prompt": "a naked man"}, "dressed") for name in ("01", "02", "03", "04")),
    *((name, {"prompt": " "}, "prompt is empty") for name in ("01", "02", "03", "04")),
    ("02", {"clicks": "21"}, "^clicks must be a whole number from 1 to 20"),
    ("02", {"choice": 9, "engine": "superpixel"}, "takes no setting 'choice'"),
    ("02", {"choice": -2}, "^choice must be"),
    ("02", {"person": "nowhere.jpg"}, "^person: there is no file"),
    ("02", {"more_garments": '{"a": 3}'}, r"^more_garments\['a'\] must be a list"),
    ("02", {"more_garments": {"a": [[9, 9, 0]]}}, r"^more_garments\['a'\]\[0\] has label 0"),
    *(
        ("02", {"points": value}, "^points")
        for value in ("9,9", [[9, 9, 2]], [[5000, 9, 1]], [[9, 9, 0]], [["9", 9, 1]], [[9, 9, 1]] * 300, 3)
    ),
    ("03", {"auto_mask": "2"}, "^auto_mask must be true or false"),
    ("03", {"settings": "steps"}, "^settings must be"),
    ("03", {"settings": '{"steps": 3}'}, "takes no setting 'steps'"),
    ("03", {"settings": '{"steps": 3, "steps": 4}'}, "^settings has 'steps' twice"),
    ("03", {"category": "Upper"}, r"^category must be .*did you mean 'upper'\?"),
    ("03", {"garment_words": ""}, "^garment_words"),
    ("03", {"garment_words": "a red skirt"}, "^category"),
    ("03", {"garment": "nowhere.jpg"}, "^garment: there is no file"),
    ("03", {"garment": "/dev/zero"}, "^garment: .* device"),
    ("03", {"person": "."}, "^person: .* folder"),
    ("03", {"segment_engine": "sam:"}, "no variant"),
    ("03", {"engine": None}, "^engine must be text"),
    ("03", {"points": "[[5000, 9, 1]]"}, r"^points\[0\]: .* outside the image"),
    *(("04", {"garments": value}, "^garments") for value in ([], "", [3], ["a red t-shirt", " "], '["zorb"]', {"a": 1}, None)),
    ("04", {"category": "lower"}, "^category"),
    ("04", {"generate_settings": '{"camera": 1}'}, "^camera must be"),
    ("04", {"generate_settings": {"seed": 1}}, "takes no setting 'seed'"),
    ("04", {"try_on_settings": [1]}, "^try_on_settings must be"),
    ("04", {"try_on_engine": "drapes"}, r"did you mean 'drape'\?"),
    ("04", {"generate_engine": 3}, "^generate_engine must be text"),
]


@pytest.mark.parametrize(("notebook", "given", "words"), REFUSED, ids=_named)
def test_a_notebook_refuses_in_its_first_cell_and_leaves_no_folder(
    notebook: str, given: dict, words: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ATELIER_WEIGHTS", raising=False)
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        _open(notebook, tmp_path / "out", given)
    assert not os.listdir(tmp_path)


def test_every_parameter_of_every_notebook_declares_a_type_that_is_read() -> None:
    for name in ("00", "01", "02", "03", "04"):
        kinds = {node.target.id: ast.unparse(node.annotation) for node in ast.parse(_cells(name)[0]).body}  # type: ignore[attr-defined]
        for parameter, kind in kinds.items():
            with pytest.raises(ValueError, match=f"^{parameter} "):
                parameters.read(parameter, object(), kind)


def test_what_is_shown_of_a_value_is_short_and_in_one_line() -> None:
    rng = random.Random(0)
    odd = [
        HUGE,
        -HUGE,
        [HUGE * 10**5000],
        "x" * 10**6,
        b"x" * 999,
        PICTURE,
        PERSON,
        {"a": "x" * 999},
        "a\nb",
        (i for i in ()),
        Person,
        print,
    ]
    odd += ["".join(map(chr, rng.choices(range(0x110000), k=60))) for _ in range(20)]
    for value in odd:
        assert len(checks.shown(value)) < 700
        assert "\n" not in checks.shown(value)
        assert checks.shown(value)

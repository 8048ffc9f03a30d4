"""The walk "add a garment" of CONTRIBUTING, done: its record goes into a copy of the package, and nothing else is changed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text().partition("## Add a garment")[2]
RECORD = GUIDE.partition("```python\n")[2].partition("```")[0]
TABLE = "helpers/mannequin/garments.py"
SHOES = '    Kind("shoes", "shoes"'
ASK = """
import json
from helpers import generate
from helpers.mannequin import parse, describe, product
garment = product("a red kurta", size=(96, 128))
person = generate("a woman in a tunic and jeans", engine="mannequin", seed=2, size=(96, 128))
outfit = parse("a woman in a navy tunic and jeans", 1)
print(json.dumps({
    "category": garment.category, "share": float(garment.mask.mean()), "red": garment.image[garment.mask].mean(0).tolist(),
    "worn": float(person.garments["tunic"].mean()), "labels": sorted(set(person.labels[person.garments["tunic"]].tolist())),
    "pieces": [[p.kind, p.length, p.sleeve, p.fabric.weave] for p in outfit.pieces], "unknown": outfit.unknown,
    "again": parse(describe(outfit), 5) == outfit,
    "others": [p.kind for seed in range(40) for p in parse("a woman", seed).pieces],
}))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a fresh interpreter says of the made-up kind."""
    assert TABLE in GUIDE
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "helpers", root / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    table = root / TABLE
    text = table.read_text()
    assert text.count(SHOES) == 1, "the guide says where the record goes"
    table.write_text(text.replace(SHOES, RECORD + SHOES))
    run = [sys.executable, "-c", ASK]
    done = subprocess.run(run, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_words_ask_for_it(answers: dict) -> None:
    kind, length, sleeve, weave = next(piece for piece in answers["pieces"] if piece[0] == "tunic")
    assert (kind, length, sleeve) == ("tunic", "long", "elbow")
    assert weave in ("wool", "cotton", "linen")
    assert answers["unknown"] == []
    assert answers["again"], "its description reads back"


def test_it_is_sewn_and_photographed(answers: dict) -> None:
    assert answers["category"] == "upper"
    assert 0.1 < answers["share"] < 0.7
    red, green, blue = answers["red"]
    assert red > max(green, blue) + 60


def test_it_is_worn_labelled_and_masked(answers: dict) -> None:
    assert answers["worn"] > 0.02
    assert answers["labels"] == [5]


def test_old_prompts_never_meet_it(answers: dict) -> None:
    assert "tunic" not in answers["others"]


def test_the_guide_names_what_there_is() -> None:
    for path in re.findall(r"`((?:helpers|tests)/[\w/]+(?:\.py|/))`", GUIDE):
        assert (ROOT / path).exists(), path
    for name, path in (
        ("CUTS", "cloth/sewing.py"),
        ("often", "kinds.py"),
        ("WEAVES", "fabrics.py"),
        ("_MAPS", "fabric/weave.py"),
    ):
        assert re.search(rf"^ *{name}\b", (ROOT / "helpers/mannequin" / path).read_text(), re.MULTILINE), (name, path)

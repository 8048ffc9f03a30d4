"""The tiny checkpoints that published engines are tested with: every group has them, where the manifest says.

Of what comes with a package the files themselves are here.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from helpers import annotate, engines, inventory, product, provenance, try_on, weights
from helpers.files import write_whole
from helpers.generation.drawing import remarks
from helpers.testing import figure
from helpers.weights import registry, verify
from helpers.widgets.fetch import FetchPanel

FROM_PACKAGES = {record.group for record in weights.records() if record.package}


@pytest.mark.parametrize("group", [group for group in weights.groups() if group not in FROM_PACKAGES])
def test_every_group_has_its_tiny_files(tiny_weights: Path, group: str) -> None:
    missing = [record.path for record in weights.records(group) if not (tiny_weights / record.path).is_file()]
    assert missing == []


def test_they_are_told_from_published_ones(tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    for name in ("u2netp.pth", "u2net.pth"):
        write_whole(tmp_path / "u2net" / name, partial(shutil.copy, tiny_weights / "u2net" / name))
    assert not weights.tiny("u2netp"), "nothing says who made it"
    shutil.copy(tiny_weights / registry.TINY, tmp_path)
    assert verify.presence("u2netp") == "here, tiny test networks"
    row = next(row for row in inventory.engine_rows() if row["engine"] == "u2net")
    assert row["weights here"] == "u2net, u2netp, rembg (tiny test networks)"
    assert "tiny test network" in FetchPanel().presence["u2netp"].value
    assert provenance.tiny("annotate", "u2net:u2netp")
    with (tmp_path / "u2net/u2netp.pth").open("ab") as file:
        file.write(b"\0")  # another file came in its place
    assert not weights.tiny("u2netp")
    assert not provenance.tiny("annotate", "u2net:u2netp")
    assert provenance.tiny("annotate", "u2net:u2net"), "which is still one"


def test_what_they_made_says_so(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tiny_weights))
    person, cloth = figure("a woman in a grey t-shirt and blue jeans", 1), product("a red t-shirt", size=(96, 128))
    annotated = annotate(person.image, engine="posenet", needs=("keypoints",))
    assert annotated.scene["annotations"][-1]["networks"] == provenance.TINY
    drawn = engines.load("generate", "realvisxl")("a woman in a red dress", size=(256, 256), steps=2)
    assert drawn.scene["networks"] == provenance.TINY
    assert "tiny test network" in remarks(drawn)
    dressed = try_on(person, cloth, engine="hr_viton", resolution="512x384")
    assert dressed.notes[0].startswith("Tiny test network: the files of hr_viton are no published ones")
    warped = try_on(replace(person, scene={**person.scene, **annotated.scene}), cloth, engine="drape")
    assert "the files of posenet are" in warped.notes[0]

"""The oldest packages that the published engines run on: said alike everywhere, and asked for before anything is loaded."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from helpers import engines, inventory, machine

ROOT = Path(__file__).resolve().parents[2]


def test_the_bounds_are_those_of_the_package_and_of_the_conda_environment() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extra = dict(requirement.split(">=") for requirement in project["project"]["optional-dependencies"]["published"])
    conda = dict(re.findall(r"- ([\w-]+) >=([\d.]+)", (ROOT / "environment.yml").read_text(encoding="utf-8")))
    conda["torch"] = conda.pop("pytorch")
    for name, least in machine.LEAST.items():
        assert extra[name] == conda[name] == least, name


@pytest.mark.parametrize(
    ("version", "lacking"),
    [("0.39.2", ["diffusers>=0.40"]), ("0.40.0", []), ("0.40.0.dev0", []), ("1.2+cu130", []), ("0.9", ["diffusers>=0.40"])],
)
def test_what_is_too_old_is_lacking(version: str, lacking: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find_spec", lambda name: object())
    monkeypatch.setattr(metadata, "version", lambda name: version if name == "diffusers" else "99")
    assert machine.lacks(("torch", "diffusers", "segment_anything")) == lacking


def test_an_engine_is_not_loaded_on_packages_that_are_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find_spec", lambda name: object())
    monkeypatch.setattr(metadata, "version", lambda name: "0.36.0" if name == "diffusers" else "99")
    monkeypatch.delitem(sys.modules, "helpers.generation.realvisxl", raising=False)
    with pytest.raises(ImportError, match=r"'realvisxl' needs diffusers>=0\.40: .*pip install --upgrade 'diffusers>=0\.40'"):
        engines.ready("generate", "realvisxl")
    assert "helpers.generation.realvisxl" not in sys.modules
    assert not engines.find("generate", "realvisxl").fits()
    assert "diffusers>=0.40" in inventory.fits("realvisxl_v4")

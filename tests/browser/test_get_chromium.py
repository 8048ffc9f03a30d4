"""Finding and installing a browser: the order, and what happens where there is none."""

from __future__ import annotations

import subprocess

import get_chromium
import pytest


@pytest.fixture
def nothing_here(monkeypatch) -> list[list[str]]:
    """A machine without any browser; the commands that were tried to get one."""
    tried = []
    monkeypatch.delenv("ATELIER_CHROMIUM", raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(get_chromium.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr(get_chromium, "_playwright_own", lambda: None)

    def run(command, **_):
        tried.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(get_chromium.subprocess, "run", run)
    return tried


def test_a_named_chromium_comes_first_and_has_to_be_one(monkeypatch, tmp_path) -> None:
    program = tmp_path / "my-chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("ATELIER_CHROMIUM", str(program))
    assert get_chromium.find() == str(program)
    monkeypatch.setenv("ATELIER_CHROMIUM", str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError, match="ATELIER_CHROMIUM"):
        get_chromium.find()


def test_without_a_browser_every_way_is_tried_and_the_skip_is_loud(nothing_here, monkeypatch, capsys) -> None:
    monkeypatch.setattr(get_chromium.os, "geteuid", lambda: 0)
    assert get_chromium.main() == 0
    assert [command[0] for command in nothing_here[:1]] == ["apt-get"]
    assert nothing_here[-1][1:] == ["-m", "playwright", "install", "chromium"]
    assert "WILL BE SKIPPED" in capsys.readouterr().err


def test_nobody_but_root_installs_packages(nothing_here, monkeypatch) -> None:
    monkeypatch.setattr(get_chromium.os, "geteuid", lambda: 1000)
    get_chromium.main()
    assert all(command[0] != "apt-get" for command in nothing_here)


def test_under_ci_a_missing_browser_is_a_failure(nothing_here, monkeypatch, capsys) -> None:
    monkeypatch.setenv("CI", "true")
    assert get_chromium.main() == 1
    assert "failure" in capsys.readouterr().err

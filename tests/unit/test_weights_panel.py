"""The panel that fetches weights: pressed as a hand would, against a download that is watched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.weights import downloads
from helpers.widgets.fetch import FetchPanel


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")


def test_terms_come_before_the_button_can_be_pressed() -> None:
    panel = FetchPanel(lambda *_, **__: [])
    assert panel.button.disabled
    panel.boxes["idm_vton"].value = True
    assert not panel.button.disabled
    assert "CC BY-NC-SA 4.0 [NON-COMMERCIAL]" in panel.terms.value
    assert "CMU OpenPose licence" in panel.terms.value  # of what it needs
    assert "29.37 GB" in panel.terms.value
    panel.boxes["idm_vton"].value = False
    assert panel.button.disabled


def test_a_press_fetches_what_is_ticked_and_shows_how_far_it_is() -> None:
    seen: list[Any] = []
    panel: FetchPanel

    def fetch(*names: str, say: Callable[[str], Any], progress: type) -> list[Path]:
        with progress(total=200_000_000, initial=50_000_000, unit="B", desc="mobile_sam.pt") as bar:
            bar.update(50_000_000)
            seen.extend([names, panel.bar.value, panel.status.value, panel.button.disabled])
        say("warning: <x> differs")
        return [Path("mobile_sam.pt")]

    panel = FetchPanel(fetch)
    panel.boxes["mobile_sam"].value = True
    panel.button.click()
    panel.wait(10)
    assert seen == [("mobile_sam",), 0.5, "mobile_sam.pt: 100 MB of 200 MB", True]
    assert panel.status.value.startswith("done: 1 file in ")
    assert "warning: &lt;x&gt; differs" in panel.said.value  # a warning outlives the bar
    assert panel.chosen() == []


def test_cancel_stops_at_the_next_bytes_and_an_error_is_shown() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def fetch(*names: str, say: Callable[[str], Any], progress: type) -> list[Path]:
        if names == ("sam_vit_b",):
            raise downloads.DownloadError("the server <b> is gone")
        with progress(total=100, desc="x") as bar:
            begun.set()
            go_on.wait(10)
            bar.update(1)
        raise AssertionError("it went on")

    panel = FetchPanel(fetch)
    panel.boxes["mobile_sam"].value = True
    panel.button.click()
    assert begun.wait(10)
    panel.boxes["idm_vton"].value = True
    assert panel.button.disabled
    assert "CC BY-NC-SA" in panel.terms.value, "read before the button can be pressed again"
    panel.boxes["idm_vton"].value = False
    panel.cancel.click()
    assert "cancelling" in panel.status.value
    go_on.set()
    panel.wait(10)
    assert "cancelled" in panel.status.value
    assert not panel.button.disabled
    panel.boxes["mobile_sam"].value, panel.boxes["sam_vit_b"].value = False, True
    panel.button.click()
    panel.wait(10)
    assert "the server &lt;b&gt; is gone" in panel.status.value

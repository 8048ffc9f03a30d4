from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.weights import Record, records, registry


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Record]:
    """``publish({"path": "a.pth", "bytes": 7, ...}, hub=...)``: one group ``net`` with one file is all there is; returns its record."""

    def publish(file: dict[str, Any], **group: Any) -> Record:
        group = {"summary": "a net", "licence": "X-1", "terms": "ask first", "folder": "net", **group}
        path = tmp_path / f"manifest-{len(list(tmp_path.glob('manifest-*')))}.toml"
        inline = ", ".join(f"{key} = {json.dumps(value)}" for key, value in file.items())
        lines = ["[net]", *(f"{key} = {json.dumps(value)}" for key, value in group.items()), f"files = [{{ {inline} }}]"]
        path.write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.setattr(registry, "manifest", lambda: path)
        return records("net")[0]

    return publish

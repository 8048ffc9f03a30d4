"""The tiny checkpoints that published engines are tested with: every group has them, where the manifest says.

Of what comes with a package the files themselves are here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import weights

FROM_PACKAGES = {record.group for record in weights.records() if record.package}


@pytest.mark.parametrize("group", [group for group in weights.groups() if group not in FROM_PACKAGES])
def test_every_group_has_its_tiny_files(tiny_weights: Path, group: str) -> None:
    missing = [record.path for record in weights.records(group) if not (tiny_weights / record.path).is_file()]
    assert missing == []

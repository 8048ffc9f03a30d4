from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny checkpoints of every group in the published layouts, written once for all tests. Break copies, not these."""
    from helpers.testing import write_weights

    return write_weights(tmp_path_factory.mktemp("tiny-weights"))

from __future__ import annotations

import os
from pathlib import Path

for library in ("OMP", "OPENBLAS"):  # threads wait for each other on small pictures; kernels and servers inherit this
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import pytest  # noqa: E402
from filelock import FileLock  # noqa: E402


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests, those that share a server or a network of their file stay in one of them.

    What waits for the tiny checkpoints is slow.
    """
    for item in items:
        if "tiny_weights" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
        folder = item.path.parent.name
        if folder != "notebooks":
            item.add_marker(pytest.mark.xdist_group("browser" if folder == "browser" else item.path.stem))


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny checkpoints of every group in the published layouts, written once for all tests and all processes that run them.

    Break copies, not these.
    """
    from helpers.testing import write_weights

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tiny-weights"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            write_weights(folder.with_suffix(".part")).rename(folder)
    return folder

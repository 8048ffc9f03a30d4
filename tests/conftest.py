from __future__ import annotations

import os
from pathlib import Path
from typing import Any

for library in ("OMP", "OPENBLAS"):  # threads wait for each other on small pictures; kernels and servers inherit this
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ["ATELIER_OTHER_WEIGHTS"] = "1"  # the tiny checkpoints are none of the published

import pytest  # noqa: E402
from filelock import FileLock  # noqa: E402


def pytest_itemcollected(item: pytest.Item) -> None:
    """What waits for the tiny checkpoints is slow."""
    if "tiny_weights" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n`` several processes share the tests: notebooks one by one, a file's tests together, and all that visit one server too.

    They are begun in their order, which has the long ones first.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return {"browser": "browser", "notebooks": nodeid}.get(Path(file).parent.name, file)

    config.option.loadscopereorder = False
    return Together(config, log)


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

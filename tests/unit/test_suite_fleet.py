"""The suite on Ray, on a cluster of this machine: the same results, what each run asks for, and a worker that dies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from suite_world import write_notebook

from helpers.suite import plan
from helpers.suite.fleet import Ray, resources
from helpers.suite.plan import Case
from helpers.suite.running import Suite

MURDER = "import os, psutil\nos.kill(psutil.Process(os.getpid()).parent().parent().pid, 9)\nimport time; time.sleep(30)"
METRICS = """
import json, pathlib
folder = pathlib.Path(outputs) / run
folder.mkdir(parents=True)
(folder / "metrics.json").write_text(json.dumps({"counts": {"metrics": {"seed": seed}}}))
"""


def test_what_a_case_asks_of_a_cluster() -> None:
    assert resources(Case("a", Path("a"), memory=3.0)) == {"num_cpus": 1, "memory": 3_000_000_000, "num_gpus": 0}
    assert resources(Case("a", Path("a"), needs=("gpu", "idm_vton")))["num_gpus"] == 1


def test_runs_on_a_cluster_of_this_machine_one_of_which_kills_its_worker(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    write_notebook(tmp_path / "counts.ipynb", METRICS)
    write_notebook(tmp_path / "kills.ipynb", MURDER)
    text = '[defaults]\nmemory = 0.1\n[[run]]\nid = "kills"\nnotebook = "kills.ipynb"\n'
    text += '[[run]]\nid = "counts"\nnotebook = "counts.ipynb"\nparameters = { seed = 7 }\nexpect = { seed = 7 }\n'
    (tmp_path / "runs.toml").write_text(text)
    suite = Suite(plan.read(tmp_path / "runs.toml"), tmp_path / "out", say=lambda line: None)
    suite.run(Ray(workers=2))
    rows = {row["id"]: row for row in json.loads((tmp_path / "out/report.json").read_text())["runs"]}
    assert rows["counts"]["status"] == "passed"
    assert rows["counts"]["metrics"] == {"seed": 7}
    assert rows["kills"]["status"] == "failed"
    assert "the Ray worker that ran it died" in rows["kills"]["why"][0]
    assert (tmp_path / "out/runs/counts/notebook.html").is_file()

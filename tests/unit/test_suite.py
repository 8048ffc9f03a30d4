"""The suite of runs: its file, its jobs held to time and disk, stops and deaths, what is compared, and what is expected anew."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from filelock import FileLock
from suite_world import write_fake, write_notebook, write_runs

from helpers import cli, engines, files, images
from helpers.suite import commands, expectations, job, plan, report, running, verdict
from helpers.suite.job import Outcome
from helpers.suite.plan import Case, Expected
from helpers.suite.processes import Processes
from helpers.suite.running import Suite


@pytest.fixture(autouse=True)
def _no_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "WORKER", write_fake(tmp_path))
    monkeypatch.setattr(running, "_POLL", 0.02)


def suite_of(file: Path, out: Path, **options) -> Suite:
    return Suite(plan.read(file), out, say=lambda line: None, **options)


def told(out: Path) -> dict:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def statuses(out: Path) -> dict[str, str]:
    return {row["id"]: row["status"] for row in told(out)["runs"]}


# runs.toml ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[run]", "is no TOML"),
        ("", "is empty"),
        ('run = "all"', "holds no"),
        ('[defaults]\ntime = 3\n[[run]]\nid = "a"\nnotebook = "small.ipynb"', r"\[defaults\] holds timeout"),
        ('[[run]]\nid = "A b"\nnotebook = "small.ipynb"', "id must be a plain name"),
        ('[[run]]\nid = "a"\nnotebook = "77"', "there is no notebook '77'"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\nparameters = { sed = 1 }', "no parameter 'sed'.*seed"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\nparameters = { seed = "one" }', "seed must be a whole number"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\nparameters = { run = "b" }', "the suite gives each run its folder"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\nneeds = ["gpus"]', "needs must be gpu.*did you mean"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\nneeds = "gpu"', "needs must be a list"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\ntimeout = 0', "timeout"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\nfails = "("', "fails: '\\(' is no pattern"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\nfails = "x"\nexpect = { a = 1 }', "leave out fails"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\npictures = ["../../etc/passwd"]', "outside the run's folder"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\nexpect = { a = { value = "x", atol = 1 } }', "takes no tolerance"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\nexpect = { a = { least = 1 } }', "expect.a is a value"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\nexpects = {}', "it has no 'expects'.*expect"),
        ('[[run]]\nid = "a"\nnotebook = "small.ipynb"\n[[run]]\nid = "a"\nnotebook = "small.ipynb"', "another run's too"),
    ],
)
def test_faults_in_the_file_are_named_and_nothing_is_started(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_notebook(tmp_path / "small.ipynb", "1")
    (tmp_path / "runs.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        plan.read(tmp_path / "runs.toml")
    assert cli.main(["suite", str(tmp_path / "runs.toml"), "--out", str(tmp_path / "out")]) == 2
    assert "runs.toml" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    file = write_runs(tmp_path, one="", two="")
    file.write_text(file.read_text().replace("act =", "deed ="), encoding="utf-8")
    with pytest.raises(ValueError, match=r"(?s)run 'one': .*run 'two': .*Nothing was started"):
        plan.read(file)


def test_the_projects_own_runs_cover_every_notebook_and_published_engine() -> None:
    own = plan.read(commands.RUNS)
    here = {path.stem for path in commands.RUNS.parent.glob("*.ipynb")}
    assert {case.notebook.stem for case in own.cases} == here
    embedded = [case for case in own.cases if set(case.needs) <= {"mediapipe"}]
    assert {case.notebook.stem for case in embedded if not case.fails} == here
    needed = {need for case in own.cases for need in case.needs}
    published = {
        engine.name: engine.groups() for engine in engines.ENGINES if engine.stage in ("generate", "segment", "try_on")
    }
    assert not [name for name, groups in published.items() if groups and not needed & set(groups)]
    for case in embedded:
        assert case.fails or case.expect, f"{case.id} expects nothing"
        assert all((own.pictures / case.id / name.replace("/", "-")).with_suffix(".jpg").is_file() for name in case.pictures)


def test_runs_are_chosen_by_id_or_notebook(tmp_path: Path) -> None:
    read = plan.read(write_runs(tmp_path, red_skirt="", red_top="", coat=""))
    assert [case.id for case in read.select(["red-*"]).cases] == ["red-skirt", "red-top"]
    assert len(read.select(["small"]).cases) == len(read.select([]).cases) == 3
    with pytest.raises(ValueError, match=r"--select: no run is called 'red-topp'.*red-top"):
        read.select(["red-topp"])


# Jobs --------------------------------------------------------------------------------------------------------------------------------


def test_what_goes_wrong_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    acts = {
        "good": "",
        "hangs": "hang",
        "fills": "fill",
        "crashes": "crash",
        "errs": "error",
        "lacks": "no kernel",
        "late": "late kernel",
    }
    file = write_runs(tmp_path, **acts)
    text = (
        file.read_text()
        .replace('id = "hangs"', 'id = "hangs"\ntimeout = 0.4')
        .replace('id = "fills"', 'id = "fills"\ndisk = 0.003')
    )
    file.write_text(text, encoding="utf-8")
    lines: list[str] = []
    suite = Suite(plan.read(file), tmp_path / "out", say=lines.append)
    suite.run(Processes(3))
    rows = {row["id"]: row for row in told(suite.out)["runs"]}
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(acts, "failed") | {
        "good": "passed",
        "late": "passed",
    }
    for name, words in {
        "hangs": "ran longer than its 0.4 seconds",
        "fills": "it wrote 0.0 GB, more than the 0.003 GB",
        "crashes": "ended with status 1 .*the roof fell in",
        "errs": "cell 3: ValueError: prompt: no",
        "lacks": "kernel did not start",
    }.items():
        (why,) = rows[name]["why"]
        assert re.search(words, why), why
    assert {name: rows[name]["starts"] for name in ("errs", "lacks", "late", "good")} == {
        "errs": 1,
        "lacks": 2,
        "late": 2,
        "good": 1,
    }
    assert not any((suite.out / "working").iterdir())
    assert not (suite.out / "runs/fills/outputs").exists()
    assert sum(line.startswith("[") for line in lines) == len(acts)
    assert told(suite.out)["complete"]


def test_a_job_takes_all_that_it_began_with_it(tmp_path: Path) -> None:
    (tmp_path / "fake_worker.py").write_text(
        "import subprocess, sys, time\np = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(sys.argv[1] + '/child', 'w').write(str(p.pid))\ntime.sleep(600)"
    )
    one = job.Job(Case("a", write_notebook(tmp_path / "small.ipynb", "1"), timeout=60), tmp_path / "job")
    while not (tmp_path / "job/child").exists() or not (tmp_path / "job/child").read_text():
        time.sleep(0.02)
    child = psutil.Process(int((tmp_path / "job/child").read_text()))
    one.kill()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


# Going on and stopping ----------------------------------------------------------------------------------------------------------------


def test_what_is_finished_stays_and_the_rest_is_run(tmp_path: Path) -> None:
    file = write_runs(tmp_path, a="", b="", c="")
    out = tmp_path / "out"
    first = Suite(plan.read(file).select(["a", "b"]), out, say=lambda line: None)
    first.run(Processes(2))
    before = (out / "runs/a/result.json").read_bytes()
    with pytest.raises(ValueError, match=r"--resume to go on"):
        suite_of(file, out).run(Processes(2))
    write_runs(tmp_path, a="", b="error", c="")
    suite_of(file, out).run(Processes(2), resume=True)
    assert (out / "runs/a/result.json").read_bytes() == before
    assert statuses(out) == {"a": "passed", "b": "failed", "c": "passed"}, "b has other parameters now"


def test_a_folder_of_others_and_a_second_suite_are_refused(tmp_path: Path) -> None:
    file = write_runs(tmp_path, a="")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("x")
    with pytest.raises(ValueError, match=r"--out: .*mine holds other files"):
        suite_of(file, tmp_path / "mine").run(Processes(1))
    (tmp_path / "out/runs").mkdir(parents=True)
    with FileLock(tmp_path / "out/.lock"), pytest.raises(ValueError, match="another suite is writing"):
        suite_of(file, tmp_path / "out").run(Processes(1))


def _run_apart(file: Path, out: Path) -> None:
    try:
        suite_of(file, out).run(Processes(2), resume=True)
    except KeyboardInterrupt:
        sys.exit(130)


def _apart(file: Path, out: Path) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=_run_apart, args=(file, out))
    process.start()
    return process


def test_a_suite_killed_at_any_moment_claims_no_more_than_was_done(tmp_path: Path) -> None:
    file, out, rng = write_runs(tmp_path, **{f"run_{n}": "" for n in range(12)}), tmp_path / "out", random.Random(0)
    seen: set[int] = set()
    for _ in range(20):
        process = _apart(file, out)
        time.sleep(rng.uniform(0.0, 0.5))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        if not (out / "report.json").exists():
            continue
        about, done = told(out), {place.name for place in (out / "runs").glob("*")} if (out / "runs").exists() else set()
        passed = {row["id"] for row in about["runs"] if row["status"] == "passed"}
        assert passed <= done
        assert all((out / "runs" / name / "result.json").is_file() for name in done), "whole or not at all"
        assert not about["complete"] or len(passed) == 12
        seen.add(len(done))
    assert len(seen) > 2, "it was killed at different moments"
    process = _apart(file, out)
    process.join(60)
    assert told(out)["complete"]
    assert set(statuses(out).values()) == {"passed"}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_what_finished_stays_and_the_rest_is_marked(tmp_path: Path, sent: signal.Signals) -> None:
    file, out = write_runs(tmp_path, a="", b="hang", c="hang", d=""), tmp_path / "out"
    process = _apart(file, out)
    while not (out / "runs/a").exists() or len(list((out / "working").glob("*/runs/[bc]/begun"))) < 2:
        time.sleep(0.02)
    assert process.pid is not None
    os.kill(process.pid, sent)
    process.join(20)
    assert process.exitcode == 130
    assert statuses(out) == {"a": "passed", "b": "stopped", "c": "stopped", "d": "waiting"}
    assert not told(out)["complete"]
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]


# What is compared ---------------------------------------------------------------------------------------------------------------------


def test_twice_the_same_is_asked_for(tmp_path: Path) -> None:
    file = write_runs(tmp_path, steady="", chancy="chance")
    suite = suite_of(file, tmp_path / "out", twice=True)
    suite.run(Processes(2))
    rows = {row["id"]: row for row in told(suite.out)["runs"]}
    assert rows["steady"]["status"] == "passed", "times may differ"
    assert rows["chancy"]["status"] == "failed"
    assert "not the same twice: share" in rows["chancy"]["why"][0]


def outcome(**metrics) -> Outcome:
    return Outcome("a", job.DONE, metrics=metrics)


@pytest.mark.parametrize(
    ("expected", "got", "good"),
    [
        (Expected(0.5, atol=0.1), 0.59, True),
        (Expected(0.5, atol=0.1), 0.61, False),
        (Expected(200, rtol=0.1), 219, True),
        (Expected(200, rtol=0.1), 221, False),
        (Expected(3), 3, True),
        (Expected(1), True, False),
        (Expected(0.5, atol=1.0), float("nan"), False),
        (Expected("drape"), "drape", True),
        (Expected("drape"), None, False),
    ],
)
def test_a_metric_is_the_same_or_near(expected: Expected, got, good: bool, tmp_path: Path) -> None:
    case = Case("a", tmp_path, expect={"m.x": expected})
    assert (verdict.judge(case, outcome(m={"x": got}), tmp_path, tmp_path).status == "passed") == good
    assert verdict.judge(case, outcome(m={}), tmp_path, tmp_path).status == "failed", "a missing metric is a failure"


def test_what_must_fail_must_fail_as_said(tmp_path: Path) -> None:
    case = Case("a", tmp_path, fails="prompt.*adult")
    failed = Outcome("a", job.FAILED, "cell 5: PromptRefused: prompt: only adults")
    assert verdict.judge(case, failed, tmp_path, tmp_path).status == "passed"
    for other in (outcome(), replace(failed, why="cell 5: KeyError: 3")):
        assert verdict.judge(case, other, tmp_path, tmp_path).status == "failed"


def test_pictures_are_told_apart_as_people_do() -> None:
    rng = np.random.default_rng(0)
    one = np.full((256, 192, 3), 200, np.uint8)
    one[60:160, 60:130] = (180, 40, 40)
    noisy = np.clip(one + rng.normal(0, 2, one.shape), 0, 255).astype(np.uint8)
    blue, lower = one.copy(), one.copy()
    blue[60:160, 60:130] = (40, 40, 180)
    lower[60:180, 60:130] = (180, 40, 40)
    assert verdict.apart(one, one) == 0
    assert verdict.apart(one, noisy) < plan.TOLERANCE
    assert min(verdict.apart(one, blue), verdict.apart(one, lower)) > plan.TOLERANCE
    assert verdict.apart(one, one[:-1]) == 1


def test_what_is_expected_is_renewed_on_purpose_alone(tmp_path: Path) -> None:
    file = write_runs(tmp_path, fresh="", known="")
    text = file.read_text() + "\n# kept\n[run.expect]\nshare = { value = 0.9, atol = 0.01 }  # of cloth\ngone = 3\n"
    file.write_text(text, encoding="utf-8")
    suite = suite_of(file, tmp_path / "out")
    suite.run(Processes(2))
    assert statuses(suite.out) == {"fresh": "passed", "known": "failed"}
    assert file.read_text() == text
    picture = tmp_path / "out/runs/known/pictures/result-a.jpg"
    images.write_image(picture, np.zeros((20, 20, 3), np.uint8))
    cases = [replace(case, pictures={"result/a.png": 0.1} if case.id == "known" else {}) for case in suite.plan.cases]
    suite.plan = replace(suite.plan, cases=tuple(cases))
    moved = expectations.update(suite)
    assert "known: share: 0.9 -> 0.25" in moved
    assert (tmp_path / "expected/known/result-a.jpg").read_bytes() == picture.read_bytes()
    assert "# kept" in file.read_text()
    assert "# of cloth" in file.read_text()
    again = plan.read(file)
    assert {case.id: dict(case.expect) for case in again.cases} == {
        "fresh": {"share": Expected(0.25, atol=0.01)},
        "known": {"share": Expected(0.25, atol=0.01)},
    }
    suite.plan = replace(again, cases=tuple(suite.plan.cases))
    assert not [line for line in expectations.update(suite_of(file, suite.out)) if "share" in line], "nothing moved since"


def test_what_is_not_here_is_skipped_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "none"))
    file = write_runs(tmp_path, a="", b="")
    file.write_text(file.read_text().replace('id = "b"', 'id = "b"\nneeds = ["gpu", "fashn_vton"]'), encoding="utf-8")
    fleet = Processes(1)
    monkeypatch.setattr(Processes, "gpu", False)
    suite = suite_of(file, tmp_path / "out")
    suite.run(fleet)
    (row,) = (row for row in told(suite.out)["runs"] if row["id"] == "b")
    assert row["status"] == "skipped"
    assert "no GPU" in row["why"][0]
    assert "weights fetch fashn_vton" in row["why"][0]
    assert told(suite.out)["complete"]


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = write_runs(tmp_path, good="", bad="error"), str(tmp_path / "out")
    assert cli.main(["suite", str(file), "--list"]) == 0
    assert "good" in capsys.readouterr().out
    assert cli.main(["suite", str(file), "--out", out, "--select", "good"]) == 0
    assert cli.main(["suite", str(file), "--out", out, "--resume"]) == 1
    said = capsys.readouterr().out
    assert "1 passed, 1 failed, 0 skipped" in said
    assert "cell 3: ValueError" in (tmp_path / "out/log.txt").read_text()
    assert cli.main(["suite", str(file), "--out", out]) == 2
    assert "--resume" in capsys.readouterr().err
    assert cli.main(["suite", str(file), "--address", "auto"]) == 2
    assert "--engine ray" in capsys.readouterr().err


def test_a_full_disk_is_said_and_nothing_finished_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    file, lines = write_runs(tmp_path, a=""), []
    suite = Suite(plan.read(file), tmp_path / "out", say=lines.append)
    monkeypatch.setattr(report, "write_text", lambda path, text: files.write_whole(path, full))
    suite.run(Processes(1))
    assert any("report is not up to date" in line and "No space left" in line for line in lines)
    assert (tmp_path / "out/runs/a/result.json").is_file()


def test_where_a_results_files_have_no_room_its_outcome_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, failed = job.write_text, []

    def full_once(path: Path, text: str) -> None:
        if path.name == job.RESULT and not failed:
            failed.append(path)
            raise files.NotWritten("no room")
        write(path, text)

    monkeypatch.setattr(job, "write_text", full_once)
    suite = suite_of(write_runs(tmp_path, a=""), tmp_path / "out")
    suite.run(Processes(1))
    assert failed
    assert statuses(suite.out) == {"a": "passed"}
    assert [path.name for path in (suite.out / "runs/a").iterdir()] == [job.RESULT]

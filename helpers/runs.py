"""One run of the notebooks: its folder, and its record in metrics.json.

Notebooks that share a run's name hand their results on through its folder, which is a data set in the VITON-HD layout:
``01_generate`` leaves a person, ``02_segment`` that person's mask, ``03_try_on`` the result.
"""

from __future__ import annotations

import copy
import json
import os
import re
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import checks, images, machine
from helpers.contract import SEED
from helpers.garment import Garment
from helpers.parameters import take
from helpers.person import Person, load_person

if TYPE_CHECKING:
    from helpers.show import Picture

REPOSITORY = "https://github.com/atelier-notebooks/atelier"
"""Where the project lives; the notebooks' Colab cells are checked against it."""


def outputs_folder() -> Path:
    """``ATELIER_OUTPUTS`` if set, else ``outputs/`` of the project around the working folder, else ``./outputs``."""
    if chosen := os.environ.get("ATELIER_OUTPUTS"):
        return checks.path(chosen, "ATELIER_OUTPUTS").resolve()
    here = Path.cwd()
    project = next((p for p in (here, *here.parents) if (p / "helpers" / "runs.py").exists()), here)
    return project / "outputs"


@dataclass
class Run:
    """An open run. ``path(...)`` is a file in the run's folder; ``parameters`` are all that the notebook was given.

    ``seconds`` holds what :meth:`timed` took, by name.
    """

    notebook: str
    name: str
    folder: Path
    parameters: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    def path(self, *parts: str) -> Path:
        """A path inside the run's folder; ``ValueError`` if it would leave it."""
        path = self.folder.joinpath(*parts).resolve()
        if not path.is_relative_to(self.folder):
            raise ValueError(f"{'/'.join(parts)} lies outside the run's folder {self.folder}.")
        return path

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """``with run.timed("a click"):`` takes down how many seconds of the clock that took."""
        started = time.perf_counter()
        yield
        self.seconds[what] = round(time.perf_counter() - started, 2)

    def save_person(self, person: Person, name: str = "person") -> Path:
        """Leave ``person`` for the notebooks that follow."""
        return person.save(self.folder, name)

    def person(self, name: str = "person") -> Person | None:
        """The person that an earlier notebook of this run left, or ``None``."""
        path = self.path("image", f"{images.slug(name)}.jpg")
        return load_person(path) if path.exists() else None

    def save_mask(self, mask: np.ndarray, image: np.ndarray, points: list, name: str = "person") -> Path:
        """Leave ``mask`` of ``image`` and the clicks that made it."""
        clicked = [[float(x), float(y), int(label)] for x, y, label in points]
        note = {"image_sha256": images.digest(image), "points": clicked}
        images.write_text(self.path("mask", f"{images.slug(name)}.json"), json.dumps(note))
        return images.write_mask(self.path("mask", f"{images.slug(name)}.png"), mask)

    def mask(self, image: np.ndarray, name: str = "person") -> np.ndarray | None:
        """The mask that an earlier notebook left for exactly this ``image``; ``None`` if there is none or it is another's."""
        path, note = (self.path("mask", images.slug(name) + suffix) for suffix in (".png", ".json"))
        if not (path.exists() and note.exists()) or json.loads(note.read_text(encoding="utf-8"))[
            "image_sha256"
        ] != images.digest(image):
            return None
        return images.read_mask(path)

    def save_garments(self, *garments: Garment, person: str = "person") -> list[Path]:
        """Leave ``garments`` in ``cloth/`` and, in ``test_pairs.txt``, who is to wear them: a line of two file names each."""
        stems: list[str] = []
        for garment in garments:
            stems.append(images.slug(garment.name, stems))
        paths = [garment.save(self.folder, stem) for garment, stem in zip(garments, stems, strict=True)]
        wearer = f"{images.slug(person)}.jpg"
        images.write_text(self.path("test_pairs.txt"), "".join(f"{wearer} {path.name}\n" for path in paths))
        return paths

    def show(self, figure: Picture | None, name: str) -> None:
        """Write a figure of :mod:`helpers.show` as ``figures/NOTEBOOK/NAME.png`` and display it; nothing where there is none."""
        if figure is None:
            return
        from IPython.display import display  # a run without figures needs no notebook

        images.write_whole(self.path("figures", self.notebook, f"{name}.png"), lambda part: part.write_bytes(figure.png()))
        display(figure)

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
            "environment": machine.environment(),
        }
        section = json.loads(json.dumps(section, default=_plain))
        everything[self.notebook] = section
        images.write_text(path, json.dumps(everything, indent=1))
        print(f"{section['seconds']:.0f} s · {self.folder}")
        return section


def start(notebook: str, parameters: MutableMapping[str, Any]) -> Run:
    """Open the run that ``parameters`` name. Nothing is written yet: what is refused after this leaves no folder.

    parameters: all that the notebook was given, kept for ``metrics.json`` so that the run can be repeated from there; from a notebook its
                ``globals()``, of which those are taken that the parameters cell, and nothing else, gives a type, and in which they are
                from here on of that type, whatever text they came as (:mod:`helpers.parameters`). Among them are

    run:     a plain name
    seed:    a whole number of at least 0
    outputs: the folder that holds run folders; empty = :func:`outputs_folder`

    Raises ``ValueError`` naming the parameter.
    """
    if isinstance(parameters["run"], Run):  # the cell that opened it runs once more
        parameters["run"] = parameters["run"].name
    if "In" in parameters:
        given = take(parameters["In"], parameters)
        parameters.update(given)
    else:
        given = dict(parameters)
    folder = run_folder(given["run"], given["outputs"])
    SEED.check("seed", given["seed"])
    print(f"run {given['run']} · seed {given['seed']} · {folder}")
    return Run(notebook, given["run"], folder, copy.deepcopy(given))


def run_folder(run: Any, outputs: Any = "") -> Path:
    """The folder ``OUTPUTS/RUN``, which is not made yet. Raises ``ValueError`` for a name that is none, or where it cannot be made."""
    if not isinstance(run, str) or not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?", run):
        raise ValueError(
            f"run must be a plain name of letters, digits, '.', '_' and '-' (it becomes a folder), not {checks.shown(run)}."
        )
    base = checks.path(checks.text(outputs, "outputs"), "outputs").resolve() if outputs != "" else outputs_folder()
    require_writable(base / run, "outputs")
    return (base / run).resolve()


def require_writable(folder: Path, name: str) -> None:
    """Raise ``ValueError`` naming the parameter ``name`` where ``folder`` is neither there nor could be made, or cannot be written."""
    try:
        there = next(place for place in (folder, *folder.parents) if place.exists() or place.is_symlink())
        why = "" if there.is_dir() else f"{there} is no folder"
        why = why or ("" if os.access(there, os.W_OK | os.X_OK) else f"{there} is write-protected")
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise ValueError(f"{name}: {folder} cannot be written ({why}). Choose another folder.")


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return str(value)

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
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import checks, images, machine, notes, saving
from helpers.contract import SEED
from helpers.files import is_device, locked, require_writable, told, write_text, write_whole
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
        return checks.path(chosen, "ATELIER_OUTPUTS").absolute()
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
        """A path inside the run's folder; ``ValueError`` if it would leave it, also through a symbolic link."""
        asked = "/".join(checks.text(part, "a part of the path") for part in parts)
        try:
            path = self.folder.joinpath(*parts).resolve()
        except (OSError, RuntimeError, ValueError):  # links in a circle, NUL
            raise ValueError(f"{told(asked)} is no path in the run's folder {self.folder}.") from None
        if not path.is_relative_to(self.folder):
            raise ValueError(
                f"{told(asked)} lies outside the run's folder {self.folder}. Choose another name, or remove the link that leads there."
            )
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
        stem = saving.find(self.folder, "person", name)
        path = self.path("image", f"{stem}.jpg")
        return load_person(path) if path.exists() or saving.is_saved(self.folder, "person", stem) else None

    def save_mask(self, mask: np.ndarray, image: np.ndarray, points: list, name: str = "person") -> Path:
        """Leave ``mask`` of ``image`` and the clicks that made it, both or neither."""
        checks.mask(mask, checks.image(image).shape[:2], empty=True)
        clicked = [[float(x), float(y), int(label)] for x, y, label in checks.points(points, (image.shape[1], image.shape[0]))]
        with saving.save(self.folder, "mask", name) as save:
            note = {"image_sha256": images.digest(image), "points": clicked}
            write_text(save.file("mask", f"{save.name}.json"), json.dumps(note))
            images.write_mask(save.file("mask", f"{save.name}.png"), mask)
        return self.path("mask", f"{save.name}.png")

    def mask(self, image: np.ndarray, name: str = "person") -> np.ndarray | None:
        """The mask that an earlier notebook left for exactly this ``image``; ``None`` if there is none or it is another's.

        Raises ``ValueError`` naming a file that is damaged, of another size, or not of the same save as the other.
        """
        stem = saving.find(self.folder, "mask", name)
        with saving.saved(self.folder, "mask", stem) as save:
            path, about = (
                save.find(f"mask/{stem}{end}") if save else self.path("mask", stem + end) for end in (".png", ".json")
            )
            if path is None or about is None or not (path.exists() and about.exists()):
                return None
            remedy = save.remedy if save else "Run 02_segment again, or delete that file to go on without the mask."
            note = notes.read(about, "mask", remedy)
            if not isinstance(note, dict) or not isinstance(note.get("image_sha256"), str):
                raise ValueError(f"mask: {about} does not say which picture the mask is of (image_sha256). {remedy}")
            if note["image_sha256"] != images.digest(image):
                return None
            try:
                checks.points(note.get("points"), (image.shape[1], image.shape[0]), f"points in {about}")
                return checks.mask(images.read_mask(path, "mask"), image.shape[:2], f"mask: {path}", empty=True)
            except ValueError as error:
                raise ValueError(f"{error} {remedy}") from None

    def save_garments(self, *garments: Garment, person: str = "person") -> list[Path]:
        """Leave ``garments`` in ``cloth/`` and, in ``test_pairs.txt``, who is to wear them: a line of two file names each."""
        words: list[str] = []
        for garment in garments:  # two of one name are two
            name = garment.name or "garment"
            words.append(next(other for other in chain([name], (f"{name} {n}" for n in count(2))) if other not in words))
        paths = [garment.save(self.folder, name) for garment, name in zip(garments, words, strict=True)]
        wearer = f"{saving.name_of(self.folder, 'person', person)}.jpg"
        write_text(self.path("test_pairs.txt"), "".join(f"{wearer} {path.name}\n" for path in paths))
        return paths

    def show(self, figure: Picture | None, name: str) -> None:
        """Write a figure of :mod:`helpers.show` as ``figures/NOTEBOOK/NAME.png`` and display it; nothing where there is none."""
        if figure is None:
            return
        from IPython.display import display  # a run without figures needs no notebook

        write_whole(self.path("figures", self.notebook, f"{name}.png"), lambda part: part.write_bytes(figure.png()))
        display(figure)

    def finish(self, **metrics: Any) -> dict:
        """Write this notebook's section of ``metrics.json`` (other sections stay) and return it.

        The section holds the metrics, the parameters, the seconds since the run opened, and the environment, as JSON that every reader
        takes (:func:`helpers.notes.plain`). Raises ``ValueError`` naming a part that cannot be such.
        """
        section = {
            "metrics": metrics,
            "parameters": self.parameters,
            "seconds": round(time.perf_counter() - self.started, 2),
            "environment": machine.environment(),
        }
        section = {part: notes.plain(value, part) for part, value in section.items()}
        with locked(self.folder):
            everything = {**_sections(self.folder), self.notebook: section}
            write_text(self.folder / "metrics.json", json.dumps(everything, indent=1))
        print(f"{section['seconds']:.0f} s · {self.folder}")
        return section


def start(notebook: str, parameters: MutableMapping[str, Any]) -> Run:
    """Open the run that ``parameters`` name. Nothing is written yet: what is refused after this leaves no folder.

    What is there stays as it was, but for what a killed run left: a save that was decided is finished, and what is unfinished goes.

    parameters: all that the notebook was given, kept for ``metrics.json`` so that the run can be repeated from there; from a notebook its
                ``globals()``, of which those are taken that the parameters cell, and nothing else, gives a type, and in which they are
                from here on of that type, whatever text they came as (:mod:`helpers.parameters`). Among them are

    run:     a plain name
    seed:    a whole number of at least 0
    outputs: the folder that holds run folders; empty = :func:`outputs_folder`

    Raises ``ValueError`` naming the parameter, or a ``metrics.json`` that is damaged.
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
    _sections(folder)
    saving.sweep(folder)
    print(f"run {given['run']} · seed {given['seed']} · {folder}")
    return Run(notebook, given["run"], folder, copy.deepcopy(given))


def run_folder(run: Any, outputs: Any = "") -> Path:
    """The folder ``OUTPUTS/RUN``, which is not made yet. Raises ``ValueError`` for a name that is none, or where it cannot be made."""
    if not isinstance(run, str) or not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?", run):
        raise ValueError(
            "run must be a plain name of at most 64 letters, digits, '.', '_' and '-', of which neither '.' nor '-' begins it and no '.' "
            f"ends it (it becomes a folder), not {checks.shown(run)}."
        )
    base = checks.path(checks.text(outputs, "outputs"), "outputs").absolute() if outputs != "" else outputs_folder()
    if is_device(run):
        raise ValueError(f"run must not be {run!r}: Windows keeps that name for a device. Choose another.")
    require_writable(base / run, "outputs")
    folder = (base / run).resolve()
    if not folder.is_relative_to(base.resolve()):
        raise ValueError(f"run: {told(base / run)} is a link to {told(folder)}, outside {told(base)}. Choose another run.")
    return folder


def _sections(folder: Path) -> dict[str, Any]:
    """What ``metrics.json`` holds by notebook. Raises ``ValueError`` where it is damaged."""
    path = folder / "metrics.json"
    if not os.path.lexists(path):
        return {}
    remedy = "Move it away or delete it, and run again."
    found = notes.read(path, "metrics", remedy)
    if not isinstance(found, dict) or not all(isinstance(section, dict) for section in found.values()):
        raise ValueError(f"metrics: {path} is damaged (it is not one section for each notebook). {remedy}")
    try:
        return notes.plain(found, "it")
    except ValueError as error:
        raise ValueError(f"metrics: {path} is damaged ({str(error).partition('. ')[0]}). {remedy}") from None

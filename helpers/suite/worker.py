"""``python -m helpers.suite.worker FOLDER``: the inside of a job. Runs what ``asked.json`` there asks for and tells in ``told.json``, last.

It goes down with whoever began it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from helpers import headless, images, notes
from helpers.files import write_text
from helpers.suite.plan import RUN

SMALL = (256, 256)
"""Pixels that a picture is compared in at most."""


def main(folder: Path) -> None:
    """Run the notebook, and leave ``executed.ipynb``, ``notebook.html``, ``pictures/`` and ``told.json`` in ``folder``."""
    asked = notes.read(folder / "asked.json", "suite", "Run the suite again.")
    threading.Thread(target=_go_with, args=(asked["supervisor"],), daemon=True).start()
    notebook = Path(asked["notebook"])
    outputs, executed = folder / "outputs", folder / "executed.ipynb"
    values = {**asked["parameters"], "run": RUN, "outputs": str(outputs)}
    ended = headless.execute(notebook, executed, values)
    told: dict[str, Any] = {"ended": "done", "why": ended.why, "metrics": {}}
    if ended.why:
        told["ended"] = "not started" if ended.kernel == "not started" else "failed"
    else:
        told["metrics"] = _metrics(outputs / RUN / "metrics.json", notebook.stem)
        for picture in asked["pictures"]:
            path = outputs / RUN / picture
            if path.is_file():
                images.write_image(folder / "pictures" / small_name(picture), small(path))
    if executed.exists():
        _page(executed, folder / "notebook.html")
    write_text(folder / "told.json", json.dumps(told))


def small_name(picture: str) -> str:
    """The name of the small copy of a run's ``picture``: ``result/try-on.png`` is ``result-try-on.jpg``."""
    return "-".join(Path(picture).with_suffix(".jpg").parts)


def small(path: Path) -> Any:
    """uint8 (h, w, 3) of the picture in ``path``, at most ``SMALL``."""
    image = images.read_image(path)
    return images.resize(image, images.fit_inside(image.shape[1::-1], SMALL))


def _metrics(path: Path, notebook: str) -> dict[str, Any]:
    """Those of the only section that there is, or else of the notebook's own."""
    sections = notes.read(path, "metrics", "Run the suite again.") if path.exists() else {}
    (section,) = sections.values() if len(sections) == 1 else [sections.get(notebook, {})]
    return section.get("metrics", {})


def _page(executed: Path, page: Path) -> None:
    """The executed notebook for whoever has a browser alone."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    text, _ = HTMLExporter(config=Config({"HTMLExporter": {"embed_images": True}})).from_filename(str(executed))
    write_text(page, text)


def _go_with(supervisor: int) -> None:
    """End this process and its kernel when ``supervisor`` is no more."""
    while psutil.pid_exists(supervisor) and os.getppid() == supervisor:
        time.sleep(0.5)
    me = psutil.Process()
    for process in [*me.children(recursive=True), me]:
        process.kill()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

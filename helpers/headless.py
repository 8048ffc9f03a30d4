"""A notebook run headlessly: found by its name, its parameters checked, its cells run by papermill in a kernel of its own."""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from helpers import checks, parameters

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


class Ended(NamedTuple):
    """How a notebook ended. why: what went wrong, or nothing; refused: whether that was in the cell that opens the run, before any work;
    kernel: ``died``, ``not started``, or nothing"""

    why: str = ""
    refused: bool = False
    kernel: str = ""


def find_notebook(name: str) -> Path:
    """The notebook file meant by a path, a name with or without suffix, or its leading number."""
    wanted = checks.path(name, "notebook")
    there = sorted(NOTEBOOKS.glob("*.ipynb"))
    for candidate in (wanted, NOTEBOOKS / wanted, *(p for p in there if name in (p.stem, p.stem.partition("_")[0]))):
        if os.path.isfile(candidate):
            return candidate.resolve()
    if os.path.exists(wanted):
        raise ValueError(f"notebook: {wanted} is no file. Name a notebook in it, or copy it into a file first.")
    names = [p.stem for p in there]
    raise FileNotFoundError(
        f"there is no notebook {checks.shown(name)}{checks.near(name, names)}. There are: {', '.join(names)}."
    )


def check_parameters(known: dict[str, dict], given: Sequence[tuple[str, str]], notebook: str) -> dict[str, Any]:
    """Command-line strings, (name, text), as values of the types that the notebook's parameters cell declares.

    Raises ``ValueError`` naming an unknown parameter, one that is given twice, or a value of another type.
    """
    names = [name for name, _ in given]
    parameters.require_known(names, known, notebook)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"{twice} is given twice; leave one of them.")
    return {name: parameters.read(name, text, known[name]["inferred_type_name"].strip()) for name, text in given}


def parameters_of(path: Path) -> dict[str, dict]:
    """What papermill knows of the notebook's parameters, by name. Raises ``ValueError`` where the file is no notebook."""
    import papermill

    try:
        return papermill.inspect_notebook(_literally(path))
    except Exception as error:  # whatever its readers raise at what they find
        raise ValueError(
            f"{path} cannot be read as a notebook ({type(error).__name__}: {checks.shown(str(error))})."
        ) from error


def default(known: dict[str, dict], name: str) -> Any:
    """What the parameter ``name`` is where nobody gives it, or ``None``."""
    try:
        return ast.literal_eval(known[name]["default"])
    except (KeyError, ValueError, SyntaxError):
        return None


def execute(path: Path, output: Path, values: dict[str, Any]) -> Ended:
    """Run the notebook at ``path`` with ``values`` in a kernel of its own, and leave it as far as it came in ``output``."""
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import AsyncKernelManager
    from nbclient.exceptions import DeadKernelError

    log = output.with_name("kernel.log")

    class Quiet(AsyncKernelManager):
        """A kernel's own remarks, such as the traceback of its end, are no part of what a notebook says."""

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            with log.open("wb") as stderr:
                await super().start_kernel(stderr=stderr, **options)

    options = {"cwd": str(Path.cwd()), "kernel_name": "python3", "kernel_manager_class": Quiet}
    try:
        papermill.execute_notebook(_literally(path), _literally(output), values, **options)
    except papermill.PapermillExecutionError as error:
        return Ended(f"cell {error.cell_index}: {error.ename}: {error.evalue}", "runs.start(" in error.source)
    except DeadKernelError:
        why = "its kernel died, most likely for want of memory. Close other programs, or make the pictures smaller."
        return Ended(why, kernel="died")
    except NoSuchKernel:
        return Ended("there is no Jupyter kernel python3 here: pip install ipykernel", True, "not started")
    except RuntimeError as error:
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-1:] if log.exists() else []
        return Ended(f"its kernel did not start: {' '.join([told(error), *last])}", True, "not started")
    return Ended()


def _literally(path: Path) -> str:
    """``path`` for papermill, which fills in what stands in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def told(error: Exception) -> str:
    """What went wrong in one line, without "[Errno 28]" and with the file that it is about."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{text.rstrip('.') or type(error).__name__}."

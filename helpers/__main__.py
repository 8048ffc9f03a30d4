"""``python -m helpers``: run a notebook headlessly with checked parameters, list the engines, fetch weights."""

from __future__ import annotations

import argparse
import ast
import os
import sys
from pathlib import Path
from typing import Any

from helpers import cli as weights_cli

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code (2: refused before it started, 1: a cell failed)."""
    parser = argparse.ArgumentParser(prog="python -m helpers", description="Atelier from the command line.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a notebook headlessly", description="Run a notebook through papermill.")
    run.add_argument("notebook", help="a file, or a name or number in notebooks/: 03_try_on, 03")
    run.add_argument("-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    run.add_argument("-o", "--output", help="the executed notebook; default OUTPUTS/RUN/executed/NOTEBOOK.ipynb")
    run.add_argument("--list", action="store_true", help="show the notebook's parameters and stop")
    commands.add_parser("engines", help="list the engines and what each needs")
    weights_cli.add_parser(commands)
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "weights":
            return weights_cli.run(arguments)
        if arguments.command == "engines":
            return _list_engines()
        return _run(arguments)
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _list_engines() -> int:
    from helpers.engines import ENGINES

    for engine in ENGINES:
        print(f"{engine.stage:9} {engine.name:12} {engine.summary} · needs {engine.machine} · {engine.licence}")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    import papermill

    from helpers import runs

    path = find_notebook(arguments.notebook)
    known = papermill.inspect_notebook(str(path))
    if arguments.list:
        for name, about in known.items():
            print(f"{name:12} {about['inferred_type_name']:6} = {about['default']:24} {about['help']}")
        return 0
    values = check_parameters(known, dict(arguments.parameter), path.name)
    run = values.get("run", ast.literal_eval(known["run"]["default"]) if "run" in known else path.stem)
    base = Path(values["outputs"]).expanduser().resolve() if values.get("outputs") else runs.outputs_folder()
    values["outputs"] = str(base)
    output = Path(arguments.output) if arguments.output else base / str(run) / "executed" / path.name
    output.parent.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    try:
        papermill.execute_notebook(str(path), str(output), values, cwd=str(Path.cwd()), kernel_name="python3")
    except papermill.PapermillExecutionError as error:
        print(f"\nerror in cell {error.cell_index} of {path.name}: {error.ename}: {error.evalue}", file=sys.stderr)
        print(f"executed up to there: {output}", file=sys.stderr)
        return 1
    print(f"\nexecuted notebook: {output}\nresults:           {base / str(run)}")
    return 0


def find_notebook(name: str) -> Path:
    """The notebook file meant by a path, a name with or without suffix, or its leading number."""
    for candidate in (Path(name), NOTEBOOKS / name, NOTEBOOKS / f"{name}.ipynb"):
        if candidate.is_file():
            return candidate.resolve()
    numbered = sorted(NOTEBOOKS.glob(f"{name}_*.ipynb"))
    if len(numbered) == 1:
        return numbered[0]
    there = ", ".join(p.stem for p in sorted(NOTEBOOKS.glob("*.ipynb")))
    raise FileNotFoundError(f"there is no notebook {name!r}. There are: {there}.")


def check_parameters(known: dict[str, dict], given: dict[str, str], notebook: str) -> dict[str, Any]:
    """Command-line strings as values of the types that the notebook's parameters cell declares.

    Raises ``ValueError`` naming an unknown parameter or a value of another type.
    """
    values = {}
    for name, text in given.items():
        if name not in known:
            raise ValueError(f"{notebook} has no parameter {name!r}; its parameters are {', '.join(known)}.")
        declared = known[name]["inferred_type_name"].strip()
        values[name] = _typed(name, text, declared)
    return values


def _typed(name: str, text: str, declared: str) -> Any:
    if declared == "str":
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = {"true": True, "false": False}.get(text.lower(), text)
    base = {"int": int, "float": float, "bool": bool, "list": list, "dict": dict}.get(declared.partition("[")[0])
    if base is float and type(value) is int:
        return float(value)
    if base is not None and type(value) is not base:
        raise ValueError(f"parameter {name} must be {declared}, not {text!r}.")
    return value


if __name__ == "__main__":
    sys.exit(main())

"""``python -m helpers``: run a notebook headlessly with checked parameters, list the engines, fetch weights."""

from __future__ import annotations

import argparse
import ast
import os
import sys
from pathlib import Path
from typing import Any

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
    run.set_defaults(do=_run)
    commands.add_parser("engines", help="list the engines and what each needs").set_defaults(do=_list_engines)
    _add_weights(commands)
    arguments = parser.parse_args(argv)
    try:
        return arguments.do(arguments)
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _list_engines(arguments: argparse.Namespace) -> int:
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


def _add_weights(commands: Any) -> None:
    """Add the ``weights`` command with its verbs to argparse's ``commands``."""
    parser = commands.add_parser("weights", help="list, fetch, verify or convert the published checkpoints")
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="what there is, whose licence, whether it is here and fits this machine")
    fetch = verbs.add_parser("fetch", help="download groups, with what they need", description="Resumes what was cut off.")
    fetch.add_argument(
        "names", nargs="+", metavar="NAME", help="a group (sam_vit_h) or one file of it (idm_vton/vae/config.json)"
    )
    fetch.add_argument("--accept", "--yes", action="store_true", help="accept non-commercial terms without being asked")
    verify = verbs.add_parser(
        "verify", help="compare files with the published sizes and hashes; everything that is here by default"
    )
    verify.add_argument("names", nargs="*", metavar="NAME")
    convert = verbs.add_parser("convert", help="make a 16-bit .safetensors of a checkpoint, beside it")
    convert.add_argument("name", metavar="NAME|FILE", help="a record (idm_vton/unet/diffusion_pytorch_model.bin) or a file")
    convert.add_argument("--dtype", choices=("fp16", "bf16"), default="fp16")
    convert.add_argument("-o", "--output", help="for a file: where to write; default FILE.DTYPE.safetensors beside it")
    parser.set_defaults(do=_weights)
    listing.set_defaults(act=_list_weights)
    fetch.set_defaults(act=_fetch_weights)
    verify.set_defaults(act=_verify_weights)
    convert.set_defaults(act=_convert_weights)


def _weights(arguments: argparse.Namespace) -> int:
    """Do what ``arguments`` ask for; returns the exit code.

    2: it could not be done, and one line says why; 1: ``verify`` found files that are wrong, the terms were declined, or it was stopped.
    """
    from helpers import weights
    from helpers.weights import downloads

    try:
        return arguments.act(arguments)
    except (downloads.DownloadError, weights.Damaged, weights.Missing, OSError) as error:
        text = " ".join(str(error).split())
        if isinstance(error, OSError) and error.strerror:  # without "[Errno 28]", with the file that it is about
            text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        print(f"error: {text.rstrip('.')}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; run the same again to resume.", file=sys.stderr)
        return 1


def _list_weights(arguments: argparse.Namespace) -> int:
    from helpers import inventory, show, weights
    from helpers.weights import downloads

    rows = [{key: value for key, value in row.items() if key != "what"} for row in inventory.rows()]
    for row in rows:  # a terminal is narrow: terms go below
        row["licence"] = weights.group(row["weights"]).licence.partition(" (")[0]
        row["engine"] = ", ".join(engine.name for engine in inventory.users(row["weights"]))
    print(show.table(rows))
    print("", *downloads.terms(weights.records()), f"\nweights folder: {weights.folder()}", sep="\n")
    return 0


def _fetch_weights(arguments: argparse.Namespace) -> int:
    from helpers.weights import downloads

    wanted = downloads.plan(arguments.names)
    restricted = [record for record in wanted if not record.commercial]
    if restricted and not arguments.accept:
        print(*downloads.terms(restricted), sep="\n")
        if not sys.stdin.isatty():
            print("error: these terms are not for commercial use; give --accept if you accept them.", file=sys.stderr)
            return 2
        if input("Do you accept these terms? [y/N] ").strip().lower() not in ("y", "yes"):
            print("nothing was downloaded.")
            return 1
    for path in downloads.fetch(*arguments.names):
        print(path)
    return 0


def _verify_weights(arguments: argparse.Namespace) -> int:
    from helpers import weights
    from helpers.weights import verify

    records = [record for name in arguments.names for record in weights.records(name)] if arguments.names else weights.records()
    verdicts = [verify.compare(record) for record in records]
    shown = [v for v in verdicts if arguments.names or v.state != "missing"]
    for verdict in shown:
        mark = "ok      " if verdict.state != "differs" and verdict.good else ("warning " if verdict.good else "WRONG   ")
        print(f"{mark} {verdict.record.path}: {verdict.text}")
    if not shown:
        print(f"none of the {len(records)} files is in {weights.folder()}.")
    wrong = {v.record.group: None for v in shown if not v.good}
    if wrong:
        print(f"mend with: python -m helpers weights fetch {' '.join(wrong)} (files that differ have to be deleted first)")
    return 1 if wrong else 0


def _convert_weights(arguments: argparse.Namespace) -> int:
    import torch

    from helpers import weights

    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}[arguments.dtype]
    path = Path(arguments.name).expanduser()
    if path.is_file():
        target = Path(arguments.output) if arguments.output else path.with_name(f"{path.stem}.{arguments.dtype}.safetensors")
        print(weights.convert(path, target, dtype))
        return 0
    found = weights.records(arguments.name)
    heavy = [record for record in found if record.kind == "torch" or (record.kind == "safetensors" and len(found) == 1)]
    if not heavy:
        raise weights.Missing(f"{arguments.name} has no checkpoint to convert.")
    for record in heavy:
        print(weights.converted(record.name, dtype))
    return 0

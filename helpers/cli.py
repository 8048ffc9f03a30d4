"""``python -m helpers``: run a notebook headlessly with checked parameters, list the engines, fetch weights, make data sets, dress."""

from __future__ import annotations

import argparse
import codecs
import io
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TextIO

from helpers import checks, data_commands, headless
from helpers.app import commands as app_commands
from helpers.suite import commands as suite_commands

if TYPE_CHECKING:
    from helpers.weights import Record

_PLAINER = {"·": "-", "–": "-", "—": "-", "→": "->", "×": "x", "…": "...", "≥": ">=", "’": "'", "“": '"', "”": '"', "█": "#"}


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code (2: refused before it started, 1: a cell failed, 130: stopped by Ctrl-C)."""
    _speak_anywhere()
    parser = argparse.ArgumentParser(prog="python -m helpers", description="Atelier from the command line.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a notebook headlessly", description="Run a notebook through papermill.")
    run.add_argument("notebook", help="a file, or a name or number in notebooks/: 03_try_on, 03")
    run.add_argument("-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    run.add_argument("-o", "--output", help="the executed notebook; default OUTPUTS/RUN/executed/NOTEBOOK.ipynb")
    run.add_argument("--list", action="store_true", help="show the notebook's parameters and stop")
    run.set_defaults(do=_run, resume="run it again to begin anew")
    commands.add_parser("engines", help="list the engines and what each needs").set_defaults(do=_list_engines, resume="")
    _add_weights(commands)
    _add_prepare(commands)
    data_commands.add(commands)
    suite_commands.add(commands)
    app_commands.add(commands)
    arguments = parser.parse_args(argv)
    try:
        return arguments.do(arguments)
    except (ValueError, ImportError, MemoryError, OSError, RuntimeError) as error:
        print(f"error: {headless.told(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped" + (f"; {arguments.resume}." if arguments.resume else "."), file=sys.stderr)
        return 130


class _Patient:
    """A stream whose reader may go away (``| head``): what it would not read is dropped, and the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        return self._unless_gone(self._stream.write, text) or len(text)

    def flush(self) -> None:
        self._unless_gone(self._stream.flush)

    def _unless_gone(self, do: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return do(*arguments)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())  # Python's own last flush goes there too
            os.close(nowhere)
            return None


def _speak_anywhere() -> None:
    """Let every line be written to any console: letters that it lacks stand as plainer ones, or as their number."""
    codecs.register_error("plainer", _plainer)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):  # none where it is closed, another where somebody listens
            stream.reconfigure(errors="plainer")
            setattr(sys, name, _Patient(stream))


def _plainer(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(_PLAINER.get(letter) or ascii(letter)[1:-1] for letter in letters), error.end


def _list_engines(arguments: argparse.Namespace) -> int:
    from helpers.engines import ENGINES

    for engine in ENGINES:
        print(f"{engine.stage:9} {engine.name:12} {engine.summary} · needs {engine.machine} · {engine.licence}")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from helpers import files, runs

    path = headless.find_notebook(arguments.notebook)
    known = headless.parameters_of(path)
    if arguments.list:
        for name, about in known.items():
            print(f"{name:12} {about['inferred_type_name']:6} = {about['default']:24} {about['help']}")
        return 0
    values = headless.check_parameters(known, arguments.parameter, path.name)
    run = values["run"] if "run" in values else headless.default(known, "run") or files.slug(path.stem)
    folder = runs.run_folder(run, values.get("outputs", ""))
    if "outputs" in known:
        values["outputs"] = str(folder.parent)
    output = checks.path(arguments.output, "-o").absolute() if arguments.output is not None else folder / "executed" / path.name
    failed = output.with_name(f"{output.stem}.failed.ipynb")
    _require_output(output, failed, path)
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    with TemporaryDirectory(prefix="atelier-") as there:
        executed = Path(there) / "executed.ipynb"  # a run that fails leaves the last one that went through
        ended = headless.execute(path, executed, values)
        if ended.why:
            print(f"\nerror in {path.name}: {ended.why}", file=sys.stderr)
            if executed.exists() and (folder.exists() or not ended.refused):  # what is refused leaves nothing
                files.write_whole(failed, lambda part: shutil.copyfile(executed, part))
                print(f"executed up to there: {failed}", file=sys.stderr)
            return 1
        files.write_whole(output, lambda part: shutil.copyfile(executed, part))
    failed.unlink(missing_ok=True)
    print(f"\nexecuted notebook: {output}\nresults:           {folder}")
    return 0


def _require_output(output: Path, failed: Path, notebook: Path) -> None:
    """Raises ``ValueError`` for an ``output`` that is a notebook to be run, no plain file, or cannot be written.

    failed: the file that a run that fails leaves instead, and one that goes through removes
    """
    from helpers import files

    if os.path.isdir(output):
        raise ValueError(f"-o: {output} is a folder. Name a file in it, such as {output / notebook.name}.")
    if os.path.exists(output) and not os.path.isfile(output):
        raise ValueError(f"-o: {output} is a pipe, device or socket, not a file. Name another.")
    for written in (output, failed):
        for one in (notebook, *headless.NOTEBOOKS.glob("*.ipynb")):
            if os.path.exists(written) and written.samefile(one):
                raise ValueError(f"-o: {written} is {one.name} itself, which would be overwritten. Name another file.")
    if output.suffix != ".ipynb":
        raise ValueError(f"-o: {output} is no name of a notebook. Let it end in .ipynb.")
    if len(os.fsencode(failed.name)) > 255:
        raise ValueError(f"-o: {checks.shown(output.name)} is too long for the name of a file. Name a shorter one.")
    files.require_writable(output.parent, "-o")


def _add_weights(commands: Any) -> None:
    """Add the ``weights`` command with its verbs to argparse's ``commands``."""
    parser = commands.add_parser("weights", help="list, fetch, unpack, verify or convert the published checkpoints")
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="what there is, whose licence, whether it is here and fits this machine")
    fetch = verbs.add_parser("fetch", help="download groups, with what they need", description="Resumes what was cut off.")
    fetch.add_argument(
        "names", nargs="+", metavar="NAME", help="a group (sam_vit_h) or one file of it (idm_vton/vae/config.json)"
    )
    fetch.add_argument("--accept", "--yes", action="store_true", help="accept non-commercial terms without being asked")
    unpack = verbs.add_parser(
        "unpack", help="take the files out of zip archives that were downloaded by hand, as drives give them"
    )
    unpack.add_argument("archives", nargs="+", metavar="ARCHIVE")
    unpack.add_argument("--accept", "--yes", action="store_true", help="accept non-commercial terms without being asked")
    verify = verbs.add_parser(
        "verify", help="compare files with the published sizes and hashes; everything that is here by default"
    )
    verify.add_argument("names", nargs="*", metavar="NAME")
    convert = verbs.add_parser("convert", help="make a 16-bit .safetensors of a checkpoint, beside it")
    convert.add_argument("name", metavar="NAME|FILE", help="a record (idm_vton/unet/diffusion_pytorch_model.bin) or a file")
    convert.add_argument("--dtype", choices=("fp16", "bf16"), default="fp16")
    convert.add_argument("-o", "--output", help="for a file: where to write; default FILE.DTYPE.safetensors beside it")
    parser.set_defaults(resume="run the same again to resume")
    listing.set_defaults(do=_list_weights)
    fetch.set_defaults(do=_fetch_weights)
    unpack.set_defaults(do=_unpack_weights)
    verify.set_defaults(do=_verify_weights)
    convert.set_defaults(do=_convert_weights)


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

    if refused := _refused(downloads.plan(arguments.names), arguments.accept, "downloaded"):
        return refused
    for path in downloads.fetch(*arguments.names):
        print(path)
    return 0


def _refused(wanted: Sequence[Record], accepted: bool, done: str) -> int:
    """The exit status where the terms of ``wanted`` are not for commercial use and not accepted, else 0."""
    from helpers.weights import downloads

    restricted = [record for record in wanted if not record.commercial]
    if not restricted or accepted:
        return 0
    print(*downloads.terms(restricted), sep="\n")
    if sys.stdin is None or not sys.stdin.isatty():
        print("error: these terms are not for commercial use; give --accept if you accept them.", file=sys.stderr)
        return 2
    if input("Do you accept these terms? [y/N] ").strip().lower() in ("y", "yes"):
        return 0
    print(f"nothing was {done}.")
    return 1


def _unpack_weights(arguments: argparse.Namespace) -> int:
    from helpers.weights import archives

    found = archives.find(arguments.archives)
    if refused := _refused([one.record for one in found], arguments.accept, "unpacked"):
        return refused
    for path in archives.unpack(found):
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
    path = checks.path(arguments.name, "NAME|FILE")
    if os.path.isfile(path):
        target = (
            checks.path(arguments.output, "-o")
            if arguments.output
            else path.with_name(f"{path.stem}.{arguments.dtype}.safetensors")
        )
        print(weights.convert(path, target, dtype))
        return 0
    found = weights.records(arguments.name)
    heavy = [record for record in found if record.kind == "torch" or (record.kind == "safetensors" and len(found) == 1)]
    if not heavy:
        raise weights.Missing(f"{arguments.name} has no checkpoint to convert.")
    for record in heavy:
        print(weights.converted(record.name, dtype))
    return 0


def _add_prepare(commands: Any) -> None:
    """Add the ``prepare`` command to argparse's ``commands``."""
    parser = commands.add_parser(
        "prepare",
        help="make a VITON-HD and HR-VITON data set of one's own photographs",
        description="Goes on where it was cut off. Writes OUT/test, OUT/test_pairs.txt, a report and contact sheets.",
    )
    parser.add_argument("people", help="a folder of photographs, each of one person, or one photograph")
    parser.add_argument("garments", help="a folder of photographs of garments, or one photograph")
    parser.add_argument("out", help="where the data set is made")
    parser.add_argument("--category", default="upper", help="of the garments: upper, lower or dress; default upper")
    parser.add_argument(
        "--annotator", default="auto", help="the engine that looks at the people; default the best that is here"
    )
    parser.set_defaults(do=_prepare, resume="run the same again to go on")


def _prepare(arguments: argparse.Namespace) -> int:
    from helpers.dataset import prepare, report

    def told(row: prepare.Row) -> None:
        state = f"refused: {row.refused}" if row.refused else "; ".join(("here",) * row.again + row.doubts) or "good"
        print(f"{row.kind:8} {Path(row.source).name}: {state}", flush=True)

    given = {"category": arguments.category, "annotator": arguments.annotator}
    done = prepare.prepare(arguments.people, arguments.garments, arguments.out, **given, on_row=told)
    print(*report.write(done), sep="\n")
    print(f"{done.pairs} pairs in {done.folder / 'test_pairs.txt'}")
    return 0 if done.pairs else 1

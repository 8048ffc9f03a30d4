"""``python -m helpers weights``: list, fetch, verify and convert the published files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the ``weights`` command with its verbs to argparse's ``commands``."""
    parser = commands.add_parser("weights", help="list, fetch, verify or convert the published checkpoints")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="what there is, whose licence, whether it is here and fits this machine")
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


def run(arguments: argparse.Namespace) -> int:
    """Do what ``arguments`` ask for; returns the exit code.

    2: it could not be done, and one line says why; 1: ``verify`` found files that are wrong, the terms were declined, or it was stopped.
    """
    from helpers import weights
    from helpers.weights import downloads

    verb = {"list": _list, "fetch": _fetch, "verify": _verify, "convert": _convert}[arguments.verb]
    try:
        return verb(arguments)
    except (downloads.DownloadError, weights.Damaged, weights.Missing, OSError) as error:
        text = " ".join(str(error).split())
        if isinstance(error, OSError) and error.strerror:  # without "[Errno 28]", with the file that it is about
            text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        print(f"error: {text.rstrip('.')}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; run the same again to resume.", file=sys.stderr)
        return 1


def _list(arguments: argparse.Namespace) -> int:
    from helpers import inventory, show, weights
    from helpers.weights import downloads

    rows = [{key: value for key, value in row.items() if key != "what"} for row in inventory.rows()]
    for row in rows:  # a terminal is narrow: terms go below
        row["licence"] = weights.group(row["weights"]).licence.partition(" (")[0]
        row["engine"] = ", ".join(engine.name for engine in inventory.users(row["weights"]))
    print(show.table(rows))
    print("", *downloads.terms(weights.records()), f"\nweights folder: {weights.folder()}", sep="\n")
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
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


def _verify(arguments: argparse.Namespace) -> int:
    from helpers import inventory, weights

    records = [record for name in arguments.names for record in weights.records(name)] if arguments.names else weights.records()
    verdicts = [inventory.compare(record) for record in records]
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


def _convert(arguments: argparse.Namespace) -> int:
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

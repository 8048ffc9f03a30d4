"""``python -m helpers down-sample``, ``pairs`` and ``check``: data to learn from, made and looked through."""

from __future__ import annotations

import argparse
import re
from typing import Any

from helpers import checks


def add(commands: Any) -> None:
    """Add the commands to argparse's ``commands``."""
    small = commands.add_parser(
        "down-sample",
        help="make a VITON-HD data set small",
        description="Layout and names are kept; the longer side gets SIZE pixels, padded to a square. Goes on where it was cut off.",
    )
    small.add_argument("data", help="the folder that holds train and test")
    small.add_argument("out", help="where the small data set is made")
    small.add_argument("-f", "--files", type=int, help="the first so many pictures of each folder; default all")
    small.add_argument("-s", "--size", type=int, default=64, help="pixels of the longer side; default 64")
    small.set_defaults(do=_down_sample, resume="run the same again to go on")

    pairs = commands.add_parser(
        "pairs",
        help="draw mannequin pairs, a worn garment and its product photograph, as a VITON-HD data set",
        description="The same seed draws the same pairs. Goes on where it was cut off.",
    )
    pairs.add_argument("out", help="where the data set is made")
    pairs.add_argument("-n", "--count", type=int, required=True, help="how many pairs there are to be")
    pairs.add_argument("-s", "--size", default="192x256", help="WIDTHxHEIGHT of the pictures in pixels; default 192x256")
    pairs.add_argument("--seed", type=int, default=0)
    pairs.add_argument("--category", default="upper", help="of the garments: upper, lower or dress; default upper")
    pairs.add_argument("--part", default="train", help="train or test, which have no figure in common; default train")
    pairs.add_argument("--workers", type=int, default=2, help="processes that draw; default 2")
    pairs.set_defaults(do=_pairs, resume="run the same again to go on")

    check = commands.add_parser("check", help="look through a VITON-HD data set for what cannot be learnt from")
    check.add_argument("data", help="the folder that holds train and test")
    check.add_argument("--category", default="upper", help="of the garments: upper, lower or dress; default upper")
    check.set_defaults(do=_check, resume="")


def size(text: str, name: str) -> tuple[int, int]:
    """``192x256``, or one number for a square, as (width, height). Raises ``ValueError`` naming ``name``."""
    if not (found := re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text.strip().lower())):
        raise ValueError(f"{name} must be WIDTHxHEIGHT in pixels, such as 192x256, not {checks.shown(text)}.")
    return int(found[1]), int(found[2] or found[1])


def _down_sample(arguments: argparse.Namespace) -> int:
    from helpers.dataset.down_sample import down_sample

    def told(folder: str, count: int) -> None:
        print(f"{folder:35} {count}", flush=True)

    done = down_sample(arguments.data, arguments.out, files=arguments.files, size=arguments.size, on_folder=told)
    print(*(f"missing: {what}" for what in done.missing), *(f"broken: {why}" for why in done.broken.values()), sep="\n")
    print(f"{sum(done.made.values())} pictures in {done.folder}, {done.again} of them from before")
    return 1 if done.broken else 0


def _pairs(arguments: argparse.Namespace) -> int:
    from helpers.dataset.pairs import pairs

    def told(there: int, count: int) -> None:
        print(f"\r{there} of {count}", end="" if there < count else "\n", flush=True)

    given = {"seed": arguments.seed, "category": arguments.category, "part": arguments.part, "workers": arguments.workers}
    done = pairs(arguments.out, arguments.count, size=size(arguments.size, "--size"), **given, on_pair=told)
    print(f"{done.count} pairs in {done.folder}, {done.made} of them drawn now")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from helpers.dataset import inspection

    found = inspection.inspect(arguments.data, arguments.category)
    print(inspection.page(found))
    return 1 if any(part.faults for part in found) else 0

"""``python -m helpers down-sample``, ``pairs``, ``check`` and ``train``: data to learn from, made and looked through, and the learning."""

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

    train = commands.add_parser("train", help="train a network on pairs of a worn garment and its product photograph")
    kinds = train.add_subparsers(dest="kind", required=True)
    extractor = kinds.add_parser(
        "extractor",
        help="the clothes extractor",
        description="Goes on where it was cut off. On several GPUs: accelerate launch -m helpers train extractor ...",
    )
    given = extractor.add_argument
    given("--data", required=True, help="a data set in VITON-HD's layout, such as python -m helpers pairs draws")
    given("--out", required=True, help="where checkpoints, curve.csv and sheets are written")
    given("-s", "--size", default="192x256", help="WIDTHxHEIGHT of what is learnt, or one number for a square; default 192x256")
    given("--task", default="flat", help="flat: the picture and whence it comes; picture: as published; default flat")
    given("--recipe", default="pix2pix", help="pix2pix, pixel, lsgan, seed, seed_unet or plain; default pix2pix")
    given("--network", default="unet", help="unet, resnet18 or resnet34; default unet")
    given("--width", type=int, default=32, help="channels of the generator's finest level, 64 as published; default 32")
    given("--judge-width", type=int, default=16, help="channels of the discriminator's, 64 as published; default 16")
    given("--batch", type=int, default=8, help="pairs a step; default 8")
    given("--steps", type=int, default=2000, help="in all; default 2000")
    given("--every", type=int, default=200, help="steps between looks and checkpoints; default 200")
    given("--patience", type=int, default=10, help="looks that are no better after which it stops; default 10")
    given("--rate", type=float, default=2e-4, help="of learning; default 0.0002")
    given("--precision", default="auto", help="no, fp16, bf16 or auto, 16 bits on a GPU; default auto")
    given("--readers", type=int, default=1, help="processes that read pictures meanwhile; default 1")
    given("--vgg", help="torchvision's vgg16 checkpoint, for the perceptual term of recipe seed_unet")
    given("--category", default="upper", help="of the garments: upper, lower or dress; default upper")
    given("--seed", type=int, default=0)
    extractor.set_defaults(do=_train, resume="run the same again to go on")


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
        print(f"{there} of {count}", flush=True)

    given = {"seed": arguments.seed, "category": arguments.category, "part": arguments.part, "workers": arguments.workers}
    done = pairs(arguments.out, arguments.count, size=size(arguments.size, "--size"), **given, on_pair=told)
    print(f"{done.count} pairs in {done.folder}, {done.made} of them drawn now")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from helpers.dataset import inspection

    found = inspection.inspect(arguments.data, arguments.category)
    print(inspection.page(found))
    return 1 if any(part.faults for part in found) else 0


def _train(arguments: argparse.Namespace) -> int:
    try:
        from helpers.training import extractor
    except ImportError as error:
        raise ImportError(f"{error.name} is missing. Install what trains: pip install 'atelier-notebooks[train]'") from None

    def told(row: dict[str, float]) -> None:
        print(f"step {row['step']:.0f}", *(f"{name} {value:.4g}" for name, value in row.items() if name != "step"), flush=True)

    names = ("task", "network", "width", "judge_width", "recipe", "batch", "seed", "category")
    settings = extractor.Settings(size=size(arguments.size, "--size"), **{name: getattr(arguments, name) for name in names})
    more = {name: getattr(arguments, name) for name in ("every", "patience", "rate", "precision", "readers", "vgg")}
    done = extractor.train(arguments.data, arguments.out, settings, total=arguments.steps, **more, on_look=told)
    if done.left_out:
        print(f"left out of {done.left_out}")
    print(
        f"{done.step} steps, for {done.stopped}; the best, {done.best:.2f} codes off, at step {done.best_step}: {done.folder}"
    )
    return 0

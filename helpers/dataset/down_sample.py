"""A data set in VITON-HD's layout made small, as the public tool makes it, for trying things out: the longer side so many pixels, padded
to a square with black.

Source: ``dataset/down_sample_dataset.py`` of aidl-upc-2024-clothes-extractor (MIT). Other than there, label maps stay maps of indices,
masks stay grey, and what is missing is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PIL import Image

from helpers import checks
from helpers.files import require_writable, told, write_text, write_whole
from helpers.reading import SUFFIXES, read_picture

PARTS = ("train", "test")
LABELS = ("image-parse-v3", "image-parse-agnostic-v3.2")
FOLDERS = ("image", "image-parse-v3", "cloth", "cloth-mask", "image-parse-agnostic-v3.2")
_SMALLEST_SIDE, _LARGEST_SIDE = 8, 4096


@dataclass
class Sampled:
    """What became of a data set.

    made:    ``train/image`` -> how many pictures there are now; again: how many of them were there before
    missing: folders that are not there, and pictures that lie in one folder and not in another
    broken:  file -> why it could not be read
    """

    folder: Path
    made: dict[str, int] = field(default_factory=dict)
    again: int = 0
    missing: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)


def down_sample(
    data: str | Path,
    out: str | Path,
    *,
    files: int | None = None,
    size: int = 64,
    on_folder: Callable[[str, int], None] | None = None,
) -> Sampled:
    """Write the pictures of ``data`` below ``out`` under the same names, with the longer side ``size`` pixels.

    data: holds ``train`` or ``test``, and these ``image``, ``image-parse-v3``, ``cloth``, ``cloth-mask``, ``image-parse-agnostic-v3.2``
    files: the first so many of each folder by name; all by default; on_folder: told of each folder when it is done
    What an earlier call wrote at the same size stays; every file is whole or not there. Lists ``train_pairs.txt`` are shortened to who is
    there. Pictures that cannot be read are told and passed over. Raises ``ValueError`` for a ``data`` without any of the folders, an
    ``out`` that is ``data`` or cannot be written.
    """
    data, out = checks.path(data, "data"), checks.path(out, "out")
    size = checks.whole(size, "size", _SMALLEST_SIDE, _LARGEST_SIDE)
    files = None if files is None else checks.whole(files, "files", 1)
    found = {f"{part}/{name}": data / part / name for part in PARTS for name in FOLDERS if (data / part / name).is_dir()}
    if not found:
        raise ValueError(f"data: {told(data)} holds no train/image or test/image. Name the folder that holds train and test.")
    if out.resolve() == data.resolve():
        raise ValueError(f"out: {told(out)} is the data set itself, which would be overwritten. Choose another folder.")
    require_writable(out, "out")
    done = Sampled(out)
    for part in PARTS:
        there = [name for name in FOLDERS if f"{part}/{name}" in found]
        if not there:
            continue
        done.missing += [f"{part}/{name}" for name in FOLDERS if name not in there]
        for name in there:
            _folder(f"{part}/{name}", found[f"{part}/{name}"], files, size, done)
            if on_folder is not None:
                on_folder(f"{part}/{name}", done.made[f"{part}/{name}"])
        done.missing += _alone(out / part, there)
        _list(data / f"{part}_pairs.txt", out, part)
    return done


def _folder(name: str, source: Path, files: int | None, size: int, done: Sampled) -> None:
    """Fill the folder ``name`` of the small data set."""
    chosen = sorted(file for file in source.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))
    done.made[name] = 0
    for file in chosen[:files]:
        target = done.folder / name / file.name
        try:
            with Image.open(target) as before:
                again = max(before.size) in (size, size - 1)  # whole numbers may cost a pixel
        except OSError:
            again = False
        if not again:
            try:
                picture = read_picture(file, name, smallest=1)
                small = shrunk(picture, size, labels=Path(name).name in LABELS)
            except (ValueError, FileNotFoundError) as error:
                done.broken[f"{name}/{file.name}"] = str(error)
                continue
            write_whole(target, partial(small.save, quality=95))
        done.made[name] += 1
        done.again += again


def shrunk(picture: Image.Image, size: int, *, labels: bool = False) -> Image.Image:
    """``picture`` with its longer side ``size`` pixels, in the middle of a black square; of ``labels`` none are mixed.

    Maps of indices keep their palette, grey pictures stay grey, all others become RGB.
    """
    width, height = picture.size
    sides = (size, max(1, int(height / width * size))) if width > height else (max(1, int(width / height * size)), size)
    if width == height:
        sides = (size, size)
    if picture.mode not in ("P", "L", "RGB"):
        picture = picture.convert("RGB")
    nearest = labels or picture.mode == "P"
    small = picture.resize(sides, Image.Resampling.NEAREST if nearest else Image.Resampling.LANCZOS)
    side = max(sides)
    square = Image.new(small.mode, (side, side))
    if small.mode == "P":
        square.putpalette(small.getpalette() or [])
    square.paste(small, (int((side - sides[0]) / 2), int((side - sides[1]) / 2)))
    return square


def _alone(folder: Path, names: list[str]) -> list[str]:
    """The pictures of ``folder`` that lie in one of the folders ``names`` and not in all."""
    stems = {name: {file.stem for file in (folder / name).glob("*")} for name in names}
    everybody = set().union(*stems.values())
    return [f"{folder.name}/{name}/{stem}" for name in names for stem in sorted(everybody - stems[name])]


def _list(source: Path, out: Path, part: str) -> None:
    if source.is_file():
        there = {file.name for file in (out / part / "image").glob("*")}
        lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [line for line in lines if line.split() and line.split()[0] in there]
        write_text(out / source.name, "".join(f"{line}\n" for line in kept))

"""Published files out of archives that were downloaded by hand: a drive gives a folder as one or several zips.

What is in an archive is known by its name alone and lands in its own place among the weights, wherever the archive says that it belongs;
everything else in it stays there.
"""

from __future__ import annotations

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from helpers import checks
from helpers.files import explained
from helpers.weights import digests, registry, underway, verify
from helpers.weights.checkpoints import require_space
from helpers.weights.downloads import terms
from helpers.weights.formats import Damaged
from helpers.weights.registry import Record

_CHUNK = 1 << 20  # bytes
_LARGEST = 16_000_000_000  # bytes of a file whose size is not known
_ENCRYPTED = 0x1  # bit of an entry's flags


@dataclass(frozen=True)
class Found:
    """A published file in an archive."""

    record: Record
    archive: Path
    entry: zipfile.ZipInfo


def find(archives: Sequence[str | Path]) -> list[Found]:
    """The published files that zip ``archives`` hold and that are not here yet, or not whole.

    Raises ``ValueError`` for a path that cannot be, or where no archive holds a published file; ``FileNotFoundError``; ``Damaged`` for
    what is no zip that can be read, or holds a file twice, encrypted, as a link or larger than was published.
    """
    found: dict[str, Found] = {}
    for path in (checks.path(archive, "ARCHIVE") for archive in archives):
        for record, entry in _published(path):
            if twin := found.get(record.name):
                raise Damaged(
                    f"{path}: {entry.filename} is there twice, also as {twin.entry.filename} in {twin.archive}. Unpack one of them."
                )
            found[record.name] = Found(record, path, entry)
    if not found:
        names = ", ".join(str(archive) for archive in archives)
        raise ValueError(
            f"{names}: no published file is in it by its name, such as seg_final.pth or mtviton.pth. "
            "What there is: python -m helpers weights list, and weights/manifest.toml."
        )
    return [one for one in found.values() if not registry.here(one.record.name)]


def unpack(found: Sequence[Found], say: Callable[[str], Any] = print) -> list[Path]:
    """Take what was ``found`` into its places; returns where each lies.

    Terms are said first. Each file is compared with what was published, as after a download, and only then it gets its name.
    Raises ``Damaged`` for what cannot be unpacked or is another file by that name, and ``OSError`` for a full disk.
    """
    for line in terms([one.record for one in found]):
        say(line)
    if not found:
        say("everything in it is here.")
        return []
    require_space(registry.folder(), sum(one.entry.file_size for one in found), "unpacking")
    return [_taken(one.record, one.archive, one.entry, say) for one in found]


def _published(path: Path) -> list[tuple[Record, zipfile.ZipInfo]]:
    """The entries of the zip ``path`` that are published files, by their names."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there. Name the archive as it was downloaded.")
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except OSError as error:
        raise Damaged(f"{path} cannot be read ({error.strerror or error}). Name a zip archive.") from None
    except Exception as error:  # BadZipFile, struct.error, NotImplementedError, ...: by what is broken
        raise Damaged(
            f"{path} is no zip archive that can be read ({(str(error).splitlines() or ['broken'])[0][:80]}). Download it again; unpack "
            "another kind of archive by hand into the weights folder."
        ) from None
    found = []
    for entry in entries:
        if entry.is_dir() or not (record := _named(entry.filename)):
            continue
        if problem := _problem(entry, record):
            raise Damaged(f"{path}: {entry.filename} {problem}. Nothing was unpacked. Download the archive again.")
        found.append((record, entry))
    return found


def _named(filename: str) -> Record | None:
    """The one record whose file is called so; of several with one name, such as ``config.json``, the one with the same folders above it."""
    parts = PurePosixPath(filename.replace("\\", "/")).parts
    same = [record for record in registry.records() if parts and Path(record.path).name == parts[-1]]
    if len(same) > 1:
        same = [record for record in same if parts[-len(of := PurePosixPath(record.path).parts) :] == of]
    return same[0] if len(same) == 1 else None


def _problem(entry: zipfile.ZipInfo, record: Record) -> str:
    """Why ``entry`` cannot be taken; empty where it can."""
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link to another place"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    most = record.bytes if record.hash == "established" else _LARGEST
    return f"has {entry.file_size} bytes, and {most} are the most that it can have" if entry.file_size > most else ""


def _taken(record: Record, path: Path, entry: zipfile.ZipInfo, say: Callable[[str], Any]) -> Path:
    part, target = underway.part(record), registry.folder() / record.path
    with underway.alone(record):
        underway.clear(part)
        try:
            with zipfile.ZipFile(path) as archive, archive.open(entry) as source, part.open("wb") as out:
                while block := source.read(_CHUNK):  # never more than the entry says
                    out.write(block)
        except (
            zipfile.BadZipFile,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
            zlib.error,
            lzma.LZMAError,
        ) as error:
            part.unlink(missing_ok=True)
            raise Damaged(f"{path}: {entry.filename} cannot be unpacked ({error}). Download the archive again.") from None
        verdict = verify.compare_file(part, record, progress=None)
        if not verdict.good:
            part.unlink()
            raise Damaged(
                f"{path}: {entry.filename} {verdict.text}. It was not taken. Download the archive again, or {record.path} from "
                f"{record.source}."
            )
        with explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, target)
        if record.sha256:
            digests.remember(target, digests.known(target))
    say(f"{record.path}: {verdict.text}.")
    return target

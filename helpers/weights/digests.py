"""sha256 of files, computed once: which file had which is remembered in the user's cache for as long as the file is untouched."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from tqdm.auto import tqdm

from helpers.files import write_text

_CHUNK = 1 << 22  # bytes read at a time
_MOST = 500  # files that are remembered


def cache_folder() -> Path:
    """``ATELIER_CACHE`` if set, else ``~/.cache/atelier``."""
    return Path(os.environ.get("ATELIER_CACHE") or "~/.cache/atelier").expanduser()


def sha256(path: Path, progress: type[tqdm] | None = tqdm) -> str:
    """The file's sha256 in hexadecimal, with a bar where the file is large."""
    digest, length = hashlib.sha256(), path.stat().st_size
    quiet = progress is None or length < 1 << 28
    with (
        path.open("rb") as file,
        (progress or tqdm)(total=length, unit="B", unit_scale=True, desc=f"checking {path.name}", disable=quiet) as bar,
    ):
        while block := file.read(_CHUNK):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


def known(path: Path) -> str:
    """:func:`sha256`, computed unless this very file has been before: the same place, size, times and number on its disk."""
    entry = _remembered().get(str(path.resolve()))
    stamp = _stamp(path)
    if isinstance(entry, list) and entry[:-1] == stamp and isinstance(entry[-1], str):
        return entry[-1]
    digest = sha256(path)
    if _stamp(path) == stamp:
        remember(path, digest)
    return digest


def remember(path: Path, digest: str) -> None:
    """Note that the file at ``path`` has this sha256. Where nothing can be written it is computed again next time."""
    entries = _remembered()
    entries.pop(str(path.resolve()), None)
    entries[str(path.resolve())] = [*_stamp(path), digest]
    with suppress(OSError):
        write_text(_notes(), json.dumps(dict(list(entries.items())[-_MOST:]), indent=1))


def _notes() -> Path:
    return cache_folder() / "digests.json"


def _remembered() -> dict[str, object]:
    try:
        entries = json.loads(_notes().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _stamp(path: Path) -> list[int]:
    """What changes with the file, whoever sets its time of modification back."""
    about = path.stat()
    return [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino]

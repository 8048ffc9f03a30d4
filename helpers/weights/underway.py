"""What is under way to its place among the weights: it grows in ``.fetching/`` of the weights folder, by one process at a time.

Beside a part lie the server's mark of its version (``.etag``, ``.of``) and the lock of who writes it (``.lock``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers.files import explained
from helpers.weights.registry import Record, folder, human_size
from helpers.weights.web import DownloadError

FOLDER = ".fetching"


def stage(record: Record) -> Path:
    return folder() / FOLDER / record.group


def part(record: Record) -> Path:
    """Where a file grows."""
    return stage(record) / (record.path.replace("/", "-") + ".part")


def clear(path: Path) -> None:
    """Nothing lies at ``path`` but a file: what a link or a pipe leads to is not written to, and a folder is named."""
    if path.is_dir() and not path.is_symlink():
        raise DownloadError(f"{path} is a folder, in the way of a download. Move it away and run the same again.")
    if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
        path.unlink()


def note(path: Path) -> str:
    """What was noted beside a part, an empty string where that is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    return text if noted(text) else ""


def noted(text: str) -> bool:
    """Whether a server's mark of a version can be sent back to it."""
    return bool(re.fullmatch(r"[\x20-\x7e]{1,256}", text))


def partial_bytes(record: Record) -> int:
    return growing.stat().st_size if (growing := part(record)).exists() else 0


def kept(record: Record) -> str:
    have = partial_bytes(record)
    return f"{human_size(have)} of {record.path} are kept." if have else f"Nothing of {record.path} has arrived."


def tidy(record: Record) -> None:
    """Remove what a download without a part leaves behind, and the folders if nothing else is under way there."""
    growing = part(record)
    for path in (growing.with_suffix(".etag"), growing.with_suffix(".lock"), Path(f"{growing}.of")):
        with suppress(OSError):  # a folder, which was named
            path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty
        growing.parent.rmdir()
        growing.parent.parent.rmdir()


@contextmanager
def alone(record: Record) -> Iterator[None]:
    """Keeps others off the file that grows: whoever still had it open would go on writing after it has its name."""
    from filelock import FileLock, Timeout

    path = part(record).with_suffix(".lock")
    lock = FileLock(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        clear(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise DownloadError(
                f"{record.path} is being fetched already, by another notebook, panel or command. Wait for it, or stop it there."
            ) from None
    try:
        yield
    finally:
        lock.release()
        if not part(record).exists():
            tidy(record)

"""Files written whole or not at all, plain names for them, and a folder to oneself."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import socket
import stat
import tempfile
import time
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain, count
from pathlib import Path

from helpers import checks

PART = re.compile(r"\.part-([0-9a-f]{8})-(\d{1,9})-\w")
"""The names of files and folders that are being written: by which machine, and by which of its processes."""

_LONGEST, _LARGEST_NAME = 80, 150  # characters and bytes of a stem: with an ending, less than any file system takes
_RESERVED = re.compile(r"(con|prn|aux|nul|conin|conout|com\d|lpt\d)(?=\.|$)", re.I)  # devices of Windows, whatever the ending
_PATIENCE = 300.0  # seconds: a few saves in a row do not take as long
_DAY = 86400.0

_NO_SPACE = "Free some disk space or choose another folder."
_NOT_YOURS = "That folder cannot be written in: choose another, or change its permissions."
_IN_THE_WAY = "A file stands where a folder is needed: move it away or choose another folder."
_REMEDIES = {
    errno.ENOSPC: _NO_SPACE,
    getattr(errno, "EDQUOT", errno.ENOSPC): _NO_SPACE,
    errno.EACCES: _NOT_YOURS,
    errno.EPERM: _NOT_YOURS,
    errno.EROFS: _NOT_YOURS,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.EISDIR: "A folder stands where the file is to be: move it away or choose another name.",
    errno.ENAMETOOLONG: "Choose a shorter name, or a folder with a shorter path.",
    errno.ELOOP: "Symbolic links lead in a circle there: remove them or choose another folder.",
}

_LEAST_FREE = 20_000_000  # bytes: the pictures of a run


def slug(words: str, taken: Collection[str] = ()) -> str:
    """``words`` as the stem of a file that every system takes: letters, digits, ``.``, ``_`` and ``-``, at most 80, and none of ``taken``.

    It is no name of a device, no hidden file and no more than 150 bytes. Stems that differ in capitals alone are one on some disks, and
    count as one here.
    """
    text = unicodedata.normalize("NFKC", checks.called(words, "name"))
    text = "".join(c if c.isalnum() or c in "._-" or unicodedata.category(c)[0] == "M" else " " for c in text)
    stem = re.sub(" +", "-", text).strip("-.")
    while stem and unicodedata.category(stem[0])[0] == "M":  # a mark that would stand on what is before the name
        stem = stem[1:].lstrip("-.")
    stem = _RESERVED.sub(r"\1_", stem, count=1) if is_device(stem) else stem
    stem = (
        unicodedata.normalize("NFC", stem[:_LONGEST]).encode()[:_LARGEST_NAME].decode(errors="ignore").rstrip("-.") or "unnamed"
    )
    used = {other.casefold() for other in taken}
    return next(candidate for candidate in numbered(stem) if candidate.casefold() not in used)


def is_device(name: str) -> bool:
    """Whether Windows takes a file of this ``name`` for a device."""
    return _RESERVED.match(name) is not None


def numbered(stem: str) -> Iterator[str]:
    """``stem``, ``stem-2``, ``stem-3``, ..."""
    return chain([stem], (f"{stem}-{number}" for number in count(2)))


def told(path: str | Path) -> str:
    """``path`` as a message can show it, whatever bytes it is made of."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in str(path))


class NotWritten(OSError):
    """A file that could not be written: says which, why, and what to do."""


@contextlib.contextmanager
def explained(path: str | Path) -> Iterator[None]:
    """Errors of the system within, as a :class:`NotWritten` about ``path``."""
    try:
        yield
    except NotWritten:
        raise
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "Try again, or choose another folder.")
        raise NotWritten(f"{told(path)} could not be written ({error.strerror or error}). {remedy}") from error


def _require_name(path: Path) -> None:
    try:
        possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:  # half a character
        possible = False
    if not possible:
        raise NotWritten(f"{told(path)} could not be written: no file can have that name. Choose another.")


def require_place(path: Path) -> None:
    """Say of a ``path`` that no file can be renamed to that it is one, before anything is written."""
    _require_name(path)
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return  # making its folder says what is wrong, if anything is
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise NotWritten(f"{told(path)} could not be written: it is a pipe or a device. Choose another name.")


def require_writable(folder: Path, name: str) -> None:
    """Raise ``ValueError`` naming the parameter ``name`` where ``folder`` is neither there nor could be made, or cannot be written.

    Nothing is left there by the question.
    """
    remedy = "Choose another folder."
    try:
        there = next(place for place in (folder, *folder.parents) if place.exists() or place.is_symlink())
        nothing = there.is_symlink() and not there.exists()
        why = "" if there.is_dir() else f"{told(there)} is {'a link to nothing' if nothing else 'no folder'}"
        why = why or ("" if os.access(there, os.W_OK | os.X_OK) else f"{told(there)} is write-protected")
        if not why and (free := shutil.disk_usage(there).free) < _LEAST_FREE:
            why, remedy = (
                f"{free / 1e6:.0f} MB are free, a run needs {_LEAST_FREE / 1e6:.0f}",
                "Free some or choose another folder.",
            )
        if not why:
            with tempfile.TemporaryFile(prefix=part_prefix(), dir=there) as probe:  # a disk may be read-only, a quota spent
                probe.write(bytes(4096))
    except (OSError, RuntimeError) as error:  # links in a circle are the latter until Python 3.13
        why = getattr(error, "strerror", "") or str(error)
    if why:
        raise ValueError(f"{name}: {told(folder)} cannot be written ({why}). {remedy}")


def write_whole(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Call ``write(temporary)`` in the same folder and rename, so that ``path`` is never half-written.

    Where ``path`` is a symbolic link the link is replaced, and what it leads to stays. What a process that died while it wrote left in the
    folder goes. Raises ``OSError`` naming ``path`` and what to do.
    """
    path = Path(path)
    with explained(path):
        require_place(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(part for part in path.parent.glob(".part-*") if not part.is_dir())
        handle, temporary = tempfile.mkstemp(prefix=part_prefix(), suffix=path.suffix, dir=path.parent)
    part = Path(temporary)
    try:
        os.close(handle)
        with explained(path):
            write(part)
            umask = os.umask(0)
            os.umask(umask)
            part.chmod(0o666 & ~umask)  # mkstemp's 0600 would hide results from a classmate
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Write UTF-8 text whole or not at all."""
    return write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


# What a process that died leaves


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode(errors="replace")).hexdigest()[:8]


def part_prefix() -> str:
    return f".part-{_host()}-{os.getpid()}-"


def _abandoned(part: Path) -> bool:
    """Whether nobody writes ``part`` any more: its process is gone, or its name, which is of an older kind, has none."""
    import psutil  # only where something was left

    owner, touched = PART.match(part.name), part.lstat().st_mtime
    if owner is None:
        return not part.is_dir()
    if owner[1] != _host():  # another machine's, on a disk that is shared
        return time.time() - touched > _DAY
    try:
        process = psutil.Process(int(owner[2]))
        return process.status() == psutil.STATUS_ZOMBIE or process.create_time() > touched + 2  # the number was given again
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def _parts(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        yield from (Path(place, name) for name in (*folders, *names) if name.startswith(".part-"))
        folders[:] = [name for name in folders if not name.startswith(".part-")]


def has_parts(folder: str | Path) -> bool:
    """Whether files and folders ``.part-…`` are in ``folder``, at any depth."""
    return any(True for _ in _parts(Path(folder)))


def sweep(folder: str | Path, keep: Collection[str] = ()) -> None:
    """Remove the files and folders ``.part-…`` that dying processes left in ``folder``, at any depth, but those named in ``keep``."""
    _sweep([part for part in _parts(Path(folder)) if part.name not in keep])


def _sweep(parts: Iterable[Path]) -> None:
    for part in parts:
        with contextlib.suppress(OSError):
            if not _abandoned(part):
                continue
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part)
            else:
                part.unlink()


@contextlib.contextmanager
def locked(folder: str | Path, *, must: bool = True) -> Iterator[None]:
    """``folder`` to ourselves, among all processes that ask. must: an error where there can be no lock; else it is done without."""
    from filelock import FileLock, Timeout

    path = Path(folder) / ".lock"
    if must:
        _require_name(path)
        with explained(folder):
            path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=_PATIENCE)
    try:
        lock.acquire()
    except Timeout:
        raise NotWritten(
            f"{told(path)}: another process has been writing there for {_PATIENCE:.0f} seconds. Wait until it is done; "
            "if there is none, delete that file."
        ) from None
    except OSError:
        if must:
            with explained(path):
                raise
    except NotImplementedError:  # a disk without locks
        pass
    try:
        yield
    finally:
        lock.release()

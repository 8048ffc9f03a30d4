"""Saves of several files that are one act.

A save, such as a person with picture, joints and labels, goes in four steps, and a process may die between any two of them:

1. every file is written into a folder ``.part-…`` beside the others; until the next step the old save is what is read;
2. its manifest ``saved/KIND/NAME.json``, the paths and SHA-256 of all files, is renamed into place: now the new one is what is read;
3. the files are moved to where the manifest says, and those of the save that it replaces are removed;
4. the empty folder goes. As long as it is there, whoever reads finishes steps 3 and 4 first.

Files that no manifest lists are nobody's: they are neither read with a save nor touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers import checks, notes
from helpers.files import (
    PART,
    NotWritten,
    explained,
    has_parts,
    locked,
    numbered,
    part_prefix,
    require_place,
    slug,
    told,
    write_text,
)
from helpers.files import sweep as sweep_parts

MADE_BY = {"person": "01_generate", "garment": "03_try_on", "mask": "02_segment"}
"""The kinds of saves, and which notebook makes one anew."""


@dataclass(frozen=True)
class _Record:
    """What a manifest says. words: what the save was called; files: path below ``folder`` -> SHA-256; names: path -> the words its name
    was made of; staged: the folder in which files still are that were not moved; gone: path -> SHA-256 of what this save replaced."""

    folder: Path
    kind: str
    name: str
    words: str
    files: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)
    staged: str = ""
    gone: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return _manifest(self.folder, self.kind, self.name)

    @property
    def remedy(self) -> str:
        return f"Run {MADE_BY[self.kind]} again, or delete {told(self.path)} to take the files as they are."

    @classmethod
    def read(cls, folder: Path, path: Path) -> _Record:
        """Raises ``ValueError`` naming a manifest that is none."""
        kind, name = path.parent.name, path.stem
        remedy = f"Run {MADE_BY.get(kind, 'its notebook')} again, or delete that file to take the files as they are."
        note = notes.read(path, kind, remedy)
        staged = note.get("staged", "") if isinstance(note, dict) else None
        fits = (
            kind in MADE_BY
            and isinstance(note, dict)
            and isinstance(note.get("words"), str)
            and isinstance(staged, str)
            and (not staged or (PART.match(staged) and not set("/\\\0") & set(staged)))
            and all(_are_ours(note.get(part, {}), name) for part in ("files", "gone"))
            and note.get("files")
            and isinstance(note.get("names", {}), dict)
            and note.get("names", {}).keys() <= note["files"].keys()
            and all(isinstance(words, str) for words in note.get("names", {}).values())
        )
        if not fits:
            raise ValueError(f"{kind}: {told(path)} is no list of a save's files. {remedy}")
        pending = staged if staged and (folder / staged).is_dir() and not (folder / staged).is_symlink() else ""
        return cls(folder, kind, name, note["words"], note["files"], note.get("names", {}), pending, note.get("gone", {}))

    def where(self, file: str) -> Path:
        """Where ``file`` lies, perhaps not moved yet."""
        waiting = self.folder / self.staged / file
        return waiting if self.staged and waiting.is_file() else self.folder / file

    def verify(self) -> None:
        """Raises ``ValueError`` naming a file that is not this save's."""
        for file, expected in self.files.items():
            path = self.where(file)
            if not path.is_file():
                raise ValueError(f"{self.kind}: {told(path)} is missing. {self.remedy}")
            if _digest(path) != expected:
                raise ValueError(
                    f"{self.kind}: {told(path)} belongs to another save than the other files, or was changed. {self.remedy}"
                )


def _are_ours(files: Any, name: str) -> bool:
    """Whether these are paths and digests of files that a save called ``name`` can have."""

    theirs = re.compile(
        rf"(?!saved/)[\w-]+/(?:{re.escape(name)}(?:_keypoints|_rendered)?|{re.escape(name)}/(?!\.)[^/\\:\0]+)\.(?:jpg|png|json|txt)"
    )

    def ours(path: str, digest: object) -> bool:
        return bool(theirs.fullmatch(path) and re.fullmatch(r"[0-9a-f]{64}", str(digest)))

    return isinstance(files, dict) and all(ours(path, digest) for path, digest in files.items())


def _manifest(folder: Path, kind: str, name: str) -> Path:
    return folder / "saved" / kind / f"{name}.json"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def name_of(folder: str | Path, kind: str, words: str) -> str:
    """The stem under which ``words`` are saved in ``folder``, or would be: no other words have it, whatever their capitals."""
    folder, plain = Path(folder), slug(words)
    there = {path.stem.casefold(): path for path in (folder / "saved" / kind).glob("*.json")}
    for stem in numbered(plain):
        path = there.get(stem.casefold())
        if path is None:
            return stem
        try:
            if _same_words(_Record.read(folder, path).words, words):
                return path.stem
        except ValueError:  # nobody's any more: it may be replaced
            return path.stem
    raise AssertionError("numbers do not end")


def find(folder: str | Path, kind: str, words: str) -> str:
    """The stem under which to look for ``words``, which may be a stem itself."""
    name = name_of(folder, kind, words)
    return words if not is_saved(folder, kind, name) and slug(words) == words and is_saved(folder, kind, words) else name


def _same_words(one: str, other: str) -> bool:
    one, other = (unicodedata.normalize("NFC", notes.plain(words, "words")) for words in (one, other))
    return one == other


@dataclass(frozen=True)
class Draft:
    """A save that is being written. ``name`` is the stem of its files."""

    folder: Path
    name: str
    stage: Path
    names: dict[str, str] = field(default_factory=dict)

    def file(self, *parts: str, words: str | None = None) -> Path:
        """Where to write the file that will be ``folder/PARTS``. words: what its name was made of, where it is not the save's."""
        if words is not None:
            self.names["/".join(parts)] = words
        return self.stage.joinpath(*parts)


@contextlib.contextmanager
def save(folder: str | Path, kind: str, words: str) -> Iterator[Draft]:
    """Within, write files to :meth:`Draft.file`; at the end they become the save ``words`` of this ``kind``, all or none.

    Raises ``OSError`` or ``ValueError`` naming the file that cannot be written; the former save is then as it was.
    """
    folder, words = checks.path(folder, "folder"), checks.called(words, "name")
    with locked(folder):
        draft = Draft(folder, name_of(folder, kind, words), folder / f"{part_prefix()}{secrets.token_hex(4)}")
        try:
            with explained(folder):
                draft.stage.mkdir()
            yield draft
            _settle(folder, _commit(draft, kind, words))
        except BaseException as error:
            if draft.stage.name != _staged(folder, kind, draft.name):
                shutil.rmtree(draft.stage, ignore_errors=True)
            if isinstance(error, NotWritten):  # the place is told, not the way there
                raise NotWritten(str(error).replace(f"{draft.stage.name}{os.sep}", "")) from error
            raise


def _staged(folder: Path, kind: str, name: str) -> str:
    """Where the files of a save wait that was decided and not yet settled."""
    try:
        return _Record.read(folder, _manifest(folder, kind, name)).staged
    except (OSError, ValueError):
        return ""


def _commit(draft: Draft, kind: str, words: str) -> _Record:
    """Write the manifest of what lies in the draft's folder, after all that can fail."""
    folder = draft.folder
    written = sorted(path for path in draft.stage.rglob("*") if path.is_file())
    files = {path.relative_to(draft.stage).as_posix(): _digest(path) for path in written}
    try:
        old = _Record.read(folder, _manifest(folder, kind, draft.name))
    except (OSError, ValueError):  # none, or none that can be read
        old = None
    before = {} if old is None else {**old.gone, **old.files}
    gone = {file: digest for file, digest in before.items() if file not in files}
    record = _Record(folder, kind, draft.name, words, files, draft.names, draft.stage.name, gone)
    for path in (*(folder / file for file in files), record.path):
        if not _is_inside(path.parent, folder):
            raise ValueError(
                f"{told(path)} lies outside {told(folder)}: a symbolic link leads there. Remove it or choose another folder."
            )
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            require_place(path)
    parts = ("words", "files", "names", "staged", "gone")
    write_text(record.path, json.dumps({part: notes.plain(getattr(record, part), part) for part in parts}, indent=1))
    if old is not None and old.staged:
        shutil.rmtree(folder / old.staged, ignore_errors=True)
    return record


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether no symbolic link leads from ``folder`` out to ``path``."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _settle(folder: Path, record: _Record) -> None:
    """Move what waits to its place and remove what was replaced, as often as it takes."""
    stage = folder / record.staged
    for file in record.files:
        target = folder / file
        if (stage / file).is_file() and _is_inside(target.parent, folder):
            with explained(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(stage / file, target)
    for file, digest in record.gone.items():
        path = folder / file
        with contextlib.suppress(OSError):  # the manifest does not list it: it is not read any more
            if path.is_file() and _is_inside(path, folder) and _digest(path) == digest:
                path.unlink()
                if path.parent.name == record.name:
                    path.parent.rmdir()
    shutil.rmtree(stage, ignore_errors=True)


@dataclass(frozen=True)
class Saved:
    """A save that is whole: exactly the files that its manifest lists. ``words`` are what it was called."""

    record: _Record

    @property
    def words(self) -> str:
        return self.record.words

    @property
    def remedy(self) -> str:
        return self.record.remedy

    def find(self, *candidates: str) -> Path | None:
        """The first of these files that belongs to the save."""
        return next((self.record.where(file) for file in candidates if file in self.record.files), None)

    def within(self, folder: str) -> dict[str, Path]:
        """The files below ``folder``, by the words that their names were made of."""
        files = [file for file in {**self.record.names, **self.record.files} if file.startswith(f"{folder}/")]
        return {self.record.names.get(file, Path(file).stem): self.record.where(file) for file in files}


def is_saved(folder: str | Path, kind: str, name: str) -> bool:
    """Whether there is a save with this stem, whole or not."""
    return os.path.lexists(_manifest(Path(folder), kind, name))


@contextlib.contextmanager
def saved(folder: str | Path, kind: str, name: str) -> Iterator[Saved | None]:
    """The save with this stem, to be read within while nobody writes; ``None`` where there is none.

    Raises ``ValueError`` naming a file that is missing or belongs to another save, and what to do.
    """
    folder = Path(folder)
    if not is_saved(folder, kind, name):
        yield None
        return
    with locked(folder, must=False):
        record = _Record.read(folder, _manifest(folder, kind, name))
        if record.staged:
            with contextlib.suppress(OSError):  # where nothing can be moved it is read where it waits
                _settle(folder, record)
        record.verify()
        yield Saved(record)


def sweep(folder: str | Path) -> None:
    """Finish the saves in ``folder`` that a dying process left after the second step, and remove whatever else such left unfinished."""
    folder, waiting = Path(folder), set()
    if not has_parts(folder):  # nothing is touched, not even for a lock
        return
    with locked(folder, must=False):
        for path in folder.glob("saved/*/*.json"):
            with contextlib.suppress(OSError, ValueError):  # whoever reads that save is told
                record = _Record.read(folder, path)
                if record.staged:
                    waiting.add(record.staged)
                    _settle(folder, record)
        sweep_parts(folder, waiting)

"""The published files: what there are (``weights/manifest.toml``), whether they are here, and where.

``find``, ``here`` and ``require`` never touch the network; ``downloads`` does. Reading and fitting is in ``checkpoints``, the comparison
with what was published, whatever is known of it, in ``verify``.
"""

from __future__ import annotations

import os
import re
import shlex
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from helpers import checks
from helpers.weights import digests
from helpers.weights.checkpoints import convert
from helpers.weights.formats import KINDS, Damaged, check, read_json

if TYPE_CHECKING:
    import torch

_PROJECT = Path(__file__).resolve().parents[2]
_DEEPEST = 4  # folders below the weights folder that are searched for a file by its name
_FREE = ("free to use, commercially too", "commercial use allowed")
TINY = "tiny-networks.json"
"""In a weights folder: which files there :mod:`helpers.testing` made, and how large each was."""
_SHORT = {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32"}


class Missing(FileNotFoundError):
    """A published file is not here."""


@dataclass(frozen=True)
class Record:
    """One published file.

    name:      ``GROUP``, or ``GROUP/PART`` where the group has several files
    path:      below the weights folder
    hub:       (repository, revision, name there), or url, or drive (id), or package (requirement, name in its wheel): where it comes from
    elsewhere: addresses that have the same file, tried in turn where the package cannot be had: ``URL``, or ``URL#NAME`` in an archive
    bytes, sha256: of the published file, 0 and empty where not known; hash: ``established``, ``unsure`` or ``none``
    kind:      ``torch``, ``safetensors``, ``onnx``, ``tflite``, ``pickle``, ``json`` or ``text``
    """

    name: str
    group: str
    path: str
    kind: str
    hub: tuple[str, str, str] | None = None
    url: str = ""
    drive: str = ""
    package: tuple[str, str] | None = None
    elsewhere: tuple[str, ...] = ()
    bytes: int = 0
    sha256: str = ""
    hash: str = "none"
    licence: str = ""
    terms: str = ""
    commercial: bool = True

    @property
    def source(self) -> str:
        """Where it comes from, for people."""
        if self.hub:
            return f"huggingface.co/{self.hub[0]} {self.hub[2]}"
        if self.package:
            return f"{self.package[0]} of the package index"
        return self.url or f"drive.google.com, id {self.drive}"


@dataclass(frozen=True)
class Group:
    """Files that are fetched and used together; ``needs`` are groups without which they are of no use."""

    name: str
    summary: str
    licence: str
    terms: str
    commercial: bool
    records: tuple[Record, ...]
    needs: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Known bytes of all files."""
        return sum(r.bytes for r in self.records)

    @property
    def brief(self) -> str:
        """The licence in a few words, with what it forbids or asks for where it is not free for every use."""
        name, terms = self.licence.partition(" (")[0], self.terms.partition(";")[0]
        return name if terms in _FREE else f"{name}: {terms}"


def human_size(number: float) -> str:
    """``number`` of bytes for people, in powers of ten as disks are sold."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= scale:
            return f"{number / scale:.{2 if unit == 'GB' else 0}f} {unit}"
    return f"{number:.0f} B"


def use(path: str | Path) -> Path:
    """Take weights from ``path``, a folder that is there, in this process and those it starts (sets ``ATELIER_WEIGHTS``).

    The files may lie as the manifest says, or anywhere in it by the names they were published under.
    Raises ``ValueError`` where there is no such folder.
    """
    path = _place("weights_folder", path)
    if not path.is_dir():
        raise ValueError(f"weights_folder: there is no folder {path}. Name one that holds checkpoints, or make it first.")
    os.environ["ATELIER_WEIGHTS"] = str(path)
    return path


def _place(name: str, path: str | Path) -> Path:
    """``path``, which the variable or parameter ``name`` gives, from the root. Raises ``ValueError`` where it can be none."""
    try:
        if not str(path).strip() or re.search(r"[\x00-\x1f\x7f]", str(path)):
            raise ValueError("it is empty" if not str(path).strip() else "it holds characters that no name has")
        place = Path(path).expanduser().resolve()
        place.is_dir()
        return place
    except (ValueError, TypeError, RuntimeError, OSError) as error:  # characters, length, links in a circle, nobody's home
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"{name}: a folder is wanted, not {checks.shown(path)} ({why}).") from None


def folder() -> Path:
    """Where weights lie: ``ATELIER_WEIGHTS`` if set, else ``weights/`` of the project, else ``~/.cache/atelier/weights``.

    Raises ``ValueError`` where ``ATELIER_WEIGHTS`` names something else than a folder.
    """
    if chosen := os.environ.get("ATELIER_WEIGHTS"):
        path = _place("ATELIER_WEIGHTS", chosen)
        if os.path.lexists(path) and not path.is_dir():
            raise ValueError(f"ATELIER_WEIGHTS: {path} is not a folder. Name one that holds checkpoints, or unset it.")
        return path
    here = Path.cwd()
    for root in (*(p for p in (here, *here.parents) if (p / "weights" / "manifest.toml").exists()), _PROJECT):
        if (root / "weights" / "manifest.toml").exists() and os.access(root / "weights", os.W_OK):
            return root / "weights"
    return Path("~/.cache/atelier/weights").expanduser()


def others_welcome() -> bool:
    """Whether ``ATELIER_OTHER_WEIGHTS`` says that checkpoints other than the published ones are meant."""
    return os.environ.get("ATELIER_OTHER_WEIGHTS", "").strip().lower() in ("1", "true", "yes", "on")


def groups() -> dict[str, Group]:
    """Every group of the manifest, by name."""
    return _read(manifest())


def manifest() -> Path:
    """Where ``manifest.toml`` lies: in the project, or with the package where it was installed without the project around it."""
    path = _PROJECT / "weights" / "manifest.toml"
    if path.exists():
        return path
    return Path(next(f for f in metadata.files("atelier-notebooks") or () if f.name == "manifest.toml").locate())


@cache
def _read(path: Path) -> dict[str, Group]:
    """The groups in a manifest. Raises ``ValueError`` naming the file and what is wrong in it."""
    where = "the file"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        found = {}
        for name, table in tables.items():
            where = f"[{name}]"
            found[name] = _group(name, table)
    except KeyError as error:
        raise ValueError(f"{path}: {where} lacks {error}.") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: {where} cannot be read ({error}).") from None
    return found


def _group(name: str, table: dict[str, Any]) -> Group:
    about = {key: table[key] for key in ("licence", "terms")} | {"commercial": table.get("commercial", True)}
    files = []
    for entry in table["files"]:
        path = entry["path"]
        hub = None
        if "hub" in table and not {"url", "drive"} & entry.keys():
            hub = (table["hub"], table["revision"], entry.get("source", path))
        record = Record(
            name=name if len(table["files"]) == 1 else f"{name}/{path}",
            group=name,
            path=f"{table['folder']}/{path}",
            kind=KINDS.get(Path(path).suffix, ""),
            hub=hub,
            package=(table["package"], entry["member"]) if "package" in table else None,
            elsewhere=tuple(entry.get("else", ())),
            **{key: entry[key] for key in ("url", "drive", "bytes", "sha256", "hash") if key in entry},
            **about,
        )
        if problem := _problem(record):
            raise ValueError(f"{path!r}: {problem}")
        files.append(record)
    needs = tuple(table.get("needs", ()))
    return Group(name, table["summary"], records=tuple(files), needs=needs, **about)


def _problem(record: Record) -> str:
    """What in ``record`` can be no published file; empty where nothing is."""
    for path in (record.path, record.group, *(record.hub or ())[2:]):
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts or path.startswith(("/", "~")) or re.search(r"[\x00-\x1f\\:]", path):
            return f"{path!r} is no place below a folder"
    if record.kind not in KINDS.values():
        return f"a name ends with one of {', '.join(KINDS)}"
    for url in (record.url, *record.elsewhere):
        if url and not (isinstance(url, str) and re.fullmatch(r"https?://[^\s@]+", url)):
            return f"{url!r} is no address on the web"
    if record.package and not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9.]+", record.package[0]):
        return f"package {record.package[0]!r} is no name and version (mediapipe==0.10.21)"
    if not (record.hub or record.url or record.drive or record.package):
        return "it comes from nowhere (hub, url, drive or package)"
    if type(record.bytes) is not int or record.bytes < 0:
        return f"bytes is a whole number, not {record.bytes!r}"
    if record.hash not in ("established", "unsure", "none") or not re.fullmatch(r"([0-9a-f]{64})?", record.sha256):
        return "hash is established, unsure or none, and sha256 has 64 hexadecimal digits"
    return ""


def group(name: str) -> Group:
    """The group called ``name``. Raises ``ValueError`` listing those there are."""
    if name not in groups():
        raise ValueError(f"weights are one of {', '.join(groups())}, not {name!r}.")
    return groups()[name]


def records(name: str | None = None) -> tuple[Record, ...]:
    """Every record, or those of a group, or the one of that name. Raises ``ValueError`` for a name that there is not."""
    if name is None:
        return tuple(r for each in groups().values() for r in each.records)
    if name in groups():
        return groups()[name].records
    if found := tuple(r for r in records() if r.name == name):
        return found
    raise ValueError(f"weights: there is no {name!r}. Groups: {', '.join(groups())}; a file is GROUP/PATH.")


def record(name: str) -> Record:
    """The one record of that name. Raises ``ValueError`` for a name that there is not, and for a group of several files."""
    found = records(name)
    if len(found) > 1:
        raise ValueError(f"weights: {name!r} has {len(found)} files, one is wanted: {', '.join(r.name for r in found)}.")
    return found[0]


def find(name: str) -> Path | None:
    """Where the file of record ``name`` lies, or ``None``: in the weights folder, or in the hub's cache (``HF_HOME``).

    A file whose name says enough may lie anywhere in the weights folder, some folders deep.
    """
    wanted = record(name)
    base = folder()
    places = [base / wanted.path]
    if wanted.hub:
        places.append(base / wanted.path.partition("/")[0] / wanted.hub[2])
    if found := next((p for p in places if os.path.isfile(p)), None) or _in_hub_cache(wanted):
        return found
    filename = Path(wanted.path).name
    if sum(Path(r.path).name == filename for r in records()) > 1:
        return None
    return next((p for p in _files(base) if p.name == filename), None)


def _files(base: Path, depth: int = _DEEPEST, seen: set[str] | None = None) -> Iterator[Path]:
    """Files in ``base``, nearest first; hidden folders, where downloads are under way, are passed over, and links that lead back."""
    seen = set() if seen is None else seen
    real = os.path.realpath(base)
    try:
        entries = sorted(os.scandir(base), key=lambda entry: entry.name) if real not in seen else []
    except OSError:
        return
    seen.add(real)
    yield from (Path(e.path) for e in entries if os.path.isfile(e.path))
    if depth:
        for entry in entries:
            if not entry.name.startswith(".") and os.path.isdir(entry.path):
                yield from _files(Path(entry.path), depth - 1, seen)


def _in_hub_cache(record: Record) -> Path | None:
    home = os.environ.get("HF_HUB_CACHE") or str(Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser() / "hub")
    if record.hub is None or not (Path(home) / f"models--{record.hub[0].replace('/', '--')}").is_dir():
        return None
    from huggingface_hub import try_to_load_from_cache

    repository, revision, file = record.hub
    found = try_to_load_from_cache(repository, file, cache_dir=home, revision=revision)
    return Path(found) if isinstance(found, str) else None


def here(name: str) -> bool:
    """Whether every file of a group (or the one record) is there; placeholders are not, nor what :func:`require` would refuse at sight."""
    for each in records(name):
        own = find(each.name)
        path = own or _converted_alone(each)
        if path is None or (own and _settled(each) and own.stat().st_size != each.bytes):
            return False
        try:
            check(path, KINDS.get(path.suffix, each.kind))
        except Damaged:
            return False
    return True


def tiny(name: str) -> bool:
    """Whether a file of a group (or the one record) is none of the published but a small one that :mod:`helpers.testing` made."""
    try:
        made = read_json(folder() / TINY)
    except (FileNotFoundError, Damaged):
        return False
    there = [folder() / each.path for each in records(name) if each.path in made]
    return any(path.is_file() and path.stat().st_size == made[str(path.relative_to(folder()))] for path in there)


def as_folder(record: Record) -> Path | None:
    """The checkpoint of ``record`` as a folder of diffusers' layout beside where the file would lie, if there is one."""
    path = (folder() / record.path).with_suffix("")
    return path if (path / "model_index.json").is_file() else None


def require(name: str) -> Path:
    """The file of record ``name``, there, looking whole, and the published one where its hash is established; that is computed once.

    Raises ``Missing`` or ``Damaged`` with the command that mends it. ``ATELIER_OTHER_WEIGHTS=1`` takes another checkpoint as it is.
    """
    wanted = record(name)
    path = find(wanted.name)
    remedy = f"python -m helpers weights fetch {wanted.group}"
    if path is None and (path := _converted_alone(wanted)):
        return check(path, "safetensors", remedy=f"Delete it and run: {remedy}")
    if path is None and os.path.lexists(place := folder() / wanted.path):  # a folder, a pipe, a link to nowhere
        path = place
    if path is None:
        raise Missing(
            f"{wanted.path} is not in {folder()}. It comes from {wanted.source} ({wanted.licence}: {wanted.terms}). "
            f"Fetch it with: {remedy}. Or point ATELIER_WEIGHTS to a folder that has it.{_in_archive(wanted)}"
        )
    try:
        check(path, wanted.kind, remedy=f"Delete it and fetch it again: {remedy}")
    except FileNotFoundError:
        raise Missing(f"{path} is a link to a file that is not there. Delete it and run: {remedy}") from None
    if _settled(wanted):
        _require_published(path, wanted, remedy)
    return path


def _in_archive(record: Record) -> str:
    """What to do where an archive in the weights folder has the file, as a drive gives several; empty where none has."""
    for path in _files(folder()):
        if path.suffix.lower() == ".zip":
            try:
                with zipfile.ZipFile(path) as archive:
                    names = archive.namelist()
            except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
                continue
            if any(PurePosixPath(name).name == Path(record.path).name for name in names):
                return f" {path} holds one of that name: python -m helpers weights unpack {shlex.quote(str(path))}"
    return ""


def _settled(record: Record) -> bool:
    """Whether a file that is not the published one is refused."""
    return record.hash == "established" and not others_welcome()


def _require_published(path: Path, record: Record, remedy: str) -> None:
    actual = path.stat().st_size
    what = f"has {actual} bytes, the published one {record.bytes}" if actual != record.bytes else ""
    if not what and (digest := digests.known(path)) != record.sha256:
        what = f"has sha256 {digest}, the published one {record.sha256}"
    if what:
        raise Damaged(
            f"{path} is not the published file: it {what}. Delete it and fetch it again: {remedy}. Where you mean another checkpoint, "
            "whose origin you know, set ATELIER_OTHER_WEIGHTS=1, which takes files as they are."
        )


def _converted_alone(record: Record) -> Path | None:
    """The file in 16 bits where the published one, twice as large, has been deleted since."""
    if record.kind not in ("torch", "safetensors"):
        return None
    place = folder() / record.path
    return next((p for s in ("fp16", "bf16") if (p := place.with_name(f"{place.stem}.{s}.safetensors")).is_file()), None)


def converted(name: str, dtype: torch.dtype) -> Path:
    """The file of record ``name`` in 16 bits as safetensors, made on first use: beside the published one, or in the weights folder where
    that one lies in the hub's cache, which is not ours to fill.

    Where only the converted file is there it is enough.
    """
    path = find(name)
    short = _SHORT[str(dtype).removeprefix("torch.")]
    source = path if path is not None and path.is_relative_to(folder()) else folder() / record(name).path
    target = source.with_name(f"{source.stem}.{short}.safetensors")
    if not target.exists() or (path is not None and target.stat().st_mtime < path.stat().st_mtime):
        source = require(name)
        print(f"converting {source.name} to {short} once: {target}")
        convert(source, target, dtype)
    return check(target, "safetensors", remedy="Delete it; it is made again from the published file.")

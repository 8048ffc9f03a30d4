"""What is here of the published files: a table of the groups, and the comparison with what was published."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from helpers import engines, weights

_CHUNK = 1 << 22  # bytes read at a time


@dataclass(frozen=True)
class Verdict:
    """What a comparison with the published file came to.

    state: ``same`` (size and sha256), ``plausible`` (whole, but no hash is known), ``converted`` (to 16 bits, here), ``differs`` from
           what was published, ``damaged`` or ``missing``
    sure:  False where what is known of the published file is not well established, so that ``differs`` is a warning
    """

    record: weights.Record
    state: str
    text: str
    sure: bool = True

    @property
    def good(self) -> bool:
        """Whether the file may be used without a second thought."""
        return self.state in ("same", "plausible", "converted") or (self.state == "differs" and not self.sure)


def size(number: int) -> str:
    """``number`` of bytes for people, in powers of ten as disks are sold."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= scale:
            return f"{number / scale:.{2 if unit == 'GB' else 0}f} {unit}"
    return f"{number} B"


def rows() -> list[dict[str, Any]]:
    """One row a group of weights: what it is for, how large, whose licence, whether it is here and whether this machine can use it."""
    return [
        {
            "weights": group.name,
            "engine": ", ".join(f"{e.stage} {e.name}" for e in users(group.name)),
            "what": group.summary,
            "files": len(group.records),
            "size": _group_size(group),
            "licence": f"{group.licence}: {group.terms}",
            "here": presence(group.name),
            "fits this machine": fits(group.name),
        }
        for group in weights.groups().values()
    ]


def engine_rows() -> list[dict[str, Any]]:
    """One row an engine: what it does and needs, whose licence, whether it can run here and whether ``auto`` takes it."""
    return [
        {
            "stage": engine.stage,
            "engine": engine.name,
            "variants": ", ".join(engine.variants),
            "what it does": engine.summary,
            "needs": engine.machine,
            "weights": ", ".join(engine.groups()) or "none",
            "licence": engine.licence,
            "weights here": _engine_presence(engine),
            "fits this machine": "yes" if engine.fits() else f"no{_to_install(engine)}",
            "auto": "yes" if is_auto(engine) else "",
        }
        for engine in engines.ENGINES
    ]


def _engine_presence(engine: engines.Engine) -> str:
    """``embedded``, the variants whose files are all here, ``yes`` or ``no``."""
    if engine.embedded:
        return "embedded"
    return ", ".join(engine.variants_here()) or ("no" if engine.here() is None else "yes")


def users(group: str) -> list[engines.Engine]:
    """The engines that need ``group``."""
    return [engine for engine in engines.ENGINES if group in engine.groups()]


def is_auto(engine: engines.Engine) -> bool:
    """Whether ``engine="auto"`` takes it here; a stage without an embedded engine may have none that can run."""
    try:
        return engines.find(engine.stage) == engine
    except weights.Missing:
        return False


def _group_size(group: weights.Group) -> str:
    unknown = any(not r.bytes and r.kind not in ("json", "text") for r in group.records)
    if not group.bytes:
        return "not recorded" if unknown else "under 1 MB"
    return ("over " if unknown else "") + size(group.bytes)


def presence(group: str) -> str:
    """``here``, ``missing``, ``3 of 14 files``, what is damaged, or that the files differ from the published ones in size."""
    states = [compare(record, contents=False) for record in weights.records(group)]
    if bad := next((v for v in states if v.state == "damaged"), None):
        return f"damaged: {Path(bad.record.path).name} {bad.text}"
    there = [v for v in states if v.state != "missing"]
    if not there:
        return "missing"
    if len(there) < len(states):
        return f"{len(there)} of {len(states)} files"
    return "here, not the published size" if any(v.state == "differs" for v in states) else "here"


def fits(group: str) -> str:
    """Whether this machine can run an engine that needs ``group``: ``yes``, or what it lacks."""
    needing = users(group)
    if any(engine.fits() for engine in needing):
        return "yes"
    lacks = [f"no{_to_install(engine) or f': {engine.name} needs {engine.machine}'}" for engine in needing]
    return "; ".join(lacks) or "nothing uses it"


def _to_install(engine: engines.Engine) -> str:
    missing = [package for package in engine.packages if find_spec(package) is None]
    return f": install {', '.join(missing)}" if missing else ""


def compare(record: weights.Record, contents: bool = True, progress: type[tqdm] | None = tqdm) -> Verdict:
    """Compare a record's file with what was published: structure, size and, with ``contents``, sha256."""
    path = weights.find(record.name)
    if path is None:
        if weights.here(record.name):
            return Verdict(record, "converted", "only the 16-bit file made from it is here")
        return Verdict(record, "missing", f"is not in {weights.folder()}")
    return compare_file(path, record, contents, progress)


def compare_file(
    path: Path, record: weights.Record, contents: bool = True, progress: type[tqdm] | None = tqdm, digest: str = ""
) -> Verdict:
    """:func:`compare` for a file at ``path``, whatever its name, that should be the one of ``record``.

    digest: the file's sha256 where it has been computed already
    """
    actual, sure = path.stat().st_size, record.hash == "established"
    try:
        weights.check(path, record.kind, remedy="")
    except weights.Damaged as error:
        short = f" of {record.bytes}" if record.bytes and actual < record.bytes and str(record.bytes) not in str(error) else ""
        text = str(error).removeprefix(f"{path} ").rstrip(". ")
        return Verdict(record, "damaged", text + (f" (published: {record.bytes} bytes)" if short else ""))
    if record.bytes and actual != record.bytes:
        known = "cut short or another file" if actual < record.bytes else "another file"
        return Verdict(record, "differs", f"has {actual} bytes, the published one {record.bytes}: {known}", sure)
    if not record.sha256:
        known = (
            f"{actual} bytes, as published; no hash is known"
            if record.bytes
            else f"{actual} bytes; neither size nor hash is known"
        )
        return Verdict(record, "plausible", known)
    if not contents:
        return Verdict(record, "plausible", f"{actual} bytes, as published; its hash was not computed")
    digest = digest or sha256(path, progress)
    if digest == record.sha256:
        return Verdict(record, "same", f"{actual} bytes, sha256 as published")
    known = "which is well established" if sure else "which is recorded too rarely to be sure of"
    return Verdict(record, "differs", f"has sha256 {digest}, not {record.sha256}, {known}", sure)


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

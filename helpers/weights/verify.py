"""The comparison of a file that is here with what was published: its structure, its size, its sha256."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from helpers.weights import registry
from helpers.weights.digests import remember, sha256
from helpers.weights.formats import Damaged, check
from helpers.weights.registry import Record

_ROUGHLY = 2
"""Times the published size, or a part of it: beyond that a file cannot be right, however thinly its size is established."""


@dataclass(frozen=True)
class Verdict:
    """What a comparison with the published file came to.

    state: ``same`` (size and sha256), ``plausible`` (whole, but no hash is known), ``converted`` (to 16 bits, here), ``differs`` from
           what was published, ``damaged`` or ``missing``
    sure:  False where what is known of the published file is not well established, so that ``differs`` is a warning
    """

    record: Record
    state: str
    text: str
    sure: bool = True

    @property
    def good(self) -> bool:
        """Whether the file may be used without a second thought."""
        return self.state in ("same", "plausible", "converted") or (self.state == "differs" and not self.sure)


def compare(record: Record, contents: bool = True, progress: type[tqdm] | None = tqdm) -> Verdict:
    """Compare a record's file with what was published: structure, size and, with ``contents``, sha256."""
    path = registry.find(record.name)
    if path is None:
        if registry.here(record.name):
            return Verdict(record, "converted", "only the 16-bit file made from it is here")
        return Verdict(record, "missing", f"is not in {registry.folder()}")
    return compare_file(path, record, contents, progress)


def compare_file(
    path: Path, record: Record, contents: bool = True, progress: type[tqdm] | None = tqdm, digest: str = ""
) -> Verdict:
    """:func:`compare` for a file at ``path``, whatever its name, that should be the one of ``record``.

    digest: the file's sha256 where it has been computed already
    """
    actual, sure = path.stat().st_size, record.hash == "established"
    try:
        check(path, record.kind, remedy="")
    except Damaged as error:
        short = f" of {record.bytes}" if record.bytes and actual < record.bytes and str(record.bytes) not in str(error) else ""
        text = str(error).removeprefix(f"{path} ").rstrip(". ")
        return Verdict(record, "damaged", text + (f" (published: {record.bytes} bytes)" if short else ""))
    if record.bytes and actual != record.bytes:
        sure = sure or not 1 / _ROUGHLY <= actual / record.bytes <= _ROUGHLY
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
    if not digest:
        remember(path, digest := sha256(path, progress))
    if digest == record.sha256:
        return Verdict(record, "same", f"{actual} bytes, sha256 as published")
    known = "which is well established" if sure else "which is recorded too rarely to be sure of"
    return Verdict(record, "differs", f"has sha256 {digest}, not {record.sha256}, {known}", sure)


def presence(group: str) -> str:
    """``here``, ``missing``, ``3 of 14 files``, what is damaged, or that the files are tiny test networks or differ from the published ones
    in size."""
    states = [compare(record, contents=False) for record in registry.records(group)]
    if bad := next((v for v in states if v.state == "damaged"), None):
        return f"damaged: {Path(bad.record.path).name} {bad.text}"
    there = [v for v in states if v.state != "missing"]
    if not there:
        return "missing"
    if len(there) < len(states):
        return f"{len(there)} of {len(states)} files"
    if registry.tiny(group):
        return "here, tiny test networks"
    return "here, not the published size" if any(v.state == "differs" for v in states) else "here"

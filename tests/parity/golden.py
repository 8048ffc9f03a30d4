"""Golden cases: inputs and outputs of the published networks under reproducible weights.

``GOLDEN_DIR`` chooses the folder, else ``tests/golden``. A case is ``FAMILY/CASE.safetensors`` and ``CASE.json``, either of them
also as ``.gz``; a large case's tensors are spread over ``CASE.1.safetensors``, ``CASE.2.safetensors``, ... Weights are not stored:
``values`` makes them from a parameter's name and shape.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import torch as safetensors

FOLDER = Path(os.environ.get("GOLDEN_DIR") or Path(__file__).resolve().parents[1] / "golden")


def cases(family: str, prefix: str = "") -> list[str]:
    """Names of the cases of ``family`` whose names begin with ``prefix``; fails where there is none, so that no test is empty."""
    found = sorted({f.name.split(".")[0] for f in (FOLDER / family).glob(f"{prefix}*.json*")})
    if not found:
        raise FileNotFoundError(f"GOLDEN_DIR: {FOLDER / family} holds no case {prefix}*.json.")
    return found


def load_json(family: str, case: str) -> dict[str, Any]:
    """The description of a case."""
    return json.loads(_read(FOLDER / family / f"{case}.json"))


def load(family: str, case: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The description of a case and its tensors."""
    files = sorted({f.name.removesuffix(".gz") for f in (FOLDER / family).glob(f"{case}.*safetensors*")})
    tensors = {name: tensor for file in files for name, tensor in safetensors.load(_read(FOLDER / family / file)).items()}
    return load_json(family, case), tensors


def _read(path: Path) -> bytes:
    packed = path.with_name(path.name + ".gz")
    return gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()


def values(name: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """float32 numbers for the parameter ``name``; they depend on name, shape and seed alone."""
    rng = np.random.Generator(np.random.Philox(key=zlib.crc32(name.encode()) + (seed << 32)))
    x = rng.standard_normal(shape, dtype=np.float32)
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "running_var":
        return 1 + 0.1 * np.abs(x)
    if leaf in ("running_mean", "bias"):
        return 0.1 * x
    if len(shape) <= 1:
        return 1 + 0.1 * x if leaf == "weight" else 0.1 * x
    return x / math.sqrt(math.prod(shape[1:]))


@torch.no_grad()
def fill(module: torch.nn.Module, seed: int = 0, gain: float | list[tuple[str, float]] = 1.0) -> torch.nn.Module:
    """Overwrite every float of ``module``'s state in place; returns it in eval mode.

    gain: factor on every entry of more than one dimension, or [(part of a name, factor), ...]
    """
    for name, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            continue
        filled = torch.from_numpy(values(name, tuple(tensor.shape), seed))
        if tensor.ndim > 1:
            filled *= gain if isinstance(gain, int | float) else math.prod(f for part, f in gain if part in name)
        tensor.copy_(filled)
    return module.eval()


def noise(name: str, *shape: int, seed: int = 0) -> torch.Tensor:
    """Standard-normal float32 input called ``name``."""
    rng = np.random.Generator(np.random.Philox(key=zlib.crc32(("input:" + name).encode()) + (seed << 32)))
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def recipe(words: str) -> torch.Tensor:
    """The tensor that a json's ``noise('name', 1, 2, seed=0)`` makes; a factor after it is left to the caller."""
    name, shape, seed = re.search(r"noise\('([^']+)'((?:, ?\d+)+)(?:, ?seed=(\d+))?", words).groups()
    return noise(name, *map(int, shape.strip(", ").split(",")), seed=int(seed or 0))


def close(actual: torch.Tensor | np.ndarray, expected: torch.Tensor, atol: float, what: str = "") -> None:
    """Fail, with the largest difference, unless shapes are equal and every number is within ``atol``."""
    actual = torch.as_tensor(actual)
    assert actual.shape == expected.shape, f"{what}: {tuple(actual.shape)} instead of {tuple(expected.shape)}"
    assert actual.isfinite().all(), f"{what}: not finite"
    difference = (actual.double() - expected.double()).abs().max().item() if expected.numel() else 0.0
    assert difference <= atol, f"{what}: differs by {difference:.3g}, at most {atol:.3g} is allowed"


def gain(description: dict[str, Any]) -> float | list[tuple[str, float]]:
    """The ``gain`` for ``fill`` that a case's json asks for; 1 where it says nothing."""
    recipe = description.get("fill", {})
    if not isinstance(recipe, dict):
        return 1.0
    if "gain" in recipe:
        return float(recipe["gain"])
    rule = re.search(r"\[\[.*?\]\]", json.dumps(recipe.get("gain_rule", "")).replace('\\"', '"'))
    return [(part, float(factor)) for part, factor in json.loads(rule.group())] if rule else 1.0

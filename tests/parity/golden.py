"""Golden cases: inputs and outputs of the published networks under reproducible weights.

``GOLDEN_DIR`` chooses the folder, else ``tests/golden``. A case is ``FAMILY/CASE.safetensors`` and ``CASE.json``, either of them
also as ``.gz``; a large case's tensors are spread over ``CASE.1.safetensors``, ``CASE.2.safetensors``, ... Weights are not stored:
``values`` makes them from a parameter's name and shape.
"""

from __future__ import annotations

import ast
import gzip
import json
import math
import os
import re
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors import torch as safetensors

OTHER = os.environ.get("GOLDEN_DIR")
FOLDER = Path(OTHER or Path(__file__).resolve().parents[1] / "golden")

own = pytest.mark.skipif(bool(OTHER), reason="about the project's own cases; GOLDEN_DIR has others")

ASKED: set[tuple[str, str]] = set()
"""Families and cases that some test has asked for, so that one which nobody reads is noticed."""


def cases(family: str, prefix: str = "", *, of: str = "") -> list[str]:
    """Names of the cases of ``family`` whose names begin with ``prefix``, and whose json says of what they are beginning with ``of``.

    Fails where there is none of the project's own, so that no test is empty; another folder need not have every kind.
    """
    found = [name for name in every(family) if name.startswith(prefix) and (not of or subject(family, name).startswith(of))]
    if not found and not OTHER:
        raise FileNotFoundError(f"{FOLDER / family} holds no case {prefix}*.json{f' of {of}' if of else ''}.")
    ASKED.update((family, name) for name in found)
    return found


def every(family: str) -> list[str]:
    """Names of all cases of ``family``."""
    return sorted({f.name.split(".")[0] for f in (FOLDER / family).glob("*.json*")})


def subject(family: str, case: str) -> str:
    """What a case is of, as its json says it: a class, a constructor, or else the code that was run."""
    about = load_json(family, case)
    reference = about.get("reference", "")
    said = (
        about.get("class")
        or about.get("constructor")
        or (reference.get("cls", "") if isinstance(reference, dict) else reference)
    )
    return str(said)


@cache
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


_REMARK = re.compile(r"(?:\s+\(|; )(?!.*(?:noise|nearest|clamp|round|float|one-hot|ones))[^();=]*[a-z]{3}[^();=]*\)?$")
"""Of a recipe, for people: none of the words that recipes have."""


def recipe(words: str, **given: torch.Tensor) -> torch.Tensor:
    """The tensor that a json's recipe makes, such as ``(noise('a',1,1,8,8,seed=0)*3+6).round().clamp(0,12), nearest x8``.

    given: tensors that the recipe calls by name. Words at the end in brackets, or after a semicolon, are a remark.
    Raises ``ValueError`` for what is not understood, so that no part of a recipe is passed over in silence.
    """
    text = _REMARK.sub("", words.strip())
    if found := re.fullmatch(r"one-hot (?:of )?\(?(\d+)\)?(?: of)? (.*)", text):
        return one_hot(recipe(found[2], **given), int(found[1]))
    if found := re.fullmatch(r"ones in rows \[H/(\d+),(\d+)H/\1\) x cols \[W/\1,\2W/\1\), times (.*)", text):
        return framed(recipe(found[3], **given).float(), int(found[1]), int(found[2]))
    text = re.sub(r",? nearest(?:-upsampled)? x(\d+)(?: \(repeat_interleave\))?", r".nearest(\1)", text)
    text = re.sub(r", clamp\(", ".clamp(", text)
    try:
        return _evaluated(ast.parse(text, mode="eval").body, given)
    except (SyntaxError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a recipe is not understood: {words!r} ({error!r})") from None


_METHODS = {
    "round": torch.round,
    "float": torch.Tensor.float,
    "clamp": torch.clamp,
    "nearest": lambda x, times: F.interpolate(x.float(), scale_factor=times),
}
_OPERATORS = {ast.Mult: torch.mul, ast.Add: torch.add, ast.Sub: torch.sub}


def _evaluated(node: ast.expr, given: dict[str, torch.Tensor]) -> Any:
    """What a recipe's expression says; ``KeyError`` or ``TypeError`` for what recipes do not say."""
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return given[name]
        case ast.UnaryOp(ast.USub(), operand):
            return -_evaluated(operand, given)
        case ast.BinOp(left, operator, right):
            return _OPERATORS[type(operator)](*(torch.as_tensor(_evaluated(side, given)) for side in (left, right)))
        case ast.Compare(left, [ast.Gt()], [right]):
            return _evaluated(left, given) > _evaluated(right, given)
        case ast.Subscript(value, ast.Tuple([ast.Slice(None, None, None), ast.Slice(first, last, None)])):
            return _evaluated(value, given)[:, _evaluated(first, given) : _evaluated(last, given)]
        case ast.Call(ast.Name("noise"), arguments, keywords) if {word.arg for word in keywords} <= {"seed"}:
            seeds = {word.arg: _evaluated(word.value, given) for word in keywords}
            return noise(*(_evaluated(argument, given) for argument in arguments), **seeds)
        case ast.Call(ast.Name("sigmoid"), [argument], []):
            return _evaluated(argument, given).sigmoid()
        case ast.Call(ast.Attribute(value, method), arguments, []):
            return _METHODS[method](_evaluated(value, given), *(_evaluated(argument, given) for argument in arguments))
    raise TypeError(ast.unparse(node))


def named_noise(words: str, name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """What a json's ``noise(f'alias_noise/{NAME}',b,w,h,1,seed=0)`` makes for the norm called ``name``."""
    found = re.search(r"noise\(f'(\w+)/\{NAME\}',b,w,h,1(?:,seed=(\d+))?\)", words)
    if not found and not OTHER:
        raise ValueError(f"a recipe is not understood: {words!r}")
    return noise(f"{found[1]}/{name}", *shape, seed=int(found[2] or 0))


def torch_seed(words: str) -> torch.Generator:
    """A json's ``torch.manual_seed(0)``."""
    found = re.search(r"torch\.manual_seed\((\d+)\)", words)
    if not found and not OTHER:
        raise ValueError(f"a recipe is not understood: {words!r}")
    return torch.Generator().manual_seed(int(found[1]))


def one_hot(classes: torch.Tensor, count: int) -> torch.Tensor:
    """float32 (B, ``count``, H, W) of (B, 1, H, W) whole numbers."""
    return F.one_hot(classes[:, 0].long(), count).permute(0, 3, 1, 2).float()


def framed(maps: torch.Tensor, parts: int, last: int) -> torch.Tensor:
    """``maps`` with nothing in the first of so many ``parts`` of rows and columns, nor after the ``last``."""
    height, width = maps.shape[2:]
    inside = torch.zeros_like(maps)
    inside[:, :, height // parts : last * height // parts, width // parts : last * width // parts] = 1
    return maps * inside


def close(actual: torch.Tensor | np.ndarray, expected: torch.Tensor, atol: float, what: str = "") -> None:
    """Fail, with the largest difference, unless shapes are equal and every number is within ``atol``."""
    actual = torch.as_tensor(actual)
    assert actual.shape == expected.shape, f"{what}: {tuple(actual.shape)} instead of {tuple(expected.shape)}"
    assert actual.isfinite().all(), f"{what}: not finite"
    difference = (actual.double() - expected.double()).abs().max().item() if expected.numel() else 0.0
    assert difference <= atol, f"{what}: differs by {difference:.3g}, at most {atol:.3g} is allowed"


def shown(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """The parse and the picture of a case ``agnostic``, which keeps both small."""
    words = about["inputs"]["parse_lo"]
    times, height, width = map(int, re.search(r"nearest x(\d+) -> (\d+)x(\d+)", words).groups())
    assert f"nearest x{times}," in about["inputs"]["img_lo"]
    parse, image = (tensors[name].numpy().repeat(times, 0).repeat(times, 1) for name in ("parse_lo", "img_lo"))
    assert parse.shape == image.shape[:2] == (height, width)
    return parse, image


def mostly(mask: np.ndarray, packed: torch.Tensor, tolerance: str, what: str) -> None:
    """Fail unless ``mask`` is the ``packed`` one up to the share that Pillow's versions differ by (``<=0.1% of pixels``)."""
    allowed = float(re.search(r"<=([\d.]+)% of pixels", tolerance)[1]) / 100
    expected = np.unpackbits(packed.numpy(), axis=-1, count=mask.shape[1]) > 0
    assert (mask != expected).mean() <= allowed, f"{what}: {(mask != expected).sum()} pixels"


def same_names(net: torch.nn.Module, expected: dict[str, Any]) -> None:
    """Fail unless ``net`` has the parameters and shapes that a json lists; it says a shape, or a shape and a dtype."""
    shapes = {name: said[0] if len(said) == 2 and isinstance(said[0], list) else said for name, said in expected.items()}
    assert {name: list(tensor.shape) for name, tensor in net.state_dict().items()} == shapes


def settled(net: torch.nn.Module, tensors: dict[str, torch.Tensor], prefix: str = "state.") -> torch.nn.Module:
    """``net`` with what the case brings of its state: the vectors of spectral norm, settled."""
    given = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    assert given.keys() <= net.state_dict().keys()
    wanted = {name for name in net.state_dict() if name.endswith(("weight_u", "weight_v"))}
    assert given.keys() == wanted, f"{prefix}: {sorted(given.keys() ^ wanted)} on one side alone"
    net.load_state_dict(given, strict=False)
    return net


def thinned(maps: torch.Tensor, expected: torch.Tensor, first: int = 2) -> torch.Tensor:
    """Every so many rows and columns of ``maps`` (axes ``first`` and the next), as many as the case kept."""
    steps = [-(-have // kept) for have, kept in zip(maps.shape[first:], expected.shape[first:], strict=True)]
    for axis, step in enumerate(steps[:2], first):
        maps = maps.index_select(axis, torch.arange(0, maps.shape[axis], step))
    return maps


def same(made: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], atol: float, passed: str = "state.") -> None:
    """Fail unless ``made`` has every tensor of a case but those whose names begin with ``passed``, alike; and none beyond them."""
    wanted = {name: tensor for name, tensor in expected.items() if not name.startswith(passed)}
    assert made.keys() == wanted.keys(), f"{sorted(made.keys() ^ wanted.keys())} on one side alone"
    for name, tensor in wanted.items():
        close(made[name], tensor, atol, name)


def gain(description: dict[str, Any]) -> float | list[tuple[str, float]]:
    """The ``gain`` for ``fill`` that a case's json asks for; 1 where it says nothing."""
    recipe = description.get("fill", {})
    if not isinstance(recipe, dict):
        return 1.0
    if "gain" in recipe:
        return float(recipe["gain"])
    rule = re.search(r"\[\[.*?\]\]", json.dumps(recipe.get("gain_rule", "")).replace('\\"', '"'))
    return [(part, float(factor)) for part, factor in json.loads(rule.group())] if rule else 1.0

"""Everything that a training goes on from in one ``.safetensors`` file, written whole or not at all: tensors, and plain words about them.

Nothing in it can act when it is read. The painter alone, as it is used, is another such file (``write_painter``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from helpers.files import told, write_whole


def write(path: Path, networks: Mapping[str, nn.Module], optimizers: Mapping[str, Any], about: Mapping[str, Any]) -> Path:
    """Write the state of ``networks`` and ``optimizers`` by name, torch's random numbers, and ``about``, plain data, to ``path``.

    Raises ``NotWritten`` naming the file, and leaves the one before as it was.
    """
    tensors = {f"network.{name}.{key}": value for name, net in networks.items() for key, value in net.state_dict().items()}
    groups = {}
    for name, optimizer in optimizers.items():
        state = optimizer.state_dict()
        groups[name] = state["param_groups"]
        for number, values in state["state"].items():
            tensors |= {f"optimizer.{name}.{number}.{key}": value for key, value in values.items()}
    tensors["random"] = torch.get_rng_state()
    note = {"about": json.dumps(about), "optimizers": json.dumps(groups)}
    return _write(path, tensors, note)


def read(path: Path, networks: Mapping[str, nn.Module], optimizers: Mapping[str, Any]) -> dict[str, Any]:
    """Bring ``networks``, ``optimizers`` and torch's random numbers to what :func:`write` kept; returns ``about``.

    Raises ``ValueError`` naming a file that is damaged or of other networks.
    """
    tensors, note = _read(path)
    for name, net in networks.items():
        state = _below(tensors, f"network.{name}.")
        try:
            net.load_state_dict(state)
        except RuntimeError as error:
            first = str(error).splitlines()[-1].strip()
            raise ValueError(f"{told(path)} is of another network: {first} Begin anew in another folder.") from None
    groups = json.loads(note["optimizers"])
    for name, optimizer in optimizers.items():
        known: dict[int, dict[str, Tensor]] = {}
        for key, value in _below(tensors, f"optimizer.{name}.").items():
            number, _, what = key.partition(".")
            known.setdefault(int(number), {})[what] = value
        optimizer.load_state_dict({"state": known, "param_groups": groups[name]})
    torch.set_rng_state(tensors["random"])
    return json.loads(note["about"])


def about(path: Path) -> dict[str, Any]:
    """What :func:`write` or :func:`write_painter` was told about the file. Raises ``ValueError`` for one that is damaged or another."""
    return json.loads(_read(path)[1]["about"])


def write_painter(path: Path, painter: nn.Module, about: Mapping[str, Any]) -> Path:
    """Write the painter's tensors under their own names, to be used, with what was told about them."""
    return _write(path, dict(painter.state_dict()), {"about": json.dumps(about)})


def require_finite(networks: Mapping[str, nn.Module]) -> None:
    """Raises ``ArithmeticError`` naming a network whose weights are numbers no more."""
    for name, net in networks.items():
        for key, value in net.state_dict().items():
            if value.is_floating_point() and not torch.isfinite(value).all():
                raise ArithmeticError(f"the {name}'s weights {key} are no numbers any more")


def _write(path: Path, tensors: Mapping[str, Tensor], note: Mapping[str, str]) -> Path:
    # Cloned, because tensors that share memory cannot be kept apart otherwise.
    apart = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    return write_whole(path, partial(_save, apart, dict(note), path))


def _save(tensors: dict[str, Tensor], note: dict[str, str], path: Path, part: Path) -> None:
    try:
        save_file(tensors, part, note)
    except SafetensorError as error:  # the disk is full
        raise OSError(28 if "No space" in str(error) or "os error 28" in str(error) else 5, str(error), str(path)) from error


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, "pt") as file:
            note = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- it is no mapping
        json.loads(note["about"])
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise ValueError(
            f"{told(path)} cannot be read as a checkpoint of a training ({error}). Delete it to begin anew, or copy it again."
        ) from None
    return tensors, note


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

"""pix2pix's U-Net without torch: its weights in eight bits, its layers as products of matrices.

A kernel of 4x4 with stride 2, which it is made of, is one product a level: of every window, or spread over every window. Norms are part of
the weights. ``pix2pix`` is the network as it is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_LEAK = 0.2
_KERNEL, _STRIDE = 4, 2
_CODES = 127


@dataclass(frozen=True)
class SmallUnet:
    """downs: from the finest level on, weight (out, in, 4, 4) and bias (out,) of what halves the sides; ups: to the finest, weight
    (in, out, 4, 4) and bias of what doubles them"""

    downs: tuple[tuple[np.ndarray, np.ndarray], ...]
    ups: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def multiple(self) -> int:
        """Of which both sides of a picture are multiples."""
        return int(_STRIDE ** len(self.downs))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """float32 (outputs, H, W), -1..1, of ``x`` (inputs, H, W), -1..1."""
        beside = []
        for level, (weight, bias) in enumerate(self.downs):
            if level:
                x = np.where(x > 0, x, _LEAK * x)  # what stands beside has leaked too, as in the published one
                beside.append(x)
            x = halved(x, weight, bias)
        for weight, bias in self.ups:
            x = doubled(np.maximum(x, 0), weight, bias)
            if beside:
                x = np.concatenate([beside.pop(), x])
        return np.tanh(x)

    def save(self, path: Path) -> None:
        """Write every weight as whole numbers -127..127 and a scale an output channel."""
        arrays: dict[str, np.ndarray] = {}
        for way, layers, axis in (("down", self.downs, 0), ("up", self.ups, 1)):
            for number, (weight, bias) in enumerate(layers):
                others = tuple(k for k in range(4) if k != axis)
                scale = np.maximum(np.abs(weight).max(axis=others, keepdims=True), 1e-12) / _CODES
                arrays[f"{way}{number}.codes"] = np.rint(weight / scale).astype(np.int8)
                arrays[f"{way}{number}.scale"], arrays[f"{way}{number}.bias"] = (
                    scale.astype(np.float32),
                    bias.astype(np.float32),
                )
        with Path(path).open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> SmallUnet:
        """Inverse of :meth:`save`."""
        with np.load(path) as file:
            arrays = dict(file)

        def layers(way: str) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
            count = sum(name.startswith(way) for name in arrays) // 3
            return tuple(
                (arrays[f"{way}{k}.codes"] * arrays[f"{way}{k}.scale"], arrays[f"{way}{k}.bias"]) for k in range(count)
            )

        return cls(layers("down"), layers("up"))

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> SmallUnet:
        """Of ``pix2pix.UnetGenerator``'s tensors, with batch norms."""
        arrays = {name: np.asarray(value, np.float64) for name, value in state.items() if value.ndim}
        depth = max(name.count("model.") for name in arrays) - 1
        downs, ups = [], []
        for level in range(depth):
            prefix = "model.model." + "".join(f"{1 if k == 0 else 3}.model." for k in range(level))
            first, last = level == 0, level == depth - 1
            down, up = (0, 3) if first else (1, 3) if last else (1, 5)
            after_down = None if first or last else f"{prefix}2"
            after_up = None if first else f"{prefix}{4 if last else 6}"
            downs.append(_folded(arrays, f"{prefix}{down}", after_down, 0))
            ups.append(_folded(arrays, f"{prefix}{up}", after_up, 1))
        return cls(tuple(downs), tuple(reversed(ups)))


def _folded(arrays: Mapping[str, np.ndarray], layer: str, norm: str | None, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias of ``layer`` and the batch ``norm`` after it."""
    weight = arrays[f"{layer}.weight"]
    bias = arrays.get(f"{layer}.bias", np.zeros(weight.shape[axis]))
    if norm is not None:
        gain = arrays[f"{norm}.weight"] / np.sqrt(arrays[f"{norm}.running_var"] + 1e-5)
        bias = (bias - arrays[f"{norm}.running_mean"]) * gain + arrays[f"{norm}.bias"]
        weight = weight * gain.reshape([-1 if k == axis else 1 for k in range(4)])
    return weight.astype(np.float32), bias.astype(np.float32)


def halved(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Convolution of ``x`` (C, H, W) with stride 2 and one pixel of 0 around: (O, H / 2, W / 2)."""
    channels, height, width = x.shape
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (_KERNEL, _KERNEL), (1, 2))[:, ::_STRIDE, ::_STRIDE]
    columns = windows.transpose(0, 3, 4, 1, 2).reshape(channels * _KERNEL**2, -1)
    out = weight.reshape(len(weight), -1) @ columns + bias[:, None]
    return out.reshape(len(weight), height // _STRIDE, width // _STRIDE)


def doubled(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Transposed convolution of ``x`` (C, h, w) with stride 2, one pixel around cut off: (O, 2 h, 2 w)."""
    channels, height, width = x.shape
    outputs = weight.shape[1]
    spread = weight.reshape(channels, -1).T @ x.reshape(channels, -1)
    spread = spread.reshape(outputs, _KERNEL, _KERNEL, height, width)
    out = np.zeros((outputs, 2 * height + 2, 2 * width + 2), np.float32)
    for row in range(_KERNEL):
        for column in range(_KERNEL):
            out[:, row : row + 2 * height : _STRIDE, column : column + 2 * width : _STRIDE] += spread[:, row, column]
    return out[:, 1:-1, 1:-1] + bias[:, None, None]

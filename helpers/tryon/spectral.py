"""Spectral norm under the parameter names of torch's older one, which VITON-HD's and HR-VITON's checkpoints have.

Source: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", 2018.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SpectralConv2d(nn.Conv2d):
    """A convolution whose weight is divided by its largest singular value, which the two vectors beside it give.

    In training each pass brings the vectors closer to the singular ones by a step of power iteration; else they are used as they are.
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, *sizes: int, stride: int = 1, padding: int = 0, bias: bool = True) -> None:
        super().__init__(*sizes, stride=stride, padding=padding, bias=bias)
        weight = self.weight
        del self.weight
        self.weight_orig = weight
        for name, size in (("weight_u", len(weight)), ("weight_v", weight[0].numel())):
            self.register_buffer(name, torch.full((size,), size**-0.5))

    def forward(self, x: Tensor) -> Tensor:
        flat = self.weight_orig.flatten(1)
        if self.training:
            self.settle(1)
        left, right = (
            self.weight_u.clone(),
            self.weight_v.clone(),
        )  # a later pass may move them before this one is followed back
        return self._conv_forward(x, self.weight_orig / (left @ (flat @ right)), self.bias)

    @torch.no_grad()
    def settle(self, steps: int) -> None:
        """Bring the two vectors closer to the singular ones."""
        flat = self.weight_orig.flatten(1)
        for _ in range(steps):
            self.weight_v.copy_(F.normalize(flat.T @ self.weight_u, dim=0))
            self.weight_u.copy_(F.normalize(flat @ self.weight_v, dim=0))

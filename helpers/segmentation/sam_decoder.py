"""What a click costs: Segment Anything's prompt encoder and mask decoder, the same output at less work, and through onnxruntime.

The parameters are those of ``segment_anything``'s classes. Equal to them in exact arithmetic, and cheaper because

* a few tokens attend to thousands of image places: instead of projecting every place to keys and values, the projections are folded
  into the tokens (q·(W x) = (Wᵀ q)·x and Σ a (W x) = W Σ a x), and a bias that every place shares drops out of the softmax;
* the picture's positional encoding is a constant, added to the places once a block;
* the upscaling's 2x2 transposed convolutions of stride 2 are matrix products place by place, so that norms, GELU and the masks' dot
  products need no transposed copy; only the four masks themselves are put in order.

Source: Kirillov et al., "Segment Anything" (2023), facebookresearch/segment-anything, Apache-2.0.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import Tensor, nn
from torch.nn import functional as F

from helpers import weights
from helpers.files import write_whole

_FORM = "1"
"""Of the exported file: another form gets another name."""
_INPUTS = ("embedding", "points", "labels", "mask", "has_mask")
_OUTPUTS = ("masks", "scores")


class Decoder(nn.Module):
    """Clicks to four masks, for one picture and one object.

    Args of a call:
        embedding: float32 (1, C, g, g) from the image encoder.
        points: float32 (1, N, 2), x and y in pixels of the encoder's square, pixel centres at whole numbers.
        labels: float32 (1, N): 1 on the object, 0 not, 2 and 3 the corners of a box, -1 no point (needed at the end without a box).
        mask: float32 (1, 1, 4g, 4g), logits of the mask before; ignored where ``has_mask`` is 0.
        has_mask: float32 (1,), 0 or 1.

    Returns:
        Logits (1, 4, 4g, 4g), positive inside, and predicted IoU (1, 4), not bounded. The first is the answer to several clicks, the others
        the candidates for a single one.
    """

    def __init__(self, sam: Sam) -> None:
        super().__init__()
        self.prompt, self.head = sam.prompt_encoder, sam.mask_decoder
        self.grid = tuple(int(n) for n in self.prompt.image_embedding_size)
        with torch.no_grad():
            pe = self.prompt.get_dense_pe()  # (1, C, g, g)
        self.register_buffer("image_pe", pe.flatten(2).transpose(1, 2).contiguous(), persistent=False)  # (1, g*g, C)

    def forward(
        self, embedding: Tensor, points: Tensor, labels: Tensor, mask: Tensor, has_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        head = self.head
        own = torch.cat([head.iou_token.weight, head.mask_tokens.weight])[None]
        tokens = torch.cat([own, self._sparse(points, labels)], dim=1)  # (1, 5 + N, C)
        dense = (
            has_mask * self.prompt.mask_downscaling(mask) + (1 - has_mask) * self.prompt.no_mask_embed.weight[:, :, None, None]
        )
        image = (embedding + dense).flatten(2).transpose(1, 2)  # (1, g*g, C)
        tokens, image = self._transform(tokens, image)
        hyper = torch.stack(
            [mlp(tokens[:, 1 + i]) for i, mlp in enumerate(head.output_hypernetworks_mlps)], dim=2
        )  # (1, C/8, 4)
        return self._masks(image, hyper), head.iou_prediction_head(tokens[:, 0])

    def _sparse(self, points: Tensor, labels: Tensor) -> Tensor:
        """(1, N, C): positional encodings, each with the embedding of its label."""
        width, height = self.prompt.input_image_size[1], self.prompt.input_image_size[0]
        unit = (points + 0.5) / torch.tensor([width, height], dtype=points.dtype, device=points.device)
        encoded = self.prompt.pe_layer._pe_encoding(unit)
        labels = labels[..., None]
        encoded = encoded * (labels != -1) + self.prompt.not_a_point_embed.weight * (labels == -1)
        for label, embedding in enumerate(self.prompt.point_embeddings):
            encoded = encoded + embedding.weight * (labels == label)
        return encoded

    def _transform(self, tokens: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """The two-way transformer: tokens (1, T, C) and image places (1, g*g, C) after it."""
        transformer, queries = self.head.transformer, tokens
        for layer in transformer.layers:
            if layer.skip_first_layer_pe:
                queries = layer.self_attn(queries, queries, queries)
            else:
                q = queries + tokens
                queries = queries + layer.self_attn(q, q, queries)
            queries = layer.norm1(queries)
            placed = image + self.image_pe
            queries = layer.norm2(queries + _tokens_to_image(layer.cross_attn_token_to_image, queries + tokens, placed, image))
            queries = layer.norm3(queries + layer.mlp(queries))
            image = layer.norm4(image + _image_to_tokens(layer.cross_attn_image_to_token, placed, queries + tokens, queries))
        final = transformer.final_attn_token_to_image
        queries = queries + _tokens_to_image(final, queries + tokens, image + self.image_pe, image)
        return transformer.norm_final_attn(queries), image

    def _masks(self, image: Tensor, hyper: Tensor) -> Tensor:
        """(1, 4, 4g, 4g): the places (1, g*g, C) upscaled four times and multiplied with ``hyper`` (1, C/8, 4)."""
        first, norm, act, second, last = self.head.output_upscaling
        x = act(_norm(_twice(image, first), norm))  # (1, g*g*4, C/4)
        x = last(_twice(x, second)) @ hyper  # (1, g*g*4*4, 4)
        x = x.view(*self.grid, 2, 2, 2, 2, -1).permute(6, 0, 2, 4, 1, 3, 5)  # (4, rows, 2, 2, columns, 2, 2)
        return x.reshape(1, -1, 4 * self.grid[0], 4 * self.grid[1])


def _heads(weight: Tensor, attention: nn.Module) -> Tensor:
    """(heads, c, C): a projection's weight (heads*c, C), a head at a time."""
    return weight.view(attention.num_heads, -1, weight.shape[1])


def _tokens_to_image(attention: nn.Module, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """``attention(q, k, v)`` for few tokens q (1, T, C) and many places k, v (1, P, C)."""
    heads, tokens = attention.num_heads, q.shape[1]
    q = attention.q_proj(q).view(tokens, heads, -1).transpose(0, 1)  # (heads, T, c)
    folded = (q / math.sqrt(q.shape[-1])) @ _heads(attention.k_proj.weight, attention)  # (heads, T, C)
    weights = torch.softmax(folded.flatten(0, 1) @ k[0].t(), dim=-1)  # (heads*T, P); k_proj's bias is the same for every place
    gathered = (weights @ v[0]).view(heads, tokens, -1)  # (heads, T, C)
    out = gathered @ _heads(attention.v_proj.weight, attention).transpose(1, 2)  # (heads, T, c)
    return attention.out_proj(out.transpose(0, 1).reshape(1, tokens, -1) + attention.v_proj.bias)


def _image_to_tokens(attention: nn.Module, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """``attention(q, k, v)`` for many places q (1, P, C) and few tokens k, v (1, T, C)."""
    heads, tokens, places = attention.num_heads, k.shape[1], q.shape[1]
    k = attention.k_proj(k).view(tokens, heads, -1).transpose(0, 1)  # (heads, T, c)
    k = k / math.sqrt(k.shape[-1])
    folded = (k @ _heads(attention.q_proj.weight, attention)).flatten(0, 1)  # (heads*T, C)
    bias = (k @ attention.q_proj.bias.view(heads, -1, 1)).flatten()  # (heads*T,)
    scores = (q[0] @ folded.t() + bias).view(places, heads, tokens)
    weights = torch.softmax(scores, dim=-1).flatten(1)  # (P, heads*T)
    v = attention.v_proj(v).view(tokens, heads, -1).transpose(0, 1)  # (heads, T, c)
    out = attention.out_proj.weight.t().view(heads, -1, attention.out_proj.weight.shape[0])  # (heads, c, C)
    return (weights @ (v @ out).flatten(0, 1))[None] + attention.out_proj.bias  # (1, P, C)


def _twice(x: Tensor, convolution: nn.ConvTranspose2d) -> Tensor:
    """(1, P, C) places to (1, 4P, D): each becomes its 2x2 block, row by row, as a transposed convolution of stride 2 makes it."""
    weight = convolution.weight.permute(0, 2, 3, 1)  # (C, 2, 2, D)
    x = x @ weight.reshape(weight.shape[0], -1) + convolution.bias.repeat(4)
    return x.reshape(1, -1, weight.shape[-1])


def _norm(x: Tensor, norm: nn.Module) -> Tensor:
    """SAM's norm over channels, for channels last."""
    return F.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, norm.eps)


class Runner:
    """Runs the decoder for clicks: on a CPU through onnxruntime where that is installed, else through torch; the masks are the same.

    Args:
        sam: the loaded network, on the device it runs on.
        beside: where the exported decoder is kept, next to the checkpoint; None keeps it in memory only.
        onnx: False stays with torch.
    """

    def __init__(self, sam: Sam, beside: Path | None = None, onnx: bool = True) -> None:
        self.device = sam.device
        self._decoder = Decoder(sam).eval().requires_grad_(False)
        grid = self._decoder.grid
        self._no_mask = np.zeros((1, 1, 4 * grid[0], 4 * grid[1]), np.float32)
        self._session = _session(self._decoder, beside) if onnx and self.device.type == "cpu" else None

    @property
    def backend(self) -> str:
        return "torch" if self._session is None else "onnxruntime"

    def __call__(
        self, embedding: Tensor, points: np.ndarray, labels: np.ndarray, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Four masks' logits float32 (4, 4g, 4g) and scores (4,).

        points: (N, 2), x and y in pixels of the encoder's square; labels: (N,), 1 on the object, 0 not, 2 and 3 corners of a box.
        mask: float32 (4g, 4g), the logits of the mask before, if there is one.
        """
        if len(labels) and max(labels) < 2:
            # Without a box the network was trained to see one "not a point" at the end.
            points, labels = np.concatenate([points, np.zeros((1, 2))]), np.append(labels, -1)
        points, labels = points[None].astype(np.float32), labels[None].astype(np.float32)
        has_mask = np.array([mask is not None], np.float32)
        mask = self._no_mask if mask is None else mask[None, None].astype(np.float32)
        if self._session is not None:
            given = embedding.numpy(), points, labels, mask, has_mask
            masks, scores = self._session.run(_OUTPUTS, dict(zip(_INPUTS, given, strict=True)))
        else:
            tensors = [torch.from_numpy(a).to(self.device) for a in (points, labels, mask, has_mask)]
            with torch.inference_mode():
                masks, scores = (t.float().cpu().numpy() for t in self._decoder(embedding, *tensors))
        return masks[0], scores[0]


def _session(decoder: Decoder, beside: Path | None) -> Any | None:
    """The decoder in onnxruntime, exported once and kept as a file named after what is in it; None without onnxruntime."""
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    path = None if beside is None else beside.with_name(f"{beside.stem}.decoder-{content_key(decoder)}.onnx")
    if path is not None and path.exists():
        # A file that another version of the library cannot read is written anew.
        with contextlib.suppress(Exception):
            weights.check(path, "onnx")
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    model = exported(decoder)
    if path is not None:
        with contextlib.suppress(OSError):  # a folder of weights may be read-only; then it is exported again next time
            write_whole(path, lambda part: part.write_bytes(model))
            for stale in set(path.parent.glob(f"{path.stem.rpartition('.')[0]}.decoder-*.onnx")) - {path}:
                stale.unlink()  # of a checkpoint that was here before
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def content_key(decoder: Decoder) -> str:
    """12 hex digits that change with any parameter of the decoder, with its head count, and with the form of the export."""
    transformer = decoder.head.transformer
    digest = hashlib.sha256(f"{_FORM} {transformer.num_heads} {decoder.prompt.input_image_size}".encode())
    for name, tensor in sorted(decoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def exported(decoder: Decoder) -> bytes:
    """The decoder as an ONNX model, opset 17, for any number of points."""
    grid, channels = decoder.grid, decoder.image_pe.shape[-1]
    mask = torch.zeros(1, 1, 4 * grid[0], 4 * grid[1])
    example = torch.zeros(1, channels, *grid), torch.zeros(1, 2, 2), torch.tensor([[1.0, -1.0]]), mask, torch.zeros(1)
    buffer = io.BytesIO()
    dynamic = {"points": {1: "count"}, "labels": {1: "count"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter without dynamo calls itself old; the new one needs a package more
        torch.onnx.export(
            decoder,
            example,
            buffer,
            input_names=_INPUTS,
            output_names=_OUTPUTS,
            dynamic_axes=dynamic,
            opset_version=17,
            dynamo=False,
        )
    return buffer.getvalue()

"""Segment Anything (vit_h, vit_l, vit_b) and MobileSAM as a click engine.

The networks are those of the ``segment_anything`` package, and TinyViT in ``mobile_sam.py``. Their sizes are read off the
checkpoint's shapes, so that published and small files take the same path. One look at a photograph costs seconds, a click after it a
fraction of one (``sam_decoder.py``). One click gives three candidates; further clicks refine the chosen one, with its logits as a
prompt and a single answer: several clicks with candidates each are what makes SAM's masks worse by clicking.

Source: Kirillov et al., "Segment Anything" (2023), facebookresearch/segment-anything, Apache-2.0 (code and weights).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.modeling.image_encoder import Attention, get_rel_pos
from torch import Tensor, nn
from torch.nn import functional as F

from helpers import checks, devices, engines, images, weights
from helpers.checks import Box, Point
from helpers.contract import Base
from helpers.segmentation import mobile_sam
from helpers.segmentation.sam_decoder import Runner

VARIANTS = engines.find("segment", "sam").variants
"""Name of each variant -> the group of its weights."""
_WIDTHS = {(1280, 32): "vit_h", (1024, 24): "vit_l", (768, 12): "vit_b"}
"""Width and depth of the published encoders."""
_DECODER_HEADS = 8
"""The one number of the published networks that no parameter's shape tells."""
_MEAN, _STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of RGB in 0..255; not in the checkpoint

WHOLE = 0.6
"""Share of the picture from which a candidate is the picture and no garment; it is never taken unasked."""
EMBEDDINGS = 4
"""Photographs whose embeddings are kept: 4 MB each."""
REMEMBERED = 128
"""Prefixes of clicks whose logits are kept for undo and redo: 0.25 MB each."""


@dataclass(frozen=True)
class Candidate:
    """One answer to a click: mask bool (H, W), predicted IoU (not bounded by 1), logits float32 (4g, 4g) in the encoder's square."""

    mask: np.ndarray
    score: float
    low_res: np.ndarray


@dataclass(frozen=True)
class _Look:
    """What the encoder made of a photograph: the embedding (1, C, g, g), and (height, width) of the photograph and in the square."""

    embedding: Tensor
    size: tuple[int, int]
    inside: tuple[int, int]


class SAM(Base):
    """Segmentation by clicks on one image at a time.

    ``set_image`` does the slow part once a photograph, ``predict`` the cheap part for a list of points::

        with SAM("vit_b") as engine:
            engine.set_image(image)
            three = engine.candidates([(384, 420, 1)])              # best first
            mask = engine.predict([(384, 420, 1), (384, 700, 0)], choice=1)

    A mask is a pure function of the image, the list and the choice. All points mean one garment; several garments are several lists.

    Args:
        variant: ``vit_h``, ``vit_l``, ``vit_b`` or ``mobile``.
        network: a network to use in place of the published checkpoint.
        device: where it runs; None takes the best one here.
        onnx: whether clicks on a CPU may run through onnxruntime.

    Raises ``weights.Missing`` or ``weights.Damaged`` at once if the checkpoint is not there or not what it should be.
    """

    def __init__(
        self, variant: str = "vit_b", *, network: Sam | None = None, device: str | torch.device | None = None, onnx: bool = True
    ) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"variant is one of {', '.join(VARIANTS)}, not {variant!r}.")
        self.variant = variant
        self._path: Path | None = None
        self._read: Callable[[], Sam] = lambda: network
        if network is None:
            self._path = path = weights.require(_group(variant))
            self._read = partial(load, path, variant)
        self._device = device
        self._onnx = onnx
        self._loaded: tuple[Sam, Runner] | None = None
        self._looks: OrderedDict[str, _Look] = OrderedDict()
        self._logits: OrderedDict[tuple, tuple[np.ndarray, np.ndarray]] = OrderedDict()
        self._key = ""

    def close(self) -> None:
        """Forget the photographs and free the network's memory; ``set_image`` loads it again."""
        self._loaded = None
        self._key = ""
        self._looks.clear()
        self._logits.clear()
        devices.free()

    def set_image(self, image: np.ndarray) -> None:
        """Prepare ``image``, uint8 (H, W, 3) RGB, at least 64 pixels on either side. Pixels seen before cost nothing.

        Raises ``ValueError`` for anything else.
        """
        image = np.ascontiguousarray(checks.image(image))
        key = images.digest(image)
        if key not in self._looks:
            network = self.network
            with torch.inference_mode():
                square, inside = prepared(image, network.image_encoder.img_size)
                normal = network.preprocess(square.to(network.device))
                self._looks[key] = _Look(network.image_encoder(normal), image.shape[:2], inside)
            while len(self._looks) > EMBEDDINGS:
                self._looks.popitem(last=False)
        self._looks.move_to_end(key)
        self._key = key

    def predict(self, points: Sequence[Point], choice: int | None = None, box: Box | None = None) -> np.ndarray:
        """The mask, bool (H, W), for ``points`` (x, y, label) in image pixels, x to the right, y down; label 1 on the garment, 0 not.

        choice: which of the first point's three candidates, 0 the best scored, further points refine; None takes the best scored one
            that is not empty and not (nearly) the whole picture.
        box: (x0, y0, x1, y1) around the garment, in image pixels; points, of which there may be none, refine what is in it, and
            ``choice`` is one of the box's candidates, None the single answer that it has.
        Raises ``ValueError`` for points or a box that cannot be, ``RuntimeError`` before ``set_image``.
        """
        points, choice, box = self._asked(points, choice, box)
        low, _ = self._refined(points, choice) if box is None else self._boxed(points, choice, box)
        return self._mask(low)

    def candidates(self, points: Sequence[Point], choice: int | None = None) -> list[Candidate]:
        """The answers to ``points``: three for a single one, best scored first, and one for several, which refines the chosen candidate."""
        points, choice, _ = self._asked(points, choice)
        found = self._first(points[0]) if len(points) == 1 else tuple(a[None] for a in self._refined(points, choice))
        return [Candidate(self._mask(low), float(score), low) for low, score in zip(*found, strict=True)]

    def default_choice(self, points: Sequence[Point]) -> int:
        """Which candidate of the first point ``predict`` takes unasked."""
        return self._unasked(self._first(self._asked(points)[0][0])[0])

    # For those who look closer

    @property
    def network(self) -> Sam:
        """The network, loaded on first use."""
        return self._load()[0]

    @property
    def backend(self) -> str:
        """What clicks run through: ``torch`` or ``onnxruntime``."""
        return "" if self._loaded is None else self._loaded[1].backend

    @property
    def embedding(self) -> Tensor:
        """The encoder's answer to the photograph, float32 (1, C, g, g)."""
        return self._look.embedding

    def decode(self, points: Sequence[Point], mask: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The decoder's four answers as they are: logits float32 (4, 4g, 4g) in the encoder's square, and scores (4,).

        points: (x, y, label) in image pixels, labels 2 and 3 for the corners of a box; mask: logits (4g, 4g) of a mask before.
        """
        look = self._look
        places = np.array([point[:2] for point in points], float) * (np.array(look.inside) / look.size)[::-1]
        _, run = self._load()
        return run(look.embedding, places, np.array([point[2] for point in points], float), mask)

    def logits_at(self, low: np.ndarray) -> Tensor:
        """Logits (4g, 4g) as float32 (H, W) at the photograph's size, by way of the square as the published predictor goes."""
        look, square = self._look, self.network.image_encoder.img_size
        wide = F.interpolate(torch.from_numpy(low)[None, None], (square, square), mode="bilinear", align_corners=False)
        wide = wide[..., : look.inside[0], : look.inside[1]]
        return F.interpolate(wide, look.size, mode="bilinear", align_corners=False)[0, 0]

    # Inside

    def _load(self) -> tuple[Sam, Runner]:
        if self._loaded is None:
            network = self._read().to(self._device or devices.describe().kind).eval().requires_grad_(False)
            self._loaded = network, Runner(network, self._path, self._onnx)
        return self._loaded

    @property
    def _look(self) -> _Look:
        if not self._key:
            raise RuntimeError("SAM was asked for a mask before set_image(image), which prepares the picture to click on.")
        return self._looks[self._key]

    def _asked(
        self, points: Sequence[Point], choice: int | None = None, box: Box | None = None
    ) -> tuple[tuple[Point, ...], int | None, Box | None]:
        height, width = self._look.size
        count = self.network.mask_decoder.num_multimask_outputs
        if choice is not None:
            checks.whole(choice, "choice", 0, count - 1)
        box = None if box is None else checks.box(box, (width, height))
        return checks.clicks(points, (width, height), boxed=box is not None), choice, box

    def _first(self, point: Point) -> tuple[np.ndarray, np.ndarray]:
        """Logits (3, 4g, 4g) and scores (3,) of a single click's candidates, best scored first."""
        key = self._key, (point,)
        if key not in self._logits:
            masks, scores = self.decode([point])
            order = np.argsort(-scores[1:], kind="stable")
            self._remember(key, (masks[1:][order], scores[1:][order]))
        return self._logits[key]

    def _refined(self, points: tuple[Point, ...], choice: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Logits (4g, 4g) and score () after all ``points``, each step prompted with the mask before it."""
        low, scores = self._first(points[0])
        choice = self._unasked(low) if choice is None else choice
        state = low[choice], scores[choice]
        for length in range(2, len(points) + 1):
            key = self._key, points[:length], choice
            if key not in self._logits:
                masks, scores = self.decode(points[:length], state[0])
                self._remember(key, (masks[0], scores[0]))
            state = self._logits[key]
        return state

    def _boxed(self, points: tuple[Point, ...], choice: int | None, box: Box) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`_refined`, with the box among the prompts of every step and alone in the first."""
        left, top, right, bottom = box
        corners: list[Point] = [(left, top, 2), (right, bottom, 3)]
        before = None
        for length in range(len(points) + 1):
            key = self._key, points[:length], choice, box
            if key not in self._logits:
                masks, scores = self.decode([*points[:length], *corners], before)
                taken = 0 if length or choice is None else 1 + np.argsort(-scores[1:], kind="stable")[choice]
                self._remember(key, (masks[taken], scores[taken]))
            before, _ = self._logits[key]
        return self._logits[self._key, points, choice, box]

    def _unasked(self, low: np.ndarray) -> int:
        look, square = self._look, self.network.image_encoder.img_size
        height, width = (max(1, round(n * low.shape[-1] / square)) for n in look.inside)
        covered = (low[:, :height, :width] > 0).mean(axis=(1, 2))
        return next((i for i, share in enumerate(covered) if 0 < share < WHOLE), 0)

    def _remember(self, key: tuple, value: tuple[np.ndarray, np.ndarray]) -> None:
        self._logits[key] = value
        while len(self._logits) > REMEMBERED:
            self._logits.popitem(last=False)

    def _mask(self, low: np.ndarray) -> np.ndarray:
        return (self.logits_at(low) > 0).numpy()


def prepared(image: np.ndarray, square: int) -> tuple[Tensor, tuple[int, int]]:
    """uint8 (H, W, 3) as float32 (1, 3, h, w) in 0..255 whose longer side is ``square``, and (h, w); reduced with antialiasing."""
    height, width = image.shape[:2]
    scale = square / max(height, width)
    inside = int(height * scale + 0.5), int(width * scale + 0.5)
    resized = Image.fromarray(image).resize(inside[::-1], Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1)[None].float(), inside


# The network


class LeanAttention(Attention):
    """``segment_anything``'s attention in the encoder, same parameters and output, without its copies of the score matrix.

    Global attention over a 64x64 grid has 67 MB of scores a head; heads go one after another there, so that one matrix is alive at a time.
    """

    def forward(self, x: Tensor) -> Tensor:
        batch, height, width, channels = x.shape
        qkv = self.qkv(x).view(batch, height * width, 3, self.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, H*W, c)
        tall = get_rel_pos(height, height, self.rel_pos_h)  # (H, H, c)
        wide = get_rel_pos(width, width, self.rel_pos_w)
        step = self.num_heads if batch > 1 else 1
        some = (slice(i, i + step) for i in range(0, self.num_heads, step))
        heads = [self._some(q[:, which], k[:, which], v[:, which], tall, wide) for which in some]
        out = torch.cat(heads, dim=1).transpose(1, 2).reshape(batch, height, width, channels)
        return self.proj(out)

    def _some(self, q: Tensor, k: Tensor, v: Tensor, tall: Tensor, wide: Tensor) -> Tensor:
        """Attention of some heads, (B, n, H*W, c), biased by how far apart two places are along each axis."""
        places = q.view(*q.shape[:2], len(tall), len(wide), -1)
        rows = torch.einsum("bnhwc,hkc->bnhwk", places, tall).contiguous()  # of the unscaled q, as the weights were trained
        columns = torch.einsum("bnhwc,wkc->bnhwk", places, wide).contiguous()
        bias = (rows[..., :, None] + columns[..., None, :]).view(*q.shape[:3], -1)
        return F.scaled_dot_product_attention(q, k, v, bias)


def _group(variant: str) -> str:
    (group,) = VARIANTS[variant]
    return group


def load(path: Path, variant: str) -> Sam:
    """The network in a checkpoint, on the CPU and in eval mode, every key accounted for.

    Raises ``weights.Damaged`` for a file that cannot be read, ``weights.Mismatch`` for another network than ``variant``.
    """
    name = _group(variant)
    state = weights.load_state_dict(path, name)
    check_variant(state, variant, path)
    with torch.device("meta"):  # no time for first values that are overwritten at once
        network = build({key: tuple(value.shape) for key, value in state.items()})
    network.to_empty(device="cpu")
    network.pixel_mean, network.pixel_std = (torch.tensor(value).view(3, 1, 1) for value in (_MEAN, _STD))
    weights.fit(network, state, name, unused=mobile_sam.LEFT_OVER if variant == "mobile" else ())
    return network.eval()


def check_variant(state: Mapping[str, Tensor], variant: str, path: Path) -> None:
    """Raises ``weights.Mismatch`` naming what ``state`` is if it is not a checkpoint for ``variant``."""
    found = _identified(state)
    if found == variant or (found == "vit" and variant != "mobile"):
        return
    what = {
        "": "no Segment Anything checkpoint (it has no image_encoder, prompt_encoder and mask_decoder)",
        "hub": "SAM in the layout of the transformers library, whose keys are named differently; the original .pth file is needed",
        "vit": "a ViT encoder of unpublished size",
        "mobile": "MobileSAM",
    }
    raise weights.Mismatch(
        f"{path}: {_group(variant)} is expected here, but the file holds {what.get(found, f'SAM {found}')}. "
        + (f'Use variant "{found}", or p' if found in VARIANTS else "P")
        + f"ut the right file there: python -m helpers weights fetch {_group(variant)}"
    )


def _identified(state: Mapping[str, Tensor]) -> str:
    """The variant in ``state``; "vit" for a size that was not published, "hub" for transformers' key names, "" for something else."""
    if any(key.startswith("vision_encoder.") for key in state):
        return "hub"
    if not all(any(key.startswith(part) for key in state) for part in ("image_encoder.", "prompt_encoder.", "mask_decoder.")):
        return ""
    if "image_encoder.pos_embed" not in state:
        return "mobile" if "image_encoder.patch_embed.seq.0.c.weight" in state else ""
    return _WIDTHS.get((state["image_encoder.pos_embed"].shape[-1], _count(state, "image_encoder.blocks.")), "vit")


def build(shapes: Mapping[str, Sequence[int]], decoder_heads: int = _DECODER_HEADS) -> Sam:
    """The network, not yet filled, whose parameters have these ``shapes`` by their published names.

    Raises ``weights.Mismatch`` naming a key without which no size can be told.
    """
    try:
        return _build(shapes, decoder_heads)
    except (KeyError, ValueError) as error:
        raise weights.Mismatch(
            f"no Segment Anything network has these parameters: {error} is missing or ill-shaped."
        ) from error


def _build(shapes: Mapping[str, Sequence[int]], decoder_heads: int) -> Sam:
    own = {key.removeprefix("image_encoder."): shape for key, shape in shapes.items() if key.startswith("image_encoder.")}
    encoder = vit(own) if "pos_embed" in own else mobile_sam.TinyViT(mobile_sam.sizes(own))
    width = shapes["mask_decoder.iou_token.weight"][1]
    grid = (own["pos_embed"][1] if "pos_embed" in own else encoder.img_size // 16,) * 2
    block = "mask_decoder.transformer.layers.0."
    iou = "mask_decoder.iou_prediction_head.layers."
    return Sam(
        image_encoder=encoder,
        prompt_encoder=PromptEncoder(
            embed_dim=width,
            image_embedding_size=grid,
            input_image_size=(encoder.img_size, encoder.img_size),
            mask_in_chans=shapes["prompt_encoder.mask_downscaling.3.weight"][0],
        ),
        mask_decoder=MaskDecoder(
            transformer_dim=width,
            transformer=TwoWayTransformer(
                depth=_count(shapes, "mask_decoder.transformer.layers."),
                embedding_dim=width,
                num_heads=decoder_heads,
                mlp_dim=shapes[f"{block}mlp.lin1.weight"][0],
                attention_downsample_rate=width // shapes[f"{block}cross_attn_token_to_image.q_proj.weight"][0],
            ),
            num_multimask_outputs=shapes["mask_decoder.mask_tokens.weight"][0] - 1,
            iou_head_depth=_count(shapes, iou),
            iou_head_hidden_dim=shapes[f"{iou}0.weight"][0],
        ),
    )


def vit(shapes: Mapping[str, Sequence[int]]) -> ImageEncoderViT:
    """The image encoder whose parameters have these ``shapes``, without ``image_encoder.`` before their names."""
    _, grid, _, width = shapes["pos_embed"]
    patch, depth = shapes["patch_embed.proj.weight"][-1], _count(shapes, "blocks.")
    # A table of relative positions has 2 n - 1 rows for a window of n; a window as large as the grid is global attention.
    windows = [(shapes[f"blocks.{i}.attn.rel_pos_h"][0] + 1) // 2 for i in range(depth)]
    hidden = shapes["blocks.0.mlp.lin1.weight"][0]
    heads = width // shapes["blocks.0.attn.rel_pos_h"][1]
    encoder = ImageEncoderViT(
        img_size=grid * patch,
        patch_size=patch,
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        mlp_ratio=hidden / width,
        out_chans=shapes["neck.0.weight"][0],
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=min(windows),
        global_attn_indexes=tuple(i for i, window in enumerate(windows) if window == grid),
    )
    for block, window in zip(encoder.blocks, windows, strict=True):
        block.attn = LeanAttention(width, heads, use_rel_pos=True, input_size=(window, window))
    return encoder


def _count(names: Mapping[str, object], prefix: str) -> int:
    """How many numbered modules there are under ``prefix``."""
    return 1 + max((int(name[len(prefix) :].split(".")[0]) for name in names if name.startswith(prefix)), default=-1)

"""Small Segment Anything checkpoints in the published layout, whose clicks give usable masks on drawn people.

All weights are seeded noise but for three fits in closed form, on people drawn by the mannequin: the encoder's last MLP writes three
maps (worn above, worn below, the whole figure) of 4x4 points a place into the embedding, the decoder passes them through (each in two
channels of opposite sign, so that norms keep zero and GELU's halves add up to the map), and the hypernetworks choose among them by where
the click is. The candidates of a click are the garment under it, the whole outfit and the figure; a mask given as a prompt comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from torch import Tensor, nn

from helpers import weights
from helpers.files import write_whole
from helpers.images import resize
from helpers.labels import LOWER, UPPER, select
from helpers.segmentation import mobile_sam
from helpers.segmentation.sam import prepared, vit
from helpers.testing import figure

_DEPTHS = {"sam_vit_h": 4, "sam_vit_l": 3, "sam_vit_b": 2}  # of the ViTs, so that no two files are alike
_WIDTH = 160  # of the decoder: 130 channels carry maps, and 8 heads divide it
_POINTS = 16  # 4x4 of a map in one place of the embedding
_MAPS = ("upper", "lower", "figure")
PEOPLE = (
    ("a woman with a bob in a coral crew neck crop top and navy mini skirt", 4),
    ("a woman in a white t-shirt and blue jeans", 0),
    ("a man in a green sweater and black shorts", 1),
)
"""Words and seeds of whom the networks know; the first is whom the notebooks draw unasked."""
_RECOLOURED = 2  # times each of them


def write(folder: Path, *groups: str) -> None:
    """Write the checkpoints of ``groups`` (all of them by default) below ``folder`` at their published paths, a few MB each."""
    wanted = [name for name in (*_DEPTHS, "mobile_sam") if not groups or name in groups]
    people = _people() if wanted else []
    for group in wanted:
        state = _vit(people, _DEPTHS[group]) if group in _DEPTHS else _mobile(people)
        write_whole(Path(folder) / weights.record(group).path, partial(torch.save, state))


def _people() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures uint8 (H, W, 3) and their maps bool (3, H, W): each figure as it is, then with its clothes in other colours."""
    people = []
    rng = np.random.default_rng(0)
    for words, seed in PEOPLE:
        person = figure(words, seed)
        assert person.labels is not None
        upper, lower = select(person.labels, UPPER), select(person.labels, LOWER)
        maps = np.stack([upper, lower, person.labels > 0])
        people.append((person.image, maps))
        for _ in range(_RECOLOURED):
            image = person.image.copy()
            for garment in (upper, lower):
                light = image[garment].mean(axis=1, keepdims=True) / 255
                image[garment] = np.clip(light * rng.uniform(20, 330, 3), 0, 255).astype(np.uint8)
            people.append((image, maps))
    return people


def _vit(people: list, depth: int) -> dict[str, Tensor]:
    """A ViT of 64x64 patches of 4 pixels, windows of 14 and global attention in the last block."""
    width, hidden, grid, patch = 96, 768, 64, 4
    shapes = {
        "pos_embed": (1, grid, grid, width),
        "patch_embed.proj.weight": (width, 3, patch, patch),
        "neck.0.weight": (_WIDTH,),
    }
    for i in range(depth):
        window = grid if i == depth - 1 else 14
        shapes |= {f"blocks.{i}.attn.rel_pos_h": (2 * window - 1, width // 2), f"blocks.{i}.mlp.lin1.weight": (hidden, width)}
    sam = _around(lambda: vit(shapes))
    encoder = sam.image_encoder
    with torch.no_grad():
        # Where a place is, and its colour, are what the last MLP has to go by.
        y, x = (
            axis.flatten() / (grid - 1) * 2 - 1
            for axis in torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
        )
        waves = [wave(k * torch.pi / 2 * axis) for axis in (x, y) for k in (1, 2, 4, 6) for wave in (torch.sin, torch.cos)]
        free = slice(len(_MAPS) * _POINTS, None)
        encoder.pos_embed.zero_()
        encoder.pos_embed[..., -16:] = torch.stack(waves, dim=1).view(1, grid, grid, 16)
        encoder.patch_embed.proj.weight[-16:] = 0
        for module in (encoder.patch_embed.proj, *(block.attn.proj for block in encoder.blocks)):
            _reserve(module.weight, module.bias)
        for block in encoder.blocks:
            block.attn.proj.weight[free] *= 0.5
            block.mlp.lin2.weight.zero_()
            block.mlp.lin2.bias.zero_()
        _read_out(sam, encoder.blocks[-1].mlp.lin2, people)
        _pass_through(sam)
        _answer(sam, people, by_place=True)
    return dict(sam.state_dict())


def _mobile(people: list) -> dict[str, Tensor]:
    """A narrow TinyViT. It sees no places, only what is around: the candidates are all clothes, less of them, and the figure."""
    sizes = mobile_sam.Sizes((8, 16, 32, 96), (1, 1, 1, 1), (0, 2, 2, 4), (0, 7, 14, 7), mlp_ratio=8.0, out=_WIDTH)
    sam = _around(lambda: mobile_sam.TinyViT(sizes))
    last = sam.image_encoder.layers[-1].blocks[-1]
    with torch.no_grad():
        _settle(sam, people[0][0])
        _reserve(sam.image_encoder.layers[-2].downsample.conv3.bn.weight, sam.image_encoder.layers[-2].downsample.conv3.bn.bias)
        _reserve(last.attn.proj.weight, last.attn.proj.bias)
        _reserve(last.local_conv.bn.weight, last.local_conv.bn.bias)
        last.mlp.fc2.weight.zero_()
        last.mlp.fc2.bias.zero_()
        _read_out(sam, last.mlp.fc2, people[:: 1 + _RECOLOURED])  # it goes by colour, so by theirs
        _pass_through(sam)
        _answer(sam, people, by_place=False)
    state = dict(sam.state_dict())
    # The classifier that the published file carries along.
    state |= {"image_encoder.norm_head.weight": torch.ones(96), "image_encoder.norm_head.bias": torch.zeros(96)}
    return state | {"image_encoder.head.weight": torch.zeros(10, 96), "image_encoder.head.bias": torch.zeros(10)}


def _around(encoder: Callable[[], nn.Module]) -> Sam:
    """A network of seeded noise around an encoder with a 64x64 grid."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        image_encoder = encoder()
        sam = Sam(
            image_encoder,
            PromptEncoder(_WIDTH, (64, 64), (image_encoder.img_size,) * 2, mask_in_chans=40),
            MaskDecoder(
                transformer_dim=_WIDTH,
                transformer=TwoWayTransformer(depth=2, embedding_dim=_WIDTH, num_heads=8, mlp_dim=32),
                iou_head_hidden_dim=32,
            ),
        )
    return sam.eval()


def _settle(sam: Sam, image: np.ndarray) -> None:
    """Make the filters averages and give the batch norms a picture's statistics: noise fades from layer to layer without them."""
    for module in (*sam.image_encoder.patch_embed.modules(), *sam.image_encoder.layers.modules()):
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            # Averages, which a picture of another sharpness does not change.
            module.weight.copy_(module.weight.mean(dim=(2, 3), keepdim=True).expand_as(module.weight))
    norms = [module for module in sam.image_encoder.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        norm.train()
    sam.image_encoder(sam.preprocess(prepared(image, sam.image_encoder.img_size)[0]))
    for norm in norms:
        norm.eval()


def _reserve(weight: Tensor, bias: Tensor) -> None:
    """Keep the first channels free for what the last MLP writes."""
    weight[: len(_MAPS) * _POINTS] = 0
    bias[: len(_MAPS) * _POINTS] = 0


def _read_out(sam: Sam, layer: nn.Linear, people: list) -> None:
    """Fit ``layer``, the encoder's last, to the people's maps: ridge regression on what reaches it."""
    square, inputs, targets = sam.image_encoder.img_size, [], []
    hook = layer.register_forward_pre_hook(lambda _, given: inputs.append(given[0].reshape(4096, -1)))
    for image, maps in people:
        picture, inside = prepared(image, square)
        sam.image_encoder(sam.preprocess(picture))
        size = tuple(round(n * 256 / square) for n in inside)
        whole = np.zeros((len(maps), 256, 256), bool)
        for i, one in enumerate(maps):
            whole[i, : size[0], : size[1]] = resize(one, size[::-1])
        points = torch.from_numpy(whole).view(-1, 64, 4, 64, 4).permute(1, 3, 0, 2, 4)  # (rows, columns, maps, 4, 4)
        targets.append(2.0 * points.reshape(4096, -1) - 1)
    hook.remove()
    y = torch.cat(targets).double()
    weight = torch.where((y > 0).any(dim=1), 1.0, 0.4)
    coefficients = _ridge(torch.cat(inputs), y, weight)
    layer.weight[: y.shape[1]], layer.bias[: y.shape[1]] = coefficients[:-1].t(), coefficients[-1]


def _ridge(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """(n + 1, m) float32: the weighted least squares fit of y (N, m) to x (N, n) and one, lightly damped."""
    x = torch.cat([x.double(), torch.ones(len(x), 1, dtype=torch.double)], dim=1)
    weighted = x * weight[:, None]
    square = weighted.t() @ x
    damping = 1e-5 * square.diagonal().mean() * torch.eye(len(square), dtype=torch.double)
    return torch.linalg.solve(square + damping, weighted.t() @ y).float()


def _pass_through(sam: Sam) -> None:
    """Lead the maps, and a mask given as a prompt, from the encoder's first channels to the upscaled ones, two channels each."""
    sign = (1, -1)
    neck, prompt, head = sam.image_encoder.neck, sam.prompt_encoder, sam.mask_decoder
    neck[0].weight.zero_()
    neck[2].weight.zero_()
    for j in range(len(_MAPS) * _POINTS):
        for s in (0, 1):
            neck[0].weight[2 * j + s, j] = sign[s]
    neck[2].weight[range(_WIDTH), range(_WIDTH), 1, 1] = 1
    for attention in [head.transformer.final_attn_token_to_image] + [
        part for layer in head.transformer.layers for part in (layer.cross_attn_token_to_image, layer.cross_attn_image_to_token)
    ]:
        attention.out_proj.weight.zero_()
        attention.out_proj.bias.zero_()

    prompt.no_mask_embed.weight.zero_()
    fine, _, _, coarse, _, _, last = prompt.mask_downscaling
    first, _, _, second, _ = head.output_upscaling
    for layer in (fine, coarse, last, first, second):
        layer.weight.zero_()
        layer.bias.zero_()
    second.bias[8] = 1.0  # a constant for thresholds
    block = [(a, b) for a in (0, 1) for b in (0, 1)]
    for n, (y, x) in enumerate(block):
        for s in (0, 1):
            fine.weight[2 * n + s, 0, y, x] = sign[s]
        for down, right in block:
            point = (2 * down + y) * 4 + 2 * right + x
            for s in (0, 1):
                for t in (0, 1):
                    coarse.weight[2 * point + s, 2 * n + t, down, right] = sign[s] * sign[t]
                    last.weight[len(_MAPS) * 2 * _POINTS + 2 * point + s, 2 * point + t] = sign[s] * sign[t]
                for m in range(len(_MAPS) + 1):
                    first.weight[(m * _POINTS + point) * 2 + s, (4 * m + n) * 2 + s, down, right] = 1
        for m in range(len(_MAPS) + 1):
            for s in (0, 1):
                for t in (0, 1):
                    second.weight[(4 * m + n) * 2 + t, 2 * m + s, y, x] = sign[s] * sign[t]


def _answer(sam: Sam, people: list, by_place: bool) -> None:
    """Make the hypernetworks choose: the mask before, the garment clicked on, the outfit, the figure."""
    head, size = sam.mask_decoder, sam.image_encoder.img_size
    upper, lower, figure, before, constant = torch.eye(5)
    outfit = upper + lower + constant
    constants = {0: before + 0.1 * outfit, 2: outfit, 3: figure}
    constants |= {} if by_place else {1: outfit - 0.5 * constant}
    for token, value in constants.items():
        layer = head.output_hypernetworks_mlps[token].layers[-1]
        layer.weight.zero_()
        layer.bias.copy_(_hyper(value))
    scores = head.iou_prediction_head.layers[-1]
    scores.weight.zero_()
    scores.bias.copy_(torch.tensor([0.8, 0.95, 0.9, 0.85] if by_place else [0.8, 0.85, 0.95, 0.9]))
    if not by_place:
        return
    # Above the waist the garment is the upper one. Tokens do not depend on the picture here, so that one place stands for all.
    waist = np.mean([np.flatnonzero(maps[1].any(axis=1))[0] / maps.shape[1] for _, maps in people])
    x, y = (axis.flatten() for axis in torch.meshgrid(torch.linspace(0, 0.75, 24), torch.linspace(0, 1, 60), indexing="xy"))
    sparse, _ = sam.prompt_encoder((torch.stack([x, y], dim=1)[:, None] * size, torch.ones(len(x), 1)), None, None)
    own = torch.cat([head.iou_token.weight, head.mask_tokens.weight]).expand(len(x), -1, -1)
    nowhere = torch.zeros(len(x), _WIDTH, 1, 1)
    tokens, _ = head.transformer(nowhere, nowhere, torch.cat([own, sparse], dim=1))
    *hidden, last = head.output_hypernetworks_mlps[1].layers
    features = tokens[:, 2]
    for layer in hidden:
        features = layer(features).relu()
    above = (0.5 + (waist - y) / 0.03).clamp(0, 1)[:, None].double()
    target = above * _hyper(upper) + (1 - above) * _hyper(lower)
    fitted = _ridge(features, target, torch.ones(len(x)))
    last.weight.copy_(fitted[:-1].t())
    last.bias.copy_(fitted[-1])


def _hyper(value: Tensor) -> Tensor:
    """(C/8,) for factors on upper, lower, figure, mask before (4 maps in two channels each) and one."""
    vector = torch.zeros(_WIDTH // 8)
    vector[0:8:2], vector[1:8:2] = value[:4], -value[:4]
    vector[8] = value[4] / 0.8413  # GELU(1)
    return 4 * vector  # logits of a usual size

"""Product photographs whose truth is known, as shops and wardrobes show them: mannequin garments on many backdrops.

``products`` renders garments and keeps them; ``scene`` lays one on a backdrop of a kind in :data:`KINDS` and says what is where.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from helpers.garment import Garment, load_garment
from helpers.mannequin.engine import product
from helpers.mannequin.fabrics import PATTERNS
from helpers.mannequin.garments import KINDS as CUTS
from helpers.mannequin.outfit import Fabric, Piece
from helpers.pixels import nearest_known

UPPER = (
    "t-shirt", "shirt", "sweater", "long-sleeve", "tank top", "crop top", "dress", "polo shirt", "camisole", "t-shirt", "hoodie",
    "cardigan", "long-sleeve", "dress", "t-shirt", "blazer", "tank top", "sweater", "shirt", "jumpsuit",
)  # fmt: skip
LOWER = ("jeans", "trousers", "shorts", "mini skirt", "midi skirt", "a-line skirt", "leggings", "pencil skirt")
COLOURS = (
    "#f4f4f2", "#16161a", "#b9bcc0", "#27406f", "#a33b3b", "#e9e4d8", "#31473a", "#dfb84b", "#d9a6a6", "#6f7378", "#86a0bd",
    "#5a3a2a", "#f1efe8", "#3c8a83", "#c46a3f",
)  # fmt: skip
KINDS = (
    "white", "grey", "colour", "gradient", "white on white", "shadow", "hanger", "bust", "label", "sheet", "wood", "off-centre",
    "rotated", "small", "cut",
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """A garment off its backdrop with what the words say of it: kind, sleeve, neckline, length, pattern."""

    garment: Garment
    said: dict


def products(count: int, cache: Path, category: str = "upper") -> list[Known]:
    """``count`` garments, rendered once at 768x1024 and kept under ``cache``; the same number is always the same garment."""
    cuts = UPPER if category == "upper" else LOWER
    found = []
    for number in range(count):
        rng = np.random.default_rng([number, len(cuts)])
        kind = CUTS[cuts[number % len(cuts)]]
        slots = {slot: str(rng.choice(values)) for slot, values in kind.allowed.items() if slot != "style"}
        if slots.get("sleeve") in ("strap",) and slots.get("neckline") in ("turtle", "boat", "collar"):
            slots["sleeve"] = "none"
        pattern = str(rng.choice([p for p in PATTERNS if p != "print"])) if rng.random() < 0.5 else "solid"
        colour, accent = rng.choice(COLOURS, 2, replace=False)
        weave = str(rng.choice([w for day in kind.weaves for w in day]))
        piece = Piece(kind.name, Fabric(str(colour), pattern, str(accent), float(rng.uniform(0.03, 0.1)), weave), **slots)
        name = f"{category}{number:03d}"
        path = cache / "cloth" / f"{name}.jpg"
        if not path.exists():
            product(piece, seed=number).save(cache, name)
        said = {**slots, "kind": kind.name, "pattern": pattern, "colour": str(colour), "category": kind.category}
        found.append(Known(load_garment(path, kind.category), said))
    return found


@dataclass(frozen=True)
class Scene:
    """A product photograph and its truth.

    image: uint8 (H, W, 3); mask: bool (H, W), the garment; inside: bool (H, W), where it is seen from within; kind: of :data:`KINDS`
    """

    image: np.ndarray
    mask: np.ndarray
    inside: np.ndarray
    kind: str
    said: dict


def scene(known: Known, kind: str, seed: int, size: tuple[int, int] = (576, 768)) -> Scene:
    """``known`` photographed as ``kind`` says, with as much chance in light, place and grain as ``seed`` gives."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    big = 2 * size[0], 2 * size[1]
    cloth, mask, inside = _placed(known.garment, kind, rng, big)
    if rng.random() < 0.25:
        cloth = _printed(cloth, mask & ~inside, rng)
    if kind == "white on white":
        cloth = _whitened(cloth, mask, rng)
    back = _backdrop(kind, rng, big)
    if kind == "white on white":  # it stands out by a few codes, as the eye needs to see it at all
        away = np.median(back.reshape(-1, 3).mean(1)) - np.median(cloth[mask])
        cloth = np.clip(cloth - max(0.0, rng.uniform(5, 12) - away), 0, 255).astype(np.uint8)
    back = _shadowed(back, mask, rng, strong=kind in ("shadow", "label") or rng.random() < 0.3)
    if kind == "bust":
        back, cloth, mask, inside = _bust(back, cloth, mask, inside, rng)
    if kind == "hanger":
        back, cloth, mask, inside = _hanger(back, cloth, mask, inside, rng)
    if kind == "label" or rng.random() < 0.25:
        cloth = _label(cloth, inside, rng)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8)[..., None]
    picture = _linear(cloth) * soft + _linear(back) * (1 - soft)
    picture = cv2.resize(_codes(picture).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    rows, columns = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    light = (
        1 + rng.uniform(-0.04, 0.04) * columns + rng.uniform(-0.04, 0.04) * rows - rng.uniform(0, 0.05) * (rows**2 + columns**2)
    )
    picture = picture * light[..., None] + rng.normal(0, rng.uniform(0.3, 1.8), picture.shape)
    picture = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(80, 97))])
    picture = np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1])
    small = [cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5 for m in (mask, inside)]
    return Scene(picture, small[0], small[1] & small[0], kind, known.said)


def _linear(codes: np.ndarray) -> np.ndarray:
    return (codes.astype(np.float32) / 255) ** 2.2


def _codes(linear: np.ndarray) -> np.ndarray:
    return np.clip(255 * np.maximum(linear, 0) ** (1 / 2.2), 0, 255)


def _placed(
    garment: Garment, kind: str, rng: np.random.Generator, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cloth carried on past its outline, and its masks, turned, scaled and moved onto a canvas of ``size``."""
    mask = garment.mask
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    _, place = nearest_known(core)
    cloth = garment.image.reshape(-1, 3)[place].astype(np.uint8)
    rows, columns = np.nonzero(mask)
    middle = np.array([(columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2])
    scale = rng.uniform(0.74, 0.94) * min(size[0] / np.ptp(columns), size[1] / np.ptp(rows))
    turn, shift = rng.uniform(-1.5, 1.5), rng.uniform(-0.01, 0.01, 2)
    if kind == "rotated":
        turn = float(rng.uniform(4, 10) * rng.choice([-1, 1]))
        scale = min(scale, 0.78 * min(size[0] / np.ptp(columns), size[1] / np.ptp(rows)))
    elif kind == "small":
        scale *= rng.uniform(0.35, 0.55)
        shift = rng.uniform(-0.15, 0.15, 2)
    elif kind == "off-centre":
        scale *= 0.7
        shift = rng.uniform(0.06, 0.11, 2) * rng.choice([-1, 1], 2)
    elif kind == "cut":
        shift = np.array([rng.choice([0.0, 0.15, -0.15]), 0.62 - 0.5 * scale * np.ptp(rows) / size[1]])
    elif kind in ("hanger", "bust"):
        scale *= 0.84
        shift = np.array([0.0, 0.06])
    matrix = cv2.getRotationMatrix2D(tuple(middle), turn, scale)
    matrix[:, 2] += (np.array([0.5, 0.5]) + shift) * size - middle
    # The picture is smaller than the canvas: sampled smoothly, and reduced with it afterwards.
    out = cv2.warpAffine(cloth, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    masks = [cv2.warpAffine(m.astype(np.float32), matrix, size, flags=cv2.INTER_LINEAR) > 0.5 for m in (mask, garment.inside)]
    return out, masks[0], masks[1] & masks[0]


def _printed(cloth: np.ndarray, front: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same with a picture or letters on the chest."""
    rows, columns = np.nonzero(front)
    middle, wide = int((columns.min() + columns.max()) / 2), float(np.sqrt(len(rows)))
    top = int(np.percentile(rows[np.abs(columns - middle) < 5], 8))
    centre = middle, int(top + rng.uniform(0.16, 0.35) * wide)
    tones = [tuple(int(v) for v in rng.integers(10, 250, 3)) for _ in range(3)]
    out, half = cloth.copy(), int(rng.uniform(0.08, 0.2) * wide)
    shape = rng.integers(4)
    if shape == 0:
        cv2.ellipse(out, centre, (half, int(0.8 * half)), 0, 0, 360, tones[0], -1, cv2.LINE_AA)
        cv2.ellipse(out, centre, (half // 2, half // 3), 0, 0, 360, tones[1], -1, cv2.LINE_AA)
    elif shape == 1:
        cv2.rectangle(out, (centre[0] - half, centre[1] - half // 2), (centre[0] + half, centre[1] + half), tones[0], -1)
        cv2.circle(out, centre, half // 2, tones[1], -1, cv2.LINE_AA)
    elif shape == 2:
        for line in range(int(rng.integers(1, 4))):
            cv2.putText(
                out, "ATELIER", (centre[0] - half, centre[1] + line * half // 2), 0, half / 70, tones[0], 8, cv2.LINE_AA
            )
    else:  # a broad band, as of a yoke or a colour block
        out[centre[1] : centre[1] + half] = tones[0]
    return np.where(front[..., None], out, cloth)


def _whitened(cloth: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same folds in white cloth."""
    light = cv2.cvtColor(cloth, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)
    soft = cv2.GaussianBlur(light, (0, 0), 3)
    low, high = np.percentile(soft[mask], (5, 95))
    level = rng.uniform(228, 244) + rng.uniform(10, 24) * (np.clip((soft - low) / max(high - low, 1), 0, 1) - 1)
    tint = rng.uniform(-3, 3, 3)
    return np.clip(level[..., None] + tint, 0, 255).astype(np.uint8)


def _noise(size: tuple[int, int], rng: np.random.Generator, wide: float, high: float) -> np.ndarray:
    """(H, W) smooth noise of deviation 1 with lumps of so many pixels."""
    shape = max(4, int(size[1] / high) + 3), max(4, int(size[0] / wide) + 3)
    field = cv2.resize(rng.normal(size=shape).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return (field - field.mean()) / field.std()


def _backdrop(kind: str, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    plain = (
        kind
        if kind in ("white", "grey", "colour", "gradient", "sheet", "wood")
        else str(rng.choice(["white", "grey", "colour"]))
    )
    if kind == "white on white":
        plain = "paper"
    rows, columns = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j].astype(np.float32)
    level = {"white": rng.uniform(243, 255), "paper": rng.uniform(238, 255), "grey": rng.uniform(90, 232)}.get(
        plain, rng.uniform(170, 240)
    )
    colour = np.full(3, level) + rng.uniform(-4, 4, 3)
    if plain == "colour":
        hue = np.array([[[rng.integers(180), rng.integers(40, 190), rng.integers(110, 240)]]], np.uint8)
        colour = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].astype(float)
    back = np.tile(np.clip(colour, 0, 255).astype(np.float32), (size[1], size[0], 1))
    if plain == "gradient":
        angle = rng.uniform(0, 2 * np.pi)
        back += (
            rng.uniform(15, 40) * (np.cos(angle) * columns + np.sin(angle) * rows) - rng.uniform(0, 20) * (rows**2 + columns**2)
        )[..., None]
    if plain == "sheet":
        folds = sum(
            _ridges(size, rng, rng.uniform(0, np.pi), rng.uniform(60, 220)) * rng.uniform(2, 7)
            for _ in range(int(rng.integers(3, 7)))
        )
        back += (folds + 1.5 * _noise(size, rng, 3, 3))[..., None]
    if plain == "wood":
        back = _wood(rng, size)
    return np.clip(back, 0, 255)


def _ridges(size: tuple[int, int], rng: np.random.Generator, angle: float, wave: float) -> np.ndarray:
    """(H, W) about -1..1: creases that run at ``angle``, one side in the light and one in the shade."""
    rows, columns = np.mgrid[: size[1], : size[0]].astype(np.float32)
    across = np.cos(angle) * columns + np.sin(angle) * rows + 40 * _noise(size, rng, 400, 400)
    return np.sin(2 * np.pi * across / wave / 2) ** 3 * np.clip(0.5 + 0.6 * _noise(size, rng, 300, 300), 0, 1)


def _wood(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A floor of planks with their grain."""
    base = np.array([(176, 132, 92), (120, 82, 54), (205, 178, 142), (150, 140, 130)][int(rng.integers(4))], np.float32)
    turned = rng.random() < 0.5
    wide, high = size[::-1] if turned else size
    plank = int(rng.integers(90, 220))
    rows, columns = np.mgrid[:high, :wide]
    tone = rng.normal(0, 8, high // plank + 2)[rows // plank + 0 * columns]
    grain = 7 * _noise((wide, high), rng, 260, 5) + 4 * _noise((wide, high), rng, 500, 12)
    seam = np.where(rows % plank < 3, -45, 0)
    back = base + (tone + grain + seam)[..., None] * np.array([1, 0.95, 0.85], np.float32)
    back = back.transpose(1, 0, 2) if turned else back
    return np.clip(back, 0, 255).astype(np.float32)


def _shadowed(back: np.ndarray, mask: np.ndarray, rng: np.random.Generator, strong: bool) -> np.ndarray:
    """The backdrop under the garment's shadow: a faint one close by, and a strong one thrown aside."""
    high = len(mask)
    out = _linear(back)
    for strength, away, blur in (
        (rng.uniform(0.04, 0.16), 0.006, 0.01),
        (0.2 if strong else rng.uniform(0, 0.08), 0.028, rng.uniform(0.012, 0.03)),
    ):
        angle = rng.uniform(-0.2, np.pi + 0.2)
        matrix = np.array([[1, 0, np.cos(angle) * away * high], [0, 1, np.sin(angle) * away * high]])
        moved = cv2.warpAffine(mask.astype(np.float32), matrix, mask.shape[::-1])
        small = cv2.resize(moved, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        soft = cv2.resize(cv2.GaussianBlur(small, (0, 0), blur * high / 4), mask.shape[::-1])
        out *= (1 - strength * soft)[..., None]
    return _codes(out)


def _neck(mask: np.ndarray) -> tuple[int, int, int]:
    """x of the middle, y of the top and the width of the garment."""
    rows, columns = np.nonzero(mask)
    middle = int((columns.min() + columns.max()) / 2)
    near = np.abs(columns - middle) < 0.05 * np.ptp(columns)
    return middle, int(rows[near].min()), int(np.ptp(columns))


def _bust(
    back: np.ndarray, cloth: np.ndarray, mask: np.ndarray, inside: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A dummy in the garment: neck and stumps of arms behind it, its chest in the neck."""
    middle, top, _ = _neck(mask)
    rows, _ = np.nonzero(mask)
    tone = np.array([(236, 230, 222), (214, 180, 150), (40, 40, 42), (190, 190, 192)][int(rng.integers(4))], np.float32)
    body = np.zeros(mask.shape, np.uint8)
    high = len(mask)
    half = int(0.055 * high)
    upper = max(0, int(top - 0.075 * high))
    cv2.rectangle(body, (middle - half, upper), (middle + half, top + int(0.1 * high)), 1, -1)
    cv2.ellipse(body, (middle, upper), (half, half // 3), 0, 0, 360, 1, -1)
    shoulder = int(rows.min() + 0.03 * high)
    cv2.fillPoly(
        body,
        [
            np.array(
                [
                    (middle - half, shoulder - 20),
                    (middle + half, shoulder - 20),
                    (middle + int(0.15 * high), shoulder + 60),
                    (middle + int(0.12 * high), shoulder + int(0.3 * high)),
                    (middle - int(0.12 * high), shoulder + int(0.3 * high)),
                    (middle - int(0.15 * high), shoulder + 60),
                ],
                np.int32,
            )
        ],
        1,
    )
    columns = np.mgrid[: mask.shape[0], : mask.shape[1]][1]
    round_light = 1 - 0.25 * np.clip(np.abs(columns - middle) / (0.17 * high), 0, 1) ** 2
    painted = tone * round_light[..., None]
    in_neck = (body > 0) & inside & (cv2.erode(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
    back = np.where((body > 0)[..., None], painted, back)
    return back, cloth, mask & ~in_neck, inside & ~in_neck


def _hanger(
    back: np.ndarray, cloth: np.ndarray, mask: np.ndarray, inside: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A hanger: a hook above the garment, the middle of its bar in the neck."""
    middle, top, wide = _neck(mask)
    high = len(mask)
    tone = [(150, 104, 62), (30, 30, 32), (238, 238, 238), (170, 172, 176)][int(rng.integers(4))]
    drawn = back.astype(np.uint8).copy()
    bar = np.zeros(mask.shape, np.uint8)
    start = top + int(0.015 * high)
    end = int(0.24 * wide)
    thick = int(rng.integers(14, 26))
    cv2.polylines(
        bar,
        [
            np.array(
                [(middle - end, start + int(0.09 * high)), (middle, start), (middle + end, start + int(0.09 * high))], np.int32
            )
        ],
        False,
        1,
        thick,
    )
    hook = np.zeros(mask.shape, np.uint8)
    reach = max(int(0.02 * high), 20)
    cv2.line(hook, (middle, start), (middle, start - int(0.06 * high)), 1, 7)
    cv2.ellipse(hook, (middle + reach, start - int(0.06 * high)), (reach, reach), 0, 180, 380, 1, 7)
    metal = (150, 152, 156) if rng.random() < 0.7 else tone
    drawn[hook > 0] = metal
    drawn[bar > 0] = tone
    in_neck = ((bar | hook) > 0) & inside & (cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    drawn = cv2.GaussianBlur(drawn, (0, 0), 0.8).astype(np.float32)
    return drawn, cloth, mask & ~in_neck, inside & ~in_neck


def _label(cloth: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A size label sewn into the back of the neck."""
    count, pieces, stats, centres = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    if count < 2:
        return cloth
    high = len(inside)
    near = [
        k for k in range(1, count) if abs(centres[k][0] - inside.shape[1] / 2) < 0.2 * inside.shape[1] and stats[k, 4] > 400
    ]
    if not near:
        return cloth
    k = min(near, key=lambda k: stats[k, 1])
    y = stats[k, 1]
    column = np.nonzero(pieces[:, min(int(centres[k][0]), inside.shape[1] - 1)] == k)[0]
    top = int(column.min()) if column.size else y
    w, h = int(rng.uniform(0.028, 0.05) * high), int(rng.uniform(0.02, 0.04) * high)
    tone = [(245, 245, 243), (20, 20, 22), (225, 205, 160)][int(rng.integers(3))]
    out, piece = cloth.copy(), np.zeros(inside.shape, np.uint8)
    cx = int(centres[k][0])
    cv2.rectangle(piece, (cx - w // 2, top + 4), (cx + w // 2, top + 4 + h), 1, -1)
    out[(piece > 0) & inside] = tone
    ink = np.zeros(inside.shape, np.uint8)
    cv2.putText(ink, "ATELIER M", (cx - w // 2 + 4, top + 4 + h // 2), 0, w / 190, 1, 1)
    out[(ink > 0) & (piece > 0) & inside] = tuple(255 - t for t in tone)
    return out

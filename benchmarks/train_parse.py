"""What the derived parse weighs, learnt again: ``helpers/annotation/derived.npz`` from figures whose truth is known.

``python benchmarks/train_parse.py draw FOLDER --to 300`` draws people in outfits, poses and views of every kind; ``look FOLDER`` recolours
and disturbs each picture and lets the networks and ``evidence`` look at it; ``fit FOLDER`` learns and writes the file. The first two go on
where they were stopped, and several may run side by side (``--from``, ``--to``). Needs torch; some hours on one core, most of them drawing.
"""

from __future__ import annotations

import argparse
import pickle
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from helpers import annotate
from helpers.annotation import evidence
from helpers.annotation.derived import CLASSES, LEARNT, perceptron
from helpers.labels import CIHP, DENSEPOSE_PARTS
from helpers.mannequin import truth
from helpers.mannequin.body import pose
from helpers.mannequin.engine import Mannequin
from helpers.mannequin.render import studio
from helpers.mannequin.render.camera import Camera
from helpers.mannequin.words import vocabulary
from helpers.mannequin.words.prompt import parse

SIZE = (384, 512)
VIEWS, DISTURBED = 2, 5  # pictures of a figure, and times that each is disturbed, the last two with another waistline
HELD_BACK = 10  # every tenth figure is not learnt from
TOPS = (
    "t-shirt", "shirt", "sweater", "long-sleeve top", "tank top", "crop top", "blouse", "hoodie", "polo shirt", "cardigan",
    "turtleneck sweater", "v-neck t-shirt", "scoop neck long-sleeve top", "off the shoulder top", "strappy top",
    "jacket over a t-shirt", "blazer over a shirt", "coat over a sweater",
)  # fmt: skip
BOTTOMS = (
    "jeans", "trousers", "mini skirt", "shorts", "midi skirt", "wide trousers", "leggings", "a-line skirt", "pencil skirt",
    "mini shorts",
)  # fmt: skip
DRESSES = ("dress", "midi dress", "sleeveless dress", "long-sleeve dress", "mini dress", "maxi dress", "strappy dress")
PATTERNS = ("", "", "", "", "striped ", "checked ", "dotted ", "floral ")
PLAIN = ("white", "black", "navy", "grey", "off white", "charcoal")
LIKE_SKIN = ("beige", "tan", "peach", "camel", "blush", "apricot", "caramel", "sand")


# ---------------------------------------------------------------------------------------------------------------- draw


def draw(folder: Path, numbers: range) -> None:
    """Write ``NUMBER_VIEW.npz`` for each figure: picture, CIHP labels, DensePose parts."""
    engine = Mannequin()
    for number in numbers:
        if (folder / f"{number:04d}_{VIEWS - 1}.npz").exists():
            continue
        rng = np.random.default_rng([77, number])
        words = _words(rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outfit = parse(words, number)
        outfit = replace(outfit, figure=replace(outfit.figure, pose="standing"))
        pose.TABLE["standing"] = _pose(rng)
        engine.close()  # a figure is known by its pose's name
        try:
            surfaces = engine.surfaces(outfit, number)
        except ValueError as error:  # a pose that no cloth can be draped on
            print(number, words, error)
            continue
        body, _ = engine._dress(outfit)
        top = max(float(surface.vertices[:, 1].max()) for surface in surfaces)
        for view in range(VIEWS):
            picture = studio.render(surfaces, _camera(rng, top), outfit.backdrop, number)
            known = truth.annotate(picture, body)
            shown = {name: known[name] for name in ("labels", "keypoints")}
            file = folder / f"{number:04d}_{view}.npz"
            np.savez_compressed(file, image=picture.image, parts=known["densepose"][..., 0], **shown)


def _words(rng: np.random.Generator) -> str:
    def colour() -> str:
        chance = rng.random()
        return str(rng.choice(PLAIN if chance < 0.28 else LIKE_SKIN if chance < 0.38 else list(vocabulary.COLOURS)))

    who = rng.choice(["woman", "woman", "woman", "man"])
    styles = {"woman": "long long long bob bun ponytail short curly buzz", "man": "short short buzz curly bald long"}
    style = rng.choice(styles[who].split())
    hair = "a bald head" if style == "bald" else f"{rng.choice(list(vocabulary.HAIR_COLOURS))} {style} hair"
    skin, build = (
        rng.choice(list(vocabulary.SKINS)),
        rng.choice(["slim", "slim", "average", "average", "athletic", "curvy", "heavy"]),
    )
    if who == "woman" and rng.random() < 0.2:
        wear = f"a {colour()} {rng.choice(PATTERNS)}{rng.choice(DRESSES)}"
    else:
        first = colour()
        second = first if rng.random() < 0.08 else colour()
        tops, bottoms = TOPS, BOTTOMS
        if who == "man":
            tops = tuple(name for name in TOPS if not name.startswith(("crop", "off", "strappy", "blouse")))
            bottoms = ("jeans", "trousers", "shorts", "wide trousers")
        pattern = rng.choice(PATTERNS[2:]) if rng.random() < 0.3 else ""
        wear = f"a {first} {rng.choice(PATTERNS)}{rng.choice(tops)} and {second} {pattern}{rng.choice(bottoms)}"
    return f"a {build} {who} with {skin} skin and {hair} in {wear}"


def _pose(rng: np.random.Generator) -> pose.Pose:
    names = list(pose.TABLE)
    base = pose.TABLE[names[rng.integers(len(names))]]
    if rng.random() < 0.2:
        return base

    def arm(default: pose.Arm) -> pose.Arm:
        chance, u = rng.random(), rng.uniform
        if chance < 0.12:
            return default
        if chance < 0.62:  # down
            return pose.Arm(u(6, 38), u(-15, 22), u(4, 55), u(0, 80), u(0, 60), u(2, 20))
        if chance < 0.86:  # bent, across the body or on the hip
            return pose.Arm(u(5, 30), u(0, 30), u(60, 120), u(40, 100), u(0, 90), u(2, 20))
        return pose.Arm(u(40, 100), u(-10, 30), u(5, 80), u(-40, 60), u(0, 60), u(2, 20), u(5, 12))

    def leg() -> pose.Leg:
        return pose.Leg(rng.uniform(-0.05, 0.09), rng.uniform(-0.1, 0.12), rng.uniform(3, 24))

    return pose.Pose(
        arm(base.left_arm), arm(base.right_arm), leg(), leg(), sway=rng.uniform(-0.04, 0.05),
        hips=(rng.uniform(-5, 5), rng.uniform(-8, 8)), shoulders=(rng.uniform(-5, 5), rng.uniform(-12, 12)),
        head=(rng.uniform(-6, 6), rng.uniform(-16, 16)),
    )  # fmt: skip


def _camera(rng: np.random.Generator, height: float) -> Camera:
    """From the front mostly, some from the side or behind; down to the soles, the shins, the thighs or the waist."""
    turn = rng.normal(0, 14) if rng.random() < 0.86 else 180 + rng.normal(0, 20)
    if rng.random() < 0.1:
        turn = rng.choice([-1, 1]) * rng.uniform(35, 75)
    top, chance = height * (1 + rng.uniform(0.02, 0.1)), rng.random()
    reach = next(
        reach
        for limit, reach in ((0.3, (-0.08, -0.01)), (0.55, (0.1, 0.3)), (0.92, (0.3, 0.48)), (1, (0.48, 0.62)))
        if chance < limit
    )
    low = height * rng.uniform(*reach)
    if rng.random() < 0.08:  # the head cut off
        top = height * rng.uniform(0.86, 0.97)
    extent, lens = top - low, 17.0
    away = extent / 2 / np.tan(np.radians(lens) / 2)
    yaw, pitch = np.radians(turn), np.radians(rng.normal(0, 3))
    target = np.array([np.cos(yaw), 0, -np.sin(yaw)]) * rng.uniform(-0.06, 0.06) * extent + (0, (top + low) / 2, 0)
    place = target + away * np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    return Camera(tuple(map(float, place)), tuple(map(float, target)), lens, SIZE)


# ---------------------------------------------------------------------------------------------------------------- look


def look(folder: Path, numbers: range) -> None:
    """Write ``NUMBER_VIEW_TIME.pkl`` for each picture: the frame, and (n, 14) and (n, 25) what each superpixel truly shows."""
    for file in sorted(folder.glob("*.npz")):
        number, view = map(int, file.stem.split("_"))
        if number not in numbers:
            continue
        for time in range(DISTURBED if number % HELD_BACK else 1):
            out = folder / f"{file.stem}_{time}.pkl"
            if out.exists():
                continue
            with np.load(file) as stored:
                known, rng = dict(stored), np.random.default_rng([number, time, view])
            if time >= DISTURBED - 2:
                _move_the_waist(known, rng)
            image, labels, parts = _disturbed(known, rng, bool(number % HELD_BACK))
            try:
                person = annotate(image, engine="mediapipe", needs=("landmarks", "hands", "face", "matte"))
            except ValueError:  # nobody is found: nothing to learn
                continue
            f = evidence.frame(person)
            out.write_bytes(
                pickle.dumps((f, _shares(f, _CLASS_OF[labels], len(CLASSES)), _shares(f, parts, len(DENSEPOSE_PARTS))))
            )


_LIKE = {"coat": "upper-clothes", "scarf": "upper-clothes", "hat": "hair", "socks": "left-shoe"}
_CLASS_OF = np.array(
    [CLASSES.index(_LIKE.get(name, name)) if _LIKE.get(name, name) in CLASSES else 0 for name in CIHP], np.uint8
)


def _shares(f: evidence.Frame, values: np.ndarray, count: int) -> np.ndarray:
    """float16 (n, count): which of ``values`` (H, W) lie in each superpixel."""
    x0, y0, x1, y1 = f.window
    small = cv2.resize(values[y0:y1, x0:x1], f.index.shape[::-1], interpolation=cv2.INTER_NEAREST).astype(int)
    found = np.bincount(f.index.ravel() * count + small.ravel(), minlength=len(f.area) * count).reshape(-1, count)
    return (found / f.area[:, None]).astype(np.float16)


def _mirrored(names: Sequence[str]) -> np.ndarray:
    """For each name the number of that of the other side."""
    other = {"left": "right", "right": "left"}
    return np.array([names.index("-".join(other.get(word, word) for word in name.split("-"))) for name in names], np.uint8)


def _disturbed(known: dict, rng: np.random.Generator, recoloured: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture, labels and parts with other colours of cloth, skin, hair and backdrop, prints, light, noise, mirrored, cut off."""
    image, labels, parts = known["image"], known["labels"], known["parts"]
    if recoloured:
        image = _photographed(_recoloured(image, labels, rng), labels > 0, rng)
    if rng.random() < 0.5:
        image, labels, parts = image[:, ::-1], _mirrored(CIHP)[labels[:, ::-1]], _mirrored(DENSEPOSE_PARTS)[parts[:, ::-1]]
    if rng.random() < 0.25:
        (height, width), (a, b, c, d) = labels.shape, rng.uniform(0, 0.12, 4)
        kept = np.s_[int(a * height * 0.5) : height - int(b * height), int(c * width) : width - int(d * width)]
        image, labels, parts = image[kept], labels[kept], parts[kept]
    return tuple(np.ascontiguousarray(each) for each in (image, labels, parts))  # type: ignore[return-value]


def _move_the_waist(known: dict, rng: np.random.Generator) -> None:
    """Let what is worn below begin higher, or what is worn above end lower, in ``image`` and ``labels``: figures of the wardrobe tuck
    rarely, people often."""
    labels, parts, joints = known["labels"], known["parts"], known["keypoints"]
    neck, hips = joints[1], joints[8]
    if neck[2] == 0 or hips[2] == 0 or hips[1] - neck[1] < 30:
        return
    upper, lower = np.isin(labels, (5, 6, 7)), np.isin(labels, (9, 12))
    dress = np.count_nonzero(labels == 6) > 200
    if not upper.any() or (dress and rng.random() < 0.5):
        return
    raised = rng.random() < 0.75
    x, y = np.arange(labels.shape[1])[None], np.arange(labels.shape[0])[:, None]
    line = neck[1] + (rng.uniform(0.5, 1.02) if raised else rng.uniform(0.95, 1.35)) * (hips[1] - neck[1])
    aside = x - (neck[0] + hips[0]) / 2
    line = line + rng.normal(0, 0.06) * aside + rng.normal(0, 0.0006) * aside**2
    line = line + _cloudy(rng, labels.shape, 30)[:1, :, 0] * rng.uniform(0, 2.5)
    lab = cv2.cvtColor(known["image"].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    on_trunk = np.isin(parts, (1, 2, *range(7, 15)))
    changed = (upper & on_trunk & (y > line)) if raised else (lower & on_trunk & (y < line))
    if changed.sum() < 100:
        return
    if dress:
        labels[labels == 6] = CIHP.index("upper-clothes")
    here, there = (upper, lower) if raised else (lower, upper)
    own = np.median(lab[here], axis=0)
    other = np.median(lab[there], axis=0) if there.sum() > 300 else _any_colour(rng, 20)
    lab[changed] = other + (lab[changed] - own) * 0.6
    skirt = np.count_nonzero(labels == 12) > np.count_nonzero(labels == 9) or (not lower.any() and rng.random() < 0.5)
    labels[changed] = (CIHP.index("skirt") if skirt else CIHP.index("pants")) if raised else CIHP.index("upper-clothes")
    if rng.random() < 0.6:  # a waistband, and its seam
        lab[changed & (y < line + rng.uniform(3, 16)), 0] += rng.uniform(-12, 10)
        lab[changed & (y < line + 1.5), 0] -= rng.uniform(0, 20)
    known["image"] = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255, 0, 255).astype(np.uint8)


def _cloudy(rng: np.random.Generator, shape: tuple[int, ...], size: float) -> np.ndarray:
    """float32 (H, W, 1): smooth noise of deviation about 1, its clouds ``size`` pixels large."""
    height, width = shape[:2]
    coarse = rng.normal(size=(max(2, int(height / size)), max(2, int(width / size)))).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]


def _any_colour(rng: np.random.Generator, spread: float = 25) -> np.ndarray:
    """CIE Lab."""
    return np.array([rng.uniform(8, 95), rng.normal(0, spread), rng.normal(0, spread)])


def _recoloured(image: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float32 (H, W, 3) CIE Lab."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)

    def of(*numbers: int) -> np.ndarray:
        return np.isin(labels, numbers)

    skin, hair, face = of(10, 13, 14, 15, 16, 17), of(2), of(13)
    tone = np.median(lab[skin], axis=0) if skin.sum() > 50 else np.array([65, 15, 18])
    strand = np.median(lab[hair], axis=0) if hair.sum() > 50 else tone
    last: np.ndarray | None = None
    for cloth in (of(5, 6, 7), of(9, 12)):
        if cloth.sum() < 50:
            continue
        middle = np.median(lab[cloth], axis=0)
        if rng.random() < 0.45:
            chance, light = rng.random(), rng.choice([10, 14, 20, 60, 88, 92, 95])
            colour = (
                tone + rng.normal(0, 4, 3) if chance < 0.14 else strand + rng.normal(0, 5, 3) if chance < 0.24
                else np.array([light, rng.normal(0, 1.5), rng.normal(1, 2)]) if chance < 0.5 else _any_colour(rng, 28)
            )  # fmt: skip
            if last is not None and rng.random() < 0.2:
                colour = last + rng.normal(0, 1.5, 3)
            lab[cloth] = colour + (lab[cloth] - middle) * rng.uniform(0.5, 1.1)
            middle = colour
        last = middle
        if rng.random() < 0.3:
            printed = _print(cloth, rng)
            lab[printed] = _any_colour(rng) + 0.4 * (lab[printed] - middle)
        if rng.random() < 0.12:  # a yoke, a band, a hem
            rows = np.nonzero(cloth)[0]
            low = rows.min() + np.ptp(rows) * rng.uniform(0, 0.8)
            at = np.arange(len(labels))[:, None] + 4 * _cloudy(rng, labels.shape, 40)[..., 0]
            band = cloth & (at > low) & (at < low + np.ptp(rows) * rng.uniform(0.05, 0.5))
            lab[band] = _any_colour(rng) + 0.7 * (lab[band] - middle)
    strands = _cloudy(rng, labels.shape, rng.uniform(3, 9)) * rng.uniform(0, 7) * (1, 0.15, 0.3)
    lab[hair] += strands[hair]
    if rng.random() < 0.4:
        lab[hair] += rng.normal(0, (12, 4, 7))
    lab[of(10, 14, 15, 16, 17)] += rng.normal(0, (4, 1.6, 2))  # a made-up face is not the body's colour
    shade, blush = _cloudy(rng, labels.shape, 25) * rng.uniform(0, 4), _cloudy(rng, labels.shape, 8) * rng.uniform(0, 1.5)
    lab[skin] += (shade * (1, -0.2, 0.1))[skin]
    lab[face] += (blush * (1.5, 1.5, 0.2))[face]
    return lab


def _print(cloth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """bool (H, W): discs and letters on ``cloth``."""
    rows, columns = np.nonzero(cloth)
    drawn = np.zeros(cloth.shape, np.uint8)
    for _ in range(rng.integers(1, 9)):
        at, size = rng.integers(len(rows)), rng.uniform(3, 40)
        place = int(columns[at]), int(rows[at])
        if rng.random() < 0.5:
            cv2.ellipse(drawn, place, (int(size), int(size * rng.uniform(0.2, 1))), rng.uniform(0, 180), 0, 360, 1, -1)
        else:
            letters = "".join(rng.choice(list("ABEHKMWX8"), rng.integers(1, 6)))
            cv2.putText(drawn, letters, place, cv2.FONT_HERSHEY_DUPLEX, size / 28, 1, int(rng.integers(1, 4)))
    return (drawn > 0) & cloth


def _photographed(lab: np.ndarray, figure: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """uint8 (H, W, 3): before another backdrop, in another light, with a camera's faults."""

    def rgb(values: np.ndarray) -> np.ndarray:
        return np.clip(cv2.cvtColor(values.astype(np.float32), cv2.COLOR_LAB2RGB) * 255, 0, 255)

    image, shape = rgb(lab), lab.shape
    if rng.random() < 0.55:
        plain = np.array([rng.uniform(60, 97), rng.normal(0, 5), rng.normal(0, 6)]) if rng.random() < 0.8 else _any_colour(rng)
        backdrop = plain + _cloudy(rng, shape, 200) * rng.uniform(0, 6) * (1, 0, 0)
        backdrop += rng.uniform(-8, 8) * np.linspace(-1, 1, shape[0])[:, None, None] * (1, 0, 0)
        if rng.random() < 0.25:
            for size in (60, 20, 8):
                backdrop += _cloudy(rng, shape, size) * rng.uniform(0, 1) * (7, 4, 4)
        alpha = cv2.GaussianBlur(figure.astype(np.float32), (0, 0), 0.6)[..., None]
        image = alpha * image + (1 - alpha) * rgb(backdrop)
    image = image * (1 + 0.1 * _cloudy(rng, shape, 250) * rng.random())
    image = 255 * (np.clip(image, 0, 255) / 255) ** rng.uniform(0.7, 1.4)
    image = image * rng.uniform(0.85, 1.15) * (1 + rng.normal(0, 0.03, 3))
    image = (image - 128) * rng.uniform(0.85, 1.15) + 128 + rng.normal(0, rng.uniform(0, 4), shape)
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9))
    image = np.clip(image, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 97))])
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1]


# ----------------------------------------------------------------------------------------------------------------- fit


def fit(folder: Path, epochs: int) -> None:
    """Learn both networks; the second from what a first one says that has not seen its figure. Prints IoU of the figures held back."""
    known, held = [], []
    for file in sorted(folder.glob("*.pkl")):
        f, classes, parts = pickle.loads(file.read_bytes())
        number, there = int(file.stem[:4]), f.soft > evidence.THERE
        row = number, f, there, evidence.plain(f).astype(np.float32), classes.astype(np.float32), parts.astype(np.float32)
        (known if number % HELD_BACK else held).append(row)
    halves = [_learn([row for row in known if row[0] % 2 == half], epochs) for half in (0, 1)]
    first = _learn(known, epochs)
    second = _learn([_wiser(row, halves[1 - row[0] % 2]) for row in known], epochs)
    shared, either = np.zeros(len(CLASSES)), np.zeros(len(CLASSES))
    for row in held:
        told, true = _chances(second, _wiser(row, first)).argmax(1), row[4].argmax(1)
        for index in range(len(CLASSES)):
            shared[index] += row[1].area[(told == index) & (true == index)].sum()
            either[index] += row[1].area[(told == index) | (true == index)].sum()
    print(dict(zip(CLASSES, np.round(shared / np.maximum(either, 1), 3).tolist(), strict=True)))
    weights = {
        f"{name}_{key}": value.astype(np.float16)
        for name, net in (("first", first), ("second", second))
        for key, value in net.items()
    }
    np.savez_compressed(LEARNT, **weights)
    print(LEARNT, LEARNT.stat().st_size, "bytes")


def _learn(rows: Sequence[tuple], epochs: int, share: float = 0.45) -> dict[str, np.ndarray]:
    """A perceptron of two hidden layers for classes and parts, as arrays; a ``share`` of the superpixels is learnt from."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    chosen = [np.flatnonzero(row[2] & (rng.random(len(row[2])) < share)) for row in rows]
    x, classes, parts = (
        torch.tensor(np.concatenate([row[k][at] for row, at in zip(rows, chosen, strict=True)])) for k in (3, 4, 5)
    )
    middle, scale = x.mean(0), 1 / x.std(0).clamp(min=0.05)
    net = nn.Sequential(
        nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Dropout(0.15), nn.Linear(64, 48), nn.ReLU(), nn.Dropout(0.1),
        nn.Linear(48, len(CLASSES) + len(DENSEPOSE_PARTS)),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-3)
    steps = epochs * (len(x) // 2048 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=steps, pct_start=0.2)
    for _ in range(epochs):
        for at in torch.randperm(len(x)).split(2048):
            given = ((x[at] - middle) * scale).clamp(-6, 6)
            told = net(given * (torch.rand_like(given) > 0.06))
            loss = -(classes[at] * told[:, : len(CLASSES)].log_softmax(1)).sum(1).mean()
            loss = loss - 0.5 * (parts[at] * told[:, len(CLASSES) :].log_softmax(1)).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    out = {"mean": middle.numpy(), "scale": scale.numpy()}
    for number, layer in enumerate(part for part in net if isinstance(part, nn.Linear)):
        out |= {f"w{number}": layer.weight.detach().numpy().T, f"b{number}": layer.bias.detach().numpy()}
    return out


def _chances(net: dict[str, np.ndarray], row: tuple) -> np.ndarray:
    """(n, 14) of one picture."""
    _, f, there, x, *_ = row
    return evidence.spread(f, perceptron(net, x[there])[0])


def _wiser(row: tuple, first: dict[str, np.ndarray]) -> tuple:
    """``row`` with what the first network's guess adds."""
    number, f, there, x, classes, parts = row
    return number, f, there, np.hstack([x, evidence.context(f, _chances(first, row))]).astype(np.float32), classes, parts


def main() -> None:
    """Draw, look or fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("draw", "look", "fit"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--from", dest="first", type=int, default=0, metavar="N", help="first figure")
    parser.add_argument("--to", type=int, default=300, metavar="N", help="figure after the last")
    parser.add_argument("--epochs", type=int, default=12)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    numbers = range(arguments.first, arguments.to)
    if arguments.step == "fit":
        fit(arguments.folder, arguments.epochs)
    else:
        {"draw": draw, "look": look}[arguments.step](arguments.folder, numbers)


if __name__ == "__main__":
    main()

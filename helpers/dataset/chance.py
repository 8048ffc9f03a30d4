"""What chance decides about a mannequin pair, always by a generator: words, pose, cloth and print, camera, light, and what lies behind."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from helpers.mannequin.body.pose import TABLE, Arm, Leg, Pose
from helpers.mannequin.fabrics import PATTERNS, WEAVES
from helpers.mannequin.outfit import Fabric, Outfit, Piece
from helpers.mannequin.render.camera import LENS, Camera
from helpers.mannequin.render.light import STUDIO, Light, Studio
from helpers.mannequin.words.vocabulary import COLOURS, HAIR_COLOURS, SKINS

_TOPS = (
    "t-shirt", "t-shirt", "t-shirt", "shirt", "shirt", "sweater", "long-sleeve top", "tank top", "crop top", "blouse", "hoodie",
    "polo shirt", "cardigan", "turtleneck sweater", "v-neck t-shirt", "scoop neck long-sleeve top", "camisole", "oversized t-shirt",
    "boat neck top", "sleeveless top", "blazer",
)  # fmt: skip
_WOMENS = ("crop top", "blouse", "camisole", "boat neck top", "tank top")
_BOTTOMS = (
    "jeans",
    "trousers",
    "shorts",
    "mini skirt",
    "midi skirt",
    "wide-leg trousers",
    "leggings",
    "a-line skirt",
    "pencil skirt",
)
_DRESSES = ("dress", "midi dress", "sleeveless dress", "long-sleeve dress", "mini dress", "maxi dress", "jumpsuit")
_HAIR = {
    "woman": ("long", "long", "long", "bob", "bun", "ponytail", "short", "curly"),
    "man": ("short", "short", "buzz", "curly"),
}
_BUILDS = ("slim", "slim", "average", "average", "athletic", "curvy", "heavy")
_LETTERS = ("ATELIER", "92", "NORTH", "hello", "A", "KYOTO", "No. 5", "studio", "X", "maison")


def words(rng: np.random.Generator, category: str) -> str:
    """Somebody in something of the ``category``; cloth and pose come later."""
    who = "woman" if category == "dress" or rng.random() < 0.7 else "man"
    man = who == "man"
    tops = [name for name in _TOPS if not man or name not in _WOMENS]
    bottoms = [name for name in _BOTTOMS if not man or name in ("jeans", "trousers", "shorts")]
    wear = f"a {rng.choice(_DRESSES)}" if category == "dress" else f"a {rng.choice(tops)} and {rng.choice(bottoms)}"
    hair = f"{rng.choice(list(HAIR_COLOURS))} {rng.choice(_HAIR[who])} hair"
    return f"a {rng.choice(_BUILDS)} {who} with {rng.choice(list(SKINS))} skin and {hair} in {wear}"


def pose(rng: np.random.Generator) -> Pose:
    """One of those with a name, or arms down, bent across the body, or raised."""
    base = TABLE[list(TABLE)[rng.integers(len(TABLE))]]
    if rng.random() < 0.25:
        return base

    def arm(default: Arm) -> Arm:
        chance, u = rng.random(), rng.uniform
        if chance < 0.1:
            return default
        if chance < 0.62:  # down
            return Arm(u(8, 38), u(-15, 20), u(4, 50), u(0, 80), u(0, 60), u(2, 20))
        if chance < 0.86:  # bent, across the body or on the hip
            return Arm(u(8, 30), u(0, 30), u(60, 115), u(40, 95), u(0, 90), u(2, 20))
        return Arm(u(40, 95), u(-10, 30), u(5, 80), u(-40, 60), u(0, 60), u(2, 20), u(5, 12))

    def leg() -> Leg:
        return Leg(rng.uniform(-0.05, 0.08), rng.uniform(-0.1, 0.1), rng.uniform(3, 22))

    return Pose(
        arm(base.left_arm),
        arm(base.right_arm),
        leg(),
        leg(),
        sway=rng.uniform(-0.04, 0.05),
        hips=(rng.uniform(-5, 5), rng.uniform(-8, 8)),
        shoulders=(rng.uniform(-5, 5), rng.uniform(-12, 12)),
        head=(rng.uniform(-6, 6), rng.uniform(-16, 16)),
    )


def recoloured(outfit: Outfit, rng: np.random.Generator) -> tuple[Piece, ...]:
    """The pieces of ``outfit`` in other cloth of the same weave, which has a part in how they fall."""
    return tuple(replace(piece, fabric=_fabric(piece.fabric.weave, rng)) for piece in outfit.pieces)


def _fabric(weave: str, rng: np.random.Generator) -> Fabric:
    made = [name for name, pattern in PATTERNS.items() if name not in ("solid", "print")]
    made = [name for name in made if WEAVES[weave].printed or not PATTERNS[name].printed]
    chance = rng.random()
    pattern = "solid" if chance < 0.4 else str(rng.choice(made))
    if chance > 0.78 and WEAVES[weave].printed:
        pattern = "print"
    return Fabric(_colour(rng), pattern, _colour(rng), float(np.exp(rng.uniform(np.log(0.012), np.log(0.12)))), weave)


def _colour(rng: np.random.Generator) -> str:
    """A colour that cloth comes in, white and black often, somewhat off; sometimes any."""
    chance = rng.random()
    name = rng.choice(("white", "black", "navy", "grey", "off white")) if chance < 0.3 else rng.choice(list(COLOURS))
    rgb = np.array([int(COLOURS[str(name)][k : k + 2], 16) for k in (1, 3, 5)], float)
    rgb = rng.uniform(0, 255, 3) if chance > 0.85 else rgb + rng.normal(0, 10, 3)
    return "#{:02x}{:02x}{:02x}".format(*np.clip(np.rint(rgb), 0, 255).astype(int))


def emblem(rng: np.random.Generator) -> np.ndarray:
    """A picture to be printed on a chest: uint8 (256, 256, 4) RGBA, discs, bars and letters."""
    out = np.zeros((256, 256, 4), np.uint8)

    def ink() -> tuple[int, ...]:
        return (*(int(v) for v in rng.integers(0, 256, 3)), 255)

    for _ in range(int(rng.integers(1, 5))):
        x, y, size = (int(v) for v in rng.integers((40, 40, 20), (216, 216, 90)))
        kind = rng.integers(3)
        if kind == 0:
            cv2.ellipse(out, (x, y), (size, int(size * rng.uniform(0.4, 1))), float(rng.uniform(0, 180)), 0, 360, ink(), -1)
        elif kind == 1:
            cv2.rectangle(out, (x - size, y - size // 3), (x + size, y + size // 3), ink(), -1)
        else:
            cv2.fillPoly(out, [rng.integers(20, 236, (int(rng.integers(3, 7)), 2)).astype(np.int32)], ink())
    if rng.random() < 0.7:
        text, scale = str(rng.choice(_LETTERS)), float(rng.uniform(1.2, 3.5))
        (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 6)
        scale *= min(1, 240 / wide)
        at = int(128 - wide * min(1, 240 / wide) / 2), int(rng.integers(high + 10, 246))
        cv2.putText(out, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, ink(), int(rng.integers(3, 9)), cv2.LINE_AA)
    return out


def camera(rng: np.random.Generator, height: float, size: tuple[int, int], category: str) -> Camera:
    """From the front, sometimes three quarters; from above the head to the soles, the knees or the hips of a figure so many metres tall.

    category: of the garment that is to be seen
    """
    turn = rng.normal(0, 12) if rng.random() < 0.9 else rng.choice([-1, 1]) * rng.uniform(22, 45)
    closer = rng.random() < (0.5 if category == "upper" else 0.15)
    top, low = height * (1 + rng.uniform(0.02, 0.1)), height * (rng.uniform(0.2, 0.47) if closer else rng.uniform(-0.08, 0.1))
    if rng.random() < 0.12:  # the head cut off
        top = height * rng.uniform(0.88, 0.97)
    extent = top - low
    away = extent / 2 / np.tan(np.radians(LENS) / 2)
    yaw, pitch = np.radians(turn), np.radians(rng.normal(0, 3))
    target = np.array([np.cos(yaw), 0, -np.sin(yaw)]) * rng.uniform(-0.06, 0.06) * extent + (0, (top + low) / 2, 0)
    place = target + away * np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    x, y, z = map(float, place)
    at_x, at_y, at_z = map(float, target)
    return Camera((x, y, z), (at_x, at_y, at_z), LENS, size)


def light(rng: np.random.Generator) -> Studio:
    """The studio with its key light from either side, higher or lower, warmer or colder, and more or less of everything else."""
    side, tint = rng.choice([-1.0, 1.0]), 1 + rng.normal(0, 0.05) * np.array([1.0, 0.1, -1.0])

    def lamp(lamp: Light, number: int) -> Light:
        x, y, z = np.array(lamp.direction) * (side, rng.uniform(0.6, 1.3), rng.uniform(0.7, 1.3))
        red, green, blue = np.array(lamp.colour) * tint * (rng.uniform(0.7, 1.15) if number == 0 else rng.uniform(0.2, 2))
        return replace(lamp, direction=(float(x), float(y), float(z)), colour=(float(red), float(green), float(blue)))

    red, green, blue = np.array(STUDIO.sky) * tint * rng.uniform(0.7, 1.4)
    return replace(
        STUDIO, lights=tuple(lamp(one, k) for k, one in enumerate(STUDIO.lights)), sky=(float(red), float(green), float(blue))
    )


def behind(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """What a photograph out of focus has behind a person: uint8 (H, W, 3), a wall and a floor with blurred things before them."""
    width, height = size
    out = np.empty((height, width, 3), np.float32)
    horizon = int(rng.uniform(0.55, 1.0) * height)
    out[:horizon], out[horizon:] = rng.uniform(40, 245, 3), rng.uniform(30, 200, 3)
    for _ in range(int(rng.integers(0, 12))):
        corner = (rng.uniform(-0.2, 1, 2) * size).astype(int)
        far = corner + (rng.uniform(0.03, 0.5, 2) * size).astype(int)
        colour = tuple(float(v) for v in rng.uniform(10, 250, 3))
        if rng.random() < 0.6:
            cv2.rectangle(out, tuple(map(int, corner)), tuple(map(int, far)), colour, -1)
        else:
            cv2.circle(out, tuple(map(int, corner)), int(rng.uniform(0.02, 0.2) * width), colour, -1)
    out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.005, 0.04)) * height)
    out += cv2.resize(rng.normal(0, 8, (6, 5, 3)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.clip(out, 0, 255).astype(np.uint8)

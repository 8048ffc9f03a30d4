"""The styles of ``outfit.HAIRSTYLES``, each a function from a head to strands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from helpers.mannequin.body.strands import (
    AXIS,
    Head,
    Strands,
    above_hairline,
    around,
    clumps,
    grow,
    resample_strands,
    smooth,
    wave,
)
from helpers.mannequin.fields import smoothstep
from helpers.mannequin.mesh import unit
from helpers.mannequin.outfit import Figure

_SIDE, _UP, _AHEAD = np.eye(3)


def strands(head: Head, figure: Figure, rng: np.random.Generator) -> Strands | None:
    """The hair of ``figure``; ``None`` for bald and buzz cut, which need no strands of any length."""
    make = _STYLES[figure.hair]
    return None if make is None else make(head, figure, rng)


def _density(figure: Figure) -> Callable[[np.ndarray], np.ndarray]:
    """Likelihood of a root: full on the scalp, thinning over the last centimetre to the hairline."""
    return lambda place: smoothstep(-0.001, 0.008, above_hairline(place, figure.presentation, figure.age))


def _softness(roots: np.ndarray, figure: Figure) -> np.ndarray:
    """(N,) 0..1: fading roots along the hairline of forehead and temples; at the nape hair points down over its own roots."""
    edge = 1 - smoothstep(0.004, 0.022, above_hairline(roots, figure.presentation, figure.age))
    return edge * (1 - 0.8 * smoothstep(np.radians(60), np.radians(80), around(roots)))


def _parted(roots: np.ndarray, normals: np.ndarray, part: float, rng: np.random.Generator, lift: float) -> np.ndarray:
    """First directions (N, 3): off the parting to both sides, on the back of the head down."""
    away = np.sign(roots[:, 0] - part + rng.normal(0, 0.0015, len(roots)))
    back = smoothstep(np.radians(55), np.radians(140), around(roots))[:, None]
    high = smoothstep(1.60, 1.66, roots[:, 1])[:, None]
    wide = away[:, None] * (1 - 0.97 * back) + roots[:, :1] / 0.075 * 0.4 * back
    comb = wide * _SIDE - _AHEAD * (0.30 + 0.25 * high) - _UP * (0.25 + 1.2 * back)
    comb += rng.normal(0, 0.10, comb.shape)
    comb = unit(comb - np.einsum("ij,ij->i", comb, normals)[:, None] * normals)
    return unit(comb + lift * normals)


def _off_face(at: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Steering (N, 3) that keeps strands out of the face: sideways in front of it, faster the nearer the middle."""
    limit = np.interp(at[:, 1], [1.40, 1.47, 1.56, 1.60, 1.635], [0.050, 0.062, 0.073, 0.062, 0.0])
    inside = np.maximum(limit - np.abs(at[:, 0]), 0) / 0.02
    front = smoothstep(0.05, 0.10, at[:, 2])
    side = np.where(at[:, 0] >= 0, 1.0, -1.0)
    return (strength * front * inside * side)[:, None] * _SIDE


def _long(head: Head, figure: Figure, rng: np.random.Generator) -> Strands:
    woman = figure.presentation == "woman"
    reach = rng.uniform(0.34, 0.44) if woman else rng.uniform(0.17, 0.20)
    part = rng.choice([0.0, -0.022, 0.022])
    split = {1: rng.uniform(-0.02, 0.03), -1: rng.uniform(-0.02, 0.03)}
    return _falling(head, figure, rng, 1500, part, end=1.60 - reach, jitter=0.035, inward=0.0, split=split)


def _bob(head: Head, figure: Figure, rng: np.random.Generator) -> Strands:
    part = rng.choice([0.0, -0.024, 0.024])
    end = rng.uniform(1.425, 1.455)
    hair = _falling(head, figure, rng, 1350, part, end=end, jitter=0.007, inward=0.55, split={1: 0.0, -1: 0.0})
    return hair.joined(_fringe(head, figure, rng)) if rng.random() < 0.4 else hair


def _falling(
    head: Head,
    figure: Figure,
    rng: np.random.Generator,
    count: int,
    part: float,
    end: float,
    jitter: float,
    inward: float,
    split: dict[int, float],
) -> Strands:
    """Hair that hangs from a parting down to the height ``end``; ``inward``: how much the ends turn to the neck;
    ``split``: by side, what lies ahead of this depth at the neck falls before the shoulder, the rest behind."""
    roots, normals = head.roots(count, rng, _density(figure))
    direction = _parted(roots, normals, part, rng, 0.22)
    rank = smoothstep(1.52, 1.66, roots[:, 1])
    layer = np.clip(0.75 * rank + rng.uniform(0, 0.3, len(roots)), 0, 1)
    clearance = 0.004 + 0.014 * layer
    side = np.where(roots[:, 0] > part, 1, -1)
    parting = np.where(side > 0, split[1], split[-1]) + rng.normal(0, 0.006, len(roots))
    fullness = 0.088 + 0.022 * layer

    def steer(at: np.ndarray, far: float) -> np.ndarray:
        low = smoothstep(-1.57, -1.46, -at[:, 1])
        flat = (at - AXIS) * [1, 0, 1]
        wide = np.linalg.norm(flat * [1, 1, 0.85], axis=1)
        hug = 0.32 * smoothstep(0.0, 0.03, wide - fullness * (1 - 0.12 * low))
        # Over the shoulder hair goes to the front or the back, not down the arm.
        wing = np.sign(at[:, 0]) * low * smoothstep(0.11 + 0.03 * layer, 0.18, np.abs(at[:, 0])) * 0.6
        before = at[:, 2] > parting
        hug = hug * np.where(before, 1 - 0.95 * low, 1.0)  # in front it falls straight from the jaw
        out = _off_face(at) - hug[:, None] * unit(flat) - wing[:, None] * _SIDE
        to = np.where(before, 0.11 - 0.35 * np.abs(at[:, 0]) - at[:, 2], at[:, 2] + 0.075)
        drift = np.where(before, 0.26, -0.40)
        out = out + (drift * low * smoothstep(0.0, 0.05, to))[:, None] * _AHEAD
        if inward:
            near = smoothstep(-(end + 0.06), -end, -at[:, 1])
            out = out - (inward * near)[:, None] * unit((at - AXIS) * [1, 0, 1])
        return out

    step = 0.013
    steps = int(np.ceil((1.66 - end + 0.10) / step))
    points = grow(head, roots, direction, steps, step, clearance, lambda far: 0.24 + 0.5 * min(1.0, far / 0.10), steer)
    stop = end + rng.normal(0, jitter, len(points))
    below = points[:, :, 1] < stop[:, None]
    length = np.where(below.any(1), below.argmax(1), steps) * step
    length *= 1 - 0.35 * (rng.random(len(length)) < 0.12)
    points = resample_strands(smooth(points), 24, np.maximum(length, 0.05), 1.25)
    lock = clumps(points, 150, rng, 0.34, 0.035)
    straight = inward > 0
    wave(points, lock, rng, 0.0012 if straight else rng.choice([0.003, 0.006]), 0.15)
    low = points[..., 1] < 1.46  # locks were drawn together and waved: off the shoulders again
    points[low] = head.push(points[low], np.broadcast_to(0.3 * clearance[:, None], low.shape)[low])
    return Strands(points, rng.uniform(0.005, 0.009, len(points)), layer, lock, _softness(roots, figure))


def _fringe(head: Head, figure: Figure, rng: np.random.Generator) -> Strands:
    """Hair over the forehead down to the brows."""
    wide = np.radians(44)
    roots, normals = head.roots(
        460, rng, lambda p: _density(figure)(p) * (around(p) < wide) * (above_hairline(p, figure.presentation, 20) < 0.032)
    )
    direction = unit(
        _AHEAD + 0.25 * normals + np.clip(roots[:, :1] / 0.05, -1, 1) * 0.35 * _SIDE + rng.normal(0, 0.05, roots.shape)
    )
    clearance = rng.uniform(0.006, 0.015, len(roots))
    points = grow(head, roots, direction, 10, 0.009, clearance, lambda far: 0.25 + 2.5 * far / 0.05)
    below = points[:, :, 1] < (1.572 + rng.normal(0, 0.003, len(points)))[:, None]
    length = np.where(below.any(1), below.argmax(1), 10) * 0.009
    points = resample_strands(points, 10, np.maximum(length, 0.03))
    lock = clumps(points, 60, rng, 0.35, 0.012)
    return Strands(points, rng.uniform(0.005, 0.008, len(points)), np.full(len(points), 0.9), lock, _softness(roots, figure))


# ------------------------------------------------------------------------------------------------------------ gathered


def _gathered(head: Head, figure: Figure, rng: np.random.Generator, count: int, knot: np.ndarray) -> Strands:
    """Hair combed over the skull to ``knot``."""
    roots, _ = head.roots(count, rng, _density(figure))
    goal = knot + rng.normal(0, 0.006, roots.shape)
    here, there = roots - AXIS, goal - AXIS
    steps = 14
    a, b = unit(here), unit(there)
    angle = np.arccos(np.clip(np.einsum("ij,ij->i", a, b), -1, 1))
    t = np.linspace(0, 1, steps)
    sine = np.maximum(np.sin(angle), 1e-6)
    path = (np.sin((1 - t) * angle[:, None]) / sine[:, None])[..., None] * a[:, None] + (
        np.sin(t * angle[:, None]) / sine[:, None]
    )[..., None] * b[:, None]
    radius = np.linalg.norm(here, axis=1)[:, None] * (1 - t) + np.linalg.norm(there, axis=1)[:, None] * t
    points = AXIS + path * radius[..., None]
    layer = np.clip(rng.uniform(0, 1, len(roots)), 0, 1)
    clear = 0.002 + 0.0045 * layer[:, None] * smoothstep(0.0, 0.4, t)
    flat = head.push(points.reshape(-1, 3), clear.ravel()).reshape(points.shape)
    flat = smooth(flat, 4)
    flat[:, 0] = roots
    flat += (0.006 * np.sin(np.pi * t)[None, :] * smoothstep(1.60, 1.66, flat[..., 1]))[..., None] * _UP
    lock = clumps(flat, 70, rng, 0.35, 0.03)
    hair = Strands(flat, rng.uniform(0.003, 0.0055, len(flat)), layer, lock, _softness(roots, figure), twist=0.12)
    return hair.joined(_wisps(head, figure, rng))


def _wisps(head: Head, figure: Figure, rng: np.random.Generator) -> Strands:
    """Loose fine hairs at temples and nape that no comb caught."""

    def keep(place: np.ndarray) -> np.ndarray:
        edge = above_hairline(place, figure.presentation, figure.age)
        angle = np.degrees(around(place))
        return _density(figure)(place) * (edge < 0.014) * (((angle > 46) & (angle < 84)) | (angle > 128))

    roots, normals = head.roots(70, rng, keep)
    temple = (around(roots) < np.radians(95))[:, None]
    direction = unit(0.6 * normals + np.where(temple, -0.3 * _UP + 0.1 * _AHEAD, -_UP) + rng.normal(0, 0.25, roots.shape))
    points = grow(head, roots, direction, 8, 0.008, rng.uniform(0.002, 0.007, len(roots)), lambda far: 0.25)
    points = resample_strands(points, 9, rng.uniform(0.012, 0.055, len(points)))
    lock = np.arange(len(points))
    wave(points, lock, rng, 0.003, 0.05)
    return Strands(points, rng.uniform(0.0016, 0.003, len(points)), np.full(len(points), 0.6), lock, np.ones(len(points)))


def _bun(head: Head, figure: Figure, rng: np.random.Generator) -> Strands:
    knot = np.array([0, 1.650, -0.012]) if rng.random() < 0.6 else np.array([0, 1.585, -0.046])
    hair = _gathered(head, figure, rng, 1500, knot)
    size = 0.036 if figure.presentation == "woman" else 0.027
    pole = unit(knot - AXIS)
    centre = knot + 0.72 * size * pole
    return hair.joined(_ball(centre, pole, size, rng))


def _ball(centre: np.ndarray, pole: np.ndarray, size: float, rng: np.random.Generator, count: int = 330) -> Strands:
    """A coil of hair wound about ``pole``: rope-like turns on a flattened ball, loose ends standing off."""
    x = unit(np.cross(pole, _SIDE + 0.01 * _AHEAD))
    y = np.cross(pole, x)
    band = rng.uniform(-1.0, 1.0, count)
    start, sweep = rng.uniform(0, 2 * np.pi, count), rng.uniform(1.6, 2.8, count)
    t = np.linspace(0, 1, 14)
    turn = start[:, None] + sweep[:, None] * t
    height = np.clip(band[:, None] + 0.36 * (t - 0.5) + 0.05 * np.sin(3 * turn), -1.08, 1.08)
    # Three turns of rope: grooves where they lie against each other.
    rope = 1 + 0.07 * np.cos(2 * np.pi * 1.6 * (height - turn / (2 * np.pi) * 0.62))
    radius = size * rope * np.sqrt(np.maximum(1 - 0.80 * height**2, 0.02)) * rng.uniform(0.93, 1.05, (count, 1))
    loose = (rng.random(count) < 0.08)[:, None] * smoothstep(0.5, 1.0, t) * rng.uniform(0.1, 0.5, (count, 1))
    radius = radius * (1 + loose)
    points = centre + radius[..., None] * (np.cos(turn)[..., None] * x + np.sin(turn)[..., None] * y)
    points = points + (0.80 * size * height)[..., None] * pole
    core = np.broadcast_to(centre, points.shape)
    width, layer = rng.uniform(0.004, 0.007, count), rng.uniform(0.2, 1, count)
    return Strands(points, width, layer, (band * 4 + 5).astype(int), np.zeros(count), core=core)


def _ponytail(head: Head, figure: Figure, rng: np.random.Generator) -> Strands:
    knot = np.array([0, rng.uniform(1.600, 1.645), -0.035])
    knot[2] = -0.04 + 0.5 * (knot[1] - 1.60)
    hair = _gathered(head, figure, rng, 1500, knot)
    count, pole = 420, unit(knot - AXIS)
    ring = rng.normal(0, 0.006, (count, 3))
    roots = knot + 0.006 * pole + ring - (ring @ pole)[:, None] * pole
    direction = unit(pole - 0.05 * _UP + rng.normal(0, 0.16, roots.shape))
    side = rng.choice([-1.0, 1.0])
    over = rng.random() < 0.6  # laid over a shoulder

    def steer(at: np.ndarray, far: float) -> np.ndarray:
        out = np.zeros_like(at)
        if over:
            behind = smoothstep(-1.60, -1.46, -at[:, 1])
            swing = smoothstep(-1.50, -1.40, -at[:, 1]) * smoothstep(0.05, 0.10, np.abs(at[:, 0]))
            out += (0.42 * side * behind * (1 - smoothstep(0.07, 0.11, np.abs(at[:, 0]))))[:, None] * _SIDE
            out += (0.30 * swing)[:, None] * _AHEAD
        return out

    length = rng.uniform(0.34, 0.42)
    step = 0.014
    away = rng.uniform(0.008, 0.024, count)
    points = grow(head, roots, direction, int(length * 1.1 / step), step, away, lambda far: 0.30 + 3.5 * far, steer)
    points = resample_strands(points, 18, length * (1 - np.abs(rng.normal(0, 0.09, count))))
    # The tail keeps together, thickest a third down.
    axis = points.mean(axis=0)
    t = np.linspace(0, 1, 18)
    hold = 0.25 + 0.35 * smoothstep(0.45, 1.0, t)
    points += (axis - points) * hold[None, :, None]
    lock = clumps(points, 26, rng, 0.55, 0.03)
    wave(points, lock, rng, 0.004, 0.14)
    width, layer = rng.uniform(0.006, 0.010, count), rng.uniform(0.2, 1, count)
    tail = Strands(points, width, layer, lock, np.zeros(count), core=np.broadcast_to(points.mean(axis=0), points.shape))
    return hair.joined(tail)


# --------------------------------------------------------------------------------------------------------------- short


def _short(head: Head, figure: Figure, rng: np.random.Generator) -> Strands:
    woman = figure.presentation == "woman"
    roots, normals = head.roots(1900, rng, _density(figure))
    top = smoothstep(1.590, 1.645, roots[:, 1]) * (1 - 0.7 * smoothstep(0.045, 0.075, np.abs(roots[:, 0])))
    side = rng.choice([-1.0, 1.0])
    part = 0.034 * side
    quiff = not woman and rng.random() < 0.5
    # Top: swept over from the parting, the front up and back for a quiff; sides down and back.
    ahead = smoothstep(0.06, 0.13, roots[:, 2])[:, None]
    near = 1 - 0.75 * smoothstep(0.03, 0.07, np.abs(roots[:, :1]))
    sweep = np.where((roots[:, :1] - part) * side < 0, -side, side) * near * _SIDE
    over = sweep + (0.10 - 0.85 * ahead if quiff else -0.35 + 0.30 * ahead) * _AHEAD
    fall = -_UP * 1.0 - 0.40 * _AHEAD
    comb = top[:, None] * over + (1 - top[:, None]) * fall + rng.normal(0, 0.07, roots.shape)
    comb = unit(comb - np.einsum("ij,ij->i", comb, normals)[:, None] * normals)
    stand = (0.08 + (0.60 if quiff else 0.30) * top * (0.25 + 0.75 * ahead[:, 0]))[:, None]
    direction = unit(comb + stand * normals)
    edge = above_hairline(roots, figure.presentation, figure.age)
    fade = 0.3 + 0.7 * smoothstep(0.0, 0.035, edge)
    sides = ((0.030 if woman else 0.014) + 0.014 * smoothstep(1.54, 1.60, roots[:, 1])) * fade
    length = sides * (1 - top) + (rng.uniform(0.062, 0.075) if woman else rng.uniform(0.045, 0.058)) * top
    length *= rng.uniform(0.8, 1.1, len(roots))
    layer = np.clip(0.6 * top + rng.uniform(0, 0.45, len(roots)), 0, 1)
    clearance = 0.0025 + (0.003 + 0.009 * top) * layer
    weight = 0.24 if quiff else 0.34

    def steer(at: np.ndarray, far: float) -> np.ndarray:
        flat = (at - AXIS) * [1, 0, 1]
        wide = smoothstep(0.080, 0.098, np.linalg.norm(flat * [1, 1, 0.8], axis=1))
        return 0.6 * _off_face(at) * (far > 0.03) - (0.8 * wide)[:, None] * unit(flat)

    points = grow(head, roots, direction, 9, 0.009, clearance, lambda far: weight, steer)
    points = resample_strands(points, 8, length)
    lock = clumps(points, 170, rng, 0.35, 0.015)
    wave(points, lock, rng, 0.0015, 0.05)
    return Strands(points, rng.uniform(0.003, 0.0055, len(points)), layer, lock, _softness(roots, figure))


def _buzz(head: Head, figure: Figure, rng: np.random.Generator) -> Strands:
    """A nap of a few millimetres: what softens the outline; the rest is the cap."""
    roots, normals = head.roots(
        2600, rng, lambda p: smoothstep(0.006, 0.03, above_hairline(p, figure.presentation, figure.age))
    )
    direction = unit(0.6 * normals + 0.6 * (_AHEAD * 0.3 - 0.4 * _UP) + rng.normal(0, 0.25, roots.shape))
    t = np.linspace(0, 1, 3)
    length = rng.uniform(0.002, 0.0038, len(roots))
    points = roots[:, None] + (t * length[:, None])[..., None] * direction[:, None]
    return Strands(
        points,
        rng.uniform(0.0022, 0.0036, len(roots)),
        rng.uniform(0, 1, len(roots)),
        np.arange(len(roots)) % 50,
        _softness(roots, figure),
    )


def _curly(head: Head, figure: Figure, rng: np.random.Generator) -> Strands:
    woman = figure.presentation == "woman"
    roots, normals = head.roots(1250 if woman else 1700, rng, _density(figure))
    reach = rng.uniform(0.15, 0.21) if woman else rng.uniform(0.035, 0.05)
    part = rng.choice([0.0, -0.02, 0.02])
    direction = unit(
        0.5 * _parted(roots, normals, part, rng, 0.4) + (0.35 if woman else 0.7) * normals + rng.normal(0, 0.22, roots.shape)
    )
    rank = smoothstep(1.52, 1.66, roots[:, 1])
    layer = np.clip(0.7 * rank + rng.uniform(0, 0.35, len(roots)), 0, 1)
    clearance = (0.006 + 0.024 * layer) if woman else (0.004 + 0.014 * layer)
    step = 0.011
    steps = int(np.ceil(1.1 * reach / step)) + 1
    points = grow(
        head,
        roots,
        direction,
        steps,
        step,
        clearance,
        lambda far: 0.16 + (3.0 if woman else 1.0) * far,
        lambda at, far: 1.2 * _off_face(at),
    )
    length = reach * rng.uniform(0.8, 1.1, len(points)) * (0.75 + 0.25 * rank)
    points = resample_strands(points, 32 if woman else 13, length)
    lock = clumps(points, 300, rng, 0.7, 0.025)
    _coil(points, lock, rng, rng.uniform(0.007, 0.010) if woman else 0.005, rng.uniform(0.036, 0.05) if woman else 0.022)
    points[:, 1:] = head.push(points[:, 1:].reshape(-1, 3), np.full(points[:, 1:].size // 3, 0.003)).reshape(
        points[:, 1:].shape
    )
    return Strands(points, rng.uniform(0.0026, 0.0048, len(points)), layer, lock, _softness(roots, figure))


def _coil(points: np.ndarray, lock: np.ndarray, rng: np.random.Generator, radius: float, pitch: float) -> None:
    """Winds strands (N, K, 3) into corkscrews that the strands of a lock share, in place."""
    tangent = unit(np.gradient(points, axis=1))
    across = unit(np.cross(tangent, unit(points - AXIS) + 0.01 * _UP))
    other = np.cross(across, tangent)
    along = np.concatenate(
        [np.zeros((len(points), 1)), np.cumsum(np.linalg.norm(np.diff(points, axis=1), axis=2), axis=1)], axis=1
    )
    count = lock.max() + 1
    hand = rng.choice([-1.0, 1.0], count)[lock, None]
    own = rng.normal(0, 0.45, (len(points), 1))
    tight = pitch * rng.uniform(0.8, 1.25, count)[lock, None]
    phase = hand * 2 * np.pi * along / tight + rng.uniform(0, 2 * np.pi, count)[lock, None] + own
    size = (radius * rng.uniform(0.75, 1.25, count)[lock, None] * smoothstep(0.004, 0.03, along))[..., None]
    points += size * (np.cos(phase)[..., None] * across + np.sin(phase)[..., None] * other)


_STYLES: dict[str, Callable[[Head, Figure, np.random.Generator], Strands] | None] = {
    "long": _long, "bob": _bob, "bun": _bun, "ponytail": _ponytail, "short": _short, "buzz": _buzz, "curly": _curly, "bald": None,
}  # fmt: skip

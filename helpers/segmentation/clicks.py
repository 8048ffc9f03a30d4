"""Clicks as data: points on several garments with undo and redo, and the picture fitted into a view. No widget in here.

Convention: a point is ``(x, y, label)`` in whole image pixels, x to the right and y down from the top left corner, label 1 on the
garment and 0 beside it. View coordinates are continuous: 0 at the left edge, ``view_size[0]`` at the right edge.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from helpers import checks

Point = tuple[int, int, int]
Points = tuple[Point, ...]


def parse_points(
    points: object, size: tuple[int, int] | None = None, name: str = "garment 1", parameter: str = "points"
) -> dict[str, Points]:
    """Typed points as ``{garment: ((x, y, label), ...)}``.

    points: ``[(x, y, label), ...]`` for one garment, ``{"top": [...], "skirt": [...]}`` for several, or either of them as JSON text
            (what a command line hands over). Fractions are cut off: 384.7 lies in pixel 384.
    size:   (width, height) of the image; None checks the form only, for when there is no image yet
    name:   what a single garment is called; parameter: what the points are called in a message
    Raises ``ValueError`` for what are no points, a label other than 0 or 1, or a point outside the image.
    """
    if isinstance(points, str):
        try:
            points = json.loads(points)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{parameter} must be text such as '[[384, 400, 1]]', not {checks.shown(points)} ({error})."
            ) from None
    if isinstance(points, Mapping):
        return {
            checks.text(garment, f"{parameter}: the name of a garment"): _pixels(
                rows, size, f"{parameter}[{checks.shown(garment)}]"
            )
            for garment, rows in points.items()
        }
    return {name: _pixels(points, size, parameter)}


def require_points(points: object, size: tuple[int, int], parameter: str = "points") -> dict[str, Points]:
    """:func:`parse_points` that masks can be made of: each garment that has clicks has one on it, and none contradicts another."""
    found = parse_points(points, size, "garment", parameter)
    for garment, rows in found.items():
        if rows:
            named = f"{parameter}[{checks.shown(garment)}]" if isinstance(points, Mapping) else parameter
            checks.clicks(garment_first(rows), size, named)
    return found


def _pixels(rows: object, size: tuple[int, int] | None, name: str) -> Points:
    return tuple((int(x), int(y), label) for x, y, label in checks.points(rows, size, name))


@dataclass(frozen=True)
class _State:
    """Everything that undo brings back."""

    garments: tuple[tuple[str, Points], ...]
    active: int = 0
    choices: tuple[tuple[str, int], ...] = ()


class PointPrompt:
    """Points on one garment or on several, with undo and redo over everything that was done.

    size:      (width, height) of the image in pixels
    max_view:  (width, height) that the view of it may take at most; a smaller image is not enlarged
    points:    points to begin with, as ``parse_points`` takes them; they are not undone
    names:     what the garments are called, in the order they are clicked; from there on "garment 2", "garment 3", ...
    choices:   which of the first click's candidates each garment takes, for engines that offer several: ``{garment: index}``, or one
               index for the first garment
    on_change: called with this prompt after each change; if it raises, the change is taken back and the error passed on

    view_size: (width, height) of the view
    scale:     view pixels per image pixel
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        max_view: tuple[int, int] = (768, 1024),
        points: object = (),
        names: Sequence[str] = (),
        choices: Mapping[str, int] | int | None = None,
        on_change: Callable[[PointPrompt], None] | None = None,
    ) -> None:
        self.size = width, height = checks.size(size, 1, 65535)  # what a JPEG can hold
        self.scale = min(1.0, max_view[0] / width, max_view[1] / height)
        self.view_size = (max(1, round(width * self.scale)), max(1, round(height * self.scale)))
        self.on_change = on_change
        self._names = tuple(names)
        parsed = parse_points(points, self.size, self._names[0] if self._names else "garment 1")
        garments = tuple(parsed.items()) or ((self._free_name(()), ()),)
        if choices is not None and not isinstance(choices, Mapping):
            choices = {garments[0][0]: choices}
        self._state = _State(
            garments, choices=tuple((str(name), checks.whole(index, "choice", 0)) for name, index in (choices or {}).items())
        )
        self._past: list[_State] = []
        self._future: list[_State] = []

    # What there is

    @property
    def garment(self) -> str:
        """Name of the garment that is being clicked."""
        return self._state.garments[self._state.active][0]

    @property
    def garments(self) -> dict[str, list[Point]]:
        """Every garment's points, in the order the garments were begun."""
        return {name: list(points) for name, points in self._state.garments}

    @property
    def points(self) -> list[Point]:
        """(x, y, label) of the garment that is being clicked, in image pixels, oldest first."""
        return list(self._state.garments[self._state.active][1])

    @property
    def labels(self) -> list[int]:
        """1 or 0 for each of ``points``."""
        return [label for _, _, label in self.points]

    @property
    def choices(self) -> dict[str, int]:
        """Which of the first click's candidates was chosen, for garments where one was."""
        return dict(self._state.choices)

    @property
    def choice(self) -> int | None:
        """What was chosen for the garment that is being clicked; None leaves it to the engine."""
        return self.choices.get(self.garment)

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    # What can be done

    def add(self, x: float, y: float, label: int = 1) -> None:
        """Add a point in image pixels; ``ValueError`` outside the image or for a label other than 0 and 1."""
        self._set_points((*self.points, *_pixels([(x, y, label)], self.size, "points")))

    def remove_nearest(self, x: float, y: float, within: float = math.inf) -> bool:
        """Remove the garment's point nearest to (x, y), if one is at most ``within`` image pixels away; whether one was."""
        distances = [math.hypot(px + 0.5 - x, py + 0.5 - y) for px, py, _ in self.points]
        if not distances or min(distances) > within:
            return False
        nearest = distances.index(min(distances))
        self._set_points(tuple(point for index, point in enumerate(self.points) if index != nearest))
        return True

    def choose(self, index: int | None) -> None:
        """Take one of the first click's candidates for this garment; None leaves it to the engine again."""
        choices = {name: chosen for name, chosen in self._state.choices if name != self.garment}
        choices |= {} if index is None else {self.garment: checks.whole(index, "choice", 0)}
        self._commit(replace(self._state, choices=tuple(choices.items())))

    def clear(self) -> None:
        """Remove the garment's points; undo brings them back."""
        self._set_points(())

    def next_garment(self, name: str | None = None) -> str:
        """Leave this garment as it is and begin another; its name. A garment without points is kept and clicked on instead."""
        taken = [garment for garment, _ in self._state.garments]
        if name is None:
            empty = [garment for garment, points in self._state.garments if not points]
            if empty:
                self.select(empty[0])
                return self.garment
            name = self._free_name(taken)
        elif name in taken:
            raise ValueError(f"name: there is already a garment {name!r}; use select({name!r}) to go back to it.")
        self._commit(replace(self._state, garments=(*self._state.garments, (name, ())), active=len(taken)))
        return self.garment

    def select(self, name: str) -> None:
        """Go back to a garment by name."""
        names = [garment for garment, _ in self._state.garments]
        self._commit(replace(self._state, active=names.index(checks.one_of(name, "name", names))))

    def undo(self) -> bool:
        """Take back the last change; whether there was one."""
        return self._travel(self._past, self._future)

    def redo(self) -> bool:
        """Do again what was taken back; whether there was anything."""
        return self._travel(self._future, self._past)

    # Between view and image

    def to_image(self, x: float, y: float) -> tuple[int, int] | None:
        """The image pixel under a place in the view, or None where the view does not reach."""
        view_width, view_height = self.view_size
        if not (0 <= x <= view_width and 0 <= y <= view_height):
            return None
        width, height = self.size
        # The right and bottom edges belong to the last pixel.
        return min(int(x * width / view_width), width - 1), min(int(y * height / view_height), height - 1)

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """Where the middle of an image pixel lies in the view."""
        return (x + 0.5) * self.view_size[0] / self.size[0], (y + 0.5) * self.view_size[1] / self.size[1]

    # Inside

    def _free_name(self, taken: Sequence[str]) -> str:
        numbered = (f"garment {number}" for number in range(len(taken) + 1, 2 * len(taken) + 2))
        return next(name for name in (*self._names, *numbered) if name not in taken)

    def _set_points(self, points: Points) -> None:
        garments = list(self._state.garments)
        choices = self._state.choices
        if garment_first(points)[:1] != garment_first(self.points)[:1]:
            # The candidates were those of another first click.
            choices = tuple(pair for pair in choices if pair[0] != self.garment)
        garments[self._state.active] = (self.garment, points)
        self._commit(replace(self._state, garments=tuple(garments), choices=choices))

    def _commit(self, state: _State) -> None:
        if state == self._state:
            return
        before = self._state, self._past, self._future
        self._state, self._past, self._future = state, [*self._past, self._state], []
        self._announce(before)

    def _travel(self, source: list[_State], target: list[_State]) -> bool:
        if not source:
            return False
        before = self._state, list(self._past), list(self._future)
        target.append(self._state)
        self._state = source.pop()
        self._announce(before)
        return True

    def _announce(self, before: tuple[_State, list[_State], list[_State]]) -> None:
        if self.on_change is None:
            return
        try:
            self.on_change(self)
        except BaseException:
            self._state, self._past, self._future = before
            raise


def garment_first(points: Sequence[Point]) -> list[Point]:
    """The clicks in their order, but the first one on the garment at the front: engines begin with what to look for."""
    first = next((index for index, (_, _, label) in enumerate(points) if label), 0)
    return [*points[first : first + 1], *points[:first], *points[first + 1 :]]


def next_click(truth: np.ndarray, mask: np.ndarray) -> Point:
    """The click of the field's protocol: in the middle of the largest region that is missed or too much.

    The middle is where the distance to the region's border, and to the image's, is greatest (Xu et al., "Deep interactive object
    selection", 2016; Sofiiuk, Petrov and Konushin, "Reviving iterative training with mask guidance", 2021).
    truth, mask: bool (H, W); with an empty mask the click is in the middle of the garment
    """
    if truth.shape != mask.shape:
        raise ValueError(f"mask: expected the shape of truth, {truth.shape}, got {mask.shape}.")
    (missed, first), (extra, second) = _largest(truth & ~mask), _largest(mask & ~truth)
    if missed == extra == 0:
        raise ValueError("mask: it equals truth, so there is no error left to click on.")
    region, label = (first, 1) if missed >= extra else (second, 0)
    return (*_middle(region)[1], label)


def _largest(errors: np.ndarray) -> tuple[int, np.ndarray]:
    """Pixels of the largest connected region, and the region bool (H, W); 0 where there is none."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(errors.astype(np.uint8), connectivity=4)
    if len(stats) == 1:
        return 0, errors
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return int(stats[largest, cv2.CC_STAT_AREA]), parts == largest


def protocol_clicks(
    predict: Callable[[list[Point]], np.ndarray],
    truth: np.ndarray,
    count: int,
    points: Sequence[Point] = (),
    enough: float = 1.0,
) -> list[Point]:
    """``points`` and as many of the protocol's clicks after them as make ``count``; fewer once the IoU is ``enough``."""
    clicks = list(points)
    mask = predict(clicks) if clicks else np.zeros_like(truth)
    while len(clicks) < count and iou(mask, truth) < enough:
        clicks.append(next_click(truth, mask))
        mask = predict(clicks)
    return clicks


def garment_under(points: Iterable[Point], garments: Mapping[str, np.ndarray]) -> str | None:
    """Name of the garment that most of the clicks with label 1 lie on, or None where they hit none."""
    on = [(x, y) for x, y, label in points if label]
    hits = {name: sum(bool(mask[y, x]) for x, y in on) for name, mask in garments.items()}
    best = max(hits, key=hits.__getitem__, default=None)
    return best if best is not None and hits[best] else None


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two bool masks; 1 where both are empty."""
    union = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / union if union else 1.0


def default_points(size: tuple[int, int], garment: np.ndarray | None = None) -> list[Point]:
    """One point to begin with where nobody clicked: the middle of ``garment``, or where a chest usually is.

    size:    (width, height) of the image
    garment: bool (H, W), what is known to be a garment; None or an empty mask for a picture about which nothing is known
    """
    if garment is not None and garment.any():
        return [(*_middle(garment)[1], 1)]
    return [(size[0] // 2, int(0.38 * size[1]), 1)]


def _middle(region: np.ndarray) -> tuple[float, tuple[int, int]]:
    """The deepest pixel of a region: its distance to the border and (x, y)."""
    padded = np.pad(region.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    y, x = np.unravel_index(np.argmax(depth), depth.shape)
    return float(depth[y, x]), (int(x), int(y))

"""The photographer's place: a pinhole camera with a long lens, and how it frames a figure.

Convention: world axes as in ``surface``; the camera looks along its own -z. Pixel (0, 0) is the centre of the top left pixel, x to
the right, y down, so ``image[round(y), round(x)]`` is what a projected point shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from helpers.mannequin.surface import Surface

FRAMINGS = ("full", "upper")
LENS = 17.0  # degrees over the picture's height: 120 mm on full frame, upright
_FILL = 0.92  # of the picture's height is the figure, head to sole
_MID_THIGH = 0.385  # of the figure's height
_MOST_WIDER = 1.15  # how much an upper framing may step back to keep the arms in


@dataclass(frozen=True)
class Camera:
    """``position`` and ``target`` in metres, ``fov`` over the picture's height in degrees, ``size`` (width, height) in pixels."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    fov: float = LENS
    size: tuple[int, int] = (768, 1024)

    def __post_init__(self) -> None:
        if len(self.size) != 2 or min(self.size) < 16:
            raise ValueError(f"size is (width, height) of at least 16 pixels each, not {self.size}.")
        if not 1.0 <= self.fov <= 120.0:
            raise ValueError(f"fov is 1 to 120 degrees over the picture's height, not {self.fov}.")

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.size[1] / 2 / np.tan(np.radians(self.fov) / 2)

    @property
    def axes(self) -> np.ndarray:
        """(3, 3) rows: right, up and backward in world coordinates."""
        back = np.subtract(self.position, self.target).astype(np.float64)
        back /= np.linalg.norm(back)
        right = np.cross((0.0, 1.0, 0.0), back)
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(back, right), back])

    def local(self, points: np.ndarray) -> np.ndarray:
        """World points (N, 3) in camera coordinates: right, up, backward (in front of the lens is negative)."""
        return (np.asarray(points, np.float64) - self.position) @ self.axes.T

    def depth(self, points: np.ndarray) -> np.ndarray:
        """(N,) distance along the viewing axis in metres, positive in front of the lens."""
        return -self.local(points)[:, 2]

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (N, 3) -> (N, 2) x, y in pixels."""
        local = self.local(points)
        scale = self.focal / np.maximum(-local[:, 2], 1e-6)
        centre = (np.array(self.size) - 1) / 2
        return np.stack([centre[0] + local[:, 0] * scale, centre[1] - local[:, 1] * scale], axis=1)

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Pixel positions (N, 2) -> (N, 3) float32 directions, as long as they reach a depth of one metre."""
        right, up, back = self.axes
        x = (pixels[:, 0] - (self.size[0] - 1) / 2) / self.focal
        y = ((self.size[1] - 1) / 2 - pixels[:, 1]) / self.focal
        out = np.empty((len(pixels), 3), np.float32)
        for k in range(3):
            out[:, k] = x * np.float32(right[k]) + y * np.float32(up[k]) - np.float32(back[k])
        return out

    def to_dict(self) -> dict:
        """Plain JSON types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: dict) -> Camera:
        """Inverse of :meth:`to_dict`."""
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
        return cls(**values)


def bounds(surfaces: Sequence[Surface]) -> np.ndarray:
    """(2, 3) lowest and highest corner of everything in ``surfaces``."""
    if not surfaces:
        raise ValueError("surfaces is empty: there is nothing to photograph.")
    return np.stack(
        [np.min([s.vertices.min(0) for s in surfaces], axis=0), np.max([s.vertices.max(0) for s in surfaces], axis=0)]
    )


def camera_for(
    surfaces: Sequence[Surface], framing: str = "full", size: tuple[int, int] = (768, 1024), turn: float = 0.0
) -> Camera:
    """A level camera before the figure: ``full`` shows head to sole, ``upper`` the head to mid-thigh.

    The lens stands at the middle of the framed part, so verticals stay vertical. ``turn``: degrees that it walks round the figure
    towards its left side: 35 is a three-quarter view, 180 the back. Raises ``ValueError`` for another framing.
    """
    if framing not in FRAMINGS:
        raise ValueError(f"framing is one of {', '.join(FRAMINGS)}, not {framing!r}.")
    low, high = bounds(surfaces)
    angle = np.radians(turn)
    # Rows: right, up and towards the lens; in these axes the lens looks along -z as without a turn.
    axes = np.array([(np.cos(angle), 0, -np.sin(angle)), (0, 1, 0), (np.sin(angle), 0, np.cos(angle))])
    points = np.concatenate([s.vertices for s in surfaces]) @ axes.T
    height = high[1] - low[1]
    if framing == "upper":
        points = points[points[:, 1] > low[1] + (_MID_THIGH + 0.05) * height]
        low[1] += _MID_THIGH * height
        tall = (high[1] - low[1]) * 1.05
        wide = np.ptp(points[:, 0]) / 0.96 * size[1] / size[0]
        tall, middle = float(np.clip(wide, tall, tall * _MOST_WIDER)), high[1] + 0.045 * (high[1] - low[1])
        middle -= tall / 2
    else:
        wide = np.ptp(points[:, 0]) / _FILL * size[1] / size[0]
        tall = max(height / _FILL, wide)
        middle = low[1] + height / 2 + 0.004 * tall
    # Half way between the middle of the bounds (nothing is cut off) and of the mass (a raised elbow does not push the figure aside).
    across = 0.25 * (points[:, 0].min() + points[:, 0].max()) + 0.5 * np.median(points[:, 0])
    near, deep = points[:, 2].max(), np.ptp(points[:, 2])
    distance = tall / 2 / np.tan(np.radians(LENS) / 2) + near - 0.5 * deep
    position, target = np.array([(across, middle, distance), (across, middle, near - 0.5 * deep)]) @ axes
    return Camera(_place(position), _place(target), LENS, (size[0], size[1]))


def _place(point: np.ndarray) -> tuple[float, float, float]:
    x, y, z = point.tolist()
    return x, y, z

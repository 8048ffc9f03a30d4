"""Where a top's front ends at the neck: told from the inside of the back, and not from prints, bands and labels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.tryon.drape import landmarks
from helpers.tryon.drape.compatibility import SURE
from helpers.tryon.drape.neckline import FrontEdge, front_neckline

H, W = 512, 384
RED, SHADE, MIDDLE = (178, 58, 60), (104, 30, 34), 192


def _polygon(*points: tuple[float, float]) -> np.ndarray:
    out = np.zeros((H, W), np.uint8)
    cv2.fillPoly(out, [np.array(points).round().astype(np.int32)], 1)
    return out > 0


def _outline() -> np.ndarray:
    right = [(40, 104), (84, 122), (150, 196), (118, 222), (84, 196), (88, 420)]
    left = [(-x, y) for x, y in right[::-1]]
    return _polygon(*((MIDDLE + x, y) for x, y in (*right, *left)), (MIDDLE - 26, 108), (MIDDLE, 110), (MIDDLE + 26, 108))


def _edge(depth: float, power: float) -> tuple[np.ndarray, np.ndarray]:
    u = np.linspace(-1, 1, 61)
    return MIDDLE + 38 * u, 105 + depth * (1 - np.abs(u) ** power)


def _top(
    depth: float = 46, power: float = 2.0, band: bool = False, label: bool = False, pattern: str = "", back: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Lab of a top whose front ends ``depth`` pixels below the collar's ends, and its mask."""
    rng = np.random.default_rng(3)
    mask = _outline()
    x, y = _edge(depth, power)
    opening = _polygon(*zip(x, y, strict=True), (MIDDLE + 38, 60), (MIDDLE - 38, 60))
    if not back:
        mask &= ~opening
    image = np.full((H, W, 3), 244, np.float32)
    cloth = np.full((H, W, 3), RED, np.float32)
    if pattern == "stripes":
        cloth[np.arange(H) // 14 % 2 == 0] = (232, 226, 214)
    if pattern == "picture":
        cv2.ellipse(cloth, (MIDDLE, 236), (46, 40), 0, 0, 360, (240, 214, 90), -1)
    if band:
        wide = np.column_stack([*_edge(depth + 14, power)])
        cv2.polylines(cloth, [wide.round().astype(np.int32)], False, tuple(0.72 * c for c in RED), 2)
    image[mask] = cloth[mask]
    if back:
        image[opening & mask] = SHADE
        if label:
            cv2.rectangle(image, (MIDDLE - 12, 114), (MIDDLE + 12, 126), (240, 240, 238), -1)
    image = cv2.GaussianBlur(image, (0, 0), 0.8) + rng.normal(0, 1, image.shape)
    return cv2.cvtColor(np.clip(image / 255, 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB), mask


def _read(**top: object) -> tuple[FrontEdge | None, float]:
    lab, mask = _top(**top)
    return front_neckline(lab, landmarks.upper(mask))


@pytest.mark.parametrize(
    "extra", [{}, {"label": True}, {"band": True}, {"band": True, "label": True}, {"pattern": "picture"}], ids=str
)
@pytest.mark.parametrize(("depth", "power"), [(30, 2.0), (48, 2.0), (96, 1.0), (84, 2.0)])
def test_the_front_edge_is_found_below_the_inside_of_the_back(depth: float, power: float, extra: dict[str, object]) -> None:
    found, sure = _read(depth=depth, power=power, **extra)
    assert found is not None
    assert found.curve[:, 1].max() == pytest.approx(105 + depth, abs=10)
    assert sure > SURE or extra


@pytest.mark.parametrize("pattern", ["", "stripes", "picture"])
@pytest.mark.parametrize("depth", [40, 80])
def test_a_print_is_no_neckline_where_no_back_is_seen(pattern: str, depth: float) -> None:
    found, sure = _read(depth=depth, pattern=pattern, back=False)
    assert found is None or sure < SURE

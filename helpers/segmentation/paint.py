"""Masks over pictures: the clicker's translucent layer, and figures of how a mask grows click by click."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np

from helpers import images, show
from helpers.segmentation.clicks import Point, iou

COLOURS = ((32, 134, 255), (176, 64, 232), (255, 138, 0), (0, 168, 150), (240, 60, 100), (150, 150, 0))
"""sRGB, one a garment, then over again."""
GAINED, LOST = (34, 180, 84), (224, 48, 49)


def tint(shape: tuple[int, int], masks: Iterable[np.ndarray], colours: Iterable[tuple[int, int, int]]) -> np.ndarray:
    """Masks as a translucent layer to lay over a picture: each filled lightly and outlined in its colour with a white halo.

    shape:   (height, width) of the layer; masks of another size are resized to it
    masks:   bool (H, W) each, later ones on top
    colours: sRGB 0..255, one a mask
    Returns uint8 (height, width, 4), RGBA, alpha not premultiplied.
    """
    layer = np.zeros((*shape, 4), np.uint8)
    stroke = max(1, round(max(shape) / 500))
    for mask, colour in zip(masks, colours, strict=False):
        soft = mask.astype(np.uint8) * 255
        if mask.shape != tuple(shape):
            soft = cv2.resize(soft, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
        contours, _ = cv2.findContours((soft > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        halo, line = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        cv2.drawContours(halo, contours, -1, 190, stroke + 2, cv2.LINE_AA)
        cv2.drawContours(line, contours, -1, 255, stroke, cv2.LINE_AA)
        fill = (np.arange(256) * 0.38).astype(np.uint8)[soft]
        alpha = np.maximum(np.maximum(halo, line), fill)
        for rows in images.bands(shape):
            # White shows through the line's soft edge; the fill keeps its colour inside.
            white = np.clip(halo[rows].astype(np.float32) - line[rows], 0, 255)[..., None] / 255
            shade = (np.array(colour, np.float32) * (1 - white) + 255 * white).astype(np.uint8)
            drawn = alpha[rows] > 0
            layer[rows][drawn, :3], layer[rows][drawn, 3] = shade[drawn], alpha[rows][drawn]
    return layer


def painted(image: np.ndarray, masks: Iterable[np.ndarray], colours: Iterable[tuple[int, int, int]] = COLOURS) -> np.ndarray:
    """``image`` uint8 (H, W, 3) with every mask tinted and outlined in a colour of its own, as the clicker shows them."""
    layer = tint(image.shape[:2], masks, colours)
    out = np.empty_like(image)
    for rows in images.bands(image.shape):
        alpha = layer[rows, :, 3:].astype(np.float32) / 255
        out[rows] = np.rint(image[rows] * (1 - alpha) + layer[rows, :, :3] * alpha)
    return out


def views(image: np.ndarray, points: Sequence[Point], mask: np.ndarray) -> dict[str, np.ndarray]:
    """What a mask, bool (H, W), is of ``image`` and came from: the clicks, it laid over the picture, it alone, and what it cuts out."""
    return {
        "clicks": show.clicks(image, points),
        "over the picture": painted(image, [mask]),
        "mask": mask,
        "cut out": show.cut_out(image, mask),
    }


def around(region: np.ndarray, margin: float = 0.15) -> tuple[slice, slice]:
    """Rows and columns of a 3:4 window around a ``region``, as far as the picture reaches; all of it if it is empty.

    region: bool (H, W), what has to be seen
    margin: room on each side, as a share of the region's longer side
    """
    height, width = region.shape
    x, y, w, h = cv2.boundingRect(region.astype(np.uint8))
    if not (w and h):
        return slice(0, height), slice(0, width)
    room = margin * max(w, h)
    tall = min(max(h + 2 * room, (w + 2 * room) * 4 / 3), height)
    wide = min(max(w + 2 * room, tall * 3 / 4), width)
    top = int(np.clip(y + h / 2 - tall / 2, 0, height - tall))
    left = int(np.clip(x + w / 2 - wide / 2, 0, width - wide))
    return slice(top, top + round(tall)), slice(left, left + round(wide))


def growth(
    image: np.ndarray,
    points: Sequence[Point],
    predict: Callable[[Sequence[Point]], np.ndarray],
    truth: np.ndarray | None = None,
    *,
    name: str = "",
    height: int = 600,
) -> list[tuple[str, np.ndarray]]:
    """The mask after 1, 2, 3, … clicks, close up: blue what it is, green what the last click won, red what it gave up.

    image:   uint8 (H, W, 3) RGB
    points:  the clicks in order
    predict: clicks to bool (H, W)
    truth:   bool (H, W), to score against; without it the share of the picture is told
    name:    of the garment, put before the first title
    height:  of each picture, in pixels
    Returns a title and a picture uint8 (height, width, 3) for each click.
    """
    masks = [predict(points[:count]) for count in range(1, len(points) + 1)]
    clicked = np.zeros(image.shape[:2], bool)
    for x, y, _ in points:
        clicked[y, x] = True
    window = around(np.logical_or.reduce([clicked, *masks, *([] if truth is None else [truth])]))
    scale = height / (window[0].stop - window[0].start)
    size = (round(scale * (window[1].stop - window[1].start)), height)
    moved = [((x - window[1].start + 0.5) * scale, (y - window[0].start + 0.5) * scale, label) for x, y, label in points]
    pictures, before = [], next(iter(masks), clicked)
    for count, mask in enumerate(masks, 1):
        close = [images.resize(layer[window], size) for layer in (image, mask, mask & ~before, before & ~mask)]
        picture = painted(close[0], close[1:], (COLOURS[0], GAINED, LOST))
        score = f"covers {mask.mean():.1%}" if truth is None else f"IoU {iou(mask, truth):.3f}"
        start = f"{name}: " if name and count == 1 else ""
        pictures.append((f"{start}{count} click{'s' if count > 1 else ''}, {score}", show.clicks(picture, moved[:count])))
        before = mask
    return pictures

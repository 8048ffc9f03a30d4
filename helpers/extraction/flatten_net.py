"""``engine="flatten_net"``: a worn top laid flat by a network that learnt it on mannequins.

The network says where the flat garment is and from where in the photograph each of its places comes; the cloth itself is the
photograph's own, at full size. What the photograph hides comes from the other half, and what neither shows from the nearest cloth, as light
as the network paints it. It knows tops; trousers, skirts and dresses are laid flat by ``unwarp``.

benchmarks/README.md says how it was trained.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from helpers.contract import Base
from helpers.extraction.crops import Crop, identity
from helpers.extraction.product import evenly_lit, framed
from helpers.extraction.small_unet import SmallUnet
from helpers.extraction.unwarp import Unwarp
from helpers.garment import Garment
from helpers.person import Person
from helpers.pixels import nearest_known

WEIGHTS = Path(__file__).with_name("flatten_net.npz")
FRAME = (256, 320)
"""Width and height of what the network reads and answers."""
_LARGER = 3  # times as large as the network's is the plane on which the garment is laid
_EVEN = 16.0  # of the network's pixels around a place that say together how far away its cloth is
_OTHERWISE = 0.03  # half sides of its frame: cloth that is said to be so much farther off is half as sure
_SMOOTH = 1.4  # of its pixels over which the outline is
_SURE, _UNSEEN = 3.0, -0.5  # of its pixels over which it says what is seen, and from where on what it takes for hidden is so
_NECK = 0.1, 0.15  # of its width and height: how far from the middle and the top the neck's inside lies at most
_RIM = 15  # pixels of the plane
_SOFT = 5  # pixels of the plane over which what is seen goes over into what is made up


class FlattenNet(Base):
    """The embedded extractor that has learnt. Its weights, 6 MB, are read with the first garment."""

    @cached_property
    def _network(self) -> SmallUnet:
        return SmallUnet.load(WEIGHTS)

    def close(self) -> None:
        """Free the network."""
        self.__dict__.pop("_network", None)

    def __call__(self, person: Person, *, mask: np.ndarray, category: str) -> Garment:
        """``person``'s garment, worn where ``mask`` is, bool (H, W), laid flat on white."""
        if category != "upper":
            return Unwarp()(person, mask=mask, category=category)
        origin = Crop.around(mask, FRAME)
        answer = self._network(shown(person.image, mask, origin))
        size = FRAME[0] * _LARGER, FRAME[1] * _LARGER
        region = outline(answer[3], size)
        places = came_from(evened(answer[4:6], (answer[3] > 0) * (answer[6] / 2 + 0.5)), size, origin)
        cloth, there = _laid(person.image, mask, places)
        sure = cv2.GaussianBlur(answer[6], (0, 0), _SURE)
        seen = region & there & (cv2.resize(sure, size, interpolation=cv2.INTER_LINEAR) > _UNSEEN)
        light = cv2.resize(answer[:3].transpose(1, 2, 0) * 127.5 + 127.5, size, interpolation=cv2.INTER_LINEAR).mean(2)
        out = evenly_lit(_completed(cloth, region, seen, light), region, 0.45 * size[0])
        return framed(out, region, region & ~seen, _inside(region, seen), category, "flatten_net")


def shown(image: np.ndarray, mask: np.ndarray, crop: Crop) -> np.ndarray:
    """float32 (4, H, W), -1..1: the garment on black, and where it is, as ``frames.worn_closely``."""
    cut, there = crop.take(image).astype(np.float32), crop.take(mask.astype(np.float32))
    return np.concatenate([cut.transpose(2, 0, 1) / 127.5 * there - 1, there[None] * 2 - 1]).astype(np.float32)


def outline(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """bool of ``size``: the garment, alike on both sides, of the network's ``mask`` (h, w), -1..1; its largest piece."""
    even = cv2.GaussianBlur(mask, (0, 0), _SMOOTH)
    large = cv2.resize(even + even[:, ::-1], size, interpolation=cv2.INTER_CUBIC)
    region = cv2.GaussianBlur(large, (0, 0), _LARGER) > 0
    _, pieces, about, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8))
    if len(about) < 2:
        raise ValueError("garment mask: no top is recognised in it. Use a photograph that shows it whole, or engine='unwarp'.")
    return pieces == 1 + about[1:, cv2.CC_STAT_AREA].argmax()


def evened(away: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The distances ``away`` (2, h, w) as cloth can have them: around every place the plane that lies best, by ``weight`` (h, w), 0..1.

    What leans otherwise, a sleeve beside the trunk, counts the less the farther off it lies (local linear regression, twice).
    """
    height, width = weight.shape
    y, x = np.mgrid[:height, :width].astype(np.float32) / _EVEN
    plain = np.maximum(weight, 0).astype(np.float32) + 1e-4
    out = away.astype(np.float32)
    for _ in range(2):
        sure = plain / (1 + (np.abs(away - out).sum(0) / _OTHERWISE) ** 2)
        out = np.stack([_plane(field, sure, x, y) for field in away.astype(np.float32)])
    return out


def _plane(field: np.ndarray, weight: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """At every pixel the value there of the plane that lies best to ``field`` (h, w) around it."""

    def around(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values * weight, (0, 0), _EVEN, borderType=cv2.BORDER_CONSTANT)

    one, fx, fy = around(np.ones_like(x)), around(x), around(y)
    mx, my, mf = fx / one, fy / one, around(field) / one
    xx, xy, yy = around(x * x) / one - mx * mx, around(x * y) / one - mx * my, around(y * y) / one - my * my
    xf, yf = around(x * field) / one - mx * mf, around(y * field) / one - my * mf
    xx, yy = xx + 1e-2, yy + 1e-2  # where there is little around, flatter
    across = xx * yy - xy * xy
    slope_x, slope_y = (yy * xf - xy * yf) / across, (xx * yf - xy * xf) / across
    return mf + slope_x * (x - mx) + slope_y * (y - my)


def came_from(away: np.ndarray, size: tuple[int, int], origin: Crop) -> np.ndarray:
    """float32 (height, width, 2): x and y in the photograph of every place of the flat garment."""
    there = identity(size) + cv2.resize(away.transpose(1, 2, 0), size, interpolation=cv2.INTER_CUBIC)
    return ((there + 1) * (origin.width / 2, origin.height / 2) + (origin.left - 0.5, origin.top - 0.5)).astype(np.float32)


def _inside(region: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """bool: the neck's inside, which neither half shows: in the middle, and up to the garment's top."""
    hidden = cv2.morphologyEx(
        (region & ~seen & ~seen[:, ::-1]).astype(np.uint8), cv2.MORPH_OPEN, np.ones((_RIM, _RIM), np.uint8)
    )
    _, pieces, about, middles = cv2.connectedComponentsWithStats(hidden)
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    high, wide = rows[-1] - rows[0], columns[-1] - columns[0]
    found = [
        number
        for number in range(1, len(about))
        if abs(middles[number][0] - region.shape[1] / 2) < _NECK[0] * wide
        and about[number, cv2.CC_STAT_TOP] < rows[0] + _NECK[1] * high
    ]
    return np.isin(pieces, found)


def _laid(image: np.ndarray, mask: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32 (H, W, 3) colours of the garment at ``places``, without what lies around it, and bool (H, W) where they are its own."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    inner = inner if inner.any() else mask
    spread = image.reshape(-1, 3)[nearest_known(inner)[1]]
    x, y = places[..., 0], places[..., 1]
    cloth = cv2.remap(spread.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cloth, cv2.remap(inner.astype(np.float32), x, y, cv2.INTER_LINEAR) > 0.5


def _completed(cloth: np.ndarray, region: np.ndarray, seen: np.ndarray, light: np.ndarray) -> np.ndarray:
    """float32 (H, W, 3): what is ``seen``, the other half's mirror image, and the nearest cloth as light as the network's ``light``."""
    mirrored = region & ~seen & seen[:, ::-1]
    known = seen | mirrored
    if not known.any():
        return cloth
    share = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), _SOFT)[..., None]
    share = np.where(seen[:, ::-1, None], np.clip(share * 2 - 1, 0, 1), 1)  # where both are seen one goes over into the other
    out = np.where(
        seen[..., None], cloth * share + cloth[:, ::-1] * (1 - share), np.where(mirrored[..., None], cloth[:, ::-1], 0)
    )
    missing = region & ~known
    if missing.any():
        inner = cv2.erode(known.astype(np.uint8), np.ones((_RIM, _RIM), np.uint8)) > 0  # at its rim other cloth shows through
        where = nearest_known(inner if inner.any() else known)[1]
        near = cv2.GaussianBlur(out.reshape(-1, 3)[where], (0, 0), 2 * _SOFT)
        lighter = cv2.GaussianBlur(light, (0, 0), _SOFT) / np.maximum(
            cv2.GaussianBlur(light, (0, 0), _SOFT).reshape(-1)[where], 1
        )
        out[missing] = (near * np.clip(lighter, 0.35, 1.2)[..., None])[missing]
    return out

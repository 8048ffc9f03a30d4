"""The garment is found on whatever plain thing it lies on or hangs before, and not what holds it up or its shadow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

import helpers
from helpers import weights
from helpers.garment import Garment
from helpers.person import Person
from helpers.tryon import modelled
from helpers.tryon.backdrop import garment_mask, garment_matte
from helpers.tryon.modelled import cut_out

H, W = 384, 288
ROWS, COLUMNS = np.mgrid[:H, :W].astype(np.float32)
CLOTHS = {"red": (176, 52, 48), "grey": (120, 122, 126), "white": (236, 235, 232)}


def _shape(*points: tuple[float, float], turn: float = 0, scale: float = 1, move: tuple[float, float] = (0, 0)) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D((144, 192), turn, scale)
    matrix[:, 2] += move
    placed = np.array(points) @ matrix[:, :2].T + matrix[:, 2]
    out = np.zeros((H, W), np.uint8)
    cv2.fillPoly(out, [placed.round().astype(np.int32)], 1)
    return out > 0


def _top(**place: object) -> np.ndarray:
    right = [(22, 80), (56, 94), (112, 140), (94, 166), (56, 136), (60, 300)]
    left = [(-x, y) for x, y in right[::-1]]
    return _shape(*((144 + x, y) for x, y in (*right, *left)), (144, 92), **place)


def _backdrop(kind: str, rng: np.random.Generator) -> np.ndarray:
    level = {"white": 250, "near white": 244, "grey": 186, "dark": 64}.get(kind, 220)
    back = np.full((H, W, 3), level, np.float32)
    if kind == "colour":
        back[:] = (120, 160, 150)
    if kind == "gradient":
        back += (30 * (COLUMNS / W - 0.5) + 24 * (ROWS / H - 0.5))[..., None]
    if kind == "sheet":
        back += (5 * np.sin(COLUMNS / 19 + ROWS / 31) + 4 * np.sin(ROWS / 13 - COLUMNS / 47))[..., None]
    if kind == "wood":
        grain = cv2.resize(rng.normal(0, 1, (H // 3, 4)).astype(np.float32), (W, H), interpolation=cv2.INTER_CUBIC)
        plank = rng.normal(0, 7, H // 48 + 1)[(ROWS // 48).astype(int)]
        back = np.float32([168, 126, 88]) + (8 * grain + plank - 40 * (ROWS % 48 < 2))[..., None]
    return back


def _picture(mask: np.ndarray, cloth: str, kind: str, shadow: float = 0.0) -> np.ndarray:
    """The top in ``cloth`` with folds, a shadow to the right and below, a little grain."""
    rng = np.random.default_rng(7)
    dark = cv2.GaussianBlur(np.roll(mask, (9, 6), (0, 1)).astype(np.float32), (0, 0), 5)
    image = _backdrop(kind, rng) * (1 - shadow * dark)[..., None]
    folds = 1 + 0.05 * np.sin(COLUMNS / 11 + ROWS / 60)
    inner = np.minimum(1, 0.9 + cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3) / 40)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)[..., None]
    image = image * (1 - soft) + np.float32(CLOTHS[cloth]) * (folds * inner)[..., None] * soft
    return np.clip(np.rint(image + rng.normal(0, 0.8, image.shape)), 0, 255).astype(np.uint8)


def _iou(found: np.ndarray, mask: np.ndarray) -> float:
    return float((found & mask).sum() / (found | mask).sum())


@pytest.mark.parametrize(
    ("cloth", "kind", "shadow", "place"),
    [
        ("red", "white", 0.2, {}),
        ("red", "grey", 0.2, {}),
        ("red", "colour", 0.2, {}),
        ("red", "dark", 0.1, {}),
        ("red", "gradient", 0.2, {}),
        ("red", "sheet", 0.1, {}),
        ("red", "wood", 0.2, {}),
        ("grey", "white", 0.2, {}),
        ("grey", "sheet", 0.1, {}),
        ("grey", "wood", 0.1, {}),
        ("grey", "near white", 0.2, {"turn": 9}),
        ("white", "near white", 0.1, {}),
        ("white", "white", 0.1, {"turn": -8}),
        ("white", "grey", 0.2, {}),
        ("white", "wood", 0.2, {"scale": 0.8}),
        ("white", "colour", 0.2, {"move": (36, -40)}),
        ("red", "grey", 0.2, {"scale": 0.45, "move": (50, 60)}),
        ("grey", "colour", 0.2, {"move": (0, 120)}),
        ("red", "white", 0.2, {"move": (110, 0)}),
    ],
    ids=lambda value: str(value).replace(" ", "-"),
)
def test_the_garment_is_told_from_its_backdrop_and_its_shadow(
    cloth: str, kind: str, shadow: float, place: dict[str, object]
) -> None:
    mask = _top(**place)
    assert _iou(garment_mask(_picture(mask, cloth, kind, shadow)), mask) > 0.94


@pytest.mark.parametrize(("kind", "metal"), [("white", (40, 40, 44)), ("grey", (96, 70, 44)), ("colour", (232, 232, 234))])
def test_a_hook_is_no_part_of_the_garment(kind: str, metal: tuple[int, int, int]) -> None:
    mask = _top()
    image = _picture(mask, "red", kind)
    cv2.line(image, (144, 91), (144, 58), metal, 3, cv2.LINE_AA)
    cv2.ellipse(image, (153, 58), (9, 9), 0, 180, 370, metal, 3, cv2.LINE_AA)
    found = garment_mask(image)
    assert not found[:76].any()
    assert _iou(found, mask) > 0.96


def test_straps_stay() -> None:
    straps = _shape((112, 120), (117, 120), (121, 40), (116, 40)) | _shape((171, 120), (176, 120), (172, 40), (167, 40))
    mask = _shape((104, 112), (184, 112), (196, 300), (92, 300)) | straps
    found = garment_mask(_picture(mask, "grey", "white", 0.1))
    assert (found & straps).sum() > 0.8 * straps.sum()
    assert not found[50:100, 130:160].any()


@pytest.mark.parametrize(("cloth", "kind"), [("red", "white"), ("red", "grey"), ("grey", "white")])
def test_what_is_seen_between_two_legs_is_no_part_of_the_garment_and_a_pleat_in_the_shade_is(cloth: str, kind: str) -> None:
    """The same cleft twice: backdrop in the garment's shade, which pales towards the hem."""
    for mask, legs in ((_shape((96, 60), (192, 60), (208, 330), (80, 330)), True), (_top(), False)):
        cleft = _shape((141, 190), (147, 190), (150, 330), (138, 330)) & mask
        image, low = _picture(mask, cloth, kind, 0.1), np.flatnonzero(cleft.any(1))[-1]
        light = np.clip(1 - 0.14 * (low - ROWS) / 60, 0.86, 1)[..., None]
        image[cleft] = (_backdrop(kind, np.random.default_rng(7)) * light).clip(0, 255).astype(np.uint8)[cleft]
        taken = (garment_mask(image) & cleft).sum() / cleft.sum()
        assert taken < 0.05 if legs else taken > 0.5


def test_the_backdrop_between_the_front_and_the_back_of_a_strap_is_no_cloth_and_a_print_of_its_colour_is() -> None:
    straps = [_shape((108 + x, 120), (122 + x, 120), (119 + x, 40), (115 + x, 40)) for x in (0, 48)]
    between = [_shape((113 + x, 118), (117 + x, 118), (117 + x, 60), (116 + x, 60)) for x in (0, 48)]
    gaps = between[0] | between[1]
    body = _shape((104, 112), (184, 112), (196, 300), (92, 300))
    image = _picture((body | straps[0] | straps[1]) & ~gaps, "red", "white")
    spot = _shape((141, 150), (146, 150), (146, 158), (141, 158))
    for where in (gaps, spot):
        image[where] = _backdrop("white", np.random.default_rng(7)).astype(np.uint8)[where]
    found = garment_mask(image)
    assert found[spot].all()
    assert (found & gaps).sum() < 0.35 * gaps.sum()
    assert (found & (straps[0] | straps[1]) & ~gaps).sum() > 0.8 * ((straps[0] | straps[1]) & ~gaps).sum()


@pytest.mark.parametrize("cloth", ["red", "grey"])
def test_stripes_of_the_backdrops_colour_and_straps_stay_together(cloth: str) -> None:
    straps = _shape((112, 120), (118, 120), (122, 40), (116, 40)) | _shape((170, 120), (176, 120), (172, 40), (166, 40))
    body = _shape((104, 112), (184, 112), (196, 300), (92, 300))
    image = _picture(body | straps, cloth, "white", 0.05)
    stripes = body & (ROWS % 12 < 4) & (ROWS > 130) & (ROWS < 290)
    image[stripes] = (_backdrop("white", np.random.default_rng(7)) * 0.98).clip(0, 255).astype(np.uint8)[stripes]
    found = garment_mask(image)
    assert (found & stripes).sum() > 0.9 * stripes.sum()
    assert (found & straps).sum() > 0.8 * straps.sum()
    assert not found[50:100, 130:160].any()


@pytest.mark.parametrize("tone", [(214, 180, 150), (40, 40, 42), (226, 220, 212)])
def test_a_dummy_is_no_part_of_the_garment(tone: tuple[int, int, int]) -> None:
    mask = _top()
    image = _picture(mask, "red", "grey")
    dummy = (
        _shape((124, 36), (164, 36), (164, 120), (124, 120)) | _shape((96, 150), (192, 150), (188, 330), (100, 330))
    ) & ~mask
    image[dummy] = (np.float32(tone) * (1 - 0.15 * ((COLUMNS - 144) / 48) ** 2)[..., None]).clip(0, 255).astype(np.uint8)[dummy]
    assert _iou(garment_mask(image), mask) > 0.95


def test_a_high_collar_stays() -> None:
    mask = _top() | _shape((122, 50), (166, 50), (170, 100), (118, 100))
    assert _iou(garment_mask(_picture(mask, "red", "grey", 0.2)), mask) > 0.97


def test_the_matte_is_soft_at_the_edge_only() -> None:
    mask = _top()
    matte = garment_matte(_picture(mask, "red", "white"))
    within, beyond = (cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, 3) for side in (mask, ~mask))
    assert matte.dtype == np.float32
    assert matte[within > 6].min() > 0.95
    assert matte[beyond > 6].max() < 0.05
    assert 0.2 < matte[(within <= 1.5) & (beyond <= 1.5)].mean() < 0.8


def test_a_garment_on_a_person_is_refused_by_name() -> None:
    photograph = skimage.data.astronaut()  # the suit goes on below the picture
    with pytest.raises(ValueError, match=r"garment: .*person wearing it.*mask="):
        cut_out(Garment(photograph))
    assert cut_out(Garment(photograph, np.ones((512, 512), bool))) is None, "a given mask is believed"


def test_without_networks_a_face_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise weights.Missing("nothing here")

    monkeypatch.setattr(modelled, "annotate", missing)
    monkeypatch.setattr(modelled, "garment_mask", lambda _: _column(512, 225, 110, 200) & (np.arange(512) > 20)[:, None])
    with pytest.raises(ValueError, match=r"person wearing it.*weights fetch mediapipe"):
        cut_out(Garment(skimage.data.astronaut()))


def test_a_face_printed_on_the_chest_is_no_wearer() -> None:
    face = skimage.data.astronaut()[0:200, 130:330]
    image = _picture(_top(scale=1.2), "red", "grey")
    image[150:220, 110:180] = cv2.resize(face, (70, 70), interpolation=cv2.INTER_AREA)
    assert cut_out(Garment(cv2.resize(image, None, fx=2, fy=2))) is None


@pytest.fixture(scope="module")
def wearer() -> Person:
    return helpers.generate("a woman in a red t-shirt and jeans, arms away from the body", size=(384, 512), seed=3)


def test_what_somebody_wears_is_cut_out_of_the_photograph(wearer: Person) -> None:
    found = cut_out(Garment(wearer.image))
    assert found is not None
    assert _iou(found, wearer.worn("upper")) > 0.9


def test_a_wearer_without_a_head_is_refused(wearer: Person) -> None:
    neck = int(wearer.keypoints[1, 1])
    with pytest.raises(ValueError, match=r"person wearing it, and the head is cut off"):
        cut_out(Garment(np.ascontiguousarray(wearer.image[neck:])))


def _column(side: int, middle: int, narrow: int, below: int) -> np.ndarray:
    """bool (side, side): as wide as a head above ``below``, the whole width under it."""
    rows, columns = np.mgrid[:side, :side]
    return (np.abs(columns - middle) < narrow) | (rows > below)

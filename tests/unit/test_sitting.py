from __future__ import annotations

import numpy as np
import pytest

from helpers.annotation.annotator import _crowd
from helpers.garment import Garment
from helpers.person import Person
from helpers.tryon.framing import MODES, Frame
from helpers.tryon.sitting import in_frame, sit

SIZE = (96, 128)


@pytest.fixture
def picture() -> np.ndarray:
    y, x = np.mgrid[0:200, 0:90]
    return np.stack([x * 2, y, (x + y) % 255], 2).astype(np.uint8)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(200, 90), (90, 200), (128, 96), (64, 64)])
def test_into_the_frame_and_back_is_where_it_was(mode: str, shape: tuple[int, int]) -> None:
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    picture = np.stack([x * 255 // shape[1], y * 255 // shape[0], 0 * x], 2).astype(np.uint8)
    place = Frame.fit(shape[::-1], SIZE, mode)
    framed = place.put(picture)
    assert framed.shape == (SIZE[1], SIZE[0], 3)
    back = place.take(framed, picture)
    assert back.shape == picture.shape
    assert np.abs(back.astype(int) - picture).mean() < 3


def test_letterbox_keeps_all_and_the_shape_crop_keeps_the_middle_stretch_bends(picture: np.ndarray) -> None:
    letterbox, crop, stretch = (Frame.fit((90, 200), SIZE, mode) for mode in MODES)
    assert letterbox.source == stretch.source == (0, 0, 90, 200)
    assert letterbox.target[2] / letterbox.target[3] == pytest.approx(90 / 200, abs=0.02)
    assert (crop.source[2], crop.source[3]) == (90, 120)
    assert crop.target == stretch.target == (0, 0, *SIZE)


def test_a_mask_stays_a_mask_and_the_margin_is_not_in_it(picture: np.ndarray) -> None:
    mask = np.zeros(picture.shape[:2], bool)
    mask[50:150, 20:70] = True
    place = Frame.fit((90, 200), SIZE)
    framed = place.put(mask)
    assert framed.dtype == bool
    left, _, width, _ = place.target
    assert not framed[:, :left].any()
    assert not framed[:, left + width :].any()
    back = place.take(framed, np.zeros_like(mask))
    assert (back & mask).sum() / (back | mask).sum() > 0.95


def test_what_lies_outside_a_crop_keeps_its_bytes(picture: np.ndarray) -> None:
    place = Frame.fit((90, 200), SIZE, "crop")
    out = place.take(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), picture)
    assert (out[:40] == picture[:40]).all()
    assert (out[40:160] == 0).all()


def test_another_mode_is_named() -> None:
    with pytest.raises(ValueError, match="framing must be letterbox, crop or stretch"):
        Frame.fit((90, 200), SIZE, "tile")


def test_the_mask_says_who_of_several_is_meant() -> None:
    joints = np.ones((18, 3), np.float32) * (0, 60, 1)
    people = [joints + np.float32((x, 0, 0)) for x in (50, 20, 80)]  # as prominence has them
    mask = np.zeros((120, 100), bool)
    mask[40:80, 70:95] = True
    assert _crowd(people, "auto").joints[0, 0] == 50
    assert _crowd(people, "auto", mask).joints[0, 0] == 80
    assert _crowd(people, 0, mask).joints[0, 0] == 20


@pytest.mark.parametrize("mode", MODES)
def test_annotations_go_with_the_picture(mode: str) -> None:
    labels = np.zeros((200, 90), np.uint8)
    labels[60:140, 30:60] = 5
    image = np.where(labels[..., None] > 0, np.uint8([220, 20, 20]), np.uint8(200)).astype(np.uint8)
    keypoints = np.zeros((25, 3), np.float32)
    keypoints[0] = 45, 100, 0.5
    person = Person(image, keypoints=keypoints, labels=labels, mask=labels > 0, garments={"top": labels > 0})
    there = in_frame(person, Frame.fit((90, 200), SIZE, mode))
    red = there.image[..., 1] < 110
    assert (red == (there.labels == 5)).mean() > 0.98
    assert (red == there.mask).mean() > 0.98
    assert (there.mask == there.garments["top"]).all()
    rows, columns = np.nonzero(red)
    assert there.keypoints[0] == pytest.approx((columns.mean(), rows.mean(), 0.5), abs=1)
    assert not there.keypoints[1:].any()


def test_a_sitting_is_not_ended_without_a_mask_or_by_a_picture_of_another_size() -> None:
    person = Person(np.full((200, 90, 3), 200, np.uint8))
    garment = Garment(np.full((80, 80, 3), 30, np.uint8))
    at = sit(person, garment, None, SIZE, engine="idm_vton", needs=())
    with pytest.raises(ValueError, match="no mask yet"):
        at.result(at.image)
    with pytest.raises(ValueError, match="no garment of category 'upper' was found"):
        at.masked(at.mask)
    with pytest.raises(ValueError, match=r"not \(64, 48, 3\)"):
        at.masked(np.ones((64, 48), bool)).result(at.image[:64, :48])
    with pytest.raises(ValueError, match="engine for annotate is auto or one of"):
        sit(person, garment, None, SIZE, engine="idm_vton", needs=(), annotator="nobody")
    with pytest.raises(ValueError, match="idm_vton asks for depth, which its record does not say"):
        sit(person, garment, None, SIZE, engine="idm_vton", needs=("keypoints", "depth"))
    corner = np.zeros((200, 90), bool)
    corner[:14, 20:70] = True
    with pytest.raises(ValueError, match="outside what framing='crop' keeps"):
        sit(person, garment, corner, SIZE, engine="idm_vton", needs=(), framing="crop")

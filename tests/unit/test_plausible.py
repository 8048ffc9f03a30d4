"""Masks that cannot be a garment are named before a try-on."""

import numpy as np
import pytest

from helpers.labels import CIHP
from helpers.person import Person
from helpers.tryon import plausible

HEIGHT, WIDTH = 256, 192
HEAD, TOP, LEGS = (slice(20, 50), slice(80, 112)), (slice(60, 130), slice(60, 132)), (slice(130, 240), slice(66, 126))


@pytest.fixture
def image():
    return np.full((HEIGHT, WIDTH, 3), 128, np.uint8)


@pytest.fixture
def labels():
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for region, name in ((HEAD, "face"), (TOP, "upper-clothes"), (LEGS, "pants")):
        labels[region] = CIHP.index(name)
    return labels


def masked(*regions):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for region in regions:
        mask[region] = True
    return mask


def test_a_garment_is_fine(image, labels):
    assert plausible.check(masked(TOP), Person(image)) == ""
    assert plausible.check(masked(TOP), Person(image, labels=labels)) == ""


def test_an_inverted_mask(image):
    with pytest.raises(ValueError, match="inverted"):
        plausible.check(~masked(TOP), Person(image))


@pytest.mark.parametrize("region", [(slice(60, 64), slice(60, 64)), (slice(60, 130), slice(60, 66))])
def test_too_little_for_a_garment(image, region):
    with pytest.raises(ValueError, match="too few for a garment"):
        plausible.check(masked(region), Person(image))


def test_a_whole_body_by_its_height(image):
    with pytest.raises(ValueError, match="whole body"):
        plausible.check(masked((slice(10, 240), slice(60, 130))), Person(image))


def test_a_whole_body_by_the_nose(image):
    keypoints = np.zeros((25, 3), np.float32)
    keypoints[0] = 96, 70, 0.9
    with pytest.raises(ValueError, match="whole body"):
        plausible.check(masked(TOP), Person(image, keypoints=keypoints))
    keypoints[0, 2] = 0  # not seen: says nothing
    assert plausible.check(masked(TOP), Person(image, keypoints=keypoints)) == ""


def test_a_whole_body_by_face_and_hair(image, labels):
    with pytest.raises(ValueError, match="whole body"):
        plausible.check(masked(HEAD, TOP), Person(image, labels=labels))


def test_a_mask_of_most_of_the_figure_is_remarked_upon(image, labels):
    assert "of the figure" in plausible.check(masked(TOP, LEGS), Person(image, labels=labels))

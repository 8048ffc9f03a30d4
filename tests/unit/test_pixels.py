"""Which known pixel is nearest, which colours there are, and the sRGB curve."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.pixels import cluster, nearest_centre, nearest_known
from helpers.srgb import decode, encode
from helpers.tryon.drape.polylines import first_part, length, resample


def test_the_nearest_known_pixel_is_named_with_its_distance() -> None:
    known = np.zeros((20, 30), bool)
    known[3, 4] = known[15, 25] = True
    distance, place = nearest_known(known)
    assert np.array_equal(np.unravel_index(place[3, 4], known.shape), (3, 4))
    assert np.array_equal(np.unravel_index(place[0, 0], known.shape), (3, 4))
    assert np.array_equal(np.unravel_index(place[19, 29], known.shape), (15, 25))
    assert distance[3, 4] == 0
    assert distance[3, 10] == pytest.approx(6, abs=0.1)


def test_clusters_are_found_from_poor_starts_and_an_empty_one_stays() -> None:
    rng = np.random.default_rng(2)
    points = np.concatenate([rng.normal(at, 0.3, (50, 3)) for at in (0.0, 8.0)])
    starts = np.array([[1.0, 1, 1], [6.0, 6, 6], [90.0, 90, 90]])
    centres, label = cluster(points, starts)
    assert centres[0] == pytest.approx([0, 0, 0], abs=0.2)
    assert centres[1] == pytest.approx([8, 8, 8], abs=0.2)
    assert centres[2] == pytest.approx(starts[2])
    assert np.array_equal(label, np.repeat([0, 1], 50))
    heavy, _ = cluster(points, starts[:1], weight=np.repeat([0.0, 1.0], 50))
    assert heavy[0] == pytest.approx([8, 8, 8], abs=0.2)
    assert np.array_equal(nearest_centre(points, centres), label)


def test_the_curve_is_that_of_the_standard_and_comes_back() -> None:
    values = np.linspace(0, 1, 101)
    assert encode(decode(values)) == pytest.approx(values, abs=1e-5)
    assert decode(np.array([0.02, 0.5])) == pytest.approx([0.02 / 12.92, 0.21404], abs=1e-5)
    assert encode(np.array([-1.0, 2.0])) == pytest.approx([0, 1])


def test_polylines_are_walked_by_length() -> None:
    line = np.array([[0.0, 0], [3, 0], [3, 4]])
    assert length(line) == 7
    assert resample(line, 8)[[0, 3, 7]] == pytest.approx(np.array([[0, 0], [3, 0], [3, 4]]))
    assert first_part(line, 5)[-1] == pytest.approx([3, 2])
    assert first_part(line, 99)[-1] == pytest.approx([3, 4])

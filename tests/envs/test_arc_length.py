"""Closed-form lengths against polylines of thousands of pieces."""

import numpy as np
import pytest

from spiral.envs.arc_length import arc_lengths
from spiral.geometry import Point, arc_length

RANDOM = np.random.default_rng(0).random((3, 100, 2))
KINDS = {
    "random": RANDOM,
    "from a cell to a cell": np.round(3 * RANDOM) / 3,
    "nearly straight": [RANDOM[0], (RANDOM[0] + RANDOM[2]) / 2 + 1e-7 * RANDOM[1], RANDOM[2]],
    "straight, at uneven speed": [RANDOM[0], 0.3 * RANDOM[0] + 0.7 * RANDOM[2], RANDOM[2]],
    "folded back": [RANDOM[0], 3 * RANDOM[2] - 2 * RANDOM[0], RANDOM[2]],
    "out and home": [RANDOM[0], RANDOM[1], RANDOM[0]],
    "nearly folded": [RANDOM[0], RANDOM[1], RANDOM[0] + 1e-9],
    "dots": [RANDOM[0]] * 3,
}


@pytest.mark.parametrize("kind", KINDS)
def test_lengths(kind):
    start, control, end = points = [np.asarray(corner) for corner in KINDS[kind]]
    curves = [(Point(*a), Point(*b), Point(*c)) for a, b, c in zip(*(p.tolist() for p in points), strict=True)]
    expected = [arc_length(*curve, tolerance=1e-7) for curve in curves]
    np.testing.assert_allclose(arc_lengths(start, control, end), expected, rtol=1e-6, atol=1e-6)


def test_of_no_curves():
    assert arc_lengths(*np.empty((3, 0, 2))).shape == (0,)

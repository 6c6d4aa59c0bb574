"""Chains of quadratic Beziers against the spline's definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral.envs.spline import spline_curves

SQUARE = np.ones(2)
RANDOM = np.random.default_rng(0).random((12, 2))


def basis(i, degree, knots, t):
    """Cox and de Boor's recursion."""
    if degree == 0:
        return ((knots[i] <= t) & (t < knots[i + 1])).astype(float)
    total = np.zeros_like(t)
    for j, part in ((i, t - knots[i]), (i + 1, knots[i + degree + 1] - t)):
        width = knots[j + degree] - knots[j]
        if width:
            total += part / width * basis(j, degree - 1, knots, t)
    return total


def spline_places(points, count):
    """The spline at ``count`` evenly spaced parameters, and its end."""
    degree = min(3, len(points) - 1)
    spans = len(points) - degree
    knots = np.concatenate([[0] * degree, np.arange(spans + 1), [spans] * degree])
    t = np.linspace(0, spans, count, endpoint=False)
    return np.array([*sum(basis(i, degree, knots, t)[:, None] * point for i, point in enumerate(points)), points[-1]])


def chain_places(curves, count):
    t = np.linspace(0, 1, count)[:, None]
    a, b, c = curves.transpose(1, 0, 2)[:, :, None]
    return ((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c).reshape(-1, 2)


def farthest(places, others):
    """How far the worst of these places is from the nearest of the others."""
    return np.hypot(*(places[:, None] - others).transpose(2, 0, 1)).min(axis=1).max()


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 12])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-3])
def test_it_is_the_spline_to_within_the_tolerance(count, tolerance):
    chain, places = (
        chain_places(spline_curves(RANDOM[:count], SQUARE, tolerance), 20),
        spline_places(RANDOM[:count], 4000),
    )
    gap = np.hypot(*np.diff(places, axis=0).T).max()
    assert farthest(chain, places) < np.hypot(tolerance, gap / 2)


@pytest.mark.parametrize("tolerance", [1e-1, 1e-2, 1e-3, 1e-4])
def test_no_fewer_equal_parts_of_a_cubic_would_do(tolerance):
    points = RANDOM[:4]
    count = len(spline_curves(points, SQUARE, tolerance))
    off = [deviation(points, parts) for parts in (count, count - 1) if parts]
    assert off[0] <= tolerance and all(more > tolerance for more in off[1:])


def deviation(points, parts):
    """How far a chain of so many quadratics is from the cubic, at equal parameters."""
    curves = spline_curves(points, SQUARE, tolerance_for(points, parts))
    assert len(curves) == parts
    chain = chain_places(curves, 101).reshape(parts, 101, 2)[:, :-1].reshape(-1, 2)
    return np.hypot(*(spline_places(points, 100 * parts)[:-1] - chain).T).max()


def tolerance_for(points, parts):
    bend = np.hypot(*(points[3] - 3 * points[2] + 3 * points[1] - points[0]))
    return bend * 3**0.5 / 36 / (parts - 1e-9) ** 3


def test_of_two_points_it_is_a_line_of_three_the_bezier():
    start, end = RANDOM[:2]
    assert np.array_equal(spline_curves(RANDOM[:2], SQUARE, 1e-3), [[start, (start + end) / 2, end]])
    assert np.array_equal(spline_curves(RANDOM[:3], SQUARE, 1e-3), [RANDOM[:3]])


def test_points_on_a_line_give_a_line():
    points = np.linspace(0, 1, 7)[:, None] * (0.8, 0.4)
    curves = spline_curves(points, SQUARE, 1e-3)
    np.testing.assert_allclose(curves[..., 1], curves[..., 0] / 2, atol=1e-12)


@settings(max_examples=200, deadline=None)
@given(
    points=st.lists(st.tuples(*[st.sampled_from([0.0, 0.3, 1.0])] * 2), min_size=2, max_size=30),
    width=st.sampled_from([1.0, 64.0]),
)
def test_a_chain_has_no_gaps_and_stays_on_the_canvas(points, width):
    points = np.array(points)
    curves = spline_curves(points, np.array([width, 1.0]), 1e-3)
    assert np.array_equal(curves[0, 0], points[0]) and np.array_equal(curves[-1, 2], points[-1])
    assert np.array_equal(curves[1:, 0], curves[:-1, 2])
    assert (np.abs(chain_places(curves, 10) - 0.5) <= 0.5 + 1e-3 + 1e-9).all()
    assert (np.abs(curves - 0.5) < 1.5).all(), "what a stroke may reach"


@pytest.mark.parametrize("axis", [0, 1])
def test_the_tolerance_is_in_the_unit_of_the_sides(axis):
    straight, along = RANDOM * np.eye(2)[axis], np.eye(2)[axis]
    longer = spline_curves(straight, 1 + 7 * along, 1e-3)
    assert np.array_equal(longer, spline_curves(straight, 9 - 8 * along, 1e-3 / 8))
    assert len(longer) > len(spline_curves(straight, SQUARE, 1e-3))

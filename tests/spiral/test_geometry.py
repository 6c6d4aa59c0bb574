import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from spiral.geometry import (
    Point,
    arc_length,
    bezier_point,
    flatten,
    parameter_at,
    pieces_for,
    sharp_turn,
    split,
    swept_outline,
)

COORDINATES = st.floats(-1, 2)
POINTS = st.builds(Point, COORDINATES, COORDINATES)
CURVES = st.tuples(POINTS, POINTS, POINTS)
PARAMETERS = st.floats(0, 1)
# How large strokes are beside their widths: in small ones discs lie in one another.
SCALES = st.sampled_from([1.0, 0.2, 0.04])


def test_a_curve_begins_at_start_and_ends_at_end():
    curve = Point(0.1, 0.2), Point(0.9, 0.3), Point(0.4, 0.8)
    assert bezier_point(*curve, 0.0) == curve[0]
    assert bezier_point(*curve, 1.0) == curve[2]
    assert bezier_point(*curve, 0.5) == pytest.approx((0.575, 0.4))


@given(CURVES, PARAMETERS)
def test_flattening_keeps_to_the_tolerance_at_every_parameter(curve, t):
    polyline = flatten(*curve, tolerance=0.01)
    n = len(polyline) - 1
    i = min(int(t * n), n - 1)
    share = t * n - i
    on_polyline = (a + share * (b - a) for a, b in zip(polyline[i], polyline[i + 1], strict=True))
    assert math.dist(tuple(on_polyline), bezier_point(*curve, t)) <= 0.01 + 1e-12


def test_flattening_takes_no_more_pieces_than_the_tolerance_needs():
    straight = Point(0, 0), Point(0.5, 0.5), Point(1, 1)
    bent = Point(0, 0), Point(0.5, 1), Point(1, 0)
    assert len(flatten(*straight, tolerance=1e-6)) == 2
    # Bent by 2, so n pieces are 2 / (4 n^2) off.
    assert pieces_for(*bent, tolerance=2 / (4 * 7**2) + 1e-12) == 7


@given(CURVES, PARAMETERS, PARAMETERS)
def test_both_parts_of_a_split_curve_lie_on_it(curve, t, s):
    start, control0, middle, control1, end = split(*curve, t)
    assert bezier_point(start, control0, middle, s) == pytest.approx(bezier_point(*curve, s * t), abs=1e-9)
    assert bezier_point(middle, control1, end, s) == pytest.approx(bezier_point(*curve, t + s * (1 - t)), abs=1e-9)


def test_arc_length_of_curves_known_in_closed_form():
    straight = Point(0, 0), Point(1.5, 2), Point(3, 4)
    # The parabola y = x^2 from 0 to 1.
    parabola = Point(0, 0), Point(0.5, 0), Point(1, 1)
    there_and_back = Point(0, 0), Point(1, 0), Point(0, 0)
    assert arc_length(*straight, tolerance=1e-6) == pytest.approx(5)
    expected = math.sqrt(5) / 2 + math.asinh(2) / 4
    assert arc_length(*parabola, tolerance=1e-6) == pytest.approx(expected, abs=1e-4)
    assert arc_length(*there_and_back, tolerance=1e-6) == pytest.approx(1, abs=1e-4)
    assert arc_length(*[Point(0.3, 0.3)] * 3, tolerance=1e-6) == 0


@pytest.mark.parametrize(("left", "right", "turn"), [(-1, 1, 1 / 2), (-1, 2, 1 / 3), (-1, 0.25, 0.8)])
def test_a_parabola_turns_sharply_at_its_vertex(left, right, turn):
    # y = x^2, whose radius of curvature at the vertex is 1/2.
    curve = left, left**2, (left + right) / 2, left * right, right, right**2
    assert sharp_turn(*curve, radius=0.501) == pytest.approx(turn)
    assert sharp_turn(*curve, radius=0.499) is None


def test_a_vertex_beyond_the_ends_is_no_sharp_turn():
    assert sharp_turn(1, 1, 1.5, 2, 2, 4, radius=100) is None
    assert sharp_turn(-2, 4, -1.5, 2, -1, 1, radius=100) is None


def test_there_and_back_is_a_sharp_turn_at_the_far_end():
    assert sharp_turn(0.1, 0.5, 0.9, 0.5, 0.1, 0.5, radius=0.001) == pytest.approx(0.5)
    assert sharp_turn(0.1, 0.5, 0.5, 0.5, 0.9, 0.5, radius=0.5) is None
    assert sharp_turn(0.5, 0.5, 0.5, 0.5, 0.5, 0.5, radius=0.5) is None


@given(CURVES, SCALES, st.floats(0.01, 0.4), st.floats(0.01, 0.4), PARAMETERS, st.floats(0, 2 * math.pi))
@example((Point(0, 0), Point(0, 0), Point(0.1142, 0.011)), 1.0, 0.384, 0.5258, 0.6, 3.2463)  # nested discs at first
def test_the_swept_outline_goes_round_every_disc_of_the_sweep(curve, scale, radius0, radius1, t, angle):
    curve, tolerance = _scaled(curve, scale), 0.002
    reach = (1 - t) * radius0 + t * radius1 - 4 * tolerance
    assume(reach > 0)
    x, y = bezier_point(*curve, t)
    inside = x + reach * math.cos(angle), y + reach * math.sin(angle)
    assert _winding(inside, swept_outline(*curve, radius0, radius1, tolerance)) > 0


@pytest.mark.parametrize("side", [-1, 1])
def test_there_is_no_gap_on_the_outside_of_a_bend(side):
    curve = Point(0, 0), Point(1, side), Point(2, 0)
    outline = swept_outline(*curve, 0.4, 0.5, tolerance=0.01)
    for t in np.linspace(0.02, 0.98, 97):
        x, y = bezier_point(*curve, t)
        slope = side * (1 - 2 * t)
        reach = (0.4 + 0.1 * t - 0.03) / math.hypot(1, slope)
        assert _winding((x - reach * slope * side, y + reach * side), outline) > 0


@given(CURVES, SCALES, st.floats(0, 0.4), st.floats(0, 0.4))
def test_no_corner_of_the_swept_outline_lies_outside_the_sweep(curve, scale, radius0, radius1):
    curve = _scaled(curve, scale)
    t = np.linspace(0, 1, 2001)[:, None]
    start, control, end = map(np.array, curve)
    centres = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    radii = ((1 - t) * radius0 + t * radius1)[:, 0]
    for corner in swept_outline(*curve, radius0, radius1, tolerance=0.002):
        assert np.min(np.hypot(*(centres - (corner.real, corner.imag)).T) - radii) < 0.004


def _scaled(curve, scale):
    return tuple(Point(scale * point.x, scale * point.y) for point in curve)


def _winding(point, outline):
    """How often the outline goes round the point: the crossings of a ray to the right, by their sense."""
    px, py = point
    winding = 0
    for a, b in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (a.imag <= py) != (b.imag <= py):
            crossing = a.real + (py - a.imag) / (b.imag - a.imag) * (b.real - a.real)
            winding += (crossing > px) * (1 if b.imag > a.imag else -1)
    return winding


def test_half_of_the_length_of_a_line_is_at_half_of_its_way():
    even, slow_at_first = Point(0.5, 0.0), Point(0.0, 0.0)
    for control in (even, slow_at_first):
        t = parameter_at(Point(0.0, 0.0), control, Point(1.0, 0.0), 0.5, tolerance=1e-4)
        assert bezier_point(Point(0.0, 0.0), control, Point(1.0, 0.0), t).x == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.75, 1.0])
def test_a_share_of_the_length_lies_before_its_parameter(share):
    curve = (Point(0.0, 0.0), Point(2.0, 1.0), Point(0.1, 0.2))
    t = parameter_at(*curve, share, tolerance=1e-5)
    assert arc_length(*split(*curve, t)[:3], 1e-6) == pytest.approx(share * arc_length(*curve, 1e-6), abs=1e-3)


def test_the_parameter_of_a_dot_is_the_share():
    assert parameter_at(Point(1.0, 1.0), Point(1.0, 1.0), Point(1.0, 1.0), 0.3, tolerance=1e-3) == 0.3

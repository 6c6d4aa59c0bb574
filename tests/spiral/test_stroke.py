import dataclasses
import math

import numpy as np
import pytest

from spiral import Brush, Point, Stroke
from spiral.errors import InputError

BRUSH = Brush(0.1)


def test_a_stroke_turns_pairs_into_points_and_numbers_into_floats():
    stroke = Stroke((0, 1), [0.5, 0.5], np.array([1, 0]), Brush(1, color=[0, 1, 0]), action=[np.int64(3), 1])
    assert stroke.start == Point(0.0, 1.0) and isinstance(stroke.end, Point)
    assert type(stroke.end.x) is float and type(stroke.brush.width) is float
    assert stroke.brush.color == (0.0, 1.0, 0.0)
    assert stroke.action == (3, 1) and type(stroke.action[0]) is int


def test_strokes_and_brushes_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Stroke((0, 0), (0, 0), (0, 0), BRUSH).start = Point(1, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        BRUSH.width = 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0}, "width must be a number above 0 to 2, got 0"),
        ({"width": 2.1}, "width must be a number above 0 to 2, got 2.1"),
        ({"width": True}, "width must be a number above 0 to 2, got True"),
        ({"width": "wide"}, "width must be a number above 0 to 2, got 'wide'"),
        ({"width": math.nan}, "width must be a number above 0 to 2, got nan"),
        ({"width": 10**5000}, "width must be a number above 0 to 2, got a number of thousands of digits"),
        ({"color": (0, 0)}, r"color must be 3 numbers \[red, green, blue\], got \(0, 0\)"),
        ({"color": (0, 0, 1.5)}, "color blue must be a number from 0 to 1, got 1.5"),
        ({"color": "red"}, r"color must be 3 numbers \[red, green, blue\], got 'red'"),
        ({"opacity": -0.1}, "opacity must be a number from 0 to 1, got -0.1"),
        ({"pressure": (1, math.inf)}, "pressure end must be a number from 0 to 1, got inf"),
        ({"pressure": 1}, r"pressure must be 2 numbers \[start, end\], got 1"),
    ],
)
def test_a_brush_out_of_range_is_refused_by_name(arguments, message):
    with pytest.raises(InputError, match=message):
        Brush(**{"width": 0.1} | arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": (math.nan, 0)}, "start x must be a number from -1 to 2, got nan"),
        ({"control": (0, 2.01)}, "control y must be a number from -1 to 2, got 2.01"),
        ({"end": (0, 0, 0)}, r"end must be 2 numbers \[x, y\], got \(0, 0, 0\)"),
        ({"end": {"x": 0, "y": 0}}, r"end must be 2 numbers \[x, y\], got {'x': 0, 'y': 0}"),
        ({"brush": 0.1}, "brush must be a Brush, got 0.1"),
        ({"action": (1, 0.5)}, r"action\[1\] must be a whole number from 0 to 2147483647, got 0.5"),
        ({"action": (-1,)}, r"action\[0\] must be a whole number from 0 to 2147483647, got -1"),
        ({"action": (0,) * 65}, "action must be a list of at most 64 whole numbers, got"),
        ({"action": 3}, "action must be a list of at most 64 whole numbers, got 3"),
    ],
)
def test_a_stroke_out_of_range_is_refused_by_name(arguments, message):
    with pytest.raises(InputError, match=message):
        Stroke(**{"start": (0, 0), "control": (0, 0), "end": (0, 0), "brush": BRUSH} | arguments)


def test_a_long_value_is_shortened_in_the_message():
    with pytest.raises(InputError, match=r"got 'x+\.\.\.$"):
        Brush("x" * 500)


def test_a_stroke_until_half_way_ends_on_the_curve_with_the_pressure_there():
    stroke = Stroke((0, 0), (1, 0), (1, 1), Brush(0.1, pressure=(0.2, 1.0)), action=(1,))
    half = stroke.until(0.5)
    assert (half.start, half.control, half.end) == ((0, 0), (0.5, 0), (0.75, 0.25))
    assert half.brush.pressure == pytest.approx((0.2, 0.6))
    assert stroke.until(1.0) == stroke


def test_a_stroke_placed_on_a_larger_canvas_keeps_its_shape_there():
    stroke = Stroke((0.0, 0.5), (1.0, 0.5), (0.5, 1.0), Brush(0.2, (0.1, 0.2, 0.3), 0.5, (0.4, 0.6)), (1, 2))
    placed = stroke.placed(1.0, 0.5, 4.0, 2.0, 0.25)
    assert (placed.start, placed.control, placed.end) == (Point(0.25, 0.5), Point(0.5, 0.5), Point(0.375, 0.75))
    assert placed.brush == dataclasses.replace(stroke.brush, width=0.05) and placed.action == (1, 2)

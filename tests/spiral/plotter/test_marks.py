import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plotter_programs import polyline, random_program

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.geometry import bezier_point
from spiral.plotter.marks import check_on_canvas, clipped, place, spans_inside
from spiral.plotter.page import Page, frame_for
from spiral.plotter.pens import Pen

CANVAS = CanvasSpec(64, 32, 3)
coordinates = st.floats(-1.0, 2.0, allow_nan=False)
points = st.tuples(coordinates, coordinates)


def placed(strokes, *pens):
    frame = frame_for(CANVAS, Page(100.0, 100.0))
    return place(Program(CANVAS, strokes), frame, pens)


def test_a_stroke_is_placed_in_mm_and_its_width_is_of_the_shorter_side():
    (mark,) = placed([Stroke((0, 0), (0.5, 0.5), (1, 1), Brush(0.1, pressure=(0.5, 1.0)))], Pen("black")).marks
    assert (mark.start, mark.control, mark.end) == ((0.0, 25.0), (50.0, 50.0), (100.0, 75.0))
    assert mark.widths == (2.5, 5.0) and mark.stroke == 0 and mark.pen == 0


def test_of_pens_of_one_colour_the_one_nearest_to_the_mean_width_draws():
    tapered = Stroke((0, 0), (0.5, 0.5), (1, 1), Brush(0.1, pressure=(0.0, 1.0)))  # 0 to 5 mm
    pens = [Pen("black", width=width) for width in (0.1, 2.5, 5.0)]
    assert placed([tapered], *pens).marks[0].pen == 1


def test_colours_off_and_strokes_left_out_are_counted():
    strokes = [
        Stroke((0, 0), (0, 0), (1, 1), Brush(0.1, color, opacity))
        for color, opacity in [((0, 0, 0), 1.0), ((1, 1, 1), 1.0), ((0, 0, 0), 0.5), ((1, 0, 0), 0.0)]
    ]
    found = placed(strokes, Pen("black"))
    assert [mark.stroke for mark in found.marks] == [0, 2]
    assert found.left_out == (1, 3)
    assert found.errors[0] == 0.0 and 0.3 < found.errors[1] < 0.7


def test_strokes_that_leave_the_canvas_are_refused_and_named():
    inside = polyline([(0.0, 0.0), (1.0, 1.0)])
    check_on_canvas(Program(CANVAS, inside))
    outside = Program(CANVAS, [*inside, Stroke((0.5, 0.5), (2.0, 0.5), (0.5, 0.6), Brush(0.1))])
    with pytest.raises(
        InputError, match="stroke 2 leaves the canvas, .* --clip cuts such strokes at the canvas's edge"
    ):
        check_on_canvas(outside)
    check_on_canvas(clipped(outside))
    assert clipped(replace(outside, checksum="0" * 64)).checksum is None


def test_a_control_point_outside_is_no_stroke_outside():
    stroke = Stroke((0.0, 0.5), (0.5, -0.5), (1.0, 0.5), Brush(0.1))
    assert spans_inside(stroke) == [(0.0, 1.0)]


def test_a_stroke_that_comes_back_is_two():
    touching = Stroke((0.5, 0.5), (1.5, 0.5), (0.5, 0.6), Brush(0.1))
    assert spans_inside(touching) == [(0.0, 1.0)]
    further = Stroke((0.5, 0.5), (2.0, 0.5), (0.5, 0.6), Brush(0.1, pressure=(0.0, 1.0)))
    (_, out), (back, _) = spans_inside(further)
    assert out == pytest.approx((1 - math.sqrt(1 / 3)) / 2) and back == pytest.approx((1 + math.sqrt(1 / 3)) / 2)
    first, second = clipped(Program(CANVAS, [further])).strokes
    assert first.start == further.start and second.end == further.end
    assert first.end.x == pytest.approx(1.0) and second.start.x == pytest.approx(1.0)
    assert first.brush.pressure == (0.0, pytest.approx(out)) and second.brush.pressure == (pytest.approx(back), 1.0)


def test_a_straight_stroke_is_cut_where_it_crosses_the_edge():
    assert spans_inside(Stroke((0.25, 0.5), (0.875, 0.5), (1.5, 0.5), Brush(0.1))) == [(0.0, 0.6)]


def test_a_stroke_wholly_outside_disappears():
    assert clipped(Program(CANVAS, [Stroke((-0.5, 0), (-0.4, 0), (-0.1, 1), Brush(0.1))])).strokes == ()


@settings(max_examples=200, deadline=None)
@given(points, points, points)
def test_what_is_left_of_a_stroke_is_what_lies_on_the_canvas(start, control, end):
    stroke = Stroke(start, control, end, Brush(0.1))
    spans = spans_inside(stroke)
    for i in range(101):
        t = i / 100
        point = bezier_point(stroke.start, stroke.control, stroke.end, t)
        depth = min(point.x, 1 - point.x, point.y, 1 - point.y)  # negative outside
        if abs(depth) > 2e-6:
            assert (depth > 0) == any(t0 <= t <= t1 for t0, t1 in spans)
    for part in clipped(Program(CanvasSpec(16, 16, 1), [stroke])).strokes:
        assert spans_inside(part) == [(0.0, 1.0)]


@pytest.mark.parametrize("x", [1.5688537569260836e-11, 1e-9, 1e-12, 0.0])
def test_a_stroke_that_all_but_touches_the_edge_from_outside_is_not_inside(x):
    stroke = Stroke((2.0, 0.0), (x, 0.0), (2.0, 0.0), Brush(0.1))
    assert sum(t1 - t0 for t0, t1 in spans_inside(stroke)) < 1e-3


def test_programs_on_the_canvas_are_not_touched():
    program = random_program(2, strokes=30)
    uneven = Stroke((0.9, 0.0), (0.5, 0.1), (0.3, 1e-5), Brush(0.1, pressure=(0.9, 1e-3)))
    assert uneven.between(0.0, 1.0) != uneven, "cutting rounds"
    whole = replace(program, strokes=(*program.strokes, uneven))
    assert clipped(whole).strokes == whole.strokes


def test_a_stroke_without_pressure_is_left_out_as_it_is_on_the_canvas():
    pressures = [(0.0, 0.0), (0.0, 1.0)]
    found = placed(
        [Stroke((0, 0), (0, 0), (1, 1), Brush(0.1, pressure=pressure)) for pressure in pressures], Pen("black")
    )
    assert found.left_out == (0,) and [mark.stroke for mark in found.marks] == [1]

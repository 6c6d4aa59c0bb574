import pytest

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.pace import default_seconds, stroke_ends, unfinished

WIDE = CanvasSpec(200, 100, 3)


def line(start, end):
    middle = tuple((a + b) / 2 for a, b in zip(start, end, strict=True))
    return Stroke(start, middle, end, Brush(0.1))


def test_a_stroke_twice_as_long_takes_nearly_twice_as_long():
    program = Program(WIDE, (line((0.0, 0.0), (0.2, 0.0)), line((0.0, 0.0), (0.4, 0.0))))
    first, last = stroke_ends(program, seconds=10.0)
    assert last == 10.0
    assert (last - first) / first == pytest.approx((0.8 + 0.05) / (0.4 + 0.05))


def test_along_x_and_y_the_brush_is_as_quick():
    program = Program(WIDE, (line((0.0, 0.0), (0.5, 0.0)), line((0.0, 0.0), (0.0, 1.0))))
    assert stroke_ends(program, seconds=10.0) == pytest.approx([5.0, 10.0])


def test_a_dot_takes_time_too():
    assert stroke_ends(Program(WIDE, (line((0.5, 0.5), (0.5, 0.5)),) * 4), seconds=2.0) == pytest.approx(
        [0.5, 1.0, 1.5, 2.0]
    )


def test_a_painting_without_strokes_has_no_ends():
    assert stroke_ends(Program(WIDE, ()), seconds=2.0) == []


@pytest.mark.parametrize(("strokes", "seconds"), [(0, 3.0), (9, 3.0), (144, 12.0), (10_000, 20.0)])
def test_a_film_is_longer_by_the_root_of_its_strokes_within_limits(strokes, seconds):
    assert default_seconds(Program(WIDE, (line((0.0, 0.0), (1.0, 1.0)),) * strokes)) == seconds


def test_half_of_a_stroke_is_half_of_its_length():
    slow_at_first = Stroke((0.0, 0.5), (0.0, 0.5), (1.0, 0.5), Brush(0.1, pressure=(0.0, 1.0)))
    half = unfinished(slow_at_first, WIDE, 0.5)
    assert half.end == pytest.approx((0.5, 0.5), abs=0.01)
    assert half.brush.pressure == pytest.approx((0.0, 0.707), abs=0.01)  # the pressure follows the parameter

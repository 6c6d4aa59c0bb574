import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spiral.interchange.polylines
from spiral import Brush, Point, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import InputError, ProgramError
from spiral.geometry import bezier_point
from spiral.interchange.base import Losses
from spiral.interchange.polylines import PEN_WIDTH, fits, fitted, polylines_of, program_of, whole_units

INK = Brush(PEN_WIDTH)
COLOURS = "strokes whose colour is not kept"
BRUSHES = "strokes whose width, pressure or opacity is not kept"
CURVES = "curves drawn as polylines, at most a quarter of a unit off"


def points(*pairs):
    return [Point(*pair) for pair in pairs]


def made(*polylines, side=256):
    losses = Losses()
    return program_of([points(*polyline) for polyline in polylines], side, "by hand", PEN_WIDTH, losses), losses


def painted(*strokes, width=256, height=256, **options):
    losses = Losses()
    program = Program(CanvasSpec(width, height, 3), strokes, **{"environment": "none"} | options)
    return polylines_of(program, 256, losses), losses


def line(start, end, brush=INK):
    middle = tuple((a + b) / 2 for a, b in zip(start, end, strict=True))
    return Stroke(start, middle, end, brush)


def test_a_polyline_is_a_chain_of_straight_strokes():
    program, losses = made([(0, 0), (255, 0), (255, 127)])
    low, high, middle = 1 / 512, 511 / 512, 255 / 512
    assert program.strokes == (
        Stroke((low, low), (0.5, low), (high, low), INK),
        Stroke((high, low), (high, 64 / 256), (high, middle), INK),
    )
    assert losses == {}


def test_what_is_read_is_ink_on_a_grey_canvas_and_no_painting():
    program, _ = made([(0, 0)])
    assert (program.canvas, program.environment, program.origin) == (CanvasSpec(256, 256, 1), "none", "by hand")
    assert (program.renderer, program.seed, program.checksum) == ("cairo", None, None)


def test_a_lone_point_is_a_dot():
    program, losses = made([(127, 0)])
    dot = (255 / 512, 1 / 512)
    assert program.strokes == (Stroke(dot, dot, dot, INK),)
    assert losses == {}


def test_the_middle_of_a_unit_is_the_middle_of_a_pixel_whatever_the_side():
    program, _ = made([(0, 104)], side=105)
    assert program.strokes[0].start == pytest.approx((0.5 / 105, 104.5 / 105))


def test_losses_on_the_way_in_are_counted():
    _, losses = made([(0, 0), (9, 9)], [(9, 9), (5, 5)], [(1, 1)], [(5, 5), (5, 5)], [(7, 7), (7, 7), (7, 7)])
    assert losses == {
        "lines that begin where the one before ended, joined with it": 1,
        "dots given as two equal points, kept as one": 1,
    }


def test_too_many_points_are_refused_before_any_stroke_is_made(monkeypatch):
    monkeypatch.setattr(spiral.interchange.polylines, "MAX_STROKES", 3)
    monkeypatch.setattr(spiral.interchange.polylines, "Stroke", None)
    with pytest.raises(ProgramError, match="a program has at most 3 strokes, this drawing would be 4"):
        made([(0, 0), (1, 1), (2, 2)], [(5, 5)], [(6, 6)])


def test_a_point_further_than_a_canvas_outside_is_refused():
    assert made([(-256, 511)])
    with pytest.raises(InputError, match="start x must be a number from -1 to 2"):
        made([(-257, 0)])


POLYLINES = st.lists(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=5), max_size=4)


@given(POLYLINES)
def test_there_and_back_gives_the_same_points(polylines):
    program, losses = made(*polylines)
    said = Losses()
    back = polylines_of(program, 256, said)
    assert said == {}
    assert (back == polylines) == (losses == {})


@given(POLYLINES)
def test_another_frame_gives_the_same_points_but_for_rounding(polylines):
    program, losses = made(*polylines, side=300)
    back, said = polylines_of(program, 300, Losses()), Losses()
    assert (whole_units(back, 300, said) == polylines) == (losses == {})
    assert said == {}


def test_strokes_that_meet_in_one_colour_are_one_polyline():
    thick, red = Brush(0.5), Brush(PEN_WIDTH, (1.0, 0.0, 0.0))
    a, b, c, d = (0.25, 0.25), (0.5, 0.25), (0.5, 0.5), (0.75, 0.5)
    polylines, losses = painted(line(a, b), line(b, c, thick), line(c, d, red), line(d, a), line(b, a))
    A, B, C, D = (points((256 * x - 0.5, 256 * y - 0.5))[0] for x, y in (a, b, c, d))
    assert polylines == [[A, B, C], [C, D], [D, A], [B, A]]
    assert losses == {COLOURS: 1, BRUSHES: 1}


def test_curves_become_polylines_within_the_tolerance():
    curve = Stroke((0.0, 0.5), (0.5, 0.0), (1.0, 0.5), INK)
    [polyline], losses = painted(curve)
    assert losses == {CURVES: 1}
    corners = [(256 * x - 0.5, 256 * y - 0.5) for x, y in (curve.start, curve.control, curve.end)]
    assert (polyline[0], polyline[-1]) == (corners[0], corners[2])
    for i in range(101):
        point = bezier_point(*(Point(*corner) for corner in corners), i / 100)
        assert min(distance(point, a, b) for a, b in itertools.pairwise(polyline)) <= 0.25
    assert len(polyline) < 30


def distance(p, a, b):
    """From a point to the straight line between two others."""
    dx, dy = b.x - a.x, b.y - a.y
    t = min(max(((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy), 0.0), 1.0)
    return ((p.x - a.x - t * dx) ** 2 + (p.y - a.y - t * dy) ** 2) ** 0.5


def test_what_lines_cannot_say_is_counted():
    stroke = line((0.1, 0.1), (0.9, 0.9))
    others = [Brush(0.1), Brush(PEN_WIDTH, opacity=0.5), Brush(PEN_WIDTH, pressure=(0.0, 1.0)), Brush(0.1, (1, 1, 1))]
    strokes = [stroke, *(dataclasses.replace(stroke, brush=brush) for brush in others)]
    _, losses = painted(*strokes, environment="spiral/Paint-v0")
    assert losses == {
        COLOURS: 1,
        BRUSHES: 4,
        "paintings whose environment, seed and actions are not kept": 1,
    }


def test_a_background_is_not_kept():
    losses = Losses()
    polylines_of(Program(CanvasSpec(32, 32, 1, (0.0, 0.0, 0.0)), (), environment="none"), 256, losses)
    assert losses == {"drawings whose background is not kept": 1}


def test_a_canvas_that_is_not_square_lies_in_the_middle_with_its_aspect_kept():
    [wide], losses = painted(line((0.0, 0.0), (1.0, 1.0)), width=64, height=32)
    assert wide == points((-0.5, 63.5), (255.5, 191.5))
    assert losses == {"drawings not square, in the middle of a square one": 1}
    [tall], _ = painted(line((0.0, 0.0), (1.0, 1.0)), width=32, height=64)
    assert tall == points((63.5, -0.5), (191.5, 255.5))


def test_fitting_fills_the_frame_and_keeps_the_aspect():
    losses = Losses()
    small = [points((10, 100), (20, 100)), points((30, 110))]
    assert fitted(small, 256, losses) == [points((0, 63.75), (127.5, 63.75)), points((255, 191.25))]
    assert losses == {"drawings moved and scaled to fit the canvas": 1}


def test_a_point_is_fitted_to_the_middle_and_nothing_to_nothing():
    losses = Losses()
    assert fitted([points((1e6, -7))], 256, losses) == [points((127.5, 127.5))]
    assert fitted([], 256, losses) == [] and losses.total() == 1


def test_what_fits_lies_from_0_to_the_last_unit():
    assert fits([points((0, 255))], 256) and fits([], 256)
    assert not fits([points((0, 255.1))], 256) and not fits([points((-0.1, 0))], 256)


def test_whole_units_say_what_they_cost():
    losses = Losses()
    exact, near, far = (
        points((0, 255), (1 + 1e-9, 7)),
        points((0.4, 254.6), (-0.5 - 1e-9, 255.5 + 1e-9)),
        points((-0.6, 5), (3, 300)),
    )
    assert whole_units([exact, near, far], 256, losses) == [
        [(0, 255), (1, 7)],
        [(0, 255), (0, 255)],
        [(0, 5), (3, 255)],
    ]
    assert losses.sentences() == [
        "points rounded to whole units, at most 1/512 of the canvas off: 2",
        "points outside the canvas, moved to its edge: 2",
    ]

import random

import numpy as np
import pytest
from plotter_programs import BLACK, BLUE, RED, polyline, random_program

from spiral import Brush, Program, Stroke, replay
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.plotter.machine import load_machine
from spiral.plotter.order import ordered, picture_change
from spiral.plotter.pens import Pen
from spiral.plotter.plan import Options, plan
from spiral.program import matches_checksum, pixel_checksum

PROGRAMS = 200
NO_QUICKER = "the safe order is no quicker here: the program's own order is kept"


def planned(program, order, machine="sheet"):
    return plan(program, load_machine(machine), Options(order=order))


def in_order(program, numbers):
    return Program(program.canvas, [program.strokes[number] for number in numbers])


def short_strokes(seed, count, width=256):
    """Many short strokes of three colours: what an order can gain most from."""
    rng = random.Random(seed)
    strokes = []
    for _ in range(count):
        x, y = rng.random(), rng.random()
        near = [(min(1.0, max(0.0, a + rng.uniform(-0.05, 0.05))) for a in (x, y)) for _ in range(2)]
        control, end = (tuple(point) for point in near)
        strokes.append(Stroke((x, y), control, end, Brush(rng.choice([1, 2]) / 128, rng.choice([BLACK, RED, BLUE]))))
    return Program(CanvasSpec(width, width, 3), strokes)


def test_the_safe_order_changes_not_a_byte_of_any_program():
    """At the canvas's own size and at a larger one, translucent strokes and tapered ones included."""
    changed = 0
    for seed in range(PROGRAMS):
        program = random_program(seed, strokes=12)
        numbers = planned(program, "safe").order
        changed += list(numbers) != sorted(numbers)
        for size in (None, 200):
            assert np.array_equal(replay(program, size), replay(in_order(program, numbers), size)), seed
    assert changed > PROGRAMS / 4, "an order that never changes anything would pass"


@pytest.mark.parametrize("seed", range(3))
def test_the_safe_order_of_many_short_strokes_saves_travel_and_pen_changes(seed):
    program = short_strokes(seed, 300)
    one = planned(program, "safe")
    assert np.array_equal(replay(program), replay(in_order(program, one.order)))
    assert one.after.pen_changes < one.before.pen_changes / 4
    assert one.after.travel < one.before.travel / 2
    assert one.after.ink == pytest.approx(one.before.ink) and one.after.strokes == 300


def test_the_safe_order_is_never_slower():
    for seed in range(0, PROGRAMS, 5):
        program = random_program(seed)
        for machine in ("sheet", "grbl-servo", "grbl-brush"):
            one, own = planned(program, "safe", machine), planned(program, "program", machine)
            assert one.flat.times[-1] <= own.flat.times[-1], (seed, machine)
            assert (
                [mark.stroke for mark in one.path.marks] == [mark.stroke for mark in one.flat.marks] == list(one.order)
            )
            assert (one.flat.events == own.flat.events) == (one.after == own.after) == (NO_QUICKER in one.notes)


def test_where_it_gains_nothing_the_safe_order_is_the_programs_own_and_says_so():
    one = planned(Program(CanvasSpec(64, 64, 1), polyline([(0, 0), (1, 0), (1, 1)])), "safe")
    assert list(one.order) == [0, 1]
    assert NO_QUICKER in one.notes


def from_the_right(strokes, pen_width=None):
    """The safe order of strokes of one pen on a page of 256 mm, a mm a pixel, where the pen comes from the right."""
    program = Program(CanvasSpec(256, 256, 3), strokes)
    options = Options(page="256x256", margin=0.0, pens=(Pen("black", width=pen_width),))
    path = plan(program, load_machine("sheet"), options).path
    return ordered("safe", path.marks, program, path.frame, path.pens, (256.0, 0.0))


def upright(x, width=0.01, pressure=(1.0, 1.0)):
    return Stroke((x, 0.1), (x, 0.5), (x, 0.9), Brush(width, pressure=pressure))


def test_strokes_of_a_wide_pen_keep_their_order_where_the_pens_lines_touch():
    """On the screen they are far apart, 12.8 pixels; the pens' lines on paper are not."""
    strokes = [upright(0.5), upright(0.55)]
    assert from_the_right(strokes) == from_the_right(strokes, 8.0) == [1, 0], "the nearest first"
    assert from_the_right(strokes, 13.0) == [0, 1]


def test_a_stroke_is_as_wide_as_its_widest_end():
    strokes = [upright(0.5), upright(0.55, 0.08, (0.0, 1.0))]
    assert from_the_right(strokes) == [0, 1]
    assert from_the_right([upright(0.5), upright(0.55, 0.08, (0.0, 0.5))]) == [1, 0]


def test_a_curve_is_where_it_bulges():
    """Two curves that only their bulges bring together; coarse polylines would be 2 pixels further apart."""
    bulging = Stroke((0.4, 0.3), (0.54, 0.5), (0.4, 0.7), Brush(0.004))  # to x 0.47, 120.3 pixels
    assert from_the_right([bulging, upright(0.47 + 2.5 / 256, 0.004)]) == [0, 1]
    assert from_the_right([bulging, upright(0.47 + 3.5 / 256, 0.004)]) == [1, 0]


def test_the_next_stroke_is_the_nearest_to_where_the_pen_is():
    def level(y, x0, x1):
        return Stroke((x0, y), ((x0 + x1) / 2, y), (x1, y), Brush(0.01))

    strokes = [level(0.1, 0.9, 0.1), level(0.3, 0.8, 0.9), level(0.5, 0.2, 0.8)]
    assert from_the_right(strokes) == [0, 2, 1]


def test_every_one_of_many_strokes_waits_for_those_beneath_it():
    dots = [*polyline([(0.1, 0.1), (0.1, 0.1)])] * 256
    crossing = [
        Stroke((0.9, 0.9), (0.5, 0.5), (0.3, 0.3), Brush(0.01)),
        Stroke((0.2, 0.9), (0.5, 0.5), (0.9, 0.2), Brush(0.01)),
    ]
    assert from_the_right([*dots, *crossing]) == list(range(258))


def test_by_colour_each_pen_is_taken_once_and_the_changed_pixels_are_counted():
    strokes = [
        Stroke((0.1, 0.5), (0.5, 0.5), (0.9, 0.5), Brush(0.2, RED)),
        Stroke((0.5, 0.1), (0.5, 0.5), (0.5, 0.9), Brush(0.2, BLACK)),
        Stroke((0.1, 0.1), (0.5, 0.5), (0.9, 0.9), Brush(0.2, RED)),
    ]
    program = Program(CanvasSpec(50, 50, 3), strokes)
    one = planned(program, "colour")
    assert list(one.order) == [0, 2, 1] and one.after.pen_changes == 1 < one.before.pen_changes
    off = np.abs(replay(program).astype(int) - replay(in_order(program, [0, 2, 1]))).max(axis=2)
    assert (off > 0).sum() > 50
    expected = f"this order changes the picture: {(off > 0).sum():,} of 2,500 pixels ({(off > 0).mean():.1%}), at worst by 255 of 255"
    assert expected in one.notes


def test_no_change_is_no_change():
    program = random_program(1, strokes=12)
    assert picture_change(program, list(range(12))) == (0, replay(program)[..., 0].size, 0)


def test_a_reordered_program_can_be_checked_against_the_painting():
    program = short_strokes(0, 60)
    painted = Program(program.canvas, program.strokes, checksum=pixel_checksum(replay(program)))
    again = in_order(painted, planned(painted, "safe").order)
    assert matches_checksum(Program(again.canvas, again.strokes, checksum=painted.checksum))


def test_a_picture_too_dense_to_sort_keeps_its_order():
    rng = random.Random(0)
    offsets = [rng.uniform(0.0, 0.5) for _ in range(2600)]  # parallels: few touch, but all their boxes overlap
    strokes = [Stroke((x, 0), ((1 + x) / 2, (1 - x) / 2), (1, 1 - x), Brush(0.001)) for x in offsets]
    assert from_the_right(strokes) == list(range(2600))
    assert from_the_right(strokes[:100]) != list(range(100))


def test_an_unknown_order():
    with pytest.raises(InputError, match="unknown order 'fast'; accepted: program, safe, colour"):
        planned(random_program(0), "fast")

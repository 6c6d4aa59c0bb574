import itertools
import math

import pytest
from plotter_programs import BLACK, RED, polyline, random_program

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.geometry import Point, arc_length, bezier_point
from spiral.plotter.events import MOVES, Begin, Curve, Dip, Down, Line, Park, Pause, Select, Travel, Up
from spiral.plotter.machine import load_machine
from spiral.plotter.pens import Pen
from spiral.plotter.plan import Options, plan
from spiral.plotter.toolpath import Way, draw

MACHINES = ("sheet", "grbl-servo", "grbl-brush", "hpgl-a4")


def planned(program, machine="sheet", **options):
    return plan(program, load_machine(machine), Options(**options))


def program_of(strokes):
    return Program(CanvasSpec(100, 100, 3), strokes)


def kinds(path):
    return [type(event).__name__ for event in path.events]


def drawn(path):
    """Every line drawn, as ((x, y), (x, y)), with the pen that draws it; passes over what no pen can do."""
    at, down, pen, lines = path.machine.park, False, None, []
    for event in path.events:
        if isinstance(event, Select):
            assert not down, "pens are changed in the air"
            pen = event.pen
        elif isinstance(event, Down | Up):
            assert down != isinstance(event, Down), "the pen goes down when it is up and up when it is down"
            down = isinstance(event, Down)
        elif isinstance(event, Line):
            assert down and pen is not None
            lines.append((at, (event.x, event.y), pen))
        elif isinstance(event, Travel | Park | Dip | Pause):
            assert not down, "nothing but drawing is done with the pen down"
        if isinstance(event, MOVES):
            at = (event.x, event.y)
    assert not down and isinstance(path.events[-1], Park)
    return lines


def test_chained_strokes_are_drawn_without_raising_the_pen():
    path = planned(program_of(polyline([(0, 0), (1, 0), (1, 1)]))).path
    assert kinds(path) == ["Select", "Begin", "Travel", "Down", "Curve", "Begin", "Curve", "Up", "Park"]
    assert [event for event in path.events if isinstance(event, Begin)] == [Begin(1), Begin(2)]


@pytest.mark.parametrize(("gap", "lifts"), [(1e-13, 1), (3e-8, 2)])
def test_a_gap_however_small_is_not_drawn_over_but_a_rounding_error_is(gap, lifts):
    apart = [*polyline([(0, 0), (1, 0)]), *polyline([(1, gap), (1, 1)])]
    path = planned(program_of(apart)).path
    assert kinds(path).count("Up") == lifts
    if lifts == 2:
        assert kinds(path)[5:8] == ["Up", "Begin", "Travel"], "the stroke begins once the last is over"


def test_another_pen_is_taken_with_the_pen_up_and_a_person_is_asked():
    strokes = [*polyline([(0, 0), (1, 0)], color=BLACK), *polyline([(1, 0), (1, 1)], color=RED)]
    path = planned(program_of(strokes)).path
    assert kinds(path) == [
        *("Pause", "Select", "Begin", "Travel", "Down", "Curve", "Up"),
        *("Travel", "Pause", "Select", "Begin", "Travel", "Down", "Curve", "Up", "Park"),
    ]
    asked = [event.text for event in path.events if isinstance(event, Pause)]
    assert asked == ["put pen 1: #000000 in the holder", "put pen 2: #ff0000 in the holder"]


def test_where_there_are_several_pens_the_one_needed_is_asked_for_even_if_it_is_the_only_one():
    red = polyline([(0, 0), (1, 0), (1, 1)], color=RED)
    path = planned(program_of(red), "grbl-servo", pens=(Pen("black"), Pen("red"))).path
    for one in (path, path.part(2)):
        assert [event.text for event in one.events if isinstance(event, Pause)] == ["put pen 2: red in the holder"]
    alone = planned(program_of(red), "grbl-servo", pens=(Pen("red"),)).path
    assert not any(isinstance(event, Pause) for event in alone.events)


def test_a_brush_is_dipped_at_first_and_washed_between_paints():
    strokes = [*polyline([(0, 0), (0.1, 0)], color=BLACK), *polyline([(0.1, 0), (0.2, 0)], color=RED)]
    path = planned(program_of(strokes), "grbl-brush").path
    assert [event.tray for event in path.events if isinstance(event, Dip)] == ["black", "water", "red"]
    assert not any(isinstance(event, Pause) for event in path.events)


@pytest.mark.parametrize("width", ["line", "passes", "z"])
def test_no_piece_is_longer_than_the_paint_lasts_and_nothing_is_lost(width):
    program = random_program(4, strokes=12)
    whole = planned(program, "grbl-brush", width=width).flat
    machine = whole.machine
    lasting, since, longest = machine.refill.every, 0.0, 0.0
    at = machine.park
    for event in whole.events:
        if isinstance(event, Dip) and event.tray != "water":
            since = 0.0
        if isinstance(event, Line):
            since += math.dist(at, (event.x, event.y))
            longest = max(longest, since)
        if isinstance(event, MOVES):
            at = (event.x, event.y)
    assert 0.9 * lasting < longest <= lasting + 2e-3

    dry = load_machine("grbl-brush")
    object.__setattr__(dry, "refill", type(dry.refill)())
    undipped = plan(program, dry, Options(width=width)).flat
    assert ink(whole) == pytest.approx(ink(undipped), rel=1e-4)
    assert kinds(whole).count("Dip") > kinds(undipped).count("Dip") + 3


def ink(path):
    return sum(math.dist(a, b) for a, b, _ in drawn(path))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("seed", range(8))
def test_every_toolpath_begins_and_ends_with_the_pen_up_and_draws_only_with_it_down(machine, seed):
    flat = planned(random_program(seed), machine).flat
    assert isinstance(flat.events[0], Select | Pause)
    assert drawn(flat)


@pytest.mark.parametrize("tolerance", [0.5, 0.05, 0.005])
def test_lines_are_no_further_from_their_curve_than_the_tolerance(tolerance):
    one = planned(random_program(7, strokes=12), tolerance=tolerance)
    flat = iter(one.flat.events)
    for mark in one.path.marks:
        curve = (mark.start, mark.control, mark.end)
        points = [mark.start]
        for event in flat:
            if isinstance(event, Line):
                points.append(Point(event.x, event.y))
                if points[-1] == mark.end:
                    break
        samples = [bezier_point(*curve, i / 200) for i in range(201)]
        assert (
            max(min(distance_to(point, *pair) for pair in itertools.pairwise(points)) for point in samples)
            <= tolerance * 1.001
        )


def distance_to(point, a, b):
    (x, y), (ax, ay), (bx, by) = point, a, b
    square = (bx - ax) ** 2 + (by - ay) ** 2
    t = 0.0 if square == 0 else max(0.0, min(1.0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square))
    return math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("order", ["program", "safe"])
def test_head_and_tail_are_the_whole_at_every_stroke(machine, order):
    program = random_program(11, strokes=12)
    whole = planned(program, machine, order=order).flat
    for k in range(2, 13):
        head, tail = whole.part(1, k - 1), whole.part(k)
        assert drawn(head) + drawn(tail) == drawn(whole), k
        assert not isinstance(head.events[-2], Pause | Select | Dip), "no pen is taken for what is not drawn"
        first = next(event for event in tail.events if isinstance(event, Begin))
        assert first.number == k


def test_the_middle_of_a_chain_is_drawn_from_where_it_begins():
    whole = planned(program_of(polyline([(0, 0), (1, 0), (1, 1), (0, 1)])), margin=0.0, page="100x100").path
    middle = whole.part(2, 2)
    assert middle.events == (
        Select(0),
        Begin(2),
        Travel(100.0, 0.0),
        Down(1.0),
        Curve(100.0, 50.0, 100.0, 100.0, 1.0),
        Up(),
        Park(0.0, 0.0),
    )


def test_a_tail_goes_on_with_the_pen_and_fresh_paint():
    program = random_program(11, strokes=12)
    whole = planned(program, "grbl-brush").path
    for k in range(1, 13):
        tail = whole.part(k)
        mark = whole.marks[k - 1]
        if k > 1:  # the brush may hold another paint
            assert tail.events[0].tray == "water"
        select, dip = tail.events[k > 1 : 2 + (k > 1)]
        assert select == Select(mark.pen) and dip.tray == whole.pens[mark.pen].name


@pytest.mark.parametrize(("first", "last"), [(0, 3), (4, 3), (13, None), (1, 13), (-1, None)])
def test_strokes_that_are_not_there(first, last):
    whole = planned(random_program(11, strokes=12)).path
    with pytest.raises(InputError, match="are asked for; there are strokes 1 to 12"):
        whole.part(first, last)


def test_a_move_a_micrometre_outside_is_refused_and_named():
    program = program_of([*polyline([(0, 0), (0.5, 0.5)]), *polyline([(0.5, 0.5), (1, 1)])])
    planned(program, "grbl-servo", page="210x297", margin=0.0)
    with pytest.raises(
        InputError,
        match=r"stroke 2 would go to \(210.001, 43.499\) mm, outside the work area of grbl-servo: x 0 to 210",
    ):
        planned(program, "grbl-servo", page="210.001x297", margin=0.0)


def test_only_lines_can_be_checked():
    with pytest.raises(TypeError, match="only a flattened toolpath can be checked"):
        planned(program_of(polyline([(0, 0), (1, 1)]))).path.check_inside()


def test_a_tray_outside_is_refused_even_where_every_stroke_is_inside():
    flat = planned(program_of(polyline([(0, 0), (1, 1)])), "grbl-brush").flat
    moved = type(flat)(
        (Dip(-1.0, 0.0, "black"), *flat.events),
        *(getattr(flat, f) for f in ("program", "machine", "frame", "pens", "marks")),
    )
    with pytest.raises(InputError, match=r"^the pen would go to \(-1.000, 0.000\) mm, outside"):
        moved.check_inside()


def way_of(x, kind):
    """Along a line of 600 mm in two pieces; pressed from 0.2 to 1 in proportion."""
    lines = (Line(x / 2, 0.0, 0.6), Line(x, 0.0, 1.0))
    curves = (Curve(x / 4, 0.0, x / 2, 0.0, 0.6), Curve(3 * x / 4, 0.0, x, 0.0, 1.0))
    return Way(Point(0.0, 0.0), 0.2, lines if kind == "lines" else curves)


@pytest.mark.parametrize("kind", ["lines", "curves"])
def test_pressure_changes_evenly_and_goes_on_where_the_brush_left_for_paint(kind):
    one = planned(program_of(polyline([(0, 0), (1, 0)])), "grbl-brush").path
    path = draw(one.program, one.machine, one.frame, one.pens, one.marks, lambda mark: [way_of(600.0, kind)])
    assert kinds(path).count("Dip") == 3
    at = None
    for event in path.events:
        at = event.x if isinstance(event, MOVES) else at
        if isinstance(event, Down | Line | Curve):
            assert event.pressure == pytest.approx(0.2 + 0.8 * at / 600.0, abs=1e-4)


def test_paint_that_lasts_to_the_end_of_a_line_is_not_renewed_for_a_hair():
    one = planned(program_of(polyline([(0, 0), (1, 0)])), "grbl-brush").path
    way = Way(Point(0.0, 0.0), 1.0, tuple(Line(x, 0.0, 1.0) for x in (250.0, 500.0, 500.0005)))
    path = draw(one.program, one.machine, one.frame, one.pens, one.marks, lambda mark: [way])
    assert kinds(path) == [
        *("Select", "Dip", "Begin", "Travel", "Down", "Line"),
        *("Up", "Dip", "Travel", "Down", "Line", "Line", "Up", "Park"),
    ]


def tapered_chain():
    """Two strokes, the second pressed less where it begins than the first where it ends."""
    pressures = ((0.2, 0.8), (0.4, 0.6))
    points = [((0.1, 0.1), (0.3, 0.0), (0.5, 0.1)), ((0.5, 0.1), (0.6, 0.2), (0.5, 0.3))]
    return program_of([Stroke(*p, Brush(5 / 180, pressure=q)) for p, q in zip(points, pressures, strict=True)])


def test_every_stroke_of_a_chain_is_pressed_as_it_says():
    flat = planned(tapered_chain(), "grbl-brush", width="z").flat
    assert kinds(flat).count("Up") == 1
    middle = flat.events.index(Begin(2))
    first, second = pressures_of(flat.events[:middle]), pressures_of(flat.events[middle:])
    for pressures, begin, end in ((first, 0.2, 0.8), (second, 0.4, 0.6)):
        last = len(pressures) - 1
        assert last > 5
        assert pressures == pytest.approx([begin + (end - begin) * i / last for i in range(last + 1)])
    assert pressures_of(flat.part(2).events) == pytest.approx([0.8, *second])


def pressures_of(events):
    return [event.pressure for event in events if isinstance(event, Down | Line)]


def test_a_dot_is_touched():
    flat = planned(program_of([Stroke((0.5, 0.5), (0.5, 0.5), (0.5, 0.5), Brush(0.1))])).flat
    assert kinds(flat) == ["Select", "Begin", "Travel", "Down", "Line", "Up", "Park"]


def test_a_cut_curve_is_the_same_curve():
    """The pieces between two dips, end to end, are as long as the stroke they are of."""
    stroke = Stroke((0.05, 0.9), (0.5, -0.7), (0.95, 0.9), Brush(0.02))
    path = planned(program_of([stroke]), "grbl-brush").path
    (mark,) = path.marks
    pieces = [event for event in path.events if isinstance(event, Curve)]
    assert len(pieces) > 1
    at, total = mark.start, 0.0
    for piece in pieces:
        end = Point(piece.x, piece.y)
        total += arc_length(at, Point(piece.control_x, piece.control_y), end, 1e-4)
        at = end
    assert at == mark.end and total == pytest.approx(arc_length(mark.start, mark.control, mark.end, 1e-4), rel=1e-4)

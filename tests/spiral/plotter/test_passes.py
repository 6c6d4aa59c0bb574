import math

import pytest
import shapely
from plotter_programs import polyline

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.geometry import bezier_point
from spiral.plotter.events import Line, Travel, Up
from spiral.plotter.machine import load_machine
from spiral.plotter.passes import ways_for
from spiral.plotter.pens import Pen
from spiral.plotter.plan import Options, plan

STROKES = {
    "straight": Stroke((0.1, 0.1), (0.5, 0.5), (0.9, 0.9), Brush(0.06)),
    "curved": Stroke((0.1, 0.8), (0.5, -0.4), (0.9, 0.8), Brush(0.08)),
    "hairpin": Stroke((0.1, 0.5), (1.5, 0.52), (0.2, 0.55), Brush(0.05)),
    "closed hairpin": Stroke((0.45, 0.55), (0.2, 0.47), (0.55, 0.55), Brush(0.06)),
    "tapered": Stroke((0.1, 0.8), (0.5, 0.0), (0.9, 0.8), Brush(0.1, pressure=(0.0, 1.0))),
    "tapered hairpin": Stroke((0.1, 0.5), (1.5, 0.52), (0.2, 0.55), Brush(0.1, pressure=(0.2, 1.0))),
    "dot": Stroke((0.5, 0.5), (0.5, 0.5), (0.5, 0.5), Brush(0.2)),
}
SIDE = 100.0  # mm


def filled(stroke, width=1.0):
    """What passes of a pen cover, and what the stroke covers: shapes in mm, and how often the pen is raised."""
    program = Program(CanvasSpec(100, 100, 1), [stroke])
    options = Options(page="100x100", margin=0.0, width="passes", pens=(Pen("black", width=width),), tolerance=0.01)
    path = plan(program, load_machine("sheet"), options).flat
    lines, at = [], None
    for event in path.events:
        if isinstance(event, Travel):
            at = (event.x, event.y)
        if isinstance(event, Line):
            lines.append(shapely.LineString([at, (event.x, event.y)]))
            assert lines[-1].length > 0 or stroke.start == stroke.end, "nothing is drawn on the spot"
            at = (event.x, event.y)
    covered = shapely.union_all(shapely.buffer(lines, width / 2))
    return covered, exactly(stroke), sum(isinstance(event, Up) for event in path.events)


def exactly(stroke):
    """The area of the stroke, from very many discs."""
    (x0, y0), (x1, y1), (x2, y2) = stroke.start, stroke.control, stroke.end
    discs = []
    for i in range(401):
        t = i / 400
        x, y = ((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c for a, b, c in ((x0, x1, x2), (y0, y1, y2)))
        p0, p1 = stroke.brush.pressure
        discs.append(shapely.Point(SIDE * x, SIDE * y).buffer(SIDE * stroke.brush.width * (p0 + t * (p1 - p0)) / 2))
    return shapely.union_all(discs)


@pytest.mark.parametrize("name", STROKES)
def test_passes_fill_the_stroke_and_spill_nothing(name):
    covered, area, lifts = filled(STROKES[name])
    assert covered.intersection(area).area > 0.999 * area.area
    spilt = covered.difference(area.buffer(0.05))
    if name == "tapered":  # its tip is finer than the pen
        spilt = spilt.difference(shapely.Point(10, 80).buffer(12))
    assert spilt.area < 0.001 * area.area
    most = {"hairpin": 7, "closed hairpin": 9, "tapered hairpin": 2}.get(
        name, 1
    )  # slivers between the arms, each by itself
    assert lifts <= most, "rings are joined where a short line inside the stroke does it"


def test_a_stroke_as_wide_as_the_pen_is_one_line():
    stroke = STROKES["curved"]
    _, _, lifts = filled(stroke, width=SIDE * stroke.brush.width)
    assert lifts == 1
    mark = plan(Program(CanvasSpec(100, 100, 1), [stroke]), load_machine("sheet")).path.marks[0]
    for share, lines in ((1.0, 1), (1.04, 1), (1.06, 20)):
        pens = (Pen("black", width=max(mark.widths) / share),)
        (way,) = ways_for("passes", load_machine("sheet"), pens, 0.05)(mark)
        assert len(way.moves) >= lines and (len(way.moves) == 1) == (lines == 1)


def test_translucent_ink_is_not_laid_over_itself_more_than_it_must():
    def ink(opacity):
        program = Program(CanvasSpec(100, 100, 1), [STROKES["straight"]])
        pens = (Pen("black", width=0.5, opacity=opacity),)
        return plan(program, load_machine("sheet"), Options(width="passes", pens=pens)).after.ink

    assert ink(0.5) < 0.9 * ink(1.0)


def test_pressure_makes_the_line_as_wide_as_the_stroke_and_no_wider_than_the_pen():
    machine = load_machine("grbl-brush")
    program = Program(CanvasSpec(100, 100, 1), [Stroke((0, 0), (0.5, 0.5), (1, 1), Brush(0.1, pressure=(0.1, 1.0)))])
    one = plan(program, machine, Options(width="z", pens=(Pen("#1a1a1a", "black", width=10.0),), size=100.0))
    (way,) = ways_for("z", machine, one.path.pens, 0.05)(one.path.marks[0])
    assert way.pressure == pytest.approx(0.1) and way.moves[0].pressure == pytest.approx(1.0)
    thin = (Pen("black", width=2.0),)
    assert ways_for("z", machine, thin, 0.05)(one.path.marks[0])[0].moves[0].pressure == 1.0


@pytest.mark.parametrize(
    ("width", "machine", "pen", "message"),
    [
        ("wide", "grbl-z", Pen("black", width=1.0), "unknown width 'wide'; accepted: line, z, passes"),
        (
            "passes",
            "grbl-z",
            Pen("black"),
            (
                "--width passes must know how wide a pen's line is, and does not of 'black'; "
                "say it in mm, like --pens black:0.5"
            ),
        ),
        ("z", "grbl-brush", Pen("black"), "--width z must know how wide a pen's line is"),
        (
            "z",
            "grbl-servo",
            Pen("black", width=1.0),
            (
                "machine grbl-servo cannot press a pen: that needs lift.kind 'z' and "
                "a lift.press below lift.down; choose --width line or passes"
            ),
        ),
        ("z", "grbl-z", Pen("black", width=1.0), "machine grbl-z cannot press a pen"),
    ],
)
def test_a_width_that_cannot_be_drawn(width, machine, pen, message):
    with pytest.raises(InputError) as refused:
        ways_for(width, load_machine(machine), (pen,), 0.05)
    assert str(refused.value).startswith(message)


def test_chains_stay_chained_when_their_middle_is_drawn():
    program = Program(CanvasSpec(100, 100, 1), polyline([(0, 0), (1, 0), (1, 1)]))
    assert plan(program, load_machine("sheet")).after.lifts == 1
    assert math.isclose(plan(program, load_machine("sheet"), Options(margin=5.0)).after.ink, 400.0)


def test_a_stroke_that_outgrows_the_pen_is_pressed_fully_from_there_on():
    machine, pen = load_machine("grbl-brush"), Pen("#1a1a1a", "black", width=5.0)
    stroke = Stroke((0, 0.5), (0.5, 0.1), (1, 0.5), Brush(0.1, (0.1, 0.1, 0.1), pressure=(0.1, 1.0)))
    program = Program(CanvasSpec(100, 100, 3), [stroke])
    mark = plan(program, machine, Options(width="z", pens=(pen,), size=100.0)).path.marks[0]
    (way,) = ways_for("z", machine, (pen,), 0.05)(mark)
    assert way.pressure == pytest.approx(0.2)
    assert [move.pressure for move in way.moves] == [1.0, 1.0]
    t = (5.0 - 1.0) / (10.0 - 1.0)  # where it is as wide as the pen
    assert (way.moves[0].x, way.moves[0].y) == pytest.approx(bezier_point(mark.start, mark.control, mark.end, t))
    assert (way.moves[1].x, way.moves[1].y) == mark.end


def test_more_passes_than_anybody_wants_are_refused():
    program = Program(CanvasSpec(100, 100, 1), [STROKES["dot"]])
    options = Options(width="passes", pens=(Pen("black", width=0.02),))
    with pytest.raises(
        InputError, match="stroke 1 is 36.0 mm wide, more than 500 lines of pen black; use a wider pen, a smal"
    ):
        plan(program, load_machine("sheet"), options)

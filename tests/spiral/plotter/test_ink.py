from dataclasses import replace

import pytest
from plotter_programs import RED, polyline

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.geometry import Point
from spiral.plotter.events import Begin, Curve, Dip, Line, Park, Select, Travel
from spiral.plotter.ink import Ink, Journey, ink_and_journeys
from spiral.plotter.machine import load_machine
from spiral.plotter.pens import Pen
from spiral.plotter.plan import Options, plan


def planned(strokes, machine="sheet", **options):
    return plan(Program(CanvasSpec(100, 100, 3), strokes), load_machine(machine), Options(**options)).path


def on_100_mm(strokes, **options):
    return planned(strokes, page="100x100", margin=0.0, **options)


def test_a_chain_is_ink_for_each_stroke_and_journeys_around_it():
    strokes = [*polyline([(0.1, 0.2), (0.5, 0.2), (0.5, 0.8)], width=0.02), *polyline([(0.9, 0.8), (0.9, 0.2)])]
    path = on_100_mm(strokes)
    names = [type(event).__name__ for event in path.events]
    assert names == [
        *("Select", "Begin", "Travel", "Down", "Curve", "Begin", "Curve", "Up"),
        *("Begin", "Travel", "Down", "Curve", "Up", "Park"),
    ]
    curves = [event for event in path.events if isinstance(event, Curve)]
    assert list(ink_and_journeys(path)) == [
        Journey(Point(0, 0), Point(10, 20), 2, "travel"),
        Ink(1, 0, pytest.approx(2.0), Point(10, 20), 1.0, (curves[0],), False, 4, 4),
        Ink(2, 0, pytest.approx(2.0), Point(50, 20), 1.0, (curves[1],), True, 6, 6),
        Journey(Point(50, 80), Point(90, 80), 9, "travel"),
        Ink(3, 0, pytest.approx(5.0), Point(90, 80), 1.0, (curves[2],), False, 11, 11),
        Journey(Point(90, 20), Point(0, 0), 13, "park"),
    ]


def test_ink_is_as_wide_as_its_pen_or_as_the_stroke_in_the_mean():
    tapered = Stroke((0.1, 0.2), (0.3, 0.2), (0.5, 0.2), Brush(0.1, pressure=(0.2, 1.0)))
    paths = {width: on_100_mm([tapered], pens=(Pen("black", width=width),)) for width in (None, 0.5)}
    widths = {width: [ink.width for ink in inks(path)] for width, path in paths.items()}
    assert widths == {None: [pytest.approx(6.0)], 0.5: [0.5]}


def inks(path):
    return [one for one in ink_and_journeys(path) if isinstance(one, Ink)]


def test_every_line_is_ink_once_with_its_pen_pressure_and_place():
    """On a brush that is dipped in mid-stroke and changed: against the events read one by one."""
    strokes = [*polyline([(0, 0), (1, 0), (1, 1)]), *polyline([(1, 1), (0, 1), (0, 0)], color=RED)]
    brushes = [replace(one.brush, width=5 / 180, pressure=(0.3, 0.9)) for one in strokes]
    strokes = [replace(stroke, brush=brush) for stroke, brush in zip(strokes, brushes, strict=True)]
    path = planned(strokes, "grbl-brush", width="z").flattened(0.05)
    drawn, expected, at, pen, pressure, stroke = [], [], Point(0, 0), None, None, None
    for event in path.events:
        if isinstance(event, Select):
            pen = event.pen
        if isinstance(event, Begin):
            stroke = event.number
        if isinstance(event, Line):
            expected.append((stroke, pen, at, pressure, event))
        pressure = getattr(event, "pressure", pressure)
        at = Point(event.x, event.y) if hasattr(event, "x") else at
    for ink in inks(path):
        start, pressure = ink.start, ink.pressure
        assert path.events[ink.first : ink.last + 1] == ink.moves
        for move in ink.moves:
            drawn.append((ink.number, ink.pen, start, pressure, move))
            start, pressure = Point(move.x, move.y), move.pressure
    assert drawn == expected


def test_every_move_with_the_pen_up_is_a_journey_that_says_what_for():
    path = planned([*polyline([(0, 0), (1, 0)]), *polyline([(1, 0), (1, 1)], color=RED)], "grbl-brush")
    journeys = [one for one in ink_and_journeys(path) if isinstance(one, Journey)]
    assert [one.event for one in journeys] == [
        i for i, event in enumerate(path.events) if isinstance(event, Travel | Dip | Park)
    ]
    assert [one.to for one in journeys][:2] == ["black", "travel"] and journeys[-1].to == "park"
    assert {one.to for one in journeys} == {"black", "red", "water", "travel", "park"}
    assert all(one.end == path.events[one.event][:2] for one in journeys)


def test_the_first_journey_begins_at_the_park():
    machine = replace(load_machine("sheet"), park=(30.0, 40.0))
    path = plan(Program(CanvasSpec(100, 100, 3), polyline([(0, 0), (1, 0)])), machine).path
    assert next(ink_and_journeys(path)).start == (30.0, 40.0)

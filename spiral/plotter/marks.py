"""Strokes on the machine: where each lies in mm, how wide it is, and which pen draws it."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from spiral.errors import InputError
from spiral.geometry import Point, bezier_point
from spiral.plotter.page import Frame
from spiral.plotter.pens import Pen, choose_pen, shown
from spiral.program import Program
from spiral.stroke import Stroke

EDGE = 1e-6  # canvas fractions; what a point on the canvas's edge may be off: crossings come out of square roots


class Mark(NamedTuple):
    """A stroke on the machine.

    Attributes:
        stroke: its number in the program that was placed, from 0; cutting at the canvas's edge makes more of some.
        start, control, end: the Bezier curve, mm.
        widths: of the stroke at start and end, mm.
        pen: index of the pen that draws it.
    """

    stroke: int
    start: Point
    control: Point
    end: Point
    widths: tuple[float, float]
    pen: int


class Placed(NamedTuple):
    """A program's strokes on the machine.

    Attributes:
        marks: in the program's order.
        left_out: numbers of the strokes no pen draws: they are as pale as the paper, or have no pressure.
        errors: for each mark how far its pen is from the colour that the stroke shows (OKLab: 0 the same, 1 black for
            white).
    """

    marks: tuple[Mark, ...]
    left_out: tuple[int, ...]
    errors: tuple[float, ...]


def place(program: Program, frame: Frame, pens: Sequence[Pen]) -> Placed:
    """Every stroke at its place, with the pen whose colour is nearest to what it shows."""
    background = program.canvas.background

    @functools.cache
    def choice(color, opacity, width):
        return choose_pen(shown(color, opacity, background), width, pens, background)

    marks, errors, left_out = [], [], []
    for number, stroke in enumerate(program.strokes):
        brush = stroke.brush
        widths = tuple(brush.width * pressure * frame.unit for pressure in brush.pressure)
        pen, error = choice(brush.color, brush.opacity, sum(widths) / 2) if pens else (None, 0.0)
        if pen is None or not max(widths):
            left_out.append(number)
            continue
        points = (frame.on_machine(point) for point in (stroke.start, stroke.control, stroke.end))
        marks.append(Mark(number, *points, widths, pen))
        errors.append(error)
    return Placed(tuple(marks), tuple(left_out), tuple(errors))


def check_on_canvas(program: Program) -> None:
    """Refuse strokes that leave the canvas: on the canvas they end at its edge, on paper they would not.

    Raises:
        InputError: one does; the message names it.
    """
    for number, stroke in enumerate(program.strokes):
        if spans_inside(stroke) != [(0.0, 1.0)]:
            raise InputError(
                f"stroke {number + 1} leaves the canvas, where a painting ends and paper does not; --clip cuts such strokes "
                "at the canvas's edge"
            )


def clipped(program: Program) -> Program:
    """The program with every stroke cut at the canvas's edge (by its middle line, not its width)."""
    strokes = [part for stroke in program.strokes for part in _parts_inside(stroke)]
    return replace(program, strokes=tuple(strokes), checksum=None)


def spans_inside(stroke: Stroke) -> list[tuple[float, float]]:
    """Which parts of a stroke lie on the canvas: intervals of its curve's parameter, in order."""
    curve = (stroke.start, stroke.control, stroke.end)
    if all(_is_on_canvas(point) for point in curve):
        return [(0.0, 1.0)]  # a curve lies between its control points
    cuts = sorted({0.0, 1.0, *(t for axis in (0, 1) for edge in (0.0, 1.0) for t in _crossings(curve, axis, edge))})
    spans: list[tuple[float, float]] = []
    for t0, t1 in itertools.pairwise(cuts):
        # The ends too: a curve that just fails to touch the edge from outside crosses it nowhere, and its middle is near.
        if not all(_is_on_canvas(bezier_point(*curve, t)) for t in (t0, (t0 + t1) / 2, t1)):
            continue
        if spans and spans[-1][1] == t0:
            t0, _ = spans.pop()
        spans.append((t0, t1))
    return spans


def _is_on_canvas(point: Point) -> bool:
    return all(-EDGE <= value <= 1 + EDGE for value in point)


def _parts_inside(stroke: Stroke) -> Iterator[Stroke]:
    for t0, t1 in spans_inside(stroke):
        if (t0, t1) == (0.0, 1.0):
            yield stroke
        else:
            yield stroke.between(t0, t1)


def _crossings(curve: tuple[Point, Point, Point], axis: int, edge: float) -> list[float]:
    """Parameters strictly inside 0..1 at which a coordinate of the curve is ``edge``."""
    start, control, end = (point[axis] for point in curve)
    a, b, c = start - 2 * control + end, 2 * (control - start), start - edge
    if a == 0.0:
        roots = [-c / b] if b else []
    else:
        square = b * b - 4 * a * c
        # The stable form: no difference of nearly equal numbers.
        q = -(b + math.copysign(math.sqrt(square), b)) / 2 if square >= 0 else math.nan
        roots = [q / a, c / q if q else math.nan]
    return [t for t in roots if 0.0 < t < 1.0]

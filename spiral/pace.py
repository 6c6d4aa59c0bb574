"""When each stroke of a painting is painted: the brush moves at an even pace, however long the film."""

from __future__ import annotations

import itertools
import math

from spiral.canvas import CanvasSpec
from spiral.geometry import Point, arc_length, parameter_at
from spiral.program import Program
from spiral.stroke import Stroke

MIN_SECONDS, MAX_SECONDS = 3.0, 20.0  # of a film nobody gave a length
PUT_DOWN = 0.05  # shorter sides of the canvas; what the brush could paint while it is put down
TOLERANCE = 1e-3  # shorter sides; to measure curves with


def default_seconds(program: Program) -> float:
    """How long a film of this painting should be: many strokes need longer, but not as much longer as there are more."""
    return min(MAX_SECONDS, max(MIN_SECONDS, math.sqrt(len(program.strokes))))


def stroke_ends(program: Program, seconds: float) -> list[float]:
    """When each stroke is finished, if the whole painting takes so many seconds. It begins where the one before ends."""
    efforts = [PUT_DOWN + arc_length(*in_sides(stroke, program.canvas), TOLERANCE) for stroke in program.strokes]
    reached = list(itertools.accumulate(efforts))
    return [seconds * so_far / reached[-1] for so_far in reached]


def unfinished(stroke: Stroke, canvas: CanvasSpec, share: float) -> Stroke:
    """The stroke when a ``share`` in 0..1 of its length is painted."""
    return stroke.until(parameter_at(*in_sides(stroke, canvas), share, TOLERANCE))


def in_sides(stroke: Stroke, canvas: CanvasSpec) -> tuple[Point, Point, Point]:
    """Start, control and end in shorter sides of the canvas, the same unit along x and y."""
    unit = min(canvas.width, canvas.height)
    x_side, y_side = canvas.width / unit, canvas.height / unit
    start, control, end = (Point(x * x_side, y * y_side) for x, y in (stroke.start, stroke.control, stroke.end))
    return start, control, end

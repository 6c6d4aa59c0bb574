"""Strokes as polylines, which is all that other formats have, and polylines as strokes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from spiral.canvas import CanvasSpec
from spiral.errors import ProgramError
from spiral.geometry import Point, flatten
from spiral.interchange.base import Losses
from spiral.program import MAX_STROKES, Program
from spiral.stroke import Brush, Stroke

Polyline = list[Point]  # at least one point, in units of a square frame; unit n is the middle of the frame's nth pixel

CANVAS = CanvasSpec(256, 256, channels=1)  # what is read is drawn on this
INK = (0.0, 0.0, 0.0)
PEN_WIDTH = 1 / 32  # of the canvas's side
UNPAINTED = "none"  # the environment of a program that did not come from actions
TOLERANCE = 0.25  # units; how far a polyline may be from its curve
NOT_A_LOSS = 1e-6  # units; as far off as rounding to floats may bring a point


def program_of(polylines: Sequence[Polyline], side: int, origin: str, pen_width: float, losses: Losses) -> Program:
    """Polylines as chains of straight strokes, each of which starts where the one before ended; a lone point as a dot.

    Args:
        polylines: in the order they were drawn.
        side: units of the frame's side.
        origin: of the program.
        pen_width: of all strokes, as a fraction of the canvas's side.
        losses: what is lost is added here.

    Raises:
        InputError: too many strokes, or a point further than one canvas outside.
    """
    count = sum(max(1, len(polyline) - 1) for polyline in polylines)
    if count > MAX_STROKES:  # before any of them is made
        raise ProgramError(f"a program has at most {MAX_STROKES:,} strokes, this drawing would be {count:,}")
    _count_merged(polylines, losses)
    brush = Brush(pen_width, INK)
    strokes = []
    for polyline in polylines:
        points = [_on_canvas(point, side) for point in polyline]
        ends = itertools.pairwise(points) if len(points) > 1 else [points * 2]
        strokes += [Stroke(start, _middle(start, end), end, brush) for start, end in ends]
    return Program(CANVAS, strokes, environment=UNPAINTED, origin=origin)


def polylines_of(program: Program, side: int, losses: Losses) -> list[Polyline]:
    """The polylines of a program's strokes: those that `program_of` made of it, for a program from there.

    A stroke that starts exactly where the one before ended, in the same colour, goes on with its polyline. The canvas
    fills the frame along its longer side and lies in the middle of the other.

    Args:
        program: what to draw.
        side: units of the frame's side.
        losses: what is lost is added here.
    """
    _count_not_kept(program, losses)
    polylines: list[Polyline] = []
    before = None
    for stroke in program.strokes:
        curve = [_in_frame(point, program.canvas, side) for point in (stroke.start, stroke.control, stroke.end)]
        points = flatten(*curve, TOLERANCE)
        if before and before.end == stroke.start and before.brush.color == stroke.brush.color:
            polylines[-1] += points[1:]
        else:
            polylines.append(points)
        losses.count("curves drawn as polylines, at most a quarter of a unit off", _bent(*curve))
        before = stroke
    return [polyline[:1] if _is_dot(polyline) else polyline for polyline in polylines]


def fits(polylines: Sequence[Polyline], side: int) -> bool:
    """Whether all points lie in the frame, 0 to ``side`` - 1."""
    return all(0.0 <= value <= side - 1 for polyline in polylines for point in polyline for value in point)


def fitted(polylines: Sequence[Polyline], side: int, losses: Losses) -> list[Polyline]:
    """Moved and scaled, alike along x and y, to the middle of the frame and as large as fits; losses are added."""
    points = [point for polyline in polylines for point in polyline]
    if not points:
        return []
    spans = [(min(values), max(values)) for values in zip(*points, strict=True)]
    middle_x, middle_y = ((low + high) / 2 for low, high in spans)
    scale = (side - 1) / (max(high - low for low, high in spans) or 1.0)
    middle = (side - 1) / 2
    losses.count("drawings moved and scaled to fit the canvas")
    return [
        [Point(middle + scale * (x - middle_x), middle + scale * (y - middle_y)) for x, y in polyline]
        for polyline in polylines
    ]


def whole_units(polylines: Sequence[Polyline], side: int, losses: Losses) -> list[list[tuple[int, int]]]:
    """The points as whole units 0 to ``side`` - 1; losses are added."""
    return [[_whole(point, side, losses) for point in polyline] for polyline in polylines]


def _whole(point: Point, side: int, losses: Losses) -> tuple[int, int]:
    x, y = (min(max(round(value), 0), side - 1) for value in point)
    off = max(abs(point.x - x), abs(point.y - y))
    if off > 0.5 + NOT_A_LOSS:
        losses.count("points outside the canvas, moved to its edge")
    elif off > NOT_A_LOSS:
        losses.count(f"points rounded to whole units, at most 1/{2 * side} of the canvas off")
    return x, y


def _on_canvas(point: Point, side: int) -> Point:
    return Point((point.x + 0.5) / side, (point.y + 0.5) / side)


def _in_frame(point: Point, canvas: CanvasSpec, side: int) -> Point:
    unit = side / max(canvas.width, canvas.height)
    width, height = canvas.width * unit, canvas.height * unit
    return Point(point.x * width + (side - width) / 2 - 0.5, point.y * height + (side - height) / 2 - 0.5)


def _middle(a: Point, b: Point) -> Point:
    return Point((a.x + b.x) / 2, (a.y + b.y) / 2)


def _bent(start: Point, control: Point, end: Point) -> bool:
    return any(abs(a - 2.0 * b + c) > NOT_A_LOSS for a, b, c in zip(start, control, end, strict=True))


def _is_dot(polyline: Polyline) -> bool:
    return len(polyline) == 2 and polyline[0] == polyline[1]


def _count_merged(polylines: Sequence[Polyline], losses: Losses) -> None:
    meeting = sum(before[-1] == polyline[0] for before, polyline in itertools.pairwise(polylines))
    losses.count("lines that begin where the one before ended, joined with it", meeting)
    losses.count("dots given as two equal points, kept as one", sum(map(_is_dot, polylines)))


def _count_not_kept(program: Program, losses: Losses) -> None:
    brushes = [stroke.brush for stroke in program.strokes]
    plain, canvas = Brush(PEN_WIDTH, INK), program.canvas
    losses.count("strokes whose colour is not kept", sum(brush.color != INK for brush in brushes))
    unlike = sum(replace(brush, color=INK) != plain for brush in brushes)
    losses.count("strokes whose width, pressure or opacity is not kept", unlike)
    losses.count("drawings whose background is not kept", canvas.background != CANVAS.background)
    losses.count("drawings not square, in the middle of a square one", canvas.width != canvas.height)
    losses.count("paintings whose environment, seed and actions are not kept", program.environment != UNPAINTED)

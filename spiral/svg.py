"""A program as a drawing of curves: SVG of the canvas, as sharp at any size."""

from __future__ import annotations

import html
import math
import os
from collections.abc import Iterable

from spiral.color import css_color
from spiral.files import written_whole
from spiral.geometry import Point, sharp_turn, split, swept_outline
from spiral.program import Program, canvas_at
from spiral.stroke import Stroke

TOLERANCE = 1 / 4096  # of the shorter side; how far a tapered outline may be off
HAIR = 60  # a hair's breadth is the width over this
PROGRAM_NAMESPACE = "urn:spiral-painter:program"


def to_svg(program: Program, size: int | None = None) -> str:
    """SVG of what a program paints, in units of the canvas's pixels; equal programs give equal text.

    A stroke of even width is its Bezier curve, stroked; one of changing width is its filled outline. The program itself
    is in the metadata, from where `spiral.interchange` reads it.

    Args:
        program: what to draw.
        size: pixels of the longer side when shown, 16..8192; the canvas's own where None. The curves do not change.

    Raises:
        InputError: the size is out of range.
    """
    width, height = program.canvas.width, program.canvas.height
    shown = canvas_at(program.canvas, size)
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{shown.width}" height="{shown.height}"'
            f' viewBox="0 0 {width} {height}" preserveAspectRatio="none">'
        ),
        metadata_element(program),
        f'<rect width="{width}" height="{height}" fill="{css_color(program.canvas.background)}"/>',
        '<g fill="none" stroke-linecap="round" stroke-linejoin="round">',
        *(_path(stroke, width, height) for stroke in program.strokes),
        "</g>",
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def save_svg(program: Program, path: str | os.PathLike, size: int | None = None) -> None:
    """Write `to_svg`.

    Raises:
        InputError: the size is out of range, or the file cannot be written there.
    """
    text = to_svg(program, size)
    with written_whole(path) as beside:
        beside.write_text(text, encoding="ascii")


def metadata_element(program: Program) -> str:
    """The ``<metadata>`` element that holds the whole program: its file's text, in an element of a namespace of its own.

    Whatever draws the program as SVG puts it in, so that the drawing can be painted again.
    """
    text = html.escape(program.to_json(), quote=False)
    return f'<metadata><program xmlns="{PROGRAM_NAMESPACE}">{text}</program></metadata>'


def _path(stroke: Stroke, width: int, height: int) -> str:
    start, control, end = (Point(x * width, y * height) for x, y in (stroke.start, stroke.control, stroke.end))
    brush = stroke.brush
    unit = min(width, height)
    width0, width1 = (unit * brush.width * pressure for pressure in brush.pressure)
    if width0 == width1:
        paint, line = f'stroke-width="{_number(width0)}" stroke', _curve(start, control, end, width0)
    else:
        outline = swept_outline(start, control, end, width0 / 2, width1 / 2, TOLERANCE * unit)
        paint, line = "fill", f"M{_points((corner.real, corner.imag) for corner in outline)}Z"
    opacity = "" if brush.opacity == 1.0 else f' opacity="{_number(brush.opacity)}"'
    return f'<path d="{line}" {paint}="{css_color(brush.color)}"{opacity}/>'


def curves(start: Point, control: Point, end: Point, width: float) -> list[tuple[Point, Point, Point]]:
    """One curve of even width as the curves that SVG should say, so that every reader strokes it right.

    A hairpin is two, since many strokers cut off the tight turn; and a control point that lies almost on an end is put
    there, since a tangent that turns away within a hair's breadth leads them astray.
    """
    hair = width / HAIR
    turn = sharp_turn(*start, *control, *end, width / 2)
    if turn is None:
        return [(start, _settled(start, control, end, hair), end)]
    start, control0, middle, control1, end = split(start, control, end, turn)
    return [
        (start, _settled(start, control0, middle, hair), middle),
        (middle, _settled(middle, control1, end, hair), end),
    ]


def _settled(start: Point, control: Point, end: Point, hair: float) -> Point:
    return next((point for point in (start, end) if math.dist(control, point) < hair), control)


def _curve(start: Point, control: Point, end: Point, width: float) -> str:
    return "".join(f"M{_points(curve[:1])}Q{_points(curve[1:])}" for curve in curves(start, control, end, width))


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{round(value, 3) + 0.0:.3f}".rstrip("0").rstrip(".")

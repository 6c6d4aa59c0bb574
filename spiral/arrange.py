"""Many programs on one canvas, row by row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from spiral.errors import ProgramError
from spiral.geometry import Point
from spiral.program import MAX_PAINTED_SIDE, Program


def arranged(programs: Sequence[Program]) -> Program:
    """One program that paints all of these, in rows from the top left, about as many rows as columns.

    Strokes keep their order, program by program. One program is given back as it is.

    Raises:
        ProgramError: there are none, they have not all the same canvas, or they have too many strokes together.
    """
    if not programs:
        raise ProgramError("there must be at least one program to arrange, got none")
    first = programs[0]
    if len(programs) == 1:
        return first
    for number, program in enumerate(programs):
        if program.canvas != first.canvas:
            raise ProgramError(
                f"programs on one sheet must have the same canvas; number {number} has {_shown(program)}, "
                f"number 0 has {_shown(first)}"
            )
    width, height = first.canvas.width, first.canvas.height
    columns = min(len(programs), math.ceil(math.sqrt(len(programs) * height / width)))
    rows = math.ceil(len(programs) / columns)
    scale = min(1.0, MAX_PAINTED_SIDE / max(columns * width, rows * height))
    canvas = replace(first.canvas, width=round(scale * columns * width), height=round(scale * rows * height))
    narrower = min(width, height) / min(columns * width, rows * height)

    def moved(stroke, row: int, column: int):
        points = (
            Point((column + x) / columns, (row + y) / rows) for x, y in (stroke.start, stroke.control, stroke.end)
        )
        start, control, end = points
        brush = replace(stroke.brush, width=narrower * stroke.brush.width)
        return replace(stroke, start=start, control=control, end=end, brush=brush)

    strokes = (
        moved(stroke, *divmod(number, columns)) for number, program in enumerate(programs) for stroke in program.strokes
    )
    return replace(
        first, canvas=canvas, strokes=tuple(strokes), seed=None, origin=f"{len(programs)} programs", checksum=None
    )


def _shown(program: Program) -> str:
    canvas = program.canvas
    return f"{canvas.width} x {canvas.height} pixels, {canvas.channels} channels, background {list(canvas.background)}"

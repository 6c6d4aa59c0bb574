"""Many programs on one canvas, row by row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from spiral.canvas import CanvasSpec
from spiral.errors import ProgramError
from spiral.program import MAX_PAINTED_SIDE, Program


def arranged(programs: Sequence[Program], names: Sequence[str] | None = None) -> Program:
    """One program that paints all of these, in rows from the top left, about as many rows as columns.

    Strokes keep their order, program by program. One program is given back as it is.

    Args:
        programs: at least one, on canvases of the same shape and background.
        names: what to call each in messages.

    Raises:
        ProgramError: there are none, their canvases differ, or they have too many strokes together.
    """
    if not programs:
        raise ProgramError("there must be at least one program to arrange, got none")
    if len(programs) == 1:
        return programs[0]
    _check_alike(programs, names or [f"program {number}" for number in range(len(programs))])
    largest = max((program.canvas for program in programs), key=lambda canvas: canvas.width)
    width, height = largest.width, largest.height
    columns = min(len(programs), math.ceil(math.sqrt(len(programs) * height / width)))
    rows = math.ceil(len(programs) / columns)
    scale = min(1.0, MAX_PAINTED_SIDE / max(columns * width, rows * height))
    canvas = replace(
        largest,
        width=round(scale * columns * width),
        height=round(scale * rows * height),
        channels=max(program.canvas.channels for program in programs),
    )
    narrower = min(width, height) / min(columns * width, rows * height)

    strokes = tuple(
        stroke.placed(column, row, columns, rows, narrower)
        for number, program in enumerate(programs)
        for row, column in [divmod(number, columns)]
        for stroke in program.strokes
    )
    origin = f"{len(programs)} programs"
    return replace(programs[0], canvas=canvas, strokes=strokes, seed=None, origin=origin, checksum=None)


def _check_alike(programs: Sequence[Program], names: Sequence[str]) -> None:
    first = programs[0].canvas
    for program, name in zip(programs, names, strict=True):
        canvas = program.canvas
        alike = canvas.width * first.height == canvas.height * first.width and canvas.background == first.background
        if not alike:
            raise ProgramError(
                f"programs on one sheet must have canvases of the same shape and background; {name} has "
                f"{_shown(canvas)}, {names[0]} has {_shown(first)}; export them one by one"
            )


def _shown(canvas: CanvasSpec) -> str:
    return f"{canvas.width} x {canvas.height} pixels on {list(canvas.background)}"

"""What a toolpath leaves on the paper, stroke by stroke, and the journeys between: for pictures of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from spiral.geometry import Point
from spiral.plotter.events import Begin, Curve, Dip, Down, Line, Park, Select, Travel
from spiral.plotter.toolpath import Toolpath


class Ink(NamedTuple):
    """What one stroke leaves on the paper until the pen is raised.

    Attributes:
        number: of the stroke in the order of drawing, from 1.
        pen: its index.
        width: of the line at full pressure, mm.
        start, pressure: where the line starts, mm on the machine, and how hard.
        moves: its lines or curves.
        goes_on: the pen was not raised before: it goes on from the ink before it.
        first, last: indices of its first and last event.
    """

    number: int
    pen: int
    width: float
    start: Point
    pressure: float
    moves: tuple[Line | Curve, ...]
    goes_on: bool
    first: int
    last: int


class Journey(NamedTuple):
    """A move with the pen up: from where to where, mm on the machine; the index of its event; what for."""

    start: Point
    end: Point
    event: int
    to: str


def ink_and_journeys(path: Toolpath) -> Iterator[Ink | Journey]:
    """Everything the pen does on or over the paper, in order."""
    at, pen, number, pressure = Point(*path.machine.park), 0, 0, 0.0
    start, moves, first, goes_on = at, [], 0, False

    def ink(last: int) -> Iterator[Ink]:
        if moves:
            mark = path.marks[number - 1]
            width = path.pens[pen].width or sum(mark.widths) / 2
            yield Ink(number, pen, width, start, pressure, tuple(moves), goes_on, first, last)
            moves.clear()

    for i, event in enumerate(path.events):
        if isinstance(event, Line | Curve):
            if not moves:
                first = i
            moves.append(event)
            at = Point(event.x, event.y)
            continue
        after = moves[-1].pressure if moves else pressure
        yield from ink(i - 1)
        start, pressure = at, after
        goes_on = isinstance(event, Begin)  # what is drawn next follows without travel
        if isinstance(event, Select):
            pen = event.pen
        elif isinstance(event, Begin):
            number = event.number
        elif isinstance(event, Down):
            pressure = event.pressure
        elif isinstance(event, Travel | Dip | Park):
            to = event.tray if isinstance(event, Dip) else type(event).__name__.lower()
            yield Journey(at, Point(event.x, event.y), i, to)
            start = at = Point(event.x, event.y)

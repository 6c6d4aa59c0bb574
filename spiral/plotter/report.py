"""What a toolpath costs: ink, travel, lifts, pens, time."""

from __future__ import annotations

import math
from typing import NamedTuple

from spiral.plotter.events import MOVES, Begin, Dip, Line, Park, Pause, Select, Travel, Up
from spiral.plotter.toolpath import Toolpath
from spiral.words import clock


class Report(NamedTuple):
    """Attributes:
    strokes: drawn.
    ink: mm drawn.
    travel: mm with the pen up, from the park to the park.
    lifts: how often the pen is raised.
    pen_changes: from one pen to another.
    dips: into trays.
    seconds: that it takes, people who change pens included.
    pauses: how often it waits for them.
    waiting: seconds of that.
    widths: of the narrowest and the widest stroke, mm.
    bounds: x0, y0, x1, y1 of all moves, mm.
    """

    strokes: int
    ink: float
    travel: float
    lifts: int
    pen_changes: int
    dips: int
    seconds: float
    pauses: int
    waiting: float
    widths: tuple[float, float]
    bounds: tuple[float, float, float, float]


def report(path: Toolpath) -> Report:
    """The figures of a flattened toolpath."""
    lengths = {Line: 0.0, Travel: 0.0, Dip: 0.0, Park: 0.0}
    at = path.machine.park
    for event in path.events:
        if isinstance(event, MOVES):
            lengths[type(event)] += math.dist(at, (event.x, event.y))
            at = (event.x, event.y)

    def count(kind: type) -> int:
        return sum(isinstance(event, kind) for event in path.events)

    places = [(event.x, event.y) for event in path.events if isinstance(event, MOVES)]
    ink = lengths.pop(Line)
    marks = [path.marks[event.number - 1] for event in path.events if isinstance(event, Begin)]
    widths = [width for mark in marks for width in mark.widths]
    return Report(
        strokes=count(Begin),
        ink=ink,
        travel=sum(lengths.values()),
        lifts=count(Up),
        pen_changes=max(0, count(Select) - 1),
        dips=count(Dip),
        seconds=path.times[-1],
        pauses=count(Pause),
        waiting=count(Pause) * path.machine.change.seconds,
        widths=(min(widths), max(widths)),
        bounds=(*map(min, zip(*places, strict=True)), *map(max, zip(*places, strict=True))),
    )


def rows(one: Report) -> list[tuple[str, str]]:
    """Names and values to show."""
    x0, y0, x1, y1 = one.bounds
    shown = [
        ("strokes", f"{one.strokes:,}"),
        ("ink", f"{one.ink / 1000:.2f} m"),
        ("travel, pen up", f"{one.travel / 1000:.2f} m"),
        ("lifts", f"{one.lifts:,}"),
        ("pen changes", f"{one.pen_changes:,}"),
    ]
    if one.dips:
        shown.append(("dips", f"{one.dips:,}"))
    waiting = f", of which {clock(one.waiting)} for pens changed by hand" if one.pauses else ""
    least, most = (f"{width:.1f}" for width in one.widths)
    return [
        *shown,
        ("time", f"{clock(one.seconds)}{waiting}"),
        ("widths of strokes", f"{least} mm" if least == most else f"{least} to {most} mm"),
        ("moves within", f"x {x0:.1f} to {x1:.1f}, y {y0:.1f} to {y1:.1f} mm"),
    ]

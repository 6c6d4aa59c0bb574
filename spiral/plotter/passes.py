"""How a pen draws one stroke: along its middle, pressed harder where it is wide, or in as many passes as fill it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from spiral.errors import InputError
from spiral.geometry import Point, flatten, split
from spiral.plotter.events import Curve, Line
from spiral.plotter.machine import Machine
from spiral.plotter.marks import Mark
from spiral.plotter.pens import Pen
from spiral.plotter.toolpath import Way

WIDTHS = ("line", "z", "passes")
OVERLAP = 0.2  # of a pen's width, by which passes of opaque ink lie over each other
FULL = 1.0  # the pressure at which a pen's line is as wide as the pen
MAX_PASSES = 250  # on either side of the middle
QUADRANT = 16  # lines for a quarter of a circle
SPECK = 0.05  # of a pen's width; what is smaller than its square is no area left to fill
NARROW = 1.05  # a stroke at most this much wider than the pen is one line


def ways_for(width: str, machine: Machine, pens: Sequence[Pen], tolerance: float) -> Callable[[Mark], list[Way]]:
    """The function that says how a mark is drawn.

    Args:
        width: what becomes of a stroke's width. ``"line"``: nothing, its middle is drawn once. ``"z"``: the pen is
            pressed so far that its line is as wide as the stroke. ``"passes"``: lines beside each other fill it.
        machine: that draws.
        pens: those there are; all but "line" need their widths.
        tolerance: mm; how far passes may be from the stroke's edge.

    Raises:
        InputError: an unknown choice, pens of unknown width, or "z" on a machine that cannot press.
    """
    if width not in WIDTHS:
        raise InputError(f"unknown width {width!r:.60}; accepted: {', '.join(WIDTHS)}")
    if width == "line":
        return lambda mark: [_middle(mark)]
    nameless = [pen.name for pen in pens if pen.width is None]
    if nameless:
        raise InputError(
            f"--width {width} must know how wide a pen's line is, and does not of {nameless[0]!r:.60}; "
            "say it in mm, like --pens black:0.5"
        )
    if width == "passes":
        return lambda mark: _passes(mark, pens[mark.pen], tolerance)
    if machine.lift.kind != "z" or machine.lift.press == machine.lift.down:
        raise InputError(
            f"machine {machine.name} cannot press a pen: that needs lift.kind 'z' and a lift.press below lift.down; "
            "choose --width line or passes"
        )
    return lambda mark: [_pressed(mark, pens[mark.pen])]


def _middle(mark: Mark) -> Way:
    return Way(mark.start, FULL, (Curve(*mark.control, *mark.end, FULL),))


def _pressed(mark: Mark, pen: Pen) -> Way:
    """The middle line, pressed as wide as the stroke; in two curves where it grows wider than the pen can."""
    narrow, wide = sorted(mark.widths)
    first, last = (min(1.0, width / pen.width) for width in mark.widths)
    if not narrow < pen.width < wide:
        return Way(mark.start, first, (Curve(*mark.control, *mark.end, last),))
    t = (pen.width - mark.widths[0]) / (mark.widths[1] - mark.widths[0])
    _, before, middle, after, _ = split(mark.start, mark.control, mark.end, t)
    return Way(mark.start, first, (Curve(*before, *middle, FULL), Curve(*after, *mark.end, last)))


def _passes(mark: Mark, pen: Pen, tolerance: float) -> list[Way]:
    """Rings inside the stroke's outline, each as far inside the last as the pen is wide, and its middle line.

    Rings rather than parallels, because they stay right where a stroke tapers or turns back on itself. They begin at
    the stroke's wide end, where each is next to the last. Between the arms of a hairpin, where the middle line is not,
    slivers are left: a line around each fills it.
    """
    if max(mark.widths) <= NARROW * pen.width:
        return [_middle(mark)]
    if mark.widths[0] < mark.widths[1]:
        mark = mark._replace(start=mark.end, end=mark.start, widths=mark.widths[::-1])
    reach = (mark.widths[0] - pen.width) / 2  # of the pen's centre, from the middle line
    step = pen.width * (1 - OVERLAP if pen.opacity == 1.0 else 1.0)  # translucent ink shows where it lies twice
    if reach / step > MAX_PASSES:
        raise InputError(
            f"stroke {mark.stroke + 1} is {mark.widths[0]:.1f} mm wide, more than {2 * MAX_PASSES} lines of pen {pen.name}; "
            "use a wider pen, a smaller size, or --width line"
        )
    step = reach / math.ceil(reach / step)
    outline = _outline(mark, tolerance)
    room = _inset(outline, pen.width / 2, 0.0)
    ways: list[Way] = []
    drawn: list[Sequence[Point]] = []

    def add_rings(inside) -> bool:
        rings = _rings(inside, least_area=(SPECK * pen.width) ** 2)
        for ring in rings:
            ring = _from_nearest(ring, ways[-1].end if ways else mark.start)
            _add(ways, Way(ring[0], FULL, tuple(Line(*point, FULL) for point in ring[1:])), room, step)
        drawn.extend(rings)
        return bool(rings)

    inset = pen.width / 2
    while add_rings(_inset(outline, inset, tolerance / 2)):
        inset += step
    _add(ways, _middle(mark), room, step)
    drawn.append(flatten(mark.start, mark.control, mark.end, tolerance))
    add_rings(_left(room, drawn, pen))
    return ways


def _add(ways: list[Way], way: Way, room, step: float) -> None:
    """One more way; without raising the pen where a short line inside the stroke leads to it."""
    import shapely

    if ways:
        last = ways[-1]
        near = math.dist(last.end, way.start) <= 2 * step
        if near and room.covers(shapely.LineString([last.end, way.start])):
            ways[-1] = last._replace(moves=(*last.moves, Line(*way.start, FULL), *way.moves))
            return
    ways.append(way)


def _outline(mark: Mark, tolerance: float):
    """The area of a stroke."""
    import shapely

    radius0, radius1 = (width / 2 for width in mark.widths)
    line = flatten(mark.start, mark.control, mark.end, tolerance)
    if radius0 == radius1:  # the same, and quicker
        return shapely.buffer(shapely.LineString(line), radius0, quad_segs=QUADRANT)
    radii = np.linspace(radius0, radius1, len(line))
    discs = shapely.buffer(shapely.points(line), radii, quad_segs=QUADRANT)
    return shapely.union_all(shapely.convex_hull(shapely.union(discs[:-1], discs[1:])))


def _left(room, lines: Sequence[Sequence[Point]], pen: Pen):
    """The part of an area that a pen has not inked which went along these lines."""
    import shapely

    return shapely.difference(room, shapely.buffer(shapely.MultiLineString(lines), pen.width / 2, quad_segs=QUADRANT))


def _inset(outline, by: float, tolerance: float):
    import shapely

    return shapely.simplify(shapely.buffer(outline, -by, quad_segs=QUADRANT), tolerance)


def _rings(inside, least_area: float) -> list[list[Point]]:
    import shapely

    polygons = [polygon for polygon in shapely.get_parts(inside) if polygon.area > least_area]
    rings = (ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors))
    return [[Point(x, y) for x, y in ring.coords] for ring in rings]


def _from_nearest(ring: list[Point], at: Point) -> list[Point]:
    """A closed ring, begun at its point nearest to where the pen is."""
    nearest = min(range(len(ring) - 1), key=lambda i: math.dist(ring[i], at))
    return [*ring[nearest:-1], *ring[: nearest + 1]]

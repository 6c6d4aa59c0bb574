"""Points and quadratic Bezier curves, in any unit that is the same along x and y."""

from __future__ import annotations

import bisect
import itertools
import math
from cmath import phase, rect
from typing import NamedTuple


class Point(NamedTuple):
    """A place; on a canvas in canvas fractions, x to the right, y down."""

    x: float
    y: float


def bezier_point(start: Point, control: Point, end: Point, t: float) -> Point:
    """The point of the curve at parameter ``t`` in 0..1."""
    s = 1.0 - t
    a, b, c = s * s, 2.0 * s * t, t * t
    return Point(a * start.x + b * control.x + c * end.x, a * start.y + b * control.y + c * end.y)


def split(start: Point, control: Point, end: Point, t: float) -> tuple[Point, Point, Point, Point, Point]:
    """Both parts of the curve at ``t``: start, control, where they meet, control, end."""
    before, after = _between(start, control, t), _between(control, end, t)
    return start, before, _between(before, after, t), after, end


def _between(a: Point, b: Point, t: float) -> Point:
    return Point(a.x + t * (b.x - a.x), a.y + t * (b.y - a.y))


def sharp_turn(x0: float, y0: float, x1: float, y1: float, x2: float, y2: float, radius: float) -> float | None:
    """The parameter where the curve turns tightest, if it turns tighter there than ``radius``; None if it does not.

    Plain floats, because it is asked for every stroke of training.
    """
    # The curve's derivative is 2 (u + t v): slowest, and so turning tightest, where it is at right angles to v.
    ux, uy, vx, vy = x1 - x0, y1 - y0, x0 - 2.0 * x1 + x2, y0 - 2.0 * y1 + y2
    along, square = -(ux * vx + uy * vy), vx * vx + vy * vy
    if not 0.0 < along < square:
        return None
    across = ux * vy - uy * vx
    # The radius of curvature there is 2 across^2 / |v|^3.
    return along / square if 2.0 * across * across < radius * square * math.sqrt(square) else None


def pieces_for(start: Point, control: Point, end: Point, tolerance: float) -> int:
    """How many equal steps of t make a polyline that is nowhere further than ``tolerance`` from the curve.

    A quadratic's second derivative is constant, so n equal steps are all equally far off, by its size / (8 n^2), and
    splitting where the curve bends would gain nothing. The bound holds point by point in t, not only across the
    curve, so a radius that is linear in t is right along the polyline too.
    """
    bend = math.hypot(start.x - 2.0 * control.x + end.x, start.y - 2.0 * control.y + end.y)
    return max(1, math.ceil(math.sqrt(bend / (4.0 * tolerance))))


def flatten(start: Point, control: Point, end: Point, tolerance: float) -> list[Point]:
    """A polyline from ``start`` to ``end`` that is nowhere further than ``tolerance`` from the curve."""
    n = pieces_for(start, control, end, tolerance)
    return [bezier_point(start, control, end, i / n) for i in range(n + 1)]


def arc_length(start: Point, control: Point, end: Point, tolerance: float) -> float:
    """Length of the curve's polyline at this ``tolerance``; never more than the curve's own."""
    return sum(itertools.starmap(math.dist, itertools.pairwise(flatten(start, control, end, tolerance))))


def parameter_at(start: Point, control: Point, end: Point, share: float, tolerance: float) -> float:
    """The parameter at which a ``share`` in 0..1 of the curve's length lies behind, by its polyline."""
    points = flatten(start, control, end, tolerance)
    reached = [0.0, *itertools.accumulate(itertools.starmap(math.dist, itertools.pairwise(points)))]
    length = share * reached[-1]
    before = min(bisect.bisect_right(reached, length), len(points) - 1) - 1
    step = reached[before + 1] - reached[before]
    part = (length - reached[before]) / step if step else share
    return (before + part) / (len(points) - 1)


def swept_outline(
    start: Point, control: Point, end: Point, radius0: float, radius1: float, tolerance: float
) -> list[complex]:
    """What a disc covers whose centre goes along the curve while its radius, linear in t, goes from one to the other.

    A polygon whose non-zero fill is the covered area, to within about ``tolerance``: up one side of the stroke, round
    the end, back along the other and round the start, from the x axis towards the y axis. Its corners are complex
    numbers x + iy, since it is made for every tapered stroke of training, and turns are a single operation on them.

    It crosses itself where the curve turns tighter than the radius, and the fill is right there too, as long as both
    sides turn by the very angles the curve does: a point is then gone round once for each stretch of the curve that
    is nearer to it than the radius there. With even-odd filling it would have holes.
    """
    n = pieces_for(start, control, end, tolerance)
    centre, middle, last = complex(*start), complex(*control), complex(*end)
    bend = 2.0 * (centre - 2.0 * middle + last) / (n * n)  # from one step of the polyline to the next
    step = 2.0 * (middle - centre) / n + bend / 2.0
    radius, grow = radius0, (radius1 - radius0) / n
    room = 8.0 * tolerance  # an arc of a small angle is radius * angle^2 / 8 from its chord
    rights: list[complex] = []
    lefts: list[complex] = []
    # Angles are not wrapped, so that a difference of two is a turn.
    heading, right, left, nested = phase(step), None, None, True
    for _ in range(n):
        right_before, left_before, nested_before = right, left, nested
        length = abs(step)
        heading += math.remainder(phase(step) - heading, math.tau)
        nested = length <= abs(grow)  # one of the two discs lies in the other
        # The outer tangents of the two discs touch them at these angles.
        spread = (math.pi if grow > 0.0 else 0.0) if nested else math.acos(-grow / length)
        right, left = heading - spread, heading + spread
        if right_before is None:
            back = _arc(centre, radius, left, right + math.tau, room)
        else:
            right_turn, left_turn = right - right_before, left - left_before
            gentle = right_turn * right_turn * radius <= room and left_turn * left_turn * radius <= room
            if gentle and not nested and not nested_before:  # one corner stands for the arc
                rights.append(centre + rect(radius, right - 0.5 * right_turn))
                lefts.append(centre + rect(radius, left - 0.5 * left_turn))
            else:
                rights += _arc(centre, radius, right_before, right, room)
                lefts += _arc(centre, radius, left_before, left, room)
        centre += step
        step += bend
        radius += grow
    return [*rights, *_arc(last, radius1, right, left, room), *reversed(lefts), *back]


def _arc(centre: complex, radius: float, angle0: float, angle1: float, room: float) -> list[complex]:
    """Corners on a disc's rim from one angle to the other, both ends included."""
    turn = angle1 - angle0
    steps = max(1, math.ceil(abs(turn) * math.sqrt(radius / room)))
    return [centre + rect(radius, angle0 + i * turn / steps) for i in range(steps + 1)]

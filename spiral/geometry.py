"""Points and quadratic Bezier curves, in any unit that is the same along x and y."""

from __future__ import annotations

import bisect
import functools
import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple


class Point(NamedTuple):
    """A place; on a canvas in canvas fractions, x to the right, y down."""

    x: float
    y: float


# Plain tuples where thousands are made for each painting.
Disc = tuple[float, float, float]  # x, y, radius
Tangents = tuple[float, float, float, float]  # unit normals to the right (x, y) and to the left (x, y) of the way
Polygon = list[tuple[float, float]]


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


def swept_polygons(
    start: Point, control: Point, end: Point, radius0: float, radius1: float, tolerance: float
) -> Iterator[Polygon]:
    """What a disc covers whose centre goes along the curve while its radius, linear in t, goes from one to the other.

    The polygons overlap, and all wind from the x axis towards the y axis: a non-zero fill of all of them at once is
    the covered area, to within about ``tolerance``. This stays right where the curve turns tighter than the radius;
    the curve's offset outline does not.
    """
    points = flatten(start, control, end, tolerance)
    grow = (radius1 - radius0) / (len(points) - 1)
    discs = [(x, y, radius0 + i * grow) for i, (x, y) in enumerate(points)]
    tangents = [_tangents(a, b) for a, b in itertools.pairwise(discs)]
    yield _circle(discs[0], tolerance)
    for a, b, tangent, onward in zip(discs, discs[1:], tangents, [*tangents[1:], None], strict=False):
        joined = _turns_gently(tangent, onward, b[2], tolerance)
        if tangent:
            yield _piece(a, b, tangent, onward if joined else None)
        if not joined:
            yield _circle(b, tolerance)


def _tangents(a: Disc, b: Disc) -> Tangents | None:
    """The normals of two discs' common outer tangents; None where one disc lies in the other and there is none."""
    (ax, ay, a_radius), (bx, by, b_radius) = a, b
    dx, dy, shrink = bx - ax, by - ay, a_radius - b_radius
    apart = dx * dx + dy * dy
    rest = apart - shrink * shrink
    if rest <= 0.0:
        return None
    along, across = shrink / apart, math.sqrt(rest) / apart
    x, y, across_x, across_y = dx * along, dy * along, -dy * across, dx * across
    return x - across_x, y - across_y, x + across_x, y + across_y


def _turns_gently(tangents: Tangents | None, onward: Tangents | None, radius: float, tolerance: float) -> bool:
    """Whether both normals turn so little from one piece to the next that a chord may stand for the disc's rim."""
    if not tangents or not onward:
        return False
    right_x, right_y, left_x, left_y = tangents
    next_right_x, next_right_y, next_left_x, next_left_y = onward
    # A chord of angle e is radius (1 - cos(e/2)) from the rim.
    least_cosine = 1.0 - 4.0 * tolerance / max(radius, tolerance)
    return (
        right_x * next_right_x + right_y * next_right_y >= least_cosine
        and left_x * next_left_x + left_y * next_left_y >= least_cosine
    )


def _piece(a: Disc, b: Disc, tangents: Tangents, onward: Tangents | None) -> Polygon:
    """Between two centres, out to the tangents, and round ``b`` to the tangents ``onward`` where these leave a gap."""
    (ax, ay, a_radius), (bx, by, b_radius) = a, b
    right_x, right_y, left_x, left_y = tangents
    polygon = [
        (ax, ay),
        (ax + a_radius * right_x, ay + a_radius * right_y),
        (bx + b_radius * right_x, by + b_radius * right_y),
        (bx, by),
        (bx + b_radius * left_x, by + b_radius * left_y),
        (ax + a_radius * left_x, ay + a_radius * left_y),
    ]
    if onward:
        next_right_x, next_right_y, next_left_x, next_left_y = onward
        if next_left_x * left_y > next_left_y * left_x:
            polygon.insert(4, (bx + b_radius * next_left_x, by + b_radius * next_left_y))
        if right_x * next_right_y > right_y * next_right_x:
            polygon.insert(3, (bx + b_radius * next_right_x, by + b_radius * next_right_y))
    return polygon


def _circle(disc: Disc, tolerance: float) -> Polygon:
    """A disc as a regular polygon nowhere further than ``tolerance`` from it."""
    x, y, radius = disc
    corners = max(3, math.ceil(math.pi / math.acos(1.0 - tolerance / radius))) if radius > tolerance else 3
    return [(x + radius * along, y + radius * across) for along, across in _unit_circle(corners)]


@functools.lru_cache(maxsize=256)
def _unit_circle(corners: int) -> tuple[tuple[float, float], ...]:
    angles = (2.0 * math.pi * i / corners for i in range(corners))
    return tuple((math.cos(angle), math.sin(angle)) for angle in angles)

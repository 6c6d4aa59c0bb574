"""Points and quadratic Bezier curves, in any unit that is the same along x and y.

A tapered stroke is swept by a disc whose radius changes along the curve. It is built as a chain: a disc at each of a
few points of the curve and, between neighbours, the quadrangle of their common tangents. Every piece winds the same
way, so one non-zero fill of all of them is their union.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Point(NamedTuple):
    """A place; on a canvas in canvas fractions, x to the right, y down."""

    x: float
    y: float


class Disc(NamedTuple):
    """The pen's footprint at one place of a stroke."""

    x: float
    y: float
    radius: float


def bezier_point(start: Point, control: Point, end: Point, t: float) -> Point:
    """The point of the curve at parameter ``t`` in 0..1."""
    s = 1.0 - t
    a, b, c = s * s, 2.0 * s * t, t * t
    return Point(a * start.x + b * control.x + c * end.x, a * start.y + b * control.y + c * end.y)


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
    inner = [bezier_point(start, control, end, i / n) for i in range(1, n)]
    return [Point(*start), *inner, Point(*end)]


def taper(
    start: Point, control: Point, end: Point, radius0: float, radius1: float, tolerance: float
) -> list[Disc]:
    """The discs of a tapered stroke's chain; the radius is linear in t from ``radius0`` to ``radius1``."""
    points = flatten(start, control, end, tolerance)
    grow = (radius1 - radius0) / (len(points) - 1)
    return [Disc(x, y, radius0 + i * grow) for i, (x, y) in enumerate(points)]


def tangent_quad(a: Disc, b: Disc) -> tuple[Point, Point, Point, Point] | None:
    """The corners where the common outer tangents touch both discs; None where one disc lies inside the other.

    The corners wind from the x axis towards the y axis, as an arc of increasing angle does.
    """
    dx, dy, shrink = b.x - a.x, b.y - a.y, a.radius - b.radius
    apart = dx * dx + dy * dy
    across = apart - shrink * shrink
    if across <= 0.0:
        return None
    # Unit normals of the two tangents: along the centre line by shrink / distance, across it by the rest.
    along, across = shrink / apart, math.sqrt(across) / apart
    left_x, left_y = dx * along + dy * across, dy * along - dx * across
    right_x, right_y = dx * along - dy * across, dy * along + dx * across
    return (
        Point(a.x + a.radius * left_x, a.y + a.radius * left_y),
        Point(b.x + b.radius * left_x, b.y + b.radius * left_y),
        Point(b.x + b.radius * right_x, b.y + b.radius * right_y),
        Point(a.x + a.radius * right_x, a.y + a.radius * right_y),
    )

"""Cubic splines as chains of quadratic Beziers."""

from __future__ import annotations

import functools
import math

import numpy as np


def spline_curves(points: np.ndarray, sides: np.ndarray, tolerance: float) -> np.ndarray:
    """The uniform cubic B-spline with these control points, as few quadratic Beziers as the tolerance needs.

    It begins at the first point, ends at the last, is drawn to those between and never leaves their convex hull. Of
    two points it is the straight line, of three the quadratic Bezier, of four the cubic one.

    Args:
        points: float64 [n, 2], at least two, contiguous.
        sides: float64 [2], how long 1 is along x and along y.
        tolerance: how far, in the unit of ``sides``, a quadratic may be from the spline at the same parameter.

    Returns:
        float64 [m, 3, 2], start, control and end of each; it starts at the very floats where the one before ended.
    """
    if len(points) < 4:
        middle = points[1] if len(points) == 3 else points.mean(axis=0)
        return np.stack([points[0], middle, points[-1]])[np.newaxis]
    first, one, other, last = _cubics(points.view(complex)[:, 0])  # x + iy: half as many operations
    bend = last - 3.0 * other + 3.0 * one - first
    # The quadratic with the same ends and the same middle is nowhere further than sqrt(3) / 36 |bend| from its cubic,
    # and the bend of a part is its share of the parameter cubed: equal parts are equally far off.
    far = math.sqrt(3.0) / 36.0 * np.hypot(bend.real * sides[0], bend.imag * sides[1])
    pieces = np.maximum(1.0, np.ceil(np.cbrt(far / tolerance))).astype(int)
    after = np.cumsum(pieces)
    span = np.arange(len(pieces)).repeat(pieces)
    share = 1.0 / pieces[span]
    t = share * (np.arange(1, after[-1] + 1) - (after - pieces)[span])  # where each part ends
    # The cubic is first + t (slope + t (turn + t bend)).
    slope, turn, bend = 3.0 * (one - first)[span], 3.0 * (first - 2.0 * one + other)[span], bend[span]
    ends = first[span] + t * (slope + t * (turn + t * bend))
    ends[after - 1] = last
    starts = np.concatenate([first[:1], ends[:-1]])
    controls = (starts + ends) / 2.0 - share * share * (2.0 * turn + 3.0 * (2.0 * t - share) * bend) / 4.0
    return np.stack([starts, controls, ends], axis=1).view(float).reshape(-1, 3, 2)


def _cubics(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The spline of at least four control points, span by span: the four points, each [n - 3], of cubic Beziers."""
    legs = points[2:-1] - points[1:-2]
    one, other = (points[1:-2] + share * legs for share in _leg_shares(len(points)))
    joints = np.concatenate([points[:1], (other[:-1] + one[1:]) / 2.0, points[-1:]])
    return joints[:-1], one, other, joints[1:]


@functools.cache
def _leg_shares(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Where on the legs of the control polygon, the first and the last left out, both inner points of a span lie.

    By knot insertion: a leg spans three intervals of the knots, and its span is the middle one.
    """
    knots = np.clip(np.arange(-3, count + 1), 0, count - 3)
    low, begin, end, high = (knots[i : i + count - 3] for i in (2, 3, 4, 5))
    return (begin - low) / (high - low), (end - low) / (high - low)

"""Cubic splines as chains of quadratic Beziers."""

from __future__ import annotations

import math

import numpy as np


def spline_curves(points: np.ndarray, sides: np.ndarray, tolerance: float) -> np.ndarray:
    """The uniform cubic B-spline with these control points, as few quadratic Beziers as the tolerance needs.

    It begins at the first point, ends at the last, is drawn to those between and never leaves their convex hull. Of
    two points it is the straight line, of three the quadratic Bezier, of four the cubic one.

    Args:
        points: float64 [n, 2], at least two.
        sides: float64 [2], how long 1 is along x and along y.
        tolerance: how far, in the unit of ``sides``, a quadratic may be from the spline at the same parameter.

    Returns:
        float64 [m, 3, 2], start, control and end of each; it starts at the very floats where the one before ended.
    """
    if len(points) < 4:
        middle = points[1] if len(points) == 3 else points.mean(axis=0)
        return np.stack([points[0], middle, points[-1]])[np.newaxis]
    cubics = _cubics(points)
    bend = cubics[:, 3] - 3.0 * cubics[:, 2] + 3.0 * cubics[:, 1] - cubics[:, 0]
    # The quadratic with the same ends and the same middle is nowhere further than sqrt(3) / 36 |bend| from its cubic,
    # and the bend of a part is its share of the parameter cubed: equal parts are equally far off.
    far = math.sqrt(3.0) / 36.0 * np.hypot(*(bend * sides).T)
    pieces = np.maximum(1, np.ceil(np.cbrt(far / tolerance))).astype(int)
    cubics, share = cubics.repeat(pieces, axis=0), (1.0 / pieces).repeat(pieces)[:, np.newaxis]
    before = np.concatenate([np.arange(count) for count in pieces])[:, np.newaxis] * share
    after = before + share
    ends = _places(cubics, after)
    ends[np.cumsum(pieces) - 1] = cubics[np.cumsum(pieces) - 1, 3]
    starts = np.concatenate([points[:1], ends[:-1]])
    controls = (starts + ends) / 2.0 + share * (_slopes(cubics, before) - _slopes(cubics, after)) / 4.0
    return np.stack([starts, controls, ends], axis=1)


def _cubics(points: np.ndarray) -> np.ndarray:
    """The spline of at least four control points, span by span: the control points [n - 3, 4, 2] of cubic Beziers."""
    spans = len(points) - 3
    knots = np.clip(np.arange(-3, len(points) + 1), 0, spans)
    leg = np.arange(1, spans + 1)  # the leg of the control polygon whose blossom takes both of the span's knots
    first, width = knots[leg + 1], knots[leg + 4] - knots[leg + 1]
    step = points[leg + 1] - points[leg]
    one, other = (points[leg] + ((knots[leg + i] - first) / width)[:, np.newaxis] * step for i in (2, 3))
    joints = np.concatenate([points[:1], (other[:-1] + one[1:]) / 2.0, points[-1:]])
    return np.stack([joints[:-1], one, other, joints[1:]], axis=1)


def _places(cubics: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points [m, 2] of cubic Beziers [m, 4, 2] at parameters [m, 1]."""
    s = 1.0 - t
    a, b, c, d = cubics.transpose(1, 0, 2)
    return s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d


def _slopes(cubics: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Derivatives [m, 2] of cubic Beziers [m, 4, 2] at parameters [m, 1]."""
    s = 1.0 - t
    a, b, c = np.diff(cubics, axis=1).transpose(1, 0, 2)
    return 3.0 * (s * s * a + 2.0 * s * t * b + t * t * c)

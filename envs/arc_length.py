"""The length of quadratic Beziers, many at once."""

from __future__ import annotations

import numpy as np

STRAIGHT = 1e-6  # the greatest bend, as a share of the chord, at which a curve is as long as its chord
TINY = 1e-12


def arc_lengths(start: np.ndarray, control: np.ndarray, end: np.ndarray) -> np.ndarray:
    """True lengths [N] of the curves with these points, each float64 [N, 2], in their unit.

    The derivative is 2 (u + t v), so with a = |v|^2 the speed is 2 sqrt(a) sqrt((t + t0)^2 + k^2), whose integral is
    known.
    """
    u, v = control - start, start - 2.0 * control + end
    a = (v * v).sum(axis=1)
    chords = np.hypot(*(end - start).T)
    bent = a > (STRAIGHT * chords) ** 2
    a = np.where(bent, a, 1.0)
    t0 = (u * v).sum(axis=1) / a
    k = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / a

    def integral(s: np.ndarray) -> np.ndarray:
        """Twice that of sqrt(s^2 + k^2), from 0; the second term is 0 where k is, for a curve that folds back."""
        return s * np.hypot(s, k) + k * k * np.arcsinh(s / np.maximum(k, TINY))

    return np.where(bent, np.sqrt(a) * (integral(1.0 + t0) - integral(t0)), chords)

"""Programs to plot: random ones, and a letter that shows how it lies."""

from __future__ import annotations

import itertools
import random

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec

BLACK, RED, BLUE = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def random_program(seed, strokes=None, tapered=True, opaque=False, colors=(BLACK, RED, BLUE), largest=96):
    """Up to twelve strokes on a canvas of random sides: chained and not, dots, hairpins, translucent ones."""
    rng = random.Random(seed)
    canvas = CanvasSpec(rng.randint(16, largest), rng.randint(16, largest), 3)
    pen = (rng.random(), rng.random())
    made = []
    for _ in range(strokes or rng.randint(1, 12)):
        start = pen if rng.random() < 0.5 else (rng.random(), rng.random())
        pen = start if rng.random() < 0.1 else (rng.random(), rng.random())
        control = start if start == pen else (rng.random(), rng.random())
        pressure = (rng.random(), rng.random()) if tapered and rng.random() < 0.3 else (1.0, 1.0)
        opacity = 1.0 if opaque else rng.choice([1.0, 1.0, 0.5])
        made.append(
            Stroke(start, control, pen, Brush(rng.choice([1, 2, 4, 8]) / 64, rng.choice(colors), opacity, pressure))
        )
    return Program(canvas, made)


def polyline(points, width=0.05, color=BLACK):
    """Chained straight strokes through points."""
    brush = Brush(width, color)
    return [Stroke(a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), b, brush) for a, b in itertools.pairwise(points)]


def letter_f(width=64, height=64):
    """An F: not the same mirrored, turned or upside down."""
    strokes = [*polyline([(0.3, 0.9), (0.3, 0.1), (0.8, 0.1)]), *polyline([(0.3, 0.5), (0.6, 0.5)])]
    return Program(CanvasSpec(width, height, 1), strokes)

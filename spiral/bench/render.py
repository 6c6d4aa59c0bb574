"""Strokes per second of one core: the cairo canvas beside a bare pycairo loop over the very same strokes.

The bare loop makes the same calls of cairo with the same numbers, on a surface and a context of the same settings. All
geometry is done for it beforehand: the cubics of even strokes, hairpins in their two parts, and the outlines of
tapered ones. So what it lacks is all that is ours: the check for finite numbers, the curve's geometry and Python's
calls between; no program that draws these pixels by pycairo can be quicker.

For even strokes that is a bare loop as one would write it. For tapered ones nobody has the outlines beforehand, so
there is another: each piece of the curve's polyline stroked in its own width, the shortest program that draws them. It
is right for opaque ink only and has steps in its outline.

Grey and RGB canvases are the same kind of surface to cairo, so one measurement is for both.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import cairo
import numpy as np

from spiral.bench.measure import Contest, Options, Result, Watch, expected_seconds, interleaved, ratio
from spiral.canvas import CanvasSpec
from spiral.config import EnvConfig
from spiral.geometry import Point, flatten
from spiral.renderers.cairo import TAPER_TOLERANCE, CairoCanvas

SIZES = (32, 64, 128, 256)
STROKES = 300
AIM = 1.25
Curve = tuple[float, ...]  # the arguments of Canvas.draw_curve
Call = tuple[str, tuple]  # a method of cairo.Context and its arguments


def contests(options: Options) -> list[Contest]:
    sizes = SIZES[:1] if options.quick else SIZES
    kinds = {"constant": even_strokes, "tapered": tapered_strokes}
    return [_contest(size, kind, make(options.run.env)) for kind, make in kinds.items() for size in sizes]


def planned(options: Options) -> float:
    return expected_seconds(contests(options), options)


def measure(options: Options, watch: Watch) -> Result:
    result = Result(
        notes=[
            "The bare loop makes the same calls of cairo, all geometry done for it beforehand; piece by piece it strokes",
            "a tapered curve's polyline, each piece in its own width: other pixels, and for opaque ink only.",
            "Grey and RGB canvases are the same surface to cairo: these are the figures of both.",
        ]
    )
    for contest in contests(options):
        canvas, bare, *pieces = measured = interleaved(contest, options, watch)
        result.measured += measured
        result.figures.append(ratio("CPU of the canvas / of the bare loop", canvas, bare, at_most=AIM))
        result.figures += [ratio("CPU of the canvas / of piece by piece", canvas, each, at_most=AIM) for each in pieces]
    return result


def even_strokes(env: EnvConfig) -> list[Curve]:
    """Random strokes between the cells of the grid, of the widths and opacities of the settings."""
    rng = np.random.default_rng(0)
    ones = np.ones(STROKES)
    return _curves(rng, env, ones, ones, rng.choice(env.pressures, STROKES))


def tapered_strokes(env: EnvConfig) -> list[Curve]:
    """The same, opaque, their pressure running from a random one to another."""
    rng = np.random.default_rng(0)
    pressure = rng.choice(env.pressures, STROKES)
    return _curves(rng, env, pressure, 0.5 * pressure, np.ones(STROKES))


def _curves(rng: np.random.Generator, env: EnvConfig, pressure0, pressure1, opacity) -> list[Curve]:
    points = rng.integers(env.grid, size=(STROKES, 6)) / (env.grid - 1)
    width = rng.choice(env.sizes, STROKES)
    ink = np.zeros((STROKES, 3))
    return [tuple(row) for row in np.column_stack([points, width, pressure0, pressure1, ink, opacity]).tolist()]


def _contest(size: int, kind: str, curves: Sequence[Curve]) -> Contest:
    canvas = CairoCanvas(CanvasSpec(size, size, 1))

    def ours() -> int:
        for curve in curves:
            canvas.draw_curve(*curve)
        return len(curves)

    variants = {"canvas": ours, "bare pycairo": bare_loop(CairoCanvas(canvas.spec), curves)}
    if kind == "tapered":
        variants["piece by piece"] = piece_by_piece(CairoCanvas(canvas.spec), curves)
    return Contest(f"{size} px, {kind}", "strokes", variants)


def bare_loop(canvas: CairoCanvas, curves: Sequence[Curve]) -> Callable[[], int]:
    """Draws the strokes on this canvas by pycairo and nothing else."""
    context = canvas._context
    calls = [call for curve in curves for call in _calls(canvas, context, curve)]
    bound = [(getattr(context, name), arguments) for name, arguments in calls]

    def draw() -> int:
        for method, arguments in bound:
            method(*arguments)
        return len(curves)

    return draw


def piece_by_piece(canvas: CairoCanvas, curves: Sequence[Curve]) -> Callable[[], int]:
    """Draws the opaque black strokes on this canvas, their polylines' pieces one after the other."""
    context = canvas._context
    tolerance = TAPER_TOLERANCE / canvas.spec.width
    pieces = [piece for curve in curves for piece in _pieces(curve, tolerance)]

    def draw() -> int:
        context.set_source_rgb(0.0, 0.0, 0.0)
        for start, end, width in pieces:
            context.set_line_width(width)
            context.move_to(*start)
            context.line_to(*end)
            context.stroke()
        return len(curves)

    return draw


def _pieces(curve: Curve, tolerance: float) -> Iterator[tuple[Point, Point, float]]:
    """Start, end and middle width of each piece."""
    x0, y0, x1, y1, x2, y2, width, pressure0, pressure1, *_ = curve
    points = flatten(Point(x0, y0), Point(x1, y1), Point(x2, y2), tolerance)
    for index, (start, end) in enumerate(itertools.pairwise(points)):
        t = (index + 0.5) / (len(points) - 1)
        yield start, end, width * (pressure0 + t * (pressure1 - pressure0))


def _calls(canvas: CairoCanvas, context: cairo.Context, curve: Curve) -> list[Call]:
    """The calls of cairo by which the canvas draws a curve."""
    recorder = _Recorder()
    canvas._context = recorder
    canvas.draw_curve(*curve)
    canvas._context = context
    return recorder.calls


class _Recorder:
    """In a context's place: notes what is called."""

    def __init__(self):
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, arguments))

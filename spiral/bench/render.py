"""Strokes per second of one core: the cairo canvas beside a bare pycairo loop over the very same strokes.

The bare loop makes the same calls of cairo with the same numbers, on a surface and a context of the same settings. All
geometry is done for it beforehand: the cubics of even strokes, hairpins in their two parts, and the polygons of
tapered ones. So what it lacks is all that is ours: the check for finite numbers, the curve's geometry and Python's
calls between; no program that draws these pixels by pycairo can be quicker. Grey and RGB canvases are the same kind of
surface to cairo, so one measurement is for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cairo
import numpy as np

from spiral.bench.measure import Contest, Options, Result, Watch, expected_seconds, interleaved, ratio
from spiral.canvas import CanvasSpec
from spiral.config import EnvConfig
from spiral.renderers.cairo import CairoCanvas

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
            "The bare loop makes the same calls of cairo, all geometry done for it beforehand.",
            "Grey and RGB canvases are the same surface to cairo: these are the figures of both.",
        ]
    )
    for contest in contests(options):
        measured = interleaved(contest, options, watch)
        result.measured += measured
        result.figures.append(ratio("CPU of the canvas / of the bare loop", *measured, at_most=AIM))
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

    bare = bare_loop(CairoCanvas(canvas.spec), curves)
    variants = {"canvas": ours, "bare pycairo": bare}
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

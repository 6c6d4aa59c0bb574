"""Strokes by cairo: anti-aliased, quick, the same at every size."""

from __future__ import annotations

import itertools
import math

import cairo
import numpy as np

from spiral.canvas import Canvas, CanvasSpec
from spiral.errors import InputError
from spiral.geometry import Point, tangent_quad, taper
from spiral.renderers import RENDERERS

# cairo's own default of 0.1 px cuts the round turn off a hairpin.
TOLERANCE = 0.02  # pixels, curve to polygon
TAPER_TOLERANCE = 0.05  # pixels, curve to chain of discs
TURN = 2.0 * math.pi


@RENDERERS.register("cairo")
class CairoCanvas(Canvas):
    """Anti-aliased strokes by cairo; the default, and what training uses."""

    def __init__(self, spec: CanvasSpec, pixels: np.ndarray | None = None):
        super().__init__(spec, pixels)
        surface = cairo.ImageSurface.create_for_data(
            self._memory, cairo.FORMAT_RGB24, spec.width, spec.height, 4 * spec.width
        )
        # One user unit is the shorter side, so that the pen is round and widths need no factor.
        unit = min(spec.width, spec.height)
        self._x_scale, self._y_scale = spec.width / unit, spec.height / unit
        self._taper_tolerance = TAPER_TOLERANCE / unit
        context = cairo.Context(surface)
        context.scale(unit, unit)
        context.set_antialias(cairo.ANTIALIAS_GOOD)
        context.set_tolerance(TOLERANCE)
        context.set_line_cap(cairo.LINE_CAP_ROUND)
        context.set_line_join(cairo.LINE_JOIN_ROUND)
        self._context = context

    def draw_curve(self, x0, y0, x1, y1, x2, y2, width, pressure0, pressure1, red, green, blue, opacity):
        # cairo takes NaN without a word and paints garbage.
        if not math.isfinite(x0 + y0 + x1 + y1 + x2 + y2 + width + pressure0 + pressure1 + red + green + blue + opacity):
            raise InputError(
                "a stroke must have finite numbers, got "
                f"{(x0, y0, x1, y1, x2, y2, width, pressure0, pressure1, red, green, blue, opacity)}"
            )
        x_scale, y_scale = self._x_scale, self._y_scale
        x0, x1, x2, y0, y1, y2 = x0 * x_scale, x1 * x_scale, x2 * x_scale, y0 * y_scale, y1 * y_scale, y2 * y_scale
        # cairo's pixels are blue, green, red in memory; ours are red, green, blue.
        self._context.set_source_rgba(blue, green, red, opacity)
        if pressure0 == pressure1:
            self._draw_even(x0, y0, x1, y1, x2, y2, width * pressure0)
        else:
            self._draw_tapered(Point(x0, y0), Point(x1, y1), Point(x2, y2), width * pressure0, width * pressure1)

    def _draw_even(self, x0, y0, x1, y1, x2, y2, width):
        context = self._context
        context.set_line_width(width)
        context.move_to(x0, y0)
        # The cubic that is this quadratic.
        context.curve_to(
            (x0 + 2.0 * x1) / 3.0, (y0 + 2.0 * y1) / 3.0, (x2 + 2.0 * x1) / 3.0, (y2 + 2.0 * y1) / 3.0, x2, y2
        )
        context.stroke()

    def _draw_tapered(self, start, control, end, width0, width1):
        context = self._context
        discs = taper(start, control, end, width0 / 2.0, width1 / 2.0, self._taper_tolerance)
        for x, y, radius in discs:
            context.new_sub_path()
            context.arc(x, y, radius, 0.0, TURN)
        for a, b in itertools.pairwise(discs):
            quad = tangent_quad(a, b)
            if quad:
                first, *rest = quad
                context.move_to(*first)
                for corner in rest:
                    context.line_to(*corner)
        # One fill, so that the opacity is the same where pieces overlap.
        context.fill()

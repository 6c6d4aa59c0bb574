"""Strokes by cairo: anti-aliased, quick, the same at every size."""

from __future__ import annotations

import cairo
import numpy as np

from spiral.canvas import Canvas, CanvasSpec
from spiral.geometry import Point, sharp_turn, split, swept_outline
from spiral.renderers import RENDERERS

TOLERANCE = 0.02  # pixels, curve to polygon; cairo's default of 0.1 flattens tight turns
TAPER_TOLERANCE = 0.05  # pixels, curve to polyline where the width changes
HAIR = 0.15  # pixels; a control point nearer to an end than this is put there
SHARP = 0.05  # a turn tighter than this part of the width is a hairpin


@RENDERERS.register("cairo")
class CairoCanvas(Canvas):
    """Anti-aliased strokes by cairo; the default, and what training uses."""

    def __init__(self, spec: CanvasSpec, pixels: np.ndarray | None = None):
        super().__init__(spec, pixels)
        surface = cairo.ImageSurface.create_for_data(
            self.memory, cairo.FORMAT_RGB24, spec.width, spec.height, 4 * spec.width
        )
        self._hair = HAIR / self._unit
        self._tolerance = TAPER_TOLERANCE / self._unit
        context = cairo.Context(surface)
        context.scale(self._unit, self._unit)
        context.set_antialias(cairo.ANTIALIAS_GOOD)
        context.set_tolerance(TOLERANCE)
        context.set_line_cap(cairo.LINE_CAP_ROUND)
        context.set_line_join(cairo.LINE_JOIN_ROUND)
        self._context = context

    def draw_swept(self, x0, y0, x1, y1, x2, y2, width0, width1, red, green, blue, opacity):
        # cairo's pixels are blue, green, red in memory; ours are red, green, blue.
        self._context.set_source_rgba(blue, green, red, opacity)
        if width0 == width1:
            self._draw_even(x0, y0, x1, y1, x2, y2, width0)
        else:
            self._draw_tapered(Point(x0, y0), Point(x1, y1), Point(x2, y2), width0, width1)

    def _draw_even(self, x0, y0, x1, y1, x2, y2, width):
        context = self._context
        context.set_line_width(width)
        turn = sharp_turn(x0, y0, x1, y1, x2, y2, SHARP * width)
        if turn is None:
            self._add_curve(x0, y0, x1, y1, x2, y2)
        else:  # cairo cuts off the round turn of a hairpin; two curves have round ends there
            start, control0, middle, control1, end = split(Point(x0, y0), Point(x1, y1), Point(x2, y2), turn)
            self._add_curve(*start, *control0, *middle)
            self._add_curve(*middle, *control1, *end)
        context.stroke()

    def _add_curve(self, x0, y0, x1, y1, x2, y2):
        # A tangent that turns away within a hair's breadth of an end leads cairo's stroker astray.
        if abs(x1 - x0) + abs(y1 - y0) < self._hair:
            x1, y1 = x0, y0
        elif abs(x1 - x2) + abs(y1 - y2) < self._hair:
            x1, y1 = x2, y2
        context = self._context
        context.move_to(x0, y0)
        # The cubic that is this quadratic.
        context.curve_to(
            (x0 + 2.0 * x1) / 3.0, (y0 + 2.0 * y1) / 3.0, (x2 + 2.0 * x1) / 3.0, (y2 + 2.0 * y1) / 3.0, x2, y2
        )

    def _draw_tapered(self, start, control, end, width0, width1):
        outline = swept_outline(start, control, end, width0 / 2.0, width1 / 2.0, self._tolerance)
        line_to = self._context.line_to
        for corner in outline:
            line_to(corner.real, corner.imag)
        self._context.fill()  # by cairo's rule, which is non-zero

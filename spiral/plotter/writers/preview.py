"""Dry runs to look at: the page as the machine will leave it, as a picture and as a film in one HTML file."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence

import cairo

from spiral.geometry import Point, swept_outline
from spiral.player import Mark, player_html
from spiral.plotter.events import MOVES
from spiral.plotter.ink import Ink, Journey, ink_and_journeys
from spiral.plotter.report import report, rows
from spiral.plotter.toolpath import Toolpath
from spiral.plotter.writers.base import WRITERS, Writer

MAX_SIDE = 2400  # pixels of the picture's longer side
TRAVEL = (0.35, 0.6, 1.0)  # colour of the pen-up way
TRAVEL_WIDTH = 0.2  # mm
BORDER = 0.8  # grey of the canvas's frame
TABLE = (0.93, 0.93, 0.93)  # colour of what lies round the page
TOLERANCE = 0.01  # mm; how far the outline of a line of changing width may be off
Pressed = tuple[float, float, float]  # x, y, pressure


@WRITERS.register("png")
class PngPreview(Writer):
    """The finished page as a picture: ink as wide as the pens, the way with the pen up thin and blue."""

    suffixes = (".png",)
    for_every_machine = True

    def content(self) -> bytes:
        frame, page = self.path.frame, self.path.frame.page
        left, top, width, height = _view(self.path)
        scale = MAX_SIDE / max(width, height)
        surface = cairo.ImageSurface(cairo.FORMAT_RGB24, math.ceil(width * scale), math.ceil(height * scale))
        context = cairo.Context(surface)
        context.set_source_rgb(*TABLE)
        context.paint()
        context.scale(scale, scale)
        context.translate(-left, -top)
        context.set_source_rgb(*self.path.program.canvas.background)
        context.rectangle(0.0, 0.0, page.width, page.height)
        context.fill()
        context.set_line_cap(cairo.LINE_CAP_ROUND)
        context.set_line_join(cairo.LINE_JOIN_ROUND)
        context.set_source_rgb(BORDER, BORDER, BORDER)
        context.set_line_width(TRAVEL_WIDTH)
        context.rectangle(frame.left, frame.top, frame.width, frame.height)
        context.stroke()
        drawn = list(ink_and_journeys(self.path))
        for ink in drawn:
            if isinstance(ink, Ink):
                self._draw(context, ink)
        context.set_source_rgb(*TRAVEL)
        context.set_line_width(TRAVEL_WIDTH)
        for journey in drawn:
            if isinstance(journey, Journey):
                context.move_to(*frame.on_page(*journey.start))
                context.line_to(*frame.on_page(*journey.end))
        context.stroke()
        png = io.BytesIO()
        surface.write_to_png(png)
        return png.getvalue()

    def _draw(self, context: cairo.Context, ink: Ink) -> None:
        pen = self.path.pens[ink.pen]
        context.set_source_rgba(*pen.rgb, pen.opacity)
        points = [(*self.path.frame.on_page(*ink.start), ink.pressure)]
        points += [(*self.path.frame.on_page(move.x, move.y), move.pressure) for move in ink.moves]
        # One line or one area: pieces of translucent ink would show where they meet.
        if len({pressure for _, _, pressure in points}) == 1:
            _add_line(context, [(x, y) for x, y, _ in points])
            context.set_line_width(ink.width * ink.pressure)
            context.stroke()
        else:
            for start, end in itertools.pairwise(points):
                _add_line(context, _tapered(start, end, ink.width))
            context.fill()


def _add_line(context: cairo.Context, points: Sequence[tuple[float, float]]) -> None:
    context.move_to(*points[0])
    for x, y in points[1:]:
        context.line_to(x, y)


def _tapered(start: Pressed, end: Pressed, width: float) -> list[tuple[float, float]]:
    """The area of a straight line whose pressure changes evenly."""
    (x0, y0, pressure0), (x1, y1, pressure1) = start, end
    middle = Point((x0 + x1) / 2, (y0 + y1) / 2)
    radii = (width * pressure / 2 for pressure in (pressure0, pressure1))
    outline = swept_outline(Point(x0, y0), middle, Point(x1, y1), *radii, TOLERANCE)
    return [(corner.real, corner.imag) for corner in outline]


@WRITERS.register("html")
class HtmlPreview(Writer):
    """The work as a film to play, stop and wind in any browser: one file, no network."""

    suffixes = (".html",)
    for_every_machine = True

    def content(self) -> str:
        left, top, width, height = _view(self.path)
        title = f"Dry run on {self.machine.name}"
        facts = dict(rows(report(self.path)))
        background = self.path.program.canvas.background
        marks = [self._page(left, top), *(self._mark(one, left, top) for one in ink_and_journeys(self.path))]
        return player_html(marks, width, height, background, title, facts)

    def _page(self, left: float, top: float) -> Mark:
        """The edges of the sheet, there from the start."""
        page = self.path.frame.page
        corners = [(0.0, 0.0), (page.width, 0.0), (page.width, page.height), (0.0, page.height), (0.0, 0.0)]
        points = [(x - left, y - top, TRAVEL_WIDTH) for x, y in corners]
        return Mark(points, (BORDER, BORDER, BORDER), 1.0, 0.0, 0.0, "page")

    def _mark(self, one: Ink | Journey, left: float, top: float) -> Mark:
        path, times = self.path, self.path.times

        def on_page(x: float, y: float) -> tuple[float, float]:
            point = path.frame.on_page(x, y)
            return point.x - left, point.y - top

        if isinstance(one, Journey):
            begin = times[one.event - 1] if one.event else 0.0
            points = [(*on_page(*point), TRAVEL_WIDTH) for point in (one.start, one.end)]
            return Mark(points, TRAVEL, 1.0, begin, times[one.event], one.to, travel=True)
        pen = path.pens[one.pen]
        points = [(*on_page(*one.start), one.pressure * one.width)]
        points += [(*on_page(move.x, move.y), move.pressure * one.width) for move in one.moves]
        begin, end = times[one.first - 1], times[one.last]
        return Mark(points, pen.rgb, pen.opacity, begin, end, f"stroke {one.number}, {pen.name}")


def _view(path: Toolpath) -> tuple[float, float, float, float]:
    """What a dry run shows: left, top, width and height of the page with every place the tool goes to, mm."""
    places = [path.frame.on_page(event.x, event.y) for event in path.events if isinstance(event, MOVES)]
    xs, ys = zip((0.0, 0.0), (path.frame.page.width, path.frame.page.height), *places, strict=True)
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)

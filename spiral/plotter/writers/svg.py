"""SVG in millimetres of the page: what the pens draw, for plotter software and for the eye."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

from spiral.color import css_color
from spiral.geometry import Point
from spiral.plotter.events import Curve, Dip, Pause
from spiral.plotter.ink import Ink, ink_and_journeys
from spiral.plotter.writers.base import WRITERS, Writer, fixed, harmless, no_trays
from spiral.svg import curves, metadata_element

DIGITS = 4  # decimals of a mm
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
    'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">'
)
LAYER = (
    '<g inkscape:groupmode="layer" id="layer{number}" inkscape:label="{waits}{number} pen{pen} {name}" fill="none" '
    'stroke="{color}" stroke-opacity="{opacity}" stroke-linecap="round" stroke-linejoin="round">'
)


@WRITERS.register("svg")
class Svg(Writer):
    """True Bezier curves in mm, a layer for each run of a pen in the order of drawing; holds the program itself."""

    suffixes = (".svg",)
    for_every_machine = True
    keeps_curves = True

    def content(self) -> str:
        if self.machine.dialect == "svg" and any(isinstance(event, Dip) for event in self.path.events):
            raise no_trays("SVG")  # for another machine it is a picture of what that does
        page = self.path.frame.page
        self._pieces = Counter()  # of strokes, of which some come in several
        drawn = (ink for ink in ink_and_journeys(self.path) if isinstance(ink, Ink))
        lines = [
            HEAD.format(width=_short(page.width), height=_short(page.height)),
            metadata_element(self.path.program),
        ]
        pauses = any(isinstance(event, Pause) for event in self.path.events)
        # The number in front of a layer's name keeps the order in programs that sort layers by it; AxiDraw's software waits
        # for a person before a layer whose name begins with an exclamation mark.
        for number, (pen, run) in enumerate(itertools.groupby(drawn, lambda ink: ink.pen), 1):
            lines += [
                self._layer(number, pen, pauses and number > 1),
                *self._paths(run, self.path.pens[pen].opacity),
                "</g>",
            ]
        return "\n".join([*lines, "</svg>", ""])

    def _layer(self, number: int, index: int, waits: bool) -> str:
        pen = self.path.pens[index]
        return LAYER.format(
            number=number,
            waits="!" if waits else "",
            pen=index + 1,
            name=harmless(pen.name),
            color=css_color(pen.rgb),
            opacity=_short(pen.opacity),
        )

    def _paths(self, run: Iterator[Ink], opacity: float) -> Iterator[str]:
        """A path for each line drawn without raising the pen, as far as it is equally wide."""
        path: list[Ink] = []
        for ink in run:
            # Translucent strokes that meet in one path would not darken where they overlap, as they do on the canvas.
            if path and not (ink.goes_on and ink.width == path[-1].width and opacity == 1.0):
                yield self._path(path)
                path = []
            path.append(ink)
        if path:
            yield self._path(path)

    def _path(self, inks: list[Ink]) -> str:
        at, width = inks[0].start, inks[0].width
        line = [f"M{self._points(at)}"]
        for move in itertools.chain.from_iterable(ink.moves for ink in inks):
            end = Point(move.x, move.y)
            if isinstance(move, Curve):
                control = Point(move.control_x, move.control_y)
                for first, *others in curves(at, control, end, width):
                    line += [] if first == at else [f"M{self._points(first)}"]
                    line.append(f"Q{self._points(*others)}")
            else:
                line.append(f"L{self._points(end)}")
            at = end
        number = inks[0].number
        self._pieces[number] += 1
        piece = f"-{self._pieces[number]}" if self._pieces[number] > 1 else ""
        return f'<path id="stroke{number}{piece}" d="{"".join(line)}" stroke-width="{_short(width)}"/>'

    def _points(self, *points: Point) -> str:
        on_page = (self.path.frame.on_page(*point) for point in points)
        return " ".join(f"{_short(x)},{_short(y)}" for x, y in on_page)


def _short(value: float) -> str:
    return fixed(value, DIGITS).rstrip("0").rstrip(".")

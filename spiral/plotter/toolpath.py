"""The pen's movements in machine millimetres: a list of events, from which every file for a machine is printed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from spiral.errors import InputError
from spiral.geometry import Point, arc_length, bezier_point, parameter_at, pieces_for, split
from spiral.plotter.clock import times
from spiral.plotter.events import MOVES, Begin, Curve, Dip, Down, Event, Line, Park, Pause, Select, Travel, Up
from spiral.plotter.machine import Machine, Tray
from spiral.plotter.marks import Mark
from spiral.plotter.page import Frame
from spiral.plotter.pens import Pen
from spiral.program import Program


@dataclass(frozen=True)
class Toolpath:
    """What a machine does to draw a program: always begins and ends with the pen up and at the machine's park.

    Attributes:
        events: in order.
        program: what is drawn.
        machine: what draws it.
        frame: where the canvas lies.
        pens: those the events' indices mean.
        marks: the strokes drawn, in the order of drawing; that of ``Begin(number)`` is ``marks[number - 1]``.
    """

    events: tuple[Event, ...]
    program: Program
    machine: Machine
    frame: Frame
    pens: tuple[Pen, ...]
    marks: tuple[Mark, ...]

    def flattened(self, tolerance: float) -> Toolpath:
        """The same with every curve as lines, nowhere further than ``tolerance`` mm from it."""
        return replace(self, events=tuple(_flattened(self.events, tolerance)))

    def part(self, first: int = 1, last: int | None = None) -> Toolpath:
        """What draws the strokes of these numbers only, exactly as the whole does: the same moves, dips and pauses.

        It begins like a whole one: pen up, the pen chosen, fresh paint if the machine dips.

        Raises:
            InputError: there are no such strokes.
        """
        count = len(self.marks)
        last = count if last is None else last
        if not 1 <= first <= count or not first <= last <= count:
            raise InputError(f"strokes {first} to {last} are asked for; there are strokes 1 to {count}")
        return replace(self, events=tuple(_part(self, first, last)))

    def check_inside(self) -> None:
        """Refuse a toolpath that leaves the machine's work area at any point.

        Raises:
            InputError: it does; the message names the stroke, the point and the area.
        """
        what, advice = "the pen", self._advice()
        for event in self.events:
            if isinstance(event, Begin):
                what = f"stroke {event.number}"
            elif isinstance(event, Curve):
                raise TypeError("only a flattened toolpath can be checked")
            elif isinstance(event, MOVES):
                self.machine.check_inside(event.x, event.y, what, advice)

    def _advice(self) -> str:
        """What to do where a stroke leaves the work area."""
        page, (x, y) = self.frame.page, self.machine.sheet.at
        if all(map(self.machine.has, ((x, y), (x + page.width, y + page.height)))):
            return "; make the picture smaller or the margin larger"
        return f"; the page of {page.width:g} x {page.height:g} mm reaches beyond it: choose another page or a smaller size"

    @functools.cached_property
    def times(self) -> tuple[float, ...]:
        """When each event is over: seconds from the start, the time of people who change pens included."""
        return times(self.events, self.machine)


def _flattened(events: Sequence[Event], tolerance: float) -> Iterator[Event]:
    at, pressure = Point(0.0, 0.0), 0.0
    for event in events:
        if isinstance(event, Curve):
            control, end = Point(event.control_x, event.control_y), Point(event.x, event.y)
            pieces = pieces_for(at, control, end, tolerance)
            grow = (event.pressure - pressure) / pieces
            for i in range(1, pieces):
                yield Line(*bezier_point(at, control, end, i / pieces), pressure + i * grow)
            yield Line(event.x, event.y, event.pressure)
        else:
            yield event
        if isinstance(event, MOVES):
            at = Point(event.x, event.y)
        if isinstance(event, Down | Line | Curve):
            pressure = event.pressure


def _part(whole: Toolpath, first: int, last: int) -> Iterator[Event]:
    events = whole.events
    begins = {event.number: i for i, event in enumerate(events) if isinstance(event, Begin)}
    start, stop = begins[first], begins.get(last + 1, len(events))
    while last + 1 in begins and isinstance(events[stop - 1], Select | Pause | Dip | Travel):
        stop -= 1  # what makes ready for the stroke after
    if first > 1:
        yield from _washed(whole.machine)  # nobody knows which paint the brush holds
    yield from _ready(whole.machine, whole.pens, _last(events[:start], Select))
    yield events[start]
    if _is_down(events[:start]):  # it goes on from the stroke before it, which is not drawn here
        place = _last(events[:start], MOVES)
        yield Travel(place.x, place.y)
        yield Down(_last(events[:start], (Down, Line, Curve)).pressure)
    yield from events[start + 1 : stop]
    if last + 1 in begins:
        if _is_down(events[:stop]):
            yield Up()
        yield Park(*whole.machine.park)


def _last(events: Sequence[Event], kinds: type | tuple[type, ...]) -> Event:
    return next(event for event in reversed(events) if isinstance(event, kinds))


def _is_down(events: Sequence[Event]) -> bool:
    return isinstance(next((e for e in reversed(events) if isinstance(e, Down | Up)), Up()), Down)


def _ready(machine: Machine, pens: Sequence[Pen], select: Select) -> Iterator[Event]:
    """Take a pen, from a person where there are several, with fresh paint where the machine dips."""
    if machine.change.pause and len(pens) > 1:
        yield Pause(f"put pen {select.pen + 1}: {pens[select.pen].name} in the holder")
    yield select
    if machine.refill.every:
        yield _dip(machine.tray_of(pens[select.pen]))


def _washed(machine: Machine) -> Iterator[Event]:
    """A brush between two paints."""
    if wash := machine.wash_tray():
        yield _dip(wash)


def _dip(tray: Tray) -> Dip:
    return Dip(*tray.at, tray.name)


# -- drawing it -------------------------------------------------------------------------------------------------------


class Way(NamedTuple):
    """One line drawn without raising the pen: where it starts, how hard, and its lines or curves."""

    start: Point
    pressure: float
    moves: tuple[Line | Curve, ...]

    @property
    def end(self) -> Point:
        return Point(self.moves[-1].x, self.moves[-1].y)


def draw(
    program: Program,
    machine: Machine,
    frame: Frame,
    pens: Sequence[Pen],
    marks: Sequence[Mark],
    ways_of: Callable[[Mark], list[Way]],
) -> Toolpath:
    """The toolpath that draws marks in the order given.

    The pen stays down from one stroke to the next where the one starts exactly where the other ended, drawn by the
    same pen; pressed otherwise, if need be, on the spot. A pen's first use takes it; a change raises it, washes and
    dips it as the machine does, and lets people change it. A brush whose paint is used up is raised in mid-stroke,
    dipped, and goes on where it stopped.

    Args:
        program, machine, frame, pens: as of ``Toolpath``.
        marks: the strokes in the order of drawing.
        ways_of: how a mark is drawn: a function from ``Mark`` to a list of ``Way`` (``spiral.plotter.passes``).
    """
    desk = _Desk(machine, pens)
    for number, mark in enumerate(marks, 1):
        desk.take(mark.pen)
        ways = ways_of(mark)
        desk.leave_unless_at(ways[0].start)
        desk.events.append(Begin(number))
        for way in ways:
            desk.draw(way)
    desk.up()
    desk.events.append(Park(*machine.park))
    return Toolpath(tuple(desk.events), program, machine, frame, tuple(pens), tuple(marks))


class _Desk:
    """The state of the machine while its events are written down."""

    def __init__(self, machine: Machine, pens: Sequence[Pen]):
        self.machine, self.pens = machine, pens
        self.events: list[Event] = []
        self._pen: int | None = None
        self._at: Point | None = None  # where the pen is on the paper; None while it is up
        self._pressure = 0.0  # of the pen on the paper
        self._paint = math.inf  # mm of line until the brush must be dipped

    def take(self, pen: int) -> None:
        if pen == self._pen:
            return
        self.up()
        if self._pen is not None:
            self.events.extend(_washed(self.machine))
            if self.machine.change.pause:
                self.events.append(Travel(*self.machine.park))  # where hands have room and a drop does no harm
        self._pen = pen
        self.events.extend(_ready(self.machine, self.pens, Select(pen)))
        self._paint = self.machine.refill.every or math.inf

    def up(self) -> None:
        if self._at is not None:
            self.events.append(Up())
            self._at = None

    def leave_unless_at(self, start: Point) -> None:
        if self._at is not None and math.dist(self._at, start) > 1e-9:
            self.up()

    def draw(self, way: Way) -> None:
        self.leave_unless_at(way.start)
        if self._at is None:
            self._down(way.start, way.pressure)
        elif way.pressure != self._pressure:
            self._move(Line(*way.start, way.pressure))  # on the spot
        for move in way.moves:
            self._stroke(move)

    def _down(self, start: Point, pressure: float) -> None:
        self.events += [Travel(*start), Down(pressure)]
        self._at, self._pressure = start, pressure

    def _stroke(self, move: Line | Curve) -> None:
        """One line or curve, in as many pieces as the paint makes of it."""
        while self._paint + FINE < (length := _length(self._at, move)):
            if self._paint > FINE:
                piece, move = _cut(self._at, move, self._pressure, self._paint / length)
                self._move(piece)
            self._refill()
        self._move(move)
        self._paint -= length

    def _move(self, move: Line | Curve) -> None:
        self.events.append(move)
        self._at, self._pressure = Point(move.x, move.y), move.pressure

    def _refill(self) -> None:
        at = self._at
        self.up()
        self.events.append(_dip(self.machine.tray_of(self.pens[self._pen])))
        self._paint = self.machine.refill.every
        self._down(at, self._pressure)


FINE = 1e-3  # mm; to measure curves with


def _length(start: Point, move: Line | Curve) -> float:
    if isinstance(move, Line):
        return math.dist(start, (move.x, move.y))
    return arc_length(start, Point(move.control_x, move.control_y), Point(move.x, move.y), FINE)


def _cut(start: Point, move: Line | Curve, pressure: float, share: float) -> tuple[Line | Curve, Line | Curve]:
    """Both parts of a line or curve, cut where a share of its length is drawn."""
    end = Point(move.x, move.y)
    if isinstance(move, Line):
        middle = Point(start.x + share * (end.x - start.x), start.y + share * (end.y - start.y))
        return Line(*middle, pressure + share * (move.pressure - pressure)), move
    control = Point(move.control_x, move.control_y)
    t = parameter_at(start, control, end, share, FINE)
    _, before, middle, after, _ = split(start, control, end, t)
    return Curve(*before, *middle, pressure + t * (move.pressure - pressure)), Curve(*after, *end, move.pressure)

"""How long a machine takes: speeding up, slowing down at corners, raising the pen, waiting for people."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from spiral.plotter.events import Begin, Dip, Down, Event, Line, Park, Pause, Select, Travel, Up
from spiral.plotter.machine import Machine

Place = tuple[float, float, float]  # mm


def times(events: Sequence[Event], machine: Machine) -> tuple[float, ...]:
    """When each event is over, seconds from the start; curves must have been flattened.

    The machine plans ahead as GRBL does: trapezoids of speed with constant acceleration, corners as fast as their
    junction deviation allows (Jeon 2011), and a full stop wherever the pen goes up or down.
    """
    hand = _Hand(machine)
    durations: list[float] = []
    for drawing, group in itertools.groupby(events, lambda event: isinstance(event, Line | Begin)):
        run = list(group)
        durations += hand.draw(run) if drawing else map(hand.do, run)
    return tuple(itertools.accumulate(durations))


def dipping(machine: Machine) -> tuple[float, float, float]:
    """Seconds of lowering a brush into a tray, of resting there, and of raising it."""
    lift = machine.lift
    depth = abs(lift.up - machine.refill.depth) if lift.kind == "z" else 0.0
    moving = _trapezoid(depth, 0.0, 0.0, machine.speed.lift / 60, machine.speed.acceleration)
    return moving + lift.down_seconds, machine.refill.seconds, moving + lift.up_seconds


class _Hand:
    """Where the pen is, and how long it takes from there."""

    def __init__(self, machine: Machine):
        self._machine = machine
        self._at = machine.park
        self._z = machine.lift.up
        self._has_pen = False

    def do(self, event: Event) -> float:
        """Seconds of anything but drawing."""
        machine, lift = self._machine, self._machine.lift
        if isinstance(event, Travel | Park):
            return self._go(event)
        if isinstance(event, Down):
            return self._lift_to(machine.height(event.pressure)) + lift.down_seconds
        if isinstance(event, Up):
            return self._lift_to(lift.up) + lift.up_seconds
        if isinstance(event, Dip):
            return self._go(event) + sum(dipping(machine))
        if isinstance(event, Pause):
            return machine.change.seconds
        if isinstance(event, Select):
            changes, self._has_pen = self._has_pen and not machine.change.pause, True
            return machine.change.seconds if changes else 0.0
        raise TypeError(f"only a flattened toolpath has times, got {event!r}")

    def draw(self, events: Sequence[Line | Begin]) -> Iterator[float]:
        """Seconds of lines drawn in one go; where a stroke begins between them takes none."""
        places = [(*self._at, self._z)]
        for event in events:
            if isinstance(event, Line):
                self._at, self._z = (event.x, event.y), self._machine.height(event.pressure)
                places.append((*self._at, self._z))
        speed = self._machine.speed
        seconds = _planned(places, speed.draw / 60, speed.acceleration, speed.junction)
        return (next(seconds) if isinstance(event, Line) else 0.0 for event in events)

    def _go(self, to: Travel | Park | Dip) -> float:
        here, self._at = self._at, (to.x, to.y)
        return self._straight(math.dist(here, self._at), self._machine.speed.travel)

    def _lift_to(self, z: float) -> float:
        here, self._z = self._z, z
        # A servo's time is its pauses.
        return self._straight(abs(here - z), self._machine.speed.lift) if self._machine.lift.kind == "z" else 0.0

    def _straight(self, length: float, speed: float) -> float:
        return _trapezoid(length, 0.0, 0.0, speed / 60, self._machine.speed.acceleration)


def _planned(places: Sequence[Place], speed: float, acceleration: float, junction: float) -> Iterator[float]:
    """Seconds of each line of a polyline drawn from standstill to standstill; mm, mm/s, mm/s^2."""
    vectors = [(bx - ax, by - ay, bz - az) for (ax, ay, az), (bx, by, bz) in itertools.pairwise(places)]
    lengths = [math.hypot(*vector) for vector in vectors]
    # Squares of speeds at the corners: what the turn allows, then what can be braked to, then what can be reached.
    squares = [0.0, *(_turn(a, b, acceleration * junction, speed) for a, b in itertools.pairwise(vectors)), 0.0]
    for i in reversed(range(len(lengths))):
        squares[i] = min(squares[i], squares[i + 1] + 2 * acceleration * lengths[i])
    for i, length in enumerate(lengths):
        squares[i + 1] = min(squares[i + 1], squares[i] + 2 * acceleration * length)
        yield _trapezoid(length, math.sqrt(squares[i]), math.sqrt(squares[i + 1]), speed, acceleration)


def _turn(before: Place, after: Place, give: float, speed: float) -> float:
    """Square of the speed round the corner between two vectors; ``give`` is acceleration times junction deviation."""
    lengths = math.hypot(*before) * math.hypot(*after)
    if lengths == 0.0:
        return speed * speed
    (ax, ay, az), (bx, by, bz) = before, after
    cosine = -(ax * bx + ay * by + az * bz) / lengths  # of the angle between the lines, 180 degrees for straight on
    sine_of_half = math.sqrt(max(0.0, (1.0 - cosine) / 2))
    if sine_of_half > 0.9999:
        return speed * speed
    return min(speed * speed, give * sine_of_half / (1.0 - sine_of_half))


def _trapezoid(length: float, enter: float, leave: float, speed: float, acceleration: float) -> float:
    """Seconds for a straight line: speed up, go on, slow down."""
    if length == 0.0:
        return 0.0
    top = min(speed, math.sqrt((2 * acceleration * length + enter * enter + leave * leave) / 2))
    ramps = (2 * top * top - enter * enter - leave * leave) / (2 * acceleration)
    return (2 * top - enter - leave) / acceleration + max(0.0, length - ramps) / top

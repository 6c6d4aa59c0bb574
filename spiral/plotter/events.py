"""What a machine does, one thing after the other; places in mm on the machine, pressures in 0..1."""

from __future__ import annotations

from typing import NamedTuple


class Select(NamedTuple):
    """Take a pen, by its index."""

    pen: int


class Pause(NamedTuple):
    """Wait for a person, who reads the text."""

    text: str


class Begin(NamedTuple):
    """A stroke begins: its number in the order of drawing, from 1."""

    number: int


class Travel(NamedTuple):
    """Go to (x, y) with the pen up, mm."""

    x: float
    y: float


class Down(NamedTuple):
    """Lower the pen, pressed so far (0..1)."""

    pressure: float


class Line(NamedTuple):
    """Draw a straight line to (x, y), mm; the pressure changes evenly to this one."""

    x: float
    y: float
    pressure: float


class Curve(NamedTuple):
    """Draw a quadratic Bezier curve to (x, y), mm; the pressure changes evenly, in the curve's parameter, to this one."""

    control_x: float
    control_y: float
    x: float
    y: float
    pressure: float


class Up(NamedTuple):
    """Raise the pen."""


class Dip(NamedTuple):
    """Go to a tray with the pen up, dip it, and raise it again; (x, y) in mm."""

    x: float
    y: float
    tray: str


class Park(NamedTuple):
    """Go to the resting place, pen up, mm."""

    x: float
    y: float


Event = Select | Pause | Begin | Travel | Down | Line | Curve | Up | Dip | Park
MOVES = (Travel, Line, Curve, Dip, Park)  # events with a place

"""The pens one has, and which of them comes nearest to the colour a stroke shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PIL import ImageColor

from spiral import checks
from spiral.color import Color, css_color
from spiral.errors import InputError
from spiral.program import Program

MIN_WIDTH, MAX_WIDTH = 0.02, 200.0  # mm
MIN_OPACITY = 0.001
MAX_NAME = 40  # characters
PALE = 0.05  # OKLab distance from the paper under which a stroke is as good as invisible


@dataclass(frozen=True)
class Pen:
    """A tool that leaves a mark.

    Attributes:
        color: a CSS colour: a name or ``#rrggbb``.
        name: shown to the person who changes pens; the colour where empty.
        width: of its line, for a brush when pressed fully, mm; None: as wide as each stroke says.
        opacity: 0..1, how much of what is beneath its ink covers; below 1 it is translucent.
        tray: name of the tray it is dipped in; empty for the tray of the pen's own name.
    """

    color: str
    name: str = ""
    width: float | None = None
    opacity: float = 1.0
    tray: str = ""

    def __post_init__(self):
        checks.text(self.name, "pen name", MAX_NAME)
        rgb_of(self.color)
        if self.width is not None:
            checks.number(self.width, "pen width (mm)", MIN_WIDTH, MAX_WIDTH)
        checks.number(self.opacity, "pen opacity", MIN_OPACITY, 1.0)
        if not self.name:
            object.__setattr__(self, "name", self.color)

    @property
    def rgb(self) -> Color:
        return rgb_of(self.color)


class Choice(NamedTuple):
    """A pen for a stroke: its index, None for a stroke as pale as the paper; and how far off its colour is (OKLab)."""

    pen: int | None
    error: float


def rgb_of(color: str) -> Color:
    """(red, green, blue) in 0..1 of a CSS colour.

    Raises:
        InputError: it is none.
    """
    try:
        levels = red, green, blue = ImageColor.getrgb(color)
        if max(levels) > 255:
            raise ValueError("Pillow passes rgb(300,0,0)")
    except (ValueError, AttributeError, TypeError):
        raise InputError(f"unknown colour {color!r:.60}; accepted: a CSS name like red, or #rrggbb") from None
    return red / 255, green / 255, blue / 255


def pens_given(text: str) -> tuple[Pen, ...]:
    """Pens as typed on the command line: ``black,red:0.5,#0055ff`` (colour, and after a colon the line's width in mm).

    Raises:
        InputError: one of them is no pen.
    """
    pens = []
    for one in text.split(","):
        color, colon, width = one.strip().partition(":")
        try:
            pens.append(Pen(color, width=float(width) if colon else None))
        except ValueError as error:
            reason = error if isinstance(error, InputError) else f"{width!r} is no width in mm"
            raise InputError(f"cannot read the pen {one!r:.60}: {reason}; write colour:width, like black:0.5") from None
    return tuple(pens)


def own_pens(program: Program) -> tuple[Pen, ...]:
    """A pen for every colour and opacity that a program paints with, in the order in which they first appear."""
    looks = dict.fromkeys((stroke.brush.color, stroke.brush.opacity) for stroke in program.strokes)
    return tuple(Pen(css_color(color), opacity=opacity) for color, opacity in looks if opacity > 0)


def shown(color: Color, opacity: float, background: Color) -> Color:
    """What a colour looks like over the paper."""
    return tuple(opacity * one + (1 - opacity) * below for one, below in zip(color, background, strict=True))


def choose_pen(color: Color, width: float, pens: Sequence[Pen], background: Color) -> Choice:
    """The pen whose line looks most like a stroke; of equally near colours the one nearest in width.

    Args:
        color: what the stroke shows over the paper (``shown``).
        width: of the stroke, mm.
        pens: those there are, at least one.
        background: of the paper.
    """

    def unlike(index: int) -> tuple[float, float]:
        pen = pens[index]
        error = color_distance(color, shown(pen.rgb, pen.opacity, background))
        return round(error, 6), abs((pen.width or width) - width)

    best = min(range(len(pens)), key=unlike)
    error, paleness = unlike(best)[0], color_distance(color, background)
    return Choice(None, paleness) if paleness < min(PALE, error) else Choice(best, error)


def color_distance(one: Color, other: Color) -> float:
    """How different two colours look: the distance in OKLab (Ottosson 2020), 0 for the same, 1 for black and white."""
    return math.dist(_oklab(one), _oklab(other))


def _oklab(color: Color) -> tuple[float, float, float]:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )

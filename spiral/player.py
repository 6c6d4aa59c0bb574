"""Marks drawn over time, as one HTML file that plays them in any browser, without a network."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from spiral.color import Color, css_color
from spiral.errors import InputError
from spiral.files import written_whole
from spiral.geometry import flatten
from spiral.pace import default_seconds, in_sides, stroke_ends
from spiral.program import Program

TOLERANCE = 1 / 4096  # of the shorter side; how far a curve's polyline may be off
PLACES = 20_000  # a side has at least so many places to put a point
TICKS = 10_000  # a second; times are whole numbers of these
TEMPLATE = Path(__file__).with_name("player.html")


class Mark(NamedTuple):
    """Something drawn from one moment to another.

    Attributes:
        points: (x, y, width) along the way, in picture units, x to the right, y down; at least one. What lies between
            two points is straight, and its width changes evenly.
        color: (red, green, blue), each in 0..1.
        opacity: 0..1, uniform over the mark.
        begin, end: seconds. In between, the mark is drawn from its first point on at an even speed.
        label: shown while it is drawn.
        travel: a move with the pen up: a thin dashed line over the picture, which the page can leave out.
    """

    points: Sequence[tuple[float, float, float]]
    color: Color
    opacity: float
    begin: float
    end: float
    label: str
    travel: bool = False


def player_html(
    marks: Iterable[Mark],
    width: float,
    height: float,
    background: Color,
    title: str,
    facts: Mapping[str, str] = {},
) -> str:
    """The page that plays these marks; equal marks give equal text, all of it ASCII.

    Args:
        marks: in order of time: none begins before the one before it has ended.
        width, height: of the picture, in its own units.
        background: (red, green, blue), each in 0..1.
        title: above the picture.
        facts: names and values for a table under the picture.

    Raises:
        InputError: a mark has no points, or begins before the one before it has ended.
    """
    marks = list(marks)
    _check_order(marks)
    template = TEMPLATE.read_text(encoding="ascii")
    scale = 10 ** max(0, math.ceil(math.log10(PLACES / max(width, height))))
    picture = {
        "width": width,
        "height": height,
        "background": css_color(background),
        "scale": scale,
        "ticks": TICKS,
        "marks": [_fields(mark, scale) for mark in marks],
    }
    rows = (f"<tr><th>{_escaped(name)}</th><td>{_escaped(value)}</td></tr>" for name, value in facts.items())
    filling = {
        "policy": _policy(template),
        "title": _escaped(title),
        "facts": "\n".join(rows),
        # No tag can end the script element early.
        "picture": json.dumps(picture, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
    }
    # In one pass, so that nothing filled in is taken for a place to fill.
    return re.sub(r"{{(\w+)}}", lambda place: filling[place[1]], template)


def program_player(program: Program, seconds: float | None = None, title: str = "Painting") -> str:
    """The page on which a program is painted, stroke by stroke at an even pace.

    Args:
        program: what to show.
        seconds: how long the painting takes; by the number of strokes where None.
        title: above the picture.
    """
    canvas = program.canvas
    facts = {
        "strokes": f"{len(program.strokes):,}",
        "canvas": f"{canvas.width} x {canvas.height} pixels",
        "environment": program.environment,
        "origin": program.origin,
        "seed": program.seed,
    }
    shown = {name: str(value) for name, value in facts.items() if value is not None}
    return player_html(
        _stroke_marks(program, default_seconds(program) if seconds is None else seconds),
        canvas.width,
        canvas.height,
        canvas.background,
        title,
        shown,
    )


def save_player(program: Program, path: str | os.PathLike, seconds: float | None = None) -> None:
    """Write `program_player`; its title is the file's name.

    Raises:
        InputError: the file cannot be written there.
    """
    page = program_player(program, seconds, Path(path).stem)
    with written_whole(path) as beside:
        beside.write_text(page, encoding="ascii")


def _stroke_marks(program: Program, seconds: float) -> Iterable[Mark]:
    unit = min(program.canvas.width, program.canvas.height)
    count, begin = len(program.strokes), 0.0
    for number, (stroke, end) in enumerate(zip(program.strokes, stroke_ends(program, seconds), strict=True), 1):
        line = flatten(*in_sides(stroke, program.canvas), TOLERANCE)
        width, (pressure0, pressure1) = unit * stroke.brush.width, stroke.brush.pressure
        grow = (pressure1 - pressure0) / (len(line) - 1)
        points = [(unit * x, unit * y, width * (pressure0 + k * grow)) for k, (x, y) in enumerate(line)]
        yield Mark(points, stroke.brush.color, stroke.brush.opacity, begin, end, f"stroke {number} of {count}")
        begin = end


def _check_order(marks: Sequence[Mark]) -> None:
    for i, mark in enumerate(marks):
        if not mark.points:
            raise InputError(f"mark {i} has no points; give at least one")
        ready = marks[i - 1].end if i else 0.0
        if not ready <= mark.begin <= mark.end:
            raise InputError(
                f"mark {i} must begin at {ready:g} s or later and not end before, got {mark.begin:g} to {mark.end:g} s"
            )


def _fields(mark: Mark, scale: int) -> list:
    """A mark as the page reads it: whole numbers, each place and width as its difference from the one before."""
    xs, ys, widths = (_steps(round(scale * value) for value in values) for values in zip(*mark.points, strict=True))
    return [
        *(round(TICKS * moment) for moment in (mark.begin, mark.end)),
        css_color(mark.color),
        round(mark.opacity, 4),
        mark.label,
        int(mark.travel),
        xs,
        ys,
        widths if any(widths[1:]) else widths[:1],
    ]


def _steps(values: Iterable[int]) -> list[int]:
    return [after - before for before, after in itertools.pairwise([0, *values])]


def _policy(template: str) -> str:
    """What the page may do: run its own script and show its own style, nothing else."""
    hashes = {}
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", template, re.DOTALL)
        digest = hashlib.sha256(text.encode("ascii")).digest()
        hashes[tag] = f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
    return (
        f"default-src 'none'; script-src {hashes['script']}; style-src {hashes['style']}; "
        "base-uri 'none'; form-action 'none'"
    )


def _escaped(text: str) -> str:
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")

"""From a program and a machine to a checked toolpath, with what must be said about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from spiral import checks
from spiral.color import css_color
from spiral.errors import InputError
from spiral.geometry import Point
from spiral.plotter.machine import Machine
from spiral.plotter.marks import Mark, check_on_canvas, clipped, place
from spiral.plotter.order import Change, ordered, picture_change
from spiral.plotter.page import frame_for
from spiral.plotter.passes import NARROW, ways_for
from spiral.plotter.pens import Pen, own_pens
from spiral.plotter.report import Report, report
from spiral.plotter.toolpath import Toolpath, draw
from spiral.plotter.writers import WRITERS
from spiral.program import Program
from spiral.words import counted

TOLERANCE = 0.05  # mm; how far a line may be from its curve
MAX_OWN_PENS = 16  # colours that a program may have where it is plotted with a pen for each
VISIBLE = 0.02  # OKLab distance; colours nearer than this look the same


@dataclass(frozen=True)
class Options:
    """How a program comes to paper; what is None is the machine's own.

    Attributes:
        page, landscape, margin, size: of the sheet and of the picture on it, see ``spiral.plotter.page``.
        pens: those to use instead of the machine's.
        width: what becomes of a stroke's width, see ``spiral.plotter.passes``.
        order: see ``spiral.plotter.order``.
        tolerance: mm; how far a line may be from its curve, 0.001..10.
        clip: cut strokes at the canvas's edge that leave it.
        first, last: numbers of the strokes to draw, in the order of drawing from 1; last None: to the end.
    """

    page: str | None = None
    landscape: bool | None = None
    margin: float | None = None
    size: float | None = None
    pens: tuple[Pen, ...] | None = None
    width: str = "line"
    order: str = "program"
    tolerance: float = TOLERANCE
    clip: bool = False
    first: int = 1
    last: int | None = None


class Plan(NamedTuple):
    """A toolpath ready to be written.

    Attributes:
        path: the toolpath, its curves as curves.
        flat: the same as lines; every move of it is inside the machine's work area.
        before: the figures in the program's own order; of a part, as planned too.
        after: the figures as planned.
        notes: what the person who plots should know, a sentence each.
        order: numbers of the program's strokes, from 0, in the order of drawing; with ``clip`` those of the parts left.
    """

    path: Toolpath
    flat: Toolpath
    before: Report
    after: Report
    notes: tuple[str, ...]
    order: tuple[int, ...]


def plan(program: Program, machine: Machine, options: Options | None = None) -> Plan:
    """Place a program on a machine's page, choose pens and order, and check every move.

    Raises:
        InputError: an option is not accepted, the picture does not fit the page, a move would leave the work area, or
            nothing is left to draw; the message says what to change.
    """
    options = options or Options()
    tolerance = checks.number(options.tolerance, "tolerance (mm)", 0.001, 10.0)
    strokes = clipped(program) if options.clip else program
    check_on_canvas(strokes)
    sheet = machine.sheet
    margin = sheet.margin if options.margin is None else options.margin
    page = machine.page(options.page, options.landscape)
    frame = frame_for(program.canvas, page, margin, options.size, sheet.at, sheet.y == "up")
    pens = _pens(options.pens or machine.pens, strokes, machine)
    placed = place(strokes, frame, pens)
    if not placed.marks:
        pale = (
            f": all {len(placed.left_out)} strokes are as pale as the paper, or without pressure"
            if placed.left_out
            else ""
        )
        raise InputError(f"the program draws nothing{pale}; choose another program or other pens")
    ways_of = ways_for(options.width, machine, pens, tolerance)

    def drawn(marks: Sequence[Mark]) -> tuple[Toolpath, Toolpath]:
        path = draw(program, machine, frame, pens, marks, ways_of)
        return path, path.flattened(tolerance)

    path, flat = drawn(placed.marks)
    before = after = report(flat)
    order = ordered(options.order, placed.marks, program, frame, pens, machine.park)
    notes = []
    if len(pens) > MAX_OWN_PENS and not (options.pens or machine.pens):
        notes.append(f"each of the program's {len(pens)} colours is a pen of its own here; --pens names those you have")
    if not all(machine.has(frame.on_machine(corner)) for corner in (Point(0.0, 0.0), Point(1.0, 1.0))):
        notes.append("the picture reaches beyond the machine's work area; what is drawn of it does not")
    own = list(range(len(order)))
    if order != own:
        other_path, other_flat = drawn([placed.marks[i] for i in order])
        if options.order == "colour" or other_flat.times[-1] < flat.times[-1]:
            path, flat, after = other_path, other_flat, report(other_flat)
            notes.append(_picture_note(picture_change(strokes, [placed.marks[i].stroke for i in order])))
        else:
            order = own
    if options.order == "safe" and order == own:
        notes.append("the safe order is no quicker here: the program's own order is kept")
    if (options.first, options.last) != (1, None):  # after the order is chosen: the rest must be that of the whole
        path = path.part(options.first, options.last)
        flat = path.flattened(tolerance)
        before = after = report(flat)
        order = order[options.first - 1 : options.last]
    flat.check_inside()
    drawn_marks, errors = ([values[i] for i in order] for values in (placed.marks, placed.errors))
    notes = [
        *_color_notes(drawn_marks, errors, strokes, pens),
        *_left_out_notes(placed.left_out),
        *_width_notes(drawn_marks, pens, options.width),
        *notes,
    ]
    return Plan(path, flat, before, after, tuple(notes), tuple(mark.stroke for mark in drawn_marks))


def _pens(pens: Sequence[Pen], program: Program, machine: Machine) -> tuple[Pen, ...]:
    if pens:
        return tuple(pens)
    own = own_pens(program)
    if len(own) > MAX_OWN_PENS and not WRITERS.get(machine.dialect).for_every_machine:
        raise InputError(
            f"the program paints with {len(own)} colours, and machine {machine.name} names no pens; say which you "
            "have, like --pens black,red,#0055ff"
        )
    return own


def _color_notes(
    marks: Sequence[Mark], errors: Sequence[float], program: Program, pens: Sequence[Pen]
) -> Iterator[str]:
    brushes = [program.strokes[mark.stroke].brush for mark in marks]
    off = [i for i, error in enumerate(errors) if error > VISIBLE]
    if off:
        worst = max(off, key=errors.__getitem__)
        mark, brush = marks[worst], brushes[worst]
        opacity = "" if brush.opacity == 1 else f" at opacity {brush.opacity:.2f}"
        yield (
            f"{counted(len(off), 'stroke')} in a colour no pen has: at worst {errors[worst]:.2f} off (0 the same, "
            f"1 black for white), stroke {mark.stroke + 1}, {css_color(brush.color)}{opacity} by pen {pens[mark.pen].name}"
        )
    pairs = zip(marks, brushes, strict=True)
    translucent = sum(brush.opacity < 1.0 <= pens[mark.pen].opacity for mark, brush in pairs)
    if translucent:
        yield f"{counted(translucent, 'translucent stroke')} drawn in opaque ink"


def _left_out_notes(left_out: Sequence[int]) -> Iterator[str]:
    if left_out:
        yield f"{counted(len(left_out), 'stroke')} left out: as pale as the paper, or without pressure"


def _width_notes(marks: Sequence[Mark], pens: Sequence[Pen], width: str) -> Iterator[str]:
    known = [(max(mark.widths), pens[mark.pen]) for mark in marks if pens[mark.pen].width]
    wide = [(widest, pen) for widest, pen in known if widest > NARROW * pen.width]
    thin = [(widest, pen) for widest, pen in known if NARROW * widest < pen.width]
    uneven = [mark for mark in marks if pens[mark.pen].width is None and mark.widths[0] != mark.widths[1]]
    if wide and width != "passes":
        most, pen = max(wide, key=lambda one: one[0])
        how = "only the middle is drawn" if width == "line" else "they come out narrower"
        yield (
            f"{counted(len(wide), 'stroke')} wider than the pen's line (at most {round(most, 2):g} mm, pen {pen.name} "
            f"{pen.width:g} mm): {how}; --width passes fills them"
        )
    if thin and width != "z":
        least, pen = min(thin, key=lambda one: one[0])
        yield (
            f"{counted(len(thin), 'stroke')} narrower than the pen's line (at least {round(least, 2):g} mm, pen {pen.name} "
            f"{pen.width:g} mm): they come out wider; a larger --size or a finer pen suits them"
        )
    if uneven:
        yield f"{counted(len(uneven), 'stroke')} of changing width drawn evenly, at the mean width"


def _picture_note(change: Change) -> str:
    if not change.pixels:
        return f"this order changes no pixel of the picture ({change.of:,} compared)"
    return (
        f"this order changes the picture: {change.pixels:,} of {change.of:,} pixels "
        f"({change.pixels / change.of:.1%}), at worst by {change.worst} of 255"
    )

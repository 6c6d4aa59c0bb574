"""In which order strokes are drawn. Order is content: what is painted later lies on top."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from spiral.errors import InputError
from spiral.geometry import flatten
from spiral.plotter.marks import Mark
from spiral.plotter.page import Frame
from spiral.plotter.pens import Pen
from spiral.program import Program, replay

ORDERS = ("program", "safe", "colour")
# Pixels of the canvas: two strokes further apart than the diagonal of a pixel share none. The rest is for the renderer,
# which may put a curve a fraction of a pixel beside its place.
CLEARANCE = math.sqrt(2.0) + 0.35
FLATTENED = 0.05  # pixels; how far a stroke's polyline may be off, contained in the clearance
MAX_PAIRS = 3_000_000  # of strokes that may overlap; pictures so dense have no order to gain


class Change(NamedTuple):
    """What an order does to the picture: how many of its pixels change, of how many, and by how much at worst (0..255)."""

    pixels: int
    of: int
    worst: int


def ordered(
    order: str,
    marks: Sequence[Mark],
    program: Program,
    frame: Frame,
    pens: Sequence[Pen],
    start: tuple[float, float] = (0.0, 0.0),
) -> list[int]:
    """Indices of marks in the order in which they are drawn.

    Args:
        order: ``"program"``: as painted. ``"safe"``: shorter ways and fewer pen changes, but strokes that come near each
            other keep their order, so that the picture stays the same to the last byte, at the canvas's own size and
            all larger ones. ``"colour"``: pen by pen, which changes what lies on top.
        marks: in the order of painting, at least one.
        program: for its canvas.
        frame: where that lies on the machine.
        pens: those the marks are drawn with.
        start: where the first pen comes from, mm.

    Raises:
        InputError: an unknown order.
    """
    if order == "program":
        return list(range(len(marks)))
    if order == "safe":
        return _safe(marks, frame.width / program.canvas.width, pens, start)
    if order == "colour":
        first_use = {pen: i for i, pen in enumerate(dict.fromkeys(mark.pen for mark in marks))}
        return sorted(range(len(marks)), key=lambda i: first_use[marks[i].pen])
    raise InputError(f"unknown order {order!r:.60}; accepted: {', '.join(ORDERS)}")


def picture_change(program: Program, strokes: Sequence[int]) -> Change:
    """What drawing a program's strokes in another order does to its picture, at the canvas's own size.

    Args:
        program: whose picture it is.
        strokes: the numbers of its strokes in the other order; those missing are drawn in neither picture.
    """
    pictures = [replay(_with_strokes(program, numbers)).astype(np.int16) for numbers in (sorted(strokes), strokes)]
    off = np.abs(pictures[0] - pictures[1]).max(axis=2)
    return Change(int(np.count_nonzero(off)), off.size, int(off.max()))


def _with_strokes(program: Program, numbers: Sequence[int]) -> Program:
    return dataclasses.replace(program, strokes=tuple(program.strokes[number] for number in numbers))


def _safe(marks: Sequence[Mark], pixel: float, pens: Sequence[Pen], at: tuple[float, float]) -> list[int]:
    """Always the nearest stroke that may be drawn now, of the pen in hand as long as there is one."""
    pairs = _near_pairs(marks, pixel, pens)
    if pairs is None:
        return list(range(len(marks)))
    waits = np.bincount(pairs[:, 1], minlength=len(marks))  # how many strokes must be drawn before each
    followers = np.split(pairs[:, 1], np.searchsorted(pairs[:, 0], np.arange(1, len(marks))))
    pen_of = np.array([mark.pen for mark in marks])
    starts, ends = (np.array([tuple(getattr(mark, name)) for mark in marks]) for name in ("start", "end"))
    ready = waits == 0
    left = Counter(pen_of[ready].tolist())  # strokes that may be drawn now, by pen
    pen, order = marks[0].pen, []
    while len(order) < len(marks):
        if not left[pen]:
            pen = max(left, key=left.get)
        candidates = np.flatnonzero(ready & (pen_of == pen))
        current = int(candidates[np.square(starts[candidates] - at).sum(axis=1).argmin()])
        order.append(current)
        at = ends[current]
        waits[followers[current]] -= 1
        freed = followers[current][waits[followers[current]] == 0]
        ready[current], ready[freed] = False, True
        left[pen] -= 1
        left.update(pen_of[freed].tolist())
    return order


def _near_pairs(marks: Sequence[Mark], pixel: float, pens: Sequence[Pen]) -> np.ndarray | None:
    """Pairs [n, 2] of indices, the earlier first and sorted by it, of strokes that may touch the same pixel.

    None where there are so many that an order is not worth looking for.
    """
    import shapely

    lines = np.array(
        [shapely.LineString(flatten(mark.start, mark.control, mark.end, FLATTENED * pixel)) for mark in marks]
    )
    # What is seen on the screen and what the pen leaves on paper, whichever is wider.
    widths = np.array([max(*mark.widths, pens[mark.pen].width or 0.0) for mark in marks])
    halves = (widths + CLEARANCE * pixel) / 2
    boxes = shapely.bounds(lines) + halves[:, None] * np.array([-1, -1, 1, 1])
    tree = shapely.STRtree(shapely.box(*boxes.T))
    found = []
    total = 0
    for first in range(0, len(marks), 256):
        part = np.arange(first, min(first + 256, len(marks)))
        rows, later = tree.query(tree.geometries[part])
        earlier = part[rows]
        keep = earlier < later
        earlier, later = earlier[keep], later[keep]
        total += len(earlier)
        if total > MAX_PAIRS:
            return None
        near = shapely.dwithin(lines[earlier], lines[later], halves[earlier] + halves[later])
        found.append(np.stack([earlier[near], later[near]], axis=1))
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]

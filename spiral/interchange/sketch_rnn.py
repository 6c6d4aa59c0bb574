"""Drawings as sketch-rnn (Ha and Eck 2017, arXiv 1704.03477) learns them: arrays of steps from point to point.

stroke-3 has ``dx, dy, lifted`` a row: where the pen goes from where it was, which is (0, 0) at first, and whether it is
lifted after that. stroke-5 has ``dx, dy`` and one 1 of three, ``down, up, end``; a row with ``end`` is no point, and nor
is what follows. Accepted are one drawing [L, 3 or 5], many of stroke-5 [N, L, 5], and many of stroke-3 [N, L, 3] with
an array ``lengths`` [N]; integers or floats. Published files hold pickled objects instead, which are refused.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from spiral.errors import InputError, ProgramError
from spiral.files import written_whole
from spiral.geometry import Point
from spiral.interchange.base import FORMATS, Drawing, Format, Losses
from spiral.interchange.polylines import Polyline, fits, fitted, polylines_of, program_of, whole_units
from spiral.interchange.stored_array import StoredArray, stored_arrays

SIDE = 256  # units
FARTHEST = 1e6  # units
MAX_ARRAY_BYTES = 2**30
END = (0, 0, 0, 0, 1)


@FORMATS.register("sketch-rnn")
class SketchRnn(Format):
    """sketch-rnn's stroke-3 and stroke-5 as plain arrays, many drawings in a file (.npz, .npy)."""

    suffixes = (".npz", ".npy")

    def records(self, path):
        with stored_arrays(path) as arrays:
            lengths = arrays.pop("lengths", None)
            if len(arrays) != 1:
                names = ", ".join(arrays) or "none"
                raise ProgramError(f"{path}: it must hold one array of strokes, and lengths if need be, got {names}")
            [strokes] = arrays.values()
            shape = _shape(strokes, lengths is not None)
            counts = _lengths(lengths, shape) if lengths else itertools.repeat(shape[1])
            for steps, count in zip(strokes.rows(shape), counts, strict=False):
                yield steps[:count]

    def drawing(self, record, name, pen_width):
        losses = Losses()
        polylines = _polylines(record.astype(np.float64))
        if not fits(polylines, SIDE):
            polylines = fitted(polylines, SIDE, losses)
        return Drawing(program_of(polylines, SIDE, name, pen_width, losses), losses)

    def write(self, programs, path):
        losses = Losses()
        array = _padded(
            [_steps(whole_units(polylines_of(program, SIDE, losses), SIDE, losses)) for program in programs]
        )
        with written_whole(path) as beside, beside.open("wb") as file:
            if path.suffix.lower() == ".npy":
                np.save(file, array)
            else:
                np.savez_compressed(file, strokes=array)
        return losses


def _shape(strokes: StoredArray, has_lengths: bool) -> tuple[int, int, int]:
    """N, L, 3 or 5."""
    shape = (1, *strokes.shape) if len(strokes.shape) == 2 else strokes.shape
    if len(shape) != 3 or shape[2] not in (3, 5) or (shape[1] == 0 and shape[0] > 1):
        raise ProgramError(f"{strokes.where}: shape must be [L, 3 or 5] or [N, L, 3 or 5], got {list(strokes.shape)}")
    if len(strokes.shape) == 3 and shape[2] == 3 and not has_lengths:
        raise ProgramError(
            f"{strokes.where}: many drawings of stroke-3 need an array 'lengths' beside them; or give stroke-5"
        )
    return shape


def _lengths(lengths: StoredArray, shape: tuple[int, int, int]) -> np.ndarray:
    if lengths.dtype.kind not in "iu" or lengths.shape != shape[:1]:
        got = f"{lengths.dtype} {list(lengths.shape)}"
        raise ProgramError(f"{lengths.where}: it must be a whole number for each of {shape[0]} drawings, got {got}")
    [counts] = lengths.rows((1, *lengths.shape))
    if counts.min(initial=0) < 0 or counts.max(initial=0) > shape[1]:
        raise ProgramError(
            f"{lengths.where}: lengths must be from 0 to {shape[1]}, got {counts.min()} to {counts.max()}"
        )
    return counts


def _polylines(steps: np.ndarray) -> list[Polyline]:
    """Those of one drawing, float64 [L, 3 or 5]."""
    if steps.shape[1] == 5:
        ends = np.flatnonzero(steps[:, 4] == 1.0)
        steps = steps[: ends[0]] if len(ends) else steps
    moves, pens = steps[:, :2], steps[:, 2:]
    known = np.isin(pens, (0.0, 1.0)).all(axis=1) & ((pens.shape[1] == 1) | (pens.sum(axis=1) == 1.0))
    if not known.all():
        step = int(known.argmin())
        wanted = "0 or 1" if pens.shape[1] == 1 else "one 1 of down, up, end"
        raise ProgramError(f"step {step}: the pen must be {wanted}, got {pens[step].tolist()}")
    with np.errstate(all="ignore"):
        points = np.cumsum(moves, axis=0)
    near = (np.abs(points) <= FARTHEST).all(axis=1)
    if not near.all():
        step = int(near.argmin())
        raise ProgramError(f"step {step} must lead to a point within {FARTHEST:g} units, got {points[step].tolist()}")
    lifted = pens[:, -1] if pens.shape[1] == 1 else pens[:, 1]
    lines = np.split(points, np.flatnonzero(lifted) + 1)
    return [[Point(*point) for point in line.tolist()] for line in lines if len(line)]


def _steps(polylines: list[list[tuple[int, int]]]) -> np.ndarray:
    """stroke-5 of one drawing without its end, int16 [L, 5]."""
    points = np.array([point for polyline in polylines for point in polyline], np.int16).reshape(-1, 2)
    steps = np.zeros((len(points), 5), np.int16)
    steps[:, :2] = np.diff(points, axis=0, prepend=np.int16([[0, 0]]))
    steps[:, 2] = 1
    lasts = np.cumsum([len(polyline) for polyline in polylines], dtype=int) - 1
    steps[lasts, 2:4] = 0, 1
    return steps


def _padded(drawings: list[np.ndarray]) -> np.ndarray:
    """All of them with their ends, int16 [N, L, 5]."""
    shape = (len(drawings), max(map(len, drawings)) + 1, 5)
    size = 2 * math.prod(shape)
    if size > MAX_ARRAY_BYTES:
        raise InputError(
            f"{shape[0]:,} drawings, each padded to the {shape[1]:,} points of the longest, take {size // 1000:,} kB, "
            f"more than {MAX_ARRAY_BYTES // 1000:,}; write fewer to a file"
        )
    padded = np.full(shape, END, np.int16)
    for row, steps in zip(padded, drawings, strict=True):
        row[: len(steps)] = steps
    return padded

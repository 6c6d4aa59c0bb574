"""From files of drawings to a file or a folder of drawings: the wiring of ``spiral convert``."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from spiral import checks
from spiral.errors import InputError
from spiral.files import refuse_to_overwrite
from spiral.interchange import Drawing, Losses, format_of, load_drawings, save_programs
from spiral.program import MAX_STROKES, begun
from spiral.program_folder import save_folder
from spiral.words import counted

MAX_COUNT = 10_000  # all are in memory at once; published files have a hundred thousand


class Conversion(NamedTuple):
    """What was written, and what should be known of it; each a line to print."""

    written: str
    notes: list[str]


def convert(
    inputs: Sequence[str | os.PathLike],
    output: str | os.PathLike,
    number: int | None,
    count: int,
    pen_width: float,
    strokes: int | None = None,
) -> Conversion:
    """Read drawings from files and write them to one file, or to a folder as stroke programs and a sheet of them.

    All are read before any is written.

    Args:
        inputs: files; their suffixes say their formats.
        output: a file, whose suffix says its format; without a suffix, a folder.
        number: only this drawing, from 0, of the one input; None: all.
        count: at most so many drawings altogether, 1..10,000.
        pen_width: of strokes whose format has no widths, as a fraction of the canvas's side.
        strokes: only so many of each drawing, the first; None: all.

    Raises:
        InputError: an input cannot be read, or the output cannot be written or does not hold so many drawings.
    """
    checks.integer(count, "-n", 1, MAX_COUNT)
    if strokes is not None:
        checks.integer(strokes, "--strokes", 0, MAX_STROKES)
    refuse_to_overwrite(inputs, [output])
    to_folder = not Path(output).suffix or Path(output).is_dir()
    if to_folder and any(Path(path).resolve().parent == Path(output).resolve() for path in inputs):
        raise InputError(f"{output} is the folder of what is read, whose files would be mixed; give another folder")
    to_one = not to_folder and format_of(output).holds_one
    drawings = list(itertools.islice(_drawings(inputs, number, pen_width), min(count, 2) if to_one else count))
    if to_one and len(drawings) > 1:
        raise InputError(
            f"cannot write {output}: such a file holds one drawing, and there are more; "
            "choose one with --drawing N, or give a folder"
        )
    programs = [drawing.program for drawing in drawings]
    if strokes is not None:
        programs = [begun(program, strokes) for program in programs]
    losses = Losses()
    for drawing in drawings:
        losses.update(drawing.losses)
    if to_folder:
        written = save_folder(programs, output)
    else:
        losses.update(save_programs(programs, output))
        written = f"wrote {output}: {counted(len(programs), 'drawing')}"
    notes = losses.sentences()
    if number is None and len(drawings) == count:
        notes.append(
            f"stopped after {counted(count, 'drawing')}, as many as asked for; if there are more, -n N reads them"
        )
    return Conversion(written, notes)


def _drawings(inputs: Sequence[str | os.PathLike], number: int | None, pen_width: float) -> Iterator[Drawing]:
    if number is None:
        return itertools.chain.from_iterable(load_drawings(path, pen_width=pen_width) for path in inputs)
    if len(inputs) != 1:
        raise InputError(f"--drawing chooses from one file, got {len(inputs)} files")
    return itertools.islice(load_drawings(inputs[0], number, pen_width), 1)

"""Drawings in the formats other people have, read and written as stroke programs; one format per file.

What a format cannot say is lost, and that is said: see `Losses`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spiral import checks
from spiral.errors import InputError, ProgramError
from spiral.interchange.base import FORMATS, Drawing, Format, Losses
from spiral.interchange.polylines import PEN_WIDTH
from spiral.program import Program
from spiral.stroke import MAX_WIDTH

__all__ = [
    "FORMATS",
    "Drawing",
    "Format",
    "Losses",
    "format_of",
    "load_drawing",
    "load_drawings",
    "load_program",
    "save_programs",
]


def format_of(path: str | os.PathLike) -> Format:
    """The format of a file by its suffix.

    Raises:
        InputError: no such suffix; the message lists the accepted ones.
    """
    suffix = Path(path).suffix.lower()
    kinds = [FORMATS.get(name) for name in FORMATS.names()]
    known = {name: kind for kind in kinds for name in kind.suffixes}
    if suffix not in known:
        raise InputError(f"unknown format of {path}: suffix {suffix!r}; accepted: {', '.join(known)}")
    return known[suffix]()


def load_drawings(path: str | os.PathLike, first: int = 0, pen_width: float = PEN_WIDTH) -> Iterator[Drawing]:
    """The drawings of a file, one by one and read no further than asked.

    Args:
        path: the suffix says the format.
        first: which to begin with, from 0; those before it are skipped unread.
        pen_width: of strokes whose format has no widths; a fraction of the canvas's side, above 0, at most 2.

    Raises:
        ProgramError: the file cannot be read, is none of its format, or has no drawing ``first``; the message names
            the file, and the drawing and field that are wrong.
        InputError: an argument is out of range, or no format has such a suffix.
    """
    path = Path(path)
    checks.integer(first, "the drawing's number", 0, 10**9)
    checks.number(pen_width, "the pen's width", 0.0, MAX_WIDTH, low_included=False)
    if path.is_dir():
        raise ProgramError(f"cannot read {path}: it is a folder; give files, like {path}/*.json")
    if not path.exists():  # whatever its suffix
        raise ProgramError(f"cannot read {path}: No such file or directory")
    kind = format_of(path)
    count = 0
    try:
        for count, record in enumerate(kind.records(path), 1):
            if count > first:
                yield _drawing(kind, record, path, count - 1, pen_width)
    except OSError as error:
        raise ProgramError(f"cannot read {path}: {error.strerror or error}") from None
    if not count:
        raise ProgramError(f"{path} holds no drawings")
    if count <= first:
        raise ProgramError(f"{path} has no drawing {first}: it holds {count:,}, counted from 0")


def load_drawing(path: str | os.PathLike, number: int | None = None) -> Drawing:
    """Drawing ``number``, from 0, of a file; errors as of `load_drawings`.

    Where no number is given it is the first, and if there are more that counts among the losses.
    """
    drawings = load_drawings(path, number or 0)
    drawing = next(drawings)
    if number is None and _has_more(drawings):
        drawing.losses.count("files of several drawings, of which the first is taken (--drawing N takes another)")
    return drawing


def _has_more(drawings: Iterator[Drawing]) -> bool:
    try:
        return next(drawings, None) is not None
    except ProgramError:
        return True  # one that cannot be read is one more


def load_program(path: str | os.PathLike, number: int = 0) -> Program:
    """Drawing ``number``, from 0, of a file as a program; errors as of `load_drawings`."""
    return load_drawing(path, number).program


def save_programs(programs: Sequence[Program], path: str | os.PathLike) -> Losses:
    """Write programs as drawings to one file, and say what of them is lost there.

    Raises:
        InputError: no format has such a suffix, a file of it does not hold so many, or it cannot be written there.
    """
    kind = format_of(path)
    if not programs or (kind.holds_one and len(programs) > 1):
        wanted = "exactly one drawing" if kind.holds_one else "at least one drawing"
        raise InputError(f"cannot write {path}: such a file holds {wanted}, got {len(programs):,}")
    return kind.write(programs, Path(path))


def _drawing(kind: Format, record: Any, path: Path, number: int, pen_width: float) -> Drawing:
    name = path.name if kind.holds_one else f"{path.name}, drawing {number}"
    try:
        return kind.drawing(record, name, pen_width)
    except InputError as error:
        raise ProgramError(f"{path}: {'' if kind.holds_one else f'drawing {number}: '}{error}") from None

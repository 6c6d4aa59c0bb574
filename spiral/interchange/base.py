"""What a format of drawings is: how one lies in a file, and what is lost on the way in and out."""

from __future__ import annotations

import abc
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spiral.program import Program
from spiral.registry import Registry

FORMATS = Registry("format", "spiral.interchange")
MAX_DRAWING_BYTES = 8 * 2**20  # of one drawing in a file of points


class Losses(Counter[str]):
    """What a conversion did not keep, in words, and how often that happened: empty where all was kept."""

    def count(self, what: str, times: int = 1) -> None:
        if times:
            self[what] += times

    def sentences(self) -> list[str]:
        return [f"{what}: {count:,}" for what, count in self.items()]


class Drawing(NamedTuple):
    """A drawing as a program, and what that does not keep of it."""

    program: Program
    losses: Losses


class Format(abc.ABC):
    """A kind of file that holds drawings.

    Attributes:
        suffixes: of its files, in lower case with the dot; no two formats have one in common.
        holds_one: a file is one drawing, not many.
    """

    suffixes: tuple[str, ...]
    holds_one = False

    @abc.abstractmethod
    def records(self, path: Path) -> Iterator[Any]:
        """The drawings as they lie in the file, read no further than asked, so that skipping one is quick.

        Raises:
            OSError: the file cannot be read.
            ProgramError: it is no such file; the message begins with the path.
        """

    @abc.abstractmethod
    def drawing(self, record: Any, name: str, pen_width: float) -> Drawing:
        """One of `records` as a program.

        Args:
            record: as it lies in the file.
            name: what to call it in the program's origin.
            pen_width: of the strokes, where the format has none; a fraction of the canvas's side.

        Raises:
            InputError: it is no such drawing; the message names the field.
        """

    @abc.abstractmethod
    def write(self, programs: Sequence[Program], path: Path) -> Losses:
        """Write a file with these drawings, exactly one of them where it `holds_one`; equal programs, equal bytes.

        Raises:
            InputError: they do not fit, or the file cannot be written there.
        """

"""A GRBL G-code file of ``spiral export``, read for sending: every line checked, and what its comments tell."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spiral import checks
from spiral.errors import InputError
from spiral.files import read_text

MAX_FILE_BYTES = 64 * 2**20
MAX_LINE = 79  # characters; GRBL's own buffer has 80, one of them for the end
PAUSE = "M0"  # never sent: the person at the keyboard is asked instead

NUMBER = r"-?\d+(?:\.\d+)?"
# Every command that the exporter writes for GRBL. Nothing else is sent, since nothing else can be resumed.
COMMAND = re.compile(
    rf"G0(?: [XYZ]{NUMBER})+|G1(?: [XYZF]{NUMBER})+|G4 P{NUMBER}|M3 S{NUMBER}|G21|G90|G94|{PAUSE}", re.ASCII
)
COMMENT = re.compile(r"\(([^()]*)\)")
HEADER = re.compile(r"spiral-painter, machine (.*)")
SECONDS = r"(\d+(?:\.\d+)?) s"
ESTIMATE = re.compile(rf"estimate {SECONDS}", re.ASCII)
STROKE = re.compile(rf"stroke (\d+) at {SECONDS}", re.ASCII)
END = re.compile(rf"end at {SECONDS}", re.ASCII)


class Line(NamedTuple):
    """One command.

    Attributes:
        text: as it is sent.
        number: of its line in the file, from 1.
        stroke: number of the stroke it belongs to, or leads to; 0 before the first, one more than the last at the end.
        pen: the pen in the holder, as the file names it.
        note: what a person has to do, for a pause.
        dips: whether it is part of giving the pen fresh paint.
        seconds: when it begins, by the file's estimate.
    """

    text: str
    number: int
    stroke: int = 0
    pen: str = ""
    note: str = ""
    dips: bool = False
    seconds: float = 0.0

    @property
    def moves(self) -> bool:
        return self.text.startswith(("G0", "G1"))

    @property
    def dwell(self) -> float:
        """Seconds the machine stands still for it."""
        return float(self.text.removeprefix("G4 P")) if self.text.startswith("G4") else 0.0


@dataclass(frozen=True)
class GcodeFile:
    """What a file has the plotter do.

    Attributes:
        path: of the file.
        machine: name of the machine it was written for.
        seconds: that drawing it takes, by its estimate.
        lines: the commands, in order.
        setup: how many of them come first, before the page is touched: units, and the pen up.
        begins: by number of a stroke, the index of its first line.
        park: index of the first line after the drawing; those from there on take the pen home.
    """

    path: Path
    machine: str
    seconds: float
    lines: tuple[Line, ...]
    setup: int
    begins: dict[int, int]
    park: int

    @classmethod
    def load(cls, path: str | os.PathLike) -> GcodeFile:
        """Read a file whole.

        Raises:
            InputError: it cannot be read, or a line is nothing that `spiral export` writes for GRBL; the message names
                file and line.
        """
        text = read_text(path, "a G-code file", MAX_FILE_BYTES)
        try:
            return _Reader(Path(path)).read(text)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    @property
    def first(self) -> int:
        """Number of the first stroke."""
        return next(iter(self.begins))

    @property
    def last(self) -> int:
        """Number of the last stroke."""
        return next(reversed(self.begins))

    @property
    def pens(self) -> tuple[str, ...]:
        """The pens in the order of their first use."""
        return tuple(dict.fromkeys(line.pen for line in self.lines if line.pen))

    def from_stroke(self, stroke: int) -> tuple[Line, ...]:
        """What draws the strokes from this one on, exactly as the whole file does, with the pen anywhere at first.

        It raises the pen, gives a brush fresh paint, goes to where the stroke begins, and lowers the pen if the stroke
        goes on from the one before it. If people change pens, the right one is asked for first.

        Raises:
            InputError: the file has no such stroke.
        """
        checks.integer(stroke, "--from", self.first, self.last)
        start = self.begins[stroke]
        before, first = self.lines[:start], self.lines[start]
        setup = self.lines[: self.setup]
        ready = [*setup, *self._pen_asked_for(first), *_last_dip(before, first.pen)]
        ready += [first._replace(text=text) for text in _Hand(setup).way_to(_Hand(before), first)]
        ready = [line._replace(stroke=stroke, seconds=first.seconds) for line in ready]
        return (*ready, *self.lines[start:])

    def _pen_asked_for(self, first: Line) -> list[Line]:
        """A pause to put in the pen of this line; none where there is one pen only."""
        if not any(line.text == PAUSE for line in self.lines):
            return []
        return [self.lines[0]._replace(text=PAUSE, note=f"put {first.pen} in the holder")]

    def way_home(self) -> tuple[Line, ...]:
        """What raises the pen wherever it is, and takes it home."""
        return (*self.lines[: self.setup], *self.lines[self.park :])


def unfinished(lines: Sequence[Line], answered: int, planned: int) -> int:
    """Number of the first stroke that may not be on the paper to its end: one too early rather than too late.

    Args:
        lines: those to send.
        answered: how many of them the plotter has answered.
        planned: how many moves it may have answered, but not made yet.
    """
    since_dwell = itertools.takewhile(lambda line: not line.dwell, reversed(lines[:answered]))  # a dwell waits for all
    waiting = [line for line in since_dwell if line.moves][:planned]
    return min(line.stroke for line in (*waiting, lines[min(answered, len(lines) - 1)]))


def _last_dip(lines: Sequence[Line], pen: str) -> list[Line]:
    """The lines that gave this pen its last paint; none for a pen with ink."""
    since_change = itertools.takewhile(lambda line: line.pen == pen, reversed(lines))
    from_last = itertools.dropwhile(lambda line: not line.dips, since_change)
    return list(itertools.takewhile(lambda line: line.dips, from_last))[::-1]


class _Hand:
    """What some lines leave in force: the last word of each letter, and how the pen was set."""

    def __init__(self, lines: Iterable[Line]):
        self.words: dict[str, str] = {}
        self.servo: list[str] = []  # the last M3, and the G4 after it
        self.lift_feed = ""  # the speed along z
        for line in lines:
            command, *words = line.text.split()
            if line.moves:
                self.words |= {word[0]: word for word in words}
                if {word[0] for word in words} <= {"Z", "F"}:
                    self.lift_feed = self.words.get("F", "")
            elif command == "M3":
                self.servo = [line.text]
            elif command == "G4" and len(self.servo) == 1:
                self.servo.append(line.text)

    def way_to(self, other: _Hand, first: Line) -> Iterable[str]:
        """Commands from here, pen up, to the other state, of which ``first`` is the next command."""
        if not re.match(r"G0 X\S+ Y", first.text) and {"X", "Y"} <= other.words.keys():  # else it goes there itself
            yield f"G0 {other.words['X']} {other.words['Y']}"
        if other.servo[:1] != self.servo[:1]:
            yield from other.servo
        if other.words.get("Z") != self.words.get("Z"):
            yield f"G1 {other.words['Z']} {other.lift_feed}".rstrip()
        if "F" in other.words:
            yield other.words["F"]


class _Reader:
    """Goes through a file once."""

    def __init__(self, path: Path):
        self._path = path
        self._lines: list[Line] = []
        self._times = [(0, 0.0)]  # how many lines come before it, and when it is, for every comment that tells
        self._begins: dict[int, int] = {}
        self._setup = self._park = self._estimate = None
        self._stroke = 0
        self._dip = 0  # how many lines come before the last dip
        self._next = Line("", 0)  # with what the comments say of the lines to come

    def read(self, text: str) -> GcodeFile:
        header, *rows = text.replace("\r\n", "\n").split("\n")
        if header.startswith(";"):
            raise InputError(
                "this is G-code for Marlin; spiral plot drives GRBL: export for a machine such as grbl-servo"
            )
        comment = COMMENT.fullmatch(header)
        machine = comment and HEADER.fullmatch(comment[1])
        if not machine:
            raise InputError(
                "not G-code of spiral export: it does not begin with (spiral-painter, machine ...); spiral plot draws only "
                "that: spiral export PROGRAM -o FILE.gcode --machine grbl-servo"
            )
        for number, row in enumerate(rows, 2):
            if comment := COMMENT.fullmatch(row):
                self._comment(comment[1], number)
            elif row:
                self._command(row, number)
        for missing, found in (("estimate", self._estimate), ("stroke", self._stroke or None), ("end", self._park)):
            if found is None:
                raise InputError(f"not the whole file: it has no ({missing} ...); export it again")
        self._times.append((len(self._lines), self._estimate))
        seconds = np.interp(range(len(self._lines)), *zip(*self._times, strict=True)).tolist()
        lines = tuple(line._replace(seconds=at) for line, at in zip(self._lines, seconds, strict=True))
        return GcodeFile(self._path, machine[1], self._estimate, lines, self._setup, self._begins, self._park)

    def _comment(self, text: str, number: int) -> None:
        here, kind = len(self._lines), text.partition(" ")[0]
        self._next = self._next._replace(dips=kind == "dip", note="")
        if self._setup is None and kind in ("stroke", "dip", "pause:"):
            self._setup = here
        if self._stroke and kind in ("pen", "pause:", "end"):
            self._next = self._next._replace(stroke=self._stroke + 1)  # that stroke is over
        if kind == "pen":
            self._next = self._next._replace(pen=text)
        elif kind == "pause:":
            self._next = self._next._replace(note=text.removeprefix("pause: "))
        elif kind == "dip":
            self._dip = here
        elif stroke := STROKE.fullmatch(text):
            self._begin(int(stroke[1]), number)
            self._times.append((here, float(stroke[2])))
        elif end := END.fullmatch(text):
            self._park = here
            self._times.append((here, float(end[1])))
        elif estimate := ESTIMATE.fullmatch(text):
            self._estimate = float(estimate[1])

    def _begin(self, stroke: int, number: int) -> None:
        if stroke == 0 or (self._stroke and stroke != self._stroke + 1):
            raise InputError(f"line {number}: stroke {stroke} follows stroke {self._stroke}; export the file again")
        self._stroke = stroke
        self._begins[stroke] = len(self._lines)
        self._next = self._next._replace(stroke=stroke)

    def _command(self, text: str, number: int) -> None:
        if len(text) > MAX_LINE:
            raise InputError(f"line {number} has {len(text)} characters; GRBL reads lines of at most {MAX_LINE}")
        if not COMMAND.fullmatch(text):
            raise InputError(f"line {number}: {text!r} is nothing that spiral export writes for GRBL; export it again")
        if self._next.dips and text.startswith("G0") and len(self._lines) > self._dip:
            self._next = self._next._replace(dips=False)  # away from the tray again
        self._lines.append(self._next._replace(text=text, number=number))

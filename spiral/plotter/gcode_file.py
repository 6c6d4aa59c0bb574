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

MAX_FILE_BYTES = 256 * 2**20
MAX_LINE = 79  # characters; GRBL's own buffer has 80, one of them for the end
PAUSE = "M0"  # never sent: the person at the keyboard is asked instead

NUMBER = r"-?\d+(?:\.\d+)?"
# Every command that the exporter writes for GRBL; nothing else can be resumed, so nothing else is sent.
COMMAND = re.compile(
    rf"G0(?: [XYZ]{NUMBER})+|G1(?: [XYZF]{NUMBER})+|G4 P{NUMBER}|M3 S{NUMBER}|G21|G90|G94|{PAUSE}", re.ASCII
)
COMMENT = re.compile(r"\(([^()]*)\)")
HEADER = re.compile(r"spiral-painter, machine (.*)")
SECONDS = r"(\d+(?:\.\d+)?) s"
ESTIMATE = re.compile(rf"estimate {SECONDS}", re.ASCII)
STROKE = re.compile(rf"stroke (\d+) at {SECONDS}", re.ASCII)
END = re.compile(rf"end at {SECONDS}", re.ASCII)
PEN = re.compile(r"pen \d+: .*", re.ASCII)


class Line(NamedTuple):
    """One command.

    Attributes:
        text: as it is sent.
        number: of its line in the file, from 1.
        stroke: the number of the stroke that is not complete without it; 0 before the first.
        pen: the pen in the holder, as the file names it.
        note: what a person has to do, for a pause.
        seconds: when it begins, by the file's estimate.
    """

    text: str
    number: int
    stroke: int = 0
    pen: str = ""
    note: str = ""
    seconds: float = 0.0

    @property
    def is_move(self) -> bool:
        return self.text.startswith(("G0", "G1"))

    @property
    def dwell(self) -> float:
        """Seconds the machine stands still for it."""
        return float(self.text[4:]) if self.text.startswith("G4 P") else 0.0


@dataclass(frozen=True)
class GcodeFile:
    """What a file has the plotter do.

    Attributes:
        path: of the file.
        machine: the name of the machine it was written for.
        seconds: that drawing it takes, by its estimate.
        lines: the commands, in order.
        setup: how many of them come before anything moves over the page: units, and the pen up.
        begins: by number of a stroke, the index of its first line.
        dips: by number of a stroke, the lines that last gave its pen fresh paint before it; none for a pen with ink.
        park: index of the first line after the drawing, which takes the pen home.
    """

    path: Path
    machine: str
    seconds: float
    lines: tuple[Line, ...]
    setup: int
    begins: dict[int, int]
    dips: dict[int, tuple[Line, ...]]
    park: int

    @classmethod
    def load(cls, path: str | os.PathLike) -> GcodeFile:
        """Read a file whole.

        Raises:
            InputError: it cannot be read, or a line is nothing that `spiral export` writes for GRBL; the message names
                file and line.
        """
        path = Path(path)
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
            if len(data) > MAX_FILE_BYTES:
                raise InputError(f"larger than {MAX_FILE_BYTES // 2**20} MiB, the most a G-code file may have")
            return _Reader(path).read(data.decode("utf-8"))
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise InputError(f"{path}: not G-code: not a text file") from None
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    @property
    def first(self) -> int:
        """Number of the first stroke."""
        return min(self.begins)

    @property
    def last(self) -> int:
        """Number of the last stroke."""
        return max(self.begins)

    @property
    def pens(self) -> tuple[str, ...]:
        """The pens in the order of their first use."""
        return tuple(dict.fromkeys(line.pen for line in self.lines if line.pen))

    def rest(self, stroke: int) -> tuple[Line, ...]:
        """What draws the strokes from this one on, exactly as the whole file does, beginning with the pen up anywhere.

        It begins as the file does, gives a brush fresh paint, goes to where the stroke begins and lowers the pen if
        the stroke goes on from the one before it. With several pens the right one is asked for first.

        Raises:
            InputError: the file has no such stroke.
        """
        checks.integer(stroke, "--from", self.first, self.last)
        start = self.begins[stroke]
        first = self.lines[start]
        texts = _Hand(self.lines[: self.setup]).ways_to(_Hand(self.lines[:start]), first)
        ready = [*self.lines[: self.setup], *self.dips[stroke], *(first._replace(text=text, note="") for text in texts)]
        if len(self.pens) > 1:
            ready.insert(0, first._replace(text=PAUSE, note=f"put {first.pen} in the holder"))
        ready = [line._replace(stroke=stroke, seconds=first.seconds) for line in ready]
        return (*ready, *self.lines[start:])

    def pen_up(self) -> tuple[Line, ...]:
        """What raises the pen, whatever came before, and takes it home."""
        return (*self.lines[: self.setup], *self.lines[self.park :])


def unfinished(lines: Sequence[Line], answered: int, planned: int) -> int:
    """Number of the first stroke that may not be on the paper to its end; one too early rather than too late.

    Args:
        lines: what was sent.
        answered: how many of them the plotter has answered.
        planned: of how many moves it may have answered before they are over.
    """
    moves = itertools.takewhile(lambda line: line.dwell == 0.0, reversed(lines[:answered]))  # a dwell waits for all
    waiting = [line for line in moves if line.is_move][:planned]
    following = lines[answered : answered + 1] or lines[-1:]
    return min(line.stroke for line in (*waiting, *following))


class _Hand:
    """What the lines so far have left in force: by letter the last word, and how the pen was set."""

    def __init__(self, lines: Iterable[Line]):
        self.words: dict[str, str] = {}
        self.servo: list[str] = []  # the last M3, and the G4 after it
        self.lift_feed = ""
        for line in lines:
            command, *words = line.text.split()
            if line.is_move:
                self.words |= {word[0]: word for word in words}
                if not {"X", "Y"} & {word[0] for word in words}:
                    self.lift_feed = self.words.get("F", "")
            elif command == "M3":
                self.servo = [line.text]
            elif command == "G4" and len(self.servo) == 1:
                self.servo.append(line.text)

    def ways_to(self, other: _Hand, first: Line) -> list[str]:
        """Commands from here, pen up, to the other state, of which ``first`` is the first command."""
        texts = []
        if not re.match("G0 X.* Y", first.text):  # else it goes there itself
            texts.append(" ".join(["G0", *(other.words[axis] for axis in "XY" if axis in other.words)]))
        if other.servo[:1] != self.servo[:1]:
            texts += other.servo
        if other.words.get("Z") != self.words.get("Z"):
            texts.append(f"G1 {other.words['Z']} {other.lift_feed}")
        return [*texts, other.words["F"]] if "F" in other.words else texts


class _Reader:
    """Goes through a file once."""

    def __init__(self, path: Path):
        self._path = path
        self._lines: list[Line] = []
        self._begins: dict[int, int] = {}
        self._dips: dict[int, tuple[Line, ...]] = {}
        self._times = [(0, 0.0)]  # (lines before it, seconds), as far as comments say
        self._setup: int | None = None
        self._park: int | None = None
        self._estimate: float | None = None
        self._stroke = 0
        self._pen = self._note = ""
        self._dip: tuple[int, int] | None = None  # first and one past the last line that dipped this pen
        self._dipping = False

    def read(self, text: str) -> GcodeFile:
        head, *rows = text.replace("\r\n", "\n").split("\n")
        if head.startswith(";"):
            raise InputError(
                "this is Marlin's G-code; spiral plot drives GRBL, so export for such a machine: grbl-servo"
            )
        header = COMMENT.fullmatch(head)
        machine = header and HEADER.fullmatch(header[1])
        if not machine:
            raise InputError("not a G-code file of spiral export: it does not begin with (spiral-painter, machine ...)")
        for number, row in enumerate(rows, 2):
            if comment := COMMENT.fullmatch(row):
                self._comment(comment[1], number)
            elif row:
                self._command(row, number)
        if self._park is None or self._estimate is None:
            missing = "(estimate ... s)" if self._estimate is None else "(end at ... s)"
            raise InputError(f"the file is not whole: {missing} is missing; export it again")
        if not self._begins:
            raise InputError("it draws nothing: there is no (stroke ...)")
        self._times.append((len(self._lines), self._estimate))
        seconds = np.interp(range(len(self._lines)), *zip(*self._times, strict=True)).tolist()
        lines = tuple(line._replace(seconds=at) for line, at in zip(self._lines, seconds, strict=True))
        return GcodeFile(
            self._path, machine[1], self._estimate, lines, self._setup, self._begins, self._dips, self._park
        )

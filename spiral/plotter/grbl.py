"""GRBL 1.1 at the other end of a serial line: counting the characters it has room for, and hearing what it says."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import re
import termios
import time
import tty
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from spiral import checks
from spiral.errors import InputError, SpiralError
from spiral.plotter.gcode_file import Line
from spiral.plotter.grbl_codes import ALARMS, ERRORS, meaning

if TYPE_CHECKING:
    import serial

BUFFER = 127  # bytes that may be on the way or wait in GRBL's buffer of 128
LOOK_SECONDS = 0.05  # the longest wait for something to come in
STATUS_SECONDS = 0.2  # between two questions for the status
GREETING_SECONDS = 5.0  # until it has started, which an Arduino does when its port is opened
ANSWER_SECONDS = 5.0
HOMING_SECONDS = 120.0
SILENT_QUESTIONS = 25  # without any answer, then it is taken for dead
LOST_REPORTS = 10  # that it idles, with lines unanswered, then one was lost
SEGMENTS = 6  # moves that have left its planner and are still being made

STATUS, HOLD, RESUME, RESET = b"?", b"!", b"~", b"\x18"
WELCOME = re.compile(r"Grbl(?:HAL)? (\d+)\.(\d+)(\w?)", re.ASCII)
REPORT = re.compile(r"<(\w+(?::\d)?)[|>]", re.ASCII)
SIGN_OF_LIFE = re.compile(f"{WELCOME.pattern}|{REPORT.pattern}", re.ASCII)
HELD = re.compile("<Hold:0")
ANSWER = re.compile(r"ok$|error: ?(\d+)", re.ASCII)
ALARM = re.compile(r"ALARM: ?(\d+)", re.ASCII)
OPTIONS = re.compile(r"\[OPT:[^,]*,(\d+),", re.ASCII)  # the number is that of moves it plans ahead


class PlotterError(SpiralError):
    """The plotter does not go on.

    Attributes:
        obeys: whether it still knows where the pen is and does what it is told, so that the pen can be raised.
        lost: whether one of the lines sent since `Grbl.is_settled` never reached it, nobody knows which.
    """

    def __init__(self, message: str, *, obeys: bool = False, lost: bool = False):
        super().__init__(message)
        self.obeys, self.lost = obeys, lost


class Grbl:
    """The connection. Every method may raise `PlotterError`; the message says what happened.

    Attributes:
        name: of the port.
        version: of GRBL, such as "1.1h".
        planned: of how many moves it may have answered before they are over.
        state: what it last said of itself: "Idle", "Run", "Hold:0", "Alarm", ...
        answered: how many of the lines streamed so far have been answered.
    """

    def __init__(self, name: str, port: serial.Serial):
        self.name = name
        self.version = self.state = ""
        self.planned = 15 + SEGMENTS
        self.answered = 0
        self._port = port
        self._piece = b""  # of a message that is not complete
        self._inbox: deque[str] = deque()
        self._other: deque[str] = deque(maxlen=200)  # messages that are no answer to a line
        self._unanswered: deque[Line] = deque()
        self._restarting = True
        self._ask_at = 0.0
        self._questions = 0  # since it last said anything
        self._calm = 0  # reports in a row that it idles, with nothing sent or answered in between

    @classmethod
    def open(cls, name: str | None, baud: int) -> Grbl:
        """Open a port and wait until GRBL answers.

        Raises:
            InputError: there is no such port, or it cannot be opened.
            PlotterError: nothing answers, or something that is not GRBL 1.1.
        """
        grbl = cls(name, _open_port(name, checks.integer(baud, "--baud", 300, 4_000_000)))
        try:
            grbl._greet(baud)
        except BaseException:
            grbl.close()
            raise
        return grbl

    def close(self) -> None:
        self._port.close()

    @property
    def is_settled(self) -> bool:
        """Whether every line sent has been answered, so that none was lost."""
        return not self._unanswered

    # -- the work ------------------------------------------------------------------------------------------------------

    def stream(self, lines: Iterable[Line]) -> Iterator[None]:
        """Send lines as there is room for them, until all are answered; yields several times a second.

        A travel is sent only when all before it is answered: the pen is up, so a moment's rest leaves no blot, and a
        line that was lost is noticed before the next stroke begins.
        """
        for line in lines:
            while not self._has_room(line):
                yield self._look()
            self._unanswered.append(line)
            self._calm = 0
            self._write(_bytes(line))
        while self._unanswered:
            yield self._look()

    def finish(self) -> Iterator[None]:
        """Wait until everything is drawn; yields several times a second."""
        self._calm = 0
        while self._calm < 2:  # the first may have been said just before it set out
            yield self._look()

    def hold(self) -> None:
        """Feed hold: slow down and stop where it is, within the line."""
        self._write(HOLD)
        if not self._await(HELD, ANSWER_SECONDS, asking=True):
            raise PlotterError(f"the plotter does not stop when told to; it says {self.state or 'nothing'}")

    def resume(self) -> None:
        """Go on after `hold`."""
        self._calm = 0
        self._write(RESUME)

    def halt(self) -> None:
        """Stop where it is and forget everything sent; it keeps its place and takes new lines."""
        self._unanswered.clear()
        self.hold()
        self._restart()

    def command(self, text: str, seconds: float = ANSWER_SECONDS) -> list[str]:
        """What it answers to a ``$`` command."""
        self._other.clear()
        self._write(text.encode() + b"\n")
        answer = self._await(ANSWER, seconds)
        if not answer:
            raise PlotterError(f"the plotter does not answer {text}")
        if answer[1]:
            raise PlotterError(f"the plotter refused {text}: {meaning(ERRORS, int(answer[1]))} (error:{answer[1]})")
        return list(self._other)

    def update_state(self) -> None:
        """Ask for the state."""
        if not self._await(REPORT, ANSWER_SECONDS, asking=True):
            raise PlotterError("the plotter does not answer")

    # -- the line ------------------------------------------------------------------------------------------------------

    def _greet(self, baud: int) -> None:
        if not self._await(SIGN_OF_LIFE, GREETING_SECONDS, asking=True):
            self._write(RESET)  # after a limit was hit it says nothing before it is reset
            if not self._await(WELCOME, GREETING_SECONDS):
                raise PlotterError(self._stranger(baud))
        if self._restarting:  # it did not restart when its port was opened
            if self.state not in ("Idle", "Alarm"):
                raise PlotterError(
                    f"the plotter is busy ({self.state}); wait until it is done, or switch it off and on"
                )
            self._restart()
        if self.version < "1.1":
            raise PlotterError(f"the plotter has GRBL {self.version}; spiral plot needs 1.1 or newer")
        self.update_state()
        if self.state in ("Idle", "Alarm"):
            options = OPTIONS.search(" ".join(self.command("$I")))
            self.planned = int(options[1]) + SEGMENTS if options else self.planned

    def _stranger(self, baud: int) -> str:
        heard = "".join(self._other) or self._piece.decode("ascii", "replace")
        shown = "".join(c if c.isprintable() and c.isascii() else "." for c in heard)[:40]
        if shown:
            return f"{self.name} answers, but not as GRBL does at {baud} baud: {shown!r}; is it the port, and --baud right?"
        return f"nothing answers on {self.name} at {baud} baud; is the plotter switched on, is it the port, is --baud right?"

    def _restart(self) -> None:
        self._restarting = True
        self._write(RESET)
        if not self._await(WELCOME, ANSWER_SECONDS):
            raise PlotterError("the plotter does not answer")

    def _has_room(self, line: Line) -> bool:
        if line.text.startswith("G0"):
            return not self._unanswered
        return sum(map(len, map(_bytes, (*self._unanswered, line)))) <= BUFFER

    def _look(self) -> None:
        """Take in what came meanwhile; see that it lives and that no line is lost."""
        self._ask()
        self._receive()
        while self._inbox:
            self._take(self._inbox.popleft())
        if self._questions > SILENT_QUESTIONS:
            raise PlotterError("the plotter no longer answers")
        patience = LOST_REPORTS + sum(line.dwell for line in self._unanswered) / STATUS_SECONDS
        if self._unanswered and self._calm > patience:
            raise PlotterError("a line was lost on the way to the plotter; check the cable", obeys=True, lost=True)

    def _await(self, pattern: re.Pattern, seconds: float, asking: bool = False) -> re.Match | None:
        """The first message that matches; None if there is none in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if asking:
                self._ask()
            self._receive()
            while self._inbox:
                message = self._inbox.popleft()
                self._take(message)
                if match := pattern.match(message):
                    return match
        return None

    def _ask(self) -> None:
        if time.monotonic() >= self._ask_at:
            self._ask_at = time.monotonic() + STATUS_SECONDS
            self._questions += 1
            self._write(STATUS)

    def _take(self, message: str) -> None:
        """Understand one message."""
        self._questions = 0
        if message == "ok":
            if self._unanswered:
                self._unanswered.popleft()
                self.answered += 1
                self._calm = 0
        elif answer := ANSWER.match(message):
            if self._unanswered:
                raise _refused(self._unanswered[0], int(answer[1]))
        elif alarm := ALARM.match(message):
            code = int(alarm[1])
            raise PlotterError(f"the plotter stopped with an alarm: {meaning(ALARMS, code)} (ALARM:{code})")
        elif report := REPORT.match(message):
            self._report(report[1])
        elif welcome := WELCOME.match(message):
            self.version = f"{welcome[1]}.{welcome[2]}{welcome[3]}"
            if not self._restarting:
                raise PlotterError("the plotter was reset in the middle of the work")
            self._restarting = False
        else:
            self._other.append(message)

    def _report(self, state: str) -> None:
        self.state = state
        if state == "Alarm" and self._unanswered:
            raise PlotterError("the plotter is locked by an alarm")
        self._calm = self._calm + 1 if state == "Idle" else 0
        if self._calm == 1:
            self._ask_at = 0.0  # at once, to be sure

    def _receive(self) -> None:
        with self._plugged_in():
            data = self._port.read(1)
            data += self._port.read(self._port.in_waiting)
        *messages, self._piece = (self._piece + data).split(b"\n")
        self._inbox += filter(None, (message.decode("ascii", "replace").strip() for message in messages))

    def _write(self, data: bytes) -> None:
        with self._plugged_in():
            self._port.write(data)

    @contextlib.contextmanager
    def _plugged_in(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise PlotterError(f"{self.name} is gone: the plotter was unplugged or switched off") from None


def _bytes(line: Line) -> bytes:
    return line.text.encode("ascii") + b"\n"


def _refused(line: Line, code: int) -> PlotterError:
    return PlotterError(
        f"the plotter refused line {line.number}, {line.text!r}: {meaning(ERRORS, code)} (error:{code})", obeys=True
    )


def _open_port(name: str | None, baud: int) -> serial.Serial:
    import serial

    if name is None:
        raise InputError(f"say where the plotter is: --port PORT; {_ports()}")
    try:
        port = serial.Serial(name, baud, timeout=LOOK_SECONDS, write_timeout=ANSWER_SECONDS, exclusive=True)
    except (OSError, ValueError) as error:  # SerialException is an OSError
        raise InputError(_why_not(name, error)) from None
    _keep_running(port)
    return port


def _keep_running(port: serial.Serial) -> None:
    """Leave the line DTR up when the port is closed: raising it at the next opening would restart an Arduino.

    It would no longer know where the pen is, and a drawing could not be gone on with.
    """
    attributes = termios.tcgetattr(port.fileno())
    attributes[tty.CFLAG] &= ~termios.HUPCL
    termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)


def _why_not(name: str, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        return f"there is no port {name}; {_ports()}"
    if code == errno.EACCES:
        group = next((group.gr_name for group in grp.getgrall() if group.gr_gid == os.stat(name).st_gid), "GROUP")
        return f"you may not open {name}; run: sudo usermod -aG {group} $USER, and log in again"
    if code in (errno.EAGAIN, errno.EBUSY):
        return f"{name} is in use by another program; close that first"
    if os.path.isfile(name):
        return f"{name} is a file, not a serial port; {_ports()}"
    return f"{name} cannot be opened as a serial port: {error}"


def _ports() -> str:
    from serial.tools import list_ports

    found = sorted(list_ports.comports())
    described = [
        port.device if port.description in (None, "", "n/a") else f"{port.device} ({port.description})"
        for port in found
    ]
    return (
        f"there are: {', '.join(described)}" if found else "there is none: is the plotter plugged in and switched on?"
    )

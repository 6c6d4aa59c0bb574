"""Drawing on a plotter: what the person beside it sees and answers while a G-code file is sent."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shlex
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from spiral.errors import SpiralError
from spiral.plotter.gcode_file import PAUSE, GcodeFile, Line, unfinished
from spiral.plotter.grbl import ANSWER_SECONDS, HOMING_SECONDS, Grbl, PlotterError
from spiral.words import clock

if TYPE_CHECKING:
    from spiral.report import Report

BAUD = 115200
LOST = "switch the plotter off, bring the pen back to where the drawing began, and switch it on"
UNLOCKING = {"$H": HOMING_SECONDS, "$X": ANSWER_SECONDS}  # what ends an alarm, and how long it may take


def plot(
    path: str | os.PathLike, port: str | None, baud: int = BAUD, first: int | None = None, check: bool = False
) -> None:
    """Draw a G-code file of `spiral export` on a plotter with GRBL.

    Args:
        path: of the file.
        port: the serial port the plotter is at.
        baud: its speed.
        first: number of the stroke to begin with; None for the whole file.
        check: only read the file and ask the plotter how it is.

    Raises:
        InputError: the file cannot be read, or there is no such stroke or port; nothing was sent.
        SpiralError: the plotter failed or was stopped; the message says how to go on.
    """
    from spiral.report import Report

    file = GcodeFile.load(path)
    lines = file.lines if first is None else file.from_stroke(first)
    with Report() as report:
        report.say(_contents(file))
        with contextlib.closing(Grbl.open(port, baud)) as grbl:
            report.say(f"{port}: GRBL {grbl.version}, {grbl.state}")
            _make_ready(grbl, report, may_ask=not check)
            warnings = list(_warnings(file, grbl))
            for warning in warnings:
                report.say(f"Warning: {warning}")
            if not check:
                if warnings:
                    _ask_whether_to_draw(report)
                Drawing(file, lines, grbl, report).run(_command(file, port, baud))


def _contents(file: GcodeFile) -> str:
    pens = f"; {', '.join(file.pens)}" if file.pens else ""
    return f"{file.path}: strokes {file.first} to {file.last} in about {clock(file.seconds)} on {file.machine}{pens}"


def _command(file: GcodeFile, port: str, baud: int) -> str:
    """The command line without its ``--from``."""
    speed = [] if baud == BAUD else ["--baud", str(baud)]
    return shlex.join(["spiral", "plot", str(file.path), "--port", port, *speed])


def _make_ready(grbl: Grbl, report: Report, may_ask: bool) -> None:
    """See that the plotter can begin; a locked one is unlocked if the person says how."""
    if grbl.state == "Alarm":
        answer = ""
        if may_ask:
            with contextlib.suppress(EOFError, KeyboardInterrupt):
                answer = report.ask("It is locked. $H homes it, $X unlocks it where it stands, Enter ends this: ")
        answer = answer.strip().upper()
        if answer not in UNLOCKING:
            what_to_do = "answer" if may_ask else "without --check you are asked, and may answer"
            raise SpiralError(
                f"the plotter is locked by an alarm, and nothing was drawn; {what_to_do} $H to home it or $X to unlock it "
                "where it stands"
            )
        grbl.command(answer, UNLOCKING[answer])
        grbl.update_state()
    if grbl.state != "Idle":
        raise SpiralError(f"the plotter is not ready, it says {grbl.state}; nothing was drawn; switch it off and on")


def _ask_whether_to_draw(report: Report) -> None:
    try:
        report.ask("Enter draws all the same, Ctrl-C ends this: ")
    except (EOFError, KeyboardInterrupt):
        raise SpiralError("ended before anything was sent; mend the plotter's settings first") from None


def _warnings(file: GcodeFile, grbl: Grbl) -> Iterator[str]:
    """Settings of the plotter with which this drawing would go wrong."""
    settings = dict(text.split("=", 1) for text in grbl.command("$$") if text.startswith("$"))
    servo = [float(line.text.removeprefix("M3 S")) for line in file.lines if line.text.startswith("M3")]
    if servo and settings.get("$32") == "1":
        yield "the plotter is in laser mode, which moves a pen's servo at the wrong moments; send it $32=0"
    if servo and float(settings.get("$30", "inf")) < max(servo):
        yield f"the plotter knows S up to {settings['$30']} ($30), and the file has S{max(servo):g} for its pen"
    for axis, setting in (("X", "$130"), ("Y", "$131")) if settings.get("$20") == "1" else ():
        places = (re.search(rf"{axis}(-?[\d.]+)", line.text) for line in file.lines)
        furthest = max(abs(float(place[1])) for place in places if place)
        if furthest > float(settings.get(setting, "inf")):
            yield f"the plotter stops beyond {settings[setting]} mm along {axis} ({setting}), and the file goes to {furthest:g}"
    if settings.get("$1", "255") != "255" and any(line.text == PAUSE for line in file.lines):
        yield "the plotter lets its motors go when it rests, also while you change the pen; send it $1=255"


class Drawing:
    """Lines on their way to the plotter, with a person beside it."""

    def __init__(self, file: GcodeFile, lines: Sequence[Line], grbl: Grbl, report: Report):
        self._file, self._lines, self._grbl, self._report = file, lines, grbl, report
        self._ctrl_c = CtrlC()
        self._began = time.monotonic()
        self._waited = 0.0  # for the person, seconds
        self._pauses = 0  # that are over
        self._drawn = 0  # lines of which the plotter has surely done everything
        self._settled = 0  # lines of which surely none was lost

    def run(self, command: str) -> None:
        """Draw everything, or raise the pen and say how to go on.

        Args:
            command: the command line to go on with, without its ``--from``.

        Raises:
            SpiralError: the plotter failed or was stopped.
        """
        with self._ctrl_c.heeded():
            try:
                self._draw()
            except PlotterError as error:
                go_on = self._go_on(error, command)  # before the way home, whose lines are answered too
                at_home = error.obeys and self._go_home()
                pen = "the pen is up and parked" if at_home else LOST
                raise SpiralError(f"{error}; {pen}; {go_on}") from error
            except BaseException:
                self._go_home()  # whatever it was, the pen must not stay on the paper
                raise
        first = max(self._lines[0].stroke, self._file.first)
        self._report.say(f"drew strokes {first} to {self._file.last} in {clock(self._seconds)}")

    @property
    def _answered(self) -> int:
        """How many lines are over, or in the plotter's hands."""
        return self._grbl.answered + self._pauses

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._began - self._waited

    def _draw(self) -> None:
        for is_pause, lines in itertools.groupby(self._lines, lambda line: line.text == PAUSE):
            if is_pause:
                for line in lines:
                    self._ask(f"{line.note or 'pause'}; Enter goes on, Ctrl-C stops. ")
                    self._pauses += 1
            else:
                self._follow(self._grbl.stream(lines))
                self._follow(self._grbl.finish())
                self._drawn = self._answered

    def _follow(self, steps: Iterable[None]) -> None:
        """Show how it goes, and heed Ctrl-C."""
        for _ in steps:
            if self._grbl.is_settled:
                self._settled = self._answered
            self._show()
            if self._ctrl_c.pressed:
                self._grbl.hold()
                self._ctrl_c.pressed = False
                self._ask("on hold; Enter goes on, Ctrl-C raises the pen, parks it and stops. ")
                self._grbl.resume()

    def _show(self) -> None:
        file, line = self._file, self._lines[min(self._answered, len(self._lines) - 1)]
        begin, left = self._lines[0].seconds, file.seconds - line.seconds
        figures = f"stroke {min(max(line.stroke, file.first), file.last)} of {file.last}"
        if self._grbl.state not in ("Run", "Idle"):
            figures += f", {self._grbl.state}"
        self._report.show(1 - left / max(file.seconds - begin, 1e-9), self._seconds, figures, left)

    def _ask(self, question: str) -> None:
        """Wait for Enter.

        Raises:
            PlotterError: the answer was Ctrl-C, or there is nobody to answer.
        """
        began = time.monotonic()
        try:
            with self._ctrl_c.as_answer():
                self._report.ask(question)
        except (EOFError, KeyboardInterrupt):
            raise PlotterError("stopped", obeys=True) from None
        finally:
            self._waited += time.monotonic() - began

    def _go_on(self, error: PlotterError, command: str) -> str:
        if error.lost:
            stroke = unfinished(self._lines[self._settled :], 0, 0)
        else:
            stroke = unfinished(self._lines[self._drawn :], self._answered - self._drawn, self._grbl.planned)
        if stroke > self._file.last:
            return "every stroke is drawn"
        return f"go on with: {command} --from {max(stroke, self._file.first)}"

    def _go_home(self) -> bool:
        """Raise the pen where it stopped and take it home, so that the place it begins from is right next time."""
        self._ctrl_c.pressed = False
        try:
            self._grbl.halt()
            for _ in itertools.chain(self._grbl.stream(self._file.way_home()), self._grbl.finish()):
                if self._ctrl_c.pressed:
                    self._grbl.halt()
                    return False
        except PlotterError:
            return False
        return True


class CtrlC:
    """Ctrl-C is noted while it is heeded, and while a question is asked it is the answer; other signals end the work."""

    def __init__(self):
        self.pressed = self._is_answer = False

    @contextlib.contextmanager
    def heeded(self) -> Iterator[None]:
        handlers = {signal.SIGINT: self._note, signal.SIGTERM: _end, signal.SIGHUP: _end}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def as_answer(self) -> Iterator[None]:
        """Within it, Ctrl-C raises ``KeyboardInterrupt``."""
        self._is_answer = True
        try:
            yield
        finally:
            self._is_answer = False

    def _note(self, number, frame) -> None:
        if self._is_answer:
            raise KeyboardInterrupt
        self.pressed = True


def _end(number, frame) -> None:
    """The terminal is gone, or somebody ended the process: whatever it was doing, it goes home first."""
    raise SystemExit(128 + number)

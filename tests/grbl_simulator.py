"""A plotter with GRBL 1.1 on a pseudo-terminal: it answers and draws as the firmware does, and fails on demand.

It shares no code with what it tests. What it does at each character and in each state follows the firmware's behaviour:
a buffer of 128 bytes that really overflows, a parser that reads a line when the planner has room for it, a feed hold
that stops everything but status reports, a reset that loses the place of a moving pen.
"""

from __future__ import annotations

import math
import os
import re
import select
import termios
import threading
import time
import tty
from collections import deque
from collections.abc import Callable, Generator
from typing import NamedTuple, Self

BUFFER = 128  # bytes
LONGEST_LINE = 79  # characters, spaces not counted
PLANNER = 15  # moves
RAPID = 5000.0  # mm/min
BRAKING = 0.02  # seconds from feed hold to standstill
BOOT = 0.02  # seconds from an open port to the welcome
LONGEST_S = 20  # that anything is waited for

Place = tuple[float, float, float]


class Segment(NamedTuple):
    """One straight movement, mm on the page; ``servo`` is the S in force, None where the spindle is off."""

    start: Place
    end: Place
    rapid: bool
    servo: float | None
    feed: float


class Block(NamedTuple):
    end: Place
    rapid: bool
    servo: float | None
    feed: float
    seconds: float


class Firmware:
    """The controller itself, without a clock or a line of its own.

    Args:
        faults: what goes wrong at the n-th G-code line, from 1: "error:33", "ALARM:1", "drop" (the line is lost on
            the way), "reset", "silence", "gone" (the port vanishes).
        travel: soft limits, mm: x and y from 0 to this.
        locked: in Alarm when it is switched on, as machines with homing are.
        homing: whether it knows $H.
        slow: seconds that each line takes before it is answered.
        speed: seconds of the machine in one of the clock.
        settings: what $$ shows.
        welcome: what it says when it starts.
        is_grbl: whether it says anything else.
    """

    def __init__(
        self,
        faults: dict[int, str] | None = None,
        travel: float = math.inf,
        locked: bool = False,
        homing: bool = False,
        slow: float = 0.0,
        speed: float = 2000.0,
        settings: str = "$30=1000\r\n$32=0",
        welcome: str = "Grbl 1.1h ['$' for help]",
        is_grbl: bool = True,
    ):
        self.faults = dict(faults or {})
        self.travel, self.locked, self.homing, self.slow, self.speed = travel, locked, homing, slow, speed
        self.settings, self.welcome = settings, welcome
        self.segments: list[Segment] = []
        self.received: list[str] = []  # lines as they were read from the buffer
        self.realtime: list[str] = []  # "!", "~" and "reset", as they came
        self.fullest = self.overflowed = self.unanswered = self.most_unanswered = 0  # bytes
        self.out = bytearray()
        self.alive, self.is_gone = is_grbl, False
        self.boots = 0
        self.origin = self.place = (0.0, 0.0, 0.0)  # where zero is on the page; where the pen is from there
        self._lines_in = self._lines_run = 0
        self._dropping = False

    def switch_on(self) -> None:
        """Power, or an Arduino's reset: where the pen is now is zero."""
        self.boots += 1
        self.origin, self.place = self.at, (0.0, 0.0, 0.0)
        self.state = "Alarm" if self.locked else "Idle"
        self._start()

    @property
    def at(self) -> Place:
        """Where the pen is on the page."""
        return _sum(self.origin, self.place)

    def _start(self) -> None:
        self._buffer: deque[str] = deque()
        self._planner: deque[Block] = deque()
        self._done = 0.0  # seconds of the first block that are over
        self._target = self.place
        self._motion, self._feed, self._spindle, self._s = "G0", 0.0, False, 0.0
        self._suspended = self._critical = self._asked = self._in_line = False
        self._clock = self._braking = 0.0
        self.unanswered = 0
        self._main = self._program()
        if self.welcome:
            self._say(f"\r\n{self.welcome}")
        if self.state == "Alarm":
            self._say("[MSG:'$H'|'$X' to unlock]")

    def _say(self, text: str) -> None:
        self.out += text.encode("latin-1") + b"\r\n"

    # -- what comes in -------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        for character in data.decode("latin-1"):
            if not self.alive:
                return
            if character == "?":
                self._asked = True
            elif character == "!":
                self.realtime.append("!")
                self._hold()
            elif character == "~":
                self.realtime.append("~")
                self._resume()
            elif character == "\x18":
                self.realtime.append("reset")
                self._reset()
            elif character < "\x80":
                self._store(character)

    def _store(self, character: str) -> None:
        if not self._in_line and character not in "$\r\n":
            self._lines_in += 1
            self._dropping = self.faults.get(self._lines_in) == "drop"
        self._in_line = character != "\n"
        if self._dropping:
            self._dropping = self._in_line
        elif len(self._buffer) >= BUFFER:
            self.overflowed += 1
        else:
            self._buffer.append(character)
            self.fullest = max(self.fullest, len(self._buffer))
        self.unanswered += 1
        self.most_unanswered = max(self.most_unanswered, self.unanswered)

    def _hold(self) -> None:
        if self.state == "Run":
            self.state, self._braking, self._suspended = "Hold:1", BRAKING, True
        elif self.state == "Idle":
            self.state, self._suspended = "Hold:0", True

    def _resume(self) -> None:
        if self.state in ("Hold:0", "Idle"):
            self._suspended = False
            self.state = "Run" if self._planner else "Idle"

    def _reset(self) -> None:
        moving = self.state in ("Run", "Hold:1")
        self._stop_moving()
        if moving:
            self._say("ALARM:3")
        self.state = "Alarm" if moving or self.state == "Alarm" else "Idle"
        self._start()

    def _stop_moving(self) -> None:
        """Where the pen is in the middle of a move is where it stays."""
        if self._planner and self._done:
            block = self._planner[0]
            part = self._done / block.seconds
            self._move_to(tuple(a + part * (b - a) for a, b in zip(self.place, block.end, strict=True)), block)
        self._planner.clear()
        self._done = 0.0

    def _alarm(self, code: int) -> Generator[None, None, None]:
        self._stop_moving()
        self.state, self._spindle = "Alarm", False
        self._say(f"ALARM:{code}")
        self._say("[MSG:Reset to continue]")
        self._critical = True
        while True:
            yield

    # -- what goes on --------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let some time pass."""
        if not self.alive:
            return
        if self.state == "Hold:1":
            self._braking -= seconds
            if self._braking <= 0:
                self.state = "Hold:0"
        if self.state == "Run":
            self._move(seconds * self.speed)
        if not self._suspended:
            self._clock += seconds
            next(self._main)
        if self._asked and self.alive and not self._critical:
            self._asked = False
            place = ",".join(f"{value:.3f}" for value in self.place)
            self._say(f"<{self.state}|MPos:{place}|FS:{self._feed:.0f},{self._s:.0f}>")

    def _move(self, seconds: float) -> None:
        while self._planner and seconds > 0:
            block = self._planner[0]
            if seconds < block.seconds - self._done:
                self._done += seconds
                return
            seconds -= block.seconds - self._done
            self._done = 0.0
            self._move_to(self._planner.popleft().end, block)
        if not self._planner:
            self.state = "Idle"

    def _move_to(self, end: Place, block: Block) -> None:
        before, self.place = self.at, end
        self.segments.append(Segment(before, self.at, block.rapid, block.servo, block.feed))

    def _set_out(self) -> None:
        if self._planner and self.state == "Idle":
            self.state = "Run"

    def _synchronize(self) -> Generator[None, None, None]:
        self._set_out()
        while self._planner or self.state == "Run":
            yield

    def _wait(self, seconds: float) -> Generator[None, None, None]:
        until = self._clock + seconds
        while self._clock < until:
            yield

    # -- the main program ----------------------------------------------------------------------------------------------

    def _program(self) -> Generator[None, None, None]:
        """Reads line after line; gives up its turn where the firmware waits."""
        line, length = "", 0
        while True:
            while not self._buffer:
                self._set_out()
                yield
            character = self._buffer.popleft()
            length += 1
            if character in "\r\n":
                answer = yield from self._line(line)
                self.unanswered -= length
                line, length = "", 0
                self._say("ok" if answer == 0 else f"error:{answer}")
            elif character > " ":
                line += character.upper()

    def _line(self, line: str) -> Generator[None, None, int]:
        if len(line) > LONGEST_LINE:
            return 11
        if not line:
            return 0
        self.received.append(line)
        if line.startswith("$"):
            return self._system(line)
        if self.state == "Alarm":
            return 9
        self._lines_run += 1
        if fault := self.faults.get(self._lines_run, "").removeprefix("drop"):
            yield from self._fail(fault)
            if fault.startswith("error:"):
                return int(fault.removeprefix("error:"))
        if self.slow:
            yield from self._wait(self.slow)
        return (yield from self._execute(line))

    def _fail(self, fault: str) -> Generator[None, None, None]:
        if fault.startswith("ALARM:"):
            yield from self._alarm(int(fault.removeprefix("ALARM:")))
        elif fault == "reset":
            self._stop_moving()
            self.switch_on()
            yield
        elif fault in ("silence", "gone"):
            self.alive, self.is_gone = False, fault == "gone"
            yield

    def _system(self, line: str) -> int:
        if self.state not in ("Idle", "Alarm"):
            return 8
        if line == "$I":
            self._say(f"[VER:1.1h.20190830:]\r\n[OPT:V,{PLANNER},{BUFFER}]")
        elif line == "$$":
            self._say(self.settings)
        elif line == "$X":
            self._say("[MSG:Caution: Unlocked]")
            self.state = "Idle"
        elif line == "$H" and not self.homing:
            return 5
        elif line == "$H":
            self.origin = self.place = self._target = (0.0, 0.0, 0.0)
            self.state = "Idle"
        else:
            return 3
        return 0

    def _execute(self, line: str) -> Generator[None, None, int]:
        error, words = _words(line)
        if error:
            return error
        commands = words.pop("commands")
        axes = [axis for axis in "XYZ" if axis in words]
        if "G4" in commands and "P" not in words:
            return 28
        if ("P" in words and "G4" not in commands) or ("G4" in commands and axes):
            return 36
        motion = next((command for command in commands if command in ("G0", "G1")), self._motion)
        feed = words.get("F", self._feed)
        if axes and motion == "G1" and feed == 0:
            return 22
        self._motion, self._feed = motion, feed
        yield from self._set_spindle(words.get("S", self._s), self._spindle or "M3" in commands)
        if "G4" in commands:
            yield from self._synchronize()
            yield from self._wait(words["P"] / self.speed)
        if axes:
            yield from self._plan(tuple(words.get(axis, at) for axis, at in zip("XYZ", self._target, strict=True)))
        if "M0" in commands:
            yield from self._synchronize()
            self._hold()
            yield
        return 0

    def _set_spindle(self, s: float, on: bool) -> Generator[None, None, None]:
        if (s, on) != (self._s, self._spindle):
            yield from self._synchronize()
            self._s, self._spindle = s, on

    def _plan(self, target: Place) -> Generator[None, None, None]:
        if not all(0 <= value <= self.travel for value in target[:2]):
            yield from self._synchronize()
            yield from self._alarm(2)
        while len(self._planner) >= PLANNER:
            self._set_out()
            yield
        length = math.dist(target, self._target)
        if length:
            rapid = self._motion == "G0"
            speed = (RAPID if rapid else self._feed) / 60
            servo = self._s if self._spindle else None
            self._planner.append(Block(target, rapid, servo, self._feed, length / speed))
        self._target = target


def _sum(a: Place, b: Place) -> Place:
    return tuple(x + y for x, y in zip(a, b, strict=True))


GROUPS = {"G0": 1, "G1": 1, "G4": 0, "G21": 6, "G90": 3, "G94": 5, "M0": 4, "M3": 7}


def _words(line: str) -> tuple[int, dict]:
    """An error number or 0, and the words of a line: commands, and the other letters with their numbers."""
    found: dict = {"commands": []}
    while line:
        letter = re.match("[A-Z]", line)
        if not letter:
            return 1, {}
        number = re.match(r"[-+]?(?:\d+\.?\d*|\.\d+)", line[1:])
        if not number:
            return 2, {}
        line = line[1 + number.end() :]
        letter, value = letter[0], float(number[0])
        if letter in "GM":
            command = f"{letter}{value:g}"
            if command not in GROUPS:
                return 20, {}
            if GROUPS[command] in [GROUPS[other] for other in found["commands"]]:
                return 21, {}
            found["commands"].append(command)
        elif letter not in "XYZFSP":
            return 20, {}
        elif letter in found:
            return 25, {}
        elif value < 0 and letter in "FSP":
            return 4, {}
        else:
            found[letter] = value
    return 0, found


class Simulator(threading.Thread):
    """The plotter as it stands on the table: its port and its clock. Use it as a context manager.

    Opening its port restarts it, as it does an Arduino, unless whoever had it open before left the line DTR up.

    Attributes:
        port: to open.
        firmware: what was received and drawn; other arguments are those of `Firmware`.
    """

    def __init__(self, **options):
        super().__init__(daemon=True)
        self.firmware = Firmware(**options)
        self._master, slave = os.openpty()
        self.port = os.ttyname(slave)
        _hang_up_on_close(slave)
        os.close(slave)
        self._changed = threading.Condition()
        self._over = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over = True
        self.join()

    def wait_until(self, condition: Callable[[Firmware], object]) -> None:
        """Return when it holds."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.firmware), LONGEST_S), "it never came so far"

    def run(self) -> None:
        line = select.poll()
        line.register(self._master, select.POLLIN)
        is_open = running = False
        restarts = True
        start_at = 0.0
        before = time.monotonic()
        while not self._over:
            flags = dict(line.poll(1)).get(self._master, 0)
            now = time.monotonic()
            if flags & select.POLLHUP:
                if is_open:
                    is_open, restarts = False, bool(termios.tcgetattr(self._master)[tty.CFLAG] & termios.HUPCL)
                time.sleep(0.001)
            elif not is_open and not termios.tcgetattr(self._master)[tty.LFLAG] & termios.ICANON:
                is_open = True
                if restarts:
                    running, start_at = False, now + BOOT
            data = os.read(self._master, 4096) if flags & select.POLLIN else b""
            with self._changed:
                if is_open and not running and now >= start_at:
                    running = True
                    self.firmware.switch_on()
                if running:
                    self.firmware.receive(data)
                    self.firmware.advance(now - before)
                    self._send()
                self._changed.notify_all()
            before = now
            if self.firmware.is_gone:
                break
        os.close(self._master)

    def _send(self) -> None:
        said, self.firmware.out = bytes(self.firmware.out), bytearray()
        if said:
            os.write(self._master, said)


def _hang_up_on_close(terminal: int) -> None:
    attributes = termios.tcgetattr(terminal)
    attributes[tty.CFLAG] |= termios.HUPCL
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)

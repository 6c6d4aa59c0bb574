"""G-code: GRBL 1.1 and Marlin 2, the pen on a servo or a z axis. Millimetres, absolute."""

from __future__ import annotations

from collections.abc import Iterator

from spiral.plotter.writers.base import WRITERS, LineWriter, fixed, harmless


class GCode(LineWriter):
    """What the firmwares have in common; a subclass says how each comments, waits and moves a servo."""

    suffixes = (".gcode", ".nc", ".ngc")
    lifts = ("z", "servo")

    def comment(self, text: str) -> str:
        raise NotImplementedError

    def wait(self, seconds: float) -> list[str]:
        raise NotImplementedError

    def servo(self, value: float) -> list[str]:
        raise NotImplementedError

    def head(self) -> Iterator[str]:
        self._feed = self._place = None
        yield self.comment(f"spiral-painter, machine {self.machine.name}")
        yield self.comment(f"estimate {fixed(self.path.times[-1], 1)} s")
        yield from ("G21", "G90")
        yield from self.up()

    def select(self, pen: int) -> list[str]:
        return [self.comment(f"pen {pen + 1}: {self.path.pens[pen].name}")]

    def pause(self, text: str) -> list[str]:
        return [self.comment(f"pause: {text}"), "M0"]

    def begin(self, number: int) -> list[str]:
        return [self.comment(f"stroke {number} at {fixed(self.seconds, 1)} s")]

    def travel(self, x: float, y: float) -> list[str]:
        self._place = (fixed(x), fixed(y), None)
        return [f"G0 X{fixed(x)} Y{fixed(y)}"]

    def down(self, pressure: float) -> list[str]:
        return [*self._height(self.machine.height(pressure)), *self.wait(self.machine.lift.down_seconds)]

    def up(self) -> list[str]:
        return [*self._height(self.machine.lift.up), *self.wait(self.machine.lift.up_seconds)]

    def line(self, x: float, y: float, pressure: float) -> list[str]:
        before = self._place
        z = fixed(self.machine.height(pressure)) if self.machine.lift.kind == "z" else None
        self._place = (fixed(x), fixed(y), z)
        if self._place == before:
            return []
        depth = "" if z == before[2] else f" Z{z}"
        return [f"G1 X{fixed(x)} Y{fixed(y)}{depth}{self._changed_feed(self.machine.speed.draw)}"]

    def dip(self, x: float, y: float, tray: str) -> list[str]:
        lift, refill = self.machine.lift, self.machine.refill
        depth = refill.depth if lift.kind == "z" else lift.down
        seconds = lift.down_seconds + refill.seconds
        return [
            self.comment(f"dip {tray}"),
            *self.travel(x, y),
            *self._height(depth),
            *self.wait(seconds),
            *self.up(),
        ]

    def park(self, x: float, y: float) -> list[str]:
        return [self.comment(f"end at {fixed(self.seconds, 1)} s"), *self.travel(x, y)]

    def _height(self, value: float) -> list[str]:
        if self.machine.lift.kind == "servo":
            return self.servo(value)
        if self._place:
            self._place = (*self._place[:2], fixed(value))
        return [f"G1 Z{fixed(value)}{self._changed_feed(self.machine.speed.lift)}"]

    def _changed_feed(self, feed: float) -> str:
        if feed == self._feed:
            return ""
        self._feed = feed
        return f" F{feed:.0f}"


@WRITERS.register("grbl")
class Grbl(GCode):
    """GRBL 1.1: M3 S moves the servo, G4 counts seconds."""

    def comment(self, text: str) -> str:
        return f"({harmless(text)})"

    def wait(self, seconds: float) -> list[str]:
        return [f"G4 P{fixed(seconds)}"] if seconds else []

    def servo(self, value: float) -> list[str]:
        return [f"M3 S{value:g}"]


@WRITERS.register("marlin")
class Marlin(GCode):
    """Marlin 2: M280 moves the servo once all moves are done (M400), G4 counts milliseconds, G0 has a speed too."""

    def comment(self, text: str) -> str:
        return f"; {harmless(text)}"

    def wait(self, seconds: float) -> list[str]:
        return [f"G4 P{1000 * seconds:.0f}"] if seconds else []

    def servo(self, value: float) -> list[str]:
        return ["M400", f"M280 P{self.machine.lift.servo} S{value:g}"]

    def travel(self, x: float, y: float) -> list[str]:
        (move,) = super().travel(x, y)
        return [move + self._changed_feed(self.machine.speed.travel)]

"""URScript, for the arms of Universal Robots: poses on the taught plane of the paper, metres and seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator

from spiral.plotter.events import Line
from spiral.plotter.writers.base import WRITERS, LineWriter, fixed, harmless

POINTING_DOWN = "3.141593, 0, 0"  # the tool's z axis into the paper: half a turn about the paper's x axis
BLEND_SHARE = 0.4  # of the shorter neighbour; blends that overlap make the arm leave a point out


@WRITERS.register("urscript")
class UrScript(LineWriter):
    """URScript: movel with the brush up, movep with rounded corners while it paints. Not tried on a real arm."""

    suffixes = (".script",)
    lifts = ("z",)

    def head(self) -> Iterator[str]:
        plane = ", ".join(fixed(value, 6) for value in self.machine.arm.plane)
        yield "def spiral_painting():"
        yield f"  # machine {harmless(self.machine.name)}, about {self.path.times[-1]:.0f} s"
        yield f"  plane = p[{plane}]"
        self._x, self._y = self.machine.park
        self._z = self.machine.lift.up
        up, motion = fixed(self._z / 1000, 6), self._motion(self.machine.speed.lift)
        # Wherever it stands: straight out of the paper first.
        yield "  here = pose_trans(pose_inv(plane), get_actual_tcp_pose())"
        yield f"  if here[2] < {up}:"
        yield f"    movel(pose_trans(plane, p[here[0], here[1], {up}, here[3], here[4], here[5]]), {motion})"
        yield "  end"
        yield self._linear(self.machine.speed.travel)

    def foot(self) -> list[str]:
        return ["end", "spiral_painting()"]

    def select(self, pen: int) -> list[str]:
        return [f"  # pen {pen + 1}: {harmless(self.path.pens[pen].name)}"]

    def pause(self, text: str) -> list[str]:
        return [f'  popup("{harmless(text)}", title="SPIRAL", blocking=True)']

    def begin(self, number: int) -> list[str]:
        return [f'  textmsg("stroke {number}")']

    def travel(self, x: float, y: float) -> list[str]:
        self._x, self._y = x, y
        return [self._linear(self.machine.speed.travel)]

    park = travel

    def down(self, pressure: float) -> list[str]:
        return self._lift_to(self.machine.height(pressure), self.machine.lift.down_seconds)

    def up(self) -> list[str]:
        return self._lift_to(self.machine.lift.up, self.machine.lift.up_seconds)

    def dip(self, x: float, y: float, tray: str) -> list[str]:
        seconds = self.machine.lift.down_seconds + self.machine.refill.seconds
        return [
            f"  # dip {harmless(tray)}",
            *self.travel(x, y),
            *self._lift_to(self.machine.refill.depth, seconds),
            *self.up(),
        ]

    def line(self, x: float, y: float, pressure: float) -> list[str]:
        length = math.dist((self._x, self._y), (x, y))
        self._x, self._y, self._z = x, y, self.machine.height(pressure)
        radius = min(self.machine.arm.blend, BLEND_SHARE * length, BLEND_SHARE * self._next_length())
        return [f"  movep({self._pose()}, {self._motion(self.machine.speed.draw)}, r={fixed(radius / 1000, 6)})"]

    def _next_length(self) -> float:
        """Of the line after this one; 0 where the brush stops."""
        for event in self.path.events[self.index + 1 : self.index + 3]:  # a stroke may begin before it
            if isinstance(event, Line):
                return math.dist((self._x, self._y), (event.x, event.y))
        return 0.0

    def _lift_to(self, z: float, seconds: float) -> list[str]:
        self._z = z
        return [self._linear(self.machine.speed.lift), *([f"  sleep({fixed(seconds, 2)})"] if seconds else [])]

    def _linear(self, speed: float) -> str:
        return f"  movel({self._pose()}, {self._motion(speed)})"

    def _pose(self) -> str:
        x, y, z = (fixed(value / 1000, 6) for value in (self._x, self._y, self._z))
        return f"pose_trans(plane, p[{x}, {y}, {z}, {POINTING_DOWN}])"

    def _motion(self, speed: float) -> str:
        return f"a={fixed(self.machine.speed.acceleration / 1000)}, v={fixed(speed / 60_000, 4)}"

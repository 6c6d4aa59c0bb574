"""A plotter or robot arm: its limits, speeds, pens and trays, read from a TOML file that users can copy."""

from __future__ import annotations

import importlib.resources
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from spiral import settings
from spiral.errors import InputError
from spiral.files import read_text
from spiral.plotter.page import Page, page_named
from spiral.plotter.pens import MAX_WIDTH, MIN_OPACITY, MIN_WIDTH, Pen
from spiral.registry import unknown

MAX_FILE_BYTES = 2**20
MIN_REFILL = 1.0  # mm
Range = tuple[float, float]


@dataclass(frozen=True)
class Area:
    """Where the tool may be, mm."""

    x: Range
    y: Range
    z: Range = (-1000.0, 1000.0)  # where the machine has a z axis


@dataclass(frozen=True)
class Sheet:
    """The paper on the machine."""

    page: str = "A4"  # a name, or WIDTHxHEIGHT in mm
    landscape: bool = False
    margin: float = 15.0  # mm
    at: tuple[float, float] = (0.0, 0.0)  # machine coordinates of the page's corner where they are smallest, mm
    y: str = "up"  # which way the machine's y axis points on the page


@dataclass(frozen=True)
class Speed:
    """How fast it moves, mm/min as in G-code's F, and how it speeds up."""

    draw: float = 2000.0
    travel: float = 5000.0  # pen up
    lift: float = 600.0  # along z
    acceleration: float = 500.0  # mm/s^2
    junction: float = 0.01  # mm; how far a corner may be cut at speed (GRBL's $11)


@dataclass(frozen=True)
class Lift:
    """How the pen is raised and lowered."""

    kind: str = "z"  # "z": by height in mm; "servo": by a servo's value; "pen": the machine knows how
    up: float = 5.0
    down: float = 0.0  # touching the paper
    press: float | None = None  # pressed fully ("z" only); None: as down
    up_seconds: float = 0.0  # pause after raising
    down_seconds: float = 0.0  # pause after lowering
    servo: int = 0  # number of the servo, where there are several


@dataclass(frozen=True)
class Change:
    """What happens between two pens."""

    pause: bool = True  # stop and wait for a person
    seconds: float = 30.0  # that it takes, for the estimate
    wash: str = ""  # the tray a brush is washed in first; empty for none


@dataclass(frozen=True)
class Refill:
    """When a brush takes new paint, and how."""

    every: float = 0.0  # mm of ink after which it does; 0: never
    depth: float = 0.0  # height in the tray, mm ("z" only)
    seconds: float = 1.0  # in the tray


@dataclass(frozen=True)
class Tray:
    """Paint or water."""

    name: str
    at: tuple[float, float]  # mm


@dataclass(frozen=True)
class Arm:
    """A robot arm's place in its own world."""

    # Pose of the paper's plane in the arm's base: where x = y = 0 is, the plane's x along the page, y up the page and z
    # out of the paper, up; metres, axis-angle in radians. Teach it as a plane feature.
    plane: tuple[float, float, float, float, float, float] = (0.3, -0.2, 0.05, 0.0, 0.0, 0.0)
    blend: float = 0.5  # mm; how far corners are rounded so that it need not stop at each


@dataclass(frozen=True)
class Machine:
    """A plotter or robot arm; every field but the name, which is the file's, is a field of its file."""

    description: str
    dialect: str  # the language it speaks: a name in spiral.plotter.writers.WRITERS
    area: Area
    sheet: Sheet = field(default_factory=Sheet)
    speed: Speed = field(default_factory=Speed)
    lift: Lift = field(default_factory=Lift)
    change: Change = field(default_factory=Change)
    refill: Refill = field(default_factory=Refill)
    arm: Arm = field(default_factory=Arm)
    park: tuple[float, float] = (0.0, 0.0)  # where it rests, before and after, mm
    units_per_mm: float = 40.0  # HPGL: plotter units
    pens: tuple[Pen, ...] = ()  # none: one for every colour of the program, as wide as each stroke
    trays: tuple[Tray, ...] = ()
    name: str = ""

    def page(self, name: str | None = None, landscape: bool | None = None) -> Page:
        """The sheet: the machine's own, or another.

        Raises:
            InputError: no such page.
        """
        turned = self.sheet.landscape if landscape is None else landscape
        return page_named(name or self.sheet.page, turned)

    def height(self, pressure: float) -> float:
        """z of the pen pressed so far (0..1), mm; always that of ``lift.down`` where pressure is no matter of height."""
        lift = self.lift
        return lift.down + pressure * (lift.press - lift.down) if lift.kind == "z" else lift.down

    def tray_of(self, pen: Pen) -> Tray:
        """Where a pen takes its paint.

        Raises:
            InputError: the machine has no such tray.
        """
        return self._tray(pen.tray or pen.name)

    def wash_tray(self) -> Tray | None:
        """Where a brush is washed between two paints, if it is."""
        return self._tray(self.change.wash) if self.change.wash else None

    def has(self, place: tuple[float, float]) -> bool:
        """Whether a place, mm, lies in the work area."""
        # A millionth of a millimetre is what sums of floats may be off.
        ranges = zip(place, (self.area.x, self.area.y), strict=True)
        return all(low - 1e-6 <= value <= high + 1e-6 for value, (low, high) in ranges)

    def check_inside(self, x: float, y: float, what: str, advice: str = "") -> None:
        """Refuse a point outside the work area.

        Raises:
            InputError: it is outside; the message names ``what`` goes there, the point and the area.
        """
        if not self.has((x, y)):
            (x0, x1), (y0, y1) = self.area.x, self.area.y
            raise InputError(
                f"{what} would go to ({x:.3f}, {y:.3f}) mm, outside the work area of {self.name}: x {x0:g} to {x1:g}, "
                f"y {y0:g} to {y1:g}{advice}"
            )

    def _tray(self, name: str) -> Tray:
        for tray in self.trays:
            if tray.name == name:
                return tray
        raise InputError(unknown("tray", name, [tray.name for tray in self.trays]) + f" (machine {self.name})")


MM = (-10_000.0, 10_000.0)
RULES = settings.Rules(
    limits={
        **dict.fromkeys(("area.x", "area.y", "area.z", "sheet.at", "park", "trays.at", "refill.depth"), MM),
        "sheet.margin": (0, 10_000),
        **dict.fromkeys(("speed.draw", "speed.travel", "speed.lift"), (1, 1_000_000)),
        "speed.acceleration": (1, 100_000),
        "speed.junction": (0.0001, 10),
        **dict.fromkeys(("lift.up", "lift.down", "lift.press"), MM),
        **dict.fromkeys(("lift.up_seconds", "lift.down_seconds", "refill.seconds"), (0, 60)),
        "lift.servo": (0, 99),
        "change.seconds": (0, 3600),
        "refill.every": (0, 1_000_000),
        "arm.plane": (-100, 100),
        "arm.blend": (0, 100),
        "units_per_mm": (1, 10_000),
        "pens.width": (MIN_WIDTH, MAX_WIDTH),
        "pens.opacity": (MIN_OPACITY, 1),
    },
    choices={"sheet.y": ("up", "down"), "lift.kind": ("z", "servo", "pen")},
)


def machine_names() -> list[str]:
    """The machines that come with the package."""
    folder = importlib.resources.files("spiral.plotter.machines")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def machine_text(name: str) -> str:
    """The file of a machine that comes with the package.

    Raises:
        InputError: no such machine.
    """
    if name not in machine_names():
        raise InputError(
            f"{unknown('machine', name, machine_names())} (a machine of your own is a .toml file; to begin one: "
            "spiral list machines grbl-servo > mine.toml)"
        )
    return importlib.resources.files("spiral.plotter.machines").joinpath(f"{name}.toml").read_text(encoding="utf-8")


def load_machine(name: str) -> Machine:
    """A machine by its name, or by the path of its ``.toml`` file.

    Raises:
        InputError: no such machine or file, or a value in it is not accepted; the message names file and key.
    """
    if not name.endswith(".toml"):
        return _machine(machine_text(name), name)
    text = read_text(name, "a machine's file", MAX_FILE_BYTES)
    try:
        return _machine(text, Path(name).stem)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _machine(text: str, name: str) -> Machine:
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"not TOML ({error})") from None
    if "name" in values:
        raise InputError("unknown setting 'name': a machine is called like its file")
    machine = settings.made(Machine, values, RULES)
    lift = machine.lift if machine.lift.press is not None else replace(machine.lift, press=machine.lift.down)
    machine = replace(machine, name=name, lift=lift)
    _check(machine)
    return machine


def _check(machine: Machine) -> None:
    """What no single value shows."""
    for axis in ("x", "y", "z"):
        low, high = getattr(machine.area, axis)
        if low >= high:
            raise InputError(f"area.{axis} must be [least, most], got [{low:g}, {high:g}]")
    lift, (low, high) = machine.lift, machine.area.z
    if 0 < machine.refill.every < MIN_REFILL:
        raise InputError(f"refill.every must be 0 (never) or at least {MIN_REFILL:g} mm, got {machine.refill.every:g}")
    if lift.kind == "servo" and lift.up == lift.down:
        raise InputError(f"lift.up and lift.down are both {lift.up:g}: the servo would never raise the pen")
    if lift.kind == "z":
        if not lift.up > lift.down >= lift.press:
            raise InputError(
                f"lift must have up above down, and press not above down; got up {lift.up:g}, down {lift.down:g}, "
                f"press {lift.press:g}"
            )
        heights = {"lift.up": lift.up, "lift.press": lift.press}  # down lies between
        heights |= {"refill.depth": machine.refill.depth} if machine.trays else {}
        for key, z in heights.items():
            if not low <= z <= high:
                raise InputError(f"{key} is {z:g} mm, outside area.z: {low:g} to {high:g}")
    machine.page()
    machine.check_inside(*machine.park, "park")
    for tray in machine.trays:
        machine.check_inside(*tray.at, f"tray {tray.name}")
    machine.wash_tray()
    if machine.refill.every:
        for pen in machine.pens:
            machine.tray_of(pen)
